//! Hash functions' names: Python's are OpenSSL's, some respelt.

use std::ffi::{CStr, CString, c_int, c_void};

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::openssl::{ErrorCode, ffi, owned};

owned!(
    /// A hash function that was fetched.
    Algorithm(ffi::EVP_MD),
    ffi::EVP_MD_free
);

/// `_hashlib.UnsupportedDigestmodError`.
pub static UNSUPPORTED: DeclaredException =
    DeclaredException { name: "_hashlib.UnsupportedDigestmodError", base: types::value_error };

/// Python's name, OpenSSL's long name. Names that are not here are the same for both.
const RESPELT: [(&str, &str); 10] = [
    ("sha512_224", "sha512-224"),
    ("sha512_256", "sha512-256"),
    ("sha3_224", "sha3-224"),
    ("sha3_256", "sha3-256"),
    ("sha3_384", "sha3-384"),
    ("sha3_512", "sha3-512"),
    ("shake_128", "shake128"),
    ("shake_256", "shake256"),
    ("blake2s", "blake2s256"),
    ("blake2b", "blake2b512"),
];

/// Raises the newest error of OpenSSL's: "[digital envelope routines] unsupported".
#[cold]
pub fn openssl_error(exception: &Type, vm: &Vm) -> Raised {
    let Some(code) = ErrorCode::newest() else { return vm.raise(exception, "no reason supplied") };
    ErrorCode::forget_all();
    let reason = code.reason_text().unwrap_or_else(|| "no reason supplied".to_owned());
    match code.library_text() {
        Some(library) => vm.raise(exception, format!("[{library}] {reason}")),
        None => vm.raise(exception, reason),
    }
}

/// The function of a name, Python's or OpenSSL's. Raises `UnsupportedDigestmodError`.
pub fn fetch(name: &str, vm: &Vm) -> PyResult<Algorithm> {
    let known = RESPELT.iter().find(|(python, _)| python.eq_ignore_ascii_case(name));
    let Ok(text) = CString::new(known.map_or(name, |(_, openssl)| openssl)) else {
        return Err(UNSUPPORTED.raise(format!("unsupported digest algorithm: {name}"), vm));
    };
    // SAFETY: the text is NUL-terminated; the result is owned.
    let found = unsafe {
        Algorithm::from_raw(ffi::EVP_MD_fetch(std::ptr::null_mut(), text.as_ptr(), std::ptr::null()))
    };
    match found {
        Some(found) => Ok(found),
        None => Err(openssl_error(&*UNSUPPORTED.get(vm)?, vm)),
    }
}

/// Python's name of a function; `None` when it has no number of its own, as inner functions of others have none.
pub fn python_name(algorithm: *const ffi::EVP_MD) -> Option<String> {
    // SAFETY: the function is a live one; the texts are static.
    let long = unsafe {
        let number: c_int = ffi::EVP_MD_get_type(algorithm);
        if number == ffi::NID_undef {
            return None;
        }
        let name = ffi::OBJ_nid2ln(number);
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name).to_string_lossy().to_lowercase()
    };
    let known = RESPELT.iter().find(|(_, openssl)| *openssl == long.as_str());
    Some(known.map_or(long, |(python, _)| (*python).to_owned()))
}

unsafe extern "C" fn collect(algorithm: *mut ffi::EVP_MD, names: *mut c_void) {
    // SAFETY: `all` passes its own list.
    let names = unsafe { &mut *names.cast::<Vec<String>>() };
    if let Some(name) = python_name(algorithm) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// Python's names of all functions that OpenSSL provides.
pub fn all() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // SAFETY: the list outlives the call.
    unsafe { ffi::EVP_MD_do_all_provided(std::ptr::null_mut(), collect, (&raw mut names).cast()) };
    names
}
