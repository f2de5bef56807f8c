//! `_hashlib`: OpenSSL's hash functions, keyed hashes and key derivation.

use taipan_vm::builtins::descr::mapping_proxy::MappingProxy;
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

use crate::_operator::compare_digest::compare_digest;
use crate::digests::GIL_MINSIZE;
use crate::openssl::{self, ffi};

mod hash;
mod hmac;
mod kdf;
mod names;

pub use hash::{Hash, HashXof};
pub use hmac::Hmac;

/// The module.
pub struct Hashlib;

/// The constructors' names by their functions, by which `hmac_new` knows them.
#[derive(Default)]
struct Constructors(Slot<Dict>);

/// Declares the constructors of single functions.
macro_rules! constructors {
    ($($doc:literal, $function:ident, $name:literal;)*) => {
        const CONSTRUCTORS: &[(&str, &str)] = &[$((stringify!($function), $name)),*];

        #[pyfunctions(table = CONSTRUCTOR_FUNCTIONS)]
        impl Hashlib {
            $(
                #[doc = $doc]
                #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
                fn $function(
                    data: Option<&Object>,
                    usedforsecurity: Option<bool>,
                    string: Option<&Object>,
                    vm: &Vm,
                ) -> PyResult {
                    let _ = usedforsecurity;
                    hash::start($name, data, string, vm)
                }
            )*
        }
    };
}

constructors! {
    "Returns a md5 hash object; optionally initialized with a string", openssl_md5, "md5";
    "Returns a sha1 hash object; optionally initialized with a string", openssl_sha1, "sha1";
    "Returns a sha224 hash object; optionally initialized with a string", openssl_sha224, "sha224";
    "Returns a sha256 hash object; optionally initialized with a string", openssl_sha256, "sha256";
    "Returns a sha384 hash object; optionally initialized with a string", openssl_sha384, "sha384";
    "Returns a sha512 hash object; optionally initialized with a string", openssl_sha512, "sha512";
    "Returns a sha3-224 hash object; optionally initialized with a string", openssl_sha3_224, "sha3_224";
    "Returns a sha3-256 hash object; optionally initialized with a string", openssl_sha3_256, "sha3_256";
    "Returns a sha3-384 hash object; optionally initialized with a string", openssl_sha3_384, "sha3_384";
    "Returns a sha3-512 hash object; optionally initialized with a string", openssl_sha3_512, "sha3_512";
    "Returns a shake-128 variable hash object; optionally initialized with a string", openssl_shake_128, "shake_128";
    "Returns a shake-256 variable hash object; optionally initialized with a string", openssl_shake_256, "shake_256";
}

/// OpenSSL interface for hashlib module
#[pymodule(name = "_hashlib", functions(CONSTRUCTOR_FUNCTIONS))]
impl Hashlib {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    /// Return a new hash object using the named algorithm.
    ///
    /// An optional string argument may be provided and will be
    /// automatically hashed.
    ///
    /// The MD5 and SHA1 algorithms are always supported.
    #[function("($module, /, name, data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        name: &str,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        hash::start(name, data, string, vm)
    }

    /// Return a new hmac object.
    #[function("($module, /, key, msg=b'', digestmod=None)")]
    fn hmac_new(key: BufferArg, msg: Option<&Object>, digestmod: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(digestmod) = digestmod else {
            return Err(vm.type_error("Missing required parameter 'digestmod'."));
        };
        let constructors = vm.interp().state::<Constructors>().0.get();
        let algorithm = hmac::algorithm_of(digestmod, constructors.as_deref(), vm)?;
        hmac::start(&algorithm, key.as_bytes(), msg.filter(|msg| !vm.is_none(msg)), vm)
    }

    /// Single-shot HMAC.
    #[function("($module, /, key, msg, digest)")]
    fn hmac_digest(key: BufferArg, msg: BufferArg, digest: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let constructors = vm.interp().state::<Constructors>().0.get();
        let algorithm = hmac::algorithm_of(digest, constructors.as_deref(), vm)?;
        hmac::one_shot(&algorithm, key.as_bytes(), msg.as_bytes(), vm)
    }

    /// Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function.
    #[function("($module, /, hash_name, password, salt, iterations, dklen=None)")]
    fn pbkdf2_hmac(
        hash_name: &str,
        password: BufferArg,
        salt: BufferArg,
        iterations: i64,
        dklen: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let dklen = dklen.filter(|dklen| !vm.is_none(dklen));
        kdf::pbkdf2(hash_name, password.as_bytes(), salt.as_bytes(), iterations, dklen, vm)
    }

    /// scrypt password-based key derivation function.
    #[function("($module, /, password, *, salt, n, r, p, maxmem=0, dklen=64)")]
    fn scrypt(
        password: BufferArg,
        salt: BufferArg,
        n: &Object,
        r: &Object,
        p: &Object,
        maxmem: Option<i64>,
        dklen: Option<i64>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let costs = kdf::Costs { n, r, p, maxmem: maxmem.unwrap_or(0) };
        kdf::scrypt(password.as_bytes(), salt.as_bytes(), &costs, dklen.unwrap_or(64), vm)
    }

    /// Determine the OpenSSL FIPS mode of operation.
    ///
    /// For OpenSSL 3.0.0 and newer it returns the state of the default provider
    /// in the default OSSL context. It's not quite the same as FIPS_mode() but
    /// good enough for unittests.
    ///
    /// Effectively any non-zero return value indicates FIPS mode;
    /// values other than 1 may have additional significance.
    #[function("($module, /)")]
    fn get_fips_mode() -> i32 {
        // SAFETY: null is the default context.
        unsafe { ffi::EVP_default_properties_is_fips_enabled(std::ptr::null_mut()) }
    }

    /// Return 'a == b'.
    ///
    /// This function uses an approach designed to prevent
    /// timing analysis, making it appropriate for cryptography.
    ///
    /// a and b must both be of the same type: either str (ASCII only),
    /// or any bytes-like object.
    ///
    /// Note: If a and b are of different lengths, or if an error occurs,
    /// a timing attack could theoretically reveal information about the
    /// types and lengths of a and b--but not their values.
    #[function("($module, a, b, /)", name = "compare_digest")]
    fn compare(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
        compare_digest(a, b, vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        openssl::init();
        for tp in [Hash::type_object(), HashXof::type_object(), Hmac::type_object()] {
            type_ready(tp, vm)?;
        }
        module.set("HASH", Hash::type_object().as_object(), vm)?;
        module.set("HASHXOF", HashXof::type_object().as_object(), vm)?;
        module.set("HMAC", Hmac::type_object().as_object(), vm)?;
        module.set("UnsupportedDigestmodError", names::UNSUPPORTED.get(vm)?.as_object(), vm)?;
        let names: Vec<ObjRef> = names::all().iter().map(|name| vm.new_str(name).into_object()).collect();
        let list = vm.new_list(names);
        let set = FrozenSet::from_iterable(list.as_object(), vm)?;
        module.set("openssl_md_meth_names", set.as_object(), vm)?;
        let constructors = vm.new_dict();
        for (function, name) in CONSTRUCTORS {
            let function = module.as_object().get_attr(&vm.intern(function), vm)?;
            constructors.set_item(&function, vm.intern(name).as_object(), vm)?;
        }
        let proxy = MappingProxy::new(constructors.as_object(), vm);
        vm.interp().state::<Constructors>().0.put(constructors);
        module.set("_constructors", proxy.as_object(), vm)
    }
}
