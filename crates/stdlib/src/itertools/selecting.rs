//! `compress`, `dropwhile`, `filterfalse`, `islice`, `takewhile`.

use std::cell::Cell;

use taipan_vm::prelude::*;

/// The layout of `compress`.
#[repr(C)]
#[derive(Traverse)]
pub struct Compress {
    #[traverse(skip)]
    ob: Object,
    data: ObjRef,
    selectors: ObjRef,
}

/// Return data elements corresponding to true selector elements.
///
/// Forms a shorter iterator from selected data elements using the selectors to
/// choose the data elements.
#[pytype(name = "itertools.compress", flags(BASETYPE), gc)]
impl Compress {
    #[new("(data, selectors)")]
    fn new(cls: &Type, data: &Object, selectors: &Object, vm: &Vm) -> PyResult {
        let (data, selectors) = (data.iter(vm)?, selectors.iter(vm)?);
        vm.new_instance(cls, Compress { ob: Object::new(Self::type_object()), data, selectors })
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        loop {
            let Some(item) = self.data.iter_next(vm)? else { return Ok(None) };
            let Some(selector) = self.selectors.iter_next(vm)? else { return Ok(None) };
            if selector.is_true(vm)? {
                return Ok(Some(item));
            }
        }
    }
}

macro_rules! predicate_type {
    ($(#[$doc:meta])* $layout:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $layout {
            #[traverse(skip)]
            ob: Object,
            predicate: ObjRef,
            iterator: ObjRef,
            #[traverse(skip)]
            done: Cell<bool>,
        }

        impl $layout {
            fn make(cls: &Type, predicate: &Object, iterable: &Object, vm: &Vm) -> PyResult {
                let iterator = iterable.iter(vm)?;
                let predicate = predicate.to_ref();
                vm.new_instance(
                    cls,
                    $layout { ob: Object::new(Self::type_object()), predicate, iterator, done: Cell::new(false) },
                )
            }
        }
    };
}

predicate_type!(
    /// The layout of `dropwhile`.
    DropWhile
);
predicate_type!(
    /// The layout of `takewhile`.
    TakeWhile
);
predicate_type!(
    /// The layout of `filterfalse`.
    FilterFalse
);

/// Drop items from the iterable while predicate(item) is true.
///
/// Afterwards, return every element until the iterable is exhausted.
#[pytype(name = "itertools.dropwhile", flags(BASETYPE), gc)]
impl DropWhile {
    #[new("(predicate, iterable, /)")]
    fn new(cls: &Type, predicate: &Object, iterable: &Object, vm: &Vm) -> PyResult {
        DropWhile::make(cls, predicate, iterable, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        loop {
            let Some(item) = self.iterator.iter_next(vm)? else { return Ok(None) };
            if self.done.get() {
                return Ok(Some(item));
            }
            if !self.predicate.call(&[&item], vm)?.is_true(vm)? {
                self.done.set(true);
                return Ok(Some(item));
            }
        }
    }
}

/// Return successive entries from an iterable as long as the predicate evaluates to true for each entry.
#[pytype(name = "itertools.takewhile", flags(BASETYPE), gc)]
impl TakeWhile {
    #[new("(predicate, iterable, /)")]
    fn new(cls: &Type, predicate: &Object, iterable: &Object, vm: &Vm) -> PyResult {
        TakeWhile::make(cls, predicate, iterable, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if self.done.get() {
            return Ok(None);
        }
        let Some(item) = self.iterator.iter_next(vm)? else { return Ok(None) };
        if self.predicate.call(&[&item], vm)?.is_true(vm)? {
            return Ok(Some(item));
        }
        self.done.set(true);
        Ok(None)
    }
}

/// Return those items of iterable for which function(item) is false.
///
/// If function is None, return the items that are false.
#[pytype(name = "itertools.filterfalse", flags(BASETYPE), gc)]
impl FilterFalse {
    #[new("(function, iterable, /)")]
    fn new(cls: &Type, function: &Object, iterable: &Object, vm: &Vm) -> PyResult {
        FilterFalse::make(cls, function, iterable, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let plain = vm.is_none(&self.predicate) || self.predicate.is(Bool::type_object().as_object());
        while let Some(item) = self.iterator.iter_next(vm)? {
            let truth =
                if plain { item.is_true(vm)? } else { self.predicate.call(&[&item], vm)?.is_true(vm)? };
            if !truth {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}

/// The layout of `islice`.
#[repr(C)]
#[derive(Traverse)]
pub struct ISlice {
    #[traverse(skip)]
    ob: Object,
    iterator: Slot<Object>,
    #[traverse(skip)]
    next: Cell<usize>,
    #[traverse(skip)]
    stop: Option<usize>,
    #[traverse(skip)]
    step: usize,
    #[traverse(skip)]
    seen: Cell<usize>,
}

/// islice(iterable, stop) --> islice object
/// islice(iterable, start, stop[, step]) --> islice object
///
/// Return an iterator whose next() method returns selected values from an
/// iterable.  If start is specified, will skip all preceding elements;
/// otherwise, start defaults to zero.  Step defaults to one.  If
/// specified as another value, step determines how many values are
/// skipped between successive calls.  Works like a slice() on a list
/// but returns an iterator.
#[pytype(name = "itertools.islice", flags(BASETYPE), gc)]
impl ISlice {
    #[new("!(iterable, start, stop=None, step=None, /)")]
    fn new(
        cls: &Type,
        iterable: &Object,
        start: &Object,
        stop: Option<&Object>,
        step: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let (start, stop) = match stop {
            None => (None, Some(start)),
            Some(stop) => (Some(start), Some(stop)),
        };
        let number = |given: Option<&Object>, text: &str| -> PyResult<Option<usize>> {
            let Some(given) = given.filter(|g| !vm.is_none(g)) else { return Ok(None) };
            match given.as_isize(vm).ok().and_then(|n| usize::try_from(n).ok()) {
                Some(n) => Ok(Some(n)),
                None => {
                    vm.clear_exception();
                    Err(vm.value_error(text))
                }
            }
        };
        let only_stop = start.is_none();
        let stop = number(
            stop,
            if only_stop {
                "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize."
            } else {
                "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize."
            },
        )?;
        let start = number(start, "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")?
            .unwrap_or(0);
        let step = number(step, "Step for islice() must be a positive integer or None.")?.unwrap_or(1);
        if step == 0 {
            return Err(vm.value_error("Step for islice() must be a positive integer or None."));
        }
        vm.new_instance(
            cls,
            ISlice {
                ob: Object::new(Self::type_object()),
                iterator: Slot::of(iterable.iter(vm)?),
                next: Cell::new(start),
                stop,
                step,
                seen: Cell::new(0),
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(iterator) = self.iterator.get() else { return Ok(None) };
        let stop = self.stop.unwrap_or(usize::MAX);
        let target = self.next.get();
        while self.seen.get() < target {
            if iterator.iter_next(vm)?.is_none() {
                self.iterator.set(None);
                return Ok(None);
            }
            self.seen.set(self.seen.get() + 1);
        }
        if self.seen.get() >= stop {
            self.iterator.set(None);
            return Ok(None);
        }
        let Some(item) = iterator.iter_next(vm)? else {
            self.iterator.set(None);
            return Ok(None);
        };
        self.seen.set(self.seen.get() + 1);
        self.next.set(target.saturating_add(self.step).min(stop));
        Ok(Some(item))
    }
}
