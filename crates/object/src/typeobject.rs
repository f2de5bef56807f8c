//! `PyTypeObject`, its method suites and its flags (C API manual, "Type Object Structures").
//!
//! All fields are cells: a type is shared, and slots change when attributes of a heap type do.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::{offset_of, size_of};

use crate::defs::{GetSetDef, MemberDef, MethodDef, PyBuffer};
use crate::object::{Object, PyLayout, VarObject};
use crate::traverse::VisitProc;

/// `destructor`.
pub type Destructor = unsafe extern "C" fn(*mut Object);
/// `unaryfunc`, also `getiterfunc` and `iternextfunc`.
pub type UnaryFunc = unsafe extern "C" fn(*mut Object) -> *mut Object;
/// `reprfunc`.
pub type ReprFunc = UnaryFunc;
/// `binaryfunc`, also `getattrofunc`.
pub type BinaryFunc = unsafe extern "C" fn(*mut Object, *mut Object) -> *mut Object;
/// `ternaryfunc`, also `descrgetfunc`.
pub type TernaryFunc = unsafe extern "C" fn(*mut Object, *mut Object, *mut Object) -> *mut Object;
/// `inquiry`: 1, 0, or -1 with an exception set.
pub type Inquiry = unsafe extern "C" fn(*mut Object) -> c_int;
/// `lenfunc`.
pub type LenFunc = unsafe extern "C" fn(*mut Object) -> isize;
/// `ssizeargfunc`.
pub type SsizeArgFunc = unsafe extern "C" fn(*mut Object, isize) -> *mut Object;
/// `ssizeobjargproc`.
pub type SsizeObjArgProc = unsafe extern "C" fn(*mut Object, isize, *mut Object) -> c_int;
/// `objobjproc`.
pub type ObjObjProc = unsafe extern "C" fn(*mut Object, *mut Object) -> c_int;
/// `objobjargproc`, also `setattrofunc` and `descrsetfunc`; the value is null for deletion.
pub type ObjObjArgProc = unsafe extern "C" fn(*mut Object, *mut Object, *mut Object) -> c_int;
/// `getattrfunc`, deprecated.
pub type GetAttrFunc = unsafe extern "C" fn(*mut Object, *mut c_char) -> *mut Object;
/// `setattrfunc`, deprecated.
pub type SetAttrFunc = unsafe extern "C" fn(*mut Object, *mut c_char, *mut Object) -> c_int;
/// `hashfunc`: -1 with an exception set on failure.
pub type HashFunc = unsafe extern "C" fn(*mut Object) -> isize;
/// `richcmpfunc`; the operator is one of `CompareOp`.
pub type RichCmpFunc = unsafe extern "C" fn(*mut Object, *mut Object, c_int) -> *mut Object;
/// `traverseproc`.
pub type TraverseProc = unsafe extern "C" fn(*mut Object, VisitProc, *mut c_void) -> c_int;
/// `initproc`.
pub type InitProc = unsafe extern "C" fn(*mut Object, *mut Object, *mut Object) -> c_int;
/// `allocfunc`.
pub type AllocFunc = unsafe extern "C" fn(*mut Type, isize) -> *mut Object;
/// `newfunc`.
pub type NewFunc = unsafe extern "C" fn(*mut Type, *mut Object, *mut Object) -> *mut Object;
/// `freefunc`.
pub type FreeFunc = unsafe extern "C" fn(*mut c_void);
/// `vectorcallfunc`.
pub type VectorcallFunc =
    unsafe extern "C" fn(*mut Object, *const *mut Object, usize, *mut Object) -> *mut Object;
/// `sendfunc`: -1 error, 0 return, 1 next.
pub type SendFunc = unsafe extern "C" fn(*mut Object, *mut Object, *mut *mut Object) -> c_int;
/// `getbufferproc`.
pub type GetBufferProc = unsafe extern "C" fn(*mut Object, *mut PyBuffer, c_int) -> c_int;
/// `releasebufferproc`.
pub type ReleaseBufferProc = unsafe extern "C" fn(*mut Object, *mut PyBuffer);

/// `PyNumberMethods`.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Clone)]
pub struct NumberMethods {
    pub nb_add: Cell<Option<BinaryFunc>>,
    pub nb_subtract: Cell<Option<BinaryFunc>>,
    pub nb_multiply: Cell<Option<BinaryFunc>>,
    pub nb_remainder: Cell<Option<BinaryFunc>>,
    pub nb_divmod: Cell<Option<BinaryFunc>>,
    pub nb_power: Cell<Option<TernaryFunc>>,
    pub nb_negative: Cell<Option<UnaryFunc>>,
    pub nb_positive: Cell<Option<UnaryFunc>>,
    pub nb_absolute: Cell<Option<UnaryFunc>>,
    pub nb_bool: Cell<Option<Inquiry>>,
    pub nb_invert: Cell<Option<UnaryFunc>>,
    pub nb_lshift: Cell<Option<BinaryFunc>>,
    pub nb_rshift: Cell<Option<BinaryFunc>>,
    pub nb_and: Cell<Option<BinaryFunc>>,
    pub nb_xor: Cell<Option<BinaryFunc>>,
    pub nb_or: Cell<Option<BinaryFunc>>,
    pub nb_int: Cell<Option<UnaryFunc>>,
    pub nb_reserved: Cell<Option<UnaryFunc>>,
    pub nb_float: Cell<Option<UnaryFunc>>,
    pub nb_inplace_add: Cell<Option<BinaryFunc>>,
    pub nb_inplace_subtract: Cell<Option<BinaryFunc>>,
    pub nb_inplace_multiply: Cell<Option<BinaryFunc>>,
    pub nb_inplace_remainder: Cell<Option<BinaryFunc>>,
    pub nb_inplace_power: Cell<Option<TernaryFunc>>,
    pub nb_inplace_lshift: Cell<Option<BinaryFunc>>,
    pub nb_inplace_rshift: Cell<Option<BinaryFunc>>,
    pub nb_inplace_and: Cell<Option<BinaryFunc>>,
    pub nb_inplace_xor: Cell<Option<BinaryFunc>>,
    pub nb_inplace_or: Cell<Option<BinaryFunc>>,
    pub nb_floor_divide: Cell<Option<BinaryFunc>>,
    pub nb_true_divide: Cell<Option<BinaryFunc>>,
    pub nb_inplace_floor_divide: Cell<Option<BinaryFunc>>,
    pub nb_inplace_true_divide: Cell<Option<BinaryFunc>>,
    pub nb_index: Cell<Option<UnaryFunc>>,
    pub nb_matrix_multiply: Cell<Option<BinaryFunc>>,
    pub nb_inplace_matrix_multiply: Cell<Option<BinaryFunc>>,
}

const _: () = assert!(size_of::<NumberMethods>() == 288);
// SAFETY: suites are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for NumberMethods {}

impl NumberMethods {
    /// No slot filled.
    pub const EMPTY: Self = Self {
        nb_add: Cell::new(None),
        nb_subtract: Cell::new(None),
        nb_multiply: Cell::new(None),
        nb_remainder: Cell::new(None),
        nb_divmod: Cell::new(None),
        nb_power: Cell::new(None),
        nb_negative: Cell::new(None),
        nb_positive: Cell::new(None),
        nb_absolute: Cell::new(None),
        nb_bool: Cell::new(None),
        nb_invert: Cell::new(None),
        nb_lshift: Cell::new(None),
        nb_rshift: Cell::new(None),
        nb_and: Cell::new(None),
        nb_xor: Cell::new(None),
        nb_or: Cell::new(None),
        nb_int: Cell::new(None),
        nb_reserved: Cell::new(None),
        nb_float: Cell::new(None),
        nb_inplace_add: Cell::new(None),
        nb_inplace_subtract: Cell::new(None),
        nb_inplace_multiply: Cell::new(None),
        nb_inplace_remainder: Cell::new(None),
        nb_inplace_power: Cell::new(None),
        nb_inplace_lshift: Cell::new(None),
        nb_inplace_rshift: Cell::new(None),
        nb_inplace_and: Cell::new(None),
        nb_inplace_xor: Cell::new(None),
        nb_inplace_or: Cell::new(None),
        nb_floor_divide: Cell::new(None),
        nb_true_divide: Cell::new(None),
        nb_inplace_floor_divide: Cell::new(None),
        nb_inplace_true_divide: Cell::new(None),
        nb_index: Cell::new(None),
        nb_matrix_multiply: Cell::new(None),
        nb_inplace_matrix_multiply: Cell::new(None),
    };
}

/// `PySequenceMethods`.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Clone)]
pub struct SequenceMethods {
    pub sq_length: Cell<Option<LenFunc>>,
    pub sq_concat: Cell<Option<BinaryFunc>>,
    pub sq_repeat: Cell<Option<SsizeArgFunc>>,
    pub sq_item: Cell<Option<SsizeArgFunc>>,
    pub was_sq_slice: Cell<*const ()>,
    pub sq_ass_item: Cell<Option<SsizeObjArgProc>>,
    pub was_sq_ass_slice: Cell<*const ()>,
    pub sq_contains: Cell<Option<ObjObjProc>>,
    pub sq_inplace_concat: Cell<Option<BinaryFunc>>,
    pub sq_inplace_repeat: Cell<Option<SsizeArgFunc>>,
}

const _: () = assert!(size_of::<SequenceMethods>() == 80);
// SAFETY: suites are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for SequenceMethods {}

impl SequenceMethods {
    /// No slot filled.
    pub const EMPTY: Self = Self {
        sq_length: Cell::new(None),
        sq_concat: Cell::new(None),
        sq_repeat: Cell::new(None),
        sq_item: Cell::new(None),
        was_sq_slice: Cell::new(std::ptr::null()),
        sq_ass_item: Cell::new(None),
        was_sq_ass_slice: Cell::new(std::ptr::null()),
        sq_contains: Cell::new(None),
        sq_inplace_concat: Cell::new(None),
        sq_inplace_repeat: Cell::new(None),
    };
}

/// `PyMappingMethods`.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Clone)]
pub struct MappingMethods {
    pub mp_length: Cell<Option<LenFunc>>,
    pub mp_subscript: Cell<Option<BinaryFunc>>,
    pub mp_ass_subscript: Cell<Option<ObjObjArgProc>>,
}

const _: () = assert!(size_of::<MappingMethods>() == 24);
// SAFETY: suites are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for MappingMethods {}

impl MappingMethods {
    /// No slot filled.
    pub const EMPTY: Self =
        Self { mp_length: Cell::new(None), mp_subscript: Cell::new(None), mp_ass_subscript: Cell::new(None) };
}

/// `PyAsyncMethods`.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Clone)]
pub struct AsyncMethods {
    pub am_await: Cell<Option<UnaryFunc>>,
    pub am_aiter: Cell<Option<UnaryFunc>>,
    pub am_anext: Cell<Option<UnaryFunc>>,
    pub am_send: Cell<Option<SendFunc>>,
}

const _: () = assert!(size_of::<AsyncMethods>() == 32);
// SAFETY: suites are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for AsyncMethods {}

impl AsyncMethods {
    /// No slot filled.
    pub const EMPTY: Self = Self {
        am_await: Cell::new(None),
        am_aiter: Cell::new(None),
        am_anext: Cell::new(None),
        am_send: Cell::new(None),
    };
}

/// `PyBufferProcs`.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Clone)]
pub struct BufferProcs {
    pub bf_getbuffer: Cell<Option<GetBufferProc>>,
    pub bf_releasebuffer: Cell<Option<ReleaseBufferProc>>,
}

const _: () = assert!(size_of::<BufferProcs>() == 16);
// SAFETY: suites are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for BufferProcs {}

impl BufferProcs {
    /// No slot filled.
    pub const EMPTY: Self = Self { bf_getbuffer: Cell::new(None), bf_releasebuffer: Cell::new(None) };
}

/// `PyTypeObject`.
#[repr(C)]
#[allow(missing_docs)]
pub struct Type {
    pub ob_base: VarObject,
    pub tp_name: Cell<*const c_char>,
    pub tp_basicsize: Cell<isize>,
    pub tp_itemsize: Cell<isize>,
    pub tp_dealloc: Cell<Option<Destructor>>,
    pub tp_vectorcall_offset: Cell<isize>,
    pub tp_getattr: Cell<Option<GetAttrFunc>>,
    pub tp_setattr: Cell<Option<SetAttrFunc>>,
    pub tp_as_async: Cell<*const AsyncMethods>,
    pub tp_repr: Cell<Option<ReprFunc>>,
    pub tp_as_number: Cell<*const NumberMethods>,
    pub tp_as_sequence: Cell<*const SequenceMethods>,
    pub tp_as_mapping: Cell<*const MappingMethods>,
    pub tp_hash: Cell<Option<HashFunc>>,
    pub tp_call: Cell<Option<TernaryFunc>>,
    pub tp_str: Cell<Option<ReprFunc>>,
    pub tp_getattro: Cell<Option<BinaryFunc>>,
    pub tp_setattro: Cell<Option<ObjObjArgProc>>,
    pub tp_as_buffer: Cell<*const BufferProcs>,
    pub tp_flags: Cell<u64>,
    pub tp_doc: Cell<*const c_char>,
    pub tp_traverse: Cell<Option<TraverseProc>>,
    pub tp_clear: Cell<Option<Inquiry>>,
    pub tp_richcompare: Cell<Option<RichCmpFunc>>,
    pub tp_weaklistoffset: Cell<isize>,
    pub tp_iter: Cell<Option<UnaryFunc>>,
    pub tp_iternext: Cell<Option<UnaryFunc>>,
    pub tp_methods: Cell<*const MethodDef>,
    pub tp_members: Cell<*const MemberDef>,
    pub tp_getset: Cell<*const GetSetDef>,
    pub tp_base: Cell<*const Type>,
    pub tp_dict: Cell<*mut Object>,
    pub tp_descr_get: Cell<Option<TernaryFunc>>,
    pub tp_descr_set: Cell<Option<ObjObjArgProc>>,
    pub tp_dictoffset: Cell<isize>,
    pub tp_init: Cell<Option<InitProc>>,
    pub tp_alloc: Cell<Option<AllocFunc>>,
    pub tp_new: Cell<Option<NewFunc>>,
    pub tp_free: Cell<Option<FreeFunc>>,
    pub tp_is_gc: Cell<Option<Inquiry>>,
    pub tp_bases: Cell<*mut Object>,
    pub tp_mro: Cell<*mut Object>,
    pub tp_cache: Cell<*mut Object>,
    pub tp_subclasses: Cell<*mut Object>,
    pub tp_weaklist: Cell<*mut Object>,
    pub tp_del: Cell<Option<Destructor>>,
    pub tp_version_tag: Cell<u32>,
    pub tp_finalize: Cell<Option<Destructor>>,
    pub tp_vectorcall: Cell<Option<VectorcallFunc>>,
    pub tp_watched: Cell<u8>,
    pub tp_versions_used: Cell<u16>,
}

const _: () = assert!(size_of::<Type>() == 416);
const _: () = assert!(offset_of!(Type, tp_call) == 128 && offset_of!(Type, tp_flags) == 168);
const _: () = assert!(offset_of!(Type, tp_dict) == 264 && offset_of!(Type, tp_mro) == 344);
const _: () = assert!(offset_of!(Type, tp_vectorcall) == 400);

// SAFETY: types are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for Type {}

impl Type {
    /// An immortal static type of type `metatype` with no slot filled.
    pub const fn static_empty(metatype: *const Type) -> Self {
        Self {
            ob_base: VarObject { ob: Object::immortal_static(metatype), ob_size: Cell::new(0) },
            tp_name: Cell::new(std::ptr::null()),
            tp_basicsize: Cell::new(0),
            tp_itemsize: Cell::new(0),
            tp_dealloc: Cell::new(None),
            tp_vectorcall_offset: Cell::new(0),
            tp_getattr: Cell::new(None),
            tp_setattr: Cell::new(None),
            tp_as_async: Cell::new(std::ptr::null()),
            tp_repr: Cell::new(None),
            tp_as_number: Cell::new(std::ptr::null()),
            tp_as_sequence: Cell::new(std::ptr::null()),
            tp_as_mapping: Cell::new(std::ptr::null()),
            tp_hash: Cell::new(None),
            tp_call: Cell::new(None),
            tp_str: Cell::new(None),
            tp_getattro: Cell::new(None),
            tp_setattro: Cell::new(None),
            tp_as_buffer: Cell::new(std::ptr::null()),
            tp_flags: Cell::new(0),
            tp_doc: Cell::new(std::ptr::null()),
            tp_traverse: Cell::new(None),
            tp_clear: Cell::new(None),
            tp_richcompare: Cell::new(None),
            tp_weaklistoffset: Cell::new(0),
            tp_iter: Cell::new(None),
            tp_iternext: Cell::new(None),
            tp_methods: Cell::new(std::ptr::null()),
            tp_members: Cell::new(std::ptr::null()),
            tp_getset: Cell::new(std::ptr::null()),
            tp_base: Cell::new(std::ptr::null()),
            tp_dict: Cell::new(std::ptr::null_mut()),
            tp_descr_get: Cell::new(None),
            tp_descr_set: Cell::new(None),
            tp_dictoffset: Cell::new(0),
            tp_init: Cell::new(None),
            tp_alloc: Cell::new(None),
            tp_new: Cell::new(None),
            tp_free: Cell::new(None),
            tp_is_gc: Cell::new(None),
            tp_bases: Cell::new(std::ptr::null_mut()),
            tp_mro: Cell::new(std::ptr::null_mut()),
            tp_cache: Cell::new(std::ptr::null_mut()),
            tp_subclasses: Cell::new(std::ptr::null_mut()),
            tp_weaklist: Cell::new(std::ptr::null_mut()),
            tp_del: Cell::new(None),
            tp_version_tag: Cell::new(0),
            tp_finalize: Cell::new(None),
            tp_vectorcall: Cell::new(None),
            tp_watched: Cell::new(0),
            tp_versions_used: Cell::new(0),
        }
    }
}

/// `PyHeapTypeObject`: what a class statement makes. The suites are embedded.
#[repr(C)]
#[allow(missing_docs)]
pub struct HeapType {
    pub ht_type: Type,
    pub as_async: AsyncMethods,
    pub as_number: NumberMethods,
    pub as_mapping: MappingMethods,
    pub as_sequence: SequenceMethods,
    pub as_buffer: BufferProcs,
    pub ht_name: Cell<*mut Object>,
    pub ht_slots: Cell<*mut Object>,
    pub ht_qualname: Cell<*mut Object>,
    /// Keys shared by the instances' attribute values; owned by the dict module.
    pub ht_cached_keys: Cell<*mut c_void>,
    pub ht_module: Cell<*mut Object>,
    pub ht_tpname: Cell<*mut c_char>,
    pub ht_token: Cell<*mut c_void>,
    /// What specialised instructions remember: `__getitem__` and `__init__` with their versions.
    pub spec_cache: [Cell<*mut c_void>; 3],
}

const _: () = assert!(size_of::<HeapType>() == 936 && offset_of!(HeapType, ht_name) == 856);

/// Bits of `tp_flags`.
pub struct TypeFlags;

#[allow(missing_docs)]
impl TypeFlags {
    pub const HAVE_FINALIZE: u64 = 1;
    pub const INLINE_VALUES: u64 = 1 << 2;
    pub const MANAGED_WEAKREF: u64 = 1 << 3;
    pub const MANAGED_DICT: u64 = 1 << 4;
    pub const PREHEADER: u64 = Self::MANAGED_WEAKREF | Self::MANAGED_DICT;
    pub const SEQUENCE: u64 = 1 << 5;
    pub const MAPPING: u64 = 1 << 6;
    pub const DISALLOW_INSTANTIATION: u64 = 1 << 7;
    pub const IMMUTABLETYPE: u64 = 1 << 8;
    pub const HEAPTYPE: u64 = 1 << 9;
    pub const BASETYPE: u64 = 1 << 10;
    pub const HAVE_VECTORCALL: u64 = 1 << 11;
    pub const READY: u64 = 1 << 12;
    pub const READYING: u64 = 1 << 13;
    pub const HAVE_GC: u64 = 1 << 14;
    pub const METHOD_DESCRIPTOR: u64 = 1 << 17;
    pub const HAVE_VERSION_TAG: u64 = 1 << 18;
    pub const VALID_VERSION_TAG: u64 = 1 << 19;
    pub const IS_ABSTRACT: u64 = 1 << 20;
    pub const MATCH_SELF: u64 = 1 << 22;
    pub const ITEMS_AT_END: u64 = 1 << 23;
    pub const LONG_SUBCLASS: u64 = 1 << 24;
    pub const LIST_SUBCLASS: u64 = 1 << 25;
    pub const TUPLE_SUBCLASS: u64 = 1 << 26;
    pub const BYTES_SUBCLASS: u64 = 1 << 27;
    pub const UNICODE_SUBCLASS: u64 = 1 << 28;
    pub const DICT_SUBCLASS: u64 = 1 << 29;
    pub const BASE_EXC_SUBCLASS: u64 = 1 << 30;
    pub const TYPE_SUBCLASS: u64 = 1 << 31;
}

impl Type {
    /// `tp_name`: "module.name" for static types, the bare name for classes.
    pub fn tp_name_str(&self) -> &str {
        let name = self.tp_name.get();
        if name.is_null() {
            return "?";
        }
        // SAFETY: `tp_name` is a NUL-terminated string that lives as long as the type.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }

    /// The type's `__name__`: what follows the last dot of `tp_name` in static types.
    pub fn name(&self) -> &str {
        let full = self.tp_name_str();
        if self.has_flag(TypeFlags::HEAPTYPE) {
            return full;
        }
        full.rsplit_once('.').map_or(full, |(_, name)| name)
    }

    /// Whether any of the given flag bits is set.
    #[inline(always)]
    pub fn has_flag(&self, flag: u64) -> bool {
        self.tp_flags.get() & flag != 0
    }

    /// Sets flag bits.
    pub fn set_flag(&self, flag: u64) {
        self.tp_flags.set(self.tp_flags.get() | flag);
    }

    /// Clears flag bits.
    pub fn clear_flag(&self, flag: u64) {
        self.tp_flags.set(self.tp_flags.get() & !flag);
    }

    /// Whether instances carry the collector's header.
    #[inline(always)]
    pub fn is_gc(&self) -> bool {
        self.has_flag(TypeFlags::HAVE_GC)
    }

    /// The base type, or none for `object`.
    #[inline]
    pub fn base(&self) -> Option<&Type> {
        // SAFETY: a type owns a reference to its base.
        unsafe { self.tp_base.get().as_ref() }
    }

    /// `issubclass` by the real method resolution order, no hooks.
    pub fn is_subtype_of(&self, other: &Type) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let mro = self.tp_mro.get();
        if mro.is_null() {
            // Not ready yet: the chain of bases is all there is.
            let mut walk = self.base();
            while let Some(tp) = walk {
                if std::ptr::eq(tp, other) {
                    return true;
                }
                walk = tp.base();
            }
            return false;
        }
        // SAFETY: `tp_mro` is a tuple: its items start at byte 32, its length is `ob_size`.
        unsafe {
            let len = (*mro.cast::<VarObject>()).ob_size.get();
            let items = mro.cast::<u8>().add(32).cast::<*const Type>();
            (0..len).any(|i| std::ptr::eq(*items.offset(i), other))
        }
    }

    /// The number suite.
    #[inline(always)]
    pub fn as_number(&self) -> Option<&NumberMethods> {
        // SAFETY: a suite lives as long as its type.
        unsafe { self.tp_as_number.get().as_ref() }
    }

    /// The sequence suite.
    #[inline(always)]
    pub fn as_sequence(&self) -> Option<&SequenceMethods> {
        // SAFETY: as above.
        unsafe { self.tp_as_sequence.get().as_ref() }
    }

    /// The mapping suite.
    #[inline(always)]
    pub fn as_mapping(&self) -> Option<&MappingMethods> {
        // SAFETY: as above.
        unsafe { self.tp_as_mapping.get().as_ref() }
    }

    /// The async suite.
    #[inline(always)]
    pub fn as_async(&self) -> Option<&AsyncMethods> {
        // SAFETY: as above.
        unsafe { self.tp_as_async.get().as_ref() }
    }

    /// The buffer suite.
    #[inline(always)]
    pub fn as_buffer(&self) -> Option<&BufferProcs> {
        // SAFETY: as above.
        unsafe { self.tp_as_buffer.get().as_ref() }
    }

    /// This type as the heap type it is, when a class statement or a type spec made it.
    #[inline]
    pub fn as_heap_type(&self) -> Option<&HeapType> {
        if self.has_flag(TypeFlags::HEAPTYPE) {
            // SAFETY: the flag is only set on types allocated as `HeapType`.
            Some(unsafe { &*std::ptr::from_ref(self).cast::<HeapType>() })
        } else {
            None
        }
    }
}

unsafe extern "C" {
    /// The static object of `type` itself; defined by the crate `vm`.
    pub static PyType_Type: Type;
    /// The static object of `object`; defined by the crate `vm`.
    pub static PyBaseObject_Type: Type;
}

unsafe extern "C" {
    /// The ends of the section that holds the static types; made by the linker.
    #[link_name = "__start_taipan_types"]
    static FIRST_STATIC_TYPE: Type;
    #[link_name = "__stop_taipan_types"]
    static STATIC_TYPES_END: Type;
}

/// All static types: whoever declares one puts it into the section `taipan_types`.
pub fn static_types() -> &'static [Type] {
    let (first, end) = (&raw const FIRST_STATIC_TYPE, &raw const STATIC_TYPES_END);
    let count = (end as usize - first as usize) / size_of::<Type>();
    // SAFETY: the section holds nothing but types, which have no gaps between them.
    unsafe { std::slice::from_raw_parts(first, count) }
}

// SAFETY: `Type` begins with an object header.
unsafe impl PyLayout for Type {
    #[inline(always)]
    fn static_type() -> *const Type {
        &raw const PyType_Type
    }
    #[inline(always)]
    fn is_instance(object: &Object) -> bool {
        object.ob_type().has_flag(TypeFlags::TYPE_SUBCLASS)
    }
}
