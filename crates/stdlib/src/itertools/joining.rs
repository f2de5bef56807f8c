//! `accumulate`, `chain`, `starmap`, `zip_longest`.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;

/// The layout of `accumulate`.
#[repr(C)]
#[derive(Traverse)]
pub struct Accumulate {
    #[traverse(skip)]
    ob: Object,
    iterator: ObjRef,
    function: Slot<Object>,
    total: Slot<Object>,
    initial: Slot<Object>,
}

/// Return series of accumulated sums (or other binary function results).
#[pytype(name = "itertools.accumulate", flags(BASETYPE), gc)]
impl Accumulate {
    #[new("(iterable, func=None, *, initial=None)")]
    fn new(
        cls: &Type,
        iterable: &Object,
        func: Option<&Object>,
        initial: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let given = |o: Option<&Object>| Slot::new(o.filter(|o| !vm.is_none(o)).map(Object::to_ref));
        vm.new_instance(
            cls,
            Accumulate {
                ob: Object::new(Self::type_object()),
                iterator: iterable.iter(vm)?,
                function: given(func),
                total: Slot::empty(),
                initial: given(initial),
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(initial) = self.initial.take() {
            self.total.put(initial.clone());
            return Ok(Some(initial));
        }
        let Some(item) = self.iterator.iter_next(vm)? else { return Ok(None) };
        let total = match (self.total.get(), self.function.get()) {
            (None, _) => item,
            (Some(total), Some(function)) => function.call(&[&total, &item], vm)?,
            (Some(total), None) => taipan_vm::protocols::number::add(&total, &item, vm)?,
        };
        self.total.put(total.clone());
        Ok(Some(total))
    }
}

/// The layout of `chain`.
#[repr(C)]
#[derive(Traverse)]
pub struct Chain {
    #[traverse(skip)]
    ob: Object,
    sources: Slot<Object>,
    active: Slot<Object>,
}

/// Return a chain object whose .__next__() method returns elements from the
/// first iterable until it is exhausted, then elements from the next
/// iterable, until all of the iterables are exhausted.
#[pytype(name = "itertools.chain", flags(BASETYPE), gc)]
impl Chain {
    #[new("(*iterables)")]
    fn new(cls: &Type, iterables: &[&Object], vm: &Vm) -> PyResult {
        let sources = Tuple::from_slice(iterables, vm).as_object().iter(vm)?;
        Chain::over(cls, sources, vm)
    }

    fn over(cls: &Type, sources: ObjRef, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Chain { ob: Object::new(Self::type_object()), sources: Slot::of(sources), active: Slot::empty() },
        )
    }

    /// Alternative chain() constructor taking a single iterable argument that evaluates lazily.
    #[classmethod("($type, iterable, /)")]
    fn from_iterable(cls: &Type, iterable: &Object, vm: &Vm) -> PyResult {
        Chain::over(cls, iterable.iter(vm)?, vm)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        loop {
            if let Some(active) = self.active.get() {
                if let Some(item) = active.iter_next(vm)? {
                    return Ok(Some(item));
                }
                self.active.set(None);
            }
            let Some(sources) = self.sources.get() else { return Ok(None) };
            match sources.iter_next(vm) {
                Ok(Some(source)) => match source.iter(vm) {
                    Ok(iterator) => self.active.put(iterator),
                    Err(Raised) => {
                        self.sources.set(None);
                        return Err(Raised);
                    }
                },
                Ok(None) => {
                    self.sources.set(None);
                    return Ok(None);
                }
                Err(Raised) => {
                    self.sources.set(None);
                    return Err(Raised);
                }
            }
        }
    }
}

/// The layout of `starmap`.
#[repr(C)]
#[derive(Traverse)]
pub struct StarMap {
    #[traverse(skip)]
    ob: Object,
    function: ObjRef,
    iterator: ObjRef,
}

/// Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence.
#[pytype(name = "itertools.starmap", flags(BASETYPE), gc)]
impl StarMap {
    #[new("(function, iterable, /)")]
    fn new(cls: &Type, function: &Object, iterable: &Object, vm: &Vm) -> PyResult {
        let iterator = iterable.iter(vm)?;
        vm.new_instance(
            cls,
            StarMap { ob: Object::new(Self::type_object()), function: function.to_ref(), iterator },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(args) = self.iterator.iter_next(vm)? else { return Ok(None) };
        let args = args.collect_iterable(vm)?;
        self.function.call(taipan_vm::protocols::native::borrow_all(&args), vm).map(Some)
    }
}

/// The layout of `zip_longest`.
#[repr(C)]
#[derive(Traverse)]
pub struct ZipLongest {
    #[traverse(skip)]
    ob: Object,
    iterators: RefCell<Vec<Option<ObjRef>>>,
    fill: ObjRef,
    #[traverse(skip)]
    active: Cell<usize>,
}

/// Return a zip_longest object whose .__next__() method returns a tuple where
/// the i-th element comes from the i-th iterable argument.  The .__next__()
/// method continues until the longest iterable in the argument sequence
/// is exhausted and then it raises StopIteration.  When the shorter iterables
/// are exhausted, the fillvalue is substituted in their place.  The fillvalue
/// defaults to None or can be specified by a keyword argument.
#[pytype(name = "itertools.zip_longest", flags(BASETYPE), gc)]
impl ZipLongest {
    #[new("(*iterables, fillvalue=None)")]
    fn new(cls: &Type, iterables: &[&Object], fillvalue: Option<&Object>, vm: &Vm) -> PyResult {
        let mut iterators = Vec::with_capacity(iterables.len());
        for iterable in iterables {
            iterators.push(Some(iterable.iter(vm)?));
        }
        let active = Cell::new(iterators.len());
        vm.new_instance(
            cls,
            ZipLongest {
                ob: Object::new(Self::type_object()),
                iterators: RefCell::new(iterators),
                fill: fillvalue.unwrap_or(vm.none_ref()).to_ref(),
                active,
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if self.active.get() == 0 {
            return Ok(None);
        }
        let iterators = self.iterators.borrow().clone();
        let mut items = Vec::with_capacity(iterators.len());
        for (at, iterator) in iterators.into_iter().enumerate() {
            let item = match iterator {
                Some(iterator) => iterator.iter_next(vm)?,
                None => {
                    items.push(self.fill.clone());
                    continue;
                }
            };
            match item {
                Some(item) => items.push(item),
                None => {
                    self.active.set(self.active.get().saturating_sub(1));
                    let gone = self.iterators.borrow_mut().get_mut(at).and_then(Option::take);
                    drop(gone);
                    if self.active.get() == 0 {
                        return Ok(None);
                    }
                    items.push(self.fill.clone());
                }
            }
        }
        Ok(Some(vm.new_tuple(items).into_object()))
    }
}
