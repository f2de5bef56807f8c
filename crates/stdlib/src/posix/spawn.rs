//! `posix_spawn`: a new process without a fork that Python sees.

use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{Name, Text};
use super::process::{argument_list, environment, pointers};
use super::schedule::priority_of;

/// What the child does before it runs the program.
struct Actions {
    list: libc::posix_spawn_file_actions_t,
    /// The paths that the list points to.
    #[allow(dead_code, reason = "holds the memory that the list points to")]
    paths: Vec<CString>,
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.list) };
    }
}

fn number(object: &Object, vm: &Vm) -> PyResult<i32> {
    let what = taipan_vm::args::ArgName { func: "", pos: 0, name: "" };
    i32::from_arg(object, &what, vm)
}

impl Actions {
    fn new(given: &Object, vm: &Vm) -> PyResult<Actions> {
        // SAFETY: zero is a valid value before `init`, which gives no failure in this C library.
        let mut actions = unsafe {
            let mut list: libc::posix_spawn_file_actions_t = std::mem::zeroed();
            libc::posix_spawn_file_actions_init(&raw mut list);
            Actions { list, paths: Vec::new() }
        };
        for action in given.collect_iterable(vm)? {
            let parts = action.downcast_ref::<Tuple>().map(|parts| parts.as_slice());
            let Some([kind, rest @ ..]) = parts else {
                return Err(vm.type_error("Each file_actions element must be a non-empty tuple"));
            };
            let error = actions.add(number(kind, vm)?, rest, vm)?;
            if error != 0 {
                return Err(vm.os_error(error, None));
            }
        }
        Ok(actions)
    }

    fn add(&mut self, kind: i32, rest: &[ObjRef], vm: &Vm) -> PyResult<i32> {
        let list = &raw mut self.list;
        match (kind, rest) {
            (0, [fd, path, flags, mode]) => {
                let path = Text::new(path, vm)?.text;
                let (fd, flags) = (number(fd, vm)?, number(flags, vm)?);
                let mode = number(mode, vm)? as libc::mode_t;
                let error =
                    // SAFETY: the list is initialised; the path is kept as long as it.
                    unsafe { libc::posix_spawn_file_actions_addopen(list, fd, path.as_ptr(), flags, mode) };
                self.paths.push(path);
                Ok(error)
            }
            (1, [fd]) => {
                let fd = number(fd, vm)?;
                // SAFETY: the list is initialised.
                Ok(unsafe { libc::posix_spawn_file_actions_addclose(list, fd) })
            }
            (2, [fd, new]) => {
                let (fd, new) = (number(fd, vm)?, number(new, vm)?);
                // SAFETY: the list is initialised.
                Ok(unsafe { libc::posix_spawn_file_actions_adddup2(list, fd, new) })
            }
            (3, [fd]) => {
                // SAFETY: declared as in the C library's headers.
                unsafe extern "C" {
                    fn posix_spawn_file_actions_addclosefrom_np(
                        list: *mut libc::posix_spawn_file_actions_t,
                        fd: libc::c_int,
                    ) -> libc::c_int;
                }
                let fd = number(fd, vm)?;
                // SAFETY: the list is initialised.
                Ok(unsafe { posix_spawn_file_actions_addclosefrom_np(list, fd) })
            }
            (3, _) => Err(vm.type_error("A closefrom file_action tuple must have 2 elements")),
            (0, _) => Err(vm.type_error("A open file_action tuple must have 5 elements")),
            (1, _) => Err(vm.type_error("A close file_action tuple must have 2 elements")),
            (2, _) => Err(vm.type_error("A dup2 file_action tuple must have 3 elements")),
            _ => Err(vm.type_error("Unknown file_actions identifier")),
        }
    }
}

/// The attributes of the new process.
struct Attributes(libc::posix_spawnattr_t);

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

/// The optional arguments.
struct Options<'a> {
    file_actions: Option<&'a Object>,
    group: Option<&'a Object>,
    reset_ids: bool,
    session: bool,
    mask: Option<&'a Object>,
    defaults: Option<&'a Object>,
    scheduler: Option<&'a Object>,
}

impl Options<'_> {
    fn attributes(&self, name: &str, vm: &Vm) -> PyResult<Attributes> {
        // SAFETY: zero is a valid value before `init`, which gives no failure in this C library.
        let mut attributes = unsafe {
            let mut attributes: libc::posix_spawnattr_t = std::mem::zeroed();
            libc::posix_spawnattr_init(&raw mut attributes);
            Attributes(attributes)
        };
        let place = &raw mut attributes.0;
        let checked = |error: i32| if error != 0 { Err(vm.os_error(error, None)) } else { Ok(()) };
        let mut flags = 0;
        if let Some(group) = self.group.filter(|group| !vm.is_none(group)) {
            let group = number(group, vm)?;
            // SAFETY: the attributes are initialised, here and below.
            checked(unsafe { libc::posix_spawnattr_setpgroup(place, group) })?;
            flags |= libc::POSIX_SPAWN_SETPGROUP;
        }
        if self.reset_ids {
            flags |= libc::POSIX_SPAWN_RESETIDS;
        }
        if self.session {
            flags |= i32::from(libc::POSIX_SPAWN_SETSID);
        }
        if let Some(mask) = self.mask {
            let set = crate::_signal::signal_set(mask, vm)?;
            // SAFETY: as above.
            checked(unsafe { libc::posix_spawnattr_setsigmask(place, &raw const set) })?;
            flags |= libc::POSIX_SPAWN_SETSIGMASK;
        }
        if let Some(defaults) = self.defaults {
            let set = crate::_signal::signal_set(defaults, vm)?;
            // SAFETY: as above.
            checked(unsafe { libc::posix_spawnattr_setsigdefault(place, &raw const set) })?;
            flags |= libc::POSIX_SPAWN_SETSIGDEF;
        }
        if let Some(scheduler) = self.scheduler {
            let parts = match scheduler.downcast_ref::<Tuple>().map(|parts| parts.as_slice()) {
                Some([policy, param]) => (policy, param),
                Some(_) => return Err(vm.type_error("A scheduler tuple must have two elements")),
                None => return Err(vm.type_error(format!("{name}: scheduler must be a tuple or None"))),
            };
            let (policy, param) = parts;
            if !vm.is_none(policy) {
                let policy = number(policy, vm)?;
                // SAFETY: as above.
                checked(unsafe { libc::posix_spawnattr_setschedpolicy(place, policy) })?;
                flags |= libc::POSIX_SPAWN_SETSCHEDULER;
            }
            let param = priority_of(param, vm)?;
            // SAFETY: as above.
            checked(unsafe { libc::posix_spawnattr_setschedparam(place, &raw const param) })?;
            flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
        }
        // SAFETY: as above.
        checked(unsafe { libc::posix_spawnattr_setflags(place, flags as libc::c_short) })?;
        Ok(attributes)
    }
}

fn spawn(
    path: &Name,
    argv: &Object,
    env: &Object,
    search: bool,
    options: &Options<'_>,
    vm: &Vm,
) -> PyResult<i32> {
    let name = if search { "posix_spawnp" } else { "posix_spawn" };
    if argv.downcast_ref::<Tuple>().is_none() && argv.downcast_ref::<List>().is_none() {
        return Err(vm.type_error(format!("{name}: argv must be a tuple or list")));
    }
    let args = argument_list(argv, &format!("{name}: argv"), vm)?;
    let env_texts = if vm.is_none(env) {
        None
    } else if env.ob_type().as_mapping().is_none_or(|m| m.mp_subscript.get().is_none()) {
        return Err(vm.type_error(format!("{name}: environment must be a mapping object or None")));
    } else {
        Some(environment(env, vm)?)
    };
    let actions = match options.file_actions.filter(|given| !vm.is_none(given)) {
        Some(given) => Some(Actions::new(given, vm)?),
        None => None,
    };
    let attributes = options.attributes(name, vm)?;
    audit("os.posix_spawn", &[&path.shown, argv, env], vm)?;
    let arg_pointers = pointers(&args);
    let env_pointers = env_texts.as_deref().map(pointers);
    let mut pid = 0;
    // SAFETY: declared as in the C library's headers.
    unsafe extern "C" {
        static environ: *const *mut libc::c_char;
    }
    // SAFETY: all texts live until the call returns; the process's own environment ends in null.
    let error = unsafe {
        let env = env_pointers.as_ref().map_or(environ, |env| env.as_ptr());
        let actions = actions.as_ref().map_or(std::ptr::null(), |actions| &raw const actions.list);
        let spawn = if search { libc::posix_spawnp } else { libc::posix_spawn };
        spawn(&raw mut pid, path.as_ptr(), actions, &raw const attributes.0, arg_pointers.as_ptr(), env)
    };
    if error != 0 {
        return Err(vm.os_error(error, Some(&path.shown)));
    }
    Ok(pid)
}

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    for (name, value) in [
        ("POSIX_SPAWN_OPEN", 0),
        ("POSIX_SPAWN_CLOSE", 1),
        ("POSIX_SPAWN_DUP2", 2),
        ("POSIX_SPAWN_CLOSEFROM", 3),
    ] {
        module.set(name, &vm.new_int(value), vm)?;
    }
    Ok(())
}

#[pyfunctions(table = SPAWN_FUNCTIONS)]
impl Posix {
    /// Execute the program specified by path in a new process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    ///   env
    ///     Dictionary of strings mapping to strings.
    ///   file_actions
    ///     A sequence of file action tuples.
    ///   setpgroup
    ///     The pgroup to use with the POSIX_SPAWN_SETPGROUP flag.
    ///   resetids
    ///     If the value is `true` the POSIX_SPAWN_RESETIDS will be activated.
    ///   setsid
    ///     If the value is `true` the POSIX_SPAWN_SETSID or POSIX_SPAWN_SETSID_NP
    ///     will be activated.
    ///   setsigmask
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGMASK flag.
    ///   setsigdef
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGDEF flag.
    ///   scheduler
    ///     A tuple with the scheduler policy (optional) and parameters.
    #[function(
        "($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "posix_spawn has that many")]
    fn posix_spawn(
        path: Name,
        argv: &Object,
        env: &Object,
        file_actions: Option<&Object>,
        setpgroup: Option<&Object>,
        resetids: Option<bool>,
        setsid: Option<bool>,
        setsigmask: Option<&Object>,
        setsigdef: Option<&Object>,
        scheduler: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<i32> {
        let options = Options {
            file_actions,
            group: setpgroup,
            reset_ids: resetids == Some(true),
            session: setsid == Some(true),
            mask: setsigmask,
            defaults: setsigdef,
            scheduler: scheduler.filter(|s| !vm.is_none(s)),
        };
        spawn(&path, argv, env, false, &options, vm)
    }

    /// Execute the program specified by path in a new process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    ///   env
    ///     Dictionary of strings mapping to strings.
    ///   file_actions
    ///     A sequence of file action tuples.
    ///   setpgroup
    ///     The pgroup to use with the POSIX_SPAWN_SETPGROUP flag.
    ///   resetids
    ///     If the value is `True` the POSIX_SPAWN_RESETIDS will be activated.
    ///   setsid
    ///     If the value is `True` the POSIX_SPAWN_SETSID or POSIX_SPAWN_SETSID_NP
    ///     will be activated.
    ///   setsigmask
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGMASK flag.
    ///   setsigdef
    ///     The sigmask to use with the POSIX_SPAWN_SETSIGDEF flag.
    ///   scheduler
    ///     A tuple with the scheduler policy (optional) and parameters.
    #[function(
        "($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "posix_spawnp has that many")]
    fn posix_spawnp(
        path: Name,
        argv: &Object,
        env: &Object,
        file_actions: Option<&Object>,
        setpgroup: Option<&Object>,
        resetids: Option<bool>,
        setsid: Option<bool>,
        setsigmask: Option<&Object>,
        setsigdef: Option<&Object>,
        scheduler: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<i32> {
        let options = Options {
            file_actions,
            group: setpgroup,
            reset_ids: resetids == Some(true),
            session: setsid == Some(true),
            mask: setsigmask,
            defaults: setsigdef,
            scheduler: scheduler.filter(|s| !vm.is_none(s)),
        };
        spawn(&path, argv, env, true, &options, vm)
    }
}
