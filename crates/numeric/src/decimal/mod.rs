//! Decimal floating-point numbers: the General Decimal Arithmetic Specification, with the ranges of a 64-bit
//! libmpdec. The `_decimal` module is this crate's arithmetic behind Python's objects.
//!
//! An operation is a function `(operands, &Context, &mut Status) -> Decimal`; it adds the conditions that arise
//! to the status and never fails otherwise.

mod arithmetic;
mod compare;
mod convert;
mod divide;
mod elementary;
mod format;
mod logical;
mod power;
mod quantize;
mod round;
mod series;
mod text;
mod transform;
mod words;

use smallvec::smallvec;

pub use compare::{NumberClass, compare_numbers};
pub use format::{FormatError, FormatSpec, NumberLocale};
pub use words::{WORD_DIGITS, Words, from_digits};

/// The most digits of a context.
pub const MAX_PREC: i64 = 999_999_999_999_999_999;
/// The largest exponent of a context.
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
/// The least exponent of a context.
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
/// The least exponent of a coefficient's last digit.
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);
/// An exponent that overflows in every context.
const EXPONENT_INFINITE: i64 = 2_000_000_000_000_000_001;
/// The least exponent that operations hand to rounding.
const EXPONENT_CLAMP: i64 = -4_000_000_000_000_000_001;

/// Conditions, one bit each.
pub type Status = u32;

/// The exponent of a zero was changed to fit.
pub const CLAMPED: Status = 0x1;
/// Text is no number.
pub const CONVERSION_SYNTAX: Status = 0x2;
/// A number was divided by zero.
pub const DIVISION_BY_ZERO: Status = 0x4;
/// An integer quotient has too many digits.
pub const DIVISION_IMPOSSIBLE: Status = 0x8;
/// Zero was divided by zero.
pub const DIVISION_UNDEFINED: Status = 0x10;
/// Digits other than zero were lost.
pub const INEXACT: Status = 0x40;
/// The context does not allow the operation.
pub const INVALID_CONTEXT: Status = 0x80;
/// The operation has no result.
pub const INVALID_OPERATION: Status = 0x100;
/// There is no memory for the result.
pub const MALLOC_ERROR: Status = 0x200;
/// A float took part.
pub const FLOAT_OPERATION: Status = 0x400;
/// The result's exponent is too large.
pub const OVERFLOW: Status = 0x800;
/// Digits were cut off.
pub const ROUNDED: Status = 0x1000;
/// The result is below the normal range.
pub const SUBNORMAL: Status = 0x2000;
/// The result is subnormal and inexact.
pub const UNDERFLOW: Status = 0x4000;
/// Every condition that makes the signal `InvalidOperation`.
pub const ANY_INVALID: Status = CONVERSION_SYNTAX
    | DIVISION_IMPOSSIBLE
    | DIVISION_UNDEFINED
    | 0x20
    | INVALID_CONTEXT
    | INVALID_OPERATION
    | MALLOC_ERROR;
/// Conditions after which the result is no number.
const ERRORS: Status = ANY_INVALID | DIVISION_BY_ZERO;

/// What happens to digits that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
    /// To the nearest, ties away from zero.
    HalfUp,
    /// To the nearest, ties towards zero.
    HalfDown,
    /// To the nearest, ties to the even digit.
    HalfEven,
    /// Away from zero if the last digit is 0 or 5, else towards zero.
    ZeroFiveUp,
}

impl Rounding {
    /// All modes, in libmpdec's order.
    pub const ALL: [Rounding; 8] = [
        Rounding::Up,
        Rounding::Down,
        Rounding::Ceiling,
        Rounding::Floor,
        Rounding::HalfUp,
        Rounding::HalfDown,
        Rounding::HalfEven,
        Rounding::ZeroFiveUp,
    ];

    /// The name of Python's constant.
    pub fn name(self) -> &'static str {
        match self {
            Rounding::Up => "ROUND_UP",
            Rounding::Down => "ROUND_DOWN",
            Rounding::Ceiling => "ROUND_CEILING",
            Rounding::Floor => "ROUND_FLOOR",
            Rounding::HalfUp => "ROUND_HALF_UP",
            Rounding::HalfDown => "ROUND_HALF_DOWN",
            Rounding::HalfEven => "ROUND_HALF_EVEN",
            Rounding::ZeroFiveUp => "ROUND_05UP",
        }
    }
}

/// What bounds a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Digits, from 1 to [`MAX_PREC`].
    pub prec: i64,
    /// The largest adjusted exponent.
    pub emax: i64,
    /// The least adjusted exponent of a normal number.
    pub emin: i64,
    /// The rounding mode.
    pub rounding: Rounding,
    /// Whether exponents are kept so low that the coefficient has room for `prec` digits.
    pub clamp: bool,
}

impl Context {
    /// The widest ranges: what fits is exact.
    pub const MAX: Context = Context {
        prec: MAX_PREC,
        emax: MAX_EMAX,
        emin: MIN_EMIN,
        rounding: Rounding::HalfEven,
        clamp: false,
    };

    /// The least exponent of a coefficient's last digit.
    #[inline]
    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }

    /// The largest exponent of a coefficient's last digit in a full coefficient.
    #[inline]
    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }

    fn with_rounding(mut self, rounding: Rounding) -> Context {
        self.rounding = rounding;
        self
    }
}

/// What a decimal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Finite,
    /// An infinity.
    Infinite,
    /// A quiet NaN; the coefficient is its payload.
    QuietNan,
    /// A signaling NaN; the coefficient is its payload.
    SignalingNan,
}

/// A decimal: `(-1)**negative * coefficient * 10**exponent`, an infinity or a NaN.
#[derive(Clone, Debug)]
pub struct Decimal {
    pub(super) negative: bool,
    pub(super) kind: Kind,
    pub(super) exponent: i64,
    pub(super) coefficient: Words,
}

impl Decimal {
    /// A finite number.
    pub fn new(negative: bool, coefficient: Words, exponent: i64) -> Decimal {
        Decimal { negative, kind: Kind::Finite, exponent, coefficient }
    }

    /// A number of a small coefficient.
    pub fn small(negative: bool, coefficient: u64, exponent: i64) -> Decimal {
        Decimal::new(negative, words::from_u64(coefficient), exponent)
    }

    /// An integer.
    pub fn from_i64(value: i64) -> Decimal {
        Decimal::small(value < 0, value.unsigned_abs(), 0)
    }

    /// An infinity.
    pub fn infinity(negative: bool) -> Decimal {
        Decimal { negative, kind: Kind::Infinite, exponent: 0, coefficient: words::zero() }
    }

    /// A quiet NaN without payload.
    pub fn nan() -> Decimal {
        Decimal { negative: false, kind: Kind::QuietNan, exponent: 0, coefficient: words::zero() }
    }

    /// A NaN with a payload; zero is none.
    pub fn nan_with(negative: bool, signaling: bool, payload: Words) -> Decimal {
        let kind = if signaling { Kind::SignalingNan } else { Kind::QuietNan };
        Decimal { negative, kind, exponent: 0, coefficient: payload }
    }

    /// Adds an error to the status; the NaN that stands for it.
    fn error(condition: Status, status: &mut Status) -> Decimal {
        *status |= condition;
        Decimal::nan()
    }

    /// The sign bit.
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// What the decimal is.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The exponent of the last digit.
    #[inline]
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// The coefficient, or a NaN's payload.
    pub fn coefficient(&self) -> &[u64] {
        &self.coefficient
    }

    /// The words that live outside of the object.
    pub fn heap_words(&self) -> usize {
        if self.coefficient.spilled() { self.coefficient.len() } else { 0 }
    }

    /// Whether the decimal is no infinity or NaN.
    #[inline]
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }

    /// Whether the decimal is an infinity.
    #[inline]
    pub fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinite
    }

    /// Whether the decimal is a NaN.
    #[inline]
    pub fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::QuietNan | Kind::SignalingNan)
    }

    /// Whether the decimal is a quiet NaN.
    pub fn is_qnan(&self) -> bool {
        self.kind == Kind::QuietNan
    }

    /// Whether the decimal is a signaling NaN.
    #[inline]
    pub fn is_snan(&self) -> bool {
        self.kind == Kind::SignalingNan
    }

    /// Whether the decimal is zero.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.kind == Kind::Finite && words::is_zero(&self.coefficient)
    }

    /// The number of digits of the coefficient.
    #[inline]
    pub fn digits(&self) -> i64 {
        words::digit_count(&self.coefficient)
    }

    /// The exponent of the first digit.
    #[inline]
    pub fn adjusted(&self) -> i64 {
        self.exponent + self.digits() - 1
    }

    /// Whether the number is an integer; infinities and NaNs are not.
    pub fn is_integer(&self) -> bool {
        self.is_finite()
            && (self.exponent >= 0
                || words::is_zero(&self.coefficient)
                || words::trailing_zeros(&self.coefficient) >= self.exponent.unsigned_abs())
    }

    /// Whether an integer is odd.
    fn is_odd_integer(&self) -> bool {
        if self.exponent > 0 {
            return false;
        }
        let place = self.exponent.unsigned_abs();
        place < self.digits() as u64 && words::digit_at(&self.coefficient, place) % 2 == 1
    }

    /// Whether the number is not zero and its adjusted exponent is in range.
    pub fn is_normal(&self, context: &Context) -> bool {
        self.is_finite() && !self.is_zero() && self.adjusted() >= context.emin
    }

    /// Whether the number is not zero and below the normal range.
    pub fn is_subnormal(&self, context: &Context) -> bool {
        self.is_finite() && !self.is_zero() && self.adjusted() < context.emin
    }

    /// The same without its sign.
    pub fn copy_abs(&self) -> Decimal {
        Decimal { negative: false, ..self.clone() }
    }

    /// The same with the opposite sign.
    pub fn copy_negate(&self) -> Decimal {
        Decimal { negative: !self.negative, ..self.clone() }
    }

    /// The same with the sign of another.
    pub fn copy_sign(&self, other: &Decimal) -> Decimal {
        Decimal { negative: other.negative, ..self.clone() }
    }

    /// Whether two decimals have the same exponent, or are both infinite or both NaN.
    pub fn same_quantum(&self, other: &Decimal) -> bool {
        match (self.kind, other.kind) {
            (Kind::Finite, Kind::Finite) => self.exponent == other.exponent,
            (Kind::Infinite, Kind::Infinite) => true,
            _ => self.is_nan() && other.is_nan(),
        }
    }

    /// One, with zeros after the point.
    fn padded_one(negative: bool, zeros: i64, status: &mut Status) -> Decimal {
        match words::shift_left(&[1], zeros.max(0) as u64) {
            Some(coefficient) => Decimal::new(negative, coefficient, -zeros.max(0)),
            None => Decimal::error(MALLOC_ERROR, status),
        }
    }
}

impl Default for Decimal {
    fn default() -> Decimal {
        Decimal { negative: false, kind: Kind::Finite, exponent: 0, coefficient: smallvec![0] }
    }
}

/// The NaN that an operation on NaNs gives; none if there is no NaN among the operands.
fn nan_result(operands: &[&Decimal], context: &Context, status: &mut Status) -> Option<Decimal> {
    let signaling = operands.iter().find(|operand| operand.is_snan());
    if signaling.is_some() {
        *status |= INVALID_OPERATION;
    }
    let source = signaling.or_else(|| operands.iter().find(|operand| operand.is_nan()))?;
    let mut nan = (**source).clone();
    nan.kind = Kind::QuietNan;
    nan.fix_nan(context);
    Some(nan)
}
