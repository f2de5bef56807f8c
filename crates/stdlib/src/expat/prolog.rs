//! The prolog and DTDs: what their declarations do (XML 1.0, sections 2.8, 3.2, 3.3, 4.2, 4.7).

#![allow(clippy::indexing_slicing, reason = "tokens are ranges of the text that they were found in")]

use std::rc::Rc;

use super::dtd::{Entity, Text};
use super::errors::{Code, Flow};
use super::handler::{Event, Handler, Ids, Model, ModelType};
use super::roles::{Quantity, Role};
use super::token::{Token, ignore_section, predefined_entity};
use super::{Parser, Part, Step, Within};

/// The declaration under construction.
#[derive(Default)]
pub(super) struct Declared {
    doctype_name: Option<Text>,
    doctype_system_id: Option<Text>,
    doctype_public_id: Option<Text>,
    has_doctype_system_id: bool,
    entity: Option<Rc<Entity>>,
    notation_name: Option<Text>,
    notation_public_id: Option<Text>,
    element: Option<Text>,
    attribute: Option<Text>,
    attribute_is_cdata: bool,
    /// The attribute's type as it is told; empty when none was read.
    attribute_type: Vec<u8>,
    /// A content model is being read.
    in_model: bool,
    model: Vec<Model>,
    model_stack: Vec<usize>,
    /// `|` or `,` of each open group; 0 while it is not known.
    connectors: Vec<u8>,
}

/// A public identifier with white space made single spaces; none when it has characters that none may have.
fn public_id(literal: &[u8]) -> Option<Text> {
    let inner = unquote(literal);
    let fine = |b: &u8| b.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(b);
    if !inner.iter().all(fine) {
        return None;
    }
    let words = inner.split(|b| matches!(b, b' ' | b'\r' | b'\n')).filter(|word| !word.is_empty());
    Some(words.collect::<Vec<_>>().join(&b' ').into())
}

fn unquote(literal: &[u8]) -> &[u8] {
    literal.get(1..literal.len().saturating_sub(1)).unwrap_or(&[])
}

impl Parser {
    /// Reads the prolog or a DTD from `at` on. `inner`: of an internal parameter entity.
    pub(super) fn prolog<H: Handler>(
        &mut self,
        text: &[u8],
        mut at: usize,
        more: bool,
        inner: bool,
        handler: &H,
    ) -> Flow<Step> {
        if self.is_param_entity && at == 0 && !inner && text.starts_with(b"\xEF\xBB\xBF") {
            at = 3;
        }
        loop {
            let (start, mut token, end, open);
            if self.in_ignored {
                let found = ignore_section(text, at);
                (start, token, end, open) = (at, found.token, found.end, false);
            } else {
                let found = self.tokenizer.prolog(text, at);
                (start, token, end, open) = (at, found.token, found.end, found.open);
            }
            if !inner {
                self.shared.set_event(start, end);
            }
            let stops = open || matches!(token, Token::None | Token::Partial | Token::PartialChar);
            if stops && more {
                return Ok(Step::Wait(start));
            }
            match token {
                Token::Invalid => return Err(self.fail_at(inner, end, Code::InvalidToken)),
                Token::Partial if self.in_ignored => return Err(Code::Syntax.into()),
                Token::Partial => return Err(Code::UnclosedToken.into()),
                Token::PartialChar => return Err(Code::PartialChar.into()),
                Token::None => {
                    if let Some(Within::Dtd(false)) = self.open.last().map(|open| open.within) {
                        if inner {
                            return Ok(Step::Wait(start));
                        }
                    }
                    if self.is_param_entity || inner {
                        if self.prolog.role(Token::None, &[]) == Role::Error {
                            return Err(Code::IncompletePe.into());
                        }
                        return Ok(Step::Wait(start));
                    }
                    return Err(Code::NoElements.into());
                }
                Token::IgnoreSection => {
                    self.in_ignored = false;
                    self.shared.accounting.charge(end - start, inner)?;
                    self.default(&text[start..end], handler)?;
                    at = end;
                    continue;
                }
                _ => {}
            }
            if token == Token::Space && open {
                token = Token::Space;
            }
            let raw = &text[start..end];
            let role = self.prolog.role(token, raw);
            if !matches!(role, Role::InstanceStart | Role::XmlDecl | Role::TextDecl) {
                self.shared.accounting.charge(end - start, inner || !self.shared.is_root)?;
            }
            match role {
                Role::InstanceStart => {
                    self.instance_start(handler)?;
                    self.part = Part::Content;
                    return Ok(Step::Again(start));
                }
                Role::XmlDecl | Role::TextDecl => {
                    self.shared.accounting.charge(end - start, !self.shared.is_root)?;
                    self.xml_decl(text, start, end, role == Role::TextDecl, handler)?;
                    return Ok(Step::Again(end));
                }
                Role::ParamEntityRef | Role::InnerParamEntityRef => {
                    let between = role == Role::ParamEntityRef;
                    let quiet = self.param_entity_ref(&raw[1..raw.len() - 1], between, handler)?;
                    if !quiet {
                        self.default(raw, handler)?;
                    }
                    if self.open.last().is_some_and(|open| open.at == 0 && !inner)
                        || (inner && self.open.len() > 1 && self.open.last().is_some_and(|open| open.at == 0))
                    {
                        return Ok(Step::Again(end));
                    }
                }
                Role::IgnoreSection => {
                    self.default(raw, handler)?;
                    self.in_ignored = true;
                }
                _ => {
                    if !self.declare(role, text, start, end, inner, token, handler)? {
                        self.default(raw, handler)?;
                    }
                }
            }
            at = end;
        }
    }

    fn base(&self) -> Option<Text> {
        self.shared.base_uri.borrow().clone()
    }

    fn external_subset(&self) -> Rc<Entity> {
        let mut dtd = self.shared.dtd.borrow_mut();
        Rc::clone(
            dtd.external_subset
                .get_or_insert_with(|| Rc::new(Entity { is_param: true, ..Entity::default() })),
        )
    }

    /// Asks whether a document that isn't standalone is fine.
    fn check_standalone<H: Handler>(&self, handler: &H) -> Flow {
        let standalone = self.shared.dtd.borrow().standalone;
        if !standalone && handler.wants(Event::NotStandalone) && !handler.not_standalone()? {
            return Err(Code::NotStandalone.into());
        }
        Ok(())
    }

    /// Has the external subset read.
    fn read_external_subset<H: Handler>(&mut self, foreign: bool, declared: bool, handler: &H) -> Flow {
        let had_refs = {
            let mut dtd = self.shared.dtd.borrow_mut();
            std::mem::replace(&mut dtd.has_param_entity_refs, true)
        };
        if self.shared.param_entity_parsing.get() == 0 || !handler.wants(Event::ExternalEntityRef) {
            return Ok(());
        }
        let entity = self.external_subset();
        if foreign {
            *entity.base.borrow_mut() = self.base();
        }
        self.shared.dtd.borrow_mut().param_entity_read = false;
        if !self.external_ref(None, &entity, handler)? {
            return Err(Code::ExternalEntityHandling.into());
        }
        let read = self.shared.dtd.borrow().param_entity_read;
        if read {
            return self.check_standalone(handler);
        }
        if !declared {
            self.shared.dtd.borrow_mut().has_param_entity_refs = had_refs;
        }
        Ok(())
    }

    /// The document's element starts.
    fn instance_start<H: Handler>(&mut self, handler: &H) -> Flow {
        if self.shared.use_foreign_dtd.replace(false) {
            self.read_external_subset(true, false, handler)?;
        }
        Ok(())
    }

    /// `%name;` Gives whether the default handler is not to see it.
    fn param_entity_ref<H: Handler>(&mut self, name: &[u8], between: bool, handler: &H) -> Flow<bool> {
        let give_up = |parser: &Parser| {
            let mut dtd = parser.shared.dtd.borrow_mut();
            dtd.keep_processing = dtd.standalone;
        };
        self.shared.dtd.borrow_mut().has_param_entity_refs = true;
        if self.shared.param_entity_parsing.get() == 0 {
            give_up(self);
            self.check_standalone(handler)?;
            return Ok(false);
        }
        let (entity, standalone) = {
            let dtd = self.shared.dtd.borrow();
            (dtd.params.get(name).map(Rc::clone), dtd.standalone)
        };
        let checked = self.prolog.is_document() && standalone && self.open.is_empty();
        let entity = match entity {
            Some(entity) if checked && !entity.is_internal => return Err(Code::EntityDeclaredInPe.into()),
            Some(entity) => entity,
            None if checked => return Err(Code::UndefinedEntity.into()),
            None => {
                give_up(self);
                if between && handler.wants(Event::SkippedEntity) {
                    handler.skipped_entity(name, true)?;
                    return Ok(true);
                }
                return Ok(false);
            }
        };
        if entity.open.get() {
            return Err(Code::RecursiveEntityRef.into());
        }
        let body = entity.text.borrow().clone();
        if let Some(body) = body {
            self.enter(&entity, body, Within::Dtd(between))?;
            return Ok(true);
        }
        if !handler.wants(Event::ExternalEntityRef) {
            give_up(self);
            self.check_standalone(handler)?;
            return Ok(false);
        }
        self.shared.dtd.borrow_mut().param_entity_read = false;
        entity.open.set(true);
        let told = self.external_ref(None, &entity, handler);
        entity.open.set(false);
        if !told? {
            return Err(Code::ExternalEntityHandling.into());
        }
        if !self.shared.dtd.borrow().param_entity_read {
            give_up(self);
            return Ok(true);
        }
        self.check_standalone(handler)?;
        Ok(true)
    }

    /// What a token of a declaration does. Gives whether the default handler is not to see it.
    #[allow(clippy::too_many_arguments, reason = "the token, where it stands, and who hears of it")]
    fn declare<H: Handler>(
        &mut self,
        role: Role,
        text: &[u8],
        start: usize,
        end: usize,
        inner: bool,
        token: Token,
        handler: &H,
    ) -> Flow<bool> {
        let raw = &text[start..end];
        let keeps = self.shared.dtd.borrow().keep_processing;
        let hears = |event: Event| handler.wants(event);
        Ok(match role {
            Role::Error => {
                return Err(match token {
                    Token::ParamEntityRef => Code::ParamEntityRef,
                    Token::XmlDecl => Code::MisplacedXmlPi,
                    _ => Code::Syntax,
                }
                .into());
            }
            Role::None => token == Token::Bom,
            Role::Pi => {
                self.processing_instruction(raw, handler)?;
                true
            }
            Role::Comment => {
                self.comment(raw, handler)?;
                true
            }
            Role::DoctypeNone => hears(Event::StartDoctypeDecl),
            Role::EntityNone => keeps && hears(Event::EntityDecl),
            Role::NotationNone => hears(Event::NotationDecl),
            Role::AttlistNone => keeps && hears(Event::AttlistDecl),
            Role::ElementNone => hears(Event::ElementDecl),
            Role::DoctypeName
            | Role::DoctypePublicId
            | Role::DoctypeSystemId
            | Role::DoctypeInternalSubset
            | Role::DoctypeClose => self.doctype(role, raw, inner, handler)?,
            Role::GeneralEntityName
            | Role::ParamEntityName
            | Role::EntityValue
            | Role::EntitySystemId
            | Role::EntityPublicId
            | Role::EntityNotationName
            | Role::EntityComplete => self.entity_decl(role, raw, start, inner, handler)?,
            Role::NotationName
            | Role::NotationPublicId
            | Role::NotationSystemId
            | Role::NotationNoSystemId => self.notation_decl(role, raw, inner, handler)?,
            Role::AttlistElementName
            | Role::AttributeName
            | Role::AttributeType(_)
            | Role::AttributeEnumValue
            | Role::AttributeNotationValue
            | Role::ImpliedAttributeValue
            | Role::RequiredAttributeValue
            | Role::DefaultAttributeValue
            | Role::FixedAttributeValue => self.attlist_decl(role, raw, start, inner, handler)?,
            _ => self.element_decl(role, raw, handler)?,
        })
    }

    fn doctype<H: Handler>(&mut self, role: Role, raw: &[u8], inner: bool, handler: &H) -> Flow<bool> {
        let hears = handler.wants(Event::StartDoctypeDecl);
        match role {
            Role::DoctypeName => {
                self.declared.doctype_system_id = None;
                self.declared.has_doctype_system_id = false;
                self.declared.doctype_public_id = None;
                self.declared.doctype_name = hears.then(|| raw.into());
                Ok(hears)
            }
            Role::DoctypePublicId => {
                self.shared.use_foreign_dtd.set(false);
                let entity = self.external_subset();
                self.declared.entity = Some(Rc::clone(&entity));
                let Some(id) = public_id(raw) else { return Err(self.fail_at(inner, 0, Code::PublicId)) };
                if hears {
                    self.declared.doctype_public_id = Some(id.clone());
                }
                if self.shared.dtd.borrow().keep_processing {
                    *entity.public_id.borrow_mut() = Some(id);
                }
                Ok(hears)
            }
            Role::DoctypeSystemId => {
                self.shared.use_foreign_dtd.set(false);
                self.shared.dtd.borrow_mut().has_param_entity_refs = true;
                self.declared.has_doctype_system_id = true;
                self.declared.doctype_system_id = hears.then(|| unquote(raw).into());
                if self.shared.param_entity_parsing.get() == 0 {
                    self.check_standalone(handler)?;
                }
                let entity = self.external_subset();
                self.declared.entity = Some(Rc::clone(&entity));
                if self.shared.dtd.borrow().keep_processing {
                    *entity.system_id.borrow_mut() = Some(unquote(raw).into());
                    *entity.base.borrow_mut() = self.base();
                }
                Ok(hears)
            }
            Role::DoctypeInternalSubset => {
                let Some(name) = self.declared.doctype_name.take() else { return Ok(false) };
                if hears {
                    let system_id = self.declared.doctype_system_id.take();
                    let public_id = self.declared.doctype_public_id.take();
                    handler.start_doctype_decl(&name, system_id.as_deref(), public_id.as_deref(), true)?;
                }
                Ok(hears)
            }
            _ => {
                if inner {
                    return Err(Code::InvalidToken.into());
                }
                let mut quiet = false;
                if let Some(name) = self.declared.doctype_name.take() {
                    let system_id = self.declared.doctype_system_id.take();
                    let public_id = self.declared.doctype_public_id.take();
                    handler.start_doctype_decl(&name, system_id.as_deref(), public_id.as_deref(), false)?;
                    quiet = true;
                }
                let foreign = self.shared.use_foreign_dtd.get();
                if self.declared.has_doctype_system_id || foreign {
                    self.read_external_subset(foreign, self.declared.has_doctype_system_id, handler)?;
                    self.shared.use_foreign_dtd.set(false);
                }
                if handler.wants(Event::EndDoctypeDecl) {
                    handler.end_doctype_decl()?;
                    quiet = true;
                }
                Ok(quiet)
            }
        }
    }

    fn entity_decl<H: Handler>(
        &mut self,
        role: Role,
        raw: &[u8],
        start: usize,
        inner: bool,
        handler: &H,
    ) -> Flow<bool> {
        let keeps = self.shared.dtd.borrow().keep_processing;
        let hears = handler.wants(Event::EntityDecl);
        match role {
            Role::GeneralEntityName | Role::ParamEntityName => {
                let is_param = role == Role::ParamEntityName;
                self.declared.entity = None;
                if !keeps || (!is_param && predefined_entity(raw).is_some()) {
                    return Ok(false);
                }
                let entity = Rc::new(Entity {
                    name: raw.into(),
                    is_param,
                    is_internal: self.shared.is_root && self.open.is_empty(),
                    ..Entity::default()
                });
                {
                    let mut dtd = self.shared.dtd.borrow_mut();
                    let entities = if is_param { &mut dtd.params } else { &mut dtd.general };
                    // The first declaration counts.
                    if entities.contains_key(raw) {
                        return Ok(false);
                    }
                    entities.insert(raw.into(), Rc::clone(&entity));
                }
                self.shared.accounting.allocate(raw.len() + 80)?;
                self.declared.entity = Some(entity);
                Ok(hears)
            }
            Role::EntityValue => {
                if !keeps {
                    return Ok(false);
                }
                let declared = self.declared.entity.clone();
                let outer = std::mem::take(&mut self.shared.dtd.borrow_mut().entity_value);
                let result = self.entity_value(unquote(raw), inner, declared.as_ref(), handler);
                let value = std::mem::replace(&mut self.shared.dtd.borrow_mut().entity_value, outer);
                let failed = result.err().map(|(stop, wrong)| {
                    if !inner {
                        self.shared.set_event(start + 1 + wrong, start + 1 + wrong);
                    }
                    stop
                });
                let Some(entity) = declared else { return failed.map_or(Ok(false), Err) };
                self.shared.accounting.allocate(value.len())?;
                let value = Text::from(value);
                *entity.text.borrow_mut() = Some(value.clone());
                // The handler hears of what comes before an error, too.
                if hears {
                    let base = self.base();
                    let ids = Ids { base: base.as_deref(), system_id: None, public_id: None };
                    handler.entity_decl(&entity.name, entity.is_param, Some(&value), ids, None)?;
                }
                failed.map_or(Ok(hears), Err)
            }
            Role::EntityPublicId => {
                let Some(id) = public_id(raw) else { return Err(self.fail_at(inner, start, Code::PublicId)) };
                match &self.declared.entity {
                    Some(entity) if keeps => {
                        *entity.public_id.borrow_mut() = Some(id);
                        Ok(hears)
                    }
                    _ => Ok(false),
                }
            }
            Role::EntitySystemId => match &self.declared.entity {
                Some(entity) if keeps => {
                    *entity.system_id.borrow_mut() = Some(unquote(raw).into());
                    *entity.base.borrow_mut() = self.base();
                    Ok(hears)
                }
                _ => Ok(false),
            },
            _ => {
                let Some(entity) = self.declared.entity.clone().filter(|_| keeps) else { return Ok(false) };
                let notation: Option<Text> = (role == Role::EntityNotationName).then(|| raw.into());
                if let Some(notation) = &notation {
                    *entity.notation.borrow_mut() = Some(notation.clone());
                }
                let base = entity.base.borrow().clone();
                let system_id = entity.system_id.borrow().clone();
                let public_id = entity.public_id.borrow().clone();
                let ids = Ids {
                    base: base.as_deref(),
                    system_id: system_id.as_deref(),
                    public_id: public_id.as_deref(),
                };
                if let (Some(notation), true) = (&notation, handler.wants(Event::UnparsedEntityDecl)) {
                    handler.unparsed_entity_decl(&entity.name, ids, notation)?;
                    return Ok(true);
                }
                if hears {
                    let is_param = entity.is_param && notation.is_none();
                    handler.entity_decl(&entity.name, is_param, None, ids, notation.as_deref())?;
                }
                Ok(hears)
            }
        }
    }

    fn notation_decl<H: Handler>(&mut self, role: Role, raw: &[u8], inner: bool, handler: &H) -> Flow<bool> {
        let hears = handler.wants(Event::NotationDecl);
        match role {
            Role::NotationName => {
                self.declared.notation_public_id = None;
                self.declared.notation_name = hears.then(|| raw.into());
                Ok(hears)
            }
            Role::NotationPublicId => {
                let Some(id) = public_id(raw) else {
                    let _ = inner;
                    return Err(Code::PublicId.into());
                };
                let named = self.declared.notation_name.is_some();
                if named {
                    self.declared.notation_public_id = Some(id);
                }
                Ok(named)
            }
            _ => {
                let system_id = (role == Role::NotationSystemId).then(|| unquote(raw));
                let public_id = self.declared.notation_public_id.take();
                let Some(name) = self.declared.notation_name.take() else { return Ok(false) };
                if !hears || (system_id.is_none() && public_id.is_none()) {
                    return Ok(false);
                }
                let base = self.base();
                let ids = Ids { base: base.as_deref(), system_id, public_id: public_id.as_deref() };
                handler.notation_decl(&name, ids)?;
                Ok(true)
            }
        }
    }

    fn attlist_decl<H: Handler>(
        &mut self,
        role: Role,
        raw: &[u8],
        start: usize,
        inner: bool,
        handler: &H,
    ) -> Flow<bool> {
        let keeps = self.shared.dtd.borrow().keep_processing;
        let hears = keeps && handler.wants(Event::AttlistDecl);
        match role {
            Role::AttlistElementName => {
                self.declared.element = Some(raw.into());
                return Ok(hears);
            }
            Role::AttributeName => {
                self.declared.attribute = Some(raw.into());
                self.declared.attribute_is_cdata = false;
                self.declared.attribute_type.truncate(0);
                return Ok(hears);
            }
            Role::AttributeType(name) => {
                self.declared.attribute_is_cdata = name == "CDATA";
                self.declared.attribute_type = name.as_bytes().to_vec();
                return Ok(hears);
            }
            Role::AttributeEnumValue | Role::AttributeNotationValue => {
                if hears {
                    let kind = &mut self.declared.attribute_type;
                    let lead: &[u8] = match (kind.is_empty(), role) {
                        (false, _) => b"|",
                        (true, Role::AttributeNotationValue) => b"NOTATION(",
                        (true, _) => b"(",
                    };
                    kind.extend_from_slice(lead);
                    kind.extend_from_slice(raw);
                }
                return Ok(hears);
            }
            _ => {}
        }
        if !keeps {
            return Ok(false);
        }
        let (Some(element), Some(attribute)) =
            (self.declared.element.clone(), self.declared.attribute.clone())
        else {
            return Ok(false);
        };
        let is_cdata = self.declared.attribute_is_cdata;
        let has_value = matches!(role, Role::DefaultAttributeValue | Role::FixedAttributeValue);
        let value: Option<Text> = if has_value {
            let mut out = Vec::new();
            self.attribute_value(unquote(raw), is_cdata, true, &mut out, 0)
                .map_err(|wrong| self.fail_in_value(inner, start + 1, wrong))?;
            Some(out.into())
        } else {
            None
        };
        self.shared.accounting.allocate(attribute.len() + value.as_ref().map_or(0, |v| v.len()) + 64)?;
        self.shared.dtd.borrow_mut().define_attribute(&element, &attribute, is_cdata, value.clone());
        if !hears || self.declared.attribute_type.is_empty() {
            return Ok(false);
        }
        let mut kind = std::mem::take(&mut self.declared.attribute_type);
        if kind.starts_with(b"(") || kind.starts_with(b"NOTATION(") {
            kind.push(b')');
        }
        let required = matches!(role, Role::RequiredAttributeValue | Role::FixedAttributeValue);
        handler.attlist_decl(&element, &attribute, &kind, value.as_deref(), required)?;
        Ok(true)
    }

    fn add_model(&mut self, kind: ModelType, quantity: Quantity, name: Option<&[u8]>) -> Flow<usize> {
        self.shared.accounting.allocate(40 + name.map_or(0, <[u8]>::len))?;
        let index = self.declared.model.len();
        self.declared.model.push(Model { kind, quantity, name: name.map(Box::from), children: Vec::new() });
        if let Some(&parent) = self.declared.model_stack.last() {
            if let Some(parent) = self.declared.model.get_mut(parent) {
                parent.children.push(index);
            }
        }
        Ok(index)
    }

    fn element_decl<H: Handler>(&mut self, role: Role, raw: &[u8], handler: &H) -> Flow<bool> {
        let hears = handler.wants(Event::ElementDecl);
        let in_model = self.declared.in_model;
        match role {
            Role::ElementName => {
                self.declared.connectors.truncate(0);
                if !hears {
                    return Ok(false);
                }
                self.declared.element = Some(raw.into());
                self.declared.model = Vec::new();
                self.declared.model_stack.truncate(0);
                self.declared.in_model = true;
            }
            Role::ContentAny | Role::ContentEmpty => {
                if !in_model {
                    return Ok(false);
                }
                let kind = if role == Role::ContentAny { ModelType::Any } else { ModelType::Empty };
                self.add_model(kind, Quantity::One, None)?;
                return self.end_model(hears, handler);
            }
            Role::ContentPcdata => {
                if !in_model {
                    return Ok(false);
                }
                if let Some(group) = self.declared.model_stack.last().copied() {
                    if let Some(group) = self.declared.model.get_mut(group) {
                        group.kind = ModelType::Mixed;
                    }
                }
            }
            Role::GroupOpen => {
                self.declared.connectors.push(0);
                self.shared.accounting.allocate(1)?;
                if !in_model {
                    return Ok(false);
                }
                let group = self.add_model(ModelType::Seq, Quantity::One, None)?;
                self.declared.model_stack.push(group);
            }
            Role::GroupSequence | Role::GroupChoice => {
                let own = if role == Role::GroupChoice { b'|' } else { b',' };
                let Some(connector) = self.declared.connectors.last_mut() else { return Ok(false) };
                if *connector != 0 && *connector != own {
                    return Err(Code::Syntax.into());
                }
                let first = std::mem::replace(connector, own) == 0;
                if !in_model {
                    return Ok(false);
                }
                if own == b'|' && first {
                    if let Some(group) = self.declared.model_stack.last().copied() {
                        match self.declared.model.get_mut(group) {
                            Some(group) if group.kind != ModelType::Mixed => group.kind = ModelType::Choice,
                            _ => {}
                        }
                    }
                }
            }
            Role::GroupClose(quantity) => {
                self.declared.connectors.pop();
                if !in_model {
                    return Ok(false);
                }
                if let Some(group) = self.declared.model_stack.pop() {
                    if let Some(group) = self.declared.model.get_mut(group) {
                        group.quantity = quantity;
                    }
                }
                if self.declared.model_stack.is_empty() {
                    return self.end_model(hears, handler);
                }
            }
            Role::ContentElement(quantity) => {
                if !in_model {
                    return Ok(false);
                }
                let suffix = usize::from(quantity != Quantity::One);
                let name = raw.get(..raw.len() - suffix).unwrap_or(&[]);
                self.add_model(ModelType::Name, quantity, Some(name))?;
            }
            _ => return Ok(false),
        }
        Ok(hears)
    }

    fn end_model<H: Handler>(&mut self, hears: bool, handler: &H) -> Flow<bool> {
        self.declared.in_model = false;
        let model = std::mem::take(&mut self.declared.model);
        let element = self.declared.element.clone();
        if let (true, Some(element)) = (hears, element) {
            handler.element_decl(&element, &model)?;
        }
        Ok(hears)
    }
}
