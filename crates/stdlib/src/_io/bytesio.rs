//! `BytesIO`: a binary stream in memory, and the object that lends its memory out.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;

use super::iobase::{BufferedIoBase, IoBase, size_arg};

/// The bytes of a stream: those of an object that others may have too, or its own.
enum Store {
    Shared(Ref<Bytes>),
    Own(Vec<u8>),
    Closed,
}

/// The layout of `BytesIO`.
#[repr(C)]
#[derive(Traverse)]
pub struct BytesIo {
    base: IoBase,
    #[traverse(skip)]
    store: RefCell<Store>,
    #[traverse(skip)]
    pos: Cell<usize>,
    /// How many buffers look at the memory, which may not move meanwhile.
    #[traverse(skip)]
    exports: Cell<usize>,
}

impl BytesIo {
    fn check_open(&self, vm: &Vm) -> PyResult<()> {
        match &*self.store.borrow() {
            Store::Closed => Err(vm.value_error("I/O operation on closed file.")),
            _ => Ok(()),
        }
    }

    fn check_exports(&self, vm: &Vm) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    /// Runs `work` on the bytes, which may not run Python code.
    fn with<R>(&self, work: impl FnOnce(&[u8]) -> R) -> R {
        match &*self.store.borrow() {
            Store::Shared(bytes) => work(bytes.as_bytes()),
            Store::Own(bytes) => work(bytes),
            Store::Closed => work(&[]),
        }
    }

    /// The bytes as the stream's own.
    fn with_own<R>(&self, work: impl FnOnce(&mut Vec<u8>) -> R, vm: &Vm) -> PyResult<R> {
        let mut store = self.store.borrow_mut();
        let shared = if let Store::Shared(bytes) = &*store {
            let mut own = Vec::new();
            own.try_reserve(bytes.len()).map_err(|_| vm.memory_error())?;
            own.extend_from_slice(bytes.as_bytes());
            let old = std::mem::replace(&mut *store, Store::Own(own));
            Some(old)
        } else {
            None
        };
        let result = match &mut *store {
            Store::Own(bytes) => Ok(work(bytes)),
            _ => Err(vm.value_error("I/O operation on closed file.")),
        };
        drop(store);
        drop(shared);
        result
    }

    fn len(&self) -> usize {
        self.with(<[u8]>::len)
    }

    /// The next `size` bytes, and moves behind them.
    fn take(&self, size: usize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let start = self.pos.get();
        if let Store::Shared(bytes) = &*self.store.borrow() {
            // All of it: the object itself.
            if start == 0 && size >= bytes.len() && bytes.len() > 1 {
                self.pos.set(bytes.len());
                return Ok(bytes.clone());
            }
        }
        let taken = self.with(|bytes| {
            let end = start.saturating_add(size).min(bytes.len());
            (Bytes::try_from_slice(bytes.get(start..end).unwrap_or(&[]), vm), end)
        });
        if start < taken.1 {
            self.pos.set(taken.1);
        }
        taken.0
    }

    fn line_len(&self, limit: isize) -> usize {
        self.with(|bytes| {
            let rest = bytes.get(self.pos.get()..).unwrap_or(&[]);
            let rest =
                rest.get(..usize::try_from(limit).unwrap_or(usize::MAX).min(rest.len())).unwrap_or(rest);
            memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
        })
    }

    fn write_slice(&self, data: &[u8], vm: &Vm) -> PyResult<()> {
        if data.is_empty() {
            return Ok(());
        }
        let pos = self.pos.get();
        let Some(end) = pos.checked_add(data.len()).filter(|end| isize::try_from(*end).is_ok()) else {
            return Err(vm.overflow_error("new position too large"));
        };
        let stored = self.with_own(
            |bytes| {
                if end > bytes.len() {
                    if bytes.try_reserve(end - bytes.len()).is_err() {
                        return false;
                    }
                    bytes.resize(pos.max(bytes.len()), 0);
                    bytes.truncate(pos.max(bytes.len()));
                }
                let overlap = bytes.len().saturating_sub(pos).min(data.len());
                let (over, append) = data.split_at(overlap);
                if let Some(place) = bytes.get_mut(pos..pos + overlap) {
                    place.copy_from_slice(over);
                }
                bytes.extend_from_slice(append);
                true
            },
            vm,
        )?;
        if !stored {
            return Err(vm.memory_error());
        }
        self.pos.set(end);
        Ok(())
    }
}

/// Buffered I/O implementation using an in-memory bytes buffer.
#[pytype(name = "_io.BytesIO", base = BufferedIoBase, flags(BASETYPE), gc)]
impl BytesIo {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            BytesIo {
                base: IoBase::of(Self::type_object()),
                store: RefCell::new(Store::Own(Vec::new())),
                pos: Cell::new(0),
                exports: Cell::new(0),
            },
        )
    }

    #[init("(initial_bytes=b'')")]
    fn init(&self, initial_bytes: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.check_exports(vm)?;
        self.pos.set(0);
        let store = match initial_bytes.filter(|initial| !vm.is_none(initial)) {
            None => Store::Own(Vec::new()),
            Some(initial) => match initial.downcast_exact::<Bytes>() {
                Some(bytes) => Store::Shared(bytes.into()),
                None => Store::Own(BufferArg::from_arg(initial, &super::NO_NAME, vm)?.as_bytes().to_vec()),
            },
        };
        let old = self.store.replace(store);
        drop(old);
        Ok(())
    }

    /// Returns True if the IO object can be read.
    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    /// Returns True if the IO object can be seeked.
    #[method("($self, /)")]
    fn seekable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    /// Returns True if the IO object can be written.
    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    /// Disable all I/O operations.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.check_exports(vm)?;
        let old = self.store.replace(Store::Closed);
        drop(old);
        Ok(())
    }

    /// Does nothing.
    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)
    }

    /// Always returns False.
    ///
    /// BytesIO objects are not connected to a TTY-like device.
    #[method("($self, /)")]
    fn isatty(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| false)
    }

    /// Current file position, an integer.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        Ok(self.pos.get())
    }

    /// Write bytes to file.
    ///
    /// Return the number of bytes written.
    #[method("($self, b, /)")]
    fn write(&self, b: &Object, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        self.check_exports(vm)?;
        let given = BufferArg::from_arg(b, &super::NO_NAME, vm)?;
        // The buffer protocol may have run Python code.
        self.check_open(vm)?;
        self.check_exports(vm)?;
        let data = given.as_bytes();
        self.write_slice(data, vm)?;
        Ok(data.len())
    }

    /// Write lines to the file.
    ///
    /// Note that newlines are not added.  lines can be any iterable object
    /// producing bytes-like objects. This is equivalent to calling write() for
    /// each element.
    #[method("($self, lines, /)")]
    fn writelines(&self, lines: &Object, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        let iterator = lines.iter(vm)?;
        while let Some(line) = iterator.iter_next(vm)? {
            self.write(&line, vm)?;
        }
        Ok(())
    }

    /// Read at most size bytes, returned as a bytes object.
    ///
    /// If the size argument is negative or omitted, read until EOF is reached.
    /// Return an empty bytes object at EOF.
    #[method("($self, size=-1, /)")]
    fn read1(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.read(size, vm)
    }

    /// Read bytes into buffer.
    ///
    /// Returns number of bytes read (0 for EOF), or None if the object
    /// is set not to block and has no data to read.
    #[method("($self, buffer, /)")]
    fn readinto(&self, buffer: &Object, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        let mut target = super::writable_buffer(buffer, "readinto() argument", vm)?;
        self.check_open(vm)?;
        let start = self.pos.get();
        let len = target.len();
        let Some(space) = target.as_bytes_mut() else { return Ok(0) };
        let (place, room) = (space.as_mut_ptr(), len);
        let count = self.with(|bytes| {
            let rest = bytes.get(start..).unwrap_or(&[]);
            let count = rest.len().min(room);
            // SAFETY: the target has that room, and is held; it may be the stream's own memory, which `copy` allows.
            unsafe { std::ptr::copy(rest.as_ptr(), place, count) };
            count
        });
        self.pos.set(start + count);
        Ok(count)
    }

    /// Next line from the file, as a bytes object.
    ///
    /// Retain newline.  A non-negative size argument limits the maximum
    /// number of bytes to return (an incomplete line may be returned then).
    /// Return an empty bytes object at EOF.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let size = size_arg(size, vm)?;
        self.check_open(vm)?;
        self.take(self.line_len(size), vm)
    }

    /// List of bytes objects, each a line from the file.
    ///
    /// Call readline() repeatedly and return a list of the lines so read.
    /// The optional size argument, if given, is an approximate bound on the
    /// total number of bytes in the lines returned.
    #[method("($self, size=None, /)")]
    fn readlines(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let size = match size.filter(|size| !vm.is_none(size)) {
            None => 0,
            Some(size) => match usize::try_from(size_arg(Some(size), vm)?) {
                Ok(size) => size,
                Err(_) => 0,
            },
        };
        self.check_open(vm)?;
        let list = vm.new_list(Vec::new());
        let mut total = 0;
        loop {
            let len = self.line_len(-1);
            if len == 0 {
                return Ok(list);
            }
            list.append(self.take(len, vm)?.into_object());
            total += len;
            if size > 0 && total >= size {
                return Ok(list);
            }
        }
    }

    /// Read at most size bytes, returned as a bytes object.
    ///
    /// If the size argument is negative, read until EOF is reached.
    /// Return an empty bytes object at EOF.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let size = size_arg(size, vm)?;
        self.check_open(vm)?;
        self.take(usize::try_from(size).unwrap_or(usize::MAX), vm)
    }

    /// Get a read-write view over the contents of the BytesIO object.
    #[method("~($self, /)")]
    fn getbuffer(&self, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        self.check_open(vm)?;
        let lender = vm.new_object(BytesIoBuffer {
            ob: Object::new(BytesIoBuffer::type_object()),
            stream: Slot::of(self.as_object().to_ref()),
        });
        MemoryView::from_object(lender.as_object(), vm)
    }

    /// Retrieve the entire contents of the BytesIO object.
    #[method("($self, /)")]
    fn getvalue(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.check_open(vm)?;
        if let Store::Shared(bytes) = &*self.store.borrow() {
            return Ok(bytes.clone());
        }
        let bytes = self.with(|bytes| Bytes::try_from_slice(bytes, vm))?;
        // Asked for again, it is the same object, as long as nobody writes.
        if self.exports.get() == 0 {
            let old = self.store.replace(Store::Shared(bytes.clone()));
            drop(old);
        }
        Ok(bytes)
    }

    /// Change stream position.
    ///
    /// Seek to byte offset pos relative to position indicated by whence:
    ///      0  Start of stream (the default).  pos should be >= 0;
    ///      1  Current position - pos may be negative;
    ///      2  End of stream - pos usually negative.
    /// Returns the new absolute position.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: Option<i32>, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        let whence = whence.unwrap_or(0);
        let base = match whence {
            0 if pos < 0 => return Err(vm.value_error(format!("negative seek value {pos}"))),
            0 => 0,
            1 => self.pos.get(),
            2 => self.len(),
            _ => {
                return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)")));
            }
        };
        let Some(target) = isize::try_from(base).ok().and_then(|base| base.checked_add(pos)) else {
            return Err(vm.overflow_error("new position too large"));
        };
        self.pos.set(usize::try_from(target).unwrap_or(0));
        Ok(self.pos.get())
    }

    /// Truncate the file to at most size bytes.
    ///
    /// Size defaults to the current file position, as returned by tell().
    /// The current file position is unchanged.  Returns the new size.
    #[method("($self, size=None, /)")]
    fn truncate(&self, size: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let size = match size.filter(|size| !vm.is_none(size)) {
            None => self.pos.get(),
            Some(size) => {
                let size = size_arg(Some(size), vm)?;
                match usize::try_from(size) {
                    Ok(size) => size,
                    Err(_) => return Err(vm.value_error(format!("negative size value {size}"))),
                }
            }
        };
        self.check_open(vm)?;
        self.check_exports(vm)?;
        if size < self.len() {
            self.with_own(
                |bytes| {
                    bytes.truncate(size);
                    if bytes.capacity() / 2 > size {
                        bytes.shrink_to_fit();
                    }
                },
                vm,
            )?;
        }
        Ok(size)
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let value = self.getvalue(vm)?.into_object();
        let position = vm.new_int(self.pos.get());
        let dict = match self.base.dict.get() {
            Some(dict) => match dict.downcast_ref::<Dict>() {
                Some(dict) => dict.copy(vm).into_object(),
                None => vm.none(),
            },
            None => vm.none(),
        };
        Ok(vm.new_tuple([value, position, dict]))
    }

    #[method("($self, object, /)", name = "__setstate__")]
    fn set_state(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        self.check_open(vm)?;
        let class = self.as_object().ob_type().tp_name_str();
        let Some([value, position, dict, ..]) = state.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
            let given = state.ob_type().name();
            return Err(
                vm.type_error(format!("{class}.__setstate__ argument should be 3-tuple, got {given}"))
            );
        };
        self.check_exports(vm)?;
        let old = self.store.replace(Store::Own(Vec::new()));
        drop(old);
        self.pos.set(0);
        self.write(value, vm)?;
        if position.downcast_ref::<Int>().is_none() {
            return Err(vm.type_error(format!(
                "second item of state must be an integer, not {}",
                position.ob_type().name()
            )));
        }
        let position = position.as_isize(vm)?;
        match usize::try_from(position) {
            Ok(position) => self.pos.set(position),
            Err(_) => return Err(vm.value_error("position value cannot be negative")),
        }
        super::iobase::restore_dict(self.as_object(), dict, "third", vm)
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let own = match &*self.store.borrow() {
            Store::Own(bytes) => bytes.capacity(),
            Store::Shared(bytes) => bytes.len() + size_of::<Bytes>() + 1,
            Store::Closed => 0,
        };
        usize::try_from(self.as_object().ob_type().tp_basicsize.get()).unwrap_or(0) + own
    }

    /// True if the file is closed.
    #[getter]
    fn closed(&self) -> bool {
        matches!(*self.store.borrow(), Store::Closed)
    }

    #[slot]
    fn tp_iter(zelf: &Object, vm: &Vm) -> PyResult {
        super::iobase::check_closed(zelf, vm)?;
        Ok(zelf.to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.check_open(vm)?;
        match self.line_len(-1) {
            0 => Ok(None),
            len => Ok(Some(self.take(len, vm)?.into_object())),
        }
    }
}

/// The layout of `_BytesIOBuffer`: what a memoryview of a stream's memory is of.
#[repr(C)]
#[derive(Traverse)]
pub struct BytesIoBuffer {
    #[traverse(skip)]
    ob: Object,
    stream: Slot<Object>,
}

#[pytype(name = "_io._BytesIOBuffer", gc, no_new)]
impl BytesIoBuffer {
    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let stream = self.stream.get();
        let Some(stream) = stream.as_ref().and_then(|stream| stream.downcast_ref::<BytesIo>()) else {
            return Err(vm.buffer_error("the stream is gone"));
        };
        let (data, len) = stream.with_own(|bytes| (bytes.as_mut_ptr(), bytes.len()), vm)?;
        buffer::fill_info(view, self.as_object(), data, len, false, flags, vm)?;
        stream.exports.set(stream.exports.get() + 1);
        Ok(())
    }

    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {
        let stream = self.stream.get();
        if let Some(stream) = stream.as_ref().and_then(|stream| stream.downcast_ref::<BytesIo>()) {
            stream.exports.set(stream.exports.get().saturating_sub(1));
        }
    }
}
