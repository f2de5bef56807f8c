//! `float.hex()` and `float.fromhex()`.

use crate::int::compose_f64;

/// Why text is not a hexadecimal float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// Not of that form: `ValueError`.
    Invalid,
    /// Beyond the range of floats: `OverflowError`.
    Overflow,
}

impl HexError {
    /// The exception's message, as CPython words it.
    pub fn text(self) -> &'static str {
        match self {
            HexError::Invalid => "invalid hexadecimal floating-point string",
            HexError::Overflow => "hexadecimal value too large to represent as a float",
        }
    }
}

/// `value.hex()`
pub fn to_hex(value: f64) -> String {
    if !value.is_finite() {
        return super::repr(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let biased = (bits >> 52 & 0x7ff) as i64;
    match (biased, fraction) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{:+}", biased - 1023),
    }
}

/// `float.fromhex(text)`: white space around is allowed, the prefix `0x` and the exponent are optional.
pub fn from_hex(text: &[u8]) -> Result<f64, HexError> {
    let is_space = |b: u8| matches!(b, b' ' | 9..=13);
    let start = text.iter().position(|&b| !is_space(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|&b| !is_space(b)).map_or(start, |i| i + 1);
    let text = text.get(start..end).unwrap_or_default();
    let (body, negative) = match text {
        [b'-', rest @ ..] => (rest, true),
        [b'+', rest @ ..] => (rest, false),
        _ => (text, false),
    };
    let value = if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
        f64::INFINITY
    } else if body.eq_ignore_ascii_case(b"nan") {
        f64::NAN
    } else {
        parse_body(body)?
    };
    Ok(if negative { -value } else { value })
}

fn parse_body(mut text: &[u8]) -> Result<f64, HexError> {
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        text = rest;
    }
    // The first 60 bits from the first digit that is not zero; what follows only says whether it is zero.
    let mut mantissa = 0u64;
    let mut sticky = false;
    let mut exponent = 0i64;
    let (mut any, mut after_point) = (false, false);
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        match (*byte, char::from(*byte).to_digit(16)) {
            (_, Some(digit)) => {
                any = true;
                if mantissa >> 56 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if after_point { 4 } else { 0 };
                } else {
                    sticky |= digit != 0;
                    exponent += if after_point { 0 } else { 4 };
                }
            }
            (b'.', _) if !after_point => after_point = true,
            _ => break,
        }
        rest = tail;
    }
    if !any {
        return Err(HexError::Invalid);
    }
    if let [b'p' | b'P', tail @ ..] = rest {
        let (digits, negative) = match tail {
            [b'-', digits @ ..] => (digits, true),
            [b'+', digits @ ..] => (digits, false),
            _ => (tail, false),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(HexError::Invalid);
        }
        let power = digits.iter().fold(0i64, |power, &digit| {
            power.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(1 << 60)
        });
        exponent = exponent.saturating_add(if negative { -power } else { power });
    } else if !rest.is_empty() {
        return Err(HexError::Invalid);
    }
    compose_f64(mantissa, sticky, exponent).ok_or(HexError::Overflow)
}
