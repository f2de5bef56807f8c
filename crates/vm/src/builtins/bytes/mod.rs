//! `bytes` (library reference, "Binary Sequence Types").
//!
//! - `methods/`: what bytes and bytearray have in common, generic over both
//! - `percent.rs` (`bytes % args`), `hex.rs`, `iterator.rs`, `slicing.rs` (subscripts, shared with str)
#![allow(clippy::indexing_slicing, reason = "the table of single bytes is indexed by a byte")]

pub mod hex;
pub mod iterator;
pub mod methods;
pub mod percent;
pub mod slicing;

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::codecs_core;
use crate::prelude::*;
use crate::protocols::buffer::{self, has_buffer};
use crate::runtime::make::out_of_memory;
use methods::{ByteSequence, byte_from_index};
use slicing::SliceRange;
use taipan_object::gc;

/// `PyBytesObject` without its data: a NUL follows the last byte.
#[repr(C)]
pub struct Bytes {
    /// The header with the length.
    pub ob: VarObject,
    hash: Cell<isize>,
}

/// Where the data of a bytes object lies.
pub(crate) const DATA_OFFSET: usize = size_of::<Bytes>();
const _: () = assert!(DATA_OFFSET == 32);

#[repr(C)]
struct ByteSingleton {
    head: Bytes,
    data: [u8; 2],
}

struct Singletons {
    empty: ByteSingleton,
    single: [ByteSingleton; 256],
}

// SAFETY: bytes are only touched by threads that hold an interpreter's lock; these change only by their cached hash.
unsafe impl Sync for Singletons {}

unsafe extern "C" {
    static PyBytes_Type: Type;
}

const fn singleton(len: isize, byte: u8) -> ByteSingleton {
    ByteSingleton {
        head: Bytes {
            ob: VarObject { ob: Object::immortal_static(&raw const PyBytes_Type), ob_size: Cell::new(len) },
            hash: Cell::new(-1),
        },
        data: [byte, 0],
    }
}

const fn singletons() -> Singletons {
    let mut single = [const { singleton(1, 0) }; 256];
    let mut byte = 0;
    while byte < 256 {
        single[byte] = singleton(1, byte as u8);
        byte += 1;
    }
    Singletons { empty: singleton(0, 0), single }
}

static SINGLETONS: Singletons = singletons();

impl Bytes {
    /// The bytes.
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `ob_size` bytes follow the head in the same allocation.
        unsafe { std::slice::from_raw_parts(self.data_ptr(), self.ob.ob_size.get() as usize) }
    }

    /// The number of bytes.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob.ob_size.get() as usize
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.ob.ob_size.get() == 0
    }

    /// Where the bytes are; writable only by who has just made the object.
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        // SAFETY: the data follows the head.
        unsafe { std::ptr::from_ref(self).cast_mut().cast::<u8>().add(size_of::<Bytes>()) }
    }

    /// The empty bytes.
    #[inline]
    pub fn empty() -> Ref<Bytes> {
        Ref::new_ref(&SINGLETONS.empty.head)
    }

    /// The bytes of one byte.
    #[inline]
    pub fn single(byte: u8) -> Ref<Bytes> {
        Ref::new_ref(&SINGLETONS.single[byte as usize].head)
    }

    /// New bytes of length `len`, not yet filled. `None` when there is no memory for it.
    ///
    /// # Safety
    /// The caller fills them before anybody else sees the object.
    #[inline]
    pub unsafe fn allocate(len: usize) -> Option<Ref<Bytes>> {
        let size = len.checked_add(size_of::<Bytes>() + 1).filter(|&n| n <= isize::MAX as usize)?;
        let tp = Bytes::type_object();
        let op = gc::allocate(tp, size).cast::<Bytes>();
        if op.is_null() {
            return None;
        }
        // SAFETY: the block has room for the head, the data and the NUL.
        unsafe {
            op.write(Bytes {
                ob: VarObject { ob: Object::new(tp), ob_size: Cell::new(len as isize) },
                hash: Cell::new(-1),
            });
            op.cast::<u8>().add(size - 1).write(0);
            Some(Ref::from_raw(op))
        }
    }

    fn copy(data: &[u8]) -> Option<Ref<Bytes>> {
        match *data {
            [] => Some(Bytes::empty()),
            [byte] => Some(Bytes::single(byte)),
            // SAFETY: filled right here.
            _ => unsafe {
                let bytes = Bytes::allocate(data.len())?;
                std::ptr::copy_nonoverlapping(data.as_ptr(), bytes.data_ptr(), data.len());
                Some(bytes)
            },
        }
    }

    /// A bytes object with a copy of `data`. Aborts when memory for it is not to be had.
    #[inline]
    pub fn from_slice(data: &[u8], _vm: &Vm) -> Ref<Bytes> {
        Bytes::copy(data).unwrap_or_else(|| out_of_memory())
    }

    /// `from_slice` that raises `MemoryError`.
    #[inline]
    pub fn try_from_slice(data: &[u8], vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::copy(data).ok_or_else(|| vm.memory_error())
    }

    /// `hash(bytes)`, computed once.
    #[inline]
    pub fn hash_value(&self, vm: &Vm) -> isize {
        match self.hash.get() {
            -1 => {
                let hash = crate::builtins::str::hash::hash_bytes(self.as_bytes(), vm);
                self.hash.set(hash);
                hash
            }
            hash => hash,
        }
    }

    /// `self * count`.
    pub fn repeat(&self, count: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        if count == 1 && self.as_object().type_ptr() == Bytes::static_type() {
            return Ok(self.into());
        }
        if count <= 0 || self.is_empty() {
            return Ok(Bytes::empty());
        }
        let Some(len) = self.len().checked_mul(count as usize).filter(|&n| n < isize::MAX as usize) else {
            return Err(vm.overflow_error("repeated bytes are too long"));
        };
        // SAFETY: filled right here.
        unsafe {
            let result = Bytes::allocate(len).ok_or_else(|| vm.memory_error())?;
            crate::builtins::str::repeat_bytes(result.data_ptr(), self.as_bytes(), count as usize);
            Ok(result)
        }
    }

    /// An instance of a subclass with a copy of `data` behind its head.
    fn new_subclass_instance(cls: &Type, data: &[u8], vm: &Vm) -> PyResult<ObjRef> {
        let Some(alloc) = cls.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        // SAFETY: `tp_alloc` gives zeroed memory with room for the head, `len` items and a NUL, which the base size
        // counts.
        unsafe {
            let op = alloc(std::ptr::from_ref(cls).cast_mut(), data.len() as isize);
            if op.is_null() {
                return Err(Raised);
            }
            let bytes = &*op.cast::<Bytes>();
            bytes.ob.ob_size.set(data.len() as isize);
            bytes.hash.set(-1);
            std::ptr::copy_nonoverlapping(data.as_ptr(), bytes.data_ptr(), data.len());
            Ok(Ref::from_raw(op))
        }
    }
}

/// Bytes: an immutable sequence of integers from 0 to 255.
///
/// Made of an iterable of integers, a text with an encoding, any bytes-like object, or an integer: so many zeros.
#[pytype(
    name = "bytes",
    symbol = "PyBytes_Type",
    base = Object,
    flags(BASETYPE, MATCH_SELF, BYTES_SUBCLASS),
    basicsize = 33,
    itemsize = 1,
    methods(BYTES_METHODS)
)]
impl Bytes {
    #[new("!(source=b'', encoding='utf-8', errors='strict')")]
    fn new(
        cls: &Type,
        source: Option<&Object>,
        encoding: Option<&str>,
        errors: Option<&str>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let value = construct(source, encoding, errors, vm)?;
        if std::ptr::eq(cls, Bytes::static_type()) {
            return Ok(value);
        }
        match value.downcast_ref::<Bytes>() {
            Some(bytes) => Bytes::new_subclass_instance(cls, bytes.as_bytes(), vm),
            None => Err(vm.system_error("bytes constructor made no bytes")),
        }
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called by the runtime when the last reference goes.
        unsafe {
            let tp = (*op).ob_type();
            if std::ptr::eq(tp, Bytes::static_type()) {
                gc::release(tp, op, size_of::<Bytes>() + (*op.cast::<Bytes>()).len() + 1);
            } else if let Some(free) = tp.tp_free.get() {
                free(op.cast());
            }
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        methods::repr(self.as_bytes(), "b", "", vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        methods::warn_str("bytes", vm)?;
        self.tp_repr(vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.hash_value(vm))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(iterator::BytesIterator::new(self, vm))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        if let Some(other) = other.downcast_ref::<Bytes>() {
            let (a, b) = (self.as_bytes(), other.as_bytes());
            let answer = match op {
                CompareOp::Eq => a == b,
                CompareOp::Ne => a != b,
                _ => op.test(a.cmp(b)),
            };
            return Ok(vm.new_bool(answer));
        }
        if matches!(op, CompareOp::Eq | CompareOp::Ne) {
            methods::warn_compare(
                other,
                "Comparison between bytes and string",
                "Comparison between bytes and int",
                vm,
            )?;
        }
        Ok(vm.not_implemented())
    }

    #[slot]
    fn sq_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_concat(zelf: &Object, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let (a, b) = (zelf, other);
        if !has_buffer(a) || !has_buffer(b) {
            return Err(vm.type_error(format!(
                "can't concat {} to {}",
                b.ob_type().name(),
                a.ob_type().name()
            )));
        }
        let (left, right) = (a.get_buffer(buffer::SIMPLE, vm)?, b.get_buffer(buffer::SIMPLE, vm)?);
        let (left, right) = (left.as_bytes(), right.as_bytes());
        if left.is_empty() && b.downcast_exact::<Bytes>().is_some() {
            return Ok(b.to_ref());
        }
        if right.is_empty() && a.downcast_exact::<Bytes>().is_some() {
            return Ok(a.to_ref());
        }
        let len = left.len().checked_add(right.len()).ok_or_else(|| vm.memory_error())?;
        if len == 0 {
            return Ok(Bytes::empty().into_object());
        }
        // SAFETY: filled right here.
        unsafe {
            let result = Bytes::allocate(len).ok_or_else(|| vm.memory_error())?;
            std::ptr::copy_nonoverlapping(left.as_ptr(), result.data_ptr(), left.len());
            std::ptr::copy_nonoverlapping(right.as_ptr(), result.data_ptr().add(left.len()), right.len());
            Ok(result.into_object())
        }
    }

    #[slot]
    fn sq_repeat(&self, count: isize, vm: &Vm) -> PyResult<ObjRef> {
        self.repeat(count, vm).map(Ref::into_object)
    }

    #[slot]
    fn sq_item(&self, index: isize, vm: &Vm) -> PyResult<ObjRef> {
        match usize::try_from(index).ok().and_then(|i| self.as_bytes().get(i)) {
            Some(&byte) => Ok(vm.new_int(byte)),
            None => Err(vm.index_error("index out of range")),
        }
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        methods::contains(self, item, vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if key.has_index() {
            let mut index = crate::protocols::container::subscript_index(key, vm)?;
            if index < 0 {
                index += self.len() as isize;
            }
            return self.sq_item(index, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error(format!(
                "byte indices must be integers or slices, not {}",
                key.ob_type().name()
            )));
        };
        let range = SliceRange::new(slice, || self.len(), vm)?;
        let data = self.as_bytes();
        if range.step == 1 {
            let part = data.get(range.start as usize..).and_then(|d| d.get(..range.count)).unwrap_or(&[]);
            if part.len() == data.len() && self.as_object().type_ptr() == Bytes::static_type() {
                return Ok(self.as_object().to_ref());
            }
            return Bytes::try_from_slice(part, vm).map(Ref::into_object);
        }
        let picked: Vec<u8> = range.indices().filter_map(|i| data.get(i).copied()).collect();
        Bytes::try_from_slice(&picked, vm).map(Ref::into_object)
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
        match a.downcast_ref::<Bytes>() {
            Some(template) => {
                let made = percent::format(template.as_bytes(), b, vm)?;
                Bytes::try_from_slice(&made, vm).map(Ref::into_object)
            }
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        buffer::fill_info(view, self.as_object(), self.data_ptr(), self.len(), true, flags, vm)
    }

    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let copy = Bytes::try_from_slice(self.as_bytes(), vm)?;
        Ok(vm.new_tuple([copy.into_object()]).into_object())
    }

    /// Convert this value to exact type bytes.
    #[method("($self, /)")]
    fn __bytes__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.same(vm)
    }

    /// Make bytes of hexadecimal digits; whitespace between bytes is skipped.
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &Type, string: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let bytes = Bytes::try_from_slice(&hex::from_hex(string, vm)?, vm)?.into_object();
        if std::ptr::eq(cls, Bytes::static_type()) { Ok(bytes) } else { cls.as_object().call(&[&bytes], vm) }
    }
}

impl ByteSequence for Bytes {
    fn data(&self) -> &[u8] {
        self.as_bytes()
    }
    fn make(data: &[u8], vm: &Vm) -> PyResult<ObjRef> {
        Bytes::try_from_slice(data, vm).map(Ref::into_object)
    }
    fn same(&self, vm: &Vm) -> PyResult<ObjRef> {
        if self.as_object().type_ptr() == Bytes::static_type() {
            Ok(self.as_object().to_ref())
        } else {
            Bytes::make(self.as_bytes(), vm)
        }
    }
}

/// `bytes(source, encoding, errors)`: an exact or subclassed bytes object.
fn construct(
    source: Option<&Object>,
    encoding: Option<&str>,
    errors: Option<&str>,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let Some(source) = source else {
        if encoding.is_some() || errors.is_some() {
            return Err(vm.type_error(no_string(encoding)));
        }
        return Ok(Bytes::empty().into_object());
    };
    if let Some(encoding) = encoding {
        let Some(text) = source.downcast_ref::<Str>() else {
            return Err(vm.type_error(no_string(Some(encoding))));
        };
        return codecs_core::encode_str(text, encoding, errors.unwrap_or("strict"), vm);
    }
    let is_text = source.downcast_ref::<Str>().is_some();
    if errors.is_some() {
        return Err(vm.type_error(if is_text {
            "string argument without an encoding"
        } else {
            no_string(None)
        }));
    }
    if let Some(bytes) = bytes_method(source, vm)? {
        return Ok(bytes);
    }
    if is_text {
        return Err(vm.type_error("string argument without an encoding"));
    }
    if let Some(count) = methods::zero_count(source, vm)? {
        // SAFETY: filled right here.
        unsafe {
            if count == 0 {
                return Ok(Bytes::empty().into_object());
            }
            let bytes = Bytes::allocate(count).ok_or_else(|| vm.memory_error())?;
            std::ptr::write_bytes(bytes.data_ptr(), 0, count);
            return Ok(bytes.into_object());
        }
    }
    from_object(source, vm).map(Ref::into_object)
}

fn no_string(encoding: Option<&str>) -> &'static str {
    if encoding.is_some() { "encoding without a string argument" } else { "errors without a string argument" }
}

/// The result of the object's `__bytes__`, if it has one.
pub fn bytes_method(object: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(method) = object.lookup_special(vm.ids().__bytes__, vm)? else { return Ok(None) };
    let result = method.call_no_args(vm)?;
    if result.downcast_ref::<Bytes>().is_none() {
        return Err(vm.type_error(format!("__bytes__ returned non-bytes (type {})", result.ob_type().name())));
    }
    Ok(Some(result))
}

/// `PyBytes_FromObject`: the bytes of a bytes-like object or of an iterable of integers.
pub fn from_object(source: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
    if let Some(exact) = source.downcast_exact::<Bytes>() {
        return Ok(exact.into());
    }
    if has_buffer(source) {
        let data = source.get_buffer(buffer::FULL_RO, vm)?.to_contiguous(vm)?;
        return Bytes::try_from_slice(&data, vm);
    }
    let iterable =
        source.ob_type().tp_iter.get().is_some() || crate::protocols::container::is_sequence(source);
    if !iterable || source.downcast_ref::<Str>().is_some() {
        return Err(vm.type_error(format!("cannot convert '{}' object to bytes", source.ob_type().name())));
    }
    let iterator = source.iter(vm)?;
    let mut data = Vec::new();
    while let Some(item) = iterator.iter_next(vm)? {
        data.push(byte_from_index(&item, "bytes must be in range(0, 256)", vm)?);
    }
    Bytes::try_from_slice(&data, vm)
}

/// `PyObject_Bytes`: what `__bytes__` gives, else the bytes of a bytes-like object or of an iterable of integers.
pub fn to_bytes(object: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
    if let Some(exact) = object.downcast_exact::<Bytes>() {
        return Ok(exact.into());
    }
    match bytes_method(object, vm)? {
        Some(bytes) => bytes.downcast::<Bytes>().map_err(|_| vm.system_error("__bytes__ made no bytes")),
        None => from_object(object, vm),
    }
}
