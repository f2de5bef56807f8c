//! What operators do with strings: comparing, joining two, repeating, taking parts.

use std::cmp::Ordering;

use super::layout::{StrData, Unit, with_units};
use super::make::{max_char_bound, write_data};
use crate::builtins::bytes::slicing::SliceRange;
use crate::prelude::*;

fn compare_units<A: Unit, B: Unit>(a: &[A], b: &[B]) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let (x, y): (u32, u32) = ((*x).into(), (*y).into());
        match x.cmp(&y) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    a.len().cmp(&b.len())
}

impl Str {
    /// Whether the texts are the same.
    #[inline]
    pub fn equal(a: &Str, b: &Str) -> bool {
        if std::ptr::eq(a, b) {
            return true;
        }
        if a.len() != b.len() || a.kind() != b.kind() {
            return false;
        }
        a.data().raw_bytes() == b.data().raw_bytes()
    }

    /// Whether the text is `text`.
    #[inline]
    pub fn eq_str(&self, text: &str) -> bool {
        match self.ascii_bytes() {
            Some(bytes) => bytes == text.as_bytes(),
            None => !text.is_ascii() && self.data().iter().eq(text.chars().map(u32::from)),
        }
    }

    /// Compares by code points.
    pub fn compare(a: &Str, b: &Str) -> Ordering {
        match (a.data(), b.data()) {
            (StrData::Ucs1(x), StrData::Ucs1(y)) => x.cmp(y),
            (StrData::Ucs2(x), StrData::Ucs2(y)) => x.cmp(y),
            (StrData::Ucs4(x), StrData::Ucs4(y)) => x.cmp(y),
            (x, y) => with_units!(x, x => with_units!(y, y => compare_units(x, y))),
        }
    }

    /// `self + other`.
    #[inline]
    pub fn concat(&self, other: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if other.is_empty() {
            return self.to_exact(vm);
        }
        if self.is_empty() {
            return other.to_exact(vm);
        }
        let Some(len) = self.len().checked_add(other.len()).filter(|&n| n <= isize::MAX as usize) else {
            return Err(vm.overflow_error("strings are too large to concat"));
        };
        let bound = max_char_bound(self).max(max_char_bound(other));
        // SAFETY: filled right here.
        unsafe {
            let result = Str::try_allocate(len, bound, vm)?;
            write_data(&result, 0, self.data());
            write_data(&result, self.len(), other.data());
            Ok(result)
        }
    }

    /// `left + right` that reuses `left`'s memory when nobody else refers to it: what makes `s += t` in a loop linear.
    pub fn append(left: Ref<Str>, right: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if right.is_empty() && left.ob.type_ptr() == Str::static_type() {
            return Ok(left);
        }
        if !left.is_growable() || std::ptr::eq(&raw const *left, right) || left.is_empty() {
            return left.concat(right, vm);
        }
        if max_char_bound(right) > max_char_bound(&left) {
            return left.concat(right, vm);
        }
        let at = left.len();
        // SAFETY: `left` is the only reference to a growable str; the new units are filled right here.
        unsafe {
            match Str::grow(left, right.len()) {
                Ok(grown) => {
                    write_data(&grown, at, right.data());
                    Ok(grown)
                }
                Err(_) => Err(vm.memory_error()),
            }
        }
    }

    /// `self[start:stop]` with bounds that are cut at the end.
    #[inline]
    pub fn slice(&self, start: usize, stop: usize, vm: &Vm) -> PyResult<Ref<Str>> {
        let stop = stop.min(self.len());
        if start == 0 && stop == self.len() {
            return self.to_exact(vm);
        }
        let part = self.data().slice(start, stop);
        if self.is_ascii() {
            if let StrData::Ucs1(bytes) = part {
                return Str::from_exact_units(bytes, true).ok_or_else(|| vm.memory_error());
            }
        }
        Str::try_from_data(part, vm)
    }

    /// The characters of an extended slice.
    pub(super) fn extended_slice(&self, range: SliceRange, vm: &Vm) -> PyResult<Ref<Str>> {
        if range.step == 1 {
            return self.slice(range.start as usize, range.start as usize + range.count, vm);
        }
        if range.count == 0 {
            return Ok(Str::empty());
        }
        fn pick<T: Unit>(units: &[T], range: SliceRange, vm: &Vm) -> PyResult<Ref<Str>> {
            let mut picked: Vec<T> = Vec::new();
            picked.try_reserve_exact(range.count).map_err(|_| vm.memory_error())?;
            picked.extend(range.indices().filter_map(|i| units.get(i).copied()));
            Str::copy_units(&picked).ok_or_else(|| vm.memory_error())
        }
        with_units!(self.data(), units => pick(units, range, vm))
    }

    /// `self * count`.
    pub fn repeat(&self, count: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        if count <= 0 || self.is_empty() {
            return Ok(Str::empty());
        }
        if count == 1 {
            return self.to_exact(vm);
        }
        let count = count as usize;
        let Some(len) = self.len().checked_mul(count).filter(|&n| n <= isize::MAX as usize) else {
            return Err(vm.overflow_error("repeated string is too long"));
        };
        // SAFETY: filled right here.
        unsafe {
            let result = Str::try_allocate(len, max_char_bound(self), vm)?;
            let source = self.data().raw_bytes();
            repeat_bytes(result.data_ptr(), source, count);
            Ok(result)
        }
    }

    /// The character at `index` as a str.
    #[inline]
    pub fn item(&self, index: usize, vm: &Vm) -> Option<Ref<Str>> {
        self.char_at(index).map(|code| Str::from_char(code, vm))
    }
}

/// Writes `source` `count` times, doubling what is there.
///
/// # Safety
/// `target` has room for all of it.
pub(crate) unsafe fn repeat_bytes(target: *mut u8, source: &[u8], count: usize) {
    // SAFETY: all copies stay within `source.len() * count` bytes.
    unsafe {
        if let [byte] = *source {
            std::ptr::write_bytes(target, byte, count);
            return;
        }
        std::ptr::copy_nonoverlapping(source.as_ptr(), target, source.len());
        let total = source.len() * count;
        let mut done = source.len();
        while done < total {
            let step = done.min(total - done);
            std::ptr::copy_nonoverlapping(target, target.add(done), step);
            done += step;
        }
    }
}
