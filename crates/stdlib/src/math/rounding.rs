//! To neighbouring numbers: `floor`, `ceil`, `trunc`, `nextafter`, `ulp`.

use taipan_numeric::BigInt;
use taipan_vm::prelude::*;

use super::Math;

const SIGN: u64 = 1 << 63;

#[pyfunctions(table = ROUNDING_FUNCTIONS)]
impl Math {
    /// Return the ceiling of x as an Integral.
    ///
    /// This is the smallest integer >= x.
    #[function("($module, x, /)")]
    fn ceil(x: &Object, vm: &Vm) -> PyResult {
        to_int(x, vm.ids().__ceil__, f64::ceil, vm)
    }

    /// Return the floor of x as an Integral.
    ///
    /// This is the largest integer <= x.
    #[function("($module, x, /)")]
    fn floor(x: &Object, vm: &Vm) -> PyResult {
        to_int(x, vm.ids().__floor__, f64::floor, vm)
    }

    /// Truncates the Real x to the nearest Integral toward 0.
    ///
    /// Uses the __trunc__ magic method.
    #[function("($module, x, /)")]
    fn trunc(x: &Object, vm: &Vm) -> PyResult {
        if let Some(float) = x.downcast_exact::<Float>() {
            return from_f64(float.value(), vm);
        }
        match x.lookup_special(vm.ids().__trunc__, vm)? {
            Some(method) => method.call_no_args(vm),
            None => Err(
                vm.type_error(format!("type {} doesn't define __trunc__ method", x.ob_type().tp_name_str()))
            ),
        }
    }

    /// Return the floating-point value the given number of steps after x towards y.
    ///
    /// If steps is not specified or is None, it defaults to 1.
    ///
    /// Raises a TypeError, if x or y is not a double, or if steps is not
    /// an integer.  Raises ValueError if steps is negative.
    #[function("($module, x, y, /, *, steps=None)")]
    fn nextafter(x: f64, y: f64, steps: Option<&Object>, vm: &Vm) -> PyResult<f64> {
        let Some(steps) = steps.filter(|s| !vm.is_none(s)) else {
            return Ok(next_after(x, y));
        };
        let steps = steps.as_index(vm)?;
        if steps.is_negative() {
            return Err(vm.value_error("steps must be a non-negative integer"));
        }
        // There are fewer floats than that.
        Ok(steps_towards(x, y, steps.to_u64().unwrap_or(u64::MAX)))
    }

    /// Return the value of the least significant bit of the float x.
    #[function("($module, x, /)")]
    fn ulp(x: f64) -> f64 {
        let x = x.abs();
        if !x.is_finite() {
            return x;
        }
        let next = x.next_up();
        if next.is_infinite() { x - x.next_down() } else { next - x }
    }
}

fn from_f64(value: f64, vm: &Vm) -> PyResult {
    // 2**63 is beyond i64, and its predecessor among floats well within.
    if value.abs() < 9_223_372_036_854_775_808.0 {
        return Ok(Int::from_i64(value as i64, vm));
    }
    Int::from_result(BigInt::from_f64(value), vm)
}

fn to_int(x: &Object, name: &Str, round: fn(f64) -> f64, vm: &Vm) -> PyResult {
    if let Some(float) = x.downcast_exact::<Float>() {
        return from_f64(round(float.value()), vm);
    }
    if x.downcast_exact::<Int>().is_some() {
        return Ok(x.to_ref());
    }
    match x.lookup_special(name, vm)? {
        Some(method) => method.call_no_args(vm),
        None => from_f64(round(x.as_f64(vm)?), vm),
    }
}

fn next_after(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    if x == y {
        return y;
    }
    if x < y { x.next_up() } else { x.next_down() }
}

fn steps_towards(x: f64, y: f64, steps: u64) -> f64 {
    if steps == 0 || x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    let (from, to) = (x.to_bits(), y.to_bits());
    if from == to {
        return x;
    }
    let (from_size, to_size) = (from & !SIGN, to & !SIGN);
    if (from ^ to) & SIGN != 0 {
        // Across zero.
        if from_size + to_size <= steps {
            return y;
        }
        return f64::from_bits(if from_size < steps {
            to & SIGN | (steps - from_size)
        } else {
            from - steps
        });
    }
    if from_size > to_size {
        return if from_size - to_size >= steps { f64::from_bits(from - steps) } else { y };
    }
    if to_size - from_size >= steps { f64::from_bits(from + steps) } else { y }
}
