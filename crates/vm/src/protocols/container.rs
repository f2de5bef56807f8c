//! Sequences and mappings: `len`, subscripts, `in`.

use crate::prelude::*;
use crate::protocols::compare::rich_compare_bool;
use crate::protocols::iterator;

/// `PySequence_Check`: subscripts by position, and no dict.
pub fn is_sequence(object: &Object) -> bool {
    !object.ob_type().has_flag(TypeFlags::DICT_SUBCLASS)
        && object.ob_type().as_sequence().is_some_and(|s| s.sq_item.get().is_some())
}

/// `PyMapping_Check`.
pub fn is_mapping(object: &Object) -> bool {
    object.ob_type().as_mapping().is_some_and(|m| m.mp_subscript.get().is_some())
}

/// `len(object)`.
pub fn length(object: &Object, vm: &Vm) -> PyResult<usize> {
    let tp = object.ob_type();
    let length = tp
        .as_sequence()
        .and_then(|s| s.sq_length.get())
        .or_else(|| tp.as_mapping().and_then(|m| m.mp_length.get()));
    match length {
        // SAFETY: a slot is called with a live object.
        Some(length) => usize::try_from(unsafe { length(object.as_ptr()) }).map_err(|_| vm.check_raised()),
        None => Err(vm.type_error(format!("object of type '{}' has no len()", tp.name()))),
    }
}

/// `operator.length_hint` (PEP 424).
pub fn length_hint(object: &Object, default: usize, vm: &Vm) -> PyResult<usize> {
    let tp = object.ob_type();
    let has_len = tp.as_sequence().is_some_and(|s| s.sq_length.get().is_some())
        || tp.as_mapping().is_some_and(|m| m.mp_length.get().is_some());
    if has_len {
        match length(object, vm) {
            Ok(n) => return Ok(n),
            Err(Raised) if vm.exception_matches(types::type_error()) => vm.clear_exception(),
            Err(Raised) => return Err(Raised),
        }
    }
    let Some(hint) = object.lookup_special(vm.ids().__length_hint__, vm)? else { return Ok(default) };
    let result = match hint.call_no_args(vm) {
        Ok(result) => result,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Ok(default);
        }
        Err(Raised) => return Err(Raised),
    };
    if vm.is_not_implemented(&result) {
        return Ok(default);
    }
    let Some(int) = result.downcast_ref::<Int>() else {
        return Err(vm.type_error(format!(
            "__length_hint__ must be an integer, not {}",
            result.ob_type().tp_name_str()
        )));
    };
    match int.to_i64() {
        Some(n) if n >= 0 => Ok(n as usize),
        Some(_) => Err(vm.value_error("__length_hint__() should return >= 0")),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// The index that a sequence slot gets: negative ones count from the end.
fn adjust(object: &Object, index: isize, vm: &Vm) -> PyResult<isize> {
    if index >= 0 {
        return Ok(index);
    }
    match object.ob_type().as_sequence().and_then(|s| s.sq_length.get()) {
        // SAFETY: a slot is called with a live object.
        Some(length) => match unsafe { length(object.as_ptr()) } {
            n if n < 0 => Err(vm.check_raised()),
            n => Ok(index.saturating_add(n)),
        },
        None => Ok(index),
    }
}

/// `index` as a subscript: raises `IndexError` when it doesn't fit.
pub fn subscript_index(key: &Object, vm: &Vm) -> PyResult<isize> {
    key.as_index(vm)?.to_i64().map(|i| i as isize).ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", key.ob_type().tp_name_str()))
    })
}

/// `sequence[index]` through `sq_item`, negative indices adjusted.
pub fn sequence_item(object: &Object, index: isize, vm: &Vm) -> PyResult {
    let Some(item) = object.ob_type().as_sequence().and_then(|s| s.sq_item.get()) else {
        return Err(
            vm.type_error(format!("'{}' object does not support indexing", object.ob_type().tp_name_str()))
        );
    };
    let index = adjust(object, index, vm)?;
    // SAFETY: a slot is called with a live object.
    unsafe { vm.owned(item(object.as_ptr(), index)) }
}

/// `object[key]`.
pub fn get_item(object: &Object, key: &Object, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    if let Some(subscript) = tp.as_mapping().and_then(|m| m.mp_subscript.get()) {
        // SAFETY: a slot is called with live objects.
        return unsafe { vm.owned(subscript(object.as_ptr(), key.as_ptr())) };
    }
    if tp.as_sequence().is_some_and(|s| s.sq_item.get().is_some()) {
        if !key.has_index() {
            return Err(vm.type_error(format!(
                "sequence index must be integer, not '{}'",
                key.ob_type().tp_name_str()
            )));
        }
        return sequence_item(object, subscript_index(key, vm)?, vm);
    }
    if let Some(cls) = object.downcast_ref::<Type>() {
        if std::ptr::eq(cls, Type::static_type()) {
            return Ok(crate::builtins::generic_alias::GenericAlias::new(object, key, vm));
        }
        if let Some(method) = object.lookup_attr(vm.ids().__class_getitem__, vm)? {
            if !vm.is_none(&method) {
                return method.call(&[key], vm);
            }
        }
        return Err(vm.type_error(format!("type '{}' is not subscriptable", cls.name())));
    }
    Err(vm.type_error(format!("'{}' object is not subscriptable", tp.name())))
}

fn assign(object: &Object, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let tp = object.ob_type();
    let raw = value.map_or(std::ptr::null_mut(), Object::as_ptr);
    if let Some(store) = tp.as_mapping().and_then(|m| m.mp_ass_subscript.get()) {
        // SAFETY: a slot is called with live objects; null deletes.
        return vm.status(unsafe { store(object.as_ptr(), key.as_ptr(), raw) });
    }
    if let Some(suite) = tp.as_sequence() {
        if let Some(store) = suite.sq_ass_item.get() {
            if !key.has_index() {
                return Err(vm.type_error(format!(
                    "sequence index must be integer, not '{}'",
                    key.ob_type().tp_name_str()
                )));
            }
            let index = adjust(object, subscript_index(key, vm)?, vm)?;
            // SAFETY: as above.
            return vm.status(unsafe { store(object.as_ptr(), index, raw) });
        }
    }
    let what = if value.is_some() { "assignment" } else { "deletion" };
    Err(vm.type_error(format!("'{}' object does not support item {what}", tp.name())))
}

/// `object[key] = value`.
pub fn set_item(object: &Object, key: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
    assign(object, key, Some(value), vm)
}

/// `del object[key]`.
pub fn del_item(object: &Object, key: &Object, vm: &Vm) -> PyResult<()> {
    assign(object, key, None, vm)
}

/// `item in object`.
pub fn contains(object: &Object, item: &Object, vm: &Vm) -> PyResult<bool> {
    if let Some(contains) = object.ob_type().as_sequence().and_then(|s| s.sq_contains.get()) {
        // SAFETY: a slot is called with live objects.
        let answer = unsafe { contains(object.as_ptr(), item.as_ptr()) };
        return vm.status(answer).map(|()| answer != 0);
    }
    let iterator = match iterator::iter(object, vm) {
        Ok(iterator) => iterator,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Err(vm.type_error(format!(
                "argument of type '{}' is not a container or iterable",
                object.ob_type().tp_name_str()
            )));
        }
        Err(Raised) => return Err(Raised),
    };
    while let Some(candidate) = iterator::iter_next(&iterator, vm)? {
        if rich_compare_bool(&candidate, item, CompareOp::Eq, vm)? {
            return Ok(true);
        }
    }
    Ok(false)
}
