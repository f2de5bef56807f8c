//! What a byte of UTF-8 can begin in XML, and the checks of characters beyond ASCII.

use super::name_ranges::{NAME, NAME_START};

/// The class of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    NonXml,
    Lt,
    Amp,
    Rsqb,
    Lead2,
    Lead3,
    Lead4,
    Cr,
    Lf,
    Gt,
    Quot,
    Apos,
    Equals,
    Quest,
    Excl,
    Sol,
    Semi,
    Num,
    Lsqb,
    Space,
    NameStart,
    Colon,
    Name,
    Minus,
    Percent,
    Lpar,
    Rpar,
    Ast,
    Plus,
    Comma,
    Verbar,
    Other,
}

const fn class_of(byte: u8) -> Class {
    match byte {
        b'\t' | b' ' => Class::Space,
        b'\n' => Class::Lf,
        b'\r' => Class::Cr,
        0..0x20 | 0x80..0xC2 | 0xF5.. => Class::NonXml,
        0xC2..0xE0 => Class::Lead2,
        0xE0..0xF0 => Class::Lead3,
        0xF0..0xF5 => Class::Lead4,
        b'<' => Class::Lt,
        b'>' => Class::Gt,
        b'&' => Class::Amp,
        b'[' => Class::Lsqb,
        b']' => Class::Rsqb,
        b'"' => Class::Quot,
        b'\'' => Class::Apos,
        b'=' => Class::Equals,
        b'?' => Class::Quest,
        b'!' => Class::Excl,
        b'/' => Class::Sol,
        b';' => Class::Semi,
        b'#' => Class::Num,
        b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::NameStart,
        b':' => Class::Colon,
        b'0'..=b'9' | b'.' => Class::Name,
        b'-' => Class::Minus,
        b'%' => Class::Percent,
        b'(' => Class::Lpar,
        b')' => Class::Rpar,
        b'*' => Class::Ast,
        b'+' => Class::Plus,
        b',' => Class::Comma,
        b'|' => Class::Verbar,
        _ => Class::Other,
    }
}

static CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = class_of(byte as u8);
        byte += 1;
    }
    table
};

/// The class of a byte.
#[inline(always)]
pub fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
}

/// Bytes that end a run of plain character data.
static ENDS_DATA: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(
            class_of(byte as u8),
            Class::NonXml
                | Class::Lt
                | Class::Amp
                | Class::Rsqb
                | Class::Cr
                | Class::Lf
                | Class::Lead2
                | Class::Lead3
                | Class::Lead4
        );
        byte += 1;
    }
    table
};

/// Behind the bytes from `at` on that are plain character data in ASCII.
#[inline(always)]
pub fn skip_plain(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or(&[]);
    at + rest.iter().position(|&b| ENDS_DATA[b as usize]).unwrap_or(rest.len())
}

/// What stands at a place where a character is expected.
pub enum Char {
    /// A character of so many bytes.
    Good(usize),
    /// The text ends inside it.
    Partial,
    /// No character of XML.
    Bad,
}

/// Checks the character whose lead byte, of class `Lead2` to `Lead4`, is at `at`.
#[inline]
pub fn check_char(text: &[u8], at: usize) -> Char {
    let continues = |b: u8| b & 0xC0 == 0x80;
    match text.get(at..).unwrap_or(&[]) {
        [0xC2..0xE0, rest @ ..] => match rest {
            [] => Char::Partial,
            &[b, ..] if continues(b) => Char::Good(2),
            _ => Char::Bad,
        },
        [a @ 0xE0..0xF0, rest @ ..] => match rest {
            [] | [_] => Char::Partial,
            &[b, c, ..] => {
                let bad = !continues(b)
                    || !continues(c)
                    || (*a == 0xE0 && b < 0xA0)
                    || (*a == 0xED && b > 0x9F)
                    || (*a == 0xEF && b == 0xBF && c > 0xBD);
                if bad { Char::Bad } else { Char::Good(3) }
            }
        },
        [a @ 0xF0..0xF5, rest @ ..] => match rest {
            [] | [_] | [_, _] => Char::Partial,
            &[b, c, d, ..] => {
                let bad = !continues(b)
                    || !continues(c)
                    || !continues(d)
                    || (*a == 0xF0 && b < 0x90)
                    || (*a == 0xF4 && b > 0x8F);
                if bad { Char::Bad } else { Char::Good(4) }
            }
        },
        _ => Char::Bad,
    }
}

fn within(code: u16, ranges: &[(u16, u16)]) -> bool {
    let at = ranges.partition_point(|&(_, end)| end < code);
    ranges.get(at).is_some_and(|&(start, _)| start <= code)
}

/// How the character at `at`, if it is beyond ASCII, may stand in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameChar {
    /// Anywhere in it; so many bytes.
    Start(usize),
    /// Behind its start; so many bytes.
    Inside(usize),
    /// Nowhere.
    No,
    /// The text ends inside the character.
    Partial,
}

/// Classifies the character whose lead byte, of class `Lead2` to `Lead4`, is at `at`.
pub fn name_char(text: &[u8], at: usize) -> NameChar {
    let low = |b: u8| u16::from(b & 0x3F);
    let (code, width) = match (check_char(text, at), text.get(at..).unwrap_or(&[])) {
        (Char::Partial, _) => return NameChar::Partial,
        (Char::Good(2), &[a, b, ..]) => (u16::from(a & 0x1F) << 6 | low(b), 2),
        (Char::Good(3), &[a, b, c, ..]) => (u16::from(a & 0x0F) << 12 | low(b) << 6 | low(c), 3),
        _ => return NameChar::No,
    };
    if within(code, &NAME_START) {
        NameChar::Start(width)
    } else if within(code, &NAME) {
        NameChar::Inside(width)
    } else {
        NameChar::No
    }
}
