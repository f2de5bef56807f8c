//! `_sha2`: the SHA-2 hashes.

use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

use crate::digests::{GIL_MINSIZE, fixed_hash};

fixed_hash!(Sha224, "_sha2.SHA224Type", "sha224", 64);

#[pytype(name = "_sha2.SHA224Type", no_new, methods(Sha224::HASH_METHODS))]
impl Sha224 {
    #[getter]
    fn block_size(&self) -> usize {
        64
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha224"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        28
    }
}

fixed_hash!(Sha256, "_sha2.SHA256Type", "sha256", 64);

#[pytype(name = "_sha2.SHA256Type", no_new, methods(Sha256::HASH_METHODS))]
impl Sha256 {
    #[getter]
    fn block_size(&self) -> usize {
        64
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha256"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        32
    }
}

fixed_hash!(Sha384, "_sha2.SHA384Type", "sha384", 128);

#[pytype(name = "_sha2.SHA384Type", no_new, methods(Sha384::HASH_METHODS))]
impl Sha384 {
    #[getter]
    fn block_size(&self) -> usize {
        128
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha384"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        48
    }
}

fixed_hash!(Sha512, "_sha2.SHA512Type", "sha512", 128);

#[pytype(name = "_sha2.SHA512Type", no_new, methods(Sha512::HASH_METHODS))]
impl Sha512 {
    #[getter]
    fn block_size(&self) -> usize {
        128
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha512"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        64
    }
}

/// The module.
pub struct Sha2Module;

#[pymodule(name = "_sha2")]
impl Sha2Module {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        type_ready(Sha224::type_object(), vm)?;
        module.set("SHA224Type", Sha224::type_object().as_object(), vm)?;
        type_ready(Sha256::type_object(), vm)?;
        module.set("SHA256Type", Sha256::type_object().as_object(), vm)?;
        type_ready(Sha384::type_object(), vm)?;
        module.set("SHA384Type", Sha384::type_object().as_object(), vm)?;
        type_ready(Sha512::type_object(), vm)?;
        module.set("SHA512Type", Sha512::type_object().as_object(), vm)?;
        Ok(())
    }

    /// Return a new SHA-224 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha224(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Sha224::start(data, string, vm)?).into_object())
    }

    /// Return a new SHA-256 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha256(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Sha256::start(data, string, vm)?).into_object())
    }

    /// Return a new SHA-384 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha384(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Sha384::start(data, string, vm)?).into_object())
    }

    /// Return a new SHA-512 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha512(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Sha512::start(data, string, vm)?).into_object())
    }
}
