//! `None`, `NotImplemented` and `Ellipsis`.

use crate::prelude::*;

macro_rules! singleton {
    ($(#[$doc:meta])* $layout:ident, $storage:ident, $symbol:literal, $ptr:ident) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $layout {
            ob: Object,
        }

        #[unsafe(export_name = $symbol)]
        static $storage: $layout = $layout { ob: Object::immortal_static($layout::TYPE_PTR) };

        /// The address of the only instance.
        #[inline(always)]
        pub fn $ptr() -> *mut Object {
            (&raw const $storage).cast_mut().cast()
        }
    };
}

singleton!(
    /// The layout of `None`.
    NoneType, NONE, "_Py_NoneStruct", none_ptr
);
singleton!(
    /// The layout of `NotImplemented`.
    NotImplementedType, NOT_IMPLEMENTED, "_Py_NotImplementedStruct", not_implemented_ptr
);
singleton!(
    /// The layout of `...`.
    EllipsisType, ELLIPSIS, "_Py_EllipsisObject", ellipsis_ptr
);

/// The type of the None singleton.
#[pytype(name = "NoneType", symbol = "_PyNone_Type")]
impl NoneType {
    #[new("()")]
    fn new(_cls: &Type, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.none())
    }

    #[slot]
    fn tp_repr(&self) -> &'static str {
        "None"
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(false)
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        Ok(0xfca86420)
    }

    #[slot]
    fn tp_richcompare(zelf: &Object, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        Ok(match op {
            CompareOp::Eq | CompareOp::Ne if zelf.is(other) => vm.new_bool(op == CompareOp::Eq),
            _ => vm.not_implemented(),
        })
    }
}

/// The type of the NotImplemented singleton.
#[pytype(name = "NotImplementedType", symbol = "_PyNotImplemented_Type")]
impl NotImplementedType {
    #[method("($self, /)")]
    fn __reduce__(&self) -> &'static str {
        "NotImplemented"
    }

    #[new("()")]
    fn new(_cls: &Type, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.not_implemented())
    }

    #[slot]
    fn tp_repr(&self) -> &'static str {
        "NotImplemented"
    }

    #[slot]
    fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
        Err(vm.type_error("NotImplemented should not be used in a boolean context"))
    }
}

/// The type of the Ellipsis singleton.
#[pytype(name = "ellipsis", symbol = "PyEllipsis_Type")]
impl EllipsisType {
    #[method("($self, /)")]
    fn __reduce__(&self) -> &'static str {
        "Ellipsis"
    }

    #[new("()")]
    fn new(_cls: &Type, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.ellipsis())
    }

    #[slot]
    fn tp_repr(&self) -> &'static str {
        "Ellipsis"
    }
}
