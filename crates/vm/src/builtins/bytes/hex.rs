//! Hexadecimal digits and back: `hex`, `fromhex`.

use crate::builtins::str::StrData;
use crate::prelude::*;
use crate::protocols::buffer::{self, has_buffer};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[inline(always)]
fn digit(value: u8) -> u8 {
    DIGITS.get((value & 15) as usize).copied().unwrap_or(b'0')
}

/// The separator argument: one ASCII character, as text or bytes.
pub fn separator(sep: Option<&Object>, vm: &Vm) -> PyResult<Option<u8>> {
    let Some(sep) = sep else { return Ok(None) };
    if sep.length(vm)? != 1 {
        return Err(vm.value_error("sep must be length 1."));
    }
    let code = if let Some(text) = sep.downcast_ref::<Str>() {
        text.char_at(0)
    } else if let Some(bytes) = sep.downcast_ref::<Bytes>() {
        bytes.as_bytes().first().map(|&b| b.into())
    } else {
        return Err(vm.type_error("sep must be str or bytes."));
    };
    match code.filter(|&c| c < 0x80) {
        Some(code) => Ok(Some(code as u8)),
        None => Err(vm.value_error("sep must be ASCII.")),
    }
}

/// The digits of `data`, with `sep` between groups of `group` bytes: counted from the right, from the left when negative.
pub fn to_hex(data: &[u8], sep: Option<u8>, group: i32, vm: &Vm) -> PyResult<Ref<Str>> {
    let size = group.unsigned_abs() as usize;
    let sep = sep.filter(|_| size > 0 && size < data.len());
    let seps = if sep.is_some() { data.len().saturating_sub(1) / size } else { 0 };
    let len = data.len().checked_mul(2).and_then(|n| n.checked_add(seps)).ok_or_else(|| vm.memory_error())?;
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
    match sep {
        None => data.iter().for_each(|&b| out.extend([digit(b >> 4), digit(b)])),
        Some(sep) => {
            for (index, &b) in data.iter().enumerate() {
                let place = if group > 0 { data.len() - index } else { index };
                if index > 0 && place % size == 0 {
                    out.push(sep);
                }
                out.extend([digit(b >> 4), digit(b)]);
            }
        }
    }
    Ok(Str::from_ascii(&out, vm))
}

fn value(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|d| d as u8)
}

/// The bytes that a text of hexadecimal digits (or a bytes-like object with one) means.
pub fn from_hex(source: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    if let Some(text) = source.downcast_ref::<Str>() {
        return match text.data() {
            StrData::Ucs1(bytes) => parse(bytes, vm),
            wide => {
                // What isn't latin-1 is no digit: stand-ins keep the positions.
                let narrow: Vec<u8> = wide.iter().map(|c| u8::try_from(c).unwrap_or(0xFF)).collect();
                parse(&narrow, vm)
            }
        };
    }
    if !has_buffer(source) {
        return Err(vm.type_error(format!(
            "fromhex() argument must be str or bytes-like, not {}",
            source.ob_type().name()
        )));
    }
    let buffer = source.get_buffer(buffer::SIMPLE, vm)?;
    parse(buffer.as_bytes(), vm)
}

fn parse(text: &[u8], vm: &Vm) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    let bad =
        |at: usize| vm.value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}"));
    while let Some(&first) = text.get(at) {
        if super::methods::algorithms::is_space(first) {
            at += 1;
            continue;
        }
        let Some(high) = value(first) else { return Err(bad(at)) };
        let Some(&second) = text.get(at + 1) else {
            return Err(vm.value_error("fromhex() arg must contain an even number of hexadecimal digits"));
        };
        let Some(low) = value(second) else {
            // A digit alone before the end is an odd number of digits too.
            if text
                .get(at + 1..)
                .is_some_and(|rest| rest.iter().all(|&b| super::methods::algorithms::is_space(b)))
            {
                return Err(vm.value_error("fromhex() arg must contain an even number of hexadecimal digits"));
            }
            return Err(bad(at + 1));
        };
        out.push(high << 4 | low);
        at += 2;
    }
    Ok(out)
}
