//! What `anext(iterator, default)` gives.

use super::methods::throw_args;
use crate::exceptions::stop_iteration::new_stop_iteration;
use crate::interpreter::eval::asynchronous::awaitable_iter;
use crate::prelude::*;

/// Awaits the next item; the default in its place when there is none.
#[repr(C)]
#[derive(Traverse)]
pub struct AnextAwaitable {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    wrapped: Slot<Object>,
    default: Slot<Object>,
}

/// Makes the awaitable of `anext(iterator, default)`.
pub fn anext_awaitable(awaitable: ObjRef, default: ObjRef, vm: &Vm) -> ObjRef {
    vm.new_object(AnextAwaitable {
        ob: Object::new(AnextAwaitable::type_object()),
        wrapped: Slot::of(awaitable),
        default: Slot::of(default),
    })
    .into_object()
}

impl AnextAwaitable {
    /// The iterator by which the wrapped awaitable is awaited.
    fn inner(&self, vm: &Vm) -> PyResult {
        let wrapped = self.wrapped.get().unwrap_or_else(|| vm.none());
        let iterator = awaitable_iter(&wrapped, vm)?;
        // A coroutine is no iterator itself.
        if iterator.ob_type().tp_iternext.get().is_some() {
            return Ok(iterator);
        }
        let slot = iterator.ob_type().as_async().and_then(|suite| suite.am_await.get());
        let Some(get) = slot else {
            return Err(vm.type_error(format!(
                "object {} can't be used in 'await' expression",
                iterator.ob_type().tp_name_str()
            )));
        };
        // SAFETY: a slot is called with a live object.
        unsafe { vm.owned(get(iterator.as_ptr())) }
    }

    fn settle(&self, result: PyResult, vm: &Vm) -> PyResult {
        if result.is_err() && vm.exception_matches(types::stop_async_iteration()) {
            vm.clear_exception();
            return Err(vm.raise_object(new_stop_iteration(self.default.get(), vm)));
        }
        result
    }
}

#[pytype(name = "anext_awaitable", symbol = "_PyAnextAwaitable_Type", gc, no_new)]
impl AnextAwaitable {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn am_await(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let inner = self.inner(vm)?;
        let next = match inner.ob_type().tp_iternext.get() {
            // SAFETY: a slot is called with a live object, and hands over a reference or null.
            Some(next) => unsafe { Ref::from_raw_opt(next(inner.as_ptr())) },
            None => return Err(vm.type_error("anext() awaitable is no iterator")),
        };
        match next {
            Some(value) => Ok(Some(value)),
            None if vm.has_exception() => self.settle(Err(Raised), vm).map(Some),
            None => Ok(None),
        }
    }

    /// send(arg) -> send 'arg' into the wrapped iterator,
    /// return next yielded value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        let result = self.inner(vm)?.call_method(vm.ids().send, &[object], vm);
        self.settle(result, vm)
    }

    /// throw(value)
    /// throw(typ[,val[,tb]])
    ///
    /// raise exception in the wrapped iterator, return next yielded value
    /// or raise StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        let result = self.inner(vm)?.call_method(vm.ids().throw, &args, vm);
        self.settle(result, vm)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        let result = self.inner(vm)?.call_method(vm.ids().close, &[], vm);
        self.settle(result, vm)
    }
}
