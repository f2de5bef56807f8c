//! Subscripts and bounds of text and byte sequences.

use crate::prelude::*;

/// A slice made fit for a sequence's length.
#[derive(Debug, Clone, Copy)]
pub struct SliceRange {
    /// The first index.
    pub start: isize,
    /// The distance from one index to the next; not 0.
    pub step: isize,
    /// How many indices there are.
    pub count: usize,
}

impl SliceRange {
    /// The indices in order.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..self.count as isize).map(move |i| self.start.wrapping_add(i.wrapping_mul(self.step)) as usize)
    }

    /// Fits Python's bounds to a sequence of `len` items, as `PySlice_AdjustIndices` does.
    pub fn adjust(start: isize, stop: isize, step: isize, len: usize) -> SliceRange {
        let len = len as isize;
        let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
        let fit = |bound: isize| {
            let bound = if bound < 0 { bound.saturating_add(len) } else { bound };
            bound.clamp(low, high.max(low))
        };
        let (start, stop) = (fit(start), fit(stop));
        let count = match step {
            1 => (stop - start).max(0),
            _ if step > 0 && start < stop => (stop - start - 1) / step + 1,
            _ if step < 0 && stop < start => (start - stop - 1) / step.saturating_neg() + 1,
            _ => 0,
        };
        SliceRange { start, step, count: count as usize }
    }

    /// The range that a slice object means for a sequence whose length `len` tells. The length is asked after the
    /// bounds, since finding those may run Python code that changes it.
    pub fn new(slice: &Slice, len: impl FnOnce() -> usize, vm: &Vm) -> PyResult<SliceRange> {
        let step = match bound(&slice.step, vm)? {
            None => 1,
            Some(0) => return Err(vm.value_error("slice step cannot be zero")),
            // So that it can be negated.
            Some(step) => step.max(-isize::MAX),
        };
        let start = bound(&slice.start, vm)?.unwrap_or(if step < 0 { isize::MAX } else { 0 });
        let stop = bound(&slice.stop, vm)?.unwrap_or(if step < 0 { isize::MIN } else { isize::MAX });
        Ok(SliceRange::adjust(start, stop, step, len()))
    }
}

/// A bound of a slice: `None` for Python's None, else an int of any size, cut to the range of `isize`.
fn bound(object: &Object, vm: &Vm) -> PyResult<Option<isize>> {
    if vm.is_none(object) {
        return Ok(None);
    }
    if !object.has_index() {
        return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
    }
    object.as_isize_clamped(vm).map(Some)
}

/// The optional `start` and `end` arguments of `find` and its relatives.
#[derive(Clone, Copy)]
pub struct Bounds {
    start: isize,
    end: isize,
}

impl Bounds {
    /// Reads the arguments.
    #[inline]
    pub fn new(start: Option<&Object>, end: Option<&Object>, vm: &Vm) -> PyResult<Bounds> {
        let start = match start {
            Some(object) => bound(object, vm)?.unwrap_or(0),
            None => 0,
        };
        let end = match end {
            Some(object) => bound(object, vm)?.unwrap_or(isize::MAX),
            None => isize::MAX,
        };
        Ok(Bounds { start, end })
    }

    /// The part of a sequence of `len` items that is meant; `None` when it starts behind the end, where not even an
    /// empty needle is found.
    #[inline]
    pub fn resolve(self, len: usize) -> Option<(usize, usize)> {
        let len = len as isize;
        let fit = |bound: isize| if bound < 0 { bound.saturating_add(len).max(0) } else { bound };
        let (start, end) = (fit(self.start), fit(self.end.min(len)));
        if start > end { None } else { Some((start as usize, end as usize)) }
    }
}
