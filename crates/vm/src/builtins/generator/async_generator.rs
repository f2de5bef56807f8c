//! `async_generator` (PEP 525).

use super::async_awaitables::{AsyncGenASend, AsyncGenAThrow};
use super::methods::{repr, set_text, throw_args};
use super::{Generator, dealloc, finalize, warn_old_throw};
use crate::prelude::*;

/// `PyAsyncGenObject`.
#[repr(C)]
pub struct AsyncGenerator {
    /// The common part.
    pub base: Generator,
}

impl Traverse for AsyncGenerator {
    fn traverse(&self, visit: &mut Visit) {
        self.base.traverse(visit);
    }
}

/// A value that the asynchronous generator itself yields, as opposed to what passes through it from an `await`.
#[repr(C)]
#[derive(Traverse)]
pub struct AsyncGenWrappedValue {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    value: Slot<Object>,
}

#[pytype(name = "async_generator_wrapped_value", symbol = "_PyAsyncGenWrappedValue_Type", gc, no_new)]
impl AsyncGenWrappedValue {}

/// `INTRINSIC_ASYNC_GEN_WRAP`.
pub fn wrap_async_value(value: &Object, vm: &Vm) -> ObjRef {
    vm.new_object(AsyncGenWrappedValue {
        ob: Object::new(AsyncGenWrappedValue::type_object()),
        value: Slot::of(value.to_ref()),
    })
    .into_object()
}

/// The value inside a wrapper; none when the object is no wrapper.
pub(super) fn unwrap_async_value(object: &Object) -> Option<ObjRef> {
    object.downcast_exact::<AsyncGenWrappedValue>()?.value.get()
}

/// Calls the hooks of `sys.set_asyncgen_hooks` when the generator is first iterated.
fn init_hooks(generator: &AsyncGenerator, vm: &Vm) -> PyResult<()> {
    let base = &generator.base;
    if base.hooks_inited.get() {
        return Ok(());
    }
    base.hooks_inited.set(true);
    base.origin_or_finalizer.set(vm.async_gen_finalizer.get());
    if let Some(hook) = vm.async_gen_firstiter.get() {
        hook.call(&[generator.as_object()], vm)?;
    }
    Ok(())
}

#[pytype(
    name = "async_generator",
    symbol = "PyAsyncGen_Type",
    gc,
    no_new,
    weakrefs = base.weakrefs,
    itemsize = 8,
    basicsize = 152,
    members(ag_running: BOOL = base.running_async, readonly;)
)]
impl AsyncGenerator {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: passed on.
        unsafe { dealloc(op) }
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        finalize(&self.base, vm);
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(repr(&self.base, "async_generator", vm))
    }

    #[slot]
    fn am_aiter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn am_anext(&self, vm: &Vm) -> PyResult {
        init_hooks(self, vm)?;
        Ok(AsyncGenASend::create(self, None, vm))
    }

    /// asend(v) -> send 'v' in generator.
    #[method("($self, object, /)")]
    fn asend(&self, object: &Object, vm: &Vm) -> PyResult {
        init_hooks(self, vm)?;
        Ok(AsyncGenASend::create(self, Some(object), vm))
    }

    /// athrow(value)
    /// athrow(type[,value[,tb]])
    ///
    /// raise exception in generator.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("!($self, typ, val=None, tb=None, /)")]
    fn athrow(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "athrow()", vm)?;
        init_hooks(self, vm)?;
        let args: Vec<ObjRef> = args.into_iter().map(Object::to_ref).collect();
        Ok(AsyncGenAThrow::create(self, Some(vm.new_tuple(args)), vm))
    }

    /// aclose() -> raise GeneratorExit inside generator.
    #[method("($self, /)")]
    fn aclose(&self, vm: &Vm) -> PyResult {
        init_hooks(self, vm)?;
        Ok(AsyncGenAThrow::create(self, None, vm))
    }

    /// gen.__sizeof__() -> size of gen in memory, in bytes
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        super::object_size(self.base.code())
    }

    /// async generators are generic over the types of their yield and send values
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }

    /// name of the async generator
    #[getter(__name__)]
    fn get_name(&self) -> Option<Ref<Str>> {
        self.base.name.get()
    }

    #[setter(__name__)]
    fn set_name(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.base.name, "__name__", value, vm)
    }

    /// qualified name of the async generator
    #[getter(__qualname__)]
    fn get_qualname(&self) -> Option<Ref<Str>> {
        self.base.qualname.get()
    }

    #[setter(__qualname__)]
    fn set_qualname(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.base.qualname, "__qualname__", value, vm)
    }

    /// object being awaited on, or None
    #[getter]
    fn ag_await(&self) -> Option<ObjRef> {
        self.base.delegate()
    }

    #[getter]
    fn ag_frame(&self, vm: &Vm) -> Option<Ref<Frame>> {
        self.base.frame_object(vm)
    }

    #[getter]
    fn ag_code(&self) -> Ref<Code> {
        Ref::new_ref(self.base.code())
    }

    #[getter]
    fn ag_suspended(&self) -> bool {
        self.base.is_suspended()
    }
}
