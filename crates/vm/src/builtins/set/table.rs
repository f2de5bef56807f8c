//! The hash table of sets.
//!
//! Open addressing with CPython's order of probes: ten neighbours, then a jump that mixes in higher bits of the hash. The order of
//! iteration is the order of the table, so probing, growth and the copying of tables are what a program can observe, and
//! are the same as CPython's.
//!
//! As in dicts, a comparison may change the table: a lookup starts again unless table and key are still in place.

use std::cell::{Cell, UnsafeCell};
use std::mem::size_of;

use taipan_object::alloc;
use taipan_object::object::decref;

use crate::builtins::dict::table::{plain_equal, str_hash, unhashable};
use crate::prelude::*;

/// Entries in the table that is part of the object.
pub const SMALL: usize = 8;
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// The hash of a deleted entry.
const DUMMY_HASH: isize = -1;

/// One entry: unused (null), deleted (a marker) or a key with its hash.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entry {
    key: *mut Object,
    hash: isize,
}

const UNUSED: Entry = Entry { key: std::ptr::null_mut(), hash: 0 };
const DUMMY: Entry = Entry { key: std::ptr::without_provenance_mut(8), hash: DUMMY_HASH };

impl Entry {
    #[inline(always)]
    fn is_live(&self) -> bool {
        !self.key.is_null() && self.hash != DUMMY_HASH
    }
}

/// The part of a set's layout that holds the items. `set` and `frozenset` share it.
#[repr(C)]
pub struct SetTable {
    /// Entries used or deleted.
    fill: Cell<isize>,
    /// Entries used.
    used: Cell<isize>,
    mask: Cell<isize>,
    /// The table; null while the small one serves.
    table: Cell<*mut Entry>,
    /// A frozenset's hash, -1 until it is asked for.
    pub(super) hash: Cell<isize>,
    /// Where `pop` searches.
    finger: Cell<isize>,
    small: UnsafeCell<[Entry; SMALL]>,
}

const _: () = assert!(size_of::<SetTable>() == 176);

/// Where things lie in a table, for readers of another process's memory.
#[allow(missing_docs)]
pub mod places {
    use std::mem::{offset_of, size_of};

    use super::{DUMMY_HASH, Entry, SetTable};
    use crate::runtime::remote::memory::word;

    pub const MASK: usize = offset_of!(SetTable, mask);
    pub const TABLE: usize = offset_of!(SetTable, table);
    pub const SMALL: usize = offset_of!(SetTable, small);
    pub const ENTRY_SIZE: usize = size_of::<Entry>();

    /// The key in an entry's bytes, unless the entry is unused or deleted.
    pub fn live_key(entry: &[u8]) -> Option<usize> {
        let key = word(entry, offset_of!(Entry, key))?;
        let hash = word(entry, offset_of!(Entry, hash))?;
        (key != 0 && hash != DUMMY_HASH as usize).then_some(key)
    }
}

impl Traverse for SetTable {
    fn traverse(&self, visit: &mut Visit) {
        let mut at = 0;
        while let Some((key, _)) = self.next_borrowed(&mut at) {
            visit.object(key);
        }
    }

    fn clear(&self) {
        self.clear_items();
    }
}

impl Drop for SetTable {
    fn drop(&mut self) {
        self.clear_items();
    }
}

/// The hash of an element. A `TypeError` is told as "cannot use 'list' as a set element (…)".
#[inline(always)]
pub fn element_hash(key: &Object, vm: &Vm) -> PyResult<isize> {
    if let Some(text) = key.downcast_exact::<Str>() {
        return Ok(str_hash(text, vm));
    }
    match key.hash(vm) {
        Ok(hash) => Ok(hash),
        Err(_) => Err(unhashable(key, "a set element", vm)),
    }
}

/// The slots in the order in which a hash is looked for.
struct Probe {
    slot: usize,
    perturb: usize,
    mask: usize,
    left: usize,
    start: usize,
}

impl Probe {
    #[inline(always)]
    fn new(hash: isize, mask: usize) -> Probe {
        let start = hash as usize & mask;
        Probe { slot: start, perturb: hash as usize, mask, left: Self::neighbours(start, mask), start }
    }

    #[inline(always)]
    fn neighbours(start: usize, mask: usize) -> usize {
        if start + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 }
    }

    #[inline(always)]
    fn advance(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.slot += 1;
            return;
        }
        self.perturb >>= PERTURB_SHIFT;
        self.start = self.start.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb) & self.mask;
        self.slot = self.start;
        self.left = Self::neighbours(self.start, self.mask);
    }
}

// Slots are below `mask + 1`, which is the number of entries of the table.
impl SetTable {
    /// An empty table.
    pub const fn new() -> SetTable {
        SetTable {
            fill: Cell::new(0),
            used: Cell::new(0),
            mask: Cell::new(SMALL as isize - 1),
            table: Cell::new(std::ptr::null_mut()),
            hash: Cell::new(-1),
            finger: Cell::new(0),
            small: UnsafeCell::new([UNUSED; SMALL]),
        }
    }

    #[inline(always)]
    fn entries(&self) -> *mut Entry {
        let table = self.table.get();
        if table.is_null() { self.small.get().cast() } else { table }
    }

    #[inline(always)]
    fn entry(&self, slot: usize) -> Entry {
        // SAFETY: slots are in range (see above).
        unsafe { *self.entries().add(slot) }
    }

    #[inline(always)]
    fn put(&self, slot: usize, entry: Entry) {
        // SAFETY: slots are in range (see above).
        unsafe { *self.entries().add(slot) = entry }
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        self.mask.get() as usize
    }

    /// The number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.used.get() as usize
    }

    /// Bytes of memory outside of the object.
    pub fn extra_bytes(&self) -> usize {
        if self.table.get().is_null() { 0 } else { (self.mask() + 1) * size_of::<Entry>() }
    }

    /// The slot of `key`, or none.
    fn find(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<usize>> {
        Ok(self.search(key, hash, vm)?.ok())
    }

    /// The slot of `key`, or the one where it would go: the last deleted one on the way, else the unused one at its end.
    #[inline]
    fn search(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Result<usize, usize>> {
        'restart: loop {
            let (table, mask) = (self.entries(), self.mask());
            let mut probe = Probe::new(hash, mask);
            let mut deleted = None;
            loop {
                // SAFETY: slots are in range (see above).
                let entry = unsafe { *table.add(probe.slot) };
                if entry.key.is_null() {
                    return match deleted {
                        // A comparison may have filled it since.
                        Some(slot) if self.entry(slot).hash != DUMMY_HASH => continue 'restart,
                        Some(slot) => Ok(Err(slot)),
                        None => Ok(Err(probe.slot)),
                    };
                }
                if entry.hash == DUMMY_HASH {
                    deleted = Some(probe.slot);
                } else if entry.hash == hash {
                    if entry.key == key.as_ptr() {
                        return Ok(Ok(probe.slot));
                    }
                    // SAFETY: a used entry has a key; deleted ones have a hash that no key has.
                    let found = unsafe { &*entry.key };
                    match plain_equal(found, key) {
                        Some(true) => return Ok(Ok(probe.slot)),
                        Some(false) => {}
                        None => {
                            let found = found.to_ref();
                            let equal = found.rich_compare_bool(key, CompareOp::Eq, vm)?;
                            let in_place = self.entries() == table
                                && self.mask() == mask
                                && self.entry(probe.slot).key == found.as_raw();
                            if !in_place {
                                continue 'restart;
                            }
                            if equal {
                                return Ok(Ok(probe.slot));
                            }
                        }
                    }
                }
                probe.advance();
            }
        }
    }

    /// Whether `key` is an item.
    #[inline]
    pub fn contains_hash(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<bool> {
        Ok(self.find(key, hash, vm)?.is_some())
    }

    /// Adds `key`; false when it is there already.
    #[inline]
    pub fn add_hash(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<bool> {
        // Held, since the comparison may release the caller's.
        let key = key.to_ref();
        let Err(slot) = self.search(&key, hash, vm)? else { return Ok(false) };
        let reused = !self.entry(slot).key.is_null();
        self.put(slot, Entry { key: key.into_raw(), hash });
        self.used.set(self.used.get() + 1);
        if reused {
            return Ok(true);
        }
        self.fill.set(self.fill.get() + 1);
        if (self.fill.get() as usize) * 5 >= self.mask() * 3 {
            self.resize(self.growth(), vm)?;
        }
        Ok(true)
    }

    fn growth(&self) -> usize {
        let used = self.len();
        if used > 50_000 { used * 2 } else { used * 4 }
    }

    /// Moves the items to a table of more than `min` slots.
    fn resize(&self, min: usize, vm: &Vm) -> PyResult<()> {
        let mut size = SMALL;
        while size <= min {
            let Some(next) = size.checked_mul(2) else { return Err(vm.memory_error()) };
            size = next;
        }
        let old = self.table.get();
        // The small table may be source and target at once.
        // SAFETY: a plain copy of eight entries.
        let small = unsafe { *self.small.get() };
        let old_len = self.mask() + 1;
        let source: *const Entry = if old.is_null() { small.as_ptr() } else { old };
        if size == SMALL {
            if old.is_null() && self.fill.get() == self.used.get() {
                return Ok(());
            }
            // SAFETY: the entries have been copied, or are elsewhere.
            unsafe { *self.small.get() = [UNUSED; SMALL] };
            self.table.set(std::ptr::null_mut());
        } else {
            // Unused entries are all zeros.
            let table = alloc::raw_calloc(size, size_of::<Entry>()).cast::<Entry>();
            if table.is_null() {
                return Err(vm.memory_error());
            }
            self.table.set(table);
        }
        self.mask.set(size as isize - 1);
        for i in 0..old_len {
            // SAFETY: `source` has `old_len` entries.
            let entry = unsafe { *source.add(i) };
            if entry.is_live() {
                self.insert_clean(entry);
            }
        }
        self.fill.set(self.used.get());
        // SAFETY: the old table is null or ours.
        unsafe { alloc::raw_free(old.cast()) };
        Ok(())
    }

    /// Stores an item that is known to be missing, in a table without deleted entries. Counts are the caller's business.
    #[inline]
    fn insert_clean(&self, entry: Entry) {
        let mut probe = Probe::new(entry.hash, self.mask());
        while !self.entry(probe.slot).key.is_null() {
            probe.advance();
        }
        self.put(probe.slot, entry);
    }

    /// Removes `key`; false when it isn't there.
    pub fn discard_hash(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<bool> {
        let Some(slot) = self.find(key, hash, vm)? else { return Ok(false) };
        drop(self.take(slot));
        Ok(true)
    }

    fn take(&self, slot: usize) -> Option<ObjRef> {
        let key = self.entry(slot).key;
        self.put(slot, DUMMY);
        self.used.set(self.used.get() - 1);
        // SAFETY: the entry's reference moves out.
        unsafe { Ref::from_raw_opt(key) }
    }

    /// Takes some item out: the next one from where the last `pop` ended.
    pub fn pop_any(&self) -> Option<ObjRef> {
        if self.len() == 0 {
            return None;
        }
        let mut slot = self.finger.get() as usize & self.mask();
        while !self.entry(slot).is_live() {
            slot = if slot == self.mask() { 0 } else { slot + 1 };
        }
        self.finger.set(slot as isize + 1);
        self.take(slot)
    }

    /// Removes all items.
    pub fn clear_items(&self) {
        let table = self.table.replace(std::ptr::null_mut());
        let len = self.mask() + 1;
        // SAFETY: the entries are copied or taken away before any is released.
        unsafe {
            let small = std::mem::replace(&mut *self.small.get(), [UNUSED; SMALL]);
            let (fill, source) =
                (self.fill.get(), if table.is_null() { small.as_ptr() } else { table.cast_const() });
            self.fill.set(0);
            self.used.set(0);
            self.mask.set(SMALL as isize - 1);
            self.hash.set(-1);
            if fill > 0 {
                for i in 0..len {
                    let entry = *source.add(i);
                    if entry.is_live() {
                        decref(entry.key);
                    }
                }
            }
            alloc::raw_free(table.cast());
        }
    }

    /// The next item in table order, borrowed, with its hash; `slot` starts at 0.
    #[inline]
    pub fn next_borrowed(&self, slot: &mut usize) -> Option<(&Object, isize)> {
        while *slot <= self.mask() {
            let entry = self.entry(*slot);
            *slot += 1;
            if entry.is_live() {
                // SAFETY: a live entry has a key.
                return Some((unsafe { &*entry.key }, entry.hash));
            }
        }
        None
    }

    /// The next item in table order. Safe when the set changes in between.
    #[inline]
    pub fn next_item(&self, slot: &mut usize) -> Option<(ObjRef, isize)> {
        self.next_borrowed(slot).map(|(key, hash)| (key.to_ref(), hash))
    }

    /// All items in order.
    pub fn items_vec(&self) -> Vec<ObjRef> {
        let mut items = Vec::with_capacity(self.len());
        let mut at = 0;
        while let Some((key, _)) = self.next_borrowed(&mut at) {
            items.push(key.to_ref());
        }
        items
    }

    /// Makes room before `n` more items are added.
    pub fn reserve(&self, n: usize, vm: &Vm) -> PyResult<()> {
        if (self.fill.get() as usize).saturating_add(n).saturating_mul(5) >= self.mask() * 3 {
            self.resize(self.len().saturating_add(n).saturating_mul(2), vm)?;
        }
        Ok(())
    }

    /// Adds the items of another table.
    pub fn merge(&self, other: &SetTable, vm: &Vm) -> PyResult<()> {
        if std::ptr::eq(self, other) || other.len() == 0 {
            return Ok(());
        }
        self.reserve(other.len(), vm)?;
        if self.fill.get() == 0 {
            let same = self.mask() == other.mask() && other.fill.get() == other.used.get();
            self.fill.set(other.used.get());
            self.used.set(other.used.get());
            for slot in 0..=other.mask() {
                let entry = other.entry(slot);
                if !entry.is_live() {
                    continue;
                }
                // SAFETY: a live entry has a key.
                unsafe { (*entry.key).incref() };
                if same {
                    self.put(slot, entry);
                } else {
                    self.insert_clean(entry);
                }
            }
            return Ok(());
        }
        let mut at = 0;
        while let Some((key, hash)) = other.next_item(&mut at) {
            self.add_hash(&key, hash, vm)?;
        }
        Ok(())
    }

    /// Rebuilds the table when more than a quarter of it are deleted entries.
    pub fn drop_dummies(&self, vm: &Vm) -> PyResult<()> {
        if (self.fill.get() - self.used.get()) as usize <= self.mask() / 4 {
            return Ok(());
        }
        self.resize(self.growth(), vm)
    }

    /// Exchanges the contents of two tables.
    pub fn swap(&self, other: &SetTable) {
        self.fill.swap(&other.fill);
        self.used.swap(&other.used);
        self.mask.swap(&other.mask);
        self.table.swap(&other.table);
        self.hash.set(-1);
        other.hash.set(-1);
        if !std::ptr::eq(self, other) {
            // SAFETY: two different small tables.
            unsafe { std::ptr::swap(self.small.get(), other.small.get()) };
        }
    }

    /// The hash of a frozenset with these items; the same for every order.
    pub fn content_hash(&self) -> isize {
        let mut hash = 0u64;
        let mut at = 0;
        while let Some((_, item)) = self.next_borrowed(&mut at) {
            let item = item as u64;
            hash ^= (item ^ 89_869_747 ^ (item << 16)).wrapping_mul(3_644_798_167);
        }
        hash ^= (self.len() as u64).wrapping_add(1).wrapping_mul(1_927_868_237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        if hash == u64::MAX { 590_923_713 } else { hash as isize }
    }
}
