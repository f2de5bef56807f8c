//! What the buffered streams over one raw stream have in common: the state and the algorithms on it.
//!
//! The memory holds either bytes read ahead (`pos..end`) or bytes to be written (`dirty_start..dirty_end`), never both: a
//! write first moves the raw stream back over what was read ahead, a read first writes out.

use std::cell::Cell;

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::prelude::*;

use super::memory::{Held, Lock, Memory};
use crate::_io::fileio::FileIo;
use crate::_io::iobase::{IoBase, ask, is_closed, unsupported, was_interrupted};

/// Whether a stream can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `__init__` has not succeeded yet.
    New,
    /// In use.
    Ready,
    /// `detach` took the raw stream away.
    Detached,
}

/// The layout of `BufferedReader`, `BufferedWriter` and `BufferedRandom`.
#[repr(C)]
#[derive(Traverse)]
pub struct Buffered {
    pub(super) base: IoBase,
    pub(in crate::_io) raw: Slot<Object>,
    #[traverse(skip)]
    pub(super) status: Cell<Status>,
    #[traverse(skip)]
    readable: Cell<bool>,
    #[traverse(skip)]
    writable: Cell<bool>,
    #[traverse(skip)]
    pub(super) finalizing: Cell<bool>,
    /// Where the raw stream stands; negative when that isn't known.
    #[traverse(skip)]
    raw_pos: Cell<i64>,
    #[traverse(skip)]
    pub(super) pos: Cell<usize>,
    #[traverse(skip)]
    pub(super) end: Cell<usize>,
    #[traverse(skip)]
    dirty_start: Cell<usize>,
    #[traverse(skip)]
    dirty_end: Cell<usize>,
    #[traverse(skip)]
    pub(super) memory: Memory,
    #[traverse(skip)]
    lock: Lock,
}

/// What a read or write of a raw stream came to.
pub enum Moved {
    /// That many bytes.
    Bytes(usize),
    /// The stream would block.
    Blocked,
}

impl Buffered {
    /// The state before `__init__`, for a type that can read and write as told.
    pub fn new(tp: &'static Type, readable: bool, writable: bool) -> Buffered {
        Buffered {
            base: IoBase::of(tp),
            raw: Slot::empty(),
            status: Cell::new(Status::New),
            readable: Cell::new(readable),
            writable: Cell::new(writable),
            finalizing: Cell::new(false),
            raw_pos: Cell::new(-1),
            pos: Cell::new(0),
            end: Cell::new(0),
            dirty_start: Cell::new(0),
            dirty_end: Cell::new(0),
            memory: Memory::none(),
            lock: Lock::default(),
        }
    }

    /// `__init__`: takes the raw stream, after checking that it can do what is needed.
    pub fn set_up(&self, raw: &Object, size: isize, vm: &Vm) -> PyResult<()> {
        self.status.set(Status::New);
        if raw.downcast_exact::<FileIo>().is_none_or(|file| file.fd.get() < 0) {
            if self.writable.get() && self.readable.get() && !ask(raw, vm.ids().seekable, vm)? {
                return Err(unsupported("File or stream is not seekable.", vm));
            }
            if self.readable.get() && !ask(raw, vm.ids().readable, vm)? {
                return Err(unsupported("File or stream is not readable.", vm));
            }
            if self.writable.get() && !ask(raw, vm.ids().writable, vm)? {
                return Err(unsupported("File or stream is not writable.", vm));
            }
        } else if let Some(file) = raw.downcast_exact::<FileIo>() {
            if self.writable.get() && self.readable.get() && !file.seekable(vm)? {
                return Err(unsupported("File or stream is not seekable.", vm));
            }
            if self.readable.get() && !file.can_read() {
                return Err(unsupported("File or stream is not readable.", vm));
            }
            if self.writable.get() && !file.can_write() {
                return Err(unsupported("File or stream is not writable.", vm));
            }
        }
        let size = match usize::try_from(size) {
            Ok(size) if size > 0 => size,
            _ => return Err(vm.value_error("buffer size must be strictly positive")),
        };
        let held = self.enter(vm)?;
        self.memory.allocate(size, vm)?;
        self.forget();
        self.raw_pos.set(-1);
        drop(held);
        self.raw.put(raw.to_ref());
        self.status.set(Status::Ready);
        Ok(())
    }

    /// The stream as an object.
    #[inline(always)]
    pub fn object(&self) -> &Object {
        self.base.object()
    }

    /// Takes the stream's lock; raises `RuntimeError` when this thread is inside already.
    #[inline]
    pub fn enter(&self, vm: &Vm) -> PyResult<Held<'_>> {
        self.lock.enter(vm).map_err(|()| match self.object().repr(vm) {
            Ok(shown) => vm.runtime_error(format!("reentrant call inside {}", shown.to_string_lossy())),
            Err(raised) => raised,
        })
    }

    /// The raw stream. Raises `ValueError` when there is none.
    #[inline]
    pub fn raw(&self, vm: &Vm) -> PyResult<ObjRef> {
        match (self.status.get(), self.raw.get()) {
            (Status::Ready, Some(raw)) => Ok(raw),
            (Status::Detached, _) => Err(vm.value_error("raw stream has been detached")),
            _ => Err(vm.value_error("I/O operation on uninitialized object")),
        }
    }

    /// Whether the raw stream is closed.
    #[inline]
    pub fn is_closed(&self, raw: &Object, vm: &Vm) -> PyResult<bool> {
        if self.memory.size() == 0 {
            return Ok(true);
        }
        match raw.downcast_exact::<FileIo>() {
            Some(file) => Ok(file.fd.get() < 0),
            None => is_closed(raw, vm),
        }
    }

    /// The raw stream of a stream that isn't closed; what was read ahead may be had from a closed one. Raises `ValueError`.
    #[inline]
    pub fn open_raw(&self, what: &str, vm: &Vm) -> PyResult<ObjRef> {
        let raw = self.raw(vm)?;
        if self.is_closed(&raw, vm)? && self.ahead() == 0 {
            return Err(vm.value_error(what));
        }
        Ok(raw)
    }

    /// How many bytes were read ahead.
    #[inline(always)]
    pub fn ahead(&self) -> usize {
        self.end.get().saturating_sub(self.pos.get())
    }

    /// Forgets what was read ahead and what is to be written.
    pub fn forget(&self) {
        self.forget_ahead();
        self.dirty_start.set(0);
        self.dirty_end.set(0);
    }

    #[inline]
    pub(super) fn forget_ahead(&self) {
        self.pos.set(0);
        self.end.set(0);
    }

    /// Reads from the raw stream to `to`, which has room for `len` bytes.
    fn raw_read(&self, raw: &Object, to: *mut u8, len: usize, vm: &Vm) -> PyResult<Moved> {
        let count = match raw.downcast_exact::<FileIo>() {
            // SAFETY: the room is the caller's, who holds this stream's lock.
            Some(file) => match unsafe { file.read_to(to, len, vm)? } {
                Some(count) => count,
                None => return Ok(Moved::Blocked),
            },
            None => {
                let space = crate::_io::iobase::zero_bytearray(len, vm)?;
                let view = MemoryView::from_object(space.as_object(), vm)?;
                let result = loop {
                    match raw.call_method(vm.ids().readinto, &[view.as_object()], vm) {
                        Ok(result) => break result,
                        Err(Raised) if was_interrupted(vm) => {}
                        Err(raised) => return Err(raised),
                    }
                };
                if vm.is_none(&result) {
                    return Ok(Moved::Blocked);
                }
                let count = raw_count(&result, "readinto", len, vm)?;
                let data = space.as_bytes();
                // SAFETY: the room is the caller's; `count` is at most `len`, which the array still has, being exported.
                unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), to, count.min(data.len())) };
                count
            }
        };
        self.moved(count);
        Ok(Moved::Bytes(count))
    }

    fn moved(&self, count: usize) {
        if self.raw_pos.get() >= 0 {
            self.raw_pos.set(self.raw_pos.get().saturating_add(count as i64));
        }
    }

    fn raw_write(&self, raw: &Object, data: &[u8], vm: &Vm) -> PyResult<Moved> {
        let count = match raw.downcast_exact::<FileIo>() {
            Some(file) => match file.write_some(data, vm)? {
                Some(count) => count,
                None => return Ok(Moved::Blocked),
            },
            None => {
                let copy = Bytes::try_from_slice(data, vm)?;
                let view = MemoryView::from_object(copy.as_object(), vm)?;
                let result = loop {
                    match raw.call_method(vm.ids().write, &[view.as_object()], vm) {
                        Ok(result) => break result,
                        Err(Raised) if was_interrupted(vm) => {}
                        Err(raised) => return Err(raised),
                    }
                };
                if vm.is_none(&result) {
                    return Ok(Moved::Blocked);
                }
                raw_count(&result, "write", data.len(), vm)?
            }
        };
        self.moved(count);
        Ok(Moved::Bytes(count))
    }

    /// `raw.tell()`.
    fn raw_tell(&self, raw: &Object, vm: &Vm) -> PyResult<i64> {
        let position = match raw.downcast_exact::<FileIo>() {
            Some(file) => file.seek_to(0, libc::SEEK_CUR, vm)?,
            None => offset(&*raw.call_method(vm.ids().tell, &[], vm)?, vm)?,
        };
        self.check_position(position, vm)
    }

    pub(super) fn raw_seek(&self, raw: &Object, target: i64, whence: i32, vm: &Vm) -> PyResult<i64> {
        self.raw_pos.set(-1);
        let position = match raw.downcast_exact::<FileIo>() {
            Some(file) => file.seek_to(target, whence, vm)?,
            None => {
                let args = [vm.new_int(target), vm.new_int(whence)];
                offset(&*raw.call_method(vm.ids().seek, &[&args[0], &args[1]], vm)?, vm)?
            }
        };
        self.check_position(position, vm)
    }

    fn check_position(&self, position: i64, vm: &Vm) -> PyResult<i64> {
        if position < 0 {
            let text = format!("Raw stream returned invalid position {position}");
            return Err(vm.raise(types::os_error(), text));
        }
        self.raw_pos.set(position);
        Ok(position)
    }

    /// Writes out what is to be written. Raises `BlockingIOError` when the raw stream would block.
    pub(super) fn write_out(&self, raw: &Object, vm: &Vm) -> PyResult<()> {
        while self.dirty_start.get() < self.dirty_end.get() {
            let (start, end) = (self.dirty_start.get(), self.dirty_end.get());
            // SAFETY: filled by `put`; the lock keeps others away.
            let data = unsafe { self.memory.filled(start, end) };
            match self.raw_write(raw, data, vm)? {
                Moved::Bytes(count) => self.dirty_start.set(start + count),
                Moved::Blocked => return Err(blocked(0, vm)),
            }
            check_signals(vm)?;
        }
        self.dirty_start.set(0);
        self.dirty_end.set(0);
        Ok(())
    }

    /// Moves the raw stream back over what was read ahead.
    fn rewind(&self, raw: &Object, vm: &Vm) -> PyResult<()> {
        let ahead = self.ahead();
        if ahead > 0 {
            self.raw_seek(raw, -(ahead as i64), libc::SEEK_CUR, vm)?;
        }
        self.forget_ahead();
        Ok(())
    }

    /// Writes out; for streams that also read, brings the raw stream to the logical position.
    pub(super) fn write_out_and_rewind(&self, raw: &Object, vm: &Vm) -> PyResult<()> {
        if self.writable.get() {
            self.write_out(raw, vm)?;
        }
        if self.readable.get() {
            self.rewind(raw, vm)?;
        }
        Ok(())
    }

    /// Reads more behind what was read ahead.
    fn fill(&self, raw: &Object, vm: &Vm) -> PyResult<Moved> {
        let end = self.end.get();
        let room = self.memory.size().saturating_sub(end);
        let moved = self.raw_read(raw, self.memory.at(end), room, vm)?;
        if let Moved::Bytes(count) = moved {
            self.end.set(end + count);
        }
        Ok(moved)
    }

    /// The bytes read ahead.
    ///
    /// # Safety
    /// The slice isn't used after anything that reads, writes or runs Python code.
    #[inline]
    pub unsafe fn ahead_bytes(&self) -> &[u8] {
        // SAFETY: filled by `fill`.
        unsafe { self.memory.filled(self.pos.get(), self.end.get()) }
    }

    /// Takes `count` bytes of those read ahead.
    fn take_ahead(&self, count: usize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        // SAFETY: copied at once.
        let ahead = unsafe { self.ahead_bytes() };
        let count = count.min(ahead.len());
        let bytes = Bytes::try_from_slice(ahead.get(..count).unwrap_or(&[]), vm)?;
        self.pos.set(self.pos.get() + count);
        Ok(bytes)
    }

    /// Before more is read from the raw stream: what is to be written goes out.
    fn before_read(&self, raw: &Object, vm: &Vm) -> PyResult<()> {
        if self.writable.get() && self.dirty_end.get() > 0 {
            self.write_out(raw, vm)?;
        }
        Ok(())
    }

    /// `read(size)` for a size that isn't negative. `None`: the raw stream would block.
    pub fn read_bytes(&self, size: usize, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let raw = self.open_raw("read of closed file", vm)?;
        if size <= self.ahead() && self.lock.is_free() {
            return self.take_ahead(size, vm).map(Some);
        }
        let _held = self.enter(vm)?;
        let out = new_bytes(size, vm)?;
        let (place, mut done) = (out.data_ptr(), 0);
        let copy = |done: usize| {
            let count = self.ahead().min(size - done);
            // SAFETY: the result has room for `size` bytes, and nobody else sees it yet.
            unsafe { std::ptr::copy_nonoverlapping(self.memory.at(self.pos.get()), place.add(done), count) };
            self.pos.set(self.pos.get() + count);
            count
        };
        done += copy(done);
        if done == size {
            return Ok(Some(out));
        }
        self.forget_ahead();
        self.before_read(&raw, vm)?;
        let block = self.memory.size();
        while done < size {
            let left = size - done;
            let moved = if left >= block {
                // SAFETY: as above.
                self.raw_read(&raw, unsafe { place.add(done) }, left - left % block, vm)?
            } else {
                if self.end.get() == block {
                    self.forget_ahead();
                }
                self.fill(&raw, vm)?
            };
            match moved {
                Moved::Bytes(0) => break,
                Moved::Bytes(count) if left >= block => done += count,
                Moved::Bytes(_) => done += copy(done),
                Moved::Blocked if done == 0 => return Ok(None),
                Moved::Blocked => break,
            }
        }
        if done == size {
            return Ok(Some(out));
        }
        // SAFETY: the first `done` bytes are filled.
        let filled = unsafe { std::slice::from_raw_parts(place, done) };
        Bytes::try_from_slice(filled, vm).map(Some)
    }

    /// `read()`: everything up to the end. `None`: the raw stream would block.
    pub fn read_everything(&self, vm: &Vm) -> PyResult {
        let raw = self.open_raw("read of closed file", vm)?;
        let _held = self.enter(vm)?;
        let ahead = self.take_ahead(usize::MAX, vm)?;
        self.forget_ahead();
        self.write_out_and_rewind(&raw, vm)?;
        self.raw_pos.set(-1);
        let none_or_bytes = |data: ObjRef, what: &str| -> PyResult<Option<Ref<Bytes>>> {
            if vm.is_none(&data) {
                return Ok(None);
            }
            data.downcast::<Bytes>()
                .map(Some)
                .map_err(|_| vm.type_error(format!("{what}() should return bytes")))
        };
        if let Some(file) = raw.downcast_exact::<FileIo>() {
            let rest = file.readall(vm)?;
            return match none_or_bytes(rest, "readall")? {
                Some(rest) if ahead.is_empty() => Ok(rest.into_object()),
                Some(rest) => join(&ahead, rest.as_bytes(), vm),
                None if ahead.is_empty() => Ok(vm.none()),
                None => Ok(ahead.into_object()),
            };
        }
        if let Some(readall) = raw.lookup_attr(vm.ids().readall, vm)? {
            let rest = readall.call_no_args(vm)?;
            return match none_or_bytes(rest, "readall")? {
                Some(rest) if ahead.is_empty() => Ok(rest.into_object()),
                Some(rest) => join(&ahead, rest.as_bytes(), vm),
                None if ahead.is_empty() => Ok(vm.none()),
                None => Ok(ahead.into_object()),
            };
        }
        let mut all = ahead.as_bytes().to_vec();
        loop {
            let part = raw.call_method(vm.ids().read, &[], vm)?;
            match none_or_bytes(part, "read")? {
                Some(part) if !part.is_empty() => all.extend_from_slice(part.as_bytes()),
                None if all.is_empty() => return Ok(vm.none()),
                _ => return Ok(Bytes::try_from_slice(&all, vm)?.into_object()),
            }
        }
    }

    /// `read1(size)`.
    pub fn read_once(&self, size: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let raw = self.open_raw("read of closed file", vm)?;
        let size = usize::try_from(size).unwrap_or(self.memory.size());
        if size == 0 {
            return Ok(Bytes::empty());
        }
        let held = self.enter(vm)?;
        if self.ahead() > 0 {
            return self.take_ahead(size, vm);
        }
        self.before_read(&raw, vm)?;
        self.forget_ahead();
        if size < self.memory.size() && raw.downcast_exact::<FileIo>().is_some() {
            // A whole block costs the system no more, and saves the next calls.
            return match self.fill(&raw, vm)? {
                Moved::Bytes(_) => self.take_ahead(size, vm),
                Moved::Blocked => Ok(Bytes::empty()),
            };
        }
        let out = new_bytes(size, vm)?;
        let count = match self.raw_read(&raw, out.data_ptr(), size, vm)? {
            Moved::Bytes(count) => count,
            Moved::Blocked => 0,
        };
        drop(held);
        if count == size {
            return Ok(out);
        }
        // SAFETY: the first `count` bytes are filled.
        Bytes::try_from_slice(unsafe { std::slice::from_raw_parts(out.data_ptr(), count) }, vm)
    }

    /// `readinto` and, with `once`, `readinto1`. `None`: the raw stream would block.
    pub fn read_to_buffer(&self, target: &Object, once: bool, vm: &Vm) -> PyResult<Option<usize>> {
        let raw = self.open_raw("readinto of closed file", vm)?;
        let mut buffer = crate::_io::writable_buffer(target, "readinto() argument", vm)?;
        let size = buffer.len();
        let place = match buffer.as_bytes_mut() {
            Some(space) => space.as_mut_ptr(),
            None => return Err(vm.type_error("readinto() argument must be read-write bytes-like object")),
        };
        let _held = self.enter(vm)?;
        let copy = |done: usize| {
            let count = self.ahead().min(size - done);
            // SAFETY: the buffer is held, and has `size` bytes.
            unsafe { std::ptr::copy(self.memory.at(self.pos.get()), place.wrapping_add(done), count) };
            self.pos.set(self.pos.get() + count);
            count
        };
        let mut done = copy(0);
        if done == size || (once && done > 0 && size - done <= self.memory.size()) {
            return Ok(Some(done));
        }
        self.before_read(&raw, vm)?;
        self.forget_ahead();
        while done < size {
            let direct = size - done > self.memory.size();
            let moved = if direct {
                self.raw_read(&raw, place.wrapping_add(done), size - done, vm)?
            } else {
                if self.end.get() == self.memory.size() {
                    self.forget_ahead();
                }
                self.fill(&raw, vm)?
            };
            match moved {
                Moved::Bytes(0) => break,
                Moved::Bytes(count) => done += if direct { count } else { copy(done) },
                Moved::Blocked if done == 0 => return Ok(None),
                Moved::Blocked => break,
            }
            if once {
                break;
            }
        }
        Ok(Some(done))
    }

    /// `peek()`.
    pub fn peek_bytes(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let raw = self.open_raw("peek of closed file", vm)?;
        let _held = self.enter(vm)?;
        if self.ahead() == 0 {
            self.before_read(&raw, vm)?;
            self.forget_ahead();
            self.fill(&raw, vm)?;
        }
        // SAFETY: copied at once.
        Bytes::try_from_slice(unsafe { self.ahead_bytes() }, vm)
    }

    /// `readline(limit)`; negative: no limit.
    pub fn read_line(&self, limit: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let raw = self.open_raw("readline of closed file", vm)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let _held = self.enter(vm)?;
        let mut line: Vec<u8> = Vec::new();
        loop {
            // SAFETY: copied before anything else happens.
            let ahead = unsafe { self.ahead_bytes() };
            let most = ahead.len().min(limit - line.len());
            let window = ahead.get(..most).unwrap_or(&[]);
            let (count, complete) = match memchr::memchr(b'\n', window) {
                Some(at) => (at + 1, true),
                None => (most, line.len() + most >= limit),
            };
            if complete && line.is_empty() {
                return self.take_ahead(count, vm);
            }
            line.extend_from_slice(window.get(..count).unwrap_or(&[]));
            self.pos.set(self.pos.get() + count);
            if complete {
                break;
            }
            self.before_read(&raw, vm)?;
            self.forget_ahead();
            match self.fill(&raw, vm)? {
                Moved::Bytes(count) if count > 0 => {}
                _ => break,
            }
        }
        Bytes::try_from_slice(&line, vm)
    }

    /// `write(data)`.
    pub fn write_bytes(&self, data: &[u8], vm: &Vm) -> PyResult<usize> {
        let raw = self.raw(vm)?;
        let held = self.enter(vm)?;
        if self.is_closed(&raw, vm)? {
            return Err(vm.value_error("write to closed file"));
        }
        if self.end.get() > 0 {
            self.rewind(&raw, vm)?;
        }
        let size = self.memory.size();
        let dirty = self.dirty_end.get();
        if data.len() <= size - dirty && data.len() < size {
            self.memory.put(dirty, data);
            self.dirty_end.set(dirty + data.len());
            return Ok(data.len());
        }
        if let Err(raised) = self.write_out(&raw, vm) {
            if !vm.exception_matches(types::blocking_io_error()) {
                return Err(raised);
            }
            // As much as fits waits for the next attempt.
            self.move_to_front();
            let dirty = self.dirty_end.get();
            let taken = self.memory.put(dirty, data);
            self.dirty_end.set(dirty + taken);
            if taken == data.len() {
                vm.clear_exception();
                return Ok(taken);
            }
            vm.clear_exception();
            return Err(blocked(taken, vm));
        }
        let mut done = 0;
        while data.len() - done > size {
            match self.raw_write(&raw, data.get(done..).unwrap_or(&[]), vm)? {
                Moved::Bytes(count) => done += count,
                Moved::Blocked => {
                    let taken = self.memory.put(0, data.get(done..).unwrap_or(&[]));
                    self.dirty_end.set(taken);
                    return Err(blocked(done + taken, vm));
                }
            }
            check_signals(vm)?;
        }
        let taken = self.memory.put(0, data.get(done..).unwrap_or(&[]));
        self.dirty_end.set(taken);
        drop(held);
        Ok(done + taken)
    }

    fn move_to_front(&self) {
        let (start, end) = (self.dirty_start.get(), self.dirty_end.get());
        if start > 0 {
            // SAFETY: filled; `put` allows overlapping.
            self.memory.put(0, unsafe { self.memory.filled(start, end) });
            self.dirty_start.set(0);
            self.dirty_end.set(end - start);
        }
    }

    /// `flush()` of a stream that writes.
    pub fn flush_all(&self, vm: &Vm) -> PyResult<()> {
        let raw = self.open_raw("flush of closed file", vm)?;
        let _held = self.enter(vm)?;
        self.write_out_and_rewind(&raw, vm)
    }

    /// `tell()`.
    pub fn position(&self, vm: &Vm) -> PyResult<i64> {
        let raw = self.raw(vm)?;
        let position = self.raw_tell(&raw, vm)?;
        let dirty = self.dirty_end.get() - self.dirty_start.get();
        Ok((position + dirty as i64 - self.ahead() as i64).max(0))
    }

    /// `seek(target, whence)`.
    pub fn move_to(&self, target: &Object, whence: i32, vm: &Vm) -> PyResult<i64> {
        let raw = self.raw(vm)?;
        if !matches!(whence, 0..=2 | libc::SEEK_DATA | libc::SEEK_HOLE) {
            return Err(vm.value_error(format!("whence value {whence} unsupported")));
        }
        if self.is_closed(&raw, vm)? {
            return Err(vm.value_error("seek of closed file"));
        }
        let seekable = match raw.downcast_exact::<FileIo>() {
            Some(file) => file.seekable(vm)?,
            None => ask(&raw, vm.ids().seekable, vm)?,
        };
        if !seekable {
            return Err(unsupported("File or stream is not seekable.", vm));
        }
        let mut target = offset(target, vm)?;
        if matches!(whence, 0 | 1) && self.readable.get() && self.dirty_end.get() == 0 {
            let current = if self.raw_pos.get() >= 0 { self.raw_pos.get() } else { self.raw_tell(&raw, vm)? };
            let ahead = self.ahead() as i64;
            if ahead > 0 {
                let distance = if whence == 0 { target - (current - ahead) } else { target };
                let place = self.pos.get() as i64;
                if distance >= -place && distance <= ahead {
                    self.pos.set((place + distance) as usize);
                    // Devices tell no positions.
                    return Ok((current - ahead + distance).max(0));
                }
            }
        }
        let _held = self.enter(vm)?;
        if self.writable.get() {
            self.write_out(&raw, vm)?;
        }
        if whence == 1 {
            target = target.saturating_sub(self.ahead() as i64);
        }
        let position = self.raw_seek(&raw, target, whence, vm)?;
        self.forget_ahead();
        Ok(position)
    }

    /// `truncate(pos)`.
    pub fn cut(&self, pos: &Object, vm: &Vm) -> PyResult {
        let raw = self.raw(vm)?;
        if self.is_closed(&raw, vm)? {
            return Err(vm.value_error("truncate of closed file"));
        }
        if !self.writable.get() {
            return Err(unsupported("truncate", vm));
        }
        let _held = self.enter(vm)?;
        self.write_out_and_rewind(&raw, vm)?;
        let result = raw.call_method(vm.ids().truncate, &[pos], vm)?;
        self.raw_pos.set(-1);
        Ok(result)
    }

    /// `close()`: writes out and closes the raw stream, whatever happens; what went wrong last is raised, with what went
    /// wrong before as its context.
    pub fn shut(&self, vm: &Vm) -> PyResult {
        let raw = self.raw(vm)?;
        if self.is_closed(&raw, vm)? {
            return Ok(vm.none());
        }
        if self.finalizing.get() {
            crate::_io::iobase::dealloc_warn(&raw, self.object(), vm);
        }
        let flushed = self.object().call_method(vm.ids().flush, &[], vm);
        let first = if flushed.is_err() { vm.take_exception() } else { None };
        // Who writes meanwhile waits, and finds the stream closed.
        let result = match self.enter(vm) {
            Ok(_held) => {
                let result = raw.call_method(vm.ids().close, &[], vm);
                self.memory.free();
                self.forget();
                result
            }
            Err(raised) => Err(raised),
        };
        crate::_io::iobase::chain(first, result, vm)
    }
}

fn raw_count(result: &Object, what: &str, len: usize, vm: &Vm) -> PyResult<usize> {
    let count = match result.as_isize(vm) {
        Ok(count) => count,
        Err(raised) => {
            let Some(cause) = vm.take_exception() else { return Err(raised) };
            let _raised = vm.raise(types::os_error(), format!("raw {what}() failed"));
            return Err(vm.chain_cause(cause));
        }
    };
    usize::try_from(count).ok().filter(|count| *count <= len).ok_or_else(|| {
        let text =
            format!("raw {what}() returned invalid length {count} (should have been between 0 and {len})");
        vm.raise(types::os_error(), text)
    })
}

/// A file offset: any integer.
pub fn offset(value: &Object, vm: &Vm) -> PyResult<i64> {
    let index = value.as_index(vm)?;
    index.to_i64().ok_or_else(|| vm.value_error("cannot fit 'int' into an offset-sized integer"))
}

fn new_bytes(size: usize, vm: &Vm) -> PyResult<Ref<Bytes>> {
    if size == 0 {
        return Ok(Bytes::empty());
    }
    // SAFETY: filled, or thrown away, before anybody sees it.
    unsafe { Bytes::allocate(size) }.ok_or_else(|| vm.memory_error())
}

fn join(first: &Bytes, rest: &[u8], vm: &Vm) -> PyResult {
    if rest.is_empty() {
        return Bytes::try_from_slice(first.as_bytes(), vm).map(Ref::into_object);
    }
    let mut all = Vec::new();
    all.try_reserve_exact(first.len() + rest.len()).map_err(|_| vm.memory_error())?;
    all.extend_from_slice(first.as_bytes());
    all.extend_from_slice(rest);
    Bytes::try_from_slice(&all, vm).map(Ref::into_object)
}

/// Raises `BlockingIOError` with `characters_written`.
#[cold]
fn blocked(written: usize, vm: &Vm) -> Raised {
    let text = vm.new_str("write could not complete without blocking").into_object();
    vm.raise_with(types::blocking_io_error(), vec![vm.new_int(libc::EAGAIN), text, vm.new_int(written)])
}

#[inline]
fn check_signals(vm: &Vm) -> PyResult<()> {
    if vm.eval_breaker.load(std::sync::atomic::Ordering::Relaxed) != 0 {
        return taipan_vm::runtime::pending::handle(vm);
    }
    Ok(())
}
