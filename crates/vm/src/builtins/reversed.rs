//! `reversed`.

use std::cell::Cell;

use crate::prelude::*;

/// The layout of `reversed`.
#[repr(C)]
#[derive(Traverse)]
pub struct Reversed {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    index: Cell<isize>,
    sequence: Slot<Object>,
}

/// Return a reverse iterator over the values of the given sequence.
#[pytype(name = "reversed", symbol = "PyReversed_Type", flags(BASETYPE), gc)]
impl Reversed {
    #[new("(sequence, /)")]
    fn new(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        if let Some(method) = object.lookup_special(vm.ids().__reversed__, vm)? {
            if vm.is_none(&method) {
                return Err(vm.type_error(format!("'{}' object is not reversible", object.ob_type().name())));
            }
            return method.call_no_args(vm);
        }
        if !crate::protocols::container::is_sequence(object) {
            return Err(vm.type_error(format!("'{}' object is not reversible", object.ob_type().name())));
        }
        let length = object.length(vm)? as isize;
        vm.new_instance(
            cls,
            Reversed {
                ob: Object::new(Self::type_object()),
                index: Cell::new(length - 1),
                sequence: Slot::of(object.to_ref()),
            },
        )
    }

    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self, vm: &Vm) -> PyResult<isize> {
        let Some(sequence) = self.sequence.get() else { return Ok(0) };
        let position = self.index.get() + 1;
        Ok(if sequence.length(vm)? as isize >= position { position } else { 0 })
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        match self.sequence.get() {
            Some(sequence) => {
                let args = vm.new_tuple([sequence]);
                vm.new_tuple([cls, args.into_object(), vm.new_int(self.index.get())])
            }
            None => {
                let args = vm.new_tuple([Tuple::empty(vm).into_object()]);
                vm.new_tuple([cls, args.into_object()])
            }
        }
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: isize, vm: &Vm) -> PyResult<()> {
        if let Some(sequence) = self.sequence.get() {
            let length = sequence.length(vm)? as isize;
            self.index.set(object.clamp(-1, length - 1));
        }
        Ok(())
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let index = self.index.get();
        let Some(sequence) = self.sequence.get().filter(|_| index >= 0) else { return Ok(None) };
        match crate::protocols::container::sequence_item(&sequence, index, vm) {
            Ok(item) => {
                self.index.set(index - 1);
                Ok(Some(item))
            }
            Err(Raised) => {
                self.index.set(-1);
                self.sequence.set(None);
                if vm.exception_matches(types::index_error()) || vm.exception_matches(types::stop_iteration())
                {
                    vm.clear_exception();
                    return Ok(None);
                }
                Err(Raised)
            }
        }
    }
}
