//! `getset_descriptor`: computed attributes of built-in types.

use std::cell::Cell;
use std::ffi::CStr;

use super::{DescrHead, doc_object};
use crate::prelude::*;

/// `PyGetSetDescrObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct GetSetDescriptor {
    /// Type and name.
    pub head: DescrHead,
    /// The definition.
    #[traverse(skip)]
    pub d_getset: Cell<*const GetSetDef>,
}

const _: () = assert!(size_of::<GetSetDescriptor>() == 48);

impl GetSetDescriptor {
    /// The descriptor of a computed attribute of `owner`.
    pub fn new(owner: &Type, def: &GetSetDef, vm: &Vm) -> Ref<Self> {
        // SAFETY: names of definitions are NUL-terminated.
        let name = vm.intern(&unsafe { CStr::from_ptr(def.name) }.to_string_lossy());
        vm.new_object(GetSetDescriptor {
            head: DescrHead::new(Self::type_object(), owner, name),
            d_getset: Cell::new(def),
        })
    }

    fn def(&self) -> &GetSetDef {
        // SAFETY: definitions live as long as their types.
        unsafe { &*self.d_getset.get() }
    }
}

/// the type of computed attributes of built-in types
#[pytype(name = "getset_descriptor", symbol = "PyGetSetDescr_Type", gc, doc = "")]
impl GetSetDescriptor {
    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(&self.head.name(), self.def().doc, vm)
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
        self.head.show("attribute", vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object else { return Ok(self.as_object().to_ref()) };
        self.head.check(object, vm)?;
        let def = self.def();
        match def.get {
            // SAFETY: getters are called with an instance of their type and their own closure.
            Some(get) => unsafe { vm.owned(get(object.as_ptr(), def.closure)) },
            None => Err(vm.attribute_error(format!(
                "attribute '{}' of '{}' objects is not readable",
                self.head.name(),
                self.head.owner().name()
            ))),
        }
    }

    #[slot]
    fn tp_descr_set(&self, object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.head.check(object, vm)?;
        let def = self.def();
        match def.set {
            Some(set) => {
                let value = value.map_or(std::ptr::null_mut(), Object::as_ptr);
                // SAFETY: setters are called with an instance of their type; null deletes.
                vm.status(unsafe { set(object.as_ptr(), value, def.closure) })
            }
            None => Err(vm.attribute_error(format!(
                "attribute '{}' of '{}' objects is not writable",
                self.head.name(),
                self.head.owner().tp_name_str()
            ))),
        }
    }
}
