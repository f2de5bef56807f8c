//! `str` (library reference, "Text Sequence Type").
//!
//! - `layout.rs`: the memory of a str, shared one-character strings; `make.rs`: constructors; `builder.rs`: `StrBuilder`
//! - `interned.rs`, `hash.rs`, `ops.rs` (operators), `search.rs` (substring search)
//! - the methods by subject: `find_methods.rs`, `split.rs`, `case.rs`, `predicates.rs`, `pad.rs`, `translate.rs`, `join.rs`
//! - `repr.rs`, `iterator.rs`, `format.rs` (`str.format`), `percent.rs` (`str % args`)

pub mod builder;
pub mod case;
pub mod find_methods;
pub mod format;
pub mod hash;
pub mod interned;
pub mod iterator;
pub mod join;
mod layout;
mod make;
mod ops;
mod pad;
pub mod percent;
pub mod predicates;
pub mod repr;
pub mod search;
pub mod split;
pub mod string_module;
pub mod translate;

pub use builder::StrBuilder;
pub use layout::{BASIC_SIZE, CodePoints, Interned, Kind, Str, StrData, Unit};
pub(crate) use layout::{remote_text, with_units};
pub(crate) use ops::repeat_bytes;

use crate::builtins::bytes::slicing::SliceRange;
use crate::builtins::codecs_core;
use crate::prelude::*;

/// Text: an immutable sequence of code points.
///
/// str(object='') makes the text of any object by its `__str__`; with `encoding` or `errors` given, a bytes-like
/// object is decoded.
#[pytype(
    name = "str",
    symbol = "PyUnicode_Type",
    base = Object,
    flags(BASETYPE, MATCH_SELF, UNICODE_SUBCLASS),
    basicsize = BASIC_SIZE,
    methods(
        FIND_METHODS,
        SPLIT_METHODS,
        CASE_METHODS,
        PREDICATE_METHODS,
        PAD_METHODS,
        TRANSLATE_METHODS,
        JOIN_METHODS,
        FORMAT_METHODS
    )
)]
impl Str {
    #[new("!(object='', encoding='utf-8', errors='strict')")]
    fn new(
        cls: &Type,
        object: Option<&Object>,
        encoding: Option<&str>,
        errors: Option<&str>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let value = construct(object, encoding, errors, vm)?;
        if std::ptr::eq(cls, Str::static_type()) {
            return Ok(value.into_object());
        }
        Str::new_subclass_instance(cls, &value, vm)
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: called by the runtime when the last reference goes.
        unsafe { layout::dealloc(op) }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        repr::repr(self, vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.to_exact(vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.hash_value(vm))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(iterator::new(self, vm))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        let Some(other) = other.downcast_ref::<Str>() else { return Ok(vm.not_implemented()) };
        let answer = match op {
            CompareOp::Eq => Str::equal(self, other),
            CompareOp::Ne => !Str::equal(self, other),
            _ => op.test(Str::compare(self, other)),
        };
        Ok(vm.new_bool(answer))
    }

    #[slot]
    fn sq_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let Some(right) = other.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "can only concatenate str (not \"{}\") to str",
                other.ob_type().tp_name_str()
            )));
        };
        self.concat(right, vm).map(Ref::into_object)
    }

    #[slot]
    fn sq_repeat(&self, count: isize, vm: &Vm) -> PyResult<ObjRef> {
        self.repeat(count, vm).map(Ref::into_object)
    }

    #[slot]
    fn sq_item(&self, index: isize, vm: &Vm) -> PyResult<ObjRef> {
        usize::try_from(index)
            .ok()
            .and_then(|i| self.item(i, vm))
            .map(Ref::into_object)
            .ok_or_else(|| vm.index_error("string index out of range"))
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        match item.downcast_ref::<Str>() {
            Some(needle) => Ok(self.contains_str(needle)),
            None => Err(vm.type_error(format!(
                "'in <string>' requires string as left operand, not {}",
                item.ob_type().name()
            ))),
        }
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if key.has_index() {
            let mut index = crate::protocols::container::subscript_index(key, vm)?;
            if index < 0 {
                index += self.len() as isize;
            }
            return self.sq_item(index, vm);
        }
        if let Some(slice) = key.downcast_ref::<Slice>() {
            let range = SliceRange::new(slice, || self.len(), vm)?;
            return self.extended_slice(range, vm).map(Ref::into_object);
        }
        Err(vm.type_error(format!("string indices must be integers, not '{}'", key.ob_type().name())))
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
        match a.downcast_ref::<Str>() {
            Some(template) => percent::format(template, b, vm).map(Ref::into_object),
            None => Ok(vm.not_implemented()),
        }
    }

    /// Encode the string with the codec registered for encoding; errors names the error handler.
    #[method("($self, /, encoding='utf-8', errors='strict')")]
    fn encode(&self, encoding: Option<&str>, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
        codecs_core::encode_str(self, encoding.unwrap_or("utf-8"), errors.unwrap_or("strict"), vm)
    }

    /// Return the size of the string in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        self.memory_size()
    }

    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let copy = Str::try_from_data(self.data(), vm)?;
        Ok(vm.new_tuple([copy.into_object()]).into_object())
    }
}

/// `str(object, encoding, errors)`, before a subclass takes the result over.
fn construct(
    object: Option<&Object>,
    encoding: Option<&str>,
    errors: Option<&str>,
    vm: &Vm,
) -> PyResult<Ref<Str>> {
    let Some(object) = object else { return Ok(Str::empty()) };
    if encoding.is_none() && errors.is_none() {
        return object.str(vm);
    }
    let (encoding, errors) = (encoding.unwrap_or("utf-8"), errors.unwrap_or("strict"));
    decode_object(object, encoding, errors, vm)
}

/// `PyUnicode_FromEncodedObject`: the text of a bytes-like object.
pub fn decode_object(object: &Object, encoding: &str, errors: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    if object.downcast_ref::<Str>().is_some() {
        return Err(vm.type_error("decoding str is not supported"));
    }
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        return codecs_core::decode_object(object, bytes.as_bytes(), encoding, errors, vm);
    }
    if object.ob_type().as_buffer().is_none_or(|b| b.bf_getbuffer.get().is_none()) {
        return Err(vm.type_error(format!(
            "decoding to str: need a bytes-like object, {} found",
            object.ob_type().name()
        )));
    }
    let buffer = object.get_buffer(crate::protocols::buffer::SIMPLE, vm)?;
    codecs_core::decode_buffer(&buffer, encoding, errors, vm)
}

/// Whether the text is an identifier.
pub fn is_identifier(text: &Str) -> bool {
    text.is_identifier()
}
