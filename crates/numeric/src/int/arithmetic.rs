//! Signed arithmetic with Python's semantics: floor division, powers, shifts, roots.

use super::{BigInt, DIGIT_BITS, Digits, IntError, IntRef, MAX_DIGITS, large, magnitude};

/// Checks that a result of so many bits can exist at all: `TooManyDigits` where CPython says so,
/// `OutOfMemory` where the allocator refuses.
fn check_size(bits: u128) -> Result<(), IntError> {
    let digits = bits / u128::from(DIGIT_BITS) + 1;
    if digits > u128::from(MAX_DIGITS) {
        return Err(IntError::TooManyDigits);
    }
    // Below this the ordinary allocation path is fine; asking first would cost.
    if digits > 1 << 20 {
        let digits = usize::try_from(digits).map_err(|_| IntError::OutOfMemory)?;
        Vec::<u32>::new().try_reserve_exact(digits).map_err(|_| IntError::OutOfMemory)?;
    }
    Ok(())
}

#[allow(clippy::should_implement_trait, reason = "operators would hide which of these allocate or fail")]
impl<'a> IntRef<'a> {
    /// `self + other`
    pub fn add(self, other: IntRef<'_>) -> BigInt {
        if self.digits.len() <= 1 && other.digits.len() <= 1 {
            return BigInt::from(self.small() + other.small());
        }
        if self.negative == other.negative {
            return BigInt { negative: self.negative, digits: magnitude::add(self.digits, other.digits) };
        }
        let (flipped, digits) = magnitude::difference(self.digits, other.digits);
        BigInt { negative: !digits.is_empty() && self.negative != flipped, digits }
    }

    /// `self - other`
    pub fn sub(self, other: IntRef<'_>) -> BigInt {
        self.add(other.negated())
    }

    /// `self * other`
    pub fn mul(self, other: IntRef<'_>) -> BigInt {
        BigInt::new(self.negative != other.negative, magnitude::mul(self.digits, other.digits))
    }

    /// The value of an int of at most one digit.
    fn small(self) -> i64 {
        let value = self.digits.first().map_or(0, |&d| i64::from(d));
        if self.negative { -value } else { value }
    }

    /// Quotient and remainder with the quotient rounded towards zero (C's rule).
    pub fn div_rem_trunc(self, other: IntRef<'_>) -> Result<(BigInt, BigInt), IntError> {
        if other.is_zero() {
            return Err(IntError::ZeroDivision);
        }
        let (quotient, remainder) = magnitude::div_rem(self.digits, other.digits);
        Ok((BigInt::new(self.negative != other.negative, quotient), BigInt::new(self.negative, remainder)))
    }

    /// `divmod(self, other)`: the quotient is rounded down, the remainder has the divisor's sign.
    pub fn div_mod_floor(self, other: IntRef<'_>) -> Result<(BigInt, BigInt), IntError> {
        let (mut quotient, remainder) = self.div_rem_trunc(other)?;
        if remainder.is_zero() || self.negative == other.negative {
            return Ok((quotient, remainder));
        }
        magnitude::increment(&mut quotient.digits);
        quotient.negative = true;
        Ok((quotient, remainder.as_ref().add(other)))
    }

    /// `self // other`
    pub fn floor_div(self, other: IntRef<'_>) -> Result<BigInt, IntError> {
        Ok(self.div_mod_floor(other)?.0)
    }

    /// `self % other`
    pub fn modulo(self, other: IntRef<'_>) -> Result<BigInt, IntError> {
        let remainder = match *other.digits {
            [] => return Err(IntError::ZeroDivision),
            [divisor] => magnitude::from_u64(u64::from(magnitude::rem_digit(self.digits, divisor))),
            _ => magnitude::div_rem(self.digits, other.digits).1,
        };
        let remainder = BigInt::new(self.negative, remainder);
        if remainder.is_zero() || self.negative == other.negative {
            return Ok(remainder);
        }
        Ok(remainder.as_ref().add(other))
    }

    /// Division rounded to the nearest integer, ties to even, and what remains: `self - quotient * other`.
    pub fn div_mod_near(self, other: IntRef<'_>) -> Result<(BigInt, BigInt), IntError> {
        let (quotient, remainder) = self.div_mod_floor(other)?;
        let twice = magnitude::shl(&remainder.digits, 1);
        let up = match magnitude::compare(&twice, other.digits) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => quotient.as_ref().is_odd(),
            std::cmp::Ordering::Less => false,
        };
        if !up {
            return Ok((quotient, remainder));
        }
        Ok((quotient.as_ref().add(IntRef::ONE), remainder.as_ref().sub(other)))
    }

    /// The nearest multiple of `10 ** places`, ties to even: `round(self, -places)`.
    pub fn round_to_power_of_ten(self, places: u64) -> Result<BigInt, IntError> {
        // 10**places is more than twice any number of so few bits.
        if places.saturating_mul(3) > self.bit_length().saturating_add(3) {
            return Ok(BigInt::zero());
        }
        let unit = BigInt::from(10u64).as_ref().pow_u64(places)?;
        let (_, remainder) = self.div_mod_near(unit.as_ref())?;
        Ok(self.sub(remainder.as_ref()))
    }

    /// `self ** exponent`; `NegativeExponent` asks the caller to compute with floats.
    pub fn pow(self, exponent: IntRef<'_>) -> Result<BigInt, IntError> {
        if exponent.negative {
            return Err(IntError::NegativeExponent);
        }
        match exponent.to_u64() {
            Some(exponent) => self.pow_u64(exponent),
            // Whatever does not grow can take any exponent.
            None if self.digits.len() <= 1 && self.digits.first().is_none_or(|&d| d == 1) => {
                self.pow_u64(if exponent.is_odd() { 1 } else { 2 })
            }
            None => Err(IntError::OutOfMemory),
        }
    }

    /// `self ** exponent`
    pub fn pow_u64(self, exponent: u64) -> Result<BigInt, IntError> {
        let negative = self.negative && exponent & 1 == 1;
        match (self.digits, exponent) {
            (_, 0) => return Ok(BigInt::one()),
            ([], _) => return Ok(BigInt::zero()),
            (&[1], _) => return Ok(BigInt { negative, digits: Digits::from_slice(&[1]) }),
            (_, 1) => return Ok(self.to_big()),
            _ => {}
        }
        let bits = u128::from(self.bit_length()) * u128::from(exponent);
        if bits <= 64
            && let (Some(base), Ok(exponent)) = (magnitude::to_u64(self.digits), u32::try_from(exponent))
        {
            return Ok(BigInt { negative, digits: magnitude::from_u64(base.wrapping_pow(exponent)) });
        }
        check_size(bits).map_err(|_| IntError::OutOfMemory)?;
        let exponent = usize::try_from(exponent).map_err(|_| IntError::OutOfMemory)?;
        if bits > 1000 {
            return Ok(BigInt { negative, digits: large::pow(self.digits, exponent) });
        }
        let mut digits = Digits::from_slice(self.digits);
        for bit in (0..exponent.ilog2()).rev() {
            digits = magnitude::mul(&digits, &digits);
            if exponent >> bit & 1 == 1 {
                digits = magnitude::mul(&digits, self.digits);
            }
        }
        Ok(BigInt { negative, digits })
    }

    /// `pow(self, exponent, modulus)`; a negative exponent takes the inverse.
    pub fn mod_pow(self, exponent: IntRef<'_>, modulus: IntRef<'_>) -> Result<BigInt, IntError> {
        let positive = modulus.abs();
        match *modulus.digits {
            [] => return Err(IntError::ZeroModulus),
            [1] => return Ok(BigInt::zero()),
            _ => {}
        }
        let mut base = self.modulo(positive)?;
        if exponent.negative {
            base.digits = large::inverse(&base.digits, modulus.digits).ok_or(IntError::NotInvertible)?;
        }
        let power = match magnitude::to_u64(modulus.digits) {
            Some(small) => magnitude::from_u64(mod_pow_u64(&base.digits, exponent.digits, small)),
            None => large::mod_pow(&base.digits, exponent.digits, modulus.digits),
        };
        let result = BigInt::new(false, power);
        if modulus.negative && !result.is_zero() {
            return Ok(result.as_ref().add(modulus));
        }
        Ok(result)
    }

    /// `self << count`
    pub fn shl(self, count: IntRef<'_>) -> Result<BigInt, IntError> {
        if count.negative {
            return Err(IntError::NegativeShift);
        }
        if self.is_zero() {
            return Ok(BigInt::zero());
        }
        self.shl_u64(count.to_u64().ok_or(IntError::TooManyDigits)?)
    }

    /// `self << count`
    pub fn shl_u64(self, count: u64) -> Result<BigInt, IntError> {
        if self.is_zero() {
            return Ok(BigInt::zero());
        }
        check_size(u128::from(self.bit_length()) + u128::from(count))?;
        Ok(BigInt { negative: self.negative, digits: magnitude::shl(self.digits, count) })
    }

    /// `self >> count`, rounding down.
    pub fn shr(self, count: IntRef<'_>) -> Result<BigInt, IntError> {
        if count.negative {
            return Err(IntError::NegativeShift);
        }
        Ok(self.shr_u64(count.to_u64().unwrap_or(u64::MAX)))
    }

    /// `self >> count`, rounding down.
    pub fn shr_u64(self, count: u64) -> BigInt {
        let mut digits = magnitude::shr(self.digits, count);
        if self.negative && magnitude::any_low_bit(self.digits, count) {
            magnitude::increment(&mut digits);
        }
        BigInt { negative: self.negative && !digits.is_empty(), digits }
    }

    /// `math.gcd(self, other)`
    pub fn gcd(self, other: IntRef<'_>) -> BigInt {
        if self.is_zero() || other.is_zero() {
            return if self.is_zero() { other } else { self }.abs().to_big();
        }
        if let (Some(a), Some(b)) = (magnitude::to_u64(self.digits), magnitude::to_u64(other.digits)) {
            return BigInt { negative: false, digits: magnitude::from_u64(gcd_u64(a, b)) };
        }
        BigInt { negative: false, digits: large::gcd(self.digits, other.digits) }
    }

    /// `math.lcm(self, other)`
    pub fn lcm(self, other: IntRef<'_>) -> BigInt {
        if self.is_zero() || other.is_zero() {
            return BigInt::zero();
        }
        let gcd = self.gcd(other);
        let (quotient, _) = magnitude::div_rem(self.digits, &gcd.digits);
        BigInt { negative: false, digits: magnitude::mul(&quotient, other.digits) }
    }

    /// `math.isqrt(self)`
    pub fn isqrt(self) -> Result<BigInt, IntError> {
        if self.negative {
            return Err(IntError::NegativeSquareRoot);
        }
        let digits = match magnitude::to_u128(self.digits) {
            Some(value) => magnitude::from_u128(value.isqrt()),
            None => large::isqrt(self.digits),
        };
        Ok(BigInt { negative: false, digits })
    }
}

/// Greatest common divisor of two numbers that are not zero.
fn gcd_u64(mut a: u64, mut b: u64) -> u64 {
    let shift = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        if a > b {
            std::mem::swap(&mut a, &mut b);
        }
        b -= a;
    }
    a << shift
}

/// `base ** exponent % modulus` where `1 < modulus` and `base < modulus`.
fn mod_pow_u64(base: &[u32], exponent: &[u32], modulus: u64) -> u64 {
    let times = |a: u64, b: u64| match a.checked_mul(b) {
        Some(product) => product % modulus,
        None => (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64,
    };
    let base = magnitude::to_u64(base).unwrap_or(0);
    let mut result = 1;
    let mut bit = magnitude::bit_length(exponent);
    while bit > 0 {
        bit -= 1;
        result = times(result, result);
        if magnitude::bits_from(exponent, bit) & 1 == 1 {
            result = times(result, base);
        }
    }
    result
}
