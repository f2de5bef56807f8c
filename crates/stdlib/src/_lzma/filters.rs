//! Chains of filters, from and to Python's dictionaries.

use std::ffi::c_void;

use liblzma_sys as xz;
use taipan_vm::prelude::*;

use super::PRESET_DEFAULT;
use super::stream::{Code, ERROR};

/// Options of one filter, where the library finds them.
enum Options {
    Lzma(xz::lzma_options_lzma),
    Delta(xz::lzma_options_delta),
    Bcj(xz::lzma_options_bcj),
}

impl Options {
    fn as_ptr(&mut self) -> *mut c_void {
        match self {
            Options::Lzma(options) => std::ptr::from_mut(options).cast(),
            Options::Delta(options) => std::ptr::from_mut(options).cast(),
            Options::Bcj(options) => std::ptr::from_mut(options).cast(),
        }
    }
}

/// A chain of at most four filters with its terminator.
pub struct Chain {
    filters: Vec<xz::lzma_filter>,
    /// What the filters point to.
    options: Vec<Box<Options>>,
}

const MOST_FILTERS: usize = 4;

impl Chain {
    fn from_options(list: Vec<(u64, Options)>) -> Chain {
        let mut chain = Chain { filters: Vec::new(), options: Vec::new() };
        for (id, options) in list {
            let mut options = Box::new(options);
            chain.filters.push(xz::lzma_filter { id, options: options.as_ptr() });
            chain.options.push(options);
        }
        chain.filters.push(xz::lzma_filter { id: u64::MAX, options: std::ptr::null_mut() });
        chain
    }

    /// The chain of a sequence of filter specifiers.
    pub fn new(specs: &Object, vm: &Vm) -> PyResult<Chain> {
        if specs.downcast_ref::<Dict>().is_some() {
            return Err(vm.type_error(format!("{} is not a sequence", specs.type_name())));
        }
        let count = specs.length(vm)?;
        if count > MOST_FILTERS {
            let text = format!("Too many filters - liblzma supports a maximum of {MOST_FILTERS}");
            return Err(vm.value_error(text));
        }
        let mut list = Vec::with_capacity(count);
        for index in 0..count {
            let spec = specs.get_item(&vm.new_int(index), vm)?;
            list.push(filter(&spec, vm)?);
        }
        Ok(Chain::from_options(list))
    }

    /// The chain of `.lzma` files with a preset.
    pub fn of_preset(preset: u32, vm: &Vm) -> PyResult<Chain> {
        Ok(Chain::from_options(vec![(xz::LZMA_FILTER_LZMA1, Options::Lzma(lzma_preset(preset, vm)?))]))
    }

    /// What the library takes.
    pub fn as_ptr(&self) -> *const xz::lzma_filter {
        self.filters.as_ptr()
    }

    /// The options, if LZMA1 is the only filter.
    pub fn lzma1_options(&self) -> Option<*const xz::lzma_options_lzma> {
        match (&self.filters[..], &self.options[..]) {
            ([first, _], [options]) if first.id == xz::LZMA_FILTER_LZMA1 => match &**options {
                Options::Lzma(options) => Some(std::ptr::from_ref(options)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An unsigned number of `bits` bits, called `what` in C.
pub fn unsigned(value: &Object, bits: u32, what: &str, vm: &Vm) -> PyResult<u64> {
    let index = value.as_index(vm)?;
    if index.is_negative() {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match index.to_u64() {
        Some(number) if bits == 64 || number >> bits == 0 => Ok(number),
        _ => Err(vm.overflow_error(format!("Python int too large for C {what}"))),
    }
}

/// A number of the library's type `uint32_t`.
pub fn uint32(value: &Object, vm: &Vm) -> PyResult<u32> {
    Ok(unsigned(value, 32, "uint32_t", vm)? as u32)
}

fn filter_id(value: &Object, vm: &Vm) -> PyResult<u64> {
    unsigned(value, 64, "lzma_vli", vm)
}

fn lzma_preset(preset: u32, vm: &Vm) -> PyResult<xz::lzma_options_lzma> {
    // SAFETY: the library fills it; zero is fine for every field.
    let mut options: xz::lzma_options_lzma = unsafe { std::mem::zeroed() };
    // SAFETY: the options are ours to fill.
    if unsafe { xz::lzma_lzma_preset(&raw mut options, preset) } != 0 {
        return Err(ERROR.raise(format!("Invalid compression preset: {preset}"), vm));
    }
    Ok(options)
}

/// Hands each option but "id" and `skipped` to `take`; a name or value that it refuses makes the specifier invalid.
fn each_option(
    spec: &Object,
    skipped: &str,
    kind: &str,
    vm: &Vm,
    mut take: impl FnMut(&str, u32) -> bool,
) -> PyResult<()> {
    let invalid = || {
        vm.clear_exception();
        vm.value_error(format!("Invalid filter specifier for {kind} filter"))
    };
    let Some(dict) = spec.downcast_ref::<Dict>() else { return Err(invalid()) };
    for (name, value) in dict.items_vec() {
        let Some(name) = name.downcast_ref::<Str>().and_then(Str::as_ascii_str) else {
            return Err(invalid());
        };
        if name == "id" || name == skipped {
            continue;
        }
        let Ok(value) = uint32(&value, vm) else { return Err(invalid()) };
        if !take(name, value) {
            return Err(invalid());
        }
    }
    Ok(())
}

fn entry(spec: &Object, name: &str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match spec.get_item(vm.intern(name).as_object(), vm) {
        Ok(value) => Ok(Some(value)),
        Err(Raised) if vm.exception_matches(types::key_error()) => {
            vm.clear_exception();
            Ok(None)
        }
        Err(Raised) => Err(Raised),
    }
}

/// One specifier.
fn filter(spec: &Object, vm: &Vm) -> PyResult<(u64, Options)> {
    if !taipan_vm::protocols::container::is_mapping(spec) {
        return Err(vm.type_error("Filter specifier must be a dict or dict-like object"));
    }
    let Some(id) = entry(spec, "id", vm)? else {
        return Err(vm.value_error("Filter specifier must have an \"id\" entry"));
    };
    let id = filter_id(&id, vm)?;
    let options = match id {
        xz::LZMA_FILTER_LZMA1 | xz::LZMA_FILTER_LZMA2 => {
            let preset = match entry(spec, "preset", vm)? {
                Some(preset) => uint32(&preset, vm)?,
                None => PRESET_DEFAULT,
            };
            let mut options = lzma_preset(preset, vm)?;
            each_option(spec, "preset", "LZMA", vm, |name, value| {
                let field = match name {
                    "dict_size" => &mut options.dict_size,
                    "lc" => &mut options.lc,
                    "lp" => &mut options.lp,
                    "pb" => &mut options.pb,
                    "mode" => &mut options.mode,
                    "nice_len" => &mut options.nice_len,
                    "mf" => &mut options.mf,
                    "depth" => &mut options.depth,
                    _ => return false,
                };
                *field = value;
                true
            })?;
            Options::Lzma(options)
        }
        xz::LZMA_FILTER_DELTA => {
            // SAFETY: plain numbers and pointers; zero is the type "byte".
            let mut options: xz::lzma_options_delta = unsafe { std::mem::zeroed() };
            options.dist = 1;
            each_option(spec, "", "delta", vm, |name, value| {
                options.dist = value;
                name == "dist"
            })?;
            Options::Delta(options)
        }
        xz::LZMA_FILTER_X86..=xz::LZMA_FILTER_SPARC => {
            let mut options = xz::lzma_options_bcj { start_offset: 0 };
            each_option(spec, "", "BCJ", vm, |name, value| {
                options.start_offset = value;
                name == "start_offset"
            })?;
            Options::Bcj(options)
        }
        id => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
    };
    Ok((id, options))
}

/// `_encode_filter_properties`.
pub fn encode_properties(spec: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let chain = Chain::from_options(vec![filter(spec, vm)?]);
    let mut size = 0;
    // SAFETY: the chain has one filter with its options.
    Code::check(unsafe { xz::lzma_properties_size(&raw mut size, chain.as_ptr()) })
        .map_err(|code| code.raise(vm))?;
    let mut encoded = vec![0; size as usize];
    // SAFETY: as above, and the room is as large as the library asked for.
    Code::check(unsafe { xz::lzma_properties_encode(chain.as_ptr(), encoded.as_mut_ptr()) })
        .map_err(|code| code.raise(vm))?;
    Ok(vm.new_bytes(&encoded))
}

/// Options that the library allocated.
struct Decoded(*mut c_void);

impl Drop for Decoded {
    fn drop(&mut self) {
        // SAFETY: the library's default allocator is malloc.
        unsafe { libc::free(self.0) }
    }
}

/// `_decode_filter_properties`.
pub fn decode_properties(id: &Object, encoded: &[u8], vm: &Vm) -> PyResult<Ref<Dict>> {
    let id = filter_id(id, vm)?;
    let mut filter = xz::lzma_filter { id, options: std::ptr::null_mut() };
    // SAFETY: the properties are as long as told; no allocator means the default one.
    let code = unsafe {
        xz::lzma_properties_decode(&raw mut filter, std::ptr::null(), encoded.as_ptr(), encoded.len())
    };
    Code::check(code).map_err(|code| code.raise(vm))?;
    let decoded = Decoded(filter.options);
    let dict = vm.new_dict();
    let put = |name: &str, value: u64| dict.set_str(&vm.intern(name), &vm.new_int(value), vm);
    put("id", id)?;
    if decoded.0.is_null() {
        return Ok(dict);
    }
    match id {
        xz::LZMA_FILTER_LZMA1 | xz::LZMA_FILTER_LZMA2 => {
            // SAFETY: the library gave the options of this filter.
            let options = unsafe { &*decoded.0.cast::<xz::lzma_options_lzma>() };
            if id == xz::LZMA_FILTER_LZMA1 {
                put("lc", options.lc.into())?;
                put("lp", options.lp.into())?;
                put("pb", options.pb.into())?;
            }
            put("dict_size", options.dict_size.into())?;
        }
        xz::LZMA_FILTER_DELTA => {
            // SAFETY: as above.
            put("dist", unsafe { &*decoded.0.cast::<xz::lzma_options_delta>() }.dist.into())?;
        }
        xz::LZMA_FILTER_X86..=xz::LZMA_FILTER_SPARC => {
            // SAFETY: as above.
            put("start_offset", unsafe { &*decoded.0.cast::<xz::lzma_options_bcj>() }.start_offset.into())?;
        }
        id => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
    }
    Ok(dict)
}
