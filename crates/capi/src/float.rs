//! Floats and complex numbers (C API manual, "Floating-Point Objects" and "Complex Number Objects"), and the number
//! formatting of "String conversion and formatting".

use std::ffi::{CStr, c_char, c_double, c_int};

use taipan_vm::prelude::*;

use crate::support::*;

/// `Py_complex`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ComplexValue {
    real: c_double,
    imag: c_double,
}

impl ComplexValue {
    /// The number as an object.
    pub fn object(self, vm: &Vm) -> ObjRef {
        Complex::new(self.real, self.imag, vm)
    }

    /// The value of a number object.
    pub fn of(object: &Object, vm: &Vm) -> PyResult<ComplexValue> {
        complex_of(object, vm).map(|(real, imag)| ComplexValue { real, imag })
    }
}

impl FromC for ComplexValue {
    type C = ComplexValue;
    unsafe fn from_c(value: ComplexValue) -> Self {
        value
    }
}

impl CValue for ComplexValue {
    type C = ComplexValue;
    const FAILED: ComplexValue = ComplexValue { real: -1.0, imag: 0.0 };
    fn into_value(self) -> ComplexValue {
        self
    }
}

/// A number as a complex one: by `__complex__`, `__float__` or `__index__`.
pub fn complex_of(object: &Object, vm: &Vm) -> PyResult<(f64, f64)> {
    let pair = taipan_vm::builtins::complex::as_complex(object, vm)?;
    Ok((pair.0, pair.1))
}

capi! {
    fn PyFloat_FromDouble(vm, value: c_double) -> ObjRef {
        vm.new_float(value)
    }

    fn PyFloat_FromString(vm, text: &Object) -> PyResult {
        Float::type_object().as_object().call(&[text], vm)
    }

    fn PyFloat_AsDouble(vm, object: Option<&Object>) -> PyResult<c_double> {
        match object {
            Some(object) => object.as_f64(vm),
            None => Err(vm.type_error("bad argument type for built-in operation")),
        }
    }

    fn PyFloat_GetMax(vm) -> c_double {
        f64::MAX
    }

    fn PyFloat_GetMin(vm) -> c_double {
        f64::MIN_POSITIVE
    }

    fn PyFloat_GetInfo(vm) -> PyResult {
        let sys = taipan_vm::import::import_module("sys", vm)?;
        sys.get_attr(&vm.intern("float_info"), vm)
    }

    fn PyComplex_FromDoubles(vm, real: c_double, imag: c_double) -> ObjRef {
        Complex::new(real, imag, vm)
    }

    fn PyComplex_FromCComplex(vm, value: ComplexValue) -> ObjRef {
        Complex::new(value.real, value.imag, vm)
    }

    fn PyComplex_AsCComplex(vm, object: &Object) -> PyResult<ComplexValue> {
        let (real, imag) = complex_of(object, vm)?;
        Ok(ComplexValue { real, imag })
    }

    fn PyComplex_RealAsDouble(vm, object: &Object) -> PyResult<c_double> {
        complex_of(object, vm).map(|value| value.0)
    }

    fn PyComplex_ImagAsDouble(vm, object: &Object) -> PyResult<c_double> {
        complex_of(object, vm).map(|value| value.1)
    }

    fn _Py_HashDouble(vm, object: Option<&Object>, value: c_double) -> PyResult<isize> {
        // A NaN hashes by the identity of the object that holds it.
        match object {
            Some(object) if value.is_nan() => Ok(crate::object::hash_pointer(object.as_ptr().cast())),
            _ => vm.new_float(value).hash(vm),
        }
    }

    fn PyFloat_Pack8(vm, value: c_double, out: *mut u8, little: c_int) -> () {
        let bytes = if little != 0 { value.to_le_bytes() } else { value.to_be_bytes() };
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, 8);
    }

    fn PyFloat_Pack4(vm, value: c_double, out: *mut u8, little: c_int) -> PyResult<()> {
        let narrow = value as f32;
        if narrow.is_infinite() && value.is_finite() {
            return Err(vm.overflow_error("float too large to pack with f format"));
        }
        let bytes = if little != 0 { narrow.to_le_bytes() } else { narrow.to_be_bytes() };
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, 4);
        Ok(())
    }

    fn PyFloat_Pack2(vm, value: c_double, out: *mut u8, little: c_int) -> PyResult<()> {
        let Some(bits) = taipan_vm::builtins::memoryview::format::f64_to_half(value) else {
            return Err(vm.overflow_error("float too large to pack with e format"));
        };
        let bytes = if little != 0 { bits.to_le_bytes() } else { bits.to_be_bytes() };
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, 2);
        Ok(())
    }

    fn PyFloat_Unpack8(vm, data: *const u8, little: c_int) -> c_double {
        let bytes = *data.cast::<[u8; 8]>();
        if little != 0 { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) }
    }

    fn PyFloat_Unpack4(vm, data: *const u8, little: c_int) -> c_double {
        let bytes = *data.cast::<[u8; 4]>();
        f64::from(if little != 0 { f32::from_le_bytes(bytes) } else { f32::from_be_bytes(bytes) })
    }

    fn PyFloat_Unpack2(vm, data: *const u8, little: c_int) -> c_double {
        let bytes = *data.cast::<[u8; 2]>();
        let bits = if little != 0 { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) };
        taipan_vm::builtins::memoryview::format::half_to_f64(bits)
    }

    fn PyOS_string_to_double(vm, text: &CStr, end: *mut *mut c_char, overflow: Option<&Object>) -> PyResult<c_double> {
        // The C library reads the longest prefix; what Python doesn't take as a number is refused first.
        let bytes = text.to_bytes();
        let refuse = bytes.first().is_none_or(|b| b.is_ascii_whitespace())
            || bytes.iter().take(3).any(|b| matches!(b, b'x' | b'X'));
        let mut stop: *mut c_char = std::ptr::null_mut();
        let value = if refuse { -1.0 } else { libc::strtod(text.as_ptr(), &raw mut stop) };
        let used = if refuse { 0 } else { stop.offset_from(text.as_ptr()) };
        let partial = end.is_null() && used as usize != bytes.len();
        if used == 0 || partial {
            let shown: String = lossy(text).chars().take(200).collect();
            return Err(vm.value_error(format!("could not convert string to float: '{shown}'")));
        }
        if !end.is_null() {
            *end = stop;
        }
        let is_word = bytes.iter().any(|b| matches!(b, b'n' | b'N'));
        if value.is_infinite() && !is_word {
            if let Some(exception) = overflow {
                let shown: String = lossy(text).chars().take(200).collect();
                let message = vm.new_str(&format!("value too large to convert to float: '{shown}'"));
                return Err(crate::errors::set_object(exception, Some(message.as_object()), vm));
            }
        }
        Ok(value)
    }

    fn PyOS_double_to_string(vm, value: c_double, code: c_char, precision: c_int, flags: c_int, kind: *mut c_int) -> PyResult<*mut c_char> {
        double_to_string(value, code as u8, precision, flags, kind, vm)
    }
}

const ADD_SIGN: c_int = 1;
const ADD_DOT_ZERO: c_int = 2;
const ALTERNATE: c_int = 4;

fn double_to_string(
    value: f64,
    code: u8,
    precision: c_int,
    flags: c_int,
    kind: *mut c_int,
    vm: &Vm,
) -> PyResult<*mut c_char> {
    if !kind.is_null() {
        let found = if value.is_nan() {
            2
        } else if value.is_infinite() {
            1
        } else {
            0
        };
        // SAFETY: the place is the caller's variable.
        unsafe { *kind = found };
    }
    let number = vm.new_float(value);
    let mut text = match code {
        b'r' => number.repr(vm)?.to_string_lossy().into_owned(),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let alternate = if flags & ALTERNATE != 0 { "#" } else { "" };
            let spec = vm.new_str(&format!("{alternate}.{precision}{}", char::from(code)));
            number.format(Some(&*spec), vm)?.to_string_lossy().into_owned()
        }
        _ => return Err(bad_internal_call(vm)),
    };
    if code == b'r' && flags & ADD_DOT_ZERO == 0 {
        if let Some(short) = text.strip_suffix(".0") {
            text = short.to_owned();
        }
    } else if code != b'r'
        && flags & ADD_DOT_ZERO != 0
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    {
        text.push_str(".0");
    }
    if flags & ADD_SIGN != 0 && !text.starts_with('-') {
        text.insert(0, '+');
    }
    crate::memory::copy_text(text.as_bytes(), vm)
}
