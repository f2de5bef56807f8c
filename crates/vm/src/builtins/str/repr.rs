//! `repr(str)` and `ascii()`.

use super::predicates::is_printable;
use super::{StrBuilder, StrData};
use crate::prelude::*;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `\xNN`, `\uNNNN` or `\UNNNNNNNN`, whichever is the shortest.
pub fn push_escape(code: u32, out: &mut StrBuilder) {
    let (letter, digits) = match code {
        0..0x100 => (b'x', 2),
        0x100..0x1_0000 => (b'u', 4),
        _ => (b'U', 8),
    };
    out.push_ascii(&[b'\\', letter]);
    for place in (0..digits).rev() {
        let digit = (code >> (place * 4)) & 15;
        out.push_char(HEX.get(digit as usize).copied().map_or(0, u32::from));
    }
}

/// The quote that `repr` uses: single ones unless only those occur.
fn quote_for(data: StrData<'_>) -> u8 {
    let has = |quote: u8| match data {
        StrData::Ucs1(bytes) => memchr::memchr(quote, bytes).is_some(),
        other => other.iter().any(|c| c == u32::from(quote)),
    };
    if has(b'\'') && !has(b'"') { b'"' } else { b'\'' }
}

/// `repr(text)`.
pub fn repr(text: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
    let data = text.data();
    let quote = quote_for(data);
    let mut out = StrBuilder::new();
    out.reserve(text.len().saturating_add(2), vm)?;
    out.push_char(quote.into());
    if let Some(bytes) = text.ascii_bytes() {
        // Runs of plain characters are copied whole.
        let special = |b: u8| !(32..127).contains(&b) || b == quote || b == b'\\';
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|&b| special(b)) {
            let (plain, tail) = rest.split_at(at);
            out.push_ascii(plain);
            if let Some((&code, after)) = tail.split_first() {
                push_special(code.into(), quote, &mut out);
                rest = after;
            }
        }
        out.push_ascii(rest);
    } else {
        for code in data.iter() {
            if code == u32::from(quote) || code == u32::from(b'\\') || !is_printable(code) {
                push_special(code, quote, &mut out);
            } else {
                out.push_char(code);
            }
        }
    }
    out.push_char(quote.into());
    out.try_finish(vm)
}

fn push_special(code: u32, quote: u8, out: &mut StrBuilder) {
    match code {
        9 => out.push_ascii(b"\\t"),
        10 => out.push_ascii(b"\\n"),
        13 => out.push_ascii(b"\\r"),
        92 => out.push_ascii(b"\\\\"),
        _ if code == u32::from(quote) => out.push_ascii(&[b'\\', quote]),
        _ => push_escape(code, out),
    }
}

/// `ascii(object)`: its repr with everything beyond ASCII escaped.
pub fn ascii(object: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let shown = object.repr(vm)?;
    if shown.is_ascii() {
        return Ok(shown);
    }
    let mut out = StrBuilder::new();
    out.reserve(shown.len(), vm)?;
    for code in shown.data().iter() {
        if code < 0x80 { out.push_char(code) } else { push_escape(code, &mut out) }
    }
    out.try_finish(vm)
}
