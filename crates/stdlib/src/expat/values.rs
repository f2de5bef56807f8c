//! The values of attributes and entities: references in them, white space (XML 1.0, sections 3.3.3, 4.4, 4.5).

#![allow(
    clippy::indexing_slicing,
    reason = "positions are compared with the text's length before they are read"
)]

use std::rc::Rc;

use super::dtd::{Entity, Text};
use super::errors::{Code, Flow, Stop};
use super::handler::{Event, Handler};
use super::token::{Token, char_ref_number, predefined_entity};
use super::{Parser, Part, Step};

/// An error in a value, and where in the value's own text it is.
type Wrong = (Code, usize);

/// An entity whose text is part of a value.
struct Frame {
    entity: Option<Rc<Entity>>,
    text: Option<Text>,
    at: usize,
}

fn code_of(stop: Stop) -> Code {
    match stop {
        Stop::Error(code) => code,
        Stop::Raised => Code::Aborted,
    }
}

impl Parser {
    /// Appends the normalised value of an attribute to `out`, where it starts at `start`. `in_prolog`: it is a default.
    pub(super) fn attribute_value(
        &mut self,
        raw: &[u8],
        is_cdata: bool,
        in_prolog: bool,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), Wrong> {
        let mut frames = vec![Frame { entity: None, text: None, at: 0 }];
        let result = self.append_value(raw, is_cdata, in_prolog, out, start, &mut frames);
        for frame in frames {
            if let Some(entity) = frame.entity {
                entity.open.set(false);
            }
        }
        result?;
        if !is_cdata && out.len() > start && out.last() == Some(&b' ') {
            out.pop();
        }
        Ok(())
    }

    fn append_value(
        &mut self,
        raw: &[u8],
        is_cdata: bool,
        in_prolog: bool,
        out: &mut Vec<u8>,
        start: usize,
        frames: &mut Vec<Frame>,
    ) -> Result<(), Wrong> {
        // Errors inside entities are told at the value's own reference.
        let mut outer = 0;
        loop {
            let depth = frames.len();
            let Some(frame) = frames.last_mut() else { return Ok(()) };
            let body = frame.text.clone();
            let text: &[u8] = body.as_deref().unwrap_or(raw);
            let at = frame.at;
            if depth == 1 {
                outer = at;
            }
            let Some(&byte) = text.get(at) else {
                if let Some(done) = frames.pop() {
                    if let Some(entity) = done.entity {
                        entity.open.set(false);
                    }
                }
                continue;
            };
            let space = |out: &mut Vec<u8>| {
                if is_cdata || (out.len() > start && out.last() != Some(&b' ')) {
                    out.push(b' ');
                }
            };
            match byte {
                b'\r' => {
                    frame.at += if text.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
                    space(out);
                }
                b' ' | b'\t' | b'\n' => {
                    frame.at += 1;
                    space(out);
                }
                b'<' => return Err((Code::InvalidToken, if depth == 1 { at } else { outer })),
                b'&' => {
                    let found = self.tokenizer.reference_at(text, at);
                    let wrong = if depth == 1 { at } else { outer };
                    match found.token {
                        Token::CharRef => {
                            let Some(c) = char_ref_number(&text[at..found.end]) else {
                                return Err((Code::BadCharRef, wrong));
                            };
                            frame.at = found.end;
                            if c == ' ' {
                                space(out);
                            } else {
                                let mut bytes = [0; 4];
                                out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
                            }
                        }
                        Token::EntityRef => {
                            frame.at = found.end;
                            let name = &text[at + 1..found.end - 1];
                            if let Some(c) = predefined_entity(name) {
                                out.push(c);
                                self.shared
                                    .accounting
                                    .charge(1, true)
                                    .map_err(|stop| (code_of(stop), wrong))?;
                                continue;
                            }
                            let found = self.value_entity(name, in_prolog).map_err(|code| (code, wrong))?;
                            if let Some((entity, body)) = found {
                                entity.open.set(true);
                                self.shared
                                    .accounting
                                    .charge(body.len(), true)
                                    .map_err(|stop| (code_of(stop), wrong))?;
                                frames.push(Frame { entity: Some(entity), text: Some(body), at: 0 });
                            }
                        }
                        Token::Invalid => {
                            return Err((Code::InvalidToken, if depth == 1 { found.end } else { outer }));
                        }
                        _ => return Err((Code::InvalidToken, wrong)),
                    }
                }
                _ => {
                    let rest = &text[at..];
                    let length = rest
                        .iter()
                        .position(|b| matches!(b, b'&' | b'<' | b' ' | b'\t' | b'\n' | b'\r'))
                        .unwrap_or(rest.len());
                    out.extend_from_slice(&rest[..length]);
                    frame.at += length;
                }
            }
        }
    }

    /// The entity that a value refers to and its text; none where it may be unknown.
    fn value_entity(&self, name: &[u8], in_prolog: bool) -> Result<Option<(Rc<Entity>, Text)>, Code> {
        let dtd = self.shared.dtd.borrow();
        let checked = if in_prolog {
            self.prolog.is_document()
                && if dtd.standalone { self.open.is_empty() } else { !dtd.has_param_entity_refs }
        } else {
            !dtd.has_param_entity_refs || dtd.standalone
        };
        let entity = match dtd.general.get(name) {
            Some(entity) if checked && !entity.is_internal => return Err(Code::EntityDeclaredInPe),
            Some(entity) => Rc::clone(entity),
            None if checked => return Err(Code::UndefinedEntity),
            None => return Ok(None),
        };
        if entity.open.get() {
            return Err(Code::RecursiveEntityRef);
        }
        if entity.notation.borrow().is_some() {
            return Err(Code::BinaryEntityRef);
        }
        let text = entity.text.borrow().clone();
        match text {
            Some(text) => Ok(Some((entity, text))),
            None => Err(Code::AttributeExternalEntityRef),
        }
    }

    /// Appends the value of an entity to the one under construction. `inner`: it is declared in a parameter entity.
    pub(super) fn entity_value<H: Handler>(
        &mut self,
        raw: &[u8],
        inner: bool,
        declared: Option<&Rc<Entity>>,
        handler: &H,
    ) -> Result<(), (Stop, usize)> {
        let old = self.shared.in_entity_value.replace(true);
        let mut frames = vec![Frame { entity: None, text: None, at: 0 }];
        let result = self.append_entity_value(raw, inner, declared, &mut frames, handler);
        for frame in frames {
            if let Some(entity) = frame.entity {
                entity.open.set(false);
            }
        }
        self.shared.in_entity_value.set(old);
        result
    }

    fn append_entity_value<H: Handler>(
        &mut self,
        raw: &[u8],
        inner: bool,
        declared: Option<&Rc<Entity>>,
        frames: &mut Vec<Frame>,
        handler: &H,
    ) -> Result<(), (Stop, usize)> {
        let mut outer = 0;
        loop {
            let depth = frames.len();
            let Some(frame) = frames.last_mut() else { return Ok(()) };
            let body = frame.text.clone();
            let text: &[u8] = body.as_deref().unwrap_or(raw);
            let at = frame.at;
            if depth == 1 {
                outer = at;
            }
            let Some(&byte) = text.get(at) else {
                if let Some(done) = frames.pop() {
                    if let Some(entity) = done.entity {
                        entity.open.set(false);
                    }
                }
                continue;
            };
            let fail = |code: Code, here: usize| (Stop::from(code), if depth == 1 { here } else { outer });
            let push = |bytes: &[u8]| self.shared.dtd.borrow_mut().entity_value.extend_from_slice(bytes);
            match byte {
                b'\r' => {
                    frame.at += if text.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
                    push(b"\n");
                }
                b'&' => {
                    let found = self.tokenizer.reference_at(text, at);
                    match found.token {
                        Token::EntityRef => push(&text[at..found.end]),
                        Token::CharRef => match char_ref_number(&text[at..found.end]) {
                            None => return Err(fail(Code::BadCharRef, 0)),
                            Some(c) => {
                                let mut bytes = [0; 4];
                                push(c.encode_utf8(&mut bytes).as_bytes());
                            }
                        },
                        Token::Invalid => return Err(fail(Code::InvalidToken, found.end)),
                        _ => return Err(fail(Code::InvalidToken, 0)),
                    }
                    frame.at = found.end;
                }
                b'%' => {
                    let found = self.tokenizer.percent_at(text, at);
                    match found.token {
                        Token::ParamEntityRef => {}
                        Token::Invalid => return Err(fail(Code::InvalidToken, found.end)),
                        _ => return Err(fail(Code::InvalidToken, 0)),
                    }
                    if !self.is_param_entity && !inner && depth == 1 {
                        // In the internal subset, no references within declarations.
                        return Err(fail(Code::ParamEntityRef, 0));
                    }
                    frame.at = found.end;
                    let name = &text[at + 1..found.end - 1];
                    let entity = self.shared.dtd.borrow().params.get(name).map(Rc::clone);
                    let give_up = |parser: &Parser| {
                        let mut dtd = parser.shared.dtd.borrow_mut();
                        dtd.keep_processing = dtd.standalone;
                    };
                    let Some(entity) = entity else {
                        give_up(self);
                        return Ok(());
                    };
                    if entity.open.get() || declared.is_some_and(|own| Rc::ptr_eq(own, &entity)) {
                        return Err(fail(Code::RecursiveEntityRef, 0));
                    }
                    if entity.system_id.borrow().is_some() {
                        if !handler.wants(Event::ExternalEntityRef) {
                            give_up(self);
                            continue;
                        }
                        self.shared.dtd.borrow_mut().param_entity_read = false;
                        entity.open.set(true);
                        let told = self.external_ref(None, &entity, handler);
                        entity.open.set(false);
                        match told {
                            Ok(true) => {}
                            Ok(false) => return Err(fail(Code::ExternalEntityHandling, 0)),
                            Err(stop) => return Err((stop, outer)),
                        }
                        if !self.shared.dtd.borrow().param_entity_read {
                            give_up(self);
                        }
                    } else {
                        let body = entity.text.borrow().clone().unwrap_or_else(|| Text::from(&[][..]));
                        self.shared.accounting.charge(body.len(), true).map_err(|stop| (stop, outer))?;
                        entity.open.set(true);
                        frames.push(Frame { entity: Some(entity), text: Some(body), at: 0 });
                    }
                }
                _ => {
                    let rest = &text[at..];
                    let length =
                        rest.iter().position(|b| matches!(b, b'&' | b'%' | b'\r')).unwrap_or(rest.len());
                    push(&rest[..length]);
                    frame.at += length;
                }
            }
        }
    }

    /// An external parameter entity that is part of an entity's value: all of it is, once it is whole.
    pub(super) fn entity_value_part<H: Handler>(
        &mut self,
        text: &[u8],
        at: usize,
        more: bool,
        handler: &H,
    ) -> Flow<Step> {
        if more {
            return Ok(Step::Wait(at));
        }
        self.shared.set_event(at, at);
        if self.part == Part::ValueStart {
            self.part = Part::Value;
            let found = self.tokenizer.prolog(text, at);
            if found.token == Token::XmlDecl {
                self.xml_decl(text, at, found.end, true, handler)?;
                return Ok(Step::Again(found.end));
            }
        }
        let body = &text[at..];
        self.shared.accounting.charge(body.len(), true)?;
        self.entity_value(body, true, None, handler).map_err(|(stop, wrong)| {
            self.shared.set_event(at + wrong, at + wrong);
            stop
        })?;
        self.shared.set_event(text.len(), text.len());
        Ok(Step::Wait(text.len()))
    }
}
