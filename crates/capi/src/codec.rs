//! Encoding and decoding (C API manual, "Built-in Codecs" and "Codec registry and support functions").

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::builtins::codecs_core::utf16_32::Order;
use taipan_vm::builtins::codecs_core::{self, escape, narrow, registry, utf7, utf8, utf16_32};
use taipan_vm::prelude::*;

use crate::support::*;
use crate::unicode::text;

/// The name of the error handler.
fn handler(errors: Option<&CStr>) -> String {
    errors.map_or_else(|| "strict".to_owned(), |errors| lossy(errors).into_owned())
}

fn encoding_name(encoding: Option<&CStr>) -> String {
    encoding.map_or_else(|| "utf-8".to_owned(), |encoding| lossy(encoding).into_owned())
}

/// Stores how many bytes were read.
fn consumed(result: (Ref<Str>, usize), place: *mut isize) -> Ref<Str> {
    if !place.is_null() {
        // SAFETY: the place is the caller's variable.
        unsafe { *place = signed(result.1) };
    }
    result.0
}

fn as_bytes(result: ObjRef, encoding: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    result.downcast::<Bytes>().map_err(|other| {
        vm.type_error(format!(
            "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
            other.ob_type().name()
        ))
    })
}

macro_rules! stateless {
    ($($decode:ident $encode:ident $name:literal;)*) => {
        capi! {$(
            fn $decode(vm, data: *const c_char, length: isize, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
                let bytes = vm.new_bytes(bytes_at(data.cast(), size(length, vm)?));
                codecs_core::decode_object(bytes.as_object(), bytes.as_bytes(), $name, &handler(errors), vm)
            }

            fn $encode(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
                as_bytes(codecs_core::encode_str(text(object, vm)?, $name, "strict", vm)?, $name, vm)
            }
        )*}
    };
}

stateless! {
    PyUnicode_DecodeLatin1 PyUnicode_AsLatin1String "latin-1";
    PyUnicode_DecodeASCII PyUnicode_AsASCIIString "ascii";
    PyUnicode_DecodeUnicodeEscape PyUnicode_AsUnicodeEscapeString "unicode_escape";
    PyUnicode_DecodeRawUnicodeEscape PyUnicode_AsRawUnicodeEscapeString "raw_unicode_escape";
}

macro_rules! wide {
    ($($decode:ident $stateful:ident $encode:ident $decoder:ident $encoder:ident;)*) => {
        capi! {$(
            fn $decode(vm, data: *const c_char, length: isize, errors: Option<&CStr>, order: *mut c_int) -> PyResult<Ref<Str>> {
                let data = bytes_at(data.cast(), size(length, vm)?);
                decode_wide(data, errors, order, std::ptr::null_mut(), utf16_32::$decoder, vm)
            }

            fn $stateful(vm, data: *const c_char, length: isize, errors: Option<&CStr>, order: *mut c_int, used: *mut isize) -> PyResult<Ref<Str>> {
                let data = bytes_at(data.cast(), size(length, vm)?);
                decode_wide(data, errors, order, used, utf16_32::$decoder, vm)
            }

            fn $encode(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
                utf16_32::$encoder(text(object, vm)?, "strict", Order::from_number(0), vm)
            }
        )*}
    };
}

wide! {
    PyUnicode_DecodeUTF16 PyUnicode_DecodeUTF16Stateful PyUnicode_AsUTF16String decode16 encode16;
    PyUnicode_DecodeUTF32 PyUnicode_DecodeUTF32Stateful PyUnicode_AsUTF32String decode32 encode32;
}

type WideDecoder = fn(&[u8], Option<&Bytes>, &str, &mut Order, bool, &Vm) -> PyResult<(Ref<Str>, usize)>;

fn decode_wide(
    data: &[u8],
    errors: Option<&CStr>,
    order: *mut c_int,
    used: *mut isize,
    decode: WideDecoder,
    vm: &Vm,
) -> PyResult<Ref<Str>> {
    // SAFETY: null or the caller's variable.
    let mut found = Order::from_number(unsafe { order.as_ref() }.copied().unwrap_or(0));
    let decoded = decode(data, None, &handler(errors), &mut found, used.is_null(), vm)?;
    if !order.is_null() {
        // SAFETY: as above.
        unsafe { *order = found.number() };
    }
    Ok(consumed(decoded, used))
}

capi! {
    fn PyUnicode_Decode(vm, data: *const c_char, length: isize, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let bytes = vm.new_bytes(bytes_at(data.cast(), size(length, vm)?));
        codecs_core::decode_object(bytes.as_object(), bytes.as_bytes(), &encoding_name(encoding), &handler(errors), vm)
    }

    fn PyUnicode_DecodeUTF8(vm, data: *const c_char, length: isize, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        match std::str::from_utf8(data) {
            Ok(text) => Str::try_from_str(text, vm),
            Err(_) => utf8::decode(data, None, &handler(errors), true, vm).map(|decoded| decoded.0),
        }
    }

    fn PyUnicode_DecodeUTF8Stateful(vm, data: *const c_char, length: isize, errors: Option<&CStr>, used: *mut isize) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        Ok(consumed(utf8::decode(data, None, &handler(errors), used.is_null(), vm)?, used))
    }

    fn PyUnicode_DecodeUTF7(vm, data: *const c_char, length: isize, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        utf7::decode(data, None, &handler(errors), true, vm).map(|decoded| decoded.0)
    }

    fn PyUnicode_DecodeUTF7Stateful(vm, data: *const c_char, length: isize, errors: Option<&CStr>, used: *mut isize) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        Ok(consumed(utf7::decode(data, None, &handler(errors), used.is_null(), vm)?, used))
    }

    fn PyUnicode_DecodeCharmap(vm, data: *const c_char, length: isize, mapping: Option<&Object>, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        codecs_core::charmap::decode(data, None, &handler(errors), mapping, vm)
    }

    fn PyUnicode_AsCharmapString(vm, object: Option<&Object>, mapping: Option<&Object>) -> PyResult<Ref<Bytes>> {
        codecs_core::charmap::encode(text(object, vm)?, "strict", mapping, vm)
    }

    fn PyUnicode_BuildEncodingMap(vm, table: &Object) -> PyResult {
        codecs_core::charmap::build(text(Some(table), vm)?, vm)
    }

    fn PyUnicode_AsUTF8String(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
        utf8::encode(text(object, vm)?, "strict", vm)
    }

    fn _PyUnicode_AsUTF8String(vm, object: Option<&Object>, errors: Option<&CStr>) -> PyResult<Ref<Bytes>> {
        utf8::encode(text(object, vm)?, &handler(errors), vm)
    }

    fn _PyUnicode_AsLatin1String(vm, object: Option<&Object>, errors: Option<&CStr>) -> PyResult<Ref<Bytes>> {
        narrow::encode_latin1(text(object, vm)?, &handler(errors), vm)
    }

    fn _PyUnicode_AsASCIIString(vm, object: Option<&Object>, errors: Option<&CStr>) -> PyResult<Ref<Bytes>> {
        narrow::encode_ascii(text(object, vm)?, &handler(errors), vm)
    }

    fn PyUnicode_AsEncodedString(vm, object: Option<&Object>, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Ref<Bytes>> {
        let encoding = encoding_name(encoding);
        as_bytes(codecs_core::encode_str(text(object, vm)?, &encoding, &handler(errors), vm)?, &encoding, vm)
    }

    fn PyUnicode_AsEncodedObject(vm, object: Option<&Object>, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        let errors = handler(errors);
        registry::encode(text(object, vm)?.as_object(), &encoding_name(encoding), Some(&errors), vm)
    }

    fn PyUnicode_FromEncodedObject(vm, object: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        if object.downcast_ref::<Str>().is_some() {
            return Err(vm.type_error("decoding str is not supported"));
        }
        taipan_vm::builtins::str::decode_object(object, &encoding_name(encoding), &handler(errors), vm)
    }

    fn PyCodec_Register(vm, search: &Object) -> PyResult<()> {
        registry::register(search, vm)
    }

    fn PyCodec_Unregister(vm, search: &Object) -> PyResult<()> {
        registry::unregister(search, vm);
        Ok(())
    }

    fn PyCodec_KnownEncoding(vm, encoding: &CStr) -> bool {
        let known = registry::lookup(&lossy(encoding), vm).is_ok();
        vm.clear_exception();
        known
    }

    fn _PyCodec_Lookup(vm, encoding: &CStr) -> PyResult<Ref<Tuple>> {
        registry::lookup(&lossy(encoding), vm)
    }

    fn PyCodec_Encode(vm, object: &Object, encoding: &CStr, errors: Option<&CStr>) -> PyResult {
        let errors = errors.map(lossy);
        registry::encode(object, &lossy(encoding), errors.as_deref(), vm)
    }

    fn PyCodec_Decode(vm, object: &Object, encoding: &CStr, errors: Option<&CStr>) -> PyResult {
        let errors = errors.map(lossy);
        registry::decode(object, &lossy(encoding), errors.as_deref(), vm)
    }

    fn PyCodec_Encoder(vm, encoding: &CStr) -> PyResult {
        part(encoding, 0, vm)
    }

    fn PyCodec_Decoder(vm, encoding: &CStr) -> PyResult {
        part(encoding, 1, vm)
    }

    fn PyCodec_StreamReader(vm, encoding: &CStr, stream: &Object, errors: Option<&CStr>) -> PyResult {
        stream_part(encoding, 2, stream, errors, vm)
    }

    fn PyCodec_StreamWriter(vm, encoding: &CStr, stream: &Object, errors: Option<&CStr>) -> PyResult {
        stream_part(encoding, 3, stream, errors, vm)
    }

    fn PyCodec_IncrementalEncoder(vm, encoding: &CStr, errors: Option<&CStr>) -> PyResult {
        incremental(encoding, "incrementalencoder", errors, vm)
    }

    fn PyCodec_IncrementalDecoder(vm, encoding: &CStr, errors: Option<&CStr>) -> PyResult {
        incremental(encoding, "incrementaldecoder", errors, vm)
    }

    fn PyCodec_RegisterError(vm, name: &CStr, handler: &Object) -> PyResult<()> {
        registry::register_error(&lossy(name), handler, vm)
    }

    fn PyCodec_LookupError(vm, name: Option<&CStr>) -> PyResult {
        registry::lookup_error(&handler(name), vm)
    }

    fn PyCodec_StrictErrors(vm, exception: &Object) -> PyResult {
        handle("strict", exception, vm)
    }

    fn PyCodec_IgnoreErrors(vm, exception: &Object) -> PyResult {
        handle("ignore", exception, vm)
    }

    fn PyCodec_ReplaceErrors(vm, exception: &Object) -> PyResult {
        handle("replace", exception, vm)
    }

    fn PyCodec_XMLCharRefReplaceErrors(vm, exception: &Object) -> PyResult {
        handle("xmlcharrefreplace", exception, vm)
    }

    fn PyCodec_BackslashReplaceErrors(vm, exception: &Object) -> PyResult {
        handle("backslashreplace", exception, vm)
    }

    fn PyCodec_NameReplaceErrors(vm, exception: &Object) -> PyResult {
        handle("namereplace", exception, vm)
    }

    fn _PyUnicode_DecodeUnicodeEscapeStateful(vm, data: *const c_char, length: isize, errors: Option<&CStr>, used: *mut isize) -> PyResult<Ref<Str>> {
        let data = bytes_at(data.cast(), size(length, vm)?);
        Ok(consumed(escape::decode_unicode(data, None, &handler(errors), used.is_null(), vm)?, used))
    }
}

fn handle(name: &str, exception: &Object, vm: &Vm) -> PyResult {
    registry::lookup_error(name, vm)?.call(&[exception], vm)
}

/// A member of a codec's tuple: encode, decode, stream reader, stream writer.
fn part(encoding: &CStr, index: usize, vm: &Vm) -> PyResult {
    let codec = registry::lookup(&lossy(encoding), vm)?;
    codec.get(index).map(Object::to_ref).ok_or_else(|| bad_internal_call(vm))
}

fn stream_part(encoding: &CStr, index: usize, stream: &Object, errors: Option<&CStr>, vm: &Vm) -> PyResult {
    let class = part(encoding, index, vm)?;
    match errors {
        Some(errors) => class.call(&[stream, vm.new_str(&lossy(errors)).as_object()], vm),
        None => class.call(&[stream], vm),
    }
}

fn incremental(encoding: &CStr, attribute: &str, errors: Option<&CStr>, vm: &Vm) -> PyResult {
    let codec = registry::lookup(&lossy(encoding), vm)?;
    let class = codec.as_object().get_attr(&vm.intern(attribute), vm)?;
    match errors {
        Some(errors) => class.call(&[vm.new_str(&lossy(errors)).as_object()], vm),
        None => class.call_no_args(vm),
    }
}
