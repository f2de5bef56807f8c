//! The methods that buffered streams share. Each type lists the tables that apply to it.

use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::prelude::*;

use super::core::{Buffered, Status};
use crate::_io::iobase::size_arg;

impl Buffered {
    /// `raw.NAME()`.
    fn ask_raw(&self, name: &Str, vm: &Vm) -> PyResult {
        self.raw(vm)?.call_method(name, &[], vm)
    }

    /// `raw.NAME`.
    pub(super) fn raw_attr(&self, name: &Str, vm: &Vm) -> PyResult {
        self.raw(vm)?.get_attr(name, vm)
    }

    /// `closed`.
    pub(super) fn closed_attr(&self, vm: &Vm) -> PyResult {
        self.raw_attr(vm.ids().closed, vm)
    }

    /// `repr(stream)`.
    pub(super) fn shown(&self, vm: &Vm) -> PyResult<String> {
        let stream = self.object();
        let class = stream.ob_type().tp_name_str();
        let name = match stream.lookup_attr(vm.ids().name, vm) {
            Ok(name) => name,
            Err(_) if vm.exception_matches(types::value_error()) => {
                vm.clear_exception();
                None
            }
            Err(raised) => return Err(raised),
        };
        let Some(name) = name else { return Ok(format!("<{class}>")) };
        let Some(_guard) = ReprGuard::enter(stream, vm) else {
            return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
        };
        Ok(format!("<{class} name={}>", name.repr(vm)?.to_string_lossy()))
    }
}

#[pymethods(table = COMMON)]
impl Buffered {
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        self.shut(vm)
    }

    /// Disconnect this buffer from its underlying raw stream and return it.
    ///
    /// After the raw stream has been detached, the buffer is in an unusable
    /// state.
    #[method("($self, /)")]
    fn detach(&self, vm: &Vm) -> PyResult {
        self.raw(vm)?;
        self.object().call_method(vm.ids().flush, &[], vm)?;
        self.status.set(Status::Detached);
        self.raw.take().ok_or_else(|| vm.value_error("raw stream has been detached"))
    }

    #[method("($self, /)")]
    fn seekable(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().seekable, vm)
    }

    #[method("($self, /)")]
    fn fileno(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().fileno, vm)
    }

    #[method("($self, /)")]
    fn isatty(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().isatty, vm)
    }

    #[method("($self, source, /)")]
    fn _dealloc_warn(&self, source: &Object, vm: &Vm) {
        if let (Status::Ready, Some(raw)) = (self.status.get(), self.raw.get()) {
            crate::_io::iobase::dealloc_warn(&raw, source, vm);
        }
    }

    #[method("($self, target, whence=0, /)")]
    fn seek(&self, target: &Object, whence: Option<i32>, vm: &Vm) -> PyResult<i64> {
        self.move_to(target, whence.unwrap_or(0), vm)
    }

    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<i64> {
        self.position(vm)
    }

    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&Object>, vm: &Vm) -> PyResult {
        self.cut(pos.unwrap_or(vm.none_ref()), vm)
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = usize::try_from(self.object().ob_type().tp_basicsize.get()).unwrap_or(0);
        basic + self.memory.size()
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult {
        Err(crate::_io::iobase::cannot_pickle(self.object(), vm))
    }
}

#[pymethods(table = READING)]
impl Buffered {
    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().readable, vm)
    }

    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult {
        let size = size_arg(size, vm)?;
        if size < -1 {
            return Err(vm.value_error("read length must be non-negative or -1"));
        }
        match usize::try_from(size) {
            Ok(size) => Ok(self.read_bytes(size, vm)?.map_or_else(|| vm.none(), Ref::into_object)),
            Err(_) => self.read_everything(vm),
        }
    }

    #[method("($self, size=0, /)")]
    fn peek(&self, _size: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.peek_bytes(vm)
    }

    #[method("($self, size=-1, /)")]
    fn read1(&self, size: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.read_once(size.unwrap_or(-1), vm)
    }

    #[method("($self, buffer, /)")]
    fn readinto(&self, buffer: &Object, vm: &Vm) -> PyResult<Option<usize>> {
        self.read_to_buffer(buffer, false, vm)
    }

    #[method("($self, buffer, /)")]
    fn readinto1(&self, buffer: &Object, vm: &Vm) -> PyResult<Option<usize>> {
        self.read_to_buffer(buffer, true, vm)
    }

    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.read_line(size_arg(size, vm)?, vm)
    }
}

#[pymethods(table = WRITING)]
impl Buffered {
    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().writable, vm)
    }

    /// Write buffer b to the IO stream.
    ///
    /// Return the number of bytes written, which is always
    /// the length of b in bytes.
    ///
    /// Raise BlockingIOError if the buffer is full and the
    /// underlying raw stream cannot accept more data at the moment.
    #[method("($self, buffer, /)")]
    fn write(&self, buffer: BufferArg, vm: &Vm) -> PyResult<usize> {
        self.write_bytes(buffer.as_bytes(), vm)
    }

    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult<()> {
        self.flush_all(vm)
    }
}

#[pymethods(table = FLUSH_RAW)]
impl Buffered {
    #[method("($self, /)", name = "flush")]
    fn flush_raw(&self, vm: &Vm) -> PyResult {
        self.ask_raw(vm.ids().flush, vm)
    }
}

/// `next(stream)` of a stream that reads.
pub fn next_line(stream: &Object, exact: Option<&Buffered>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let line = match exact {
        Some(buffered) => buffered.read_line(-1, vm)?,
        None => {
            let line = stream.call_method(vm.ids().readline, &[], vm)?;
            line.downcast::<Bytes>().map_err(|other| {
                let given = other.ob_type().name();
                let text = format!("readline() should have returned a bytes object, not '{given}'");
                vm.raise(types::os_error(), text)
            })?
        }
    };
    Ok(if line.is_empty() { None } else { Some(line.into_object()) })
}
