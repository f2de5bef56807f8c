//! `_remote_debugging`: the stacks of another process that runs this executable, and what its asyncio tasks wait for.

mod walk;

use std::cell::RefCell;

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::runtime::remote::anchor::{self, FindError};
use taipan_vm::runtime::remote::views::Process;

use walk::Walker;

/// The module.
pub struct RemoteDebugging;

static FRAME_INFO: StructSeq = StructSeq {
    name: "_remote_debugging.FrameInfo",
    doc: "Information about a frame",
    fields: &[("filename", "Source code filename"), ("lineno", "Line number"), ("funcname", "Function name")],
    visible: 3,
};

static CORO_INFO: StructSeq = StructSeq {
    name: "_remote_debugging.CoroInfo",
    doc: "Information about a coroutine",
    fields: &[("call_stack", "Coroutine call stack"), ("task_name", "Task name")],
    visible: 2,
};

static TASK_INFO: StructSeq = StructSeq {
    name: "_remote_debugging.TaskInfo",
    doc: "Information about an asyncio task",
    fields: &[
        ("task_id", "Task ID (memory address)"),
        ("task_name", "Task name"),
        ("coroutine_stack", "Coroutine call stack"),
        ("awaited_by", "Tasks awaiting this task"),
    ],
    visible: 4,
};

static THREAD_INFO: StructSeq = StructSeq {
    name: "_remote_debugging.ThreadInfo",
    doc: "Information about a thread",
    fields: &[("thread_id", "Thread ID"), ("frame_info", "Frame information")],
    visible: 2,
};

static AWAITED_INFO: StructSeq = StructSeq {
    name: "_remote_debugging.AwaitedInfo",
    doc: "Information about what a thread is awaiting",
    fields: &[("thread_id", "Thread ID"), ("awaited_by", "List of tasks awaited by this thread")],
    visible: 2,
};

/// What the target process is and which of its threads are looked at.
#[derive(Default)]
struct Target {
    pid: i32,
    process: Option<Process>,
    choice: Choice,
    debug: bool,
}

/// Which threads are looked at.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    Main,
    All,
    Active,
}

/// Inspects the stack of a remote Python process.
#[repr(C)]
#[derive(Traverse)]
pub struct RemoteUnwinder {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    target: RefCell<Target>,
}

/// Raises a `RuntimeError` while another exception waits, which becomes its context.
fn because(text: &str, vm: &Vm) -> Raised {
    let cause = vm.take_exception();
    let _raised = vm.runtime_error(text);
    let (Some(raised), Some(cause)) = (vm.take_exception(), cause) else { return vm.runtime_error(text) };
    raised.context.put(cause.into_object());
    vm.reraise(raised)
}

/// Finds the interpreter of a process. Raises `PermissionError` when its memory map may not be read, `RuntimeError` when it
/// has none.
fn find(pid: i32, vm: &Vm) -> PyResult<Process> {
    let error = match anchor::find(pid, vm)? {
        Ok(process) => return Ok(process),
        Err(error) => error,
    };
    let missing = format!("Failed to find the PyRuntime section in process {pid} on Linux platform");
    let FindError::Maps(errno) = error else { return Err(vm.runtime_error(missing)) };
    let file = vm.new_str(&format!("/proc/{pid}/maps"));
    let raised = vm.os_error(errno, Some(file.as_object()));
    if matches!(errno, libc::EACCES | libc::EPERM) {
        return Err(raised);
    }
    let first = vm.take_exception();
    let reason = std::io::Error::from_raw_os_error(errno).to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default();
    let _raised = vm.raise(
        types::os_error(),
        format!(
            "Cannot open process memory map file '/proc/{pid}/maps' for PID {pid} section search: {reason}"
        ),
    );
    if let (Some(second), Some(first)) = (vm.take_exception(), first) {
        second.context.put(first.into_object());
        let _raised = vm.reraise(second);
    }
    Err(because(&missing, vm))
}

/// RemoteUnwinder(pid): Inspect stack of a remote Python process.
#[pytype(name = "_remote_debugging.RemoteUnwinder")]
impl RemoteUnwinder {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            RemoteUnwinder { ob: Object::new(Self::type_object()), target: RefCell::default() },
        )
    }

    #[init("!(pid, *, all_threads=False, only_active_thread=False, debug=False)")]
    fn init(
        &self,
        pid: i32,
        all_threads: Option<bool>,
        only_active_thread: Option<bool>,
        debug: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let debug = debug.unwrap_or(false);
        let choice = match (all_threads.unwrap_or(false), only_active_thread.unwrap_or(false)) {
            (true, true) => {
                return Err(vm.value_error("all_threads and only_active_thread cannot both be True"));
            }
            (true, false) => Choice::All,
            (false, true) => Choice::Active,
            (false, false) => Choice::Main,
        };
        *self.target.borrow_mut() = Target { pid, process: None, choice, debug };
        let found = match find(pid, vm) {
            Err(_) if debug && !vm.exception_matches(types::permission_error()) => {
                return Err(because("Failed to get Python runtime address", vm));
            }
            found => found?,
        };
        self.target.borrow_mut().process = Some(found);
        Ok(())
    }

    fn walker<'a>(&self, vm: &'a Vm) -> PyResult<Walker<'a>> {
        let process = self.target.borrow().process;
        match process {
            Some(process) => Ok(Walker::new(process, vm)),
            None => find(self.target.borrow().pid, vm).map(|process| Walker::new(process, vm)),
        }
    }

    /// The process with its interpreter's newest task.
    fn asyncio<'a>(&self, method: &str, vm: &'a Vm) -> PyResult<(Walker<'a>, usize)> {
        let walker = self.walker(vm)?;
        if let Some(newest) = walker.newest_task()? {
            return Ok((walker, newest));
        }
        let raised = vm.runtime_error("AsyncioDebug section not available");
        if self.target.borrow().debug {
            return Err(because(&format!("AsyncioDebug section unavailable in {method}"), vm));
        }
        Err(raised)
    }

    /// Gives the stacks of threads in the target process.
    ///
    /// The result is a list of (thread_id, frame_info): the system's number of a thread, and its
    /// frames as (filename, lineno, funcname), the innermost first, up to where native code has
    /// called Python code.
    ///
    /// With only_active_thread, the list has the thread that runs Python code, if there is one; with
    /// all_threads, all threads; else the main thread.
    ///
    /// Raises:
    ///     RuntimeError: What was read doesn't make sense
    ///     OSError: The target's memory could not be read
    ///     PermissionError: The target's memory may not be read
    #[method("($self, /)")]
    fn get_stack_trace(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let walker = self.walker(vm)?;
        let choice = self.target.borrow().choice;
        let threads = match choice {
            Choice::Main => vec![walker.main_thread()?],
            Choice::All => walker.threads()?,
            Choice::Active => {
                let mut threads = walker.threads()?;
                threads.retain(|thread| thread.holds_gil);
                threads
            }
        };
        let mut found = Vec::new();
        for thread in &threads {
            let frames = walker.stack(thread)?;
            found.push(THREAD_INFO.instance(vec![vm.new_int(thread.native_id), frames.into_object()], vm)?);
        }
        Ok(vm.new_list(found))
    }

    /// Gives all tasks of the target process and who waits for them.
    ///
    /// The result is a list of (thread_id, awaited_by), for each thread its tasks as (task_id,
    /// task_name, coroutine_stack, awaited_by), and last, under the number 0, the tasks whose threads
    /// have ended. Stacks are lists of (call_stack, task_name), the name being the task's ID.
    ///
    /// Raises:
    ///     RuntimeError: The target has not loaded asyncio, or what was read doesn't make sense
    ///     OSError: The target's memory could not be read
    #[method("($self, /)")]
    fn get_all_awaited_by(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let (walker, newest) = self.asyncio("get_all_awaited_by", vm)?;
        let tasks = walker.tasks(newest)?;
        let mut threads = walker.threads()?;
        threads.reverse();
        let mut found = Vec::new();
        for (index, thread) in threads.iter().enumerate() {
            let of_thread: Vec<_> = tasks.iter().filter(|(_, task)| task.thread == thread.id).collect();
            if index == 0 || !of_thread.is_empty() {
                found.push(walker.awaited_info(thread.native_id, &of_thread)?);
            }
        }
        let left: Vec<_> =
            tasks.iter().filter(|(_, task)| threads.iter().all(|thread| thread.id != task.thread)).collect();
        found.push(walker.awaited_info(0, &left)?);
        Ok(vm.new_list(found))
    }

    /// Gives the tasks that run in the target process and all that wait for them.
    ///
    /// The result is a list of (thread_id, awaited_by) for each thread that runs a task: that task
    /// first, then those that wait for it, directly or through others, as (task_id, task_name,
    /// coroutine_stack, awaited_by). Stacks are lists of (call_stack, task_name), the name being the
    /// task's ID.
    ///
    /// Raises:
    ///     RuntimeError: The target has not loaded asyncio, or what was read doesn't make sense
    ///     OSError: The target's memory could not be read
    #[method("($self, /)")]
    fn get_async_stack_trace(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let (walker, _) = self.asyncio("get_async_stack_trace", vm)?;
        let mut threads = walker.threads()?;
        threads.reverse();
        let mut found = Vec::new();
        for thread in threads.iter().filter(|thread| thread.async_task != 0) {
            if let Some(tasks) = walker.running_task(thread)? {
                let number = vm.new_int(thread.native_id);
                found.push(AWAITED_INFO.instance(vec![number, tasks.into_object()], vm)?);
            }
        }
        Ok(vm.new_list(found))
    }
}

#[pymodule(name = "_remote_debugging", types(RemoteUnwinder))]
impl RemoteDebugging {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, shape) in [
            ("FrameInfo", &FRAME_INFO),
            ("CoroInfo", &CORO_INFO),
            ("TaskInfo", &TASK_INFO),
            ("ThreadInfo", &THREAD_INFO),
            ("AwaitedInfo", &AWAITED_INFO),
        ] {
            module.set(name, shape.get(vm)?.as_object(), vm)?;
        }
        module.set("PROCESS_VM_READV_SUPPORTED", &vm.new_int(1), vm)
    }
}
