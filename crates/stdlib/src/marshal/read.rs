//! Marshal data as objects. The data may be hostile: sizes are checked against what is there, nesting is bounded.

use std::borrow::Cow;

use taipan_vm::builtins::code::{CodeParts, kind};
use taipan_vm::builtins::coroutine_flags as co;
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::prelude::*;

use super::MAX_DEPTH;

const REF: u8 = 0x80;

/// Where data come from.
pub enum Source<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// An object with `readinto`, of which no more is read than the value takes.
    File(&'a Object),
}

/// Reads values.
pub struct Reader<'a, 'v> {
    source: Source<'a>,
    allow_code: bool,
    vm: &'v Vm,
    /// Objects with numbers; `None` while they are being read and can't be referred to.
    numbered: Vec<Option<ObjRef>>,
}

impl<'a, 'v> Reader<'a, 'v> {
    /// A reader of a source.
    pub fn new(source: Source<'a>, allow_code: bool, vm: &'v Vm) -> Self {
        Reader { source, allow_code, vm, numbered: Vec::new() }
    }

    fn bad(&self, detail: &str) -> Raised {
        self.vm.value_error(format!("bad marshal data ({detail})"))
    }

    fn take(&mut self, count: usize) -> PyResult<Cow<'a, [u8]>> {
        let vm = self.vm;
        match &mut self.source {
            Source::Bytes(rest) => match rest.split_at_checked(count) {
                Some((head, tail)) => {
                    *rest = tail;
                    Ok(Cow::Borrowed(head))
                }
                None => Err(vm.eof_error("marshal data too short")),
            },
            Source::File(file) => {
                if count == 0 {
                    return Ok(Cow::Borrowed(&[]));
                }
                let size = vm.new_int(count);
                let buffer = ByteArray::type_object().as_object().call(&[&size], vm)?;
                let read = file.call_method(&vm.intern("readinto"), &[&buffer], vm)?.as_isize(vm)?;
                match usize::try_from(read) {
                    Ok(read) if read == count => {}
                    Ok(read) if read > count => {
                        return Err(vm.value_error(format!(
                            "read() returned too much data: {count} bytes requested, {read} returned"
                        )));
                    }
                    _ => return Err(vm.eof_error("EOF read where not expected")),
                }
                Ok(buffer
                    .downcast_ref::<ByteArray>()
                    .map(|b| b.as_bytes().to_vec())
                    .unwrap_or_default()
                    .into())
            }
        }
    }

    /// Whether that many items may follow, so that memory for them can be taken beforehand.
    fn may_hold(&self, count: usize) -> bool {
        match &self.source {
            Source::Bytes(rest) => count <= rest.len(),
            Source::File(_) => count <= 1 << 16,
        }
    }

    fn array<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        if let Source::Bytes(rest) = &mut self.source {
            if let Some((head, tail)) = rest.split_first_chunk() {
                *rest = tail;
                return Ok(*head);
            }
        }
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(&*bytes).map_err(|_| self.bad("short read"))
    }

    fn byte(&mut self) -> PyResult<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> PyResult<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn float(&mut self, text: bool) -> PyResult<f64> {
        if !text {
            return self.array().map(f64::from_le_bytes);
        }
        let len = self.byte()?;
        let digits = self.take(usize::from(len))?;
        let digits = self.vm.new_str(&String::from_utf8_lossy(&digits));
        Float::type_object().as_object().call(&[digits.as_object()], self.vm)?.as_f64(self.vm)
    }

    fn size(&mut self, what: &str) -> PyResult<usize> {
        let size = self.long()?;
        usize::try_from(size).map_err(|_| self.bad(&format!("{what} size out of range")))
    }

    fn int(&mut self) -> PyResult {
        let count = self.long()?;
        if count == i32::MIN {
            return Err(self.bad("long size out of range"));
        }
        // The count is not believed: each digit is looked at before the next is read.
        let mut digits: Vec<u32> = Vec::new();
        let mut last = 1;
        for i in 0..count.unsigned_abs() {
            let digit = u32::from(u16::from_le_bytes(self.array()?));
            if digit > 0x7fff {
                return Err(self.bad("digit out of range in long"));
            }
            match digits.last_mut() {
                Some(low) if i % 2 == 1 => *low |= digit << 15,
                _ => digits.push(digit),
            }
            last = digit;
        }
        if last == 0 {
            return Err(self.bad("unnormalized long data"));
        }
        Ok(Int::from_big(taipan_numeric::BigInt::new(count < 0, digits.into_iter().collect()), self.vm))
    }

    fn text(&mut self, kind: u8) -> PyResult {
        let vm = self.vm;
        let size = match kind {
            b'z' | b'Z' => usize::from(self.byte()?),
            _ => self.size("string")?,
        };
        let bytes = self.take(size)?;
        let interned = matches!(kind, b't' | b'A' | b'Z');
        if bytes.is_ascii() {
            return Ok(match std::str::from_utf8(&bytes) {
                Ok(text) if interned => Str::intern_text(text, vm).into_object(),
                _ => Str::from_ascii(&bytes, vm).into_object(),
            });
        }
        let text = match kind {
            b'u' | b't' => {
                let encoded = vm.new_bytes(&bytes);
                taipan_vm::builtins::str::decode_object(encoded.as_object(), "utf-8", "surrogatepass", vm)?
            }
            _ => Str::from_latin1(&bytes, vm),
        };
        Ok(if interned { Str::intern(text, vm) } else { text }.into_object())
    }

    /// Reads a value that must be there.
    pub fn required(&mut self, owner: &str, depth: usize) -> PyResult {
        match self.value(depth)? {
            Some(value) => Ok(value),
            None => Err(self.vm.type_error(format!("NULL object in marshal data for {owner}"))),
        }
    }

    fn items(&mut self, count: usize, owner: &str, depth: usize) -> PyResult<Vec<ObjRef>> {
        let mut items = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            items.push(self.required(owner, depth)?);
        }
        Ok(items)
    }

    fn number(&mut self, index: Option<usize>, object: &Object) {
        if let Some(slot) = index.and_then(|index| self.numbered.get_mut(index)) {
            *slot = Some(object.to_ref());
        }
    }

    fn value(&mut self, depth: usize) -> PyResult<Option<ObjRef>> {
        let vm = self.vm;
        if depth > MAX_DEPTH {
            return Err(vm.value_error("recursion limit exceeded"));
        }
        let depth = depth + 1;
        let head = match self.byte() {
            Err(Raised) if vm.exception_matches(types::eof_error()) => {
                vm.clear_exception();
                return Err(vm.eof_error("EOF read where object expected"));
            }
            head => head?,
        };
        let kind = head & !REF;
        let index = (head & REF != 0 && !matches!(kind, b'N' | b'T' | b'F' | b'.' | b'S' | b'0' | b'r'))
            .then(|| {
                self.numbered.push(None);
                self.numbered.len() - 1
            });
        let value = match kind {
            b'0' => return Ok(None),
            b'N' => vm.none(),
            b'T' => vm.new_bool(true),
            b'F' => vm.new_bool(false),
            b'.' => vm.ellipsis(),
            b'S' => types::stop_iteration().as_object().to_ref(),
            b'i' => vm.new_int(self.long()?),
            b'I' => vm.new_int(self.array().map(i64::from_le_bytes)?),
            b'l' => self.int()?,
            b'g' | b'f' => vm.new_float(self.float(kind == b'f')?),
            b'y' | b'x' => {
                let text = kind == b'x';
                Complex::new(self.float(text)?, self.float(text)?, vm)
            }
            b's' => {
                let size = self.size("bytes object")?;
                vm.new_bytes(&self.take(size)?).into_object()
            }
            b'a' | b'A' | b'z' | b'Z' | b't' | b'u' => self.text(kind)?,
            b')' | b'(' => {
                let count = if kind == b')' { usize::from(self.byte()?) } else { self.size("tuple")? };
                if index.is_none() || count == 0 || !self.may_hold(count) {
                    vm.new_tuple(self.items(count, "tuple", depth)?).into_object()
                } else {
                    // Lists and dictionaries in it may refer to it.
                    let tuple = Tuple::with_len(count, vm)?;
                    (0..count).for_each(|at| drop(tuple.set_unique(at, vm.none())));
                    self.number(index, tuple.as_object());
                    for at in 0..count {
                        let item = self.required("tuple", depth)?;
                        tuple.set_unique(at, item);
                    }
                    return Ok(Some(tuple.into_object()));
                }
            }
            b'[' => {
                let count = self.size("list")?;
                let list = vm.new_list(Vec::new());
                self.number(index, list.as_object());
                for _ in 0..count {
                    list.append(self.required("list", depth)?);
                }
                return Ok(Some(list.into_object()));
            }
            b'<' => {
                let count = self.size("set")?;
                let set = Set::new(vm);
                self.number(index, set.as_object());
                for _ in 0..count {
                    set.add(&*self.required("set", depth)?, vm)?;
                }
                return Ok(Some(set.into_object()));
            }
            b'>' => {
                let count = self.size("set")?;
                let items = vm.new_list(self.items(count, "set", depth)?);
                FrozenSet::from_iterable(items.as_object(), vm)?.into_object()
            }
            b'{' => {
                let dict = vm.new_dict();
                self.number(index, dict.as_object());
                while let Some(key) = self.value(depth)? {
                    let Some(value) = self.value(depth)? else { break };
                    dict.set_item(&key, &value, vm)?;
                }
                return Ok(Some(dict.into_object()));
            }
            b':' => {
                let mut part = || self.required("slice", depth);
                Slice::new(part()?, part()?, part()?, vm).into_object()
            }
            b'c' => self.code(depth)?,
            b'r' => {
                let number = usize::try_from(self.long()?).ok();
                let found = number.and_then(|number| self.numbered.get(number)).cloned().flatten();
                return found.map(Some).ok_or_else(|| self.bad("invalid reference"));
            }
            _ => return Err(self.bad("unknown type code")),
        };
        self.number(index, &value);
        Ok(Some(value))
    }

    /// One of the objects that a code object is made of; all are read before any is looked at.
    fn part(&mut self, depth: usize) -> PyResult {
        self.required("code object", depth)
    }

    fn code(&mut self, depth: usize) -> PyResult {
        if !self.allow_code {
            return Err(self.vm.value_error("unmarshalling code objects is disallowed"));
        }
        let vm = self.vm;
        let (argcount, posonlyargcount, kwonlyargcount) = (self.long()?, self.long()?, self.long()?);
        let (stacksize, flags) = (self.long()?, self.long()?);
        let (code, consts, names) = (self.part(depth)?, self.part(depth)?, self.part(depth)?);
        let (localsplusnames, localspluskinds) = (self.part(depth)?, self.part(depth)?);
        let (filename, name, qualname) = (self.part(depth)?, self.part(depth)?, self.part(depth)?);
        let firstlineno = self.long()?;
        let (linetable, exceptiontable) = (self.part(depth)?, self.part(depth)?);
        let code = typed::<Bytes>(code, vm)?.as_bytes().to_vec();
        let (consts, names) = (typed::<Tuple>(consts, vm)?, typed::<Tuple>(names, vm)?);
        let localsplusnames = typed::<Tuple>(localsplusnames, vm)?;
        let localspluskinds = typed::<Bytes>(localspluskinds, vm)?.as_bytes().to_vec();
        let (filename, name, qualname) = (typed(filename, vm)?, typed(name, vm)?, typed(qualname, vm)?);
        let (linetable, exceptiontable) = (typed(linetable, vm)?, typed(exceptiontable, vm)?);
        let counts = [posonlyargcount, kwonlyargcount, stacksize, flags];
        if counts.iter().any(|count| *count < 0)
            || posonlyargcount > argcount
            || localspluskinds.len() != localsplusnames.len()
        {
            return Err(bad_part(vm));
        }
        let texts =
            |tuple: &Tuple| tuple.as_slice().iter().all(|name| name.downcast_exact::<Str>().is_some());
        if !texts(&names) || !texts(&localsplusnames) {
            return Err(vm.system_error("non-string found in code slot"));
        }
        if code.len() % 2 != 0 || code.is_empty() {
            return Err(vm.value_error("code: co_code is malformed"));
        }
        let locals = localspluskinds.iter().filter(|item| *item & kind::LOCAL != 0).count() as i64;
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
            code,
            consts,
            names,
            localsplusnames,
            localspluskinds,
            filename,
            name,
            qualname,
            linetable,
            exceptiontable,
        };
        Code::create(parts, self.vm).map(Ref::into_object)
    }
}

fn typed<T: PyLayout>(part: ObjRef, vm: &Vm) -> PyResult<Ref<T>> {
    part.downcast::<T>().map_err(|_| bad_part(vm))
}

#[cold]
fn bad_part(vm: &Vm) -> Raised {
    vm.system_error("bad argument to internal function")
}
