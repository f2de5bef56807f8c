//! `memory_iterator`.

use std::cell::Cell;

use super::{MemoryView, format, shape};
use crate::prelude::*;

/// Iterator over a one-dimensional view's items.
#[repr(C)]
#[derive(Traverse)]
pub struct MemoryIterator {
    ob: Object,
    #[traverse(skip)]
    index: Cell<isize>,
    #[traverse(skip)]
    len: isize,
    view: Slot<MemoryView>,
}

impl MemoryIterator {
    /// An iterator at the first item.
    pub fn new(view: &MemoryView, vm: &Vm) -> PyResult<ObjRef> {
        let info = view.check(vm)?;
        match info.ndim {
            0 => return Err(vm.type_error("invalid indexing of 0-dim memory")),
            1 => {}
            _ => {
                return Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented"));
            }
        }
        if format::native(shape::format_of(info)).is_none() {
            return Err(format::unsupported(shape::format_of(info), vm));
        }
        let len = view.sq_length(vm)? as isize;
        Ok(vm
            .new_object(MemoryIterator {
                ob: Object::new(MemoryIterator::type_object()),
                index: Cell::new(0),
                len,
                view: Slot::of(view.into()),
            })
            .into_object())
    }
}

#[pytype(name = "memory_iterator", symbol = "_PyMemoryIter_Type", base = Object, gc, no_new)]
impl MemoryIterator {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(view) = self.view.get() else { return Ok(None) };
        let index = self.index.get();
        if index >= self.len {
            self.view.set(None);
            return Ok(None);
        }
        self.index.set(index + 1);
        view.item(index, vm).map(Some)
    }
}
