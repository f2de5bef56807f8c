//! UTF-7 (RFC 2152).

use super::errors::{Decoding, Outcome};
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

fn base64_value(byte: u8) -> Option<u32> {
    Some(
        match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }
        .into(),
    )
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What may stand for itself outside a shift sequence when encoding: the direct characters, whitespace, and the
/// optional direct ones.
fn is_direct(code: u32) -> bool {
    match u8::try_from(code) {
        Ok(byte @ 0..0x80) => {
            byte.is_ascii_alphanumeric()
                || matches!(byte, 9 | 10 | 13 | b' ')
                || b"'(),-./:?!\"#$%&*;<=>@[]^_`{|}".contains(&byte)
        }
        _ => false,
    }
}

/// The state of a shift sequence.
#[derive(Default)]
struct Shift {
    active: bool,
    /// Where the sequence starts in the input and in the output.
    start: usize,
    out_start: usize,
    bits: u32,
    bit_count: u32,
    high: Option<u32>,
}

impl Shift {
    fn push_unit(&mut self, unit: u32, out: &mut StrBuilder) {
        if let Some(high) = self.high.take() {
            if (0xDC00..0xE000).contains(&unit) {
                out.push_char(0x1_0000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
                return;
            }
            out.push_char(high);
        }
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
        } else {
            out.push_char(unit);
        }
    }

    /// Ends the sequence; tells what is wrong with how it ends.
    fn end(&mut self, out: &mut StrBuilder, emit_high: bool) -> Option<&'static str> {
        self.active = false;
        let high = self.high.take();
        if self.bit_count >= 6 {
            return Some("partial character in shift sequence");
        }
        if self.bits != 0 {
            return Some("non-zero padding bits in shift sequence");
        }
        if let Some(high) = high.filter(|_| emit_high) {
            out.push_char(high);
        }
        None
    }
}

/// Decodes UTF-7. With `whole` false, a shift sequence that isn't ended is left alone.
pub fn decode(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    let mut out = StrBuilder::new();
    let mut shift = Shift::default();
    let mut cut = None;
    let used = Decoding::new("utf7", errors, data, source).run(
        0,
        &mut out,
        |input, at, out| Ok(step(input, at, whole, out, &mut shift, &mut cut)),
        vm,
    )?;
    if let Some(len) = cut {
        out.truncate(len);
    }
    Ok((out.try_finish(vm)?, used))
}

fn step(
    input: &[u8],
    mut at: usize,
    whole: bool,
    out: &mut StrBuilder,
    shift: &mut Shift,
    cut: &mut Option<usize>,
) -> Outcome {
    while let Some(&byte) = input.get(at) {
        if shift.active {
            if let Some(value) = base64_value(byte) {
                shift.bits = (shift.bits << 6) | value;
                shift.bit_count += 6;
                at += 1;
                if shift.bit_count >= 16 {
                    shift.bit_count -= 16;
                    let unit = (shift.bits >> shift.bit_count) & 0xFFFF;
                    shift.bits &= (1 << shift.bit_count) - 1;
                    shift.push_unit(unit, out);
                }
                continue;
            }
            let start = shift.start;
            if byte == b'-' {
                at += 1;
                // A lone high surrogate is written out; text may follow.
                if let Some(reason) = shift.end(out, true) {
                    return Outcome::Fail { start, end: at, reason };
                }
                continue;
            }
            let fault = shift.end(out, byte < 0x80);
            if let Some(reason) = fault {
                return Outcome::Fail { start, end: at + 1, reason };
            }
            // The character itself is looked at anew, outside the sequence.
            continue;
        }
        if byte == b'+' {
            let start = at;
            at += 1;
            match input.get(at) {
                Some(b'-') => {
                    at += 1;
                    out.push_char(u32::from(b'+'));
                }
                Some(&next) if base64_value(next).is_none() => {
                    return Outcome::Fail { start, end: at + 1, reason: "ill-formed sequence" };
                }
                _ => {
                    *shift = Shift { active: true, start, out_start: out.len(), ..Shift::default() };
                }
            }
            continue;
        }
        if byte < 0x80 {
            out.push_char(byte.into());
            at += 1;
            continue;
        }
        return Outcome::Fail { start: at, end: at + 1, reason: "unexpected special character" };
    }
    if shift.active {
        if !whole {
            *cut = Some(shift.out_start);
            return Outcome::Done(shift.start);
        }
        let incomplete =
            shift.high.is_some() || shift.bit_count >= 6 || (shift.bit_count > 0 && shift.bits != 0);
        if incomplete {
            shift.active = false;
            return Outcome::Fail {
                start: shift.start,
                end: input.len(),
                reason: "unterminated shift sequence",
            };
        }
    }
    Outcome::Done(input.len())
}

/// `text.encode("utf-7")`: everything can be encoded.
pub fn encode(text: &Str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    let (mut shifted, mut bits, mut count) = (false, 0u32, 0u32);
    let digit = |value: u32| BASE64.get(value as usize & 63).copied().unwrap_or(b'A');
    for code in text.data().iter() {
        if shifted && is_direct(code) {
            if count > 0 {
                out.push(digit(bits << (6 - count)));
                (bits, count) = (0, 0);
            }
            shifted = false;
            // What could go on the sequence must be kept apart from it.
            if code == u32::from(b'-') || u8::try_from(code).is_ok_and(|b| base64_value(b).is_some()) {
                out.push(b'-');
            }
            out.push(code as u8);
            continue;
        }
        if !shifted {
            if code == u32::from(b'+') {
                out.extend(b"+-");
                continue;
            }
            if is_direct(code) {
                out.push(code as u8);
                continue;
            }
            out.push(b'+');
            shifted = true;
        }
        let units: [Option<u32>; 2] = if code >= 0x1_0000 {
            [Some(0xD7C0 + (code >> 10)), Some(0xDC00 | (code & 0x3FF))]
        } else {
            [Some(code), None]
        };
        for unit in units.into_iter().flatten() {
            bits = (bits << 16) | unit;
            count += 16;
            while count >= 6 {
                count -= 6;
                out.push(digit(bits >> count));
                bits &= (1 << count) - 1;
            }
        }
    }
    if count > 0 {
        out.push(digit(bits << (6 - count)));
    }
    if shifted {
        out.push(b'-');
    }
    Bytes::try_from_slice(&out, vm)
}
