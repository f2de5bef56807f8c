//! `count`, `cycle`, `repeat`.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;

/// The layout of `count`.
#[repr(C)]
#[derive(Traverse)]
pub struct Count {
    #[traverse(skip)]
    ob: Object,
    next: Slot<Object>,
    step: ObjRef,
    /// The next number while it and the step are machine numbers.
    #[traverse(skip)]
    fast: Cell<Option<i64>>,
}

/// Return a count object whose .__next__() method returns consecutive values.
///
/// Equivalent to:
///     def count(firstval=0, step=1):
///         x = firstval
///         while 1:
///             yield x
///             x += step
#[pytype(name = "itertools.count", flags(BASETYPE), gc)]
impl Count {
    #[new("(start=0, step=1)")]
    fn new(cls: &Type, start: Option<&Object>, step: Option<&Object>, vm: &Vm) -> PyResult {
        let is_number = |o: &Object| {
            o.has_index()
                || o.ob_type()
                    .as_number()
                    .is_some_and(|n| n.nb_float.get().is_some() || n.nb_int.get().is_some())
                || o.downcast_ref::<Complex>().is_some()
        };
        for given in [start, step].into_iter().flatten() {
            if !is_number(given) {
                return Err(vm.type_error("a number is required"));
            }
        }
        let start = start.map_or_else(|| vm.new_int(0), Object::to_ref);
        let step = step.map_or_else(|| vm.new_int(1), Object::to_ref);
        let unit = step.downcast_exact::<Int>().and_then(Int::to_i64) == Some(1);
        let fast = if unit { start.downcast_exact::<Int>().and_then(Int::to_i64) } else { None };
        vm.new_instance(
            cls,
            Count {
                ob: Object::new(Self::type_object()),
                next: Slot::of(start),
                step,
                fast: Cell::new(fast),
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(value) = self.fast.get() {
            self.fast.set(value.checked_add(1));
            if self.fast.get().is_none() {
                self.next.put(number::add(&vm.new_int(value), &self.step, vm)?);
            }
            return Ok(Some(vm.new_int(value)));
        }
        let value = self.next.get().unwrap_or_else(|| vm.new_int(0));
        self.next.put(number::add(&value, &self.step, vm)?);
        Ok(Some(value))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let next = match self.fast.get() {
            Some(value) => vm.new_int(value),
            None => self.next.get().unwrap_or_else(|| vm.new_int(0)),
        };
        let next = next.repr(vm)?;
        if self.step.downcast_exact::<Int>().and_then(Int::to_i64) == Some(1) {
            return Ok(format!("count({})", next.to_string_lossy()));
        }
        Ok(format!("count({}, {})", next.to_string_lossy(), self.step.repr(vm)?.to_string_lossy()))
    }
}

/// The layout of `cycle`.
#[repr(C)]
#[derive(Traverse)]
pub struct Cycle {
    #[traverse(skip)]
    ob: Object,
    iterator: Slot<Object>,
    saved: RefCell<Vec<ObjRef>>,
    #[traverse(skip)]
    at: Cell<usize>,
}

/// Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.
#[pytype(name = "itertools.cycle", flags(BASETYPE), gc)]
impl Cycle {
    #[new("(iterable, /)")]
    fn new(cls: &Type, iterable: &Object, vm: &Vm) -> PyResult {
        let iterator = Slot::of(iterable.iter(vm)?);
        vm.new_instance(
            cls,
            Cycle {
                ob: Object::new(Self::type_object()),
                iterator,
                saved: RefCell::default(),
                at: Cell::new(0),
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(iterator) = self.iterator.get() {
            if let Some(item) = iterator.iter_next(vm)? {
                self.saved.borrow_mut().push(item.clone());
                return Ok(Some(item));
            }
            self.iterator.set(None);
        }
        let saved = self.saved.borrow();
        let at = self.at.get();
        let item = saved.get(at).cloned();
        self.at.set(if at + 1 >= saved.len() { 0 } else { at + 1 });
        Ok(item)
    }
}

/// The layout of `repeat`.
#[repr(C)]
#[derive(Traverse)]
pub struct Repeat {
    #[traverse(skip)]
    ob: Object,
    element: ObjRef,
    #[traverse(skip)]
    left: Cell<isize>,
}

/// repeat(object [,times]) -> create an iterator which returns the object
/// for the specified number of times.  If not specified, returns the object
/// endlessly.
#[pytype(name = "itertools.repeat", flags(BASETYPE), gc)]
impl Repeat {
    #[new("!(object, times=None)")]
    fn new(cls: &Type, object: &Object, times: Option<isize>, vm: &Vm) -> PyResult {
        let left = times.map_or(-1, |n| n.max(0));
        vm.new_instance(
            cls,
            Repeat { ob: Object::new(Self::type_object()), element: object.to_ref(), left: Cell::new(left) },
        )
    }

    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self, vm: &Vm) -> PyResult<isize> {
        if self.left.get() < 0 {
            return Err(vm.type_error("len() of unsized object"));
        }
        Ok(self.left.get())
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        match self.left.get() {
            0 => return Ok(None),
            left if left > 0 => self.left.set(left - 1),
            _ => {}
        }
        Ok(Some(self.element.clone()))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let element = self.element.repr(vm)?;
        let element = element.to_string_lossy();
        Ok(match self.left.get() {
            left if left < 0 => format!("repeat({element})"),
            left => format!("repeat({element}, {left})"),
        })
    }
}
