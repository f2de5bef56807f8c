//! `_md5`: the MD5 hash.

use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

use crate::digests::{GIL_MINSIZE, fixed_hash};

fixed_hash!(Md5, "_md5.md5", "md5", 64);

/// Return a new MD5 hash object; optionally initialized with a string.
#[pytype(name = "_md5.md5", no_new, methods(Md5::HASH_METHODS))]
impl Md5 {
    #[getter]
    fn block_size(&self) -> usize {
        64
    }

    #[getter]
    fn name(&self) -> &'static str {
        "md5"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        16
    }
}

/// The module.
pub struct Md5Module;

#[pymodule(name = "_md5")]
impl Md5Module {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        type_ready(Md5::type_object(), vm)?;
        module.set("MD5Type", Md5::type_object().as_object(), vm)?;
        Ok(())
    }

    /// Return a new MD5 hash object; optionally initialized with a string.
    #[function("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn md5(
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Md5::start(data, string, vm)?).into_object())
    }
}
