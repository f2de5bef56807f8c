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

/// Prepares source bytes: follows the byte order mark and the coding cookie. Other encodings go through `codec`. `is_file`
/// says that the bytes are a whole file's, whose encoding errors read differently.
pub fn from_bytes<'s>(
    source: &'s [u8],
    codec: Option<Codec<'_>>,
    is_file: bool,
    add_newline: bool,
) -> Result<Source<'s>, SyntaxError> {
    check_nul(source)?;
    let (bom, body) = match source.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let cookie = cookie(body);
    let name = cookie.as_ref().map_or_else(|| "utf-8".into(), |cookie| normal_name(&cookie.name));
    if bom && name != "utf-8" {
        return Err(bom_contradicts(body, &name, cookie.map_or(1, |cookie| cookie.line)));
    }
    match name.as_str() {
        "utf-8" => match std::str::from_utf8(body) {
            Ok(_) => Ok(finish(Cow::Borrowed(body), add_newline)),
            Err(error) => Err(bad_utf8(body, error, is_file && (bom || cookie.is_some()))),
        },
        "iso-8859-1" => Ok(finish(
            Cow::Owned(body.iter().map(|&byte| byte as char).collect::<String>().into_bytes()),
            add_newline,
        )),
        "ascii" | "us-ascii" if body.is_ascii() => Ok(finish(Cow::Borrowed(body), add_newline)),
        _ => {
            let (spelled, line_end) = cookie.map_or_else(Default::default, |c| (c.name, c.line_end));
            let Some(codec) = codec else { return Err(undecodable(format!("unknown encoding: {spelled}"))) };
            match codec(&spelled, body) {
                Ok(text) => Ok(finish(Cow::Owned(text.into_bytes()), add_newline)),
                // A file is decoded from the end of the line with the cookie on, which is where positions count from.
                Err(error) if is_file => {
                    let rest = body.get(line_end..).unwrap_or_default();
                    Err(codec(&spelled, rest).err().unwrap_or(error))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// The error for a source that the codec of its cookie can't decode, or whose codec can't be found.
pub fn undecodable(message: String) -> SyntaxError {
    SyntaxError { offset: -1, ..SyntaxError::bare(ErrorKind::Codec, message) }
}

fn bom_contradicts(body: &[u8], name: &str, line: u32) -> SyntaxError {
    let index = line.saturating_sub(1) as usize;
    let text = body.split(|&byte| byte == b'\n').nth(index).unwrap_or_default();
    let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned();
    SyntaxError {
        line,
        end_line: line,
        end_offset: text.chars().count() as i32 + i32::from(line > 1),
        text: Some(text),
        ..SyntaxError::bare(ErrorKind::Decode, format!("encoding problem: {name} with BOM"))
    }
}

fn check_nul(source: &[u8]) -> Result<(), SyntaxError> {
    match memchr::memchr(0, source) {
        Some(_) => Err(SyntaxError::bare(ErrorKind::Syntax, "source code string cannot contain null bytes")),
        None => Ok(()),
    }
}

/// The error for a source that should be UTF-8. A file that says it is (`declared`) gets the codec's text.
fn bad_utf8(body: &[u8], error: std::str::Utf8Error, declared: bool) -> SyntaxError {
    let at = error.valid_up_to();
    let line = memchr::memchr_iter(b'\n', &body[..at]).count() as u32 + 1;
    let line_start = memchr::memrchr(b'\n', &body[..at]).map_or(0, |newline| newline + 1);
    let text = crate::error::line_text(body, line_start);
    let (message, offset) = if declared {
        (codec_text(body, line_start, error), 0)
    } else {
        let message = format!(
            "Non-UTF-8 code starting with '\\x{:02x}' on line {line}, but no encoding declared; \
             see https://peps.python.org/pep-0263/ for details",
            body[at]
        );
        (message, crate::error::char_count(&body[line_start..at]) as i32 + 1)
    };
    SyntaxError {
        kind: ErrorKind::Decode,
        message,
        line,
        offset,
        end_line: line,
        end_offset: offset,
        text: Some(String::from_utf8_lossy(text).into_owned()),
        metadata: None,
    }
}

/// What the UTF-8 codec says of a line that it can't decode; positions count from the line's start.
fn codec_text(body: &[u8], line_start: usize, error: std::str::Utf8Error) -> String {
    let at = error.valid_up_to();
    let position = at - line_start;
    let reason = match error.error_len() {
        None => "unexpected end of data",
        Some(_) if matches!(body[at], 0xc2..=0xf4) => "invalid continuation byte",
        Some(_) => "invalid start byte",
    };
    let length = error.error_len().unwrap_or(body.len() - at);
    if length > 1 {
        let last = position + length - 1;
        format!("(unicode error) 'utf-8' codec can't decode bytes in position {position}-{last}: {reason}")
    } else {
        let byte = body[at];
        format!(
            "(unicode error) 'utf-8' codec can't decode byte {byte:#04x} in position {position}: {reason}"
        )
    }
}

/// A PEP 263 comment.
pub struct Cookie {
    /// The encoding's name as it is spelled.
    pub name: String,
    /// The line that it stands on, from 1.
    pub line: u32,
    /// Where that line ends.
    pub line_end: usize,
}

/// The encoding named by a PEP 263 comment in the first two lines.
pub fn cookie(source: &[u8]) -> Option<Cookie> {
    let mut rest = source;
    for number in 1..=2 {
        let size = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(rest.len());
        let line = &rest[..size];
        let line_end = source.len() - rest.len() + size;
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
                let name = String::from_utf8_lossy(&rest[..size]).into_owned();
                return Some(Cookie { name, line: number, line_end });
            }
        }
    }
    None
}

/// The name that the encodings of PEP 263 share whatever they are spelled like.
fn normal_name(name: &str) -> String {
    let lower: String =
        name.chars().take(12).map(|ch| if ch == '_' { '-' } else { ch.to_ascii_lowercase() }).collect();
    let starts = |prefix: &str| lower == prefix || lower.starts_with(&format!("{prefix}-"));
    if starts("utf-8") {
        "utf-8".into()
    } else if starts("latin-1") || starts("iso-8859-1") || starts("iso-latin-1") {
        "iso-8859-1".into()
    } else {
        name.to_owned()
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
