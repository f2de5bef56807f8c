//! `isinstance` and `issubclass` with their hooks (PEP 3119).

use crate::prelude::*;

/// `isinstance(object, cls)`.
pub fn is_instance(object: &Object, cls: &Object, vm: &Vm) -> PyResult<bool> {
    if std::ptr::eq(object.type_ptr().cast(), cls) {
        return Ok(true);
    }
    if cls.type_ptr() == Type::static_type() {
        return default_is_instance(object, cls, vm);
    }
    if let Some(tuple) = alternatives(cls) {
        vm.check_recursion(" in __instancecheck__")?;
        for item in &tuple {
            if is_instance(object, item, vm)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(checker) = cls.lookup_special(vm.ids().__instancecheck__, vm)? {
        vm.check_recursion(" in __instancecheck__")?;
        return checker.call(&[object], vm)?.is_true(vm);
    }
    default_is_instance(object, cls, vm)
}

/// The members of a tuple or of a union of types.
fn alternatives(cls: &Object) -> Option<Vec<ObjRef>> {
    if let Some(tuple) = cls.downcast_ref::<Tuple>() {
        return Some(tuple.as_slice().to_vec());
    }
    let union = cls.downcast_exact::<crate::builtins::union::Union>()?;
    Some(union.members())
}

/// `type.__instancecheck__`.
pub fn default_is_instance(object: &Object, cls: &Object, vm: &Vm) -> PyResult<bool> {
    if let Some(tp) = cls.downcast_ref::<Type>() {
        if object.ob_type().is_subtype_of(tp) {
            return Ok(true);
        }
        // A proxy may claim another class.
        let Some(claimed) = object.lookup_attr(vm.ids().__class__, vm)? else { return Ok(false) };
        return Ok(claimed
            .downcast_ref::<Type>()
            .is_some_and(|c| !std::ptr::eq(c, object.ob_type()) && c.is_subtype_of(tp)));
    }
    check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union", vm)?;
    match object.lookup_attr(vm.ids().__class__, vm)? {
        Some(claimed) => abstract_is_subclass(&claimed, cls, vm),
        None => Ok(false),
    }
}

/// `issubclass(derived, cls)`.
pub fn is_subclass(derived: &Object, cls: &Object, vm: &Vm) -> PyResult<bool> {
    if cls.type_ptr() == Type::static_type() {
        if derived.is(cls) {
            return Ok(true);
        }
        return default_is_subclass(derived, cls, vm);
    }
    if let Some(tuple) = alternatives(cls) {
        vm.check_recursion(" in __subclasscheck__")?;
        for item in &tuple {
            if is_subclass(derived, item, vm)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(checker) = cls.lookup_special(vm.ids().__subclasscheck__, vm)? {
        vm.check_recursion(" in __subclasscheck__")?;
        return checker.call(&[derived], vm)?.is_true(vm);
    }
    default_is_subclass(derived, cls, vm)
}

/// `type.__subclasscheck__`.
pub fn default_is_subclass(derived: &Object, cls: &Object, vm: &Vm) -> PyResult<bool> {
    if let (Some(derived), Some(cls)) = (derived.downcast_ref::<Type>(), cls.downcast_ref::<Type>()) {
        return Ok(derived.is_subtype_of(cls));
    }
    check_class(derived, "issubclass() arg 1 must be a class", vm)?;
    check_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, or a union", vm)?;
    abstract_is_subclass(derived, cls, vm)
}

/// What is no type counts as a class when it has a tuple `__bases__`.
fn abstract_bases(cls: &Object, vm: &Vm) -> PyResult<Option<Ref<Tuple>>> {
    let name = vm.ids().__bases__;
    Ok(cls.lookup_attr(name, vm)?.and_then(|bases| bases.downcast::<Tuple>().ok()))
}

fn check_class(cls: &Object, text: &str, vm: &Vm) -> PyResult<()> {
    if abstract_bases(cls, vm)?.is_some() { Ok(()) } else { Err(vm.type_error(text)) }
}

fn abstract_is_subclass(derived: &Object, cls: &Object, vm: &Vm) -> PyResult<bool> {
    vm.check_recursion(" in __issubclass__")?;
    if derived.is(cls) {
        return Ok(true);
    }
    let Some(bases) = abstract_bases(derived, vm)? else { return Ok(false) };
    for base in bases.as_slice() {
        if abstract_is_subclass(base, cls, vm)? {
            return Ok(true);
        }
    }
    Ok(false)
}
