//! `sum`, exact for floats by compensated addition.

use super::Builtins;
use crate::prelude::*;
use crate::protocols::number;

/// A running float sum with the error that rounding left (Neumaier).
#[derive(Clone, Copy)]
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let total = self.high + x;
        self.low +=
            if self.high.abs() >= x.abs() { (self.high - total) + x } else { (x - total) + self.high };
        self.high = total;
    }

    fn value(self) -> f64 {
        // A sum that went to infinity has no meaningful error term.
        if self.low != 0.0 && self.low.is_finite() { self.high + self.low } else { self.high }
    }
}

#[pyfunctions(table = SUM_FUNCTIONS)]
impl Builtins {
    /// Return the sum of a 'start' value (default: 0) plus an iterable of numbers
    ///
    /// When the iterable is empty, return the start value.
    /// This function is intended specifically for use with numeric values and may
    /// reject non-numeric types.
    #[function("($module, iterable, /, start=0)")]
    fn sum(iterable: &Object, start: Option<&Object>, vm: &Vm) -> PyResult {
        let iterator = iterable.iter(vm)?;
        let mut total = match start {
            None => vm.new_int(0),
            Some(start) => {
                let join = if start.downcast_ref::<Str>().is_some() {
                    Some(("strings", "''.join(seq)"))
                } else if start.downcast_ref::<Bytes>().is_some() {
                    Some(("bytes", "b''.join(seq)"))
                } else if start.downcast_ref::<ByteArray>().is_some() {
                    Some(("bytearray", "b''.join(seq)"))
                } else {
                    None
                };
                if let Some((kind, instead)) = join {
                    return Err(vm.type_error(format!("sum() can't sum {kind} [use {instead} instead]")));
                }
                start.to_ref()
            }
        };
        // Machine arithmetic as long as the items are ints that fit, then floats; anything else by `+`.
        if let Some(mut sum) = total.downcast_exact::<Int>().and_then(Int::to_i64) {
            loop {
                let Some(item) = iterator.iter_next(vm)? else { return Ok(vm.new_int(sum)) };
                let small = match item.downcast_exact::<Int>() {
                    Some(int) => int.to_i64(),
                    None if item.downcast_exact::<Bool>().is_some() => {
                        Some(i64::from(item.is(vm.true_ref())))
                    }
                    None => None,
                };
                match small.and_then(|x| sum.checked_add(x)) {
                    Some(next) => sum = next,
                    None => {
                        total = number::add(&vm.new_int(sum), &item, vm)?;
                        break;
                    }
                }
            }
        }
        if let Some(float) = total.downcast_exact::<Float>() {
            let mut sum = Compensated { high: float.value(), low: 0.0 };
            loop {
                let Some(item) = iterator.iter_next(vm)? else { return Ok(vm.new_float(sum.value())) };
                if let Some(x) = item.downcast_exact::<Float>() {
                    sum.add(x.value());
                } else if item.downcast_ref::<Int>().is_some() {
                    sum.add(item.as_f64(vm)?);
                } else {
                    total = number::add(&vm.new_float(sum.value()), &item, vm)?;
                    break;
                }
            }
        }
        if let Some(complex) = total.downcast_exact::<Complex>() {
            let mut re = Compensated { high: complex.re, low: 0.0 };
            let mut im = Compensated { high: complex.im, low: 0.0 };
            loop {
                let Some(item) = iterator.iter_next(vm)? else {
                    return Ok(Complex::new(re.value(), im.value(), vm));
                };
                if let Some(z) = item.downcast_exact::<Complex>() {
                    re.add(z.re);
                    im.add(z.im);
                } else if let Some(x) = item.downcast_exact::<Float>() {
                    re.add(x.value());
                } else if item.downcast_ref::<Int>().is_some() {
                    re.add(item.as_f64(vm)?);
                } else {
                    total = number::add(&Complex::new(re.value(), im.value(), vm), &item, vm)?;
                    break;
                }
            }
        }
        while let Some(item) = iterator.iter_next(vm)? {
            total = number::add(&total, &item, vm)?;
        }
        Ok(total)
    }
}
