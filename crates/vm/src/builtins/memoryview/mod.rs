//! `memoryview` (library reference, "Memory Views"; PEP 3118).
//!
//! - `mod.rs`: layout, making and giving up views, the buffer protocol, attributes
//! - `items.rs`: subscripts, comparison, hashing, searching; `cast.rs`: `cast`
//! - `shape.rs`: walking over memory of any shape; `format.rs`: items as Python values; `iterator.rs`
//!
//! All views of one buffer share a [`ManagedBuffer`], which gives the buffer back when the last of them is released.
#![allow(
    clippy::indexing_slicing,
    reason = "dimensions run below `ndim`, to which the arrays have as many entries"
)]

mod cast;
pub mod format;
mod items;
pub mod iterator;
pub mod shape;
pub mod wrapper;

use std::cell::{Cell, UnsafeCell};
use std::mem::size_of;

use crate::prelude::*;
use crate::protocols::buffer::{self, MAX_NDIM, has_buffer};
use taipan_object::gc;
use taipan_object::typeobject::GetBufferProc;

const RELEASED: i32 = 1;
const C_ORDER: i32 = 2;
const FORTRAN: i32 = 4;
const SCALAR: i32 = 8;
const INDIRECT: i32 = 16;
const RESTRICTED: i32 = 32;

const FORBIDDEN: &str = "operation forbidden on released memoryview object";

/// `_PyManagedBufferObject`: a buffer that views share.
#[repr(C)]
pub struct ManagedBuffer {
    ob: Object,
    flags: Cell<i32>,
    exports: Cell<isize>,
    master: UnsafeCell<PyBuffer>,
}

const _: () = assert!(size_of::<ManagedBuffer>() == 112);

impl Traverse for ManagedBuffer {
    fn traverse(&self, visit: &mut Visit) {
        // SAFETY: the view owns a reference to its object, or has none.
        unsafe { visit.raw((*self.master.get()).obj) };
    }
}

impl ManagedBuffer {
    fn empty(vm: &Vm) -> Ref<ManagedBuffer> {
        vm.new_object(ManagedBuffer {
            ob: Object::new(ManagedBuffer::type_object()),
            flags: Cell::new(RELEASED),
            exports: Cell::new(0),
            master: UnsafeCell::new(buffer::empty_view()),
        })
    }

    fn new(object: &Object, flags: i32, vm: &Vm) -> PyResult<Ref<ManagedBuffer>> {
        let managed = ManagedBuffer::empty(vm);
        // SAFETY: nobody else knows the object yet; the view stays where it is, as exporters may point into it.
        buffer::get_view(object, unsafe { &mut *managed.master.get() }, flags, vm)?;
        managed.flags.set(0);
        Ok(managed)
    }

    /// A buffer got by calling a given slot.
    fn by_slot(object: &Object, get: GetBufferProc, flags: i32, vm: &Vm) -> PyResult<Ref<ManagedBuffer>> {
        let managed = ManagedBuffer::empty(vm);
        // SAFETY: the slot belongs to a type that the object is an instance of; the view stays where it is.
        vm.status(unsafe { get(object.as_ptr(), managed.master.get(), flags) })?;
        managed.flags.set(0);
        Ok(managed)
    }

    fn release(&self) {
        if self.flags.get() & RELEASED != 0 {
            return;
        }
        self.flags.set(self.flags.get() | RELEASED);
        // SAFETY: no view uses the buffer any more.
        buffer::release_view(unsafe { &mut *self.master.get() });
    }
}

#[pytype(name = "managedbuffer", symbol = "_PyManagedBuffer_Type", base = Object, gc, no_new)]
impl ManagedBuffer {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called by the runtime when the last reference goes.
        unsafe {
            gc::untrack(op);
            (*op.cast::<ManagedBuffer>()).release();
            gc::release((*op).ob_type(), op, size_of::<ManagedBuffer>());
        }
    }
}

/// `PyMemoryViewObject`; behind it shape, strides and suboffsets, `ndim` entries each.
#[repr(C)]
pub struct MemoryView {
    /// The header; the size is three times the number of dimensions.
    pub ob: VarObject,
    mbuf: Slot<ManagedBuffer>,
    hash: Cell<isize>,
    flags: Cell<i32>,
    exports: Cell<isize>,
    view: UnsafeCell<PyBuffer>,
    weakrefs: WeakList,
}

const _: () = assert!(size_of::<MemoryView>() == 144);

impl Traverse for MemoryView {
    fn traverse(&self, visit: &mut Visit) {
        self.mbuf.traverse(visit);
    }
    fn clear(&self) {
        if self.exports.get() == 0 {
            self.give_up();
            self.mbuf.clear();
        }
    }
}

impl MemoryView {
    /// `memoryview(object)`.
    pub fn from_object(object: &Object, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        MemoryView::with_flags(object, buffer::FULL_RO, vm)
    }

    /// A view of the object's buffer, asked for with `flags`.
    pub fn with_flags(object: &Object, flags: i32, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        if let Some(view) = object.downcast_ref::<MemoryView>() {
            if view.flags.get() & RESTRICTED != 0 {
                return Err(vm.value_error("cannot create new view on restricted memoryview"));
            }
            let managed = view.managed(vm)?;
            // SAFETY: the description is copied, nothing runs meanwhile.
            return MemoryView::add(&managed, unsafe { &*view.view.get() }, None, vm);
        }
        if !has_buffer(object) {
            return Err(vm.type_error(format!(
                "memoryview: a bytes-like object is required, not '{}'",
                object.ob_type().name()
            )));
        }
        let managed = ManagedBuffer::new(object, flags, vm)?;
        // SAFETY: as above.
        MemoryView::add(&managed, unsafe { &*managed.master.get() }, None, vm)
    }

    /// A view of the buffer that a given slot lends.
    fn by_slot(object: &Object, get: GetBufferProc, flags: i32, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        let managed = ManagedBuffer::by_slot(object, get, flags, vm)?;
        // SAFETY: as above.
        MemoryView::add(&managed, unsafe { &*managed.master.get() }, None, vm)
    }

    /// A view of memory that a `Py_buffer` describes, without an owner (`PyMemoryView_FromBuffer`).
    pub fn from_buffer(info: PyBuffer, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        let managed = vm.new_object(ManagedBuffer {
            ob: Object::new(ManagedBuffer::type_object()),
            flags: Cell::new(0),
            exports: Cell::new(0),
            master: UnsafeCell::new(PyBuffer { obj: std::ptr::null_mut(), ..info }),
        });
        // SAFETY: as in `from_object`.
        MemoryView::add(&managed, unsafe { &*managed.master.get() }, None, vm)
    }

    /// A new view described by `source`, with room for `ndim` dimensions when that differs.
    fn add(
        managed: &Ref<ManagedBuffer>,
        source: &PyBuffer,
        ndim: Option<usize>,
        vm: &Vm,
    ) -> PyResult<Ref<MemoryView>> {
        let own = source.ndim.max(0) as usize;
        if own > MAX_NDIM {
            return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
        }
        let room = ndim.unwrap_or(own);
        let shape = shape::shape_of(source);
        let strides: Vec<isize> = (0..own).map(|dim| shape::stride_of(source, dim)).collect();
        let tp = MemoryView::type_object();
        if !tp.has_flag(TypeFlags::READY) {
            crate::builtins::type_::type_ready(tp, vm)?;
        }
        // SAFETY: the block has room for the head and the three arrays, which are all written before it is shared.
        unsafe {
            let op = gc::allocate(tp, size_of::<MemoryView>() + 24 * room).cast::<MemoryView>();
            if op.is_null() {
                return Err(vm.memory_error());
            }
            let arrays = op.cast::<u8>().add(size_of::<MemoryView>()).cast::<isize>();
            std::ptr::write_bytes(arrays, 0, 3 * room);
            let mut view = PyBuffer { ..copy_view(source) };
            if view.format.is_null() {
                view.format = c"B".as_ptr().cast_mut();
            }
            view.shape = std::ptr::null_mut();
            view.strides = std::ptr::null_mut();
            view.suboffsets = std::ptr::null_mut();
            if room > 0 {
                view.shape = arrays;
                view.strides = arrays.add(room);
                for dim in 0..own.min(room) {
                    *view.shape.add(dim) = shape[dim];
                    *view.strides.add(dim) = strides[dim];
                }
                if !source.suboffsets.is_null() {
                    view.suboffsets = arrays.add(2 * room);
                    for dim in 0..own.min(room) {
                        *view.suboffsets.add(dim) = *source.suboffsets.add(dim);
                    }
                }
            }
            op.write(MemoryView {
                ob: VarObject { ob: Object::new(tp), ob_size: Cell::new(3 * room as isize) },
                mbuf: Slot::of(managed.clone()),
                hash: Cell::new(-1),
                flags: Cell::new(0),
                exports: Cell::new(0),
                view: UnsafeCell::new(view),
                weakrefs: WeakList::default(),
            });
            managed.exports.set(managed.exports.get() + 1);
            let made = Ref::from_raw(op);
            made.set_flags();
            gc::track(made.as_object().as_ptr());
            Ok(made)
        }
    }

    /// Recomputes what the shape says about contiguity.
    fn set_flags(&self) {
        let view = self.info();
        let mut flags = self.flags.get() & (RELEASED | RESTRICTED);
        if view.ndim == 0 {
            flags |= SCALAR | C_ORDER | FORTRAN;
        } else {
            if shape::is_c_contiguous(view) {
                flags |= C_ORDER;
            }
            if shape::is_f_contiguous(view) {
                flags |= FORTRAN;
            }
        }
        if !view.suboffsets.is_null() {
            flags |= INDIRECT;
            flags &= !(C_ORDER | FORTRAN);
        }
        self.flags.set(flags);
    }

    /// The description. It doesn't change while the view is in use, except in the functions that make it.
    #[inline]
    pub fn info(&self) -> &PyBuffer {
        // SAFETY: written only before the view is shared.
        unsafe { &*self.view.get() }
    }

    /// The description, to be changed by who has just made the view.
    ///
    /// # Safety
    /// Nobody else knows the view yet, and no other borrow of the description is alive.
    #[allow(clippy::mut_from_ref)]
    unsafe fn info_mut(&self) -> &mut PyBuffer {
        // SAFETY: the caller vouches for exclusiveness.
        unsafe { &mut *self.view.get() }
    }

    /// Whether the view was released.
    pub fn is_released(&self) -> bool {
        // SAFETY: the borrow ends with the test.
        let managed = unsafe { self.mbuf.borrow() };
        self.flags.get() & RELEASED != 0 || managed.is_none_or(|m| m.flags.get() & RELEASED != 0)
    }

    fn managed(&self, vm: &Vm) -> PyResult<Ref<ManagedBuffer>> {
        match self.mbuf.get() {
            Some(managed) if !self.is_released() => Ok(managed),
            _ => Err(vm.value_error(FORBIDDEN)),
        }
    }

    /// Raises when the view was released.
    #[inline]
    fn check(&self, vm: &Vm) -> PyResult<&PyBuffer> {
        if self.is_released() { Err(vm.value_error(FORBIDDEN)) } else { Ok(self.info()) }
    }

    /// Raises when the view was released while Python code ran.
    fn check_again(&self, vm: &Vm) -> PyResult<()> {
        self.check(vm).map(|_| ())
    }

    /// Marks the view as released and gives its share of the buffer up.
    fn give_up(&self) {
        if self.flags.get() & RELEASED != 0 {
            return;
        }
        self.flags.set(self.flags.get() | RELEASED);
        if let Some(managed) = self.mbuf.get() {
            managed.exports.set(managed.exports.get() - 1);
            if managed.exports.get() == 0 {
                managed.release();
            }
        }
    }

    /// `release()`.
    pub fn release_view(&self, vm: &Vm) -> PyResult<()> {
        if self.flags.get() & RELEASED != 0 {
            return Ok(());
        }
        match self.exports.get() {
            0 => {
                self.give_up();
                Ok(())
            }
            n => Err(vm.buffer_error(format!(
                "memoryview has {n} exported buffer{}",
                if n == 1 { "" } else { "s" }
            ))),
        }
    }

    /// Makes a new view, which nobody else has seen, one of plain bytes. False when the memory isn't contiguous.
    pub fn flatten(&self) -> bool {
        let contiguous = self.flags.get() & (C_ORDER | FORTRAN) != 0;
        if contiguous {
            // SAFETY: nothing else refers to the description; the object does not move.
            let view = unsafe { self.info_mut() };
            view.format = c"B".as_ptr().cast_mut();
            view.ndim = 1;
            view.itemsize = 1;
            view.shape = &raw mut view.len;
            view.strides = &raw mut view.itemsize;
            view.suboffsets = std::ptr::null_mut();
            self.flags.set(self.flags.get() & !(SCALAR | INDIRECT) | C_ORDER | FORTRAN);
        }
        contiguous
    }

    /// Forbids further views of this one: what `__buffer__` hands out ends with its release (PEP 688).
    pub fn restrict(&self) {
        self.flags.set(self.flags.get() | RESTRICTED);
    }
}

fn copy_view(source: &PyBuffer) -> PyBuffer {
    // The object is borrowed from the managed buffer, which owns the reference.
    PyBuffer {
        buf: source.buf,
        obj: source.obj,
        len: source.len,
        itemsize: source.itemsize,
        readonly: source.readonly,
        ndim: source.ndim,
        format: source.format,
        shape: source.shape,
        strides: source.strides,
        suboffsets: source.suboffsets,
        internal: source.internal,
    }
}

fn tuple_of(values: impl Iterator<Item = isize>, vm: &Vm) -> ObjRef {
    vm.new_tuple(values.map(|n| vm.new_int(n)).collect::<Vec<_>>()).into_object()
}

/// Create a new memoryview object which references the given object.
#[pytype(
    name = "memoryview",
    symbol = "PyMemoryView_Type",
    base = Object,
    flags(SEQUENCE),
    basicsize = 144,
    itemsize = 8,
    gc,
    weakrefs = weakrefs,
    methods(ITEM_METHODS, CAST_METHODS)
)]
impl MemoryView {
    #[new("(object)")]
    fn new(_cls: &Type, object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        MemoryView::from_object(object, vm).map(Ref::into_object)
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called by the runtime when the last reference goes.
        unsafe {
            gc::untrack(op);
            let view = &*op.cast::<MemoryView>();
            view.give_up();
            crate::builtins::weakref::clear_weakrefs(op);
            view.mbuf.set(None);
            let items = view.ob.ob_size.get() as usize;
            gc::release((*op).ob_type(), op, size_of::<MemoryView>() + 8 * items);
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let what = if self.flags.get() & RELEASED != 0 { "released memory" } else { "memory" };
        Ok(vm.new_str(&format!("<{what} at {:p}>", self.as_object())).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        self.hash_items(vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        iterator::MemoryIterator::new(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        self.compare(other, op, vm)
    }

    #[slot]
    fn sq_length(&self, vm: &Vm) -> PyResult<usize> {
        let info = self.check(vm)?;
        if info.ndim == 0 {
            return Err(vm.type_error("0-dim memory has no length"));
        }
        Ok(shape::shape_of(info).first().copied().unwrap_or(0).max(0) as usize)
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        self.sq_length(vm)
    }

    #[slot]
    fn sq_item(&self, index: isize, vm: &Vm) -> PyResult<ObjRef> {
        self.item(index, vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        self.subscript(key, vm)
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.assign(key, value, vm)
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let base = self.check(vm)?;
        let own = self.flags.get();
        if own & RESTRICTED != 0 {
            return Err(vm.value_error("cannot create new view on restricted memoryview"));
        }
        let refuse = |what: &str| Err(vm.buffer_error(format!("memoryview: underlying buffer {what}")));
        let wants = |wanted: i32| flags & wanted == wanted;
        if wants(buffer::WRITABLE) && base.readonly != 0 {
            return refuse("is not writable");
        }
        let c_order = own & C_ORDER != 0;
        if wants(buffer::C_CONTIGUOUS) && !c_order {
            return refuse("is not C-contiguous");
        }
        if wants(buffer::F_CONTIGUOUS) && own & FORTRAN == 0 {
            return refuse("is not Fortran contiguous");
        }
        if wants(buffer::ANY_CONTIGUOUS) && own & (C_ORDER | FORTRAN) == 0 {
            return refuse("is not contiguous");
        }
        if !wants(buffer::INDIRECT) && own & INDIRECT != 0 {
            return refuse("requires suboffsets");
        }
        if !wants(buffer::STRIDES) && !c_order {
            return refuse("is not C-contiguous");
        }
        if !wants(buffer::ND) && wants(buffer::FORMAT) {
            return Err(
                vm.buffer_error("memoryview: cannot cast to unsigned bytes if the format flag is present")
            );
        }
        *view = copy_view(base);
        if !wants(buffer::FORMAT) {
            view.format = std::ptr::null_mut();
        }
        if !wants(buffer::STRIDES) {
            view.strides = std::ptr::null_mut();
        }
        if !wants(buffer::ND) {
            view.ndim = 1;
            view.shape = std::ptr::null_mut();
        }
        view.obj = self.as_object().to_ref().into_raw();
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }

    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {
        self.exports.set(self.exports.get() - 1);
    }

    /// Release the underlying buffer exposed by the memoryview object.
    #[method("($self, /)")]
    fn release(&self, vm: &Vm) -> PyResult<()> {
        self.release_view(vm)
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.check(vm)?;
        Ok(self.as_object().to_ref())
    }

    #[method("($self, /, *exc_info)")]
    fn __exit__(&self, exc_info: &[&Object], vm: &Vm) -> PyResult<()> {
        let _ = exc_info;
        self.release_view(vm)
    }

    /// Return a readonly version of the memoryview.
    #[method("($self, /)")]
    fn toreadonly(&self, vm: &Vm) -> PyResult<ObjRef> {
        let managed = self.managed(vm)?;
        let made = MemoryView::add(&managed, self.info(), None, vm)?;
        // SAFETY: nobody else knows the view yet.
        unsafe { made.info_mut() }.readonly = 1;
        Ok(made.into_object())
    }

    #[classmethod("($type, /, object, flags)")]
    fn _from_flags(_cls: &Type, object: &Object, flags: i32, vm: &Vm) -> PyResult<ObjRef> {
        MemoryView::with_flags(object, flags, vm).map(Ref::into_object)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }

    /// The underlying object of the memoryview.
    #[getter]
    fn obj(&self, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        // SAFETY: the managed buffer keeps the object alive.
        Ok(unsafe { info.obj.as_ref() }.map_or_else(|| vm.none(), Object::to_ref))
    }

    /// The amount of space in bytes that the array would use in a contiguous representation.
    #[getter]
    fn nbytes(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.check(vm)?.len)
    }

    /// A bool indicating whether the memory is read only.
    #[getter]
    fn readonly(&self, vm: &Vm) -> PyResult<bool> {
        Ok(self.check(vm)?.readonly != 0)
    }

    /// The size in bytes of each element of the memoryview.
    #[getter]
    fn itemsize(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.check(vm)?.itemsize)
    }

    /// A string containing the format (in struct module style) for each element in the view.
    #[getter]
    fn format(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.new_str(shape::format_of(self.check(vm)?)).into_object())
    }

    /// An integer indicating how many dimensions of a multi-dimensional array the memory represents.
    #[getter]
    fn ndim(&self, vm: &Vm) -> PyResult<i32> {
        Ok(self.check(vm)?.ndim)
    }

    /// A tuple of ndim integers giving the shape of the memory as an N-dimensional array.
    #[getter]
    fn shape(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(tuple_of(shape::shape_of(self.check(vm)?).into_iter(), vm))
    }

    /// A tuple of ndim integers giving the size in bytes to access each element for each dimension.
    #[getter]
    fn strides(&self, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        Ok(tuple_of((0..info.ndim.max(0) as usize).map(|dim| shape::stride_of(info, dim)), vm))
    }

    /// A tuple of integers used internally for PIL-style arrays.
    #[getter]
    fn suboffsets(&self, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        let count = if info.suboffsets.is_null() { 0 } else { info.ndim.max(0) as usize };
        // SAFETY: `suboffsets` has `ndim` entries.
        Ok(tuple_of((0..count).map(|dim| unsafe { *info.suboffsets.add(dim) }), vm))
    }

    /// A bool indicating whether the memory is C contiguous.
    #[getter]
    fn c_contiguous(&self, vm: &Vm) -> PyResult<bool> {
        self.check(vm)?;
        Ok(self.flags.get() & C_ORDER != 0)
    }

    /// A bool indicating whether the memory is Fortran contiguous.
    #[getter]
    fn f_contiguous(&self, vm: &Vm) -> PyResult<bool> {
        self.check(vm)?;
        Ok(self.flags.get() & FORTRAN != 0)
    }

    /// A bool indicating whether the memory is contiguous.
    #[getter]
    fn contiguous(&self, vm: &Vm) -> PyResult<bool> {
        self.check(vm)?;
        Ok(self.flags.get() & (C_ORDER | FORTRAN) != 0)
    }
}
