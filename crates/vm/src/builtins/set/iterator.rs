//! What `iter(set)` gives.

use std::cell::Cell;
use std::mem::size_of;

use super::any_set;
use crate::builtins::dict::iterators::reduced;
use crate::prelude::*;

/// What `iter(set)` and `iter(frozenset)` give.
#[repr(C)]
#[derive(Traverse)]
pub struct SetIterator {
    /// The object header.
    pub ob: Object,
    set: Slot<Object>,
    /// The set's size at the start; -1 once it was seen to change, so that the error stays.
    used: Cell<isize>,
    slot: Cell<usize>,
    left: Cell<isize>,
}

const _: () = assert!(size_of::<SetIterator>() == 48);

impl SetIterator {
    /// A new iterator over a set of `len` items.
    pub(super) fn new(set: &Object, len: usize, vm: &Vm) -> ObjRef {
        let len = len as isize;
        vm.new_object(SetIterator {
            ob: Object::new(SetIterator::type_object()),
            set: Slot::of(set.to_ref()),
            used: Cell::new(len),
            slot: Cell::new(0),
            left: Cell::new(len),
        })
        .into_object()
    }
}

#[pytype(name = "set_iterator", symbol = "PySetIter_Type", gc, no_new)]
impl SetIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> isize {
        let set = self.set.get();
        match set.as_deref().and_then(any_set) {
            Some(table) if table.len() as isize == self.used.get() => self.left.get(),
            _ => 0,
        }
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let set = self.set.get();
        let mut items = Vec::new();
        if let Some(table) = set.as_deref().and_then(any_set) {
            if table.len() as isize != self.used.get() {
                self.used.set(-1);
                return Err(vm.runtime_error("Set changed size during iteration"));
            }
            let mut slot = self.slot.get();
            while let Some((item, _)) = table.next_item(&mut slot) {
                items.push(item);
            }
        }
        reduced(items, vm)
    }

    #[slot]
    fn tp_iter(&self) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        // SAFETY: nothing runs before the item is cloned.
        let Some(table) = (unsafe { self.set.borrow() }).and_then(any_set) else { return Ok(None) };
        if table.len() as isize != self.used.get() {
            self.used.set(-1);
            return Err(vm.runtime_error("Set changed size during iteration"));
        }
        let mut slot = self.slot.get();
        let item = table.next_item(&mut slot).map(|(item, _)| item);
        self.slot.set(slot);
        if item.is_none() {
            self.set.set(None);
        } else {
            self.left.set(self.left.get() - 1);
        }
        Ok(item)
    }
}
