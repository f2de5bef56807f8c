//! Source bytes → the UTF-8 text that the tokenizer reads: byte order mark, PEP 263 cookie, line ends.

use crate::error::{ErrorKind, SyntaxError};
use std::borrow::Cow;

/// Decodes `bytes` with the codec called `name`, for the encodings that this crate does not know itself.
/// An error is what CPython would raise: `unknown encoding: x` and the like.
pub type Codec<'c> = &'c dyn Fn(&str, &[u8]) -> Result<String, SyntaxError>;

/// Text ready for [`crate::tokenizer::tokenize`].
#[derive(Debug)]
pub struct Source<'s> {
    /// UTF-8 (that of `str` sources) with `\n` line ends.
    pub text: Cow<'s, [u8]>,
    /// Whether the newline at the end was added.
    pub implicit_newline: bool,
}

/// Prepares a source that is already text. `add_newline` ends the last line, as mode `exec` wants it.
pub fn from_str(source: &[u8], add_newline: bool) -> Result<Source<'_>, SyntaxError> {
    check_nul(source)?;
    Ok(finish(Cow::Borrowed(source), add_newline))
}

/// Prepares source bytes: follows the byte order mark and the coding cookie. Other encodings go through `codec`.
pub fn from_bytes<'s>(
    source: &'s [u8],
    codec: Option<Codec<'_>>,
    add_newline: bool,
) -> Result<Source<'s>, SyntaxError> {
    check_nul(source)?;
    let (bom, body) = match source.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let cookie = cookie(body);
    let name = cookie.as_deref().map_or_else(|| "utf-8".into(), normal_name);
    if bom && name != "utf-8" {
        let first = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let number = if self::cookie(first).is_some() { 1 } else { 2 };
        let start = if number == 1 { 0 } else { first.len() + 1 };
        let line = String::from_utf8_lossy(crate::error::line_text(body, start)).into_owned();
        let cookie = cookie.unwrap_or_default();
        let mut error = SyntaxError::bare(ErrorKind::Syntax, format!("encoding problem: {cookie} with BOM"));
        (error.line, error.end_line, error.end_offset) = (number, number, line.chars().count() as i32);
        error.text = Some(line);
        return Err(error);
    }
    match name.as_str() {
        "utf-8" | "utf8" => match std::str::from_utf8(body) {
            Ok(_) => Ok(finish(Cow::Borrowed(body), add_newline)),
            Err(error) => Err(bad_utf8(body, error)),
        },
        "iso-8859-1" | "latin1" => Ok(finish(
            Cow::Owned(body.iter().map(|&byte| byte as char).collect::<String>().into_bytes()),
            add_newline,
        )),
        "ascii" | "us-ascii" if body.is_ascii() => Ok(finish(Cow::Borrowed(body), add_newline)),
        _ => {
            let cookie = cookie.unwrap_or_default();
            match codec {
                Some(codec) => Ok(finish(Cow::Owned(codec(&cookie, body)?.into_bytes()), add_newline)),
                None => {
                    let message = format!("unknown encoding: {cookie}");
                    Err(SyntaxError { offset: -1, ..SyntaxError::bare(ErrorKind::Syntax, message) })
                }
            }
        }
    }
}

fn check_nul(source: &[u8]) -> Result<(), SyntaxError> {
    match memchr::memchr(0, source) {
        Some(_) => Err(SyntaxError::bare(ErrorKind::Syntax, "source code string cannot contain null bytes")),
        None => Ok(()),
    }
}

fn bad_utf8(body: &[u8], error: std::str::Utf8Error) -> SyntaxError {
    let at = error.valid_up_to();
    let line = memchr::memchr_iter(b'\n', &body[..at]).count() as u32 + 1;
    let line_start = memchr::memrchr(b'\n', &body[..at]).map_or(0, |newline| newline + 1);
    let offset = crate::error::char_count(&body[line_start..at]) as i32 + 1;
    let message = format!(
        "Non-UTF-8 code starting with '\\x{:02x}' on line {line}, but no encoding declared; \
         see https://peps.python.org/pep-0263/ for details",
        body[at]
    );
    let text = crate::error::line_text(body, line_start);
    SyntaxError {
        kind: ErrorKind::Syntax,
        message,
        line,
        offset,
        end_line: line,
        end_offset: offset,
        text: Some(String::from_utf8_lossy(text).into_owned()),
        metadata: None,
    }
}

/// The encoding named by a PEP 263 comment in the first two lines.
pub fn cookie(source: &[u8]) -> Option<String> {
    let mut rest = source;
    for _ in 0..2 {
        let size = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(rest.len());
        let line = &rest[..size];
        rest = &rest[size..];
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or(&[]);
        let lead = line.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t' | 0x0c)).count();
        match line.get(lead) {
            None => continue,
            Some(b'#') => {}
            Some(_) => return None,
        }
        let comment = &line[lead..];
        for at in memchr::memmem::find_iter(comment, b"coding") {
            let rest = &comment[at + 6..];
            if !matches!(rest.first(), Some(b':' | b'=')) {
                continue;
            }
            let rest = &rest[1..];
            let rest = &rest[rest.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count()..];
            let size = rest
                .iter()
                .take_while(|&&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
                .count();
            if size > 0 {
                return Some(String::from_utf8_lossy(&rest[..size]).into_owned());
            }
        }
    }
    None
}

fn normal_name(name: &str) -> String {
    let lower: String =
        name.chars().map(|ch| if ch == '_' { '-' } else { ch.to_ascii_lowercase() }).collect();
    let starts = |prefix: &str| lower == prefix || lower.starts_with(&format!("{prefix}-"));
    if starts("utf-8") {
        "utf-8".into()
    } else if starts("latin-1") || starts("iso-8859-1") || starts("iso-latin-1") {
        "iso-8859-1".into()
    } else {
        lower
    }
}

/// Translates line ends and, if wanted, makes sure that the last line has one.
fn finish(text: Cow<'_, [u8]>, add_newline: bool) -> Source<'_> {
    let mut text = text;
    if memchr::memchr(b'\r', &text).is_some() {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(at) = memchr::memchr(b'\r', rest) {
            out.extend_from_slice(&rest[..at]);
            out.push(b'\n');
            rest = &rest[at + 1..];
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        out.extend_from_slice(rest);
        text = Cow::Owned(out);
    }
    let implicit_newline = add_newline && text.last().is_some_and(|&byte| byte != b'\n');
    if implicit_newline {
        let mut owned = text.into_owned();
        owned.push(b'\n');
        text = Cow::Owned(owned);
    }
    Source { text, implicit_newline }
}
