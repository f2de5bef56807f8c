//! Type parameters and type aliases (PEP 484, 612, 646, 695, 696) and the native module `_typing`.
//!
//! What needs the rules of static typing is done by the Python module `typing`, which is imported when it comes to that.

pub mod const_evaluator;
pub mod generic;
pub mod module;
pub mod no_default;
pub mod param_spec;
pub mod type_alias;
pub mod type_var;
pub mod type_var_tuple;

use crate::builtins::union::{members_of, union_of};
use crate::prelude::*;

pub use const_evaluator::ConstEvaluator;
pub use generic::{Generic, subscript_generic};
pub use no_default::{NoDefaultType, no_default};
pub use param_spec::{ParamSpec, ParamSpecArgs, ParamSpecKwargs, new_paramspec};
pub use type_alias::{TypeAliasType, new_typealias};
pub use type_var::{TypeVar, new_typevar};
pub use type_var_tuple::{TypeVarTuple, new_typevartuple};

/// `a | b` where one operand is a type parameter or alias: a union of anything.
fn union_with(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let mut all = members_of(a, vm);
    all.extend(members_of(b, vm));
    union_of(all, vm)
}

/// `annotationlib.Format.VALUE`, with which a lazily evaluated value is asked for.
const FORMAT_VALUE: i32 = 1;

/// Calls a function of the module `typing`.
fn call_typing(name: &str, args: &[&Object], vm: &Vm) -> PyResult {
    let module = crate::import::import_module("typing", vm)?;
    module.get_attr(&vm.intern(name), vm)?.call(args, vm)
}

/// `typing.Unpack[object]`.
fn unpack(object: &Object, vm: &Vm) -> PyResult {
    let module = crate::import::import_module("typing", vm)?;
    module.get_attr(&vm.intern("Unpack"), vm)?.get_item(object, vm)
}

/// Makes sure that an argument is a type, as far as `typing` is strict about it. `None` stays `None`.
fn type_check(arg: &Object, message: &str, vm: &Vm) -> PyResult {
    if vm.is_none(arg) || arg.downcast_ref::<Type>().is_some() {
        return Ok(arg.to_ref());
    }
    let message = vm.new_str(message);
    call_typing("_type_check", &[arg, message.as_object()], vm)
}

/// Calls what evaluates a bound, constraints, a default or an alias.
fn evaluate(evaluator: &Object, vm: &Vm) -> PyResult {
    if let Some(constant) = evaluator.downcast_exact::<ConstEvaluator>() {
        return Ok(constant.value());
    }
    evaluator.call(&[&vm.new_int(FORMAT_VALUE)], vm)
}

/// The name of the module whose code runs: `__module__` of what it makes.
fn calling_module(vm: &Vm) -> PyResult<Option<ObjRef>> {
    let frame = crate::interpreter::frame::current(vm);
    if frame.is_null() {
        return Ok(None);
    }
    // SAFETY: the current frame is alive and holds its globals.
    let globals = unsafe { (*frame).globals.as_ref() };
    match globals.and_then(Object::downcast_ref::<Dict>) {
        Some(globals) => globals.get_str(vm.ids().__name__, vm),
        None => Ok(None),
    }
}

/// Stores `__module__` in the instance dictionary of a new type parameter.
fn set_module(parameter: &Object, vm: &Vm) -> PyResult<()> {
    match calling_module(vm)? {
        Some(module) => parameter.set_attr(vm.ids().__module__, &module, vm),
        None => Ok(()),
    }
}

/// A default: the value when it is known, and what evaluates it when it is not.
#[derive(Traverse)]
struct Default {
    value: Slot<Object>,
    evaluator: Slot<Object>,
}

impl Default {
    /// `default` is `NoDefault` when there is none.
    fn known(default: ObjRef) -> Default {
        Default { value: Slot::of(default), evaluator: Slot::empty() }
    }

    fn get(&self, vm: &Vm) -> PyResult {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let Some(evaluator) = self.evaluator.get() else { return Ok(no_default()) };
        let value = evaluate(&evaluator, vm)?;
        self.value.put(value.clone());
        Ok(value)
    }

    fn evaluator(&self, vm: &Vm) -> Option<ObjRef> {
        let from_value = || self.value.get().map(|value| ConstEvaluator::create(value, vm));
        self.evaluator.get().or_else(from_value)
    }

    fn exists(&self) -> bool {
        !self.evaluator.is_none() || self.value.get().is_some_and(|value| !value.is(&no_default()))
    }

    fn set_lazy(&self, evaluator: &Object) {
        self.value.set(None);
        self.evaluator.put(evaluator.to_ref());
    }
}

/// The variance that a type parameter was declared with.
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}

impl Variance {
    const INFERRED: Variance = Variance { covariant: false, contravariant: false, infer: true };

    fn check(&self, vm: &Vm) -> PyResult<()> {
        if self.covariant && self.contravariant {
            return Err(vm.value_error("Bivariant types are not supported."));
        }
        if self.infer && (self.covariant || self.contravariant) {
            return Err(vm.value_error("Variance cannot be specified with infer_variance."));
        }
        Ok(())
    }

    /// How the parameter is shown.
    fn show(&self, name: &Object, vm: &Vm) -> PyResult {
        let name = name.str(vm)?;
        if self.infer {
            return Ok(name.into_object());
        }
        let sign = if self.covariant {
            "+"
        } else if self.contravariant {
            "-"
        } else {
            "~"
        };
        Ok(vm.new_str(sign).concat(&name, vm)?.into_object())
    }
}

/// `INTRINSIC_SET_TYPEPARAM_DEFAULT`: gives a type parameter a default that `evaluator` will compute.
pub fn set_typeparam_default(parameter: &Object, evaluator: &Object, vm: &Vm) -> PyResult<ObjRef> {
    if let Some(var) = parameter.downcast_exact::<TypeVar>() {
        var.set_lazy_default(evaluator);
    } else if let Some(spec) = parameter.downcast_exact::<ParamSpec>() {
        spec.set_lazy_default(evaluator);
    } else if let Some(tuple) = parameter.downcast_exact::<TypeVarTuple>() {
        tuple.set_lazy_default(evaluator);
    } else {
        let shown = parameter.repr(vm)?;
        return Err(vm.type_error(format!("Expected a type param, got {}", shown.to_string_lossy())));
    }
    Ok(parameter.to_ref())
}

/// A type as annotations show it.
fn call_typing_repr(value: &Object, vm: &Vm) -> PyResult {
    let text = crate::builtins::generic_alias::show_argument(value, vm)?;
    Ok(vm.new_str(&text).into_object())
}
