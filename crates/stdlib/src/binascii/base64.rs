//! Base64 (RFC 4648), strictly or as mail readers take it.

use taipan_vm::prelude::*;

use super::ERROR;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NO_DIGIT: u8 = 0xff;
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut at = 0;
    while at < 64 {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
}

fn value(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT)
}

fn letter(bits: u32) -> u8 {
    ALPHABET.get((bits & 63) as usize).copied().unwrap_or(b'A')
}

/// Encodes, with padding.
pub fn encode(data: &[u8], newline: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4 + 1);
    let (triples, rest) = data.as_chunks::<3>();
    for &[a, b, c] in triples {
        let bits = u32::from_be_bytes([0, a, b, c]);
        out.extend([letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)]);
    }
    match *rest {
        [a] => {
            let bits = u32::from(a) << 16;
            out.extend([letter(bits >> 18), letter(bits >> 12), b'=', b'=']);
        }
        [a, b] => {
            let bits = u32::from(a) << 16 | u32::from(b) << 8;
            out.extend([letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), b'=']);
        }
        _ => {}
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// Decodes. Without `strict`, what is no digit is passed over.
pub fn decode(text: &[u8], strict: bool, vm: &Vm) -> PyResult<Vec<u8>> {
    let fail = |text: &str| Err(ERROR.raise(text, vm));
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut rest = text;
    // Whole groups of four digits first.
    while let Some((&[a, b, c, d], more)) = rest.split_first_chunk::<4>() {
        let (a, b, c, d) = (value(a), value(b), value(c), value(d));
        if a | b | c | d == NO_DIGIT {
            break;
        }
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        rest = more;
    }
    let started = rest.len() < text.len();
    let (mut place, mut pads, mut left, mut digits) = (0u32, 0u32, 0u8, out.len() / 3 * 4);
    for &byte in rest {
        if byte == b'=' {
            if strict && place == 0 {
                return fail(if started || digits > 0 {
                    "Excess padding not allowed"
                } else {
                    "Leading padding not allowed"
                });
            }
            pads += 1;
            if strict && place >= 2 && place + pads > 4 {
                return fail("Excess padding not allowed");
            }
            if strict && place == 1 {
                break;
            }
            continue;
        }
        let digit = value(byte);
        if digit == NO_DIGIT {
            if strict {
                return fail("Only base64 data is allowed");
            }
            continue;
        }
        if strict && pads > 0 {
            return fail(if place + pads == 4 {
                "Excess data after padding"
            } else {
                "Discontinuous padding not allowed"
            });
        }
        pads = 0;
        digits += 1;
        match place {
            0 => left = digit,
            1 => {
                out.push(left << 2 | digit >> 4);
                left = digit & 15;
            }
            2 => {
                out.push(left << 4 | digit >> 2);
                left = digit & 3;
            }
            _ => {
                out.push(left << 6 | digit);
                left = 0;
            }
        }
        place = (place + 1) % 4;
    }
    match place {
        0 => Ok(out),
        1 => fail(&format!(
            "Invalid base64-encoded string: number of data characters ({digits}) cannot be 1 more than a multiple of 4"
        )),
        _ if place + pads < 4 => fail("Incorrect padding"),
        _ => Ok(out),
    }
}
