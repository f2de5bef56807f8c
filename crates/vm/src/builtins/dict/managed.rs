//! Attributes of instances.
//!
//! An instance of a class with `INLINE_VALUES` has its attribute values behind its own fields (at `tp_basicsize`); the names are
//! keys shared by all instances of the class. No dict exists until somebody asks for `__dict__`: then a split dict is made
//! that uses the object's values in place. When such a dict outgrows the shared keys, it takes the values over, and
//! when the object dies first, the dict gets a copy of them.
//!
//! The word at -24 (`managed_dict`) holds the dict. Types with a positive `tp_dictoffset` have theirs at that offset.

use std::ffi::c_void;

use taipan_object::gc;

use super::Dict;
use super::keys::{Table, Values};
use super::table::{add_shared_key, clear_values, str_hash};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// How many values an instance gets that is made now: the shared keys, and those that may still come.
pub(crate) fn shared_capacity(table: Table) -> usize {
    table.len() + table.usable().max(0) as usize
}

/// The keys shared by the instances of `tp`.
#[inline(always)]
pub(crate) fn cached_keys(tp: &Type) -> Option<Table> {
    let keys = tp.as_heap_type()?.ht_cached_keys.get();
    // SAFETY: null, or a table counted by the type.
    if keys.is_null() { None } else { Some(unsafe { Table::from_ptr(keys.cast()) }) }
}

/// Gives a class its shared keys, with the attributes that its methods assign (`__static_attributes__`) up front. Without
/// memory for them the class does without: its instances have plain dicts.
pub fn new_shared_keys(tp: &Type) {
    let (Some(heap), Some(table)) = (tp.as_heap_type(), Table::new_shared()) else { return };
    // SAFETY: types are made on attached threads.
    let vm = unsafe { Vm::current() };
    // SAFETY: null or the type's dict.
    if let Some(dict) = unsafe { tp.tp_dict.get().as_ref() }.and_then(|d| d.downcast_ref::<Dict>()) {
        let names = dict.lookup_interned(vm.ids().__static_attributes__);
        for name in names.and_then(|n| n.downcast_ref::<Tuple>()).map_or(&[][..], Tuple::as_slice) {
            if let Some(name) = name.downcast_exact::<Str>() {
                add_shared_key(table, name, str_hash(name, vm));
            }
        }
    }
    release_shared_keys(tp);
    heap.ht_cached_keys.set(table.as_ptr().cast::<c_void>());
}

/// Gives up the class's count of its shared keys.
pub fn release_shared_keys(tp: &Type) {
    let Some(heap) = tp.as_heap_type() else { return };
    let keys = heap.ht_cached_keys.replace(std::ptr::null_mut());
    if !keys.is_null() {
        // SAFETY: the type's own count.
        unsafe { Table::from_ptr(keys.cast()).release() }
    }
}

/// Bytes that instances of `tp` need behind `tp_basicsize` for inline values; 0 without the flag. It may become less with
/// each instance made, so `init_inline_values` must follow before another is asked for.
#[inline]
pub fn inline_size(tp: &Type) -> usize {
    if !tp.has_flag(TypeFlags::INLINE_VALUES) {
        return 0;
    }
    Values::bytes_for(cached_keys(tp).map_or(0, shared_capacity))
}

/// Bytes of inline values that this instance was made with; 0 without the flag.
#[inline]
pub fn inline_size_of(op: &Object) -> usize {
    match raw_values(op) {
        Some(values) => Values::bytes_for(usize::from(values.capacity)),
        None => 0,
    }
}

/// Initialises the inline values and the dict word of a new instance, for which `inline_size` gave the room.
///
/// # Safety
/// `op` is a new instance of `tp` with that room behind `tp_basicsize`.
#[inline]
pub unsafe fn init_inline_values(op: &Object, tp: &Type) {
    let table = cached_keys(tp);
    let capacity = table.map_or(0, shared_capacity);
    // SAFETY: the caller gives the room.
    unsafe {
        Values::init(values_ptr(op, tp), capacity, true);
        *gc::managed_dict(op.as_ptr()) = std::ptr::null_mut();
    }
    match table {
        // Each instance that comes without new attributes lowers the room for later ones.
        Some(table) if table.usable() > 1 => table.set_usable(table.usable() - 1),
        Some(_) => {}
        None => {
            if let Some(values) = raw_values(op) {
                values.valid.set(false);
            }
        }
    }
}

#[inline(always)]
fn values_ptr(op: &Object, tp: &Type) -> *mut Values {
    op.as_ptr().cast::<u8>().wrapping_offset(tp.tp_basicsize.get()).cast()
}

/// The inline values, valid or not.
#[inline(always)]
fn raw_values(op: &Object) -> Option<&Values> {
    let tp = op.ob_type();
    if !tp.has_flag(TypeFlags::INLINE_VALUES) {
        return None;
    }
    // SAFETY: the flag promises values there in every instance.
    Some(unsafe { &*values_ptr(op, tp) })
}

/// The inline values while they hold the instance's attributes.
#[inline(always)]
pub fn inline_values(op: &Object) -> Option<&Values> {
    raw_values(op).filter(|values| values.valid.get())
}

/// Where the instance's dict is, when its type has one.
#[inline(always)]
fn dict_word(op: &Object) -> Option<*mut *mut Object> {
    let tp = op.ob_type();
    // SAFETY: flag and offsets promise the word in every instance.
    unsafe {
        if tp.has_flag(TypeFlags::MANAGED_DICT) {
            return Some(gc::managed_dict(op.as_ptr()));
        }
        match tp.tp_dictoffset.get() {
            0 => None,
            offset if offset > 0 => Some(op.as_ptr().cast::<u8>().offset(offset).cast()),
            offset => {
                // From the end of an object with a variable number of items.
                let items = (*op.as_ptr().cast::<VarObject>()).ob_size.get().unsigned_abs();
                let item = tp.tp_itemsize.get().unsigned_abs();
                let size = tp.tp_basicsize.get().unsigned_abs() + (items * item).next_multiple_of(8);
                Some(op.as_ptr().cast::<u8>().add(size).offset(offset).cast())
            }
        }
    }
}

/// Whether instances like this one can have attributes of their own.
#[inline]
pub fn has_instance_dict(op: &Object) -> bool {
    let tp = op.ob_type();
    tp.has_flag(TypeFlags::MANAGED_DICT) || tp.tp_dictoffset.get() != 0
}

/// The dict that the instance has by now, borrowed.
///
/// # Safety
/// The borrow ends before Python code can run.
#[inline(always)]
pub(crate) unsafe fn borrow_dict(op: &Object) -> Option<&Dict> {
    // SAFETY: the word is null or a dict, owned by the instance.
    unsafe { Some((*dict_word(op)?).as_ref()?.cast::<Dict>()) }
}

/// The dict that the instance has by now.
#[inline]
pub fn instance_dict_if_any(op: &Object) -> Option<Ref<Dict>> {
    // SAFETY: cloned at once.
    unsafe { borrow_dict(op) }.map(Ref::new_ref)
}

/// Whether the instance has no attribute of its own. A dict is not made to find out.
pub fn instance_dict_is_empty(op: &Object) -> bool {
    match instance_dict_if_any(op) {
        Some(dict) => dict.is_empty(),
        None => inline_values(op).is_none_or(|values| values.size.get() == 0),
    }
}

/// The instance's own attribute `name`.
#[inline]
pub fn instance_get(op: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(values) = inline_values(op) {
        if let (Some(table), Some(name)) =
            (cached_keys(op.ob_type()), name.as_object().downcast_exact::<Str>())
        {
            let ix = table.find_str(name, str_hash(name, vm));
            if ix < 0 || ix as usize >= usize::from(values.capacity) {
                return Ok(None);
            }
            // SAFETY: the slot is null or alive.
            return Ok(unsafe { (*values.slot(ix as usize)).as_ref() }.map(Object::to_ref));
        }
        return instance_dict(op, vm)?.get_str(name, vm);
    }
    // SAFETY: the lookup in a table of strings runs no Python; otherwise the dict is held.
    unsafe {
        let Some(dict) = borrow_dict(op) else { return Ok(None) };
        match dict.find_exact_str(name, vm) {
            Some(found) => Ok(found.map(|value| (*value).to_ref())),
            None => Ref::new_ref(dict).get_str(name, vm),
        }
    }
}

/// Sets or deletes the instance's own attribute `name`. False when there is nothing to delete. The type has instance dicts.
pub fn instance_set(op: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<bool> {
    if let (Some(values), None) = (inline_values(op), instance_dict_if_any(op)) {
        if let (Some(table), Some(name)) =
            (cached_keys(op.ob_type()), name.as_object().downcast_exact::<Str>())
        {
            let hash = str_hash(name, vm);
            let ix =
                if value.is_some() { add_shared_key(table, name, hash) } else { table.find_str(name, hash) };
            if ix >= 0 && (ix as usize) < usize::from(values.capacity) {
                return Ok(store_inline(values, ix as usize, value));
            }
            if value.is_none() {
                return Ok(false);
            }
        }
    }
    match value {
        Some(value) => instance_dict(op, vm)?.set_str(name, value, vm).map(|()| true),
        None if inline_values(op).is_some() => instance_dict(op, vm)?.del_item(name.as_object(), vm),
        None => match instance_dict_if_any(op) {
            Some(dict) => dict.del_item(name.as_object(), vm),
            None => Ok(false),
        },
    }
}

/// Stores in a slot of inline values for which no dict exists. False when there was nothing to delete.
#[inline]
fn store_inline(values: &Values, ix: usize, value: Option<&Object>) -> bool {
    let raw = value.map_or(std::ptr::null_mut(), |v| v.to_ref().into_raw());
    // SAFETY: the caller checked the index; the old value is released after the store, when nothing is borrowed.
    unsafe {
        let old = std::mem::replace(&mut *values.slot(ix), raw);
        match (old.is_null(), value.is_none()) {
            (true, true) => return false,
            (true, false) => values.push_order(ix),
            (false, true) => values.remove_order(ix),
            (false, false) => {}
        }
        drop(Ref::from_raw_opt(old));
    }
    true
}

/// The instance's `__dict__`, made when it doesn't exist yet. AttributeError when the type has none.
pub fn instance_dict(op: &Object, vm: &Vm) -> PyResult<Ref<Dict>> {
    if let Some(dict) = instance_dict_if_any(op) {
        return Ok(dict);
    }
    let Some(word) = dict_word(op) else { return Err(vm.attribute_error("This object has no __dict__")) };
    let dict = match (inline_values(op), cached_keys(op.ob_type())) {
        (Some(values), Some(table)) => {
            table.retain();
            let used = usize::from(values.size.get());
            vm.new_object(Dict::with(table, std::ptr::from_ref(values).cast_mut(), used))
        }
        _ => Dict::new(vm),
    };
    // SAFETY: the word was null, and owns the reference from now on.
    unsafe { *word = dict.clone().into_object().into_raw() };
    Ok(dict)
}

/// Replaces the instance's `__dict__`; without a value, the next access makes an empty one. TypeError for other objects than
/// dicts.
pub fn set_instance_dict(op: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let Some(word) = dict_word(op) else { return Err(vm.attribute_error("This object has no __dict__")) };
    if let Some(value) = value.filter(|value| value.downcast_ref::<Dict>().is_none()) {
        return Err(vm.type_error(format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            value.ob_type().name()
        )));
    }
    let raw = value.map_or(std::ptr::null_mut(), |value| value.to_ref().into_raw());
    // SAFETY: the word owns its reference. Everything is in place before the old attributes are released.
    unsafe {
        let old = std::mem::replace(&mut *word, raw);
        let old = Ref::from_raw_opt(old);
        if let Some(values) = inline_values(op) {
            release_inline(values, old.as_deref(), vm)?;
        }
    }
    Ok(())
}

/// Ends the use of inline values: a dict that uses them gets them for its own.
fn release_inline(values: &Values, dict: Option<&Object>, vm: &Vm) -> PyResult<()> {
    // SAFETY: the dict word holds dicts only.
    if let Some(dict) = dict.map(|d| unsafe { d.cast::<Dict>() }) {
        if std::ptr::eq(dict.values.get(), values) && !detach(dict, values) {
            return Err(vm.memory_error());
        }
    }
    values.valid.set(false);
    clear_values(values);
    Ok(())
}

/// Moves an object's values to a block of the dict's own. False when there is no memory: the dict is empty then.
fn detach(dict: &Dict, values: &Values) -> bool {
    let capacity = usize::from(values.capacity);
    let own = Values::allocate(capacity);
    if own.is_null() {
        dict.clear_entries();
        let table = dict.keys.replace(Table::empty());
        dict.values.set(std::ptr::null_mut());
        // SAFETY: the dict's count.
        unsafe { table.release() };
        return false;
    }
    // SAFETY: both have `capacity` slots; the references move.
    unsafe {
        for i in 0..capacity {
            *(*own).slot(i) = std::mem::replace(&mut *values.slot(i), std::ptr::null_mut());
        }
        (*own).copy_order(values);
    }
    values.size.set(0);
    values.valid.set(false);
    dict.values.set(own);
    true
}

/// Reports what the instance's dict word and inline values own (`PyObject_VisitManagedDict`).
pub fn visit_managed_dict(op: &Object, visit: &mut Visit) {
    if !op.ob_type().has_flag(TypeFlags::MANAGED_DICT) {
        return;
    }
    // A dict that uses the values in place reports them: it may be reachable when the object is not.
    // SAFETY: the word holds dicts only.
    let shared = unsafe { borrow_dict(op) }.map(|dict| dict.values.get());
    if let Some(values) =
        inline_values(op).filter(|values| shared != Some(std::ptr::from_ref(*values).cast_mut()))
    {
        for i in 0..usize::from(values.capacity) {
            // SAFETY: slots are null or alive.
            unsafe { visit.raw(*values.slot(i)) }
        }
    }
    // SAFETY: the word is null or alive.
    unsafe { visit.raw(*gc::managed_dict(op.as_ptr())) }
}

/// Releases the instance's attributes (`PyObject_ClearManagedDict`): when it dies and when the collector breaks a cycle.
pub fn clear_managed_dict(op: &Object) {
    if !op.ob_type().has_flag(TypeFlags::MANAGED_DICT) {
        return;
    }
    // SAFETY: the word is null or an owned dict; it is emptied before anything is released.
    let dict = unsafe {
        let word = gc::managed_dict(op.as_ptr());
        Ref::from_raw_opt(std::mem::replace(&mut *word, std::ptr::null_mut()))
    };
    if let Some(values) = inline_values(op) {
        match dict.as_deref() {
            // SAFETY: the word holds dicts only.
            Some(dict) if std::ptr::eq(unsafe { dict.cast::<Dict>() }.values.get(), values) => {
                // SAFETY: as above.
                detach(unsafe { dict.cast::<Dict>() }, values);
            }
            _ => {}
        }
        values.valid.set(false);
        clear_values(values);
    }
    drop(dict);
}

/// The same when the instance dies, before its memory is freed.
pub fn release_on_dealloc(op: &Object) {
    clear_managed_dict(op);
}

/// Moves the attributes out of the inline values into a dict: `__class__` is about to change to a class with other keys.
pub fn detach_inline_values(op: &Object, vm: &Vm) -> PyResult<()> {
    if let Some(values) = inline_values(op) {
        let dict = instance_dict(op, vm)?;
        if std::ptr::eq(dict.values.get(), values) && !detach(&dict, values) {
            return Err(vm.memory_error());
        }
        values.valid.set(false);
    }
    Ok(())
}

/// The number of attribute `name` among the shared keys of `tp`, when instances keep it inline.
pub fn inline_index(tp: &Type, name: &Str) -> Option<u16> {
    if !tp.has_flag(TypeFlags::INLINE_VALUES) {
        return None;
    }
    let name = name.as_object().downcast_exact::<Str>()?;
    // SAFETY: called by the specialiser on an attached thread.
    let hash = str_hash(name, unsafe { Vm::current() });
    u16::try_from(cached_keys(tp)?.find_str(name, hash)).ok()
}

/// The value of shared key `index`, borrowed; none when it is missing or the values aren't inline any more.
///
/// # Safety
/// `index` came from `inline_index` for the instance's type, whose shared keys are still the same; the borrow ends before
/// Python code can run.
#[inline(always)]
pub unsafe fn inline_value_at(op: &Object, index: u16) -> Option<&Object> {
    // SAFETY: an index that came from the type says that its instances have values; the slot is within them.
    unsafe {
        let values = &*values_ptr(op, op.ob_type());
        if !values.valid.get() || index >= u16::from(values.capacity) {
            return None;
        }
        (*values.slot(usize::from(index))).as_ref()
    }
}

/// Stores the value of a stack slot under shared key `index` of an instance without a dict. On success the slot's reference
/// has moved; false when the slow way must be taken.
///
/// # Safety
/// As for [`inline_value_at`]; the slot is filled.
#[inline(always)]
pub unsafe fn store_inline_value(op: &Object, index: u16, slot: *mut StackRef) -> bool {
    // SAFETY: an index that came from the type says that its instances have values and the word; the slot is filled.
    unsafe {
        let values = &*values_ptr(op, op.ob_type());
        if !values.valid.get()
            || index >= u16::from(values.capacity)
            || !(*gc::managed_dict(op.as_ptr())).is_null()
        {
            return false;
        }
        let value = (*slot).into_ref();
        let old = std::mem::replace(&mut *values.slot(usize::from(index)), value.into_raw());
        match Ref::from_raw_opt(old) {
            Some(old) => drop(old),
            None => values.push_order(usize::from(index)),
        }
    }
    true
}

/// The version of the keys that the instance's inline values go by; 0 when there is none or the values are not inline.
///
/// # Safety
/// None beyond a live object; unsafe for symmetry with its callers in specialised code.
#[inline(always)]
pub unsafe fn inline_keys_version(op: &Object) -> u32 {
    match inline_values(op) {
        Some(_) => cached_keys(op.ob_type()).map_or(0, Table::version),
        None => 0,
    }
}

/// The version of the keys shared by instances of `tp`, given now if there is none; 0 when there is none to be had.
pub fn shared_keys_version(tp: &Type, vm: &Vm) -> u32 {
    cached_keys(tp).map_or(0, |table| super::table_version(table, vm))
}

/// Whether `name` is one of the shared keys of `tp`.
pub fn is_shared_key(tp: &Type, name: &Str) -> bool {
    inline_index(tp, name).is_some()
}

/// The entry number of `name` in the instance's own dict, for `dict_value_at`.
pub fn dict_hint(op: &Object, name: &Str, vm: &Vm) -> Option<u16> {
    instance_dict_if_any(op)?.index_of_interned(name, vm)
}

/// The value of `name` in the instance's dict when it is entry `hint`, borrowed.
///
/// # Safety
/// The borrow ends before Python code can run.
#[inline(always)]
pub unsafe fn dict_value_at<'a>(op: &'a Object, name: &Str, hint: u16) -> Option<&'a Object> {
    // SAFETY: passed on to the caller.
    let dict = unsafe { borrow_dict(op) }?;
    let table = dict.table();
    let ix = usize::from(hint);
    if ix >= table.len() || table.key(ix) != name.as_object().as_ptr() {
        return None;
    }
    // SAFETY: values are null or alive.
    unsafe { dict.value_ptr(ix).as_ref() }
}

/// Bytes of the keys that instances of `tp` share, for `type.__sizeof__`.
pub fn shared_keys_size(tp: &Type) -> usize {
    cached_keys(tp).map_or(0, Table::bytes)
}
