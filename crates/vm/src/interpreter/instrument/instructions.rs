//! The bodies of the instrumented instructions that do more than fire one event.

use taipan_bytecode::opcode::Opcode;

use crate::builtins::code::CodeUnit;
use crate::builtins::generator::{Coroutine, Generator};
use crate::interpreter::calls::{self, Outcome};
use crate::interpreter::eval::attributes;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::instrument::fire::{Details, fire};
use crate::interpreter::instrument::sites::{self, Layer};
use crate::interpreter::instrument::{event, monitoring};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

unsafe fn unit_of(frame: *mut InterpreterFrame) -> usize {
    // SAFETY: the caller has stored the instruction pointer.
    usize::try_from(unsafe { InterpreterFrame::code_index(frame) }).unwrap_or(0)
}

/// `INSTRUMENTED_LINE`: fires `LINE` when another line was run before. Gives the instruction to go on with.
///
/// # Safety
/// `frame` is running and has its state stored.
#[inline(never)]
pub unsafe fn line(vm: &Vm, frame: *mut InterpreterFrame) -> PyResult<Opcode> {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        let code = InterpreterFrame::code(frame);
        let Some(here) = sites::of(code) else { return Ok(Opcode::Nop) };
        let line = here.line_at(unit);
        // 0 stands for "no line", so that a new frame has none.
        let before = std::mem::replace(&mut (*frame).traced_line, line + 1);
        if here.starts_line(unit) && before != line + 1 && here.tools_at(unit, Layer::Line) != 0 {
            fire(frame, unit, event::LINE, Details::Line(line), vm)?;
            if let Some(here) = sites::of(code).filter(|here| here.tools_at(unit, Layer::Line) != 0) {
                here.keep_lines(code);
            }
        }
        Ok(sites::of(code).map_or(Opcode::Nop, |here| here.below(unit, Layer::Line)))
    }
}

/// `INSTRUMENTED_INSTRUCTION`. Gives the instruction to go on with.
///
/// # Safety
/// As for [`line`].
#[inline(never)]
pub unsafe fn instruction(vm: &Vm, frame: *mut InterpreterFrame) -> PyResult<Opcode> {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        fire(frame, unit, event::INSTRUCTION, Details::At(unit), vm)?;
        let here = sites::of(InterpreterFrame::code(frame));
        Ok(here.map_or(Opcode::Nop, |here| here.below(unit, Layer::Instruction)))
    }
}

/// Fires the event that begins a function's run or a generator's next step.
///
/// # Safety
/// As for [`line`].
#[inline(never)]
pub unsafe fn resume(vm: &Vm, frame: *mut InterpreterFrame, oparg: usize) -> PyResult<()> {
    // SAFETY: passed on to the caller.
    unsafe {
        (*frame).traced_line = 0;
        let unit = unit_of(frame);
        let event = if oparg == 0 { event::PY_START } else { event::PY_RESUME };
        fire(frame, unit, event, Details::At(unit), vm)
    }
}

/// Fires an event about the object on top of the stack.
///
/// # Safety
/// As for [`line`]; the stack is not empty.
#[inline(never)]
pub unsafe fn result(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, event: usize) -> PyResult<()> {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        let held = s.object(1).to_ref();
        fire(frame, unit, event, Details::Object(unit, &held), vm)
    }
}

/// Fires the event of a jump; `site` is the instruction that fires. Gives where to go on, which a trace function may change.
///
/// # Safety
/// As for [`line`]; the targets lie in the frame's code.
#[inline(never)]
pub unsafe fn jump(
    vm: &Vm,
    frame: *mut InterpreterFrame,
    from: Option<usize>,
    to: *mut CodeUnit,
    event: usize,
) -> PyResult<*mut CodeUnit> {
    // SAFETY: passed on to the caller.
    unsafe {
        let site = unit_of(frame);
        let target = to.offset_from(InterpreterFrame::code(frame).code_ptr());
        let from = from.unwrap_or(site);
        let here = (*frame).instr_ptr;
        fire(frame, site, event, Details::Jump(from, usize::try_from(target).unwrap_or(0)), vm)?;
        Ok(if (*frame).instr_ptr == here { to } else { (*frame).instr_ptr })
    }
}

/// Where the branch lies that a `NOT_TAKEN` belongs to.
///
/// # Safety
/// As for [`line`].
pub unsafe fn branch_before(frame: *mut InterpreterFrame) -> usize {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        let one_back = unit.saturating_sub(1);
        let direct = sites::of(InterpreterFrame::code(frame))
            .and_then(|here| here.base_at(one_back))
            .is_some_and(|base| base == Opcode::EndSend);
        if direct { one_back } else { unit.saturating_sub(2) }
    }
}

/// The `FOR_ITER` that a `POP_ITER` belongs to.
///
/// # Safety
/// As for [`line`].
pub unsafe fn loop_of(frame: *mut InterpreterFrame) -> usize {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        sites::of(InterpreterFrame::code(frame)).map_or(unit, |here| here.source_at(unit))
    }
}

/// Fires `STOP_ITERATION` when the value on top of the stack was returned by the generator below it.
///
/// # Safety
/// As for [`line`]; the stack is two deep.
#[inline(never)]
pub unsafe fn stop_iteration(vm: &Vm, frame: *mut InterpreterFrame, s: Stack) -> PyResult<()> {
    // SAFETY: passed on to the caller.
    unsafe {
        let tp = s.object(2).type_ptr();
        if tp != Generator::static_type() && tp != Coroutine::static_type() {
            return Ok(());
        }
        let value = s.object(1).to_ref();
        let exception = crate::exceptions::base::new_exception(types::stop_iteration(), vec![value], vm)?;
        let unit = unit_of(frame);
        fire(frame, unit, event::STOP_ITERATION, Details::Object(unit, exception.as_object()), vm)
    }
}

fn missing(vm: &Vm) -> ObjRef {
    monitoring(vm).missing.get().unwrap_or_else(|| vm.none())
}

/// Fires what ended a call of native code. On failure the exception waits.
unsafe fn called(
    frame: *mut InterpreterFrame,
    outcome: Outcome,
    callable: &Object,
    first: &Object,
    vm: &Vm,
) -> Outcome {
    // SAFETY: passed on to the caller.
    unsafe {
        let unit = unit_of(frame);
        let details = Details::Call(unit, callable, first);
        match outcome {
            Outcome::Value(value) => match fire(frame, unit, event::C_RETURN, details, vm) {
                Ok(()) => Outcome::Value(value),
                Err(_) => Outcome::Error,
            },
            Outcome::Error => {
                let exception = vm.take_exception();
                if fire(frame, unit, event::C_RAISE, details, vm).is_ok() {
                    vm.current_exception.set(exception);
                }
                Outcome::Error
            }
            frame => frame,
        }
    }
}

/// `INSTRUMENTED_CALL`, and `INSTRUMENTED_CALL_KW` with `names` 1: the operands end with the names.
///
/// # Safety
/// As for [`line`]; the stack is as the instruction needs it.
#[inline(never)]
pub unsafe fn call(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize, names: usize) -> Outcome {
    // SAFETY: passed on to the caller.
    unsafe {
        calls::unpack_method(s, oparg + 2 + names);
        let callable = s.object(oparg + 2 + names).to_ref();
        let first = if !s.peek(oparg + 1 + names).is_null() {
            s.object(oparg + 1 + names).to_ref()
        } else if oparg > 0 {
            s.object(oparg + names).to_ref()
        } else {
            missing(vm)
        };
        let unit = unit_of(frame);
        if fire(frame, unit, event::CALL, Details::Call(unit, &callable, &first), vm).is_err() {
            return Outcome::Error;
        }
        let python = calls::python_function(StackRef::borrowed(&callable)).is_some();
        let outcome =
            if names == 0 { calls::call(vm, frame, s, oparg) } else { calls::call_kw(vm, frame, s, oparg) };
        if python { outcome } else { called(frame, outcome, &callable, &first, vm) }
    }
}

/// `INSTRUMENTED_CALL_FUNCTION_EX`.
///
/// # Safety
/// As for [`line`]; the stack is as the instruction needs it.
#[inline(never)]
pub unsafe fn call_function_ex(vm: &Vm, frame: *mut InterpreterFrame, s: Stack) -> Outcome {
    // SAFETY: passed on to the caller.
    unsafe {
        let callable = s.object(4).to_ref();
        let given = s.object(2).downcast_exact::<Tuple>();
        let first = given.and_then(|given| given.get(0)).map_or_else(|| missing(vm), Object::to_ref);
        let unit = unit_of(frame);
        if fire(frame, unit, event::CALL, Details::Call(unit, &callable, &first), vm).is_err() {
            return Outcome::Error;
        }
        let python = callable.downcast_exact::<Function>().is_some();
        let outcome = calls::call_function_ex(vm, frame, s);
        if python { outcome } else { called(frame, outcome, &callable, &first, vm) }
    }
}

/// `INSTRUMENTED_LOAD_SUPER_ATTR`: looks like a call of `super`.
///
/// # Safety
/// As for [`line`]; the stack is as the instruction needs it.
#[inline(never)]
pub unsafe fn load_super_attr(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: passed on to the caller.
    unsafe {
        let callable = s.object(3).to_ref();
        let first = if oparg & 2 != 0 { s.object(2).to_ref() } else { missing(vm) };
        let unit = unit_of(frame);
        let details = Details::Call(unit, &callable, &first);
        let before = s;
        fire(frame, unit, event::CALL, details, vm)?;
        match attributes::load_super_attr(vm, frame, s, oparg) {
            Ok(s) => {
                match fire(frame, unit, event::C_RETURN, details, vm) {
                    Ok(()) => Ok(s),
                    Err(raised) => {
                        // Unwinding starts from the stack as it was: what lies above the results is gone.
                        let mut above = s.as_ptr();
                        while above < before.as_ptr() {
                            *above = StackRef::NULL;
                            above = above.add(1);
                        }
                        Err(raised)
                    }
                }
            }
            Err(raised) => {
                let exception = vm.take_exception();
                fire(frame, unit, event::C_RAISE, details, vm)?;
                vm.current_exception.set(exception);
                Err(raised)
            }
        }
    }
}
