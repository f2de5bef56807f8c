//! Escape sequences: `unicode_escape`, `raw_unicode_escape`, and `escape` for bytes.

use super::errors::{Decoding, Outcome};
use super::names;
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

/// An escape sequence that means nothing yet is kept, and deprecated.
#[derive(Debug, Clone, Copy)]
pub enum Invalid {
    /// A backslash before this character.
    Char(u32),
    /// An octal number beyond 0o377.
    Octal(u32),
}

fn warn_invalid(invalid: Option<Invalid>, prefix: &str, vm: &Vm) -> PyResult<()> {
    let text = match invalid {
        None => return Ok(()),
        Some(Invalid::Char(code)) => {
            let shown = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            format!(
                "{prefix}\"\\{shown}\" is an invalid escape sequence. Such sequences will not work in the future. "
            )
        }
        Some(Invalid::Octal(value)) => format!(
            "{prefix}\"\\{value:o}\" is an invalid octal escape sequence. Such sequences will not work in the future. "
        ),
    };
    crate::builtins::warn::deprecation(&text, vm)
}

/// The value of up to `limit` hexadecimal digits at `at`, and how many there are.
fn hex_digits(input: &[u8], at: usize, limit: usize) -> (u32, usize) {
    let digits = input.get(at..).unwrap_or(&[]).iter().take(limit);
    let mut count = 0;
    let mut value = 0u32;
    for digit in digits {
        let Some(digit) = char::from(*digit).to_digit(16) else { break };
        value = (value << 4) | digit;
        count += 1;
    }
    (value, count)
}

/// Up to three octal digits at `at`.
fn octal_digits(input: &[u8], at: usize) -> (u32, usize) {
    let mut count = 0;
    let mut value = 0u32;
    for digit in input.get(at..).unwrap_or(&[]).iter().take(3) {
        let Some(digit) = char::from(*digit).to_digit(8) else { break };
        value = (value << 3) | digit;
        count += 1;
    }
    (value, count)
}

/// The byte that a one-letter escape means.
fn simple(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'f' => 12,
        b'r' => 13,
        b'v' => 11,
        b'a' => 7,
        _ => return None,
    })
}

fn unicode_step(
    input: &[u8],
    mut at: usize,
    whole: bool,
    out: &mut StrBuilder,
    invalid: &mut Option<Invalid>,
) -> Outcome {
    while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.push_ascii(rest.get(..plain).unwrap_or(rest));
        at += plain;
        if plain == rest.len() {
            break;
        }
        let start = at;
        let fail = |end: usize, reason| {
            if end == input.len() && !whole {
                Outcome::Done(start)
            } else {
                Outcome::Fail { start, end, reason }
            }
        };
        let Some(&letter) = input.get(at + 1) else { return fail(at + 1, "\\ at end of string") };
        at += 2;
        if let Some(byte) = simple(letter) {
            out.push_char(byte.into());
            continue;
        }
        let (digits, reason) = match letter {
            b'\n' => continue,
            b'0'..=b'7' => {
                let (value, count) = octal_digits(input, at - 1);
                at += count - 1;
                if at == input.len() && count < 3 && !whole {
                    return Outcome::Done(start);
                }
                if value > 0o377 && invalid.is_none() {
                    *invalid = Some(Invalid::Octal(value));
                }
                out.push_char(value);
                continue;
            }
            b'x' => (2, "truncated \\xXX escape"),
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            b'N' => {
                let malformed = "malformed \\N character escape";
                if input.get(at) != Some(&b'{') {
                    return fail(at, malformed);
                }
                let Some(len) = memchr::memchr(b'}', input.get(at..).unwrap_or(&[])) else {
                    return fail(input.len(), malformed);
                };
                if len == 1 {
                    return Outcome::Fail { start, end: at + 1, reason: malformed };
                }
                let name = input.get(at + 1..at + len).and_then(|name| std::str::from_utf8(name).ok());
                at += len + 1;
                match name.and_then(names::lookup) {
                    Some(code) => out.push_char(code),
                    None => {
                        return Outcome::Fail { start, end: at, reason: "unknown Unicode character name" };
                    }
                }
                continue;
            }
            other => {
                if invalid.is_none() {
                    *invalid = Some(Invalid::Char(other.into()));
                }
                out.push_ascii(&[b'\\', other]);
                continue;
            }
        };
        let (value, count) = hex_digits(input, at, digits);
        at += count;
        if count < digits {
            return fail(at, reason);
        }
        if value > 0x10_FFFF {
            return Outcome::Fail { start, end: at, reason: "illegal Unicode character" };
        }
        out.push_char(value);
    }
    Outcome::Done(input.len())
}

/// Decodes `unicode_escape` without warning of invalid sequences; the first of them is told instead.
pub fn decode_unicode_quietly(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize, Option<Invalid>)> {
    let mut out = StrBuilder::new();
    let mut invalid = None;
    let used = Decoding::new("unicodeescape", errors, data, source).run(
        0,
        &mut out,
        |input, at, out| Ok(unicode_step(input, at, whole, out, &mut invalid)),
        vm,
    )?;
    Ok((out.try_finish(vm)?, used, invalid))
}

/// `data.decode("unicode_escape", errors)`.
pub fn decode_unicode(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    let (text, used, invalid) = decode_unicode_quietly(data, source, errors, whole, vm)?;
    warn_invalid(invalid, "", vm)?;
    Ok((text, used))
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_hex(code: u32, digits: u32, out: &mut Vec<u8>) {
    for place in (0..digits).rev() {
        out.push(HEX.get((code >> (place * 4)) as usize & 15).copied().unwrap_or(b'0'));
    }
}

/// `text.encode("unicode_escape")`.
pub fn encode_unicode(text: &Str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    for code in text.data().iter() {
        match code {
            9 => out.extend(b"\\t"),
            10 => out.extend(b"\\n"),
            13 => out.extend(b"\\r"),
            92 => out.extend(b"\\\\"),
            32..127 => out.push(code as u8),
            0..0x100 => {
                out.extend(b"\\x");
                push_hex(code, 2, &mut out);
            }
            0..0x1_0000 => {
                out.extend(b"\\u");
                push_hex(code, 4, &mut out);
            }
            _ => {
                out.extend(b"\\U");
                push_hex(code, 8, &mut out);
            }
        }
    }
    Bytes::try_from_slice(&out, vm)
}

fn raw_step(input: &[u8], mut at: usize, whole: bool, out: &mut StrBuilder) -> Outcome {
    while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.push_ascii(rest.get(..plain).unwrap_or(rest));
        at += plain;
        if plain == rest.len() {
            break;
        }
        let start = at;
        let Some(&letter) = input.get(at + 1) else {
            if !whole {
                return Outcome::Done(start);
            }
            out.push_char(u32::from(b'\\'));
            break;
        };
        at += 2;
        let (digits, reason) = match letter {
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            other => {
                out.push_ascii(&[b'\\', other]);
                continue;
            }
        };
        let (value, count) = hex_digits(input, at, digits);
        at += count;
        if count < digits {
            if at == input.len() && !whole {
                return Outcome::Done(start);
            }
            return Outcome::Fail { start, end: at, reason };
        }
        if value > 0x10_FFFF {
            return Outcome::Fail { start, end: at, reason: "\\Uxxxxxxxx out of range" };
        }
        out.push_char(value);
    }
    Outcome::Done(input.len())
}

/// `data.decode("raw_unicode_escape", errors)`.
pub fn decode_raw_unicode(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    let mut out = StrBuilder::new();
    let used = Decoding::new("rawunicodeescape", errors, data, source).run(
        0,
        &mut out,
        |input, at, out| Ok(raw_step(input, at, whole, out)),
        vm,
    )?;
    Ok((out.try_finish(vm)?, used))
}

/// `text.encode("raw_unicode_escape")`.
pub fn encode_raw_unicode(text: &Str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    for code in text.data().iter() {
        match code {
            0..0x100 => out.push(code as u8),
            0..0x1_0000 => {
                out.extend(b"\\u");
                push_hex(code, 4, &mut out);
            }
            _ => {
                out.extend(b"\\U");
                push_hex(code, 8, &mut out);
            }
        }
    }
    Bytes::try_from_slice(&out, vm)
}

/// `codecs.escape_decode`: the escapes of bytes literals.
pub fn decode_bytes(data: &[u8], errors: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut out = Vec::with_capacity(data.len());
    let mut invalid = None;
    let mut at = 0;
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or(rest));
        at += plain;
        if plain == rest.len() {
            break;
        }
        let start = at;
        let Some(&letter) = data.get(at + 1) else { return Err(vm.value_error("Trailing \\ in string")) };
        at += 2;
        if let Some(byte) = simple(letter) {
            out.push(byte);
            continue;
        }
        match letter {
            b'\n' => {}
            b'0'..=b'7' => {
                let (value, count) = octal_digits(data, at - 1);
                at += count - 1;
                if value > 0o377 && invalid.is_none() {
                    invalid = Some(Invalid::Octal(value));
                }
                out.push(value as u8);
            }
            b'x' => {
                let (value, count) = hex_digits(data, at, 2);
                at += count;
                if count == 2 {
                    out.push(value as u8);
                    continue;
                }
                match errors {
                    "strict" => return Err(vm.value_error(format!("invalid \\x escape at position {start}"))),
                    "replace" => out.push(b'?'),
                    "ignore" => {}
                    _ => {
                        return Err(
                            vm.value_error(format!("decoding error; unknown error handling code: {errors}"))
                        );
                    }
                }
            }
            other => {
                if invalid.is_none() {
                    invalid = Some(Invalid::Char(other.into()));
                }
                out.extend([b'\\', other]);
            }
        }
    }
    warn_invalid(invalid, "b", vm)?;
    Bytes::try_from_slice(&out, vm)
}

/// `codecs.escape_encode`: what stands between the quotes of a bytes object's repr.
pub fn encode_bytes(data: &[u8], vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut out = Vec::new();
    out.try_reserve(data.len()).map_err(|_| vm.memory_error())?;
    for &byte in data {
        match byte {
            b'\'' | b'\\' => out.extend([b'\\', byte]),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            32..127 => out.push(byte),
            _ => {
                out.extend(b"\\x");
                push_hex(byte.into(), 2, &mut out);
            }
        }
    }
    Bytes::try_from_slice(&out, vm)
}
