//! Processes: fork and its hooks, exec, waiting, groups, identities, scheduling.

#![allow(non_snake_case, reason = "Python's names: WIFEXITED and its kin")]

use std::cell::RefCell;
use std::ffi::CString;

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;
use taipan_vm::runtime::line_input;

use super::Posix;
use super::args::{Name, Target, Text, check};

/// The callables of `register_at_fork`, in the order of registration.
#[derive(Default)]
struct ForkHooks {
    before: RefCell<Vec<ObjRef>>,
    in_child: RefCell<Vec<ObjRef>>,
    in_parent: RefCell<Vec<ObjRef>>,
}

/// Calls hooks; what they raise can go nowhere.
fn run(hooks: Vec<ObjRef>, vm: &Vm) {
    for hook in hooks {
        if hook.call_no_args(vm).is_err() {
            vm.write_unraisable(Some(&hook), None);
        }
    }
}

/// Runs the hooks that `fork` comes after, the last registered first.
pub(crate) fn before_fork(vm: &Vm) -> PyResult<()> {
    let mut hooks = vm.interp().state::<ForkHooks>().before.borrow().clone();
    hooks.reverse();
    run(hooks, vm);
    import_lock("acquire_lock", vm);
    Ok(())
}

/// Holds the import lock over a fork, so that the child sees no module half imported.
fn import_lock(function: &str, vm: &Vm) {
    let imp = taipan_vm::import::loaded_module(&vm.intern("_imp"), vm);
    let called = imp.map(|imp| imp.map(|imp| imp.call_method(&vm.intern(function), &[], vm)));
    if !matches!(called, Ok(None | Some(Ok(_)))) {
        vm.clear_exception();
    }
}

/// Makes the child's interpreter one with a single thread, and runs the hooks for the child.
pub(crate) fn after_fork_in_child(vm: &Vm) {
    vm.interp().main_thread.set(vm);
    crate::_signal::after_fork_in_child(vm);
    crate::_thread::after_fork_in_child(vm);
    // The other threads are not there any more, though their states are.
    let threads = &vm.interp().monitoring;
    for thread in threads.all_threads() {
        if !std::ptr::eq(thread, vm) {
            threads.remove_thread(thread);
        }
    }
    import_lock("release_lock", vm);
    let hooks = vm.interp().state::<ForkHooks>().in_child.borrow().clone();
    run(hooks, vm);
}

/// Runs the hooks for the parent.
pub(crate) fn after_fork_in_parent(vm: &Vm) {
    import_lock("release_lock", vm);
    let hooks = vm.interp().state::<ForkHooks>().in_parent.borrow().clone();
    run(hooks, vm);
}

/// The number of threads that the system counts in this process; 0 when it can't be told.
fn thread_count() -> usize {
    let Ok(text) = std::fs::read("/proc/self/stat") else { return 0 };
    // The name in parentheses may hold anything, so fields are counted from the last one.
    let after = text.iter().rposition(|byte| *byte == b')').and_then(|at| text.get(at + 2..));
    let field = after.and_then(|rest| rest.split(|byte| *byte == b' ').nth(17));
    field.and_then(|field| std::str::from_utf8(field).ok()?.parse().ok()).unwrap_or(0)
}

/// Raises when the interpreter is at its end.
pub(crate) fn check_not_finalizing(vm: &Vm) -> PyResult<()> {
    if vm.interp().finalizing.get() {
        return Err(vm.raise(types::python_finalization_error(), "can't fork at interpreter shutdown"));
    }
    Ok(())
}

/// Forks by the call given, with the hooks before and after, and the warning about other threads.
pub(super) fn fork_with(name: &str, vm: &Vm, call: impl FnOnce() -> libc::pid_t) -> PyResult<i32> {
    check_not_finalizing(vm)?;
    if !vm.interp().features.allow_fork {
        return Err(vm.runtime_error("fork not supported for isolated subinterpreters"));
    }
    before_fork(vm)?;
    let pid = vm.interp().gil.fork(call);
    if pid == 0 {
        after_fork_in_child(vm);
        return Ok(0);
    }
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    after_fork_in_parent(vm);
    if pid < 0 {
        return Err(vm.os_error(errno, None));
    }
    warn_about_threads(name, vm)?;
    Ok(pid)
}

/// Warns in the parent when the process has more than one thread.
pub(crate) fn warn_about_threads(name: &str, vm: &Vm) -> PyResult<()> {
    if thread_count() > 1 {
        let own = std::process::id();
        let text = format!(
            "This process (pid={own}) is multi-threaded, use of {name}() may lead to deadlocks in the child."
        );
        taipan_vm::builtins::warn::deprecation(&text, vm)?;
    }
    Ok(())
}

static WAITID_RESULT: StructSeq = StructSeq {
    name: "posix.waitid_result",
    doc: "waitid_result: Result from waitid.\n\nThis object may be accessed either as a tuple of\n  (si_pid, si_uid, si_signo, si_status, si_code),\nor via the attributes si_pid, si_uid, and so on.\n\nSee os.waitid for more information.",
    fields: &[("si_pid", ""), ("si_uid", ""), ("si_signo", ""), ("si_status", ""), ("si_code", "")],
    visible: 5,
};

static UNAME_RESULT: StructSeq = StructSeq {
    name: "posix.uname_result",
    doc: "uname_result: Result from os.uname().\n\nThis object may be accessed either as a tuple of\n  (sysname, nodename, release, version, machine),\nor via the attributes sysname, nodename, release, version, and machine.\n\nSee os.uname for more information.",
    fields: &[
        ("sysname", "operating system name"),
        ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"),
        ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ],
    visible: 5,
};

static TIMES_RESULT: StructSeq = StructSeq {
    name: "posix.times_result",
    doc: "times_result: Result from os.times().\n\nThis object may be accessed either as a tuple of\n  (user, system, children_user, children_system, elapsed),\nor via the attributes user, system, children_user, children_system,\nand elapsed.\n\nSee os.times for more information.",
    fields: &[
        ("user", "user time"),
        ("system", "system time"),
        ("children_user", "user time of children"),
        ("children_system", "system time of children"),
        ("elapsed", "elapsed time since an arbitrary point in the past"),
    ],
    visible: 5,
};

/// The arguments of a new program. `what` names them in exceptions.
pub(super) fn argument_list(argv: &Object, what: &str, vm: &Vm) -> PyResult<Vec<CString>> {
    let items = argv.collect_iterable(vm)?;
    if items.is_empty() {
        return Err(vm.value_error(format!("{what} must not be empty")));
    }
    let texts: Vec<CString> =
        items.iter().map(|item| Text::new(item, vm).map(|text| text.text)).collect::<PyResult<_>>()?;
    match texts.first() {
        Some(first) if first.is_empty() => {
            Err(vm.value_error(format!("{what} first element cannot be empty")))
        }
        _ => Ok(texts),
    }
}

/// The environment of a new program: a mapping as "name=value" texts.
pub(super) fn environment(env: &Object, vm: &Vm) -> PyResult<Vec<CString>> {
    let length = env.length(vm)?;
    let keys = env.call_method(&vm.intern("keys"), &[], vm)?;
    let values = env.call_method(&vm.intern("values"), &[], vm)?;
    for (name, part) in [("keys", &keys), ("values", &values)] {
        if part.ob_type().tp_iter.get().is_none() && part.ob_type().as_sequence().is_none() {
            return Err(vm.type_error(format!("env.{name}() is not a list")));
        }
    }
    let (keys, values) = (keys.collect_iterable(vm)?, values.collect_iterable(vm)?);
    if keys.len() < length || values.len() < length {
        return Err(vm.value_error("environment changed size"));
    }
    let mut texts = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(&values) {
        let (key, value) = (Text::new(key, vm)?.text, Text::new(value, vm)?.text);
        // Windows has names that begin with "=", so a first one is let through everywhere.
        if key.as_bytes().is_empty() || key.as_bytes().iter().skip(1).any(|byte| *byte == b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let text = [key.as_bytes(), b"=", value.as_bytes()].concat();
        texts.push(CString::new(text).map_err(|_| vm.value_error("embedded null byte"))?);
    }
    Ok(texts)
}

/// The argument list of an exec function.
fn exec_arguments(argv: &Object, wrong: &str, what: &str, vm: &Vm) -> PyResult<Vec<CString>> {
    if !vm.interp().features.allow_exec {
        return Err(vm.runtime_error("exec not supported for isolated subinterpreters"));
    }
    if argv.downcast_ref::<Tuple>().is_none() && argv.downcast_ref::<List>().is_none() {
        return Err(vm.type_error(wrong));
    }
    argument_list(argv, what, vm)
}

/// The array of pointers that the system takes.
pub(super) fn pointers(texts: &[CString]) -> Vec<*mut libc::c_char> {
    texts.iter().map(|text| text.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

/// Waits for a child with its resource use.
fn wait_usage(pid: i32, options: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
    // SAFETY: zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    let (status_place, usage_place) = (&raw mut status, &raw mut usage);
    // SAFETY: both are ours.
    let pid = vm.checked_call(None, || unsafe { libc::wait4(pid, status_place, options, usage_place) })?;
    let usage = crate::resource::rusage_object(&usage, vm)?;
    Ok(vm.new_tuple([vm.new_int(pid), vm.new_int(status), usage]))
}

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        WNOHANG WUNTRACED WCONTINUED P_PID P_PGID P_ALL P_PIDFD WEXITED WSTOPPED WNOWAIT CLD_EXITED CLD_KILLED
        CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED RTLD_LAZY RTLD_NOW RTLD_GLOBAL RTLD_LOCAL RTLD_NODELETE
        RTLD_NOLOAD RTLD_DEEPBIND
    }
    // sysexits.h
    let exits = [
        ("EX_OK", 0),
        ("EX_USAGE", 64),
        ("EX_DATAERR", 65),
        ("EX_NOINPUT", 66),
        ("EX_NOUSER", 67),
        ("EX_NOHOST", 68),
        ("EX_UNAVAILABLE", 69),
        ("EX_SOFTWARE", 70),
        ("EX_OSERR", 71),
        ("EX_OSFILE", 72),
        ("EX_CANTCREAT", 73),
        ("EX_IOERR", 74),
        ("EX_TEMPFAIL", 75),
        ("EX_PROTOCOL", 76),
        ("EX_NOPERM", 77),
        ("EX_CONFIG", 78),
        ("PIDFD_NONBLOCK", libc::O_NONBLOCK),
    ];
    for (name, value) in exits {
        module.set(name, &vm.new_int(value), vm)?;
    }
    module.set("waitid_result", WAITID_RESULT.get(vm)?.as_object(), vm)?;
    module.set("times_result", TIMES_RESULT.get(vm)?.as_object(), vm)?;
    module.set("uname_result", UNAME_RESULT.get(vm)?.as_object(), vm)
}

#[pyfunctions(table = PROCESS_FUNCTIONS)]
impl Posix {
    /// Register callables to be called when forking a new process.
    ///
    ///   before
    ///     A callable to be called in the parent before the fork() syscall.
    ///   after_in_child
    ///     A callable to be called in the child after fork().
    ///   after_in_parent
    ///     A callable to be called in the parent after fork().
    ///
    /// 'before' callbacks are called in reverse order.
    /// 'after_in_child' and 'after_in_parent' callbacks are called in order.
    #[function(
        "($module, /, *, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)"
    )]
    fn register_at_fork(
        before: Option<&Object>,
        after_in_child: Option<&Object>,
        after_in_parent: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        if before.is_none() && after_in_child.is_none() && after_in_parent.is_none() {
            return Err(vm.type_error("At least one argument is required."));
        }
        let given =
            [("before", before), ("after_in_child", after_in_child), ("after_in_parent", after_in_parent)];
        for (name, hook) in given {
            if let Some(hook) = hook.filter(|hook| !hook.is_callable()) {
                return Err(
                    vm.type_error(format!("'{name}' must be callable, not {}", hook.ob_type().name()))
                );
            }
        }
        let hooks = vm.interp().state::<ForkHooks>();
        hooks.before.borrow_mut().extend(before.map(Object::to_ref));
        hooks.in_child.borrow_mut().extend(after_in_child.map(Object::to_ref));
        hooks.in_parent.borrow_mut().extend(after_in_parent.map(Object::to_ref));
        Ok(())
    }

    /// Fork a child process.
    ///
    /// Return 0 to child process and PID of child to parent process.
    #[function("($module, /)")]
    fn fork(vm: &Vm) -> PyResult<i32> {
        audit("os.fork", &[], vm)?;
        // SAFETY: the child has one thread, which holds the interpreter's lock.
        fork_with("fork", vm, || unsafe { libc::fork() })
    }

    /// Execute an executable path with arguments, replacing current process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    #[function("($module, path, argv, /)")]
    fn execv(path: Name, argv: &Object, vm: &Vm) -> PyResult<()> {
        let args = exec_arguments(argv, "execv() arg 2 must be a tuple or list", "execv() arg 2", vm)?;
        audit("os.exec", &[&path.shown, argv, vm.none_ref()], vm)?;
        let args = pointers(&args);
        // SAFETY: the texts live until the call; the array ends in null.
        unsafe { libc::execv(path.as_ptr(), args.as_ptr().cast()) };
        Err(vm.last_os_error(None))
    }

    /// Execute an executable path with arguments, replacing current process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    ///   env
    ///     Dictionary of strings mapping to strings.
    #[function("($module, /, path, argv, env)")]
    fn execve(path: Target, argv: &Object, env: &Object, vm: &Vm) -> PyResult<()> {
        let args = exec_arguments(argv, "execve: argv must be a tuple or list", "execve: argv", vm)?;
        if env.ob_type().as_mapping().is_none_or(|m| m.mp_subscript.get().is_none()) {
            return Err(vm.type_error("execve: environment must be a mapping object"));
        }
        let env_texts = environment(env, vm)?;
        audit("os.exec", &[path.shown(), argv, env], vm)?;
        let (args, env) = (pointers(&args), pointers(&env_texts));
        // SAFETY: as above.
        unsafe {
            match &path {
                Target::Path(name) => libc::execve(name.as_ptr(), args.as_ptr().cast(), env.as_ptr().cast()),
                Target::Fd(fd, _) => libc::fexecve(*fd, args.as_ptr().cast(), env.as_ptr().cast()),
            }
        };
        Err(vm.last_os_error(Some(path.shown())))
    }

    /// Execute the command in a subshell.
    #[function("($module, /, command)")]
    fn system(command: Text, vm: &Vm) -> PyResult<i32> {
        audit("os.system", &[&command.shown], vm)?;
        let text = command;
        // SAFETY: the text is NUL-terminated.
        Ok(vm.allow_threads(|| unsafe { libc::system(text.as_ptr()) }))
    }

    /// Wait for completion of a given child process.
    ///
    /// Returns a tuple of information regarding the child process:
    ///     (pid, status)
    ///
    /// The options argument is ignored on Windows.
    #[function("($module, pid, options, /)")]
    fn waitpid(pid: i32, options: i32, vm: &Vm) -> PyResult<(i32, i32)> {
        let mut status = 0;
        let place = &raw mut status;
        // SAFETY: the status is ours.
        let pid = vm.checked_call(None, || unsafe { libc::waitpid(pid, place, options) })?;
        Ok((pid, status))
    }

    /// Wait for completion of a child process.
    ///
    /// Returns a tuple of information about the child process:
    ///     (pid, status)
    #[function("($module, /)")]
    fn wait(vm: &Vm) -> PyResult<(i32, i32)> {
        Posix::waitpid(-1, 0, vm)
    }

    /// Wait for completion of a child process.
    ///
    /// Returns a tuple of information about the child process:
    ///   (pid, status, rusage)
    #[function("($module, /, options)")]
    fn wait3(options: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        wait_usage(-1, options, vm)
    }

    /// Wait for completion of a specific child process.
    ///
    /// Returns a tuple of information about the child process:
    ///   (pid, status, rusage)
    #[function("($module, /, pid, options)")]
    fn wait4(pid: i32, options: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        wait_usage(pid, options, vm)
    }

    /// Returns the result of waiting for a process or processes.
    ///
    ///   idtype
    ///     Must be one of be P_PID, P_PGID or P_ALL.
    ///   id
    ///     The id to wait on.
    ///   options
    ///     Constructed from the ORing of one or more of WEXITED, WSTOPPED
    ///     or WCONTINUED and additionally may be ORed with WNOHANG or WNOWAIT.
    ///
    /// Returns either waitid_result or None if WNOHANG is specified and there
    /// are no children in a waitable state.
    #[function("($module, idtype, id, options, /)")]
    fn waitid(idtype: i32, id: i64, options: i32, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let place = &raw mut info;
        // SAFETY: the structure is ours.
        vm.checked_call(None, || unsafe {
            libc::waitid(idtype as libc::idtype_t, id as libc::id_t, place, options)
        })?;
        // SAFETY: the call filled the structure or left it zero.
        let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
        if pid == 0 {
            return Ok(vm.none());
        }
        let values = [pid, uid as i32, info.si_signo, status, info.si_code].map(|n| vm.new_int(n));
        WAITID_RESULT.instance(values.to_vec(), vm)
    }

    /// Return True if the process returning status was dumped to a core file.
    #[function("($module, status, /)")]
    fn WCOREDUMP(status: i32) -> bool {
        libc::WCOREDUMP(status)
    }

    /// Return True if a particular process was continued from a job control stop.
    ///
    /// Return True if the process returning status was continued from a
    /// job control stop.
    #[function("($module, /, status)")]
    fn WIFCONTINUED(status: i32) -> bool {
        libc::WIFCONTINUED(status)
    }

    /// Return True if the process returning status was stopped.
    #[function("($module, /, status)")]
    fn WIFSTOPPED(status: i32) -> bool {
        libc::WIFSTOPPED(status)
    }

    /// Return True if the process returning status was terminated by a signal.
    #[function("($module, /, status)")]
    fn WIFSIGNALED(status: i32) -> bool {
        libc::WIFSIGNALED(status)
    }

    /// Return True if the process returning status exited via the exit() system call.
    #[function("($module, /, status)")]
    fn WIFEXITED(status: i32) -> bool {
        libc::WIFEXITED(status)
    }

    /// Return the process return code from status.
    #[function("($module, /, status)")]
    fn WEXITSTATUS(status: i32) -> i32 {
        libc::WEXITSTATUS(status)
    }

    /// Return the signal that terminated the process that provided the status value.
    #[function("($module, /, status)")]
    fn WTERMSIG(status: i32) -> i32 {
        libc::WTERMSIG(status)
    }

    /// Return the signal that stopped the process that provided the status value.
    #[function("($module, /, status)")]
    fn WSTOPSIG(status: i32) -> i32 {
        libc::WSTOPSIG(status)
    }

    /// Kill a process group with a signal.
    #[function("($module, pgid, signal, /)")]
    fn killpg(pgid: i32, signal: i32, vm: &Vm) -> PyResult<()> {
        audit("os.killpg", &[&vm.new_int(pgid), &vm.new_int(signal)], vm)?;
        // SAFETY: a plain system call.
        check(unsafe { libc::killpg(pgid, signal) }, None, vm)?;
        taipan_vm::runtime::pending::check_signals(vm)
    }

    /// Return the current process group id.
    #[function("($module, /)")]
    fn getpgrp() -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::getpgrp() }
    }

    /// Call the system call getpgid(), and return the result.
    #[function("($module, /, pid)")]
    fn getpgid(pid: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::getpgid(pid) }, None, vm)
    }

    /// Call the system call setpgid(pid, pgrp).
    #[function("($module, pid, pgrp, /)")]
    fn setpgid(pid: i32, pgrp: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setpgid(pid, pgrp) }, None, vm).map(drop)
    }

    /// Make the current process the leader of its process group.
    #[function("($module, /)")]
    fn setpgrp(vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setpgid(0, 0) }, None, vm).map(drop)
    }

    /// Call the system call getsid(pid) and return the result.
    #[function("($module, pid, /)")]
    fn getsid(pid: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::getsid(pid) }, None, vm)
    }

    /// Call the system call setsid().
    #[function("($module, /)")]
    fn setsid(vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setsid() }, None, vm).map(drop)
    }

    /// Return a collection containing process timing information.
    ///
    /// The object returned behaves like a named tuple with these fields:
    ///   (utime, stime, cutime, cstime, elapsed_time)
    /// All fields are floating-point numbers.
    #[function("($module, /)")]
    fn times(vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value; the structure is ours.
        let (elapsed, times, ticks) = unsafe {
            let mut times: libc::tms = std::mem::zeroed();
            (libc::times(&raw mut times), times, libc::sysconf(libc::_SC_CLK_TCK).max(1) as f64)
        };
        let values = [times.tms_utime, times.tms_stime, times.tms_cutime, times.tms_cstime, elapsed];
        TIMES_RESULT.instance(values.map(|value| vm.new_float(value as f64 / ticks)).to_vec(), vm)
    }

    /// Return an object identifying the current operating system.
    ///
    /// The object behaves like a named tuple with the following fields:
    ///   (sysname, nodename, release, version, machine)
    #[function("($module, /)")]
    fn uname(vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value; the fields are NUL-terminated after the call.
        let parts = unsafe {
            let mut name: libc::utsname = std::mem::zeroed();
            check(libc::uname(&raw mut name), None, vm)?;
            [&name.sysname, &name.nodename, &name.release, &name.version, &name.machine]
                .map(|field| std::ffi::CStr::from_ptr(field.as_ptr()).to_bytes().to_vec())
        };
        UNAME_RESULT.instance(parts.iter().map(|part| decode(part, vm).into_object()).collect(), vm)
    }

    /// Return the current process id.
    #[function("($module, /)")]
    fn getpid() -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::getpid() }
    }

    /// Return the parent's process id.
    ///
    /// If the parent process has already exited, Windows machines will still
    /// return its id; others systems will return the id of the 'init' proces
    /// (1).
    #[function("($module, /)")]
    fn getppid() -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::getppid() }
    }

    /// Set the current numeric umask and return the previous umask.
    #[function("($module, mask, /)")]
    fn umask(mask: i32) -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::umask(mask as libc::mode_t) }
    }

    /// Kill a process with a signal.
    #[function("($module, pid, signal, /)")]
    fn kill(pid: i32, signal: i32, vm: &Vm) -> PyResult<()> {
        audit("os.kill", &[&vm.new_int(pid), &vm.new_int(signal)], vm)?;
        // SAFETY: a plain system call.
        check(unsafe { libc::kill(pid, signal) }, None, vm)?;
        // A signal to ourselves is served before the call returns.
        taipan_vm::runtime::pending::handle(vm)
    }

    /// Convert a wait status to an exit code.
    ///
    /// On Unix:
    ///
    /// * If WIFEXITED(status) is true, return WEXITSTATUS(status).
    /// * If WIFSIGNALED(status) is true, return -WTERMSIG(status).
    /// * Otherwise, raise a ValueError.
    ///
    /// On Windows, return status shifted right by 8 bits.
    ///
    /// On Unix, if the process is being traced or if waitpid() was called with
    /// WUNTRACED option, the caller must first check if WIFSTOPPED(status) is
    /// true.  This function must not be called if WIFSTOPPED(status) is true.
    #[function("($module, /, status)")]
    fn waitstatus_to_exitcode(status: i32, vm: &Vm) -> PyResult<i32> {
        if libc::WIFEXITED(status) {
            Ok(libc::WEXITSTATUS(status))
        } else if libc::WIFSIGNALED(status) {
            Ok(-libc::WTERMSIG(status))
        } else {
            Err(vm.value_error(format!("invalid wait status: {status}")))
        }
    }

    /// Exit to the system with specified status, without normal exit processing.
    #[function("($module, /, status)")]
    fn _exit(status: i32) {
        // SAFETY: a plain call, which does not return.
        unsafe { libc::_exit(status) }
    }

    /// Abort the interpreter immediately.
    ///
    /// This function 'dumps core' or otherwise fails in the hardest way
    /// possible on the hosting operating system.  This function never returns.
    #[function("($module, /)")]
    fn abort() {
        std::process::abort()
    }

    /// Checks if PyOS_CallInputHook is set
    #[function("($module, /)")]
    fn _is_inputhook_installed(vm: &Vm) -> bool {
        line_input::has_input_hook(vm)
    }

    /// Calls PyOS_CallInputHook droppong the GIL first
    #[function("($module, /)")]
    fn _inputhook(vm: &Vm) -> i32 {
        line_input::call_input_hook(vm).unwrap_or(0)
    }
}
