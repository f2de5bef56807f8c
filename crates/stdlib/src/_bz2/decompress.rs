//! `BZ2Decompressor`.

use std::mem::MaybeUninit;

use taipan_vm::prelude::*;

use super::stream::{Code, RUN, Stream};
use crate::streams::{Decode, Decoder, Guarded, Step, limit};

impl Decode for Stream {
    type Error = Code;
    const HOLDS_OUTPUT: bool = false;

    fn step(&mut self, input: &mut &[u8], room: &mut [MaybeUninit<u8>]) -> Result<Step, Code> {
        Stream::step(self, RUN, input, room)
    }
}

/// The layout of a decompressor.
#[repr(C)]
pub struct BZ2Decompressor {
    ob: Object,
    decoder: Guarded<Decoder<Stream>>,
}

/// Create a decompressor object for decompressing data incrementally.
///
/// For one-shot decompression, use the decompress() function instead.
#[pytype(name = "_bz2.BZ2Decompressor")]
impl BZ2Decompressor {
    #[new("()")]
    fn new(cls: &Type, vm: &Vm) -> PyResult {
        let stream = Stream::decompressor().map_err(|code| code.raise(vm))?;
        let decoder = Guarded::new(Decoder::new(stream));
        vm.new_instance(cls, BZ2Decompressor { ob: Object::new(Self::type_object()), decoder })
    }

    /// Decompress *data*, returning uncompressed data as bytes.
    ///
    /// If *max_length* is nonnegative, returns at most *max_length* bytes
    /// of decompressed data.  If this limit is reached and further output
    /// can be produced, *self.needs_input* will be set to ``False``.  In
    /// this case, the next call to *decompress()* may provide *data* as b''
    /// to obtain more of the output.
    ///
    /// If all of the input data was decompressed and returned (either
    /// because this was less than *max_length* bytes, or because
    /// *max_length* was negative), *self.needs_input* will be set to True.
    ///
    /// Attempting to decompress data after the end of stream is reached
    /// raises an EOFError.  Any data found after the end of the stream is
    /// ignored and saved in the unused_data attribute.
    #[method("($self, /, data, max_length=-1)")]
    fn decompress(&self, data: BufferArg, max_length: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut decoder = self.decoder.lock(vm);
        if decoder.eof {
            return Err(vm.eof_error("End of stream already reached"));
        }
        if decoder.failed {
            return Err(vm.value_error("Decompressor is unusable after a previous error"));
        }
        let data = data.as_bytes();
        let out = vm.allow_threads(|| decoder.feed(data, limit(max_length)));
        out.map_err(|code| code.raise(vm))?.finish(vm)
    }

    /// True if the end-of-stream marker has been reached.
    #[getter]
    fn eof(&self, vm: &Vm) -> bool {
        self.decoder.lock(vm).eof
    }

    /// Data found after the end of the compressed stream.
    #[getter]
    fn unused_data(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&self.decoder.lock(vm).unused, vm)
    }

    /// True if more input is needed before more decompressed data can be produced.
    #[getter]
    fn needs_input(&self, vm: &Vm) -> bool {
        let decoder = self.decoder.lock(vm);
        decoder.needs_input && !decoder.failed
    }
}
