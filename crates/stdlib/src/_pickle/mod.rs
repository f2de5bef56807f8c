//! `_pickle`: objects to streams of bytes and back (PEP 307, 3154, 574).

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::pickle_buffer::PickleBuffer;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::SIMPLE;

mod find_class;
mod input;
mod load;
mod memo;
mod opcode;
mod pickler;
mod save;
mod save_global;
mod save_reduce;
mod state;
mod unpickler;

use input::Input;
use load::Loader;
use pickler::Pickler;
use save::Saver;
use state::State;
use unpickler::Unpickler;

/// The module.
pub struct Pickle;

/// Optimized C implementation for the Python pickle module.
#[pymodule(name = "_pickle", types(PickleBuffer, Pickler, Unpickler))]
impl Pickle {
    /// Write a pickled representation of obj to the open file object file.
    ///
    /// This is equivalent to ``Pickler(file, protocol).dump(obj)``, but may
    /// be more efficient.
    ///
    /// The optional *protocol* argument tells the pickler to use the given
    /// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
    /// protocol is 5. It was introduced in Python 3.8, and is incompatible
    /// with previous versions.
    ///
    /// Specifying a negative protocol version selects the highest protocol
    /// version supported.  The higher the protocol used, the more recent the
    /// version of Python needed to read the pickle produced.
    ///
    /// The *file* argument must have a write() method that accepts a single
    /// bytes argument.  It can thus be a file object opened for binary
    /// writing, an io.BytesIO instance, or any other custom object that meets
    /// this interface.
    ///
    /// If *fix_imports* is True and protocol is less than 3, pickle will try
    /// to map the new Python 3 names to the old module names used in Python
    /// 2, so that the pickle data stream is readable with Python 2.
    ///
    /// If *buffer_callback* is None (the default), buffer views are serialized
    /// into *file* as part of the pickle stream.  It is an error if
    /// *buffer_callback* is not None and *protocol* is None or smaller than 5.
    #[function("($module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dump(
        obj: &Object,
        file: &Object,
        protocol: Option<&Object>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let state = State::get(vm)?;
        let proto = pickler::protocol_of(protocol, vm)?;
        let memo = RefCell::default();
        let mut saver = Saver::new(state, &memo, proto, fix_imports.unwrap_or(true), vm);
        saver.write = Some(pickler::write_of(file, state, vm)?);
        saver.buffer_callback = pickler::callback_of(buffer_callback, proto, vm)?;
        saver.dump(obj)?;
        saver.flush()
    }

    /// Return the pickled representation of the object as a bytes object.
    ///
    /// The optional *protocol* argument tells the pickler to use the given
    /// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
    /// protocol is 5. It was introduced in Python 3.8, and is incompatible
    /// with previous versions.
    ///
    /// Specifying a negative protocol version selects the highest protocol
    /// version supported.  The higher the protocol used, the more recent the
    /// version of Python needed to read the pickle produced.
    ///
    /// If *fix_imports* is True and *protocol* is less than 3, pickle will
    /// try to map the new Python 3 names to the old module names used in
    /// Python 2, so that the pickle data stream is readable with Python 2.
    ///
    /// If *buffer_callback* is None (the default), buffer views are serialized
    /// into *file* as part of the pickle stream.  It is an error if
    /// *buffer_callback* is not None and *protocol* is None or smaller than 5.
    #[function("($module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dumps(
        obj: &Object,
        protocol: Option<&Object>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let state = State::get(vm)?;
        let proto = pickler::protocol_of(protocol, vm)?;
        let memo = RefCell::default();
        let mut saver = Saver::new(state, &memo, proto, fix_imports.unwrap_or(true), vm);
        saver.buffer_callback = pickler::callback_of(buffer_callback, proto, vm)?;
        saver.dump(obj)?;
        Bytes::try_from_slice(&saver.out, vm)
    }

    /// Read and return an object from the pickle data stored in a file.
    ///
    /// This is equivalent to ``Unpickler(file).load()``, but may be more
    /// efficient.
    ///
    /// The protocol version of the pickle is detected automatically, so no
    /// protocol argument is needed.  Bytes past the pickled object's
    /// representation are ignored.
    ///
    /// The argument *file* must have two methods, a read() method that takes
    /// an integer argument, and a readline() method that requires no
    /// arguments.  Both methods should return bytes.  Thus *file* can be a
    /// binary file object opened for reading, an io.BytesIO object, or any
    /// other custom object that meets this interface.
    ///
    /// Optional keyword arguments are *fix_imports*, *encoding* and *errors*,
    /// which are used to control compatibility support for pickle stream
    /// generated by Python 2.  If *fix_imports* is True, pickle will try to
    /// map the old Python 2 names to the new names used in Python 3.  The
    /// *encoding* and *errors* tell pickle how to decode 8-bit string
    /// instances pickled by Python 2; these default to 'ASCII' and 'strict',
    /// respectively.  The *encoding* can be 'bytes' to read these 8-bit
    /// string instances as bytes objects.
    #[function("($module, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn load(
        file: &Object,
        fix_imports: Option<bool>,
        encoding: Option<&str>,
        errors: Option<&str>,
        buffers: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let state = State::get(vm)?;
        let input = Input::of_file(file, state, vm)?;
        read(state, input, (fix_imports, encoding, errors, buffers), vm)
    }

    /// Read and return an object from the given pickle data.
    ///
    /// The protocol version of the pickle is detected automatically, so no
    /// protocol argument is needed.  Bytes past the pickled object's
    /// representation are ignored.
    ///
    /// Optional keyword arguments are *fix_imports*, *encoding* and *errors*,
    /// which are used to control compatibility support for pickle stream
    /// generated by Python 2.  If *fix_imports* is True, pickle will try to
    /// map the old Python 2 names to the new names used in Python 3.  The
    /// *encoding* and *errors* tell pickle how to decode 8-bit string
    /// instances pickled by Python 2; these default to 'ASCII' and 'strict',
    /// respectively.  The *encoding* can be 'bytes' to read these 8-bit
    /// string instances as bytes objects.
    #[function("($module, data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn loads(
        data: &Object,
        fix_imports: Option<bool>,
        encoding: Option<&str>,
        errors: Option<&str>,
        buffers: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let state = State::get(vm)?;
        let input = Input::of_buffer(data.get_buffer(SIMPLE, vm)?);
        read(state, input, (fix_imports, encoding, errors, buffers), vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let state = State::get(vm)?;
        module.set("PickleError", state.pickle_error.as_object(), vm)?;
        module.set("PicklingError", state.pickling_error.as_object(), vm)?;
        module.set("UnpicklingError", state.unpickling_error.as_object(), vm)
    }
}

type Options<'a> = (Option<bool>, Option<&'a str>, Option<&'a str>, Option<&'a Object>);

fn read(state: &State, input: Input, options: Options<'_>, vm: &Vm) -> PyResult {
    let (fix_imports, encoding, errors, buffers) = options;
    let (memo, proto) = (RefCell::default(), Cell::new(0));
    let mut loader = Loader::new(state, input, &memo, &proto, vm);
    loader.fix_imports = fix_imports.unwrap_or(true);
    loader.encoding = encoding.unwrap_or("ASCII");
    loader.errors = errors.unwrap_or("strict");
    loader.buffers = unpickler::buffers_of(buffers, vm)?;
    loader.load()
}
