//! `_ssl`: TLS under `ssl`, by OpenSSL.

use std::ffi::{CString, c_int};

use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

use crate::openssl::{self, ffi};
use crate::room;

mod callbacks;
mod certificate;
mod cipher;
mod constants;
mod context;
mod distrusted;
mod error;
mod memory_bio;
mod session;
mod socket_bio;
mod ssl_socket;
mod trust;
mod verify_paths;

pub use certificate::Certificate;
pub use context::SslContext;
pub use error::SslError;
pub use memory_bio::MemoryBio;
pub use session::SslSession;
pub use ssl_socket::SslSocket;

/// The module.
pub struct SslModule;

/// (number, short name, long name, digits and dots or `None`) of an object identifier.
///
/// # Safety
/// The object is live.
unsafe fn identifier(object: *const ffi::ASN1_OBJECT, vm: &Vm) -> PyResult<Ref<Tuple>> {
    // SAFETY: the caller's promise; the names are static.
    unsafe {
        let number = ffi::OBJ_obj2nid(object);
        if number == ffi::NID_undef {
            return Err(vm.value_error("Unknown object"));
        }
        let shown = |text: Option<String>| text.map_or(vm.none(), |text| vm.new_str(&text).into_object());
        Ok(vm.new_tuple([
            vm.new_int(number),
            shown(openssl::text(ffi::OBJ_nid2sn(number))),
            shown(openssl::text(ffi::OBJ_nid2ln(number))),
            shown(certificate::object_text(object, true)),
        ]))
    }
}

/// Implementation module for SSL socket operations.  See the socket module
/// for documentation.
#[pymodule(name = "_ssl")]
impl SslModule {
    /// Mix string into the OpenSSL PRNG state.
    ///
    /// entropy (a float) is a lower bound on the entropy contained in
    /// string.  See RFC 4086.
    #[function("($module, string, entropy, /)", name = "RAND_add")]
    fn rand_add(string: &Object, entropy: f64, vm: &Vm) -> PyResult<()> {
        let add = |bytes: &[u8]| {
            for part in bytes.chunks(i32::MAX as usize) {
                // SAFETY: the bytes have that length.
                unsafe { ffi::RAND_add(part.as_ptr().cast(), part.len() as c_int, entropy) };
            }
        };
        match string.downcast_ref::<Str>() {
            Some(text) => add(text.to_utf8(vm)?.as_bytes()),
            None => add(BufferArg::from_object(string, vm)?.as_bytes()),
        }
        Ok(())
    }

    /// Generate n cryptographically strong pseudo-random bytes.
    #[function("($module, n, /)", name = "RAND_bytes")]
    fn rand_bytes(n: i32, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let Ok(length) = usize::try_from(n) else { return Err(vm.value_error("num must be positive")) };
        let mut bytes = room::zeroed(length, vm)?;
        // SAFETY: the buffer has that length.
        if unsafe { ffi::RAND_bytes(bytes.as_mut_ptr(), n) } != 1 {
            return Err(error::newest(line!(), vm));
        }
        Ok(vm.new_bytes(&bytes))
    }

    /// Returns True if the OpenSSL PRNG has been seeded with enough data and False if not.
    ///
    /// It is necessary to seed the PRNG with RAND_add() on some platforms
    /// before using the ssl() function.
    #[function("($module, /)", name = "RAND_status")]
    fn rand_status() -> bool {
        // SAFETY: a plain call.
        unsafe { ffi::RAND_status() != 0 }
    }

    /// Return search paths and environment vars that are used by SSLContext's set_default_verify_paths() to load default CAs.
    ///
    /// The values are 'cert_file_env', 'cert_file', 'cert_dir_env', 'cert_dir'.
    #[function("($module, /)")]
    fn get_default_verify_paths(vm: &Vm) -> Ref<Tuple> {
        let found = verify_paths::built_in();
        let path = |path: &std::path::Path| vm.new_str(&path.to_string_lossy()).into_object();
        vm.new_tuple([
            vm.new_str(verify_paths::FILE_VARIABLE).into_object(),
            path(&found.file),
            vm.new_str(verify_paths::FOLDER_VARIABLE).into_object(),
            path(&found.folder),
        ])
    }

    /// Lookup NID, short name, long name and OID of an ASN1_OBJECT.
    ///
    /// By default objects are looked up by OID. With name=True short and
    /// long name are also matched.
    #[function("($module, /, txt, name=False)")]
    fn txt2obj(txt: &str, name: Option<bool>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let Ok(text) = CString::new(txt) else { return Err(vm.value_error("embedded null character")) };
        let only_digits = c_int::from(!name.unwrap_or(false));
        // SAFETY: the text is NUL-terminated; the object is freed at the end.
        unsafe {
            let object = ffi::OBJ_txt2obj(text.as_ptr(), only_digits);
            if object.is_null() {
                openssl::ErrorCode::forget_all();
                let shown: String = txt.chars().take(100).collect();
                return Err(vm.value_error(format!("unknown object '{shown}'")));
            }
            let result = identifier(object, vm);
            ffi::ASN1_OBJECT_free(object);
            result
        }
    }

    /// Lookup NID, short name, long name and OID of an ASN1_OBJECT by NID.
    #[function("($module, nid, /)")]
    fn nid2obj(nid: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if nid < ffi::NID_undef {
            return Err(vm.value_error("NID must be positive."));
        }
        // SAFETY: the objects of numbers are static.
        unsafe {
            let object = ffi::OBJ_nid2obj(nid);
            if object.is_null() {
                openssl::ErrorCode::forget_all();
                return Err(vm.value_error(format!("unknown NID {nid}")));
            }
            identifier(object, vm)
        }
    }

    #[function("($module, path, /)")]
    fn _test_decode_cert(path: &Object, vm: &Vm) -> PyResult<Ref<Dict>> {
        certificate::decode_file(&context::fs_path(path, vm)?, vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        openssl::init();
        error::add_to(module, vm)?;
        let named: [(&str, &'static Type); 5] = [
            ("_SSLContext", SslContext::type_object()),
            ("_SSLSocket", SslSocket::type_object()),
            ("MemoryBIO", MemoryBio::type_object()),
            ("SSLSession", SslSession::type_object()),
            ("Certificate", Certificate::type_object()),
        ];
        for (name, tp) in named {
            type_ready(tp, vm)?;
            module.set(name, tp.as_object(), vm)?;
        }
        constants::add_to(module, vm)
    }
}
