//! Walks along the threads, frames and tasks of another process.
//!
//! The other process changes meanwhile, so that every walk is bounded.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use taipan_vm::interpreter::frame::owner;
use taipan_vm::prelude::*;
use taipan_vm::runtime::remote::views::{CodeView, FrameView, Process, ThreadView, changed};

use super::{AWAITED_INFO, CORO_INFO, FRAME_INFO, TASK_INFO};
use crate::_asyncio::remote::{TaskView, task};

const MAX_THREADS: usize = 1 << 13;
const MAX_FRAMES: usize = 1024;
const MAX_TASKS: usize = 1 << 20;
const MAX_WAITERS: usize = 1 << 14;

/// A look into another process.
pub struct Walker<'a> {
    process: Process,
    codes: RefCell<HashMap<usize, Rc<CodeView>>>,
    vm: &'a Vm,
}

impl<'a> Walker<'a> {
    pub fn new(process: Process, vm: &'a Vm) -> Walker<'a> {
        Walker { process, codes: RefCell::default(), vm }
    }

    /// The main thread.
    pub fn main_thread(&self) -> PyResult<ThreadView> {
        let at = self.process.main_thread(self.vm)?;
        self.process.thread(at, self.vm)
    }

    /// The main interpreter's threads, the newest first.
    pub fn threads(&self) -> PyResult<Vec<ThreadView>> {
        let interp = self.main_thread()?.interp;
        let mut at = self.process.newest_thread(interp, self.vm)?;
        let mut threads = Vec::new();
        while at != 0 {
            if threads.len() >= MAX_THREADS {
                return Err(self.vm.runtime_error("Too many threads (possible infinite loop)"));
            }
            let thread = self.process.thread(at, self.vm)?;
            if thread.interp != interp {
                return Err(changed("thread state", self.vm));
            }
            at = thread.next;
            threads.push(thread);
        }
        Ok(threads)
    }

    /// The newest registered task, 0 for none; `None` when there is no asyncio.
    pub fn newest_task(&self) -> PyResult<Option<usize>> {
        self.process.newest_task(self.main_thread()?.interp, self.vm)
    }

    /// The tasks that have not ended, oldest first, with their addresses.
    pub fn tasks(&self, newest: usize) -> PyResult<Vec<(usize, TaskView)>> {
        let mut at = newest;
        let mut tasks = Vec::new();
        let mut seen = 0;
        while at != 0 {
            seen += 1;
            if seen > MAX_TASKS {
                return Err(self.vm.runtime_error("Too many tasks (possible infinite loop)"));
            }
            let Some(found) = task(&self.process, at, self.vm)? else {
                return Err(changed("task", self.vm));
            };
            let next = found.next;
            if found.is_pending {
                tasks.push((at, found));
            }
            at = next;
        }
        tasks.reverse();
        Ok(tasks)
    }

    fn code(&self, at: usize) -> PyResult<Rc<CodeView>> {
        if let Some(known) = self.codes.borrow().get(&at) {
            return Ok(known.clone());
        }
        let code = Rc::new(self.process.code(at, self.vm)?);
        self.codes.borrow_mut().insert(at, code.clone());
        Ok(code)
    }

    fn frame_info(&self, frame: &FrameView) -> PyResult {
        let vm = self.vm;
        let code = self.code(frame.code)?;
        let line = code.line_of(frame.instruction).map_or_else(|| vm.none(), |line| vm.new_int(line));
        let values = vec![code.filename.clone().into_object(), line, code.qualname.clone().into_object()];
        FRAME_INFO.instance(values, vm)
    }

    /// A thread's frames, innermost first, up to one of which `is_last` holds; `what` names them in the error for too many.
    fn frames(
        &self,
        thread: &ThreadView,
        what: &str,
        is_last: impl Fn(usize, &FrameView) -> bool,
    ) -> PyResult<Ref<List>> {
        let mut frames = Vec::new();
        let mut at = thread.frame;
        let mut seen = 0;
        while at != 0 {
            seen += 1;
            if seen > MAX_FRAMES {
                let text = format!("Too many {what} frames (possible infinite loop)");
                return Err(self.vm.runtime_error(text));
            }
            let frame = self.process.frame(at, self.vm)?;
            if frame.owner < owner::INTERPRETER {
                frames.push(self.frame_info(&frame)?);
            }
            if is_last(at, &frame) {
                break;
            }
            at = frame.previous;
        }
        Ok(self.vm.new_list(frames))
    }

    /// A thread's frames, innermost first, up to the one that native code has called.
    pub fn stack(&self, thread: &ThreadView) -> PyResult<Ref<List>> {
        self.frames(thread, "stack", |_, frame| frame.is_entry)
    }

    /// The frames of a coroutine and of those that it waits for, innermost first.
    fn coroutine_stack(&self, coroutine: usize) -> PyResult<Ref<List>> {
        let mut frames = VecDeque::new();
        let mut at = coroutine;
        while at != 0 {
            if frames.len() >= MAX_FRAMES {
                return Err(self.vm.runtime_error("Too many coroutine frames (possible infinite loop)"));
            }
            let Some(view) = self.process.awaited(at, self.vm)? else { break };
            let Some(frame) = view.frame else { break };
            frames.push_front(self.frame_info(&frame)?);
            at = view.delegate;
        }
        Ok(self.vm.new_list(Vec::from(frames)))
    }

    /// The frames of a thread down to the one of the coroutine whose task it runs.
    fn running_stack(&self, thread: &ThreadView, coroutine: usize) -> PyResult<Ref<List>> {
        let bottom = match coroutine {
            0 => None,
            coroutine => self.process.awaited(coroutine, self.vm)?.map(|view| view.at),
        };
        self.frames(thread, "async stack", |at, _| Some(at) == bottom)
    }

    fn coro_info(&self, stack: Ref<List>, task: usize) -> PyResult {
        CORO_INFO.instance(vec![stack.into_object(), self.vm.new_int(task)], self.vm)
    }

    /// The tasks that wait for a task.
    fn waiting_tasks(&self, waited_for: &TaskView) -> PyResult<Vec<(usize, TaskView)>> {
        let mut tasks = Vec::new();
        for at in waited_for.waiters(&self.process, self.vm)? {
            if let Some(found) = task(&self.process, at, self.vm)? {
                tasks.push((at, found));
            }
        }
        Ok(tasks)
    }

    fn task_info(
        &self,
        at: usize,
        view: &TaskView,
        stack: Ref<List>,
        waiting: &[(usize, TaskView)],
    ) -> PyResult {
        let vm = self.vm;
        let own = self.coro_info(stack, at)?;
        let mut awaited_by = Vec::new();
        for (waiter, view) in waiting {
            awaited_by.push(self.coro_info(self.coroutine_stack(view.coroutine)?, *waiter)?);
        }
        let values = vec![
            vm.new_int(at),
            view.name(&self.process, vm)?.into_object(),
            vm.new_list(vec![own]).into_object(),
            vm.new_list(awaited_by).into_object(),
        ];
        TASK_INFO.instance(values, vm)
    }

    /// The tasks of one thread, each with those that wait for it.
    pub fn awaited_info(&self, thread: u64, tasks: &[&(usize, TaskView)]) -> PyResult {
        let mut infos = Vec::new();
        for (at, view) in tasks {
            let stack = self.coroutine_stack(view.coroutine)?;
            infos.push(self.task_info(*at, view, stack, &self.waiting_tasks(view)?)?);
        }
        let tasks = self.vm.new_list(infos).into_object();
        AWAITED_INFO.instance(vec![self.vm.new_int(thread), tasks], self.vm)
    }

    /// The task that a thread runs and all that wait for it; `None` when it is not of `_asyncio`.
    pub fn running_task(&self, thread: &ThreadView) -> PyResult<Option<Ref<List>>> {
        let Some(running) = task(&self.process, thread.async_task, self.vm)? else { return Ok(None) };
        let stack = self.running_stack(thread, running.coroutine)?;
        let mut infos = Vec::new();
        let mut seen = HashSet::from([thread.async_task]);
        let mut queue = VecDeque::from([(thread.async_task, running)]);
        let mut stack = Some(stack);
        while let Some((at, view)) = queue.pop_front() {
            if infos.len() >= MAX_WAITERS {
                return Err(self.vm.runtime_error("Too many task waiters (possible infinite loop)"));
            }
            let stack = match stack.take() {
                Some(stack) => stack,
                None => self.coroutine_stack(view.coroutine)?,
            };
            let waiting = self.waiting_tasks(&view)?;
            infos.push(self.task_info(at, &view, stack, &waiting)?);
            queue.extend(waiting.into_iter().filter(|(at, _)| seen.insert(*at)));
        }
        Ok(Some(self.vm.new_list(infos)))
    }
}
