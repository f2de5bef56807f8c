//! JSON string literals to strs.

use taipan_vm::builtins::str::{StrBuilder, StrData, Unit};
use taipan_vm::prelude::*;

use super::decode_error::raise;

/// What a literal's body is.
pub enum Body {
    /// Up to the closing quote, without escapes.
    Plain(usize),
    /// Unescaped, with the place after the closing quote.
    Built(StrBuilder, usize),
}

fn is_special(code: u32) -> bool {
    code == 0x22 || code == 0x5c || code < 0x20
}

fn hex4<T: Unit>(digits: &[T]) -> Option<u32> {
    if digits.len() < 4 {
        return None;
    }
    digits.iter().take(4).try_fold(0, |value, &unit| {
        let unit: u32 = unit.into();
        Some(value << 4 | char::from_u32(unit)?.to_digit(16)?)
    })
}

/// Scans the body of a literal that begins at `begin`, the place after the opening quote.
pub fn scan_body<T: Unit>(text: &Str, units: &[T], begin: usize, strict: bool, vm: &Vm) -> PyResult<Body> {
    let unterminated = || raise("Unterminated string starting at", text, begin as isize - 1, vm);
    let mut out: Option<StrBuilder> = None;
    let mut at = begin;
    let mut start = begin;
    loop {
        let rest = units.get(at..).unwrap_or_default();
        let Some(run) = rest.iter().position(|&u| is_special(u.into())) else {
            return Err(unterminated());
        };
        at += run;
        let special: u32 = units.get(at).map_or(0x22, |&u| u.into());
        if special == 0x22 {
            return Ok(match out {
                None => Body::Plain(at),
                Some(mut out) => {
                    out.push_data(T::wrap(units.get(start..at).unwrap_or_default()));
                    Body::Built(out, at + 1)
                }
            });
        }
        if special != 0x5c {
            if strict {
                return Err(raise("Invalid control character at", text, at as isize, vm));
            }
            at += 1;
            continue;
        }
        let builder = out.get_or_insert_with(StrBuilder::new);
        builder.push_data(T::wrap(units.get(start..at).unwrap_or_default()));
        let Some(&escape) = units.get(at + 1) else {
            return Err(unterminated());
        };
        let escape: u32 = escape.into();
        let plain = match escape {
            0x22 | 0x5c | 0x2f => escape,
            0x62 => 0x08,
            0x66 => 0x0c,
            0x6e => 0x0a,
            0x72 => 0x0d,
            0x74 => 0x09,
            0x75 => {
                let invalid = |place: usize| raise("Invalid \\uXXXX escape", text, place as isize, vm);
                let Some(mut code) = hex4(units.get(at + 2..).unwrap_or_default()) else {
                    return Err(invalid(at + 1));
                };
                at += 6;
                if (0xd800..0xdc00).contains(&code) {
                    if let Some([backslash, u, low @ ..]) = units.get(at..) {
                        if (*backslash).into() == 0x5c && (*u).into() == 0x75 {
                            let Some(low) = hex4(low) else {
                                return Err(invalid(at + 1));
                            };
                            if (0xdc00..0xe000).contains(&low) {
                                code = 0x1_0000 + ((code & 0x3ff) << 10 | low & 0x3ff);
                                at += 6;
                            }
                        }
                    }
                }
                builder.push_char(code);
                start = at;
                continue;
            }
            _ => return Err(raise("Invalid \\escape", text, at as isize, vm)),
        };
        builder.push_char(plain);
        at += 2;
        start = at;
    }
}

/// `scanstring`: the str, and the place after the closing quote.
pub fn scan(text: &Str, begin: usize, strict: bool, vm: &Vm) -> PyResult<(Ref<Str>, usize)> {
    match text.data() {
        StrData::Ucs1(units) => scan_units(text, units, begin, strict, vm),
        StrData::Ucs2(units) => scan_units(text, units, begin, strict, vm),
        StrData::Ucs4(units) => scan_units(text, units, begin, strict, vm),
    }
}

/// `scan` in units of one width.
pub fn scan_units<T: Unit>(
    text: &Str,
    units: &[T],
    begin: usize,
    strict: bool,
    vm: &Vm,
) -> PyResult<(Ref<Str>, usize)> {
    match scan_body(text, units, begin, strict, vm)? {
        Body::Plain(end) => Ok((Str::from_units(units.get(begin..end).unwrap_or_default(), vm), end + 1)),
        Body::Built(out, end) => Ok((out.try_finish(vm)?, end)),
    }
}
