//! `typing.TypeAliasType`: what the `type` statement makes (PEP 695).

use super::{ConstEvaluator, ParamSpec, TypeVar, TypeVarTuple, calling_module, evaluate, unpack};
use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::type_::ready::type_ready;
use crate::prelude::*;

/// A type alias.
#[repr(C)]
#[derive(Traverse)]
pub struct TypeAliasType {
    /// The header.
    pub ob: Object,
    name: Slot<Object>,
    type_params: Slot<Tuple>,
    compute_value: Slot<Object>,
    value: Slot<Object>,
    module: Slot<Object>,
}

/// Whether a type parameter has a default; none for what is no type parameter.
fn has_default(parameter: &Object) -> Option<bool> {
    if let Some(var) = parameter.downcast_exact::<TypeVar>() {
        Some(var.has_a_default())
    } else if let Some(spec) = parameter.downcast_exact::<ParamSpec>() {
        Some(spec.has_a_default())
    } else {
        parameter.downcast_exact::<TypeVarTuple>().map(TypeVarTuple::has_a_default)
    }
}

fn check_type_params(given: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let Some(tuple) = given.downcast_ref::<Tuple>() else {
        return Err(vm.type_error("type_params must be a tuple"));
    };
    let mut default_seen = false;
    for parameter in tuple.as_slice() {
        match has_default(parameter) {
            None => {
                let shown = parameter.repr(vm)?;
                return Err(vm.type_error(format!("Expected a type param, got {}", shown.to_string_lossy())));
            }
            Some(true) => default_seen = true,
            Some(false) if default_seen => {
                let shown = parameter.repr(vm)?;
                return Err(vm.type_error(format!(
                    "non-default type parameter '{}' follows default type parameter",
                    shown.to_string_lossy()
                )));
            }
            Some(false) => {}
        }
    }
    Ok(Ref::new_ref(tuple))
}

/// `INTRINSIC_TYPEALIAS`: `parts` is a tuple of the name, the type parameters (or `None`) and the function that computes the
/// value.
pub fn new_typealias(parts: &Object, vm: &Vm) -> PyResult<ObjRef> {
    let parts = parts.downcast_ref::<Tuple>().map(Tuple::as_slice);
    let Some([name, type_params, compute_value]) = parts else {
        return Err(vm.system_error("a type alias is made of three parts"));
    };
    let type_params = type_params.downcast_ref::<Tuple>().map(Ref::new_ref);
    type_ready(TypeAliasType::type_object(), vm)?;
    let made = vm.new_object(TypeAliasType {
        ob: Object::new(TypeAliasType::type_object()),
        name: Slot::of(name.clone()),
        type_params: Slot::new(type_params),
        compute_value: Slot::of(compute_value.clone()),
        value: Slot::empty(),
        module: Slot::empty(),
    });
    Ok(made.into_object())
}

/// Type alias.
///
/// Type aliases are created through the type statement::
///
///     type Alias = int
///
/// In this example, Alias and int will be treated equivalently by static
/// type checkers.
///
/// At runtime, Alias is an instance of TypeAliasType. The __name__
/// attribute holds the name of the type alias. The value of the type alias
/// is stored in the __value__ attribute. It is evaluated lazily, so the
/// value is computed only if the attribute is accessed.
///
/// Type aliases can also be generic::
///
///     type ListOrSet[T] = list[T] | set[T]
///
/// In this case, the type parameters of the alias are stored in the
/// __type_params__ attribute.
///
/// See PEP 695 for more information.
#[pytype(name = "typing.TypeAliasType", symbol = "_PyTypeAlias_Type", gc, members(__name__: OBJECT = name readonly))]
impl TypeAliasType {
    #[new("!(name, value, *, type_params=())")]
    fn new(
        _cls: &Type,
        name: &Str,
        value: &Object,
        type_params: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let type_params = match type_params {
            Some(given) => Some(check_type_params(given, vm)?),
            None => None,
        };
        let made = vm.new_object(TypeAliasType {
            ob: Object::new(Self::type_object()),
            name: Slot::of(name.as_object().to_ref()),
            type_params: Slot::new(type_params.filter(|params| params.len() > 0)),
            compute_value: Slot::empty(),
            value: Slot::of(value.to_ref()),
            module: Slot::new(calling_module(vm)?),
        });
        Ok(made.into_object())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.name.get().unwrap_or_else(|| vm.none()).str(vm)?.into_object())
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        let unpacked = unpack(self.as_object(), vm)?;
        vm.new_tuple([unpacked]).as_object().iter(vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
        super::union_with(a, b, vm)
    }

    #[slot]
    fn mp_subscript(&self, args: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if self.type_params.is_none() {
            return Err(vm.type_error("Only generic type aliases are subscriptable"));
        }
        Ok(GenericAlias::new(self.as_object(), args, vm))
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> Option<ObjRef> {
        self.name.get()
    }

    #[getter]
    fn __parameters__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let Some(params) = self.type_params.get() else { return Ok(Tuple::empty(vm).into_object()) };
        Ok(super::generic::unpack_typevartuples(&params, vm)?.into_object())
    }

    #[getter]
    fn __type_params__(&self, vm: &Vm) -> Ref<Tuple> {
        self.type_params.get().unwrap_or_else(|| Tuple::empty(vm))
    }

    #[getter]
    fn __value__(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(value) = self.value.get() {
            return Ok(Some(value));
        }
        let Some(compute) = self.compute_value.get() else { return Ok(None) };
        let value = evaluate(&compute, vm)?;
        self.value.put(value.clone());
        Ok(Some(value))
    }

    #[getter]
    fn evaluate_value(&self, vm: &Vm) -> Option<ObjRef> {
        let from_value = || self.value.get().map(|value| ConstEvaluator::create(value, vm));
        self.compute_value.get().or_else(from_value)
    }

    #[getter]
    fn __module__(&self) -> Option<ObjRef> {
        self.module
            .get()
            .or_else(|| self.compute_value.get().and_then(|f| f.downcast_ref::<Function>()?.module.get()))
    }
}
