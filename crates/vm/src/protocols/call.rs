//! Calling (PEP 590, vectorcall).

use crate::prelude::*;
use crate::protocols::native::{arg_ptr, borrow_all};

/// Set in `nargsf` when the callee may overwrite the slot in front of the arguments for the time of the call.
pub const ARGUMENTS_OFFSET: usize = 1 << 63;

/// The object's vectorcall function, when it has one.
#[inline(always)]
pub fn vectorcall_function(callable: &Object) -> Option<taipan_object::typeobject::VectorcallFunc> {
    let tp = callable.ob_type();
    if !tp.has_flag(TypeFlags::HAVE_VECTORCALL) {
        return None;
    }
    // SAFETY: the flag promises a function pointer (or null) at that offset in every instance.
    unsafe {
        *callable
            .as_ptr()
            .byte_offset(tp.tp_vectorcall_offset.get())
            .cast::<Option<taipan_object::typeobject::VectorcallFunc>>()
    }
}

/// Calls with positional arguments `args[..nargs]`, followed by the values of `kwnames`.
#[inline]
pub fn vectorcall(
    callable: &Object,
    args: &[&Object],
    nargs: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the slice holds `nargs` and then as many values as there are names.
    unsafe { vectorcall_raw(callable, arg_ptr(args), nargs, kwnames, vm) }
}

/// `vectorcall` on a raw array; `nargsf` may carry `ARGUMENTS_OFFSET`.
///
/// # Safety
/// `args` points to the positional arguments and the keyword values, all alive.
#[inline]
pub unsafe fn vectorcall_raw(
    callable: &Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    let names = kwnames.map_or(std::ptr::null_mut(), |names| names.as_object().as_ptr());
    if let Some(function) = vectorcall_function(callable) {
        // SAFETY: passed on from the caller.
        return unsafe { vm.owned(function(callable.as_ptr(), args, nargsf, names)) };
    }
    // SAFETY: as above.
    unsafe { call_through_tp_call(callable, args, nargsf & !ARGUMENTS_OFFSET, kwnames, vm) }
}

#[cold]
fn not_callable(callable: &Object, vm: &Vm) -> Raised {
    if let Some(module) = callable.downcast_ref::<Module>() {
        // The frequent slip of calling a module that has a function of its own name.
        if let Some(hint) = module.callable_of_own_name(vm) {
            return vm.type_error(format!("'module' object is not callable. Did you mean: '{hint}(...)'?"));
        }
    }
    vm.type_error(format!("'{}' object is not callable", callable.ob_type().tp_name_str()))
}

unsafe fn call_through_tp_call(
    callable: &Object,
    args: *const *mut Object,
    nargs: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    let Some(call) = callable.ob_type().tp_call.get() else { return Err(not_callable(callable, vm)) };
    vm.check_recursion(" while calling a Python object")?;
    let keywords = kwnames.map_or(0, Tuple::len);
    // SAFETY: the array holds the positional arguments and then the keyword values.
    let all = unsafe { crate::protocols::native::arg_slice(args, nargs + keywords) };
    let (positional, values) = all.split_at(nargs);
    let tuple = Tuple::from_slice(positional, vm);
    let dict = match kwnames {
        Some(names) if keywords > 0 => Some(crate::args::KwArgs::new(Some(names), values).to_dict(vm)?),
        _ => None,
    };
    let kwargs = dict.as_ref().map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
    // SAFETY: a slot is called with live objects.
    unsafe { vm.owned(call(callable.as_ptr(), tuple.as_object().as_ptr(), kwargs)) }
}

/// `callable(*args, **kwargs)`.
pub fn call_tuple_dict(callable: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
    let kwargs = kwargs.filter(|d| d.len() > 0);
    if vectorcall_function(callable).is_some() {
        return match kwargs {
            None => vectorcall(callable, borrow_all(args.as_slice()), args.len(), None, vm),
            Some(kwargs) => {
                let (all, names) = unpack_keywords(args, kwargs, vm)?;
                vectorcall(callable, borrow_all(&all), args.len(), Some(&names), vm)
            }
        };
    }
    let Some(call) = callable.ob_type().tp_call.get() else { return Err(not_callable(callable, vm)) };
    vm.check_recursion(" while calling a Python object")?;
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
    // SAFETY: a slot is called with live objects.
    unsafe { vm.owned(call(callable.as_ptr(), args.as_object().as_ptr(), kwargs)) }
}

/// Spreads a tuple and a dict into a vectorcall array and its tuple of names.
pub fn unpack_keywords(args: &Tuple, kwargs: &Dict, vm: &Vm) -> PyResult<(Vec<ObjRef>, Ref<Tuple>)> {
    let mut all: Vec<ObjRef> = args.as_slice().to_vec();
    let mut names = Vec::with_capacity(kwargs.len());
    for (name, value) in kwargs.items_vec() {
        if name.downcast_ref::<Str>().is_none() {
            return Err(vm.type_error("keywords must be strings"));
        }
        names.push(name);
        all.push(value);
    }
    Ok((all, Tuple::from_vec(names, vm)))
}

/// `object.name(*args)` without making a bound method where the type allows it.
pub fn call_method(object: &Object, name: &Str, args: &[&Object], vm: &Vm) -> PyResult {
    match crate::protocols::attributes::get_method(object, name, vm)? {
        (function, true) => {
            let mut all = smallvec::SmallVec::<[&Object; 8]>::with_capacity(args.len() + 1);
            all.push(object);
            all.extend_from_slice(args);
            vectorcall(&function, &all, all.len(), None, vm)
        }
        (bound, false) => vectorcall(&bound, args, args.len(), None, vm),
    }
}

/// `object.name(*args)` where the last arguments are the values of `kwnames`, without a bound method as in `call_method`.
pub fn call_method_kw(object: &Object, name: &Str, args: &[&Object], kwnames: &Tuple, vm: &Vm) -> PyResult {
    match crate::protocols::attributes::get_method(object, name, vm)? {
        (function, true) => {
            let mut all = smallvec::SmallVec::<[&Object; 8]>::with_capacity(args.len() + 1);
            all.push(object);
            all.extend_from_slice(args);
            function.call_kw(&all, Some(kwnames), vm)
        }
        (bound, false) => bound.call_kw(args, Some(kwnames), vm),
    }
}
