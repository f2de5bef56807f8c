//! The marshal format, version 5, for constants and code objects (`marshal` module, `.pyc` files).
//!
//! The reader takes hostile bytes: sizes are checked against what is there, nesting is bounded.

use std::rc::Rc;

use crate::code::{CodeObject, Const, Name, Str};
use crate::hash::FastMap;

/// How deep values may nest.
pub const MAX_DEPTH: usize = 2000;
/// The version that this module writes.
pub const VERSION: u8 = 5;

const REF: u8 = 0x80;

/// Why data can't be read; the names are the exceptions that `marshal.loads` raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `EOFError: marshal data too short`
    Eof,
    /// `ValueError: bad marshal data (…)` with this detail.
    Bad(&'static str),
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// Writes one value.
pub fn dumps(value: &Const) -> Result<Vec<u8>, Error> {
    let mut writer = Writer { out: Vec::new(), interned: FastMap::default(), next_ref: 0 };
    writer.value(value, 0)?;
    Ok(writer.out)
}

/// Writes one code object.
pub fn dump_code(code: &Rc<CodeObject>) -> Result<Vec<u8>, Error> {
    dumps(&Const::Code(code.clone()))
}

struct Writer {
    out: Vec<u8>,
    /// Reference numbers of interned strings written so far.
    interned: FastMap<Rc<[u8]>, u32>,
    next_ref: u32,
}

impl Writer {
    fn long(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> Result<(), Error> {
        self.long(i32::try_from(size).map_err(|_| Error::Bad("object too large to marshal"))? as u32);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.push(b's');
        self.size(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn string(&mut self, value: &[u8], interned: bool) -> Result<(), Error> {
        let mut mark = 0;
        if interned {
            if let Some(index) = self.interned.get(value) {
                let index = *index;
                self.out.push(b'r');
                self.long(index);
                return Ok(());
            }
            self.interned.insert(value.into(), self.next_ref);
            self.next_ref += 1;
            mark = REF;
        }
        if value.is_ascii() {
            if value.len() < 256 {
                self.out.push(if interned { b'Z' } else { b'z' } | mark);
                self.out.push(value.len() as u8);
            } else {
                self.out.push(if interned { b'A' } else { b'a' } | mark);
                self.size(value.len())?;
            }
        } else {
            self.out.push(if interned { b't' } else { b'u' } | mark);
            self.size(value.len())?;
        }
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn int(&mut self, negative: bool, digits30: &[u32]) -> Result<(), Error> {
        let mut digits: Vec<u16> =
            digits30.iter().flat_map(|d| [(d & 0x7fff) as u16, (d >> 15 & 0x7fff) as u16]).collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let count = i32::try_from(digits.len()).map_err(|_| Error::Bad("object too large to marshal"))?;
        self.out.push(b'l');
        self.long(if negative { -count } else { count } as u32);
        digits.iter().for_each(|digit| self.out.extend_from_slice(&digit.to_le_bytes()));
        Ok(())
    }

    fn items(&mut self, items: &[Const], depth: usize) -> Result<(), Error> {
        items.iter().try_for_each(|item| self.value(item, depth))
    }

    fn names(&mut self, names: &[Name]) -> Result<(), Error> {
        self.tuple_head(names.len())?;
        names.iter().try_for_each(|name| self.string(name.as_bytes(), true))
    }

    fn tuple_head(&mut self, len: usize) -> Result<(), Error> {
        if len < 256 {
            self.out.push(b')');
            self.out.push(len as u8);
            return Ok(());
        }
        self.out.push(b'(');
        self.size(len)
    }

    fn value(&mut self, value: &Const, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let depth = depth + 1;
        match value {
            Const::None => self.out.push(b'N'),
            Const::True => self.out.push(b'T'),
            Const::False => self.out.push(b'F'),
            Const::Ellipsis => self.out.push(b'.'),
            Const::StopIteration => self.out.push(b'S'),
            Const::Int(value) => match i32::try_from(*value) {
                Ok(small) => {
                    self.out.push(b'i');
                    self.long(small as u32);
                }
                Err(_) => {
                    let size = value.unsigned_abs();
                    let digits = [0, 30, 60].map(|shift| (size >> shift) as u32 & 0x3fff_ffff);
                    self.int(*value < 0, &digits)?;
                }
            },
            Const::BigInt { negative, digits } => self.int(*negative, digits)?,
            Const::Float(value) => {
                self.out.push(b'g');
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Const::Complex(real, imag) => {
                self.out.push(b'y');
                self.out.extend_from_slice(&real.to_le_bytes());
                self.out.extend_from_slice(&imag.to_le_bytes());
            }
            Const::Str(text) => self.string(&text.value, text.interned)?,
            Const::Bytes(bytes) => self.bytes(bytes)?,
            Const::Tuple(items) => {
                self.tuple_head(items.len())?;
                self.items(items, depth)?;
            }
            Const::List(items) => {
                self.out.push(b'[');
                self.size(items.len())?;
                self.items(items, depth)?;
            }
            Const::Set(items) | Const::FrozenSet(items) => {
                self.out.push(if matches!(value, Const::Set(_)) { b'<' } else { b'>' });
                self.size(items.len())?;
                // In the order of their own data, so that files don't depend on hashes.
                let mut sorted: Vec<(Vec<u8>, &Const)> =
                    items.iter().map(|item| Ok((dumps(item)?, item))).collect::<Result<_, Error>>()?;
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                sorted.into_iter().try_for_each(|(_, item)| self.value(item, depth))?;
            }
            Const::Dict(pairs) => {
                self.out.push(b'{');
                for (key, value) in pairs.iter() {
                    self.value(key, depth)?;
                    self.value(value, depth)?;
                }
                self.out.push(b'0');
            }
            Const::Slice(parts) => {
                self.out.push(b':');
                self.items(&parts[..], depth)?;
            }
            Const::Code(code) => self.code(code, depth)?,
        }
        Ok(())
    }

    fn code(&mut self, code: &CodeObject, depth: usize) -> Result<(), Error> {
        self.out.push(b'c');
        for field in [code.argcount, code.posonlyargcount, code.kwonlyargcount, code.stacksize, code.flags] {
            self.long(field);
        }
        self.bytes(&code.code)?;
        self.tuple_head(code.consts.len())?;
        self.items(&code.consts, depth)?;
        self.names(&code.names)?;
        self.names(&code.localsplusnames)?;
        self.bytes(&code.localspluskinds)?;
        self.string(&code.filename, true)?;
        self.string(code.name.as_bytes(), true)?;
        self.string(code.qualname.as_bytes(), true)?;
        self.long(code.firstlineno as u32);
        self.bytes(&code.linetable)?;
        self.bytes(&code.exceptiontable)
    }
}

/// Reads one value; what follows it is ignored, as `marshal.loads` does.
pub fn loads(data: &[u8]) -> Result<Const, Error> {
    loads_prefix(data).map(|(value, _)| value)
}

/// Reads one value and says how many bytes it took.
pub fn loads_prefix(data: &[u8]) -> Result<(Const, usize), Error> {
    let mut reader = Reader { rest: data, refs: Vec::new() };
    let value = reader.required(0)?;
    Ok((value, data.len() - reader.rest.len()))
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Values with reference numbers; `None` while they are being read.
    refs: Vec<Option<Const>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(Error::Eof)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Error::Eof)?;
        self.rest = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_le_bytes)
    }

    fn float(&mut self) -> Result<f64, Error> {
        self.array().map(f64::from_le_bytes)
    }

    fn text_float(&mut self) -> Result<f64, Error> {
        let len = self.byte()?;
        let text = self.take(usize::from(len))?;
        std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or(Error::Bad("unknown type code"))
    }

    fn size(&mut self, what: &'static str) -> Result<usize, Error> {
        usize::try_from(self.long()?).map_err(|_| Error::Bad(what))
    }

    fn required(&mut self, depth: usize) -> Result<Const, Error> {
        self.value(depth)?.ok_or(Error::Bad("NULL object in marshal data for object"))
    }

    #[inline(never)]
    fn items(&mut self, count: usize, depth: usize) -> Result<Rc<[Const]>, Error> {
        let mut items = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            items.push(self.required(depth)?);
        }
        Ok(items.into())
    }

    #[inline(never)]
    fn int(&mut self) -> Result<Const, Error> {
        let count = self.long()?;
        if count == i32::MIN {
            return Err(Error::Bad("long size out of range"));
        }
        let bytes = self.take(count.unsigned_abs() as usize * 2)?;
        let mut digits: Vec<u32> = Vec::with_capacity(bytes.len() / 4 + 1);
        for (i, pair) in bytes.chunks_exact(2).enumerate() {
            let digit = u32::from(pair[0]) | u32::from(pair[1]) << 8;
            if digit > 0x7fff {
                return Err(Error::Bad("digit out of range in long"));
            }
            match digits.last_mut() {
                Some(last) if i % 2 == 1 => *last |= digit << 15,
                _ => digits.push(digit),
            }
        }
        if bytes.last_chunk() == Some(&[0u8, 0]) {
            return Err(Error::Bad("unnormalized long data"));
        }
        Ok(int_const(count < 0, digits))
    }

    #[inline(never)]
    fn string(&mut self, kind: u8) -> Result<Const, Error> {
        let size = match kind {
            b'z' | b'Z' => usize::from(self.byte()?),
            _ => self.size("string size out of range")?,
        };
        let bytes = self.take(size)?;
        let value: Rc<[u8]> = match kind {
            b'u' | b't' => {
                if !is_wtf8(bytes) {
                    return Err(Error::Bad("invalid string data"));
                }
                bytes.into()
            }
            _ if bytes.is_ascii() => bytes.into(),
            _ => bytes.iter().map(|b| char::from(*b)).collect::<String>().into_bytes().into(),
        };
        Ok(Const::Str(Str { value, interned: matches!(kind, b't' | b'A' | b'Z') }))
    }

    fn value(&mut self, depth: usize) -> Result<Option<Const>, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let depth = depth + 1;
        let head = self.byte()?;
        let kind = head & !REF;
        let index = (head & REF != 0 && !matches!(kind, b'N' | b'T' | b'F' | b'.' | b'S' | b'0' | b'r'))
            .then(|| {
                self.refs.push(None);
                self.refs.len() - 1
            });
        let value = match kind {
            b'0' => return Ok(None),
            b'N' => Const::None,
            b'T' => Const::True,
            b'F' => Const::False,
            b'.' => Const::Ellipsis,
            b'S' => Const::StopIteration,
            b'i' => Const::Int(i64::from(self.long()?)),
            b'I' => Const::Int(i64::from_le_bytes(self.array()?)),
            b'l' => self.int()?,
            b'g' => Const::Float(self.float()?),
            b'f' => Const::Float(self.text_float()?),
            b'y' => Const::Complex(self.float()?, self.float()?),
            b'x' => Const::Complex(self.text_float()?, self.text_float()?),
            b's' => {
                let size = self.size("bytes object size out of range")?;
                Const::Bytes(self.take(size)?.into())
            }
            b'a' | b'A' | b'z' | b'Z' | b't' | b'u' => self.string(kind)?,
            b')' => {
                let count = usize::from(self.byte()?);
                Const::Tuple(self.items(count, depth)?)
            }
            b'(' => {
                let count = self.size("tuple size out of range")?;
                Const::Tuple(self.items(count, depth)?)
            }
            b'[' => {
                let count = self.size("list size out of range")?;
                Const::List(self.items(count, depth)?)
            }
            b'<' => {
                let count = self.size("set size out of range")?;
                Const::Set(self.items(count, depth)?)
            }
            b'>' => {
                let count = self.size("set size out of range")?;
                Const::FrozenSet(self.items(count, depth)?)
            }
            b'{' => {
                let mut pairs = Vec::new();
                while let Some(key) = self.value(depth)? {
                    let Some(value) = self.value(depth)? else { break };
                    pairs.push((key, value));
                }
                Const::Dict(pairs.into())
            }
            b':' => {
                Const::Slice(Rc::new([self.required(depth)?, self.required(depth)?, self.required(depth)?]))
            }
            b'c' => self.code(depth)?,
            b'r' => {
                let index = self.long()?;
                let found = usize::try_from(index).ok().and_then(|i| self.refs.get(i)).cloned().flatten();
                return Ok(Some(found.ok_or(Error::Bad("invalid reference"))?));
            }
            _ => return Err(Error::Bad("unknown type code")),
        };
        if let Some(slot) = index.and_then(|i| self.refs.get_mut(i)) {
            *slot = Some(value.clone());
        }
        Ok(Some(value))
    }

    #[inline(never)]
    fn code(&mut self, depth: usize) -> Result<Const, Error> {
        let mut number = || -> Result<u32, Error> {
            u32::try_from(self.long()?).map_err(|_| Error::Bad("code object field out of range"))
        };
        let (argcount, posonlyargcount, kwonlyargcount) = (number()?, number()?, number()?);
        let (stacksize, flags) = (number()?, number()?);
        Ok(Const::Code(Rc::new(CodeObject {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code: self.bytes_field(depth)?,
            consts: self.tuple_field(depth)?.to_vec(),
            names: self.names_field(depth)?,
            owns_names: false,
            localsplusnames: self.names_field(depth)?,
            localspluskinds: self.bytes_field(depth)?,
            filename: self.text_field(depth)?,
            name: self.name_field(depth)?,
            qualname: self.name_field(depth)?,
            firstlineno: self.long()?,
            linetable: self.bytes_field(depth)?,
            exceptiontable: self.bytes_field(depth)?,
        })))
    }

    fn bytes_field(&mut self, depth: usize) -> Result<Box<[u8]>, Error> {
        match self.required(depth)? {
            Const::Bytes(bytes) => Ok(Box::from(&*bytes)),
            _ => Err(Error::Bad("code object field is not bytes")),
        }
    }

    fn tuple_field(&mut self, depth: usize) -> Result<Rc<[Const]>, Error> {
        match self.required(depth)? {
            Const::Tuple(items) => Ok(items),
            _ => Err(Error::Bad("code object field is not a tuple")),
        }
    }

    fn text_field(&mut self, depth: usize) -> Result<Rc<[u8]>, Error> {
        match self.required(depth)? {
            Const::Str(text) => Ok(text.value),
            _ => Err(Error::Bad("code object field is not a str")),
        }
    }

    fn name_field(&mut self, depth: usize) -> Result<Name, Error> {
        let text = self.text_field(depth)?;
        std::str::from_utf8(&text).map(Name::from).map_err(|_| Error::Bad("name has a surrogate"))
    }

    fn names_field(&mut self, depth: usize) -> Result<Vec<Name>, Error> {
        let items = self.tuple_field(depth)?;
        let name = |item: &Const| match item {
            Const::Str(text) => std::str::from_utf8(&text.value).ok().map(Name::from),
            _ => None,
        };
        items.iter().map(|item| name(item).ok_or(Error::Bad("name is not a str"))).collect()
    }
}

/// The int constant with these 30-bit digits: `Int` when it fits.
pub fn int_const(negative: bool, mut digits: Vec<u32>) -> Const {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    let small = match digits[..] {
        [] => Some(0i128),
        [a] => Some(i128::from(a)),
        [a, b] => Some(i128::from(a) | i128::from(b) << 30),
        [a, b, c] => Some(i128::from(a) | i128::from(b) << 30 | i128::from(c) << 60),
        _ => None,
    };
    match small.and_then(|size| i64::try_from(if negative { -size } else { size }).ok()) {
        Some(value) => Const::Int(value),
        None => Const::BigInt { negative, digits: digits.into() },
    }
}

/// Whether the bytes are UTF-8 with surrogates allowed.
pub fn is_wtf8(mut bytes: &[u8]) -> bool {
    loop {
        match std::str::from_utf8(bytes) {
            Ok(_) => return true,
            Err(error) => {
                let rest = bytes.get(error.valid_up_to()..).unwrap_or(&[]);
                match rest {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, tail @ ..] => bytes = tail,
                    _ => return false,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let value = Const::Tuple(
            vec![
                Const::Int(-5),
                Const::Int(i64::MIN),
                int_const(true, vec![1, 2, 3, 4]),
                Const::Float(-0.0),
                Const::str("h\u{e9}llo"),
                Const::Bytes(b"ab"[..].into()),
                Const::FrozenSet(vec![Const::None, Const::True].into()),
                Const::Slice(Rc::new([Const::None, Const::Int(3), Const::Ellipsis])),
            ]
            .into(),
        );
        assert_eq!(loads(&dumps(&value).unwrap()), Ok(value));
    }

    #[test]
    fn hostile() {
        assert_eq!(loads(&[b'('; 10]), Err(Error::Eof));
        let nested: Vec<u8> = std::iter::repeat_n([b')', 1], 50_000).flatten().collect();
        assert_eq!(loads(&nested), Err(Error::TooDeep));
        assert_eq!(loads(&[b'r', 0, 0, 0, 0]), Err(Error::Bad("invalid reference")));
    }
}
