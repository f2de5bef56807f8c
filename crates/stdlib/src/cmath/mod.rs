//! `cmath`: functions of complex numbers, with the results that C99's Annex G gives at infinities, NaNs and signed zeros.

use std::f64::consts::{E, PI};

use taipan_vm::builtins::complex::as_complex;
use taipan_vm::prelude::*;

mod functions;
mod special;

use functions::{Failure, Pair};

/// The module.
pub struct CMath;

fn number(z: Pair, vm: &Vm) -> PyResult {
    Ok(Complex::new(z.0, z.1, vm))
}

fn raise(failure: Failure, vm: &Vm) -> Raised {
    match failure {
        Failure::Domain => vm.value_error("math domain error"),
        Failure::Range => vm.overflow_error("math range error"),
    }
}

fn apply(z: &Object, function: fn(Pair) -> Result<Pair, Failure>, vm: &Vm) -> PyResult {
    let z = as_complex(z, vm)?;
    match function(z) {
        Ok(result) => number(result, vm),
        Err(failure) => Err(raise(failure, vm)),
    }
}

/// This module provides access to mathematical functions for complex
/// numbers.
#[pymodule(name = "cmath")]
impl CMath {
    #[constant]
    fn pi() -> f64 {
        PI
    }

    #[constant]
    fn e() -> f64 {
        E
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

    #[constant("infj")]
    fn infj(vm: &Vm) -> ObjRef {
        Complex::new(0.0, f64::INFINITY, vm)
    }

    #[constant("nanj")]
    fn nanj(vm: &Vm) -> ObjRef {
        Complex::new(0.0, f64::NAN, vm)
    }

    /// Return the arc cosine of z.
    #[function("($module, z, /)")]
    fn acos(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::acos, vm)
    }

    /// Return the inverse hyperbolic cosine of z.
    #[function("($module, z, /)")]
    fn acosh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::acosh, vm)
    }

    /// Return the arc sine of z.
    #[function("($module, z, /)")]
    fn asin(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::asin, vm)
    }

    /// Return the inverse hyperbolic sine of z.
    #[function("($module, z, /)")]
    fn asinh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::asinh, vm)
    }

    /// Return the arc tangent of z.
    #[function("($module, z, /)")]
    fn atan(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::atan, vm)
    }

    /// Return the inverse hyperbolic tangent of z.
    #[function("($module, z, /)")]
    fn atanh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::atanh, vm)
    }

    /// Return the cosine of z.
    #[function("($module, z, /)")]
    fn cos(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::cos, vm)
    }

    /// Return the hyperbolic cosine of z.
    #[function("($module, z, /)")]
    fn cosh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::cosh, vm)
    }

    /// Return the exponential value e**z.
    #[function("($module, z, /)")]
    fn exp(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::exp, vm)
    }

    /// Return the base-10 logarithm of z.
    #[function("($module, z, /)")]
    fn log10(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::log10, vm)
    }

    /// Return the sine of z.
    #[function("($module, z, /)")]
    fn sin(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::sin, vm)
    }

    /// Return the hyperbolic sine of z.
    #[function("($module, z, /)")]
    fn sinh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::sinh, vm)
    }

    /// Return the square root of z.
    #[function("($module, z, /)")]
    fn sqrt(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::sqrt, vm)
    }

    /// Return the tangent of z.
    #[function("($module, z, /)")]
    fn tan(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::tan, vm)
    }

    /// Return the hyperbolic tangent of z.
    #[function("($module, z, /)")]
    fn tanh(z: &Object, vm: &Vm) -> PyResult {
        apply(z, functions::tanh, vm)
    }

    /// Determine whether two complex numbers are close in value.
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
    /// For the values to be considered close, the difference between them must
    /// be smaller than at least one of the tolerances.
    ///
    /// -inf, inf and NaN behave similarly to the IEEE 754 Standard.  That is,
    /// NaN is not close to anything, even itself. inf and -inf are only close
    /// to themselves.
    #[function("($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(
        a: &Object,
        b: &Object,
        rel_tol: Option<f64>,
        abs_tol: Option<f64>,
        vm: &Vm,
    ) -> PyResult<bool> {
        let (a, b) = (as_complex(a, vm)?, as_complex(b, vm)?);
        let (relative, absolute) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
        if relative < 0.0 || absolute < 0.0 {
            return Err(vm.value_error("tolerances must be non-negative"));
        }
        if a == b {
            return Ok(true);
        }
        if [a.0, a.1, b.0, b.1].iter().any(|part| part.is_infinite()) {
            return Ok(false);
        }
        let difference = (a.0 - b.0).hypot(a.1 - b.1);
        Ok(difference <= relative * b.0.hypot(b.1)
            || difference <= relative * a.0.hypot(a.1)
            || difference <= absolute)
    }

    /// Return True if both the real and imaginary parts of z are finite, else False.
    #[function("($module, z, /)")]
    fn isfinite(z: &Object, vm: &Vm) -> PyResult<bool> {
        let z = as_complex(z, vm)?;
        Ok(z.0.is_finite() && z.1.is_finite())
    }

    /// Checks if the real or imaginary part of z is infinite.
    #[function("($module, z, /)")]
    fn isinf(z: &Object, vm: &Vm) -> PyResult<bool> {
        let z = as_complex(z, vm)?;
        Ok(z.0.is_infinite() || z.1.is_infinite())
    }

    /// Checks if the real or imaginary part of z not a number (NaN).
    #[function("($module, z, /)")]
    fn isnan(z: &Object, vm: &Vm) -> PyResult<bool> {
        let z = as_complex(z, vm)?;
        Ok(z.0.is_nan() || z.1.is_nan())
    }

    /// log(z[, base]) -> the logarithm of z to the given base.
    ///
    /// If the base is not specified, returns the natural logarithm (base e)
    /// of z.
    #[function("($module, z, base=<unrepresentable>, /)")]
    fn log(z: &Object, base: Option<&Object>, vm: &Vm) -> PyResult {
        let z = as_complex(z, vm)?;
        let top = functions::log(z);
        let Some(base) = base else {
            return top.map_or_else(|failure| Err(raise(failure, vm)), |top| number(top, vm));
        };
        let bottom = functions::log(as_complex(base, vm)?);
        match (top, bottom) {
            (Ok(top), Ok(bottom)) => match taipan_numeric::complex::smith(top, bottom) {
                Some(result) => number(result, vm),
                None => Err(raise(Failure::Domain, vm)),
            },
            (Err(failure), _) | (_, Err(failure)) => Err(raise(failure, vm)),
        }
    }

    /// Return argument, also known as the phase angle, of a complex.
    #[function("($module, z, /)")]
    fn phase(z: &Object, vm: &Vm) -> PyResult<f64> {
        let z = as_complex(z, vm)?;
        Ok(z.1.atan2(z.0))
    }

    /// Convert a complex from rectangular coordinates to polar coordinates.
    ///
    /// r is the distance from 0 and phi the phase angle.
    #[function("($module, z, /)")]
    fn polar(z: &Object, vm: &Vm) -> PyResult<(f64, f64)> {
        let z = as_complex(z, vm)?;
        let size = z.0.hypot(z.1);
        if size.is_infinite() && z.0.is_finite() && z.1.is_finite() {
            return Err(raise(Failure::Range, vm));
        }
        Ok((size, z.1.atan2(z.0)))
    }

    /// Convert from polar coordinates to rectangular coordinates.
    #[function("($module, r, phi, /)")]
    fn rect(r: f64, phi: f64, vm: &Vm) -> PyResult {
        functions::rect(r, phi).map_or_else(|failure| Err(raise(failure, vm)), |z| number(z, vm))
    }
}
