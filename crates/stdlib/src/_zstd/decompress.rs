//! `ZstdDecompressor`.

use std::mem::MaybeUninit;

use taipan_vm::prelude::*;
use zstd_sys as zs;

use super::dictionary::{Use, ZstdDict, argument};
use super::{CONTENT_SIZE_ERROR, Failure, parameters};
use crate::streams::{Decode, Decoder, Guarded, Step, limit};

/// The library's context.
struct Context {
    raw: *mut zs::ZSTD_DCtx,
    /// Whether the next input is the start of the frame.
    at_start: bool,
}

// SAFETY: the context belongs to the object alone and is bound to no thread.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once.
        unsafe { zs::ZSTD_freeDCtx(self.raw) };
    }
}

impl Decode for Context {
    type Error = Failure;
    const HOLDS_OUTPUT: bool = true;

    fn step(&mut self, input: &mut &[u8], room: &mut [MaybeUninit<u8>]) -> Result<Step, Failure> {
        let mut source = zs::ZSTD_inBuffer { src: input.as_ptr().cast(), size: input.len(), pos: 0 };
        let mut target = zs::ZSTD_outBuffer { dst: room.as_mut_ptr().cast(), size: room.len(), pos: 0 };
        self.at_start = self.at_start && input.is_empty();
        // SAFETY: the context is alive, input and room are as long as told.
        let left = unsafe { zs::ZSTD_decompressStream(self.raw, &raw mut target, &raw mut source) };
        let left = match Failure::check(left) {
            Ok(left) => left,
            Err(failure) => {
                self.at_start = true;
                // SAFETY: the context is alive.
                unsafe { zs::ZSTD_DCtx_reset(self.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only) };
                return Err(failure);
            }
        };
        *input = input.get(source.pos..).unwrap_or_default();
        Ok(Step { written: target.pos, filled: target.pos == target.size, ended: left == 0 })
    }

    fn expected(&self, input: &[u8]) -> usize {
        if !self.at_start {
            return 0;
        }
        // SAFETY: the input is as long as told.
        match unsafe { zs::ZSTD_getFrameContentSize(input.as_ptr().cast(), input.len()) } {
            CONTENT_SIZE_ERROR.. => 0,
            // Room to spare, so that the end is seen by the same call.
            size => usize::try_from(size).map_or(0, |size| size.saturating_add(1).min(1 << 20)),
        }
    }
}

/// The layout of a decompressor.
#[repr(C)]
#[derive(Traverse)]
pub struct ZstdDecompressor {
    #[traverse(skip)]
    ob: Object,
    // Freed before the dictionary, which it may refer to.
    #[traverse(skip)]
    decoder: Guarded<Decoder<Context>>,
    dictionary: Option<Ref<ZstdDict>>,
}

/// Loads a dictionary into a context.
fn load(context: &Context, dictionary: &ZstdDict, how: Use, vm: &Vm) -> PyResult<()> {
    let content = dictionary.bytes();
    // SAFETY: the context is alive; what it refers to lives as long as the dictionary, which the decompressor holds.
    let code = unsafe {
        match how {
            Use::Digested => zs::ZSTD_DCtx_refDDict(context.raw, dictionary.for_decompression(vm)?),
            Use::Undigested => {
                zs::ZSTD_DCtx_loadDictionary(context.raw, content.as_ptr().cast(), content.len())
            }
            Use::Prefix => zs::ZSTD_DCtx_refPrefix(context.raw, content.as_ptr().cast(), content.len()),
        }
    };
    match Failure::check(code) {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.raise("load Zstandard dictionary or prefix for decompression", vm)),
    }
}

/// Create a decompressor object for decompressing data incrementally.
///
///   zstd_dict
///     A ZstdDict object, a pre-trained Zstandard dictionary.
///   options
///     A dict object that contains advanced decompression parameters.
///
/// Thread-safe at method level.  For one-shot decompression, use the
/// decompress() function instead.
#[pytype(name = "compression.zstd.ZstdDecompressor", gc)]
impl ZstdDecompressor {
    #[new("(zstd_dict=None, options=None)")]
    fn new(cls: &Type, zstd_dict: OrNone<&Object>, options: OrNone<&Object>, vm: &Vm) -> PyResult {
        // SAFETY: the function takes nothing.
        let context = Context { raw: unsafe { zs::ZSTD_createDCtx() }, at_start: true };
        if context.raw.is_null() {
            return Err(vm.memory_error());
        }
        let options = match options.0 {
            None => None,
            Some(options) => Some(options.downcast_ref::<Dict>().ok_or_else(|| {
                let given = options.type_name();
                vm.type_error(format!("ZstdDecompressor() argument 'options' must be dict, not {given}"))
            })?),
        };
        let mut dictionary = None;
        if let Some(given) = zstd_dict.0 {
            let (given, how) = argument(given, Use::Digested, vm)?;
            load(&context, &given, how, vm)?;
            dictionary = Some(given);
        }
        if let Some(options) = options {
            for (parameter, value) in parameters::numbers(options, false, vm)? {
                // SAFETY: the context is alive.
                unsafe { parameters::set_decompression(context.raw, parameter, value, vm)? };
            }
        }
        let decoder = Guarded::new(Decoder::new(context));
        vm.new_instance(cls, ZstdDecompressor { ob: Object::new(Self::type_object()), decoder, dictionary })
    }

    /// Decompress *data*, returning uncompressed bytes if possible, or b'' otherwise.
    ///
    ///   data
    ///     A bytes-like object, Zstandard data to be decompressed.
    ///   max_length
    ///     Maximum size of returned data. When it is negative, the size of
    ///     output buffer is unlimited. When it is nonnegative, returns at
    ///     most max_length bytes of decompressed data.
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
    /// Attempting to decompress data after the end of a frame is reached
    /// raises an EOFError.  Any data found after the end of the frame is
    /// ignored and saved in the self.unused_data attribute.
    #[method("($self, /, data, max_length=-1)")]
    fn decompress(&self, data: BufferArg, max_length: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut decoder = self.decoder.lock(vm);
        if decoder.eof {
            return Err(vm.eof_error("Already at the end of a Zstandard frame."));
        }
        let data = data.as_bytes();
        let out = vm.allow_threads(|| decoder.feed(data, limit(max_length)));
        out.map_err(|failure| failure.raise("decompress Zstandard data", vm))?.finish(vm)
    }

    /// True means the end of the first frame has been reached. If decompress data
    /// after that, an EOFError exception will be raised.
    #[getter]
    fn eof(&self, vm: &Vm) -> bool {
        self.decoder.lock(vm).eof
    }

    /// A bytes object of un-consumed input data.
    ///
    /// When ZstdDecompressor object stops after a frame is
    /// decompressed, unused input data after the frame.  Otherwise this
    /// will be b''.
    #[getter]
    fn unused_data(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&self.decoder.lock(vm).unused, vm)
    }

    /// If the max_length output limit in .decompress() method has been reached,
    /// and the decompressor has (or may has) unconsumed input data, it will be set
    /// to False. In this case, passing b'' to the .decompress() method may output
    /// further data.
    #[getter]
    fn needs_input(&self, vm: &Vm) -> bool {
        self.decoder.lock(vm).needs_input
    }
}
