//! `_tokenize`: the tokens of a source, for `tokenize`.

use std::cell::{Cell, RefCell};

use taipan_parser::ErrorKind;
use taipan_parser::ast::Range;
use taipan_parser::source;
use taipan_parser::token::{Tok, Token};
use taipan_parser::tokenizer::{TokenizeOptions, Tokens, tokenize};
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::raise_syntax;

/// The module.
pub struct Tokenize;

/// The numbers of `token`.
const NAME: i32 = 1;
const OP: i32 = 55;

/// The number that `token` gives a kind.
fn number(kind: Tok) -> i32 {
    match kind {
        Tok::EndMarker => 0,
        Tok::Number => 2,
        Tok::String => 3,
        Tok::Newline => 4,
        Tok::Indent => 5,
        Tok::Dedent => 6,
        Tok::LPar => 7,
        Tok::RPar => 8,
        Tok::LSqb => 9,
        Tok::RSqb => 10,
        Tok::Colon => 11,
        Tok::Comma => 12,
        Tok::Semi => 13,
        Tok::Plus => 14,
        Tok::Minus => 15,
        Tok::Star => 16,
        Tok::Slash => 17,
        Tok::VBar => 18,
        Tok::Amper => 19,
        Tok::Less => 20,
        Tok::Greater => 21,
        Tok::Equal => 22,
        Tok::Dot => 23,
        Tok::Percent => 24,
        Tok::LBrace => 25,
        Tok::RBrace => 26,
        Tok::EqEqual => 27,
        Tok::NotEqual => 28,
        Tok::LessEqual => 29,
        Tok::GreaterEqual => 30,
        Tok::Tilde => 31,
        Tok::Circumflex => 32,
        Tok::LeftShift => 33,
        Tok::RightShift => 34,
        Tok::DoubleStar => 35,
        Tok::PlusEqual => 36,
        Tok::MinEqual => 37,
        Tok::StarEqual => 38,
        Tok::SlashEqual => 39,
        Tok::PercentEqual => 40,
        Tok::AmperEqual => 41,
        Tok::VBarEqual => 42,
        Tok::CircumflexEqual => 43,
        Tok::LeftShiftEqual => 44,
        Tok::RightShiftEqual => 45,
        Tok::DoubleStarEqual => 46,
        Tok::DoubleSlash => 47,
        Tok::DoubleSlashEqual => 48,
        Tok::At => 49,
        Tok::AtEqual => 50,
        Tok::RArrow => 51,
        Tok::Ellipsis => 52,
        Tok::ColonEqual => 53,
        Tok::Exclamation => 54,
        Tok::Op => OP,
        Tok::TypeIgnore => 56,
        Tok::TypeComment => 57,
        Tok::FStringStart => 59,
        Tok::FStringMiddle => 60,
        Tok::FStringEnd => 61,
        Tok::TStringStart => 62,
        Tok::TStringMiddle => 63,
        Tok::TStringEnd => 64,
        Tok::Comment => 65,
        Tok::Nl => 66,
        Tok::Error => 67,
        // Names, and the keywords, which the grammar tells apart.
        _ => NAME,
    }
}

/// A source that has been read, and its tokens.
struct Stream {
    text: Vec<u8>,
    /// Line by line, whether it ends with a carriage return too.
    returns: Vec<bool>,
    implicit_newline: bool,
    tokens: Tokens,
    /// The text of the last token's line, with first and last line and length: the next token may stand there too.
    last_line: RefCell<Option<((u32, u32, usize), Ref<Str>)>>,
}

impl Stream {
    fn slice(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn line_start(&self, line: u32) -> u32 {
        let index = line.saturating_sub(1) as usize;
        self.tokens.lines.get(index).copied().unwrap_or_default()
    }

    /// The column in characters of a column in bytes.
    fn column(&self, line: u32, col: u32) -> usize {
        let start = self.line_start(line);
        let before = self.slice(start, start.saturating_add(col));
        if before.is_ascii() { before.len() } else { String::from_utf8_lossy(before).chars().count() }
    }

    /// Text that begins on a line, with the carriage returns that the source has.
    fn shown(&self, text: &[u8], line: u32) -> String {
        let mut out = String::new();
        for (index, part) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let number = (line as usize).saturating_sub(1) + index;
            match part.strip_suffix(b"\n") {
                Some(part) if self.returns.get(number) == Some(&true) => {
                    out.push_str(&String::from_utf8_lossy(part));
                    out.push_str("\r\n");
                }
                _ => out.push_str(&String::from_utf8_lossy(part)),
            }
        }
        out
    }

    /// The lines from one to another, the last one's end included.
    fn lines(&self, first: u32, last: u32) -> &[u8] {
        let end = match self.tokens.lines.get(last as usize) {
            Some(&next) => next,
            None => (self.text.len() - usize::from(self.implicit_newline && !self.text.is_empty())) as u32,
        };
        self.slice(self.line_start(first), end)
    }
}

/// What is known of an iterator's source.
enum State {
    Unread,
    Reading(Box<Stream>, usize),
    Done,
}

/// An iterator over the tokens of a source.
#[repr(C)]
#[derive(Traverse)]
pub struct TokenizerIter {
    /// The header.
    pub ob: Object,
    readline: ObjRef,
    encoding: Slot<Str>,
    #[traverse(skip)]
    extra_tokens: Cell<bool>,
    #[traverse(skip)]
    state: RefCell<State>,
}

impl TokenizerIter {
    /// Calls `readline` until it has no more.
    fn read(&self, vm: &Vm) -> PyResult<Stream> {
        let mut source = Vec::new();
        loop {
            let line = match self.readline.call_no_args(vm) {
                Ok(line) => line,
                Err(Raised) if vm.exception_matches(types::stop_iteration()) => {
                    vm.clear_exception();
                    break;
                }
                Err(Raised) => return Err(Raised),
            };
            let line = match self.encoding.get() {
                Some(encoding) => {
                    if line.downcast_ref::<Bytes>().is_none() {
                        return Err(vm.type_error("readline() returned a non-bytes object"));
                    }
                    line.call_method(vm.ids().decode, &[encoding.as_object()], vm)?
                }
                None => line,
            };
            let Some(text) = line.downcast_ref::<Str>() else {
                return Err(vm.type_error("readline() returned a non-string object"));
            };
            if text.len() == 0 {
                break;
            }
            source.extend_from_slice(text.to_utf8(vm)?.as_bytes());
        }
        let prepared =
            source::from_str(&source, true).map_err(|error| raise_syntax(&error, "<string>", vm))?;
        let returns =
            source.split_inclusive(|&byte| byte == b'\n').map(|line| line.ends_with(b"\r\n")).collect();
        let (text, implicit_newline) = (prepared.text.into_owned(), prepared.implicit_newline);
        let options = TokenizeOptions { extra_tokens: self.extra_tokens.get(), type_comments: false };
        let mut tokens = tokenize(&text, options);
        // The operator of PEP 401 is two here.
        let mut all = Vec::with_capacity(tokens.tokens.len());
        for token in std::mem::take(&mut tokens.tokens) {
            if token.kind == Tok::NotEqual && text.get(token.start as usize) == Some(&b'<') {
                let middle = Range { end_col: token.range.col + 1, ..token.range };
                all.push(Token { kind: Tok::Less, end: token.start + 1, range: middle, ..token });
                let range = Range { col: token.range.col + 1, ..token.range };
                all.push(Token { kind: Tok::Greater, start: token.start + 1, range, ..token });
            } else {
                all.push(token);
            }
        }
        // Without extra tokens nothing has not even an end.
        if source.is_empty() && !self.extra_tokens.get() {
            all.truncate(0);
        }
        tokens.tokens = all;
        Ok(Stream { text, returns, implicit_newline, tokens, last_line: RefCell::new(None) })
    }

    fn raise(&self, stream: &Stream, vm: &Vm) -> Raised {
        let Some(found) = &stream.tokens.error else { return vm.syntax_error("invalid token") };
        let mut error = found.error.clone();
        if found.end_of_file {
            error.message = "unexpected EOF in multi-line statement".to_owned();
            error.line = stream.tokens.lines.len() as u32 + u32::from(!stream.implicit_newline);
            error.offset = 0;
        }
        if error.kind != ErrorKind::Indentation || error.end_offset != -1 {
            return raise_syntax(&error, "<string>", vm);
        }
        // An unindent has no end.
        let line = error.text.as_deref().unwrap_or_default();
        let details = [
            vm.new_str("<string>").into_object(),
            vm.new_int(error.line),
            vm.new_int(error.offset),
            vm.new_str(line.strip_suffix('\n').unwrap_or(line)).into_object(),
        ];
        let message = vm.new_str(&error.message).into_object();
        vm.raise_with(types::indentation_error(), vec![message, vm.new_tuple(details).into_object()])
    }

    fn token(&self, stream: &Stream, token: Token, vm: &Vm) -> PyResult {
        let extra = self.extra_tokens.get();
        let at_end = token.start as usize >= stream.text.len();
        let trailing = token.kind == Tok::EndMarker || (token.kind == Tok::Dedent && at_end);
        let mut kind = number(token.kind);
        // Without extra tokens, those that have no text have no columns.
        let mut nowhere = false;
        let range = token.range;
        let mut start = (range.line, stream.column(range.line, range.col));
        let mut end = (range.end_line, stream.column(range.end_line, range.end_col));
        let mut text = stream.slice(token.start, token.end);
        let mut line = stream.lines(range.line, range.end_line);
        match token.kind {
            Tok::Indent => {
                text = stream.slice(stream.line_start(range.line), token.start);
                start.1 = 0;
            }
            Tok::Newline | Tok::Nl if stream.implicit_newline && token.end as usize == stream.text.len() => {
                text = b"";
            }
            // Of a doubled brace there is one, in the text and in the columns.
            Tok::FStringMiddle | Tok::TStringMiddle => {
                let stop = stream.line_start(range.end_line) + range.end_col;
                let doubled = stop.saturating_sub(token.end);
                end.1 = stream.column(range.end_line, range.end_col.saturating_sub(doubled));
            }
            _ => {}
        }
        let mut text = stream.shown(text, range.line);
        if extra {
            if (7..OP).contains(&kind) {
                kind = OP;
            }
            if matches!(token.kind, Tok::Newline | Tok::Nl) {
                end.1 = start.1 + text.chars().count().max(1);
            }
            if trailing {
                line = b"";
                let last = range.line + 1;
                (start, end) = ((last, 0), (last, 0));
            }
        } else {
            match token.kind {
                // The end of the line is no part of the token, but a carriage return before it is.
                Tok::Newline => {
                    text.truncate(text.len().saturating_sub(1));
                    end = (start.0, start.1 + text.chars().count());
                }
                Tok::Indent | Tok::Dedent | Tok::EndMarker => {
                    text.truncate(0);
                    nowhere = true;
                    // At the end the line is shown if a token stands on it.
                    let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
                    if trailing && matches!(first, None | Some(b'#')) {
                        line = b"";
                    }
                }
                _ => {}
            }
        }
        let text = vm.new_str(&text).into_object();
        let key = (range.line, range.end_line, line.len());
        let cached = stream.last_line.take().filter(|(cached, _)| *cached == key);
        let line = match cached {
            Some((_, line)) => line,
            None => vm.new_str(&stream.shown(line, range.line)),
        };
        stream.last_line.replace(Some((key, line.clone())));
        let line = line.into_object();
        let place = |(line, column): (u32, usize)| {
            let column = if nowhere { vm.new_int(-1) } else { vm.new_int(column) };
            vm.new_tuple([vm.new_int(line), column]).into_object()
        };
        Ok(vm.new_tuple([vm.new_int(kind), text, place(start), place(end), line]).into_object())
    }
}

#[pytype(name = "_tokenize.TokenizerIter", gc)]
impl TokenizerIter {
    #[new("(readline, /, *, encoding=None, extra_tokens=False)")]
    fn new(cls: &Type, readline: &Object, encoding: OrNone<&Str>, extra_tokens: bool, vm: &Vm) -> PyResult {
        let iterator = TokenizerIter {
            ob: Object::new(Self::type_object()),
            readline: readline.to_ref(),
            encoding: Slot::new(encoding.0.map(Ref::new_ref)),
            extra_tokens: Cell::new(extra_tokens),
            state: RefCell::new(State::Unread),
        };
        vm.new_instance(cls, iterator)
    }

    #[slot]
    fn tp_iter(zelf: &Object) -> ObjRef {
        zelf.to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if matches!(*self.state.borrow(), State::Unread) {
            let stream = self.read(vm)?;
            self.state.replace(State::Reading(Box::new(stream), 0));
        }
        // Making the token runs no Python code, so that nobody else asks for the state meanwhile.
        let mut state = self.state.borrow_mut();
        let State::Reading(stream, next) = &mut *state else { return Ok(None) };
        let Some(&token) = stream.tokens.tokens.get(*next) else {
            *state = State::Done;
            return Ok(None);
        };
        if token.kind == Tok::Error {
            let raised = self.raise(stream, vm);
            *state = State::Done;
            return Err(raised);
        }
        *next += 1;
        self.token(stream, token, vm).map(Some)
    }
}

#[pymodule(name = "_tokenize", types(TokenizerIter))]
impl Tokenize {}
