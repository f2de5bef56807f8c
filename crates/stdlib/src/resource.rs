//! `resource`: limits and use of the system's resources.

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

/// The module.
pub struct Resource;

static STRUCT_RUSAGE: StructSeq = StructSeq {
    name: "resource.struct_rusage",
    doc: "struct_rusage: Result from getrusage.\n\nThis object may be accessed either as a tuple of\n    (utime,stime,maxrss,ixrss,idrss,isrss,minflt,majflt,\n    nswap,inblock,oublock,msgsnd,msgrcv,nsignals,nvcsw,nivcsw)\nor via the attributes ru_utime, ru_stime, ru_maxrss, and so on.",
    fields: &[
        ("ru_utime", "user time used"),
        ("ru_stime", "system time used"),
        ("ru_maxrss", "max. resident set size"),
        ("ru_ixrss", "shared memory size"),
        ("ru_idrss", "unshared data size"),
        ("ru_isrss", "unshared stack size"),
        ("ru_minflt", "page faults not requiring I/O"),
        ("ru_majflt", "page faults requiring I/O"),
        ("ru_nswap", "number of swap outs"),
        ("ru_inblock", "block input operations"),
        ("ru_oublock", "block output operations"),
        ("ru_msgsnd", "IPC messages sent"),
        ("ru_msgrcv", "IPC messages received"),
        ("ru_nsignals", "signals received"),
        ("ru_nvcsw", "voluntary context switches"),
        ("ru_nivcsw", "involuntary context switches"),
    ],
    visible: 16,
};

/// `struct rusage` as Python sees it; `wait3` and `wait4` give it too.
pub(crate) fn rusage_object(usage: &libc::rusage, vm: &Vm) -> PyResult {
    let seconds = |t: &libc::timeval| vm.new_float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    let mut values = vec![seconds(&usage.ru_utime), seconds(&usage.ru_stime)];
    let counts = [
        usage.ru_maxrss,
        usage.ru_ixrss,
        usage.ru_idrss,
        usage.ru_isrss,
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nswap,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_msgsnd,
        usage.ru_msgrcv,
        usage.ru_nsignals,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
    ];
    values.extend(counts.map(|count| vm.new_int(count)));
    STRUCT_RUSAGE.instance(values, vm)
}

fn check_resource(resource: i32, vm: &Vm) -> PyResult<libc::__rlimit_resource_t> {
    if (0..16).contains(&resource) {
        Ok(resource as libc::__rlimit_resource_t)
    } else {
        Err(vm.value_error("invalid resource specified"))
    }
}

/// A pair of limits; -1 means none.
fn limits(pair: &Object, vm: &Vm) -> PyResult<libc::rlimit> {
    let items = match pair.downcast_ref::<Tuple>() {
        Some(pair) => pair.as_slice().to_vec(),
        None => pair.collect_iterable(vm)?,
    };
    let [soft, hard] = items.as_slice() else {
        return Err(vm.value_error("expected a tuple of 2 integers"));
    };
    let limit = |object: &Object| -> PyResult<u64> {
        let number = object.as_index(vm)?;
        match (number.to_i64(), number.to_u64()) {
            (Some(-1), _) => Ok(libc::RLIM_INFINITY),
            (_, Some(limit)) => Ok(limit),
            (Some(_), None) => Err(vm.value_error("Cannot convert negative int")),
            (None, None) if number.is_negative() => Err(vm.value_error("Cannot convert negative int")),
            (None, None) => Err(vm.overflow_error("Python int too large to convert to C rlim_t")),
        }
    };
    Ok(libc::rlimit { rlim_cur: limit(soft)?, rlim_max: limit(hard)? })
}

fn limits_object(limits: &libc::rlimit, vm: &Vm) -> Ref<Tuple> {
    let limit = |limit: u64| if limit == libc::RLIM_INFINITY { vm.new_int(-1) } else { vm.new_int(limit) };
    vm.new_tuple([limit(limits.rlim_cur), limit(limits.rlim_max)])
}

/// The exception of a failed change of limits.
fn limit_error(vm: &Vm) -> Raised {
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => vm.value_error("current limit exceeds maximum limit"),
        Some(libc::EPERM) => vm.value_error("not allowed to raise maximum limit"),
        _ => vm.last_os_error(None),
    }
}

#[pymodule(name = "resource")]
impl Resource {
    #[function("($module, who, /)")]
    fn getrusage(who: i32, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value; the structure is ours.
        let (result, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::getrusage(who, &raw mut usage), usage)
        };
        if result < 0 {
            if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
                return Err(vm.value_error("invalid who parameter"));
            }
            return Err(vm.last_os_error(None));
        }
        rusage_object(&usage, vm)
    }

    #[function("($module, resource, /)")]
    fn getrlimit(resource: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let resource = check_resource(resource, vm)?;
        let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is ours.
        if unsafe { libc::getrlimit(resource, &raw mut found) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(limits_object(&found, vm))
    }

    #[function("($module, resource, limits, /)")]
    fn setrlimit(resource: i32, limits: &Object, vm: &Vm) -> PyResult<()> {
        let number = check_resource(resource, vm)?;
        audit("resource.setrlimit", &[&vm.new_int(resource), limits], vm)?;
        let wanted = self::limits(limits, vm)?;
        // SAFETY: the structure is ours.
        if unsafe { libc::setrlimit(number, &raw const wanted) } < 0 {
            return Err(limit_error(vm));
        }
        Ok(())
    }

    /// prlimit(pid, resource[, limits])
    #[function("($module, pid, resource, limits=None, /)")]
    fn prlimit(pid: i32, resource: i32, limits: Option<&Object>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let number = check_resource(resource, vm)?;
        let given = limits.filter(|l| !vm.is_none(l));
        let shown = given.map_or_else(|| vm.none(), Object::to_ref);
        audit("resource.prlimit", &[&vm.new_int(pid), &vm.new_int(resource), &shown], vm)?;
        let wanted = given.map(|l| self::limits(l, vm)).transpose()?;
        let new = wanted.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structures are ours, or null.
        if unsafe { libc::prlimit(pid, number, new, &raw mut old) } < 0 {
            return Err(if wanted.is_some() { limit_error(vm) } else { vm.last_os_error(None) });
        }
        Ok(limits_object(&old, vm))
    }

    #[function("($module, /)")]
    fn getpagesize() -> i64 {
        // SAFETY: a plain call.
        unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
        }
        set! {
            RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_NOFILE RLIMIT_AS RLIMIT_RSS
            RLIMIT_NPROC RLIMIT_MEMLOCK RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING
            RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD
        }
        module.set("RLIMIT_OFILE", &vm.new_int(libc::RLIMIT_NOFILE as i64), vm)?;
        module.set("RLIM_INFINITY", &vm.new_int(-1), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        module.set("struct_rusage", STRUCT_RUSAGE.get(vm)?.as_object(), vm)
    }
}
