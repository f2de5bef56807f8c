//! `_operator`: the operators as functions, and the callables that fetch items, attributes and call methods.

use taipan_vm::prelude::*;

pub(crate) mod compare_digest;
mod getters;
mod method_caller;
mod operators;

pub use getters::{AttrGetter, ItemGetter};
pub use method_caller::MethodCaller;

/// The module.
pub struct Operator;

/// Operator interface.
///
/// This module exports a set of functions implemented in C corresponding
/// to the intrinsic operators of Python.  For example, operator.add(x, y)
/// is equivalent to the expression x+y.
#[pymodule(name = "_operator", types(AttrGetter, ItemGetter, MethodCaller), functions(OPERATORS))]
impl Operator {
    /// Return the first index of b in a.
    #[function("($module, a, b, /)", name = "indexOf")]
    fn index_of(a: &Object, b: &Object, vm: &Vm) -> PyResult<usize> {
        let iterator = iterate(a, vm)?;
        let mut index = 0usize;
        while let Some(item) = iterator.iter_next(vm)? {
            if item.eq(b, vm)? {
                return Ok(index);
            }
            index += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
    }

    /// Return the number of items in a which are, or which equal, b.
    #[function("($module, a, b, /)", name = "countOf")]
    fn count_of(a: &Object, b: &Object, vm: &Vm) -> PyResult<usize> {
        let iterator = iterate(a, vm)?;
        let mut count = 0usize;
        while let Some(item) = iterator.iter_next(vm)? {
            count += usize::from(item.eq(b, vm)?);
        }
        Ok(count)
    }

    /// Return an estimate of the number of items in obj.
    ///
    /// This is useful for presizing containers when building from an iterable.
    ///
    /// If the object supports len(), the result will be exact.
    /// Otherwise, it may over- or under-estimate by an arbitrary amount.
    /// The result will be an integer >= 0.
    #[function("($module, obj, default=0, /)")]
    fn length_hint(obj: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let default = match default {
            None => 0,
            Some(default) if default.downcast_ref::<Int>().is_some() => default.as_isize(vm)?,
            Some(other) => {
                return Err(vm.type_error(format!(
                    "'{}' object cannot be interpreted as an integer",
                    other.ob_type().tp_name_str()
                )));
            }
        };
        // A negative default comes back as it is when there is nothing better.
        match usize::try_from(default) {
            Ok(default) => Ok(vm.new_int(obj.length_hint(default, vm)?)),
            Err(_) => match obj.length_hint(usize::MAX, vm)? {
                usize::MAX => Ok(vm.new_int(default)),
                hint => Ok(vm.new_int(hint)),
            },
        }
    }

    /// Same as obj(*args, **kwargs).
    #[function("($module, obj, /, *args, **kwargs)")]
    fn call(obj: &Object, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        if kwargs.is_empty() {
            return obj.call(args, vm);
        }
        let (names, values): (Vec<ObjRef>, Vec<&Object>) =
            kwargs.iter().map(|(name, value)| (name.as_object().to_ref(), value)).unzip();
        let mut all = args.to_vec();
        all.extend(values);
        obj.call_kw(&all, Some(&vm.new_tuple(names)), vm)
    }

    /// Return 'a == b'.
    ///
    /// This function uses an approach designed to prevent
    /// timing analysis, making it appropriate for cryptography.
    ///
    /// a and b must both be of the same type: either str (ASCII only),
    /// or any bytes-like object.
    ///
    /// Note: If a and b are of different lengths, or if an error occurs,
    /// a timing attack could theoretically reveal information about the
    /// types and lengths of a and b--but not their values.
    #[function("($module, a, b, /)", name = "_compare_digest")]
    fn compare_digest(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
        compare_digest::compare_digest(a, b, vm)
    }
}

/// `iter(object)`, told as the functions that search sequences tell it.
fn iterate(object: &Object, vm: &Vm) -> PyResult {
    match object.iter(vm) {
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(vm
                .type_error(format!("argument of type '{}' is not iterable", object.ob_type().tp_name_str())))
        }
        result => result,
    }
}

/// Refuses keywords, and counts other than one, as the callables of this module do.
fn sole_argument<'a>(name: &str, args: &'a Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<&'a ObjRef> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.as_slice() {
        [only] => Ok(only),
        more => Err(vm.type_error(format!("{name} expected 1 argument, got {}", more.len()))),
    }
}

/// Splits the arguments of a constructor that wants at least one.
fn first_and_rest<'a>(
    name: &str,
    args: &'a Tuple,
    kwargs: Option<&Dict>,
    vm: &Vm,
) -> PyResult<(&'a ObjRef, &'a [ObjRef])> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.as_slice().split_first() {
        Some(split) => Ok(split),
        None => Err(vm.type_error(format!("{name} expected 1 argument, got 0"))),
    }
}
