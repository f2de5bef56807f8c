//! `BZ2Compressor`.

use taipan_vm::prelude::*;

use super::stream::{Code, FINISH, RUN, Stream};
use crate::streams::{Guarded, Output};

/// The layout of a compressor.
#[repr(C)]
pub struct BZ2Compressor {
    ob: Object,
    /// Gone once the data was finished.
    stream: Guarded<Option<Stream>>,
}

fn run(stream: &mut Stream, action: i32, mut input: &[u8]) -> Result<Output, Code> {
    let mut out = Output::new(usize::MAX, 0)?;
    // The library takes a call without anything to do for an error.
    if action == RUN && input.is_empty() {
        return Ok(out);
    }
    loop {
        let step = stream.step(action, &mut input, out.room()?)?;
        // SAFETY: the library wrote that much.
        unsafe { out.wrote(step.written) };
        if step.ended || (action == RUN && input.is_empty()) {
            return Ok(out);
        }
    }
}

/// Create a compressor object for compressing data incrementally.
///
///   compresslevel
///     Compression level, as a number between 1 and 9.
///
/// For one-shot compression, use the compress() function instead.
#[pytype(name = "_bz2.BZ2Compressor")]
impl BZ2Compressor {
    #[new("(compresslevel=9, /)")]
    fn new(cls: &Type, compresslevel: Option<i32>, vm: &Vm) -> PyResult {
        let level = compresslevel.unwrap_or(9);
        if !(1..=9).contains(&level) {
            return Err(vm.value_error("compresslevel must be between 1 and 9"));
        }
        let stream = Stream::compressor(level).map_err(|code| code.raise(vm))?;
        let made = BZ2Compressor { ob: Object::new(Self::type_object()), stream: Guarded::new(Some(stream)) };
        vm.new_instance(cls, made)
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
        vm.allow_threads(|| run(stream, RUN, data)).map_err(|code| code.raise(vm))?.finish(vm)
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
        vm.allow_threads(|| run(&mut stream, FINISH, &[])).map_err(|code| code.raise(vm))?.finish(vm)
    }
}
