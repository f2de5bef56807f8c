//! Code objects from what the compiler makes and marshal reads.

use std::collections::HashMap;

use taipan_bytecode::code::{CodeObject, Const, Name};

use super::{Code, CodeParts};
use crate::builtins::complex::Complex;
use crate::builtins::set::{FrozenSet, items_vec};
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
        let mut identifiers = Vec::new();
        if has_frozenset(code) {
            intern_identifiers(code, &mut identifiers, vm);
        }
        Maker { vm, made: HashMap::new(), filename }.code(code)
    }
}

fn inner_codes(code: &CodeObject) -> impl Iterator<Item = &CodeObject> {
    code.consts.iter().filter_map(|item| match item {
        Const::Code(inner) => Some(&**inner),
        _ => None,
    })
}

fn has_frozenset(code: &CodeObject) -> bool {
    code.consts.iter().any(|item| matches!(item, Const::FrozenSet(_))) || inner_codes(code).any(has_frozenset)
}

/// Interns the names of a whole module, which CPython's parser does before any constant is interned; what is kept in `kept`
/// stays interned.
fn intern_identifiers(code: &CodeObject, kept: &mut Vec<Ref<Str>>, vm: &Vm) {
    kept.extend(code.names.iter().chain(&code.localsplusnames).map(|name| vm.intern(name)));
    kept.push(vm.intern(&code.name));
    inner_codes(code).for_each(|inner| intern_identifiers(inner, kept, vm));
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
        let names = self.names(&code.names);
        let localsplusnames = self.names(&code.localsplusnames);
        let consts = self.constants(&code.consts)?;
        let parts = CodeParts {
            argcount: number(code.argcount)?,
            posonlyargcount: number(code.posonlyargcount)?,
            kwonlyargcount: number(code.kwonlyargcount)?,
            stacksize: number(code.stacksize)?,
            flags: number(code.flags)?,
            firstlineno: code.firstlineno,
            code: code.code.to_vec(),
            consts: self.tuple(consts),
            names,
            localsplusnames,
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

    /// The constants of a code object, made in CPython's order, on which it depends what is interned when: code first, then
    /// the rest from the end.
    fn constants(&mut self, items: &[Const]) -> PyResult<Vec<ObjRef>> {
        let mut made: Vec<Option<ObjRef>> = vec![None; items.len()];
        let is_code = |item: &Const| matches!(item, Const::Code(_));
        for (item, slot) in items.iter().zip(&mut made).filter(|pair| is_code(pair.0)) {
            *slot = Some(self.constant(item)?);
        }
        for (item, slot) in items.iter().zip(&mut made).rev().filter(|pair| !is_code(pair.0)) {
            *slot = Some(self.constant(item)?);
        }
        Ok(made.into_iter().flatten().collect())
    }

    fn all(&mut self, items: &[Const]) -> PyResult<Vec<ObjRef>> {
        items.iter().map(|item| self.constant(item)).collect()
    }

    /// A frozenset, whose order is that in which CPython makes it: from the elements as they stand in the source, and once
    /// more from the first set's when a name among them was interned before.
    fn frozenset(&mut self, items: &[Const]) -> PyResult {
        let vm = self.vm;
        let mut again = false;
        let mut objects = Vec::with_capacity(items.len());
        for item in items {
            let object = match item {
                Const::Str(text) if text.interned => {
                    let fresh = Str::from_wtf8(&text.value, vm);
                    let interned = Str::intern(fresh.clone(), vm);
                    again |= !std::ptr::eq(&raw const *fresh, &raw const *interned);
                    interned.into_object()
                }
                _ => self.constant(item)?,
            };
            objects.push(object);
        }
        self.merged(Key::FrozenSet(addresses(&objects)), |vm| {
            let list = vm.new_list(objects);
            let mut set = FrozenSet::from_iterable(list.as_object(), vm)?;
            if again {
                let list = vm.new_list(items_vec(set.as_object()));
                set = FrozenSet::from_iterable(list.as_object(), vm)?;
            }
            Ok(set.into_object())
        })
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
            // A NaN equals no other one.
            Const::Float(value) if value.is_nan() => vm.new_float(*value),
            Const::Complex(real, imag) if real.is_nan() || imag.is_nan() => Complex::new(*real, *imag, vm),
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
            Const::FrozenSet(items) => self.frozenset(items)?,
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
