//! Numbers and strings, f-strings and t-strings.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::error::{ErrorKind, SyntaxError, Warning};
use crate::string::{self, DoubtfulEscape, Prefix};
use crate::token::{Tok, Token};

/// A string constant that may still be joined with its neighbours.
#[derive(Clone, Copy)]
struct Piece<'a> {
    range: Range,
    bytes: &'a [u8],
    u: bool,
}

/// The text of an escape warning.
pub(crate) fn escape_message(escape: &DoubtfulEscape, as_error: bool) -> String {
    let text = &escape.text;
    let what = if text.len() > 1 { "an invalid octal escape sequence" } else { "an invalid escape sequence" };
    let future = if as_error { "" } else { " Such sequences will not work in the future." };
    format!("\"\\{text}\" is {what}.{future} Did you mean \"\\\\{text}\"? A raw string is also an option.")
}

/// The warning about an escape at offset `at`, in the literal or part of an f-string that is `token`.
pub(crate) fn escape_warning(src: &[u8], token: Token, at: usize, escape: &DoubtfulEscape) -> Warning {
    let newlines = memchr::memchr_iter(b'\n', &src[token.start as usize..at]).count();
    let line = token.range.line + newlines as u32;
    let line_start = memchr::memrchr(b'\n', &src[..at]).map_or(0, |newline| newline + 1);
    let offset = crate::error::char_count(&src[line_start..at]) as i32 + 1;
    // Only the line that ends the literal is shown with its end.
    let text = crate::error::line_text(src, line_start);
    let text = if line_start + text.len() < token.end as usize {
        text
    } else {
        crate::error::whole_line(src, line_start)
    };
    Warning {
        message: escape_message(escape, false),
        line,
        as_error: Box::new(SyntaxError {
            kind: ErrorKind::Syntax,
            message: escape_message(escape, true),
            line,
            offset,
            end_line: line,
            end_offset: offset + 2,
            text: Some(String::from_utf8_lossy(text).into_owned()),
            metadata: None,
        }),
    }
}

impl<'a> Parser<'a, '_> {
    pub(super) fn number(&mut self) -> Parse<ExprRef<'a>> {
        let token = self.token();
        let value =
            crate::number::value(self.text(token), self.max_int_digits, self.arena).map_err(|_| Fail)?;
        if self.feature_version < 6 && self.text(token).contains(&b'_') {
            self.require(6, "Underscores in numeric literals are", false)?;
        }
        self.bump();
        Ok(self.expr(token.range, ExprKind::Constant(value)))
    }

    fn warn_escape(&mut self, token: Token, body_start: usize, escape: &DoubtfulEscape) {
        self.warnings.push(escape_warning(self.src, token, body_start + escape.at, escape));
    }

    /// Decodes the piece of `token` between the given offsets.
    fn decode(&mut self, token: Token, from: usize, to: usize, prefix: Prefix) -> Parse<&'a [u8]> {
        let mut doubtful = None;
        let body = &self.src[from..to];
        let bytes = string::decode(body, prefix, self.arena, &mut doubtful).map_err(|_| Fail)?;
        if let Some(escape) = doubtful {
            self.warn_escape(token, from, &escape);
        }
        Ok(bytes)
    }

    /// `strings`: adjacent literals are one.
    pub(super) fn strings(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let template = self.kind() == Tok::TStringStart;
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        let mut bytes_mode = None;
        let mut formatted = template;
        let mark = self.exprs.len();
        loop {
            let token = self.token();
            match token.kind {
                Tok::String if !template => {
                    let literal = self.text(token);
                    let (prefix, body) = string::split(literal);
                    if *bytes_mode.get_or_insert(prefix.bytes) != prefix.bytes {
                        return Err(Fail);
                    }
                    if prefix.bytes && !body.is_ascii() {
                        return Err(Fail);
                    }
                    let quotes = (literal.last() == literal.get(literal.len().wrapping_sub(3))
                        && literal.len() - body.len() >= 6) as usize;
                    let to = token.end as usize - if quotes == 1 { 3 } else { 1 };
                    let bytes = self.decode(token, to - body.len(), to, prefix)?;
                    pieces.push(Piece { range: token.range, bytes, u: prefix.unicode });
                    self.bump();
                }
                Tok::FStringStart if !template => {
                    if bytes_mode == Some(true) {
                        return Err(Fail);
                    }
                    bytes_mode = Some(false);
                    formatted = true;
                    self.descend(16, |p| p.formatted(&mut pieces, false))?;
                }
                Tok::TStringStart if template => {
                    self.descend(16, |p| p.formatted(&mut pieces, true))?;
                    self.require(14, "t-strings are", true)?;
                }
                Tok::String | Tok::FStringStart | Tok::TStringStart => return Err(Fail),
                _ => break,
            }
        }
        if formatted {
            self.flush(&mut pieces);
            let values = self.take_exprs(mark);
            let kind =
                if template { ExprKind::TemplateStr { values } } else { ExprKind::JoinedStr { values } };
            return Ok(self.expr_from(start, kind));
        }
        let bytes = self.join(&pieces);
        let value = if bytes_mode == Some(true) {
            Constant::Bytes(bytes)
        } else {
            Constant::Str { value: Wtf8::from_bytes(bytes), u: pieces[0].u }
        };
        Ok(self.expr_from(start, ExprKind::Constant(value)))
    }

    fn join(&self, pieces: &[Piece<'a>]) -> &'a [u8] {
        match pieces {
            [piece] => piece.bytes,
            _ => {
                let whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
                self.arena.alloc_slice_copy(&whole)
            }
        }
    }

    /// Pushes the constant that the pending pieces make, unless it is empty.
    fn flush(&mut self, pieces: &mut Vec<Piece<'a>>) {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
        let bytes = self.join(pieces);
        if !bytes.is_empty() {
            let value = Constant::Str { value: Wtf8::from_bytes(bytes), u: first.u };
            let constant = self.expr(first.range.to(last.range), ExprKind::Constant(value));
            self.exprs.push(constant);
        }
        pieces.clear();
    }

    /// One f-string or t-string: its values go to the expression list, its last constant stays in `pieces`.
    fn formatted(&mut self, pieces: &mut Vec<Piece<'a>>, template: bool) -> Parse<()> {
        let (middle, end) = if template {
            (Tok::TStringMiddle, Tok::TStringEnd)
        } else {
            (Tok::FStringMiddle, Tok::FStringEnd)
        };
        let opening = self.text(self.token());
        let raw = opening.iter().any(|byte| matches!(byte, b'r' | b'R'));
        self.bump();
        loop {
            let token = self.token();
            if token.kind == middle {
                let piece = self.middle(token, raw)?;
                pieces.push(piece);
            } else if token.kind == Tok::LBrace {
                self.field(pieces, raw, template)?;
            } else if token.kind == end {
                self.bump();
                return Ok(());
            } else {
                return Err(Fail);
            }
        }
    }

    fn middle(&mut self, token: Token, raw: bool) -> Parse<Piece<'a>> {
        let prefix = Prefix { raw, ..Prefix::default() };
        let bytes = self.decode(token, token.start as usize, token.end as usize, prefix)?;
        let backslashes = self.text(token).iter().rev().take_while(|&&byte| byte == b'\\').count();
        if !raw && backslashes % 2 == 1 {
            // The brace behind it opens or closes a replacement field all the same.
            let brace = self.src.get(token.end as usize).map_or('{', |&byte| byte as char);
            let at = (token.end - token.start) as usize - 1;
            self.warn_escape(token, token.start as usize, &DoubtfulEscape { text: brace.into(), at });
        }
        self.bump();
        Ok(Piece { range: token.range, bytes, u: false })
    }

    fn field(&mut self, pieces: &mut Vec<Piece<'a>>, raw: bool, template: bool) -> Parse<()> {
        self.replacement(pieces, raw, template, template)
    }

    fn spec_field(&mut self, pieces: &mut Vec<Piece<'a>>, raw: bool, template: bool) -> Parse<()> {
        self.replacement(pieces, raw, template, false)
    }

    /// A replacement field in a `template` (t-string) or not; it becomes an interpolation or a formatted value.
    fn replacement(
        &mut self,
        pieces: &mut Vec<Piece<'a>>,
        raw: bool,
        template: bool,
        interpolation: bool,
    ) -> Parse<()> {
        let open = self.token();
        self.bump();
        let value = if self.kind() == Tok::Yield { self.yield_expr()? } else { self.star_expressions()? };
        let debug = self.eat(Tok::Equal);
        let terminator = self.token();
        let mut conversion = -1;
        if self.eat(Tok::Exclamation) {
            let name = self.token();
            let text = self.text(name);
            if name.kind != Tok::Name || name.start != terminator.end || !matches!(text, b"s" | b"r" | b"a") {
                return Err(Fail);
            }
            conversion = i32::from(text[0]);
            self.bump();
        }
        let colon = self.token();
        let format_spec = if self.eat(Tok::Colon) {
            Some(self.descend(4, |p| p.format_spec(colon, raw, template))?)
        } else {
            None
        };
        self.expect(Tok::RBrace)?;
        if debug && conversion == -1 && format_spec.is_none() {
            conversion = i32::from(b'r');
        }
        if debug {
            let text = self.source_between(open, terminator);
            let range = Range {
                line: open.range.line,
                col: open.range.col + 1,
                end_line: terminator.range.line,
                end_col: terminator.range.col,
            };
            pieces.push(Piece { range, bytes: text, u: false });
        }
        self.flush(pieces);
        let kind = if interpolation {
            let mut text = self.source_between(open, terminator);
            if debug && let Some(at) = memchr::memrchr(b'=', text) {
                text = &text[..at];
            }
            let str = self.arena.alloc(Constant::Str { value: Wtf8::from_bytes(text), u: false });
            ExprKind::Interpolation { value, str, conversion, format_spec }
        } else {
            ExprKind::FormattedValue { value, conversion, format_spec }
        };
        let node = self.expr_from(open.range, kind);
        self.exprs.push(node);
        Ok(())
    }

    /// The source text of a replacement field, without comments.
    fn source_between(&self, open: Token, terminator: Token) -> &'a [u8] {
        let (from, to) = (open.end as usize, terminator.start as usize);
        let text = &self.src[from..to];
        if memchr::memchr(b'#', text).is_none() {
            return self.arena.alloc_slice_copy(text);
        }
        // A comment is what lies between tokens.
        let first = self.tokens.partition_point(|token| (token.start as usize) < from);
        let mut out = Vec::with_capacity(text.len());
        let mut at = from;
        for token in self.tokens[first..].iter().take_while(|token| token.start as usize <= to) {
            let mut comment = false;
            for &byte in &self.src[at.min(token.start as usize)..token.start as usize] {
                comment = (comment || byte == b'#') && byte != b'\n';
                if !comment {
                    out.push(byte);
                }
            }
            if token.start as usize == to {
                break;
            }
            out.extend_from_slice(&self.src[token.start as usize..token.end as usize]);
            at = token.end as usize;
        }
        self.arena.alloc_slice_copy(&out)
    }

    fn format_spec(&mut self, colon: Token, raw: bool, template: bool) -> Parse<ExprRef<'a>> {
        let middle = if template { Tok::TStringMiddle } else { Tok::FStringMiddle };
        let mark = self.exprs.len();
        let mut pieces = Vec::new();
        loop {
            let token = self.token();
            if token.kind == middle {
                let piece = self.middle(token, raw)?;
                pieces.push(piece);
            } else if token.kind == Tok::LBrace {
                // Even in a t-string a field of a format specification is formatted at once.
                self.spec_field(&mut pieces, raw, template)?;
            } else {
                break;
            }
        }
        self.flush(&mut pieces);
        let values = self.take_exprs(mark);
        Ok(self.expr_from(colon.range, ExprKind::JoinedStr { values }))
    }
}
