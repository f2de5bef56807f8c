//! `CrossInterpreterBufferView`: memory of an object that lives in another interpreter.

use std::ffi::CString;

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;

use super::shared::give_back;

/// Memory lent to another interpreter. The lender keeps it alive until this ends.
pub(crate) struct Lent {
    owner: i64,
    /// The lender's memory view, a reference of its own.
    view: usize,
    data: usize,
    len: isize,
    itemsize: isize,
    is_readonly: bool,
    format: Option<CString>,
    shape: Vec<isize>,
    strides: Vec<isize>,
}

impl Lent {
    /// Lends the memory of a memory view. Raises `BufferError` for one that is not of plain arrays.
    pub(super) fn lend(view: &MemoryView, vm: &Vm) -> PyResult<Lent> {
        let lent = view.as_object().get_buffer(buffer::FULL_RO, vm)?;
        let Some(shown) = lent.view() else { return Err(vm.buffer_error("memory view without a buffer")) };
        if !shown.suboffsets.is_null() {
            return Err(vm.buffer_error("memory with suboffsets can't be shared"));
        }
        let count = usize::try_from(shown.ndim).unwrap_or_default();
        let numbers = |place: *mut isize| {
            // SAFETY: a full view's arrays have `ndim` entries.
            (0..count).map(|at| unsafe { place.add(at).read() }).collect::<Vec<_>>()
        };
        // SAFETY: the format of a full view is NUL-terminated.
        let format =
            (!shown.format.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(shown.format) }.to_owned());
        Ok(Lent {
            owner: vm.interp().id,
            data: shown.buf as usize,
            len: shown.len,
            itemsize: shown.itemsize,
            is_readonly: shown.readonly != 0,
            format,
            shape: numbers(shown.shape),
            strides: numbers(shown.strides),
            view: view.as_object().to_ref().into_raw() as usize,
        })
    }

    /// Whether the items lie one after the other.
    fn is_contiguous(&self) -> bool {
        let mut expected = self.itemsize;
        self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
            let fits = *size <= 1 || *stride == expected;
            expected = expected.saturating_mul(*size);
            fits
        })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give_back(self.owner, self.view);
    }
}

/// `CrossInterpreterBufferView`
#[repr(C)]
pub struct BufferView {
    ob: Object,
    lent: Lent,
}

impl BufferView {
    pub(super) fn create(lent: Lent, vm: &Vm) -> Ref<BufferView> {
        vm.new_object(BufferView { ob: Object::new(Self::type_object()), lent })
    }
}

#[pytype(name = "_interpreters.CrossInterpreterBufferView", doc = "")]
impl BufferView {
    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let lent = &self.lent;
        let wants = |wanted: i32| flags & wanted == wanted;
        if wants(buffer::WRITABLE) && lent.is_readonly {
            return Err(vm.buffer_error("Object is not writable."));
        }
        if !wants(buffer::STRIDES) && !lent.is_contiguous() {
            return Err(vm.buffer_error("memory is not contiguous"));
        }
        view.obj = self.as_object().to_ref().into_raw();
        view.buf = lent.data as *mut _;
        view.len = lent.len;
        view.itemsize = lent.itemsize;
        view.readonly = i32::from(lent.is_readonly);
        view.ndim = lent.shape.len() as i32;
        view.format = match &lent.format {
            Some(format) if wants(buffer::FORMAT) => format.as_ptr().cast_mut(),
            _ => std::ptr::null_mut(),
        };
        let array = |numbers: &Vec<isize>, wanted: bool| {
            if wanted { numbers.as_ptr().cast_mut() } else { std::ptr::null_mut() }
        };
        view.shape = array(&lent.shape, wants(buffer::ND));
        view.strides = array(&lent.strides, wants(buffer::STRIDES));
        view.suboffsets = std::ptr::null_mut();
        view.internal = std::ptr::null_mut();
        Ok(())
    }
}
