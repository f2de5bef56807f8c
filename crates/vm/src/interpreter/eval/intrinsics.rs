//! `CALL_INTRINSIC_1` and `CALL_INTRINSIC_2`.

use crate::builtins::generator;
use crate::builtins::typevars;
use crate::exceptions::group;
use crate::exceptions::stop_iteration;
use crate::interpreter::eval::importing;
use crate::interpreter::eval::names::mapping_get;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::prelude::*;

/// `CALL_INTRINSIC_1`: the function of one value that the argument numbers.
#[inline(never)]
pub unsafe fn call_1(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let value = s.object(1);
        let result = match oparg {
            1 => display(value, vm)?,
            2 => {
                let Some(locals) = (*frame).locals.as_ref() else {
                    return Err(vm.system_error("no locals found during 'import *'"));
                };
                importing::import_star(value, locals, vm)?;
                vm.none()
            }
            3 => stop_iteration_error(value, frame, vm),
            4 => generator::wrap_async_value(value, vm),
            5 => crate::protocols::number::positive(value, vm)?,
            6 => {
                let list = value.cast::<List>();
                Tuple::from_vec(list.to_vec(), vm).into_object()
            }
            7 => typevars::new_typevar(value, None, None, vm)?,
            8 => typevars::new_paramspec(value, vm)?,
            9 => typevars::new_typevartuple(value, vm)?,
            10 => typevars::subscript_generic(value, vm)?,
            11 => typevars::new_typealias(value, vm)?,
            _ => return Err(vm.system_error("unknown intrinsic")),
        };
        Ok(s.replace(1, result))
    }
}

/// `INTRINSIC_PRINT`: hands the value of an expression statement to `sys.displayhook`.
fn display(value: &Object, vm: &Vm) -> PyResult {
    let hook = match vm.interp().sys_dict.get() {
        Some(dict) => mapping_get(dict.as_object(), vm.ids().displayhook, vm)?,
        None => None,
    };
    match hook {
        Some(hook) => hook.call(&[value], vm),
        None => Err(vm.runtime_error("lost sys.displayhook")),
    }
}

/// `INTRINSIC_STOPITERATION_ERROR` (PEP 479): what leaves a generator in place of a `StopIteration` that was not caught.
unsafe fn stop_iteration_error(exception: &Object, frame: *mut InterpreterFrame, vm: &Vm) -> ObjRef {
    use crate::builtins::coroutine_flags as co;
    // SAFETY: the frame is running.
    let flags = unsafe { InterpreterFrame::code(frame).flags.get() };
    let tp = exception.ob_type();
    let text = if tp.is_subtype_of(types::stop_iteration()) {
        if flags & co::ASYNC_GENERATOR != 0 {
            "async generator raised StopIteration"
        } else if flags & co::COROUTINE != 0 {
            "coroutine raised StopIteration"
        } else {
            "generator raised StopIteration"
        }
    } else if flags & co::ASYNC_GENERATOR != 0 && tp.is_subtype_of(types::stop_async_iteration()) {
        "async generator raised StopAsyncIteration"
    } else {
        return exception.to_ref();
    };
    let made = crate::exceptions::base::new_exception(
        types::runtime_error(),
        vec![vm.new_str(text).into_object()],
        vm,
    );
    match made {
        Ok(error) => {
            error.set_cause(Some(exception.to_ref()));
            error.context.set(Some(exception.to_ref()));
            error.into_object()
        }
        Err(_) => {
            vm.clear_exception();
            exception.to_ref()
        }
    }
}

/// `CALL_INTRINSIC_2`: the function of two values that the argument numbers.
#[inline(never)]
pub unsafe fn call_2(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let (first, second) = (s.object(2), s.object(1));
        let result = match oparg {
            1 => group::prep_reraise_star(first, &second.cast::<List>().to_vec(), vm)?,
            2 => typevars::new_typevar(first, Some(second), None, vm)?,
            3 => typevars::new_typevar(first, None, Some(second), vm)?,
            5 => typevars::set_typeparam_default(first, second, vm)?,
            4 => {
                let function = first.cast::<Function>();
                function.type_params.set(Some(second.to_ref()));
                first.to_ref()
            }
            _ => return Err(vm.system_error("unknown intrinsic")),
        };
        Ok(s.replace(2, result))
    }
}

/// The exception by which a generator tells its caller that it returned `value`.
#[inline(never)]
pub fn raise_stop_iteration(value: Option<ObjRef>, vm: &Vm) -> Raised {
    vm.raise_object(stop_iteration::new_stop_iteration(value, vm))
}
