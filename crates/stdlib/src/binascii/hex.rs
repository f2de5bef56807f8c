//! Hexadecimal.
#![allow(clippy::indexing_slicing, reason = "a byte is within a table of 256")]

use taipan_vm::prelude::*;

use super::ERROR;

/// The digits of each byte.
const PAIRS: [[u8; 2]; 256] = pairs();
/// The value of each digit; `NO_DIGIT` for what is none.
const VALUES: [u8; 256] = values();
const NO_DIGIT: u8 = 0xff;

const fn pairs() -> [[u8; 2]; 256] {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
}

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let lower = b"0123456789abcdef"[value];
        values[lower as usize] = value as u8;
        values[lower.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
}

/// The value of a hexadecimal digit.
pub fn digit(byte: u8) -> Option<u8> {
    VALUES.get(usize::from(byte)).copied().filter(|value| *value != NO_DIGIT)
}

/// `a2b_hex`.
pub fn decode(text: &[u8], vm: &Vm) -> PyResult<Ref<Bytes>> {
    let (pairs, odd) = text.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(ERROR.raise("Odd-length string", vm));
    }
    let mut out = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        let (high, low) = (VALUES[usize::from(high)], VALUES[usize::from(low)]);
        // A value has no bit above the fourth.
        if (high | low) & 0xf0 != 0 {
            return Err(ERROR.raise("Non-hexadecimal digit found", vm));
        }
        out.push(high << 4 | low);
    }
    Ok(vm.new_bytes(&out))
}

fn push(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&PAIRS[usize::from(byte)]);
}

fn separator(sep: &Object, vm: &Vm) -> PyResult<u8> {
    if sep.length(vm)? != 1 {
        return Err(vm.value_error("sep must be length 1."));
    }
    if let Some(text) = sep.downcast_ref::<Str>() {
        return text
            .char_at(0)
            .and_then(|code| u8::try_from(code).ok())
            .ok_or_else(|| vm.value_error("sep must be ASCII."));
    }
    match sep.downcast_ref::<Bytes>().and_then(|bytes| bytes.as_bytes().first()) {
        Some(&byte) => Ok(byte),
        None => Err(vm.type_error("sep must be str or bytes.")),
    }
}

/// `b2a_hex`: groups of `group` bytes, counted from the right when positive, between separators.
pub fn encode(data: &[u8], sep: Option<&Object>, group: i32, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let separator = sep.map(|sep| separator(sep, vm)).transpose()?;
    let mut out = Vec::with_capacity(data.len().saturating_mul(if separator.is_some() { 3 } else { 2 }));
    let size = group.unsigned_abs() as usize;
    match separator {
        Some(separator) if size > 0 && size < data.len() => {
            let first = match data.len() % size {
                0 => size,
                rest if group > 0 => rest,
                _ => size,
            };
            let (head, tail) = data.split_at(first.min(data.len()));
            for group in std::iter::once(head).chain(tail.chunks(size)) {
                if !out.is_empty() {
                    out.push(separator);
                }
                group.iter().for_each(|&byte| push(&mut out, byte));
            }
        }
        _ => data.iter().for_each(|&byte| push(&mut out, byte)),
    }
    Ok(vm.new_bytes(&out))
}
