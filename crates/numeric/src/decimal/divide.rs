//! Quotients and square roots of natural numbers in decimal words: by the schoolbook (Knuth, algorithm D) for
//! short ones, by recursive halving (Burnikel and Ziegler) for long ones.

use std::cmp::Ordering;

use smallvec::smallvec;

use super::words::{
    RADIX, Words, add_into, compare, compare_shifted, digit_count, div_small, from_u64, increment, mul,
    mul_small, mul_wide, normalise, shift_left, shift_right, sub, sub_into, trimmed, zero,
};

/// Divisors of fewer words are divided by the schoolbook.
const RECURSIVE_LIMIT: usize = 96;

/// Quotient and remainder; the divisor is not zero.
pub fn div_rem(a: &[u64], b: &[u64]) -> (Words, Words) {
    match (a, b) {
        (&[x], &[y]) => return (smallvec![x / y], smallvec![x % y]),
        (_, &[y]) => {
            let mut quotient = Words::from_slice(a);
            let rest = div_small(&mut quotient, y);
            return (quotient, smallvec![rest]);
        }
        _ if compare(a, b) == Ordering::Less => return (zero(), Words::from_slice(a)),
        _ => {}
    }
    // The schoolbook's estimates need a divisor whose first word is at least half the base.
    let top = b.last().copied().unwrap_or(1);
    let factor = RADIX / (top + 1);
    let (mut x, mut y) = (Words::from_slice(a), Words::from_slice(b));
    if factor > 1 {
        mul_small(&mut x, factor, 0);
        mul_small(&mut y, factor, 0);
    }
    let (quotient, mut rest) = if y.len() >= RECURSIVE_LIMIT && x.len() - y.len() >= RECURSIVE_LIMIT / 2 {
        div_rem_blocks(&x, &y)
    } else {
        let mut x = x.into_vec();
        x.push(0);
        let quotient = div_school(&mut x, &y);
        x.truncate(y.len());
        (quotient, x)
    };
    let (mut quotient, mut rest): (Words, Words) = (quotient.into(), std::mem::take(&mut rest).into());
    normalise(&mut quotient);
    normalise(&mut rest);
    if factor > 1 {
        div_small(&mut rest, factor);
    }
    (quotient, rest)
}

/// Divides in place: the remainder stays in the low words of `a`. The divisor's first word is at least half the
/// base, and the first `b.len()` words of `a` are less than the divisor.
fn div_school(a: &mut [u64], b: &[u64]) -> Vec<u64> {
    let n = b.len();
    let mut quotient = vec![0; a.len() - n];
    let (high, next) = (b[n - 1], b[n - 2]);
    for j in (0..quotient.len()).rev() {
        let value = u128::from(a[j + n]) * u128::from(RADIX) + u128::from(a[j + n - 1]);
        let (mut estimate, mut rest) = if a[j + n] >= high {
            (u128::from(RADIX - 1), value - u128::from(RADIX - 1) * u128::from(high))
        } else {
            (value / u128::from(high), value % u128::from(high))
        };
        while rest < u128::from(RADIX)
            && estimate * u128::from(next) > rest * u128::from(RADIX) + u128::from(a[j + n - 2])
        {
            estimate -= 1;
            rest += u128::from(high);
        }
        let mut digit = estimate as u64;
        let window = &mut a[j..=j + n];
        if digit > 0 && sub_product(window, b, digit) {
            digit -= 1;
            add_into(window, b);
        }
        quotient[j] = digit;
    }
    quotient
}

/// `a -= b * factor`, where `a` is one word longer; whether the result is negative.
fn sub_product(a: &mut [u64], b: &[u64], factor: u64) -> bool {
    let mut carry = 0u64;
    let mut borrow = 0u64;
    for (x, y) in a.iter_mut().zip(b) {
        let product = u128::from(*y) * u128::from(factor) + u128::from(carry);
        let (high, low) = super::words::split(product);
        carry = high;
        let (difference, under) = x.overflowing_sub(low + borrow);
        borrow = u64::from(under);
        *x = if under { difference.wrapping_add(RADIX) } else { difference };
    }
    let Some(top) = a.last_mut() else { return false };
    let (difference, under) = top.overflowing_sub(carry + borrow);
    *top = if under { difference.wrapping_add(RADIX) } else { difference };
    under
}

/// Long division in blocks of the divisor's length.
fn div_rem_blocks(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    // The length that halves down to the schoolbook without ever being odd.
    let mut unit = 1usize;
    while b.len().div_ceil(unit) > RECURSIVE_LIMIT {
        unit *= 2;
    }
    let n = b.len().div_ceil(unit) * unit;
    let pad = n - b.len();
    let padded = |words: &[u64]| [vec![0; pad].as_slice(), words].concat();
    let divisor = padded(b);
    let mut dividend = padded(a);
    // One more word, so that the first block is less than the divisor.
    dividend.resize((dividend.len() + 1).div_ceil(n) * n, 0);
    let blocks = dividend.len() / n;
    let mut quotient = vec![0; (blocks - 1).max(1) * n];
    let mut rest = dividend[(blocks - 1) * n..].to_vec();
    if compare(trimmed(&rest), trimmed(&divisor)) != Ordering::Less {
        // Cannot be for a normalised divisor and a free first word, but a wrong quotient would be worse than a slow one.
        let mut all = dividend;
        all.push(0);
        let quotient = div_school(&mut all, &divisor);
        return (quotient, all[pad..n].to_vec());
    }
    for block in (0..blocks - 1).rev() {
        let mut part = dividend[block * n..(block + 1) * n].to_vec();
        part.extend_from_slice(&rest);
        let (q, r) = div_two_by_one(&part, &divisor);
        quotient[block * n..(block + 1) * n].copy_from_slice(&q);
        rest = r;
    }
    (quotient, rest[pad..].to_vec())
}

/// `2n` words by `n`; the quotient fits into `n` words. Both results have `n` words.
fn div_two_by_one(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let n = b.len();
    if n % 2 == 1 || n <= RECURSIVE_LIMIT {
        let mut rest = a.to_vec();
        let quotient = div_school(&mut rest, b);
        rest.truncate(n);
        return (quotient, rest);
    }
    let half = n / 2;
    let (high, rest) = div_three_by_two(&a[half..], b);
    let mut low_part = a[..half].to_vec();
    low_part.extend_from_slice(&rest);
    let (mut quotient, rest) = div_three_by_two(&low_part, b);
    quotient.extend_from_slice(&high);
    (quotient, rest)
}

/// `3h` words by `2h`; the quotient has `h` words, the remainder `2h`.
fn div_three_by_two(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let half = b.len() / 2;
    let (b_low, b_high) = b.split_at(half);
    let (mut quotient, mut rest) = if compare(trimmed(&a[2 * half..]), trimmed(b_high)) == Ordering::Less {
        let (quotient, rest) = div_two_by_one(&a[half..], b_high);
        (quotient, rest)
    } else {
        // The estimate is the largest number of its length: a - (R**h - 1) * b_high.
        let mut rest = a[half..].to_vec();
        sub_into(&mut rest[half..], b_high);
        rest.push(0);
        add_into(&mut rest, b_high);
        (vec![RADIX - 1; half], rest)
    };
    let mut value = a[..half].to_vec();
    value.append(&mut rest);
    value.resize(3 * half + 1, 0);
    let product = mul_wide(&quotient, b_low);
    let mut negative = sub_into(&mut value, &product);
    while negative {
        sub_into(&mut quotient, &[1]);
        negative = !add_into(&mut value, b);
    }
    value.truncate(2 * half);
    (quotient, value)
}

/// The floor of the square root.
pub fn sqrt(a: &[u64]) -> Words {
    let digits = digit_count(a);
    if digits <= 30 {
        let value = a.iter().rev().fold(0u128, |value, word| value * u128::from(RADIX) + u128::from(*word));
        return from_u64(value.isqrt() as u64);
    }
    // Half of the digits from the upper half of the number, the rest by one step of Newton's iteration,
    // which lands on the root or slightly above.
    let cut = ((digits - 2) / 4) as u64;
    let (upper, _) = shift_right(a, 2 * cut);
    let Some(mut root) = shift_left(&sqrt(&upper), cut) else { return zero() };
    for _ in 0..2 {
        let (quotient, _) = div_rem(a, &root);
        root = super::words::add(&root, &quotient);
        div_small(&mut root, 2);
        if compare(&mul(&root, &root), a) != Ordering::Greater {
            break;
        }
        // At most the last digits are wrong, and then the root is too large.
        let difference = sub(&mul(&root, &root), a);
        let (excess, _) = div_rem(&difference, &root);
        if let [small] = excess[..]
            && small < 64
        {
            break;
        }
    }
    while compare(&mul(&root, &root), a) == Ordering::Greater {
        root = sub(&root, &[1]);
    }
    loop {
        let mut next = root.clone();
        increment(&mut next);
        if compare(&mul(&next, &next), a) == Ordering::Greater {
            return root;
        }
        root = next;
    }
}

/// Compares `a * 10**x` with `b * 10**y`, without computing more than the lengths demand.
pub fn compare_scaled(a: &[u64], x: i64, b: &[u64], y: i64) -> Ordering {
    if x >= y { compare_shifted(a, x.abs_diff(y), b) } else { compare_shifted(b, y.abs_diff(x), a).reverse() }
}
