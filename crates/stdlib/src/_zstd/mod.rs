//! `_zstd`: compression with Zstandard.

use std::ffi::CStr;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;
use zstd_sys as zs;

mod compress;
mod decompress;
mod dictionary;
mod parameters;
mod train;

pub use compress::ZstdCompressor;
pub use decompress::ZstdDecompressor;
pub use dictionary::ZstdDict;

use crate::streams::NoMemory;

/// The module.
pub struct Zstd;

/// `ZstdError`.
static ERROR: DeclaredException =
    DeclaredException { name: "compression.zstd.ZstdError", base: types::exception };

/// The enumerations of parameters, told by `set_parameter_types`.
#[derive(Default)]
struct State {
    compression: Slot<Type>,
    decompression: Slot<Type>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

/// Why the library could not do something.
pub enum Failure {
    /// A code that is an error of the library.
    Code(usize),
    /// No memory for the result.
    NoMemory,
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure::NoMemory
    }
}

impl Failure {
    /// A result of the library, when it is no error.
    fn check(code: usize) -> Result<usize, Failure> {
        // SAFETY: the function takes any number.
        if unsafe { zs::ZSTD_isError(code) } != 0 { Err(Failure::Code(code)) } else { Ok(code) }
    }

    /// Raises `ZstdError`: "Unable to …: what the library says".
    #[cold]
    fn raise(&self, doing: &str, vm: &Vm) -> Raised {
        match self {
            Failure::NoMemory => vm.memory_error(),
            Failure::Code(code) => ERROR.raise(format!("Unable to {doing}: {}", error_name(*code)), vm),
        }
    }
}

/// What the library calls an error.
fn error_name(code: usize) -> String {
    // SAFETY: the function takes any number and gives a static text.
    unsafe { CStr::from_ptr(zs::ZSTD_getErrorName(code)) }.to_string_lossy().into_owned()
}

const CONTENT_SIZE_UNKNOWN: u64 = u64::MAX;
const CONTENT_SIZE_ERROR: u64 = u64::MAX - 1;
/// What `ZSTD_DStreamOutSize()` says: the largest block.
const STREAM_OUT_SIZE: u64 = 128 * 1024;

/// Implementation module for Zstandard compression.
#[pymodule(name = "_zstd", types(ZstdCompressor, ZstdDecompressor, ZstdDict))]
impl Zstd {
    /// Train a Zstandard dictionary on sample data.
    ///
    ///   samples_bytes
    ///     Concatenation of samples.
    ///   samples_sizes
    ///     Tuple of samples' sizes.
    ///   dict_size
    ///     The size of the dictionary.
    #[function("($module, samples_bytes, samples_sizes, dict_size, /)")]
    fn train_dict(
        samples_bytes: &Bytes,
        samples_sizes: &Tuple,
        dict_size: isize,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        train::train(samples_bytes, samples_sizes, dict_size, vm)
    }

    /// Finalize a Zstandard dictionary.
    ///
    ///   custom_dict_bytes
    ///     Custom dictionary content.
    ///   samples_bytes
    ///     Concatenation of samples.
    ///   samples_sizes
    ///     Tuple of samples' sizes.
    ///   dict_size
    ///     The size of the dictionary.
    ///   compression_level
    ///     Optimize for a specific Zstandard compression level, 0 means default.
    #[function("($module, custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, /)")]
    fn finalize_dict(
        custom_dict_bytes: &Bytes,
        samples_bytes: &Bytes,
        samples_sizes: &Tuple,
        dict_size: isize,
        compression_level: i32,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        train::finalize(custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, vm)
    }

    /// Get CompressionParameter/DecompressionParameter bounds.
    ///
    ///   parameter
    ///     The parameter to get bounds.
    ///   is_compress
    ///     True for CompressionParameter, False for DecompressionParameter.
    #[function("($module, /, parameter, is_compress)")]
    fn get_param_bounds(parameter: i32, is_compress: bool, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (lower, upper) = parameters::bounds(parameter, is_compress).map_err(|failure| {
            let what = if is_compress { "compression" } else { "decompression" };
            failure.raise(&format!("get zstd {what} parameter bounds"), vm)
        })?;
        Ok(vm.new_tuple([vm.new_int(lower), vm.new_int(upper)]))
    }

    /// Get the size of a Zstandard frame, including the header and optional checksum.
    ///
    ///   frame_buffer
    ///     A bytes-like object, it should start from the beginning of a frame,
    ///     and contains at least one complete frame.
    #[function("($module, /, frame_buffer)")]
    fn get_frame_size(frame_buffer: BufferArg, vm: &Vm) -> PyResult<usize> {
        let frame = frame_buffer.as_bytes();
        // SAFETY: the frame is as long as told.
        let size = unsafe { zs::ZSTD_findFrameCompressedSize(frame.as_ptr().cast(), frame.len()) };
        Failure::check(size).map_err(|_| {
            let text = format!(
                "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument \
                 starts from the beginning of a frame, and its length is not less than this complete frame. \
                 Zstd error message: {}.",
                error_name(size)
            );
            ERROR.raise(text, vm)
        })
    }

    /// Get Zstandard frame infomation from a frame header.
    ///
    ///   frame_buffer
    ///     A bytes-like object, containing the header of a Zstandard frame.
    #[function("($module, /, frame_buffer)")]
    fn get_frame_info(frame_buffer: BufferArg, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let frame = frame_buffer.as_bytes();
        // SAFETY: the frame is as long as told.
        let (size, dictionary) = unsafe {
            (
                zs::ZSTD_getFrameContentSize(frame.as_ptr().cast(), frame.len()),
                zs::ZSTD_getDictID_fromFrame(frame.as_ptr().cast(), frame.len()),
            )
        };
        let size = match size {
            CONTENT_SIZE_UNKNOWN => vm.none(),
            CONTENT_SIZE_ERROR => {
                let text = "Error when getting information from the header of a Zstandard frame. Ensure the \
                            frame_buffer argument starts from the beginning of a frame, and its length is not \
                            less than the frame header (6~18 bytes).";
                return Err(ERROR.raise(text, vm));
            }
            size => vm.new_int(size),
        };
        Ok(vm.new_tuple([size, vm.new_int(dictionary)]))
    }

    /// Set CompressionParameter and DecompressionParameter types for validity check.
    ///
    ///   c_parameter_type
    ///     CompressionParameter IntEnum type object
    ///   d_parameter_type
    ///     DecompressionParameter IntEnum type object
    #[function("($module, /, c_parameter_type, d_parameter_type)")]
    fn set_parameter_types(c_parameter_type: &Object, d_parameter_type: &Object, vm: &Vm) -> PyResult<()> {
        let class = |object: &Object, name: &str| {
            object.to_ref().downcast::<Type>().map_err(|object| {
                let given = object.type_name();
                vm.type_error(format!("set_parameter_types() argument '{name}' must be type, not {given}"))
            })
        };
        let compression = class(c_parameter_type, "c_parameter_type")?;
        let decompression = class(d_parameter_type, "d_parameter_type")?;
        state(vm).compression.put(compression);
        state(vm).decompression.put(decompression);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        // SAFETY: the functions take nothing.
        let (version, number) =
            unsafe { (CStr::from_ptr(zs::ZSTD_versionString()), zs::ZSTD_versionNumber()) };
        module.set("zstd_version", vm.new_str(&version.to_string_lossy()).as_object(), vm)?;
        module.set("zstd_version_number", &vm.new_int(number), vm)?;
        module.set("ZSTD_CLEVEL_DEFAULT", &vm.new_int(parameters::DEFAULT_LEVEL), vm)?;
        module.set("ZSTD_DStreamOutSize", &vm.new_int(STREAM_OUT_SIZE), vm)?;
        for (name, value) in parameters::CONSTANTS {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        compress::set_modes(vm)?;
        let error = ERROR.get(vm)?;
        let doc = vm.new_str("An error occurred in the zstd library.");
        error.as_object().set_attr(vm.ids().__doc__, doc.as_object(), vm)?;
        module.set("ZstdError", error.as_object(), vm)
    }
}
