//! Scheduling: policies, processors, priorities.

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;

use super::Posix;
use super::args::check;

static SCHED_PARAM: StructSeq = StructSeq {
    name: "posix.sched_param",
    doc: "Currently has only one field: sched_priority\n\n  sched_priority\n    A scheduling parameter.",
    fields: &[("sched_priority", "the scheduling priority")],
    visible: 1,
};

/// `sched_param(sched_priority)`: unlike other struct sequences, not from a sequence.
fn make_param(args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
    let keyword = match kwargs {
        Some(kwargs) => kwargs.get_str(&vm.intern("sched_priority"), vm)?,
        None => None,
    };
    let given = args.len() + kwargs.map_or(0, |kwargs| kwargs.len());
    match (args.as_slice(), keyword) {
        ([priority], None) if given == 1 => SCHED_PARAM.instance(vec![priority.clone()], vm),
        ([], Some(priority)) if given == 1 => SCHED_PARAM.instance(vec![priority], vm),
        ([], None) if given == 0 => {
            Err(vm.type_error("sched_param() missing required argument 'sched_priority' (pos 1)"))
        }
        ([], None) => Err(vm.type_error("sched_param() got an unexpected keyword argument")),
        // What `__reduce__` gives: the fields, and a dictionary.
        ([fields, rest], None) if given == 2 && rest.downcast_ref::<Dict>().is_some() => {
            match fields.downcast_ref::<Tuple>().map(Tuple::as_slice) {
                Some([priority]) => SCHED_PARAM.instance(vec![priority.clone()], vm),
                _ => Err(vm.type_error("sched_param() takes at most 1 argument (2 given)")),
            }
        }
        _ => Err(vm.type_error(format!("sched_param() takes at most 1 argument ({given} given)"))),
    }
}

/// `tp_new` of `sched_param`.
unsafe extern "C" fn new_param(_cls: *mut Type, args: *mut Object, kwargs: *mut Object) -> *mut Object {
    // SAFETY: a slot is called on an attached thread, with a tuple and perhaps a dict.
    let (vm, args, kwargs) = unsafe { (Vm::current(), args.as_ref(), kwargs.as_ref()) };
    let made = match args.and_then(|args| args.downcast_ref::<Tuple>()) {
        Some(args) => make_param(args, kwargs.and_then(|kwargs| kwargs.downcast_ref::<Dict>()), vm),
        None => Err(vm.system_error("bad arguments")),
    };
    made.map_or(std::ptr::null_mut(), Ref::into_raw)
}

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_IDLE SCHED_RESET_ON_FORK PRIO_PROCESS PRIO_PGRP PRIO_USER
    }
    for (name, value) in [("SCHED_NORMAL", 0), ("SCHED_DEADLINE", 6)] {
        module.set(name, &vm.new_int(value), vm)?;
    }
    let param = SCHED_PARAM.get(vm)?;
    param.tp_new.set(Some(new_param));
    module.set("sched_param", param.as_object(), vm)
}

/// The priority of a `sched_param`.
pub(super) fn priority_of(object: &Object, vm: &Vm) -> PyResult<libc::sched_param> {
    if !std::ptr::eq(object.ob_type(), &*SCHED_PARAM.get(vm)?) {
        return Err(vm.type_error("must have a sched_param object"));
    }
    let item = object.downcast_ref::<Tuple>().and_then(|t| t.as_slice().first().cloned());
    let value = item.unwrap_or_else(|| vm.none()).as_index(vm)?.to_i64();
    match value.and_then(|value| i32::try_from(value).ok()) {
        Some(sched_priority) => Ok(libc::sched_param { sched_priority }),
        None => Err(vm.overflow_error("sched_priority out of range")),
    }
}

/// A result for which -1 is a failure only when `errno` says so.
fn maybe(vm: &Vm, call: impl FnOnce() -> i32) -> PyResult<i32> {
    // SAFETY: the place is the thread's own.
    unsafe { *libc::__errno_location() = 0 };
    let value = call();
    if value == -1 && std::io::Error::last_os_error().raw_os_error() != Some(0) {
        return Err(vm.last_os_error(None));
    }
    Ok(value)
}

#[pyfunctions(table = SCHEDULE_FUNCTIONS)]
impl Posix {
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

    /// Get the scheduling policy for the process identified by pid.
    ///
    /// Passing 0 for pid returns the scheduling policy for the calling process.
    #[function("($module, pid, /)")]
    fn sched_getscheduler(pid: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::sched_getscheduler(pid) }, None, vm)
    }

    /// Set the scheduling policy for the process identified by pid.
    ///
    /// If pid is 0, the calling process is changed.
    /// param is an instance of sched_param.
    #[function("($module, pid, policy, param, /)")]
    fn sched_setscheduler(pid: i32, policy: i32, param: &Object, vm: &Vm) -> PyResult<()> {
        let param = priority_of(param, vm)?;
        // SAFETY: the structure is ours.
        check(unsafe { libc::sched_setscheduler(pid, policy, &raw const param) }, None, vm).map(drop)
    }

    /// Returns scheduling parameters for the process identified by pid.
    ///
    /// If pid is 0, returns parameters for the calling process.
    /// Return value is an instance of sched_param.
    #[function("($module, pid, /)")]
    fn sched_getparam(pid: i32, vm: &Vm) -> PyResult {
        let mut param = libc::sched_param { sched_priority: 0 };
        // SAFETY: the structure is ours.
        check(unsafe { libc::sched_getparam(pid, &raw mut param) }, None, vm)?;
        SCHED_PARAM.instance(vec![vm.new_int(param.sched_priority)], vm)
    }

    /// Set scheduling parameters for the process identified by pid.
    ///
    /// If pid is 0, sets parameters for the calling process.
    /// param should be an instance of sched_param.
    #[function("($module, pid, param, /)")]
    fn sched_setparam(pid: i32, param: &Object, vm: &Vm) -> PyResult<()> {
        let param = priority_of(param, vm)?;
        // SAFETY: the structure is ours.
        check(unsafe { libc::sched_setparam(pid, &raw const param) }, None, vm).map(drop)
    }

    /// Return the round-robin quantum for the process identified by pid, in seconds.
    ///
    /// Value returned is a float.
    #[function("($module, pid, /)")]
    fn sched_rr_get_interval(pid: i32, vm: &Vm) -> PyResult<f64> {
        let mut quantum = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the structure is ours.
        check(unsafe { libc::sched_rr_get_interval(pid, &raw mut quantum) }, None, vm)?;
        Ok(quantum.tv_sec as f64 + quantum.tv_nsec as f64 * 1e-9)
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
    ///
    /// mask should be an iterable of integers identifying CPUs.
    #[function("($module, pid, mask, /)")]
    fn sched_setaffinity(pid: i32, mask: &Object, vm: &Vm) -> PyResult<()> {
        // SAFETY: zero is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        let iterator = mask.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            let Some(int) = item.downcast_ref::<Int>() else {
                return Err(vm.type_error(format!(
                    "expected an iterator of ints, but iterator yielded {}",
                    item.ob_type().as_object().repr(vm)?.to_string_lossy()
                )));
            };
            let cpu = int.to_i64().and_then(|cpu| i32::try_from(cpu).ok());
            match cpu {
                None if int.is_negative() => return Err(vm.value_error("negative CPU number")),
                None => return Err(vm.overflow_error("CPU number too large")),
                Some(cpu) if cpu < 0 => return Err(vm.value_error("negative CPU number")),
                // SAFETY: the number is below the set's size.
                Some(cpu) if cpu < libc::CPU_SETSIZE => unsafe { libc::CPU_SET(cpu as usize, &mut set) },
                // No machine has it: the set stays as it is, which the system refuses when it is empty.
                Some(_) => {}
            }
        }
        // SAFETY: the set is ours.
        let result = unsafe { libc::sched_setaffinity(pid, size_of::<libc::cpu_set_t>(), &raw const set) };
        check(result, None, vm).map(drop)
    }

    /// Add increment to the priority of process and return the new priority.
    #[function("($module, increment, /)")]
    fn nice(increment: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain call.
        maybe(vm, || unsafe { libc::nice(increment) })
    }

    /// Return program scheduling priority.
    #[function("($module, /, which, who)")]
    fn getpriority(which: i32, who: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain call.
        maybe(vm, || unsafe { libc::getpriority(which as _, who as libc::id_t) })
    }

    /// Set program scheduling priority.
    #[function("($module, /, which, who, priority)")]
    fn setpriority(which: i32, who: i32, priority: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setpriority(which as _, who as libc::id_t, priority) }, None, vm).map(drop)
    }

    /// Return the number of logical CPUs in the system.
    ///
    /// Return None if indeterminable.
    #[function("($module, /)")]
    fn cpu_count(vm: &Vm) -> ObjRef {
        let set = vm.interp().config.borrow().cpu_count;
        if set > 0 {
            return vm.new_int(set);
        }
        // SAFETY: a plain call.
        match unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) } {
            count if count > 0 => vm.new_int(count),
            _ => vm.none(),
        }
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
}
