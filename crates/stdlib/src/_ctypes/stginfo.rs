//! What a class knows of its C type. It is kept behind the class object itself: instances of the metaclasses are larger
//! than those of `type`, and only classes made at run time have it; the abstract bases, which are static, have none.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::{CString, c_void};

use libffi_sys::{self as ffi, ffi_type};
use taipan_object::typeobject::HeapType;
use taipan_vm::builtins::type_::{TypeMethods, heap};
use taipan_vm::prelude::*;

use super::class_methods;
use super::formats::Format;

/// Set in the flags of types that are pointers (`TYPEFLAG_ISPOINTER`) or contain one: their instances aren't pickled.
pub const IS_POINTER: u32 = 0x100;
/// See [`IS_POINTER`].
pub const HAS_POINTER: u32 = 0x200;

/// How instances are passed to C functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// The value itself, under its format code.
    Simple(u8),
    /// A copy of the memory.
    Aggregate,
    /// The address of the memory.
    Array,
    /// The address that the memory holds.
    Pointer,
}

/// A class's C type.
pub struct StgInfo {
    ffi: UnsafeCell<ffi_type>,
    /// The members of an aggregate for libffi, ended by null.
    elements: UnsafeCell<Vec<*mut ffi_type>>,
    /// The classes that own what `elements` points to.
    element_types: RefCell<Vec<ObjRef>>,
    /// Bytes of an instance.
    pub size: Cell<usize>,
    /// Its alignment.
    pub align: Cell<usize>,
    /// The number of fields or items.
    pub length: Cell<usize>,
    /// The item or target type; the format code of simple types.
    pub proto: Slot<Object>,
    /// How values are read and written; none for aggregates, arrays and pointers.
    pub code: Cell<Option<Format>>,
    /// How instances become arguments.
    pub passing: Cell<Passing>,
    /// `__pointer_type__`.
    pub pointer_type: Slot<Object>,
    /// `_argtypes_` of function types.
    pub argtypes: Slot<Tuple>,
    /// Their `from_param` methods.
    pub converters: Slot<Tuple>,
    /// `_restype_` of function types.
    pub restype: Slot<Object>,
    /// The result type's `_check_retval_`.
    pub checker: Slot<Object>,
    /// Function flags, and [`IS_POINTER`] and [`HAS_POINTER`].
    pub flags: Cell<u32>,
    /// Whether instances or subclasses exist: the layout can't change any more.
    pub is_final: Cell<bool>,
    /// The buffer format (PEP 3118).
    pub format: RefCell<Option<CString>>,
    /// The lengths of (nested) arrays.
    pub shape: RefCell<Box<[isize]>>,
    /// Array types of this item type that are alive: length and weak reference.
    pub arrays: RefCell<Vec<(usize, ObjRef)>>,
}

impl StgInfo {
    /// Type data with nothing known.
    pub fn new() -> StgInfo {
        StgInfo {
            ffi: UnsafeCell::new(ffi_type::default()),
            elements: UnsafeCell::default(),
            element_types: RefCell::default(),
            size: Cell::new(0),
            align: Cell::new(1),
            length: Cell::new(0),
            proto: Slot::empty(),
            code: Cell::new(None),
            passing: Cell::new(Passing::Aggregate),
            pointer_type: Slot::empty(),
            argtypes: Slot::empty(),
            converters: Slot::empty(),
            restype: Slot::empty(),
            checker: Slot::empty(),
            flags: Cell::new(0),
            is_final: Cell::new(false),
            format: RefCell::default(),
            shape: RefCell::default(),
            arrays: RefCell::default(),
        }
    }

    /// The type for libffi; lives as long as the class.
    pub fn ffi_ptr(&self) -> *mut ffi_type {
        self.ffi.get()
    }

    /// Makes it the data of a type whose instances are one address.
    pub fn set_pointer(&self) {
        self.size.set(size_of::<usize>());
        self.align.set(align_of::<usize>());
        self.length.set(1);
        self.set_ffi(&raw const libffi_sys::ffi_type_pointer);
        self.passing.set(Passing::Pointer);
    }

    /// Takes over one of libffi's own types.
    pub fn set_ffi(&self, from: *const ffi_type) {
        // SAFETY: libffi's types are statics, other types live as long as their class; nobody borrows ours.
        unsafe { *self.ffi.get() = *from };
    }

    /// Describes an aggregate to libffi: its own layout, and its members in order for the calling convention.
    pub fn set_aggregate(
        &self,
        size: usize,
        align: usize,
        mut members: Vec<*mut ffi_type>,
        owners: Vec<ObjRef>,
    ) {
        members.push(std::ptr::null_mut());
        let old = self.element_types.replace(owners);
        // SAFETY: no call that uses the old description runs: the type isn't final yet.
        unsafe {
            *self.elements.get() = members;
            *self.ffi.get() = ffi_type {
                size,
                alignment: u16::try_from(align).unwrap_or(u16::MAX),
                type_: ffi::FFI_TYPE_STRUCT,
                elements: (*self.elements.get()).as_mut_ptr(),
            };
        }
        drop(old);
    }

    /// The members given to `set_aggregate` and their owners.
    pub fn members(&self) -> (Vec<*mut ffi_type>, Vec<ObjRef>) {
        // SAFETY: copied before anything else runs.
        let mut members = unsafe { (*self.elements.get()).clone() };
        members.pop();
        (members, self.element_types.try_borrow().map(|owners| owners.clone()).unwrap_or_default())
    }

    /// The kind of libffi type (`FFI_TYPE_…`).
    pub fn ffi_kind(&self) -> u16 {
        // SAFETY: a plain read.
        unsafe { (*self.ffi.get()).type_ }
    }

    /// Whether the type is simple with this format code.
    pub fn is_code(&self, code: u8) -> bool {
        self.code.get().is_some_and(|format| format.code == code && !format.swapped)
    }

    /// The class that `proto` is.
    pub fn proto_type(&self) -> Option<Ref<Type>> {
        self.proto.get().and_then(|proto| proto.downcast::<Type>().ok())
    }

    /// The format code of a simple type, from `proto`.
    pub fn proto_code(&self) -> Option<u8> {
        let proto = self.proto.get()?;
        proto.downcast_ref::<Str>()?.char_at(0).and_then(|code| u8::try_from(code).ok())
    }

    /// The buffer format as text; `B` when nothing is known.
    pub fn format_text(&self) -> String {
        match self.format.try_borrow().as_deref() {
            Ok(Some(format)) => format.to_string_lossy().into_owned(),
            _ => "B".to_owned(),
        }
    }

    /// Stores the buffer format. Raises `ValueError` for an embedded NUL.
    pub fn set_format(&self, text: &str, vm: &Vm) -> PyResult<()> {
        let text = CString::new(text).map_err(|_| vm.value_error("embedded null character"))?;
        self.format.replace(Some(text));
        Ok(())
    }

    /// What a structure inherits from its base when it adds no fields.
    pub fn copy_from(&self, base: &StgInfo) {
        self.size.set(base.size.get());
        self.align.set(base.align.get());
        self.length.set(base.length.get());
        self.proto.set(base.proto.get());
        self.code.set(base.code.get());
        self.passing.set(base.passing.get());
        self.flags.set(base.flags.get());
        self.argtypes.set(base.argtypes.get());
        self.converters.set(base.converters.get());
        self.restype.set(base.restype.get());
        self.checker.set(base.checker.get());
        self.format.replace(base.format.try_borrow().map(|format| format.clone()).unwrap_or_default());
        self.shape.replace(base.shape.try_borrow().map(|shape| shape.clone()).unwrap_or_default());
        if base.ffi_kind() == ffi::FFI_TYPE_STRUCT {
            let (members, owners) = base.members();
            self.set_aggregate(base.size.get(), base.align.get(), members, owners);
        } else {
            self.set_ffi(base.ffi_ptr());
        }
    }
}

impl Default for StgInfo {
    fn default() -> Self {
        Self::new()
    }
}

impl Traverse for StgInfo {
    fn traverse(&self, visit: &mut Visit) {
        self.proto.traverse(visit);
        self.pointer_type.traverse(visit);
        self.argtypes.traverse(visit);
        self.converters.traverse(visit);
        self.restype.traverse(visit);
        self.checker.traverse(visit);
        self.element_types.traverse(visit);
        self.arrays.traverse(visit);
    }

    /// What the class needs to destroy its instances stays.
    fn clear(&self) {
        self.pointer_type.clear();
        self.argtypes.clear();
        self.converters.clear();
        self.restype.clear();
        self.checker.clear();
    }
}

/// The layout of a class whose metaclass is one of ours.
#[repr(C)]
struct CTypeClass {
    heap: HeapType,
    /// Set once.
    info: UnsafeCell<Option<Box<StgInfo>>>,
}

/// The type data of a class; none when it isn't a C type, is abstract, or wasn't initialised.
pub fn info_of(tp: &Type) -> Option<&StgInfo> {
    // SAFETY: the place is there as `place_of` checks; it is set once and lives as long as the class.
    place_of(tp).and_then(|place| unsafe { (*place.get()).as_deref() })
}

fn place_of(tp: &Type) -> Option<&UnsafeCell<Option<Box<StgInfo>>>> {
    if !tp.has_flag(TypeFlags::HEAPTYPE) || !tp.as_object().ob_type().is_subtype_of(CType::type_object()) {
        return None;
    }
    // SAFETY: heap types of our metaclasses are allocated with this layout.
    Some(unsafe { &(*std::ptr::from_ref(tp).cast::<CTypeClass>()).info })
}

/// The type data of a class given as an object.
pub fn info_of_class(class: &Object) -> Option<&StgInfo> {
    class.downcast_ref::<Type>().and_then(info_of)
}

/// The type data of a class, or of the class of any other object.
pub fn info_of_any(object: &Object) -> Option<&StgInfo> {
    match object.downcast_ref::<Type>() {
        Some(class) => info_of(class),
        None => info_of(object.ob_type()),
    }
}

/// The type data of a class that can have instances. Raises `TypeError` for abstract ones.
pub fn concrete<'a>(class: &'a Object, vm: &Vm) -> PyResult<&'a StgInfo> {
    info_of_class(class).ok_or_else(|| vm.type_error("abstract class"))
}

/// Gives a new class its type data. Raises `SystemError` when it has some already.
pub fn init_info<'a>(class: &'a Object, vm: &Vm) -> PyResult<&'a StgInfo> {
    let Some(tp) = class.downcast_ref::<Type>() else { return Err(vm.system_error("'class' is not a type")) };
    let Some(place) = place_of(tp) else {
        return Err(vm.system_error(format!("'{}' is not a ctypes class", tp.tp_name_str())));
    };
    // SAFETY: set only while it is empty, so no borrow exists.
    unsafe {
        if (*place.get()).is_some() {
            return Err(vm.system_error(format!("StgInfo of '{}' is already initialized.", tp.tp_name_str())));
        }
        Ok((*place.get()).insert(Box::new(StgInfo::new())))
    }
}

/// Runs `type.__init__`, with which every metaclass's own begins.
pub fn init_type(class: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    let Some(init) = TypeMethods::type_object().tp_init.get() else { return Ok(()) };
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_object().as_ptr());
    // SAFETY: a slot is called with live objects.
    vm.status(unsafe { init(class.as_ptr(), args.as_object().as_ptr(), kwargs) })
}

/// The base of the metaclasses.
pub struct CType;

#[pytype(
    name = "_ctypes.CType_Type",
    base = TypeMethods,
    no_layout,
    static = CTYPE_TYPE,
    basicsize = size_of::<CTypeClass>(),
    doc = "",
    flags(BASETYPE, TYPE_SUBCLASS, HAVE_GC, ITEMS_AT_END),
)]
impl CType {
    /// Return memory consumption of the type object.
    #[method("($self, /)")]
    fn __sizeof__(zelf: &Object, vm: &Vm) -> PyResult {
        let Some(base) = taipan_vm::builtins::type_::lookup::lookup(
            TypeMethods::type_object(),
            &vm.intern("__sizeof__"),
            vm,
        )
        .map(Object::to_ref) else {
            return Err(vm.attribute_error("__sizeof__"));
        };
        let plain = base.call(&[zelf], vm)?;
        let own = if info_of_class(zelf).is_some() { size_of::<StgInfo>() } else { 0 };
        taipan_vm::protocols::number::add(&plain, &vm.new_int(own), vm)
    }

    /// pointer type
    #[getter]
    fn __pointer_type__(zelf: &Object, vm: &Vm) -> PyResult {
        let info = stored(zelf, vm)?;
        match info.pointer_type.get() {
            Some(pointer_type) => Ok(pointer_type),
            None => {
                let shown = zelf.repr(vm)?;
                let text = format!("{} has no attribute '__pointer_type__'", shown.to_string_lossy());
                Err(vm.attribute_error(text))
            }
        }
    }

    #[setter(__pointer_type__)]
    fn set_pointer_type(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        stored(zelf, vm)?.pointer_type.set(value.map(Object::to_ref));
        Ok(())
    }

    #[slot]
    fn sq_repeat(zelf: &Object, length: isize, vm: &Vm) -> PyResult {
        super::array::array_type(zelf, length, vm)
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called with a class whose count has reached zero; the data goes before the class's memory does.
        unsafe {
            // It must not be found while what it refers to is released.
            taipan_object::gc::untrack(op);
            let info = place_of(&*op.cast::<Type>()).and_then(|place| (*place.get()).take());
            drop(info);
            heap::type_dealloc(op);
        }
    }

    #[slot]
    unsafe fn tp_traverse(
        op: *mut Object,
        visit: taipan_object::traverse::VisitProc,
        arg: *mut c_void,
    ) -> std::ffi::c_int {
        // SAFETY: called by the collector with a class.
        unsafe {
            if let Some(info) = info_of(&*op.cast::<Type>()) {
                let mut visitor = Visit::new(visit, arg);
                info.traverse(&mut visitor);
                if visitor.result() != 0 {
                    return visitor.result();
                }
            }
            heap::type_traverse(op, visit, arg)
        }
    }

    #[slot]
    unsafe fn tp_clear(op: *mut Object) -> std::ffi::c_int {
        // SAFETY: called by the collector with a class.
        unsafe {
            if let Some(info) = info_of(&*op.cast::<Type>()) {
                Traverse::clear(info);
            }
            heap::type_clear(op)
        }
    }

    #[slot]
    unsafe fn tp_is_gc(op: *mut Object) -> std::ffi::c_int {
        // SAFETY: called with a class.
        unsafe { heap::type_is_gc(op) }
    }
}

fn stored<'a>(class: &'a Object, vm: &Vm) -> PyResult<&'a StgInfo> {
    match info_of_class(class) {
        Some(info) => Ok(info),
        None => {
            let shown = class.repr(vm)?;
            Err(vm.type_error(format!("{} must have storage info", shown.to_string_lossy())))
        }
    }
}

/// `from_param` that takes instances of the class, for the metaclasses that have no rule of their own.
#[pymethods(table = FROM_PARAM)]
impl CType {
    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)")]
    fn from_param(zelf: &Object, value: &Object, vm: &Vm) -> PyResult {
        class_methods::instance_from_param(zelf, value, vm)
    }
}
