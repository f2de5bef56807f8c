//! `_lzma`: compression with liblzma (xz, lzma).

use liblzma_sys as xz;
use taipan_vm::prelude::*;

mod compress;
mod decompress;
mod filters;
mod stream;

pub use compress::LZMACompressor;
pub use decompress::LZMADecompressor;

use stream::ERROR;

/// The module.
pub struct Lzma;

/// `FORMAT_AUTO`: the container is told by the data.
pub const FORMAT_AUTO: i32 = 0;
/// `FORMAT_XZ`.
pub const FORMAT_XZ: i32 = 1;
/// `FORMAT_ALONE`: the old `.lzma`.
pub const FORMAT_ALONE: i32 = 2;
/// `FORMAT_RAW`: no container.
pub const FORMAT_RAW: i32 = 3;

/// `PRESET_DEFAULT`.
pub const PRESET_DEFAULT: u32 = 6;

#[pymodule(name = "_lzma", types(LZMACompressor, LZMADecompressor))]
impl Lzma {
    /// Test whether the given integrity check is supported.
    ///
    /// Always returns True for CHECK_NONE and CHECK_CRC32.
    #[function("($module, check_id, /)")]
    fn is_check_supported(check_id: i32) -> bool {
        // SAFETY: the function takes any number.
        unsafe { xz::lzma_check_is_supported(check_id as xz::lzma_check) != 0 }
    }

    /// Return a bytes object encoding the options (properties) of the filter specified by *filter* (a dict).
    ///
    /// The result does not include the filter ID itself, only the options.
    #[function("($module, filter, /)")]
    fn _encode_filter_properties(filter: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        filters::encode_properties(filter, vm)
    }

    /// Return a bytes object encoding the options (properties) of the filter specified by *filter* (a dict).
    ///
    /// The result does not include the filter ID itself, only the options.
    #[function("($module, filter_id, encoded_props, /)")]
    fn _decode_filter_properties(
        filter_id: &Object,
        encoded_props: BufferArg,
        vm: &Vm,
    ) -> PyResult<Ref<Dict>> {
        filters::decode_properties(filter_id, encoded_props.as_bytes(), vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let numbers: [(&str, u64); 28] = [
            ("FORMAT_AUTO", FORMAT_AUTO as u64),
            ("FORMAT_XZ", FORMAT_XZ as u64),
            ("FORMAT_ALONE", FORMAT_ALONE as u64),
            ("FORMAT_RAW", FORMAT_RAW as u64),
            ("CHECK_NONE", 0),
            ("CHECK_CRC32", 1),
            ("CHECK_CRC64", 4),
            ("CHECK_SHA256", 10),
            ("CHECK_ID_MAX", 15),
            ("CHECK_UNKNOWN", 16),
            ("FILTER_LZMA1", xz::LZMA_FILTER_LZMA1),
            ("FILTER_LZMA2", xz::LZMA_FILTER_LZMA2),
            ("FILTER_DELTA", xz::LZMA_FILTER_DELTA),
            ("FILTER_X86", xz::LZMA_FILTER_X86),
            ("FILTER_IA64", xz::LZMA_FILTER_IA64),
            ("FILTER_ARM", xz::LZMA_FILTER_ARM),
            ("FILTER_ARMTHUMB", xz::LZMA_FILTER_ARMTHUMB),
            ("FILTER_SPARC", xz::LZMA_FILTER_SPARC),
            ("FILTER_POWERPC", xz::LZMA_FILTER_POWERPC),
            ("MF_HC3", 0x03),
            ("MF_HC4", 0x04),
            ("MF_BT2", 0x12),
            ("MF_BT3", 0x13),
            ("MF_BT4", 0x14),
            ("MODE_FAST", 1),
            ("MODE_NORMAL", 2),
            ("PRESET_DEFAULT", PRESET_DEFAULT.into()),
            ("PRESET_EXTREME", 1 << 31),
        ];
        for (name, value) in numbers {
            module.set(name, &vm.new_int(value), vm)?;
        }
        let error = ERROR.get(vm)?;
        let doc = vm.new_str("Call to liblzma failed.");
        error.as_object().set_attr(vm.ids().__doc__, doc.as_object(), vm)?;
        module.set("LZMAError", error.as_object(), vm)
    }
}
