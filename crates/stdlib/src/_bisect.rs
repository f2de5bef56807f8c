//! `_bisect`: binary search in sorted sequences.

use taipan_vm::protocols::container::sequence_item;

use taipan_vm::prelude::*;

/// The module.
pub struct Bisect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Where a search may look.
struct Span<'a> {
    lo: isize,
    hi: OrNone<isize>,
    key: Option<&'a Object>,
}

/// The place of `x` in `a`, which is sorted by `key`.
fn search(a: &Object, x: &Object, span: &Span<'_>, side: Side, vm: &Vm) -> PyResult<usize> {
    let Ok(mut lo) = usize::try_from(span.lo) else {
        return Err(vm.value_error("lo must be non-negative"));
    };
    // As in C, -1 means the end.
    let mut hi = match span.hi.0.filter(|hi| *hi != -1) {
        Some(hi) => usize::try_from(hi).unwrap_or(0),
        None => a.length(vm)?,
    };
    while lo < hi {
        let middle = lo + (hi - lo) / 2;
        let mut found = sequence_item(a, middle as isize, vm)?;
        if let Some(key) = span.key {
            found = key.call(&[&found], vm)?;
        }
        let to_the_right = match side {
            Side::Left => found.rich_compare_bool(x, CompareOp::Lt, vm)?,
            Side::Right => !x.rich_compare_bool(&found, CompareOp::Lt, vm)?,
        };
        if to_the_right {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    Ok(lo)
}

fn insert(a: &Object, x: &Object, span: &Span<'_>, side: Side, vm: &Vm) -> PyResult<()> {
    let index = match span.key {
        None => search(a, x, span, side, vm)?,
        Some(key) => search(a, &*key.call(&[x], vm)?, span, side, vm)?,
    };
    match a.downcast_exact::<List>() {
        Some(list) => list.insert(index.min(list.len()), x.to_ref(), vm),
        None => a.call_method(vm.ids().insert, &[&vm.new_int(index), x], vm).map(drop),
    }
}

fn span<'a>(lo: isize, hi: OrNone<isize>, key: OrNone<&'a Object>) -> Span<'a> {
    Span { lo, hi, key: key.0 }
}

/// Bisection algorithms.
///
/// This module provides support for maintaining a list in sorted order without
/// having to sort the list after each insertion. For long lists of items with
/// expensive comparison operations, this can be an improvement over the more
/// common approach.
#[pymodule(name = "_bisect")]
impl Bisect {
    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e <= x, and all e in
    /// a[i:] have e > x.  So if x already appears in the list, a.insert(i, x)
    /// will insert just after the rightmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[function("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_right(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: OrNone<isize>,
        key: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult<usize> {
        search(a, x, &span(lo, hi, key), Side::Right, vm)
    }

    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the right of the rightmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[function("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn insort_right(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: OrNone<isize>,
        key: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        insert(a, x, &span(lo, hi, key), Side::Right, vm)
    }

    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e < x, and all e in
    /// a[i:] have e >= x.  So if x already appears in the list, a.insert(i, x)
    /// will insert just before the leftmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[function("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_left(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: OrNone<isize>,
        key: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult<usize> {
        search(a, x, &span(lo, hi, key), Side::Left, vm)
    }

    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the left of the leftmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[function("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn insort_left(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: OrNone<isize>,
        key: OrNone<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        insert(a, x, &span(lo, hi, key), Side::Left, vm)
    }
}
