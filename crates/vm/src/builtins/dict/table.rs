//! What a dict does with its key table: look up, insert, delete, grow, iterate.
//!
//! A lookup may run a key's `__eq__`, which may do anything to the dict. So the comparison holds a count of the table, and
//! afterwards the lookup starts again unless table and key are still in place. What a lookup returns is therefore true
//! at the moment of return, and stays true until Python code runs again.

use super::keys::{
    DUMMY, EMPTY, Kind, MIN_LOG2, Table, Values, log2_for_entries, log2_for_slots, stored_hash,
    usable_fraction,
};
use super::watch::DictEvent;
use crate::prelude::*;

/// The hash of a string, computed at most once.
#[inline(always)]
pub fn str_hash(key: &Str, vm: &Vm) -> isize {
    // SAFETY: a live string.
    let hash = unsafe { stored_hash(key.as_object()) };
    if hash != -1 { hash } else { key.hash_value(vm) }
}

/// The hash of a key. A `TypeError` is told as "cannot use 'list' as a dict key (…)".
#[inline(always)]
pub fn key_hash(key: &Object, vm: &Vm) -> PyResult<isize> {
    if let Some(text) = key.downcast_exact::<Str>() {
        return Ok(str_hash(text, vm));
    }
    match key.hash(vm) {
        Ok(hash) => Ok(hash),
        Err(_) => Err(unhashable(key, "a dict key", vm)),
    }
}

/// Rewords the waiting `TypeError` of a failed `hash(key)`; leaves other exceptions alone.
#[cold]
pub fn unhashable(key: &Object, what: &str, vm: &Vm) -> Raised {
    let Some(exception) = vm.take_exception() else { return vm.check_raised() };
    if !std::ptr::eq(exception.as_object().type_ptr(), types::type_error()) {
        return vm.reraise(exception);
    }
    let reason = match exception.as_object().str(vm) {
        Ok(reason) => reason,
        Err(raised) => return raised,
    };
    let name = qualified_type_name(key.ob_type(), vm);
    vm.type_error(format!("cannot use '{name}' as {what} ({})", reason.to_string_lossy()))
}

/// A type's name with its module, which is left out for builtins and `__main__`.
fn qualified_type_name(tp: &Type, vm: &Vm) -> String {
    let Some(heap) = tp.as_heap_type() else { return tp.tp_name_str().to_owned() };
    // SAFETY: a heap type's qualified name is null or a string that it owns.
    let qualname = unsafe { heap.ht_qualname.get().as_ref() }.and_then(|q| q.downcast_ref::<Str>());
    let name = qualname.map_or_else(|| tp.name().to_owned(), |q| q.to_string_lossy().into_owned());
    match tp.as_object().lookup_attr(vm.ids().__module__, vm) {
        Ok(Some(module)) => match module.downcast_ref::<Str>() {
            Some(module) if !module.eq_str("builtins") && !module.eq_str("__main__") => {
                format!("{}.{name}", module.to_string_lossy())
            }
            _ => name,
        },
        Ok(None) => name,
        Err(_) => {
            vm.clear_exception();
            name
        }
    }
}

/// Equality where it needs no Python: two exact strings or two one-digit ints.
#[inline(always)]
pub fn plain_equal(a: &Object, b: &Object) -> Option<bool> {
    let tp = a.type_ptr();
    if tp != b.type_ptr() {
        return None;
    }
    if tp == Str::static_type() {
        // SAFETY: both are exact strings.
        return Some(unsafe { Str::equal(a.cast::<Str>(), b.cast::<Str>()) });
    }
    if tp == Int::static_type() {
        // SAFETY: both are exact ints: the tag is at byte 16, the first digit at byte 24.
        unsafe {
            let (pa, pb) = (a.as_ptr().cast::<u8>(), b.as_ptr().cast::<u8>());
            let (ta, tb) = (*pa.add(16).cast::<usize>(), *pb.add(16).cast::<usize>());
            if ta < 16 && tb < 16 {
                return Some(ta & 3 == tb & 3 && *pa.add(24).cast::<u32>() == *pb.add(24).cast::<u32>());
            }
        }
    }
    None
}

impl Dict {
    /// The key table.
    #[inline(always)]
    pub(crate) fn table(&self) -> Table {
        self.keys.get()
    }

    /// The values of a split dict; None for a combined one.
    #[inline(always)]
    pub(crate) fn split_values(&self) -> Option<&Values> {
        // SAFETY: the values live as long as the dict refers to them. They are only replaced by operations of this
        // file, none of which keeps this borrow over a call that runs Python.
        unsafe { self.values.get().as_ref() }
    }

    /// Where the value of entry `ix` is.
    #[inline(always)]
    pub(crate) fn value_slot(&self, ix: usize) -> *mut *mut Object {
        match self.split_values() {
            None => self.table().value_slot(ix),
            Some(values) => values.slot(ix),
        }
    }

    /// The value of entry `ix`, or null. Entries beyond the values of an older instance are missing.
    #[inline(always)]
    pub(crate) fn value_ptr(&self, ix: usize) -> *mut Object {
        match self.split_values() {
            // SAFETY: `ix` is an entry of the table.
            None => unsafe { *self.table().value_slot(ix) },
            Some(values) if ix < usize::from(values.capacity) => {
                // SAFETY: just checked.
                unsafe { *values.slot(ix) }
            }
            Some(_) => std::ptr::null_mut(),
        }
    }

    /// The entry of `key`, or a negative number. In a split dict the entry's value may still be missing.
    #[inline]
    pub(crate) fn lookup(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<isize> {
        let table = self.table();
        if table.is_unicode() {
            if let Some(text) = key.downcast_exact::<Str>() {
                return Ok(table.find_str(text, hash));
            }
        }
        self.lookup_general(key, hash, vm)
    }

    fn lookup_general(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<isize> {
        'restart: loop {
            let table = self.table();
            let mut probe = table.probe(hash);
            loop {
                let ix = table.index(probe.slot);
                if ix >= 0 {
                    let found = table.key(ix as usize);
                    if found == key.as_ptr() {
                        return Ok(ix);
                    }
                    if table.hash(ix as usize) == hash {
                        // SAFETY: an entry that the index refers to has a key.
                        let found = unsafe { &*found };
                        match plain_equal(found, key) {
                            Some(true) => return Ok(ix),
                            Some(false) => {}
                            None => match self.compare_key(table, ix as usize, found, key, vm)? {
                                Some(true) => return Ok(ix),
                                Some(false) => {}
                                None => continue 'restart,
                            },
                        }
                    }
                } else if ix == EMPTY {
                    return Ok(EMPTY);
                }
                probe.advance();
            }
        }
    }

    /// Compares an entry's key with `key` by Python's `==`. None: the dict was changed meanwhile.
    #[cold]
    fn compare_key(
        &self,
        table: Table,
        ix: usize,
        found: &Object,
        key: &Object,
        vm: &Vm,
    ) -> PyResult<Option<bool>> {
        let found = found.to_ref();
        table.retain();
        let result = found.rich_compare_bool(key, CompareOp::Eq, vm);
        let in_place = self.table() == table && ix < table.len() && table.key(ix) == found.as_raw();
        // SAFETY: counted above.
        unsafe { table.release() }
        result.map(|equal| in_place.then_some(equal))
    }

    /// The entry of `key` with its value, both borrowed, or none.
    #[inline]
    pub(crate) fn find(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<(usize, *mut Object)>> {
        let ix = self.lookup(key, hash, vm)?;
        if ix < 0 {
            return Ok(None);
        }
        let value = self.value_ptr(ix as usize);
        Ok(if value.is_null() { None } else { Some((ix as usize, value)) })
    }

    /// Stores `value` under `key`, whose hash is known.
    pub fn set_item_hash(&self, key: &Object, hash: isize, value: ObjRef, vm: &Vm) -> PyResult<()> {
        let ix = self.lookup(key, hash, vm)?;
        self.insert_at(ix, key, hash, value, vm)
    }

    /// Stores `value` where `lookup` found `key`, or as a new entry.
    pub(crate) fn insert_at(
        &self,
        ix: isize,
        key: &Object,
        hash: isize,
        value: ObjRef,
        vm: &Vm,
    ) -> PyResult<()> {
        if ix >= 0 {
            if self.split_values().is_some()
                && key.downcast_exact::<Str>().is_none()
                && self.value_ptr(ix as usize).is_null()
            {
                // Equal to a shared key that this dict doesn't have: the dict gets the key as it is.
                self.make_combined(vm)?;
            } else if self.store_at(ix as usize, &value, vm) {
                return Ok(());
            }
        }
        self.insert_new(key, hash, value, vm)
    }

    /// Stores a value in an entry found by `lookup`. False when the entry is a shared key for which this dict has no room.
    #[inline]
    fn store_at(&self, ix: usize, value: &ObjRef, vm: &Vm) -> bool {
        if let Some(values) = self.split_values() {
            if ix >= usize::from(values.capacity) {
                return false;
            }
        }
        if self.is_watched() {
            let event = if self.value_ptr(ix).is_null() { DictEvent::Added } else { DictEvent::Modified };
            let key = self.table().key(ix);
            // SAFETY: the entry has a key.
            self.notify(event, unsafe { key.as_ref() }, Some(value), vm);
        }
        // SAFETY: `ix` is an entry of this dict; watchers must not change it.
        unsafe {
            let old = std::mem::replace(&mut *self.value_slot(ix), value.clone().into_raw());
            match Ref::from_raw_opt(old) {
                Some(old) => drop(old),
                None => {
                    if let Some(values) = self.split_values() {
                        values.push_order(ix);
                    }
                    self.ma_used.set(self.ma_used.get() + 1);
                }
            }
        }
        true
    }

    /// Adds a key that is not in the dict. Runs no Python code before the entry is in place.
    fn insert_new(&self, key: &Object, hash: isize, value: ObjRef, vm: &Vm) -> PyResult<()> {
        let is_str = key.downcast_exact::<Str>().is_some();
        if self.is_watched() {
            self.notify(DictEvent::Added, Some(key), Some(&value), vm);
        }
        if let Some(values) = self.split_values() {
            if let Some(text) = key.downcast_exact::<Str>() {
                let ix = add_shared_key(self.table(), text, hash);
                if ix >= 0 && (ix as usize) < usize::from(values.capacity) {
                    // SAFETY: below the capacity; the slot is empty since the key was missing.
                    unsafe { *values.slot(ix as usize) = value.into_raw() };
                    values.push_order(ix as usize);
                    self.ma_used.set(self.ma_used.get() + 1);
                    return Ok(());
                }
            }
            self.resize(log2_for_slots(self.len() * 3), is_str, vm)?;
        } else if self.table().is_unicode() && !is_str {
            self.resize(log2_for_slots(self.len() * 3), false, vm)?;
        }
        if self.table().usable() <= 0 {
            self.resize(log2_for_slots(self.len() * 3), true, vm)?;
        }
        self.table().push(hash, key.to_ref().into_raw(), value.into_raw());
        self.ma_used.set(self.ma_used.get() + 1);
        Ok(())
    }

    /// Moves the entries to a combined table of `1 << log2_size` slots at least. With `unicode` a table of strings stays one.
    pub(crate) fn resize(&self, log2_size: u8, unicode: bool, vm: &Vm) -> PyResult<()> {
        let old = self.table();
        let used = self.len();
        let mut log2_size = log2_size.max(MIN_LOG2);
        while usable_fraction(1 << log2_size) < used {
            log2_size += 1;
        }
        let kind = if unicode && old.is_unicode() { Kind::Unicode } else { Kind::General };
        let Some(new) = Table::new(log2_size, kind) else { return Err(vm.memory_error()) };
        if let Some(values) = self.split_values() {
            let n = usize::from(values.size.get());
            for ix in (0..n).map(|n| values.order(n)) {
                let key = old.key(ix);
                // SAFETY: keys of a shared table are alive; the value moves to the new table.
                unsafe {
                    (*key).incref();
                    let value = std::mem::replace(&mut *values.slot(ix), std::ptr::null_mut());
                    new.push(old.hash(ix), key, value);
                }
            }
            values.size.set(0);
            values.valid.set(false);
            let values = self.values.replace(std::ptr::null_mut());
            // SAFETY: values of an object stay in it, values in a block of their own end here.
            unsafe {
                if !(*values).embedded.get() {
                    Values::free(values);
                }
            }
        } else {
            for ix in 0..old.len() {
                if old.key(ix).is_null() {
                    continue;
                }
                let hash = old.hash(ix);
                let (key, value) = old.take_entry(ix);
                new.push(hash, key, value);
            }
            if !old.is_shared_empty() {
                old.set_len(0);
            }
        }
        self.keys.set(new);
        // SAFETY: the dict's count of the old table, whose entries have moved.
        unsafe { old.release() }
        Ok(())
    }

    /// Makes a split dict a combined one.
    pub(crate) fn make_combined(&self, vm: &Vm) -> PyResult<()> {
        if self.values.get().is_null() { Ok(()) } else { self.resize(self.table().log2_size(), true, vm) }
    }

    /// Makes room for `n` more entries before they are added.
    pub(crate) fn reserve(&self, n: usize, unicode: bool, vm: &Vm) -> PyResult<()> {
        if usable_fraction(1 << self.table().log2_size()) < n {
            self.resize(log2_for_entries(self.len().saturating_add(n)), unicode, vm)?;
        }
        Ok(())
    }

    /// Takes entry `ix` out. The caller releases key and value when the dict may be seen again.
    pub(crate) fn take_entry(&self, ix: usize) -> (Option<ObjRef>, Option<ObjRef>) {
        let table = self.table();
        self.ma_used.set(self.ma_used.get() - 1);
        if let Some(values) = self.split_values() {
            values.remove_order(ix);
            // SAFETY: the slot's reference moves out.
            let value =
                unsafe { Ref::from_raw_opt(std::mem::replace(&mut *values.slot(ix), std::ptr::null_mut())) };
            return (None, value);
        }
        if let Some(slot) = table.slot_of(table.hash(ix), ix) {
            table.set_index(slot, DUMMY);
        }
        table.set_version(0);
        let (key, value) = table.take_entry(ix);
        // SAFETY: the entry's references move out.
        unsafe { (Ref::from_raw_opt(key), Ref::from_raw_opt(value)) }
    }

    /// Removes `key` and returns its value.
    pub fn pop_hash(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some((ix, _)) = self.find(key, hash, vm)? else { return Ok(None) };
        if self.is_watched() {
            self.notify(DictEvent::Deleted, Some(key), None, vm);
        }
        let (key, value) = self.take_entry(ix);
        drop(key);
        Ok(value)
    }

    /// The number of positions that `entry` knows.
    #[inline(always)]
    pub(crate) fn positions(&self) -> usize {
        match self.split_values() {
            None => self.table().len(),
            Some(values) => usize::from(values.size.get()),
        }
    }

    /// Hash, key and value at a position of the insertion order, borrowed; none for a deleted entry.
    #[inline(always)]
    pub(crate) fn entry(&self, position: usize) -> Option<(isize, &Object, &Object)> {
        let table = self.table();
        let (ix, value) = match self.split_values() {
            None => {
                if table.key(position).is_null() {
                    return None;
                }
                // SAFETY: positions are below the table's length.
                (position, unsafe { *table.value_slot(position) })
            }
            Some(values) => {
                let ix = values.order(position);
                // SAFETY: the order names slots in use.
                (ix, unsafe { *values.slot(ix) })
            }
        };
        // SAFETY: an entry in use has a key and a value, both alive until the dict changes.
        unsafe { Some((table.hash(ix), &*table.key(ix), value.as_ref()?)) }
    }

    /// The next entry in insertion order from `position` on, borrowed; advances `position` behind it.
    #[inline(always)]
    pub(crate) fn next_borrowed(&self, position: &mut usize) -> Option<(isize, &Object, &Object)> {
        let end = self.positions();
        while *position < end {
            let at = *position;
            *position += 1;
            if let Some(entry) = self.entry(at) {
                return Some(entry);
            }
        }
        None
    }

    /// Empties the dict. Watchers are not told.
    pub(crate) fn clear_entries(&self) {
        let table = self.table();
        if let Some(values) = self.split_values() {
            if values.embedded.get() {
                self.ma_used.set(0);
                clear_values(values);
                return;
            }
            let values = self.values.replace(std::ptr::null_mut());
            self.keys.set(Table::empty());
            self.ma_used.set(0);
            // SAFETY: both were this dict's own and are out of reach now.
            unsafe {
                clear_values(&*values);
                Values::free(values);
                table.release();
            }
            return;
        }
        self.keys.set(Table::empty());
        self.ma_used.set(0);
        // SAFETY: the dict's count of the old table.
        unsafe { table.release() }
    }
}

/// Empties values. Releasing them may run Python code, so the order is emptied first.
pub(crate) fn clear_values(values: &Values) {
    values.size.set(0);
    for i in 0..usize::from(values.capacity) {
        // SAFETY: below the capacity; the slot is emptied before its reference is released.
        unsafe {
            let old = std::mem::replace(&mut *values.slot(i), std::ptr::null_mut());
            drop(Ref::from_raw_opt(old));
        }
    }
}

/// The number of `key` in a shared table, added when there is room; else a negative number.
pub(crate) fn add_shared_key(table: Table, key: &Str, hash: isize) -> isize {
    let ix = table.find_str(key, hash);
    if ix >= 0 {
        return ix;
    }
    if table.usable() <= 0 {
        return EMPTY;
    }
    let ix = table.len() as isize;
    table.push(hash, key.as_object().to_ref().into_raw(), std::ptr::null_mut());
    ix
}
