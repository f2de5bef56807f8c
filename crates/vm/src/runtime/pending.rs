//! What the evaluation loop does when its breaker is set: signals, pending calls, the collector, the lock.

use std::sync::atomic::Ordering;

use crate::prelude::*;
use crate::runtime::vm::breaker;

/// Looks after everything that `vm.eval_breaker` asks for. Raises what a signal handler or an asynchronous exception raises.
#[cold]
pub fn handle(vm: &Vm) -> PyResult<()> {
    let asked = vm.eval_breaker.load(Ordering::Acquire);
    if asked & breaker::SIGNALS != 0 && std::ptr::eq(vm.interp().main_thread.get(), vm) {
        vm.eval_breaker.fetch_and(!breaker::SIGNALS, Ordering::AcqRel);
        if let Some(run) = vm.interp().hooks.run_signal_handlers.get() {
            run(vm)?;
        }
    }
    if asked & breaker::CALLS != 0 {
        vm.eval_breaker.fetch_and(!breaker::CALLS, Ordering::AcqRel);
        if let Some(run) = vm.interp().hooks.run_pending_calls.get() {
            run(vm)?;
        }
    }
    if asked & breaker::REMOTE_SCRIPT != 0 {
        vm.eval_breaker.fetch_and(!breaker::REMOTE_SCRIPT, Ordering::AcqRel);
        crate::builtins::sys_module::remote::run_pending(vm);
    }
    if asked & breaker::GC != 0 {
        vm.eval_breaker.fetch_and(!breaker::GC, Ordering::AcqRel);
        crate::runtime::gc::run_pending(vm);
    }
    if asked & breaker::GIL_DROP_REQUEST != 0 {
        vm.eval_breaker.fetch_and(!breaker::GIL_DROP_REQUEST, Ordering::AcqRel);
        crate::runtime::gil::yield_lock(vm);
    }
    if asked & breaker::ASYNC_EXCEPTION != 0 {
        vm.eval_breaker.fetch_and(!breaker::ASYNC_EXCEPTION, Ordering::AcqRel);
        if let Some(exception) = vm.async_exc.take() {
            let exception = crate::exceptions::base::instantiate(&exception, vm)?;
            return Err(vm.raise_object(exception));
        }
    }
    Ok(())
}

/// Runs the signal handlers that wait, for native code that takes long. Raises what they raise.
pub fn check_signals(vm: &Vm) -> PyResult<()> {
    if vm.eval_breaker.load(Ordering::Relaxed) & breaker::SIGNALS == 0 { Ok(()) } else { handle(vm) }
}
