//! Values to bytes and back, as a layout says.

use taipan_vm::builtins::complex::as_complex;
use taipan_vm::prelude::*;

use super::ERROR;
use super::half::{from_half, from_single, to_half, to_single};
use super::layout::{Item, Kind, Layout};

#[cold]
fn out_of_range(item: &Item, vm: &Vm) -> Raised {
    let bits = item.size as u32 * 8;
    let code = char::from(item.code);
    let text = if item.kind == Kind::Signed {
        let high = (1i128 << (bits - 1)) - 1;
        format!("'{code}' format requires {} <= number <= {high}", -high - 1)
    } else {
        format!("'{code}' format requires 0 <= number <= {}", (1i128 << bits) - 1)
    };
    ERROR.raise(text, vm)
}

fn as_int(value: &Object, vm: &Vm) -> PyResult<Ref<Int>> {
    if let Some(int) = value.downcast_ref::<Int>() {
        return Ok(int.into());
    }
    if value.has_index() {
        return value.as_index(vm);
    }
    Err(ERROR.raise("required argument is not an integer", vm))
}

fn store(out: &mut [u8], bytes: [u8; 8], big_endian: bool) {
    // `bytes` are little-endian.
    for (at, byte) in bytes.iter().take(out.len()).enumerate() {
        let place = if big_endian { out.len() - 1 - at } else { at };
        if let Some(slot) = out.get_mut(place) {
            *slot = *byte;
        }
    }
}

#[inline]
fn store_int(out: &mut [u8], value: u64, big_endian: bool) {
    let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
    match (out.len(), big_endian) {
        (1, _) => out.copy_from_slice(&little[..1]),
        (2, false) => out.copy_from_slice(&little[..2]),
        (4, false) => out.copy_from_slice(&little[..4]),
        (8, false) => out.copy_from_slice(&little),
        (2, true) => out.copy_from_slice(&big[6..]),
        (4, true) => out.copy_from_slice(&big[4..]),
        (8, true) => out.copy_from_slice(&big),
        _ => store(out, little, big_endian),
    }
}

#[inline]
fn load_int(bytes: &[u8], big_endian: bool) -> u64 {
    match (bytes, big_endian) {
        (&[a], _) => u64::from(a),
        (&[a, b], false) => u64::from(u16::from_le_bytes([a, b])),
        (&[a, b], true) => u64::from(u16::from_be_bytes([a, b])),
        (&[a, b, c, d], false) => u64::from(u32::from_le_bytes([a, b, c, d])),
        (&[a, b, c, d], true) => u64::from(u32::from_be_bytes([a, b, c, d])),
        (&[a, b, c, d, e, f, g, h], false) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        (&[a, b, c, d, e, f, g, h], true) => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

fn not_a(what: &str, vm: &Vm) -> Raised {
    vm.clear_exception();
    ERROR.raise(format!("required argument is not a {what}"), vm)
}

fn too_large(code: char, vm: &Vm) -> Raised {
    vm.overflow_error(format!("float too large to pack with {code} format"))
}

fn pack_one(item: &Item, value: &Object, out: &mut [u8], big: bool, vm: &Vm) -> PyResult<()> {
    match item.kind {
        Kind::Pad => {}
        Kind::Signed => {
            let number = match value.downcast_exact::<Int>().and_then(Int::to_i64) {
                Some(number) => number,
                None => as_int(value, vm)?.to_i64().ok_or_else(|| out_of_range(item, vm))?,
            };
            let spare = 64 - item.size as u32 * 8;
            if number << spare >> spare != number {
                return Err(out_of_range(item, vm));
            }
            store_int(out, number as u64, big);
        }
        Kind::Unsigned => {
            let number = match value.downcast_exact::<Int>().and_then(Int::to_u64) {
                Some(number) => number,
                None => as_int(value, vm)?.to_u64().ok_or_else(|| out_of_range(item, vm))?,
            };
            let spare = 64 - item.size as u32 * 8;
            if number << spare >> spare != number {
                return Err(out_of_range(item, vm));
            }
            store_int(out, number, big);
        }
        Kind::Pointer => {
            let number = as_int(value, vm)?;
            let number = number
                .to_u64()
                .or_else(|| number.to_i64().map(|n| n as u64))
                .ok_or_else(|| ERROR.raise("int too large to convert", vm))?;
            store_int(out, number, big);
        }
        Kind::Bool => store_int(out, u64::from(value.is_true(vm)?), big),
        Kind::Double => {
            let number = value.as_f64(vm).map_err(|_| not_a("float", vm))?;
            store_int(out, number.to_bits(), big);
        }
        Kind::Single => {
            let number = value.as_f64(vm).map_err(|_| not_a("float", vm))?;
            let bits = to_single(number).ok_or_else(|| too_large('f', vm))?;
            store_int(out, u64::from(bits), big);
        }
        Kind::Half => {
            let number = value.as_f64(vm).map_err(|_| not_a("float", vm))?;
            let bits = to_half(number).ok_or_else(|| too_large('e', vm))?;
            store_int(out, u64::from(bits), big);
        }
        Kind::SingleComplex | Kind::DoubleComplex => {
            let (re, im) = as_complex(value, vm).map_err(|_| not_a("complex", vm))?;
            let (left, right) = out.split_at_mut(item.size / 2);
            for (part, out) in [(re, left), (im, right)] {
                let bits = if item.kind == Kind::DoubleComplex {
                    part.to_bits()
                } else {
                    u64::from(to_single(part).ok_or_else(|| too_large('f', vm))?)
                };
                store_int(out, bits, big);
            }
        }
        Kind::Char => match value.downcast_ref::<Bytes>().map(Bytes::as_bytes) {
            Some(&[byte]) => store_int(out, u64::from(byte), big),
            _ => return Err(ERROR.raise("char format requires a bytes object of length 1", vm)),
        },
        Kind::Bytes | Kind::Pascal => {
            let code = char::from(item.code);
            if value.downcast_ref::<Bytes>().is_none() && value.downcast_ref::<ByteArray>().is_none() {
                return Err(ERROR.raise(format!("argument for '{code}' must be a bytes object"), vm));
            }
            let data = value.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?;
            let data = data.as_bytes();
            let place = if item.kind == Kind::Pascal {
                let Some((length, rest)) = out.split_first_mut() else { return Ok(()) };
                *length = data.len().min(rest.len()).min(255) as u8;
                rest
            } else {
                out
            };
            for (slot, byte) in place.iter_mut().zip(data) {
                *slot = *byte;
            }
        }
    }
    Ok(())
}

fn unpack_one(item: &Item, bytes: &[u8], big: bool, vm: &Vm) -> ObjRef {
    match item.kind {
        Kind::Pad => vm.none(),
        Kind::Signed => {
            let spare = 64 - item.size as u32 * 8;
            Int::from_i64((load_int(bytes, big) << spare) as i64 >> spare, vm)
        }
        Kind::Unsigned | Kind::Pointer => Int::from_u64(load_int(bytes, big), vm),
        Kind::Bool => vm.new_bool(bytes.iter().any(|&b| b != 0)),
        Kind::Double => vm.new_float(f64::from_bits(load_int(bytes, big))),
        Kind::Single => vm.new_float(from_single(load_int(bytes, big) as u32)),
        Kind::Half => vm.new_float(from_half(load_int(bytes, big) as u16)),
        Kind::SingleComplex | Kind::DoubleComplex => {
            let (re, im) = bytes.split_at(item.size / 2);
            let part = |bytes| {
                let bits = load_int(bytes, big);
                match item.kind {
                    Kind::DoubleComplex => f64::from_bits(bits),
                    _ if big => from_single(bits as u32),
                    // As the machine converts, which makes signalling NaNs quiet.
                    _ => f64::from(f32::from_bits(bits as u32)),
                }
            };
            Complex::new(part(re), part(im), vm)
        }
        Kind::Char | Kind::Bytes => vm.new_bytes(bytes).into_object(),
        Kind::Pascal => {
            let text = match bytes.split_first() {
                Some((&length, rest)) => rest.get(..usize::from(length)).unwrap_or(rest),
                None => &[],
            };
            vm.new_bytes(text).into_object()
        }
    }
}

impl Layout {
    /// Writes the values into `out`, whose length is the layout's size and whose bytes are zero where nothing is written.
    pub fn pack(&self, values: &[&Object], out: &mut [u8], vm: &Vm) -> PyResult<()> {
        let mut values = values.iter();
        for item in &self.items {
            let mut at = item.offset;
            for _ in 0..item.repeat {
                let (Some(value), Some(place)) = (values.next(), out.get_mut(at..at + item.size)) else {
                    return Ok(());
                };
                pack_one(item, value, place, self.big_endian, vm)?;
                at += item.size;
            }
        }
        Ok(())
    }

    /// The values in `bytes`, which are as many as the layout's size.
    pub fn unpack(&self, bytes: &[u8], vm: &Vm) -> Ref<Tuple> {
        let mut values = Vec::with_capacity(self.values);
        for item in &self.items {
            let mut at = item.offset;
            for _ in 0..item.repeat {
                let Some(place) = bytes.get(at..at + item.size) else { break };
                values.push(unpack_one(item, place, self.big_endian, vm));
                at += item.size;
            }
        }
        vm.new_tuple(values)
    }
}
