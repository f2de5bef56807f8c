//! Finding out what to say about a source that the parser has rejected.
//!
//! CPython's messages and positions depend on the order in which a parsing expression grammar tries its alternatives
//! and on how far it has looked ahead. So this module interprets such a grammar, [`grammar`], over the tokens: once as
//! it stands, and, if no action has raised, once more with the error productions switched on. It is slow and only
//! reads the statement that was rejected.

mod actions;
mod grammar;
mod report;

use crate::ast::Arena;
use crate::error::{ErrorKind, SyntaxError, Warning};
use crate::token::{Tok, Token};
use crate::tokenizer::Tokens;
use grammar::{Action, Alternative, Grammar, Item};
use std::collections::HashMap;

/// What a part of the grammar has matched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Val<'n> {
    /// Nothing, or something without interest.
    Nothing,
    /// The token of this number.
    Token(u32),
    /// A node.
    Node(&'n Node<'n>),
}

/// A node of the concrete syntax tree. Untagged nodes only group.
#[derive(Debug)]
pub(crate) struct Node<'n> {
    tag: &'static str,
    /// First token, and the one behind the last.
    start: u32,
    end: u32,
    items: &'n [Val<'n>],
}

/// An error was raised; it is in [`Diagnosis::error`].
pub(crate) struct Raised;
type Match<'n> = Result<Option<Val<'n>>, Raised>;

/// Productions that may be nested. The deepest chain per bracket is about twenty-five.
const MAX_DEPTH: u32 = 6000;
/// What fits on the stack of any caller; deeper sources are looked at on a stack of their own.
const SHALLOW_DEPTH: u32 = 1200;
const DEEP_STACK: usize = 64 << 20;

type MemoKey = (u32, u16, bool);

pub(crate) struct Diagnosis<'n, 's> {
    src: &'s [u8],
    stream: &'s Tokens,
    tokens: &'s [Token],
    settings: Settings,
    grammar: &'static Grammar,
    nodes: &'n Arena,
    pos: u32,
    /// Number of tokens that have been looked at.
    fill: u32,
    errors_on: bool,
    second_pass: bool,
    /// Of the second pass, where it takes itself for the first.
    warnings: Vec<Warning>,
    /// The tokens that were read when nothing after them is looked at any more.
    read: Option<u32>,
    depth: u32,
    max_depth: u32,
    too_deep: bool,
    memo: HashMap<MemoKey, (Option<Val<'n>>, u32)>,
    error: Option<SyntaxError>,
    /// The error was raised by the tokenizer, so that nothing further ahead takes precedence.
    from_tokenizer: bool,
    barry_as_flufl: bool,
    /// Line and column of the last compound statement that was read with the error productions.
    last_compound: (u32, u32),
}

/// The part of the options that matters here.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mode: crate::Mode,
    pub(crate) barry_as_flufl: bool,
    pub(crate) max_int_digits: usize,
    pub(crate) allow_incomplete_input: bool,
}

/// What [`diagnose`] finds.
#[derive(Default)]
pub(crate) struct Diagnosed {
    /// What to raise; none if nothing is wrong.
    pub(crate) error: Option<SyntaxError>,
    /// Warnings that come up on the way.
    pub(crate) warnings: Vec<Warning>,
    /// How many tokens CPython reads, if not all.
    pub(crate) read: Option<u32>,
}

/// Explains why the statement that starts at token `start` is wrong.
/// `last_compound` is where the last compound statement before it starts.
pub(crate) fn diagnose(
    src: &[u8],
    stream: &Tokens,
    start: usize,
    last_compound: (u32, u32),
    settings: Settings,
) -> Diagnosed {
    let (split, start) = match split_inequalities(src, stream, start, settings) {
        Some((split, start)) => (Some(split), start),
        None => (None, start),
    };
    let stream = split.as_ref().unwrap_or(stream);
    let run = |max_depth: u32| -> Result<Diagnosed, ()> {
        let nodes = Arena::new();
        let mut diagnosis = Diagnosis::new(src, stream, start as u32, settings, &nodes);
        diagnosis.max_depth = max_depth;
        diagnosis.last_compound = last_compound;
        let mut error = diagnosis.run(start as u32);
        let (line, col) = diagnosis.last_compound;
        if let Some(error) = &mut error {
            error.metadata = Some((line, col, String::new()));
        }
        let Diagnosis { warnings, read, too_deep, .. } = diagnosis;
        if too_deep { Err(()) } else { Ok(Diagnosed { error, warnings, read }) }
    };
    if let Ok(found) = run(SHALLOW_DEPTH) {
        return found;
    }
    let deep = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK);
        thread.spawn_scoped(scope, || run(MAX_DEPTH)).ok().and_then(|handle| handle.join().ok())
    });
    match deep {
        Some(Ok(found)) => found,
        _ => {
            let message = "Parser stack overflowed - Python source too complex to parse";
            let error = Some(SyntaxError::bare(crate::ErrorKind::Memory, message));
            Diagnosed { error, ..Diagnosed::default() }
        }
    }
}

/// The tokens with each `<>` as two, which it is unless PEP 401 holds; `None` if there are none.
fn split_inequalities(
    src: &[u8],
    stream: &Tokens,
    start: usize,
    settings: Settings,
) -> Option<(Tokens, usize)> {
    let is_old = |token: &Token| token.kind == Tok::NotEqual && src.get(token.start as usize) == Some(&b'<');
    if settings.barry_as_flufl || !stream.tokens.iter().any(is_old) {
        return None;
    }
    let shift = stream.tokens[..start].iter().filter(|token| is_old(token)).count();
    let mut tokens = Vec::with_capacity(stream.tokens.len() + 8);
    for &token in &stream.tokens {
        if is_old(&token) {
            let (mut first, mut second) = (token, token);
            (first.kind, first.end, first.range.end_col) =
                (Tok::Less, token.end - 1, token.range.end_col - 1);
            (second.kind, second.start, second.range.col) =
                (Tok::Greater, token.start + 1, token.range.col + 1);
            tokens.extend([first, second]);
        } else {
            tokens.push(token);
        }
    }
    let lines = stream.lines.clone();
    Some((Tokens { tokens, error: stream.error.clone(), lines, warnings: Vec::new() }, start + shift))
}

/// The error `message` at the token of the given number.
pub(crate) fn error_at(
    src: &[u8],
    stream: &Tokens,
    index: usize,
    message: String,
    settings: Settings,
) -> Option<SyntaxError> {
    let nodes = Arena::new();
    let mut diagnosis = Diagnosis::new(src, stream, index as u32 + 1, settings, &nodes);
    let _ = diagnosis.raise_kind_at(ErrorKind::Syntax, index as u32, message);
    diagnosis.raised()
}

impl<'n, 's> Diagnosis<'n, 's> {
    fn new(src: &'s [u8], stream: &'s Tokens, start: u32, settings: Settings, nodes: &'n Arena) -> Self {
        Diagnosis {
            src,
            stream,
            tokens: &stream.tokens,
            settings,
            grammar: grammar::grammar(),
            nodes,
            pos: start,
            fill: start,
            errors_on: false,
            second_pass: false,
            warnings: Vec::new(),
            read: None,
            depth: 0,
            max_depth: MAX_DEPTH,
            too_deep: false,
            memo: HashMap::new(),
            error: None,
            from_tokenizer: false,
            barry_as_flufl: settings.barry_as_flufl,
            last_compound: (0, 0),
        }
    }

    fn start_rule(&self) -> usize {
        let name = match self.settings.mode {
            crate::Mode::Exec => "file",
            crate::Mode::Eval => "eval",
            crate::Mode::Single => "single",
            crate::Mode::FuncType => "func_type",
        };
        self.grammar.names.get(name).copied().unwrap_or(0)
    }

    fn run(&mut self, start: u32) -> Option<SyntaxError> {
        let rule = self.start_rule();
        let barry = self.barry_as_flufl;
        let first = self.rule(rule);
        if self.too_deep {
            return None;
        }
        if matches!(first, Ok(Some(_))) {
            return None;
        }
        if self.settings.allow_incomplete_input && self.at_end_of_source() {
            let last = self.fill.max(1) - 1;
            let _ = self.raise_kind_at(ErrorKind::IncompleteInput, last, "incomplete input".into());
            return self.error.take();
        }
        if first.is_err() {
            // Only the second pass takes notes of compound statements.
            self.last_compound = (0, 0);
            return self.raised();
        }
        let last_token = self.fill.saturating_sub(1);
        (self.errors_on, self.second_pass) = (true, true);
        self.pos = start;
        self.depth = 0;
        self.barry_as_flufl = barry;
        self.memo.clear();
        let second = self.rule(rule);
        if self.too_deep {
            return None;
        }
        if second.is_err() {
            return self.raised();
        }
        self.unexplained(last_token)
    }

    /// Looks at the token at the current position; raises if the tokenizer failed there.
    #[inline]
    fn look(&mut self) -> Result<Token, Raised> {
        let index = (self.pos as usize).min(self.tokens.len() - 1);
        let token = self.tokens[index];
        self.fill = self.fill.max(index as u32 + 1);
        if token.kind == Tok::Error {
            return Err(self.raise_tokenizer_error());
        }
        Ok(token)
    }

    fn text(&self, token: Token) -> &'s [u8] {
        &self.src[token.start as usize..token.end as usize]
    }

    fn rule(&mut self, number: usize) -> Match<'n> {
        let grammar = self.grammar;
        let rule = &grammar.rules[number];
        let key = (self.pos, number as u16, self.errors_on || rule.shared_memo);
        if let Some(&(value, end)) = self.memo.get(&key) {
            if value.is_some() {
                self.pos = end;
            }
            return Ok(value);
        }
        self.depth += 1;
        if self.depth > self.max_depth {
            self.too_deep = true;
            return Err(Raised);
        }
        let errors_on = self.errors_on;
        if rule.valid_only {
            self.errors_on = false;
        }
        let value = if rule.left {
            self.left_rule(&rule.alternatives)?
        } else {
            self.alternatives(&rule.alternatives)?
        };
        self.errors_on = errors_on;
        if value.is_some() && errors_on && number == grammar.compound {
            self.note_compound(key.0);
        }
        self.depth -= 1;
        self.memo.insert(key, (value, self.pos));
        Ok(value)
    }

    /// Remembers where a compound statement starts, decorators aside; CPython forgets functions here.
    fn note_compound(&mut self, start: u32) {
        let mut tokens = self.tokens[start as usize..].iter();
        let mut first = tokens.next();
        while first.is_some_and(|token| token.kind == Tok::At) {
            tokens.by_ref().find(|token| token.kind == Tok::Newline);
            first = tokens.next();
        }
        let Some(token) = first else { return };
        let is_function = match token.kind {
            Tok::Def => true,
            Tok::Async => tokens.next().is_some_and(|next| next.kind == Tok::Def),
            _ => false,
        };
        if token.range.line >= self.last_compound.0 && !is_function {
            self.last_compound = (token.range.line, token.range.col);
        }
    }

    fn left_rule(&mut self, alternatives: &'static [Alternative]) -> Match<'n> {
        let start = self.pos;
        let Some(mut left) = self.alternatives(&alternatives[..1])? else { return Ok(None) };
        'grow: loop {
            for alternative in &alternatives[1..] {
                if let Some(extension) = self.alternative(alternative)?.value {
                    let tag = match alternative.action {
                        Action::Tag(tag) => tag,
                        _ => "",
                    };
                    left = self.node(tag, start, &[left, extension]);
                    continue 'grow;
                }
            }
            return Ok(Some(left));
        }
    }

    fn node(&self, tag: &'static str, start: u32, items: &[Val<'n>]) -> Val<'n> {
        let items = self.nodes.alloc_slice_copy(items);
        Val::Node(self.nodes.alloc(Node { tag, start, end: self.pos, items }))
    }

    fn alternatives(&mut self, alternatives: &'static [Alternative]) -> Match<'n> {
        for alternative in alternatives {
            // Only those that consist of nothing else are switched off: a dictionary's are always on.
            if let [(_, Item::Rule(number))] = alternative.items[..]
                && self.grammar.rules[number].is_error
                && !self.errors_on
            {
                continue;
            }
            let outcome = self.alternative(alternative)?;
            if outcome.value.is_some() || outcome.committed {
                return Ok(outcome.value);
            }
        }
        Ok(None)
    }

    /// Tries one alternative; on failure the position is what it was.
    fn alternative(&mut self, alternative: &'static Alternative) -> Result<Outcome<'n>, Raised> {
        let start = self.pos;
        let mut values = Values::default();
        let mut committed = false;
        for (name, item) in &alternative.items {
            if let Item::Cut = item {
                committed = true;
                continue;
            }
            match self.item(item)? {
                Some(Val::Nothing) if *name == 0 => {}
                Some(value) => values.push(*name, value),
                None => {
                    self.pos = start;
                    return Ok(Outcome { value: None, committed });
                }
            }
        }
        let value = match alternative.action {
            Action::Default => match values.all() {
                [] => Some(Val::Nothing),
                [value] => Some(*value),
                all => Some(self.node("", start, all)),
            },
            Action::Pick(name) => Some(values.named(name)),
            Action::Tag(tag) => Some(self.node(tag, start, values.all())),
            Action::Raise(place, message) => return Err(self.raise_message(place, message, &values)),
            Action::Call(name) => {
                let value = self.call(name, start, &values)?;
                if value.is_none() {
                    // An action that declines makes the whole rule fail.
                    self.pos = start;
                    return Ok(Outcome { value: None, committed: true });
                }
                value
            }
        };
        Ok(Outcome { value, committed })
    }

    fn item(&mut self, item: &'static Item) -> Match<'n> {
        match item {
            Item::Token(kind) => self.token(*kind),
            Item::Rule(number) => self.rule(*number),
            Item::Group(alternatives) => self.alternatives(alternatives),
            Item::Optional(item) => Ok(Some(self.item(item)?.unwrap_or(Val::Nothing))),
            Item::Many { item, least } => self.many(item, *least),
            Item::Gather { separator, item } => self.gather(*separator, item),
            Item::Ahead(item) => {
                let pos = self.pos;
                let found = self.item(item)?;
                self.pos = pos;
                Ok(found.map(|_| Val::Nothing))
            }
            Item::NotAhead(item) => {
                let pos = self.pos;
                let found = self.item(item)?;
                self.pos = pos;
                Ok(if found.is_some() { None } else { Some(Val::Nothing) })
            }
            Item::Cut => Ok(Some(Val::Nothing)),
            Item::Word(word) => {
                let token = self.look()?;
                if token.kind == Tok::Name && self.text(token) == word.as_bytes() {
                    return self.token(Tok::Name);
                }
                Ok(None)
            }
            Item::SoftKeyword => {
                let token = self.look()?;
                let words: [&[u8]; 4] = [b"_", b"case", b"match", b"type"];
                if token.kind == Tok::Name && words.contains(&self.text(token)) {
                    return self.token(Tok::Name);
                }
                Ok(None)
            }
            Item::Forced(kind) => {
                let token = self.look()?;
                if token.kind != *kind {
                    let message = format!("expected '{}'", kind.text());
                    return Err(self.raise_at_token(self.pos, message));
                }
                self.token(*kind)
            }
        }
    }

    #[inline]
    fn token(&mut self, kind: Tok) -> Match<'n> {
        let token = self.look()?;
        if token.kind != kind || self.pos as usize >= self.tokens.len() {
            return Ok(None);
        }
        self.pos += 1;
        Ok(Some(Val::Token(self.pos - 1)))
    }

    fn many(&mut self, item: &'static Item, least: usize) -> Match<'n> {
        let start = self.pos;
        let mut values = Vec::new();
        loop {
            let before = self.pos;
            match self.item(item)? {
                Some(value) if self.pos > before => values.push(value),
                _ => break,
            }
        }
        if values.len() < least {
            self.pos = start;
            return Ok(None);
        }
        Ok(Some(self.node("", start, &values)))
    }

    fn gather(&mut self, separator: Tok, item: &'static Item) -> Match<'n> {
        let start = self.pos;
        let Some(first) = self.item(item)? else { return Ok(None) };
        let mut values = vec![first];
        loop {
            let before = self.pos;
            if self.token(separator)?.is_none() {
                break;
            }
            match self.item(item)? {
                Some(value) => values.push(value),
                None => {
                    self.pos = before;
                    break;
                }
            }
        }
        Ok(Some(self.node("", start, &values)))
    }
}

struct Outcome<'n> {
    value: Option<Val<'n>>,
    /// The remaining alternatives are out.
    committed: bool,
}

/// The values of an alternative's elements.
#[derive(Default)]
pub(crate) struct Values<'n> {
    values: Vec<Val<'n>>,
    names: Vec<u8>,
}

impl<'n> Values<'n> {
    fn push(&mut self, name: u8, value: Val<'n>) {
        self.values.push(value);
        self.names.push(name);
    }

    fn all(&self) -> &[Val<'n>] {
        &self.values
    }

    fn named(&self, name: u8) -> Val<'n> {
        let at = self.names.iter().position(|&known| known == name);
        at.map_or(Val::Nothing, |at| self.values[at])
    }
}
