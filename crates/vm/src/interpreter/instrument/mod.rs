//! Instrumentation (PEP 669): `sys.monitoring`, `sys.settrace` and `sys.setprofile` by rewriting instructions in place.
//!
//! Invariants:
//! - Code whose `instrumentation_version` is the interpreter's has exactly the instrumented instructions that the active
//!   tools ask for. The version also stands in the upper bits of every thread's `eval_breaker`, so that `RESUME` finds
//!   both pending work and stale code with one comparison; code that nobody watches runs at full speed.
//! - Under an instrumented instruction lies the general form of its family: nothing specialises while it is watched.
//! - Tools 0 to 5 are `sys.monitoring`'s; 6 is `sys.setprofile`, 7 `sys.settrace`.

pub mod fire;
pub mod instructions;
pub mod legacy;
pub mod sites;

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::interpreter::frame::{InterpreterFrame, owner};
use crate::interpreter::instrument::event::{GLOBAL_COUNT, LOCAL_COUNT};
use crate::prelude::*;

/// The numbers of events: positions in event sets.
#[allow(missing_docs)]
pub mod event {
    pub const PY_START: usize = 0;
    pub const PY_RESUME: usize = 1;
    pub const PY_RETURN: usize = 2;
    pub const PY_YIELD: usize = 3;
    pub const CALL: usize = 4;
    pub const LINE: usize = 5;
    pub const INSTRUCTION: usize = 6;
    pub const JUMP: usize = 7;
    pub const BRANCH_LEFT: usize = 8;
    pub const BRANCH_RIGHT: usize = 9;
    pub const STOP_ITERATION: usize = 10;
    pub const RAISE: usize = 11;
    pub const EXCEPTION_HANDLED: usize = 12;
    pub const PY_UNWIND: usize = 13;
    pub const PY_THROW: usize = 14;
    pub const RERAISE: usize = 15;
    pub const C_RETURN: usize = 16;
    pub const C_RAISE: usize = 17;
    pub const BRANCH: usize = 18;

    /// Events below this one can be watched in single code objects and switched off for single instructions.
    pub const LOCAL_COUNT: usize = 11;
    /// Events below this one can be asked for; `C_RETURN` and `C_RAISE` come with `CALL`.
    pub const GLOBAL_COUNT: usize = 16;
    /// All events that have callbacks.
    pub const COUNT: usize = 19;

    /// The events' names, by number.
    pub const NAMES: [&str; COUNT] = [
        "PY_START",
        "PY_RESUME",
        "PY_RETURN",
        "PY_YIELD",
        "CALL",
        "LINE",
        "INSTRUCTION",
        "JUMP",
        "BRANCH_LEFT",
        "BRANCH_RIGHT",
        "STOP_ITERATION",
        "RAISE",
        "EXCEPTION_HANDLED",
        "PY_UNWIND",
        "PY_THROW",
        "RERAISE",
        "C_RETURN",
        "C_RAISE",
        "BRANCH",
    ];
}

/// How many tools there are.
pub const TOOLS: usize = 8;
/// The tool behind `sys.setprofile`.
pub const PROFILE_TOOL: usize = 6;
/// The tool behind `sys.settrace`.
pub const TRACE_TOOL: usize = 7;

/// One step of the version, above the request bits of `eval_breaker`.
const VERSION_STEP: usize = 1 << 8;
/// The request bits of `eval_breaker`.
pub const REQUEST_BITS: usize = VERSION_STEP - 1;

/// Which tools of an interpreter watch what.
pub struct Monitoring {
    /// The tools' names, while they are in use.
    pub names: [Slot<Object>; TOOLS],
    callbacks: [[Slot<Object>; event::COUNT]; TOOLS],
    /// The tools that watch an event everywhere, a bit each.
    global: [Cell<u8>; GLOBAL_COUNT],
    version: Cell<usize>,
    /// The version from which on what was switched off counts again.
    restarted: Cell<usize>,
    /// The version at which each tool last ended: what it watched before in single code objects is void.
    pub ended: [Cell<usize>; TOOLS],
    /// `sys.monitoring.DISABLE`.
    pub disable: Slot<Object>,
    /// `sys.monitoring.MISSING`.
    pub missing: Slot<Object>,
    /// The threads' states. Changed and read under the interpreter's lock.
    pub threads: std::sync::Mutex<Vec<*const Vm>>,
    /// The newest of them, from which other processes follow `Vm::next`.
    pub newest_thread: Cell<*const Vm>,
}

impl Default for Monitoring {
    fn default() -> Self {
        Monitoring {
            names: [const { Slot::empty() }; TOOLS],
            callbacks: [const { [const { Slot::empty() }; event::COUNT] }; TOOLS],
            global: [const { Cell::new(0) }; GLOBAL_COUNT],
            version: Cell::new(0),
            restarted: Cell::new(0),
            ended: [const { Cell::new(0) }; TOOLS],
            disable: Slot::empty(),
            missing: Slot::empty(),
            threads: std::sync::Mutex::default(),
            newest_thread: Cell::new(std::ptr::null()),
        }
    }
}

impl Monitoring {
    /// The version that up-to-date code has.
    #[inline]
    pub fn version(&self) -> usize {
        self.version.get()
    }

    /// The callback of a tool for an event.
    pub fn callback(&self, tool: usize, event: usize) -> Option<ObjRef> {
        self.callbacks.get(tool)?.get(event)?.get()
    }

    /// Sets or removes a callback. Gives the one that was there.
    pub fn set_callback(&self, tool: usize, event: usize, callback: Option<ObjRef>) -> Option<ObjRef> {
        let slot = self.callbacks.get(tool)?.get(event)?;
        let old = slot.take();
        slot.set(callback);
        old
    }

    /// The tools that watch `event` everywhere.
    #[inline]
    pub fn global_tools(&self, event: usize) -> u8 {
        self.global.get(event).map_or(0, Cell::get)
    }

    /// The events that a tool watches everywhere.
    pub fn events_of(&self, tool: usize) -> u32 {
        let bit = |event: usize| u32::from(self.global_tools(event) >> tool & 1) << event;
        (0..GLOBAL_COUNT).map(bit).sum()
    }

    /// Drops the tools.
    pub fn clear(&self) {
        let slots = self.names.iter().chain(self.callbacks.iter().flatten());
        for slot in slots.chain([&self.disable, &self.missing]) {
            drop(slot.take());
        }
    }

    /// The threads of the interpreter.
    pub fn all_threads(&self) -> Vec<*const Vm> {
        self.threads.lock().map_or_else(|_| Vec::new(), |threads| threads.clone())
    }

    /// Shows the threads, the newest first, without waiting or allocating: for signal handlers. False when the list is
    /// being changed at this moment.
    pub fn visit_threads(&self, mut visit: impl FnMut(&Vm)) -> bool {
        let Ok(threads) = self.threads.try_lock() else { return false };
        for thread in threads.iter().rev() {
            // SAFETY: the list holds the states of live threads.
            visit(unsafe { &**thread });
        }
        true
    }

    /// Notes a new thread's state.
    pub fn add_thread(&self, vm: *const Vm) {
        if let Ok(mut threads) = self.threads.lock() {
            threads.push(vm);
            self.link(&threads);
        }
    }

    /// Forgets a thread's state.
    pub fn remove_thread(&self, vm: *const Vm) {
        if let Ok(mut threads) = self.threads.lock() {
            threads.retain(|&known| !std::ptr::eq(known, vm));
            self.link(&threads);
        }
    }

    /// Chains the states for readers that only see memory.
    fn link(&self, threads: &[*const Vm]) {
        let mut newer: *const Vm = std::ptr::null();
        let mut older: *const Vm = std::ptr::null();
        for &thread in threads {
            // SAFETY: the list holds the states of live threads.
            unsafe { (*thread).next.set(older.cast_mut()) };
            older = thread;
        }
        self.newest_thread.set(older);
        for &thread in threads.iter().rev() {
            // SAFETY: as above.
            unsafe { (*thread).prev.set(newer.cast_mut()) };
            newer = thread;
        }
    }
}

/// The interpreter's monitoring state.
#[inline]
pub fn monitoring(vm: &Vm) -> &Monitoring {
    &vm.interp().monitoring
}

/// Makes `tool` watch exactly the `events` everywhere.
pub fn set_events(tool: usize, events: u32, vm: &Vm) {
    let state = monitoring(vm);
    if state.events_of(tool) == events {
        return;
    }
    for (number, tools) in state.global.iter().enumerate() {
        let bit = 1 << tool;
        tools.set(if events >> number & 1 != 0 { tools.get() | bit } else { tools.get() & !bit });
    }
    new_version(vm);
}

/// Makes what tools switched off for single instructions count again (`sys.monitoring.restart_events`).
pub fn restart_events(vm: &Vm) {
    let state = monitoring(vm);
    state.restarted.set(state.version.get() + VERSION_STEP);
    new_version(vm);
}

/// Makes all code stale, and brings the code that is running up to date.
fn new_version(vm: &Vm) {
    let state = monitoring(vm);
    let version = state.version.get() + VERSION_STEP;
    state.version.set(version);
    let threads = state.all_threads();
    for &thread in &threads {
        // SAFETY: threads are removed from the list before their state ends, under the lock that this thread holds.
        let thread = unsafe { &*thread };
        let update = |old: usize| Some(old & REQUEST_BITS | version);
        let _ = thread.eval_breaker.fetch_update(Ordering::AcqRel, Ordering::Acquire, update);
    }
    for &thread in &threads {
        // SAFETY: as above; linked frames are alive.
        unsafe {
            let mut frame = (*thread).current_frame.get();
            while !frame.is_null() {
                if (*frame).owner < owner::INTERPRETER {
                    sites::update(InterpreterFrame::code(frame), vm);
                }
                frame = (*frame).previous;
            }
        }
    }
}

/// A tool ends: single code objects that it watched are no longer watched by it. They are found when they run next.
pub fn forget_tool(tool: usize, vm: &Vm) {
    let state = monitoring(vm);
    if let Some(ended) = state.ended.get(tool) {
        new_version(vm);
        ended.set(state.version());
        new_version(vm);
    }
}

/// What `RESUME` does when `eval_breaker` and the code's version differ: pending work, and bringing the code up to date.
/// True when the code was changed.
///
/// # Safety
/// `frame` is running.
#[cold]
#[inline(never)]
pub unsafe fn check(vm: &Vm, frame: *mut InterpreterFrame) -> PyResult<bool> {
    if vm.eval_breaker.load(Ordering::Relaxed) & REQUEST_BITS != 0 {
        crate::runtime::pending::handle(vm)?;
    }
    // SAFETY: the frame is alive.
    Ok(sites::update(unsafe { InterpreterFrame::code(frame) }, vm))
}

/// The events that a tool watches in one code object besides those that it watches everywhere.
pub fn local_events(tool: usize, code: &Code, vm: &Vm) -> u32 {
    let Some(sites) = sites::of(code) else { return 0 };
    if sites.local_version(tool) < monitoring(vm).ended.get(tool).map_or(0, Cell::get) {
        return 0;
    }
    (0..LOCAL_COUNT).map(|event| u32::from(sites.local_tools(event) >> tool & 1) << event).sum()
}

/// Makes `tool` watch the `events` in one code object.
pub fn set_local_events(tool: usize, code: &Code, events: u32, vm: &Vm) {
    if local_events(tool, code, vm) == events {
        return;
    }
    sites::make(code).set_local(tool, events, monitoring(vm).version());
    code.set_instrumentation_version(usize::MAX);
    sites::update(code, vm);
}

/// An exception was thrown into a suspended generator, which goes on without a `RESUME`.
///
/// # Safety
/// `frame` is running.
#[cold]
pub unsafe fn thrown(frame: *mut InterpreterFrame, vm: &Vm) -> PyResult<()> {
    // SAFETY: passed on to the caller.
    unsafe {
        sites::update(InterpreterFrame::code(frame), vm);
        (*frame).traced_line = 0;
        fire::exception_if_watched(frame, event::PY_THROW, vm)
    }
}
