//! Format strings: what they say about sizes, offsets and kinds.

use taipan_vm::prelude::*;

use super::ERROR;

/// What a code stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Bytes that hold nothing.
    Pad,
    /// A bytes object of length one.
    Char,
    /// Bytes of the item's size.
    Bytes,
    /// A length and bytes.
    Pascal,
    Bool,
    Signed,
    Unsigned,
    /// An address: ints of either sign go in.
    Pointer,
    Half,
    Single,
    Double,
    SingleComplex,
    DoubleComplex,
}

/// A code with its repeat count, at its place.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub code: u8,
    pub kind: Kind,
    pub offset: usize,
    /// Bytes of one element.
    pub size: usize,
    pub repeat: usize,
}

/// A format, parsed.
#[derive(Debug)]
pub struct Layout {
    pub items: Vec<Item>,
    /// Bytes in all.
    pub size: usize,
    /// How many Python values.
    pub values: usize,
    pub big_endian: bool,
    /// How many codes take part, for `__sizeof__`.
    pub codes: usize,
}

fn describe(code: u8, native: bool) -> Option<(Kind, usize)> {
    Some(match code {
        b'x' => (Kind::Pad, 1),
        b'c' => (Kind::Char, 1),
        b's' => (Kind::Bytes, 1),
        b'p' => (Kind::Pascal, 1),
        b'?' => (Kind::Bool, 1),
        b'b' => (Kind::Signed, 1),
        b'B' => (Kind::Unsigned, 1),
        b'h' => (Kind::Signed, 2),
        b'H' => (Kind::Unsigned, 2),
        b'i' => (Kind::Signed, 4),
        b'I' => (Kind::Unsigned, 4),
        b'l' => (Kind::Signed, if native { 8 } else { 4 }),
        b'L' => (Kind::Unsigned, if native { 8 } else { 4 }),
        b'q' => (Kind::Signed, 8),
        b'Q' => (Kind::Unsigned, 8),
        b'n' if native => (Kind::Signed, 8),
        b'N' if native => (Kind::Unsigned, 8),
        b'P' if native => (Kind::Pointer, 8),
        b'e' => (Kind::Half, 2),
        b'f' => (Kind::Single, 4),
        b'd' => (Kind::Double, 8),
        b'F' => (Kind::SingleComplex, 8),
        b'D' => (Kind::DoubleComplex, 16),
        _ => return None,
    })
}

fn alignment(kind: Kind, size: usize) -> usize {
    match kind {
        Kind::SingleComplex | Kind::DoubleComplex => size / 2,
        _ => size,
    }
}

impl Layout {
    /// Parses a format. Raises `struct.error`.
    pub fn parse(format: &[u8], vm: &Vm) -> PyResult<Layout> {
        if format.contains(&0) {
            return Err(ERROR.raise("embedded null character", vm));
        }
        let too_long = || ERROR.raise("total struct size too long", vm);
        let (native, aligned, big_endian, codes) = match format {
            [b'@', rest @ ..] => (true, true, false, rest),
            [b'=', rest @ ..] => (false, false, false, rest),
            [b'<', rest @ ..] => (false, false, false, rest),
            [b'>' | b'!', rest @ ..] => (false, false, true, rest),
            _ => (true, true, false, format),
        };
        let big_endian =
            if native || format.first() == Some(&b'=') { cfg!(target_endian = "big") } else { big_endian };
        let mut layout = Layout { items: Vec::new(), size: 0, values: 0, big_endian, codes: 0 };
        let mut at = codes.iter().copied();
        while let Some(mut code) = at.next() {
            if code.is_ascii_whitespace() || code == 0x0b {
                continue;
            }
            let mut repeat = 1usize;
            if code.is_ascii_digit() {
                repeat = usize::from(code - b'0');
                loop {
                    let Some(next) = at.next() else {
                        return Err(ERROR.raise("repeat count given without format specifier", vm));
                    };
                    code = next;
                    if !code.is_ascii_digit() {
                        break;
                    }
                    repeat = repeat
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(usize::from(code - b'0')))
                        .filter(|n| isize::try_from(*n).is_ok())
                        .ok_or_else(too_long)?;
                }
            }
            let Some((kind, size)) = describe(code, native) else {
                return Err(ERROR.raise("bad char in struct format", vm));
            };
            if aligned && layout.size > 0 {
                let step = alignment(kind, size);
                layout.size = layout.size.checked_next_multiple_of(step).ok_or_else(too_long)?;
            }
            let bytes = repeat.checked_mul(size).ok_or_else(too_long)?;
            let offset = layout.size;
            layout.size =
                offset.checked_add(bytes).filter(|n| isize::try_from(*n).is_ok()).ok_or_else(too_long)?;
            match kind {
                Kind::Pad => continue,
                Kind::Bytes | Kind::Pascal => {
                    layout.values += 1;
                    layout.codes += 1;
                    layout.items.push(Item { code, kind, offset, size: bytes, repeat: 1 });
                }
                _ if repeat > 0 => {
                    layout.values += repeat;
                    layout.codes += 1;
                    layout.items.push(Item { code, kind, offset, size, repeat });
                }
                _ => {}
            }
        }
        Ok(layout)
    }
}
