//! Pickles to objects: the stack machine.

use std::cell::{Cell, RefCell};

use taipan_numeric::{BigInt, float as numeric};
use taipan_vm::builtins::codecs_core::{self, escape, utf8};
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::prelude::*;

use super::input::Input;
use super::memo::UnpicklerMemo;
use super::opcode as op;
use super::state::State;

/// One call of `load`.
pub struct Loader<'a> {
    pub vm: &'a Vm,
    pub state: &'a State,
    pub input: Input,
    pub memo: &'a RefCell<UnpicklerMemo>,
    pub proto: &'a Cell<i32>,
    pub fix_imports: bool,
    /// For the strings of Python 2.
    pub encoding: &'a str,
    pub errors: &'a str,
    pub buffers: Option<ObjRef>,
    pub persistent_load: Option<ObjRef>,
    /// The overridden method.
    pub find_class: Option<ObjRef>,
    stack: Vec<ObjRef>,
    marks: Vec<usize>,
    /// Nothing below may be popped: the place of the topmost mark.
    fence: usize,
}

impl<'a> Loader<'a> {
    /// A loader with an empty stack.
    pub fn new(
        state: &'a State,
        input: Input,
        memo: &'a RefCell<UnpicklerMemo>,
        proto: &'a Cell<i32>,
        vm: &'a Vm,
    ) -> Self {
        Loader {
            vm,
            state,
            input,
            memo,
            proto,
            fix_imports: true,
            encoding: "ASCII",
            errors: "strict",
            buffers: None,
            persistent_load: None,
            find_class: None,
            stack: Vec::with_capacity(8),
            marks: Vec::new(),
            fence: 0,
        }
    }

    #[cold]
    fn error(&self, text: impl AsRef<str>) -> Raised {
        self.state.unpickling(text, self.vm)
    }

    #[cold]
    fn underflow(&self) -> Raised {
        self.error(if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" })
    }

    // The stack.

    #[inline]
    fn push(&mut self, object: ObjRef) {
        self.stack.push(object);
    }

    #[inline]
    fn pop(&mut self) -> PyResult {
        if self.stack.len() <= self.fence {
            return Err(self.underflow());
        }
        self.stack.pop().ok_or(Raised)
    }

    #[inline]
    fn top(&self) -> PyResult<&ObjRef> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence => Ok(top),
            _ => Err(self.underflow()),
        }
    }

    #[inline]
    fn pop_mark(&mut self) -> PyResult<usize> {
        let Some(mark) = self.marks.pop() else { return Err(self.error("could not find MARK")) };
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(mark)
    }

    /// What lies above a place.
    fn above(&mut self, place: usize) -> PyResult<Vec<ObjRef>> {
        if place < self.fence || place > self.stack.len() {
            return Err(self.underflow());
        }
        Ok(self.stack.split_off(place))
    }

    // Arguments.

    fn count(&mut self, width: usize, what: &str) -> PyResult<usize> {
        let bytes = self.input.read(width, self.state, self.vm)?;
        let number = bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        match isize::try_from(number) {
            Ok(number) => Ok(number as usize),
            Err(_) => Err(self
                .vm
                .overflow_error(format!("{what} exceeds system's maximum size of {} bytes", isize::MAX))),
        }
    }

    fn byte(&mut self) -> PyResult<u8> {
        let [byte] = self.input.array(self.state, self.vm)?;
        Ok(byte)
    }

    fn int32(&mut self) -> PyResult<i32> {
        Ok(i32::from_le_bytes(self.input.array(self.state, self.vm)?))
    }

    /// A line without its newline, of a length of at least `least`.
    fn line(&mut self, least: usize) -> PyResult<Vec<u8>> {
        let line = self.input.line(self.state, self.vm)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
        if line.len() < least {
            return Err(self.error("pickle data was truncated"));
        }
        Ok(line)
    }

    /// The line of a number, with its newline, which error messages show.
    fn number_line(&mut self) -> PyResult<Vec<u8>> {
        let mut line = self.line(1)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Runs the machine up to `STOP`.
    pub fn load(&mut self) -> PyResult {
        let vm = self.vm;
        self.proto.set(0);
        loop {
            let opcode = self.input.opcode(self.state, vm)?;
            match opcode {
                op::NONE => self.push(vm.none()),
                op::BININT1 => {
                    let value = self.byte()?;
                    self.push(vm.new_int(i64::from(value)));
                }
                op::BININT2 => {
                    let bytes = self.input.array(self.state, vm)?;
                    self.push(vm.new_int(i64::from(u16::from_le_bytes(bytes))));
                }
                op::BININT => {
                    let value = self.int32()?;
                    self.push(vm.new_int(i64::from(value)));
                }
                op::SHORT_BINUNICODE => {
                    let length = usize::from(self.byte()?);
                    self.load_text(length)?;
                }
                op::BINUNICODE => {
                    let length = self.int32()? as u32;
                    self.load_text(length as usize)?;
                }
                op::BINUNICODE8 => {
                    let length = self.count(8, "BINUNICODE")?;
                    self.load_text(length)?;
                }
                op::BINFLOAT => {
                    let bytes = self.input.array(self.state, vm)?;
                    self.push(vm.new_float(f64::from_be_bytes(bytes)));
                }
                op::MEMOIZE => {
                    let object = self.top()?.clone();
                    let old = self.memo.borrow_mut().add(object);
                    drop(old);
                }
                op::BINGET => {
                    let number = self.byte()?;
                    self.get(usize::from(number))?;
                }
                op::LONG_BINGET => {
                    let number = self.int32()? as u32;
                    self.get(number as usize)?;
                }
                op::BINPUT => {
                    let number = self.byte()?;
                    let object = self.top()?.clone();
                    self.put(usize::from(number), object);
                }
                op::LONG_BINPUT => {
                    let number = self.int32()? as u32;
                    let object = self.top()?.clone();
                    self.put(number as usize, object);
                }
                op::MARK => {
                    self.marks.push(self.stack.len());
                    self.fence = self.stack.len();
                }
                op::EMPTY_TUPLE => self.push(Tuple::empty(vm).into_object()),
                op::TUPLE1 => self.load_counted_tuple(1)?,
                op::TUPLE2 => self.load_counted_tuple(2)?,
                op::TUPLE3 => self.load_counted_tuple(3)?,
                op::TUPLE => {
                    let mark = self.pop_mark()?;
                    let items = self.above(mark)?;
                    self.push(vm.new_tuple(items).into_object());
                }
                op::EMPTY_LIST => self.push(List::new(vm).into_object()),
                op::EMPTY_DICT => self.push(vm.new_dict().into_object()),
                op::EMPTY_SET => self.push(Set::new(vm).into_object()),
                op::APPEND => {
                    let place = self.stack.len().wrapping_sub(1);
                    self.append(place)?;
                }
                op::APPENDS => {
                    let mark = self.pop_mark()?;
                    self.append(mark)?;
                }
                op::SETITEM => {
                    let place = self.stack.len().wrapping_sub(2);
                    self.set_items(place)?;
                }
                op::SETITEMS => {
                    let mark = self.pop_mark()?;
                    self.set_items(mark)?;
                }
                op::ADDITEMS => self.load_additems()?,
                op::NEWTRUE => self.push(vm.new_bool(true)),
                op::NEWFALSE => self.push(vm.new_bool(false)),
                op::STACK_GLOBAL => self.load_stack_global()?,
                op::GLOBAL => {
                    let module = self.line(1)?;
                    let (module, _) = utf8::decode(&module, None, "strict", true, vm)?;
                    let name = self.line(1)?;
                    let (name, _) = utf8::decode(&name, None, "strict", true, vm)?;
                    self.push_class(module.as_object(), name.as_object())?;
                }
                op::NEWOBJ => self.load_newobj(false)?,
                op::NEWOBJ_EX => self.load_newobj(true)?,
                op::REDUCE => {
                    let args = self.pop()?;
                    let function = self.pop()?;
                    let Some(args) = args.downcast_ref::<Tuple>() else {
                        return Err(vm.type_error("argument list must be a tuple"));
                    };
                    let made = function.call_tuple_dict(args, None, vm)?;
                    self.push(made);
                }
                op::BUILD => self.load_build()?,
                op::SHORT_BINBYTES => self.load_bytes(1)?,
                op::BINBYTES => self.load_bytes(4)?,
                op::BINBYTES8 => self.load_bytes(8)?,
                op::FRAME => {
                    let length = self.frame_length()?;
                    self.input.frame(length, self.state, vm)?;
                }
                op::PROTO => {
                    let proto = i32::from(self.byte()?);
                    if proto > op::HIGHEST_PROTOCOL {
                        return Err(vm.value_error(format!("unsupported pickle protocol: {proto}")));
                    }
                    self.proto.set(proto);
                }
                op::STOP => break,
                op::LONG1 => {
                    let length = usize::from(self.byte()?);
                    self.load_long(length)?;
                }
                op::LONG4 => {
                    let length = self.int32()?;
                    let Ok(length) = usize::try_from(length) else {
                        return Err(self.error("LONG pickle has negative byte count"));
                    };
                    self.load_long(length)?;
                }
                op::POP => {
                    if self.marks.last() == Some(&self.stack.len()) {
                        self.pop_mark()?;
                    } else {
                        drop(self.pop()?);
                    }
                }
                op::POP_MARK => {
                    let mark = self.pop_mark()?;
                    drop(self.above(mark)?);
                }
                op::DUP => {
                    let object = self.top()?.clone();
                    self.push(object);
                }
                op::FROZENSET => {
                    let mark = self.pop_mark()?;
                    let items = vm.new_tuple(self.above(mark)?);
                    self.push(FrozenSet::from_iterable(items.as_object(), vm)?.into_object());
                }
                op::LIST => {
                    let mark = self.pop_mark()?;
                    let items = self.above(mark)?;
                    self.push(vm.new_list(items).into_object());
                }
                op::DICT => self.load_dict()?,
                op::INT => self.load_int()?,
                op::LONG => self.load_decimal_long()?,
                op::FLOAT => self.load_float()?,
                op::STRING => self.load_string()?,
                op::BINSTRING => {
                    let length = self.int32()?;
                    let Ok(length) = usize::try_from(length) else {
                        return Err(self.error("BINSTRING pickle has negative byte count"));
                    };
                    self.load_binstring(length)?;
                }
                op::SHORT_BINSTRING => {
                    let length = usize::from(self.byte()?);
                    self.load_binstring(length)?;
                }
                op::UNICODE => {
                    let line = self.line(0)?;
                    self.push(escape::decode_raw_unicode(&line, None, "strict", true, vm)?.0.into_object());
                }
                op::PUT => {
                    let line = self.number_line()?;
                    let object = self.top()?.clone();
                    let number = self.number_of(&line)?;
                    match usize::try_from(number) {
                        Ok(number) => self.put(number, object),
                        Err(_) => return Err(vm.value_error("negative PUT argument")),
                    }
                }
                op::GET => {
                    let number = self.decimal()?;
                    match usize::try_from(number) {
                        Ok(number) => self.get(number)?,
                        Err(_) => return Err(self.no_memo(number)),
                    }
                }
                op::OBJ => self.load_obj()?,
                op::INST => self.load_inst()?,
                op::PERSID => self.load_persid()?,
                op::BINPERSID => {
                    let id = self.pop()?;
                    self.load_persistent(&id)?;
                }
                op::EXT1 => self.load_extension(1)?,
                op::EXT2 => self.load_extension(2)?,
                op::EXT4 => self.load_extension(4)?,
                op::BYTEARRAY8 => {
                    let length = self.count(8, "BYTEARRAY8")?;
                    let array = self.input.bytearray(length, self.state, vm)?;
                    self.push(array);
                }
                op::NEXT_BUFFER => self.load_next_buffer()?,
                op::READONLY_BUFFER => self.load_readonly_buffer()?,
                _ => return Err(self.bad_opcode(opcode)),
            }
        }
        let value = self.pop()?;
        self.input.skip_consumed(vm)?;
        Ok(value)
    }

    #[cold]
    fn bad_opcode(&self, opcode: u8) -> Raised {
        match opcode {
            0x20..=0x7e if opcode != b'\'' && opcode != b'\\' => {
                self.error(format!("invalid load key, '{}'.", char::from(opcode)))
            }
            _ => self.error(format!("invalid load key, '\\x{opcode:02x}'.")),
        }
    }

    fn frame_length(&mut self) -> PyResult<usize> {
        let length = u64::from_le_bytes(self.input.array(self.state, self.vm)?);
        match isize::try_from(length) {
            Ok(length) => Ok(length as usize),
            Err(_) => Err(self
                .vm
                .overflow_error(format!("FRAME length exceeds system's maximum of {} bytes", isize::MAX))),
        }
    }

    // The memo.

    fn put(&mut self, number: usize, object: ObjRef) {
        let old = self.memo.borrow_mut().put(number, object);
        drop(old);
    }

    fn get(&mut self, number: usize) -> PyResult<()> {
        let found = self.memo.borrow().get(number);
        match found {
            Some(object) => {
                self.push(object);
                Ok(())
            }
            None => Err(self.no_memo(number as isize)),
        }
    }

    #[cold]
    fn no_memo(&self, number: isize) -> Raised {
        self.error(format!("Memo value not found at index {number}"))
    }

    fn decimal(&mut self) -> PyResult<isize> {
        let line = self.number_line()?;
        self.number_of(&line)
    }

    fn number_of(&self, line: &[u8]) -> PyResult<isize> {
        let text = std::str::from_utf8(line).unwrap_or("");
        if let Ok(number) = text.trim_end_matches('\n').parse() {
            return Ok(number);
        }
        let int = int_of(line, self.vm)?;
        match int.downcast_ref::<Int>().and_then(Int::to_i64) {
            Some(number) => Ok(number as isize),
            None => Err(self.vm.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    // Numbers and strings.

    fn load_int(&mut self) -> PyResult<()> {
        let vm = self.vm;
        let line = self.line(1)?;
        let value = match &*line {
            b"00" => vm.new_bool(false),
            b"01" => vm.new_bool(true),
            // C's `strtol` makes zero of nothing.
            [0, ..] => vm.new_int(0),
            _ => match std::str::from_utf8(&line).ok().and_then(|text| text.parse::<i64>().ok()) {
                Some(value) => vm.new_int(value),
                None => int_of(&line, vm).map_err(|raised| {
                    if !vm.exception_matches(types::value_error()) {
                        return raised;
                    }
                    vm.clear_exception();
                    vm.value_error("could not convert string to int")
                })?,
            },
        };
        self.push(value);
        Ok(())
    }

    fn load_decimal_long(&mut self) -> PyResult<()> {
        let line = self.number_line()?;
        let value = int_of(line.strip_suffix(b"L\n").unwrap_or(&line), self.vm)?;
        self.push(value);
        Ok(())
    }

    fn load_long(&mut self, length: usize) -> PyResult<()> {
        let bytes = self.input.block(length, self.state, self.vm)?;
        let value = match &*bytes {
            [] => self.vm.new_int(0),
            short if short.len() <= 8 => {
                let fill = if short.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 };
                let mut wide = [fill; 8];
                wide.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
                self.vm.new_int(i64::from_le_bytes(wide))
            }
            long => Int::from_big(BigInt::from_bytes(long, true, true), self.vm),
        };
        self.push(value);
        Ok(())
    }

    fn load_float(&mut self) -> PyResult<()> {
        let vm = self.vm;
        let line = self.number_line()?;
        let shown = || String::from_utf8_lossy(until_nul(&line));
        let text = until_nul(&line);
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        // No blanks and no underscores, unlike `float()`.
        let plain = !text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'_');
        let value = match numeric::parse(text).filter(|_| plain) {
            Some(value) if value.is_infinite() && text.iter().any(u8::is_ascii_digit) => {
                return Err(vm.overflow_error(format!("value too large to convert to float: '{}'", shown())));
            }
            Some(value) => vm.new_float(value),
            None => {
                // No number is longer than "infinity" without a shorter one in front.
                let begins =
                    (1..=9).any(|len| text.get(..len).is_some_and(|head| numeric::parse(head).is_some()));
                return Err(vm.value_error(match begins {
                    true => "could not convert string to float".to_owned(),
                    false => format!("could not convert string to float: '{}'", shown()),
                }));
            }
        };
        self.push(value);
        Ok(())
    }

    #[inline]
    fn load_text(&mut self, length: usize) -> PyResult<()> {
        let vm = self.vm;
        let owned;
        let bytes = if length > 1 << 16 {
            owned = self.input.block(length, self.state, vm)?;
            &*owned
        } else {
            self.input.read(length, self.state, vm)?
        };
        let text = if bytes.is_ascii() {
            Str::from_ascii(bytes, vm)
        } else if let Ok(valid) = std::str::from_utf8(bytes) {
            Str::try_from_str(valid, vm)?
        } else {
            // Error handlers run Python code, which may change the memory that is read from.
            let bytes = bytes.to_vec();
            utf8::decode(&bytes, None, "surrogatepass", true, vm)?.0
        };
        self.stack.push(text.into_object());
        Ok(())
    }

    fn load_bytes(&mut self, width: usize) -> PyResult<()> {
        let length = self.count(width, "BINBYTES")?;
        if length > isize::MAX as usize - size_of::<Bytes>() - 1 {
            return Err(self.vm.overflow_error("byte string is too large"));
        }
        let bytes = self.input.bytes_object(length, self.state, self.vm)?;
        self.push(bytes);
        Ok(())
    }

    /// A string of Python 2.
    fn push_old_string(&mut self, bytes: Ref<Bytes>) -> PyResult<()> {
        let object = if self.encoding == "bytes" {
            bytes.into_object()
        } else {
            let source = bytes.as_object();
            codecs_core::decode_object(source, bytes.as_bytes(), self.encoding, self.errors, self.vm)?
                .into_object()
        };
        self.push(object);
        Ok(())
    }

    fn load_string(&mut self) -> PyResult<()> {
        let line = self.line(0)?;
        let body = match &*line {
            [b'\'', body @ .., b'\''] | [b'"', body @ .., b'"'] => body,
            _ => return Err(self.error("the STRING opcode argument must be quoted")),
        };
        let bytes = escape::decode_bytes(body, "strict", self.vm)?;
        self.push_old_string(bytes)
    }

    fn load_binstring(&mut self, length: usize) -> PyResult<()> {
        let bytes = self.input.bytes_object(length, self.state, self.vm)?;
        match bytes.downcast::<Bytes>() {
            Ok(bytes) => self.push_old_string(bytes),
            Err(_) => Err(self.error("pickle data was truncated")),
        }
    }

    // Containers.

    fn load_counted_tuple(&mut self, count: usize) -> PyResult<()> {
        let Some(place) = self.stack.len().checked_sub(count).filter(|place| *place >= self.fence) else {
            return Err(self.underflow());
        };
        let tuple = match (count, self.stack.pop(), place) {
            (2, Some(second), _) => match self.stack.pop() {
                Some(first) => Tuple::pair(first, second, self.vm),
                None => return Err(self.underflow()),
            },
            (_, last, place) => {
                let mut items = self.stack.split_off(place);
                items.extend(last);
                self.vm.new_tuple(items)
            }
        };
        self.push(tuple.into_object());
        Ok(())
    }

    /// The container below a place, which has something above it; `None` when there is nothing to add.
    fn container(&self, place: usize) -> PyResult<Option<ObjRef>> {
        if place > self.stack.len() || place <= self.fence {
            return Err(self.underflow());
        }
        if place == self.stack.len() {
            return Ok(None);
        }
        Ok(self.stack.get(place - 1).cloned())
    }

    fn append(&mut self, place: usize) -> PyResult<()> {
        let vm = self.vm;
        let Some(container) = self.container(place)? else { return Ok(()) };
        if let Some(list) = container.downcast_exact::<List>() {
            self.stack.drain(place..).for_each(|item| list.append(item));
            return Ok(());
        }
        let names = &self.state.names;
        let items = self.stack.split_off(place);
        if let Some(extend) = container.lookup_attr(&names.extend, vm)? {
            extend.call(&[vm.new_list(items).as_object()], vm)?;
            return Ok(());
        }
        // Even if the PEP 307 requires extend() and append() methods, old pickles were read without the former.
        let append = container.get_attr(&names.append, vm)?;
        items.iter().try_for_each(|item| append.call(&[&**item], vm).map(drop))
    }

    fn set_items(&mut self, place: usize) -> PyResult<()> {
        let vm = self.vm;
        let Some(container) = self.container(place)? else { return Ok(()) };
        if (self.stack.len() - place) % 2 != 0 {
            return Err(self.error("odd number of items for SETITEMS"));
        }
        let items = self.stack.split_off(place);
        let dict = container.downcast_exact::<Dict>();
        for pair in items.chunks_exact(2) {
            if let [key, value] = pair {
                match dict {
                    Some(dict) => dict.set_item(key, value, vm)?,
                    None => container.set_item(key, value, vm)?,
                }
            }
        }
        Ok(())
    }

    fn load_additems(&mut self) -> PyResult<()> {
        let vm = self.vm;
        let mark = self.pop_mark()?;
        let Some(container) = self.container(mark)? else { return Ok(()) };
        let items = self.stack.split_off(mark);
        if let Some(set) = container.downcast_ref::<Set>() {
            return items.iter().try_for_each(|item| set.add(item, vm).map(drop));
        }
        let add = container.get_attr(&self.state.names.add, vm)?;
        items.iter().try_for_each(|item| add.call(&[&**item], vm).map(drop))
    }

    fn load_dict(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        let items = self.above(mark)?;
        if items.len() % 2 != 0 {
            return Err(self.error("odd number of items for DICT"));
        }
        let dict = self.vm.new_dict();
        for pair in items.chunks_exact(2) {
            if let [key, value] = pair {
                dict.set_item(key, value, self.vm)?;
            }
        }
        self.push(dict.into_object());
        Ok(())
    }

    // Instances.

    fn push_class(&mut self, module: &Object, name: &Object) -> PyResult<()> {
        let class = self.class_of(module, name)?;
        self.push(class);
        Ok(())
    }

    fn class_of(&mut self, module: &Object, name: &Object) -> PyResult {
        match self.find_class.clone() {
            Some(find_class) => find_class.call(&[module, name], self.vm),
            None => super::find_class::find_class(
                self.state,
                self.proto.get(),
                self.fix_imports,
                module,
                name,
                self.vm,
            ),
        }
    }

    fn load_stack_global(&mut self) -> PyResult<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        if name.downcast_exact::<Str>().is_none() || module.downcast_exact::<Str>().is_none() {
            return Err(self.error("STACK_GLOBAL requires str"));
        }
        self.push_class(&module, &name)
    }

    fn instantiate(&mut self, class: &Object, args: Vec<ObjRef>) -> PyResult<()> {
        let vm = self.vm;
        let plain = args.is_empty()
            && class.downcast_ref::<Type>().is_some()
            && class.lookup_attr(vm.ids().__getinitargs__, vm)?.is_none();
        let made = if plain {
            class.call_method(vm.ids().__new__, &[class], vm)?
        } else {
            class.call_tuple_dict(&vm.new_tuple(args), None, vm)?
        };
        self.push(made);
        Ok(())
    }

    fn load_obj(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        if self.stack.len() <= mark {
            return Err(self.underflow());
        }
        let args = self.above(mark + 1)?;
        let class = self.pop()?;
        self.instantiate(&class, args)
    }

    fn load_inst(&mut self) -> PyResult<()> {
        let vm = self.vm;
        let mark = self.pop_mark()?;
        let ascii = |line: &[u8]| codecs_core::decode_object(vm.none_ref(), line, "ascii", "strict", vm);
        let module = ascii(&self.line(1)?)?;
        let name = ascii(&self.line(1)?)?;
        let class = self.class_of(module.as_object(), name.as_object())?;
        let args = self.above(mark)?;
        self.instantiate(&class, args)
    }

    fn load_newobj(&mut self, with_keywords: bool) -> PyResult<()> {
        let vm = self.vm;
        let what = if with_keywords { "NEWOBJ_EX" } else { "NEWOBJ" };
        let keywords = if with_keywords { Some(self.pop()?) } else { None };
        let args = self.pop()?;
        let class = self.pop()?;
        let Some(tp) = class.downcast_ref::<Type>() else {
            let given = class.ob_type().tp_name_str();
            return Err(self.error(format!("{what} class argument must be a type, not {given}")));
        };
        let Some(new) = tp.tp_new.get() else {
            let name = tp.tp_name_str();
            return Err(self.error(format!("{what} class argument '{name}' doesn't have __new__")));
        };
        if args.downcast_ref::<Tuple>().is_none() {
            let given = args.ob_type().tp_name_str();
            return Err(self.error(format!("{what} args argument must be a tuple, not {given}")));
        }
        if let Some(keywords) = keywords.as_ref().filter(|keywords| keywords.downcast_ref::<Dict>().is_none())
        {
            let given = keywords.ob_type().tp_name_str();
            return Err(self.error(format!("{what} kwargs argument must be a dict, not {given}")));
        }
        let keywords = keywords.as_ref().map_or(std::ptr::null_mut(), |keywords| keywords.as_ptr());
        // SAFETY: `tp_new` is called with its type, a tuple and a dict or null.
        let made = unsafe { vm.owned(new(std::ptr::from_ref(tp).cast_mut(), args.as_ptr(), keywords)) }?;
        self.push(made);
        Ok(())
    }

    fn load_build(&mut self) -> PyResult<()> {
        let vm = self.vm;
        if self.stack.len() < self.fence + 2 {
            return Err(self.underflow());
        }
        let state = self.pop()?;
        let object = self.top()?.clone();
        if let Some(set_state) = object.lookup_attr(vm.ids().__setstate__, vm)? {
            return set_state.call(&[&*state], vm).map(drop);
        }
        let (state, slots) = match state.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([state, slots]) => (state.clone(), Some(slots.clone())),
            _ => (state, None),
        };
        if !vm.is_none(&state) {
            let Some(attributes) = state.downcast_ref::<Dict>() else {
                return Err(self.error("state is not a dictionary"));
            };
            let dict = object.get_attr(vm.ids().__dict__, vm)?;
            let plain = dict.downcast_exact::<Dict>();
            let mut position = 0;
            while let Some((key, value)) = attributes.next_entry(&mut position) {
                // Attribute names are interned, as they are where they are looked up.
                let key = if key.downcast_exact::<Str>().is_some() {
                    match key.downcast::<Str>() {
                        Ok(text) => Str::intern(text, vm).into_object(),
                        Err(other) => other,
                    }
                } else {
                    key
                };
                match plain {
                    Some(plain) => plain.set_item(&key, &value, vm)?,
                    None => dict.set_item(&key, &value, vm)?,
                }
            }
        }
        if let Some(slots) = slots.filter(|slots| !vm.is_none(slots)) {
            let Some(slots) = slots.downcast_ref::<Dict>() else {
                return Err(self.error("slot state is not a dictionary"));
            };
            let mut position = 0;
            while let Some((key, value)) = slots.next_entry(&mut position) {
                let Some(name) = key.downcast_ref::<Str>() else {
                    let given = key.ob_type().tp_name_str();
                    return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
                };
                object.set_attr(name, &value, vm)?;
            }
        }
        Ok(())
    }

    // The outside world.

    fn load_persid(&mut self) -> PyResult<()> {
        let line = self.line(0)?;
        if !line.is_ascii() {
            return Err(self.error("persistent IDs in protocol 0 must be ASCII strings"));
        }
        let id = Str::from_ascii(&line, self.vm);
        self.load_persistent(id.as_object())
    }

    fn load_persistent(&mut self, id: &Object) -> PyResult<()> {
        let Some(load) = self.persistent_load.clone() else {
            return Err(no_persistent_load(self.state, self.vm));
        };
        let object = load.call(&[id], self.vm)?;
        self.push(object);
        Ok(())
    }

    fn load_extension(&mut self, width: usize) -> PyResult<()> {
        let vm = self.vm;
        let bytes = self.input.read(width, self.state, vm)?;
        let code = bytes.iter().rev().fold(0u32, |code, byte| code << 8 | u32::from(*byte)) as i32;
        if code <= 0 {
            return Err(self.error("EXT specifies code <= 0"));
        }
        let key = vm.new_int(i64::from(code));
        if let Some(cached) = self.state.extension_cache.get_item(&key, vm)? {
            self.push(cached);
            return Ok(());
        }
        let Some(pair) = self.state.inverted_registry.get_item(&key, vm)? else {
            return Err(vm.value_error(format!("unregistered extension code {code}")));
        };
        let class = match pair.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([module, name])
                if module.downcast_ref::<Str>().is_some() && name.downcast_ref::<Str>().is_some() =>
            {
                self.class_of(module, name)?
            }
            _ => {
                let text = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
                return Err(vm.value_error(text));
            }
        };
        self.state.extension_cache.set_item(&key, &class, vm)?;
        self.push(class);
        Ok(())
    }

    fn load_next_buffer(&mut self) -> PyResult<()> {
        let Some(buffers) = self.buffers.clone() else {
            let text = "pickle stream refers to out-of-band data but no *buffers* argument was given";
            return Err(self.error(text));
        };
        match buffers.iter_next(self.vm)? {
            Some(buffer) => {
                self.push(buffer);
                Ok(())
            }
            None => Err(self.error("not enough out-of-band buffers")),
        }
    }

    fn load_readonly_buffer(&mut self) -> PyResult<()> {
        let vm = self.vm;
        let buffer = self.top()?.clone();
        let view = taipan_vm::builtins::memoryview::MemoryView::from_object(&buffer, vm)?;
        if view.info().readonly != 0 {
            return Ok(());
        }
        let view = view.as_object().call_method(&vm.intern("toreadonly"), &[], vm)?;
        drop(self.pop()?);
        self.push(view);
        Ok(())
    }
}

/// The number of decimal digits.
fn int_of(digits: &[u8], vm: &Vm) -> PyResult {
    let digits = until_nul(digits);
    let (text, _) = utf8::decode(digits, None, "strict", true, vm)?;
    if !digits.is_ascii() {
        let shown = text.as_object().repr(vm)?;
        let shown = shown.to_string_lossy();
        return Err(vm.value_error(format!("invalid literal for int() with base 10: {shown}")));
    }
    Int::type_object().as_object().call(&[text.as_object(), &*vm.new_int(10)], vm)
}

/// The text of a C string.
fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What an unpickler without `persistent_load` says.
#[cold]
pub fn no_persistent_load(state: &State, vm: &Vm) -> Raised {
    let text =
        "A load persistent id instruction was encountered, but no persistent_load function was specified.";
    state.unpickling(text, vm)
}
