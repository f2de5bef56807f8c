//! Pickling: items travel as bytes with a number that says what they are.

use taipan_numeric::BigInt;
use taipan_vm::builtins::bytes::Bytes;
use taipan_vm::prelude::*;

use super::item::{self, CODES, Kind};
use super::{Array, code_argument};

/// How bytes of a foreign machine hold items.
struct Foreign {
    kind: Kind,
    size: usize,
    little_endian: bool,
}

fn foreign(machine_format: i32) -> Option<Foreign> {
    let little_endian = machine_format <= 1 || machine_format % 2 == 0;
    let (kind, size) = match machine_format {
        0 => (Kind::Unsigned, 1),
        1 => (Kind::Signed, 1),
        2 | 3 => (Kind::Unsigned, 2),
        4 | 5 => (Kind::Signed, 2),
        6 | 7 => (Kind::Unsigned, 4),
        8 | 9 => (Kind::Signed, 4),
        10 | 11 => (Kind::Unsigned, 8),
        12 | 13 => (Kind::Signed, 8),
        14 | 15 => (Kind::Float, 4),
        16 | 17 => (Kind::Float, 8),
        18 | 19 => (Kind::Character, 2),
        20 | 21 => (Kind::Character, 4),
        _ => return None,
    };
    Some(Foreign { kind, size, little_endian })
}

/// `array.__reduce_ex__`.
pub fn reduce(array: &Array, protocol: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let Some(protocol) = protocol.downcast_ref::<Int>() else {
        return Err(vm.type_error(format!(
            "__reduce_ex__ argument should be an integer, not {}",
            protocol.ob_type().tp_name_str()
        )));
    };
    let cls = array.as_object().ob_type().as_object().to_ref();
    let dict = array.as_object().lookup_attr(vm.ids().__dict__, vm)?.unwrap_or_else(|| vm.none());
    let code = vm.new_str(&array.code.letter().to_string()).into_object();
    if protocol.to_i64().is_some_and(|protocol| protocol < 3) {
        let items = vm.new_list(array.to_vec(vm)?).into_object();
        let args = vm.new_tuple([code, items]).into_object();
        return Ok(vm.new_tuple([cls, args, dict]));
    }
    let module = taipan_vm::import::import_module("array", vm)?;
    let function = module.get_attr(&vm.intern("_array_reconstructor"), vm)?;
    let items = vm.new_bytes(&array.bytes.borrow()).into_object();
    let args = vm.new_tuple([cls, code, vm.new_int(native_format(array.code)), items]).into_object();
    Ok(vm.new_tuple([function, args, dict]))
}

/// The number of this machine's way to hold the items.
fn native_format(code: &item::Code) -> i32 {
    code.machine_format + i32::from(cfg!(target_endian = "big") && code.size > 1)
}

/// `_array_reconstructor`.
pub fn reconstruct(
    cls: &Object,
    typecode: &Object,
    machine_format: i32,
    items: &Object,
    vm: &Vm,
) -> PyResult {
    let Some(cls) = cls.downcast_ref::<Type>() else {
        return Err(vm.type_error(format!(
            "first argument must be a type object, not {}",
            cls.ob_type().tp_name_str()
        )));
    };
    if !cls.is_subtype_of(Array::type_object()) {
        return Err(vm.type_error(format!("{} is not a subtype of array.array", cls.tp_name_str())));
    }
    let Some(code) = item::find(code_argument(typecode, vm)?) else {
        return Err(vm.value_error("second argument must be a valid type code"));
    };
    let Some(format) = foreign(machine_format) else {
        return Err(vm.value_error("third argument must be a valid machine format code."));
    };
    let Some(items) = items.downcast_ref::<Bytes>() else {
        return Err(
            vm.type_error(format!("fourth argument should be bytes, not {}", items.ob_type().tp_name_str()))
        );
    };
    if machine_format == native_format(code) {
        return cls.as_object().call(&[typecode, items.as_object()], vm);
    }
    let data = items.as_bytes();
    if data.len() % format.size != 0 {
        return Err(vm.value_error("string length not a multiple of item size"));
    }
    let chunks = data.chunks_exact(format.size).map(|chunk| {
        let mut bytes = [0u8; 8];
        let place = bytes.iter_mut();
        if format.little_endian {
            place.zip(chunk).for_each(|(to, from)| *to = *from);
        } else {
            place.zip(chunk.iter().rev()).for_each(|(to, from)| *to = *from);
        }
        u64::from_le_bytes(bytes)
    });
    if format.kind == Kind::Character {
        let name = match (format.size, format.little_endian) {
            (2, true) => "utf-16-le",
            (2, false) => "utf-16-be",
            (_, true) => "utf-32-le",
            (_, false) => "utf-32-be",
        };
        let text =
            items.as_object().call_method(&vm.intern("decode"), &[vm.new_str(name).as_object()], vm)?;
        return cls.as_object().call(&[typecode, &text], vm);
    }
    let spare = 64 - 8 * format.size as u32;
    let values: Vec<ObjRef> = chunks
        .map(|bits| match (format.kind, format.size) {
            (Kind::Signed, _) => vm.new_int((bits << spare) as i64 >> spare),
            (Kind::Float, 4) => vm.new_float(f64::from(f32::from_bits(bits as u32))),
            (Kind::Float, _) => vm.new_float(f64::from_bits(bits)),
            _ => Int::from_big(BigInt::from(bits), vm),
        })
        .collect();
    // Of this machine's integer types, the one that the items fit exactly.
    let exact = CODES.iter().find(|known| known.kind == format.kind && known.size == format.size);
    let letter = match exact.filter(|_| format.kind != Kind::Float) {
        Some(exact) => vm.new_str(&exact.letter().to_string()).into_object(),
        None => typecode.to_ref(),
    };
    cls.as_object().call(&[&letter, vm.new_list(values).as_object()], vm)
}
