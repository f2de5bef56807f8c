//! Entries of folders: renaming, links, special files, modes, owners and times.

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{DirFd, Gid, Name, Target, Uid, at, check_pair, event_fd, same_kind};
use super::device::Device;

fn unlink(path: &Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
    let dir_fd = at(dir_fd);
    audit("os.remove", &[&path.shown, &event_fd(dir_fd, vm)], vm)?;
    // SAFETY: the path is NUL-terminated.
    vm.checked_call(Some(&path.shown), || unsafe { libc::unlinkat(dir_fd, path.as_ptr(), 0) }).map(drop)
}

fn rename(src: &Name, dst: &Name, a: Option<DirFd>, b: Option<DirFd>, vm: &Vm) -> PyResult<()> {
    let (a, b) = (at(a), at(b));
    audit("os.rename", &[&src.shown, &dst.shown, &event_fd(a, vm), &event_fd(b, vm)], vm)?;
    // SAFETY: the paths are NUL-terminated.
    let result = vm.allow_threads(|| unsafe { libc::renameat(a, src.as_ptr(), b, dst.as_ptr()) });
    check_pair(result, &src.shown, &dst.shown, vm)
}

/// A moment of a number of seconds, rounded down to nanoseconds.
fn moment(object: &Object, vm: &Vm) -> PyResult<libc::timespec> {
    if let Some(int) = object.downcast_ref::<Int>() {
        let secs =
            int.to_i64().ok_or_else(|| vm.overflow_error("timestamp out of range for platform time_t"))?;
        return Ok(libc::timespec { tv_sec: secs, tv_nsec: 0 });
    }
    let Some(float) = object.downcast_ref::<Float>() else {
        let index = object.as_index(vm)?;
        let secs =
            index.to_i64().ok_or_else(|| vm.overflow_error("timestamp out of range for platform time_t"))?;
        return Ok(libc::timespec { tv_sec: secs, tv_nsec: 0 });
    };
    let value = float.value();
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
    let parts = number::divmod(object, &vm.new_int(1_000_000_000), vm)?;
    let Some([secs, nanos]) = parts.downcast_ref::<Tuple>().map(|t| t.as_slice()) else {
        return Err(vm.type_error(format!(
            "{}.__divmod__() must return a 2-tuple, not {}",
            object.ob_type().name(),
            parts.ob_type().name()
        )));
    };
    let range = || vm.overflow_error("timestamp out of range for platform time_t");
    let secs = secs.as_index(vm)?.to_i64().ok_or_else(range)?;
    let nanos = nanos.as_index(vm)?.to_i64().ok_or_else(range)?;
    Ok(libc::timespec { tv_sec: secs, tv_nsec: nanos })
}

fn change_owner(path: &Target, dir_fd: i32, uid: u32, gid: u32, follow: bool, vm: &Vm) -> PyResult<()> {
    let shown = path.shown();
    let ids = [crate::pwd::id_object(uid, vm), crate::pwd::id_object(gid, vm)];
    let [shown_uid, shown_gid] = &ids;
    audit("os.chown", &[shown, shown_uid, shown_gid, &event_fd(dir_fd, vm)], vm)?;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is NUL-terminated.
    vm.checked_call(Some(shown), || unsafe {
        match path {
            Target::Path(name) => libc::fchownat(dir_fd, name.as_ptr(), uid, gid, flags),
            Target::Fd(fd, _) => libc::fchown(*fd, uid, gid),
        }
    })
    .map(drop)
}

#[pyfunctions(table = NAME_FUNCTIONS)]
impl Posix {
    /// Remove a file (same as remove()).
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative to
    /// that directory.
    /// dir_fd may not be implemented on your platform.
    /// If it is unavailable, using it will raise a NotImplementedError.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn unlink(path: Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
        self::unlink(&path, dir_fd, vm)
    }

    /// Remove a file (same as unlink()).
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative
    /// to that directory.
    /// dir_fd may not be implemented on your platform.
    /// If it is unavailable, using it will raise a NotImplementedError.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn remove(path: Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
        self::unlink(&path, dir_fd, vm)
    }

    /// Rename a file or directory.
    ///
    /// If either src_dir_fd or dst_dir_fd is not None, it should be a file
    /// descriptor open to a directory, and the respective path string (src or
    /// dst) should be relative; the path will then be relative to that
    /// directory.
    /// src_dir_fd and dst_dir_fd, may not be implemented on your platform.
    /// If they are unavailable, using them will raise a NotImplementedError.
    #[function("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn rename(
        src: Name,
        dst: Name,
        src_dir_fd: Option<DirFd>,
        dst_dir_fd: Option<DirFd>,
        vm: &Vm,
    ) -> PyResult<()> {
        self::rename(&src, &dst, src_dir_fd, dst_dir_fd, vm)
    }

    /// Rename a file or directory, overwriting the destination.
    ///
    /// If either src_dir_fd or dst_dir_fd is not None, it should be a file
    /// descriptor open to a directory, and the respective path string (src or
    /// dst) should be relative; the path will then be relative to that
    /// directory.
    /// src_dir_fd and dst_dir_fd, may not be implemented on your platform.
    /// If they are unavailable, using them will raise a NotImplementedError.
    #[function("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn replace(
        src: Name,
        dst: Name,
        src_dir_fd: Option<DirFd>,
        dst_dir_fd: Option<DirFd>,
        vm: &Vm,
    ) -> PyResult<()> {
        self::rename(&src, &dst, src_dir_fd, dst_dir_fd, vm)
    }

    /// Create a hard link to a file.
    ///
    /// If either src_dir_fd or dst_dir_fd is not None, it should be a file
    /// descriptor open to a directory, and the respective path string (src or
    /// dst) should be relative; the path will then be relative to that
    /// directory.
    /// If follow_symlinks is False, and the last element of src is a symbolic
    /// link, link will create a link to the symbolic link itself instead of the
    /// file the link points to.
    /// src_dir_fd, dst_dir_fd, and follow_symlinks may not be implemented on
    /// your platform.  If they are unavailable, using them will raise
    /// a NotImplementedError.
    #[function(
        "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=(os.name != 'nt'))"
    )]
    fn link(
        src: Name,
        dst: Name,
        src_dir_fd: Option<DirFd>,
        dst_dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (a, b) = (at(src_dir_fd), at(dst_dir_fd));
        audit("os.link", &[&src.shown, &dst.shown, &event_fd(a, vm), &event_fd(b, vm)], vm)?;
        let flags = if follow_symlinks != Some(false) { libc::AT_SYMLINK_FOLLOW } else { 0 };
        // SAFETY: the paths are NUL-terminated.
        let result = vm.allow_threads(|| unsafe { libc::linkat(a, src.as_ptr(), b, dst.as_ptr(), flags) });
        check_pair(result, &src.shown, &dst.shown, vm)
    }

    /// Create a symbolic link pointing to src named dst.
    ///
    /// target_is_directory is required on Windows if the target is to be
    /// interpreted as a directory.  (On Windows, symlink requires Windows 6.0
    /// or greater, and raises a NotImplementedError otherwise.)
    /// target_is_directory is ignored on non-Windows platforms.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative
    /// to that directory.
    /// dir_fd may not be implemented on your platform.  If it is unavailable,
    /// using it will raise a NotImplementedError.
    #[function("($module, /, src, dst, target_is_directory=False, *, dir_fd=None)")]
    fn symlink(
        src: Name,
        dst: Name,
        _target_is_directory: Option<bool>,
        dir_fd: Option<DirFd>,
        vm: &Vm,
    ) -> PyResult<()> {
        let dir_fd = at(dir_fd);
        audit("os.symlink", &[&src.shown, &dst.shown, &event_fd(dir_fd, vm)], vm)?;
        // SAFETY: the paths are NUL-terminated.
        let result = vm.allow_threads(|| unsafe { libc::symlinkat(src.as_ptr(), dir_fd, dst.as_ptr()) });
        check_pair(result, &src.shown, &dst.shown, vm)
    }

    /// Return a string representing the path to which the symbolic link points.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative to
    /// that directory.
    ///
    /// dir_fd may not be implemented on your platform.  If it is unavailable,
    /// using it will raise a NotImplementedError.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn readlink(path: Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult {
        let mut found = [0u8; libc::PATH_MAX as usize + 1];
        let (place, size) = (found.as_mut_ptr(), found.len());
        // SAFETY: the path is NUL-terminated; the buffer has that length.
        let got = vm.checked_call(Some(&path.shown), || unsafe {
            libc::readlinkat(at(dir_fd), path.as_ptr(), place.cast(), size)
        })?;
        Ok(same_kind(found.get(..got as usize).unwrap_or_default(), path.is_bytes(), vm))
    }

    /// Change the access permissions of a file.
    ///
    ///   path
    ///     Path to be modified.  May always be specified as a str, bytes, or
    ///     a path-like object.  On some platforms, path may also be specified
    ///     as an open file descriptor.  If this functionality is unavailable,
    ///     using it raises an exception.
    ///   mode
    ///     Operating-system mode bitfield.
    ///     Be careful when using number literals for *mode*. The conventional
    ///     UNIX notation for numeric modes uses an octal base, which needs to
    ///     be indicated with a ``0o`` prefix in Python.
    ///   dir_fd
    ///     If not None, it should be a file descriptor open to a directory,
    ///     and path should be relative; path will then be relative to that
    ///     directory.
    ///   follow_symlinks
    ///     If False, and the last element of the path is a symbolic link,
    ///     chmod will modify the symbolic link itself instead of the file
    ///     the link points to.
    ///
    /// It is an error to use dir_fd or follow_symlinks when specifying path as
    ///   an open file descriptor.
    /// dir_fd and follow_symlinks may not be implemented on your platform.
    ///   If they are unavailable, using them will raise a NotImplementedError.
    #[function("($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)")]
    fn chmod(
        path: Target,
        mode: i32,
        dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let dir_fd = at(dir_fd);
        audit("os.chmod", &[path.shown(), &vm.new_int(mode), &event_fd(dir_fd, vm)], vm)?;
        let flags = if follow_symlinks == Some(false) { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
        let mode = mode as libc::mode_t;
        // SAFETY: the path is NUL-terminated.
        let result = vm.allow_threads(|| unsafe {
            match &path {
                Target::Path(name) => libc::fchmodat(dir_fd, name.as_ptr(), mode, flags),
                Target::Fd(fd, _) => libc::fchmod(*fd, mode),
            }
        });
        if result < 0 {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            if flags != 0 && matches!(errno, libc::ENOTSUP | libc::ENOSYS) {
                let text = if dir_fd == libc::AT_FDCWD {
                    "chmod: follow_symlinks unavailable on this platform"
                } else {
                    "chmod: cannot use dir_fd and follow_symlinks together"
                };
                return Err(if dir_fd == libc::AT_FDCWD {
                    vm.not_implemented_error(text)
                } else {
                    vm.value_error(text)
                });
            }
            return Err(vm.os_error(errno, Some(path.shown())));
        }
        Ok(())
    }

    /// Change the access permissions of the file given by file descriptor fd.
    ///
    ///   fd
    ///     The file descriptor of the file to be modified.
    ///   mode
    ///     Operating-system mode bitfield.
    ///     Be careful when using number literals for *mode*.  The conventional
    ///     UNIX notation for numeric modes uses an octal base, which needs to
    ///     be indicated with a ``0o`` prefix in Python.
    ///
    /// Equivalent to os.chmod(fd, mode).
    #[function("($module, /, fd, mode)")]
    fn fchmod(fd: i32, mode: i32, vm: &Vm) -> PyResult<()> {
        audit("os.chmod", &[&vm.new_int(fd), &vm.new_int(mode), &vm.new_int(-1)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchmod(fd, mode as libc::mode_t) }).map(drop)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    ///
    ///   path
    ///     Path to be examined; can be string, bytes, a path-like object, or
    ///     open-file-descriptor int.
    ///   dir_fd
    ///     If not None, it should be a file descriptor open to a directory,
    ///     and path should be relative; path will then be relative to that
    ///     directory.
    ///   follow_symlinks
    ///     If False, and the last element of the path is a symbolic link,
    ///     stat will examine the symbolic link itself instead of the file
    ///     the link points to.
    ///
    /// path may always be specified as a string.  On some platforms, path may
    /// also be specified as an open file descriptor.  If this functionality is
    /// unavailable, using it raises an exception.
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative to
    /// that directory.
    /// If follow_symlinks is False, and the last element of the path is
    /// a symbolic link, chown will modify the symbolic link itself instead of
    /// the file the link points to.
    /// It is an error to use dir_fd or follow_symlinks when specifying path as
    /// an open file descriptor.
    /// dir_fd and follow_symlinks may not be implemented on your platform.  If
    /// they are unavailable, using them will raise a NotImplementedError.
    #[function("($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)")]
    fn chown(
        path: Target,
        uid: Uid,
        gid: Gid,
        dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (dir_fd, follow) = (at(dir_fd), follow_symlinks.unwrap_or(true));
        if let Target::Fd(..) = path {
            if dir_fd != libc::AT_FDCWD {
                return Err(vm.value_error("chown: can't specify both dir_fd and fd"));
            }
        }
        path.check("chown", dir_fd, follow, vm)?;
        change_owner(&path, dir_fd, uid.0, gid.0, follow, vm)
    }

    /// Change the owner and group id of path to the numeric uid and gid.
    ///
    /// This function will not follow symbolic links.
    /// Equivalent to os.chown(path, uid, gid, follow_symlinks=False).
    #[function("($module, /, path, uid, gid)")]
    fn lchown(path: Name, uid: Uid, gid: Gid, vm: &Vm) -> PyResult<()> {
        change_owner(&Target::Path(path), libc::AT_FDCWD, uid.0, gid.0, false, vm)
    }

    /// Change the owner and group id of the file specified by file descriptor.
    ///
    /// Equivalent to os.chown(fd, uid, gid).
    #[function("($module, /, fd, uid, gid)")]
    fn fchown(fd: i32, uid: Uid, gid: Gid, vm: &Vm) -> PyResult<()> {
        let ids = [crate::pwd::id_object(uid.0, vm), crate::pwd::id_object(gid.0, vm)];
        let [shown_uid, shown_gid] = &ids;
        audit("os.chown", &[&vm.new_int(fd), shown_uid, shown_gid, &vm.new_int(-1)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchown(fd, uid.0, gid.0) }).map(drop)
    }

    /// Set the access and modified time of path.
    ///
    /// path may always be specified as a string.  On some platforms, path may
    /// also be specified as an open file descriptor.  If this functionality is
    /// unavailable, using it raises an exception.
    ///
    /// If times is not None, it must be a tuple (atime, mtime);
    /// atime and mtime should be expressed as float seconds since the epoch.
    /// If ns is specified, it must be a tuple (atime_ns, mtime_ns);
    /// atime_ns and mtime_ns should be expressed as integer nanoseconds
    /// since the epoch.
    /// If times is None and ns is unspecified, utime uses the current time.
    /// Specifying tuples for both times and ns is an error.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative to
    /// that directory.
    /// If follow_symlinks is False, and the last element of the path is
    /// a symbolic link, utime will modify the symbolic link itself instead of
    /// the file the link points to.
    /// It is an error to use dir_fd or follow_symlinks when specifying path as
    /// an open file descriptor.
    /// dir_fd and follow_symlinks may not be available on your platform.
    /// If they are unavailable, using them will raise a NotImplementedError.
    #[function("($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)")]
    fn utime(
        path: Target,
        times: Option<&Object>,
        ns: Option<&Object>,
        dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let times = times.filter(|t| !vm.is_none(t));
        let pair = |object: &Object, wanted: &str| -> PyResult<(ObjRef, ObjRef)> {
            match object.downcast_ref::<Tuple>().map(|t| t.as_slice()) {
                Some([a, b]) => Ok((a.clone(), b.clone())),
                _ => Err(vm.type_error(format!("utime: {wanted}"))),
            }
        };
        let stamps = match (times, ns) {
            (Some(_), Some(_)) => {
                return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
            }
            (Some(times), None) => {
                let (a, m) = pair(times, "'times' must be either a tuple of two ints or None")?;
                [moment(&a, vm)?, moment(&m, vm)?]
            }
            (None, Some(ns)) => {
                let (a, m) = pair(ns, "'ns' must be a tuple of two ints")?;
                [moment_ns(&a, vm)?, moment_ns(&m, vm)?]
            }
            (None, None) => [libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW }; 2],
        };
        let (dir_fd, follow) = (at(dir_fd), follow_symlinks.unwrap_or(true));
        path.check("utime", dir_fd, follow, vm)?;
        let none = vm.none();
        audit(
            "os.utime",
            &[path.shown(), times.unwrap_or(&none), ns.unwrap_or(&none), &event_fd(dir_fd, vm)],
            vm,
        )?;
        let (stamps, flags) = (stamps.as_ptr(), if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW });
        // SAFETY: the path is NUL-terminated; there are two stamps.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Path(name) => libc::utimensat(dir_fd, name.as_ptr(), stamps, flags),
                Target::Fd(fd, _) => libc::futimens(*fd, stamps),
            }
        })
        .map(drop)
    }

    /// Truncate a file, specified by path, to a specific length.
    ///
    /// On some platforms, path may also be specified as an open file
    /// descriptor.  If this functionality is unavailable, using it raises
    /// an exception.
    #[function("($module, /, path, length)")]
    fn truncate(path: Target, length: i64, vm: &Vm) -> PyResult<()> {
        audit("os.truncate", &[path.shown(), &vm.new_int(length)], vm)?;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Path(name) => libc::truncate(name.as_ptr(), length),
                Target::Fd(fd, _) => libc::ftruncate(*fd, length),
            }
        })
        .map(drop)
    }

    /// Create a "fifo" (a POSIX named pipe).
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative to
    /// that directory.
    /// dir_fd may not be implemented on your platform.  If it is unavailable,
    /// using it will raise a NotImplementedError.
    #[function("($module, /, path, mode=438, *, dir_fd=None)")]
    fn mkfifo(path: Name, mode: Option<i32>, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
        let mode = mode.unwrap_or(0o666) as libc::mode_t;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(None, || unsafe { libc::mkfifoat(at(dir_fd), path.as_ptr(), mode) }).map(drop)
    }

    /// Create a node in the file system.
    ///
    /// Create a node in the file system (file, device special file or named
    /// pipe) at path.  mode specifies both the permissions to use and the
    /// type of node to be created, being combined (bitwise OR) with one of
    /// S_IFREG, S_IFCHR, S_IFBLK, and S_IFIFO.  If S_IFCHR or S_IFBLK is set
    /// on mode, device defines the newly created device special file (probably
    /// using os.makedev()).  Otherwise device is ignored.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to
    /// a directory, and path should be relative; path will then be relative
    /// to that directory.
    /// dir_fd may not be implemented on your platform.  If it is unavailable,
    /// using it will raise a NotImplementedError.
    #[function("($module, /, path, mode=384, device=0, *, dir_fd=None)")]
    fn mknod(
        path: Name,
        mode: Option<i32>,
        device: Option<Device>,
        dir_fd: Option<DirFd>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (mode, device) = (mode.unwrap_or(0o600) as libc::mode_t, device.map_or(0, |device| device.0));
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(None, || unsafe { libc::mknodat(at(dir_fd), path.as_ptr(), mode, device) }).map(drop)
    }
}
