//! `ZstdDict`, and how compressors and decompressors take one.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;
use zstd_sys as zs;

use super::ERROR;

/// A dictionary digested for compression with a level.
struct Digested(*mut zs::ZSTD_CDict);

impl Drop for Digested {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once; compressors that use it hold the `ZstdDict`.
        unsafe { zs::ZSTD_freeCDict(self.0) };
    }
}

/// The layout of a dictionary.
#[repr(C)]
pub struct ZstdDict {
    ob: Object,
    content: Ref<Bytes>,
    id: Cell<u32>,
    /// By level.
    digested: RefCell<Vec<(i32, Digested)>>,
    for_decompression: Cell<*mut zs::ZSTD_DDict>,
}

impl Drop for ZstdDict {
    fn drop(&mut self) {
        // SAFETY: made by the library or null, freed once; decompressors that use it hold the `ZstdDict`.
        unsafe { zs::ZSTD_freeDDict(self.for_decompression.get()) };
    }
}

/// How a dictionary is loaded: the second element of the `as_…` tuples.
#[derive(Clone, Copy, PartialEq)]
pub enum Use {
    /// Prepared once for a level.
    Digested,
    /// Loaded anew, with the compressor's own parameters.
    Undigested,
    /// As data that came before.
    Prefix,
}

/// The `zstd_dict` argument: a dictionary, or one with a way to load it.
pub fn argument(value: &Object, default: Use, vm: &Vm) -> PyResult<(Ref<ZstdDict>, Use)> {
    if let Some(dictionary) = value.downcast_ref::<ZstdDict>() {
        return Ok((Ref::new_ref(dictionary), default));
    }
    if let Some([dictionary, kind]) = value.downcast_ref::<Tuple>().map(Tuple::as_slice) {
        if let (Some(dictionary), Some(kind)) =
            (dictionary.downcast_ref::<ZstdDict>(), kind.downcast_ref::<Int>())
        {
            let kind = kind.to_i64().and_then(|kind| i32::try_from(kind).ok());
            let kind = match kind {
                None => return Err(vm.overflow_error("Python int too large to convert to C int")),
                Some(0) => Some(Use::Digested),
                Some(1) => Some(Use::Undigested),
                Some(2) => Some(Use::Prefix),
                Some(_) => None,
            };
            if let Some(kind) = kind {
                return Ok((Ref::new_ref(dictionary), kind));
            }
        }
    }
    Err(vm.type_error("zstd_dict argument should be a ZstdDict object."))
}

impl ZstdDict {
    /// The dictionary's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.content.as_bytes()
    }

    /// The dictionary digested for a level of compression.
    pub fn for_compression(&self, level: i32, vm: &Vm) -> PyResult<*mut zs::ZSTD_CDict> {
        if let Some((_, known)) = self.digested.borrow().iter().find(|(known, _)| *known == level) {
            return Ok(known.0);
        }
        let content = self.bytes();
        // SAFETY: the content is as long as told; the library copies it.
        let made = unsafe { zs::ZSTD_createCDict(content.as_ptr().cast(), content.len(), level) };
        if made.is_null() {
            let text = "Failed to create a ZSTD_CDict instance from Zstandard dictionary content.";
            return Err(ERROR.raise(text, vm));
        }
        self.digested.borrow_mut().push((level, Digested(made)));
        Ok(made)
    }

    /// The dictionary digested for decompression.
    pub fn for_decompression(&self, vm: &Vm) -> PyResult<*mut zs::ZSTD_DDict> {
        if self.for_decompression.get().is_null() {
            let content = self.bytes();
            // SAFETY: as above.
            let made = unsafe { zs::ZSTD_createDDict(content.as_ptr().cast(), content.len()) };
            if made.is_null() {
                let text = "Failed to create a ZSTD_DDict instance from Zstandard dictionary content.";
                return Err(ERROR.raise(text, vm));
            }
            self.for_decompression.set(made);
        }
        Ok(self.for_decompression.get())
    }

    fn with_use(&self, kind: Use, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([self.as_object().to_ref(), vm.new_int(kind as i32)])
    }
}

/// Represents a Zstandard dictionary.
///
///   dict_content
///     The content of a Zstandard dictionary as a bytes-like object.
///   is_raw
///     If true, perform no checks on *dict_content*, useful for some
///     advanced cases. Otherwise, check that the content represents
///     a Zstandard dictionary created by the zstd library or CLI.
///
/// The dictionary can be used for compression or decompression, and can be
/// shared by multiple ZstdCompressor or ZstdDecompressor objects.
#[pytype(name = "compression.zstd.ZstdDict", members(dict_id: UINT = id, readonly))]
impl ZstdDict {
    #[new("(dict_content, /, *, is_raw=False)")]
    fn new(cls: &Type, dict_content: BufferArg, is_raw: Option<bool>, vm: &Vm) -> PyResult {
        let content = dict_content.as_bytes();
        if content.len() < 8 {
            let text = "Zstandard dictionary content too short (must have at least eight bytes)";
            return Err(vm.value_error(text));
        }
        // SAFETY: the content is as long as told.
        let id = unsafe { zs::ZSTD_getDictID_fromDict(content.as_ptr().cast(), content.len()) };
        if id == 0 && !is_raw.unwrap_or(false) {
            return Err(vm.value_error("invalid Zstandard dictionary"));
        }
        let made = ZstdDict {
            ob: Object::new(Self::type_object()),
            content: Bytes::try_from_slice(content, vm)?,
            id: Cell::new(id),
            digested: RefCell::default(),
            for_decompression: Cell::new(std::ptr::null_mut()),
        };
        vm.new_instance(cls, made)
    }

    #[slot]
    fn sq_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.content.len())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let (id, size) = (self.id.get(), self.content.len());
        Ok(vm.new_str(&format!("<ZstdDict dict_id={id} dict_size={size}>")))
    }

    /// The content of a Zstandard dictionary, as a bytes object.
    #[getter]
    fn dict_content(&self) -> Ref<Bytes> {
        self.content.clone()
    }

    /// Load as a digested dictionary to compressor.
    ///
    /// Pass this attribute as zstd_dict argument:
    /// compress(dat, zstd_dict=zd.as_digested_dict)
    ///
    /// 1. Some advanced compression parameters of compressor may be
    ///    overridden by parameters of digested dictionary.
    /// 2. ZstdDict has a digested dictionaries cache for each compression
    ///    level.  It's faster when loading again a digested dictionary with
    ///    the same compression level.
    /// 3. No need to use this for decompression.
    #[getter]
    fn as_digested_dict(&self, vm: &Vm) -> Ref<Tuple> {
        self.with_use(Use::Digested, vm)
    }

    /// Load as an undigested dictionary to compressor.
    ///
    /// Pass this attribute as zstd_dict argument:
    /// compress(dat, zstd_dict=zd.as_undigested_dict)
    ///
    /// 1. The advanced compression parameters of compressor will not be
    ///    overridden.
    /// 2. Loading an undigested dictionary is costly. If load an undigested
    ///    dictionary multiple times, consider reusing a compressor object.
    /// 3. No need to use this for decompression.
    #[getter]
    fn as_undigested_dict(&self, vm: &Vm) -> Ref<Tuple> {
        self.with_use(Use::Undigested, vm)
    }

    /// Load as a prefix to compressor/decompressor.
    ///
    /// Pass this attribute as zstd_dict argument:
    /// compress(dat, zstd_dict=zd.as_prefix)
    ///
    /// 1. Prefix is compatible with long distance matching, while
    ///    dictionary is not.
    /// 2. It only works for the first frame, then the
    ///    compressor/decompressor will return to no prefix state.
    /// 3. When decompressing, must use the same prefix as when compressing.
    #[getter]
    fn as_prefix(&self, vm: &Vm) -> Ref<Tuple> {
        self.with_use(Use::Prefix, vm)
    }
}
