//! A context's store of trusted certificates, and its parameters for key exchange.

use std::ffi::{CStr, c_int};

use taipan_vm::prelude::*;

use super::error;
use crate::openssl::{Bio, ErrorCode, ffi, owned};

owned!(
    /// A trusted certificate.
    Authority(ffi::X509),
    ffi::X509_free
);

owned!(
    /// Parameters of Diffie-Hellman.
    Parameters(ffi::DH),
    ffi::DH_free
);

/// How many entries a store has.
#[derive(Default)]
pub struct Counts {
    /// All certificates.
    pub certificates: usize,
    /// Those that may sign others.
    pub authorities: usize,
    /// Lists of revoked certificates.
    pub lists: usize,
}

/// Calls `each` with every entry of a context's store.
fn for_each(context: *mut ffi::SSL_CTX, mut each: impl FnMut(*const ffi::X509_OBJECT)) {
    unsafe extern "C" fn free(object: *mut std::ffi::c_void) {
        // SAFETY: `for_each` passes the objects of its stack.
        unsafe { ffi::X509_OBJECT_free(object.cast()) }
    }
    // SAFETY: the context is live; the stack is a copy, freed at the end.
    unsafe {
        let store = ffi::SSL_CTX_get_cert_store(context);
        let stack: *mut ffi::OPENSSL_STACK = ffi::X509_STORE_get1_objects(store).cast();
        for at in 0..ffi::OPENSSL_sk_num(stack) {
            each(ffi::OPENSSL_sk_value(stack, at).cast());
        }
        ffi::OPENSSL_sk_pop_free(stack, Some(free));
    }
}

/// Counts the entries of a context's store.
pub fn count(context: *mut ffi::SSL_CTX) -> Counts {
    let mut counts = Counts::default();
    // SAFETY: the entries are live.
    for_each(context, |object| unsafe {
        match ffi::X509_OBJECT_get_type(object) {
            ffi::X509_LU_X509 => {
                counts.certificates += 1;
                counts.authorities +=
                    usize::from(ffi::X509_check_ca(ffi::X509_OBJECT_get0_X509(object)) != 0);
            }
            ffi::X509_LU_CRL => counts.lists += 1,
            _ => {}
        }
    });
    counts
}

/// The certificates of a context's store that may sign others.
pub fn authorities(context: *mut ffi::SSL_CTX) -> Vec<Authority> {
    let mut found = Vec::new();
    // SAFETY: the entries are live; a count is taken for each that is kept.
    for_each(context, |object| unsafe {
        if ffi::X509_OBJECT_get_type(object) != ffi::X509_LU_X509 {
            return;
        }
        let certificate = ffi::X509_OBJECT_get0_X509(object);
        if ffi::X509_check_ca(certificate) != 0 {
            ffi::X509_up_ref(certificate);
            found.extend(Authority::from_raw(certificate));
        }
    });
    found
}

/// Adds the certificates of `cadata`: a str is PEM, bytes are DER.
pub fn add_data(context: *mut ffi::SSL_CTX, data: &Object, vm: &Vm) -> PyResult<()> {
    let refused = || vm.type_error("cadata should be an ASCII string or a bytes-like object");
    if let Some(text) = data.downcast_ref::<Str>() {
        let Some(text) = text.as_ascii_str() else { return Err(refused()) };
        return add(context, text.as_bytes(), true, vm);
    }
    if !taipan_vm::protocols::buffer::has_buffer(data) {
        return Err(refused());
    }
    let bytes = BufferArg::from_object(data, vm)?;
    add(context, bytes.as_bytes(), false, vm)
}

fn add(context: *mut ffi::SSL_CTX, data: &[u8], is_pem: bool, vm: &Vm) -> PyResult<()> {
    if data.is_empty() {
        return Err(vm.value_error("Empty certificate data"));
    }
    let Ok(length) = c_int::try_from(data.len()) else {
        return Err(vm.value_error("Certificate data is too long."));
    };
    let mut loaded = 0usize;
    // SAFETY: the data has that length and outlives the reader; each certificate read is owned.
    unsafe {
        let Some(reader) = Bio::from_raw(ffi::BIO_new_mem_buf(data.as_ptr().cast(), length)) else {
            return Err(error::newest(line!(), vm));
        };
        let store = ffi::SSL_CTX_get_cert_store(context);
        let (none, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
        ErrorCode::forget_all();
        loop {
            let read = if is_pem {
                ffi::PEM_read_bio_X509(reader.as_ptr(), none, None, nothing)
            } else {
                ffi::d2i_X509_bio(reader.as_ptr(), none)
            };
            let Some(certificate) = Authority::from_raw(read) else { break };
            if ffi::X509_STORE_add_cert(store, certificate.as_ptr()) == 0 {
                let known = ErrorCode::newest().is_some_and(|code| {
                    code.library() == ffi::ERR_LIB_X509
                        && code.reason() == ffi::X509_R_CERT_ALREADY_IN_HASH_TABLE
                });
                if !known {
                    return Err(error::newest(4410, vm));
                }
                ErrorCode::forget_all();
            }
            loaded += 1;
        }
        let end = ErrorCode::newest();
        let is = |library: c_int, reason: c_int| {
            end.is_some_and(|code| code.library() == library && code.reason() == reason)
        };
        if loaded == 0 {
            let text = if is_pem {
                "no start line: cadata does not contain a certificate"
            } else {
                "not enough data: cadata does not contain a certificate"
            };
            return Err(error::plain(text, 4410, vm));
        }
        let at_end = if is_pem {
            is(ffi::ERR_LIB_PEM, ffi::PEM_R_NO_START_LINE)
        } else {
            // The end of the data reads as a header that is cut off.
            is(ffi::ERR_LIB_ASN1, ffi::ASN1_R_HEADER_TOO_LONG) || end.is_none()
        };
        if !at_end && end.is_some() {
            return Err(error::newest(4410, vm));
        }
    }
    ErrorCode::forget_all();
    Ok(())
}

/// Reads the parameters of Diffie-Hellman from a file (`load_dh_params`). `shown` is the path for errors.
pub fn load_dh(context: *mut ffi::SSL_CTX, path: &CStr, shown: &Object, vm: &Vm) -> PyResult<()> {
    // SAFETY: the path is NUL-terminated; the results are owned; the context takes a copy.
    unsafe {
        let Some(file) = Bio::from_raw(ffi::BIO_new_file(path.as_ptr(), c"rb".as_ptr())) else {
            ErrorCode::forget_all();
            return Err(vm.last_os_error(Some(shown)));
        };
        let (none, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
        let read = ffi::PEM_read_bio_DHparams(file.as_ptr(), none, None, nothing);
        let Some(parameters) = Parameters::from_raw(read) else { return Err(error::newest(4600, vm)) };
        if ffi::SSL_CTX_set_tmp_dh(context, parameters.as_ptr()) == 0 {
            return Err(error::newest(4605, vm));
        }
    }
    Ok(())
}
