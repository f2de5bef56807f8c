//! Turns of threads that share a connection.
//!
//! SQLite has a lock of its own for each connection, which a statement holds while it calls Python. A thread that waited for it
//! with the GIL would keep that call from ever returning: whoever works with a shared connection takes a turn first, and waits
//! for it without the GIL.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use taipan_vm::prelude::*;

/// Who works with a connection.
#[derive(Default)]
pub struct Turns {
    holder: Mutex<Option<Holder>>,
    ended: Condvar,
}

/// The thread and how often it has entered: callbacks use the connection again.
struct Holder {
    thread: ThreadId,
    depth: usize,
}

/// A turn, which ends with the value.
pub struct Turn<'a>(Option<&'a Turns>);

impl Turns {
    fn lock(&self) -> MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_enter(holder: &mut Option<Holder>, thread: ThreadId) -> bool {
        match holder {
            None => *holder = Some(Holder { thread, depth: 1 }),
            Some(holder) if holder.thread == thread => holder.depth += 1,
            Some(_) => return false,
        }
        true
    }

    /// Waits for a turn, if the connection is `shared` by threads.
    pub fn enter(&self, shared: bool, vm: &Vm) -> Turn<'_> {
        if !shared {
            return Turn(None);
        }
        let thread = std::thread::current().id();
        if !Self::try_enter(&mut self.lock(), thread) {
            vm.allow_threads(|| {
                let mut holder = self.lock();
                while !Self::try_enter(&mut holder, thread) {
                    holder = self.ended.wait(holder).unwrap_or_else(PoisonError::into_inner);
                }
            });
        }
        Turn(Some(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(turns) = self.0 else { return };
        let mut holder = turns.lock();
        if let Some(known) = &mut *holder {
            known.depth -= 1;
            if known.depth == 0 {
                *holder = None;
                turns.ended.notify_one();
            }
        }
    }
}
