//! `array`: numbers of one machine type, side by side in memory.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::slice::adjust;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::builtins::warn::warn;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;
use taipan_vm::protocols::container::subscript_index;
use taipan_vm::protocols::number::as_isize_clamped;

mod item;
mod iterator;
mod reconstruct;

pub use iterator::ArrayIterator;

use item::{Code, Kind};

/// The module.
pub struct ArrayModule;

/// This module defines an object type which can efficiently represent
/// an array of basic values: characters, integers, floating-point
/// numbers.  Arrays are sequence types and behave very much like lists,
/// except that the type of objects stored in them is constrained.
#[pymodule(name = "array", types(Array))]
impl ArrayModule {
    #[constant("typecodes")]
    fn typecodes() -> String {
        item::CODES.iter().map(Code::letter).collect()
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let array = Array::type_object().as_object();
        module.set("ArrayType", array, vm)?;
        let abc = taipan_vm::import::import_module("collections.abc", vm)?;
        let sequence = abc.get_attr(&vm.intern("MutableSequence"), vm)?;
        sequence.call_method(&vm.intern("register"), &[array], vm)?;
        Ok(())
    }

    /// Internal. Used for pickling support.
    #[function("($module, arraytype, typecode, mformat_code, items, /)")]
    fn _array_reconstructor(
        arraytype: &Object,
        typecode: &Object,
        mformat_code: i32,
        items: &Object,
        vm: &Vm,
    ) -> PyResult {
        reconstruct::reconstruct(arraytype, typecode, mformat_code, items, vm)
    }
}

/// The layout of `array.array`.
#[repr(C)]
pub struct Array {
    ob: Object,
    code: &'static Code,
    /// The items' bytes. Never borrowed while Python code may run.
    bytes: RefCell<Vec<u8>>,
    /// The number of items, where buffers find their shape.
    length: Cell<isize>,
    /// Buffers that are lent out: the memory may not move meanwhile.
    exports: Cell<usize>,
    weakrefs: WeakList,
}

impl Array {
    /// An array of a class, of the given bytes.
    fn make(cls: &Type, code: &'static Code, bytes: Vec<u8>, vm: &Vm) -> PyResult {
        let length = Cell::new((bytes.len() / code.size) as isize);
        vm.new_instance(
            cls,
            Array {
                ob: Object::new(Self::type_object()),
                code,
                bytes: RefCell::new(bytes),
                length,
                exports: Cell::new(0),
                weakrefs: WeakList::new(),
            },
        )
    }

    fn plain(code: &'static Code, bytes: Vec<u8>, vm: &Vm) -> PyResult {
        Array::make(Array::type_object(), code, bytes, vm)
    }

    #[inline]
    fn len(&self) -> usize {
        self.length.get().max(0) as usize
    }

    /// The item at a place; `None` beyond the end.
    #[inline]
    fn get(&self, at: usize, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let size = self.code.size;
        let bytes = self.bytes.borrow();
        match at.checked_mul(size).and_then(|start| bytes.get(start..start + size)) {
            Some(found) if self.code.kind == Kind::Character => {
                // Numbers that are no characters raise, for which the borrow has to end.
                let unit = found.to_vec();
                drop(bytes);
                self.code.load(&unit, vm).map(Some)
            }
            // Making an int or a float runs no Python code.
            Some(found) => self.code.load(found, vm).map(Some),
            None => Ok(None),
        }
    }

    /// Overwrites an item; false beyond the end.
    #[inline]
    fn put(&self, at: usize, value: [u8; 8]) -> bool {
        let size = self.code.size;
        let mut bytes = self.bytes.borrow_mut();
        match at.checked_mul(size).and_then(|start| bytes.get_mut(start..start + size)) {
            Some(place) => {
                match (place.len(), &value) {
                    (8, value) => place.copy_from_slice(value),
                    (4, [value @ .., _, _, _, _]) => place.copy_from_slice(value),
                    (_, value) => place.iter_mut().zip(value).for_each(|(to, from)| *to = *from),
                }
                true
            }
            None => false,
        }
    }

    fn check_resizable(&self, vm: &Vm) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("cannot resize an array that is exporting buffers"));
        }
        Ok(())
    }

    /// Puts bytes in the place of others; the one operation that changes the length.
    fn splice(&self, start: usize, end: usize, with: &[u8], vm: &Vm) -> PyResult<()> {
        if end - start != with.len() {
            self.check_resizable(vm)?;
        }
        let mut bytes = self.bytes.borrow_mut();
        if with.len() > end - start {
            bytes.try_reserve(with.len()).map_err(|_| vm.memory_error())?;
        }
        if start == bytes.len() {
            bytes.extend_from_slice(with);
        } else if end <= bytes.len() {
            bytes.splice(start..end, with.iter().copied());
        }
        self.length.set((bytes.len() / self.code.size) as isize);
        Ok(())
    }

    fn push_value(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        let item = self.code.store(value, vm)?;
        let end = self.len() * self.code.size;
        self.splice(end, end, item.get(..self.code.size).unwrap_or_default(), vm)
    }

    fn push_bytes(&self, data: &[u8], vm: &Vm) -> PyResult<()> {
        if data.len() % self.code.size != 0 {
            return Err(vm.value_error("bytes length not a multiple of item size"));
        }
        let end = self.len() * self.code.size;
        self.splice(end, end, data, vm)
    }

    fn push_text(&self, text: &Str, vm: &Vm) -> PyResult<()> {
        let units: Vec<u8> = text.data().iter().flat_map(u32::to_ne_bytes).collect();
        self.push_bytes(&units, vm)
    }

    fn extend_from(&self, other: &Object, vm: &Vm) -> PyResult<()> {
        if let Some(array) = other.downcast_ref::<Array>() {
            if array.code != self.code {
                return Err(vm.type_error("can only extend with array of same kind"));
            }
            let data = array.bytes.borrow().clone();
            return self.push_bytes(&data, vm);
        }
        let iterator = other.iter(vm)?;
        while let Some(value) = iterator.iter_next(vm)? {
            self.push_value(&value, vm)?;
        }
        Ok(())
    }

    fn text(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let units: Vec<u32> = {
            let bytes = self.bytes.borrow();
            bytes.as_chunks::<4>().0.iter().map(|unit| u32::from_ne_bytes(*unit)).collect()
        };
        if let Some(unit) = units.iter().find(|unit| **unit > 0x10_ffff) {
            return Err(vm.value_error(format!("character U+{unit:x} is not in range [U+0000; U+10ffff]")));
        }
        Str::try_from_code_points(&units, vm)
    }

    fn to_vec(&self, vm: &Vm) -> PyResult<Vec<ObjRef>> {
        let mut items = Vec::with_capacity(self.len());
        if self.code.kind == Kind::Character {
            let mut at = 0;
            while let Some(item) = self.get(at, vm)? {
                items.push(item);
                at += 1;
            }
            return Ok(items);
        }
        let bytes = self.bytes.borrow();
        for chunk in bytes.chunks_exact(self.code.size) {
            items.push(self.code.load(chunk, vm)?);
        }
        Ok(items)
    }

    /// The place of the first equal item.
    fn find(&self, value: &Object, from: usize, to: usize, vm: &Vm) -> PyResult<Option<usize>> {
        let mut at = from;
        while at < to.min(self.len()) {
            if let Some(item) = self.get(at, vm)? {
                if item.eq(value, vm)? {
                    return Ok(Some(at));
                }
            }
            at += 1;
        }
        Ok(None)
    }

    fn repeated(&self, count: isize, vm: &Vm) -> PyResult<Vec<u8>> {
        let bytes = self.bytes.borrow();
        let count = count.max(0) as usize;
        let total = bytes.len().checked_mul(count).ok_or_else(|| vm.memory_error())?;
        let mut out = Vec::new();
        out.try_reserve_exact(total).map_err(|_| vm.memory_error())?;
        (0..count).for_each(|_| out.extend_from_slice(&bytes));
        Ok(out)
    }

    fn remove_at(&self, at: usize, vm: &Vm) -> PyResult<()> {
        let size = self.code.size;
        self.splice(at * size, (at + 1) * size, &[], vm)
    }
}

/// A failed conversion of an argument that has no better text.
fn bad_argument(vm: &Vm) -> Raised {
    vm.type_error("bad argument type for built-in operation")
}

fn code_argument(typecode: &Object, vm: &Vm) -> PyResult<u32> {
    let Some(text) = typecode.downcast_ref::<Str>() else {
        return Err(vm.type_error(format!(
            "array() argument 1 must be a unicode character, not {}",
            typecode.ob_type().tp_name_str()
        )));
    };
    match (text.len(), text.char_at(0)) {
        (1, Some(letter)) => Ok(letter),
        (length, _) => Err(vm.type_error(format!(
            "array() argument 1 must be a unicode character, not a string of length {length}"
        ))),
    }
}

/// array(typecode [, initializer]) -> array
///
/// Return a new array whose items are restricted by typecode, and
/// initialized from the optional initializer value, which must be a list,
/// string or iterable over elements of the appropriate type.
///
/// Arrays represent basic values and behave very much like lists, except
/// the type of objects stored in them is constrained. The type is specified
/// at object creation time by using a type code, which is a single character.
/// The following type codes are defined:
///
///     Type code   C Type             Minimum size in bytes
///     'b'         signed integer     1
///     'B'         unsigned integer   1
///     'u'         Unicode character  2 (see note)
///     'w'         Py_UCS4            4
///     'h'         signed integer     2
///     'H'         unsigned integer   2
///     'i'         signed integer     2
///     'I'         unsigned integer   2
///     'l'         signed integer     4
///     'L'         unsigned integer   4
///     'q'         signed integer     8 (see note)
///     'Q'         unsigned integer   8 (see note)
///     'f'         floating-point     4
///     'd'         floating-point     8
///
/// NOTE: The 'u' typecode corresponds to Python's unicode character. On
/// narrow builds this is 2-bytes on wide builds this is 4-bytes.
///
/// NOTE: The 'q' and 'Q' type codes are only available if the platform
/// C compiler used to build Python supports 'long long', or, on Windows,
/// '__int64'.
///
/// Methods:
///
/// append() -- append a new item to the end of the array
/// buffer_info() -- return information giving the current memory info
/// byteswap() -- byteswap all the items of the array
/// count() -- return number of occurrences of an object
/// extend() -- extend array by appending multiple elements from an iterable
/// fromfile() -- read items from a file object
/// fromlist() -- append items from the list
/// frombytes() -- append items from the string
/// index() -- return index of first occurrence of an object
/// insert() -- insert a new item into the array at a provided position
/// pop() -- remove and return item (default last)
/// remove() -- remove first occurrence of an object
/// reverse() -- reverse the order of the items in the array
/// tofile() -- write all items to a file object
/// tolist() -- return the array converted to an ordinary list
/// tobytes() -- return the array converted to a string
///
/// Attributes:
///
/// typecode -- the typecode character used to create the array
/// itemsize -- the length in bytes of one array item
#[pytype(name = "array.array", flags(BASETYPE, SEQUENCE), weakrefs = weakrefs, unhashable)]
impl Array {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        if std::ptr::eq(cls, Array::type_object()) && !kwargs.is_empty() {
            return Err(vm.type_error("array.array() takes no keyword arguments"));
        }
        let (typecode, initial) = match args {
            [typecode] => (typecode, None),
            [typecode, initial] => (typecode, Some(*initial)),
            _ => {
                let bound = if args.is_empty() { "at least 1 argument" } else { "at most 2 arguments" };
                return Err(vm.type_error(format!("array() takes {bound} ({} given)", args.len())));
            }
        };
        let letter = code_argument(typecode, vm)?;
        if letter == u32::from(b'u') {
            warn(
                types::deprecation_warning(),
                "The 'u' type code is deprecated and will be removed in Python 3.16",
                1,
                vm,
            )?;
        }
        let is_text = letter == u32::from(b'u') || letter == u32::from(b'w');
        let shown = char::from_u32(letter).unwrap_or('?');
        let given_array = initial.and_then(|initial| initial.downcast_ref::<Array>());
        if !is_text {
            let refused = match initial {
                Some(initial) if initial.downcast_ref::<Str>().is_some() => Some("str"),
                _ if given_array.is_some_and(|array| array.code.kind == Kind::Character) => {
                    Some("unicode array")
                }
                _ => None,
            };
            if let Some(what) = refused {
                let article = "a";
                return Err(vm.type_error(format!(
                    "cannot use {article} {what} to initialize an array with typecode '{shown}'"
                )));
            }
        }
        let Some(code) = item::find(letter) else {
            return Err(vm.value_error("bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"));
        };
        let Some(initial) = initial else {
            return Array::make(cls, code, Vec::new(), vm);
        };
        if let Some(given) = given_array.filter(|given| given.code == code) {
            let bytes = given.bytes.borrow().clone();
            return Array::make(cls, code, bytes, vm);
        }
        let made = Array::make(cls, code, Vec::new(), vm)?;
        let Some(array) = made.downcast_ref::<Array>() else {
            return Err(vm.system_error("an array is none"));
        };
        if initial.downcast_ref::<Bytes>().is_some() || initial.downcast_ref::<ByteArray>().is_some() {
            let data = initial.get_buffer(buffer::SIMPLE, vm)?;
            array.push_bytes(data.as_bytes(), vm)?;
        } else if let (true, Some(text)) = (is_text, initial.downcast_ref::<Str>()) {
            array.push_text(text, vm)?;
        } else if let Some(list) = initial.downcast_ref::<List>() {
            array.bytes.borrow_mut().reserve(list.len() * code.size);
            let mut at = 0;
            while let Some(value) = list.get(at) {
                array.push_value(&value, vm)?;
                at += 1;
            }
        } else if let Some(given) = given_array {
            for value in given.to_vec(vm)? {
                array.push_value(&value, vm)?;
            }
        } else {
            array.extend_from(initial, vm)?;
        }
        Ok(made)
    }

    /// the typecode character used to create the array
    #[getter]
    fn typecode(&self) -> String {
        self.code.letter().to_string()
    }

    /// the size, in bytes, of one array item
    #[getter]
    fn itemsize(&self) -> usize {
        self.code.size
    }

    /// Append new value v to the end of the array.
    #[method("($self, v, /)")]
    fn append(&self, v: &Object, vm: &Vm) -> PyResult<()> {
        self.push_value(v, vm)
    }

    /// Return a tuple (address, length) giving the current memory address and the length in items of the buffer used to hold array's contents.
    ///
    /// The length should be multiplied by the itemsize attribute to
    /// calculate the buffer length in bytes.
    #[method("($self, /)")]
    fn buffer_info(&self) -> (usize, usize) {
        (self.bytes.borrow().as_ptr() as usize, self.len())
    }

    /// Byteswap all items of the array.
    ///
    /// If the items in the array are not 1, 2, 4, or 8 bytes in size,
    /// RuntimeError is raised.
    #[method("($self, /)")]
    fn byteswap(&self) {
        for item in self.bytes.borrow_mut().chunks_exact_mut(self.code.size) {
            item.reverse();
        }
    }

    /// Remove all items from the array.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        let end = self.len() * self.code.size;
        self.splice(0, end, &[], vm)
    }

    /// Return a copy of the array.
    #[method("($self, /)")]
    fn __copy__(&self, vm: &Vm) -> PyResult {
        let bytes = self.bytes.borrow().clone();
        Array::plain(self.code, bytes, vm)
    }

    /// Return a copy of the array.
    #[method("($self, unused, /)")]
    fn __deepcopy__(&self, unused: &Object, vm: &Vm) -> PyResult {
        let _ = unused;
        self.__copy__(vm)
    }

    /// Return number of occurrences of v in the array.
    #[method("($self, v, /)")]
    fn count(&self, v: &Object, vm: &Vm) -> PyResult<usize> {
        let (mut count, mut at) = (0, 0);
        while let Some(found) = self.find(v, at, usize::MAX, vm)? {
            count += 1;
            at = found + 1;
        }
        Ok(count)
    }

    /// Append items to the end of the array.
    #[method("($self, bb, /)")]
    fn extend(&self, bb: &Object, vm: &Vm) -> PyResult<()> {
        self.extend_from(bb, vm)
    }

    /// Read n objects from the file object f and append them to the end of the array.
    #[method("($self, f, n, /)")]
    fn fromfile(&self, f: &Object, n: isize, vm: &Vm) -> PyResult<()> {
        let Ok(count) = usize::try_from(n) else {
            return Err(vm.value_error("negative count"));
        };
        let wanted = count
            .checked_mul(self.code.size)
            .filter(|n| isize::try_from(*n).is_ok())
            .ok_or_else(|| vm.memory_error())?;
        let read = f.call_method(&vm.intern("read"), &[&*vm.new_int(wanted)], vm)?;
        let Some(data) = read.downcast_ref::<Bytes>() else {
            return Err(vm.type_error("read() didn't return bytes"));
        };
        self.push_bytes(data.as_bytes(), vm)?;
        if data.len() != wanted {
            return Err(vm.eof_error("read() didn't return enough bytes"));
        }
        Ok(())
    }

    /// Write all items (as machine values) to the file object f.
    #[method("($self, f, /)")]
    fn tofile(&self, f: &Object, vm: &Vm) -> PyResult<()> {
        const BLOCK: usize = 64 * 1024;
        let mut at = 0;
        loop {
            let block = {
                let bytes = self.bytes.borrow();
                let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
                vm.new_bytes(rest.get(..BLOCK).unwrap_or(rest))
            };
            at += block.len();
            f.call_method(&vm.intern("write"), &[block.as_object()], vm)?;
        }
    }

    /// Append items to array from list.
    #[method("($self, list, /)")]
    fn fromlist(&self, list: &Object, vm: &Vm) -> PyResult<()> {
        let Some(list) = list.downcast_ref::<List>() else {
            return Err(vm.type_error("arg must be list"));
        };
        // Converted first: a failure leaves the array as it was.
        let count = list.len();
        let mut data = Vec::with_capacity(count * self.code.size);
        for at in 0..count {
            let Some(value) = list.get(at) else { break };
            let item = self.code.store(&value, vm)?;
            data.extend_from_slice(item.get(..self.code.size).unwrap_or_default());
            if list.len() != count {
                return Err(vm.runtime_error("list changed size during iteration"));
            }
        }
        self.push_bytes(&data, vm)
    }

    /// Appends items from the string, interpreting it as an array of machine values, as if it had been read from a file using the fromfile() method.
    #[method("($self, buffer, /)")]
    fn frombytes(&self, buffer: BufferArg, vm: &Vm) -> PyResult<()> {
        if buffer.0.itemsize() != 1 {
            return Err(vm.type_error("a bytes-like object is required"));
        }
        let data = buffer.as_bytes().to_vec();
        drop(buffer);
        self.push_bytes(&data, vm)
    }

    /// Extends this array with data from the unicode string ustr.
    ///
    /// The array must be a unicode type array; otherwise a ValueError is
    /// raised.  Use array.frombytes(ustr.encode(...)) to append Unicode
    /// data to an array of some other type.
    #[method("($self, ustr, /)")]
    fn fromunicode(&self, ustr: &Str, vm: &Vm) -> PyResult<()> {
        if self.code.kind != Kind::Character {
            return Err(
                vm.value_error("fromunicode() may only be called on unicode type arrays ('u' or 'w')")
            );
        }
        self.push_text(ustr, vm)
    }

    /// Return index of first occurrence of v in the array.
    ///
    /// Raise ValueError if the value is not present.
    #[method("($self, v, start=0, stop=sys.maxsize, /)")]
    fn index(&self, v: &Object, start: Option<&Object>, stop: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let bound = |given: Option<&Object>, default: isize| {
            let at = given.map_or(Ok(default), |given| as_isize_clamped(given, vm))?;
            let length = self.length.get();
            Ok(if at < 0 { at.saturating_add(length).max(0) } else { at } as usize)
        };
        let (from, to) = (bound(start, 0)?, bound(stop, isize::MAX)?);
        self.find(v, from, to, vm)?.ok_or_else(|| vm.value_error("array.index(x): x not in array"))
    }

    /// Insert a new item v into the array before position i.
    #[method("($self, i, v, /)")]
    fn insert(&self, i: isize, v: &Object, vm: &Vm) -> PyResult<()> {
        let item = self.code.store(v, vm)?;
        let length = self.length.get();
        let at = if i < 0 { i.saturating_add(length).max(0) } else { i.min(length) } as usize;
        let place = at * self.code.size;
        self.splice(place, place, item.get(..self.code.size).unwrap_or_default(), vm)
    }

    /// Return the i-th element and delete it from the array.
    ///
    /// i defaults to -1.
    #[method("($self, i=-1, /)")]
    fn pop(&self, i: Option<isize>, vm: &Vm) -> PyResult {
        if self.len() == 0 {
            return Err(vm.index_error("pop from empty array"));
        }
        let i = i.unwrap_or(-1);
        let at = if i < 0 { i.saturating_add(self.length.get()) } else { i };
        let found = match usize::try_from(at) {
            Ok(at) => self.get(at, vm)?.map(|item| (at, item)),
            Err(_) => None,
        };
        let Some((at, item)) = found else {
            return Err(vm.index_error("pop index out of range"));
        };
        self.remove_at(at, vm)?;
        Ok(item)
    }

    /// Remove the first occurrence of v in the array.
    #[method("($self, v, /)")]
    fn remove(&self, v: &Object, vm: &Vm) -> PyResult<()> {
        match self.find(v, 0, usize::MAX, vm)? {
            Some(at) => self.remove_at(at, vm),
            None => Err(vm.value_error("array.remove(x): x not in array")),
        }
    }

    /// Reverse the order of the items in the array.
    #[method("($self, /)")]
    fn reverse(&self) {
        let mut bytes = self.bytes.borrow_mut();
        bytes.reverse();
        bytes.chunks_exact_mut(self.code.size).for_each(<[u8]>::reverse);
    }

    /// Convert array to an ordinary list with the same items.
    #[method("($self, /)")]
    fn tolist(&self, vm: &Vm) -> PyResult<Ref<List>> {
        Ok(vm.new_list(self.to_vec(vm)?))
    }

    /// Convert the array to an array of machine values and return the bytes representation.
    #[method("($self, /)")]
    fn tobytes(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&self.bytes.borrow(), vm)
    }

    /// Extends this array with data from the unicode string ustr.
    ///
    /// Convert the array to a unicode string.  The array must be a unicode
    /// type array; otherwise a ValueError is raised.  Use
    /// array.tobytes().decode() to obtain a unicode string from an array of
    /// some other type.
    #[method("($self, /)")]
    fn tounicode(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if self.code.kind != Kind::Character {
            return Err(vm.value_error("tounicode() may only be called on unicode type arrays ('u' or 'w')"));
        }
        self.text(vm)
    }

    /// Return state information for pickling.
    #[method("($self, value, /)")]
    fn __reduce_ex__(&self, value: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        reconstruct::reduce(self, value, vm)
    }

    /// Size of the array in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        64 + self.bytes.borrow().capacity()
    }

    /// Arrays are generic over the type of their elements
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut out = StrBuilder::new();
        out.push_str(&format!("{}('{}'", self.as_object().ob_type().name(), self.code.letter()));
        if self.len() > 0 {
            out.push_str(", ");
            let items = match self.code.kind {
                Kind::Character => self.text(vm)?.into_object(),
                _ => self.tolist(vm)?.into_object(),
            };
            out.push(&*items.repr(vm)?);
        }
        out.push_str(")");
        out.try_finish(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Array>() else { return Ok(vm.not_implemented()) };
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if equality && self.len() != other.len() {
            return Ok(vm.new_bool(matches!(op, CompareOp::Ne)));
        }
        if equality && self.code == other.code && matches!(self.code.kind, Kind::Signed | Kind::Unsigned) {
            let same = *self.bytes.borrow() == *other.bytes.borrow();
            return Ok(vm.new_bool(same == matches!(op, CompareOp::Eq)));
        }
        let mut at = 0;
        while at < self.len().min(other.len()) {
            let (Some(a), Some(b)) = (self.get(at, vm)?, other.get(at, vm)?) else { break };
            if !a.eq(&b, vm)? {
                return match op {
                    CompareOp::Eq => Ok(vm.new_bool(false)),
                    CompareOp::Ne => Ok(vm.new_bool(true)),
                    _ => a.rich_compare(&b, op, vm),
                };
            }
            at += 1;
        }
        let (a, b) = (self.len(), other.len());
        Ok(vm.new_bool(match op {
            CompareOp::Lt => a < b,
            CompareOp::Le => a <= b,
            CompareOp::Eq => a == b,
            CompareOp::Ne => a != b,
            CompareOp::Gt => a > b,
            CompareOp::Ge => a >= b,
        }))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        ArrayIterator::over(self, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult {
        let found = match usize::try_from(i) {
            Ok(at) => self.get(at, vm)?,
            Err(_) => None,
        };
        found.ok_or_else(|| vm.index_error("array index out of range"))
    }

    #[slot]
    fn sq_ass_item(&self, i: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let at = usize::try_from(i).ok().filter(|at| *at < self.len());
        let Some(at) = at else {
            return Err(vm.index_error("array assignment index out of range"));
        };
        match value {
            None => self.remove_at(at, vm),
            Some(value) => {
                let item = self.code.store(value, vm)?;
                if self.put(at, item) {
                    Ok(())
                } else {
                    Err(vm.index_error("array assignment index out of range"))
                }
            }
        }
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(self.find(item, 0, usize::MAX, vm)?.is_some())
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        let Some(array) = other.downcast_ref::<Array>() else {
            return Err(vm.type_error(format!(
                "can only append array (not \"{}\") to array",
                other.ob_type().tp_name_str()
            )));
        };
        if array.code != self.code {
            return Err(bad_argument(vm));
        }
        let mut joined = self.bytes.borrow().clone();
        joined.extend_from_slice(&array.bytes.borrow());
        Array::plain(self.code, joined, vm)
    }

    #[slot]
    fn sq_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        let bytes = self.repeated(n, vm)?;
        Array::plain(self.code, bytes, vm)
    }

    #[slot]
    fn sq_inplace_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        if other.downcast_ref::<Array>().is_none() {
            return Err(vm.type_error(format!(
                "can only extend array with array (not \"{}\")",
                other.ob_type().tp_name_str()
            )));
        }
        self.extend_from(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn sq_inplace_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        if self.len() > 0 && n != 1 {
            let bytes = self.repeated(n, vm)?;
            let end = self.len() * self.code.size;
            self.splice(0, end, &bytes, vm)?;
        }
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if let Some(at) = key.downcast_exact::<Int>().filter(|key| key.is_compact()) {
            let at = at.compact_value();
            return self.sq_item(if at < 0 { at + self.length.get() } else { at }, vm);
        }
        if key.has_index() {
            let index = subscript_index(key, vm)?;
            let at = if index < 0 { index.saturating_add(self.length.get()) } else { index };
            return self.sq_item(at, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("array indices must be integers"));
        };
        let range = slice.indices_for(|| self.len(), vm)?;
        let size = self.code.size;
        let mut out = Vec::with_capacity(range.count * size);
        {
            let bytes = self.bytes.borrow();
            if range.step == 1 {
                let start = range.start.max(0) as usize * size;
                out.extend_from_slice(bytes.get(start..start + range.count * size).unwrap_or_default());
            } else {
                let mut at = range.start;
                for _ in 0..range.count {
                    let start = at.max(0) as usize * size;
                    out.extend_from_slice(bytes.get(start..start + size).unwrap_or_default());
                    at += range.step;
                }
            }
        }
        Array::plain(self.code, out, vm)
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if key.has_index() {
            let index = subscript_index(key, vm)?;
            let at = if index < 0 { index.saturating_add(self.length.get()) } else { index };
            return self.sq_ass_item(at, value, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("array indices must be integers"));
        };
        let (start, stop, step) = slice.unpack(vm)?;
        let data = match value {
            None => Vec::new(),
            Some(value) => {
                let Some(array) = value.downcast_ref::<Array>() else {
                    return Err(vm.type_error(format!(
                        "can only assign array (not \"{}\") to array slice",
                        value.ob_type().tp_name_str()
                    )));
                };
                if array.code != self.code {
                    return Err(bad_argument(vm));
                }
                array.bytes.borrow().clone()
            }
        };
        let size = self.code.size;
        let range = adjust(start, stop, step, self.len());
        if range.step == 1 {
            let start = range.start.max(0) as usize * size;
            return self.splice(start, start + range.count * size, &data, vm);
        }
        let mut places: Vec<usize> =
            (0..range.count as isize).map(|n| (range.start + n * range.step).max(0) as usize).collect();
        if value.is_none() {
            if places.is_empty() {
                return Ok(());
            }
            self.check_resizable(vm)?;
            places.sort_unstable();
            let mut bytes = self.bytes.borrow_mut();
            let mut kept = Vec::with_capacity(bytes.len());
            let mut gone = places.iter().peekable();
            for (at, item) in bytes.chunks_exact(size).enumerate() {
                if gone.peek() == Some(&&at) {
                    gone.next();
                } else {
                    kept.extend_from_slice(item);
                }
            }
            *bytes = kept;
            self.length.set((bytes.len() / size) as isize);
            return Ok(());
        }
        let given = data.len() / size;
        // An empty extended slice of an array takes what a plain slice takes.
        if given != range.count {
            return Err(vm.value_error(format!(
                "attempt to assign array of size {given} to extended slice of size {}",
                range.count
            )));
        }
        let mut bytes = self.bytes.borrow_mut();
        for (at, item) in places.into_iter().zip(data.chunks_exact(size)) {
            if let Some(place) = bytes.get_mut(at * size..(at + 1) * size) {
                place.copy_from_slice(item);
            }
        }
        Ok(())
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let (data, length) = {
            let mut bytes = self.bytes.borrow_mut();
            (bytes.as_mut_ptr(), bytes.len())
        };
        buffer::fill_info(view, self.as_object(), data, length, false, flags, vm)?;
        view.itemsize = self.code.size as isize;
        if flags & buffer::FORMAT != 0 {
            view.format = self.code.format.as_ptr().cast_mut();
        }
        if flags & buffer::ND != 0 {
            view.shape = self.length.as_ptr();
        }
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }

    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {
        self.exports.set(self.exports.get().saturating_sub(1));
    }
}
