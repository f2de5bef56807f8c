//! The iterator over an array.

use std::cell::Cell;

use taipan_vm::prelude::*;

use super::Array;

/// The layout of `array.arrayiterator`.
#[repr(C)]
#[derive(Traverse)]
pub struct ArrayIterator {
    #[traverse(skip)]
    ob: Object,
    /// Gone at the end.
    array: Slot<Array>,
    #[traverse(skip)]
    at: Cell<usize>,
}

impl ArrayIterator {
    /// An iterator from the start.
    pub fn over(array: &Array, vm: &Vm) -> ObjRef {
        let iterator = ArrayIterator {
            ob: Object::new(Self::type_object()),
            array: Slot::of(Ref::new_ref(array)),
            at: Cell::new(0),
        };
        vm.new_object(iterator).into_object()
    }
}

#[pytype(name = "array.arrayiterator", gc, no_new)]
impl ArrayIterator {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(array) = self.array.get() else { return Ok(None) };
        let at = self.at.get();
        let item = array.get(at, vm)?;
        match &item {
            Some(_) => self.at.set(at + 1),
            None => self.array.set(None),
        }
        Ok(item)
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let builtins = taipan_vm::import::import_module("builtins", vm)?;
        let iter = builtins.get_attr(&vm.intern("iter"), vm)?;
        match self.array.get() {
            Some(array) => {
                let args = vm.new_tuple([array.into_object()]).into_object();
                Ok(vm.new_tuple([iter, args, vm.new_int(self.at.get())]))
            }
            None => {
                let args = vm.new_tuple([vm.new_tuple([]).into_object()]).into_object();
                Ok(vm.new_tuple([iter, args]))
            }
        }
    }

    /// Set state information for unpickling.
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: isize) {
        if let Some(array) = self.array.get() {
            self.at.set((state.max(0) as usize).min(array.len()));
        }
    }
}
