//! Comparisons, maximum and minimum, classes.

use std::cmp::Ordering;

use super::divide::compare_scaled;
use super::*;

/// What `number_class` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberClass(pub &'static str);

/// Compares two decimals that are no NaNs by value.
pub fn compare_numbers(a: &Decimal, b: &Decimal) -> Ordering {
    let sign = |x: &Decimal| match (x.is_zero(), x.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let order = sign(a).cmp(&sign(b));
    if order != Ordering::Equal || a.is_zero() {
        return order;
    }
    let magnitudes = compare_magnitudes(a, b);
    if a.negative { magnitudes.reverse() } else { magnitudes }
}

/// Compares two decimals that are no NaNs by absolute value.
pub fn compare_magnitudes(a: &Decimal, b: &Decimal) -> Ordering {
    match (a.is_infinite(), b.is_infinite()) {
        (false, false) => {}
        (x, y) => return x.cmp(&y),
    }
    match (a.is_zero(), b.is_zero()) {
        (false, false) => {}
        (x, y) => return y.cmp(&x),
    }
    let by_exponent = a.adjusted().cmp(&b.adjusted());
    by_exponent.then_with(|| compare_scaled(&a.coefficient, a.exponent, &b.coefficient, b.exponent))
}

/// The order of two decimals of one value: by sign, then by exponent.
fn compare_equal(a: &Decimal, b: &Decimal) -> Ordering {
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    let order = a.exponent.cmp(&b.exponent);
    if a.negative { order.reverse() } else { order }
}

fn total_order(a: &Decimal, b: &Decimal) -> Ordering {
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    let rank = |x: &Decimal| match x.kind {
        Kind::Finite | Kind::Infinite => 0,
        Kind::SignalingNan => 1,
        Kind::QuietNan => 2,
    };
    if !a.is_nan() && !b.is_nan() {
        return compare_numbers(a, b).then_with(|| compare_equal(a, b));
    }
    let order = rank(a).cmp(&rank(b)).then_with(|| words::compare(&a.coefficient, &b.coefficient));
    if a.negative { order.reverse() } else { order }
}

fn from_order(order: Ordering) -> Decimal {
    Decimal::from_i64(order as i64)
}

/// Which of two to choose.
#[derive(Clone, Copy)]
enum Choice {
    Largest,
    Least,
}

fn choose(
    a: &Decimal,
    b: &Decimal,
    choice: Choice,
    order: fn(&Decimal, &Decimal) -> Ordering,
    context: &Context,
    status: &mut Status,
) -> Decimal {
    let chosen = if a.is_qnan() && !b.is_nan() {
        b
    } else if b.is_qnan() && !a.is_nan() {
        a
    } else if let Some(nan) = nan_result(&[a, b], context, status) {
        return nan;
    } else {
        match (choice, order(a, b).then_with(|| compare_equal(a, b))) {
            (Choice::Largest, Ordering::Less) => b,
            (Choice::Largest, _) => a,
            (Choice::Least, Ordering::Less) => a,
            (Choice::Least, Ordering::Equal) => b,
            (Choice::Least, Ordering::Greater) => b,
        }
    };
    chosen.clone().finalized(context, status)
}

impl Decimal {
    /// -1, 0 or 1; NaN for NaNs.
    pub fn compare(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        match nan_result(&[self, other], context, status) {
            Some(nan) => nan,
            None => from_order(compare_numbers(self, other)),
        }
    }

    /// The same, but quiet NaNs signal too.
    pub fn compare_signal(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        match nan_result(&[self, other], context, status) {
            Some(nan) => {
                *status |= INVALID_OPERATION;
                nan
            }
            None => from_order(compare_numbers(self, other)),
        }
    }

    /// The comparison by the total order of representations.
    pub fn compare_total(&self, other: &Decimal) -> Decimal {
        from_order(total_order(self, other))
    }

    /// The same of the absolute values.
    pub fn compare_total_mag(&self, other: &Decimal) -> Decimal {
        from_order(total_order(&self.copy_abs(), &other.copy_abs()))
    }

    /// The larger one; a number rather than a quiet NaN.
    pub fn max(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        choose(self, other, Choice::Largest, compare_numbers, context, status)
    }

    /// The smaller one; a number rather than a quiet NaN.
    pub fn min(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        choose(self, other, Choice::Least, compare_numbers, context, status)
    }

    /// The one with the larger absolute value.
    pub fn max_mag(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        choose(self, other, Choice::Largest, compare_magnitudes, context, status)
    }

    /// The one with the smaller absolute value.
    pub fn min_mag(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        choose(self, other, Choice::Least, compare_magnitudes, context, status)
    }

    /// The class, as `number_class` names it.
    pub fn number_class(&self, context: &Context) -> NumberClass {
        NumberClass(match self.kind {
            Kind::QuietNan => "NaN",
            Kind::SignalingNan => "sNaN",
            Kind::Infinite if self.negative => "-Infinity",
            Kind::Infinite => "+Infinity",
            Kind::Finite => match (self.is_zero(), self.is_normal(context), self.negative) {
                (true, _, true) => "-Zero",
                (true, _, false) => "+Zero",
                (_, true, true) => "-Normal",
                (_, true, false) => "+Normal",
                (_, false, true) => "-Subnormal",
                (_, false, false) => "+Subnormal",
            },
        })
    }
}
