//! `Decimal` among Python's numbers: operators, comparisons, hash, conversions.

use std::cmp::Ordering;

use taipan_numeric::decimal::{self as core, Decimal as Number, Rounding, compare_numbers};
use taipan_vm::prelude::*;

use super::context::{Context, size_of_int};
use super::decimal::{Binary, Decimal, operand};
use super::{current, made};

/// Python's hash of infinity.
const HASH_INFINITE: isize = 314_159;

/// An arithmetic operator on decimals and ints.
#[inline]
pub fn operate(a: &Object, b: &Object, operation: Binary, vm: &Vm) -> PyResult {
    let (Some(a), Some(b)) = (operand(a), operand(b)) else { return Ok(vm.not_implemented()) };
    let context = current::get(vm)?;
    let mut status = 0;
    let result = operation(&a, &b, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// `divmod(a, b)`
pub fn divmod(a: &Number, b: &Number, context: &Context, vm: &Vm) -> PyResult {
    let mut status = 0;
    let (quotient, rest) = a.divmod(b, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(vm.new_tuple([Decimal::make(quotient, vm), Decimal::make(rest, vm)]).into_object())
}

/// `pow(a, b, c)`
pub fn power_modulo(a: &Number, b: &Number, c: &Number, context: &Context, vm: &Vm) -> PyResult {
    let mut status = 0;
    let result = a.power_modulo(b, c, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// The hash, equal to that of an equal number of another type.
pub fn hash_of(decimal: &Decimal, vm: &Vm) -> PyResult<isize> {
    let known = decimal.hash_cache().get();
    if known != -1 {
        return Ok(known);
    }
    let value = decimal.value();
    if value.is_snan() {
        return Err(vm.type_error("Cannot hash a signaling NaN value"));
    }
    let hash = if value.is_nan() {
        // By identity, as `object.__hash__` does it.
        let address = std::ptr::from_ref(decimal.as_object()) as usize;
        (address.rotate_right(4) as isize).max(isize::MIN + 1)
    } else if value.is_infinite() {
        if value.is_negative() { -HASH_INFINITE } else { HASH_INFINITE }
    } else {
        value.hash_number() as isize
    };
    decimal.hash_cache().set(hash);
    Ok(hash)
}

/// What two numbers are to each other under an operator; the right one may be scaled by a denominator.
enum Other {
    Number(Number, Number),
    NotImplemented,
}

/// Brings a number of another type to a decimal: the pair to compare.
fn convert(own: &Decimal, other: &Object, op: CompareOp, context: &Context, vm: &Vm) -> PyResult<Other> {
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let value = own.value();
    if let Some(other) = operand(other) {
        return Ok(Other::Number(value.clone(), other.into_owned()));
    }
    let from_float = |float: f64| {
        if equality {
            context.status().set(context.status().get() | core::FLOAT_OPERATION);
        } else {
            context.signal(core::FLOAT_OPERATION, vm)?;
        }
        Ok(Other::Number(value.clone(), Number::from_f64(float)))
    };
    if let Some(float) = other.downcast_ref::<Float>() {
        return from_float(float.value());
    }
    if let Some(complex) = other.downcast_ref::<Complex>() {
        let pair = taipan_vm::builtins::complex::as_complex(complex.as_object(), vm)?;
        let (real, imaginary) = (pair.0, pair.1);
        return if equality && imaginary == 0.0 { from_float(real) } else { Ok(Other::NotImplemented) };
    }
    let rational = made(vm, |made| made.rational.clone())?;
    if !other.is_instance(&rational, vm)? {
        return Ok(Other::NotImplemented);
    }
    let part = |name: &str| -> PyResult<Number> {
        let part = other.get_attr(&vm.intern(name), vm)?;
        match part.downcast_ref::<Int>() {
            Some(int) => Ok(Number::from_int(int.as_int_ref())),
            None => Err(vm.type_error("numerator and denominator must be integers")),
        }
    };
    let (denominator, numerator) = (part("denominator")?, part("numerator")?);
    let mut status = 0;
    let scaled = if value.is_finite() {
        value.multiply(&denominator, &core::Context::MAX, &mut status)
    } else {
        value.clone()
    };
    context.signal(status & core::ANY_INVALID, vm)?;
    Ok(Other::Number(scaled, numerator))
}

/// The rich comparison.
pub fn compare(own: &Decimal, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
    // The usual case: two decimals that are numbers.
    if let Some(other) = other.downcast_ref::<Decimal>()
        && !own.value().is_nan()
        && !other.value().is_nan()
    {
        return Ok(vm.new_bool(holds(compare_numbers(own.value(), other.value()), op)));
    }
    let context = current::get(vm)?;
    let Other::Number(a, b) = convert(own, other, op, &context, vm)? else { return Ok(vm.not_implemented()) };
    if a.is_nan() || b.is_nan() {
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if a.is_snan() || b.is_snan() || !equality {
            context.signal(core::INVALID_OPERATION, vm)?;
        }
        return Ok(vm.new_bool(op == CompareOp::Ne));
    }
    Ok(vm.new_bool(holds(compare_numbers(&a, &b), op)))
}

fn holds(order: Ordering, op: CompareOp) -> bool {
    match op {
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

fn check_finite(value: &Number, what: &str, vm: &Vm) -> PyResult<()> {
    if value.is_nan() {
        return Err(vm.value_error(format!("cannot convert NaN to {what}")));
    }
    if value.is_infinite() {
        return Err(vm.overflow_error(format!("cannot convert Infinity to {what}")));
    }
    Ok(())
}

/// The integer that a number is rounded to.
pub fn to_int(value: &Number, rounding: Rounding, vm: &Vm) -> PyResult {
    check_finite(value, "integer", vm)?;
    match value.round_to_integer(rounding).to_int() {
        Some(int) => Ok(Int::from_big(int, vm)),
        None => Err(vm.memory_error()),
    }
}

/// The nearest float.
pub fn to_float(value: &Number, vm: &Vm) -> PyResult<f64> {
    if value.is_snan() {
        return Err(vm.value_error("cannot convert signaling NaN to float"));
    }
    if value.is_nan() {
        return Ok(if value.is_negative() { -f64::NAN } else { f64::NAN });
    }
    let text = value.to_text(false, true);
    taipan_numeric::float::parse(text.as_bytes())
        .ok_or_else(|| vm.value_error("could not convert Decimal to float"))
}

#[pymethods(table = NUMBER_METHODS)]
impl Decimal {
    /// Class method that converts a float to a decimal number, exactly.
    ///
    /// Since 0.1 is not exactly representable in binary floating point,
    /// Decimal.from_float(0.1) is not the same as Decimal('0.1').
    ///
    ///     >>> Decimal.from_float(0.1)
    ///     Decimal('0.1000000000000000055511151231257827021181583404541015625')
    ///     >>> Decimal.from_float(float('nan'))
    ///     Decimal('NaN')
    ///     >>> Decimal.from_float(float('inf'))
    ///     Decimal('Infinity')
    ///     >>> Decimal.from_float(float('-inf'))
    ///     Decimal('-Infinity')
    #[classmethod("($type, f, /)")]
    fn from_float(cls: &Type, f: &Object, vm: &Vm) -> PyResult {
        super::construct::from_float(cls, f, &*current::get(vm)?, vm)
    }

    /// Class method that converts a real number to a decimal number, exactly.
    ///
    ///     >>> Decimal.from_number(314)              # int
    ///     Decimal('314')
    ///     >>> Decimal.from_number(0.1)              # float
    ///     Decimal('0.1000000000000000055511151231257827021181583404541015625')
    ///     >>> Decimal.from_number(Decimal('3.14'))  # another decimal instance
    ///     Decimal('3.14')
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &Type, number: &Object, vm: &Vm) -> PyResult {
        super::construct::from_number(cls, number, &*current::get(vm)?, vm)
    }

    /// Return a tuple representation of the number.
    #[method("($self, /)")]
    fn as_tuple(&self, vm: &Vm) -> PyResult {
        let value = self.value();
        let digits: Vec<ObjRef> = if value.is_nan() && value.coefficient() == [0] {
            Vec::new()
        } else {
            value.digit_values().into_iter().map(|digit| vm.new_int(i64::from(digit))).collect()
        };
        let exponent = match value.kind() {
            core::Kind::Finite => vm.new_int(value.exponent()),
            core::Kind::Infinite => vm.new_str("F").into_object(),
            core::Kind::QuietNan => vm.new_str("n").into_object(),
            core::Kind::SignalingNan => vm.new_str("N").into_object(),
        };
        let class = made(vm, |made| made.decimal_tuple.clone())?;
        let sign = vm.new_int(i64::from(value.is_negative()));
        class.call(&[&sign, vm.new_tuple(digits).as_object(), &exponent], vm)
    }

    /// Return a pair of integers whose ratio is exactly equal to the original.
    ///
    /// The ratio is in lowest terms and with a positive denominator.
    /// Raise OverflowError on infinities and a ValueError on NaNs.
    #[method("($self, /)")]
    fn as_integer_ratio(&self, vm: &Vm) -> PyResult {
        check_finite(self.value(), "integer ratio", vm)?;
        match self.value().as_integer_ratio() {
            Some((numerator, denominator)) => {
                let pair = [Int::from_big(numerator, vm), Int::from_big(denominator, vm)];
                Ok(vm.new_tuple(pair).into_object())
            }
            None => Err(vm.memory_error()),
        }
    }

    #[method("($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, object, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let text = self.as_object().str(vm)?;
        let class = self.as_object().ob_type().as_object().to_ref();
        let arguments = vm.new_tuple([text.into_object()]);
        Ok(vm.new_tuple([class, arguments.into_object()]).into_object())
    }

    #[method("!($self, /, *args)")]
    fn __round__(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let places = match args {
            [] => None,
            [places] => Some(*places).filter(|places| !vm.is_none(places)),
            _ => {
                return Err(
                    vm.type_error(format!("function takes at most 1 argument ({} given)", args.len()))
                );
            }
        };
        let Some(places) = places else { return to_int(self.value(), Rounding::HalfEven, vm) };
        if places.downcast_ref::<Int>().is_none() {
            return Err(vm.type_error("optional arg must be an integer"));
        }
        let exponent = size_of_int(places, vm)?.checked_neg().unwrap_or(i64::MAX);
        let context = current::get(vm)?;
        let mut status = 0;
        let unit = Number::small(false, 1, exponent);
        let result = self.value().quantize(&unit, &context.settings(), &mut status);
        context.signal(status, vm)?;
        Ok(Decimal::make(result, vm))
    }

    #[method("($self, /)")]
    fn __ceil__(&self, vm: &Vm) -> PyResult {
        to_int(self.value(), Rounding::Ceiling, vm)
    }

    #[method("($self, /)")]
    fn __floor__(&self, vm: &Vm) -> PyResult {
        to_int(self.value(), Rounding::Floor, vm)
    }

    #[method("($self, /)")]
    fn __trunc__(&self, vm: &Vm) -> PyResult {
        to_int(self.value(), Rounding::Down, vm)
    }

    #[method("($self, /)")]
    fn __complex__(&self, vm: &Vm) -> PyResult {
        Ok(Complex::new(to_float(self.value(), vm)?, 0.0, vm))
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Decimal>() + self.value().heap_words() * size_of::<u64>()
    }
}
