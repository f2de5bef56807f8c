//! Conversion to and from machine integers, floats and bytes; division into a float; hashing.

use std::cmp::Ordering;

use super::{BigInt, DIGIT_BITS, DIGIT_MASK, Digits, IntError, IntRef, magnitude};

macro_rules! from_signed {
    ($($t:ty),*) => {$(
        impl From<$t> for BigInt {
            #[inline]
            fn from(value: $t) -> BigInt {
                BigInt { negative: value < 0, digits: magnitude::from_u64(value.unsigned_abs() as u64) }
            }
        }
    )*};
}
from_signed!(i8, i16, i32, i64, isize);

macro_rules! from_unsigned {
    ($($t:ty),*) => {$(
        impl From<$t> for BigInt {
            #[inline]
            fn from(value: $t) -> BigInt {
                BigInt { negative: false, digits: magnitude::from_u64(value as u64) }
            }
        }
    )*};
}
from_unsigned!(u8, u16, u32, u64, usize);

impl From<i128> for BigInt {
    fn from(value: i128) -> BigInt {
        BigInt { negative: value < 0, digits: magnitude::from_u128(value.unsigned_abs()) }
    }
}

impl From<u128> for BigInt {
    fn from(value: u128) -> BigInt {
        BigInt { negative: false, digits: magnitude::from_u128(value) }
    }
}

/// The float nearest to `(mantissa + f) * 2**exponent`, ties to even, where `0 < f < 1` if `sticky` and
/// `f = 0` otherwise; `None` when it is beyond the range of floats. With `sticky` the mantissa must have at
/// least 55 bits.
pub fn compose_f64(mantissa: u64, sticky: bool, exponent: i64) -> Option<f64> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let top = i64::from(64 - mantissa.leading_zeros()).saturating_add(exponent);
    // The exponent of the result's lowest bit; -1074 is that of the smallest subnormal.
    let mut lowest = top.saturating_sub(53).max(-1074);
    let drop = lowest.saturating_sub(exponent);
    let mut bits = match drop {
        ..=0 => mantissa << (-drop).min(63),
        1..=64 => {
            let wide = u128::from(mantissa);
            let kept = (wide >> drop) as u64;
            let rest = wide & ((1 << drop) - 1);
            let half = 1u128 << (drop - 1);
            let up = match rest.cmp(&half) {
                Ordering::Greater => true,
                Ordering::Equal => sticky || kept & 1 == 1,
                Ordering::Less => false,
            };
            kept + u64::from(up)
        }
        _ => 0,
    };
    if bits == 1 << 53 {
        bits = 1 << 52;
        lowest += 1;
    }
    if bits < 1 << 52 {
        return Some(f64::from_bits(bits));
    }
    if lowest > 971 {
        return None;
    }
    Some(f64::from_bits(((lowest + 1075) as u64) << 52 | (bits & ((1 << 52) - 1))))
}

/// A finite float as `±mantissa * 2**exponent`.
pub(crate) fn decompose_f64(value: f64) -> (u64, i64) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match bits >> 52 & 0x7ff {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent as i64 - 1075),
    }
}

impl BigInt {
    /// `int(value)`: the float without its fraction.
    pub fn from_f64(value: f64) -> Result<BigInt, IntError> {
        if value.is_nan() {
            return Err(IntError::NanFloat);
        }
        if value.is_infinite() {
            return Err(IntError::InfiniteFloat);
        }
        if value.abs() < 9.2e18 {
            return Ok(BigInt::from(value as i64));
        }
        let (mantissa, exponent) = decompose_f64(value);
        // Beyond 2**63 the exponent is positive.
        let digits = magnitude::shl(&magnitude::from_u64(mantissa), exponent.unsigned_abs());
        Ok(BigInt { negative: value < 0.0, digits })
    }

    /// `int.from_bytes(bytes, "little" or "big", signed=signed)`
    pub fn from_bytes(bytes: &[u8], little_endian: bool, signed: bool) -> BigInt {
        let top = if little_endian { bytes.last() } else { bytes.first() };
        let negative = signed && top.is_some_and(|b| b & 0x80 != 0);
        let mut digits = Digits::with_capacity(bytes.len() * 8 / DIGIT_BITS as usize + 1);
        let mut pending = 0u64;
        let mut bits = 0;
        let mut carry = true;
        let mut take = |byte: u8| {
            let mut value = u32::from(byte);
            if negative {
                value = u32::from(!byte) + u32::from(carry);
                carry = value > 0xff;
                value &= 0xff;
            }
            pending |= u64::from(value) << bits;
            bits += 8;
            if bits >= DIGIT_BITS {
                digits.push(pending as u32 & DIGIT_MASK);
                pending >>= DIGIT_BITS;
                bits -= DIGIT_BITS;
            }
        };
        if little_endian {
            bytes.iter().for_each(|&b| take(b));
        } else {
            bytes.iter().rev().for_each(|&b| take(b));
        }
        // -2**(8n) has n zero bytes, so that the complement carries out; it needs no more than this digit.
        if negative && carry {
            pending |= 1 << bits;
        }
        digits.push(pending as u32);
        BigInt::new(negative, digits)
    }
}

impl<'a> IntRef<'a> {
    /// The value, if it fits.
    #[inline]
    pub fn to_i64(self) -> Option<i64> {
        let value = magnitude::to_u64(self.digits)?;
        if self.negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
    }

    /// The value, if it fits.
    #[inline]
    pub fn to_u64(self) -> Option<u64> {
        if self.negative { None } else { magnitude::to_u64(self.digits) }
    }

    /// The value, if it fits.
    pub fn to_i128(self) -> Option<i128> {
        let value = magnitude::to_u128(self.digits)?;
        if self.negative { 0i128.checked_sub_unsigned(value) } else { i128::try_from(value).ok() }
    }

    /// The value, if it fits.
    pub fn to_u128(self) -> Option<u128> {
        if self.negative { None } else { magnitude::to_u128(self.digits) }
    }

    /// The lowest 64 bits of the two's complement: the value modulo 2**64, as `PyLong_As…Mask` gives it.
    pub fn wrap_to_u64(self) -> u64 {
        let value = magnitude::bits_from(self.digits, 0);
        if self.negative { value.wrapping_neg() } else { value }
    }

    /// The magnitude as `mantissa * 2**exponent` with 64 bits of mantissa at most, and whether bits were lost.
    fn top_bits(self) -> (u64, bool, u64) {
        let drop = self.bit_length().saturating_sub(64);
        (magnitude::bits_from(self.digits, drop), magnitude::any_low_bit(self.digits, drop), drop)
    }

    /// `float(self)`, correctly rounded.
    pub fn to_f64(self) -> Result<f64, IntError> {
        let (mantissa, sticky, exponent) = self.top_bits();
        let exponent = i64::try_from(exponent).unwrap_or(i64::MAX);
        let value = compose_f64(mantissa, sticky, exponent).ok_or(IntError::TooLargeForFloat)?;
        Ok(if self.negative { -value } else { value })
    }

    /// `math.frexp` of the int, whatever its size: a fraction in `[0.5, 1)` and a power of two.
    pub fn frexp(self) -> (f64, i64) {
        if self.is_zero() {
            return (0.0, 0);
        }
        let (mantissa, sticky, exponent) = self.top_bits();
        let bits = i64::from(64 - mantissa.leading_zeros());
        let mut power = bits + i64::try_from(exponent).unwrap_or(i64::MAX - 64);
        let mut fraction = compose_f64(mantissa, sticky, -bits).unwrap_or(0.0);
        if fraction >= 1.0 {
            fraction = 0.5;
            power += 1;
        }
        (if self.negative { -fraction } else { fraction }, power)
    }

    /// `self / other`, correctly rounded.
    pub fn true_div(self, other: IntRef<'_>) -> Result<f64, IntError> {
        if other.is_zero() {
            return Err(IntError::ZeroDivision);
        }
        let negative = self.negative != other.negative;
        let signed = |value: f64| if negative { -value } else { value };
        if self.is_zero() {
            // An int has no negative zero, and yet CPython's 0 / -1 is -0.0.
            return Ok(if other.negative { -0.0 } else { 0.0 });
        }
        if let (Some(a), Some(b)) = (magnitude::to_u64(self.digits), magnitude::to_u64(other.digits))
            && a <= 1 << 53
            && b <= 1 << 53
        {
            return Ok(signed(a as f64 / b as f64));
        }
        let scale = self.bit_length() as i64 - other.bit_length() as i64;
        if scale > 1025 {
            return Err(IntError::QuotientTooLargeForFloat);
        }
        if scale < -1080 {
            return Ok(signed(0.0));
        }
        // Shifted so that the quotient has 62 or 63 bits.
        let shift = 62 - scale;
        let (quotient, remainder) = if shift >= 0 {
            magnitude::div_rem(&magnitude::shl(self.digits, shift.unsigned_abs()), other.digits)
        } else {
            magnitude::div_rem(self.digits, &magnitude::shl(other.digits, shift.unsigned_abs()))
        };
        let mantissa = magnitude::bits_from(&quotient, 0);
        compose_f64(mantissa, !remainder.is_empty(), -shift)
            .map(signed)
            .ok_or(IntError::QuotientTooLargeForFloat)
    }

    /// Exact comparison with a float; `None` for NaN.
    pub fn compare_f64(self, other: f64) -> Option<Ordering> {
        if other.is_nan() {
            return None;
        }
        if other.is_infinite() {
            return Some(if other > 0.0 { Ordering::Less } else { Ordering::Greater });
        }
        if self.bit_length() <= 53 {
            let value = magnitude::bits_from(self.digits, 0) as f64;
            return (if self.negative { -value } else { value }).partial_cmp(&other);
        }
        let whole = BigInt::from_f64(other).ok()?;
        Some(self.cmp(&whole.as_ref()).then_with(|| 0.0f64.total_cmp(&fraction(other))))
    }

    /// `int.to_bytes` into a buffer whose length is the length asked for.
    pub fn write_bytes(self, out: &mut [u8], little_endian: bool, signed: bool) -> Result<(), IntError> {
        if self.negative && !signed {
            return Err(IntError::NegativeToUnsigned);
        }
        let room = out.len() as u64 * 8;
        let fits = match (signed, self.negative) {
            (false, _) => self.bit_length() <= room,
            (true, false) => self.is_zero() || self.bit_length() < room,
            // The lowest value, -2**(room - 1), has one bit more than its neighbours.
            (true, true) => {
                self.bit_length() < room || self.bit_length() == room && self.abs().is_power_of_two()
            }
        };
        if !fits {
            return Err(IntError::TooBigToConvert);
        }
        let mut digits = self.digits.iter();
        let (mut pending, mut bits) = (0u64, 0);
        let mut carry = true;
        let mut next = || {
            if bits < 8 {
                pending |= u64::from(digits.next().copied().unwrap_or(0)) << bits;
                bits += DIGIT_BITS;
            }
            let mut byte = pending as u8;
            pending >>= 8;
            bits -= 8;
            if self.negative {
                let (flipped, overflow) = (!byte).overflowing_add(u8::from(carry));
                carry = overflow;
                byte = flipped;
            }
            byte
        };
        if little_endian {
            out.iter_mut().for_each(|b| *b = next());
        } else {
            out.iter_mut().rev().for_each(|b| *b = next());
        }
        Ok(())
    }

    /// `int.to_bytes(length, "little" or "big", signed=signed)`
    pub fn to_bytes(self, length: usize, little_endian: bool, signed: bool) -> Result<Vec<u8>, IntError> {
        let mut out = Vec::new();
        out.try_reserve_exact(length).map_err(|_| IntError::OutOfMemory)?;
        out.resize(length, 0);
        self.write_bytes(&mut out, little_endian, signed)?;
        Ok(out)
    }

    /// `hash(self)`: the value modulo 2**61 - 1 with the sign kept, and -2 for -1.
    pub fn hash(self) -> i64 {
        const MODULUS: u64 = (1 << 61) - 1;
        let mut hash = 0u64;
        for &digit in self.digits.iter().rev() {
            hash = (hash << DIGIT_BITS & MODULUS) | hash >> (61 - DIGIT_BITS);
            hash += u64::from(digit);
            if hash >= MODULUS {
                hash -= MODULUS;
            }
        }
        let hash = if self.negative { -(hash as i64) } else { hash as i64 };
        if hash == -1 { -2 } else { hash }
    }
}

/// The part of a finite float after the point.
fn fraction(value: f64) -> f64 {
    // Adding zero turns a negative zero into a positive one.
    value.fract() + 0.0
}
