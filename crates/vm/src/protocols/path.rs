//! File-system paths (PEP 519) and the file-system encoding: UTF-8 with `surrogateescape`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::args::{ArgName, PathArg};
use crate::prelude::*;

/// Encodes a str as the file system takes it. Surrogates U+DC80..U+DCFF stand for the bytes 0x80..0xFF.
pub fn encode(text: &Str, vm: &Vm) -> PyResult<Vec<u8>> {
    if let Some(ascii) = text.as_ascii_str() {
        return Ok(ascii.as_bytes().to_vec());
    }
    let mut bytes = Vec::with_capacity(text.len() * 2);
    for index in 0..text.len() {
        let Some(code) = text.char_at(index) else { break };
        match char::from_u32(code) {
            Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None if (0xDC80..=0xDCFF).contains(&code) => bytes.push((code - 0xDC00) as u8),
            None => {
                // Raises the precise error.
                text.to_utf8(vm)?;
                return Err(vm.value_error("surrogates not allowed"));
            }
        }
    }
    Ok(bytes)
}

/// Decodes bytes of the file system into a str; bytes that are no UTF-8 become surrogates.
pub fn decode(bytes: &[u8], vm: &Vm) -> Ref<Str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return vm.new_str(text);
    }
    let mut codes: Vec<u32> = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        codes.extend(chunk.valid().chars().map(u32::from));
        codes.extend(chunk.invalid().iter().map(|&b| 0xDC00 + u32::from(b)));
    }
    Str::from_code_points(&codes, vm)
}

/// `os.fspath(object)`: str and bytes as they are, else what `__fspath__` gives.
pub fn fspath(object: &Object, vm: &Vm) -> PyResult {
    if object.downcast_ref::<Str>().is_some() || object.downcast_ref::<Bytes>().is_some() {
        return Ok(object.to_ref());
    }
    let name = object.ob_type().tp_name_str();
    let method = object.lookup_special(vm.ids().__fspath__, vm)?;
    let Some(method) = method.filter(|method| !vm.is_none(method)) else {
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")));
    };
    let result = method.call_no_args(vm)?;
    if result.downcast_ref::<Str>().is_some() || result.downcast_ref::<Bytes>().is_some() {
        return Ok(result);
    }
    Err(vm.type_error(format!(
        "expected {name}.__fspath__() to return str or bytes, not {}",
        result.ob_type().tp_name_str()
    )))
}

/// The bytes of a str or bytes path, without NUL.
pub fn path_bytes(path: &Object, what: &str, vm: &Vm) -> PyResult<Vec<u8>> {
    let bytes = match path.downcast_ref::<Str>() {
        Some(text) => encode(text, vm)?,
        None => path.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(),
    };
    if memchr::memchr(0, &bytes).is_some() {
        return Err(vm.value_error(format!("{what}embedded null character")));
    }
    Ok(bytes)
}

/// Converts a path argument.
pub fn to_path(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<PathArg> {
    let is_path = object.downcast_ref::<Str>().is_some()
        || object.downcast_ref::<Bytes>().is_some()
        || object.lookup_special(vm.ids().__fspath__, vm)?.is_some();
    if !is_path {
        return Err(vm.type_error(format!(
            "{}: {} should be string, bytes or os.PathLike, not {}",
            what.func,
            what.name,
            object.ob_type().tp_name_str()
        )));
    }
    let object = fspath(object, vm)?;
    let bytes = path_bytes(&object, &format!("{}: ", what.func), vm)?;
    Ok(PathArg { path: OsString::from_vec(bytes), object })
}

/// A str of an `OsStr`.
pub fn from_os(text: &OsStr, vm: &Vm) -> Ref<Str> {
    decode(text.as_bytes(), vm)
}
