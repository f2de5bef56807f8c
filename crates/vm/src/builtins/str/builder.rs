//! `StrBuilder`: text under construction. It starts narrow and widens once when a wider character comes.

use smallvec::SmallVec;

use super::layout::{Kind, StrData, Unit, with_units};
use crate::prelude::*;

/// Short texts are put together without a block of their own.
type Narrow = SmallVec<[u8; 120]>;

enum Units {
    One(Narrow),
    Two(Vec<u16>),
    Four(Vec<u32>),
}

/// Collects characters and makes a str of them.
pub struct StrBuilder {
    units: Units,
    /// The str that was appended first: the result itself when nothing else follows.
    first: Option<Ref<Str>>,
}

impl Default for StrBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends bytes; `SmallVec::extend_from_slice` takes several times as long for a few.
#[inline(always)]
fn append(to: &mut Narrow, bytes: &[u8]) {
    to.reserve(bytes.len());
    let len = to.len();
    // SAFETY: there is room for the bytes behind the first `len`, and they are initialised right here.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_mut_ptr().add(len), bytes.len());
        to.set_len(len + bytes.len());
    }
}

fn widen<A: Unit, B: Unit>(from: &[A], extra: usize) -> Vec<B> {
    let mut to = Vec::with_capacity(from.len() + extra.max(16));
    to.extend(from.iter().map(|&u| B::truncate(u.into())));
    to
}

impl StrBuilder {
    /// An empty builder.
    #[inline]
    pub fn new() -> Self {
        StrBuilder { units: Units::One(Narrow::new()), first: None }
    }

    /// An empty builder with room for `capacity` narrow characters.
    #[inline]
    pub fn with_capacity(capacity: usize) -> Self {
        StrBuilder { units: Units::One(Narrow::with_capacity(capacity)), first: None }
    }

    /// Characters so far.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.units {
            Units::One(v) => v.len(),
            Units::Two(v) => v.len(),
            Units::Four(v) => v.len(),
        }
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn make_room(&mut self, kind: Kind, extra: usize) {
        self.units = match (&self.units, kind) {
            (Units::One(v), Kind::Two) => Units::Two(widen(v, extra)),
            (Units::One(v), Kind::Four) => Units::Four(widen(v, extra)),
            (Units::Two(v), Kind::Four) => Units::Four(widen(v, extra)),
            _ => return,
        };
    }

    /// Makes sure that `extra` more characters fit without another allocation. Raises `MemoryError`.
    pub fn reserve(&mut self, extra: usize, vm: &Vm) -> PyResult<()> {
        if self.try_room(extra) { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// `reserve` that only says whether there is memory.
    pub fn try_room(&mut self, extra: usize) -> bool {
        match &mut self.units {
            Units::One(v) => v.try_reserve(extra).is_ok(),
            Units::Two(v) => v.try_reserve(extra).is_ok(),
            Units::Four(v) => v.try_reserve(extra).is_ok(),
        }
    }

    /// Appends a character.
    #[inline]
    pub fn push_char(&mut self, code: u32) {
        match &mut self.units {
            Units::One(v) if code < 0x100 => v.push(code as u8),
            Units::Two(v) if code < 0x1_0000 => v.push(code as u16),
            Units::Four(v) => v.push(code),
            _ => {
                self.make_room(Kind::for_char(code), 1);
                self.push_char(code);
            }
        }
    }

    /// Appends a text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        if text.is_ascii() {
            self.push_ascii(text.as_bytes());
        } else {
            text.chars().for_each(|c| self.push_char(c as u32));
        }
    }

    /// Appends ASCII (or latin-1) bytes.
    #[inline]
    pub fn push_ascii(&mut self, bytes: &[u8]) {
        match &mut self.units {
            Units::One(v) => append(v, bytes),
            Units::Two(v) => v.extend(bytes.iter().map(|&b| u16::from(b))),
            Units::Four(v) => v.extend(bytes.iter().map(|&b| u32::from(b))),
        }
    }

    /// Appends a str.
    #[inline]
    pub fn push(&mut self, string: &Str) {
        if self.is_empty() && std::ptr::eq(string.as_object().ob_type(), Str::TYPE_PTR) {
            self.first = Some(string.into());
        }
        self.push_data(string.data());
    }

    /// Appends characters.
    pub fn push_data(&mut self, data: StrData<'_>) {
        match (&mut self.units, data) {
            (Units::One(v), StrData::Ucs1(units)) => append(v, units),
            (Units::Two(v), StrData::Ucs2(units)) => v.extend_from_slice(units),
            (Units::Four(v), StrData::Ucs4(units)) => v.extend_from_slice(units),
            (Units::Two(v), StrData::Ucs1(units)) => v.extend(units.iter().map(|&u| u16::from(u))),
            (Units::Four(v), StrData::Ucs1(units)) => v.extend(units.iter().map(|&u| u32::from(u))),
            (Units::Four(v), StrData::Ucs2(units)) => v.extend(units.iter().map(|&u| u32::from(u))),
            (_, wider) => {
                // A slice of a wide string may hold narrow characters only.
                let largest = wider.max_char();
                if Kind::for_char(largest) == wider.kind() {
                    self.make_room(wider.kind(), wider.len());
                    self.push_data(wider);
                } else {
                    wider.iter().for_each(|c| self.push_char(c));
                }
            }
        }
    }

    /// Appends a character `count` times. Raises `MemoryError` when there is no room.
    pub fn push_repeated(&mut self, code: u32, count: usize, vm: &Vm) -> PyResult<()> {
        if count == 0 {
            return Ok(());
        }
        self.make_room(Kind::for_char(code), 0);
        self.reserve(count, vm)?;
        self.fill(code, count);
        Ok(())
    }

    /// `push_repeated` for counts that there is room for.
    pub(super) fn fill(&mut self, code: u32, count: usize) {
        if count == 0 {
            return;
        }
        self.make_room(Kind::for_char(code), count);
        match &mut self.units {
            Units::One(v) => {
                v.reserve(count);
                let len = v.len();
                // SAFETY: there is room for `count` bytes behind the first `len`, and they are initialised right here.
                unsafe {
                    v.as_mut_ptr().add(len).write_bytes(code as u8, count);
                    v.set_len(len + count);
                }
            }
            Units::Two(v) => v.resize(v.len() + count, code as u16),
            Units::Four(v) => v.resize(v.len() + count, code),
        }
    }

    /// Appends a number in decimal notation.
    pub fn push_decimal(&mut self, value: i64) {
        let mut digits = [0; 20];
        let mut used = 0;
        let mut rest = value.unsigned_abs();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.push_char(u32::from(b'-'));
        }
        self.push_ascii(digits.get(digits.len() - used..).unwrap_or_default());
    }

    /// The characters so far.
    pub fn data(&self) -> StrData<'_> {
        match &self.units {
            Units::One(v) => StrData::Ucs1(v),
            Units::Two(v) => StrData::Ucs2(v),
            Units::Four(v) => StrData::Ucs4(v),
        }
    }

    /// Cuts to the first `len` characters.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.units {
            Units::One(v) => v.truncate(len),
            Units::Two(v) => v.truncate(len),
            Units::Four(v) => v.truncate(len),
        }
    }

    /// The str of what was pushed.
    #[inline]
    pub fn finish(self, vm: &Vm) -> Ref<Str> {
        if let Some(first) = self.first.as_ref().filter(|first| first.len() == self.len()) {
            return first.clone();
        }
        Str::from_data(self.data(), vm)
    }

    /// `finish` that raises `MemoryError`.
    #[inline]
    pub fn try_finish(self, vm: &Vm) -> PyResult<Ref<Str>> {
        if let Some(first) = self.first.as_ref().filter(|first| first.len() == self.len()) {
            return Ok(first.clone());
        }
        with_units!(self.data(), units => Str::copy_units(units)).ok_or_else(|| vm.memory_error())
    }
}

impl std::fmt::Write for StrBuilder {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push_str(text);
        Ok(())
    }
}
