//! `method_descriptor` and `classmethod_descriptor`: the methods of built-in types, in their types' dictionaries.

use std::cell::Cell;
use std::ffi::CStr;

use taipan_object::typeobject::VectorcallFunc;

use super::{DescrHead, doc_object, signature_object};
use crate::builtins::builtin_function::{BuiltinFunction, call_method_def};
use crate::prelude::*;

/// `PyMethodDescrObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct MethodDescriptor {
    /// Type and name.
    pub head: DescrHead,
    /// The definition: extensions read flags and function to call it directly.
    #[traverse(skip)]
    pub d_method: Cell<*const MethodDef>,
    /// Calls by vectorcall.
    #[traverse(skip)]
    pub vectorcall: Cell<Option<VectorcallFunc>>,
}

const _: () = assert!(size_of::<MethodDescriptor>() == 56);

impl MethodDescriptor {
    /// The descriptor of a method of `owner`.
    pub fn new(owner: &Type, def: &'static MethodDef, vm: &Vm) -> Ref<Self> {
        vm.new_object(MethodDescriptor {
            head: DescrHead::new(Self::type_object(), owner, def_name(def, vm)),
            d_method: Cell::new(def),
            vectorcall: Cell::new(Some(call_descriptor)),
        })
    }

    /// The definition.
    #[inline(always)]
    pub fn def(&self) -> &MethodDef {
        // SAFETY: definitions live as long as their types.
        unsafe { &*self.d_method.get() }
    }
}

fn def_name(def: &MethodDef, vm: &Vm) -> Ref<Str> {
    // SAFETY: names of definitions are NUL-terminated.
    vm.intern(&unsafe { CStr::from_ptr(def.ml_name) }.to_string_lossy())
}

unsafe extern "C" fn call_descriptor(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    let nargs = nargsf & !crate::protocols::call::ARGUMENTS_OFFSET;
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    let (vm, zelf) = unsafe { (Vm::current(), (*callable).cast::<MethodDescriptor>()) };
    if nargs == 0 {
        vm.type_error(format!(
            "unbound method {}.{}() needs an argument",
            zelf.head.owner().name(),
            zelf.head.name()
        ));
        return std::ptr::null_mut();
    }
    // SAFETY: there is at least one argument.
    unsafe {
        let object = *args;
        if !std::ptr::eq((*object).type_ptr(), zelf.head.owner()) && zelf.head.check(&*object, vm).is_err() {
            return std::ptr::null_mut();
        }
        call_method_def(zelf.def(), object, args.add(1), nargs - 1, kwnames, Some(zelf.head.owner()), vm)
    }
}

/// the type of methods of built-in types
#[pytype(
    name = "method_descriptor",
    symbol = "PyMethodDescr_Type",
    flags(METHOD_DESCRIPTOR),
    gc,
    vectorcall = vectorcall,
    doc = ""
)]
impl MethodDescriptor {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        self.head.reduce(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(&self.head.name(), self.def().ml_doc, vm)
    }

    #[getter]
    fn __text_signature__(&self, vm: &Vm) -> ObjRef {
        signature_object(&self.head.name(), self.def().ml_doc, vm)
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
        self.head.show("method", vm)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        crate::protocols::call::call_tuple_dict(self.as_object(), args, kwargs, vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object else { return Ok(self.as_object().to_ref()) };
        self.head.check(object, vm)?;
        // SAFETY: definitions live as long as their types, which the function keeps alive through the object.
        let def: &'static MethodDef = unsafe { &*self.d_method.get() };
        Ok(BuiltinFunction::bound(def, object.to_ref(), self.head.owner(), vm).into_object())
    }
}

/// The same for class methods.
#[repr(C)]
#[derive(Traverse)]
pub struct ClassMethodDescriptor {
    /// Type and name.
    pub head: DescrHead,
    /// The definition.
    #[traverse(skip)]
    pub d_method: Cell<*const MethodDef>,
    #[traverse(skip)]
    unused: usize,
}

impl ClassMethodDescriptor {
    /// The descriptor of a class method of `owner`.
    pub fn new(owner: &Type, def: &'static MethodDef, vm: &Vm) -> Ref<Self> {
        vm.new_object(ClassMethodDescriptor {
            head: DescrHead::new(Self::type_object(), owner, def_name(def, vm)),
            d_method: Cell::new(def),
            unused: 0,
        })
    }

    fn bind(&self, cls: &Object, vm: &Vm) -> PyResult {
        let Some(tp) = cls.downcast_ref::<Type>() else {
            return Err(vm.type_error(format!(
                "descriptor '{}' for type '{}' needs a type, not a '{}' as arg 2",
                self.head.name(),
                self.head.owner().name(),
                cls.ob_type().name()
            )));
        };
        if !tp.is_subtype_of(self.head.owner()) {
            return Err(vm.type_error(format!(
                "descriptor '{}' requires a subtype of '{}' but received '{}'",
                self.head.name(),
                self.head.owner().name(),
                tp.name()
            )));
        }
        // SAFETY: definitions live as long as their types.
        let def: &'static MethodDef = unsafe { &*self.d_method.get() };
        Ok(BuiltinFunction::bound(def, cls.to_ref(), tp, vm).into_object())
    }
}

/// the type of class methods of built-in types
#[pytype(name = "classmethod_descriptor", symbol = "PyClassMethodDescr_Type", gc, doc = "")]
impl ClassMethodDescriptor {
    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        // SAFETY: definitions live as long as their types.
        doc_object(&self.head.name(), unsafe { (*self.d_method.get()).ml_doc }, vm)
    }

    #[getter]
    fn __text_signature__(&self, vm: &Vm) -> ObjRef {
        // SAFETY: as above.
        signature_object(&self.head.name(), unsafe { (*self.d_method.get()).ml_doc }, vm)
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
        self.head.show("method", vm)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let Some((cls, rest)) = args.as_slice().split_first() else {
            return Err(vm.type_error(format!(
                "descriptor '{}' of '{}' object needs an argument",
                self.head.name(),
                self.head.owner().name()
            )));
        };
        self.bind(cls, vm)?.call_tuple_dict(&Tuple::from_vec(rest.to_vec(), vm), kwargs, vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, cls: Option<&Object>, vm: &Vm) -> PyResult {
        match (cls, object) {
            (Some(cls), _) => self.bind(cls, vm),
            (None, Some(object)) => self.bind(object.ob_type().as_object(), vm),
            (None, None) => Err(vm.type_error(format!(
                "descriptor '{}' for type '{}' needs either an object or a type",
                self.head.name(),
                self.head.owner().name()
            ))),
        }
    }
}
