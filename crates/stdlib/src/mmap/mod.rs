//! `mmap`: files and anonymous memory, mapped.

use std::cell::Cell;

use taipan_vm::builtins::slice::{Slice, SliceIndices};
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;
use taipan_vm::protocols::container::subscript_index;
use taipan_vm::runtime::audit::audit;

/// The module.
pub struct MmapModule;

const ACCESS_DEFAULT: i32 = 0;
const ACCESS_READ: i32 = 1;
const ACCESS_WRITE: i32 = 2;
const ACCESS_COPY: i32 = 3;

/// The layout of `mmap.mmap`.
#[repr(C)]
pub struct Mmap {
    ob: Object,
    /// Null when closed; else `size` mapped bytes.
    data: Cell<*mut u8>,
    size: Cell<usize>,
    pos: Cell<usize>,
    offset: i64,
    /// Our duplicate of the file's descriptor, or -1.
    fd: Cell<i32>,
    flags: i32,
    access: i32,
    trackfd: bool,
    /// Whether the protection lets the memory be read.
    readable: bool,
    /// Buffers that are lent out: the memory may not move meanwhile.
    exports: Cell<usize>,
    weakrefs: WeakList,
}

impl Mmap {
    fn unmap(&self) {
        let data = self.data.replace(std::ptr::null_mut());
        let size = self.size.replace(0);
        if !data.is_null() {
            // SAFETY: the block was mapped with that size, and nobody holds a part of it.
            unsafe { libc::munmap(data.cast(), size) };
        }
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: the descriptor is ours.
            unsafe { libc::close(fd) };
        }
    }

    fn check_open(&self, vm: &Vm) -> PyResult<()> {
        if self.data.get().is_null() {
            return Err(vm.value_error("mmap closed or invalid"));
        }
        Ok(())
    }

    /// The mapped bytes. The slice may not live over anything that can run Python code.
    fn bytes(&self, vm: &Vm) -> PyResult<&[u8]> {
        self.check_open(vm)?;
        if !self.readable {
            return Err(vm.os_error(libc::EACCES, None));
        }
        // SAFETY: the block is mapped and readable.
        Ok(unsafe { std::slice::from_raw_parts(self.data.get(), self.size.get()) })
    }

    fn check_writable(&self, vm: &Vm) -> PyResult<()> {
        if self.access == ACCESS_READ {
            return Err(vm.type_error("mmap can't modify a readonly memory map."));
        }
        Ok(())
    }

    /// Copies bytes, perhaps of the mapping itself, to a place; the caller has compared with the size.
    fn put(&self, at: usize, from: &[u8]) {
        debug_assert!(at + from.len() <= self.size.get());
        // SAFETY: the caller vouches for the place; source and target may overlap.
        unsafe { std::ptr::copy(from.as_ptr(), self.data.get().add(at), from.len()) };
    }

    fn check_resizable(&self, vm: &Vm) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("mmap can't resize with extant buffers exported."));
        }
        if !self.trackfd {
            return Err(vm.value_error("mmap can't resize with trackfd=False."));
        }
        if self.access != ACCESS_WRITE && self.access != ACCESS_DEFAULT {
            return Err(vm.type_error("mmap can't resize a readonly or copy-on-write memory map."));
        }
        Ok(())
    }

    /// The next bytes, at most so many; moves the position.
    fn take(&self, count: usize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let rest = self.bytes(vm)?.get(self.pos.get()..).unwrap_or_default();
        let part = rest.get(..count).unwrap_or(rest);
        let bytes = Bytes::try_from_slice(part, vm)?;
        self.pos.set(self.pos.get() + part.len());
        Ok(bytes)
    }

    fn search(
        &self,
        sub: &BufferArg,
        start: Option<isize>,
        end: Option<isize>,
        reverse: bool,
        vm: &Vm,
    ) -> PyResult<isize> {
        self.check_open(vm)?;
        let bytes = self.bytes(vm)?;
        let fit = |at: isize| {
            let at = if at < 0 { at.saturating_add(bytes.len() as isize) } else { at };
            (at.max(0) as usize).min(bytes.len())
        };
        let start = start.map_or_else(|| self.pos.get().min(bytes.len()), fit);
        let end = end.map_or(bytes.len(), fit);
        let Some(part) = bytes.get(start..end) else { return Ok(-1) };
        let found = if reverse {
            memchr::memmem::rfind(part, sub.as_bytes())
        } else {
            memchr::memmem::find(part, sub.as_bytes())
        };
        Ok(found.map_or(-1, |at| (start + at) as isize))
    }

    fn item_index(&self, key: &Object, vm: &Vm) -> PyResult<usize> {
        let index = subscript_index(key, vm)?;
        self.check_open(vm)?;
        let size = self.size.get();
        let at = if index < 0 { index.saturating_add(size as isize) } else { index };
        usize::try_from(at)
            .ok()
            .filter(|at| *at < size)
            .ok_or_else(|| vm.index_error("mmap index out of range"))
    }

    /// The places of a slice: converting its parts may run Python, so the size is asked after.
    fn places(&self, slice: &Slice, vm: &Vm) -> PyResult<SliceIndices> {
        let (start, stop, step) = slice.unpack(vm)?;
        self.check_open(vm)?;
        Ok(taipan_vm::builtins::slice::adjust(start, stop, step, self.size.get()))
    }
}

impl Drop for Mmap {
    fn drop(&mut self) {
        self.unmap();
    }
}

/// Windows: mmap(fileno, length[, tagname[, access[, offset]]])
///
/// Maps length bytes from the file specified by the file handle fileno,
/// and returns a mmap object.  If length is larger than the current size
/// of the file, the file is extended to contain length bytes.  If length
/// is 0, the maximum length of the map is the current size of the file,
/// except that if the file is empty Windows raises an exception (you cannot
/// create an empty mapping on Windows).
///
/// Unix: mmap(fileno, length[, flags[, prot[, access[, offset]]]])
///
/// Maps length bytes from the file specified by the file descriptor fileno,
/// and returns a mmap object.  If length is 0, the maximum length of the map
/// will be the current size of the file when mmap is called.
/// flags specifies the nature of the mapping. MAP_PRIVATE creates a
/// private copy-on-write mapping, so changes to the contents of the mmap
/// object will be private to this process, and MAP_SHARED creates a mapping
/// that's shared with all other processes mapping the same areas of the file.
/// The default value is MAP_SHARED.
///
/// To map anonymous memory, pass -1 as the fileno (both versions).
#[pytype(name = "mmap.mmap", flags(BASETYPE), weakrefs = weakrefs)]
impl Mmap {
    #[new(
        "!(fileno, length, flags=MAP_SHARED, prot=PROT_WRITE|PROT_READ, access=ACCESS_DEFAULT, offset=0, *, trackfd=True)"
    )]
    #[allow(clippy::too_many_arguments, reason = "mmap has that many")]
    fn new(
        cls: &Type,
        fileno: i32,
        length: isize,
        flags: Option<i32>,
        prot: Option<i32>,
        access: Option<i32>,
        offset: Option<i64>,
        trackfd: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let both = libc::PROT_READ | libc::PROT_WRITE;
        let (mut flags, mut prot) = (flags.unwrap_or(libc::MAP_SHARED), prot.unwrap_or(both));
        let (mut access, offset) = (access.unwrap_or(ACCESS_DEFAULT), offset.unwrap_or(0));
        let trackfd = trackfd.unwrap_or(true);
        let Ok(mut size) = usize::try_from(length) else {
            return Err(vm.overflow_error("memory mapped length must be positive"));
        };
        if offset < 0 {
            return Err(vm.overflow_error("memory mapped offset must be positive"));
        }
        if access != ACCESS_DEFAULT && (flags != libc::MAP_SHARED || prot != both) {
            return Err(vm.value_error("mmap can't specify both access and flags, prot."));
        }
        match access {
            ACCESS_READ => prot = libc::PROT_READ,
            ACCESS_WRITE => {}
            ACCESS_COPY => flags = libc::MAP_PRIVATE,
            ACCESS_DEFAULT if prot & both == both => {}
            ACCESS_DEFAULT => {
                access = if prot & libc::PROT_WRITE != 0 { ACCESS_WRITE } else { ACCESS_READ };
            }
            _ => return Err(vm.value_error("mmap invalid access parameter.")),
        }
        audit(
            "mmap.__new__",
            &[&vm.new_int(fileno), &vm.new_int(length), &vm.new_int(access), &vm.new_int(offset)],
            vm,
        )?;
        if fileno != -1 {
            // SAFETY: zero is a valid value; the structure is ours.
            let mut stat: libc::stat = unsafe { std::mem::zeroed() };
            let place = &raw mut stat;
            // SAFETY: as above.
            let known = vm.allow_threads(|| unsafe { libc::fstat(fileno, place) }) == 0;
            if known && stat.st_mode & libc::S_IFMT == libc::S_IFREG {
                let left = stat.st_size.saturating_sub(offset);
                if size == 0 {
                    if stat.st_size == 0 {
                        return Err(vm.value_error("cannot mmap an empty file"));
                    }
                    if left <= 0 {
                        return Err(vm.value_error("mmap offset is greater than file size"));
                    }
                    size = left as usize;
                } else if left < 0 || (left as u64) < size as u64 {
                    return Err(vm.value_error("mmap length is greater than file size"));
                }
            }
        }
        let mut fd = -1;
        if fileno == -1 {
            flags |= libc::MAP_ANONYMOUS;
        } else if trackfd {
            // SAFETY: a plain system call.
            fd = unsafe { libc::fcntl(fileno, libc::F_DUPFD_CLOEXEC, 0) };
            if fd < 0 {
                return Err(vm.last_os_error(None));
            }
        }
        let place = vm.allow_threads(|| {
            // SAFETY: the system chooses the address; no memory of ours is touched.
            (unsafe {
                libc::mmap(std::ptr::null_mut(), size, prot, flags & !libc::MAP_FIXED, fileno, offset)
            }) as usize
        });
        if place == libc::MAP_FAILED as usize {
            let raised = vm.last_os_error(None);
            if fd >= 0 {
                // SAFETY: the descriptor is ours.
                unsafe { libc::close(fd) };
            }
            return Err(raised);
        }
        let map = Mmap {
            ob: Object::new(Self::type_object()),
            data: Cell::new(place as *mut u8),
            size: Cell::new(size),
            pos: Cell::new(0),
            offset,
            fd: Cell::new(fd),
            flags,
            access,
            trackfd,
            readable: prot & both != 0,
            exports: Cell::new(0),
            weakrefs: WeakList::new(),
        };
        vm.new_instance(cls, map)
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let name = self.ob.ob_type().tp_name_str();
        if self.data.get().is_null() {
            return format!("<{name} closed=True>");
        }
        let access = match self.access {
            ACCESS_READ => "ACCESS_READ",
            ACCESS_WRITE => "ACCESS_WRITE",
            ACCESS_COPY => "ACCESS_COPY",
            _ => "ACCESS_DEFAULT",
        };
        let (length, pos, offset) = (self.size.get(), self.pos.get(), self.offset);
        format!("<{name} closed=False, access={access}, length={length}, pos={pos}, offset={offset}>")
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        Ok(self.size.get())
    }

    #[slot]
    fn sq_length(&self, vm: &Vm) -> PyResult<usize> {
        self.mp_length(vm)
    }

    #[slot]
    fn sq_item(&self, at: isize, vm: &Vm) -> PyResult {
        match usize::try_from(at).ok().and_then(|at| self.bytes(vm).ok().map(|bytes| bytes.get(at).copied()))
        {
            Some(Some(byte)) => Ok(vm.new_bytes(&[byte]).into_object()),
            _ => {
                self.bytes(vm)?;
                Err(vm.index_error("mmap index out of range"))
            }
        }
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        self.check_open(vm)?;
        if key.has_index() {
            let at = self.item_index(key, vm)?;
            let byte = self.bytes(vm)?.get(at).copied();
            return Ok(vm.new_int(byte.unwrap_or(0)));
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("mmap indices must be integers"));
        };
        let range = self.places(slice, vm)?;
        let bytes = self.bytes(vm)?;
        if range.step == 1 || range.count == 0 {
            let start = range.start.max(0) as usize;
            let part = bytes.get(start..start.saturating_add(range.count)).unwrap_or_default();
            return Ok(Bytes::try_from_slice(part, vm)?.into_object());
        }
        let mut out = Vec::new();
        out.try_reserve_exact(range.count).map_err(|_| vm.memory_error())?;
        let mut at = range.start;
        for _ in 0..range.count {
            out.extend(usize::try_from(at).ok().and_then(|at| bytes.get(at)));
            at = at.saturating_add(range.step);
        }
        Ok(Bytes::try_from_slice(&out, vm)?.into_object())
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        self.check_writable(vm)?;
        if key.has_index() {
            let index = subscript_index(key, vm)?;
            let Some(value) = value else {
                return Err(vm.type_error("mmap doesn't support item deletion"));
            };
            if !value.has_index() {
                return Err(vm.type_error("mmap item value must be an int"));
            }
            let byte = u8::try_from(value.as_isize(vm)?)
                .map_err(|_| vm.value_error("mmap item value must be in range(0, 256)"))?;
            self.check_open(vm)?;
            let size = self.size.get();
            let at = if index < 0 { index.saturating_add(size as isize) } else { index };
            return match usize::try_from(at).ok().filter(|at| *at < size) {
                Some(at) => {
                    self.put(at, &[byte]);
                    Ok(())
                }
                None => Err(vm.index_error("mmap index out of range")),
            };
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("mmap indices must be integer"));
        };
        let (start, stop, step) = slice.unpack(vm)?;
        let Some(value) = value else {
            return Err(vm.type_error("mmap object doesn't support slice deletion"));
        };
        let from = BufferArg::from_object(value, vm)?;
        self.check_open(vm)?;
        let range = taipan_vm::builtins::slice::adjust(start, stop, step, self.size.get());
        let from = from.as_bytes();
        if from.len() != range.count {
            return Err(vm.index_error("mmap slice assignment is wrong size"));
        }
        if range.step == 1 {
            if !from.is_empty() {
                self.put(range.start.max(0) as usize, from);
            }
            return Ok(());
        }
        let mut at = range.start;
        for byte in from.to_vec() {
            if let Ok(at) = usize::try_from(at) {
                self.put(at, &[byte]);
            }
            at = at.saturating_add(range.step);
        }
        Ok(())
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        self.bytes(vm)?;
        let readonly = self.access == ACCESS_READ;
        buffer::fill_info(view, self.as_object(), self.data.get(), self.size.get(), readonly, flags, vm)?;
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }

    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {
        self.exports.set(self.exports.get().saturating_sub(1));
    }

    /// Close the mapping; later uses raise ValueError.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("cannot close exported pointers exist"));
        }
        self.unmap();
        Ok(())
    }

    /// The lowest place of the bytes-like sub from start (default: the position) on, -1 if there is none.
    #[method("($self, view, start=None, end=None, /)")]
    fn find(&self, view: BufferArg, start: OrNone<isize>, end: OrNone<isize>, vm: &Vm) -> PyResult<isize> {
        self.search(&view, start.0, end.0, false, vm)
    }

    /// The highest place of the bytes-like sub from start (default: the position) on, -1 if there is none.
    #[method("($self, view, start=None, end=None, /)")]
    fn rfind(&self, view: BufferArg, start: OrNone<isize>, end: OrNone<isize>, vm: &Vm) -> PyResult<isize> {
        self.search(&view, start.0, end.0, true, vm)
    }

    /// Write changes back to the file.
    #[method("($self, offset=0, size=None, /)")]
    fn flush(&self, offset: Option<isize>, size: OrNone<isize>, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        let total = self.size.get() as isize;
        let offset = offset.unwrap_or(0);
        let size = size.0.unwrap_or_else(|| total.saturating_sub(offset.max(0)));
        if size < 0 || offset < 0 || offset > total || total - offset < size {
            return Err(vm.value_error("flush values out of range"));
        }
        if self.access == ACCESS_READ || self.access == ACCESS_COPY {
            return Ok(());
        }
        let place = self.data.get().wrapping_add(offset as usize) as usize;
        // The memory must stay while the lock is free.
        self.exports.set(self.exports.get() + 1);
        // SAFETY: the range is inside the mapping.
        let result =
            vm.allow_threads(|| unsafe { libc::msync(place as *mut _, size as usize, libc::MS_SYNC) });
        self.exports.set(self.exports.get().saturating_sub(1));
        if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    /// Give the system advice about the use of the memory.
    #[method("($self, option, start=0, length=None, /)")]
    fn madvise(&self, option: i32, start: Option<isize>, length: OrNone<isize>, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        let (size, start) = (self.size.get() as isize, start.unwrap_or(0));
        let length = length.0.unwrap_or(size);
        if start < 0 || start >= size {
            return Err(vm.value_error("madvise start out of bounds"));
        }
        if length < 0 {
            return Err(vm.value_error("madvise length invalid"));
        }
        if length.checked_add(start).is_none() {
            return Err(vm.overflow_error("madvise length too large"));
        }
        let length = length.min(size - start);
        // SAFETY: the range is inside the mapping.
        let result =
            unsafe { libc::madvise(self.data.get().add(start as usize).cast(), length as usize, option) };
        if result != 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    /// Copy the count bytes starting at offset src to the destination index dest.
    #[method("($self, dest, src, count, /)")]
    fn r#move(&self, dest: isize, src: isize, count: isize, vm: &Vm) -> PyResult<()> {
        self.check_writable(vm)?;
        let bytes = self.bytes(vm)?;
        let wrong = || vm.value_error("source, destination, or count out of range");
        let (Ok(dest), Ok(src), Ok(count)) =
            (usize::try_from(dest), usize::try_from(src), usize::try_from(count))
        else {
            return Err(wrong());
        };
        let source = bytes.get(src..src.saturating_add(count)).ok_or_else(wrong)?;
        bytes.get(dest..dest.saturating_add(count)).ok_or_else(wrong)?;
        self.put(dest, source);
        Ok(())
    }

    /// Return up to n bytes from the position on; all of them without n.
    #[method("($self, n=None, /)")]
    fn read(&self, n: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.check_open(vm)?;
        let count = match n.filter(|n| !vm.is_none(n)) {
            None => usize::MAX,
            Some(n) if n.has_index() => usize::try_from(n.as_isize(vm)?).unwrap_or(usize::MAX),
            Some(n) => {
                let given = n.ob_type().tp_name_str();
                return Err(vm.type_error(format!("argument should be integer or None, not '{given}'")));
            }
        };
        self.take(count, vm)
    }

    /// Return the byte at the position as an integer, and move on.
    #[method("($self, /)")]
    fn read_byte(&self, vm: &Vm) -> PyResult<u32> {
        match self.bytes(vm)?.get(self.pos.get()) {
            Some(byte) => {
                self.pos.set(self.pos.get() + 1);
                Ok(u32::from(*byte))
            }
            None => Err(vm.value_error("read byte out of range")),
        }
    }

    /// Return the bytes from the position on to the next newline.
    #[method("($self, /)")]
    fn readline(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let rest = self.bytes(vm)?.get(self.pos.get()..).unwrap_or_default();
        let count = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        self.take(count, vm)
    }

    /// Resize the map and the file under it.
    #[method("($self, newsize, /)")]
    fn resize(&self, newsize: isize, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        self.check_resizable(vm)?;
        let length = i64::try_from(newsize).ok().and_then(|size| size.checked_add(self.offset));
        let (Ok(size), Some(length)) = (usize::try_from(newsize), length) else {
            return Err(vm.value_error("new size out of range"));
        };
        let fd = self.fd.get();
        if fd == -1 && self.flags & libc::MAP_PRIVATE == 0 && size > self.size.get() {
            return Err(vm.value_error("mmap: can't expand a shared anonymous mapping"));
        }
        // SAFETY: a plain system call.
        if fd != -1 && unsafe { libc::ftruncate(fd, length) } < 0 {
            return Err(vm.last_os_error(None));
        }
        // SAFETY: the block is ours, and no buffer of it is lent out.
        let place =
            unsafe { libc::mremap(self.data.get().cast(), self.size.get(), size, libc::MREMAP_MAYMOVE) };
        if place == libc::MAP_FAILED {
            return Err(vm.last_os_error(None));
        }
        self.data.set(place.cast());
        self.size.set(size);
        Ok(())
    }

    /// Move the position. Return the new one.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: Option<i32>, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        let from = match whence.unwrap_or(0) {
            0 => 0,
            1 => self.pos.get(),
            2 => self.size.get(),
            _ => return Err(vm.value_error("unknown seek type")),
        };
        let place = (from as isize).checked_add(pos).and_then(|place| usize::try_from(place).ok());
        match place.filter(|place| *place <= self.size.get()) {
            Some(place) => {
                self.pos.set(place);
                Ok(place)
            }
            None => Err(vm.value_error("seek out of range")),
        }
    }

    /// Whether the map can be positioned: always.
    #[method("($self, /)")]
    fn seekable(&self) -> bool {
        true
    }

    /// Return the length of the file, which may be larger than the map.
    #[method("($self, /)")]
    fn size(&self, vm: &Vm) -> PyResult<i64> {
        self.check_open(vm)?;
        // SAFETY: zero is a valid value; the structure is ours.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        if unsafe { libc::fstat(self.fd.get(), &raw mut stat) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(stat.st_size)
    }

    /// Return the position.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        Ok(self.pos.get())
    }

    /// Write bytes at the position, and move on. Return their number.
    #[method("($self, bytes, /)")]
    fn write(&self, bytes: BufferArg, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        self.check_writable(vm)?;
        let (from, at) = (bytes.as_bytes(), self.pos.get());
        if self.size.get().checked_sub(at).is_none_or(|room| room < from.len()) {
            return Err(vm.value_error("data out of range"));
        }
        self.put(at, from);
        self.pos.set(at + from.len());
        Ok(from.len())
    }

    /// Write an integer as a byte at the position, and move on.
    #[method("($self, byte, /)")]
    fn write_byte(&self, byte: u8, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        self.check_writable(vm)?;
        let at = self.pos.get();
        if at >= self.size.get() {
            return Err(vm.value_error("write byte out of range"));
        }
        self.put(at, &[byte]);
        self.pos.set(at + 1);
        Ok(())
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult {
        self.check_open(vm)?;
        Ok(self.as_object().to_ref())
    }

    #[method("($self, exc_type, exc_value, traceback, /)")]
    fn __exit__(&self, _exc_type: &Object, _exc_value: &Object, _exc_tb: &Object, vm: &Vm) -> PyResult<()> {
        self.close(vm)
    }

    #[getter]
    fn closed(&self) -> bool {
        self.data.get().is_null()
    }
}

#[pymodule(name = "mmap", types(Mmap))]
impl MmapModule {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name), vm)?;)* };
        }
        set! {
            MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE MADV_DONTFORK
            MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP MADV_DODUMP
            MADV_HWPOISON MAP_SHARED MAP_PRIVATE MAP_ANON MAP_ANONYMOUS MAP_DENYWRITE MAP_EXECUTABLE MAP_POPULATE
            MAP_STACK MAP_32BIT MAP_NORESERVE PROT_READ PROT_WRITE PROT_EXEC
        }
        // SAFETY: a plain call.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        for (name, value) in [
            ("ACCESS_DEFAULT", i64::from(ACCESS_DEFAULT)),
            ("ACCESS_READ", i64::from(ACCESS_READ)),
            ("ACCESS_WRITE", i64::from(ACCESS_WRITE)),
            ("ACCESS_COPY", i64::from(ACCESS_COPY)),
            ("PAGESIZE", page),
            ("ALLOCATIONGRANULARITY", page),
        ] {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("error", types::os_error().as_object(), vm)
    }
}
