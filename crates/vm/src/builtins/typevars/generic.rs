//! `typing.Generic`: the base of generic classes.

use super::{TypeVarTuple, call_typing, unpack};
use crate::prelude::*;

/// An instance without fields.
#[repr(C)]
pub struct Generic {
    /// The header.
    pub ob: Object,
}

/// Hands a class method's call on to a function of `typing`, the class in front.
fn hand_on(function: &str, cls: &Type, args: &[&Object], kwargs: &KwArgs<'_>, vm: &Vm) -> PyResult {
    let module = crate::import::import_module("typing", vm)?;
    let function = module.get_attr(&vm.intern(function), vm)?;
    let mut all = vec![cls.as_object()];
    all.extend_from_slice(args);
    if kwargs.is_empty() {
        return function.call(&all, vm);
    }
    let positional = Tuple::from_slice(&all, vm);
    let keywords = kwargs.to_dict(vm)?;
    function.call_tuple_dict(&positional, Some(&keywords), vm)
}

/// Abstract base class for generic types.
///
/// On Python 3.12 and newer, generic classes implicitly inherit from
/// Generic when they declare a parameter list after the class's name::
///
///     class Mapping[KT, VT]:
///         def __getitem__(self, key: KT) -> VT:
///             ...
///         # Etc.
///
/// On older versions of Python, however, generic classes have to
/// explicitly inherit from Generic.
#[pytype(name = "typing.Generic", flags(BASETYPE))]
impl Generic {
    /// Parameterizes a generic class.
    ///
    /// At least, parameterizing a generic class is the *main* thing this
    /// method does.  For example, for some generic class `Foo`, this is
    /// called when we do `Foo[int]` - there, with `cls=Foo` and
    /// `params=int`.
    ///
    /// However, note that this method is also called when defining generic
    /// classes in the first place with `class Foo[T]: ...`.
    #[classmethod("!($type, /, *args, **kwargs)")]
    fn __class_getitem__(cls: &Type, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<ObjRef> {
        hand_on("_generic_class_getitem", cls, args, &kwargs, vm)
    }

    /// Function to initialize subclasses.
    #[classmethod("!($type, /, *args, **kwargs)")]
    fn __init_subclass__(cls: &Type, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<ObjRef> {
        hand_on("_generic_init_subclass", cls, args, &kwargs, vm)
    }
}

/// The type parameters with each `Ts` in the form `*Ts`.
pub(super) fn unpack_typevartuples(params: &Tuple, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let any = params.as_slice().iter().any(|param| param.downcast_exact::<TypeVarTuple>().is_some());
    if !any {
        return Ok(Ref::new_ref(params));
    }
    let mut all = Vec::with_capacity(params.len());
    for param in params.as_slice() {
        match param.downcast_exact::<TypeVarTuple>() {
            Some(_) => all.push(unpack(param, vm)?),
            None => all.push(param.clone()),
        }
    }
    Ok(vm.new_tuple(all))
}

/// `INTRINSIC_SUBSCRIPT_GENERIC`: the base `Generic[params]` that a class with type parameters gets.
pub fn subscript_generic(params: &Object, vm: &Vm) -> PyResult<ObjRef> {
    let Some(params) = params.downcast_ref::<Tuple>() else {
        return Err(vm.system_error("type parameters are a tuple"));
    };
    let params = unpack_typevartuples(params, vm)?;
    call_typing("_GenericAlias", &[Generic::type_object().as_object(), params.as_object()], vm)
}
