//! Struct sequences (C API manual, "Struct Sequence Objects").

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::builtins::structseq::{StructSeq, declaration_of, place_of};
use taipan_vm::prelude::*;

use crate::support::*;

/// `PyStructSequence_Field`.
#[repr(C)]
pub struct Field {
    name: *const c_char,
    doc: *const c_char,
}

/// `PyStructSequence_Desc`.
#[repr(C)]
pub struct Desc {
    name: *const c_char,
    doc: *const c_char,
    fields: *const Field,
    n_in_sequence: c_int,
}

/// Text that lives as long as the process, as the types do.
fn kept(text: &CStr) -> &'static str {
    String::leak(lossy(text).into_owned())
}

/// Keeps a description as a declaration, which lives as long as the process.
fn declared(desc: &Desc) -> &'static StructSeq {
    let mut fields = Vec::new();
    let mut at = desc.fields;
    // SAFETY: a description's fields end with a null name.
    while let Some(field) = unsafe { at.as_ref() }.filter(|field| !field.name.is_null()) {
        let unnamed = std::ptr::eq(
            field.name,
            crate::data::PyStructSequence_UnnamedField.load(std::sync::atomic::Ordering::Relaxed).cast(),
        );
        // SAFETY: names and docstrings are NUL-terminated or null.
        let (name, doc) = unsafe { (<&CStr>::from_c(field.name), <&CStr>::from_c(field.doc)) };
        fields.push((if unnamed { "" } else { kept(name) }, kept(doc)));
        // SAFETY: behind a field that is not the last lies another.
        at = unsafe { at.add(1) };
    }
    // SAFETY: as above.
    let (name, doc) = unsafe { (<&CStr>::from_c(desc.name), <&CStr>::from_c(desc.doc)) };
    Box::leak(Box::new(StructSeq {
        name: kept(name),
        doc: kept(doc),
        fields: Vec::leak(fields),
        visible: usize::try_from(desc.n_in_sequence).unwrap_or(0),
    }))
}

/// # Safety
/// The type is static; it is zeroed, unless it was made before.
unsafe fn init_static(tp: *mut Type, desc: &Desc, vm: &Vm) -> PyResult<()> {
    // SAFETY: the caller's promise.
    let tp: &'static Type = unsafe { &*tp };
    if tp.as_object().refcount() != 0 {
        return Err(vm.system_error("bad argument to internal function"));
    }
    // SAFETY: as above.
    unsafe { declared(desc).init_static(tp, vm) }
}

/// The place of a field; raises `SystemError` for what is no struct sequence or has no such field.
fn place(object: &Object, index: isize, vm: &Vm) -> PyResult<*mut Ptr> {
    let place = usize::try_from(index).ok().and_then(|index| place_of(object, index));
    place.ok_or_else(|| vm.system_error("bad argument to internal function"))
}

capi! {
    fn PyStructSequence_NewType(vm, desc: *const Desc) -> PyResult<Ref<Type>> {
        declared(&*desc).get(vm)
    }

    fn PyStructSequence_InitType2(vm, tp: *mut Type, desc: *const Desc) -> PyResult<()> {
        init_static(tp, &*desc, vm)
    }

    fn PyStructSequence_InitType(vm, tp: *mut Type, desc: *const Desc) -> Void {
        // The error, if any, is left for the caller to find.
        let _ = init_static(tp, &*desc, vm);
        Void
    }

    fn PyStructSequence_New(vm, tp: &Type) -> PyResult {
        match declaration_of(tp) {
            Some(declaration) => declaration.instance(Vec::new(), vm),
            None => Err(vm.system_error("bad argument to internal function")),
        }
    }

    fn PyStructSequence_SetItem(vm, object: &Object, index: isize, value: Option<ObjRef>) -> Void {
        if let Ok(place) = place(object, index, vm) {
            let old = std::mem::replace(&mut *place, value.map_or(std::ptr::null_mut(), Ref::into_raw));
            taipan_object::object::xdecref(old);
        }
        Void
    }

    fn PyStructSequence_GetItem(vm, object: &Object, index: isize) -> PyResult<Ptr> {
        place(object, index, vm).map(|place| *place)
    }
}
