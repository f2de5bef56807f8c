//! Code objects from what the compiler makes and marshal reads.

use std::collections::HashMap;

use taipan_bytecode::code::{CodeObject, Const, Name};

use super::{Code, CodeParts};
use crate::builtins::complex::Complex;
use crate::builtins::set::FrozenSet;
use crate::builtins::slice::Slice;
use crate::prelude::*;

/// The objects of one compilation, in which equal constants are one object, also those of different functions.
struct Maker<'v> {
    vm: &'v Vm,
    made: HashMap<Key, ObjRef>,
    filename: Ref<Str>,
}

/// What two constants that may stand for each other have in common. What they consist of goes by address: it has been
/// merged before.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    BigInt(bool, Vec<u32>),
    Float(u64),
    Complex(u64, u64),
    Str(Vec<u8>),
    Bytes(Vec<u8>),
    Tuple(Vec<usize>),
    FrozenSet(Vec<usize>),
    Slice(Vec<usize>),
}

fn addresses(items: &[ObjRef]) -> Vec<usize> {
    items.iter().map(|item| item.as_ptr() as usize).collect()
}

impl Code {
    /// The code object for plain data; inner code objects are made along with it. Raises MemoryError, or OverflowError when
    /// sizes are out of range.
    pub fn from_bytecode(code: &CodeObject, vm: &Vm) -> PyResult<Ref<Code>> {
        let filename = Str::from_wtf8(&code.filename, vm);
        Maker { vm, made: HashMap::new(), filename }.code(code)
    }
}

/// The object of a constant.
pub fn object_of(constant: &Const, vm: &Vm) -> PyResult {
    let filename = Str::from_wtf8(b"", vm);
    Maker { vm, made: HashMap::new(), filename }.constant(constant)
}

impl Maker<'_> {
    fn code(&mut self, code: &CodeObject) -> PyResult<Ref<Code>> {
        let vm = self.vm;
        let number = |value: u32| {
            i32::try_from(value)
                .map_err(|_| vm.overflow_error("code: a count is too large for a code object"))
        };
        let consts = self.all(&code.consts)?;
        let parts = CodeParts {
            argcount: number(code.argcount)?,
            posonlyargcount: number(code.posonlyargcount)?,
            kwonlyargcount: number(code.kwonlyargcount)?,
            stacksize: number(code.stacksize)?,
            flags: number(code.flags)?,
            firstlineno: code.firstlineno,
            code: code.code.to_vec(),
            consts: self.tuple(consts),
            names: self.names(&code.names),
            localsplusnames: self.names(&code.localsplusnames),
            localspluskinds: code.localspluskinds.to_vec(),
            filename: self.filename.clone(),
            name: vm.intern(&code.name),
            qualname: vm.intern(&code.qualname),
            linetable: self.bytes(&code.linetable),
            exceptiontable: self.bytes(&code.exceptiontable),
        };
        Code::create(parts, vm)
    }

    fn merged(&mut self, key: Key, make: impl FnOnce(&Vm) -> PyResult) -> PyResult {
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let made = make(self.vm)?;
        self.made.insert(key, made.clone());
        Ok(made)
    }

    fn tuple(&mut self, items: Vec<ObjRef>) -> Ref<Tuple> {
        let key = Key::Tuple(addresses(&items));
        if let Some(tuple) = self.made.get(&key).and_then(|made| made.downcast_exact::<Tuple>()) {
            return Ref::new_ref(tuple);
        }
        let tuple = self.vm.new_tuple(items);
        self.made.insert(key, tuple.clone().into_object());
        tuple
    }

    fn bytes(&mut self, bytes: &[u8]) -> Ref<Bytes> {
        let key = Key::Bytes(bytes.to_vec());
        if let Some(bytes) = self.made.get(&key).and_then(|made| made.downcast_exact::<Bytes>()) {
            return Ref::new_ref(bytes);
        }
        let bytes = self.vm.new_bytes(bytes);
        self.made.insert(key, bytes.clone().into_object());
        bytes
    }

    fn names(&mut self, names: &[Name]) -> Ref<Tuple> {
        let interned = names.iter().map(|name| self.vm.intern(name).into_object()).collect();
        self.tuple(interned)
    }

    fn all(&mut self, items: &[Const]) -> PyResult<Vec<ObjRef>> {
        items.iter().map(|item| self.constant(item)).collect()
    }

    fn constant(&mut self, constant: &Const) -> PyResult {
        let vm = self.vm;
        Ok(match constant {
            Const::None => vm.none(),
            Const::True => vm.new_bool(true),
            Const::False => vm.new_bool(false),
            Const::Ellipsis => vm.ellipsis(),
            Const::StopIteration => types::stop_iteration().as_object().to_ref(),
            Const::Int(value) => self.merged(Key::Int((*value).into()), |vm| Ok(vm.new_int(*value)))?,
            Const::BigInt { negative, digits } => {
                let digits: Vec<u32> = digits.iter().copied().collect();
                let big = taipan_numeric::BigInt::new(*negative, digits.iter().copied().collect());
                self.merged(Key::BigInt(*negative, digits), |vm| Ok(Int::from_big(big, vm)))?
            }
            Const::Float(value) => self.merged(Key::Float(value.to_bits()), |vm| Ok(vm.new_float(*value)))?,
            Const::Complex(real, imag) => {
                let key = Key::Complex(real.to_bits(), imag.to_bits());
                self.merged(key, |vm| Ok(Complex::new(*real, *imag, vm)))?
            }
            Const::Str(text) if text.interned => {
                Str::intern(Str::from_wtf8(&text.value, vm), vm).into_object()
            }
            Const::Str(text) => {
                self.merged(Key::Str(text.value.to_vec()), |vm| Ok(string_constant(&text.value, vm)))?
            }
            Const::Bytes(bytes) => self.bytes(bytes).into_object(),
            Const::Tuple(items) => {
                let items = self.all(items)?;
                self.tuple(items).into_object()
            }
            Const::List(items) => vm.new_list(self.all(items)?).into_object(),
            Const::Set(items) => {
                let set = Set::new(vm);
                for item in self.all(items)? {
                    set.add(&item, vm)?;
                }
                set.into_object()
            }
            Const::FrozenSet(items) => {
                let items = self.all(items)?;
                self.merged(Key::FrozenSet(addresses(&items)), |vm| {
                    let list = vm.new_list(items);
                    Ok(FrozenSet::from_iterable(list.as_object(), vm)?.into_object())
                })?
            }
            Const::Dict(items) => {
                let dict = vm.new_dict();
                for (key, value) in items.iter() {
                    dict.set_item(&*self.constant(key)?, &*self.constant(value)?, vm)?;
                }
                dict.into_object()
            }
            Const::Slice(parts) => {
                let parts = self.all(&parts[..])?;
                let key = Key::Slice(addresses(&parts));
                let mut parts = parts.into_iter();
                let mut next = || parts.next().unwrap_or_else(|| vm.none());
                let (start, stop, step) = (next(), next(), next());
                self.merged(key, |vm| Ok(Slice::new(start, stop, step, vm).into_object()))?
            }
            Const::Code(code) => self.code(code)?.into_object(),
        })
    }
}

/// The object of a str constant; those that look like names are interned.
pub fn string_constant(text: &[u8], vm: &Vm) -> ObjRef {
    let is_name = text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let string = Str::from_wtf8(text, vm);
    if is_name { Str::intern(string, vm).into_object() } else { string.into_object() }
}
