//! The codecs in which every character has bytes of its own.

use std::sync::OnceLock;

use taipan_vm::builtins::str::StrBuilder;

use super::codec::Step;
use super::layout::{EXCEPTIONS, GRIDS};
use super::tables::{ABSENT, ABSENT_BOTH, EncodeMap, PAIR, gb18030_ranges, grid, pair};

/// What a codec has beyond two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    None,
    /// Four bytes: everything else in Unicode.
    Gb18030,
    /// Behind 0x8E half-width katakana, behind 0x8F a grid.
    Euc(usize),
    /// Hangul by their letters, in eight bytes.
    EucKr,
}

/// What single bytes with the high bit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Singles {
    /// They always start longer sequences.
    None,
    /// Shift JIS: half-width katakana; lead bytes up to a last one.
    ShiftJis(u8),
    /// The same with yen and overline in ASCII's place.
    ShiftJis2004,
    /// Code page 932.
    Cp932,
}

/// A codec by tables.
pub struct Stateless {
    pub name: &'static str,
    pub grid: usize,
    pub singles: Singles,
    pub extra: Extra,
    pub map: OnceLock<EncodeMap>,
}

/// How single bytes are decoded.
enum Single {
    Char(u32),
    Lead,
    Wrong,
}

const CHOSEONG: [u8; 30] = [
    0, 1, 127, 2, 127, 127, 3, 4, 5, 127, 127, 127, 127, 127, 127, 127, 6, 7, 8, 127, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18,
];
const JONGSEONG: [u8; 30] = [
    1, 2, 3, 4, 5, 6, 7, 127, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 127, 18, 19, 20, 21, 22, 127, 23, 24, 25,
    26, 27,
];

fn letter(table: &[u8; 30], index: u32) -> Option<u8> {
    let at = table.iter().position(|&i| u32::from(i) == index)?;
    Some(0xA1 + at as u8)
}

/// A Hangul syllable in eight bytes: a filler and three letters.
fn spell(syllable: u32, out: &mut Vec<u8>) -> Option<()> {
    let index = syllable.checked_sub(0xAC00).filter(|&index| index < 11172)?;
    let (first, vowel, last) = (index / 588, index / 28 % 21, index % 28);
    let last = if last == 0 { 0xD4 } else { letter(&JONGSEONG, last)? };
    let first = letter(&CHOSEONG, first)?;
    out.extend_from_slice(&[0xA4, 0xD4, 0xA4, first, 0xA4, 0xBF + vowel as u8, 0xA4, last]);
    Some(())
}

/// The syllable that six bytes spell.
fn spelled(bytes: [u8; 6]) -> Option<u32> {
    let [0xA4, first, 0xA4, vowel, 0xA4, last] = bytes else { return None };
    let part = |table: &[u8; 30], byte: u8| {
        let index = *table.get(usize::from(byte.checked_sub(0xA1)?))?;
        (index != 127).then_some(u32::from(index))
    };
    let first = part(&CHOSEONG, first)?;
    let vowel = u32::from(vowel.checked_sub(0xBF)?);
    if vowel > 20 {
        return None;
    }
    let last = if last == 0xD4 { 0 } else { part(&JONGSEONG, last)? };
    Some(0xAC00 + first * 588 + vowel * 28 + last)
}

/// The code point of four bytes of GB 18030.
fn gb18030_four(a: u8, b: u8, c: u8, d: u8) -> Option<u32> {
    if !(0x81..=0xFE).contains(&a) || !(0x81..=0xFE).contains(&c) || !d.is_ascii_digit() {
        return None;
    }
    let (a, b, c, d) = (u32::from(a - 0x81), u32::from(b - b'0'), u32::from(c - 0x81), u32::from(d - b'0'));
    if a < 4 {
        let linear = ((a * 10 + b) * 126 + c) * 10 + d;
        let ranges = gb18030_ranges();
        let at = ranges.partition_point(|&(.., first)| first <= linear).checked_sub(1)?;
        let &(first, last, start) = ranges.get(at)?;
        let code = first + (linear - start);
        return (code <= last).then_some(code);
    }
    let linear = ((a.checked_sub(15)? * 10 + b) * 126 + c) * 10 + d;
    Some(0x1_0000 + linear).filter(|&code| code <= 0x10_FFFF)
}

fn gb18030_bytes(code: u32) -> Option<[u8; 4]> {
    let (linear, lead) = if code >= 0x1_0000 {
        (code - 0x1_0000, 0x90)
    } else {
        let ranges = gb18030_ranges();
        let at = ranges.partition_point(|&(first, ..)| first <= code).checked_sub(1)?;
        let &(first, last, start) = ranges.get(at)?;
        if code > last {
            return None;
        }
        (start + (code - first), 0x81)
    };
    let (a, b) = (linear / 12600, linear / 1260 % 10);
    let (c, d) = (linear / 10 % 126, linear % 10);
    Some([(lead + a) as u8, (0x30 + b) as u8, (0x81 + c) as u8, (0x30 + d) as u8])
}

/// Appends a number's bytes, without leading zeros.
pub fn push_bytes(bytes: u32, out: &mut Vec<u8>) {
    let all = bytes.to_be_bytes();
    let skip = (bytes.leading_zeros() / 8).min(3) as usize;
    out.extend_from_slice(all.get(skip..).unwrap_or(&[]));
}

impl Stateless {
    fn single(&self, byte: u8) -> Single {
        match (self.singles, byte) {
            (Singles::ShiftJis2004, 0x5C) => Single::Char(0xA5),
            (Singles::ShiftJis2004, 0x7E) => Single::Char(0x203E),
            (_, 0..0x80) => Single::Char(u32::from(byte)),
            (Singles::None, _) => Single::Lead,
            (Singles::Cp932, 0x80) => Single::Char(0x80),
            (Singles::Cp932, 0xA0) => Single::Char(0xF8F0),
            (Singles::Cp932, 0xFD..) => Single::Char(0xF8F1 + u32::from(byte - 0xFD)),
            (_, 0xA1..=0xDF) => Single::Char(0xFF61 + u32::from(byte - 0xA1)),
            (_, 0x80 | 0xA0) => Single::Wrong,
            (Singles::ShiftJis(last), _) if byte > last => Single::Wrong,
            (_, 0xFD..) => Single::Wrong,
            _ => Single::Lead,
        }
    }

    fn map(&self) -> &EncodeMap {
        self.map.get_or_init(|| {
            let mut singles = Vec::new();
            for byte in 0..=255 {
                if let Single::Char(code) = self.single(byte) {
                    singles.push((byte, code));
                }
            }
            let three = if let Extra::Euc(three) = self.extra { Some(three) } else { None };
            let exceptions = EXCEPTIONS.iter().position(|name| *name == self.name).unwrap_or(usize::MAX);
            EncodeMap::of_codec(&singles, self.grid, three, exceptions)
        })
    }

    /// Encodes one character, or two that make a pair.
    #[inline]
    pub fn encode(&self, code: u32, next: Option<u32>, flush: bool, out: &mut Vec<u8>) -> Step {
        if code < 0x80 && self.singles != Singles::ShiftJis2004 {
            out.push(code as u8);
            return Step::Used(1);
        }
        let map = self.map();
        if map.starts_pair(code) {
            match next {
                None if !flush => return Step::More,
                Some(next) => {
                    if let Some(bytes) = map.pair(code, next) {
                        push_bytes(bytes, out);
                        return Step::Used(2);
                    }
                }
                None => {}
            }
        }
        if let Some(bytes) = map.get(code) {
            push_bytes(bytes, out);
            return Step::Used(1);
        }
        match self.extra {
            Extra::Gb18030 => match gb18030_bytes(code) {
                Some(bytes) => {
                    out.extend_from_slice(&bytes);
                    Step::Used(1)
                }
                None => Step::Wrong(1),
            },
            Extra::EucKr if spell(code, out).is_some() => Step::Used(1),
            _ => Step::Wrong(1),
        }
    }

    /// Decodes the sequence at the start of `input`, which is not empty.
    #[inline]
    pub fn decode(&self, input: &[u8], out: &mut StrBuilder) -> Step {
        let Some(&first) = input.first() else { return Step::More };
        match self.single(first) {
            Single::Char(code) => {
                out.push_char(code);
                return Step::Used(1);
            }
            Single::Wrong => return Step::Wrong(1),
            Single::Lead => {}
        }
        let Some(&second) = input.get(1) else { return Step::More };
        match (self.extra, first, second) {
            (Extra::Gb18030, _, b'0'..=b'9') => {
                return match input {
                    &[a, b, c, d, ..] => match gb18030_four(a, b, c, d) {
                        Some(code) => {
                            out.push_char(code);
                            Step::Used(4)
                        }
                        None => Step::Wrong(1),
                    },
                    _ => Step::More,
                };
            }
            (Extra::Euc(_), 0x8E, _) => {
                if !(0xA1..=0xDF).contains(&second) {
                    return Step::Wrong(1);
                }
                out.push_char(0xFF61 + u32::from(second - 0xA1));
                return Step::Used(2);
            }
            (Extra::Euc(three), 0x8F, _) => {
                return match input.get(2) {
                    Some(&third) => Self::two(three, second, third, 3, out),
                    None => Step::More,
                };
            }
            (Extra::EucKr, 0xA4, 0xD4) => {
                return match input {
                    &[_, _, a, b, c, d, e, f, ..] => match spelled([a, b, c, d, e, f]) {
                        Some(code) => {
                            out.push_char(code);
                            Step::Used(8)
                        }
                        None => Step::Wrong(1),
                    },
                    _ => Step::More,
                };
            }
            _ => {}
        }
        Self::two(self.grid, first, second, 2, out)
    }

    /// Two bytes of a grid, the end of a sequence of `width` bytes.
    #[inline]
    fn two(index: usize, lead: u8, trail: u8, width: usize, out: &mut StrBuilder) -> Step {
        let place = GRIDS.get(index).and_then(|grid| grid.geometry.index(lead, trail));
        let value = place.and_then(|place| grid(index).get(place).copied()).unwrap_or(ABSENT);
        match value {
            ABSENT => return Step::Wrong(1),
            ABSENT_BOTH => return Step::Wrong(2),
            code if code < PAIR => out.push_char(code),
            value => {
                let Some((first, second)) = pair(value) else { return Step::Wrong(1) };
                out.push_char(first);
                out.push_char(second);
            }
        }
        Step::Used(width)
    }
}
