//! What other crates plug into the interpreter, so that `vm` need not know them.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::sync::atomic::AtomicPtr;

use crate::prelude::*;
use crate::runtime::compile::{CompileFlags, Mode};

/// `compile` for syntax-tree objects and flags; `None` when the source is for the ordinary path.
pub type CompileAst = fn(&Object, &Str, Mode, CompileFlags, i32, i32, &Vm) -> PyResult<Option<ObjRef>>;

/// The hooks; each is empty until its module is linked in.
#[derive(Default)]
pub struct Hooks {
    /// Runs the Python handlers of signals that have come.
    pub run_signal_handlers: Cell<Option<fn(&Vm) -> PyResult<()>>>,
    /// Takes all Python handlers away, when the interpreter ends.
    pub end_signals: Cell<Option<fn(&Vm)>>,
    /// Runs calls that native code put off (`Py_AddPendingCall`).
    pub run_pending_calls: Cell<Option<fn(&Vm) -> PyResult<()>>>,
    /// Opens and creates an extension module from its spec (PEP 489).
    pub load_extension: Cell<Option<fn(&Object, &Vm) -> PyResult>>,
    /// Executes an extension module.
    pub exec_extension: Cell<Option<fn(&Object, &Vm) -> PyResult<()>>>,
    /// Compiles syntax trees.
    pub compile_ast: Cell<Option<CompileAst>>,
    /// Reads a line from the terminal, editing it: prompt in, line with its end out, empty at the end of the input.
    pub read_line: Cell<Option<fn(&CStr, &Vm) -> PyResult<Vec<u8>>>>,
    /// C's variable `PyOS_InputHook`: null, or what to call while the prompt waits.
    pub input_hook: Cell<Option<&'static AtomicPtr<c_void>>>,
}
