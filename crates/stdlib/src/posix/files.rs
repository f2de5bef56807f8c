//! Files: owners, modes, times, links, reading and writing at a place, pipes and terminals, system limits.

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::{Posix, Target, check, target};

/// The names of `sysconf`.
static SYSCONF: &[(&str, i32)] = &[
    ("SC_ARG_MAX", libc::_SC_ARG_MAX),
    ("SC_CHILD_MAX", libc::_SC_CHILD_MAX),
    ("SC_CLK_TCK", libc::_SC_CLK_TCK),
    ("SC_NGROUPS_MAX", libc::_SC_NGROUPS_MAX),
    ("SC_OPEN_MAX", libc::_SC_OPEN_MAX),
    ("SC_STREAM_MAX", libc::_SC_STREAM_MAX),
    ("SC_TZNAME_MAX", libc::_SC_TZNAME_MAX),
    ("SC_JOB_CONTROL", libc::_SC_JOB_CONTROL),
    ("SC_SAVED_IDS", libc::_SC_SAVED_IDS),
    ("SC_REALTIME_SIGNALS", libc::_SC_REALTIME_SIGNALS),
    ("SC_PRIORITY_SCHEDULING", libc::_SC_PRIORITY_SCHEDULING),
    ("SC_TIMERS", libc::_SC_TIMERS),
    ("SC_SEMAPHORES", libc::_SC_SEMAPHORES),
    ("SC_SHARED_MEMORY_OBJECTS", libc::_SC_SHARED_MEMORY_OBJECTS),
    ("SC_VERSION", libc::_SC_VERSION),
    ("SC_PAGESIZE", libc::_SC_PAGESIZE),
    ("SC_PAGE_SIZE", libc::_SC_PAGESIZE),
    ("SC_RTSIG_MAX", libc::_SC_RTSIG_MAX),
    ("SC_SEM_NSEMS_MAX", libc::_SC_SEM_NSEMS_MAX),
    ("SC_SEM_VALUE_MAX", libc::_SC_SEM_VALUE_MAX),
    ("SC_SIGQUEUE_MAX", libc::_SC_SIGQUEUE_MAX),
    ("SC_TIMER_MAX", libc::_SC_TIMER_MAX),
    ("SC_LINE_MAX", libc::_SC_LINE_MAX),
    ("SC_IOV_MAX", libc::_SC_IOV_MAX),
    ("SC_GETGR_R_SIZE_MAX", libc::_SC_GETGR_R_SIZE_MAX),
    ("SC_GETPW_R_SIZE_MAX", libc::_SC_GETPW_R_SIZE_MAX),
    ("SC_LOGIN_NAME_MAX", libc::_SC_LOGIN_NAME_MAX),
    ("SC_TTY_NAME_MAX", libc::_SC_TTY_NAME_MAX),
    ("SC_HOST_NAME_MAX", libc::_SC_HOST_NAME_MAX),
    ("SC_THREADS", libc::_SC_THREADS),
    ("SC_NPROCESSORS_CONF", libc::_SC_NPROCESSORS_CONF),
    ("SC_NPROCESSORS_ONLN", libc::_SC_NPROCESSORS_ONLN),
    ("SC_PHYS_PAGES", libc::_SC_PHYS_PAGES),
    ("SC_AVPHYS_PAGES", libc::_SC_AVPHYS_PAGES),
    ("SC_ATEXIT_MAX", libc::_SC_ATEXIT_MAX),
];

pub(super) fn constants(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        GRND_NONBLOCK GRND_RANDOM MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB EFD_CLOEXEC EFD_NONBLOCK EFD_SEMAPHORE
        F_LOCK F_TLOCK F_ULOCK F_TEST POSIX_FADV_NORMAL POSIX_FADV_SEQUENTIAL POSIX_FADV_RANDOM POSIX_FADV_NOREUSE
        POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED ST_RDONLY ST_NOSUID ST_NODEV ST_NOEXEC
        O_ASYNC O_DIRECT O_LARGEFILE O_NDELAY O_NOATIME O_RSYNC
    }
    let names = vm.new_dict();
    for (name, value) in SYSCONF {
        names.set_str(&vm.new_str(name), &vm.new_int(*value), vm)?;
    }
    module.set("sysconf_names", names.as_object(), vm)
}

/// Nanoseconds of a number of seconds, rounded down.
fn moment(object: &Object, vm: &Vm) -> PyResult<libc::timespec> {
    if let Some(int) = object.downcast_ref::<Int>() {
        let secs =
            int.to_i64().ok_or_else(|| vm.overflow_error("timestamp out of range for platform time_t"))?;
        return Ok(libc::timespec { tv_sec: secs, tv_nsec: 0 });
    }
    let value = object.as_f64(vm)?;
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if value.abs() >= 9.2e18 {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    }
    let (mut secs, mut nanos) = (value.floor(), ((value - value.floor()) * 1e9).floor());
    if nanos >= 1e9 {
        nanos -= 1e9;
        secs += 1.0;
    }
    Ok(libc::timespec { tv_sec: secs as i64, tv_nsec: nanos as i64 })
}

fn moment_ns(object: &Object, vm: &Vm) -> PyResult<libc::timespec> {
    let total = object
        .as_index(vm)?
        .to_i64()
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
    Ok(libc::timespec { tv_sec: total.div_euclid(1_000_000_000), tv_nsec: total.rem_euclid(1_000_000_000) })
}

fn owner(object: &Object, what: &str, vm: &Vm) -> PyResult<u32> {
    crate::pwd::id_of(object, vm)?.ok_or_else(|| vm.overflow_error(format!("{what} is out of range")))
}

fn size_of_read(length: isize, vm: &Vm) -> PyResult<Vec<u8>> {
    let Ok(length) = usize::try_from(length) else { return Err(vm.os_error(libc::EINVAL, None)) };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        return Err(vm.memory_error());
    }
    bytes.resize(length, 0u8);
    Ok(bytes)
}

fn flag(fd: i32, bit: i32, on: bool, vm: &Vm) -> PyResult<()> {
    // SAFETY: plain system calls.
    let old = check(unsafe { libc::fcntl(fd, libc::F_GETFL) }, None, vm)?;
    let new = if on { old | bit } else { old & !bit };
    // SAFETY: as above.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, new) }, None, vm).map(drop)
}

fn change_owner(
    path: &Object,
    uid: &Object,
    gid: &Object,
    follow: bool,
    name: &str,
    vm: &Vm,
) -> PyResult<()> {
    let (uid, gid) = (owner(uid, "uid", vm)?, owner(gid, "gid", vm)?);
    match target(path, follow, name, vm)? {
        Target::Path(path, shown) => {
            let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
            // SAFETY: the path is NUL-terminated.
            vm.checked_call(Some(&shown), || unsafe {
                libc::fchownat(libc::AT_FDCWD, path.as_ptr(), uid, gid, flags)
            })
        }
        // SAFETY: a plain system call.
        Target::Fd(fd) => vm.checked_call(None, || unsafe { libc::fchown(fd, uid, gid) }),
    }
    .map(drop)
}

#[pyfunctions(table = FILE_FUNCTIONS)]
impl Posix {
    /// Create a hard link to a file.
    #[function("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)")]
    fn link(
        src: &Object,
        dst: &Object,
        src_dir_fd: OrNone<i32>,
        dst_dir_fd: OrNone<i32>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let ((from, shown), (to, shown_to)) = (super::path(src, "link", vm)?, super::path(dst, "link", vm)?);
        let (a, b) = (src_dir_fd.0.unwrap_or(libc::AT_FDCWD), dst_dir_fd.0.unwrap_or(libc::AT_FDCWD));
        audit("os.link", &[&shown, &shown_to, &vm.new_int(a), &vm.new_int(b)], vm)?;
        let flags = if follow_symlinks == Some(true) { libc::AT_SYMLINK_FOLLOW } else { 0 };
        // SAFETY: the paths are NUL-terminated.
        let result = vm.allow_threads(|| unsafe { libc::linkat(a, from.as_ptr(), b, to.as_ptr(), flags) });
        if result < 0 {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            return Err(taipan_vm::exceptions::os_error::raise(errno, Some(&shown), Some(&shown_to), vm));
        }
        Ok(())
    }

    /// Set the access and modified time of path.
    ///
    /// path may always be specified as a string.
    /// On some platforms, path may also be specified as an open file descriptor.
    ///   If this functionality is unavailable, using it raises an exception.
    ///
    /// If times is not None, it must be a tuple (atime, mtime);
    ///     atime and mtime should be expressed as float seconds since the epoch.
    /// If ns is specified, it must be a tuple (atime_ns, mtime_ns);
    ///     atime_ns and mtime_ns should be expressed as integer nanoseconds
    ///     since the epoch.
    /// If times is None and ns is unspecified, utime uses the current time.
    /// Specifying tuples for both times and ns is an error.
    #[function("($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)")]
    fn utime(
        path: &Object,
        times: Option<&Object>,
        ns: Option<&Object>,
        dir_fd: OrNone<i32>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let times = times.filter(|t| !vm.is_none(t));
        let now = libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
        let pair = |object: &Object, what: &str| -> PyResult<(ObjRef, ObjRef)> {
            match object.downcast_ref::<Tuple>().map(|t| t.as_slice()) {
                Some([a, b]) => Ok((a.clone(), b.clone())),
                _ => Err(vm.type_error(format!(
                    "utime: '{what}' must be {}",
                    match what {
                        "ns" => "a tuple of two ints",
                        _ => "either a tuple of two ints or None",
                    }
                ))),
            }
        };
        let stamps = match (times, ns) {
            (Some(_), Some(_)) => {
                return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
            }
            (Some(times), None) => {
                let (a, m) = pair(times, "times")?;
                [moment(&a, vm)?, moment(&m, vm)?]
            }
            (None, Some(ns)) => {
                let (a, m) = pair(ns, "ns")?;
                [moment_ns(&a, vm)?, moment_ns(&m, vm)?]
            }
            (None, None) => [now, now],
        };
        let stamps = stamps.as_ptr();
        match target(path, true, "utime", vm)? {
            Target::Path(path, shown) => {
                let folder = dir_fd.0.unwrap_or(libc::AT_FDCWD);
                let flags = if follow_symlinks.unwrap_or(true) { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
                // SAFETY: the path is NUL-terminated; there are two stamps.
                vm.checked_call(Some(&shown), || unsafe {
                    libc::utimensat(folder, path.as_ptr(), stamps, flags)
                })
            }
            // SAFETY: as above.
            Target::Fd(fd) => vm.checked_call(None, || unsafe { libc::futimens(fd, stamps) }),
        }
        .map(drop)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    #[function("($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)")]
    fn chown(
        path: &Object,
        uid: &Object,
        gid: &Object,
        dir_fd: OrNone<i32>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        if dir_fd.0.is_some() {
            return Err(vm.not_implemented_error("chown: dir_fd unavailable on this platform"));
        }
        change_owner(path, uid, gid, follow_symlinks.unwrap_or(true), "chown", vm)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    ///
    /// This function will not follow symbolic links.
    /// Equivalent to os.chown(path, uid, gid, follow_symlinks=False).
    #[function("($module, /, path, uid, gid)")]
    fn lchown(path: &Object, uid: &Object, gid: &Object, vm: &Vm) -> PyResult<()> {
        change_owner(path, uid, gid, false, "lchown", vm)
    }

    /// Change the owner and group id of the file specified by file descriptor.
    #[function("($module, /, fd, uid, gid)")]
    fn fchown(fd: i32, uid: &Object, gid: &Object, vm: &Vm) -> PyResult<()> {
        let (uid, gid) = (owner(uid, "uid", vm)?, owner(gid, "gid", vm)?);
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchown(fd, uid, gid) }).map(drop)
    }

    /// Change the access permissions of the file given by file descriptor fd.
    #[function("($module, /, fd, mode)")]
    fn fchmod(fd: i32, mode: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchmod(fd, mode as libc::mode_t) }).map(drop)
    }

    /// Change to the directory of the given file descriptor.
    #[function("($module, /, fd)")]
    fn fchdir(fd: &Object, vm: &Vm) -> PyResult<()> {
        let fd = crate::select::file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchdir(fd) }).map(drop)
    }

    /// Truncate a file, specified by path, to a specific length.
    ///
    /// On some platforms, path may also be specified as an open file descriptor.
    /// If this functionality is unavailable, using it raises an exception.
    #[function("($module, /, path, length)")]
    fn truncate(path: &Object, length: i64, vm: &Vm) -> PyResult<()> {
        match target(path, true, "truncate", vm)? {
            // SAFETY: the path is NUL-terminated.
            Target::Path(path, shown) => {
                vm.checked_call(Some(&shown), || unsafe { libc::truncate(path.as_ptr(), length) })
            }
            // SAFETY: a plain system call.
            Target::Fd(fd) => vm.checked_call(None, || unsafe { libc::ftruncate(fd, length) }),
        }
        .map(drop)
    }

    /// Create a "fifo" (a POSIX named pipe).
    #[function("($module, /, path, mode=438, *, dir_fd=None)")]
    fn mkfifo(path: &Object, mode: Option<i32>, dir_fd: OrNone<i32>, vm: &Vm) -> PyResult<()> {
        let (name, shown) = super::path(path, "mkfifo", vm)?;
        let (folder, mode) = (dir_fd.0.unwrap_or(libc::AT_FDCWD), mode.unwrap_or(0o666) as libc::mode_t);
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(&shown), || unsafe { libc::mkfifoat(folder, name.as_ptr(), mode) }).map(drop)
    }

    /// Force write of everything to disk.
    #[function("($module, /)")]
    fn sync(vm: &Vm) {
        // SAFETY: a plain system call.
        vm.allow_threads(|| unsafe { libc::sync() });
    }

    /// Force write of fd to disk without forcing update of metadata.
    #[function("($module, /, fd)")]
    fn fdatasync(fd: &Object, vm: &Vm) -> PyResult<()> {
        let fd = crate::select::file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fdatasync(fd) }).map(drop)
    }

    /// Read a number of bytes from a file descriptor starting at a particular offset.
    ///
    /// Read length bytes from file descriptor fd, starting at offset bytes from
    /// the beginning of the file.  The file offset remains unchanged.
    #[function("($module, fd, length, offset, /)")]
    fn pread(fd: i32, length: isize, offset: i64, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut bytes = size_of_read(length, vm)?;
        let (place, room) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: the buffer has that length.
        let got = vm.checked_call(None, || unsafe { libc::pread(fd, place.cast(), room, offset) })?;
        Ok(vm.new_bytes(bytes.get(..got as usize).unwrap_or_default()))
    }

    /// Write bytes to a file descriptor starting at a particular offset.
    ///
    /// Write buffer to fd, starting at offset bytes from the beginning of
    /// the file.  Returns the number of bytes written.  Does not change the
    /// current file offset.
    #[function("($module, fd, buffer, offset, /)")]
    fn pwrite(fd: i32, buffer: BufferArg, offset: i64, vm: &Vm) -> PyResult<isize> {
        let bytes = buffer.as_bytes();
        // SAFETY: the buffer is exported, so it stays where it is.
        vm.checked_call(None, || unsafe { libc::pwrite(fd, bytes.as_ptr().cast(), bytes.len(), offset) })
    }

    /// Read from a file descriptor fd into an iterable of buffers.
    ///
    /// The buffers should be mutable buffers accepting bytes.
    /// readv will transfer data into each buffer until it is full and then
    /// move on to the next buffer in the sequence to hold the rest of the data.
    ///
    /// readv returns the total number of bytes read.
    #[function("($module, fd, buffers, /)")]
    fn readv(fd: i32, buffers: &Object, vm: &Vm) -> PyResult<isize> {
        let mut views: Vec<Buffer> = Vec::new();
        for item in buffers.collect_iterable(vm)? {
            views.push(item.get_buffer(buffer::WRITABLE, vm)?);
        }
        let parts: Vec<libc::iovec> = views
            .iter_mut()
            .map(|view| {
                let bytes = view.as_bytes_mut().unwrap_or(&mut []);
                libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
            })
            .collect();
        // SAFETY: the buffers are exported, so they stay where they are.
        vm.checked_call(None, || unsafe { libc::readv(fd, parts.as_ptr(), parts.len() as libc::c_int) })
    }

    /// Iterate over buffers, and write the contents of each to a file descriptor.
    ///
    /// Returns the total number of bytes written.
    /// buffers must be a sequence of bytes-like objects.
    #[function("($module, fd, buffers, /)")]
    fn writev(fd: i32, buffers: &Object, vm: &Vm) -> PyResult<isize> {
        let items = buffers.collect_iterable(vm)?;
        let views: Vec<BufferArg> =
            items.iter().map(|item| BufferArg::from_object(item, vm)).collect::<PyResult<_>>()?;
        let parts: Vec<libc::iovec> = views
            .iter()
            .map(|view| {
                let bytes = view.as_bytes();
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
            })
            .collect();
        // SAFETY: the buffers are exported, so they stay where they are; writing only reads them.
        vm.checked_call(None, || unsafe { libc::writev(fd, parts.as_ptr(), parts.len() as libc::c_int) })
    }

    /// Copy count bytes from file descriptor in_fd to file descriptor out_fd.
    #[function("($module, /, out_fd, in_fd, offset, count)")]
    fn sendfile(out_fd: i32, in_fd: i32, offset: &Object, count: isize, vm: &Vm) -> PyResult<isize> {
        let Ok(count) = usize::try_from(count) else {
            return Err(vm.value_error("count cannot be negative"));
        };
        let mut at = if vm.is_none(offset) { None } else { Some(offset.as_isize(vm)? as libc::off_t) };
        let place = at.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        // SAFETY: the offset is ours or null.
        vm.checked_call(None, || unsafe { libc::sendfile(out_fd, in_fd, place, count) })
    }

    /// Get the blocking mode of the file descriptor.
    ///
    /// Return False if the O_NONBLOCK flag is set, True if the flag is cleared.
    #[function("($module, fd, /)")]
    fn get_blocking(fd: i32, vm: &Vm) -> PyResult<bool> {
        // SAFETY: a plain system call.
        let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) }, None, vm)?;
        Ok(flags & libc::O_NONBLOCK == 0)
    }

    /// Set the blocking mode of the specified file descriptor.
    ///
    /// Set the O_NONBLOCK flag if blocking is False,
    /// clear the O_NONBLOCK flag otherwise.
    #[function("($module, fd, blocking, /)")]
    fn set_blocking(fd: i32, blocking: bool, vm: &Vm) -> PyResult<()> {
        flag(fd, libc::O_NONBLOCK, !blocking, vm)
    }

    /// Closes all file descriptors in [fd_low, fd_high), ignoring errors.
    #[function("($module, fd_low, fd_high, /)")]
    fn closerange(fd_low: i32, fd_high: i32, vm: &Vm) {
        let (low, high) = (fd_low.max(0), fd_high - i32::from(fd_high > i32::MIN));
        if low <= high {
            // SAFETY: a plain system call.
            vm.allow_threads(|| unsafe { libc::syscall(libc::SYS_close_range, low, high, 0) });
        }
    }

    /// Create a pipe with flags set atomically.
    ///
    /// Returns a tuple of two file descriptors:
    ///   (read_fd, write_fd)
    ///
    /// flags can be constructed by ORing together one or more of these values:
    /// O_NONBLOCK, O_CLOEXEC.
    #[function("($module, flags, /)")]
    fn pipe2(flags: i32, vm: &Vm) -> PyResult<(i32, i32)> {
        let mut ends = [0; 2];
        // SAFETY: the array has two places.
        check(unsafe { libc::pipe2(ends.as_mut_ptr(), flags) }, None, vm)?;
        let [read, write] = ends;
        Ok((read, write))
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

    /// Return a string describing the encoding of a terminal's file descriptor.
    ///
    /// The file descriptor must be attached to a terminal.
    /// If the device is not a terminal, return None.
    #[function("($module, /, fd)")]
    fn device_encoding(fd: i32, vm: &Vm) -> ObjRef {
        // SAFETY: a plain call.
        if unsafe { libc::isatty(fd) } == 1 { vm.new_str("utf-8").into_object() } else { vm.none() }
    }

    /// Obtain a series of random bytes.
    #[function("($module, /, size, flags=0)")]
    fn getrandom(size: isize, flags: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut bytes = size_of_read(size, vm)?;
        let (place, room, flags) = (bytes.as_mut_ptr(), bytes.len(), flags.unwrap_or(0) as libc::c_uint);
        // SAFETY: the buffer has that length.
        let got = vm.checked_call(None, || unsafe { libc::getrandom(place.cast(), room, flags) })?;
        Ok(vm.new_bytes(bytes.get(..got as usize).unwrap_or_default()))
    }

    #[function("($module, /, name, flags=os.MFD_CLOEXEC)")]
    fn memfd_create(name: &Object, flags: Option<u32>, vm: &Vm) -> PyResult<i32> {
        let (name, _) = super::path(name, "memfd_create", vm)?;
        // SAFETY: the name is NUL-terminated.
        check(unsafe { libc::memfd_create(name.as_ptr(), flags.unwrap_or(libc::MFD_CLOEXEC)) }, None, vm)
    }

    /// Creates and returns an event notification file descriptor.
    #[function("($module, /, initval, flags=os.EFD_CLOEXEC)")]
    fn eventfd(initval: u32, flags: Option<i32>, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::eventfd(initval, flags.unwrap_or(libc::EFD_CLOEXEC)) }, None, vm)
    }

    /// Apply, test or remove a POSIX lock on an open file descriptor.
    #[function("($module, fd, command, length, /)")]
    fn lockf(fd: i32, command: i32, length: i64, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::lockf(fd, command, length) }).map(drop)
    }

    /// Return an integer-valued system configuration variable.
    #[function("($module, name, /)")]
    fn sysconf(name: &Object, vm: &Vm) -> PyResult<i64> {
        let number = match name.downcast_ref::<Str>() {
            Some(text) => SYSCONF
                .iter()
                .find(|(known, _)| text.eq_str(known))
                .map(|(_, number)| *number)
                .ok_or_else(|| vm.value_error("unrecognized configuration name"))?,
            None if name.downcast_ref::<Int>().is_some() => i32::try_from(name.as_isize(vm)?)
                .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?,
            None => {
                return Err(vm.type_error("configuration names must be strings or integers"));
            }
        };
        // SAFETY: -1 may be a result, so `errno` is cleared before.
        let value = unsafe {
            *libc::__errno_location() = 0;
            libc::sysconf(number)
        };
        if value == -1 && std::io::Error::last_os_error().raw_os_error() != Some(0) {
            return Err(vm.last_os_error(None));
        }
        Ok(value)
    }

    /// Extracts a device major number from a raw device number.
    #[function("($module, device, /)")]
    fn major(device: u64) -> u32 {
        libc::major(device)
    }

    /// Extracts a device minor number from a raw device number.
    #[function("($module, device, /)")]
    fn minor(device: u64) -> u32 {
        libc::minor(device)
    }

    /// Composes a raw device number from the major and minor device numbers.
    #[function("($module, major, minor, /)")]
    fn makedev(major: u32, minor: u32) -> u64 {
        libc::makedev(major, minor)
    }
}
