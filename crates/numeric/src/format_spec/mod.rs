//! The format mini-language (`format(value, spec)`): parsing of the specifier, and the numbers and strings
//! that it describes. See "Format specification mini-language" in the library reference.

mod render;

use smallvec::SmallVec;

use crate::int::{ErrorKind, IntError};

pub use render::{NumberLocale, StringLayout, format_complex, format_float, format_int, layout_string};

/// Where padding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `>`
    Right,
    /// `^`
    Center,
    /// `=`: between the sign and the digits
    AfterSign,
}

/// Which sign a number that is not negative gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `-`: none
    Minus,
    /// `+`
    Plus,
    /// a space
    Space,
}

/// The separator of groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// `,`
    Comma,
    /// `_`
    Underscore,
}

impl Grouping {
    fn symbol(self) -> char {
        match self {
            Grouping::Comma => ',',
            Grouping::Underscore => '_',
        }
    }
}

/// A parsed specifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatSpec {
    /// The code point of the padding.
    pub fill: u32,
    /// Where the padding goes; the type's default if the specifier does not say.
    pub align: Align,
    /// The sign, if the specifier has one.
    pub sign: Option<Sign>,
    /// `z`
    pub no_negative_zero: bool,
    /// `#`
    pub alternate: bool,
    /// The least width.
    pub width: Option<usize>,
    /// Grouping of the integer part.
    pub grouping: Option<Grouping>,
    /// The precision.
    pub precision: Option<usize>,
    /// Grouping of the fraction.
    pub fraction_grouping: Option<Grouping>,
    /// The type's code point; the default given to [`FormatSpec::parse`] if the specifier has none.
    pub kind: u32,
}

/// What is wrong with a specifier, or with applying it to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// A width or precision beyond the range of sizes.
    TooManyDecimalDigits,
    /// `,` and `_` together.
    CommaAndUnderscore,
    /// A point without digits after it.
    MissingPrecision,
    /// Something is left after the type.
    InvalidSpecifier,
    /// A separator that the type does not take.
    GroupingWithType(Grouping, u32),
    /// The object's type has no such format type.
    UnknownCode(u32),
    /// A sign for a string.
    SignInString,
    /// A space for a string.
    SpaceInString,
    /// `z` for a string.
    NegativeZeroInString,
    /// `#` for a string.
    AlternateInString,
    /// `=` for a string.
    AlignInString,
    /// A precision for an int.
    PrecisionInInteger,
    /// `z` for an int.
    NegativeZeroInInteger,
    /// A sign with `c`.
    SignWithChar,
    /// `#` with `c`.
    AlternateWithChar,
    /// An int that is no code point, with `c`: `OverflowError`.
    CharRange,
    /// An int beyond the C type, with `c`: `OverflowError`.
    CharTooLarge,
    /// Zero padding for a complex number.
    ZeroPaddingInComplex,
    /// `=` for a complex number.
    AlignInComplex,
    /// A precision beyond the range of C's `int`.
    PrecisionTooBig,
    /// More digits than `sys.get_int_max_str_digits()`, which is the number.
    TooManyDigits(usize),
    /// The int does not convert to a float.
    Int(IntError),
    /// There is no memory for the padding.
    OutOfMemory,
}

/// A code point as CPython shows it within these messages.
fn show_code(code: u32) -> String {
    match char::from_u32(code) {
        Some(c @ '!'..='\x7f') => c.to_string(),
        _ => format!("\\x{code:x}"),
    }
}

impl FormatError {
    /// The exception's class.
    pub fn kind(self) -> ErrorKind {
        match self {
            FormatError::CharRange | FormatError::CharTooLarge => ErrorKind::Overflow,
            FormatError::Int(error) => error.kind(),
            FormatError::OutOfMemory => ErrorKind::Memory,
            _ => ErrorKind::Value,
        }
    }

    /// The exception's message; `spec` is the specifier, `type_name` the name of the object's type.
    pub fn text(self, spec: &str, type_name: &str) -> String {
        let text = match self {
            FormatError::TooManyDecimalDigits => "Too many decimal digits in format string",
            FormatError::CommaAndUnderscore => "Cannot specify both ',' and '_'.",
            FormatError::MissingPrecision => "Format specifier missing precision",
            FormatError::InvalidSpecifier => {
                return format!("Invalid format specifier '{spec}' for object of type '{type_name}'");
            }
            FormatError::GroupingWithType(grouping, code) => {
                return format!("Cannot specify '{}' with '{}'.", grouping.symbol(), show_code(code));
            }
            FormatError::UnknownCode(code) => {
                return format!("Unknown format code '{}' for object of type '{type_name}'", show_code(code));
            }
            FormatError::SignInString => "Sign not allowed in string format specifier",
            FormatError::SpaceInString => "Space not allowed in string format specifier",
            FormatError::NegativeZeroInString => {
                "Negative zero coercion (z) not allowed in string format specifier"
            }
            FormatError::AlternateInString => "Alternate form (#) not allowed in string format specifier",
            FormatError::AlignInString => "'=' alignment not allowed in string format specifier",
            FormatError::PrecisionInInteger => "Precision not allowed in integer format specifier",
            FormatError::NegativeZeroInInteger => {
                "Negative zero coercion (z) not allowed in integer format specifier"
            }
            FormatError::SignWithChar => "Sign not allowed with integer format specifier 'c'",
            FormatError::AlternateWithChar => {
                "Alternate form (#) not allowed with integer format specifier 'c'"
            }
            FormatError::CharRange => "%c arg not in range(0x110000)",
            FormatError::CharTooLarge => "Python int too large to convert to C long",
            FormatError::ZeroPaddingInComplex => "Zero padding is not allowed in complex format specifier",
            FormatError::AlignInComplex => "'=' alignment flag is not allowed in complex format specifier",
            FormatError::PrecisionTooBig => "precision too big",
            FormatError::TooManyDigits(limit) => {
                return format!(
                    "Exceeds the limit ({limit} digits) for integer string conversion; \
                     use sys.set_int_max_str_digits() to increase the limit"
                );
            }
            FormatError::Int(error) => error.text(),
            FormatError::OutOfMemory => "",
        };
        text.to_owned()
    }
}

fn align_of(code: u32) -> Option<Align> {
    match char::from_u32(code)? {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::AfterSign),
        _ => None,
    }
}

/// Reads the specifier from left to right.
struct Reader<'a> {
    rest: &'a [u32],
}

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == u32::from(wanted) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.first().and_then(|&c| char::from_u32(c))
    }

    fn integer(&mut self) -> Result<Option<usize>, FormatError> {
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let next = value
                .unwrap_or(0usize)
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit as usize))
                .filter(|&v| v <= isize::MAX as usize);
            value = Some(next.ok_or(FormatError::TooManyDecimalDigits)?);
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        Ok(value)
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, FormatError> {
        let comma = self.take(',');
        if self.take('_') {
            if comma || self.peek() == Some(',') {
                return Err(FormatError::CommaAndUnderscore);
            }
            return Ok(Some(Grouping::Underscore));
        }
        Ok(comma.then_some(Grouping::Comma))
    }
}

impl FormatSpec {
    /// Parses a specifier. `default_kind` is the type's default code: `s` for strings, `d` for ints, 0 for floats
    /// and complex numbers; strings are aligned to the left by default, numbers to the right.
    pub fn parse(spec: impl IntoIterator<Item = u32>, default_kind: u32) -> Result<FormatSpec, FormatError> {
        let text: SmallVec<[u32; 16]> = spec.into_iter().collect();
        let mut reader = Reader { rest: &text };
        let default_align = if default_kind == u32::from('s') { Align::Left } else { Align::Right };
        let mut fill = None;
        let mut align = None;
        match *reader.rest {
            [first, second, ..] if align_of(second).is_some() => {
                fill = Some(first);
                align = align_of(second);
                reader.rest = reader.rest.get(2..).unwrap_or_default();
            }
            [first, ..] if align_of(first).is_some() => {
                align = align_of(first);
                reader.rest = reader.rest.get(1..).unwrap_or_default();
            }
            _ => {}
        }
        let sign = if reader.take('+') {
            Some(Sign::Plus)
        } else if reader.take('-') {
            Some(Sign::Minus)
        } else {
            reader.take(' ').then_some(Sign::Space)
        };
        let no_negative_zero = reader.take('z');
        let alternate = reader.take('#');
        if fill.is_none() && reader.take('0') {
            fill = Some(u32::from('0'));
            if align.is_none() && default_align == Align::Right {
                align = Some(Align::AfterSign);
            }
        }
        let width = reader.integer()?;
        let grouping = reader.grouping()?;
        let (mut precision, mut fraction_grouping) = (None, None);
        if reader.take('.') {
            precision = reader.integer()?;
            fraction_grouping = reader.grouping()?;
            if precision.is_none() && fraction_grouping.is_none() {
                return Err(FormatError::MissingPrecision);
            }
        }
        let kind = match *reader.rest {
            [] => default_kind,
            [kind] => kind,
            _ => return Err(FormatError::InvalidSpecifier),
        };
        if let Some(grouping) = grouping {
            let allowed = match char::from_u32(kind) {
                Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0') => true,
                Some('b' | 'o' | 'x' | 'X') => grouping == Grouping::Underscore,
                _ => false,
            };
            if !allowed {
                return Err(FormatError::GroupingWithType(grouping, kind));
            }
        }
        if let Some(grouping) = fraction_grouping
            && kind == u32::from('n')
        {
            return Err(FormatError::GroupingWithType(grouping, kind));
        }
        Ok(FormatSpec {
            fill: fill.unwrap_or(u32::from(' ')),
            align: align.unwrap_or(default_align),
            sign,
            no_negative_zero,
            alternate,
            width,
            grouping,
            precision,
            fraction_grouping,
            kind,
        })
    }

    /// The type as a character; U+FFFD if it is a surrogate.
    fn kind_char(&self) -> char {
        char::from_u32(self.kind).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}
