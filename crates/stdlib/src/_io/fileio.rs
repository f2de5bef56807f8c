//! `FileIO`: a file descriptor as a raw stream.

use std::cell::Cell;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::prelude::*;

use super::iobase::{IoBase, RawIoBase, size_arg, unsupported};

/// The most that the system moves at once.
const MOST: usize = 0x7fff_f000;
/// Files above this size are asked where they stand before all of the rest is read.
const LARGE: i64 = 65_536;

/// The layout of `FileIO`.
#[repr(C)]
#[derive(Traverse)]
pub struct FileIo {
    base: IoBase,
    #[traverse(skip)]
    pub(super) fd: Cell<i32>,
    #[traverse(skip)]
    mode: Cell<Mode>,
    #[traverse(skip)]
    closefd: Cell<bool>,
    #[traverse(skip)]
    seekable: Cell<Option<bool>>,
    #[traverse(skip)]
    blksize: Cell<i64>,
    /// The size when the file was opened; negative when it is not known any more.
    #[traverse(skip)]
    size_at_open: Cell<i64>,
    #[traverse(skip)]
    finalizing: Cell<bool>,
    /// Whether it was a character device, or nobody knows what, when it was opened.
    #[traverse(skip)]
    device: Cell<bool>,
}

#[derive(Clone, Copy, Default)]
struct Mode {
    readable: bool,
    writable: bool,
    created: bool,
    appending: bool,
}

impl Mode {
    fn parse(text: &str, vm: &Vm) -> PyResult<(Mode, i32)> {
        let mut mode = Mode::default();
        let (mut kinds, mut plus, mut flags) = (0, 0, 0);
        for letter in text.chars() {
            match letter {
                'r' => {
                    kinds += 1;
                    mode.readable = true;
                }
                'w' => {
                    kinds += 1;
                    mode.writable = true;
                    flags |= libc::O_CREAT | libc::O_TRUNC;
                }
                'x' => {
                    kinds += 1;
                    mode.created = true;
                    mode.writable = true;
                    flags |= libc::O_CREAT | libc::O_EXCL;
                }
                'a' => {
                    kinds += 1;
                    mode.appending = true;
                    mode.writable = true;
                    flags |= libc::O_CREAT | libc::O_APPEND;
                }
                '+' => plus += 1,
                'b' => {}
                _ => return Err(vm.value_error(format!("invalid mode: {text}"))),
            }
        }
        if kinds != 1 || plus > 1 {
            return Err(
                vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus")
            );
        }
        if plus == 1 {
            mode.readable = true;
            mode.writable = true;
        }
        flags |= match (mode.readable, mode.writable) {
            (true, true) => libc::O_RDWR,
            (false, true) => libc::O_WRONLY,
            _ => libc::O_RDONLY,
        };
        Ok((mode, flags | libc::O_CLOEXEC))
    }

    fn text(self) -> &'static str {
        match (self.created, self.appending, self.readable, self.writable) {
            (true, _, true, _) => "xb+",
            (true, ..) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, ..) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        }
    }
}

/// Runs a system call without the lock until it isn't interrupted; signal handlers run in between.
pub fn retry(vm: &Vm, filename: Option<&Object>, mut call: impl FnMut() -> isize) -> PyResult<isize> {
    loop {
        let result = vm.allow_threads(&mut call);
        if result >= 0 {
            return Ok(result);
        }
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return Err(vm.last_os_error(filename));
        }
        taipan_vm::runtime::pending::handle(vm)?;
    }
}

impl FileIo {
    fn empty() -> FileIo {
        FileIo {
            base: IoBase::of(Self::type_object()),
            fd: Cell::new(-1),
            mode: Cell::default(),
            closefd: Cell::new(true),
            seekable: Cell::new(None),
            blksize: Cell::new(super::DEFAULT_BUFFER_SIZE as i64),
            size_at_open: Cell::new(-1),
            finalizing: Cell::new(false),
            device: Cell::new(true),
        }
    }

    /// `FileIO(file, mode, closefd, opener)`.
    pub fn opened(
        file: &Object,
        mode: &str,
        closefd: bool,
        opener: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<FileIo>> {
        let made = vm.new_object(FileIo::empty());
        made.init(file, mode, closefd, OrNone(opener), vm)?;
        Ok(made)
    }

    fn closed_fd(&self, vm: &Vm) -> PyResult<i32> {
        let fd = self.fd.get();
        if fd < 0 { Err(vm.value_error("I/O operation on closed file")) } else { Ok(fd) }
    }

    fn need_readable(&self, vm: &Vm) -> PyResult<i32> {
        let fd = self.closed_fd(vm)?;
        if self.mode.get().readable { Ok(fd) } else { Err(unsupported("File not open for reading", vm)) }
    }

    fn need_writable(&self, vm: &Vm) -> PyResult<i32> {
        let fd = self.closed_fd(vm)?;
        if self.mode.get().writable { Ok(fd) } else { Err(unsupported("File not open for writing", vm)) }
    }

    /// Reads into the spare room of `out`, at most `size` bytes. `None` means that the descriptor would block.
    pub fn read_some(&self, out: &mut Vec<u8>, size: usize, vm: &Vm) -> PyResult<Option<usize>> {
        let fd = self.need_readable(vm)?;
        if out.try_reserve(size).is_err() {
            return Err(vm.memory_error());
        }
        let start = out.len();
        // SAFETY: the reserved room holds `size` bytes.
        let space = unsafe { out.as_mut_ptr().add(start) } as usize;
        // SAFETY: as above; nobody else has the vector.
        match retry(vm, None, || unsafe { libc::read(fd, space as *mut libc::c_void, size) }) {
            Ok(count) => {
                // SAFETY: the system filled that many.
                unsafe { out.set_len(start + count as usize) };
                Ok(Some(count as usize))
            }
            Err(raised) => would_block(raised, vm).map(|()| None),
        }
    }

    /// Writes once. `None` means that the descriptor would block.
    pub fn write_some(&self, data: &[u8], vm: &Vm) -> PyResult<Option<usize>> {
        let fd = self.need_writable(vm)?;
        let (start, len) = (data.as_ptr() as usize, data.len().min(MOST));
        // SAFETY: the data is borrowed for the time of the call.
        match retry(vm, None, || unsafe { libc::write(fd, start as *const libc::c_void, len) }) {
            Ok(count) => Ok(Some(count as usize)),
            Err(raised) => would_block(raised, vm).map(|()| None),
        }
    }

    /// Reads at most `len` bytes to `to`. `None` means that the descriptor would block.
    ///
    /// # Safety
    /// `to` has room for `len` bytes, which nobody else touches meanwhile.
    pub unsafe fn read_to(&self, to: *mut u8, len: usize, vm: &Vm) -> PyResult<Option<usize>> {
        let fd = self.need_readable(vm)?;
        let (start, len) = (to as usize, len.min(MOST));
        // SAFETY: the caller's promise.
        match retry(vm, None, || unsafe { libc::read(fd, start as *mut libc::c_void, len) }) {
            Ok(count) => Ok(Some(count as usize)),
            Err(raised) => would_block(raised, vm).map(|()| None),
        }
    }

    /// Whether the file was opened for reading.
    pub fn can_read(&self) -> bool {
        self.mode.get().readable
    }

    /// Whether the file was opened for writing.
    pub fn can_write(&self) -> bool {
        self.mode.get().writable
    }

    /// The size of blocks that suits the file.
    pub fn block_size(&self) -> i64 {
        self.blksize.get()
    }

    /// `isatty`, answered without the system when the file was no device when it was opened.
    pub fn is_terminal_when_opened(&self, vm: &Vm) -> PyResult<bool> {
        let fd = self.closed_fd(vm)?;
        // SAFETY: a plain system call.
        Ok(self.device.get() && unsafe { libc::isatty(fd) } == 1)
    }

    /// `lseek`.
    pub fn seek_to(&self, offset: i64, whence: i32, vm: &Vm) -> PyResult<i64> {
        let fd = self.closed_fd(vm)?;
        // SAFETY: a plain system call.
        let position = vm.allow_threads(|| unsafe { libc::lseek(fd, offset, whence) });
        if self.seekable.get().is_none() {
            self.seekable.set(Some(position >= 0));
        }
        if position < 0 { Err(vm.last_os_error(None)) } else { Ok(position) }
    }

    fn close_descriptor(&self, vm: &Vm) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        // SAFETY: a plain system call; the number is ours to close.
        if fd >= 0 && vm.allow_threads(|| unsafe { libc::close(fd) }) < 0 {
            let error = std::io::Error::last_os_error().raw_os_error();
            if error != Some(libc::EINTR) {
                return Err(vm.os_error(error.unwrap_or(0), None));
            }
        }
        Ok(())
    }
}

fn would_block(raised: Raised, vm: &Vm) -> PyResult<()> {
    if vm.exception_matches(types::blocking_io_error()) {
        vm.clear_exception();
        return Ok(());
    }
    Err(raised)
}

/// Open a file.
///
/// The mode can be 'r' (default), 'w', 'x' or 'a' for reading,
/// writing, exclusive creation or appending.  The file will be created if it
/// doesn't exist when opened for writing or appending; it will be truncated
/// when opened for writing.  A FileExistsError will be raised if it already
/// exists when opened for creating. Opening a file for creating implies
/// writing so this mode behaves in a similar way to 'w'.Add a '+' to the mode
/// to allow simultaneous reading and writing. A custom opener can be used by
/// passing a callable as *opener*. The underlying file descriptor for the file
/// object is then obtained by calling opener with (*name*, *flags*).
/// *opener* must return an open file descriptor (passing os.open as *opener*
/// results in functionality similar to passing None).
#[pytype(name = "_io.FileIO", base = RawIoBase, flags(BASETYPE), gc, members(_finalizing: BOOL = finalizing))]
impl FileIo {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, FileIo::empty())
    }

    #[init("(file, mode='r', closefd=True, opener=None)")]
    fn init(
        &self,
        file: &Object,
        mode: &str,
        closefd: bool,
        opener: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        if self.fd.get() >= 0 {
            if self.closefd.get() {
                self.close_descriptor(vm)?;
            } else {
                self.fd.set(-1);
            }
        }
        let (parsed, flags) = Mode::parse(mode, vm)?;
        self.mode.set(parsed);
        self.closefd.set(closefd);
        self.seekable.set(None);
        let is_number = file.downcast_ref::<Int>().is_some()
            || (file.downcast_ref::<Str>().is_none() && file.has_index());
        let audit_open = |vm: &Vm| {
            let event = [file, &*vm.new_str(mode).into_object(), &*vm.new_int(flags)];
            taipan_vm::runtime::audit::audit("open", &event, vm)
        };
        let mut own = true;
        if is_number {
            if file.downcast_ref::<Bool>().is_some() {
                let text = "bool is used as a file descriptor";
                taipan_vm::builtins::warn::warn(types::runtime_warning(), text, 1, vm)?;
            }
            let fd = file.as_index(vm)?.to_i64().and_then(|fd| i32::try_from(fd).ok());
            let Some(fd) = fd else {
                return Err(vm.overflow_error("Python int too large to convert to C int"));
            };
            if fd < 0 {
                return Err(vm.value_error("negative file descriptor"));
            }
            audit_open(vm)?;
            self.fd.set(fd);
            own = false;
        } else {
            let object = taipan_vm::protocols::path::fspath(file, vm)?;
            let path = match taipan_vm::protocols::path::path_bytes(&object, "", vm) {
                Ok(path) => path,
                Err(raised) if vm.exception_matches(types::unicode_error()) => return Err(raised),
                Err(_) => {
                    vm.clear_exception();
                    return Err(vm.value_error("embedded null byte"));
                }
            };
            audit_open(vm)?;
            if !closefd {
                return Err(vm.value_error("Cannot use closefd=False with file name"));
            }
            match opener.0 {
                Some(opener) => {
                    let fd = opener.call(&[file, &vm.new_int(flags)], vm)?;
                    if fd.downcast_ref::<Int>().is_none() {
                        return Err(vm.type_error("expected integer from opener"));
                    }
                    let fd = fd.as_isize(vm)?;
                    if fd < 0 {
                        return Err(vm.value_error(format!("opener returned {fd}")));
                    }
                    self.fd.set(fd as i32);
                    // SAFETY: a plain system call.
                    unsafe { libc::fcntl(fd as i32, libc::F_SETFD, libc::FD_CLOEXEC) };
                }
                None => {
                    let Ok(path) = CString::new(std::ffi::OsStr::from_bytes(&path).as_bytes()) else {
                        return Err(vm.value_error("embedded null byte"));
                    };
                    let opened = retry(vm, Some(file), || {
                        // SAFETY: the path ends with NUL.
                        unsafe { libc::open(path.as_ptr(), flags, 0o666) as isize }
                    });
                    let fd = match opened {
                        Ok(fd) => fd as i32,
                        Err(raised) => {
                            let missing = vm.exception_matches(types::not_a_directory_error())
                                || vm.exception_matches(types::file_not_found_error());
                            let library = taipan_vm::import::library_files::open(path.to_bytes(), flags, vm);
                            let Some(opened) = library.filter(|_| missing) else { return Err(raised) };
                            vm.clear_exception();
                            opened.map_err(|error| vm.os_error(error, Some(file)))?
                        }
                    };
                    self.fd.set(fd);
                }
            }
        }
        // SAFETY: zeroed stat is valid, and the system fills it.
        let (status, stat) = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            (libc::fstat(self.fd.get(), &raw mut stat), stat)
        };
        let fail = |raised: Raised| {
            let waiting = vm.take_exception();
            if own {
                if self.close_descriptor(vm).is_err() {
                    vm.clear_exception();
                }
            } else {
                self.fd.set(-1);
            }
            vm.current_exception.set(waiting);
            raised
        };
        if status < 0 {
            if std::io::Error::last_os_error().raw_os_error() == Some(libc::EBADF) {
                let raised = vm.os_error(libc::EBADF, if is_number { None } else { Some(file) });
                self.fd.set(-1);
                return Err(raised);
            }
        } else {
            if stat.st_mode & libc::S_IFMT == libc::S_IFDIR {
                let raised = vm.os_error(libc::EISDIR, Some(file));
                return Err(fail(raised));
            }
            self.device.set(stat.st_mode & libc::S_IFMT == libc::S_IFCHR);
            self.size_at_open.set(stat.st_size);
            if stat.st_blksize > 1 {
                self.blksize.set(stat.st_blksize);
            }
        }
        if let Err(raised) = self.as_object().set_attr(vm.ids().name, file, vm) {
            return Err(fail(raised));
        }
        if parsed.appending {
            // SAFETY: a plain system call; pipes refuse, which is fine.
            unsafe { libc::lseek(self.fd.get(), 0, libc::SEEK_END) };
        }
        Ok(())
    }

    #[method("($self, object, /)")]
    fn _dealloc_warn(&self, source: &Object, vm: &Vm) {
        if self.fd.get() < 0 || !self.closefd.get() {
            return;
        }
        let waiting = vm.take_exception();
        let warned = source.repr(vm).and_then(|shown| {
            super::resource_warning(&format!("unclosed file {}", shown.to_string_lossy()), source, vm)
        });
        if warned.is_err() {
            // Other errors than the warning itself mean that the interpreter is about to end.
            if vm.exception_matches(types::warning()) {
                let file = Some(self.as_object());
                taipan_vm::exceptions::unraisable::write_unraisable_while("while finalizing file", file, vm);
            } else {
                vm.clear_exception();
            }
        }
        vm.current_exception.set(waiting);
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult {
        Err(super::iobase::cannot_pickle(self.as_object(), vm))
    }

    /// Close the file.
    ///
    /// A closed file cannot be used for further I/O operations.  close() may be
    /// called more than once without error.
    #[method("~($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        let this = self.as_object();
        // A subclass may flush something of its own, whose failure doesn't keep the descriptor open.
        let flushed = super::iobase::close_base(this, vm);
        if !self.closefd.get() {
            self.fd.set(-1);
            return flushed;
        }
        let first = if flushed.is_err() { vm.take_exception() } else { None };
        if self.finalizing.get() {
            self._dealloc_warn(this, vm);
        }
        let closed = self.close_descriptor(vm);
        super::iobase::chain(first, closed, vm)
    }

    /// True if file supports random-access.
    #[method("($self, /)")]
    pub fn seekable(&self, vm: &Vm) -> PyResult<bool> {
        let fd = self.closed_fd(vm)?;
        if let Some(known) = self.seekable.get() {
            return Ok(known);
        }
        // SAFETY: a plain system call.
        let answer = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } >= 0;
        self.seekable.set(Some(answer));
        Ok(answer)
    }

    /// True if file was opened in a read mode.
    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult<bool> {
        self.closed_fd(vm)?;
        Ok(self.mode.get().readable)
    }

    /// True if file was opened in a write mode.
    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult<bool> {
        self.closed_fd(vm)?;
        Ok(self.mode.get().writable)
    }

    /// Return the underlying file descriptor (an integer).
    #[method("($self, /)")]
    fn fileno(&self, vm: &Vm) -> PyResult<i32> {
        self.closed_fd(vm)
    }

    /// True if the file is connected to a TTY device.
    #[method("($self, /)")]
    fn isatty(&self, vm: &Vm) -> PyResult<bool> {
        let fd = self.closed_fd(vm)?;
        // SAFETY: a plain system call.
        Ok(unsafe { libc::isatty(fd) } == 1)
    }

    /// Read at most size bytes, returned as bytes.
    #[method("~($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult {
        self.need_readable(vm)?;
        let size = size_arg(size, vm)?;
        if size < 0 {
            return self.readall(vm);
        }
        let mut data = Vec::new();
        match self.read_some(&mut data, (size as usize).min(MOST), vm)? {
            Some(_) => Ok(vm.new_bytes(&data).into_object()),
            None => Ok(vm.none()),
        }
    }

    /// Read all data from the file, returned as bytes.
    ///
    /// Reads until either there is an error or read() returns size 0 (EOF).
    /// If the file is in non-blocking mode, returns as much as is immediately available, or None if no data.
    #[method("($self, /)")]
    pub fn readall(&self, vm: &Vm) -> PyResult {
        let fd = self.need_readable(vm)?;
        let mut rest = self.size_at_open.get();
        if rest < 0 {
            // SAFETY: zeroed stat is valid, and the system fills it.
            rest = unsafe {
                let mut stat: libc::stat = std::mem::zeroed();
                if libc::fstat(fd, &raw mut stat) == 0 { stat.st_size } else { 0 }
            };
        }
        // Where much may have been read already, it is worth asking where the file stands.
        if rest > LARGE {
            // SAFETY: a plain system call.
            let position = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
            rest = if position >= 0 { (rest - position).max(0) } else { rest };
        }
        let mut data = Vec::new();
        let mut chunk = (rest as usize).saturating_add(1).clamp(8192, MOST);
        loop {
            match self.read_some(&mut data, chunk, vm)? {
                Some(0) => break,
                Some(_) => chunk = (data.capacity() - data.len()).max(data.len().clamp(8192, 1 << 20)),
                None if data.is_empty() => return Ok(vm.none()),
                None => break,
            }
        }
        Ok(vm.new_bytes(&data).into_object())
    }

    /// Same as RawIOBase.readinto().
    #[method("~($self, buffer, /)")]
    fn readinto(&self, buffer: &Object, vm: &Vm) -> PyResult {
        let fd = self.need_readable(vm)?;
        let mut target = super::writable_buffer(buffer, "readinto() argument 1", vm)?;
        let Some(space) = target.as_bytes_mut() else {
            return Err(vm.type_error("readinto() argument must be read-write bytes-like object"));
        };
        let (start, len) = (space.as_mut_ptr() as usize, space.len().min(MOST));
        // SAFETY: the buffer is held for the time of the call.
        match retry(vm, None, || unsafe { libc::read(fd, start as *mut libc::c_void, len) }) {
            Ok(count) => Ok(vm.new_int(count)),
            Err(raised) => would_block(raised, vm).map(|()| vm.none()),
        }
    }

    /// Write buffer b to file, return number of bytes written.
    ///
    /// Only makes one system call, so not all of the data may be written.
    /// The number of bytes actually written is returned.  In non-blocking mode,
    /// returns None if the write would block.
    #[method("~($self, b, /)")]
    fn write(&self, b: BufferArg, vm: &Vm) -> PyResult<Option<usize>> {
        self.write_some(b.as_bytes(), vm)
    }

    /// Move to new file position and return the file position.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: &Object, whence: i32, vm: &Vm) -> PyResult<i64> {
        self.closed_fd(vm)?;
        if pos.downcast_ref::<Float>().is_some() {
            return Err(vm.type_error("an integer is required"));
        }
        let pos = <i64 as FromArg>::from_arg(pos, &super::NO_NAME, vm)?;
        self.seek_to(pos, whence, vm)
    }

    /// Current file position.
    ///
    /// Can raise OSError for non seekable files.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<i64> {
        self.seek_to(0, libc::SEEK_CUR, vm)
    }

    /// Truncate the file to at most size bytes and return the truncated size.
    ///
    /// Size defaults to the current file position, as returned by tell().
    /// The current file position is changed to the value of size.
    #[method("~($self, size=None, /)")]
    fn truncate(&self, size: OrNone<i64>, vm: &Vm) -> PyResult<i64> {
        let fd = self.need_writable(vm)?;
        self.size_at_open.set(-1);
        let size = match size.0 {
            Some(size) => size,
            None => self.seek_to(0, libc::SEEK_CUR, vm)?,
        };
        // SAFETY: a plain system call.
        retry(vm, None, || unsafe { libc::ftruncate(fd, size) as isize })?;
        Ok(size)
    }

    #[method("($self, /)")]
    fn _isatty_open_only(&self, vm: &Vm) -> PyResult<bool> {
        self.is_terminal_when_opened(vm)
    }

    /// True if the file is closed
    #[getter]
    fn closed(&self) -> bool {
        self.fd.get() < 0
    }

    /// True if the file descriptor will be closed by close().
    #[getter]
    fn closefd(&self) -> bool {
        self.closefd.get()
    }

    /// String giving the file mode
    #[getter]
    fn mode(&self) -> &'static str {
        self.mode.get().text()
    }

    #[getter]
    fn _blksize(&self) -> i64 {
        self.blksize.get()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let short = self.as_object().ob_type().tp_name_str();
        if self.fd.get() < 0 {
            return Ok(format!("<{short} [closed]>"));
        }
        let (mode, closefd) = (self.mode.get().text(), if self.closefd.get() { "True" } else { "False" });
        match self.as_object().lookup_attr(vm.ids().name, vm)? {
            Some(name) => {
                let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else {
                    return Err(vm.runtime_error(format!("reentrant call inside {short}.__repr__")));
                };
                let name = name.repr(vm)?;
                Ok(format!("<{short} name={} mode='{mode}' closefd={closefd}>", name.to_string_lossy()))
            }
            None => Ok(format!("<{short} fd={} mode='{mode}' closefd={closefd}>", self.fd.get())),
        }
    }
}
