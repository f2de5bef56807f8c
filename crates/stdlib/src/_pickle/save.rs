//! Objects to pickles: the built-in types.

use std::cell::RefCell;
use std::collections::HashSet;

use taipan_numeric::float;
use taipan_vm::builtins::codecs_core::utf8;
use taipan_vm::builtins::function::Function;
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::builtins::str::StrData;
use taipan_vm::builtins::type_::shown_name;
use taipan_vm::prelude::*;

use super::memo::PicklerMemo;
use super::opcode as op;
use super::state::State;
use taipan_vm::builtins::pickle_buffer::PickleBuffer;

/// A frame is written out when it has grown to this.
const FRAME_TARGET: usize = 64 * 1024;
/// A frame is not worth its header below this.
const FRAME_MIN: usize = 4;
/// `FRAME` and its argument.
const FRAME_HEADER: usize = 9;
/// How many items one `APPENDS`, `SETITEMS` or `ADDITEMS` takes.
const BATCH: usize = 1000;
/// From this depth on, `fast` picklers look out for cycles.
const FAST_NESTING: usize = 50;

/// One call of `dump`.
pub struct Saver<'a> {
    pub vm: &'a Vm,
    pub state: &'a State,
    /// What is not yet in the file.
    pub out: Vec<u8>,
    pub memo: &'a RefCell<PicklerMemo>,
    pub proto: i32,
    pub bin: bool,
    pub fast: bool,
    pub fix_imports: bool,
    framing: bool,
    /// Where the header of the open frame is.
    frame_start: Option<usize>,
    /// The file's `write`; without one, everything stays in `out`.
    pub write: Option<ObjRef>,
    pub buffer_callback: Option<ObjRef>,
    pub persistent_id: Option<ObjRef>,
    pub reducer_override: Option<ObjRef>,
    pub dispatch_table: Option<ObjRef>,
    fast_nesting: usize,
    fast_memo: HashSet<usize>,
}

/// `%T` of the object's type.
pub fn type_name(object: &Object, vm: &Vm) -> PyResult<String> {
    shown_name(object.ob_type(), vm)
}

impl<'a> Saver<'a> {
    /// A saver of a protocol that keeps the pickle.
    pub fn new(
        state: &'a State,
        memo: &'a RefCell<PicklerMemo>,
        proto: i32,
        fix_imports: bool,
        vm: &'a Vm,
    ) -> Self {
        Saver {
            vm,
            state,
            out: Vec::new(),
            memo,
            proto,
            bin: proto > 0,
            fast: false,
            fix_imports: fix_imports && proto < 3,
            framing: false,
            frame_start: None,
            write: None,
            buffer_callback: None,
            persistent_id: None,
            reducer_override: None,
            dispatch_table: None,
            fast_nesting: 0,
            fast_memo: HashSet::new(),
        }
    }

    // The output.

    #[inline]
    fn open_frame(&mut self) {
        if self.framing && self.frame_start.is_none() {
            self.frame_start = Some(self.out.len());
            self.out.extend_from_slice(&[0xfe; FRAME_HEADER]);
        }
    }

    /// Writes an opcode.
    #[inline]
    pub fn op(&mut self, opcode: u8) {
        self.open_frame();
        self.out.push(opcode);
    }

    /// Writes bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.open_frame();
        self.out.extend_from_slice(bytes);
    }

    fn close_frame(&mut self) {
        let Some(start) = self.frame_start.take() else { return };
        let length = self.out.len().saturating_sub(start + FRAME_HEADER);
        if length < FRAME_MIN {
            self.out.drain(start..start + FRAME_HEADER);
        } else if let Some([opcode, size @ ..]) = self.out.get_mut(start..start + FRAME_HEADER) {
            *opcode = op::FRAME;
            size.copy_from_slice(&(length as u64).to_le_bytes());
        }
    }

    /// Hands what was written to the file.
    pub fn flush(&mut self) -> PyResult<()> {
        let Some(write) = self.write.clone() else { return Ok(()) };
        let data = Bytes::try_from_slice(&self.out, self.vm)?;
        self.out.truncate(0);
        write.call(&[data.as_object()], self.vm).map(drop)
    }

    /// Before an object: the open frame may be full.
    #[inline]
    fn boundary(&mut self) -> PyResult<()> {
        match self.frame_start {
            Some(start) if self.out.len() >= start + FRAME_HEADER + FRAME_TARGET => {
                self.close_frame();
                self.flush()
            }
            _ => Ok(()),
        }
    }

    /// A header and its data; large data goes to the file as it is, outside of frames.
    fn block(&mut self, header: &[u8], data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        if data.len() < FRAME_TARGET {
            self.bytes(header);
            self.bytes(data);
            return Ok(());
        }
        self.close_frame();
        let framing = std::mem::replace(&mut self.framing, false);
        self.bytes(header);
        match self.write.clone() {
            Some(write) => {
                self.flush()?;
                let copied;
                let payload = match payload {
                    Some(payload) => payload,
                    None => {
                        copied = Bytes::try_from_slice(data, self.vm)?.into_object();
                        &*copied
                    }
                };
                write.call(&[payload], self.vm)?;
            }
            None => {
                self.out.try_reserve(data.len()).map_err(|_| self.vm.memory_error())?;
                self.bytes(data);
            }
        }
        self.framing = framing;
        Ok(())
    }

    // The memo.

    /// The object's number, if it has been written.
    #[inline]
    pub fn number(&self, object: &Object) -> Option<usize> {
        self.memo.borrow().get(object)
    }

    /// Writes a reference to an object written before.
    pub fn get(&mut self, number: usize) -> PyResult<()> {
        if !self.bin {
            self.bytes(format!("g{number}\n").as_bytes());
        } else if let Ok(small) = u8::try_from(number) {
            self.bytes(&[op::BINGET, small]);
        } else if let Ok(number) = u32::try_from(number) {
            self.op(op::LONG_BINGET);
            self.bytes(&number.to_le_bytes());
        } else {
            return Err(self.state.pickling("memo id too large for LONG_BINGET", self.vm));
        }
        Ok(())
    }

    /// Gives the object just written a number.
    #[inline]
    pub fn put(&mut self, object: &Object) -> PyResult<()> {
        if self.fast {
            return Ok(());
        }
        let number = {
            let mut memo = self.memo.borrow_mut();
            let number = memo.len();
            memo.set(object, number);
            number
        };
        if self.proto >= 4 {
            self.op(op::MEMOIZE);
            return Ok(());
        }
        self.put_number(number)
    }

    fn put_number(&mut self, number: usize) -> PyResult<()> {
        if !self.bin {
            self.bytes(format!("p{number}\n").as_bytes());
        } else if let Ok(small) = u8::try_from(number) {
            self.bytes(&[op::BINPUT, small]);
        } else if let Ok(number) = u32::try_from(number) {
            self.op(op::LONG_BINPUT);
            self.bytes(&number.to_le_bytes());
        } else {
            return Err(self.state.pickling("memo id too large for LONG_BINPUT", self.vm));
        }
        Ok(())
    }

    // Notes.

    /// Adds "when serializing T WHAT" to the exception that a result stands for.
    #[inline]
    pub fn noted(&self, result: PyResult<()>, of: &Object, what: impl FnOnce() -> String) -> PyResult<()> {
        match result {
            Ok(()) => Ok(()),
            Err(_) => Err(self.add_note(of, what())),
        }
    }

    #[cold]
    fn add_note(&self, of: &Object, what: String) -> Raised {
        let Some(exception) = self.vm.take_exception() else { return Raised };
        let noted = type_name(of, self.vm).and_then(|name| {
            let note = self.vm.new_str(&format!("when serializing {name} {what}"));
            exception.add_note(&note, self.vm)
        });
        match noted {
            Ok(()) => self.vm.reraise(exception),
            Err(raised) => {
                if let Some(new) = self.vm.current_exception.get() {
                    new.context.set(Some(exception.into_object()));
                }
                raised
            }
        }
    }

    /// The note for a mapping's value names the key, whose repr may raise in its turn.
    #[cold]
    fn note_key(&self, of: &Object, key: &Object) -> Raised {
        let Some(exception) = self.vm.take_exception() else { return Raised };
        match key.repr(self.vm) {
            Ok(shown) => {
                self.vm.reraise(exception);
                self.add_note(of, format!("item {}", shown.to_string_lossy()))
            }
            Err(raised) => {
                if let Some(new) = self.vm.current_exception.get() {
                    new.context.set(Some(exception.into_object()));
                }
                raised
            }
        }
    }

    // Objects.

    /// A whole pickle.
    pub fn dump(&mut self, object: &Object) -> PyResult<()> {
        if self.proto >= 2 {
            self.bytes(&[op::PROTO, self.proto as u8]);
        }
        self.framing = self.proto >= 4;
        self.save(object, true)?;
        self.op(op::STOP);
        self.close_frame();
        self.framing = false;
        Ok(())
    }

    /// Writes an object. Persistent ids themselves are written with `ask` false.
    pub fn save(&mut self, object: &Object, ask: bool) -> PyResult<()> {
        self.boundary()?;
        let vm = self.vm;
        if ask {
            if let Some(persistent_id) = self.persistent_id.clone() {
                if self.save_persistent(&persistent_id, object)? {
                    return Ok(());
                }
            }
        }
        if let Some(int) = object.downcast_exact::<Int>() {
            return self.save_int(int);
        }
        if vm.is_none(object) {
            self.op(op::NONE);
            return Ok(());
        }
        if let Some(float) = object.downcast_exact::<Float>() {
            self.save_float(float.value());
            return Ok(());
        }
        if object.downcast_exact::<Bool>().is_some() {
            let value = object.is(vm.true_ref());
            match (self.proto >= 2, value) {
                (true, true) => self.op(op::NEWTRUE),
                (true, false) => self.op(op::NEWFALSE),
                (false, true) => self.bytes(b"I01\n"),
                (false, false) => self.bytes(b"I00\n"),
            }
            return Ok(());
        }
        if let Some(number) = self.number(object) {
            return self.get(number);
        }
        if let Some(text) = object.downcast_exact::<Str>() {
            return self.save_str(text);
        }
        if let Some(bytes) = object.downcast_exact::<Bytes>() {
            return self.save_bytes(bytes);
        }
        vm.check_recursion(" while pickling an object")?;
        if let Some(array) = object.downcast_exact::<ByteArray>() {
            return self.save_bytearray(array);
        }
        if let Some(buffer) = object.downcast_exact::<PickleBuffer>() {
            return self.save_buffer(buffer);
        }
        if let Some(reducer) = self.reducer_override.clone() {
            let reduced = reducer.call(&[object], vm)?;
            if !vm.is_not_implemented(&reduced) {
                return self.save_reduced(&reduced, object);
            }
        }
        if let Some(dict) = object.downcast_exact::<Dict>() {
            return self.guarded(object, |saver| saver.save_dict(dict));
        }
        if let Some(list) = object.downcast_exact::<List>() {
            return self.guarded(object, |saver| saver.save_list(list));
        }
        if let Some(tuple) = object.downcast_exact::<Tuple>() {
            return self.save_tuple(tuple);
        }
        if let Some(set) = object.downcast_exact::<Set>() {
            return self.save_set(set);
        }
        if let Some(set) = object.downcast_exact::<FrozenSet>() {
            return self.save_frozenset(set);
        }
        if object.downcast_exact::<Type>().is_some() {
            return self.save_type(object);
        }
        if object.downcast_exact::<Function>().is_some() {
            return self.save_global(object, None);
        }
        self.save_other(object)
    }

    fn save_int(&mut self, int: &Int) -> PyResult<()> {
        let value = int.to_i64();
        if let Some(small) = value.and_then(|value| i32::try_from(value).ok()) {
            if !self.bin {
                self.bytes(format!("I{small}\n").as_bytes());
            } else if let Ok(byte) = u8::try_from(small) {
                self.bytes(&[op::BININT1, byte]);
            } else if let Ok(short) = u16::try_from(small) {
                let [low, high] = short.to_le_bytes();
                self.bytes(&[op::BININT2, low, high]);
            } else {
                let [a, b, c, d] = small.to_le_bytes();
                self.bytes(&[op::BININT, a, b, c, d]);
            }
            return Ok(());
        }
        if self.proto < 2 {
            let text = int.as_object().repr(self.vm)?;
            self.op(op::LONG);
            self.bytes(text.ascii_bytes().unwrap_or_default());
            self.bytes(b"L\n");
            return Ok(());
        }
        if let Some(value) = value {
            // The shortest two's complement.
            let bytes = value.to_le_bytes();
            let bits = 65 - if value < 0 { value.leading_ones() } else { value.leading_zeros() };
            let length = bits.div_ceil(8) as usize;
            self.bytes(&[op::LONG1, length as u8]);
            self.bytes(bytes.get(..length).unwrap_or_default());
            return Ok(());
        }
        let number = int.as_int_ref();
        let top = int.digits().last().map_or(0, |digit| 32 - digit.leading_zeros() as usize);
        let bits = int.digits().len().saturating_sub(1) * 30 + top;
        let mut bytes = number
            .to_bytes(bits / 8 + 1, true, true)
            .map_err(|error| taipan_vm::builtins::int::raise_int_error(error, self.vm))?;
        if let [.., next, 0xff] = *bytes {
            if next & 0x80 != 0 {
                bytes.pop();
            }
        }
        if let Ok(length) = u8::try_from(bytes.len()) {
            self.bytes(&[op::LONG1, length]);
        } else if let Ok(length) = i32::try_from(bytes.len()) {
            self.op(op::LONG4);
            self.bytes(&length.to_le_bytes());
        } else {
            return Err(self.vm.overflow_error("int too large to pickle"));
        }
        self.bytes(&bytes);
        Ok(())
    }

    fn save_float(&mut self, value: f64) {
        if self.bin {
            self.op(op::BINFLOAT);
            self.bytes(&value.to_bits().to_be_bytes());
        } else {
            self.bytes(format!("F{}\n", float::repr(value)).as_bytes());
        }
    }

    fn save_str(&mut self, text: &Str) -> PyResult<()> {
        if self.bin {
            if let Some(ascii) = text.ascii_bytes() {
                self.save_utf8(ascii)?;
            } else if let Some(cached) = text.cached_utf8() {
                self.save_utf8(cached.as_bytes())?;
            } else {
                match utf8::encode_valid(text.data()) {
                    Ok(encoded) => self.save_utf8(&encoded)?,
                    Err(_) => {
                        let encoded = utf8::encode(text, "surrogatepass", self.vm)?;
                        self.save_utf8(encoded.as_bytes())?;
                    }
                }
            }
        } else {
            self.op(op::UNICODE);
            let encoded = raw_unicode_escape(text.data());
            self.bytes(&encoded);
            self.op(b'\n');
        }
        self.put(text.as_object())
    }

    fn save_utf8(&mut self, encoded: &[u8]) -> PyResult<()> {
        let length = encoded.len();
        if length <= 0xff && self.proto >= 4 {
            self.bytes(&[op::SHORT_BINUNICODE, length as u8]);
            self.bytes(encoded);
            return Ok(());
        }
        self.sized(op::BINUNICODE, Some(op::BINUNICODE8), encoded, None, "string")
    }

    /// Data behind an opcode with a length of four bytes, or one with eight.
    fn sized(
        &mut self,
        opcode: u8,
        wide: Option<u8>,
        data: &[u8],
        payload: Option<&Object>,
        what: &str,
    ) -> PyResult<()> {
        let mut header = [opcode; 9];
        if let Ok(length) = u32::try_from(data.len()) {
            let [_, a, b, c, d, ..] = &mut header;
            [*a, *b, *c, *d] = length.to_le_bytes();
            let header = [header[0], header[1], header[2], header[3], header[4]];
            return self.block(&header, data, payload);
        }
        let Some(wide) = wide.filter(|_| self.proto >= 4) else {
            return Err(self.vm.overflow_error(format!(
                "serializing a {what} larger than 4 GiB requires pickle protocol 4 or higher"
            )));
        };
        header[0] = wide;
        let [_, length @ ..] = &mut header;
        *length = (data.len() as u64).to_le_bytes();
        self.block(&header, data, payload)
    }

    fn save_bytes_data(&mut self, data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        if let Ok(length) = u8::try_from(data.len()) {
            self.bytes(&[op::SHORT_BINBYTES, length]);
            self.bytes(data);
            return Ok(());
        }
        self.sized(op::BINBYTES, Some(op::BINBYTES8), data, payload, "bytes object")
    }

    fn save_bytes(&mut self, bytes: &Bytes) -> PyResult<()> {
        let vm = self.vm;
        let object = bytes.as_object();
        if self.proto >= 3 {
            self.save_bytes_data(bytes.as_bytes(), Some(object))?;
            return self.put(object);
        }
        // What Python 2 reads as a str.
        let (function, args) = if bytes.is_empty() {
            (Bytes::type_object().as_object().to_ref(), Tuple::empty(vm))
        } else {
            let text = Str::try_from_latin1(bytes.as_bytes(), vm)?;
            let latin1 = self.state.names.latin1.clone();
            (self.state.codecs_encode.clone(), Tuple::pair(text.into_object(), latin1.into_object(), vm))
        };
        let reduced = Tuple::pair(function, args.into_object(), vm);
        self.save_reduce(&reduced, Some(object))
    }

    fn save_bytearray_data(&mut self, data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        let [a, b, c, d, e, f, g, h] = (data.len() as u64).to_le_bytes();
        self.block(&[op::BYTEARRAY8, a, b, c, d, e, f, g, h], data, payload)
    }

    fn save_bytearray(&mut self, array: &ByteArray) -> PyResult<()> {
        let vm = self.vm;
        let object = array.as_object();
        if self.proto >= 5 {
            // Writing large data runs Python code: the memory is held meanwhile.
            let buffer = object.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?;
            self.save_bytearray_data(buffer.as_bytes(), Some(object))?;
            return self.put(object);
        }
        let args = if array.is_empty() {
            Tuple::empty(vm)
        } else {
            vm.new_tuple([Bytes::try_from_slice(array.as_bytes(), vm)?.into_object()])
        };
        let class = ByteArray::type_object().as_object().to_ref();
        self.save_reduce(&Tuple::pair(class, args.into_object(), vm), Some(object))
    }

    fn save_buffer(&mut self, buffer: &PickleBuffer) -> PyResult<()> {
        let vm = self.vm;
        let object = buffer.as_object();
        if self.proto < 5 {
            return Err(self.state.pickling("PickleBuffer can only be pickled with protocol >= 5", vm));
        }
        let lent = object.get_buffer(taipan_vm::protocols::buffer::FULL_RO, vm)?;
        if !buffer.is_contiguous() {
            let text = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(self.state.pickling(text, vm));
        }
        let in_band = match self.buffer_callback.clone() {
            None => true,
            Some(callback) => callback.call(&[object], vm)?.is_true(vm)?,
        };
        if in_band {
            if lent.is_readonly() {
                self.save_bytes_data(lent.as_bytes(), None)?;
            } else {
                self.save_bytearray_data(lent.as_bytes(), None)?;
            }
            return self.put(object);
        }
        self.op(op::NEXT_BUFFER);
        if lent.is_readonly() {
            self.op(op::READONLY_BUFFER);
        }
        Ok(())
    }

    /// For `fast` picklers, which have no memo: watches for cycles deep down.
    pub fn guarded(&mut self, object: &Object, work: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        if !self.fast {
            return work(self);
        }
        self.fast_nesting += 1;
        let address = object.as_ptr() as usize;
        let watched = self.fast_nesting >= FAST_NESTING;
        if watched && !self.fast_memo.insert(address) {
            return Err(self.vm.value_error(format!(
                "fast mode: can't pickle cyclic objects including object type {} at {address:#x}",
                object.ob_type().tp_name_str()
            )));
        }
        let result = work(self);
        self.fast_nesting -= 1;
        if watched {
            self.fast_memo.remove(&address);
        }
        result
    }

    fn save_elements(&mut self, tuple: &Tuple) -> PyResult<()> {
        for (at, item) in tuple.as_slice().iter().enumerate() {
            let saved = self.save(item, true);
            self.noted(saved, tuple.as_object(), || format!("item {at}"))?;
        }
        Ok(())
    }

    fn save_tuple(&mut self, tuple: &Tuple) -> PyResult<()> {
        let length = tuple.len();
        if length == 0 {
            match self.bin {
                true => self.op(op::EMPTY_TUPLE),
                false => self.bytes(&[op::MARK, op::TUPLE]),
            }
            return Ok(());
        }
        let short = match length {
            _ if self.proto < 2 => None,
            1 => Some(op::TUPLE1),
            2 => Some(op::TUPLE2),
            3 => Some(op::TUPLE3),
            _ => None,
        };
        if short.is_none() {
            self.op(op::MARK);
        }
        self.save_elements(tuple)?;
        // A tuple that contains itself has been written by now: what is on the stack goes away again.
        if let Some(number) = self.number(tuple.as_object()) {
            match (short, self.bin) {
                (Some(_), _) => (0..length).for_each(|_| self.op(op::POP)),
                (None, true) => self.op(op::POP_MARK),
                (None, false) => (0..=length).for_each(|_| self.op(op::POP)),
            }
            return self.get(number);
        }
        self.op(short.unwrap_or(op::TUPLE));
        self.put(tuple.as_object())
    }

    fn save_list(&mut self, list: &List) -> PyResult<()> {
        match self.bin {
            true => self.op(op::EMPTY_LIST),
            false => self.bytes(&[op::MARK, op::LIST]),
        }
        let object = list.as_object();
        self.put(object)?;
        if self.proto == 0 {
            let items = object.iter(self.vm)?;
            return self.save_items(&items, object);
        }
        if list.len() == 1 {
            let Some(item) = list.get(0) else { return Ok(()) };
            let saved = self.save(&item, true);
            self.noted(saved, object, || "item 0".to_owned())?;
            self.op(op::APPEND);
            return Ok(());
        }
        // The list may change while its items are written.
        let mut at = 0;
        while at < list.len() {
            self.op(op::MARK);
            let end = at + BATCH;
            while at < end {
                let Some(item) = list.get(at) else { break };
                let saved = self.save(&item, true);
                self.noted(saved, object, || format!("item {at}"))?;
                at += 1;
            }
            self.op(op::APPENDS);
        }
        Ok(())
    }

    /// The items of an iterator, as of a list.
    pub fn save_items(&mut self, items: &Object, of: &Object) -> PyResult<()> {
        let vm = self.vm;
        let mut at = 0;
        let mut one = |saver: &mut Self, item: &Object| {
            let saved = saver.save(item, true);
            saver.noted(saved, of, || format!("item {at}"))?;
            at += 1;
            Ok(())
        };
        if self.proto == 0 {
            while let Some(item) = items.iter_next(vm)? {
                one(self, &item)?;
                self.op(op::APPEND);
            }
            return Ok(());
        }
        loop {
            let Some(first) = items.iter_next(vm)? else { return Ok(()) };
            let Some(second) = items.iter_next(vm)? else {
                one(self, &first)?;
                self.op(op::APPEND);
                return Ok(());
            };
            self.op(op::MARK);
            one(self, &first)?;
            one(self, &second)?;
            let mut count = 2;
            let mut more = true;
            while count < BATCH {
                match items.iter_next(vm)? {
                    Some(item) => one(self, &item)?,
                    None => {
                        more = false;
                        break;
                    }
                }
                count += 1;
            }
            self.op(op::APPENDS);
            if !more {
                return Ok(());
            }
        }
    }

    fn save_entry(&mut self, key: &Object, value: &Object, of: &Object) -> PyResult<()> {
        self.save(key, true)?;
        match self.save(value, true) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.note_key(of, key)),
        }
    }

    fn save_dict(&mut self, dict: &Dict) -> PyResult<()> {
        match self.bin {
            true => self.op(op::EMPTY_DICT),
            false => self.bytes(&[op::MARK, op::DICT]),
        }
        let object = dict.as_object();
        self.put(object)?;
        if self.proto == 0 {
            let items = object.call_method(&self.state.names.items, &[], self.vm)?.iter(self.vm)?;
            return self.save_pairs(&items, object);
        }
        let size = dict.len();
        let mut position = 0;
        if size == 1 {
            let Some((key, value)) = dict.next_entry(&mut position) else { return Ok(()) };
            self.save_entry(&key, &value, object)?;
            self.op(op::SETITEM);
            return Ok(());
        }
        let mut left = size;
        while left > 0 {
            self.op(op::MARK);
            let mut count = 0;
            while count < BATCH {
                let Some((key, value)) = dict.next_entry(&mut position) else { break };
                self.save_entry(&key, &value, object)?;
                count += 1;
            }
            self.op(op::SETITEMS);
            if dict.len() != size {
                return Err(self.vm.runtime_error("dictionary changed size during iteration"));
            }
            if count < BATCH {
                break;
            }
            left = left.saturating_sub(count);
        }
        Ok(())
    }

    /// The pairs of an iterator, as of a dict.
    pub fn save_pairs(&mut self, pairs: &Object, of: &Object) -> PyResult<()> {
        let vm = self.vm;
        let one = |saver: &mut Self, pair: &Object| match pair.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([key, value]) => saver.save_entry(key, value, of),
            _ => Err(vm.type_error("dict items iterator must return 2-tuples")),
        };
        if self.proto == 0 {
            while let Some(pair) = pairs.iter_next(vm)? {
                one(self, &pair)?;
                self.op(op::SETITEM);
            }
            return Ok(());
        }
        loop {
            let Some(first) = pairs.iter_next(vm)? else { return Ok(()) };
            let Some(second) = pairs.iter_next(vm)? else {
                one(self, &first)?;
                self.op(op::SETITEM);
                return Ok(());
            };
            self.op(op::MARK);
            one(self, &first)?;
            one(self, &second)?;
            let mut count = 2;
            let mut more = true;
            while count < BATCH {
                match pairs.iter_next(vm)? {
                    Some(pair) => one(self, &pair)?,
                    None => {
                        more = false;
                        break;
                    }
                }
                count += 1;
            }
            self.op(op::SETITEMS);
            if !more {
                return Ok(());
            }
        }
    }

    fn reduce_set(&mut self, class: &Type, set: &Object) -> PyResult<()> {
        let vm = self.vm;
        let items = vm.new_list(set.collect_iterable(vm)?).into_object();
        let args = vm.new_tuple([items]).into_object();
        self.save_reduce(&Tuple::pair(class.as_object().to_ref(), args, vm), Some(set))
    }

    fn save_set(&mut self, set: &Set) -> PyResult<()> {
        let object = set.as_object();
        if self.proto < 4 {
            return self.reduce_set(Set::type_object(), object);
        }
        self.op(op::EMPTY_SET);
        self.put(object)?;
        let size = set.len();
        if size == 0 {
            return Ok(());
        }
        let mut position = 0;
        loop {
            self.op(op::MARK);
            let mut count = 0;
            while count < BATCH {
                let Some((item, _)) = set.next_entry(&mut position) else { break };
                let saved = self.save(&item, true);
                self.noted(saved, object, || "element".to_owned())?;
                count += 1;
            }
            self.op(op::ADDITEMS);
            if set.len() != size {
                return Err(self.vm.runtime_error("set changed size during iteration"));
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    fn save_frozenset(&mut self, set: &FrozenSet) -> PyResult<()> {
        let object = set.as_object();
        if self.proto < 4 {
            return self.reduce_set(FrozenSet::type_object(), object);
        }
        self.op(op::MARK);
        let mut position = 0;
        while let Some((item, _)) = set.next_entry(&mut position) {
            let saved = self.save(&item, true);
            self.noted(saved, object, || "element".to_owned())?;
        }
        // As for tuples: it may contain itself.
        if let Some(number) = self.number(object) {
            self.op(op::POP_MARK);
            return self.get(number);
        }
        self.op(op::FROZENSET);
        self.put(object)
    }
}

/// The text in ASCII and Latin-1 on one line: what the raw-unicode-escape codec leaves alone is escaped too.
fn raw_unicode_escape(text: StrData<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for code in text.iter() {
        match code {
            0x1_0000.. => out.extend_from_slice(format!("\\U{code:08x}").as_bytes()),
            0x100.. | 0x5c | 0 | 0x0a | 0x0d | 0x1a => {
                out.extend_from_slice(format!("\\u{code:04x}").as_bytes())
            }
            _ => out.push(code as u8),
        }
    }
    out
}
