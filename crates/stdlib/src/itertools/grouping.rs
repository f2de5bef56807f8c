//! `batched`, `groupby`, `pairwise`, `tee`.

use std::cell::Cell;

use taipan_vm::prelude::*;

/// The layout of `batched`.
#[repr(C)]
#[derive(Traverse)]
pub struct Batched {
    #[traverse(skip)]
    ob: Object,
    iterator: ObjRef,
    #[traverse(skip)]
    size: usize,
    #[traverse(skip)]
    strict: bool,
}

/// Batch data into tuples of length n. The last batch may be shorter than n.
///
/// Loops over the input iterable and accumulates data into tuples
/// up to size n.  The input is consumed lazily, just enough to
/// fill a batch.  The result is yielded as soon as a batch is full
/// or when the input iterable is exhausted.
///
///     >>> for batch in batched('ABCDEFG', 3):
///     ...     print(batch)
///     ...
///     ('A', 'B', 'C')
///     ('D', 'E', 'F')
///     ('G',)
///
/// If "strict" is True, raises a ValueError if the final batch is shorter
/// than n.
#[pytype(name = "itertools.batched", flags(BASETYPE), gc)]
impl Batched {
    #[new("(iterable, n, *, strict=False)")]
    fn new(cls: &Type, iterable: &Object, n: isize, strict: bool, vm: &Vm) -> PyResult {
        let Some(size) = usize::try_from(n).ok().filter(|n| *n > 0) else {
            return Err(vm.value_error("n must be at least one"));
        };
        let iterator = iterable.iter(vm)?;
        vm.new_instance(cls, Batched { ob: Object::new(Self::type_object()), iterator, size, strict })
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let mut items = Vec::new();
        while items.len() < self.size {
            match self.iterator.iter_next(vm)? {
                Some(item) => items.push(item),
                None if items.is_empty() => return Ok(None),
                None if self.strict => return Err(vm.value_error("batched(): incomplete batch")),
                None => break,
            }
        }
        Ok(Some(vm.new_tuple(items).into_object()))
    }
}

/// The layout of `pairwise`.
#[repr(C)]
#[derive(Traverse)]
pub struct Pairwise {
    #[traverse(skip)]
    ob: Object,
    iterator: ObjRef,
    old: Slot<Object>,
}

/// Return an iterator of overlapping pairs taken from the input iterator.
///
///     s -> (s0,s1), (s1,s2), (s2, s3), ...
#[pytype(name = "itertools.pairwise", flags(BASETYPE), gc)]
impl Pairwise {
    #[new("(iterable, /)")]
    fn new(cls: &Type, iterable: &Object, vm: &Vm) -> PyResult {
        let iterator = iterable.iter(vm)?;
        vm.new_instance(cls, Pairwise { ob: Object::new(Self::type_object()), iterator, old: Slot::empty() })
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let old = match self.old.get() {
            Some(old) => old,
            None => match self.iterator.iter_next(vm)? {
                Some(first) => {
                    self.old.put(first.clone());
                    first
                }
                None => return Ok(None),
            },
        };
        let Some(new) = self.iterator.iter_next(vm)? else { return Ok(None) };
        self.old.put(new.clone());
        Ok(Some(vm.new_tuple([old, new]).into_object()))
    }
}

/// The layout of `groupby`.
#[repr(C)]
#[derive(Traverse)]
pub struct GroupBy {
    #[traverse(skip)]
    ob: Object,
    iterator: ObjRef,
    key: Slot<Object>,
    /// The key of the group that was handed out last.
    target: Slot<Object>,
    current_key: Slot<Object>,
    current: Slot<Object>,
    /// Which group may take items: the last one handed out.
    #[traverse(skip)]
    generation: Cell<u64>,
}

impl GroupBy {
    /// Fetches the next item and its key. False at the end.
    fn step(&self, vm: &Vm) -> PyResult<bool> {
        let Some(item) = self.iterator.iter_next(vm)? else { return Ok(false) };
        let key = match self.key.get() {
            Some(function) => function.call(&[&item], vm)?,
            None => item.clone(),
        };
        self.current.put(item);
        self.current_key.put(key);
        Ok(true)
    }
}

/// make an iterator that returns consecutive keys and groups from the iterable
///
///   iterable
///     Elements to divide into groups according to the key function.
///   key
///     A function for computing the group category for each element.
///     If the key function is not specified or is None, the element itself
///     is used for grouping.
#[pytype(name = "itertools.groupby", flags(BASETYPE), gc)]
impl GroupBy {
    #[new("(iterable, key=None)")]
    fn new(cls: &Type, iterable: &Object, key: Option<&Object>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            GroupBy {
                ob: Object::new(Self::type_object()),
                iterator: iterable.iter(vm)?,
                key: Slot::new(key.filter(|k| !vm.is_none(k)).map(Object::to_ref)),
                target: Slot::empty(),
                current_key: Slot::empty(),
                current: Slot::empty(),
                generation: Cell::new(0),
            },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.generation.set(self.generation.get() + 1);
        loop {
            match (self.current_key.get(), self.target.get()) {
                (None, _) => {}
                (Some(_), None) => break,
                (Some(current), Some(target)) => {
                    if !target.eq(&current, vm)? {
                        break;
                    }
                }
            }
            if !self.step(vm)? {
                return Ok(None);
            }
        }
        let key = self.current_key.get().unwrap_or_else(|| vm.none());
        self.target.put(key.clone());
        let group = vm.new_object(Group {
            ob: Object::new(Group::type_object()),
            parent: self.into(),
            key: key.clone(),
            generation: self.generation.get(),
        });
        Ok(Some(vm.new_tuple([key, group.into_object()]).into_object()))
    }
}

/// One group of `groupby`.
#[repr(C)]
#[derive(Traverse)]
pub struct Group {
    #[traverse(skip)]
    ob: Object,
    parent: Ref<GroupBy>,
    key: ObjRef,
    #[traverse(skip)]
    generation: u64,
}

#[pytype(name = "itertools._grouper", gc, no_new, doc = "")]
impl Group {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let parent = &self.parent;
        if parent.generation.get() != self.generation {
            return Ok(None);
        }
        if parent.current.is_none() && !parent.step(vm)? {
            return Ok(None);
        }
        let Some(current_key) = parent.current_key.get() else { return Ok(None) };
        if !self.key.eq(&current_key, vm)? {
            return Ok(None);
        }
        Ok(parent.current.take())
    }
}

/// One link of the items that `tee`'s iterators share.
#[repr(C)]
#[derive(Traverse)]
pub struct TeeLink {
    #[traverse(skip)]
    ob: Object,
    source: Slot<Object>,
    item: Slot<Object>,
    next: Slot<TeeLink>,
}

impl TeeLink {
    fn make(source: ObjRef, vm: &Vm) -> Ref<TeeLink> {
        vm.new_object(TeeLink {
            ob: Object::new(TeeLink::type_object()),
            source: Slot::of(source),
            item: Slot::empty(),
            next: Slot::empty(),
        })
    }
}

impl Drop for TeeLink {
    fn drop(&mut self) {
        // A long chain is taken apart link by link, not by recursion.
        let mut next = self.next.take();
        while let Some(link) = next {
            if !link.as_object().is_unique() {
                break;
            }
            next = link.next.take();
        }
    }
}

#[pytype(name = "itertools._tee_dataobject", gc, no_new, doc = "")]
impl TeeLink {}

/// One of `tee`'s iterators.
#[repr(C)]
#[derive(Traverse)]
pub struct Tee {
    #[traverse(skip)]
    ob: Object,
    link: Slot<TeeLink>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// Iterator wrapped to make it copyable.
#[pytype(name = "itertools._tee", gc, weakrefs = weakrefs)]
impl Tee {
    #[new("(iterable, /)")]
    fn new(_cls: &Type, iterable: &Object, vm: &Vm) -> PyResult {
        if let Some(tee) = iterable.downcast_exact::<Tee>() {
            return Ok(tee.copy(vm));
        }
        let link = TeeLink::make(iterable.iter(vm)?, vm);
        Ok(vm
            .new_object(Tee {
                ob: Object::new(Self::type_object()),
                link: Slot::of(link),
                weakrefs: WeakList::new(),
            })
            .into_object())
    }

    fn copy(&self, vm: &Vm) -> ObjRef {
        vm.new_object(Tee {
            ob: Object::new(Self::type_object()),
            link: Slot::new(self.link.get()),
            weakrefs: WeakList::new(),
        })
        .into_object()
    }

    /// Returns an independent iterator.
    #[method("($self, /)")]
    fn __copy__(&self, vm: &Vm) -> ObjRef {
        self.copy(vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(link) = self.link.get() else { return Ok(None) };
        if link.item.is_none() {
            let Some(source) = link.source.take() else {
                return Err(vm.runtime_error("tee object used while iterator is already running"));
            };
            let fetched = source.iter_next(vm);
            link.source.put(source.clone());
            let Some(item) = fetched? else { return Ok(None) };
            link.item.put(item);
            link.next.put(TeeLink::make(source, vm));
        }
        self.link.set(link.next.get());
        Ok(link.item.get())
    }
}

/// `tee(iterable, n)`.
pub fn tee(iterable: &Object, n: isize, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let Ok(count) = usize::try_from(n) else { return Err(vm.value_error("n must be >= 0")) };
    if count == 0 {
        return Ok(Tuple::empty(vm));
    }
    let first = Tee::new(Tee::type_object(), iterable, vm)?;
    let mut all = Vec::new();
    for _ in 1..count {
        if let Some(tee) = first.downcast_exact::<Tee>() {
            all.push(tee.copy(vm));
        }
    }
    all.insert(0, first);
    Ok(vm.new_tuple(all))
}
