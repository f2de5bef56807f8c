//! Marshal data as objects: what importers and the module `marshal` share.
//!
//! The data may be hostile: sizes are checked against what is there, nesting is bounded.

use std::ops::Deref;

use crate::builtins::code::{CodeParts, kind};
use crate::builtins::complex::Complex;
use crate::builtins::coroutine_flags as co;
use crate::builtins::set::FrozenSet;
use crate::builtins::slice::Slice;
use crate::prelude::*;

pub use taipan_bytecode::PYC_MAGIC;

/// How deep values may lie in each other.
pub const MAX_DEPTH: usize = 2000;
/// The bit of a type code that gives the value a reference number.
const REF: u8 = 0x80;

/// The code object that `data` holds.
pub fn load_code(data: &[u8], vm: &Vm) -> PyResult<Ref<Code>> {
    load(data, true, vm)?.downcast::<Code>().map_err(|_| vm.type_error("marshalled data is no code object"))
}

/// The value at the beginning of `data`. Raises EOFError, ValueError or TypeError for data that can't be read, ValueError
/// for code objects unless they are allowed.
pub fn load(data: &[u8], allow_code: bool, vm: &Vm) -> PyResult {
    Reader { source: Memory { rest: data }, allow_code, in_code: 0, numbered: Vec::new(), vm }
        .value("object", 0)
}

/// `load` from an object with `readinto`, of which no more is read than the value takes.
pub fn load_file(file: &Object, allow_code: bool, vm: &Vm) -> PyResult {
    Reader { source: File { file }, allow_code, in_code: 0, numbered: Vec::new(), vm }.value("object", 0)
}

/// Where data come from.
trait Source {
    /// A run of bytes.
    type Bytes: Deref<Target = [u8]>;

    /// The next `count` bytes.
    fn take(&mut self, count: usize, vm: &Vm) -> PyResult<Self::Bytes>;

    /// The next `N` bytes.
    fn array<const N: usize>(&mut self, vm: &Vm) -> PyResult<[u8; N]>;

    /// Whether that many items may follow, so that memory for them can be taken beforehand.
    fn may_hold(&self, count: usize) -> bool;
}

/// Bytes in memory.
struct Memory<'a> {
    rest: &'a [u8],
}

#[cold]
fn too_short(vm: &Vm) -> Raised {
    vm.eof_error("marshal data too short")
}

impl<'a> Source for Memory<'a> {
    type Bytes = &'a [u8];

    #[inline(always)]
    fn take(&mut self, count: usize, vm: &Vm) -> PyResult<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(|| too_short(vm))?;
        self.rest = rest;
        Ok(head)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self, vm: &Vm) -> PyResult<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(|| too_short(vm))?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline(always)]
    fn may_hold(&self, count: usize) -> bool {
        count <= self.rest.len()
    }
}

/// A file.
struct File<'a> {
    file: &'a Object,
}

impl Source for File<'_> {
    type Bytes = Vec<u8>;

    fn take(&mut self, count: usize, vm: &Vm) -> PyResult<Vec<u8>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let size = vm.new_int(count);
        let buffer = ByteArray::type_object().as_object().call(&[&size], vm)?;
        let read = self.file.call_method(&vm.intern("readinto"), &[&buffer], vm)?.as_isize(vm)?;
        match usize::try_from(read) {
            Ok(read) if read == count => {}
            Ok(read) if read > count => {
                return Err(vm.value_error(format!(
                    "read() returned too much data: {count} bytes requested, {read} returned"
                )));
            }
            _ => return Err(vm.eof_error("EOF read where not expected")),
        }
        Ok(buffer.downcast_ref::<ByteArray>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default())
    }

    fn array<const N: usize>(&mut self, vm: &Vm) -> PyResult<[u8; N]> {
        let bytes = self.take(N, vm)?;
        bytes.first_chunk().copied().ok_or_else(|| too_short(vm))
    }

    fn may_hold(&self, count: usize) -> bool {
        count <= 1 << 16
    }
}

struct Reader<'v, S: Source> {
    source: S,
    allow_code: bool,
    /// How many code objects are being read.
    in_code: u32,
    /// Objects with numbers; `None` while they are being read and can't be referred to.
    numbered: Vec<Option<ObjRef>>,
    vm: &'v Vm,
}

impl<S: Source> Reader<'_, S> {
    #[cold]
    fn bad(&self, detail: &str) -> Raised {
        self.vm.value_error(format!("bad marshal data ({detail})"))
    }

    #[inline(always)]
    fn byte(&mut self) -> PyResult<u8> {
        self.source.array::<1>(self.vm).map(|[byte]| byte)
    }

    #[inline(always)]
    fn long(&mut self) -> PyResult<i32> {
        self.source.array(self.vm).map(i32::from_le_bytes)
    }

    #[inline(always)]
    fn size(&mut self, what: &str) -> PyResult<usize> {
        let size = self.long()?;
        usize::try_from(size).map_err(|_| self.bad(&format!("{what} size out of range")))
    }

    fn float(&mut self, text: bool) -> PyResult<f64> {
        let vm = self.vm;
        if !text {
            return self.source.array(vm).map(f64::from_le_bytes);
        }
        let len = self.byte()?;
        let digits = self.source.take(usize::from(len), vm)?;
        let digits = vm.new_str(&String::from_utf8_lossy(&digits));
        Float::type_object().as_object().call(&[digits.as_object()], vm)?.as_f64(vm)
    }

    fn int(&mut self) -> PyResult {
        let count = self.long()?;
        if count == i32::MIN {
            return Err(self.bad("long size out of range"));
        }
        // Digits of 15 bits there, of 30 bits here. The count is not believed: each digit is looked at before the next is
        // read.
        let mut digits: Vec<u32> = Vec::new();
        let mut last = 1;
        for at in 0..count.unsigned_abs() {
            let digit = u32::from(u16::from_le_bytes(self.source.array(self.vm)?));
            if digit > 0x7fff {
                return Err(self.bad("digit out of range in long"));
            }
            match digits.last_mut() {
                Some(low) if at % 2 == 1 => *low |= digit << 15,
                _ => digits.push(digit),
            }
            last = digit;
        }
        if last == 0 {
            return Err(self.bad("unnormalized long data"));
        }
        Ok(Int::from_big(taipan_numeric::BigInt::new(count < 0, digits.into_iter().collect()), self.vm))
    }

    #[inline]
    fn text(&mut self, kind: u8) -> PyResult {
        let vm = self.vm;
        let size = match kind {
            b'z' | b'Z' => usize::from(self.byte()?),
            _ => self.size("string")?,
        };
        let bytes = self.source.take(size, vm)?;
        let interned = matches!(kind, b't' | b'A' | b'Z');
        if bytes.is_ascii() {
            // Constants of code that look like names are interned, however they were written.
            let is_name = || bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            if interned || self.in_code > 0 && is_name() {
                return Ok(Str::intern_ascii(&bytes, vm).into_object());
            }
            return Ok(Str::from_ascii(&bytes, vm).into_object());
        }
        let text = match kind {
            b'u' | b't' => match std::str::from_utf8(&bytes) {
                Ok(text) => vm.new_str(text),
                Err(_) => {
                    let encoded = vm.new_bytes(&bytes);
                    crate::builtins::str::decode_object(encoded.as_object(), "utf-8", "surrogatepass", vm)?
                }
            },
            _ => Str::from_latin1(&bytes, vm),
        };
        Ok(if interned { Str::intern(text, vm) } else { text }.into_object())
    }

    /// Reads a value that must be there.
    #[inline(always)]
    fn value(&mut self, owner: &'static str, depth: usize) -> PyResult {
        let head = self.head()?;
        if head & !REF == b'0' {
            return Err(self.vm.type_error(format!("NULL object in marshal data for {owner}")));
        }
        self.value_of(head, depth)
    }

    /// Reads a value, or that there is none.
    fn maybe(&mut self, depth: usize) -> PyResult<Option<ObjRef>> {
        match self.head()? {
            head if head & !REF == b'0' => Ok(None),
            head => self.value_of(head, depth).map(Some),
        }
    }

    #[inline(always)]
    fn head(&mut self) -> PyResult<u8> {
        match self.byte() {
            Err(Raised) => Err(self.no_head()),
            head => head,
        }
    }

    #[cold]
    fn no_head(&self) -> Raised {
        let vm = self.vm;
        if !vm.exception_matches(types::eof_error()) {
            return Raised;
        }
        vm.clear_exception();
        vm.eof_error("EOF read where object expected")
    }

    fn items(&mut self, count: usize, owner: &'static str, depth: usize) -> PyResult<Vec<ObjRef>> {
        let mut items = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            items.push(self.value(owner, depth)?);
        }
        Ok(items)
    }

    /// Takes a number for an object that is yet to be read.
    fn reserve(&mut self, head: u8) -> Option<usize> {
        if head & REF == 0 {
            return None;
        }
        self.numbered.push(None);
        Some(self.numbered.len() - 1)
    }

    fn number(&mut self, index: Option<usize>, object: &Object) {
        if let Some(slot) = index.and_then(|index| self.numbered.get_mut(index)) {
            *slot = Some(object.to_ref());
        }
    }

    /// An object without parts.
    #[inline(always)]
    fn leaf(&mut self, head: u8, object: ObjRef) -> PyResult {
        if head & REF != 0 {
            self.numbered.push(Some(object.clone()));
        }
        Ok(object)
    }

    /// Reads what follows a type code.
    fn value_of(&mut self, head: u8, depth: usize) -> PyResult {
        let vm = self.vm;
        if depth > MAX_DEPTH {
            return Err(vm.value_error("recursion limit exceeded"));
        }
        let depth = depth + 1;
        match head & !REF {
            kind @ (b'z' | b'Z' | b'a' | b'A' | b't' | b'u') => {
                let text = self.text(kind)?;
                self.leaf(head, text)
            }
            b'r' => {
                let number = self.long()?;
                let found = usize::try_from(number).ok().and_then(|number| self.numbered.get(number));
                found.and_then(Clone::clone).ok_or_else(|| self.bad("invalid reference"))
            }
            b')' => {
                let count = usize::from(self.byte()?);
                self.tuple(head, count, depth)
            }
            b'(' => {
                let count = self.size("tuple")?;
                self.tuple(head, count, depth)
            }
            b's' => {
                let size = self.size("bytes object")?;
                let bytes = vm.new_bytes(&self.source.take(size, vm)?);
                self.leaf(head, bytes.into_object())
            }
            b'N' => Ok(vm.none()),
            b'T' => Ok(vm.new_bool(true)),
            b'F' => Ok(vm.new_bool(false)),
            b'.' => Ok(vm.ellipsis()),
            b'S' => Ok(types::stop_iteration().as_object().to_ref()),
            b'i' => {
                let value = vm.new_int(self.long()?);
                self.leaf(head, value)
            }
            b'c' => {
                let index = self.reserve(head);
                let code = self.code(depth)?;
                self.number(index, &code);
                Ok(code)
            }
            kind => self.rare(kind, head, depth),
        }
    }

    #[inline(never)]
    fn rare(&mut self, kind: u8, head: u8, depth: usize) -> PyResult {
        let vm = self.vm;
        match kind {
            b'I' => {
                let value = vm.new_int(self.source.array(vm).map(i64::from_le_bytes)?);
                self.leaf(head, value)
            }
            b'l' => {
                let value = self.int()?;
                self.leaf(head, value)
            }
            b'g' | b'f' => {
                let value = vm.new_float(self.float(kind == b'f')?);
                self.leaf(head, value)
            }
            b'y' | b'x' => {
                let text = kind == b'x';
                let value = Complex::new(self.float(text)?, self.float(text)?, vm);
                self.leaf(head, value)
            }
            b'[' => {
                let index = self.reserve(head);
                let count = self.size("list")?;
                let list = vm.new_list(Vec::new());
                self.number(index, list.as_object());
                for _ in 0..count {
                    list.append(self.value("list", depth)?);
                }
                Ok(list.into_object())
            }
            b'<' => {
                let index = self.reserve(head);
                let count = self.size("set")?;
                let set = Set::new(vm);
                self.number(index, set.as_object());
                for _ in 0..count {
                    set.add(&*self.value("set", depth)?, vm)?;
                }
                Ok(set.into_object())
            }
            b'>' => {
                let index = self.reserve(head);
                let count = self.size("set")?;
                let items = vm.new_list(self.items(count, "set", depth)?);
                let set = FrozenSet::from_iterable(items.as_object(), vm)?.into_object();
                self.number(index, &set);
                Ok(set)
            }
            b'{' => {
                let index = self.reserve(head);
                let dict = vm.new_dict();
                self.number(index, dict.as_object());
                while let Some(key) = self.maybe(depth)? {
                    let Some(value) = self.maybe(depth)? else { break };
                    dict.set_item(&key, &value, vm)?;
                }
                Ok(dict.into_object())
            }
            b':' => {
                let index = self.reserve(head);
                let mut part = || self.value("slice", depth);
                let slice = Slice::new(part()?, part()?, part()?, vm).into_object();
                self.number(index, &slice);
                Ok(slice)
            }
            _ => Err(self.bad("unknown type code")),
        }
    }

    fn tuple(&mut self, head: u8, count: usize, depth: usize) -> PyResult {
        let vm = self.vm;
        let index = self.reserve(head);
        if count == 0 || !self.source.may_hold(count) {
            let tuple = vm.new_tuple(self.items(count, "tuple", depth)?);
            self.number(index, tuple.as_object());
            return Ok(tuple.into_object());
        }
        if index.is_none() {
            return Tuple::try_build(count, || self.value("tuple", depth), vm).map(Ref::into_object);
        }
        // Lists and dictionaries in it may refer to it.
        let tuple = Tuple::with_len(count, vm)?;
        for at in 0..count {
            tuple.set_unique(at, vm.none());
        }
        self.number(index, tuple.as_object());
        for at in 0..count {
            let item = self.value("tuple", depth)?;
            tuple.set_unique(at, item);
        }
        Ok(tuple.into_object())
    }

    /// One of the objects that a code object is made of; all are read before any is looked at.
    #[inline(always)]
    fn part(&mut self, depth: usize) -> PyResult {
        self.value("code object", depth)
    }

    #[inline(never)]
    fn code(&mut self, depth: usize) -> PyResult {
        let vm = self.vm;
        if !self.allow_code {
            return Err(vm.value_error("unmarshalling code objects is disallowed"));
        }
        self.in_code += 1;
        let (argcount, posonlyargcount, kwonlyargcount) = (self.long()?, self.long()?, self.long()?);
        let (stacksize, flags) = (self.long()?, self.long()?);
        let code_head = self.head()?;
        // Instructions that nothing else refers to need no object of their own.
        let (plain, object);
        let code: &[u8] = if code_head == b's' {
            let size = self.size("bytes object")?;
            plain = self.source.take(size, vm)?;
            &plain
        } else {
            object = self.value_of(code_head, depth)?;
            object.downcast_ref::<Bytes>().map_or(&[], Bytes::as_bytes)
        };
        let (consts, names) = (self.part(depth)?, self.part(depth)?);
        let (localsplusnames, localspluskinds) = (self.part(depth)?, self.part(depth)?);
        let (filename, name, qualname) = (self.part(depth)?, self.part(depth)?, self.part(depth)?);
        let firstlineno = self.long()?;
        let (linetable, exceptiontable) = (self.part(depth)?, self.part(depth)?);
        self.in_code -= 1;
        let (consts, names) = (typed::<Tuple>(consts, vm)?, typed::<Tuple>(names, vm)?);
        let localsplusnames = typed::<Tuple>(localsplusnames, vm)?;
        let localspluskinds = typed::<Bytes>(localspluskinds, vm)?;
        let (filename, name, qualname) = (typed(filename, vm)?, typed(name, vm)?, typed(qualname, vm)?);
        let (linetable, exceptiontable) = (typed(linetable, vm)?, typed(exceptiontable, vm)?);
        let kinds = localspluskinds.as_bytes();
        if (posonlyargcount | kwonlyargcount | stacksize | flags) < 0
            || posonlyargcount > argcount
            || kinds.len() != localsplusnames.len()
        {
            return Err(bad_part(vm));
        }
        let (names, localsplusnames) = (interned(names, vm)?, interned(localsplusnames, vm)?);
        if code.len() % 2 != 0 || code.is_empty() {
            return Err(vm.value_error("code: co_code is malformed"));
        }
        let locals = kinds.iter().filter(|item| *item & kind::LOCAL != 0).count() as i64;
        let extra = i64::from(flags & co::VARARGS != 0) + i64::from(flags & co::VARKEYWORDS != 0);
        if i64::from(argcount) + i64::from(kwonlyargcount) + extra > locals {
            return Err(vm.value_error("code: co_varnames is too small"));
        }
        let parts = CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            firstlineno,
            code: code.into(),
            consts,
            names,
            localsplusnames,
            localspluskinds,
            filename,
            name: Str::intern(name, vm),
            qualname: Str::intern(qualname, vm),
            linetable,
            exceptiontable,
        };
        Code::create(parts, vm).map(Ref::into_object)
    }
}

#[inline(always)]
fn typed<T: PyLayout>(part: ObjRef, vm: &Vm) -> PyResult<Ref<T>> {
    part.downcast::<T>().map_err(|_| bad_part(vm))
}

#[cold]
fn bad_part(vm: &Vm) -> Raised {
    vm.system_error("bad argument to internal function")
}

/// Names, each interned.
#[inline(always)]
fn interned(names: Ref<Tuple>, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let mut all = true;
    for name in names.as_slice() {
        match name.downcast_exact::<Str>() {
            Some(name) => all &= name.is_interned(),
            None => return Err(vm.system_error("non-string found in code slot")),
        }
    }
    if all {
        return Ok(names);
    }
    let intern = |name: &ObjRef| Some(Str::intern(name.clone().downcast::<Str>().ok()?, vm).into_object());
    Ok(vm.new_tuple(names.as_slice().iter().filter_map(intern).collect::<Vec<_>>()))
}
