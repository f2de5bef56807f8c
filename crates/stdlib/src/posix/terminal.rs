//! Terminals and pseudo-terminals.

use std::ffi::CStr;

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{File, check};
use super::process;

static TERMINAL_SIZE: StructSeq = StructSeq {
    name: "os.terminal_size",
    doc: "A tuple of (columns, lines) for holding terminal window size",
    fields: &[
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ],
    visible: 2,
};

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    module.set("terminal_size", TERMINAL_SIZE.get(vm)?.as_object(), vm)
}

#[pyfunctions(table = TERMINAL_FUNCTIONS)]
impl Posix {
    /// Return True if the fd is connected to a terminal.
    ///
    /// Return True if the file descriptor is an open file descriptor
    /// connected to the slave end of a terminal.
    #[function("($module, fd, /)")]
    fn isatty(fd: i32, vm: &Vm) -> bool {
        // SAFETY: a plain call.
        vm.allow_threads(|| unsafe { libc::isatty(fd) }) == 1
    }

    /// Return the size of the terminal window as (columns, lines).
    ///
    /// The optional argument fd (default standard output) specifies
    /// which file descriptor should be queried.
    ///
    /// If the file descriptor is not connected to a terminal, an OSError
    /// is thrown.
    ///
    /// This function will only be defined if an implementation is
    /// available for this system.
    ///
    /// shutil.get_terminal_size is the high-level function which should
    /// normally be used, os.get_terminal_size is the low-level implementation.
    #[function("($module, fd=<unrepresentable>, /)")]
    fn get_terminal_size(fd: Option<i32>, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value; the structure is ours.
        let size = unsafe {
            let mut size: libc::winsize = std::mem::zeroed();
            check(libc::ioctl(fd.unwrap_or(1), libc::TIOCGWINSZ, &raw mut size), None, vm)?;
            size
        };
        TERMINAL_SIZE.instance(vec![vm.new_int(size.ws_col), vm.new_int(size.ws_row)], vm)
    }

    /// Open a pseudo-terminal.
    ///
    /// Return a tuple of (master_fd, slave_fd) containing open file descriptors
    /// for both the master and slave ends.
    #[function("($module, /)")]
    fn openpty(vm: &Vm) -> PyResult<(i32, i32)> {
        let (mut master, mut slave) = (-1, -1);
        let null = std::ptr::null_mut();
        // SAFETY: the places are ours; nothing else is asked for.
        let result = unsafe {
            libc::openpty(&raw mut master, &raw mut slave, null, std::ptr::null_mut(), std::ptr::null_mut())
        };
        check(result, None, vm)?;
        for fd in [master, slave] {
            // SAFETY: a plain system call.
            check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }, None, vm)?;
        }
        Ok((master, slave))
    }

    /// Open and return a file descriptor for a master pseudo-terminal device.
    ///
    /// Performs a posix_openpt() C function call. The oflag argument is used to
    /// set file status flags and file access modes as specified in the manual page
    /// of posix_openpt() of your system.
    #[function("($module, oflag, /)")]
    fn posix_openpt(oflag: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::posix_openpt(oflag | libc::O_CLOEXEC) }, None, vm)
    }

    /// Grant access to the slave pseudo-terminal device.
    ///
    ///   fd
    ///     File descriptor of a master pseudo-terminal device.
    ///
    /// Performs a grantpt() C function call.
    #[function("($module, fd, /)")]
    fn grantpt(fd: File, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain call.
        check(unsafe { libc::grantpt(fd.0) }, None, vm).map(drop)
    }

    /// Unlock a pseudo-terminal master/slave pair.
    ///
    ///   fd
    ///     File descriptor of a master pseudo-terminal device.
    ///
    /// Performs an unlockpt() C function call.
    #[function("($module, fd, /)")]
    fn unlockpt(fd: File, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain call.
        check(unsafe { libc::unlockpt(fd.0) }, None, vm).map(drop)
    }

    /// Return the name of the slave pseudo-terminal device.
    ///
    ///   fd
    ///     File descriptor of a master pseudo-terminal device.
    ///
    /// If the ptsname_r() C function is available, it is called;
    /// otherwise, performs a ptsname() C function call.
    #[function("($module, fd, /)")]
    fn ptsname(fd: File, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut name = [0u8; 256];
        // SAFETY: the buffer has that length.
        let error = unsafe { libc::ptsname_r(fd.0, name.as_mut_ptr().cast(), name.len()) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        Ok(decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm))
    }

    /// Prepare the tty of which fd is a file descriptor for a new login session.
    ///
    /// Make the calling process a session leader; make the tty the
    /// controlling tty, the stdin, the stdout, and the stderr of the
    /// calling process; close fd.
    #[function("($module, fd, /)")]
    fn login_tty(fd: File, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain call.
        check(unsafe { libc::login_tty(fd.0) }, None, vm).map(drop)
    }

    /// Fork a new process with a new pseudo-terminal as controlling tty.
    ///
    /// Returns a tuple of (pid, master_fd).
    /// Like fork(), return pid of 0 to the child process,
    /// and pid of child to the parent process.
    /// To both, return fd of newly opened pseudo-terminal.
    #[function("($module, /)")]
    fn forkpty(vm: &Vm) -> PyResult<(i32, i32)> {
        audit("os.forkpty", &[], vm)?;
        let mut master = -1;
        let place = &raw mut master;
        let pid = process::fork_with("forkpty", vm, || {
            let null = std::ptr::null_mut();
            // SAFETY: the place is ours; nothing else is asked for.
            unsafe { libc::forkpty(place, null, std::ptr::null_mut(), std::ptr::null_mut()) }
        })?;
        Ok((pid, master))
    }

    /// Return the name of the terminal device connected to 'fd'.
    ///
    ///   fd
    ///     Integer file descriptor handle.
    #[function("($module, fd, /)")]
    fn ttyname(fd: i32, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut name = [0u8; 256];
        // SAFETY: the buffer has that length.
        let error = unsafe { libc::ttyname_r(fd, name.as_mut_ptr().cast(), name.len()) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        Ok(decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm))
    }

    /// Return the name of the controlling terminal for this process.
    #[function("($module, /)")]
    fn ctermid(vm: &Vm) -> Ref<Str> {
        unsafe extern "C" {
            fn ctermid(place: *mut libc::c_char) -> *mut libc::c_char;
        }
        // L_ctermid of the C library is 9.
        let mut name = [0u8; 64];
        // SAFETY: the buffer is larger than the longest name, and stays NUL-terminated.
        let name = unsafe {
            ctermid(name.as_mut_ptr().cast());
            CStr::from_ptr(name.as_ptr().cast()).to_bytes().to_vec()
        };
        decode(&name, vm)
    }

    /// Return a string describing the encoding of a terminal's file descriptor.
    ///
    /// The file descriptor must be attached to a terminal.
    /// If the device is not a terminal, return None.
    #[function("($module, /, fd)")]
    fn device_encoding(fd: i32, vm: &Vm) -> PyResult {
        // SAFETY: a plain call.
        if vm.allow_threads(|| unsafe { libc::isatty(fd) }) != 1 {
            return Ok(vm.none());
        }
        let locale = taipan_vm::import::import_module("_locale", vm)?;
        locale.call_method(&vm.intern("getencoding"), &[], vm)
    }

    /// Return the process group associated with the terminal specified by fd.
    #[function("($module, fd, /)")]
    fn tcgetpgrp(fd: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::tcgetpgrp(fd) }, None, vm)
    }

    /// Set the process group associated with the terminal specified by fd.
    #[function("($module, fd, pgid, /)")]
    fn tcsetpgrp(fd: i32, pgid: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::tcsetpgrp(fd, pgid) }, None, vm).map(drop)
    }
}
