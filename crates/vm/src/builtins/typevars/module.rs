//! The native module `_typing`.

use super::{
    Generic, ParamSpec, ParamSpecArgs, ParamSpecKwargs, TypeAliasType, TypeVar, TypeVarTuple, no_default,
};
use crate::builtins::union::Union;
use crate::prelude::*;

/// The module's name space.
pub struct TypingModule;

/// Primitives and accelerators for the typing module.
///
#[pymodule(name = "_typing")]
impl TypingModule {
    #[function("($module, x, /)")]
    fn _idfunc(x: &Object) -> ObjRef {
        x.to_ref()
    }

    #[constant("TypeVar")]
    fn type_var() -> &'static Type {
        TypeVar::type_object()
    }

    #[constant("TypeVarTuple")]
    fn type_var_tuple() -> &'static Type {
        TypeVarTuple::type_object()
    }

    #[constant("ParamSpec")]
    fn param_spec() -> &'static Type {
        ParamSpec::type_object()
    }

    #[constant("ParamSpecArgs")]
    fn param_spec_args() -> &'static Type {
        ParamSpecArgs::type_object()
    }

    #[constant("ParamSpecKwargs")]
    fn param_spec_kwargs() -> &'static Type {
        ParamSpecKwargs::type_object()
    }

    #[constant("Generic")]
    fn generic() -> &'static Type {
        Generic::type_object()
    }

    #[constant("TypeAliasType")]
    fn type_alias_type() -> &'static Type {
        TypeAliasType::type_object()
    }

    #[constant("Union")]
    fn union() -> &'static Type {
        Union::type_object()
    }

    #[constant("NoDefault")]
    fn no_default() -> ObjRef {
        no_default()
    }
}
