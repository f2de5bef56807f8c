//! `float(text)` for text that has been stripped of white space.

/// The value of a Python float literal or of what `float()` takes beyond that: a sign, `inf`, `infinity`, `nan`
/// in any case, single underscores between digits. `None` if the text is not of that form.
pub fn parse(text: &[u8]) -> Option<f64> {
    let (body, negative) = match text {
        [b'-', rest @ ..] => (rest, true),
        [b'+', rest @ ..] => (rest, false),
        _ => (text, false),
    };
    let value = match body {
        [b'0'..=b'9' | b'.', ..] => parse_decimal(body)?,
        _ if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") => f64::INFINITY,
        _ if body.eq_ignore_ascii_case(b"nan") => f64::NAN,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// An unsigned decimal number. The standard library does the rounding; its grammar differs from Python's
/// only in what the first byte has excluded already, and in underscores.
fn parse_decimal(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.contains('_') {
        return text.parse().ok();
    }
    let bytes = text.as_bytes();
    let digit_at = |index: Option<usize>| index.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let misplaced = |(i, b): (usize, u8)| b == b'_' && !(digit_at(i.checked_sub(1)) && digit_at(Some(i + 1)));
    if bytes.iter().copied().enumerate().any(misplaced) {
        return None;
    }
    text.replace('_', "").parse().ok()
}
