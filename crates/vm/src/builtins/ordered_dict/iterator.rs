//! `odict_iterator`: over keys, values or items, forwards and backwards.

use std::cell::Cell;

use super::OrderedDict;
use super::order::NOWHERE;
use crate::builtins::dict::iterators::reduced;
use crate::prelude::*;

/// What an iterator gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The keys.
    Keys,
    /// The values.
    Values,
    /// Pairs of key and value.
    Items,
}

/// An iterator. It holds the dict until its end.
#[repr(C)]
#[derive(Traverse)]
pub struct OrderedDictIterator {
    #[traverse(skip)]
    ob: Object,
    dict: Slot<OrderedDict>,
    #[traverse(skip)]
    kind: Kind,
    #[traverse(skip)]
    reverse: bool,
    /// The place of the next key.
    #[traverse(skip)]
    at: Cell<usize>,
    /// The dict's state and size as they were; a size of -1 once they were seen to change, so that the error stays.
    #[traverse(skip)]
    state: Cell<u64>,
    #[traverse(skip)]
    size: Cell<isize>,
}

impl OrderedDictIterator {
    /// A new iterator.
    pub fn make(dict: &OrderedDict, kind: Kind, reverse: bool, vm: &Vm) -> ObjRef {
        let at = {
            let order = dict.order.borrow();
            if reverse { order.last } else { order.first }
        };
        vm.new_object(OrderedDictIterator {
            ob: Object::new(Self::type_object()),
            dict: Slot::of(dict.into()),
            kind,
            reverse,
            at: Cell::new(at),
            state: Cell::new(dict.state.get()),
            size: Cell::new(dict.len() as isize),
        })
        .into_object()
    }

    fn next(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(dict) = self.dict.get() else { return Ok(None) };
        if self.at.get() == NOWHERE {
            self.dict.set(None);
            return Ok(None);
        }
        if dict.state.get() != self.state.get() {
            return Err(vm.runtime_error("OrderedDict mutated during iteration"));
        }
        if dict.len() as isize != self.size.get() {
            self.size.set(-1);
            return Err(vm.runtime_error("OrderedDict changed size during iteration"));
        }
        let entry = {
            let order = dict.order.borrow();
            let at = self.at.replace(order.next(self.at.get(), self.reverse));
            order.node(at).map(|node| node.key.clone())
        };
        let Some(key) = entry else { return Ok(None) };
        if self.kind == Kind::Keys {
            return Ok(Some(key));
        }
        // The key is asked for its hash anew, as in CPython.
        let Some(value) = dict.dict.get_item(&key, vm)? else { return Err(vm.key_error(&key)) };
        Ok(Some(match self.kind {
            Kind::Items => Tuple::pair(key, value, vm).into_object(),
            _ => value,
        }))
    }
}

#[pytype(name = "odict_iterator", symbol = "PyODictIter_Type", gc, no_new, doc = "")]
impl OrderedDictIterator {
    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        // The iterator itself must not advance.
        let (at, size, dict) = (self.at.get(), self.size.get(), self.dict.get());
        let mut items = Vec::new();
        let result = loop {
            match self.next(vm) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break Ok(()),
                Err(raised) => break Err(raised),
            }
        };
        self.at.set(at);
        self.size.set(size);
        self.dict.set(dict);
        result?;
        reduced(items, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.next(vm)
    }
}
