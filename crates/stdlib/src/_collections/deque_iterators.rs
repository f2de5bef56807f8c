//! The iterators over a deque.

use std::cell::Cell;

use super::deque::Deque;
use taipan_vm::prelude::*;

macro_rules! deque_iterators {
    ($($(#[$doc:meta])* $name:ident, $python:tt, |$length:ident, $left:ident| $at:expr;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $name {
            #[traverse(skip)]
            ob: Object,
            deque: Ref<Deque>,
            #[traverse(skip)]
            version: u64,
            #[traverse(skip)]
            left: Cell<usize>,
        }

        impl $name {
            /// An iterator at the start.
            pub fn make(deque: &Deque, vm: &Vm) -> Ref<Self> {
                Self::skipping(deque, 0, vm)
            }

            fn skipping(deque: &Deque, skipped: usize, vm: &Vm) -> Ref<Self> {
                vm.new_object($name {
                    ob: Object::new(Self::type_object()),
                    deque: deque.into(),
                    version: deque.version(),
                    left: Cell::new(deque.len().saturating_sub(skipped)),
                })
            }
        }

        #[pytype(name = $python, gc, doc = "")]
        impl $name {
            #[slot]
            fn tp_new(_cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
                let (deque, skipped) = match args.as_slice() {
                    [deque] => (deque, 0),
                    [deque, index] => (deque, index.as_isize(vm)?),
                    more => {
                        let bound = if more.is_empty() { "at least 1" } else { "at most 2" };
                        let s = if more.is_empty() { "" } else { "s" };
                        let text = format!("function takes {bound} argument{s} ({} given)", more.len());
                        return Err(vm.type_error(text));
                    }
                };
                let Some(deque) = deque.downcast_ref::<Deque>() else {
                    let given = deque.ob_type().tp_name_str();
                    return Err(vm.type_error(format!("argument 1 must be collections.deque, not {given}")));
                };
                Ok($name::skipping(deque, usize::try_from(skipped).unwrap_or(0), vm).into_object())
            }

            /// Private method returning an estimate of len(list(it)).
            #[method("($self, /)")]
            fn __length_hint__(&self) -> usize {
                self.left.get()
            }

            /// Return state information for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
                let cls = self.as_object().ob_type().as_object().to_ref();
                let passed = self.deque.len().saturating_sub(self.left.get());
                let args = vm.new_tuple([self.deque.clone().into_object(), vm.new_int(passed)]);
                vm.new_tuple([cls, args.into_object()])
            }

            #[slot]
            fn tp_iter(&self) -> ObjRef {
                self.as_object().to_ref()
            }

            #[slot]
            fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
                if self.deque.version() != self.version {
                    self.left.set(0);
                    return Err(vm.runtime_error("deque mutated during iteration"));
                }
                let ($length, $left) = (self.deque.len(), self.left.get());
                if $left == 0 {
                    return Ok(None);
                }
                self.left.set($left - 1);
                Ok(self.deque.item($at))
            }
        }
    )*};
}

deque_iterators! {
    /// What `iter(deque)` gives.
    DequeIterator, "collections._deque_iterator", |length, left| length - left;
    /// What `reversed(deque)` gives.
    DequeReverseIterator, "collections._deque_reverse_iterator", |_length, left| left - 1;
}
