//! `decompressobj()`'s objects and `_ZlibDecompressor`.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::SIMPLE;

use super::stream::{BUF_ERROR, MEM_ERROR, NEED_DICT, OK, STREAM_END, STREAM_ERROR, Stream, lock, raise};
use super::{DEF_BUF_SIZE, FINISH, MAX_WBITS, SYNC_FLUSH};

/// A stream, or the error of options that the library refuses.
fn open(window_bits: i32, zdict: Option<&Object>, vm: &Vm) -> PyResult<Stream> {
    let mut stream = match Stream::inflater(window_bits) {
        Ok(stream) => stream,
        Err(STREAM_ERROR) => return Err(vm.value_error("Invalid initialization option")),
        Err(MEM_ERROR) => {
            return Err(vm.raise(types::memory_error(), "Can't allocate memory for decompression object"));
        }
        Err(code) => return Err(raise(code, "while creating decompression object", None, vm)),
    };
    // Raw data has no place to ask for a dictionary: it is set at once.
    if let (true, Some(zdict)) = (window_bits < 0, zdict) {
        set_dictionary(&mut stream, zdict, vm)?;
    }
    Ok(stream)
}

fn set_dictionary(stream: &mut Stream, zdict: &Object, vm: &Vm) -> PyResult<()> {
    let dictionary = zdict.get_buffer(SIMPLE, vm)?;
    match stream.set_dictionary(dictionary.as_bytes()) {
        OK => Ok(()),
        code => Err(stream.error(code, "while setting zdict", vm)),
    }
}

/// Runs the stream, giving it the dictionary when it asks.
fn inflate(
    stream: &mut Stream,
    input: &mut &[u8],
    flush: i32,
    limit: usize,
    zdict: Option<&Object>,
    vm: &Vm,
) -> PyResult<(Vec<u8>, i32)> {
    let mut out = Vec::new();
    let mut code = stream.run(input, flush, &mut out, limit);
    if let (NEED_DICT, Some(zdict)) = (code, zdict) {
        set_dictionary(stream, zdict, vm)?;
        code = stream.run(input, flush, &mut out, limit);
    }
    Ok((out, code))
}

/// The layout of `zlib.Decompress`.
#[repr(C)]
pub struct Decompress {
    ob: Object,
    /// Gone once the end was flushed.
    stream: RefCell<Option<Stream>>,
    zdict: Option<ObjRef>,
    unused_data: RefCell<Vec<u8>>,
    unconsumed_tail: RefCell<Vec<u8>>,
    eof: Cell<bool>,
}

/// `decompressobj`.
pub fn decompressor(window_bits: i32, zdict: Option<&Object>, vm: &Vm) -> PyResult {
    let stream = open(window_bits, zdict, vm)?;
    let made = Decompress {
        ob: Object::new(Decompress::type_object()),
        stream: RefCell::new(Some(stream)),
        zdict: zdict.map(Object::to_ref),
        unused_data: RefCell::default(),
        unconsumed_tail: RefCell::default(),
        eof: Cell::new(false),
    };
    Ok(vm.new_object(made).into_object())
}

impl Decompress {
    /// Keeps what was not used, for the attributes.
    fn save_rest(&self, rest: &[u8], code: i32) {
        if code == STREAM_END {
            self.unused_data.borrow_mut().extend_from_slice(rest);
            self.unconsumed_tail.take();
        } else {
            *self.unconsumed_tail.borrow_mut() = rest.to_vec();
        }
    }

    fn duplicate(&self, vm: &Vm) -> PyResult {
        let mut stream = lock(&self.stream, vm)?;
        let Some(own) = stream.as_mut() else {
            return Err(vm.value_error("Inconsistent stream state"));
        };
        let copy = match own.duplicate() {
            Ok(copy) => copy,
            Err(STREAM_ERROR) => return Err(vm.value_error("Inconsistent stream state")),
            Err(code) => return Err(raise(code, "while copying decompression object", None, vm)),
        };
        let made = Decompress {
            ob: Object::new(Decompress::type_object()),
            stream: RefCell::new(Some(copy)),
            zdict: self.zdict.clone(),
            unused_data: RefCell::new(self.unused_data.borrow().clone()),
            unconsumed_tail: RefCell::new(self.unconsumed_tail.borrow().clone()),
            eof: Cell::new(self.eof.get()),
        };
        Ok(vm.new_object(made).into_object())
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
#[pytype(name = "zlib.Decompress", no_new)]
impl Decompress {
    #[getter]
    fn unused_data(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.unused_data.borrow())
    }

    #[getter]
    fn unconsumed_tail(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.unconsumed_tail.borrow())
    }

    #[getter]
    fn eof(&self) -> bool {
        self.eof.get()
    }

    /// Return a bytes object containing the decompressed version of the data.
    ///
    ///   data
    ///     The binary data to decompress.
    ///   max_length
    ///     The maximum allowable length of the decompressed data.
    ///     Unconsumed input data will be stored in
    ///     the unconsumed_tail attribute.
    ///
    /// After calling this function, some of the input data may still be stored in
    /// internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[method("($self, data, /, max_length=0)")]
    fn decompress(&self, data: BufferArg, max_length: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let limit = match max_length.unwrap_or(0) {
            0 => usize::MAX,
            given => usize::try_from(given).map_err(|_| vm.value_error("max_length must be non-negative"))?,
        };
        let mut stream = lock(&self.stream, vm)?;
        let Some(stream) = stream.as_mut() else {
            return Err(raise(STREAM_ERROR, "while decompressing data", None, vm));
        };
        let mut input = data.as_bytes();
        let (out, code) = inflate(stream, &mut input, SYNC_FLUSH, limit, self.zdict.as_deref(), vm)?;
        self.save_rest(input, code);
        match code {
            STREAM_END => self.eof.set(true),
            OK | BUF_ERROR => {}
            code => return Err(stream.error(code, "while decompressing data", vm)),
        }
        Ok(vm.new_bytes(&out))
    }

    /// Return a bytes object containing any remaining decompressed data.
    ///
    ///   length
    ///     the initial size of the output buffer.
    #[method("($self, length=zlib.DEF_BUF_SIZE, /)")]
    fn flush(&self, length: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        if length.unwrap_or(DEF_BUF_SIZE) <= 0 {
            return Err(vm.value_error("length must be greater than zero"));
        }
        let mut place = lock(&self.stream, vm)?;
        let Some(stream) = place.as_mut() else { return Ok(vm.new_bytes(b"")) };
        let tail = self.unconsumed_tail.borrow().clone();
        let mut input = &tail[..];
        let (out, code) = inflate(stream, &mut input, FINISH, usize::MAX, self.zdict.as_deref(), vm)?;
        self.save_rest(input, code);
        if code == STREAM_END {
            self.eof.set(true);
            *place = None;
        }
        Ok(vm.new_bytes(&out))
    }

    /// Return a copy of the decompression object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        self.duplicate(vm)
    }

    #[method("($self, /)")]
    fn __copy__(&self, vm: &Vm) -> PyResult {
        self.duplicate(vm)
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, memo: &Object, vm: &Vm) -> PyResult {
        let _ = memo;
        self.duplicate(vm)
    }
}

/// The layout of `zlib._ZlibDecompressor`.
#[repr(C)]
pub struct ZlibDecompressor {
    ob: Object,
    stream: RefCell<Stream>,
    zdict: Option<ObjRef>,
    /// Input that waits for room.
    waiting: RefCell<Vec<u8>>,
    unused_data: RefCell<Vec<u8>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
}

/// Create a decompressor object for decompressing data incrementally.
///
///   wbits = 15
///   zdict
///      The predefined compression dictionary. This is a sequence of bytes
///      (such as a bytes object) containing subsequences that are expected
///      to occur frequently in the data that is to be compressed. Those
///      subsequences that are expected to be most common should come at the
///      end of the dictionary. This must be the same dictionary as used by the
///      compressor that produced the input data.
#[pytype(name = "zlib._ZlibDecompressor")]
impl ZlibDecompressor {
    #[new("(wbits=15, zdict=b'')")]
    fn new(_cls: &Type, wbits: Option<i32>, zdict: Option<&Object>, vm: &Vm) -> PyResult {
        let stream = open(wbits.unwrap_or(MAX_WBITS), zdict, vm)?;
        let made = ZlibDecompressor {
            ob: Object::new(Self::type_object()),
            stream: RefCell::new(stream),
            zdict: zdict.map(Object::to_ref),
            waiting: RefCell::default(),
            unused_data: RefCell::default(),
            eof: Cell::new(false),
            needs_input: Cell::new(true),
        };
        Ok(vm.new_object(made).into_object())
    }

    /// True if the end-of-stream marker has been reached.
    #[getter]
    fn eof(&self) -> bool {
        self.eof.get()
    }

    /// Data found after the end of the compressed stream.
    #[getter]
    fn unused_data(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.unused_data.borrow())
    }

    /// True if more input is needed before more decompressed data can be produced.
    #[getter]
    fn needs_input(&self) -> bool {
        self.needs_input.get()
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
        if self.eof.get() {
            return Err(vm.eof_error("End of stream already reached"));
        }
        let limit = usize::try_from(max_length.unwrap_or(-1)).unwrap_or(usize::MAX);
        let mut waiting = self.waiting.take();
        let mut input = if waiting.is_empty() {
            data.as_bytes()
        } else {
            waiting.extend_from_slice(data.as_bytes());
            &waiting
        };
        let mut stream = lock(&self.stream, vm)?;
        let (out, code) = inflate(&mut stream, &mut input, SYNC_FLUSH, limit, self.zdict.as_deref(), vm)?;
        match code {
            STREAM_END => {
                self.eof.set(true);
                self.needs_input.set(false);
                *self.unused_data.borrow_mut() = input.to_vec();
            }
            OK | BUF_ERROR => {
                self.needs_input.set(input.is_empty());
                let rest = input.to_vec();
                self.waiting.replace(rest);
            }
            code => return Err(stream.error(code, "while decompressing data", vm)),
        }
        Ok(vm.new_bytes(&out))
    }
}
