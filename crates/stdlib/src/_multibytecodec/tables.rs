//! The tables of the CJK character sets, made by `tools/gen_cjk.py` (its head describes the file). They are unpacked
//! when first used, each grid for itself.

use std::sync::OnceLock;

use super::layout::{EXCEPTIONS, GRIDS, Geometry, Grid};

/// In a grid: nothing.
pub const ABSENT: u32 = u32::MAX;
/// In a grid: nothing, and both bytes are wrong together.
pub const ABSENT_BOTH: u32 = u32::MAX - 1;
/// Values from here on are pairs.
pub const PAIR: u32 = 0x11_0000;

/// Four-byte sequences of GB 18030 in a row: first and last code point, number of the first sequence.
pub type Range = (u32, u32, u32);

struct Unpacked {
    data: Vec<u8>,
    /// Where each grid starts.
    grids: Vec<usize>,
    /// Where each codec's exceptions start.
    exceptions: Vec<usize>,
    pairs: Vec<(u32, u32)>,
    ranges: Vec<Range>,
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.data.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// A LEB128 number.
    fn number(&mut self) -> u32 {
        let (mut value, mut shift) = (0u32, 0);
        loop {
            let byte = self.byte();
            value |= u32::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 28 {
                return value;
            }
        }
    }

    fn signed(&mut self) -> i32 {
        let n = self.number();
        (n >> 1) as i32 ^ -((n & 1) as i32)
    }
}

static PACKED: &[u8] = include_bytes!("tables.bin");
/// What the file is when unpacked.
const UNPACKED: usize = 1 << 20;

fn unpacked() -> &'static Unpacked {
    static ALL: OnceLock<Unpacked> = OnceLock::new();
    ALL.get_or_init(|| {
        let data = crate::zlib::inflate_all(PACKED, UNPACKED);
        let mut reader = Reader { data: &data, at: 0 };
        let mut grids = Vec::with_capacity(GRIDS.len());
        for grid in &GRIDS {
            grids.push(reader.at);
            let cells = grid.geometry.cells();
            let kinds = data.get(reader.at..reader.at + cells).unwrap_or(&[]);
            let given = kinds.iter().filter(|&&kind| kind == 2).count();
            reader.at += cells;
            for _ in 0..given {
                reader.number();
            }
        }
        let mut exceptions = Vec::with_capacity(EXCEPTIONS.len());
        for _ in &EXCEPTIONS {
            exceptions.push(reader.at);
            for _ in 0..reader.number() {
                reader.number();
                reader.number();
            }
        }
        let pairs = (0..reader.number()).map(|_| (reader.number(), reader.number())).collect();
        let ranges =
            (0..reader.number()).map(|_| (reader.number(), reader.number(), reader.number())).collect();
        Unpacked { data, grids, exceptions, pairs, ranges }
    })
}

/// The two characters of a pair's value.
pub fn pair(value: u32) -> Option<(u32, u32)> {
    unpacked().pairs.get(value.checked_sub(PAIR)? as usize).copied()
}

/// The four-byte sequences of GB 18030 that are in the Basic Multilingual Plane.
pub fn gb18030_ranges() -> &'static [Range] {
    &unpacked().ranges
}

/// The values of a grid, by its place in `GRIDS`.
pub fn grid(index: usize) -> &'static [u32] {
    static VALUES: [OnceLock<Box<[u32]>>; GRIDS.len()] = [const { OnceLock::new() }; GRIDS.len()];
    let Some(cell) = VALUES.get(index) else { return &[] };
    cell.get_or_init(|| {
        let (all, Some(grid)) = (unpacked(), GRIDS.get(index)) else { return Box::default() };
        let start = all.grids.get(index).copied().unwrap_or(0);
        let cells = grid.geometry.cells();
        let kinds = all.data.get(start..start + cells).unwrap_or(&[]);
        let mut reader = Reader { data: &all.data, at: start + cells };
        let mut last = 0i32;
        let value = |(at, kind): (usize, &u8)| match kind {
            0 => base_value(grid, at),
            1 => ABSENT,
            3 => ABSENT_BOTH,
            _ => {
                last += reader.signed();
                last as u32
            }
        };
        kinds.iter().enumerate().map(value).collect()
    })
}

fn base_value(grid: &Grid, at: usize) -> u32 {
    let Some(base) = grid.base else { return ABSENT };
    let is_square = GRIDS.get(base).is_some_and(|base| base.geometry.is_square());
    let at = if is_square && !grid.geometry.is_square() && grid.geometry.holds_square() {
        // The base is the corner where both bytes have their high bit.
        match grid.geometry.bytes(at) {
            Some((lead @ 0xA1.., trail @ 0xA1..)) => {
                (usize::from(lead) - 0xA1) * 94 + usize::from(trail) - 0xA1
            }
            _ => return ABSENT,
        }
    } else {
        at
    };
    self::grid(base).get(at).copied().unwrap_or(ABSENT)
}

/// From code points to bytes, as a big-endian number.
pub struct EncodeMap {
    pages: Vec<Option<Box<[u32; 256]>>>,
    /// First and second character of pairs, and their bytes.
    pub pairs: Vec<(u32, u32, u32)>,
}

impl EncodeMap {
    fn new() -> EncodeMap {
        EncodeMap { pages: Vec::new(), pairs: Vec::new() }
    }

    /// The bytes of a character.
    #[inline]
    pub fn get(&self, code: u32) -> Option<u32> {
        let page = self.pages.get((code >> 8) as usize)?.as_ref()?;
        page.get((code & 0xFF) as usize)?.checked_sub(1)
    }

    fn set(&mut self, code: u32, bytes: Option<u32>, keep: bool) {
        let index = (code >> 8) as usize;
        if index >= self.pages.len() {
            self.pages.resize_with(index + 1, || None);
        }
        let Some(page) = self.pages.get_mut(index) else { return };
        let page = page.get_or_insert_with(|| Box::new([0; 256]));
        if let Some(place) = page.get_mut((code & 0xFF) as usize) {
            if !keep || *place == 0 {
                *place = bytes.map_or(0, |bytes| bytes + 1);
            }
        }
    }

    /// Adds a grid's characters, unless they are there already. Their bytes follow `prefix`.
    pub fn add_grid(&mut self, index: usize, prefix: u32) {
        let Some(grid) = GRIDS.get(index) else { return };
        for (at, &value) in self::grid(index).iter().enumerate() {
            let Some((lead, trail)) = grid.geometry.bytes(at) else { continue };
            let bytes = prefix << 16 | u32::from(lead) << 8 | u32::from(trail);
            if value < PAIR {
                self.set(value, Some(bytes), true);
            } else if let Some((first, second)) = pair(value) {
                self.pairs.push((first, second, bytes));
            }
        }
    }

    /// The map of a character set alone.
    pub fn of_grid(index: usize) -> EncodeMap {
        let mut map = EncodeMap::new();
        map.add_grid(index, 0);
        map
    }

    /// The map of a codec: single bytes, grids, and what is encoded otherwise.
    pub fn of_codec(singles: &[(u8, u32)], two: usize, three: Option<usize>, exceptions: usize) -> EncodeMap {
        let mut map = EncodeMap::new();
        for &(byte, code) in singles {
            map.set(code, Some(u32::from(byte)), true);
        }
        map.add_grid(two, 0);
        if let Some(three) = three {
            map.add_grid(three, 0x8F);
        }
        let all = unpacked();
        let mut reader = Reader { data: &all.data, at: all.exceptions.get(exceptions).copied().unwrap_or(0) };
        let mut code = 0;
        for _ in 0..reader.number() {
            code += reader.number();
            let bytes = reader.number().checked_sub(1);
            map.set(code, bytes, false);
        }
        map
    }

    /// Whether a character may be the first of a pair.
    #[inline]
    pub fn starts_pair(&self, code: u32) -> bool {
        !self.pairs.is_empty() && self.pairs.iter().any(|&(first, ..)| first == code)
    }

    /// The bytes of a pair.
    pub fn pair(&self, first: u32, second: u32) -> Option<u32> {
        self.pairs.iter().find(|&&(a, b, _)| a == first && b == second).map(|&(.., bytes)| bytes)
    }
}

impl Geometry {
    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.rows() * self.row_len()
    }

    fn rows(&self) -> usize {
        let all = usize::from(self.last_lead - self.first_lead) + 1;
        all - self.gap.map_or(0, |(first, last)| usize::from(last - first) + 1)
    }

    fn row_len(&self) -> usize {
        self.trails.iter().map(|&(first, last)| usize::from(last - first) + 1).sum()
    }

    /// Whether it is 94 by 94.
    fn is_square(&self) -> bool {
        self.row_len() == 94 && self.rows() == 94
    }

    /// Whether the square of bytes with high bits is part of it.
    fn holds_square(&self) -> bool {
        self.first_lead == 0x81 && self.gap.is_none() && self.trails.last().is_some_and(|t| t.0 <= 0x81)
    }

    /// The place of two bytes.
    #[inline]
    pub fn index(&self, lead: u8, trail: u8) -> Option<usize> {
        if lead < self.first_lead || lead > self.last_lead {
            return None;
        }
        let mut row = usize::from(lead - self.first_lead);
        if let Some((first, last)) = self.gap {
            if lead >= first {
                if lead <= last {
                    return None;
                }
                row -= usize::from(last - first) + 1;
            }
        }
        let (mut before, mut column) = (0, None);
        for &(first, last) in self.trails {
            if trail >= first && trail <= last {
                column = Some(before + usize::from(trail - first));
            }
            before += usize::from(last - first) + 1;
        }
        Some(row * before + column?)
    }

    /// The two bytes of a place.
    pub fn bytes(&self, index: usize) -> Option<(u8, u8)> {
        let row_len = self.row_len();
        let (row, mut column) = (index / row_len, index % row_len);
        let mut lead = self.first_lead as usize + row;
        if let Some((first, last)) = self.gap {
            if lead >= usize::from(first) {
                lead += usize::from(last - first) + 1;
            }
        }
        for &(first, last) in self.trails {
            let len = usize::from(last - first) + 1;
            if column < len {
                return Some((u8::try_from(lead).ok()?, first + column as u8));
            }
            column -= len;
        }
        None
    }
}

/// The character or pair at two bytes of a grid.
#[inline]
pub fn lookup(index: usize, lead: u8, trail: u8) -> u32 {
    let at = GRIDS.get(index).and_then(|grid| grid.geometry.index(lead, trail));
    at.and_then(|at| grid(index).get(at).copied()).unwrap_or(ABSENT)
}
