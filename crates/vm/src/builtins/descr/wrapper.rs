//! `wrapper_descriptor` (`list.__len__`) and `method-wrapper` (`[].__len__`): native slots as Python methods.

use std::cell::Cell;
use std::mem::transmute;

use super::{DescrHead, doc_object, signature_object};
use crate::builtins::type_::slotdefs::{WRAPPER_KEYWORDS, WrapperBase};
use crate::prelude::*;

/// `wrapperfunc`.
pub type WrapperFunc = unsafe extern "C" fn(*mut Object, *mut Object, *const ()) -> *mut Object;
/// `wrapperfunc_kwds`.
pub type WrapperFuncKw =
    unsafe extern "C" fn(*mut Object, *mut Object, *const (), *mut Object) -> *mut Object;

/// `PyWrapperDescrObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct WrapperDescriptor {
    /// Type and name.
    pub head: DescrHead,
    /// The row of the slot table.
    #[traverse(skip)]
    pub d_base: Cell<*const WrapperBase>,
    /// The native function in the owner's slot.
    #[traverse(skip)]
    pub wrapped: Cell<*const ()>,
}

const _: () = assert!(size_of::<WrapperDescriptor>() == 56);

impl WrapperDescriptor {
    /// The wrapper of the function that `owner` has in the slot of `base`.
    pub fn new(owner: &Type, base: &'static WrapperBase, wrapped: *const (), vm: &Vm) -> Ref<Self> {
        vm.new_object(WrapperDescriptor {
            head: DescrHead::new(Self::type_object(), owner, vm.intern(base.name())),
            d_base: Cell::new(base),
            wrapped: Cell::new(wrapped),
        })
    }

    /// The row of the slot table.
    pub fn base(&self) -> &WrapperBase {
        // SAFETY: rows are static, or copies that the extension which made them keeps.
        unsafe { &*self.d_base.get() }
    }

    /// The type whose slot it is.
    pub fn owner(&self) -> &Type {
        self.head.owner()
    }

    /// Calls the slot on `object`, which is an instance of the owner.
    fn call_on(&self, object: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let base = self.base();
        let args = args.as_object().as_ptr();
        // SAFETY: the flags tell the wrapper's signature, and the slot table pairs it with the wrapped function.
        unsafe {
            if base.flags & WRAPPER_KEYWORDS != 0 {
                let wrapper = transmute::<*const (), WrapperFuncKw>(base.wrapper);
                let kwargs = kwargs.map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
                return vm.owned(wrapper(object.as_ptr(), args, self.wrapped.get(), kwargs));
            }
            if kwargs.is_some_and(|d| d.len() > 0) {
                return Err(vm.type_error(format!("wrapper {}() takes no keyword arguments", base.name())));
            }
            let wrapper = transmute::<*const (), WrapperFunc>(base.wrapper);
            vm.owned(wrapper(object.as_ptr(), args, self.wrapped.get()))
        }
    }
}

/// the type of slot wrappers
#[pytype(name = "wrapper_descriptor", symbol = "PyWrapperDescr_Type", flags(METHOD_DESCRIPTOR), gc, doc = "")]
impl WrapperDescriptor {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        self.head.reduce(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(&self.head.name(), self.base().doc, vm)
    }

    #[getter]
    fn __text_signature__(&self, vm: &Vm) -> ObjRef {
        signature_object(&self.head.name(), self.base().doc, vm)
    }

    #[getter]
    fn __qualname__(&self, vm: &Vm) -> PyResult {
        self.head.qualname(vm)
    }

    #[getter]
    fn __name__(&self) -> Option<Ref<Str>> {
        self.head.d_name.get()
    }

    #[getter]
    fn __objclass__(&self) -> ObjRef {
        self.head.owner().as_object().to_ref()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        self.head.show("slot wrapper", vm)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let Some((object, rest)) = args.as_slice().split_first() else {
            return Err(vm.type_error(format!(
                "descriptor '{}' of '{}' object needs an argument",
                self.head.name(),
                self.head.owner().name()
            )));
        };
        if !object.ob_type().is_subtype_of(self.head.owner()) {
            return Err(vm.type_error(format!(
                "descriptor '{}' requires a '{}' object but received a '{}'",
                self.head.name(),
                self.head.owner().tp_name_str(),
                object.ob_type().tp_name_str()
            )));
        }
        self.call_on(object, &Tuple::from_vec(rest.to_vec(), vm), kwargs, vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object else { return Ok(self.as_object().to_ref()) };
        self.head.check(object, vm)?;
        Ok(vm
            .new_object(MethodWrapper {
                ob: Object::new(MethodWrapper::type_object()),
                descr: self.into(),
                object: Slot::of(object.to_ref()),
            })
            .into_object())
    }
}

/// A slot wrapper bound to an object.
#[repr(C)]
#[derive(Traverse)]
pub struct MethodWrapper {
    #[traverse(skip)]
    ob: Object,
    descr: Ref<WrapperDescriptor>,
    object: Slot<Object>,
}

impl MethodWrapper {
    fn receiver(&self, vm: &Vm) -> ObjRef {
        self.object.get().unwrap_or_else(|| vm.none())
    }
}

/// the type of slot wrappers bound to an object
#[pytype(name = "method-wrapper", symbol = "_PyMethodWrapper_Type", gc, doc = "")]
impl MethodWrapper {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let getattr = crate::builtins::builtins_module::builtin(vm.ids().getattr, vm)?;
        let name = self.descr.head.d_name.get().map_or_else(|| vm.none(), Ref::into_object);
        let args = vm.new_tuple([self.receiver(vm), name]);
        Ok(vm.new_tuple([getattr, args.into_object()]).into_object())
    }

    #[getter]
    fn __self__(&self, vm: &Vm) -> ObjRef {
        self.receiver(vm)
    }

    #[getter]
    fn __objclass__(&self) -> ObjRef {
        self.descr.head.owner().as_object().to_ref()
    }

    #[getter]
    fn __name__(&self) -> Option<Ref<Str>> {
        self.descr.head.d_name.get()
    }

    #[getter]
    fn __qualname__(&self, vm: &Vm) -> PyResult {
        self.descr.head.qualname(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(&self.descr.head.name(), self.descr.base().doc, vm)
    }

    #[getter]
    fn __text_signature__(&self, vm: &Vm) -> ObjRef {
        signature_object(&self.descr.head.name(), self.descr.base().doc, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        let object = self.receiver(vm);
        vm.new_str(&format!(
            "<method-wrapper '{}' of {} object at {:p}>",
            self.descr.head.name(),
            object.ob_type().name(),
            object.as_raw()
        ))
        .into_object()
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.descr.call_on(&self.receiver(vm), args, kwargs, vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let object = crate::builtins::object::pointer_hash(&self.receiver(vm));
        Ok(object ^ crate::builtins::object::pointer_hash(self.descr.as_object()))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_exact::<MethodWrapper>() else { return Ok(vm.not_implemented()) };
        let same =
            self.descr.as_object().is(other.descr.as_object()) && self.receiver(vm).is(&other.receiver(vm));
        match op {
            CompareOp::Eq => Ok(vm.new_bool(same)),
            CompareOp::Ne => Ok(vm.new_bool(!same)),
            _ => Ok(vm.not_implemented()),
        }
    }
}
