//! A view's items: subscripts and assignment, comparison, hashing, searching, conversion.
#![allow(
    clippy::indexing_slicing,
    reason = "dimensions run below `ndim`, to which shape and strides have as many entries"
)]

use super::{MemoryView, format, shape};
use crate::builtins::bytes::hex;
use crate::builtins::bytes::slicing::SliceRange;
use crate::prelude::*;
use crate::protocols::buffer::has_buffer;

/// The views' formats differ, or have no native form: items are read through the module `struct`.
struct StructReader {
    reader: ObjRef,
}

impl StructReader {
    /// `None` when `struct` doesn't know the format.
    fn new(format: &str, vm: &Vm) -> PyResult<Option<StructReader>> {
        let module = crate::import::import_module("struct", vm)?;
        let cls = module.get_attr(&vm.intern("Struct"), vm)?;
        let text = vm.new_str(format);
        match cls.call(&[text.as_object()], vm) {
            Ok(made) => Ok(Some(StructReader { reader: made.get_attr(&vm.intern("unpack_from"), vm)? })),
            Err(Raised) => {
                let error = module.get_attr(&vm.intern("error"), vm);
                let waiting = vm.take_exception();
                match (error, waiting) {
                    (Ok(error), Some(waiting)) => {
                        if waiting.as_object().is_instance(&error, vm)? {
                            Ok(None)
                        } else {
                            Err(vm.reraise(waiting))
                        }
                    }
                    (_, Some(waiting)) => Err(vm.reraise(waiting)),
                    (_, None) => Err(Raised),
                }
            }
        }
    }

    /// # Safety
    /// An item is readable at `ptr`.
    unsafe fn read(&self, ptr: *const u8, size: usize, vm: &Vm) -> PyResult<ObjRef> {
        // SAFETY: the caller vouches for the item.
        let bytes = Bytes::try_from_slice(unsafe { std::slice::from_raw_parts(ptr, size) }, vm)?;
        let values = self.reader.call(&[bytes.as_object()], vm)?;
        match values.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([only]) => Ok(only.clone()),
            _ => Ok(values),
        }
    }
}

/// How one side of a comparison reads its items.
enum Reader {
    Native(u8),
    Struct(StructReader),
}

impl Reader {
    fn new(format: &str, vm: &Vm) -> PyResult<Option<Reader>> {
        match format::native(format) {
            Some((code, _)) => Ok(Some(Reader::Native(code))),
            None => Ok(StructReader::new(format, vm)?.map(Reader::Struct)),
        }
    }

    /// # Safety
    /// An item is readable at `ptr`.
    unsafe fn read(&self, ptr: *const u8, size: usize, vm: &Vm) -> PyResult<ObjRef> {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Reader::Native(code) => format::unpack(ptr, *code, vm),
                Reader::Struct(reader) => reader.read(ptr, size, vm),
            }
        }
    }
}

/// All item pointers in C order.
fn item_pointers(view: &PyBuffer) -> Vec<*mut u8> {
    let mut pointers = Vec::new();
    let _ = shape::for_each_item(view, false, |ptr| {
        pointers.push(ptr);
        Ok(())
    });
    pointers
}

/// Whether two views of the same shape have equal items.
fn equal_items(a: &PyBuffer, b: &PyBuffer, vm: &Vm) -> PyResult<bool> {
    let (format_a, format_b) = (shape::format_of(a), shape::format_of(b));
    let (native_a, native_b) = (format::native(format_a), format::native(format_b));
    if let (Some((code_a, size)), Some((code_b, _))) = (native_a, native_b) {
        // Integers of one format are equal when their bytes are.
        if code_a == code_b && !matches!(code_a, b'e' | b'f' | b'd' | b'?') {
            if shape::is_c_contiguous(a) && shape::is_c_contiguous(b) {
                let len = a.len.max(0) as usize;
                if len == 0 {
                    return Ok(true);
                }
                // SAFETY: both are blocks of `len` bytes: shape and item size are the same.
                return Ok(unsafe {
                    std::slice::from_raw_parts(a.buf.cast::<u8>(), len)
                        == std::slice::from_raw_parts(b.buf.cast::<u8>(), len)
                });
            }
            // SAFETY: the pointers are at items of that size.
            return Ok(item_pointers(a).into_iter().zip(item_pointers(b)).all(|(x, y)| unsafe {
                std::slice::from_raw_parts(x, size) == std::slice::from_raw_parts(y, size)
            }));
        }
    }
    let (Some(read_a), Some(read_b)) = (Reader::new(format_a, vm)?, Reader::new(format_b, vm)?) else {
        return Ok(false);
    };
    let (size_a, size_b) = (a.itemsize.max(0) as usize, b.itemsize.max(0) as usize);
    for (x, y) in item_pointers(a).into_iter().zip(item_pointers(b)) {
        // SAFETY: the pointers are at items of those sizes; the buffers are held by the callers.
        let (x, y) = unsafe { (read_a.read(x, size_a, vm)?, read_b.read(y, size_b, vm)?) };
        if !x.rich_compare(&y, CompareOp::Eq, vm)?.is_true(vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn all_of(tuple: &Tuple, test: impl Fn(&Object) -> bool) -> bool {
    tuple.as_slice().iter().all(|item| test(item))
}

impl MemoryView {
    /// The character of the view's format, when items can be read natively.
    fn code(&self, info: &PyBuffer, vm: &Vm) -> PyResult<u8> {
        let text = shape::format_of(info);
        format::native(text).map(|(code, _)| code).ok_or_else(|| format::unsupported(text, vm))
    }

    /// The index of a dimension, counted from the end when negative.
    fn fit(info: &PyBuffer, dim: usize, index: isize, vm: &Vm) -> PyResult<isize> {
        let n = shape::shape_of(info).get(dim).copied().unwrap_or(0);
        let fitted = if index < 0 { index.saturating_add(n) } else { index };
        if fitted < 0 || fitted >= n {
            return Err(vm.index_error(format!("index out of bounds on dimension {}", dim + 1)));
        }
        Ok(fitted)
    }

    fn unpack_at(&self, indices: &[isize], vm: &Vm) -> PyResult<ObjRef> {
        let info = self.info();
        let code = self.code(info, vm)?;
        // SAFETY: the indices were fitted to the shape, and the view is not released.
        unsafe { format::unpack(shape::item_at(info, indices), code, vm) }
    }

    fn pack_at(&self, indices: &[isize], value: &Object, vm: &Vm) -> PyResult<()> {
        let code = self.code(self.info(), vm)?;
        let (bytes, size) = format::pack(value, code, shape::format_of(self.info()), vm)?;
        // Converting the value may have run code that released the view.
        self.check_again(vm)?;
        // SAFETY: the indices were fitted to the shape, and the view is not released.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), shape::item_at(self.info(), indices), size) };
        Ok(())
    }

    /// `view[index]`.
    pub(super) fn item(&self, index: isize, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        match info.ndim {
            0 => Err(vm.type_error("invalid indexing of 0-dim memory")),
            1 => {
                self.code(info, vm)?;
                let index = MemoryView::fit(info, 0, index, vm)?;
                self.unpack_at(&[index], vm)
            }
            _ => Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented")),
        }
    }

    fn multi_index(&self, tuple: &Tuple, vm: &Vm) -> PyResult<Vec<isize>> {
        let ndim = self.info().ndim.max(0) as usize;
        if tuple.len() < ndim {
            return Err(vm.not_implemented_error("sub-views are not implemented"));
        }
        if tuple.len() > ndim {
            return Err(vm.type_error(format!(
                "cannot index {ndim}-dimension view with {}-element tuple",
                tuple.len()
            )));
        }
        let mut indices = Vec::with_capacity(ndim);
        for (dim, item) in tuple.as_slice().iter().enumerate() {
            let index = crate::protocols::container::subscript_index(item, vm)?;
            self.check_again(vm)?;
            indices.push(MemoryView::fit(self.info(), dim, index, vm)?);
        }
        Ok(indices)
    }

    /// A view of a slice of the first dimension.
    fn sliced(&self, slice: &Slice, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        let len = shape::shape_of(self.info()).first().copied().unwrap_or(0).max(0) as usize;
        let range = SliceRange::new(slice, || len, vm)?;
        let managed = self.managed(vm)?;
        let made = MemoryView::add(&managed, self.info(), None, vm)?;
        // SAFETY: nobody else knows the view yet; it has at least one dimension.
        unsafe {
            let view = made.info_mut();
            let stride = *view.strides;
            let offset = if range.count == 0 { 0 } else { stride.wrapping_mul(range.start) };
            view.buf = view.buf.cast::<u8>().wrapping_offset(offset).cast();
            *view.shape = range.count as isize;
            *view.strides = stride.wrapping_mul(range.step);
            let items = shape::shape_of(view).iter().fold(1isize, |n, d| n.wrapping_mul(*d));
            view.len = items.wrapping_mul(view.itemsize);
        }
        made.set_flags();
        Ok(made)
    }

    /// `view[key]`.
    pub(super) fn subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        if info.ndim == 0 {
            if key.downcast_ref::<Tuple>().is_some_and(|t| t.len() == 0) {
                return self.unpack_at(&[], vm);
            }
            if key.is(&vm.ellipsis()) {
                return Ok(self.as_object().to_ref());
            }
            return Err(vm.type_error("invalid indexing of 0-dim memory"));
        }
        if key.has_index() {
            let index = crate::protocols::container::subscript_index(key, vm)?;
            return self.item(index, vm);
        }
        if let Some(slice) = key.downcast_ref::<Slice>() {
            return self.sliced(slice, vm).map(Ref::into_object);
        }
        if let Some(tuple) = key.downcast_ref::<Tuple>() {
            if all_of(tuple, |item| item.has_index()) {
                self.code(info, vm)?;
                let indices = self.multi_index(tuple, vm)?;
                return self.unpack_at(&indices, vm);
            }
            if all_of(tuple, |item| item.downcast_ref::<Slice>().is_some()) {
                return Err(vm.not_implemented_error("multi-dimensional slicing is not implemented"));
            }
        }
        Err(vm.type_error("memoryview: invalid slice key"))
    }

    /// `view[key] = value`.
    pub(super) fn assign(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let info = self.check(vm)?;
        self.code(info, vm)?;
        if info.readonly != 0 {
            return Err(vm.type_error("cannot modify read-only memory"));
        }
        let Some(value) = value else { return Err(vm.type_error("cannot delete memory")) };
        if info.ndim == 0 {
            if key.is(&vm.ellipsis()) || key.downcast_ref::<Tuple>().is_some_and(|t| t.len() == 0) {
                return self.pack_at(&[], value, vm);
            }
            return Err(vm.type_error("invalid indexing of 0-dim memory"));
        }
        if key.has_index() {
            if info.ndim > 1 {
                return Err(vm.not_implemented_error("sub-views are not implemented"));
            }
            let index = crate::protocols::container::subscript_index(key, vm)?;
            self.check_again(vm)?;
            let index = MemoryView::fit(self.info(), 0, index, vm)?;
            return self.pack_at(&[index], value, vm);
        }
        if let (Some(slice), 1) = (key.downcast_ref::<Slice>(), info.ndim) {
            return self.assign_slice(slice, value, vm);
        }
        if let Some(tuple) = key.downcast_ref::<Tuple>() {
            if all_of(tuple, |item| item.has_index()) {
                let indices = self.multi_index(tuple, vm)?;
                return self.pack_at(&indices, value, vm);
            }
        }
        let slices = key.downcast_ref::<Slice>().is_some()
            || key
                .downcast_ref::<Tuple>()
                .is_some_and(|t| all_of(t, |item| item.downcast_ref::<Slice>().is_some()));
        if slices {
            return Err(
                vm.not_implemented_error("memoryview slice assignments are currently restricted to ndim = 1")
            );
        }
        Err(vm.type_error("memoryview: invalid slice key"))
    }

    fn assign_slice(&self, slice: &Slice, value: &Object, vm: &Vm) -> PyResult<()> {
        let source = MemoryView::from_object_quietly(value, vm)?;
        self.check_again(vm)?;
        let target = self.sliced(slice, vm)?;
        let (to, from) = (target.info(), source.info());
        let same = native_code(to) == native_code(from)
            && to.itemsize == from.itemsize
            && to.ndim == from.ndim
            && shape::same_shape(to, from);
        if !same {
            return Err(vm.value_error("memoryview assignment: lvalue and rvalue have different structures"));
        }
        let bytes = shape::copy_out(from, b'C', vm)?;
        let size = to.itemsize.max(1) as usize;
        for (ptr, item) in item_pointers(to).into_iter().zip(bytes.chunks_exact(size)) {
            // SAFETY: the pointer is at an item of that size, in memory that may be written.
            unsafe { std::ptr::copy_nonoverlapping(item.as_ptr(), ptr, size) };
        }
        Ok(())
    }

    /// A view of the object's memory for the time of one operation.
    fn from_object_quietly(object: &Object, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        if !has_buffer(object) {
            return Err(
                vm.type_error(format!("a bytes-like object is required, not '{}'", object.ob_type().name()))
            );
        }
        MemoryView::from_object(object, vm)
    }

    pub(super) fn compare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let answer = |equal: bool| Ok(vm.new_bool(equal == (op == CompareOp::Eq)));
        if self.is_released() {
            return answer(self.as_object().is(other));
        }
        if let Some(view) = other.downcast_ref::<MemoryView>() {
            if view.is_released() {
                return answer(self.as_object().is(other));
            }
        }
        if !has_buffer(other) {
            return Ok(vm.not_implemented());
        }
        let other = match MemoryView::from_object(other, vm) {
            Ok(view) => view,
            Err(Raised) => {
                vm.clear_exception();
                return Ok(vm.not_implemented());
            }
        };
        // A view of its own keeps the memory while Python code compares items.
        let own = MemoryView::from_object(self.as_object(), vm)?;
        if !shape::same_shape(own.info(), other.info()) {
            return answer(false);
        }
        let equal = equal_items(own.info(), other.info(), vm)?;
        answer(equal)
    }

    pub(super) fn hash_items(&self, vm: &Vm) -> PyResult<isize> {
        let cached = self.hash.get();
        if cached != -1 {
            return Ok(cached);
        }
        let info = self.check(vm)?;
        if info.readonly == 0 {
            return Err(vm.value_error("cannot hash writable memoryview object"));
        }
        if !native_code(info).is_some_and(|code| matches!(code, b'b' | b'B' | b'c')) {
            return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
        }
        // SAFETY: the managed buffer keeps the object alive.
        if let Some(owner) = unsafe { info.obj.as_ref() } {
            // Exported meanwhile, so that nothing that `__hash__` does can release the view.
            self.exports.set(self.exports.get() + 1);
            let hashed = owner.hash(vm);
            self.exports.set(self.exports.get() - 1);
            hashed?;
        }
        let bytes = shape::copy_out(self.info(), b'C', vm)?;
        let hash = crate::builtins::str::hash::hash_bytes(&bytes, vm);
        self.hash.set(hash);
        Ok(hash)
    }

    fn to_list(&self, dim: usize, indices: &mut Vec<isize>, vm: &Vm) -> PyResult<ObjRef> {
        let dims = shape::shape_of(self.info());
        let Some(&n) = dims.get(dim) else { return self.unpack_at(indices, vm) };
        let mut items = Vec::new();
        for index in 0..n {
            indices.push(index);
            let item = self.to_list(dim + 1, indices, vm);
            indices.pop();
            items.push(item?);
        }
        Ok(vm.new_list(items).into_object())
    }
}

fn native_code(view: &PyBuffer) -> Option<u8> {
    format::native(shape::format_of(view)).map(|(code, _)| code)
}

#[pymethods(table = ITEM_METHODS)]
impl MemoryView {
    /// Return the data in the buffer as a byte string.
    #[method("($self, /, order='C')")]
    fn tobytes(&self, order: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        self.check(vm)?;
        let order = match order {
            Some(order) if !vm.is_none(order) => {
                let Some(text) = order.downcast_ref::<Str>() else {
                    return Err(vm.type_error(format!(
                        "tobytes() argument 'order' must be str or None, not {}",
                        order.ob_type().name()
                    )));
                };
                match text.as_ascii_str() {
                    Some("C") => b'C',
                    Some("F") => b'F',
                    Some("A") => b'A',
                    _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
                }
            }
            _ => b'C',
        };
        let bytes = shape::copy_out(self.info(), order, vm)?;
        Bytes::try_from_slice(&bytes, vm).map(Ref::into_object)
    }

    /// Return the data in the buffer as a str of hexadecimal numbers.
    #[method("($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hex(&self, sep: Option<&Object>, bytes_per_sep: Option<i32>, vm: &Vm) -> PyResult<ObjRef> {
        self.check(vm)?;
        // Exported meanwhile, so that nothing that the separator does can release the view.
        self.exports.set(self.exports.get() + 1);
        let sep = hex::separator(sep, vm);
        self.exports.set(self.exports.get() - 1);
        let sep = sep?;
        let bytes = shape::copy_out(self.info(), b'C', vm)?;
        hex::to_hex(&bytes, sep, bytes_per_sep.unwrap_or(1), vm).map(Ref::into_object)
    }

    /// Return the data in the buffer as a list of elements.
    #[method("($self, /)")]
    fn tolist(&self, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        self.code(info, vm)?;
        self.to_list(0, &mut Vec::new(), vm)
    }

    /// Count the number of occurrences of a value.
    #[method("($self, value, /)")]
    fn count(&self, value: &Object, vm: &Vm) -> PyResult<usize> {
        let iterator = self.as_object().iter(vm)?;
        let mut count = 0;
        while let Some(item) = iterator.iter_next(vm)? {
            if item.eq(value, vm)? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Return the index of the first occurrence of a value.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(
        &self,
        value: &Object,
        start: Option<&Object>,
        stop: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<isize> {
        let bound = |object: Option<&Object>, default: isize| match object {
            Some(object) if !object.has_index() => {
                Err(vm.type_error("slice indices must be integers or have an __index__ method"))
            }
            Some(object) => object.as_isize_clamped(vm),
            None => Ok(default),
        };
        let (start, stop) = (bound(start, 0)?, bound(stop, isize::MAX)?);
        let info = self.check(vm)?;
        match info.ndim {
            0 => return Err(vm.type_error("invalid lookup on 0-dim memory")),
            1 => {}
            _ => return Err(vm.not_implemented_error("multi-dimensional lookup is not implemented")),
        }
        let n = shape::shape_of(info).first().copied().unwrap_or(0);
        let fit = |bound: isize| if bound < 0 { bound.saturating_add(n).max(0) } else { bound.min(n) };
        for index in fit(start)..fit(stop) {
            let item = self.item(index, vm)?;
            if item.eq(value, vm)? {
                return Ok(index);
            }
        }
        Err(vm.value_error("memoryview.index(x): x not found"))
    }
}
