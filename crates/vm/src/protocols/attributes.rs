//! Attribute access: the generic algorithm of `object.__getattribute__` and its relatives (language reference §3.3.2).

use taipan_object::typeobject::BinaryFunc;

use crate::builtins::dict::managed;
use crate::builtins::module::Module;
use crate::builtins::type_::lookup::lookup;
use crate::builtins::type_::{TypeExt, type_lookup_attr};
use crate::prelude::*;

/// `object.name`.
#[inline]
pub fn get_attr(object: &Object, name: &Str, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    if let Some(getattro) = tp.tp_getattro.get() {
        // SAFETY: a slot is called with live objects.
        return unsafe { vm.owned(getattro(object.as_ptr(), name.as_object().as_ptr())) };
    }
    if let Some(getattr) = tp.tp_getattr.get() {
        let text = std::ffi::CString::new(name.to_utf8(vm)?)
            .map_err(|_| vm.value_error("embedded null character"))?;
        // SAFETY: as above; the slot doesn't write to the name.
        return unsafe { vm.owned(getattr(object.as_ptr(), text.as_ptr().cast_mut())) };
    }
    Err(vm.no_attribute(object, name.as_object()))
}

/// `object.name`, where a missing attribute is no error. Plain instances, classes and modules need no exception to say so.
pub fn lookup_attr(object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let getattro = object.ob_type().tp_getattro.get();
    let is = |slot: Option<BinaryFunc>| match (getattro, slot) {
        (Some(getattro), Some(slot)) => std::ptr::fn_addr_eq(getattro, slot),
        _ => false,
    };
    let found = if is(Some(generic_getattro)) {
        return find_generic(object, name, vm);
    } else if is(Type::type_type().tp_getattro.get())
        && let Some(class) = object.downcast_ref::<Type>()
    {
        type_lookup_attr(class, name, vm)
    } else if is(Module::type_object().tp_getattro.get())
        && let Some(module) = object.downcast_ref::<Module>()
    {
        module.find(name, vm)
    } else {
        get_attr(object, name, vm).map(Some)
    };
    match found {
        Err(Raised) if vm.exception_matches(types::attribute_error()) => {
            vm.clear_exception();
            Ok(None)
        }
        found => found,
    }
}

/// `object.name = value`, or `del object.name` without a value.
#[inline]
pub fn set_attr(object: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let tp = object.ob_type();
    let raw = value.map_or(std::ptr::null_mut(), Object::as_ptr);
    // Attribute names are interned, so that look-ups compare pointers.
    let interned;
    let name = if name.is_interned() || name.as_object().type_ptr() != Str::static_type() {
        name
    } else {
        interned = Str::intern(name.into(), vm);
        &*interned
    };
    if let Some(setattro) = tp.tp_setattro.get() {
        // SAFETY: a slot is called with live objects; null deletes.
        return vm.status(unsafe { setattro(object.as_ptr(), name.as_object().as_ptr(), raw) });
    }
    if let Some(setattr) = tp.tp_setattr.get() {
        let text = std::ffi::CString::new(name.to_utf8(vm)?)
            .map_err(|_| vm.value_error("embedded null character"))?;
        // SAFETY: as above.
        return vm.status(unsafe { setattr(object.as_ptr(), text.as_ptr().cast_mut(), raw) });
    }
    let readable = tp.tp_getattro.get().is_some() || tp.tp_getattr.get().is_some();
    let detail = if readable { "only read-only attributes" } else { "no attributes" };
    let verb = if value.is_some() { "assign to" } else { "del" };
    Err(vm.type_error(format!("'{}' object has {detail} ({verb} .{})", tp.name(), name.to_string_lossy())))
}

/// Whether a type attribute takes part in attribute access before the instance's dictionary does.
#[inline(always)]
pub fn is_data_descriptor(attribute: &Object) -> bool {
    attribute.ob_type().tp_descr_set.get().is_some()
}

/// `descriptor.__get__(object, type)`, or the attribute itself when it is no descriptor.
#[inline]
pub fn bind(attribute: &Object, object: Option<&Object>, cls: &Type, vm: &Vm) -> PyResult {
    match attribute.ob_type().tp_descr_get.get() {
        None => Ok(attribute.to_ref()),
        // SAFETY: a slot is called with live objects; the instance may be null.
        Some(get) => unsafe {
            vm.owned(get(
                attribute.as_ptr(),
                object.map_or(std::ptr::null_mut(), Object::as_ptr),
                cls.as_object().as_ptr(),
            ))
        },
    }
}

/// The generic algorithm: data descriptor, instance dictionary, other class attribute. `None` when nothing is found.
pub fn find_generic(object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let tp = object.ob_type();
    let attribute = lookup(tp, name, vm).map(Object::to_ref);
    if let Some(attribute) = &attribute {
        if is_data_descriptor(attribute) && attribute.ob_type().tp_descr_get.get().is_some() {
            return match bind(attribute, Some(object), tp, vm) {
                Ok(value) => Ok(Some(value)),
                Err(Raised) if vm.exception_matches(types::attribute_error()) => {
                    vm.clear_exception();
                    Ok(None)
                }
                Err(Raised) => Err(Raised),
            };
        }
    }
    if let Some(value) = managed::instance_get(object, name, vm)? {
        return Ok(Some(value));
    }
    match attribute {
        None => Ok(None),
        Some(attribute) => match bind(&attribute, Some(object), tp, vm) {
            Ok(value) => Ok(Some(value)),
            Err(Raised) if vm.exception_matches(types::attribute_error()) => {
                vm.clear_exception();
                Ok(None)
            }
            Err(Raised) => Err(Raised),
        },
    }
}

/// The generic algorithm without an exception for what is missing: for types that go on with `__getattr__`.
pub fn find_for_getattr(object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    find_generic(object, name, vm)
}

/// `object.__getattribute__(name)`.
pub fn generic_get(object: &Object, name: &Str, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    let attribute = lookup(tp, name, vm).map(Object::to_ref);
    if let Some(attribute) = &attribute {
        if is_data_descriptor(attribute) && attribute.ob_type().tp_descr_get.get().is_some() {
            return bind(attribute, Some(object), tp, vm);
        }
    }
    if let Some(value) = managed::instance_get(object, name, vm)? {
        return Ok(value);
    }
    match attribute {
        Some(attribute) => bind(&attribute, Some(object), tp, vm),
        None => Err(vm.no_attribute(object, name.as_object())),
    }
}

/// `object.__setattr__(name, value)`, or `__delattr__` without a value.
pub fn generic_set(object: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let tp = object.ob_type();
    // The descriptor may go away while it runs.
    let attribute = lookup(tp, name, vm).map(Object::to_ref);
    if let Some(attribute) = &attribute {
        if let Some(set) = attribute.ob_type().tp_descr_set.get() {
            let raw = value.map_or(std::ptr::null_mut(), Object::as_ptr);
            // SAFETY: a slot is called with live objects; null deletes.
            return vm.status(unsafe { set(attribute.as_ptr(), object.as_ptr(), raw) });
        }
    }
    if !managed::has_instance_dict(object) {
        let shown = name.to_string_lossy();
        let text = if attribute.is_some() {
            format!("'{}' object attribute '{shown}' is read-only", tp.tp_name_str())
        } else if tp.tp_setattro.get().is_some_and(|set| {
            std::ptr::fn_addr_eq(set, generic_setattro as taipan_object::typeobject::ObjObjArgProc)
        }) && value.is_some()
        {
            format!(
                "'{}' object has no attribute '{shown}' and no __dict__ for setting new attributes",
                tp.tp_name_str()
            )
        } else {
            format!("'{}' object has no attribute '{shown}'", tp.tp_name_str())
        };
        return Err(vm.attribute_error_for(text, object, name.as_object()));
    }
    if managed::instance_set(object, name, value, vm)? {
        Ok(())
    } else {
        // Deleting what is not there.
        Err(vm.no_attribute(object, name.as_object()))
    }
}

#[cold]
fn name_not_string(name: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("attribute name must be string, not '{}'", name.ob_type().tp_name_str()))
}

/// `PyObject_GenericGetAttr`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
#[unsafe(export_name = "PyObject_GenericGetAttr")]
pub unsafe extern "C" fn generic_getattro(object: *mut Object, name: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, name) = unsafe { (Vm::current(), &*object, &*name) };
    match name.downcast_ref::<Str>() {
        Some(name) => crate::protocols::native::to_c(generic_get(object, name, vm)),
        None => {
            name_not_string(name, vm);
            std::ptr::null_mut()
        }
    }
}

/// `PyObject_GenericSetAttr`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; the value may be null.
#[unsafe(export_name = "PyObject_GenericSetAttr")]
pub unsafe extern "C" fn generic_setattro(
    object: *mut Object,
    name: *mut Object,
    value: *mut Object,
) -> std::ffi::c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, name, value) = unsafe { (Vm::current(), &*object, &*name, value.as_ref()) };
    match name.downcast_ref::<Str>() {
        Some(name) => crate::protocols::native::status_to_c(generic_set(object, name, value, vm)),
        None => {
            name_not_string(name, vm);
            -1
        }
    }
}

/// The special method `name` of the object's type, bound to the object: the instance's own attributes don't count.
pub fn lookup_special(object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let tp = object.ob_type();
    match lookup(tp, name, vm).map(Object::to_ref) {
        None => Ok(None),
        Some(attribute) => bind(&attribute, Some(object), tp, vm).map(Some),
    }
}

/// A method for a call: `(function, true)` when it is to be called with the object as first argument, `(callable, false)`
/// when it is bound already or no method at all.
pub fn get_method(object: &Object, name: &Str, vm: &Vm) -> PyResult<(ObjRef, bool)> {
    let tp = object.ob_type();
    let generic = tp.tp_getattro.get().is_some_and(|get| {
        std::ptr::fn_addr_eq(get, generic_getattro as taipan_object::typeobject::BinaryFunc)
    });
    if !generic {
        return get_attr(object, name, vm).map(|value| (value, false));
    }
    let attribute = lookup(tp, name, vm).map(Object::to_ref);
    let mut is_method = false;
    if let Some(attribute) = &attribute {
        if attribute.ob_type().has_flag(TypeFlags::METHOD_DESCRIPTOR) {
            is_method = true;
        } else if is_data_descriptor(attribute) && attribute.ob_type().tp_descr_get.get().is_some() {
            return bind(attribute, Some(object), tp, vm).map(|value| (value, false));
        }
    }
    if let Some(value) = managed::instance_get(object, name, vm)? {
        return Ok((value, false));
    }
    match attribute {
        Some(attribute) if is_method => Ok((attribute, true)),
        Some(attribute) => bind(&attribute, Some(object), tp, vm).map(|value| (value, false)),
        None => Err(vm.no_attribute(object, name.as_object())),
    }
}
