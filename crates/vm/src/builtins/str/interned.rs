//! Interned strings: one object for each text, so that names compare by identity.
//!
//! The table owns no reference to a mortal string: who destroys one takes it out ([`forget`]). An immortal string
//! stays. Empty and one-character latin-1 strings are static and need no entry.
#![allow(clippy::indexing_slicing, reason = "positions are masked by the table's length, a power of two")]

use std::cell::RefCell;

use super::layout::Interned;
use crate::prelude::*;

/// The interned strings of one interpreter: open addressing with linear probing.
pub struct InternTable {
    entries: RefCell<Entries>,
}

#[derive(Default)]
struct Entries {
    /// Strings that know their hashes, each address with some bits of the hash in it, so that most strings that are not
    /// wanted needn't be looked at; null where there never was one, `DELETED` where one was.
    slots: Vec<*const Str>,
    /// Slots that aren't null.
    fill: usize,
    used: usize,
}

/// Where a slot has bits of the hash: user addresses are shorter.
const TAG_SHIFT: u32 = usize::BITS - 16;
const ADDRESS: usize = (1 << TAG_SHIFT) - 1;

/// A slot without address that isn't null.
const DELETED: *const Str = std::ptr::without_provenance(1 << TAG_SHIFT);

/// The string's part of the hash in a slot.
#[inline(always)]
fn tag(hash: isize) -> usize {
    hash as usize & !ADDRESS
}

/// A string as it stands in a slot.
#[inline(always)]
fn tagged(string: &Str) -> *const Str {
    std::ptr::from_ref(string).map_addr(|address| address | tag(string.cached_hash()))
}

/// The string in a slot, if there is one.
#[inline(always)]
fn string_in<'a>(slot: *const Str) -> Option<&'a Str> {
    let string = slot.map_addr(|address| address & ADDRESS);
    // SAFETY: what is neither null nor `DELETED` is a string, which is taken out before it is destroyed.
    unsafe { string.as_ref() }
}

impl InternTable {
    /// An empty table.
    pub fn new() -> Self {
        InternTable { entries: RefCell::default() }
    }

    /// The number of strings in it.
    pub fn len(&self) -> usize {
        self.entries.borrow().used
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over the immortal strings of another interpreter's table.
    pub fn take_immortals(&self, other: &InternTable) {
        for string in other.entries.borrow().slots.iter().filter_map(|slot| string_in(*slot)) {
            if string.as_object().is_immortal() {
                self.insert(string);
            }
        }
    }

    /// The string with that hash for which `same` holds.
    fn find(&self, hash: isize, same: impl Fn(&Str) -> bool) -> Option<Ref<Str>> {
        let entries = self.entries.borrow();
        let mask = entries.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let entry = entries.slots[at];
            if entry.is_null() {
                return None;
            }
            if tag(entry.addr() as isize) == tag(hash)
                && let Some(string) = string_in(entry)
                && string.cached_hash() == hash
                && same(string)
            {
                return Some(Ref::new_ref(string));
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a string that knows its hash.
    fn insert(&self, string: &Str) {
        let mut entries = self.entries.borrow_mut();
        if (entries.fill + 1) * 3 > entries.slots.len() * 2 {
            entries.rebuild();
        }
        entries.place(string);
    }

    fn remove(&self, string: &Str) {
        let mut entries = self.entries.borrow_mut();
        let Some(mask) = entries.slots.len().checked_sub(1) else { return };
        let mut at = string.cached_hash() as usize & mask;
        loop {
            let entry = entries.slots[at];
            if entry.is_null() {
                return;
            }
            if entry == tagged(string) {
                entries.slots[at] = DELETED;
                entries.used -= 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

impl Default for InternTable {
    fn default() -> Self {
        Self::new()
    }
}

impl Entries {
    fn rebuild(&mut self) {
        let size = ((self.used + 1) * 3).next_power_of_two().max(1024);
        let old = std::mem::replace(&mut self.slots, vec![std::ptr::null(); size]);
        self.fill = 0;
        self.used = 0;
        old.into_iter().filter_map(string_in).for_each(|string| self.place(string));
    }

    fn place(&mut self, string: &Str) {
        let mask = self.slots.len() - 1;
        let mut at = string.cached_hash() as usize & mask;
        while string_in(self.slots[at]).is_some() {
            at = (at + 1) & mask;
        }
        if self.slots[at].is_null() {
            self.fill += 1;
        }
        self.slots[at] = tagged(string);
        self.used += 1;
    }
}

impl Str {
    /// The one interned str with the text of `string`; it is interned itself when there was none (`sys.intern`). The
    /// entry goes when the string dies. Instances of subclasses stay as they are.
    pub fn intern(string: Ref<Str>, vm: &Vm) -> Ref<Str> {
        if string.is_interned() || string.ob.type_ptr() != Str::static_type() {
            return string;
        }
        if let Some(shared) = Str::shared(string.data()) {
            return shared;
        }
        let hash = string.hash_value(vm);
        let table = &vm.interp().interned;
        if let Some(found) = table.find(hash, |other| Str::equal(other, &string)) {
            return found;
        }
        table.insert(&string);
        string.set_interned(Interned::Mortal);
        string
    }

    /// `intern` for strings that live as long as the process.
    pub fn intern_immortal(string: Ref<Str>, vm: &Vm) -> Ref<Str> {
        let string = Str::intern(string, vm);
        make_immortal(&string);
        string
    }

    /// The interned str of an ASCII or UTF-8 text; nothing is allocated when it exists.
    pub fn intern_text(text: &str, vm: &Vm) -> Ref<Str> {
        if text.is_ascii() {
            return Str::intern_ascii(text.as_bytes(), vm);
        }
        Str::intern(Str::from_str(text, vm), vm)
    }

    /// `intern_text` for bytes that are known to be ASCII.
    pub fn intern_ascii(text: &[u8], vm: &Vm) -> Ref<Str> {
        if text.len() < 2 {
            return Str::from_ascii(text, vm);
        }
        let hash = super::hash::hash_bytes(text, vm);
        let table = &vm.interp().interned;
        if let Some(found) = table.find(hash, |other| other.ascii_bytes() == Some(text)) {
            return found;
        }
        let string = Str::from_ascii(text, vm);
        string.set_cached_hash(hash);
        table.insert(&string);
        string.set_interned(Interned::Mortal);
        string
    }
}

/// Makes a string immortal, and its entry final if it has one.
pub(crate) fn make_immortal(string: &Str) {
    if string.interned() == Interned::Mortal {
        string.set_interned(Interned::Immortal);
    }
    string.as_object().make_immortal();
}

/// Takes a dying mortal string out of its table.
pub(super) fn forget(string: &Str) {
    if let Some(vm) = Vm::try_current() {
        vm.interp().interned.remove(string);
    }
}
