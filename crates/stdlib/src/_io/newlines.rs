//! Universal newlines: the translation itself, and `IncrementalNewlineDecoder` around it.

use std::cell::Cell;

use taipan_vm::builtins::str::{StrBuilder, StrData};
use taipan_vm::prelude::*;

const LF: u8 = 1;
const CR: u8 = 2;
const CRLF: u8 = 4;

/// Which line ends a text had, and whether a carriage return waits for what follows it.
#[derive(Default)]
pub struct Newlines {
    seen: Cell<u8>,
    pending_cr: Cell<bool>,
}

impl Newlines {
    /// Forgets everything.
    pub fn reset(&self) {
        self.seen.set(0);
        self.pending_cr.set(false);
    }

    /// Whether a carriage return waits.
    pub fn pending(&self) -> bool {
        self.pending_cr.get()
    }

    /// Says whether a carriage return waits.
    pub fn set_pending(&self, pending: bool) {
        self.pending_cr.set(pending);
    }

    /// The line ends seen so far: `None`, a str or a tuple of them.
    pub fn seen(&self, vm: &Vm) -> ObjRef {
        let seen = self.seen.get();
        let mut kinds: Vec<ObjRef> = [(CR, "\r"), (LF, "\n"), (CRLF, "\r\n")]
            .into_iter()
            .filter(|(bit, _)| seen & bit != 0)
            .map(|(_, text)| vm.new_str(text).into_object())
            .collect();
        match kinds.len() {
            0 => vm.none(),
            1 => kinds.pop().unwrap_or_else(|| vm.none()),
            _ => vm.new_tuple(kinds).into_object(),
        }
    }

    /// Takes the next piece of a text; a carriage return at its end waits for the next piece, unless this is the last. With
    /// `translate`, every line end becomes `\n`.
    pub fn feed(&self, text: Ref<Str>, translate: bool, last: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut text = text;
        if self.pending_cr.get() && (last || text.len() > 0) {
            self.pending_cr.set(false);
            text = vm.new_str("\r").concat(&text, vm)?;
        }
        let len = text.len();
        if !last && len > 0 && text.char_at(len - 1) == Some(13) {
            self.pending_cr.set(true);
            text = text.slice(0, len - 1, vm)?;
        }
        let has_cr = match text.data() {
            StrData::Ucs1(units) => memchr::memchr(b'\r', units).is_some(),
            StrData::Ucs2(units) => units.contains(&13),
            StrData::Ucs4(units) => units.contains(&13),
        };
        if !has_cr {
            if self.seen.get() & LF == 0 && find_newline(text.data(), 0).is_some() {
                self.seen.set(self.seen.get() | LF);
            }
            return Ok(text);
        }
        let mut seen = self.seen.get();
        let mut out = StrBuilder::new();
        if translate {
            out.reserve(text.len(), vm)?;
        }
        let data = text.data();
        let (mut at, len) = (0, data.len());
        while at < len {
            let end = line_break(data, at).unwrap_or(len);
            if translate {
                out.push_data(data.slice(at, end));
            }
            at = match (data.get(end), data.get(end + 1)) {
                (None, _) => len,
                (Some(13), Some(10)) => {
                    seen |= CRLF;
                    end + 2
                }
                (Some(13), _) => {
                    seen |= CR;
                    end + 1
                }
                _ => {
                    seen |= LF;
                    end + 1
                }
            };
            if translate && end < len {
                out.push_char(10);
            }
        }
        self.seen.set(seen);
        if translate { out.try_finish(vm) } else { Ok(text) }
    }
}

/// The place of the first `\n` from `start` on.
#[inline]
pub fn find_newline(data: StrData<'_>, start: usize) -> Option<usize> {
    find_unit(data, start, 10)
}

/// The place of a character below U+0080 from `start` on.
#[inline]
pub fn find_unit(data: StrData<'_>, start: usize, wanted: u8) -> Option<usize> {
    let place = match data {
        StrData::Ucs1(units) => memchr::memchr(wanted, units.get(start..)?),
        StrData::Ucs2(units) => units.get(start..)?.iter().position(|&u| u == u16::from(wanted)),
        StrData::Ucs4(units) => units.get(start..)?.iter().position(|&u| u == u32::from(wanted)),
    };
    place.map(|at| start + at)
}

/// The place of the first `\n` or `\r` from `start` on.
pub fn line_break(data: StrData<'_>, start: usize) -> Option<usize> {
    let place = match data {
        StrData::Ucs1(units) => memchr::memchr2(b'\n', b'\r', units.get(start..)?),
        StrData::Ucs2(units) => units.get(start..)?.iter().position(|&u| u == 10 || u == 13),
        StrData::Ucs4(units) => units.get(start..)?.iter().position(|&u| u == 10 || u == 13),
    };
    place.map(|at| start + at)
}

/// How a text stream ends lines (`newline` of `open`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Newline {
    /// `None`: any line end is read as `\n`; `\n` is written as the system's.
    Translate,
    /// `''`: any line end ends a line and stays as it is.
    Universal,
    /// `'\n'`.
    Lf,
    /// `'\r'`.
    Cr,
    /// `'\r\n'`.
    CrLf,
}

impl Newline {
    /// Reads the argument. Raises `TypeError` or `ValueError`.
    pub fn parse(value: Option<&Object>, vm: &Vm) -> PyResult<Newline> {
        let Some(value) = value.filter(|v| !vm.is_none(v)) else { return Ok(Newline::Translate) };
        let Some(text) = value.downcast_ref::<Str>() else {
            let given = value.ob_type().name();
            return Err(vm.type_error(format!("newline must be str or None, not {given}")));
        };
        for (known, newline) in
            [("", Newline::Universal), ("\n", Newline::Lf), ("\r", Newline::Cr), ("\r\n", Newline::CrLf)]
        {
            if text.eq_str(known) {
                return Ok(newline);
            }
        }
        Err(vm.value_error(format!("illegal newline value: {}", text.to_string_lossy())))
    }

    /// Whether any line end is recognised.
    pub fn is_universal(self) -> bool {
        matches!(self, Newline::Translate | Newline::Universal)
    }

    /// What `\n` is written as, when not as itself.
    pub fn written(self) -> Option<&'static str> {
        match self {
            Newline::Cr => Some("\r"),
            Newline::CrLf => Some("\r\n"),
            _ => None,
        }
    }

    /// Where the line that starts at `start` ends, its line end included; `None` when it goes on beyond the data.
    #[inline]
    pub fn line_end(self, data: StrData<'_>, start: usize) -> Option<usize> {
        match self {
            Newline::Translate | Newline::Lf => find_unit(data, start, 10).map(|at| at + 1),
            Newline::Cr => find_unit(data, start, 13).map(|at| at + 1),
            Newline::Universal => line_break(data, start).map(|at| {
                if data.get(at) == Some(13) && data.get(at + 1) == Some(10) { at + 2 } else { at + 1 }
            }),
            Newline::CrLf => {
                let mut from = start;
                while let Some(at) = find_unit(data, from, 13) {
                    if data.get(at + 1) == Some(10) {
                        return Some(at + 2);
                    }
                    from = at + 1;
                }
                None
            }
        }
    }
}

/// The layout of `IncrementalNewlineDecoder`.
#[repr(C)]
#[derive(Traverse)]
pub struct IncrementalNewlineDecoder {
    #[traverse(skip)]
    ob: Object,
    /// The decoder in front; empty before `__init__`, `None` for text input.
    decoder: Slot<Object>,
    errors: Slot<Object>,
    #[traverse(skip)]
    translate: Cell<bool>,
    #[traverse(skip)]
    newlines: Newlines,
}

impl IncrementalNewlineDecoder {
    /// A decoder behind another one.
    pub fn over(decoder: &Object, translate: bool, vm: &Vm) -> Ref<Self> {
        vm.new_object(IncrementalNewlineDecoder {
            ob: Object::new(Self::type_object()),
            decoder: Slot::of(decoder.to_ref()),
            errors: Slot::empty(),
            translate: Cell::new(translate),
            newlines: Newlines::default(),
        })
    }

    fn source(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        match self.decoder.get() {
            None => Err(vm.value_error("IncrementalNewlineDecoder.__init__() not called")),
            Some(decoder) if vm.is_none(&decoder) => Ok(None),
            Some(decoder) => Ok(Some(decoder)),
        }
    }

    /// `decode(input, final)`.
    pub fn decode_object(&self, input: &Object, last: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        let text = match self.source(vm)? {
            Some(decoder) => decoder.call_method(vm.ids().decode, &[input, &vm.new_bool(last)], vm)?,
            None => input.to_ref(),
        };
        let text = text.downcast::<Str>().map_err(|other| {
            let given = other.ob_type().name();
            vm.type_error(format!("decoder should return a string result, not '{given}'"))
        })?;
        self.newlines.feed(text, self.translate.get(), last, vm)
    }
}

/// Codec used when reading a file in universal newlines mode.
///
/// It wraps another incremental decoder, translating \r\n and \r into \n.
/// It also records the types of newlines encountered.  When used with
/// translate=False, it ensures that the newline sequence is returned in
/// one piece. When used with decoder=None, it expects unicode strings as
/// decode input and translates newlines without first invoking an external
/// decoder.
#[pytype(name = "_io.IncrementalNewlineDecoder", flags(BASETYPE), gc)]
impl IncrementalNewlineDecoder {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            IncrementalNewlineDecoder {
                ob: Object::new(Self::type_object()),
                decoder: Slot::empty(),
                errors: Slot::empty(),
                translate: Cell::new(false),
                newlines: Newlines::default(),
            },
        )
    }

    #[init("(decoder, translate, errors='strict')")]
    fn init(&self, decoder: &Object, translate: bool, errors: Option<&Object>) {
        self.decoder.put(decoder.to_ref());
        self.errors.set(errors.map(Object::to_ref));
        self.translate.set(translate);
        self.newlines.reset();
    }

    #[method("($self, /, input, final=False)")]
    fn decode(&self, input: &Object, r#final: bool, vm: &Vm) -> PyResult<Ref<Str>> {
        self.decode_object(input, r#final, vm)
    }

    #[method("($self, /)")]
    fn getstate(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (buffer, flag) = match self.source(vm)? {
            None => (Bytes::empty().into_object(), 0),
            Some(decoder) => {
                let state = decoder.call_method(&vm.intern("getstate"), &[], vm)?;
                match state.downcast_ref::<Tuple>().map(Tuple::as_slice) {
                    Some([buffer, flag]) => (buffer.clone(), u64::from_arg(flag, &super::NO_NAME, vm)?),
                    _ => return Err(vm.type_error("illegal decoder state")),
                }
            }
        };
        let flag = flag.wrapping_mul(2) | u64::from(self.newlines.pending());
        Ok(vm.new_tuple([buffer, vm.new_int(flag)]))
    }

    #[method("($self, state, /)")]
    fn setstate(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let source = self.source(vm)?;
        let Some(state) = state.downcast_ref::<Tuple>() else {
            return Err(vm.type_error("state argument must be a tuple"));
        };
        let [buffer, flag] = state.as_slice() else {
            return Err(vm.type_error("setstate(): illegal state argument"));
        };
        let flag = u64::from_arg(flag, &super::NO_NAME, vm)?;
        self.newlines.set_pending(flag & 1 != 0);
        if let Some(decoder) = source {
            let state = vm.new_tuple([buffer.clone(), vm.new_int(flag >> 1)]);
            decoder.call_method(&vm.intern("setstate"), &[state.as_object()], vm)?;
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn reset(&self, vm: &Vm) -> PyResult {
        let source = self.source(vm)?;
        self.newlines.reset();
        match source {
            Some(decoder) => decoder.call_method(vm.ids().reset, &[], vm),
            None => Ok(vm.none()),
        }
    }

    #[getter]
    fn newlines(&self, vm: &Vm) -> PyResult {
        self.source(vm)?;
        Ok(self.newlines.seen(vm))
    }
}
