//! Process and signal functions, context variables, and what remains of the utilities (C API manual, "Utilities" and
//! "Context Variables Objects").

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong};

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;

use crate::float::ComplexValue;
use crate::support::*;

#[unsafe(no_mangle)]
pub extern "C" fn PyTraceMalloc_Track(_domain: c_uint, _pointer: usize, _size: usize) -> c_int {
    // -2: tracing is off.
    -2
}

#[unsafe(no_mangle)]
pub extern "C" fn PyTraceMalloc_Untrack(_domain: c_uint, _pointer: usize) -> c_int {
    -2
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_strtol(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_long {
    // SAFETY: C's own contract.
    unsafe { libc::strtol(text, end, base) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_strtoul(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_ulong {
    // SAFETY: C's own contract.
    unsafe { libc::strtoul(text, end, base) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_mystricmp(a: *const c_char, b: *const c_char) -> c_int {
    // SAFETY: C's own contract.
    unsafe { libc::strcasecmp(a, b) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_mystrnicmp(a: *const c_char, b: *const c_char, length: isize) -> c_int {
    // SAFETY: C's own contract.
    unsafe { libc::strncasecmp(a, b, usize::try_from(length).unwrap_or(0)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_setsig(number: c_int, handler: usize) -> usize {
    // SAFETY: C's own contract; the structures are locals.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        let mut old: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handler;
        libc::sigemptyset(&raw mut new.sa_mask);
        if libc::sigaction(number, &raw const new, &raw mut old) != 0 {
            libc::SIG_ERR
        } else {
            old.sa_sigaction
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyOS_getsig(number: c_int) -> usize {
    // SAFETY: the structure is a local.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(number, std::ptr::null(), &raw mut old) != 0 {
            libc::SIG_ERR
        } else {
            old.sa_sigaction
        }
    }
}

/// As if SIGINT had come.
#[unsafe(no_mangle)]
pub extern "C" fn PyErr_SetInterrupt() {
    // SAFETY: the handler that is installed notes the signal for the main thread.
    unsafe { libc::raise(libc::SIGINT) };
}

#[unsafe(no_mangle)]
pub extern "C" fn PyErr_SetInterruptEx(number: c_int) -> c_int {
    if !(1..=64).contains(&number) {
        return -1;
    }
    // SAFETY: as above.
    unsafe { libc::raise(number) };
    0
}

/// A bound of a slice: none keeps the default, others go through `__index__` and are clamped.
fn slice_index(object: Option<&Object>, place: *mut isize, vm: &Vm) -> c_int {
    let Some(object) = object else { return 1 };
    if !object.has_index() {
        vm.type_error("slice indices must be integers or None or have an __index__ method");
        return 0;
    }
    match number::as_isize_clamped(object, vm) {
        Ok(value) => {
            // SAFETY: the place is the caller's variable.
            unsafe { *place = value };
            1
        }
        Err(Raised) => 0,
    }
}

fn contextvars(name: &str, vm: &Vm) -> PyResult {
    taipan_vm::import::import_module("_contextvars", vm)?.get_attr(&vm.intern(name), vm)
}

capi! {
    fn _PyEval_SliceIndex(vm, object: Option<&Object>, place: *mut isize) -> c_int {
        slice_index(object.filter(|o| !vm.is_none(o)), place, vm)
    }

    fn _PyEval_SliceIndexNotNone(vm, object: Option<&Object>, place: *mut isize) -> c_int {
        slice_index(object, place, vm)
    }

    fn PyContextVar_New(vm, name: &CStr, default: Option<&Object>) -> PyResult {
        let class = contextvars("ContextVar", vm)?;
        let name = decode_utf8(name.to_bytes(), vm)?;
        match default {
            Some(default) => {
                let names = vm.new_tuple([vm.intern("default").into_object()]);
                class.call_kw(&[name.as_object(), default], Some(&*names), vm)
            }
            None => class.call(&[name.as_object()], vm),
        }
    }

    fn PyContextVar_Get(vm, variable: &Object, default: Option<&Object>, place: *mut Ptr) -> PyResult<()> {
        *place = std::ptr::null_mut();
        let get = variable.get_attr(&vm.intern("get"), vm)?;
        let found = match default {
            Some(default) => get.call(&[default], vm),
            None => get.call_no_args(vm),
        };
        match found {
            Ok(found) => *place = found.into_raw(),
            Err(Raised) if vm.exception_matches(types::lookup_error()) => vm.clear_exception(),
            Err(Raised) => return Err(Raised),
        }
        Ok(())
    }

    fn PyContextVar_Set(vm, variable: &Object, value: &Object) -> PyResult {
        variable.call_method(&vm.intern("set"), &[value], vm)
    }

    fn PyContextVar_Reset(vm, variable: &Object, token: &Object) -> PyResult<()> {
        variable.call_method(&vm.intern("reset"), &[token], vm).map(drop)
    }

    fn PyContext_New(vm) -> PyResult {
        contextvars("Context", vm)?.call_no_args(vm)
    }

    fn PyContext_Copy(vm, context: &Object) -> PyResult {
        context.call_method(&vm.intern("copy"), &[], vm)
    }

    fn PyContext_CopyCurrent(vm) -> PyResult {
        contextvars("copy_context", vm)?.call_no_args(vm)
    }

    fn PyCFunction_Call(vm, callable: &Object, args: &Object, kwargs: Option<&Object>) -> PyResult {
        let kwargs = kwargs.and_then(Object::downcast_ref::<Dict>);
        callable.call_tuple_dict(expect::<Tuple>(Some(args), vm)?, kwargs, vm)
    }
}

macro_rules! complex_operators {
    ($($name:ident $function:path;)*) => {
        capi! {$(
            fn $name(vm, a: ComplexValue, b: ComplexValue) -> PyResult<ComplexValue> {
                let (a, b) = (a.object(vm), b.object(vm));
                ComplexValue::of(&*$function(&a, &b, vm)?, vm)
            }
        )*}
    };
}

fn power(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    number::power(a, b, vm.none_ref(), vm)
}

complex_operators! {
    _Py_c_sum number::add;
    _Py_c_diff number::subtract;
    _Py_c_prod number::multiply;
    _Py_c_quot number::true_divide;
    _Py_c_pow power;
}

capi! {
    fn _Py_c_neg(vm, value: ComplexValue) -> PyResult<ComplexValue> {
        ComplexValue::of(&*number::negative(&value.object(vm), vm)?, vm)
    }

    fn _Py_c_abs(vm, value: ComplexValue) -> PyResult<f64> {
        number::absolute(&value.object(vm), vm)?.as_f64(vm)
    }
}

/// The text in the file system's encoding, for `PyMem_Free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_DecodeLocale(text: *const c_char, length: *mut usize) -> *mut u32 {
    // SAFETY: C strings are NUL-terminated; undecodable bytes become surrogates, as os.fsdecode makes them.
    unsafe {
        let bytes = <&CStr>::from_c(text).to_bytes();
        let mut units = Vec::new();
        for chunk in bytes.utf8_chunks() {
            units.extend(chunk.valid().chars().map(u32::from));
            units.extend(chunk.invalid().iter().map(|&byte| 0xdc00 + u32::from(byte)));
        }
        if !length.is_null() {
            *length = units.len();
        }
        units.push(0);
        let block = taipan_object::alloc::raw_malloc(units.len() * 4).cast::<u32>();
        if !block.is_null() {
            std::ptr::copy_nonoverlapping(units.as_ptr(), block, units.len());
        }
        block
    }
}
