//! Struct sequences (C API manual, "Struct Sequence Objects").

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};

use taipan_vm::builtins::structseq::StructSeq;
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

/// The declarations of types made here, by the type's address.
#[derive(Default)]
struct Declared(RefCell<HashMap<usize, &'static StructSeq>>);

/// Text that lives as long as the process, as the types do.
fn kept(text: &CStr) -> &'static str {
    String::leak(lossy(text).into_owned())
}

fn new_type(desc: &Desc, vm: &Vm) -> PyResult<Ref<Type>> {
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
    let declaration: &'static StructSeq = Box::leak(Box::new(StructSeq {
        name: kept(name),
        doc: kept(doc),
        fields: Vec::leak(fields),
        visible: usize::try_from(desc.n_in_sequence).unwrap_or(0),
    }));
    let tp = declaration.get(vm)?;
    if let Ok(mut declared) = vm.interp().state::<Declared>().0.try_borrow_mut() {
        declared.insert(std::ptr::from_ref(&*tp) as usize, declaration);
    }
    Ok(tp)
}

fn place(object: &Object, index: isize) -> Option<*mut Ptr> {
    let tuple = object.downcast_ref::<Tuple>()?;
    let index = usize::try_from(index).ok().filter(|&index| index < tuple.len())?;
    // SAFETY: items begin at byte 32; the index is within the length.
    Some(unsafe { object.as_ptr().byte_add(32).cast::<Ptr>().add(index) })
}

capi! {
    fn PyStructSequence_NewType(vm, desc: *const Desc) -> PyResult<Ref<Type>> {
        new_type(&*desc, vm)
    }

    fn PyStructSequence_New(vm, tp: &Type) -> PyResult {
        let known = match vm.interp().state::<Declared>().0.try_borrow() {
            Ok(declared) => declared.get(&(std::ptr::from_ref(tp) as usize)).copied(),
            Err(_) => None,
        };
        let Some(declaration) = known else {
            return Err(vm.not_implemented_error("PyStructSequence_New for a type not made by PyStructSequence_NewType"));
        };
        declaration.instance(declaration.fields.iter().map(|_| vm.none()).collect(), vm)
    }

    fn PyStructSequence_SetItem(vm, object: &Object, index: isize, value: Option<ObjRef>) -> Void {
        match place(object, index) {
            Some(place) => {
                let old = std::mem::replace(&mut *place, value.map_or(std::ptr::null_mut(), Ref::into_raw));
                taipan_object::object::xdecref(old);
            }
            None => {
                vm.not_implemented_error("PyStructSequence_SetItem of a field that is not an item");
            }
        }
        Void
    }

    fn PyStructSequence_GetItem(vm, object: &Object, index: isize) -> PyResult<Ptr> {
        match place(object, index) {
            Some(place) => Ok(*place),
            None => Err(vm.not_implemented_error("PyStructSequence_GetItem of a field that is not an item")),
        }
    }
}
