//! `_Py_Identifier`: static names in C that become strings when first used. Code generated for older versions has them.

use std::ffi::{CStr, c_char};

use taipan_vm::prelude::*;

use crate::support::*;

/// The C struct; its other fields are CPython's own.
#[repr(C)]
pub struct Identifier {
    string: *const c_char,
    _index: isize,
    _mutex: u8,
}

/// The immortal string of an identifier.
///
/// # Safety
/// The pointer leads to an identifier with a NUL-terminated name.
unsafe fn text(identifier: *const Identifier, vm: &Vm) -> PyResult<Ref<Str>> {
    // SAFETY: the caller's promise.
    let string = unsafe { CStr::from_ptr((*identifier).string) };
    Ok(Str::intern_immortal(name(string, vm)?, vm))
}

capi! {
    fn _PyUnicode_FromId(vm, identifier: *const Identifier) -> PyResult<Ptr> {
        text(identifier, vm).map(|text| text.into_object().into_raw())
    }

    fn _PyObject_GetAttrId(vm, object: &Object, identifier: *const Identifier) -> PyResult {
        object.get_attr(&*text(identifier, vm)?, vm)
    }
}
