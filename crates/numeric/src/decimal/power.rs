//! Powers: of integers by repeated multiplication, of others by exponential and logarithm, and modular ones.

use std::cmp::Ordering;

use super::compare::compare_magnitudes;
use super::divide::div_rem;
use super::words;
use super::*;
use crate::int::DIGIT_BITS;

/// Digits that an exponent adds to the working precision.
const EXPONENT_DIGITS: i64 = 19;

/// The number of digits of an exponent.
fn exponent_digits(exponent: i64) -> i64 {
    i64::from(exponent.unsigned_abs().max(1).ilog10()) + 1
}

impl Decimal {
    /// `self ** exponent`
    pub fn power(&self, exponent: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self, exponent], context, status) {
            return nan;
        }
        let integer = exponent.is_integer();
        let negative = integer && self.negative && exponent.is_odd_integer();
        let one = Decimal::small(negative, 1, 0);
        let zero = Decimal::small(negative, 0, 0);
        if self.is_zero() {
            return match (exponent.is_zero(), exponent.negative) {
                (true, _) => Decimal::error(INVALID_OPERATION, status),
                (_, true) => Decimal::infinity(negative),
                _ => zero,
            };
        }
        if self.negative && (!integer || exponent.is_infinite()) {
            return Decimal::error(INVALID_OPERATION, status);
        }
        let magnitude = compare_magnitudes(self, &one);
        if exponent.is_infinite() {
            if magnitude == Ordering::Equal {
                *status |= INEXACT | ROUNDED;
                return Decimal::padded_one(negative, context.prec - 1, status);
            }
            let vanishes = (magnitude == Ordering::Less) != exponent.negative;
            return if vanishes { zero } else { Decimal::infinity(negative) };
        }
        if self.is_infinite() {
            return match (exponent.is_zero(), exponent.negative) {
                (true, _) => one,
                (_, true) => zero,
                _ => Decimal::infinity(negative),
            };
        }
        if exponent.is_zero() {
            return one;
        }
        if magnitude == Ordering::Equal {
            return self.power_of_one(exponent, integer, negative, context, status);
        }
        if let Some(bound) = self.power_beyond_range(exponent, magnitude, negative, context) {
            return bound.finalized(context, status);
        }
        if integer {
            return self.power_integer(exponent, negative, context, status);
        }
        let mut result = self.power_real(exponent, context, status);
        if result.is_finite() && compare_magnitudes(&result, &one) == Ordering::Equal {
            result = Decimal::padded_one(false, context.prec - 1, status);
        }
        if result.is_infinite() {
            result = Decimal::small(false, 1, EXPONENT_INFINITE);
        }
        result.finalized(context, status)
    }

    /// One keeps as many zeros after the point as the product would have.
    fn power_of_one(
        &self,
        exponent: &Decimal,
        integer: bool,
        negative: bool,
        context: &Context,
        status: &mut Status,
    ) -> Decimal {
        let most = context.prec - 1;
        if !integer {
            *status |= INEXACT | ROUNDED;
            return Decimal::padded_one(negative, most, status);
        }
        if exponent.negative {
            return Decimal::small(negative, 1, 0);
        }
        let count = exponent.to_int_words().and_then(|words| words::to_u64(&words));
        let zeros = match self.exponent.unsigned_abs() {
            0 => Some(0),
            each => count.and_then(|count| count.checked_mul(each)),
        };
        let zeros = match zeros.and_then(|zeros| i64::try_from(zeros).ok()) {
            Some(zeros) if zeros <= most => zeros,
            _ => {
                *status |= ROUNDED;
                most
            }
        };
        Decimal::padded_one(negative, zeros, status)
    }

    fn to_int_words(&self) -> Option<Words> {
        let whole = self.round_to_integer(Rounding::Down);
        if whole.exponent > EXPONENT_DIGITS {
            return None;
        }
        words::shift_left(&whole.coefficient, whole.exponent.max(0) as u64)
    }

    /// The result if it is certain to overflow or to vanish.
    fn power_beyond_range(
        &self,
        exponent: &Decimal,
        magnitude: Ordering,
        negative: bool,
        context: &Context,
    ) -> Option<Decimal> {
        let vanishes = (magnitude == Ordering::Less) != exponent.negative;
        let range = if vanishes { context.etiny() } else { context.emax };
        // The same estimate as libmpdec's, since what is not caught here may be rounded twice.
        if exponent_digits(range) >= self.log10_log10().saturating_add(exponent.adjusted()) {
            return None;
        }
        let bound = if vanishes { context.etiny() - 1 } else { EXPONENT_INFINITE };
        Some(Decimal::small(negative, 1, bound))
    }

    /// A lower bound of the logarithm to base ten of the absolute value of the logarithm to base ten of the
    /// magnitude, which is not one.
    fn log10_log10(&self) -> i64 {
        let adjusted = self.adjusted();
        if adjusted > 0 {
            return exponent_digits(adjusted) - 1;
        }
        if adjusted < -1 {
            return exponent_digits(adjusted + 1) - 1;
        }
        let distance = self.copy_abs().subtract(&Decimal::small(false, 1, 0), &Context::MAX, &mut 0);
        distance.adjusted() - if adjusted == 0 { 2 } else { 1 }
    }

    fn power_integer(
        &self,
        exponent: &Decimal,
        negative: bool,
        context: &Context,
        status: &mut Status,
    ) -> Decimal {
        let mut work = Context { rounding: Rounding::HalfEven, clamp: false, ..*context };
        work.prec = work.prec.saturating_add(exponent.digits() + exponent.exponent + 4).min(MAX_PREC);
        let mut base = self.copy_abs();
        if exponent.negative {
            work.prec = (work.prec + 1).min(MAX_PREC);
            let mut conditions = 0;
            base = Decimal::small(false, 1, 0).divide(&base, &work, &mut conditions);
            *status |= conditions;
            if conditions & ERRORS != 0 {
                return Decimal::nan();
            }
        }
        let Some(bits) = exponent.round_to_integer(Rounding::Down).to_int() else {
            return Decimal::error(MALLOC_ERROR, status);
        };
        let bits = bits.abs();
        let mut result = base.clone();
        for place in (0..bits.as_ref().bit_length().saturating_sub(1)).rev() {
            result = result.multiply(&result, &work, status);
            let digit = bits.digits().get((place / u64::from(DIGIT_BITS)) as usize).copied().unwrap_or(0);
            if digit >> (place % u64::from(DIGIT_BITS)) & 1 == 1 {
                result = result.multiply(&base, &work, status);
            }
            if !result.is_finite() || (result.is_zero() && *status & CLAMPED != 0) {
                break;
            }
        }
        result.negative = negative;
        if result.is_infinite() {
            result = Decimal::small(negative, 1, EXPONENT_INFINITE);
        }
        result.finalized(context, status)
    }

    fn power_real(&self, exponent: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        let mut work = Context { rounding: Rounding::HalfEven, clamp: false, ..*context };
        work.prec = context.prec.max(self.digits()).saturating_add(4 + EXPONENT_DIGITS).min(MAX_PREC);
        let mut conditions = 0;
        let logarithm = self.ln(&work, &mut conditions);
        let product = logarithm.multiply(exponent, &work, &mut conditions);
        *status |= conditions & MALLOC_ERROR;
        if conditions & MALLOC_ERROR != 0 {
            return Decimal::nan();
        }
        product.exp(&work, status)
    }

    /// `self ** exponent % modulus` of integers.
    pub fn power_modulo(
        &self,
        exponent: &Decimal,
        modulus: &Decimal,
        context: &Context,
        status: &mut Status,
    ) -> Decimal {
        if let Some(nan) = nan_result(&[self, exponent, modulus], context, status) {
            return nan;
        }
        let invalid = !self.is_integer()
            || !exponent.is_integer()
            || !modulus.is_integer()
            || exponent.negative && !exponent.is_zero()
            || modulus.is_zero()
            || modulus.adjusted() >= context.prec
            || exponent.is_zero() && self.is_zero();
        if invalid {
            return Decimal::error(INVALID_OPERATION, status);
        }
        let negative = self.negative && exponent.is_odd_integer();
        let whole = |x: &Decimal| {
            let whole = x.round_to_integer(Rounding::Down);
            (whole.coefficient, whole.exponent.max(0))
        };
        let (modulus, scale) = whole(modulus);
        let Some(modulus) = words::shift_left(&modulus, scale as u64) else {
            return Decimal::error(MALLOC_ERROR, status);
        };
        let reduce = |x: &[u64]| div_rem(x, &modulus).1;
        let times = |x: &[u64], y: &[u64]| reduce(&words::mul(x, y));
        let power = |x: &[u64], mut count: u64| {
            let (mut result, mut square) = (reduce(&[1]), Words::from_slice(x));
            while count > 0 {
                if count & 1 == 1 {
                    result = times(&result, &square);
                }
                square = times(&square, &square);
                count >>= 1;
            }
            result
        };
        let (base, base_scale) = whole(self);
        let base = times(&reduce(&base), &power(&reduce(&[10]), base_scale as u64));
        let (exponent, exponent_scale) = whole(exponent);
        let mut digits = Vec::new();
        words::push_digits(&exponent, &mut digits);
        let mut result = reduce(&[1]);
        for digit in digits {
            result = times(&power(&result, 10), &power(&base, u64::from(digit - b'0')));
        }
        for _ in 0..exponent_scale {
            result = power(&result, 10);
        }
        Decimal::new(negative, result, 0)
    }
}
