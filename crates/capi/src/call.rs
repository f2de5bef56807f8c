//! Calling objects (C API manual, "Call Protocol").

use std::ffi::{CStr, c_char, c_void};

use taipan_vm::prelude::*;
use taipan_vm::protocols::call::{call_method, vectorcall_function, vectorcall_raw};

use crate::support::*;

/// Bit of `nargsf`: the callee may use the word in front of the arguments.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// The keyword names of a call, when there are any.
fn names(kwnames: Option<&Object>) -> Option<&Tuple> {
    kwnames.and_then(Object::downcast_ref::<Tuple>).filter(|names| !names.is_empty())
}

/// # Safety
/// `args` holds the positional arguments and the values of the names.
unsafe fn vectorcall(
    callable: &Object,
    args: *const Ptr,
    nargsf: usize,
    kwnames: Option<&Object>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe { vectorcall_raw(callable, args, nargsf, names(kwnames), vm) }
}

/// # Safety
/// As for `vectorcall`; the first argument is the receiver.
unsafe fn vectorcall_method(
    name: &Object,
    args: *const Ptr,
    nargsf: usize,
    kwnames: Option<&Object>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        let receiver = &**args;
        let name = attr_name(name, vm)?;
        let (method, unbound) = taipan_vm::protocols::attributes::get_method(receiver, name, vm)?;
        let count = nargsf & !ARGUMENTS_OFFSET;
        if unbound {
            vectorcall(&method, args, count, kwnames, vm)
        } else {
            vectorcall(&method, args.add(1), count - 1, kwnames, vm)
        }
    }
}

fn call(callable: &Object, args: Option<&Object>, kwargs: Option<&Object>, vm: &Vm) -> PyResult {
    let empty;
    let args = match args {
        Some(args) => {
            args.downcast_ref::<Tuple>().ok_or_else(|| vm.type_error("argument list must be a tuple"))?
        }
        None => {
            empty = Tuple::empty(vm);
            &*empty
        }
    };
    let kwargs = match kwargs {
        Some(kwargs) => Some(
            kwargs
                .downcast_ref::<Dict>()
                .ok_or_else(|| vm.type_error("keyword list must be a dictionary"))?,
        ),
        None => None,
    };
    callable.call_tuple_dict(args, kwargs, vm)
}

capi! {
    fn PyObject_Call(vm, callable: &Object, args: Option<&Object>, kwargs: Option<&Object>) -> PyResult {
        call(callable, args, kwargs, vm)
    }

    fn PyEval_CallObjectWithKeywords(vm, callable: &Object, args: Option<&Object>, kwargs: Option<&Object>) -> PyResult {
        call(callable, args, kwargs, vm)
    }

    fn PyObject_CallObject(vm, callable: &Object, args: Option<&Object>) -> PyResult {
        call(callable, args, None, vm)
    }

    fn PyObject_CallNoArgs(vm, callable: &Object) -> PyResult {
        callable.call_no_args(vm)
    }

    fn PyObject_CallOneArg(vm, callable: &Object, arg: &Object) -> PyResult {
        callable.call(&[arg], vm)
    }

    fn PyObject_CallMethodNoArgs(vm, object: &Object, name: &Object) -> PyResult {
        call_method(object, attr_name(name, vm)?, &[], vm)
    }

    fn PyObject_CallMethodOneArg(vm, object: &Object, name: &Object, arg: &Object) -> PyResult {
        call_method(object, attr_name(name, vm)?, &[arg], vm)
    }

    fn PyObject_Vectorcall(vm, callable: &Object, args: *const Ptr, nargsf: usize, kwnames: Option<&Object>) -> PyResult {
        vectorcall(callable, args, nargsf, kwnames, vm)
    }

    fn _PyObject_Vectorcall(vm, callable: &Object, args: *const Ptr, nargsf: usize, kwnames: Option<&Object>) -> PyResult {
        vectorcall(callable, args, nargsf, kwnames, vm)
    }

    fn PyObject_VectorcallMethod(vm, name: &Object, args: *const Ptr, nargsf: usize, kwnames: Option<&Object>) -> PyResult {
        vectorcall_method(name, args, nargsf, kwnames, vm)
    }

    fn _PyObject_VectorcallMethod(vm, name: &Object, args: *const Ptr, nargsf: usize, kwnames: Option<&Object>) -> PyResult {
        vectorcall_method(name, args, nargsf, kwnames, vm)
    }

    fn PyObject_VectorcallDict(vm, callable: &Object, args: *const Ptr, nargsf: usize, kwargs: Option<&Object>) -> PyResult {
        match kwargs.and_then(Object::downcast_ref::<Dict>).filter(|kwargs| !kwargs.is_empty()) {
            None => vectorcall(callable, args, nargsf, None, vm),
            Some(kwargs) => {
                let positional = objects_at(args, nargsf & !ARGUMENTS_OFFSET);
                callable.call_tuple_dict(&*Tuple::from_slice(positional, vm), Some(kwargs), vm)
            }
        }
    }

    fn PyVectorcall_Call(vm, callable: &Object, args: &Object, kwargs: Option<&Object>) -> PyResult {
        if vectorcall_function(callable).is_none() {
            return Err(vm.type_error(format!(
                "'{}' object does not support vectorcall",
                callable.ob_type().name()
            )));
        }
        let args = expect::<Tuple>(Some(args), vm)?;
        match kwargs.and_then(Object::downcast_ref::<Dict>).filter(|kwargs| !kwargs.is_empty()) {
            None => {
                let items = taipan_vm::protocols::native::borrow_all(args.as_slice());
                vectorcall(callable, items.as_ptr().cast(), items.len(), None, vm)
            }
            Some(kwargs) => {
                let (all, names) = taipan_vm::protocols::call::unpack_keywords(args, kwargs, vm)?;
                vectorcall(callable, all.as_ptr().cast(), args.len(), Some(names.as_object()), vm)
            }
        }
    }

    fn PyVectorcall_Function(vm, callable: &Object) -> *mut c_void {
        vectorcall_function(callable).map_or(std::ptr::null_mut(), |function| function as *mut c_void)
    }

    fn PyVectorcall_NARGS(vm, nargsf: usize) -> isize {
        signed(nargsf & !ARGUMENTS_OFFSET)
    }

    fn _Py_CheckFunctionResult(vm, tstate: *mut c_void, callable: Option<&Object>, result: Option<ObjRef>, place: *const c_char) -> PyResult {
        match result {
            Some(result) if !vm.has_exception() => Ok(result),
            Some(_) => Err(vm.system_error(format!(
                "{} returned a result with an exception set",
                shown(callable, place, vm)
            ))),
            None if vm.has_exception() => Err(Raised),
            None => Err(vm.system_error(format!(
                "{} returned NULL without setting an exception",
                shown(callable, place, vm)
            ))),
        }
    }

    fn PyEval_GetFuncName(vm, function: &Object) -> *const c_char {
        function_name(function).unwrap_or_else(|| function.ob_type().tp_name.get())
    }

    fn PyEval_GetFuncDesc(vm, function: &Object) -> *const c_char {
        match function_name(function) {
            Some(_) => c"()".as_ptr(),
            None => c" object".as_ptr(),
        }
    }
}

fn shown(callable: Option<&Object>, place: *const c_char, vm: &Vm) -> String {
    match callable {
        Some(callable) => {
            callable.repr(vm).map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy().into_owned())
        }
        // SAFETY: C code gives a literal.
        None => unsafe { Option::<&CStr>::from_c(place) }.map_or("?".into(), lossy).into_owned(),
    }
}

fn function_name(function: &Object) -> Option<*const c_char> {
    if let Some(function) = function.downcast_ref::<taipan_vm::builtins::builtin_function::BuiltinFunction>()
    {
        return Some(function.def().ml_name);
    }
    // SAFETY: called on an attached thread.
    let vm = unsafe { Vm::current() };
    let method = function.downcast_ref::<Method>().map(|method| method.function(vm));
    let function = method.as_deref().unwrap_or(function).downcast_ref::<Function>()?;
    function.code().name().to_utf8(vm).ok().map(|text| text.as_ptr().cast())
}
