//! The memory of a str (PEP 393): one of four forms, each read by compiled extensions in place.
//!
//! - compact ASCII: the data follows the 40-byte head;
//! - compact: the data follows a 56-byte head that also caches the UTF-8 form;
//! - not compact (instances of subclasses): the 64-byte head points to a separate buffer.
//!
//! Units are one, two or four bytes wide, the smallest width that holds the largest character, and one NUL unit
//! follows the last. Equality and hashing rely on that.
#![allow(
    clippy::indexing_slicing,
    reason = "table positions are bounded by the constant sizes of the tables"
)]

use std::cell::Cell;
use std::mem::{offset_of, size_of};

use crate::prelude::*;
use crate::runtime::make::out_of_memory;
use taipan_object::{alloc, gc};

/// `PyASCIIObject`: the head that all forms share.
#[repr(C)]
pub struct Str {
    /// The object header.
    pub ob: Object,
    length: Cell<isize>,
    hash: Cell<isize>,
    state: Cell<u32>,
    pad: Cell<u32>,
}

/// `PyCompactUnicodeObject`.
#[repr(C)]
struct CompactHead {
    head: Str,
    utf8_length: Cell<isize>,
    utf8: Cell<*mut u8>,
}

/// `PyUnicodeObject`.
#[repr(C)]
pub(super) struct FullHead {
    base: CompactHead,
    data: Cell<*mut u8>,
}

const _: () = assert!(size_of::<Str>() == 40 && offset_of!(Str, state) == 32);
const _: () = assert!(size_of::<CompactHead>() == 56 && size_of::<FullHead>() == 64);

/// `sizeof(PyUnicodeObject)`: `str.__basicsize__`.
pub const BASIC_SIZE: usize = size_of::<FullHead>();
const ASCII_HEAD: usize = size_of::<Str>();
const COMPACT_HEAD: usize = size_of::<CompactHead>();

const INTERNED_MASK: u32 = 3;
const KIND_SHIFT: u32 = 2;
const COMPACT: u32 = 1 << 5;
const ASCII: u32 = 1 << 6;
const STATIC: u32 = 1 << 7;
const STATE_MASK: u32 = 0xFF;

/// What the head of a str in another process's memory tells.
pub mod remote_text {
    use std::mem::offset_of;

    use super::{ASCII, ASCII_HEAD, COMPACT, COMPACT_HEAD, FullHead, KIND_SHIFT, Str};
    use crate::runtime::remote::memory::{half, word};

    /// Where the address of the data lies when they don't follow the head.
    pub const DATA_OFFSET: usize = offset_of!(FullHead, data);

    /// The form of a str.
    pub struct Head {
        /// The number of characters.
        pub length: usize,
        /// The bytes of each.
        pub width: usize,
        /// Where the data follow the head, if they do.
        pub data_offset: Option<usize>,
    }

    impl Head {
        /// Understands a head; `None` when it can't be one.
        pub fn read(bytes: &[u8]) -> Option<Head> {
            let length = word(bytes, offset_of!(Str, length))?;
            let bits = half(bytes, offset_of!(Str, state))?;
            let width = match bits >> KIND_SHIFT & 7 {
                kind @ (1 | 2 | 4) => kind as usize,
                _ => return None,
            };
            let data_offset = match (bits & COMPACT != 0, bits & ASCII != 0) {
                (true, true) => Some(ASCII_HEAD),
                (true, false) => Some(COMPACT_HEAD),
                _ => None,
            };
            Some(Head { length, width, data_offset })
        }
    }
}

/// How a str is interned: the two low bits of the state word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Interned {
    /// Not in the table.
    No = 0,
    /// In the table until it dies.
    Mortal = 1,
    /// In the table for good.
    Immortal = 2,
    /// A static string, which needs no table.
    Static = 3,
}

/// The width of a str's units in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Up to U+00FF.
    One = 1,
    /// Up to U+FFFF.
    Two = 2,
    /// Up to U+10FFFF.
    Four = 4,
}

impl Kind {
    /// The narrowest kind that holds `largest`.
    #[inline(always)]
    pub fn for_char(largest: u32) -> Kind {
        if largest < 0x100 {
            Kind::One
        } else if largest < 0x1_0000 {
            Kind::Two
        } else {
            Kind::Four
        }
    }

    /// Bytes a unit.
    #[inline(always)]
    pub fn width(self) -> usize {
        self as usize
    }
}

/// The characters of a str.
#[derive(Debug, Clone, Copy)]
pub enum StrData<'a> {
    /// U+0000..U+00FF.
    Ucs1(&'a [u8]),
    /// At least one character above U+00FF, none above U+FFFF.
    Ucs2(&'a [u16]),
    /// At least one character above U+FFFF.
    Ucs4(&'a [u32]),
}

/// Runs the same generic code on whichever slice a [`StrData`] holds.
macro_rules! with_units {
    ($data:expr, $units:ident => $body:expr) => {
        match $data {
            $crate::builtins::str::StrData::Ucs1($units) => $body,
            $crate::builtins::str::StrData::Ucs2($units) => $body,
            $crate::builtins::str::StrData::Ucs4($units) => $body,
        }
    };
}
pub(crate) use with_units;

/// A unit of one of the three widths.
pub trait Unit: Copy + Eq + Ord + Default + Into<u32> + 'static {
    /// The kind of a str of such units.
    const KIND: Kind;
    /// The low bits of a code point, which the caller knows to fit.
    fn truncate(code: u32) -> Self;
    /// Views the units as a [`StrData`].
    fn wrap(units: &[Self]) -> StrData<'_>;
}

impl Unit for u8 {
    const KIND: Kind = Kind::One;
    #[inline(always)]
    fn truncate(code: u32) -> u8 {
        code as u8
    }
    #[inline(always)]
    fn wrap(units: &[u8]) -> StrData<'_> {
        StrData::Ucs1(units)
    }
}

impl Unit for u16 {
    const KIND: Kind = Kind::Two;
    #[inline(always)]
    fn truncate(code: u32) -> u16 {
        code as u16
    }
    #[inline(always)]
    fn wrap(units: &[u16]) -> StrData<'_> {
        StrData::Ucs2(units)
    }
}

impl Unit for u32 {
    const KIND: Kind = Kind::Four;
    #[inline(always)]
    fn truncate(code: u32) -> u32 {
        code
    }
    #[inline(always)]
    fn wrap(units: &[u32]) -> StrData<'_> {
        StrData::Ucs4(units)
    }
}

impl<'a> StrData<'a> {
    /// The number of characters.
    #[inline(always)]
    pub fn len(self) -> usize {
        with_units!(self, units => units.len())
    }

    /// Whether there is no character.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The kind of the units.
    #[inline(always)]
    pub fn kind(self) -> Kind {
        match self {
            StrData::Ucs1(_) => Kind::One,
            StrData::Ucs2(_) => Kind::Two,
            StrData::Ucs4(_) => Kind::Four,
        }
    }

    /// The character at `index`.
    #[inline(always)]
    pub fn get(self, index: usize) -> Option<u32> {
        match self {
            StrData::Ucs1(units) => units.get(index).map(|&u| u.into()),
            StrData::Ucs2(units) => units.get(index).map(|&u| u.into()),
            StrData::Ucs4(units) => units.get(index).copied(),
        }
    }

    /// The characters from `start` up to `stop`; bounds beyond the end are cut.
    #[inline]
    pub fn slice(self, start: usize, stop: usize) -> StrData<'a> {
        fn cut<T>(units: &[T], start: usize, stop: usize) -> &[T] {
            let stop = stop.min(units.len());
            units.get(start.min(stop)..stop).unwrap_or(&[])
        }
        match self {
            StrData::Ucs1(units) => StrData::Ucs1(cut(units, start, stop)),
            StrData::Ucs2(units) => StrData::Ucs2(cut(units, start, stop)),
            StrData::Ucs4(units) => StrData::Ucs4(cut(units, start, stop)),
        }
    }

    /// The code points one after the other.
    #[inline]
    pub fn iter(self) -> CodePoints<'a> {
        CodePoints { data: self, front: 0, back: self.len() }
    }

    /// The units as bytes in memory order, which is what is hashed.
    pub fn raw_bytes(self) -> &'a [u8] {
        fn view<T>(units: &[T]) -> &[u8] {
            // SAFETY: integers may be viewed as bytes.
            unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
        }
        match self {
            StrData::Ucs1(units) => units,
            StrData::Ucs2(units) => view(units),
            StrData::Ucs4(units) => view(units),
        }
    }

    /// The largest character (0 when empty).
    pub fn max_char(self) -> u32 {
        with_units!(self, units => units.iter().copied().max().map_or(0, Into::into))
    }
}

/// Iterator over code points.
#[derive(Clone)]
pub struct CodePoints<'a> {
    data: StrData<'a>,
    front: usize,
    back: usize,
}

impl Iterator for CodePoints<'_> {
    type Item = u32;
    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.front >= self.back {
            return None;
        }
        let code = self.data.get(self.front);
        self.front += 1;
        code
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back - self.front;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for CodePoints<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        if self.front >= self.back {
            return None;
        }
        self.back -= 1;
        self.data.get(self.back)
    }
}

unsafe extern "C" {
    static PyUnicode_Type: Type;
}

impl Str {
    const fn static_head(length: isize, state: u32) -> Str {
        Str {
            ob: Object::immortal_static(&raw const PyUnicode_Type),
            length: Cell::new(length),
            hash: Cell::new(-1),
            state: Cell::new(state | STATIC | COMPACT | (1 << KIND_SHIFT) | Interned::Static as u32),
            pad: Cell::new(0),
        }
    }

    #[inline(always)]
    fn bits(&self) -> u32 {
        self.state.get() & STATE_MASK
    }

    #[inline(always)]
    fn compact_head(&self) -> &CompactHead {
        // SAFETY: called only for forms whose head is at least a `CompactHead`.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    #[inline(always)]
    fn full_head(&self) -> &FullHead {
        // SAFETY: called only for strings that are not compact, which have the full head.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    /// The number of characters.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length.get() as usize
    }

    /// Whether the str is empty.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length.get() == 0
    }

    /// Whether all characters are ASCII.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.bits() & ASCII != 0
    }

    /// The width of the units.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        match (self.bits() >> KIND_SHIFT) & 7 {
            1 => Kind::One,
            2 => Kind::Two,
            _ => Kind::Four,
        }
    }

    /// The first unit, writable only by who has just made the string.
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        let bits = self.bits();
        if bits & (COMPACT | ASCII) == COMPACT | ASCII {
            // SAFETY: the data follows the head in the same allocation.
            unsafe { std::ptr::from_ref(self).cast_mut().cast::<u8>().add(ASCII_HEAD) }
        } else if bits & COMPACT != 0 {
            // SAFETY: as above.
            unsafe { std::ptr::from_ref(self).cast_mut().cast::<u8>().add(COMPACT_HEAD) }
        } else {
            self.full_head().data.get()
        }
    }

    /// The characters.
    #[inline(always)]
    pub fn data(&self) -> StrData<'_> {
        let ptr = self.data_ptr();
        let len = self.len();
        // SAFETY: the form says how wide the `len` units are that `ptr` points to; strings don't change once shared.
        unsafe {
            match self.kind() {
                Kind::One => StrData::Ucs1(std::slice::from_raw_parts(ptr, len)),
                Kind::Two => StrData::Ucs2(std::slice::from_raw_parts(ptr.cast(), len)),
                Kind::Four => StrData::Ucs4(std::slice::from_raw_parts(ptr.cast(), len)),
            }
        }
    }

    /// The bytes of an ASCII str.
    #[inline(always)]
    pub fn ascii_bytes(&self) -> Option<&[u8]> {
        // SAFETY: an ASCII str has `len` one-byte units.
        if self.is_ascii() {
            Some(unsafe { std::slice::from_raw_parts(self.data_ptr(), self.len()) })
        } else {
            None
        }
    }

    /// The text of an ASCII str.
    #[inline(always)]
    pub fn as_ascii_str(&self) -> Option<&str> {
        // SAFETY: ASCII is UTF-8.
        self.ascii_bytes().map(|bytes| unsafe { std::str::from_utf8_unchecked(bytes) })
    }

    /// The cached hash, or -1.
    #[inline(always)]
    pub fn cached_hash(&self) -> isize {
        self.hash.get()
    }

    /// Stores the hash.
    #[inline(always)]
    pub(super) fn set_cached_hash(&self, hash: isize) {
        self.hash.set(hash);
    }

    /// How the str is interned.
    #[inline(always)]
    pub fn interned(&self) -> Interned {
        match self.state.get() & INTERNED_MASK {
            0 => Interned::No,
            1 => Interned::Mortal,
            2 => Interned::Immortal,
            _ => Interned::Static,
        }
    }

    /// Whether the str is the one of its text that identity tests may rely on.
    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.state.get() & INTERNED_MASK != 0
    }

    pub(super) fn set_interned(&self, interned: Interned) {
        self.state.set(self.state.get() & !INTERNED_MASK | interned as u32);
    }

    /// The cached UTF-8 form, when it was made (or when the str is ASCII).
    #[inline]
    pub fn cached_utf8(&self) -> Option<&str> {
        if let Some(text) = self.as_ascii_str() {
            return Some(text);
        }
        let head = self.compact_head();
        let ptr = head.utf8.get();
        if ptr.is_null() {
            return None;
        }
        // SAFETY: the cache holds valid UTF-8 of that length and is never changed while the str lives.
        unsafe {
            Some(std::str::from_utf8_unchecked(std::slice::from_raw_parts(
                ptr,
                head.utf8_length.get() as usize,
            )))
        }
    }

    /// Keeps the UTF-8 form of a str that is not ASCII, followed by a NUL. `None` when there is no memory.
    pub(super) fn cache_utf8(&self, text: &[u8]) -> Option<()> {
        let block = alloc::raw_malloc(text.len().checked_add(1)?);
        if block.is_null() {
            return None;
        }
        // SAFETY: the block has room for the text and the NUL.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
            block.add(text.len()).write(0);
        }
        let head = self.compact_head();
        head.utf8_length.set(text.len() as isize);
        head.utf8.set(block);
        Some(())
    }

    /// A new str of `len` units for characters up to `max_char`, not yet filled except for the closing NUL. `None`
    /// when there is no memory for it. `len` is not 0.
    ///
    /// # Safety
    /// The caller fills the units, with characters that need that kind, before anybody else sees the string.
    #[inline]
    pub unsafe fn allocate(len: usize, max_char: u32) -> Option<Ref<Str>> {
        let kind = Kind::for_char(max_char);
        let ascii = max_char < 0x80;
        let head = if ascii { ASCII_HEAD } else { COMPACT_HEAD };
        let size = len.checked_add(1)?.checked_mul(kind.width())?.checked_add(head)?;
        if size > isize::MAX as usize {
            return None;
        }
        let tp = Str::type_object();
        let op = gc::allocate(tp, size).cast::<Str>();
        if op.is_null() {
            return None;
        }
        let state = COMPACT | if ascii { ASCII } else { 0 } | ((kind as u32) << KIND_SHIFT);
        // SAFETY: the block has room for the head, `len` units and the NUL unit.
        unsafe {
            op.write(Str {
                ob: Object::new(tp),
                length: Cell::new(len as isize),
                hash: Cell::new(-1),
                state: Cell::new(state),
                pad: Cell::new(0),
            });
            if !ascii {
                (&raw mut (*op.cast::<CompactHead>()).utf8_length).write(Cell::new(0));
                (&raw mut (*op.cast::<CompactHead>()).utf8).write(Cell::new(std::ptr::null_mut()));
            }
            let end = op.cast::<u8>().add(head + len * kind.width());
            match kind {
                Kind::One => end.write(0),
                Kind::Two => end.cast::<u16>().write(0),
                Kind::Four => end.cast::<u32>().write(0),
            }
            Some(Ref::from_raw(op))
        }
    }

    /// `allocate` that raises `MemoryError`.
    ///
    /// # Safety
    /// As for [`Str::allocate`].
    #[inline]
    pub unsafe fn try_allocate(len: usize, max_char: u32, vm: &Vm) -> PyResult<Ref<Str>> {
        // SAFETY: passed on to the caller.
        unsafe { Str::allocate(len, max_char) }.ok_or_else(|| vm.memory_error())
    }

    /// A copy of units that are known to need their kind exactly. Empty and one-character latin-1 strings are shared.
    #[inline]
    pub(super) fn from_exact_units<T: Unit>(units: &[T], ascii: bool) -> Option<Ref<Str>> {
        match *units {
            [] => return Some(Str::empty()),
            [only] if T::KIND == Kind::One => return Some(Str::latin1_char(only.into() as u8)),
            _ => {}
        }
        let max_char = match T::KIND {
            Kind::One if ascii => 0x7F,
            Kind::One => 0xFF,
            Kind::Two => 0xFFFF,
            Kind::Four => 0x10_FFFF,
        };
        // SAFETY: filled right here.
        unsafe {
            let string = Str::allocate(units.len(), max_char)?;
            std::ptr::copy_nonoverlapping(units.as_ptr(), string.data_ptr().cast(), units.len());
            Some(string)
        }
    }

    /// The instance of a subclass with the characters of `value`: a string that is not compact.
    pub(super) fn new_subclass_instance(cls: &Type, value: &Str, vm: &Vm) -> PyResult<ObjRef> {
        let Some(tp_alloc) = cls.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        let bytes = value.data().raw_bytes();
        let width = value.kind().width();
        let block = alloc::raw_malloc(bytes.len().checked_add(width).ok_or_else(|| vm.memory_error())?);
        if block.is_null() {
            return Err(vm.memory_error());
        }
        // SAFETY: the block has room for the units and the NUL unit; `tp_alloc` gives zeroed memory of at least
        // `tp_basicsize` bytes, which is the full head or more in a subclass of str.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
            std::ptr::write_bytes(block.add(bytes.len()), 0, width);
            let op = tp_alloc(std::ptr::from_ref(cls).cast_mut(), 0);
            if op.is_null() {
                alloc::raw_free(block);
                return Err(Raised);
            }
            let full = &*op.cast::<FullHead>();
            full.data.set(block);
            let head = &full.base.head;
            head.length.set(value.length.get());
            head.hash.set(value.hash.get());
            head.state.set(((value.kind() as u32) << KIND_SHIFT) | (value.bits() & ASCII));
            Ok(Ref::from_raw(op))
        }
    }

    /// Tries to lengthen `self` where it lies (or by moving it) to hold `extra` more units of its own kind. On success the
    /// new string replaces the old, whose only reference the caller gave; the new units are not yet filled.
    ///
    /// # Safety
    /// `string` is the only reference to an exact, compact str that isn't interned. The caller fills the new units.
    pub(super) unsafe fn grow(string: Ref<Str>, extra: usize) -> Result<Ref<Str>, Ref<Str>> {
        let width = string.kind().width();
        let head = if string.is_ascii() { ASCII_HEAD } else { COMPACT_HEAD };
        let old_len = string.len();
        let Some(new_len) = old_len.checked_add(extra) else { return Err(string) };
        let Some(size) =
            new_len.checked_add(1).and_then(|n| n.checked_mul(width)).and_then(|n| n.checked_add(head))
        else {
            return Err(string);
        };
        if !string.is_ascii() && !string.compact_head().utf8.get().is_null() {
            // SAFETY: the cached form is ours and no longer true.
            unsafe { alloc::raw_free(string.compact_head().utf8.replace(std::ptr::null_mut())) };
            string.compact_head().utf8_length.set(0);
        }
        let old_size = head + (old_len + 1) * width;
        let raw = string.into_raw();
        // SAFETY: the block came from the object allocator, all of whose blocks may be resized while they are of the
        // same size class; small ones are copied so that each block stays true to its class.
        unsafe {
            let moved = if old_size > alloc::SMALL_LIMIT {
                alloc::raw_realloc(raw.cast(), size)
            } else {
                let fresh = alloc::allocate(size);
                if !fresh.is_null() {
                    std::ptr::copy_nonoverlapping(raw.cast::<u8>(), fresh, old_size);
                    alloc::release(raw.cast(), old_size);
                }
                fresh
            };
            if moved.is_null() {
                return Err(Ref::from_raw(raw));
            }
            let string = moved.cast::<Str>();
            (*string).length.set(new_len as isize);
            (*string).hash.set(-1);
            let end = moved.add(size - width);
            std::ptr::write_bytes(end, 0, width);
            Ok(Ref::from_raw(string))
        }
    }

    /// Whether the object can be changed by its only owner: exact type, compact, one reference, not interned, no
    /// hash that somebody may have relied on.
    #[inline]
    pub(super) fn is_growable(&self) -> bool {
        self.ob.is_unique()
            && self.ob.type_ptr() == Str::static_type()
            && self.bits() & (COMPACT | STATIC | INTERNED_MASK) == COMPACT
    }

    /// Memory of the object in bytes, as `str.__sizeof__` tells it.
    pub(super) fn memory_size(&self) -> usize {
        let units = (self.len() + 1) * self.kind().width();
        let bits = self.bits();
        if bits & COMPACT == 0 {
            let own = self.ob.ob_type().tp_basicsize.get() as usize;
            return own.max(BASIC_SIZE) + units + self.utf8_size();
        }
        if bits & ASCII != 0 { ASCII_HEAD + units } else { COMPACT_HEAD + units + self.utf8_size() }
    }

    fn utf8_size(&self) -> usize {
        if self.is_ascii() || self.compact_head().utf8.get().is_null() {
            0
        } else {
            self.compact_head().utf8_length.get() as usize + 1
        }
    }
}

/// `tp_dealloc` of str and its subclasses.
///
/// # Safety
/// `op` is a str whose count has reached zero.
pub(super) unsafe extern "C" fn dealloc(op: *mut Object) {
    // SAFETY: the slot is called with a dying str; its buffers are its own.
    unsafe {
        let string = &*op.cast::<Str>();
        match string.interned() {
            Interned::No => {}
            Interned::Mortal => super::interned::forget(string),
            Interned::Immortal | Interned::Static => {
                // Somebody gave up more references than there were; an immortal string stays.
                string.ob.make_immortal();
                return;
            }
        }
        let bits = string.bits();
        if bits & (COMPACT | ASCII) != COMPACT | ASCII {
            if bits & ASCII == 0 {
                alloc::raw_free(string.compact_head().utf8.get());
            }
            if bits & COMPACT == 0 {
                alloc::raw_free(string.full_head().data.get());
            }
        }
        let tp = string.ob.ob_type();
        if std::ptr::eq(tp, Str::static_type()) && bits & COMPACT != 0 {
            let head = if bits & ASCII != 0 { ASCII_HEAD } else { COMPACT_HEAD };
            gc::release(tp, op, head + (string.len() + 1) * string.kind().width());
        } else if let Some(free) = tp.tp_free.get() {
            free(op.cast());
        }
    }
}

#[repr(C)]
struct AsciiChar {
    head: Str,
    data: [u8; 2],
}

#[repr(C)]
struct Latin1Char {
    base: CompactHead,
    data: [u8; 2],
    /// The UTF-8 form with its NUL, which `base` points to.
    utf8: [u8; 3],
}

struct Singletons {
    empty: AsciiChar,
    ascii: [AsciiChar; 128],
    latin1: [Latin1Char; 128],
}

// SAFETY: strings are only touched by threads that hold an interpreter's lock, and these only change by their cached
// hash, which is the same in every interpreter of the process.
unsafe impl Sync for Singletons {}

const fn ascii_char(code: u8) -> AsciiChar {
    AsciiChar { head: Str::static_head(1, ASCII), data: [code, 0] }
}

const fn latin1_char(code: u8) -> Latin1Char {
    Latin1Char {
        base: CompactHead {
            head: Str::static_head(1, 0),
            utf8_length: Cell::new(0),
            utf8: Cell::new(std::ptr::null_mut()),
        },
        data: [code, 0],
        utf8: [0xC0 | (code >> 6), 0x80 | (code & 0x3F), 0],
    }
}

const fn singletons() -> Singletons {
    let mut ascii = [const { ascii_char(0) }; 128];
    let mut latin1 = [const { latin1_char(0x80) }; 128];
    let mut code = 0;
    while code < 128 {
        ascii[code] = ascii_char(code as u8);
        latin1[code] = latin1_char(code as u8 + 128);
        code += 1;
    }
    Singletons { empty: AsciiChar { head: Str::static_head(0, ASCII), data: [0, 0] }, ascii, latin1 }
}

static SINGLETONS: Singletons = singletons();

impl Str {
    /// The empty str.
    #[inline(always)]
    pub fn empty() -> Ref<Str> {
        Ref::new_ref(&SINGLETONS.empty.head)
    }

    /// The one-character str of a latin-1 character.
    #[inline(always)]
    pub fn latin1_char(code: u8) -> Ref<Str> {
        Ref::new_ref(Str::latin1_char_ref(code))
    }

    /// `latin1_char`, borrowed.
    #[inline(always)]
    pub fn latin1_char_ref(code: u8) -> &'static Str {
        if code < 128 {
            &SINGLETONS.ascii[code as usize].head
        } else {
            let entry = &SINGLETONS.latin1[code as usize - 128];
            if entry.base.utf8.get().is_null() {
                entry.base.utf8_length.set(2);
                entry.base.utf8.set(entry.utf8.as_ptr().cast_mut());
            }
            &entry.base.head
        }
    }

    /// The shared object of an empty or one-character latin-1 text, if it is one.
    pub(super) fn shared(data: StrData<'_>) -> Option<Ref<Str>> {
        match data {
            StrData::Ucs1([]) => Some(Str::empty()),
            StrData::Ucs1(&[only]) => Some(Str::latin1_char(only)),
            _ => None,
        }
    }
}

/// For constructors that can't raise: sizes that come from Rust's own text.
#[inline(always)]
pub(super) fn must<T>(string: Option<T>) -> T {
    match string {
        Some(string) => string,
        None => out_of_memory(),
    }
}
