//! `UnicodeEncodeError`, `UnicodeDecodeError`, `UnicodeTranslateError`: one layout, three types.

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::str::StrBuilder;
use crate::exceptions::base::refuse_keywords;
use crate::prelude::*;

/// `PyUnicodeErrorObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct UnicodeErrorFields {
    /// The common part.
    pub base: BaseException,
    /// The codec's name; empty in `UnicodeTranslateError`.
    pub encoding: Slot<Object>,
    /// What was to be converted.
    pub object: Slot<Object>,
    /// Where the part that failed starts.
    pub start: Cell<isize>,
    /// Where it ends.
    pub end: Cell<isize>,
    /// Why it failed.
    pub reason: Slot<Object>,
}

const _: () = assert!(size_of::<UnicodeErrorFields>() == 112);

impl UnicodeErrorFields {
    fn new(cls: &'static Type, args: &Tuple) -> Self {
        UnicodeErrorFields {
            base: BaseException {
                ob: Object::new(cls),
                ..BaseException::with_args(Some(Ref::new_ref(args)))
            },
            encoding: Slot::empty(),
            object: Slot::empty(),
            start: Cell::new(0),
            end: Cell::new(0),
            reason: Slot::empty(),
        }
    }

    /// The part that failed, clamped to the object: a non-empty range where the object is not empty.
    pub fn clamped_range(&self, len: usize) -> (usize, usize) {
        let len = isize::try_from(len).unwrap_or(isize::MAX);
        let start = self.start.get().clamp(0, (len - 1).max(0));
        let end = self.end.get().clamp(1.min(len), len);
        (start as usize, end as usize)
    }

    /// The range when it is one unit inside the object.
    fn single_unit(&self, len: usize) -> Option<usize> {
        let start = usize::try_from(self.start.get()).ok()?;
        (start < len && self.end.get() == self.start.get().wrapping_add(1)).then_some(start)
    }

    fn push_plural(&self, text: &mut StrBuilder, unit: &str) {
        text.push_str(&format!(
            "{unit} in position {}-{}: ",
            self.start.get(),
            self.end.get().wrapping_sub(1)
        ));
    }

    /// What stands in place of an encoding that was deleted.
    fn encoding_text(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.encoding.get() {
            Some(encoding) => encoding.str(vm),
            None => Ok(vm.new_str("<NULL>")),
        }
    }

    fn reason_text(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.reason.get() {
            Some(reason) => reason.str(vm),
            None => Ok(vm.new_str("<NULL>")),
        }
    }

    fn object_str(&self, vm: &Vm) -> PyResult<Option<Ref<Str>>> {
        match self.object.get() {
            None => Ok(None),
            Some(object) => match object.downcast::<Str>() {
                Ok(object) => Ok(Some(object)),
                Err(_) => Err(vm.type_error("UnicodeError 'object' attribute must be a string")),
            },
        }
    }
}

/// Raises because the other attributes' `__str__` has deleted `object`.
#[cold]
fn object_missing(vm: &Vm) -> Raised {
    vm.type_error("UnicodeError 'object' attribute is not set")
}

fn push_character(text: &mut StrBuilder, c: u32, position: usize) {
    let escaped = match c {
        0..=0xff => format!("\\x{c:02x}"),
        0x100..=0xffff => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    };
    text.push_str(&format!("character '{escaped}' in position {position}: "));
}

fn want_str(args: &[ObjRef], index: usize, vm: &Vm) -> PyResult<ObjRef> {
    match args.get(index) {
        Some(value) if value.downcast_ref::<Str>().is_some() => Ok(value.clone()),
        Some(value) => {
            let given = if vm.is_none(value) { "None" } else { value.ob_type().tp_name_str() };
            Err(vm.type_error(format!("argument {} must be str, not {given}", index + 1)))
        }
        None => Err(vm.type_error(format!("function takes more than {index} arguments"))),
    }
}

fn want_count(args: &Tuple, count: usize, vm: &Vm) -> PyResult<()> {
    if args.len() == count {
        return Ok(());
    }
    Err(vm.type_error(format!("function takes exactly {count} arguments ({} given)", args.len())))
}

fn want_index(args: &[ObjRef], index: usize, vm: &Vm) -> PyResult<isize> {
    match args.get(index) {
        Some(value) => {
            let number = value.as_index(vm)?;
            number
                .to_i64()
                .map(|n| n as isize)
                .ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
        }
        None => Err(vm.type_error(format!("function takes more than {index} arguments"))),
    }
}

macro_rules! fields_of {
    ($name:ident) => {
        impl std::ops::Deref for $name {
            type Target = UnicodeErrorFields;
            fn deref(&self) -> &UnicodeErrorFields {
                &self.fields
            }
        }
    };
}
fields_of!(UnicodeEncodeError);
fields_of!(UnicodeDecodeError);
fields_of!(UnicodeTranslateError);

/// A str that a codec could not encode.
#[repr(C)]
#[derive(Traverse)]
pub struct UnicodeEncodeError {
    /// What the three have in common.
    pub fields: UnicodeErrorFields,
}

/// Unicode encoding error.
#[pytype(
    name = "UnicodeEncodeError",
    symbol = "_PyExc_UnicodeEncodeError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(
        encoding: OBJECT = fields.encoding "exception encoding",
        object: OBJECT = fields.object "exception object",
        start: PYSSIZET = fields.start "exception start",
        end: PYSSIZET = fields.end "exception end",
        reason: OBJECT = fields.reason "exception reason"
    )
)]
impl UnicodeEncodeError {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(
            cls,
            UnicodeEncodeError { fields: UnicodeErrorFields::new(Self::type_object(), args) },
        )
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        refuse_keywords(self.as_object().ob_type().tp_name_str(), kwargs, vm)?;
        self.base.args.put(Ref::new_ref(args));
        want_count(args, 5, vm)?;
        let items = args.as_slice();
        let encoding = want_str(items, 0, vm)?;
        let object = want_str(items, 1, vm)?;
        let start = want_index(items, 2, vm)?;
        let end = want_index(items, 3, vm)?;
        let reason = want_str(items, 4, vm)?;
        self.encoding.put(encoding);
        self.object.put(object);
        self.start.set(start);
        self.end.set(end);
        self.reason.put(reason);
        Ok(())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        if self.object_str(vm)?.is_none() {
            return Ok(vm.new_str("").into_object());
        }
        let reason = self.reason_text(vm)?;
        let encoding = self.encoding_text(vm)?;
        let Some(object) = self.object_str(vm)? else { return Err(object_missing(vm)) };
        let mut text = StrBuilder::new();
        text.push_str("'");
        text.push(&encoding);
        text.push_str("' codec can't encode ");
        match self.single_unit(object.len()) {
            Some(at) => push_character(&mut text, object.char_at(at).unwrap_or(0), at),
            None => self.push_plural(&mut text, "characters"),
        }
        text.push(&reason);
        Ok(text.finish(vm).into_object())
    }
}

/// Bytes that a codec could not decode.
#[repr(C)]
#[derive(Traverse)]
pub struct UnicodeDecodeError {
    /// What the three have in common.
    pub fields: UnicodeErrorFields,
}

/// Unicode decoding error.
#[pytype(
    name = "UnicodeDecodeError",
    symbol = "_PyExc_UnicodeDecodeError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(
        encoding: OBJECT = fields.encoding "exception encoding",
        object: OBJECT = fields.object "exception object",
        start: PYSSIZET = fields.start "exception start",
        end: PYSSIZET = fields.end "exception end",
        reason: OBJECT = fields.reason "exception reason"
    )
)]
impl UnicodeDecodeError {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(
            cls,
            UnicodeDecodeError { fields: UnicodeErrorFields::new(Self::type_object(), args) },
        )
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        refuse_keywords(self.as_object().ob_type().tp_name_str(), kwargs, vm)?;
        self.base.args.put(Ref::new_ref(args));
        want_count(args, 5, vm)?;
        let items = args.as_slice();
        let encoding = want_str(items, 0, vm)?;
        let Some(given) = items.get(1) else { return Ok(()) };
        let start = want_index(items, 2, vm)?;
        let end = want_index(items, 3, vm)?;
        let reason = want_str(items, 4, vm)?;
        let object = match given.downcast_ref::<Bytes>() {
            Some(_) => given.clone(),
            None => {
                let what = crate::args::ArgName { func: "", pos: 2, name: "object" };
                let copy = BufferArg::from_arg(given, &what, vm)?;
                vm.new_bytes(copy.as_bytes()).into_object()
            }
        };
        self.encoding.put(encoding);
        self.object.put(object);
        self.start.set(start);
        self.end.set(end);
        self.reason.put(reason);
        Ok(())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        if self.object.is_none() {
            return Ok(vm.new_str("").into_object());
        }
        let reason = self.reason_text(vm)?;
        let encoding = self.encoding_text(vm)?;
        let Some(object) = self.object.get() else { return Err(object_missing(vm)) };
        let Some(bytes) = object.downcast_ref::<Bytes>() else {
            return Err(vm.type_error("UnicodeError 'object' attribute must be a bytes"));
        };
        let mut text = StrBuilder::new();
        text.push_str("'");
        text.push(&encoding);
        text.push_str("' codec can't decode ");
        let data = bytes.as_bytes();
        match self.single_unit(data.len()).and_then(|at| Some((at, *data.get(at)?))) {
            Some((at, byte)) => text.push_str(&format!("byte 0x{byte:02x} in position {at}: ")),
            None => self.push_plural(&mut text, "bytes"),
        }
        text.push(&reason);
        Ok(text.finish(vm).into_object())
    }
}

/// A str that `str.translate` could not translate.
#[repr(C)]
#[derive(Traverse)]
pub struct UnicodeTranslateError {
    /// What the three have in common.
    pub fields: UnicodeErrorFields,
}

/// Unicode translation error.
#[pytype(
    name = "UnicodeTranslateError",
    symbol = "_PyExc_UnicodeTranslateError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(
        encoding: OBJECT = fields.encoding "exception encoding",
        object: OBJECT = fields.object "exception object",
        start: PYSSIZET = fields.start "exception start",
        end: PYSSIZET = fields.end "exception end",
        reason: OBJECT = fields.reason "exception reason"
    )
)]
impl UnicodeTranslateError {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(
            cls,
            UnicodeTranslateError { fields: UnicodeErrorFields::new(Self::type_object(), args) },
        )
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        refuse_keywords(self.as_object().ob_type().tp_name_str(), kwargs, vm)?;
        self.base.args.put(Ref::new_ref(args));
        want_count(args, 4, vm)?;
        let items = args.as_slice();
        let object = want_str(items, 0, vm)?;
        let start = want_index(items, 1, vm)?;
        let end = want_index(items, 2, vm)?;
        let reason = want_str(items, 3, vm)?;
        self.object.put(object);
        self.start.set(start);
        self.end.set(end);
        self.reason.put(reason);
        Ok(())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        if self.object_str(vm)?.is_none() {
            return Ok(vm.new_str("").into_object());
        }
        let reason = self.reason_text(vm)?;
        let Some(object) = self.object_str(vm)? else { return Err(object_missing(vm)) };
        let mut text = StrBuilder::new();
        text.push_str("can't translate ");
        match self.single_unit(object.len()) {
            Some(at) => push_character(&mut text, object.char_at(at).unwrap_or(0), at),
            None => self.push_plural(&mut text, "characters"),
        }
        text.push(&reason);
        Ok(text.finish(vm).into_object())
    }
}

/// A new `UnicodeEncodeError`, not raised.
#[cold]
pub fn new_encode_error(
    encoding: &str,
    object: &Str,
    start: usize,
    end: usize,
    reason: &str,
    vm: &Vm,
) -> PyResult<Ref<BaseException>> {
    let args = vec![
        vm.new_str(encoding).into_object(),
        object.as_object().to_ref(),
        vm.new_int(start),
        vm.new_int(end),
        vm.new_str(reason).into_object(),
    ];
    super::base::new_exception(types::unicode_encode_error(), args, vm)
}

/// A new `UnicodeDecodeError`, not raised.
#[cold]
pub fn new_decode_error(
    encoding: &str,
    object: &Object,
    start: usize,
    end: usize,
    reason: &str,
    vm: &Vm,
) -> PyResult<Ref<BaseException>> {
    let args = vec![
        vm.new_str(encoding).into_object(),
        object.to_ref(),
        vm.new_int(start),
        vm.new_int(end),
        vm.new_str(reason).into_object(),
    ];
    super::base::new_exception(types::unicode_decode_error(), args, vm)
}

/// Raises `UnicodeEncodeError(encoding, object, start, end, reason)`.
#[cold]
pub fn raise_encode(encoding: &str, object: &Str, start: usize, end: usize, reason: &str, vm: &Vm) -> Raised {
    match new_encode_error(encoding, object, start, end, reason, vm) {
        Ok(error) => vm.raise_object(error),
        Err(raised) => raised,
    }
}

/// Raises `UnicodeDecodeError(encoding, bytes, start, end, reason)`.
#[cold]
pub fn raise_decode(encoding: &str, data: &[u8], start: usize, end: usize, reason: &str, vm: &Vm) -> Raised {
    let object = vm.new_bytes(data);
    match new_decode_error(encoding, object.as_object(), start, end, reason, vm) {
        Ok(error) => vm.raise_object(error),
        Err(raised) => raised,
    }
}

/// Raises `UnicodeTranslateError(object, start, end, reason)`.
#[cold]
pub fn raise_translate(object: &Str, start: usize, end: usize, reason: &str, vm: &Vm) -> Raised {
    let args = vec![
        object.as_object().to_ref(),
        vm.new_int(start),
        vm.new_int(end),
        vm.new_str(reason).into_object(),
    ];
    vm.raise_with(types::unicode_translate_error(), args)
}
