//! `_multibytecodec`: the codecs of Chinese, Japanese and Korean, which the modules `_codecs_cn`, `_codecs_hk`,
//! `_codecs_iso2022`, `_codecs_jp`, `_codecs_kr` and `_codecs_tw` hand out.
//!
//! - `codec.rs`: what a codec is; `stateless.rs`, `hz.rs`, `iso2022.rs`: the kinds; `list.rs`: all of them
//! - `tables.rs`, `layout.rs`: the characters
//! - `objects.rs`, `streams.rs`: the Python types

use taipan_vm::builtins::capsule::Capsule;
use taipan_vm::prelude::*;

mod codec;
mod hz;
mod iso2022;
mod layout;
mod list;
mod objects;
mod stateless;
mod streams;
mod tables;

pub use list::get_codec;
pub use objects::MultibyteCodec;

use objects::{MultibyteIncrementalDecoder, MultibyteIncrementalEncoder};
use streams::{MultibyteStreamReader, MultibyteStreamWriter};

/// The module.
pub struct MultibyteCodecModule;

#[pymodule(
    name = "_multibytecodec",
    types(
        MultibyteIncrementalDecoder,
        MultibyteIncrementalEncoder,
        MultibyteStreamReader,
        MultibyteStreamWriter
    )
)]
impl MultibyteCodecModule {
    #[function("($module, arg, /)")]
    fn __create_codec(arg: &Object, vm: &Vm) -> PyResult {
        let capsule = arg.downcast_ref::<Capsule>().and_then(Capsule::name);
        if capsule != Some(c"multibytecodec.map") {
            return Err(vm.value_error("argument type invalid"));
        }
        Err(vm.not_implemented_error("_multibytecodec.__create_codec: codecs of compiled extensions"))
    }
}
