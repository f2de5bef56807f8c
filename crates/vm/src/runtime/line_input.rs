//! Lines of C's standard input, with a prompt: what the interactive prompt and `input` on a terminal read (`PyOS_Readline`).
//!
//! On a terminal the `readline` module does it, once it is imported; else the system's own line discipline.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int};
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::Ordering;

use crate::prelude::*;
use crate::runtime::pending;

/// What was read but not yet asked for: `sys.stdin` has a buffer of its own.
#[derive(Default)]
struct StandardInput {
    buffer: RefCell<Vec<u8>>,
    /// Whether a line is being read: hooks that run meanwhile may not read another.
    busy: Cell<bool>,
}

/// Whether standard input and output are both a terminal, so that a line can be edited.
fn can_edit() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Reads a line with its end; empty at the end of the input, without an end where the input stops. Raises what signal
/// handlers and hooks raise, and `RuntimeError` when called while a line is being read.
pub fn read_line(prompt: &CStr, vm: &Vm) -> PyResult<Vec<u8>> {
    let state = vm.interp().state::<StandardInput>();
    if state.busy.replace(true) {
        return Err(vm.runtime_error("can't re-enter readline"));
    }
    let line = match vm.interp().hooks.read_line.get().filter(|_| can_edit()) {
        Some(read) => read(prompt, vm),
        None => read_plain(prompt, state, vm),
    };
    state.busy.set(false);
    line
}

/// Calls C's `PyOS_InputHook` when one is installed (a toolkit's event loop). Gives what it gives.
pub fn call_input_hook(vm: &Vm) -> Option<c_int> {
    let hook = vm.interp().hooks.input_hook.get()?.load(Ordering::Acquire);
    // SAFETY: the variable holds null or a function of this type, as its declaration in C says.
    let hook = unsafe {
        std::mem::transmute::<*mut std::ffi::c_void, Option<unsafe extern "C" fn() -> c_int>>(hook)
    }?;
    // SAFETY: whoever set the variable vouches for the function, which takes the lock itself where it needs it.
    Some(vm.allow_threads(|| unsafe { hook() }))
}

/// Whether `call_input_hook` would call something.
pub fn has_input_hook(vm: &Vm) -> bool {
    vm.interp().hooks.input_hook.get().is_some_and(|hook| !hook.load(Ordering::Acquire).is_null())
}

/// The prompt goes to standard error, and the terminal itself lets the line be corrected.
fn read_plain(prompt: &CStr, state: &StandardInput, vm: &Vm) -> PyResult<Vec<u8>> {
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().write_all(prompt.to_bytes());
    loop {
        if let Ok(mut buffer) = state.buffer.try_borrow_mut() {
            if let Some(end) = memchr::memchr(b'\n', &buffer) {
                return Ok(buffer.drain(..=end).collect());
            }
        }
        call_input_hook(vm);
        let mut block = [0u8; 4096];
        let (read, error) = vm.allow_threads(|| {
            // SAFETY: the buffer has the length that is told.
            let read = unsafe { libc::read(0, block.as_mut_ptr().cast(), block.len()) };
            (read, std::io::Error::last_os_error().raw_os_error())
        });
        match usize::try_from(read) {
            Err(_) if error == Some(libc::EINTR) => pending::handle(vm)?,
            Ok(0) | Err(_) => return Ok(state.buffer.take()),
            Ok(length) => {
                if let Ok(mut buffer) = state.buffer.try_borrow_mut() {
                    buffer.extend_from_slice(block.get(..length).unwrap_or_default());
                }
            }
        }
    }
}
