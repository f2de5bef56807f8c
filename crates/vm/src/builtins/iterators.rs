//! Iterators over anything with `__getitem__`, and over a callable until it returns a sentinel.

use std::cell::Cell;

use crate::prelude::*;

/// `PySeqIter`: items by position until `IndexError` or `StopIteration`.
#[repr(C)]
#[derive(Traverse)]
pub struct SequenceIterator {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    index: Cell<isize>,
    sequence: Slot<Object>,
}

impl SequenceIterator {
    /// An iterator over `sequence`.
    pub fn new(sequence: &Object, vm: &Vm) -> ObjRef {
        vm.new_object(SequenceIterator {
            ob: Object::new(Self::type_object()),
            index: Cell::new(0),
            sequence: Slot::of(sequence.to_ref()),
        })
        .into_object()
    }
}

#[pytype(name = "iterator", symbol = "PySeqIter_Type", gc, doc = "")]
impl SequenceIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self, vm: &Vm) -> PyResult {
        let Some(sequence) = self.sequence.get() else { return Ok(vm.new_int(0)) };
        let has_len = sequence.ob_type().as_sequence().is_some_and(|s| s.sq_length.get().is_some())
            || sequence.ob_type().as_mapping().is_some_and(|m| m.mp_length.get().is_some());
        if !has_len {
            return Ok(vm.not_implemented());
        }
        let left = (sequence.length(vm)? as isize).saturating_sub(self.index.get());
        Ok(vm.new_int(left.max(0)))
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let iter = crate::builtins::builtins_module::builtin(vm.ids().iter, vm)?;
        Ok(match self.sequence.get() {
            Some(sequence) => {
                let args = vm.new_tuple([sequence]);
                vm.new_tuple([iter, args.into_object(), vm.new_int(self.index.get())]).into_object()
            }
            None => {
                let args = vm.new_tuple([Tuple::empty(vm).into_object()]);
                vm.new_tuple([iter, args.into_object()]).into_object()
            }
        })
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: isize) {
        if !self.sequence.is_none() {
            self.index.set(object.max(0));
        }
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(sequence) = self.sequence.get() else { return Ok(None) };
        let index = self.index.get();
        if index == isize::MAX {
            return Err(vm.overflow_error("iter index too large"));
        }
        match crate::protocols::container::sequence_item(&sequence, index, vm) {
            Ok(item) => {
                self.index.set(index + 1);
                Ok(Some(item))
            }
            Err(Raised)
                if vm.exception_matches(types::index_error())
                    || vm.exception_matches(types::stop_iteration()) =>
            {
                vm.clear_exception();
                self.sequence.set(None);
                Ok(None)
            }
            Err(Raised) => Err(Raised),
        }
    }
}

/// `iter(callable, sentinel)`.
#[repr(C)]
#[derive(Traverse)]
pub struct CallableIterator {
    #[traverse(skip)]
    ob: Object,
    callable: Slot<Object>,
    sentinel: Slot<Object>,
}

impl CallableIterator {
    /// An iterator that calls until the sentinel comes.
    pub fn new(callable: &Object, sentinel: &Object, vm: &Vm) -> ObjRef {
        vm.new_object(CallableIterator {
            ob: Object::new(Self::type_object()),
            callable: Slot::of(callable.to_ref()),
            sentinel: Slot::of(sentinel.to_ref()),
        })
        .into_object()
    }

    fn finish(&self) {
        self.callable.set(None);
        self.sentinel.set(None);
    }
}

#[pytype(name = "callable_iterator", symbol = "PyCallIter_Type", gc, doc = "")]
impl CallableIterator {
    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let iter = crate::builtins::builtins_module::builtin(vm.ids().iter, vm)?;
        let args = match (self.callable.get(), self.sentinel.get()) {
            (Some(callable), Some(sentinel)) => vm.new_tuple([callable, sentinel]),
            _ => vm.new_tuple([Tuple::empty(vm).into_object()]),
        };
        Ok(vm.new_tuple([iter, args.into_object()]).into_object())
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(callable) = self.callable.get() else { return Ok(None) };
        match callable.call_no_args(vm) {
            Ok(value) => {
                // The call may have ended the iterator.
                let Some(sentinel) = self.sentinel.get() else { return Ok(None) };
                if sentinel.eq(&value, vm)? {
                    self.finish();
                    return Ok(None);
                }
                Ok(Some(value))
            }
            Err(Raised) if vm.exception_matches(types::stop_iteration()) => {
                vm.clear_exception();
                self.finish();
                Ok(None)
            }
            Err(Raised) => Err(Raised),
        }
    }
}
