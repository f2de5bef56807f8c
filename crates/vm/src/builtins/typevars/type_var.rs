//! `typing.TypeVar`.

use std::cell::Cell;

use super::{ConstEvaluator, Default, Variance, call_typing, evaluate, no_default, set_module, type_check};
use crate::builtins::type_::ready::type_ready;
use crate::prelude::*;

/// A type variable.
#[repr(C)]
#[derive(Traverse)]
pub struct TypeVar {
    /// The header.
    pub ob: Object,
    name: Slot<Object>,
    bound: Slot<Object>,
    evaluate_bound: Slot<Object>,
    constraints: Slot<Object>,
    evaluate_constraints: Slot<Object>,
    default: Default,
    dict: Slot<Object>,
    weakrefs: WeakList,
    covariant: Cell<bool>,
    contravariant: Cell<bool>,
    infer_variance: Cell<bool>,
}

impl TypeVar {
    fn create(name: &Object, variance: &Variance, vm: &Vm) -> PyResult<Ref<TypeVar>> {
        type_ready(Self::type_object(), vm)?;
        Ok(vm.new_object(TypeVar {
            ob: Object::new(Self::type_object()),
            name: Slot::of(name.to_ref()),
            bound: Slot::empty(),
            evaluate_bound: Slot::empty(),
            constraints: Slot::empty(),
            evaluate_constraints: Slot::empty(),
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

/// `INTRINSIC_TYPEVAR` and its forms with a bound or constraints that are evaluated on demand.
pub fn new_typevar(
    name: &Object,
    evaluate_bound: Option<&Object>,
    evaluate_constraints: Option<&Object>,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let var = TypeVar::create(name, &Variance::INFERRED, vm)?;
    var.evaluate_bound.set(evaluate_bound.map(Object::to_ref));
    var.evaluate_constraints.set(evaluate_constraints.map(Object::to_ref));
    set_module(var.as_object(), vm)?;
    Ok(var.into_object())
}

/// A value that is known or evaluated when first asked for.
fn lazily(value: &Slot<Object>, evaluator: &Slot<Object>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(value) = value.get() {
        return Ok(Some(value));
    }
    let Some(evaluator) = evaluator.get() else { return Ok(None) };
    let made = evaluate(&evaluator, vm)?;
    value.put(made.clone());
    Ok(Some(made))
}

fn evaluator_of(value: &Slot<Object>, evaluator: &Slot<Object>, vm: &Vm) -> Option<ObjRef> {
    evaluator.get().or_else(|| value.get().map(|value| ConstEvaluator::create(value, vm)))
}

/// Type variable.
///
/// The preferred way to construct a type variable is via the dedicated
/// syntax for generic functions, classes, and type aliases::
///
///     class Sequence[T]:  # T is a TypeVar
///         ...
///
/// Reusable type variables can also be constructed manually::
///
///    T = TypeVar('T')  # Can be anything
///    S = TypeVar('S', bound=str)  # Can be any subtype of str
///    A = TypeVar('A', str, bytes)  # Must be exactly str or bytes
///    D = TypeVar('D', default=int)  # Defaults to int
///
/// See PEP 484 and PEP 695 for more details.
#[pytype(
    name = "typing.TypeVar",
    gc,
    dict = dict,
    weakrefs = weakrefs,
    members(
        __name__: OBJECT = name readonly,
        __covariant__: BOOL = covariant readonly,
        __contravariant__: BOOL = contravariant readonly,
        __infer_variance__: BOOL = infer_variance readonly
    )
)]
impl TypeVar {
    #[new(
        "!(name, *constraints, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)"
    )]
    fn new(
        _cls: &Type,
        name: &Str,
        constraints: &[&Object],
        bound: Option<&Object>,
        default: Option<&Object>,
        covariant: bool,
        contravariant: bool,
        infer_variance: bool,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let variance = Variance { covariant, contravariant, infer: infer_variance };
        variance.check(vm)?;
        let bound = match bound {
            Some(bound) if !vm.is_none(bound) => Some(type_check(bound, "Bound must be a type.", vm)?),
            _ => None,
        };
        match constraints {
            [] => {}
            [_] => return Err(vm.type_error("A single constraint is not allowed")),
            _ if bound.is_some() => {
                return Err(vm.type_error("Constraints cannot be combined with bound=..."));
            }
            _ => {}
        }
        let var = TypeVar::create(name.as_object(), &variance, vm)?;
        var.bound.set(bound);
        if !constraints.is_empty() {
            var.constraints.put(Tuple::from_slice(constraints, vm).into_object());
        }
        if let Some(default) = default {
            var.default.value.put(default.to_ref());
        }
        set_module(var.as_object(), vm)?;
        Ok(var.into_object())
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
        call_typing("_typevar_subst", &[self.as_object(), arg], vm)
    }

    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &Object, args: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let parameters = alias.get_attr(&vm.intern("__parameters__"), vm)?;
        let given = args.length(vm)?;
        let mut index = None;
        for (at, parameter) in parameters.collect_iterable(vm)?.iter().enumerate() {
            if parameter.eq(self.as_object(), vm)? {
                index = Some(at);
                break;
            }
        }
        let Some(index) = index else { return Err(vm.value_error("sequence.index(x): x not in sequence")) };
        if index < given {
            return Ok(args.to_ref());
        }
        if index == given {
            let default = self.default.get(vm)?;
            if !default.is(&no_default()) {
                let mut all = args.collect_iterable(vm)?;
                all.push(default);
                return Ok(vm.new_tuple(all).into_object());
            }
        }
        let shown = alias.str(vm)?;
        let shown = shown.to_string_lossy();
        let least = index + 1;
        Err(vm
            .type_error(format!("Too few arguments for {shown}; actual {given}, expected at least {least}")))
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> Option<ObjRef> {
        self.name.get()
    }

    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.has_a_default()
    }

    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Err(vm.type_error("Cannot subclass an instance of TypeVar"))
    }

    #[getter]
    fn __bound__(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        lazily(&self.bound, &self.evaluate_bound, vm)
    }

    #[getter]
    fn __constraints__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let found = lazily(&self.constraints, &self.evaluate_constraints, vm)?;
        Ok(found.unwrap_or_else(|| Tuple::empty(vm).into_object()))
    }

    #[getter]
    fn __default__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.default.get(vm)
    }

    #[getter]
    fn evaluate_bound(&self, vm: &Vm) -> Option<ObjRef> {
        evaluator_of(&self.bound, &self.evaluate_bound, vm)
    }

    #[getter]
    fn evaluate_constraints(&self, vm: &Vm) -> Option<ObjRef> {
        evaluator_of(&self.constraints, &self.evaluate_constraints, vm)
    }

    #[getter]
    fn evaluate_default(&self, vm: &Vm) -> Option<ObjRef> {
        self.default.evaluator(vm)
    }
}
