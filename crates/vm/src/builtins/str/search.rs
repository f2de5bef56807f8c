//! Searching in text: substrings and single characters, in any pair of unit widths.
//!
//! Both sides are brought to the width of the haystack; a needle with a character too wide for it can't occur. The
//! search itself runs over bytes (`memchr`, `memmem`), with hits that aren't on a unit's border skipped.

use memchr::memmem;

use super::layout::{Kind, StrData, Unit};
use crate::prelude::*;

/// Units as bytes in memory.
#[inline(always)]
pub(super) fn raw<T: Unit>(units: &[T]) -> &[u8] {
    // SAFETY: integers may be viewed as bytes.
    unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
}

/// Runs generic code on a haystack and a needle of the same width; `else` when the needle can't occur.
macro_rules! with_needle {
    ($hay:expr, $needle:expr, |$h:ident, $n:ident| $body:expr, else $none:expr) => {{
        use $crate::builtins::str::StrData::{Ucs1, Ucs2, Ucs4};
        match ($hay, $needle) {
            (Ucs1($h), Ucs1($n)) => $body,
            (Ucs2($h), Ucs2($n)) => $body,
            (Ucs4($h), Ucs4($n)) => $body,
            (Ucs2($h), Ucs1(narrow)) => {
                let wide: Vec<u16> = narrow.iter().map(|&u| u16::from(u)).collect();
                let $n = wide.as_slice();
                $body
            }
            (Ucs4($h), Ucs1(narrow)) => {
                let wide: Vec<u32> = narrow.iter().map(|&u| u32::from(u)).collect();
                let $n = wide.as_slice();
                $body
            }
            (Ucs4($h), Ucs2(narrow)) => {
                let wide: Vec<u32> = narrow.iter().map(|&u| u32::from(u)).collect();
                let $n = wide.as_slice();
                $body
            }
            _ => $none,
        }
    }};
}
pub(crate) use with_needle;

/// The first position of one unit.
#[inline]
pub(super) fn find_unit<T: Unit>(hay: &[T], unit: T) -> Option<usize> {
    if T::KIND == Kind::One {
        return memchr::memchr(unit.into() as u8, raw(hay));
    }
    hay.iter().position(|&u| u == unit)
}

/// The last position of one unit.
#[inline]
pub(super) fn rfind_unit<T: Unit>(hay: &[T], unit: T) -> Option<usize> {
    if T::KIND == Kind::One {
        return memchr::memrchr(unit.into() as u8, raw(hay));
    }
    hay.iter().rposition(|&u| u == unit)
}

/// A needle prepared for many searches in haystacks of its width.
pub(super) struct Finder<'n, T: Unit> {
    needle: &'n [T],
    finder: Option<memmem::Finder<'n>>,
}

impl<'n, T: Unit> Finder<'n, T> {
    /// Prepares a needle, which is not empty.
    #[inline]
    pub(super) fn new(needle: &'n [T]) -> Self {
        let finder = if needle.len() == 1 { None } else { Some(memmem::Finder::new(raw(needle))) };
        Finder { needle, finder }
    }

    /// The first position at or after `from`.
    #[inline]
    pub(super) fn find(&self, hay: &[T], from: usize) -> Option<usize> {
        let tail = hay.get(from..)?;
        let Some(finder) = &self.finder else {
            return self.needle.first().and_then(|&unit| find_unit(tail, unit)).map(|at| at + from);
        };
        let bytes = raw(tail);
        let width = T::KIND.width();
        let mut start = 0;
        loop {
            let at = start + finder.find(bytes.get(start..)?)?;
            if at % width == 0 {
                return Some(from + at / width);
            }
            start = at + 1;
        }
    }

    /// The last position that ends at or before `to`.
    #[inline]
    pub(super) fn rfind(&self, hay: &[T], to: usize) -> Option<usize> {
        let head = hay.get(..to)?;
        let Some(_) = &self.finder else {
            return self.needle.first().and_then(|&unit| rfind_unit(head, unit));
        };
        let bytes = raw(head);
        let needle = raw(self.needle);
        let finder = memmem::FinderRev::new(needle);
        let width = T::KIND.width();
        let mut end = bytes.len();
        loop {
            let at = finder.rfind(bytes.get(..end)?)?;
            if at % width == 0 {
                return Some(at / width);
            }
            end = at + needle.len() - 1;
        }
    }
}

/// The first position of `needle` in `hay`.
#[inline]
pub fn find_units<T: Unit>(hay: &[T], needle: &[T]) -> Option<usize> {
    match *needle {
        [] => Some(0),
        [unit] => find_unit(hay, unit),
        [first, ..] if hay.len() <= 64 => {
            // Setting up the fast searcher costs more than a short haystack.
            let last = hay.len().checked_sub(needle.len())?;
            (0..=last)
                .find(|&at| hay.get(at) == Some(&first) && hay.get(at..at + needle.len()) == Some(needle))
        }
        _ if needle.len() > hay.len() => None,
        _ => Finder::new(needle).find(hay, 0),
    }
}

/// The last position of `needle` in `hay`.
#[inline]
pub fn rfind_units<T: Unit>(hay: &[T], needle: &[T]) -> Option<usize> {
    match *needle {
        [] => Some(hay.len()),
        [unit] => rfind_unit(hay, unit),
        _ if needle.len() > hay.len() => None,
        _ => Finder::new(needle).rfind(hay, hay.len()),
    }
}

/// How often `needle` occurs in `hay` without overlap, at most `limit` times.
pub fn count_units<T: Unit>(hay: &[T], needle: &[T], limit: usize) -> usize {
    match *needle {
        [] => (hay.len() + 1).min(limit),
        [unit] if T::KIND == Kind::One => {
            let hits = memchr::memchr_iter(unit.into() as u8, raw(hay));
            if limit == usize::MAX { hits.count() } else { hits.take(limit).count() }
        }
        [unit] => hay.iter().filter(|&&u| u == unit).take(limit).count(),
        _ if needle.len() > hay.len() => 0,
        _ => {
            let finder = Finder::new(needle);
            let (mut count, mut from) = (0, 0);
            while count < limit {
                let Some(at) = finder.find(hay, from) else { break };
                count += 1;
                from = at + needle.len();
            }
            count
        }
    }
}

/// The first position of `needle` in `hay`.
#[inline]
pub fn find(hay: StrData<'_>, needle: StrData<'_>) -> Option<usize> {
    with_needle!(hay, needle, |h, n| find_units(h, n), else None)
}

/// The last position of `needle` in `hay`.
#[inline]
pub fn rfind(hay: StrData<'_>, needle: StrData<'_>) -> Option<usize> {
    with_needle!(hay, needle, |h, n| rfind_units(h, n), else None)
}

/// How often `needle` occurs in `hay` without overlap.
#[inline]
pub fn count(hay: StrData<'_>, needle: StrData<'_>) -> usize {
    with_needle!(hay, needle, |h, n| count_units(h, n, usize::MAX), else 0)
}

/// Whether `hay` begins with `prefix`.
#[inline]
pub fn starts_with(hay: StrData<'_>, prefix: StrData<'_>) -> bool {
    if prefix.len() > hay.len() {
        return false;
    }
    match (hay, prefix) {
        (StrData::Ucs1(h), StrData::Ucs1(p)) => h.starts_with(p),
        (StrData::Ucs2(h), StrData::Ucs2(p)) => h.starts_with(p),
        (StrData::Ucs4(h), StrData::Ucs4(p)) => h.starts_with(p),
        _ => hay.iter().zip(prefix.iter()).all(|(a, b)| a == b),
    }
}

/// Whether `hay` ends with `suffix`.
#[inline]
pub fn ends_with(hay: StrData<'_>, suffix: StrData<'_>) -> bool {
    let Some(start) = hay.len().checked_sub(suffix.len()) else { return false };
    starts_with(hay.slice(start, hay.len()), suffix)
}

impl Str {
    /// The first position of `needle` that lies within `start..stop`.
    pub fn position(&self, needle: &Str, start: usize, stop: usize) -> Option<usize> {
        if start > stop.min(self.len()) {
            return None;
        }
        find(self.data().slice(start, stop), needle.data()).map(|at| at + start)
    }

    /// The last position of `needle` that lies within `start..stop`.
    pub fn last_position(&self, needle: &Str, start: usize, stop: usize) -> Option<usize> {
        if start > stop.min(self.len()) {
            return None;
        }
        rfind(self.data().slice(start, stop), needle.data()).map(|at| at + start)
    }

    /// Whether `needle` occurs.
    #[inline]
    pub fn contains_str(&self, needle: &Str) -> bool {
        find(self.data(), needle.data()).is_some()
    }
}
