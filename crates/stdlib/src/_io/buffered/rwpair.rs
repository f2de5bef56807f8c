//! `BufferedRWPair`.

use taipan_vm::prelude::*;

use super::reader::BufferedReader;
use super::writer::BufferedWriter;
use crate::_io::iobase::{BufferedIoBase, IoBase, ask, chain, unsupported};

/// The layout of `BufferedRWPair`.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferedRwPair {
    base: IoBase,
    reader: Slot<Object>,
    writer: Slot<Object>,
}

impl BufferedRwPair {
    fn part(part: &Slot<Object>, vm: &Vm) -> PyResult {
        part.get().ok_or_else(|| vm.value_error("I/O operation on uninitialized object"))
    }

    fn forward(part: &Slot<Object>, name: &str, args: &[&Object], vm: &Vm) -> PyResult {
        Self::part(part, vm)?.call_method(&vm.intern(name), args, vm)
    }
}

/// A buffered reader and writer object together.
///
/// A buffered reader object and buffered writer object put together to
/// form a sequential IO object that can read and write. This is typically
/// used with a socket or two-way pipe.
///
/// reader and writer are RawIOBase objects that are readable and
/// writeable respectively. If the buffer_size is omitted it defaults to
/// DEFAULT_BUFFER_SIZE.
#[pytype(name = "_io.BufferedRWPair", base = BufferedIoBase, flags(BASETYPE), gc)]
impl BufferedRwPair {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            BufferedRwPair {
                base: IoBase::of(Self::type_object()),
                reader: Slot::empty(),
                writer: Slot::empty(),
            },
        )
    }

    #[init("(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)")]
    fn init(&self, reader: &Object, writer: &Object, buffer_size: Option<isize>, vm: &Vm) -> PyResult<()> {
        if !ask(reader, vm.ids().readable, vm)? {
            return Err(unsupported("File or stream is not readable.", vm));
        }
        if !ask(writer, vm.ids().writable, vm)? {
            return Err(unsupported("File or stream is not writable.", vm));
        }
        let size = buffer_size.unwrap_or(crate::_io::DEFAULT_BUFFER_SIZE as isize);
        self.reader.put(BufferedReader::over(reader, size, vm)?);
        self.writer.put(BufferedWriter::over(writer, size, vm)?);
        Ok(())
    }

    #[method("!($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "read", size.as_slice(), vm)
    }

    #[method("!($self, size=0, /)")]
    fn peek(&self, size: Option<&Object>, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "peek", size.as_slice(), vm)
    }

    #[method("!($self, size=-1, /)")]
    fn read1(&self, size: Option<&Object>, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "read1", size.as_slice(), vm)
    }

    #[method("!($self, buffer, /)")]
    fn readinto(&self, buffer: &Object, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "readinto", &[buffer], vm)
    }

    #[method("!($self, buffer, /)")]
    fn readinto1(&self, buffer: &Object, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "readinto1", &[buffer], vm)
    }

    #[method("!($self, b, /)")]
    fn write(&self, b: &Object, vm: &Vm) -> PyResult {
        Self::forward(&self.writer, "write", &[b], vm)
    }

    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult {
        Self::forward(&self.writer, "flush", &[], vm)
    }

    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult {
        Self::forward(&self.reader, "readable", &[], vm)
    }

    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult {
        Self::forward(&self.writer, "writable", &[], vm)
    }

    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        let written = Self::forward(&self.writer, "close", &[], vm);
        let first = if written.is_err() { vm.take_exception() } else { None };
        let read = Self::forward(&self.reader, "close", &[], vm);
        chain(first, read, vm)
    }

    #[method("($self, /)")]
    fn isatty(&self, vm: &Vm) -> PyResult {
        let answer = Self::forward(&self.writer, "isatty", &[], vm)?;
        if answer.is_true(vm)? {
            return Ok(answer);
        }
        Self::forward(&self.reader, "isatty", &[], vm)
    }

    #[getter]
    fn closed(&self, vm: &Vm) -> PyResult {
        match self.writer.get() {
            Some(writer) => writer.get_attr(vm.ids().closed, vm),
            None => Err(vm.runtime_error("the BufferedRWPair object is being garbage-collected")),
        }
    }
}
