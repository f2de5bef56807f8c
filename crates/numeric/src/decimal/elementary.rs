//! Square root, exponential and logarithms, all correctly rounded: the functions are computed with growing
//! precision until the error cannot change the rounded result (Ziv's strategy).

use std::cmp::Ordering;

use super::divide::{div_rem, sqrt};
use super::series;
use super::words::{self, WORD_DIGITS};
use super::*;

/// Digits of an exponent: the exponential of a longer integer part overflows or underflows for sure.
const EXPONENT_DIGITS: i64 = 19;

/// An approximation: a positive number with the bound of its error in units of the last digit.
struct Approximation {
    coefficient: Words,
    exponent: i64,
    error: u64,
}

/// Rounds the limit of approximations that are no tie, half to even. `compute` takes the number of words after
/// the point.
fn settle(
    negative: bool,
    context: &Context,
    status: &mut Status,
    first: i64,
    compute: impl Fn(usize) -> Approximation,
) -> Decimal {
    let context = context.with_rounding(Rounding::HalfEven);
    let mut words_after = (first.max(1) as u64 / WORD_DIGITS + 1) as usize;
    loop {
        if Vec::<u64>::new().try_reserve_exact(words_after.saturating_mul(16)).is_err() {
            return Decimal::error(MALLOC_ERROR, status);
        }
        let found = compute(words_after);
        let digits = words::digit_count(&found.coefficient);
        let last = (found.exponent + digits - context.prec).max(context.etiny());
        let cut = last - found.exponent;
        if is_settled(&found, cut) {
            // The limit is no number of finitely many digits: something follows.
            let mut coefficient = found.coefficient;
            words::mul_small(&mut coefficient, 10, 1);
            return Decimal::new(negative, coefficient, found.exponent - 1).finalized(&context, status);
        }
        words_after = words_after * 3 / 2 + 1;
    }
}

/// Whether every number within the error is rounded alike when `cut` digits go.
fn is_settled(found: &Approximation, cut: i64) -> bool {
    let digits = words::digit_count(&found.coefficient);
    if cut > digits + 1 {
        return true;
    }
    if cut < 7 {
        return false;
    }
    let Some(mut half) = words::shift_left(&[5], cut as u64 - 1) else { return true };
    let tail = words::low_digits(&found.coefficient, cut as u64);
    if words::compare(&half, &tail) == Ordering::Less {
        half = words::sub(&tail, &half);
    } else {
        half = words::sub(&half, &tail);
    }
    words::compare(&half, &[found.error]) == Ordering::Greater
}

/// The magnitude with words after the point, cut off.
fn to_fixed(x: &Decimal, n: usize) -> Words {
    let shift = x.exponent.saturating_add((n as u64 * WORD_DIGITS) as i64);
    if shift >= 0 {
        words::shift_left(&x.coefficient, shift as u64).unwrap_or_else(words::zero)
    } else {
        words::shift_right(&x.coefficient, shift.unsigned_abs()).0
    }
}

impl Decimal {
    /// The square root.
    pub fn sqrt(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        if self.is_zero() {
            return Decimal::new(self.negative, words::zero(), self.exponent.div_euclid(2))
                .finalized(context, status);
        }
        if self.negative {
            return Decimal::error(INVALID_OPERATION, status);
        }
        if self.is_infinite() {
            return self.clone();
        }
        let odd = self.exponent.rem_euclid(2);
        let ideal = self.exponent.div_euclid(2);
        let digits = self.digits() + odd;
        // One digit more than wanted, and a hint whether there are others.
        let shift = context.prec + 1 - (digits + 1) / 2;
        let scaled = if shift >= 0 {
            words::shift_left(&self.coefficient, (2 * shift + odd) as u64).map(|scaled| (scaled, true))
        } else {
            words::shift_left(&self.coefficient, odd as u64).map(|scaled| {
                let (cut, rest) = words::shift_right(&scaled, 2 * shift.unsigned_abs());
                (cut, rest == 0)
            })
        };
        let Some((scaled, complete)) = scaled else { return Decimal::error(MALLOC_ERROR, status) };
        let mut root = sqrt(&scaled);
        let mut exponent = ideal - shift;
        if complete && words::compare(&words::mul(&root, &root), &scaled) == Ordering::Equal {
            if shift >= 0 {
                // Back to the ideal exponent, as far as zeros allow.
                let zeros = (words::trailing_zeros(&root)).min(shift as u64);
                root = words::shift_right(&root, zeros).0;
                exponent += zeros as i64;
            }
        } else if root.first().is_some_and(|word| word % 5 == 0) {
            words::increment(&mut root);
        }
        let context = context.with_rounding(Rounding::HalfEven);
        Decimal::new(false, root, exponent).finalized(&context, status)
    }

    /// `e ** self`
    pub fn exp(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(nan) = nan_result(&[self], context, status) {
            return nan;
        }
        if self.is_infinite() {
            return if self.negative { Decimal::small(false, 0, 0) } else { Decimal::infinity(false) };
        }
        if self.is_zero() {
            return Decimal::small(false, 1, 0);
        }
        let half_even = context.with_rounding(Rounding::HalfEven);
        let adjusted = self.adjusted();
        if adjusted + 1 > EXPONENT_DIGITS {
            let exponent = if self.negative { context.etiny() - 1 } else { EXPONENT_INFINITE };
            return Decimal::small(false, 1, exponent).finalized(&half_even, status);
        }
        if adjusted < -(context.prec + 1) {
            // So near to one that nothing of the difference is left.
            *status |= INEXACT | ROUNDED;
            return Decimal::padded_one(false, context.prec - 1, status).finalized(&half_even, status);
        }
        settle(false, context, status, context.prec + 12, |n| {
            // The multiple of the logarithm has up to a word before the point.
            let fine = n + 1;
            let ten = series::ln_ten(fine);
            let (count, mut rest) = div_rem(&to_fixed(self, fine), &ten);
            let mut power = words::to_u64(&count).map_or(i64::MAX / 4, |count| count as i64);
            if self.negative {
                rest = words::sub(&ten, &rest);
                power = -power - 1;
            }
            let rest = if rest.len() > 1 { &rest[1..] } else { &[0] };
            let exponent = power - (n as u64 * WORD_DIGITS) as i64;
            Approximation { coefficient: series::exp(rest, n), exponent, error: series::ERROR * 100 }
        })
    }

    /// The logarithm of a positive number other than one, in fixed point, and whether it is negative.
    fn ln_fixed(&self, n: usize) -> (bool, Words) {
        let power = self.adjusted();
        let mantissa = Decimal::new(false, self.coefficient.clone(), self.exponent - power);
        let logarithm = series::ln(&to_fixed(&mantissa, n), n);
        // The product needs the constant as exact as the power is long.
        let ten = words::mul(&series::ln_ten(n + 1), &words::from_u64(power.unsigned_abs()));
        let ten = words::trimmed(ten.get(1..).unwrap_or(&[]));
        if power >= 0 {
            return (false, words::add(ten, &logarithm));
        }
        match words::compare(ten, &logarithm) {
            Ordering::Less => (false, words::sub(&logarithm, ten)),
            _ => (true, words::sub(ten, &logarithm)),
        }
    }

    /// The operand checks that both logarithms share.
    fn logarithm_special(&self, context: &Context, status: &mut Status) -> Option<Decimal> {
        if let Some(nan) = nan_result(&[self], context, status) {
            return Some(nan);
        }
        if self.is_zero() {
            return Some(Decimal::infinity(true));
        }
        if self.negative {
            return Some(Decimal::error(INVALID_OPERATION, status));
        }
        self.is_infinite().then(|| Decimal::infinity(false))
    }

    /// Digits that a logarithm loses because the operand is near to one.
    fn logarithm_loss(&self) -> i64 {
        let one = Decimal::small(false, 1, 0);
        if !(-1..=0).contains(&self.adjusted()) {
            return 0;
        }
        let exact = Context { prec: self.digits() + 2, ..Context::MAX };
        let distance = self.subtract(&one, &exact, &mut 0);
        (-distance.adjusted()).max(0)
    }

    /// The natural logarithm.
    pub fn ln(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(special) = self.logarithm_special(context, status) {
            return special;
        }
        if compare_numbers(self, &Decimal::small(false, 1, 0)) == Ordering::Equal {
            return Decimal::small(false, 0, 0);
        }
        // The sign is known: below one the logarithm is negative.
        let negative = self.adjusted() < 0;
        settle(negative, context, status, context.prec + 12 + self.logarithm_loss(), |n| {
            let (_, coefficient) = self.ln_fixed(n);
            let exponent = -((n as u64 * WORD_DIGITS) as i64);
            Approximation { coefficient, exponent, error: series::ERROR * 10 }
        })
    }

    /// The logarithm to base ten.
    pub fn log10(&self, context: &Context, status: &mut Status) -> Decimal {
        if let Some(special) = self.logarithm_special(context, status) {
            return special;
        }
        let zeros = words::trailing_zeros(&self.coefficient);
        if zeros as i64 + 1 == self.digits() && words::digit_at(&self.coefficient, zeros) == 1 {
            let half_even = context.with_rounding(Rounding::HalfEven);
            return Decimal::from_i64(self.adjusted()).finalized(&half_even, status);
        }
        let negative = self.adjusted() < 0;
        settle(negative, context, status, context.prec + 12 + self.logarithm_loss(), |n| {
            // A word more, for the integer part that the constant's error is multiplied with.
            let fine = n + 1;
            let (_, logarithm) = self.ln_fixed(fine);
            let quotient = series::div_fixed(&logarithm, &series::ln_ten(fine), fine);
            let coefficient = Words::from_slice(words::trimmed(quotient.get(1..).unwrap_or(&[])));
            let exponent = -((n as u64 * WORD_DIGITS) as i64);
            Approximation { coefficient, exponent, error: series::ERROR }
        })
    }
}
