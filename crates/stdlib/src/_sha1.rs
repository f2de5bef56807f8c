//! `_sha1`: the SHA-1 hash.

use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

use crate::digests::{GIL_MINSIZE, fixed_hash};

fixed_hash!(Sha1, "_sha1.sha1", "sha1", 64);

/// Return a new SHA1 hash object; optionally initialized with a string.
#[pytype(name = "_sha1.sha1", no_new, methods(Sha1::HASH_METHODS))]
impl Sha1 {
    #[getter]
    fn block_size(&self) -> usize {
        64
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha1"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        20
    }
}

/// The module.
pub struct Sha1Module;

#[pymodule(name = "_sha1")]
impl Sha1Module {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        type_ready(Sha1::type_object(), vm)?;
        module.set("SHA1Type", Sha1::type_object().as_object(), vm)?;
        Ok(())
    }

    /// Return a new SHA1 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha1(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Sha1::start(data, string, vm)?).into_object())
    }
}
