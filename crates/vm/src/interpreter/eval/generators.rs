//! `yield from` and `await`: handing values to the inner iterator.

use crate::builtins::coroutine_flags as co;
use crate::builtins::generator::{self, Coroutine, Generator};
use crate::exceptions::stop_iteration::StopIteration;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::instrument::{self, fire};
use crate::prelude::*;

/// Sends a value into any iterator.
#[inline(never)]
pub fn send(receiver: &Object, value: &Object, vm: &Vm) -> PyResult<SendResult> {
    if let Some(result) = generator::send_to(receiver, value, vm) {
        if let Ok(SendResult::Return(value)) = &result {
            stopped(value, vm)?;
        }
        return result;
    }
    let made = if vm.is_none(value) && receiver.ob_type().tp_iternext.get().is_some() {
        // SAFETY: a slot is called with a live object, and hands over a reference or null.
        unsafe {
            receiver.ob_type().tp_iternext.get().and_then(|next| Ref::from_raw_opt(next(receiver.as_ptr())))
        }
    } else {
        receiver.call_method(vm.ids().send, &[value], vm).ok()
    };
    match made {
        Some(item) => Ok(SendResult::Next(item)),
        None => take_stop_iteration(vm).map(SendResult::Return),
    }
}

/// Tools see the end of an awaitable that runs natively as the `StopIteration` that it would be.
fn stopped(value: &Object, vm: &Vm) -> PyResult<()> {
    if instrument::monitoring(vm).global_tools(instrument::event::RAISE) == 0 {
        return Ok(());
    }
    let exception =
        crate::exceptions::base::new_exception(types::stop_iteration(), vec![value.to_ref()], vm)?;
    vm.current_exception.put(exception);
    // SAFETY: the frame is running and has stored its place.
    unsafe { fire::exception_if_watched(vm.current_frame.get(), instrument::event::RAISE, vm)? };
    vm.clear_exception();
    Ok(())
}

/// After an iterator gave nothing: the value it returned, or the exception if it isn't `StopIteration`.
#[inline(never)]
pub fn take_stop_iteration(vm: &Vm) -> PyResult {
    if !vm.has_exception() {
        return Ok(vm.none());
    }
    if !vm.exception_matches(types::stop_iteration()) {
        return Err(Raised);
    }
    // SAFETY: the frame is running and has stored its place.
    unsafe { fire::exception_if_watched(vm.current_frame.get(), instrument::event::RAISE, vm)? };
    Ok(match vm.take_exception() {
        Some(exception) => StopIteration::value_of(&exception, vm),
        None => vm.none(),
    })
}

/// `GET_YIELD_FROM_ITER`: what `yield from` delegates to.
#[inline(never)]
pub unsafe fn get_yield_from_iter(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let iterable = s.object(1);
        let tp = iterable.type_ptr();
        if tp == Coroutine::static_type() {
            let flags = InterpreterFrame::code(frame).flags.get();
            if flags & (co::COROUTINE | co::ITERABLE_COROUTINE) == 0 {
                return Err(
                    vm.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator")
                );
            }
            return Ok(s);
        }
        if tp == Generator::static_type() {
            return Ok(s);
        }
        let iterator = crate::protocols::iterator::iter(iterable, vm)?;
        Ok(s.replace(1, iterator))
    }
}
