//! Ints (C API manual, "Integer Objects"), bools with them.

use std::ffi::{CStr, c_char, c_double, c_int, c_long, c_void};

use taipan_numeric::BigInt;
use taipan_vm::prelude::*;

use crate::support::*;

/// An int by `__index__`, as a machine number.
pub fn as_signed(object: &Object, vm: &Vm) -> PyResult<i64> {
    named_signed(object, "long", vm)
}

fn named_signed(object: &Object, what: &str, vm: &Vm) -> PyResult<i64> {
    let index = object.as_index(vm)?;
    index.to_i64().ok_or_else(|| vm.overflow_error(format!("Python int too large to convert to C {what}")))
}

/// An int by `__index__`, taken modulo 2**64.
pub fn as_mask(object: &Object, vm: &Vm) -> PyResult<u64> {
    Ok(object.as_index(vm)?.as_int_ref().wrap_to_u64())
}

/// An int object, no `__index__`.
fn int<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Int> {
    let object = present(object, vm)?;
    object.downcast_ref::<Int>().ok_or_else(|| vm.type_error("an integer is required"))
}

fn unsigned(object: Option<&Object>, what: &str, vm: &Vm) -> PyResult<u64> {
    let int = int(object, vm)?;
    if int.is_negative() {
        return Err(vm.overflow_error("can't convert negative value to unsigned int"));
    }
    int.to_u64().ok_or_else(|| vm.overflow_error(format!("Python int too large to convert to C {what}")))
}

/// The value, or the direction in which it doesn't fit.
fn with_overflow(object: Option<&Object>, overflow: *mut c_int, vm: &Vm) -> PyResult<i64> {
    let index = present(object, vm)?.as_index(vm)?;
    let (value, direction) = match index.to_i64() {
        Some(value) => (value, 0),
        None if index.is_negative() => (-1, -1),
        None => (-1, 1),
    };
    // SAFETY: the place is the caller's variable.
    unsafe { *overflow = direction };
    Ok(value)
}

fn from_text(text: &[u8], base: c_int, vm: &Vm) -> PyResult {
    let base = match u32::try_from(base) {
        Ok(base) if base == 0 || (2..=36).contains(&base) => base,
        _ => return Err(vm.value_error("int() arg 2 must be >= 2 and <= 36")),
    };
    let shown = vm.new_str(&String::from_utf8_lossy(text));
    taipan_vm::builtins::int::parse_int(text, base, shown.as_object(), vm)
}

/// Flags of `PyLong_AsNativeBytes` and `PyLong_FromNativeBytes`.
const LITTLE: c_int = 1;
const NATIVE: c_int = 3;
const UNSIGNED: c_int = 4;
const REJECT_NEGATIVE: c_int = 8;
const ALLOW_INDEX: c_int = 16;

fn is_little(flags: c_int) -> bool {
    flags == -1 || flags & NATIVE == NATIVE || flags & LITTLE != 0
}

fn from_native(data: &[u8], flags: c_int, signed: bool, vm: &Vm) -> ObjRef {
    Int::from_big(BigInt::from_bytes(data, is_little(flags), signed), vm)
}

capi! {
    fn PyBool_FromLong(vm, value: c_long) -> ObjRef {
        vm.new_bool(value != 0)
    }

    fn PyLong_FromLong(vm, value: c_long) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromLongLong(vm, value: i64) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromInt32(vm, value: c_int) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromInt64(vm, value: i64) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromUInt32(vm, value: u32) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromUInt64(vm, value: u64) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromUnsignedLong(vm, value: u64) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromUnsignedLongLong(vm, value: u64) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromSsize_t(vm, value: isize) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromSize_t(vm, value: usize) -> ObjRef {
        vm.new_int(value)
    }

    fn PyLong_FromVoidPtr(vm, pointer: *mut c_void) -> ObjRef {
        vm.new_int(pointer as usize)
    }

    fn PyLong_FromDouble(vm, value: c_double) -> PyResult {
        Int::from_result(BigInt::from_f64(value), vm)
    }

    fn PyLong_FromString(vm, text: &CStr, end: *mut *mut c_char, base: c_int) -> PyResult {
        let bytes = text.to_bytes();
        if !end.is_null() {
            *end = text.as_ptr().add(bytes.len()).cast_mut();
        }
        from_text(bytes, base, vm)
    }

    fn PyLong_FromUnicodeObject(vm, text: &Object, base: c_int) -> PyResult {
        let text = expect::<Str>(Some(text), vm)?;
        from_text(&taipan_vm::builtins::int::to_ascii(text), base, vm)
    }

    fn PyLong_AsLong(vm, object: Option<&Object>) -> PyResult<c_long> {
        named_signed(present(object, vm)?, "long", vm)
    }

    fn PyLong_AsLongLong(vm, object: Option<&Object>) -> PyResult<i64> {
        let index = present(object, vm)?.as_index(vm)?;
        index.to_i64().ok_or_else(|| vm.overflow_error("int too big to convert"))
    }

    fn PyLong_AsInt(vm, object: Option<&Object>) -> PyResult<c_int> {
        let value = named_signed(present(object, vm)?, "int", vm)?;
        c_int::try_from(value).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
    }

    fn _PyLong_AsInt(vm, object: Option<&Object>) -> PyResult<c_int> {
        let value = named_signed(present(object, vm)?, "int", vm)?;
        c_int::try_from(value).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
    }

    fn PyLong_AsInt32(vm, object: Option<&Object>, place: *mut i32) -> PyResult<()> {
        let value = named_signed(present(object, vm)?, "int32_t", vm)?;
        *place = i32::try_from(value)
            .map_err(|_| vm.overflow_error("Python int too large to convert to C int32_t"))?;
        Ok(())
    }

    fn PyLong_AsInt64(vm, object: Option<&Object>, place: *mut i64) -> PyResult<()> {
        *place = named_signed(present(object, vm)?, "int64_t", vm)?;
        Ok(())
    }

    fn PyLong_AsUInt32(vm, object: Option<&Object>, place: *mut u32) -> PyResult<()> {
        let index = present(object, vm)?.as_index(vm)?;
        if index.is_negative() {
            return Err(vm.value_error("Cannot convert negative int"));
        }
        *place = index
            .to_u64()
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| vm.overflow_error("Python int too large to convert to C uint32_t"))?;
        Ok(())
    }

    fn PyLong_AsUInt64(vm, object: Option<&Object>, place: *mut u64) -> PyResult<()> {
        let index = present(object, vm)?.as_index(vm)?;
        if index.is_negative() {
            return Err(vm.value_error("Cannot convert negative int"));
        }
        *place = index
            .to_u64()
            .ok_or_else(|| vm.overflow_error("Python int too large to convert to C uint64_t"))?;
        Ok(())
    }

    fn PyLong_AsLongAndOverflow(vm, object: Option<&Object>, overflow: *mut c_int) -> PyResult<c_long> {
        with_overflow(object, overflow, vm)
    }

    fn PyLong_AsLongLongAndOverflow(vm, object: Option<&Object>, overflow: *mut c_int) -> PyResult<i64> {
        with_overflow(object, overflow, vm)
    }

    fn PyLong_AsUnsignedLong(vm, object: Option<&Object>) -> PyResult<u64> {
        unsigned(object, "unsigned long", vm)
    }

    fn PyLong_AsUnsignedLongLong(vm, object: Option<&Object>) -> PyResult<u64> {
        let int = int(object, vm)?;
        if int.is_negative() {
            return Err(vm.overflow_error("can't convert negative int to unsigned"));
        }
        int.to_u64().ok_or_else(|| vm.overflow_error("int too big to convert"))
    }

    fn PyLong_AsUnsignedLongMask(vm, object: Option<&Object>) -> PyResult<u64> {
        as_mask(present(object, vm)?, vm)
    }

    fn PyLong_AsUnsignedLongLongMask(vm, object: Option<&Object>) -> PyResult<u64> {
        as_mask(present(object, vm)?, vm)
    }

    fn PyLong_AsSsize_t(vm, object: Option<&Object>) -> PyResult<isize> {
        let int = int(object, vm)?;
        int.to_i64()
            .map(|value| value as isize)
            .ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
    }

    fn PyLong_AsSize_t(vm, object: Option<&Object>) -> PyResult<usize> {
        let int = int(object, vm)?;
        if int.is_negative() {
            return Err(vm.overflow_error("can't convert negative value to size_t"));
        }
        int.to_u64()
            .map(|value| value as usize)
            .ok_or_else(|| vm.overflow_error("Python int too large to convert to C size_t"))
    }

    fn PyLong_AsDouble(vm, object: Option<&Object>) -> PyResult<c_double> {
        int(object, vm)?.to_f64(vm)
    }

    fn PyLong_AsVoidPtr(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        let int = int(object, vm)?;
        int.to_i64()
            .map(|value| value as u64)
            .or_else(|| int.to_u64())
            .map(|value| value as usize as *mut c_void)
            .ok_or_else(|| vm.overflow_error("int too big to convert"))
    }

    fn PyLong_GetSign(vm, object: &Object, sign: *mut c_int) -> PyResult<()> {
        let Some(int) = object.downcast_ref::<Int>() else {
            return Err(vm.type_error(format!("expect int, got {}", object.ob_type().name())));
        };
        *sign = int.as_int_ref().sign();
        Ok(())
    }

    fn _PyLong_Sign(vm, object: &Object) -> c_int {
        object.downcast_ref::<Int>().map_or(0, |int| int.as_int_ref().sign())
    }

    fn PyLong_IsPositive(vm, object: &Object) -> PyResult<bool> {
        Ok(int(Some(object), vm)?.as_int_ref().sign() > 0)
    }

    fn PyLong_IsNegative(vm, object: &Object) -> PyResult<bool> {
        Ok(int(Some(object), vm)?.is_negative())
    }

    fn PyLong_IsZero(vm, object: &Object) -> PyResult<bool> {
        Ok(int(Some(object), vm)?.is_zero())
    }

    fn PyUnstable_Long_IsCompact(vm, object: &Object) -> bool {
        object.downcast_ref::<Int>().is_some_and(Int::is_compact)
    }

    fn PyUnstable_Long_CompactValue(vm, object: &Object) -> isize {
        object.downcast_ref::<Int>().map_or(0, Int::compact_value)
    }

    fn _PyLong_NumBits(vm, object: &Object) -> PyResult<isize> {
        Ok(int(Some(object), vm)?.as_int_ref().bit_length() as isize)
    }

    fn _PyLong_Copy(vm, object: &Object) -> PyResult {
        Ok(int(Some(object), vm)?.exact(vm))
    }

    fn _PyLong_FromByteArray(vm, data: *const c_void, length: usize, little: c_int, signed: c_int) -> ObjRef {
        Int::from_big(BigInt::from_bytes(bytes_at(data, length), little != 0, signed != 0), vm)
    }

    fn _PyLong_AsByteArray(
        vm, object: &Object, data: *mut u8, length: usize, little: c_int, signed: c_int, with_exceptions: c_int,
    ) -> PyResult<()> {
        let value = int(Some(object), vm)?;
        if value.is_negative() && signed == 0 {
            return Err(if with_exceptions == 0 { Raised } else { vm.overflow_error("can't convert negative int to unsigned") });
        }
        let out = std::slice::from_raw_parts_mut(data, length);
        value.as_int_ref().write_bytes(out, little != 0, signed != 0).map_err(|_| {
            if with_exceptions == 0 { Raised } else { vm.overflow_error("int too big to convert") }
        })
    }

    fn PyLong_FromNativeBytes(vm, data: *const c_void, length: usize, flags: c_int) -> ObjRef {
        from_native(bytes_at(data, length), flags, flags == -1 || flags & UNSIGNED == 0, vm)
    }

    fn PyLong_FromUnsignedNativeBytes(vm, data: *const c_void, length: usize, flags: c_int) -> ObjRef {
        from_native(bytes_at(data, length), flags, false, vm)
    }

    fn PyLong_AsNativeBytes(vm, object: &Object, data: *mut u8, length: isize, flags: c_int) -> PyResult<isize> {
        let all = flags != -1;
        let index = if all && flags & ALLOW_INDEX != 0 {
            object.as_index(vm)?
        } else {
            match object.downcast_ref::<Int>() {
                Some(int) => int.into(),
                None => return Err(vm.type_error(format!("expected int, got {}", object.ob_type().name()))),
            }
        };
        let value = index.as_int_ref();
        let is_unsigned = all && flags & UNSIGNED != 0;
        if all && flags & REJECT_NEGATIVE != 0 && value.is_negative() {
            return Err(vm.value_error("Cannot convert negative int"));
        }
        let needed_signed = value.bit_length() as usize / 8 + 1;
        let needed = if is_unsigned && !value.is_negative() {
            (value.bit_length() as usize).div_ceil(8).max(1)
        } else {
            needed_signed
        };
        if length > 0 {
            let out = std::slice::from_raw_parts_mut(data, length as usize);
            let whole = value.to_bytes(needed_signed.max(out.len()), true, true).unwrap_or_default();
            for (place, byte) in out.iter_mut().zip(&whole) {
                *place = *byte;
            }
            if !is_little(flags) {
                out.reverse();
            }
        }
        Ok(signed(needed))
    }

    fn PyLong_GetInfo(vm) -> PyResult {
        let sys = taipan_vm::import::import_module("sys", vm)?;
        sys.get_attr(&vm.intern("int_info"), vm)
    }

    fn PyLong_GetNativeLayout(vm) -> *const LongLayout {
        &raw const LAYOUT
    }

    fn PyLong_Export(vm, object: &Object, export: *mut LongExport) -> PyResult<()> {
        let Some(int) = object.downcast_ref::<Int>() else {
            return Err(vm.type_error(format!("expected int, got {}", object.ob_type().name())));
        };
        *export = match int.to_i64() {
            Some(value) => LongExport { value, negative: 0, ndigits: 0, digits: std::ptr::null(), owner: std::ptr::null_mut() },
            None => LongExport {
                value: 0,
                negative: u8::from(int.is_negative()),
                ndigits: signed(int.digit_count()),
                digits: int.digits().as_ptr().cast(),
                owner: object.to_ref().into_raw(),
            },
        };
        Ok(())
    }

    fn PyLong_FreeExport(vm, export: *mut LongExport) -> Void {
        taipan_object::object::xdecref(std::mem::replace(&mut (*export).owner, std::ptr::null_mut()));
        Void
    }

    fn PyLongWriter_Create(vm, negative: c_int, count: isize, digits: *mut *mut u32) -> PyResult<*mut LongWriter> {
        if count <= 0 {
            return Err(vm.value_error("ndigits must be positive"));
        }
        let mut writer = Box::new(LongWriter { negative: negative != 0, digits: vec![0; count as usize] });
        *digits = writer.digits.as_mut_ptr();
        Ok(Box::into_raw(writer))
    }

    fn PyLongWriter_Finish(vm, writer: *mut LongWriter) -> PyResult {
        let writer = Box::from_raw(writer);
        let mut bytes = Vec::new();
        let (mut bits, mut have) = (0_u64, 0);
        for digit in &writer.digits {
            bits |= u64::from(*digit) << have;
            have += 30;
            while have >= 8 {
                bytes.push(bits as u8);
                bits >>= 8;
                have -= 8;
            }
        }
        bytes.push(bits as u8);
        let value = BigInt::from_bytes(&bytes, true, false);
        Ok(Int::from_big(if writer.negative { value.negate() } else { value }, vm))
    }

    fn PyLongWriter_Discard(vm, writer: *mut LongWriter) -> Void {
        if !writer.is_null() {
            drop(Box::from_raw(writer));
        }
        Void
    }
}

/// `PyLongLayout`.
#[repr(C)]
pub struct LongLayout {
    bits_per_digit: u8,
    digit_size: u8,
    digits_order: i8,
    digit_endianness: i8,
}

static LAYOUT: LongLayout =
    LongLayout { bits_per_digit: 30, digit_size: 4, digits_order: -1, digit_endianness: -1 };

/// `PyLongExport`.
#[repr(C)]
pub struct LongExport {
    value: i64,
    negative: u8,
    ndigits: isize,
    digits: *const c_void,
    owner: Ptr,
}

/// `PyLongWriter`: digits that C code fills.
pub struct LongWriter {
    negative: bool,
    digits: Vec<u32>,
}
