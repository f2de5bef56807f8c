//! `Decimal`: the layout, and how operations get their operands and give their results.

use std::borrow::Cow;
use std::cell::Cell;

use taipan_numeric::decimal::{self as core, Decimal as Number, Rounding, Status};
use taipan_vm::prelude::*;

use super::context::Context;
use super::current;
use super::number::hash_of;
use super::signals::rounding_of;
use super::{construct, format, number};

/// The layout. Coefficients of up to 76 digits live in the object.
#[repr(C)]
pub struct Decimal {
    ob: Object,
    /// -1 until it is computed.
    hash: Cell<isize>,
    value: Number,
}

/// An operation on one number.
pub type Unary = fn(&Number, &core::Context, &mut Status) -> Number;
/// An operation on two numbers.
pub type Binary = fn(&Number, &Number, &core::Context, &mut Status) -> Number;

impl Decimal {
    /// The number.
    #[inline]
    pub fn value(&self) -> &Number {
        &self.value
    }

    /// The cache of the hash.
    pub fn hash_cache(&self) -> &Cell<isize> {
        &self.hash
    }

    fn layout(value: Number) -> Decimal {
        Decimal { ob: Object::new(Decimal::type_object()), hash: Cell::new(-1), value }
    }

    /// A decimal object.
    #[inline]
    pub fn make(value: Number, vm: &Vm) -> ObjRef {
        vm.new_object(Decimal::layout(value)).into_object()
    }

    /// A decimal object of a class.
    pub fn make_of(cls: &Type, value: Number, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Decimal::layout(value))
    }
}

/// A decimal or int as a number; none for other objects.
#[inline]
pub fn operand(object: &Object) -> Option<Cow<'_, Number>> {
    if let Some(decimal) = object.downcast_ref::<Decimal>() {
        return Some(Cow::Borrowed(&decimal.value));
    }
    object.downcast_ref::<Int>().map(|int| Cow::Owned(Number::from_int(int.as_int_ref())))
}

/// The same, with an exception for other objects.
pub fn required<'a>(object: &'a Object, vm: &Vm) -> PyResult<Cow<'a, Number>> {
    operand(object).ok_or_else(|| construct::not_supported(object, vm))
}

/// A method of one decimal.
pub fn unary(a: &Object, context: &Context, operation: Unary, vm: &Vm) -> PyResult {
    let a = required(a, vm)?;
    let mut status = 0;
    let result = operation(&a, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// A method of two decimals.
pub fn binary(a: &Object, b: &Object, context: &Context, operation: Binary, vm: &Vm) -> PyResult {
    let (a, b) = (required(a, vm)?, required(b, vm)?);
    let mut status = 0;
    let result = operation(&a, &b, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// A method of two decimals that no context bears on.
pub fn plain_binary(a: &Object, b: &Object, operation: fn(&Number, &Number) -> Number, vm: &Vm) -> PyResult {
    let (a, b) = (required(a, vm)?, required(b, vm)?);
    Ok(Decimal::make(operation(&a, &b), vm))
}

/// `a * b + c`
pub fn fma(a: &Object, b: &Object, c: &Object, context: &Context, vm: &Vm) -> PyResult {
    let (a, b, c) = (required(a, vm)?, required(b, vm)?, required(c, vm)?);
    let mut status = 0;
    let result = a.fma(&b, &c, &context.settings(), &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// A method of one decimal that takes a rounding mode.
pub fn rounded(
    a: &Object,
    rounding: Option<&Object>,
    context: &Context,
    operation: impl FnOnce(&Number, &core::Context, &mut Status) -> Number,
    vm: &Vm,
) -> PyResult {
    let mut settings = context.settings();
    if let Some(rounding) = rounding.filter(|rounding| !vm.is_none(rounding)) {
        settings.rounding = rounding_of(rounding, vm)?;
    }
    let a = required(a, vm)?;
    let mut status = 0;
    let result = operation(&a, &settings, &mut status);
    context.signal(status, vm)?;
    Ok(Decimal::make(result, vm))
}

/// A question about one decimal.
pub fn test(a: &Object, question: impl FnOnce(&Number) -> bool, vm: &Vm) -> PyResult<bool> {
    Ok(question(&*required(a, vm)?))
}

/// The decimal itself: an exact one as it is, others converted.
pub fn same(a: &Object, vm: &Vm) -> PyResult {
    if a.downcast_ref::<Decimal>().is_some() {
        return Ok(a.to_ref());
    }
    Ok(Decimal::make(required(a, vm)?.into_owned(), vm))
}

/// Construct a new Decimal object. 'value' can be an integer, string, tuple,
/// or another Decimal object. If no value is given, return Decimal('0'). The
/// context does not affect the conversion and is only passed to determine if
/// the InvalidOperation trap is active.
#[pytype(name = "decimal.Decimal", flags(BASETYPE), methods(NUMBER_METHODS, DECIMAL_METHODS))]
impl Decimal {
    #[new("?(value=\"0\", context=None)")]
    fn new(cls: &Type, value: Option<&Object>, context: Option<&Object>, vm: &Vm) -> PyResult {
        let context = current::given(context, vm)?;
        match value {
            None => Decimal::make_of(cls, Number::default(), vm),
            Some(value) => construct::exact(cls, value, &context, vm),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let capitals = current::get(vm)?.capitals();
        Ok(format!("Decimal('{}')", self.value.to_text(false, capitals)))
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<String> {
        let capitals = current::get(vm)?.capitals();
        Ok(self.value.to_text(false, capitals))
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        hash_of(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        number::compare(self, other, op, vm)
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::add, vm)
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::subtract, vm)
    }

    #[slot]
    fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::multiply, vm)
    }

    #[slot]
    fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::divide, vm)
    }

    #[slot]
    fn nb_floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::divide_int, vm)
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::operate(a, b, Number::remainder, vm)
    }

    #[slot]
    fn nb_divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match (operand(a), operand(b)) {
            (Some(a), Some(b)) => number::divmod(&a, &b, &*current::get(vm)?, vm),
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
        if vm.is_none(c) {
            return number::operate(a, b, Number::power, vm);
        }
        match (operand(a), operand(b), operand(c)) {
            (Some(a), Some(b), Some(c)) => number::power_modulo(&a, &b, &c, &*current::get(vm)?, vm),
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_negative(&self, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*current::get(vm)?, Number::minus, vm)
    }

    #[slot]
    fn nb_positive(&self, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*current::get(vm)?, Number::plus, vm)
    }

    #[slot]
    fn nb_absolute(&self, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*current::get(vm)?, Number::abs, vm)
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.value.is_zero())
    }

    #[slot]
    fn nb_int(&self, vm: &Vm) -> PyResult {
        number::to_int(&self.value, Rounding::Down, vm)
    }

    #[slot]
    fn nb_float(&self, vm: &Vm) -> PyResult<f64> {
        number::to_float(&self.value, vm)
    }

    #[method("!($self, /, *args)")]
    fn __format__(&self, args: &[&Object], vm: &Vm) -> PyResult<Ref<Str>> {
        format::format(self, args, vm)
    }

    #[getter]
    fn real(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[getter]
    fn imag(&self, vm: &Vm) -> ObjRef {
        Decimal::make(Number::default(), vm)
    }
}
