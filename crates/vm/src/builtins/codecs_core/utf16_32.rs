//! UTF-16 and UTF-32 in both byte orders, with and without a byte-order mark.

use super::errors::{Decoding, Encoding, Outcome};
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

/// The order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The machine's, told by a mark: written when encoding, looked for when decoding.
    Marked,
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Order {
    /// The number that the `_codecs` functions pass around: 0, -1 or 1.
    pub fn from_number(number: i32) -> Order {
        match number {
            0 => Order::Marked,
            n if n < 0 => Order::Little,
            _ => Order::Big,
        }
    }

    /// The reverse of `from_number`.
    pub fn number(self) -> i32 {
        match self {
            Order::Marked => 0,
            Order::Little => -1,
            Order::Big => 1,
        }
    }
}

fn unit16(input: &[u8], at: usize, big: bool) -> Option<u32> {
    match *input.get(at..)? {
        [a, b, ..] => Some(if big { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) }.into()),
        _ => None,
    }
}

fn unit32(input: &[u8], at: usize, big: bool) -> Option<u32> {
    match *input.get(at..)? {
        [a, b, c, d, ..] => {
            Some(if big { u32::from_be_bytes([a, b, c, d]) } else { u32::from_le_bytes([a, b, c, d]) })
        }
        _ => None,
    }
}

fn step16(input: &[u8], mut at: usize, big: bool, whole: bool, out: &mut StrBuilder) -> Outcome {
    let fail = |start, end, reason| Outcome::Fail { start, end, reason };
    while at < input.len() {
        let Some(unit) = unit16(input, at, big) else {
            return if whole { fail(at, input.len(), "truncated data") } else { Outcome::Done(at) };
        };
        match unit {
            0xD800..0xDC00 => match unit16(input, at + 2, big) {
                Some(low @ 0xDC00..0xE000) => {
                    out.push_char(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
                    at += 4;
                }
                Some(_) => return fail(at, at + 2, "illegal UTF-16 surrogate"),
                None if whole => return fail(at, input.len(), "unexpected end of data"),
                None => return Outcome::Done(at),
            },
            0xDC00..0xE000 => return fail(at, at + 2, "illegal encoding"),
            _ => {
                out.push_char(unit);
                at += 2;
            }
        }
    }
    Outcome::Done(at)
}

fn step32(input: &[u8], mut at: usize, big: bool, whole: bool, out: &mut StrBuilder) -> Outcome {
    let fail = |start, end, reason| Outcome::Fail { start, end, reason };
    while at < input.len() {
        let Some(code) = unit32(input, at, big) else {
            return if whole { fail(at, input.len(), "truncated data") } else { Outcome::Done(at) };
        };
        match code {
            0xD800..0xE000 => {
                return fail(at, at + 4, "code point in surrogate code point range(0xd800, 0xe000)");
            }
            0..0x11_0000 => out.push_char(code),
            _ => return fail(at, at + 4, "code point not in range(0x110000)"),
        }
        at += 4;
    }
    Outcome::Done(at)
}

/// Decodes UTF-16. `order` is set when a mark tells it.
pub fn decode16(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    order: &mut Order,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    let mut start = 0;
    if *order == Order::Marked {
        (*order, start) = match data {
            [0xFF, 0xFE, ..] => (Order::Little, 2),
            [0xFE, 0xFF, ..] => (Order::Big, 2),
            _ => (Order::Marked, 0),
        };
    }
    let big = *order == Order::Big;
    let mut out = StrBuilder::new();
    out.reserve(data.len() / 2, vm)?;
    let name = if big { "utf-16-be" } else { "utf-16-le" };
    let used = Decoding::new(name, errors, data, source).run(
        start,
        &mut out,
        |input, at, out| Ok(step16(input, at, big, whole, out)),
        vm,
    )?;
    Ok((out.try_finish(vm)?, used))
}

/// Decodes UTF-32. `order` is set when a mark tells it.
pub fn decode32(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    order: &mut Order,
    whole: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    let mut start = 0;
    if *order == Order::Marked {
        (*order, start) = match data {
            [0xFF, 0xFE, 0, 0, ..] => (Order::Little, 4),
            [0, 0, 0xFE, 0xFF, ..] => (Order::Big, 4),
            _ => (Order::Marked, 0),
        };
    }
    let big = *order == Order::Big;
    let mut out = StrBuilder::new();
    out.reserve(data.len() / 4, vm)?;
    let name = if big { "utf-32-be" } else { "utf-32-le" };
    let used = Decoding::new(name, errors, data, source).run(
        start,
        &mut out,
        |input, at, out| Ok(step32(input, at, big, whole, out)),
        vm,
    )?;
    Ok((out.try_finish(vm)?, used))
}

fn push16(code: u32, big: bool, out: &mut Vec<u8>) {
    let mut push = |unit: u16| out.extend(if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    if code < 0x1_0000 {
        push(code as u16);
    } else {
        push((0xD7C0 + (code >> 10)) as u16);
        push((0xDC00 | (code & 0x3FF)) as u16);
    }
}

fn push32(code: u32, big: bool, out: &mut Vec<u8>) {
    out.extend(if big { code.to_be_bytes() } else { code.to_le_bytes() });
}

fn encode(
    text: &Str,
    errors: &str,
    order: Order,
    names: [&str; 3],
    width: usize,
    push: fn(u32, bool, &mut Vec<u8>),
    vm: &Vm,
) -> PyResult<Ref<Bytes>> {
    let big = order == Order::Big;
    let [marked, little, big_name] = names;
    let name = match order {
        Order::Marked => marked,
        Order::Little => little,
        Order::Big => big_name,
    };
    let mut out = Vec::new();
    let size =
        text.len().checked_add(1).and_then(|n| n.checked_mul(width)).ok_or_else(|| vm.memory_error())?;
    out.try_reserve(size).map_err(|_| vm.memory_error())?;
    if order == Order::Marked {
        push(0xFEFF, false, &mut out);
    }
    Encoding::new(name, errors, text).run(
        &mut out,
        |text, at, out| {
            let data = text.data();
            for (index, code) in data.slice(at, data.len()).iter().enumerate() {
                if (0xD800..0xE000).contains(&code) {
                    let start = at + index;
                    return Ok(Outcome::Fail { start, end: start + 1, reason: "surrogates not allowed" });
                }
                push(code, big, out);
            }
            Ok(Outcome::Done(data.len()))
        },
        |code, out| {
            if code < 0x80 {
                push(code, big, out);
            }
            Ok(code < 0x80)
        },
        width,
        vm,
    )?;
    Bytes::try_from_slice(&out, vm)
}

/// `text.encode("utf-16…", errors)`.
pub fn encode16(text: &Str, errors: &str, order: Order, vm: &Vm) -> PyResult<Ref<Bytes>> {
    encode(text, errors, order, ["utf-16", "utf-16-le", "utf-16-be"], 2, push16, vm)
}

/// `text.encode("utf-32…", errors)`.
pub fn encode32(text: &Str, errors: &str, order: Order, vm: &Vm) -> PyResult<Ref<Bytes>> {
    encode(text, errors, order, ["utf-32", "utf-32-le", "utf-32-be"], 4, push32, vm)
}
