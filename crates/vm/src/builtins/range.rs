//! `range` and its iterators.

use std::cell::Cell;

use crate::builtins::slice::adjust;
use crate::prelude::*;
use crate::protocols::number;

/// The layout of a range.
#[repr(C)]
#[derive(Traverse)]
pub struct Range {
    #[traverse(skip)]
    ob: Object,
    start: ObjRef,
    stop: ObjRef,
    step: ObjRef,
    length: ObjRef,
}

fn small_of(object: &Object) -> Option<i64> {
    object.downcast_ref::<Int>().and_then(Int::to_i64)
}

/// The number of items of a range of machine numbers; none when the arithmetic overflows.
fn small_length(start: i64, stop: i64, step: i64) -> Option<i64> {
    let (low, high, stride) = if step > 0 { (start, stop, step) } else { (stop, start, step.checked_neg()?) };
    if low >= high {
        return Some(0);
    }
    high.checked_sub(low)?.checked_sub(1)?.checked_div(stride)?.checked_add(1)
}

fn long_length(start: &Object, stop: &Object, step: &Object, vm: &Vm) -> PyResult {
    let zero = vm.new_int(0);
    let forwards = zero.rich_compare_bool(step, CompareOp::Lt, vm)?;
    let (low, high, stride) = if forwards {
        (start.to_ref(), stop.to_ref(), step.to_ref())
    } else {
        (stop.to_ref(), start.to_ref(), number::negative(step, vm)?)
    };
    if !low.rich_compare_bool(&high, CompareOp::Lt, vm)? {
        return Ok(zero);
    }
    let span = number::subtract(&*number::subtract(&high, &low, vm)?, &vm.new_int(1), vm)?;
    number::add(&*number::floor_divide(&span, &stride, vm)?, &vm.new_int(1), vm)
}

impl Range {
    fn make(start: ObjRef, stop: ObjRef, step: ObjRef, vm: &Vm) -> PyResult<Ref<Range>> {
        let parts = (small_of(&start), small_of(&stop), small_of(&step));
        let length = match parts {
            (Some(a), Some(b), Some(s)) => small_length(a, b, s).map(|n| vm.new_int(n)),
            _ => None,
        };
        let length = match length {
            Some(length) => length,
            None => long_length(&start, &stop, &step, vm)?,
        };
        Ok(vm.new_object(Range { ob: Object::new(Self::type_object()), start, stop, step, length }))
    }

    /// Start, step and length of a range of machine numbers: what nearly every range is.
    #[inline]
    pub fn as_small(&self) -> Option<(i64, i64, i64)> {
        let (start, step, length) = (small_of(&self.start)?, small_of(&self.step)?, small_of(&self.length)?);
        // One step beyond the end must not overflow either: iterators compute it.
        start.checked_add(step.checked_mul(length)?)?;
        Some((start, step, length))
    }

    /// The item at a position that is known to be inside.
    fn item(&self, index: &Object, vm: &Vm) -> PyResult {
        if let (Some((start, step, _)), Some(index)) = (self.as_small(), small_of(index)) {
            return Ok(vm.new_int(start.wrapping_add(step.wrapping_mul(index))));
        }
        number::add(&self.start, &*number::multiply(index, &self.step, vm)?, vm)
    }

    fn item_at(&self, index: &Object, vm: &Vm) -> PyResult {
        let zero = vm.new_int(0);
        let index = if index.rich_compare_bool(&zero, CompareOp::Lt, vm)? {
            number::add(index, &self.length, vm)?
        } else {
            index.to_ref()
        };
        let inside = !index.rich_compare_bool(&zero, CompareOp::Lt, vm)?
            && index.rich_compare_bool(&self.length, CompareOp::Lt, vm)?;
        if inside { self.item(&index, vm) } else { Err(vm.index_error("range object index out of range")) }
    }

    /// Whether an int is in the range, without looking at the items.
    fn contains_int(&self, value: &Object, vm: &Vm) -> PyResult<bool> {
        if let (Some((start, step, length)), Some(value)) = (self.as_small(), small_of(value)) {
            let Some(distance) = value.checked_sub(start) else { return Ok(false) };
            // Wrapping: the least number divided by -1.
            let inside = (0..length).contains(&distance.wrapping_div(step));
            return Ok(inside && distance.wrapping_rem(step) == 0);
        }
        let zero = vm.new_int(0);
        let forwards = zero.rich_compare_bool(&self.step, CompareOp::Lt, vm)?;
        let inside = if forwards {
            self.start.rich_compare_bool(value, CompareOp::Le, vm)?
                && value.rich_compare_bool(&self.stop, CompareOp::Lt, vm)?
        } else {
            value.rich_compare_bool(&self.start, CompareOp::Le, vm)?
                && self.stop.rich_compare_bool(value, CompareOp::Lt, vm)?
        };
        if !inside {
            return Ok(false);
        }
        let distance = number::subtract(value, &self.start, vm)?;
        number::remainder(&distance, &self.step, vm)?.eq(&zero, vm)
    }

    fn is_plain_int(object: &Object) -> bool {
        object.downcast_exact::<Int>().is_some() || object.downcast_exact::<Bool>().is_some()
    }

    /// What equality and the hash look at: length, start unless empty, step unless one item.
    fn key(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let none = vm.none();
        if !self.length.is_true(vm)? {
            return Ok(vm.new_tuple([self.length.clone(), none.clone(), none]));
        }
        let single = self.length.eq(&vm.new_int(1), vm)?;
        let step = if single { none } else { self.step.clone() };
        Ok(vm.new_tuple([self.length.clone(), self.start.clone(), step]))
    }
}

/// range(stop) -> range object
/// range(start, stop[, step]) -> range object
///
/// Return an object that produces a sequence of integers from start (inclusive)
/// to stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.
/// start defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.
/// These are exactly the valid indices for a list of 4 elements.
/// When step is given, it specifies the increment (or decrement).
#[pytype(name = "range", symbol = "PyRange_Type", flags(SEQUENCE), gc)]
impl Range {
    #[new("!(start, stop=None, step=None, /)")]
    fn new(
        _cls: &Type,
        start: &Object,
        stop: Option<&Object>,
        step: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<Range>> {
        let index = |o: &Object| o.as_index(vm).map(|i| i.exact(vm));
        let Some(stop) = stop else { return Range::make(vm.new_int(0), index(start)?, vm.new_int(1), vm) };
        let (start, stop) = (index(start)?, index(stop)?);
        let step = match step {
            Some(step) => index(step)?,
            None => vm.new_int(1),
        };
        if !step.is_true(vm)? {
            return Err(vm.value_error("range() arg 3 must not be zero"));
        }
        Range::make(start, stop, step, vm)
    }

    /// Return a reverse iterator.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        if let Some((start, step, length)) = self.as_small() {
            let last = start.wrapping_add(step.wrapping_mul(length - 1));
            if let Some(back) = step.checked_neg().filter(|_| last.checked_sub(step).is_some()) {
                return Ok(RangeIterator::new(last, back, length, vm));
            }
        }
        let one = vm.new_int(1);
        let last = self.item(&*number::subtract(&self.length, &one, vm)?, vm)?;
        Ok(LongRangeIterator::new(last, number::negative(&self.step, vm)?, self.length.clone(), vm))
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let args = vm.new_tuple([self.start.clone(), self.stop.clone(), self.step.clone()]);
        vm.new_tuple([Self::type_object().as_object().to_ref(), args.into_object()])
    }

    /// rangeobject.count(value) -> integer -- return number of occurrences of value
    #[method("($self, object, /)")]
    fn count(&self, object: &Object, vm: &Vm) -> PyResult<usize> {
        if Range::is_plain_int(object) {
            return self.contains_int(object, vm).map(usize::from);
        }
        let (iterator, mut count) = (self.as_object().iter(vm)?, 0);
        while let Some(item) = iterator.iter_next(vm)? {
            count += usize::from(item.eq(object, vm)?);
        }
        Ok(count)
    }

    /// rangeobject.index(value) -> integer -- return index of value.
    /// Raise ValueError if the value is not present.
    #[method("($self, object, /)")]
    fn index(&self, object: &Object, vm: &Vm) -> PyResult {
        if Range::is_plain_int(object) {
            if self.contains_int(object, vm)? {
                let distance = number::subtract(object, &self.start, vm)?;
                return number::floor_divide(&distance, &self.step, vm);
            }
            return Err(vm.value_error(format!("{} is not in range", object.repr(vm)?.to_string_lossy())));
        }
        let (iterator, mut at) = (self.as_object().iter(vm)?, 0i64);
        while let Some(item) = iterator.iter_next(vm)? {
            if item.eq(object, vm)? {
                return Ok(vm.new_int(at));
            }
            at += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
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
        let (start, stop) = (self.start.repr(vm)?, self.stop.repr(vm)?);
        let (start, stop) = (start.to_string_lossy(), stop.to_string_lossy());
        let text = if small_of(&self.step) == Some(1) {
            format!("range({start}, {stop})")
        } else {
            format!("range({start}, {stop}, {})", self.step.repr(vm)?.to_string_lossy())
        };
        Ok(vm.new_str(&text).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        self.key(vm)?.as_object().hash(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Range>(), op) else {
            return Ok(vm.not_implemented());
        };
        let same = self.key(vm)?.as_object().eq(other.key(vm)?.as_object(), vm)?;
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        match self.as_small() {
            Some((start, step, length)) => RangeIterator::new(start, step, length, vm),
            None => LongRangeIterator::new(self.start.clone(), self.step.clone(), self.length.clone(), vm),
        }
    }

    #[slot]
    fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
        self.length.is_true(vm)
    }

    #[slot]
    fn sq_length(&self, vm: &Vm) -> PyResult<usize> {
        match small_of(&self.length) {
            Some(length) => Ok(length as usize),
            None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult {
        self.item_at(&vm.new_int(i), vm)
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        if Range::is_plain_int(item) {
            return self.contains_int(item, vm);
        }
        let iterator = self.as_object().iter(vm)?;
        while let Some(candidate) = iterator.iter_next(vm)? {
            if candidate.eq(item, vm)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        self.sq_length(vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if key.has_index() {
            return self.item_at(key.as_index(vm)?.as_object(), vm);
        }
        let Some(slice) = key.downcast_exact::<Slice>() else {
            return Err(vm.type_error(format!(
                "range indices must be integers or slices, not {}",
                key.ob_type().name()
            )));
        };
        if let Some((start, step, length)) = self.as_small() {
            let (a, b, s) = slice.unpack(vm)?;
            let found = adjust(a, b, s, length as usize);
            let at = |i: isize| step.checked_mul(i as i64).and_then(|d| start.checked_add(d));
            if let (Some(first), Some(end), Some(stride)) =
                (at(found.start), at(found.stop), step.checked_mul(found.step as i64))
            {
                return Range::make(vm.new_int(first), vm.new_int(end), vm.new_int(stride), vm)
                    .map(Ref::into_object);
            }
        }
        let parts = slice.as_object().call_method(&vm.intern("indices"), &[&self.length], vm)?;
        let parts = parts.collect_iterable(vm)?;
        let [first, end, stride] = parts.as_slice() else { return Err(vm.system_error("slice.indices()")) };
        let step = number::multiply(&self.step, stride, vm)?;
        Range::make(self.item(first, vm)?, self.item(end, vm)?, step, vm).map(Ref::into_object)
    }
}

/// The iterator over a range of machine numbers.
#[repr(C)]
#[derive(Traverse)]
pub struct RangeIterator {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    next: Cell<i64>,
    #[traverse(skip)]
    step: i64,
    #[traverse(skip)]
    left: Cell<i64>,
}

impl RangeIterator {
    /// `left` numbers from `next` on.
    pub fn new(next: i64, step: i64, left: i64, vm: &Vm) -> ObjRef {
        vm.new_object(RangeIterator {
            ob: Object::new(Self::type_object()),
            next: Cell::new(next),
            step,
            left: Cell::new(left),
        })
        .into_object()
    }

    /// The next number, without an object.
    #[inline(always)]
    pub fn advance(&self) -> Option<i64> {
        let left = self.left.get();
        if left <= 0 {
            return None;
        }
        self.left.set(left - 1);
        let value = self.next.get();
        self.next.set(value.wrapping_add(self.step));
        Some(value)
    }
}

#[pytype(name = "range_iterator", symbol = "PyRangeIter_Type", doc = "")]
impl RangeIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> i64 {
        self.left.get()
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let iter = crate::builtins::builtins_module::builtin(vm.ids().iter, vm)?;
        let (next, step) = (self.next.get(), self.step);
        let stop = next.wrapping_add(step.wrapping_mul(self.left.get()));
        let range = Range::make(vm.new_int(next), vm.new_int(stop), vm.new_int(step), vm)?;
        let args = vm.new_tuple([range.into_object()]);
        Ok(vm.new_tuple([iter, args.into_object(), vm.none()]))
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: i64) {
        let skip = object.clamp(0, self.left.get());
        self.next.set(self.next.get().wrapping_add(self.step.wrapping_mul(skip)));
        self.left.set(self.left.get() - skip);
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<i64>> {
        Ok(self.advance())
    }
}

/// The iterator over a range of larger numbers.
#[repr(C)]
#[derive(Traverse)]
pub struct LongRangeIterator {
    #[traverse(skip)]
    ob: Object,
    next: Slot<Object>,
    step: ObjRef,
    left: Slot<Object>,
}

impl LongRangeIterator {
    fn new(next: ObjRef, step: ObjRef, left: ObjRef, vm: &Vm) -> ObjRef {
        vm.new_object(LongRangeIterator {
            ob: Object::new(Self::type_object()),
            next: Slot::of(next),
            step,
            left: Slot::of(left),
        })
        .into_object()
    }
}

#[pytype(name = "longrange_iterator", symbol = "PyLongRangeIter_Type", gc, doc = "")]
impl LongRangeIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> Option<ObjRef> {
        self.left.get()
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let iter = crate::builtins::builtins_module::builtin(vm.ids().iter, vm)?;
        let (next, left) =
            (self.next.get().unwrap_or_else(|| vm.none()), self.left.get().unwrap_or_else(|| vm.none()));
        let stop = number::add(&next, &*number::multiply(&left, &self.step, vm)?, vm)?;
        let range = Range::make(next, stop, self.step.clone(), vm)?;
        let args = vm.new_tuple([range.into_object()]);
        Ok(vm.new_tuple([iter, args.into_object(), vm.none()]))
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        if object.downcast_ref::<Int>().is_none() {
            let name = object.ob_type().tp_name_str();
            return Err(vm.type_error(format!("state must be an int, not {name}")));
        }
        let zero = vm.new_int(0);
        let (Some(next), Some(left)) = (self.next.get(), self.left.get()) else { return Ok(()) };
        let skip = if object.rich_compare_bool(&zero, CompareOp::Lt, vm)? {
            zero
        } else if left.rich_compare_bool(object, CompareOp::Lt, vm)? {
            left.clone()
        } else {
            object.to_ref()
        };
        let moved = number::add(&next, &*number::multiply(&skip, &self.step, vm)?, vm)?;
        self.left.put(number::subtract(&left, &skip, vm)?);
        self.next.put(moved);
        Ok(())
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let (Some(next), Some(left)) = (self.next.get(), self.left.get()) else { return Ok(None) };
        if !vm.new_int(0).rich_compare_bool(&left, CompareOp::Lt, vm)? {
            return Ok(None);
        }
        self.left.put(number::subtract(&left, &vm.new_int(1), vm)?);
        self.next.put(number::add(&next, &self.step, vm)?);
        Ok(Some(next))
    }
}
