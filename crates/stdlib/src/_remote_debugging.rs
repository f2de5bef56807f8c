//! `_remote_debugging`: the shapes in which another process's stacks are told. Looking into other processes is not done.

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;

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

/// Inspects the stack of a remote Python process.
#[repr(C)]
#[derive(Traverse)]
pub struct RemoteUnwinder {
    #[traverse(skip)]
    ob: Object,
}

/// RemoteUnwinder(pid): Inspect stack of a remote Python process.
#[pytype(name = "_remote_debugging.RemoteUnwinder")]
impl RemoteUnwinder {
    #[new("!(pid, *, all_threads=False, only_active_thread=False, debug=False)")]
    fn new(
        _cls: &Type,
        _pid: i32,
        _all_threads: Option<bool>,
        _only_active_thread: Option<bool>,
        _debug: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        Err(vm.not_implemented_error("_remote_debugging.RemoteUnwinder"))
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
