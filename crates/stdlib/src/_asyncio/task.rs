//! `Task`.

use std::cell::Cell;

use taipan_vm::builtins::generator::Coroutine;
use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::prelude::*;

use crate::_contextvars::Context;

use super::future::Future;
use super::future_core::undisturbed;
use super::registry::Link;
use super::state::state;
use super::task_step;

/// The layout of a task.
#[repr(C)]
#[derive(Traverse)]
pub struct Task {
    /// What a task has in common with futures.
    pub future: Future,
    /// What the coroutine waits for.
    pub waiter: Slot<Object>,
    /// What it runs.
    pub coroutine: Slot<Object>,
    /// Its name, or the number that makes one.
    pub name: Slot<Object>,
    /// The context that it runs in.
    pub context: Slot<Object>,
    /// Its place among the thread's tasks.
    #[traverse(skip)]
    pub link: Link,
    /// How many cancellations were asked for.
    #[traverse(skip)]
    pub cancels: Cell<i32>,
    /// The number in the default name.
    #[traverse(skip)]
    pub number: Cell<u64>,
    /// Whether the next step throws `CancelledError`.
    #[traverse(skip)]
    pub must_cancel: Cell<bool>,
    /// Whether it is told when it is destroyed pending.
    #[traverse(skip)]
    pub log_destroy_pending: Cell<bool>,
}

fn is_coroutine(object: &Object, vm: &Vm) -> PyResult<bool> {
    if object.downcast_exact::<Coroutine>().is_some() {
        return Ok(true);
    }
    state(vm).is_coroutine.get("asyncio.coroutines", "iscoroutine", vm)?.call(&[object], vm)?.is_true(vm)
}

impl Task {
    /// The name as it was given; numbers become names when asked for.
    fn shown_name(&self, vm: &Vm) -> ObjRef {
        if let Some(name) = self.name.get() {
            return name;
        }
        if self.number.get() == 0 {
            return vm.none();
        }
        let name = vm.new_str(&format!("Task-{}", self.number.get())).into_object();
        self.name.put(name.clone());
        name
    }

    fn rename(&self, name: &Object, vm: &Vm) -> PyResult<()> {
        let name = match name.downcast_exact::<Str>() {
            Some(_) => name.to_ref(),
            None => name.str(vm)?.into_object(),
        };
        self.name.put(name);
        Ok(())
    }
}

/// A coroutine wrapped in a Future.
#[pytype(name = "_asyncio.Task", base = Future, flags(BASETYPE), gc)]
impl Task {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let future = Future::empty(Object::new(Self::type_object()));
        future.is_task.set(true);
        vm.new_instance(
            cls,
            Task {
                future,
                waiter: Slot::empty(),
                coroutine: Slot::empty(),
                name: Slot::empty(),
                context: Slot::empty(),
                link: Link::new(),
                cancels: Cell::new(0),
                number: Cell::new(0),
                must_cancel: Cell::new(false),
                log_destroy_pending: Cell::new(false),
            },
        )
    }

    #[init("(coro, *, loop=None, name=None, context=None, eager_start=False)")]
    fn init(
        &self,
        coro: &Object,
        running: Option<&Object>,
        name: Option<&Object>,
        context: Option<&Object>,
        eager_start: bool,
        vm: &Vm,
    ) -> PyResult<()> {
        self.future.start(running, vm)?;
        if !is_coroutine(coro, vm)? {
            self.log_destroy_pending.set(false);
            let shown = coro.repr(vm)?;
            return Err(vm.type_error(format!("a coroutine was expected, got {}", shown.to_string_lossy())));
        }
        let context = match context.filter(|context| !vm.is_none(context)) {
            Some(context) => context.to_ref(),
            None => Context::copy_current(vm).into_object(),
        };
        self.context.put(context);
        self.waiter.set(None);
        self.must_cancel.set(false);
        self.log_destroy_pending.set(true);
        self.cancels.set(0);
        self.coroutine.put(coro.to_ref());
        match name.filter(|name| !vm.is_none(name)) {
            Some(name) => self.rename(name, vm)?,
            None => {
                let count = &state(vm).task_count;
                count.set(count.get() + 1);
                self.number.set(count.get());
                self.name.set(None);
            }
        }
        if eager_start {
            let running = self.future.known_loop(vm)?;
            let is_running = running.call_method(&state(vm).names(vm).is_running, &[], vm)?;
            if is_running.is_true(vm)? {
                return task_step::eager_start(self, vm);
            }
        }
        task_step::step_soon(self, None, vm)?;
        self.link.insert(self, vm);
        Ok(())
    }

    #[method("($self, result, /)")]
    fn set_result(&self, _result: &Object, vm: &Vm) -> PyResult<()> {
        Err(vm.runtime_error("Task does not support set_result operation"))
    }

    #[method("($self, exception, /)")]
    fn set_exception(&self, _exception: &Object, vm: &Vm) -> PyResult<()> {
        Err(vm.runtime_error("Task does not support set_exception operation"))
    }

    /// Request that this task cancel itself.
    ///
    /// This arranges for a CancelledError to be thrown into the
    /// wrapped coroutine on the next cycle through the event loop.
    /// The coroutine then has a chance to clean up or even deny
    /// the request using try/except/finally.
    ///
    /// Unlike Future.cancel, this does not guarantee that the
    /// task will be cancelled: the exception might be caught and
    /// acted upon, delaying cancellation of the task or preventing
    /// cancellation completely.  The task may also return a value or
    /// raise a different exception.
    ///
    /// Immediately after this method is called, Task.cancelled() will
    /// not return True (unless the task was already cancelled).  A
    /// task will be marked as cancelled when the wrapped coroutine
    /// terminates with a CancelledError exception (even if cancel()
    /// was not called).
    ///
    /// This also increases the task's count of cancellation requests.
    #[method("($self, /, msg=None)")]
    fn cancel(&self, msg: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        self.future.log_traceback.set(false);
        if !self.future.is_pending() {
            return Ok(false);
        }
        self.cancels.set(self.cancels.get().wrapping_add(1));
        if let Some(waiter) = self.waiter.get() {
            if task_step::cancel_waiter(&waiter, msg, vm)? {
                return Ok(true);
            }
        }
        self.must_cancel.set(true);
        self.future.cancel_message.set(msg.map(Object::to_ref));
        Ok(true)
    }

    /// Return the count of the task's cancellation requests.
    ///
    /// This count is incremented when .cancel() is called
    /// and may be decremented using .uncancel().
    #[method("($self, /)")]
    fn cancelling(&self) -> i32 {
        self.cancels.get()
    }

    /// Decrement the task's count of cancellation requests.
    ///
    /// This should be used by tasks that catch CancelledError
    /// and wish to continue indefinitely until they are cancelled again.
    ///
    /// Returns the remaining number of cancellation requests.
    #[method("($self, /)")]
    fn uncancel(&self) -> i32 {
        if self.cancels.get() > 0 {
            self.cancels.set(self.cancels.get() - 1);
            if self.cancels.get() == 0 {
                self.must_cancel.set(false);
            }
        }
        self.cancels.get()
    }

    /// Return the list of stack frames for this task's coroutine.
    ///
    /// If the coroutine is not done, this returns the stack where it is
    /// suspended.  If the coroutine has completed successfully or was
    /// cancelled, this returns an empty list.  If the coroutine was
    /// terminated by an exception, this returns the list of traceback
    /// frames.
    ///
    /// The frames are always ordered from oldest to newest.
    ///
    /// The optional limit gives the maximum number of frames to
    /// return; by default all available frames are returned.  Its
    /// meaning differs depending on whether a stack or a traceback is
    /// returned: the newest frames of a stack are returned, but the
    /// oldest frames of a traceback are returned.  (This matches the
    /// behavior of the traceback module.)
    ///
    /// For reasons beyond our control, only one stack frame is
    /// returned for a suspended coroutine.
    #[method("($self, /, *, limit=None)")]
    fn get_stack(zelf: &Object, limit: Option<&Object>, vm: &Vm) -> PyResult {
        let function = state(vm).get_stack.get("asyncio.base_tasks", "_task_get_stack", vm)?;
        function.call(&[zelf, limit.unwrap_or(vm.none_ref())], vm)
    }

    /// Print the stack or traceback for this task's coroutine.
    ///
    /// This produces output similar to that of the traceback module,
    /// for the frames retrieved by get_stack().  The limit argument
    /// is passed to get_stack().  The file argument is an I/O stream
    /// to which the output is written; by default output is written
    /// to sys.stderr.
    #[method("($self, /, *, limit=None, file=None)")]
    fn print_stack(zelf: &Object, limit: Option<&Object>, file: Option<&Object>, vm: &Vm) -> PyResult {
        let function = state(vm).print_stack.get("asyncio.base_tasks", "_task_print_stack", vm)?;
        let none = vm.none_ref();
        function.call(&[zelf, limit.unwrap_or(none), file.unwrap_or(none)], vm)
    }

    #[method("($self, /)")]
    fn get_name(&self, vm: &Vm) -> ObjRef {
        self.shown_name(vm)
    }

    #[method("($self, value, /)")]
    fn set_name(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        self.rename(value, vm)
    }

    #[method("($self, /)")]
    fn get_coro(&self) -> Option<ObjRef> {
        self.coroutine.get()
    }

    #[method("($self, /)")]
    fn get_context(&self) -> Option<ObjRef> {
        self.context.get()
    }

    /// Tasks are generic over the return type of their wrapped coroutines
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), item, vm)
    }

    #[getter]
    fn _log_destroy_pending(&self) -> bool {
        self.log_destroy_pending.get()
    }

    #[setter]
    fn set__log_destroy_pending(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            return Err(vm.attribute_error(
                "attribute '_log_destroy_pending' of '_asyncio.Task' objects cannot be deleted",
            ));
        };
        self.log_destroy_pending.set(value.is_true(vm)?);
        Ok(())
    }

    #[getter]
    fn _must_cancel(&self) -> bool {
        self.must_cancel.get()
    }

    #[getter]
    fn _coro(&self) -> Option<ObjRef> {
        self.coroutine.get()
    }

    #[getter]
    fn _fut_waiter(&self) -> Option<ObjRef> {
        self.waiter.get()
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult {
        if let Some(task) = zelf.downcast_ref::<Task>() {
            task.future.check_alive(vm)?;
        }
        state(vm).task_repr.get("asyncio.base_tasks", "_task_repr", vm)?.call(&[zelf], vm)
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        undisturbed(vm, || {
            if self.future.is_pending() && self.log_destroy_pending.get() && !self.future.loop_.is_none() {
                let text = vm.new_str("Task was destroyed but it is pending!");
                let names = state(vm).names(vm);
                self.future
                    .tell_handler(&[(&names.task, self.as_object()), (&names.message, text.as_object())], vm);
            }
            self.future.finalize(vm);
        });
    }
}
