//! `int(text, base)`.

use taipan_numeric::int::{ParseIntError, parse};

use super::Int;
use crate::prelude::*;

/// Maps a str to the ASCII text that the grammar of integers and floats is defined on: decimal digits of any script become
/// ASCII digits, white space becomes blanks, anything else that is not ASCII a character that no number has.
pub fn to_ascii(text: &Str) -> Vec<u8> {
    if let Some(ascii) = text.as_ascii_str() {
        return ascii.as_bytes().to_vec();
    }
    (0..text.len())
        .filter_map(|at| text.char_at(at))
        .map(|code| match u8::try_from(code) {
            Ok(byte) if byte < 128 => byte,
            _ if taipan_unicode::is_space(code) => b' ',
            _ => taipan_unicode::decimal_value(code).map_or(b'?', |digit| b'0' + digit),
        })
        .collect()
}

/// Parses ASCII text; `shown` is what the error message shows.
pub fn parse_int(text: &[u8], base: u32, shown: &Object, vm: &Vm) -> PyResult {
    let limit = usize::try_from(vm.interp().int_max_str_digits.get()).unwrap_or(0);
    match parse(text, base, limit) {
        Ok(value) => Ok(Int::from_big(value, vm)),
        Err(ParseIntError::Base) => Err(vm.value_error("int() base must be >= 2 and <= 36, or 0")),
        Err(ParseIntError::Invalid) => {
            let shown = shown.repr(vm)?;
            let shown = shown.to_string_lossy();
            let short: String = shown.chars().take(200).collect();
            Err(vm.value_error(format!("invalid literal for int() with base {base}: {short}")))
        }
        Err(ParseIntError::TooManyDigits(count)) => Err(vm.value_error(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion: value has {count} digits; use sys.set_int_max_str_digits() to increase the limit"
        ))),
    }
}

/// The int that a str, bytes or other buffer spells; none for objects that are no text.
pub fn from_text_object(object: &Object, base: u32, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(text) = object.downcast_ref::<Str>() {
        return parse_int(&to_ascii(text), base, object, vm).map(Some);
    }
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        return parse_int(bytes.as_bytes(), base, object, vm).map(Some);
    }
    if object.downcast_ref::<ByteArray>().is_some() {
        let buffer = object.get_buffer(crate::protocols::buffer::SIMPLE, vm)?;
        let shown = vm.new_bytes(buffer.as_bytes());
        return parse_int(shown.as_bytes(), base, shown.as_object(), vm).map(Some);
    }
    if base == 10 && object.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some()) {
        let buffer = object.get_buffer(crate::protocols::buffer::SIMPLE, vm)?;
        let shown = vm.new_bytes(buffer.as_bytes());
        return parse_int(shown.as_bytes(), base, shown.as_object(), vm).map(Some);
    }
    Ok(None)
}
