//! The simple types: one row a format code with size, libffi type, and how values are read from memory and written to it.

use std::ffi::c_void;

use libffi_sys::{self as ffi, ffi_type};
use taipan_vm::builtins::capsule::Capsule;
use taipan_vm::builtins::complex::as_complex;
use taipan_vm::prelude::*;

use super::long_double;

/// The codes that `_type_` of a simple type may be.
pub const SIMPLE_CODES: &str = "cbBhHiIlLdDFGfuzZqQPOv?g";

/// How a value is stored: its code, and whether its bytes are in the order that is not the machine's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The code.
    pub code: u8,
    /// Foreign byte order.
    pub swapped: bool,
}

/// What holds for all types of one code.
pub struct Row {
    /// The type for libffi.
    pub ffi: *mut ffi_type,
    /// Whether a type of the other byte order can be made.
    pub swappable: bool,
}

/// The row of a code; none for codes that there aren't.
pub fn row(code: u8) -> Option<Row> {
    let swappable = matches!(
        code,
        b'b' | b'B'
            | b'h'
            | b'H'
            | b'i'
            | b'I'
            | b'l'
            | b'L'
            | b'q'
            | b'Q'
            | b'f'
            | b'd'
            | b'F'
            | b'D'
            | b'?'
    );
    let ffi = match code {
        b'c' | b'b' => &raw mut ffi::ffi_type_sint8,
        b'B' | b'?' => &raw mut ffi::ffi_type_uint8,
        b'h' | b'v' => &raw mut ffi::ffi_type_sint16,
        b'H' => &raw mut ffi::ffi_type_uint16,
        b'i' | b'u' => &raw mut ffi::ffi_type_sint32,
        b'I' => &raw mut ffi::ffi_type_uint32,
        b'l' | b'q' => &raw mut ffi::ffi_type_sint64,
        b'L' | b'Q' => &raw mut ffi::ffi_type_uint64,
        b'f' => &raw mut ffi::ffi_type_float,
        b'd' => &raw mut ffi::ffi_type_double,
        b'g' => &raw mut ffi::ffi_type_longdouble,
        b'F' => &raw mut ffi::ffi_type_complex_float,
        b'D' => &raw mut ffi::ffi_type_complex_double,
        b'G' => &raw mut ffi::ffi_type_complex_longdouble,
        b'P' | b'z' | b'Z' | b'O' | b's' | b'U' => &raw mut ffi::ffi_type_pointer,
        _ => return None,
    };
    Some(Row { ffi, swappable })
}

/// The buffer format of a code (PEP 3118): byte order and the code of the standard size.
pub fn buffer_format(code: u8, swapped: bool) -> String {
    let big = swapped == cfg!(target_endian = "little");
    let code = match code {
        b'l' => 'q',
        b'L' => 'Q',
        other => char::from(other),
    };
    format!("{}{code}", if big { '>' } else { '<' })
}

/// Width in bytes and signedness of the integer codes.
fn integer(code: u8) -> Option<(usize, bool)> {
    Some(match code {
        b'b' => (1, true),
        b'B' => (1, false),
        b'h' => (2, true),
        b'H' => (2, false),
        b'i' => (4, true),
        b'I' => (4, false),
        b'l' | b'q' => (8, true),
        b'L' | b'Q' => (8, false),
        _ => return None,
    })
}

/// Reads a `T` of any alignment.
///
/// # Safety
/// `from` has the bytes of a `T`.
pub unsafe fn read<T: Copy>(from: *const u8) -> T {
    // SAFETY: passed on to the caller.
    unsafe { from.cast::<T>().read_unaligned() }
}

/// Writes a `T` at any alignment.
///
/// # Safety
/// `to` has room for a `T`.
pub unsafe fn write<T: Copy>(to: *mut u8, value: T) {
    // SAFETY: passed on to the caller.
    unsafe { to.cast::<T>().write_unaligned(value) };
}

/// An unsigned number of `width` bytes.
unsafe fn read_bits(from: *const u8, width: usize, swapped: bool) -> u64 {
    // SAFETY: the caller vouches for `width` bytes.
    unsafe {
        match (width, swapped) {
            (1, _) => u64::from(read::<u8>(from)),
            (2, false) => u64::from(read::<u16>(from)),
            (2, true) => u64::from(read::<u16>(from).swap_bytes()),
            (4, false) => u64::from(read::<u32>(from)),
            (4, true) => u64::from(read::<u32>(from).swap_bytes()),
            (_, false) => read::<u64>(from),
            (_, true) => read::<u64>(from).swap_bytes(),
        }
    }
}

unsafe fn write_bits(to: *mut u8, width: usize, swapped: bool, value: u64) {
    // SAFETY: the caller vouches for `width` bytes; the value's upper bits are cut off on purpose.
    unsafe {
        match (width, swapped) {
            (1, _) => write(to, value as u8),
            (2, false) => write(to, value as u16),
            (2, true) => write(to, (value as u16).swap_bytes()),
            (4, false) => write(to, value as u32),
            (4, true) => write(to, (value as u32).swap_bytes()),
            (_, false) => write(to, value),
            (_, true) => write(to, value.swap_bytes()),
        }
    }
}

/// The bit field that a packed size describes: count of bits and the lowest; none for whole values.
fn bit_field(size: isize) -> Option<(u32, u32)> {
    let bits = (size >> 16) as u32 & 0x7f;
    (bits != 0).then_some((bits, size as u32 & 0x3f))
}

fn mask(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

/// Reads an integer or a bit field of one; the sign is in the upper bits.
unsafe fn get_integer(from: *const u8, width: usize, signed: bool, swapped: bool, size: isize) -> u64 {
    // SAFETY: passed on to the caller.
    let whole = unsafe { read_bits(from, width, swapped) };
    let (value, bits) = match bit_field(size) {
        Some((bits, low)) => ((whole >> low) & mask(bits), bits),
        None => (whole, width as u32 * 8),
    };
    let unused = 64 - bits.min(64);
    if signed { (((value << unused) as i64) >> unused) as u64 } else { value }
}

unsafe fn set_integer(to: *mut u8, width: usize, swapped: bool, size: isize, value: u64) {
    let value = match bit_field(size) {
        Some((bits, low)) => {
            // SAFETY: passed on to the caller.
            let before = unsafe { read_bits(to, width, swapped) };
            before & !(mask(bits) << low) | (value & mask(bits)) << low
        }
        None => value,
    };
    // SAFETY: passed on to the caller.
    unsafe { write_bits(to, width, swapped, value) };
}

/// Reads the value of a simple type. `size` is the type's size in bytes, or bits and their offset packed for a bit field.
///
/// # Safety
/// `from` has the bytes of the type.
pub unsafe fn get(format: Format, from: *const u8, size: isize, vm: &Vm) -> PyResult {
    let Format { code, swapped } = format;
    if let Some((width, signed)) = integer(code) {
        // SAFETY: the caller vouches for the type's bytes.
        let value = unsafe { get_integer(from, width, signed, swapped, size) };
        return Ok(if signed { vm.new_int(value as i64) } else { vm.new_int(value) });
    }
    // SAFETY: the caller vouches for the type's bytes; what pointers point to is the program's responsibility.
    unsafe {
        Ok(match code {
            b'?' => vm.new_bool(get_integer(from, 1, false, false, size) != 0),
            b'v' => vm.new_bool(read::<i16>(from) != 0),
            b'f' => vm.new_float(f64::from(get_f32(from, swapped))),
            b'd' => vm.new_float(get_f64(from, swapped)),
            b'g' => vm.new_float(long_double::read(from)),
            b'F' => {
                let (re, im) = (get_f32(from, swapped), get_f32(from.add(4), swapped));
                Complex::new(f64::from(re), f64::from(im), vm)
            }
            b'D' => Complex::new(get_f64(from, swapped), get_f64(from.add(8), swapped), vm),
            b'G' => Complex::new(long_double::read(from), long_double::read(from.add(16)), vm),
            b'c' => vm.new_bytes(&[read(from)]).into_object(),
            b'u' => wide_str(from, 1, vm)?,
            b'U' => {
                let most = usize::try_from(size).unwrap_or(0) / 4;
                let len = (0..most).take_while(|i| read::<u32>(from.add(i * 4)) != 0).count();
                wide_str(from, len, vm)?
            }
            b's' => {
                let bytes = std::slice::from_raw_parts(from, usize::try_from(size).unwrap_or(0));
                let len = memchr::memchr(0, bytes).unwrap_or(bytes.len());
                vm.new_bytes(bytes.get(..len).unwrap_or(bytes)).into_object()
            }
            b'z' => match read::<*const u8>(from) {
                pointer if pointer.is_null() => vm.none(),
                pointer => vm.new_bytes(std::ffi::CStr::from_ptr(pointer.cast()).to_bytes()).into_object(),
            },
            b'Z' => match read::<*const u8>(from) {
                pointer if pointer.is_null() => vm.none(),
                pointer => wide_str(pointer, wide_len(pointer), vm)?,
            },
            b'P' => match read::<usize>(from) {
                0 => vm.none(),
                address => vm.new_int(address),
            },
            b'O' => match read::<*mut Object>(from).as_ref() {
                Some(object) => object.to_ref(),
                None => return Err(vm.value_error("PyObject is NULL")),
            },
            _ => return Err(vm.system_error("unknown format code")),
        })
    }
}

unsafe fn get_f32(from: *const u8, swapped: bool) -> f32 {
    // SAFETY: passed on to the caller.
    f32::from_bits(unsafe { read_bits(from, 4, swapped) } as u32)
}

unsafe fn get_f64(from: *const u8, swapped: bool) -> f64 {
    // SAFETY: passed on to the caller.
    f64::from_bits(unsafe { read_bits(from, 8, swapped) })
}

/// The number of wide characters before the NUL.
///
/// # Safety
/// `from` is a wide string that ends with NUL.
pub unsafe fn wide_len(from: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the end has not been reached.
    while unsafe { read::<u32>(from.add(len * 4)) } != 0 {
        len += 1;
    }
    len
}

/// Wide characters as a str. Raises `ValueError` for what is no character.
///
/// # Safety
/// `from` has `len` wide characters.
pub unsafe fn wide_str(from: *const u8, len: usize, vm: &Vm) -> PyResult {
    // SAFETY: passed on to the caller.
    let codes: Vec<u32> = (0..len).map(|i| unsafe { read::<u32>(from.add(i * 4)) }).collect();
    if let Some(wrong) = codes.iter().find(|&&code| code > 0x10_ffff) {
        return Err(vm.value_error(format!("character U+{wrong:x} is not in range [U+0000; U+10ffff]")));
    }
    Ok(Str::try_from_code_points(&codes, vm)?.into_object())
}

/// The code points of a str, as wide characters.
pub fn wide_chars(text: &Str) -> Vec<u32> {
    (0..text.len()).filter_map(|i| text.char_at(i)).collect()
}

/// An int modulo 2**64, through `__index__`.
pub fn wrapped(value: &Object, vm: &Vm) -> PyResult<u64> {
    Ok(value.as_index(vm)?.as_int_ref().wrap_to_u64())
}

/// Writes a value in a simple type's memory. Gives what must be kept alive as long as the memory refers to it: an object,
/// or `None`.
///
/// # Safety
/// `to` has room for the type. For `s` and `U`, `size` is that room in bytes.
pub unsafe fn set(format: Format, to: *mut u8, value: &Object, size: isize, vm: &Vm) -> PyResult {
    let Format { code, swapped } = format;
    if let Some((width, _)) = integer(code) {
        let value = wrapped(value, vm)?;
        // SAFETY: the caller vouches for the room.
        unsafe { set_integer(to, width, swapped, size, value) };
        return Ok(vm.none());
    }
    match code {
        b'?' => {
            let value = value.is_true(vm)?;
            // SAFETY: the caller vouches for the room.
            unsafe { set_integer(to, 1, false, size, u64::from(value)) };
        }
        b'v' => {
            let value: i16 = if value.is_true(vm)? { -1 } else { 0 };
            // SAFETY: as above.
            unsafe { write(to, value) };
        }
        b'f' => {
            let value = value.as_f64(vm)? as f32;
            // SAFETY: as above.
            unsafe { write_bits(to, 4, swapped, u64::from(value.to_bits())) };
        }
        b'd' => {
            let value = value.as_f64(vm)?;
            // SAFETY: as above.
            unsafe { write_bits(to, 8, swapped, value.to_bits()) };
        }
        b'g' => {
            let value = value.as_f64(vm)?;
            // SAFETY: as above.
            unsafe { long_double::write(to, value) };
        }
        b'F' => {
            let (re, im) = as_complex(value, vm)?;
            // SAFETY: as above: two parts of four bytes.
            unsafe {
                write_bits(to, 4, swapped, u64::from((re as f32).to_bits()));
                write_bits(to.add(4), 4, swapped, u64::from((im as f32).to_bits()));
            }
        }
        b'D' => {
            let (re, im) = as_complex(value, vm)?;
            // SAFETY: as above: two parts of eight bytes.
            unsafe {
                write_bits(to, 8, swapped, re.to_bits());
                write_bits(to.add(8), 8, swapped, im.to_bits());
            }
        }
        b'G' => {
            let (re, im) = as_complex(value, vm)?;
            // SAFETY: as above: two parts of sixteen bytes.
            unsafe {
                long_double::write(to, re);
                long_double::write(to.add(16), im);
            }
        }
        b'c' => {
            let value = one_byte(value, vm)?;
            // SAFETY: as above.
            unsafe { write(to, value) };
        }
        b'u' => {
            let value = one_character(value, vm)?;
            // SAFETY: as above.
            unsafe { write(to, value) };
        }
        // SAFETY: passed on to the caller.
        b'U' => return unsafe { set_wide_array(to, value, size, vm) },
        // SAFETY: passed on to the caller.
        b's' => unsafe { set_byte_array(to, value, size, vm)? },
        b'z' | b'Z' | b'P' => {
            let (pointer, keep) = pointer_value(code, value, vm)?;
            // SAFETY: as above.
            unsafe { write(to, pointer) };
            return Ok(keep);
        }
        b'O' => {
            // SAFETY: as above.
            unsafe { write(to, value.as_ptr()) };
            return Ok(value.to_ref());
        }
        _ => return Err(vm.system_error("unknown format code")),
    }
    Ok(vm.none())
}

fn one_byte(value: &Object, vm: &Vm) -> PyResult<u8> {
    const WANTED: &str = "one character bytes, bytearray, or an integer in range(256) expected, not";
    let single = |bytes: &[u8], kind: &str| match bytes {
        [byte] => Ok(*byte),
        _ => Err(vm.type_error(format!("{WANTED} {kind} of length {}", bytes.len()))),
    };
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return single(bytes.as_bytes(), "bytes");
    }
    if value.downcast_ref::<ByteArray>().is_some() {
        return single(value.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?.as_bytes(), "bytearray");
    }
    match value.downcast_ref::<Int>() {
        Some(int) => int
            .to_i64()
            .and_then(|int| u8::try_from(int).ok())
            .ok_or_else(|| vm.type_error("integer not in range(256)")),
        None => Err(vm.type_error(format!("{WANTED} {}", value.type_name()))),
    }
}

fn one_character(value: &Object, vm: &Vm) -> PyResult<u32> {
    let Some(text) = value.downcast_ref::<Str>() else {
        let given = value.type_name();
        return Err(vm.type_error(format!("a unicode character expected, not instance of {given}")));
    };
    match text.char_at(0) {
        Some(code) if text.len() == 1 => Ok(code),
        _ => {
            Err(vm.type_error(format!("a unicode character expected, not a string of length {}", text.len())))
        }
    }
}

unsafe fn set_wide_array(to: *mut u8, value: &Object, size: isize, vm: &Vm) -> PyResult {
    let Some(text) = value.downcast_ref::<Str>() else {
        let given = value.type_name();
        return Err(vm.type_error(format!("unicode string expected instead of {given} instance")));
    };
    let room = usize::try_from(size).unwrap_or(0) / 4;
    if text.len() > room {
        return Err(vm.value_error(format!("string too long ({}, maximum length {room})", text.len())));
    }
    for (i, code) in wide_chars(text).into_iter().chain(std::iter::once(0)).take(room).enumerate() {
        // SAFETY: the caller vouches for room for `room` characters.
        unsafe { write(to.add(i * 4), code) };
    }
    Ok(value.to_ref())
}

unsafe fn set_byte_array(to: *mut u8, value: &Object, size: isize, vm: &Vm) -> PyResult<()> {
    let Some(bytes) = value.downcast_ref::<Bytes>() else {
        return Err(vm.type_error(format!("expected bytes, {} found", value.type_name())));
    };
    let room = usize::try_from(size).unwrap_or(0);
    let bytes = bytes.as_bytes();
    let len = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    if len > room {
        return Err(vm.value_error(format!("bytes too long ({len}, maximum length {room})")));
    }
    // SAFETY: the text fits the room, and its NUL is only written when there is a byte left.
    unsafe {
        to.copy_from_nonoverlapping(bytes.as_ptr(), len);
        if len < room {
            to.add(len).write(0);
        }
    }
    Ok(())
}

/// The address that a value for `c_char_p`, `c_wchar_p` or `c_void_p` stands for, and the object that keeps it valid.
fn pointer_value(code: u8, value: &Object, vm: &Vm) -> PyResult<(usize, ObjRef)> {
    if vm.is_none(value) {
        return Ok((0, vm.none()));
    }
    if code == b'z' {
        if let Some(bytes) = value.downcast_ref::<Bytes>() {
            return Ok((bytes.data_ptr() as usize, value.to_ref()));
        }
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        return Ok((int.as_int_ref().wrap_to_u64() as usize, vm.none()));
    }
    if code == b'Z' {
        if let Some(text) = value.downcast_ref::<Str>() {
            let (pointer, keep) = wide_capsule(text, vm);
            return Ok((pointer as usize, keep));
        }
    }
    Err(match (code, value.type_name()) {
        (b'z', given) => {
            vm.type_error(format!("bytes or integer address expected instead of {given} instance"))
        }
        (b'Z', given) => {
            vm.type_error(format!("unicode string or integer address expected instead of {given} instance"))
        }
        _ => vm.type_error("cannot be converted to pointer"),
    })
}

/// A wide copy of a str that ends with NUL, and the capsule that owns it.
pub fn wide_capsule(text: &Str, vm: &Vm) -> (*mut u32, ObjRef) {
    let mut copy = Box::new(wide_chars(text));
    copy.push(0);
    let pointer = copy.as_mut_ptr();
    let owner = Box::into_raw(copy).cast::<c_void>();
    let capsule =
        Capsule::new(owner, c"_ctypes/cfield.c wchar_t buffer from unicode".as_ptr(), Some(free_wide), vm);
    (pointer, capsule.into_object())
}

unsafe extern "C" fn free_wide(capsule: *mut Object) {
    // SAFETY: called once with a capsule that `wide_capsule` made.
    unsafe { drop(Box::from_raw((*capsule.cast::<Capsule>()).pointer.get().cast::<Vec<u32>>())) };
}
