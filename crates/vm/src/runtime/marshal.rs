//! Marshalled code as objects: what importers and the module `marshal` share.
//!
//! Code is read straight into objects, since every start of the interpreter reads some thousand of them.

use taipan_bytecode::marshal::{self, Error};

use crate::builtins::code::CodeParts;
use crate::builtins::complex::Complex;
use crate::builtins::set::FrozenSet;
use crate::builtins::slice::Slice;
use crate::prelude::*;

pub use taipan_bytecode::PYC_MAGIC;

/// The code object that `data` holds.
pub fn load_code(data: &[u8], vm: &Vm) -> PyResult<Ref<Code>> {
    let mut reader = Reader { rest: data, refs: Vec::new(), vm };
    match reader.required(0) {
        Ok(value) => value.downcast::<Code>().map_err(|_| vm.type_error("marshalled data is no code object")),
        Err(Failure::Raised) => Err(Raised),
        Err(Failure::Data(error)) => Err(raise(&error, vm)),
    }
}

/// Raises what `marshal.loads` raises for data that can't be read.
pub fn raise(error: &marshal::Error, vm: &Vm) -> Raised {
    match error {
        marshal::Error::Eof => vm.eof_error("marshal data too short"),
        marshal::Error::Bad(detail) => vm.value_error(format!("bad marshal data ({detail})")),
        marshal::Error::TooDeep => vm.value_error("recursion limit exceeded"),
    }
}

/// How deep values may lie in each other.
const MAX_DEPTH: usize = 2000;
/// The bit of a type code that gives the value a reference number.
const REF: u8 = 0x80;

enum Failure {
    /// The data is no good.
    Data(Error),
    /// An exception waits.
    Raised,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Data(error)
    }
}

impl From<Raised> for Failure {
    fn from(_: Raised) -> Failure {
        Failure::Raised
    }
}

type Read<T> = Result<T, Failure>;

fn bad<T>(detail: &'static str) -> Read<T> {
    Err(Failure::Data(Error::Bad(detail)))
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Values with reference numbers; `None` while they are being read.
    refs: Vec<Option<ObjRef>>,
    vm: &'a Vm,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(Error::Eof)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Error::Eof)?;
        self.rest = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Read<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> Read<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn float(&mut self) -> Read<f64> {
        self.array().map(f64::from_le_bytes)
    }

    fn size(&mut self) -> Read<usize> {
        usize::try_from(self.long()?).map_err(|_| Failure::Data(Error::Bad("size out of range")))
    }

    fn required(&mut self, depth: usize) -> Read<ObjRef> {
        match self.value(depth)? {
            Some(value) => Ok(value),
            None => bad("NULL object in marshal data for object"),
        }
    }

    fn items(&mut self, count: usize, depth: usize) -> Read<Vec<ObjRef>> {
        let mut items = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            items.push(self.required(depth)?);
        }
        Ok(items)
    }

    fn int(&mut self) -> Read<ObjRef> {
        let count = self.long()?;
        if count == i32::MIN {
            return bad("long size out of range");
        }
        let bytes = self.take(count.unsigned_abs() as usize * 2)?;
        if bytes.last_chunk() == Some(&[0u8, 0]) {
            return bad("unnormalized long data");
        }
        // Digits of 15 bits there, of 30 bits here.
        let mut digits: Vec<u32> = Vec::with_capacity(bytes.len() / 4 + 1);
        for (at, pair) in bytes.chunks_exact(2).enumerate() {
            let digit = pair.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            if digit > 0x7fff {
                return bad("digit out of range in long");
            }
            match digits.last_mut() {
                Some(last) if at % 2 == 1 => *last |= digit << 15,
                _ => digits.push(digit),
            }
        }
        let value = taipan_numeric::BigInt::new(count < 0, digits.into_iter().collect());
        Ok(Int::from_big(value, self.vm))
    }

    fn string(&mut self, kind: u8) -> Read<ObjRef> {
        let size = match kind {
            b'z' | b'Z' => usize::from(self.byte()?),
            _ => self.size()?,
        };
        let bytes = self.take(size)?;
        let vm = self.vm;
        let interned = matches!(kind, b't' | b'A' | b'Z');
        if bytes.is_ascii() {
            // Constants that look like names are interned too: they may be compared with names.
            let is_name = interned || bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            if is_name {
                // SAFETY: ASCII is UTF-8.
                let text = unsafe { std::str::from_utf8_unchecked(bytes) };
                return Ok(Str::intern_text(text, vm).into_object());
            }
            return Ok(Str::from_ascii(bytes, vm).into_object());
        }
        let string = match kind {
            b'u' | b't' if marshal::is_wtf8(bytes) => Str::from_wtf8(bytes, vm),
            b'u' | b't' => return bad("invalid string data"),
            _ => Str::from_latin1(bytes, vm),
        };
        Ok(if interned { Str::intern(string, vm) } else { string }.into_object())
    }

    fn value(&mut self, depth: usize) -> Read<Option<ObjRef>> {
        if depth > MAX_DEPTH {
            return Err(Failure::Data(Error::TooDeep));
        }
        let depth = depth + 1;
        let vm = self.vm;
        let head = self.byte()?;
        let kind = head & !REF;
        let numbered = head & REF != 0 && !matches!(kind, b'N' | b'T' | b'F' | b'.' | b'S' | b'0' | b'r');
        let index = self.refs.len();
        if numbered {
            self.refs.push(None);
        }
        let value = match kind {
            b'0' => return Ok(None),
            b'N' => vm.none(),
            b'T' => vm.new_bool(true),
            b'F' => vm.new_bool(false),
            b'.' => vm.ellipsis(),
            b'S' => types::stop_iteration().as_object().to_ref(),
            b'i' => vm.new_int(self.long()?),
            b'I' => vm.new_int(i64::from_le_bytes(self.array()?)),
            b'l' => self.int()?,
            b'g' => vm.new_float(self.float()?),
            b'y' => Complex::new(self.float()?, self.float()?, vm),
            b's' => {
                let size = self.size()?;
                vm.new_bytes(self.take(size)?).into_object()
            }
            b'a' | b'A' | b'z' | b'Z' | b't' | b'u' => self.string(kind)?,
            b')' | b'(' => {
                let count = if kind == b')' { usize::from(self.byte()?) } else { self.size()? };
                vm.new_tuple(self.items(count, depth)?).into_object()
            }
            b'[' => {
                let count = self.size()?;
                vm.new_list(self.items(count, depth)?).into_object()
            }
            b'<' | b'>' => {
                let count = self.size()?;
                let items = vm.new_list(self.items(count, depth)?);
                if kind == b'>' {
                    FrozenSet::from_iterable(items.as_object(), vm)?.into_object()
                } else {
                    let set = Set::new(vm);
                    for item in items.to_vec() {
                        set.add(&item, vm)?;
                    }
                    set.into_object()
                }
            }
            b'{' => {
                let dict = vm.new_dict();
                while let Some(key) = self.value(depth)? {
                    let Some(value) = self.value(depth)? else { break };
                    dict.set_item(&key, &value, vm)?;
                }
                dict.into_object()
            }
            b':' => {
                let (start, stop) = (self.required(depth)?, self.required(depth)?);
                Slice::new(start, stop, self.required(depth)?, vm).into_object()
            }
            b'c' => self.code(depth)?.into_object(),
            b'r' => {
                let at = self.long()?;
                let found = usize::try_from(at).ok().and_then(|at| self.refs.get(at)).cloned().flatten();
                return match found {
                    Some(value) => Ok(Some(value)),
                    None => bad("invalid reference"),
                };
            }
            _ => return bad("unknown type code"),
        };
        if numbered {
            if let Some(slot) = self.refs.get_mut(index) {
                *slot = Some(value.clone());
            }
        }
        Ok(Some(value))
    }

    fn field<T: PyLayout>(&mut self, depth: usize) -> Read<Ref<T>> {
        self.required(depth)?
            .downcast::<T>()
            .map_err(|_| Failure::Data(Error::Bad("code object field has a wrong type")))
    }

    fn names(&mut self, depth: usize) -> Read<Ref<Tuple>> {
        let names = self.field::<Tuple>(depth)?;
        let mut all = true;
        for name in names.as_slice() {
            match name.downcast_ref::<Str>() {
                Some(name) => all &= name.is_interned(),
                None => return bad("name is not a str"),
            }
        }
        if all {
            return Ok(names);
        }
        let interned: Vec<ObjRef> = names
            .as_slice()
            .iter()
            .filter_map(|name| Some(Str::intern(name.clone().downcast::<Str>().ok()?, self.vm).into_object()))
            .collect();
        Ok(self.vm.new_tuple(interned))
    }

    fn count(&mut self) -> Read<i32> {
        match self.long()? {
            value if value >= 0 => Ok(value),
            _ => bad("code object field out of range"),
        }
    }

    #[inline(never)]
    fn code(&mut self, depth: usize) -> Read<Ref<Code>> {
        let (argcount, posonlyargcount, kwonlyargcount) = (self.count()?, self.count()?, self.count()?);
        let (stacksize, flags) = (self.count()?, self.count()?);
        let code = self.field::<Bytes>(depth)?;
        let consts = self.field::<Tuple>(depth)?;
        let (names, localsplusnames) = (self.names(depth)?, self.names(depth)?);
        let kinds = self.field::<Bytes>(depth)?;
        let filename = self.field::<Str>(depth)?;
        let (name, qualname) = (self.field::<Str>(depth)?, self.field::<Str>(depth)?);
        let parts = CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code: code.as_bytes().to_vec(),
            consts,
            names,
            localsplusnames,
            localspluskinds: kinds.as_bytes().to_vec(),
            filename,
            name: Str::intern(name, self.vm),
            qualname: Str::intern(qualname, self.vm),
            firstlineno: self.long()?,
            linetable: self.field::<Bytes>(depth)?,
            exceptiontable: self.field::<Bytes>(depth)?,
        };
        Ok(Code::create(parts, self.vm)?)
    }
}
