//! `_codecs_tw`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsTw;

#[pymodule(name = "_codecs_tw")]
impl CodecsTw {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_tw", object, vm)
    }
}
