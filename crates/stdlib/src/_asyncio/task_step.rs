//! Running a task's coroutine up to its next `await`.

use std::cell::Cell;

use taipan_object::typeobject::VectorcallFunc;
use taipan_vm::builtins::generator::{Generator, send_to};
use taipan_vm::exceptions::base::{given_exception_matches, new_exception};
use taipan_vm::prelude::*;
use taipan_vm::protocols::call::ARGUMENTS_OFFSET;
use taipan_vm::protocols::native::{arg_slice, to_c};

use crate::_contextvars::Context;

use super::future::Future;
use super::future_core::{add_awaited_by, call_soon, discard_awaited_by, loop_of};
use super::state::state;
use super::task::Task;

/// Calls the next step of a task.
#[repr(C)]
#[derive(Traverse)]
pub struct TaskStep {
    #[traverse(skip)]
    ob: Object,
    task: Slot<Task>,
    /// What the coroutine gets raised.
    exception: Slot<Object>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

unsafe extern "C" fn call_step(
    callable: *mut Object,
    _args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object on an attached thread.
    let (vm, this, named) = unsafe {
        let named = kwnames.as_ref().map_or(0, |names| names.cast::<Tuple>().len());
        (Vm::current(), (*callable).cast::<TaskStep>(), named)
    };
    to_c(this.call(nargsf & !ARGUMENTS_OFFSET, named, vm).map(|()| vm.none()))
}

impl TaskStep {
    fn call(&self, positional: usize, named: usize, vm: &Vm) -> PyResult<()> {
        if named > 0 {
            return Err(vm.type_error("function takes no keyword arguments"));
        }
        if positional > 0 {
            return Err(vm.type_error("function takes no positional arguments"));
        }
        let Some(task) = self.task.get() else { return Ok(()) };
        let exception = self.exception.get();
        step(&task, exception.as_deref(), vm)
    }
}

#[pytype(name = "_asyncio.TaskStepMethWrapper", gc, no_new, vectorcall = vectorcall, doc = "")]
impl TaskStep {
    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.call(args.len(), kwargs.map_or(0, Dict::len), vm)
    }

    #[getter]
    fn __self__(&self) -> Option<Ref<Task>> {
        self.task.get()
    }
}

/// Tells a task that what it waits for is done.
#[repr(C)]
#[derive(Traverse)]
pub struct TaskWakeup {
    #[traverse(skip)]
    ob: Object,
    task: Slot<Task>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

unsafe extern "C" fn call_wakeup(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    let nargs = nargsf & !ARGUMENTS_OFFSET;
    // SAFETY: vectorcall functions are called with their own object and live arguments on an attached thread.
    let (vm, this, args, named) = unsafe {
        let named = kwnames.as_ref().map_or(0, |names| names.cast::<Tuple>().len());
        (Vm::current(), (*callable).cast::<TaskWakeup>(), arg_slice(args, nargs), named)
    };
    to_c(this.call(args, named, vm).map(|()| vm.none()))
}

impl TaskWakeup {
    fn call(&self, args: &[&Object], named: usize, vm: &Vm) -> PyResult<()> {
        if named > 0 {
            return Err(vm.type_error("wakeup() takes no keyword arguments"));
        }
        let [future] = args else {
            let given = args.len();
            return Err(vm.type_error(format!("wakeup() takes exactly one argument ({given} given)")));
        };
        match self.task.get() {
            Some(task) => wake_up(&task, future, vm),
            None => Ok(()),
        }
    }
}

#[pytype(name = "_asyncio.TaskWakeupMethWrapper", gc, no_new, vectorcall = vectorcall, doc = "")]
impl TaskWakeup {
    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        let args: Vec<&Object> = args.as_slice().iter().map(|arg| &**arg).collect();
        self.call(&args, kwargs.map_or(0, Dict::len), vm)
    }

    #[getter]
    fn __self__(&self) -> Option<Ref<Task>> {
        self.task.get()
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        "wakeup"
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        "Task.wakeup"
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        Ok(self.task.as_raw() as isize >> 4)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_exact::<TaskWakeup>() else { return Ok(vm.not_implemented()) };
        let same = self.task.as_raw() == other.task.as_raw();
        match op {
            CompareOp::Eq => Ok(vm.new_bool(same)),
            CompareOp::Ne => Ok(vm.new_bool(!same)),
            _ => Ok(vm.not_implemented()),
        }
    }
}

fn step_callable(task: &Task, exception: Option<ObjRef>, vm: &Vm) -> ObjRef {
    vm.new_object(TaskStep {
        ob: Object::new(TaskStep::type_object()),
        task: Slot::of(Ref::new_ref(task)),
        exception: Slot::new(exception),
        vectorcall: Cell::new(Some(call_step)),
    })
    .into_object()
}

fn wakeup_callable(task: &Task, vm: &Vm) -> ObjRef {
    vm.new_object(TaskWakeup {
        ob: Object::new(TaskWakeup::type_object()),
        task: Slot::of(Ref::new_ref(task)),
        vectorcall: Cell::new(Some(call_wakeup)),
    })
    .into_object()
}

/// Has the loop run the next step.
pub fn step_soon(task: &Task, exception: Option<ObjRef>, vm: &Vm) -> PyResult<()> {
    let step = step_callable(task, exception, vm);
    let context = task.context.get().unwrap_or_else(|| vm.none());
    call_soon(&*task.future.known_loop(vm)?, &step, None, &context, vm)
}

/// `waiter.cancel(msg=message)`.
pub fn cancel_waiter(waiter: &Object, message: Option<&Object>, vm: &Vm) -> PyResult<bool> {
    let names = state(vm).names(vm);
    let message = message.unwrap_or(vm.none_ref());
    waiter.get_attr(&names.cancel, vm)?.call_kw(&[message], Some(&names.msg_only), vm)?.is_true(vm)
}

/// Restores the exception of a step after what has to follow it.
fn after<T>(result: PyResult<T>, vm: &Vm, follow: impl FnOnce() -> PyResult<()>) -> PyResult<T> {
    match result {
        Ok(value) => follow().map(|()| value),
        Err(raised) => {
            let pending = vm.take_exception();
            if follow().is_err() {
                vm.clear_exception();
            }
            match pending {
                Some(pending) => Err(vm.reraise(pending)),
                None => Err(raised),
            }
        }
    }
}

/// One step as the loop's current task.
fn step(task: &Task, exception: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let state = state(vm);
    let running = task.future.known_loop(vm)?;
    state.enter_task(&running, task.as_object(), vm)?;
    let result = run(task, exception, vm);
    after(result, vm, || state.leave_task(&running, task.as_object(), vm))
}

/// The first step of a task, before the call that makes it returns.
pub fn eager_start(task: &Task, vm: &Vm) -> PyResult<()> {
    let state = state(vm);
    let running = task.future.known_loop(vm)?;
    let previous = state.swap_task(&running, Some(task.as_object().to_ref()), vm)?;
    let result = (|| {
        state.eager_tasks(vm).add(task.as_object(), vm)?;
        let result = match task.context.get().and_then(|context| context.downcast::<Context>().ok()) {
            Some(context) => context.within(vm, || run(task, None, vm)),
            None => Err(vm.type_error("an instance of Context was expected")),
        };
        after(result, vm, || state.eager_tasks(vm).discard(task.as_object(), vm).map(drop))
    })();
    let result = after(result, vm, || state.swap_task(&running, previous, vm).map(drop));
    if task.future.is_pending() {
        task.link.insert(task, vm);
    } else {
        task.coroutine.set(None);
    }
    result
}

/// Runs the coroutine and looks at what it did.
fn run(task: &Task, exception: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let state = state(vm);
    if !task.future.is_pending() {
        let shown = task.as_object().repr(vm)?;
        let given = match exception {
            Some(exception) => exception.repr(vm)?.to_string_lossy().into_owned(),
            None => "''".to_owned(),
        };
        return Err(
            state.invalid(&format!("__step(): already done: {} {given}", shown.to_string_lossy()), vm)
        );
    }
    let mut exception = exception.map(Object::to_ref);
    if task.must_cancel.get() {
        let class = state.cancelled_error(vm)?;
        let cancels = exception.as_ref().is_some_and(|exception| given_exception_matches(exception, class));
        if !cancels {
            exception = Some(task.future.cancelled_error(vm)?);
        }
        task.must_cancel.set(false);
    }
    task.waiter.set(None);
    let Some(coroutine) = task.coroutine.get() else {
        return Err(vm.runtime_error("uninitialized Task object"));
    };
    let sent = match &exception {
        None => match send_to(&coroutine, vm.none_ref(), vm) {
            Some(sent) => sent,
            None => next_of(&coroutine, vm),
        },
        Some(exception) => {
            let thrown = coroutine.call_method(&state.names(vm).throw, &[exception], vm);
            thrown.map(SendResult::Next)
        }
    };
    let result = match sent {
        Ok(SendResult::Next(value)) => return wait_for(task, value, vm),
        Ok(SendResult::Return(value)) => value,
        Err(raised) => match stopped_with(vm) {
            Some(value) => value,
            None => return failed(task, raised, vm),
        },
    };
    if task.must_cancel.get() {
        // Cancelled right before the coroutine ended.
        task.must_cancel.set(false);
        let message = task.future.cancel_message.get();
        return task.future.cancel_now(message.as_deref(), vm).map(drop);
    }
    task.future.finish(&result, vm)
}

/// `send(None)` of a coroutine-like object that lacks the slot.
fn next_of(coroutine: &Object, vm: &Vm) -> PyResult<SendResult> {
    if let Some(next) = coroutine.ob_type().tp_iternext.get() {
        // SAFETY: the slot is called with a live object; null without an exception is the end.
        return match unsafe { Ref::from_raw_opt(next(coroutine.as_ptr())) } {
            Some(value) => Ok(SendResult::Next(value)),
            // A `StopIteration` has the result with it.
            None if vm.has_exception() => Err(Raised),
            None => Ok(SendResult::Return(vm.none())),
        };
    }
    coroutine.call_method(vm.ids().send, &[vm.none_ref()], vm).map(SendResult::Next)
}

/// The value of the `StopIteration` in flight, which is taken away.
fn stopped_with(vm: &Vm) -> Option<ObjRef> {
    if !vm.exception_matches(types::stop_iteration()) {
        return None;
    }
    let exception = vm.take_exception()?;
    let value = exception.as_object().get_attr(vm.ids().value, vm);
    Some(value.unwrap_or_else(|_| {
        vm.clear_exception();
        vm.none()
    }))
}

/// The coroutine raised.
fn failed(task: &Task, raised: Raised, vm: &Vm) -> PyResult<()> {
    let state = state(vm);
    let Some(pending) = vm.take_exception() else { return Err(raised) };
    let class = state.cancelled_error(vm)?;
    if given_exception_matches(pending.as_object(), class) {
        task.future.cancelled_exception.put(pending.into_object());
        return task.future.cancel_now(None, vm).map(drop);
    }
    task.future.fail(pending.as_object(), vm)?;
    let leaves = [types::keyboard_interrupt(), types::system_exit()]
        .iter()
        .any(|class| given_exception_matches(pending.as_object(), class.as_object()));
    if leaves { Err(vm.reraise(pending)) } else { Ok(()) }
}

/// Raises an error into the coroutine at its next step.
fn error_soon(task: &Task, text: String, vm: &Vm) -> PyResult<()> {
    let text = vm.new_str(&text).into_object();
    let error = new_exception(types::runtime_error(), vec![text], vm)?;
    step_soon(task, Some(error.into_object()), vm)
}

fn shown(object: &Object, vm: &Vm) -> PyResult<String> {
    Ok(object.repr(vm)?.to_string_lossy().into_owned())
}

/// The future that the task waits for from now on.
fn wait_on(task: &Task, future: ObjRef, vm: &Vm) -> PyResult<()> {
    task.waiter.put(future.clone());
    if task.must_cancel.get() {
        let message = task.future.cancel_message.get();
        if cancel_waiter(&future, message.as_deref(), vm)? {
            task.must_cancel.set(false);
        }
    }
    Ok(())
}

/// What the coroutine yielded.
fn wait_for(task: &Task, value: ObjRef, vm: &Vm) -> PyResult<()> {
    let this = task.as_object();
    if value.is(this) {
        return error_soon(task, format!("Task cannot await on itself: {}", shown(this, vm)?), vm);
    }
    let exact =
        value.downcast_exact::<Future>().or_else(|| value.downcast_exact::<Task>().map(|task| &task.future));
    if let Some(future) = exact {
        if future.loop_.as_raw() != task.future.loop_.as_raw() {
            return different_loop(task, &value, vm);
        }
        if !future.blocking.get() {
            return not_awaited(task, &value, vm);
        }
        add_awaited_by(&value, this, vm)?;
        future.blocking.set(false);
        let context = task.context.get().unwrap_or_else(|| vm.none());
        future.add_callback(&wakeup_callable(task, vm), &context, vm)?;
        return wait_on(task, value, vm);
    }
    if vm.is_none(&value) {
        return step_soon(task, None, vm);
    }
    let names = state(vm).names(vm);
    if let Some(blocking) = value.lookup_attr(&names.blocking, vm)?.filter(|flag| !vm.is_none(flag)) {
        let blocking = blocking.is_true(vm)?;
        if loop_of(&value, vm)?.as_raw() != task.future.loop_.as_raw() {
            return different_loop(task, &value, vm);
        }
        if !blocking {
            return not_awaited(task, &value, vm);
        }
        add_awaited_by(&value, this, vm)?;
        value.set_attr(&names.blocking, vm.false_ref(), vm)?;
        let context = task.context.get().unwrap_or_else(|| vm.none());
        let method = value.get_attr(&names.add_done_callback, vm)?;
        method.call_kw(&[&wakeup_callable(task, vm), &context], Some(&names.context_only), vm)?;
        return wait_on(task, value, vm);
    }
    let text = if value.downcast_exact::<Generator>().is_some() {
        format!(
            "yield was used instead of yield from for generator in task {} with {}",
            shown(this, vm)?,
            shown(&value, vm)?
        )
    } else {
        format!("Task got bad yield: {}", shown(&value, vm)?)
    };
    error_soon(task, text, vm)
}

#[cold]
fn different_loop(task: &Task, future: &Object, vm: &Vm) -> PyResult<()> {
    let (this, future) = (shown(task.as_object(), vm)?, shown(future, vm)?);
    error_soon(task, format!("Task {this} got Future {future} attached to a different loop"), vm)
}

#[cold]
fn not_awaited(task: &Task, future: &Object, vm: &Vm) -> PyResult<()> {
    let (this, future) = (shown(task.as_object(), vm)?, shown(future, vm)?);
    error_soon(task, format!("yield was used instead of yield from in task {this} with {future}"), vm)
}

/// What the task waited for is done.
fn wake_up(task: &Task, future: &Object, vm: &Vm) -> PyResult<()> {
    discard_awaited_by(future, task.as_object(), vm)?;
    let exact = future
        .downcast_exact::<Future>()
        .or_else(|| future.downcast_exact::<Task>().map(|task| &task.future));
    let outcome = match exact {
        Some(future) => future.outcome(vm),
        None => future.call_method(&state(vm).names(vm).result, &[], vm).map(Ok),
    };
    match outcome {
        Ok(Ok(_)) => step(task, None, vm),
        Ok(Err(exception)) => step(task, Some(&exception), vm),
        Err(raised) => match vm.take_exception() {
            Some(exception) => step(task, Some(exception.as_object()), vm),
            None => Err(raised),
        },
    }
}
