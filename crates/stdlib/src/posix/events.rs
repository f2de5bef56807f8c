//! Descriptors that are no files: event counters, timers, memory, processes' namespaces; and random bytes.

use taipan_vm::prelude::*;

use super::Posix;
use super::args::{File, Text, check, room};

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        GRND_NONBLOCK GRND_RANDOM MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB EFD_CLOEXEC EFD_NONBLOCK EFD_SEMAPHORE
        TFD_NONBLOCK TFD_CLOEXEC TFD_TIMER_ABSTIME TFD_TIMER_CANCEL_ON_SET CLONE_FS CLONE_FILES CLONE_NEWNS
        CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_SIGHAND CLONE_THREAD
        CLONE_SYSVSEM CLONE_VM
    }
    // CLONE_NEWTIME is newer than the C library's header in some places.
    module.set("CLONE_NEWTIME", &vm.new_int(0x80), vm)?;
    // The size of huge pages is a power of two in the upper bits.
    let sizes: [(&str, u64); 13] = [
        ("MFD_HUGE_SHIFT", 26),
        ("MFD_HUGE_MASK", 63),
        ("MFD_HUGE_64KB", 16 << 26),
        ("MFD_HUGE_512KB", 19 << 26),
        ("MFD_HUGE_1MB", 20 << 26),
        ("MFD_HUGE_2MB", 21 << 26),
        ("MFD_HUGE_8MB", 23 << 26),
        ("MFD_HUGE_16MB", 24 << 26),
        ("MFD_HUGE_32MB", 25 << 26),
        ("MFD_HUGE_256MB", 28 << 26),
        ("MFD_HUGE_512MB", 29 << 26),
        ("MFD_HUGE_1GB", 30 << 26),
        ("MFD_HUGE_2GB", 31 << 26),
    ];
    for (name, value) in sizes {
        module.set(name, &vm.new_int(value), vm)?;
    }
    module.set("MFD_HUGE_16GB", &vm.new_int(34u64 << 26), vm)
}

/// A number as C's unsigned int, with the exceptions of its converter.
struct Unsigned(u32);

impl FromArg<'_> for Unsigned {
    fn from_arg(object: &Object, _what: &taipan_vm::args::ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        if index.is_negative() {
            return Err(vm.value_error("Cannot convert negative int"));
        }
        index
            .to_u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(Unsigned)
            .ok_or_else(|| vm.overflow_error("Python int too large for C unsigned int"))
    }
}

const NANOS: i64 = 1_000_000_000;

/// A time in seconds as the timer wants it.
fn seconds(value: Option<f64>, vm: &Vm) -> PyResult<libc::timespec> {
    let value = value.unwrap_or(0.0);
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if value.abs() > 9.2e9 {
        return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t"));
    }
    Ok(nanoseconds(Some((value * 1e9).floor() as i64)))
}

fn nanoseconds(value: Option<i64>) -> libc::timespec {
    let value = value.unwrap_or(0);
    libc::timespec { tv_sec: value.div_euclid(NANOS), tv_nsec: value.rem_euclid(NANOS) }
}

fn total(time: &libc::timespec) -> i64 {
    time.tv_sec.saturating_mul(NANOS).saturating_add(time.tv_nsec)
}

fn pair_seconds(timer: &libc::itimerspec) -> (f64, f64) {
    (total(&timer.it_value) as f64 * 1e-9, total(&timer.it_interval) as f64 * 1e-9)
}

fn pair_nanos(timer: &libc::itimerspec) -> (i64, i64) {
    (total(&timer.it_value), total(&timer.it_interval))
}

fn set_timer(fd: i32, flags: i32, new: &libc::itimerspec, vm: &Vm) -> PyResult<libc::itimerspec> {
    // SAFETY: zero is a valid value; the structures are ours.
    unsafe {
        let mut old: libc::itimerspec = std::mem::zeroed();
        check(libc::timerfd_settime(fd, flags, new, &raw mut old), None, vm)?;
        Ok(old)
    }
}

fn timer_left(fd: i32, vm: &Vm) -> PyResult<libc::itimerspec> {
    // SAFETY: zero is a valid value; the structure is ours.
    unsafe {
        let mut left: libc::itimerspec = std::mem::zeroed();
        check(libc::timerfd_gettime(fd, &raw mut left), None, vm)?;
        Ok(left)
    }
}

#[pyfunctions(table = EVENT_FUNCTIONS)]
impl Posix {
    /// Creates and returns an event notification file descriptor.
    #[function("($module, /, initval, flags=EFD_CLOEXEC)")]
    fn eventfd(initval: Unsigned, flags: Option<i32>, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::eventfd(initval.0, flags.unwrap_or(libc::EFD_CLOEXEC)) }, None, vm)
    }

    /// Read eventfd value
    #[function("($module, /, fd)")]
    fn eventfd_read(fd: File, vm: &Vm) -> PyResult<u64> {
        let mut value = 0u64;
        let place = &raw mut value;
        // SAFETY: the place has eight bytes.
        vm.checked_call(None, || unsafe { libc::read(fd.0, place.cast(), 8) })?;
        Ok(value)
    }

    /// Write eventfd value.
    #[function("($module, /, fd, value)")]
    fn eventfd_write(fd: File, value: u64, vm: &Vm) -> PyResult<()> {
        let place = &raw const value;
        // SAFETY: the place has eight bytes.
        vm.checked_call(None, || unsafe { libc::write(fd.0, place.cast(), 8) }).map(drop)
    }

    /// Create and return a timer file descriptor.
    ///
    ///   clockid
    ///     A valid clock ID constant as timer file descriptor.
    ///
    ///     time.CLOCK_REALTIME
    ///     time.CLOCK_MONOTONIC
    ///     time.CLOCK_BOOTTIME
    ///   flags
    ///     0 or a bit mask of os.TFD_NONBLOCK or os.TFD_CLOEXEC.
    ///
    ///     os.TFD_NONBLOCK
    ///         If *TFD_NONBLOCK* is set as a flag, read doesn't blocks.
    ///         If *TFD_NONBLOCK* is not set as a flag, read block until the timer fires.
    ///
    ///     os.TFD_CLOEXEC
    ///         If *TFD_CLOEXEC* is set as a flag, enable the close-on-exec flag
    #[function("($module, clockid, /, *, flags=TFD_CLOEXEC)")]
    fn timerfd_create(clockid: i32, flags: Option<i32>, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::timerfd_create(clockid, flags.unwrap_or(libc::TFD_CLOEXEC)) }, None, vm)
    }

    /// Alter a timer file descriptor's internal timer in seconds.
    #[function("($module, fd, /, *, flags=0, initial=0.0, interval=0.0)")]
    fn timerfd_settime(
        fd: File,
        flags: Option<i32>,
        initial: Option<f64>,
        interval: Option<f64>,
        vm: &Vm,
    ) -> PyResult<(f64, f64)> {
        let new = libc::itimerspec { it_value: seconds(initial, vm)?, it_interval: seconds(interval, vm)? };
        Ok(pair_seconds(&set_timer(fd.0, flags.unwrap_or(0), &new, vm)?))
    }

    /// Alter a timer file descriptor's internal timer in nanoseconds.
    #[function("($module, fd, /, *, flags=0, initial=0, interval=0)")]
    fn timerfd_settime_ns(
        fd: File,
        flags: Option<i32>,
        initial: Option<i64>,
        interval: Option<i64>,
        vm: &Vm,
    ) -> PyResult<(i64, i64)> {
        let new = libc::itimerspec { it_value: nanoseconds(initial), it_interval: nanoseconds(interval) };
        Ok(pair_nanos(&set_timer(fd.0, flags.unwrap_or(0), &new, vm)?))
    }

    /// Return a tuple of a timer file descriptor's (interval, next expiration) in float seconds.
    #[function("($module, fd, /)")]
    fn timerfd_gettime(fd: File, vm: &Vm) -> PyResult<(f64, f64)> {
        Ok(pair_seconds(&timer_left(fd.0, vm)?))
    }

    /// Return a tuple of a timer file descriptor's (interval, next expiration) in nanoseconds.
    #[function("($module, fd, /)")]
    fn timerfd_gettime_ns(fd: File, vm: &Vm) -> PyResult<(i64, i64)> {
        Ok(pair_nanos(&timer_left(fd.0, vm)?))
    }

    #[function("($module, /, name, flags=MFD_CLOEXEC)")]
    fn memfd_create(name: Text, flags: Option<u32>, vm: &Vm) -> PyResult<i32> {
        // SAFETY: the name is NUL-terminated.
        check(unsafe { libc::memfd_create(name.as_ptr(), flags.unwrap_or(libc::MFD_CLOEXEC)) }, None, vm)
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

    /// Disassociate parts of a process (or thread) execution context.
    ///
    ///   flags
    ///     Namespaces to be unshared.
    #[function("($module, /, flags)")]
    fn unshare(flags: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::unshare(flags) }).map(drop)
    }

    /// Move the calling thread into different namespaces.
    ///
    ///   fd
    ///     A file descriptor to a namespace.
    ///   nstype
    ///     Type of namespace.
    #[function("($module, /, fd, nstype=0)")]
    fn setns(fd: File, nstype: Option<i32>, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::setns(fd.0, nstype.unwrap_or(0)) }).map(drop)
    }

    /// Return a bytes object containing random bytes suitable for cryptographic use.
    #[function("($module, size, /)")]
    fn urandom(size: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        if size < 0 {
            return Err(vm.value_error("negative argument not allowed"));
        }
        let mut bytes = room(size, vm)?;
        for part in bytes.chunks_mut(256) {
            let (place, size) = (part.as_mut_ptr(), part.len());
            // SAFETY: the part has that length.
            vm.checked_call(None, || unsafe { libc::getrandom(place.cast(), size, 0) })?;
        }
        Ok(vm.new_bytes(&bytes))
    }

    /// Obtain a series of random bytes.
    #[function("($module, /, size, flags=0)")]
    fn getrandom(size: isize, flags: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut bytes = room(size, vm)?;
        let (place, size, flags) = (bytes.as_mut_ptr(), bytes.len(), flags.unwrap_or(0) as libc::c_uint);
        // SAFETY: the buffer has that length.
        let got = vm.checked_call(None, || unsafe { libc::getrandom(place.cast(), size, flags) })?;
        Ok(vm.new_bytes(bytes.get(..got as usize).unwrap_or_default()))
    }
}
