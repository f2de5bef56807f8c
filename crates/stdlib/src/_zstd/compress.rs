//! `ZstdCompressor`.

use std::cell::Cell;

use taipan_vm::prelude::*;
use zstd_sys as zs;

use super::dictionary::{Use, ZstdDict, argument};
use super::{CONTENT_SIZE_ERROR, CONTENT_SIZE_UNKNOWN, Failure, parameters};
use crate::streams::{Guarded, Output};

/// The library's context.
struct Context {
    raw: *mut zs::ZSTD_CCtx,
    /// Whether it may have threads of its own.
    threaded: bool,
}

// SAFETY: the context belongs to the object alone and is bound to no thread.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        if self.threaded {
            self.await_workers();
        }
        // SAFETY: made by the library, freed once.
        unsafe { zs::ZSTD_freeCCtx(self.raw) };
    }
}

/// The layout of a compressor.
#[repr(C)]
#[derive(Traverse)]
pub struct ZstdCompressor {
    #[traverse(skip)]
    ob: Object,
    // Freed before the dictionary, which it may refer to.
    #[traverse(skip)]
    context: Guarded<Context>,
    dictionary: Option<Ref<ZstdDict>>,
    #[traverse(skip)]
    last_mode: Cell<i32>,
}

const CONTINUE: i32 = 0;
const FLUSH_BLOCK: i32 = 1;
const FLUSH_FRAME: i32 = 2;

impl Context {
    /// Waits for the library's threads. Freeing the context does so too, but after the dictionary that they read is gone;
    /// beginning another frame waits first.
    fn await_workers(&mut self) {
        let mut byte = 0u8;
        let mut input = zs::ZSTD_inBuffer { src: std::ptr::null(), size: 0, pos: 0 };
        let mut output = zs::ZSTD_outBuffer { dst: std::ptr::from_mut(&mut byte).cast(), size: 1, pos: 0 };
        // SAFETY: the context is alive, the buffers are as long as told.
        let mut begin = || unsafe {
            zs::ZSTD_CCtx_reset(self.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only);
            zs::ZSTD_compressStream2(
                self.raw,
                &raw mut output,
                &raw mut input,
                zs::ZSTD_EndDirective::ZSTD_e_continue,
            )
        };
        match Vm::try_current() {
            Some(vm) => vm.allow_threads(begin),
            None => begin(),
        };
    }

    fn run(&mut self, mode: i32, data: &[u8]) -> Result<Output, Failure> {
        let directive = match mode {
            FLUSH_FRAME => zs::ZSTD_EndDirective::ZSTD_e_end,
            FLUSH_BLOCK => zs::ZSTD_EndDirective::ZSTD_e_flush,
            _ => zs::ZSTD_EndDirective::ZSTD_e_continue,
        };
        // What data can grow to at worst, so that a single call does it all.
        let bound = data.len().saturating_add(data.len() >> 8).saturating_add(512);
        let expected = if mode == FLUSH_FRAME { bound.min(1 << 20) } else { 0 };
        let mut out = Output::new(usize::MAX, expected)?;
        let mut input = zs::ZSTD_inBuffer { src: data.as_ptr().cast(), size: data.len(), pos: 0 };
        loop {
            let room = out.room()?;
            let mut output = zs::ZSTD_outBuffer { dst: room.as_mut_ptr().cast(), size: room.len(), pos: 0 };
            // SAFETY: the context is alive, input and room are as long as told.
            let left =
                unsafe { zs::ZSTD_compressStream2(self.raw, &raw mut output, &raw mut input, directive) };
            let left = Failure::check(left)?;
            let filled = output.pos == output.size;
            // SAFETY: the library wrote that much.
            unsafe { out.wrote(output.pos) };
            let done = if mode == CONTINUE { !filled } else { left == 0 };
            if done && input.pos == input.size {
                return Ok(out);
            }
        }
    }
}

impl ZstdCompressor {
    fn work(&self, mode: i32, data: &[u8], vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut context = self.context.lock(vm);
        match vm.allow_threads(|| context.run(mode, data)) {
            Ok(out) => {
                self.last_mode.set(mode);
                out.finish(vm)
            }
            Err(failure) => {
                self.last_mode.set(FLUSH_FRAME);
                // SAFETY: the context is alive.
                unsafe { zs::ZSTD_CCtx_reset(context.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only) };
                Err(failure.raise("compress Zstandard data", vm))
            }
        }
    }
}

/// Loads a dictionary into a context.
fn load(context: &Context, dictionary: &ZstdDict, how: Use, level: i32, vm: &Vm) -> PyResult<()> {
    let content = dictionary.bytes();
    // SAFETY: the context is alive; what it refers to lives as long as the dictionary, which the compressor holds.
    let code = unsafe {
        match how {
            Use::Digested => zs::ZSTD_CCtx_refCDict(context.raw, dictionary.for_compression(level, vm)?),
            Use::Undigested => {
                zs::ZSTD_CCtx_loadDictionary(context.raw, content.as_ptr().cast(), content.len())
            }
            Use::Prefix => zs::ZSTD_CCtx_refPrefix(context.raw, content.as_ptr().cast(), content.len()),
        }
    };
    match Failure::check(code) {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.raise("load Zstandard dictionary or prefix for compression", vm)),
    }
}

/// Create a compressor object for compressing data incrementally.
///
///   level
///     The compression level to use. Defaults to COMPRESSION_LEVEL_DEFAULT.
///   options
///     A dict object that contains advanced compression parameters.
///   zstd_dict
///     A ZstdDict object, a pre-trained Zstandard dictionary.
///
/// Thread-safe at method level.  For one-shot compression, use the
/// compress() function instead.
#[pytype(name = "compression.zstd.ZstdCompressor", gc)]
impl ZstdCompressor {
    #[new("(level=None, options=None, zstd_dict=None)")]
    fn new(
        cls: &Type,
        level: OrNone<&Object>,
        options: OrNone<&Object>,
        zstd_dict: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let options = match options.0 {
            None => None,
            Some(options) => Some(options.downcast_ref::<Dict>().ok_or_else(|| {
                let given = options.type_name();
                vm.type_error(format!("ZstdCompressor() argument 'options' must be dict, not {given}"))
            })?),
        };
        if level.0.is_some() && options.is_some() {
            return Err(vm.type_error("Only one of level or options should be used."));
        }
        // SAFETY: the function takes nothing.
        let mut context = Context { raw: unsafe { zs::ZSTD_createCCtx() }, threaded: false };
        if context.raw.is_null() {
            return Err(vm.memory_error());
        }
        let mut chosen = 0;
        if let Some(level) = level.0 {
            chosen = parameters::level_argument(level, vm)?;
            // SAFETY: the context is alive.
            unsafe { parameters::set_compression(context.raw, parameters::COMPRESSION_LEVEL, chosen, vm)? };
        }
        if let Some(options) = options {
            for (parameter, value) in parameters::numbers(options, true, vm)? {
                if parameter == parameters::COMPRESSION_LEVEL {
                    chosen = parameters::check_level(value, vm)?;
                }
                // SAFETY: the context is alive.
                unsafe { parameters::set_compression(context.raw, parameter, value, vm)? };
                context.threaded |= parameter == parameters::NB_WORKERS && value != 0;
            }
        }
        let mut dictionary = None;
        if let Some(given) = zstd_dict.0 {
            let (given, how) = argument(given, Use::Undigested, vm)?;
            load(&context, &given, how, chosen, vm)?;
            dictionary = Some(given);
        }
        let made = ZstdCompressor {
            ob: Object::new(Self::type_object()),
            context: Guarded::new(context),
            dictionary,
            last_mode: Cell::new(FLUSH_FRAME),
        };
        vm.new_instance(cls, made)
    }

    /// Provide data to the compressor object.
    ///
    ///   mode
    ///     Can be these 3 values ZstdCompressor.CONTINUE,
    ///     ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME
    ///
    /// Return a chunk of compressed data if possible, or b'' otherwise.
    /// When you have finished providing data to the compressor, call the
    /// flush() method to finish the compression process.
    #[method("($self, /, data, mode=ZstdCompressor.CONTINUE)")]
    fn compress(&self, data: BufferArg, mode: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mode = mode.unwrap_or(CONTINUE);
        if !matches!(mode, CONTINUE | FLUSH_BLOCK | FLUSH_FRAME) {
            return Err(vm.value_error(
                "mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, \
                 ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME.",
            ));
        }
        self.work(mode, data.as_bytes(), vm)
    }

    /// Finish the compression process.
    ///
    ///   mode
    ///     Can be these 2 values ZstdCompressor.FLUSH_FRAME,
    ///     ZstdCompressor.FLUSH_BLOCK
    ///
    /// Flush any remaining data left in internal buffers.  Since Zstandard
    /// data consists of one or more independent frames, the compressor
    /// object can still be used after this method is called.
    #[method("($self, /, mode=ZstdCompressor.FLUSH_FRAME)")]
    fn flush(&self, mode: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mode = mode.unwrap_or(FLUSH_FRAME);
        if !matches!(mode, FLUSH_BLOCK | FLUSH_FRAME) {
            return Err(vm.value_error(
                "mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or \
                 ZstdCompressor.FLUSH_BLOCK.",
            ));
        }
        self.work(mode, &[], vm)
    }

    /// Set the uncompressed content size to be written into the frame header.
    ///
    ///   size
    ///     The size of the uncompressed data to be provided to the compressor.
    ///
    /// This method can be used to ensure the header of the frame about to
    /// be written includes the size of the data, unless the
    /// CompressionParameter.content_size_flag is set to False.
    /// If last_mode != FLUSH_FRAME, then a RuntimeError is raised.
    ///
    /// It is important to ensure that the pledged data size matches the
    /// actual data size.  If they do not match the compressed output data
    /// may be corrupted and the final chunk written may be lost.
    #[method("($self, size, /)")]
    fn set_pledged_input_size(&self, size: &Object, vm: &Vm) -> PyResult<()> {
        let size = if vm.is_none(size) {
            CONTENT_SIZE_UNKNOWN
        } else {
            let Some(number) = size.downcast_ref::<Int>() else {
                return Err(vm.type_error("an integer is required"));
            };
            match number.to_u64() {
                Some(size) if size < CONTENT_SIZE_ERROR => size,
                _ => {
                    return Err(vm.value_error(format!(
                        "size argument should be a positive int less than {CONTENT_SIZE_ERROR}"
                    )));
                }
            }
        };
        let context = self.context.lock(vm);
        if self.last_mode.get() != FLUSH_FRAME {
            return Err(vm.value_error(
                "set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME",
            ));
        }
        // SAFETY: the context is alive.
        Failure::check(unsafe { zs::ZSTD_CCtx_setPledgedSrcSize(context.raw, size) })
            .map(drop)
            .map_err(|failure| failure.raise("set pledged uncompressed content size", vm))
    }

    /// The last mode used to this compressor object, its value can be .CONTINUE,
    /// .FLUSH_BLOCK, .FLUSH_FRAME. Initialized to .FLUSH_FRAME.
    ///
    /// It can be used to get the current state of a compressor, such as, data
    /// flushed, or a frame ended.
    #[getter]
    fn last_mode(&self) -> i32 {
        self.last_mode.get()
    }
}

/// Puts the modes into the class.
pub fn set_modes(vm: &Vm) -> PyResult<()> {
    let modes = [("CONTINUE", CONTINUE), ("FLUSH_BLOCK", FLUSH_BLOCK), ("FLUSH_FRAME", FLUSH_FRAME)];
    modes.into_iter().try_for_each(|(name, mode)| {
        let tp = ZstdCompressor::type_object();
        taipan_vm::builtins::type_::set_constant(tp, name, &vm.new_int(mode), vm)
    })
}
