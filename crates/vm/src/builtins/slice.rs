//! `slice`, and the arithmetic of slices that sequences share.

use crate::prelude::*;

/// `PySliceObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct Slice {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    /// The start or `None`.
    pub start: ObjRef,
    /// The stop or `None`.
    pub stop: ObjRef,
    /// The step or `None`.
    pub step: ObjRef,
}

const _: () = assert!(size_of::<Slice>() == 40);

/// A slice fitted to a sequence of some length: `count` items from `start` on, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SliceIndices {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub count: usize,
}

impl Slice {
    /// A slice object.
    pub fn new(start: ObjRef, stop: ObjRef, step: ObjRef, vm: &Vm) -> Ref<Self> {
        vm.new_object(Slice { ob: Object::new(Self::type_object()), start, stop, step })
    }

    /// Start, stop and step as machine numbers, with the defaults of the step's direction (`PySlice_Unpack`).
    pub fn unpack(&self, vm: &Vm) -> PyResult<(isize, isize, isize)> {
        let index = |part: &Object, vm: &Vm| -> PyResult<Option<isize>> {
            if vm.is_none(part) {
                return Ok(None);
            }
            if !part.has_index() {
                return Err(
                    vm.type_error("slice indices must be integers or None or have an __index__ method")
                );
            }
            part.as_isize_clamped(vm).map(Some)
        };
        let step = match index(&self.step, vm)? {
            None => 1,
            Some(0) => return Err(vm.value_error("slice step cannot be zero")),
            // The least value can't be negated.
            Some(step) => step.max(-isize::MAX),
        };
        let start = index(&self.start, vm)?.unwrap_or(if step < 0 { isize::MAX } else { 0 });
        let stop = index(&self.stop, vm)?.unwrap_or(if step < 0 { isize::MIN } else { isize::MAX });
        Ok((start, stop, step))
    }

    /// The slice fitted to a sequence. The length is asked for after the indices, whose `__index__` may change it.
    pub fn indices_for(&self, length: impl FnOnce() -> usize, vm: &Vm) -> PyResult<SliceIndices> {
        let (start, stop, step) = self.unpack(vm)?;
        Ok(adjust(start, stop, step, length()))
    }
}

/// Fits start, stop and step to a length (`PySlice_AdjustIndices`).
pub fn adjust(start: isize, stop: isize, step: isize, length: usize) -> SliceIndices {
    let length = isize::try_from(length).unwrap_or(isize::MAX);
    let fit = |at: isize| {
        if at < 0 {
            let at = at.saturating_add(length);
            if at < 0 { if step < 0 { -1 } else { 0 } } else { at }
        } else if at >= length {
            if step < 0 { length - 1 } else { length }
        } else {
            at
        }
    };
    let (start, stop) = (fit(start), fit(stop));
    let count = if step < 0 && stop < start {
        (start - stop - 1) / -step + 1
    } else if step > 0 && start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    SliceIndices { start, stop, step, count: count as usize }
}

/// slice(stop)
/// slice(start, stop[, step])
///
/// Create a slice object.  This is used for extended slicing (e.g. a[0:10:2]).
#[pytype(name = "slice", symbol = "PySlice_Type", gc)]
impl Slice {
    #[new("!(start, stop=None, step=None, /)")]
    fn construct(
        _cls: &Type,
        start: &Object,
        stop: Option<&Object>,
        step: Option<&Object>,
        vm: &Vm,
    ) -> Ref<Self> {
        let none = vm.none_ref();
        let (start, stop) = match stop {
            None => (none, start),
            Some(stop) => (start, stop),
        };
        Slice::new(start.to_ref(), stop.to_ref(), step.unwrap_or(none).to_ref(), vm)
    }

    /// S.indices(len) -> (start, stop, stride)
    ///
    /// Assuming a sequence of length len, calculate the start and stop
    /// indices, and the stride length of the extended slice described by
    /// S. Out of bounds indices are clipped in a manner consistent with the
    /// handling of normal slices.
    #[method("($self, object, /)")]
    fn indices(&self, object: &Object, vm: &Vm) -> PyResult {
        let length = object.as_index(vm)?;
        if length.is_negative() {
            return Err(vm.value_error("length should not be negative"));
        }
        if let Some(length) = length.to_i64().filter(|n| *n < isize::MAX as i64) {
            let fits = |part: &Object| {
                vm.is_none(part) || part.downcast_ref::<Int>().is_some_and(|i| i.to_i64().is_some())
            };
            if fits(&self.start) && fits(&self.stop) && fits(&self.step) {
                let (start, stop, step) = self.unpack(vm)?;
                let found = adjust(start, stop, step, length as usize);
                return Ok(vm
                    .new_tuple([vm.new_int(found.start), vm.new_int(found.stop), vm.new_int(found.step)])
                    .into_object());
            }
        }
        long_indices(self, &length, vm)
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let parts = vm.new_tuple([self.start.clone(), self.stop.clone(), self.step.clone()]);
        vm.new_tuple([self.as_object().ob_type().as_object().to_ref(), parts.into_object()])
    }

    #[getter]
    fn start(&self) -> ObjRef {
        self.start.clone()
    }

    #[getter]
    fn stop(&self) -> ObjRef {
        self.stop.clone()
    }

    #[getter]
    fn step(&self) -> ObjRef {
        self.step.clone()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let (start, stop, step) = (self.start.repr(vm)?, self.stop.repr(vm)?, self.step.repr(vm)?);
        let text = format!(
            "slice({}, {}, {})",
            start.to_string_lossy(),
            stop.to_string_lossy(),
            step.to_string_lossy()
        );
        Ok(vm.new_str(&text).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let parts = vm.new_tuple([self.start.clone(), self.stop.clone(), self.step.clone()]);
        parts.as_object().hash(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_exact::<Slice>() else { return Ok(vm.not_implemented()) };
        if std::ptr::eq(self, other) {
            return Ok(vm.new_bool(matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge)));
        }
        let parts = |s: &Slice| vm.new_tuple([s.start.clone(), s.stop.clone(), s.step.clone()]);
        parts(self).as_object().rich_compare(parts(other).as_object(), op, vm)
    }
}

/// `indices` beyond the machine's numbers.
fn long_indices(slice: &Slice, length: &Int, vm: &Vm) -> PyResult {
    use crate::protocols::number;
    let (zero, one) = (vm.new_int(0), vm.new_int(1));
    let length = length.as_object();
    let checked = |part: &Object| -> PyResult<ObjRef> {
        if !part.has_index() {
            return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        Ok(part.as_index(vm)?.into_object())
    };
    let less = |a: &Object, b: &Object| a.rich_compare_bool(b, CompareOp::Lt, vm);
    let step = if vm.is_none(&slice.step) { one.clone() } else { checked(&slice.step)? };
    let backwards = less(&step, &zero)?;
    if !backwards && step.eq(&zero, vm)? {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let (lower, upper) = if backwards {
        (vm.new_int(-1), number::subtract(length, &one, vm)?)
    } else {
        (zero.clone(), length.to_ref())
    };
    let fit = |part: &Object, default: &Object| -> PyResult<ObjRef> {
        if vm.is_none(part) {
            return Ok(default.to_ref());
        }
        let at = checked(part)?;
        if less(&at, &zero)? {
            let at = number::add(&at, length, vm)?;
            return Ok(if less(&at, &lower)? { lower.clone() } else { at });
        }
        Ok(if less(&upper, &at)? { upper.clone() } else { at })
    };
    let (start_default, stop_default) = if backwards { (&upper, &lower) } else { (&lower, &upper) };
    let start = fit(&slice.start, start_default)?;
    let stop = fit(&slice.stop, stop_default)?;
    Ok(vm.new_tuple([start, stop, step]).into_object())
}
