//! Text encodings: the codecs that Python has natively, their error handlers, and the registry (library reference,
//! "codecs").
//!
//! - `registry.rs`: search functions, looked-up codecs, registered error handlers
//! - `errors.rs`: what happens at a character or byte that a codec can't convert
//! - a file each for `utf8`, `utf16_32`, `utf7`, `narrow` (ASCII, Latin-1), `charmap`, `escape`
//!
//! Decoders and encoders are functions that run until something can't be converted and say where and why; `errors.rs`
//! drives them on from there.

pub mod charmap;
pub mod errors;
pub mod escape;
pub mod handlers;
pub mod module;
pub mod names;
pub mod narrow;
pub mod registry;
pub mod utf16_32;
pub mod utf7;
pub mod utf8;

pub use registry::CodecRegistry;

use crate::prelude::*;
use crate::protocols::buffer::{self, Buffer};

/// The encodings that `str.encode` and `bytes.decode` do without the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Native {
    Utf8,
    Ascii,
    Latin1,
    Utf16,
    Utf32,
}

fn native(encoding: &str) -> Option<Native> {
    // The spellings are at most ten letters; upper case and other punctuation count as the same.
    let mut name = [0u8; 10];
    let bytes = encoding.as_bytes();
    let name = name.get_mut(..bytes.len())?;
    for (to, from) in name.iter_mut().zip(bytes) {
        *to = match from.to_ascii_lowercase() {
            b'-' | b' ' => b'_',
            other => other,
        };
    }
    Some(match &*name {
        b"utf_8" | b"utf8" => Native::Utf8,
        b"ascii" | b"us_ascii" => Native::Ascii,
        b"latin1" | b"latin_1" | b"iso_8859_1" | b"iso8859_1" => Native::Latin1,
        b"utf_16" | b"utf16" => Native::Utf16,
        b"utf_32" | b"utf32" => Native::Utf32,
        _ => return None,
    })
}

/// `text.encode(encoding, errors)`: bytes.
pub fn encode_str(text: &Str, encoding: &str, errors: &str, vm: &Vm) -> PyResult<ObjRef> {
    check_name(encoding, vm)?;
    check_name(errors, vm)?;
    let made = match native(encoding) {
        Some(Native::Utf8) => utf8::encode(text, errors, vm)?,
        Some(Native::Ascii) => narrow::encode_ascii(text, errors, vm)?,
        // The name in errors is the one of the codec.
        Some(Native::Latin1) => narrow::encode_latin1(text, errors, vm)?,
        Some(Native::Utf16) => utf16_32::encode16(text, errors, utf16_32::Order::Marked, vm)?,
        Some(Native::Utf32) => utf16_32::encode32(text, errors, utf16_32::Order::Marked, vm)?,
        None => return registry::encode_text(text, encoding, errors, vm),
    };
    Ok(made.into_object())
}

/// The text of bytes; `source` is the object that they belong to.
pub fn decode_object(
    source: &Object,
    data: &[u8],
    encoding: &str,
    errors: &str,
    vm: &Vm,
) -> PyResult<Ref<Str>> {
    check_name(encoding, vm)?;
    check_name(errors, vm)?;
    let Some(native) = native(encoding) else { return registry::decode_text(source, encoding, errors, vm) };
    let source = source.downcast_ref::<Bytes>();
    let decoded = match native {
        Native::Utf8 => utf8::decode(data, source, errors, true, vm)?.0,
        Native::Ascii => narrow::decode_ascii(data, source, errors, vm)?,
        Native::Latin1 => Str::try_from_latin1(data, vm)?,
        Native::Utf16 => {
            let mut order = utf16_32::Order::Marked;
            utf16_32::decode16(data, source, errors, &mut order, true, vm)?.0
        }
        Native::Utf32 => {
            let mut order = utf16_32::Order::Marked;
            utf16_32::decode32(data, source, errors, &mut order, true, vm)?.0
        }
    };
    Ok(decoded)
}

/// The text of a buffer's bytes. Codecs from the registry get a memoryview of it.
pub fn decode_buffer(buffer: &Buffer, encoding: &str, errors: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    if native(encoding).is_some() {
        return decode_object(vm.none_ref(), buffer.as_bytes(), encoding, errors, vm);
    }
    check_name(encoding, vm)?;
    check_name(errors, vm)?;
    let Some(owner) = buffer.owner() else { return Err(vm.system_error("buffer without owner")) };
    let view = crate::builtins::memoryview::MemoryView::from_object(owner, vm)?;
    registry::decode_text(view.as_object(), encoding, errors, vm)
}

/// `bytes.decode` and `bytearray.decode`.
pub fn decode_method(object: &Object, encoding: &str, errors: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        return decode_object(object, bytes.as_bytes(), encoding, errors, vm);
    }
    let buffer = object.get_buffer(buffer::SIMPLE, vm)?;
    decode_buffer(&buffer, encoding, errors, vm)
}

fn check_name(name: &str, vm: &Vm) -> PyResult<()> {
    if memchr::memchr(0, name.as_bytes()).is_some() {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(())
}
