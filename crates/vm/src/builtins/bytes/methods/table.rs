//! The methods that bytes and bytearray share, written once.

use std::ops::Range;

use super::algorithms::{self, ReplaceError};
use super::{ByteSequence, Needle, fill_byte, optional_buffer};
use crate::builtins::bytes::hex;
use crate::builtins::bytes::slicing::Bounds;
use crate::builtins::codecs_core;
use crate::prelude::*;
use crate::protocols::buffer::{self, Buffer, has_buffer};

fn part(data: &[u8], range: Range<usize>) -> &[u8] {
    data.get(range).unwrap_or(&[])
}

fn search<T: ByteSequence>(
    sequence: &T,
    sub: &Object,
    start: Option<&Object>,
    end: Option<&Object>,
    find: fn(&[u8], &[u8]) -> Option<usize>,
    vm: &Vm,
) -> PyResult<Option<usize>> {
    let bounds = Bounds::new(start, end, vm)?;
    let needle = Needle::new(sub, vm)?;
    let data = sequence.data();
    let Some((start, end)) = bounds.resolve(data.len()) else { return Ok(None) };
    Ok(find(part(data, start..end), needle.as_bytes()).map(|at| at + start))
}

fn affix<T: ByteSequence>(
    sequence: &T,
    affix: &Object,
    start: Option<&Object>,
    end: Option<&Object>,
    name: &str,
    test: fn(&[u8], &[u8]) -> bool,
    vm: &Vm,
) -> PyResult<bool> {
    let bounds = Bounds::new(start, end, vm)?;
    let matches = |one: &Object| -> PyResult<bool> {
        let one = one.get_buffer(buffer::SIMPLE, vm)?;
        let data = sequence.data();
        Ok(bounds
            .resolve(data.len())
            .is_some_and(|(start, end)| test(part(data, start..end), one.as_bytes())))
    };
    if let Some(several) = affix.downcast_ref::<Tuple>() {
        for one in several.as_slice() {
            if matches(one)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if !has_buffer(affix) {
        return Err(vm.type_error(format!(
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            affix.ob_type().name()
        )));
    }
    matches(affix)
}

fn list_of<T: ByteSequence>(data: &[u8], ranges: Vec<Range<usize>>, vm: &Vm) -> PyResult<ObjRef> {
    let mut items = Vec::with_capacity(ranges.len());
    for range in ranges {
        items.push(T::make(part(data, range), vm)?);
    }
    Ok(vm.new_list(items).into_object())
}

fn split<T: ByteSequence>(
    sequence: &T,
    sep: Option<&Object>,
    maxsplit: Option<isize>,
    reverse: bool,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let limit = usize::try_from(maxsplit.unwrap_or(-1)).unwrap_or(usize::MAX);
    let sep = optional_buffer(sep, vm)?;
    let data = sequence.data();
    let ranges = match &sep {
        None if reverse => algorithms::rsplit_space(data, limit),
        None => algorithms::split_space(data, limit),
        Some(sep) if sep.is_empty() => return Err(vm.value_error("empty separator")),
        Some(sep) if reverse => algorithms::rsplit_on(data, sep.as_bytes(), limit),
        Some(sep) => algorithms::split_on(data, sep.as_bytes(), limit),
    };
    if ranges.len() == 1 && ranges.first().is_some_and(|r| r.len() == data.len()) {
        return Ok(vm.new_list([sequence.same(vm)?]).into_object());
    }
    list_of::<T>(data, ranges, vm)
}

fn partition<T: ByteSequence>(sequence: &T, sep: &Object, reverse: bool, vm: &Vm) -> PyResult<ObjRef> {
    let buffer = sep.get_buffer(buffer::SIMPLE, vm)?;
    if buffer.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let data = sequence.data();
    let found = if reverse { algorithms::rfind } else { algorithms::find }(data, buffer.as_bytes());
    let empty = || T::make(&[], vm);
    let items = match found {
        Some(at) => {
            let middle = if T::static_type() == Bytes::static_type() {
                sep.to_ref()
            } else {
                T::make(buffer.as_bytes(), vm)?
            };
            [T::make(part(data, 0..at), vm)?, middle, T::make(part(data, at + buffer.len()..data.len()), vm)?]
        }
        None if reverse => [empty()?, empty()?, sequence.same(vm)?],
        None => [sequence.same(vm)?, empty()?, empty()?],
    };
    Ok(vm.new_tuple(items).into_object())
}

fn pad<T: ByteSequence>(
    sequence: &T,
    width: isize,
    fill: u8,
    left_share: impl Fn(usize) -> usize,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let data = sequence.data();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(data.len());
    if missing == 0 {
        return sequence.same(vm);
    }
    let left = left_share(missing);
    let mut out = Vec::new();
    out.try_reserve_exact(missing.saturating_add(data.len())).map_err(|_| vm.memory_error())?;
    out.resize(left, fill);
    out.extend_from_slice(data);
    out.resize(data.len() + missing, fill);
    T::make(&out, vm)
}

fn strip<T: ByteSequence>(
    sequence: &T,
    set: Option<&Object>,
    left: bool,
    right: bool,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let set = optional_buffer(set, vm)?;
    let data = sequence.data();
    let range = algorithms::strip(data, set.as_ref().map(Buffer::as_bytes), left, right);
    if range.len() == data.len() { sequence.same(vm) } else { T::make(part(data, range), vm) }
}

fn map<T: ByteSequence>(sequence: &T, map: impl Fn(u8) -> u8, vm: &Vm) -> PyResult<ObjRef> {
    let mapped: Vec<u8> = sequence.data().iter().map(|&b| map(b)).collect();
    T::make(&mapped, vm)
}

fn all<T: ByteSequence>(sequence: &T, test: impl Fn(u8) -> bool) -> bool {
    let data = sequence.data();
    !data.is_empty() && data.iter().all(|&b| test(b))
}

/// `separator.join(items)`.
fn join<T: ByteSequence>(separator: &T, iterable: &Object, vm: &Vm) -> PyResult<ObjRef> {
    let iterable_type = iterable.ob_type();
    if iterable_type.tp_iter.get().is_none() && !crate::protocols::container::is_sequence(iterable) {
        return Err(vm.type_error("can only join an iterable"));
    }
    let items = iterable.collect_iterable(vm)?;
    if let ([only], true) = (items.as_slice(), T::static_type() == Bytes::static_type()) {
        if only.downcast_exact::<Bytes>().is_some() {
            return Ok(only.clone());
        }
    }
    let mut buffers: Vec<Buffer> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if !has_buffer(item) {
            return Err(vm.type_error(format!(
                "sequence item {index}: expected a bytes-like object, {} found",
                item.ob_type().name()
            )));
        }
        buffers.push(item.get_buffer(buffer::SIMPLE, vm)?);
    }
    let separator = separator.data();
    let mut total = separator.len().checked_mul(buffers.len().saturating_sub(1));
    for item in &buffers {
        total = total.and_then(|n| n.checked_add(item.len()));
    }
    let Some(total) = total.filter(|&n| n <= isize::MAX as usize) else {
        return Err(vm.overflow_error("join() result is too long"));
    };
    let mut out = Vec::new();
    out.try_reserve_exact(total).map_err(|_| vm.memory_error())?;
    for (index, item) in buffers.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(item.as_bytes());
    }
    T::make(&out, vm)
}

fn translate<T: ByteSequence>(
    sequence: &T,
    table: &Object,
    delete: Option<&Object>,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let table = optional_buffer(Some(table), vm)?;
    if table.as_ref().is_some_and(|t| t.len() != 256) {
        return Err(vm.value_error("translation table must be 256 characters long"));
    }
    let delete = match delete {
        Some(delete) => Some(delete.get_buffer(buffer::SIMPLE, vm)?),
        None => None,
    };
    let mut dropped = [false; 256];
    for &byte in delete.iter().flat_map(|d| d.as_bytes()) {
        if let Some(flag) = dropped.get_mut(byte as usize) {
            *flag = true;
        }
    }
    let table = table.as_ref().map(Buffer::as_bytes);
    let data = sequence.data();
    let out: Vec<u8> = data
        .iter()
        .filter(|&&b| !dropped.get(b as usize).copied().unwrap_or(false))
        .map(|&b| table.and_then(|t| t.get(b as usize).copied()).unwrap_or(b))
        .collect();
    if out == data { sequence.same(vm) } else { T::make(&out, vm) }
}

fn replace<T: ByteSequence>(
    sequence: &T,
    old: &Object,
    new: &Object,
    count: Option<isize>,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let old = old.get_buffer(buffer::SIMPLE, vm)?;
    let new = new.get_buffer(buffer::SIMPLE, vm)?;
    let limit = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
    match algorithms::replace(sequence.data(), old.as_bytes(), new.as_bytes(), limit) {
        Ok(Some(out)) => T::make(&out, vm),
        Ok(None) => sequence.same(vm),
        Err(ReplaceError::TooLong) => Err(vm.overflow_error("replace bytes is too long")),
        Err(ReplaceError::NoMemory) => Err(vm.memory_error()),
    }
}

macro_rules! shared_methods {
    ($layout:ident, $table:ident) => {
        #[pymethods(table = $table)]
        impl $layout {
            /// Return a copy with the first byte in upper case and the rest in lower case.
            #[method("($self, /)")]
            fn capitalize(&self, vm: &Vm) -> PyResult<ObjRef> {
                let mut copy = self.data().to_ascii_lowercase();
                if let Some(first) = copy.first_mut() {
                    first.make_ascii_uppercase();
                }
                Self::make(&copy, vm)
            }

            /// Return the bytes centered in a sequence of length width.
            #[method("($self, width, fillchar=b' ', /)")]
            fn center(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                let fill = fill_byte(fillchar, "center", vm)?;
                pad(self, width, fill, |missing| missing / 2 + (missing & width as usize & 1), vm)
            }

            /// Return the number of occurrences of sub within [start:end] that don't overlap.
            #[method("($self, sub[, start[, end]], /)")]
            fn count(
                &self,
                sub: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<usize> {
                let bounds = Bounds::new(start, end, vm)?;
                let needle = Needle::new(sub, vm)?;
                let data = self.data();
                let Some((start, end)) = bounds.resolve(data.len()) else { return Ok(0) };
                Ok(algorithms::count(part(data, start..end), needle.as_bytes(), usize::MAX))
            }

            /// Decode the bytes with the codec registered for encoding; errors names the error handler.
            #[method("($self, /, encoding='utf-8', errors='strict')")]
            fn decode(&self, encoding: Option<&str>, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
                let (encoding, errors) = (encoding.unwrap_or("utf-8"), errors.unwrap_or("strict"));
                codecs_core::decode_method(self.as_object(), encoding, errors, vm).map(Ref::into_object)
            }

            /// Return whether the bytes within [start:end] end with suffix, or with one of a tuple of suffixes.
            #[method("($self, suffix[, start[, end]], /)")]
            fn endswith(
                &self,
                suffix: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<bool> {
                affix(self, suffix, start, end, "endswith", |data, suffix| data.ends_with(suffix), vm)
            }

            /// Return a copy in which tabs are replaced by spaces.
            #[method("($self, /, tabsize=8)")]
            fn expandtabs(&self, tabsize: Option<i32>, vm: &Vm) -> PyResult<ObjRef> {
                match algorithms::expand_tabs(self.data(), tabsize.unwrap_or(8).max(0) as usize) {
                    Some(out) => Self::make(&out, vm),
                    None => Err(vm.overflow_error("result too long")),
                }
            }

            /// Return the lowest index where sub is found within [start:end], or -1.
            #[method("($self, sub[, start[, end]], /)")]
            fn find(
                &self,
                sub: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<isize> {
                Ok(search(self, sub, start, end, algorithms::find, vm)?.map_or(-1, |at| at as isize))
            }

            /// Return a string of two hexadecimal digits for each byte, in groups when a separator is given.
            #[method("($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
            fn hex(&self, sep: Option<&Object>, bytes_per_sep: Option<i32>, vm: &Vm) -> PyResult<ObjRef> {
                let sep = hex::separator(sep, vm)?;
                hex::to_hex(self.data(), sep, bytes_per_sep.unwrap_or(1), vm).map(Ref::into_object)
            }

            /// Like find(), but raise ValueError when sub is not found.
            #[method("($self, sub[, start[, end]], /)")]
            fn index(
                &self,
                sub: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<usize> {
                search(self, sub, start, end, algorithms::find, vm)?
                    .ok_or_else(|| vm.value_error("subsection not found"))
            }

            /// Return True if all bytes are ASCII letters or digits, and there is at least one.
            #[method("($self, /)")]
            fn isalnum(&self) -> bool {
                all(self, |b| b.is_ascii_alphanumeric())
            }

            /// Return True if all bytes are ASCII letters, and there is at least one.
            #[method("($self, /)")]
            fn isalpha(&self) -> bool {
                all(self, |b| b.is_ascii_alphabetic())
            }

            /// Return True if all bytes are ASCII.
            #[method("($self, /)")]
            fn isascii(&self) -> bool {
                self.data().is_ascii()
            }

            /// Return True if all bytes are ASCII digits, and there is at least one.
            #[method("($self, /)")]
            fn isdigit(&self) -> bool {
                all(self, |b| b.is_ascii_digit())
            }

            /// Return True if there are cased bytes and all of them are lower case.
            #[method("($self, /)")]
            fn islower(&self) -> bool {
                let data = self.data();
                data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)
            }

            /// Return True if all bytes are ASCII whitespace, and there is at least one.
            #[method("($self, /)")]
            fn isspace(&self) -> bool {
                all(self, algorithms::is_space)
            }

            /// Return True if words start in upper case and go on in lower case, and there is at least one.
            #[method("($self, /)")]
            fn istitle(&self) -> bool {
                algorithms::is_title(self.data())
            }

            /// Return True if there are cased bytes and all of them are upper case.
            #[method("($self, /)")]
            fn isupper(&self) -> bool {
                let data = self.data();
                data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)
            }

            /// Concatenate the bytes-like objects of an iterable, with this one between them.
            #[method("($self, iterable_of_bytes, /)")]
            fn join(&self, iterable_of_bytes: &Object, vm: &Vm) -> PyResult<ObjRef> {
                join(self, iterable_of_bytes, vm)
            }

            /// Return the bytes left-justified in a sequence of length width.
            #[method("($self, width, fillchar=b' ', /)")]
            fn ljust(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                let fill = fill_byte(fillchar, "ljust", vm)?;
                pad(self, width, fill, |_| 0, vm)
            }

            /// Return a copy in which ASCII letters are lower case.
            #[method("($self, /)")]
            fn lower(&self, vm: &Vm) -> PyResult<ObjRef> {
                map(self, |b| b.to_ascii_lowercase(), vm)
            }

            /// Return a copy without whitespace, or the bytes given, at the start.
            #[method("($self, bytes=None, /)")]
            fn lstrip(&self, bytes: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                strip(self, bytes, true, false, vm)
            }

            /// Return a table for translate() that maps each byte of frm to the byte of to at the same place.
            #[staticmethod("(frm, to, /)")]
            fn maketrans(frm: &Object, to: &Object, vm: &Vm) -> PyResult<ObjRef> {
                let (frm, to) = (frm.get_buffer(buffer::SIMPLE, vm)?, to.get_buffer(buffer::SIMPLE, vm)?);
                if frm.len() != to.len() {
                    return Err(vm.value_error("maketrans arguments must have same length"));
                }
                let mut table: Vec<u8> = (0..=255).collect();
                for (from, to) in frm.as_bytes().iter().zip(to.as_bytes()) {
                    if let Some(slot) = table.get_mut(*from as usize) {
                        *slot = *to;
                    }
                }
                Ok(vm.new_bytes(&table).into_object())
            }

            /// Split at the first separator: the part before it, the separator, the part after it.
            #[method("($self, sep, /)")]
            fn partition(&self, sep: &Object, vm: &Vm) -> PyResult<ObjRef> {
                partition(self, sep, false, vm)
            }

            /// Return a copy with occurrences of old replaced by new, the first count ones when count is not negative.
            #[method("($self, old, new, count=-1, /)")]
            fn replace(&self, old: &Object, new: &Object, count: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
                replace(self, old, new, count, vm)
            }

            /// Return the bytes without the prefix, where they begin with it.
            #[method("($self, prefix, /)")]
            fn removeprefix(&self, prefix: &Object, vm: &Vm) -> PyResult<ObjRef> {
                let prefix = prefix.get_buffer(buffer::SIMPLE, vm)?;
                match self.data().strip_prefix(prefix.as_bytes()) {
                    Some(rest) if !prefix.is_empty() => Self::make(rest, vm),
                    _ => self.same(vm),
                }
            }

            /// Return the bytes without the suffix, where they end with it.
            #[method("($self, suffix, /)")]
            fn removesuffix(&self, suffix: &Object, vm: &Vm) -> PyResult<ObjRef> {
                let suffix = suffix.get_buffer(buffer::SIMPLE, vm)?;
                match self.data().strip_suffix(suffix.as_bytes()) {
                    Some(rest) if !suffix.is_empty() => Self::make(rest, vm),
                    _ => self.same(vm),
                }
            }

            /// Return the highest index where sub is found within [start:end], or -1.
            #[method("($self, sub[, start[, end]], /)")]
            fn rfind(
                &self,
                sub: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<isize> {
                Ok(search(self, sub, start, end, algorithms::rfind, vm)?.map_or(-1, |at| at as isize))
            }

            /// Like rfind(), but raise ValueError when sub is not found.
            #[method("($self, sub[, start[, end]], /)")]
            fn rindex(
                &self,
                sub: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<usize> {
                search(self, sub, start, end, algorithms::rfind, vm)?
                    .ok_or_else(|| vm.value_error("subsection not found"))
            }

            /// Return the bytes right-justified in a sequence of length width.
            #[method("($self, width, fillchar=b' ', /)")]
            fn rjust(&self, width: isize, fillchar: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                let fill = fill_byte(fillchar, "rjust", vm)?;
                pad(self, width, fill, |missing| missing, vm)
            }

            /// Split at the last separator: the part before it, the separator, the part after it.
            #[method("($self, sep, /)")]
            fn rpartition(&self, sep: &Object, vm: &Vm) -> PyResult<ObjRef> {
                partition(self, sep, true, vm)
            }

            /// Return a list of the pieces between separators; splits are counted from the right.
            #[method("($self, /, sep=None, maxsplit=-1)")]
            fn rsplit(&self, sep: Option<&Object>, maxsplit: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
                split(self, sep, maxsplit, true, vm)
            }

            /// Return a copy without whitespace, or the bytes given, at the end.
            #[method("($self, bytes=None, /)")]
            fn rstrip(&self, bytes: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                strip(self, bytes, false, true, vm)
            }

            /// Return a list of the pieces between separators, from the left; whitespace separates when sep is None.
            #[method("($self, /, sep=None, maxsplit=-1)")]
            fn split(&self, sep: Option<&Object>, maxsplit: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
                split(self, sep, maxsplit, false, vm)
            }

            /// Return a list of the lines, without line breaks unless keepends is true.
            #[method("($self, /, keepends=False)")]
            fn splitlines(&self, keepends: Option<bool>, vm: &Vm) -> PyResult<ObjRef> {
                let data = self.data();
                list_of::<Self>(data, algorithms::split_lines(data, keepends.unwrap_or(false)), vm)
            }

            /// Return whether the bytes within [start:end] begin with prefix, or with one of a tuple of prefixes.
            #[method("($self, prefix[, start[, end]], /)")]
            fn startswith(
                &self,
                prefix: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
                vm: &Vm,
            ) -> PyResult<bool> {
                affix(self, prefix, start, end, "startswith", |data, prefix| data.starts_with(prefix), vm)
            }

            /// Return a copy without whitespace, or the bytes given, at both ends.
            #[method("($self, bytes=None, /)")]
            fn strip(&self, bytes: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                strip(self, bytes, true, true, vm)
            }

            /// Return a copy with upper case made lower and lower case made upper.
            #[method("($self, /)")]
            fn swapcase(&self, vm: &Vm) -> PyResult<ObjRef> {
                map(
                    self,
                    |b| if b.is_ascii_uppercase() { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() },
                    vm,
                )
            }

            /// Return a copy in which words start in upper case and go on in lower case.
            #[method("($self, /)")]
            fn title(&self, vm: &Vm) -> PyResult<ObjRef> {
                Self::make(&algorithms::title(self.data()), vm)
            }

            /// Return a copy without the bytes in delete, the rest mapped through table, 256 bytes or None.
            #[method("($self, table, /, delete=b'')")]
            fn translate(&self, table: &Object, delete: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
                translate(self, table, delete, vm)
            }

            /// Return a copy in which ASCII letters are upper case.
            #[method("($self, /)")]
            fn upper(&self, vm: &Vm) -> PyResult<ObjRef> {
                map(self, |b| b.to_ascii_uppercase(), vm)
            }

            /// Return the bytes filled with ASCII zeros on the left, behind a sign, to length width.
            #[method("($self, width, /)")]
            fn zfill(&self, width: isize, vm: &Vm) -> PyResult<ObjRef> {
                let data = self.data();
                let missing = usize::try_from(width).unwrap_or(0).saturating_sub(data.len());
                if missing == 0 {
                    return self.same(vm);
                }
                let (sign, digits) = match data.split_first() {
                    Some((sign @ (b'+' | b'-'), digits)) => (Some(*sign), digits),
                    _ => (None, data),
                };
                let mut out = Vec::new();
                out.try_reserve_exact(missing.saturating_add(data.len())).map_err(|_| vm.memory_error())?;
                out.extend(sign);
                out.resize(out.len() + missing, b'0');
                out.extend_from_slice(digits);
                Self::make(&out, vm)
            }
        }
    };
}

shared_methods!(Bytes, BYTES_METHODS);
shared_methods!(ByteArray, BYTEARRAY_METHODS);
