//! `compressobj()`'s objects.

use std::cell::RefCell;

use taipan_vm::prelude::*;

use super::FINISH;
use super::stream::{BUF_ERROR, OK, STREAM_END, STREAM_ERROR, Stream, lock, raise};

/// The layout of `zlib.Compress`.
#[repr(C)]
pub struct Compress {
    ob: Object,
    /// Gone once the data was finished.
    stream: RefCell<Option<Stream>>,
}

impl Compress {
    /// An object around a stream.
    pub fn make(stream: Option<Stream>, vm: &Vm) -> ObjRef {
        let stream = RefCell::new(stream);
        vm.new_object(Compress { ob: Object::new(Self::type_object()), stream }).into_object()
    }

    fn duplicate(&self, vm: &Vm) -> PyResult {
        let mut stream = lock(&self.stream, vm)?;
        let Some(own) = stream.as_mut() else {
            return Err(vm.value_error("Inconsistent stream state"));
        };
        match own.duplicate() {
            Ok(copy) => Ok(Compress::make(Some(copy), vm)),
            Err(STREAM_ERROR) => Err(vm.value_error("Inconsistent stream state")),
            Err(code) => Err(raise(code, "while copying compression object", None, vm)),
        }
    }
}

#[pytype(name = "zlib.Compress", no_new)]
impl Compress {
    /// Returns a bytes object containing compressed data.
    ///
    ///   data
    ///     Binary data to be compressed.
    ///
    /// After calling this function, some of the input data may still
    /// be stored in internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[method("($self, data, /)")]
    fn compress(&self, data: BufferArg, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mut stream = lock(&self.stream, vm)?;
        let Some(stream) = stream.as_mut() else {
            return Err(raise(STREAM_ERROR, "while compressing data", None, vm));
        };
        let mut out = Vec::new();
        match stream.run(&mut data.as_bytes(), 0, &mut out, usize::MAX) {
            OK | BUF_ERROR => Ok(vm.new_bytes(&out)),
            code => Err(stream.error(code, "while compressing data", vm)),
        }
    }

    /// Return a bytes object containing any remaining compressed data.
    ///
    ///   mode
    ///     One of the constants Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH.
    ///     If mode == Z_FINISH, the compressor object can no longer be
    ///     used after calling the flush() method.  Otherwise, more data
    ///     can still be compressed.
    #[method("($self, mode=zlib.Z_FINISH, /)")]
    fn flush(&self, mode: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let mode = mode.unwrap_or(FINISH);
        if mode == 0 {
            return Ok(vm.new_bytes(b""));
        }
        let mut place = lock(&self.stream, vm)?;
        let Some(stream) = place.as_mut() else {
            return Err(raise(STREAM_ERROR, "while flushing", None, vm));
        };
        let mut out = Vec::new();
        match stream.run(&mut &[][..], mode, &mut out, usize::MAX) {
            STREAM_END if mode == FINISH => *place = None,
            OK | BUF_ERROR | STREAM_END => {}
            code => return Err(stream.error(code, "while flushing", vm)),
        }
        Ok(vm.new_bytes(&out))
    }

    /// Return a copy of the compression object.
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
