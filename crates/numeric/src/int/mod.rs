//! Arbitrary-precision integers in CPython's layout: little-endian digits of 30 bits plus a sign.
//!
//! Numbers are normalised: the highest digit is not zero, zero has no digits and is not negative.
//! Small sizes are computed here on the digits; large ones go through `dashu_int` (module `large`), whose
//! sub-quadratic algorithms repay the conversion.

mod arithmetic;
mod bitwise;
mod convert;
mod large;
mod magnitude;
mod text;

use smallvec::SmallVec;

pub use convert::compose_f64;
pub(crate) use convert::decompose_f64;
pub use text::{ParseIntError, parse};

/// Bits in a digit.
pub const DIGIT_BITS: u32 = 30;
/// The largest digit, and the mask of a digit's bits.
pub const DIGIT_MASK: u32 = (1 << DIGIT_BITS) - 1;
/// The most digits that CPython lets an int have; more is `OverflowError`.
pub const MAX_DIGITS: u64 = i64::MAX as u64 / DIGIT_BITS as u64;

/// Owned digits; up to eight (240 bits) live without an allocation.
pub type Digits = SmallVec<[u32; 8]>;

/// An integer of any size, owned: the result of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BigInt {
    negative: bool,
    digits: Digits,
}

/// An integer of any size, borrowed: an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRef<'a> {
    negative: bool,
    digits: &'a [u32],
}

/// Why an integer operation has no result. The texts of CPython's exceptions are in [`IntError::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntError {
    /// Division or modulo by zero: `ZeroDivisionError`.
    ZeroDivision,
    /// `<<` or `>>` by a negative count: `ValueError`.
    NegativeShift,
    /// More digits than an int can have: `OverflowError`.
    TooManyDigits,
    /// The result does not fit into memory: `MemoryError`.
    OutOfMemory,
    /// `pow()` with a negative exponent and no modulus, where the caller switches to floats.
    NegativeExponent,
    /// `pow()` with modulus zero: `ValueError`.
    ZeroModulus,
    /// `pow()` with a negative exponent and a base that has no inverse: `ValueError`.
    NotInvertible,
    /// An int beyond the range of floats: `OverflowError`.
    TooLargeForFloat,
    /// The quotient of two ints beyond the range of floats: `OverflowError`.
    QuotientTooLargeForFloat,
    /// `to_bytes` with too few bytes: `OverflowError`.
    TooBigToConvert,
    /// `to_bytes(signed=False)` of a negative int: `OverflowError`.
    NegativeToUnsigned,
    /// The float is infinite: `OverflowError`.
    InfiniteFloat,
    /// The float is not a number: `ValueError`.
    NanFloat,
    /// The square root of a negative int: `ValueError`.
    NegativeSquareRoot,
}

/// The Python exception that an error of this crate stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `ZeroDivisionError`
    ZeroDivision,
    /// `ValueError`
    Value,
    /// `OverflowError`
    Overflow,
    /// `MemoryError`
    Memory,
}

impl IntError {
    /// The exception's message, as CPython words it.
    pub fn text(self) -> &'static str {
        match self {
            IntError::ZeroDivision => "division by zero",
            IntError::NegativeShift => "negative shift count",
            IntError::TooManyDigits => "too many digits in integer",
            IntError::OutOfMemory => "",
            IntError::NegativeExponent => "negative exponent",
            IntError::ZeroModulus => "pow() 3rd argument cannot be 0",
            IntError::NotInvertible => "base is not invertible for the given modulus",
            IntError::TooLargeForFloat => "int too large to convert to float",
            IntError::QuotientTooLargeForFloat => "integer division result too large for a float",
            IntError::TooBigToConvert => "int too big to convert",
            IntError::NegativeToUnsigned => "can't convert negative int to unsigned",
            IntError::InfiniteFloat => "cannot convert float infinity to integer",
            IntError::NanFloat => "cannot convert float NaN to integer",
            IntError::NegativeSquareRoot => "isqrt() argument must be nonnegative",
        }
    }

    /// The exception's class.
    pub fn kind(self) -> ErrorKind {
        match self {
            IntError::ZeroDivision => ErrorKind::ZeroDivision,
            IntError::NegativeShift
            | IntError::NegativeExponent
            | IntError::ZeroModulus
            | IntError::NotInvertible
            | IntError::NanFloat
            | IntError::NegativeSquareRoot => ErrorKind::Value,
            IntError::OutOfMemory => ErrorKind::Memory,
            IntError::TooManyDigits
            | IntError::TooLargeForFloat
            | IntError::QuotientTooLargeForFloat
            | IntError::TooBigToConvert
            | IntError::NegativeToUnsigned
            | IntError::InfiniteFloat => ErrorKind::Overflow,
        }
    }
}

impl BigInt {
    /// Zero.
    pub fn zero() -> BigInt {
        BigInt::default()
    }

    /// One.
    pub fn one() -> BigInt {
        BigInt { negative: false, digits: Digits::from_slice(&[1]) }
    }

    /// From a sign and digits, which need not be normalised but must each be below 2**30.
    pub fn new(negative: bool, mut digits: Digits) -> BigInt {
        magnitude::normalise(&mut digits);
        BigInt { negative: negative && !digits.is_empty(), digits }
    }

    /// The number as an operand.
    #[inline]
    pub fn as_ref(&self) -> IntRef<'_> {
        IntRef { negative: self.negative, digits: &self.digits }
    }

    /// Whether the number is below zero.
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the number is zero.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The digits, lowest first.
    #[inline]
    pub fn digits(&self) -> &[u32] {
        &self.digits
    }

    /// The number's negative.
    pub fn negate(mut self) -> BigInt {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }

    /// The number without its sign.
    pub fn abs(mut self) -> BigInt {
        self.negative = false;
        self
    }

    /// The value, if it fits.
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        self.as_ref().to_i64()
    }
}

impl<'a> IntRef<'a> {
    /// Zero.
    pub const ZERO: IntRef<'static> = IntRef { negative: false, digits: &[] };
    /// One.
    pub const ONE: IntRef<'static> = IntRef { negative: false, digits: &[1] };

    /// From a sign and digits below 2**30. Leading zero digits are dropped.
    #[inline]
    pub fn new(negative: bool, mut digits: &'a [u32]) -> IntRef<'a> {
        while let [rest @ .., 0] = digits {
            digits = rest;
        }
        IntRef { negative: negative && !digits.is_empty(), digits }
    }

    /// Whether the number is below zero.
    #[inline]
    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// Whether the number is zero.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.digits.is_empty()
    }

    /// The digits, lowest first.
    #[inline]
    pub fn digits(self) -> &'a [u32] {
        self.digits
    }

    /// -1, 0 or 1.
    pub fn sign(self) -> i32 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// An owned copy.
    pub fn to_big(self) -> BigInt {
        BigInt { negative: self.negative, digits: Digits::from_slice(self.digits) }
    }

    /// The number without its sign.
    pub fn abs(self) -> IntRef<'a> {
        IntRef { negative: false, digits: self.digits }
    }

    /// The number's negative, without copying.
    pub fn negated(self) -> IntRef<'a> {
        IntRef { negative: !self.negative && !self.digits.is_empty(), digits: self.digits }
    }

    /// Whether the number is odd.
    pub fn is_odd(self) -> bool {
        self.digits.first().is_some_and(|d| d & 1 == 1)
    }

    /// The number of bits of the magnitude: `int.bit_length()`.
    pub fn bit_length(self) -> u64 {
        magnitude::bit_length(self.digits)
    }

    /// The number of ones in the magnitude: `int.bit_count()`.
    pub fn bit_count(self) -> u64 {
        self.digits.iter().map(|d| u64::from(d.count_ones())).sum()
    }

    /// The number of zero bits below the lowest one; `None` for zero.
    pub fn trailing_zeros(self) -> Option<u64> {
        magnitude::trailing_zeros(self.digits)
    }

    /// Whether the number is positive and a power of two.
    pub fn is_power_of_two(self) -> bool {
        !self.negative && self.bit_count() == 1
    }
}

impl PartialOrd for IntRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for IntRef<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self.negative, other.negative) {
            (false, true) => std::cmp::Ordering::Greater,
            (true, false) => std::cmp::Ordering::Less,
            (false, false) => magnitude::compare(self.digits, other.digits),
            (true, true) => magnitude::compare(other.digits, self.digits),
        }
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl std::fmt::Display for BigInt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.as_ref().to_decimal())
    }
}

impl std::fmt::Display for IntRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_decimal())
    }
}
