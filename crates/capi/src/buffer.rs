//! The buffer protocol and memoryviews (C API manual, "Buffer Protocol" and "MemoryView Objects").

use std::ffi::{CStr, c_char, c_int, c_void};

use taipan_vm::builtins::memoryview::{MemoryView, shape};
use taipan_vm::builtins::pickle_buffer::PickleBuffer;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;

use crate::support::*;

const WRITE: c_int = 0x200;
const FULL_RO: c_int = 0x11c;

/// # Safety
/// The view is filled and live; `indices` has as many numbers as it has dimensions.
unsafe fn item(view: &PyBuffer, indices: *const isize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let indices = unsafe { std::slice::from_raw_parts(indices, usize::try_from(view.ndim).unwrap_or(0)) };
    // SAFETY: the indices lie within the shape.
    unsafe { shape::item_at(view, indices).cast() }
}

fn contiguous(view: &PyBuffer, order: u8) -> bool {
    if !view.suboffsets.is_null() {
        return false;
    }
    match order {
        b'C' => shape::is_c_contiguous(view),
        b'F' => shape::is_f_contiguous(view),
        b'A' => shape::is_c_contiguous(view) || shape::is_f_contiguous(view),
        _ => false,
    }
}

/// Copies contiguous memory into a view.
unsafe fn copy_in(view: &PyBuffer, data: *const u8, order: u8, vm: &Vm) -> PyResult<()> {
    let mut from = data;
    let width = usize::try_from(view.itemsize).unwrap_or(1);
    shape::for_each_item(view, order == b'F', |to| {
        // SAFETY: the source has as many bytes as the view.
        unsafe {
            std::ptr::copy_nonoverlapping(from, to, width);
            from = from.add(width);
        }
        let _ = vm;
        Ok(())
    })
}

capi! {
    fn PyObject_CheckBuffer(vm, object: &Object) -> bool {
        buffer::has_buffer(object)
    }

    fn PyObject_CheckReadBuffer(vm, object: &Object) -> bool {
        let readable = object.get_buffer(0, vm).is_ok();
        vm.clear_exception();
        readable
    }

    fn PyObject_GetBuffer(vm, object: &Object, view: *mut PyBuffer, flags: c_int) -> PyResult<()> {
        if flags != 0 && (flags == 0x100 || flags == WRITE) {
            return Err(bad_internal_call(vm));
        }
        buffer::get_view(object, &mut *view, flags, vm)
    }

    fn PyBuffer_Release(vm, view: *mut PyBuffer) -> Void {
        buffer::release_view(&mut *view);
        Void
    }

    fn PyPickleBuffer_FromObject(vm, object: &Object) -> PyResult {
        PickleBuffer::from_object(PickleBuffer::type_object(), object, vm)
    }

    fn PyPickleBuffer_GetBuffer(vm, object: &Object) -> PyResult<*const PyBuffer> {
        match object.downcast_ref::<PickleBuffer>() {
            Some(buffer) => buffer.view(vm),
            None => Err(vm.type_error(format!("expected PickleBuffer, {} found", object.ob_type().name()))),
        }
    }

    fn PyPickleBuffer_Release(vm, object: &Object) -> PyResult<()> {
        match object.downcast_ref::<PickleBuffer>() {
            Some(buffer) => {
                buffer.release();
                Ok(())
            }
            None => Err(vm.type_error(format!("expected PickleBuffer, {} found", object.ob_type().name()))),
        }
    }

    fn PyBuffer_FillInfo(vm, view: *mut PyBuffer, owner: Option<&Object>, data: *mut c_void, length: isize, readonly: c_int, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(vm.buffer_error("PyBuffer_FillInfo: view==NULL argument is obsolete"));
        }
        let holder = owner.unwrap_or(vm.none_ref());
        buffer::fill_info(&mut *view, holder, data.cast(), usize::try_from(length).unwrap_or(0), readonly != 0, flags, vm)?;
        if owner.is_none() {
            (*view).obj = std::ptr::null_mut();
        }
        Ok(())
    }

    fn PyBuffer_IsContiguous(vm, view: *const PyBuffer, order: c_char) -> bool {
        contiguous(&*view, order as u8)
    }

    fn PyBuffer_GetPointer(vm, view: *const PyBuffer, indices: *const isize) -> *mut c_void {
        item(&*view, indices)
    }

    fn PyBuffer_SizeFromFormat(vm, format: &CStr) -> PyResult<isize> {
        let module = taipan_vm::import::import_module("struct", vm)?;
        let size = module.get_attr(&vm.intern("calcsize"), vm)?;
        size.call(&[vm.new_str(&lossy(format)).as_object()], vm)?.as_isize(vm)
    }

    fn PyBuffer_ToContiguous(vm, out: *mut c_void, view: *const PyBuffer, length: isize, order: c_char) -> PyResult<()> {
        let view = &*view;
        if length != view.len {
            return Err(vm.value_error("PyBuffer_ToContiguous: len != view->len"));
        }
        let data = shape::copy_out(view, order as u8, vm)?;
        std::ptr::copy_nonoverlapping(data.as_ptr(), out.cast(), data.len());
        Ok(())
    }

    fn PyBuffer_FromContiguous(vm, view: *const PyBuffer, data: *const c_void, length: isize, order: c_char) -> PyResult<()> {
        let view = &*view;
        if contiguous(view, order as u8) {
            std::ptr::copy_nonoverlapping(data.cast::<u8>(), view.buf.cast(), length.min(view.len).max(0) as usize);
            return Ok(());
        }
        copy_in(view, data.cast(), order as u8, vm)
    }

    fn PyBuffer_FillContiguousStrides(vm, dimensions: c_int, shape: *const isize, strides: *mut isize, itemsize: c_int, order: c_char) -> Void {
        let count = usize::try_from(dimensions).unwrap_or(0);
        let mut step = itemsize as isize;
        for at in 0..count {
            let dimension = if order as u8 == b'F' { at } else { count - 1 - at };
            *strides.add(dimension) = step;
            step *= *shape.add(dimension);
        }
        Void
    }

    fn PyObject_CopyData(vm, to: &Object, from: &Object) -> PyResult<()> {
        let source = from.get_buffer(FULL_RO, vm)?;
        let data = source.to_contiguous(vm)?;
        let mut target = buffer::empty_view();
        buffer::get_view(to, &mut target, 0x11d, vm)?;
        let fits = data.len() as isize <= target.len;
        let result = if fits {
            copy_in(&target, data.as_ptr(), b'C', vm)
        } else {
            Err(vm.buffer_error("destination is too small to receive data from source"))
        };
        buffer::release_view(&mut target);
        result
    }

    fn PyObject_AsReadBuffer(vm, object: &Object, data: *mut *const c_void, length: *mut isize) -> PyResult<()> {
        let buffer = object.get_buffer(0, vm)?;
        *data = buffer.as_bytes().as_ptr().cast();
        *length = signed(buffer.len());
        Ok(())
    }

    fn PyObject_AsCharBuffer(vm, object: &Object, data: *mut *const c_void, length: *mut isize) -> PyResult<()> {
        let buffer = object.get_buffer(0, vm)?;
        *data = buffer.as_bytes().as_ptr().cast();
        *length = signed(buffer.len());
        Ok(())
    }

    fn PyObject_AsWriteBuffer(vm, object: &Object, data: *mut *const c_void, length: *mut isize) -> PyResult<()> {
        let buffer = object.get_buffer(1, vm)?;
        *data = buffer.as_bytes().as_ptr().cast();
        *length = signed(buffer.len());
        Ok(())
    }

    fn PyMemoryView_FromObject(vm, object: &Object) -> PyResult<Ref<MemoryView>> {
        MemoryView::from_object(object, vm)
    }

    fn PyMemoryView_FromBuffer(vm, view: *const PyBuffer) -> PyResult<Ref<MemoryView>> {
        let view = &*view;
        if view.buf.is_null() {
            return Err(vm.value_error("PyMemoryView_FromBuffer(): info->buf must not be NULL"));
        }
        // The memory is the caller's: nothing is released when the view ends.
        let copy = PyBuffer { obj: std::ptr::null_mut(), ..std::ptr::read(view) };
        MemoryView::from_buffer(copy, vm)
    }

    fn PyMemoryView_FromMemory(vm, data: *mut c_void, length: isize, flags: c_int) -> PyResult<Ref<MemoryView>> {
        let mut view = buffer::empty_view();
        let readonly = flags != WRITE;
        let length = usize::try_from(length).unwrap_or(0);
        buffer::fill_info(&mut view, vm.none_ref(), data.cast(), length, readonly, if readonly { FULL_RO } else { 0x11d }, vm)?;
        taipan_object::object::xdecref(std::mem::replace(&mut view.obj, std::ptr::null_mut()));
        MemoryView::from_buffer(view, vm)
    }

    fn PyMemoryView_GetContiguous(vm, object: &Object, kind: c_int, order: c_char) -> PyResult<Ref<MemoryView>> {
        let view = MemoryView::from_object(object, vm)?;
        if kind == WRITE && view.info().readonly != 0 {
            return Err(vm.buffer_error("underlying buffer is not writable"));
        }
        if contiguous(view.info(), order as u8) {
            return Ok(view);
        }
        if kind == WRITE {
            return Err(vm.buffer_error("writable contiguous buffer requested for a non-contiguous object."));
        }
        let copy = vm.new_bytes(&shape::copy_out(view.info(), order as u8, vm)?);
        MemoryView::from_object(copy.as_object(), vm)
    }
}
