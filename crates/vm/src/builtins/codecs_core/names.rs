//! Names of characters, for `\N{…}` and the handler `namereplace`.

/// The name of a character.
pub fn name_of(code: u32) -> Option<String> {
    taipan_unicode::name(code)
}

/// The character of that name, or of that alias.
pub fn lookup(name: &str) -> Option<u32> {
    taipan_unicode::lookup_character(name)
}
