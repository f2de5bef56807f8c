//! Telling tools: calling callbacks, and what `DISABLE` and exceptions from them mean.

use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::instrument::event::{self, LOCAL_COUNT};
use crate::interpreter::instrument::sites::{self, Layer};
use crate::interpreter::instrument::{PROFILE_TOOL, legacy, monitoring};
use crate::prelude::*;

/// What a callback gets besides the code object.
#[derive(Clone, Copy)]
pub enum Details<'a> {
    /// The line.
    Line(i32),
    /// Where, in code units.
    At(usize),
    /// Where, and an object: a result or an exception.
    Object(usize, &'a Object),
    /// Where, and where to.
    Jump(usize, usize),
    /// Where, the callable, and its first argument.
    Call(usize, &'a Object, &'a Object),
}

impl Details<'_> {
    fn arguments(self, code: &Code, vm: &Vm) -> SmallArgs {
        let bytes = |unit: usize| vm.new_int(unit as i64 * 2);
        let mut args = SmallArgs::new();
        args.push(code.as_object().to_ref());
        match self {
            Details::Line(line) => args.push(vm.new_int(i64::from(line))),
            Details::At(unit) => args.push(bytes(unit)),
            Details::Object(unit, object) => args.extend([bytes(unit), object.to_ref()]),
            Details::Jump(from, to) => args.extend([bytes(from), bytes(to)]),
            Details::Call(unit, callable, first) => {
                args.extend([bytes(unit), callable.to_ref(), first.to_ref()])
            }
        }
        args
    }
}

type SmallArgs = smallvec::SmallVec<[ObjRef; 4]>;

fn layer_of(event: usize) -> Layer {
    match event {
        event::LINE => Layer::Line,
        event::INSTRUCTION => Layer::Instruction,
        _ => Layer::Own,
    }
}

/// The tools to be told of an event at an instruction.
fn tools_for(code: &Code, unit: usize, event: usize, vm: &Vm) -> u8 {
    if event >= LOCAL_COUNT && !matches!(event, event::C_RETURN | event::C_RAISE) {
        return monitoring(vm).global_tools(event);
    }
    sites::of(code).map_or(0, |sites| sites.tools_at(unit, layer_of(event)))
}

/// Fires an event at the instruction `unit` of a frame that runs and has its state stored. Raises what callbacks raise.
///
/// # Safety
/// `frame` is running and complete.
pub unsafe fn fire(
    frame: *mut InterpreterFrame,
    unit: usize,
    event: usize,
    details: Details<'_>,
    vm: &Vm,
) -> PyResult<()> {
    if vm.tracing.get() != 0 {
        return Ok(());
    }
    // SAFETY: the caller vouches for the frame; the code is held while callbacks run.
    let code = unsafe { Ref::new_ref(InterpreterFrame::code(frame)) };
    let mut tools = tools_for(&code, unit, event, vm);
    let mut args = None;
    while tools != 0 {
        let tool = 7 - tools.leading_zeros() as usize;
        tools &= !(1 << tool);
        let before = vm.what_event.replace(event as i32);
        let frame_before = vm.traced_frame.replace(frame);
        vm.tracing.set(vm.tracing.get() + 1);
        let result = if tool >= PROFILE_TOOL {
            // SAFETY: passed on to the caller.
            unsafe { legacy::told(tool, frame, event, details, vm) }.map(|()| false)
        } else {
            let args = args.get_or_insert_with(|| details.arguments(&code, vm));
            call(tool, event, args, vm)
        };
        vm.tracing.set(vm.tracing.get() - 1);
        vm.what_event.set(before);
        vm.traced_frame.set(frame_before);
        if !result? {
            continue;
        }
        if event >= LOCAL_COUNT {
            monitoring(vm).set_callback(tool, event, None);
            return Err(vm.value_error(format!(
                "Cannot disable {} events. Callback removed.",
                event::NAMES.get(event).copied().unwrap_or_default()
            )));
        }
        if let Some(sites) = sites::of(&code) {
            sites.switch_off(&code, unit, layer_of(event), tool);
            // One callback for both ways of a branch means both.
            let branch = matches!(event, event::BRANCH_LEFT | event::BRANCH_RIGHT);
            if branch && monitoring(vm).callback(tool, event).is_none() {
                if let Some(other) = sites.other_way(unit) {
                    sites.switch_off(&code, other, Layer::Own, tool);
                }
            }
        }
    }
    Ok(())
}

/// Calls a tool's callback; true when it gives `DISABLE`.
fn call(tool: usize, event: usize, args: &SmallArgs, vm: &Vm) -> PyResult<bool> {
    let state = monitoring(vm);
    // A callback for both ways of a branch serves where there is none for the way taken.
    let callback = state.callback(tool, event).or_else(|| {
        let branch = matches!(event, event::BRANCH_LEFT | event::BRANCH_RIGHT);
        if branch { state.callback(tool, event::BRANCH) } else { None }
    });
    let Some(callback) = callback else { return Ok(false) };
    let args: smallvec::SmallVec<[&Object; 4]> = args.iter().map(|arg| &**arg).collect();
    let result = callback.call(&args, vm)?;
    Ok(state.disable.get().is_some_and(|disable| result.is(&disable)))
}

/// Fires an event about the exception that waits, which still waits afterwards; another one when a callback raises.
///
/// # Safety
/// As for [`fire`].
#[cold]
#[inline(never)]
pub unsafe fn exception(frame: *mut InterpreterFrame, unit: usize, event: usize, vm: &Vm) -> PyResult<()> {
    let Some(exception) = vm.take_exception() else { return Ok(()) };
    // SAFETY: passed on to the caller.
    let told = unsafe { fire(frame, unit, event, Details::Object(unit, exception.as_object()), vm) };
    if told.is_ok() {
        vm.current_exception.put(exception);
    }
    told
}

/// [`exception`] when some tool watches the event everywhere.
///
/// # Safety
/// As for [`fire`].
#[inline(always)]
pub unsafe fn exception_if_watched(frame: *mut InterpreterFrame, event: usize, vm: &Vm) -> PyResult<()> {
    if monitoring(vm).global_tools(event) == 0 {
        return Ok(());
    }
    // SAFETY: passed on to the caller.
    unsafe {
        if InterpreterFrame::is_incomplete(frame) {
            return Ok(());
        }
        let unit = InterpreterFrame::code_index(frame);
        exception(frame, usize::try_from(unit).unwrap_or(0), event, vm)
    }
}
