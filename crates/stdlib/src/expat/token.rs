//! The tokens of a document: markup and data in content (XML 1.0, section 3.1, 2.4), and the pieces of declarations
//! in the prolog (section 2.8, 3.2 to 4.7).
//!
//! Every function takes a text and a position and gives a token and where it ends, or where it is wrong. A text may
//! end anywhere: what could go on is `Partial`.

#![allow(
    clippy::indexing_slicing,
    reason = "positions are compared with the text's length before they are read"
)]

use super::classes::{Char, Class, NameChar, check_char, class, name_char, skip_plain};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The text is at its end.
    None,
    Invalid,
    Partial,
    PartialChar,
    // Content
    StartTag {
        attributes: bool,
        empty: bool,
    },
    EndTag,
    DataChars,
    DataNewline,
    CdataOpen,
    CdataClose,
    EntityRef,
    CharRef,
    /// A carriage return at the end, to which a line feed may belong.
    TrailingCr,
    /// One or two brackets at the end, to which `>` may belong.
    TrailingRsqb,
    // Anywhere
    Pi,
    XmlDecl,
    Comment,
    Bom,
    // Prolog
    Space,
    DeclOpen,
    DeclClose,
    Name,
    Nmtoken,
    PoundName,
    Or,
    Percent,
    OpenParen,
    CloseParen,
    CloseParenQuestion,
    CloseParenAsterisk,
    CloseParenPlus,
    OpenBracket,
    CloseBracket,
    Literal,
    ParamEntityRef,
    InstanceStart,
    NameQuestion,
    NameAsterisk,
    NamePlus,
    CondSectOpen,
    CondSectClose,
    Comma,
    PrefixedName,
    /// The whole of an ignored section.
    IgnoreSection,
}

/// A token and the position behind it (for `Invalid`: of what is wrong), and whether it ends only because the text does.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub token: Token,
    pub end: usize,
    /// The token may go on in what follows.
    pub open: bool,
}

fn found(token: Token, end: usize) -> Found {
    Found { token, end, open: false }
}

fn open(token: Token, end: usize) -> Found {
    Found { token, end, open: true }
}

/// The text ends inside the token that starts at `at`.
fn partial(at: usize) -> Found {
    found(Token::Partial, at)
}

fn invalid(at: usize) -> Found {
    found(Token::Invalid, at)
}

/// Behind a character of any kind; `Err` when there is none.
#[inline(always)]
fn any_char(text: &[u8], at: usize) -> Result<usize, Found> {
    match class(text[at]) {
        Class::NonXml => Err(invalid(at)),
        Class::Lead2 | Class::Lead3 | Class::Lead4 => match check_char(text, at) {
            Char::Good(width) => Ok(at + width),
            Char::Partial => Err(found(Token::PartialChar, at)),
            Char::Bad => Err(invalid(at)),
        },
        _ => Ok(at + 1),
    }
}

/// Behind a character that starts a name (colons excepted); `Ok(None)` when it is another.
#[inline(always)]
fn name_start(text: &[u8], at: usize) -> Result<Option<usize>, Found> {
    match class(text[at]) {
        Class::NameStart => Ok(Some(at + 1)),
        Class::Lead2 | Class::Lead3 | Class::Lead4 => match name_char(text, at) {
            NameChar::Start(width) => Ok(Some(at + width)),
            NameChar::Partial => Err(found(Token::PartialChar, at)),
            _ => Err(invalid(at)),
        },
        _ => Ok(None),
    }
}

/// Behind a character of a name (colons excepted).
#[inline(always)]
fn name_next(text: &[u8], at: usize) -> Result<Option<usize>, Found> {
    match class(text[at]) {
        Class::NameStart | Class::Name | Class::Minus => Ok(Some(at + 1)),
        Class::Lead2 | Class::Lead3 | Class::Lead4 => match name_char(text, at) {
            NameChar::Start(width) | NameChar::Inside(width) => Ok(Some(at + width)),
            NameChar::Partial => Err(found(Token::PartialChar, at)),
            NameChar::No => Err(invalid(at)),
        },
        _ => Ok(None),
    }
}

/// How the tokenizer treats colons.
#[derive(Debug, Clone, Copy)]
pub struct Tokenizer {
    /// With namespaces, at most one colon in names of elements and attributes, and none in others.
    pub namespaces: bool,
    /// Beyond which characters keywords of declarations may not have letters, to be refused as unknown: as libexpat's
    /// tables for the encoding have it.
    pub keyword_letters: u32,
}

type Scan = Result<Found, Found>;

#[inline(always)]
fn merge(scan: Scan) -> Found {
    match scan {
        Ok(found) | Err(found) => found,
    }
}

impl Tokenizer {
    /// Behind the start of a name, where a colon counts as a letter without namespaces.
    #[inline(always)]
    fn start(self, text: &[u8], at: usize) -> Result<Option<usize>, Found> {
        if !self.namespaces && text[at] == b':' { Ok(Some(at + 1)) } else { name_start(text, at) }
    }

    #[inline(always)]
    fn next(self, text: &[u8], at: usize) -> Result<Option<usize>, Found> {
        if !self.namespaces && text[at] == b':' { Ok(Some(at + 1)) } else { name_next(text, at) }
    }

    /// The next token of an element's content.
    pub fn content(self, text: &[u8], at: usize) -> Found {
        let Some(&first) = text.get(at) else { return found(Token::None, at) };
        match class(first) {
            Class::Lt => return merge(self.markup(text, at + 1)),
            Class::Amp => return merge(self.reference(text, at + 1)),
            Class::Cr => {
                return match text.get(at + 1) {
                    None => found(Token::TrailingCr, at + 1),
                    Some(b'\n') => found(Token::DataNewline, at + 2),
                    Some(_) => found(Token::DataNewline, at + 1),
                };
            }
            Class::Lf => return found(Token::DataNewline, at + 1),
            Class::Rsqb => match (text.get(at + 1), text.get(at + 2)) {
                (None, _) | (Some(b']'), None) => return found(Token::TrailingRsqb, text.len()),
                (Some(b']'), Some(b'>')) => return invalid(at + 2),
                _ => {}
            },
            _ => {
                if let Err(wrong) = any_char(text, at) {
                    return wrong;
                }
            }
        }
        let mut at = if first == b']' { at + 1 } else { at };
        loop {
            at = skip_plain(text, at);
            let Some(&byte) = text.get(at) else { return found(Token::DataChars, at) };
            match class(byte) {
                Class::Lead2 | Class::Lead3 | Class::Lead4 => match check_char(text, at) {
                    Char::Good(width) => at += width,
                    _ => return found(Token::DataChars, at),
                },
                Class::Rsqb => match (text.get(at + 1), text.get(at + 2)) {
                    (None, _) | (Some(b']'), None) => return found(Token::DataChars, at),
                    (Some(b']'), Some(b'>')) => return invalid(at + 2),
                    _ => at += 1,
                },
                _ => return found(Token::DataChars, at),
            }
        }
    }

    /// Behind `<`.
    fn markup(self, text: &[u8], at: usize) -> Scan {
        let Some(&first) = text.get(at) else { return Ok(partial(at)) };
        match first {
            b'!' => match text.get(at + 1) {
                None => Ok(partial(at)),
                Some(b'-') => comment(text, at + 2),
                Some(b'[') => {
                    for (offset, wanted) in b"CDATA[".iter().enumerate() {
                        match text.get(at + 2 + offset) {
                            None => return Ok(partial(at)),
                            Some(byte) if byte == wanted => {}
                            Some(_) => return Ok(invalid(at + 2 + offset)),
                        }
                    }
                    Ok(found(Token::CdataOpen, at + 8))
                }
                Some(_) => Ok(invalid(at + 1)),
            },
            b'?' => self.pi(text, at + 1),
            b'/' => self.end_tag(text, at + 1),
            _ => {
                let Some(at) = self.start(text, at)? else { return Ok(invalid(at)) };
                self.start_tag(text, at)
            }
        }
    }

    /// Behind the first character of a tag's name.
    fn start_tag(self, text: &[u8], mut at: usize) -> Scan {
        let mut colon = false;
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            if let Some(next) = self.next(text, at)? {
                at = next;
                continue;
            }
            match class(byte) {
                Class::Colon => {
                    if colon {
                        return Ok(invalid(at));
                    }
                    colon = true;
                    if at + 1 >= text.len() {
                        return Ok(partial(at));
                    }
                    at = name_start(text, at + 1)?.ok_or(invalid(at + 1))?;
                }
                Class::Space | Class::Cr | Class::Lf => {
                    at += 1;
                    while let Some(&byte) = text.get(at) {
                        match class(byte) {
                            Class::Space | Class::Cr | Class::Lf => at += 1,
                            Class::Gt | Class::Sol => return Ok(tag_end(text, at, false)),
                            _ => {
                                let Some(next) = self.start(text, at)? else { return Ok(invalid(at)) };
                                return self.attributes(text, next);
                            }
                        }
                    }
                    return Ok(partial(at));
                }
                Class::Gt | Class::Sol => return Ok(tag_end(text, at, false)),
                _ => return Ok(invalid(at)),
            }
        }
    }

    /// Behind the first character of an attribute's name, to the tag's end.
    fn attributes(self, text: &[u8], mut at: usize) -> Scan {
        let mut colon = false;
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            if let Some(next) = self.next(text, at)? {
                at = next;
                continue;
            }
            match class(byte) {
                Class::Colon => {
                    if colon {
                        return Ok(invalid(at));
                    }
                    colon = true;
                    if at + 1 >= text.len() {
                        return Ok(partial(at));
                    }
                    at = name_start(text, at + 1)?.ok_or(invalid(at + 1))?;
                    continue;
                }
                Class::Space | Class::Cr | Class::Lf => {
                    at = skip_space(text, at + 1);
                    match text.get(at) {
                        None => return Ok(partial(at)),
                        Some(b'=') => {}
                        Some(_) => return Ok(invalid(at)),
                    }
                }
                Class::Equals => {}
                _ => return Ok(invalid(at)),
            }
            colon = false;
            at = skip_space(text, at + 1);
            let quote = match text.get(at) {
                None => return Ok(partial(at)),
                Some(&quote @ (b'"' | b'\'')) => quote,
                Some(_) => return Ok(invalid(at)),
            };
            at += 1;
            loop {
                let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
                match byte {
                    b'&' => {
                        let inner = self.reference(text, at + 1)?;
                        match inner.token {
                            Token::EntityRef | Token::CharRef => at = inner.end,
                            _ => return Ok(inner),
                        }
                    }
                    b'<' => return Ok(invalid(at)),
                    _ if byte == quote => break,
                    b' '..0x80 => at += 1,
                    _ => at = any_char(text, at)?,
                }
            }
            at += 1;
            match text.get(at) {
                None => return Ok(partial(at)),
                Some(b' ' | b'\t' | b'\r' | b'\n') => {}
                Some(b'/' | b'>') => return Ok(tag_end(text, at, true)),
                Some(_) => return Ok(invalid(at)),
            }
            at = skip_space(text, at + 1);
            match text.get(at) {
                None => return Ok(partial(at)),
                Some(b'/' | b'>') => return Ok(tag_end(text, at, true)),
                Some(_) => match self.start(text, at)? {
                    Some(next) => at = next,
                    None => return Ok(invalid(at)),
                },
            }
        }
    }

    /// Behind `</`.
    fn end_tag(self, text: &[u8], at: usize) -> Scan {
        if at >= text.len() {
            return Ok(partial(at));
        }
        let Some(mut at) = self.start(text, at)? else { return Ok(invalid(at)) };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            match class(byte) {
                // Names of end tags must be those of start tags, which were checked.
                Class::Colon => at += 1,
                Class::Gt => return Ok(found(Token::EndTag, at + 1)),
                Class::Space | Class::Cr | Class::Lf => {
                    at = skip_space(text, at + 1);
                    return Ok(match text.get(at) {
                        None => partial(at),
                        Some(b'>') => found(Token::EndTag, at + 1),
                        Some(_) => invalid(at),
                    });
                }
                _ => match name_next(text, at)? {
                    Some(next) => at = next,
                    None => return Ok(invalid(at)),
                },
            }
        }
    }

    /// Behind `&`.
    fn reference(self, text: &[u8], at: usize) -> Scan {
        let Some(&first) = text.get(at) else { return Ok(partial(at)) };
        if first == b'#' {
            return Ok(char_ref(text, at + 1));
        }
        let Some(mut at) = self.start(text, at)? else { return Ok(invalid(at)) };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            if byte == b';' {
                return Ok(found(Token::EntityRef, at + 1));
            }
            match self.next(text, at)? {
                Some(next) => at = next,
                None => return Ok(invalid(at)),
            }
        }
    }

    /// Behind `<?`.
    fn pi(self, text: &[u8], target: usize) -> Scan {
        if target >= text.len() {
            return Ok(partial(target));
        }
        let Some(mut at) = self.start(text, target)? else { return Ok(invalid(target)) };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            match class(byte) {
                Class::Space | Class::Cr | Class::Lf => {
                    let Some(token) = pi_token(&text[target..at]) else { return Ok(invalid(at)) };
                    at += 1;
                    loop {
                        at += match memchr::memchr(b'?', text.get(at..).unwrap_or(&[])) {
                            Some(length) if is_plain(&text[at..at + length]) => length,
                            _ => 0,
                        };
                        match text.get(at) {
                            None => return Ok(partial(at)),
                            Some(b'?') => match text.get(at + 1) {
                                None => return Ok(partial(at)),
                                Some(b'>') => return Ok(found(token, at + 2)),
                                Some(_) => at += 1,
                            },
                            Some(_) => at = any_char(text, at)?,
                        }
                    }
                }
                Class::Quest => {
                    let Some(token) = pi_token(&text[target..at]) else { return Ok(invalid(at)) };
                    return Ok(match text.get(at + 1) {
                        None => partial(at),
                        Some(b'>') => found(token, at + 2),
                        Some(_) => invalid(at + 1),
                    });
                }
                _ => match self.next(text, at)? {
                    Some(next) => at = next,
                    None => return Ok(invalid(at)),
                },
            }
        }
    }

    /// The next token of a CDATA section.
    pub fn cdata(self, text: &[u8], at: usize) -> Found {
        let Some(&first) = text.get(at) else { return found(Token::None, at) };
        let mut at = at;
        match first {
            b']' => match (text.get(at + 1), text.get(at + 2)) {
                (None, _) | (Some(b']'), None) => return partial(at),
                (Some(b']'), Some(b'>')) => return found(Token::CdataClose, at + 3),
                _ => at += 1,
            },
            b'\r' => {
                return match text.get(at + 1) {
                    None => partial(at),
                    Some(b'\n') => found(Token::DataNewline, at + 2),
                    Some(_) => found(Token::DataNewline, at + 1),
                };
            }
            b'\n' => return found(Token::DataNewline, at + 1),
            _ => match any_char(text, at) {
                Ok(next) => at = next,
                Err(wrong) => return wrong,
            },
        }
        while let Some(&byte) = text.get(at) {
            match class(byte) {
                Class::NonXml | Class::Cr | Class::Lf | Class::Rsqb => break,
                Class::Lead2 | Class::Lead3 | Class::Lead4 => match check_char(text, at) {
                    Char::Good(width) => at += width,
                    _ => break,
                },
                _ => at += 1,
            }
        }
        found(Token::DataChars, at)
    }

    /// The next token of the prolog or of a DTD.
    pub fn prolog(self, text: &[u8], at: usize) -> Found {
        merge(self.prolog_token(text, at))
    }

    fn prolog_token(self, text: &[u8], start: usize) -> Scan {
        let Some(&first) = text.get(start) else { return Ok(found(Token::None, start)) };
        let mut at = start;
        let mut token = match class(first) {
            Class::Quot | Class::Apos => return literal(text, at),
            Class::Lt => {
                return match text.get(at + 1) {
                    None => Ok(partial(at)),
                    Some(b'!') => self.declaration(text, at + 2),
                    Some(b'?') => self.pi(text, at + 2),
                    Some(&byte) => match class(byte) {
                        Class::NameStart | Class::Lead2 | Class::Lead3 | Class::Lead4 => {
                            Ok(found(Token::InstanceStart, at))
                        }
                        Class::Colon if !self.namespaces => Ok(found(Token::InstanceStart, at)),
                        _ => Ok(invalid(at + 1)),
                    },
                };
            }
            Class::Space | Class::Cr | Class::Lf => {
                if first == b'\r' && at + 1 == text.len() {
                    return Ok(open(Token::Space, at + 1));
                }
                loop {
                    at += 1;
                    match text.get(at) {
                        None => return Ok(found(Token::Space, at)),
                        Some(b' ' | b'\t' | b'\n') => {}
                        // A line feed may follow.
                        Some(b'\r') if at + 1 != text.len() => {}
                        Some(_) => return Ok(found(Token::Space, at)),
                    }
                }
            }
            Class::Percent => return self.percent(text, at + 1),
            Class::Comma => return Ok(found(Token::Comma, at + 1)),
            Class::Lsqb => return Ok(found(Token::OpenBracket, at + 1)),
            Class::Rsqb => {
                return Ok(match (text.get(at + 1), text.get(at + 2)) {
                    (None, _) => open(Token::CloseBracket, at + 1),
                    (Some(b']'), None) => partial(at),
                    (Some(b']'), Some(b'>')) => found(Token::CondSectClose, at + 3),
                    _ => found(Token::CloseBracket, at + 1),
                });
            }
            Class::Lpar => return Ok(found(Token::OpenParen, at + 1)),
            Class::Rpar => {
                return Ok(match text.get(at + 1) {
                    None => open(Token::CloseParen, at + 1),
                    Some(b'*') => found(Token::CloseParenAsterisk, at + 2),
                    Some(b'?') => found(Token::CloseParenQuestion, at + 2),
                    Some(b'+') => found(Token::CloseParenPlus, at + 2),
                    Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b',' | b'|' | b')') => {
                        found(Token::CloseParen, at + 1)
                    }
                    Some(_) => invalid(at + 1),
                });
            }
            Class::Verbar => return Ok(found(Token::Or, at + 1)),
            Class::Gt => return Ok(found(Token::DeclClose, at + 1)),
            Class::Num => return self.pound_name(text, at + 1),
            Class::NameStart => {
                at += 1;
                Token::Name
            }
            Class::Name | Class::Minus => {
                at += 1;
                Token::Nmtoken
            }
            Class::Colon => {
                at += 1;
                if self.namespaces { Token::Nmtoken } else { Token::Name }
            }
            Class::Lead2 | Class::Lead3 | Class::Lead4 => match name_char(text, at) {
                NameChar::Start(width) => {
                    at += width;
                    Token::Name
                }
                NameChar::Inside(width) => {
                    at += width;
                    Token::Nmtoken
                }
                NameChar::Partial => return Ok(found(Token::PartialChar, at)),
                NameChar::No => return Ok(invalid(at)),
            },
            _ => return Ok(invalid(at)),
        };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(open(token, at)) };
            if let Some(next) = self.next(text, at)? {
                at = next;
                continue;
            }
            match class(byte) {
                Class::Gt
                | Class::Rpar
                | Class::Comma
                | Class::Verbar
                | Class::Lsqb
                | Class::Percent
                | Class::Space
                | Class::Cr
                | Class::Lf => return Ok(found(token, at)),
                Class::Colon => {
                    at += 1;
                    match token {
                        Token::Name => {
                            if at >= text.len() {
                                return Ok(partial(at));
                            }
                            match name_next(text, at)? {
                                Some(next) => {
                                    token = Token::PrefixedName;
                                    at = next;
                                }
                                None => token = Token::Nmtoken,
                            }
                        }
                        _ => token = Token::Nmtoken,
                    }
                }
                Class::Plus | Class::Ast | Class::Quest => {
                    if token == Token::Nmtoken {
                        return Ok(invalid(at));
                    }
                    let token = match byte {
                        b'+' => Token::NamePlus,
                        b'*' => Token::NameAsterisk,
                        _ => Token::NameQuestion,
                    };
                    return Ok(found(token, at + 1));
                }
                _ => return Ok(invalid(at)),
            }
        }
    }

    /// Behind `<!`.
    fn declaration(self, text: &[u8], mut at: usize) -> Scan {
        let Some(&first) = text.get(at) else { return Ok(partial(at)) };
        match class(first) {
            Class::Minus => return comment(text, at + 1),
            Class::Lsqb => return Ok(found(Token::CondSectOpen, at + 1)),
            Class::NameStart => at += 1,
            Class::Lead2 | Class::Lead3 => at = self.keyword_letter(text, at)?,
            _ => return Ok(invalid(at)),
        }
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            match class(byte) {
                Class::Percent => {
                    return Ok(match text.get(at + 1) {
                        None => partial(at),
                        Some(b' ' | b'\t' | b'\r' | b'\n' | b'%') => invalid(at),
                        Some(_) => found(Token::DeclOpen, at),
                    });
                }
                Class::Space | Class::Cr | Class::Lf => return Ok(found(Token::DeclOpen, at)),
                Class::NameStart => at += 1,
                Class::Lead2 | Class::Lead3 => at = self.keyword_letter(text, at)?,
                _ => return Ok(invalid(at)),
            }
        }
    }

    /// Behind a letter beyond ASCII in a declaration's keyword.
    fn keyword_letter(self, text: &[u8], at: usize) -> Result<usize, Found> {
        let known = match class(text[at]) {
            Class::Lead2 => {
                self.keyword_letters >= 0x100 && (text[at] < 0xC4 || self.keyword_letters > 0x100)
            }
            _ => self.keyword_letters > 0x100,
        };
        match name_start(text, at) {
            Ok(Some(next)) if known => Ok(next),
            _ => Err(invalid(at)),
        }
    }

    /// Behind `%`.
    fn percent(self, text: &[u8], at: usize) -> Scan {
        let Some(&first) = text.get(at) else { return Ok(partial(at)) };
        if matches!(first, b' ' | b'\t' | b'\r' | b'\n' | b'%') {
            return Ok(found(Token::Percent, at));
        }
        let Some(mut at) = self.start(text, at)? else { return Ok(invalid(at)) };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
            if byte == b';' {
                return Ok(found(Token::ParamEntityRef, at + 1));
            }
            match self.next(text, at)? {
                Some(next) => at = next,
                None => return Ok(invalid(at)),
            }
        }
    }

    /// Behind `#`.
    fn pound_name(self, text: &[u8], at: usize) -> Scan {
        if at >= text.len() {
            return Ok(partial(at));
        }
        let Some(mut at) = self.start(text, at)? else { return Ok(invalid(at)) };
        loop {
            let Some(&byte) = text.get(at) else { return Ok(open(Token::PoundName, at)) };
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b')' | b'>' | b'%' | b'|') {
                return Ok(found(Token::PoundName, at));
            }
            match self.next(text, at)? {
                Some(next) => at = next,
                None => return Ok(invalid(at)),
            }
        }
    }

    /// The next reference in an attribute's value or an entity's, where `at` is at `&`.
    pub fn reference_at(self, text: &[u8], at: usize) -> Found {
        merge(self.reference(text, at + 1))
    }

    /// A parameter entity's reference in an entity's value, where `at` is at `%`.
    pub fn percent_at(self, text: &[u8], at: usize) -> Found {
        let scanned = merge(self.percent(text, at + 1));
        if scanned.token == Token::Percent { invalid(at) } else { scanned }
    }
}

/// Whether each byte is a plain ASCII character that needs no look.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|b| (b' '..0x80).contains(b))
}

/// At `>` or `/`.
fn tag_end(text: &[u8], at: usize, attributes: bool) -> Found {
    if text[at] == b'>' {
        return found(Token::StartTag { attributes, empty: false }, at + 1);
    }
    match text.get(at + 1) {
        None => partial(at),
        Some(b'>') => found(Token::StartTag { attributes, empty: true }, at + 2),
        Some(_) => invalid(at + 1),
    }
}

/// Behind white space.
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = text.get(at) {
        at += 1;
    }
    at
}

/// What a processing instruction's target makes it; none when it is a reserved one.
fn pi_token(target: &[u8]) -> Option<Token> {
    match target {
        b"xml" => Some(Token::XmlDecl),
        _ if target.eq_ignore_ascii_case(b"xml") => None,
        _ => Some(Token::Pi),
    }
}

/// Behind `<!-`.
fn comment(text: &[u8], at: usize) -> Scan {
    match text.get(at) {
        None => return Ok(partial(at)),
        Some(b'-') => {}
        Some(_) => return Ok(invalid(at)),
    }
    let mut at = at + 1;
    loop {
        let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
        match byte {
            b'-' => match (text.get(at + 1), text.get(at + 2)) {
                (None, _) | (Some(b'-'), None) => return Ok(partial(at)),
                (Some(b'-'), Some(b'>')) => return Ok(found(Token::Comment, at + 3)),
                (Some(b'-'), Some(_)) => return Ok(invalid(at + 2)),
                (Some(_), _) => at += 1,
            },
            b' '..0x80 => at += 1,
            _ => at = any_char(text, at)?,
        }
    }
}

/// Behind `&#`.
fn char_ref(text: &[u8], at: usize) -> Found {
    let hex = text.get(at) == Some(&b'x');
    let mut at = if hex { at + 1 } else { at };
    let is_digit = |b: u8| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    match text.get(at) {
        None => return partial(at),
        Some(&byte) if is_digit(byte) => {}
        Some(_) => return invalid(at),
    }
    loop {
        at += 1;
        match text.get(at) {
            None => return partial(at),
            Some(&byte) if is_digit(byte) => {}
            Some(b';') => return found(Token::CharRef, at + 1),
            Some(_) => return invalid(at),
        }
    }
}

/// At the quote that opens it.
fn literal(text: &[u8], start: usize) -> Scan {
    let quote = text[start];
    let mut at = start + 1;
    loop {
        let Some(&byte) = text.get(at) else { return Ok(partial(at)) };
        if byte == quote {
            return Ok(match text.get(at + 1) {
                None => open(Token::Literal, at + 1),
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'%' | b'[') => found(Token::Literal, at + 1),
                Some(_) => invalid(at + 1),
            });
        }
        at = any_char(text, at)?;
    }
}

/// The rest of an ignored section, to the `]]>` that closes it.
pub fn ignore_section(text: &[u8], mut at: usize) -> Found {
    let mut level = 0usize;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'<' => match (text.get(at + 1), text.get(at + 2)) {
                (None, _) | (Some(b'!'), None) => return partial(at),
                (Some(b'!'), Some(b'[')) => {
                    level += 1;
                    at += 3;
                }
                _ => at += 1,
            },
            b']' => match (text.get(at + 1), text.get(at + 2)) {
                (None, _) | (Some(b']'), None) => return partial(at),
                (Some(b']'), Some(b'>')) => {
                    at += 3;
                    if level == 0 {
                        return found(Token::IgnoreSection, at);
                    }
                    level -= 1;
                }
                _ => at += 1,
            },
            _ => match any_char(text, at) {
                Ok(next) => at = next,
                Err(wrong) => return wrong,
            },
        }
    }
    partial(at)
}

/// The number in a character reference (`&#…;`), if there is such a character.
pub fn char_ref_number(reference: &[u8]) -> Option<char> {
    let digits = reference.get(2..reference.len().checked_sub(1)?)?;
    let (digits, base) = match digits {
        [b'x', rest @ ..] => (rest, 16),
        rest => (rest, 10),
    };
    let mut number = 0u32;
    for &digit in digits {
        number = number * base + char::from(digit).to_digit(16)?;
        if number >= 0x11_0000 {
            return None;
        }
    }
    match number {
        0..0x20 if !matches!(number, 9 | 10 | 13) => None,
        0xFFFE | 0xFFFF => None,
        _ => char::from_u32(number),
    }
}

/// The character that a predefined entity stands for.
pub fn predefined_entity(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"lt" => b'<',
        b"gt" => b'>',
        b"amp" => b'&',
        b"quot" => b'"',
        b"apos" => b'\'',
        _ => return None,
    })
}
