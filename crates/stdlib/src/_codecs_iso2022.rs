//! `_codecs_iso2022`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsIso2022;

#[pymodule(name = "_codecs_iso2022")]
impl CodecsIso2022 {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_iso2022", object, vm)
    }
}
