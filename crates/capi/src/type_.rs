//! Type objects (C API manual, "Type Objects"): asking about them, readying static ones; specs are in `type_spec.rs`.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

use taipan_object::typeobject::HeapType;
use taipan_vm::builtins::type_::{self, TypeExt, heap, lookup};
use taipan_vm::prelude::*;

use crate::module::ModuleDef;
use crate::support::*;

/// `type` itself.
pub fn type_type() -> &'static Type {
    Type::type_type()
}

/// The module's and the qualified name, with a separator between; `builtins` and `__main__` are left out.
pub fn full_name(tp: &Type, separator: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    if !tp.has_flag(TypeFlags::HEAPTYPE) {
        let name = tp.tp_name_str();
        return Ok(match name.rsplit_once('.') {
            Some((module, name)) if separator != "." => vm.new_str(&format!("{module}{separator}{name}")),
            _ => vm.new_str(name),
        });
    }
    let qualname = type_::type_qualname(tp, vm).str(vm)?;
    let module = type_::type_module(tp, vm)?;
    match module.downcast_ref::<Str>() {
        Some(module) if !module.eq_str("builtins") && !module.eq_str("__main__") => {
            Ok(vm.new_str(&format!("{}{separator}{}", module.to_string_lossy(), qualname.to_string_lossy())))
        }
        _ => Ok(qualname),
    }
}

fn ready(tp: &Type, vm: &Vm) -> PyResult<()> {
    type_::type_ready(tp, vm)
}

/// A heap type that C code declared as such.
fn heap_type(tp: &Type) -> Option<&HeapType> {
    tp.as_heap_type()
}

/// The module's definition behind a heap type.
fn module_of(tp: &Type) -> Option<&Module> {
    let module = heap_type(tp)?.ht_module.get();
    // SAFETY: null or a reference that the type owns.
    unsafe { module.as_ref() }?.downcast_ref::<Module>()
}

/// The nearest class in the order whose module was made from `def`.
fn module_by_def(tp: &Type, def: *mut ModuleDef) -> Option<Ptr> {
    for class in lookup::mro(tp) {
        let Some(class) = class.downcast_ref::<Type>() else { continue };
        if let Some(module) = module_of(class) {
            if std::ptr::eq(module.md_def.get().cast(), def) {
                return Some(module.as_object().as_ptr());
            }
        }
    }
    None
}

fn by_token<'a>(tp: &'a Type, token: *mut c_void) -> Option<&'a Type> {
    lookup::mro(tp).iter().find_map(|class| {
        let class = class.downcast_ref::<Type>()?;
        let found = std::ptr::eq(heap_type(class)?.ht_token.get(), token);
        // SAFETY: the order's types live as long as `tp`.
        found.then(|| unsafe { &*std::ptr::from_ref(class) })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyType_GenericNew(tp: *mut Type, _args: Ptr, _kwargs: Ptr) -> Ptr {
    // SAFETY: C code gives a type that is ready.
    unsafe {
        match (*tp).tp_alloc.get() {
            Some(alloc) => alloc(tp, 0),
            None => heap::generic_alloc(tp, 0),
        }
    }
}

capi! {
    fn PyType_Ready(vm, tp: &Type) -> PyResult<()> {
        ready(tp, vm)
    }

    fn PyType_IsSubtype(vm, a: &Type, b: &Type) -> bool {
        a.is_subtype_of(b)
    }

    fn PyType_Modified(vm, tp: &Type) -> Void {
        lookup::type_modified(tp, vm);
        Void
    }

    fn PyType_ClearCache(vm) -> c_uint {
        vm.interp().types.clear_cache();
        0
    }

    fn PyType_GetFlags(vm, tp: &Type) -> c_ulong {
        tp.tp_flags.get()
    }

    fn PyType_GetDict(vm, tp: &Type) -> Option<ObjRef> {
        tp.tp_dict.get().as_ref().map(Object::to_ref)
    }

    fn PyType_GetName(vm, tp: &Type) -> Ref<Str> {
        type_::type_name(tp, vm)
    }

    fn PyType_GetQualName(vm, tp: &Type) -> ObjRef {
        type_::type_qualname(tp, vm)
    }

    fn PyType_GetModuleName(vm, tp: &Type) -> PyResult {
        type_::type_module(tp, vm)
    }

    fn PyType_GetFullyQualifiedName(vm, tp: &Type) -> PyResult<Ref<Str>> {
        full_name(tp, ".", vm)
    }

    fn _PyType_Name(vm, tp: &Type) -> *const c_char {
        let full = tp.tp_name_str();
        let start = full.rfind('.').map_or(0, |dot| dot + 1);
        tp.tp_name.get().add(start)
    }

    fn _PyType_Lookup(vm, tp: &Type, name: &Object) -> Ptr {
        match name.downcast_ref::<Str>().and_then(|name| lookup::lookup(tp, name, vm)) {
            Some(found) => found.as_ptr(),
            None => std::ptr::null_mut(),
        }
    }

    fn _PyType_LookupRef(vm, tp: &Type, name: &Object) -> Option<ObjRef> {
        name.downcast_ref::<Str>().and_then(|name| lookup::lookup(tp, name, vm)).map(Object::to_ref)
    }

    fn PyType_GetModule(vm, tp: &Type) -> PyResult<Ptr> {
        if heap_type(tp).is_none() {
            return Err(vm.type_error(format!(
                "PyType_GetModule: Type '{}' is not a heap type", tp.tp_name_str()
            )));
        }
        match module_of(tp) {
            Some(module) => Ok(module.as_object().as_ptr()),
            None => Err(vm.type_error(format!(
                "PyType_GetModule: Type '{}' has no associated module", tp.tp_name_str()
            ))),
        }
    }

    fn PyType_GetModuleState(vm, tp: &Type) -> PyResult<*mut c_void> {
        match module_of(tp) {
            Some(module) => Ok(module.md_state.get()),
            None => Err(vm.type_error(format!(
                "PyType_GetModule: Type '{}' has no associated module", tp.tp_name_str()
            ))),
        }
    }

    fn PyType_GetModuleByDef(vm, tp: &Type, def: *mut ModuleDef) -> PyResult<Ptr> {
        module_by_def(tp, def).ok_or_else(|| {
            vm.type_error(format!(
                "PyType_GetModuleByDef: No superclass of '{}' has the given module", tp.tp_name_str()
            ))
        })
    }

    fn PyType_GetBaseByToken(vm, tp: &Type, token: *mut c_void, result: *mut Ptr) -> PyResult<bool> {
        if !result.is_null() {
            *result = std::ptr::null_mut();
        }
        if token.is_null() {
            return Err(vm.system_error("PyType_GetBaseByToken called with token=NULL"));
        }
        let found = by_token(tp, token);
        if !result.is_null() {
            *result = found.map_or(std::ptr::null_mut(), |class| class.as_object().to_ref().into_raw());
        }
        Ok(found.is_some())
    }

    fn PyType_GetSlot(vm, tp: &Type, slot: c_int) -> PyResult<*mut c_void> {
        crate::type_spec::get_slot(tp, slot, vm)
    }

    fn PyType_Freeze(vm, tp: &Type) -> PyResult<()> {
        for class in lookup::mro(tp).iter().skip(1) {
            if let Some(class) = class.downcast_ref::<Type>() {
                if !class.has_flag(TypeFlags::IMMUTABLETYPE) {
                    return Err(vm.type_error(format!(
                        "Creating immutable type {} from mutable base {}",
                        tp.tp_name_str(),
                        class.name()
                    )));
                }
            }
        }
        tp.set_flag(TypeFlags::IMMUTABLETYPE);
        lookup::type_modified(tp, vm);
        Ok(())
    }

    fn PyUnstable_Type_AssignVersionTag(vm, tp: &Type) -> bool {
        lookup::assign_version(tp, vm) != 0
    }

    fn PyType_SUPPORTS_WEAKREFS(vm, tp: &Type) -> bool {
        tp.tp_weaklistoffset.get() != 0
    }
}
