//! The value of string literals: prefixes, quotes, escapes.

use crate::ast::Arena;

/// How a literal is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefix {
    /// `b`
    pub bytes: bool,
    /// `r`
    pub raw: bool,
    /// `u`
    pub unicode: bool,
}

/// An escape that can't be decoded: the text after "SyntaxError: ".
#[derive(Clone, Debug)]
pub struct BadEscape(pub String);

/// An escape that is kept as it stands, with a warning: its text without the backslash, and where the backslash is.
#[derive(Clone, Debug)]
pub struct DoubtfulEscape {
    /// What follows the backslash: a character, or octal digits.
    pub text: String,
    /// Byte offset of the backslash in the body.
    pub at: usize,
}

/// Splits a literal into its prefix, and its body without quotes.
pub fn split(literal: &[u8]) -> (Prefix, &[u8]) {
    let mut prefix = Prefix::default();
    let mut rest = literal;
    while let Some((&byte, tail)) = rest.split_first() {
        match byte {
            b'b' | b'B' => prefix.bytes = true,
            b'r' | b'R' => prefix.raw = true,
            b'u' | b'U' => prefix.unicode = true,
            b'"' | b'\'' => break,
            _ => {}
        }
        rest = tail;
    }
    let quote = rest.first().copied().unwrap_or(b'"');
    let size = if rest.len() >= 6 && rest[1] == quote && rest[2] == quote { 3 } else { 1 };
    (prefix, rest.get(size..rest.len() - size).unwrap_or(&[]))
}

/// The value of `body`; borrowed from the arena. `doubtful` gets the first doubtful escape.
pub fn decode<'a>(
    body: &[u8],
    prefix: Prefix,
    arena: &'a Arena,
    doubtful: &mut Option<DoubtfulEscape>,
) -> Result<&'a [u8], BadEscape> {
    if prefix.raw || memchr::memchr(b'\\', body).is_none() {
        return Ok(arena.alloc_slice_copy(body));
    }
    let mut out = Vec::with_capacity(body.len());
    if prefix.bytes {
        decode_bytes(body, &mut out, doubtful)?;
    } else {
        decode_text(body, &mut out, doubtful)?;
    }
    Ok(arena.alloc_slice_copy(&out))
}

fn hex(bytes: &[u8], count: usize) -> (u32, usize) {
    let digits = bytes.iter().take(count).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let value = bytes[..digits]
        .iter()
        .fold(0u32, |value, &byte| value << 4 | (byte as char).to_digit(16).unwrap_or(0));
    (value, digits)
}

/// Up to three octal digits from `at`: value, and where they end.
fn octal(body: &[u8], at: usize) -> (u32, usize) {
    let digits = body[at..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let value = body[at..at + digits].iter().fold(0, |value, &byte| value << 3 | u32::from(byte - b'0'));
    (value, at + digits)
}

fn doubt(doubtful: &mut Option<DoubtfulEscape>, text: &[u8], at: usize) {
    if doubtful.is_none() {
        *doubtful = Some(DoubtfulEscape { text: String::from_utf8_lossy(text).into_owned(), at });
    }
}

fn simple_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'\\' | b'\'' | b'"' => byte,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

fn decode_bytes(
    body: &[u8],
    out: &mut Vec<u8>,
    doubtful: &mut Option<DoubtfulEscape>,
) -> Result<(), BadEscape> {
    let mut at = 0;
    while at < body.len() {
        let skip = memchr::memchr(b'\\', &body[at..]).unwrap_or(body.len() - at);
        out.extend_from_slice(&body[at..at + skip]);
        let escape = at + skip;
        let Some(&byte) = body.get(escape + 1) else { break };
        at = escape + 2;
        match byte {
            b'\n' => {}
            b'0'..=b'7' => {
                let (value, end) = octal(body, escape + 1);
                if value > 0o377 {
                    doubt(doubtful, &body[escape + 1..end], escape);
                }
                out.push(value as u8);
                at = end;
            }
            b'x' => {
                let (value, digits) = hex(&body[at..], 2);
                if digits < 2 {
                    return Err(BadEscape(format!("(value error) invalid \\x escape at position {escape}")));
                }
                out.push(value as u8);
                at += 2;
            }
            _ => match simple_escape(byte) {
                Some(value) => out.push(value),
                None => {
                    doubt(doubtful, &[byte], escape);
                    out.extend_from_slice(&[b'\\', byte]);
                }
            },
        }
    }
    Ok(())
}

/// Appends a code point, surrogates included.
fn push_code(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(ch) => out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
    }
}

/// Positions in messages are those in CPython's working copy, where a character beyond ASCII is ten bytes long,
/// and a backslash before one or at the end six.
fn working_position(body: &[u8], at: usize) -> usize {
    let mut position = 0;
    for (index, &byte) in body[..at].iter().enumerate() {
        if byte < 128 {
            position += 1;
        } else if byte & 0xc0 != 0x80 {
            position += 10;
            if index > 0 && body[index - 1] == b'\\' {
                position += 5;
            }
        }
    }
    position
}

fn decode_text(
    body: &[u8],
    out: &mut Vec<u8>,
    doubtful: &mut Option<DoubtfulEscape>,
) -> Result<(), BadEscape> {
    let bad = |escape: usize, end: usize, reason: &str| {
        let (first, last) = (working_position(body, escape), working_position(body, end) - 1);
        let place = if first == last {
            format!("byte 0x5c in position {first}")
        } else {
            format!("bytes in position {first}-{last}")
        };
        Err(BadEscape(format!("(unicode error) 'unicodeescape' codec can't decode {place}: {reason}")))
    };
    let mut at = 0;
    while at < body.len() {
        let skip = memchr::memchr(b'\\', &body[at..]).unwrap_or(body.len() - at);
        out.extend_from_slice(&body[at..at + skip]);
        let escape = at + skip;
        if escape >= body.len() {
            break;
        }
        // An f-string's piece may end in a backslash, before a brace.
        let Some(&byte) = body.get(escape + 1) else {
            out.push(b'\\');
            break;
        };
        at = escape + 2;
        match byte {
            b'\n' => {}
            b'0'..=b'7' => {
                let (value, end) = octal(body, escape + 1);
                if value > 0o377 {
                    doubt(doubtful, &body[escape + 1..end], escape);
                }
                push_code(out, value);
                at = end;
            }
            b'x' | b'u' | b'U' => {
                let (count, reason) = match byte {
                    b'x' => (2, "truncated \\xXX escape"),
                    b'u' => (4, "truncated \\uXXXX escape"),
                    _ => (8, "truncated \\UXXXXXXXX escape"),
                };
                let (value, digits) = hex(&body[at..], count);
                if digits < count {
                    return bad(escape, at + digits, reason);
                }
                at += count;
                if value > 0x10_ffff {
                    return bad(escape, at, "illegal Unicode character");
                }
                push_code(out, value);
            }
            b'N' => {
                if body.get(at) != Some(&b'{') {
                    return bad(escape, at, "malformed \\N character escape");
                }
                let rest = &body[at + 1..];
                let size = memchr::memchr(b'}', rest);
                let Some(size) = size.filter(|&size| size > 0) else {
                    let end = at + 1 + size.unwrap_or(rest.len());
                    return bad(escape, end, "malformed \\N character escape");
                };
                let found = std::str::from_utf8(&rest[..size]).ok().and_then(named_character);
                at += size + 2;
                match found {
                    Some(ch) => push_code(out, ch as u32),
                    None => return bad(escape, at, "unknown Unicode character name"),
                }
            }
            128.. => {
                out.push(b'\\');
                at = escape + 1;
            }
            _ => match simple_escape(byte) {
                Some(value) => out.push(value),
                None => {
                    doubt(doubtful, &[byte], escape);
                    out.extend_from_slice(&[b'\\', byte]);
                }
            },
        }
    }
    Ok(())
}

fn named_character(name: &str) -> Option<char> {
    taipan_unicode::lookup_character(name).and_then(char::from_u32)
}
