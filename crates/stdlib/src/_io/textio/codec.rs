//! How text streams convert: UTF-8, ASCII and Latin-1 right here, everything else by the codec's incremental objects.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::codecs_core::{narrow, registry, utf8};
use taipan_vm::prelude::*;

use crate::_io::newlines::{IncrementalNewlineDecoder, Newline, Newlines};

/// The encodings that are done right here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Native {
    /// `utf-8`
    Utf8,
    /// `ascii`
    Ascii,
    /// `iso8859-1`
    Latin1,
}

impl Native {
    /// By the name that programs give.
    pub fn from_encoding(name: &str) -> Option<Native> {
        Some(match name.to_ascii_lowercase().replace('-', "_").as_str() {
            "utf_8" | "utf8" => Native::Utf8,
            "ascii" | "us_ascii" => Native::Ascii,
            "latin1" | "latin_1" | "iso_8859_1" | "iso8859_1" => Native::Latin1,
            _ => return None,
        })
    }

    /// The text's bytes.
    pub fn encode(self, text: &Str, errors: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        match self {
            Native::Utf8 => utf8::encode(text, errors, vm),
            Native::Ascii => narrow::encode_ascii(text, errors, vm),
            Native::Latin1 => narrow::encode_latin1(text, errors, vm),
        }
    }
}

/// What turns a stream's bytes into text.
pub enum Decoder {
    /// One of the encodings done right here, with the newline translation.
    Native {
        /// Which one.
        native: Native,
        /// The name of the error handler.
        errors: String,
        /// An incomplete character at the end of the last piece.
        rest: RefCell<Vec<u8>>,
        /// Universal newlines, when the stream has them.
        newlines: Option<Newlines>,
        /// Whether line ends become `\n`.
        translate: bool,
    },
    /// A decoder object.
    Object(ObjRef),
}

impl Decoder {
    /// The decoder of a codec for a stream with the given newlines.
    pub fn new(codec: &Codec, errors: &Str, newline: Newline, vm: &Vm) -> PyResult<Decoder> {
        if let Some(native) = codec.native {
            return Ok(Decoder::Native {
                native,
                errors: errors.to_utf8(vm)?.to_owned(),
                rest: RefCell::default(),
                newlines: newline.is_universal().then(Newlines::default),
                translate: newline == Newline::Translate,
            });
        }
        let decoder = codec.incremental("incrementaldecoder", errors, vm)?;
        if newline.is_universal() {
            let translate = newline == Newline::Translate;
            return Ok(Decoder::Object(
                IncrementalNewlineDecoder::over(&decoder, translate, vm).into_object(),
            ));
        }
        Ok(Decoder::Object(decoder))
    }

    /// Decodes the next bytes; `last` says that no more will come.
    pub fn decode(&self, input: &Object, last: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        match self {
            Decoder::Native { .. } => match input.downcast_ref::<Bytes>() {
                Some(bytes) => self.decode_bytes(bytes.as_bytes(), last, vm),
                None => {
                    let buffer = input.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?;
                    self.decode_bytes(buffer.as_bytes(), last, vm)
                }
            },
            Decoder::Object(decoder) => {
                if let Some(decoder) = decoder.downcast_exact::<IncrementalNewlineDecoder>() {
                    return decoder.decode_object(input, last, vm);
                }
                let text = decoder.call_method(vm.ids().decode, &[input, &vm.new_bool(last)], vm)?;
                text.downcast::<Str>().map_err(|other| {
                    let given = other.ob_type().name();
                    vm.type_error(format!("decoder should return a string result, not '{given}'"))
                })
            }
        }
    }

    fn decode_bytes(&self, input: &[u8], last: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        let Decoder::Native { native, errors, rest, newlines, translate } = self else {
            return Err(vm.system_error("decoder without bytes"));
        };
        let text = match native {
            Native::Latin1 => Str::try_from_latin1(input, vm)?,
            Native::Ascii => narrow::decode_ascii(input, None, errors, vm)?,
            Native::Utf8 => {
                let before = rest.take();
                if before.is_empty() {
                    let (text, used) = utf8::decode(input, None, errors, last, vm)?;
                    if let Some(left) = input.get(used..).filter(|left| !left.is_empty()) {
                        rest.replace(left.to_vec());
                    }
                    text
                } else {
                    let mut all = before;
                    all.extend_from_slice(input);
                    let (text, used) = utf8::decode(&all, None, errors, last, vm)?;
                    all.drain(..used.min(all.len()));
                    rest.replace(all);
                    text
                }
            }
        };
        match newlines {
            Some(newlines) => newlines.feed(text, *translate, last, vm),
            None => Ok(text),
        }
    }

    /// Undecoded bytes and flags (`getstate`).
    pub fn state(&self, vm: &Vm) -> PyResult<(Ref<Bytes>, u64)> {
        match self {
            Decoder::Native { rest, newlines, .. } => {
                let bytes = vm.new_bytes(&rest.borrow());
                Ok((bytes, u64::from(newlines.as_ref().is_some_and(Newlines::pending))))
            }
            Decoder::Object(decoder) => {
                let state = decoder.call_method(&vm.intern("getstate"), &[], vm)?;
                let Some([buffer, flags]) = state.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
                    return Err(vm.type_error("illegal decoder state"));
                };
                let Some(buffer) = buffer.downcast_ref::<Bytes>() else {
                    let given = buffer.ob_type().name();
                    return Err(vm.type_error(format!(
                        "illegal decoder state: the first item should be a bytes object, not '{given}'"
                    )));
                };
                let flags = i64::from_arg(flags, &crate::_io::NO_NAME, vm)?;
                Ok((buffer.into(), flags as u64))
            }
        }
    }

    /// Back to a state without undecoded bytes (`setstate`).
    pub fn set_state(&self, bytes: &Bytes, flags: u64, vm: &Vm) -> PyResult<()> {
        match self {
            Decoder::Native { rest, newlines, .. } => {
                rest.replace(bytes.as_bytes().to_vec());
                if let Some(newlines) = newlines {
                    newlines.set_pending(flags & 1 != 0);
                }
                Ok(())
            }
            Decoder::Object(decoder) => {
                let state = vm.new_tuple([bytes.as_object().to_ref(), vm.new_int(flags)]);
                decoder.call_method(&vm.intern("setstate"), &[state.as_object()], vm).map(drop)
            }
        }
    }

    /// Back to the beginning (`reset`).
    pub fn reset(&self, vm: &Vm) -> PyResult<()> {
        match self {
            Decoder::Native { rest, newlines, .. } => {
                rest.take();
                if let Some(newlines) = newlines {
                    newlines.reset();
                }
                Ok(())
            }
            Decoder::Object(decoder) => decoder.call_method(vm.ids().reset, &[], vm).map(drop),
        }
    }

    /// The line ends seen so far.
    pub fn newlines(&self, vm: &Vm) -> PyResult {
        match self {
            Decoder::Native { newlines, .. } => {
                Ok(newlines.as_ref().map_or_else(|| vm.none(), |newlines| newlines.seen(vm)))
            }
            Decoder::Object(decoder) => {
                Ok(decoder.lookup_attr(&vm.intern("newlines"), vm)?.unwrap_or_else(|| vm.none()))
            }
        }
    }
}

/// What turns text into a stream's bytes.
pub enum Encoder {
    /// One of the encodings done right here, and the name of the error handler.
    Native(Native, String),
    /// An encoder object, and whether it is at the start of the stream.
    Object(ObjRef, Cell<bool>),
}

impl Encoder {
    /// The encoder of a codec.
    pub fn new(codec: &Codec, errors: &Str, vm: &Vm) -> PyResult<Encoder> {
        match codec.native {
            Some(native) => Ok(Encoder::Native(native, errors.to_utf8(vm)?.to_owned())),
            None => {
                Ok(Encoder::Object(codec.incremental("incrementalencoder", errors, vm)?, Cell::new(true)))
            }
        }
    }

    /// The text's bytes.
    pub fn encode(&self, text: &Str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        match self {
            Encoder::Native(native, errors) => native.encode(text, errors, vm),
            Encoder::Object(encoder, start) => {
                start.set(false);
                let bytes = encoder.call_method(vm.ids().encode, &[text.as_object()], vm)?;
                bytes.downcast::<Bytes>().map_err(|other| {
                    let given = other.ob_type().name();
                    vm.type_error(format!("encoder should return a bytes object, not '{given}'"))
                })
            }
        }
    }

    /// Tells the encoder whether what comes next is the start of the stream.
    pub fn at_start(&self, start: bool, vm: &Vm) -> PyResult<()> {
        match self {
            Encoder::Native(..) => Ok(()),
            Encoder::Object(encoder, known) => {
                known.set(start);
                if start {
                    encoder.call_method(vm.ids().reset, &[], vm).map(drop)
                } else {
                    encoder.call_method(&vm.intern("setstate"), &[&vm.new_int(0)], vm).map(drop)
                }
            }
        }
    }
}

/// A text encoding.
pub struct Codec {
    native: Option<Native>,
    info: Option<ObjRef>,
}

impl Codec {
    /// Finds it by name. Raises `LookupError` when there is none, or when it isn't one for text.
    pub fn find(encoding: &str, vm: &Vm) -> PyResult<Codec> {
        if let Some(native) = Native::from_encoding(encoding) {
            return Ok(Codec { native: Some(native), info: None });
        }
        if memchr::memchr(0, encoding.as_bytes()).is_some() {
            return Err(vm.value_error("embedded null character"));
        }
        let info = registry::lookup(encoding, vm)?;
        let text = info.as_object().lookup_attr(vm.ids()._is_text_encoding, vm)?;
        if let Some(text) = text {
            if !text.is_true(vm)? {
                return Err(vm.lookup_error(format!("'{encoding}' is not a text encoding")));
            }
        }
        let name = info.as_object().lookup_attr(vm.ids().name, vm)?;
        let native = name.and_then(|name| match &*name.downcast_ref::<Str>()?.to_string_lossy() {
            "utf-8" => Some(Native::Utf8),
            "ascii" => Some(Native::Ascii),
            "iso8859-1" => Some(Native::Latin1),
            _ => None,
        });
        Ok(Codec { native, info: Some(info.into_object()) })
    }

    fn incremental(&self, which: &str, errors: &Str, vm: &Vm) -> PyResult {
        match &self.info {
            Some(info) => info.get_attr(&vm.intern(which), vm)?.call(&[errors.as_object()], vm),
            None => Err(vm.system_error("codec without codec info")),
        }
    }
}
