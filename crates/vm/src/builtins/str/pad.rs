//! Adding and removing at the ends: `strip`, `center`, `ljust`, `rjust`, `zfill`, `expandtabs`.

use super::layout::{StrData, Unit};
use super::predicates::is_space;
use super::{StrBuilder, with_units};
use crate::prelude::*;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;

/// The bounds of `units` without those at the ends for which `strips` holds.
fn strip_bounds<T: Unit>(units: &[T], ends: u8, strips: impl Fn(u32) -> bool) -> (usize, usize) {
    let mut start = 0;
    let mut stop = units.len();
    if ends & LEFT != 0 {
        start = units.iter().position(|&u| !strips(u.into())).unwrap_or(stop);
    }
    if ends & RIGHT != 0 {
        stop = units.iter().rposition(|&u| !strips(u.into())).map_or(start, |last| last + 1).max(start);
    }
    (start, stop)
}

impl Str {
    fn strip_with(&self, chars: Option<&Object>, ends: u8, name: &str, vm: &Vm) -> PyResult<Ref<Str>> {
        let (start, stop) = match chars {
            Some(chars) if !vm.is_none(chars) => {
                let Some(chars) = chars.downcast_ref::<Str>() else {
                    return Err(vm.type_error(format!("{name} arg must be None or str")));
                };
                let set = chars.data();
                match set {
                    StrData::Ucs1(&[only]) => {
                        with_units!(self.data(), units => strip_bounds(units, ends, |c| c == u32::from(only)))
                    }
                    StrData::Ucs1(bytes) => {
                        with_units!(self.data(), units => strip_bounds(units, ends, |c| {
                            u8::try_from(c).is_ok_and(|c| memchr::memchr(c, bytes).is_some())
                        }))
                    }
                    _ => with_units!(self.data(), units => {
                        strip_bounds(units, ends, |c| set.iter().any(|other| other == c))
                    }),
                }
            }
            _ => with_units!(self.data(), units => strip_bounds(units, ends, is_space)),
        };
        self.slice(start, stop, vm)
    }

    /// The text with `left` and `right` fill characters around it.
    pub(super) fn padded(&self, left: usize, right: usize, fill: u32, vm: &Vm) -> PyResult<Ref<Str>> {
        if left == 0 && right == 0 {
            return self.to_exact(vm);
        }
        let total = left.checked_add(right).and_then(|n| n.checked_add(self.len()));
        if total.is_none_or(|n| n > isize::MAX as usize) {
            return Err(vm.overflow_error("padded string is too long"));
        }
        let mut out = StrBuilder::new();
        out.push_repeated(fill, left, vm)?;
        out.reserve(self.len() + right, vm)?;
        out.push(self);
        out.push_repeated(fill, right, vm)?;
        out.try_finish(vm)
    }

    fn missing(&self, width: isize) -> usize {
        usize::try_from(width).unwrap_or(0).saturating_sub(self.len())
    }
}

/// The fill character of `center` and its relatives.
fn fill_char(fill: Option<&Object>, vm: &Vm) -> PyResult<u32> {
    let Some(fill) = fill else { return Ok(u32::from(b' ')) };
    let Some(text) = fill.downcast_ref::<Str>() else {
        return Err(vm.type_error(format!(
            "The fill character must be a unicode character, not {}",
            fill.ob_type().name()
        )));
    };
    match text.char_at(0) {
        Some(code) if text.len() == 1 => Ok(code),
        _ => Err(vm.type_error("The fill character must be exactly one character long")),
    }
}

#[pymethods(table = PAD_METHODS)]
impl Str {
    /// Return the string centered in a string of length width.
    #[method("($self, width, fillchar=' ', /)")]
    fn center(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let fill = fill_char(fillchar, vm)?;
        let missing = self.missing(width);
        // An odd number of fill characters puts the spare one on the left when the width is odd too.
        let left = missing / 2 + (missing & width as usize & 1);
        self.padded(left, missing - left, fill, vm)
    }

    /// Return the string left-justified in a string of length width.
    #[method("($self, width, fillchar=' ', /)")]
    fn ljust(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let fill = fill_char(fillchar, vm)?;
        self.padded(0, self.missing(width), fill, vm)
    }

    /// Return the string right-justified in a string of length width.
    #[method("($self, width, fillchar=' ', /)")]
    fn rjust(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let fill = fill_char(fillchar, vm)?;
        self.padded(self.missing(width), 0, fill, vm)
    }

    /// Return the string filled with zeros on the left, behind a sign, to a string of length width.
    #[method("($self, width, /)")]
    fn zfill(&self, width: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        let missing = self.missing(width);
        let sign = self.char_at(0).filter(|&c| c == u32::from(b'+') || c == u32::from(b'-'));
        let Some(sign) = sign.filter(|_| missing > 0) else {
            return self.padded(missing, 0, u32::from(b'0'), vm);
        };
        let mut out = StrBuilder::new();
        out.reserve(missing.checked_add(self.len()).ok_or_else(|| vm.memory_error())?, vm)?;
        out.push_char(sign);
        out.push_repeated(u32::from(b'0'), missing, vm)?;
        out.push_data(self.data().slice(1, self.len()));
        out.try_finish(vm)
    }

    /// Return a copy in which tabs are replaced by spaces up to the next column that is a multiple of tabsize.
    #[method("($self, /, tabsize=8)")]
    fn expandtabs(&self, tabsize: Option<i32>, vm: &Vm) -> PyResult<Ref<Str>> {
        let tabsize = tabsize.unwrap_or(8).max(0) as usize;
        let data = self.data();
        if !data.iter().any(|c| c == 9) {
            return self.to_exact(vm);
        }
        // The length comes first: it may be more than memory holds.
        let (mut total, mut column) = (0usize, 0usize);
        for code in data.iter() {
            let step = match code {
                9 if tabsize == 0 => 0,
                9 => tabsize - column % tabsize,
                _ => 1,
            };
            column = if code == 10 || code == 13 { 0 } else { column + step };
            total = total
                .checked_add(step)
                .filter(|&n| n <= isize::MAX as usize)
                .ok_or_else(|| vm.overflow_error("new string is too long"))?;
        }
        let mut out = StrBuilder::new();
        out.reserve(total, vm)?;
        column = 0;
        for code in data.iter() {
            match code {
                9 if tabsize == 0 => {}
                9 => {
                    let step = tabsize - column % tabsize;
                    out.push_repeated(u32::from(b' '), step, vm)?;
                    column += step;
                }
                _ => {
                    column = if code == 10 || code == 13 { 0 } else { column + 1 };
                    out.push_char(code);
                }
            }
        }
        out.try_finish(vm)
    }

    /// Return a copy without whitespace, or the characters given, at both ends.
    #[method("($self, chars=None, /)")]
    fn strip(&self, chars: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.strip_with(chars, LEFT | RIGHT, "strip", vm)
    }

    /// Return a copy without whitespace, or the characters given, at the start.
    #[method("($self, chars=None, /)")]
    fn lstrip(&self, chars: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.strip_with(chars, LEFT, "lstrip", vm)
    }

    /// Return a copy without whitespace, or the characters given, at the end.
    #[method("($self, chars=None, /)")]
    fn rstrip(&self, chars: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.strip_with(chars, RIGHT, "rstrip", vm)
    }
}
