//! The character database of `unicodedata`, in its current version and in that of 3.2.
#![allow(clippy::indexing_slicing, reason = "the generator makes indices that are within its tables")]

use crate::tables::{self, record};

/// A version of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Unicode 16.0: `unicodedata` itself.
    Current,
    /// Unicode 3.2: `unicodedata.ucd_3_2_0`, which `stringprep` and IDNA need.
    Old,
}

impl Database {
    /// `unicodedata.unidata_version`
    pub fn version(self) -> &'static str {
        match self {
            Database::Current => "16.0.0",
            Database::Old => "3.2.0",
        }
    }

    #[inline]
    fn class(self, code: u32, column: usize) -> usize {
        usize::from(match self {
            Database::Current => {
                let record = record!(code, PROPERTY_SHIFT, PROPERTY_BLOCKS, PROPERTY_RECORDS);
                tables::PROPERTY_CLASSES[record * 4 + column]
            }
            Database::Old => {
                let record = record!(code, OLD_SHIFT, OLD_BLOCKS, OLD_RECORDS);
                tables::OLD_CLASSES[record * 4 + column]
            }
        })
    }

    /// The general category, such as `Lu`; `Cn` for what is unassigned.
    pub fn category(self, code: u32) -> &'static str {
        tables::CATEGORIES[self.class(code, 0)]
    }

    /// Whether this version has the character.
    pub fn is_assigned(self, code: u32) -> bool {
        self.category(code) != "Cn"
    }

    /// The bidirectional class, such as `AL`; empty for what has none.
    pub fn bidirectional(self, code: u32) -> &'static str {
        tables::BIDI_CLASSES[self.class(code, 1)]
    }

    /// The canonical combining class.
    #[inline]
    pub fn combining(self, code: u32) -> u8 {
        self.class(code, 2) as u8
    }

    /// The East Asian width, such as `W`.
    pub fn east_asian_width(self, code: u32) -> &'static str {
        tables::WIDTHS[self.class(code, 3)]
    }

    /// Whether the character is mirrored in text from right to left.
    pub fn mirrored(self, code: u32) -> bool {
        let flags = match self {
            Database::Current => tables::flags(code),
            Database::Old => tables::OLD_FLAGS[record!(code, OLD_SHIFT, OLD_BLOCKS, OLD_RECORDS)],
        };
        flags & tables::MIRRORED != 0
    }

    fn digits(self, code: u32, column: usize) -> Option<u8> {
        let value = match self {
            Database::Current => {
                let record = record!(code, NUMBER_SHIFT, NUMBER_BLOCKS, NUMBER_RECORDS);
                tables::NUMBER_DIGITS[record * 2 + column]
            }
            Database::Old => {
                let record = record!(code, OLD_NUMBER_SHIFT, OLD_NUMBER_BLOCKS, OLD_NUMBER_RECORDS);
                tables::OLD_NUMBER_DIGITS[record * 2 + column]
            }
        };
        (value != 255).then_some(value)
    }

    /// The value of a decimal digit.
    pub fn decimal(self, code: u32) -> Option<u8> {
        self.digits(code, 0)
    }

    /// The value of a digit.
    pub fn digit(self, code: u32) -> Option<u8> {
        self.digits(code, 1)
    }

    /// The numeric value.
    pub fn numeric(self, code: u32) -> Option<f64> {
        let (numerator, denominator) = match self {
            Database::Current => {
                let record = record!(code, NUMBER_SHIFT, NUMBER_BLOCKS, NUMBER_RECORDS);
                (tables::NUMBER_FRACTIONS[record * 2], tables::NUMBER_FRACTIONS[record * 2 + 1])
            }
            Database::Old => {
                let record = record!(code, OLD_NUMBER_SHIFT, OLD_NUMBER_BLOCKS, OLD_NUMBER_RECORDS);
                (tables::OLD_NUMBER_FRACTIONS[record * 2], tables::OLD_NUMBER_FRACTIONS[record * 2 + 1])
            }
        };
        match denominator {
            0 => None,
            1.. => Some(f64::from(numerator) / f64::from(denominator)),
            _ => Some(f64::from(numerator) * 10f64.powi(-denominator)),
        }
    }

    /// The decomposition as `unicodedata.decomposition` gives it: a tag and code points in hexadecimal; empty if
    /// there is none.
    pub fn decomposition(self, code: u32) -> String {
        if !self.is_assigned(code) {
            return String::new();
        }
        if let Some(index) = code.checked_sub(0xac00).filter(|&index| index < 11_172) {
            return hangul_decomposition(index);
        }
        let Ok(index) = tables::DECOMPOSED.binary_search(&code) else { return String::new() };
        let start = usize::from(tables::DECOMPOSITION_STARTS[index]);
        let end = usize::from(tables::DECOMPOSITION_STARTS[index + 1]);
        let data = &tables::DECOMPOSITIONS[start..end];
        let mut out = tables::DECOMPOSITION_TAGS[usize::from(data[0])].to_owned();
        for c in std::str::from_utf8(&data[1..]).unwrap_or_default().chars() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&format!("{:04X}", u32::from(c)));
        }
        out
    }
}

/// The decomposition that Unicode 3.2 had and that was corrected later. CPython heeds it in normalisation only.
pub fn old_decomposition(code: u32) -> Option<u32> {
    tables::OLD_DECOMPOSED.as_chunks::<2>().0.iter().find(|pair| pair[0] == code).map(|pair| pair[1])
}

/// The full decomposition of a Hangul syllable.
fn hangul_decomposition(index: u32) -> String {
    let (leading, vowel, trailing) = (0x1100 + index / 588, 0x1161 + index % 588 / 28, index % 28);
    if trailing == 0 {
        return format!("{leading:04X} {vowel:04X}");
    }
    format!("{leading:04X} {vowel:04X} {:04X}", 0x11a7 + trailing)
}
