//! The library's stream with its life tied to a Rust value.

use std::mem::MaybeUninit;

use libbz2_rs_sys as bz;
use taipan_vm::prelude::*;

use crate::streams::{NoMemory, Step};

/// Compress more.
pub const RUN: i32 = 0;
/// Compress the rest.
pub const FINISH: i32 = 2;
const STREAM_END: i32 = 4;
const SEQUENCE_ERROR: i32 = -1;
const PARAM_ERROR: i32 = -2;
const MEM_ERROR: i32 = -3;
const DATA_ERROR: i32 = -4;
const DATA_ERROR_MAGIC: i32 = -5;
const IO_ERROR: i32 = -6;
const UNEXPECTED_EOF: i32 = -7;

/// A result code of the library that is no success.
pub struct Code(i32);

impl From<NoMemory> for Code {
    fn from(_: NoMemory) -> Code {
        Code(MEM_ERROR)
    }
}

impl Code {
    /// Raises the exception of the code.
    #[cold]
    pub fn raise(&self, vm: &Vm) -> Raised {
        match self.0 {
            PARAM_ERROR => vm.value_error("Internal error - invalid parameters passed to libbzip2"),
            MEM_ERROR => vm.memory_error(),
            DATA_ERROR | DATA_ERROR_MAGIC => vm.raise(types::os_error(), "Invalid data stream"),
            IO_ERROR => vm.raise(types::os_error(), "Unknown I/O error"),
            UNEXPECTED_EOF => {
                vm.eof_error("Compressed file ended before the logical end-of-stream was detected")
            }
            SEQUENCE_ERROR => {
                vm.runtime_error("Internal error - Invalid sequence of commands sent to libbzip2")
            }
            code => vm.raise(types::os_error(), format!("Unrecognized error from libbzip2: {code}")),
        }
    }
}

/// A stream; boxed, since the library keeps its address.
pub struct Stream {
    raw: Box<bz::bz_stream>,
    compresses: bool,
}

// SAFETY: the library's state belongs to the stream alone and is bound to no thread.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised for this direction and is ended once.
        unsafe {
            if self.compresses {
                bz::BZ2_bzCompressEnd(&raw mut *self.raw)
            } else {
                bz::BZ2_bzDecompressEnd(&raw mut *self.raw)
            };
        }
    }
}

impl Stream {
    /// A stream that compresses with blocks of `level` times 100,000 bytes.
    pub fn compressor(level: i32) -> Result<Stream, Code> {
        let mut raw = fresh();
        // SAFETY: the stream is fresh.
        match unsafe { bz::BZ2_bzCompressInit(&raw mut *raw, level, 0, 0) } {
            0 => Ok(Stream { raw, compresses: true }),
            code => Err(Code(code)),
        }
    }

    /// A stream that decompresses.
    pub fn decompressor() -> Result<Stream, Code> {
        let mut raw = fresh();
        // SAFETY: the stream is fresh.
        match unsafe { bz::BZ2_bzDecompressInit(&raw mut *raw, 0, 0) } {
            0 => Ok(Stream { raw, compresses: false }),
            code => Err(Code(code)),
        }
    }

    /// One call of the library. `action` matters for compression.
    pub fn step(
        &mut self,
        action: i32,
        input: &mut &[u8],
        room: &mut [MaybeUninit<u8>],
    ) -> Result<Step, Code> {
        let given = input.len().min(u32::MAX as usize);
        let size = room.len().min(u32::MAX as usize);
        // What is more than one call can take is not the end yet.
        let action = if given < input.len() { RUN } else { action };
        self.raw.next_in = input.as_ptr().cast();
        self.raw.avail_in = given as u32;
        self.raw.next_out = room.as_mut_ptr().cast();
        self.raw.avail_out = size as u32;
        // SAFETY: input and room are as long as told and live over the call.
        let code = unsafe {
            if self.compresses {
                bz::BZ2_bzCompress(&raw mut *self.raw, action)
            } else {
                bz::BZ2_bzDecompress(&raw mut *self.raw)
            }
        };
        let used = given - self.raw.avail_in as usize;
        let left = self.raw.avail_out as usize;
        self.raw.next_in = std::ptr::null();
        self.raw.next_out = std::ptr::null_mut();
        *input = input.get(used..).unwrap_or_default();
        if code < 0 {
            return Err(Code(code));
        }
        Ok(Step { written: size - left, filled: left == 0, ended: code == STREAM_END })
    }
}

fn fresh() -> Box<bz::bz_stream> {
    // SAFETY: zero is the library's way to say "not yet used, default allocator".
    Box::new(unsafe { std::mem::zeroed() })
}
