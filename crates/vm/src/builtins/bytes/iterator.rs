//! `bytes_iterator` and `bytearray_iterator`.

use std::cell::Cell;

use crate::builtins::builtins_module::builtin;
use crate::prelude::*;

macro_rules! byte_iterator {
    ($iterator:ident, $sequence:ident, $name:literal, $symbol:literal, $empty:expr) => {
        /// Iterator over the integers of a byte sequence.
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $iterator {
            ob: Object,
            #[traverse(skip)]
            index: Cell<usize>,
            sequence: Slot<$sequence>,
        }

        impl $iterator {
            /// What `iter` makes an exhausted iterator of.
            fn empty_argument(vm: &Vm) -> ObjRef {
                let empty: fn(&Vm) -> ObjRef = $empty;
                empty(vm)
            }

            /// An iterator at the first byte.
            pub fn new(sequence: &$sequence, vm: &Vm) -> ObjRef {
                vm.new_object($iterator {
                    ob: Object::new($iterator::type_object()),
                    index: Cell::new(0),
                    sequence: Slot::of(sequence.into()),
                })
                .into_object()
            }
        }

        #[pytype(name = $name, symbol = $symbol, base = Object, gc, no_new)]
        impl $iterator {
            #[slot]
            fn tp_iter(&self, _vm: &Vm) -> PyResult<ObjRef> {
                Ok(self.as_object().to_ref())
            }

            #[slot]
            fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
                let index = self.index.get();
                // SAFETY: reading a byte runs no Python code, and the slot is cleared after the borrow.
                let byte = match unsafe { self.sequence.borrow() } {
                    Some(sequence) => sequence.as_bytes().get(index).copied(),
                    None => return Ok(None),
                };
                match byte {
                    Some(byte) => {
                        self.index.set(index + 1);
                        Ok(Some(vm.new_int(byte)))
                    }
                    None => {
                        self.sequence.set(None);
                        Ok(None)
                    }
                }
            }

            /// Private method returning an estimate of len(list(it)).
            #[method("($self, /)")]
            fn __length_hint__(&self) -> usize {
                self.sequence.get().map_or(0, |s| s.len().saturating_sub(self.index.get()))
            }

            /// Return state information for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
                let iter = builtin(vm.ids().iter, vm)?;
                Ok(match self.sequence.get() {
                    Some(sequence) => vm.new_tuple([
                        iter,
                        vm.new_tuple([sequence.into_object()]).into_object(),
                        vm.new_int(self.index.get()),
                    ]),
                    None => vm.new_tuple([iter, vm.new_tuple([Self::empty_argument(vm)]).into_object()]),
                }
                .into_object())
            }

            /// Set state information for unpickling.
            #[method("($self, state, /)")]
            fn __setstate__(&self, state: isize) {
                if let Some(sequence) = self.sequence.get() {
                    self.index.set((state.max(0) as usize).min(sequence.len()));
                }
            }
        }
    };
}

byte_iterator!(BytesIterator, Bytes, "bytes_iterator", "PyBytesIter_Type", |_vm: &Vm| Bytes::empty()
    .into_object());
byte_iterator!(ByteArrayIterator, ByteArray, "bytearray_iterator", "PyByteArrayIter_Type", |vm: &Vm| {
    vm.new_tuple(Vec::new()).into_object()
});
