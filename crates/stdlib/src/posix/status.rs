//! What the system knows of a file: `stat` and its kin, `access`, file systems.

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;

use super::Posix;
use super::args::{DirFd, Name, Target, at};

static STAT_RESULT: StructSeq = StructSeq {
    name: "os.stat_result",
    doc: "stat_result: Result from stat, fstat, or lstat.\n\nThis object may be accessed either as a tuple of\n  (mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime)\nor via the attributes st_mode, st_ino, st_dev, st_nlink, st_uid, and so on.\n\nPosix/windows: If your platform supports st_blksize, st_blocks, st_rdev,\nor st_flags, they are available as attributes only.\n\nSee os.stat for more information.",
    fields: &[
        ("st_mode", "protection bits"),
        ("st_ino", "inode"),
        ("st_dev", "device"),
        ("st_nlink", "number of hard links"),
        ("st_uid", "user ID of owner"),
        ("st_gid", "group ID of owner"),
        ("st_size", "total size, in bytes"),
        ("", "integer time of last access"),
        ("", "integer time of last modification"),
        ("", "integer time of last change"),
        ("st_atime", "time of last access"),
        ("st_mtime", "time of last modification"),
        ("st_ctime", "time of last change"),
        ("st_atime_ns", "time of last access in nanoseconds"),
        ("st_mtime_ns", "time of last modification in nanoseconds"),
        ("st_ctime_ns", "time of last change in nanoseconds"),
        ("st_blksize", "blocksize for filesystem I/O"),
        ("st_blocks", "number of blocks allocated"),
        ("st_rdev", "device type (if inode device)"),
    ],
    visible: 10,
};

static STATVFS_RESULT: StructSeq = StructSeq {
    name: "os.statvfs_result",
    doc: "statvfs_result: Result from statvfs or fstatvfs.\n\nThis object may be accessed either as a tuple of\n  (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax),\nor via the attributes f_bsize, f_frsize, f_blocks, f_bfree, and so on.\n\nSee os.statvfs for more information.",
    fields: &[
        ("f_bsize", ""),
        ("f_frsize", ""),
        ("f_blocks", ""),
        ("f_bfree", ""),
        ("f_bavail", ""),
        ("f_files", ""),
        ("f_ffree", ""),
        ("f_favail", ""),
        ("f_flag", ""),
        ("f_namemax", ""),
        ("f_fsid", ""),
    ],
    visible: 10,
};

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    module.set("stat_result", STAT_RESULT.get(vm)?.as_object(), vm)?;
    module.set("statvfs_result", STATVFS_RESULT.get(vm)?.as_object(), vm)
}

/// A `stat_result`.
pub(super) fn stat_object(stat: &libc::stat, vm: &Vm) -> PyResult {
    let seconds = |secs: i64, nanos: i64| vm.new_float(secs as f64 + nanos as f64 * 1e-9);
    let nanos = |secs: i64, nanos: i64| {
        let total = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        match i64::try_from(total) {
            Ok(total) => vm.new_int(total),
            Err(_) => vm.new_float(total as f64),
        }
    };
    let values = vec![
        vm.new_int(stat.st_mode),
        vm.new_int(stat.st_ino),
        vm.new_int(stat.st_dev),
        vm.new_int(stat.st_nlink),
        crate::pwd::id_object(stat.st_uid, vm),
        crate::pwd::id_object(stat.st_gid, vm),
        vm.new_int(stat.st_size),
        vm.new_int(stat.st_atime),
        vm.new_int(stat.st_mtime),
        vm.new_int(stat.st_ctime),
        seconds(stat.st_atime, stat.st_atime_nsec),
        seconds(stat.st_mtime, stat.st_mtime_nsec),
        seconds(stat.st_ctime, stat.st_ctime_nsec),
        nanos(stat.st_atime, stat.st_atime_nsec),
        nanos(stat.st_mtime, stat.st_mtime_nsec),
        nanos(stat.st_ctime, stat.st_ctime_nsec),
        vm.new_int(stat.st_blksize),
        vm.new_int(stat.st_blocks),
        vm.new_int(stat.st_rdev),
    ];
    STAT_RESULT.instance(values, vm)
}

fn empty_stat() -> libc::stat {
    // SAFETY: zero is a valid value of every field.
    unsafe { std::mem::zeroed() }
}

/// `stat` of a path, relative to a folder.
pub(super) fn stat_path(
    path: &std::ffi::CStr,
    dir_fd: i32,
    follow: bool,
    vm: &Vm,
) -> Result<libc::stat, i32> {
    let mut stat = empty_stat();
    let place = &raw mut stat;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is NUL-terminated; the structure is ours.
    let result = vm.allow_threads(|| unsafe { libc::fstatat(dir_fd, path.as_ptr(), place, flags) });
    if result < 0 { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(stat) }
}

/// `stat` of a path or descriptor, after the check of its options.
fn stat_of(target: &Target, dir_fd: i32, follow: bool, func: &str, vm: &Vm) -> PyResult {
    target.check(func, dir_fd, follow, vm)?;
    let stat = match target {
        Target::Path(name) => stat_path(&name.path, dir_fd, follow, vm)
            .map_err(|errno| vm.os_error(errno, Some(&name.shown)))?,
        Target::Fd(fd, shown) => fstat(*fd, Some(shown), vm)?,
    };
    stat_object(&stat, vm)
}

/// `fstat`.
pub(super) fn fstat(fd: i32, shown: Option<&Object>, vm: &Vm) -> PyResult<libc::stat> {
    let mut stat = empty_stat();
    let place = &raw mut stat;
    // SAFETY: the structure is ours.
    vm.checked_call(shown, || unsafe { libc::fstat(fd, place) })?;
    Ok(stat)
}

fn statvfs_object(found: &libc::statvfs, vm: &Vm) -> PyResult {
    let values = vec![
        vm.new_int(found.f_bsize),
        vm.new_int(found.f_frsize),
        vm.new_int(found.f_blocks),
        vm.new_int(found.f_bfree),
        vm.new_int(found.f_bavail),
        vm.new_int(found.f_files),
        vm.new_int(found.f_ffree),
        vm.new_int(found.f_favail),
        vm.new_int(found.f_flag),
        vm.new_int(found.f_namemax),
        vm.new_int(found.f_fsid),
    ];
    STATVFS_RESULT.instance(values, vm)
}

#[pyfunctions(table = STATUS_FUNCTIONS)]
impl Posix {
    /// Perform a stat system call on the given path.
    ///
    ///   path
    ///     Path to be examined; can be string, bytes, a path-like object or
    ///     open-file-descriptor int.
    ///   dir_fd
    ///     If not None, it should be a file descriptor open to a directory,
    ///     and path should be a relative string; path will then be relative to
    ///     that directory.
    ///   follow_symlinks
    ///     If False, and the last element of the path is a symbolic link,
    ///     stat will examine the symbolic link itself instead of the file
    ///     the link points to.
    ///
    /// dir_fd and follow_symlinks may not be implemented
    ///   on your platform.  If they are unavailable, using them will raise a
    ///   NotImplementedError.
    ///
    /// It's an error to use dir_fd or follow_symlinks when specifying path as
    ///   an open file descriptor.
    #[function("($module, /, path, *, dir_fd=None, follow_symlinks=True)")]
    fn stat(path: Target, dir_fd: Option<DirFd>, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult {
        stat_of(&path, at(dir_fd), follow_symlinks.unwrap_or(true), "stat", vm)
    }

    /// Perform a stat system call on the given path, without following symbolic links.
    ///
    /// Like stat(), but do not follow symbolic links.
    /// Equivalent to stat(path, follow_symlinks=False).
    #[function("($module, /, path, *, dir_fd=None)")]
    fn lstat(path: Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult {
        stat_of(&Target::Path(path), at(dir_fd), false, "lstat", vm)
    }

    /// Perform a stat system call on the given file descriptor.
    ///
    /// Like stat(), but for an open file descriptor.
    /// Equivalent to os.stat(fd).
    #[function("($module, /, fd)")]
    fn fstat(fd: i32, vm: &Vm) -> PyResult {
        stat_object(&self::fstat(fd, None, vm)?, vm)
    }

    /// Perform a statvfs system call on the given path.
    ///
    /// path may always be specified as a string.
    /// On some platforms, path may also be specified as an open file descriptor.
    ///   If this functionality is unavailable, using it raises an exception.
    #[function("($module, /, path)")]
    fn statvfs(path: Target, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value of every field.
        let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
        let place = &raw mut found;
        // SAFETY: the path is NUL-terminated; the structure is ours.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Path(name) => libc::statvfs(name.as_ptr(), place),
                Target::Fd(fd, _) => libc::fstatvfs(*fd, place),
            }
        })?;
        statvfs_object(&found, vm)
    }

    /// Perform an fstatvfs system call on the given fd.
    ///
    /// Equivalent to statvfs(fd).
    #[function("($module, fd, /)")]
    fn fstatvfs(fd: i32, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value of every field.
        let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
        let place = &raw mut found;
        // SAFETY: the structure is ours.
        vm.checked_call(None, || unsafe { libc::fstatvfs(fd, place) })?;
        statvfs_object(&found, vm)
    }

    /// Use the real uid/gid to test for access to a path.
    ///
    ///   path
    ///     Path to be tested; can be string, bytes, or a path-like object.
    ///   mode
    ///     Operating-system mode bitfield.  Can be F_OK to test existence,
    ///     or the inclusive-OR of R_OK, W_OK, and X_OK.
    ///   dir_fd
    ///     If not None, it should be a file descriptor open to a directory,
    ///     and path should be relative; path will then be relative to that
    ///     directory.
    ///   effective_ids
    ///     If True, access will use the effective uid/gid instead of
    ///     the real uid/gid.
    ///   follow_symlinks
    ///     If False, and the last element of the path is a symbolic link,
    ///     access will examine the symbolic link itself instead of the file
    ///     the link points to.
    ///
    /// dir_fd, effective_ids, and follow_symlinks may not be implemented
    ///   on your platform.  If they are unavailable, using them will raise a
    ///   NotImplementedError.
    ///
    /// Note that most operations will use the effective uid/gid, therefore this
    ///   routine can be used in a suid/sgid environment to test if the invoking user
    ///   has the specified access to the path.
    #[function("($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)")]
    fn access(
        path: Name,
        mode: i32,
        dir_fd: Option<DirFd>,
        effective_ids: Option<bool>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> bool {
        let mut flags = 0;
        if effective_ids == Some(true) {
            flags |= libc::AT_EACCESS;
        }
        if follow_symlinks == Some(false) {
            flags |= libc::AT_SYMLINK_NOFOLLOW;
        }
        // SAFETY: the path is NUL-terminated.
        vm.allow_threads(|| unsafe { libc::faccessat(at(dir_fd), path.as_ptr(), mode, flags) }) == 0
    }
}
