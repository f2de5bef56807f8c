//! `LZMADecompressor`.

use std::mem::MaybeUninit;

use taipan_vm::prelude::*;

use super::filters::{Chain, unsigned};
use super::stream::{Code, Kind, Stream};
use super::{FORMAT_ALONE, FORMAT_AUTO, FORMAT_RAW, FORMAT_XZ};
use crate::streams::{Decode, Decoder, Guarded, Step, limit};

impl Decode for Stream {
    type Error = Code;
    const HOLDS_OUTPUT: bool = true;

    fn step(&mut self, input: &mut &[u8], room: &mut [MaybeUninit<u8>]) -> Result<Step, Code> {
        Stream::step(self, false, input, room)
    }
}

/// The layout of a decompressor.
#[repr(C)]
pub struct LZMADecompressor {
    ob: Object,
    decoder: Guarded<Decoder<Stream>>,
}

fn open(format: i32, memlimit: Option<&Object>, filters: Option<&Object>, vm: &Vm) -> PyResult<Stream> {
    let memory = match memlimit {
        Some(_) if format == FORMAT_RAW => {
            return Err(vm.value_error("Cannot specify memory limit with FORMAT_RAW"));
        }
        Some(limit) => unsigned(limit, 64, "uint64_t", vm)?,
        None => u64::MAX,
    };
    let chain = match filters {
        None if format == FORMAT_RAW => return Err(vm.value_error("Must specify filters for FORMAT_RAW")),
        Some(_) if format != FORMAT_RAW => {
            return Err(vm.value_error("Cannot specify filters except with FORMAT_RAW"));
        }
        None => None,
        Some(filters) => Some(Chain::new(filters, vm)?),
    };
    let kind = match (format, &chain) {
        (FORMAT_AUTO, _) => Kind::Auto(memory),
        (FORMAT_XZ, _) => Kind::Xz(memory),
        (FORMAT_ALONE, _) => Kind::AloneDecoder(memory),
        (FORMAT_RAW, Some(chain)) => Kind::RawDecoder(chain),
        (format, _) => return Err(vm.value_error(format!("Invalid container format: {format}"))),
    };
    Stream::open(kind).map_err(|code| code.raise(vm))
}

/// Create a decompressor object for decompressing data incrementally.
///
///   format
///     Specifies the container format of the input stream.  If this is
///     FORMAT_AUTO (the default), the decompressor will automatically detect
///     whether the input is FORMAT_XZ or FORMAT_ALONE.  Streams created with
///     FORMAT_RAW cannot be autodetected.
///   memlimit
///     Limit the amount of memory used by the decompressor.  This will cause
///     decompression to fail if the input cannot be decompressed within the
///     given limit.
///   filters
///     A custom filter chain.  This argument is required for FORMAT_RAW, and
///     not accepted with any other format.  When provided, this should be a
///     sequence of dicts, each indicating the ID and options for a single
///     filter.
///
/// For one-shot decompression, use the decompress() function instead.
#[pytype(name = "_lzma.LZMADecompressor")]
impl LZMADecompressor {
    #[new("(format=FORMAT_AUTO, memlimit=None, filters=None)")]
    fn new(
        cls: &Type,
        format: Option<i32>,
        memlimit: OrNone<&Object>,
        filters: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let stream = open(format.unwrap_or(FORMAT_AUTO), memlimit.0, filters.0, vm)?;
        let decoder = Guarded::new(Decoder::new(stream));
        vm.new_instance(cls, LZMADecompressor { ob: Object::new(Self::type_object()), decoder })
    }

    /// Decompress *data*, returning uncompressed data as bytes.
    ///
    /// If *max_length* is nonnegative, returns at most *max_length* bytes
    /// of decompressed data. If this limit is reached and further output
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
            return Err(vm.eof_error("Already at end of stream"));
        }
        let data = data.as_bytes();
        let out = vm.allow_threads(|| decoder.feed(data, limit(max_length)));
        out.map_err(|code| code.raise(vm))?.finish(vm)
    }

    /// ID of the integrity check used by the input stream.
    #[getter]
    fn check(&self, vm: &Vm) -> u32 {
        self.decoder.lock(vm).codec.check
    }

    /// True if the end-of-stream marker has been reached.
    #[getter]
    fn eof(&self, vm: &Vm) -> bool {
        self.decoder.lock(vm).eof
    }

    /// True if more input is needed before more decompressed data can be produced.
    #[getter]
    fn needs_input(&self, vm: &Vm) -> bool {
        self.decoder.lock(vm).needs_input
    }

    /// Data found after the end of the compressed stream.
    #[getter]
    fn unused_data(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&self.decoder.lock(vm).unused, vm)
    }
}
