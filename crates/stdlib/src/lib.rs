//! The native modules of the standard library.
//!
//! Invariants: a module is a file or folder named as Python names it; modules know `vm`, never each other's insides.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(clippy::indexing_slicing)]

use taipan_vm::module_def::NativeModule;

pub mod _collections;
pub mod _contextvars;
pub mod _io;
pub mod _sre;
pub mod _thread;
pub mod _warnings;
pub mod atexit;
pub mod errno;
pub mod itertools;
pub mod marshal;
pub mod posix;
pub mod time;

/// All modules, sorted by name.
pub fn modules() -> Vec<&'static NativeModule> {
    vec![
        &_collections::Collections::DEF,
        &_contextvars::ContextVars::DEF,
        &_io::Io::DEF,
        &_sre::Sre::DEF,
        &_thread::Thread::DEF,
        &_warnings::Warnings::DEF,
        &atexit::AtExit::DEF,
        &errno::Errno::DEF,
        &itertools::Itertools::DEF,
        &marshal::Marshal::DEF,
        &posix::Posix::DEF,
        &time::Time::DEF,
    ]
}
