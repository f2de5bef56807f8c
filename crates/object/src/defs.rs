//! The definition structs by which types and modules describe their members to the runtime
//! (C API manual, "Common Object Structures"). Extensions allocate them too, so they are ABI.

use std::ffi::{c_char, c_int, c_uint, c_void};

use crate::object::Object;

/// `PyMethodDef`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MethodDef {
    /// The name, or null in the entry that ends a table.
    pub ml_name: *const c_char,
    /// The function; `ml_flags` tells its true signature.
    pub ml_meth: Option<CFunction>,
    /// `METH_*` flags.
    pub ml_flags: c_int,
    /// The docstring, headed by the text signature, or null.
    pub ml_doc: *const c_char,
}

/// `PyCFunction`: self and one argument (or null, or the argument tuple).
pub type CFunction = unsafe extern "C" fn(*mut Object, *mut Object) -> *mut Object;
/// `PyCFunctionFast`.
pub type CFunctionFast = unsafe extern "C" fn(*mut Object, *const *mut Object, isize) -> *mut Object;
/// `PyCFunctionFastWithKeywords`.
pub type CFunctionFastKw =
    unsafe extern "C" fn(*mut Object, *const *mut Object, isize, *mut Object) -> *mut Object;
/// `PyCFunctionWithKeywords`.
pub type CFunctionKw = unsafe extern "C" fn(*mut Object, *mut Object, *mut Object) -> *mut Object;
/// `PyCMethod`.
pub type CMethod =
    unsafe extern "C" fn(*mut Object, *mut Object, *const *mut Object, usize, *mut Object) -> *mut Object;

/// Call conventions and kinds of a `MethodDef`.
pub mod meth {
    /// Self and a tuple.
    pub const VARARGS: i32 = 1;
    /// Takes keywords too.
    pub const KEYWORDS: i32 = 2;
    /// No argument.
    pub const NOARGS: i32 = 4;
    /// One positional argument.
    pub const O: i32 = 8;
    /// A class method.
    pub const CLASS: i32 = 0x10;
    /// A static method.
    pub const STATIC: i32 = 0x20;
    /// Replaces a slot wrapper of the same name.
    pub const COEXIST: i32 = 0x40;
    /// An array of arguments.
    pub const FASTCALL: i32 = 0x80;
    /// Is passed its defining class.
    pub const METHOD: i32 = 0x200;
}

// SAFETY: definition tables are constant data.
unsafe impl Sync for MethodDef {}

impl MethodDef {
    /// The entry that ends a table.
    pub const END: MethodDef =
        MethodDef { ml_name: std::ptr::null(), ml_meth: None, ml_flags: 0, ml_doc: std::ptr::null() };
}

/// `PyMemberDef`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MemberDef {
    /// The name, or null at the end.
    pub name: *const c_char,
    /// One of `member::*`.
    pub kind: c_int,
    /// Offset of the field in the object, in bytes.
    pub offset: isize,
    /// `member::READONLY` and others.
    pub flags: c_int,
    /// The docstring or null.
    pub doc: *const c_char,
}

// SAFETY: definition tables are constant data.
unsafe impl Sync for MemberDef {}

impl MemberDef {
    /// The entry that ends a table.
    pub const END: MemberDef =
        MemberDef { name: std::ptr::null(), kind: 0, offset: 0, flags: 0, doc: std::ptr::null() };
}

/// Kinds and flags of a `MemberDef`.
#[allow(missing_docs)]
pub mod member {
    pub const SHORT: i32 = 0;
    pub const INT: i32 = 1;
    pub const LONG: i32 = 2;
    pub const FLOAT: i32 = 3;
    pub const DOUBLE: i32 = 4;
    pub const STRING: i32 = 5;
    pub const OBJECT: i32 = 6;
    pub const CHAR: i32 = 7;
    pub const BYTE: i32 = 8;
    pub const UBYTE: i32 = 9;
    pub const USHORT: i32 = 10;
    pub const UINT: i32 = 11;
    pub const ULONG: i32 = 12;
    pub const STRING_INPLACE: i32 = 13;
    pub const BOOL: i32 = 14;
    pub const OBJECT_EX: i32 = 16;
    pub const LONGLONG: i32 = 17;
    pub const ULONGLONG: i32 = 18;
    pub const PYSSIZET: i32 = 19;
    pub const NONE: i32 = 20;
    pub const READONLY: i32 = 1;
    pub const AUDIT_READ: i32 = 2;
    pub const RELATIVE_OFFSET: i32 = 8;
}

/// `getter`.
pub type Getter = unsafe extern "C" fn(*mut Object, *mut c_void) -> *mut Object;
/// `setter`: the value is null for deletion.
pub type Setter = unsafe extern "C" fn(*mut Object, *mut Object, *mut c_void) -> c_int;

/// `PyGetSetDef`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GetSetDef {
    /// The name, or null at the end.
    pub name: *const c_char,
    /// Reads the attribute.
    pub get: Option<Getter>,
    /// Writes or deletes it.
    pub set: Option<Setter>,
    /// The docstring or null.
    pub doc: *const c_char,
    /// Passed to both functions.
    pub closure: *mut c_void,
}

// SAFETY: definition tables are constant data.
unsafe impl Sync for GetSetDef {}

impl GetSetDef {
    /// The entry that ends a table.
    pub const END: GetSetDef = GetSetDef {
        name: std::ptr::null(),
        get: None,
        set: None,
        doc: std::ptr::null(),
        closure: std::ptr::null_mut(),
    };
}

/// `Py_buffer` (PEP 3118).
#[repr(C)]
#[allow(missing_docs)]
pub struct PyBuffer {
    pub buf: *mut c_void,
    pub obj: *mut Object,
    pub len: isize,
    pub itemsize: isize,
    pub readonly: c_int,
    pub ndim: c_int,
    pub format: *mut c_char,
    pub shape: *mut isize,
    pub strides: *mut isize,
    pub suboffsets: *mut isize,
    pub internal: *mut c_void,
}

/// `PyType_Slot`.
#[repr(C)]
#[allow(missing_docs)]
pub struct TypeSlot {
    pub slot: c_int,
    pub pfunc: *mut c_void,
}

/// `PyType_Spec`.
#[repr(C)]
#[allow(missing_docs)]
pub struct TypeSpec {
    pub name: *const c_char,
    pub basicsize: c_int,
    pub itemsize: c_int,
    pub flags: c_uint,
    pub slots: *mut TypeSlot,
}

const _: () = assert!(size_of::<MethodDef>() == 32);
const _: () = assert!(size_of::<MemberDef>() == 40);
const _: () = assert!(size_of::<GetSetDef>() == 40);
const _: () = assert!(size_of::<PyBuffer>() == 80);
const _: () = assert!(size_of::<TypeSlot>() == 16);
const _: () = assert!(size_of::<TypeSpec>() == 32);
