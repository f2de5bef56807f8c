//! What stands inside elements, and behind the last one (XML 1.0, sections 2.4 to 2.7, 3.1, 4.4).

#![allow(clippy::indexing_slicing, reason = "tokens are ranges of the text that they were found in")]

use std::rc::Rc;

use super::dtd::Entity;
use super::errors::{Code, Flow};
use super::handler::{Event, Handler, Ids};
use super::token::{Token, char_ref_number, predefined_entity};
use super::{Parser, Part, Step, Within, token};

/// The most character data that is told at once where it was decoded.
const PIECE: usize = 1024;

/// `"\r\n"` and `"\r"` as `"\n"`.
pub(super) fn with_line_feeds(data: &[u8], out: &mut Vec<u8>) {
    let mut rest = data;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\n');
        rest = &rest[at + 1..];
        if let [b'\n', tail @ ..] = rest {
            rest = tail;
        }
    }
    out.extend_from_slice(rest);
}

impl Parser {
    #[inline]
    pub(super) fn default<H: Handler>(&self, data: &[u8], handler: &H) -> Flow {
        if handler.wants(Event::Default) { handler.default(data) } else { Ok(()) }
    }

    /// A run of character data. What had to be decoded comes in pieces of a limited size, as libexpat's buffer does.
    fn data_chars<H: Handler>(&self, mut data: &[u8], inner: bool, handler: &H) -> Flow {
        if inner || self.decoder.is_identity() {
            return self.data(data, data, handler);
        }
        while data.len() > PIECE {
            let mut end = PIECE;
            while data[end] & 0xC0 == 0x80 {
                end -= 1;
            }
            self.data(&data[..end], &data[..end], handler)?;
            data = &data[end..];
        }
        self.data(data, data, handler)
    }

    /// Character data, or raw text for the default handler.
    #[inline]
    fn data<H: Handler>(&self, data: &[u8], raw: &[u8], handler: &H) -> Flow {
        if handler.wants(Event::CharacterData) {
            handler.character_data(data)
        } else {
            self.default(raw, handler)
        }
    }

    /// Reads content from `at` on, at whose start `level` elements were open. `inner`: of an internal entity.
    pub(super) fn content<H: Handler>(
        &mut self,
        text: &[u8],
        mut at: usize,
        level: usize,
        more: bool,
        inner: bool,
        handler: &H,
    ) -> Flow<Step> {
        let tokenizer = self.tokenizer;
        loop {
            if self.in_cdata {
                match self.cdata(text, at, more, inner, handler)? {
                    Step::Again(next) => at = next,
                    wait => return Ok(wait),
                }
            }
            let found = tokenizer.content(text, at);
            let (start, end) = (at, found.end);
            if !inner {
                self.shared.set_event(start, end);
            }
            if !matches!(found.token, Token::None | Token::Invalid | Token::Partial | Token::PartialChar) {
                let waits = more && matches!(found.token, Token::TrailingCr | Token::TrailingRsqb);
                if !waits {
                    self.shared.accounting.charge(end - start, inner)?;
                }
            }
            match found.token {
                Token::DataChars => self.data_chars(&text[start..end], inner, handler)?,
                Token::DataNewline => self.data(b"\n", &text[start..end], handler)?,
                Token::StartTag { attributes, empty } => {
                    self.start_tag(text, start, end, attributes, empty, inner, handler)?;
                    if empty && self.depth() == 0 {
                        self.part = Part::Epilog;
                        return Ok(Step::Again(end));
                    }
                }
                Token::EndTag => {
                    if self.depth() == level {
                        return Err(Code::AsyncEntity.into());
                    }
                    self.end_tag(text, start, end, inner, handler)?;
                    if self.depth() == 0 {
                        self.part = Part::Epilog;
                        return Ok(Step::Again(end));
                    }
                }
                Token::TrailingCr | Token::TrailingRsqb if more => return Ok(Step::Wait(start)),
                Token::TrailingCr | Token::TrailingRsqb => {
                    let raw = &text[start..end];
                    let data: &[u8] = if found.token == Token::TrailingCr { b"\n" } else { raw };
                    self.data(data, raw, handler)?;
                    if !inner {
                        self.shared.set_event(end, end);
                    }
                    if level == 0 {
                        return Err(Code::NoElements.into());
                    }
                    if self.depth() != level {
                        return Err(Code::AsyncEntity.into());
                    }
                    return Ok(Step::Wait(end));
                }
                Token::None => {
                    if more {
                        return Ok(Step::Wait(start));
                    }
                    if level == 0 {
                        return Err(Code::NoElements.into());
                    }
                    if self.depth() != level {
                        return Err(Code::AsyncEntity.into());
                    }
                    return Ok(Step::Wait(start));
                }
                Token::Invalid => return Err(self.fail_at(inner, end, Code::InvalidToken)),
                Token::Partial if more => return Ok(Step::Wait(start)),
                Token::Partial => return Err(Code::UnclosedToken.into()),
                Token::PartialChar if more => return Ok(Step::Wait(start)),
                Token::PartialChar => return Err(Code::PartialChar.into()),
                Token::EntityRef => {
                    let name = &text[start + 1..end - 1];
                    if let Some(character) = predefined_entity(name) {
                        self.data(&[character], &text[start..end], handler)?;
                    } else if self.entity_ref(name, &text[start..end], handler)? {
                        return Ok(Step::Again(end));
                    }
                }
                Token::CharRef => {
                    let raw = &text[start..end];
                    let character = char_ref_number(raw).ok_or(Code::BadCharRef)?;
                    let mut bytes = [0; 4];
                    self.data(character.encode_utf8(&mut bytes).as_bytes(), raw, handler)?;
                }
                Token::XmlDecl => return Err(Code::MisplacedXmlPi.into()),
                Token::CdataOpen => {
                    if handler.wants(Event::StartCdataSection) {
                        handler.start_cdata_section()?;
                    } else {
                        self.default(&text[start..end], handler)?;
                    }
                    self.in_cdata = true;
                }
                Token::Pi => self.processing_instruction(&text[start..end], handler)?,
                Token::Comment => self.comment(&text[start..end], handler)?,
                _ => self.default(&text[start..end], handler)?,
            }
            at = end;
        }
    }

    /// The inside of a CDATA section; `Again` behind it.
    fn cdata<H: Handler>(
        &mut self,
        text: &[u8],
        mut at: usize,
        more: bool,
        inner: bool,
        handler: &H,
    ) -> Flow<Step> {
        loop {
            let found = self.tokenizer.cdata(text, at);
            let (start, end) = (at, found.end);
            if !inner {
                self.shared.set_event(start, end);
            }
            match found.token {
                Token::Invalid => return Err(self.fail_at(inner, end, Code::InvalidToken)),
                Token::Partial | Token::PartialChar | Token::None if more => return Ok(Step::Wait(start)),
                Token::PartialChar => return Err(Code::PartialChar.into()),
                Token::Partial | Token::None => return Err(Code::UnclosedCdataSection.into()),
                _ => {}
            }
            self.shared.accounting.charge(end - start, inner)?;
            let raw = &text[start..end];
            match found.token {
                Token::CdataClose => {
                    self.in_cdata = false;
                    if handler.wants(Event::EndCdataSection) {
                        handler.end_cdata_section()?;
                    } else {
                        self.default(raw, handler)?;
                    }
                    return Ok(Step::Again(end));
                }
                Token::DataNewline => self.data(b"\n", raw, handler)?,
                _ => self.data_chars(raw, inner, handler)?,
            }
            at = end;
        }
    }

    /// `&name;`, where that isn't predefined. Gives whether an internal entity was opened.
    fn entity_ref<H: Handler>(&mut self, name: &[u8], raw: &[u8], handler: &H) -> Flow<bool> {
        let (entity, must_be_declared) = {
            let dtd = self.shared.dtd.borrow();
            let entity = dtd.general.get(name).map(Rc::clone);
            (entity, !dtd.has_param_entity_refs || dtd.standalone)
        };
        let entity: Rc<Entity> = match entity {
            Some(entity) if must_be_declared && !entity.is_internal => {
                return Err(Code::EntityDeclaredInPe.into());
            }
            Some(entity) => entity,
            None if must_be_declared => return Err(Code::UndefinedEntity.into()),
            None => {
                self.skipped(name, raw, handler)?;
                return Ok(false);
            }
        };
        if entity.open.get() {
            return Err(Code::RecursiveEntityRef.into());
        }
        if entity.notation.borrow().is_some() {
            return Err(Code::BinaryEntityRef.into());
        }
        let body = entity.text.borrow().clone();
        if let Some(body) = body {
            if !self.shared.expand_internal_entities.get() {
                self.skipped(name, raw, handler)?;
                return Ok(false);
            }
            let level = self.depth();
            self.enter(&entity, body, Within::Content(level))?;
            return Ok(true);
        }
        if !handler.wants(Event::ExternalEntityRef) {
            self.default(raw, handler)?;
            return Ok(false);
        }
        entity.open.set(true);
        let context = self.context();
        entity.open.set(false);
        if !self.external_ref(Some(&context), &entity, handler)? {
            return Err(Code::ExternalEntityHandling.into());
        }
        Ok(false)
    }

    /// Tells the handler of an external entity.
    pub(super) fn external_ref<H: Handler>(
        &self,
        context: Option<&[u8]>,
        entity: &Entity,
        handler: &H,
    ) -> Flow<bool> {
        let base = entity.base.borrow().clone();
        let system_id = entity.system_id.borrow().clone();
        let public_id = entity.public_id.borrow().clone();
        let ids =
            Ids { base: base.as_deref(), system_id: system_id.as_deref(), public_id: public_id.as_deref() };
        handler.external_entity_ref(context, ids)
    }

    fn skipped<H: Handler>(&self, name: &[u8], raw: &[u8], handler: &H) -> Flow {
        if handler.wants(Event::SkippedEntity) {
            handler.skipped_entity(name, false)
        } else {
            self.default(raw, handler)
        }
    }

    /// `<?target data?>`
    pub(super) fn processing_instruction<H: Handler>(&mut self, raw: &[u8], handler: &H) -> Flow {
        if !handler.wants(Event::ProcessingInstruction) {
            return self.default(raw, handler);
        }
        let inner = raw.get(2..raw.len().saturating_sub(2)).unwrap_or(&[]);
        let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        let name_end = inner.iter().position(is_space).unwrap_or(inner.len());
        let (target, data) = inner.split_at(name_end);
        let data = &data[token::skip_space(data, 0)..];
        if memchr::memchr(b'\r', data).is_none() {
            return handler.processing_instruction(target, data);
        }
        let mut clean = Vec::with_capacity(data.len());
        with_line_feeds(data, &mut clean);
        handler.processing_instruction(target, &clean)
    }

    /// `<!-- data -->`
    pub(super) fn comment<H: Handler>(&mut self, raw: &[u8], handler: &H) -> Flow {
        if !handler.wants(Event::Comment) {
            return self.default(raw, handler);
        }
        let data = raw.get(4..raw.len().saturating_sub(3)).unwrap_or(&[]);
        if memchr::memchr(b'\r', data).is_none() {
            return handler.comment(data);
        }
        let mut clean = Vec::with_capacity(data.len());
        with_line_feeds(data, &mut clean);
        handler.comment(&clean)
    }

    /// What follows the document's element.
    pub(super) fn epilog<H: Handler>(
        &mut self,
        text: &[u8],
        mut at: usize,
        more: bool,
        handler: &H,
    ) -> Flow<Step> {
        loop {
            let found = self.tokenizer.prolog(text, at);
            let (start, end) = (at, found.end);
            self.shared.set_event(start, end);
            match found.token {
                Token::None => return Ok(Step::Wait(start)),
                Token::Invalid => return Err(self.fail_at(false, end, Code::InvalidToken)),
                Token::Partial | Token::PartialChar if more => return Ok(Step::Wait(start)),
                Token::Partial => return Err(Code::UnclosedToken.into()),
                Token::PartialChar => return Err(Code::PartialChar.into()),
                _ => {}
            }
            self.shared.accounting.charge(end - start, false)?;
            let raw = &text[start..end];
            match found.token {
                Token::Space => self.default(raw, handler)?,
                Token::Pi => self.processing_instruction(raw, handler)?,
                Token::Comment => self.comment(raw, handler)?,
                _ => return Err(Code::JunkAfterDocElement.into()),
            }
            at = end;
        }
    }

    /// The start of an external general entity.
    pub(super) fn entity_start<H: Handler>(
        &mut self,
        text: &[u8],
        at: usize,
        more: bool,
        handler: &H,
    ) -> Flow<Step> {
        let found = self.tokenizer.content(text, at);
        self.shared.set_event(at, found.end);
        match found.token {
            Token::XmlDecl => {
                self.shared.accounting.charge(found.end - at, true)?;
                self.xml_decl(text, at, found.end, true, handler)?;
                self.part = Part::Entity;
                Ok(Step::Again(found.end))
            }
            Token::Partial | Token::PartialChar | Token::None if more => Ok(Step::Wait(at)),
            Token::Partial => Err(Code::UnclosedToken.into()),
            Token::PartialChar => Err(Code::PartialChar.into()),
            _ => {
                self.part = Part::Entity;
                Ok(Step::Again(at))
            }
        }
    }
}
