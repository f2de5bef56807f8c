//! The native module `_codecs`: what `codecs` and the modules of `encodings` are built on.

use super::utf16_32::Order;
use super::{charmap, escape, narrow, registry, utf7, utf8, utf16_32};
use crate::prelude::*;
use crate::protocols::buffer::{self, Buffer};

/// The module's name space.
pub struct CodecsModule;

/// The name of an error handler, `strict` when it is None or not given.
fn errors_arg<'a>(errors: Option<&'a Object>, function: &str, vm: &Vm) -> PyResult<&'a str> {
    match errors {
        Some(errors) if !vm.is_none(errors) => match errors.downcast_ref::<Str>() {
            Some(text) => text.to_utf8(vm),
            None => Err(vm.type_error(format!(
                "{function}() argument 2 must be str or None, not {}",
                errors.ob_type().name()
            ))),
        },
        _ => Ok("strict"),
    }
}

/// Bytes to decode, held while they are.
enum Data {
    Text(Ref<Str>),
    Buffer(Buffer),
}

impl Data {
    fn bytes(&self) -> &[u8] {
        match self {
            Data::Text(text) => text.cached_utf8().map_or(&[], str::as_bytes),
            Data::Buffer(buffer) => buffer.as_bytes(),
        }
    }

    fn source(&self) -> Option<&Bytes> {
        match self {
            Data::Buffer(buffer) => buffer.owner().and_then(|o| o.downcast_ref::<Bytes>()),
            Data::Text(_) => None,
        }
    }
}

fn bytes_like(data: &Object, vm: &Vm) -> PyResult<Data> {
    data.get_buffer(buffer::SIMPLE, vm).map(Data::Buffer)
}

/// Escapes may be given as text too, which counts as its UTF-8 form.
fn text_or_bytes(data: &Object, vm: &Vm) -> PyResult<Data> {
    match data.downcast_ref::<Str>() {
        Some(text) => {
            text.to_utf8(vm)?;
            Ok(Data::Text(text.into()))
        }
        None => bytes_like(data, vm),
    }
}

fn pair<T: PyLayout>(made: Ref<T>, used: usize, vm: &Vm) -> PyResult<ObjRef> {
    Ok(vm.new_tuple([made.into_object(), vm.new_int(used)]).into_object())
}

fn encoded(made: PyResult<Ref<Bytes>>, text: &Str, vm: &Vm) -> PyResult<ObjRef> {
    pair(made?, text.len(), vm)
}

fn optional<'a>(mapping: Option<&'a Object>, vm: &Vm) -> Option<&'a Object> {
    mapping.filter(|m| !vm.is_none(m))
}

fn no_nul(name: &str, vm: &Vm) -> PyResult<()> {
    if name.contains('\0') { Err(vm.value_error("embedded null character")) } else { Ok(()) }
}

#[pymodule(name = "_codecs")]
impl CodecsModule {
    /// Register a codec search function.
    ///
    /// Search functions are expected to take one argument, the encoding name in
    /// all lower case letters, and either return None, or a tuple of functions
    /// (encoder, decoder, stream_reader, stream_writer) (or a CodecInfo object).
    #[function("($module, search_function, /)")]
    fn register(search_function: &Object, vm: &Vm) -> PyResult<()> {
        registry::register(search_function, vm)
    }

    /// Unregister a codec search function and clear the registry's cache.
    #[function("($module, search_function, /)")]
    fn unregister(search_function: &Object, vm: &Vm) {
        registry::unregister(search_function, vm);
    }

    /// Looks up a codec tuple in the Python codec registry and returns a CodecInfo object.
    #[function("($module, encoding, /)")]
    fn lookup(encoding: &str, vm: &Vm) -> PyResult<ObjRef> {
        no_nul(encoding, vm)?;
        registry::lookup(encoding, vm).map(Ref::into_object)
    }

    /// Encodes obj using the codec registered for encoding.
    #[function("($module, /, obj, encoding='utf-8', errors='strict')")]
    fn encode(obj: &Object, encoding: Option<&str>, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
        registry::encode(obj, encoding.unwrap_or("utf-8"), errors, vm)
    }

    /// Decodes obj using the codec registered for encoding.
    #[function("($module, /, obj, encoding='utf-8', errors='strict')")]
    fn decode(obj: &Object, encoding: Option<&str>, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
        registry::decode(obj, encoding.unwrap_or("utf-8"), errors, vm)
    }

    /// Register the specified error handler under the name errors.
    #[function("($module, errors, handler, /)")]
    fn register_error(errors: &str, handler: &Object, vm: &Vm) -> PyResult<()> {
        registry::register_error(errors, handler, vm)
    }

    /// Un-register the specified error handler for the error handling `errors`.
    #[function("($module, errors, /)")]
    fn _unregister_error(errors: &str, vm: &Vm) -> PyResult<bool> {
        registry::unregister_error(errors, vm)
    }

    /// Return the error handler for the specified error handling name.
    #[function("($module, name, /)")]
    fn lookup_error(name: &str, vm: &Vm) -> PyResult<ObjRef> {
        no_nul(name, vm)?;
        registry::lookup_error(name, vm)
    }

    /// The bytes of a bytes-like object, or of a text as UTF-8.
    #[function("($module, data, errors=None, /)")]
    fn readbuffer_encode(data: &Object, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let data = text_or_bytes(data, vm)?;
        errors_arg(errors, "readbuffer_encode", vm)?;
        pair(Bytes::try_from_slice(data.bytes(), vm)?, data.bytes().len(), vm)
    }

    #[function("($module, data, errors=None, /)")]
    fn escape_decode(data: &Object, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let data = text_or_bytes(data, vm)?;
        let errors = errors_arg(errors, "escape_decode", vm)?;
        pair(escape::decode_bytes(data.bytes(), errors, vm)?, data.bytes().len(), vm)
    }

    #[function("($module, data, errors=None, /)")]
    fn escape_encode(data: &Bytes, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        errors_arg(errors, "escape_encode", vm)?;
        pair(escape::encode_bytes(data.as_bytes(), vm)?, data.len(), vm)
    }

    #[function("($module, data, errors=None, /)")]
    fn ascii_decode(data: &Object, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "ascii_decode", vm)?;
        pair(narrow::decode_ascii(data.bytes(), data.source(), errors, vm)?, data.bytes().len(), vm)
    }

    #[function("($module, data, errors=None, /)")]
    fn latin_1_decode(data: &Object, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        errors_arg(errors, "latin_1_decode", vm)?;
        pair(Str::try_from_latin1(data.bytes(), vm)?, data.bytes().len(), vm)
    }

    #[function("($module, data, errors=None, mapping=None, /)")]
    fn charmap_decode(
        data: &Object,
        errors: Option<&Object>,
        mapping: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "charmap_decode", vm)?;
        let text = charmap::decode(data.bytes(), data.source(), errors, optional(mapping, vm), vm)?;
        pair(text, data.bytes().len(), vm)
    }

    #[function("($module, str, errors=None, mapping=None, /)")]
    fn charmap_encode(
        str: &Str,
        errors: Option<&Object>,
        mapping: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "charmap_encode", vm)?;
        encoded(charmap::encode(str, errors, optional(mapping, vm), vm), str, vm)
    }

    #[function("($module, map, /)")]
    fn charmap_build(map: &Str, vm: &Vm) -> PyResult<ObjRef> {
        charmap::build(map, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn ascii_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "ascii_encode", vm)?;
        encoded(narrow::encode_ascii(str, errors, vm), str, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn latin_1_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "latin_1_encode", vm)?;
        encoded(narrow::encode_latin1(str, errors, vm), str, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_8_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_8_encode", vm)?;
        encoded(utf8::encode(str, errors, vm), str, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_7_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let _errors = errors_arg(errors, "utf_7_encode", vm)?;
        encoded(utf7::encode(str, vm), str, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn unicode_escape_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let _errors = errors_arg(errors, "unicode_escape_encode", vm)?;
        encoded(escape::encode_unicode(str, vm), str, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn raw_unicode_escape_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let _errors = errors_arg(errors, "raw_unicode_escape_encode", vm)?;
        encoded(escape::encode_raw_unicode(str, vm), str, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_8_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_8_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) = utf8::decode(data.bytes(), data.source(), errors, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_7_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_7_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) = utf7::decode(data.bytes(), data.source(), errors, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, data, errors=None, final=True, /)")]
    fn unicode_escape_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = text_or_bytes(data, vm)?;
        let errors = errors_arg(errors, "unicode_escape_decode", vm)?;
        let whole = r#final.unwrap_or(true);
        let (text, used) = escape::decode_unicode(data.bytes(), data.source(), errors, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, data, errors=None, final=True, /)")]
    fn raw_unicode_escape_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = text_or_bytes(data, vm)?;
        let errors = errors_arg(errors, "raw_unicode_escape_decode", vm)?;
        let whole = r#final.unwrap_or(true);
        let (text, used) = escape::decode_raw_unicode(data.bytes(), data.source(), errors, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, str, errors=None, byteorder=0, /)")]
    fn utf_16_encode(
        str: &Str,
        errors: Option<&Object>,
        byteorder: Option<i32>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_16_encode", vm)?;
        let order = Order::from_number(byteorder.unwrap_or(0));
        encoded(utf16_32::encode16(str, errors, order, vm), str, vm)
    }

    #[function("($module, data, errors=None, byteorder=0, final=False, /)")]
    fn utf_16_ex_decode(
        data: &Object,
        errors: Option<&Object>,
        byteorder: Option<i32>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_16_ex_decode", vm)?;
        let mut order = Order::from_number(byteorder.unwrap_or(0));
        let whole = r#final.unwrap_or(false);
        let (text, used) = utf16_32::decode16(data.bytes(), data.source(), errors, &mut order, whole, vm)?;
        Ok(vm.new_tuple([text.into_object(), vm.new_int(used), vm.new_int(order.number())]).into_object())
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_16_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_16_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode16(data.bytes(), data.source(), errors, &mut { Order::Marked }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_16_le_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_16_le_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode16(data.bytes(), data.source(), errors, &mut { Order::Little }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_16_le_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_16_le_encode", vm)?;
        encoded(utf16_32::encode16(str, errors, Order::Little, vm), str, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_16_be_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_16_be_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode16(data.bytes(), data.source(), errors, &mut { Order::Big }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_16_be_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_16_be_encode", vm)?;
        encoded(utf16_32::encode16(str, errors, Order::Big, vm), str, vm)
    }

    #[function("($module, str, errors=None, byteorder=0, /)")]
    fn utf_32_encode(
        str: &Str,
        errors: Option<&Object>,
        byteorder: Option<i32>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_32_encode", vm)?;
        let order = Order::from_number(byteorder.unwrap_or(0));
        encoded(utf16_32::encode32(str, errors, order, vm), str, vm)
    }

    #[function("($module, data, errors=None, byteorder=0, final=False, /)")]
    fn utf_32_ex_decode(
        data: &Object,
        errors: Option<&Object>,
        byteorder: Option<i32>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_32_ex_decode", vm)?;
        let mut order = Order::from_number(byteorder.unwrap_or(0));
        let whole = r#final.unwrap_or(false);
        let (text, used) = utf16_32::decode32(data.bytes(), data.source(), errors, &mut order, whole, vm)?;
        Ok(vm.new_tuple([text.into_object(), vm.new_int(used), vm.new_int(order.number())]).into_object())
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_32_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_32_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode32(data.bytes(), data.source(), errors, &mut { Order::Marked }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_32_le_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_32_le_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode32(data.bytes(), data.source(), errors, &mut { Order::Little }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_32_le_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_32_le_encode", vm)?;
        encoded(utf16_32::encode32(str, errors, Order::Little, vm), str, vm)
    }

    #[function("($module, data, errors=None, final=False, /)")]
    fn utf_32_be_decode(
        data: &Object,
        errors: Option<&Object>,
        r#final: Option<bool>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let data = bytes_like(data, vm)?;
        let errors = errors_arg(errors, "utf_32_be_decode", vm)?;
        let whole = r#final.unwrap_or(false);
        let (text, used) =
            utf16_32::decode32(data.bytes(), data.source(), errors, &mut { Order::Big }, whole, vm)?;
        pair(text, used, vm)
    }

    #[function("($module, str, errors=None, /)")]
    fn utf_32_be_encode(str: &Str, errors: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let errors = errors_arg(errors, "utf_32_be_encode", vm)?;
        encoded(utf16_32::encode32(str, errors, Order::Big, vm), str, vm)
    }
}
