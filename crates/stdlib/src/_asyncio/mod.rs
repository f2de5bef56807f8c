//! `_asyncio`: futures and tasks, the running loop of each thread and the tasks that are alive.

mod future;
mod future_core;
mod future_iter;
mod registry;
pub mod remote;
mod state;
mod task;
mod task_step;

pub use future::Future;
pub use future_iter::FutureIter;
pub use task::Task;

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use registry::weak_tasks;
use state::state;

/// The module.
pub struct AsyncioModule;

/// Accelerator module for asyncio
#[pymodule(name = "_asyncio", types(Future, Task))]
impl AsyncioModule {
    /// Return an asyncio event loop.
    ///
    /// When called from a coroutine or a callback (e.g. scheduled with
    /// call_soon or similar API), this function will always return the
    /// running event loop.
    ///
    /// If there is no running event loop set, the function will return
    /// the result of `get_event_loop_policy().get_event_loop()` call.
    #[function("($module, /)")]
    fn get_event_loop(vm: &Vm) -> PyResult {
        event_loop(vm)
    }

    /// Return the running event loop.  Raise a RuntimeError if there is none.
    ///
    /// This function is thread-specific.
    #[function("($module, /)")]
    fn get_running_loop(vm: &Vm) -> PyResult {
        state(vm).running_loop(vm).ok_or_else(|| vm.runtime_error("no running event loop"))
    }

    /// Return the running event loop or None.
    ///
    /// This is a low-level function intended to be used by event loops.
    /// This function is thread-specific.
    #[function("($module, /)")]
    fn _get_running_loop(vm: &Vm) -> Option<ObjRef> {
        state(vm).running_loop(vm)
    }

    /// Set the running event loop.
    ///
    /// This is a low-level function intended to be used by event loops.
    /// This function is thread-specific.
    #[function("($module, loop, /)")]
    fn _set_running_loop(running: &Object, vm: &Vm) {
        let running = Some(running).filter(|running| !vm.is_none(running));
        state(vm).set_running_loop(running.map(Object::to_ref), vm);
    }

    /// Register a new task in asyncio as executed by loop.
    ///
    /// Returns None.
    #[function("($module, /, task)")]
    fn _register_task(task: &Object, vm: &Vm) -> PyResult<()> {
        match task.downcast_ref::<Task>() {
            Some(task) => task.link.insert(task, vm),
            None => drop(weak_tasks(vm)?.call_method(&state(vm).names(vm).add, &[task], vm)?),
        }
        Ok(())
    }

    /// Register a new task in asyncio as executed by loop.
    ///
    /// Returns None.
    #[function("($module, /, task)")]
    fn _register_eager_task(task: &Object, vm: &Vm) -> PyResult<()> {
        state(vm).eager_tasks(vm).add(task, vm).map(drop)
    }

    /// Unregister a task.
    ///
    /// Returns None.
    #[function("($module, /, task)")]
    fn _unregister_task(task: &Object, vm: &Vm) -> PyResult<()> {
        match task.downcast_ref::<Task>() {
            Some(task) => task.link.remove(),
            None => drop(weak_tasks(vm)?.call_method(&state(vm).names(vm).discard, &[task], vm)?),
        }
        Ok(())
    }

    /// Unregister a task.
    ///
    /// Returns None.
    #[function("($module, /, task)")]
    fn _unregister_eager_task(task: &Object, vm: &Vm) -> PyResult<()> {
        state(vm).eager_tasks(vm).discard(task, vm).map(drop)
    }

    /// Enter into task execution or resume suspended task.
    ///
    /// Task belongs to loop.
    ///
    /// Returns None.
    #[function("($module, /, loop, task)")]
    fn _enter_task(running: &Object, task: &Object, vm: &Vm) -> PyResult<()> {
        state(vm).enter_task(running, task, vm)
    }

    /// Leave task execution or suspend a task.
    ///
    /// Task belongs to loop.
    ///
    /// Returns None.
    #[function("($module, /, loop, task)")]
    fn _leave_task(running: &Object, task: &Object, vm: &Vm) -> PyResult<()> {
        state(vm).leave_task(running, task, vm)
    }

    /// Temporarily swap in the supplied task and return the original one (or None).
    ///
    /// This is intended for use during eager coroutine execution.
    #[function("($module, /, loop, task)")]
    fn _swap_current_task(running: &Object, task: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let task = Some(task).filter(|task| !vm.is_none(task));
        state(vm).swap_task(running, task.map(Object::to_ref), vm)
    }

    /// Return a currently executed task.
    #[function("($module, /, loop=None)")]
    fn current_task(running: Option<&Object>, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let running = registry::loop_or_running(running, vm)?;
        Ok(state(vm).task_of(&running))
    }

    /// Return a set of all tasks for the loop.
    #[function("($module, /, loop=None)")]
    fn all_tasks(running: Option<&Object>, vm: &Vm) -> PyResult<Ref<Set>> {
        registry::all_tasks(&*registry::loop_or_running(running, vm)?, vm)
    }

    /// Record that `fut` is awaited on by `waiter`.
    #[function("($module, fut, waiter, /)")]
    fn future_add_to_awaited_by(fut: &Object, waiter: &Object, vm: &Vm) -> PyResult<()> {
        future_core::add_awaited_by(fut, waiter, vm)
    }

    #[function("($module, fut, waiter, /)")]
    fn future_discard_from_awaited_by(fut: &Object, waiter: &Object, vm: &Vm) -> PyResult<()> {
        future_core::discard_awaited_by(fut, waiter, vm)
    }

    #[exec]
    fn exec(_module: &Module, vm: &Vm) -> PyResult<()> {
        vm.interp().async_tasks.set(&raw const state(vm).newest);
        use taipan_vm::builtins::type_::ready::type_ready;
        for tp in [
            FutureIter::type_object(),
            task_step::TaskStep::type_object(),
            task_step::TaskWakeup::type_object(),
        ] {
            type_ready(tp, vm)?;
        }
        Ok(())
    }
}

/// The running loop, or the one that the policy gives.
pub fn event_loop(vm: &Vm) -> PyResult {
    if let Some(running) = state(vm).running_loop(vm) {
        return Ok(running);
    }
    let names = state(vm).names(vm);
    let policy = import_module("asyncio.events", vm)?.call_method(&names.policy, &[], vm)?;
    policy.call_method(&names.get_event_loop, &[], vm)
}
