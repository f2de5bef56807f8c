//! `TextIOWrapper`: text over a buffered binary stream.
//!
//! - `mod.rs`: layout, construction, attributes, closing
//! - `codec.rs`: encoding and decoding; `reading.rs`, `writing.rs`; `position.rs`: `tell` and `seek`

mod codec;
mod position;
mod reading;
mod writing;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::prelude::*;

use super::buffered::{self, core::Buffered};
use super::fileio::FileIo;
use super::iobase::{IoBase, TextIoBase, ask, chain, check_closed, dealloc_warn, is_closed, unsupported};
use super::newlines::Newline;
use codec::{Codec, Decoder, Encoder};

const CHUNK_SIZE: usize = 8192;

/// Whether the stream can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    New,
    Ready,
    Detached,
}

/// The decoder's state at the start of the decoded text, and the bytes that the text came from.
struct Snapshot {
    flags: u64,
    input: Ref<Bytes>,
}

/// The layout of `TextIOWrapper`.
#[repr(C)]
#[derive(Traverse)]
pub struct TextIoWrapper {
    base: IoBase,
    buffer: Slot<Object>,
    encoding: Slot<Object>,
    errors: Slot<Object>,
    #[traverse(skip)]
    status: Cell<Status>,
    #[traverse(skip)]
    newline: Cell<Newline>,
    #[traverse(skip)]
    line_buffering: Cell<bool>,
    #[traverse(skip)]
    write_through: Cell<bool>,
    #[traverse(skip)]
    finalizing: Cell<bool>,
    #[traverse(skip)]
    seekable: Cell<bool>,
    /// Whether positions can be told: not while the stream is iterated over.
    #[traverse(skip)]
    telling: Cell<bool>,
    #[traverse(skip)]
    has_read1: Cell<bool>,
    #[traverse(skip)]
    chunk_size: Cell<usize>,
    /// Bytes a character in the last chunk.
    #[traverse(skip)]
    ratio: Cell<f64>,
    #[traverse(skip)]
    decoder: RefCell<Option<Rc<Decoder>>>,
    #[traverse(skip)]
    encoder: RefCell<Option<Rc<Encoder>>>,
    /// Encoded text that the buffer hasn't got yet.
    #[traverse(skip)]
    pending: RefCell<Vec<u8>>,
    /// Decoded text, and how much of it was given out.
    decoded: Slot<Str>,
    #[traverse(skip)]
    used: Cell<usize>,
    #[traverse(skip)]
    snapshot: RefCell<Option<Snapshot>>,
}

/// The encoding that a locale or UTF-8 mode asks for.
fn default_encoding(vm: &Vm) -> String {
    if vm.interp().config.borrow().utf8_mode { "utf-8".to_owned() } else { locale_encoding() }
}

/// What the C library says of the locale.
fn locale_encoding() -> String {
    // SAFETY: the answer is a NUL-terminated string, copied at once.
    let name = unsafe {
        let name = libc::nl_langinfo(libc::CODESET);
        if name.is_null() {
            String::new()
        } else {
            std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    };
    if name.is_empty() { "UTF-8".to_owned() } else { name }
}

/// An argument that is a str or `None`.
pub(super) fn text_arg<'a>(
    value: &'a Object,
    function: &str,
    name: &str,
    vm: &Vm,
) -> PyResult<Option<&'a Str>> {
    if vm.is_none(value) {
        return Ok(None);
    }
    value.downcast_ref::<Str>().map(Some).ok_or_else(|| {
        let given = value.ob_type().name();
        vm.type_error(format!("{function}() argument '{name}' must be str or None, not {given}"))
    })
}

impl TextIoWrapper {
    fn empty() -> TextIoWrapper {
        TextIoWrapper {
            base: IoBase::of(Self::type_object()),
            buffer: Slot::empty(),
            encoding: Slot::empty(),
            errors: Slot::empty(),
            status: Cell::new(Status::New),
            newline: Cell::new(Newline::Translate),
            line_buffering: Cell::new(false),
            write_through: Cell::new(false),
            finalizing: Cell::new(false),
            seekable: Cell::new(false),
            telling: Cell::new(false),
            has_read1: Cell::new(false),
            chunk_size: Cell::new(CHUNK_SIZE),
            ratio: Cell::new(0.0),
            decoder: RefCell::new(None),
            encoder: RefCell::new(None),
            pending: RefCell::new(Vec::new()),
            decoded: Slot::empty(),
            used: Cell::new(0),
            snapshot: RefCell::new(None),
        }
    }

    /// A text stream over `buffer`.
    pub fn over(
        buffer: &Object,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        line_buffering: bool,
        vm: &Vm,
    ) -> PyResult<Ref<TextIoWrapper>> {
        let made = vm.new_object(TextIoWrapper::empty());
        made.init(buffer, encoding, errors, newline, line_buffering, false, vm)?;
        Ok(made)
    }

    /// The buffer. Raises `ValueError` when there is none.
    #[inline]
    fn attached(&self, vm: &Vm) -> PyResult {
        match (self.status.get(), self.buffer.get()) {
            (Status::Ready, Some(buffer)) => Ok(buffer),
            (Status::Detached, _) => Err(vm.value_error("underlying buffer has been detached")),
            _ => Err(vm.value_error("I/O operation on uninitialized object")),
        }
    }

    /// The buffer of a stream that isn't closed. Raises `ValueError`.
    #[inline]
    fn open_buffer(&self, vm: &Vm) -> PyResult {
        let buffer = self.attached(vm)?;
        let this = self.as_object();
        if !std::ptr::eq(this.ob_type(), Self::type_object()) {
            check_closed(this, vm)?;
            return Ok(buffer);
        }
        let closed = match buffered::exact(&buffer) {
            Some(core) => core_is_closed(core, vm)?,
            None => is_closed(&buffer, vm)?,
        };
        if closed { Err(vm.value_error("I/O operation on closed file.")) } else { Ok(buffer) }
    }

    fn decoder(&self) -> Option<Rc<Decoder>> {
        self.decoder.borrow().clone()
    }

    fn encoder(&self) -> Option<Rc<Encoder>> {
        self.encoder.borrow().clone()
    }

    fn need_decoder(&self, vm: &Vm) -> PyResult<Rc<Decoder>> {
        self.decoder().ok_or_else(|| unsupported("not readable", vm))
    }

    fn set_coders(&self, codec: &Codec, errors: &Str, buffer: &Object, vm: &Vm) -> PyResult<()> {
        let (reads, writes) = match raw_file(buffer) {
            Some(file) => (file.can_read(), file.can_write()),
            None => (ask(buffer, vm.ids().readable, vm)?, ask(buffer, vm.ids().writable, vm)?),
        };
        let decoder = match reads {
            true => Some(Rc::new(Decoder::new(codec, errors, self.newline.get(), vm)?)),
            false => None,
        };
        let encoder = match writes {
            true => Some(Rc::new(Encoder::new(codec, errors, vm)?)),
            false => None,
        };
        let old = (self.decoder.replace(decoder), self.encoder.replace(encoder));
        drop(old);
        Ok(())
    }

    /// Text that is appended to an existing file doesn't start with a byte order mark.
    fn fix_encoder(&self, buffer: &Object, vm: &Vm) -> PyResult<()> {
        let Some(encoder) = self.encoder().filter(|_| self.seekable.get()) else { return Ok(()) };
        if let Encoder::Native(..) = *encoder {
            return Ok(());
        }
        let position = buffer.call_method(vm.ids().tell, &[], vm)?;
        if !vm.new_int(0).rich_compare_bool(&position, CompareOp::Eq, vm)? {
            encoder.at_start(false, vm)?;
        }
        Ok(())
    }

    fn forget_decoded(&self) {
        self.decoded.set(None);
        self.used.set(0);
    }

    fn forget_snapshot(&self) {
        let old = self.snapshot.replace(None);
        drop(old);
    }

    /// Calls `self.flush()`.
    fn flush_self(&self, vm: &Vm) -> PyResult<()> {
        self.as_object().call_method(vm.ids().flush, &[], vm).map(drop)
    }
}

/// The file below an exact buffered stream.
fn raw_file(buffer: &Object) -> Option<Ref<FileIo>> {
    buffered::exact(buffer)?
        .raw
        .get()?
        .downcast::<FileIo>()
        .ok()
        .filter(|file| std::ptr::eq(file.as_object().ob_type(), FileIo::type_object()) && file.fd.get() >= 0)
}

#[inline]
fn core_is_closed(core: &Buffered, vm: &Vm) -> PyResult<bool> {
    // SAFETY: the borrow ends before anything runs.
    if let Some(file) = unsafe { core.raw.borrow() }.and_then(|raw| raw.downcast_exact::<FileIo>()) {
        return Ok(file.fd.get() < 0);
    }
    is_closed(core.object(), vm)
}

/// Character and line based layer over a BufferedIOBase object, buffer.
///
/// encoding gives the name of the encoding that the stream will be
/// decoded or encoded with. It defaults to locale.getencoding().
///
/// errors determines the strictness of encoding and decoding (see
/// help(codecs.Codec) or the documentation for codecs.register) and
/// defaults to "strict".
///
/// newline controls how line endings are handled. It can be None, '',
/// '\n', '\r', and '\r\n'.  It works as follows:
///
/// * On input, if newline is None, universal newlines mode is
///   enabled. Lines in the input can end in '\n', '\r', or '\r\n', and
///   these are translated into '\n' before being returned to the
///   caller. If it is '', universal newline mode is enabled, but line
///   endings are returned to the caller untranslated. If it has any of
///   the other legal values, input lines are only terminated by the given
///   string, and the line ending is returned to the caller untranslated.
///
/// * On output, if newline is None, any '\n' characters written are
///   translated to the system default line separator, os.linesep. If
///   newline is '' or '\n', no translation takes place. If newline is any
///   of the other legal values, any '\n' characters written are translated
///   to the given string.
///
/// If line_buffering is True, a call to flush is implied when a call to
/// write contains a newline character.
#[pytype(
    name = "_io.TextIOWrapper",
    base = TextIoBase,
    flags(BASETYPE),
    gc,
    methods(TextIoWrapper::READING, TextIoWrapper::WRITING, TextIoWrapper::POSITION),
    members(
        encoding: OBJECT = encoding readonly,
        line_buffering: BOOL = line_buffering readonly,
        write_through: BOOL = write_through readonly,
        _finalizing: BOOL = finalizing
    )
)]
impl TextIoWrapper {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, TextIoWrapper::empty())
    }

    #[init("(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)")]
    #[allow(clippy::too_many_arguments, reason = "the constructor has that many")]
    fn init(
        &self,
        buffer: &Object,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        line_buffering: bool,
        write_through: bool,
        vm: &Vm,
    ) -> PyResult<()> {
        self.status.set(Status::New);
        let none = vm.none_ref();
        let encoding = text_arg(encoding.unwrap_or(none), "TextIOWrapper", "encoding", vm)?;
        let errors = text_arg(errors.unwrap_or(none), "TextIOWrapper", "errors", vm)?;
        if encoding.is_none() && super::warns_of_default_encoding(vm)? {
            super::encoding_warning(1, vm)?;
        }
        let encoding = match encoding {
            None => vm.new_str(&default_encoding(vm)),
            Some(name) if name.eq_str("locale") => vm.new_str(&locale_encoding()),
            Some(name) => name.into(),
        };
        let errors = errors.map_or_else(|| vm.ids().strict.into(), Ref::from);
        let handler = errors.to_utf8(vm)?;
        if memchr::memchr(0, handler.as_bytes()).is_some() {
            return Err(vm.value_error("embedded null character"));
        }
        if vm.interp().config.borrow().dev_mode {
            taipan_vm::builtins::codecs_core::registry::lookup_error(handler, vm)?;
        }
        text_arg(newline.unwrap_or(none), "TextIOWrapper", "newline", vm)?;
        let newline = Newline::parse(newline, vm)?;
        let codec = Codec::find(encoding.to_utf8(vm)?, vm)?;
        self.forget_decoded();
        self.forget_snapshot();
        self.ratio.set(0.0);
        self.newline.set(newline);
        self.encoding.put(encoding.into_object());
        self.errors.put(errors.clone().into_object());
        self.line_buffering.set(line_buffering);
        self.write_through.set(write_through);
        self.set_coders(&codec, &errors, buffer, vm)?;
        let (seekable, has_read1) = match raw_file(buffer) {
            Some(file) => (file.seekable(vm)?, buffered::exact_reader(buffer).is_some()),
            None => (ask(buffer, vm.ids().seekable, vm)?, buffer.lookup_attr(vm.ids().read1, vm)?.is_some()),
        };
        self.seekable.set(seekable);
        self.telling.set(seekable);
        self.has_read1.set(has_read1);
        self.buffer.put(buffer.to_ref());
        self.fix_encoder(buffer, vm)?;
        self.status.set(Status::Ready);
        Ok(())
    }

    /// Reconfigure the text stream with new parameters.
    ///
    /// This also does an implicit stream flush.
    #[method(
        "($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)"
    )]
    fn reconfigure(
        &self,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        line_buffering: Option<&Object>,
        write_through: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let none = vm.none_ref();
        let (encoding, errors) = (encoding.unwrap_or(none), errors.unwrap_or(none));
        if !self.decoded.is_none() && (!vm.is_none(encoding) || !vm.is_none(errors) || newline.is_some()) {
            return Err(unsupported(
                "It is not possible to set the encoding or newline of stream after the first read",
                vm,
            ));
        }
        let text = |value, name| text_arg(value, "reconfigure", name, vm).map(|text| text.map(Ref::from));
        let flag = |value: Option<&Object>, now: bool| -> PyResult<bool> {
            match value.filter(|value| !vm.is_none(value)) {
                None => Ok(now),
                Some(value) => Ok(i64::from_arg(value, &super::NO_NAME, vm)? != 0),
            }
        };
        let encoding = text(encoding, "encoding")?;
        let errors = text(errors, "errors")?;
        let changed = match newline {
            Some(newline) => {
                text(newline, "newline")?;
                Some(Newline::parse(Some(newline), vm)?)
            }
            None => None,
        };
        let line_buffering = flag(line_buffering, self.line_buffering.get())?;
        let write_through = flag(write_through, self.write_through.get())?;
        self.flush_self(vm)?;
        self.ratio.set(0.0);
        if let Some(newline) = changed {
            self.newline.set(newline);
        }
        if encoding.is_some() || errors.is_some() || changed.is_some() {
            let buffer = self.attached(vm)?;
            let kept = |slot: &Slot<Object>| slot.get().and_then(|value| value.downcast::<Str>().ok());
            let errors = match (&encoding, errors) {
                (_, Some(errors)) => errors,
                (None, None) => kept(&self.errors).unwrap_or_else(|| vm.ids().strict.into()),
                (Some(_), None) => vm.ids().strict.into(),
            };
            let encoding = match encoding {
                Some(name) if name.eq_str("locale") => vm.new_str(&locale_encoding()),
                Some(name) => name,
                None => kept(&self.encoding).unwrap_or_else(|| vm.ids().utf_8.into()),
            };
            let name = encoding.to_utf8(vm)?;
            if let Some(end) = name.find('\0') {
                return Err(vm.lookup_error(format!("unknown encoding: {}", name.get(..end).unwrap_or(name))));
            }
            let codec = Codec::find(name, vm)?;
            self.set_coders(&codec, &errors, &buffer, vm)?;
            self.encoding.put(encoding.into_object());
            self.errors.put(errors.into_object());
            self.fix_encoder(&buffer, vm)?;
        }
        self.line_buffering.set(line_buffering);
        self.write_through.set(write_through);
        Ok(())
    }

    #[method("($self, /)")]
    fn detach(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?;
        self.flush_self(vm)?;
        self.status.set(Status::Detached);
        self.buffer.take().ok_or_else(|| vm.value_error("underlying buffer has been detached"))
    }

    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult {
        let buffer = self.open_buffer(vm)?;
        self.telling.set(self.seekable.get());
        self.write_pending(&buffer, vm)?;
        self.flush_buffer(&buffer, vm)
    }

    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        let buffer = self.attached(vm)?;
        if is_closed(self.as_object(), vm)? || self.status.get() == Status::Detached {
            return Ok(vm.none());
        }
        if self.finalizing.get() {
            dealloc_warn(&buffer, self.as_object(), vm);
        }
        let flushed = self.flush_self(vm);
        let first = if flushed.is_err() { vm.take_exception() } else { None };
        let result = buffer.call_method(vm.ids().close, &[], vm);
        chain(first, result, vm)
    }

    #[method("($self, /)")]
    fn fileno(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.call_method(vm.ids().fileno, &[], vm)
    }

    #[method("($self, /)")]
    fn seekable(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.call_method(vm.ids().seekable, &[], vm)
    }

    #[method("($self, /)")]
    fn readable(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.call_method(vm.ids().readable, &[], vm)
    }

    #[method("($self, /)")]
    fn writable(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.call_method(vm.ids().writable, &[], vm)
    }

    #[method("($self, /)")]
    fn isatty(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.call_method(vm.ids().isatty, &[], vm)
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult {
        Err(super::iobase::cannot_pickle(self.as_object(), vm))
    }

    #[getter]
    fn name(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?.get_attr(vm.ids().name, vm)
    }

    #[getter]
    fn closed(&self, vm: &Vm) -> PyResult {
        let buffer = self.attached(vm)?;
        match buffered::exact(&buffer) {
            Some(core) => core_is_closed(core, vm).map(|closed| vm.new_bool(closed)),
            None => buffer.get_attr(vm.ids().closed, vm),
        }
    }

    #[getter]
    fn buffer(&self, vm: &Vm) -> PyResult {
        self.attached(vm)
    }

    #[getter]
    fn newlines(&self, vm: &Vm) -> PyResult {
        self.attached(vm)?;
        match self.decoder() {
            Some(decoder) => decoder.newlines(vm),
            None => Ok(vm.none()),
        }
    }

    #[getter]
    fn errors(&self, vm: &Vm) -> PyResult {
        if self.status.get() == Status::New {
            self.attached(vm)?;
        }
        Ok(self.errors.get().unwrap_or_else(|| vm.none()))
    }

    #[getter]
    #[allow(non_snake_case, reason = "the attribute's name")]
    fn _CHUNK_SIZE(&self, vm: &Vm) -> PyResult<usize> {
        self.attached(vm)?;
        Ok(self.chunk_size.get())
    }

    #[setter(_CHUNK_SIZE)]
    fn set_chunk_size(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.attached(vm)?;
        let Some(value) = value else {
            return Err(vm.attribute_error(
                "attribute '_CHUNK_SIZE' of '_io.TextIOWrapper' objects cannot be deleted",
            ));
        };
        let wide = value.as_index(vm)?.to_i64();
        let Some(size) = wide else {
            return Err(vm.value_error("cannot fit 'int' into an index-sized integer"));
        };
        match usize::try_from(size) {
            Ok(size) if size > 0 => {
                self.chunk_size.set(size);
                Ok(())
            }
            _ => Err(vm.value_error("a strictly positive integer is required")),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let this = self.as_object();
        if self.status.get() == Status::New {
            return Err(vm.value_error("I/O operation on uninitialized object"));
        }
        let class = this.ob_type().tp_name_str();
        let Some(_guard) = ReprGuard::enter(this, vm) else {
            return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
        };
        let mut shown = format!("<{class}");
        for attribute in [vm.ids().name, vm.ids().mode] {
            match this.lookup_attr(attribute, vm) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let value = value.repr(vm)?;
                    shown.push_str(&format!(" {}={}", attribute.to_string_lossy(), value.to_string_lossy()));
                }
                // A detached buffer has no name.
                Err(_) if vm.exception_matches(types::value_error()) => vm.clear_exception(),
                Err(raised) => return Err(raised),
            }
        }
        let encoding = self.encoding.get().unwrap_or_else(|| vm.none()).repr(vm)?;
        shown.push_str(&format!(" encoding={}>", encoding.to_string_lossy()));
        Ok(shown)
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.next_line(vm)
    }
}
