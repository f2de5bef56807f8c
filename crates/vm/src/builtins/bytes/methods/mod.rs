//! What bytes and bytearray have in common.
//!
//! - `algorithms.rs`: functions on byte slices, without objects
//! - `table.rs`: the Python methods, written once and made for both types
//!
//! A bytearray may change whenever Python code runs. So every method first turns its arguments into Rust values, and
//! only then looks at its own bytes.

pub mod algorithms;
mod table;

use crate::builtins::str::StrBuilder;
use crate::prelude::*;
use crate::protocols::buffer::{self, Buffer, has_buffer};

/// A type whose objects are sequences of bytes.
pub trait ByteSequence: PyLayout + AsObject {
    /// The bytes. No Python code runs while the slice lives.
    fn data(&self) -> &[u8];
    /// A new object of the exact type.
    fn make(data: &[u8], vm: &Vm) -> PyResult<ObjRef>;
    /// The result of a method that had nothing to do: the object itself where it is immutable, else a copy.
    fn same(&self, vm: &Vm) -> PyResult<ObjRef>;
}

/// `object.__index__()` as a byte, or `ValueError(text)`.
pub fn byte_from_index(object: &Object, text: &str, vm: &Vm) -> PyResult<u8> {
    let index = object.as_index(vm)?;
    index.to_i64().and_then(|n| u8::try_from(n).ok()).ok_or_else(|| vm.value_error(text))
}

/// How many zeros a constructor's integer argument asks for; `None` when it isn't an integer.
pub fn zero_count(source: &Object, vm: &Vm) -> PyResult<Option<usize>> {
    if !source.has_index() {
        return Ok(None);
    }
    let index = match source.as_index(vm) {
        Ok(index) => index,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Ok(None);
        }
        Err(Raised) => return Err(Raised),
    };
    match index.to_i64() {
        Some(n) if n < 0 => Err(vm.value_error("negative count")),
        Some(n) => Ok(Some(n as usize)),
        None => Err(vm
            .overflow_error(format!("cannot fit '{}' into an index-sized integer", source.ob_type().name()))),
    }
}

/// What a search looks for: one byte given as an integer, or the bytes of a buffer.
pub enum Needle {
    /// A byte.
    Byte([u8; 1]),
    /// Several, or none.
    Buffer(Buffer),
}

impl Needle {
    /// Reads a search's argument.
    pub fn new(object: &Object, vm: &Vm) -> PyResult<Needle> {
        if has_buffer(object) {
            return object.get_buffer(buffer::SIMPLE, vm).map(Needle::Buffer);
        }
        if object.has_index() {
            return Ok(Needle::Byte([byte_from_index(object, "byte must be in range(0, 256)", vm)?]));
        }
        Err(vm.type_error(format!(
            "argument should be integer or bytes-like object, not '{}'",
            object.ob_type().name()
        )))
    }

    /// The bytes to look for.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Needle::Byte(byte) => byte,
            Needle::Buffer(buffer) => buffer.as_bytes(),
        }
    }
}

/// `item in sequence`.
pub fn contains<T: ByteSequence>(sequence: &T, item: &Object, vm: &Vm) -> PyResult<bool> {
    if item.has_index() {
        let index = item.as_index(vm)?;
        let Some(byte) = index.to_i64().and_then(|n| u8::try_from(n).ok()) else {
            return Err(vm.value_error("byte must be in range(0, 256)"));
        };
        return Ok(memchr::memchr(byte, sequence.data()).is_some());
    }
    let needle = item.get_buffer(buffer::SIMPLE, vm)?;
    Ok(algorithms::find(sequence.data(), needle.as_bytes()).is_some())
}

/// `b'…'` with `before` in front of the literal, `after` behind it. A bytearray escapes single quotes even within
/// double ones.
pub fn repr(data: &[u8], before: &str, after: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    let quote = if memchr::memchr(b'\'', data).is_some() && memchr::memchr(b'"', data).is_none() {
        b'"'
    } else {
        b'\''
    };
    let mut out = StrBuilder::new();
    out.reserve(data.len().saturating_add(before.len() + after.len() + 2), vm)?;
    out.push_str(before);
    out.push_char(quote.into());
    for &byte in data {
        match byte {
            b'\t' => out.push_ascii(b"\\t"),
            b'\n' => out.push_ascii(b"\\n"),
            b'\r' => out.push_ascii(b"\\r"),
            b'\\' => out.push_ascii(b"\\\\"),
            b'\'' if quote == b'\'' || !after.is_empty() => out.push_ascii(b"\\'"),
            _ if byte == quote => out.push_ascii(&[b'\\', quote]),
            32..127 => out.push_char(byte.into()),
            _ => crate::builtins::str::repr::push_escape(byte.into(), &mut out),
        }
    }
    out.push_char(quote.into());
    out.push_str(after);
    out.try_finish(vm)
}

/// The warning of `-b` for `str(bytes)`.
pub fn warn_str(name: &str, vm: &Vm) -> PyResult<()> {
    if bytes_warning(vm) == 0 {
        return Ok(());
    }
    crate::builtins::warn::warn(types::bytes_warning(), &format!("str() on a {name} instance"), 1, vm)
}

/// The warning of `-b` for a comparison with text (or with an integer, by `-bb`).
pub fn warn_compare(other: &Object, text: &str, int: &str, vm: &Vm) -> PyResult<()> {
    if bytes_warning(vm) == 0 {
        return Ok(());
    }
    if other.downcast_ref::<Str>().is_some() {
        return crate::builtins::warn::warn(types::bytes_warning(), text, 1, vm);
    }
    if !int.is_empty() && other.downcast_ref::<Int>().is_some() {
        return crate::builtins::warn::warn(types::bytes_warning(), int, 1, vm);
    }
    Ok(())
}

fn bytes_warning(vm: &Vm) -> i32 {
    vm.interp().config.try_borrow().map_or(0, |config| config.bytes_warning)
}

/// A bytes-like argument's memory, with None for "not given".
pub(super) fn optional_buffer(object: Option<&Object>, vm: &Vm) -> PyResult<Option<Buffer>> {
    match object {
        Some(object) if !vm.is_none(object) => object.get_buffer(buffer::SIMPLE, vm).map(Some),
        _ => Ok(None),
    }
}

/// The fill byte of `center` and its relatives.
pub(super) fn fill_byte(fill: Option<&Object>, function: &str, vm: &Vm) -> PyResult<u8> {
    let Some(fill) = fill else { return Ok(b' ') };
    let (data, kind): (&[u8], &str) = if let Some(bytes) = fill.downcast_ref::<Bytes>() {
        (bytes.as_bytes(), "bytes")
    } else if let Some(array) = fill.downcast_ref::<ByteArray>() {
        (array.data(), "bytearray")
    } else {
        return Err(vm.type_error(format!(
            "{function}() argument 2 must be a byte string of length 1, not {}",
            if vm.is_none(fill) { "None" } else { fill.ob_type().name() }
        )));
    };
    match *data {
        [byte] => Ok(byte),
        _ => Err(vm.type_error(format!(
            "{function}(): argument 2 must be a byte string of length 1, not a {kind} object of length {}",
            data.len()
        ))),
    }
}
