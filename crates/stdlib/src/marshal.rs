//! `marshal`: Python objects as bytes, the format of `.pyc` files.

use taipan_vm::bytecode::{Const, marshal as format};
use taipan_vm::prelude::*;

/// The module.
pub struct Marshal;

fn constant(object: &Object, depth: usize, vm: &Vm) -> PyResult<Const> {
    if depth > 1000 {
        return Err(vm.value_error("object too deeply nested to marshal"));
    }
    if vm.is_none(object) {
        return Ok(Const::None);
    }
    if object.is(vm.true_ref()) {
        return Ok(Const::True);
    }
    if object.is(vm.false_ref()) {
        return Ok(Const::False);
    }
    if object.is(&vm.ellipsis()) {
        return Ok(Const::Ellipsis);
    }
    let all = |items: &[ObjRef]| -> PyResult<Vec<Const>> {
        items.iter().map(|item| constant(item, depth + 1, vm)).collect()
    };
    if let Some(int) = object.downcast_exact::<Int>() {
        return Ok(match int.to_i64() {
            Some(value) => Const::Int(value),
            None => Const::BigInt { negative: int.is_negative(), digits: int.digits().into() },
        });
    }
    if let Some(float) = object.downcast_exact::<Float>() {
        return Ok(Const::Float(float.value()));
    }
    if let Some(complex) = object.downcast_exact::<Complex>() {
        return Ok(Const::Complex(complex.re, complex.im));
    }
    if let Some(text) = object.downcast_exact::<Str>() {
        return Ok(Const::Str(taipan_vm::bytecode::Str {
            value: wtf8(text).into(),
            interned: text.is_interned(),
        }));
    }
    if let Some(bytes) = object.downcast_exact::<Bytes>() {
        return Ok(Const::Bytes(bytes.as_bytes().into()));
    }
    if let Some(tuple) = object.downcast_exact::<Tuple>() {
        return Ok(Const::Tuple(all(tuple.as_slice())?.into()));
    }
    if let Some(list) = object.downcast_exact::<List>() {
        return Ok(Const::List(all(&list.to_vec())?.into()));
    }
    if let Some(dict) = object.downcast_exact::<Dict>() {
        let mut items = Vec::with_capacity(dict.len());
        for (key, value) in dict.items_vec() {
            items.push((constant(&key, depth + 1, vm)?, constant(&value, depth + 1, vm)?));
        }
        return Ok(Const::Dict(items.into()));
    }
    if object.downcast_exact::<Set>().is_some() {
        return Ok(Const::Set(all(&object.collect_iterable(vm)?)?.into()));
    }
    if object.downcast_exact::<taipan_vm::builtins::set::FrozenSet>().is_some() {
        return Ok(Const::FrozenSet(all(&object.collect_iterable(vm)?)?.into()));
    }
    if object.downcast_exact::<Code>().is_some() {
        return Err(vm.not_implemented_error("marshal.dumps of code objects"));
    }
    Err(vm.value_error("unmarshallable object"))
}

/// A str in UTF-8, surrogates as three bytes.
fn wtf8(text: &Str) -> Vec<u8> {
    if let Some(ascii) = text.as_ascii_str() {
        return ascii.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    for code in (0..text.len()).filter_map(|at| text.char_at(at)) {
        match char::from_u32(code) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend([
                0xE0 | (code >> 12) as u8,
                0x80 | (code >> 6 & 0x3F) as u8,
                0x80 | (code & 0x3F) as u8,
            ]),
        }
    }
    out
}

/// This module contains functions that can read and write Python values in
/// a binary format. The format is specific to Python, but independent of
/// machine architecture issues.
#[pymodule(name = "marshal")]
impl Marshal {
    /// Return the bytes object that would be written to a file by dump(value, file).
    #[function("($module, value, version=5, /, *, allow_code=True)")]
    fn dumps(
        value: &Object,
        _version: Option<i32>,
        _allow_code: Option<bool>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let value = constant(value, 0, vm)?;
        format::dumps(&value)
            .map(|data| vm.new_bytes(&data))
            .map_err(|_| vm.value_error("unmarshallable object"))
    }

    /// Convert the bytes-like object to a value.
    ///
    /// If no valid value is found, raise EOFError, ValueError or TypeError.  Extra
    /// bytes in the input are ignored.
    #[function("($module, bytes, /, *, allow_code=True)")]
    fn loads(bytes: BufferArg, _allow_code: Option<bool>, vm: &Vm) -> PyResult {
        match format::loads_prefix(bytes.as_bytes()) {
            Ok((value, _)) => taipan_vm::builtins::code::object_of(&value, vm),
            Err(error) => Err(taipan_vm::runtime::marshal::raise(&error, vm)),
        }
    }

    /// Write the value on the open file.
    #[function("($module, value, file, version=5, /, *, allow_code=True)")]
    fn dump(
        value: &Object,
        file: &Object,
        version: Option<i32>,
        allow_code: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let data = Marshal::dumps(value, version, allow_code, vm)?;
        file.call_method(vm.ids().write, &[data.as_object()], vm)
    }

    /// Read one value from the open file and return it.
    #[function("($module, file, /, *, allow_code=True)")]
    fn load(file: &Object, _allow_code: Option<bool>, vm: &Vm) -> PyResult {
        let data = file.call_method(vm.ids().read, &[], vm)?;
        let Some(bytes) = data.downcast_ref::<Bytes>() else {
            return Err(
                vm.type_error(format!("file.read() returned not bytes but {}", data.ob_type().name()))
            );
        };
        match format::loads_prefix(bytes.as_bytes()) {
            Ok((value, used)) => {
                let unread = bytes.as_bytes().len() - used;
                if unread > 0 {
                    let back = vm.new_int(-(unread as i64));
                    file.call_method(&vm.intern("seek"), &[&back, &vm.new_int(1)], vm)?;
                }
                taipan_vm::builtins::code::object_of(&value, vm)
            }
            Err(error) => Err(taipan_vm::runtime::marshal::raise(&error, vm)),
        }
    }

    #[constant]
    fn version() -> i32 {
        5
    }
}
