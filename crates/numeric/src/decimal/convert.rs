//! From and to Python's other numbers.

use super::transform::pow_mod;
use super::*;
use crate::int::{self, BigInt, IntRef};

/// The modulus of Python's numeric hashes, 2**61 - 1.
const HASH_PRIME: u64 = (1 << 61) - 1;
/// The inverse of ten modulo the prime.
const INVERSE_TEN: u64 = 2_075_258_708_292_324_556;

fn mul_mod(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(HASH_PRIME)) as u64
}

/// The magnitude of an int in decimal words.
fn words_of_int(value: IntRef<'_>) -> Words {
    match value.to_i64() {
        Some(small) => words::from_u64(small.unsigned_abs()),
        None => {
            let text = value.abs().to_decimal();
            words::from_digits(text.as_bytes())
        }
    }
}

impl Decimal {
    /// An int, with all of its digits.
    pub fn from_int(value: IntRef<'_>) -> Decimal {
        Decimal::new(value.is_negative(), words_of_int(value), 0)
    }

    /// A float, with all of its digits.
    pub fn from_f64(value: f64) -> Decimal {
        let negative = value.is_sign_negative();
        if value.is_nan() {
            return Decimal { negative, ..Decimal::nan() };
        }
        if value.is_infinite() {
            return Decimal::infinity(negative);
        }
        let bits = value.to_bits();
        let field = (bits >> 52 & 0x7ff) as i64;
        let fraction = bits & ((1 << 52) - 1);
        let (mut mantissa, mut exponent) =
            if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        if mantissa == 0 {
            return Decimal::small(negative, 0, 0);
        }
        let zeros = mantissa.trailing_zeros();
        mantissa >>= zeros;
        exponent += i64::from(zeros);
        let mantissa = words::from_u64(mantissa);
        if exponent >= 0 {
            return Decimal::new(negative, words::mul(&mantissa, &words::pow(&[2], exponent as u64)), 0);
        }
        let fives = words::pow(&[5], exponent.unsigned_abs());
        Decimal::new(negative, words::mul(&mantissa, &fives), exponent)
    }

    /// The integer part of a finite number; none if there is no memory for it.
    pub fn to_int(&self) -> Option<BigInt> {
        let truncated = self.round_to_integer(Rounding::Down);
        let words = words::shift_left(&truncated.coefficient, truncated.exponent.max(0) as u64)?;
        int_of_words(&words, self.negative)
    }

    /// Numerator and denominator of a finite number in lowest terms; none if there is no memory for them.
    pub fn as_integer_ratio(&self) -> Option<(BigInt, BigInt)> {
        if self.exponent >= 0 || self.is_zero() {
            return Some((self.to_int()?, BigInt::one()));
        }
        // Only twos and fives can be shared with the power of ten.
        let zeros = words::trailing_zeros(&self.coefficient).min(self.exponent.unsigned_abs());
        let coefficient = words::shift_right(&self.coefficient, zeros).0;
        let exponent = self.exponent.unsigned_abs() - zeros;
        let numerator = int_of_words(&coefficient, self.negative)?;
        let denominator = int_of_words(&words::shift_left(&[1], exponent)?, false)?;
        let divisor = numerator.as_ref().gcd(denominator.as_ref());
        let divided = |value: &BigInt| value.as_ref().div_mod_floor(divisor.as_ref()).ok().map(|pair| pair.0);
        Some((divided(&numerator)?, divided(&denominator)?))
    }

    /// The hash of a finite number, equal to that of an equal int, float or fraction.
    pub fn hash_number(&self) -> i64 {
        let radix = words::RADIX % HASH_PRIME;
        let coefficient = self
            .coefficient
            .iter()
            .rev()
            .fold(0, |hash, word| (mul_mod(hash, radix) + word % HASH_PRIME) % HASH_PRIME);
        let base = if self.exponent >= 0 { 10 } else { INVERSE_TEN };
        let hash = mul_mod(coefficient, pow_mod(base, self.exponent.unsigned_abs(), mul_mod)) as i64;
        let hash = if self.negative { -hash } else { hash };
        if hash == -1 { -2 } else { hash }
    }

    /// The digits of the coefficient, highest first, as numbers.
    pub fn digit_values(&self) -> Vec<u8> {
        let mut digits = Vec::new();
        words::push_digits(&self.coefficient, &mut digits);
        for digit in &mut digits {
            *digit -= b'0';
        }
        digits
    }
}

fn int_of_words(words: &[u64], negative: bool) -> Option<BigInt> {
    let value = if let Some(small) = words::to_u64(words) {
        int_of_u64(small)
    } else {
        let mut digits = Vec::new();
        words::push_digits(words, &mut digits);
        int::parse(&digits, 10, 0).ok()?
    };
    Some(if negative { value.negate() } else { value })
}

fn int_of_u64(value: u64) -> BigInt {
    let mask = u64::from(int::DIGIT_MASK);
    let digits = [value & mask, value >> 30 & mask, value >> 60].map(|digit| digit as u32);
    BigInt::new(false, int::Digits::from_slice(&digits))
}
