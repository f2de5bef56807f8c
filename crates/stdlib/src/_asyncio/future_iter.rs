//! What `await future` iterates over.

use taipan_vm::builtins::generator::exception_to_throw;
use taipan_vm::builtins::warn::deprecation;
use taipan_vm::prelude::*;

use super::future::Future;

/// Yields the future once, then ends with its result.
#[repr(C)]
#[derive(Traverse)]
pub struct FutureIter {
    #[traverse(skip)]
    ob: Object,
    future: Slot<Future>,
}

impl FutureIter {
    /// The iterator of a future.
    pub fn over(future: &Future, vm: &Vm) -> PyResult<Ref<FutureIter>> {
        if future.loop_.is_none() {
            return Err(vm.runtime_error("Future object is not initialized."));
        }
        let ob = Object::new(Self::type_object());
        Ok(vm.new_object(FutureIter { ob, future: Slot::of(Ref::new_ref(future)) }))
    }

    fn step(&self, vm: &Vm) -> PyResult<SendResult> {
        let Some(future) = self.future.get() else { return Ok(SendResult::Return(vm.none())) };
        if future.is_pending() {
            if future.blocking.replace(true) {
                return Err(vm.runtime_error("await wasn't used with future"));
            }
            return Ok(SendResult::Next(future.into_object()));
        }
        self.future.set(None);
        future.result_or_raise(vm).map(SendResult::Return)
    }
}

#[pytype(name = "_asyncio.FutureIter", gc, no_new, doc = "")]
impl FutureIter {
    #[method("($self, object, /)")]
    fn send(&self, _value: &Object, vm: &Vm) -> PyResult {
        match self.step(vm)? {
            SendResult::Next(value) => Ok(value),
            SendResult::Return(value) if vm.is_none(&value) => Err(vm.stop_iteration(None)),
            SendResult::Return(value) => Err(vm.stop_iteration(Some(value))),
        }
    }

    #[method("($self, type, val=None, tb=None, /)")]
    fn throw(&self, kind: &Object, value: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let none = vm.none_ref();
        if value.is_some() {
            deprecation(
                "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
                vm,
            )?;
        }
        let exception = match (value, tb) {
            (None, _) => {
                let class = taipan_vm::exceptions::base::is_exception_class(kind);
                if !class && kind.downcast_ref::<BaseException>().is_none() {
                    return Err(vm.type_error(
                        "exceptions must be classes deriving BaseException or instances of such a class",
                    ));
                }
                exception_to_throw(&[kind], vm)?
            }
            (Some(value), tb) => exception_to_throw(&[kind, value, tb.unwrap_or(none)], vm)?,
        };
        self.future.set(None);
        Err(vm.reraise(exception))
    }

    #[method("($self, /)")]
    fn close(&self) {
        self.future.set(None);
    }

    #[slot]
    fn tp_iter(zelf: &Object) -> ObjRef {
        zelf.to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        match self.step(vm)? {
            SendResult::Next(value) => Ok(Some(value)),
            SendResult::Return(value) if vm.is_none(&value) => Ok(None),
            SendResult::Return(value) => Err(vm.stop_iteration(Some(value))),
        }
    }

    #[slot]
    fn am_send(&self, _value: &Object, vm: &Vm) -> PyResult<SendResult> {
        self.step(vm)
    }
}
