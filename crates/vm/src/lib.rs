//! Execution, frames, built-in types, exceptions, import and threads.
//!
//! Invariants:
//! - `vm: &Vm` is the current thread's state and proves that the interpreter's lock is held.
//! - An exception waits in `vm.current_exception`; `Err(Raised)` says that it does.
//! - No borrow of an object's inside is held over a call that can run Python.
//! - `vm` does not know `capi` or `stdlib`: native modules register themselves.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(clippy::indexing_slicing)]

// The attribute macros name the crate by its outside name.
extern crate self as taipan_vm;

pub mod args;
pub mod builtins;
pub mod exceptions;
pub mod import;
pub mod interpreter;
pub mod macro_support;
pub mod module_def;
pub mod prelude;
pub mod protocols;
pub mod runtime;

pub use runtime::vm::{PyResult, Raised, Vm};
pub use taipan_bytecode as bytecode;
pub use taipan_compiler as compiler;
pub use taipan_parser as parser;
