//! The location table of a code object (PEP 626, PEP 657): source ranges of instructions.
//!
//! Each entry starts with a byte with bit 7 set: bits 3-6 are the form, bits 0-2 the length in code units minus 1.
//! Forms 0-9: same line, short columns; 10-12: 0 to 2 lines on, one-line range; 13: line only; 14: everything in
//! variable-length numbers; 15: no location. Lines are differences to the line before, starting with `co_firstlineno`.

/// Where an instruction comes from. Columns count bytes from 0; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// First line.
    pub line: Option<i32>,
    /// Last line.
    pub end_line: Option<i32>,
    /// First column.
    pub col: Option<i32>,
    /// Column behind the last one.
    pub end_col: Option<i32>,
}

fn push_unsigned(out: &mut Vec<u8>, mut value: u32) {
    while value >= 64 {
        out.push(0x40 | (value & 0x3f) as u8);
        value >>= 6;
    }
    out.push(value as u8);
}

fn push_signed(out: &mut Vec<u8>, value: i32) {
    push_unsigned(out, if value < 0 { value.unsigned_abs() << 1 | 1 } else { (value as u32) << 1 });
}

/// Writes a location table.
pub struct Writer {
    out: Vec<u8>,
    line: i32,
}

impl Writer {
    /// For a code object with this `co_firstlineno`.
    pub fn new(firstlineno: i32) -> Writer {
        Writer { out: Vec::new(), line: firstlineno }
    }

    /// Says where the next `units` code units come from.
    pub fn push(&mut self, location: Location, mut units: usize) {
        while units > 8 {
            self.push_entry(location, 8);
            units -= 8;
        }
        self.push_entry(location, units);
    }

    fn head(&mut self, form: u8, units: usize) {
        self.out.push(0x80 | form << 3 | (units as u8 - 1));
    }

    fn push_entry(&mut self, location: Location, units: usize) {
        if units == 0 {
            return;
        }
        let Some(line) = location.line else {
            self.head(15, units);
            return;
        };
        let delta = line.wrapping_sub(self.line);
        let end_line = location.end_line.unwrap_or(line);
        self.line = line;
        let (Some(col), Some(end_col)) = (location.col, location.end_col) else {
            if end_line == line || location.end_line.is_none() {
                self.head(13, units);
                push_signed(&mut self.out, delta);
                return;
            }
            self.push_long(delta, end_line - line, location, units);
            return;
        };
        if end_line == line {
            let width = end_col.wrapping_sub(col);
            if delta == 0 && (0..80).contains(&col) && (0..16).contains(&width) {
                self.head((col >> 3) as u8, units);
                self.out.push((col as u8 & 7) << 4 | width as u8);
                return;
            }
            if (0..3).contains(&delta) && (0..128).contains(&col) && (0..128).contains(&end_col) {
                self.head(10 + delta as u8, units);
                self.out.push(col as u8);
                self.out.push(end_col as u8);
                return;
            }
        }
        self.push_long(delta, end_line.wrapping_sub(line), location, units);
    }

    fn push_long(&mut self, delta: i32, lines: i32, location: Location, units: usize) {
        self.head(14, units);
        push_signed(&mut self.out, delta);
        push_unsigned(&mut self.out, lines.max(0) as u32);
        push_unsigned(&mut self.out, location.col.map_or(0, |col| col as u32 + 1));
        push_unsigned(&mut self.out, location.end_col.map_or(0, |col| col as u32 + 1));
    }

    /// The table.
    pub fn finish(self) -> Box<[u8]> {
        self.out.into()
    }
}

/// Reads a location table: pairs of location and number of code units.
pub struct Entries<'a> {
    table: &'a [u8],
    line: i32,
}

/// The entries of a table.
pub fn entries(table: &[u8], firstlineno: i32) -> Entries<'_> {
    Entries { table, line: firstlineno }
}

impl Entries<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.table.split_first()?;
        self.table = rest;
        Some(first)
    }

    fn unsigned(&mut self) -> Option<u32> {
        let (mut value, mut shift) = (0u32, 0);
        loop {
            let byte = self.byte()?;
            if shift < 32 {
                value |= u32::from(byte & 0x3f) << shift;
            }
            shift += 6;
            if byte & 0x40 == 0 {
                return Some(value);
            }
        }
    }

    fn signed(&mut self) -> Option<i32> {
        let value = self.unsigned()?;
        let half = (value >> 1) as i32;
        Some(if value & 1 != 0 { -half } else { half })
    }
}

impl Iterator for Entries<'_> {
    type Item = (Location, usize);

    fn next(&mut self) -> Option<(Location, usize)> {
        let head = self.byte()?;
        let units = usize::from(head & 7) + 1;
        let form = head >> 3 & 15;
        let one_line = |line: i32, col: i32, end_col: i32| Location {
            line: Some(line),
            end_line: Some(line),
            col: Some(col),
            end_col: Some(end_col),
        };
        let location = match form {
            15 => Location::default(),
            14 => {
                let delta = self.signed()?;
                self.line = self.line.wrapping_add(delta);
                let lines = self.unsigned()? as i32;
                let col = self.unsigned()?;
                let end_col = self.unsigned()?;
                Location {
                    line: Some(self.line),
                    end_line: Some(self.line.wrapping_add(lines)),
                    col: col.checked_sub(1).map(|col| col as i32),
                    end_col: end_col.checked_sub(1).map(|col| col as i32),
                }
            }
            13 => {
                let delta = self.signed()?;
                self.line = self.line.wrapping_add(delta);
                Location { line: Some(self.line), end_line: Some(self.line), col: None, end_col: None }
            }
            10..=12 => {
                self.line = self.line.wrapping_add(i32::from(form) - 10);
                let col = self.byte()?;
                let end_col = self.byte()?;
                one_line(self.line, i32::from(col), i32::from(end_col))
            }
            _ => {
                let second = self.byte()?;
                let col = i32::from(form) << 3 | i32::from(second >> 4);
                one_line(self.line, col, col + i32::from(second & 15))
            }
        };
        Some((location, units))
    }
}

/// `co_positions()`: one location for each code unit.
pub fn positions(table: &[u8], firstlineno: i32) -> impl Iterator<Item = Location> {
    entries(table, firstlineno).flat_map(|(location, units)| std::iter::repeat_n(location, units))
}

/// `co_lines()`: start and end in bytes of the code, and the line, with neighbours of one line merged.
pub fn lines(table: &[u8], firstlineno: i32) -> impl Iterator<Item = (usize, usize, Option<i32>)> {
    let mut rest = entries(table, firstlineno).peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        let (first, units) = rest.next()?;
        let start = at;
        at += units * 2;
        while let Some((_, units)) = rest.next_if(|(next, _)| next.line == first.line) {
            at += units * 2;
        }
        Some((start, at, first.line))
    })
}

/// The line of the code unit at `unit`.
pub fn line_at(table: &[u8], firstlineno: i32, unit: usize) -> Option<i32> {
    let mut end = 0;
    entries(table, firstlineno)
        .find(|(_, units)| {
            end += units;
            unit < end
        })
        .and_then(|(location, _)| location.line)
}

/// The table with lines alone, as `-X no_debug_ranges` wants it.
pub fn without_columns(table: &[u8]) -> Vec<u8> {
    const NO_COLUMNS: u8 = 13;
    const NO_LOCATION: u8 = 15;
    let mut out = Vec::with_capacity(table.len() / 2);
    let mut rest = table;
    while let Some((&first, after)) = rest.split_first() {
        // Only an entry's first byte has the highest bit.
        let size = after.iter().take_while(|&&byte| byte & 0x80 == 0).count();
        let (entry, next) = after.split_at(size);
        rest = next;
        let form = (first >> 3) & 15;
        let delta = match form {
            NO_LOCATION => {
                out.push(first);
                continue;
            }
            10..=12 => i32::from(form) - 10,
            13 | 14 => {
                let bits = |(at, byte): (usize, &u8)| u64::from(byte & 0x3f) << (6 * at);
                let last = entry.iter().position(|byte| byte & 0x40 == 0).unwrap_or(0);
                let value: u64 = entry.iter().take(last + 1).take(8).enumerate().map(bits).sum();
                let size = (value >> 1) as i32;
                if value & 1 == 0 { size } else { -size }
            }
            _ => 0,
        };
        out.push(0x80 | NO_COLUMNS << 3 | first & 7);
        push_signed(&mut out, delta);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let at = |line, end_line, col, end_col| Location {
            line: Some(line),
            end_line: Some(end_line),
            col: Some(col),
            end_col: Some(end_col),
        };
        let locations = [
            at(1, 1, 0, 3),
            at(3, 3, 90, 100),
            at(2, 9, 4, 500),
            Location::default(),
            Location { line: Some(7), end_line: Some(7), col: None, end_col: None },
        ];
        let mut writer = Writer::new(1);
        for (i, location) in locations.iter().enumerate() {
            writer.push(*location, i * 3 + 1);
        }
        let table = writer.finish();
        let mut all = positions(&table, 1);
        for (i, location) in locations.iter().enumerate() {
            for _ in 0..i * 3 + 1 {
                assert_eq!(all.next(), Some(*location));
            }
        }
        assert_eq!(all.next(), None);
    }
}
