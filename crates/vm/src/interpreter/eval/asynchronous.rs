//! `await`, `async for`, `async with` (PEP 492, PEP 525).

use crate::builtins::coroutine_flags as co;
use crate::builtins::generator::{self, Coroutine, Generator};
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// The iterator by which an awaitable is awaited.
#[inline(never)]
pub fn awaitable_iter(object: &Object, vm: &Vm) -> PyResult {
    if object.type_ptr() == Coroutine::static_type() || is_iterable_coroutine(object) {
        return Ok(object.to_ref());
    }
    let slot = object.ob_type().as_async().and_then(|suite| suite.am_await.get());
    let Some(get) = slot else {
        return Err(vm.type_error(format!("'{}' object can't be awaited", object.ob_type().tp_name_str())));
    };
    // SAFETY: a slot is called with a live object.
    let iterator = unsafe { vm.owned(get(object.as_ptr())) }?;
    if iterator.type_ptr() == Coroutine::static_type() || is_iterable_coroutine(&iterator) {
        return Err(vm.type_error("__await__() returned a coroutine"));
    }
    if !crate::protocols::iterator::is_iterator(&iterator) {
        return Err(vm.type_error(format!(
            "__await__() returned non-iterator of type '{}'",
            iterator.ob_type().tp_name_str()
        )));
    }
    Ok(iterator)
}

fn is_iterable_coroutine(object: &Object) -> bool {
    object.downcast_exact::<Generator>().is_some_and(|g| g.code_flags() & co::ITERABLE_COROUTINE != 0)
}

/// `GET_AWAITABLE`: the operand says what asked: 1 `async with`'s enter, 2 its exit.
#[inline(never)]
pub unsafe fn get_awaitable(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let object = s.object(1);
        let iterator = match awaitable_iter(object, vm) {
            Ok(iterator) => iterator,
            Err(raised) => {
                let tp = object.ob_type();
                let has_await = tp.as_async().is_some_and(|suite| suite.am_await.get().is_some());
                if !has_await && (oparg == 1 || oparg == 2) {
                    let name = crate::interpreter::fully_qualified_name(tp, vm);
                    let method = if oparg == 1 { "__aenter__" } else { "__aexit__" };
                    vm.clear_exception();
                    return Err(vm.type_error(format!(
                        "'async with' received an object from {method} that does not implement __await__: {name}"
                    )));
                }
                return Err(raised);
            }
        };
        if let Some(coroutine) = iterator.downcast_exact::<Coroutine>() {
            if generator::is_awaited(coroutine) {
                return Err(vm.runtime_error("coroutine is being awaited already"));
            }
        }
        Ok(s.replace(1, iterator))
    }
}

/// `GET_AITER`: the asynchronous iterator of the topmost value.
#[inline(never)]
pub unsafe fn get_aiter(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let object = s.object(1);
        let tp = object.ob_type();
        let Some(get) = tp.as_async().and_then(|suite| suite.am_aiter.get()) else {
            return Err(vm.type_error(format!(
                "'async for' requires an object with __aiter__ method, got {}",
                crate::interpreter::fully_qualified_name(tp, vm)
            )));
        };
        let iterator = vm.owned(get(object.as_ptr()))?;
        let has_anext = iterator.ob_type().as_async().is_some_and(|suite| suite.am_anext.get().is_some());
        if !has_anext {
            return Err(vm.type_error(format!(
                "'async for' received an object from __aiter__ that does not implement __anext__: {}",
                crate::interpreter::fully_qualified_name(iterator.ob_type(), vm)
            )));
        }
        Ok(s.replace(1, iterator))
    }
}

/// `GET_ANEXT`: leaves the asynchronous iterator and pushes what its next item is awaited by.
#[inline(never)]
pub unsafe fn get_anext(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let object = s.object(1);
        let tp = object.ob_type();
        let Some(next) = tp.as_async().and_then(|suite| suite.am_anext.get()) else {
            return Err(vm.type_error(format!(
                "'async for' requires an iterator with __anext__ method, got {}",
                crate::interpreter::fully_qualified_name(tp, vm)
            )));
        };
        let awaitable = vm.owned(next(object.as_ptr()))?;
        if tp.as_object().is(crate::builtins::generator::AsyncGenerator::type_object().as_object()) {
            return Ok(s.push(StackRef::owned(awaitable)));
        }
        match awaitable_iter(&awaitable, vm) {
            Ok(iterator) => Ok(s.push(StackRef::owned(iterator))),
            Err(_) => {
                let cause = vm.take_exception();
                let raised = vm.type_error(format!(
                    "'async for' received an invalid object from __anext__: {}",
                    crate::interpreter::fully_qualified_name(awaitable.ob_type(), vm)
                ));
                Err(match cause {
                    Some(cause) => vm.chain_cause(cause),
                    None => raised,
                })
            }
        }
    }
}
