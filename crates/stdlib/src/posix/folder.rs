//! Folders: listing, making and removing them, the current one.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};

use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::warn::warn;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{DirFd, File, Folder, Name, Target, at, event_fd, same_kind};
use super::status::{stat_object, stat_path};

/// An open folder, closed on drop.
struct Stream {
    handle: *mut libc::DIR,
    /// The descriptor is a duplicate, whose position the original shares.
    shared: bool,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed here only.
        unsafe {
            if self.shared {
                libc::rewinddir(self.handle);
            }
            libc::closedir(self.handle);
        }
    }
}

impl Stream {
    fn open(target: &Target, vm: &Vm) -> PyResult<Stream> {
        match target {
            Target::Path(name) => {
                // SAFETY: the path is NUL-terminated.
                let handle = vm.allow_threads(|| unsafe { libc::opendir(name.as_ptr()) } as usize);
                if handle == 0 {
                    return Err(vm.last_os_error(Some(&name.shown)));
                }
                Ok(Stream { handle: handle as *mut libc::DIR, shared: false })
            }
            Target::Fd(fd, _) => {
                // SAFETY: plain system calls; the duplicate belongs to the stream from then on.
                unsafe {
                    let copy = libc::fcntl(*fd, libc::F_DUPFD_CLOEXEC, 0);
                    if copy < 0 {
                        return Err(vm.last_os_error(None));
                    }
                    let handle = libc::fdopendir(copy);
                    if handle.is_null() {
                        let raised = vm.last_os_error(None);
                        libc::close(copy);
                        return Err(raised);
                    }
                    Ok(Stream { handle, shared: true })
                }
            }
        }
    }

    /// The next entry besides "." and "..": name, kind and inode. `None` at the end; the number of the error.
    fn next(&self) -> Result<Option<(Vec<u8>, u8, u64)>, i32> {
        loop {
            // SAFETY: the handle is open; the entry is read before the next call.
            unsafe {
                *libc::__errno_location() = 0;
                let entry = libc::readdir(self.handle);
                if entry.is_null() {
                    let errno = *libc::__errno_location();
                    return if errno == 0 { Ok(None) } else { Err(errno) };
                }
                let name = CStr::from_ptr((&raw const (*entry).d_name).cast()).to_bytes();
                if name != b"." && name != b".." {
                    return Ok(Some((name.to_vec(), (*entry).d_type, (*entry).d_ino)));
                }
            }
        }
    }
}

/// One entry of `scandir`.
#[repr(C)]
#[derive(Traverse)]
pub struct DirEntry {
    #[traverse(skip)]
    ob: Object,
    name: ObjRef,
    path: ObjRef,
    /// What the system calls take: relative to `dir_fd` when there is one.
    #[traverse(skip)]
    place: CString,
    #[traverse(skip)]
    dir_fd: i32,
    #[traverse(skip)]
    kind: u8,
    #[traverse(skip)]
    inode: u64,
    /// The results of `stat`, following links and not.
    followed: Slot<Object>,
    itself: Slot<Object>,
}

impl DirEntry {
    fn status(&self, follow: bool, vm: &Vm) -> PyResult {
        let follow = follow && self.is_link(vm)?;
        let slot = if follow { &self.followed } else { &self.itself };
        if let Some(found) = slot.get() {
            return Ok(found);
        }
        match stat_path(&self.place, self.dir_fd, follow, vm) {
            Ok(stat) => {
                let found = stat_object(&stat, vm)?;
                slot.put(found.clone());
                Ok(found)
            }
            Err(errno) => Err(vm.os_error(errno, Some(&self.path))),
        }
    }

    fn is_link(&self, vm: &Vm) -> PyResult<bool> {
        match self.kind {
            libc::DT_UNKNOWN => self.mode_is(libc::S_IFLNK, false, vm),
            kind => Ok(kind == libc::DT_LNK),
        }
    }

    fn mode_is(&self, wanted: libc::mode_t, follow: bool, vm: &Vm) -> PyResult<bool> {
        match self.status(follow, vm) {
            Ok(found) => {
                let mode = found.downcast_ref::<Tuple>().and_then(|t| t.as_slice().first().cloned());
                let mode = mode.as_ref().and_then(|m| m.downcast_ref::<Int>()).and_then(Int::to_i64);
                Ok(mode.unwrap_or(0) as libc::mode_t & libc::S_IFMT == wanted)
            }
            Err(Raised) if vm.exception_matches(types::file_not_found_error()) => {
                vm.clear_exception();
                Ok(false)
            }
            Err(Raised) => Err(Raised),
        }
    }

    fn is_kind(&self, kind: u8, mode: libc::mode_t, follow: bool, vm: &Vm) -> PyResult<bool> {
        if self.kind == libc::DT_UNKNOWN || (self.kind == libc::DT_LNK && follow) {
            return self.mode_is(mode, follow, vm);
        }
        Ok(self.kind == kind)
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
        self.is_kind(libc::DT_DIR, libc::S_IFDIR, follow_symlinks.unwrap_or(true), vm)
    }

    /// Return True if the entry is a file; cached per entry.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn is_file(&self, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult<bool> {
        self.is_kind(libc::DT_REG, libc::S_IFREG, follow_symlinks.unwrap_or(true), vm)
    }

    /// Return True if the entry is a symbolic link; cached per entry.
    #[method("($self, /)")]
    fn is_symlink(&self, vm: &Vm) -> PyResult<bool> {
        self.is_link(vm)
    }

    /// Return True if the entry is a junction; cached per entry.
    #[method("($self, /)")]
    fn is_junction(&self) -> bool {
        false
    }

    /// Return stat_result object for the entry; cached per entry.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn stat(&self, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult {
        self.status(follow_symlinks.unwrap_or(true), vm)
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

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        Ok(format!("<DirEntry {}>", self.name.repr(vm)?.to_string_lossy()))
    }
}

/// The iterator that `scandir` gives; also a context manager.
#[repr(C)]
pub struct ScandirIterator {
    ob: Object,
    /// `None` once exhausted or closed. Never borrowed while Python code may run.
    stream: RefCell<Option<Stream>>,
    /// The folder's path and a slash; nothing for a descriptor, where entries have no folder.
    prefix: Vec<u8>,
    is_bytes: bool,
    /// The descriptor that entries are relative to, or what stands for the current folder.
    dir_fd: Cell<i32>,
}

impl ScandirIterator {
    fn entry(&self, name: Vec<u8>, kind: u8, inode: u64, vm: &Vm) -> PyResult<ObjRef> {
        let full = [self.prefix.as_slice(), &name].concat();
        let place = CString::new(full.as_slice()).map_err(|_| vm.value_error("embedded null byte"))?;
        let entry = DirEntry {
            ob: Object::new(DirEntry::type_object()),
            name: same_kind(&name, self.is_bytes, vm),
            path: same_kind(&full, self.is_bytes, vm),
            place,
            dir_fd: self.dir_fd.get(),
            kind,
            inode,
            followed: Slot::default(),
            itself: Slot::default(),
        };
        Ok(vm.new_object(entry).into_object())
    }
}

#[pytype(name = "posix.ScandirIterator", no_new, doc = "")]
impl ScandirIterator {
    #[method("($self, /)")]
    fn close(&self) {
        let stream = self.stream.try_borrow_mut().map(|mut stream| stream.take());
        drop(stream);
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
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let next = match self.stream.try_borrow().as_deref() {
            Ok(Some(stream)) => stream.next(),
            _ => return Ok(None),
        };
        match next {
            Ok(Some((name, kind, inode))) => self.entry(name, kind, inode, vm).map(Some),
            Ok(None) => {
                self.close();
                Ok(None)
            }
            Err(errno) => {
                self.close();
                Err(vm.os_error(errno, None))
            }
        }
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        let open = self.stream.try_borrow().is_ok_and(|stream| stream.is_some());
        if !open {
            return;
        }
        let shown = self.as_object().repr(vm).map(|text| text.to_string_lossy().into_owned());
        let text = format!("unclosed scandir iterator {}", shown.unwrap_or_default());
        if warn(types::resource_warning(), &text, 1, vm).is_err() {
            vm.write_unraisable(Some(self.as_object()), None);
        }
        self.close();
    }
}

fn current_folder(vm: &Vm) -> PyResult<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    match std::env::current_dir() {
        Ok(folder) => Ok(folder.into_os_string().into_vec()),
        Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None)),
    }
}

#[pyfunctions(table = FOLDER_FUNCTIONS)]
impl Posix {
    /// Return a list containing the names of the files in the directory.
    ///
    /// path can be specified as either str, bytes, or a path-like object.  If path is bytes,
    ///   the filenames returned will also be bytes; in all other circumstances
    ///   the filenames returned will be str.
    /// If path is None, uses the path='.'.
    /// On some platforms, path may also be specified as an open file descriptor;\
    ///   the file descriptor must refer to a directory.
    ///   If this functionality is unavailable, using it raises NotImplementedError.
    ///
    /// The list is in arbitrary order.  It does not include the special
    /// entries '.' and '..' even if they are present in the directory.
    #[function("($module, /, path=None)")]
    fn listdir(path: Option<Folder>, vm: &Vm) -> PyResult<Ref<List>> {
        let folder = path.unwrap_or_else(|| Folder::current(vm));
        audit("os.listdir", &[&folder.event(vm)], vm)?;
        let is_bytes = matches!(&folder.0, Target::Path(name) if name.is_bytes());
        let stream = Stream::open(&folder.0, vm)?;
        let mut names = Vec::new();
        loop {
            match stream.next() {
                Ok(Some((name, ..))) => names.push(same_kind(&name, is_bytes, vm)),
                Ok(None) => return Ok(vm.new_list(names)),
                Err(errno) => return Err(vm.os_error(errno, Some(folder.0.shown()))),
            }
        }
    }

    /// Return an iterator of DirEntry objects for given path.
    ///
    /// path can be specified as either str, bytes, or a path-like object.  If path
    /// is bytes, the names of yielded DirEntry objects will also be bytes; in
    /// all other circumstances they will be str.
    ///
    /// If path is None, uses the path='.'.
    #[function("($module, /, path=None)")]
    fn scandir(path: Option<Folder>, vm: &Vm) -> PyResult<Ref<ScandirIterator>> {
        let folder = path.unwrap_or_else(|| Folder::current(vm));
        audit("os.scandir", &[&folder.event(vm)], vm)?;
        let stream = Stream::open(&folder.0, vm)?;
        let (prefix, is_bytes, dir_fd) = match &folder.0 {
            Target::Path(name) => {
                let mut prefix = name.path.as_bytes().to_vec();
                if prefix.last() != Some(&b'/') {
                    prefix.push(b'/');
                }
                (prefix, name.is_bytes(), libc::AT_FDCWD)
            }
            Target::Fd(fd, _) => (Vec::new(), false, *fd),
        };
        Ok(vm.new_object(ScandirIterator {
            ob: Object::new(ScandirIterator::type_object()),
            stream: RefCell::new(Some(stream)),
            prefix,
            is_bytes,
            dir_fd: Cell::new(dir_fd),
        }))
    }

    /// Create a directory.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to a directory,
    ///   and path should be relative; path will then be relative to that directory.
    /// dir_fd may not be implemented on your platform.
    ///   If it is unavailable, using it will raise a NotImplementedError.
    ///
    /// The mode argument is ignored on Windows. Where it is used, the current umask
    /// value is first masked out.
    #[function("($module, /, path, mode=511, *, dir_fd=None)")]
    fn mkdir(path: Name, mode: Option<i32>, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
        let (mode, dir_fd) = (mode.unwrap_or(0o777), at(dir_fd));
        audit("os.mkdir", &[&path.shown, &vm.new_int(mode), &event_fd(dir_fd, vm)], vm)?;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(&path.shown), || unsafe {
            libc::mkdirat(dir_fd, path.as_ptr(), mode as libc::mode_t)
        })
        .map(drop)
    }

    /// Remove a directory.
    ///
    /// If dir_fd is not None, it should be a file descriptor open to a directory,
    ///   and path should be relative; path will then be relative to that directory.
    /// dir_fd may not be implemented on your platform.
    ///   If it is unavailable, using it will raise a NotImplementedError.
    #[function("($module, /, path, *, dir_fd=None)")]
    fn rmdir(path: Name, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<()> {
        let dir_fd = at(dir_fd);
        audit("os.rmdir", &[&path.shown, &event_fd(dir_fd, vm)], vm)?;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(&path.shown), || unsafe {
            libc::unlinkat(dir_fd, path.as_ptr(), libc::AT_REMOVEDIR)
        })
        .map(drop)
    }

    /// Return a unicode string representing the current working directory.
    #[function("($module, /)")]
    fn getcwd(vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(decode(&current_folder(vm)?, vm))
    }

    /// Return a bytes string representing the current working directory.
    #[function("($module, /)")]
    fn getcwdb(vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&current_folder(vm)?))
    }

    /// Change the current working directory to the specified path.
    ///
    /// path may always be specified as a string.
    /// On some platforms, path may also be specified as an open file descriptor.
    /// If this functionality is unavailable, using it raises an exception.
    #[function("($module, /, path)")]
    fn chdir(path: Target, vm: &Vm) -> PyResult<()> {
        audit("os.chdir", &[path.shown()], vm)?;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Path(name) => libc::chdir(name.as_ptr()),
                Target::Fd(fd, _) => libc::fchdir(*fd),
            }
        })
        .map(drop)
    }

    /// Change to the directory of the given file descriptor.
    ///
    /// fd must be opened on a directory, not a file.
    /// Equivalent to os.chdir(fd).
    #[function("($module, /, fd)")]
    fn fchdir(fd: File, vm: &Vm) -> PyResult<()> {
        audit("os.chdir", &[&vm.new_int(fd.0)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fchdir(fd.0) }).map(drop)
    }

    /// Change root directory to path.
    #[function("($module, /, path)")]
    fn chroot(path: Name, vm: &Vm) -> PyResult<()> {
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(&path.shown), || unsafe { libc::chroot(path.as_ptr()) }).map(drop)
    }
}
