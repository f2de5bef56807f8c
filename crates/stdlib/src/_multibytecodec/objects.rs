//! The codec objects and the incremental classes.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::codecs_core::errors::raise_encode_error;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::exceptions::unicode_error::new_decode_error;
use taipan_vm::prelude::*;

use super::codec::{Codec, State};

/// The most characters and bytes that may wait for more.
const MAX_PENDING_CHARS: usize = 2;
const MAX_PENDING_BYTES: usize = 8;

/// The layout of a codec object.
#[repr(C)]
pub struct MultibyteCodec {
    ob: Object,
    /// Its tables and rules.
    pub codec: &'static Codec,
}

impl MultibyteCodec {
    /// The object of a codec.
    pub fn make(codec: &'static Codec, vm: &Vm) -> Ref<MultibyteCodec> {
        vm.new_object(MultibyteCodec { ob: Object::new(Self::type_object()), codec })
    }
}

/// The text to encode: other objects by their `str()`.
pub fn text_of(input: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    match input.downcast_ref::<Str>() {
        Some(text) => Ok(Ref::new_ref(text)),
        None => input.str(vm),
    }
}

#[pytype(name = "_multibytecodec.MultibyteCodec", no_new, doc = "")]
impl MultibyteCodec {
    /// Return an encoded string version of 'input'.
    ///
    /// 'errors' may be given to set a different error handling scheme.
    /// Default is 'strict' meaning that encoding errors raise
    /// a UnicodeEncodeError.  Other possible values are 'ignore', 'replace'
    /// and 'xmlcharrefreplace' as well as any other name registered with
    /// codecs.register_error that can handle UnicodeEncodeErrors.
    #[method("($self, /, input, errors=None)")]
    fn encode(&self, input: &Object, errors: Option<OrNone<&str>>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let text = text_of(input, vm)?;
        let errors = errors.and_then(|errors| errors.0).unwrap_or("strict");
        let state = Cell::new(self.codec.start());
        let mut out = Vec::with_capacity(text.len() + text.len() / 2);
        self.codec.encode(&state, &text, errors, true, &mut out, vm)?;
        let mut end = state.get();
        self.codec.encode_reset(&mut end, &mut out);
        Ok(Tuple::pair(vm.new_bytes(&out).into_object(), vm.new_int(text.len()), vm))
    }

    /// Decodes 'input'.
    ///
    /// 'errors' may be given to set a different error handling scheme.
    /// Default is 'strict' meaning that encoding errors raise
    /// a UnicodeDecodeError.  Other possible values are 'ignore' and
    /// 'replace' as well as any other name registered with
    /// codecs.register_error that is able to handle UnicodeDecodeErrors."
    #[method("($self, /, input, errors=None)")]
    fn decode(&self, input: BufferArg, errors: Option<OrNone<&str>>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let errors = errors.and_then(|errors| errors.0).unwrap_or("strict");
        let bytes = input.as_bytes();
        let state = Cell::new(self.codec.decoding_start());
        let mut out = StrBuilder::new();
        self.codec.decode(&state, bytes, None, errors, true, &mut out, vm)?;
        Ok(Tuple::pair(out.try_finish(vm)?.into_object(), vm.new_int(bytes.len()), vm))
    }
}

/// What the four classes with a codec have in common.
pub struct Core {
    pub codec: &'static Codec,
    pub errors: RefCell<Ref<Str>>,
    pub state: Cell<State>,
}

impl Core {
    /// Takes the codec from the class and `errors` from the arguments.
    pub fn new(cls: &Type, errors: Option<&Str>, decodes: bool, vm: &Vm) -> PyResult<Core> {
        let object = cls.as_object().get_attr(&vm.intern("codec"), vm)?;
        let Some(codec) = object.downcast_ref::<MultibyteCodec>() else {
            return Err(vm.type_error("codec is unexpected type"));
        };
        let errors = errors.map_or_else(|| vm.intern("strict"), Ref::new_ref);
        let start = if decodes { codec.codec.decoding_start() } else { codec.codec.start() };
        Ok(Core { codec: codec.codec, errors: RefCell::new(errors), state: Cell::new(start) })
    }

    /// The name of the error handler.
    pub fn handler(&self) -> String {
        self.errors.borrow().to_string_lossy().into_owned()
    }

    /// Sets `errors`.
    pub fn set_errors(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
        let Some(text) = value.downcast_ref::<Str>() else {
            return Err(vm.type_error("errors must be a string"));
        };
        text.to_utf8(vm)?;
        *self.errors.borrow_mut() = Ref::new_ref(text);
        Ok(())
    }
}

/// The waiting end of an encoder's input.
#[derive(Default)]
pub struct PendingText(RefCell<Vec<u32>>);

impl PendingText {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Forgets it.
    pub fn reset(&self) {
        self.0.borrow_mut().truncate(0);
    }

    /// Encodes what waits and more text. `last`: nothing follows, and the output ends in the first state.
    pub fn encode(&self, core: &Core, text: &Str, last: bool, vm: &Vm) -> PyResult<Vec<u8>> {
        let joined = if self.is_empty() {
            Ref::new_ref(text)
        } else {
            let mut codes = self.0.borrow().clone();
            codes.extend(text.data().iter());
            Str::try_from_code_points(&codes, vm)?
        };
        let mut out = Vec::with_capacity(joined.len() * 2);
        let used = core.codec.encode(&core.state, &joined, &core.handler(), last, &mut out, vm)?;
        if last {
            let mut state = core.state.get();
            core.codec.encode_reset(&mut state, &mut out);
            core.state.set(state);
        }
        let rest: Vec<u32> = joined.data().iter().skip(used).collect();
        if rest.len() > MAX_PENDING_CHARS {
            return Err(raise_encode_error(
                core.codec.name,
                &joined,
                used,
                joined.len(),
                "pending buffer overflow",
                vm,
            ));
        }
        *self.0.borrow_mut() = rest;
        Ok(out)
    }
}

/// The waiting end of a decoder's input.
#[derive(Default)]
pub struct PendingBytes(RefCell<Vec<u8>>);

impl PendingBytes {
    /// The bytes.
    pub fn get(&self) -> Vec<u8> {
        self.0.borrow().clone()
    }

    /// Puts bytes there.
    pub fn put(&self, bytes: &[u8]) {
        *self.0.borrow_mut() = bytes.to_vec();
    }

    /// Decodes what waits and more bytes.
    pub fn decode(&self, core: &Core, data: &[u8], last: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        let joined =
            if self.0.borrow().is_empty() { None } else { Some([self.0.borrow().as_slice(), data].concat()) };
        let input = joined.as_deref().unwrap_or(data);
        let mut out = StrBuilder::new();
        let used = core.codec.decode(&core.state, input, None, &core.handler(), last, &mut out, vm)?;
        let rest = input.get(used..).unwrap_or(&[]);
        if rest.len() > MAX_PENDING_BYTES {
            let bytes = vm.new_bytes(input);
            let reason = "pending buffer overflow";
            let error = new_decode_error(core.codec.name, bytes.as_object(), used, input.len(), reason, vm)?;
            return Err(vm.raise_object(error));
        }
        self.put(rest);
        out.try_finish(vm)
    }
}

/// A number of little-endian bytes.
fn int_of(bytes: &[u8], vm: &Vm) -> PyResult {
    let int = Int::type_object().as_object();
    let bytes = vm.new_bytes(bytes);
    int.call_method(&vm.intern("from_bytes"), &[bytes.as_object(), vm.new_str("little").as_object()], vm)
}

/// The little-endian bytes of a number that has to fit.
fn bytes_of(number: &Int, count: usize, vm: &Vm) -> PyResult<Vec<u8>> {
    if number.is_negative() {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let bytes = number.as_object().call_method(
        &vm.intern("to_bytes"),
        &[&vm.new_int(count), vm.new_str("little").as_object()],
        vm,
    )?;
    Ok(bytes.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default())
}

/// The layout of an incremental encoder.
#[repr(C)]
pub struct MultibyteIncrementalEncoder {
    ob: Object,
    core: Core,
    pending: PendingText,
}

/// `MAXENCPENDING` characters in UTF-8.
const PENDING_UTF8: usize = MAX_PENDING_CHARS * 4;

#[pytype(name = "_multibytecodec.MultibyteIncrementalEncoder", flags(BASETYPE), doc = "")]
impl MultibyteIncrementalEncoder {
    #[new("(errors='strict')")]
    fn new(cls: &Type, errors: Option<&Str>, vm: &Vm) -> PyResult {
        let core = Core::new(cls, errors, false, vm)?;
        vm.new_instance(
            cls,
            MultibyteIncrementalEncoder {
                ob: Object::new(Self::type_object()),
                core,
                pending: PendingText::default(),
            },
        )
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }

    #[method("($self, /, input, final=False)")]
    fn encode(&self, input: &Object, r#final: Option<bool>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let text = text_of(input, vm)?;
        let out = self.pending.encode(&self.core, &text, r#final.unwrap_or(false), vm)?;
        Ok(vm.new_bytes(&out))
    }

    #[method("($self, /)")]
    fn getstate(&self, vm: &Vm) -> PyResult {
        let pending = Str::try_from_code_points(&self.pending.0.borrow(), vm)?;
        let utf8 = pending.to_utf8(vm)?;
        let mut bytes = vec![utf8.len() as u8];
        bytes.extend_from_slice(utf8.as_bytes());
        bytes.extend_from_slice(&self.core.state.get());
        int_of(&bytes, vm)
    }

    #[method("($self, state, /)")]
    fn setstate(&self, state: &Int, vm: &Vm) -> PyResult<()> {
        let bytes = bytes_of(state, 1 + PENDING_UTF8 + 8, vm)?;
        let size = usize::from(bytes.first().copied().unwrap_or(0));
        if size > PENDING_UTF8 {
            return Err(vm.raise(types::unicode_error(), "pending buffer too large"));
        }
        let utf8 = bytes.get(1..1 + size).unwrap_or(&[]);
        let source = vm.new_bytes(utf8);
        let text = taipan_vm::builtins::codecs_core::decode_object(
            source.as_object(),
            source.as_bytes(),
            "utf-8",
            "strict",
            vm,
        )?;
        let mut new = [0; 8];
        for (to, from) in new.iter_mut().zip(bytes.iter().skip(1 + size)) {
            *to = *from;
        }
        *self.pending.0.borrow_mut() = text.data().iter().collect();
        self.core.state.set(new);
        Ok(())
    }

    #[method("($self, /)")]
    fn reset(&self) {
        let mut state = self.core.state.get();
        self.core.codec.encode_reset(&mut state, &mut Vec::new());
        self.core.state.set(state);
        self.pending.reset();
    }

    /// how to treat errors
    #[getter(errors)]
    fn get_errors(&self) -> Ref<Str> {
        self.core.errors.borrow().clone()
    }

    #[setter(errors)]
    fn set_errors(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.core.set_errors(value, vm)
    }
}

/// The layout of an incremental decoder.
#[repr(C)]
pub struct MultibyteIncrementalDecoder {
    ob: Object,
    core: Core,
    pending: PendingBytes,
}

#[pytype(name = "_multibytecodec.MultibyteIncrementalDecoder", flags(BASETYPE), doc = "")]
impl MultibyteIncrementalDecoder {
    #[new("(errors='strict')")]
    fn new(cls: &Type, errors: Option<&Str>, vm: &Vm) -> PyResult {
        let core = Core::new(cls, errors, true, vm)?;
        vm.new_instance(
            cls,
            MultibyteIncrementalDecoder {
                ob: Object::new(Self::type_object()),
                core,
                pending: PendingBytes::default(),
            },
        )
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }

    #[method("($self, /, input, final=False)")]
    fn decode(&self, input: BufferArg, r#final: Option<bool>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.pending.decode(&self.core, input.as_bytes(), r#final.unwrap_or(false), vm)
    }

    #[method("($self, /)")]
    fn getstate(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let pending = vm.new_bytes(&self.pending.get()).into_object();
        Ok(Tuple::pair(pending, int_of(&self.core.state.get(), vm)?, vm))
    }

    #[method("($self, state, /)")]
    fn setstate(&self, state: &Tuple, vm: &Vm) -> PyResult<()> {
        let illegal = || vm.type_error("setstate(): illegal state argument");
        let [pending, number] = state.as_slice() else { return Err(illegal()) };
        let (Some(pending), Some(number)) = (pending.downcast_ref::<Bytes>(), number.downcast_ref::<Int>())
        else {
            return Err(illegal());
        };
        let bytes = bytes_of(number, 8, vm)?;
        let size = pending.as_bytes().len();
        if size > MAX_PENDING_BYTES {
            let name = self.core.codec.name;
            let reason = "pending buffer too large";
            let error = new_decode_error(name, pending.as_object(), 0, size, reason, vm)?;
            return Err(vm.raise_object(error));
        }
        let mut new = [0; 8];
        for (to, from) in new.iter_mut().zip(bytes) {
            *to = from;
        }
        self.pending.put(pending.as_bytes());
        self.core.state.set(new);
        Ok(())
    }

    #[method("($self, /)")]
    fn reset(&self) {
        let mut state = self.core.state.get();
        self.core.codec.decode_reset(&mut state);
        self.core.state.set(state);
        self.pending.put(&[]);
    }

    /// how to treat errors
    #[getter(errors)]
    fn get_errors(&self) -> Ref<Str> {
        self.core.errors.borrow().clone()
    }

    #[setter(errors)]
    fn set_errors(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.core.set_errors(value, vm)
    }
}
