//! `list`: a growing array of references.
//!
//! The vector is a block of the `PyMem` domain that extensions grow and write to in place, so length and capacity live in
//! the object and nowhere else. Capacities are CPython's, as `sys.getsizeof` shows them. Whatever releases an item does
//! so after the list is whole again: destructors may change the same list.

pub mod iterators;
pub mod sort;

use std::cell::Cell;
use std::mem::{offset_of, size_of};

use taipan_object::alloc;

use crate::builtins::bytes::slicing::SliceRange;
use crate::builtins::dict::repr_guard::ReprGuard;
use crate::builtins::dict::views::{DictItems, DictKeys, DictValues};
use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::set::{FrozenSet, Set};
use crate::builtins::slice::Slice;
use crate::builtins::tuple::{SliceIndex, compare_sequences, show_items};
use crate::prelude::*;
use crate::protocols::container::subscript_index;
use iterators::{ListIterator, ListReverseIterator};

/// `PyListObject`.
#[repr(C)]
pub struct List {
    /// Header and number of items.
    pub ob: VarObject,
    /// The vector; null while it has no capacity.
    items: Cell<*mut *mut Object>,
    /// Capacity of the vector; -1 while the list is being sorted.
    allocated: Cell<isize>,
}

const _: () = assert!(size_of::<List>() == 40 && offset_of!(List, allocated) == 32);

const ITEM: usize = size_of::<*mut Object>();
const MAX_LEN: usize = isize::MAX as usize / ITEM;

impl Traverse for List {
    fn traverse(&self, visit: &mut Visit) {
        for i in (0..self.len()).rev() {
            // SAFETY: items are null (while C code fills the list) or alive.
            unsafe { visit.raw(*self.item_ptr(i)) }
        }
    }

    fn clear(&self) {
        self.clear_items();
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.clear_items();
    }
}

/// What Rust code does with lists.
impl List {
    fn header(items: *mut *mut Object, len: usize, allocated: usize) -> List {
        List {
            ob: VarObject { ob: Object::new(List::type_object()), ob_size: Cell::new(len as isize) },
            items: Cell::new(items),
            allocated: Cell::new(allocated as isize),
        }
    }

    /// A new empty list.
    #[inline]
    pub fn new(vm: &Vm) -> Ref<List> {
        vm.new_object(List::header(std::ptr::null_mut(), 0, 0))
    }

    /// A list of `len` owned references, which move from `items`.
    ///
    /// # Safety
    /// `items` holds as many owned references, which the caller forgets.
    #[inline]
    pub unsafe fn from_raw_items(items: *const *mut Object, len: usize, vm: &Vm) -> Ref<List> {
        if len == 0 {
            return List::new(vm);
        }
        let block = alloc::raw_malloc(len * ITEM).cast::<*mut Object>();
        if block.is_null() {
            crate::runtime::make::out_of_memory();
        }
        // SAFETY: both have room for `len` references.
        unsafe { std::ptr::copy_nonoverlapping(items, block, len) };
        vm.new_object(List::header(block, len, len))
    }

    /// A list of the given items.
    #[inline]
    pub fn from_vec(items: Vec<ObjRef>, vm: &Vm) -> Ref<List> {
        let len = items.len();
        if len == 0 {
            return List::new(vm);
        }
        let block = alloc::raw_malloc(len * ITEM).cast::<*mut Object>();
        if block.is_null() {
            crate::runtime::make::out_of_memory();
        }
        let mut items = items;
        // SAFETY: both have room for `len` references, which move.
        unsafe {
            std::ptr::copy_nonoverlapping(items.as_ptr().cast::<*mut Object>(), block, len);
            items.set_len(0);
        }
        vm.new_object(List::header(block, len, len))
    }

    /// A list of new references to the given objects.
    pub fn from_slice(items: &[&Object], vm: &Vm) -> Ref<List> {
        Self::from_vec(items.iter().map(|item| item.to_ref()).collect(), vm)
    }

    /// A list of `len` empty slots for C code to fill (`PyList_New`). MemoryError when it can't be had.
    pub fn with_len(len: usize, vm: &Vm) -> PyResult<Ref<List>> {
        if len == 0 {
            return Ok(List::new(vm));
        }
        let block = alloc::raw_calloc(len, ITEM).cast::<*mut Object>();
        if block.is_null() || len > MAX_LEN {
            return Err(vm.memory_error());
        }
        Ok(vm.new_object(List::header(block, len, len)))
    }

    /// The number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob.ob_size.get() as usize
    }

    /// Whether there is no item.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the type is exactly `list`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        std::ptr::eq(self.as_object().type_ptr(), List::static_type())
    }

    /// How many items fit without growing.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.allocated.get().max(0) as usize
    }

    #[inline(always)]
    fn set_len(&self, len: usize) {
        self.ob.ob_size.set(len as isize);
    }

    #[inline(always)]
    fn item_ptr(&self, i: usize) -> *mut *mut Object {
        self.items.get().wrapping_add(i)
    }

    /// Item `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<ObjRef> {
        // SAFETY: the item is cloned at once.
        unsafe { self.get_borrowed(i) }.map(Object::to_ref)
    }

    /// Item `i`, borrowed.
    ///
    /// # Safety
    /// The borrow ends before the list can change.
    #[inline(always)]
    pub unsafe fn get_borrowed(&self, i: usize) -> Option<&Object> {
        if i < self.len() {
            // SAFETY: in range.
            unsafe { (*self.item_ptr(i)).as_ref() }
        } else {
            None
        }
    }

    /// The items, borrowed.
    ///
    /// # Safety
    /// The borrow ends before the list can change: no Python code runs and nothing is released meanwhile.
    #[inline(always)]
    pub unsafe fn borrow_slice(&self) -> &[ObjRef] {
        let len = self.len();
        if len == 0 {
            return &[];
        }
        // SAFETY: the vector holds `len` references; `Ref` is a transparent pointer.
        unsafe { std::slice::from_raw_parts(self.item_ptr(0).cast::<ObjRef>(), len) }
    }

    /// The items as they are now.
    pub fn to_vec(&self) -> Vec<ObjRef> {
        // SAFETY: cloning references runs no Python code.
        unsafe { self.borrow_slice() }.to_vec()
    }

    /// Gives the vector room for `len` items and makes that the list's length; new slots are not initialised. False when
    /// there is no memory, or `len` is absurd.
    fn resize(&self, len: usize) -> bool {
        let allocated = self.allocated.get();
        // Small vectors are not worth shrinking.
        if allocated >= len as isize && (len as isize >= allocated >> 1 || allocated <= 32) {
            self.set_len(len);
            return true;
        }
        if len > MAX_LEN {
            return false;
        }
        // A little more than asked for, in proportion, so that appending takes amortised constant time; as much more when a
        // large piece is added at once only rounds up.
        let mut room = (len + (len >> 3) + 6) & !3;
        if len > self.len() && len - self.len() > room - len {
            room = (len + 3) & !3;
        }
        if len == 0 {
            room = 0;
        }
        self.reallocate(room) && {
            self.set_len(len);
            true
        }
    }

    fn reallocate(&self, room: usize) -> bool {
        if room > MAX_LEN {
            return false;
        }
        // SAFETY: the vector is a block of this allocator or null.
        unsafe {
            if room == 0 {
                alloc::raw_free(self.items.replace(std::ptr::null_mut()).cast());
            } else {
                let block = alloc::raw_realloc(self.items.get().cast(), room * ITEM);
                if block.is_null() {
                    return false;
                }
                self.items.set(block.cast());
            }
        }
        self.allocated.set(room as isize);
        true
    }

    /// Room for exactly `len` items (an even number) in a list without a vector.
    fn reserve_exact(&self, len: usize) -> bool {
        self.items.get().is_null() && self.reallocate(len.saturating_add(1) & !1)
    }

    /// Adds an item at the end; false when there is no memory.
    #[inline]
    fn try_append(&self, item: ObjRef) -> bool {
        let len = self.len();
        if (len as isize) < self.allocated.get() {
            self.set_len(len + 1);
        } else if !self.resize(len + 1) {
            return false;
        }
        // SAFETY: within the capacity; the slot has no reference yet.
        unsafe { *self.item_ptr(len) = item.into_raw() };
        true
    }

    /// Adds an item at the end.
    #[inline]
    pub fn append(&self, item: ObjRef) {
        if !self.try_append(item) {
            crate::runtime::make::out_of_memory();
        }
    }

    /// Exchanges two items. False when a position is out of range.
    pub fn swap(&self, i: usize, j: usize) -> bool {
        let (Some(first), Some(second)) = (self.get(i), self.get(j)) else { return false };
        self.set(i, second) && self.set(j, first)
    }

    /// Replaces item `i`; false when there is no such item.
    #[inline]
    pub fn set(&self, i: usize, item: ObjRef) -> bool {
        if i >= self.len() {
            return false;
        }
        // SAFETY: in range; the old item is released after the store.
        unsafe { drop(Ref::from_raw_opt(std::mem::replace(&mut *self.item_ptr(i), item.into_raw()))) };
        true
    }

    /// Inserts an item before position `i`, which is cut to the length.
    pub fn insert(&self, i: usize, item: ObjRef, vm: &Vm) -> PyResult<()> {
        let len = self.len();
        if !self.resize(len + 1) {
            return Err(vm.memory_error());
        }
        let i = i.min(len);
        // SAFETY: the capacity is at least `len + 1`.
        unsafe {
            std::ptr::copy(self.item_ptr(i), self.item_ptr(i + 1), len - i);
            *self.item_ptr(i) = item.into_raw();
        }
        Ok(())
    }

    /// Takes item `i` out; none when there is no such item.
    pub fn remove_at(&self, i: usize) -> Option<ObjRef> {
        let len = self.len();
        if i >= len {
            return None;
        }
        // SAFETY: in range; the reference moves out and the gap is closed.
        unsafe {
            let item = *self.item_ptr(i);
            std::ptr::copy(self.item_ptr(i + 1), self.item_ptr(i), len - 1 - i);
            if len == 1 {
                self.reallocate(0);
                self.set_len(0);
            } else if !self.resize(len - 1) {
                // Shrinking needs no memory: keep the larger block.
                self.set_len(len - 1);
            }
            Ref::from_raw_opt(item)
        }
    }

    /// Takes the vector away and leaves the list empty.
    fn take_items(&self) -> Vec<ObjRef> {
        let block = self.items.replace(std::ptr::null_mut());
        let len = self.len();
        self.set_len(0);
        self.allocated.set(0);
        if block.is_null() {
            return Vec::new();
        }
        let mut items = Vec::with_capacity(len);
        // SAFETY: the references move to the `Vec`; null slots (of C code that gave up) are left out.
        unsafe {
            for i in 0..len {
                items.extend(Ref::from_raw_opt(*block.add(i)));
            }
            alloc::raw_free(block.cast());
        }
        items
    }

    fn clear_items(&self) {
        let block = self.items.replace(std::ptr::null_mut());
        let len = self.len();
        self.set_len(0);
        self.allocated.set(0);
        if block.is_null() {
            return;
        }
        // SAFETY: the block and its references are ours alone now; released from the end as CPython does.
        unsafe {
            for i in (0..len).rev() {
                drop(Ref::from_raw_opt(*block.add(i)));
            }
            alloc::raw_free(block.cast());
        }
    }

    /// Takes the vector away as it is and leaves the list empty.
    fn detach_vector(&self) -> Vector {
        let vector = Vector {
            items: self.items.replace(std::ptr::null_mut()),
            len: self.len(),
            room: self.allocated.get(),
        };
        self.set_len(0);
        self.allocated.set(0);
        vector
    }

    /// Puts a vector back. What came into the list meanwhile is released.
    fn attach_vector(&self, vector: Vector) {
        let meanwhile = self.take_items();
        self.items.set(vector.items);
        self.allocated.set(vector.room);
        self.set_len(vector.len);
        drop(meanwhile);
    }

    /// Replaces the items from `start` to `stop` (`list[start:stop] = items`); both are cut to the length.
    pub fn set_slice(&self, start: usize, stop: usize, items: Vec<ObjRef>, vm: &Vm) -> PyResult<()> {
        let len = self.len();
        let start = start.min(len);
        let stop = stop.clamp(start, len);
        let (gone, new) = (stop - start, items.len());
        let mut old: Vec<ObjRef> = Vec::with_capacity(gone);
        if len - gone + new == 0 {
            drop(self.take_items());
            return Ok(());
        }
        let mut items = items;
        // SAFETY: the old references move out, the tail moves to its new place within the capacity, the new ones move in.
        unsafe {
            let tail = len - stop;
            if new > gone && !self.resize(len + (new - gone)) {
                return Err(vm.memory_error());
            }
            for i in start..stop {
                old.extend(Ref::from_raw_opt(*self.item_ptr(i)));
            }
            std::ptr::copy(self.item_ptr(stop), self.item_ptr(start + new), tail);
            std::ptr::copy_nonoverlapping(items.as_ptr().cast::<*mut Object>(), self.item_ptr(start), new);
            items.set_len(0);
            if new < gone && !self.resize(len - (gone - new)) {
                self.set_len(len - (gone - new));
            }
        }
        drop(old);
        Ok(())
    }

    /// The items from `start` on, every `step`th, `count` of them.
    pub fn slice(&self, start: isize, step: isize, count: usize, vm: &Vm) -> Ref<List> {
        // SAFETY: cloning references runs no Python code.
        let items = unsafe { self.borrow_slice() };
        let picked = (0..count as isize)
            .filter_map(|n| items.get(start.wrapping_add(n.wrapping_mul(step)) as usize).cloned())
            .collect();
        List::from_vec(picked, vm)
    }

    /// Adds references at the end. With `exact` an empty list gets no room to spare, as CPython does it for lists and tuples.
    fn extend_from<'a>(
        &self,
        count: usize,
        exact: bool,
        items: impl Iterator<Item = &'a Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        if count == 0 {
            return Ok(());
        }
        let len = self.len();
        let room = if exact && self.items.get().is_null() {
            self.reserve_exact(count)
        } else {
            let room = len.checked_add(count).is_some_and(|total| self.resize(total));
            self.set_len(len);
            room
        };
        if !room {
            return Err(vm.memory_error());
        }
        for item in items.take(count) {
            self.append(item.to_ref());
        }
        Ok(())
    }

    /// `list.extend(iterable)`.
    pub fn extend(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        if iterable.is(self.as_object()) {
            return self.sq_inplace_repeat(2, vm).map(drop);
        }
        if let Some(list) = iterable.downcast_exact::<List>() {
            let count = list.len();
            // SAFETY (here and below): items are read one by one and cloned before anything else happens, and nothing runs.
            let items = (0..count).filter_map(|i| unsafe { list.get_borrowed(i) });
            return self.extend_from(count, true, items, vm);
        }
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            return self.extend_from(tuple.len(), true, tuple.as_slice().iter().map(|item| &**item), vm);
        }
        if let Some(dict) = iterable.downcast_exact::<Dict>() {
            let keys = dict.keys_vec();
            return self.extend_from(keys.len(), false, keys.iter().map(|item| &**item), vm);
        }
        if iterable.downcast_exact::<Set>().is_some() || iterable.downcast_exact::<FrozenSet>().is_some() {
            let items = crate::builtins::set::items_vec(iterable);
            return self.extend_from(items.len(), false, items.iter().map(|item| &**item), vm);
        }
        let is_view = iterable.downcast_exact::<DictKeys>().is_some()
            || iterable.downcast_exact::<DictValues>().is_some()
            || iterable.downcast_exact::<DictItems>().is_some();
        let iterator = iterable.iter(vm)?;
        if is_view {
            // The number of items is certain, as for a list.
            let mut items = Vec::new();
            while let Some(item) = iterator.iter_next(vm)? {
                items.push(item);
            }
            return self.extend_from(items.len(), false, items.iter().map(|item| &**item), vm);
        }
        let hint = iterable.length_hint(8, vm)?;
        let len = self.len();
        if let Some(total) = len.checked_add(hint).filter(|total| *total <= isize::MAX as usize) {
            let room = if !self.items.get().is_null() {
                let room = self.resize(total);
                self.set_len(len);
                room
            } else {
                hint == 0 || self.reserve_exact(hint)
            };
            if !room {
                return Err(vm.memory_error());
            }
        }
        while let Some(item) = iterator.iter_next(vm)? {
            if !self.try_append(item) {
                return Err(vm.memory_error());
            }
        }
        let len = self.len();
        if (len as isize) < self.allocated.get() {
            // Shrinking needs no memory: when it fails, the larger block stays.
            self.resize(len);
        }
        Ok(())
    }

    /// Sorts in place, stable: `list.sort(key=key, reverse=reverse)`.
    pub fn sort(&self, key: Option<&Object>, reverse: bool, vm: &Vm) -> PyResult<()> {
        sort::sort(self, key, reverse, vm)
    }

    /// `tuple(list)` (`PyList_AsTuple`).
    pub fn as_tuple(&self, vm: &Vm) -> Ref<Tuple> {
        // SAFETY: cloning references runs no Python code.
        Tuple::from_refs(unsafe { self.borrow_slice() }, vm)
    }

    fn repeated(&self, n: isize, vm: &Vm) -> PyResult<Vec<ObjRef>> {
        let n = usize::try_from(n).unwrap_or(0);
        let Some(len) = self.len().checked_mul(n).filter(|len| *len <= MAX_LEN) else {
            return Err(vm.memory_error());
        };
        let mut items: Vec<ObjRef> = Vec::new();
        if items.try_reserve_exact(len).is_err() {
            return Err(vm.memory_error());
        }
        // SAFETY: cloning references runs no Python code.
        items.extend(unsafe { self.borrow_slice() }.iter().cycle().take(len).cloned());
        Ok(items)
    }

    fn set_extended(&self, slice: &Slice, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let new = match value {
            None => None,
            // A list may be assigned to a slice of itself: the items are copied first.
            Some(value) => match value.collect_iterable(vm) {
                Ok(items) => Some(items),
                Err(raised) => {
                    if vm.exception_matches(types::type_error()) && value.ob_type().tp_iter.get().is_none() {
                        vm.clear_exception();
                        return Err(vm.type_error("must assign iterable to extended slice"));
                    }
                    return Err(raised);
                }
            },
        };
        let SliceRange { start, step, count } = SliceRange::new(slice, || self.len(), vm)?;
        if step == 1 {
            let start = start as usize;
            return self.set_slice(start, start + count, new.unwrap_or_default(), vm);
        }
        match new {
            None => {
                self.delete_every(start, step, count);
                Ok(())
            }
            Some(new) if new.len() != count => Err(vm.value_error(format!(
                "attempt to assign sequence of size {} to extended slice of size {count}",
                new.len()
            ))),
            Some(new) => {
                let mut old: Vec<ObjRef> = Vec::with_capacity(count);
                for (n, item) in new.into_iter().enumerate() {
                    let i = start.wrapping_add((n as isize).wrapping_mul(step)) as usize;
                    if i < self.len() {
                        // SAFETY: in range; old items are released when all new ones are in place.
                        unsafe {
                            let raw = std::mem::replace(&mut *self.item_ptr(i), item.into_raw());
                            old.extend(Ref::from_raw_opt(raw));
                        }
                    }
                }
                drop(old);
                Ok(())
            }
        }
    }

    /// Deletes `count` items from `start` on, every `step`th.
    fn delete_every(&self, start: isize, step: isize, count: usize) {
        if count == 0 {
            return;
        }
        let (first, step) = if step < 0 {
            (start.wrapping_add(step.wrapping_mul(count as isize - 1)) as usize, step.unsigned_abs())
        } else {
            (start as usize, step as usize)
        };
        let len = self.len();
        let mut old: Vec<ObjRef> = Vec::with_capacity(count);
        let mut to = first;
        // SAFETY: positions are below the length; each reference either moves out or down.
        unsafe {
            for i in first..len {
                let item = *self.item_ptr(i);
                if (i - first) % step == 0 && old.len() < count {
                    old.extend(Ref::from_raw_opt(item));
                } else {
                    *self.item_ptr(to) = item;
                    to += 1;
                }
            }
        }
        if !self.resize(to) {
            self.set_len(to);
        }
        drop(old);
    }
}

/// The vector of a list that is being sorted, with its references.
struct Vector {
    items: *mut *mut Object,
    len: usize,
    room: isize,
}

impl Vector {
    /// # Safety
    /// The borrow ends before `reorder`.
    unsafe fn as_slice<'a>(&self) -> &'a [ObjRef] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the vector holds `len` references; `Ref` is a transparent pointer.
        unsafe { std::slice::from_raw_parts(self.items.cast::<ObjRef>(), self.len) }
    }

    /// Stores the same references in another order.
    fn reorder(&self, order: impl Iterator<Item = std::ptr::NonNull<Object>>) {
        for (i, item) in order.take(self.len).enumerate() {
            // SAFETY: below the length; `order` is a permutation, so each reference is still owned once.
            unsafe { *self.items.add(i) = item.as_ptr() };
        }
    }
}

/// `list(iterable)` as a Rust value.
pub fn list_from_iterable(iterable: &Object, vm: &Vm) -> PyResult<Ref<List>> {
    let list = List::new(vm);
    list.extend(iterable, vm)?;
    Ok(list)
}

/// `PyList_AsTuple`.
pub fn list_as_tuple(list: &List, vm: &Vm) -> Ref<Tuple> {
    list.as_tuple(vm)
}

/// Built-in mutable sequence.
///
/// If no argument is given, the constructor creates a new empty list.
/// The argument must be an iterable if specified.
#[pytype(
    name = "list",
    text_signature = "(iterable=(), /)",
    symbol = "PyList_Type",
    flags(BASETYPE, SEQUENCE, LIST_SUBCLASS, MATCH_SELF),
    gc,
    unhashable
)]
impl List {
    /// Return self[index].
    #[method("($self, index, /)", coexist)]
    fn __getitem__(&self, index: &Object, vm: &Vm) -> PyResult {
        self.mp_subscript(index, vm)
    }

    /// Return a reverse iterator over the list.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> ObjRef {
        ListReverseIterator::new(self, vm)
    }

    /// Return the size of the list in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = self.as_object().ob_type().tp_basicsize.get() as usize;
        basic + self.capacity() * ITEM
    }

    /// Remove all items from list.
    #[method("($self, /)")]
    fn clear(&self) {
        self.clear_items();
    }

    /// Return a shallow copy of the list.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> Ref<List> {
        List::from_vec(self.to_vec(), vm)
    }

    /// Append object to the end of the list.
    #[method("($self, object, /)", name = "append")]
    fn method_append(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        if self.try_append(object.to_ref()) { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// Insert object before index.
    #[method("($self, index, object, /)", name = "insert")]
    fn method_insert(&self, index: isize, object: &Object, vm: &Vm) -> PyResult<()> {
        let len = self.len() as isize;
        let at = if index < 0 { index.saturating_add(len).max(0) } else { index };
        self.insert(at as usize, object.to_ref(), vm)
    }

    /// Extend list by appending elements from the iterable.
    #[method("($self, iterable, /)", name = "extend")]
    fn method_extend(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        self.extend(iterable, vm)
    }

    /// Remove and return item at index (default last).
    ///
    /// Raises IndexError if list is empty or index is out of range.
    #[method("($self, index=-1, /)")]
    fn pop(&self, index: Option<isize>, vm: &Vm) -> PyResult {
        if self.is_empty() {
            return Err(vm.index_error("pop from empty list"));
        }
        let index = index.unwrap_or(-1);
        let at = if index < 0 { index.saturating_add(self.len() as isize) } else { index };
        match usize::try_from(at).ok().and_then(|at| self.remove_at(at)) {
            Some(item) => Ok(item),
            None => Err(vm.index_error("pop index out of range")),
        }
    }

    /// Remove first occurrence of value.
    ///
    /// Raises ValueError if the value is not present.
    #[method("($self, value, /)")]
    fn remove(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        let mut i = 0;
        while let Some(item) = self.get(i) {
            if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
                drop(self.remove_at(i));
                return Ok(());
            }
            i += 1;
        }
        Err(vm.value_error("list.remove(x): x not in list"))
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(
        &self,
        value: &Object,
        start: Option<SliceIndex>,
        stop: Option<SliceIndex>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let start = SliceIndex::position(start, 0, self.len()) as usize;
        let stop = SliceIndex::position(stop, isize::MAX, self.len()) as usize;
        let mut i = start;
        while i < stop {
            let Some(item) = self.get(i) else { break };
            if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
                return Ok(i);
            }
            i += 1;
        }
        Err(vm.value_error("list.index(x): x not in list"))
    }

    /// Return number of occurrences of value.
    #[method("($self, value, /)")]
    fn count(&self, value: &Object, vm: &Vm) -> PyResult<usize> {
        let mut count = 0;
        let mut i = 0;
        while let Some(item) = self.get(i) {
            if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
                count += 1;
            }
            i += 1;
        }
        Ok(count)
    }

    /// Reverse *IN PLACE*.
    #[method("($self, /)")]
    fn reverse(&self) {
        let len = self.len();
        for i in 0..len / 2 {
            // SAFETY: both are in range and differ.
            unsafe { std::ptr::swap(self.item_ptr(i), self.item_ptr(len - 1 - i)) };
        }
    }

    /// Sort the list in ascending order and return None.
    ///
    /// The sort is in-place (i.e. the list itself is modified) and stable
    /// (i.e. the order of two equal elements is maintained).
    ///
    /// If a key function is given, apply it once to each list item and sort
    /// them, ascending or descending, according to their function values.
    ///
    /// The reverse flag can be set to sort in descending order.
    #[method("($self, /, *, key=None, reverse=False)", name = "sort")]
    fn method_sort(&self, key: Option<&Object>, reverse: Option<bool>, vm: &Vm) -> PyResult<()> {
        self.sort(key.filter(|key| !vm.is_none(key)), reverse.unwrap_or(false), vm)
    }

    /// lists are generic over the type of their contents
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, List::header(std::ptr::null_mut(), 0, 0))
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            let own_new = List::type_object().tp_new.get().map(|f| f as usize);
            if self.as_object().ob_type().tp_new.get().map(|f| f as usize) == own_new {
                return Err(vm.type_error("list() takes no keyword arguments"));
            }
        }
        let iterable = match args.as_slice() {
            [] => None,
            [iterable] => Some(iterable),
            all => return Err(vm.type_error(format!("list expected at most 1 argument, got {}", all.len()))),
        };
        self.clear_items();
        match iterable {
            Some(iterable) => self.extend(iterable, vm),
            None => Ok(()),
        }
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(vm.type_error("list() takes no keyword arguments"));
        }
        let object = vm.new_instance(cls, List::header(std::ptr::null_mut(), 0, 0))?;
        match (args, object.downcast_ref::<List>()) {
            ([iterable], Some(list)) => list.extend(iterable, vm)?,
            ([], _) => {}
            _ => return Err(vm.type_error(format!("list expected at most 1 argument, got {}", args.len()))),
        }
        Ok(object)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if self.is_empty() {
            return Ok(vm.new_str("[]"));
        }
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else { return Ok(vm.new_str("[...]")) };
        Ok(show_items("[", "]", |i| self.get(i), vm)?.finish(vm))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        ListIterator::new(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<List>() else { return Ok(vm.not_implemented()) };
        if self.len() != other.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.new_bool(op == CompareOp::Ne));
        }
        compare_sequences(|i| (self.get(i), other.get(i)), || (self.len(), other.len()), op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult {
        match usize::try_from(i).ok().and_then(|i| self.get(i)) {
            Some(item) => Ok(item),
            None => Err(vm.index_error("list index out of range")),
        }
    }

    #[slot]
    fn sq_ass_item(&self, i: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let done = match (usize::try_from(i), value) {
            (Ok(i), Some(value)) => self.set(i, value.to_ref()),
            (Ok(i), None) => self.remove_at(i).is_some(),
            (Err(_), _) => false,
        };
        if done { Ok(()) } else { Err(vm.index_error("list assignment index out of range")) }
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        let mut i = 0;
        while let Some(mine) = self.get(i) {
            if mine.rich_compare_bool(item, CompareOp::Eq, vm)? {
                return Ok(true);
            }
            i += 1;
        }
        Ok(false)
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        let Some(right) = other.downcast_ref::<List>() else {
            return Err(vm.type_error(format!(
                "can only concatenate list (not \"{}\") to list",
                other.ob_type().name()
            )));
        };
        let mut items = Vec::new();
        if items.try_reserve_exact(self.len().saturating_add(right.len())).is_err() {
            return Err(vm.memory_error());
        }
        // SAFETY: cloning references runs no Python code.
        unsafe {
            items.extend_from_slice(self.borrow_slice());
            items.extend_from_slice(right.borrow_slice());
        }
        Ok(List::from_vec(items, vm).into_object())
    }

    #[slot]
    fn sq_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        Ok(List::from_vec(self.repeated(n, vm)?, vm).into_object())
    }

    #[slot]
    fn sq_inplace_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        self.extend(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn sq_inplace_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        if n < 1 {
            self.clear_items();
        } else if n > 1 && !self.is_empty() {
            let len = self.len();
            let Some(total) = len.checked_mul(n as usize).filter(|total| *total <= MAX_LEN) else {
                return Err(vm.memory_error());
            };
            if !self.resize(total) {
                return Err(vm.memory_error());
            }
            for i in len..total {
                // SAFETY: within the new length; slots are filled in order from ones already filled.
                unsafe {
                    let item = *self.item_ptr(i - len);
                    if let Some(item) = item.as_ref() {
                        item.incref();
                    }
                    *self.item_ptr(i) = item;
                }
            }
        }
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if key.has_index() {
            let i = subscript_index(key, vm)?;
            let i = if i < 0 { i.wrapping_add(self.len() as isize) } else { i };
            return self.sq_item(i, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else { return Err(bad_index(key, vm)) };
        let SliceRange { start, step, count } = SliceRange::new(slice, || self.len(), vm)?;
        Ok(self.slice(start, step, count, vm).into_object())
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if key.has_index() {
            let i = subscript_index(key, vm)?;
            let i = if i < 0 { i.wrapping_add(self.len() as isize) } else { i };
            return self.sq_ass_item(i, value, vm);
        }
        match key.downcast_ref::<Slice>() {
            Some(slice) => self.set_extended(slice, value, vm),
            None => Err(bad_index(key, vm)),
        }
    }
}

#[cold]
fn bad_index(key: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("list indices must be integers or slices, not {}", key.ob_type().name()))
}
