//! Processes: fork and its hooks, exec, waiting, groups, identities, scheduling.

#![allow(non_snake_case, reason = "Python's names: WIFEXITED and its kin")]

use std::cell::RefCell;
use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::{Posix, check, os_string, path};
use std::os::unix::ffi::OsStringExt;
use taipan_vm::builtins::structseq::StructSeq;

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
    Ok(())
}

/// Makes the child's interpreter one with a single thread, and runs the hooks for the child.
pub(crate) fn after_fork_in_child(vm: &Vm) {
    vm.interp().main_thread.set(vm);
    crate::_signal::after_fork_in_child(vm);
    crate::_thread::after_fork_in_child(vm);
    let hooks = vm.interp().state::<ForkHooks>().in_child.borrow().clone();
    run(hooks, vm);
}

/// Runs the hooks for the parent.
pub(crate) fn after_fork_in_parent(vm: &Vm) {
    let hooks = vm.interp().state::<ForkHooks>().in_parent.borrow().clone();
    run(hooks, vm);
}

static WAITID_RESULT: StructSeq = StructSeq {
    name: "posix.waitid_result",
    doc: "waitid_result: Result from waitid.\n\nThis object may be accessed either as a tuple of\n  (si_pid, si_uid, si_signo, si_status, si_code),\nor via the attributes si_pid, si_uid, and so on.\n\nSee os.waitid for more information.",
    fields: &[("si_pid", ""), ("si_uid", ""), ("si_signo", ""), ("si_status", ""), ("si_code", "")],
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

fn c_text(object: &Object, vm: &Vm) -> PyResult<CString> {
    CString::new(os_string(object, vm)?.into_vec()).map_err(|_| vm.value_error("embedded null byte"))
}

/// The arguments of an exec or spawn function.
fn arguments(argv: &Object, name: &str, vm: &Vm) -> PyResult<Vec<CString>> {
    if argv.downcast_ref::<Tuple>().is_none() && argv.downcast_ref::<List>().is_none() {
        return Err(vm.type_error(format!("{name}() arg 2 must be a tuple or list")));
    }
    let items = argv.collect_iterable(vm)?;
    let texts: Vec<CString> = items.iter().map(|item| c_text(item, vm)).collect::<PyResult<_>>()?;
    match texts.first() {
        None => Err(vm.value_error(format!("{name}() arg 2 must not be empty"))),
        Some(first) if first.is_empty() => {
            Err(vm.value_error(format!("{name}() arg 2 first element cannot be empty")))
        }
        Some(_) => Ok(texts),
    }
}

/// The environment of an exec or spawn function: a mapping as "name=value" texts.
fn environment(env: &Object, name: &str, vm: &Vm) -> PyResult<Vec<CString>> {
    let keys = match env.lookup_attr(&vm.intern("keys"), vm)? {
        Some(keys) => keys.call_no_args(vm)?.collect_iterable(vm)?,
        None => return Err(vm.type_error(format!("{name}: environment must be a mapping object"))),
    };
    let mut texts = Vec::with_capacity(keys.len());
    for key in keys {
        let value = env.get_item(&key, vm)?;
        let (key, value) = (c_text(&key, vm)?, c_text(&value, vm)?);
        if key.is_empty() || key.as_bytes().contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let text = [key.as_bytes(), b"=", value.as_bytes()].concat();
        texts.push(CString::new(text).map_err(|_| vm.value_error("embedded null byte"))?);
    }
    Ok(texts)
}

fn pointers(texts: &[CString]) -> Vec<*mut libc::c_char> {
    texts.iter().map(|text| text.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn user_id(object: &Object, what: &str, vm: &Vm) -> PyResult<u32> {
    crate::pwd::id_of(object, vm)?.ok_or_else(|| vm.overflow_error(format!("{what} is out of range")))
}

fn spawn(
    path: &Object,
    argv: &Object,
    env: &Object,
    search: bool,
    file_actions: Option<&Object>,
    vm: &Vm,
) -> PyResult<i32> {
    let name = if search { "posix_spawnp" } else { "posix_spawn" };
    let (program, shown) = super::path(path, name, vm)?;
    let args = arguments(argv, name, vm)?;
    let env_texts = if vm.is_none(env) { None } else { Some(environment(env, name, vm)?) };
    audit("os.posix_spawn", &[&shown, argv, env], vm)?;
    let arg_pointers = pointers(&args);
    let env_pointers = env_texts.as_deref().map(pointers);
    // SAFETY: zero is a valid value before `init`.
    let mut actions: libc::posix_spawn_file_actions_t = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is ours and destroyed below.
    unsafe { libc::posix_spawn_file_actions_init(&raw mut actions) };
    let filled = match file_actions.filter(|a| !vm.is_none(a)) {
        Some(list) => fill_actions(list, &mut actions, vm),
        None => Ok(Vec::new()),
    };
    let result = filled.map(|_opened| {
        let mut pid = 0;
        unsafe extern "C" {
            static environ: *const *mut libc::c_char;
        }
        // SAFETY: all texts live until the call returns; the process's own environment ends in null.
        let error = unsafe {
            let env = env_pointers.as_ref().map_or(environ, |env| env.as_ptr());
            let spawn = if search { libc::posix_spawnp } else { libc::posix_spawn };
            spawn(
                &raw mut pid,
                program.as_ptr(),
                &raw const actions,
                std::ptr::null(),
                arg_pointers.as_ptr(),
                env,
            )
        };
        (error, pid)
    });
    // SAFETY: it was initialised.
    unsafe { libc::posix_spawn_file_actions_destroy(&raw mut actions) };
    match result? {
        (0, pid) => Ok(pid),
        (error, _) => Err(vm.os_error(error, Some(&shown))),
    }
}

/// Gives the texts that the actions point to.
fn fill_actions(
    list: &Object,
    actions: &mut libc::posix_spawn_file_actions_t,
    vm: &Vm,
) -> PyResult<Vec<CString>> {
    let mut kept = Vec::new();
    for action in list.collect_iterable(vm)? {
        let wrong = || vm.type_error("Each file_actions element must be a non-empty tuple");
        let Some(parts) = action.downcast_ref::<Tuple>() else { return Err(wrong()) };
        let number = |object: &Object| -> PyResult<i32> {
            i32::try_from(object.as_isize(vm)?).map_err(|_| vm.overflow_error("fd is greater than maximum"))
        };
        let error = match parts.as_slice() {
            [] => return Err(wrong()),
            [kind, fd, path, flags, mode] if number(kind)? == 0 => {
                let text = c_text(path, vm)?;
                let (fd, flags, mode) = (number(fd)?, number(flags)?, number(mode)? as libc::mode_t);
                // SAFETY: the text is kept until the spawn.
                let error = unsafe {
                    libc::posix_spawn_file_actions_addopen(actions, fd, text.as_ptr(), flags, mode)
                };
                kept.push(text);
                error
            }
            // SAFETY: the structure is initialised.
            [kind, fd] if number(kind)? == 1 => unsafe {
                libc::posix_spawn_file_actions_addclose(actions, number(fd)?)
            },
            // SAFETY: as above.
            [kind, fd, new] if number(kind)? == 2 => unsafe {
                libc::posix_spawn_file_actions_adddup2(actions, number(fd)?, number(new)?)
            },
            _ => return Err(vm.type_error("Unknown file_actions identifier")),
        };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
    }
    Ok(kept)
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

pub(super) fn constants(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        P_PIDFD CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED PRIO_PROCESS PRIO_PGRP PRIO_USER
        SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_IDLE SCHED_RESET_ON_FORK
    }
    for (name, value) in [
        ("POSIX_SPAWN_OPEN", 0),
        ("POSIX_SPAWN_CLOSE", 1),
        ("POSIX_SPAWN_DUP2", 2),
        ("PIDFD_NONBLOCK", libc::O_NONBLOCK),
    ] {
        module.set(name, &vm.new_int(value), vm)?;
    }
    module.set("waitid_result", WAITID_RESULT.get(vm)?.as_object(), vm)?;
    module.set("times_result", TIMES_RESULT.get(vm)?.as_object(), vm)
}

#[pyfunctions(table = MORE_FUNCTIONS)]
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
    #[function("($module, /, *, before=None, after_in_child=None, after_in_parent=None)")]
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
        before_fork(vm)?;
        // SAFETY: the child has one thread, which holds the interpreter's lock.
        let pid = vm.interp().gil.fork(|| unsafe { libc::fork() });
        if pid == 0 {
            after_fork_in_child(vm);
            return Ok(0);
        }
        let failure = if pid < 0 { Some(vm.last_os_error(None)) } else { None };
        let raised = vm.take_exception();
        after_fork_in_parent(vm);
        match (failure, raised) {
            (Some(_), Some(raised)) => Err(vm.raise_object(raised)),
            _ => Ok(pid),
        }
    }

    /// Execute an executable path with arguments, replacing current process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    #[function("($module, path, argv, /)")]
    fn execv(path: &Object, argv: &Object, vm: &Vm) -> PyResult<()> {
        let (program, shown) = super::path(path, "execv", vm)?;
        let args = arguments(argv, "execv", vm)?;
        audit("os.exec", &[&shown, argv, vm.none_ref()], vm)?;
        let args = pointers(&args);
        // SAFETY: the texts live until the call; the array ends in null.
        unsafe { libc::execv(program.as_ptr(), args.as_ptr().cast()) };
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
    fn execve(path: &Object, argv: &Object, env: &Object, vm: &Vm) -> PyResult<()> {
        let (program, shown) = super::path(path, "execve", vm)?;
        let args = arguments(argv, "execve", vm)?;
        let env_texts = environment(env, "execve", vm)?;
        audit("os.exec", &[&shown, argv, env], vm)?;
        let (args, env) = (pointers(&args), pointers(&env_texts));
        // SAFETY: as above.
        unsafe { libc::execve(program.as_ptr(), args.as_ptr().cast(), env.as_ptr().cast()) };
        Err(vm.last_os_error(Some(&shown)))
    }

    /// Execute the program specified by path in a new process.
    #[function("($module, path, argv, env, /, *, file_actions=())")]
    fn posix_spawn(
        path: &Object,
        argv: &Object,
        env: &Object,
        file_actions: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<i32> {
        spawn(path, argv, env, false, file_actions, vm)
    }

    /// Execute the program specified by path in a new process.
    #[function("($module, path, argv, env, /, *, file_actions=())")]
    fn posix_spawnp(
        path: &Object,
        argv: &Object,
        env: &Object,
        file_actions: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<i32> {
        spawn(path, argv, env, true, file_actions, vm)
    }

    /// Execute the command in a subshell.
    #[function("($module, /, command)")]
    fn system(command: &Object, vm: &Vm) -> PyResult<i32> {
        let text = c_text(command, vm)?;
        audit("os.system", &[command], vm)?;
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
    /// Returns either waitid_result or None if WNOHANG is specified and there are
    /// no children in a waitable state.
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

    /// Return list of supplemental group IDs for the process.
    #[function("($module, /)")]
    fn getgroups(vm: &Vm) -> PyResult<Ref<List>> {
        // SAFETY: asks for the number only.
        let count = check(unsafe { libc::getgroups(0, std::ptr::null_mut()) }, None, vm)?;
        let mut groups = vec![0; count.max(0) as usize];
        // SAFETY: the array has that many places.
        let count = check(unsafe { libc::getgroups(count, groups.as_mut_ptr()) }, None, vm)?;
        groups.truncate(count.max(0) as usize);
        Ok(vm.new_list(groups.into_iter().map(|gid| crate::pwd::id_object(gid, vm)).collect::<Vec<_>>()))
    }

    /// Set the current process's user id.
    #[function("($module, uid, /)")]
    fn setuid(uid: &Object, vm: &Vm) -> PyResult<()> {
        let uid = user_id(uid, "uid", vm)?;
        // SAFETY: a plain system call.
        check(unsafe { libc::setuid(uid) }, None, vm).map(drop)
    }

    /// Set the current process's group id.
    #[function("($module, gid, /)")]
    fn setgid(gid: &Object, vm: &Vm) -> PyResult<()> {
        let gid = user_id(gid, "gid", vm)?;
        // SAFETY: a plain system call.
        check(unsafe { libc::setgid(gid) }, None, vm).map(drop)
    }

    /// Return a tuple of the current process's real, effective, and saved user ids.
    #[function("($module, /)")]
    fn getresuid(vm: &Vm) -> PyResult<(u32, u32, u32)> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: the places are ours.
        check(unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) }, None, vm)?;
        Ok((real, effective, saved))
    }

    /// Return a tuple of the current process's real, effective, and saved group ids.
    #[function("($module, /)")]
    fn getresgid(vm: &Vm) -> PyResult<(u32, u32, u32)> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: the places are ours.
        check(unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) }, None, vm)?;
        Ok((real, effective, saved))
    }

    /// Return the actual login name.
    #[function("($module, /)")]
    fn getlogin(vm: &Vm) -> PyResult<Ref<Str>> {
        unsafe extern "C" {
            fn getlogin_r(name: *mut libc::c_char, size: libc::size_t) -> libc::c_int;
        }
        let mut name = [0u8; 256];
        // SAFETY: the buffer has that length.
        let error = unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        Ok(decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm))
    }

    /// Add increment to the priority of process and return the new priority.
    #[function("($module, increment, /)")]
    fn nice(increment: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: -1 may be a result, so `errno` is cleared before.
        let priority = unsafe {
            *libc::__errno_location() = 0;
            libc::nice(increment)
        };
        if priority == -1 && std::io::Error::last_os_error().raw_os_error() != Some(0) {
            return Err(vm.last_os_error(None));
        }
        Ok(priority)
    }

    /// Return program scheduling priority.
    #[function("($module, /, which, who)")]
    fn getpriority(which: i32, who: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: as above.
        let priority = unsafe {
            *libc::__errno_location() = 0;
            libc::getpriority(which as _, who as libc::id_t)
        };
        if priority == -1 && std::io::Error::last_os_error().raw_os_error() != Some(0) {
            return Err(vm.last_os_error(None));
        }
        Ok(priority)
    }

    /// Set program scheduling priority.
    #[function("($module, /, which, who, priority)")]
    fn setpriority(which: i32, who: i32, priority: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setpriority(which as _, who as libc::id_t, priority) }, None, vm).map(drop)
    }

    /// Voluntarily relinquish the CPU.
    #[function("($module, /)")]
    fn sched_yield(vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(vm.allow_threads(|| unsafe { libc::sched_yield() }), None, vm).map(drop)
    }

    /// Return the affinity of the process identified by pid (or the current process if zero).
    ///
    /// The affinity is returned as a set of CPU identifiers.
    #[function("($module, pid, /)")]
    fn sched_getaffinity(pid: i32, vm: &Vm) -> PyResult {
        // SAFETY: zero is the empty set; the set is ours.
        let set = unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            check(libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &raw mut set), None, vm)?;
            set
        };
        let found = Set::new(vm);
        for cpu in 0..libc::CPU_SETSIZE as usize {
            // SAFETY: the number is below the set's size.
            if unsafe { libc::CPU_ISSET(cpu, &set) } {
                found.add(&vm.new_int(cpu), vm)?;
            }
        }
        Ok(found.into_object())
    }

    /// Set the CPU affinity of the process identified by pid to mask.
    #[function("($module, pid, mask, /)")]
    fn sched_setaffinity(pid: i32, mask: &Object, vm: &Vm) -> PyResult<()> {
        // SAFETY: zero is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        for item in mask.collect_iterable(vm)? {
            let cpu = item.as_isize(vm)?;
            match usize::try_from(cpu) {
                // SAFETY: the number is below the set's size.
                Ok(cpu) if cpu < libc::CPU_SETSIZE as usize => unsafe { libc::CPU_SET(cpu, &mut set) },
                Ok(_) => return Err(vm.overflow_error("CPU number too large")),
                Err(_) => return Err(vm.value_error("negative CPU number")),
            }
        }
        // SAFETY: the set is ours.
        let result = unsafe { libc::sched_setaffinity(pid, size_of::<libc::cpu_set_t>(), &raw const set) };
        check(result, None, vm).map(drop)
    }

    /// Get the maximum scheduling priority for policy.
    #[function("($module, /, policy)")]
    fn sched_get_priority_max(policy: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::sched_get_priority_max(policy) }, None, vm)
    }

    /// Get the minimum scheduling priority for policy.
    #[function("($module, /, policy)")]
    fn sched_get_priority_min(policy: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::sched_get_priority_min(policy) }, None, vm)
    }

    /// Return average recent system load information.
    ///
    /// Return the number of processes in the system run queue averaged over
    /// the last 1, 5, and 15 minutes as a tuple of three floats.
    /// Raises OSError if the load average was unobtainable.
    #[function("($module, /)")]
    fn getloadavg(vm: &Vm) -> PyResult<(f64, f64, f64)> {
        let mut loads = [0.0; 3];
        // SAFETY: the array has three places.
        if unsafe { libc::getloadavg(loads.as_mut_ptr(), 3) } != 3 {
            return Err(vm.raise(types::os_error(), "Load averages are unobtainable"));
        }
        let [one, five, fifteen] = loads;
        Ok((one, five, fifteen))
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

    /// Return a file descriptor referring to the process *pid*.
    ///
    /// The descriptor can be used to perform process management without races and
    /// signals.
    #[function("($module, /, pid, flags=0)")]
    fn pidfd_open(pid: i32, flags: Option<u32>, vm: &Vm) -> PyResult<i64> {
        // SAFETY: a plain system call.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags.unwrap_or(0)) };
        if fd < 0 { Err(vm.last_os_error(None)) } else { Ok(fd) }
    }

    /// Change the root directory of the current process to path.
    #[function("($module, /, path)")]
    fn chroot(path: &Object, vm: &Vm) -> PyResult<()> {
        let (name, shown) = self::path(path, "chroot", vm)?;
        // SAFETY: the path is NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::chroot(name.as_ptr()) }), Some(&shown), vm).map(drop)
    }
}
