//! Objects as marshal data, versions 0 to 5.

use std::collections::HashMap;

use taipan_vm::builtins::set::{FrozenSet, items_vec};
use taipan_vm::prelude::*;

use super::{MAX_DEPTH, wtf8};

const REF: u8 = 0x80;

/// Writes values one after the other.
pub struct Writer<'v> {
    vm: &'v Vm,
    version: i32,
    allow_code: bool,
    /// What was written.
    pub out: Vec<u8>,
    /// Numbers of the objects that were written with one, kept alive so that no address is used twice.
    numbers: HashMap<*mut Object, (u32, ObjRef)>,
    /// The number of the next object that gets one.
    next_number: u32,
    /// Objects that are being written and that can't be read before they are whole.
    unfinished: Vec<*mut Object>,
}

impl<'v> Writer<'v> {
    /// A writer of a version of the format.
    pub fn new(version: i32, allow_code: bool, vm: &'v Vm) -> Self {
        Writer {
            vm,
            version,
            allow_code,
            out: Vec::new(),
            numbers: HashMap::new(),
            next_number: 0,
            unfinished: Vec::new(),
        }
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    fn long(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> PyResult<()> {
        match i32::try_from(size) {
            Ok(size) => {
                self.long(size);
                Ok(())
            }
            Err(_) => Err(self.unmarshallable()),
        }
    }

    fn unmarshallable(&self) -> Raised {
        self.vm.value_error("unmarshallable object")
    }

    /// The flag for a new object that may come again, or `None` when it was written before and a reference stands for it.
    fn reference(&mut self, object: &Object) -> PyResult<Option<u8>> {
        // Interned strings get a number in any case, so that files don't depend on who else has them.
        let interned = object.downcast_exact::<Str>().is_some_and(Str::is_interned);
        if self.version < 3 || (object.is_unique() && !interned) {
            return Ok(Some(0));
        }
        if let Some((number, _)) = self.numbers.get(&object.as_ptr()) {
            let number = *number;
            if self.unfinished.contains(&object.as_ptr()) {
                return Err(self.unmarshallable());
            }
            self.byte(b'r');
            self.out.extend_from_slice(&number.to_le_bytes());
            return Ok(None);
        }
        self.numbers.insert(object.as_ptr(), (self.next_number, object.to_ref()));
        self.next_number = self.next_number.saturating_add(1);
        Ok(Some(REF))
    }

    fn float(&mut self, value: f64) -> PyResult<()> {
        if self.version > 1 {
            self.out.extend_from_slice(&value.to_le_bytes());
            return Ok(());
        }
        let number = self.vm.new_float(value);
        let spec = self.vm.new_str(".17g");
        let text = number.call_method(&self.vm.intern("__format__"), &[spec.as_object()], self.vm)?;
        let text = text.downcast::<Str>().map_err(|_| self.unmarshallable())?;
        let text = text.to_utf8(self.vm)?;
        self.byte(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn int(&mut self, int: &Int, flag: u8) -> PyResult<()> {
        if let Some(small) = int.to_i64().and_then(|value| i32::try_from(value).ok()) {
            self.byte(b'i' | flag);
            self.long(small);
            return Ok(());
        }
        let mut digits: Vec<u16> =
            int.digits().iter().flat_map(|d| [(d & 0x7fff) as u16, (d >> 15 & 0x7fff) as u16]).collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let Ok(count) = i32::try_from(digits.len()) else { return Err(self.unmarshallable()) };
        self.byte(b'l' | flag);
        self.long(if int.is_negative() { -count } else { count });
        for digit in digits {
            self.out.extend_from_slice(&digit.to_le_bytes());
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], flag: u8) -> PyResult<()> {
        self.byte(b's' | flag);
        self.size(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn text(&mut self, text: &Str, flag: u8) -> PyResult<()> {
        let interned = text.is_interned();
        if let Some(ascii) = text.as_ascii_str().filter(|_| self.version >= 4) {
            match u8::try_from(ascii.len()) {
                Ok(len) => {
                    self.byte(if interned { b'Z' } else { b'z' } | flag);
                    self.byte(len);
                }
                Err(_) => {
                    self.byte(if interned { b'A' } else { b'a' } | flag);
                    self.size(ascii.len())?;
                }
            }
            self.out.extend_from_slice(ascii.as_bytes());
            return Ok(());
        }
        let encoded = wtf8(text);
        self.byte(if interned && self.version >= 3 { b't' } else { b'u' } | flag);
        self.size(encoded.len())?;
        self.out.extend_from_slice(&encoded);
        Ok(())
    }

    fn items(&mut self, items: &[ObjRef], depth: usize) -> PyResult<()> {
        items.iter().try_for_each(|item| self.value(item, depth))
    }

    fn set(&mut self, set: &Object, code: u8, depth: usize) -> PyResult<()> {
        let items = items_vec(set);
        self.byte(code);
        self.size(items.len())?;
        // The order of a set is not the same everywhere; that of the written items is.
        let count = items.len();
        let mut written = Vec::with_capacity(count);
        for item in items {
            let mut writer = Writer::new(self.version, self.allow_code, self.vm);
            writer.value(&item, depth)?;
            if set.length(self.vm)? != count {
                return Err(self.vm.runtime_error("set changed size during iteration"));
            }
            written.push((writer.out, item));
        }
        written.sort_by(|a, b| a.0.cmp(&b.0));
        written.iter().try_for_each(|(_, item)| self.value(item, depth))
    }

    /// Writes a value.
    pub fn value(&mut self, object: &Object, depth: usize) -> PyResult<()> {
        let vm = self.vm;
        if depth >= MAX_DEPTH {
            return Err(vm.value_error("object too deeply nested to marshal"));
        }
        let singletons: [(&Object, u8); 4] = [
            (vm.none_ref(), b'N'),
            (types::stop_iteration().as_object(), b'S'),
            (vm.true_ref(), b'T'),
            (vm.false_ref(), b'F'),
        ];
        if let Some((_, code)) = singletons.iter().find(|(singleton, _)| object.is(singleton)) {
            self.byte(*code);
            return Ok(());
        }
        if object.is(&vm.ellipsis()) {
            self.byte(b'.');
            return Ok(());
        }
        let Some(flag) = self.reference(object)? else { return Ok(()) };
        self.complex_value(object, flag, depth + 1)
    }

    fn complex_value(&mut self, object: &Object, flag: u8, depth: usize) -> PyResult<()> {
        if let Some(int) = object.downcast_exact::<Int>() {
            return self.int(int, flag);
        }
        if let Some(float) = object.downcast_exact::<Float>() {
            self.byte(if self.version > 1 { b'g' } else { b'f' } | flag);
            return self.float(float.value());
        }
        if let Some(complex) = object.downcast_exact::<Complex>() {
            self.byte(if self.version > 1 { b'y' } else { b'x' } | flag);
            self.float(complex.re)?;
            return self.float(complex.im);
        }
        if let Some(bytes) = object.downcast_exact::<Bytes>() {
            return self.bytes(bytes.as_bytes(), flag);
        }
        if let Some(text) = object.downcast_exact::<Str>() {
            return self.text(text, flag);
        }
        if let Some(tuple) = object.downcast_exact::<Tuple>() {
            match u8::try_from(tuple.len()) {
                Ok(len) if self.version >= 4 => {
                    self.byte(b')' | flag);
                    self.byte(len);
                }
                _ => {
                    self.byte(b'(' | flag);
                    self.size(tuple.len())?;
                }
            }
            return self.items(tuple.as_slice(), depth);
        }
        if let Some(list) = object.downcast_exact::<List>() {
            let items = list.to_vec();
            self.byte(b'[' | flag);
            self.size(items.len())?;
            return self.items(&items, depth);
        }
        if let Some(dict) = object.downcast_exact::<Dict>() {
            self.byte(b'{' | flag);
            for (key, value) in dict.items_vec() {
                self.value(&key, depth)?;
                self.value(&value, depth)?;
            }
            self.byte(b'0');
            return Ok(());
        }
        if object.downcast_exact::<Set>().is_some() {
            return self.set(object, b'<' | flag, depth);
        }
        if object.downcast_exact::<FrozenSet>().is_some() {
            return self.set(object, b'>' | flag, depth);
        }
        if let Some(code) = object.downcast_exact::<Code>() {
            self.unfinished.push(object.as_ptr());
            self.code(code, flag, depth)?;
            self.unfinished.pop();
            return Ok(());
        }
        if let Some(slice) = object.downcast_exact::<Slice>().filter(|_| self.version >= 5) {
            self.byte(b':' | flag);
            self.unfinished.push(object.as_ptr());
            for part in [&slice.start, &slice.stop, &slice.step] {
                self.value(part, depth)?;
            }
            self.unfinished.pop();
            return Ok(());
        }
        if object.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some()) {
            let buffer = object.get_buffer(taipan_vm::protocols::buffer::SIMPLE, self.vm)?;
            return self.bytes(buffer.as_bytes(), flag);
        }
        Err(self.unmarshallable())
    }

    fn code(&mut self, code: &Code, flag: u8, depth: usize) -> PyResult<()> {
        if !self.allow_code {
            return Err(self.vm.value_error("marshalling code objects is disallowed"));
        }
        self.byte(b'c' | flag);
        for number in
            [&code.argcount, &code.posonlyargcount, &code.kwonlyargcount, &code.stacksize, &code.flags]
        {
            self.long(number.get());
        }
        // CPython's code object keeps these bytes once they were asked for, so that they have a number.
        let numbered = if self.version >= 3 { REF } else { 0 };
        self.next_number = self.next_number.saturating_add(u32::from(numbered != 0));
        self.bytes(&code.original_code(), numbered)?;
        self.value(code.consts().as_object(), depth)?;
        self.value(code.names().as_object(), depth)?;
        self.value(code.localsplusnames().as_object(), depth)?;
        match code.localspluskinds() {
            // There is one empty bytes object.
            [] => self.value(self.vm.new_bytes(&[]).as_object(), depth)?,
            kinds => self.bytes(kinds, 0)?,
        }
        for text in [code.filename(), code.name(), code.qualname()] {
            // A reference of its own makes no difference to whether the string is shared.
            self.value(text.as_object(), depth)?;
        }
        self.long(code.firstlineno.get());
        self.value(code.line_table_object(), depth)?;
        self.value(code.exception_table_object(), depth)
    }
}
