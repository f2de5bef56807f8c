//! Tasks of another process that runs this executable.

use std::mem::{offset_of, size_of};

use taipan_vm::prelude::*;
use taipan_vm::runtime::remote::memory::word;
use taipan_vm::runtime::remote::views::{Process, changed};

use super::future::Future;
use super::future_core::Progress;
use super::registry::Link;
use super::task::Task;

/// Longer names are cut.
const MAX_TASK_NAME: usize = 255;

/// A task.
pub struct TaskView {
    /// The next older task, or 0.
    pub next: usize,
    /// The number of the thread that made it.
    pub thread: u64,
    /// Whether it has not ended.
    pub is_pending: bool,
    /// Its coroutine, or 0.
    pub coroutine: usize,
    name: usize,
    number: usize,
    awaited_by: usize,
}

/// The task at an address; `None` when the future there is none.
pub fn task(process: &Process, at: usize, vm: &Vm) -> PyResult<Option<TaskView>> {
    let head: [u8; size_of::<Future>()] = process.memory.read_array(at, vm)?;
    if head.get(offset_of!(Future, is_task)) != Some(&1) {
        return Ok(None);
    }
    let bytes: [u8; size_of::<Task>()] = process.memory.read_array(at, vm)?;
    let field = |offset| word(&bytes, offset).ok_or_else(|| changed("task", vm));
    let link = offset_of!(Task, link);
    Ok(Some(TaskView {
        next: field(link + offset_of!(Link, next))?,
        thread: field(link + offset_of!(Link, thread))? as u64,
        is_pending: head.get(offset_of!(Future, progress)) == Some(&(Progress::Pending as u8)),
        coroutine: field(offset_of!(Task, coroutine))?,
        name: field(offset_of!(Task, name))?,
        number: field(offset_of!(Task, number))?,
        awaited_by: field(offset_of!(Task, future) + offset_of!(Future, awaited_by))?,
    }))
}

impl TaskView {
    /// Its name, cut at 255 characters.
    pub fn name(&self, process: &Process, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.name {
            0 => Ok(vm.new_str(&format!("Task-{}", self.number))),
            name => process.text(name, MAX_TASK_NAME, vm),
        }
    }

    /// The addresses of the futures that wait for it.
    pub fn waiters(&self, process: &Process, vm: &Vm) -> PyResult<Vec<usize>> {
        if self.awaited_by == 0 {
            return Ok(Vec::new());
        }
        Ok(process.set_items(self.awaited_by, vm)?.unwrap_or_else(|| vec![self.awaited_by]))
    }
}
