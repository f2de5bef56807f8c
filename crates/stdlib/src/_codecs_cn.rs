//! `_codecs_cn`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsCn;

#[pymodule(name = "_codecs_cn")]
impl CodecsCn {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_cn", object, vm)
    }
}
