//! The object protocol and reference counts (C API manual, "Object Protocol" and "Reference Counting").

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use taipan_object::object::{dealloc, xdecref};
use taipan_vm::builtins::dict::managed;
use taipan_vm::prelude::*;
use taipan_vm::protocols::attributes;

use crate::support::*;

unsafe extern "C" {
    fn taipan_write_file(file: *mut c_void, text: *const c_char, length: usize) -> c_int;
}

const PRINT_RAW: c_int = 1;

/// `_Py_Dealloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_Dealloc(op: Ptr) {
    // SAFETY: the inlined decrement of C code has taken the count to zero.
    unsafe { dealloc(op) }
}

/// `_Py_NewReference`: the object begins (again) with one reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_NewReference(op: Ptr) {
    // SAFETY: the memory is the caller's.
    unsafe { op.cast::<u64>().write(1) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_NewReferenceNoTotal(op: Ptr) {
    // SAFETY: the memory is the caller's.
    unsafe { op.cast::<u64>().write(1) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_ResurrectReference(op: Ptr) {
    // SAFETY: the memory is the caller's.
    unsafe { op.cast::<u64>().write(1) }
}

macro_rules! counting {
    ($($inc:ident $dec:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $inc(op: Ptr) {
            // SAFETY: null or alive.
            if let Some(object) = unsafe { op.as_ref() } {
                object.incref();
            }
        }
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $dec(op: Ptr) {
            // SAFETY: null, or the caller gives its reference.
            unsafe { xdecref(op) }
        }
    )*};
}
counting! {
    Py_IncRef Py_DecRef;
    _Py_IncRef _Py_DecRef;
}

macro_rules! new_refs {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(op: Ptr) -> Ptr {
            // SAFETY: null or alive.
            if let Some(object) = unsafe { op.as_ref() } {
                object.incref();
            }
            op
        }
    )*};
}
new_refs! { Py_NewRef Py_XNewRef }

/// Makes the header of new memory: one reference, the type, and for heap types a reference to it.
unsafe fn begin(op: Ptr, tp: &Type) {
    // SAFETY: the memory is the caller's and large enough.
    unsafe { op.write(Object::new(tp)) };
    if tp.has_flag(TypeFlags::HEAPTYPE) {
        tp.as_object().incref();
    }
}

capi! {
    fn Py_REFCNT(vm, object: &Object) -> isize {
        object.refcount() as isize
    }

    fn _Py_SetRefcnt(vm, object: &Object, count: isize) -> Void {
        object.set_refcount(count as u32);
        Void
    }

    fn Py_TYPE(vm, object: &Object) -> *mut Type {
        object.type_ptr().cast_mut()
    }

    fn Py_Is(vm, a: *mut Object, b: *mut Object) -> bool {
        a == b
    }

    fn Py_IsNone(vm, object: &Object) -> bool {
        vm.is_none(object)
    }

    fn Py_IsTrue(vm, object: &Object) -> bool {
        object.is(vm.true_ref())
    }

    fn Py_IsFalse(vm, object: &Object) -> bool {
        object.is(vm.false_ref())
    }

    fn _Py_SetImmortal(vm, object: &Object) -> Void {
        object.make_immortal();
        Void
    }

    fn PyUnstable_SetImmortal(vm, object: &Object) -> c_int {
        if !object.is_unique() || object.downcast_ref::<Str>().is_some() {
            return 0;
        }
        object.make_immortal();
        1
    }

    fn PyUnstable_IsImmortal(vm, object: &Object) -> bool {
        object.is_immortal()
    }

    fn PyUnstable_TryIncRef(vm, object: &Object) -> bool {
        let alive = object.refcount() > 0;
        if alive {
            object.incref();
        }
        alive
    }

    fn PyUnstable_EnableTryIncRef(vm, object: &Object) -> Void {
        Void
    }

    fn PyUnstable_Object_EnableDeferredRefcount(vm, object: &Object) -> c_int {
        0
    }

    fn PyUnstable_Object_IsUniquelyReferenced(vm, object: &Object) -> bool {
        object.is_unique()
    }

    fn PyUnstable_Object_IsUniqueReferencedTemporary(vm, object: &Object) -> bool {
        // Temporaries on the evaluation stack are not told apart.
        false
    }

    fn Py_GetConstant(vm, which: c_uint) -> PyResult {
        constant(which, vm)
    }

    fn Py_GetConstantBorrowed(vm, which: c_uint) -> PyResult<Ptr> {
        // Constants are immortal.
        constant(which, vm).map(|object| object.as_raw())
    }

    fn PyObject_Init(vm, op: *mut Object, tp: &Type) -> Ptr {
        if op.is_null() {
            vm.memory_error();
            return op;
        }
        begin(op, tp);
        op
    }

    fn PyObject_InitVar(vm, op: *mut VarObject, tp: &Type, items: isize) -> Ptr {
        if op.is_null() {
            vm.memory_error();
            return op.cast();
        }
        begin(op.cast(), tp);
        (*op).ob_size.set(items);
        op.cast()
    }

    fn PyObject_Repr(vm, object: Option<&Object>) -> PyResult<Ref<Str>> {
        match object {
            Some(object) => object.repr(vm),
            None => Ok(vm.new_str("<NULL>")),
        }
    }

    fn PyObject_Str(vm, object: Option<&Object>) -> PyResult<Ref<Str>> {
        match object {
            Some(object) => object.str(vm),
            None => Ok(vm.new_str("<NULL>")),
        }
    }

    fn PyObject_ASCII(vm, object: Option<&Object>) -> PyResult<Ref<Str>> {
        match object {
            Some(object) => taipan_vm::builtins::str::repr::ascii(object, vm),
            None => Ok(vm.new_str("<NULL>")),
        }
    }

    fn PyObject_Bytes(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
        match object {
            Some(object) => taipan_vm::builtins::bytes::to_bytes(object, vm),
            None => Ok(vm.new_bytes(b"<NULL>")),
        }
    }

    fn PyObject_Format(vm, object: &Object, spec: Option<&Object>) -> PyResult<Ref<Str>> {
        let spec = match spec {
            Some(spec) => Some(spec.downcast_ref::<Str>().ok_or_else(|| {
                vm.system_error(format!("Format specifier must be a string, not {}", spec.ob_type().name()))
            })?),
            None => None,
        };
        object.format(spec, vm)
    }

    fn PyObject_Print(vm, object: Option<&Object>, file: *mut c_void, flags: c_int) -> PyResult<()> {
        let text = match object {
            None => vm.new_str("<nil>"),
            Some(object) if flags & PRINT_RAW != 0 => object.str(vm)?,
            Some(object) => object.repr(vm)?,
        };
        print_to(&text, file, vm)
    }

    fn PyObject_Hash(vm, object: &Object) -> PyResult<isize> {
        object.hash(vm)
    }

    fn PyObject_IsTrue(vm, object: &Object) -> PyResult<bool> {
        object.is_true(vm)
    }

    fn PyObject_Not(vm, object: &Object) -> PyResult<bool> {
        object.is_true(vm).map(|answer| !answer)
    }

    fn PyObject_RichCompare(vm, a: Option<&Object>, b: Option<&Object>, op: c_int) -> PyResult {
        match (a, b) {
            (Some(a), Some(b)) => a.rich_compare(b, CompareOp::from_c(op), vm),
            _ => Err(if vm.has_exception() { Raised } else { bad_internal_call(vm) }),
        }
    }

    fn PyObject_RichCompareBool(vm, a: &Object, b: &Object, op: c_int) -> PyResult<bool> {
        a.rich_compare_bool(b, CompareOp::from_c(op), vm)
    }

    fn PyObject_Type(vm, object: Option<&Object>) -> PyResult {
        Ok(present(object, vm)?.ob_type().as_object().to_ref())
    }

    fn PyObject_IsInstance(vm, object: &Object, class: &Object) -> PyResult<bool> {
        object.is_instance(class, vm)
    }

    fn PyObject_IsSubclass(vm, derived: &Object, class: &Object) -> PyResult<bool> {
        derived.is_subclass(class, vm)
    }

    fn PyObject_Dir(vm, object: Option<&Object>) -> PyResult {
        let dir = taipan_vm::builtins::builtins_module::builtin(&vm.intern("dir"), vm)?;
        match object {
            Some(object) => dir.call(&[object], vm),
            None => dir.call_no_args(vm),
        }
    }

    fn PyCallable_Check(vm, object: Option<&Object>) -> bool {
        object.is_some_and(Object::is_callable)
    }

    fn PyObject_SelfIter(vm, object: &Object) -> ObjRef {
        object.to_ref()
    }

    fn PyObject_GetAttr(vm, object: &Object, name: &Object) -> PyResult {
        object.get_attr(attr_name(name, vm)?, vm)
    }

    fn PyObject_GetAttrString(vm, object: &Object, attribute: &CStr) -> PyResult {
        object.get_attr(&*name(attribute, vm)?, vm)
    }

    fn PyObject_GetOptionalAttr(vm, object: &Object, name: &Object, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        let found = object.lookup_attr(attr_name(name, vm)?, vm)?;
        give(found, result)
    }

    fn PyObject_GetOptionalAttrString(vm, object: &Object, attribute: &CStr, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        let found = object.lookup_attr(&*name(attribute, vm)?, vm)?;
        give(found, result)
    }

    fn _PyObject_LookupAttr(vm, object: &Object, name: &Object, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        let found = object.lookup_attr(attr_name(name, vm)?, vm)?;
        give(found, result)
    }

    fn _PyObject_GetMethod(vm, object: &Object, name: &Object, result: *mut Ptr) -> c_int {
        *result = std::ptr::null_mut();
        let Ok(name) = attr_name(name, vm) else { return 0 };
        match attributes::get_method(object, name, vm) {
            Ok((method, unbound)) => {
                *result = method.into_raw();
                c_int::from(unbound)
            }
            Err(Raised) => 0,
        }
    }

    fn PyObject_HasAttrWithError(vm, object: &Object, name: &Object) -> PyResult<bool> {
        Ok(object.lookup_attr(attr_name(name, vm)?, vm)?.is_some())
    }

    fn PyObject_HasAttrStringWithError(vm, object: &Object, attribute: &CStr) -> PyResult<bool> {
        Ok(object.lookup_attr(&*name(attribute, vm)?, vm)?.is_some())
    }

    fn PyObject_HasAttr(vm, object: &Object, name: &Object) -> bool {
        quiet(attr_name(name, vm).and_then(|name| object.lookup_attr(name, vm)).map(|a| a.is_some()), vm)
    }

    fn PyObject_HasAttrString(vm, object: &Object, attribute: &CStr) -> bool {
        quiet(name(attribute, vm).and_then(|name| object.lookup_attr(&name, vm)).map(|a| a.is_some()), vm)
    }

    fn PyObject_SetAttr(vm, object: &Object, name: &Object, value: Option<&Object>) -> PyResult<()> {
        attributes::set_attr(object, attr_name(name, vm)?, value, vm)
    }

    fn PyObject_SetAttrString(vm, object: &Object, attribute: &CStr, value: Option<&Object>) -> PyResult<()> {
        attributes::set_attr(object, &*name(attribute, vm)?, value, vm)
    }

    fn PyObject_DelAttr(vm, object: &Object, name: &Object) -> PyResult<()> {
        object.del_attr(attr_name(name, vm)?, vm)
    }

    fn PyObject_DelAttrString(vm, object: &Object, attribute: &CStr) -> PyResult<()> {
        object.del_attr(&*name(attribute, vm)?, vm)
    }

    fn PyObject_GenericGetDict(vm, object: &Object, context: *mut c_void) -> PyResult<Ref<Dict>> {
        if !managed::has_instance_dict(object) {
            return Err(vm.attribute_error("This object has no __dict__"));
        }
        managed::instance_dict(object, vm)
    }

    fn PyObject_GenericSetDict(vm, object: &Object, value: Option<&Object>, context: *mut c_void) -> PyResult<()> {
        if !managed::has_instance_dict(object) {
            return Err(vm.attribute_error("This object has no __dict__"));
        }
        match value {
            None => Err(vm.type_error("cannot delete __dict__")),
            Some(value) if value.downcast_ref::<Dict>().is_none() => Err(vm.type_error(format!(
                "__dict__ must be set to a dictionary, not a '{}'",
                value.ob_type().name()
            ))),
            Some(value) => managed::set_instance_dict(object, Some(value), vm),
        }
    }

    fn _PyObject_GetDictPtr(vm, object: &Object) -> *mut Ptr {
        dict_place(object, vm)
    }

    fn PyObject_VisitManagedDict(vm, object: &Object, visit: *mut c_void, arg: *mut c_void) -> c_int {
        let visit = std::mem::transmute::<*mut c_void, Option<taipan_object::traverse::VisitProc>>(visit);
        let Some(visit) = visit else { return 0 };
        if !object.ob_type().has_flag(TypeFlags::MANAGED_DICT) {
            return 0;
        }
        let mut visitor = Visit::new(visit, arg);
        managed::visit_managed_dict(object, &mut visitor);
        visitor.result()
    }

    fn PyObject_ClearManagedDict(vm, object: &Object) -> Void {
        if object.ob_type().has_flag(TypeFlags::MANAGED_DICT) {
            managed::clear_managed_dict(object);
        }
        Void
    }

    fn PyObject_GetItem(vm, object: Option<&Object>, key: Option<&Object>) -> PyResult {
        present(object, vm)?.get_item(present(key, vm)?, vm)
    }

    fn PyObject_SetItem(vm, object: Option<&Object>, key: Option<&Object>, value: Option<&Object>) -> PyResult<()> {
        present(object, vm)?.set_item(present(key, vm)?, present(value, vm)?, vm)
    }

    fn PyObject_DelItem(vm, object: Option<&Object>, key: Option<&Object>) -> PyResult<()> {
        present(object, vm)?.del_item(present(key, vm)?, vm)
    }

    fn PyObject_DelItemString(vm, object: Option<&Object>, key: &CStr) -> PyResult<()> {
        present(object, vm)?.del_item(name(key, vm)?.as_object(), vm)
    }

    fn PyObject_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        present(object, vm)?.length(vm).map(signed)
    }

    fn PyObject_Length(vm, object: Option<&Object>) -> PyResult<isize> {
        present(object, vm)?.length(vm).map(signed)
    }

    fn PyObject_LengthHint(vm, object: &Object, default: isize) -> PyResult<isize> {
        object.length_hint(usize::try_from(default).unwrap_or(0), vm).map(signed)
    }

    fn PyObject_AsFileDescriptor(vm, object: &Object) -> PyResult<c_int> {
        let number = if object.downcast_ref::<Int>().is_some() {
            object.to_ref()
        } else {
            match object.lookup_attr(&vm.intern("fileno"), vm)? {
                Some(fileno) => {
                    let number = fileno.call_no_args(vm)?;
                    if number.downcast_ref::<Int>().is_none() {
                        return Err(vm.type_error("fileno() returned a non-integer"));
                    }
                    number
                }
                None => return Err(vm.type_error("argument must be an int, or have a fileno() method.")),
            }
        };
        let value = crate::long::as_signed(&number, vm)?;
        let value = c_int::try_from(value).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
        if value < 0 {
            return Err(vm.value_error(format!("file descriptor cannot be a negative integer ({value})")));
        }
        Ok(value)
    }

    fn PyObject_CallFinalizer(vm, object: &Object) -> Void {
        let tp = object.ob_type();
        if let Some(finalize) = tp.tp_finalize.get() {
            if tp.is_gc() && taipan_object::gc::is_finalized(object.as_ptr()) {
                return Void;
            }
            finalize(object.as_ptr());
            if tp.is_gc() {
                taipan_object::gc::set_finalized(object.as_ptr());
            }
        }
        Void
    }

    fn PyObject_CallFinalizerFromDealloc(vm, object: &Object) -> c_int {
        if taipan_vm::builtins::type_::heap::finalize_on_dealloc(object.as_ptr()) { -1 } else { 0 }
    }

    fn PyObject_ClearWeakRefs(vm, object: &Object) -> Void {
        taipan_vm::builtins::weakref::clear_weakrefs(object.as_ptr());
        Void
    }

    fn PyUnstable_Object_ClearWeakRefsNoCallbacks(vm, object: &Object) -> Void {
        taipan_vm::builtins::weakref::clear_weakrefs(object.as_ptr());
        Void
    }

    fn PyObject_GET_WEAKREFS_LISTPTR(vm, object: &Object) -> *mut Ptr {
        let offset = object.ob_type().tp_weaklistoffset.get();
        object.as_ptr().byte_offset(offset).cast()
    }

    fn PyObject_GetTypeData(vm, object: &Object, class: &Type) -> *mut c_void {
        let base = class.base().map_or(0, |base| base.tp_basicsize.get());
        let base = (base + 15) & !15;
        object.as_ptr().byte_offset(base).cast()
    }

    fn PyType_GetTypeDataSize(vm, class: &Type) -> isize {
        let base = class.base().map_or(0, |base| base.tp_basicsize.get());
        (class.tp_basicsize.get() - ((base + 15) & !15)).max(0)
    }

    fn PyObject_GetItemData(vm, object: &Object) -> PyResult<*mut c_void> {
        if !object.ob_type().has_flag(TypeFlags::ITEMS_AT_END) {
            return Err(vm.type_error(format!(
                "type '{}' does not have Py_TPFLAGS_ITEMS_AT_END",
                object.ob_type().name()
            )));
        }
        Ok(object.as_ptr().byte_offset(object.ob_type().tp_basicsize.get()).cast())
    }

    fn Py_GenericAlias(vm, origin: &Object, args: &Object) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(origin, args, vm)
    }

    fn Py_HashPointer(vm, pointer: *const c_void) -> isize {
        hash_pointer(pointer)
    }

    fn _Py_HashPointer(vm, pointer: *const c_void) -> isize {
        hash_pointer(pointer)
    }

    fn PyObject_GenericHash(vm, object: &Object) -> isize {
        taipan_vm::builtins::object::pointer_hash(object)
    }

    fn Py_HashBuffer(vm, data: *const c_void, length: isize) -> isize {
        taipan_vm::builtins::str::hash::hash_bytes(bytes_at(data, usize::try_from(length).unwrap_or(0)), vm)
    }

    fn _Py_HashBytes(vm, data: *const c_void, length: isize) -> isize {
        taipan_vm::builtins::str::hash::hash_bytes(bytes_at(data, usize::try_from(length).unwrap_or(0)), vm)
    }

    fn PyFile_WriteObject(vm, object: &Object, file: Option<&Object>, flags: c_int) -> PyResult<()> {
        let Some(file) = file else { return Err(vm.type_error("writeobject with NULL file")) };
        let text = if flags & PRINT_RAW != 0 { object.str(vm)? } else { object.repr(vm)? };
        file.call_method(&vm.intern("write"), &[text.as_object()], vm).map(drop)
    }

    fn PyFile_WriteString(vm, text: &CStr, file: Option<&Object>) -> PyResult<()> {
        match file {
            Some(file) if !vm.has_exception() => {
                let text = decode_utf8(text.to_bytes(), vm)?;
                file.call_method(&vm.intern("write"), &[text.as_object()], vm).map(drop)
            }
            Some(_) => Err(Raised),
            None if vm.has_exception() => Err(Raised),
            None => Err(vm.system_error("null file for PyFile_WriteString")),
        }
    }

    fn PyFile_GetLine(vm, file: &Object, limit: c_int) -> PyResult {
        let limit = vm.new_int(limit);
        file.call_method(&vm.intern("readline"), &[&limit], vm)
    }

    fn PyFile_FromFd(
        vm, fd: c_int, name: Option<&CStr>, mode: Option<&CStr>, buffering: c_int, encoding: Option<&CStr>, errors: Option<&CStr>,
        newline: Option<&CStr>, closefd: c_int,
    ) -> PyResult {
        let io = taipan_vm::import::import_module("_io", vm)?;
        let text = |text: Option<&CStr>| text.map_or_else(|| vm.none(), |t| vm.new_str(&lossy(t)).into_object());
        let mode = vm.new_str(&mode.map_or("r".into(), lossy));
        let args = [
            vm.new_int(fd), mode.into_object(), vm.new_int(buffering), text(encoding), text(errors), text(newline),
            vm.new_bool(closefd != 0),
        ];
        let args = args.iter().map(|arg| &**arg).collect::<Vec<_>>();
        io.get_attr(&vm.intern("open"), vm)?.call(&args, vm)
    }

    fn PyOS_FSPath(vm, path: &Object) -> PyResult {
        taipan_vm::protocols::path::fspath(path, vm)
    }

}

/// Stores what was found and tells whether there was something.
pub fn give(found: Option<ObjRef>, place: *mut Ptr) -> PyResult<bool> {
    let is_some = found.is_some();
    // SAFETY: the place is the caller's variable.
    unsafe { *place = found.map_or(std::ptr::null_mut(), Ref::into_raw) };
    Ok(is_some)
}

/// Functions that can't report failure show it as unraisable.
pub fn quiet(result: PyResult<bool>, vm: &Vm) -> bool {
    result.unwrap_or_else(|_| {
        vm.write_unraisable(None, None);
        false
    })
}

/// The hash of an address: its low bits are always zero, so they go to the top.
pub fn hash_pointer(pointer: *const c_void) -> isize {
    let hash = (pointer as usize).rotate_right(4) as isize;
    if hash == -1 { -2 } else { hash }
}

fn constant(which: c_uint, vm: &Vm) -> PyResult {
    Ok(match which {
        0 => vm.none(),
        1 => vm.new_bool(false),
        2 => vm.new_bool(true),
        3 => vm.ellipsis(),
        4 => vm.not_implemented(),
        5 => vm.new_int(0),
        6 => vm.new_int(1),
        7 => vm.new_str("").into_object(),
        8 => Bytes::empty().into_object(),
        9 => Tuple::empty(vm).into_object(),
        _ => return Err(bad_internal_call(vm)),
    })
}

/// The field that holds an instance's dictionary. A managed one is made first, as its word may hold no dictionary.
fn dict_place(object: &Object, vm: &Vm) -> *mut Ptr {
    let tp = object.ob_type();
    if tp.has_flag(TypeFlags::MANAGED_DICT) {
        if managed::instance_dict(object, vm).is_err() {
            vm.clear_exception();
            return std::ptr::null_mut();
        }
        // SAFETY: the type has the flag.
        return unsafe { taipan_object::gc::managed_dict(object.as_ptr()) };
    }
    let mut offset = tp.tp_dictoffset.get();
    if offset == 0 {
        return std::ptr::null_mut();
    }
    if offset < 0 {
        // SAFETY: a negative offset counts from the end of a variable-sized object.
        let items = unsafe { (*object.as_ptr().cast::<VarObject>()).ob_size.get() }.abs();
        let size = tp.tp_basicsize.get() + items * tp.tp_itemsize.get();
        offset += (size + 7) & !7;
    }
    // SAFETY: the offset lies in the object.
    unsafe { object.as_ptr().byte_offset(offset).cast() }
}

/// Writes text to a C stream.
fn print_to(text: &Str, file: *mut c_void, vm: &Vm) -> PyResult<()> {
    let bytes = taipan_vm::builtins::codecs_core::utf8::encode(text, "backslashreplace", vm)?;
    let data = bytes.as_bytes();
    // SAFETY: C code gives its open stream.
    match unsafe { taipan_write_file(file, data.as_ptr().cast(), data.len()) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}
