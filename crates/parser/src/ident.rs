//! Which characters make identifiers (PEP 3131), and their normal form.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Whether `ch` may stand in an identifier, at its start or later.
pub fn is_valid_at(ch: char, start: bool) -> bool {
    if start { ch == '_' || unicode_ident::is_xid_start(ch) } else { unicode_ident::is_xid_continue(ch) }
}

/// Whether `str.isprintable` holds for `ch`.
pub fn is_printable(ch: char) -> bool {
    // The standard library escapes grapheme extenders only at the start of a string.
    let mut escaped = ['a', ch].iter().collect::<String>();
    escaped = escaped.escape_debug().collect();
    matches!(ch, '\\' | '\'' | '"') || escaped.chars().nth(1) != Some('\\')
}

/// The NFKC form of an identifier.
pub fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}
