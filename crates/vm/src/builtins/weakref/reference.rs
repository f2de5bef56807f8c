//! `weakref.ref`.

use std::cell::Cell;
use std::mem::size_of;

use taipan_object::typeobject::VectorcallFunc;

use super::{new_reference, unlink};
use crate::builtins::str::StrBuilder;
use crate::prelude::*;
use crate::protocols::native::to_c;

/// `PyWeakReference`, the layout of references and proxies.
#[repr(C)]
pub struct WeakReference {
    /// The header.
    pub ob: Object,
    /// The target, not owned; `None` once it is dead (the macro `PyWeakref_GET_OBJECT` reads it).
    pub wr_object: Cell<*mut Object>,
    /// Called with the reference when the target dies.
    pub wr_callback: Slot<Object>,
    /// The target's hash, once asked for; -1 before.
    pub hash: Cell<isize>,
    /// The member in front.
    pub wr_prev: Cell<*mut WeakReference>,
    /// The member behind.
    pub wr_next: Cell<*mut WeakReference>,
    /// Calling the reference.
    pub vectorcall: Cell<Option<VectorcallFunc>>,
}

const _: () = assert!(size_of::<WeakReference>() == 64);

impl Traverse for WeakReference {
    fn traverse(&self, visit: &mut Visit) {
        self.wr_callback.traverse(visit);
    }
    fn clear(&self) {
        unlink(self);
        self.wr_callback.clear();
    }
}

impl Drop for WeakReference {
    fn drop(&mut self) {
        unlink(self);
    }
}

impl WeakReference {
    /// What `wr_object` holds once the target is dead.
    #[inline(always)]
    pub(crate) fn dead() -> *mut Object {
        crate::builtins::singletons::none_ptr()
    }

    pub(super) fn unlinked(tp: &'static Type, target: &Object, callback: Option<ObjRef>) -> WeakReference {
        WeakReference {
            ob: Object::new(tp),
            wr_object: Cell::new(target.as_ptr()),
            wr_callback: Slot::new(callback),
            hash: Cell::new(-1),
            wr_prev: Cell::new(std::ptr::null_mut()),
            wr_next: Cell::new(std::ptr::null_mut()),
            vectorcall: Cell::new(Some(weakref_vectorcall)),
        }
    }

    /// The target's address while the reference is linked, even if the target is being destroyed.
    #[inline]
    pub(crate) fn target_ptr(&self) -> Option<*mut Object> {
        let target = self.wr_object.get();
        // A reference made by C code may be zeroed; it is in no list then.
        (target != Self::dead() && !target.is_null()).then_some(target)
    }

    /// The target, unless it is dead or being destroyed.
    #[inline]
    pub fn get(&self) -> Option<ObjRef> {
        // SAFETY: a linked target is alive.
        let target = unsafe { &*self.target_ptr()? };
        (target.refcount() > 0).then(|| target.to_ref())
    }

    /// Whether the target is gone.
    pub fn is_dead(&self) -> bool {
        self.get().is_none()
    }

    fn has_moved_on(&self, vm: &Vm) -> Raised {
        vm.type_error("weak object has gone away")
    }
}

unsafe extern "C" fn weakref_vectorcall(
    callable: *mut Object,
    _args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: called by Python on an attached thread, with a reference as the callable.
    let (vm, reference, keywords) =
        unsafe { (Vm::current(), &*callable.cast::<WeakReference>(), kwnames.cast::<Tuple>().as_ref()) };
    let nargs = nargsf & !(1 << 63);
    to_c(call_reference(reference, nargs, keywords.map_or(0, Tuple::len), vm))
}

fn call_reference(reference: &WeakReference, nargs: usize, keywords: usize, vm: &Vm) -> PyResult {
    if keywords > 0 {
        return Err(vm.type_error("weakref() takes no keyword arguments"));
    }
    if nargs > 0 {
        return Err(vm.type_error(format!("weakref expected 0 arguments, got {nargs}")));
    }
    Ok(reference.get().unwrap_or_else(|| vm.none()))
}

fn unpack<'a>(func: &str, args: &'a Tuple, vm: &Vm) -> PyResult<(&'a Object, Option<&'a Object>)> {
    match args.as_slice() {
        [target] => Ok((target, None)),
        [target, callback] => Ok((target, Some(callback))),
        [] => Err(vm.type_error(format!("{func} expected at least 1 argument, got 0"))),
        more => Err(vm.type_error(format!("{func} expected at most 2 arguments, got {}", more.len()))),
    }
}

#[pytype(
    name = "weakref.ReferenceType",
    symbol = "_PyWeakref_RefType",
    flags(BASETYPE),
    gc,
    vectorcall = vectorcall,
    members(__callback__: OBJECT = wr_callback readonly)
)]
impl WeakReference {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        let (target, callback) = unpack("__new__", args, vm)?;
        new_reference(cls, target, callback, vm)
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        crate::exceptions::base::refuse_keywords("ref", kwargs, vm)?;
        unpack("__init__", args, vm).map(drop)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let mut text = StrBuilder::new();
        let at = self.as_object().as_ptr();
        match self.get() {
            None => text.push_str(&format!("<weakref at {at:p}; dead>")),
            Some(target) => {
                let tp = crate::builtins::type_::shown_name(target.ob_type(), vm)?;
                text.push_str(&format!("<weakref at {at:p}; to '{tp}' at {:p}", target.as_raw()));
                let name = target.lookup_special(vm.ids().__name__, vm)?;
                if let Some(name) = name.as_deref().and_then(Object::downcast_ref::<Str>) {
                    text.push_str(" (");
                    text.push(name);
                    text.push_str(")");
                }
                text.push_str(">");
            }
        }
        Ok(text.finish(vm).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        if self.hash.get() != -1 {
            return Ok(self.hash.get());
        }
        let Some(target) = self.get() else { return Err(self.has_moved_on(vm)) };
        let hash = target.hash(vm)?;
        self.hash.set(hash);
        Ok(hash)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        call_reference(self, args.len(), kwargs.map_or(0, |kwargs| kwargs.len()), vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let Some(other) = other.downcast_ref::<WeakReference>() else { return Ok(vm.not_implemented()) };
        match (self.get(), other.get()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op, vm),
            _ => {
                let same = self.as_object().is(other.as_object());
                Ok(vm.new_bool(same == matches!(op, CompareOp::Eq)))
            }
        }
    }

    /// Weakrefs are generic over the type of the referenced object.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }
}
