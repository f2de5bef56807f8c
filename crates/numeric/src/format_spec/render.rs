//! Numbers laid out as a specifier says: sign, prefix, groups, padding.

use std::borrow::Cow;

use super::{Align, FormatError, FormatSpec, Grouping, Sign};
use crate::TextSink;
use crate::float::{FormatFlags, format_double};
use crate::int::IntRef;

/// What the type `n` takes from the locale (`localeconv()`).
#[derive(Clone, Copy, Debug)]
pub struct NumberLocale<'a> {
    /// The decimal point.
    pub decimal_point: &'a str,
    /// The separator of groups.
    pub thousands_separator: &'a str,
    /// Sizes of the groups from the right as C gives them: the last repeats, 127 ends grouping.
    pub grouping: &'a [u8],
}

impl NumberLocale<'static> {
    /// The locale "C".
    pub const C: NumberLocale<'static> =
        NumberLocale { decimal_point: ".", thousands_separator: "", grouping: &[] };

    fn of_grouping(grouping: Option<Grouping>, by_four: bool) -> NumberLocale<'static> {
        NumberLocale {
            decimal_point: ".",
            thousands_separator: match grouping {
                None => "",
                Some(Grouping::Comma) => ",",
                Some(Grouping::Underscore) => "_",
            },
            grouping: match grouping {
                None => &[],
                Some(_) if by_four => &[4],
                Some(_) => &[3],
            },
        }
    }
}

/// Group sizes from the right; the last one repeats, 0 stands for "all the rest".
fn group_sizes(grouping: &[u8]) -> impl Iterator<Item = usize> {
    let mut last = 0;
    let mut index = 0;
    std::iter::from_fn(move || {
        match grouping.get(index) {
            None | Some(0) => return Some(last),
            Some(127..) => last = 0,
            Some(&size) => last = usize::from(size),
        }
        index += 1;
        Some(last)
    })
}

/// Digits in groups, filled with zeros to a least width so that no separator comes first.
fn group_digits(digits: &str, least: usize, locale: &NumberLocale<'_>) -> String {
    if digits.is_empty() {
        return String::new();
    }
    let separator = locale.thousands_separator;
    let separator_width = separator.chars().count();
    let mut groups: Vec<(usize, &str)> = Vec::new();
    let mut rest = digits;
    let mut least = least;
    for size in group_sizes(locale.grouping) {
        let wanted = rest.len().max(least).max(1);
        let length = if size == 0 { wanted } else { wanted.min(size) };
        let (before, group) = rest.split_at(rest.len().saturating_sub(length));
        groups.push((length - group.len(), group));
        rest = before;
        least = least.saturating_sub(length);
        if rest.is_empty() && least == 0 {
            break;
        }
        least = least.saturating_sub(separator_width);
    }
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, (zeros, group)) in groups.iter().rev().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        out.extend(std::iter::repeat_n('0', *zeros));
        out.push_str(group);
    }
    out
}

/// Digits after the point in groups from the left.
fn group_fraction(digits: &str, grouping: Option<Grouping>) -> Cow<'_, str> {
    let Some(grouping) = grouping else { return Cow::Borrowed(digits) };
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 3 == 0 {
            out.push(grouping.symbol());
        }
        out.push(digit);
    }
    Cow::Owned(out)
}

/// The parts of a number, before padding.
struct Number<'a> {
    negative: bool,
    prefix: &'a str,
    whole: &'a str,
    fraction: Option<&'a str>,
    /// The exponent, `%`, `inf` or `nan`.
    rest: &'a str,
}

impl<'a> Number<'a> {
    /// Takes the text of a float apart.
    fn from_text(text: &'a str) -> Number<'a> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = text.split_at(digits(text));
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (fraction, rest) = rest.split_at(digits(rest));
                (Some(fraction), rest)
            }
            None => (None, rest),
        };
        Number { negative, prefix: "", whole, fraction, rest }
    }

    fn write(
        &self,
        out: &mut impl TextSink,
        spec: &FormatSpec,
        locale: &NumberLocale<'_>,
    ) -> Result<(), FormatError> {
        let sign = match (self.negative, spec.sign) {
            (true, _) => "-",
            (false, Some(Sign::Plus)) => "+",
            (false, Some(Sign::Space)) => " ",
            (false, _) => "",
        };
        let fraction = self.fraction.map(|digits| group_fraction(digits, spec.fraction_grouping));
        let point = fraction.as_ref().map_or("", |_| locale.decimal_point);
        let fixed = sign.len()
            + self.prefix.len()
            + point.chars().count()
            + fraction.as_ref().map_or(0, |digits| digits.len())
            + self.rest.len();
        let width = spec.width.unwrap_or(0);
        if width > 1 << 16 && !out.reserve(width) {
            return Err(FormatError::OutOfMemory);
        }
        let zero_filled = spec.fill == u32::from('0') && spec.align == Align::AfterSign;
        let least = if zero_filled { width.saturating_sub(fixed) } else { 0 };
        // Without separators the zeros that fill up to the width are all that grouping adds.
        let (zeros, whole) = if locale.grouping.is_empty() {
            let zeros = if self.whole.is_empty() { 0 } else { least.saturating_sub(self.whole.len()) };
            (zeros, Cow::Borrowed(self.whole))
        } else {
            (0, Cow::Owned(group_digits(self.whole, least, locale)))
        };
        let length = if whole.is_ascii() { whole.len() } else { whole.chars().count() };
        let padding = width.saturating_sub(fixed + zeros + length);
        let (left, inner, right) = split_padding(spec.align, padding);
        out.push_repeated(spec.fill, left);
        out.push_text(sign);
        out.push_text(self.prefix);
        out.push_repeated(spec.fill, inner);
        out.push_repeated(u32::from('0'), zeros);
        out.push_text(&whole);
        out.push_text(point);
        if let Some(fraction) = fraction {
            out.push_text(&fraction);
        }
        out.push_text(self.rest);
        out.push_repeated(spec.fill, right);
        Ok(())
    }
}

/// Padding to the left, after the sign, and to the right.
fn split_padding(align: Align, padding: usize) -> (usize, usize, usize) {
    match align {
        Align::Left => (0, 0, padding),
        Align::Right => (padding, 0, 0),
        Align::Center => (padding / 2, 0, padding - padding / 2),
        Align::AfterSign => (0, padding, 0),
    }
}

/// How a string is cut and padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StringLayout {
    /// Fill characters before.
    pub left: usize,
    /// How many of the string's code points are kept.
    pub length: usize,
    /// Fill characters after.
    pub right: usize,
}

/// `str.__format__` for a string of `length` code points.
pub fn layout_string(spec: &FormatSpec, length: usize) -> Result<StringLayout, FormatError> {
    if spec.kind_char() != 's' {
        return Err(FormatError::UnknownCode(spec.kind));
    }
    match spec.sign {
        None => {}
        Some(Sign::Space) => return Err(FormatError::SpaceInString),
        Some(_) => return Err(FormatError::SignInString),
    }
    if spec.no_negative_zero {
        return Err(FormatError::NegativeZeroInString);
    }
    if spec.alternate {
        return Err(FormatError::AlternateInString);
    }
    if spec.align == Align::AfterSign {
        return Err(FormatError::AlignInString);
    }
    let length = spec.precision.map_or(length, |precision| precision.min(length));
    let padding = spec.width.unwrap_or(0).saturating_sub(length);
    let (left, _, right) = split_padding(spec.align, padding);
    Ok(StringLayout { left, length, right })
}

/// `int.__format__`, with the limit of decimal digits (0: none) and the locale for the type `n`.
pub fn format_int(
    out: &mut impl TextSink,
    value: IntRef<'_>,
    spec: &FormatSpec,
    max_digits: usize,
    locale: &NumberLocale<'_>,
) -> Result<(), FormatError> {
    let kind = spec.kind_char();
    let (base, prefix) = match kind {
        'd' | 'n' => (10, ""),
        'b' => (2, "0b"),
        'o' => (8, "0o"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        'c' => return format_char(out, value, spec),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => {
            let value = value.to_f64().map_err(FormatError::Int)?;
            return format_float(out, value, spec, locale);
        }
        _ => return Err(FormatError::UnknownCode(spec.kind)),
    };
    check_integer(spec)?;
    let text = match base {
        10 => value.abs().to_decimal_limited(max_digits).ok_or(FormatError::TooManyDigits(max_digits))?,
        _ => value.abs().to_text(base, kind == 'X'),
    };
    let number = Number {
        negative: value.is_negative(),
        prefix: if spec.alternate { prefix } else { "" },
        whole: &text,
        fraction: None,
        rest: "",
    };
    let own = NumberLocale::of_grouping(spec.grouping, base != 10);
    number.write(out, spec, if kind == 'n' { locale } else { &own })
}

fn check_integer(spec: &FormatSpec) -> Result<(), FormatError> {
    if spec.precision.is_some() {
        return Err(FormatError::PrecisionInInteger);
    }
    if spec.no_negative_zero {
        return Err(FormatError::NegativeZeroInInteger);
    }
    Ok(())
}

/// The type `c`: the character with that code.
fn format_char(out: &mut impl TextSink, value: IntRef<'_>, spec: &FormatSpec) -> Result<(), FormatError> {
    check_integer(spec)?;
    if spec.sign.is_some() {
        return Err(FormatError::SignWithChar);
    }
    if spec.alternate {
        return Err(FormatError::AlternateWithChar);
    }
    let code = value.to_i64().ok_or(FormatError::CharTooLarge)?;
    let code = u32::try_from(code).ok().filter(|&c| c < 0x11_0000).ok_or(FormatError::CharRange)?;
    let width = spec.width.unwrap_or(0);
    if width > 1 << 16 && !out.reserve(width) {
        return Err(FormatError::OutOfMemory);
    }
    let (left, inner, right) = split_padding(spec.align, width.saturating_sub(1));
    out.push_repeated(spec.fill, left + inner);
    out.push_repeated(code, 1);
    out.push_repeated(spec.fill, right);
    Ok(())
}

/// The precision as an argument of C's functions.
fn check_precision(spec: &FormatSpec) -> Result<(), FormatError> {
    if spec.precision.is_some_and(|precision| precision > i32::MAX as usize) {
        return Err(FormatError::PrecisionTooBig);
    }
    Ok(())
}

/// The code of [`format_double`] and the precision for a type and an optional precision.
fn float_code(kind: char, precision: Option<usize>) -> (char, usize) {
    match (kind, precision) {
        ('\0', None) => ('r', 0),
        ('\0' | 'n', Some(precision)) => ('g', precision),
        ('n', None) => ('g', 6),
        ('%', precision) => ('f', precision.unwrap_or(6)),
        (kind, precision) => (kind, precision.unwrap_or(6)),
    }
}

/// `float.__format__`, with the locale for the type `n`.
pub fn format_float(
    out: &mut impl TextSink,
    value: f64,
    spec: &FormatSpec,
    locale: &NumberLocale<'_>,
) -> Result<(), FormatError> {
    let kind = spec.kind_char();
    if !matches!(kind, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') {
        return Err(FormatError::UnknownCode(spec.kind));
    }
    check_precision(spec)?;
    let (code, precision) = float_code(kind, spec.precision);
    let flags = FormatFlags {
        sign: false,
        add_dot_zero: kind == '\0',
        alternate: spec.alternate,
        no_negative_zero: spec.no_negative_zero,
    };
    let value = if kind == '%' { value * 100.0 } else { value };
    let mut text = format_double(value, code, precision, flags);
    if kind == '%' {
        text.push('%');
    }
    let own = NumberLocale::of_grouping(spec.grouping, false);
    Number::from_text(&text).write(out, spec, if kind == 'n' { locale } else { &own })
}

/// `complex.__format__`, with the locale for the type `n`.
pub fn format_complex(
    out: &mut impl TextSink,
    real: f64,
    imag: f64,
    spec: &FormatSpec,
    locale: &NumberLocale<'_>,
) -> Result<(), FormatError> {
    let kind = spec.kind_char();
    if !matches!(kind, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n') {
        return Err(FormatError::UnknownCode(spec.kind));
    }
    check_precision(spec)?;
    if spec.fill == u32::from('0') {
        return Err(FormatError::ZeroPaddingInComplex);
    }
    if spec.align == Align::AfterSign {
        return Err(FormatError::AlignInComplex);
    }
    // Without a type the result is as that of `str`: in parentheses, or the imaginary part alone.
    let imaginary_only = kind == '\0' && real == 0.0 && real.is_sign_positive();
    let parentheses = kind == '\0' && !imaginary_only;
    let (code, precision) = float_code(kind, spec.precision);
    let flags = FormatFlags {
        alternate: spec.alternate,
        no_negative_zero: spec.no_negative_zero,
        ..FormatFlags::default()
    };
    let own = NumberLocale::of_grouping(spec.grouping, false);
    let locale = if kind == 'n' { locale } else { &own };
    let part = FormatSpec { width: None, align: Align::Left, ..*spec };
    let mut body = String::new();
    if parentheses {
        body.push('(');
    }
    if !imaginary_only {
        let text = format_double(real, code, precision, flags);
        Number::from_text(&text).write(&mut body, &part, locale)?;
    }
    let imag_spec = if imaginary_only { part } else { FormatSpec { sign: Some(Sign::Plus), ..part } };
    let text = format_double(imag, code, precision, flags);
    Number::from_text(&text).write(&mut body, &imag_spec, locale)?;
    body.push('j');
    if parentheses {
        body.push(')');
    }
    let width = spec.width.unwrap_or(0);
    if width > 1 << 16 && !out.reserve(width) {
        return Err(FormatError::OutOfMemory);
    }
    let (left, _, right) = split_padding(spec.align, width.saturating_sub(body.chars().count()));
    out.push_repeated(spec.fill, left);
    out.push_text(&body);
    out.push_repeated(spec.fill, right);
    Ok(())
}
