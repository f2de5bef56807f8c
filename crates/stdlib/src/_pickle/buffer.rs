//! `PickleBuffer` (PEP 574).

use std::cell::RefCell;

use taipan_vm::builtins::memoryview::{MemoryView, shape};
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};

/// The layout of a `PickleBuffer`.
#[repr(C)]
pub struct PickleBuffer {
    ob: Object,
    /// Gone after `release()`.
    lent: RefCell<Option<Buffer>>,
    weakrefs: WeakList,
}

impl Traverse for PickleBuffer {
    fn traverse(&self, visit: &mut Visit) {
        if let Ok(lent) = self.lent.try_borrow() {
            if let Some(owner) = lent.as_ref().and_then(Buffer::owner) {
                visit.object(owner);
            }
        }
    }

    fn clear(&self) {
        let lent = self.lent.try_borrow_mut().map(|mut lent| lent.take());
        drop(lent);
    }
}

/// Whether the items lie side by side, in either order.
pub fn is_contiguous(lent: &Buffer) -> bool {
    lent.view().is_none_or(|view| shape::is_c_contiguous(view) || shape::is_f_contiguous(view))
}

impl PickleBuffer {
    fn owner(&self, vm: &Vm) -> PyResult {
        let owner = self.lent.borrow().as_ref().and_then(Buffer::owner).map(Object::to_ref);
        owner.ok_or_else(|| vm.value_error("operation forbidden on released PickleBuffer object"))
    }
}

/// Wrapper for potentially out-of-band buffers
#[pytype(name = "pickle.PickleBuffer", gc, weakrefs = weakrefs)]
impl PickleBuffer {
    #[new("(object, /)")]
    fn new(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        let lent = object.get_buffer(buffer::FULL_RO, vm)?;
        vm.new_instance(
            cls,
            PickleBuffer {
                ob: Object::new(Self::type_object()),
                lent: RefCell::new(Some(lent)),
                weakrefs: WeakList::new(),
            },
        )
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let owner = self.owner(vm)?;
        buffer::get_view(&owner, view, flags, vm)
    }

    /// Return a memoryview of the raw memory underlying this buffer.
    ///
    /// Will raise BufferError is the buffer isn't contiguous.
    #[method("($self, /)")]
    fn raw(&self, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        let view = MemoryView::from_object(&*self.owner(vm)?, vm)?;
        if !view.flatten() {
            return Err(vm.buffer_error("cannot extract raw buffer from non-contiguous buffer"));
        }
        Ok(view)
    }

    /// Release the underlying buffer exposed by the PickleBuffer object.
    #[method("($self, /)")]
    fn release(&self) {
        let lent = self.lent.borrow_mut().take();
        drop(lent);
    }
}
