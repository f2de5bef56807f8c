//! `<?xml version=… encoding=… standalone=…?>` (XML 1.0, sections 2.8 and 4.3.1).

use super::token::skip_space;

/// What the declaration says.
#[derive(Debug, Default)]
pub struct XmlDecl {
    pub version: Option<(usize, usize)>,
    pub encoding: Option<(usize, usize)>,
    pub standalone: Option<bool>,
}

struct Pseudo {
    name: (usize, usize),
    value: (usize, usize),
    end: usize,
}

/// The next `name="value"`; `Ok(None)` at the end, `Err` with the place of what is wrong.
fn pseudo_attribute(text: &[u8], at: usize) -> Result<Option<Pseudo>, usize> {
    if at >= text.len() {
        return Ok(None);
    }
    let start = skip_space(text, at);
    if start == at {
        return Err(at);
    }
    if start >= text.len() {
        return Ok(None);
    }
    let mut at = start;
    let name_end = loop {
        match text.get(at) {
            Some(b'=') => break at,
            Some(b' ' | b'\t' | b'\r' | b'\n') => {
                let end = at;
                at = skip_space(text, at);
                if text.get(at) != Some(&b'=') {
                    return Err(at);
                }
                break end;
            }
            Some(byte) if byte.is_ascii() => at += 1,
            _ => return Err(at),
        }
    };
    if name_end == start {
        return Err(at);
    }
    at = skip_space(text, at + 1);
    let quote = match text.get(at) {
        Some(&quote @ (b'"' | b'\'')) => quote,
        _ => return Err(at),
    };
    let value = at + 1;
    at = value;
    loop {
        match text.get(at) {
            Some(&byte) if byte == quote => break,
            Some(&byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') => at += 1,
            _ => return Err(at),
        }
    }
    Ok(Some(Pseudo { name: (start, name_end), value: (value, at), end: at + 1 }))
}

/// Reads a declaration, with its `<?xml` and `?>`; `Err` with the place of what is wrong. `entity` is set for that of
/// an external entity, which must have an encoding and may lack the version.
pub fn parse(text: &[u8], entity: bool) -> Result<XmlDecl, usize> {
    let inner = text.get(..text.len().saturating_sub(2)).unwrap_or(&[]);
    let get = |(start, end): (usize, usize)| inner.get(start..end).unwrap_or(&[]);
    let mut decl = XmlDecl::default();
    let mut at = 5;
    let mut next = pseudo_attribute(inner, at)?.ok_or(at)?;
    if get(next.name) == b"version" {
        let is_version_1 = get(next.value)
            .strip_prefix(b"1.")
            .is_some_and(|minor| !minor.is_empty() && minor.iter().all(u8::is_ascii_digit));
        if !is_version_1 {
            return Err(next.value.0);
        }
        decl.version = Some(next.value);
        at = next.end;
        match pseudo_attribute(inner, at)? {
            Some(more) => next = more,
            None if entity => return Err(inner.len()),
            None => return Ok(decl),
        }
    } else if !entity {
        return Err(next.name.0);
    }
    if get(next.name) == b"encoding" {
        if !get(next.value).first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(next.value.0);
        }
        decl.encoding = Some(next.value);
        at = next.end;
        match pseudo_attribute(inner, at)? {
            Some(more) => next = more,
            None => return Ok(decl),
        }
    }
    if entity || get(next.name) != b"standalone" {
        return Err(next.name.0);
    }
    decl.standalone = match get(next.value) {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => return Err(next.value.0),
    };
    let end = skip_space(inner, next.end);
    if end == inner.len() { Ok(decl) } else { Err(end) }
}
