//! The mapping protocol (C API manual, "Mapping Protocol").

use std::ffi::CStr;

use taipan_vm::prelude::*;

use crate::object::{give, quiet};
use crate::support::*;

/// `mapping.keys()` and its like as a list.
fn listed(mapping: &Object, method: &str, vm: &Vm) -> PyResult<Ref<List>> {
    let view = mapping.call_method(&vm.intern(method), &[], vm)?;
    if view.ob_type().tp_iter.get().is_none() {
        return Err(vm.type_error(format!(
            "{}.{method}() returned a non-iterable (type {})",
            mapping.ob_type().name(),
            view.ob_type().name()
        )));
    }
    taipan_vm::builtins::list::list_from_iterable(&view, vm)
}

/// The item, or none when the key is missing.
fn optional(mapping: &Object, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(dict) = mapping.downcast_exact::<Dict>() {
        return dict.get_item(key, vm);
    }
    match mapping.get_item(key, vm) {
        Ok(found) => Ok(Some(found)),
        Err(Raised) if vm.exception_matches(types::key_error()) => {
            vm.clear_exception();
            Ok(None)
        }
        Err(Raised) => Err(Raised),
    }
}

fn length(object: &Object, vm: &Vm) -> PyResult<isize> {
    let tp = object.ob_type();
    match tp.as_mapping().and_then(|m| m.mp_length.get()) {
        // SAFETY: a slot is called with a live object.
        Some(length) => match unsafe { length(object.as_ptr()) } {
            count if count < 0 => Err(vm.check_raised()),
            count => Ok(count),
        },
        None if tp.as_sequence().is_some_and(|s| s.sq_length.get().is_some()) => {
            Err(vm.type_error(format!("{} is not a mapping", tp.name())))
        }
        None => Err(vm.type_error(format!("object of type '{}' has no len()", tp.name()))),
    }
}

capi! {
    fn PyMapping_Check(vm, object: Option<&Object>) -> bool {
        object.is_some_and(|o| o.ob_type().as_mapping().is_some_and(|m| m.mp_subscript.get().is_some()))
    }

    fn PyMapping_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        length(present(object, vm)?, vm)
    }

    fn PyMapping_Length(vm, object: Option<&Object>) -> PyResult<isize> {
        length(present(object, vm)?, vm)
    }

    fn PyMapping_GetItemString(vm, object: Option<&Object>, key: &CStr) -> PyResult {
        present(object, vm)?.get_item(name(key, vm)?.as_object(), vm)
    }

    fn PyMapping_SetItemString(vm, object: Option<&Object>, key: &CStr, value: Option<&Object>) -> PyResult<()> {
        present(object, vm)?.set_item(name(key, vm)?.as_object(), present(value, vm)?, vm)
    }

    fn PyMapping_GetOptionalItem(vm, object: &Object, key: &Object, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        give(optional(object, key, vm)?, result)
    }

    fn PyMapping_GetOptionalItemString(vm, object: &Object, key: &CStr, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        give(optional(object, name(key, vm)?.as_object(), vm)?, result)
    }

    fn PyMapping_HasKeyWithError(vm, object: &Object, key: &Object) -> PyResult<bool> {
        Ok(optional(object, key, vm)?.is_some())
    }

    fn PyMapping_HasKeyStringWithError(vm, object: &Object, key: &CStr) -> PyResult<bool> {
        Ok(optional(object, name(key, vm)?.as_object(), vm)?.is_some())
    }

    fn PyMapping_HasKey(vm, object: &Object, key: &Object) -> bool {
        quiet(optional(object, key, vm).map(|item| item.is_some()), vm)
    }

    fn PyMapping_HasKeyString(vm, object: &Object, key: &CStr) -> bool {
        let found = name(key, vm).and_then(|key| optional(object, key.as_object(), vm));
        quiet(found.map(|item| item.is_some()), vm)
    }

    fn PyMapping_Keys(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        listed(present(object, vm)?, "keys", vm)
    }

    fn PyMapping_Values(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        listed(present(object, vm)?, "values", vm)
    }

    fn PyMapping_Items(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        listed(present(object, vm)?, "items", vm)
    }
}
