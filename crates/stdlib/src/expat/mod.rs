//! An XML parser that behaves as libexpat does: it takes a document in pieces of any size and tells a handler what it
//! finds (XML 1.0, Namespaces in XML 1.0; expat reference). `pyexpat` and `_elementtree` are its users.
//!
//! - `encoding.rs`: bytes to UTF-8; `token.rs`: UTF-8 to tokens; `roles.rs`: the grammar of the prolog
//! - `content.rs`, `tags.rs`, `prolog.rs`, `values.rs`: what is done with the tokens
//! - `dtd.rs`, `namespaces.rs`: what was declared; `state.rs`: what handlers may ask
//!
//! Invariants: entities are expanded by an explicit stack, never by native recursion; no borrow is held while a handler
//! runs, so that a handler may use everything in `Shared`; the parser itself can't be reached from a handler.

mod classes;
mod content;
mod dtd;
mod encoding;
pub mod errors;
pub mod handler;
mod name_ranges;
mod namespaces;
mod prolog;
pub mod roles;
mod state;
mod tags;
mod token;
mod values;
mod xmldecl;

use std::cell::RefCell;
use std::rc::Rc;

pub use dtd::Text;
pub use encoding::ByteTable;
pub use errors::{Code, Flow, Stop};
pub use handler::{Attributes, Event, Handler, Ids, Model};
pub use state::{Position, Shared, Width};

use dtd::{Dtd, Entity};
use encoding::{Decoder, Encoding};
use handler::Piece;
use namespaces::{CONTEXT_SEPARATOR, Namespaces};
use roles::Prolog;
use token::Tokenizer;

/// Which part of a document comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Prolog,
    Content,
    Epilog,
    /// The start of an external general entity, where a text declaration may stand.
    EntityStart,
    /// An external general entity.
    Entity,
    /// The start of an external parameter entity in an entity's value.
    ValueStart,
    Value,
}

/// What to do next.
enum Step {
    /// Go on at this place, maybe with another part or in an entity.
    Again(usize),
    /// All is read up to this place; what follows is not whole.
    Wait(usize),
}

/// How an entity that is being expanded is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In content that is so deep.
    Content(usize),
    /// In a DTD, between declarations or not.
    Dtd(bool),
}

/// What libexpat allocates for an entity that is open.
const OPEN_ENTITY: usize = 64;

struct Open {
    entity: Rc<Entity>,
    text: Text,
    at: usize,
    within: Within,
}

/// An element that is open. Its names are at the end of `Parser::names`.
struct Tag {
    /// Where its names start.
    names: usize,
    /// Behind the name as it stands in the document.
    raw_end: usize,
    /// Whether a name with its namespace follows.
    expanded: bool,
    /// How many namespace bindings there were before it.
    bindings: usize,
}

/// A parser.
pub struct Parser {
    pub shared: Rc<Shared>,
    tokenizer: Tokenizer,
    separator: u8,
    namespaces: Namespaces,
    decoder: Decoder,
    /// The name of the encoding that was told from outside.
    given_encoding: Option<Text>,
    /// The first bytes, while the encoding isn't known.
    head: Option<Vec<u8>>,
    /// Text that was not consumed yet.
    rest: Vec<u8>,
    /// How long the text was that was looked at in vain.
    partial_before: usize,
    /// The rest of the text is to be decoded anew with this.
    recode: Option<Encoding>,
    part: Part,
    in_cdata: bool,
    in_ignored: bool,
    prolog: Prolog,
    is_param_entity: bool,
    failed: Option<Code>,
    finished: bool,
    open: Vec<Open>,
    tags: Vec<Tag>,
    names: Vec<u8>,
    attributes: Vec<(Piece, Piece)>,
    made: Vec<u8>,
    declared: prolog::Declared,
}

impl Parser {
    /// A parser of documents. With `namespaces`, names are expanded and joined by that byte (0: by nothing).
    pub fn new(encoding: Option<&[u8]>, namespaces: Option<u8>) -> Parser {
        let shared = Shared::new(Rc::new(RefCell::new(Dtd::default())), Rc::default(), true);
        Parser::with(shared, encoding, namespaces, Part::Prolog, Prolog::document())
    }

    fn with(
        shared: Shared,
        encoding: Option<&[u8]>,
        namespaces: Option<u8>,
        part: Part,
        prolog: Prolog,
    ) -> Parser {
        Parser {
            shared: Rc::new(shared),
            tokenizer: Tokenizer { namespaces: namespaces.is_some(), keyword_letters: 0 },
            separator: namespaces.unwrap_or(0),
            namespaces: Namespaces::new(),
            decoder: Decoder::new(Encoding::Utf8),
            given_encoding: encoding.map(Text::from),
            head: Some(Vec::new()),
            rest: Vec::new(),
            partial_before: 0,
            recode: None,
            part,
            in_cdata: false,
            in_ignored: false,
            prolog,
            is_param_entity: false,
            failed: None,
            finished: false,
            open: Vec::new(),
            tags: Vec::new(),
            names: Vec::new(),
            attributes: Vec::new(),
            made: Vec::new(),
            declared: prolog::Declared::default(),
        }
    }

    /// A parser of an external entity that a parser with the state `parent` refers to. `context` is what its handler
    /// was given: none for parameter entities, which share the declarations.
    pub fn for_entity(
        parent: &Shared,
        context: Option<&[u8]>,
        encoding: Option<&[u8]>,
        namespaces: Option<u8>,
    ) -> Parser {
        let dtd = match context {
            Some(_) => Rc::new(RefCell::new(parent.dtd.borrow().duplicate())),
            None => Rc::clone(&parent.dtd),
        };
        let shared = Shared::new(dtd, Rc::clone(&parent.accounting), false);
        *shared.base_uri.borrow_mut() = parent.base_uri.borrow().clone();
        shared.param_entity_parsing.set(parent.param_entity_parsing.get());
        shared.reparse_deferral.set(parent.reparse_deferral.get());
        shared.expand_internal_entities.set(parent.expand_internal_entities.get());
        shared.triplets.set(parent.triplets.get());
        let Some(context) = context else {
            let in_value = parent.in_entity_value.get();
            shared.dtd.borrow_mut().param_entity_read = true;
            let part = if in_value { Part::ValueStart } else { Part::Prolog };
            let mut parser = Parser::with(shared, encoding, namespaces, part, Prolog::external());
            parser.is_param_entity = true;
            return parser;
        };
        let mut parser = Parser::with(shared, encoding, namespaces, Part::EntityStart, Prolog::document());
        for entry in context.split(|&b| b == CONTEXT_SEPARATOR) {
            match entry.iter().position(|&b| b == b'=') {
                Some(at) => {
                    let (prefix, uri) = entry.split_at(at);
                    parser.namespaces.set_context(prefix, uri.get(1..).unwrap_or(&[]));
                }
                None => {
                    if let Some(entity) = parser.shared.dtd.borrow().general.get(entry) {
                        entity.open.set(true);
                    }
                }
            }
        }
        parser
    }

    /// Sets the encoding, as if it had been told when the parser was made. Has an effect before the first `parse` only.
    pub fn set_encoding(&mut self, name: &[u8]) {
        if !self.shared.started.get() {
            self.given_encoding = Some(name.into());
        }
    }

    /// The context for a handler: bindings and the entities that are open.
    fn context(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.tokenizer.namespaces {
            self.namespaces.context(&mut out);
        }
        for entity in self.shared.dtd.borrow().general.values().filter(|entity| entity.open.get()) {
            if !out.is_empty() {
                out.push(CONTEXT_SEPARATOR);
            }
            out.extend_from_slice(&entity.name);
        }
        out
    }

    /// Takes more of the document; `last` when it is all.
    pub fn parse<H: Handler>(&mut self, data: &[u8], last: bool, handler: &H) -> Flow {
        if self.finished {
            self.shared.error.set(Code::Finished as i32);
            return Err(Code::Finished.into());
        }
        if let Some(code) = self.failed {
            self.finished = last;
            return Err(code.into());
        }
        self.shared.started.set(true);
        let result = self.feed(data, last, handler);
        if last {
            self.finished = true;
        }
        match result {
            Err(Stop::Error(code)) => {
                self.shared.error.set(code as i32);
                self.failed = Some(code);
            }
            Err(Stop::Raised) => {
                self.shared.error.set(Code::Aborted as i32);
                self.finished = true;
            }
            Ok(()) => self.shared.error.set(0),
        }
        result
    }

    /// Finds out the encoding. Gives the bytes that are left to decode, once it is known.
    fn start<H: Handler>(&mut self, data: &[u8], last: bool, handler: &H) -> Flow<Option<Vec<u8>>> {
        let mut head = self.head.take().unwrap_or_default();
        head.extend_from_slice(data);
        let given = match &self.given_encoding {
            None => None,
            Some(name) => Some(match Encoding::named(name) {
                Some(encoding) => encoding,
                None => Encoding::unknown(name, handler)?,
            }),
        };
        let general = matches!(self.part, Part::EntityStart);
        let Some((found, mark)) = encoding::detect(&head, given.as_ref(), general, last) else {
            self.head = Some(head);
            return Ok(None);
        };
        self.set_decoder(found.or(given).unwrap_or(Encoding::Utf8));
        self.shared.skip_bytes(mark);
        head.drain(..mark);
        if last && matches!(*head, [0xFE | 0xFF | 0xEF | 0]) && self.given_encoding.is_none() {
            // Half of a mark stands as the start of something that never ends.
            head = b"<".to_vec();
            self.set_decoder(Encoding::Utf8);
        }
        Ok(Some(head))
    }

    fn set_decoder(&mut self, encoding: Encoding) {
        self.tokenizer.keyword_letters = match encoding {
            Encoding::Utf8 | Encoding::Ascii => 0,
            Encoding::Utf16(_) => 0x100,
            Encoding::Latin1 | Encoding::Bytes(_) => 0x1_0000,
        };
        self.decoder = Decoder::new(encoding);
    }

    fn width(&self) -> Width {
        match self.decoder.encoding {
            Encoding::Utf8 => Width::Utf8,
            Encoding::Utf16(_) => Width::Utf16,
            _ => Width::One,
        }
    }

    fn feed<H: Handler>(&mut self, data: &[u8], last: bool, handler: &H) -> Flow {
        let started;
        let mut data = data;
        if self.head.is_some() {
            match self.start(data, last, handler) {
                Ok(Some(bytes)) => {
                    started = bytes;
                    data = &started;
                }
                Ok(None) => return Ok(()),
                Err(stop) => {
                    self.shared.enter(&[], Width::Utf8);
                    self.shared.leave(0);
                    return Err(stop);
                }
            }
        }
        let mut owned = std::mem::take(&mut self.rest);
        // The common case, a document given whole, is read where it is.
        let in_place = owned.is_empty() && self.decoder.is_identity();
        if !in_place {
            self.decoder.decode(data, &mut owned);
        }
        if last && self.decoder.waits_inside_char() {
            // Half a surrogate pair stands as the start of a character that never ends.
            owned.push(0xC3);
        }
        // Half a UTF-16 unit: what comes before it and is not whole will never be.
        let halved = last && self.decoder.waits() && !self.decoder.waits_inside_char();
        loop {
            let text: &[u8] =
                if in_place && self.recode.is_none() && owned.is_empty() { data } else { &owned };
            let deferred = self.shared.reparse_deferral.get()
                && !last
                && self.partial_before > 0
                && text.len() < self.partial_before.saturating_mul(2);
            if deferred {
                break;
            }
            self.shared.enter(text, self.width());
            let mut outcome = self.run(text, last && !halved, handler);
            if let (true, Ok(consumed), None) = (halved, &outcome, &self.recode) {
                // A carriage return at the end waits for its line feed, which can't come either.
                let waits_for_feed = text.get(*consumed..) == Some(b"\r");
                let at = *consumed + usize::from(waits_for_feed);
                self.shared.set_event(at, at);
                outcome = Err(Code::UnclosedToken.into());
            }
            let consumed = match &outcome {
                Ok(consumed) => *consumed,
                Err(Stop::Raised) => {
                    let end = self.shared.event_end();
                    self.shared.set_event(end, end);
                    end
                }
                Err(Stop::Error(_)) => 0,
            };
            self.shared.leave(consumed);
            outcome?;
            let rest = text.get(consumed..).unwrap_or(&[]);
            self.partial_before = if consumed == 0 { rest.len() } else { 0 };
            if let Some(encoding) = self.recode.take() {
                // What follows the declaration was not decoded: the parser took it as UTF-8.
                self.set_decoder(encoding);
                let mut again = Vec::with_capacity(rest.len());
                self.decoder.decode(rest, &mut again);
                let emptied = again.is_empty();
                owned = again;
                if emptied {
                    if last {
                        // Nothing follows: the end is looked at with nothing left.
                        self.shared.enter(&[], self.width());
                        let outcome = self.run(&[], last, handler);
                        self.shared.leave(0);
                        outcome?;
                    }
                    break;
                }
                self.rest = owned;
                return self.feed_rest(last, handler);
            }
            if rest.is_empty() {
                owned.truncate(0);
            } else if in_place && owned.is_empty() {
                owned = rest.to_vec();
            } else {
                owned.drain(..consumed);
            }
            break;
        }
        self.rest = owned;
        Ok(())
    }

    /// Goes on with what is decoded already.
    fn feed_rest<H: Handler>(&mut self, last: bool, handler: &H) -> Flow {
        self.partial_before = 0;
        self.feed(&[], last, handler)
    }

    /// Runs until more text is needed. Gives how much of it was consumed.
    fn run<H: Handler>(&mut self, text: &[u8], last: bool, handler: &H) -> Flow<usize> {
        let mut at = 0;
        loop {
            if let Some(top) = self.open.last() {
                let depth = self.open.len();
                let (body, from, within) = (Rc::clone(&top.text), top.at, top.within);
                let step = match within {
                    Within::Content(level) => self.content(&body, from, level, false, true, handler)?,
                    Within::Dtd(_) => self.prolog(&body, from, false, true, handler)?,
                };
                match step {
                    Step::Again(next) => {
                        if let Some(open) = self.open.get_mut(depth - 1) {
                            open.at = next;
                        }
                    }
                    Step::Wait(_) => {
                        if let Some(done) = self.open.pop() {
                            done.entity.open.set(false);
                            self.shared.accounting.release(OPEN_ENTITY);
                        }
                    }
                }
                continue;
            }
            let more = !last;
            let step = match self.part {
                Part::Prolog => self.prolog(text, at, more, false, handler)?,
                Part::Content => self.content(text, at, 0, more, false, handler)?,
                Part::Epilog => self.epilog(text, at, more, handler)?,
                Part::EntityStart => self.entity_start(text, at, more, handler)?,
                Part::Entity => self.content(text, at, 1, more, false, handler)?,
                Part::ValueStart | Part::Value => self.entity_value_part(text, at, more, handler)?,
            };
            match step {
                Step::Again(next) => {
                    at = next;
                    if self.recode.is_some() {
                        return Ok(at);
                    }
                }
                Step::Wait(consumed) => return Ok(consumed),
            }
        }
    }

    /// Opens an internal entity. `Again` is to be returned next.
    fn enter(&mut self, entity: &Rc<Entity>, text: Text, within: Within) -> Flow {
        entity.open.set(true);
        self.shared.accounting.allocate(OPEN_ENTITY)?;
        self.open.push(Open { entity: Rc::clone(entity), text, at: 0, within });
        Ok(())
    }

    /// How deep the elements are.
    fn depth(&self) -> usize {
        // The content of an external entity is inside an element of the document.
        self.tags.len() + usize::from(matches!(self.part, Part::EntityStart | Part::Entity))
    }

    /// Marks where an error is, if that is in the document itself.
    fn fail_at(&self, inner: bool, at: usize, code: Code) -> Stop {
        if !inner {
            self.shared.set_event(at, at);
        }
        code.into()
    }

    /// Marks where in a value that starts at `start` an error is.
    fn fail_in_value(&self, inner: bool, start: usize, wrong: (Code, usize)) -> Stop {
        match wrong {
            (code, values::NOWHERE) => code.into(),
            (code, at) => self.fail_at(inner, start + at, code),
        }
    }

    /// The encoding that a declaration names, if it isn't the one in use.
    fn declared_encoding<H: Handler>(&mut self, name: &[u8], at: usize, handler: &H) -> Flow {
        if self.given_encoding.is_some() {
            return Ok(());
        }
        let fail = |parser: &Parser, code| parser.fail_at(false, at, code);
        let is_wide = matches!(self.decoder.encoding, Encoding::Utf16(_));
        if is_wide && name.eq_ignore_ascii_case(b"UTF-16") {
            return Ok(());
        }
        match Encoding::named(name) {
            Some(Encoding::Utf16(big)) => match self.decoder.encoding {
                Encoding::Utf16(used) if used == big => Ok(()),
                _ => Err(fail(self, Code::IncorrectEncoding)),
            },
            Some(_) if is_wide => Err(fail(self, Code::IncorrectEncoding)),
            Some(Encoding::Utf8) => Ok(()),
            Some(encoding) => {
                self.recode = Some(encoding);
                Ok(())
            }
            None => match Encoding::unknown(name, handler) {
                Ok(encoding) => {
                    self.recode = Some(encoding);
                    Ok(())
                }
                Err(Stop::Error(code)) => Err(fail(self, code)),
                Err(raised) => Err(raised),
            },
        }
    }

    /// `<?xml …?>` in `text[start..end]`: the document's, or that of an external entity.
    fn xml_decl<H: Handler>(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        entity: bool,
        handler: &H,
    ) -> Flow {
        let whole = text.get(start..end).unwrap_or(&[]);
        let decl = xmldecl::parse(whole, entity).map_err(|wrong| {
            self.fail_at(false, start + wrong, if entity { Code::TextDecl } else { Code::XmlDecl })
        })?;
        let get = |place: Option<(usize, usize)>| place.and_then(|(a, b)| whole.get(a..b));
        if !entity && decl.standalone == Some(true) {
            self.shared.dtd.borrow_mut().standalone = true;
            if self.shared.param_entity_parsing.get() == 1 {
                self.shared.param_entity_parsing.set(0);
            }
        }
        if handler.wants(Event::XmlDecl) {
            let standalone = decl.standalone.map_or(-1, i32::from);
            handler.xml_decl(get(decl.version), get(decl.encoding), standalone)?;
        } else if handler.wants(Event::Default) {
            handler.default(whole)?;
        }
        match (get(decl.encoding), decl.encoding) {
            (Some(name), Some((at, _))) => self.declared_encoding(name, start + at, handler),
            _ => Ok(()),
        }
    }
}
