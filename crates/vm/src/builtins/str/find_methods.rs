//! `find`, `index`, `count`, `startswith`, `replace` and their relatives.

use super::layout::{StrData, Unit};
use super::search::{self, Finder, with_needle};
use super::{StrBuilder, with_units};
use crate::builtins::bytes::slicing::Bounds;
use crate::prelude::*;

/// The text argument of a search, or "f() argument 1 must be str, not T".
fn needle<'a>(object: &'a Object, function: &str, vm: &Vm) -> PyResult<&'a Str> {
    object.downcast_ref::<Str>().ok_or_else(|| {
        let given = if vm.is_none(object) { "None" } else { object.ob_type().name() };
        vm.type_error(format!("{function}() argument 1 must be str, not {given}"))
    })
}

fn affix(
    string: &Str,
    affix: &Object,
    bounds: Bounds,
    name: &str,
    test: fn(StrData<'_>, StrData<'_>) -> bool,
    vm: &Vm,
) -> PyResult<bool> {
    let part = bounds.resolve(string.len()).map(|(start, end)| string.data().slice(start, end));
    if let Some(one) = affix.downcast_ref::<Str>() {
        return Ok(part.is_some_and(|part| test(part, one.data())));
    }
    let Some(several) = affix.downcast_ref::<Tuple>() else {
        return Err(vm.type_error(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            affix.ob_type().name()
        )));
    };
    for one in several.as_slice() {
        let Some(one) = one.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "tuple for {name} must only contain str, not {}",
                one.ob_type().name()
            )));
        };
        if part.is_some_and(|part| test(part, one.data())) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[pymethods(table = FIND_METHODS)]
impl Str {
    /// Return the lowest index in the string where sub is found within [start:end], or -1.
    #[method("($self, sub[, start[, end]], /)")]
    fn find(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        let sub = needle(sub, "find", vm)?;
        Ok(self.locate(sub, Bounds::new(start, end, vm)?, search::find).map_or(-1, |at| at as isize))
    }

    /// Return the highest index in the string where sub is found within [start:end], or -1.
    #[method("($self, sub[, start[, end]], /)")]
    fn rfind(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        let sub = needle(sub, "rfind", vm)?;
        Ok(self.locate(sub, Bounds::new(start, end, vm)?, search::rfind).map_or(-1, |at| at as isize))
    }

    /// Like find(), but raise ValueError when sub is not found.
    #[method("($self, sub[, start[, end]], /)")]
    fn index(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let sub = needle(sub, "index", vm)?;
        self.locate(sub, Bounds::new(start, end, vm)?, search::find)
            .ok_or_else(|| vm.value_error("substring not found"))
    }

    /// Like rfind(), but raise ValueError when sub is not found.
    #[method("($self, sub[, start[, end]], /)")]
    fn rindex(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let sub = needle(sub, "rindex", vm)?;
        self.locate(sub, Bounds::new(start, end, vm)?, search::rfind)
            .ok_or_else(|| vm.value_error("substring not found"))
    }

    /// Return the number of occurrences of sub within [start:end] that don't overlap.
    #[method("($self, sub[, start[, end]], /)")]
    fn count(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<usize> {
        let sub = needle(sub, "count", vm)?;
        let bounds = Bounds::new(start, end, vm)?;
        let Some((start, end)) = bounds.resolve(self.len()) else { return Ok(0) };
        Ok(search::count(self.data().slice(start, end), sub.data()))
    }

    /// Return whether the string within [start:end] begins with prefix, or with one of a tuple of prefixes.
    #[method("($self, prefix[, start[, end]], /)")]
    fn startswith(
        &self,
        prefix: &Object,
        start: Option<&Object>,
        end: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<bool> {
        if let (None, None, Some(prefix)) = (start, end, prefix.downcast_ref::<Str>()) {
            return Ok(search::starts_with(self.data(), prefix.data()));
        }
        affix(self, prefix, Bounds::new(start, end, vm)?, "startswith", search::starts_with, vm)
    }

    /// Return whether the string within [start:end] ends with suffix, or with one of a tuple of suffixes.
    #[method("($self, suffix[, start[, end]], /)")]
    fn endswith(
        &self,
        suffix: &Object,
        start: Option<&Object>,
        end: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<bool> {
        if let (None, None, Some(suffix)) = (start, end, suffix.downcast_ref::<Str>()) {
            return Ok(search::ends_with(self.data(), suffix.data()));
        }
        affix(self, suffix, Bounds::new(start, end, vm)?, "endswith", search::ends_with, vm)
    }

    /// Return the string without the prefix, where it begins with it.
    #[method("($self, prefix, /)")]
    fn removeprefix(&self, prefix: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if search::starts_with(self.data(), prefix.data()) {
            self.slice(prefix.len(), self.len(), vm)
        } else {
            self.to_exact(vm)
        }
    }

    /// Return the string without the suffix, where it ends with it.
    #[method("($self, suffix, /)")]
    fn removesuffix(&self, suffix: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if search::ends_with(self.data(), suffix.data()) {
            self.slice(0, self.len() - suffix.len(), vm)
        } else {
            self.to_exact(vm)
        }
    }

    /// Return a copy with occurrences of old replaced by new, the first count ones when count is not negative.
    #[method("($self, old, new, /, count=-1)")]
    fn replace(&self, old: &Str, new: &Str, count: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        self.replace_str(old, new, usize::try_from(count).unwrap_or(usize::MAX), vm)
    }
}

impl Str {
    #[inline]
    fn locate(
        &self,
        sub: &Str,
        bounds: Bounds,
        find: fn(StrData<'_>, StrData<'_>) -> Option<usize>,
    ) -> Option<usize> {
        let (start, end) = bounds.resolve(self.len())?;
        find(self.data().slice(start, end), sub.data()).map(|at| at + start)
    }

    /// The text with the first `limit` occurrences of `old` replaced.
    pub fn replace_str(&self, old: &Str, new: &Str, limit: usize, vm: &Vm) -> PyResult<Ref<Str>> {
        if limit == 0 || old.len() > self.len() || Str::equal(old, new) {
            return self.to_exact(vm);
        }
        if let (StrData::Ucs1(text), &StrData::Ucs1(&[from]), &StrData::Ucs1(&[to]), usize::MAX) =
            (self.data(), &old.data(), &new.data(), limit)
        {
            let Some(first) = memchr::memchr(from, text) else { return self.to_exact(vm) };
            let mut bytes = text.to_vec();
            for byte in bytes.iter_mut().skip(first) {
                if *byte == from {
                    *byte = to;
                }
            }
            return Str::try_from_latin1(&bytes, vm);
        }
        let replaced = with_needle!(
            self.data(), old.data(), |hay, needle| replace_units(self, hay, needle, new, limit, vm)?,
            else None
        );
        match replaced {
            Some(result) => Ok(result),
            None => self.to_exact(vm),
        }
    }
}

/// `None` when there is nothing to replace.
fn replace_units<T: Unit>(
    whole: &Str,
    hay: &[T],
    needle: &[T],
    new: &Str,
    limit: usize,
    vm: &Vm,
) -> PyResult<Option<Ref<Str>>> {
    let count = search::count_units(hay, needle, limit);
    if count == 0 {
        return Ok(None);
    }
    let added = count.checked_mul(new.len());
    let len = added.and_then(|n| n.checked_add(whole.len() - count * needle.len()));
    let Some(len) = len.filter(|&n| n <= isize::MAX as usize) else {
        return Err(vm.overflow_error("replace string is too long"));
    };
    let mut out = StrBuilder::new();
    // So that the kind is right from the start.
    out.reserve(len, vm)?;
    if needle.is_empty() {
        let mut left = count;
        for unit in hay {
            if left > 0 {
                out.push(new);
                left -= 1;
            }
            out.push_char((*unit).into());
        }
        if left > 0 {
            out.push(new);
        }
    } else {
        let finder = Finder::new(needle);
        let mut from = 0;
        for _ in 0..count {
            let Some(at) = finder.find(hay, from) else { break };
            out.push_data(T::wrap(hay.get(from..at).unwrap_or(&[])));
            out.push(new);
            from = at + needle.len();
        }
        out.push_data(T::wrap(hay.get(from..).unwrap_or(&[])));
    }
    with_units!(out.data(), units => Str::copy_units(units)).map(Some).ok_or_else(|| vm.memory_error())
}
