//! The error handlers themselves: shared pieces, and the functions that `codecs` shows (`codecs.strict_errors` …).

use super::names;
use crate::builtins::str::{StrBuilder, StrData, repr};
use crate::exceptions::unicode_error::UnicodeErrorFields;
use crate::prelude::*;

/// `surrogateescape` when decoding: up to four bytes beyond ASCII become lone surrogates. Gives how many.
pub fn escape_bytes(bad: &[u8], out: &mut StrBuilder) -> usize {
    let taken = bad.iter().take(4).take_while(|&&b| b >= 0x80);
    taken.map(|&b| out.push_char(0xDC00 + u32::from(b))).count()
}

/// `surrogateescape` when encoding: the byte that a surrogate stands for.
pub fn escaped_byte(code: u32) -> Option<u8> {
    if (0xDC80..=0xDCFF).contains(&code) { Some((code - 0xDC00) as u8) } else { None }
}

#[derive(Clone, Copy)]
enum Form {
    Utf8,
    Utf16(bool),
    Utf32(bool),
}

/// The encoding form that a codec's name means, with whether it is big-endian.
fn form_of(encoding: &str) -> Option<Form> {
    let name = encoding.to_ascii_lowercase().replace(['-', '_'], "");
    Some(match name.strip_prefix("utf")? {
        "8" => Form::Utf8,
        "16" | "16le" => Form::Utf16(false),
        "16be" => Form::Utf16(true),
        "32" | "32le" => Form::Utf32(false),
        "32be" => Form::Utf32(true),
        _ => return None,
    })
}

/// `surrogatepass` when encoding: the bytes of surrogates as if they were characters. `None` when a character is
/// none, or the codec isn't one of UTF.
pub fn pass_chars(encoding: &str, chars: StrData<'_>) -> Option<Vec<u8>> {
    let form = form_of(encoding)?;
    let mut out = Vec::with_capacity(chars.len() * 4);
    for code in chars.iter() {
        if !(0xD800..0xE000).contains(&code) {
            return None;
        }
        match form {
            Form::Utf8 => out.extend([0xED, 0x80 | (code >> 6) as u8 & 0x3F, 0x80 | code as u8 & 0x3F]),
            Form::Utf16(true) => out.extend((code as u16).to_be_bytes()),
            Form::Utf16(false) => out.extend((code as u16).to_le_bytes()),
            Form::Utf32(true) => out.extend(code.to_be_bytes()),
            Form::Utf32(false) => out.extend(code.to_le_bytes()),
        }
    }
    Some(out)
}

/// `surrogatepass` when decoding: the surrogate that the bytes begin with, and how many they are.
pub fn pass_bytes(encoding: &str, bytes: &[u8]) -> Option<(u32, usize)> {
    let (code, count) = match (form_of(encoding)?, bytes) {
        (Form::Utf8, [first, second, third, ..])
            if first & 0xF0 == 0xE0 && second & 0xC0 == 0x80 && third & 0xC0 == 0x80 =>
        {
            let code =
                (u32::from(first & 15) << 12) | (u32::from(second & 0x3F) << 6) | u32::from(third & 0x3F);
            (code, 3)
        }
        (Form::Utf16(true), &[a, b, ..]) => (u16::from_be_bytes([a, b]).into(), 2),
        (Form::Utf16(false), &[a, b, ..]) => (u16::from_le_bytes([a, b]).into(), 2),
        (Form::Utf32(true), &[a, b, c, d, ..]) => (u32::from_be_bytes([a, b, c, d]), 4),
        (Form::Utf32(false), &[a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]), 4),
        _ => return None,
    };
    (0xD800..0xE000).contains(&code).then_some((code, count))
}

/// Appends `&#…;`.
pub fn push_char_ref(code: u32, out: &mut StrBuilder) {
    out.push_str(&format!("&#{code};"));
}

/// Appends `\N{…}`, or an escape where the character has no name.
pub fn push_name(code: u32, out: &mut StrBuilder) {
    match names::name_of(code) {
        Some(name) => {
            out.push_str("\\N{");
            out.push_str(&name);
            out.push_char(u32::from(b'}'));
        }
        None => repr::push_escape(code, out),
    }
}

/// What failed, as an exception tells it.
enum Failed {
    Text(Ref<Str>),
    Bytes(Ref<Bytes>),
}

struct Failure {
    encoding: String,
    failed: Failed,
    start: usize,
    end: usize,
    /// Whether text was being encoded (else bytes decoded or text translated).
    encoding_error: bool,
}

#[cold]
fn unknown(error: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("don't know how to handle {} in error callback", error.ob_type().name()))
}

/// Reads a Unicode error's fields; any other object is refused.
fn read(error: &Object, vm: &Vm) -> PyResult<Failure> {
    let tp = error.ob_type();
    let encoding_error = tp.is_subtype_of(types::unicode_encode_error());
    let decoding_error = tp.is_subtype_of(types::unicode_decode_error());
    if !encoding_error && !decoding_error && !tp.is_subtype_of(types::unicode_translate_error()) {
        return Err(unknown(error, vm));
    }
    // SAFETY: the three types share the layout.
    let fields = unsafe { &*error.as_ptr().cast::<UnicodeErrorFields>() };
    let Some(object) = fields.object.get() else { return Err(vm.type_error("object attribute not set")) };
    let failed = if decoding_error {
        match object.downcast::<Bytes>() {
            Ok(bytes) => Failed::Bytes(bytes),
            Err(_) => return Err(vm.type_error("object attribute must be bytes")),
        }
    } else {
        match object.downcast::<Str>() {
            Ok(text) => Failed::Text(text),
            Err(_) => return Err(vm.type_error("object attribute must be unicode")),
        }
    };
    let len = match &failed {
        Failed::Text(text) => text.len(),
        Failed::Bytes(bytes) => bytes.len(),
    };
    let (start, end) = fields.clamped_range(len);
    let encoding = fields
        .encoding
        .get()
        .and_then(|e| e.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()))
        .unwrap_or_default();
    Ok(Failure { encoding, failed, start, end: end.max(start), encoding_error })
}

fn answer(replacement: ObjRef, position: usize, vm: &Vm) -> PyResult<ObjRef> {
    Ok(vm.new_tuple([replacement, vm.new_int(position)]).into_object())
}

/// Raises the exception that a handler was given and can't deal with.
fn raise_given(error: &Object, vm: &Vm) -> Raised {
    match error.to_ref().downcast::<BaseException>() {
        Ok(error) => vm.raise_object(error),
        Err(_) => vm.type_error("codec must pass exception instance"),
    }
}

/// Each character that failed, converted by `push`.
fn escape_text(failure: &Failure, mut push: impl FnMut(u32, &mut StrBuilder), vm: &Vm) -> PyResult<ObjRef> {
    let mut out = StrBuilder::new();
    if let Failed::Text(text) = &failure.failed {
        text.data().slice(failure.start, failure.end).iter().for_each(|c| push(c, &mut out));
    }
    answer(out.try_finish(vm)?.into_object(), failure.end, vm)
}

/// Home of the handlers' function table.
pub struct ErrorCallbacks;

#[pyfunctions(table = ERROR_CALLBACKS)]
impl ErrorCallbacks {
    /// Implements the 'strict' error handling, which raises a UnicodeError on coding errors.
    #[function("($module, exception, /)")]
    fn strict_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Err(raise_given(exception, vm))
    }

    /// Implements the 'ignore' error handling, which ignores malformed data and continues.
    #[function("($module, exception, /)")]
    fn ignore_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        answer(Str::empty().into_object(), failure.end, vm)
    }

    /// Implements the 'replace' error handling, which replaces malformed data with a replacement marker.
    #[function("($module, exception, /)")]
    fn replace_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        let mut out = StrBuilder::new();
        match &failure.failed {
            Failed::Bytes(_) => out.push_char(0xFFFD),
            Failed::Text(_) => {
                let marker = if failure.encoding_error { u32::from(b'?') } else { 0xFFFD };
                out.push_repeated(marker, failure.end - failure.start, vm)?;
            }
        }
        answer(out.try_finish(vm)?.into_object(), failure.end, vm)
    }

    /// Implements the 'xmlcharrefreplace' error handling, for encoding to XML.
    #[function("($module, exception, /)")]
    fn xmlcharrefreplace_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        if !failure.encoding_error {
            return Err(unknown(exception, vm));
        }
        escape_text(&failure, push_char_ref, vm)
    }

    /// Implements the 'backslashreplace' error handling, which writes escape sequences.
    #[function("($module, exception, /)")]
    fn backslashreplace_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        if let Failed::Bytes(bytes) = &failure.failed {
            let mut out = StrBuilder::new();
            let bad = bytes.as_bytes().get(failure.start..failure.end).unwrap_or(&[]);
            bad.iter().for_each(|&b| repr::push_escape(b.into(), &mut out));
            return answer(out.try_finish(vm)?.into_object(), failure.end, vm);
        }
        escape_text(&failure, repr::push_escape, vm)
    }

    /// Implements the 'namereplace' error handling, which writes the characters' names.
    #[function("($module, exception, /)")]
    fn namereplace_errors(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        if !failure.encoding_error {
            return Err(unknown(exception, vm));
        }
        escape_text(&failure, push_name, vm)
    }

    #[function("($module, exception, /)")]
    fn surrogatepass(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        match &failure.failed {
            Failed::Text(text) if failure.encoding_error => {
                match pass_chars(&failure.encoding, text.data().slice(failure.start, failure.end)) {
                    Some(bytes) => answer(vm.new_bytes(&bytes).into_object(), failure.end, vm),
                    None => Err(raise_given(exception, vm)),
                }
            }
            Failed::Bytes(bytes) => {
                match pass_bytes(&failure.encoding, bytes.as_bytes().get(failure.start..).unwrap_or(&[])) {
                    Some((code, count)) => {
                        answer(Str::from_char(code, vm).into_object(), failure.start + count, vm)
                    }
                    None => Err(raise_given(exception, vm)),
                }
            }
            Failed::Text(_) => Err(unknown(exception, vm)),
        }
    }

    #[function("($module, exception, /)")]
    fn surrogateescape(exception: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let failure = read(exception, vm)?;
        match &failure.failed {
            Failed::Text(text) if failure.encoding_error => {
                let bad = text.data().slice(failure.start, failure.end);
                let bytes: Option<Vec<u8>> = bad.iter().map(escaped_byte).collect();
                match bytes {
                    Some(bytes) => answer(vm.new_bytes(&bytes).into_object(), failure.end, vm),
                    None => Err(raise_given(exception, vm)),
                }
            }
            Failed::Bytes(bytes) => {
                let mut out = StrBuilder::new();
                let bad = bytes.as_bytes().get(failure.start..failure.end).unwrap_or(&[]);
                match escape_bytes(bad, &mut out) {
                    0 => Err(raise_given(exception, vm)),
                    count => answer(out.try_finish(vm)?.into_object(), failure.start + count, vm),
                }
            }
            Failed::Text(_) => Err(unknown(exception, vm)),
        }
    }
}
