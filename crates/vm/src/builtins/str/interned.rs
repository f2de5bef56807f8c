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
    slots: Vec<Entry>,
    /// Filled slots, deleted ones included.
    fill: usize,
    used: usize,
}

/// A slot: a string with its hash, or one of two marks in place of the string.
#[derive(Clone, Copy)]
struct Entry {
    hash: isize,
    string: *const Str,
}

impl Entry {
    const FREE: Entry = Entry { hash: 0, string: std::ptr::null() };
    const DELETED: Entry = Entry { hash: 0, string: std::ptr::without_provenance(1) };

    #[inline(always)]
    fn is_live(self) -> bool {
        self.string.addr() > 1
    }
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

    /// The string with that hash for which `same` holds.
    fn find(&self, hash: isize, same: impl Fn(&Str) -> bool) -> Option<Ref<Str>> {
        let entries = self.entries.borrow();
        let mask = entries.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let entry = entries.slots[at];
            if entry.string.is_null() {
                return None;
            }
            if entry.hash == hash && entry.is_live() {
                // SAFETY: entries are taken out before their string is destroyed.
                let string = unsafe { &*entry.string };
                if same(string) {
                    return Some(Ref::new_ref(string));
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&self, hash: isize, string: *const Str) {
        let mut entries = self.entries.borrow_mut();
        if (entries.fill + 1) * 3 > entries.slots.len() * 2 {
            entries.rebuild();
        }
        entries.place(hash, string);
    }

    fn remove(&self, hash: isize, string: *const Str) {
        let mut entries = self.entries.borrow_mut();
        let Some(mask) = entries.slots.len().checked_sub(1) else { return };
        let mut at = hash as usize & mask;
        loop {
            let found = entries.slots[at].string;
            if found.is_null() {
                return;
            }
            if std::ptr::eq(found, string) {
                entries.slots[at] = Entry::DELETED;
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
        let old = std::mem::replace(&mut self.slots, vec![Entry::FREE; size]);
        self.fill = 0;
        self.used = 0;
        for entry in old.into_iter().filter(|entry| entry.is_live()) {
            self.place(entry.hash, entry.string);
        }
    }

    fn place(&mut self, hash: isize, string: *const Str) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].is_live() {
            at = (at + 1) & mask;
        }
        self.fill += usize::from(self.slots[at].string.is_null());
        self.slots[at] = Entry { hash, string };
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
        table.insert(hash, &raw const *string);
        string.set_interned(Interned::Mortal);
        string
    }

    /// `intern` for strings that live as long as the process.
    pub fn intern_immortal(string: Ref<Str>, vm: &Vm) -> Ref<Str> {
        let string = Str::intern(string, vm);
        if string.interned() == Interned::Mortal {
            string.set_interned(Interned::Immortal);
            string.ob.make_immortal();
        }
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
        table.insert(hash, &raw const *string);
        string.set_interned(Interned::Mortal);
        string
    }
}

/// Takes a dying mortal string out of its table.
pub(super) fn forget(string: &Str) {
    if let Some(vm) = Vm::try_current() {
        vm.interp().interned.remove(string.cached_hash(), string);
    }
}
