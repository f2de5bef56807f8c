//! From places in the token stream to errors with CPython's positions.

use super::grammar::Place;
use super::{Diagnosis, Raised, Val, Values};
use crate::ast::Range;
use crate::error::{ErrorKind, SyntaxError, char_count, line_text, whole_line};
use crate::token::{Tok, Token};

impl<'n> Diagnosis<'n, '_> {
    /// First token of a value, and the one behind its last.
    pub(super) fn extent(&self, value: Val<'n>) -> (u32, u32) {
        match value {
            Val::Nothing => (self.pos, self.pos),
            Val::Token(index) => (index, index + 1),
            Val::Node(node) => (node.start, node.end.max(node.start + 1)),
        }
    }

    pub(super) fn range(&self, value: Val<'n>) -> Range {
        let (start, end) = self.extent(value);
        let last = self.tokens.len() - 1;
        self.tokens[(start as usize).min(last)].range.to(self.tokens[(end as usize - 1).min(last)].range)
    }

    fn line_start(&self, number: u32) -> usize {
        self.stream.lines.get(number.max(1) as usize - 1).map_or(self.src.len(), |&at| at as usize)
    }

    fn line(&self, number: u32) -> &[u8] {
        line_text(self.src, self.line_start(number))
    }

    /// Whether the source ended before the grammar was satisfied.
    pub(super) fn at_end_of_source(&self) -> bool {
        let token = self.tokens[(self.fill.max(1) as usize - 1).min(self.tokens.len() - 1)];
        match token.kind {
            Tok::Error => self.stream.error.as_ref().is_some_and(|error| error.incomplete),
            Tok::EndMarker => true,
            Tok::Newline => token.start == token.end,
            Tok::Dedent => token.start as usize >= self.src.len(),
            _ => token.end as usize >= self.src.len(),
        }
    }

    /// Line and column where the tokenizer stands after the last token that was looked at.
    fn tokenizer_place(&self) -> (u32, u32) {
        let token = self.tokens[(self.fill.max(1) as usize - 1).min(self.tokens.len() - 1)];
        (token.range.end_line, token.range.end_col)
    }

    /// The error with 1-based byte columns, which become character offsets in the line `line`.
    pub(super) fn raise(
        &mut self,
        kind: ErrorKind,
        message: String,
        line: u32,
        col: i32,
        end_line: u32,
        end_col: i32,
    ) -> Raised {
        let (current, _) = self.tokenizer_place();
        let text =
            if current <= line { whole_line(self.src, self.line_start(line)) } else { self.line(line) };
        let text = String::from_utf8_lossy(text).into_owned();
        let offset = |col: i32| {
            if col <= 0 {
                return col;
            }
            let bytes = text.as_bytes();
            let col = (col as usize).min(bytes.len() + 1);
            if col > bytes.len() {
                return char_count(bytes) as i32 + 1;
            }
            let whole = char_count(&bytes[..col]);
            whole as i32
        };
        let (offset, end_offset) = (offset(col), offset(end_col));
        self.error = Some(SyntaxError {
            kind,
            message,
            line,
            offset,
            end_line,
            end_offset,
            text: Some(text),
            metadata: None,
        });
        Raised
    }

    pub(super) fn raise_range(&mut self, range: Range, message: String) -> Raised {
        let Range { line, col, end_line, end_col } = range;
        self.raise(ErrorKind::Syntax, message, line, col as i32 + 1, end_line, end_col as i32 + 1)
    }

    pub(super) fn raise_at_token(&mut self, index: u32, message: String) -> Raised {
        let index = (index as usize).min(self.tokens.len() - 1);
        let Range { line, col, end_line, end_col } = self.tokens[index].range;
        if is_textless(self.tokens[index]) {
            return self.raise(ErrorKind::Syntax, message, line, 0, end_line, 0);
        }
        self.raise(ErrorKind::Syntax, message, line, col as i32 + 1, end_line, end_col as i32 + 1)
    }

    pub(super) fn raise_from(&mut self, value: Val<'n>, message: String) -> Raised {
        let range = self.range(value);
        let (end_line, end_col) = self.tokenizer_place();
        let textless = matches!(value, Val::Token(index) if is_textless(self.tokens[index as usize]));
        let col = if textless { 0 } else { range.col as i32 + 1 };
        self.raise(ErrorKind::Syntax, message, range.line, col, end_line, end_col as i32)
    }

    /// Raises at a token in the way that is used when nothing more exact is known.
    pub(super) fn raise_kind_at(&mut self, kind: ErrorKind, index: u32, message: String) -> Raised {
        let token = self.tokens[(index as usize).min(self.tokens.len() - 1)];
        let Range { line, col, end_line, end_col } = token.range;
        if is_textless(token) {
            let (_, current) = self.tokenizer_place();
            return self.raise(kind, message, line, current as i32, end_line, -1);
        }
        self.raise(kind, message, line, col as i32 + 1, end_line, end_col as i32 + 1)
    }

    pub(super) fn raise_last(&mut self, message: String) -> Raised {
        self.raise_kind_at(ErrorKind::Syntax, self.fill.max(1) - 1, message)
    }

    pub(super) fn raise_message(&mut self, place: Place, template: &str, values: &Values<'n>) -> Raised {
        let a = values.named(b'a');
        let mut message = template.to_string();
        if template.contains("%e") {
            message = message.replace("%e", self.expression_name(a));
        }
        if template.contains("%l") {
            message = message.replace("%l", &self.range(a).line.to_string());
        }
        if template.contains("%t")
            && let Val::Token(index) = a
        {
            let text = String::from_utf8_lossy(self.text(self.tokens[index as usize])).into_owned();
            message = message.replace("%t", &text);
        }
        match place {
            Place::At(name) => self.raise_range(self.range(values.named(name)), message),
            Place::Range(first, last) => {
                let range = self.range(values.named(first)).to(self.range(values.named(last)));
                self.raise_range(range, message)
            }
            Place::From(name) => self.raise_from(values.named(name), message),
            Place::Last => self.raise_last(message),
            Place::Next => match self.look() {
                Ok(_) => self.raise_kind_at(ErrorKind::Syntax, self.pos, message),
                Err(raised) => raised,
            },
            Place::Indent => self.raise_kind_at(ErrorKind::Indentation, self.fill.max(1) - 1, message),
        }
    }

    pub(super) fn raise_tokenizer_error(&mut self) -> Raised {
        self.from_tokenizer = true;
        self.error = self.stream.error.as_ref().map(|error| error.error.clone());
        Raised
    }

    /// The error that was raised, or the tokenizer's if that is found further on in the source.
    pub(super) fn raised(&mut self) -> Option<SyntaxError> {
        if !self.from_tokenizer
            && self.error.as_ref().is_some_and(|error| error.kind != ErrorKind::Memory && error.line != 0)
            && let Some(error) = self.error_ahead()
        {
            return Some(error);
        }
        self.error.take()
    }

    /// The error that the tokenizer meets when it goes on to the end.
    fn error_ahead(&self) -> Option<SyntaxError> {
        let failure = self.stream.error.as_ref()?;
        if failure.raised {
            return Some(failure.error.clone());
        }
        // It has gone as far as to know which bracket is not closed.
        let (open, line, col) = failure.open?;
        let current = self.tokens[(self.fill.max(1) as usize - 1).min(self.tokens.len() - 1)];
        if current.range.line <= line {
            return None;
        }
        let text = String::from_utf8_lossy(self.line(line)).into_owned();
        Some(SyntaxError {
            kind: ErrorKind::Syntax,
            message: format!("'{}' was never closed", open as char),
            line,
            offset: char_count(&text.as_bytes()[..(col as usize).min(text.len())]) as i32 + 1,
            end_line: line,
            end_offset: 0,
            text: Some(text),
            metadata: None,
        })
    }

    /// No production explains it: an error at the last token that the first pass had looked at.
    pub(super) fn unexplained(&mut self, last_token: u32) -> Option<SyntaxError> {
        let token = self.tokens[(last_token as usize).min(self.tokens.len() - 1)];
        if matches!(token.kind, Tok::Indent | Tok::Dedent) {
            self.read = Some(last_token + 1);
        }
        match token.kind {
            Tok::Indent => {
                let _ = self.raise_kind_at(ErrorKind::Indentation, self.fill - 1, "unexpected indent".into());
                return self.error.take();
            }
            Tok::Dedent => {
                let _ =
                    self.raise_kind_at(ErrorKind::Indentation, self.fill - 1, "unexpected unindent".into());
                return self.error.take();
            }
            _ => {}
        }
        let _ = self.raise_at_token(last_token, "invalid syntax".into());
        self.raised()
    }
}

/// Tokens without text have no columns. Among them is the newline that ends an interactive statement.
fn is_textless(token: Token) -> bool {
    matches!(token.kind, Tok::Indent | Tok::Dedent | Tok::EndMarker | Tok::Error)
        || (token.kind == Tok::Newline && token.start == token.end)
}
