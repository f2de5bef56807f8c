//! Weak references (library reference, `weakref`; PEP 205).
//!
//! The references to an object form a doubly linked list whose head sits in the object ([`WeakList`], or the word in front of
//! instances with `MANAGED_WEAKREF`). The first ones are the shared ones: the plain `ref` without callback, then the plain proxy
//! without callback, each at most once. All others follow, newest first. The list does not own its members: a reference takes
//! itself out when it dies.

pub mod module;
pub mod proxy;
pub mod reference;

use std::cell::Cell;

use taipan_object::gc;

use crate::exceptions::print::write_unraisable_while;
use crate::prelude::*;

pub use proxy::{CallableProxy, Proxy};
pub use reference::WeakReference;

/// The head of an object's list of weak references: what `tp_weaklistoffset` points at.
#[repr(transparent)]
pub struct WeakList(Cell<*mut WeakReference>);

impl WeakList {
    /// A list without references.
    pub const fn new() -> Self {
        WeakList(Cell::new(std::ptr::null_mut()))
    }
}

impl Default for WeakList {
    fn default() -> Self {
        Self::new()
    }
}

impl Traverse for WeakList {
    fn traverse(&self, _visit: &mut Visit) {}
}

/// Where the object keeps the head of its list; none when its type allows no weak references.
#[inline]
fn head_of(op: &Object) -> Option<&Cell<*mut WeakReference>> {
    let tp = op.ob_type();
    if op.downcast_ref::<Type>().is_some_and(|op| !op.has_flag(TypeFlags::HEAPTYPE)) {
        return Some(head_of_static_type(op));
    }
    let place: *mut *mut WeakReference = if tp.has_flag(TypeFlags::MANAGED_WEAKREF) {
        // SAFETY: the flag says that the pre-header is there.
        unsafe { gc::managed_weakrefs(op.as_ptr()) }.cast()
    } else {
        match tp.tp_weaklistoffset.get() {
            // SAFETY: the type vouches for the field.
            offset if offset > 0 => unsafe { op.as_ptr().byte_offset(offset).cast() },
            _ => return None,
        }
    };
    // SAFETY: the field lives as long as the object, and a `Cell` has the layout of its content.
    Some(unsafe { &*place.cast::<Cell<*mut WeakReference>>() })
}

/// The lists of static types, which all interpreters share: each interpreter has its own, by the type's address.
#[derive(Default)]
struct StaticTypeLists(std::cell::RefCell<std::collections::HashMap<usize, Box<Cell<*mut WeakReference>>>>);

#[cold]
fn head_of_static_type<'a>(op: &'a Object) -> &'a Cell<*mut WeakReference> {
    // SAFETY: objects are handled on attached threads only.
    let vm = unsafe { Vm::current() };
    let mut lists = vm.interp().state::<StaticTypeLists>().0.borrow_mut();
    let list = lists
        .entry(std::ptr::from_ref(op) as usize)
        .or_insert_with(|| Box::new(Cell::new(std::ptr::null_mut())));
    let list: *const Cell<*mut WeakReference> = &raw const **list;
    // SAFETY: boxes are never taken out of the map, which lives as long as the interpreter.
    unsafe { &*list }
}

/// Whether weak references to the object can be made.
pub fn supports_weakrefs(op: &Object) -> bool {
    head_of(op).is_some()
}

/// The members of an object's list, first to last.
pub(crate) fn references(op: &Object) -> References {
    References(head_of(op).map_or(std::ptr::null_mut(), Cell::get))
}

/// Iterates over a list of weak references. The list must not change meanwhile.
pub(crate) struct References(*mut WeakReference);

impl Iterator for References {
    type Item = *mut WeakReference;
    fn next(&mut self) -> Option<*mut WeakReference> {
        let current = self.0;
        // SAFETY: members of a list are alive.
        let reference = unsafe { current.as_ref() }?;
        self.0 = reference.wr_next.get();
        Some(current)
    }
}

/// What a shared weak reference is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shared {
    Plain,
    Proxy,
}

fn shared_kind(reference: &WeakReference) -> Option<Shared> {
    if !reference.wr_callback.is_none() {
        return None;
    }
    let tp = reference.as_object().type_ptr();
    if std::ptr::eq(tp, WeakReference::static_type()) {
        Some(Shared::Plain)
    } else if std::ptr::eq(tp, Proxy::static_type()) || std::ptr::eq(tp, CallableProxy::static_type()) {
        Some(Shared::Proxy)
    } else {
        None
    }
}

fn find_shared(op: &Object, kind: Shared) -> Option<*mut WeakReference> {
    // SAFETY: members of a list are alive. A reference that is being destroyed (count zero) is not handed out again.
    references(op)
        .take(2)
        .find(|&wr| unsafe { shared_kind(&*wr) == Some(kind) && (*wr).as_object().refcount() > 0 })
}

/// Links a new reference into the list of its target: shared ones in front, others behind them.
///
/// # Safety
/// `reference` is alive, not in any list, and its target is alive and allows weak references.
unsafe fn link(reference: *mut WeakReference) {
    // SAFETY: the caller vouches for the pointers; members of a list are alive.
    unsafe {
        let target = &*(*reference).wr_object.get();
        let Some(head) = head_of(target) else { return };
        let after = match shared_kind(&*reference) {
            Some(Shared::Plain) => std::ptr::null_mut(),
            Some(Shared::Proxy) => last_shared(head.get(), 1),
            None => last_shared(head.get(), 2),
        };
        if after.is_null() {
            let next = head.get();
            (*reference).wr_prev.set(std::ptr::null_mut());
            (*reference).wr_next.set(next);
            if !next.is_null() {
                (*next).wr_prev.set(reference);
            }
            head.set(reference);
        } else {
            let next = (*after).wr_next.get();
            (*reference).wr_prev.set(after);
            (*reference).wr_next.set(next);
            if !next.is_null() {
                (*next).wr_prev.set(reference);
            }
            (*after).wr_next.set(reference);
        }
    }
}

/// The last of the shared references at the start of a list, among the first `limit`; null when there is none.
unsafe fn last_shared(first: *mut WeakReference, limit: usize) -> *mut WeakReference {
    let mut last = std::ptr::null_mut();
    for wr in References(first).take(limit) {
        // SAFETY: members of a list are alive.
        match unsafe { shared_kind(&*wr) } {
            Some(Shared::Proxy) if limit == 1 => break,
            Some(_) => last = wr,
            None => break,
        }
    }
    last
}

/// Takes a reference out of its target's list; it is dead afterwards.
pub(crate) fn unlink(reference: &WeakReference) {
    let Some(target) = reference.target_ptr() else { return };
    // SAFETY: a target lives until its list has been cleared; neighbours in a list are alive.
    unsafe {
        let prev = reference.wr_prev.replace(std::ptr::null_mut());
        let next = reference.wr_next.replace(std::ptr::null_mut());
        match prev.as_ref() {
            Some(prev) => prev.wr_next.set(next),
            None => {
                if let Some(head) = head_of(&*target) {
                    head.set(next);
                }
            }
        }
        if let Some(next) = next.as_ref() {
            next.wr_prev.set(prev);
        }
    }
    reference.wr_object.set(WeakReference::dead());
}

/// `PyObject_ClearWeakRefs`: ends all weak references to an object that is about to be destroyed, and calls their callbacks,
/// newest first. Errors of callbacks are reported as unraisable.
///
/// # Safety
/// `op` is whole.
pub unsafe fn clear_weakrefs(op: *mut Object) {
    // SAFETY: the caller vouches for the object.
    let Some(head) = head_of(unsafe { &*op }) else { return };
    if head.get().is_null() {
        return;
    }
    let mut waiting = Vec::new();
    // SAFETY: members of a list are alive; each step takes out the first.
    while let Some(reference) = unsafe { head.get().as_ref() } {
        unlink(reference);
        if let Some(callback) = reference.wr_callback.take() {
            // A reference that is being destroyed itself is not revived for its callback.
            if reference.as_object().refcount() > 0 {
                waiting.push((Ref::new_ref(reference), callback));
            }
        }
    }
    if waiting.is_empty() {
        return;
    }
    let Some(vm) = Vm::try_current() else { return };
    call_callbacks(waiting, vm);
}

/// Calls each callback with its (dead) reference; the waiting exception stays what it is.
pub(crate) fn call_callbacks(waiting: Vec<(Ref<WeakReference>, ObjRef)>, vm: &Vm) {
    let saved = vm.take_exception();
    for (reference, callback) in waiting {
        if callback.call(&[reference.as_object()], vm).is_err() {
            write_unraisable_while("while calling weakref callback", Some(&callback), vm);
        }
    }
    vm.current_exception.set(saved);
}

/// How many weak references to the object exist.
pub fn weakref_count(op: &Object) -> usize {
    references(op).count()
}

/// The object's first weak reference, or `None`: what `__weakref__` shows.
pub fn first_weakref(op: &Object, vm: &Vm) -> ObjRef {
    match references(op).next() {
        // SAFETY: members of a list are alive.
        Some(wr) => unsafe { (*wr).as_object().to_ref() },
        None => vm.none(),
    }
}

fn not_supported(op: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("cannot create weak reference to '{}' object", op.ob_type().tp_name_str()))
}

fn real_callback(callback: Option<&Object>, vm: &Vm) -> Option<ObjRef> {
    callback.filter(|callback| !vm.is_none(callback)).map(Object::to_ref)
}

/// `weakref.ref(target, callback)`, or the same for a subclass `cls` of it. The shared reference is used again where there is
/// one. Raises TypeError when the target's type allows no weak references.
pub fn new_reference(cls: &Type, target: &Object, callback: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
    if head_of(target).is_none() {
        return Err(not_supported(target, vm));
    }
    let callback = real_callback(callback, vm);
    if callback.is_none() && std::ptr::eq(cls, WeakReference::type_object()) {
        if let Some(shared) = find_shared(target, Shared::Plain) {
            // SAFETY: members of a list are alive.
            return Ok(unsafe { (*shared).as_object().to_ref() });
        }
    }
    let made =
        vm.new_instance(cls, WeakReference::unlinked(WeakReference::type_object(), target, callback))?;
    // SAFETY: just made with this layout, and the target was checked.
    unsafe { link(made.as_raw().cast()) };
    Ok(made)
}

/// `weakref.proxy(target, callback)`.
pub fn new_proxy(target: &Object, callback: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
    if head_of(target).is_none() {
        return Err(not_supported(target, vm));
    }
    let callback = real_callback(callback, vm);
    if callback.is_none() {
        if let Some(shared) = find_shared(target, Shared::Proxy) {
            // SAFETY: members of a list are alive.
            return Ok(unsafe { (*shared).as_object().to_ref() });
        }
    }
    let made = if target.is_callable() {
        let reference = WeakReference::unlinked(CallableProxy::type_object(), target, callback);
        vm.new_object(CallableProxy { reference }).into_object()
    } else {
        let reference = WeakReference::unlinked(Proxy::type_object(), target, callback);
        vm.new_object(Proxy { reference }).into_object()
    };
    // SAFETY: both layouts begin with a `WeakReference`, and the target was checked.
    unsafe { link(made.as_raw().cast()) };
    Ok(made)
}
