//! `typing.NoDefault`, which says that a type parameter has no default.

use crate::prelude::*;

/// The layout of the one instance.
#[repr(C)]
pub struct NoDefaultType {
    /// The header.
    pub ob: Object,
}

/// The instance.
#[unsafe(export_name = "_Py_NoDefaultStruct")]
pub static NO_DEFAULT: NoDefaultType = NoDefaultType { ob: Object::immortal_static(NoDefaultType::TYPE_PTR) };

/// `typing.NoDefault`.
pub fn no_default() -> ObjRef {
    NO_DEFAULT.ob.to_ref()
}

/// The type of the NoDefault singleton.
#[pytype(name = "NoDefaultType", symbol = "_PyNoDefault_Type")]
impl NoDefaultType {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        if args.len() > 0 || kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error("NoDefaultType takes no arguments"));
        }
        Ok(no_default())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.new_str("typing.NoDefault").into_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Str> {
        vm.new_str("NoDefault")
    }
}
