//! `ssl.MemoryBIO`: a buffer between a TLS connection and whatever carries its bytes.

use std::cell::Cell;
use std::ffi::{c_int, c_long};

use taipan_vm::prelude::*;

use super::error;
use crate::openssl::{self, Bio, ffi};

/// `BIO_C_SET_BUF_MEM_EOF_RETURN`: what reading gives when there is nothing.
const SET_EOF_RETURN: c_int = 130;
const CTRL_PENDING: c_int = 10;

/// The layout of `_ssl.MemoryBIO`.
#[repr(C)]
pub struct MemoryBio {
    ob: Object,
    bio: Bio,
    eof_written: Cell<bool>,
}

impl MemoryBio {
    fn on_empty(&self, result: c_long) {
        // SAFETY: the object is live.
        unsafe { ffi::BIO_ctrl(self.bio.as_ptr(), SET_EOF_RETURN, result, std::ptr::null_mut()) };
    }

    fn waiting(&self) -> usize {
        // SAFETY: the object is live.
        let count = unsafe { ffi::BIO_ctrl(self.bio.as_ptr(), CTRL_PENDING, 0, std::ptr::null_mut()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// One more reference to OpenSSL's object, for a connection.
    pub fn share(&self) -> *mut ffi::BIO {
        // SAFETY: the object is live.
        unsafe { ffi::BIO_up_ref(self.bio.as_ptr()) };
        self.bio.as_ptr()
    }
}

#[pytype(name = "_ssl.MemoryBIO")]
impl MemoryBio {
    #[new("()")]
    fn new(cls: &Type, vm: &Vm) -> PyResult {
        openssl::init();
        let Some(bio) = Bio::memory() else { return Err(error::bare("failed to allocate BIO", vm)) };
        let made = MemoryBio { ob: Object::new(Self::type_object()), bio, eof_written: Cell::new(false) };
        // Nothing to read is no end, until `write_eof` says so.
        made.on_empty(-1);
        vm.new_instance(cls, made)
    }

    /// The number of bytes pending in the memory BIO.
    #[getter]
    fn pending(&self) -> usize {
        self.waiting()
    }

    /// Whether the memory BIO is at EOF.
    #[getter]
    fn eof(&self) -> bool {
        self.eof_written.get() && self.waiting() == 0
    }

    /// Read up to size bytes from the memory BIO.
    ///
    /// If size is not specified, read the entire buffer.
    /// If the return value is an empty bytes instance, this means either
    /// EOF or that no data is available. Use the "eof" property to
    /// distinguish between the two.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let available = self.waiting().min(i32::MAX as usize);
        let size = usize::try_from(size.unwrap_or(-1)).map_or(available, |size| size.min(available));
        let mut bytes = vec![0u8; size];
        if size == 0 {
            return Ok(vm.new_bytes(&bytes));
        }
        // SAFETY: the buffer has that length, which a C int can tell.
        let got = unsafe { ffi::BIO_read(self.bio.as_ptr(), bytes.as_mut_ptr().cast(), size as c_int) };
        match usize::try_from(got) {
            Ok(got) => {
                bytes.truncate(got);
                Ok(vm.new_bytes(&bytes))
            }
            Err(_) => Err(error::newest(line!(), vm)),
        }
    }

    /// Writes the bytes b into the memory BIO.
    ///
    /// Returns the number of bytes written.
    #[method("($self, b, /)")]
    fn write(&self, b: BufferArg, vm: &Vm) -> PyResult<i32> {
        let bytes = b.as_bytes();
        let Ok(length) = c_int::try_from(bytes.len()) else {
            return Err(vm.overflow_error(format!("string longer than {} bytes", i32::MAX)));
        };
        if self.eof_written.get() {
            return Err(error::bare("cannot write() after write_eof()", vm));
        }
        if length == 0 {
            return Ok(0);
        }
        // SAFETY: the bytes have that length.
        let written = unsafe { ffi::BIO_write(self.bio.as_ptr(), bytes.as_ptr().cast(), length) };
        if written < 0 { Err(error::newest(line!(), vm)) } else { Ok(written) }
    }

    /// Write an EOF marker to the memory BIO.
    ///
    /// When all data has been read, the "eof" property will be True.
    #[method("($self, /)")]
    fn write_eof(&self) {
        self.eof_written.set(true);
        // SAFETY: the object is live.
        unsafe { ffi::BIO_clear_retry_flags(self.bio.as_ptr()) };
        self.on_empty(0);
    }
}
