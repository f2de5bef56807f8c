//! `_codecs_kr`.

use taipan_vm::prelude::*;

use crate::_multibytecodec::{MultibyteCodec, get_codec};

/// The module.
pub struct CodecsKr;

#[pymodule(name = "_codecs_kr")]
impl CodecsKr {
    #[function("($self, object, /)")]
    fn getcodec(object: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
        get_codec("_codecs_kr", object, vm)
    }
}
