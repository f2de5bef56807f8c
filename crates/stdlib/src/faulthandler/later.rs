//! `dump_traceback_later`: a thread that watches the clock.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use taipan_vm::prelude::*;

use super::dump;
use super::fatal;
use super::writer::Writer;

/// A watch that runs.
struct Watch {
    cancelled: Arc<(Mutex<bool>, Condvar)>,
    thread: JoinHandle<()>,
}

static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

/// What to do when time is up.
pub struct Plan {
    pub timeout: Duration,
    pub repeat: bool,
    pub fd: libc::c_int,
    pub exit: bool,
}

/// "Timeout (h:mm:ss)!", with microseconds when there are some.
fn header(timeout: Duration) -> String {
    let (seconds, micros) = (timeout.as_secs(), timeout.subsec_micros());
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("Timeout ({hours}:{minutes:02}:{:02}{fraction})!\n", seconds % 60)
}

fn watch(plan: &Plan, cancelled: &(Mutex<bool>, Condvar)) {
    // Signals are for the threads of the program.
    // SAFETY: plain calls with a set of our own.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
    let text = header(plan.timeout);
    let mut end = Instant::now() + plan.timeout;
    loop {
        let guard = cancelled.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = end.saturating_duration_since(Instant::now());
        let waited = cancelled.1.wait_timeout_while(guard, left, |cancelled| !*cancelled);
        let (guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *guard {
            return;
        }
        drop(guard);
        let out = Writer(plan.fd);
        out.text(&text);
        if let Some(interp) = fatal::interpreter() {
            dump::all_threads(out, interp, std::ptr::null());
        }
        if plan.exit {
            // SAFETY: ends the process.
            unsafe { libc::_exit(1) };
        }
        if !plan.repeat {
            return;
        }
        end += plan.timeout;
    }
}

/// Stops the watch, if one runs.
pub fn cancel(vm: &Vm) {
    let running = WATCH.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(running) = running {
        *running.cancelled.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        running.cancelled.1.notify_all();
        vm.allow_threads(|| drop(running.thread.join()));
    }
}

/// Starts a watch in the place of the one that runs.
pub fn start(plan: Plan, vm: &Vm) -> PyResult<()> {
    cancel(vm);
    fatal::remember(vm);
    let cancelled = Arc::new((Mutex::new(false), Condvar::new()));
    let shared = cancelled.clone();
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || watch(&plan, &shared))
        .map_err(|_| vm.runtime_error("unable to start watchdog thread"))?;
    *WATCH.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watch { cancelled, thread });
    Ok(())
}
