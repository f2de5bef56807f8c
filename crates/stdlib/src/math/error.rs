//! What is raised when a function has no result.

use taipan_numeric::float;
use taipan_vm::prelude::*;

/// Raises the plain domain error.
#[cold]
pub fn domain_error(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}

/// Raises the overflow error.
#[cold]
pub fn range_error(vm: &Vm) -> Raised {
    vm.overflow_error("math range error")
}

/// Raises a domain error that tells what was expected and given.
#[cold]
pub fn expected(text: &str, given: f64, vm: &Vm) -> Raised {
    if text.is_empty() {
        return domain_error(vm);
    }
    vm.value_error(format!("{text}{}", float::repr(given)))
}

/// The result of a function of one number: a NaN from a number is a domain error, an infinity from a finite number
/// an overflow or a singularity.
#[inline]
pub fn check_1(x: f64, result: f64, can_overflow: bool, text: &str, vm: &Vm) -> PyResult<f64> {
    if result.is_finite() {
        return Ok(result);
    }
    if result.is_nan() && !x.is_nan() {
        return Err(expected(text, x, vm));
    }
    if result.is_infinite() && x.is_finite() {
        return Err(if can_overflow { range_error(vm) } else { expected(text, x, vm) });
    }
    Ok(result)
}

/// The result of a function of two numbers that can't overflow.
#[inline]
pub fn check_2(x: f64, y: f64, result: f64, vm: &Vm) -> PyResult<f64> {
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain_error(vm));
    }
    Ok(result)
}
