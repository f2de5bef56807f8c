//! Key tables: the hash index and the entries of a dict.
//!
//! One block of memory holds the header, the index (one signed number a slot, as wide as the table's size needs) and the
//! entries in insertion order. Sizes and growth are CPython's, since `sys.getsizeof` shows them.
//!
//! Three kinds: `General` entries carry hash, key and value; `Unicode` entries carry key and value only, all keys being
//! exact `str`, which know their hash; `Split` tables are `Unicode` tables shared by the instances of a class: they own
//! the keys, and each instance has its values elsewhere.
//!
//! A table is counted. Its dict owns one count; a lookup that calls Python holds another, so that the table can be
//! replaced meanwhile without its memory going away.

use std::cell::Cell;
use std::mem::size_of;

use taipan_object::object::{decref, xdecref};
use taipan_object::{Object, alloc};

use crate::prelude::{PyLayout, Str};

/// What `Table::index` gives for a slot that was never used.
pub const EMPTY: isize = -1;
/// What `Table::index` gives for a slot whose entry was deleted.
pub const DUMMY: isize = -2;
/// log2 of the size of the smallest table.
pub const MIN_LOG2: u8 = 3;
/// Most keys that instances of a class share.
pub const SHARED_MAX: isize = 30;

const PERTURB_SHIFT: u32 = 5;

/// What a table's entries are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Keys of any type, hash stored.
    General,
    /// Keys are exact strings.
    Unicode,
    /// Keys are exact strings; the values are elsewhere.
    Split,
}

/// The header of a table.
#[repr(C)]
pub struct Keys {
    refcnt: Cell<usize>,
    log2_size: u8,
    log2_index_bytes: u8,
    kind: Kind,
    version: Cell<u32>,
    usable: Cell<isize>,
    nentries: Cell<isize>,
}

const _: () = assert!(size_of::<Keys>() == 32);

/// An entry of a `General` table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GeneralEntry {
    hash: isize,
    key: *mut Object,
    value: *mut Object,
}

/// An entry of a `Unicode` or `Split` table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UnicodeEntry {
    key: *mut Object,
    value: *mut Object,
}

#[repr(C)]
struct EmptyKeys {
    keys: Keys,
    index: [i8; 8],
}

// SAFETY: the empty table is never written to: `retain` and `release` skip it, and inserting replaces it.
unsafe impl Sync for EmptyKeys {}

static EMPTY_KEYS: EmptyKeys = EmptyKeys {
    keys: Keys {
        refcnt: Cell::new(2),
        log2_size: 0,
        log2_index_bytes: 3,
        kind: Kind::Unicode,
        version: Cell::new(1),
        usable: Cell::new(0),
        nentries: Cell::new(0),
    },
    index: [-1; 8],
};

/// A pointer to a live table.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Table(*mut Keys);

/// Room for entries in a table of `size` slots.
#[inline(always)]
pub fn usable_fraction(size: usize) -> usize {
    (size << 1) / 3
}

/// log2 of the smallest table with at least `min` slots.
pub fn log2_for_slots(min: usize) -> u8 {
    let min = min.max(1 << MIN_LOG2);
    (usize::BITS - (min - 1).leading_zeros()) as u8
}

/// log2 of the table in which `n` entries fit without growing.
pub fn log2_for_entries(n: usize) -> u8 {
    log2_for_slots(n.saturating_mul(3).saturating_add(1) / 2)
}

fn log2_index_bytes(log2_size: u8) -> u8 {
    match log2_size {
        0..=7 => log2_size,
        8..=15 => log2_size + 1,
        16..=31 => log2_size + 2,
        _ => log2_size + 3,
    }
}

// All methods rely on one invariant: a `Table` in a dict (or held by a count) points to a live block of the shape that
// its header tells, and slot numbers are below `size`, entry numbers below the room for entries.
impl Table {
    /// The table of an empty dict, shared by all and never written.
    #[inline(always)]
    pub fn empty() -> Table {
        Table((&raw const EMPTY_KEYS.keys).cast_mut())
    }

    /// Whether this is the shared empty table.
    #[inline(always)]
    pub fn is_shared_empty(self) -> bool {
        self == Table::empty()
    }

    /// A new table with no entries, counted once. None when there is no memory.
    pub fn new(log2_size: u8, kind: Kind) -> Option<Table> {
        let usable = usable_fraction(1 << log2_size);
        Self::with_room(log2_size, kind, usable)
    }

    /// A new table for keys shared by instances.
    pub fn new_shared() -> Option<Table> {
        // 64 slots: room for 42 entries, of which 30 are used, so that unsuccessful lookups stay short.
        let table = Self::with_room(6, Kind::Split, usable_fraction(64))?;
        table.set_usable(SHARED_MAX);
        Some(table)
    }

    fn with_room(log2_size: u8, kind: Kind, usable: usize) -> Option<Table> {
        if log2_size >= 58 {
            return None;
        }
        let log2_index_bytes = log2_index_bytes(log2_size);
        let size = Self::bytes_for(log2_size, log2_index_bytes, kind);
        let block = alloc::allocate(size).cast::<Keys>();
        if block.is_null() {
            return None;
        }
        // SAFETY: the block is `size` bytes long; the index lies behind the header.
        unsafe {
            block.write(Keys {
                refcnt: Cell::new(1),
                log2_size,
                log2_index_bytes,
                kind,
                version: Cell::new(0),
                usable: Cell::new(usable as isize),
                nentries: Cell::new(0),
            });
            block.add(1).cast::<u8>().write_bytes(0xff, 1 << log2_index_bytes);
        }
        Some(Table(block))
    }

    /// A copy of a combined table; every key and value gets one more reference.
    pub fn duplicate(self) -> Option<Table> {
        if self.is_shared_empty() {
            return Some(self);
        }
        let bytes = self.bytes();
        let block = alloc::allocate(bytes);
        if block.is_null() {
            return None;
        }
        // SAFETY: both blocks are `bytes` long; entries are pointers that get a reference each.
        unsafe {
            let used = self.entries().cast::<u8>().offset_from(self.0.cast::<u8>()) as usize
                + self.len() * self.entry_size();
            std::ptr::copy_nonoverlapping(self.0.cast::<u8>(), block, used);
            let copy = Table(block.cast());
            (*copy.0).refcnt.set(1);
            (*copy.0).version.set(0);
            for i in 0..copy.len() {
                if let Some(key) = copy.key(i).as_ref() {
                    key.incref();
                    if let Some(value) = (*copy.value_slot(i)).as_ref() {
                        value.incref();
                    }
                }
            }
            Some(copy)
        }
    }

    #[inline(always)]
    fn header(&self) -> &Keys {
        // SAFETY: a table is alive (see above).
        unsafe { &*self.0 }
    }

    /// The address, which tells tables apart.
    #[inline(always)]
    pub fn as_ptr(self) -> *mut Keys {
        self.0
    }

    /// The table behind a pointer got from `as_ptr`.
    ///
    /// # Safety
    /// The table is alive.
    #[inline(always)]
    pub unsafe fn from_ptr(ptr: *mut Keys) -> Table {
        Table(ptr)
    }

    /// Takes one more count.
    #[inline(always)]
    pub fn retain(self) {
        if !self.is_shared_empty() {
            let count = &self.header().refcnt;
            count.set(count.get() + 1);
        }
    }

    /// Gives up one count; the last one releases the entries and the memory.
    ///
    /// # Safety
    /// The caller owns a count. Releasing entries may run Python code.
    #[inline]
    pub unsafe fn release(self) {
        if self.is_shared_empty() {
            return;
        }
        let count = &self.header().refcnt;
        count.set(count.get() - 1);
        if count.get() == 0 {
            // SAFETY: nobody else holds the table any more.
            unsafe { self.destroy() }
        }
    }

    unsafe fn destroy(self) {
        // SAFETY: entries below `len` are null or own their references; the memory is given back once.
        unsafe {
            for i in 0..self.len() {
                let key = self.key(i);
                if !key.is_null() {
                    let value = *self.value_slot(i);
                    decref(key);
                    xdecref(value);
                }
            }
            alloc::release(self.0.cast(), self.bytes());
        }
    }

    /// Whether somebody else than its one owner holds the table.
    #[inline(always)]
    pub fn is_shared(self) -> bool {
        self.header().refcnt.get() != 1
    }

    /// Bytes of memory, as `__sizeof__` counts them.
    pub fn bytes(self) -> usize {
        let header = self.header();
        Self::bytes_for(header.log2_size, header.log2_index_bytes, header.kind)
    }

    fn bytes_for(log2_size: u8, log2_index_bytes: u8, kind: Kind) -> usize {
        let entry = if kind == Kind::General { size_of::<GeneralEntry>() } else { size_of::<UnicodeEntry>() };
        size_of::<Keys>() + (1usize << log2_index_bytes) + usable_fraction(1 << log2_size) * entry
    }

    /// What the entries are.
    #[inline(always)]
    pub fn kind(self) -> Kind {
        self.header().kind
    }

    /// Whether all keys are exact strings.
    #[inline(always)]
    pub fn is_unicode(self) -> bool {
        self.kind() != Kind::General
    }

    /// log2 of the number of slots.
    #[inline(always)]
    pub fn log2_size(self) -> u8 {
        self.header().log2_size
    }

    #[inline(always)]
    fn mask(self) -> usize {
        (1usize << self.header().log2_size) - 1
    }

    /// Entries in use, deleted ones included.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.header().nentries.get() as usize
    }

    /// Sets the number of entries in use.
    #[inline(always)]
    pub fn set_len(self, n: usize) {
        self.header().nentries.set(n as isize);
    }

    /// Entries that can still be added.
    #[inline(always)]
    pub fn usable(self) -> isize {
        self.header().usable.get()
    }

    /// Sets how many entries can still be added.
    #[inline(always)]
    pub fn set_usable(self, usable: isize) {
        self.header().usable.set(usable);
    }

    /// The version by which specialised code recognises this set of keys; 0 when none was given.
    #[inline(always)]
    pub fn version(self) -> u32 {
        self.header().version.get()
    }

    /// Gives the table a version. Any change of the keys takes it away again.
    #[inline(always)]
    pub fn set_version(self, version: u32) {
        if !self.is_shared_empty() {
            self.header().version.set(version);
        }
    }

    #[inline(always)]
    fn index_ptr(self) -> *mut u8 {
        // SAFETY: the index lies behind the header in the same block.
        unsafe { self.0.add(1).cast() }
    }

    /// The entry number in slot `slot`, `EMPTY` or `DUMMY`.
    #[inline(always)]
    pub fn index(self, slot: usize) -> isize {
        let base = self.index_ptr();
        // SAFETY: `slot` is below the table's size, and the width of an index follows from the size.
        unsafe {
            match self.header().log2_size {
                0..=7 => isize::from(*base.cast::<i8>().add(slot)),
                8..=15 => isize::from(*base.cast::<i16>().add(slot)),
                16..=31 => *base.cast::<i32>().add(slot) as isize,
                _ => *base.cast::<i64>().add(slot) as isize,
            }
        }
    }

    /// Stores an entry number, or `DUMMY`, in slot `slot`.
    #[inline(always)]
    pub fn set_index(self, slot: usize, entry: isize) {
        let base = self.index_ptr();
        // SAFETY: as in `index`.
        unsafe {
            match self.header().log2_size {
                0..=7 => *base.cast::<i8>().add(slot) = entry as i8,
                8..=15 => *base.cast::<i16>().add(slot) = entry as i16,
                16..=31 => *base.cast::<i32>().add(slot) = entry as i32,
                _ => *base.cast::<i64>().add(slot) = entry as i64,
            }
        }
    }

    #[inline(always)]
    fn entries(self) -> *mut u8 {
        // SAFETY: the entries lie behind the index in the same block.
        unsafe { self.index_ptr().add(1usize << self.header().log2_index_bytes) }
    }

    fn entry_size(self) -> usize {
        if self.is_unicode() { size_of::<UnicodeEntry>() } else { size_of::<GeneralEntry>() }
    }

    #[inline(always)]
    fn general(self, i: usize) -> *mut GeneralEntry {
        // SAFETY: entry numbers are below the room for entries.
        unsafe { self.entries().cast::<GeneralEntry>().add(i) }
    }

    #[inline(always)]
    fn unicode(self, i: usize) -> *mut UnicodeEntry {
        // SAFETY: as above.
        unsafe { self.entries().cast::<UnicodeEntry>().add(i) }
    }

    /// The key of entry `i`; null when deleted.
    #[inline(always)]
    pub fn key(self, i: usize) -> *mut Object {
        // SAFETY: entries below `len` are initialised.
        unsafe { if self.is_unicode() { (*self.unicode(i)).key } else { (*self.general(i)).key } }
    }

    /// Where the value of entry `i` is in a combined table.
    #[inline(always)]
    pub fn value_slot(self, i: usize) -> *mut *mut Object {
        // SAFETY: as above.
        unsafe {
            if self.is_unicode() {
                &raw mut (*self.unicode(i)).value
            } else {
                &raw mut (*self.general(i)).value
            }
        }
    }

    /// The hash of entry `i`, which is in use.
    #[inline(always)]
    pub fn hash(self, i: usize) -> isize {
        // SAFETY: as above; keys of string tables are exact strings that have been hashed.
        unsafe {
            if self.is_unicode() { stored_hash((*self.unicode(i)).key) } else { (*self.general(i)).hash }
        }
    }

    /// Writes entry `i`, which isn't in use. The references become the table's.
    #[inline(always)]
    pub fn write_entry(self, i: usize, hash: isize, key: *mut Object, value: *mut Object) {
        // SAFETY: as above.
        unsafe {
            if self.is_unicode() {
                self.unicode(i).write(UnicodeEntry { key, value });
            } else {
                self.general(i).write(GeneralEntry { hash, key, value });
            }
        }
    }

    /// Takes key and value out of entry `i`, which becomes a deleted one; the index is the caller's business.
    #[inline(always)]
    pub fn take_entry(self, i: usize) -> (*mut Object, *mut Object) {
        // SAFETY: as above.
        unsafe {
            let null = std::ptr::null_mut();
            if self.is_unicode() {
                let entry = self.unicode(i).replace(UnicodeEntry { key: null, value: null });
                (entry.key, entry.value)
            } else {
                let entry = self.general(i).replace(GeneralEntry { hash: 0, key: null, value: null });
                (entry.key, entry.value)
            }
        }
    }

    /// The slots in the order in which a key with this hash is looked for.
    #[inline(always)]
    pub fn probe(self, hash: isize) -> Probe {
        let mask = self.mask();
        Probe { slot: hash as usize & mask, perturb: hash as usize, mask }
    }

    /// The first slot on the key's way that has no entry.
    #[inline]
    pub fn free_slot(self, hash: isize) -> usize {
        let mut probe = self.probe(hash);
        while self.index(probe.slot) >= 0 {
            probe.advance();
        }
        probe.slot
    }

    /// The slot that refers to entry `i`. None when none does, which would be a broken table.
    pub fn slot_of(self, hash: isize, i: usize) -> Option<usize> {
        let mut probe = self.probe(hash);
        loop {
            match self.index(probe.slot) {
                EMPTY => return None,
                ix if ix == i as isize => return Some(probe.slot),
                _ => probe.advance(),
            }
        }
    }

    /// Adds an entry whose key is not in the table, which has room.
    #[inline]
    pub fn push(self, hash: isize, key: *mut Object, value: *mut Object) {
        let slot = self.free_slot(hash);
        let i = self.len();
        self.set_index(slot, i as isize);
        self.write_entry(i, hash, key, value);
        self.set_len(i + 1);
        self.set_usable(self.usable() - 1);
        self.set_version(0);
    }

    /// The entry of a string in a table of strings, or `EMPTY`. Runs no Python code.
    #[inline(always)]
    pub fn find_str(self, key: &Str, hash: isize) -> isize {
        let key_ptr = std::ptr::from_ref(key).cast::<Object>().cast_mut();
        let mut probe = self.probe(hash);
        loop {
            let ix = self.index(probe.slot);
            if ix >= 0 {
                // SAFETY: the table is one of strings, and the index refers to entries in use.
                unsafe {
                    let found = (*self.unicode(ix as usize)).key;
                    if found == key_ptr || (stored_hash(found) == hash && same_text(found, key)) {
                        return ix;
                    }
                }
            } else if ix == EMPTY {
                return EMPTY;
            }
            probe.advance();
        }
    }

    /// As `find_str` in a table of keys of any type, of which only exact strings are considered.
    pub fn find_str_in_general(self, key: &Str, hash: isize) -> isize {
        let key_ptr = std::ptr::from_ref(key).cast::<Object>().cast_mut();
        let mut probe = self.probe(hash);
        loop {
            let ix = self.index(probe.slot);
            if ix >= 0 && self.hash(ix as usize) == hash {
                let found = self.key(ix as usize);
                // SAFETY: the index refers to entries in use; the type is checked.
                unsafe {
                    let is_str = (*found).type_ptr() == Str::static_type();
                    if found == key_ptr || (is_str && same_text(found, key)) {
                        return ix;
                    }
                }
            } else if ix == EMPTY {
                return EMPTY;
            }
            probe.advance();
        }
    }
}

/// A walk over slots.
#[derive(Clone, Copy)]
pub struct Probe {
    /// The current slot.
    pub slot: usize,
    perturb: usize,
    mask: usize,
}

impl Probe {
    /// Goes to the next slot.
    #[inline(always)]
    pub fn advance(&mut self) {
        self.perturb >>= PERTURB_SHIFT;
        self.slot = self.slot.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1) & self.mask;
    }
}

/// The hash that an exact string carries; -1 when it was never asked for.
///
/// # Safety
/// `key` is a live `str`.
#[inline(always)]
pub unsafe fn stored_hash(key: *const Object) -> isize {
    // SAFETY: the hash is at byte 24 of every `str` (PEP 393 layout).
    unsafe { *key.cast::<u8>().add(24).cast::<isize>() }
}

#[inline]
unsafe fn same_text(a: *const Object, b: &Str) -> bool {
    // SAFETY: the caller passes an exact string.
    unsafe { Str::equal(&*a.cast::<Str>(), b) }
}

/// The values of a split table: one slot for each shared key, and the order in which they were set.
///
/// Behind the header follow `capacity` pointers and `capacity` bytes of order. Inline values lie behind their object; a
/// dict that has outlived its object has them in a block of its own.
#[repr(C)]
pub struct Values {
    /// How many slots there are.
    pub capacity: u8,
    /// How many entries of the order are in use.
    pub size: Cell<u8>,
    /// The values are part of an object.
    pub embedded: Cell<bool>,
    /// The values hold the object's attributes; false once a dict of its own does.
    pub valid: Cell<bool>,
    pad: u32,
}

const _: () = assert!(size_of::<Values>() == 8);

impl Values {
    /// Bytes that `capacity` values take.
    pub fn bytes_for(capacity: usize) -> usize {
        size_of::<Values>() + capacity * size_of::<*mut Object>() + capacity.next_multiple_of(8)
    }

    /// Initialises values in place, all missing.
    ///
    /// # Safety
    /// `at` has room for `bytes_for(capacity)` bytes, 8-byte aligned.
    #[inline]
    pub unsafe fn init(at: *mut Values, capacity: usize, embedded: bool) {
        // SAFETY: the caller gives the room.
        unsafe {
            at.write(Values {
                capacity: capacity as u8,
                size: Cell::new(0),
                embedded: Cell::new(embedded),
                valid: Cell::new(true),
                pad: 0,
            });
            at.add(1).cast::<*mut Object>().write_bytes(0, capacity);
        }
    }

    /// New values in a block of their own.
    pub fn allocate(capacity: usize) -> *mut Values {
        let block = alloc::allocate(Self::bytes_for(capacity)).cast::<Values>();
        if !block.is_null() {
            // SAFETY: the block is long enough.
            unsafe { Self::init(block, capacity, false) }
        }
        block
    }

    /// Gives back a block of its own. The slots are empty.
    ///
    /// # Safety
    /// `at` came from `allocate` and is not used any more.
    pub unsafe fn free(at: *mut Values) {
        // SAFETY: passed on to the caller.
        unsafe { alloc::release(at.cast(), Self::bytes_for(usize::from((*at).capacity))) }
    }

    /// The slot of shared key `i`, which is below the capacity.
    #[inline(always)]
    pub fn slot(&self, i: usize) -> *mut *mut Object {
        // SAFETY: the slots lie behind the header.
        unsafe { std::ptr::from_ref(self).add(1).cast::<*mut Object>().cast_mut().add(i) }
    }

    #[inline(always)]
    fn order_ptr(&self) -> *mut u8 {
        // SAFETY: the order lies behind the slots.
        unsafe { self.slot(0).add(usize::from(self.capacity)).cast() }
    }

    /// The key number of the `n`th attribute set; `n` is below `size`.
    #[inline(always)]
    pub fn order(&self, n: usize) -> usize {
        // SAFETY: the order has room for `capacity` numbers.
        unsafe { usize::from(*self.order_ptr().add(n)) }
    }

    /// Notes that the value of key `i` has been set, which was missing.
    #[inline(always)]
    pub fn push_order(&self, i: usize) {
        let n = self.size.get();
        if n < self.capacity {
            // SAFETY: just checked.
            unsafe { *self.order_ptr().add(usize::from(n)) = i as u8 };
            self.size.set(n + 1);
        }
    }

    /// Notes that the value of key `i` has been deleted.
    pub fn remove_order(&self, i: usize) {
        let size = usize::from(self.size.get());
        if let Some(at) = (0..size).find(|n| self.order(*n) == i) {
            // SAFETY: the numbers moved are below `size`.
            unsafe {
                let order = self.order_ptr();
                std::ptr::copy(order.add(at + 1), order.add(at), size - at - 1);
            }
            self.size.set((size - 1) as u8);
        }
    }

    /// Moves the order from other values of at least as many slots in use.
    pub fn copy_order(&self, from: &Values) {
        let n = usize::from(from.size.get()).min(usize::from(self.capacity));
        // SAFETY: both have room for `n` numbers.
        unsafe { std::ptr::copy_nonoverlapping(from.order_ptr(), self.order_ptr(), n) };
        self.size.set(n as u8);
    }
}
