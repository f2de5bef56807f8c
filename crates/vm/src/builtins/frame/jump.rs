//! Setting `f_lineno`: which lines a trace function may jump to, and moving the frame there (data model, "Frame objects").
//!
//! The stack of each instruction is described as kinds of its slots, three bits each, the topmost lowest. A jump is
//! possible where the target's stack can be had by popping from the current one.

use taipan_bytecode::opcode::Opcode;
use taipan_bytecode::{exception_table, line_table};

use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::instrument::event;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

const ITERATOR: i64 = 1;
const EXCEPTION: i64 = 2;
const OBJECT: i64 = 3;
const EMPTY_SLOT: i64 = 4;
const LASTI: i64 = 5;

const BITS: u32 = 3;
const MOST_SLOTS: u32 = 63 / BITS;
const UNKNOWN: i64 = -2;
const OVERFLOWED: i64 = -1;
const EMPTY: i64 = 0;

fn push(stack: i64, kind: i64) -> i64 {
    if stack < 0 || stack >= 1 << ((MOST_SLOTS - 1) * BITS) { OVERFLOWED } else { stack << BITS | kind }
}

fn pop(stack: i64) -> i64 {
    stack >> BITS
}

fn top(stack: i64) -> i64 {
    stack & ((1 << BITS) - 1)
}

fn peek(stack: i64, n: u32) -> i64 {
    if !(1..=MOST_SLOTS).contains(&n) { OBJECT } else { top(stack >> (BITS * (n - 1))) }
}

fn depth(mut stack: i64) -> u32 {
    let mut count = 0;
    while stack > 0 {
        count += 1;
        stack = pop(stack);
    }
    count
}

fn swap(stack: i64, n: u32) -> i64 {
    if stack < 0 || !(2..=MOST_SLOTS).contains(&n) {
        return stack;
    }
    let shift = BITS * (n - 1);
    let (a, b) = (top(stack), peek(stack, n));
    let cleared = stack & !(7 | 7 << shift);
    cleared | b | a << shift
}

struct Walk {
    stacks: Vec<i64>,
    again: bool,
}

impl Walk {
    fn at(&self, unit: usize) -> i64 {
        self.stacks.get(unit).copied().unwrap_or(UNKNOWN)
    }

    fn set(&mut self, unit: usize, stack: i64) {
        if let Some(slot) = self.stacks.get_mut(unit) {
            *slot = stack;
        }
    }
}

/// The stack before each instruction.
fn stacks(code: &Code) -> Vec<i64> {
    let units = code.len_units();
    let mut walk = Walk { stacks: vec![UNKNOWN; units + 1], again: true };
    walk.set(0, EMPTY);
    while std::mem::take(&mut walk.again) {
        let mut i = 0;
        while i < units {
            i = step(code, i, &mut walk);
        }
        for entry in exception_table::entries(code.exception_table()) {
            let (start, handler) = (entry.start as usize, entry.target as usize);
            if walk.at(start) == UNKNOWN || walk.at(handler) != UNKNOWN {
                continue;
            }
            walk.again = true;
            let mut stack = walk.at(start);
            while stack > 0 && depth(stack) > entry.depth {
                stack = pop(stack);
            }
            if entry.lasti {
                stack = push(stack, LASTI);
            }
            walk.set(handler, push(stack, EXCEPTION));
        }
    }
    walk.stacks
}

/// Carries the stack over one instruction. Returns the next one's unit.
fn step(code: &Code, start: usize, walk: &mut Walk) -> usize {
    let units = code.len_units();
    let mut stack = walk.at(start);
    let (mut i, mut oparg) = (start, 0_usize);
    let opcode = loop {
        // SAFETY: below the number of units.
        oparg = oparg << 8 | unsafe { *code.code_ptr().add(i) }.oparg() as usize;
        let opcode = code.base_opcode(i);
        if opcode != Opcode::ExtendedArg || i + 1 >= units {
            break opcode;
        }
        i += 1;
        walk.set(i, stack);
    };
    let next = i + 1 + opcode.caches();
    if stack == UNKNOWN {
        return next;
    }
    match opcode {
        Opcode::PopJumpIfFalse | Opcode::PopJumpIfTrue | Opcode::PopJumpIfNone | Opcode::PopJumpIfNotNone => {
            stack = pop(stack);
            walk.set(next + oparg, stack);
        }
        Opcode::Send => walk.set(next + oparg, stack),
        Opcode::JumpForward => {
            walk.set(next + oparg, stack);
            return next;
        }
        Opcode::JumpBackward | Opcode::JumpBackwardNoInterrupt => {
            let target = next.saturating_sub(oparg);
            if walk.at(target) == UNKNOWN && target < start {
                walk.again = true;
            }
            walk.set(target, stack);
            return next;
        }
        Opcode::GetIter | Opcode::GetAiter => stack = push(pop(stack), ITERATOR),
        Opcode::ForIter => {
            stack = push(stack, OBJECT);
            walk.set(next + oparg, stack);
        }
        Opcode::EndAsyncFor => stack = pop(pop(stack)),
        Opcode::PushExcInfo => stack = push(stack, EXCEPTION),
        Opcode::PopExcept => stack = pop(stack),
        Opcode::ReturnValue | Opcode::RaiseVarargs | Opcode::Reraise => return next,
        Opcode::PushNull => stack = push(stack, EMPTY_SLOT),
        Opcode::LoadGlobal => {
            stack = push(stack, OBJECT);
            if oparg & 1 != 0 {
                stack = push(stack, EMPTY_SLOT);
            }
        }
        Opcode::LoadAttr => {
            if oparg & 1 != 0 {
                stack = push(push(pop(stack), OBJECT), EMPTY_SLOT);
            }
        }
        Opcode::Swap => stack = swap(stack, oparg as u32),
        Opcode::Copy => stack = push(stack, peek(stack, oparg as u32)),
        _ => {
            for _ in 0..opcode.popped(oparg as u32) {
                stack = pop(stack);
            }
            for _ in 0..opcode.pushed(oparg as u32) {
                stack = push(stack, OBJECT);
            }
        }
    }
    walk.set(next, stack);
    next
}

fn kinds_match(from: i64, to: i64) -> bool {
    match to {
        0 => false,
        OBJECT => from != EMPTY_SLOT,
        EMPTY_SLOT => true,
        _ => from == to,
    }
}

fn stacks_match(mut from: i64, mut to: i64) -> bool {
    if from < 0 || to < 0 {
        return false;
    }
    while depth(from) > depth(to) {
        from = pop(from);
    }
    while from != 0 {
        if !kinds_match(top(from), top(to)) {
            return false;
        }
        from = pop(from);
        to = pop(to);
    }
    to == 0
}

fn why_not(to: i64) -> &'static str {
    match to {
        OVERFLOWED => "stack is too deep to analyze",
        UNKNOWN => "can't jump into an exception handler, or code may be unreachable",
        _ => match top(to) {
            EXCEPTION => "can't jump into an 'except' block as there's no exception",
            LASTI => "can't jump into a re-raising block as there's no location",
            ITERATOR => "can't jump into the body of a for loop",
            _ => "incompatible stacks",
        },
    }
}

/// The line that begins at each unit, or -1.
fn line_starts(code: &Code) -> Vec<i32> {
    let mut starts = vec![-1; code.len_units()];
    let mut last = None;
    let mut at = 0;
    for (location, count) in line_table::entries(code.line_table(), code.firstlineno.get()) {
        if location.line != last {
            last = location.line;
            if let (Some(slot), Some(line)) = (starts.get_mut(at), location.line) {
                *slot = line;
            }
        }
        at += count;
    }
    starts
}

/// Moves a frame that is being traced to a line. Raises ValueError when that can't be.
pub fn set_line(frame: &Frame, value: &Object, vm: &Vm) -> PyResult<()> {
    let what = usize::try_from(vm.what_event.get()).ok().filter(|_| vm.tracing.get() > 0);
    match what {
        None => return Err(vm.value_error("f_lineno can only be set in a trace function")),
        Some(event::PY_START | event::PY_RESUME | event::PY_THROW) => {
            return Err(vm.value_error("can't jump from the 'call' trace event of a new frame"));
        }
        Some(
            event::LINE
            | event::JUMP
            | event::BRANCH_LEFT
            | event::BRANCH_RIGHT
            | event::INSTRUCTION
            | event::PY_YIELD,
        ) => {}
        Some(_) => return Err(vm.value_error("can only jump from a 'line' trace event")),
    }
    let activation = frame.activation();
    // The stack of a frame that waits for a call is not that of its instruction.
    if activation != vm.traced_frame.get() {
        return Err(vm.value_error("f_lineno can only be set in a trace function"));
    }
    let Some(value) = value.downcast_ref::<Int>() else {
        return Err(vm.value_error("lineno must be an integer"));
    };
    let Some(wanted) = value.to_i64().and_then(|line| i32::try_from(line).ok()) else {
        return Err(vm.value_error("lineno out of range"));
    };
    let code = frame.code();
    if wanted < code.firstlineno.get() {
        return Err(vm.value_error(format!("line {wanted} comes before the current code block")));
    }
    let lines = line_starts(&code);
    let Some(line) = lines.iter().copied().filter(|&line| line >= wanted).min() else {
        return Err(vm.value_error(format!("line {wanted} comes after the current code block")));
    };
    let stacks = stacks(&code);
    let at = |unit: usize| stacks.get(unit).copied().unwrap_or(UNKNOWN);
    // SAFETY: the activation is alive, and its state is stored while a trace function runs.
    let from = at(usize::try_from(unsafe { InterpreterFrame::code_index(activation) }).unwrap_or(0));
    let mut best = None;
    let mut explained = false;
    let mut reason = "cannot find bytecode for specified line";
    for unit in lines.iter().enumerate().filter(|&(_, &start)| start == line).map(|(unit, _)| unit) {
        let to = at(unit);
        if stacks_match(from, to) {
            if best.is_none_or(|(stack, _)| to > stack) {
                best = Some((to, unit));
            }
        } else if best.is_none() && !explained {
            explained = !matches!(from, OVERFLOWED | UNKNOWN);
            reason = match from {
                OVERFLOWED => "stack to deep to analyze",
                UNKNOWN => "can't jump from unreachable code",
                _ => why_not(to),
            };
        }
    }
    let Some((target, unit)) = best else { return Err(vm.value_error(reason)) };
    fill_unbound(activation, &code, vm)?;
    // SAFETY: the stack is as deep as the instruction's, whose kinds match those of the target below it.
    unsafe { cut_stack(activation, from, target, vm) };
    frame.f_lineno.set(0);
    // SAFETY: the unit lies in the code.
    unsafe {
        (*activation).instr_ptr = code.code_ptr().add(unit);
        (*activation).traced_line = line + 1;
    }
    Ok(())
}

/// The compiler counts on variables being bound where they are on every way it knows.
fn fill_unbound(activation: *mut InterpreterFrame, code: &Code, vm: &Vm) -> PyResult<()> {
    let count = code.nlocalsplus();
    // SAFETY: these are the frame's locals.
    let slot = |i: usize| unsafe { InterpreterFrame::locals_ptr(activation).add(i) };
    // SAFETY: as above.
    let unbound: Vec<usize> = (0..count).filter(|&i| unsafe { (*slot(i)).is_null() }).collect();
    if unbound.is_empty() {
        return Ok(());
    }
    let plural = if unbound.len() == 1 { "" } else { "s" };
    let text = format!("assigning None to {} unbound local{plural}", unbound.len());
    crate::builtins::warn::warn(types::runtime_warning(), &text, 1, vm)?;
    for i in unbound {
        // SAFETY: as above; the warning may have run code that bound it.
        unsafe {
            if (*slot(i)).is_null() {
                *slot(i) = StackRef::owned(vm.none());
            }
        }
    }
    Ok(())
}

unsafe fn cut_stack(activation: *mut InterpreterFrame, mut from: i64, to: i64, vm: &Vm) {
    while depth(from) > depth(to) {
        // SAFETY: the caller vouches for the depth.
        unsafe {
            (*activation).stackpointer = (*activation).stackpointer.sub(1);
            let value = *(*activation).stackpointer;
            if top(from) == EXCEPTION {
                // The exception handled outside of the block that is left.
                crate::interpreter::eval::exceptions::pop_handled(value, vm);
            } else {
                value.xclose();
            }
        }
        from = pop(from);
    }
}
