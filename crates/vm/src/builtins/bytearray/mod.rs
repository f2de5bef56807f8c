//! `bytearray` (library reference, "Bytearray Objects").
//!
//! The bytes lie in a block of their own, with a NUL behind the last one; removing at the front moves `start` instead of
//! the bytes. While buffers are lent out (`exports`), the size can't change.

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::bytes::iterator::ByteArrayIterator;
use crate::builtins::bytes::methods::{self, ByteSequence, byte_from_index};
use crate::builtins::bytes::slicing::SliceRange;
use crate::builtins::bytes::{hex, percent};
use crate::builtins::codecs_core;
use crate::prelude::*;
use crate::protocols::buffer::{self, has_buffer};
use taipan_object::alloc;

/// `PyByteArrayObject`.
#[repr(C)]
pub struct ByteArray {
    /// The header with the length.
    pub ob: VarObject,
    allocated: Cell<usize>,
    block: Cell<*mut u8>,
    start: Cell<*mut u8>,
    exports: Cell<isize>,
}

const _: () = assert!(size_of::<ByteArray>() == 56);

const RANGE: &str = "byte must be in range(0, 256)";

impl ByteArray {
    fn blank() -> ByteArray {
        ByteArray {
            ob: VarObject { ob: Object::new(ByteArray::type_object()), ob_size: Cell::new(0) },
            allocated: Cell::new(0),
            block: Cell::new(std::ptr::null_mut()),
            start: Cell::new(std::ptr::null_mut()),
            exports: Cell::new(0),
        }
    }

    /// A bytearray with a copy of `data`. Raises `MemoryError`.
    pub fn from_slice(data: &[u8], vm: &Vm) -> PyResult<Ref<ByteArray>> {
        let array = vm.new_object(ByteArray::blank());
        array.resize_to(data.len(), vm)?;
        array.overwrite(0, data);
        Ok(array)
    }

    /// The number of bytes.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob.ob_size.get() as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. They may change or move when Python code runs.
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        if self.len() == 0 {
            return &[];
        }
        // SAFETY: `start` points to `ob_size` bytes of the block.
        unsafe { std::slice::from_raw_parts(self.start.get(), self.len()) }
    }

    /// Where the bytes are; a lone NUL when there is none.
    pub fn data_ptr(&self) -> *mut u8 {
        if self.start.get().is_null() { c"".as_ptr().cast_mut().cast() } else { self.start.get() }
    }

    /// The bytes for writing.
    ///
    /// # Safety
    /// No other slice of the bytes is alive, and no Python code runs while this one is.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn as_mut_bytes(&self) -> &mut [u8] {
        if self.len() == 0 {
            return &mut [];
        }
        // SAFETY: as for `as_bytes`; the caller vouches for exclusiveness.
        unsafe { std::slice::from_raw_parts_mut(self.start.get(), self.len()) }
    }

    fn overwrite(&self, at: usize, data: &[u8]) {
        // SAFETY: only the copy happens while the slice is alive.
        let target = unsafe { self.as_mut_bytes() };
        if let Some(target) = target.get_mut(at..).and_then(|t| t.get_mut(..data.len())) {
            target.copy_from_slice(data);
        }
    }

    /// Raises `BufferError` while buffers are lent out.
    pub fn check_resizable(&self, vm: &Vm) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    /// Changes the length; new bytes are not set to anything in particular.
    pub fn resize_to(&self, len: usize, vm: &Vm) -> PyResult<()> {
        let old = self.len();
        if len == old {
            return Ok(());
        }
        self.check_resizable(vm)?;
        let offset = self.start.get() as usize - self.block.get() as usize;
        let wanted =
            len.checked_add(1).filter(|&n| n <= isize::MAX as usize).ok_or_else(|| vm.memory_error())?;
        let allocated = self.allocated.get();
        // SAFETY: all copies and writes stay within the block, whose size is `allocated`.
        unsafe {
            if offset.saturating_add(wanted) <= allocated && len >= allocated / 2 {
                self.ob.ob_size.set(len as isize);
                self.start.get().add(len).write(0);
                return Ok(());
            }
            let size = if wanted <= allocated {
                // Much smaller than before, or there is room when the bytes move to the front.
                if len < allocated / 2 { wanted } else { allocated }
            } else if wanted <= allocated.saturating_add(allocated / 8) {
                // Growing by a little: more will come.
                wanted + (len >> 3) + if len < 9 { 3 } else { 6 }
            } else {
                wanted
            };
            if offset > 0 {
                std::ptr::copy(self.start.get(), self.block.get(), old.min(len));
                self.start.set(self.block.get());
            }
            let block = alloc::raw_realloc(self.block.get(), size);
            if block.is_null() {
                return Err(vm.memory_error());
            }
            self.block.set(block);
            self.start.set(block);
            self.allocated.set(size);
            self.ob.ob_size.set(len as isize);
            block.add(len).write(0);
        }
        Ok(())
    }

    /// Replaces the bytes `at..at + removed` by `data`, which is no part of this object's memory.
    fn splice(&self, at: usize, removed: usize, data: &[u8], vm: &Vm) -> PyResult<()> {
        let len = self.len();
        let at = at.min(len);
        let removed = removed.min(len - at);
        let new_len = (len - removed).checked_add(data.len()).ok_or_else(|| vm.memory_error())?;
        if data.len() < removed {
            self.check_resizable(vm)?;
            let shrink = removed - data.len();
            // SAFETY: both ranges lie within the bytes.
            unsafe {
                let start = self.start.get();
                if at == 0 {
                    self.start.set(start.add(shrink));
                } else {
                    std::ptr::copy(start.add(at + removed), start.add(at + data.len()), len - at - removed);
                }
            }
            self.ob.ob_size.set(new_len as isize);
            self.resize_after_shrink(new_len, vm)?;
        } else if data.len() > removed {
            self.check_resizable(vm)?;
            self.resize_to(new_len, vm)?;
            // SAFETY: the block has room for the new length now.
            unsafe {
                let start = self.start.get();
                std::ptr::copy(start.add(at + removed), start.add(at + data.len()), len - at - removed);
            }
        }
        self.overwrite(at, data);
        Ok(())
    }

    /// Gives memory back after `ob_size` was lowered.
    fn resize_after_shrink(&self, len: usize, vm: &Vm) -> PyResult<()> {
        if len < self.allocated.get() / 2 {
            // The length counts as changed already, so that `resize_to` must be told otherwise.
            let offset = self.start.get() as usize - self.block.get() as usize;
            // SAFETY: the bytes move to the front of the block, which then shrinks.
            unsafe {
                if offset > 0 {
                    std::ptr::copy(self.start.get(), self.block.get(), len);
                }
                let block = alloc::raw_realloc(self.block.get(), len + 1);
                if block.is_null() {
                    return Err(vm.memory_error());
                }
                self.block.set(block);
                self.start.set(block);
                self.allocated.set(len + 1);
            }
        }
        // SAFETY: there is room for the NUL behind the bytes.
        unsafe { self.start.get().add(len).write(0) };
        Ok(())
    }

    /// Appends bytes that are no part of this object's memory.
    pub fn extend_from_slice(&self, data: &[u8], vm: &Vm) -> PyResult<()> {
        if data.is_empty() {
            return Ok(());
        }
        let len = self.len();
        self.resize_to(len.checked_add(data.len()).ok_or_else(|| vm.memory_error())?, vm)?;
        self.overwrite(len, data);
        Ok(())
    }

    fn position(&self, index: isize) -> Option<usize> {
        let index = if index < 0 { index + self.len() as isize } else { index };
        usize::try_from(index).ok().filter(|&i| i < self.len())
    }

    fn position_of(&self, key: &Object, vm: &Vm) -> PyResult<usize> {
        let index = crate::protocols::container::subscript_index(key, vm)?;
        self.position(index).ok_or_else(|| vm.index_error("bytearray index out of range"))
    }

    fn set_slice(&self, slice: &Slice, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        // The bytes to put in: copied, so that neither Python code nor the object itself can change them meanwhile.
        let data = match value {
            None => Vec::new(),
            Some(value) => slice_value(value, vm)?,
        };
        let range = SliceRange::new(slice, || self.len(), vm)?;
        if range.step == 1 {
            let start = range.start.max(0) as usize;
            return self.splice(start, range.count, &data, vm);
        }
        if value.is_none() {
            return self.delete_extended(range, vm);
        }
        if data.len() != range.count {
            return Err(vm.value_error(format!(
                "attempt to assign bytes of size {} to extended slice of size {}",
                data.len(),
                range.count
            )));
        }
        for (index, byte) in range.indices().zip(data) {
            self.overwrite(index, &[byte]);
        }
        Ok(())
    }

    fn delete_extended(&self, range: SliceRange, vm: &Vm) -> PyResult<()> {
        if range.count == 0 {
            return Ok(());
        }
        self.check_resizable(vm)?;
        let mut drop = vec![false; self.len()];
        for index in range.indices() {
            if let Some(flag) = drop.get_mut(index) {
                *flag = true;
            }
        }
        let kept: Vec<u8> =
            self.as_bytes().iter().zip(&drop).filter(|(_, drop)| !**drop).map(|(&b, _)| b).collect();
        self.resize_to(kept.len(), vm)?;
        self.overwrite(0, &kept);
        Ok(())
    }

    fn fill_from(&self, source: &Object, vm: &Vm) -> PyResult<()> {
        if has_buffer(source) {
            let data = source.get_buffer(buffer::FULL_RO, vm)?.to_contiguous(vm)?;
            self.resize_to(data.len(), vm)?;
            self.overwrite(0, &data);
            return Ok(());
        }
        let iterable =
            source.ob_type().tp_iter.get().is_some() || crate::protocols::container::is_sequence(source);
        if !iterable {
            return Err(
                vm.type_error(format!("cannot convert '{}' object to bytearray", source.ob_type().name()))
            );
        }
        let iterator = source.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            let byte = byte_from_index(&item, RANGE, vm)?;
            self.extend_from_slice(&[byte], vm)?;
        }
        Ok(())
    }
}

/// What a slice assignment puts in.
fn slice_value(value: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    if has_buffer(value) {
        return value.get_buffer(buffer::SIMPLE, vm)?.to_contiguous(vm);
    }
    let wrong = value.has_index() || value.downcast_ref::<Str>().is_some();
    let iterable = value.ob_type().tp_iter.get().is_some() || crate::protocols::container::is_sequence(value);
    if wrong || !iterable {
        return Err(vm.type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)"));
    }
    let mut data = Vec::new();
    for item in value.collect_iterable(vm)? {
        data.push(byte_from_index(&item, RANGE, vm)?);
    }
    Ok(data)
}

impl ByteSequence for ByteArray {
    fn data(&self) -> &[u8] {
        self.as_bytes()
    }
    fn make(data: &[u8], vm: &Vm) -> PyResult<ObjRef> {
        ByteArray::from_slice(data, vm).map(Ref::into_object)
    }
    fn same(&self, vm: &Vm) -> PyResult<ObjRef> {
        ByteArray::make(self.as_bytes(), vm)
    }
}

/// A mutable sequence of integers from 0 to 255.
///
/// Made of an iterable of integers, a text with an encoding, any bytes-like object, or an integer: so many zeros.
#[pytype(
    name = "bytearray",
    symbol = "PyByteArray_Type",
    base = Object,
    flags(BASETYPE, MATCH_SELF),
    unhashable,
    methods(BYTEARRAY_METHODS)
)]
impl ByteArray {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(cls, ByteArray::blank())
    }

    #[init("!(source=b'', encoding='utf-8', errors='strict')")]
    fn init(
        &self,
        source: Option<&Object>,
        encoding: Option<&str>,
        errors: Option<&str>,
        vm: &Vm,
    ) -> PyResult<()> {
        if !self.is_empty() {
            self.resize_to(0, vm)?;
        }
        let Some(source) = source else {
            if encoding.is_some() || errors.is_some() {
                return Err(vm.type_error(no_string(encoding)));
            }
            return Ok(());
        };
        if let Some(text) = source.downcast_ref::<Str>() {
            let Some(encoding) = encoding else {
                return Err(vm.type_error("string argument without an encoding"));
            };
            let encoded = codecs_core::encode_str(text, encoding, errors.unwrap_or("strict"), vm)?;
            let data = encoded.get_buffer(buffer::SIMPLE, vm)?;
            return self.extend_from_slice(data.as_bytes(), vm);
        }
        if encoding.is_some() || errors.is_some() {
            return Err(vm.type_error(no_string(encoding)));
        }
        if let Some(count) = methods::zero_count(source, vm)? {
            self.resize_to(count, vm)?;
            // SAFETY: nothing else looks at the bytes meanwhile.
            unsafe { self.as_mut_bytes() }.fill(0);
            return Ok(());
        }
        self.fill_from(source, vm)
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called by the runtime when the last reference goes; the block is the object's own.
        unsafe {
            let array = &*op.cast::<ByteArray>();
            if array.exports.get() > 0 {
                if let Some(vm) = Vm::try_current() {
                    vm.system_error("deallocated bytearray object has exported buffers");
                    vm.write_unraisable(None, None);
                }
            }
            alloc::raw_free(array.block.get());
            let tp = array.as_object().ob_type();
            if std::ptr::eq(tp, ByteArray::static_type()) {
                taipan_object::gc::release(tp, op, size_of::<ByteArray>());
            } else if let Some(free) = tp.tp_free.get() {
                free(op.cast());
            }
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let name = self.as_object().ob_type().name();
        methods::repr(self.as_bytes(), &format!("{name}(b"), ")", vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        methods::warn_str("bytearray", vm)?;
        self.tp_repr(vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(ByteArrayIterator::new(self, vm))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        if !has_buffer(other) || other.downcast_ref::<Str>().is_some() {
            if matches!(op, CompareOp::Eq | CompareOp::Ne) {
                methods::warn_compare(other, "Comparison between bytearray and string", "", vm)?;
            }
            return Ok(vm.not_implemented());
        }
        let other = match other.get_buffer(buffer::SIMPLE, vm) {
            Ok(other) => other,
            Err(Raised) => {
                vm.clear_exception();
                return Ok(vm.not_implemented());
            }
        };
        let (a, b) = (self.as_bytes(), other.as_bytes());
        let answer = match op {
            CompareOp::Eq => a == b,
            CompareOp::Ne => a != b,
            _ => op.test(a.cmp(b)),
        };
        Ok(vm.new_bool(answer))
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
        if !has_buffer(zelf) || !has_buffer(other) {
            return Err(vm.type_error(format!(
                "can't concat {} to {}",
                other.ob_type().name(),
                zelf.ob_type().name()
            )));
        }
        let (left, right) = (zelf.get_buffer(buffer::SIMPLE, vm)?, other.get_buffer(buffer::SIMPLE, vm)?);
        let result = ByteArray::from_slice(left.as_bytes(), vm)?;
        result.extend_from_slice(right.as_bytes(), vm)?;
        Ok(result.into_object())
    }

    #[slot]
    fn sq_inplace_concat(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if !has_buffer(other) {
            return Err(vm.type_error(format!(
                "can't concat {} to {}",
                other.ob_type().name(),
                self.as_object().ob_type().name()
            )));
        }
        // The buffer is held meanwhile, so that appending the object to itself is refused.
        let data = other.get_buffer(buffer::SIMPLE, vm)?;
        self.extend_from_slice(data.as_bytes(), vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn sq_repeat(&self, count: isize, vm: &Vm) -> PyResult<ObjRef> {
        let copy = ByteArray::from_slice(self.as_bytes(), vm)?;
        copy.sq_inplace_repeat(count, vm)?;
        Ok(copy.into_object())
    }

    #[slot]
    fn sq_inplace_repeat(&self, count: isize, vm: &Vm) -> PyResult<ObjRef> {
        let count = count.max(0) as usize;
        let old = self.len();
        if count != 1 {
            let len = old
                .checked_mul(count)
                .filter(|&n| n < isize::MAX as usize)
                .ok_or_else(|| vm.memory_error())?;
            let unit = self.as_bytes().to_vec();
            self.resize_to(len, vm)?;
            if len > 0 {
                // SAFETY: the block has room for `len` bytes.
                unsafe { crate::builtins::str::repeat_bytes(self.start.get(), &unit, count) };
            }
        }
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn sq_item(&self, index: isize, vm: &Vm) -> PyResult<ObjRef> {
        match usize::try_from(index).ok().and_then(|i| self.as_bytes().get(i)) {
            Some(&byte) => Ok(vm.new_int(byte)),
            None => Err(vm.index_error("bytearray index out of range")),
        }
    }

    #[slot]
    fn sq_ass_item(&self, index: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let byte = match value {
            Some(value) => Some(byte_from_index(value, RANGE, vm)?),
            None => None,
        };
        let Some(index) = usize::try_from(index).ok().filter(|&i| i < self.len()) else {
            return Err(vm.index_error("bytearray index out of range"));
        };
        match byte {
            Some(byte) => self.overwrite(index, &[byte]),
            None => self.splice(index, 1, &[], vm)?,
        }
        Ok(())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        methods::contains(self, item, vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if key.has_index() {
            let index = self.position_of(key, vm)?;
            return Ok(vm.new_int(self.as_bytes().get(index).copied().unwrap_or(0)));
        }
        let Some(slice) = key.downcast_ref::<Slice>() else { return Err(wrong_index(key, vm)) };
        let range = SliceRange::new(slice, || self.len(), vm)?;
        let data = self.as_bytes();
        if range.step == 1 {
            let part =
                data.get(range.start.max(0) as usize..).and_then(|d| d.get(..range.count)).unwrap_or(&[]);
            return ByteArray::make(part, vm);
        }
        let picked: Vec<u8> = range.indices().filter_map(|i| data.get(i).copied()).collect();
        ByteArray::make(&picked, vm)
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if key.has_index() {
            let byte = match value {
                // The index comes first, so that its errors do.
                Some(value) => {
                    self.position_of(key, vm)?;
                    Some(byte_from_index(value, RANGE, vm)?)
                }
                None => None,
            };
            let index = self.position_of(key, vm)?;
            return match byte {
                Some(byte) => {
                    self.overwrite(index, &[byte]);
                    Ok(())
                }
                None => self.splice(index, 1, &[], vm),
            };
        }
        let Some(slice) = key.downcast_ref::<Slice>() else { return Err(wrong_index(key, vm)) };
        self.set_slice(slice, value, vm)
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
        match a.downcast_ref::<ByteArray>() {
            Some(template) => {
                let template = template.as_bytes().to_vec();
                ByteArray::make(&percent::format(&template, b, vm)?, vm)
            }
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        buffer::fill_info(view, self.as_object(), self.data_ptr(), self.len(), false, flags, vm)?;
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }

    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {
        self.exports.set(self.exports.get() - 1);
    }

    /// Return the number of bytes actually allocated.
    #[method("($self, /)")]
    fn __alloc__(&self) -> usize {
        self.allocated.get()
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.reduce(2, vm)
    }

    /// Return state information for pickling.
    #[method("($self, proto=0, /)")]
    fn __reduce_ex__(&self, proto: Option<i32>, vm: &Vm) -> PyResult<ObjRef> {
        self.reduce(proto.unwrap_or(0), vm)
    }

    /// Return the size of the bytearray in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        (self.as_object().ob_type().tp_basicsize.get() as usize).saturating_add(self.allocated.get())
    }

    /// Append a single byte to the end.
    #[method("($self, item, /)")]
    fn append(&self, item: &Object, vm: &Vm) -> PyResult<()> {
        let byte = byte_from_index(item, RANGE, vm)?;
        self.extend_from_slice(&[byte], vm)
    }

    /// Remove all bytes.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        self.check_resizable(vm)?;
        self.resize_to(0, vm)
    }

    /// Return a copy.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.same(vm)
    }

    /// Append the integers of an iterable, or the bytes of a bytes-like object.
    #[method("($self, iterable_of_ints, /)")]
    fn extend(&self, iterable_of_ints: &Object, vm: &Vm) -> PyResult<()> {
        let source = iterable_of_ints;
        if has_buffer(source) {
            let data = source.get_buffer(buffer::SIMPLE, vm)?.to_contiguous(vm)?;
            return self.extend_from_slice(&data, vm);
        }
        let iterable =
            source.ob_type().tp_iter.get().is_some() || crate::protocols::container::is_sequence(source);
        if !iterable {
            return Err(vm.type_error(format!("can't extend bytearray with {}", source.ob_type().name())));
        }
        if source.downcast_ref::<Str>().is_some() {
            return Err(
                vm.type_error(format!("expected iterable of integers; got: '{}'", source.ob_type().name()))
            );
        }
        let iterator = source.iter(vm)?;
        // The hint comes from the program: it may not make us reserve what can't be had.
        let mut data = Vec::with_capacity(source.length_hint(32, vm)?.min(1 << 16));
        while let Some(item) = iterator.iter_next(vm)? {
            data.push(byte_from_index(&item, RANGE, vm)?);
        }
        self.extend_from_slice(&data, vm)
    }

    /// Make a bytearray of hexadecimal digits; whitespace between bytes is skipped.
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &Type, string: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let array = ByteArray::make(&hex::from_hex(string, vm)?, vm)?;
        if std::ptr::eq(cls, ByteArray::static_type()) {
            Ok(array)
        } else {
            cls.as_object().call(&[&array], vm)
        }
    }

    /// Insert a single byte before the index.
    #[method("($self, index, item, /)")]
    fn insert(&self, index: isize, item: &Object, vm: &Vm) -> PyResult<()> {
        let byte = byte_from_index(item, RANGE, vm)?;
        let len = self.len() as isize;
        let at = if index < 0 { index.saturating_add(len).max(0) } else { index.min(len) };
        self.splice(at as usize, 0, &[byte], vm)
    }

    /// Remove the byte at the index and return it.
    #[method("($self, index=-1, /)")]
    fn pop(&self, index: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
        if self.is_empty() {
            return Err(vm.index_error("pop from empty bytearray"));
        }
        let Some(at) = self.position(index.unwrap_or(-1)) else {
            return Err(vm.index_error("pop index out of range"));
        };
        let byte = self.as_bytes().get(at).copied().unwrap_or(0);
        self.splice(at, 1, &[], vm)?;
        Ok(vm.new_int(byte))
    }

    /// Remove the first occurrence of a byte.
    #[method("($self, value, /)")]
    fn remove(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        let byte = byte_from_index(value, RANGE, vm)?;
        match memchr::memchr(byte, self.as_bytes()) {
            Some(at) => self.splice(at, 1, &[], vm),
            None => Err(vm.value_error("value not found in bytearray")),
        }
    }

    /// Change the length to size, filling with zeros.
    #[method("($self, size, /)")]
    fn resize(&self, size: isize, vm: &Vm) -> PyResult<()> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error(format!("Can only resize to positive sizes, got {size}")));
        };
        let old = self.len();
        self.resize_to(size, vm)?;
        // SAFETY: nothing else looks at the bytes meanwhile.
        if let Some(added) = unsafe { self.as_mut_bytes() }.get_mut(old..) {
            added.fill(0);
        }
        Ok(())
    }

    /// Reverse the order of the bytes in place.
    #[method("($self, /)")]
    fn reverse(&self) {
        // SAFETY: nothing else looks at the bytes meanwhile.
        unsafe { self.as_mut_bytes() }.reverse();
    }
}

impl ByteArray {
    /// The type, its arguments and the instance's state. Before protocol 3 there is no bytes to pickle: latin-1 text
    /// stands for them.
    fn reduce(&self, proto: i32, vm: &Vm) -> PyResult<ObjRef> {
        let state = self.as_object().call_method(vm.ids().__getstate__, &[], vm)?;
        let args: Vec<ObjRef> = if self.is_empty() {
            Vec::new()
        } else if proto < 3 {
            vec![
                Str::try_from_latin1(self.as_bytes(), vm)?.into_object(),
                vm.ids().latin_1.as_object().to_ref(),
            ]
        } else {
            vec![Bytes::try_from_slice(self.as_bytes(), vm)?.into_object()]
        };
        let cls = self.as_object().ob_type().as_object().to_ref();
        Ok(vm.new_tuple([cls, vm.new_tuple(args).into_object(), state]).into_object())
    }
}

fn no_string(encoding: Option<&str>) -> &'static str {
    if encoding.is_some() { "encoding without a string argument" } else { "errors without a string argument" }
}

#[cold]
fn wrong_index(key: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("bytearray indices must be integers or slices, not {}", key.ob_type().name()))
}
