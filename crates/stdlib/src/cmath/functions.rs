//! The functions, on pairs of floats. Branch cuts run as Kahan (1987) has them; large and tiny numbers are scaled so that
//! nothing overflows on the way.

use std::f64::consts::{E, FRAC_PI_2, LN_2, LN_10};

use super::special::{self, Table, look_up};

/// Real and imaginary part.
pub type Pair = (f64, f64);

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Domain,
    Range,
}

type Outcome = Result<Pair, Failure>;

unsafe extern "C" {
    #[link_name = "asinh"]
    safe fn real_asinh(x: f64) -> f64;
    #[link_name = "ldexp"]
    safe fn scale(x: f64, exponent: i32) -> f64;
}

/// Beyond it, sums of squares overflow.
const LARGE: f64 = f64::MAX / 4.0;
/// The roots of `LARGE` and of the smallest normal number.
const SQRT_LARGE: f64 = 6.703_903_964_971_298e153;
const SQRT_MIN: f64 = 1.491_668_146_240_041_3e-154;
/// The logarithm of `LARGE`.
const LN_LARGE: f64 = 708.396_418_532_264_1;
/// Powers of two that lift subnormal numbers and take their roots back.
const SCALE_UP: i32 = 53;
const SCALE_DOWN: i32 = -27;

fn special(table: &Table, z: Pair) -> Option<Pair> {
    (!z.0.is_finite() || !z.1.is_finite()).then(|| look_up(table, z))
}

fn in_range(z: Pair) -> Outcome {
    if z.0.is_infinite() || z.1.is_infinite() { Err(Failure::Range) } else { Ok(z) }
}

fn is_large(z: Pair) -> bool {
    z.0.abs() > LARGE || z.1.abs() > LARGE
}

/// ln(2 * |z|) of a large number.
fn ln_twice(z: Pair) -> f64 {
    (z.0 / 2.0).hypot(z.1 / 2.0).ln() + LN_2 * 2.0
}

/// i * z, to reach the circular functions from the hyperbolic ones.
fn turned(z: Pair) -> Pair {
    (-z.1, z.0)
}

/// z / i.
fn turned_back(z: Pair) -> Pair {
    (z.1, -z.0)
}

fn root(z: Pair) -> Pair {
    if let Some(z) = special(&special::SQRT, z) {
        return z;
    }
    if z.0 == 0.0 && z.1 == 0.0 {
        return (0.0, z.1);
    }
    let (ax, ay) = (z.0.abs(), z.1.abs());
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        let ax = scale(ax, SCALE_UP);
        scale((ax + ax.hypot(scale(ay, SCALE_UP))).sqrt(), SCALE_DOWN)
    } else {
        let ax = ax / 8.0;
        2.0 * (ax + ax.hypot(ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if z.0 >= 0.0 { (s, d.copysign(z.1)) } else { (d, s.copysign(z.1)) }
}

/// The square root.
pub fn sqrt(z: Pair) -> Outcome {
    Ok(root(z))
}

/// The arc cosine.
pub fn acos(z: Pair) -> Outcome {
    if let Some(z) = special(&special::ACOS, z) {
        return Ok(z);
    }
    if is_large(z) {
        let size = ln_twice(z);
        let im = if z.0 < 0.0 { -size.copysign(z.1) } else { size.copysign(-z.1) };
        return Ok((z.1.abs().atan2(z.0), im));
    }
    let s1 = root((1.0 - z.0, -z.1));
    let s2 = root((1.0 + z.0, z.1));
    Ok((2.0 * s1.0.atan2(s2.0), real_asinh(s2.0 * s1.1 - s2.1 * s1.0)))
}

/// The inverse hyperbolic cosine.
pub fn acosh(z: Pair) -> Outcome {
    if let Some(z) = special(&special::ACOSH, z) {
        return Ok(z);
    }
    if is_large(z) {
        return Ok((ln_twice(z), z.1.atan2(z.0)));
    }
    let s1 = root((z.0 - 1.0, z.1));
    let s2 = root((z.0 + 1.0, z.1));
    Ok((real_asinh(s1.0 * s2.0 + s1.1 * s2.1), 2.0 * s1.1.atan2(s2.0)))
}

/// The arc sine.
pub fn asin(z: Pair) -> Outcome {
    asinh(turned(z)).map(turned_back)
}

/// The inverse hyperbolic sine.
pub fn asinh(z: Pair) -> Outcome {
    if let Some(z) = special(&special::ASINH, z) {
        return Ok(z);
    }
    if is_large(z) {
        let size = ln_twice(z);
        let re = if z.1 >= 0.0 { size.copysign(z.0) } else { -size.copysign(-z.0) };
        return Ok((re, z.1.atan2(z.0.abs())));
    }
    let s1 = root((1.0 + z.1, -z.0));
    let s2 = root((1.0 - z.1, z.0));
    Ok((real_asinh(s1.0 * s2.1 - s2.0 * s1.1), z.1.atan2(s1.0 * s2.0 - s1.1 * s2.1)))
}

/// The arc tangent.
pub fn atan(z: Pair) -> Outcome {
    atanh(turned(z)).map(turned_back)
}

/// The inverse hyperbolic tangent.
pub fn atanh(z: Pair) -> Outcome {
    if let Some(z) = special(&special::ATANH, z) {
        return Ok(z);
    }
    if z.0.is_sign_negative() {
        return atanh((-z.0, -z.1)).map(|z| (-z.0, -z.1));
    }
    let ay = z.1.abs();
    if z.0 > SQRT_LARGE || ay > SQRT_LARGE {
        let h = (z.0 / 2.0).hypot(z.1 / 2.0);
        return Ok((z.0 / 4.0 / h / h, -FRAC_PI_2.copysign(-z.1)));
    }
    if z.0 == 1.0 && ay < SQRT_MIN {
        if ay == 0.0 {
            return Err(Failure::Domain);
        }
        return Ok((-(ay.sqrt() / ay.hypot(2.0).sqrt()).ln(), (2f64.atan2(-ay) / 2.0).copysign(z.1)));
    }
    let below = 1.0 - z.0;
    Ok((
        (4.0 * z.0 / (below * below + ay * ay)).ln_1p() / 4.0,
        -(-2.0 * z.1).atan2(below * (1.0 + z.0) - ay * ay) / 2.0,
    ))
}

/// The cosine.
pub fn cos(z: Pair) -> Outcome {
    cosh(turned(z))
}

/// The hyperbolic cosine.
pub fn cosh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && !x.is_nan() {
            return Err(Failure::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (re, im) = (f64::INFINITY.copysign(y.cos()), f64::INFINITY.copysign(y.sin()));
            return Ok((re, if x > 0.0 { im } else { -im }));
        }
        return Ok(look_up(&special::COSH, z));
    }
    if x.abs() > LN_LARGE {
        let less = x - 1f64.copysign(x);
        return in_range((y.cos() * less.cosh() * E, y.sin() * less.sinh() * E));
    }
    in_range((y.cos() * x.cosh(), y.sin() * x.sinh()))
}

/// The exponential.
pub fn exp(z: Pair) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && (x.is_finite() || x == f64::INFINITY) {
            return Err(Failure::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let size = if x > 0.0 { f64::INFINITY } else { 0.0 };
            return Ok((size.copysign(y.cos()), size.copysign(y.sin())));
        }
        return Ok(look_up(&special::EXP, z));
    }
    if x > LN_LARGE {
        let size = (x - 1.0).exp();
        return in_range((size * y.cos() * E, size * y.sin() * E));
    }
    let size = x.exp();
    in_range((size * y.cos(), size * y.sin()))
}

/// The natural logarithm.
pub fn log(z: Pair) -> Outcome {
    if let Some(z) = special(&special::LOG, z) {
        return Ok(z);
    }
    let (ax, ay) = (z.0.abs(), z.1.abs());
    let re = if is_large(z) {
        (ax / 2.0).hypot(ay / 2.0).ln() + LN_2
    } else if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        if ax == 0.0 && ay == 0.0 {
            return Err(Failure::Domain);
        }
        scale(ax, SCALE_UP).hypot(scale(ay, SCALE_UP)).ln() - f64::from(SCALE_UP) * LN_2
    } else {
        let h = ax.hypot(ay);
        if (0.71..=1.73).contains(&h) {
            // Near 1, the logarithm of the square loses less.
            let (larger, smaller) = if ax > ay { (ax, ay) } else { (ay, ax) };
            ((larger - 1.0) * (larger + 1.0) + smaller * smaller).ln_1p() / 2.0
        } else {
            h.ln()
        }
    };
    Ok((re, z.1.atan2(z.0)))
}

/// The logarithm to base 10.
pub fn log10(z: Pair) -> Outcome {
    log(z).map(|z| (z.0 / LN_10, z.1 / LN_10))
}

/// The sine.
pub fn sin(z: Pair) -> Outcome {
    sinh(turned(z)).map(turned_back)
}

/// The hyperbolic sine.
pub fn sinh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && !x.is_nan() {
            return Err(Failure::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (re, im) = (f64::INFINITY.copysign(y.cos()), f64::INFINITY.copysign(y.sin()));
            return Ok((if x > 0.0 { re } else { -re }, im));
        }
        return Ok(look_up(&special::SINH, z));
    }
    if x.abs() > LN_LARGE {
        let less = x - 1f64.copysign(x);
        return in_range((y.cos() * less.sinh() * E, y.sin() * less.cosh() * E));
    }
    in_range((y.cos() * x.sinh(), y.sin() * x.cosh()))
}

/// The tangent.
pub fn tan(z: Pair) -> Outcome {
    tanh(turned(z)).map(turned_back)
}

/// The hyperbolic tangent.
pub fn tanh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && x.is_finite() {
            return Err(Failure::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            return Ok((1f64.copysign(x), 0f64.copysign(2.0 * y.sin() * y.cos())));
        }
        return Ok(look_up(&special::TANH, z));
    }
    if x.abs() > LN_LARGE {
        return Ok((1f64.copysign(x), 4.0 * y.sin() * y.cos() * (-2.0 * x.abs()).exp()));
    }
    let (tx, ty, cx) = (x.tanh(), y.tan(), 1.0 / x.cosh());
    let product = tx * ty;
    let denominator = 1.0 + product * product;
    Ok((tx * (1.0 + ty * ty) / denominator, ty / denominator * cx * cx))
}

/// From polar coordinates.
pub fn rect(r: f64, phi: f64) -> Outcome {
    if !r.is_finite() || !phi.is_finite() {
        if r != 0.0 && !r.is_nan() && phi.is_infinite() {
            return Err(Failure::Domain);
        }
        if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let (re, im) = (f64::INFINITY.copysign(phi.cos()), f64::INFINITY.copysign(phi.sin()));
            return Ok(if r > 0.0 { (re, im) } else { (-re, -im) });
        }
        return Ok(look_up(&special::RECT, (r, phi)));
    }
    if phi == 0.0 {
        return Ok((r, r * phi));
    }
    Ok((r * phi.cos(), r * phi.sin()))
}
