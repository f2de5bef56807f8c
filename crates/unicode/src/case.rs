//! Case mapping.
#![allow(clippy::indexing_slicing, reason = "the generator makes indices that are within its tables")]

use crate::predicates::{is_case_ignorable, is_cased, is_lower, is_upper};
use crate::tables::{CASE_MAPPINGS, CASE_POOL, SPECIAL, record};

/// What a character is mapped to: one to three code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseMapping {
    codes: [u32; 3],
    length: usize,
}

impl CaseMapping {
    #[inline]
    fn one(code: u32) -> CaseMapping {
        CaseMapping { codes: [code, 0, 0], length: 1 }
    }

    /// The code points.
    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        &self.codes[..self.length]
    }
}

impl std::ops::Deref for CaseMapping {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        self.as_slice()
    }
}

const LOWER: usize = 0;
const UPPER: usize = 1;
const TITLE: usize = 2;
const FOLD: usize = 3;

#[inline]
fn map(code: u32, column: usize) -> CaseMapping {
    let mapping = CASE_MAPPINGS[record!(code, CASE_SHIFT, CASE_BLOCKS, CASE_RECORDS) * 4 + column];
    if mapping < SPECIAL {
        return CaseMapping::one(code.wrapping_add_signed(mapping));
    }
    let index = (mapping - SPECIAL) as usize;
    let length = (CASE_POOL[index] as usize).min(3);
    let mut codes = [0; 3];
    codes[..length].copy_from_slice(&CASE_POOL[index + 1..=index + length]);
    CaseMapping { codes, length }
}

/// `str.lower` of a character, except for the final sigma.
#[inline]
pub fn to_lower(code: u32) -> CaseMapping {
    if code < 0x80 {
        return CaseMapping::one(u32::from((code as u8).to_ascii_lowercase()));
    }
    map(code, LOWER)
}

/// `str.upper` of a character.
#[inline]
pub fn to_upper(code: u32) -> CaseMapping {
    if code < 0x80 {
        return CaseMapping::one(u32::from((code as u8).to_ascii_uppercase()));
    }
    map(code, UPPER)
}

/// `str.title` of a character that begins a word.
#[inline]
pub fn to_title(code: u32) -> CaseMapping {
    if code < 0x80 {
        return CaseMapping::one(u32::from((code as u8).to_ascii_uppercase()));
    }
    map(code, TITLE)
}

/// `str.casefold` of a character.
#[inline]
pub fn to_casefold(code: u32) -> CaseMapping {
    if code < 0x80 {
        return CaseMapping::one(u32::from((code as u8).to_ascii_lowercase()));
    }
    map(code, FOLD)
}

/// `str.swapcase` of a character, except for the final sigma.
pub fn swap_case(code: u32) -> CaseMapping {
    if is_upper(code) {
        to_lower(code)
    } else if is_lower(code) {
        to_upper(code)
    } else {
        CaseMapping::one(code)
    }
}

/// The lower-case character that regular expressions compare with: the first of the full mapping.
#[inline]
pub fn simple_lower(code: u32) -> u32 {
    to_lower(code).codes[0]
}

/// The upper-case character that regular expressions compare with: the first of the full mapping.
#[inline]
pub fn simple_upper(code: u32) -> u32 {
    to_upper(code).codes[0]
}

/// Whether a capital sigma (U+03A3) between these characters is at the end of a word, so that its lower case
/// is U+03C2. `before` goes backwards from the sigma, `after` forwards.
pub fn is_final_sigma(before: impl IntoIterator<Item = u32>, after: impl IntoIterator<Item = u32>) -> bool {
    next_is_cased(before) && !next_is_cased(after)
}

/// Whether the next character that counts is cased.
fn next_is_cased(codes: impl IntoIterator<Item = u32>) -> bool {
    codes.into_iter().find(|&code| !is_case_ignorable(code)).is_some_and(is_cased)
}
