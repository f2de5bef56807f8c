//! `marshal`: Python objects as bytes, the format of `.pyc` files.

mod read;
pub(crate) mod write;

use read::{Reader, Source};
use taipan_vm::prelude::*;
use write::Writer;

/// The module.
pub struct Marshal;

/// How deep values may nest.
const MAX_DEPTH: usize = 2000;

/// A str in UTF-8, surrogates as three bytes.
pub(crate) fn wtf8(text: &Str) -> Vec<u8> {
    if let Some(ascii) = text.as_ascii_str() {
        return ascii.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    for code in (0..text.len()).filter_map(|at| text.char_at(at)) {
        match char::from_u32(code) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend([
                0xE0 | (code >> 12) as u8,
                0x80 | (code >> 6 & 0x3F) as u8,
                0x80 | (code & 0x3F) as u8,
            ]),
        }
    }
    out
}

/// This module contains functions that can read and write Python values in
/// a binary format. The format is specific to Python, but independent of
/// machine architecture issues.
#[pymodule(name = "marshal")]
impl Marshal {
    /// Return the bytes object that would be written to a file by dump(value, file).
    ///
    ///   value
    ///     Must be a supported type.
    ///   version
    ///     Indicates the data format that dumps should use.
    ///   allow_code
    ///     Allow to write code objects.
    ///
    /// Raise a ValueError exception if value has (or contains an object that has) an
    /// unsupported type.
    #[function("($module, value, version=version, /, *, allow_code=True)")]
    fn dumps(
        value: &Object,
        version: Option<i32>,
        allow_code: Option<bool>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        taipan_vm::runtime::audit::audit("marshal.dumps", &[value, &vm.new_int(version.unwrap_or(5))], vm)?;
        let mut writer = Writer::new(version.unwrap_or(5), allow_code.unwrap_or(true), vm);
        writer.value(value, 0)?;
        Ok(vm.new_bytes(&writer.out))
    }

    /// Convert the bytes-like object to a value.
    ///
    ///   allow_code
    ///     Allow to load code objects.
    ///
    /// If no valid value is found, raise EOFError, ValueError or TypeError.  Extra
    /// bytes in the input are ignored.
    #[function("($module, bytes, /, *, allow_code=True)")]
    fn loads(bytes: BufferArg, allow_code: Option<bool>, vm: &Vm) -> PyResult {
        if taipan_vm::runtime::audit::is_active(vm) {
            let shown = vm.new_bytes(bytes.as_bytes());
            taipan_vm::runtime::audit::audit("marshal.loads", &[shown.as_object()], vm)?;
        }
        let mut reader = Reader::new(Source::Bytes(bytes.as_bytes()), allow_code.unwrap_or(true), vm);
        reader.required("object", 0)
    }

    /// Write the value on the open file.
    ///
    ///   value
    ///     Must be a supported type.
    ///   file
    ///     Must be a writeable binary file.
    ///   version
    ///     Indicates the data format that dump should use.
    ///   allow_code
    ///     Allow to write code objects.
    ///
    /// If the value has (or contains an object that has) an unsupported type, a
    /// ValueError exception is raised - but garbage data will also be written
    /// to the file. The object will not be properly read back by load().
    #[function("($module, value, file, version=version, /, *, allow_code=True)")]
    fn dump(
        value: &Object,
        file: &Object,
        version: Option<i32>,
        allow_code: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let data = Marshal::dumps(value, version, allow_code, vm)?;
        file.call_method(vm.ids().write, &[data.as_object()], vm)
    }

    /// Read one value from the open file and return it.
    ///
    ///   file
    ///     Must be readable binary file.
    ///   allow_code
    ///     Allow to load code objects.
    ///
    /// If no valid value is read (e.g. because the data has a different Python
    /// version's incompatible marshal format), raise EOFError, ValueError or
    /// TypeError.
    ///
    /// Note: If an object containing an unsupported type was marshalled with
    /// dump(), load() will substitute None for the unmarshallable type.
    #[function("($module, file, /, *, allow_code=True)")]
    fn load(file: &Object, allow_code: Option<bool>, vm: &Vm) -> PyResult {
        let probe = file.call_method(vm.ids().read, &[&vm.new_int(0)], vm)?;
        if probe.downcast_ref::<Bytes>().is_none() {
            return Err(
                vm.type_error(format!("file.read() returned not bytes but {}", probe.ob_type().name()))
            );
        }
        taipan_vm::runtime::audit::audit("marshal.load", &[], vm)?;
        Reader::new(Source::File(file), allow_code.unwrap_or(true), vm).required("object", 0)
    }

    #[constant]
    fn version() -> i32 {
        5
    }
}
