//! `_hashlib.HASH` and `_hashlib.HASHXOF`: OpenSSL's hash functions in progress.

use std::sync::{Mutex, MutexGuard, PoisonError};

use taipan_vm::prelude::*;

use super::names::{self, Algorithm, openssl_error};
use crate::digests::{self, GIL_MINSIZE};
use crate::openssl::{ffi, owned};
use crate::room;

owned!(
    /// A hash in progress.
    Context(ffi::EVP_MD_CTX),
    ffi::EVP_MD_CTX_free
);

// SAFETY: a context may be used by any thread, by one at a time.
unsafe impl Send for Context {}

impl Context {
    fn copy(&self, vm: &Vm) -> PyResult<Context> {
        // SAFETY: the new context is owned; both are live.
        unsafe {
            let Some(copy) = Context::from_raw(ffi::EVP_MD_CTX_new()) else { return Err(vm.memory_error()) };
            if ffi::EVP_MD_CTX_copy_ex(copy.as_ptr(), self.as_ptr()) == 0 {
                return Err(openssl_error(types::value_error(), vm));
            }
            Ok(copy)
        }
    }

    fn algorithm(&self) -> *const ffi::EVP_MD {
        // SAFETY: the context is live.
        unsafe { ffi::EVP_MD_CTX_get0_md(self.as_ptr()) }
    }
}

/// The layout of `_hashlib.HASH`.
#[repr(C)]
pub struct Hash {
    ob: Object,
    /// Locked only without the interpreter's lock, or for moments in which nothing waits.
    context: Mutex<Context>,
}

impl Hash {
    fn lock(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn python_name(&self, vm: &Vm) -> PyResult<String> {
        names::python_name(self.lock().algorithm()).ok_or_else(|| vm.value_error("hash function has no name"))
    }

    fn update_bytes(&self, bytes: &[u8], vm: &Vm) -> PyResult<()> {
        let update = || {
            let context = self.lock();
            // SAFETY: the bytes have that length; the context is locked.
            unsafe { ffi::EVP_DigestUpdate(context.as_ptr(), bytes.as_ptr().cast(), bytes.len()) }
        };
        let done = if bytes.len() >= GIL_MINSIZE as usize { vm.allow_threads(update) } else { update() };
        if done == 0 { Err(openssl_error(types::value_error(), vm)) } else { Ok(()) }
    }

    fn finish(&self, vm: &Vm) -> PyResult<Vec<u8>> {
        let copy = self.lock().copy(vm)?;
        let mut digest = vec![0u8; ffi::EVP_MAX_MD_SIZE as usize];
        let mut length = 0;
        // SAFETY: the buffer has room for every digest.
        if unsafe { ffi::EVP_DigestFinal_ex(copy.as_ptr(), digest.as_mut_ptr(), &raw mut length) } == 0 {
            return Err(openssl_error(types::value_error(), vm));
        }
        digest.truncate(length as usize);
        Ok(digest)
    }
}

/// A hash is an object used to calculate a checksum of a string of information.
///
/// Methods:
///
/// update() -- updates the current digest with an additional string
/// digest() -- return the current digest value
/// hexdigest() -- return the current digest as a string of hexadecimal digits
/// copy() -- return a copy of the current hash object
///
/// Attributes:
///
/// name -- the hash algorithm being used by this object
/// digest_size -- number of bytes in this hashes output
#[pytype(name = "_hashlib.HASH", flags(BASETYPE), no_new)]
impl Hash {
    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        let context = Mutex::new(self.lock().copy(vm)?);
        if self.as_object().downcast_ref::<HashXof>().is_some() {
            let hash = Hash { ob: Object::new(HashXof::type_object()), context };
            return Ok(vm.new_object(HashXof { hash }).into_object());
        }
        Ok(vm.new_object(Hash { ob: Object::new(Hash::type_object()), context }).into_object())
    }

    /// Return the digest value as a bytes object.
    #[method("($self, /)")]
    fn digest(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&self.finish(vm)?))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /)")]
    fn hexdigest(&self, vm: &Vm) -> PyResult<String> {
        Ok(digests::hex(&self.finish(vm)?))
    }

    /// Update this hash object's state with the provided string.
    #[method("($self, obj, /)")]
    fn update(&self, obj: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(obj, vm)?;
        self.update_bytes(data.as_bytes(), vm)
    }

    #[getter]
    fn digest_size(&self) -> i32 {
        // SAFETY: the function lives as long as its context.
        unsafe { ffi::EVP_MD_get_size(self.lock().algorithm()) }
    }

    #[getter]
    fn block_size(&self) -> i32 {
        // SAFETY: the function lives as long as its context.
        unsafe { ffi::EVP_MD_get_block_size(self.lock().algorithm()) }
    }

    #[getter]
    fn name(&self, vm: &Vm) -> PyResult<String> {
        self.python_name(vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let address = std::ptr::from_ref(self) as usize;
        let class = self.as_object().ob_type().tp_name_str();
        Ok(format!("<{} {class} object @ {address:#x}>", self.python_name(vm)?))
    }
}

/// The layout of `_hashlib.HASHXOF`.
#[repr(C)]
pub struct HashXof {
    hash: Hash,
}

impl HashXof {
    fn squeeze(&self, length: usize, vm: &Vm) -> PyResult<Vec<u8>> {
        let mut digest = room::zeroed(length, vm)?;
        let copy = self.hash.lock().copy(vm)?;
        let place: *mut u8 = digest.as_mut_ptr();
        // SAFETY: the buffer has that length; the copy is this call's own.
        let squeeze = || unsafe { ffi::EVP_DigestFinalXOF(copy.as_ptr(), place, length) };
        let done = if length >= GIL_MINSIZE as usize { vm.allow_threads(squeeze) } else { squeeze() };
        if done == 0 { Err(openssl_error(types::value_error(), vm)) } else { Ok(digest) }
    }
}

/// A hash is an object used to calculate a checksum of a string of information.
///
/// Methods:
///
/// update() -- updates the current digest with an additional string
/// digest(length) -- return the current digest value
/// hexdigest(length) -- return the current digest as a string of hexadecimal digits
/// copy() -- return a copy of the current hash object
///
/// Attributes:
///
/// name -- the hash algorithm being used by this object
/// digest_size -- number of bytes in this hashes output
#[pytype(name = "_hashlib.HASHXOF", base = Hash, flags(BASETYPE), no_new)]
impl HashXof {
    /// Return the digest value as a bytes object.
    #[method("($self, /, length)")]
    fn digest(&self, length: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.system_error("Negative size passed to PyBytes_FromStringAndSize"));
        };
        Ok(vm.new_bytes(&self.squeeze(length, vm)?))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /, length)")]
    fn hexdigest(&self, length: isize, vm: &Vm) -> PyResult<String> {
        let Ok(length) = usize::try_from(length) else { return Err(vm.memory_error()) };
        Ok(digests::hex(&self.squeeze(length, vm)?))
    }

    #[getter]
    fn digest_size(&self) -> i32 {
        0
    }
}

/// A new hash of the named function that has taken `data` (or `string`, its old name).
pub fn start(name: &str, data: Option<&Object>, string: Option<&Object>, vm: &Vm) -> PyResult {
    let data = digests::initial_data(data, string, vm)?;
    let algorithm: Algorithm = names::fetch(name, vm)?;
    // SAFETY: the new context is owned; the function is live.
    let (context, is_xof) = unsafe {
        let Some(context) = Context::from_raw(ffi::EVP_MD_CTX_new()) else { return Err(vm.memory_error()) };
        if ffi::EVP_DigestInit_ex(context.as_ptr(), algorithm.as_ptr(), std::ptr::null_mut()) == 0 {
            return Err(openssl_error(types::value_error(), vm));
        }
        const EVP_MD_FLAG_XOF: u64 = 2;
        (Mutex::new(context), ffi::EVP_MD_get_flags(algorithm.as_ptr()) & EVP_MD_FLAG_XOF != 0)
    };
    let tp = if is_xof { HashXof::type_object() } else { Hash::type_object() };
    let hash = Hash { ob: Object::new(tp), context };
    if let Some(data) = data {
        hash.update_bytes(data.as_bytes(), vm)?;
    }
    Ok(if is_xof { vm.new_object(HashXof { hash }).into_object() } else { vm.new_object(hash).into_object() })
}
