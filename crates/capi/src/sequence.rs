//! The sequence protocol (C API manual, "Sequence Protocol").

use std::ffi::CStr;

use taipan_vm::prelude::*;
use taipan_vm::protocols::{container, number};

use crate::support::*;

/// `object[low:high]` as a slice object.
fn slice_of(low: isize, high: isize, vm: &Vm) -> Ref<Slice> {
    Slice::new(vm.new_int(low), vm.new_int(high), vm.none(), vm)
}

fn length(object: &Object, vm: &Vm) -> PyResult<isize> {
    let tp = object.ob_type();
    if let Some(length) = tp.as_sequence().and_then(|s| s.sq_length.get()) {
        // SAFETY: a slot is called with a live object.
        let count = unsafe { length(object.as_ptr()) };
        return if count < 0 { Err(vm.check_raised()) } else { Ok(count) };
    }
    let kind = if tp.as_mapping().is_some_and(|m| m.mp_length.get().is_some()) {
        "is not a sequence"
    } else {
        return Err(vm.type_error(format!("object of type '{}' has no len()", tp.name())));
    };
    Err(vm.type_error(format!("{} {kind}", tp.name())))
}

/// An item by position; negative positions count from the end.
fn item(object: &Object, index: isize, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    let Some(get) = tp.as_sequence().and_then(|s| s.sq_item.get()) else {
        let what = if tp.as_mapping().is_some_and(|m| m.mp_subscript.get().is_some()) {
            format!("{} is not a sequence", tp.name())
        } else {
            format!("'{}' object does not support indexing", tp.name())
        };
        return Err(vm.type_error(what));
    };
    let mut index = index;
    if index < 0 && tp.as_sequence().is_some_and(|s| s.sq_length.get().is_some()) {
        index += length(object, vm)?;
    }
    // SAFETY: a slot is called with a live object.
    unsafe { vm.owned(get(object.as_ptr(), index)) }
}

fn assign(object: &Object, index: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let tp = object.ob_type();
    let Some(set) = tp.as_sequence().and_then(|s| s.sq_ass_item.get()) else {
        let what = if value.is_some() { "assignment" } else { "deletion" };
        return Err(vm.type_error(format!("'{}' object does not support item {what}", tp.name())));
    };
    let mut index = index;
    if index < 0 && tp.as_sequence().is_some_and(|s| s.sq_length.get().is_some()) {
        index += length(object, vm)?;
    }
    let value = value.map_or(std::ptr::null_mut(), Object::as_ptr);
    // SAFETY: a slot is called with a live object.
    vm.status(unsafe { set(object.as_ptr(), index, value) })
}

/// How many items equal `value`, or where the first is.
fn search(object: &Object, value: &Object, all: bool, vm: &Vm) -> PyResult<Option<isize>> {
    let iterator = object.iter(vm)?;
    let mut count = 0;
    let mut position = 0;
    while let Some(item) = iterator.iter_next(vm)? {
        if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
            if !all {
                return Ok(Some(position));
            }
            count += 1;
        }
        position += 1;
    }
    Ok(all.then_some(count))
}

fn fast(object: &Object, message: &CStr, vm: &Vm) -> PyResult {
    if object.downcast_ref::<List>().is_some() || object.downcast_ref::<Tuple>().is_some() {
        return Ok(object.to_ref());
    }
    let iterator = match object.iter(vm) {
        Ok(iterator) => iterator,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Err(vm.type_error(lossy(message)));
        }
        Err(Raised) => return Err(Raised),
    };
    taipan_vm::builtins::list::list_from_iterable(&iterator, vm).map(Ref::into_object)
}

capi! {
    fn PySequence_Check(vm, object: Option<&Object>) -> bool {
        object.is_some_and(container::is_sequence)
    }

    fn PySequence_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        length(present(object, vm)?, vm)
    }

    fn PySequence_Length(vm, object: Option<&Object>) -> PyResult<isize> {
        length(present(object, vm)?, vm)
    }

    fn PySequence_Concat(vm, a: Option<&Object>, b: Option<&Object>) -> PyResult {
        let (a, b) = (present(a, vm)?, present(b, vm)?);
        if let Some(concat) = a.ob_type().as_sequence().and_then(|s| s.sq_concat.get()) {
            return vm.owned(concat(a.as_ptr(), b.as_ptr()));
        }
        if container::is_sequence(a) && container::is_sequence(b) {
            return number::add(a, b, vm);
        }
        Err(vm.type_error(format!("'{}' object can't be concatenated", a.ob_type().name())))
    }

    fn PySequence_InPlaceConcat(vm, a: Option<&Object>, b: Option<&Object>) -> PyResult {
        let (a, b) = (present(a, vm)?, present(b, vm)?);
        if container::is_sequence(a) && container::is_sequence(b) {
            return number::inplace_add(a, b, vm);
        }
        Err(vm.type_error(format!("'{}' object can't be concatenated", a.ob_type().name())))
    }

    fn PySequence_Repeat(vm, object: Option<&Object>, count: isize) -> PyResult {
        let object = present(object, vm)?;
        if let Some(repeat) = object.ob_type().as_sequence().and_then(|s| s.sq_repeat.get()) {
            return vm.owned(repeat(object.as_ptr(), count));
        }
        if container::is_sequence(object) {
            return number::multiply(object, &vm.new_int(count), vm);
        }
        Err(vm.type_error(format!("'{}' object can't be repeated", object.ob_type().name())))
    }

    fn PySequence_InPlaceRepeat(vm, object: Option<&Object>, count: isize) -> PyResult {
        let object = present(object, vm)?;
        if container::is_sequence(object) {
            return number::inplace_multiply(object, &vm.new_int(count), vm);
        }
        Err(vm.type_error(format!("'{}' object can't be repeated", object.ob_type().name())))
    }

    fn PySequence_GetItem(vm, object: Option<&Object>, index: isize) -> PyResult {
        item(present(object, vm)?, index, vm)
    }

    fn PySequence_SetItem(vm, object: Option<&Object>, index: isize, value: Option<&Object>) -> PyResult<()> {
        assign(present(object, vm)?, index, value, vm)
    }

    fn PySequence_DelItem(vm, object: Option<&Object>, index: isize) -> PyResult<()> {
        assign(present(object, vm)?, index, None, vm)
    }

    fn PySequence_GetSlice(vm, object: Option<&Object>, low: isize, high: isize) -> PyResult {
        present(object, vm)?.get_item(slice_of(low, high, vm).as_object(), vm)
    }

    fn PySequence_SetSlice(vm, object: Option<&Object>, low: isize, high: isize, value: Option<&Object>) -> PyResult<()> {
        let object = present(object, vm)?;
        match value {
            Some(value) => object.set_item(slice_of(low, high, vm).as_object(), value, vm),
            None => object.del_item(slice_of(low, high, vm).as_object(), vm),
        }
    }

    fn PySequence_DelSlice(vm, object: Option<&Object>, low: isize, high: isize) -> PyResult<()> {
        present(object, vm)?.del_item(slice_of(low, high, vm).as_object(), vm)
    }

    fn PySequence_Tuple(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        let object = present(object, vm)?;
        if let Some(tuple) = object.downcast_exact::<Tuple>() {
            return Ok(tuple.into());
        }
        Tuple::from_iterable(object, vm)
    }

    fn PySequence_List(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        taipan_vm::builtins::list::list_from_iterable(present(object, vm)?, vm)
    }

    fn PySequence_Fast(vm, object: Option<&Object>, message: &CStr) -> PyResult {
        fast(present(object, vm)?, message, vm)
    }

    fn PySequence_Contains(vm, object: &Object, value: &Object) -> PyResult<bool> {
        object.contains(value, vm)
    }

    fn PySequence_In(vm, object: &Object, value: &Object) -> PyResult<bool> {
        object.contains(value, vm)
    }

    fn PySequence_Count(vm, object: &Object, value: &Object) -> PyResult<isize> {
        Ok(search(object, value, true, vm)?.unwrap_or(0))
    }

    fn PySequence_Index(vm, object: &Object, value: &Object) -> PyResult<isize> {
        search(object, value, false, vm)?.ok_or_else(|| vm.value_error("sequence.index(x): x not in sequence"))
    }
}
