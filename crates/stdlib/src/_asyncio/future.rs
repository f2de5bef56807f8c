//! `Future`.

use std::cell::Cell;

use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::prelude::*;

use crate::_contextvars::Context;

use super::future_core::{Progress, undisturbed};
use super::future_iter::FutureIter;
use super::state::state;

/// The layout of a future, and the head of a task's.
#[repr(C)]
#[derive(Traverse)]
pub struct Future {
    /// The object's head.
    #[traverse(skip)]
    pub ob: Object,
    /// The event loop.
    pub loop_: Slot<Object>,
    /// The first callback and its context; more are pairs in the list.
    pub callback: Slot<Object>,
    /// The context of the first callback.
    pub context: Slot<Object>,
    /// The callbacks after the first, with their contexts.
    pub callbacks: Slot<List>,
    /// What it has failed with.
    pub exception: Slot<Object>,
    /// The traceback that the exception had then.
    pub exception_traceback: Slot<Object>,
    /// The result.
    pub result: Slot<Object>,
    /// Where it was made, in debug mode.
    pub source_traceback: Slot<Object>,
    /// The message of the cancellation.
    pub cancel_message: Slot<Object>,
    /// The `CancelledError` that ended it.
    pub cancelled_exception: Slot<Object>,
    /// The one future that awaits this one, or a set of them.
    pub awaited_by: Slot<Object>,
    /// `__dict__`.
    pub dict: Slot<Object>,
    /// Its weak references.
    #[traverse(skip)]
    pub weakrefs: WeakList,
    /// How far it is.
    #[traverse(skip)]
    pub progress: Cell<Progress>,
    /// Whether its end is told when nobody has asked for the exception.
    #[traverse(skip)]
    pub log_traceback: Cell<bool>,
    /// Set while a task yields it.
    #[traverse(skip)]
    pub blocking: Cell<bool>,
    /// Whether this is the head of a task.
    #[traverse(skip)]
    pub is_task: Cell<bool>,
}

#[cold]
pub fn no_delete(name: &str, vm: &Vm) -> Raised {
    vm.attribute_error(format!("attribute '{name}' of '_asyncio.Future' objects cannot be deleted"))
}

/// This class is *almost* compatible with concurrent.futures.Future.
///
///     Differences:
///
///     - result() and exception() do not take a timeout argument and
///       raise an exception when the future isn't done yet.
///
///     - Callbacks registered with add_done_callback() are always called
///       via the event loop's call_soon_threadsafe().
///
///     - This class is not compatible with the wait() and as_completed()
///       methods in the concurrent.futures package.
#[pytype(name = "_asyncio.Future", flags(BASETYPE), gc, dict = dict, weakrefs = weakrefs)]
impl Future {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Future::empty(Object::new(Self::type_object())))
    }

    #[init("(*, loop=None)")]
    fn init(&self, running: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.start(running, vm)
    }

    /// Return the result this future represents.
    ///
    /// If the future has been cancelled, raises CancelledError.  If the
    /// future's result isn't yet available, raises InvalidStateError.  If
    /// the future is done and has an exception set, this exception is raised.
    #[method("($self, /)")]
    pub fn result(&self, vm: &Vm) -> PyResult {
        if self.loop_.is_none() {
            return Err(state(vm).invalid("Future object is not initialized.", vm));
        }
        self.result_or_raise(vm)
    }

    /// Return the exception that was set on this future.
    ///
    /// The exception (or None if no exception was set) is returned only if
    /// the future is done.  If the future has been cancelled, raises
    /// CancelledError.  If the future isn't done yet, raises
    /// InvalidStateError.
    #[method("~($self, /)")]
    fn exception(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if self.loop_.is_none() {
            return Err(state(vm).invalid("Future object is not initialized.", vm));
        }
        match self.progress.get() {
            Progress::Cancelled => self.result_or_raise(vm).map(Some),
            Progress::Pending => Err(state(vm).invalid("Exception is not set.", vm)),
            Progress::Finished => {
                self.log_traceback.set(false);
                Ok(self.exception.get())
            }
        }
    }

    /// Mark the future done and set its result.
    ///
    /// If the future is already done when this method is called, raises
    /// InvalidStateError.
    #[method("~($self, result, /)")]
    fn set_result(&self, result: &Object, vm: &Vm) -> PyResult<()> {
        self.finish(result, vm)
    }

    /// Mark the future done and set an exception.
    ///
    /// If the future is already done when this method is called, raises
    /// InvalidStateError.
    #[method("~($self, exception, /)")]
    fn set_exception(&self, exception: &Object, vm: &Vm) -> PyResult<()> {
        self.fail(exception, vm)
    }

    /// Add a callback to be run when the future becomes done.
    ///
    /// The callback is called with a single argument - the future object. If
    /// the future is already done when this is called, the callback is
    /// scheduled with call_soon.
    #[method("($self, fn, /, *, context=<unrepresentable>)")]
    fn add_done_callback(&self, callback: &Object, context: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if self.loop_.is_none() {
            return Err(vm.runtime_error("uninitialized Future object"));
        }
        match context {
            Some(context) => self.add_callback(callback, context, vm),
            None => self.add_callback(callback, Context::copy_current(vm).as_object(), vm),
        }
    }

    /// Remove all instances of a callback from the "call when done" list.
    ///
    /// Returns the number of callbacks removed.
    #[method("~($self, fn, /)")]
    fn remove_done_callback(&self, callback: &Object, vm: &Vm) -> PyResult<usize> {
        self.check_alive(vm)?;
        let mut removed = 0;
        if let Some(first) = self.callback.get() {
            if first.rich_compare_bool(callback, CompareOp::Eq, vm)? {
                self.callback.set(None);
                self.context.set(None);
                removed += 1;
            }
        }
        let Some(list) = self.callbacks.get() else { return Ok(removed) };
        let (mut kept, mut at) = (Vec::new(), 0);
        // A comparison may change the list.
        while let Some(pair) = list.get(at) {
            at += 1;
            let known = pair.downcast_ref::<Tuple>().and_then(|pair| pair.as_slice().first().cloned());
            match known {
                Some(known) if known.rich_compare_bool(callback, CompareOp::Eq, vm)? => removed += 1,
                _ => kept.push(pair),
            }
        }
        if self.callbacks.is_none() {
            return Ok(removed);
        }
        self.callbacks.set((!kept.is_empty()).then(|| vm.new_list(kept)));
        Ok(removed)
    }

    /// Cancel the future and schedule callbacks.
    ///
    /// If the future is already done or cancelled, return False.  Otherwise,
    /// change the future's state to cancelled, schedule the callbacks and
    /// return True.
    #[method("($self, /, msg=None)")]
    fn cancel(&self, msg: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        self.check_alive(vm)?;
        self.cancel_now(msg, vm)
    }

    /// Return True if the future was cancelled.
    #[method("($self, /)")]
    fn cancelled(&self) -> bool {
        self.progress.get() == Progress::Cancelled
    }

    /// Return True if the future is done.
    ///
    /// Done means either that a result / exception are available, or that the
    /// future was cancelled.
    #[method("($self, /)")]
    fn done(&self) -> bool {
        !self.is_pending()
    }

    /// Return the event loop the Future is bound to.
    #[method("~($self, /)")]
    fn get_loop(&self, vm: &Vm) -> PyResult {
        self.known_loop(vm)
    }

    /// Create the CancelledError to raise if the Future is cancelled.
    ///
    /// This should only be called once when handling a cancellation since
    /// it erases the context exception value.
    #[method("($self, /)")]
    fn _make_cancelled_error(&self, vm: &Vm) -> PyResult {
        self.cancelled_error(vm)
    }

    /// Futures are generic over the type of their results
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), item, vm)
    }

    #[getter]
    fn _state(&self, vm: &Vm) -> PyResult<&'static str> {
        self.check_alive(vm)?;
        Ok(self.progress.get().name())
    }

    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        self.blocking.get()
    }

    #[setter]
    fn set__asyncio_future_blocking(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.check_alive(vm)?;
        let Some(value) = value else { return Err(no_delete("_asyncio_future_blocking", vm)) };
        self.blocking.set(value.is_true(vm)?);
        Ok(())
    }

    #[getter]
    fn _loop(&self) -> Option<ObjRef> {
        self.loop_.get()
    }

    #[getter]
    fn _callbacks(&self, vm: &Vm) -> PyResult<Option<Ref<List>>> {
        self.check_alive(vm)?;
        let mut all = Vec::new();
        if let Some((callback, context)) = self.callback.get().zip(self.context.get()) {
            all.push(Tuple::pair(callback, context, vm).into_object());
        }
        if let Some(list) = self.callbacks.get() {
            all.extend(list.to_vec());
        }
        Ok((!all.is_empty()).then(|| vm.new_list(all)))
    }

    #[getter]
    fn _result(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.check_alive(vm)?;
        Ok(self.result.get())
    }

    #[getter]
    fn _exception(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.check_alive(vm)?;
        Ok(self.exception.get())
    }

    #[getter]
    fn _log_traceback(&self, vm: &Vm) -> PyResult<bool> {
        self.check_alive(vm)?;
        Ok(self.log_traceback.get())
    }

    #[setter]
    fn set__log_traceback(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(no_delete("_log_traceback", vm)) };
        if value.is_true(vm)? {
            return Err(vm.value_error("_log_traceback can only be set to False"));
        }
        self.log_traceback.set(false);
        Ok(())
    }

    #[getter]
    fn _source_traceback(&self) -> Option<ObjRef> {
        self.source_traceback.get()
    }

    #[getter]
    fn _cancel_message(&self) -> Option<ObjRef> {
        self.cancel_message.get()
    }

    #[setter]
    fn set__cancel_message(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(no_delete("_cancel_message", vm)) };
        self.cancel_message.put(value.to_ref());
        Ok(())
    }

    #[getter]
    fn _asyncio_awaited_by(&self, vm: &Vm) -> PyResult<Option<Ref<FrozenSet>>> {
        let Some(known) = self.awaited_by.get() else { return Ok(None) };
        let source = match known.downcast_ref::<Set>() {
            Some(_) => known,
            None => vm.new_tuple([known]).into_object(),
        };
        FrozenSet::from_iterable(&source, vm).map(Some)
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult {
        if let Some(future) = zelf.downcast_ref::<Future>() {
            future.check_alive(vm)?;
        }
        state(vm).future_repr.get("asyncio.base_futures", "_future_repr", vm)?.call(&[zelf], vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<Ref<FutureIter>> {
        FutureIter::over(self, vm)
    }

    #[slot]
    fn am_await(&self, vm: &Vm) -> PyResult<Ref<FutureIter>> {
        FutureIter::over(self, vm)
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        undisturbed(vm, || self.finalize(vm));
    }
}
