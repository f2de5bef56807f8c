//! Natural numbers in words of 19 decimal digits, lowest first: the coefficients of decimals.
//!
//! Invariant: a number has at least one word, and its highest word is zero only if the number is zero.

use std::cmp::Ordering;

use smallvec::{SmallVec, smallvec};

use super::transform;

/// Owned words; up to four (76 digits) live without an allocation.
pub type Words = SmallVec<[u64; 4]>;

/// Digits in a word.
pub const WORD_DIGITS: u64 = 19;
/// The base.
pub const RADIX: u64 = 10_000_000_000_000_000_000;

/// Below this many words the schoolbook product beats the transform.
const TRANSFORM_LIMIT: usize = 96;

/// The powers of ten that fit into a word's range.
pub const POWERS: [u64; 20] = {
    let mut powers = [1u64; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// The reciprocal of the base: floor((2**128 - 1) / RADIX) - 2**64.
const RECIPROCAL: u64 = (u128::MAX / RADIX as u128 - (1 << 64)) as u64;

/// Quotient and remainder by the base of a value whose quotient fits into a word: one multiplication in the
/// place of a division ("Improved division by invariant integers", Möller and Granlund).
#[inline]
pub fn split(value: u128) -> (u64, u64) {
    let high = (value >> 64) as u64;
    let low = value as u64;
    let estimate = (u128::from(RECIPROCAL) * u128::from(high)).wrapping_add(value);
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(RADIX));
    if rest > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(RADIX);
    }
    if rest >= RADIX {
        quotient = quotient.wrapping_add(1);
        rest -= RADIX;
    }
    (quotient, rest)
}

/// Zero.
pub fn zero() -> Words {
    smallvec![0]
}

/// A number that fits into 64 bits.
#[inline]
pub fn from_u64(value: u64) -> Words {
    if value < RADIX { smallvec![value] } else { smallvec![value - RADIX, 1] }
}

/// The value, if it fits.
pub fn to_u64(words: &[u64]) -> Option<u64> {
    match *words {
        [low] => Some(low),
        [low, 1] => low.checked_add(RADIX),
        _ => None,
    }
}

/// Drops leading zeros.
#[inline]
pub fn normalise(words: &mut Words) {
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    if words.is_empty() {
        words.push(0);
    }
}

/// A slice without its leading zeros, at least one word long.
pub fn trimmed(mut words: &[u64]) -> &[u64] {
    while let [rest @ .., 0] = words
        && !rest.is_empty()
    {
        words = rest;
    }
    if words.is_empty() { &[0] } else { words }
}

/// Whether the number is zero.
#[inline]
pub fn is_zero(words: &[u64]) -> bool {
    matches!(words, [0] | [])
}

/// The number of digits; one for zero.
#[inline]
pub fn digit_count(words: &[u64]) -> i64 {
    let top = words.last().copied().unwrap_or(0);
    let digits = top.checked_ilog10().unwrap_or(0) as i64 + 1;
    digits + (words.len() as i64 - 1).max(0) * WORD_DIGITS as i64
}

/// The digit at a place, counted from the lowest.
pub fn digit_at(words: &[u64], place: u64) -> u8 {
    let word = words.get((place / WORD_DIGITS) as usize).copied().unwrap_or(0);
    (word / POWERS[(place % WORD_DIGITS) as usize] % 10) as u8
}

/// Compares two numbers.
#[inline]
pub fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// Compares `a * 10**shift` with `b`, without computing the product.
pub fn compare_shifted(a: &[u64], shift: u64, b: &[u64]) -> Ordering {
    if shift == 0 {
        return compare(a, b);
    }
    let digits = digit_count(a).saturating_add(shift.min(i64::MAX as u64 / 2) as i64);
    let by_length = digits.cmp(&digit_count(b));
    if by_length != Ordering::Equal {
        return by_length;
    }
    // Of the same length, so the shift is less than the length of `b`.
    shift_left(a, shift).map_or(Ordering::Greater, |a| compare(&a, b))
}

/// `a + b`
#[inline]
pub fn add(a: &[u64], b: &[u64]) -> Words {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut sum = Words::with_capacity(long.len() + 1);
    sum.extend_from_slice(long);
    if add_into(&mut sum, short) {
        sum.push(1);
    }
    sum
}

/// `a += b`, at the low end of `a`, which is at least as long; whether there is a carry beyond its end.
pub fn add_into(a: &mut [u64], b: &[u64]) -> bool {
    let (low, high) = a.split_at_mut(b.len());
    let mut carry = false;
    for (x, y) in low.iter_mut().zip(b) {
        let (sum, over) = x.overflowing_add(y + u64::from(carry));
        carry = over || sum >= RADIX;
        *x = if carry { sum.wrapping_sub(RADIX) } else { sum };
    }
    if !carry {
        return false;
    }
    for x in high {
        if *x != RADIX - 1 {
            *x += 1;
            return false;
        }
        *x = 0;
    }
    true
}

/// `a -= b`, at the low end of `a`, which is at least as long; whether there is a borrow beyond its end.
pub fn sub_into(a: &mut [u64], b: &[u64]) -> bool {
    let (low, high) = a.split_at_mut(b.len());
    let mut borrow = false;
    for (x, y) in low.iter_mut().zip(b) {
        let (difference, under) = x.overflowing_sub(y + u64::from(borrow));
        borrow = under;
        *x = if under { difference.wrapping_add(RADIX) } else { difference };
    }
    if !borrow {
        return false;
    }
    for x in high {
        if *x != 0 {
            *x -= 1;
            return false;
        }
        *x = RADIX - 1;
    }
    true
}

/// `a - b`, where `a` is not the smaller one.
#[inline]
pub fn sub(a: &[u64], b: &[u64]) -> Words {
    let mut difference = Words::from_slice(a);
    sub_into(&mut difference, b);
    normalise(&mut difference);
    difference
}

/// `a += 1`
pub fn increment(a: &mut Words) {
    if add_into(a, &[1]) {
        a.push(1);
    }
}

/// `a *= factor; a += addend`
pub fn mul_small(a: &mut Words, factor: u64, addend: u64) {
    let mut carry = addend;
    for word in a.iter_mut() {
        let (high, low) = split(u128::from(*word) * u128::from(factor) + u128::from(carry));
        *word = low;
        carry = high;
    }
    if carry > 0 {
        if carry < RADIX {
            a.push(carry);
        } else {
            a.push(carry - RADIX);
            a.push(1);
        }
    }
    normalise(a);
}

/// `a //= divisor`, with the remainder as result.
pub fn div_small(a: &mut Words, divisor: u64) -> u64 {
    let rest = div_slice_small(a, divisor);
    normalise(a);
    rest
}

/// `a //= divisor` in place, with the remainder as result.
pub fn div_slice_small(a: &mut [u64], divisor: u64) -> u64 {
    let mut rest = 0u64;
    for word in a.iter_mut().rev() {
        if rest == 0 {
            rest = *word % divisor;
            *word /= divisor;
        } else {
            let value = u128::from(rest) * u128::from(RADIX) + u128::from(*word);
            *word = (value / u128::from(divisor)) as u64;
            rest = (value % u128::from(divisor)) as u64;
        }
    }
    rest
}

/// `a * b`
#[inline]
pub fn mul(a: &[u64], b: &[u64]) -> Words {
    match (a, b) {
        (&[x], &[y]) => {
            let (high, low) = split(u128::from(x) * u128::from(y));
            if high == 0 { smallvec![low] } else { smallvec![low, high] }
        }
        _ => {
            let mut product: Words = if a.len().min(b.len()) < TRANSFORM_LIMIT {
                let mut product = smallvec![0; a.len() + b.len()];
                mul_school(a, b, &mut product);
                product
            } else {
                transform::mul(a, b).into()
            };
            normalise(&mut product);
            product
        }
    }
}

/// The product of any lengths as a plain slice of words of the sum of the lengths.
pub fn mul_wide(a: &[u64], b: &[u64]) -> Vec<u64> {
    if a.len().min(b.len()) < TRANSFORM_LIMIT {
        let mut product = vec![0; a.len() + b.len()];
        mul_school(a, b, &mut product);
        return product;
    }
    let mut product = transform::mul(a, b);
    product.resize(a.len() + b.len(), 0);
    product
}

/// The product by the schoolbook; `product` is zero and as long as both factors.
fn mul_school(a: &[u64], b: &[u64], product: &mut [u64]) {
    for (i, &x) in a.iter().enumerate() {
        if x == 0 {
            continue;
        }
        let mut carry = 0u64;
        let row = &mut product[i..];
        for (place, &y) in row.iter_mut().zip(b) {
            let value = u128::from(x) * u128::from(y) + u128::from(*place) + u128::from(carry);
            (carry, *place) = split(value);
        }
        if let Some(place) = row.get_mut(b.len()) {
            *place = carry;
        }
    }
}

/// `a * 10**count`; none if there is no memory for it.
pub fn shift_left(a: &[u64], count: u64) -> Option<Words> {
    if is_zero(a) {
        return Some(zero());
    }
    if count == 0 {
        return Some(Words::from_slice(a));
    }
    let whole = usize::try_from(count / WORD_DIGITS).ok()?;
    let part = (count % WORD_DIGITS) as usize;
    let mut shifted = Words::new();
    shifted.try_reserve(whole.checked_add(a.len())?.checked_add(1)?).ok()?;
    shifted.resize(whole, 0);
    if part == 0 {
        shifted.extend_from_slice(a);
        return Some(shifted);
    }
    let mut carry = 0;
    for &word in a {
        let (high, low) = split(u128::from(word) * u128::from(POWERS[part]));
        shifted.push(low + carry);
        carry = high;
    }
    if carry > 0 {
        shifted.push(carry);
    }
    Some(shifted)
}

/// What a right shift cuts off: 0 nothing, 1 to 4 less than a half, 5 a half, 6 to 9 more.
pub type Remainder = u8;

/// `a // 10**count`, and what is cut off.
pub fn shift_right(a: &[u64], count: u64) -> (Words, Remainder) {
    if count == 0 {
        return (Words::from_slice(a), 0);
    }
    let digits = digit_count(a) as u64;
    if count > digits {
        return (zero(), u8::from(!is_zero(a)));
    }
    let whole = (count / WORD_DIGITS) as usize;
    let part = (count % WORD_DIGITS) as usize;
    // The highest digit cut off, and whether there is something below it.
    let place = count - 1;
    let (word, offset) = ((place / WORD_DIGITS) as usize, (place % WORD_DIGITS) as usize);
    let digit = (a[word] / POWERS[offset] % 10) as u8;
    let mut remainder = digit;
    if digit == 0 || digit == 5 {
        let below = !a[word].is_multiple_of(POWERS[offset]) || a[..word].iter().any(|&word| word != 0);
        remainder += u8::from(below);
    }
    let mut shifted = Words::with_capacity(a.len() - whole.min(a.len()) + 1);
    if part == 0 {
        shifted.extend_from_slice(&a[whole..]);
    } else {
        let (divisor, factor) = (POWERS[part], POWERS[WORD_DIGITS as usize - part]);
        for (i, &word) in a.iter().enumerate().skip(whole) {
            let above = a.get(i + 1).copied().unwrap_or(0);
            shifted.push(word / divisor + above % divisor * factor);
        }
    }
    normalise(&mut shifted);
    (shifted, remainder)
}

/// `a % 10**count`
pub fn low_digits(a: &[u64], count: u64) -> Words {
    let whole = (count / WORD_DIGITS) as usize;
    let part = (count % WORD_DIGITS) as usize;
    if whole >= a.len() {
        return Words::from_slice(a);
    }
    let mut low = Words::from_slice(&a[..whole]);
    if part > 0 {
        low.push(a[whole] % POWERS[part]);
    }
    normalise(&mut low);
    low
}

/// The number of zeros at the low end; zero for zero.
pub fn trailing_zeros(a: &[u64]) -> u64 {
    let Some(at) = a.iter().position(|&word| word != 0) else { return 0 };
    let mut word = a[at];
    let mut count = at as u64 * WORD_DIGITS;
    while word.is_multiple_of(10) {
        word /= 10;
        count += 1;
    }
    count
}

/// `10**count - 1`; none if there is no memory for it.
pub fn nines(count: u64) -> Option<Words> {
    let whole = usize::try_from(count / WORD_DIGITS).ok()?;
    let part = (count % WORD_DIGITS) as usize;
    let mut words = Words::new();
    words.try_reserve(whole.checked_add(1)?).ok()?;
    words.resize(whole, RADIX - 1);
    if part > 0 {
        words.push(POWERS[part] - 1);
    }
    normalise(&mut words);
    Some(words)
}

/// `base ** exponent`
pub fn pow(base: &[u64], exponent: u64) -> Words {
    let mut result: Words = smallvec![1];
    for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
        result = mul(&result, &result);
        if exponent >> bit & 1 == 1 {
            result = mul(&result, base);
        }
    }
    result
}

/// Appends the number's digits to a text.
pub fn push_digits(words: &[u64], text: &mut Vec<u8>) {
    use std::io::Write as _;
    text.reserve(words.len().saturating_mul(WORD_DIGITS as usize));
    // Writing to a vector cannot fail.
    let mut words = words.iter().rev();
    let _ = write!(text, "{}", words.next().copied().unwrap_or(0));
    for word in words {
        let mut digits = [0u8; WORD_DIGITS as usize];
        let mut left = *word;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        text.extend_from_slice(&digits);
    }
}

/// The value of ASCII digits.
pub fn from_digits(digits: &[u8]) -> Words {
    let mut words = Words::with_capacity(digits.len() / WORD_DIGITS as usize + 1);
    for group in digits.rchunks(WORD_DIGITS as usize) {
        words
            .push(group.iter().fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0') % 10)));
    }
    normalise(&mut words);
    words
}
