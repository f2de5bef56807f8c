//! Keys and values of `_dbm` and `_gdbm`, as the C libraries of both take them.

use std::ffi::{CString, c_char, c_int};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path;

/// A key or value: bytes and their number; null for none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Datum {
    data: *const c_char,
    size: c_int,
}

impl Datum {
    /// What bytes stand for; they must live as long as it is used. Raises `OverflowError`.
    pub fn of(bytes: &[u8], vm: &Vm) -> PyResult<Datum> {
        let size =
            c_int::try_from(bytes.len()).map_err(|_| vm.overflow_error("size does not fit in an int"))?;
        Ok(Datum { data: bytes.as_ptr().cast(), size })
    }

    /// Whether the library gave nothing.
    pub fn is_none(&self) -> bool {
        self.data.is_null()
    }

    /// A copy of the bytes; none where the library gave nothing.
    ///
    /// # Safety
    /// It comes from the library, and the library's memory is still as it was then.
    pub unsafe fn bytes(&self, vm: &Vm) -> Option<Ref<Bytes>> {
        if self.is_none() {
            return None;
        }
        let size = usize::try_from(self.size).unwrap_or(0);
        // SAFETY: the library vouches for so many bytes.
        Some(vm.new_bytes(unsafe { std::slice::from_raw_parts(self.data.cast(), size) }))
    }

    /// Gives memory back that the library handed over.
    ///
    /// # Safety
    /// The library asks for that, and nobody uses the bytes any more.
    pub unsafe fn free(self) {
        // SAFETY: the library got it from `malloc`.
        unsafe { libc::free(self.data.cast_mut().cast()) };
    }
}

/// The bytes of a str in UTF-8 or of bytes; none for anything else.
pub fn text_or_bytes(object: &Object, vm: &Vm) -> Option<Vec<u8>> {
    if let Some(text) = object.downcast_ref::<Str>() {
        return match text.to_utf8(vm) {
            Ok(text) => Some(text.as_bytes().to_vec()),
            Err(Raised) => {
                vm.clear_exception();
                None
            }
        };
    }
    object.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec())
}

/// The bytes of a str in UTF-8 or of anything bytes-like. Raises `TypeError`.
pub fn text_or_buffer(object: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    match object.downcast_ref::<Str>() {
        Some(text) => Ok(text.to_utf8(vm)?.as_bytes().to_vec()),
        None => Ok(BufferArg::from_object(object, vm)?.as_bytes().to_vec()),
    }
}

/// The name of a file for the library. Raises `ValueError` for a name that C can't hold.
pub fn file_name(filename: &Object, vm: &Vm) -> PyResult<CString> {
    let object = path::fspath(filename, vm)?;
    let name = path::path_bytes(&object, "", vm);
    name.ok().and_then(|name| CString::new(name).ok()).ok_or_else(|| {
        vm.clear_exception();
        vm.value_error("embedded null byte")
    })
}

/// Raises `TypeError` for what is no key of a mapping of that name.
pub fn check_key(key: &Object, mapping: &str, vm: &Vm) -> PyResult<()> {
    if key.downcast_ref::<Str>().is_some() || key.downcast_ref::<Bytes>().is_some() {
        return Ok(());
    }
    let name = key.ob_type().tp_name_str();
    Err(vm.type_error(format!("{mapping} key must be bytes or string, not {name}")))
}
