//! `_hmac`: keyed hashes (RFC 2104).

use std::cell::RefCell;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::digests::blake2::{Blake2b, Blake2s, Parameters};
use crate::digests::{self, GIL_MINSIZE, Hasher};

static UNKNOWN_HASH: DeclaredException =
    DeclaredException { name: "_hmac.UnknownHashError", base: types::value_error };

/// Names that `new` knows.
const NAMES: [&str; 10] =
    ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"];

/// The inner and the outer hash, both past the padded key.
#[derive(Clone)]
struct Keyed {
    inner: Hasher,
    outer: Hasher,
}

impl Keyed {
    fn new(name: &str, key: &[u8]) -> Option<Keyed> {
        let block = Hasher::block_size(name);
        let (mut inner, mut outer) = (Hasher::new(name)?, Hasher::new(name)?);
        let mut key = key.to_vec();
        if key.len() > block {
            let mut short = Hasher::new(name)?;
            short.update(&key);
            key = short.digest();
        }
        key.resize(block, 0);
        let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
        inner.update(&padded(0x36));
        outer.update(&padded(0x5c));
        Some(Keyed { inner, outer })
    }

    fn digest(&self) -> Vec<u8> {
        let mut outer = self.outer.clone();
        outer.update(&self.inner.digest());
        outer.digest()
    }
}

/// The layout of `_hmac.HMAC`.
#[repr(C)]
pub struct Hmac {
    ob: Object,
    name: &'static str,
    state: RefCell<Keyed>,
}

#[pytype(name = "_hmac.HMAC", no_new)]
impl Hmac {
    /// Return a copy ("clone") of the HMAC object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> ObjRef {
        let state = RefCell::new(self.state.borrow().clone());
        vm.new_object(Hmac { ob: Object::new(Self::type_object()), name: self.name, state }).into_object()
    }

    /// Update the HMAC object with the given message.
    #[method("($self, /, msg)")]
    fn update(&self, msg: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(msg, vm)?;
        self.state.borrow_mut().inner.update(data.as_bytes());
        Ok(())
    }

    /// Return the digest of the bytes passed to the update() method so far.
    ///
    /// This method may raise a MemoryError.
    #[method("($self, /)")]
    fn digest(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.state.borrow().digest())
    }

    /// Return hexadecimal digest of the bytes passed to the update() method so far.
    ///
    /// This may be used to exchange the value safely in email or other
    /// non-binary environments.
    ///
    /// This method may raise a MemoryError.
    #[method("($self, /)")]
    fn hexdigest(&self) -> String {
        digests::hex(&self.state.borrow().digest())
    }

    #[getter]
    fn name(&self) -> String {
        format!("hmac-{}", self.name)
    }

    #[getter]
    fn block_size(&self) -> usize {
        Hasher::block_size(self.name)
    }

    #[getter]
    fn digest_size(&self) -> usize {
        self.state.borrow().inner.digest_size()
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let address = std::ptr::from_ref(self) as usize;
        format!("<{} HMAC object @ {address:#x}>", self.name)
    }
}

/// The name of a known function. Raises `UnknownHashError`.
fn known_name(digest: &Object, vm: &Vm) -> PyResult<&'static str> {
    if let Some(text) = digest.downcast_ref::<Str>() {
        let text = text.to_string_lossy();
        if let Some(name) = NAMES.iter().find(|name| **name == text || name.to_uppercase() == text) {
            return Ok(name);
        }
    }
    let shown = digest.repr(vm)?;
    Err(UNKNOWN_HASH.raise(format!("unsupported hash type: {}", shown.to_string_lossy()), vm))
}

fn one_shot(name: &str, key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let (key, msg) = (digests::data_of(key, vm)?, digests::data_of(msg, vm)?);
    let Some(mut keyed) = Keyed::new(name, key.as_bytes()) else {
        return Err(vm.value_error("invalid hash function"));
    };
    keyed.inner.update(msg.as_bytes());
    Ok(vm.new_bytes(&keyed.digest()))
}

fn plain(digest_size: u8) -> Parameters<'static> {
    Parameters {
        digest_size,
        key: &[],
        salt: &[],
        person: &[],
        fanout: 1,
        depth: 1,
        leaf_size: 0,
        node_offset: 0,
        node_depth: 0,
        inner_size: 0,
        last_node: false,
    }
}

/// HMAC over any hash function.
fn generic(hash: impl Fn(&[&[u8]]) -> Vec<u8>, block: usize, key: &[u8], msg: &[u8]) -> Vec<u8> {
    let mut key = if key.len() > block { hash(&[key]) } else { key.to_vec() };
    key.resize(block, 0);
    let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = hash(&[&padded(0x36), msg]);
    hash(&[&padded(0x5c), &inner])
}

/// The module.
pub struct HmacModule;

#[pymodule(name = "_hmac", types(Hmac))]
impl HmacModule {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("UnknownHashError", UNKNOWN_HASH.get(vm)?.as_object(), vm)
    }

    /// Return a new HMAC object.
    #[function("($module, /, key, msg=None, digestmod=None)")]
    fn new(key: &Object, msg: Option<&Object>, digestmod: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(digestmod) = digestmod.filter(|given| !vm.is_none(given)) else {
            return Err(vm.type_error("new() missing 1 required argument 'digestmod'"));
        };
        let name = known_name(digestmod, vm)?;
        let key = digests::data_of(key, vm)?;
        let Some(mut keyed) = Keyed::new(name, key.as_bytes()) else {
            return Err(vm.value_error("invalid hash function"));
        };
        if let Some(msg) = msg.filter(|given| !vm.is_none(given)) {
            keyed.inner.update(digests::data_of(msg, vm)?.as_bytes());
        }
        let made = Hmac { ob: Object::new(Hmac::type_object()), name, state: RefCell::new(keyed) };
        Ok(vm.new_object(made).into_object())
    }

    #[function("($module, /, key, msg, digest)")]
    fn compute_digest(key: &Object, msg: &Object, digest: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot(known_name(digest, vm)?, key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_blake2b_32(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let (key, msg) = (digests::data_of(key, vm)?, digests::data_of(msg, vm)?);
        let hash = |parts: &[&[u8]]| {
            let mut state = Blake2b::new(&plain(64));
            parts.iter().for_each(|part| state.update(part));
            state.digest()
        };
        Ok(vm.new_bytes(&generic(hash, 128, key.as_bytes(), msg.as_bytes())))
    }

    #[function("($module, key, msg, /)")]
    fn compute_blake2s_32(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let (key, msg) = (digests::data_of(key, vm)?, digests::data_of(msg, vm)?);
        let hash = |parts: &[&[u8]]| {
            let mut state = Blake2s::new(&plain(32));
            parts.iter().for_each(|part| state.update(part));
            state.digest()
        };
        Ok(vm.new_bytes(&generic(hash, 64, key.as_bytes(), msg.as_bytes())))
    }

    #[function("($module, key, msg, /)")]
    fn compute_md5(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("md5", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha1(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha1", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha224(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha224", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha256(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha256", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha384(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha384", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha512(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha512", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha3_224(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha3_224", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha3_256(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha3_256", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha3_384(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha3_384", key, msg, vm)
    }

    #[function("($module, key, msg, /)")]
    fn compute_sha3_512(key: &Object, msg: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        one_shot("sha3_512", key, msg, vm)
    }
}
