//! Names of characters: `unicodedata.name`, `unicodedata.lookup`, `\N{…}`.

use std::fmt::Write;

/// Name aliases and named sequences, sorted: `NAME;HEX HEX…`.
static ALIASES: &str = include_str!("data/aliases.txt");

/// `unicodedata.name`; `None` for what has no name.
pub fn name(code: u32) -> Option<String> {
    let name = unicode_names2::name(char::from_u32(code)?)?;
    let mut out = String::with_capacity(40);
    // Writing to a String does not fail.
    let _ = write!(out, "{name}");
    Some(out)
}

/// The code points of `unicodedata.lookup(name)`: a character by its name or an alias, or a named sequence.
pub fn lookup(name: &str) -> Option<Vec<u32>> {
    let upper = name.to_ascii_uppercase();
    find_character(&upper).map(|code| vec![code]).or_else(|| find_alias(&upper))
}

/// The character of `\N{name}`: like [`lookup`], without named sequences.
pub fn lookup_character(name: &str) -> Option<u32> {
    let upper = name.to_ascii_uppercase();
    find_character(&upper).or_else(|| match *find_alias(&upper)? {
        [code] => Some(code),
        _ => None,
    })
}

fn find_character(upper: &str) -> Option<u32> {
    if let Some(hex) = upper.strip_prefix("CJK UNIFIED IDEOGRAPH-") {
        return find_ideograph(hex, |code| name(code).is_some_and(|found| found == upper));
    }
    if let Some(hex) = upper.strip_prefix("TANGUT IDEOGRAPH-") {
        return find_ideograph(hex, |code| matches!(code, 0x17000..=0x187f7 | 0x18d00..=0x18d08));
    }
    let found = unicode_names2::character(upper)?;
    // The crate matches loosely (underscores, missing hyphens); Python does not.
    (unicode_names2::name(found)?.to_string() == upper).then_some(u32::from(found))
}

fn find_ideograph(hex: &str, exists: impl Fn(u32) -> bool) -> Option<u32> {
    let digits = (4..=5).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let code = u32::from_str_radix(hex, 16).ok().filter(|_| digits)?;
    exists(code).then_some(code)
}

fn find_alias(upper: &str) -> Option<Vec<u32>> {
    // A binary search over lines: `low` and `high` are always at the start of one.
    let (mut low, mut high) = (0, ALIASES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = ALIASES.get(low..middle)?.rfind('\n').map_or(low, |at| low + at + 1);
        let rest = ALIASES.get(start..)?;
        let line = rest.lines().next()?;
        let (name, codes) = line.split_once(';')?;
        match name.cmp(upper) {
            std::cmp::Ordering::Equal => {
                return codes.split(' ').map(|hex| u32::from_str_radix(hex, 16).ok()).collect();
            }
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}
