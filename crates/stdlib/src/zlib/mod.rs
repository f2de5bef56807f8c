//! `zlib`: deflate with its wrappers, on zlib-rs.

use std::ffi::CStr;

use libz_rs_sys as z;
use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

mod compress;
mod decompress;
mod stream;

use compress::Compress;
use decompress::{Decompress, ZlibDecompressor};
use stream::{MEM_ERROR, OK, STREAM_END, STREAM_ERROR, Settings, Stream};

/// `zlib.error`.
pub static ERROR: DeclaredException = DeclaredException { name: "zlib.error", base: types::exception };

const MAX_WBITS: i32 = 15;
const DEFLATED: i32 = 8;
const DEF_MEM_LEVEL: i32 = 8;
const FINISH: i32 = 4;
const SYNC_FLUSH: i32 = 2;
/// The length of output buffers, of which nothing but `flush` takes notice.
const DEF_BUF_SIZE: isize = 16 * 1024;

const NUMBERS: [(&str, i32); 20] = [
    ("MAX_WBITS", MAX_WBITS),
    ("DEFLATED", DEFLATED),
    ("DEF_MEM_LEVEL", DEF_MEM_LEVEL),
    ("DEF_BUF_SIZE", DEF_BUF_SIZE as i32),
    ("Z_BEST_SPEED", 1),
    ("Z_BEST_COMPRESSION", 9),
    ("Z_DEFAULT_COMPRESSION", -1),
    ("Z_NO_COMPRESSION", 0),
    ("Z_FILTERED", 1),
    ("Z_HUFFMAN_ONLY", 2),
    ("Z_RLE", 3),
    ("Z_FIXED", 4),
    ("Z_DEFAULT_STRATEGY", 0),
    ("Z_NO_FLUSH", 0),
    ("Z_PARTIAL_FLUSH", 1),
    ("Z_SYNC_FLUSH", SYNC_FLUSH),
    ("Z_FULL_FLUSH", 3),
    ("Z_FINISH", FINISH),
    ("Z_BLOCK", 5),
    ("Z_TREES", 6),
];

/// The module.
pub struct Zlib;

fn version() -> String {
    // SAFETY: the library's version is NUL-terminated static text.
    unsafe { CStr::from_ptr(z::zlibVersion()) }.to_string_lossy().into_owned()
}

fn low_word(value: Option<&Object>, default: u32, vm: &Vm) -> PyResult<u32> {
    match value {
        None => Ok(default),
        Some(value) => Ok(value.as_index(vm)?.as_int_ref().wrap_to_u64() as u32),
    }
}

/// The functions in this module allow compression and decompression using the
/// zlib library, which is based on GNU zip.
///
/// adler32(string[, start]) -- Compute an Adler-32 checksum.
/// compress(data[, level]) -- Compress data, with compression level 0-9 or -1.
/// compressobj([level[, ...]]) -- Return a compressor object.
/// crc32(string[, start]) -- Compute a CRC-32 checksum.
/// decompress(string,[wbits],[bufsize]) -- Decompresses a compressed string.
/// decompressobj([wbits[, zdict]]) -- Return a decompressor object.
///
/// 'wbits' is window buffer size and container format.
/// Compressor objects support compress() and flush() methods; decompressor
/// objects support decompress() and flush().
#[pymodule(name = "zlib")]
impl Zlib {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        type_ready(Compress::type_object(), vm)?;
        type_ready(Decompress::type_object(), vm)?;
        type_ready(ZlibDecompressor::type_object(), vm)?;
        module.set("_ZlibDecompressor", ZlibDecompressor::type_object().as_object(), vm)?;
        module.set("error", ERROR.get(vm)?.as_object(), vm)?;
        for (name, value) in NUMBERS {
            module.set(name, &*vm.new_int(value), vm)?;
        }
        let version = vm.new_str(&version()).into_object();
        module.set("ZLIB_VERSION", &version, vm)?;
        module.set("ZLIB_RUNTIME_VERSION", &version, vm)?;
        module.set("__version__", vm.new_str("1.0").as_object(), vm)
    }

    /// Compute an Adler-32 checksum of data.
    ///
    ///   value
    ///     Starting value of the checksum.
    ///
    /// The returned checksum is an integer.
    #[function("($module, data, value=1, /)")]
    fn adler32(data: BufferArg, value: Option<&Object>, vm: &Vm) -> PyResult<u32> {
        let start = low_word(value, 1, vm)?;
        let data = data.as_bytes();
        // SAFETY: the data is as long as told.
        Ok(unsafe { z::adler32_z(start.into(), data.as_ptr(), data.len()) } as u32)
    }

    /// Compute a CRC-32 checksum of data.
    ///
    ///   value
    ///     Starting value of the checksum.
    ///
    /// The returned checksum is an integer.
    #[function("($module, data, value=0, /)")]
    fn crc32(data: BufferArg, value: Option<&Object>, vm: &Vm) -> PyResult<u32> {
        let start = low_word(value, 0, vm)?;
        let data = data.as_bytes();
        // SAFETY: the data is as long as told.
        Ok(unsafe { z::crc32_z(start.into(), data.as_ptr(), data.len()) } as u32)
    }

    /// Returns a bytes object containing compressed data.
    ///
    ///   data
    ///     Binary data to be compressed.
    ///   level
    ///     Compression level, in 0-9 or -1.
    ///   wbits
    ///     The window buffer size and container format.
    #[function("($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)")]
    fn compress(data: BufferArg, level: Option<i32>, wbits: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let settings = Settings {
            level: level.unwrap_or(-1),
            method: DEFLATED,
            window_bits: wbits.unwrap_or(MAX_WBITS),
            memory_level: DEF_MEM_LEVEL,
            strategy: 0,
        };
        let mut stream = match Stream::deflater(&settings) {
            Ok(stream) => stream,
            Err(STREAM_ERROR) => return Err(ERROR.raise("Bad compression level", vm)),
            Err(MEM_ERROR) => {
                return Err(vm.raise(types::memory_error(), "Out of memory while compressing data"));
            }
            Err(code) => return Err(stream::raise(code, "while compressing data", None, vm)),
        };
        let mut out = Vec::new();
        let code = stream.run(&mut data.as_bytes(), FINISH, &mut out, usize::MAX);
        if code != STREAM_END {
            return Err(stream.error(code, "while compressing data", vm));
        }
        Ok(vm.new_bytes(&out))
    }

    /// Returns a bytes object containing the uncompressed data.
    ///
    ///   data
    ///     Compressed data.
    ///   wbits
    ///     The window buffer size and container format.
    ///   bufsize
    ///     The initial output buffer size.
    #[function("($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)")]
    fn decompress(
        data: BufferArg,
        wbits: Option<i32>,
        bufsize: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        if bufsize.is_some_and(|size| size < 0) {
            return Err(vm.value_error("bufsize must be non-negative"));
        }
        let mut stream = match Stream::inflater(wbits.unwrap_or(MAX_WBITS)) {
            Ok(stream) => stream,
            Err(MEM_ERROR) => {
                return Err(vm.raise(types::memory_error(), "Out of memory while decompressing data"));
            }
            Err(code) => return Err(stream::raise(code, "while preparing to decompress data", None, vm)),
        };
        let mut out = Vec::new();
        match stream.run(&mut data.as_bytes(), SYNC_FLUSH, &mut out, usize::MAX) {
            STREAM_END => Ok(vm.new_bytes(&out)),
            OK => Err(stream::raise(stream::BUF_ERROR, "while decompressing data", None, vm)),
            MEM_ERROR => Err(vm.raise(types::memory_error(), "Out of memory while decompressing data")),
            code => Err(stream.error(code, "while decompressing data", vm)),
        }
    }

    /// Return a compressor object.
    ///
    ///   level
    ///     The compression level (an integer in the range 0-9 or -1; default is
    ///     currently equivalent to 6).  Higher compression levels are slower,
    ///     but produce smaller results.
    ///   method
    ///     The compression algorithm.  If given, this must be DEFLATED.
    ///   wbits
    ///     +9 to +15: The base-two logarithm of the window size.  Include a zlib
    ///         container.
    ///     -9 to -15: Generate a raw stream.
    ///     +25 to +31: Include a gzip container.
    ///   memLevel
    ///     Controls the amount of memory used for internal compression state.
    ///     Valid values range from 1 to 9.  Higher values result in higher memory
    ///     usage, faster compression, and smaller output.
    ///   strategy
    ///     Used to tune the compression algorithm.  Possible values are
    ///     Z_DEFAULT_STRATEGY, Z_FILTERED, and Z_HUFFMAN_ONLY.
    ///   zdict
    ///     The predefined compression dictionary - a sequence of bytes
    ///     containing subsequences that are likely to occur in the input data.
    #[function(
        "($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=<unrepresentable>)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the function's signature")]
    fn compressobj(
        level: Option<i32>,
        method: Option<i32>,
        wbits: Option<i32>,
        #[allow(non_snake_case, reason = "the parameter's name")] memLevel: Option<i32>,
        strategy: Option<i32>,
        zdict: Option<BufferArg>,
        vm: &Vm,
    ) -> PyResult {
        let settings = Settings {
            level: level.unwrap_or(-1),
            method: method.unwrap_or(DEFLATED),
            window_bits: wbits.unwrap_or(MAX_WBITS),
            memory_level: memLevel.unwrap_or(DEF_MEM_LEVEL),
            strategy: strategy.unwrap_or(0),
        };
        let mut stream = match Stream::deflater(&settings) {
            Ok(stream) => stream,
            Err(STREAM_ERROR) => return Err(vm.value_error("Invalid initialization option")),
            Err(MEM_ERROR) => {
                return Err(vm.raise(types::memory_error(), "Can't allocate memory for compression object"));
            }
            Err(code) => return Err(stream::raise(code, "while creating compression object", None, vm)),
        };
        if let Some(zdict) = zdict {
            match stream.set_dictionary(zdict.as_bytes()) {
                OK => {}
                STREAM_ERROR => return Err(vm.value_error("Invalid dictionary")),
                _ => return Err(vm.value_error("deflateSetDictionary()")),
            }
        }
        Ok(Compress::make(Some(stream), vm))
    }

    /// Return a decompressor object.
    ///
    ///   wbits
    ///     The window buffer size and container format.
    ///   zdict
    ///     The predefined compression dictionary.  This must be the same
    ///     dictionary as used by the compressor that produced the input data.
    #[function("($module, /, wbits=MAX_WBITS, zdict=b'')")]
    fn decompressobj(wbits: Option<i32>, zdict: Option<&Object>, vm: &Vm) -> PyResult {
        if let Some(zdict) = zdict {
            if !taipan_vm::protocols::buffer::has_buffer(zdict) {
                return Err(vm.type_error("zdict argument must support the buffer protocol"));
            }
        }
        decompress::decompressor(wbits.unwrap_or(MAX_WBITS), zdict, vm)
    }
}

/// Unpacks data of our own: the whole of a zlib stream that gives at most `limit` bytes.
pub(crate) fn inflate_all(packed: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(mut stream) = Stream::inflater(MAX_WBITS) {
        let mut input = packed;
        stream.run(&mut input, FINISH, &mut out, limit);
    }
    out
}
