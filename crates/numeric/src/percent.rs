//! `%` formatting (`str % args`, `bytes % args`): the directives of a format string, and integers and padding as
//! they describe them. See "printf-style string formatting" in the library reference.

use crate::TextSink;
use crate::float::{FormatFlags, format_double};
use crate::int::{ErrorKind, IntRef};

/// A width or precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Written out.
    Fixed(usize),
    /// `*`: the next argument.
    Argument,
}

/// The flags of a directive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-`
    pub left: bool,
    /// `+`
    pub sign: bool,
    /// a space
    pub blank: bool,
    /// `#`
    pub alternate: bool,
    /// `0`
    pub zero: bool,
}

/// A conversion: what stands between `%` and the letter, and the letter.
///
/// CPython reads a directive and fetches its arguments in turns, so that errors appear in this order: look
/// `key` up, fetch the arguments of `width` and `precision`, then look at `conversion`, fetch the value, and
/// only then find that the letter is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The positions between the parentheses of `%(key)`.
    pub key: Option<(usize, usize)>,
    /// The flags.
    pub flags: Flags,
    /// The least width.
    pub width: Option<Count>,
    /// The precision.
    pub precision: Option<Count>,
    /// The letter's code point, or why there is none.
    pub conversion: Result<u32, PercentError>,
    /// The letter's position.
    pub index: usize,
}

/// A part of a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The text from one position to another. For `%%`, the position of the second percent sign.
    Literal(usize, usize),
    /// A conversion.
    Directive(Directive),
}

/// What is wrong with a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentError {
    /// The string ends within a directive.
    Incomplete,
    /// The string ends within a key.
    IncompleteKey,
    /// A width beyond the range of sizes.
    WidthTooBig,
    /// A precision beyond the range of C's `int`.
    PrecisionTooBig,
    /// A letter (first) at a position (second) that is none of the conversions.
    Unsupported(u32, usize),
}

impl PercentError {
    /// The exception's class.
    pub fn kind(self) -> ErrorKind {
        ErrorKind::Value
    }

    /// The exception's message, as CPython words it.
    pub fn text(self) -> String {
        let text = match self {
            PercentError::Incomplete => "incomplete format",
            PercentError::IncompleteKey => "incomplete format key",
            PercentError::WidthTooBig => "width too big",
            PercentError::PrecisionTooBig => "precision too big",
            PercentError::Unsupported(code, index) => {
                let shown = char::from_u32(code).filter(|c| (' '..='~').contains(c)).unwrap_or('?');
                return format!("unsupported format character '{shown}' (0x{code:x}) at index {index}");
            }
        };
        text.to_owned()
    }
}

/// Iterates over the pieces of a format string. `code_at` gives the code point (or byte) at a position, `None`
/// beyond the end. After a directive without conversion the iteration is over.
pub struct Parser<F: Fn(usize) -> Option<u32>> {
    code_at: F,
    position: usize,
}

impl<F: Fn(usize) -> Option<u32>> Parser<F> {
    /// Starts at the beginning of the string.
    pub fn new(code_at: F) -> Self {
        Parser { code_at, position: 0 }
    }

    fn peek(&self) -> Option<char> {
        // Only ASCII is compared with; anything else can stand for a surrogate.
        (self.code_at)(self.position).map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn key(&mut self) -> Result<Option<(usize, usize)>, PercentError> {
        if !self.take('(') {
            return Ok(None);
        }
        let start = self.position;
        let mut depth = 1;
        while depth > 0 {
            match self.peek() {
                None => return Err(PercentError::IncompleteKey),
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some(_) => {}
            }
            self.position += 1;
        }
        Ok(Some((start, self.position - 1)))
    }

    fn count(&mut self, limit: usize, error: PercentError) -> Result<Option<Count>, PercentError> {
        if self.take('*') {
            return Ok(Some(Count::Argument));
        }
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let next = value
                .unwrap_or(0usize)
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit as usize))
                .filter(|&v| v <= limit);
            value = Some(next.ok_or(error)?);
            self.position += 1;
        }
        Ok(value.map(Count::Fixed))
    }

    fn fill(&mut self, directive: &mut Directive) -> Result<u32, PercentError> {
        directive.key = self.key()?;
        loop {
            let flag = match self.peek() {
                Some('-') => &mut directive.flags.left,
                Some('+') => &mut directive.flags.sign,
                Some(' ') => &mut directive.flags.blank,
                Some('#') => &mut directive.flags.alternate,
                Some('0') => &mut directive.flags.zero,
                _ => break,
            };
            *flag = true;
            self.position += 1;
        }
        directive.width = self.count(isize::MAX as usize, PercentError::WidthTooBig)?;
        if self.take('.') {
            let precision = self.count(i32::MAX as usize, PercentError::PrecisionTooBig)?;
            directive.precision = Some(precision.unwrap_or(Count::Fixed(0)));
        }
        // C's length modifiers mean nothing here; one is skipped.
        if matches!(self.peek(), Some('h' | 'l' | 'L')) {
            self.position += 1;
        }
        directive.index = self.position;
        let letter = (self.code_at)(self.position).ok_or(PercentError::Incomplete)?;
        self.position += 1;
        Ok(letter)
    }
}

impl<F: Fn(usize) -> Option<u32>> Iterator for Parser<F> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.position;
        let percent = u32::from('%');
        while let Some(code) = (self.code_at)(self.position)
            && code != percent
        {
            self.position += 1;
        }
        if self.position > start {
            return Some(Piece::Literal(start, self.position));
        }
        (self.code_at)(self.position)?;
        self.position += 1;
        if self.take('%') {
            return Some(Piece::Literal(self.position - 1, self.position));
        }
        let mut directive = Directive {
            key: None,
            flags: Flags::default(),
            width: None,
            precision: None,
            conversion: Err(PercentError::Incomplete),
            index: self.position,
        };
        directive.conversion = self.fill(&mut directive);
        if directive.conversion.is_err() {
            self.position = usize::MAX;
        }
        Some(Piece::Directive(directive))
    }
}

/// An int for `d i u o x X`: digits to the precision, sign and `#` prefix. `None` if there are more decimal
/// digits than allowed (0: no limit) or no memory for so many.
pub fn format_int(
    value: IntRef<'_>,
    letter: char,
    flags: Flags,
    precision: Option<usize>,
    max_digits: usize,
) -> Option<String> {
    let (digits, prefix) = match letter {
        'o' => (value.abs().to_text(8, false), "0o"),
        'x' => (value.abs().to_text(16, false), "0x"),
        'X' => (value.abs().to_text(16, true), "0X"),
        _ => (value.abs().to_decimal_limited(max_digits)?, ""),
    };
    let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
    let mut text = String::new();
    text.try_reserve(zeros.checked_add(digits.len() + 3)?).ok()?;
    if value.is_negative() {
        text.push('-');
    }
    if flags.alternate {
        text.push_str(prefix);
    }
    text.extend(std::iter::repeat_n('0', zeros));
    text.push_str(&digits);
    Some(text)
}

/// A float for `e E f F g G`.
pub fn format_float(value: f64, letter: char, flags: Flags, precision: Option<usize>) -> String {
    let options = FormatFlags { alternate: flags.alternate, ..FormatFlags::default() };
    format_double(value, letter, precision.unwrap_or(6), options)
}

/// Appends the text of a number with the sign that the flags ask for, padded to a width: with zeros between sign
/// or prefix and digits, or with blanks on one side. False if there is no memory for so much padding.
pub fn push_number(out: &mut impl TextSink, text: &str, letter: char, flags: Flags, width: usize) -> bool {
    let (sign, body) = match text.as_bytes().first() {
        Some(b'-') => ("-", text.get(1..).unwrap_or_default()),
        Some(b'+') => ("+", text.get(1..).unwrap_or_default()),
        _ if flags.sign => ("+", text),
        _ if flags.blank => (" ", text),
        _ => ("", text),
    };
    let prefixed = flags.alternate && matches!(letter, 'o' | 'x' | 'X');
    let (prefix, digits) = body.split_at_checked(if prefixed { 2 } else { 0 }).unwrap_or(("", body));
    let padding = width.saturating_sub(sign.len() + body.len());
    if width > 1 << 16 && !out.reserve(width) {
        return false;
    }
    let zero = flags.zero && !flags.left;
    if !zero && !flags.left {
        out.push_repeated(u32::from(' '), padding);
    }
    out.push_text(sign);
    out.push_text(prefix);
    if zero {
        out.push_repeated(u32::from('0'), padding);
    }
    out.push_text(digits);
    if flags.left {
        out.push_repeated(u32::from(' '), padding);
    }
    true
}
