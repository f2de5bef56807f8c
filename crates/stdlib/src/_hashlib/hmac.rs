//! `_hashlib.HMAC`: keyed hashes (RFC 2104) by OpenSSL.

use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taipan_vm::prelude::*;

use super::names::{self, Algorithm, UNSUPPORTED, openssl_error};
use crate::digests::{self, GIL_MINSIZE};
use crate::openssl::{ffi, owned};

owned!(
    /// A keyed hash in progress.
    Context(ffi::HMAC_CTX),
    ffi::HMAC_CTX_free
);

// SAFETY: a context may be used by any thread, by one at a time.
unsafe impl Send for Context {}

impl Context {
    fn copy(&self, vm: &Vm) -> PyResult<Context> {
        // SAFETY: the new context is owned; both are live.
        unsafe {
            let Some(copy) = Context::from_raw(ffi::HMAC_CTX_new()) else { return Err(vm.memory_error()) };
            if ffi::HMAC_CTX_copy(copy.as_ptr(), self.as_ptr()) == 0 {
                return Err(openssl_error(types::value_error(), vm));
            }
            Ok(copy)
        }
    }

    fn algorithm(&self) -> *const ffi::EVP_MD {
        // SAFETY: the context is live.
        unsafe { ffi::HMAC_CTX_get_md(self.as_ptr()) }
    }
}

/// The layout of `_hashlib.HMAC`.
#[repr(C)]
pub struct Hmac {
    ob: Object,
    /// Locked only without the interpreter's lock, or for moments in which nothing waits.
    context: Mutex<Context>,
}

impl Hmac {
    fn lock(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn function_name(&self, vm: &Vm) -> PyResult<String> {
        names::python_name(self.lock().algorithm()).ok_or_else(|| vm.value_error("hash function has no name"))
    }

    fn update_bytes(&self, bytes: &[u8], vm: &Vm) -> PyResult<()> {
        let update = || {
            let context = self.lock();
            // SAFETY: the bytes have that length; the context is locked.
            unsafe { ffi::HMAC_Update(context.as_ptr(), bytes.as_ptr(), bytes.len()) }
        };
        let done = if bytes.len() >= GIL_MINSIZE as usize { vm.allow_threads(update) } else { update() };
        if done == 0 { Err(openssl_error(types::value_error(), vm)) } else { Ok(()) }
    }

    fn finish(&self, vm: &Vm) -> PyResult<Vec<u8>> {
        let copy = self.lock().copy(vm)?;
        let mut digest = vec![0u8; ffi::EVP_MAX_MD_SIZE as usize];
        let mut length = 0;
        // SAFETY: the buffer has room for every digest.
        if unsafe { ffi::HMAC_Final(copy.as_ptr(), digest.as_mut_ptr(), &raw mut length) } == 0 {
            return Err(openssl_error(types::value_error(), vm));
        }
        digest.truncate(length as usize);
        Ok(digest)
    }
}

/// The object used to calculate HMAC of a message.
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
/// name -- the name, including the hash algorithm used by this object
/// digest_size -- number of bytes in digest() output
#[pytype(name = "_hashlib.HMAC", no_new)]
impl Hmac {
    /// Return a copy ("clone") of the HMAC object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        let context = Mutex::new(self.lock().copy(vm)?);
        Ok(vm.new_object(Hmac { ob: Object::new(Self::type_object()), context }).into_object())
    }

    /// Update the HMAC object with msg.
    #[method("($self, /, msg)")]
    fn update(&self, msg: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(msg, vm)?;
        self.update_bytes(data.as_bytes(), vm)
    }

    /// Return the digest of the bytes passed to the update() method so far.
    #[method("($self, /)")]
    fn digest(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&self.finish(vm)?))
    }

    /// Return hexadecimal digest of the bytes passed to the update() method so far.
    ///
    /// This may be used to exchange the value safely in email or other
    /// non-binary environments.
    #[method("($self, /)")]
    fn hexdigest(&self, vm: &Vm) -> PyResult<String> {
        Ok(digests::hex(&self.finish(vm)?))
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
        Ok(format!("hmac-{}", self.function_name(vm)?))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let address = std::ptr::from_ref(self) as usize;
        Ok(format!("<{} HMAC object @ {address:#x}>", self.function_name(vm)?))
    }
}

/// The function that a `digestmod` means: a name, or one of this module's constructors.
pub fn algorithm_of(digestmod: &Object, constructors: Option<&Dict>, vm: &Vm) -> PyResult<Algorithm> {
    if let Some(name) = digestmod.downcast_ref::<Str>() {
        return names::fetch(name.to_utf8(vm)?, vm);
    }
    let named = match constructors {
        Some(constructors) => constructors.get_item(digestmod, vm)?,
        None => None,
    };
    match named.as_deref().and_then(Object::downcast_ref::<Str>) {
        Some(name) => names::fetch(name.to_utf8(vm)?, vm),
        None => {
            let shown = digestmod.repr(vm)?;
            Err(UNSUPPORTED.raise(format!("Unsupported digestmod {}", shown.to_string_lossy()), vm))
        }
    }
}

fn key_length(key: &[u8], vm: &Vm) -> PyResult<c_int> {
    c_int::try_from(key.len()).map_err(|_| vm.overflow_error("key is too long."))
}

/// `hmac_new`.
pub fn start(algorithm: &Algorithm, key: &[u8], msg: Option<&Object>, vm: &Vm) -> PyResult {
    let length = key_length(key, vm)?;
    // SAFETY: the new context is owned; key and function are live.
    let context = unsafe {
        let Some(context) = Context::from_raw(ffi::HMAC_CTX_new()) else { return Err(vm.memory_error()) };
        let (key, none) = (key.as_ptr().cast(), std::ptr::null_mut());
        if ffi::HMAC_Init_ex(context.as_ptr(), key, length, algorithm.as_ptr(), none) == 0 {
            return Err(openssl_error(types::value_error(), vm));
        }
        Mutex::new(context)
    };
    let made = Hmac { ob: Object::new(Hmac::type_object()), context };
    if let Some(msg) = msg {
        made.update_bytes(digests::data_of(msg, vm)?.as_bytes(), vm)?;
    }
    Ok(vm.new_object(made).into_object())
}

/// `hmac_digest`.
pub fn one_shot(algorithm: &Algorithm, key: &[u8], msg: &[u8], vm: &Vm) -> PyResult<Ref<Bytes>> {
    let length = key_length(key, vm)?;
    if c_int::try_from(msg.len()).is_err() {
        return Err(vm.overflow_error("msg is too long."));
    }
    let mut digest = [0u8; ffi::EVP_MAX_MD_SIZE as usize];
    let mut size = 0;
    let place: *mut u8 = digest.as_mut_ptr();
    let (function, size_place) = (algorithm.as_ptr(), &raw mut size);
    // SAFETY: key, message and digest have their lengths.
    let result = vm.allow_threads(|| unsafe {
        ffi::HMAC(function, key.as_ptr().cast(), length, msg.as_ptr(), msg.len(), place, size_place)
    });
    if result.is_null() {
        return Err(openssl_error(types::value_error(), vm));
    }
    Ok(vm.new_bytes(digest.get(..size as usize).unwrap_or_default()))
}
