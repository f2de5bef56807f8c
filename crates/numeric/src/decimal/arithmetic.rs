//! Addition, multiplication, division and what is made of them.

use std::cmp::Ordering;

use super::divide::{compare_scaled, div_rem};
use super::words::{self, POWERS, RADIX};
use super::*;

/// The context's sum of zero and zero of opposite signs.
fn zero_sign(context: &Context) -> bool {
    context.rounding == Rounding::Floor
}

impl Decimal {
    /// `self + other`
    #[inline]
    pub fn add(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.add_signed(other, other.negative, context, status)
    }

    /// `self - other`
    #[inline]
    pub fn subtract(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.add_signed(other, !other.negative, context, status)
    }

    fn add_signed(&self, other: &Decimal, sign: bool, context: &Context, status: &mut Status) -> Decimal {
        if self.kind != Kind::Finite || other.kind != Kind::Finite {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            return match (self.is_infinite(), other.is_infinite()) {
                (true, true) if self.negative != sign => Decimal::error(INVALID_OPERATION, status),
                (true, _) => Decimal::infinity(self.negative),
                _ => Decimal::infinity(sign),
            };
        }
        if let (&[x], &[y]) = (&*self.coefficient, &*other.coefficient)
            && let Some(sum) =
                add_small((self.negative, x, self.exponent), (sign, y, other.exponent), context)
        {
            return sum.finalized(context, status);
        }
        self.add_finite(other, sign, context, status)
    }

    fn add_finite(&self, other: &Decimal, sign: bool, context: &Context, status: &mut Status) -> Decimal {
        // `high` is the one with the larger exponent.
        let (high, high_sign, low, low_sign) = if self.exponent >= other.exponent {
            (self, self.negative, other, sign)
        } else {
            (other, sign, self, self.negative)
        };
        let tiny;
        let mut low = low;
        let mut exponent = low.exponent;
        let shifted;
        let mut high_words = &high.coefficient;
        if high.exponent != low.exponent && !words::is_zero(high_words) {
            let digits = high.digits();
            let least = high.exponent - 1 + if digits > context.prec { 0 } else { digits - context.prec - 1 };
            if low.adjusted() < least {
                // So far below that only its being there matters.
                tiny = Decimal::small(false, u64::from(!low.is_zero()), least);
                low = &tiny;
                exponent = least;
            }
            match words::shift_left(high_words, high.exponent.abs_diff(low.exponent)) {
                Some(words) => shifted = words,
                None => return Decimal::error(MALLOC_ERROR, status),
            }
            high_words = &shifted;
        }
        let (negative, sum) = if high_sign == low_sign {
            (high_sign, words::add(high_words, &low.coefficient))
        } else {
            match words::compare(high_words, &low.coefficient) {
                Ordering::Greater => (high_sign, words::sub(high_words, &low.coefficient)),
                Ordering::Less => (low_sign, words::sub(&low.coefficient, high_words)),
                Ordering::Equal => (zero_sign(context), words::zero()),
            }
        };
        Decimal::new(negative, sum, exponent).finalized(context, status)
    }

    /// `self * other`
    #[inline]
    pub fn multiply(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.multiply_exact(other, context, status).finalized(context, status)
    }

    /// The product before rounding.
    #[inline]
    pub(super) fn multiply_exact(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        let negative = self.negative != other.negative;
        if self.kind != Kind::Finite || other.kind != Kind::Finite {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            if self.is_zero() || other.is_zero() {
                return Decimal::error(INVALID_OPERATION, status);
            }
            return Decimal::infinity(negative);
        }
        let product = words::mul(&self.coefficient, &other.coefficient);
        Decimal::new(negative, product, self.exponent + other.exponent)
    }

    /// `self * other + third`, rounded once.
    pub fn fma(&self, other: &Decimal, third: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        let product = self.multiply_exact(other, context, status);
        if *status & INVALID_OPERATION != 0 && product.is_nan() {
            return product;
        }
        product.add(third, context, status)
    }

    /// `self / other`
    pub fn divide(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        let negative = self.negative != other.negative;
        if self.kind != Kind::Finite || other.kind != Kind::Finite {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            if !self.is_infinite() {
                *status |= CLAMPED;
                return Decimal::new(negative, words::zero(), context.etiny());
            }
            if other.is_infinite() {
                return Decimal::error(INVALID_OPERATION, status);
            }
            return Decimal::infinity(negative);
        }
        if other.is_zero() {
            if self.is_zero() {
                return Decimal::error(DIVISION_UNDEFINED, status);
            }
            *status |= DIVISION_BY_ZERO;
            return Decimal::infinity(negative);
        }
        let ideal = self.exponent - other.exponent;
        if self.is_zero() {
            return Decimal::new(negative, words::zero(), ideal).finalized(context, status);
        }
        let shift = other.digits() - self.digits() + context.prec + 1;
        let mut exponent = ideal - shift;
        let divided = if shift >= 0 {
            words::shift_left(&self.coefficient, shift as u64).map(|a| div_rem(&a, &other.coefficient))
        } else {
            words::shift_left(&other.coefficient, shift.unsigned_abs())
                .map(|b| div_rem(&self.coefficient, &b))
        };
        let Some((mut quotient, rest)) = divided else { return Decimal::error(MALLOC_ERROR, status) };
        if !words::is_zero(&rest) {
            // A last digit of 0 or 5 would look exact to the rounding.
            if quotient.first().is_some_and(|word| word % 5 == 0) {
                words::increment(&mut quotient);
            }
        } else if ideal > exponent {
            let zeros = words::trailing_zeros(&quotient).min(ideal.abs_diff(exponent));
            quotient = words::shift_right(&quotient, zeros).0;
            exponent += zeros as i64;
        }
        Decimal::new(negative, quotient, exponent).finalized(context, status)
    }

    /// Integer quotient and remainder of finite numbers, the divisor not zero, before rounding.
    fn integer_division(
        &self,
        other: &Decimal,
        context: &Context,
        status: &mut Status,
    ) -> Option<(Decimal, Decimal)> {
        let ideal = self.exponent.min(other.exponent);
        let negative = self.negative != other.negative;
        let zero = Decimal::new(negative, words::zero(), 0);
        if self.is_zero() {
            return Some((zero, Decimal::new(self.negative, words::zero(), ideal)));
        }
        let smaller = compare_scaled(&self.coefficient, self.exponent, &other.coefficient, other.exponent);
        if smaller == Ordering::Less {
            let Some(rest) = words::shift_left(&self.coefficient, self.exponent.abs_diff(ideal)) else {
                *status |= MALLOC_ERROR;
                return None;
            };
            return Some((zero, Decimal::new(self.negative, rest, ideal)));
        }
        if self.adjusted() - other.adjusted() > context.prec {
            *status |= DIVISION_IMPOSSIBLE;
            return None;
        }
        let divided = match (
            words::shift_left(&self.coefficient, self.exponent.abs_diff(ideal)),
            words::shift_left(&other.coefficient, other.exponent.abs_diff(ideal)),
        ) {
            (Some(a), Some(b)) => div_rem(&a, &b),
            _ => {
                *status |= MALLOC_ERROR;
                return None;
            }
        };
        let (quotient, rest) = divided;
        if words::digit_count(&quotient) > context.prec {
            *status |= DIVISION_IMPOSSIBLE;
            return None;
        }
        Some((Decimal::new(negative, quotient, 0), Decimal::new(self.negative, rest, ideal)))
    }

    /// `self // other`, towards zero.
    pub fn divide_int(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        let negative = self.negative != other.negative;
        if !self.is_finite() || !other.is_finite() {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            return match (self.is_infinite(), other.is_infinite()) {
                (true, true) => Decimal::error(INVALID_OPERATION, status),
                (true, false) => Decimal::infinity(negative),
                _ => Decimal::new(negative, words::zero(), 0),
            };
        }
        if other.is_zero() {
            if self.is_zero() {
                return Decimal::error(DIVISION_UNDEFINED, status);
            }
            *status |= DIVISION_BY_ZERO;
            return Decimal::infinity(negative);
        }
        match self.integer_division(other, context, status) {
            Some((quotient, _)) => quotient.finalized(context, status),
            None => Decimal::nan(),
        }
    }

    /// `self % other`, with the sign of `self`.
    pub fn remainder(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if !self.is_finite() || !other.is_finite() {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            if self.is_infinite() {
                return Decimal::error(INVALID_OPERATION, status);
            }
            return self.clone().finalized(context, status);
        }
        if other.is_zero() {
            let condition = if self.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION };
            return Decimal::error(condition, status);
        }
        match self.integer_division(other, context, status) {
            Some((_, rest)) => rest.finalized(context, status),
            None => Decimal::nan(),
        }
    }

    /// `divmod(self, other)`
    pub fn divmod(&self, other: &Decimal, context: &Context, status: &mut Status) -> (Decimal, Decimal) {
        let negative = self.negative != other.negative;
        if !self.is_finite() || !other.is_finite() {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return (nan.clone(), nan);
            }
            if self.is_infinite() {
                let quotient = if other.is_infinite() { Decimal::nan() } else { Decimal::infinity(negative) };
                return (quotient, Decimal::error(INVALID_OPERATION, status));
            }
            let quotient = Decimal::new(negative, words::zero(), 0);
            return (quotient, self.clone().finalized(context, status));
        }
        if other.is_zero() {
            if self.is_zero() {
                return (Decimal::nan(), Decimal::error(DIVISION_UNDEFINED, status));
            }
            *status |= DIVISION_BY_ZERO;
            return (Decimal::infinity(negative), Decimal::error(INVALID_OPERATION, status));
        }
        match self.integer_division(other, context, status) {
            Some((quotient, rest)) => (quotient.finalized(context, status), rest.finalized(context, status)),
            None => (Decimal::nan(), Decimal::nan()),
        }
    }

    /// The remainder of the division to the nearest integer.
    pub fn remainder_near(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if !self.is_finite() || !other.is_finite() || other.is_zero() {
            return self.remainder(other, context, status);
        }
        let Some((quotient, mut rest)) = self.integer_division(other, context, status) else {
            return Decimal::nan();
        };
        if rest.is_zero() {
            return rest.finalized(context, status);
        }
        // Twice the remainder against the divisor decides where the nearest multiple is.
        let twice = words::add(&rest.coefficient, &rest.coefficient);
        let order = compare_scaled(&twice, rest.exponent, &other.coefficient, other.exponent);
        let odd = quotient.coefficient.first().is_some_and(|word| word % 2 == 1);
        if order == Ordering::Greater || (order == Ordering::Equal && odd) {
            // The divisor's exponent is not below the remainder's.
            let Some(divisor) = words::shift_left(&other.coefficient, other.exponent.abs_diff(rest.exponent))
            else {
                return Decimal::error(MALLOC_ERROR, status);
            };
            rest = Decimal::new(!rest.negative, words::sub(&divisor, &rest.coefficient), rest.exponent);
            let next = words::add(&quotient.coefficient, &[1]);
            if words::digit_count(&next) > context.prec {
                return Decimal::error(DIVISION_IMPOSSIBLE, status);
            }
        }
        rest.finalized(context, status)
    }

    /// `+self`
    pub fn plus(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        let mut result = self.clone();
        if self.is_zero() {
            result.negative = self.negative && zero_sign(context);
        }
        result.finalized(context, status)
    }

    /// `-self`
    pub fn minus(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        let mut result = self.copy_negate();
        if self.is_zero() {
            result.negative = result.negative && zero_sign(context);
        }
        result.finalized(context, status)
    }

    /// `abs(self)`
    pub fn abs(&self, context: &Context, status: &mut Status) -> Decimal {
        if self.is_negative() { self.minus(context, status) } else { self.plus(context, status) }
    }
}

/// The sum of two numbers of one word, if the aligned coefficients fit into a word.
#[inline]
fn add_small(a: (bool, u64, i64), b: (bool, u64, i64), context: &Context) -> Option<Decimal> {
    let ((x_sign, mut x, x_exponent), (y_sign, mut y, y_exponent)) = (a, b);
    let exponent = x_exponent.min(y_exponent);
    if x_exponent != y_exponent {
        let gap = x_exponent.abs_diff(y_exponent);
        if gap >= words::WORD_DIGITS {
            return None;
        }
        let high = if x_exponent > y_exponent { &mut x } else { &mut y };
        *high = high.checked_mul(POWERS[gap as usize])?;
    }
    let (negative, value) = if x_sign == y_sign {
        (x_sign, x.checked_add(y)?)
    } else {
        match x.cmp(&y) {
            Ordering::Greater => (x_sign, x - y),
            Ordering::Less => (y_sign, y - x),
            Ordering::Equal => (zero_sign(context), 0),
        }
    };
    (value < RADIX).then(|| Decimal::new(negative, smallvec![value], exponent))
}
