//! Buffers of classes that define `__buffer__` and `__release_buffer__` (PEP 688).

use super::{MemoryView, RELEASED};
use crate::builtins::type_::slots::{slot_getbuffer, slot_releasebuffer};
use crate::prelude::*;
use crate::protocols::buffer;
use taipan_object::typeobject::{GetBufferProc, ReleaseBufferProc};

/// What a buffer made by `__buffer__` names as its owner: it remembers the view that was returned, so that
/// `__release_buffer__` gets the same one.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferWrapper {
    ob: Object,
    view: Slot<Object>,
    object: Slot<Object>,
}

#[pytype(name = "_buffer_wrapper", symbol = "_PyBufferWrapper_Type", base = Object, gc, no_new)]
impl BufferWrapper {
    #[slot]
    fn bf_releasebuffer(&self, view: &mut PyBuffer, vm: &Vm) {
        let (Some(inner), Some(object)) = (self.view.get(), self.object.get()) else { return };
        // The memoryview was lent out to whoever asked; `__release_buffer__` may release it now.
        let Some(inner) = inner.downcast_ref::<MemoryView>() else { return };
        inner.exports.set(inner.exports.get() - 1);
        let release = object.ob_type().as_buffer().and_then(|b| b.bf_releasebuffer.get());
        let in_python =
            release.is_some_and(|f| std::ptr::fn_addr_eq(f, slot_releasebuffer as ReleaseBufferProc));
        // A memoryview of the object itself releases it when it ends.
        if in_python && !std::ptr::eq(inner.info().obj, &*object) {
            call_release(&object, inner.as_object(), view, vm);
        }
    }
}

/// Fills a view through the object's `__buffer__`.
pub fn python_getbuffer(object: &Object, view: *mut PyBuffer, flags: i32, vm: &Vm) -> PyResult<()> {
    let Some(method) = object.lookup_special(vm.ids().__buffer__, vm)? else {
        return Err(vm.attribute_error("__buffer__"));
    };
    let result = method.call(&[&vm.new_int(flags)], vm)?;
    if result.downcast_ref::<MemoryView>().is_none() {
        return Err(vm.type_error("__buffer__ returned non-memoryview object"));
    }
    // SAFETY: the slot's caller passes a view to fill.
    let view = unsafe { &mut *view };
    buffer::get_view(&result, view, flags, vm)?;
    let wrapper = vm.new_object(BufferWrapper {
        ob: Object::new(BufferWrapper::type_object()),
        view: Slot::of(result),
        object: Slot::of(object.to_ref()),
    });
    // SAFETY: the view owned a reference to the memoryview, for which the wrapper stands in.
    let old =
        unsafe { Ref::from_raw_opt(std::mem::replace(&mut view.obj, wrapper.into_object().into_raw())) };
    drop(old);
    Ok(())
}

/// Calls `__release_buffer__(view)`; an exception can only be reported.
fn call_release(object: &Object, view: &Object, _info: &PyBuffer, vm: &Vm) {
    let saved = vm.take_exception();
    if object.call_method(vm.ids().__release_buffer__, &[view], vm).is_err() {
        let text = format!("Exception ignored in __release_buffer__ of {}", object.ob_type().name());
        vm.write_unraisable(Some(object), Some(&text));
    }
    if let Some(saved) = saved {
        vm.reraise(saved);
    }
}

/// Gives back a buffer of a class that overrides `__release_buffer__` of a built-in type: first as the built-in type does,
/// then through the method.
pub fn python_releasebuffer(object: &Object, view: *mut PyBuffer, vm: &Vm) {
    // SAFETY: the slot's caller passes the view to release.
    let view = unsafe { &mut *view };
    if let Some(wrapper) = unsafe { view.obj.as_ref() }.and_then(|o| o.downcast_exact::<BufferWrapper>()) {
        if let Some(inner) = wrapper.view.get() {
            call_release(object, &inner, view, vm);
        }
        return;
    }
    let native = native_release(object);
    // The method sees a view that ends with the call.
    if let Ok(shown) = MemoryView::from_buffer(super::copy_view(view), vm) {
        shown.restrict();
        call_release(object, shown.as_object(), view, vm);
        if shown.release_view(vm).is_err() {
            vm.clear_exception();
        }
    } else {
        vm.clear_exception();
    }
    if let Some(native) = native {
        // SAFETY: the base type's slot gets an instance of it and the view that it filled.
        unsafe { native(object.as_ptr(), view) };
    }
}

/// The first `bf_releasebuffer` among the bases that is not the one for Python methods.
fn native_release(object: &Object) -> Option<ReleaseBufferProc> {
    let mut tp = Some(object.ob_type());
    while let Some(current) = tp {
        if let Some(release) = current.as_buffer().and_then(|b| b.bf_releasebuffer.get()) {
            if !std::ptr::fn_addr_eq(release, slot_releasebuffer as ReleaseBufferProc) {
                return Some(release);
            }
        }
        tp = current.base();
    }
    None
}

/// `object.__buffer__(flags)` of a built-in type, whose slot is `get`.
pub fn memoryview_of(object: &Object, get: GetBufferProc, flags: i32, vm: &Vm) -> PyResult {
    if std::ptr::fn_addr_eq(get, slot_getbuffer as GetBufferProc) {
        return MemoryView::with_flags(object, flags, vm).map(Ref::into_object);
    }
    MemoryView::by_slot(object, get, flags, vm).map(Ref::into_object)
}

/// `object.__release_buffer__(view)` of a built-in type.
pub fn release_memoryview(object: &Object, view: &Object, vm: &Vm) -> PyResult<()> {
    let Some(view) = view.downcast_ref::<MemoryView>() else {
        return Err(vm.type_error("expected a memoryview object"));
    };
    if view.flags.get() & RELEASED != 0 || view.info().obj.is_null() {
        return Err(vm.value_error("memoryview's buffer has already been released"));
    }
    if !std::ptr::eq(view.info().obj, object) {
        return Err(vm.value_error("memoryview's buffer is not this object"));
    }
    view.release_view(vm)
}
