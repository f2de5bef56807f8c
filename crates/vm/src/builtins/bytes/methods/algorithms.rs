//! Algorithms on byte slices. Case and character classes are ASCII's.

use std::ops::Range;

use memchr::memmem;

/// The first position of `needle`.
#[inline]
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    crate::builtins::str::search::find_units(hay, needle)
}

/// The last position of `needle`.
#[inline]
pub fn rfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    crate::builtins::str::search::rfind_units(hay, needle)
}

/// How often `needle` occurs without overlap, at most `limit` times.
#[inline]
pub fn count(hay: &[u8], needle: &[u8], limit: usize) -> usize {
    crate::builtins::str::search::count_units(hay, needle, limit)
}

/// ASCII whitespace as `bytes.split` sees it.
#[inline(always)]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// The words between whitespace, `limit` at most from the left; the rest is one piece.
pub fn split_space(data: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(skip) = data.get(at..).and_then(|d| d.iter().position(|&b| !is_space(b))) {
        let start = at + skip;
        if parts.len() == limit {
            parts.push(start..data.len());
            break;
        }
        let stop = data
            .get(start..)
            .and_then(|d| d.iter().position(|&b| is_space(b)))
            .map_or(data.len(), |n| start + n);
        parts.push(start..stop);
        at = stop;
    }
    parts
}

/// `split_space` from the right.
pub fn rsplit_space(data: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut end = data.len();
    while let Some(last) = data.get(..end).and_then(|d| d.iter().rposition(|&b| !is_space(b))) {
        let stop = last + 1;
        if parts.len() == limit {
            parts.push(0..stop);
            break;
        }
        let start =
            data.get(..stop).and_then(|d| d.iter().rposition(|&b| is_space(b))).map_or(0, |at| at + 1);
        parts.push(start..stop);
        end = start;
    }
    parts.reverse();
    parts
}

/// The pieces between occurrences of `sep`, which is not empty, `limit` splits at most from the left.
pub fn split_on(data: &[u8], sep: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let finder = memmem::Finder::new(sep);
    let mut from = 0;
    while parts.len() < limit {
        let Some(at) = data.get(from..).and_then(|d| finder.find(d)) else { break };
        parts.push(from..from + at);
        from += at + sep.len();
    }
    parts.push(from..data.len());
    parts
}

/// `split_on` from the right.
pub fn rsplit_on(data: &[u8], sep: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let finder = memmem::FinderRev::new(sep);
    let mut to = data.len();
    while parts.len() < limit {
        let Some(at) = data.get(..to).and_then(|d| finder.rfind(d)) else { break };
        parts.push(at + sep.len()..to);
        to = at;
    }
    parts.push(0..to);
    parts.reverse();
    parts
}

/// The lines, broken at `\n`, `\r` and `\r\n`.
pub fn split_lines(data: &[u8], keep_ends: bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < data.len() {
        let Some(at) = data.get(start..).and_then(|d| memchr::memchr2(b'\n', b'\r', d)) else {
            parts.push(start..data.len());
            break;
        };
        let end = start + at;
        let pair = data.get(end) == Some(&b'\r') && data.get(end + 1) == Some(&b'\n');
        let next = if pair { end + 2 } else { end + 1 };
        parts.push(start..if keep_ends { next } else { end });
        start = next;
    }
    parts
}

/// `data` with the first `limit` occurrences of `old` replaced; `None` when there is none, `Err` when the result is
/// too long for memory.
pub fn replace(data: &[u8], old: &[u8], new: &[u8], limit: usize) -> Result<Option<Vec<u8>>, ReplaceError> {
    let hits = count(data, old, limit);
    if hits == 0 {
        return Ok(None);
    }
    let len = hits
        .checked_mul(new.len())
        .and_then(|n| n.checked_add(data.len() - hits * old.len()))
        .filter(|&n| n <= isize::MAX as usize)
        .ok_or(ReplaceError::TooLong)?;
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| ReplaceError::NoMemory)?;
    if old.is_empty() {
        let mut left = hits;
        for &byte in data {
            if left > 0 {
                out.extend_from_slice(new);
                left -= 1;
            }
            out.push(byte);
        }
        if left > 0 {
            out.extend_from_slice(new);
        }
        return Ok(Some(out));
    }
    let finder = memmem::Finder::new(old);
    let mut rest = data;
    for _ in 0..hits {
        let Some(at) = finder.find(rest) else { break };
        out.extend_from_slice(rest.get(..at).unwrap_or(&[]));
        out.extend_from_slice(new);
        rest = rest.get(at + old.len()..).unwrap_or(&[]);
    }
    out.extend_from_slice(rest);
    Ok(Some(out))
}

/// Why a replacement can't be made.
#[derive(Debug, Clone, Copy)]
pub enum ReplaceError {
    /// The result would be longer than any object.
    TooLong,
    /// There is no memory for it.
    NoMemory,
}

/// The range without the bytes at the ends that are in `set` (whitespace when `None`).
pub fn strip(data: &[u8], set: Option<&[u8]>, left: bool, right: bool) -> Range<usize> {
    let strips = |byte: u8| match set {
        None => is_space(byte),
        Some([only]) => byte == *only,
        Some(set) => memchr::memchr(byte, set).is_some(),
    };
    let mut start = 0;
    let mut stop = data.len();
    if left {
        start = data.iter().position(|&b| !strips(b)).unwrap_or(stop);
    }
    if right {
        stop = data.iter().rposition(|&b| !strips(b)).map_or(start, |last| last + 1).max(start);
    }
    start..stop
}

/// Tabs replaced by spaces; `None` when the result is too long.
pub fn expand_tabs(data: &[u8], tab_size: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut column = 0usize;
    for &byte in data {
        match byte {
            b'\t' => {
                if tab_size > 0 {
                    let step = tab_size - column % tab_size;
                    out.try_reserve(step).ok()?;
                    out.resize(out.len() + step, b' ');
                    column += step;
                }
            }
            _ => {
                column = if byte == b'\n' || byte == b'\r' { 0 } else { column + 1 };
                out.push(byte);
            }
        }
    }
    Some(out)
}

/// Words in title case.
pub fn title(data: &[u8]) -> Vec<u8> {
    let mut in_word = false;
    data.iter()
        .map(|&byte| {
            let mapped = if in_word { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
            in_word = byte.is_ascii_alphabetic();
            mapped
        })
        .collect()
}

/// Whether words start in upper case and go on in lower case, and there is one.
pub fn is_title(data: &[u8]) -> bool {
    let (mut cased, mut previous_cased) = (false, false);
    for &byte in data {
        if byte.is_ascii_uppercase() {
            if previous_cased {
                return false;
            }
            (cased, previous_cased) = (true, true);
        } else if byte.is_ascii_lowercase() {
            if !previous_cased {
                return false;
            }
            (cased, previous_cased) = (true, true);
        } else {
            previous_cased = false;
        }
    }
    cased
}
