//! `LZMACompressor`.

use taipan_vm::prelude::*;

use super::filters::{Chain, uint32};
use super::stream::{Code, Kind, Stream};
use super::{FORMAT_ALONE, FORMAT_RAW, FORMAT_XZ, PRESET_DEFAULT};
use crate::streams::{Guarded, Output};

/// The layout of a compressor.
#[repr(C)]
pub struct LZMACompressor {
    ob: Object,
    /// Gone once the data was finished.
    stream: Guarded<Option<Stream>>,
}

const CHECK_CRC64: i32 = 4;

fn run(stream: &mut Stream, finish: bool, mut input: &[u8]) -> Result<Output, Code> {
    let mut out = Output::new(usize::MAX, 0)?;
    loop {
        let step = stream.step(finish, &mut input, out.room()?)?;
        // SAFETY: the library wrote that much.
        unsafe { out.wrote(step.written) };
        if if finish { step.ended } else { input.is_empty() && !step.filled } {
            return Ok(out);
        }
    }
}

fn open(
    format: i32,
    check: i32,
    preset: Option<&Object>,
    filters: Option<&Object>,
    vm: &Vm,
) -> PyResult<Stream> {
    if preset.is_some() && filters.is_some() {
        return Err(vm.value_error("Cannot specify both preset and filter chain"));
    }
    let preset = preset.map_or(Ok(PRESET_DEFAULT), |preset| uint32(preset, vm))?;
    if format != FORMAT_XZ && check != -1 && check != 0 {
        return Err(vm.value_error("Integrity checks are only supported by FORMAT_XZ"));
    }
    let check = if check == -1 { CHECK_CRC64 } else { check } as u32;
    let chain = match (format, filters) {
        (FORMAT_XZ | FORMAT_ALONE | FORMAT_RAW, Some(filters)) => Some(Chain::new(filters, vm)?),
        (FORMAT_ALONE, None) => Some(Chain::of_preset(preset, vm)?),
        _ => None,
    };
    let opened = match (format, &chain) {
        (FORMAT_XZ, None) => Stream::open(Kind::Easy(preset, check)),
        (FORMAT_XZ, Some(chain)) => Stream::open(Kind::Filtered(chain, check)),
        (FORMAT_ALONE, Some(chain)) if chain.lzma1_options().is_some() => {
            Stream::open(Kind::AloneEncoder(chain))
        }
        (FORMAT_ALONE, _) => {
            let text = "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter";
            return Err(vm.value_error(text));
        }
        (FORMAT_RAW, Some(chain)) => Stream::open(Kind::RawEncoder(chain)),
        (FORMAT_RAW, None) => return Err(vm.value_error("Must specify filters for FORMAT_RAW")),
        (format, _) => return Err(vm.value_error(format!("Invalid container format: {format}"))),
    };
    opened.map_err(|code| code.raise(vm))
}

/// LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)
///
/// Create a compressor object for compressing data incrementally.
///
/// format specifies the container format to use for the output. This can
/// be FORMAT_XZ (default), FORMAT_ALONE, or FORMAT_RAW.
///
/// check specifies the integrity check to use. For FORMAT_XZ, the default
/// is CHECK_CRC64. FORMAT_ALONE and FORMAT_RAW do not support integrity
/// checks; for these formats, check must be omitted, or be CHECK_NONE.
///
/// The settings used by the compressor can be specified either as a
/// preset compression level (with the 'preset' argument), or in detail
/// as a custom filter chain (with the 'filters' argument). For FORMAT_XZ
/// and FORMAT_ALONE, the default is to use the PRESET_DEFAULT preset
/// level. For FORMAT_RAW, the caller must always specify a filter chain;
/// the raw compressor does not support preset compression levels.
///
/// preset (if provided) should be an integer in the range 0-9, optionally
/// OR-ed with the constant PRESET_EXTREME.
///
/// filters (if provided) should be a sequence of dicts. Each dict should
/// have an entry for "id" indicating the ID of the filter, plus
/// additional entries for options to the filter.
///
/// For one-shot compression, use the compress() function instead.
#[pytype(name = "_lzma.LZMACompressor")]
impl LZMACompressor {
    #[new("!(format=FORMAT_XZ, check=-1, preset=None, filters=None)")]
    fn new(
        cls: &Type,
        format: Option<i32>,
        check: Option<i32>,
        preset: OrNone<&Object>,
        filters: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let stream = open(format.unwrap_or(FORMAT_XZ), check.unwrap_or(-1), preset.0, filters.0, vm)?;
        let stream = Guarded::new(Some(stream));
        vm.new_instance(cls, LZMACompressor { ob: Object::new(Self::type_object()), stream })
    }

    /// Provide data to the compressor object.
    ///
    /// Returns a chunk of compressed data if possible, or b'' otherwise.
    ///
    /// When you have finished providing data to the compressor, call the
    /// flush() method to finish the compression process.
    #[method("($self, data, /)")]
    fn compress(&self, data: BufferArg, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut stream = self.stream.lock(vm);
        let Some(stream) = stream.as_mut() else {
            return Err(vm.value_error("Compressor has been flushed"));
        };
        let data = data.as_bytes();
        vm.allow_threads(|| run(stream, false, data)).map_err(|code| code.raise(vm))?.finish(vm)
    }

    /// Finish the compression process.
    ///
    /// Returns the compressed data left in internal buffers.
    ///
    /// The compressor object may not be used after this method is called.
    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let Some(mut stream) = self.stream.lock(vm).take() else {
            return Err(vm.value_error("Repeated call to flush()"));
        };
        vm.allow_threads(|| run(&mut stream, true, &[])).map_err(|code| code.raise(vm))?.finish(vm)
    }
}
