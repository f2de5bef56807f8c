//! Exponential and logarithm of fixed-point numbers: natural numbers that stand for themselves divided by
//! `RADIX ** n`. Results are wrong by less than [`ERROR`] units of the last word's last digit.

use std::sync::{Mutex, PoisonError};

use super::divide::div_rem;
use super::words::{
    self, RADIX, WORD_DIGITS, Words, add, compare, div_slice_small, div_small, mul, mul_small, normalise, sub,
};

/// A bound of the error of every function here, in units of the last place.
pub const ERROR: u64 = 10_000;

/// `a * RADIX ** (to - from)`: another number of words after the point, cut off.
fn resize(a: &[u64], from: usize, to: usize) -> Words {
    let mut resized = if to >= from {
        let mut resized = Words::from_elem(0, to - from);
        resized.extend_from_slice(a);
        resized
    } else {
        Words::from_slice(a.get(from - to..).unwrap_or(&[]))
    };
    normalise(&mut resized);
    resized
}

fn mul_fixed(a: &[u64], b: &[u64], n: usize) -> Words {
    resize(&mul(a, b), n, 0)
}

/// `a / b` of two numbers of the same scale.
pub fn div_fixed(a: &[u64], b: &[u64], n: usize) -> Words {
    div_rem(&resize(a, 0, n), b).0
}

/// The inverse hyperbolic tangent of `1 / x`.
fn atanh_inverse(x: u64, n: usize) -> Words {
    let mut power = Words::from_elem(0, n);
    power.push(1);
    div_small(&mut power, x);
    let mut sum = power.clone();
    let square = x * x;
    let mut odd = 1;
    while !words::is_zero(&power) {
        div_small(&mut power, square);
        odd += 2;
        let mut term = power.clone();
        div_slice_small(&mut term, odd);
        normalise(&mut term);
        sum = add(&sum, &term);
    }
    sum
}

/// The longest logarithm of ten computed so far, and its words after the point.
static LN_TEN: Mutex<(usize, Vec<u64>)> = Mutex::new((0, Vec::new()));

/// The logarithm of ten.
pub fn ln_ten(n: usize) -> Words {
    let mut cached = LN_TEN.lock().unwrap_or_else(PoisonError::into_inner);
    if cached.0 < n {
        let fine = n + 1;
        let mut sum = words::zero();
        for (factor, x) in [(46, 31), (34, 49), (20, 161)] {
            let mut term = atanh_inverse(x, fine);
            mul_small(&mut term, factor, 0);
            sum = add(&sum, &term);
        }
        *cached = (n, resize(&sum, fine, n).into_vec());
    }
    resize(&cached.1, cached.0, n)
}

/// The exponential of a number below three.
pub fn exp(r: &[u64], n: usize) -> Words {
    // Halved so often that the series is about as long as the way back by squaring.
    let halvings = ((n * 63) as u64).isqrt() as usize + 2;
    // Each squaring doubles the error.
    let fine = n + 1 + (halvings + 16).div_ceil(63);
    let mut x = resize(r, n, fine);
    let mut left = halvings;
    while left > 0 {
        let step = left.min(60);
        div_small(&mut x, 1 << step);
        left -= step;
    }
    let mut sum = Words::from_elem(0, fine);
    sum.push(1);
    let mut term = x.clone();
    let mut k = 1;
    while !words::is_zero(&term) {
        sum = add(&sum, &term);
        k += 1;
        term = mul_fixed(&term, &x, fine);
        div_small(&mut term, k);
    }
    for _ in 0..halvings {
        sum = mul_fixed(&sum, &sum, fine);
    }
    resize(&sum, fine, n)
}

/// The logarithm of a number from one to ten.
pub fn ln(m: &[u64], n: usize) -> Words {
    let estimate = if n <= 2 {
        let value = m.iter().rev().fold(0.0, |value, word| value * RADIX as f64 + *word as f64);
        let scale = (RADIX as f64).powi(n as i32);
        let first = ((value / scale).ln().max(0.0) * 1e17) as u64;
        let shift = n as u64 * WORD_DIGITS;
        if shift >= 17 {
            words::shift_left(&[first], shift - 17).unwrap_or_else(words::zero)
        } else {
            words::zero()
        }
    } else {
        let coarse = n.div_ceil(3) + 1;
        resize(&ln(&resize(m, n, coarse), coarse), coarse, n)
    };
    // One step of Halley's iteration trebles the digits: y + 2 (m - e**y) / (m + e**y).
    let power = exp(&estimate, n);
    let total = add(m, &power);
    let correction = |difference: &[u64]| {
        let mut twice = Words::from_slice(difference);
        mul_small(&mut twice, 2, 0);
        div_fixed(&twice, &total, n)
    };
    if compare(m, &power).is_ge() {
        add(&estimate, &correction(&sub(m, &power)))
    } else {
        let less = correction(&sub(&power, m));
        if compare(&estimate, &less).is_ge() { sub(&estimate, &less) } else { words::zero() }
    }
}
