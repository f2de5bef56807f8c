//! OpenSSL as `_hashlib` and `_ssl` share it: the declarations, its error queue, its strings.

use std::ffi::{CStr, c_char, c_int, c_ulong};
use std::sync::Once;

pub mod ffi;

/// Makes the library ready. Cheap after the first time; every module calls it before anything else.
pub fn init() {
    static READY: Once = Once::new();
    READY.call_once(openssl_sys::init);
}

/// An entry of OpenSSL's error queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode(pub c_ulong);

/// Set in the codes of errors that the system reported; the rest is `errno`.
const SYSTEM_FLAG: c_ulong = 0x8000_0000;

impl ErrorCode {
    /// The newest error of this thread, which stays in the queue.
    pub fn newest() -> Option<ErrorCode> {
        // SAFETY: a plain call.
        match unsafe { ffi::ERR_peek_last_error() } {
            0 => None,
            code => Some(ErrorCode(code)),
        }
    }

    /// Empties this thread's queue.
    pub fn forget_all() {
        // SAFETY: a plain call.
        unsafe { ffi::ERR_clear_error() };
    }

    /// The number of the part of OpenSSL that raised it.
    pub fn library(self) -> c_int {
        if self.0 & SYSTEM_FLAG != 0 { ffi::ERR_LIB_SYS } else { ((self.0 >> 23) & 0xff) as c_int }
    }

    /// The reason's number within the library.
    pub fn reason(self) -> c_int {
        if self.0 & SYSTEM_FLAG != 0 {
            (self.0 & (SYSTEM_FLAG - 1)) as c_int
        } else {
            (self.0 & 0x7f_ffff) as c_int
        }
    }

    /// OpenSSL's name of the library: "SSL routines".
    pub fn library_text(self) -> Option<String> {
        // SAFETY: the texts are static.
        unsafe { text(ffi::ERR_lib_error_string(self.0)) }
    }

    /// OpenSSL's text of the reason: "certificate verify failed".
    pub fn reason_text(self) -> Option<String> {
        // SAFETY: the texts are static.
        unsafe { text(ffi::ERR_reason_error_string(self.0)) }
    }
}

/// A C text as Rust has it; `None` for null.
///
/// # Safety
/// The pointer is null or points to a NUL-terminated text.
pub unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

/// Declares a type that owns one pointer of OpenSSL's and gives it back on drop.
macro_rules! owned {
    ($(#[$doc:meta])* $name:ident($target:ty), $free:path) => {
        $(#[$doc])*
        pub struct $name(*mut $target);

        impl $name {
            /// Takes the ownership of a pointer; `None` for null.
            ///
            /// # Safety
            /// The pointer is null or one that nobody else frees.
            pub unsafe fn from_raw(pointer: *mut $target) -> Option<Self> {
                if pointer.is_null() { None } else { Some($name(pointer)) }
            }

            /// The pointer, still owned.
            #[inline]
            pub fn as_ptr(&self) -> *mut $target {
                self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the pointer is ours and not used any more.
                unsafe { $free(self.0) };
            }
        }
    };
}
pub(crate) use owned;

unsafe fn free_bio(bio: *mut ffi::BIO) {
    // SAFETY: the caller gives its own one.
    unsafe { ffi::BIO_free_all(bio) }
}

owned!(
    /// An I/O object of OpenSSL's.
    Bio(ffi::BIO),
    free_bio
);

impl Bio {
    /// Memory that grows with what is written to it.
    pub fn memory() -> Option<Bio> {
        // SAFETY: the result is owned.
        unsafe { Bio::from_raw(ffi::BIO_new(ffi::BIO_s_mem())) }
    }

    /// What was written to a memory object and not read yet.
    pub fn contents(&self) -> Vec<u8> {
        let mut place: *mut c_char = std::ptr::null_mut();
        // SAFETY: the object is one of memory; its bytes are copied before anything else touches it.
        unsafe {
            let length = ffi::BIO_get_mem_data(self.0, &raw mut place);
            match usize::try_from(length) {
                Ok(length) if length > 0 && !place.is_null() => {
                    std::slice::from_raw_parts(place.cast::<u8>(), length).to_vec()
                }
                _ => Vec::new(),
            }
        }
    }
}
