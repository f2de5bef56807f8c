//! One direction of compression: the library's stream with its life tied to a Rust value.

use std::cell::{RefCell, RefMut};
use std::ffi::CStr;

use libz_rs_sys as z;
use taipan_vm::prelude::*;

use super::ERROR;

/// The library's result codes that matter here.
pub const OK: i32 = 0;
/// The end of the data was reached.
pub const STREAM_END: i32 = 1;
/// A dictionary is asked for.
pub const NEED_DICT: i32 = 2;
/// The state doesn't allow the operation.
pub const STREAM_ERROR: i32 = -2;
/// The data is damaged.
pub const DATA_ERROR: i32 = -3;
/// No memory.
pub const MEM_ERROR: i32 = -4;
/// Neither input nor room for output.
pub const BUF_ERROR: i32 = -5;

/// Where output goes while no call runs: nothing is written there, but the library refuses to copy a stream with a null
/// pointer.
const NOWHERE: *mut u8 = std::ptr::NonNull::dangling().as_ptr();

/// A stream; boxed, since the library may keep its address.
pub struct Stream {
    raw: Box<z::z_stream>,
    deflates: bool,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised for this direction and is ended once.
        unsafe {
            if self.deflates {
                z::deflateEnd(&raw mut *self.raw)
            } else {
                z::inflateEnd(&raw mut *self.raw)
            };
        }
    }
}

/// Parameters of compression.
pub struct Settings {
    /// 0 to 9, or -1.
    pub level: i32,
    /// 8, deflate.
    pub method: i32,
    /// Size of the window as an exponent; the header's kind.
    pub window_bits: i32,
    /// 1 to 9.
    pub memory_level: i32,
    /// 0 to 4.
    pub strategy: i32,
}

impl Stream {
    /// A stream that compresses, or the library's code.
    pub fn deflater(settings: &Settings) -> Result<Stream, i32> {
        let mut raw = Box::new(z::z_stream::default());
        // SAFETY: the stream is fresh, the version and size are the library's own.
        let code = unsafe {
            z::deflateInit2_(
                &raw mut *raw,
                settings.level,
                settings.method,
                settings.window_bits,
                settings.memory_level,
                settings.strategy,
                z::zlibVersion(),
                size_of::<z::z_stream>() as i32,
            )
        };
        raw.next_out = NOWHERE;
        if code == OK { Ok(Stream { raw, deflates: true }) } else { Err(code) }
    }

    /// A stream that decompresses, or the library's code.
    pub fn inflater(window_bits: i32) -> Result<Stream, i32> {
        let mut raw = Box::new(z::z_stream::default());
        // SAFETY: as above.
        let code = unsafe {
            z::inflateInit2_(&raw mut *raw, window_bits, z::zlibVersion(), size_of::<z::z_stream>() as i32)
        };
        raw.next_out = NOWHERE;
        if code == OK { Ok(Stream { raw, deflates: false }) } else { Err(code) }
    }

    /// A copy in the same state.
    pub fn duplicate(&mut self) -> Result<Stream, i32> {
        let mut raw = Box::new(z::z_stream::default());
        // SAFETY: the source is initialised, the target is written whole.
        let code = unsafe {
            if self.deflates {
                z::deflateCopy(&raw mut *raw, &raw mut *self.raw)
            } else {
                z::inflateCopy(&raw mut *raw, &raw const *self.raw)
            }
        };
        if code == OK { Ok(Stream { raw, deflates: self.deflates }) } else { Err(code) }
    }

    /// Sets the dictionary; the library's code.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> i32 {
        let length = u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
        // SAFETY: the stream is initialised, the dictionary as long as told.
        unsafe {
            if self.deflates {
                z::deflateSetDictionary(&raw mut *self.raw, dictionary.as_ptr(), length)
            } else {
                z::inflateSetDictionary(&raw mut *self.raw, dictionary.as_ptr(), length)
            }
        }
    }

    /// Runs until the input is used up, the data ends, an error comes, or `out` has `limit` bytes. Takes what is used off
    /// `input` and gives the library's last code.
    pub fn run(&mut self, input: &mut &[u8], flush: i32, out: &mut Vec<u8>, limit: usize) -> i32 {
        const FIRST_ROOM: usize = 16 * 1024;
        loop {
            let room = limit.saturating_sub(out.len()).min(FIRST_ROOM.max(out.len())).min(u32::MAX as usize);
            if room > 0 && out.try_reserve(room).is_err() {
                return MEM_ERROR;
            }
            let given = input.len().min(u32::MAX as usize);
            let spare = out.spare_capacity_mut();
            let place = spare.as_mut_ptr();
            let room = spare.len().min(room);
            self.raw.next_in = input.as_ptr();
            self.raw.avail_in = given as u32;
            self.raw.next_out = place.cast();
            self.raw.avail_out = room as u32;
            // What is more than one round can take is not the end yet.
            let flush = if given < input.len() { 0 } else { flush };
            // SAFETY: input and output are as long as told and live over the call.
            let code = unsafe {
                if self.deflates {
                    z::deflate(&raw mut *self.raw, flush)
                } else {
                    z::inflate(&raw mut *self.raw, flush)
                }
            };
            let written = room - self.raw.avail_out as usize;
            let used = given - self.raw.avail_in as usize;
            self.raw.next_in = std::ptr::null();
            self.raw.next_out = NOWHERE;
            // SAFETY: the library wrote that many bytes behind the length.
            unsafe { out.set_len(out.len() + written) };
            *input = input.get(used..).unwrap_or_default();
            let more = self.raw.avail_out == 0 && out.len() < limit;
            if !matches!(code, OK | BUF_ERROR) || (!more && (input.is_empty() || out.len() >= limit)) {
                return code;
            }
            if written == 0 && used == 0 {
                return code;
            }
        }
    }

    /// Raises `zlib.error` as the library explains it.
    #[cold]
    pub fn error(&self, code: i32, doing: &str, vm: &Vm) -> Raised {
        let told = if self.raw.msg.is_null() {
            None
        } else {
            // SAFETY: the library's messages are NUL-terminated.
            Some(unsafe { CStr::from_ptr(self.raw.msg) }.to_string_lossy().into_owned())
        };
        raise(code, doing, told.as_deref(), vm)
    }
}

/// Raises `zlib.error` for a code.
#[cold]
pub fn raise(code: i32, doing: &str, told: Option<&str>, vm: &Vm) -> Raised {
    let told = told.or(match code {
        BUF_ERROR => Some("incomplete or truncated stream"),
        STREAM_ERROR => Some("inconsistent stream state"),
        DATA_ERROR => Some("invalid input data"),
        _ => None,
    });
    match told {
        Some(told) => ERROR.raise(format!("Error {code} {doing}: {told}"), vm),
        None => ERROR.raise(format!("Error {code} {doing}"), vm),
    }
}

/// A stream for one operation. An object whose `__buffer__` comes back to the stream that asked for it is refused.
pub fn lock<'a, T>(cell: &'a RefCell<T>, vm: &Vm) -> PyResult<RefMut<'a, T>> {
    cell.try_borrow_mut().map_err(|_| vm.runtime_error("the stream is in use"))
}
