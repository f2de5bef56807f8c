//! The parser's events as calls of Python functions.

use taipan_vm::prelude::*;

use super::names::{text, text_or_none};
use super::parser::{DEFAULT_EXPAND, XmlParser};
use crate::expat::handler::ModelType;
use crate::expat::{Attributes, ByteTable, Event, Flow, Handler, Ids, Model, Stop};

/// A parser while it works.
pub struct Calls<'a> {
    pub parser: &'a XmlParser,
    pub vm: &'a Vm,
}

/// An exception stops the parser.
fn stop<T>(result: PyResult<T>) -> Flow<T> {
    result.map_err(|_| Stop::Raised)
}

/// The nested tuples of a content model.
fn model_object(models: &[Model], index: usize, calls: &Calls<'_>) -> PyResult {
    let vm = calls.vm;
    vm.check_recursion(" in conv_content_model")?;
    let Some(model) = models.get(index) else { return Ok(vm.none()) };
    let mut children = Vec::with_capacity(model.children.len());
    for &child in &model.children {
        children.push(model_object(models, child, calls)?);
    }
    let name = match &model.name {
        Some(name) => calls.parser.intern_name(name, vm)?,
        None => vm.none(),
    };
    let kind = if model.name.is_some() { ModelType::Name } else { model.kind };
    let items = [
        vm.new_int(kind as i32),
        vm.new_int(model.quantity as i32),
        name,
        vm.new_tuple(children).into_object(),
    ];
    Ok(vm.new_tuple(items).into_object())
}

impl Calls<'_> {
    fn name(&self, name: &[u8]) -> Flow<ObjRef> {
        stop(self.parser.intern_name(name, self.vm))
    }

    fn name_or_none(&self, name: Option<&[u8]>) -> Flow<ObjRef> {
        name.map_or_else(|| Ok(self.vm.none()), |name| self.name(name))
    }

    fn text(&self, data: &[u8]) -> Flow<ObjRef> {
        stop(text(data, self.vm)).map(Ref::into_object)
    }

    fn int(&self, value: bool) -> ObjRef {
        self.vm.new_int(i32::from(value))
    }

    /// Calls a handler behind the character data that was held back.
    fn call(&self, event: Event, args: &[&Object]) -> Flow {
        self.call_for(event as usize, args).map(|_| ())
    }

    fn call_for(&self, index: usize, args: &[&Object]) -> Flow<Option<ObjRef>> {
        stop(self.parser.flush(self.vm))?;
        stop(self.parser.call_handler(index, args, self.vm))
    }

    fn call_for_bool(&self, event: Event, args: &[&Object]) -> Flow<bool> {
        match self.call_for(event as usize, args)? {
            None => Ok(true),
            Some(answer) => {
                let number = stop(i64::from_arg(
                    &answer,
                    &taipan_vm::args::ArgName { func: "", pos: 0, name: "" },
                    self.vm,
                ));
                if number.is_err() {
                    self.parser.drop_handlers();
                }
                Ok(number? != 0)
            }
        }
    }
}

impl Handler for Calls<'_> {
    #[inline]
    fn wants(&self, event: Event) -> bool {
        self.parser.has_handler(event as usize)
    }

    fn start_element(&self, name: &[u8], attributes: &Attributes<'_>) -> Flow {
        let vm = self.vm;
        stop(self.parser.flush(vm))?;
        let limit =
            if self.parser.specified_attributes.get() { attributes.specified() } else { attributes.len() };
        let name = self.name(name)?;
        let container = if self.parser.ordered_attributes.get() {
            let mut items = Vec::with_capacity(limit * 2);
            for (name, value) in attributes.iter().take(limit) {
                items.push(self.name(name)?);
                items.push(self.text(value)?);
            }
            vm.new_list(items).into_object()
        } else {
            let dict = vm.new_dict();
            for (name, value) in attributes.iter().take(limit) {
                let (name, value) = (self.name(name)?, self.text(value)?);
                stop(dict.set_item(&name, &value, vm))?;
            }
            dict.into_object()
        };
        self.call(Event::StartElement, &[&name, &container])
    }

    fn end_element(&self, name: &[u8]) -> Flow {
        let name = self.name(name)?;
        self.call(Event::EndElement, &[&name])
    }

    fn processing_instruction(&self, target: &[u8], data: &[u8]) -> Flow {
        let (target, data) = (self.name(target)?, self.text(data)?);
        self.call(Event::ProcessingInstruction, &[&target, &data])
    }

    fn character_data(&self, data: &[u8]) -> Flow {
        stop(self.parser.character_data(data, self.vm))
    }

    fn unparsed_entity_decl(&self, name: &[u8], ids: Ids<'_>, notation: &[u8]) -> Flow {
        let name = self.name(name)?;
        let (base, system_id) = (self.name_or_none(ids.base)?, self.name_or_none(ids.system_id)?);
        let (public_id, notation) = (self.name_or_none(ids.public_id)?, self.name(notation)?);
        self.call(Event::UnparsedEntityDecl, &[&name, &base, &system_id, &public_id, &notation])
    }

    fn notation_decl(&self, name: &[u8], ids: Ids<'_>) -> Flow {
        let name = self.name(name)?;
        let (base, system_id) = (self.name_or_none(ids.base)?, self.name_or_none(ids.system_id)?);
        let public_id = self.name_or_none(ids.public_id)?;
        self.call(Event::NotationDecl, &[&name, &base, &system_id, &public_id])
    }

    fn start_namespace_decl(&self, prefix: Option<&[u8]>, uri: Option<&[u8]>) -> Flow {
        let (prefix, uri) = (self.name_or_none(prefix)?, self.name_or_none(uri)?);
        self.call(Event::StartNamespaceDecl, &[&prefix, &uri])
    }

    fn end_namespace_decl(&self, prefix: Option<&[u8]>) -> Flow {
        let prefix = self.name_or_none(prefix)?;
        self.call(Event::EndNamespaceDecl, &[&prefix])
    }

    fn comment(&self, data: &[u8]) -> Flow {
        let data = self.text(data)?;
        self.call(Event::Comment, &[&data])
    }

    fn start_cdata_section(&self) -> Flow {
        self.call(Event::StartCdataSection, &[])
    }

    fn end_cdata_section(&self) -> Flow {
        self.call(Event::EndCdataSection, &[])
    }

    fn default(&self, data: &[u8]) -> Flow {
        let data = self.text(data)?;
        let index = if self.parser.default_expands.get() { DEFAULT_EXPAND } else { Event::Default as usize };
        self.call_for(index, &[&data]).map(|_| ())
    }

    fn not_standalone(&self) -> Flow<bool> {
        self.call_for_bool(Event::NotStandalone, &[])
    }

    fn external_entity_ref(&self, context: Option<&[u8]>, ids: Ids<'_>) -> Flow<bool> {
        let context = stop(text_or_none(context, self.vm))?;
        let (base, system_id) = (self.name_or_none(ids.base)?, self.name_or_none(ids.system_id)?);
        let public_id = self.name_or_none(ids.public_id)?;
        self.call_for_bool(Event::ExternalEntityRef, &[&context, &base, &system_id, &public_id])
    }

    fn start_doctype_decl(
        &self,
        name: &[u8],
        system_id: Option<&[u8]>,
        public_id: Option<&[u8]>,
        has_internal_subset: bool,
    ) -> Flow {
        let name = self.name(name)?;
        let (system_id, public_id) = (self.name_or_none(system_id)?, self.name_or_none(public_id)?);
        let internal = self.int(has_internal_subset);
        self.call(Event::StartDoctypeDecl, &[&name, &system_id, &public_id, &internal])
    }

    fn end_doctype_decl(&self) -> Flow {
        self.call(Event::EndDoctypeDecl, &[])
    }

    fn entity_decl(
        &self,
        name: &[u8],
        is_param: bool,
        value: Option<&[u8]>,
        ids: Ids<'_>,
        notation: Option<&[u8]>,
    ) -> Flow {
        let (name, is_param) = (self.name(name)?, self.int(is_param));
        let value = stop(text_or_none(value, self.vm))?;
        let (base, system_id) = (self.name_or_none(ids.base)?, self.name_or_none(ids.system_id)?);
        let (public_id, notation) = (self.name_or_none(ids.public_id)?, self.name_or_none(notation)?);
        self.call(Event::EntityDecl, &[&name, &is_param, &value, &base, &system_id, &public_id, &notation])
    }

    fn xml_decl(&self, version: Option<&[u8]>, encoding: Option<&[u8]>, standalone: i32) -> Flow {
        let version = stop(text_or_none(version, self.vm))?;
        let encoding = stop(text_or_none(encoding, self.vm))?;
        self.call(Event::XmlDecl, &[&version, &encoding, &self.vm.new_int(standalone)])
    }

    fn element_decl(&self, name: &[u8], model: &[Model]) -> Flow {
        stop(self.parser.flush(self.vm))?;
        let model = stop(model_object(model, 0, self));
        if model.is_err() {
            self.parser.drop_handlers();
        }
        let (name, model) = (self.name(name)?, model?);
        self.call(Event::ElementDecl, &[&name, &model])
    }

    fn attlist_decl(
        &self,
        element: &[u8],
        attribute: &[u8],
        kind: &[u8],
        default: Option<&[u8]>,
        required: bool,
    ) -> Flow {
        let (element, attribute) = (self.name(element)?, self.name(attribute)?);
        let kind = self.text(kind)?;
        let default = stop(text_or_none(default, self.vm))?;
        self.call(Event::AttlistDecl, &[&element, &attribute, &kind, &default, &self.int(required)])
    }

    fn skipped_entity(&self, name: &[u8], is_param: bool) -> Flow {
        let name = self.name(name)?;
        self.call(Event::SkippedEntity, &[&name, &self.int(is_param)])
    }

    fn unknown_encoding(&self, name: &[u8]) -> Flow<Option<Box<ByteTable>>> {
        stop(byte_table(name, self.vm)).map(Some)
    }
}

/// What the 256 bytes mean in an encoding that Python knows. Raises `ValueError` for those of several bytes.
pub fn byte_table(name: &[u8], vm: &Vm) -> PyResult<Box<ByteTable>> {
    let bytes: Vec<u8> = (0..=255).collect();
    let name = String::from_utf8_lossy(name);
    let source = vm.new_bytes(&bytes);
    let decoded = taipan_vm::builtins::codecs_core::decode_object(
        source.as_object(),
        source.as_bytes(),
        &name,
        "replace",
        vm,
    )?;
    if decoded.len() != 256 {
        return Err(vm.value_error("multi-byte encodings are not supported"));
    }
    let mut table = Box::new([None; 256]);
    for (place, code) in table.iter_mut().zip(decoded.data().iter()) {
        *place = char::from_u32(code).filter(|&c| c != char::REPLACEMENT_CHARACTER);
    }
    Ok(table)
}
