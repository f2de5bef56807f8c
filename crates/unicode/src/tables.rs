//! The generated tables, typed at compile time out of one binary file.
#![allow(clippy::indexing_slicing, reason = "the generator makes indices that are within its tables")]

static BLOB: &[u8] = include_bytes!("data/tables.bin");

const fn read_u8<const N: usize>(offset: usize) -> [u8; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = BLOB[offset + i];
        i += 1;
    }
    out
}

const fn read_u16<const N: usize>(offset: usize) -> [u16; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        let at = offset + 2 * i;
        out[i] = u16::from_le_bytes([BLOB[at], BLOB[at + 1]]);
        i += 1;
    }
    out
}

const fn read_u32<const N: usize>(offset: usize) -> [u32; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        let at = offset + 4 * i;
        out[i] = u32::from_le_bytes([BLOB[at], BLOB[at + 1], BLOB[at + 2], BLOB[at + 3]]);
        i += 1;
    }
    out
}

const fn read_i32<const N: usize>(offset: usize) -> [i32; N] {
    let words: [u32; N] = read_u32(offset);
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = words[i] as i32;
        i += 1;
    }
    out
}

include!("data/layout.rs");

/// The record number of a code point in a two-level table. What is beyond Unicode counts as U+10FFFF, a
/// noncharacter, which like any other unassigned code point has no properties.
macro_rules! record {
    ($code:expr, $shift:ident, $blocks:ident, $records:ident) => {{
        let code = $code.min(0x10_ffff);
        let block = usize::from($crate::tables::$blocks[(code >> $crate::tables::$shift) as usize]);
        let low = (code & ((1 << $crate::tables::$shift) - 1)) as usize;
        usize::from($crate::tables::$records[(block << $crate::tables::$shift) + low])
    }};
}
pub(crate) use record;

/// The flags of the first 256 code points, without the two levels.
pub static LATIN1_FLAGS: [u16; 256] = {
    let mut out = [0; 256];
    let mut code = 0;
    while code < 256 {
        let block = PROPERTY_BLOCKS[code >> PROPERTY_SHIFT] as usize;
        let record = PROPERTY_RECORDS[(block << PROPERTY_SHIFT) + (code & ((1 << PROPERTY_SHIFT) - 1))];
        out[code] = PROPERTY_FLAGS[record as usize];
        code += 1;
    }
    out
};

/// The flags of a code point.
#[inline]
pub fn flags(code: u32) -> u16 {
    match LATIN1_FLAGS.get(code as usize) {
        Some(&flags) => flags,
        None => PROPERTY_FLAGS[record!(code, PROPERTY_SHIFT, PROPERTY_BLOCKS, PROPERTY_RECORDS)],
    }
}
