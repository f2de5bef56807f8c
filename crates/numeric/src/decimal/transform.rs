//! Products of long numbers by number-theoretic transforms modulo the prime 2**64 - 2**32 + 1.
//!
//! The words are regrouped to pieces of six digits, so that no sum of the convolution reaches the prime.

use super::words::{POWERS, WORD_DIGITS, add_into};

const PRIME: u64 = 0xffff_ffff_0000_0001;
/// 2**64 modulo the prime.
const EPSILON: u64 = 0xffff_ffff;
/// A generator of the multiplicative group.
const GENERATOR: u64 = 7;

const PIECE_DIGITS: usize = 6;
const PIECE: u64 = POWERS[PIECE_DIGITS];
/// The most words of the shorter factor: `18_000_000` pieces make sums below the prime.
const MOST_WORDS: usize = 18_000_000 / 4;

#[inline]
fn add_mod(a: u64, b: u64) -> u64 {
    let (sum, over) = a.overflowing_add(b);
    if over || sum >= PRIME { sum.wrapping_sub(PRIME) } else { sum }
}

#[inline]
fn sub_mod(a: u64, b: u64) -> u64 {
    let (difference, under) = a.overflowing_sub(b);
    if under { difference.wrapping_add(PRIME) } else { difference }
}

#[inline]
fn mul_mod(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let (low, high) = (product as u64, (product >> 64) as u64);
    // 2**64 = 2**32 - 1 and 2**96 = -1, modulo the prime.
    let (mut rest, under) = low.overflowing_sub(high >> 32);
    if under {
        rest = rest.wrapping_sub(EPSILON);
    }
    let (mut sum, over) = rest.overflowing_add((high & EPSILON) * EPSILON);
    if over {
        sum = sum.wrapping_add(EPSILON);
    }
    if sum >= PRIME { sum - PRIME } else { sum }
}

/// A power in the ring that the product `mul` belongs to.
pub(super) fn pow_mod(mut base: u64, mut exponent: u64, mul: impl Fn(u64, u64) -> u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul(result, base);
        }
        base = mul(base, base);
        exponent >>= 1;
    }
    result
}

/// The first half of the powers of a root of unity of the order `size`.
fn roots(size: usize, inverse: bool) -> Vec<u64> {
    let order = (PRIME - 1) / size as u64;
    let root = pow_mod(GENERATOR, if inverse { PRIME - 1 - order } else { order }, mul_mod);
    let mut power = 1;
    (0..size / 2)
        .map(|_| {
            let this = power;
            power = mul_mod(power, root);
            this
        })
        .collect()
}

/// To the frequencies, in bit-reversed order.
fn forward(values: &mut [u64], roots: &[u64]) {
    let mut half = values.len() / 2;
    let mut stride = 1;
    while half > 0 {
        for block in values.chunks_exact_mut(half * 2) {
            let (low, high) = block.split_at_mut(half);
            for ((x, y), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(stride)) {
                let (a, b) = (*x, *y);
                *x = add_mod(a, b);
                *y = mul_mod(sub_mod(a, b), *root);
            }
        }
        half /= 2;
        stride *= 2;
    }
}

/// From the frequencies in bit-reversed order, but for the factor of the length.
fn backward(values: &mut [u64], roots: &[u64]) {
    let mut half = 1;
    let mut stride = values.len() / 2;
    while stride > 0 {
        for block in values.chunks_exact_mut(half * 2) {
            let (low, high) = block.split_at_mut(half);
            for ((x, y), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(stride)) {
                let (a, b) = (*x, mul_mod(*y, *root));
                *x = add_mod(a, b);
                *y = sub_mod(a, b);
            }
        }
        half *= 2;
        stride /= 2;
    }
}

/// Regroups words to pieces, lowest first, filled up with zeros to `size`.
fn to_pieces(words: &[u64], size: usize) -> Vec<u64> {
    let mut pieces = Vec::with_capacity(size);
    // Digits of the word before that do not fill a piece.
    let (mut rest, mut held) = (0u64, 0usize);
    for &word in words {
        let missing = PIECE_DIGITS - held;
        let mut left = word;
        pieces.push(rest + left % POWERS[missing] * POWERS[held]);
        left /= POWERS[missing];
        let mut digits = WORD_DIGITS as usize - missing;
        while digits >= PIECE_DIGITS {
            pieces.push(left % PIECE);
            left /= PIECE;
            digits -= PIECE_DIGITS;
        }
        (rest, held) = (left, digits);
    }
    if held > 0 {
        pieces.push(rest);
    }
    pieces.resize(size, 0);
    pieces
}

/// Carries through the sums and groups them to words.
fn to_words(sums: &[u64], factor: u64, length: usize) -> Vec<u64> {
    let mut words = Vec::with_capacity(length + 1);
    let (mut word, mut held) = (0u64, 0usize);
    let mut carry = 0u64;
    for &sum in sums {
        let value = mul_mod(sum, factor) + carry;
        carry = value / PIECE;
        let piece = value % PIECE;
        let missing = WORD_DIGITS as usize - held;
        if missing > PIECE_DIGITS {
            word += piece * POWERS[held];
            held += PIECE_DIGITS;
        } else {
            words.push(word + piece % POWERS[missing] * POWERS[held]);
            word = piece / POWERS[missing];
            held = PIECE_DIGITS - missing;
        }
    }
    words.push(word);
    words.truncate(length);
    words.resize(length, 0);
    words
}

/// The product of two numbers, as long as both together.
fn mul_balanced(a: &[u64], b: &[u64]) -> Vec<u64> {
    let pieces = |words: &[u64]| (words.len() * WORD_DIGITS as usize).div_ceil(PIECE_DIGITS);
    let size = (pieces(a) + pieces(b)).next_power_of_two();
    let table = roots(size, false);
    let mut x = to_pieces(a, size);
    forward(&mut x, &table);
    if std::ptr::eq(a, b) {
        for value in &mut x {
            *value = mul_mod(*value, *value);
        }
    } else {
        let mut y = to_pieces(b, size);
        forward(&mut y, &table);
        for (value, other) in x.iter_mut().zip(&y) {
            *value = mul_mod(*value, *other);
        }
    }
    drop(table);
    backward(&mut x, &roots(size, true));
    to_words(&x, pow_mod(size as u64, PRIME - 2, mul_mod), a.len() + b.len())
}

/// The product of two long numbers, as long as both together; unbalanced ones are cut into blocks.
pub fn mul(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.len() <= MOST_WORDS && long.len() <= short.len().saturating_mul(2) {
        return mul_balanced(long, short);
    }
    let mut product = vec![0u64; a.len() + b.len()];
    let block = short.len().min(MOST_WORDS);
    for (i, x) in long.chunks(block).enumerate() {
        for (j, y) in short.chunks(block).enumerate() {
            let part = mul_balanced(x, y);
            // The sum of all parts is the product, which fits.
            add_into(&mut product[(i + j) * block..], &part);
        }
    }
    product
}
