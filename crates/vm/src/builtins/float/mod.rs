//! `float`.

use std::cmp::Ordering;

use taipan_numeric::float as numeric;
use taipan_numeric::float::FloatError;
use taipan_numeric::format_spec::{NumberLocale, format_float};

use crate::builtins::int::{parse_spec, raise_int_error, raise_kind, raise_spec_error};
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

/// `PyFloatObject`.
#[repr(C)]
pub struct Float {
    /// The header.
    pub ob: Object,
    value: f64,
}

const _: () = assert!(size_of::<Float>() == 24);

impl Float {
    /// A float.
    #[inline(always)]
    pub fn new(value: f64, vm: &Vm) -> ObjRef {
        vm.new_object(Float { ob: Object::new(Float::type_object()), value }).into_object()
    }

    /// The value.
    #[inline(always)]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Stores another value: the interpreter does so when nobody else holds the object.
    ///
    /// # Safety
    /// The caller owns the only reference.
    #[inline(always)]
    pub unsafe fn overwrite(&self, value: f64) {
        // SAFETY: nobody else can see the object.
        unsafe { (&raw const self.value).cast_mut().write(value) };
    }

    /// Appends `format(self, spec)`.
    pub fn push_formatted(&self, spec: &Str, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        if spec.is_empty() {
            out.push(&*self.as_object().str(vm)?);
            return Ok(());
        }
        let parsed = parse_spec(self.as_object(), spec, 0, vm)?;
        format_float(out, self.value, &parsed, &NumberLocale::C)
            .map_err(|error| raise_spec_error(error, self.as_object(), spec, vm))
    }
}

/// An operand as a float; none for objects that are neither float nor int.
#[inline(always)]
fn operand(object: &Object, vm: &Vm) -> PyResult<Option<f64>> {
    if let Some(float) = object.downcast_ref::<Float>() {
        return Ok(Some(float.value));
    }
    match object.downcast_ref::<Int>() {
        Some(int) => int.to_f64(vm).map(Some),
        None => Ok(None),
    }
}

#[cold]
fn raise_float_error(error: FloatError, vm: &Vm) -> Raised {
    if error == FloatError::Range {
        let text = vm.new_str(error.text()).into_object();
        return vm.raise_with(types::overflow_error(), vec![vm.new_int(34), text]);
    }
    raise_kind(error.kind(), error.text(), vm)
}

/// `x ** y`: complex for a negative base and a fractional exponent.
pub fn power(x: f64, y: f64, vm: &Vm) -> PyResult {
    match numeric::pow(x, y) {
        Ok(value) => Ok(vm.new_float(value)),
        Err(FloatError::ComplexResult) => crate::builtins::complex::power(x, y, vm),
        Err(error) => Err(raise_float_error(error, vm)),
    }
}

macro_rules! arithmetic {
    ($a:ident, $b:ident, $vm:ident, |$x:ident, $y:ident| $result:expr) => {{
        let Some($x) = operand($a, $vm)? else { return Ok($vm.not_implemented()) };
        let Some($y) = operand($b, $vm)? else { return Ok($vm.not_implemented()) };
        $result
    }};
}

/// The float that a str, bytes or other buffer spells; none for objects that are no text.
fn from_text(object: &Object, vm: &Vm) -> PyResult<Option<f64>> {
    let text = if let Some(text) = object.downcast_ref::<Str>() {
        crate::builtins::int::to_ascii(text)
    } else if object.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some()) {
        object.get_buffer(crate::protocols::buffer::SIMPLE, vm)?.as_bytes().to_vec()
    } else {
        return Ok(None);
    };
    let is_space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b || (0x1c..=0x1f).contains(b);
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !is_space(b)).map_or(start, |at| at + 1);
    match numeric::parse(text.get(start..end).unwrap_or_default()) {
        Some(value) => Ok(Some(value)),
        None => {
            let shown = object.repr(vm)?;
            Err(vm.value_error(format!("could not convert string to float: {}", shown.to_string_lossy())))
        }
    }
}

fn from_object(object: &Object, vm: &Vm) -> PyResult<f64> {
    if object.downcast_exact::<Str>().is_none() {
        if let Some(value) = crate::protocols::number::converted_to_float(object, vm)? {
            return Ok(value);
        }
    }
    from_text(object, vm)?.ok_or_else(|| {
        vm.type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            object.ob_type().name()
        ))
    })
}

fn to_int(value: f64, vm: &Vm) -> PyResult {
    if value.abs() < 9e18 {
        return Ok(vm.new_int(value as i64));
    }
    taipan_numeric::BigInt::from_f64(value)
        .map(|big| Int::from_big(big, vm))
        .map_err(|error| raise_int_error(error, vm))
}

/// Convert a string or number to a floating-point number, if possible.
#[pytype(name = "float", symbol = "PyFloat_Type", flags(BASETYPE, MATCH_SELF))]
impl Float {
    #[new("(x=0, /)")]
    fn construct(cls: &Type, x: Option<&Object>, vm: &Vm) -> PyResult {
        let value = match x {
            Some(exact)
                if exact.downcast_exact::<Float>().is_some() && std::ptr::eq(cls, Float::TYPE_PTR) =>
            {
                return Ok(exact.to_ref());
            }
            Some(x) => from_object(x, vm)?,
            None => 0.0,
        };
        vm.new_instance(cls, Float { ob: Object::new(Float::type_object()), value })
    }

    /// Convert real number to a floating-point number.
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &Type, number: &Object, vm: &Vm) -> PyResult {
        if number.downcast_exact::<Float>().is_some() && std::ptr::eq(cls, Float::TYPE_PTR) {
            return Ok(number.to_ref());
        }
        let value = vm.new_float(number.as_f64(vm)?);
        if std::ptr::eq(cls, Float::TYPE_PTR) { Ok(value) } else { cls.as_object().call(&[&value], vm) }
    }

    /// Return self, the complex conjugate of any float.
    #[method("($self, /)")]
    fn conjugate(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// Return the Integral closest to x between 0 and x.
    #[method("($self, /)")]
    fn __trunc__(&self, vm: &Vm) -> PyResult {
        to_int(self.value, vm)
    }

    /// Return the floor as an Integral.
    #[method("($self, /)")]
    fn __floor__(&self, vm: &Vm) -> PyResult {
        to_int(self.value.floor(), vm)
    }

    /// Return the ceiling as an Integral.
    #[method("($self, /)")]
    fn __ceil__(&self, vm: &Vm) -> PyResult {
        to_int(self.value.ceil(), vm)
    }

    /// Return the Integral closest to x, rounding half toward even.
    ///
    /// When an argument is passed, work like built-in round(x, ndigits).
    #[method("($self, ndigits=None, /)")]
    fn __round__(&self, ndigits: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(ndigits) = ndigits.filter(|n| !vm.is_none(n)) else {
            return Int::from_result(numeric::round_to_int(self.value), vm);
        };
        let ndigits = ndigits.as_isize_clamped(vm)? as i64;
        numeric::round(self.value, ndigits)
            .map(|value| vm.new_float(value))
            .map_err(|error| raise_float_error(error, vm))
    }

    /// Return a pair of integers, whose ratio is exactly equal to the original float.
    ///
    /// The ratio is in lowest terms and has a positive denominator.  Raise
    /// OverflowError on infinities and a ValueError on NaNs.
    ///
    /// >>> (10.0).as_integer_ratio()
    /// (10, 1)
    /// >>> (0.0).as_integer_ratio()
    /// (0, 1)
    /// >>> (-.25).as_integer_ratio()
    /// (-1, 4)
    #[method("($self, /)")]
    fn as_integer_ratio(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (numerator, denominator) =
            numeric::as_integer_ratio(self.value).map_err(|error| raise_float_error(error, vm))?;
        Ok(vm.new_tuple([Int::from_big(numerator, vm), Int::from_big(denominator, vm)]))
    }

    /// Create a floating-point number from a hexadecimal string.
    ///
    /// >>> float.fromhex('0x1.ffffp10')
    /// 2047.984375
    /// >>> float.fromhex('-0x1p-1074')
    /// -5e-324
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &Type, string: &Object, vm: &Vm) -> PyResult {
        let Some(text) = string.downcast_ref::<Str>() else {
            return Err(vm.type_error("bad argument type for built-in operation"));
        };
        let value = match numeric::from_hex(text.to_utf8(vm)?.as_bytes()) {
            Ok(value) => value,
            Err(error) if error.text().contains("too large") => return Err(vm.overflow_error(error.text())),
            Err(error) => return Err(vm.value_error(error.text())),
        };
        let value = vm.new_float(value);
        if std::ptr::eq(cls, Float::TYPE_PTR) { Ok(value) } else { cls.as_object().call(&[&value], vm) }
    }

    /// Return a hexadecimal representation of a floating-point number.
    ///
    /// >>> (-0.1).hex()
    /// '-0x1.999999999999ap-4'
    /// >>> 3.14159.hex()
    /// '0x1.921f9f01b866ep+1'
    #[method("($self, /)")]
    fn hex(&self) -> String {
        numeric::to_hex(self.value)
    }

    /// Return True if the float is an integer.
    #[method("($self, /)")]
    fn is_integer(&self) -> bool {
        self.value.is_finite() && self.value.floor() == self.value
    }

    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([vm.new_float(self.value)])
    }

    /// You probably don't want to use this function.
    ///
    ///   typestr
    ///     Must be 'double' or 'float'.
    ///
    /// It exists mainly to be used in Python's test suite.
    ///
    /// This function returns whichever of 'unknown', 'IEEE, big-endian' or 'IEEE,
    /// little-endian' best describes the format of floating-point numbers used by the
    /// C type named by typestr.
    #[classmethod("($type, typestr, /)")]
    fn __getformat__(_cls: &Type, typestr: &str, vm: &Vm) -> PyResult<&'static str> {
        match typestr {
            "double" | "float" if cfg!(target_endian = "little") => Ok("IEEE, little-endian"),
            "double" | "float" => Ok("IEEE, big-endian"),
            _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
        }
    }

    /// Formats the float according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut out = StrBuilder::new();
        self.push_formatted(format_spec, &mut out, vm)?;
        out.try_finish(vm)
    }

    /// the real part of a complex number
    #[getter]
    fn real(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self, vm: &Vm) -> ObjRef {
        vm.new_float(0.0)
    }

    fn exact(&self, vm: &Vm) -> ObjRef {
        if self.as_object().type_ptr() == Float::TYPE_PTR {
            self.as_object().to_ref()
        } else {
            vm.new_float(self.value)
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> Ref<Str> {
        Str::from_ascii(numeric::repr(self.value).as_bytes(), vm)
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        Ok(numeric::hash(self.value)
            .map_or_else(|| crate::builtins::object::pointer_hash(self.as_object()), |hash| hash as isize))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> ObjRef {
        let order = if let Some(float) = other.downcast_ref::<Float>() {
            self.value.partial_cmp(&float.value)
        } else if let Some(int) = other.downcast_ref::<Int>() {
            match int.is_compact() {
                true => self.value.partial_cmp(&(int.compact_value() as f64)),
                false => int.as_int_ref().compare_f64(self.value).map(Ordering::reverse),
            }
        } else {
            return vm.not_implemented();
        };
        vm.new_bool(match order {
            Some(order) => op.test(order),
            None => op == CompareOp::Ne,
        })
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| Ok(vm.new_float(x + y)))
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| Ok(vm.new_float(x - y)))
    }

    #[slot]
    fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| Ok(vm.new_float(x * y)))
    }

    #[slot]
    fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| {
            if y == 0.0 {
                return Err(raise_float_error(FloatError::ZeroDivision, vm));
            }
            Ok(vm.new_float(x / y))
        })
    }

    #[slot]
    fn nb_floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| numeric::floor_div(x, y)
            .map(|value| vm.new_float(value))
            .map_err(|error| raise_float_error(error, vm)))
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| numeric::modulo(x, y)
            .map(|value| vm.new_float(value))
            .map_err(|error| raise_float_error(error, vm)))
    }

    #[slot]
    fn nb_divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic!(a, b, vm, |x, y| {
            let (quotient, remainder) =
                numeric::div_mod(x, y).map_err(|error| raise_float_error(error, vm))?;
            Ok(vm.new_tuple([vm.new_float(quotient), vm.new_float(remainder)]).into_object())
        })
    }

    #[slot]
    fn nb_power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
        if !vm.is_none(c) {
            return Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
        }
        arithmetic!(a, b, vm, |x, y| power(x, y, vm))
    }

    #[slot]
    fn nb_negative(&self) -> f64 {
        -self.value
    }

    #[slot]
    fn nb_positive(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    #[slot]
    fn nb_absolute(&self) -> f64 {
        self.value.abs()
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.value != 0.0)
    }

    #[slot]
    fn nb_int(&self, vm: &Vm) -> PyResult {
        to_int(self.value, vm)
    }

    #[slot]
    fn nb_float(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }
}
