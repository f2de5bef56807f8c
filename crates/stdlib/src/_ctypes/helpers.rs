//! C functions that the Python part of ctypes calls by address: `string_at`, `wstring_at`, `memoryview_at`, `cast`.

use std::ffi::{CStr, c_int};

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;
use taipan_vm::protocols::native::to_c;
use taipan_vm::runtime::audit::audit;

use super::data::as_cdata;
use super::stginfo::{StgInfo, info_of_class};
use super::{formats, funcptr, pointer};

fn audit_at(event: &str, address: *const u8, size: isize, vm: &Vm) -> PyResult<()> {
    audit(event, &[&vm.new_int(address as usize), &vm.new_int(size)], vm)
}

/// The bytes at an address, up to the NUL when `size` is -1.
///
/// # Safety
/// Called on an attached thread; the memory is the program's responsibility.
pub unsafe extern "C" fn string_at(address: *const u8, size: c_int) -> *mut Object {
    // SAFETY: as the function's own contract.
    let vm = unsafe { Vm::current() };
    to_c((|| {
        audit_at("ctypes.string_at", address, size as isize, vm)?;
        let len = match usize::try_from(size) {
            Ok(len) => len,
            // SAFETY: the program vouches for a C string.
            Err(_) if size == -1 => unsafe { CStr::from_ptr(address.cast()) }.to_bytes().len(),
            Err(_) => return Err(vm.system_error("Negative size passed to PyBytes_FromStringAndSize")),
        };
        if len == 0 {
            return Ok(vm.new_bytes(&[]).into_object());
        }
        // SAFETY: the program vouches for the memory.
        let bytes = unsafe { std::slice::from_raw_parts(address, len) };
        Ok(Bytes::try_from_slice(bytes, vm)?.into_object())
    })())
}

/// The wide characters at an address, up to the NUL when `size` is -1.
///
/// # Safety
/// As for `string_at`.
pub unsafe extern "C" fn wstring_at(address: *const u8, size: c_int) -> *mut Object {
    // SAFETY: as the function's own contract.
    let vm = unsafe { Vm::current() };
    to_c((|| {
        audit_at("ctypes.wstring_at", address, size as isize, vm)?;
        let len = match usize::try_from(size) {
            Ok(len) => len,
            // SAFETY: the program vouches for a wide string.
            Err(_) if size == -1 => unsafe { formats::wide_len(address) },
            Err(_) => return Err(vm.system_error("Negative size passed to PyUnicode_New")),
        };
        // SAFETY: the program vouches for the memory.
        unsafe { formats::wide_str(address, len, vm) }
    })())
}

/// A view of the memory at an address.
///
/// # Safety
/// As for `string_at`.
pub unsafe extern "C" fn memoryview_at(address: *mut u8, size: isize, readonly: c_int) -> *mut Object {
    // SAFETY: as the function's own contract.
    let vm = unsafe { Vm::current() };
    to_c((|| {
        let event = "ctypes.memoryview_at";
        audit(event, &[&vm.new_int(address as usize), &vm.new_int(size), &vm.new_int(readonly)], vm)?;
        if size < 0 {
            return Err(vm.value_error(format!("memoryview_at: size is negative (or overflowed): {size}")));
        }
        let mut view = buffer::empty_view();
        view.buf = address.cast();
        view.len = size;
        view.itemsize = 1;
        view.readonly = i32::from(readonly != 0);
        view.ndim = 1;
        view.format = c"B".as_ptr().cast_mut();
        let mut length = size;
        view.shape = &raw mut length;
        Ok(MemoryView::from_buffer(view, vm)?.into_object())
    })())
}

fn check_pointer_class(class: &Object, vm: &Vm) -> PyResult<()> {
    let is_function = class.ob_type().is_subtype_of(funcptr::FuncPtrType::type_object());
    if pointer::is_pointer_class(class) || is_function {
        return Ok(());
    }
    let code = info_of_class(class).and_then(StgInfo::proto_code);
    if matches!(code, Some(b's' | b'P' | b'z' | b'U' | b'Z' | b'X' | b'O')) {
        return Ok(());
    }
    let given = class.downcast_ref::<Type>().unwrap_or_else(|| class.ob_type()).tp_name_str();
    Err(vm.type_error(format!("cast() argument 2 must be a pointer type, not {given}")))
}

/// An instance of a pointer type that holds an address, and shares what `source` keeps alive.
///
/// # Safety
/// Called on an attached thread with live objects.
pub unsafe extern "C" fn cast(address: *const u8, source: *mut Object, class: *mut Object) -> *mut Object {
    // SAFETY: as the function's own contract.
    let (vm, source, class) = unsafe { (Vm::current(), &*source, &*class) };
    to_c((|| {
        check_pointer_class(class, vm)?;
        let made = class.call_no_args(vm)?;
        let Some(result) = as_cdata(&made) else { return Err(vm.type_error("not a ctype instance")) };
        if let Some(data) = as_cdata(source) {
            let container = data.container(vm);
            let mut kept = container.objects().get();
            if kept.as_ref().is_some_and(|kept| vm.is_none(kept)) {
                kept = Some(vm.new_dict().into_object());
                container.objects().set(kept.clone());
            }
            if let Some(dict) = kept.as_ref().and_then(|kept| kept.downcast_ref::<Dict>()) {
                dict.set_item(&vm.new_int(source.as_ptr() as usize), source, vm)?;
            }
            result.objects().set(kept);
        }
        result.set_pointer(address);
        Ok(made)
    })())
}
