//! `typing.ParamSpec` (PEP 612), and its `args` and `kwargs`.

use std::cell::Cell;

use super::{Default, Variance, call_typing, no_default, set_module, type_check};
use crate::builtins::type_::ready::type_ready;
use crate::prelude::*;

/// A parameter specification variable.
#[repr(C)]
#[derive(Traverse)]
pub struct ParamSpec {
    /// The header.
    pub ob: Object,
    name: Slot<Object>,
    bound: Slot<Object>,
    default: Default,
    dict: Slot<Object>,
    weakrefs: WeakList,
    covariant: Cell<bool>,
    contravariant: Cell<bool>,
    infer_variance: Cell<bool>,
}

impl ParamSpec {
    fn create(name: &Object, variance: &Variance, vm: &Vm) -> PyResult<Ref<ParamSpec>> {
        type_ready(Self::type_object(), vm)?;
        Ok(vm.new_object(ParamSpec {
            ob: Object::new(Self::type_object()),
            name: Slot::of(name.to_ref()),
            bound: Slot::empty(),
            default: Default::known(no_default()),
            dict: Slot::empty(),
            weakrefs: WeakList::new(),
            covariant: Cell::new(variance.covariant),
            contravariant: Cell::new(variance.contravariant),
            infer_variance: Cell::new(variance.infer),
        }))
    }

    pub(super) fn set_lazy_default(&self, evaluator: &Object) {
        self.default.set_lazy(evaluator);
    }

    pub(super) fn has_a_default(&self) -> bool {
        self.default.exists()
    }
}

/// `INTRINSIC_PARAMSPEC`.
pub fn new_paramspec(name: &Object, vm: &Vm) -> PyResult<ObjRef> {
    let spec = ParamSpec::create(name, &Variance::INFERRED, vm)?;
    set_module(spec.as_object(), vm)?;
    Ok(spec.into_object())
}

/// Parameter specification variable.
///
/// The preferred way to construct a parameter specification is via the
/// dedicated syntax for generic functions, classes, and type aliases,
/// where the use of '**' creates a parameter specification::
///
///     type IntFunc[**P] = Callable[P, int]
///
/// ParamSpec objects can also be created as follows::
///
///     P = ParamSpec('P')
///     DefaultP = ParamSpec('DefaultP', default=[int, str])
///
/// See PEP 612 for more information.
#[pytype(
    name = "typing.ParamSpec",
    gc,
    dict = dict,
    weakrefs = weakrefs,
    members(
        __name__: OBJECT = name readonly,
        __bound__: OBJECT = bound readonly,
        __covariant__: BOOL = covariant readonly,
        __contravariant__: BOOL = contravariant readonly,
        __infer_variance__: BOOL = infer_variance readonly
    )
)]
impl ParamSpec {
    #[new(
        "!(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)"
    )]
    fn new(
        _cls: &Type,
        name: &Str,
        bound: Option<&Object>,
        default: Option<&Object>,
        covariant: bool,
        contravariant: bool,
        infer_variance: bool,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let variance = Variance { covariant, contravariant, infer: infer_variance };
        variance.check(vm)?;
        let spec = ParamSpec::create(name.as_object(), &variance, vm)?;
        if let Some(bound) = bound.filter(|bound| !vm.is_none(bound)) {
            spec.bound.put(type_check(bound, "Bound must be a type.", vm)?);
        }
        if let Some(default) = default {
            spec.default.value.put(default.to_ref());
        }
        set_module(spec.as_object(), vm)?;
        Ok(spec.into_object())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let variance = Variance {
            covariant: self.covariant.get(),
            contravariant: self.contravariant.get(),
            infer: self.infer_variance.get(),
        };
        variance.show(&self.name.get().unwrap_or_else(|| vm.none()), vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
        super::union_with(a, b, vm)
    }

    #[method("($self, arg, /)")]
    fn __typing_subst__(&self, arg: &Object, vm: &Vm) -> PyResult<ObjRef> {
        call_typing("_paramspec_subst", &[self.as_object(), arg], vm)
    }

    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &Object, args: &Object, vm: &Vm) -> PyResult<ObjRef> {
        call_typing("_paramspec_prepare_subst", &[self.as_object(), alias, args], vm)
    }

    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.has_a_default()
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> Option<ObjRef> {
        self.name.get()
    }

    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Err(vm.type_error("Cannot subclass an instance of ParamSpec"))
    }

    /// Represents positional arguments.
    #[getter]
    fn args(&self, vm: &Vm) -> ObjRef {
        ParamSpecArgs::create(self.as_object(), vm)
    }

    /// Represents keyword arguments.
    #[getter]
    fn kwargs(&self, vm: &Vm) -> ObjRef {
        ParamSpecKwargs::create(self.as_object(), vm)
    }

    /// The default value for this ParamSpec.
    #[getter]
    fn __default__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.default.get(vm)
    }

    #[getter]
    fn evaluate_default(&self, vm: &Vm) -> Option<ObjRef> {
        self.default.evaluator(vm)
    }
}

macro_rules! attribute_type {
    ($(#[$attribute:meta])* $name:ident, $shown:literal, $python_name:literal) => {
        impl $name {
            fn create(origin: &Object, vm: &Vm) -> ObjRef {
                vm.new_object($name {
                    ob: Object::new(Self::type_object()),
                    origin: Slot::of(origin.to_ref()),
                    weakrefs: WeakList::new(),
                })
                .into_object()
            }
        }

        $(#[$attribute])*
        impl $name {
            #[new("!(origin)")]
            fn new(_cls: &Type, origin: &Object, vm: &Vm) -> PyResult<ObjRef> {
                Ok($name::create(origin, vm))
            }

            #[slot]
            fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
                let origin = self.origin.get().unwrap_or_else(|| vm.none());
                let shown = match origin.downcast_exact::<ParamSpec>().and_then(|spec| spec.name.get()) {
                    Some(name) => name.str(vm)?,
                    None => origin.repr(vm)?,
                };
                Ok(vm.new_str(&format!(concat!("{}.", $shown), shown.to_string_lossy())).into_object())
            }

            #[slot]
            fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
                let Some(other) = other.downcast_exact::<$name>() else { return Ok(vm.not_implemented()) };
                if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                    return Ok(vm.not_implemented());
                }
                match (self.origin.get(), other.origin.get()) {
                    (Some(a), Some(b)) => a.rich_compare(&b, op, vm),
                    _ => Ok(vm.not_implemented()),
                }
            }

            #[method("($self, object, /)")]
            fn __mro_entries__(&self, _object: &Object, vm: &Vm) -> PyResult<ObjRef> {
                Err(vm.type_error(concat!("Cannot subclass an instance of ", $python_name)))
            }
        }
    };
}

/// `P.args`.
#[repr(C)]
#[derive(Traverse)]
pub struct ParamSpecArgs {
    /// The header.
    pub ob: Object,
    origin: Slot<Object>,
    weakrefs: WeakList,
}

/// `P.kwargs`.
#[repr(C)]
#[derive(Traverse)]
pub struct ParamSpecKwargs {
    /// The header.
    pub ob: Object,
    origin: Slot<Object>,
    weakrefs: WeakList,
}

attribute_type! {
    /// The args for a ParamSpec object.
    ///
    /// Given a ParamSpec object P, P.args is an instance of ParamSpecArgs.
    ///
    /// ParamSpecArgs objects have a reference back to their ParamSpec::
    ///
    ///     >>> P = ParamSpec("P")
    ///     >>> P.args.__origin__ is P
    ///     True
    ///
    /// This type is meant for runtime introspection and has no special meaning
    /// to static type checkers.
    #[pytype(
        name = "typing.ParamSpecArgs",
        gc,
        weakrefs = weakrefs,
        unhashable,
        members(__origin__: OBJECT = origin readonly)
    )]
    ParamSpecArgs, "args", "ParamSpecArgs"
}

attribute_type! {
    /// The kwargs for a ParamSpec object.
    ///
    /// Given a ParamSpec object P, P.kwargs is an instance of ParamSpecKwargs.
    ///
    /// ParamSpecKwargs objects have a reference back to their ParamSpec::
    ///
    ///     >>> P = ParamSpec("P")
    ///     >>> P.kwargs.__origin__ is P
    ///     True
    ///
    /// This type is meant for runtime introspection and has no special meaning
    /// to static type checkers.
    #[pytype(
        name = "typing.ParamSpecKwargs",
        gc,
        weakrefs = weakrefs,
        unhashable,
        members(__origin__: OBJECT = origin readonly)
    )]
    ParamSpecKwargs, "kwargs", "ParamSpecKwargs"
}
