//! Adapting objects to what SQLite stores (PEP 246).

use taipan_vm::prelude::*;

use super::errors;

/// The protocol of values for SQL parameters.
#[repr(C)]
pub struct PrepareProtocol {
    ob: Object,
}

/// PEP 246 style object adaption protocol type.
#[pytype(name = "sqlite3.PrepareProtocol")]
impl PrepareProtocol {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, PrepareProtocol { ob: Object::new(Self::type_object()) })
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>, _vm: &Vm) -> PyResult<()> {
        Ok(())
    }
}

/// The key of an adapter.
pub fn key(tp: &Object, proto: &Object, vm: &Vm) -> Ref<Tuple> {
    vm.new_tuple([tp.to_ref(), proto.to_ref()])
}

/// Asks `asked.NAME(argument)`, where such a method is; None where it doesn't do it.
fn ask(asked: &Object, name: &str, argument: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(method) = asked.lookup_attr(&vm.intern(name), vm)? else { return Ok(None) };
    match method.call(&[argument], vm) {
        Ok(adapted) => Ok(Some(adapted).filter(|adapted| !vm.is_none(adapted))),
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Ok(None)
        }
        Err(Raised) => Err(Raised),
    }
}

/// `sqlite3.adapt`: by a registered adapter, the protocol's `__adapt__`, the object's `__conform__`; else `alt`.
pub fn adapt(object: &Object, proto: &Object, alt: Option<&Object>, vm: &Vm) -> PyResult {
    let key = key(object.ob_type().as_object(), proto, vm);
    if let Some(adapter) = super::state(vm).adapters(vm).get_item(key.as_object(), vm)? {
        return adapter.call(&[object], vm);
    }
    if let Some(adapted) = ask(proto, "__adapt__", object, vm)? {
        return Ok(adapted);
    }
    if let Some(adapted) = ask(object, "__conform__", proto, vm)? {
        return Ok(adapted);
    }
    match alt {
        Some(alt) => Ok(alt.to_ref()),
        None => Err(errors::programming("can't adapt", vm)),
    }
}
