//! `complex`.

use taipan_numeric::complex::{self as arithmetic, Operand, Pair, PowerError};
use taipan_numeric::float as numeric;
use taipan_numeric::format_spec::{NumberLocale, format_complex};

use crate::builtins::int::{parse_spec, raise_spec_error, to_ascii};
use crate::builtins::str::StrBuilder;
use crate::interpreter::fully_qualified_name;
use crate::prelude::*;

/// `PyComplexObject`.
#[repr(C)]
pub struct Complex {
    /// The header.
    pub ob: Object,
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

const _: () = assert!(size_of::<Complex>() == 32);

impl Complex {
    /// A complex number.
    pub fn new(re: f64, im: f64, vm: &Vm) -> ObjRef {
        vm.new_object(Complex { ob: Object::new(Complex::type_object()), re, im }).into_object()
    }
}

fn operand(object: &Object, vm: &Vm) -> PyResult<Option<Operand>> {
    if let Some(z) = object.downcast_ref::<Complex>() {
        return Ok(Some(Operand::Complex((z.re, z.im))));
    }
    if let Some(x) = object.downcast_ref::<Float>() {
        return Ok(Some(Operand::Real(x.value())));
    }
    match object.downcast_ref::<Int>() {
        Some(int) => Ok(Some(Operand::Real(int.to_f64(vm)?))),
        None => Ok(None),
    }
}

/// An operation on two numbers, or NotImplemented.
fn operate(
    a: &Object,
    b: &Object,
    vm: &Vm,
    operation: impl FnOnce(Operand, Operand) -> PyResult<Pair>,
) -> PyResult {
    let (Some(x), Some(y)) = (operand(a, vm)?, operand(b, vm)?) else { return Ok(vm.not_implemented()) };
    let (re, im) = operation(x, y)?;
    Ok(Complex::new(re, im, vm))
}

fn raise_power(a: Pair, b: Pair, vm: &Vm) -> PyResult<Pair> {
    arithmetic::power(a, b).map_err(|error| match error {
        PowerError::ZeroToNegative => vm.zero_division_error("zero to a negative or complex power"),
        PowerError::TooLarge => vm.overflow_error("complex exponentiation"),
    })
}

/// `x ** y` of floats whose result is complex.
pub fn power(x: f64, y: f64, vm: &Vm) -> PyResult {
    let (re, im) = raise_power((x, 0.0), (y, 0.0), vm)?;
    Ok(Complex::new(re, im, vm))
}

/// Parses "1+2j" and its relatives.
fn parse(text: &[u8]) -> Option<Pair> {
    let text = text.trim_ascii();
    let inner = match text {
        [b'(', inner @ .., b')'] => inner.trim_ascii(),
        _ => text,
    };
    // The end of a number at the head of the text: up to a sign that does not follow an exponent's letter, or a `j`.
    let number_end = |text: &[u8]| {
        let mut at = usize::from(matches!(text.first(), Some(b'+' | b'-')));
        while let Some(&byte) = text.get(at) {
            let after_exponent = at > 0 && matches!(text.get(at - 1), Some(b'e' | b'E'));
            if matches!(byte, b'j' | b'J') || (matches!(byte, b'+' | b'-') && !after_exponent) {
                break;
            }
            at += 1;
        }
        at
    };
    let imaginary = |text: &[u8]| match text {
        [] | [b'+'] => Some(1.0),
        [b'-'] => Some(-1.0),
        digits => numeric::parse(digits),
    };
    let end = number_end(inner);
    let (first, rest) = inner.split_at_checked(end)?;
    match rest {
        [] => Some((numeric::parse(first)?, 0.0)),
        [b'j' | b'J'] => Some((0.0, imaginary(first)?)),
        [b'+' | b'-', .., b'j' | b'J'] => {
            let (second, tail) = rest.split_at_checked(number_end(rest))?;
            if tail.len() != 1 {
                return None;
            }
            Some((numeric::parse(first)?, imaginary(second)?))
        }
        _ => None,
    }
}

/// What `__complex__` gives, if there is such a method.
fn from_special(object: &Object, vm: &Vm) -> PyResult<Option<Pair>> {
    let Some(method) = object.lookup_special(&vm.intern("__complex__"), vm)? else { return Ok(None) };
    let result = method.call_no_args(vm)?;
    let given = result.ob_type().name();
    match result.downcast_ref::<Complex>() {
        None => Err(vm.type_error(format!(
            "{}.__complex__() must return a complex, not {given}",
            object.ob_type().name()
        ))),
        Some(z) => {
            if result.downcast_exact::<Complex>().is_none() {
                crate::builtins::warn::deprecation(
                    &format!(
                        "{}.__complex__() must return a complex, not {given}.  The ability to return an instance of a strict subclass of complex is deprecated, and may not be supported in a future version of Python.",
                        object.ob_type().name()
                    ),
                    vm,
                )?;
            }
            Ok(Some((z.re, z.im)))
        }
    }
}

/// An object as a complex number: complex, `__complex__`, `__float__`, `__index__`.
pub fn as_complex(object: &Object, vm: &Vm) -> PyResult<Pair> {
    if let Some(z) = object.downcast_ref::<Complex>() {
        return Ok((z.re, z.im));
    }
    match from_special(object, vm)? {
        Some(pair) => Ok(pair),
        None => Ok((object.as_f64(vm)?, 0.0)),
    }
}

fn is_real(object: &Object) -> bool {
    object.has_index() || object.ob_type().as_number().is_some_and(|n| n.nb_float.get().is_some())
}

/// Create a complex number from a string or numbers.
///
/// If a string is given, parse it as a complex number.
/// If a single number is given, convert it to a complex number.
/// If the 'real' or 'imag' arguments are given, create a complex number
/// with the specified real and imaginary components.
#[pytype(
    name = "complex",
    symbol = "PyComplex_Type",
    flags(BASETYPE),
    members(
        real: DOUBLE = re readonly "the real part of a complex number",
        imag: DOUBLE = im readonly "the imaginary part of a complex number"
    )
)]
impl Complex {
    #[new("(real=0, imag=0)")]
    fn construct(cls: &Type, real: Option<&Object>, imag: Option<&Object>, vm: &Vm) -> PyResult {
        let exact = std::ptr::eq(cls, Complex::TYPE_PTR);
        let make = |(re, im): Pair| {
            vm.new_instance(cls, Complex { ob: Object::new(Complex::type_object()), re, im })
        };
        let Some(real) = real else {
            return match imag {
                None => make((0.0, 0.0)),
                Some(imag) => {
                    let part = part_of(imag, "imag", vm)?;
                    let is_complex = imag.downcast_ref::<Complex>().is_some();
                    make((if is_complex { 0.0 - part.1 } else { 0.0 }, part.0))
                }
            };
        };
        if imag.is_none() {
            if exact && real.downcast_exact::<Complex>().is_some() {
                return Ok(real.to_ref());
            }
            if let Some(text) = real.downcast_ref::<Str>() {
                return match parse(&to_ascii(text)) {
                    Some(pair) => make(pair),
                    None => Err(vm.value_error("complex() arg is a malformed string")),
                };
            }
            if real.downcast_ref::<Complex>().is_none() {
                if let Some(pair) = from_special(real, vm)? {
                    return make(pair);
                }
                if !is_real(real) {
                    return Err(vm.type_error(format!(
                        "complex() argument must be a string or a number, not {}",
                        real.ob_type().name()
                    )));
                }
            }
            return make(as_complex(real, vm)?);
        }
        let re = part_of(real, "real", vm)?;
        let im = match imag {
            Some(imag) => part_of(imag, "imag", vm)?,
            None => (0.0, 0.0),
        };
        // Only parts that are there take part: adding a missing zero would lose the sign of a negative one.
        let is_complex = |object: &Object| object.downcast_ref::<Complex>().is_some();
        let first = if imag.is_some_and(is_complex) { re.0 - im.1 } else { re.0 };
        let second = if is_complex(real) { re.1 + im.0 } else { im.0 };
        make((first, second))
    }

    /// Convert number to a complex floating-point number.
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &Type, number: &Object, vm: &Vm) -> PyResult {
        let exact = std::ptr::eq(cls, Complex::TYPE_PTR);
        if exact && number.downcast_exact::<Complex>().is_some() {
            return Ok(number.to_ref());
        }
        let (re, im) = as_complex(number, vm)?;
        let value = Complex::new(re, im, vm);
        if exact { Ok(value) } else { cls.as_object().call(&[&value], vm) }
    }

    /// Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.
    #[method("($self, /)")]
    fn conjugate(&self, vm: &Vm) -> ObjRef {
        Complex::new(self.re, -self.im, vm)
    }

    /// Convert this value to exact type complex.
    #[method("($self, /)")]
    fn __complex__(&self, vm: &Vm) -> ObjRef {
        if self.as_object().type_ptr() == Complex::TYPE_PTR {
            return self.as_object().to_ref();
        }
        Complex::new(self.re, self.im, vm)
    }

    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([vm.new_float(self.re), vm.new_float(self.im)])
    }

    /// Convert to a string according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if format_spec.len() == 0 {
            return self.as_object().str(vm);
        }
        let spec = parse_spec(self.as_object(), format_spec, 0, vm)?;
        let mut out = StrBuilder::new();
        format_complex(&mut out, self.re, self.im, &spec, &NumberLocale::C)
            .map_err(|error| raise_spec_error(error, self.as_object(), format_spec, vm))?;
        Ok(out.finish(vm))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> Ref<Str> {
        Str::from_ascii(numeric::complex_repr(self.re, self.im).as_bytes(), vm)
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        let part = |x: f64| {
            numeric::hash(x)
                .map_or_else(|| crate::builtins::object::pointer_hash(self.as_object()), |h| h as isize)
        };
        Ok(part(self.re).wrapping_add(part(self.im).wrapping_mul(1_000_003)))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let equal = if let Some(z) = other.downcast_ref::<Complex>() {
            self.re == z.re && self.im == z.im
        } else if other.downcast_ref::<Int>().is_some() || other.downcast_ref::<Float>().is_some() {
            self.im == 0.0 && vm.new_float(self.re).rich_compare(other, CompareOp::Eq, vm)?.is(vm.true_ref())
        } else {
            return Ok(vm.not_implemented());
        };
        Ok(vm.new_bool(equal == (op == CompareOp::Eq)))
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operate(a, b, vm, |x, y| Ok(arithmetic::add(x, y)))
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operate(a, b, vm, |x, y| Ok(arithmetic::subtract(x, y)))
    }

    #[slot]
    fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operate(a, b, vm, |x, y| Ok(arithmetic::multiply(x, y)))
    }

    #[slot]
    fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operate(a, b, vm, |x, y| {
            arithmetic::divide(x, y).ok_or_else(|| vm.zero_division_error("division by zero"))
        })
    }

    #[slot]
    fn nb_power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
        if !vm.is_none(c) {
            return Err(vm.value_error("complex modulo"));
        }
        operate(a, b, vm, |x, y| raise_power(x.pair(), y.pair(), vm))
    }

    #[slot]
    fn nb_negative(&self, vm: &Vm) -> ObjRef {
        Complex::new(-self.re, -self.im, vm)
    }

    #[slot]
    fn nb_positive(&self, vm: &Vm) -> ObjRef {
        self.__complex__(vm)
    }

    #[slot]
    fn nb_absolute(&self, vm: &Vm) -> PyResult<f64> {
        let length = self.re.hypot(self.im);
        if length.is_infinite() && self.re.is_finite() && self.im.is_finite() {
            return Err(vm.overflow_error("absolute value too large"));
        }
        Ok(length)
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.re != 0.0 || self.im != 0.0)
    }
}

/// A part given to `complex(real, imag)`.
fn part_of(object: &Object, name: &str, vm: &Vm) -> PyResult<Pair> {
    if let Some(z) = object.downcast_ref::<Complex>() {
        crate::builtins::warn::deprecation(
            &format!(
                "complex() argument '{name}' must be a real number, not {}",
                fully_qualified_name(object.ob_type(), vm)
            ),
            vm,
        )?;
        return Ok((z.re, z.im));
    }
    if !is_real(object) {
        return Err(vm.type_error(format!(
            "complex() argument '{name}' must be a real number, not {}",
            fully_qualified_name(object.ob_type(), vm)
        )));
    }
    Ok((object.as_f64(vm)?, 0.0))
}
