//! `StringIO`: a text stream in memory.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::str::{StrBuilder, StrData};
use taipan_vm::prelude::*;

use super::iobase::{IoBase, TextIoBase, size_arg};
use super::newlines::{Newline, Newlines};

/// The characters: text that only grows at its end, or single characters once something inside was overwritten.
enum Store {
    Text(StrBuilder),
    Chars(Vec<u32>),
}

impl Store {
    fn data(&self) -> StrData<'_> {
        match self {
            Store::Text(text) => text.data(),
            Store::Chars(chars) => StrData::Ucs4(chars),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    New,
    Open,
    Closed,
}

/// The layout of `StringIO`.
#[repr(C)]
#[derive(Traverse)]
pub struct StringIo {
    base: IoBase,
    #[traverse(skip)]
    store: RefCell<Store>,
    #[traverse(skip)]
    pos: Cell<usize>,
    #[traverse(skip)]
    status: Cell<Status>,
    #[traverse(skip)]
    newline: Cell<Newline>,
    #[traverse(skip)]
    newlines: Newlines,
}

impl StringIo {
    fn check_open(&self, vm: &Vm) -> PyResult<()> {
        match self.status.get() {
            Status::Open => Ok(()),
            Status::New => Err(vm.value_error("I/O operation on uninitialized object")),
            Status::Closed => Err(vm.value_error("I/O operation on closed file")),
        }
    }

    fn part(&self, start: usize, end: usize, vm: &Vm) -> PyResult<Ref<Str>> {
        Str::try_from_data(self.store.borrow().data().slice(start, end), vm)
    }

    fn len(&self) -> usize {
        self.store.borrow().data().len()
    }

    fn write_text(&self, text: &Str, vm: &Vm) -> PyResult<()> {
        let newline = self.newline.get();
        let mut text: Ref<Str> = text.into();
        if newline.is_universal() {
            text = self.newlines.feed(text, newline == Newline::Translate, true, vm)?;
        }
        if let Some(written) = newline.written() {
            text = text.replace_str(vm.ids().newline, &vm.new_str(written), usize::MAX, vm)?;
        }
        if text.is_empty() {
            return Ok(());
        }
        let pos = self.pos.get();
        let Some(end) = pos.checked_add(text.len()).filter(|end| isize::try_from(*end).is_ok()) else {
            return Err(vm.overflow_error("new position too large"));
        };
        let mut store = self.store.borrow_mut();
        let len = store.data().len();
        if let Store::Text(builder) = &mut *store {
            if pos >= len {
                builder.push_repeated(0, pos - len, vm)?;
                builder.reserve(text.len(), vm)?;
                builder.push(&text);
                self.pos.set(end);
                return Ok(());
            }
        }
        if let Store::Text(builder) = &*store {
            let chars = builder.data().iter().collect();
            *store = Store::Chars(chars);
        }
        if let Store::Chars(chars) = &mut *store {
            if end > len {
                chars.try_reserve(end - len).map_err(|_| vm.memory_error())?;
                chars.resize(end, 0);
            }
            if let Some(place) = chars.get_mut(pos..end) {
                for (to, from) in place.iter_mut().zip(text.data().iter()) {
                    *to = from;
                }
            }
        }
        self.pos.set(end);
        Ok(())
    }

    fn read_line(&self, limit: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        let start = self.pos.get();
        let end = {
            let store = self.store.borrow();
            let data = store.data();
            if start >= data.len() {
                return Ok(Str::empty());
            }
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let most = start.saturating_add(limit).min(data.len());
            self.newline.get().line_end(data, start).unwrap_or(data.len()).min(most)
        };
        self.pos.set(end);
        self.part(start, end, vm)
    }

    /// Starts over with the given text, put in as it is.
    fn start(&self, newline: Newline) {
        self.store.replace(Store::Text(StrBuilder::new()));
        self.pos.set(0);
        self.newline.set(newline);
        self.newlines.reset();
        self.status.set(Status::Open);
    }
}

/// Text I/O implementation using an in-memory buffer.
///
/// The initial_value argument sets the value of object.  The newline
/// argument is like the one of TextIOWrapper's constructor.
#[pytype(name = "_io.StringIO", base = TextIoBase, flags(BASETYPE), gc)]
impl StringIo {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            StringIo {
                base: IoBase::of(Self::type_object()),
                store: RefCell::new(Store::Text(StrBuilder::new())),
                pos: Cell::new(0),
                status: Cell::new(Status::New),
                newline: Cell::new(Newline::Lf),
                newlines: Newlines::default(),
            },
        )
    }

    #[init("(initial_value='', newline='\\n')")]
    fn init(&self, initial_value: Option<&Object>, newline: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.status.set(Status::New);
        let newline = match newline {
            None => Newline::Lf,
            Some(newline) => match Newline::parse(Some(newline), vm) {
                Err(_) if newline.downcast_ref::<Str>().is_some() => {
                    vm.clear_exception();
                    let shown = newline.repr(vm)?;
                    let text = format!("illegal newline value: {}", shown.to_string_lossy());
                    return Err(vm.value_error(text));
                }
                parsed => parsed?,
            },
        };
        let initial = match initial_value.filter(|value| !vm.is_none(value)) {
            None => None,
            Some(value) => match value.downcast_ref::<Str>() {
                Some(text) => Some(text),
                None => {
                    return Err(vm.type_error(format!(
                        "initial_value must be str or None, not {}",
                        value.ob_type().name()
                    )));
                }
            },
        };
        self.start(newline);
        if let Some(text) = initial {
            self.write_text(text, vm)?;
            self.pos.set(0);
        }
        Ok(())
    }

    /// Close the IO object.
    ///
    /// Attempting any further operation after the object is closed
    /// will raise a ValueError.
    ///
    /// This method has no effect if the file is already closed.
    #[method("($self, /)")]
    fn close(&self) {
        self.status.set(Status::Closed);
        self.store.replace(Store::Text(StrBuilder::new()));
    }

    /// Retrieve the entire contents of the object.
    #[method("($self, /)")]
    fn getvalue(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        self.check_open(vm)?;
        self.part(0, usize::MAX, vm)
    }

    /// Read at most size characters, returned as a string.
    ///
    /// If the argument is negative or omitted, read until EOF
    /// is reached. Return an empty string at EOF.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let size = size_arg(size, vm)?;
        self.check_open(vm)?;
        let (start, len) = (self.pos.get(), self.len());
        if start >= len {
            return Ok(Str::empty());
        }
        let end = usize::try_from(size).map_or(len, |size| start.saturating_add(size).min(len));
        self.pos.set(end);
        self.part(start, end, vm)
    }

    /// Read until newline or EOF.
    ///
    /// Returns an empty string if EOF is hit immediately.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let size = size_arg(size, vm)?;
        self.check_open(vm)?;
        self.read_line(size, vm)
    }

    /// Tell the current file position.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        Ok(self.pos.get())
    }

    /// Truncate size to pos.
    ///
    /// The pos argument defaults to the current file position, as
    /// returned by tell().  The current file position is unchanged.
    /// Returns the new absolute position.
    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let size = match pos.filter(|pos| !vm.is_none(pos)) {
            None => self.pos.get(),
            Some(pos) => {
                let size = size_arg(Some(pos), vm)?;
                match usize::try_from(size) {
                    Ok(size) => size,
                    Err(_) => return Err(vm.value_error(format!("Negative size value {size}"))),
                }
            }
        };
        self.check_open(vm)?;
        match &mut *self.store.borrow_mut() {
            Store::Text(text) if size < text.len() => text.truncate(size),
            Store::Chars(chars) => chars.truncate(size),
            Store::Text(_) => {}
        }
        Ok(size)
    }

    /// Change stream position.
    ///
    /// Seek to character offset pos relative to position indicated by whence:
    ///     0  Start of stream (the default).  pos should be >= 0;
    ///     1  Current position - pos must be 0;
    ///     2  End of stream - pos must be 0.
    /// Returns the new absolute position.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: Option<i32>, vm: &Vm) -> PyResult<usize> {
        self.check_open(vm)?;
        let whence = whence.unwrap_or(0);
        let target = match (whence, usize::try_from(pos)) {
            (0, Ok(pos)) => pos,
            (0, Err(_)) => return Err(vm.value_error(format!("Negative seek position {pos}"))),
            (1, Ok(0)) => self.pos.get(),
            (2, Ok(0)) => self.len(),
            (1 | 2, _) => {
                return Err(vm.raise(types::os_error(), "Can't do nonzero cur-relative seeks"));
            }
            _ => {
                return Err(vm.value_error(format!("Invalid whence ({whence}, should be 0, 1 or 2)")));
            }
        };
        self.pos.set(target);
        Ok(target)
    }

    /// Write string to file.
    ///
    /// Returns the number of characters written, which is always equal to
    /// the length of the string.
    #[method("($self, s, /)")]
    fn write(&self, s: &Object, vm: &Vm) -> PyResult<usize> {
        let Some(text) = s.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("string argument expected, got '{}'", s.ob_type().name())));
        };
        self.check_open(vm)?;
        self.write_text(text, vm)?;
        Ok(text.len())
    }

    /// Returns True if the IO object can be seeked.
    #[method("($self, /)")]
    fn seekable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    /// Returns True if the IO object can be read.
    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    /// Returns True if the IO object can be written.
    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| true)
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let value = self.getvalue(vm)?.into_object();
        let newline = match self.newline.get() {
            Newline::Translate => vm.none(),
            Newline::Universal => vm.ids().empty.as_object().to_ref(),
            Newline::Lf => vm.ids().newline.as_object().to_ref(),
            Newline::Cr => vm.new_str("\r").into_object(),
            Newline::CrLf => vm.new_str("\r\n").into_object(),
        };
        let dict = match self.base.dict.get() {
            Some(dict) => match dict.downcast_ref::<Dict>() {
                Some(dict) => dict.copy(vm).into_object(),
                None => vm.none(),
            },
            None => vm.none(),
        };
        Ok(vm.new_tuple([value, newline, vm.new_int(self.pos.get()), dict]))
    }

    #[method("($self, state, /)", name = "__setstate__")]
    fn set_state(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        if self.status.get() == Status::Closed {
            return Err(vm.value_error("I/O operation on closed file"));
        }
        let class = self.as_object().ob_type().tp_name_str();
        let Some([value, newline, position, dict, ..]) = state.downcast_ref::<Tuple>().map(Tuple::as_slice)
        else {
            let given = state.ob_type().name();
            return Err(
                vm.type_error(format!("{class}.__setstate__ argument should be 4-tuple, got {given}"))
            );
        };
        let text = match value.downcast_ref::<Str>() {
            Some(text) => text,
            None if vm.is_none(value) => vm.ids().empty,
            None => {
                let given = value.ob_type().name();
                return Err(vm.type_error(format!("initial_value must be str or None, not {given}")));
            }
        };
        self.start(Newline::parse(Some(newline), vm)?);
        // The value has been translated before.
        let mut builder = StrBuilder::new();
        builder.push(text);
        self.store.replace(Store::Text(builder));
        if position.downcast_ref::<Int>().is_none() {
            return Err(vm.type_error(format!(
                "third item of state must be an integer, got {}",
                position.ob_type().name()
            )));
        }
        match usize::try_from(position.as_isize(vm)?) {
            Ok(position) => self.pos.set(position),
            Err(_) => return Err(vm.value_error("position value cannot be negative")),
        }
        super::iobase::restore_dict(self.as_object(), dict, "fourth", vm)
    }

    #[getter]
    fn closed(&self, vm: &Vm) -> PyResult<bool> {
        match self.status.get() {
            Status::New => Err(vm.value_error("I/O operation on uninitialized object")),
            status => Ok(status == Status::Closed),
        }
    }

    #[getter]
    fn newlines(&self, vm: &Vm) -> PyResult {
        self.check_open(vm)?;
        Ok(if self.newline.get().is_universal() { self.newlines.seen(vm) } else { vm.none() })
    }

    #[getter]
    fn line_buffering(&self, vm: &Vm) -> PyResult<bool> {
        self.check_open(vm).map(|()| false)
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.check_open(vm)?;
        let this = self.as_object();
        let line = if std::ptr::eq(this.ob_type(), Self::type_object()) {
            self.read_line(-1, vm)?
        } else {
            let line = this.call_method(vm.ids().readline, &[], vm)?;
            line.downcast::<Str>().map_err(|other| {
                let given = other.ob_type().name();
                let text = format!("readline() should have returned a str object, not '{given}'");
                vm.raise(types::os_error(), text)
            })?
        };
        Ok(if line.is_empty() { None } else { Some(line.into_object()) })
    }
}
