//! `math`: real functions on the platform's libm, exact functions on ints, accurate sums.

use taipan_numeric::IntRef;
use taipan_vm::prelude::*;

mod error;
mod gamma;
mod integer;
mod rounding;
mod sums;

use error::{check_1, check_2, domain_error, range_error};

unsafe extern "C" {
    safe fn acosh(x: f64) -> f64;
    safe fn asinh(x: f64) -> f64;
    safe fn atanh(x: f64) -> f64;
    safe fn erf(x: f64) -> f64;
    safe fn erfc(x: f64) -> f64;
    safe fn remainder(x: f64, y: f64) -> f64;
    safe fn ldexp(x: f64, exponent: i32) -> f64;
    safe fn fmod(x: f64, y: f64) -> f64;
}

const FINITE: &str = "expected a finite input, got ";
const UNIT: &str = "expected a number in range from -1 up to 1, got ";

/// The module.
pub struct Math;

/// This module provides access to the mathematical functions
/// defined by the C standard.
#[pymodule(name = "math", functions(Math::INTEGER_FUNCTIONS, Math::SUM_FUNCTIONS, Math::ROUNDING_FUNCTIONS))]
impl Math {
    #[constant]
    fn pi() -> f64 {
        std::f64::consts::PI
    }

    #[constant]
    fn e() -> f64 {
        std::f64::consts::E
    }

    #[constant]
    fn tau() -> f64 {
        std::f64::consts::TAU
    }

    #[constant]
    fn inf() -> f64 {
        f64::INFINITY
    }

    #[constant]
    fn nan() -> f64 {
        f64::NAN
    }

    /// Return the arc cosine (measured in radians) of x.
    ///
    /// The result is between 0 and pi.
    #[function("($module, x, /)")]
    fn acos(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.acos(), false, UNIT, vm)
    }

    /// Return the inverse hyperbolic cosine of x.
    #[function("($module, x, /)")]
    fn acosh(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, acosh(x), false, "expected argument value not less than 1, got ", vm)
    }

    /// Return the arc sine (measured in radians) of x.
    ///
    /// The result is between -pi/2 and pi/2.
    #[function("($module, x, /)")]
    fn asin(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.asin(), false, UNIT, vm)
    }

    /// Return the inverse hyperbolic sine of x.
    #[function("($module, x, /)")]
    fn asinh(x: f64) -> f64 {
        asinh(x)
    }

    /// Return the arc tangent (measured in radians) of x.
    ///
    /// The result is between -pi/2 and pi/2.
    #[function("($module, x, /)")]
    fn atan(x: f64) -> f64 {
        x.atan()
    }

    /// Return the arc tangent (measured in radians) of y/x.
    ///
    /// Unlike atan(y/x), the signs of both x and y are considered.
    #[function("($module, y, x, /)")]
    fn atan2(y: f64, x: f64) -> f64 {
        y.atan2(x)
    }

    /// Return the inverse hyperbolic tangent of x.
    #[function("($module, x, /)")]
    fn atanh(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, atanh(x), false, "expected a number between -1 and 1, got ", vm)
    }

    /// Return the cube root of x.
    #[function("($module, x, /)")]
    fn cbrt(x: f64) -> f64 {
        x.cbrt()
    }

    /// Return a float with the magnitude (absolute value) of x but the sign of y.
    ///
    /// On platforms that support signed zeros, copysign(1.0, -0.0)
    /// returns -1.0.
    #[function("($module, x, y, /)")]
    fn copysign(x: f64, y: f64) -> f64 {
        x.copysign(y)
    }

    /// Return the cosine of x (measured in radians).
    #[function("($module, x, /)")]
    fn cos(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.cos(), false, FINITE, vm)
    }

    /// Return the hyperbolic cosine of x.
    #[function("($module, x, /)")]
    fn cosh(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.cosh(), true, "", vm)
    }

    /// Convert angle x from radians to degrees.
    #[function("($module, x, /)")]
    fn degrees(x: f64) -> f64 {
        x * (180.0 / std::f64::consts::PI)
    }

    /// Error function at x.
    #[function("($module, x, /)")]
    fn erf(x: f64) -> f64 {
        erf(x)
    }

    /// Complementary error function at x.
    #[function("($module, x, /)")]
    fn erfc(x: f64) -> f64 {
        erfc(x)
    }

    /// Return e raised to the power of x.
    #[function("($module, x, /)")]
    fn exp(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.exp(), true, "", vm)
    }

    /// Return 2 raised to the power of x.
    #[function("($module, x, /)")]
    fn exp2(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.exp2(), true, "", vm)
    }

    /// Return exp(x)-1.
    ///
    /// This function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.
    #[function("($module, x, /)")]
    fn expm1(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.exp_m1(), true, "", vm)
    }

    /// Return the absolute value of the float x.
    #[function("($module, x, /)")]
    fn fabs(x: f64) -> f64 {
        x.abs()
    }

    /// Fused multiply-add operation.
    ///
    /// Compute (x * y) + z with a single round.
    #[function("($module, x, y, z, /)")]
    fn fma(x: f64, y: f64, z: f64, vm: &Vm) -> PyResult<f64> {
        let result = x.mul_add(y, z);
        if result.is_finite() {
            return Ok(result);
        }
        if result.is_nan() {
            if !x.is_nan() && !y.is_nan() && !z.is_nan() {
                return Err(vm.value_error("invalid operation in fma"));
            }
        } else if x.is_finite() && y.is_finite() && z.is_finite() {
            return Err(vm.overflow_error("overflow in fma"));
        }
        Ok(result)
    }

    /// Return fmod(x, y), according to platform C.
    ///
    /// x % y may differ.
    #[function("($module, x, y, /)")]
    fn fmod(x: f64, y: f64, vm: &Vm) -> PyResult<f64> {
        if y.is_infinite() && x.is_finite() {
            return Ok(x);
        }
        check_2(x, y, fmod(x, y), vm)
    }

    /// Return the mantissa and exponent of x, as pair (m, e).
    ///
    /// If x is a finite nonzero number, then m is a float with
    /// 0.5 <= abs(m) < 1.0 and an integer e is such that
    /// x == m * 2**e exactly.  Else, return (x, 0).
    #[function("($module, x, /)")]
    fn frexp(x: f64) -> (f64, i32) {
        frexp(x)
    }

    /// Gamma function at x.
    #[function("($module, x, /)")]
    fn gamma(x: f64, vm: &Vm) -> PyResult<f64> {
        gamma::finish(x, gamma::gamma(x), vm)
    }

    /// Natural logarithm of absolute value of Gamma function at x.
    #[function("($module, x, /)")]
    fn lgamma(x: f64, vm: &Vm) -> PyResult<f64> {
        gamma::finish(x, gamma::ln_gamma(x), vm)
    }

    /// Determine whether two floating-point numbers are close in value.
    ///
    ///   rel_tol
    ///     maximum difference for being considered "close", relative to the
    ///     magnitude of the input values
    ///   abs_tol
    ///     maximum difference for being considered "close", regardless of the
    ///     magnitude of the input values
    ///
    /// Return True if a is close in value to b, and False otherwise.
    ///
    /// For the values to be considered close, the difference between them
    /// must be smaller than at least one of the tolerances.
    ///
    /// -inf, inf and NaN behave similarly to the IEEE 754 Standard.  That
    /// is, NaN is not close to anything, even itself.  inf and -inf are
    /// only close to themselves.
    #[function("($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(a: f64, b: f64, rel_tol: Option<f64>, abs_tol: Option<f64>, vm: &Vm) -> PyResult<bool> {
        let (relative, absolute) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
        if relative < 0.0 || absolute < 0.0 {
            return Err(vm.value_error("tolerances must be non-negative"));
        }
        if a == b {
            return Ok(true);
        }
        if a.is_infinite() || b.is_infinite() {
            return Ok(false);
        }
        let difference = (b - a).abs();
        Ok(difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute)
    }

    /// Return True if x is neither an infinity nor a NaN, and False otherwise.
    #[function("($module, x, /)")]
    fn isfinite(x: f64) -> bool {
        x.is_finite()
    }

    /// Return True if x is a positive or negative infinity, and False otherwise.
    #[function("($module, x, /)")]
    fn isinf(x: f64) -> bool {
        x.is_infinite()
    }

    /// Return True if x is a NaN (not a number), and False otherwise.
    #[function("($module, x, /)")]
    fn isnan(x: f64) -> bool {
        x.is_nan()
    }

    /// Return x * (2**i).
    ///
    /// This is essentially the inverse of frexp().
    #[function("($module, x, i, /)")]
    fn ldexp(x: f64, i: &Object, vm: &Vm) -> PyResult<f64> {
        let Some(exponent) = i.downcast_ref::<Int>() else {
            return Err(vm.type_error("Expected an int as second argument to ldexp."));
        };
        if x == 0.0 || !x.is_finite() {
            return Ok(x);
        }
        let exponent = match exponent.to_i64() {
            Some(exponent) => exponent.clamp(-100_000, 100_000) as i32,
            None if exponent.is_negative() => -100_000,
            None => 100_000,
        };
        let result = ldexp(x, exponent);
        if result.is_infinite() { Err(range_error(vm)) } else { Ok(result) }
    }

    /// log(x, [base=math.e])
    /// Return the logarithm of x to the given base.
    ///
    /// If the base is not specified, returns the natural logarithm (base e) of x.
    #[function("!(*args)")]
    fn log(args: &[&Object], vm: &Vm) -> PyResult {
        match args {
            [x] => Ok(Float::new(logarithm(x, f64::ln, vm)?, vm)),
            [x, base] => {
                let (number, base) = (logarithm(x, f64::ln, vm)?, logarithm(base, f64::ln, vm)?);
                if base == 0.0 {
                    return Err(vm.zero_division_error("division by zero"));
                }
                Ok(Float::new(number / base, vm))
            }
            [] => Err(vm.type_error("log expected at least 1 argument, got 0")),
            _ => Err(vm.type_error(format!("log expected at most 2 arguments, got {}", args.len()))),
        }
    }

    /// Return the base 10 logarithm of x.
    #[function("($module, x, /)")]
    fn log10(x: &Object, vm: &Vm) -> PyResult<f64> {
        logarithm(x, f64::log10, vm)
    }

    /// Return the natural logarithm of 1+x (base e).
    ///
    /// The result is computed in a way which is accurate for x near zero.
    #[function("($module, x, /)")]
    fn log1p(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.ln_1p(), false, "expected argument value > -1, got ", vm)
    }

    /// Return the base 2 logarithm of x.
    #[function("($module, x, /)")]
    fn log2(x: &Object, vm: &Vm) -> PyResult<f64> {
        logarithm(x, f64::log2, vm)
    }

    /// Return the fractional and integer parts of x.
    ///
    /// Both results carry the sign of x and are floats.
    #[function("($module, x, /)")]
    fn modf(x: f64) -> (f64, f64) {
        if x.is_infinite() {
            return (0f64.copysign(x), x);
        }
        if x.is_nan() {
            return (x, x);
        }
        let whole = x.trunc();
        ((x - whole).copysign(x), whole)
    }

    /// Return x**y (x to the power of y).
    #[function("($module, x, y, /)")]
    fn pow(x: f64, y: f64, vm: &Vm) -> PyResult<f64> {
        let result = x.powf(y);
        if result.is_finite() || !x.is_finite() || !y.is_finite() {
            return Ok(result);
        }
        if result.is_nan() || x == 0.0 { Err(domain_error(vm)) } else { Err(range_error(vm)) }
    }

    /// Convert angle x from degrees to radians.
    #[function("($module, x, /)")]
    fn radians(x: f64) -> f64 {
        x * (std::f64::consts::PI / 180.0)
    }

    /// Difference between x and the closest integer multiple of y.
    ///
    /// Return x - n*y where n*y is the closest integer multiple of y.
    /// In the case where x is exactly halfway between two multiples of
    /// y, the nearest even value of n is used. The result is always exact.
    #[function("($module, x, y, /)")]
    fn remainder(x: f64, y: f64, vm: &Vm) -> PyResult<f64> {
        check_2(x, y, remainder(x, y), vm)
    }

    /// Return the sine of x (measured in radians).
    #[function("($module, x, /)")]
    fn sin(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.sin(), false, FINITE, vm)
    }

    /// Return the hyperbolic sine of x.
    #[function("($module, x, /)")]
    fn sinh(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.sinh(), true, "", vm)
    }

    /// Return the square root of x.
    #[function("($module, x, /)")]
    fn sqrt(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.sqrt(), false, "expected a nonnegative input, got ", vm)
    }

    /// Return the tangent of x (measured in radians).
    #[function("($module, x, /)")]
    fn tan(x: f64, vm: &Vm) -> PyResult<f64> {
        check_1(x, x.tan(), false, FINITE, vm)
    }

    /// Return the hyperbolic tangent of x.
    #[function("($module, x, /)")]
    fn tanh(x: f64) -> f64 {
        x.tanh()
    }
}

/// Mantissa in [0.5, 1) and exponent; zeros, infinities and NaN with exponent 0.
fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (x, shift) = if x.is_subnormal() { (x * 2f64.powi(54), 54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - shift)
}

/// A logarithm of an int of any size or of a float.
fn logarithm(x: &Object, function: fn(f64) -> f64, vm: &Vm) -> PyResult<f64> {
    let Some(int) = x.downcast_ref::<Int>() else {
        let x = x.as_f64(vm)?;
        return check_1(x, function(x), false, "expected a positive input, got ", vm);
    };
    let int: IntRef<'_> = int.as_int_ref();
    if int.sign() <= 0 {
        return Err(vm.value_error("expected a positive input"));
    }
    if let Ok(value) = int.to_f64() {
        return Ok(function(value));
    }
    let (mantissa, exponent) = int.frexp();
    Ok(function(mantissa) + function(2.0) * exponent as f64)
}
