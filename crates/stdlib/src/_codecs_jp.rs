//! `_codecs_jp`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsJp;

#[pymodule(name = "_codecs_jp")]
impl CodecsJp {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_jp", object, vm)
    }
}
