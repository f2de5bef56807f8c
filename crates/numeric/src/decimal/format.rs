//! `Decimal.__format__`: the format mini-language for decimals.

use super::*;

/// Where padding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
    Center,
    AfterSign,
}

/// What is wrong with a specifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It is none.
    Invalid,
    /// A width or precision beyond the range of sizes.
    TooLarge,
    /// A width or precision beyond the precision of every context.
    BeyondLimits,
    /// There is no memory for the result.
    OutOfMemory,
}

/// The separators of a locale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberLocale {
    /// Between the integer part and the fraction.
    pub decimal_point: String,
    /// Between groups of digits.
    pub thousands_sep: String,
    /// The sizes of groups, from the right; the last one repeats, 127 ends the grouping.
    pub grouping: Vec<u8>,
}

/// A parsed specifier.
#[derive(Clone, Debug)]
pub struct FormatSpec {
    fill: char,
    align: Align,
    sign: char,
    no_negative_zero: bool,
    alternate: bool,
    zero_pad: bool,
    width: usize,
    separator: Option<char>,
    precision: Option<usize>,
    fraction_separator: Option<char>,
    kind: Option<char>,
    locale: Option<NumberLocale>,
}

/// The specifier's text, taken from the front.
struct Cursor<'a>(&'a [char]);

impl Cursor<'_> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let (&first, rest) = self.0.split_first()?;
        wanted(first).then(|| {
            self.0 = rest;
            first
        })
    }

    fn number(&mut self) -> Result<Option<usize>, FormatError> {
        let mut value = None;
        while let Some(digit) = self.take(|c| c.is_ascii_digit()) {
            let digit = digit as usize - '0' as usize;
            let next = value.unwrap_or(0usize).checked_mul(10).and_then(|value| value.checked_add(digit));
            value = Some(next.filter(|value| *value <= isize::MAX as usize).ok_or(FormatError::TooLarge)?);
        }
        Ok(value)
    }
}

fn align_of(symbol: char) -> Option<Align> {
    match symbol {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::AfterSign),
        _ => None,
    }
}

impl FormatSpec {
    /// Parses a specifier.
    pub fn parse(text: &str) -> Result<FormatSpec, FormatError> {
        let chars: Vec<char> = text.chars().collect();
        let mut cursor = Cursor(&chars);
        let mut fill = None;
        let mut align = None;
        match chars[..] {
            [symbol, second, ..] if align_of(second).is_some() => {
                fill = Some(symbol);
                align = align_of(second);
                cursor.0 = &chars[2..];
            }
            [first, ..] if align_of(first).is_some() => {
                align = align_of(first);
                cursor.0 = &chars[1..];
            }
            _ => {}
        }
        let sign = cursor.take(|c| matches!(c, '-' | '+' | ' ')).unwrap_or('-');
        let no_negative_zero = cursor.take(|c| c == 'z').is_some();
        let alternate = cursor.take(|c| c == '#').is_some();
        let zero_pad = cursor.take(|c| c == '0').is_some();
        let width = cursor.number()?.unwrap_or(0);
        let separator = cursor.take(|c| matches!(c, ',' | '_'));
        let (mut precision, mut fraction_separator) = (None, None);
        if cursor.take(|c| c == '.').is_some() {
            precision = cursor.number()?;
            fraction_separator = cursor.take(|c| matches!(c, ',' | '_'));
            if precision.is_none() && fraction_separator.is_none() {
                return Err(FormatError::Invalid);
            }
        }
        let kind = cursor.take(|c| "eEfFgGnN%".contains(c));
        let conflict = zero_pad && align.is_some() || matches!(kind, Some('n' | 'N')) && separator.is_some();
        if !cursor.0.is_empty() || conflict {
            return Err(FormatError::Invalid);
        }
        let limit = MAX_PREC as usize;
        if width > limit || precision.is_some_and(|precision| precision > limit) {
            return Err(FormatError::BeyondLimits);
        }
        // No digits at all would show nothing where the precision counts all digits.
        if precision == Some(0) && matches!(kind, None | Some('g' | 'G' | 'n' | 'N')) {
            precision = Some(1);
        }
        Ok(FormatSpec {
            fill: fill.unwrap_or(' '),
            align: align.unwrap_or(Align::Right),
            sign,
            no_negative_zero,
            alternate,
            zero_pad,
            width,
            separator,
            precision,
            fraction_separator,
            kind,
            locale: None,
        })
    }

    /// The type, if there is one.
    pub fn kind(&self) -> Option<char> {
        self.kind
    }

    /// The separators that the specifier asks for itself.
    pub fn own_locale(&self) -> NumberLocale {
        match self.separator {
            Some(symbol) => NumberLocale {
                decimal_point: ".".to_owned(),
                thousands_sep: symbol.to_string(),
                grouping: vec![3],
            },
            None => NumberLocale::default(),
        }
    }

    /// Uses a locale's separators.
    pub fn set_locale(&mut self, locale: NumberLocale) {
        self.locale = Some(locale);
    }
}

impl NumberLocale {
    /// Whether the separators are as long as libmpdec can take.
    pub fn is_valid(&self) -> bool {
        (1..=4).contains(&self.decimal_point.len())
            && self.thousands_sep.len() <= 4
            && self.grouping.iter().all(u8::is_ascii)
    }
}

/// Reserves memory for a size that comes from the program.
fn reserve(text: &mut String, size: usize) -> Result<(), FormatError> {
    text.try_reserve(size).map_err(|_| FormatError::OutOfMemory)
}

fn push_repeated(text: &mut String, symbol: char, count: usize) -> Result<(), FormatError> {
    reserve(text, count.checked_mul(symbol.len_utf8()).ok_or(FormatError::OutOfMemory)?)?;
    text.extend(std::iter::repeat_n(symbol, count));
    Ok(())
}

/// The integer part with separators, filled up with zeros to a width.
fn group_digits(digits: &str, width: usize, locale: &NumberLocale) -> Result<String, FormatError> {
    let separator_width = locale.thousands_sep.chars().count() as i64;
    let mut sizes = locale.grouping.iter().copied().take_while(|size| *size != 0).peekable();
    let mut left = digits;
    let mut width = width as i64;
    let mut groups: Vec<String> = Vec::new();
    let mut last = None;
    loop {
        let size = match sizes.next() {
            Some(127) => None,
            Some(size) => {
                last = Some(size);
                last
            }
            None => last,
        };
        let wanted = (left.len() as i64).max(width).max(1);
        let length = size.map_or(wanted, |size| wanted.min(i64::from(size))) as usize;
        let mut group = String::new();
        push_repeated(&mut group, '0', length.saturating_sub(left.len()))?;
        let cut = left.len().saturating_sub(length);
        group.push_str(&left[cut..]);
        groups.push(group);
        left = &left[..cut];
        width -= length as i64;
        if size.is_none() || (left.is_empty() && width <= 0) {
            break;
        }
        width -= separator_width;
    }
    groups.reverse();
    Ok(groups.join(&locale.thousands_sep))
}

impl Decimal {
    /// The same value with another exponent, rounded, beyond every range.
    fn with_exponent(&self, exponent: i64, rounding: Rounding) -> Result<Decimal, FormatError> {
        let mut result = self.clone();
        if !self.is_zero() {
            if exponent <= self.exponent {
                result.coefficient = words::shift_left(&self.coefficient, self.exponent.abs_diff(exponent))
                    .ok_or(FormatError::OutOfMemory)?;
            } else {
                let (coefficient, cut) =
                    words::shift_right(&self.coefficient, self.exponent.abs_diff(exponent));
                result.coefficient = coefficient;
                if result.rounds_up(cut, rounding) {
                    words::increment(&mut result.coefficient);
                }
            }
        }
        result.exponent = exponent;
        Ok(result)
    }

    /// The same value rounded to a number of digits, of which there may be too few.
    fn with_digits(&self, count: i64, rounding: Rounding) -> Result<Decimal, FormatError> {
        let rounded = self.with_exponent(self.adjusted() + 1 - count, rounding)?;
        // 99.5 becomes 100: once more.
        if rounded.adjusted() != self.adjusted() {
            return rounded.with_exponent(rounded.adjusted() + 1 - count, rounding);
        }
        Ok(rounded)
    }

    /// The number as the specifier describes it.
    pub fn format(
        &self,
        spec: &FormatSpec,
        rounding: Rounding,
        capitals: bool,
    ) -> Result<String, FormatError> {
        let kind = match spec.kind {
            None if capitals => 'G',
            None => 'g',
            Some('n') => 'g',
            Some('N') => 'G',
            Some(kind) => kind,
        };
        if !self.is_finite() {
            let mut body = self.copy_abs().special_text();
            if kind == '%' {
                body.push('%');
            }
            return self.padded(self.negative, &body, spec);
        }
        let mut number = self.clone();
        if kind == '%' {
            number.exponent += 2;
        }
        if let Some(precision) = spec.precision {
            let precision = precision as i64;
            number = match kind {
                'e' | 'E' if number.is_zero() => number,
                'e' | 'E' => number.with_digits(precision.saturating_add(1), rounding)?,
                'f' | 'F' | '%' => number.with_exponent(-precision, rounding)?,
                _ if number.digits() > precision => number.with_digits(precision, rounding)?,
                _ => number,
            };
        }
        let fixed = matches!(kind, 'f' | 'F' | '%');
        if number.is_zero() && number.exponent > 0 && fixed {
            number.exponent = 0;
        }
        let negative = number.negative && !(spec.no_negative_zero && number.is_zero());
        let digits = number.digit_text();
        let length = digits.len() as i64;
        let left = number.exponent.saturating_add(length);
        let point = match kind {
            'e' | 'E' => match spec.precision {
                Some(precision) if number.is_zero() => 1 - precision as i64,
                _ => 1,
            },
            _ if fixed || (number.exponent <= 0 && left > -6) => left,
            _ => 1,
        };
        let (mut whole, mut fraction) = (String::new(), String::new());
        if point < 0 {
            whole.push('0');
            push_repeated(&mut fraction, '0', point.unsigned_abs() as usize)?;
            fraction.push_str(&digits);
        } else if point > length {
            whole.push_str(&digits);
            push_repeated(&mut whole, '0', (point - length) as usize)?;
        } else {
            let (before, after) = digits.split_at(point as usize);
            whole.push_str(if before.is_empty() { "0" } else { before });
            fraction.push_str(after);
        }
        if let Some(symbol) = spec.fraction_separator {
            let groups: Vec<String> = fraction
                .as_bytes()
                .chunks(3)
                .map(|group| group.iter().map(|&c| c as char).collect())
                .collect();
            fraction = groups.join(&symbol.to_string());
        }
        let locale = spec.locale.clone().unwrap_or_else(|| spec.own_locale());
        let decimal_point = if locale.decimal_point.is_empty() { "." } else { &locale.decimal_point };
        let mut tail = String::new();
        if !fraction.is_empty() || spec.alternate {
            tail.push_str(decimal_point);
            tail.push_str(&fraction);
        }
        let exponent = left.saturating_sub(point);
        if exponent != 0 || matches!(kind, 'e' | 'E') {
            tail.push(if matches!(kind, 'E' | 'G') { 'E' } else { 'e' });
            tail.push_str(&format!("{exponent:+}"));
        }
        if kind == '%' {
            tail.push('%');
        }
        let mut width = 0;
        if spec.zero_pad {
            let sign = usize::from(negative || spec.sign != '-');
            width = spec.width.saturating_sub(tail.chars().count() + sign);
        }
        let mut body = if locale.grouping.is_empty() || locale.thousands_sep.is_empty() {
            let mut body = String::new();
            push_repeated(&mut body, '0', width.saturating_sub(whole.len()))?;
            body.push_str(&whole);
            body
        } else {
            group_digits(&whole, width, &locale)?
        };
        body.push_str(&tail);
        self.padded(negative, &body, spec)
    }

    fn padded(&self, negative: bool, body: &str, spec: &FormatSpec) -> Result<String, FormatError> {
        let sign = match (negative, spec.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            _ => "",
        };
        let padding = spec.width.saturating_sub(sign.len() + body.chars().count());
        let mut text = String::new();
        reserve(&mut text, body.len())?;
        let before = match spec.align {
            Align::Right => padding,
            Align::Center => padding / 2,
            _ => 0,
        };
        push_repeated(&mut text, spec.fill, before)?;
        text.push_str(sign);
        let inside = if spec.align == Align::AfterSign { padding } else { 0 };
        push_repeated(&mut text, spec.fill, inside)?;
        text.push_str(body);
        push_repeated(&mut text, spec.fill, padding - before - inside)?;
        Ok(text)
    }
}
