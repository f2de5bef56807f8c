//! UTF-8. What is valid goes through the standard library's checker at once; only errors are looked at byte by byte.

use super::errors::{Decoding, Encoding, Outcome};
use crate::builtins::str::{StrBuilder, StrData};
use crate::prelude::*;

/// Decodes bytes. With `whole` false, an incomplete sequence at the end is left alone. Gives the text and how many
/// bytes were used up.
pub fn decode(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    if let Ok(text) = std::str::from_utf8(data) {
        return Ok((Str::try_from_str(text, vm)?, data.len()));
    }
    let mut out = StrBuilder::new();
    out.reserve(data.len(), vm)?;
    let used = Decoding::new("utf-8", errors, data, source).run(
        0,
        &mut out,
        |input, at, out| Ok(decode_step(input, at, whole, out)),
        vm,
    )?;
    Ok((out.try_finish(vm)?, used))
}

/// Decodes up to the first error.
fn decode_step(input: &[u8], at: usize, whole: bool, out: &mut StrBuilder) -> Outcome {
    let rest = input.get(at..).unwrap_or(&[]);
    let error = match std::str::from_utf8(rest) {
        Ok(text) => {
            out.push_str(text);
            return Outcome::Done(input.len());
        }
        Err(error) => error,
    };
    let (valid, bad) = rest.split_at(error.valid_up_to());
    if let Ok(text) = std::str::from_utf8(valid) {
        out.push_str(text);
    }
    let start = at + valid.len();
    match error.error_len() {
        None if !whole => Outcome::Done(start),
        None => Outcome::Fail { start, end: input.len(), reason: "unexpected end of data" },
        Some(len) => {
            let starts = bad.first().is_some_and(|first| (0xC2..0xF5).contains(first));
            let reason = if starts { "invalid continuation byte" } else { "invalid start byte" };
            Outcome::Fail { start, end: start + len, reason }
        }
    }
}

#[inline]
fn push_code(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xED, 0x80 | (code >> 6) as u8 & 0x3F, 0x80 | code as u8 & 0x3F]),
    }
}

/// Encodes from `at` up to the first surrogate.
fn encode_from(data: StrData<'_>, at: usize, out: &mut Vec<u8>) -> Outcome {
    match data {
        StrData::Ucs1(bytes) => {
            for &byte in bytes.get(at..).unwrap_or(&[]) {
                if byte < 0x80 { out.push(byte) } else { out.extend([0xC0 | byte >> 6, 0x80 | byte & 0x3F]) }
            }
        }
        wide => {
            for (index, code) in wide.slice(at, wide.len()).iter().enumerate() {
                if (0xD800..0xE000).contains(&code) {
                    let start = at + index;
                    let run =
                        wide.slice(start, wide.len()).iter().take_while(|c| (0xD800..0xE000).contains(c));
                    return Outcome::Fail {
                        start,
                        end: start + run.count(),
                        reason: "surrogates not allowed",
                    };
                }
                push_code(code, out);
            }
        }
    }
    Outcome::Done(data.len())
}

/// The UTF-8 form, or the bounds of the first run of surrogates.
pub fn encode_valid(data: StrData<'_>) -> Result<Vec<u8>, (usize, usize)> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 2);
    match encode_from(data, 0, &mut out) {
        Outcome::Done(_) => Ok(out),
        Outcome::Fail { start, end, .. } => Err((start, end)),
    }
}

/// `text.encode("utf-8", errors)`.
pub fn encode(text: &Str, errors: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    if let Some(utf8) = text.cached_utf8() {
        return Bytes::try_from_slice(utf8.as_bytes(), vm);
    }
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    Encoding::new("utf-8", errors, text).run(
        &mut out,
        |text, at, out| Ok(encode_from(text.data(), at, out)),
        |code, out| {
            if code < 0x80 {
                out.push(code as u8);
            }
            Ok(code < 0x80)
        },
        1,
        vm,
    )?;
    Bytes::try_from_slice(&out, vm)
}
