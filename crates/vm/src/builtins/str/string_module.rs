//! The native module `_string`: the format-string parser for `string.Formatter`.

use std::cell::Cell;

use super::format::{self, First, MarkupParser, Step};
use crate::prelude::*;

/// The module's name space.
pub struct StringModule;

/// Iterator over literals and fields.
#[repr(C)]
#[derive(Traverse)]
pub struct FormatterIterator {
    ob: Object,
    text: Slot<Str>,
    #[traverse(skip)]
    at: Cell<usize>,
}

#[pytype(name = "formatteriterator", base = Object, gc, no_new)]
impl FormatterIterator {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(text) = self.text.get() else { return Ok(None) };
        let mut parser = MarkupParser::resume(text.data(), self.at.get());
        let markup = parser.next(vm)?;
        self.at.set(parser.position());
        let Some(markup) = markup else { return Ok(None) };
        let part = |span: format::Span| text.slice(span.0, span.1.max(span.0), vm).map(Ref::into_object);
        let literal = part(markup.literal)?;
        let items = match markup.field {
            None => [literal, vm.none(), vm.none(), vm.none()],
            Some(field) => [
                literal,
                part(field.name)?,
                part(field.spec)?,
                field.conversion.map_or_else(|| vm.none(), |code| Str::from_char(code, vm).into_object()),
            ],
        };
        Ok(Some(vm.new_tuple(items).into_object()))
    }
}

/// Iterator over what follows the first part of a field name.
#[repr(C)]
#[derive(Traverse)]
pub struct FieldNameIterator {
    ob: Object,
    text: Slot<Str>,
    #[traverse(skip)]
    at: Cell<usize>,
}

#[pytype(name = "fieldnameiterator", base = Object, gc, no_new)]
impl FieldNameIterator {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(text) = self.text.get() else { return Ok(None) };
        let Some((step, next)) = format::next_step(text.data(), self.at.get(), text.len(), vm)? else {
            return Ok(None);
        };
        self.at.set(next);
        let part = |span: format::Span| text.slice(span.0, span.1, vm).map(Ref::into_object);
        let (is_attribute, name) = match step {
            Step::Attribute(span) => (true, part(span)?),
            Step::Key(span) => (false, part(span)?),
            Step::Index(index) => (false, vm.new_int(index)),
        };
        Ok(Some(vm.new_tuple([vm.new_bool(is_attribute), name]).into_object()))
    }
}

fn text_of<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    object
        .downcast_ref::<Str>()
        .ok_or_else(|| vm.type_error(format!("expected str, got {}", object.ob_type().name())))
}

/// string helper module
#[pymodule(name = "_string")]
impl StringModule {
    /// split the argument as a field name
    #[function("($self, object, /)")]
    fn formatter_field_name_split(object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let text = text_of(object, vm)?;
        let (first, rest) = format::first_part(text.data(), (0, text.len()), vm)?;
        let first = match first {
            First::Auto => Str::empty().into_object(),
            First::Index(index) => vm.new_int(index),
            First::Key(span) => text.slice(span.0, span.1, vm)?.into_object(),
        };
        let iterator = vm.new_object(FieldNameIterator {
            ob: Object::new(FieldNameIterator::type_object()),
            text: Slot::of(text.into()),
            at: Cell::new(rest),
        });
        Ok(vm.new_tuple([first, iterator.into_object()]).into_object())
    }

    /// parse the argument as a format string
    #[function("($self, object, /)")]
    fn formatter_parser(object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let text = text_of(object, vm)?;
        Ok(vm
            .new_object(FormatterIterator {
                ob: Object::new(FormatterIterator::type_object()),
                text: Slot::of(text.into()),
                at: Cell::new(0),
            })
            .into_object())
    }
}
