//! What `iter(list)` and `reversed(list)` give.

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::builtins_module::builtin;
use crate::builtins::tuple::state_index;
use crate::prelude::*;

/// What `iter(list)` gives. It sees items that are appended meanwhile.
#[repr(C)]
#[derive(Traverse)]
pub struct ListIterator {
    /// The object header.
    pub ob: Object,
    index: Cell<isize>,
    list: Slot<List>,
}

/// What `reversed(list)` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct ListReverseIterator {
    /// The object header.
    pub ob: Object,
    index: Cell<isize>,
    list: Slot<List>,
}

const _: () = assert!(size_of::<ListIterator>() == 32 && size_of::<ListReverseIterator>() == 32);

impl ListIterator {
    /// A new iterator over `list`.
    pub fn new(list: &List, vm: &Vm) -> ObjRef {
        let ob = Object::new(ListIterator::type_object());
        vm.new_object(ListIterator { ob, index: Cell::new(0), list: Slot::of(list.into()) }).into_object()
    }

    /// The next item, without the protocol around it.
    #[inline(always)]
    pub fn next(&self) -> Option<ObjRef> {
        let i = self.index.get();
        // SAFETY: nothing runs before the item is cloned.
        match unsafe { self.list.borrow() }?.get(i as usize) {
            Some(item) => {
                self.index.set(i + 1);
                Some(item)
            }
            None => {
                self.list.set(None);
                None
            }
        }
    }
}

impl ListReverseIterator {
    /// A new iterator over `list` from its end.
    pub fn new(list: &List, vm: &Vm) -> ObjRef {
        let ob = Object::new(ListReverseIterator::type_object());
        let index = Cell::new(list.len() as isize - 1);
        vm.new_object(ListReverseIterator { ob, index, list: Slot::of(list.into()) }).into_object()
    }
}

/// How an exhausted iterator is pickled.
fn reduced_empty(vm: &Vm) -> PyResult<Ref<Tuple>> {
    let function = builtin(vm.ids().iter, vm)?;
    let args = vm.new_tuple([vm.new_list([]).into_object()]).into_object();
    Ok(vm.new_tuple([function, args]))
}

#[pytype(name = "list_iterator", symbol = "PyListIter_Type", gc, no_new)]
impl ListIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> isize {
        self.list.get().map_or(0, |list| (list.len() as isize - self.index.get()).max(0))
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        // Looking it up may run the iterator to its end.
        let function = builtin(vm.ids().iter, vm)?;
        let Some(list) = self.list.get() else { return reduced_empty(vm) };
        let args = vm.new_tuple([list.into_object()]).into_object();
        Ok(vm.new_tuple([function, args, vm.new_int(self.index.get())]))
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let index = state_index(state, vm)?;
        if let Some(list) = self.list.get() {
            self.index.set(index.clamp(0, list.len() as isize));
        }
        Ok(())
    }

    #[slot]
    fn tp_iter(&self) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        Ok(self.next())
    }
}

#[pytype(name = "list_reverseiterator", symbol = "PyListRevIter_Type", gc, no_new)]
impl ListReverseIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> isize {
        let left = self.index.get() + 1;
        match self.list.get() {
            Some(list) if (list.len() as isize) >= left => left,
            _ => 0,
        }
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let Some(list) = self.list.get() else { return reduced_empty(vm) };
        let function = builtin(vm.ids().reversed, vm)?;
        let args = vm.new_tuple([list.into_object()]).into_object();
        Ok(vm.new_tuple([function, args, vm.new_int(self.index.get())]))
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let index = state_index(state, vm)?;
        if let Some(list) = self.list.get() {
            self.index.set(index.clamp(-1, list.len() as isize - 1));
        }
        Ok(())
    }

    #[slot]
    fn tp_iter(&self) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        let i = self.index.get();
        // SAFETY: nothing runs before the item is cloned.
        let item = match unsafe { self.list.borrow() } {
            Some(list) if i >= 0 => list.get(i as usize),
            _ => None,
        };
        if item.is_some() {
            self.index.set(i - 1);
        } else {
            self.index.set(-1);
            self.list.set(None);
        }
        Ok(item)
    }
}
