//! `split`, `rsplit`, `splitlines`, `partition`, `rpartition`.

use super::layout::Unit;
use super::predicates::{is_line_break, is_space};
use super::search::{Finder, with_needle};
use super::{search, with_units};
use crate::prelude::*;

/// Takes the parts of a split as positions and makes the list.
struct Parts<'a> {
    whole: &'a Str,
    items: Vec<ObjRef>,
    vm: &'a Vm,
}

impl Parts<'_> {
    #[inline]
    fn push(&mut self, start: usize, stop: usize) -> PyResult<()> {
        let part = self.whole.slice(start, stop, self.vm)?;
        self.items.push(part.into_object());
        Ok(())
    }
}

fn split_space<T: Unit>(units: &[T], limit: usize, parts: &mut Parts<'_>) -> PyResult<()> {
    let mut words = 0;
    let mut at = 0;
    loop {
        let Some(start) = units.get(at..).and_then(|u| u.iter().position(|&u| !is_space(u.into()))) else {
            break;
        };
        let start = at + start;
        if words == limit {
            return parts.push(start, units.len());
        }
        let stop = units
            .get(start..)
            .and_then(|u| u.iter().position(|&u| is_space(u.into())))
            .map_or(units.len(), |n| start + n);
        parts.push(start, stop)?;
        words += 1;
        at = stop;
    }
    Ok(())
}

fn rsplit_space<T: Unit>(units: &[T], limit: usize, parts: &mut Parts<'_>) -> PyResult<()> {
    let mut words = 0;
    let mut end = units.len();
    loop {
        let Some(last) = units.get(..end).and_then(|u| u.iter().rposition(|&u| !is_space(u.into()))) else {
            break;
        };
        let stop = last + 1;
        if words == limit {
            parts.push(0, stop)?;
            break;
        }
        let start = units
            .get(..stop)
            .and_then(|u| u.iter().rposition(|&u| is_space(u.into())))
            .map_or(0, |space| space + 1);
        parts.push(start, stop)?;
        words += 1;
        end = start;
    }
    parts.items.reverse();
    Ok(())
}

fn split_on<T: Unit>(units: &[T], sep: &[T], limit: usize, parts: &mut Parts<'_>) -> PyResult<()> {
    let finder = Finder::new(sep);
    let (mut from, mut count) = (0, 0);
    while count < limit {
        let Some(at) = finder.find(units, from) else { break };
        parts.push(from, at)?;
        from = at + sep.len();
        count += 1;
    }
    parts.push(from, units.len())
}

fn rsplit_on<T: Unit>(units: &[T], sep: &[T], limit: usize, parts: &mut Parts<'_>) -> PyResult<()> {
    let finder = Finder::new(sep);
    let (mut to, mut count) = (units.len(), 0);
    while count < limit {
        let Some(at) = finder.rfind(units, to) else { break };
        parts.push(at + sep.len(), to)?;
        to = at;
        count += 1;
    }
    parts.push(0, to)?;
    parts.items.reverse();
    Ok(())
}

fn split_lines<T: Unit>(units: &[T], keep_ends: bool, parts: &mut Parts<'_>) -> PyResult<()> {
    let mut start = 0;
    while start < units.len() {
        let Some(end) = units.get(start..).and_then(|u| u.iter().position(|&u| is_line_break(u.into())))
        else {
            return parts.push(start, units.len());
        };
        let end = start + end;
        let code = |at: usize| units.get(at).map_or(0, |&u| u.into());
        let next = if code(end) == 13 && code(end + 1) == 10 { end + 2 } else { end + 1 };
        parts.push(start, if keep_ends { next } else { end })?;
        start = next;
    }
    Ok(())
}

impl Str {
    fn split_with(&self, sep: Option<&Object>, maxsplit: isize, reverse: bool, vm: &Vm) -> PyResult<ObjRef> {
        let limit = usize::try_from(maxsplit).unwrap_or(usize::MAX);
        let mut parts = Parts { whole: self, items: Vec::new(), vm };
        match sep {
            Some(sep) if !vm.is_none(sep) => {
                let Some(sep) = sep.downcast_ref::<Str>() else {
                    return Err(vm.type_error(format!("must be str or None, not {}", sep.ob_type().name())));
                };
                if sep.is_empty() {
                    return Err(vm.value_error("empty separator"));
                }
                with_needle!(
                    self.data(), sep.data(), |units, sep| {
                        if reverse { rsplit_on(units, sep, limit, &mut parts)? } else { split_on(units, sep, limit, &mut parts)? }
                    },
                    else parts.push(0, self.len())?
                );
            }
            _ => with_units!(self.data(), units => {
                if reverse { rsplit_space(units, limit, &mut parts)? } else { split_space(units, limit, &mut parts)? }
            }),
        }
        Ok(vm.new_list(parts.items).into_object())
    }

    /// The lines of the text, with or without their line breaks.
    pub fn lines(&self, keep_ends: bool, vm: &Vm) -> PyResult<Ref<List>> {
        let mut parts = Parts { whole: self, items: Vec::new(), vm };
        with_units!(self.data(), units => split_lines(units, keep_ends, &mut parts)?);
        Ok(vm.new_list(parts.items))
    }

    fn partition_at(&self, at: usize, sep: &Str, vm: &Vm) -> PyResult<ObjRef> {
        let head = self.slice(0, at, vm)?;
        let tail = self.slice(at + sep.len(), self.len(), vm)?;
        Ok(vm.new_tuple([head.into_object(), sep.as_object().to_ref(), tail.into_object()]).into_object())
    }
}

#[pymethods(table = SPLIT_METHODS)]
impl Str {
    /// Return a list of the substrings between separators, from the left; whitespace separates when sep is None.
    #[method("($self, /, sep=None, maxsplit=-1)")]
    fn split(&self, sep: Option<&Object>, maxsplit: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
        self.split_with(sep, maxsplit.unwrap_or(-1), false, vm)
    }

    /// Return a list of the substrings between separators; splits are counted from the right.
    #[method("($self, /, sep=None, maxsplit=-1)")]
    fn rsplit(&self, sep: Option<&Object>, maxsplit: Option<isize>, vm: &Vm) -> PyResult<ObjRef> {
        self.split_with(sep, maxsplit.unwrap_or(-1), true, vm)
    }

    /// Return a list of the lines, without line breaks unless keepends is true.
    #[method("($self, /, keepends=False)")]
    fn splitlines(&self, keepends: Option<bool>, vm: &Vm) -> PyResult<ObjRef> {
        self.lines(keepends.unwrap_or(false), vm).map(Ref::into_object)
    }

    /// Split at the first separator: the part before it, the separator, the part after it.
    #[method("($self, sep, /)")]
    fn partition(&self, sep: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let sep = separator(sep, vm)?;
        match search::find(self.data(), sep.data()) {
            Some(at) => self.partition_at(at, sep, vm),
            None => {
                let whole = self.to_exact(vm)?.into_object();
                Ok(vm
                    .new_tuple([whole, Str::empty().into_object(), Str::empty().into_object()])
                    .into_object())
            }
        }
    }

    /// Split at the last separator: the part before it, the separator, the part after it.
    #[method("($self, sep, /)")]
    fn rpartition(&self, sep: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let sep = separator(sep, vm)?;
        match search::rfind(self.data(), sep.data()) {
            Some(at) => self.partition_at(at, sep, vm),
            None => {
                let whole = self.to_exact(vm)?.into_object();
                Ok(vm
                    .new_tuple([Str::empty().into_object(), Str::empty().into_object(), whole])
                    .into_object())
            }
        }
    }
}

fn separator<'a>(sep: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    let Some(sep) = sep.downcast_ref::<Str>() else {
        return Err(vm.type_error(format!("must be str, not {}", sep.ob_type().name())));
    };
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    Ok(sep)
}
