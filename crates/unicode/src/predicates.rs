//! What the `is…` methods of `str` ask of a character.

use crate::database::Database;
use crate::tables::{self, flags};

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident = $flags:expr;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(code: u32) -> bool {
            flags(code) & ($flags) != 0
        }
    )*};
}

predicates! {
    /// Whether `str.isalpha` holds.
    is_alpha = tables::ALPHA;
    /// Whether `str.isdecimal` holds.
    is_decimal = tables::DECIMAL;
    /// Whether `str.isdigit` holds.
    is_digit = tables::DIGIT;
    /// Whether `str.isnumeric` holds.
    is_numeric = tables::NUMERIC;
    /// Whether `str.isalnum` holds.
    is_alnum = tables::ALPHA | tables::DECIMAL | tables::DIGIT | tables::NUMERIC;
    /// Whether `str.isspace` holds; what `str.strip` and `str.split` take away.
    is_space = tables::SPACE;
    /// Whether `str.isprintable` holds; `repr` escapes the rest.
    is_printable = tables::PRINTABLE;
    /// Whether the character is upper case.
    is_upper = tables::UPPER;
    /// Whether the character is lower case.
    is_lower = tables::LOWER;
    /// Whether the character is title case (category Lt).
    is_title = tables::TITLE;
    /// Whether the character is upper, lower or title case (property Cased).
    is_cased = tables::CASED;
    /// Whether the character is passed over when looking for cased neighbours (property Case_Ignorable).
    is_case_ignorable = tables::CASE_IGNORABLE;
    /// Whether an identifier can begin with the character (`XID_Start`, and the underscore).
    is_identifier_start = tables::XID_START;
    /// Whether an identifier can go on with the character (`XID_Continue`).
    is_identifier_continue = tables::XID_CONTINUE;
    /// Whether `str.splitlines` ends a line there.
    is_line_break = tables::LINE_BREAK;
}

/// The value of a decimal digit (`unicodedata.decimal`), as `int()` and `float()` read them.
#[inline]
pub fn decimal_value(code: u32) -> Option<u8> {
    if code < 0x80 {
        return char::from_u32(code).and_then(|c| c.to_digit(10)).map(|d| d as u8);
    }
    Database::Current.decimal(code)
}

/// The value of a digit (`unicodedata.digit`), superscripts included.
pub fn digit_value(code: u32) -> Option<u8> {
    Database::Current.digit(code)
}

/// The numeric value (`unicodedata.numeric`), fractions included.
pub fn numeric_value(code: u32) -> Option<f64> {
    Database::Current.numeric(code)
}
