//! What happens where a codec can't go on: the named error handlers natively, others by calling what was registered.

use super::{handlers, registry};
use crate::builtins::str::StrBuilder;
use crate::exceptions::unicode_error::{self, UnicodeErrorFields};
use crate::prelude::*;

/// The handlers that need no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Raise.
    Strict,
    /// Leave out.
    Ignore,
    /// `?` or U+FFFD.
    Replace,
    /// Escape sequences.
    BackslashReplace,
    /// `&#…;`
    XmlCharRefReplace,
    /// `\N{…}`
    NameReplace,
    /// Bytes as U+DC80..U+DCFF and back (PEP 383).
    SurrogateEscape,
    /// Surrogates as if they were characters.
    SurrogatePass,
    /// Whatever is registered.
    Registered,
}

impl Handler {
    /// The handler of that name.
    pub fn from_name(name: &str) -> Handler {
        match name {
            "strict" => Handler::Strict,
            "ignore" => Handler::Ignore,
            "replace" => Handler::Replace,
            "backslashreplace" => Handler::BackslashReplace,
            "xmlcharrefreplace" => Handler::XmlCharRefReplace,
            "namereplace" => Handler::NameReplace,
            "surrogateescape" => Handler::SurrogateEscape,
            "surrogatepass" => Handler::SurrogatePass,
            _ => Handler::Registered,
        }
    }
}

/// How far a decoder or an encoder came.
pub enum Outcome {
    /// To the end, or to where more input is needed: so many units were used up.
    Done(usize),
    /// To something it can't convert.
    Fail {
        /// Where that starts.
        start: usize,
        /// Where it ends.
        end: usize,
        /// What the matter is.
        reason: &'static str,
    },
}

/// Raises `UnicodeEncodeError`.
#[cold]
pub fn raise_encode_error(
    encoding: &str,
    text: &Str,
    start: usize,
    end: usize,
    reason: &str,
    vm: &Vm,
) -> Raised {
    unicode_error::raise_encode(encoding, text, start, end, reason, vm)
}

enum Input<'a> {
    Given(&'a [u8]),
    /// A handler put other bytes in place.
    Replaced(Ref<Bytes>),
}

/// A decoding under way.
pub struct Decoding<'a> {
    encoding: &'a str,
    errors: &'a str,
    handler: Handler,
    input: Input<'a>,
    /// The bytes object that `input` is the whole of, when there is one.
    source: Option<&'a Bytes>,
    error: Option<Ref<BaseException>>,
}

impl<'a> Decoding<'a> {
    /// Sets out to decode `input`; `encoding` is the name for error messages.
    pub fn new(encoding: &'a str, errors: &'a str, input: &'a [u8], source: Option<&'a Bytes>) -> Self {
        Decoding {
            encoding,
            errors,
            handler: Handler::from_name(errors),
            input: Input::Given(input),
            source,
            error: None,
        }
    }

    /// The name for error messages, once it is known better.
    pub fn set_encoding(&mut self, encoding: &'a str) {
        self.encoding = encoding;
    }

    /// Runs `step` from position `from` on, and on behind each error that the handler takes care of. Gives how many
    /// bytes were used up.
    pub fn run(
        &mut self,
        from: usize,
        out: &mut StrBuilder,
        mut step: impl FnMut(&[u8], usize, &mut StrBuilder) -> PyResult<Outcome>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let mut at = from;
        loop {
            let input = match &self.input {
                Input::Given(input) => input,
                Input::Replaced(bytes) => bytes.as_bytes(),
            };
            match step(input, at, out)? {
                Outcome::Done(used) => return Ok(used),
                Outcome::Fail { start, end, reason } => {
                    at = self.handle(start, end, reason, out, vm)?;
                }
            }
        }
    }

    fn input(&self) -> &[u8] {
        match &self.input {
            Input::Given(input) => input,
            Input::Replaced(bytes) => bytes.as_bytes(),
        }
    }

    fn source_object(&self, vm: &Vm) -> ObjRef {
        match (&self.input, self.source) {
            (Input::Given(_), Some(source)) => source.as_object().to_ref(),
            (Input::Given(input), None) => vm.new_bytes(input).into_object(),
            (Input::Replaced(bytes), _) => bytes.clone().into_object(),
        }
    }

    #[cold]
    fn raise(&self, start: usize, end: usize, reason: &str, vm: &Vm) -> Raised {
        let source = self.source_object(vm);
        match unicode_error::new_decode_error(self.encoding, &source, start, end, reason, vm) {
            Ok(error) => vm.raise_object(error),
            Err(raised) => raised,
        }
    }

    /// Takes care of `start..end` and gives the position to go on at.
    pub fn handle(
        &mut self,
        start: usize,
        end: usize,
        reason: &'static str,
        out: &mut StrBuilder,
        vm: &Vm,
    ) -> PyResult<usize> {
        let bad = self.input().get(start..end).unwrap_or(&[]);
        match self.handler {
            Handler::Strict => Err(self.raise(start, end, reason, vm)),
            Handler::Ignore => Ok(end),
            Handler::Replace => {
                out.push_char(0xFFFD);
                Ok(end)
            }
            Handler::BackslashReplace => {
                bad.iter().for_each(|&b| crate::builtins::str::repr::push_escape(b.into(), out));
                Ok(end)
            }
            Handler::SurrogateEscape => match handlers::escape_bytes(bad, out) {
                0 => Err(self.raise(start, end, reason, vm)),
                count => Ok(start + count),
            },
            Handler::SurrogatePass => {
                match handlers::pass_bytes(self.encoding, self.input().get(start..).unwrap_or(&[])) {
                    Some((code, count)) => {
                        out.push_char(code);
                        Ok(start + count)
                    }
                    None => Err(self.raise(start, end, reason, vm)),
                }
            }
            Handler::XmlCharRefReplace | Handler::NameReplace | Handler::Registered => {
                self.call_registered(start, end, reason, out, vm)
            }
        }
    }

    fn call_registered(
        &mut self,
        start: usize,
        end: usize,
        reason: &str,
        out: &mut StrBuilder,
        vm: &Vm,
    ) -> PyResult<usize> {
        let callback = registry::lookup_error(self.errors, vm)?;
        let error = match &self.error {
            Some(error) => {
                let fields = fields_of(error);
                fields.start.set(start as isize);
                fields.end.set(end as isize);
                fields.reason.put(vm.new_str(reason).into_object());
                error.clone()
            }
            None => {
                let source = self.source_object(vm);
                let error = unicode_error::new_decode_error(self.encoding, &source, start, end, reason, vm)?;
                self.error = Some(error.clone());
                error
            }
        };
        let result = callback.call(&[error.as_object()], vm)?;
        let wrong = "decoding error handler must return (str, int) tuple";
        let (text, position) = unpack(&result, wrong, vm)?;
        let Some(text) = text.downcast_ref::<Str>() else { return Err(vm.type_error(wrong)) };
        // The handler may have exchanged what is being decoded.
        let object = fields_of(&error).object.get();
        match object.map(Ref::downcast_bytes) {
            Some(Some(bytes)) => {
                let same = match (&self.input, self.source) {
                    (Input::Replaced(now), _) => now.as_object().is(bytes.as_object()),
                    (Input::Given(given), _) => std::ptr::eq(given.as_ptr(), bytes.as_bytes().as_ptr()),
                };
                if !same {
                    self.input = Input::Replaced(bytes);
                }
            }
            _ => return Err(vm.type_error("object attribute must be bytes")),
        }
        let at = resolve_position(position, self.input().len(), vm)?;
        out.push(text);
        Ok(at)
    }
}

trait DowncastBytes {
    fn downcast_bytes(self) -> Option<Ref<Bytes>>;
}

impl DowncastBytes for ObjRef {
    fn downcast_bytes(self) -> Option<Ref<Bytes>> {
        self.downcast::<Bytes>().ok()
    }
}

/// The fields of a Unicode error.
pub(super) fn fields_of(error: &Ref<BaseException>) -> &UnicodeErrorFields {
    // SAFETY: called only for exceptions made as `UnicodeEncodeError`, `UnicodeDecodeError` or `UnicodeTranslateError`,
    // which share this layout.
    unsafe { &*error.as_object().as_ptr().cast::<UnicodeErrorFields>() }
}

/// The replacement and the position that a handler returned.
fn unpack(result: &Object, wrong: &str, vm: &Vm) -> PyResult<(ObjRef, isize)> {
    let Some(tuple) = result.downcast_ref::<Tuple>() else { return Err(vm.type_error(wrong)) };
    let [replacement, position] = tuple.as_slice() else { return Err(vm.type_error(wrong)) };
    if !position.has_index() {
        return Err(vm.type_error(wrong));
    }
    let (replacement, position) = (replacement.clone(), position.clone());
    let position = position.as_isize(vm)?;
    Ok((replacement, position))
}

fn resolve_position(position: isize, len: usize, vm: &Vm) -> PyResult<usize> {
    let absolute = if position < 0 { position.saturating_add(len as isize) } else { position };
    usize::try_from(absolute)
        .ok()
        .filter(|&at| at <= len)
        .ok_or_else(|| vm.index_error(format!("position {absolute} from error handler out of bounds")))
}

/// What a handler puts in place of characters that can't be encoded.
pub enum Replacement {
    /// Text, which is encoded in turn.
    Text(Ref<Str>),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

/// An encoding under way.
pub struct Encoding<'a> {
    encoding: &'a str,
    errors: &'a str,
    handler: Handler,
    text: &'a Str,
    error: Option<Ref<BaseException>>,
}

impl<'a> Encoding<'a> {
    /// Sets out to encode `text`; `encoding` is the name for error messages.
    pub fn new(encoding: &'a str, errors: &'a str, text: &'a Str) -> Self {
        Encoding { encoding, errors, handler: Handler::from_name(errors), text, error: None }
    }

    /// Runs `step` to the end. `put` encodes one character of a replacement, and says whether it could; `unit` is
    /// what the length of bytes from a handler must be a multiple of.
    pub fn run(
        &mut self,
        out: &mut Vec<u8>,
        mut step: impl FnMut(&Str, usize, &mut Vec<u8>) -> PyResult<Outcome>,
        mut put: impl FnMut(u32, &mut Vec<u8>) -> PyResult<bool>,
        unit: usize,
        vm: &Vm,
    ) -> PyResult<()> {
        let mut at = 0;
        loop {
            let (start, end, reason) = match step(self.text, at, out)? {
                Outcome::Done(_) => return Ok(()),
                Outcome::Fail { start, end, reason } => (start, end, reason),
            };
            let (replacement, next) = self.handle(start, end, reason, vm)?;
            at = next;
            match replacement {
                Replacement::Bytes(bytes) => {
                    if bytes.len() % unit != 0 {
                        return Err(self.raise(start, end, reason, vm));
                    }
                    out.extend_from_slice(&bytes);
                }
                Replacement::Text(text) => {
                    for code in text.data().iter() {
                        if !put(code, out)? {
                            return Err(self.raise(start, end, reason, vm));
                        }
                    }
                }
            }
        }
    }

    #[cold]
    fn raise(&self, start: usize, end: usize, reason: &str, vm: &Vm) -> Raised {
        raise_encode_error(self.encoding, self.text, start, end, reason, vm)
    }

    fn handle(&mut self, start: usize, end: usize, reason: &str, vm: &Vm) -> PyResult<(Replacement, usize)> {
        let bad = self.text.data().slice(start, end);
        let text = |out: StrBuilder| -> PyResult<(Replacement, usize)> {
            Ok((Replacement::Text(out.try_finish(vm)?), end))
        };
        let mut out = StrBuilder::new();
        match self.handler {
            Handler::Strict => Err(self.raise(start, end, reason, vm)),
            Handler::Ignore => text(out),
            Handler::Replace => {
                out.push_repeated(u32::from(b'?'), end - start, vm)?;
                text(out)
            }
            Handler::BackslashReplace => {
                bad.iter().for_each(|c| crate::builtins::str::repr::push_escape(c, &mut out));
                text(out)
            }
            Handler::XmlCharRefReplace => {
                bad.iter().for_each(|c| handlers::push_char_ref(c, &mut out));
                text(out)
            }
            Handler::NameReplace => {
                bad.iter().for_each(|c| handlers::push_name(c, &mut out));
                text(out)
            }
            Handler::SurrogateEscape => {
                let bytes: Vec<u8> = bad.iter().map_while(handlers::escaped_byte).collect();
                if bytes.is_empty() {
                    return Err(self.raise(start, end, reason, vm));
                }
                let next = start + bytes.len();
                Ok((Replacement::Bytes(bytes), next))
            }
            Handler::SurrogatePass => match handlers::pass_chars(self.encoding, bad) {
                Some(bytes) => Ok((Replacement::Bytes(bytes), end)),
                None => Err(self.raise(start, end, reason, vm)),
            },
            Handler::Registered => self.call_registered(start, end, reason, vm),
        }
    }

    fn call_registered(
        &mut self,
        start: usize,
        end: usize,
        reason: &str,
        vm: &Vm,
    ) -> PyResult<(Replacement, usize)> {
        let callback = registry::lookup_error(self.errors, vm)?;
        let error = match &self.error {
            Some(error) => {
                let fields = fields_of(error);
                fields.start.set(start as isize);
                fields.end.set(end as isize);
                fields.reason.put(vm.new_str(reason).into_object());
                error.clone()
            }
            None => {
                let error =
                    unicode_error::new_encode_error(self.encoding, self.text, start, end, reason, vm)?;
                self.error = Some(error.clone());
                error
            }
        };
        let result = callback.call(&[error.as_object()], vm)?;
        let wrong = "encoding error handler must return (str/bytes, int) tuple";
        let (replacement, position) = unpack(&result, wrong, vm)?;
        let replacement = match replacement.downcast::<Str>() {
            Ok(text) => Replacement::Text(text),
            Err(other) => match other.downcast_ref::<Bytes>() {
                Some(bytes) => Replacement::Bytes(bytes.as_bytes().to_vec()),
                None => return Err(vm.type_error(wrong)),
            },
        };
        Ok((replacement, resolve_position(position, self.text.len(), vm)?))
    }
}
