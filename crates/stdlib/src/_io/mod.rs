//! `_io`: streams (PEP 3116).
//!
//! - `iobase.rs`: the abstract bases; `fileio.rs`: raw files; `open.rs`: `open`
//! - `buffered/`: buffered binary streams; `textio/`: text over them; `newlines.rs`: universal newlines
//! - `bytesio.rs`, `stringio.rs`: streams in memory

pub mod buffered;
pub mod bytesio;
pub mod fileio;
pub mod iobase;
pub mod newlines;
pub mod open;
pub mod stringio;
pub mod textio;

use std::cell::RefCell;

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::Buffer;

use buffered::random::BufferedRandom;
use buffered::reader::BufferedReader;
use buffered::rwpair::BufferedRwPair;
use buffered::writer::BufferedWriter;
use bytesio::{BytesIo, BytesIoBuffer};
use fileio::FileIo;
use iobase::{BufferedIoBase, IoBase, RawIoBase, TextIoBase};
use newlines::IncrementalNewlineDecoder;
use stringio::StringIo;
use textio::TextIoWrapper;

/// The size that buffers have by default.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

/// For conversions whose errors name no argument.
pub const NO_NAME: ArgName = ArgName { func: "", pos: 0, name: "" };

/// The interpreter's `io.UnsupportedOperation`, once made.
#[derive(Default)]
struct Unsupported(RefCell<Option<ObjRef>>);

/// The class `io.UnsupportedOperation`.
pub fn unsupported_operation(vm: &Vm) -> PyResult {
    let known = vm.interp().state::<Unsupported>();
    if let Some(class) = known.0.borrow().clone() {
        return Ok(class);
    }
    let namespace = vm.new_dict();
    namespace.set_item(vm.ids().__module__.as_object(), vm.new_str("io").as_object(), vm)?;
    let bases =
        vm.new_tuple([types::os_error().as_object().to_ref(), types::value_error().as_object().to_ref()]);
    let name = vm.new_str("UnsupportedOperation");
    let class = types::os_error()
        .as_object()
        .ob_type()
        .as_object()
        .call(&[name.as_object(), bases.as_object(), namespace.as_object()], vm)?;
    *known.0.borrow_mut() = Some(class.clone());
    Ok(class)
}

/// Warns of a stream that was given up without `close`.
pub fn resource_warning(text: &str, source: &Object, vm: &Vm) -> PyResult<()> {
    let warnings = taipan_vm::builtins::warn::machinery(vm)?;
    let (text, level) = (vm.new_str(text), vm.new_int(1));
    let category = types::resource_warning().as_object();
    warnings.call_method(vm.ids().warn, &[text.as_object(), category, &level, source], vm).map(drop)
}

/// The memory of an object that is to be written to. Raises `TypeError` when it has none.
fn writable_buffer(object: &Object, what: &str, vm: &Vm) -> PyResult<Buffer> {
    object.get_buffer(taipan_vm::protocols::buffer::WRITABLE, vm).map_err(|_| {
        vm.clear_exception();
        let given = object.ob_type().name();
        vm.type_error(format!("{what} must be read-write bytes-like object, not {given}"))
    })
}

/// `sys.flags.warn_default_encoding`.
fn warns_of_default_encoding(vm: &Vm) -> PyResult<bool> {
    let asked = vm.interp().config.borrow().xoptions.iter().any(|(name, _)| name == "warn_default_encoding");
    Ok(asked)
}

/// Warns of a text stream opened without `encoding`.
fn encoding_warning(stack_level: i32, vm: &Vm) -> PyResult<()> {
    let text = "'encoding' argument not specified";
    taipan_vm::builtins::warn::warn(types::encoding_warning(), text, stack_level, vm)
}

/// The module.
pub struct Io;

/// The io module provides the Python interfaces to stream handling. The
/// builtin open function is defined in this module.
///
/// At the top of the I/O hierarchy is the abstract base class IOBase. It
/// defines the basic interface to a stream. Note, however, that there is no
/// separation between reading and writing to streams; implementations are
/// allowed to raise an OSError if they do not support a given operation.
#[pymodule(
    name = "_io",
    types(
        IoBase,
        RawIoBase,
        BufferedIoBase,
        TextIoBase,
        FileIo,
        BytesIo,
        BytesIoBuffer,
        StringIo,
        BufferedReader,
        BufferedWriter,
        BufferedRandom,
        BufferedRwPair,
        TextIoWrapper,
        IncrementalNewlineDecoder
    ),
    functions(Io::OPENING)
)]
impl Io {
    /// A helper function to choose the text encoding.
    ///
    /// When encoding is not None, this function returns it.
    /// Otherwise, this function returns the default text encoding
    /// (i.e. "locale" or "utf-8" depends on UTF-8 mode).
    ///
    /// This function emits an EncodingWarning if encoding is None and
    /// sys.flags.warn_default_encoding is true.
    ///
    /// This can be used in APIs with an encoding=None parameter.
    /// However, please consider using encoding="utf-8" for new APIs.
    #[function("($module, encoding, stacklevel=2, /)")]
    fn text_encoding(encoding: &Object, stacklevel: Option<i32>, vm: &Vm) -> PyResult {
        if !vm.is_none(encoding) {
            return Ok(encoding.to_ref());
        }
        if warns_of_default_encoding(vm)? {
            encoding_warning(stacklevel.unwrap_or(2), vm)?;
        }
        let utf8 = vm.interp().config.borrow().utf8_mode;
        Ok(if utf8 { vm.ids().utf_8.as_object().to_ref() } else { vm.intern("locale").into_object() })
    }

    #[constant("DEFAULT_BUFFER_SIZE")]
    fn default_buffer_size() -> usize {
        DEFAULT_BUFFER_SIZE
    }

    #[exec]
    fn fill(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("UnsupportedOperation", unsupported_operation(vm)?.as_object(), vm)?;
        module.set("BlockingIOError", types::blocking_io_error().as_object(), vm)
    }
}
