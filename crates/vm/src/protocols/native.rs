//! Crossing between Rust results and C's conventions, for functions that sit in slots.

use std::ffi::c_int;

use crate::prelude::*;

/// A result as C returns it: an owned reference, or null with the exception set.
#[inline(always)]
pub fn to_c(result: PyResult) -> *mut Object {
    match result {
        Ok(value) => value.into_raw(),
        Err(Raised) => std::ptr::null_mut(),
    }
}

/// `Ok(None)` is null without an exception: an iterator's end.
#[inline(always)]
pub fn option_to_c(result: PyResult<Option<ObjRef>>) -> *mut Object {
    match result {
        Ok(Some(value)) => value.into_raw(),
        _ => std::ptr::null_mut(),
    }
}

/// 0, or -1 with the exception set.
#[inline(always)]
pub fn status_to_c(result: PyResult<()>) -> c_int {
    if result.is_ok() { 0 } else { -1 }
}

/// 1 or 0, or -1 with the exception set.
#[inline(always)]
pub fn bool_to_c(result: PyResult<bool>) -> c_int {
    match result {
        Ok(value) => c_int::from(value),
        Err(Raised) => -1,
    }
}

/// A hash; -1 means that the exception is set, so a hash of -1 becomes -2.
#[inline(always)]
pub fn hash_to_c(result: PyResult<isize>) -> isize {
    match result {
        Ok(-1) => -2,
        Ok(value) => value,
        Err(Raised) => -1,
    }
}

/// Views borrowed objects as the pointer array that vectorcall takes.
#[inline(always)]
pub fn arg_ptr(args: &[&Object]) -> *const *mut Object {
    args.as_ptr().cast::<*mut Object>()
}

/// Views a vectorcall array as borrowed objects.
///
/// # Safety
/// `args` points to `len` live objects that stay alive for `'a`.
#[inline(always)]
pub unsafe fn arg_slice<'a>(args: *const *mut Object, len: usize) -> &'a [&'a Object] {
    if len == 0 {
        return &[];
    }
    // SAFETY: a non-null object pointer and a reference are the same thing.
    unsafe { std::slice::from_raw_parts(args.cast::<&'a Object>(), len) }
}

/// Owned references viewed as borrowed ones.
#[inline(always)]
pub fn borrow_all(items: &[ObjRef]) -> &[&Object] {
    // SAFETY: `Ref` is a transparent non-null pointer, as a reference is.
    unsafe { std::slice::from_raw_parts(items.as_ptr().cast::<&Object>(), items.len()) }
}
