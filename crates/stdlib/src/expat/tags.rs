//! Start tags and end tags: attributes, their defaults, namespaces (XML 1.0, sections 3.1, 3.3; Namespaces in XML 1.0).

#![allow(clippy::indexing_slicing, reason = "tags are taken apart along what the tokenizer found in them")]

use std::collections::HashSet;

use super::dtd::Attribute;
use super::errors::{Code, Flow};
use super::handler::{Attributes, Event, Handler, Piece};
use super::token::skip_space;
use super::{Parser, Tag};

/// Up to here each is compared with each.
const FEW: usize = 16;

/// Whether a name occurs twice.
fn has_duplicate<'a>(names: impl Iterator<Item = &'a [u8]> + Clone, count: usize) -> Option<usize> {
    if count <= 1 {
        return None;
    }
    if count <= FEW {
        for (at, name) in names.clone().enumerate() {
            if names.clone().take(at).any(|earlier| earlier == name) {
                return Some(at);
            }
        }
        return None;
    }
    let mut seen = HashSet::with_capacity(count);
    names.enumerate().find(|(_, name)| !seen.insert(*name)).map(|(at, _)| at)
}

fn in_text(start: usize, end: usize) -> Piece {
    Piece { made: false, start, end }
}

/// `prefix:local`, if there is a prefix.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', name)?;
    Some((&name[..at], &name[at + 1..]))
}

impl Parser {
    fn piece<'a>(&'a self, text: &'a [u8], piece: Piece) -> &'a [u8] {
        let whole = if piece.made { self.made.as_slice() } else { text };
        whole.get(piece.start..piece.end).unwrap_or(&[])
    }

    /// Copies text to what is made.
    fn make(&mut self, text: &[u8]) -> Piece {
        let start = self.made.len();
        self.made.extend_from_slice(text);
        Piece { made: true, start, end: self.made.len() }
    }

    /// A start tag in `text[start..end]`.
    #[allow(clippy::too_many_arguments, reason = "the tag, where it stands, and who hears of it")]
    pub(super) fn start_tag<H: Handler>(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        attributes: bool,
        empty: bool,
        inner: bool,
        handler: &H,
    ) -> Flow {
        let name_start = start + 1;
        let stop = if empty { end - 2 } else { end - 1 };
        let name_end = if attributes {
            let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
            text[name_start..stop].iter().position(is_space).map_or(stop, |length| name_start + length)
        } else {
            let mut at = stop;
            while at > name_start && matches!(text[at - 1], b' ' | b'\t' | b'\r' | b'\n') {
                at -= 1;
            }
            at
        };
        let bindings = self.namespaces.depth();
        self.attributes.truncate(0);
        self.made.truncate(0);
        let wants = handler.wants(Event::StartElement);
        let name = &text[name_start..name_end];
        let declared: Vec<Attribute> = {
            let dtd = self.shared.dtd.borrow();
            if dtd.attributes.is_empty() {
                Vec::new()
            } else {
                dtd.attributes.get(name).cloned().unwrap_or_default()
            }
        };
        if attributes {
            if let Err(stop) = self.read_attributes(text, name_end, stop, &declared, inner) {
                // Declarations in front of what is wrong have been heard of.
                if self.tokenizer.namespaces {
                    self.bind_namespaces(text, self.attributes.len(), handler)?;
                }
                return Err(stop);
            }
        }
        let mut specified = self.attributes.len();
        for attribute in &declared {
            let Some(value) = &attribute.default else { continue };
            let given = (0..specified).any(|i| {
                self.attributes.get(i).is_some_and(|(n, _)| *self.piece(text, *n) == *attribute.name)
            });
            if !given {
                let name = self.make(&attribute.name);
                let value = self.make(value);
                self.attributes.push((name, value));
            }
        }
        let mut expanded = false;
        let names = self.names.len();
        self.names.extend_from_slice(name);
        let raw_end = self.names.len();
        if self.tokenizer.namespaces {
            specified = self.bind_namespaces(text, specified, handler)?;
            self.expand_attributes(text)?;
            expanded = self.expand_name(name)?;
        }
        self.shared.accounting.allocate(self.names.len() - names + 64)?;
        if wants || handler.wants(Event::StartElement) {
            let items = std::mem::take(&mut self.attributes);
            let made = std::mem::take(&mut self.made);
            let given = Attributes { items: &items, specified, text, made: &made };
            let name = if expanded { &self.names[raw_end..] } else { &self.names[names..raw_end] };
            let told = handler.start_element(name, &given);
            self.attributes = items;
            self.made = made;
            told?;
        } else if !(empty && handler.wants(Event::EndElement)) {
            self.default(&text[start..end], handler)?;
        }
        if !empty {
            self.tags.push(Tag { names, raw_end, expanded, bindings });
            return Ok(());
        }
        if handler.wants(Event::EndElement) {
            if !inner && wants {
                self.shared.set_event(end, end);
            }
            let name = if expanded { &self.names[raw_end..] } else { &self.names[names..raw_end] };
            handler.end_element(name)?;
        }
        self.shared.accounting.release(self.names.len() - names + 64);
        self.names.truncate(names);
        self.unbind(bindings, handler)
    }

    /// The attributes in `text[at..stop]`.
    fn read_attributes(
        &mut self,
        text: &[u8],
        mut at: usize,
        stop: usize,
        declared: &[Attribute],
        inner: bool,
    ) -> Flow {
        loop {
            at = skip_space(text, at);
            if at >= stop {
                break;
            }
            let name_start = at;
            while !matches!(text[at], b'=' | b' ' | b'\t' | b'\r' | b'\n') {
                at += 1;
            }
            let name = in_text(name_start, at);
            while !matches!(text[at], b'"' | b'\'') {
                at += 1;
            }
            let value_start = at + 1;
            let length = memchr::memchr(text[at], &text[value_start..stop]).unwrap_or(stop - value_start);
            let value_end = value_start + length;
            at = value_end + 1;
            let is_cdata = declared.is_empty()
                || declared
                    .iter()
                    .find(|attribute| *attribute.name == text[name.start..name.end])
                    .is_none_or(|attribute| attribute.is_cdata);
            let raw = &text[value_start..value_end];
            let plain = if is_cdata {
                !raw.iter().any(|b| matches!(b, b'&' | b'\t' | b'\r' | b'\n'))
            } else {
                !raw.iter().any(|b| matches!(b, b'&' | b'\t' | b'\r' | b'\n' | b' '))
            };
            let value = if plain {
                in_text(value_start, value_end)
            } else {
                let start = self.made.len();
                let mut made = std::mem::take(&mut self.made);
                let normalised = self.attribute_value(raw, is_cdata, false, &mut made, start);
                self.made = made;
                normalised.map_err(|wrong| self.fail_in_value(inner, value_start, wrong))?;
                Piece { made: true, start, end: self.made.len() }
            };
            self.attributes.push((name, value));
        }
        let names = self.attributes.iter().map(|(name, _)| &text[name.start..name.end]);
        if let Some(twice) = has_duplicate(names, self.attributes.len()) {
            let at = self.attributes.get(twice).map_or(0, |(name, _)| name.start);
            self.attributes.truncate(twice);
            return Err(self.fail_at(inner, at, Code::DuplicateAttribute));
        }
        Ok(())
    }

    /// Takes the namespace declarations out of the attributes. Gives how many specified ones are left.
    fn bind_namespaces<H: Handler>(&mut self, text: &[u8], specified: usize, handler: &H) -> Flow<usize> {
        let is_declaration = |name: &[u8]| name == b"xmlns" || name.starts_with(b"xmlns:");
        let any = self.attributes.iter().any(|(name, _)| is_declaration(self.piece(text, *name)));
        if !any {
            return Ok(specified);
        }
        let mut left = specified;
        let mut kept = 0;
        for at in 0..self.attributes.len() {
            let (name, value) = self.attributes[at];
            if !is_declaration(self.piece(text, name)) {
                self.attributes[kept] = (name, value);
                kept += 1;
                continue;
            }
            left -= usize::from(at < specified);
            let (name, uri) = (self.piece(text, name).to_vec(), self.piece(text, value).to_vec());
            let prefix = name.get(6..);
            self.shared.accounting.allocate(uri.len() + 64)?;
            let bound = self.namespaces.bind(prefix, &uri, self.separator)?;
            if handler.wants(Event::StartNamespaceDecl) {
                handler.start_namespace_decl(prefix, bound.then_some(&uri))?;
            }
        }
        self.attributes.truncate(kept);
        Ok(left)
    }

    /// Appends `uri`, `local` and, with triplets, the prefix.
    fn push_expanded(&self, uri: &[u8], local: &[u8], prefix: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(uri);
        if self.separator != 0 {
            out.push(self.separator);
        }
        out.extend_from_slice(local);
        if let (true, Some(prefix)) = (self.shared.triplets.get() && self.separator != 0, prefix) {
            out.push(self.separator);
            out.extend_from_slice(prefix);
        }
    }

    /// Puts the namespaces' names in place of the attributes' prefixes.
    fn expand_attributes(&mut self, text: &[u8]) -> Flow {
        let mut prefixed = 0;
        for at in 0..self.attributes.len() {
            let (piece, value) = self.attributes[at];
            let mut made = std::mem::take(&mut self.made);
            let start = made.len();
            let name = if piece.made {
                made.get(piece.start..piece.end).unwrap_or(&[]).to_vec()
            } else {
                match memchr::memchr(b':', &text[piece.start..piece.end]) {
                    Some(_) => text[piece.start..piece.end].to_vec(),
                    None => Vec::new(),
                }
            };
            let Some((prefix, local)) = split(&name) else {
                self.made = made;
                continue;
            };
            let uri = self.namespaces.uri(prefix).cloned();
            if let Some(uri) = &uri {
                self.push_expanded(uri, local, Some(prefix), &mut made);
            }
            let end = made.len();
            self.made = made;
            if uri.is_none() {
                return Err(Code::UnboundPrefix.into());
            }
            self.attributes[at] = (Piece { made: true, start, end }, value);
            prefixed += 1;
        }
        if prefixed > 1 {
            let names = self.attributes.iter().map(|(name, _)| self.piece(text, *name));
            if has_duplicate(names, self.attributes.len()).is_some() {
                return Err(Code::DuplicateAttribute.into());
            }
        }
        Ok(())
    }

    /// Appends the expanded name of an element to the names, if it is in a namespace.
    fn expand_name(&mut self, name: &[u8]) -> Flow<bool> {
        let (prefix, local, uri) = match split(name) {
            Some((prefix, local)) => match self.namespaces.uri(prefix) {
                Some(uri) => (Some(prefix), local, uri.clone()),
                None => return Err(Code::UnboundPrefix.into()),
            },
            None => match self.namespaces.default_uri() {
                Some(uri) => (None, name, uri.clone()),
                None => return Ok(false),
            },
        };
        let mut names = std::mem::take(&mut self.names);
        self.push_expanded(&uri, local, prefix, &mut names);
        self.names = names;
        Ok(true)
    }

    fn unbind<H: Handler>(&mut self, depth: usize, handler: &H) -> Flow {
        while self.namespaces.depth() > depth {
            let prefix = self.namespaces.unbind();
            if handler.wants(Event::EndNamespaceDecl) {
                handler.end_namespace_decl(prefix.as_deref())?;
            }
        }
        Ok(())
    }

    /// `</name>` in `text[start..end]`.
    pub(super) fn end_tag<H: Handler>(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        inner: bool,
        handler: &H,
    ) -> Flow {
        let Some(tag) = self.tags.pop() else { return Err(Code::AsyncEntity.into()) };
        let name_start = start + 2;
        let mut name_end = end - 1;
        while matches!(text[name_end - 1], b' ' | b'\t' | b'\r' | b'\n') {
            name_end -= 1;
        }
        if self.names[tag.names..tag.raw_end] != text[name_start..name_end] {
            return Err(self.fail_at(inner, name_start, Code::TagMismatch));
        }
        if handler.wants(Event::EndElement) {
            let name =
                if tag.expanded { &self.names[tag.raw_end..] } else { &self.names[tag.names..tag.raw_end] };
            handler.end_element(name)?;
        } else {
            self.default(&text[start..end], handler)?;
        }
        self.shared.accounting.release(self.names.len() - tag.names + 64);
        self.names.truncate(tag.names);
        self.unbind(tag.bindings, handler)
    }
}
