//! `_io`: the abstract bases, raw files, and what importlib reads files with. Buffered and text streams are the
//! library's own (`_pyio`) until native ones are here; `lib/io.py` puts them in place.

pub mod fileio;
pub mod iobase;

use std::cell::RefCell;

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;

use fileio::FileIo;
use iobase::{BufferedIoBase, IoBase, RawIoBase, TextIoBase};

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
pub fn resource_warning(text: &str, _stream: &Object, vm: &Vm) -> PyResult<()> {
    taipan_vm::builtins::warn::warn(types::resource_warning(), text, 1, vm)
}

/// The module.
pub struct Io;

/// The io module provides the Python interfaces to stream handling.
#[pymodule(name = "_io", types(IoBase, RawIoBase, BufferedIoBase, TextIoBase, FileIo))]
impl Io {
    /// Opens the provided file with the intent to import the contents.
    ///
    /// This may perform extra validation beyond open(), but is otherwise interchangeable
    /// with calling open(path, 'rb').
    #[function("($module, /, path)")]
    fn open_code(path: &Str, vm: &Vm) -> PyResult {
        FileIo::type_object().as_object().call(&[path.as_object(), vm.new_str("rb").as_object()], vm)
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
