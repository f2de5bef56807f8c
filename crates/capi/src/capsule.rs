//! Capsules (C API manual, "Capsules").

use std::ffi::{CStr, c_char, c_int, c_void};

use taipan_vm::builtins::capsule::{Capsule, CapsuleDestructor};
use taipan_vm::prelude::*;

use crate::support::*;

/// A capsule that carries something.
fn valid<'a>(object: Option<&'a Object>, function: &str, vm: &Vm) -> PyResult<&'a Capsule> {
    object
        .and_then(Object::downcast_exact::<Capsule>)
        .filter(|capsule| !capsule.pointer.get().is_null())
        .ok_or_else(|| vm.value_error(format!("{function} called with invalid PyCapsule object")))
}

fn same_name(capsule: &Capsule, name: Option<&CStr>) -> bool {
    capsule.name() == name
}

capi! {
    fn PyCapsule_New(vm, pointer: *mut c_void, name: *const c_char, destructor: *mut c_void) -> PyResult<Ref<Capsule>> {
        if pointer.is_null() {
            return Err(vm.value_error("PyCapsule_New called with null pointer"));
        }
        let destructor = std::mem::transmute::<*mut c_void, Option<CapsuleDestructor>>(destructor);
        Ok(Capsule::new(pointer, name, destructor, vm))
    }

    fn PyCapsule_IsValid(vm, object: Option<&Object>, name: Option<&CStr>) -> bool {
        object
            .and_then(Object::downcast_exact::<Capsule>)
            .is_some_and(|capsule| !capsule.pointer.get().is_null() && same_name(capsule, name))
    }

    fn PyCapsule_GetPointer(vm, object: Option<&Object>, name: Option<&CStr>) -> PyResult<*mut c_void> {
        let capsule = valid(object, "PyCapsule_GetPointer", vm)?;
        if !same_name(capsule, name) {
            return Err(vm.value_error("PyCapsule_GetPointer called with incorrect name"));
        }
        Ok(capsule.pointer.get())
    }

    fn PyCapsule_GetName(vm, object: Option<&Object>) -> PyResult<*const c_char> {
        Ok(valid(object, "PyCapsule_GetName", vm)?.name.get())
    }

    fn PyCapsule_GetDestructor(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        let destructor = valid(object, "PyCapsule_GetDestructor", vm)?.destructor.get();
        Ok(destructor.map_or(std::ptr::null_mut(), |function| function as *mut c_void))
    }

    fn PyCapsule_GetContext(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        Ok(valid(object, "PyCapsule_GetContext", vm)?.context.get())
    }

    fn PyCapsule_SetPointer(vm, object: Option<&Object>, pointer: *mut c_void) -> PyResult<()> {
        let capsule = valid(object, "PyCapsule_SetPointer", vm)?;
        if pointer.is_null() {
            return Err(vm.value_error("PyCapsule_SetPointer called with null pointer"));
        }
        capsule.pointer.set(pointer);
        Ok(())
    }

    fn PyCapsule_SetName(vm, object: Option<&Object>, name: *const c_char) -> PyResult<()> {
        valid(object, "PyCapsule_SetName", vm)?.name.set(name);
        Ok(())
    }

    fn PyCapsule_SetDestructor(vm, object: Option<&Object>, destructor: *mut c_void) -> PyResult<()> {
        let destructor = std::mem::transmute::<*mut c_void, Option<CapsuleDestructor>>(destructor);
        valid(object, "PyCapsule_SetDestructor", vm)?.destructor.set(destructor);
        Ok(())
    }

    fn PyCapsule_SetContext(vm, object: Option<&Object>, context: *mut c_void) -> PyResult<()> {
        valid(object, "PyCapsule_SetContext", vm)?.context.set(context);
        Ok(())
    }

    fn PyCapsule_Import(vm, name: &CStr, no_block: c_int) -> PyResult<*mut c_void> {
        let full = lossy(name);
        let mut parts = full.split('.');
        let first = parts.next().unwrap_or_default();
        let mut found = taipan_vm::import::import_module(first, vm)?;
        let mut path = first.to_owned();
        for part in parts {
            path.push('.');
            path.push_str(part);
            found = match found.lookup_attr(&vm.intern(part), vm)? {
                Some(next) => next,
                // A submodule that its package has not imported.
                None => taipan_vm::import::import_module(&path, vm)?,
            };
        }
        match found.downcast_exact::<Capsule>() {
            Some(capsule) if same_name(capsule, Some(name)) => Ok(capsule.pointer.get()),
            _ => Err(vm.attribute_error(format!("PyCapsule_Import \"{full}\" is not valid"))),
        }
    }
}
