//! The methods of `int`.

use taipan_numeric::BigInt;
use taipan_numeric::format_spec::{FormatError, FormatSpec, NumberLocale, format_int};

use super::{Int, raise_int_error, raise_kind};
use crate::builtins::str::{StrBuilder, StrData};
use crate::prelude::*;

/// Parses a format specifier for an object.
pub fn parse_spec(object: &Object, spec: &Str, default_kind: u32, vm: &Vm) -> PyResult<FormatSpec> {
    let parsed = match spec.data() {
        StrData::Ucs1(bytes) => FormatSpec::parse(bytes.iter().map(|&b| u32::from(b)), default_kind),
        data => FormatSpec::parse(data.iter(), default_kind),
    };
    parsed.map_err(|error| raise_spec_error(error, object, spec, vm))
}

/// What a specifier deserves that an object can't be formatted by.
#[cold]
pub fn raise_spec_error(error: FormatError, object: &Object, spec: &Str, vm: &Vm) -> Raised {
    raise_kind(error.kind(), &error.text(&spec.to_string_lossy(), object.ob_type().name()), vm)
}

fn byte_order(order: Option<&Object>, vm: &Vm) -> PyResult<bool> {
    let Some(order) = order else { return Ok(false) };
    match order.downcast_ref::<Str>() {
        Some(text) if text.eq_str("little") => Ok(true),
        Some(text) if text.eq_str("big") => Ok(false),
        Some(_) => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
        None => Err(vm.type_error(format!("byteorder must be str, not {}", order.ob_type().name()))),
    }
}

impl Int {
    /// Appends `format(self, spec)`.
    pub fn push_formatted(&self, spec: &Str, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        if spec.is_empty() {
            out.push(&*self.as_object().str(vm)?);
            return Ok(());
        }
        let parsed = parse_spec(self.as_object(), spec, u32::from('d'), vm)?;
        let limit = usize::try_from(vm.interp().int_max_str_digits.get()).unwrap_or(0);
        format_int(out, self.as_int_ref(), &parsed, limit, &NumberLocale::C)
            .map_err(|error| raise_spec_error(error, self.as_object(), spec, vm))
    }
}

#[pymethods(table = INT_METHODS)]
impl Int {
    /// Returns self, the complex conjugate of any int.
    #[method("($self, /)")]
    fn conjugate(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// Number of bits necessary to represent self in binary.
    ///
    /// >>> bin(37)
    /// '0b100101'
    /// >>> (37).bit_length()
    /// 6
    #[method("($self, /)")]
    fn bit_length(&self) -> u64 {
        self.as_int_ref().bit_length()
    }

    /// Number of ones in the binary representation of the absolute value of self.
    ///
    /// Also known as the population count.
    ///
    /// >>> bin(13)
    /// '0b1101'
    /// >>> (13).bit_count()
    /// 3
    #[method("($self, /)")]
    fn bit_count(&self) -> u64 {
        self.as_int_ref().bit_count()
    }

    /// Return an array of bytes representing an integer.
    ///
    ///   length
    ///     Length of bytes object to use.  An OverflowError is raised if the
    ///     integer is not representable with the given number of bytes.  Default
    ///     is length 1.
    ///   byteorder
    ///     The byte order used to represent the integer.  If byteorder is 'big',
    ///     the most significant byte is at the beginning of the byte array.  If
    ///     byteorder is 'little', the most significant byte is at the end of the
    ///     byte array.  To request the native byte order of the host system, use
    ///     sys.byteorder as the byte order value.  Default is to use 'big'.
    ///   signed
    ///     Determines whether two's complement is used to represent the integer.
    ///     If signed is False and a negative integer is given, an OverflowError
    ///     is raised.
    #[method("($self, /, length=1, byteorder='big', *, signed=False)")]
    fn to_bytes(
        &self,
        length: Option<isize>,
        byteorder: Option<&Object>,
        signed: bool,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let little = byte_order(byteorder, vm)?;
        let length = length.unwrap_or(1);
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.value_error("length argument must be non-negative"));
        };
        let bytes =
            self.as_int_ref().to_bytes(length, little, signed).map_err(|error| raise_int_error(error, vm))?;
        Ok(vm.new_bytes(&bytes))
    }

    /// Return the integer represented by the given array of bytes.
    ///
    ///   bytes
    ///     Holds the array of bytes to convert.  The argument must either
    ///     support the buffer protocol or be an iterable object producing bytes.
    ///     Bytes and bytearray are examples of built-in objects that support the
    ///     buffer protocol.
    ///   byteorder
    ///     The byte order used to represent the integer.  If byteorder is 'big',
    ///     the most significant byte is at the beginning of the byte array.  If
    ///     byteorder is 'little', the most significant byte is at the end of the
    ///     byte array.  To request the native byte order of the host system, use
    ///     sys.byteorder as the byte order value.  Default is to use 'big'.
    ///   signed
    ///     Indicates whether two's complement is used to represent the integer.
    #[classmethod("($type, /, bytes, byteorder='big', *, signed=False)")]
    fn from_bytes(cls: &Type, bytes: &Object, byteorder: Option<&Object>, signed: bool, vm: &Vm) -> PyResult {
        let little = byte_order(byteorder, vm)?;
        let bytes = crate::builtins::bytes::to_bytes(bytes, vm)?;
        let value = Int::from_big(BigInt::from_bytes(bytes.as_bytes(), little, signed), vm);
        if std::ptr::eq(cls, Int::TYPE_PTR) { Ok(value) } else { cls.as_object().call(&[&value], vm) }
    }

    /// Return a pair of integers, whose ratio is equal to the original int.
    ///
    /// The ratio is in lowest terms and has a positive denominator.
    ///
    /// >>> (10).as_integer_ratio()
    /// (10, 1)
    /// >>> (-10).as_integer_ratio()
    /// (-10, 1)
    /// >>> (0).as_integer_ratio()
    /// (0, 1)
    #[method("($self, /)")]
    fn as_integer_ratio(&self, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([self.exact(vm), Int::from_i64(1, vm)])
    }

    /// Returns True. Exists for duck type compatibility with float.is_integer.
    #[method("($self, /)")]
    fn is_integer(&self) -> bool {
        true
    }

    /// Truncating an Integral returns itself.
    #[method("($self, /)")]
    fn __trunc__(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// Flooring an Integral returns itself.
    #[method("($self, /)")]
    fn __floor__(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// Ceiling of an Integral returns itself.
    #[method("($self, /)")]
    fn __ceil__(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// Rounding an Integral returns itself.
    ///
    /// Rounding with an ndigits argument also returns an integer.
    #[method("($self, ndigits=None, /)")]
    fn __round__(&self, ndigits: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(ndigits) = ndigits.filter(|n| !vm.is_none(n)) else { return Ok(self.exact(vm)) };
        let ndigits = ndigits.as_index(vm)?;
        if !ndigits.is_negative() {
            return Ok(self.exact(vm));
        }
        let places = ndigits.to_i64().map_or(u64::MAX, i64::unsigned_abs);
        // Beyond the number's own length nothing is left.
        if places > self.as_int_ref().bit_length() + 1 {
            return Ok(Int::from_i64(0, vm));
        }
        Int::from_result(self.as_int_ref().round_to_power_of_ten(places), vm)
    }

    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([self.exact(vm)])
    }

    /// Convert to a string according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut out = StrBuilder::new();
        self.push_formatted(format_spec, &mut out, vm)?;
        out.try_finish(vm)
    }

    /// Returns size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let head = self.as_object().ob_type().tp_basicsize.get() as usize;
        head + 4 * self.digit_count().max(1)
    }
}
