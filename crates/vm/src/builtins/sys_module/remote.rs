//! `sys.remote_exec`: runs a script in another process (PEP 768).
//!
//! Both processes run the same executable, so that what lies at some distance from its start here lies at the same distance
//! there. The anchor leads to the other's main thread, whose state has room for the path of the script; a bit of its
//! `eval_breaker` makes it look there.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::args::PathArg;
use crate::exceptions::unraisable::write_unraisable;
use crate::prelude::*;
use crate::protocols::path;
use crate::runtime::audit::audit;
use crate::runtime::vm::{breaker, remote};

const MAGIC: u64 = u64::from_le_bytes(*b"taipanRX");

/// What another process looks for.
#[repr(C)]
struct Anchor {
    magic: AtomicU64,
    /// Whether scripts are taken.
    enabled: AtomicU64,
    /// The address of the main interpreter's `main_thread`.
    main_thread: AtomicUsize,
}

/// Lies in the part of the executable that is mapped from its file, since `magic` is not zero.
static ANCHOR: Anchor =
    Anchor { magic: AtomicU64::new(MAGIC), enabled: AtomicU64::new(0), main_thread: AtomicUsize::new(0) };

/// Lets other processes send scripts to this one, unless the configuration forbids it.
pub fn prepare(vm: &Vm) {
    let allowed = {
        let config = vm.interp().config.borrow();
        let forbidden = config.xoptions.iter().any(|(name, _)| name == "disable-remote-debug")
            || config.use_environment
                && std::env::var_os("PYTHON_DISABLE_REMOTE_DEBUG").is_some_and(|value| !value.is_empty());
        !forbidden
    };
    ANCHOR.main_thread.store((&raw const vm.interp().main_thread) as usize, Ordering::Release);
    ANCHOR.enabled.store(u64::from(allowed), Ordering::Release);
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

/// Another process's memory.
struct Process(i32);

impl Process {
    fn vectors(local: &mut [u8], at: usize) -> (libc::iovec, libc::iovec) {
        let len = local.len();
        (
            libc::iovec { iov_base: local.as_mut_ptr().cast(), iov_len: len },
            libc::iovec { iov_base: at as *mut c_void, iov_len: len },
        )
    }

    fn read(&self, at: usize, into: &mut [u8], vm: &Vm) -> PyResult<()> {
        let (local, other) = Self::vectors(into, at);
        // SAFETY: the local vector names `into`; the other's addresses are checked by the system.
        let got = unsafe { libc::process_vm_readv(self.0, &raw const local, 1, &raw const other, 1, 0) };
        self.check(got, into.len(), vm)
    }

    fn write(&self, at: usize, from: &[u8], vm: &Vm) -> PyResult<()> {
        let mut from = from.to_vec();
        let (local, other) = Self::vectors(&mut from, at);
        // SAFETY: as for reading; the addresses come from the anchor of a process with this executable.
        let got = unsafe { libc::process_vm_writev(self.0, &raw const local, 1, &raw const other, 1, 0) };
        self.check(got, from.len(), vm)
    }

    fn check(&self, got: isize, wanted: usize, vm: &Vm) -> PyResult<()> {
        match usize::try_from(got) {
            Ok(got) if got == wanted => Ok(()),
            Ok(_) => Err(vm.runtime_error("only a part of the remote process's memory could be accessed")),
            Err(_) => Err(vm.last_os_error(None)),
        }
    }

    fn read_word(&self, at: usize, vm: &Vm) -> PyResult<usize> {
        let mut word = [0; size_of::<usize>()];
        self.read(at, &mut word, vm)?;
        Ok(usize::from_ne_bytes(word))
    }
}

/// A line of `/proc/PID/maps`: first address, address behind, device and inode.
fn mappings(pid: i32, vm: &Vm) -> PyResult<Vec<(usize, usize, String)>> {
    let text = match std::fs::read_to_string(format!("/proc/{pid}/maps")) {
        Ok(text) => text,
        Err(error) => return Err(vm.os_error(error.raw_os_error().unwrap_or(0), None)),
    };
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let (device, inode) = (fields.nth(2)?, fields.next()?);
        let address = |digits| usize::from_str_radix(digits, 16).ok();
        Some((address(start)?, address(end)?, format!("{device} {inode}")))
    };
    Ok(text.lines().filter_map(parse).collect())
}

/// Where the anchor of another process lies.
fn find_anchor(pid: i32, vm: &Vm) -> PyResult<usize> {
    let theirs = mappings(pid, vm)?;
    let ours = mappings(std::process::id() as i32, vm)?;
    let anchor = (&raw const ANCHOR) as usize;
    let file = ours.iter().find(|(start, end, _)| (*start..*end).contains(&anchor)).map(|(.., file)| file);
    let first = |all: &[(usize, usize, String)]| {
        all.iter().find(|(.., found)| Some(found) == file).map(|(start, ..)| *start)
    };
    match (first(&ours), first(&theirs)) {
        (Some(ours), Some(theirs)) => Ok(anchor.wrapping_sub(ours).wrapping_add(theirs)),
        _ => Err(vm.runtime_error(format!("Failed to find this interpreter in process {pid}"))),
    }
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
        ANCHOR.enabled.load(Ordering::Acquire) != 0
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
        let process = Process(pid);
        let anchor = find_anchor(pid, vm)?;
        if process.read_word(anchor, vm)? as u64 != MAGIC {
            return Err(vm.runtime_error(format!("Failed to find this interpreter in process {pid}")));
        }
        if process.read_word(anchor + offset_of!(Anchor, enabled), vm)? == 0 {
            return Err(vm.runtime_error("Remote debugging is not enabled in the remote process"));
        }
        let slot = process.read_word(anchor + offset_of!(Anchor, main_thread), vm)?;
        let thread = process.read_word(slot, vm)?;
        let mut script = name;
        script.push(0);
        process.write(thread + remote::PATH_OFFSET, &script, vm)?;
        process.write(thread + remote::PENDING_OFFSET, &1i32.to_ne_bytes(), vm)?;
        let bits = thread + offset_of!(Vm, eval_breaker);
        let asked = process.read_word(bits, vm)? | breaker::REMOTE_SCRIPT;
        process.write(bits, &asked.to_ne_bytes(), vm)
    }
}
