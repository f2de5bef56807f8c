//! `deque`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::deque_iterators::{DequeIterator, DequeReverseIterator};
use taipan_vm::prelude::*;

/// The layout of a deque.
#[repr(C)]
#[derive(Traverse)]
pub struct Deque {
    #[traverse(skip)]
    ob: Object,
    items: RefCell<VecDeque<ObjRef>>,
    #[traverse(skip)]
    limit: Cell<Option<usize>>,
    /// Counts changes, for iterators.
    #[traverse(skip)]
    version: Cell<u64>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

impl Deque {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    /// The item at a position.
    pub fn item(&self, at: usize) -> Option<ObjRef> {
        self.items.borrow().get(at).cloned()
    }

    /// Counts changes, for iterators.
    pub fn version(&self) -> u64 {
        self.version.get()
    }

    /// The items as they are now.
    fn snapshot(&self) -> Vec<ObjRef> {
        self.items.borrow().iter().cloned().collect()
    }

    fn changed(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    fn push(&self, item: ObjRef, front: bool) {
        self.changed();
        let mut items = self.items.borrow_mut();
        if front {
            items.push_front(item)
        } else {
            items.push_back(item)
        }
        let over = self.limit.get().is_some_and(|limit| items.len() > limit);
        let gone = match (over, front) {
            (true, true) => items.pop_back(),
            (true, false) => items.pop_front(),
            (false, _) => None,
        };
        // Released once the deque can be used again.
        drop(items);
        drop(gone);
    }

    fn position(&self, index: isize, vm: &Vm) -> PyResult<usize> {
        usize::try_from(index)
            .ok()
            .filter(|at| *at < self.len())
            .ok_or_else(|| vm.index_error("deque index out of range"))
    }

    fn fill(&self, iterable: &Object, front: bool, vm: &Vm) -> PyResult<()> {
        // Extending by itself means by what it held.
        if iterable.is(self.as_object()) {
            for item in self.snapshot() {
                self.push(item, front);
            }
            return Ok(());
        }
        let iterator = iterable.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            self.push(item, front);
        }
        Ok(())
    }

    fn with(items: VecDeque<ObjRef>, limit: Option<usize>) -> Deque {
        Deque {
            ob: Object::new(Self::type_object()),
            items: RefCell::new(items),
            limit: Cell::new(limit),
            version: Cell::new(0),
            weakrefs: WeakList::new(),
        }
    }

    /// A copy, made by the constructor of a subclass.
    fn duplicate(&self, vm: &Vm) -> PyResult<Ref<Deque>> {
        let cls = self.as_object().ob_type();
        if std::ptr::eq(cls, Self::type_object()) {
            return Ok(vm.new_object(Deque::with(self.items.borrow().clone(), self.limit.get())));
        }
        let made = match self.limit.get() {
            None => cls.as_object().call(&[self.as_object()], vm)?,
            Some(limit) => cls.as_object().call(&[self.as_object(), &vm.new_int(limit)], vm)?,
        };
        made.downcast::<Deque>().map_err(|other| {
            let (cls, other) = (cls.tp_name_str(), other.ob_type().tp_name_str());
            vm.type_error(format!("{cls}() must return a deque, not {other}"))
        })
    }

    /// Whether each item equals `value`, until `seen` has seen enough. RuntimeError when comparing changes the deque.
    fn compare_each(
        &self,
        value: &Object,
        places: std::ops::Range<usize>,
        mut seen: impl FnMut(usize, bool) -> bool,
        vm: &Vm,
    ) -> PyResult<()> {
        let version = self.version.get();
        for at in places {
            let Some(item) = self.item(at) else { break };
            if seen(at, item.eq(value, vm)?) {
                return Ok(());
            }
            if self.version.get() != version {
                return Err(vm.runtime_error("deque mutated during iteration"));
            }
        }
        Ok(())
    }

    /// `self *= n`.
    fn repeat(&self, n: isize, vm: &Vm) -> PyResult<()> {
        let times = usize::try_from(n).unwrap_or(0);
        let items = self.snapshot();
        if times == 0 || items.is_empty() {
            Deque::clear(self);
            return Ok(());
        }
        // Of what a bound throws away nothing is made.
        let times = self.limit.get().map_or(times, |limit| times.min(limit.div_ceil(items.len()) + 1));
        if items.len().checked_mul(times).is_none_or(|total| total > isize::MAX as usize / 16) {
            return Err(vm.memory_error());
        }
        if self.items.borrow_mut().try_reserve(items.len() * (times - 1)).is_err() {
            return Err(vm.memory_error());
        }
        for item in items.iter().cycle().take(items.len() * (times - 1)) {
            self.push(item.clone(), false);
        }
        Ok(())
    }
}

/// A place as slices take it, cut to the ends.
fn slice_index(given: Option<&Object>, default: usize, length: usize, vm: &Vm) -> PyResult<usize> {
    let Some(given) = given else { return Ok(default.min(length)) };
    if !given.has_index() {
        return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
    }
    let at = given.as_isize_clamped(vm)?;
    let at = if at < 0 { at.saturating_add(length as isize) } else { at };
    Ok(usize::try_from(at).unwrap_or(0).min(length))
}

/// A list-like sequence optimized for data accesses near its endpoints.
#[pytype(name = "collections.deque", flags(BASETYPE, SEQUENCE), gc, weakrefs = weakrefs, unhashable, text_signature = "([iterable[, maxlen]])")]
impl Deque {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Deque::with(VecDeque::new(), None))
    }

    #[init("(iterable=(), maxlen=None)")]
    fn init(&self, iterable: Option<&Object>, maxlen: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let limit = match maxlen.filter(|m| !vm.is_none(m)) {
            None => None,
            Some(limit) => match usize::try_from(limit.as_isize(vm)?) {
                Ok(limit) => Some(limit),
                Err(_) => return Err(vm.value_error("maxlen must be non-negative")),
            },
        };
        self.limit.set(limit);
        Deque::clear(self);
        iterable.map_or(Ok(()), |iterable| self.fill(iterable, false, vm))
    }

    /// Add an element to the right side of the deque.
    #[method("($self, item, /)")]
    fn append(&self, item: &Object) {
        self.push(item.to_ref(), false);
    }

    /// Add an element to the left side of the deque.
    #[method("($self, item, /)")]
    fn appendleft(&self, item: &Object) {
        self.push(item.to_ref(), true);
    }

    /// Remove all elements from the deque.
    #[method("($self, /)")]
    fn clear(&self) {
        self.changed();
        let gone = std::mem::take(&mut *self.items.borrow_mut());
        drop(gone);
    }

    /// Return a shallow copy of a deque.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult<Ref<Deque>> {
        self.duplicate(vm)
    }

    /// Return a shallow copy of a deque.
    #[method("($self, /)")]
    fn __copy__(&self, vm: &Vm) -> PyResult<Ref<Deque>> {
        self.duplicate(vm)
    }

    /// Return number of occurrences of value.
    #[method("($self, value, /)")]
    fn count(&self, value: &Object, vm: &Vm) -> PyResult<usize> {
        let mut count = 0;
        let tally = |_, equal| {
            count += usize::from(equal);
            false
        };
        self.compare_each(value, 0..self.len(), tally, vm)?;
        Ok(count)
    }

    /// Extend the right side of the deque with elements from the iterable.
    #[method("($self, iterable, /)")]
    fn extend(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        self.fill(iterable, false, vm)
    }

    /// Extend the left side of the deque with elements from the iterable.
    #[method("($self, iterable, /)")]
    fn extendleft(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        self.fill(iterable, true, vm)
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[method("($self, value, start=0, stop=sys.maxsize, /)", shown = "($self, value, [start, [stop]])")]
    fn index(
        &self,
        value: &Object,
        start: Option<&Object>,
        stop: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let length = self.len();
        let start = slice_index(start, 0, length, vm)?;
        let stop = slice_index(stop, length, length, vm)?;
        let mut found = None;
        let first = |at, equal: bool| {
            found = equal.then_some(at);
            equal
        };
        self.compare_each(value, start..stop, first, vm)?;
        match found {
            Some(at) => Ok(at),
            None => Err(vm.value_error(format!("{} is not in deque", value.repr(vm)?.to_string_lossy()))),
        }
    }

    /// Insert value before index.
    #[method("($self, index, value, /)")]
    fn insert(&self, index: isize, value: &Object, vm: &Vm) -> PyResult<()> {
        let length = self.len();
        if self.limit.get() == Some(length) {
            return Err(vm.index_error("deque already at its maximum size"));
        }
        let at = if index < 0 { index.saturating_add(length as isize) } else { index };
        self.changed();
        self.items.borrow_mut().insert(usize::try_from(at).unwrap_or(0).min(length), value.to_ref());
        Ok(())
    }

    /// Remove and return the rightmost element.
    #[method("($self, /)")]
    fn pop(&self, vm: &Vm) -> PyResult {
        let item = self.items.borrow_mut().pop_back();
        self.changed();
        item.ok_or_else(|| vm.index_error("pop from an empty deque"))
    }

    /// Remove and return the leftmost element.
    #[method("($self, /)")]
    fn popleft(&self, vm: &Vm) -> PyResult {
        let item = self.items.borrow_mut().pop_front();
        self.changed();
        item.ok_or_else(|| vm.index_error("pop from an empty deque"))
    }

    /// Remove first occurrence of value.
    #[method("($self, value, /)")]
    fn remove(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        let version = self.version.get();
        for (at, item) in self.snapshot().iter().enumerate() {
            let found = item.eq(value, vm)?;
            if self.version.get() != version {
                return Err(vm.index_error("deque mutated during remove()."));
            }
            if found {
                let gone = self.items.borrow_mut().remove(at);
                self.changed();
                drop(gone);
                return Ok(());
            }
        }
        Err(vm.value_error("deque.remove(x): x not in deque"))
    }

    /// Reverse *IN PLACE*.
    #[method("($self, /)")]
    fn reverse(&self) {
        self.items.borrow_mut().make_contiguous().reverse();
    }

    /// Rotate the deque n steps to the right.  If n is negative, rotates left.
    #[method("($self, n=1, /)")]
    fn rotate(&self, n: Option<isize>) {
        let length = self.len() as isize;
        if length > 1 {
            let steps = n.unwrap_or(1).rem_euclid(length) as usize;
            self.items.borrow_mut().rotate_right(steps);
            self.changed();
        }
    }

    /// Return a reverse iterator over the deque.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> Ref<DequeReverseIterator> {
        DequeReverseIterator::make(self, vm)
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let args = match self.limit.get() {
            Some(limit) => vm.new_tuple([Tuple::empty(vm).into_object(), vm.new_int(limit)]),
            None => Tuple::empty(vm),
        };
        let state = self.as_object().call_method(vm.ids().__getstate__, &[], vm)?;
        let cls = self.as_object().ob_type().as_object().to_ref();
        Ok(vm.new_tuple([cls, args.into_object(), state, self.as_object().iter(vm)?]))
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    /// maximum size of a deque or None if unbounded
    #[getter]
    fn maxlen(&self, vm: &Vm) -> ObjRef {
        self.limit.get().map_or_else(|| vm.none(), |n| vm.new_int(n))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let name = self.as_object().ob_type().name();
        let Some(_guard) = taipan_vm::builtins::dict::repr_guard::ReprGuard::enter(self.as_object(), vm)
        else {
            return Ok("[...]".to_owned());
        };
        let list = vm.new_list(self.snapshot());
        let items = list.as_object().repr(vm)?;
        Ok(match self.limit.get() {
            Some(limit) => format!("{name}({}, maxlen={limit})", items.to_string_lossy()),
            None => format!("{name}({})", items.to_string_lossy()),
        })
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> Ref<DequeIterator> {
        DequeIterator::make(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Deque>() else { return Ok(vm.not_implemented()) };
        let (a, b) = (vm.new_list(self.snapshot()), vm.new_list(other.snapshot()));
        a.as_object().rich_compare(b.as_object(), op, vm)
    }

    /// Return the size of the deque in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Deque>() + self.items.borrow().capacity() * size_of::<ObjRef>()
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.len() > 0)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult {
        let at = self.position(i, vm)?;
        let item = self.items.borrow().get(at).cloned();
        item.ok_or_else(|| vm.index_error("deque index out of range"))
    }

    #[slot]
    fn sq_ass_item(&self, i: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let at = self.position(i, vm)?;
        let old = match value {
            Some(value) => {
                self.items.borrow_mut().get_mut(at).map(|place| std::mem::replace(place, value.to_ref()))
            }
            None => {
                self.changed();
                self.items.borrow_mut().remove(at)
            }
        };
        drop(old);
        Ok(())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        let mut found = false;
        let any = |_, equal| {
            found = equal;
            equal
        };
        self.compare_each(item, 0..self.len(), any, vm)?;
        Ok(found)
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Deque>() else {
            return Err(vm.type_error(format!(
                "can only concatenate deque (not \"{}\") to deque",
                other.ob_type().name()
            )));
        };
        let sum = self.duplicate(vm)?;
        sum.fill(other.as_object(), false, vm)?;
        Ok(sum.into_object())
    }

    #[slot]
    fn sq_inplace_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        self.fill(other, false, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn sq_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        let product = self.duplicate(vm)?;
        product.repeat(n, vm)?;
        Ok(product.into_object())
    }

    #[slot]
    fn sq_inplace_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        self.repeat(n, vm)?;
        Ok(self.as_object().to_ref())
    }
}
