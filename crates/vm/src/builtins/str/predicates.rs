//! What kind of characters a string consists of. ASCII is answered from one table of bits, the rest by the Unicode
//! character database.

use super::layout::StrData;
use crate::prelude::*;
use taipan_unicode as unicode;

const ALPHA: u8 = 1;
const DIGIT: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const SPACE: u8 = 16;
const PRINTABLE: u8 = 32;
const LINE_BREAK: u8 = 64;

const fn classify(c: u8) -> u8 {
    let mut bits = 0;
    if c.is_ascii_lowercase() {
        bits |= ALPHA | LOWER;
    }
    if c.is_ascii_uppercase() {
        bits |= ALPHA | UPPER;
    }
    if c.is_ascii_digit() {
        bits |= DIGIT;
    }
    if matches!(c, 9..=13 | 28..=32) {
        bits |= SPACE;
    }
    if matches!(c, 10..=13 | 28..=30) {
        bits |= LINE_BREAK;
    }
    if c >= 32 && c < 127 {
        bits |= PRINTABLE;
    }
    bits
}

#[allow(clippy::indexing_slicing, reason = "the loop runs over the table's own length")]
const fn classes() -> [u8; 128] {
    let mut table = [0; 128];
    let mut c = 0;
    while c < 128 {
        table[c] = classify(c as u8);
        c += 1;
    }
    table
}

static CLASSES: [u8; 128] = classes();

#[inline(always)]
fn class_of(code: u32) -> Option<u8> {
    CLASSES.get(code as usize).copied()
}

macro_rules! tests {
    ($($(#[$doc:meta])* $name:ident: $bits:expr, $wide:expr;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(code: u32) -> bool {
            match class_of(code) {
                Some(class) => class & ($bits) != 0,
                None => $wide(code),
            }
        }
    )*};
}

tests! {
    /// `Py_UNICODE_ISALPHA`.
    is_alpha: ALPHA, unicode::is_alpha;
    /// `str.isspace`'s whitespace: bidirectional class WS, B or S, or category Zs.
    is_space: SPACE, unicode::is_space;
    /// What `splitlines` splits at.
    is_line_break: LINE_BREAK, unicode::is_line_break;
    /// Decimal digits.
    is_decimal: DIGIT, unicode::is_decimal;
    /// Digits, superscripts included.
    is_digit: DIGIT, unicode::is_digit;
    /// Anything with a numeric value.
    is_numeric: DIGIT, unicode::is_numeric;
    /// Lower-case letters.
    is_lower: LOWER, unicode::is_lower;
    /// Upper-case letters.
    is_upper: UPPER, unicode::is_upper;
    /// Title-case letters.
    is_title: 0u8, unicode::is_title;
    /// What `repr` shows as it is.
    is_printable: PRINTABLE, unicode::is_printable;
    /// Letters, digits and other characters with a numeric value.
    is_alnum: ALPHA | DIGIT, unicode::is_alnum;
}

/// The value of a decimal digit of any script.
#[inline]
pub fn decimal_value(code: u32) -> Option<u32> {
    match code {
        0x30..=0x39 => Some(code - 0x30),
        0..0x80 => None,
        _ => unicode::decimal_value(code).map(u32::from),
    }
}

impl Str {
    /// Not empty, and all characters pass.
    #[inline]
    fn all_chars(&self, test: fn(u32) -> bool) -> bool {
        !self.is_empty() && self.data().iter().all(test)
    }

    /// All ASCII bytes have one of the class bits, for strings of ASCII; `None` for others.
    #[inline]
    fn all_ascii(&self, bits: u8) -> Option<bool> {
        let bytes = self.ascii_bytes()?;
        Some(
            !bytes.is_empty()
                && bytes.iter().all(|&b| class_of(b.into()).is_some_and(|class| class & bits != 0)),
        )
    }

    /// Whether there are cased characters, and all of them pass.
    fn all_cased(&self, wanted: fn(u32) -> bool, unwanted: fn(u32) -> bool) -> bool {
        let mut cased = false;
        for code in self.data().iter() {
            if unwanted(code) || is_title(code) {
                return false;
            }
            cased |= wanted(code);
        }
        cased
    }

    /// Whether the text is an identifier (language reference, "Names"; PEP 3131).
    pub fn is_identifier(&self) -> bool {
        if let StrData::Ucs1(bytes) = self.data() {
            if self.is_ascii() {
                let Some((first, rest)) = bytes.split_first() else { return false };
                let starts = first.is_ascii_alphabetic() || *first == b'_';
                return starts && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            }
        }
        let mut codes = self.data().iter();
        let Some(first) = codes.next() else { return false };
        (unicode::is_identifier_start(first)) && codes.all(unicode::is_identifier_continue)
    }

    /// Whether `repr` would show all characters as they are.
    pub fn is_printable(&self) -> bool {
        self.data().iter().all(is_printable)
    }
}

#[pymethods(table = PREDICATE_METHODS)]
impl Str {
    /// Return True if all characters are ASCII.
    #[method("($self, /)")]
    fn isascii(&self) -> bool {
        self.is_ascii()
    }

    /// Return True if there are cased characters and all of them are lower case.
    #[method("($self, /)")]
    fn islower(&self) -> bool {
        self.all_cased(is_lower, is_upper)
    }

    /// Return True if there are cased characters and all of them are upper case.
    #[method("($self, /)")]
    fn isupper(&self) -> bool {
        self.all_cased(is_upper, is_lower)
    }

    /// Return True if words start with upper case and go on in lower case, and there is at least one.
    #[method("($self, /)")]
    fn istitle(&self) -> bool {
        let (mut cased, mut previous_cased) = (false, false);
        for code in self.data().iter() {
            if is_upper(code) || is_title(code) {
                if previous_cased {
                    return false;
                }
                (cased, previous_cased) = (true, true);
            } else if is_lower(code) {
                if !previous_cased {
                    return false;
                }
                (cased, previous_cased) = (true, true);
            } else {
                previous_cased = false;
            }
        }
        cased
    }

    /// Return True if all characters are whitespace, and there is at least one.
    #[method("($self, /)")]
    fn isspace(&self) -> bool {
        self.all_ascii(SPACE).unwrap_or_else(|| self.all_chars(is_space))
    }

    /// Return True if all characters are decimal digits, and there is at least one.
    #[method("($self, /)")]
    fn isdecimal(&self) -> bool {
        self.all_ascii(DIGIT).unwrap_or_else(|| self.all_chars(is_decimal))
    }

    /// Return True if all characters are digits, and there is at least one.
    #[method("($self, /)")]
    fn isdigit(&self) -> bool {
        self.all_ascii(DIGIT).unwrap_or_else(|| self.all_chars(is_digit))
    }

    /// Return True if all characters are numeric, and there is at least one.
    #[method("($self, /)")]
    fn isnumeric(&self) -> bool {
        self.all_ascii(DIGIT).unwrap_or_else(|| self.all_chars(is_numeric))
    }

    /// Return True if all characters are letters, and there is at least one.
    #[method("($self, /)")]
    fn isalpha(&self) -> bool {
        self.all_ascii(ALPHA).unwrap_or_else(|| self.all_chars(is_alpha))
    }

    /// Return True if all characters are letters or digits, and there is at least one.
    #[method("($self, /)")]
    fn isalnum(&self) -> bool {
        self.all_ascii(ALPHA | DIGIT).unwrap_or_else(|| self.all_chars(is_alnum))
    }

    /// Return True if the string is a valid identifier; keyword.iskeyword() tells reserved ones.
    #[method("($self, /)")]
    fn isidentifier(&self) -> bool {
        self.is_identifier()
    }

    /// Return True if all characters are printable or there is none.
    #[method("($self, /)")]
    fn isprintable(&self) -> bool {
        self.is_printable()
    }
}
