// Written by tools/gen_tables.py; do not edit.

/// Flag of the property tables.
pub const ALPHA: u16 = 1 << 0;
/// Flag of the property tables.
pub const DECIMAL: u16 = 1 << 1;
/// Flag of the property tables.
pub const DIGIT: u16 = 1 << 2;
/// Flag of the property tables.
pub const NUMERIC: u16 = 1 << 3;
/// Flag of the property tables.
pub const SPACE: u16 = 1 << 4;
/// Flag of the property tables.
pub const PRINTABLE: u16 = 1 << 5;
/// Flag of the property tables.
pub const UPPER: u16 = 1 << 6;
/// Flag of the property tables.
pub const LOWER: u16 = 1 << 7;
/// Flag of the property tables.
pub const TITLE: u16 = 1 << 8;
/// Flag of the property tables.
pub const CASED: u16 = 1 << 9;
/// Flag of the property tables.
pub const CASE_IGNORABLE: u16 = 1 << 10;
/// Flag of the property tables.
pub const XID_START: u16 = 1 << 11;
/// Flag of the property tables.
pub const XID_CONTINUE: u16 = 1 << 12;
/// Flag of the property tables.
pub const LINE_BREAK: u16 = 1 << 13;
/// Flag of the property tables.
pub const MIRRORED: u16 = 1 << 14;
/// Added to an index into the pool of long case mappings.
pub const SPECIAL: i32 = 1 << 24;
/// Properties: the lowest bits of a code point, which select within a block.
pub const PROPERTY_SHIFT: u32 = 6;
/// Properties: the block of each code point.
pub static PROPERTY_BLOCKS: [u16; 17408] = read_u16(0);
/// Properties: the record number of each code point.
pub static PROPERTY_RECORDS: [u16; 33280] = read_u16(34816);
/// Properties: category, bidirectional class, combining class, width; four bytes a record.
pub static PROPERTY_CLASSES: [u8; 1160] = read_u8(101376);
/// Properties: flags of each record.
pub static PROPERTY_FLAGS: [u16; 290] = read_u16(102536);
/// Properties in Unicode 3.2: the lowest bits of a code point, which select within a block.
pub const OLD_SHIFT: u32 = 8;
/// Properties in Unicode 3.2: the block of each code point.
pub static OLD_BLOCKS: [u8; 4352] = read_u8(103116);
/// Properties in Unicode 3.2: the record number of each code point.
pub static OLD_RECORDS: [u8; 19968] = read_u8(107468);
/// Properties in Unicode 3.2: category, bidirectional class, combining class, width; four bytes a record.
pub static OLD_CLASSES: [u8; 856] = read_u8(127436);
/// Properties in Unicode 3.2: flags of each record.
pub static OLD_FLAGS: [u16; 214] = read_u16(128292);
/// Case mappings: the lowest bits of a code point, which select within a block.
pub const CASE_SHIFT: u32 = 8;
/// Case mappings: the block of each code point.
pub static CASE_BLOCKS: [u8; 4352] = read_u8(128720);
/// Case mappings: the record number of each code point.
pub static CASE_RECORDS: [u16; 7424] = read_u16(133072);
/// Case mappings: lower, upper, title, casefold; four a record.
pub static CASE_MAPPINGS: [i32; 1132] = read_i32(147920);
/// Case mappings of more than one code point: the count, then the code points.
pub static CASE_POOL: [u32; 534] = read_u32(152448);
/// Numeric values: the lowest bits of a code point, which select within a block.
pub const NUMBER_SHIFT: u32 = 7;
/// Numeric values: the block of each code point.
pub static NUMBER_BLOCKS: [u8; 8704] = read_u8(154584);
/// Numeric values: the record number of each code point.
pub static NUMBER_RECORDS: [u8; 16128] = read_u8(163288);
/// Numeric values: decimal and digit value (255: none); two a record.
pub static NUMBER_DIGITS: [u8; 330] = read_u8(179416);
/// Numeric values: numerator and denominator (0: none; negative: the numerator times a power of ten); two a record.
pub static NUMBER_FRACTIONS: [i32; 330] = read_i32(179748);
/// Numeric values in Unicode 3.2: the lowest bits of a code point, which select within a block.
pub const OLD_NUMBER_SHIFT: u32 = 7;
/// Numeric values in Unicode 3.2: the block of each code point.
pub static OLD_NUMBER_BLOCKS: [u8; 8704] = read_u8(181068);
/// Numeric values in Unicode 3.2: the record number of each code point.
pub static OLD_NUMBER_RECORDS: [u8; 9216] = read_u8(189772);
/// Numeric values in Unicode 3.2: decimal and digit value (255: none); two a record.
pub static OLD_NUMBER_DIGITS: [u8; 238] = read_u8(198988);
/// Numeric values in Unicode 3.2: numerator and denominator (0: none; negative: the numerator times a power of ten); two a record.
pub static OLD_NUMBER_FRACTIONS: [i32; 238] = read_i32(199228);
/// Decompositions: the code points that have one, ascending.
pub static DECOMPOSED: [u32; 5913] = read_u32(200180);
/// Decompositions: where each begins.
pub static DECOMPOSITION_STARTS: [u16; 5914] = read_u16(223832);
/// Decompositions: the tag's number, then the code points as UTF-8.
pub static DECOMPOSITIONS: [u8; 23842] = read_u8(235660);
/// Code points that Unicode 3.2 decomposes differently, each with its decomposition.
pub static OLD_DECOMPOSED: [u32; 10] = read_u32(259504);
/// General categories by number.
pub static CATEGORIES: [&str; 30] = ["Cc", "Cf", "Cn", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"];
/// Bidirectional classes by number.
pub static BIDI_CLASSES: [&str; 24] = ["", "AL", "AN", "B", "BN", "CS", "EN", "ES", "ET", "FSI", "L", "LRE", "LRI", "LRO", "NSM", "ON", "PDF", "PDI", "R", "RLE", "RLI", "RLO", "S", "WS"];
/// East Asian widths by number.
pub static WIDTHS: [&str; 6] = ["A", "F", "H", "N", "Na", "W"];
/// Tags of decompositions by number.
pub static DECOMPOSITION_TAGS: [&str; 17] = ["", "<noBreak>", "<compat>", "<super>", "<fraction>", "<sub>", "<font>", "<circle>", "<wide>", "<vertical>", "<square>", "<isolated>", "<final>", "<initial>", "<medial>", "<small>", "<narrow>"];
