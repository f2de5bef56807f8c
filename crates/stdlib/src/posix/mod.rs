//! `posix`: the operating system's calls under `os`.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{decode, encode, fspath};

use crate::embedded_files;

pub(crate) mod files;
pub(crate) mod process;

/// The module.
pub struct Posix;

static STAT_RESULT: StructSeq = StructSeq {
    name: "os.stat_result",
    doc: "stat_result: Result from stat, fstat, or lstat.",
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

static UNAME_RESULT: StructSeq = StructSeq {
    name: "posix.uname_result",
    doc: "uname_result: Result from os.uname().",
    fields: &[
        ("sysname", "operating system name"),
        ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"),
        ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ],
    visible: 5,
};

static TERMINAL_SIZE: StructSeq = StructSeq {
    name: "os.terminal_size",
    doc: "A tuple of (columns, lines) for holding terminal window size",
    fields: &[
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ],
    visible: 2,
};

/// A path, or a file descriptor where the call takes one.
enum Target {
    Path(CString, ObjRef),
    Fd(i32),
}

fn target(object: &Object, allow_fd: bool, name: &str, vm: &Vm) -> PyResult<Target> {
    if allow_fd && object.has_index() && object.downcast_ref::<Str>().is_none() {
        let fd = object.as_isize(vm)?;
        return i32::try_from(fd)
            .map(Target::Fd)
            .map_err(|_| vm.overflow_error("fd is greater than maximum"));
    }
    let usable = object.downcast_ref::<Str>().is_some()
        || object.downcast_ref::<Bytes>().is_some()
        || object.lookup_special(vm.ids().__fspath__, vm)?.is_some();
    if !usable {
        let kinds =
            if allow_fd { "string, bytes, os.PathLike or integer" } else { "string, bytes or os.PathLike" };
        return Err(vm.type_error(format!("{name}: path should be {kinds}, not {}", object.ob_type().name())));
    }
    let shown = fspath(object, vm)?;
    let bytes = match shown.downcast_ref::<Str>() {
        Some(text) => encode(text, vm)?,
        None => shown.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(),
    };
    match CString::new(bytes) {
        Ok(path) => Ok(Target::Path(path, shown)),
        Err(_) => Err(vm.value_error(format!("{name}: embedded null character in path"))),
    }
}

fn path(object: &Object, name: &str, vm: &Vm) -> PyResult<(CString, ObjRef)> {
    match target(object, false, name, vm)? {
        Target::Path(path, shown) => Ok((path, shown)),
        Target::Fd(_) => Err(vm.type_error("a path is wanted")),
    }
}

/// -1 becomes the exception of `errno`.
fn check(result: i32, file: Option<&Object>, vm: &Vm) -> PyResult<i32> {
    if result < 0 { Err(vm.last_os_error(file)) } else { Ok(result) }
}

/// A name as the same kind of object as the path that led to it.
fn same_kind(name: &[u8], like_bytes: bool, vm: &Vm) -> ObjRef {
    if like_bytes { vm.new_bytes(name).into_object() } else { decode(name, vm).into_object() }
}

fn stat_object(stat: &libc::stat, vm: &Vm) -> PyResult {
    let seconds = |secs: i64, nanos: i64| vm.new_float(secs as f64 + nanos as f64 * 1e-9);
    let nanos = |secs: i64, nanos: i64| {
        let total = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        vm.new_int(total as i64)
    };
    let values = vec![
        vm.new_int(stat.st_mode),
        vm.new_int(stat.st_ino),
        vm.new_int(stat.st_dev),
        vm.new_int(stat.st_nlink),
        vm.new_int(stat.st_uid),
        vm.new_int(stat.st_gid),
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

fn stat_of(object: &Object, follow: bool, name: &str, vm: &Vm) -> PyResult<libc::stat> {
    // SAFETY: zero is a valid value of every field, and the structure is ours.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    let place = &raw mut stat;
    match target(object, follow, name, vm)? {
        // SAFETY: the path is NUL-terminated; the structure is ours.
        Target::Path(path, shown) => {
            let result = vm.allow_threads(|| unsafe {
                if follow { libc::stat(path.as_ptr(), place) } else { libc::lstat(path.as_ptr(), place) }
            });
            if result < 0 {
                let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
                return embedded_files::stat(&path, vm).ok_or_else(|| vm.os_error(error, Some(&shown)));
            }
        }
        // SAFETY: as above.
        Target::Fd(fd) => {
            check(vm.allow_threads(|| unsafe { libc::fstat(fd, place) }), None, vm)?;
        }
    }
    Ok(stat)
}

/// One entry of `scandir`.
#[repr(C)]
#[derive(Traverse)]
pub struct DirEntry {
    #[traverse(skip)]
    ob: Object,
    name: ObjRef,
    path: ObjRef,
    #[traverse(skip)]
    kind: u8,
    #[traverse(skip)]
    inode: u64,
}

impl DirEntry {
    fn mode_is(&self, wanted: libc::mode_t, follow: bool, vm: &Vm) -> PyResult<bool> {
        match stat_of(&self.path, follow, "DirEntry", vm) {
            Ok(stat) => Ok(stat.st_mode & libc::S_IFMT == wanted),
            Err(Raised) if vm.exception_matches(types::file_not_found_error()) => {
                vm.clear_exception();
                Ok(false)
            }
            Err(Raised) => Err(Raised),
        }
    }
}

#[pytype(name = "posix.DirEntry", gc, no_new, doc = "")]
impl DirEntry {
    /// the entry's base filename, relative to scandir() "path" argument
    #[getter]
    fn name(&self) -> ObjRef {
        self.name.clone()
    }

    /// the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)
    #[getter]
    fn path(&self) -> ObjRef {
        self.path.clone()
    }

    /// Return True if the entry is a directory; cached per entry.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn is_dir(&self, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult<bool> {
        let follow = follow_symlinks.unwrap_or(true);
        if self.kind == libc::DT_UNKNOWN || (self.kind == libc::DT_LNK && follow) {
            return self.mode_is(libc::S_IFDIR, follow, vm);
        }
        Ok(self.kind == libc::DT_DIR)
    }

    /// Return True if the entry is a file; cached per entry.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn is_file(&self, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult<bool> {
        let follow = follow_symlinks.unwrap_or(true);
        if self.kind == libc::DT_UNKNOWN || (self.kind == libc::DT_LNK && follow) {
            return self.mode_is(libc::S_IFREG, follow, vm);
        }
        Ok(self.kind == libc::DT_REG)
    }

    /// Return True if the entry is a symbolic link; cached per entry.
    #[method("($self, /)")]
    fn is_symlink(&self, vm: &Vm) -> PyResult<bool> {
        if self.kind == libc::DT_UNKNOWN {
            self.mode_is(libc::S_IFLNK, false, vm)
        } else {
            Ok(self.kind == libc::DT_LNK)
        }
    }

    /// Return True if the entry is a junction; cached per entry.
    #[method("($self, /)")]
    fn is_junction(&self) -> bool {
        false
    }

    /// Return stat_result object for the entry; cached per entry.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn stat(&self, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult {
        stat_object(&stat_of(&self.path, follow_symlinks.unwrap_or(true), "DirEntry", vm)?, vm)
    }

    /// Return inode of the entry; cached per entry.
    #[method("($self, /)")]
    fn inode(&self) -> u64 {
        self.inode
    }

    /// Returns the path for the entry.
    #[method("($self, /)")]
    fn __fspath__(&self) -> ObjRef {
        self.path.clone()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        Ok(format!("<DirEntry {}>", self.name.repr(vm)?.to_string_lossy()))
    }
}

/// The iterator that `scandir` gives; also a context manager.
#[repr(C)]
#[derive(Traverse)]
pub struct ScandirIterator {
    #[traverse(skip)]
    ob: Object,
    entries: std::cell::RefCell<Vec<ObjRef>>,
}

#[pytype(name = "posix.ScandirIterator", gc, no_new, doc = "")]
impl ScandirIterator {
    #[method("($self, /)")]
    fn close(&self) {
        let taken = self.entries.try_borrow_mut().map(|mut entries| std::mem::take(&mut *entries));
        drop(taken);
    }

    #[method("($self, /)")]
    fn __enter__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, /, *args)")]
    fn __exit__(&self, _args: &[&Object]) {
        self.close();
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        Ok(self.entries.try_borrow_mut().ok().and_then(|mut entries| entries.pop()))
    }
}

/// Names, kinds and inodes of a folder's entries, without "." and "..".
fn read_folder(folder: &[u8], shown: &Object, vm: &Vm) -> PyResult<Vec<(Vec<u8>, u8, u64)>> {
    let Ok(folder) = CString::new(folder) else {
        return Err(vm.value_error("embedded null character in path"));
    };
    // SAFETY: the path is NUL-terminated; entries are read before the next call.
    unsafe {
        let stream = vm.allow_threads(|| libc::opendir(folder.as_ptr()));
        if stream.is_null() {
            let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            if let Some(embedded_files::Entry::Folder(names)) = embedded_files::find(&folder, vm) {
                let kind = |is_folder| if is_folder { libc::DT_DIR } else { libc::DT_REG };
                return Ok(names
                    .into_iter()
                    .map(|(name, is_folder)| (name.into_bytes(), kind(is_folder), 0))
                    .collect());
            }
            return Err(vm.os_error(error, Some(shown)));
        }
        let mut found = Vec::new();
        loop {
            let entry = libc::readdir(stream);
            if entry.is_null() {
                break;
            }
            let name = std::ffi::CStr::from_ptr((&raw const (*entry).d_name).cast()).to_bytes();
            if name != b"." && name != b".." {
                found.push((name.to_vec(), (*entry).d_type, (*entry).d_ino));
            }
        }
        libc::closedir(stream);
        Ok(found)
    }
}

/// The folder that an optional path means, as bytes, and the object for messages.
fn folder_of(object: Option<&Object>, name: &str, vm: &Vm) -> PyResult<(Vec<u8>, ObjRef, bool)> {
    match object.filter(|o| !vm.is_none(o)) {
        None => Ok((b".".to_vec(), vm.new_str(".").into_object(), false)),
        Some(object) => {
            let (path, shown) = path(object, name, vm)?;
            let is_bytes = shown.downcast_ref::<Bytes>().is_some();
            Ok((path.into_bytes(), shown, is_bytes))
        }
    }
}

macro_rules! constants {
    ($module:ident, $vm:ident, $($name:ident)*) => {$(
        $module.set(stringify!($name), &$vm.new_int(libc::$name as i64), $vm)?;
    )*};
}

/// This module provides access to operating system functionality that is
/// standardized by the C Standard and the POSIX standard (a thinly
/// disguised Unix interface).  Refer to the library manual and
/// corresponding Unix manual entries for more information on calls.
#[pymodule(name = "posix", functions(PROCESS_FUNCTIONS, Posix::MORE_FUNCTIONS, Posix::FILE_FUNCTIONS))]
impl Posix {
    /// Perform a stat system call on the given path.
    #[function("($module, /, path, *, dir_fd=None, follow_symlinks=True)")]
    fn stat(path: &Object, _dir_fd: Option<&Object>, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult {
        stat_object(&stat_of(path, follow_symlinks.unwrap_or(true), "stat", vm)?, vm)
    }

    /// Perform a stat system call on the given path, without following symbolic links.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn lstat(path: &Object, _dir_fd: Option<&Object>, vm: &Vm) -> PyResult {
        stat_object(&stat_of(path, false, "lstat", vm)?, vm)
    }

    /// Perform a stat system call on the given file descriptor.
    #[function("($module, /, fd)")]
    fn fstat(fd: &Object, vm: &Vm) -> PyResult {
        stat_object(&stat_of(fd, true, "fstat", vm)?, vm)
    }

    /// Return a list containing the names of the files in the directory.
    #[function("($module, /, path=None)")]
    fn listdir(path: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let (folder, shown, is_bytes) = folder_of(path, "listdir", vm)?;
        let names = read_folder(&folder, &shown, vm)?;
        Ok(vm.new_list(names.iter().map(|(name, _, _)| same_kind(name, is_bytes, vm)).collect::<Vec<_>>()))
    }

    /// Return an iterator of DirEntry objects for given path.
    #[function("($module, /, path=None)")]
    fn scandir(path: Option<&Object>, vm: &Vm) -> PyResult<Ref<ScandirIterator>> {
        let (folder, shown, is_bytes) = folder_of(path, "scandir", vm)?;
        let mut entries = Vec::new();
        for (name, kind, inode) in read_folder(&folder, &shown, vm)? {
            let mut full = folder.clone();
            if full.last() != Some(&b'/') {
                full.push(b'/');
            }
            full.extend_from_slice(&name);
            let entry = vm.new_object(DirEntry {
                ob: Object::new(DirEntry::type_object()),
                name: same_kind(&name, is_bytes, vm),
                path: same_kind(&full, is_bytes, vm),
                kind,
                inode,
            });
            entries.push(entry.into_object());
        }
        entries.reverse();
        Ok(vm.new_object(ScandirIterator {
            ob: Object::new(ScandirIterator::type_object()),
            entries: entries.into(),
        }))
    }

    /// Open a file for low level IO.  Returns a file descriptor (integer).
    #[function("($module, /, path, flags, mode=511, *, dir_fd=None)")]
    fn open(
        path: &Object,
        flags: i32,
        mode: Option<i32>,
        _dir_fd: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<i32> {
        let (name, shown) = self::path(path, "open", vm)?;
        let mode = mode.unwrap_or(0o777) as libc::c_uint;
        taipan_vm::runtime::audit::audit("open", &[&shown, vm.none_ref(), &vm.new_int(flags)], vm)?;
        // SAFETY: the path is NUL-terminated.
        let fd = vm.system_call(|| unsafe { libc::open(name.as_ptr(), flags | libc::O_CLOEXEC, mode) })?;
        if fd < 0 {
            let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            return embedded_files::open(&name, flags, vm).ok_or_else(|| vm.os_error(error, Some(&shown)));
        }
        Ok(fd)
    }

    /// Close a file descriptor.
    #[function("($module, /, fd)")]
    fn close(fd: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(vm.allow_threads(|| unsafe { libc::close(fd) }), None, vm).map(drop)
    }

    /// Read from a file descriptor.  Returns a bytes object.
    #[function("($module, fd, length, /)")]
    fn read(fd: i32, length: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let Ok(length) = usize::try_from(length) else { return Err(vm.os_error(libc::EINVAL, None)) };
        let mut buffer = Vec::new();
        if buffer.try_reserve_exact(length).is_err() {
            return Err(vm.memory_error());
        }
        buffer.resize(length, 0u8);
        let place = buffer.as_mut_ptr();
        // SAFETY: the buffer has that length.
        let got = vm.system_call(|| unsafe { libc::read(fd, place.cast(), length) })?;
        match usize::try_from(got) {
            Ok(got) => Ok(vm.new_bytes(buffer.get(..got).unwrap_or_default())),
            Err(_) => Err(vm.last_os_error(None)),
        }
    }

    /// Read into a buffer object from a file descriptor.
    #[function("($module, fd, buffer, /)")]
    fn readinto(fd: i32, buffer: &Object, vm: &Vm) -> PyResult<isize> {
        let mut target = buffer.get_buffer(taipan_vm::protocols::buffer::WRITABLE, vm)?;
        let Some(bytes) = target.as_bytes_mut() else {
            return Err(vm.type_error("a writable buffer is wanted"));
        };
        // SAFETY: the buffer is exported, so it stays where it is.
        let got = vm.system_call(|| unsafe { libc::read(fd, bytes.as_mut_ptr().cast(), bytes.len()) })?;
        if got < 0 { Err(vm.last_os_error(None)) } else { Ok(got) }
    }

    /// Write a bytes object to a file descriptor.
    #[function("($module, fd, data, /)")]
    fn write(fd: i32, data: BufferArg, vm: &Vm) -> PyResult<isize> {
        let bytes = data.as_bytes();
        // SAFETY: the buffer is exported, so it stays where it is.
        let put = vm.system_call(|| unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })?;
        if put < 0 { Err(vm.last_os_error(None)) } else { Ok(put) }
    }

    /// Set the position of a file descriptor.  Return the new position.
    #[function("($module, fd, position, how, /)")]
    fn lseek(fd: i32, position: i64, how: i32, vm: &Vm) -> PyResult<i64> {
        // SAFETY: a plain system call.
        let at = unsafe { libc::lseek(fd, position, how) };
        if at < 0 { Err(vm.last_os_error(None)) } else { Ok(at) }
    }

    /// Truncate a file, specified by file descriptor, to a specific length.
    #[function("($module, fd, length, /)")]
    fn ftruncate(fd: i32, length: i64, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(vm.allow_threads(|| unsafe { libc::ftruncate(fd, length) }), None, vm).map(drop)
    }

    /// Force write of fd to disk.
    #[function("($module, /, fd)")]
    fn fsync(fd: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(vm.allow_threads(|| unsafe { libc::fsync(fd) }), None, vm).map(drop)
    }

    /// Return a duplicate of a file descriptor.
    #[function("($module, fd, /)")]
    fn dup(fd: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) }, None, vm)
    }

    /// Duplicate file descriptor.
    #[function("($module, /, fd, fd2, inheritable=True)")]
    fn dup2(fd: i32, fd2: i32, inheritable: Option<bool>, vm: &Vm) -> PyResult<i32> {
        let flags = if inheritable.unwrap_or(true) { 0 } else { libc::O_CLOEXEC };
        // SAFETY: plain system calls.
        check(unsafe { if flags == 0 { libc::dup2(fd, fd2) } else { libc::dup3(fd, fd2, flags) } }, None, vm)
    }

    /// Create a pipe.
    ///
    /// Returns a tuple of two file descriptors:
    ///   (read_fd, write_fd)
    #[function("($module, /)")]
    fn pipe(vm: &Vm) -> PyResult<(i32, i32)> {
        let mut ends = [0; 2];
        // SAFETY: the array has two places.
        check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, None, vm)?;
        let [read, write] = ends;
        Ok((read, write))
    }

    /// Return True if the fd is connected to a terminal.
    #[function("($module, fd, /)")]
    fn isatty(fd: i32) -> bool {
        // SAFETY: a plain call.
        unsafe { libc::isatty(fd) == 1 }
    }

    /// Get the close-on-exe flag of the specified file descriptor.
    #[function("($module, fd, /)")]
    fn get_inheritable(fd: i32, vm: &Vm) -> PyResult<bool> {
        // SAFETY: a plain system call.
        let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) }, None, vm)?;
        Ok(flags & libc::FD_CLOEXEC == 0)
    }

    /// Set the inheritable flag of the specified file descriptor.
    #[function("($module, fd, inheritable, /)")]
    fn set_inheritable(fd: i32, inheritable: bool, vm: &Vm) -> PyResult<()> {
        let flags = if inheritable { 0 } else { libc::FD_CLOEXEC };
        // SAFETY: a plain system call.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, flags) }, None, vm).map(drop)
    }

    /// Use the real uid/gid to test for access to a path.
    #[function("($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)")]
    fn access(
        path: &Object,
        mode: i32,
        _dir_fd: Option<&Object>,
        _effective_ids: Option<bool>,
        _follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<bool> {
        let (name, _) = self::path(path, "access", vm)?;
        // SAFETY: the path is NUL-terminated.
        Ok(vm.allow_threads(|| unsafe { libc::access(name.as_ptr(), mode) }) == 0)
    }

    /// Create a directory.
    #[function("($module, /, path, mode=511, *, dir_fd=None)")]
    fn mkdir(path: &Object, mode: Option<i32>, _dir_fd: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (name, shown) = self::path(path, "mkdir", vm)?;
        let mode = mode.unwrap_or(0o777) as libc::mode_t;
        // SAFETY: the path is NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::mkdir(name.as_ptr(), mode) }), Some(&shown), vm).map(drop)
    }

    /// Remove a directory.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn rmdir(path: &Object, _dir_fd: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (name, shown) = self::path(path, "rmdir", vm)?;
        // SAFETY: the path is NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::rmdir(name.as_ptr()) }), Some(&shown), vm).map(drop)
    }

    /// Remove a file (same as remove()).
    #[function("($module, /, path, *, dir_fd=None)")]
    fn unlink(path: &Object, _dir_fd: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (name, shown) = self::path(path, "unlink", vm)?;
        // SAFETY: the path is NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::unlink(name.as_ptr()) }), Some(&shown), vm).map(drop)
    }

    /// Remove a file (same as unlink()).
    #[function("($module, /, path, *, dir_fd=None)")]
    fn remove(path: &Object, dir_fd: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Posix::unlink(path, dir_fd, vm)
    }

    /// Rename a file or directory.
    #[function("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn rename(src: &Object, dst: &Object, _a: Option<&Object>, _b: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let ((from, shown), (to, _)) = (path(src, "rename", vm)?, path(dst, "rename", vm)?);
        // SAFETY: the paths are NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::rename(from.as_ptr(), to.as_ptr()) }), Some(&shown), vm)
            .map(drop)
    }

    /// Rename a file or directory, overwriting the destination.
    #[function("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn replace(src: &Object, dst: &Object, a: Option<&Object>, b: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Posix::rename(src, dst, a, b, vm)
    }

    /// Return a string representing the path to which the symbolic link points.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn readlink(path: &Object, _dir_fd: Option<&Object>, vm: &Vm) -> PyResult {
        let (name, shown) = self::path(path, "readlink", vm)?;
        match std::fs::read_link(std::ffi::OsStr::from_bytes(name.as_bytes())) {
            Ok(found) => {
                let is_bytes = shown.downcast_ref::<Bytes>().is_some();
                Ok(same_kind(found.as_os_str().as_bytes(), is_bytes, vm))
            }
            Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), Some(&shown))),
        }
    }

    /// Create a symbolic link pointing to src named dst.
    #[function("($module, /, src, dst, target_is_directory=False, *, dir_fd=None)")]
    fn symlink(
        src: &Object,
        dst: &Object,
        _is_dir: Option<bool>,
        _dir_fd: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let ((from, shown), (to, _)) = (path(src, "symlink", vm)?, path(dst, "symlink", vm)?);
        // SAFETY: the paths are NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::symlink(from.as_ptr(), to.as_ptr()) }), Some(&shown), vm)
            .map(drop)
    }

    /// Change the access permissions of a file.
    #[function("($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)")]
    fn chmod(
        path: &Object,
        mode: i32,
        _dir_fd: Option<&Object>,
        _follow: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (name, shown) = self::path(path, "chmod", vm)?;
        // SAFETY: the path is NUL-terminated.
        let result = vm.allow_threads(|| unsafe { libc::chmod(name.as_ptr(), mode as libc::mode_t) });
        check(result, Some(&shown), vm).map(drop)
    }

    /// Return a unicode string representing the current working directory.
    #[function("($module, /)")]
    fn getcwd(vm: &Vm) -> PyResult<Ref<Str>> {
        match std::env::current_dir() {
            Ok(folder) => Ok(decode(folder.as_os_str().as_bytes(), vm)),
            Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None)),
        }
    }

    /// Return a bytes string representing the current working directory.
    #[function("($module, /)")]
    fn getcwdb(vm: &Vm) -> PyResult<Ref<Bytes>> {
        match std::env::current_dir() {
            Ok(folder) => Ok(vm.new_bytes(folder.as_os_str().as_bytes())),
            Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None)),
        }
    }

    /// Change the current working directory to the specified path.
    #[function("($module, /, path)")]
    fn chdir(path: &Object, vm: &Vm) -> PyResult<()> {
        let (name, shown) = self::path(path, "chdir", vm)?;
        // SAFETY: the path is NUL-terminated.
        check(vm.allow_threads(|| unsafe { libc::chdir(name.as_ptr()) }), Some(&shown), vm).map(drop)
    }

    /// Return the file system path representation of the object.
    #[function("($module, /, path)")]
    fn fspath(path: &Object, vm: &Vm) -> PyResult {
        fspath(path, vm)
    }

    /// Return a bytes object containing random bytes suitable for cryptographic use.
    #[function("($module, size, /)")]
    fn urandom(size: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error("negative argument not allowed"));
        };
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        bytes.resize(size, 0u8);
        for part in bytes.chunks_mut(256) {
            // SAFETY: the part has that length.
            if unsafe { libc::getrandom(part.as_mut_ptr().cast(), part.len(), 0) } < 0 {
                return Err(vm.last_os_error(None));
            }
        }
        Ok(vm.new_bytes(&bytes))
    }

    /// Translate an error code to a message string.
    #[function("($module, code, /)")]
    fn strerror(code: i32) -> String {
        taipan_vm::exceptions::os_error::strerror(code)
    }

    /// Change or add an environment variable.
    #[function("($module, name, value, /)")]
    fn putenv(name: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        let (name, value) = (os_string(name, vm)?, os_string(value, vm)?);
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        // SAFETY: the interpreter's lock keeps other Python threads from the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
        Ok(())
    }

    /// Delete an environment variable.
    #[function("($module, name, /)")]
    fn unsetenv(name: &Object, vm: &Vm) -> PyResult<()> {
        let name = os_string(name, vm)?;
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        // SAFETY: as above.
        unsafe { std::env::remove_var(name) };
        Ok(())
    }

    /// Normalize path, eliminating double slashes, etc.
    #[function("($module, /, path)")]
    fn _path_normpath(path: &Object, vm: &Vm) -> PyResult {
        let given = fspath(path, vm)?;
        let is_bytes = given.downcast_ref::<Bytes>().is_some();
        let bytes = taipan_vm::protocols::path::path_bytes(&given, "", vm)?;
        let leading = bytes.iter().take_while(|b| **b == b'/').count();
        let mut kept: Vec<&[u8]> = Vec::new();
        for part in bytes.split(|b| *b == b'/') {
            let climbs = part == b".." && (kept.last().is_none_or(|last| *last == b"..")) && leading == 0;
            match part {
                b"" | b"." => {}
                b".." if !climbs => {
                    kept.pop();
                }
                part => kept.push(part),
            }
        }
        // Exactly two slashes in front mean something of their own (POSIX).
        let mut out = vec![b'/'; if leading == 2 { 2 } else { leading.min(1) }];
        out.extend_from_slice(&kept.join(&b'/'));
        if out.is_empty() {
            out.push(b'.');
        }
        Ok(same_kind(&out, is_bytes, vm))
    }

    /// Split a pathname into drive, root and tail.
    #[function("($module, /, p)")]
    fn _path_splitroot_ex(p: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let given = fspath(p, vm)?;
        let is_bytes = given.downcast_ref::<Bytes>().is_some();
        let bytes = taipan_vm::protocols::path::path_bytes(&given, "", vm)?;
        let leading = bytes.iter().take_while(|b| **b == b'/').count();
        let root = match leading {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        let (root, tail) = bytes.split_at(root);
        Ok(vm.new_tuple([b"".as_slice(), root, tail].map(|part| same_kind(part, is_bytes, vm))))
    }

    /// Return a string representing the uname of the system.
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

    /// Return the size of the terminal window as (columns, lines).
    #[function("($module, fd=1, /)")]
    fn get_terminal_size(fd: Option<i32>, vm: &Vm) -> PyResult {
        // SAFETY: zero is a valid value; the structure is ours.
        let size = unsafe {
            let mut size: libc::winsize = std::mem::zeroed();
            check(libc::ioctl(fd.unwrap_or(1), libc::TIOCGWINSZ, &raw mut size), None, vm)?;
            size
        };
        TERMINAL_SIZE.instance(vec![vm.new_int(size.ws_col), vm.new_int(size.ws_row)], vm)
    }

    /// Return the number of logical CPUs in the system.
    #[function("($module, /)")]
    fn cpu_count(vm: &Vm) -> ObjRef {
        let set = vm.interp().config.borrow().cpu_count;
        if set > 0 {
            return vm.new_int(set);
        }
        match std::thread::available_parallelism() {
            Ok(count) => vm.new_int(count.get()),
            Err(_) => vm.none(),
        }
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        constants! { module, vm,
            F_OK R_OK W_OK X_OK O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_CLOEXEC O_SYNC
            O_DSYNC O_DIRECTORY O_NOFOLLOW O_NOCTTY O_TMPFILE O_PATH O_ACCMODE SEEK_DATA SEEK_HOLE WNOHANG WUNTRACED
            WCONTINUED P_PID P_PGID P_ALL WEXITED WSTOPPED WNOWAIT RTLD_LAZY RTLD_NOW RTLD_GLOBAL RTLD_LOCAL RTLD_NODELETE RTLD_NOLOAD RTLD_DEEPBIND
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
        ];
        for (name, value) in exits {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("TMP_MAX", &vm.new_int(238_328), vm)?;
        module.set("NGROUPS_MAX", &vm.new_int(65_536), vm)?;
        let environ = vm.new_dict();
        for (name, value) in std::env::vars_os() {
            environ.set_item(
                vm.new_bytes(name.as_bytes()).as_object(),
                vm.new_bytes(value.as_bytes()).as_object(),
                vm,
            )?;
        }
        module.set("environ", environ.as_object(), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        module.set("stat_result", STAT_RESULT.get(vm)?.as_object(), vm)?;
        module.set("uname_result", UNAME_RESULT.get(vm)?.as_object(), vm)?;
        module.set("terminal_size", TERMINAL_SIZE.get(vm)?.as_object(), vm)?;
        taipan_vm::builtins::type_::type_ready(DirEntry::type_object(), vm)?;
        module.set("DirEntry", DirEntry::type_object().as_object(), vm)?;
        process::constants(module, vm)?;
        files::constants(module, vm)?;
        // What `os` may tell of itself in its `supports_*` sets.
        let have = ["HAVE_FSTATAT"; 0].map(|name| vm.new_str(name).into_object());
        module.set("_have_functions", vm.new_list(have).as_object(), vm)
    }
}

fn os_string(object: &Object, vm: &Vm) -> PyResult<OsString> {
    let given = fspath(object, vm)?;
    taipan_vm::protocols::path::path_bytes(&given, "", vm).map(OsString::from_vec)
}

#[pyfunctions(table = PROCESS_FUNCTIONS)]
impl Posix {
    /// Return the current process id.
    #[function("($module, /)")]
    fn getpid() -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::getpid() }
    }

    /// Return the parent's process id.
    #[function("($module, /)")]
    fn getppid() -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::getppid() }
    }

    /// Return the current process's user id.
    #[function("($module, /)")]
    fn getuid() -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::getuid() }
    }

    /// Return the current process's effective user id.
    #[function("($module, /)")]
    fn geteuid() -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::geteuid() }
    }

    /// Return the current process's group id.
    #[function("($module, /)")]
    fn getgid() -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::getgid() }
    }

    /// Return the current process's effective group id.
    #[function("($module, /)")]
    fn getegid() -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::getegid() }
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
        // SAFETY: a plain system call.
        check(unsafe { libc::kill(pid, signal) }, None, vm)?;
        // A signal to ourselves is served before the call returns.
        taipan_vm::runtime::pending::handle(vm)
    }

    /// Convert a wait status to an exit code.
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
    #[function("($module, /)")]
    fn abort() {
        std::process::abort()
    }
}
