//! Decimals from other objects.

use taipan_numeric::decimal::{self as core, Decimal as Number, Kind, Status};
use taipan_vm::prelude::*;

use super::context::{Context, size_of_int};
use super::decimal::Decimal;

/// The error for objects that are no numbers.
#[cold]
pub fn not_supported(object: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("conversion from {} to Decimal is not supported", object.ob_type().name()))
}

/// Text as ASCII: decimal digits of any script by value, other characters as some that no number has.
fn ascii(text: &Str, lenient: bool) -> Vec<u8> {
    let bytes: Vec<u8> = (0..text.len())
        .filter_map(|at| text.char_at(at))
        .filter(|code| !lenient || *code != u32::from('_'))
        .map(|code| match u8::try_from(code) {
            Ok(byte) if byte < 128 && !(lenient && taipan_unicode::is_space(code)) => byte,
            _ if taipan_unicode::is_space(code) => b' ',
            _ => taipan_unicode::decimal_value(code).map_or(b'?', |digit| b'0' + digit),
        })
        .collect();
    if lenient { bytes.trim_ascii().to_vec() } else { bytes }
}

/// How far a conversion may change the number.
#[derive(Clone, Copy, PartialEq)]
enum Exactness {
    /// All digits are kept.
    Exact,
    /// The number is rounded to the context.
    Rounded,
}

/// Makes the object of a class; with `Exact`, loss of digits is an invalid operation.
fn finish(
    cls: &Type,
    value: Number,
    mut status: Status,
    exactness: Exactness,
    context: &Context,
    vm: &Vm,
) -> PyResult {
    let mut value = value;
    match exactness {
        Exactness::Rounded => value.finalize(&context.settings(), &mut status),
        Exactness::Exact => {
            value.finalize(&core::Context::MAX, &mut status);
            if status & (core::INEXACT | core::ROUNDED | core::CLAMPED) != 0 {
                value = Number::nan();
                status = core::INVALID_OPERATION;
            }
            status &= core::ANY_INVALID;
        }
    }
    context.signal(status, vm)?;
    Decimal::make_of(cls, value, vm)
}

/// `Decimal(value)`
pub fn exact(cls: &Type, value: &Object, context: &Context, vm: &Vm) -> PyResult {
    if let Some(decimal) = value.downcast_ref::<Decimal>() {
        let is_plain = |tp: &Type| std::ptr::eq(tp, Decimal::type_object());
        if is_plain(cls) && is_plain(value.ob_type()) {
            return Ok(value.to_ref());
        }
        return Decimal::make_of(cls, decimal.value().clone(), vm);
    }
    if let Some(text) = value.downcast_ref::<Str>() {
        let mut status = 0;
        let number = Number::parse_exact(&ascii(text, true), &mut status);
        context.signal(status, vm)?;
        return Decimal::make_of(cls, number, vm);
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        return finish(cls, Number::from_int(int.as_int_ref()), 0, Exactness::Exact, context, vm);
    }
    if let Some(items) = sequence(value) {
        return from_sequence(cls, &items, Exactness::Exact, context, vm);
    }
    if let Some(float) = value.downcast_ref::<Float>() {
        context.signal(core::FLOAT_OPERATION, vm)?;
        return finish(cls, Number::from_f64(float.value()), 0, Exactness::Exact, context, vm);
    }
    Err(not_supported(value, vm))
}

/// `Context.create_decimal(value)`
pub fn rounded(value: &Object, context: &Context, vm: &Vm) -> PyResult {
    let cls = Decimal::type_object();
    if let Some(decimal) = value.downcast_ref::<Decimal>() {
        let number = decimal.value();
        let settings = context.settings();
        let room = settings.prec - i64::from(settings.clamp);
        if number.is_nan() && number.digits() > room {
            // A payload that does not fit makes the NaN invalid.
            context.signal(core::CONVERSION_SYNTAX, vm)?;
            return Decimal::make_of(cls, Number::nan(), vm);
        }
        return finish(cls, number.clone(), 0, Exactness::Rounded, context, vm);
    }
    if let Some(text) = value.downcast_ref::<Str>() {
        let mut status = 0;
        let number = Number::parse(&ascii(text, false), &context.settings(), &mut status);
        context.signal(status, vm)?;
        return Decimal::make_of(cls, number, vm);
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        return finish(cls, Number::from_int(int.as_int_ref()), 0, Exactness::Rounded, context, vm);
    }
    if let Some(items) = sequence(value) {
        return from_sequence(cls, &items, Exactness::Rounded, context, vm);
    }
    if let Some(float) = value.downcast_ref::<Float>() {
        context.signal(core::FLOAT_OPERATION, vm)?;
        return finish(cls, Number::from_f64(float.value()), 0, Exactness::Rounded, context, vm);
    }
    Err(not_supported(value, vm))
}

/// `Decimal.from_float(f)`: an object of the class, with all digits.
pub fn from_float(cls: &Type, value: &Object, context: &Context, vm: &Vm) -> PyResult {
    let number = float_number(value, vm)?;
    let exact = finish(Decimal::type_object(), number, 0, Exactness::Exact, context, vm)?;
    if std::ptr::eq(cls, Decimal::type_object()) {
        return Ok(exact);
    }
    cls.as_object().call(&[&exact], vm)
}

/// `Decimal.from_number(number)`
pub fn from_number(cls: &Type, value: &Object, context: &Context, vm: &Vm) -> PyResult {
    let number = if let Some(decimal) = value.downcast_ref::<Decimal>() {
        if std::ptr::eq(value.ob_type(), Decimal::type_object()) && std::ptr::eq(cls, value.ob_type()) {
            return Ok(value.to_ref());
        }
        decimal.value().clone()
    } else if value.downcast_ref::<Int>().is_some() || value.downcast_ref::<Float>().is_some() {
        float_number(value, vm)?
    } else {
        return Err(not_supported(value, vm));
    };
    let exact = finish(Decimal::type_object(), number, 0, Exactness::Exact, context, vm)?;
    if std::ptr::eq(cls, Decimal::type_object()) {
        return Ok(exact);
    }
    cls.as_object().call(&[&exact], vm)
}

/// `Context.create_decimal_from_float(f)`
pub fn rounded_float(value: &Object, context: &Context, vm: &Vm) -> PyResult {
    finish(Decimal::type_object(), float_number(value, vm)?, 0, Exactness::Rounded, context, vm)
}

/// A float or int as a number.
fn float_number(value: &Object, vm: &Vm) -> PyResult<Number> {
    if let Some(int) = value.downcast_ref::<Int>() {
        return Ok(Number::from_int(int.as_int_ref()));
    }
    match value.downcast_ref::<Float>() {
        Some(float) => Ok(Number::from_f64(float.value())),
        None => Err(vm.type_error("argument must be int or float")),
    }
}

fn sequence(value: &Object) -> Option<Vec<ObjRef>> {
    if let Some(tuple) = value.downcast_ref::<Tuple>() {
        return Some(tuple.as_slice().to_vec());
    }
    value.downcast_ref::<List>().map(List::to_vec)
}

/// A number from sign, digits and exponent.
fn from_sequence(cls: &Type, items: &[ObjRef], exactness: Exactness, context: &Context, vm: &Vm) -> PyResult {
    let [sign, digits, exponent] = items else {
        return Err(vm.value_error("argument must be a sequence of length 3"));
    };
    let sign = sign.downcast_ref::<Int>().and_then(Int::to_i64);
    let Some(sign @ (0 | 1)) = sign else {
        return Err(vm.value_error("sign must be an integer with the value 0 or 1"));
    };
    let negative = sign == 1;
    let (kind, exponent) = if let Some(name) = exponent.downcast_ref::<Str>() {
        match name.as_ascii_str() {
            Some("F") => (Kind::Infinite, 0),
            Some("n") => (Kind::QuietNan, 0),
            Some("N") => (Kind::SignalingNan, 0),
            _ => return Err(vm.value_error("string argument in the third position must be 'F', 'n' or 'N'")),
        }
    } else if exponent.downcast_ref::<Int>().is_some() {
        (Kind::Finite, size_of_int(exponent, vm)?)
    } else {
        return Err(vm.value_error("exponent must be an integer"));
    };
    let not_digits = || vm.value_error("coefficient must be a tuple of digits");
    let digits = sequence(digits).ok_or_else(not_digits)?;
    let values: Option<Vec<u8>> = digits
        .iter()
        .map(|digit| {
            let value = digit.downcast_ref::<Int>().and_then(Int::to_i64)?;
            u8::try_from(value).ok().filter(|value| *value < 10).map(|value| value + b'0')
        })
        .collect();
    let coefficient = core::from_digits(&values.ok_or_else(not_digits)?);
    let number = match kind {
        Kind::Infinite => Number::infinity(negative),
        Kind::Finite => {
            // Beyond every range is far enough.
            Number::new(
                negative,
                coefficient,
                exponent.clamp(-4_000_000_000_000_000_000, 4_000_000_000_000_000_000),
            )
        }
        kind => {
            let number = Number::nan_with(negative, kind == Kind::SignalingNan, coefficient);
            let settings = context.settings();
            if exactness == Exactness::Rounded && number.digits() > settings.prec - i64::from(settings.clamp)
            {
                context.signal(core::CONVERSION_SYNTAX, vm)?;
                return Decimal::make_of(cls, Number::nan(), vm);
            }
            number
        }
    };
    finish(cls, number, 0, exactness, context, vm)
}
