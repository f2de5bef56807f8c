//! Strings as JSON literals.

use taipan_vm::builtins::str::{StrBuilder, StrData};
use taipan_vm::prelude::*;

/// What is escaped besides quotes, backslashes and control characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    /// All but printable ASCII.
    Ascii,
    /// Nothing.
    Unicode,
}

fn is_plain(code: u32, quoting: Quoting) -> bool {
    match code {
        0x22 | 0x5c => false,
        0x20..=0x7e => true,
        _ => quoting == Quoting::Unicode && code > 0x1f,
    }
}

fn push_unit(out: &mut StrBuilder, unit: u32) {
    let digit = |shift: u32| {
        let value = (unit >> shift & 15) as u8;
        if value < 10 { b'0' + value } else { b'a' + value - 10 }
    };
    out.push_ascii(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cold]
fn push_escape(out: &mut StrBuilder, code: u32) {
    let short = match code {
        0x22 => b'"',
        0x5c => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        0x0a => b'n',
        0x0d => b'r',
        0x09 => b't',
        0x1_0000.. => {
            let offset = code - 0x1_0000;
            push_unit(out, 0xd800 | offset >> 10);
            push_unit(out, 0xdc00 | offset & 0x3ff);
            return;
        }
        _ => {
            push_unit(out, code);
            return;
        }
    };
    out.push_ascii(&[b'\\', short]);
}

fn push_units<T: Copy + Into<u32>>(
    out: &mut StrBuilder,
    mut units: &[T],
    quoting: Quoting,
    push_run: impl Fn(&mut StrBuilder, &[T]),
) {
    loop {
        let run = units.iter().position(|&u| !is_plain(u.into(), quoting)).unwrap_or(units.len());
        let (plain, rest) = units.split_at(run);
        push_run(out, plain);
        let Some((&special, rest)) = rest.split_first() else { return };
        push_escape(out, special.into());
        units = rest;
    }
}

/// Appends the literal.
pub fn push_quoted(out: &mut StrBuilder, text: &Str, quoting: Quoting) {
    out.push_ascii(b"\"");
    match text.data() {
        StrData::Ucs1(units) => push_units(out, units, quoting, |out, run| out.push_data(StrData::Ucs1(run))),
        StrData::Ucs2(units) => push_units(out, units, quoting, |out, run| out.push_data(StrData::Ucs2(run))),
        StrData::Ucs4(units) => push_units(out, units, quoting, |out, run| out.push_data(StrData::Ucs4(run))),
    }
    out.push_ascii(b"\"");
}
