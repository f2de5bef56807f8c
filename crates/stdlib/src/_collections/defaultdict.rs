//! `defaultdict`.

use std::ffi::{c_int, c_void};

use taipan_object::traverse::VisitProc;
use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::prelude::*;

/// A dict that makes what is missing.
#[repr(C)]
pub struct DefaultDict {
    dict: Dict,
    factory: Slot<Object>,
}

fn this(zelf: &Object) -> &DefaultDict {
    // SAFETY: the functions below are called with instances of the type.
    unsafe { zelf.cast::<DefaultDict>() }
}

/// defaultdict(default_factory=None, /, [...]) --> dict with default factory
///
/// The default factory is called without arguments to produce
/// a new value when a key is not present, in __getitem__ only.
/// A defaultdict compares equal to a dict with the same items.
/// All remaining arguments are treated the same as if they were
/// passed to the dict constructor, including keyword arguments.
#[pytype(name = "collections.defaultdict", base = Dict, flags(BASETYPE, HAVE_GC))]
impl DefaultDict {
    /// __missing__(key) # Called by __getitem__ for missing key; pseudo-code:
    /// if self.default_factory is None: raise KeyError((key,))
    /// self[key] = value = self.default_factory()
    /// return value
    #[method("($self, object, /)")]
    fn __missing__(zelf: &Object, key: &Object, vm: &Vm) -> PyResult {
        match this(zelf).factory.get().filter(|f| !vm.is_none(f)) {
            None => Err(vm.key_error(key)),
            Some(factory) => {
                let value = factory.call_no_args(vm)?;
                // The factory may have filled the place itself.
                this(zelf).dict.set_default(key, &value, vm)
            }
        }
    }

    /// D.copy() -> a shallow copy of D.
    #[method("($self, /)")]
    fn copy(zelf: &Object, vm: &Vm) -> PyResult {
        let factory = this(zelf).factory.get().unwrap_or_else(|| vm.none());
        zelf.ob_type().as_object().call(&[&factory, zelf], vm)
    }

    /// D.copy() -> a shallow copy of D.
    #[method("($self, /)")]
    fn __copy__(zelf: &Object, vm: &Vm) -> PyResult {
        DefaultDict::copy(zelf, vm)
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let args = match this(zelf).factory.get().filter(|f| !vm.is_none(f)) {
            Some(factory) => vm.new_tuple([factory]),
            None => Tuple::empty(vm),
        };
        let items = zelf.call_method(vm.ids().items, &[], vm)?.iter(vm)?;
        let cls = zelf.ob_type().as_object().to_ref();
        Ok(vm.new_tuple([cls, args.into_object(), vm.none(), vm.none(), items]))
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    /// Factory for default value called by __missing__().
    #[getter]
    fn default_factory(zelf: &Object) -> Option<ObjRef> {
        this(zelf).factory.get()
    }

    #[setter]
    fn set_default_factory(zelf: &Object, value: Option<&Object>) -> PyResult<()> {
        this(zelf).factory.set(value.map(Object::to_ref));
        Ok(())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        let (factory, rest) = match args.as_slice().split_first() {
            Some((factory, rest)) => (Some(factory.clone()), rest.to_vec()),
            None => (None, Vec::new()),
        };
        if factory.as_ref().is_some_and(|f| !vm.is_none(f) && !f.is_callable()) {
            return Err(vm.type_error("first argument must be callable or None"));
        }
        this(zelf).factory.set(factory.filter(|f| !vm.is_none(f)));
        let Some(init) = Dict::type_object().tp_init.get() else { return Ok(()) };
        let rest = vm.new_tuple(rest);
        let kwargs = kwargs.map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
        // SAFETY: a slot is called with live objects.
        vm.status(unsafe { init(zelf.as_ptr(), rest.as_object().as_ptr(), kwargs) })
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult<String> {
        let Some(repr) = Dict::type_object().tp_repr.get() else { return Ok(String::new()) };
        // SAFETY: a slot is called with a live object.
        let inner = unsafe { vm.owned(repr(zelf.as_ptr())) }?.str(vm)?;
        let factory = match this(zelf).factory.get() {
            Some(factory) => match ReprGuard::enter(&factory, vm) {
                Some(_guard) => factory.repr(vm)?.to_string_lossy().into_owned(),
                None => "...".to_owned(),
            },
            None => "None".to_owned(),
        };
        Ok(format!("{}({factory}, {})", zelf.ob_type().name(), inner.to_string_lossy()))
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (own, other) = if a.downcast_ref::<DefaultDict>().is_some() { (a, b) } else { (b, a) };
        if other.downcast_ref::<Dict>().is_none() {
            return Ok(vm.not_implemented());
        }
        let factory = this(own).factory.get().unwrap_or_else(|| vm.none());
        let merged = own.ob_type().as_object().call(&[&factory, a], vm)?;
        merged.call_method(vm.ids().update, &[b], vm)?;
        Ok(merged)
    }

    #[slot]
    unsafe fn tp_traverse(op: *mut Object, visit: VisitProc, arg: *mut c_void) -> c_int {
        // SAFETY: the collector passes a live instance; the dict part is traversed by its own type.
        unsafe {
            let factory = (*op.cast::<DefaultDict>()).factory.as_raw();
            if !factory.is_null() {
                let result = visit(factory, arg);
                if result != 0 {
                    return result;
                }
            }
            Dict::type_object().tp_traverse.get().map_or(0, |traverse| traverse(op, visit, arg))
        }
    }

    #[slot]
    unsafe fn tp_clear(op: *mut Object) -> c_int {
        // SAFETY: as above.
        unsafe {
            (*op.cast::<DefaultDict>()).factory.set(None);
            Dict::type_object().tp_clear.get().map_or(0, |clear| clear(op))
        }
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: nobody uses the object any more; the dict's own end follows.
        unsafe {
            taipan_object::gc::untrack(op);
            (*op.cast::<DefaultDict>()).factory.set(None);
            if let Some(dealloc) = Dict::type_object().tp_dealloc.get() {
                dealloc(op);
            }
        }
    }
}
