//! The lock of the filters and registries: the thread that holds it may take it again.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use taipan_vm::prelude::*;

/// The lock. Its state is guarded by the interpreter's lock; the bell only wakes those who wait.
#[derive(Default)]
pub struct Lock {
    owner: Cell<u64>,
    depth: Cell<usize>,
    /// The process in which it was taken: threads don't survive a fork.
    process: Cell<u32>,
    bell: Arc<(Mutex<()>, Condvar)>,
}

impl Lock {
    /// Takes the lock, waiting for other threads.
    pub fn acquire(&self, vm: &Vm) {
        let me = vm.thread_id.get();
        while self.depth.get() > 0 && self.owner.get() != me {
            if self.process.get() != std::process::id() {
                self.depth.set(0);
                break;
            }
            let bell = self.bell.clone();
            vm.allow_threads(|| {
                let guard = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
                // Rung between the test and here, it would be missed: hence the limit.
                drop(bell.1.wait_timeout(guard, Duration::from_millis(5)));
            });
        }
        if self.depth.get() == 0 {
            self.owner.set(me);
            self.process.set(std::process::id());
        }
        self.depth.set(self.depth.get() + 1);
    }

    /// Whether the thread holds it.
    pub fn is_held(&self, vm: &Vm) -> bool {
        self.depth.get() > 0 && self.owner.get() == vm.thread_id.get()
    }

    /// Gives the lock back once; false when the thread doesn't hold it.
    pub fn release(&self, vm: &Vm) -> bool {
        if !self.is_held(vm) {
            return false;
        }
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 {
            self.bell.1.notify_one();
        }
        true
    }
}
