//! Changing the exponent: `quantize`, rounding to integers, `normalize`, neighbours, `scaleb`, `logb`.

use std::cmp::Ordering;

use super::compare::compare_numbers;
use super::*;

impl Decimal {
    /// The value with another exponent.
    pub fn rescale(&self, exponent: i64, context: &Context, status: &mut Status) -> Decimal {
        if exponent > context.emax || exponent < context.etiny() {
            return Decimal::error(INVALID_OPERATION, status);
        }
        let mut result = self.clone();
        if self.is_zero() {
            result.exponent = exponent;
            return result.finalized(context, status);
        }
        let gap = self.exponent - exponent;
        if self.digits() + gap > context.prec {
            return Decimal::error(INVALID_OPERATION, status);
        }
        let mut conditions = 0;
        result.exponent = exponent;
        if gap >= 0 {
            match words::shift_left(&self.coefficient, gap as u64) {
                Some(shifted) => result.coefficient = shifted,
                None => return Decimal::error(MALLOC_ERROR, status),
            }
        } else {
            let (coefficient, cut) = words::shift_right(&self.coefficient, gap.unsigned_abs());
            result.coefficient = coefficient;
            if result.rounds_up(cut, context.rounding) {
                words::increment(&mut result.coefficient);
                if result.digits() > context.prec {
                    return Decimal::error(INVALID_OPERATION, status);
                }
            }
            conditions = ROUNDED | if cut != 0 { INEXACT } else { 0 };
        }
        let adjusted = result.adjusted();
        if adjusted > context.emax || adjusted < context.etiny() {
            return Decimal::error(INVALID_OPERATION, status);
        }
        *status |= conditions;
        result.finalized(context, status)
    }

    /// The value with the exponent of another.
    pub fn quantize(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if !self.is_finite() || !other.is_finite() {
            if let Some(nan) = nan_result(&[self, other], context, status) {
                return nan;
            }
            if self.is_infinite() && other.is_infinite() {
                return self.clone();
            }
            return Decimal::error(INVALID_OPERATION, status);
        }
        self.rescale(other.exponent, context, status)
    }

    fn integral(&self, rounding: Rounding, context: &Context, status: &mut Status) -> (Decimal, Status) {
        if let Some(nan) = nan_result(&[self], context, status) {
            return (nan, 0);
        }
        if self.kind != Kind::Finite || self.exponent >= 0 {
            return (self.clone(), 0);
        }
        let (coefficient, cut) = words::shift_right(&self.coefficient, self.exponent.unsigned_abs());
        let mut result = Decimal::new(self.negative, coefficient, 0);
        if self.is_zero() {
            return (result, ROUNDED);
        }
        if result.rounds_up(cut, rounding) {
            words::increment(&mut result.coefficient);
        }
        (result, ROUNDED | if cut != 0 { INEXACT } else { 0 })
    }

    /// The nearest integer as the context rounds, with `Inexact` and `Rounded`.
    pub fn to_integral_exact(&self, context: &Context, status: &mut Status) -> Decimal {
        let (result, conditions) = self.integral(context.rounding, context, status);
        if !self.is_zero() {
            *status |= conditions;
        }
        result
    }

    /// The nearest integer as the context rounds.
    pub fn to_integral_value(&self, context: &Context, status: &mut Status) -> Decimal {
        self.integral(context.rounding, context, status).0
    }

    /// The integer towards zero, towards infinity … of a finite number.
    pub fn round_to_integer(&self, rounding: Rounding) -> Decimal {
        self.integral(rounding, &Context::MAX, &mut 0).0
    }

    /// Without zeros at the end.
    pub fn normalize(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        let mut result = self.clone();
        if self.is_infinite() {
            return result;
        }
        result.finalize(context, status);
        if !result.is_finite() {
            return result;
        }
        if result.is_zero() {
            return Decimal::new(result.negative, words::zero(), 0);
        }
        let most = if context.clamp { context.etop() } else { context.emax };
        let zeros = (words::trailing_zeros(&result.coefficient) as i64).min(most - result.exponent).max(0);
        result.coefficient = words::shift_right(&result.coefficient, zeros as u64).0;
        result.exponent += zeros;
        result
    }

    fn neighbour(&self, down: bool, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        if self.is_infinite() {
            if self.negative == down {
                return self.clone();
            }
            return match words::nines(context.prec as u64) {
                Some(nines) => Decimal::new(self.negative, nines, context.etop()),
                None => Decimal::error(MALLOC_ERROR, status),
            };
        }
        let directed = context.with_rounding(if down { Rounding::Floor } else { Rounding::Ceiling });
        let mut conditions = 0;
        let rounded = self.clone().finalized(&directed, &mut conditions);
        if conditions & (INEXACT | ERRORS) != 0 {
            *status |= conditions & ERRORS;
            return rounded;
        }
        conditions = 0;
        let tiny = Decimal::small(down, 1, context.etiny() - 1);
        let result = self.add(&tiny, &directed, &mut conditions);
        *status |= conditions & ERRORS;
        result
    }

    /// The largest number below.
    pub fn next_minus(&self, context: &Context, status: &mut Status) -> Decimal {
        self.neighbour(true, context, status)
    }

    /// The smallest number above.
    pub fn next_plus(&self, context: &Context, status: &mut Status) -> Decimal {
        self.neighbour(false, context, status)
    }

    /// The neighbour in the direction of another.
    pub fn next_toward(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self, other], context, status) {
            return nan;
        }
        let result = match compare_numbers(self, other) {
            Ordering::Equal => return self.copy_sign(other),
            Ordering::Less => self.next_plus(context, status),
            Ordering::Greater => self.next_minus(context, status),
        };
        if result.is_infinite() {
            *status |= OVERFLOW | ROUNDED | INEXACT;
        } else if result.is_finite() && result.adjusted() < context.emin {
            *status |= UNDERFLOW | SUBNORMAL | ROUNDED | INEXACT;
            if result.is_zero() {
                *status |= CLAMPED;
            }
        }
        result
    }

    /// The number times a power of ten.
    pub fn scaleb(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self, other], context, status) {
            return nan;
        }
        let most = 2 * i128::from(context.emax.saturating_add(context.prec));
        let shift = other.small_integer().filter(|shift| i128::from(shift.unsigned_abs()) <= most);
        let Some(shift) = shift else { return Decimal::error(INVALID_OPERATION, status) };
        let mut result = self.clone();
        if self.is_infinite() {
            return result;
        }
        result.exponent = self.exponent.saturating_add(shift).clamp(EXPONENT_CLAMP, EXPONENT_INFINITE);
        result.finalized(context, status)
    }

    /// The value of an integer that is written without exponent, if it fits.
    pub(super) fn small_integer(&self) -> Option<i64> {
        if self.kind != Kind::Finite || self.exponent != 0 {
            return None;
        }
        let magnitude = i64::try_from(words::to_u64(&self.coefficient)?).ok()?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The adjusted exponent as a decimal.
    pub fn logb(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        if self.is_infinite() {
            return Decimal::infinity(false);
        }
        if self.is_zero() {
            *status |= DIVISION_BY_ZERO;
            return Decimal::infinity(true);
        }
        Decimal::from_i64(self.adjusted()).finalized(context, status)
    }

    /// The digits moved, with zeros put in.
    pub fn shift(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.moved(other, context, status, |digits, places, context| {
            if places >= 0 {
                words::shift_left(&digits, places as u64)
                    .map(|all| words::low_digits(&all, context.prec as u64))
            } else {
                Some(words::shift_right(&digits, places.unsigned_abs()).0)
            }
        })
    }

    /// The digits moved in a circle.
    pub fn rotate(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.moved(other, context, status, |digits, places, context| {
            let left = places.rem_euclid(context.prec) as u64;
            let right = context.prec as u64 - left;
            let (high, _) = words::shift_right(&digits, right);
            let low = words::shift_left(&words::low_digits(&digits, right), left)?;
            Some(words::add(&low, &high))
        })
    }

    fn moved(
        &self,
        other: &Decimal,
        context: &Context,
        status: &mut Status,
        operation: impl FnOnce(Words, i64, &Context) -> Option<Words>,
    ) -> Decimal {
        if let Some(nan) = nan_result(&[self, other], context, status) {
            return nan;
        }
        let places = other.small_integer().filter(|places| places.abs() <= context.prec);
        let Some(places) = places else { return Decimal::error(INVALID_OPERATION, status) };
        if self.is_infinite() {
            return self.clone();
        }
        let digits = words::low_digits(&self.coefficient, context.prec as u64);
        match operation(digits, places, context) {
            Some(coefficient) => Decimal::new(self.negative, coefficient, self.exponent),
            None => Decimal::error(MALLOC_ERROR, status),
        }
    }
}
