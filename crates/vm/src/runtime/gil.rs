//! The interpreter's lock: one thread runs Python at a time, and hands over when another has waited long enough.

use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::Vm;
use crate::runtime::vm::breaker;

/// One interpreter's lock.
pub struct Gil {
    state: Mutex<State>,
    freed: Condvar,
    switched: Condvar,
    /// Who holds the lock, for requests from waiting threads.
    holder: AtomicPtr<Vm>,
    /// The thread that ends the interpreter: no other gets the lock any more.
    last: AtomicPtr<Vm>,
    /// `sys.getswitchinterval()`, in microseconds.
    pub interval: Cell<u64>,
}

struct State {
    held: bool,
    /// Counts hand-overs, so that a thread which gives way knows when another has run.
    switches: u64,
    /// Threads that wait for the lock, and threads that wait until another has taken it.
    waiting: usize,
    giving_way: usize,
}

// SAFETY: `interval` is only touched by the thread that holds the lock, or read as a hint.
unsafe impl Sync for Gil {}

impl Gil {
    /// A lock that nobody holds.
    pub fn new() -> Gil {
        Gil {
            state: Mutex::new(State { held: false, switches: 0, waiting: 0, giving_way: 0 }),
            freed: Condvar::new(),
            switched: Condvar::new(),
            holder: AtomicPtr::new(std::ptr::null_mut()),
            last: AtomicPtr::new(std::ptr::null_mut()),
            interval: Cell::new(5000),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A thread that panicked has aborted the process, so the mutex is never poisoned.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes the lock for `vm`, asking the holder to give way after each interval.
    pub fn acquire(&self, vm: &Vm) {
        let mut state = self.lock();
        state.waiting += 1;
        while state.held {
            let seen = state.switches;
            let interval = Duration::from_micros(self.interval.get().max(1));
            let (back, timeout) =
                self.freed.wait_timeout(state, interval).unwrap_or_else(std::sync::PoisonError::into_inner);
            state = back;
            if state.held && timeout.timed_out() && state.switches == seen {
                // SAFETY: a holder's thread state outlives its holding, which the mutex keeps from ending here.
                if let Some(holder) = unsafe { self.holder.load(Ordering::Acquire).as_ref() } {
                    holder.request(breaker::GIL_DROP_REQUEST);
                }
            }
        }
        state.waiting -= 1;
        let last = self.last.load(Ordering::Acquire);
        if !last.is_null() && !std::ptr::eq(last, vm) {
            drop(state);
            // Who gives way to this thread waits no longer.
            self.switched.notify_all();
            hang();
        }
        state.held = true;
        state.switches += 1;
        self.holder.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
        vm.holds_gil.set(1);
        // Telling nobody would still be a system call.
        if state.giving_way > 0 {
            self.switched.notify_all();
        }
    }

    /// From now on the lock is for `vm` alone: other threads that want it wait until the process ends.
    pub fn keep(&self, vm: &Vm) {
        self.last.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
    }

    /// Runs `fork`, with nobody inside the lock's own state meanwhile. In the child, where no other thread is, nobody
    /// waits for the lock.
    pub fn fork(&self, fork: impl FnOnce() -> libc::pid_t) -> libc::pid_t {
        let mut state = self.lock();
        let pid = fork();
        if pid == 0 {
            state.waiting = 0;
        }
        pid
    }

    /// Gives the lock up.
    pub fn release(&self, vm: &Vm) {
        let mut state = self.lock();
        vm.holds_gil.set(0);
        state.held = false;
        self.holder.store(std::ptr::null_mut(), Ordering::Release);
        let awaited = state.waiting > 0;
        drop(state);
        if awaited {
            self.freed.notify_one();
        }
    }
}

/// Stops the calling thread until the process ends, as its native frames may hold what unwinding would free.
fn hang() -> ! {
    loop {
        // SAFETY: waits only.
        unsafe { libc::pause() };
    }
}

impl Default for Gil {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets a thread that waits for the lock run.
pub fn yield_lock(vm: &Vm) {
    let gil = &vm.interp().gil;
    let before = {
        let state = gil.lock();
        if state.waiting == 0 {
            return;
        }
        state.switches
    };
    vm.detach();
    gil.release(vm);
    let mut state = gil.lock();
    state.giving_way += 1;
    while state.switches == before && state.waiting > 0 {
        state = gil.switched.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
    }
    state.giving_way -= 1;
    drop(state);
    gil.acquire(vm);
    // SAFETY: the lock is held again.
    unsafe { vm.attach() };
}

impl Vm {
    /// Runs something that blocks without the lock (`Py_BEGIN_ALLOW_THREADS`). It may not touch Python objects.
    pub fn allow_threads<R>(&self, work: impl FnOnce() -> R) -> R {
        let gil = &self.interp().gil;
        self.detach();
        gil.release(self);
        let result = work();
        // What the work left in errno survives the wait for the lock.
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        gil.acquire(self);
        // SAFETY: the lock is held again.
        unsafe {
            self.attach();
            *libc::__errno_location() = errno;
        }
        result
    }
}
