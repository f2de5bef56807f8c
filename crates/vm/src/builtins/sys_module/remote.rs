//! `sys.remote_exec`: runs a script in another process (PEP 768).
//!
//! The other's main thread has room in its state for the path of the script; a bit of its `eval_breaker` makes it look
//! there (`runtime/remote` finds it).

use std::mem::offset_of;

use crate::args::PathArg;
use crate::exceptions::unraisable::write_unraisable;
use crate::prelude::*;
use crate::protocols::path;
use crate::runtime::audit::audit;
use crate::runtime::remote::anchor::{self, FindError};
use crate::runtime::vm::{breaker, remote};

/// Lets other processes send scripts to this one, unless the configuration forbids it.
pub fn prepare(vm: &Vm) {
    let allowed = {
        let config = vm.interp().config.borrow();
        let forbidden = config.xoptions.iter().any(|(name, _)| name == "disable-remote-debug")
            || config.use_environment
                && std::env::var_os("PYTHON_DISABLE_REMOTE_DEBUG").is_some_and(|value| !value.is_empty());
        !forbidden
    };
    anchor::publish(vm, allowed);
}

/// Runs the script that another process has sent; the main thread calls it when its breaker asks. What goes wrong is
/// reported as unraisable.
pub fn run_pending(vm: &Vm) {
    let Some(name) = vm.take_remote_script() else { return };
    if run(&name, vm).is_err() {
        write_unraisable(None, Some("Exception ignored in remote debugger script"), vm);
    }
}

fn run(name: &[u8], vm: &Vm) -> PyResult<()> {
    let shown = path::decode(name, vm);
    audit("cpython.remote_debugger_script", &[shown.as_object()], vm)?;
    let io = crate::import::import_module("_io", vm)?;
    let file = io.call_method(&vm.intern("open_code"), &[shown.as_object()], vm)?;
    let source = file.call_method(&vm.intern("read"), &[], vm);
    file.call_method(&vm.intern("close"), &[], vm)?;
    let source = source?;
    let Some(source) = source.downcast_ref::<Bytes>() else {
        return Err(vm.type_error("a script must be read as bytes"));
    };
    let code = crate::runtime::compile::compile_file(source.as_bytes(), &shown.to_string_lossy(), vm)?;
    let names = vm.new_dict();
    crate::interpreter::eval_code(&code, &names, None, vm).map(drop)
}

/// Checks that the script can be read, which tells more than the other process could.
fn check_script(script: &[u8], vm: &Vm) -> PyResult<()> {
    let name = std::ffi::CString::new(script).map_err(|_| vm.value_error("embedded null byte"))?;
    // SAFETY: the name is NUL-terminated.
    if unsafe { libc::access(name.as_ptr(), libc::F_OK | libc::R_OK) } == 0 {
        return Ok(());
    }
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let shown = path::decode(script, vm).to_string_lossy().into_owned();
    let (tp, text) = match errno {
        libc::ENOENT => (types::file_not_found_error(), format!("Script file does not exist: {shown}")),
        libc::EACCES => (types::permission_error(), format!("Script file cannot be read: {shown}")),
        _ => (types::os_error(), format!("Cannot access script file: {shown}")),
    };
    Err(vm.raise(tp, &text))
}

#[pyfunctions(table = REMOTE_FUNCTIONS)]
impl super::Sys {
    /// Return True if remote debugging is enabled, False otherwise.
    #[function("($module, /)")]
    fn is_remote_debug_enabled() -> bool {
        anchor::scripts_are_taken()
    }

    /// Executes a file containing Python code in a given remote Python process.
    ///
    /// This function returns immediately, and the code will be executed by the
    /// target process's main thread at the next available opportunity, similarly
    /// to how signals are handled. There is no interface to determine when the
    /// code has been executed. The caller is responsible for making sure that
    /// the file still exists whenever the remote process tries to read it and that
    /// it hasn't been overwritten.
    ///
    /// The remote process must be the same executable as this one.
    ///
    /// Args:
    ///      pid (int): The process ID of the target Python process.
    ///      script (str|bytes): The path to a file containing
    ///          the Python code to be executed.
    #[function("($module, /, pid, script)")]
    fn remote_exec(pid: i32, script: PathArg, vm: &Vm) -> PyResult<()> {
        audit("sys.remote_exec", &[&*vm.new_int(pid), &script.object], vm)?;
        let name = script.path.into_encoded_bytes();
        check_script(&name, vm)?;
        if name.len() >= remote::PATH_SIZE {
            return Err(vm.value_error("Debugger script path is too long"));
        }
        let process = match anchor::find(pid, vm)? {
            Ok(process) => process,
            Err(FindError::Maps(errno)) => return Err(vm.os_error(errno, None)),
            Err(FindError::Foreign) => {
                return Err(vm.runtime_error(format!("Failed to find this interpreter in process {pid}")));
            }
        };
        if !process.takes_scripts(vm)? {
            return Err(vm.runtime_error("Remote debugging is not enabled in the remote process"));
        }
        let thread = process.main_thread(vm)?;
        let mut script = name;
        script.push(0);
        process.memory.write(thread + remote::PATH_OFFSET, &script, vm)?;
        process.memory.write(thread + remote::PENDING_OFFSET, &1i32.to_ne_bytes(), vm)?;
        let bits = thread + offset_of!(Vm, eval_breaker);
        let asked = process.memory.read_word(bits, vm)? | breaker::REMOTE_SCRIPT;
        process.memory.write(bits, &asked.to_ne_bytes(), vm)
    }
}
