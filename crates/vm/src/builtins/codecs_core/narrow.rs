//! ASCII and Latin-1: a byte a character.

use super::errors::{Decoding, Encoding, Outcome};
use crate::builtins::str::{StrBuilder, StrData};
use crate::prelude::*;

/// `data.decode("ascii", errors)`.
pub fn decode_ascii(data: &[u8], source: Option<&Bytes>, errors: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    if data.is_ascii() {
        return Str::try_from_latin1(data, vm);
    }
    let mut out = StrBuilder::new();
    out.reserve(data.len(), vm)?;
    Decoding::new("ascii", errors, data, source).run(
        0,
        &mut out,
        |input, at, out| {
            let rest = input.get(at..).unwrap_or(&[]);
            let valid = rest.iter().position(|b| *b >= 0x80);
            out.push_ascii(rest.get(..valid.unwrap_or(rest.len())).unwrap_or(&[]));
            Ok(match valid {
                None => Outcome::Done(input.len()),
                Some(n) => {
                    Outcome::Fail { start: at + n, end: at + n + 1, reason: "ordinal not in range(128)" }
                }
            })
        },
        vm,
    )?;
    out.try_finish(vm)
}

fn encode(text: &Str, errors: &str, encoding: &str, limit: u32, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let reason = if limit == 0x80 { "ordinal not in range(128)" } else { "ordinal not in range(256)" };
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    Encoding::new(encoding, errors, text).run(
        &mut out,
        |text, at, out| {
            let data = text.data();
            for (index, code) in data.slice(at, data.len()).iter().enumerate() {
                if code >= limit {
                    let start = at + index;
                    let run = data.slice(start, data.len()).iter().take_while(|&c| c >= limit).count();
                    return Ok(Outcome::Fail { start, end: start + run, reason });
                }
                out.push(code as u8);
            }
            Ok(Outcome::Done(data.len()))
        },
        |code, out| {
            if code < limit {
                out.push(code as u8);
            }
            Ok(code < limit)
        },
        1,
        vm,
    )?;
    Bytes::try_from_slice(&out, vm)
}

/// `text.encode("ascii", errors)`.
pub fn encode_ascii(text: &Str, errors: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    match text.ascii_bytes() {
        Some(bytes) => Bytes::try_from_slice(bytes, vm),
        None => encode(text, errors, "ascii", 0x80, vm),
    }
}

/// `text.encode("latin-1", errors)`.
pub fn encode_latin1(text: &Str, errors: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    match text.data() {
        StrData::Ucs1(bytes) => Bytes::try_from_slice(bytes, vm),
        _ => encode(text, errors, "latin-1", 0x100, vm),
    }
}
