//! File descriptors: opening, reading, writing, duplicating, pipes, locks, advice.

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{DirFd, File, Name, at, check, room};

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    macro_rules! set {
        ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
    }
    set! {
        F_OK R_OK W_OK X_OK O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_CLOEXEC O_SYNC
        O_DSYNC O_DIRECTORY O_NOFOLLOW O_NOCTTY O_TMPFILE O_PATH O_ACCMODE O_ASYNC O_DIRECT O_LARGEFILE O_NDELAY
        O_NOATIME O_RSYNC O_FSYNC SEEK_DATA SEEK_HOLE F_LOCK F_TLOCK F_ULOCK F_TEST POSIX_FADV_NORMAL
        POSIX_FADV_SEQUENTIAL POSIX_FADV_RANDOM POSIX_FADV_NOREUSE POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED ST_RDONLY
        ST_NOSUID ST_NODEV ST_NOEXEC ST_SYNCHRONOUS ST_MANDLOCK ST_WRITE ST_APPEND ST_NOATIME ST_NODIRATIME ST_RELATIME
        RWF_HIPRI RWF_DSYNC RWF_SYNC RWF_NOWAIT RWF_APPEND SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE
    }
    Ok(())
}

fn set_flag(fd: i32, bit: i32, on: bool, vm: &Vm) -> PyResult<()> {
    // SAFETY: plain system calls.
    let old = check(unsafe { libc::fcntl(fd, libc::F_GETFL) }, None, vm)?;
    let new = if on { old | bit } else { old & !bit };
    // SAFETY: as above.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, new) }, None, vm).map(drop)
}

fn items_of(buffers: &Object, function: &str, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    if buffers.ob_type().as_sequence().is_none_or(|s| s.sq_item.get().is_none()) {
        return Err(vm.type_error(format!("{function}() arg 2 must be a sequence")));
    }
    buffers.collect_iterable(vm)
}

/// Writable buffers.
fn targets(buffers: &Object, function: &str, vm: &Vm) -> PyResult<Vec<Buffer>> {
    items_of(buffers, function, vm)?.iter().map(|item| item.get_buffer(buffer::WRITABLE, vm)).collect()
}

fn target_parts(views: &mut [Buffer]) -> Vec<libc::iovec> {
    let part = |view: &mut Buffer| {
        let bytes = view.as_bytes_mut().unwrap_or(&mut []);
        libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
    };
    views.iter_mut().map(part).collect()
}

/// Bytes-like objects.
fn sources(buffers: &Object, function: &str, vm: &Vm) -> PyResult<Vec<BufferArg>> {
    items_of(buffers, function, vm)?.iter().map(|item| BufferArg::from_object(item, vm)).collect()
}

fn source_parts(views: &[BufferArg]) -> Vec<libc::iovec> {
    let part = |view: &BufferArg| {
        let bytes = view.as_bytes();
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
    };
    views.iter().map(part).collect()
}

/// An offset argument: `None` for the current position.
fn offset(object: Option<&Object>, vm: &Vm) -> PyResult<Option<i64>> {
    match object.filter(|o| !vm.is_none(o)) {
        Some(object) => Ok(Some(object.as_isize(vm)? as i64)),
        None => Ok(None),
    }
}

fn count_of(count: isize, vm: &Vm) -> PyResult<usize> {
    usize::try_from(count).map_err(|_| vm.value_error("negative value for 'count' not allowed"))
}

/// A pointer to an offset, or null.
fn pointer(offset: &mut Option<i64>) -> *mut i64 {
    offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

#[pyfunctions(table = DESCRIPTOR_FUNCTIONS)]
impl Posix {
    /// Open a file for low level IO.  Returns a file descriptor (integer).
    ///
    /// If dir_fd is not None, it should be a file descriptor open to a directory,
    ///   and path should be relative; path will then be relative to that directory.
    /// dir_fd may not be implemented on your platform.
    ///   If it is unavailable, using it will raise a NotImplementedError.
    #[function("($module, /, path, flags, mode=511, *, dir_fd=None)")]
    fn open(path: Name, flags: i32, mode: Option<i32>, dir_fd: Option<DirFd>, vm: &Vm) -> PyResult<i32> {
        let mode = mode.unwrap_or(0o777) as libc::c_uint;
        let flags = flags | libc::O_CLOEXEC;
        audit("open", &[&path.shown, vm.none_ref(), &vm.new_int(flags)], vm)?;
        // SAFETY: the path is NUL-terminated.
        vm.checked_call(Some(&path.shown), || unsafe { libc::openat(at(dir_fd), path.as_ptr(), flags, mode) })
    }

    /// Close a file descriptor.
    #[function("($module, /, fd)")]
    fn close(fd: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call; an interrupted close has closed.
        let result = vm.allow_threads(|| unsafe { libc::close(fd) });
        if result < 0 && std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    /// Closes all file descriptors in [fd_low, fd_high), ignoring errors.
    #[function("($module, fd_low, fd_high, /)")]
    fn closerange(fd_low: i32, fd_high: i32, vm: &Vm) {
        let low = fd_low.max(0);
        if low < fd_high {
            vm.allow_threads(|| close_range(low, fd_high - 1));
        }
    }

    /// Read from a file descriptor.  Returns a bytes object.
    #[function("($module, fd, length, /)")]
    fn read(fd: i32, length: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        // No system reads more at once.
        let mut bytes = room(length.min(0x7fff_f000), vm)?;
        let (place, size) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: the buffer has that length.
        let got = vm.checked_call(None, || unsafe { libc::read(fd, place.cast(), size) })?;
        Ok(vm.new_bytes(bytes.get(..got as usize).unwrap_or_default()))
    }

    /// Read into a buffer object from a file descriptor.
    ///
    /// The buffer should be mutable and bytes-like. On success, returns the number of
    /// bytes read. Less bytes may be read than the size of the buffer. The underlying
    /// system call will be retried when interrupted by a signal, unless the signal
    /// handler raises an exception. Other errors will not be retried and an error will
    /// be raised.
    ///
    /// Returns 0 if *fd* is at end of file or if the provided *buffer* has length 0
    /// (which can be used to check for errors without reading data). Never returns
    /// negative.
    #[function("($module, fd, buffer, /)")]
    fn readinto(fd: i32, buffer: &Object, vm: &Vm) -> PyResult<isize> {
        let mut target = buffer.get_buffer(buffer::WRITABLE, vm)?;
        let bytes = target.as_bytes_mut().unwrap_or(&mut []);
        let (place, size) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: the buffer is exported, so it stays where it is.
        vm.checked_call(None, || unsafe { libc::read(fd, place.cast(), size) })
    }

    /// Write a bytes object to a file descriptor.
    #[function("($module, fd, data, /)")]
    fn write(fd: i32, data: BufferArg, vm: &Vm) -> PyResult<isize> {
        let bytes = data.as_bytes();
        // SAFETY: the buffer is exported, so it stays where it is.
        vm.checked_call(None, || unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Read a number of bytes from a file descriptor starting at a particular offset.
    ///
    /// Read length bytes from file descriptor fd, starting at offset bytes from
    /// the beginning of the file.  The file offset remains unchanged.
    #[function("($module, fd, length, offset, /)")]
    fn pread(fd: i32, length: isize, offset: i64, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut bytes = room(length, vm)?;
        let (place, size) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: the buffer has that length.
        let got = vm.checked_call(None, || unsafe { libc::pread(fd, place.cast(), size, offset) })?;
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
    /// readv returns the total number of bytes read,
    /// which may be less than the total capacity of all the buffers.
    #[function("($module, fd, buffers, /)")]
    fn readv(fd: i32, buffers: &Object, vm: &Vm) -> PyResult<isize> {
        let mut views = targets(buffers, "readv", vm)?;
        let parts = target_parts(&mut views);
        // SAFETY: the buffers are exported, so they stay where they are.
        vm.checked_call(None, || unsafe { libc::readv(fd, parts.as_ptr(), parts.len() as libc::c_int) })
    }

    /// Iterate over buffers, and write the contents of each to a file descriptor.
    ///
    /// Returns the total number of bytes written.
    /// buffers must be a sequence of bytes-like objects.
    #[function("($module, fd, buffers, /)")]
    fn writev(fd: i32, buffers: &Object, vm: &Vm) -> PyResult<isize> {
        let views = sources(buffers, "writev", vm)?;
        let parts = source_parts(&views);
        // SAFETY: the buffers are exported, so they stay where they are; writing only reads them.
        vm.checked_call(None, || unsafe { libc::writev(fd, parts.as_ptr(), parts.len() as libc::c_int) })
    }

    /// Reads from a file descriptor into a number of mutable bytes-like objects.
    ///
    /// Combines the functionality of readv() and pread(). As readv(), it will
    /// transfer data into each buffer until it is full and then move on to the next
    /// buffer in the sequence to hold the rest of the data. Its fourth argument,
    /// specifies the file offset at which the input operation is to be performed. It
    /// will return the total number of bytes read (which can be less than the total
    /// capacity of all the objects).
    ///
    /// The flags argument contains a bitwise OR of zero or more of the following flags:
    ///
    /// - RWF_HIPRI
    /// - RWF_NOWAIT
    ///
    /// Using non-zero flags requires Linux 4.6 or newer.
    #[function("($module, fd, buffers, offset, flags=0, /)")]
    fn preadv(fd: i32, buffers: &Object, offset: i64, flags: Option<i32>, vm: &Vm) -> PyResult<isize> {
        let mut views = targets(buffers, "preadv2", vm)?;
        let parts = target_parts(&mut views);
        let (count, flags) = (parts.len() as libc::c_int, flags.unwrap_or(0));
        // SAFETY: the buffers are exported, so they stay where they are.
        vm.checked_call(None, || unsafe {
            if flags == 0 {
                libc::preadv(fd, parts.as_ptr(), count, offset)
            } else {
                libc::preadv2(fd, parts.as_ptr(), count, offset, flags)
            }
        })
    }

    /// Writes the contents of bytes-like objects to a file descriptor at a given offset.
    ///
    /// Combines the functionality of writev() and pwrite(). All buffers must be a sequence
    /// of bytes-like objects. Buffers are processed in array order. Entire contents of first
    /// buffer is written before proceeding to second, and so on. The operating system may
    /// set a limit (sysconf() value SC_IOV_MAX) on the number of buffers that can be used.
    /// This function writes the contents of each object to the file descriptor and returns
    /// the total number of bytes written.
    ///
    /// The flags argument contains a bitwise OR of zero or more of the following flags:
    ///
    /// - RWF_DSYNC
    /// - RWF_SYNC
    /// - RWF_APPEND
    ///
    /// Using non-zero flags requires Linux 4.7 or newer.
    #[function("($module, fd, buffers, offset, flags=0, /)")]
    fn pwritev(fd: i32, buffers: &Object, offset: i64, flags: Option<i32>, vm: &Vm) -> PyResult<isize> {
        let views = sources(buffers, "pwritev2", vm)?;
        let parts = source_parts(&views);
        let (count, flags) = (parts.len() as libc::c_int, flags.unwrap_or(0));
        // SAFETY: the buffers are exported, so they stay where they are; writing only reads them.
        vm.checked_call(None, || unsafe {
            if flags == 0 {
                libc::pwritev(fd, parts.as_ptr(), count, offset)
            } else {
                libc::pwritev2(fd, parts.as_ptr(), count, offset, flags)
            }
        })
    }

    /// Copy count bytes from file descriptor in_fd to file descriptor out_fd.
    #[function("($module, /, out_fd, in_fd, offset, count)")]
    fn sendfile(out_fd: i32, in_fd: i32, offset: &Object, count: isize, vm: &Vm) -> PyResult<isize> {
        let Ok(count) = usize::try_from(count) else {
            return Err(vm.value_error("count cannot be negative"));
        };
        let mut start = self::offset(Some(offset), vm)?;
        let place = pointer(&mut start);
        // SAFETY: the offset is ours or null.
        vm.checked_call(None, || unsafe { libc::sendfile(out_fd, in_fd, place, count) })
    }

    /// Copy count bytes from one file descriptor to another.
    ///
    ///   src
    ///     Source file descriptor.
    ///   dst
    ///     Destination file descriptor.
    ///   count
    ///     Number of bytes to copy.
    ///   offset_src
    ///     Starting offset in src.
    ///   offset_dst
    ///     Starting offset in dst.
    ///
    /// If offset_src is None, then src is read from the current position;
    /// respectively for offset_dst.
    #[function("($module, /, src, dst, count, offset_src=None, offset_dst=None)")]
    fn copy_file_range(
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<&Object>,
        offset_dst: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<isize> {
        let count = count_of(count, vm)?;
        let (mut from, mut to) = (offset(offset_src, vm)?, offset(offset_dst, vm)?);
        let (from, to) = (pointer(&mut from), pointer(&mut to));
        // SAFETY: the offsets are ours or null.
        vm.checked_call(None, || unsafe { libc::copy_file_range(src, from, dst, to, count, 0) })
    }

    /// Transfer count bytes from one pipe to a descriptor or vice versa.
    ///
    ///   src
    ///     Source file descriptor.
    ///   dst
    ///     Destination file descriptor.
    ///   count
    ///     Number of bytes to copy.
    ///   offset_src
    ///     Starting offset in src.
    ///   offset_dst
    ///     Starting offset in dst.
    ///   flags
    ///     Flags to modify the semantics of the call.
    ///
    /// If offset_src is None, then src is read from the current position;
    /// respectively for offset_dst. The offset associated to the file
    /// descriptor that refers to a pipe must be None.
    #[function("($module, /, src, dst, count, offset_src=None, offset_dst=None, flags=0)")]
    fn splice(
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<&Object>,
        offset_dst: Option<&Object>,
        flags: Option<u32>,
        vm: &Vm,
    ) -> PyResult<isize> {
        let (count, flags) = (count_of(count, vm)?, flags.unwrap_or(0));
        let (mut from, mut to) = (offset(offset_src, vm)?, offset(offset_dst, vm)?);
        let (from, to) = (pointer(&mut from), pointer(&mut to));
        // SAFETY: the offsets are ours or null.
        vm.checked_call(None, || unsafe { libc::splice(src, from, dst, to, count, flags) })
    }

    /// Set the position of a file descriptor.  Return the new position.
    ///
    ///   fd
    ///     An open file descriptor, as returned by os.open().
    ///   position
    ///     Position, interpreted relative to 'whence'.
    ///   whence
    ///     The relative position to seek from. Valid values are:
    ///     - SEEK_SET: seek from the start of the file.
    ///     - SEEK_CUR: seek from the current file position.
    ///     - SEEK_END: seek from the end of the file.
    ///
    /// The return value is the number of bytes relative to the beginning of the file.
    #[function("($module, fd, position, whence, /)")]
    fn lseek(fd: i32, position: i64, whence: i32, vm: &Vm) -> PyResult<i64> {
        // SAFETY: a plain system call.
        let place = unsafe { libc::lseek(fd, position, whence) };
        if place < 0 { Err(vm.last_os_error(None)) } else { Ok(place) }
    }

    /// Truncate a file, specified by file descriptor, to a specific length.
    #[function("($module, fd, length, /)")]
    fn ftruncate(fd: i32, length: i64, vm: &Vm) -> PyResult<()> {
        audit("os.truncate", &[&vm.new_int(fd), &vm.new_int(length)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::ftruncate(fd, length) }).map(drop)
    }

    /// Force write of fd to disk.
    #[function("($module, /, fd)")]
    fn fsync(fd: File, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fsync(fd.0) }).map(drop)
    }

    /// Force write of fd to disk without forcing update of metadata.
    #[function("($module, /, fd)")]
    fn fdatasync(fd: File, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fdatasync(fd.0) }).map(drop)
    }

    /// Force write of everything to disk.
    #[function("($module, /)")]
    fn sync(vm: &Vm) {
        // SAFETY: a plain system call.
        vm.allow_threads(|| unsafe { libc::sync() });
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
        let inheritable = inheritable.unwrap_or(true);
        // SAFETY: plain system calls; `dup3` refuses equal numbers, which are no change.
        vm.checked_call(None, || unsafe {
            if inheritable || fd == fd2 { libc::dup2(fd, fd2) } else { libc::dup3(fd, fd2, libc::O_CLOEXEC) }
        })
    }

    /// Create a pipe.
    ///
    /// Returns a tuple of two file descriptors:
    ///   (read_fd, write_fd)
    #[function("($module, /)")]
    fn pipe(vm: &Vm) -> PyResult<(i32, i32)> {
        Posix::pipe2(libc::O_CLOEXEC, vm)
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

    /// Get the close-on-exe flag of the specified file descriptor.
    #[function("($module, fd, /)")]
    fn get_inheritable(fd: i32, vm: &Vm) -> PyResult<bool> {
        // SAFETY: a plain system call.
        let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) }, None, vm)?;
        Ok(flags & libc::FD_CLOEXEC == 0)
    }

    /// Set the inheritable flag of the specified file descriptor.
    #[function("($module, fd, inheritable, /)")]
    fn set_inheritable(fd: i32, inheritable: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: plain system calls.
        let old = check(unsafe { libc::fcntl(fd, libc::F_GETFD) }, None, vm)?;
        let new = if inheritable != 0 { old & !libc::FD_CLOEXEC } else { old | libc::FD_CLOEXEC };
        if new == old {
            return Ok(());
        }
        // SAFETY: a plain system call.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, new) }, None, vm).map(drop)
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
        set_flag(fd, libc::O_NONBLOCK, !blocking, vm)
    }

    /// Apply, test or remove a POSIX lock on an open file descriptor.
    ///
    ///   fd
    ///     An open file descriptor.
    ///   command
    ///     One of F_LOCK, F_TLOCK, F_ULOCK or F_TEST.
    ///   length
    ///     The number of bytes to lock, starting at the current position.
    #[function("($module, fd, command, length, /)")]
    fn lockf(fd: i32, command: i32, length: i64, vm: &Vm) -> PyResult<()> {
        audit("os.lockf", &[&vm.new_int(fd), &vm.new_int(command), &vm.new_int(length)], vm)?;
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::lockf(fd, command, length) }).map(drop)
    }

    /// Ensure a file has allocated at least a particular number of bytes on disk.
    ///
    /// Ensure that the file specified by fd encompasses a range of bytes
    /// starting at offset bytes from the beginning and continuing for length bytes.
    #[function("($module, fd, offset, length, /)")]
    fn posix_fallocate(fd: i32, offset: i64, length: i64, vm: &Vm) -> PyResult<()> {
        advised(vm, || {
            // SAFETY: a plain system call.
            unsafe { libc::posix_fallocate(fd, offset, length) }
        })
    }

    /// Announce an intention to access data in a specific pattern.
    ///
    /// Announce an intention to access data in a specific pattern, thus allowing
    /// the kernel to make optimizations.
    /// The advice applies to the region of the file specified by fd starting at
    /// offset and continuing for length bytes.
    /// advice is one of POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL,
    /// POSIX_FADV_RANDOM, POSIX_FADV_NOREUSE, POSIX_FADV_WILLNEED, or
    /// POSIX_FADV_DONTNEED.
    #[function("($module, fd, offset, length, advice, /)")]
    fn posix_fadvise(fd: i32, offset: i64, length: i64, advice: i32, vm: &Vm) -> PyResult<()> {
        advised(vm, || {
            // SAFETY: a plain system call.
            unsafe { libc::posix_fadvise(fd, offset, length, advice) }
        })
    }
}

/// Calls that give the error's number themselves.
fn advised(vm: &Vm, mut call: impl FnMut() -> i32) -> PyResult<()> {
    loop {
        match vm.allow_threads(&mut call) {
            0 => return Ok(()),
            libc::EINTR => taipan_vm::runtime::pending::check_signals(vm)?,
            error => return Err(vm.os_error(error, None)),
        }
    }
}

/// Closes the descriptors from `first` to `last`, those that are open.
pub(crate) fn close_range(first: i32, last: i32) {
    // SAFETY: plain system calls.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first as u32, last as u32, 0u32) == 0 {
            return;
        }
        // Systems before Linux 5.9.
        let limit = libc::sysconf(libc::_SC_OPEN_MAX);
        let last = if limit > 0 { last.min(i32::try_from(limit).unwrap_or(i32::MAX)) } else { last };
        for fd in first..=last {
            libc::close(fd);
        }
    }
}
