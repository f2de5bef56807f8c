//! Bytes and bytearrays (C API manual, "Bytes Objects" and "Byte Array Objects").

use std::ffi::{CStr, c_char, c_void};

use taipan_vm::prelude::*;

use crate::support::*;

fn bytes<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Bytes> {
    let object = object.ok_or_else(|| bad_internal_call(vm))?;
    object
        .downcast_ref::<Bytes>()
        .ok_or_else(|| vm.type_error(format!("expected bytes, {} found", object.ob_type().name())))
}

fn bytearray<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a ByteArray> {
    expect::<ByteArray>(Some(object), vm)
}

/// `a + b` for objects that give their bytes.
fn concat(a: &Object, b: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let refuse = || {
        vm.clear_exception();
        vm.type_error(format!("can't concat {} to {}", b.ob_type().name(), a.ob_type().name()))
    };
    let left = a.get_buffer(0, vm).map_err(|_| refuse())?;
    let right = b.get_buffer(0, vm).map_err(|_| refuse())?;
    Bytes::try_from_slice(&[left.as_bytes(), right.as_bytes()].concat(), vm)
}

/// A bytes object that C code will fill.
fn unfilled(length: usize, vm: &Vm) -> PyResult<Ref<Bytes>> {
    if length == 0 {
        return Ok(Bytes::empty());
    }
    // SAFETY: the caller fills it; until then it holds zeros.
    let made = unsafe { Bytes::allocate(length) }.ok_or_else(|| vm.memory_error())?;
    // SAFETY: the new object has `length` bytes.
    unsafe { made.data_ptr().write_bytes(0, length) };
    Ok(made)
}

/// Replaces what `place` refers to, giving up the old reference.
///
/// # Safety
/// `place` is the caller's variable with an owned reference or null.
unsafe fn replace(place: *mut Ptr, new: Option<ObjRef>) {
    // SAFETY: the caller's promise.
    unsafe {
        let old = std::mem::replace(&mut *place, new.map_or(std::ptr::null_mut(), Ref::into_raw));
        taipan_object::object::xdecref(old);
    }
}

capi! {
    fn PyBytes_FromStringAndSize(vm, data: *const c_void, length: isize) -> PyResult<Ref<Bytes>> {
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.system_error("Negative size passed to PyBytes_FromStringAndSize"));
        };
        if data.is_null() {
            return unfilled(length, vm);
        }
        Bytes::try_from_slice(bytes_at(data, length), vm)
    }

    fn PyBytes_FromString(vm, text: &CStr) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(text.to_bytes(), vm)
    }

    fn PyBytes_FromObject(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
        let object = object.ok_or_else(|| bad_internal_call(vm))?;
        if let Some(exact) = object.downcast_exact::<Bytes>() {
            return Ok(exact.into());
        }
        taipan_vm::builtins::bytes::from_object(object, vm)
    }

    fn PyBytes_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(bytes(object, vm)?.len()))
    }

    fn PyBytes_AsString(vm, object: Option<&Object>) -> PyResult<*mut c_char> {
        Ok(bytes(object, vm)?.data_ptr().cast())
    }

    fn PyBytes_AsStringAndSize(vm, object: Option<&Object>, data: *mut *mut c_char, length: *mut isize) -> PyResult<()> {
        let bytes = bytes(object, vm)?;
        *data = bytes.data_ptr().cast();
        if length.is_null() {
            if bytes.as_bytes().contains(&0) {
                return Err(vm.value_error("embedded null byte"));
            }
        } else {
            *length = signed(bytes.len());
        }
        Ok(())
    }

    fn PyBytes_Repr(vm, object: &Object, smart: std::ffi::c_int) -> PyResult<Ref<Str>> {
        bytes(Some(object), vm)?.as_object().repr(vm)
    }

    fn PyBytes_Concat(vm, place: *mut Ptr, other: Option<&Object>) -> Void {
        let Some(left) = (*place).as_ref() else { return Void };
        let joined = other.and_then(|other| concat(left, other, vm).ok());
        replace(place, joined.map(Ref::into_object));
        Void
    }

    fn PyBytes_ConcatAndDel(vm, place: *mut Ptr, other: Option<ObjRef>) -> Void {
        let Some(left) = (*place).as_ref() else { return Void };
        let joined = other.as_ref().and_then(|other| concat(left, other, vm).ok());
        replace(place, joined.map(Ref::into_object));
        Void
    }

    fn PyBytes_Join(vm, separator: &Object, items: &Object) -> PyResult {
        bytes(Some(separator), vm)?;
        separator.call_method(&vm.intern("join"), &[items], vm)
    }

    fn _PyBytes_Join(vm, separator: &Object, items: &Object) -> PyResult {
        bytes(Some(separator), vm)?;
        separator.call_method(&vm.intern("join"), &[items], vm)
    }

    fn PyBytes_DecodeEscape(vm, data: *const c_char, length: isize, errors: Option<&CStr>, unicode: isize, recode: *const c_char) -> PyResult<Ref<Bytes>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        let errors = errors.map_or("strict".into(), lossy);
        taipan_vm::builtins::codecs_core::escape::decode_bytes(data, &errors, vm)
    }

    fn _PyBytes_Resize(vm, place: *mut Ptr, length: isize) -> PyResult<()> {
        let old = (*place).as_ref();
        let (Some(old), Ok(length)) = (old.and_then(Object::downcast_ref::<Bytes>), usize::try_from(length)) else {
            replace(place, None);
            return Err(bad_internal_call(vm));
        };
        if old.len() == length {
            return Ok(());
        }
        let made = match unfilled(length, vm) {
            Ok(made) => made,
            Err(raised) => {
                replace(place, None);
                return Err(raised);
            }
        };
        let keep = old.len().min(length);
        std::ptr::copy_nonoverlapping(old.data_ptr(), made.data_ptr(), keep);
        replace(place, Some(made.into_object()));
        Ok(())
    }

    fn PyByteArray_FromStringAndSize(vm, data: *const c_void, length: isize) -> PyResult<Ref<ByteArray>> {
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.system_error("Negative size passed to PyByteArray_FromStringAndSize"));
        };
        if data.is_null() {
            let made = ByteArray::from_slice(&[], vm)?;
            made.resize_to(length, vm)?;
            return Ok(made);
        }
        ByteArray::from_slice(bytes_at(data, length), vm)
    }

    fn PyByteArray_FromObject(vm, object: &Object) -> PyResult {
        ByteArray::type_object().as_object().call(&[object], vm)
    }

    fn PyByteArray_Concat(vm, a: &Object, b: &Object) -> PyResult<Ref<ByteArray>> {
        let joined = concat(a, b, vm)?;
        ByteArray::from_slice(joined.as_bytes(), vm)
    }

    fn PyByteArray_Size(vm, object: &Object) -> PyResult<isize> {
        Ok(signed(bytearray(object, vm)?.len()))
    }

    fn PyByteArray_AsString(vm, object: &Object) -> PyResult<*mut c_char> {
        let array = bytearray(object, vm)?;
        if array.is_empty() {
            return Ok((&raw const _PyByteArray_empty_string).cast_mut().cast());
        }
        Ok(array.data_ptr().cast())
    }

    fn PyByteArray_Resize(vm, object: &Object, length: isize) -> PyResult<()> {
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.value_error(format!("Can only resize to positive sizes, got {length}")));
        };
        let array = bytearray(object, vm)?;
        if array.len() == length {
            return Ok(());
        }
        array.check_resizable(vm)?;
        array.resize_to(length, vm)
    }
}

/// What `PyByteArray_AS_STRING` gives for an empty bytearray.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static _PyByteArray_empty_string: [u8; 1] = [0];
