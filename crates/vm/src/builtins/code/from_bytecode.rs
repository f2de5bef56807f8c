//! Code objects from what the compiler makes and marshal reads.

use taipan_bytecode::code::{CodeObject, Const, Name};

use super::{Code, CodeParts};
use crate::builtins::complex::Complex;
use crate::builtins::set::FrozenSet;
use crate::builtins::slice::Slice;
use crate::prelude::*;

impl Code {
    /// The code object for plain data; inner code objects are made along with it. Raises MemoryError, or OverflowError when
    /// sizes are out of range.
    pub fn from_bytecode(code: &CodeObject, vm: &Vm) -> PyResult<Ref<Code>> {
        let number = |value: u32| {
            i32::try_from(value)
                .map_err(|_| vm.overflow_error("code: a count is too large for a code object"))
        };
        let mut consts = Vec::with_capacity(code.consts.len());
        for item in &code.consts {
            consts.push(object_of(item, vm)?);
        }
        let parts = CodeParts {
            argcount: number(code.argcount)?,
            posonlyargcount: number(code.posonlyargcount)?,
            kwonlyargcount: number(code.kwonlyargcount)?,
            stacksize: number(code.stacksize)?,
            flags: number(code.flags)?,
            firstlineno: code.firstlineno,
            code: code.code.to_vec(),
            consts: vm.new_tuple(consts),
            names: names(&code.names, vm),
            localsplusnames: names(&code.localsplusnames, vm),
            localspluskinds: code.localspluskinds.to_vec(),
            filename: Str::from_wtf8(&code.filename, vm),
            name: vm.intern(&code.name),
            qualname: vm.intern(&code.qualname),
            linetable: vm.new_bytes(&code.linetable),
            exceptiontable: vm.new_bytes(&code.exceptiontable),
        };
        Code::create(parts, vm)
    }
}

fn names(names: &[Name], vm: &Vm) -> Ref<Tuple> {
    let interned: Vec<ObjRef> = names.iter().map(|name| vm.intern(name).into_object()).collect();
    vm.new_tuple(interned)
}

/// The object of a constant.
pub fn object_of(constant: &Const, vm: &Vm) -> PyResult {
    let all =
        |items: &[Const]| -> PyResult<Vec<ObjRef>> { items.iter().map(|item| object_of(item, vm)).collect() };
    Ok(match constant {
        Const::None => vm.none(),
        Const::True => vm.new_bool(true),
        Const::False => vm.new_bool(false),
        Const::Ellipsis => vm.ellipsis(),
        Const::StopIteration => types::stop_iteration().as_object().to_ref(),
        Const::Int(value) => vm.new_int(*value),
        Const::BigInt { negative, digits } => {
            Int::from_big(taipan_numeric::BigInt::new(*negative, digits.iter().copied().collect()), vm)
        }
        Const::Float(value) => vm.new_float(*value),
        Const::Complex(real, imag) => Complex::new(*real, *imag, vm),
        Const::Str(text) if text.interned => Str::intern(Str::from_wtf8(&text.value, vm), vm).into_object(),
        Const::Str(text) => string_constant(&text.value, vm),
        Const::Bytes(bytes) => vm.new_bytes(bytes).into_object(),
        Const::Tuple(items) => vm.new_tuple(all(items)?).into_object(),
        Const::List(items) => vm.new_list(all(items)?).into_object(),
        Const::Set(items) => {
            let set = Set::new(vm);
            for item in all(items)? {
                set.add(&item, vm)?;
            }
            set.into_object()
        }
        Const::FrozenSet(items) => {
            let list = vm.new_list(all(items)?);
            FrozenSet::from_iterable(list.as_object(), vm)?.into_object()
        }
        Const::Dict(items) => {
            let dict = vm.new_dict();
            for (key, value) in items.iter() {
                dict.set_item(&*object_of(key, vm)?, &*object_of(value, vm)?, vm)?;
            }
            dict.into_object()
        }
        Const::Slice(parts) => {
            let [start, stop, step] = &**parts;
            Slice::new(object_of(start, vm)?, object_of(stop, vm)?, object_of(step, vm)?, vm).into_object()
        }
        Const::Code(code) => Code::from_bytecode(code, vm)?.into_object(),
    })
}

/// The object of a str constant; those that look like names are interned.
pub fn string_constant(text: &[u8], vm: &Vm) -> ObjRef {
    let is_name = text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let string = Str::from_wtf8(text, vm);
    if is_name { Str::intern(string, vm).into_object() } else { string.into_object() }
}
