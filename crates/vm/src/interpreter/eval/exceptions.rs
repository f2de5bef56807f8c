//! Raising, catching, and the stack of exceptions that are being handled.

use crate::exceptions::base::{check_except_type, given_exception_matches, instantiate, raise_from};
use crate::exceptions::group;
use crate::exceptions::stop_iteration::StopIteration;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::raw;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// `raise`, `raise value`, `raise value from cause`. Always ends with an exception set; true when it was raised before
/// and has this frame's traceback entry.
///
/// # Safety
/// The stack holds `oparg` operands, which are closed.
#[inline(never)]
pub unsafe fn raise_varargs(vm: &Vm, s: Stack, oparg: usize) -> bool {
    // SAFETY: the caller vouches for the stack.
    unsafe {
        match oparg {
            0 => match vm.handled_exception() {
                Some(exception) => {
                    vm.reraise(exception);
                    return true;
                }
                None => {
                    vm.runtime_error("No active exception to reraise");
                }
            },
            1 => {
                if let Ok(exception) = instantiate(s.object(1), vm) {
                    vm.raise_object(exception);
                }
                s.drop(1);
            }
            _ => {
                raise_from(s.object(2), s.object(1), vm);
                s.drop(2);
            }
        }
    }
    false
}

/// Makes the exception the one that is handled; gives what was, for the stack.
///
/// # Safety
/// The slot holds an exception.
#[inline]
pub unsafe fn push_handled(exception: StackRef, vm: &Vm) -> StackRef {
    // SAFETY: `exc_info` always points to a live item.
    unsafe {
        let item = &*vm.exc_info.get();
        match item.exc_value.replace(Some(exception.object().to_ref())) {
            Some(previous) => StackRef::owned(previous),
            None => StackRef::borrowed(vm.none_ref()),
        }
    }
}

/// Ends the handling of an exception: what was handled before is so again.
///
/// # Safety
/// The slot holds what `push_handled` gave.
#[inline]
pub unsafe fn pop_handled(previous: StackRef, vm: &Vm) {
    // SAFETY: `exc_info` always points to a live item.
    unsafe {
        let item = &*vm.exc_info.get();
        let previous = if previous.is(vm.none_ref()) { None } else { Some(previous.into_ref()) };
        item.exc_value.set(previous);
    }
}

/// `CHECK_EXC_MATCH`: whether the exception is of the topmost class or one of the tuple's.
#[inline(never)]
pub unsafe fn check_exc_match(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let (matcher, exception) = (s.object(1), s.object(2));
        check_except_type(matcher, vm)?;
        let matches = given_exception_matches(exception, matcher);
        Ok(s.drop(1).push(raw::bool_slot(matches, vm)))
    }
}

/// `except*`: leaves what is left of the exception, and what the clause takes of it or `None`.
#[inline(never)]
pub unsafe fn check_eg_match(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let (matcher, exception) = (s.object(1), s.object(2));
        group::check_except_star_type(matcher, vm)?;
        let (matched, rest) = group::check_match(exception, matcher, vm)?;
        let none = || StackRef::borrowed(vm.none_ref());
        if let Some(matched) = &matched {
            vm_set_handled(matched, vm);
        }
        let s = s.drop(2);
        Ok(s.push(rest.map_or_else(none, StackRef::owned)).push(matched.map_or_else(none, StackRef::owned)))
    }
}

/// Makes `exception` what `sys.exception()` gives, in the place of what was.
fn vm_set_handled(exception: &Object, vm: &Vm) {
    // SAFETY: `exc_info` always points to a live item.
    unsafe { (*vm.exc_info.get()).exc_value.set(Some(exception.to_ref())) }
}

/// Calls a context manager's `__exit__` with the exception; leaves the result on top.
#[inline(never)]
pub unsafe fn with_except_start(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`. From the top: the exception, what was handled before, lasti, self or NULL, __exit__.
    unsafe {
        let exception = s.object(1);
        let tb = match exception.cast::<BaseException>().traceback.get() {
            Some(tb) => tb,
            None => vm.none(),
        };
        let tp = exception.ob_type().as_object();
        let exit = s.object(5);
        let result = if s.peek(4).is_null() {
            exit.call(&[tp, exception, &tb], vm)?
        } else {
            exit.call(&[s.object(4), tp, exception, &tb], vm)?
        };
        Ok(s.push(StackRef::owned(result)))
    }
}

/// Whether an exception is `StopAsyncIteration`.
#[inline(never)]
pub fn is_stop_async_iteration(exception: &Object) -> bool {
    exception.ob_type().is_subtype_of(types::stop_async_iteration())
}

/// The value of a `StopIteration`; none for any other exception.
#[inline(never)]
pub fn stop_iteration_value(exception: &Object, vm: &Vm) -> Option<ObjRef> {
    let base = exception.downcast_ref::<BaseException>()?;
    if !exception.ob_type().is_subtype_of(types::stop_iteration()) {
        return None;
    }
    Some(StopIteration::value_of(base, vm))
}
