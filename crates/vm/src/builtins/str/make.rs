//! Making strings from Rust text, bytes, code points and units.

use std::borrow::Cow;

use super::layout::{Kind, StrData, Unit, must, with_units};
use crate::prelude::*;

/// Copies units into a narrower or wider kind. The caller knows that they fit.
#[inline]
pub(super) fn convert_units<A: Unit, B: Unit>(from: &[A], to: &mut [B]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = B::truncate((*from).into());
    }
}

impl Str {
    /// A str of the text. Aborts when memory for it is not to be had.
    pub fn from_str(text: &str, _vm: &Vm) -> Ref<Str> {
        must(Str::decode_text(text))
    }

    /// `from_str` for text whose size the program chose: raises `MemoryError`.
    pub fn try_from_str(text: &str, vm: &Vm) -> PyResult<Ref<Str>> {
        Str::decode_text(text).ok_or_else(|| vm.memory_error())
    }

    fn decode_text(text: &str) -> Option<Ref<Str>> {
        if text.is_ascii() {
            return Str::from_exact_units(text.as_bytes(), true);
        }
        let mut len = 0;
        let mut largest = 0;
        for c in text.chars() {
            len += 1;
            largest = largest.max(c as u32);
        }
        if len == 1 && largest < 0x100 {
            return Some(Str::latin1_char(largest as u8));
        }
        // SAFETY: filled right here.
        unsafe {
            let string = Str::allocate(len, largest)?;
            fill(&string, text.chars().map(u32::from));
            Some(string)
        }
    }

    /// A str of ASCII bytes.
    #[inline]
    pub fn from_ascii(bytes: &[u8], _vm: &Vm) -> Ref<Str> {
        debug_assert!(bytes.is_ascii());
        must(Str::from_exact_units(bytes, true))
    }

    /// A str of latin-1 bytes: each byte is a character.
    #[inline]
    pub fn from_latin1(bytes: &[u8], _vm: &Vm) -> Ref<Str> {
        must(Str::from_exact_units(bytes, bytes.is_ascii()))
    }

    /// `from_latin1` that raises `MemoryError`.
    #[inline]
    pub fn try_from_latin1(bytes: &[u8], vm: &Vm) -> PyResult<Ref<Str>> {
        Str::from_exact_units(bytes, bytes.is_ascii()).ok_or_else(|| vm.memory_error())
    }

    /// A str of the text of WTF-8 bytes: UTF-8 in which surrogates may appear. Bytes that are neither become U+FFFD.
    pub fn from_wtf8(bytes: &[u8], vm: &Vm) -> Ref<Str> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Str::from_str(text, vm);
        }
        let mut codes = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            // The only sequences that UTF-8 lacks: ED A0..BF 80..BF.
            if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, tail @ ..] = rest {
                codes.push(0xD000 | (u32::from(second & 0x3F) << 6) | u32::from(third & 0x3F));
                rest = tail;
                continue;
            }
            let width = match first {
                0..0x80 => 1,
                0xC0..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            let (head, tail) = rest.split_at(width.min(rest.len()));
            match std::str::from_utf8(head).ok().and_then(|s| s.chars().next()) {
                Some(c) => {
                    codes.push(c as u32);
                    rest = tail;
                }
                None => {
                    codes.push(0xFFFD);
                    rest = rest.get(1..).unwrap_or(&[]);
                }
            }
        }
        Str::from_code_points(&codes, vm)
    }

    /// A str of code points, surrogates included.
    pub fn from_code_points(codes: &[u32], vm: &Vm) -> Ref<Str> {
        Str::from_units(codes, vm)
    }

    /// `from_code_points` that raises `MemoryError`.
    pub fn try_from_code_points(codes: &[u32], vm: &Vm) -> PyResult<Ref<Str>> {
        Str::copy_units(codes).ok_or_else(|| vm.memory_error())
    }

    /// A str of units of any width, stored in the narrowest kind that holds them.
    pub fn from_units<T: Unit>(units: &[T], _vm: &Vm) -> Ref<Str> {
        must(Str::copy_units(units))
    }

    /// A str of the characters of `data`.
    #[inline]
    pub fn from_data(data: StrData<'_>, _vm: &Vm) -> Ref<Str> {
        must(with_units!(data, units => Str::copy_units(units)))
    }

    /// `from_data` that raises `MemoryError`.
    #[inline]
    pub fn try_from_data(data: StrData<'_>, vm: &Vm) -> PyResult<Ref<Str>> {
        with_units!(data, units => Str::copy_units(units)).ok_or_else(|| vm.memory_error())
    }

    /// A str of one character.
    #[inline]
    pub fn from_char(code: u32, vm: &Vm) -> Ref<Str> {
        if code < 0x100 {
            return Str::latin1_char(code as u8);
        }
        Str::from_units(&[code], vm)
    }

    /// Copies units into the narrowest kind.
    pub(super) fn copy_units<T: Unit>(units: &[T]) -> Option<Ref<Str>> {
        if T::KIND == Kind::One {
            let ascii = !units.iter().any(|&u| u.into() >= 0x80);
            return Str::from_exact_units(units, ascii);
        }
        // An "or" of all is in the same kind as the largest, except that it may pass U+10FFFF.
        let bits = units.iter().fold(0u32, |bits, &u| bits | u.into());
        if Kind::for_char(bits) == T::KIND {
            return Str::from_exact_units(units, false);
        }
        match *units {
            [] => return Some(Str::empty()),
            [only] if only.into() < 0x100 => return Some(Str::latin1_char(only.into() as u8)),
            _ => {}
        }
        // SAFETY: filled right here, with units that fit.
        unsafe {
            let string = Str::allocate(units.len(), bits)?;
            let ptr = string.data_ptr();
            match string.kind() {
                Kind::One => convert_units(units, std::slice::from_raw_parts_mut(ptr, units.len())),
                Kind::Two => {
                    convert_units(units, std::slice::from_raw_parts_mut(ptr.cast::<u16>(), units.len()))
                }
                Kind::Four => {
                    convert_units(units, std::slice::from_raw_parts_mut(ptr.cast::<u32>(), units.len()))
                }
            }
            Some(string)
        }
    }

    /// The text as UTF-8, kept in the object. Raises `UnicodeEncodeError` when there are surrogates.
    #[inline]
    pub fn to_utf8(&self, vm: &Vm) -> PyResult<&str> {
        match self.cached_utf8() {
            Some(text) => Ok(text),
            None => self.make_utf8(vm),
        }
    }

    #[inline(never)]
    fn make_utf8(&self, vm: &Vm) -> PyResult<&str> {
        let bytes = match crate::builtins::codecs_core::utf8::encode_valid(self.data()) {
            Ok(bytes) => bytes,
            Err((start, end)) => {
                return Err(crate::builtins::codecs_core::errors::raise_encode_error(
                    "utf-8",
                    self,
                    start,
                    end,
                    "surrogates not allowed",
                    vm,
                ));
            }
        };
        self.cache_utf8(&bytes).ok_or_else(|| vm.memory_error())?;
        self.cached_utf8().ok_or_else(|| vm.memory_error())
    }

    /// The text for Rust's use; surrogates become U+FFFD.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match self.cached_utf8() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(
                self.data()
                    .iter()
                    .map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            ),
        }
    }

    /// The character at `index`.
    #[inline(always)]
    pub fn char_at(&self, index: usize) -> Option<u32> {
        self.data().get(index)
    }

    /// `to_exact` for short texts, which can't raise.
    pub fn exact(string: &Str, vm: &Vm) -> Ref<Str> {
        if string.ob.type_ptr() == Str::static_type() {
            string.into()
        } else {
            Str::from_data(string.data(), vm)
        }
    }

    /// The exact str of the same text: itself, or a copy of a subclass's instance.
    #[inline]
    pub fn to_exact(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if self.ob.type_ptr() == Str::static_type() {
            return Ok(self.into());
        }
        with_units!(self.data(), units => Str::from_exact_units(units, self.is_ascii()))
            .ok_or_else(|| vm.memory_error())
    }
}

/// Writes code points into a fresh string, as many as it has units.
///
/// # Safety
/// `string` is fresh and of a kind that holds the characters.
pub(super) unsafe fn fill(string: &Str, codes: impl Iterator<Item = u32>) {
    // SAFETY: a fresh string's units are ours to write; as many as there are.
    unsafe {
        let (ptr, len) = (string.data_ptr(), string.len());
        match string.kind() {
            Kind::One => std::slice::from_raw_parts_mut(ptr, len)
                .iter_mut()
                .zip(codes)
                .for_each(|(to, c)| *to = c as u8),
            Kind::Two => std::slice::from_raw_parts_mut(ptr.cast::<u16>(), len)
                .iter_mut()
                .zip(codes)
                .for_each(|(to, c)| *to = c as u16),
            Kind::Four => std::slice::from_raw_parts_mut(ptr.cast::<u32>(), len)
                .iter_mut()
                .zip(codes)
                .for_each(|(to, c)| *to = c),
        }
    }
}

/// Writes the characters of `data` into a fresh string from `at` on, converting to its kind.
///
/// # Safety
/// `string` is fresh, its kind is at least as wide as needed, and `at + data.len()` is within it.
#[inline]
pub(super) unsafe fn write_data(string: &Str, at: usize, data: StrData<'_>) {
    // SAFETY: the caller vouches for the room.
    unsafe {
        let ptr = string.data_ptr();
        match (string.kind(), data) {
            (Kind::One, StrData::Ucs1(units)) => {
                std::ptr::copy_nonoverlapping(units.as_ptr(), ptr.add(at), units.len());
            }
            (Kind::Two, StrData::Ucs2(units)) => {
                std::ptr::copy_nonoverlapping(units.as_ptr(), ptr.cast::<u16>().add(at), units.len());
            }
            (Kind::Four, StrData::Ucs4(units)) => {
                std::ptr::copy_nonoverlapping(units.as_ptr(), ptr.cast::<u32>().add(at), units.len());
            }
            (Kind::One, other) => with_units!(other, units => {
                convert_units(units, std::slice::from_raw_parts_mut(ptr.add(at), units.len()));
            }),
            (Kind::Two, other) => with_units!(other, units => {
                convert_units(units, std::slice::from_raw_parts_mut(ptr.cast::<u16>().add(at), units.len()));
            }),
            (Kind::Four, other) => with_units!(other, units => {
                convert_units(units, std::slice::from_raw_parts_mut(ptr.cast::<u32>().add(at), units.len()));
            }),
        }
    }
}

/// The bound of a kind that a string's characters stay below, as `PyUnicode_MAX_CHAR_VALUE` tells it.
#[inline(always)]
pub(super) fn max_char_bound(string: &Str) -> u32 {
    match string.kind() {
        Kind::One if string.is_ascii() => 0x7F,
        Kind::One => 0xFF,
        Kind::Two => 0xFFFF,
        Kind::Four => 0x10_FFFF,
    }
}
