//! The location table of a code object (`co_linetable`): which source range each instruction comes from (PEP 626, PEP 657).
//!
//! An entry is a byte `1cccclll` (kind, length in code units less one) and what the kind asks for: small deltas, or
//! variable-length numbers of six bits a byte, lowest first.

/// Where a run of code units comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// First code unit.
    pub start: usize,
    /// Behind the last code unit.
    pub end: usize,
    /// The line, if there is one.
    pub line: Option<i32>,
    /// The last line.
    pub end_line: Option<i32>,
    /// The column in bytes.
    pub column: Option<i32>,
    /// Behind the last column, in bytes.
    pub end_column: Option<i32>,
}

/// Walks over the entries of a table.
pub struct Locations<'a> {
    table: &'a [u8],
    at: usize,
    line: i32,
    unit: usize,
}

impl<'a> Locations<'a> {
    /// Starts at the first entry; `first_line` is `co_firstlineno`.
    pub fn new(table: &'a [u8], first_line: i32) -> Self {
        Locations { table, at: 0, line: first_line, unit: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.table.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            value |= u32::from(byte & 63).checked_shl(shift).unwrap_or(0);
            shift += 6;
            if byte & 64 == 0 {
                return Some(value);
            }
        }
    }

    fn signed_varint(&mut self) -> Option<i32> {
        let value = self.varint()?;
        let size = (value >> 1) as i32;
        Some(if value & 1 != 0 { size.wrapping_neg() } else { size })
    }
}

impl Iterator for Locations<'_> {
    type Item = Location;

    fn next(&mut self) -> Option<Location> {
        let first = self.byte()?;
        let kind = (first >> 3) & 15;
        let start = self.unit;
        let end = start + usize::from(first & 7) + 1;
        self.unit = end;
        let mut found =
            Location { start, end, line: None, end_line: None, column: None, end_column: None };
        match kind {
            15 => return Some(found),
            14 => {
                self.line = self.line.wrapping_add(self.signed_varint()?);
                found.end_line = Some(self.line.wrapping_add(self.varint()? as i32));
                // Columns are stored plus one; zero means unknown.
                found.column = i32::try_from(self.varint()?).ok().and_then(|c| (c > 0).then(|| c - 1));
                found.end_column = i32::try_from(self.varint()?).ok().and_then(|c| (c > 0).then(|| c - 1));
            }
            13 => {
                self.line = self.line.wrapping_add(self.signed_varint()?);
                found.end_line = Some(self.line);
            }
            10..=12 => {
                self.line = self.line.wrapping_add(i32::from(kind) - 10);
                found.end_line = Some(self.line);
                found.column = Some(i32::from(self.byte()?));
                found.end_column = Some(i32::from(self.byte()?));
            }
            _ => {
                let second = self.byte()?;
                let column = (i32::from(kind) << 3) | i32::from(second >> 4);
                found.end_line = Some(self.line);
                found.column = Some(column);
                found.end_column = Some(column + i32::from(second & 15));
            }
        }
        found.line = Some(self.line);
        Some(found)
    }
}

/// The location of one code unit.
pub fn find(table: &[u8], first_line: i32, unit: usize) -> Option<Location> {
    Locations::new(table, first_line).find(|location| location.start <= unit && unit < location.end)
}
