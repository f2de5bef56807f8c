//! Items as Python values, for the formats of one native character (`struct`'s, with an optional `@`).

use crate::prelude::*;

/// The character of a native format, and the size of its items.
pub fn native(format: &str) -> Option<(u8, usize)> {
    let bytes = format.strip_prefix('@').unwrap_or(format).as_bytes();
    let &[code] = bytes else { return None };
    let size = match code {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    };
    Some((code, size))
}

/// The value of a half-precision float.
pub fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3FF));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if bits & 0x3FF != 0 => f64::NAN.copysign(sign),
        31 => f64::INFINITY * sign,
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// The nearest half-precision float, ties to even; `None` when the value is too large.
pub fn f64_to_half(value: f64) -> Option<u16> {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if value.is_nan() {
        return Some(sign | 0x7E00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7C00);
    }
    if magnitude < 2f64.powi(-14) {
        // Subnormal: units of 2**-24. Rounding up to 1024 units gives the smallest normal number, as it should.
        return Some(sign | (magnitude * 2f64.powi(24)).round_ties_even() as u16);
    }
    let mut exponent = magnitude.log2().floor() as i32;
    // `log2` may be off by one at powers of two.
    if 2f64.powi(exponent) > magnitude {
        exponent -= 1;
    } else if 2f64.powi(exponent + 1) <= magnitude {
        exponent += 1;
    }
    let units = (magnitude * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    let bits = ((exponent + 15) as u32) * 1024 + units.saturating_sub(1024);
    if bits >= 0x7C00 { None } else { Some(sign | bits as u16) }
}

/// The bytes of the item at `ptr`.
///
/// # Safety
/// `N` bytes at `ptr` are readable.
#[inline(always)]
unsafe fn read<const N: usize>(ptr: *const u8) -> [u8; N] {
    // SAFETY: passed on to the caller.
    unsafe { ptr.cast::<[u8; N]>().read_unaligned() }
}

/// The item at `ptr` as a Python value.
///
/// # Safety
/// An item of the format's size is readable at `ptr`.
pub unsafe fn unpack(ptr: *const u8, code: u8, vm: &Vm) -> PyResult<ObjRef> {
    // SAFETY: each read is of the format's size.
    unsafe {
        Ok(match code {
            b'B' => vm.new_int(*ptr),
            b'b' => vm.new_int(*ptr as i8),
            b'c' => Bytes::single(*ptr).into_object(),
            b'?' => vm.new_bool(*ptr != 0),
            b'h' => vm.new_int(i16::from_ne_bytes(read(ptr))),
            b'H' => vm.new_int(u16::from_ne_bytes(read(ptr))),
            b'i' => vm.new_int(i32::from_ne_bytes(read(ptr))),
            b'I' => vm.new_int(u32::from_ne_bytes(read(ptr))),
            b'l' | b'q' | b'n' => vm.new_int(i64::from_ne_bytes(read(ptr))),
            b'L' | b'Q' | b'N' | b'P' => vm.new_int(u64::from_ne_bytes(read(ptr))),
            b'e' => vm.new_float(half_to_f64(u16::from_ne_bytes(read(ptr)))),
            b'f' => vm.new_float(f32::from_ne_bytes(read(ptr)).into()),
            b'd' => vm.new_float(f64::from_ne_bytes(read(ptr))),
            _ => return Err(unsupported(&char::from(code).to_string(), vm)),
        })
    }
}

/// Raises for a format that items can't be read by.
#[cold]
pub fn unsupported(format: &str, vm: &Vm) -> Raised {
    vm.not_implemented_error(format!("memoryview: unsupported format {format}"))
}

#[cold]
fn invalid(what: &str, format: &str, vm: &Vm) -> Raised {
    let text = format!("memoryview: invalid {what} for format '{format}'");
    if what == "type" { vm.type_error(text) } else { vm.value_error(text) }
}

fn integer(value: &Object, format: &str, vm: &Vm) -> PyResult<Ref<Int>> {
    match value.as_index(vm) {
        Ok(int) => Ok(int),
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(invalid("type", format, vm))
        }
        Err(Raised) => Err(Raised),
    }
}

fn signed<T: TryFrom<i64>>(value: &Object, format: &str, vm: &Vm) -> PyResult<T> {
    let int = integer(value, format, vm)?;
    int.to_i64().and_then(|n| T::try_from(n).ok()).ok_or_else(|| invalid("value", format, vm))
}

fn unsigned<T: TryFrom<u64>>(value: &Object, format: &str, vm: &Vm) -> PyResult<T> {
    let int = integer(value, format, vm)?;
    int.to_u64().and_then(|n| T::try_from(n).ok()).ok_or_else(|| invalid("value", format, vm))
}

fn float(value: &Object, format: &str, vm: &Vm) -> PyResult<f64> {
    match value.as_f64(vm) {
        Ok(number) => Ok(number),
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(invalid("type", format, vm))
        }
        Err(Raised) => Err(Raised),
    }
}

/// The bytes of an item with that value: the format's size of them count.
pub fn pack(value: &Object, code: u8, format: &str, vm: &Vm) -> PyResult<([u8; 8], usize)> {
    let mut out = [0u8; 8];
    let mut put = |bytes: &[u8]| -> usize {
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = *from;
        }
        bytes.len()
    };
    let size = match code {
        b'b' => put(&signed::<i8>(value, format, vm)?.to_ne_bytes()),
        b'h' => put(&signed::<i16>(value, format, vm)?.to_ne_bytes()),
        b'i' => put(&signed::<i32>(value, format, vm)?.to_ne_bytes()),
        b'l' | b'q' | b'n' => put(&signed::<i64>(value, format, vm)?.to_ne_bytes()),
        b'B' => put(&unsigned::<u8>(value, format, vm)?.to_ne_bytes()),
        b'H' => put(&unsigned::<u16>(value, format, vm)?.to_ne_bytes()),
        b'I' => put(&unsigned::<u32>(value, format, vm)?.to_ne_bytes()),
        b'L' | b'Q' | b'N' | b'P' => put(&unsigned::<u64>(value, format, vm)?.to_ne_bytes()),
        b'f' => put(&(float(value, format, vm)? as f32).to_ne_bytes()),
        b'd' => put(&float(value, format, vm)?.to_ne_bytes()),
        b'e' => {
            let half = f64_to_half(float(value, format, vm)?);
            let half = half.ok_or_else(|| vm.overflow_error("float too large to pack with e format"))?;
            put(&half.to_ne_bytes())
        }
        b'?' => put(&[u8::from(value.is_true(vm)?)]),
        b'c' => match value.downcast_ref::<Bytes>().map(Bytes::as_bytes) {
            Some(&[byte]) => put(&[byte]),
            Some(_) => return Err(invalid("value", format, vm)),
            None => return Err(invalid("type", format, vm)),
        },
        _ => return Err(unsupported(format, vm)),
    };
    Ok((out, size))
}
