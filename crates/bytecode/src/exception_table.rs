//! The exception table: which handler covers which instructions.
//!
//! An entry is four numbers (start, length, target, depth and lasti flag), each in big-endian groups of six bits with
//! bit 6 as continuation mark; bit 7 marks the first byte of an entry, so that lookup can bisect. Offsets count code units.

/// A range of instructions and its handler, in code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The first covered unit.
    pub start: u32,
    /// Behind the last covered unit.
    pub end: u32,
    /// The handler.
    pub target: u32,
    /// To how many values the stack is cut.
    pub depth: u32,
    /// Whether the offset of the raising instruction is pushed below the exception.
    pub lasti: bool,
}

fn push_number(out: &mut Vec<u8>, value: u32, first: u8) {
    let groups = (32 - value.leading_zeros()).div_ceil(6).max(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x40 } else { 0 };
        let mark = if group == groups - 1 { first } else { 0 };
        out.push((value >> (6 * group)) as u8 & 0x3f | more | mark);
    }
}

/// Appends an entry.
pub fn push_entry(out: &mut Vec<u8>, entry: Entry) {
    push_number(out, entry.start, 0x80);
    push_number(out, entry.end - entry.start, 0);
    push_number(out, entry.target, 0);
    push_number(out, entry.depth << 1 | u32::from(entry.lasti), 0);
}

fn number(table: &[u8], at: &mut usize) -> Option<u32> {
    let mut value = 0u32;
    loop {
        let byte = *table.get(*at)?;
        *at += 1;
        value = value << 6 | u32::from(byte & 0x3f);
        if byte & 0x40 == 0 {
            return Some(value);
        }
    }
}

/// Reads the entry at `at` and moves behind it.
pub fn read_entry(table: &[u8], at: &mut usize) -> Option<Entry> {
    let start = number(table, at)?;
    let length = number(table, at)?;
    let target = number(table, at)?;
    let depth = number(table, at)?;
    Some(Entry { start, end: start.saturating_add(length), target, depth: depth >> 1, lasti: depth & 1 != 0 })
}

/// All entries.
pub fn entries(table: &[u8]) -> impl Iterator<Item = Entry> {
    let mut at = 0;
    std::iter::from_fn(move || read_entry(table, &mut at))
}

/// The entry that covers the unit at `offset`. Entries are sorted and do not overlap.
pub fn find(table: &[u8], offset: u32) -> Option<Entry> {
    let (mut low, mut high) = (0, table.len());
    while high - low > 32 {
        let mut middle = low + (high - low) / 2;
        while middle > low && table.get(middle).is_some_and(|byte| byte & 0x80 == 0) {
            middle -= 1;
        }
        if middle == low {
            break;
        }
        if number(table, &mut { middle })? <= offset {
            low = middle;
        } else {
            high = middle;
        }
    }
    while low < high {
        let entry = read_entry(table, &mut low)?;
        if entry.start > offset {
            return None;
        }
        if offset < entry.end {
            return Some(entry);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_written() {
        let mut table = Vec::new();
        for i in 0..200 {
            let entry =
                Entry { start: i * 70, end: i * 70 + 60, target: 100_000 + i, depth: i, lasti: i % 2 == 0 };
            push_entry(&mut table, entry);
        }
        assert_eq!(entries(&table).count(), 200);
        for i in 0..200 {
            assert_eq!(find(&table, i * 70 + 59).map(|e| e.target), Some(100_000 + i));
            assert_eq!(find(&table, i * 70 + 60), None);
        }
        assert_eq!(find(&[], 0), None);
    }
}
