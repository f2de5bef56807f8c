//! `PickleBuffer` (PEP 574).

use std::cell::RefCell;

use crate::builtins::memoryview::{MemoryView, shape};
use crate::prelude::*;
use crate::protocols::buffer;

/// A view that is given back when it goes.
struct Lent(Box<PyBuffer>);

impl Drop for Lent {
    fn drop(&mut self) {
        buffer::release_view(&mut self.0);
    }
}

impl Lent {
    fn owner(&self) -> Option<&Object> {
        // SAFETY: the view owns a reference.
        unsafe { self.0.obj.as_ref() }
    }
}

/// The layout of a `PickleBuffer`.
#[repr(C)]
pub struct PickleBuffer {
    ob: Object,
    /// Gone after `release()`.
    lent: RefCell<Option<Lent>>,
    weakrefs: WeakList,
}

impl Traverse for PickleBuffer {
    fn traverse(&self, visit: &mut Visit) {
        if let Ok(lent) = self.lent.try_borrow() {
            if let Some(owner) = lent.as_ref().and_then(Lent::owner) {
                visit.object(owner);
            }
        }
    }

    fn clear(&self) {
        let lent = self.lent.try_borrow_mut().map(|mut lent| lent.take());
        drop(lent);
    }
}

impl PickleBuffer {
    /// The buffer of `object`, which lends its memory. Raises what its exporter does.
    pub fn from_object(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        let mut view = Box::new(buffer::empty_view());
        buffer::get_view(object, &mut view, buffer::FULL_RO, vm)?;
        vm.new_instance(
            cls,
            PickleBuffer {
                ob: Object::new(Self::type_object()),
                lent: RefCell::new(Some(Lent(view))),
                weakrefs: WeakList::new(),
            },
        )
    }

    fn owner(&self, vm: &Vm) -> PyResult {
        let owner = self.lent.borrow().as_ref().and_then(Lent::owner).map(Object::to_ref);
        owner.ok_or_else(|| vm.value_error("operation forbidden on released PickleBuffer object"))
    }

    /// The view of the object's memory, which stays where it is until `release`. Raises `ValueError` after that.
    pub fn view(&self, vm: &Vm) -> PyResult<*const PyBuffer> {
        let view = self.lent.borrow().as_ref().map(|lent| std::ptr::from_ref(&*lent.0));
        view.ok_or_else(|| vm.value_error("operation forbidden on released PickleBuffer object"))
    }

    /// Whether the items lie side by side, in either order.
    pub fn is_contiguous(&self) -> bool {
        self.lent
            .borrow()
            .as_ref()
            .is_none_or(|lent| shape::is_c_contiguous(&lent.0) || shape::is_f_contiguous(&lent.0))
    }
}

/// Wrapper for potentially out-of-band buffers
#[pytype(name = "pickle.PickleBuffer", symbol = "PyPickleBuffer_Type", gc, weakrefs = weakrefs)]
impl PickleBuffer {
    #[new("!(object, /)")]
    fn new(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        Self::from_object(cls, object, vm)
    }

    #[slot]
    fn bf_getbuffer(&self, view: &mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
        let owner = self.owner(vm)?;
        buffer::get_view(&owner, view, flags, vm)
    }

    /// Views come from the owner and go back to it; this says that they must.
    #[slot]
    fn bf_releasebuffer(&self, _view: &mut PyBuffer) {}

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
    pub fn release(&self) {
        let lent = self.lent.borrow_mut().take();
        drop(lent);
    }
}
