//! The buffer protocol (PEP 3118): lending out an object's memory.

use std::ffi::{c_char, c_void};

use crate::prelude::*;

pub use crate::builtins::memoryview::wrapper::{
    memoryview_of, python_getbuffer, python_releasebuffer, release_memoryview,
};

/// A plain block of bytes.
pub const SIMPLE: i32 = 0;
/// The memory will be written to.
pub const WRITABLE: i32 = 1;
/// `format` is asked for.
pub const FORMAT: i32 = 4;
/// `shape` is asked for.
pub const ND: i32 = 8;
/// `shape` and `strides` are asked for.
pub const STRIDES: i32 = 0x18;
/// C-contiguous memory.
pub const C_CONTIGUOUS: i32 = 0x38;
/// Fortran-contiguous memory.
pub const F_CONTIGUOUS: i32 = 0x58;
/// Memory contiguous in either order.
pub const ANY_CONTIGUOUS: i32 = 0x98;
/// `suboffsets` may be set.
pub const INDIRECT: i32 = 0x118;
/// Writable, contiguous.
pub const CONTIG: i32 = ND | WRITABLE;
/// Contiguous.
pub const CONTIG_RO: i32 = ND;
/// Everything, writable.
pub const FULL: i32 = INDIRECT | WRITABLE | FORMAT;
/// Everything, read-only is enough.
pub const FULL_RO: i32 = INDIRECT | FORMAT;
/// As `memoryview` reads.
pub const READ: i32 = 0x100;
/// As `memoryview` writes.
pub const WRITE: i32 = 0x200;
/// The most dimensions.
pub const MAX_NDIM: usize = 64;

/// An empty `Py_buffer`.
pub const fn empty_view() -> PyBuffer {
    PyBuffer {
        buf: std::ptr::null_mut(),
        obj: std::ptr::null_mut(),
        len: 0,
        itemsize: 0,
        readonly: 0,
        ndim: 0,
        format: std::ptr::null_mut(),
        shape: std::ptr::null_mut(),
        strides: std::ptr::null_mut(),
        suboffsets: std::ptr::null_mut(),
        internal: std::ptr::null_mut(),
    }
}

/// Memory that an object lends out; given back on drop.
pub struct Buffer(Inner);

enum Inner {
    /// Bytes never move nor change, so a reference is all it takes.
    Bytes(Ref<Bytes>),
    /// Boxed, since exporters may let `shape` point into the view itself.
    View(Box<PyBuffer>),
}

impl Buffer {
    /// Asks the object for its memory. Raises `TypeError` when it has none to lend, `BufferError` when not in this way.
    pub fn get(object: &Object, flags: i32, vm: &Vm) -> PyResult<Buffer> {
        if flags == SIMPLE {
            if let Some(bytes) = object.downcast_exact::<Bytes>() {
                return Ok(Buffer(Inner::Bytes(bytes.into())));
            }
        }
        let mut view = Box::new(empty_view());
        get_view(object, &mut view, flags, vm)?;
        Ok(Buffer(Inner::View(view)))
    }

    /// The number of bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Inner::Bytes(bytes) => bytes.as_bytes().len(),
            Inner::View(view) => view.len.max(0) as usize,
        }
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. For buffers that were asked for as contiguous ones (which `SIMPLE` implies).
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Inner::Bytes(bytes) => bytes.as_bytes(),
            // SAFETY: the exporter vouches for `len` bytes at `buf` as long as the view is held.
            Inner::View(view) if view.len > 0 && !view.buf.is_null() => unsafe {
                std::slice::from_raw_parts(view.buf.cast(), view.len as usize)
            },
            Inner::View(_) => &[],
        }
    }

    /// The bytes for writing; `None` when the memory is read-only. No code that may reach the object runs while the
    /// slice lives.
    #[inline]
    pub fn as_bytes_mut(&mut self) -> Option<&mut [u8]> {
        match &mut self.0 {
            Inner::View(view) if view.readonly == 0 => {
                if view.len <= 0 || view.buf.is_null() {
                    return Some(&mut []);
                }
                // SAFETY: as for `as_bytes`; the exporter allows writing.
                Some(unsafe { std::slice::from_raw_parts_mut(view.buf.cast(), view.len as usize) })
            }
            _ => None,
        }
    }

    /// Whether the memory may not be written to.
    pub fn is_readonly(&self) -> bool {
        match &self.0 {
            Inner::Bytes(_) => true,
            Inner::View(view) => view.readonly != 0,
        }
    }

    /// The view as the exporter filled it; `None` for plain bytes.
    pub fn view(&self) -> Option<&PyBuffer> {
        match &self.0 {
            Inner::Bytes(_) => None,
            Inner::View(view) => Some(view),
        }
    }

    /// The size of an item in bytes.
    pub fn itemsize(&self) -> usize {
        self.view().map_or(1, |view| view.itemsize.max(1) as usize)
    }

    /// The object that owns the memory.
    pub fn owner(&self) -> Option<&Object> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes.as_object()),
            // SAFETY: the view owns a reference.
            Inner::View(view) => unsafe { view.obj.as_ref() },
        }
    }

    /// The items' bytes in C order, copied when they aren't contiguous.
    pub fn to_contiguous(&self, vm: &Vm) -> PyResult<Vec<u8>> {
        match self.view() {
            Some(view) if !crate::builtins::memoryview::shape::is_c_contiguous(view) => {
                crate::builtins::memoryview::shape::copy_out(view, b'C', vm)
            }
            _ => Ok(self.as_bytes().to_vec()),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Inner::View(view) = &mut self.0 {
            release_view(view);
        }
    }
}

/// Whether the object lends its memory.
#[inline]
pub fn has_buffer(object: &Object) -> bool {
    object.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some())
}

/// `PyObject_GetBuffer`.
pub fn get_view(object: &Object, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
    let Some(get) = object.ob_type().as_buffer().and_then(|b| b.bf_getbuffer.get()) else {
        return Err(vm.type_error(format!(
            "a bytes-like object is required, not '{}'",
            object.ob_type().tp_name_str()
        )));
    };
    // SAFETY: a slot is called with a live object and a view to fill.
    vm.status(unsafe { get(object.as_ptr(), view, flags) })
}

/// `PyBuffer_Release`: gives the memory back. Harmless when that was done already.
pub fn release_view(view: &mut PyBuffer) {
    let owner = std::mem::replace(&mut view.obj, std::ptr::null_mut());
    // SAFETY: the view owned a reference to its object, which ends here.
    let Some(owner) = (unsafe { Ref::from_raw_opt(owner) }) else { return };
    if let Some(release) = owner.ob_type().as_buffer().and_then(|b| b.bf_releasebuffer.get()) {
        // Exporters expect to find themselves in the view.
        view.obj = owner.as_raw();
        // SAFETY: a slot is called with a live object and the view that it filled.
        unsafe { release(owner.as_raw(), view) };
        view.obj = std::ptr::null_mut();
    }
}

/// `PyBuffer_FillInfo`: describes a block of bytes of `owner`.
pub fn fill_info(
    view: &mut PyBuffer,
    owner: &Object,
    data: *mut u8,
    len: usize,
    readonly: bool,
    flags: i32,
    vm: &Vm,
) -> PyResult<()> {
    if flags & WRITABLE != 0 && readonly {
        return Err(vm.buffer_error("Object is not writable."));
    }
    view.obj = owner.to_ref().into_raw();
    view.buf = data.cast::<c_void>();
    view.len = len as isize;
    view.readonly = i32::from(readonly);
    view.itemsize = 1;
    view.format = if flags & FORMAT != 0 { c"B".as_ptr().cast_mut() } else { std::ptr::null_mut::<c_char>() };
    view.ndim = 1;
    view.shape = if flags & ND != 0 { &raw mut view.len } else { std::ptr::null_mut() };
    view.strides = if flags & STRIDES == STRIDES { &raw mut view.itemsize } else { std::ptr::null_mut() };
    view.suboffsets = std::ptr::null_mut();
    view.internal = std::ptr::null_mut();
    Ok(())
}
