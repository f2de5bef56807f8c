//! What futures and tasks have in common, and what other modules' futures must offer.

use std::cell::Cell;

use taipan_vm::prelude::*;
use taipan_vm::protocols::call::call_method_kw;

use super::event_loop;
use super::future::Future;
use super::state::state;

/// How far a future is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Progress {
    Pending,
    Cancelled,
    Finished,
}

impl Progress {
    pub fn name(self) -> &'static str {
        match self {
            Progress::Pending => "PENDING",
            Progress::Cancelled => "CANCELLED",
            Progress::Finished => "FINISHED",
        }
    }
}

/// `loop.call_soon(callback[, argument], context=context)`.
pub fn call_soon(
    running: &Object,
    callback: &Object,
    argument: Option<&Object>,
    context: &Object,
    vm: &Vm,
) -> PyResult<()> {
    let names = state(vm).names(vm);
    let call = |args: &[&Object]| call_method_kw(running, &names.call_soon, args, &names.context_only, vm);
    match argument {
        Some(argument) => call(&[callback, argument, context]),
        None => call(&[callback, context]),
    }
    .map(drop)
}

/// The loop of any future.
pub fn loop_of(future: &Object, vm: &Vm) -> PyResult {
    if let Some(future) = future.downcast_exact::<Future>() {
        return future.known_loop(vm);
    }
    let names = state(vm).names(vm);
    match future.lookup_attr(&names.get_loop, vm)? {
        Some(get_loop) => get_loop.call_no_args(vm),
        None => future.get_attr(&names.loop_, vm),
    }
}

/// Records that `waiter` awaits `future`, when both are ours.
pub fn add_awaited_by(future: &Object, waiter: &Object, vm: &Vm) -> PyResult<()> {
    let (Some(future), Some(_)) = (future.downcast_ref::<Future>(), waiter.downcast_ref::<Future>()) else {
        return Ok(());
    };
    let Some(known) = future.awaited_by.get() else {
        future.awaited_by.put(waiter.to_ref());
        return Ok(());
    };
    // A lone waiter lies there itself; futures are no sets.
    if let Some(set) = known.downcast_ref::<Set>() {
        return set.add(waiter, vm).map(drop);
    }
    if known.is(waiter) {
        return Ok(());
    }
    let set = Set::new(vm);
    set.add(&known, vm)?;
    set.add(waiter, vm)?;
    future.awaited_by.put(set.into_object());
    Ok(())
}

/// Undoes `add_awaited_by`.
pub fn discard_awaited_by(future: &Object, waiter: &Object, vm: &Vm) -> PyResult<()> {
    let (Some(future), Some(_)) = (future.downcast_ref::<Future>(), waiter.downcast_ref::<Future>()) else {
        return Ok(());
    };
    match future.awaited_by.get() {
        Some(known) if known.is(waiter) => future.awaited_by.set(None),
        Some(known) => {
            if let Some(set) = known.downcast_ref::<Set>() {
                set.discard(waiter, vm)?;
            }
        }
        None => {}
    }
    Ok(())
}

impl Future {
    /// A future without a loop, not yet initialised.
    pub fn empty(ob: Object) -> Future {
        Future {
            ob,
            loop_: Slot::empty(),
            callback: Slot::empty(),
            context: Slot::empty(),
            callbacks: Slot::empty(),
            exception: Slot::empty(),
            exception_traceback: Slot::empty(),
            result: Slot::empty(),
            source_traceback: Slot::empty(),
            cancel_message: Slot::empty(),
            cancelled_exception: Slot::empty(),
            awaited_by: Slot::empty(),
            dict: Slot::empty(),
            weakrefs: WeakList::new(),
            progress: Cell::new(Progress::Pending),
            log_traceback: Cell::new(false),
            blocking: Cell::new(false),
            is_task: Cell::new(false),
        }
    }

    /// Whether it has neither result nor exception.
    pub fn is_pending(&self) -> bool {
        self.progress.get() == Progress::Pending
    }

    #[cold]
    fn not_initialized(vm: &Vm) -> Raised {
        vm.runtime_error("Future object is not initialized.")
    }

    /// The loop; raises for a future without one.
    pub fn known_loop(&self, vm: &Vm) -> PyResult {
        self.loop_.get().ok_or_else(|| Future::not_initialized(vm))
    }

    /// Raises `RuntimeError` for a future that was never initialised.
    pub fn check_alive(&self, vm: &Vm) -> PyResult<()> {
        if self.loop_.is_none() { Err(Future::not_initialized(vm)) } else { Ok(()) }
    }

    /// `__init__`.
    pub fn start(&self, running: Option<&Object>, vm: &Vm) -> PyResult<()> {
        for slot in [
            &self.loop_,
            &self.callback,
            &self.context,
            &self.exception,
            &self.exception_traceback,
            &self.result,
            &self.source_traceback,
            &self.cancel_message,
            &self.cancelled_exception,
            &self.awaited_by,
        ] {
            slot.set(None);
        }
        self.callbacks.set(None);
        self.progress.set(Progress::Pending);
        self.log_traceback.set(false);
        self.blocking.set(false);
        let running = match running.filter(|running| !vm.is_none(running)) {
            Some(running) => running.to_ref(),
            None => event_loop(vm)?,
        };
        self.loop_.put(running.clone());
        let debug = running.call_method(&state(vm).names(vm).get_debug, &[], vm)?;
        if debug.is_true(vm)? {
            let extract = state(vm).extract_stack.get("traceback", "extract_stack", vm)?;
            self.source_traceback.put(extract.call_no_args(vm)?);
        }
        Ok(())
    }

    /// Hands all callbacks to the loop.
    fn schedule_callbacks(&self, vm: &Vm) -> PyResult<()> {
        let first = self.callback.take().zip(self.context.take());
        let rest = self.callbacks.take();
        if first.is_none() && rest.is_none() {
            return Ok(());
        }
        let running = self.known_loop(vm)?;
        if let Some((callback, context)) = first {
            call_soon(&running, &callback, Some(self.as_object()), &context, vm)?;
        }
        for pair in rest.map(|rest| rest.to_vec()).unwrap_or_default() {
            if let Some([callback, context]) = pair.downcast_ref::<Tuple>().map(Tuple::as_slice) {
                call_soon(&running, callback, Some(self.as_object()), context, vm)?;
            }
        }
        Ok(())
    }

    /// Sets the result. Raises `InvalidStateError` when it has ended.
    pub fn finish(&self, result: &Object, vm: &Vm) -> PyResult<()> {
        self.check_alive(vm)?;
        if !self.is_pending() {
            return Err(state(vm).invalid("invalid state", vm));
        }
        self.result.put(result.to_ref());
        self.progress.set(Progress::Finished);
        self.schedule_callbacks(vm)
    }

    /// Sets the exception. Raises `InvalidStateError` when it has ended, `TypeError` for what is none.
    pub fn fail(&self, exception: &Object, vm: &Vm) -> PyResult<()> {
        self.check_alive(vm)?;
        if !self.is_pending() {
            return Err(state(vm).invalid("invalid state", vm));
        }
        let exception = if taipan_vm::exceptions::base::is_exception_class(exception) {
            let made = exception.call_no_args(vm)?;
            if !self.is_pending() {
                return Err(state(vm).invalid("invalid state", vm));
            }
            made
        } else {
            exception.to_ref()
        };
        let Ok(mut exception) = exception.downcast::<BaseException>() else {
            return Err(vm.type_error("invalid exception object"));
        };
        if exception.as_object().downcast_ref::<BaseException>().is_some_and(|exception| {
            taipan_vm::exceptions::base::given_exception_matches(
                exception.as_object(),
                types::stop_iteration().as_object(),
            )
        }) {
            let text = "StopIteration interacts badly with generators and cannot be raised into a Future";
            let text = vm.new_str(text).into_object();
            let other = taipan_vm::exceptions::base::new_exception(types::runtime_error(), vec![text], vm)?;
            other.set_cause(Some(exception.clone().into_object()));
            other.context.put(exception.into_object());
            exception = other;
        }
        self.exception_traceback.set(exception.traceback.get());
        self.exception.put(exception.into_object());
        self.progress.set(Progress::Finished);
        self.schedule_callbacks(vm)?;
        self.log_traceback.set(true);
        Ok(())
    }

    /// `Future.cancel`.
    pub fn cancel_now(&self, message: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        self.log_traceback.set(false);
        if !self.is_pending() {
            return Ok(false);
        }
        self.progress.set(Progress::Cancelled);
        self.cancel_message.set(message.map(Object::to_ref));
        self.schedule_callbacks(vm)?;
        Ok(true)
    }

    /// The `CancelledError` to raise.
    pub fn cancelled_error(&self, vm: &Vm) -> PyResult {
        if let Some(kept) = self.cancelled_exception.take() {
            return Ok(kept);
        }
        let class = state(vm).cancelled_error(vm)?;
        match self.cancel_message.get().filter(|message| !vm.is_none(message)) {
            Some(message) => class.call(&[&message], vm),
            None => class.call_no_args(vm),
        }
    }

    fn raise(exception: ObjRef, vm: &Vm) -> Raised {
        match exception.downcast::<BaseException>() {
            Ok(exception) => vm.raise_object(exception),
            Err(_) => vm.type_error("exceptions must derive from BaseException"),
        }
    }

    /// The outcome: a result or the exception to raise. Raises for a future that is not done.
    pub fn outcome(&self, vm: &Vm) -> PyResult<Result<ObjRef, ObjRef>> {
        match self.progress.get() {
            Progress::Cancelled => Ok(Err(self.cancelled_error(vm)?)),
            Progress::Pending => Err(state(vm).invalid("Result is not set.", vm)),
            Progress::Finished => {
                self.log_traceback.set(false);
                let Some(exception) = self.exception.get() else {
                    return Ok(Ok(self.result.get().unwrap_or_else(|| vm.none())));
                };
                if let Some(exception) = exception.downcast_ref::<BaseException>() {
                    exception.traceback.set(self.exception_traceback.take());
                }
                Ok(Err(exception))
            }
        }
    }

    /// `result()`.
    pub fn result_or_raise(&self, vm: &Vm) -> PyResult {
        match self.outcome(vm)? {
            Ok(result) => Ok(result),
            Err(exception) => Err(Future::raise(exception, vm)),
        }
    }

    /// Adds a callback, or schedules it when the future is done.
    pub fn add_callback(&self, callback: &Object, context: &Object, vm: &Vm) -> PyResult<()> {
        let running = self.known_loop(vm)?;
        if !self.is_pending() {
            return call_soon(&running, callback, Some(self.as_object()), context, vm);
        }
        if self.callbacks.is_none() && self.callback.is_none() {
            self.callback.put(callback.to_ref());
            self.context.put(context.to_ref());
            return Ok(());
        }
        let pair = Tuple::pair(callback.to_ref(), context.to_ref(), vm).into_object();
        match self.callbacks.get() {
            Some(list) => list.append(pair),
            None => self.callbacks.put(vm.new_list([pair])),
        }
        Ok(())
    }

    /// Tells the loop's exception handler of something that nobody else will.
    pub fn tell_handler(&self, entries: &[(&Str, &Object)], vm: &Vm) {
        let told = (|| {
            let context = vm.new_dict();
            for (name, value) in entries {
                context.set_str(name, value, vm)?;
            }
            let names = state(vm).names(vm);
            if let Some(traceback) = self.source_traceback.get() {
                context.set_str(&names.source_traceback, &traceback, vm)?;
            }
            let running = self.known_loop(vm)?;
            running.call_method(&names.call_exception_handler, &[context.as_object()], vm)
        })();
        if told.is_err() {
            let running = self.loop_.get();
            vm.write_unraisable(running.as_deref(), None);
        }
    }

    /// Complains of an exception that nobody asked for.
    pub fn finalize(&self, vm: &Vm) {
        if !self.log_traceback.get() {
            return;
        }
        self.log_traceback.set(false);
        let Some(exception) = self.exception.get() else { return };
        let name = taipan_vm::builtins::type_::type_name(self.as_object().ob_type(), vm);
        let text = vm.new_str(&format!("{} exception was never retrieved", name.to_string_lossy()));
        let names = state(vm).names(vm);
        self.tell_handler(
            &[
                (&names.message, text.as_object()),
                (&names.exception, &exception),
                (&names.future, self.as_object()),
            ],
            vm,
        );
    }
}

/// Runs a finalizer with the exception in flight put aside.
pub fn undisturbed(vm: &Vm, run: impl FnOnce()) {
    let pending = vm.take_exception();
    run();
    if let Some(pending) = pending {
        vm.reraise(pending);
    }
}
