//! Arithmetic of complex numbers with Python's rules: mixed with real numbers, with infinities, with errors.

/// Real and imaginary part.
pub type Pair = (f64, f64);

/// An operand. A real one has no imaginary part that could take part in signs and NaNs.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    /// A real number.
    Real(f64),
    /// A complex number.
    Complex(Pair),
}

impl Operand {
    /// Both parts; the missing one is zero.
    pub fn pair(self) -> Pair {
        match self {
            Operand::Real(x) => (x, 0.0),
            Operand::Complex(z) => z,
        }
    }
}

/// Why a power has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerError {
    /// `ZeroDivisionError`, also for a phase out of range.
    ZeroToNegative,
    /// `OverflowError`
    TooLarge,
}

/// `a + b`
pub fn add(a: Operand, b: Operand) -> Pair {
    match (a, b) {
        (Operand::Complex(a), Operand::Complex(b)) => (a.0 + b.0, a.1 + b.1),
        (Operand::Complex(z), Operand::Real(x)) => (z.0 + x, z.1),
        (Operand::Real(x), Operand::Complex(z)) => (x + z.0, z.1),
        (Operand::Real(x), Operand::Real(y)) => (x + y, 0.0),
    }
}

/// `a - b`
pub fn subtract(a: Operand, b: Operand) -> Pair {
    match (a, b) {
        (Operand::Complex(a), Operand::Complex(b)) => (a.0 - b.0, a.1 - b.1),
        (Operand::Complex(z), Operand::Real(x)) => (z.0 - x, z.1),
        (Operand::Real(x), Operand::Complex(z)) => (x - z.0, -z.1),
        (Operand::Real(x), Operand::Real(y)) => (x - y, 0.0),
    }
}

/// `a * b`
pub fn multiply(a: Operand, b: Operand) -> Pair {
    match (a, b) {
        (Operand::Complex(a), Operand::Complex(b)) => product(a, b),
        (Operand::Complex(z), Operand::Real(x)) => (z.0 * x, z.1 * x),
        (Operand::Real(x), Operand::Complex(z)) => (x * z.0, x * z.1),
        (Operand::Real(x), Operand::Real(y)) => (x * y, 0.0),
    }
}

/// `a / b`; `None` for a zero divisor.
pub fn divide(a: Operand, b: Operand) -> Option<Pair> {
    match (a, b) {
        (Operand::Complex(a), Operand::Complex(b)) => quotient(a, b),
        (Operand::Complex(z), Operand::Real(x)) => (x != 0.0).then(|| (z.0 / x, z.1 / x)),
        (Operand::Real(x), Operand::Complex(z)) => quotient_of_real(x, z),
        (Operand::Real(x), Operand::Real(y)) => (y != 0.0).then(|| (x / y, 0.0)),
    }
}

fn product(a: Pair, b: Pair) -> Pair {
    let product = (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
    if product.0.is_nan() && product.1.is_nan() { recover_product(a, b).unwrap_or(product) } else { product }
}

fn is_infinite(z: Pair) -> bool {
    z.0.is_infinite() || z.1.is_infinite()
}

/// The direction of an infinite number: 1 for an infinite part, 0 for a finite one, with their signs.
fn direction(z: Pair) -> Pair {
    let unit = |x: f64| f64::from(u8::from(x.is_infinite())).copysign(x);
    (unit(z.0), unit(z.1))
}

/// NaNs become zeros of the same sign.
fn without_nans(z: Pair) -> Pair {
    let clean = |x: f64| if x.is_nan() { 0.0_f64.copysign(x) } else { x };
    (clean(z.0), clean(z.1))
}

/// The infinity that a product of two NaNs stands for (C11, annex G.5.1).
#[cold]
fn recover_product(a: Pair, b: Pair) -> Option<Pair> {
    let overflows = [a.0 * b.0, a.1 * b.1, a.0 * b.1, a.1 * b.0].iter().any(|part| part.is_infinite());
    let (x, y) = match (is_infinite(a), is_infinite(b)) {
        (true, true) => (direction(a), direction(b)),
        (true, false) => (direction(a), without_nans(b)),
        (false, true) => (without_nans(a), direction(b)),
        (false, false) if overflows => (without_nans(a), without_nans(b)),
        (false, false) => return None,
    };
    Some((f64::INFINITY * (x.0 * y.0 - x.1 * y.1), f64::INFINITY * (x.0 * y.1 + x.1 * y.0)))
}

/// The infinity or zero that a quotient of two NaNs stands for (C11, annex G.5.1).
#[cold]
fn recover_quotient(a: Pair, b: Pair) -> Option<Pair> {
    let finite = |z: Pair| z.0.is_finite() && z.1.is_finite();
    let (scale, x, y) = if is_infinite(a) && finite(b) {
        (f64::INFINITY, direction(a), b)
    } else if is_infinite(b) && finite(a) {
        (0.0, a, direction(b))
    } else {
        return None;
    };
    Some((scale * (x.0 * y.0 + x.1 * y.1), scale * (x.1 * y.0 - x.0 * y.1)))
}

fn quotient(a: Pair, b: Pair) -> Option<Pair> {
    let result = smith(a, b)?;
    let lost = result.0.is_nan() && result.1.is_nan();
    Some(if lost { recover_quotient(a, b).unwrap_or(result) } else { result })
}

/// a / b by Smith's method, which avoids needless overflow; `None` for a zero divisor.
pub fn smith(a: Pair, b: Pair) -> Option<Pair> {
    let (re, im) = (b.0.abs(), b.1.abs());
    if re >= im {
        if re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        return Some(((a.0 + a.1 * ratio) / denominator, (a.1 - a.0 * ratio) / denominator));
    }
    if im >= re {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        return Some(((a.0 * ratio + a.1) / denominator, (a.1 * ratio - a.0) / denominator));
    }
    Some((f64::NAN, f64::NAN))
}

/// [`quotient`] without an imaginary part that would decide about the signs of zeros.
fn quotient_of_real(a: f64, b: Pair) -> Option<Pair> {
    let (re, im) = (b.0.abs(), b.1.abs());
    let result = if re >= im {
        if re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        (a / denominator, (-a * ratio) / denominator)
    } else if im >= re {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        ((a * ratio) / denominator, -a / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan() && result.1.is_nan() && a.is_finite() && is_infinite(b) {
        let unit = direction(b);
        return Some((0.0 * (a * unit.0), 0.0 * (-a * unit.1)));
    }
    Some(result)
}

fn by_squaring(base: Pair, mut exponent: u32) -> Pair {
    let (mut result, mut square) = ((1.0, 0.0), base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, square);
        }
        exponent >>= 1;
        if exponent > 0 {
            square = product(square, square);
        }
    }
    result
}

/// `a ** b`
pub fn power(a: Pair, b: Pair) -> Result<Pair, PowerError> {
    let result = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        let whole = by_squaring(a, b.0.abs() as u32);
        if b.0 > 0.0 { whole } else { quotient((1.0, 0.0), whole).ok_or(PowerError::ZeroToNegative)? }
    } else if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return Err(PowerError::ZeroToNegative);
        }
        (0.0, 0.0)
    } else {
        let (length, angle) = (a.0.hypot(a.1), a.1.atan2(a.0));
        let mut size = length.powf(b.0);
        let mut phase = angle * b.0;
        if b.1 != 0.0 {
            size *= (-angle * b.1).exp();
            phase += b.1 * length.ln();
        }
        if phase.is_infinite() {
            return Err(PowerError::ZeroToNegative);
        }
        (size * phase.cos(), size * phase.sin())
    };
    if is_infinite(result) { Err(PowerError::TooLarge) } else { Ok(result) }
}
