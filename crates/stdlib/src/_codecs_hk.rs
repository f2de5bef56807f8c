//! `_codecs_hk`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsHk;

#[pymodule(name = "_codecs_hk")]
impl CodecsHk {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_hk", object, vm)
    }
}
