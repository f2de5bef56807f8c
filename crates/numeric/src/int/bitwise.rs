//! `&`, `|`, `^` and `~` with the semantics of two's complement of infinite width.

use super::{BigInt, DIGIT_MASK, Digits, IntRef, magnitude};

/// The digits of a number in two's complement, without end.
struct TwosComplement<'a> {
    digits: std::slice::Iter<'a, u32>,
    negative: bool,
    carry: bool,
}

impl TwosComplement<'_> {
    #[inline]
    fn next_digit(&mut self) -> u32 {
        let digit = self.digits.next().copied().unwrap_or(0);
        if !self.negative {
            return digit;
        }
        let flipped = (digit ^ DIGIT_MASK) + u32::from(self.carry);
        self.carry = flipped > DIGIT_MASK;
        flipped & DIGIT_MASK
    }
}

impl<'a> IntRef<'a> {
    fn twos_complement(self) -> TwosComplement<'a> {
        TwosComplement { digits: self.digits.iter(), negative: self.negative, carry: true }
    }

    fn combine(self, other: IntRef<'_>, op: impl Fn(u32, u32) -> u32) -> BigInt {
        let sign = |negative: bool| if negative { DIGIT_MASK } else { 0 };
        let negative = op(sign(self.negative), sign(other.negative)) != 0;
        // One digit more than the operands, since the magnitude of a negative result can be a digit longer.
        let count = self.digits.len().max(other.digits.len()) + 1;
        let (mut a, mut b) = (self.twos_complement(), other.twos_complement());
        let mut digits = Digits::from_elem(0, count);
        let mut carry = true;
        for out in &mut digits {
            let mut digit = op(a.next_digit(), b.next_digit());
            if negative {
                digit = (digit ^ DIGIT_MASK) + u32::from(carry);
                carry = digit > DIGIT_MASK;
            }
            *out = digit & DIGIT_MASK;
        }
        BigInt::new(negative, digits)
    }

    /// `self & other`
    pub fn and(self, other: IntRef<'_>) -> BigInt {
        if !self.negative && !other.negative {
            let digits = self.digits.iter().zip(other.digits).map(|(&a, &b)| a & b).collect();
            return BigInt::new(false, digits);
        }
        self.combine(other, |a, b| a & b)
    }

    /// `self | other`
    pub fn or(self, other: IntRef<'_>) -> BigInt {
        self.combine(other, |a, b| a | b)
    }

    /// `self ^ other`
    pub fn xor(self, other: IntRef<'_>) -> BigInt {
        self.combine(other, |a, b| a ^ b)
    }

    /// `~self`
    pub fn invert(self) -> BigInt {
        if self.negative {
            return BigInt { negative: false, digits: magnitude::sub(self.digits, &[1]) };
        }
        let mut digits = Digits::from_slice(self.digits);
        magnitude::increment(&mut digits);
        BigInt { negative: true, digits }
    }
}
