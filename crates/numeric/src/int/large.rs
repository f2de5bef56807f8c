//! Large operands: conversion to and from `dashu_int`, whose multiplication, division, powers and base
//! conversion are sub-quadratic.

use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::{DivRem, ExtendedGcd, Gcd, SquareRoot};

use super::{DIGIT_BITS, DIGIT_MASK, Digits};

/// From digits of 30 bits to dashu's words.
pub fn to_ubig(digits: &[u32]) -> UBig {
    let mut words = Vec::with_capacity(digits.len() / 2 + 1);
    let mut pending = 0u128;
    let mut bits = 0;
    for &digit in digits {
        pending |= u128::from(digit) << bits;
        bits += DIGIT_BITS;
        if bits >= 64 {
            words.push(pending as u64);
            pending >>= 64;
            bits -= 64;
        }
    }
    if pending != 0 {
        words.push(pending as u64);
    }
    UBig::from_words(&words)
}

/// From dashu's words to normalised digits.
pub fn from_ubig(value: &UBig) -> Digits {
    let words = value.as_words();
    let mut digits = Digits::with_capacity(words.len() * 64 / 30 + 1);
    let mut pending = 0u128;
    let mut bits = 0;
    for &word in words {
        pending |= u128::from(word) << bits;
        bits += 64;
        while bits >= DIGIT_BITS {
            digits.push(pending as u32 & DIGIT_MASK);
            pending >>= DIGIT_BITS;
            bits -= DIGIT_BITS;
        }
    }
    if pending != 0 {
        digits.push(pending as u32);
    }
    super::magnitude::normalise(&mut digits);
    digits
}

/// `a * b`
pub fn mul(a: &[u32], b: &[u32]) -> Digits {
    let x = to_ubig(a);
    if std::ptr::eq(a, b) {
        return from_ubig(&x.sqr());
    }
    from_ubig(&(x * to_ubig(b)))
}

/// Quotient and remainder; the divisor is not zero.
pub fn div_rem(a: &[u32], b: &[u32]) -> (Digits, Digits) {
    let (quotient, remainder) = to_ubig(a).div_rem(&to_ubig(b));
    (from_ubig(&quotient), from_ubig(&remainder))
}

/// `a ** exponent`
pub fn pow(a: &[u32], exponent: usize) -> Digits {
    from_ubig(&to_ubig(a).pow(exponent))
}

/// `a ** exponent % modulus`; the modulus is not zero.
pub fn mod_pow(a: &[u32], exponent: &[u32], modulus: &[u32]) -> Digits {
    let ring = ConstDivisor::new(to_ubig(modulus));
    from_ubig(&ring.reduce(to_ubig(a)).pow(&to_ubig(exponent)).residue())
}

/// The inverse of `a` modulo `modulus`, if they are coprime; the modulus is above one.
pub fn inverse(a: &[u32], modulus: &[u32]) -> Option<Digits> {
    let modulus = to_ubig(modulus);
    let a = to_ubig(a) % &modulus;
    if a.is_zero() {
        return None;
    }
    let (gcd, x, _) = (&a).gcd_ext(&modulus);
    if !gcd.is_one() {
        return None;
    }
    let (sign, magnitude) = x.into_parts();
    let magnitude = magnitude % &modulus;
    let positive = sign == dashu_int::Sign::Positive || magnitude.is_zero();
    Some(from_ubig(&if positive { magnitude } else { modulus - magnitude }))
}

/// Greatest common divisor; neither is zero.
pub fn gcd(a: &[u32], b: &[u32]) -> Digits {
    from_ubig(&to_ubig(a).gcd(&to_ubig(b)))
}

/// The floor of the square root.
pub fn isqrt(a: &[u32]) -> Digits {
    from_ubig(&to_ubig(a).sqrt())
}

/// Text in a base from 2 to 36, lower case.
pub fn to_text(a: &[u32], base: u32) -> String {
    let value = to_ubig(a);
    if base == 10 { value.to_string() } else { value.in_radix(base as u8).to_string() }
}

/// The value of text that consists of digits of the base only.
pub fn from_text(text: &str, base: u32) -> Option<Digits> {
    UBig::from_str_radix(text, base).ok().map(|value| from_ubig(&value))
}
