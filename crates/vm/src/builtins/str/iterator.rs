//! `str_iterator`, and `str_ascii_iterator` for ASCII text.

use std::cell::Cell;

use crate::builtins::builtins_module::builtin;
use crate::prelude::*;

/// An iterator at the first character.
pub fn new(string: &Str, vm: &Vm) -> ObjRef {
    if string.is_ascii() { StrAsciiIterator::new(string, vm) } else { StrIterator::new(string, vm) }
}

macro_rules! string_iterator {
    ($iterator:ident, $name:literal, $symbol:literal, |$string:ident, $index:ident, $vm:ident| $item:expr) => {
        /// Iterator over a str's characters.
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $iterator {
            ob: Object,
            #[traverse(skip)]
            index: Cell<usize>,
            string: Slot<Str>,
        }

        impl $iterator {
            fn new(string: &Str, vm: &Vm) -> ObjRef {
                vm.new_object($iterator {
                    ob: Object::new($iterator::type_object()),
                    index: Cell::new(0),
                    string: Slot::of(string.into()),
                })
                .into_object()
            }

            #[inline(always)]
            fn item($string: &Str, $index: usize, $vm: &Vm) -> Option<Ref<Str>> {
                $item
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
                // SAFETY: making a one-character str runs no Python code, and the slot is cleared after the borrow.
                let item = match unsafe { self.string.borrow() } {
                    Some(string) => $iterator::item(string, index, vm),
                    None => return Ok(None),
                };
                match item {
                    Some(character) => {
                        self.index.set(index + 1);
                        Ok(Some(character.into_object()))
                    }
                    None => {
                        self.string.set(None);
                        Ok(None)
                    }
                }
            }

            /// Private method returning an estimate of len(list(it)).
            #[method("($self, /)")]
            fn __length_hint__(&self) -> usize {
                self.string.get().map_or(0, |s| s.len().saturating_sub(self.index.get()))
            }

            /// Return state information for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
                let iter = builtin(vm.ids().iter, vm)?;
                Ok(match self.string.get() {
                    Some(string) => vm.new_tuple([
                        iter,
                        vm.new_tuple([string.into_object()]).into_object(),
                        vm.new_int(self.index.get()),
                    ]),
                    None => vm.new_tuple([iter, vm.new_tuple([Str::empty().into_object()]).into_object()]),
                }
                .into_object())
            }

            /// Set state information for unpickling.
            #[method("($self, state, /)")]
            fn __setstate__(&self, state: isize) {
                if let Some(string) = self.string.get() {
                    self.index.set((state.max(0) as usize).min(string.len()));
                }
            }
        }
    };
}

string_iterator!(StrIterator, "str_iterator", "PyUnicodeIter_Type", |string, index, vm| string
    .item(index, vm));
string_iterator!(StrAsciiIterator, "str_ascii_iterator", "_PyUnicodeASCIIIter_Type", |string, index, _vm| {
    string.ascii_bytes().and_then(|bytes| bytes.get(index)).map(|&byte| Str::latin1_char(byte))
});
