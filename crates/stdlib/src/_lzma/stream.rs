//! The library's stream with its life tied to a Rust value, and its errors.

use std::mem::MaybeUninit;

use liblzma_sys as xz;
use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use super::filters::Chain;
use crate::streams::{NoMemory, Step};

/// `LZMAError`.
pub static ERROR: DeclaredException = DeclaredException { name: "_lzma.LZMAError", base: types::exception };

/// The check of data that has told none yet.
pub const CHECK_UNKNOWN: u32 = 16;

/// A result code of the library that is no success.
pub struct Code(xz::lzma_ret);

impl From<NoMemory> for Code {
    fn from(_: NoMemory) -> Code {
        Code(xz::LZMA_MEM_ERROR)
    }
}

impl Code {
    /// The code, unless it says that all went well.
    pub fn check(code: xz::lzma_ret) -> Result<(), Code> {
        match code {
            xz::LZMA_OK | xz::LZMA_GET_CHECK | xz::LZMA_NO_CHECK | xz::LZMA_STREAM_END => Ok(()),
            code => Err(Code(code)),
        }
    }

    /// Raises the exception of the code.
    #[cold]
    pub fn raise(&self, vm: &Vm) -> Raised {
        let text = match self.0 {
            xz::LZMA_MEM_ERROR => return vm.memory_error(),
            xz::LZMA_UNSUPPORTED_CHECK => "Unsupported integrity check",
            xz::LZMA_MEMLIMIT_ERROR => "Memory usage limit exceeded",
            xz::LZMA_FORMAT_ERROR => "Input format not supported by decoder",
            xz::LZMA_OPTIONS_ERROR => "Invalid or unsupported options",
            xz::LZMA_DATA_ERROR => "Corrupt input data",
            xz::LZMA_BUF_ERROR => "Insufficient buffer space",
            xz::LZMA_PROG_ERROR => "Internal error",
            code => return ERROR.raise(format!("Unrecognized error from liblzma: {code}"), vm),
        };
        ERROR.raise(text, vm)
    }
}

/// A stream; boxed, since the library keeps its address.
pub struct Stream {
    raw: Box<xz::lzma_stream>,
    /// The integrity check of the data, as far as it is known.
    pub check: u32,
}

// SAFETY: the library's state belongs to the stream alone and is bound to no thread.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised, or as fresh as the library wants one.
        unsafe { xz::lzma_end(&raw mut *self.raw) }
    }
}

/// What a stream does.
pub enum Kind<'a> {
    /// Compress to xz with a preset and a check.
    Easy(u32, u32),
    /// Compress to xz with filters and a check.
    Filtered(&'a Chain, u32),
    /// Compress to `.lzma`.
    AloneEncoder(&'a Chain),
    /// Compress without container.
    RawEncoder(&'a Chain),
    /// Decompress xz or `.lzma` with so much memory.
    Auto(u64),
    /// Decompress xz.
    Xz(u64),
    /// Decompress `.lzma`.
    AloneDecoder(u64),
    /// Decompress what has no container.
    RawDecoder(&'a Chain),
}

impl Stream {
    /// An initialised stream.
    pub fn open(kind: Kind<'_>) -> Result<Stream, Code> {
        const FLAGS: u32 = xz::LZMA_TELL_ANY_CHECK | xz::LZMA_TELL_NO_CHECK;
        // SAFETY: zero is the library's way to say "not yet used, default allocator".
        let raw: Box<xz::lzma_stream> = Box::new(unsafe { std::mem::zeroed() });
        let mut stream = Stream { raw, check: CHECK_UNKNOWN };
        let raw = &raw mut *stream.raw;
        // SAFETY: the stream is fresh; a chain ends with its terminator and outlives the call, which copies it.
        let code = unsafe {
            match kind {
                Kind::Easy(preset, check) => xz::lzma_easy_encoder(raw, preset, check),
                Kind::Filtered(chain, check) => xz::lzma_stream_encoder(raw, chain.as_ptr(), check),
                Kind::AloneEncoder(chain) => match chain.lzma1_options() {
                    Some(options) => xz::lzma_alone_encoder(raw, options),
                    None => xz::LZMA_PROG_ERROR,
                },
                Kind::RawEncoder(chain) => xz::lzma_raw_encoder(raw, chain.as_ptr()),
                Kind::Auto(limit) => xz::lzma_auto_decoder(raw, limit, FLAGS),
                Kind::Xz(limit) => xz::lzma_stream_decoder(raw, limit, FLAGS),
                Kind::AloneDecoder(limit) => {
                    stream.check = 0;
                    xz::lzma_alone_decoder(raw, limit)
                }
                Kind::RawDecoder(chain) => {
                    stream.check = 0;
                    xz::lzma_raw_decoder(raw, chain.as_ptr())
                }
            }
        };
        Code::check(code).map(|()| stream)
    }

    /// One call of the library; `finish` says that no more input comes.
    pub fn step(
        &mut self,
        finish: bool,
        input: &mut &[u8],
        room: &mut [MaybeUninit<u8>],
    ) -> Result<Step, Code> {
        self.raw.next_in = input.as_ptr();
        self.raw.avail_in = input.len();
        self.raw.next_out = room.as_mut_ptr().cast();
        self.raw.avail_out = room.len();
        let action = if finish { xz::lzma_action_LZMA_FINISH } else { xz::lzma_action_LZMA_RUN };
        let code = loop {
            // SAFETY: input and room are as long as told and live over the call.
            let code = unsafe { xz::lzma_code(&raw mut *self.raw, action) };
            if !matches!(code, xz::LZMA_GET_CHECK | xz::LZMA_NO_CHECK) {
                break code;
            }
            // SAFETY: the stream has just told that its check is known.
            self.check = unsafe { xz::lzma_get_check(&raw const *self.raw) };
        };
        let (unread, left) = (self.raw.avail_in, self.raw.avail_out);
        self.raw.next_in = std::ptr::null();
        self.raw.next_out = std::ptr::null_mut();
        *input = input.get(input.len() - unread..).unwrap_or_default();
        // Nothing to do is no error when there was no room, or no input.
        let idle = code == xz::LZMA_BUF_ERROR && (room.is_empty() || (input.is_empty() && left > 0));
        if !idle {
            Code::check(code)?;
        }
        Ok(Step { written: room.len() - left, filled: left == 0, ended: code == xz::LZMA_STREAM_END })
    }
}
