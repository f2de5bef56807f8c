//! Pointers that C code attaches to code objects (C API manual, "Extra information"; PEP 523).

use std::ffi::{c_int, c_void};

use taipan_vm::builtins::code::extra;
use taipan_vm::prelude::*;

use crate::support::*;

capi! {
    fn PyUnstable_Eval_RequestCodeExtraIndex(vm, free: *mut c_void) -> isize {
        let free = std::mem::transmute::<*mut c_void, Option<extra::FreeExtra>>(free);
        extra::request_index(free, vm)
    }

    fn PyUnstable_Code_GetExtra(vm, code: Option<&Object>, index: isize, place: *mut *mut c_void) -> PyResult<c_int> {
        let Some(code) = code.and_then(Object::downcast_ref::<Code>) else { return Err(bad_internal_call(vm)) };
        *place = extra::get(code, index);
        Ok(0)
    }

    fn PyUnstable_Code_SetExtra(vm, code: Option<&Object>, index: isize, value: *mut c_void) -> PyResult<()> {
        let Some(code) = code.and_then(Object::downcast_ref::<Code>) else { return Err(bad_internal_call(vm)) };
        extra::set(code, index, value, vm)
    }
}
