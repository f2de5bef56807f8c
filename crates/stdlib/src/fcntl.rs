//! `fcntl`: `fcntl`, `ioctl` and file locks.

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;
use taipan_vm::runtime::audit::audit;

use crate::select::file_descriptor;

/// The module.
pub struct Fcntl;

/// The longest bytes argument that is copied.
const BUFFER: usize = 1024;

/// The argument of `fcntl` and `ioctl`.
enum Argument {
    Number(libc::c_long),
    Bytes(Vec<u8>),
}

fn argument(arg: Option<&Object>, name: &str, vm: &Vm) -> PyResult<Argument> {
    let Some(arg) = arg else { return Ok(Argument::Number(0)) };
    if arg.has_index() {
        // Bits count, not the sign: numbers wrap to C's unsigned int and int.
        let number = arg.as_index(vm)?;
        let bits = number.to_i64().or_else(|| number.to_u64().map(|n| n as i64)).unwrap_or(0);
        return Ok(Argument::Number(bits as i32 as libc::c_long));
    }
    let bytes = match arg.downcast_ref::<Str>() {
        Some(text) => text.to_utf8(vm)?.as_bytes().to_vec(),
        None => match BufferArg::from_object(arg, vm) {
            Ok(bytes) => bytes.as_bytes().to_vec(),
            Err(Raised) if vm.exception_matches(types::type_error()) => {
                vm.clear_exception();
                return Err(vm.type_error(format!(
                    "{name}() argument 3 must be an integer, a bytes-like object, or a string, not {}",
                    arg.ob_type().name()
                )));
            }
            Err(Raised) => return Err(Raised),
        },
    };
    if bytes.len() > BUFFER {
        return Err(vm.value_error(format!("{name} argument 3 is too long")));
    }
    Ok(Argument::Bytes(bytes))
}

fn shown(arg: Option<&Object>, vm: &Vm) -> ObjRef {
    arg.map_or_else(|| vm.new_int(0), Object::to_ref)
}

/// This module performs file control and I/O control on file
/// descriptors.  It is an interface to the fcntl() and ioctl() Unix
/// routines.  File descriptors can be obtained with the fileno() method of
/// a file or socket object.
#[pymodule(name = "fcntl")]
impl Fcntl {
    /// Perform the operation `cmd` on file descriptor fd.
    ///
    /// The values used for `cmd` are operating system dependent, and are available
    /// as constants in the fcntl module, using the same names as used in
    /// the relevant C header files.  The argument arg is optional, and
    /// defaults to 0; it may be an int or a string.  If arg is given as a string,
    /// the return value of fcntl is a string of that length, containing the
    /// resulting value put in the arg buffer by the operating system.  The length
    /// of the arg string is not allowed to exceed 1024 bytes.  If the arg given
    /// is an integer or if none is specified, the result value is an integer
    /// corresponding to the return value of the fcntl call in the C code.
    #[function("($module, fd, cmd, arg=0, /)")]
    fn fcntl(fd: &Object, cmd: i32, arg: Option<&Object>, vm: &Vm) -> PyResult {
        let fd = file_descriptor(fd, vm)?;
        audit("fcntl.fcntl", &[&vm.new_int(fd), &vm.new_int(cmd), &shown(arg, vm)], vm)?;
        match argument(arg, "fcntl", vm)? {
            Argument::Number(number) => {
                // SAFETY: the command gets the number that it asks for.
                let result = vm.checked_call(None, || unsafe { libc::fcntl(fd, cmd, number) })?;
                Ok(vm.new_int(result))
            }
            Argument::Bytes(bytes) => {
                let mut buffer = [0u8; BUFFER + 8];
                for (place, byte) in buffer.iter_mut().zip(&bytes) {
                    *place = *byte;
                }
                let place = buffer.as_mut_ptr();
                // SAFETY: the command's structure lies in the buffer.
                vm.checked_call(None, || unsafe { libc::fcntl(fd, cmd, place) })?;
                Ok(vm.new_bytes(buffer.get(..bytes.len()).unwrap_or_default()).into_object())
            }
        }
    }

    /// Perform the operation request on file descriptor fd.
    ///
    /// The values used for request are operating system dependent, and are available
    /// as constants in the fcntl or termios library modules, using the same names as
    /// used in the relevant C header files.
    ///
    /// The argument `arg` is optional, and defaults to 0; it may be an int or a
    /// buffer containing character data (most likely a string or an array).
    ///
    /// If the argument is a mutable buffer (such as an array) and if the
    /// mutate_flag argument (which is only allowed in this case) is true then the
    /// buffer is (in effect) passed to the operating system and changes made by
    /// the OS will be reflected in the contents of the buffer after the call has
    /// returned.  The return value is the integer returned by the ioctl system
    /// call.
    #[function("($module, fd, request, arg=0, mutate_flag=True, /)")]
    fn ioctl(
        fd: &Object,
        request: &Object,
        arg: Option<&Object>,
        mutate_flag: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let fd = file_descriptor(fd, vm)?;
        let number = request.as_index(vm)?;
        let Some(code) = number.to_u64().or_else(|| number.to_i64().map(|n| n as u64)) else {
            return Err(vm.overflow_error("Python int too large to convert to C unsigned long"));
        };
        audit("fcntl.ioctl", &[&vm.new_int(fd), request, &shown(arg, vm)], vm)?;
        if let Some(arg) = arg.filter(|arg| !arg.has_index() && mutate_flag.unwrap_or(true)) {
            match arg.get_buffer(buffer::WRITABLE, vm) {
                Ok(mut view) => {
                    let Some(target) = view.as_bytes_mut() else {
                        return Err(vm.type_error("ioctl argument 3 must be writable"));
                    };
                    // A short buffer is passed through a roomy one, which the system can't overrun.
                    let mut roomy = [0u8; BUFFER + 8];
                    let short = target.len() <= BUFFER;
                    if short {
                        for (place, byte) in roomy.iter_mut().zip(target.iter()) {
                            *place = *byte;
                        }
                    }
                    let place = if short { roomy.as_mut_ptr() } else { target.as_mut_ptr() };
                    // SAFETY: the request's structure lies in the buffer, which is exported meanwhile.
                    let result = vm.system_call(|| unsafe { libc::ioctl(fd, code as _, place) })?;
                    if short {
                        for (place, byte) in target.iter_mut().zip(&roomy) {
                            *place = *byte;
                        }
                    }
                    if result < 0 {
                        return Err(vm.last_os_error(None));
                    }
                    return Ok(vm.new_int(result));
                }
                Err(Raised) => vm.clear_exception(),
            }
        }
        match argument(arg, "ioctl", vm)? {
            Argument::Number(number) => {
                // SAFETY: the request gets the number that it asks for.
                Ok(vm.new_int(vm.checked_call(None, || unsafe { libc::ioctl(fd, code as _, number) })?))
            }
            Argument::Bytes(bytes) => {
                let mut buffer = [0u8; BUFFER + 8];
                for (place, byte) in buffer.iter_mut().zip(&bytes) {
                    *place = *byte;
                }
                let place = buffer.as_mut_ptr();
                // SAFETY: the request's structure lies in the buffer.
                vm.checked_call(None, || unsafe { libc::ioctl(fd, code as _, place) })?;
                Ok(vm.new_bytes(buffer.get(..bytes.len()).unwrap_or_default()).into_object())
            }
        }
    }

    /// Perform the lock operation `operation` on file descriptor `fd`.
    ///
    /// See the Unix manual page for flock(2) for details (On some systems, this
    /// function is emulated using fcntl()).
    #[function("($module, fd, operation, /)")]
    fn flock(fd: &Object, operation: i32, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        audit("fcntl.flock", &[&vm.new_int(fd), &vm.new_int(operation)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::flock(fd, operation) }).map(drop)
    }

    /// A wrapper around the fcntl() locking calls.
    ///
    /// `fd` is the file descriptor of the file to lock or unlock, and operation is one
    /// of the following values:
    ///
    ///     LOCK_UN - unlock
    ///     LOCK_SH - acquire a shared lock
    ///     LOCK_EX - acquire an exclusive lock
    ///
    /// When operation is LOCK_SH or LOCK_EX, it can also be bitwise ORed with
    /// LOCK_NB to avoid blocking on lock acquisition.  If LOCK_NB is used and the
    /// lock cannot be acquired, an OSError will be raised and the exception will
    /// have an errno attribute set to EACCES or EAGAIN (depending on the operating
    /// system -- for portability, check for either value).
    ///
    /// `len` is the number of bytes to lock, with the default meaning to lock to
    /// EOF.  `start` is the byte offset, relative to `whence`, to that the lock
    /// starts.  `whence` is as with fileobj.seek(), specifically:
    ///
    ///     0 - relative to the start of the file (SEEK_SET)
    ///     1 - relative to the current buffer position (SEEK_CUR)
    ///     2 - relative to the end of the file (SEEK_END)
    #[function("($module, fd, cmd, len=0, start=0, whence=0, /)")]
    fn lockf(
        fd: &Object,
        cmd: i32,
        len: Option<i64>,
        start: Option<i64>,
        whence: Option<i32>,
        vm: &Vm,
    ) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        let (len, start, whence) = (len.unwrap_or(0), start.unwrap_or(0), whence.unwrap_or(0));
        let shown = [i64::from(fd), i64::from(cmd), len, start, i64::from(whence)].map(|n| vm.new_int(n));
        let [a, b, c, d, e] = &shown;
        audit("fcntl.lockf", &[a, b, c, d, e], vm)?;
        let kind = if cmd == libc::LOCK_UN {
            libc::F_UNLCK
        } else if cmd & libc::LOCK_SH != 0 {
            libc::F_RDLCK
        } else if cmd & libc::LOCK_EX != 0 {
            libc::F_WRLCK
        } else {
            return Err(vm.value_error("unrecognized lockf argument"));
        };
        // SAFETY: zero is a valid value of every field.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = kind as libc::c_short;
        lock.l_start = start;
        lock.l_len = len;
        lock.l_whence = whence as libc::c_short;
        let call = if cmd & libc::LOCK_NB != 0 { libc::F_SETLK } else { libc::F_SETLKW };
        let place = &raw mut lock;
        // SAFETY: the structure is ours.
        vm.checked_call(None, || unsafe { libc::fcntl(fd, call, place) }).map(drop)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
        }
        set! {
            LOCK_SH LOCK_EX LOCK_NB LOCK_UN F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK
            F_SETLKW F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_GETOWN F_SETOWN F_RDLCK F_UNLCK F_WRLCK F_SETPIPE_SZ
            F_GETPIPE_SZ F_SETLEASE F_GETLEASE F_NOTIFY F_ADD_SEALS F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW
            F_SEAL_WRITE FD_CLOEXEC FICLONE FICLONERANGE
        }
        // From <bits/fcntl.h> and <asm/ioctls.h>.
        let more: [(&str, i64); 35] = [
            ("LOCK_MAND", 32),
            ("LOCK_READ", 64),
            ("LOCK_WRITE", 128),
            ("LOCK_RW", 192),
            ("F_SETSIG", 10),
            ("F_GETSIG", 11),
            ("F_EXLCK", 4),
            ("F_SHLCK", 8),
            ("F_SETLK64", 6),
            ("F_GETLK64", 5),
            ("F_SETLKW64", 7),
            ("F_SETOWN_EX", 15),
            ("F_GETOWN_EX", 16),
            ("F_OWNER_TID", 0),
            ("F_OWNER_PID", 1),
            ("F_OWNER_PGRP", 2),
            ("F_SEAL_FUTURE_WRITE", 16),
            ("F_DUPFD_QUERY", 1027),
            ("F_GET_RW_HINT", 1035),
            ("F_SET_RW_HINT", 1036),
            ("F_GET_FILE_RW_HINT", 1037),
            ("F_SET_FILE_RW_HINT", 1038),
            ("RWH_WRITE_LIFE_NOT_SET", 0),
            ("RWH_WRITE_LIFE_NONE", 1),
            ("RWH_WRITE_LIFE_SHORT", 2),
            ("RWH_WRITE_LIFE_MEDIUM", 3),
            ("RWH_WRITE_LIFE_LONG", 4),
            ("RWH_WRITE_LIFE_EXTREME", 5),
            ("DN_ACCESS", 1),
            ("DN_MODIFY", 2),
            ("DN_CREATE", 4),
            ("DN_DELETE", 8),
            ("DN_RENAME", 16),
            ("DN_ATTRIB", 32),
            ("DN_MULTISHOT", 0x8000_0000),
        ];
        for (name, value) in more {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("FASYNC", &vm.new_int(libc::O_ASYNC), vm)
    }
}
