//! From the bytes of a document to UTF-8, in which it is parsed.

use super::errors::{Code, Flow};
use super::handler::Handler;

/// What each byte of an encoding of single bytes stands for.
pub type ByteTable = [Option<char>; 256];

/// An encoding.
pub enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    /// Whether the high byte comes first.
    Utf16(bool),
    Bytes(Box<ByteTable>),
}

impl Encoding {
    /// The encoding of that name, if the parser has it itself.
    pub fn named(name: &[u8]) -> Option<Encoding> {
        Some(match name.to_ascii_uppercase().as_slice() {
            b"UTF-8" => Encoding::Utf8,
            b"ISO-8859-1" => Encoding::Latin1,
            b"US-ASCII" => Encoding::Ascii,
            b"UTF-16" | b"UTF-16BE" => Encoding::Utf16(true),
            b"UTF-16LE" => Encoding::Utf16(false),
            _ => return None,
        })
    }

    /// The encoding of that name by asking the handler.
    pub fn unknown<H: Handler>(name: &[u8], handler: &H) -> Flow<Encoding> {
        let table = handler.unknown_encoding(name)?.ok_or(Code::UnknownEncoding)?;
        // Characters that have a meaning in XML must be where ASCII has them, and nowhere else.
        let fixed = |byte: usize| {
            let byte = byte as u8;
            byte.is_ascii_alphanumeric() || b"\t\n\r !\"#%&'()*+,-./:;<=>?[]_|".contains(&byte)
        };
        for (byte, &code) in table.iter().enumerate() {
            let same = code.is_some_and(|c| c as usize == byte);
            if byte < 0x80 && fixed(byte) && !same {
                return Err(Code::UnknownEncoding.into());
            }
            match code {
                Some(c) if (c as usize) < 0x80 && fixed(c as usize) && !same => {
                    return Err(Code::UnknownEncoding.into());
                }
                Some(c) if c as u32 > 0xFFFF => return Err(Code::UnknownEncoding.into()),
                _ => {}
            }
        }
        Ok(Encoding::Bytes(table))
    }
}

/// Stands for what can't be decoded: no byte of UTF-8, so that the tokenizer refuses it in its place.
const WRONG: u8 = 0xFF;

/// Decodes a document piece by piece.
pub struct Decoder {
    pub encoding: Encoding,
    /// Bytes of a character that is not whole yet.
    pending: Vec<u8>,
}

impl Decoder {
    /// A decoder at a document's start.
    pub fn new(encoding: Encoding) -> Decoder {
        Decoder { encoding, pending: Vec::new() }
    }

    /// Whether the bytes are the text as they are.
    pub fn is_identity(&self) -> bool {
        matches!(self.encoding, Encoding::Utf8)
    }

    /// Whether half a surrogate pair is waiting.
    pub fn waits_inside_char(&self) -> bool {
        self.pending.len() >= 2
    }

    /// Whether bytes are waiting.
    pub fn waits(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Appends the text of more bytes.
    pub fn decode(&mut self, data: &[u8], out: &mut Vec<u8>) {
        fn push(c: char, out: &mut Vec<u8>) {
            let mut bytes = [0; 4];
            out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
        }
        match &self.encoding {
            Encoding::Utf8 => out.extend_from_slice(data),
            Encoding::Latin1 => data.iter().for_each(|&b| push(char::from(b), out)),
            Encoding::Ascii => out.extend(data.iter().map(|&b| if b < 0x80 { b } else { WRONG })),
            Encoding::Bytes(table) => {
                for &byte in data {
                    match table.get(usize::from(byte)).copied().flatten() {
                        Some(c) => push(c, out),
                        None => out.push(WRONG),
                    }
                }
            }
            Encoding::Utf16(big) => {
                let joined;
                let all = if self.pending.is_empty() {
                    data
                } else {
                    joined = [self.pending.as_slice(), data].concat();
                    &joined
                };
                let unit = |pair: &[u8]| match *pair {
                    [a, b] if *big => u16::from_be_bytes([a, b]),
                    [a, b] => u16::from_le_bytes([a, b]),
                    _ => 0,
                };
                let mut at = 0;
                while let Some(pair) = all.get(at..at + 2) {
                    let first = unit(pair);
                    let code = match first {
                        0xD800..0xDC00 => match all.get(at + 2..at + 4).map(unit) {
                            None => break,
                            Some(second @ 0xDC00..0xE000) => {
                                at += 2;
                                let high = u32::from(first - 0xD800) << 10;
                                char::from_u32(0x1_0000 + high + u32::from(second - 0xDC00))
                            }
                            Some(_) => None,
                        },
                        other => char::from_u32(u32::from(other)),
                    };
                    at += 2;
                    match code {
                        Some(c) => push(c, out),
                        None => out.push(WRONG),
                    }
                }
                self.pending = all.get(at..).unwrap_or(&[]).to_vec();
            }
        }
    }
}

/// What a document's first bytes say of its encoding: the encoding, and how long the byte order mark is. `None` when
/// more bytes are needed. `given` is the encoding that was told from outside; `general` is set for external general
/// entities.
pub fn detect(
    head: &[u8],
    given: Option<&Encoding>,
    general: bool,
    last: bool,
) -> Option<(Option<Encoding>, usize)> {
    let is_latin1 = matches!(given, Some(Encoding::Latin1));
    let is_utf16 = matches!(given, Some(Encoding::Utf16(_)));
    match *head {
        [] => return if last { Some((None, 0)) } else { None },
        [0xFE | 0xFF | 0xEF | 0x00 | b'<'] if !last => return None,
        [_] => return Some((None, 0)),
        _ => {}
    }
    Some(match *head {
        [0xFE, 0xFF, ..] if !(is_latin1 && general) => (Some(Encoding::Utf16(true)), 2),
        [0xFF, 0xFE, ..] if !(is_latin1 && general) => (Some(Encoding::Utf16(false)), 2),
        [b'<', 0, ..] if !(general && is_utf16) => (Some(Encoding::Utf16(false)), 0),
        [0xEF, 0xBB, 0xBF, ..] if !(general && (is_latin1 || is_utf16)) => (Some(Encoding::Utf8), 3),
        [0xEF, 0xBB] if !last && !is_latin1 => return None,
        [0, ..] if !(general && is_utf16) => (Some(Encoding::Utf16(true)), 0),
        [_, 0, ..] if !general => (Some(Encoding::Utf16(false)), 0),
        _ => (None, 0),
    })
}
