//! `collections.OrderedDict`: a dict whose order can be changed.
//!
//! The entries are in the dict that it is; `order` holds the keys a second time. A change made by `dict`'s own methods
//! behind its back leaves the order as it was: what is then missing in the dict raises KeyError, as in CPython.

pub mod iterator;
pub mod order;
pub mod update;
pub mod views;

use std::cell::{Cell, RefCell};

use iterator::{Kind, OrderedDictIterator};
use order::{NOWHERE, Node, Order};
use views::{OrderedDictItems, OrderedDictKeys, OrderedDictValues};

use crate::builtins::dict::managed;
use crate::builtins::dict::repr_guard::ReprGuard;
use crate::builtins::dict::table::key_hash;
use crate::prelude::*;

/// `PyODictObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct OrderedDict {
    dict: Dict,
    order: RefCell<Order>,
    /// Counts changes of the order, for iterators.
    #[traverse(skip)]
    state: Cell<u64>,
    inst_dict: Slot<Object>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

impl OrderedDict {
    fn changed(&self) {
        self.state.set(self.state.get().wrapping_add(1));
    }

    fn is_exact(&self) -> bool {
        std::ptr::eq(self.as_object().type_ptr(), Self::static_type())
    }

    fn len(&self) -> usize {
        self.dict.len()
    }

    /// A new, empty ordered dict.
    pub fn create(vm: &Vm) -> Ref<OrderedDict> {
        vm.new_object(OrderedDict::blank())
    }

    fn blank() -> OrderedDict {
        OrderedDict {
            dict: Dict::blank(Self::type_object()),
            order: RefCell::default(),
            state: Cell::new(0),
            inst_dict: Slot::empty(),
            weakrefs: WeakList::new(),
        }
    }

    /// The place of a key in the order.
    fn place(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<usize>> {
        Ok(match self.dict.find(key, hash, vm)? {
            Some((entry, _)) => self.order.borrow().place(self.dict.table().key(entry)),
            None => None,
        })
    }

    /// `self[key] = value` on this level.
    fn store(&self, key: &Object, hash: isize, value: &Object, vm: &Vm) -> PyResult<()> {
        let before = self.dict.len();
        self.dict.set_item_hash(key, hash, value.to_ref(), vm)?;
        let is_new = self.dict.len() > before;
        if is_new || self.place(key, hash, vm)?.is_none() {
            let Some((entry, _)) = self.dict.find(key, hash, vm)? else { return Ok(()) };
            // SAFETY: an entry in use has a key.
            let Some(held) = (unsafe { self.dict.table().key(entry).as_ref() }) else { return Ok(()) };
            self.changed();
            self.order.borrow_mut().append(held.to_ref(), hash);
        }
        Ok(())
    }

    /// Takes a key out of the order, if it is there.
    fn forget(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<Node>> {
        Ok(match self.place(key, hash, vm)? {
            Some(at) => {
                self.changed();
                self.order.borrow_mut().remove(at)
            }
            None => None,
        })
    }

    /// `del self[key]` on this level.
    fn delete(&self, key: &Object, vm: &Vm) -> PyResult<()> {
        let hash = key_hash(key, vm)?;
        let node = self.forget(key, hash, vm)?;
        let gone = self.dict.pop_hash(key, hash, vm)?;
        drop(node);
        match gone {
            Some(_) => Ok(()),
            None => Err(vm.key_error(key)),
        }
    }

    /// Removes a key: its value, the default, or KeyError.
    fn take(&self, key: &Object, hash: isize, default: Option<&Object>, vm: &Vm) -> PyResult {
        let node = self.forget(key, hash, vm)?;
        let found = self.dict.pop_hash(key, hash, vm)?;
        drop(node);
        match (found, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(vm.key_error(key)),
        }
    }

    fn check_state(&self, state: u64, vm: &Vm) -> PyResult<()> {
        if self.state.get() == state {
            Ok(())
        } else {
            Err(vm.runtime_error("OrderedDict mutated during iteration"))
        }
    }

    /// The keys in order, with their hashes.
    fn keys_vec(&self) -> Vec<(ObjRef, isize)> {
        let order = self.order.borrow();
        order.places().filter_map(|at| order.node(at)).map(|node| (node.key.clone(), node.hash)).collect()
    }

    /// Whether another ordered dict has equal keys in the same order.
    fn same_order(&self, other: &OrderedDict, vm: &Vm) -> PyResult<bool> {
        let (mine, theirs) = (self.state.get(), other.state.get());
        let (keys, others) = (self.keys_vec(), other.keys_vec());
        for ((a, _), (b, _)) in keys.iter().zip(&others) {
            let same = a.eq(b, vm)?;
            if self.state.get() != mine || other.state.get() != theirs {
                return Err(vm.runtime_error("OrderedDict mutated during iteration"));
            }
            if !same {
                return Ok(false);
            }
        }
        Ok(keys.len() == others.len())
    }
}

/// Dictionary that remembers insertion order
#[pytype(
    name = "collections.OrderedDict",
    symbol = "PyODict_Type",
    base = Dict,
    flags(BASETYPE),
    gc,
    dict = inst_dict,
    weakrefs = weakrefs,
    unhashable
)]
impl OrderedDict {
    /// Create a new ordered dictionary with keys from iterable and values set to value.
    #[classmethod("($type, /, iterable, value=None)")]
    fn fromkeys(cls: &Type, iterable: &Object, value: Option<&Object>, vm: &Vm) -> PyResult {
        let value = value.unwrap_or(vm.none_ref());
        let made = cls.as_object().call_no_args(vm)?;
        let iterator = iterable.iter(vm)?;
        while let Some(key) = iterator.iter_next(vm)? {
            made.set_item(&key, value, vm)?;
        }
        Ok(made)
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let links = self.order.borrow().places().count() * size_of::<Node>();
        self.dict.__sizeof__() + links
    }

    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let zelf = self.as_object();
        let state = zelf.call_method(vm.ids().__getstate__, &[], vm)?;
        let items = zelf.call_method(vm.ids().items, &[], vm)?.iter(vm)?;
        let cls = zelf.ob_type().as_object().to_ref();
        Ok(vm.new_tuple([cls, Tuple::empty(vm).into_object(), state, vm.none(), items]))
    }

    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[method("($self, /, key, default=None)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let default = default.unwrap_or(vm.none_ref());
        if self.is_exact() {
            let hash = key_hash(key, vm)?;
            if let Some(value) = self.dict.get_item_hash(key, hash, vm)? {
                return Ok(value);
            }
            self.store(key, hash, default, vm)?;
        } else if self.as_object().contains(key, vm)? {
            return self.as_object().get_item(key, vm);
        } else {
            self.as_object().set_item(key, default, vm)?;
        }
        Ok(default.to_ref())
    }

    /// od.pop(key[,default]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[method("($self, /, key, default=<unrepresentable>)")]
    fn pop(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let hash = key_hash(key, vm)?;
        self.take(key, hash, default, vm)
    }

    /// Remove and return a (key, value) pair from the dictionary.
    ///
    /// Pairs are returned in LIFO order if last is true or FIFO order if
    /// false.
    #[method("($self, /, last=True)")]
    fn popitem(&self, last: bool, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let end = {
            let order = self.order.borrow();
            let at = if last { order.last } else { order.first };
            order.node(at).map(|node| (node.key.clone(), node.hash))
        };
        let Some((key, hash)) = end else {
            return Err(vm.key_error(vm.new_str("dictionary is empty").as_object()));
        };
        let value = self.take(&key, hash, None, vm)?;
        Ok(vm.new_tuple([key, value]))
    }

    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> ObjRef {
        OrderedDictKeys::make(self, vm)
    }

    #[method("($self, /)")]
    fn values(&self, vm: &Vm) -> ObjRef {
        OrderedDictValues::make(self, vm)
    }

    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> ObjRef {
        OrderedDictItems::make(self, vm)
    }

    #[method("($self, /, *args, **kwargs)")]
    fn update(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        if args.len() > 1 {
            return Err(
                vm.type_error(format!("update() takes at most 1 positional argument ({} given)", args.len()))
            );
        }
        update::update(self.as_object(), args.first().copied(), vm)?;
        kwargs.iter().try_for_each(|(name, value)| self.as_object().set_item(name.as_object(), value, vm))
    }

    /// Remove all items from ordered dict.
    #[method("($self, /)", name = "clear")]
    fn method_clear(&self, vm: &Vm) {
        self.changed();
        let gone = std::mem::take(&mut *self.order.borrow_mut());
        Dict::clear(&self.dict, vm);
        drop(gone);
    }

    /// A shallow copy of ordered dict.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        let zelf = self.as_object();
        let exact = self.is_exact();
        let copy = if exact {
            OrderedDict::create(vm).into_object()
        } else {
            zelf.ob_type().as_object().call_no_args(vm)?
        };
        let state = self.state.get();
        for (key, hash) in self.keys_vec() {
            match copy.downcast_exact::<OrderedDict>().filter(|_| exact) {
                Some(copy) => match self.dict.get_item(&key, vm)? {
                    Some(value) => copy.store(&key, hash, &value, vm)?,
                    None => return Err(vm.key_error(&key)),
                },
                None => {
                    let value = zelf.get_item(&key, vm)?;
                    self.check_state(state, vm)?;
                    copy.set_item(&key, &value, vm)?;
                }
            }
            self.check_state(state, vm)?;
        }
        Ok(copy)
    }

    /// od.__reversed__() <==> reversed(od)
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> ObjRef {
        OrderedDictIterator::make(self, Kind::Keys, true, vm)
    }

    /// Move an existing element to the end (or beginning if last is false).
    ///
    /// Raise KeyError if the element does not exist.
    #[method("($self, /, key, last=True)")]
    fn move_to_end(&self, key: &Object, last: bool, vm: &Vm) -> PyResult<()> {
        let end = {
            let order = self.order.borrow();
            if last { order.last } else { order.first }
        };
        if end == NOWHERE {
            return Err(vm.key_error(key));
        }
        let hash = key_hash(key, vm)?;
        let Some(at) = self.place(key, hash, vm)? else { return Err(vm.key_error(key)) };
        let mut order = self.order.borrow_mut();
        if at != if last { order.last } else { order.first } {
            order.move_to_end(at, last);
            self.changed();
        }
        Ok(())
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        managed::instance_dict(self.as_object(), vm)
    }

    #[setter]
    fn set___dict__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        managed::set_instance_dict(self.as_object(), value, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, OrderedDict::blank())
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if args.len() > 1 {
            return Err(vm.type_error(format!("expected at most 1 argument, got {}", args.len())));
        }
        update::update(self.as_object(), args.get(0), vm)?;
        for (name, value) in kwargs.map(Dict::items_vec).unwrap_or_default() {
            self.as_object().set_item(&name, &value, vm)?;
        }
        Ok(())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let name = self.as_object().ob_type().name();
        if self.len() == 0 {
            return Ok(format!("{name}()"));
        }
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else { return Ok("...".to_owned()) };
        let shown = vm.new_dict();
        if self.is_exact() {
            for (key, hash) in self.keys_vec() {
                match self.dict.get_item(&key, vm)? {
                    Some(value) => shown.set_item_hash(&key, hash, value, vm)?,
                    None => return Err(vm.key_error(&key)),
                }
            }
        } else {
            let items = self.as_object().call_method(vm.ids().items, &[], vm)?;
            shown.merge_pairs(&items, crate::builtins::dict::update::Duplicates::Override, vm)?;
        }
        Ok(format!("{name}({})", shown.as_object().repr(vm)?.to_string_lossy()))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        OrderedDictIterator::make(self, Kind::Keys, false, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let wanted = match op {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return Ok(vm.not_implemented()),
        };
        let Some(dict) = other.downcast_ref::<Dict>() else { return Ok(vm.not_implemented()) };
        let mut same = self.dict.equal(dict, vm)?;
        if let Some(other) = other.downcast_ref::<OrderedDict>().filter(|_| same) {
            same = self.same_order(other, vm)?;
        }
        Ok(vm.new_bool(same == wanted))
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            None => self.delete(key, vm),
            Some(value) => {
                let hash = key_hash(key, vm)?;
                self.store(key, hash, value, vm)
            }
        }
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (own, other) = if a.downcast_ref::<OrderedDict>().is_some() { (a, b) } else { (b, a) };
        if other.downcast_ref::<Dict>().is_none() {
            return Ok(vm.not_implemented());
        }
        let merged = own.ob_type().as_object().call(&[a], vm)?;
        update::update(&merged, Some(b), vm)?;
        Ok(merged)
    }

    #[slot]
    fn nb_inplace_or(&self, other: &Object, vm: &Vm) -> PyResult {
        update::update(self.as_object(), Some(other), vm)?;
        Ok(self.as_object().to_ref())
    }
}
