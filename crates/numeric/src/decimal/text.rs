//! Decimals from and to text.

use super::*;

impl Decimal {
    /// A decimal from ASCII text, rounded to the context. Text that is none gives `Conversion_syntax`.
    pub fn parse(text: &[u8], context: &Context, status: &mut Status) -> Decimal {
        match parse(text) {
            Some(decimal)
                if decimal.is_nan() && decimal.payload_digits() > context.prec - i64::from(context.clamp) =>
            {
                Decimal::error(CONVERSION_SYNTAX, status)
            }
            Some(decimal) => decimal.finalized(context, status),
            None => Decimal::error(CONVERSION_SYNTAX, status),
        }
    }

    /// A decimal from ASCII text with all of its digits; `Invalid_operation` if it is out of every range.
    pub fn parse_exact(text: &[u8], status: &mut Status) -> Decimal {
        let mut conditions = 0;
        let decimal = Decimal::parse(text, &Context::MAX, &mut conditions);
        if conditions & (INEXACT | ROUNDED | CLAMPED) != 0 {
            return Decimal::error(INVALID_OPERATION, status);
        }
        *status |= conditions & ERRORS;
        decimal
    }

    fn payload_digits(&self) -> i64 {
        if words::is_zero(&self.coefficient) { 0 } else { self.digits() }
    }

    /// The digits of the coefficient.
    pub(super) fn digit_text(&self) -> String {
        let mut digits = Vec::new();
        words::push_digits(&self.coefficient, &mut digits);
        String::from_utf8(digits).unwrap_or_default()
    }

    /// The text of an infinity or a NaN, with its sign.
    pub(super) fn special_text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let name = match self.kind {
            Kind::SignalingNan => "sNaN",
            Kind::QuietNan => "NaN",
            _ => return format!("{sign}Infinity"),
        };
        let payload = if words::is_zero(&self.coefficient) { String::new() } else { self.digit_text() };
        format!("{sign}{name}{payload}")
    }

    /// The text, in scientific or engineering notation where an exponent is needed.
    pub fn to_text(&self, engineering: bool, capitals: bool) -> String {
        if self.kind != Kind::Finite {
            return self.special_text();
        }
        let digits = self.digit_text();
        let length = digits.len() as i64;
        let left = self.exponent + length;
        let point = if self.exponent <= 0 && left > -6 {
            left
        } else if !engineering {
            1
        } else if self.is_zero() {
            (left + 1).rem_euclid(3) - 1
        } else {
            (left - 1).rem_euclid(3) + 1
        };
        let mut text = String::with_capacity(digits.len() + 8);
        if self.negative {
            text.push('-');
        }
        if point <= 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            text.push_str(&digits);
        } else if point >= length {
            text.push_str(&digits);
            text.extend(std::iter::repeat_n('0', (point - length) as usize));
        } else {
            let (whole, fraction) = digits.split_at(point as usize);
            text.push_str(whole);
            text.push('.');
            text.push_str(fraction);
        }
        if left != point {
            text.push(if capitals { 'E' } else { 'e' });
            text.push_str(&format!("{:+}", left - point));
        }
        text
    }
}

/// A decimal as it is written, not rounded.
fn parse(text: &[u8]) -> Option<Decimal> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if !text.first()?.is_ascii_digit() && text.first() != Some(&b'.') {
        return parse_special(negative, text);
    }
    let mut digits = Vec::with_capacity(text.len());
    let mut fraction = 0i64;
    let mut seen_point = false;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        match byte {
            b'0'..=b'9' => {
                digits.push(*byte);
                fraction += i64::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b'e' | b'E' => break,
            _ => return None,
        }
        rest = after;
    }
    if digits.is_empty() {
        return None;
    }
    let written = match rest {
        [] => 0,
        [_, exponent @ ..] => parse_exponent(exponent)?,
    };
    let exponent = written.saturating_sub(fraction).clamp(EXPONENT_CLAMP, EXPONENT_INFINITE);
    Some(Decimal::new(negative, words::from_digits(&digits), exponent))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits
        .iter()
        .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -value } else { value })
}

fn parse_special(negative: bool, text: &[u8]) -> Option<Decimal> {
    let lower = text.to_ascii_lowercase();
    if lower == b"inf" || lower == b"infinity" {
        return Some(Decimal::infinity(negative));
    }
    let (signaling, payload) = match lower.strip_prefix(b"snan") {
        Some(payload) => (true, payload),
        None => (false, lower.strip_prefix(b"nan")?),
    };
    payload
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| Decimal::nan_with(negative, signaling, words::from_digits(payload)))
}
