//! Arithmetic on magnitudes: slices of 30-bit digits, lowest first, normalised.

use std::cmp::Ordering;

use super::{DIGIT_BITS, DIGIT_MASK, Digits, large};

const MASK: u64 = DIGIT_MASK as u64;

/// From this many digits of the shorter factor on, multiplication goes through `large`.
const LARGE_MUL: usize = 26;
/// From this many digits of the divisor (and of the quotient) on, division goes through `large`.
const LARGE_DIV: usize = 40;

/// Drops leading zero digits.
#[inline]
pub fn normalise(digits: &mut Digits) {
    while digits.last() == Some(&0) {
        digits.pop();
    }
}

/// The digits of a machine integer.
#[inline]
pub fn from_u128(value: u128) -> Digits {
    let digit = |index: u32| (value >> (index * DIGIT_BITS)) as u32 & DIGIT_MASK;
    let length = (128 - value.leading_zeros()).div_ceil(DIGIT_BITS) as usize;
    let low = [digit(0), digit(1), digit(2), digit(3)];
    let [a, b, c, d] = low;
    Digits::from_buf_and_len([a, b, c, d, digit(4), 0, 0, 0], length)
}

/// The digits of a machine integer.
#[inline]
pub fn from_u64(value: u64) -> Digits {
    let digit = |index: u32| (value >> (index * DIGIT_BITS)) as u32 & DIGIT_MASK;
    let length = (64 - value.leading_zeros()).div_ceil(DIGIT_BITS) as usize;
    Digits::from_buf_and_len([digit(0), digit(1), digit(2), 0, 0, 0, 0, 0], length)
}

/// The value, if it has at most 64 bits.
#[inline]
pub fn to_u64(digits: &[u32]) -> Option<u64> {
    match *digits {
        [] => Some(0),
        [a] => Some(u64::from(a)),
        [a, b] => Some(u64::from(a) | u64::from(b) << 30),
        [a, b, c] if c < 16 => Some(u64::from(a) | u64::from(b) << 30 | u64::from(c) << 60),
        _ => None,
    }
}

/// The value, if it has at most 128 bits.
pub fn to_u128(digits: &[u32]) -> Option<u128> {
    if digits.len() > 5 || bit_length(digits) > 128 {
        return None;
    }
    Some(digits.iter().rev().fold(0, |value, &d| value << DIGIT_BITS | u128::from(d)))
}

/// Number of bits; zero has none.
#[inline]
pub fn bit_length(digits: &[u32]) -> u64 {
    match digits {
        [] => 0,
        [rest @ .., top] => rest.len() as u64 * u64::from(DIGIT_BITS) + u64::from(32 - top.leading_zeros()),
    }
}

/// Number of zero bits below the lowest one; `None` for zero.
pub fn trailing_zeros(digits: &[u32]) -> Option<u64> {
    let index = digits.iter().position(|&d| d != 0)?;
    let digit = digits.get(index)?;
    Some(index as u64 * u64::from(DIGIT_BITS) + u64::from(digit.trailing_zeros()))
}

/// Whether any of the lowest `count` bits is set.
pub fn any_low_bit(digits: &[u32], count: u64) -> bool {
    trailing_zeros(digits).is_some_and(|zeros| zeros < count)
}

/// Order of two magnitudes.
#[inline]
pub fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `a + b`
pub fn add(a: &[u32], b: &[u32]) -> Digits {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut result = Digits::from_elem(0, long.len() + 1);
    let (low, high) = long.split_at(short.len());
    let (low_out, high_out) = result.split_at_mut(short.len());
    let mut carry = 0;
    for ((out, &x), &y) in low_out.iter_mut().zip(low).zip(short) {
        carry += x + y;
        *out = carry & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
    for (out, &digit) in high_out.iter_mut().zip(high) {
        carry += digit;
        *out = carry & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
    set_top(&mut result, carry);
    result
}

/// Writes the last carry of an operation into the topmost digit, or drops that digit if it is not needed.
#[inline]
fn set_top(result: &mut Digits, carry: u32) {
    match result.last_mut() {
        Some(top) if carry != 0 => *top = carry,
        _ => normalise(result),
    }
}

/// `a - b`, where `a >= b`.
pub fn sub(a: &[u32], b: &[u32]) -> Digits {
    let mut result = Digits::from_slice(a);
    let (low, high) = result.split_at_mut(b.len().min(a.len()));
    let mut borrow = 0;
    for (x, &y) in low.iter_mut().zip(b) {
        let difference = x.wrapping_sub(y).wrapping_sub(borrow);
        *x = difference & DIGIT_MASK;
        borrow = difference >> 31;
    }
    for x in high {
        if borrow == 0 {
            break;
        }
        let difference = x.wrapping_sub(borrow);
        *x = difference & DIGIT_MASK;
        borrow = difference >> 31;
    }
    normalise(&mut result);
    result
}

/// Adds one in place.
pub fn increment(digits: &mut Digits) {
    for digit in digits.iter_mut() {
        if *digit < DIGIT_MASK {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    digits.push(1);
}

/// `|a - b|` and whether `a < b`.
pub fn difference(a: &[u32], b: &[u32]) -> (bool, Digits) {
    match compare(a, b) {
        Ordering::Less => (true, sub(b, a)),
        Ordering::Equal => (false, Digits::new()),
        Ordering::Greater => (false, sub(a, b)),
    }
}

/// `a * b`
pub fn mul(a: &[u32], b: &[u32]) -> Digits {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return Digits::new();
    }
    if long.len() <= 2 {
        let value = |digits: &[u32]| match *digits {
            [low] => u64::from(low),
            [low, high] => u64::from(low) | u64::from(high) << DIGIT_BITS,
            _ => 0,
        };
        return from_u128(u128::from(value(long)) * u128::from(value(short)));
    }
    if let [factor] = *short {
        return mul_digit(long, factor);
    }
    if short.len() >= LARGE_MUL {
        return large::mul(a, b);
    }
    let mut result = Digits::from_elem(0, long.len() + short.len());
    for (i, &x) in short.iter().enumerate() {
        let Some(row) = result.get_mut(i..) else { break };
        let x = u64::from(x);
        let mut carry = 0;
        let (low, high) = row.split_at_mut(long.len().min(row.len()));
        for (out, &y) in low.iter_mut().zip(long) {
            carry += u64::from(*out) + x * u64::from(y);
            *out = (carry & MASK) as u32;
            carry >>= DIGIT_BITS;
        }
        if let Some(out) = high.first_mut() {
            *out = carry as u32;
        }
    }
    normalise(&mut result);
    result
}

/// `a * factor`
pub fn mul_digit(a: &[u32], factor: u32) -> Digits {
    let mut result = Digits::from_elem(0, a.len() + 1);
    let mut carry = 0u64;
    for (out, &digit) in result.iter_mut().zip(a) {
        carry += u64::from(digit) * u64::from(factor);
        *out = (carry & MASK) as u32;
        carry >>= DIGIT_BITS;
    }
    set_top(&mut result, carry as u32);
    result
}

/// Quotient and remainder by one digit, which must not be zero.
pub fn div_rem_digit(a: &[u32], divisor: u32) -> (Digits, u32) {
    let mut quotient = Digits::from_slice(a);
    let divisor = u64::from(divisor.max(1));
    let mut remainder = 0u64;
    for digit in quotient.iter_mut().rev() {
        let value = remainder << DIGIT_BITS | u64::from(*digit);
        *digit = (value / divisor) as u32;
        remainder = value % divisor;
    }
    normalise(&mut quotient);
    (quotient, remainder as u32)
}

/// Remainder by one digit, which must not be zero.
pub fn rem_digit(a: &[u32], divisor: u32) -> u32 {
    let divisor = u64::from(divisor.max(1));
    a.iter().rev().fold(0, |remainder, &digit| (remainder << DIGIT_BITS | u64::from(digit)) % divisor) as u32
}

/// Quotient and remainder; the divisor must not be zero.
pub fn div_rem(a: &[u32], b: &[u32]) -> (Digits, Digits) {
    if compare(a, b) == Ordering::Less {
        return (Digits::new(), Digits::from_slice(a));
    }
    if let [divisor] = *b {
        let (quotient, remainder) = div_rem_digit(a, divisor);
        return (quotient, from_u64(u64::from(remainder)));
    }
    if let (Some(x), Some(y)) = (to_u64(a), to_u64(b))
        && y != 0
    {
        return (from_u64(x / y), from_u64(x % y));
    }
    if b.len() >= LARGE_DIV && a.len() - b.len() >= LARGE_DIV {
        return large::div_rem(a, b);
    }
    div_rem_long(a, b)
}

/// Long division (Knuth, volume 2, algorithm D): `b` has at least two digits, `a` no fewer than `b`.
fn div_rem_long(a: &[u32], b: &[u32]) -> (Digits, Digits) {
    let n = b.len();
    let shift = b.last().map_or(0, |top| top.leading_zeros().saturating_sub(2));
    let divisor = shl(b, u64::from(shift));
    let mut rest = shl(a, u64::from(shift));
    // One digit above the dividend takes the partial remainders.
    rest.resize(a.len() + 1, 0);
    let (&[.., second, first], m) = (divisor.as_slice(), a.len() - n) else {
        return (Digits::new(), Digits::from_slice(a));
    };
    let (first, second) = (u64::from(first), u64::from(second));
    let mut quotient = Digits::from_elem(0, m + 1);
    for j in (0..=m).rev() {
        let Some(window) = rest.get_mut(j..=j + n) else { continue };
        let &mut [.., third, next, top] = window else { continue };
        let value = u64::from(top) << DIGIT_BITS | u64::from(next);
        let mut q = value / first;
        let mut r = value % first;
        while q > MASK || q * second > (r << DIGIT_BITS | u64::from(third)) {
            q -= 1;
            r += first;
            if r > MASK {
                break;
            }
        }
        let mut carry = 0i64;
        let (last, low) = match window.split_last_mut() {
            Some(parts) => parts,
            None => continue,
        };
        for (digit, &d) in low.iter_mut().zip(&divisor) {
            carry += i64::from(*digit) - (q * u64::from(d)) as i64;
            *digit = (carry & MASK as i64) as u32;
            carry >>= DIGIT_BITS;
        }
        if carry + i64::from(*last) < 0 {
            // The estimate was one too large: add the divisor back.
            q -= 1;
            let mut carry = 0;
            for (digit, &d) in low.iter_mut().zip(&divisor) {
                carry += *digit + d;
                *digit = carry & DIGIT_MASK;
                carry >>= DIGIT_BITS;
            }
        }
        *last = 0;
        if let Some(out) = quotient.get_mut(j) {
            *out = q as u32;
        }
    }
    normalise(&mut quotient);
    normalise(&mut rest);
    (quotient, shr(&rest, u64::from(shift)))
}

/// `a << count`; the caller has checked that the result fits into memory.
pub fn shl(a: &[u32], count: u64) -> Digits {
    if a.is_empty() {
        return Digits::new();
    }
    let zeros = (count / u64::from(DIGIT_BITS)) as usize;
    let bits = (count % u64::from(DIGIT_BITS)) as u32;
    let mut result = Digits::from_elem(0, a.len() + zeros + 1);
    let mut carry = 0u64;
    for (out, &digit) in result.iter_mut().skip(zeros).zip(a) {
        carry |= u64::from(digit) << bits;
        *out = (carry & MASK) as u32;
        carry >>= DIGIT_BITS;
    }
    set_top(&mut result, carry as u32);
    result
}

/// `a >> count`
pub fn shr(a: &[u32], count: u64) -> Digits {
    let skip = usize::try_from(count / u64::from(DIGIT_BITS)).unwrap_or(usize::MAX);
    let bits = (count % u64::from(DIGIT_BITS)) as u32;
    let Some(rest) = a.get(skip..) else { return Digits::new() };
    let mut result = Digits::from_slice(rest);
    let above = rest.iter().skip(1).copied().chain(std::iter::once(0));
    for (digit, next) in result.iter_mut().zip(above) {
        let pair = u64::from(next) << DIGIT_BITS | u64::from(*digit);
        *digit = (pair >> bits & MASK) as u32;
    }
    normalise(&mut result);
    result
}

/// The lowest 64 bits of `a >> count`.
pub fn bits_from(a: &[u32], count: u64) -> u64 {
    let skip = usize::try_from(count / u64::from(DIGIT_BITS)).unwrap_or(usize::MAX);
    let bits = (count % u64::from(DIGIT_BITS)) as u32;
    let Some(rest) = a.get(skip..) else { return 0 };
    let window = rest.iter().take(4).rev().fold(0u128, |value, &d| value << DIGIT_BITS | u128::from(d));
    (window >> bits) as u64
}
