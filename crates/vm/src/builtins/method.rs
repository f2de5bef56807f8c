//! `method`: a function bound to an object.

use std::cell::Cell;

use taipan_object::typeobject::VectorcallFunc;

use crate::prelude::*;
use crate::protocols::call::{ARGUMENTS_OFFSET, vectorcall_raw};
use crate::protocols::native::to_c;

/// `PyMethodObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct Method {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    /// The function.
    pub im_func: Slot<Object>,
    /// The object.
    pub im_self: Slot<Object>,
    /// Weak references.
    #[traverse(skip)]
    pub im_weakreflist: WeakList,
    /// Calls by vectorcall.
    #[traverse(skip)]
    pub vectorcall: Cell<Option<VectorcallFunc>>,
}

const _: () = assert!(size_of::<Method>() == 48);

impl Method {
    /// `function` bound to `object`.
    pub fn new(function: ObjRef, object: ObjRef, vm: &Vm) -> Ref<Self> {
        vm.new_object(Method {
            ob: Object::new(Self::type_object()),
            im_func: Slot::of(function),
            im_self: Slot::of(object),
            im_weakreflist: WeakList::new(),
            vectorcall: Cell::new(Some(call_method)),
        })
    }

    /// The function.
    pub fn function(&self, vm: &Vm) -> ObjRef {
        self.im_func.get().unwrap_or_else(|| vm.none())
    }

    /// The object.
    pub fn receiver(&self, vm: &Vm) -> ObjRef {
        self.im_self.get().unwrap_or_else(|| vm.none())
    }
}

unsafe extern "C" fn call_method(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    unsafe {
        let vm = Vm::current();
        let method = (*callable).cast::<Method>();
        let (function, receiver) = (method.im_func.as_raw(), method.im_self.as_raw());
        let names = kwnames.as_ref().map(|names| names.cast::<Tuple>());
        let nargs = nargsf & !ARGUMENTS_OFFSET;
        if nargsf & ARGUMENTS_OFFSET != 0 {
            // The caller lends the place in front of the arguments.
            let place = args.sub(1).cast_mut();
            let saved = *place;
            *place = receiver;
            let result = vectorcall_raw(&*function, place, nargs + 1, names, vm);
            *place = saved;
            return to_c(result);
        }
        let total = nargs + names.map_or(0, Tuple::len);
        let mut all = smallvec::SmallVec::<[*mut Object; 8]>::with_capacity(total + 1);
        all.push(receiver);
        if total > 0 {
            all.extend_from_slice(std::slice::from_raw_parts(args, total));
        }
        to_c(vectorcall_raw(&*function, all.as_ptr(), nargs + 1, names, vm))
    }
}

/// Create a bound instance method object.
#[pytype(
    name = "method",
    symbol = "PyMethod_Type",
    gc,
    weakrefs = im_weakreflist,
    vectorcall = vectorcall
)]
impl Method {
    #[new("(function, instance, /)")]
    fn new_method(_cls: &Type, function: &Object, instance: &Object, vm: &Vm) -> PyResult {
        if !function.is_callable() {
            return Err(vm.type_error("first argument must be callable"));
        }
        if vm.is_none(instance) {
            return Err(vm.type_error("instance must not be None"));
        }
        Ok(Method::new(function.to_ref(), instance.to_ref(), vm).into_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let getattr = crate::builtins::builtins_module::builtin(vm.ids().getattr, vm)?;
        let name = self.function(vm).get_attr(vm.ids().__name__, vm)?;
        let args = vm.new_tuple([self.receiver(vm), name]);
        Ok(vm.new_tuple([getattr, args.into_object()]).into_object())
    }

    /// the function (or other callable) implementing a method
    #[getter]
    fn __func__(&self, vm: &Vm) -> ObjRef {
        self.function(vm)
    }

    /// the instance to which a method is bound
    #[getter]
    fn __self__(&self, vm: &Vm) -> ObjRef {
        self.receiver(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> PyResult {
        Ok(self.function(vm).lookup_attr(vm.ids().__doc__, vm)?.unwrap_or_else(|| vm.none()))
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        let tp = self.as_object().ob_type();
        if let Some(attribute) = crate::builtins::type_::lookup::lookup(tp, name, vm).map(Object::to_ref) {
            return crate::protocols::attributes::bind(&attribute, Some(self.as_object()), tp, vm);
        }
        self.function(vm).get_attr(name, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let function = self.function(vm);
        let mut name = None;
        for attribute in [vm.ids().__qualname__, vm.ids().__name__] {
            if let Some(found) = function.lookup_attr(attribute, vm)? {
                name = found.downcast::<Str>().ok();
                break;
            }
        }
        let name = name.map_or_else(|| "?".to_owned(), |n| n.to_string_lossy().into_owned());
        let receiver = self.receiver(vm).repr(vm)?;
        Ok(vm
            .new_str("<bound method ")
            .concat(&vm.new_str(&format!("{name} of ")), vm)?
            .concat(&receiver, vm)?
            .concat(&vm.new_str(">"), vm)?
            .into_object())
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        crate::protocols::call::call_tuple_dict(self.as_object(), args, kwargs, vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let receiver = crate::builtins::object::pointer_hash(&self.receiver(vm));
        Ok(receiver ^ self.function(vm).hash(vm)?)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Method>(), op) else {
            return Ok(vm.not_implemented());
        };
        let same =
            self.receiver(vm).is(&other.receiver(vm)) && self.function(vm).eq(&other.function(vm), vm)?;
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_descr_get(&self, _object: Option<&Object>, _cls: Option<&Object>) -> ObjRef {
        self.as_object().to_ref()
    }
}
