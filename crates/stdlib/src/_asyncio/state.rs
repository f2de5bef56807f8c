//! What the module keeps for each interpreter.

use std::cell::{Cell, OnceCell, RefCell};

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::task::Task;

macro_rules! names {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// Interned names.
        pub struct Names {
            $(pub $name: Ref<Str>,)*
            /// The keyword names of a call with a context, and of one with a message.
            pub context_only: Ref<Tuple>,
            pub msg_only: Ref<Tuple>,
        }

        impl Names {
            fn new(vm: &Vm) -> Names {
                Names {
                    $($name: vm.intern($text),)*
                    context_only: vm.new_tuple([vm.intern("context").into_object()]),
                    msg_only: vm.new_tuple([vm.intern("msg").into_object()]),
                }
            }
        }
    };
}

names! {
    add = "add",
    add_done_callback = "add_done_callback",
    blocking = "_asyncio_future_blocking",
    call_exception_handler = "call_exception_handler",
    call_soon = "call_soon",
    cancel = "cancel",
    discard = "discard",
    done = "done",
    exception = "exception",
    future = "future",
    get_debug = "get_debug",
    get_event_loop = "get_event_loop",
    get_loop = "get_loop",
    is_running = "is_running",
    loop_ = "_loop",
    message = "message",
    policy = "_get_event_loop_policy",
    result = "result",
    source_traceback = "source_traceback",
    task = "task",
    throw = "throw",
}

/// A thread that runs a loop.
struct Runner {
    thread: usize,
    running: Slot<Object>,
    task: Slot<Object>,
}

/// An attribute of a Python module, looked up once.
#[derive(Default)]
pub struct Import(OnceCell<ObjRef>);

impl Import {
    /// The attribute. Raises what importing does.
    pub fn get(&self, module: &str, name: &str, vm: &Vm) -> PyResult<&Object> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let found = import_module(module, vm)?.get_attr(&vm.intern(name), vm)?;
        Ok(self.0.get_or_init(|| found))
    }
}

/// The module's state.
#[derive(Default)]
pub struct State {
    names: OnceCell<Names>,
    runners: RefCell<Vec<Runner>>,
    /// The process that the runners belong to.
    process: Cell<u32>,
    eager: OnceCell<Ref<Set>>,
    /// The newest registered task; each knows the next. Other processes read it, too.
    pub newest: Cell<*const Object>,
    pub task_count: Cell<u64>,
    pub cancelled_error: Import,
    pub invalid_state: Import,
    pub extract_stack: Import,
    pub future_repr: Import,
    pub task_repr: Import,
    pub is_coroutine: Import,
    pub get_stack: Import,
    pub print_stack: Import,
    pub weak_tasks: OnceCell<ObjRef>,
}

/// The interpreter's state.
#[inline]
pub fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

fn thread(vm: &Vm) -> usize {
    std::ptr::from_ref(vm) as usize
}

fn same(a: &Slot<Object>, b: &Object) -> bool {
    std::ptr::eq(a.as_raw(), b)
}

/// A task, and the one that is entered, in the words of an error.
fn shown(task: &Object, entered: Option<ObjRef>, vm: &Vm) -> PyResult<(String, String)> {
    let (task, entered) = (task.repr(vm)?, entered.unwrap_or_else(|| vm.none()).repr(vm)?);
    Ok((task.to_string_lossy().into_owned(), entered.to_string_lossy().into_owned()))
}

impl State {
    pub fn names(&self, vm: &Vm) -> &Names {
        self.names.get_or_init(|| Names::new(vm))
    }

    pub fn eager_tasks(&self, vm: &Vm) -> &Set {
        self.eager.get_or_init(|| Set::new(vm))
    }

    pub fn cancelled_error(&self, vm: &Vm) -> PyResult<&Object> {
        self.cancelled_error.get("asyncio.exceptions", "CancelledError", vm)
    }

    /// Raises `InvalidStateError`.
    #[cold]
    pub fn invalid(&self, text: &str, vm: &Vm) -> Raised {
        match self.invalid_state.get("asyncio.exceptions", "InvalidStateError", vm) {
            Ok(class) => match class.downcast_ref::<Type>() {
                Some(class) => vm.raise(class, text),
                None => vm.runtime_error(text),
            },
            Err(raised) => raised,
        }
    }

    pub fn running_loop(&self, vm: &Vm) -> Option<ObjRef> {
        let thread = thread(vm);
        let runners = self.runners.borrow();
        runners.iter().find(|runner| runner.thread == thread).and_then(|runner| runner.running.get())
    }

    pub fn set_running_loop(&self, running: Option<ObjRef>, vm: &Vm) {
        let process = std::process::id();
        let known = self.process.replace(process);
        if known != process && known != 0 {
            // A child begins without the loops and tasks of its parent.
            let parents = std::mem::take(&mut *self.runners.borrow_mut());
            vm.async_task.set(std::ptr::null_mut());
            drop(parents);
            for task in super::registry::registered(vm) {
                if let Some(task) = task.downcast_ref::<Task>() {
                    task.link.remove();
                }
            }
        }
        let thread = thread(vm);
        let mut runners = self.runners.borrow_mut();
        let old = match runners.iter().find(|runner| runner.thread == thread) {
            Some(runner) => runner.running.replace(running),
            None => {
                runners.push(Runner { thread, running: Slot::new(running), task: Slot::empty() });
                None
            }
        };
        runners.retain(|runner| !runner.running.is_none() || !runner.task.is_none());
        // What the loop's end may run is not for the time of the borrow.
        drop(runners);
        drop(old);
    }

    /// Exchanges the task of a thread that runs this loop, if `fits` says so of the one that is there. Gives what was there,
    /// or as an error what doesn't fit. Raises `RuntimeError` when the thread runs another loop, or none.
    fn exchange(
        &self,
        running: &Object,
        task: Option<ObjRef>,
        fits: impl FnOnce(&Slot<Object>) -> bool,
        vm: &Vm,
    ) -> PyResult<Result<Option<ObjRef>, Option<ObjRef>>> {
        let thread = thread(vm);
        let runners = self.runners.borrow();
        let runner = runners.iter().find(|runner| runner.thread == thread && same(&runner.running, running));
        let Some(runner) = runner else {
            drop(runners);
            let shown = running.repr(vm)?;
            return Err(vm.runtime_error(format!("loop {} is not the running loop", shown.to_string_lossy())));
        };
        if !fits(&runner.task) {
            return Ok(Err(runner.task.get()));
        }
        let ours = task.as_ref().filter(|task| task.downcast_ref::<Task>().is_some());
        vm.async_task.set(ours.map_or(std::ptr::null_mut(), |task| task.as_ptr()));
        Ok(Ok(runner.task.replace(task)))
    }

    pub fn enter_task(&self, running: &Object, task: &Object, vm: &Vm) -> PyResult<()> {
        let Err(entered) = self.exchange(running, Some(task.to_ref()), Slot::is_none, vm)? else {
            return Ok(());
        };
        let (task, entered) = shown(task, entered, vm)?;
        Err(vm.runtime_error(format!(
            "Cannot enter into task {task} while another task {entered} is being executed."
        )))
    }

    pub fn leave_task(&self, running: &Object, task: &Object, vm: &Vm) -> PyResult<()> {
        let Err(entered) = self.exchange(running, None, |entered| same(entered, task), vm)? else {
            return Ok(());
        };
        let (task, entered) = shown(task, entered, vm)?;
        Err(vm
            .runtime_error(format!("Invalid attempt to leave task {task} while task {entered} is entered.")))
    }

    pub fn swap_task(&self, running: &Object, task: Option<ObjRef>, vm: &Vm) -> PyResult<Option<ObjRef>> {
        Ok(self.exchange(running, task, |_| true, vm)?.unwrap_or_else(|left| left))
    }

    /// The task that a loop runs, in whatever thread.
    pub fn task_of(&self, running: &Object) -> Option<ObjRef> {
        let runners = self.runners.borrow();
        let runner = runners.iter().find(|runner| same(&runner.running, running));
        runner.and_then(|runner| runner.task.get())
    }
}
