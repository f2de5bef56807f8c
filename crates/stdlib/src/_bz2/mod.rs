//! `_bz2`: compression with bzip2.

use taipan_vm::prelude::*;

mod compress;
mod decompress;
mod stream;

pub use compress::BZ2Compressor;
pub use decompress::BZ2Decompressor;

/// The module.
pub struct Bz2;

#[pymodule(name = "_bz2", types(BZ2Compressor, BZ2Decompressor))]
impl Bz2 {}
