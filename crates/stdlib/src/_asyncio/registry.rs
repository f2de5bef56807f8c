//! The tasks that are alive.

use std::cell::Cell;

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::future_core::loop_of;
use super::state::{State, state};
use super::task::Task;

/// A task's place in the list of its interpreter's tasks. A task takes itself out when it dies.
pub struct Link {
    state: Cell<*const State>,
    /// The next older task.
    pub next: Cell<*const Task>,
    previous: Cell<*const Task>,
    /// The number of the thread that made the task.
    pub thread: Cell<u64>,
}

impl Link {
    pub fn new() -> Link {
        Link {
            state: Cell::new(std::ptr::null()),
            next: Cell::new(std::ptr::null()),
            previous: Cell::new(std::ptr::null()),
            thread: Cell::new(0),
        }
    }

    /// Puts the task that owns this link in front.
    pub fn insert(&self, task: &Task, vm: &Vm) {
        if !self.state.get().is_null() {
            return;
        }
        let state = state(vm);
        let next = state.newest.get().cast::<Task>();
        self.state.set(state);
        self.thread.set(vm.id.get());
        self.next.set(next);
        self.previous.set(std::ptr::null());
        // SAFETY: tasks in the list are alive: each removes itself before it is freed.
        if let Some(next) = unsafe { next.as_ref() } {
            next.link.previous.set(task);
        }
        state.newest.set(task.as_object());
    }

    pub fn remove(&self) {
        // SAFETY: the state lives as long as the interpreter, tasks in the list are alive (see `insert`).
        unsafe {
            let Some(state) = self.state.get().as_ref() else { return };
            match self.previous.get().as_ref() {
                Some(previous) => previous.link.next.set(self.next.get()),
                None => state.newest.set(self.next.get().cast()),
            }
            if let Some(next) = self.next.get().as_ref() {
                next.link.previous.set(self.previous.get());
            }
        }
        self.state.set(std::ptr::null());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.remove();
    }
}

/// All tasks in the list, but those that are being destroyed.
pub fn registered(vm: &Vm) -> Vec<ObjRef> {
    let mut found = Vec::new();
    let mut at = state(vm).newest.get().cast::<Task>();
    // SAFETY: tasks in the list are alive, and nothing in the loop runs Python code or drops a task.
    while let Some(task) = unsafe { at.as_ref() } {
        let object = task.as_object();
        if object.refcount() > 0 {
            found.push(object.to_ref());
        }
        at = task.link.next.get();
    }
    found
}

/// The weak set of the tasks that are not ours.
pub fn weak_tasks(vm: &Vm) -> PyResult<&Object> {
    let state = state(vm);
    if let Some(known) = state.weak_tasks.get() {
        return Ok(known);
    }
    let set = import_module("weakref", vm)?.get_attr(&vm.intern("WeakSet"), vm)?.call_no_args(vm)?;
    Ok(state.weak_tasks.get_or_init(|| set))
}

/// The loop that an argument names; the running one for None.
pub fn loop_or_running(given: Option<&Object>, vm: &Vm) -> PyResult {
    match given.filter(|given| !vm.is_none(given)) {
        Some(given) => Ok(given.to_ref()),
        None => state(vm).running_loop(vm).ok_or_else(|| vm.runtime_error("no running event loop")),
    }
}

/// The tasks of a loop that are not done.
pub fn all_tasks(running: &Object, vm: &Vm) -> PyResult<Ref<Set>> {
    // Eager tasks first, so that one that becomes an ordinary one meanwhile is not missed.
    let mut candidates = state(vm).eager_tasks(vm).items_vec();
    candidates.extend(registered(vm));
    if let Some(others) = state(vm).weak_tasks.get() {
        candidates.extend(others.collect_iterable(vm)?);
    }
    let tasks = Set::new(vm);
    for task in candidates {
        if task.call_method(&state(vm).names(vm).done, &[], vm)?.is_true(vm)? {
            continue;
        }
        if loop_of(&task, vm)?.is(running) {
            tasks.add(&task, vm)?;
        }
    }
    Ok(tasks)
}
