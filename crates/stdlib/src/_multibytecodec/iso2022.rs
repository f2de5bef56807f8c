//! The encodings of ISO 2022 (RFC 1468, 1554, 1557, 2237): escape sequences say which character set follows.

use std::sync::OnceLock;

use taipan_vm::builtins::str::StrBuilder;

use super::codec::{State, Step};
use super::layout::{
    GB2312, GRIDS, JISX0208, JISX0212, JISX0213_2000_1, JISX0213_2000_2, JISX0213_2004_1, JISX0213_2004_2,
    KSX1001,
};
use super::stateless::push_bytes;
use super::tables::{EncodeMap, PAIR, lookup, pair};

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    JisRoman,
    JisKatakana,
    /// A grid of seven-bit bytes or of such with the high bit.
    Grid(usize),
    /// Only what are pairs there.
    Pairs(usize),
    /// For what follows `ESC N` only; decoded, never encoded.
    Latin1,
    Greek,
}

/// A character set as an encoding uses it.
struct Designation {
    /// The final byte of its escape sequence, with the high bit for sets of two bytes.
    mark: u8,
    set: Set,
    /// Whether it is shifted to, not designated in place of ASCII.
    shifted: bool,
}

/// One of the encodings.
pub struct Iso2022 {
    designations: &'static [Designation],
    no_shift: bool,
    g2: bool,
    /// `ESC & @` may come before the second edition of JIS X 0208.
    prefix: bool,
}

const ASCII: u8 = b'B';
const JIS_X_0208: u8 = b'B' | 0x80;
const TWO_BYTES: u8 = 0x80;
const ESC: u8 = 0x1B;
const SO: u8 = 0x0E;
const SI: u8 = 0x0F;

const fn direct(mark: u8, set: Set) -> Designation {
    Designation { mark, set, shifted: false }
}

const JISX0208_NEW: Designation = direct(JIS_X_0208, Set::Grid(JISX0208));
const JISX0208_OLD: Designation = direct(b'@' | TWO_BYTES, Set::Grid(JISX0208));
const JISX0212_SET: Designation = direct(b'D' | TWO_BYTES, Set::Grid(JISX0212));
const ROMAN: Designation = direct(b'J', Set::JisRoman);

/// `iso2022_kr`.
pub static KR: Iso2022 = Iso2022 {
    designations: &[Designation { mark: b'C' | TWO_BYTES, set: Set::Grid(KSX1001), shifted: true }],
    no_shift: false,
    g2: false,
    prefix: false,
};

const fn japanese(designations: &'static [Designation], g2: bool) -> Iso2022 {
    Iso2022 { designations, no_shift: true, g2, prefix: true }
}

/// `iso2022_jp`.
pub static JP: Iso2022 = japanese(&[JISX0208_NEW, ROMAN, JISX0208_OLD], false);
/// `iso2022_jp_1`.
pub static JP_1: Iso2022 = japanese(&[JISX0208_NEW, JISX0212_SET, ROMAN, JISX0208_OLD], false);
/// `iso2022_jp_2`.
pub static JP_2: Iso2022 = japanese(
    &[
        JISX0208_NEW,
        JISX0212_SET,
        direct(b'C' | TWO_BYTES, Set::Grid(KSX1001)),
        direct(b'A' | TWO_BYTES, Set::Grid(GB2312)),
        ROMAN,
        JISX0208_OLD,
        direct(b'A', Set::Latin1),
        direct(b'F', Set::Greek),
    ],
    true,
);
/// `iso2022_jp_2004`.
pub static JP_2004: Iso2022 = japanese(
    &[
        direct(b'Q' | TWO_BYTES, Set::Pairs(JISX0213_2004_1)),
        JISX0208_NEW,
        direct(b'Q' | TWO_BYTES, Set::Grid(JISX0213_2004_1)),
        direct(b'P' | TWO_BYTES, Set::Grid(JISX0213_2004_2)),
    ],
    false,
);
/// `iso2022_jp_3`.
pub static JP_3: Iso2022 = japanese(
    &[
        direct(b'O' | TWO_BYTES, Set::Pairs(JISX0213_2000_1)),
        JISX0208_NEW,
        direct(b'O' | TWO_BYTES, Set::Grid(JISX0213_2000_1)),
        direct(b'P' | TWO_BYTES, Set::Grid(JISX0213_2000_2)),
    ],
    false,
);
/// `iso2022_jp_ext`.
pub static JP_EXT: Iso2022 =
    japanese(&[JISX0208_NEW, JISX0212_SET, ROMAN, direct(b'I', Set::JisKatakana), JISX0208_OLD], false);

/// An encoder's first state: ASCII in G0 and G1.
pub const START: State = [ASCII, ASCII, 0, 0, 0, 0, 0, 0];
/// A decoder's first state: ASCII in G2 as well.
pub const DECODING_START: State = [ASCII, ASCII, ASCII, 0, 0, 0, 0, 0];

/// Flags in the state's fifth byte.
const SHIFTED: u8 = 1;
const IN_ESCAPE: u8 = 2;

fn map(grid: usize) -> Option<&'static EncodeMap> {
    static MAPS: [OnceLock<EncodeMap>; GRIDS.len()] = [const { OnceLock::new() }; GRIDS.len()];
    Some(MAPS.get(grid)?.get_or_init(|| EncodeMap::of_grid(grid)))
}

/// The bytes of a character in a set, as a number without high bits.
fn encoded(set: Set, code: u32) -> Option<u32> {
    match set {
        Set::JisRoman => match code {
            0xA5 => Some(0x5C),
            0x203E => Some(0x7E),
            _ => None,
        },
        Set::JisKatakana => (0xFF61..=0xFF9F).contains(&code).then(|| code - 0xFF40),
        Set::Grid(grid) => {
            // GB 2312 is kept with high bits; some marks are where ASCII has them in other editions.
            let bytes = map(grid)?.get(code)?;
            Some(bytes & 0x7F7F)
        }
        Set::Pairs(_) | Set::Latin1 | Set::Greek => None,
    }
}

impl Set {
    fn width(self) -> usize {
        if matches!(self, Set::Grid(_) | Set::Pairs(_)) { 2 } else { 1 }
    }
}

fn is_final(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

/// The character of ISO 8859-7 at a byte of its upper half.
fn greek(byte: u8) -> Option<u32> {
    Some(match byte {
        0xA0 | 0xA3 | 0xA6..=0xA9 | 0xAB..=0xAD | 0xB0..=0xB3 | 0xB7 | 0xBB | 0xBD => u32::from(byte),
        0xA1 => 0x2018,
        0xA2 => 0x2019,
        0xA4 => 0x20AC,
        0xA5 => 0x20AF,
        0xAA => 0x37A,
        0xAF => 0x2015,
        0xB4..=0xB6 | 0xB8..=0xBA | 0xBC | 0xBE..=0xD1 | 0xD3..=0xFE => u32::from(byte) + 0x2D0,
        _ => return None,
    })
}

impl Iso2022 {
    /// Encodes one character, or two that make a pair.
    pub fn encode(
        &self,
        state: &mut State,
        code: u32,
        next: Option<u32>,
        flush: bool,
        out: &mut Vec<u8>,
    ) -> Step {
        let [g0, g1, _, _, flags, ..] = state;
        if code < 0x80 {
            if *g0 != ASCII {
                out.extend_from_slice(b"\x1b(B");
                *g0 = ASCII;
            }
            if *flags & SHIFTED != 0 {
                out.push(SI);
                *flags &= !SHIFTED;
            }
            out.push(code as u8);
            return Step::Used(1);
        }
        let mut found = None;
        for designation in self.designations {
            if let Set::Pairs(grid) = designation.set {
                let Some(map) = map(grid).filter(|map| map.starts_pair(code)) else { continue };
                match next {
                    None if !flush => return Step::More,
                    Some(next) => {
                        if let Some(bytes) = map.pair(code, next) {
                            found = Some((designation, bytes, 2));
                            break;
                        }
                    }
                    None => {}
                }
            } else if let Some(bytes) = encoded(designation.set, code) {
                found = Some((designation, bytes, 1));
                break;
            }
        }
        let Some((designation, bytes, used)) = found else { return Step::Wrong(1) };
        let (mark, wide) = (designation.mark, designation.mark & TWO_BYTES != 0);
        if designation.shifted {
            if *g1 != mark {
                out.extend_from_slice(if wide { b"\x1b$)" } else { b"\x1b)" });
                out.push(mark & 0x7F);
                *g1 = mark;
            }
            if *flags & SHIFTED == 0 {
                out.push(SO);
                *flags |= SHIFTED;
            }
        } else {
            if *flags & SHIFTED != 0 {
                out.push(SI);
                *flags &= !SHIFTED;
            }
            if *g0 != mark {
                let escape: &[u8] = match (wide, mark) {
                    (false, _) => b"\x1b(",
                    (true, JIS_X_0208) => b"\x1b$",
                    (true, _) => b"\x1b$(",
                };
                out.extend_from_slice(escape);
                out.push(mark & 0x7F);
                *g0 = mark;
            }
        }
        push_bytes(bytes, out);
        Step::Used(used)
    }

    /// Decodes the sequence at the start of `input`.
    pub fn decode(&self, state: &mut State, input: &[u8], out: &mut StrBuilder) -> Step {
        let Some(&first) = input.first() else { return Step::More };
        let [g0, g1, g2, _, flags, ..] = state;
        if *flags & IN_ESCAPE != 0 {
            // The rest of an escape sequence that means nothing here goes through.
            out.push_char(u32::from(first));
            if is_final(first) {
                *flags &= !IN_ESCAPE;
            }
            return Step::Used(1);
        }
        match first {
            ESC => {
                let Some(&second) = input.get(1) else { return Step::More };
                if matches!(second, b'(' | b')' | b'$' | b'.' | b'&') {
                    return self.designate(state, input);
                }
                if self.g2 && second == b'N' {
                    let Some(&third) = input.get(2) else { return Step::More };
                    let code = match *g2 {
                        b'A' if third < 0x80 => Some(u32::from(third) + 0x80),
                        b'F' if third < 0x80 => greek(third | 0x80),
                        ASCII if third < 0x80 => Some(u32::from(third)),
                        _ => None,
                    };
                    let Some(code) = code else { return Step::Wrong(3) };
                    out.push_char(code);
                    return Step::Used(3);
                }
                out.push_char(u32::from(ESC));
                *flags |= IN_ESCAPE;
                return Step::Used(1);
            }
            SI if !self.no_shift => {
                *flags &= !SHIFTED;
                return Step::Used(1);
            }
            SO if !self.no_shift => {
                *flags |= SHIFTED;
                return Step::Used(1);
            }
            b'\n' => {
                *flags &= !SHIFTED;
                out.push_char(u32::from(first));
                return Step::Used(1);
            }
            0..0x20 => {
                out.push_char(u32::from(first));
                return Step::Used(1);
            }
            0x80.. => return Step::Wrong(1),
            _ => {}
        }
        let mark = if *flags & SHIFTED != 0 { *g1 } else { *g0 };
        if mark == ASCII {
            out.push_char(u32::from(first));
            return Step::Used(1);
        }
        let designation = self
            .designations
            .iter()
            .find(|designation| designation.mark == mark && !matches!(designation.set, Set::Pairs(_)));
        let Some(designation) = designation else { return Step::Wrong(1) };
        let width = designation.set.width();
        if input.len() < width {
            return Step::More;
        }
        let value = match designation.set {
            Set::JisRoman => match first {
                0x5C => 0xA5,
                0x7E => 0x203E,
                _ => u32::from(first),
            },
            Set::JisKatakana => match first {
                0x21..=0x5F => u32::from(first) + 0xFF40,
                _ => return Step::Wrong(1),
            },
            Set::Grid(grid) => {
                let second = input.get(1).copied().unwrap_or(0);
                let high = if grid == GB2312 { 0x80 } else { 0 };
                if second >= 0x80 {
                    return Step::Wrong(2);
                }
                lookup(grid, first | high, second | high)
            }
            _ => return Step::Wrong(1),
        };
        if value < PAIR {
            out.push_char(value);
        } else if let Some((a, b)) = pair(value) {
            out.push_char(a);
            out.push_char(b);
        } else {
            return Step::Wrong(width);
        }
        Step::Used(width)
    }

    /// An escape sequence that designates a character set.
    fn designate(&self, state: &mut State, input: &[u8]) -> Step {
        const LONGEST: usize = 16;
        let mut length = None;
        let mut at = 1;
        while at < LONGEST {
            let Some(&byte) = input.get(at) else { return Step::More };
            if is_final(byte) {
                length = Some(at + 1);
                break;
            }
            if self.prefix && byte == b'&' && input.get(at + 1) == Some(&b'@') {
                at += 2;
            }
            at += 1;
        }
        let Some(length) = length else { return Step::Wrong(1) };
        let (charset, place) = match input.get(1..length).unwrap_or(&[]) {
            [b'$', last] => (last | TWO_BYTES, 0),
            [b'(', last] => (*last, 0),
            [b')', last] => (*last, 1),
            [b'.', last] if self.g2 => (*last, 2),
            [b'$', b'(', last] => (last | TWO_BYTES, 0),
            [b'$', b')', last] => (last | TWO_BYTES, 1),
            [_, _, ESC, b'$', b'B'] if self.prefix => (JIS_X_0208, 0),
            _ => return Step::Wrong(length),
        };
        if charset != ASCII && !self.designations.iter().any(|designation| designation.mark == charset) {
            return Step::Wrong(length);
        }
        if let Some(place) = state.get_mut(place) {
            *place = charset;
        }
        Step::Used(length)
    }
}

/// Ends with ASCII.
pub fn encode_reset(state: &mut State, out: &mut Vec<u8>) {
    let [g0, _, _, _, flags, ..] = state;
    if *flags & SHIFTED != 0 {
        out.push(SI);
        *flags &= !SHIFTED;
    }
    if *g0 != ASCII {
        out.extend_from_slice(b"\x1b(B");
        *g0 = ASCII;
    }
}

/// ASCII again.
pub fn decode_reset(state: &mut State) {
    let [g0, _, _, _, flags, ..] = state;
    *g0 = ASCII;
    *flags &= !SHIFTED;
}
