//! Code objects from what the compiler makes and marshal reads.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::OnceLock;

use taipan_bytecode::code::{CodeObject, Const, Name};
use taipan_bytecode::hash::FastMap;

use super::{Code, CodeParts};
use crate::builtins::complex::Complex;
use crate::builtins::set::{FrozenSet, items_vec};
use crate::builtins::slice::Slice;
use crate::prelude::*;

/// The objects of one compilation, in which equal constants are one object, also those of different functions.
struct Maker<'c, 'v> {
    vm: &'v Vm,
    made: FastMap<Key<'c>, ObjRef>,
    /// Names by the address of their text, which code objects share.
    names: FastMap<usize, Ref<Str>>,
    /// Interned constants, and whether each was interned here first.
    interned: FastMap<&'c [u8], (ObjRef, bool)>,
    filename: Ref<Str>,
}

/// What two constants that may stand for each other have in common. What they consist of goes by address: it has been
/// merged before.
#[derive(PartialEq, Eq, Hash)]
enum Key<'c> {
    Int(i64),
    BigInt(bool, &'c [u32]),
    Float(u64),
    Complex(u64, u64),
    Str(&'c [u8]),
    Bytes(&'c [u8]),
    Tuple(Vec<usize>),
    /// In the order of the addresses.
    FrozenSet(Vec<usize>),
    Slice(Vec<usize>),
}

fn addresses(items: &[ObjRef]) -> Vec<usize> {
    items.iter().map(|item| item.as_ptr() as usize).collect()
}

impl Code {
    /// The code object for plain data; inner code objects are made along with it. `identifiers` are all names in the source,
    /// `name_constants` those strings that were names when they first became constants. Raises MemoryError, or OverflowError
    /// when sizes are out of range.
    pub fn from_bytecode(
        code: &CodeObject,
        identifiers: &[&str],
        name_constants: &[Rc<[u8]>],
        vm: &Vm,
    ) -> PyResult<Ref<Code>> {
        let filename = Str::from_wtf8(&code.filename, vm);
        let mut kept = Vec::new();
        let mut maker = Maker::new(filename, vm);
        if has_frozenset(code) {
            // CPython's parser interns all names before any constant is interned.
            kept.extend(identifiers.iter().map(|name| vm.intern(name)));
            intern_names(code, &mut kept, vm);
            for name in name_constants {
                let interned = Str::intern(Str::from_wtf8(name, vm), vm);
                maker.interned.insert(name, (interned.into_object(), true));
            }
        }
        maker.code(code)
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

/// Interns the names in the code of a whole module; what is kept in `kept` stays interned.
fn intern_names(code: &CodeObject, kept: &mut Vec<Ref<Str>>, vm: &Vm) {
    kept.extend(code.names.iter().chain(&code.localsplusnames).map(|name| vm.intern(name)));
    kept.push(vm.intern(&code.name));
    inner_codes(code).for_each(|inner| intern_names(inner, kept, vm));
}

/// The names that CPython has interned when a program starts: those in static memory, and what its start leaves behind.
const INITIAL_NAMES: &str = include_str!("initial_names.txt");

fn is_initial_name(text: &[u8]) -> bool {
    static NAMES: OnceLock<BTreeSet<&[u8]>> = OnceLock::new();
    NAMES.get_or_init(|| INITIAL_NAMES.split_whitespace().map(str::as_bytes).collect()).contains(text)
}

/// The object of a constant.
pub fn object_of(constant: &Const, vm: &Vm) -> PyResult {
    Maker::new(Str::from_wtf8(b"", vm), vm).constant(constant)
}

impl<'c, 'v> Maker<'c, 'v> {
    fn new(filename: Ref<Str>, vm: &'v Vm) -> Self {
        Maker {
            vm,
            made: FastMap::default(),
            names: FastMap::default(),
            interned: FastMap::default(),
            filename,
        }
    }

    fn code(&mut self, code: &'c CodeObject) -> PyResult<Ref<Code>> {
        let vm = self.vm;
        let number = |value: u32| {
            i32::try_from(value)
                .map_err(|_| vm.overflow_error("code: a count is too large for a code object"))
        };
        let names = self.names(&code.names);
        let localsplusnames = if code.owns_names {
            let names = code.localsplusnames.iter().map(|name| vm.intern(name).into_object());
            vm.new_tuple(names.collect::<Vec<_>>())
        } else {
            self.names(&code.localsplusnames)
        };
        let qualname = self.qualname(code);
        let consts = self.constants(&code.consts)?;
        let parts = CodeParts {
            argcount: number(code.argcount)?,
            posonlyargcount: number(code.posonlyargcount)?,
            kwonlyargcount: number(code.kwonlyargcount)?,
            stacksize: number(code.stacksize)?,
            flags: number(code.flags)?,
            firstlineno: code.firstlineno,
            code: (&*code.code).into(),
            consts: self.tuple(consts),
            names,
            localsplusnames,
            localspluskinds: vm.new_bytes(&code.localspluskinds),
            filename: self.filename.clone(),
            name: self.name(&code.name),
            qualname,
            linetable: self.bytes(&code.linetable),
            exceptiontable: self.bytes(&code.exceptiontable),
        };
        Code::create(parts, vm)
    }

    fn merged(&mut self, key: Key<'c>, make: impl FnOnce(&Vm) -> PyResult) -> PyResult {
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

    fn bytes(&mut self, bytes: &'c [u8]) -> Ref<Bytes> {
        if let Some(bytes) = self.made.get(&Key::Bytes(bytes)).and_then(|made| made.downcast_exact::<Bytes>())
        {
            return Ref::new_ref(bytes);
        }
        let made = self.vm.new_bytes(bytes);
        self.made.insert(Key::Bytes(bytes), made.clone().into_object());
        made
    }

    fn name(&mut self, name: &'c Name) -> Ref<Str> {
        let vm = self.vm;
        self.names.entry(name.as_ptr().addr()).or_insert_with(|| vm.intern(name)).clone()
    }

    /// The qualified name. In a class's code that is a constant too, of which interning the name makes an interned one.
    fn qualname(&mut self, code: &'c CodeObject) -> Ref<Str> {
        let text = code.qualname.as_bytes();
        let is_text =
            |item: &Const| matches!(item, Const::Str(other) if !other.interned && *other.value == *text);
        let is_function = code.flags & taipan_bytecode::code::flags::OPTIMIZED != 0;
        if is_function || !code.consts.iter().any(is_text) || self.made.contains_key(&Key::Str(text)) {
            return self.name(&code.qualname);
        }
        let before = self.vm.interp().interned.len();
        let name = self.name(&code.qualname);
        if self.vm.interp().interned.len() != before {
            self.made.insert(Key::Str(text), name.clone().into_object());
        }
        name
    }

    fn names(&mut self, names: &'c [Name]) -> Ref<Tuple> {
        let interned = names.iter().map(|name| self.name(name).into_object()).collect();
        self.tuple(interned)
    }

    /// The constants of a code object, made in CPython's order, on which it depends what is interned when: code first, then
    /// the rest from the end.
    fn constants(&mut self, items: &'c [Const]) -> PyResult<Vec<ObjRef>> {
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

    fn all(&mut self, items: &'c [Const]) -> PyResult<Vec<ObjRef>> {
        items.iter().map(|item| self.constant(item)).collect()
    }

    /// An interned constant, and whether CPython's object for this text, which the whole module shares, would be the one
    /// that all others are replaced with.
    fn interned(&mut self, text: &'c [u8]) -> (ObjRef, bool) {
        let vm = self.vm;
        let made = self.interned.entry(text).or_insert_with(|| {
            let before = vm.interp().interned.len();
            let string = Str::intern(Str::from_wtf8(text, vm), vm);
            let is_first = vm.interp().interned.len() != before && !is_initial_name(text);
            (string.into_object(), is_first || text.len() < 2)
        });
        (made.0.clone(), made.1)
    }

    /// A frozenset, whose order is that in which CPython makes it: from the elements as they stand in the source, and once
    /// more from the first set's when a string among them is replaced by one that was interned before. Such a set is new in
    /// each code object.
    fn frozenset(&mut self, items: &'c [Const]) -> PyResult {
        let mut again = false;
        let mut objects = Vec::with_capacity(items.len());
        for item in items {
            let object = match item {
                Const::Str(text) if text.interned => {
                    let (object, is_first) = self.interned(&text.value);
                    again |= !is_first;
                    object
                }
                _ => self.constant(item)?,
            };
            objects.push(object);
        }
        let mut members = addresses(&objects);
        members.sort_unstable();
        let set = self.merged(Key::FrozenSet(members), |vm| {
            let list = vm.new_list(objects);
            FrozenSet::from_iterable(list.as_object(), vm).map(Ref::into_object)
        })?;
        if !again {
            return Ok(set);
        }
        let list = self.vm.new_list(items_vec(&set));
        FrozenSet::from_iterable(list.as_object(), self.vm).map(Ref::into_object)
    }

    fn constant(&mut self, constant: &'c Const) -> PyResult {
        let vm = self.vm;
        Ok(match constant {
            Const::None => vm.none(),
            Const::True => vm.new_bool(true),
            Const::False => vm.new_bool(false),
            Const::Ellipsis => vm.ellipsis(),
            Const::StopIteration => types::stop_iteration().as_object().to_ref(),
            Const::Int(value) => self.merged(Key::Int(*value), |vm| Ok(vm.new_int(*value)))?,
            Const::BigInt { negative, digits } => {
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
            Const::Str(text) if text.interned => self.interned(&text.value).0,
            Const::Str(text) => {
                self.merged(Key::Str(&text.value), |vm| Ok(string_constant(&text.value, vm)))?
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
