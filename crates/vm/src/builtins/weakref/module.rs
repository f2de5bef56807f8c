//! The native module `_weakref`.

use super::{CallableProxy, Proxy, WeakReference, new_proxy, references, weakref_count};
use crate::prelude::*;

/// The module's name space.
pub struct WeakrefModule;

/// Weak-reference support module.
#[pymodule(name = "_weakref")]
impl WeakrefModule {
    /// Return the number of weak references to 'object'.
    #[function("($module, object, /)")]
    fn getweakrefcount(object: &Object) -> usize {
        weakref_count(object)
    }

    /// Atomically remove key from dict if it points to a dead weakref.
    #[function("($module, dct, key, /)")]
    fn _remove_dead_weakref(dct: &Dict, key: &Object, vm: &Vm) -> PyResult<()> {
        let Some(value) = dct.get_item(key, vm)? else { return Ok(()) };
        let Some(reference) = value.downcast_ref::<WeakReference>() else {
            return Err(vm.type_error("not a weakref"));
        };
        if reference.is_dead() {
            dct.del_item(key, vm)?;
        }
        Ok(())
    }

    /// Return a list of all weak reference objects pointing to 'object'.
    #[function("($module, object, /)")]
    fn getweakrefs(object: &Object, vm: &Vm) -> Ref<List> {
        // SAFETY: members of a list are alive, and nothing is destroyed while it is walked.
        let found: Vec<ObjRef> = references(object).map(|wr| unsafe { (*wr).as_object().to_ref() }).collect();
        vm.new_list(found)
    }

    /// Create a proxy object that weakly references 'object'.
    ///
    /// 'callback', if given, is called with a reference to the
    /// proxy when 'object' is about to be finalized.
    #[function("($module, object, callback=None, /)")]
    fn proxy(object: &Object, callback: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        new_proxy(object, callback, vm)
    }

    #[constant("ref")]
    fn reference() -> &'static Type {
        WeakReference::type_object()
    }

    #[constant("ReferenceType")]
    fn reference_type() -> &'static Type {
        WeakReference::type_object()
    }

    #[constant("ProxyType")]
    fn proxy_type() -> &'static Type {
        Proxy::type_object()
    }

    #[constant("CallableProxyType")]
    fn callable_proxy_type() -> &'static Type {
        CallableProxy::type_object()
    }
}
