//! What `#[pymodule]` makes of a declaration.

use taipan_object::defs::MethodDef;
use taipan_object::{ObjRef, Type};

use crate::builtins::module::Module;
use crate::{PyResult, Vm};

/// A native module: constant data from which module objects are filled.
pub struct NativeModule {
    /// The module's full name.
    pub name: &'static str,
    /// `__doc__`; empty for none.
    pub doc: &'static str,
    /// Functions, ended by `MethodDef::END`.
    pub methods: &'static [MethodDef],
    /// Types that become attributes under their names.
    pub types: &'static [fn() -> &'static Type],
    /// Attributes that are made when the module is.
    pub constants: &'static [(&'static str, fn(&Vm) -> PyResult<ObjRef>)],
    /// Runs last.
    pub exec: Option<fn(&Module, &Vm) -> PyResult<()>>,
}
