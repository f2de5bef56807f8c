//! The operators of `int`. Operands of one or two digits take the machine's arithmetic; larger ones `taipan_numeric`'s.

use std::cmp::Ordering;

use taipan_numeric::{IntError, IntRef};

use super::{Int, raise_int_error};
use crate::prelude::*;

/// Both operands, if both are ints.
#[inline(always)]
fn both<'a>(a: &'a Object, b: &'a Object) -> Option<(&'a Int, &'a Int)> {
    Some((a.downcast_ref::<Int>()?, b.downcast_ref::<Int>()?))
}

/// Both values, if both are compact.
#[inline(always)]
fn compact(a: &Int, b: &Int) -> Option<(i64, i64)> {
    if a.is_compact() && b.is_compact() {
        Some((a.compact_value() as i64, b.compact_value() as i64))
    } else {
        None
    }
}

/// The order of two ints.
#[inline]
pub fn compare(a: &Int, b: &Int) -> Ordering {
    match compact(a, b) {
        Some((a, b)) => a.cmp(&b),
        None => compare_refs(a.as_int_ref(), b.as_int_ref()),
    }
}

fn compare_refs(a: IntRef<'_>, b: IntRef<'_>) -> Ordering {
    a.cmp(&b)
}

macro_rules! simple {
    ($(#[$doc:meta])* $name:ident, |$x:ident, $y:ident| $fast:expr, |$a:ident, $b:ident| $slow:expr) => {
        $(#[$doc])*
        #[inline]
        pub fn $name(a: &Object, b: &Object, vm: &Vm) -> PyResult {
            let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
            if let Some(($x, $y)) = compact(a, b) {
                return Ok(Int::from_i64($fast, vm));
            }
            let ($a, $b) = (a.as_int_ref(), b.as_int_ref());
            Ok(Int::from_big($slow, vm))
        }
    };
}

simple!(
    /// `a + b`
    add, |x, y| x + y, |a, b| a.add(b)
);
simple!(
    /// `a - b`
    subtract, |x, y| x - y, |a, b| a.sub(b)
);
simple!(
    /// `a * b`
    multiply, |x, y| x * y, |a, b| a.mul(b)
);
simple!(
    /// `a & b`
    and, |x, y| x & y, |a, b| a.and(b)
);
simple!(
    /// `a | b`
    or, |x, y| x | y, |a, b| a.or(b)
);
simple!(
    /// `a ^ b`
    xor, |x, y| x ^ y, |a, b| a.xor(b)
);

/// Floor division and modulus of machine numbers; the divisor is not zero.
#[inline(always)]
fn floor_div_mod(a: i64, b: i64) -> (i64, i64) {
    let (quotient, remainder) = (a / b, a % b);
    if remainder != 0 && (remainder < 0) != (b < 0) {
        (quotient - 1, remainder + b)
    } else {
        (quotient, remainder)
    }
}

/// `a // b`
pub fn floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if b.is_zero() {
        return Err(raise_int_error(IntError::ZeroDivision, vm));
    }
    if let Some((x, y)) = compact(a, b) {
        return Ok(Int::from_i64(floor_div_mod(x, y).0, vm));
    }
    Int::from_result(a.as_int_ref().floor_div(b.as_int_ref()), vm)
}

/// `a % b`
pub fn remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if b.is_zero() {
        return Err(raise_int_error(IntError::ZeroDivision, vm));
    }
    if let Some((x, y)) = compact(a, b) {
        return Ok(Int::from_i64(floor_div_mod(x, y).1, vm));
    }
    Int::from_result(a.as_int_ref().modulo(b.as_int_ref()), vm)
}

/// `divmod(a, b)`
pub fn divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if b.is_zero() {
        return Err(raise_int_error(IntError::ZeroDivision, vm));
    }
    let (quotient, remainder) = match compact(a, b) {
        Some((x, y)) => {
            let (quotient, remainder) = floor_div_mod(x, y);
            (Int::from_i64(quotient, vm), Int::from_i64(remainder, vm))
        }
        None => {
            let (quotient, remainder) =
                a.as_int_ref().div_mod_floor(b.as_int_ref()).map_err(|error| raise_int_error(error, vm))?;
            (Int::from_big(quotient, vm), Int::from_big(remainder, vm))
        }
    };
    Ok(vm.new_tuple([quotient, remainder]).into_object())
}

/// `a / b`
pub fn true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if b.is_zero() {
        return Err(raise_int_error(IntError::ZeroDivision, vm));
    }
    let value = match compact(a, b) {
        Some((x, y)) => x as f64 / y as f64,
        None => a.as_int_ref().true_div(b.as_int_ref()).map_err(|error| raise_int_error(error, vm))?,
    };
    Ok(vm.new_float(value))
}

/// `pow(a, b, c)`; `c` is `None` for `a ** b`.
pub fn power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
    let Some((base, exponent)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if vm.is_none(c) {
        if exponent.is_negative() {
            let (x, y) = (base.to_f64(vm)?, exponent.to_f64(vm)?);
            return crate::builtins::float::power(x, y, vm);
        }
        return Int::from_result(base.as_int_ref().pow(exponent.as_int_ref()), vm);
    }
    let Some(modulus) = c.downcast_ref::<Int>() else { return Ok(vm.not_implemented()) };
    Int::from_result(base.as_int_ref().mod_pow(exponent.as_int_ref(), modulus.as_int_ref()), vm)
}

/// `a << b`
pub fn lshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if let Some((x, count @ 0..=32)) = compact(a, b) {
        return Ok(Int::from_i64(x << count, vm));
    }
    Int::from_result(a.as_int_ref().shl(b.as_int_ref()), vm)
}

/// `a >> b`
pub fn rshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let Some((a, b)) = both(a, b) else { return Ok(vm.not_implemented()) };
    if let Some((x, count)) = compact(a, b) {
        if count >= 0 {
            return Ok(Int::from_i64(x >> count.min(63), vm));
        }
    }
    Int::from_result(a.as_int_ref().shr(b.as_int_ref()), vm)
}
