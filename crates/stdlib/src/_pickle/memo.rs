//! The memos: what a pickler has written, by identity, and what an unpickler has read, by number.
#![allow(
    clippy::indexing_slicing,
    reason = "places in the table are masked to its size, which is a power of two"
)]

use std::collections::HashMap;

use taipan_vm::prelude::*;

/// Numbers of objects, which are kept alive so that no address is used twice. Open addressing.
#[derive(Default)]
pub struct PicklerMemo {
    /// None of them, or a power of two, at most two thirds in use.
    slots: Vec<(Option<ObjRef>, usize)>,
    used: usize,
}

#[inline]
fn spread(object: &Object) -> usize {
    let address = object.as_ptr() as usize;
    // Fibonacci hashing: the upper half of the product is well mixed.
    (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

impl PicklerMemo {
    /// How many objects have a number.
    #[inline]
    pub fn len(&self) -> usize {
        self.used
    }

    /// How many numbers there is room for.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The place of the object, or the free one where it belongs. The table isn't empty.
    #[inline]
    fn place(&self, object: &Object) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = spread(object) & mask;
        loop {
            match &self.slots[at].0 {
                Some(known) if !known.is(object) => at = (at + 1) & mask,
                _ => return at,
            }
        }
    }

    /// The object's number.
    #[inline]
    pub fn get(&self, object: &Object) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let (known, number) = &self.slots[self.place(object)];
        known.as_ref().map(|_| *number)
    }

    /// Gives the object a number.
    pub fn set(&mut self, object: &Object, number: usize) {
        if (self.used + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        let place = self.place(object);
        let slot = &mut self.slots[place];
        if slot.0.is_none() {
            slot.0 = Some(object.to_ref());
            self.used += 1;
        }
        slot.1 = number;
    }

    fn grow(&mut self) {
        let size = match self.slots.len() {
            0 => 8,
            small if small < 1 << 16 => small * 4,
            large => large * 2,
        };
        let old = std::mem::replace(&mut self.slots, (0..size).map(|_| (None, 0)).collect());
        for (object, number) in old {
            if let Some(object) = object {
                let place = self.place(&object);
                self.slots[place] = (Some(object), number);
            }
        }
    }

    /// Objects and numbers.
    pub fn entries(&self) -> Vec<(ObjRef, usize)> {
        self.slots.iter().filter_map(|(object, number)| Some((object.clone()?, *number))).collect()
    }
}

impl Traverse for PicklerMemo {
    fn traverse(&self, visit: &mut Visit) {
        for object in self.slots.iter().filter_map(|(object, _)| object.as_ref()) {
            object.traverse(visit);
        }
    }
}

/// Objects by number. Numbers far beyond the others, which no pickler writes, take no room in between.
#[derive(Default)]
pub struct UnpicklerMemo {
    dense: Vec<Option<ObjRef>>,
    sparse: HashMap<usize, ObjRef>,
    used: usize,
}

/// How far a number may be beyond the end of the dense part to become part of it.
const GAP: usize = 1 << 16;

impl UnpicklerMemo {
    /// How many objects the dense part has room for.
    pub fn capacity(&self) -> usize {
        self.dense.capacity()
    }

    /// The object of a number.
    #[inline]
    pub fn get(&self, number: usize) -> Option<ObjRef> {
        match self.dense.get(number) {
            Some(Some(object)) => Some(object.clone()),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&number).cloned(),
        }
    }

    /// Files an object under the next number, as `put`.
    #[inline]
    pub fn add(&mut self, object: ObjRef) -> Option<ObjRef> {
        self.put(self.used, object)
    }

    /// Files an object; gives the one that had the number before, for the caller to drop when nothing is borrowed.
    #[inline]
    pub fn put(&mut self, number: usize, object: ObjRef) -> Option<ObjRef> {
        if number == self.dense.len() {
            self.dense.push(Some(object));
            self.used += 1;
            return self.overtake(number);
        }
        self.put_elsewhere(number, object)
    }

    /// A number that was sparse has become dense.
    #[inline]
    fn overtake(&mut self, number: usize) -> Option<ObjRef> {
        if self.sparse.is_empty() {
            return None;
        }
        let old = self.sparse.remove(&number);
        self.used -= usize::from(old.is_some());
        old
    }

    fn put_elsewhere(&mut self, number: usize, object: ObjRef) -> Option<ObjRef> {
        let old = if number < self.dense.len() {
            self.dense[number].replace(object)
        } else if number - self.dense.len() < GAP && !self.sparse.contains_key(&number) {
            self.dense.resize(number, None);
            self.dense.push(Some(object));
            None
        } else {
            self.sparse.insert(number, object)
        };
        // A place in the middle may have been filled in the sparse part before the dense one reached it.
        let shadowed = if number < self.dense.len() { self.sparse.remove(&number) } else { None };
        self.used += usize::from(old.is_none() && shadowed.is_none());
        old.or(shadowed)
    }

    /// Numbers and objects.
    pub fn entries(&self) -> Vec<(usize, ObjRef)> {
        let dense = self.dense.iter().enumerate();
        let mut all: Vec<_> = dense.filter_map(|(number, object)| Some((number, object.clone()?))).collect();
        all.extend(self.sparse.iter().map(|(number, object)| (*number, object.clone())));
        all
    }
}

impl Traverse for UnpicklerMemo {
    fn traverse(&self, visit: &mut Visit) {
        self.dense.traverse(visit);
        self.sparse.values().for_each(|object| object.traverse(visit));
    }
}
