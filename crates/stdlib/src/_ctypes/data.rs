//! `_CData`: an object that stands for a piece of C memory. It owns the memory, or lies within another object's, or
//! describes a place that the program named.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_char;

use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::formats::{self, Format};
use super::stginfo::{HAS_POINTER, IS_POINTER, Passing, StgInfo, concrete, info_of, info_of_class};
use super::{array, names, pointer};

/// Bytes that need no block of their own.
const INLINE: usize = 16;

/// A block that `resize` gave up, kept since objects within it may be alive.
struct Retired {
    block: *mut u8,
    next: *mut Retired,
}

/// The layout. All zeros is a valid object without memory: that is how `tp_alloc` makes it.
#[repr(C)]
pub struct CData {
    pub ob: Object,
    ptr: Cell<*mut u8>,
    needs_free: Cell<i32>,
    base: Slot<CData>,
    size: Cell<usize>,
    length: Cell<usize>,
    /// Its place in `base`, which makes the keys of kept objects.
    index: Cell<isize>,
    objects: Slot<Object>,
    value: UnsafeCell<[u64; INLINE / 8]>,
    retired: Cell<*mut Retired>,
}

impl Traverse for CData {
    fn traverse(&self, visit: &mut Visit) {
        self.base.traverse(visit);
        self.objects.traverse(visit);
    }

    /// The memory stays valid, so `base` stays, too.
    fn clear(&self) {
        self.objects.clear();
    }
}

impl Drop for CData {
    fn drop(&mut self) {
        if self.needs_free.get() != 0 && self.is_block() {
            // SAFETY: the block came from `calloc` and is this object's alone.
            unsafe { libc::free(self.ptr.get().cast()) };
        }
        let mut retired = self.retired.get();
        while !retired.is_null() {
            // SAFETY: the list owns its members and their blocks.
            let member = unsafe { Box::from_raw(retired) };
            // SAFETY: as above.
            unsafe { libc::free(member.block.cast()) };
            retired = member.next;
        }
    }
}

/// Whether an object is a piece of C memory.
pub fn as_cdata(object: &Object) -> Option<&CData> {
    object.downcast_ref::<CData>()
}

impl CData {
    /// The address of the memory.
    pub fn ptr(&self) -> *mut u8 {
        self.ptr.get()
    }

    /// Bytes of the memory.
    pub fn size(&self) -> usize {
        self.size.get()
    }

    /// The number of items.
    pub fn length(&self) -> usize {
        self.length.get()
    }

    /// The address that the memory holds.
    pub fn pointer(&self) -> *mut u8 {
        if self.size.get() < size_of::<usize>() {
            return std::ptr::null_mut();
        }
        // SAFETY: the memory has the bytes of an address.
        unsafe { formats::read(self.ptr.get()) }
    }

    /// Stores an address in the memory.
    pub fn set_pointer(&self, address: *const u8) {
        if self.size.get() >= size_of::<usize>() {
            // SAFETY: the memory has room for an address.
            unsafe { formats::write(self.ptr.get(), address) };
        }
    }

    /// The memory as bytes. The program may change it at any time, so the slice is used at once.
    pub fn bytes(&self) -> &[u8] {
        if self.ptr.get().is_null() || self.size.get() == 0 {
            return &[];
        }
        // SAFETY: the object's memory has `size` bytes.
        unsafe { std::slice::from_raw_parts(self.ptr.get(), self.size.get()) }
    }

    /// The class.
    pub fn class(&self) -> &Type {
        self.as_object().ob_type()
    }

    fn inline(&self) -> *mut u8 {
        self.value.get().cast()
    }

    /// Whether the memory is outside of the object.
    fn is_block(&self) -> bool {
        let ptr = self.ptr.get();
        !ptr.is_null() && ptr != self.inline()
    }

    fn allocate(class: &Type, vm: &Vm) -> PyResult<Ref<CData>> {
        let Some(alloc) = class.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        // SAFETY: a subtype's `tp_alloc` gives zeroed memory of at least its size, which is a valid `CData`.
        unsafe { Ok(vm.owned(alloc(std::ptr::from_ref(class).cast_mut(), 0))?.cast_into()) }
    }

    fn claim(&self, size: usize, vm: &Vm) -> PyResult<()> {
        if size <= INLINE {
            self.ptr.set(self.inline());
        } else {
            let block = calloc(size, vm)?;
            self.ptr.set(block);
        }
        self.needs_free.set(1);
        self.size.set(size);
        Ok(())
    }

    /// A new object of a C type, still without memory. The type's layout is final from now on.
    fn unplaced<'a>(class: &'a Object, vm: &Vm) -> PyResult<(Ref<CData>, &'a StgInfo)> {
        let info = concrete(class, vm)?;
        info.is_final.set(true);
        let Some(class) = class.downcast_ref::<Type>() else { return Err(vm.type_error("abstract class")) };
        let data = Self::allocate(class, vm)?;
        data.length.set(info.length.get());
        Ok((data, info))
    }

    /// A new object of a C type with memory of its own, all zeros. The type's layout is final from now on.
    pub fn new_of(class: &Object, vm: &Vm) -> PyResult<Ref<CData>> {
        let (data, info) = Self::unplaced(class, vm)?;
        data.claim(info.size.get(), vm)?;
        Ok(data)
    }

    /// An object that describes memory at an address of the program's choice.
    pub fn at_address(class: &Object, address: *mut u8, vm: &Vm) -> PyResult<Ref<CData>> {
        audit("ctypes.cdata", &[&vm.new_int(address as usize)], vm)?;
        let (data, info) = Self::unplaced(class, vm)?;
        data.ptr.set(address);
        data.size.set(info.size.get());
        Ok(data)
    }

    /// An object that lies within another's memory.
    pub fn within(
        class: &Object,
        base: &CData,
        index: isize,
        address: *mut u8,
        vm: &Vm,
    ) -> PyResult<Ref<CData>> {
        let (data, info) = Self::unplaced(class, vm)?;
        data.ptr.set(address);
        data.size.set(info.size.get());
        data.base.put(base.into());
        data.index.set(index);
        Ok(data)
    }

    /// A new object with a copy of the memory at an address.
    ///
    /// # Safety
    /// `from` has the bytes of the type.
    pub unsafe fn copy_of(class: &Object, from: *const u8, vm: &Vm) -> PyResult<Ref<CData>> {
        let data = Self::new_of(class, vm)?;
        // SAFETY: passed on to the caller; the new memory has the type's size.
        unsafe { data.ptr().copy_from_nonoverlapping(from, data.size()) };
        Ok(data)
    }

    /// The outermost object that the memory belongs to. It keeps the objects that the memory refers to.
    pub fn container(&self, vm: &Vm) -> Ref<CData> {
        let mut container: Ref<CData> = self.into();
        while let Some(base) = container.base.get() {
            container = base;
        }
        if container.objects.is_none() {
            let objects = if container.length.get() > 0 { vm.new_dict().into_object() } else { vm.none() };
            container.objects.put(objects);
        }
        container
    }

    /// `_objects` of the container.
    pub fn kept_objects(&self, vm: &Vm) -> ObjRef {
        self.container(vm).objects.get().unwrap_or_else(|| vm.none())
    }

    /// The object's own `_objects`.
    pub fn objects(&self) -> &Slot<Object> {
        &self.objects
    }

    /// Keeps an object alive as long as the memory that refers to it: the place `index` within this object.
    pub fn keep(&self, index: isize, object: ObjRef, vm: &Vm) -> PyResult<()> {
        if vm.is_none(&object) {
            return Ok(());
        }
        let container = self.container(vm);
        let Some(objects) = container.objects.get().and_then(|objects| objects.downcast::<Dict>().ok())
        else {
            container.objects.put(object);
            return Ok(());
        };
        let key = self.key(index, vm)?;
        objects.set_item(key.as_object(), &object, vm)
    }

    /// The places that lead from the container to `index` within this object, innermost first, in hexadecimal.
    fn key(&self, index: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut key = format!("{:x}", index as i32);
        let mut place: Ref<CData> = self.into();
        while let Some(base) = place.base.get() {
            if key.len() + 2 * size_of::<isize>() > 254 {
                return Err(vm.value_error("ctypes object structure too deep"));
            }
            key.push_str(&format!(":{:x}", place.index.get() as i32));
            place = base;
        }
        Ok(vm.new_str(&key))
    }

    /// Whether `size` bytes at `offset` lie within the memory.
    pub fn has(&self, offset: isize, size: usize) -> bool {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| offset.checked_add(size))
            .is_some_and(|end| end <= self.size.get())
    }

    /// `ctypes.resize`: more memory, for structures of variable size.
    pub fn resize(&self, size: isize, vm: &Vm) -> PyResult<()> {
        let Some(info) = info_of(self.class()) else { return Err(vm.type_error("abstract class")) };
        let least = info.size.get();
        let Some(size) = usize::try_from(size).ok().filter(|size| *size >= least) else {
            return Err(vm.value_error(format!("minimum size is {least}")));
        };
        if self.needs_free.get() == 0 {
            return Err(vm.value_error("Memory cannot be resized because this object doesn't own it"));
        }
        if size <= INLINE && !self.is_block() {
            self.size.set(size);
            return Ok(());
        }
        let block = calloc(size, vm)?;
        let old = self.ptr.get();
        // SAFETY: both have the smaller of the sizes.
        unsafe { block.copy_from_nonoverlapping(old, size.min(self.size.get())) };
        if self.is_block() {
            let next = self.retired.get();
            self.retired.set(Box::into_raw(Box::new(Retired { block: old, next })));
        }
        self.ptr.set(block);
        self.size.set(size);
        Ok(())
    }
}

fn calloc(size: usize, vm: &Vm) -> PyResult<*mut u8> {
    // SAFETY: plain allocation.
    let block = unsafe { libc::calloc(1, size.max(1)) };
    if block.is_null() { Err(vm.memory_error()) } else { Ok(block.cast()) }
}

/// Whether a class derives from a simple type like `c_int` instead of being one: its values aren't converted.
pub fn is_simple_subclass(class: &Object) -> bool {
    let Some(tp) = class.downcast_ref::<Type>() else { return false };
    tp.as_object().ob_type().is_subtype_of(super::simple::SimpleType::type_object())
        && !tp.base().is_some_and(|base| std::ptr::eq(base, super::simple::SimpleCData::type_object()))
}

/// How a value of a class appears to Python: converted, for simple types; as an object otherwise.
pub fn conversion(class: &Object) -> Option<Format> {
    info_of_class(class).and_then(|info| info.code.get()).filter(|_| !is_simple_subclass(class))
}

/// Reads a part of an object: the value of a simple type, or an object within it.
///
/// # Safety
/// `address` has the bytes of the class.
pub unsafe fn get_part(
    class: &Object,
    own: Option<Format>,
    base: &CData,
    index: isize,
    size: isize,
    address: *mut u8,
    vm: &Vm,
) -> PyResult {
    if let Some(format) = own {
        // SAFETY: passed on to the caller.
        return unsafe { formats::get(format, address, size, vm) };
    }
    if let Some(format) = conversion(class) {
        // SAFETY: passed on to the caller.
        return unsafe { formats::get(format, address, size, vm) };
    }
    Ok(CData::within(class, base, index, address, vm)?.into_object())
}

/// Writes a part of an object, which keeps what the part refers to.
///
/// # Safety
/// `address` has room for the class.
#[allow(clippy::too_many_arguments)]
pub unsafe fn set_part(
    base: &CData,
    class: &Object,
    own: Option<Format>,
    value: &Object,
    index: isize,
    size: isize,
    address: *mut u8,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: passed on to the caller.
    let keep = unsafe { store(class, own, value, size, address, vm)? };
    base.keep(index, keep, vm)
}

/// Writes a value of a class into memory. Gives what must be kept.
unsafe fn store(
    class: &Object,
    own: Option<Format>,
    value: &Object,
    size: isize,
    address: *mut u8,
    vm: &Vm,
) -> PyResult {
    if let Some(format) = own {
        // SAFETY: passed on to the caller.
        return unsafe { formats::set(format, address, value, size, vm) };
    }
    let wanted = class.downcast_ref::<Type>().map_or("???", Type::tp_name_str);
    let Some(source) = as_cdata(value) else {
        if let Some(format) = info_of_class(class).and_then(|info| info.code.get()) {
            // SAFETY: passed on to the caller.
            return unsafe { formats::set(format, address, value, size, vm) };
        }
        if let Some(arguments) = value.downcast_ref::<Tuple>() {
            let made = match class.call_tuple_dict(arguments, None, vm) {
                Ok(made) => made,
                Err(Raised) => return Err(extend_error(types::runtime_error(), &format!("({wanted}) "), vm)),
            };
            vm.check_recursion(" while storing a ctypes value")?;
            // SAFETY: passed on to the caller.
            return unsafe { store(class, None, &made, size, address, vm) };
        }
        if vm.is_none(value) && pointer::is_pointer_class(class) {
            // SAFETY: the class is a pointer type.
            unsafe { formats::write(address, 0usize) };
            return Ok(vm.none());
        }
        return Err(
            vm.type_error(format!("expected {wanted} instance, got {}", value.ob_type().tp_name_str()))
        );
    };
    if value.is_instance(class, vm)? {
        let count = usize::try_from(size).unwrap_or(0).min(source.size());
        // SAFETY: both have `count` bytes; a part may be assigned to itself.
        unsafe { address.copy_from(source.ptr(), count) };
        return Ok(source.kept_objects(vm));
    }
    let given = value.ob_type();
    if pointer::is_pointer_class(class) && given.is_subtype_of(array::Array::type_object()) {
        let item = info_of(given).and_then(|info| info.proto.get());
        let target = info_of_class(class).and_then(|info| info.proto.get());
        if matches!((&item, &target), (Some(item), Some(target)) if item.is(target)) {
            // SAFETY: the class is a pointer type.
            unsafe { formats::write(address, source.ptr()) };
            // The array is kept along with what its items refer to.
            return Ok(vm.new_tuple([source.kept_objects(vm), value.to_ref()]).into_object());
        }
    }
    Err(vm.type_error(format!(
        "incompatible types, {} instance instead of {wanted} instance",
        given.tp_name_str()
    )))
}

/// Replaces the waiting exception by one of class `class` that says where it came from.
pub fn extend_error(class: &Type, prefix: &str, vm: &Vm) -> Raised {
    let Some(cause) = vm.take_exception() else { return vm.raise(class, prefix) };
    let kind = cause.as_object().ob_type();
    let text = match cause.as_object().str(vm) {
        Ok(text) => format!("{prefix}{}: {}", kind.name(), text.to_string_lossy()),
        Err(Raised) => {
            vm.clear_exception();
            format!("{prefix}{}: ???", kind.name())
        }
    };
    vm.raise(class, text)
}

/// XXX to be provided
#[pytype(
    name = "_ctypes._CData",
    flags(BASETYPE),
    gc,
    no_new,
    members(
        _b_base_: OBJECT = base, readonly "the base object",
        _b_needsfree_: INT = needs_free, readonly "whether the object owns the memory or not",
        _objects: OBJECT = objects, readonly "internal objects tree (NEVER CHANGE THIS OBJECT!)",
    )
)]
impl CData {
    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        Err(vm.type_error("unhashable type"))
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, _flags: i32, vm: &Vm) -> PyResult<()> {
        let Some(info) = info_of(self.class()) else { return Err(vm.buffer_error("abstract class")) };
        let mut item: Ref<Type> = self.class().into();
        while item.as_object().ob_type().is_subtype_of(array::ArrayType::type_object()) {
            match info_of(&item).and_then(StgInfo::proto_type) {
                Some(inner) => item = inner,
                None => break,
            }
        }
        view.buf = self.ptr.get().cast();
        view.obj = self.as_object().to_ref().into_raw();
        view.len = isize::try_from(self.size.get()).unwrap_or(isize::MAX);
        view.readonly = 0;
        view.itemsize = info_of(&item).map_or(0, |item| item.size.get()).try_into().unwrap_or(isize::MAX);
        let format =
            info.format.try_borrow().ok().and_then(|format| format.as_ref().map(|text| text.as_ptr()));
        view.format = format.unwrap_or(c"B".as_ptr()).cast_mut().cast::<c_char>();
        // Text and shape belong to the class, which the object keeps and which is final.
        let shape = info
            .shape
            .try_borrow()
            .map(|shape| (shape.len(), shape.as_ptr()))
            .unwrap_or((0, std::ptr::null()));
        view.ndim = i32::try_from(shape.0).unwrap_or(0);
        view.shape = if shape.0 == 0 { std::ptr::null_mut() } else { shape.1.cast_mut() };
        view.strides = std::ptr::null_mut();
        view.suboffsets = std::ptr::null_mut();
        view.internal = std::ptr::null_mut();
        Ok(())
    }

    /// default __ctypes_from_outparam__ method returns self.
    #[method("($self, /)")]
    fn __ctypes_from_outparam__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, dict, data, /)")]
    fn __setstate__(&self, dict: &Object, data: &Object, vm: &Vm) -> PyResult<()> {
        let Some(dict) = dict.downcast_ref::<Dict>() else {
            let given = dict.type_name();
            return Err(vm.type_error(format!("__setstate__() argument 1 must be dict, not {given}")));
        };
        let data = BufferArg::from_object(data, vm)?;
        let count = data.as_bytes().len().min(self.size.get());
        if count > 0 {
            // SAFETY: both have `count` bytes; the data may be a view of this object.
            unsafe { self.ptr.get().copy_from(data.as_bytes().as_ptr(), count) };
        }
        drop(data);
        let own = self.as_object().get_attr(&vm.intern("__dict__"), vm)?;
        let Some(own) = own.downcast_ref::<Dict>() else {
            return Err(vm.type_error(format!(
                "{}.__dict__ must be a dictionary, not {}",
                self.class().tp_name_str(),
                own.type_name()
            )));
        };
        own.update_from(dict.as_object(), true, vm)
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let Some(info) = info_of(self.class()) else { return Err(vm.type_error("abstract class")) };
        if info.flags.get() & (IS_POINTER | HAS_POINTER) != 0 {
            return Err(vm.value_error("ctypes objects containing pointers cannot be pickled"));
        }
        let dict = self.as_object().get_attr(&vm.intern("__dict__"), vm)?;
        let data = Bytes::try_from_slice(self.bytes(), vm)?;
        let state = vm.new_tuple([dict, data.into_object()]);
        let arguments = vm.new_tuple([self.class().as_object().to_ref(), state.into_object()]);
        let unpickle = taipan_vm::import::import_module("_ctypes", vm)?.get_attr(&names(vm)._unpickle, vm)?;
        Ok(vm.new_tuple([unpickle, arguments.into_object()]).into_object())
    }
}

/// The Python object of a function's argument: how an instance is passed.
pub fn passing_of(data: &CData) -> Option<(Passing, &StgInfo)> {
    info_of(data.class()).map(|info| (info.passing.get(), info))
}
