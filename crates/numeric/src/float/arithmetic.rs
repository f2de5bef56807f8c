//! Division, powers, rounding, ratios and hashing of floats, with Python's rules for signs and errors.

use crate::int::{BigInt, ErrorKind, IntError};

/// Why a float operation has no result. The texts of CPython's exceptions are in [`FloatError::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatError {
    /// Division or modulo by zero: `ZeroDivisionError`.
    ZeroDivision,
    /// `0.0 ** negative`: `ZeroDivisionError`.
    ZeroToNegative,
    /// `negative ** fraction`, whose result is complex: the caller goes on with complex numbers.
    ComplexResult,
    /// `x ** y` out of range: `OverflowError(34, "Numerical result out of range")`.
    Range,
    /// `round(x, n)` out of range: `OverflowError`.
    RoundedTooLarge,
    /// `as_integer_ratio` of an infinity: `OverflowError`.
    InfiniteRatio,
    /// `as_integer_ratio` of NaN: `ValueError`.
    NanRatio,
}

impl FloatError {
    /// The exception's message, as CPython words it.
    pub fn text(self) -> &'static str {
        match self {
            FloatError::ZeroDivision => "division by zero",
            FloatError::ZeroToNegative => "zero to a negative power",
            FloatError::ComplexResult => "negative number to a fractional power",
            FloatError::Range => "Numerical result out of range",
            FloatError::RoundedTooLarge => "rounded value too large to represent",
            FloatError::InfiniteRatio => "cannot convert Infinity to integer ratio",
            FloatError::NanRatio => "cannot convert NaN to integer ratio",
        }
    }

    /// The exception's class.
    pub fn kind(self) -> ErrorKind {
        match self {
            FloatError::ZeroDivision | FloatError::ZeroToNegative => ErrorKind::ZeroDivision,
            FloatError::ComplexResult | FloatError::NanRatio => ErrorKind::Value,
            FloatError::Range | FloatError::RoundedTooLarge | FloatError::InfiniteRatio => {
                ErrorKind::Overflow
            }
        }
    }
}

/// `divmod(a, b)`: the remainder has the sign of `b`, zeros included.
pub fn div_mod(a: f64, b: f64) -> Result<(f64, f64), FloatError> {
    if b == 0.0 {
        return Err(FloatError::ZeroDivision);
    }
    let mut remainder = a % b;
    // Exact up to rounding, since the remainder has been taken off.
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0f64.copysign(b);
    } else if (b < 0.0) != (remainder < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    let floor = if quotient == 0.0 {
        0.0f64.copysign(a / b)
    } else {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    };
    Ok((floor, remainder))
}

/// `a // b`
#[inline]
pub fn floor_div(a: f64, b: f64) -> Result<f64, FloatError> {
    Ok(div_mod(a, b)?.0)
}

/// `a % b`
#[inline]
pub fn modulo(a: f64, b: f64) -> Result<f64, FloatError> {
    if b == 0.0 {
        return Err(FloatError::ZeroDivision);
    }
    let remainder = a % b;
    if remainder == 0.0 {
        return Ok(0.0f64.copysign(b));
    }
    Ok(if (b < 0.0) != (remainder < 0.0) { remainder + b } else { remainder })
}

/// `a ** b`
pub fn pow(a: f64, b: f64) -> Result<f64, FloatError> {
    // The cases that IEEE 754 defines come first: they raise nothing, whatever the signs.
    if b == 0.0 || a == 1.0 {
        return Ok(1.0);
    }
    if a.is_nan() || b.is_nan() {
        return Ok(f64::NAN);
    }
    if b.is_infinite() || a.is_infinite() {
        return Ok(a.powf(b));
    }
    if a == 0.0 {
        return if b < 0.0 { Err(FloatError::ZeroToNegative) } else { Ok(a.powf(b)) };
    }
    if a < 0.0 && b != b.floor() {
        return Err(FloatError::ComplexResult);
    }
    let result = a.powf(b);
    if result.is_infinite() { Err(FloatError::Range) } else { Ok(result) }
}

/// `round(value, places)`: the float nearest to the exact value rounded to a decimal place, ties to even.
pub fn round(value: f64, places: i64) -> Result<f64, FloatError> {
    // A float has no digits beyond the first bound, and none are left beyond the second.
    if !value.is_finite() || value == 0.0 || places > 323 {
        return Ok(value);
    }
    if places < -308 {
        return Ok(0.0f64.copysign(value));
    }
    let rounded = match usize::try_from(places) {
        Ok(places) => format!("{value:.places$}").parse().unwrap_or(value),
        Err(_) => round_before_point(value.abs(), places.unsigned_abs() as usize).copysign(value),
    };
    if rounded.is_infinite() { Err(FloatError::RoundedTooLarge) } else { Ok(rounded) }
}

/// A positive value rounded to a multiple of `10**places`.
fn round_before_point(value: f64, places: usize) -> f64 {
    let magnitude = format!("{value:.0}").len();
    let parse = |text: String| text.parse().unwrap_or(value);
    if value < 1.0 || places > magnitude {
        return 0.0;
    }
    // `{:.0}` may have rounded up into one digit more; the exponent of the exact digits is what counts.
    let exact = format!("{value:.1100e}");
    let (digits, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    let whole = exponent.parse::<usize>().unwrap_or(0) + 1;
    match whole.checked_sub(places) {
        Some(0) => {
            let above_half = match digits.as_bytes() {
                [b'6'..=b'9', ..] => true,
                [b'5', rest @ ..] => rest.iter().any(|&b| b != b'.' && b != b'0'),
                _ => false,
            };
            if above_half { parse(format!("1e{places}")) } else { 0.0 }
        }
        Some(significant) => parse(format!("{value:.*e}", significant - 1)),
        None => 0.0,
    }
}

/// `round(value)`: the nearest int, ties to even.
pub fn round_to_int(value: f64) -> Result<BigInt, IntError> {
    BigInt::from_f64(value.round_ties_even())
}

/// `value.as_integer_ratio()`: numerator and denominator in lowest terms.
pub fn as_integer_ratio(value: f64) -> Result<(BigInt, BigInt), FloatError> {
    if value.is_nan() {
        return Err(FloatError::NanRatio);
    }
    if value.is_infinite() {
        return Err(FloatError::InfiniteRatio);
    }
    let (mantissa, exponent) = crate::int::decompose_f64(value);
    if mantissa == 0 {
        return Ok((BigInt::zero(), BigInt::one()));
    }
    let zeros = mantissa.trailing_zeros();
    let exponent = exponent + i64::from(zeros);
    let odd = BigInt::from(mantissa >> zeros);
    let shift = |number: BigInt| number.as_ref().shl_u64(exponent.unsigned_abs()).unwrap_or(number);
    let (numerator, denominator) =
        if exponent >= 0 { (shift(odd), BigInt::one()) } else { (odd, shift(BigInt::one())) };
    Ok((if value < 0.0 { numerator.negate() } else { numerator }, denominator))
}

/// `hash(value)`; `None` for NaN, whose hash is that of the object's identity.
pub fn hash(value: f64) -> Option<i64> {
    const BITS: i64 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    if value.is_nan() {
        return None;
    }
    if value.is_infinite() {
        return Some(if value > 0.0 { 314_159 } else { -314_159 });
    }
    let (mantissa, exponent) = crate::int::decompose_f64(value);
    // Multiplication by 2**exponent modulo 2**61 - 1 is a rotation of 61 bits.
    let rotation = exponent.rem_euclid(BITS);
    let reduced = mantissa % MODULUS;
    let rotated = (reduced << rotation & MODULUS) | reduced >> (BITS - rotation);
    let hash = rotated as i64;
    let hash = if value < 0.0 { -hash } else { hash };
    Some(if hash == -1 { -2 } else { hash })
}
