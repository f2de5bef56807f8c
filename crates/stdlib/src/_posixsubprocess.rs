//! `_posixsubprocess`: fork and exec in one step, for `subprocess`.
//!
//! Everything that needs memory is made before the fork. Between fork and exec the child only makes system calls,
//! unless there is a `preexec_fn`, which runs Python.

use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{fspath, path_bytes};
use taipan_vm::runtime::audit::audit;

use crate::posix::args::identity;
use crate::posix::close_range;
use crate::posix::process::{after_fork_in_child, after_fork_in_parent, before_fork, warn_about_threads};

/// The module.
pub struct PosixSubprocess;

/// What the child needs, all of it made in the parent.
struct Plan {
    /// The candidates for the program, tried in order.
    programs: Vec<CString>,
    args: Option<Vec<CString>>,
    environment: Option<Vec<CString>>,
    folder: Option<CString>,
    keep: Vec<i32>,
    close_fds: bool,
    /// p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite.
    pipes: [i32; 6],
    report: i32,
    restore_signals: bool,
    new_session: bool,
    group: i32,
    gid: Option<u32>,
    groups: Option<Vec<u32>>,
    uid: Option<u32>,
    umask: i32,
}

fn c_string(object: &Object, vm: &Vm) -> PyResult<CString> {
    let path = fspath(object, vm)?;
    CString::new(path_bytes(&path, "", vm)?).map_err(|_| vm.value_error("embedded null byte"))
}

fn c_strings(list: &Object, vm: &Vm) -> PyResult<Vec<CString>> {
    list.collect_iterable(vm)?.iter().map(|item| c_string(item, vm)).collect()
}

/// The array of pointers that exec takes.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

fn id(object: &Object, what: &str, vm: &Vm) -> PyResult<Option<u32>> {
    if vm.is_none(object) { Ok(None) } else { identity(object, what, vm).map(Some) }
}

/// A member of `extra_groups`.
fn extra_group(object: &Object, vm: &Vm) -> PyResult<u32> {
    let number = object.as_index(vm)?.to_i64();
    number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| vm.value_error("invalid group id"))
}

/// Closes every descriptor from 3 on that is not kept. `keep` is sorted.
fn close_others(keep: &[i32]) {
    let close = |first: i32, last: i32| {
        if first <= last {
            close_range(first, last);
        }
    };
    let mut first = 3;
    for &fd in keep.iter().filter(|fd| **fd >= 3) {
        close(first, fd - 1);
        first = fd.saturating_add(1);
    }
    close(first, i32::MAX);
}

/// The child's part up to exec. Gives where it failed only when it did; `errno` tells why.
///
/// # Safety
/// Runs in a fresh child; makes only system calls besides `preexec`.
unsafe fn child(
    plan: &Plan,
    args: Option<&[*const libc::c_char]>,
    environment: Option<&[*const libc::c_char]>,
    preexec: &mut dyn FnMut() -> bool,
) -> &'static str {
    let [p2cread, p2cwrite, c2pread, mut c2pwrite, errread, mut errwrite] = plan.pipes;
    // SAFETY: a plain system call.
    let inheritable = |fd: i32| unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
    // SAFETY: plain system calls throughout; all texts were made before the fork.
    unsafe {
        for &fd in plan.keep.iter().filter(|fd| **fd != plan.report) {
            if inheritable(fd) < 0 {
                return "noexec";
            }
        }
        for fd in [p2cwrite, c2pread, errread] {
            if fd >= 0 && libc::close(fd) < 0 {
                return "noexec";
            }
        }
        // Low numbers are moved out of the way of the standard streams.
        if c2pwrite == 0 {
            c2pwrite = libc::fcntl(c2pwrite, libc::F_DUPFD_CLOEXEC, 3);
            if c2pwrite < 0 {
                return "noexec";
            }
        }
        while (0..=1).contains(&errwrite) {
            errwrite = libc::fcntl(errwrite, libc::F_DUPFD_CLOEXEC, 3);
            if errwrite < 0 {
                return "noexec";
            }
        }
        for (fd, stream) in [(p2cread, 0), (c2pwrite, 1), (errwrite, 2)] {
            let result = if fd == stream {
                inheritable(fd)
            } else if fd >= 0 {
                libc::dup2(fd, stream)
            } else {
                0
            };
            if result < 0 {
                return "noexec";
            }
        }
        if let Some(folder) = &plan.folder {
            if libc::chdir(folder.as_ptr()) < 0 {
                return "noexec:chdir";
            }
        }
        if plan.umask >= 0 {
            libc::umask(plan.umask as libc::mode_t);
        }
        if plan.restore_signals {
            for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        if plan.new_session && libc::setsid() < 0 {
            return "noexec";
        }
        if plan.group >= 0 && libc::setpgid(0, plan.group) < 0 {
            return "noexec";
        }
        if let Some(groups) = &plan.groups {
            if libc::setgroups(groups.len(), groups.as_ptr()) < 0 {
                return "noexec";
            }
        }
        if let Some(gid) = plan.gid {
            if libc::setregid(gid, gid) < 0 {
                return "noexec";
            }
        }
        if let Some(uid) = plan.uid {
            if libc::setreuid(uid, uid) < 0 {
                return "noexec";
            }
        }
        *libc::__errno_location() = 0;
        if !preexec() {
            return "preexec";
        }
        if plan.close_fds {
            close_others(&plan.keep);
        }
        let mut saved = 0;
        let args = args.map_or(std::ptr::null(), <[_]>::as_ptr);
        for program in &plan.programs {
            match environment {
                Some(environment) => libc::execve(program.as_ptr(), args, environment.as_ptr()),
                None => libc::execv(program.as_ptr(), args),
            };
            let errno = *libc::__errno_location();
            if errno != libc::ENOENT && errno != libc::ENOTDIR && saved == 0 {
                saved = errno;
            }
        }
        if saved != 0 {
            *libc::__errno_location() = saved;
        }
        ""
    }
}

/// Tells the parent over the pipe what failed: "OSError:HEX-ERRNO:WHERE".
fn tell_failure(fd: i32, place: &str) {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let text = match place {
        "preexec" => "SubprocessError:0:Exception occurred in preexec_fn.".to_owned(),
        place => format!("OSError:{errno:X}:{place}"),
    };
    // SAFETY: the text has that length.
    unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
}

/// A POSIX helper for the subprocess module.
#[pymodule(name = "_posixsubprocess")]
impl PosixSubprocess {
    /// Spawn a fresh new child process.
    ///
    /// Fork a child process, close parent file descriptors as appropriate in the
    /// child and duplicate the few that are needed before calling exec() in the
    /// child process.
    ///
    /// If close_fds is True, close file descriptors 3 and higher, except those listed
    /// in the sorted tuple pass_fds.
    ///
    /// The preexec_fn, if supplied, will be called immediately before closing file
    /// descriptors and exec.
    ///
    /// WARNING: preexec_fn is NOT SAFE if your application uses threads.
    ///          It may trigger infrequent, difficult to debug deadlocks.
    ///
    /// If an error occurs in the child process before the exec, it is
    /// serialized and written to the errpipe_write fd per subprocess.py.
    ///
    /// Returns: the child process's PID.
    ///
    /// Raises: Only on an error in the parent process.
    #[function(
        "($module, args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, /)"
    )]
    #[allow(clippy::too_many_arguments, reason = "fork_exec has that many")]
    fn fork_exec(
        args: &Object,
        executable_list: &Object,
        close_fds: bool,
        pass_fds: &Tuple,
        cwd: &Object,
        env: &Object,
        p2cread: i32,
        p2cwrite: i32,
        c2pread: i32,
        c2pwrite: i32,
        errread: i32,
        errwrite: i32,
        _errpipe_read: i32,
        errpipe_write: i32,
        restore_signals: bool,
        call_setsid: bool,
        pgid_to_set: i32,
        gid: &Object,
        extra_groups: &Object,
        uid: &Object,
        child_umask: i32,
        preexec_fn: &Object,
        vm: &Vm,
    ) -> PyResult<i32> {
        if !vm.is_none(preexec_fn) && vm.interp().finalizing.get() {
            let text = "preexec_fn not supported at interpreter shutdown";
            return Err(vm.raise(types::python_finalization_error(), text));
        }
        if !vm.is_none(preexec_fn) && vm.interp().id != 0 {
            return Err(vm.runtime_error("preexec_fn not supported within subinterpreters"));
        }
        if close_fds && errpipe_write < 3 {
            return Err(vm.value_error("errpipe_write must be >= 3"));
        }
        let mut keep = Vec::with_capacity(pass_fds.len());
        for item in pass_fds.as_slice() {
            let fd = item.downcast_ref::<Int>().and_then(Int::to_i64).and_then(|fd| i32::try_from(fd).ok());
            match fd {
                Some(fd) if fd >= 0 && keep.last().is_none_or(|last| *last < fd) => keep.push(fd),
                _ => return Err(vm.value_error("bad value(s) in fds_to_keep")),
            }
        }
        let optional = |object: &Object| if vm.is_none(object) { None } else { Some(object.to_ref()) };
        let groups = match optional(extra_groups) {
            None => None,
            Some(list) => {
                let mut groups = Vec::new();
                for item in list.collect_iterable(vm)? {
                    groups.push(extra_group(&item, vm)?);
                }
                Some(groups)
            }
        };
        let plan = Plan {
            programs: c_strings(executable_list, vm)?,
            args: optional(args).map(|args| c_strings(&args, vm)).transpose()?,
            environment: optional(env).map(|env| c_strings(&env, vm)).transpose()?,
            folder: optional(cwd).map(|cwd| c_string(&cwd, vm)).transpose()?,
            keep,
            close_fds,
            pipes: [p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite],
            report: errpipe_write,
            restore_signals,
            new_session: call_setsid,
            group: pgid_to_set,
            gid: self::id(gid, "gid", vm)?,
            groups,
            uid: self::id(uid, "uid", vm)?,
            umask: child_umask,
        };
        if taipan_vm::runtime::audit::is_active(vm) {
            let programs = plan.programs.iter().map(|text| vm.new_bytes(text.as_bytes()).into_object());
            let programs = vm.new_list(programs.collect::<Vec<_>>()).into_object();
            let given = match optional(args) {
                Some(args) => vm.new_list(args.collect_iterable(vm)?).into_object(),
                None => vm.none(),
            };
            audit("_posixsubprocess.fork_exec", &[&programs, &given, env], vm)?;
        }
        let preexec = optional(preexec_fn);
        let arg_pointers = plan.args.as_deref().map(pointers);
        let env_pointers = plan.environment.as_deref().map(pointers);
        if preexec.is_some() {
            before_fork(vm)?;
            audit("os.fork", &[], vm)?;
        }
        // SAFETY: the child runs `child` only, which is made for that.
        let pid = vm.interp().gil.fork(|| unsafe { libc::fork() });
        if pid == 0 {
            let mut call = || match &preexec {
                None => true,
                Some(preexec) => {
                    after_fork_in_child(vm);
                    preexec.call_no_args(vm).is_ok()
                }
            };
            // SAFETY: this is the fresh child.
            let failed = unsafe { child(&plan, arg_pointers.as_deref(), env_pointers.as_deref(), &mut call) };
            tell_failure(plan.report, failed);
            // SAFETY: a plain call, which does not return.
            unsafe { libc::_exit(255) }
        }
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        if preexec.is_some() {
            after_fork_in_parent(vm);
        }
        if pid < 0 {
            return Err(vm.os_error(errno, None));
        }
        if preexec.is_some() {
            warn_about_threads("fork", vm)?;
        }
        Ok(pid)
    }
}
