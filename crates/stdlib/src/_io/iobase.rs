//! The abstract bases: `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`.

use taipan_vm::exceptions::unraisable;
use taipan_vm::prelude::*;

/// What every stream starts with: instance dict and weak references.
#[repr(C)]
#[derive(Traverse)]
pub struct IoBase {
    #[traverse(skip)]
    ob: Object,
    pub(super) dict: Slot<Object>,
    #[traverse(skip)]
    pub(super) weakrefs: WeakList,
}

impl IoBase {
    /// The base part of a stream of type `T`.
    pub fn of(tp: &'static Type) -> IoBase {
        IoBase { ob: Object::new(tp), dict: Slot::empty(), weakrefs: WeakList::new() }
    }

    /// The stream as an object.
    #[inline(always)]
    pub fn object(&self) -> &Object {
        &self.ob
    }
}

/// Raises `io.UnsupportedOperation`.
#[cold]
pub fn unsupported(text: &str, vm: &Vm) -> Raised {
    match super::unsupported_operation(vm) {
        Ok(tp) => match tp.downcast_ref::<Type>() {
            Some(tp) => vm.raise(tp, text),
            None => vm.value_error(text),
        },
        Err(raised) => raised,
    }
}

/// Raises `ValueError` when the stream is closed.
pub fn check_closed(stream: &Object, vm: &Vm) -> PyResult<()> {
    if is_closed(stream, vm)? { Err(vm.value_error("I/O operation on closed file.")) } else { Ok(()) }
}

/// `stream.closed`.
pub fn is_closed(stream: &Object, vm: &Vm) -> PyResult<bool> {
    stream.get_attr(vm.ids().closed, vm)?.is_true(vm)
}

/// Whether `stream.NAME()` is true.
pub fn ask(stream: &Object, name: &Str, vm: &Vm) -> PyResult<bool> {
    stream.call_method(name, &[], vm)?.is_true(vm)
}

/// Whether the waiting exception is an `OSError` with `EINTR`; it is forgotten then.
pub fn was_interrupted(vm: &Vm) -> bool {
    vm.exception_matches(types::interrupted_error()) && {
        vm.clear_exception();
        true
    }
}

/// The size argument of the reading functions: `None` and negative mean "everything".
pub fn size_arg(size: Option<&Object>, vm: &Vm) -> PyResult<isize> {
    match size {
        None => Ok(-1),
        Some(size) if vm.is_none(size) => Ok(-1),
        Some(size) if size.has_index() => size.as_isize(vm),
        Some(size) => {
            Err(vm.type_error(format!("argument should be integer or None, not '{}'", size.ob_type().name())))
        }
    }
}

/// Closes a stream that is given up without `close`; errors of it don't matter to anybody.
pub fn finalize(stream: &Object, vm: &Vm) {
    let waiting = vm.take_exception();
    match is_closed(stream, vm) {
        Ok(false) => {
            if stream.set_attr(&vm.intern("_finalizing"), vm.true_ref(), vm).is_err() {
                vm.clear_exception();
            }
            if stream.call_method(vm.ids().close, &[], vm).is_err() {
                unraisable::write_unraisable_while("while finalizing file", Some(stream), vm);
            }
        }
        Ok(true) => {}
        Err(Raised) => vm.clear_exception(),
    }
    vm.current_exception.set(waiting);
}

/// Tells a raw or buffered stream, which is given up without `close`, to warn in the name of `source`. Errors of it, warnings
/// that are errors among them, are not for the caller.
pub fn dealloc_warn(stream: &Object, source: &Object, vm: &Vm) {
    let waiting = vm.take_exception();
    if stream.call_method(&vm.intern("_dealloc_warn"), &[source], vm).is_err() {
        vm.clear_exception();
    }
    vm.current_exception.set(waiting);
}

/// The result of a second step that was taken although the first one failed with `first`: what failed last is raised, with
/// what failed before as its context.
pub fn chain<T>(first: Option<Ref<BaseException>>, second: PyResult<T>, vm: &Vm) -> PyResult<T> {
    let Some(first) = first else { return second };
    if second.is_ok() {
        return Err(vm.reraise(first));
    }
    if let Some(last) = vm.current_exception.get() {
        if !last.as_object().is(first.as_object()) && last.context.is_none() {
            last.context.put(first.into_object());
        }
    }
    second
}

/// Puts the instance dict of a pickled stream back.
pub fn restore_dict(stream: &Object, dict: &Object, which: &str, vm: &Vm) -> PyResult<()> {
    if vm.is_none(dict) {
        return Ok(());
    }
    if dict.downcast_ref::<Dict>().is_none() {
        let given = dict.ob_type().name();
        return Err(vm.type_error(format!("{which} item of state should be a dict, got a {given}")));
    }
    let own = taipan_vm::builtins::dict::managed::instance_dict(stream, vm)?;
    own.update_from(dict, true, vm)
}

/// Raises the `TypeError` of streams that are asked for their state.
#[cold]
pub fn cannot_pickle(stream: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("cannot pickle '{}' instances", stream.ob_type().name()))
}

const CLOSED_FLAG: &str = "__IOBase_closed";

/// `_IOBase.close`: flushes and marks the stream as closed, whatever flushing comes to.
pub fn close_base(stream: &Object, vm: &Vm) -> PyResult<()> {
    if is_closed(stream, vm)? {
        return Ok(());
    }
    let flushed = stream.call_method(vm.ids().flush, &[], vm);
    let waiting = vm.take_exception();
    let marked = stream.set_attr(&vm.intern(CLOSED_FLAG), vm.true_ref(), vm);
    match waiting {
        Some(exception) => Err(vm.reraise(exception)),
        None => flushed.and(marked),
    }
}

/// The abstract base class for all I/O classes.
///
/// This class provides dummy implementations for many methods that
/// derived classes can override selectively; the default implementations
/// represent a file that cannot be read, written or seeked.
#[pytype(name = "_io._IOBase", flags(BASETYPE), gc, dict = dict, weakrefs = weakrefs)]
impl IoBase {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, IoBase::of(Self::type_object()))
    }

    #[slot]
    fn tp_finalize(zelf: &Object, vm: &Vm) {
        finalize(zelf, vm);
    }

    /// Change the stream position to the given byte offset.
    #[method("~($self, offset, whence=os.SEEK_SET, /)")]
    fn seek(_zelf: &Object, _offset: &Object, _whence: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("seek", vm))
    }

    /// Return current stream position.
    #[method("($self, /)")]
    fn tell(zelf: &Object, vm: &Vm) -> PyResult {
        zelf.call_method(vm.ids().seek, &[&vm.new_int(0), &vm.new_int(1)], vm)
    }

    /// Truncate file to size bytes.
    ///
    /// File pointer is left unchanged. Size defaults to the current IO position
    /// as reported by tell(). Return the new size.
    #[method("~($self, size=None, /)")]
    fn truncate(_zelf: &Object, _size: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("truncate", vm))
    }

    /// Flush write buffers, if applicable.
    ///
    /// This is not implemented for read-only and non-blocking streams.
    #[method("($self, /)")]
    fn flush(zelf: &Object, vm: &Vm) -> PyResult<()> {
        check_closed(zelf, vm)
    }

    /// Flush and close the IO object.
    ///
    /// This method has no effect if the file is already closed.
    #[method("($self, /)")]
    fn close(zelf: &Object, vm: &Vm) -> PyResult<()> {
        close_base(zelf, vm)
    }

    /// Return whether object supports random access.
    ///
    /// If False, seek(), tell() and truncate() will raise OSError.
    /// This method may need to do a test seek().
    #[method("($self, /)")]
    fn seekable(_zelf: &Object) -> bool {
        false
    }

    /// Return whether object was opened for reading.
    ///
    /// If False, read() will raise OSError.
    #[method("($self, /)")]
    fn readable(_zelf: &Object) -> bool {
        false
    }

    /// Return whether object was opened for writing.
    ///
    /// If False, write() will raise OSError.
    #[method("($self, /)")]
    fn writable(_zelf: &Object) -> bool {
        false
    }

    #[method("($self, /)", name = "_checkClosed")]
    fn check_closed_method(zelf: &Object, vm: &Vm) -> PyResult<()> {
        check_closed(zelf, vm)
    }

    #[method("($self, /)", name = "_checkSeekable")]
    fn check_seekable_method(zelf: &Object, vm: &Vm) -> PyResult<bool> {
        if ask(zelf, vm.ids().seekable, vm)? {
            Ok(true)
        } else {
            Err(unsupported("File or stream is not seekable.", vm))
        }
    }

    #[method("($self, /)", name = "_checkReadable")]
    fn check_readable_method(zelf: &Object, vm: &Vm) -> PyResult<bool> {
        if ask(zelf, vm.ids().readable, vm)? {
            Ok(true)
        } else {
            Err(unsupported("File or stream is not readable.", vm))
        }
    }

    #[method("($self, /)", name = "_checkWritable")]
    fn check_writable_method(zelf: &Object, vm: &Vm) -> PyResult<bool> {
        if ask(zelf, vm.ids().writable, vm)? {
            Ok(true)
        } else {
            Err(unsupported("File or stream is not writable.", vm))
        }
    }

    /// Return underlying file descriptor if one exists.
    ///
    /// Raise OSError if the IO object does not use a file descriptor.
    #[method("~($self, /)")]
    fn fileno(_zelf: &Object, vm: &Vm) -> PyResult {
        Err(unsupported("fileno", vm))
    }

    /// Return whether this is an 'interactive' stream.
    ///
    /// Return False if it can't be determined.
    #[method("($self, /)")]
    fn isatty(zelf: &Object, vm: &Vm) -> PyResult<bool> {
        check_closed(zelf, vm)?;
        Ok(false)
    }

    #[method("($self, /)")]
    fn __enter__(zelf: &Object, vm: &Vm) -> PyResult {
        check_closed(zelf, vm)?;
        Ok(zelf.to_ref())
    }

    #[method("!($self, *args)")]
    fn __exit__(zelf: &Object, _args: &[&Object], vm: &Vm) -> PyResult {
        zelf.call_method(vm.ids().close, &[], vm)
    }

    #[getter]
    fn closed(zelf: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(zelf.lookup_attr(&vm.intern(CLOSED_FLAG), vm)?.is_some())
    }

    #[getter]
    fn __dict__(zelf: &Object, vm: &Vm) -> PyResult {
        taipan_vm::builtins::dict::managed::instance_dict(zelf, vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_iter(zelf: &Object, vm: &Vm) -> PyResult {
        check_closed(zelf, vm)?;
        Ok(zelf.to_ref())
    }

    #[slot]
    fn tp_iternext(zelf: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let line = zelf.call_method(vm.ids().readline, &[], vm)?;
        Ok(if line.length(vm)? == 0 { None } else { Some(line) })
    }

    /// Read and return a line from the stream.
    ///
    /// If size is specified, at most size bytes will be read.
    ///
    /// The line terminator is always b'\n' for binary files; for text
    /// files, the newlines argument to open can be used to select the line
    /// terminator(s) recognized.
    #[method("($self, size=-1, /)")]
    fn readline(zelf: &Object, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let limit = size_arg(size, vm)?;
        let peek = zelf.lookup_attr(&vm.intern("peek"), vm)?;
        let mut line: Vec<u8> = Vec::new();
        while limit < 0 || (line.len() as isize) < limit {
            let mut wanted = 1;
            if let Some(peek) = &peek {
                let seen = peek.call(&[&vm.new_int(1)], vm)?;
                let Some(seen) = seen.downcast_ref::<Bytes>() else {
                    let given = seen.ob_type().name();
                    return Err(vm.raise(
                        types::os_error(),
                        format!("peek() should have returned a bytes object, not '{given}'"),
                    ));
                };
                let seen = seen.as_bytes();
                if !seen.is_empty() {
                    wanted = memchr::memchr(b'\n', seen).map_or(seen.len(), |at| at + 1);
                    if limit >= 0 {
                        wanted = wanted.min(limit as usize - line.len());
                    }
                }
            }
            let part = zelf.call_method(vm.ids().read, &[&vm.new_int(wanted)], vm)?;
            let Some(part) = part.downcast_ref::<Bytes>() else {
                let given = part.ob_type().name();
                return Err(vm.raise(
                    types::os_error(),
                    format!("read() should have returned a bytes object, not '{given}'"),
                ));
            };
            if part.is_empty() {
                break;
            }
            line.extend_from_slice(part.as_bytes());
            if line.last() == Some(&b'\n') {
                break;
            }
        }
        Ok(vm.new_bytes(&line))
    }

    /// Return a list of lines from the stream.
    ///
    /// hint can be specified to control the number of lines read: no more
    /// lines will be read if the total size (in bytes/characters) of all
    /// lines so far exceeds hint.
    #[method("($self, hint=-1, /)")]
    fn readlines(zelf: &Object, hint: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let hint = size_arg(hint, vm)?;
        let list = vm.new_list(Vec::new());
        let iterator = zelf.iter(vm)?;
        let mut total = 0usize;
        while let Some(line) = iterator.iter_next(vm)? {
            total = total.saturating_add(line.length(vm)?);
            list.append(line);
            if hint > 0 && total >= hint as usize {
                break;
            }
        }
        Ok(list)
    }

    /// Write a list of lines to stream.
    ///
    /// Line separators are not added, so it is usual for each of the
    /// lines provided to have a line separator at the end.
    #[method("($self, lines, /)")]
    fn writelines(zelf: &Object, lines: &Object, vm: &Vm) -> PyResult<()> {
        check_closed(zelf, vm)?;
        let iterator = lines.iter(vm)?;
        while let Some(line) = iterator.iter_next(vm)? {
            zelf.call_method(vm.ids().write, &[&line], vm)?;
        }
        Ok(())
    }
}

/// The layout of `_RawIOBase`.
#[repr(C)]
#[derive(Traverse)]
pub struct RawIoBase {
    base: IoBase,
}

/// Base class for raw binary I/O.
#[pytype(name = "_io._RawIOBase", base = IoBase, flags(BASETYPE), gc)]
impl RawIoBase {
    #[method("($self, size=-1, /)")]
    fn read(zelf: &Object, size: Option<isize>, vm: &Vm) -> PyResult {
        let size = size.unwrap_or(-1);
        if size < 0 {
            return zelf.call_method(vm.ids().readall, &[], vm);
        }
        let space = zero_bytearray(size as usize, vm)?;
        let count = zelf.call_method(vm.ids().readinto, &[space.as_object()], vm)?;
        if vm.is_none(&count) {
            return Ok(count);
        }
        let count = count.as_isize(vm)?;
        match space.as_bytes().get(..usize::try_from(count).unwrap_or(usize::MAX)) {
            Some(part) => Ok(vm.new_bytes(part).into_object()),
            None => Err(vm.value_error(format!("readinto returned {count} outside buffer size {size}"))),
        }
    }

    /// Read until EOF, using multiple read() call.
    #[method("($self, /)")]
    fn readall(zelf: &Object, vm: &Vm) -> PyResult {
        let mut all: Vec<u8> = Vec::new();
        loop {
            let part = match zelf.call_method(vm.ids().read, &[&vm.new_int(super::DEFAULT_BUFFER_SIZE)], vm) {
                Ok(part) => part,
                Err(Raised) if was_interrupted(vm) => continue,
                Err(Raised) => return Err(Raised),
            };
            if vm.is_none(&part) {
                if all.is_empty() {
                    return Ok(part);
                }
                break;
            }
            let Some(part) = part.downcast_ref::<Bytes>() else {
                return Err(vm.type_error("read() should return bytes"));
            };
            if part.is_empty() {
                break;
            }
            all.extend_from_slice(part.as_bytes());
        }
        Ok(vm.new_bytes(&all).into_object())
    }

    #[method("!($self, buffer, /)")]
    fn readinto(_zelf: &Object, _buffer: &Object, vm: &Vm) -> PyResult {
        Err(vm.raise_with(types::not_implemented_error(), Vec::new()))
    }

    #[method("!($self, b, /)")]
    fn write(_zelf: &Object, _b: &Object, vm: &Vm) -> PyResult {
        Err(vm.raise_with(types::not_implemented_error(), Vec::new()))
    }
}

/// A bytearray of zeros.
pub fn zero_bytearray(size: usize, vm: &Vm) -> PyResult<Ref<ByteArray>> {
    let array = ByteArray::from_slice(&[], vm)?;
    array.resize_to(size, vm)?;
    Ok(array)
}

/// The layout of `_BufferedIOBase`.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferedIoBase {
    base: IoBase,
}

fn read_into(zelf: &Object, method: &Str, buffer: &Object, vm: &Vm) -> PyResult<usize> {
    let mut target = buffer.get_buffer(taipan_vm::protocols::buffer::WRITABLE, vm)?;
    let data = zelf.call_method(method, &[&vm.new_int(target.len())], vm)?;
    let Some(data) = data.downcast_ref::<Bytes>() else {
        return Err(vm.type_error("read() should return bytes"));
    };
    let data = data.as_bytes();
    let wanted = target.len();
    match target.as_bytes_mut().and_then(|space| space.get_mut(..data.len())) {
        Some(space) => {
            space.copy_from_slice(data);
            Ok(data.len())
        }
        None => Err(vm.value_error(format!(
            "read() returned too much data: {wanted} bytes requested, {} returned",
            data.len()
        ))),
    }
}

/// Base class for buffered IO objects.
///
/// The main difference with RawIOBase is that the read() method
/// supports omitting the size argument, and does not have a default
/// implementation that defers to readinto().
#[pytype(name = "_io._BufferedIOBase", base = IoBase, flags(BASETYPE), gc)]
impl BufferedIoBase {
    /// Disconnect this buffer from its underlying raw stream and return it.
    ///
    /// After the raw stream has been detached, the buffer is in an unusable
    /// state.
    #[method("~($self, /)")]
    fn detach(_zelf: &Object, vm: &Vm) -> PyResult {
        Err(unsupported("detach", vm))
    }

    /// Read and return up to n bytes.
    #[method("~($self, size=-1, /)")]
    fn read(_zelf: &Object, _size: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("read", vm))
    }

    /// Read and return up to size bytes, with at most one read() call to the underlying raw stream.
    #[method("~($self, size=-1, /)")]
    fn read1(_zelf: &Object, _size: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("read1", vm))
    }

    #[method("($self, buffer, /)")]
    fn readinto(zelf: &Object, buffer: &Object, vm: &Vm) -> PyResult<usize> {
        read_into(zelf, vm.ids().read, buffer, vm)
    }

    #[method("($self, buffer, /)")]
    fn readinto1(zelf: &Object, buffer: &Object, vm: &Vm) -> PyResult<usize> {
        read_into(zelf, vm.ids().read1, buffer, vm)
    }

    /// Write buffer b to the IO stream.
    ///
    /// Return the number of bytes written, which is always
    /// the length of b in bytes.
    #[method("~($self, b, /)")]
    fn write(_zelf: &Object, _b: &Object, vm: &Vm) -> PyResult {
        Err(unsupported("write", vm))
    }
}

/// The layout of `_TextIOBase`.
#[repr(C)]
#[derive(Traverse)]
pub struct TextIoBase {
    base: IoBase,
}

/// Base class for text I/O.
///
/// This class provides a character and line based interface to stream
/// I/O. There is no readinto method because Python's character strings
/// are immutable.
#[pytype(name = "_io._TextIOBase", base = IoBase, flags(BASETYPE), gc)]
impl TextIoBase {
    /// Separate the underlying buffer from the TextIOBase and return it.
    #[method("~($self, /)")]
    fn detach(_zelf: &Object, vm: &Vm) -> PyResult {
        Err(unsupported("detach", vm))
    }

    /// Read at most size characters from stream.
    #[method("~($self, size=-1, /)")]
    fn read(_zelf: &Object, _size: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("read", vm))
    }

    /// Read until newline or EOF.
    #[method("~($self, size=-1, /)")]
    fn readline(_zelf: &Object, _size: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unsupported("readline", vm))
    }

    /// Write string s to stream.
    #[method("~($self, s, /)")]
    fn write(_zelf: &Object, _s: &Object, vm: &Vm) -> PyResult {
        Err(unsupported("write", vm))
    }

    #[getter]
    fn encoding(_zelf: &Object, vm: &Vm) -> ObjRef {
        vm.none()
    }

    #[getter]
    fn newlines(_zelf: &Object, vm: &Vm) -> ObjRef {
        vm.none()
    }

    #[getter]
    fn errors(_zelf: &Object, vm: &Vm) -> ObjRef {
        vm.none()
    }
}
