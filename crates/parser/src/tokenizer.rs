//! Source text → tokens, all at once. The first error ends the stream with one [`Tok::Error`] token, so that the
//! parser reports it only when it gets there, as a tokenizer that runs on demand would.
//!
//! Invariant: the source has been prepared by [`crate::source`]: UTF-8, `\n` line ends, no NUL. NUL therefore serves as
//! the end mark.

use crate::ast::Range;
use crate::error::{ErrorKind, SyntaxError, Warning, char_count, line_text, whole_line};
use crate::token::{Tok, Token};

const MAX_INDENT: usize = 100;
const MAX_LEVEL: usize = 200;
const MAX_FSTRING_NESTING: usize = 150;
const MAX_EXPR_NESTING: i32 = 3;
const TAB_SIZE: u32 = 8;

/// How to tokenize.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenizeOptions {
    /// Emit `NL` and `COMMENT`, and be lenient about brackets, as `tokenize` wants.
    pub extra_tokens: bool,
    /// Emit `TYPE_COMMENT` and `TYPE_IGNORE`.
    pub type_comments: bool,
}

/// The result of [`tokenize`].
#[derive(Debug)]
pub struct Tokens {
    /// The tokens; the last is `EndMarker` or `Error`.
    pub tokens: Vec<Token>,
    /// Why the last token is `Error`.
    pub error: Option<TokenError>,
    /// Byte offset of the start of each line; line numbers count from 1, so line `n` is entry `n - 1`.
    pub lines: Vec<u32>,
    /// Warnings about numbers, by index of the token they belong to.
    pub warnings: Vec<(u32, Warning)>,
}

/// An error of the tokenizer.
#[derive(Clone, Debug)]
pub struct TokenError {
    /// What to raise.
    pub error: SyntaxError,
    /// For an end of file inside brackets: it is raised as "never closed", and gives way to errors before it.
    pub end_of_file: bool,
    /// More source could mend it.
    pub incomplete: bool,
    /// Whether the tokenizer itself raised it, outside f-strings, so that it also shows when another error was found
    /// before it.
    pub raised: bool,
    /// The innermost bracket that was open, outside f-strings: character, line, column.
    pub open: Option<(u8, u32, u32)>,
}

struct Bracket {
    open: u8,
    line: u32,
    col: u32,
}

/// State of one f-string or t-string that is being read.
struct StringMode {
    /// Inside a replacement field, where ordinary tokens are read.
    regular: bool,
    quote: u8,
    quote_size: usize,
    raw: bool,
    /// `f` or `t`.
    prefix: char,
    /// Offset, line and line start of the whole literal.
    start: usize,
    first_line: u32,
    first_line_start: usize,
    /// Brackets open inside the replacement fields.
    depth: i32,
    /// `depth` at which the innermost replacement field was opened, -1 outside.
    expr_start_depth: i32,
    in_format_spec: bool,
}

struct Tokenizer<'s> {
    src: &'s [u8],
    pos: usize,
    line: u32,
    line_start: usize,
    /// Start of the first of the lines that a backslash or a string joins.
    joined_start: usize,
    at_line_start: bool,
    indents: Vec<(u32, u32)>,
    brackets: Vec<Bracket>,
    modes: Vec<StringMode>,
    options: TokenizeOptions,
    out: Tokens,
}

type Step<T = ()> = Result<T, Box<TokenError>>;

/// Splits prepared source into tokens.
pub fn tokenize(src: &[u8], options: TokenizeOptions) -> Tokens {
    let mut tokenizer = Tokenizer {
        src,
        pos: 0,
        line: if src.is_empty() { 0 } else { 1 },
        line_start: 0,
        joined_start: 0,
        at_line_start: true,
        indents: vec![(0, 0)],
        brackets: Vec::new(),
        modes: Vec::new(),
        options,
        out: Tokens {
            tokens: Vec::with_capacity(src.len() / 4 + 8),
            error: None,
            lines: Vec::with_capacity(src.len() / 32 + 1),
            warnings: Vec::new(),
        },
    };
    tokenizer.out.lines.push(0);
    if let Err(error) = tokenizer.run() {
        let at = tokenizer.pos.min(src.len());
        tokenizer.push(Tok::Error, at, at, tokenizer.line, tokenizer.line_start);
        tokenizer.out.error = Some(*error);
    }
    tokenizer.out
}

const START: u8 = 1;
const DIGIT: u8 = 2;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 128..=255 => START,
            b'0'..=b'9' => DIGIT,
            _ => 0,
        };
        byte += 1;
    }
    table
};

fn is_ident_start(byte: u8) -> bool {
    CLASS[byte as usize] == START
}

fn is_ident_char(byte: u8) -> bool {
    CLASS[byte as usize] != 0
}

impl<'s> Tokenizer<'s> {
    #[inline]
    fn at(&self, pos: usize) -> u8 {
        self.src.get(pos).copied().unwrap_or(0)
    }

    #[inline]
    fn cur(&self) -> u8 {
        self.at(self.pos)
    }

    #[inline]
    fn push(&mut self, kind: Tok, start: usize, end: usize, line: u32, line_start: usize) {
        self.out.tokens.push(Token {
            kind,
            start: start as u32,
            end: end as u32,
            range: Range {
                line,
                col: (start - line_start) as u32,
                end_line: self.line,
                end_col: (end - self.line_start) as u32,
            },
        });
    }

    #[inline]
    fn emit(&mut self, kind: Tok, start: usize) {
        self.push(kind, start, self.pos, self.line, self.line_start);
    }

    /// Starts a new line; the newline that ends the source starts none.
    fn newline(&mut self) {
        if self.pos < self.src.len() {
            self.line += 1;
            self.line_start = self.pos;
            self.joined_start = self.pos;
            self.out.lines.push(self.pos as u32);
        }
    }

    /// The error that the tokenizer raises itself: it points at the character before the current position unless
    /// columns (1-based bytes) are given.
    fn error_at<T>(&self, message: String, columns: Option<(usize, usize)>) -> Step<T> {
        let prefix = |end: usize| char_count(&self.src[self.line_start..end.min(self.src.len())]) as i32;
        let (offset, end_offset) = match columns {
            Some((start, end)) => (prefix(self.line_start + start), prefix(self.line_start + end)),
            None => (prefix(self.pos), prefix(self.pos)),
        };
        let text = String::from_utf8_lossy(line_text(self.src, self.line_start)).into_owned();
        Err(Box::new(TokenError {
            error: SyntaxError {
                kind: ErrorKind::Syntax,
                message,
                line: self.line,
                offset,
                end_line: self.line,
                end_offset,
                text: Some(text),
                metadata: None,
            },
            end_of_file: false,
            incomplete: false,
            raised: self.modes.is_empty(),
            open: None,
        }))
    }

    fn error<T>(&self, message: impl Into<String>) -> Step<T> {
        self.error_at(message.into(), None)
    }

    fn open_bracket(&self) -> Option<(u8, u32, u32)> {
        self.brackets
            .last()
            .filter(|_| self.modes.is_empty())
            .map(|bracket| (bracket.open, bracket.line, bracket.col))
    }

    /// The error that the parser raises on behalf of the tokenizer.
    fn parser_error<T>(&self, kind: ErrorKind, message: &str, offset: i32, end_offset: i32) -> Step<T> {
        let text = String::from_utf8_lossy(whole_line(self.src, self.line_start)).into_owned();
        Err(Box::new(TokenError {
            error: SyntaxError {
                kind,
                message: message.into(),
                line: self.line,
                offset,
                end_line: self.line,
                end_offset,
                text: Some(text),
                metadata: None,
            },
            end_of_file: false,
            incomplete: false,
            raised: false,
            open: self.open_bracket(),
        }))
    }

    fn end_of_file<T>(&self) -> Step<T> {
        let prefix = char_count(&self.src[self.line_start.min(self.src.len())..]) as i32;
        let error = match self.brackets.last() {
            Some(bracket) => {
                let start = self.out.lines[bracket.line as usize - 1] as usize;
                let line = line_text(self.src, start);
                let whole = if bracket.line >= self.line { whole_line(self.src, start) } else { line };
                let text = String::from_utf8_lossy(whole).into_owned();
                SyntaxError {
                    kind: ErrorKind::Syntax,
                    message: format!("'{}' was never closed", bracket.open as char),
                    line: bracket.line,
                    offset: char_count(&line[..(bracket.col as usize).min(line.len())]) as i32 + 1,
                    end_line: bracket.line,
                    end_offset: 0,
                    text: Some(text),
                    metadata: None,
                }
            }
            None => {
                let text = String::from_utf8_lossy(whole_line(self.src, self.line_start)).into_owned();
                SyntaxError {
                    kind: ErrorKind::Syntax,
                    message: "unexpected EOF while parsing".into(),
                    line: self.line,
                    offset: prefix,
                    end_line: self.line,
                    end_offset: -1,
                    text: Some(text),
                    metadata: None,
                }
            }
        };
        Err(Box::new(TokenError {
            error,
            end_of_file: true,
            incomplete: true,
            raised: false,
            open: self.open_bracket(),
        }))
    }

    fn run(&mut self) -> Step {
        loop {
            if self.modes.last().is_some_and(|mode| !mode.regular) {
                self.string_part()?;
                continue;
            }
            if self.at_line_start {
                self.at_line_start = false;
                self.indentation()?;
                continue;
            }
            if !self.token()? {
                return Ok(());
            }
        }
    }

    /// Reads the white space that starts a line and emits `INDENT` and `DEDENT`.
    fn indentation(&mut self) -> Step {
        let (mut col, mut alt_col, mut split_col) = (0u32, 0u32, 0u32);
        loop {
            match self.cur() {
                b' ' => (col, alt_col) = (col + 1, alt_col + 1),
                b'\t' => (col, alt_col) = ((col / TAB_SIZE + 1) * TAB_SIZE, alt_col + 1),
                0x0c => (col, alt_col) = (0, 0),
                b'\\' => {
                    // Indentation can't be split over lines: what counts is the first line's.
                    if split_col == 0 {
                        split_col = col;
                    }
                    self.continuation()?;
                    continue;
                }
                _ => break,
            }
            self.pos += 1;
        }
        if matches!(self.cur(), b'#' | b'\n') || !self.brackets.is_empty() {
            return self.blank_line();
        }
        if split_col != 0 {
            (col, alt_col) = (split_col, split_col);
        }
        let &(top, alt_top) = self.indents.last().unwrap_or(&(0, 0));
        if col == top {
            if alt_col != alt_top {
                return self.tab_error();
            }
        } else if col > top {
            if self.indents.len() >= MAX_INDENT {
                return self.parser_error(ErrorKind::Indentation, "too many levels of indentation", 1, 0);
            }
            if alt_col <= alt_top {
                return self.tab_error();
            }
            self.indents.push((col, alt_col));
            self.push(Tok::Indent, self.pos, self.pos, self.line, self.line_start);
        } else {
            let before = self.indents.len();
            while self.indents.last().is_some_and(|&(indent, _)| col < indent) {
                self.indents.pop();
            }
            // The dedents of a line that fits no level are never seen.
            let &(top, alt_top) = self.indents.last().unwrap_or(&(0, 0));
            if col != top {
                let offset = char_count(whole_line(self.src, self.line_start)) as i32;
                let message = "unindent does not match any outer indentation level";
                return self.parser_error(ErrorKind::Indentation, message, offset, -1);
            }
            if alt_col != alt_top {
                return self.tab_error();
            }
            for _ in self.indents.len()..before {
                self.push(Tok::Dedent, self.pos, self.pos, self.line, self.line_start);
            }
        }
        Ok(())
    }

    fn tab_error<T>(&self) -> Step<T> {
        self.parser_error(ErrorKind::Tab, "inconsistent use of tabs and spaces in indentation", 1, 0)
    }

    /// A line with nothing but white space and a comment, or one inside brackets: it has no say about indentation.
    fn blank_line(&mut self) -> Step {
        if !self.brackets.is_empty() && !matches!(self.cur(), b'#' | b'\n') {
            return Ok(());
        }
        if self.cur() == b'#' {
            self.comment();
            // A type comment is a logical line, which the next newline ends.
            if self.options.type_comments
                && self.brackets.is_empty()
                && self
                    .out
                    .tokens
                    .last()
                    .is_some_and(|token| token.kind == Tok::TypeComment && token.end as usize == self.pos)
            {
                return Ok(());
            }
        }
        if self.cur() == b'\n' {
            let start = self.pos;
            self.pos += 1;
            if self.options.extra_tokens {
                self.emit(Tok::Nl, start);
            }
            self.newline();
            self.at_line_start = true;
        }
        Ok(())
    }

    /// Reads a comment up to the end of the line.
    fn comment(&mut self) {
        let start = self.pos;
        let rest = &self.src[start..];
        self.pos = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if self.options.type_comments && self.type_comment(start) {
            return;
        }
        if self.options.extra_tokens {
            self.emit(Tok::Comment, start);
        }
    }

    fn type_comment(&mut self, start: usize) -> bool {
        let text = &self.src[start + 1..self.pos];
        let skip = |text: &[u8]| text.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
        let lead = skip(text);
        let Some(rest) = text[lead..].strip_prefix(b"type:") else { return false };
        let body = start + 1 + lead + 5 + skip(rest);
        let content = &self.src[body..self.pos];
        if let Some(tail) = content.strip_prefix(b"ignore") {
            let ends = tail.first().is_none_or(|&byte| byte < 128 && !byte.is_ascii_alphanumeric());
            if ends {
                let from = body + 6;
                self.push(Tok::TypeIgnore, from, self.pos, self.line, self.line_start);
                return true;
            }
        }
        self.push(Tok::TypeComment, body, self.pos, self.line, self.line_start);
        true
    }

    /// Reads a backslash and the end of its line.
    fn continuation(&mut self) -> Step {
        self.pos += 1;
        if self.cur() != b'\n' {
            self.pos = (self.pos + 1).min(self.src.len());
            // The column counts from the first of the joined lines, but is cut to the length of this one.
            let column = self.pos - 1 - self.joined_start;
            let line = whole_line(self.src, self.line_start);
            let offset = if column < line.len() { char_count(&line[..column]) } else { char_count(line) };
            let offset = offset as i32 + 1;
            let message = "unexpected character after line continuation character";
            return self.parser_error(ErrorKind::Syntax, message, offset, 0);
        }
        self.pos += 1;
        if self.pos >= self.src.len() {
            return self.end_of_file();
        }
        self.newline();
        Ok(())
    }

    /// Reads white space, comments, and one token. Gives `false` at the end of the source.
    fn token(&mut self) -> Step<bool> {
        let mut comment = None;
        loop {
            match self.cur() {
                b' ' | b'\t' | 0x0c => self.pos += 1,
                b'#' => {
                    let before = self.out.tokens.len();
                    let start = self.pos;
                    self.comment();
                    if self.out.tokens.len() == before {
                        comment = Some(start);
                    }
                }
                b'\\' => {
                    let joined_start = self.joined_start;
                    self.continuation()?;
                    self.joined_start = joined_start;
                }
                _ => break,
            }
        }
        let start = self.pos;
        let byte = self.cur();
        if is_ident_start(byte) {
            self.name_or_string()?;
            return Ok(true);
        }
        match byte {
            0 => {
                if self.pos < self.src.len() {
                    return self.error("source code cannot contain null bytes");
                }
                if !self.brackets.is_empty() {
                    return self.end_of_file();
                }
                self.emit(Tok::EndMarker, start);
                return Ok(false);
            }
            b'\n' => {
                self.pos += 1;
                if !self.brackets.is_empty() {
                    if self.options.extra_tokens {
                        self.emit(Tok::Nl, start);
                    }
                } else {
                    // A comment that is no token itself belongs to the newline.
                    self.emit(Tok::Newline, comment.unwrap_or(start));
                }
                self.newline();
                self.at_line_start = true;
            }
            b'0'..=b'9' => self.number()?,
            b'.' => {
                if self.at(start + 1).is_ascii_digit() {
                    self.number()?;
                } else if self.at(start + 1) == b'.' && self.at(start + 2) == b'.' {
                    self.pos += 3;
                    self.emit(Tok::Ellipsis, start);
                } else {
                    self.pos += 1;
                    self.emit(Tok::Dot, start);
                }
            }
            b'"' | b'\'' => self.string(start)?,
            _ => self.operator(byte)?,
        }
        Ok(true)
    }

    fn name_or_string(&mut self) -> Step {
        let start = self.pos;
        let mut seen = [false; 5];
        loop {
            let index = match self.cur() {
                b'b' | b'B' => 0,
                b'u' | b'U' => 1,
                b'r' | b'R' => 2,
                b'f' | b'F' => 3,
                b't' | b'T' => 4,
                b'"' | b'\'' if self.pos > start => return self.prefixed_string(start, seen),
                _ => break,
            };
            if seen[index] {
                break;
            }
            seen[index] = true;
            self.pos += 1;
        }
        let mut ascii = true;
        while is_ident_char(self.cur()) {
            ascii &= self.cur() < 128;
            self.pos += 1;
        }
        // `tokenize` takes any characters for a name.
        if !ascii && !self.options.extra_tokens {
            self.check_identifier(start)?;
        }
        let text = &self.src[start..self.pos];
        let kind = if (2..=8).contains(&text.len()) { Tok::keyword(text) } else { None };
        self.emit(kind.unwrap_or(Tok::Name), start);
        Ok(())
    }

    fn check_identifier(&mut self, start: usize) -> Step {
        let bytes = &self.src[start..self.pos];
        let text = String::from_utf8_lossy(bytes);
        for (index, ch) in text.char_indices() {
            if crate::ident::is_valid_at(ch, index == 0) {
                continue;
            }
            self.pos = start + index + ch.len_utf8();
            let code = ch as u32;
            return if crate::ident::is_printable(ch) {
                self.error(format!("invalid character '{ch}' (U+{code:04X})"))
            } else {
                self.error(format!("invalid non-printable character U+{code:04X}"))
            };
        }
        Ok(())
    }

    fn prefixed_string(&mut self, start: usize, [b, u, r, f, t]: [bool; 5]) -> Step {
        let clashes =
            [(u, b, "u", "b"), (u, r, "u", "r"), (u, f, "u", "f"), (u, t, "u", "t"), (b, f, "b", "f")];
        let more = [(b, t, "b", "t"), (f, t, "f", "t")];
        for (first, second, one, other) in clashes.into_iter().chain(more) {
            if first && second {
                let columns = (start + 1 - self.line_start, self.pos + 1 - self.line_start);
                let message = format!("'{one}' and '{other}' prefixes are incompatible");
                return self.error_at(message, Some(columns));
            }
        }
        if f || t { self.start_fstring(start, r, if f { 'f' } else { 't' }) } else { self.string(start) }
    }

    fn quote_size(&self) -> usize {
        let quote = self.cur();
        if self.at(self.pos + 1) == quote && self.at(self.pos + 2) == quote { 3 } else { 1 }
    }

    fn start_fstring(&mut self, start: usize, raw: bool, prefix: char) -> Step {
        let quote = self.cur();
        let quote_size = self.quote_size();
        self.pos += quote_size;
        if self.modes.len() + 1 >= MAX_FSTRING_NESTING {
            return self.error("too many nested f-strings or t-strings");
        }
        self.modes.push(StringMode {
            regular: false,
            quote,
            quote_size,
            raw,
            prefix,
            start,
            first_line: self.line,
            first_line_start: self.line_start,
            depth: 0,
            expr_start_depth: -1,
            in_format_spec: false,
        });
        self.emit(if prefix == 'f' { Tok::FStringStart } else { Tok::TStringStart }, start);
        Ok(())
    }

    /// Reads a string without replacement fields; the position is at its quote.
    fn string(&mut self, start: usize) -> Step {
        let (first_line, first_line_start) = (self.line, self.line_start);
        let joined_start = self.joined_start;
        let quote = self.cur();
        let quote_size = self.quote_size();
        self.pos += quote_size;
        let mut escaped_quote = false;
        loop {
            let rest = self.src.get(self.pos..).unwrap_or(&[]);
            let Some(skip) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
                self.pos = self.src.len();
                return self.unterminated(
                    start,
                    first_line,
                    first_line_start,
                    quote,
                    quote_size,
                    escaped_quote,
                );
            };
            self.pos += skip;
            match self.cur() {
                b'\\' => {
                    self.pos += 1;
                    escaped_quote |= self.cur() == quote;
                    let byte = self.cur();
                    self.pos += 1;
                    if byte == b'\n' {
                        self.newline();
                    }
                }
                b'\n' => {
                    if quote_size == 1 {
                        return self.unterminated(
                            start,
                            first_line,
                            first_line_start,
                            quote,
                            quote_size,
                            escaped_quote,
                        );
                    }
                    self.pos += 1;
                    self.newline();
                }
                _ if quote_size == 1 => {
                    self.pos += 1;
                    break;
                }
                _ => {
                    let closes = self.at(self.pos + 1) == quote && self.at(self.pos + 2) == quote;
                    self.pos += if closes { 3 } else { 1 };
                    if closes {
                        break;
                    }
                }
            }
        }
        self.joined_start = joined_start;
        self.push(Tok::String, start, self.pos, first_line, first_line_start);
        Ok(())
    }

    fn unterminated(
        &mut self,
        start: usize,
        line: u32,
        line_start: usize,
        quote: u8,
        quote_size: usize,
        escaped_quote: bool,
    ) -> Step {
        let last_line = self.line;
        let incomplete = self.pos >= self.src.len();
        if let Some(mode) = self.modes.last()
            && mode.quote == quote
            && mode.quote_size == quote_size
        {
            (self.pos, self.line, self.line_start) = (start + 1, line, line_start);
            return self.error(format!("{}-string: expecting '}}'", mode.prefix));
        }
        (self.pos, self.line, self.line_start) = (start + 1, line, line_start);
        let mut message = if quote_size == 3 {
            format!("unterminated triple-quoted string literal (detected at line {last_line})")
        } else {
            format!("unterminated string literal (detected at line {last_line})")
        };
        if quote_size == 1 && escaped_quote {
            message.push_str("; perhaps you escaped the end quote?");
        }
        self.error(message).map_err(|error| Box::new(TokenError { incomplete, ..*error }))
    }

    /// Reads one piece of an f-string outside its replacement fields: a middle, the end, or the start of a field.
    fn string_part(&mut self) -> Step {
        let Some(mode) = self.modes.last_mut() else { return Ok(()) };
        let (middle, end) = if mode.prefix == 'f' {
            (Tok::FStringMiddle, Tok::FStringEnd)
        } else {
            (Tok::TStringMiddle, Tok::TStringEnd)
        };
        let start = self.pos;
        let (line, line_start) = (self.line, self.line_start);
        let (quote, quote_size, raw) = (mode.quote, mode.quote_size, mode.raw);
        let quotes = |src: &[u8], pos: usize| {
            src.get(pos..pos + quote_size).is_some_and(|bytes| bytes.iter().all(|&byte| byte == quote))
        };
        if self.src.get(start) == Some(&b'{') && self.src.get(start + 1) != Some(&b'{') {
            return self.open_field();
        }
        if quotes(self.src, start) {
            self.pos += quote_size;
            self.modes.pop();
            self.emit(end, start);
            return Ok(());
        }
        let in_format_spec = mode.in_format_spec && mode.expr_start_depth >= 0;
        let at_top = mode.depth == 0;
        let mut named_escape = false;
        loop {
            if self.pos >= self.src.len() || (quote_size == 1 && self.cur() == b'\n') {
                return self.unterminated_fstring(in_format_spec);
            }
            let byte = self.cur();
            if byte == quote && quotes(self.src, self.pos) {
                break;
            }
            match byte {
                b'\n' => {
                    self.pos += 1;
                    self.newline();
                }
                b'{' => {
                    if self.at(self.pos + 1) != b'{' || in_format_spec {
                        self.push(middle, start, self.pos, line, line_start);
                        return self.open_field();
                    }
                    self.doubled_brace(middle, start, line, line_start);
                    return Ok(());
                }
                b'}' if named_escape => {
                    self.pos += 1;
                    self.push(middle, start, self.pos, line, line_start);
                    return Ok(());
                }
                b'}' => {
                    if self.at(self.pos + 1) == b'}' && !in_format_spec && at_top {
                        self.doubled_brace(middle, start, line, line_start);
                    } else {
                        if let Some(mode) = self.modes.last_mut() {
                            mode.regular = true;
                        }
                        self.push(middle, start, self.pos, line, line_start);
                    }
                    return Ok(());
                }
                b'\\' => {
                    self.pos += 1;
                    let next = self.cur();
                    if next == b'{' || next == b'}' {
                        continue;
                    }
                    if next == 0 {
                        continue;
                    }
                    self.pos += 1;
                    if next == b'\n' {
                        self.newline();
                    } else if next == b'N' && !raw && self.cur() == b'{' {
                        self.pos += 1;
                        named_escape = true;
                    }
                }
                _ => self.pos += 1,
            }
        }
        self.push(middle, start, self.pos, line, line_start);
        Ok(())
    }

    /// Ends a middle after `{{` or `}}`: its text has one of them, its position covers both.
    fn doubled_brace(&mut self, middle: Tok, start: usize, line: u32, line_start: usize) {
        self.pos += 1;
        self.push(middle, start, self.pos, line, line_start);
        self.pos += 1;
        if let Some(token) = self.out.tokens.last_mut() {
            token.range.end_col += 1;
        }
    }

    fn unterminated_fstring(&mut self, in_format_spec: bool) -> Step {
        let Some(mode) = self.modes.last() else { return Ok(()) };
        let (prefix, quote_size) = (mode.prefix, mode.quote_size);
        if in_format_spec && quote_size == 1 {
            self.pos += 1;
            let message = format!(
                "{prefix}-string: newlines are not allowed in format specifiers for single quoted {prefix}-strings"
            );
            return self.error(message);
        }
        let (last_line, incomplete) = (self.line, self.pos >= self.src.len());
        (self.pos, self.line, self.line_start) = (mode.start + 1, mode.first_line, mode.first_line_start);
        let quotes = if quote_size == 3 { " triple-quoted" } else { "" };
        self.error(format!("unterminated{quotes} {prefix}-string literal (detected at line {last_line})"))
            .map_err(|error| Box::new(TokenError { incomplete, ..*error }))
    }

    /// Reads the `{` of a replacement field.
    fn open_field(&mut self) -> Step {
        let Some(mode) = self.modes.last_mut() else { return Ok(()) };
        mode.expr_start_depth += 1;
        if mode.expr_start_depth >= MAX_EXPR_NESTING {
            let prefix = mode.prefix;
            return self.error(format!("{prefix}-string: expressions nested too deeply"));
        }
        mode.regular = true;
        self.operator(b'{')
    }

    fn operator(&mut self, byte: u8) -> Step {
        use Tok::*;
        let start = self.pos;
        if let Some(mode) = self.modes.last_mut()
            && mode.expr_start_depth >= 0
            && byte == b':'
            && mode.depth - 1 == mode.expr_start_depth
        {
            mode.regular = false;
            mode.in_format_spec = true;
            self.pos += 1;
            self.emit(Colon, start);
            return Ok(());
        }
        let (next, third) = (self.at(start + 1), self.at(start + 2));
        let (kind, size) = match (byte, next) {
            (b'(', _) => return self.open(LPar, byte),
            (b'[', _) => return self.open(LSqb, byte),
            (b'{', _) => return self.open(LBrace, byte),
            (b')', _) => return self.close(RPar, byte),
            (b']', _) => return self.close(RSqb, byte),
            (b'}', _) => return self.close(RBrace, byte),
            (b',', _) => (Comma, 1),
            (b':', b'=') => (ColonEqual, 2),
            (b':', _) => (Colon, 1),
            (b';', _) => (Semi, 1),
            (b'=', b'=') => (EqEqual, 2),
            (b'=', _) => (Equal, 1),
            (b'+', b'=') => (PlusEqual, 2),
            (b'+', _) => (Plus, 1),
            (b'-', b'=') => (MinEqual, 2),
            (b'-', b'>') => (RArrow, 2),
            (b'-', _) => (Minus, 1),
            (b'*', b'*') if third == b'=' => (DoubleStarEqual, 3),
            (b'*', b'*') => (DoubleStar, 2),
            (b'*', b'=') => (StarEqual, 2),
            (b'*', _) => (Star, 1),
            (b'/', b'/') if third == b'=' => (DoubleSlashEqual, 3),
            (b'/', b'/') => (DoubleSlash, 2),
            (b'/', b'=') => (SlashEqual, 2),
            (b'/', _) => (Slash, 1),
            (b'|', b'=') => (VBarEqual, 2),
            (b'|', _) => (VBar, 1),
            (b'&', b'=') => (AmperEqual, 2),
            (b'&', _) => (Amper, 1),
            (b'<', b'<') if third == b'=' => (LeftShiftEqual, 3),
            (b'<', b'<') => (LeftShift, 2),
            (b'<', b'=') => (LessEqual, 2),
            (b'<', b'>') => (NotEqual, 2),
            (b'<', _) => (Less, 1),
            (b'>', b'>') if third == b'=' => (RightShiftEqual, 3),
            (b'>', b'>') => (RightShift, 2),
            (b'>', b'=') => (GreaterEqual, 2),
            (b'>', _) => (Greater, 1),
            (b'%', b'=') => (PercentEqual, 2),
            (b'%', _) => (Percent, 1),
            (b'!', b'=') => (NotEqual, 2),
            (b'!', _) => (Exclamation, 1),
            (b'~', _) => (Tilde, 1),
            (b'^', b'=') => (CircumflexEqual, 2),
            (b'^', _) => (Circumflex, 1),
            (b'@', b'=') => (AtEqual, 2),
            (b'@', _) => (At, 1),
            _ => {
                self.pos += 1;
                if byte < 0x20 || byte == 0x7f {
                    return self.error(format!("invalid non-printable character U+{byte:04X}"));
                }
                self.emit(Op, start);
                return Ok(());
            }
        };
        self.pos += size;
        self.emit(kind, start);
        Ok(())
    }

    fn open(&mut self, kind: Tok, byte: u8) -> Step {
        let start = self.pos;
        self.pos += 1;
        if self.brackets.len() >= MAX_LEVEL {
            return self.error("too many nested parentheses");
        }
        let col = (start - self.line_start) as u32;
        self.brackets.push(Bracket { open: byte, line: self.line, col });
        if let Some(mode) = self.modes.last_mut() {
            mode.depth += 1;
        }
        self.emit(kind, start);
        Ok(())
    }

    fn close(&mut self, kind: Tok, byte: u8) -> Step {
        let start = self.pos;
        self.pos += 1;
        let close = byte as char;
        if let Some(mode) = self.modes.last()
            && mode.depth == 0
            && byte == b'}'
        {
            let prefix = mode.prefix;
            return self.error(format!("{prefix}-string: single '}}' is not allowed"));
        }
        let lenient = self.options.extra_tokens;
        match self.brackets.pop() {
            None if !lenient => return self.error(format!("unmatched '{close}'")),
            Some(bracket) if !lenient => {
                let matches = matches!((bracket.open, byte), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
                if !matches {
                    if let Some(mode) = self.modes.last()
                        && bracket.open == b'{'
                        && mode.depth - 1 == mode.expr_start_depth
                    {
                        let prefix = mode.prefix;
                        self.brackets.push(bracket);
                        return self.error(format!("{prefix}-string: unmatched '{close}'"));
                    }
                    let open = bracket.open as char;
                    let mut message =
                        format!("closing parenthesis '{close}' does not match opening parenthesis '{open}'");
                    if bracket.line != self.line {
                        message.push_str(&format!(" on line {}", bracket.line));
                    }
                    return self.error(message);
                }
            }
            _ => {}
        }
        if let Some(mode) = self.modes.last_mut() {
            mode.depth -= 1;
            if mode.depth < 0 {
                let prefix = mode.prefix;
                return self.error(format!("{prefix}-string: unmatched '{close}'"));
            }
            if byte == b'}' && mode.depth == mode.expr_start_depth {
                mode.expr_start_depth -= 1;
                mode.regular = false;
                mode.in_format_spec = false;
            }
        }
        self.emit(kind, start);
        Ok(())
    }

    fn number(&mut self) -> Step {
        let start = self.pos;
        if self.cur() == b'0' {
            match self.at(start + 1) {
                b'x' | b'X' => return self.radix(start, 16, "hexadecimal"),
                b'o' | b'O' => return self.radix(start, 8, "octal"),
                b'b' | b'B' => return self.radix(start, 2, "binary"),
                _ => {}
            }
        }
        let mut zeros_end = None;
        if self.cur() == b'0' {
            loop {
                if self.cur() == b'_' {
                    self.pos += 1;
                    if !self.cur().is_ascii_digit() {
                        return self.error("invalid decimal literal");
                    }
                }
                if self.cur() != b'0' {
                    break;
                }
                self.pos += 1;
            }
            if self.cur().is_ascii_digit() {
                zeros_end = Some(self.pos);
                self.decimal_tail()?;
            }
        } else if self.cur() != b'.' {
            self.decimal_tail()?;
        }
        let mut float = false;
        if self.cur() == b'.' {
            float = true;
            self.pos += 1;
            if self.cur().is_ascii_digit() {
                self.decimal_tail()?;
            }
        }
        if matches!(self.cur(), b'e' | b'E') {
            let exponent = self.pos;
            match self.at(exponent + 1) {
                b'+' | b'-' => {
                    self.pos += 2;
                    if !self.cur().is_ascii_digit() {
                        return self.error("invalid decimal literal");
                    }
                    float = true;
                    self.decimal_tail()?;
                }
                b'0'..=b'9' => {
                    self.pos += 1;
                    float = true;
                    self.decimal_tail()?;
                }
                _ => {
                    self.end_of_number("decimal")?;
                    self.emit(Tok::Number, start);
                    return Ok(());
                }
            }
        }
        if matches!(self.cur(), b'j' | b'J') {
            self.pos += 1;
            self.end_of_number("imaginary")?;
        } else if let Some(zeros_end) = zeros_end.filter(|_| !float && !self.options.extra_tokens) {
            let columns = (start + 1 - self.line_start, zeros_end + 1 - self.line_start);
            let message = "leading zeros in decimal integer literals are not permitted; \
                           use an 0o prefix for octal integers";
            return self.error_at(message.into(), Some(columns));
        } else {
            self.end_of_number("decimal")?;
        }
        self.emit(Tok::Number, start);
        Ok(())
    }

    /// Reads digits with single underscores between them.
    fn decimal_tail(&mut self) -> Step {
        loop {
            while self.cur().is_ascii_digit() {
                self.pos += 1;
            }
            if self.cur() != b'_' {
                return Ok(());
            }
            self.pos += 1;
            if !self.cur().is_ascii_digit() {
                return self.error("invalid decimal literal");
            }
        }
    }

    fn radix(&mut self, start: usize, radix: u32, name: &str) -> Step {
        self.pos += 2;
        loop {
            if self.cur() == b'_' {
                self.pos += 1;
            }
            if !(self.cur() as char).is_digit(radix) {
                if self.cur().is_ascii_digit() {
                    self.pos += 1;
                    let digit = self.at(self.pos - 1) as char;
                    return self.error(format!("invalid digit '{digit}' in {name} literal"));
                }
                return self.error(format!("invalid {name} literal"));
            }
            while (self.cur() as char).is_digit(radix) {
                self.pos += 1;
            }
            if self.cur() != b'_' {
                break;
            }
        }
        if self.cur().is_ascii_digit() {
            self.pos += 1;
            let digit = self.at(self.pos - 1) as char;
            return self.error(format!("invalid digit '{digit}' in {name} literal"));
        }
        self.end_of_number(name)?;
        self.emit(Tok::Number, start);
        Ok(())
    }

    /// A number must not run into a name; before some keywords that is only a warning.
    fn end_of_number(&mut self, name: &str) -> Step {
        let byte = self.cur();
        if !is_ident_char(byte) || byte >= 128 || self.options.extra_tokens {
            return Ok(());
        }
        let rest = &self.src[self.pos..];
        let begins = [&b"if"[..], b"in", b"is"].iter().any(|keyword| rest.starts_with(keyword));
        let words = [&b"and"[..], b"else", b"for", b"or", b"not"];
        let is_word = |keyword: &&[u8]| {
            rest.starts_with(keyword) && !rest.get(keyword.len()).is_some_and(|&byte| is_ident_char(byte))
        };
        if begins || words.iter().any(is_word) {
            let message = format!("invalid {name} literal");
            if let Err(error) = self.error::<()>(message.clone()) {
                let warning = Warning { message, line: self.line, as_error: Box::new(error.error) };
                self.out.warnings.push((self.out.tokens.len() as u32, warning));
            }
            return Ok(());
        }
        self.error(format!("invalid {name} literal"))
    }
}
