//! How C's arguments become Rust's and results go back, and the macro that exports a function.
//!
//! An exported function says its types in Rust: `&Object` for a pointer that may not be null, `Option<&Object>` where the
//! manual allows null, `Option<ObjRef>` for a reference that is stolen. Its result is a `PyResult` of what it gives;
//! failure becomes null or -1 with the exception set.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_double, c_int, c_long, c_uint, c_void};

use taipan_vm::prelude::*;

/// An object pointer as C has it.
pub type Ptr = *mut Object;

/// A Rust view of a C argument.
pub trait FromC {
    /// The C type.
    type C;
    /// # Safety
    /// The argument keeps the promise of the Rust type: non-null pointers point to live objects of that kind.
    unsafe fn from_c(value: Self::C) -> Self;
}

impl FromC for &Object {
    type C = Ptr;
    unsafe fn from_c(value: Ptr) -> Self {
        // SAFETY: the caller's promise.
        unsafe { &*value }
    }
}

impl FromC for Option<&Object> {
    type C = Ptr;
    unsafe fn from_c(value: Ptr) -> Self {
        // SAFETY: the caller's promise.
        unsafe { value.as_ref() }
    }
}

impl FromC for &Type {
    type C = *mut Type;
    unsafe fn from_c(value: *mut Type) -> Self {
        // SAFETY: the caller's promise.
        unsafe { &*value }
    }
}

impl FromC for Option<&Type> {
    type C = *mut Type;
    unsafe fn from_c(value: *mut Type) -> Self {
        // SAFETY: the caller's promise.
        unsafe { value.as_ref() }
    }
}

impl FromC for Option<ObjRef> {
    type C = Ptr;
    unsafe fn from_c(value: Ptr) -> Self {
        // SAFETY: the caller gives its reference.
        unsafe { Ref::from_raw_opt(value) }
    }
}

impl FromC for &CStr {
    type C = *const c_char;
    unsafe fn from_c(value: *const c_char) -> Self {
        if value.is_null() {
            return c"";
        }
        // SAFETY: C strings are NUL-terminated.
        unsafe { CStr::from_ptr(value) }
    }
}

impl FromC for Option<&CStr> {
    type C = *const c_char;
    unsafe fn from_c(value: *const c_char) -> Self {
        // SAFETY: C strings are NUL-terminated.
        (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
    }
}

impl<T> FromC for *mut T {
    type C = *mut T;
    unsafe fn from_c(value: *mut T) -> Self {
        value
    }
}

impl<T> FromC for *const T {
    type C = *const T;
    unsafe fn from_c(value: *const T) -> Self {
        value
    }
}

/// What a function gives to C, with the value that says "an exception is set".
pub trait CValue {
    /// The C type.
    type C;
    /// The value of failure.
    const FAILED: Self::C;
    /// The C form.
    fn into_value(self) -> Self::C;
}

impl<T: PyLayout> CValue for Ref<T> {
    type C = Ptr;
    const FAILED: Ptr = std::ptr::null_mut();
    fn into_value(self) -> Ptr {
        self.into_raw().cast()
    }
}

impl<T: PyLayout> CValue for Option<Ref<T>> {
    type C = Ptr;
    const FAILED: Ptr = std::ptr::null_mut();
    fn into_value(self) -> Ptr {
        self.map_or(std::ptr::null_mut(), |value| value.into_raw().cast())
    }
}

impl<T> CValue for *mut T {
    type C = *mut T;
    const FAILED: *mut T = std::ptr::null_mut();
    fn into_value(self) -> *mut T {
        self
    }
}

impl<T> CValue for *const T {
    type C = *const T;
    const FAILED: *const T = std::ptr::null();
    fn into_value(self) -> *const T {
        self
    }
}

/// The result of a C function that returns nothing.
pub struct Void;

impl CValue for Void {
    type C = ();
    const FAILED: () = ();
    fn into_value(self) {}
}

impl CValue for () {
    type C = c_int;
    const FAILED: c_int = -1;
    fn into_value(self) -> c_int {
        0
    }
}

impl CValue for bool {
    type C = c_int;
    const FAILED: c_int = -1;
    fn into_value(self) -> c_int {
        c_int::from(self)
    }
}

macro_rules! plain {
    ($($t:ty = $failed:expr;)*) => {$(
        impl FromC for $t {
            type C = $t;
            unsafe fn from_c(value: $t) -> $t {
                value
            }
        }
        impl CValue for $t {
            type C = $t;
            const FAILED: $t = $failed;
            fn into_value(self) -> $t {
                self
            }
        }
    )*};
}

plain! {
    c_int = -1;
    c_uint = c_uint::MAX;
    c_long = -1;
    u64 = u64::MAX;
    isize = -1;
    usize = usize::MAX;
    c_double = -1.0;
    u8 = u8::MAX;
    i8 = -1;
}

/// The result of an exported function.
pub trait IntoC {
    /// The C type.
    type C;
    /// The C form.
    fn into_c(self) -> Self::C;
}

impl<T: CValue> IntoC for T {
    type C = T::C;
    fn into_c(self) -> T::C {
        self.into_value()
    }
}

impl<T: CValue> IntoC for PyResult<T> {
    type C = T::C;
    fn into_c(self) -> T::C {
        match self {
            Ok(value) => value.into_value(),
            Err(Raised) => T::FAILED,
        }
    }
}

/// Exports functions of the C API. The first name is the thread state's; bodies may use raw pointers as C does.
macro_rules! capi {
    ($($(#[$meta:meta])* fn $name:ident($vm:ident $(, $arg:ident: $t:ty)* $(,)?) -> $result:ty $body:block)*) => {$(
        $(#[$meta])*
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: <$t as FromC>::C),*) -> <$result as IntoC>::C {
            // SAFETY: C code calls the API from an attached thread and keeps the manual's promises for each argument.
            #[allow(unused_unsafe, unused_variables, clippy::redundant_closure_call, clippy::unit_arg)]
            unsafe {
                let $vm: &Vm = Vm::current();
                $(let $arg: $t = <$t as FromC>::from_c($arg);)*
                IntoC::into_c((move || -> $result { $body })())
            }
        }
    )*};
}
pub(crate) use capi;

/// `PyErr_BadInternalCall`.
#[cold]
pub fn bad_internal_call(vm: &Vm) -> Raised {
    vm.system_error("bad argument to internal function")
}

/// The object as a `T`, or `SystemError`: C code passed something of another type.
pub fn expect<'a, T: PyLayout>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a T> {
    object.and_then(Object::downcast_ref::<T>).ok_or_else(|| bad_internal_call(vm))
}

/// Null given where an object is wanted: an exception that waits is passed on, else `SystemError`.
pub fn present<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Object> {
    match object {
        Some(object) => Ok(object),
        None if vm.has_exception() => Err(Raised),
        None => Err(vm.system_error("null argument to internal routine")),
    }
}

/// A size that C gives; negative ones are `SystemError`.
pub fn size(value: isize, vm: &Vm) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| bad_internal_call(vm))
}

/// A result's count as C's signed size.
pub fn signed(value: usize) -> isize {
    isize::try_from(value).unwrap_or(isize::MAX)
}

/// A name given in UTF-8, interned.
pub fn name(text: &CStr, vm: &Vm) -> PyResult<Ref<Str>> {
    match text.to_str() {
        Ok(text) => Ok(vm.intern(text)),
        Err(_) => decode_utf8(text.to_bytes(), vm),
    }
}

/// Strict UTF-8.
pub fn decode_utf8(bytes: &[u8], vm: &Vm) -> PyResult<Ref<Str>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Str::try_from_str(text, vm),
        Err(_) => {
            taipan_vm::builtins::codecs_core::utf8::decode(bytes, None, "strict", true, vm).map(|r| r.0)
        }
    }
}

/// A C string for Rust's use.
pub fn lossy(text: &CStr) -> Cow<'_, str> {
    text.to_string_lossy()
}

/// An attribute's name given as an object.
pub fn attr_name<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    object.downcast_ref::<Str>().ok_or_else(|| {
        vm.type_error(format!("attribute name must be string, not '{}'", object.ob_type().name()))
    })
}

/// Bytes that C describes by pointer and length.
///
/// # Safety
/// `data` points to `len` readable bytes, or `len` is 0.
pub unsafe fn bytes_at<'a>(data: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 || data.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data.cast(), len) }
}

/// The array of objects that C describes by pointer and length.
///
/// # Safety
/// `items` points to `len` live objects, or `len` is 0.
pub unsafe fn objects_at<'a>(items: *const Ptr, len: usize) -> &'a [&'a Object] {
    // SAFETY: the caller's promise.
    unsafe { taipan_vm::protocols::native::arg_slice(items, len) }
}
