//! `str_iterator`.

use std::cell::Cell;

use crate::prelude::*;

/// Iterator over a str's characters.
#[repr(C)]
#[derive(Traverse)]
pub struct StrIterator {
    ob: Object,
    #[traverse(skip)]
    index: Cell<usize>,
    string: Slot<Str>,
}

impl StrIterator {
    /// An iterator at the first character.
    pub fn new(string: &Str, vm: &Vm) -> ObjRef {
        vm.new_object(StrIterator {
            ob: Object::new(StrIterator::type_object()),
            index: Cell::new(0),
            string: Slot::of(string.into()),
        })
        .into_object()
    }
}

/// `builtins.iter`, which iterators name when they are pickled.
pub(crate) fn builtin_iter(vm: &Vm) -> PyResult<ObjRef> {
    let found = match vm.interp().builtins_dict.get() {
        Some(builtins) => builtins.get_str(vm.ids().iter, vm)?,
        None => None,
    };
    found.ok_or_else(|| vm.attribute_error("module 'builtins' has no attribute 'iter'"))
}

#[pytype(name = "str_iterator", symbol = "PyUnicodeIter_Type", base = Object, gc, no_new)]
impl StrIterator {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let index = self.index.get();
        // SAFETY: making a one-character str runs no Python code, and the slot is cleared after the borrow.
        let item = match unsafe { self.string.borrow() } {
            Some(string) => string.item(index, vm),
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
        let iter = builtin_iter(vm)?;
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
