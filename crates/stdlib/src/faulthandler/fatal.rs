//! The handlers of signals that end the process.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use taipan_vm::prelude::*;
use taipan_vm::runtime::interpreter::Interpreter;

use super::dump;
use super::writer::Writer;

/// A cell that is written before its handler is installed, and read by handlers.
struct Previous(UnsafeCell<Option<libc::sigaction>>);

// SAFETY: written under the interpreter's lock, while the handler that reads it is not installed.
unsafe impl Sync for Previous {}

struct Fatal {
    signal: libc::c_int,
    name: &'static str,
    installed: AtomicBool,
    previous: Previous,
}

const fn fatal(signal: libc::c_int, name: &'static str) -> Fatal {
    Fatal { signal, name, installed: AtomicBool::new(false), previous: Previous(UnsafeCell::new(None)) }
}

static HANDLERS: [Fatal; 5] = [
    fatal(libc::SIGBUS, "Bus error"),
    fatal(libc::SIGILL, "Illegal instruction"),
    fatal(libc::SIGFPE, "Floating-point exception"),
    fatal(libc::SIGABRT, "Aborted"),
    fatal(libc::SIGSEGV, "Segmentation fault"),
];

static ENABLED: AtomicBool = AtomicBool::new(false);
static FD: AtomicI32 = AtomicI32::new(-1);
static ALL_THREADS: AtomicBool = AtomicBool::new(true);
/// The interpreter whose threads are shown.
static INTERPRETER: AtomicPtr<Interpreter> = AtomicPtr::new(std::ptr::null_mut());

/// Remembers the interpreter for threads that aren't Python's.
pub fn remember(vm: &Vm) {
    INTERPRETER.store(std::ptr::from_ref(vm.interp()).cast_mut(), Ordering::Relaxed);
}

/// The remembered interpreter.
pub fn interpreter() -> Option<&'static Interpreter> {
    // SAFETY: null or an interpreter, which lives to the end of the process.
    unsafe { INTERPRETER.load(Ordering::Relaxed).as_ref() }
}

/// Whether the signal is one of ours.
pub fn is_fatal(signal: libc::c_int) -> bool {
    HANDLERS.iter().any(|handler| handler.signal == signal)
}

/// Whether the handlers are installed.
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

fn restore(handler: &Fatal) {
    if !handler.installed.swap(false, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the cell was filled before `installed` was set.
    unsafe {
        if let Some(previous) = &*handler.previous.0.get() {
            libc::sigaction(handler.signal, &raw const *previous, std::ptr::null_mut());
        }
    }
}

/// Tracebacks, the native stack and the modules: what is told of a fatal error.
pub fn report(out: Writer, all_threads: bool) {
    let current = Vm::bound();
    // SAFETY: null, or the state of this thread.
    let thread = unsafe { current.as_ref() };
    match (all_threads, thread, interpreter()) {
        (true, _, Some(interp)) => dump::all_threads(out, interp, current),
        (_, Some(thread), _) => dump::thread(out, thread),
        _ => {}
    }
    out.text("\n");
    dump::native_stack(out);
    if let Some(thread) = thread {
        dump::extension_modules(out, thread);
    }
}

extern "C" fn on_fatal(signal: libc::c_int) {
    let Some(handler) = HANDLERS.iter().find(|handler| handler.signal == signal) else { return };
    // SAFETY: the location of the thread's error number.
    let errno = unsafe { *libc::__errno_location() };
    // First of all, so that a crash of our own ends the process.
    restore(handler);
    let out = Writer(FD.load(Ordering::Relaxed));
    out.text("Fatal Python error: ");
    out.text(handler.name);
    out.text("\n\n");
    report(out, ALL_THREADS.load(Ordering::Relaxed));
    // SAFETY: as above; the previous handler gets the signal.
    unsafe {
        *libc::__errno_location() = errno;
        libc::raise(signal);
    }
}

/// Handlers need a stack of their own when the stack is what overflowed.
fn install_stack() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::Relaxed) {
        return;
    }
    const SIZE: usize = 256 * 1024;
    // SAFETY: the block is given to the system for good.
    unsafe {
        let block = libc::malloc(SIZE);
        if !block.is_null() {
            let stack = libc::stack_t { ss_sp: block, ss_flags: 0, ss_size: SIZE };
            libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        }
    }
}

/// Installs the handlers.
pub fn enable(fd: libc::c_int, all_threads: bool, vm: &Vm) -> PyResult<()> {
    remember(vm);
    FD.store(fd, Ordering::Relaxed);
    ALL_THREADS.store(all_threads, Ordering::Relaxed);
    if ENABLED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    install_stack();
    for handler in &HANDLERS {
        // SAFETY: plain calls; the cell is filled before anything can read it.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_fatal as extern "C" fn(libc::c_int) as libc::sighandler_t;
            action.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            let mut previous: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(handler.signal, &raw const action, &raw mut previous) != 0 {
                return Err(vm.last_os_error(None));
            }
            *handler.previous.0.get() = Some(previous);
        }
        handler.installed.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Takes the handlers away. Tells whether they were there.
pub fn disable() -> bool {
    let was = ENABLED.swap(false, Ordering::Relaxed);
    if was {
        HANDLERS.iter().for_each(restore);
    }
    was
}
