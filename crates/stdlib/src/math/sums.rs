//! Sums and products of many numbers: `fsum`, `sumprod`, `prod`, `hypot`, `dist`.

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;

use super::{Math, frexp};

#[pyfunctions(table = SUM_FUNCTIONS)]
impl Math {
    /// Return an accurate floating-point sum of values in the iterable seq.
    ///
    /// Assumes IEEE-754 floating-point arithmetic.
    #[function("($module, seq, /)")]
    fn fsum(seq: &Object, vm: &Vm) -> PyResult<f64> {
        let mut sum = ExactSum::default();
        for_each(seq, vm, |item| sum.add(item.as_f64(vm)?, vm))?;
        sum.finish(vm)
    }

    /// Multidimensional Euclidean distance from the origin to a point.
    ///
    /// Roughly equivalent to:
    ///     sqrt(sum(x**2 for x in coordinates))
    ///
    /// For a two dimensional point (x, y), gives the hypotenuse
    /// using the Pythagorean theorem:  sqrt(x*x + y*y).
    ///
    /// For example, the hypotenuse of a 3/4/5 right triangle is:
    ///
    ///     >>> hypot(3.0, 4.0)
    ///     5.0
    #[function("($module, /, *coordinates)")]
    fn hypot(coordinates: &[&Object], vm: &Vm) -> PyResult<f64> {
        let mut sizes = Vec::with_capacity(coordinates.len());
        for item in coordinates {
            sizes.push(item.as_f64(vm)?.abs());
        }
        Ok(vector_norm(&mut sizes))
    }

    /// Return the Euclidean distance between two points p and q.
    ///
    /// The points should be specified as sequences (or iterables) of
    /// coordinates.  Both inputs must have the same dimension.
    ///
    /// Roughly equivalent to:
    ///     sqrt(sum((px - qx) ** 2.0 for px, qx in zip(p, q)))
    #[function("($module, p, q, /)")]
    fn dist(p: &Object, q: &Object, vm: &Vm) -> PyResult<f64> {
        let (p, q) = (as_tuple(p, vm)?, as_tuple(q, vm)?);
        if p.len() != q.len() {
            return Err(vm.value_error("both points must have the same number of dimensions"));
        }
        let mut sizes = Vec::with_capacity(p.len());
        for (a, b) in p.as_slice().iter().zip(q.as_slice()) {
            sizes.push((a.as_f64(vm)? - b.as_f64(vm)?).abs());
        }
        Ok(vector_norm(&mut sizes))
    }

    /// Return the sum of products of values from two iterables p and q.
    ///
    /// Roughly equivalent to:
    ///
    ///     sum(map(operator.mul, p, q, strict=True))
    ///
    /// For float and mixed int/float inputs, the intermediate products
    /// and sums are computed with extended precision.
    #[function("($module, p, q, /)")]
    fn sumprod(p: &Object, q: &Object, vm: &Vm) -> PyResult {
        let (p, q) = (p.iter(vm)?, q.iter(vm)?);
        let mut sum = ProductSum {
            total: vm.new_int(0),
            ints: Some(0),
            floats: Some(TripleFloat::default()),
            ints_used: false,
            floats_used: false,
        };
        loop {
            match (p.iter_next(vm)?, q.iter_next(vm)?) {
                (Some(a), Some(b)) => sum.add(&a, &b, vm)?,
                (None, None) => return sum.finish(vm),
                _ => return Err(vm.value_error("Inputs are not the same length")),
            }
        }
    }

    /// Calculate the product of all the elements in the input iterable.
    ///
    /// The default start value for the product is 1.
    ///
    /// When the iterable is empty, return the start value.  This function is
    /// intended specifically for use with numeric values and may reject
    /// non-numeric types.
    #[function("($module, iterable, /, *, start=1)")]
    fn prod(iterable: &Object, start: Option<&Object>, vm: &Vm) -> PyResult {
        let iterator = iterable.iter(vm)?;
        let mut result = start.map_or_else(|| vm.new_int(1), Object::to_ref);
        if let Some(mut product) = result.downcast_exact::<Int>().and_then(Int::to_i64) {
            loop {
                let Some(item) = iterator.iter_next(vm)? else { return Ok(vm.new_int(product)) };
                let factor = item.downcast_exact::<Int>().and_then(Int::to_i64);
                match factor.and_then(|factor| product.checked_mul(factor)) {
                    Some(more) => product = more,
                    None => {
                        result = number::multiply(&vm.new_int(product), &item, vm)?;
                        break;
                    }
                }
            }
        }
        if let Some(mut product) = result.downcast_exact::<Float>().map(Float::value) {
            loop {
                let Some(item) = iterator.iter_next(vm)? else { return Ok(vm.new_float(product)) };
                if let Some(float) = item.downcast_exact::<Float>() {
                    product *= float.value();
                } else if let Some(int) = item.downcast_exact::<Int>().and_then(Int::to_i64) {
                    product *= int as f64;
                } else {
                    result = number::multiply(&vm.new_float(product), &item, vm)?;
                    break;
                }
            }
        }
        while let Some(item) = iterator.iter_next(vm)? {
            result = number::multiply(&result, &item, vm)?;
        }
        Ok(result)
    }
}

fn as_tuple(object: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
    match object.downcast_ref::<Tuple>() {
        Some(tuple) => Ok(tuple.into()),
        None => Tuple::from_iterable(object, vm),
    }
}

/// Calls `f` with every item. Lists are walked by index, as their iterators do.
fn for_each(iterable: &Object, vm: &Vm, mut f: impl FnMut(&Object) -> PyResult<()>) -> PyResult<()> {
    if let Some(list) = iterable.downcast_exact::<List>() {
        let mut at = 0;
        while let Some(item) = list.get(at) {
            f(&item)?;
            at += 1;
        }
        return Ok(());
    }
    if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return tuple.as_slice().iter().try_for_each(|item| f(item));
    }
    let iterator = iterable.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        f(&item)?;
    }
    Ok(())
}

/// The sum of floats without rounding: non-overlapping partial sums in order of size (Shewchuk, 1997).
#[derive(Default)]
struct ExactSum {
    partials: Vec<f64>,
    special: f64,
    infinities: f64,
}

impl ExactSum {
    fn add(&mut self, given: f64, vm: &Vm) -> PyResult<()> {
        let mut x = given;
        let mut kept = 0;
        for at in 0..self.partials.len() {
            let Some(&partial) = self.partials.get(at) else { break };
            let (big, small) = if x.abs() < partial.abs() { (partial, x) } else { (x, partial) };
            let high = big + small;
            let low = small - (high - big);
            if low != 0.0 {
                if let Some(slot) = self.partials.get_mut(kept) {
                    *slot = low;
                }
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x == 0.0 {
            return Ok(());
        }
        if x.is_finite() {
            self.partials.push(x);
            return Ok(());
        }
        if given.is_finite() {
            return Err(vm.overflow_error("intermediate overflow in fsum"));
        }
        if given.is_infinite() {
            self.infinities += given;
        }
        self.special += given;
        self.partials.truncate(0);
        Ok(())
    }

    fn finish(mut self, vm: &Vm) -> PyResult<f64> {
        if self.special != 0.0 {
            return if self.infinities.is_nan() {
                Err(vm.value_error("-inf + inf in fsum"))
            } else {
                Ok(self.special)
            };
        }
        let Some(mut high) = self.partials.pop() else { return Ok(0.0) };
        let mut low = 0.0;
        while let Some(next) = self.partials.pop() {
            let x = high;
            high = x + next;
            low = next - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // Half-way cases round to even only as far as the last two partials tell; a third may break the tie.
        if let Some(&next) = self.partials.last() {
            if (low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0) {
                let twice = low * 2.0;
                let x = high + twice;
                if twice == x - high {
                    high = x;
                }
            }
        }
        Ok(high)
    }
}

/// The exact sum of two floats, the larger first: value and error.
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, (a - sum) + b)
}

/// The exact sum of two floats.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// The exact product of two floats.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The Euclidean norm of numbers that are not negative, almost always correctly rounded: squares are summed with
/// their errors, after scaling by a power of two, and one step of Newton's method corrects the root.
pub fn vector_norm(sizes: &mut [f64]) -> f64 {
    let (mut largest, mut nan) = (0f64, false);
    for &size in sizes.iter() {
        nan |= size.is_nan();
        if size > largest {
            largest = size;
        }
    }
    if largest.is_infinite() {
        return largest;
    }
    if nan {
        return f64::NAN;
    }
    if largest == 0.0 || sizes.len() <= 1 {
        return largest;
    }
    let exponent = frexp(largest).1;
    if exponent < -1023 {
        // The scale would overflow.
        for size in sizes.iter_mut() {
            *size /= f64::MIN_POSITIVE;
        }
        return f64::MIN_POSITIVE * vector_norm(sizes);
    }
    let scale = super::ldexp(1.0, -exponent);
    let (mut sum, mut low_products, mut low_sums) = (1.0, 0.0, 0.0);
    for &size in sizes.iter() {
        let x = size * scale;
        let (product, product_error) = two_product(x, x);
        let (total, sum_error) = fast_two_sum(sum, product);
        sum = total;
        low_products += product_error;
        low_sums += sum_error;
    }
    let root = (sum - 1.0 + (low_products + low_sums)).sqrt();
    let (product, product_error) = two_product(-root, root);
    let (total, sum_error) = fast_two_sum(sum, product);
    let rest = total - 1.0 + (low_products + product_error + (low_sums + sum_error));
    (root + rest / (2.0 * root)) / scale
}

/// A float in three parts.
#[derive(Clone, Copy, Default)]
struct TripleFloat {
    high: f64,
    low: f64,
    tiny: f64,
}

impl TripleFloat {
    fn add_product(self, x: f64, y: f64) -> TripleFloat {
        let (product, product_error) = two_product(x, y);
        let (high, high_error) = two_sum(self.high, product);
        let (low, low_error) = two_sum(self.low, product_error);
        let (low, more_error) = two_sum(low, high_error);
        TripleFloat { high, low, tiny: self.tiny + low_error + more_error }
    }

    fn value(self) -> f64 {
        let (sum, error) = two_sum(self.low, self.high);
        self.tiny + error + sum
    }
}

/// `sumprod` in machine numbers as long as the items allow.
struct ProductSum {
    total: ObjRef,
    /// The sum of products of ints; `None` once an item was no small int.
    ints: Option<i64>,
    ints_used: bool,
    floats: Option<TripleFloat>,
    floats_used: bool,
}

fn small_int(object: &Object) -> Option<f64> {
    if object.downcast_exact::<Int>().is_some() || object.downcast_ref::<Bool>().is_some() {
        return object.downcast_ref::<Int>()?.as_int_ref().to_f64().ok();
    }
    None
}

impl ProductSum {
    fn add(&mut self, a: &Object, b: &Object, vm: &Vm) -> PyResult<()> {
        if let Some(sum) = self.ints {
            let pair = (
                a.downcast_exact::<Int>().and_then(Int::to_i64),
                b.downcast_exact::<Int>().and_then(Int::to_i64),
            );
            if let (Some(x), Some(y)) = pair {
                if let Some(more) = x.checked_mul(y).and_then(|product| sum.checked_add(product)) {
                    self.ints = Some(more);
                    self.ints_used = true;
                    return Ok(());
                }
            }
            self.end_ints(vm)?;
        }
        if let Some(sum) = self.floats {
            let (x, y) = (
                a.downcast_exact::<Float>().map(Float::value),
                b.downcast_exact::<Float>().map(Float::value),
            );
            let pair = match (x, y) {
                (Some(x), Some(y)) => Some((x, y)),
                (Some(x), None) => small_int(b).map(|y| (x, y)),
                (None, Some(y)) => small_int(a).map(|x| (x, y)),
                (None, None) => None,
            };
            if let Some((x, y)) = pair {
                let more = sum.add_product(x, y);
                if more.high.is_finite() {
                    self.floats = Some(more);
                    self.floats_used = true;
                    return Ok(());
                }
            }
            self.end_floats(vm)?;
        }
        let product = number::multiply(a, b, vm)?;
        self.total = number::add(&self.total, &product, vm)?;
        Ok(())
    }

    fn end_ints(&mut self, vm: &Vm) -> PyResult<()> {
        if let (Some(sum), true) = (self.ints.take(), self.ints_used) {
            self.total = number::add(&self.total, &vm.new_int(sum), vm)?;
        }
        Ok(())
    }

    fn end_floats(&mut self, vm: &Vm) -> PyResult<()> {
        if let (Some(sum), true) = (self.floats.take(), self.floats_used) {
            self.total = number::add(&self.total, &vm.new_float(sum.value()), vm)?;
        }
        Ok(())
    }

    fn finish(mut self, vm: &Vm) -> PyResult {
        self.end_ints(vm)?;
        self.end_floats(vm)?;
        Ok(self.total)
    }
}
