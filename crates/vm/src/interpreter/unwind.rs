//! Unwinding: exception tables, traceback entries, and putting exceptions back.

use taipan_bytecode::exception_table;
use taipan_bytecode::opcode::Opcode;

use crate::builtins::code::CodeUnit;
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Where an exception is handled.
pub struct Handler {
    /// Code units from the code's start.
    pub target: usize,
    /// How much of the stack stays.
    pub depth: usize,
    /// Whether the place where it was raised is pushed below the exception.
    pub push_lasti: bool,
}

/// The handler that covers the instruction at `ip`, by the code's exception table.
///
/// # Safety
/// `ip` points into the frame's code.
#[cold]
#[inline(never)]
pub unsafe fn find_handler(frame: *mut InterpreterFrame, ip: *mut CodeUnit) -> Option<Handler> {
    // SAFETY: the caller vouches for `ip`.
    unsafe {
        let code = InterpreterFrame::code(frame);
        let offset = ip.offset_from(code.code_ptr());
        let entry = exception_table::find(code.exception_table(), u32::try_from(offset).ok()?)?;
        Some(Handler { target: entry.target as usize, depth: entry.depth as usize, push_lasti: entry.lasti })
    }
}

/// Cuts the stack to the handler's depth, pushes the exception and gives the place to go on.
///
/// # Safety
/// The handler belongs to the frame's code; an exception waits.
#[cold]
#[inline(never)]
pub unsafe fn enter_handler(
    frame: *mut InterpreterFrame,
    mut sp: *mut StackRef,
    handler: Handler,
    vm: &Vm,
) -> (*mut CodeUnit, *mut StackRef) {
    // SAFETY: the caller vouches for the handler.
    unsafe {
        let level = InterpreterFrame::stack_base(frame).add(handler.depth);
        while sp > level {
            sp = sp.sub(1);
            let value = *sp;
            value.xclose();
        }
        if handler.push_lasti {
            let lasti = InterpreterFrame::code_index(frame);
            *sp = StackRef::owned(vm.new_int(lasti as i64));
            sp = sp.add(1);
        }
        let exception = match vm.take_exception() {
            Some(exception) => exception.into_object(),
            None => vm.none(),
        };
        *sp = StackRef::owned(exception);
        sp = sp.add(1);
        (InterpreterFrame::code(frame).code_ptr().add(handler.target), sp)
    }
}

/// Adds the frame's entry to the traceback of the exception that waits.
///
/// # Safety
/// The frame is running.
#[cold]
#[inline(never)]
pub unsafe fn add_traceback(frame: *mut InterpreterFrame, vm: &Vm) {
    if let Some(exception) = vm.current_exception.get() {
        // SAFETY: the frame is alive and complete.
        unsafe { crate::builtins::traceback::add_to_exception(&exception, frame, vm) };
    }
}

/// Makes an exception from the stack the one that waits again, as it is.
///
/// # Safety
/// The slot holds an exception; its reference moves.
pub unsafe fn restore(exception: StackRef, vm: &Vm) {
    // SAFETY: the caller vouches for the slot.
    match unsafe { exception.into_ref() }.downcast::<BaseException>() {
        Ok(exception) => {
            vm.reraise(exception);
        }
        Err(_) => {
            vm.system_error("exception expected on the evaluation stack");
        }
    }
}

/// Raises for an opcode that the loop doesn't run.
#[cold]
pub fn raise_unknown_opcode(opcode: Opcode, oparg: u32, vm: &Vm) {
    // New code has `Reserved` in place of numbers without opcode, which are the argument then.
    let number = if opcode == Opcode::Reserved { oparg } else { opcode as u32 };
    // The frame itself, even at its first instruction, where it does not count as begun.
    let frame = vm.current_frame.get();
    // SAFETY: the frame runs, so it is initialised.
    let place = (!frame.is_null()).then(|| unsafe {
        let file = InterpreterFrame::code(frame).filename();
        format!("{}:{}: ", file.to_string_lossy(), InterpreterFrame::lineno(frame).unwrap_or(-1))
    });
    vm.system_error(format!("{}unknown opcode {number}", place.unwrap_or_default()));
}
