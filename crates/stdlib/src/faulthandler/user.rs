//! `register`: signals at which tracebacks are dumped, and the program goes on.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use taipan_vm::prelude::*;

use super::dump;
use super::fatal;
use super::writer::Writer;

const SIGNALS: usize = 65;

struct User {
    enabled: AtomicBool,
    fd: AtomicI32,
    all_threads: AtomicBool,
    chain: AtomicBool,
    previous: UnsafeCell<Option<libc::sigaction>>,
}

// SAFETY: `previous` is written under the interpreter's lock before `enabled` is set.
unsafe impl Sync for User {}

static USERS: [User; SIGNALS] = [const {
    User {
        enabled: AtomicBool::new(false),
        fd: AtomicI32::new(-1),
        all_threads: AtomicBool::new(true),
        chain: AtomicBool::new(false),
        previous: UnsafeCell::new(None),
    }
}; SIGNALS];

fn user(signal: libc::c_int) -> Option<&'static User> {
    USERS.get(usize::try_from(signal).ok()?)
}

fn install(signal: libc::c_int, chain: bool, previous: *mut libc::sigaction) -> bool {
    // SAFETY: plain calls with a structure of our own.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // Restarted, the system call that was interrupted isn't noticed; chained, the signal is raised in the handler.
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK | if chain { libc::SA_NODEFER } else { 0 };
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, previous) == 0
    }
}

extern "C" fn on_signal(signal: libc::c_int) {
    let Some(user) = user(signal).filter(|user| user.enabled.load(Ordering::Relaxed)) else { return };
    // SAFETY: the location of the thread's error number.
    let errno = unsafe { *libc::__errno_location() };
    let out = Writer(user.fd.load(Ordering::Relaxed));
    let current = Vm::bound();
    // SAFETY: null, or the state of this thread.
    match (user.all_threads.load(Ordering::Relaxed), unsafe { current.as_ref() }, fatal::interpreter()) {
        (true, _, Some(interp)) => dump::all_threads(out, interp, current),
        (_, Some(thread), _) => dump::thread(out, thread),
        _ => {}
    }
    if user.chain.load(Ordering::Relaxed) {
        // SAFETY: the cell is filled; the handler before gets the signal, then this one is put back.
        unsafe {
            if let Some(previous) = &*user.previous.get() {
                libc::sigaction(signal, &raw const *previous, std::ptr::null_mut());
                *libc::__errno_location() = errno;
                libc::raise(signal);
                install(signal, true, std::ptr::null_mut());
            }
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Raises unless the signal can be registered.
pub fn check(signal: i32, vm: &Vm) -> PyResult<()> {
    if fatal::is_fatal(signal) {
        let text = format!("signal {signal} cannot be registered, use enable() instead");
        return Err(vm.runtime_error(text));
    }
    if signal < 1 || user(signal).is_none() {
        return Err(vm.value_error("signal number out of range"));
    }
    Ok(())
}

/// Dumps tracebacks at a signal from now on.
pub fn register(signal: i32, fd: libc::c_int, all_threads: bool, chain: bool, vm: &Vm) -> PyResult<()> {
    let Some(user) = user(signal) else { return Err(vm.value_error("signal number out of range")) };
    fatal::remember(vm);
    if !user.enabled.load(Ordering::Relaxed) {
        // SAFETY: plain data, filled by the call.
        let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
        if !install(signal, chain, &raw mut previous) {
            return Err(vm.last_os_error(None));
        }
        // SAFETY: handlers read the cell only when `enabled` is set.
        unsafe { *user.previous.get() = Some(previous) };
    }
    user.fd.store(fd, Ordering::Relaxed);
    user.all_threads.store(all_threads, Ordering::Relaxed);
    user.chain.store(chain, Ordering::Relaxed);
    user.enabled.store(true, Ordering::Relaxed);
    Ok(())
}

/// Ends `register`. Tells whether the signal was registered.
pub fn unregister(signal: i32) -> bool {
    let Some(user) = user(signal) else { return false };
    if !user.enabled.swap(false, Ordering::Relaxed) {
        return false;
    }
    // SAFETY: the cell was filled before `enabled` was set.
    unsafe {
        if let Some(previous) = &*user.previous.get() {
            libc::sigaction(signal, &raw const *previous, std::ptr::null_mut());
        }
    }
    true
}
