//! The evaluation loop: one `match` over 3.14's code units, with the instruction pointer, the stack pointer and the
//! frame in locals.
//!
//! Rules that keep it fast:
//! - An arm that is run often is written out here; everything else is a call of a function in this folder that takes and
//!   gives the stack (`Stack`, `Step`), `#[inline(never)]` so that the compiler leaves it there. No result type is built for
//!   instructions that can't fail.
//! - `ip` points at the instruction that runs, so that an error knows where it happened; arms that may run other Python
//!   code store it in the frame first (`save!`).
//! - Calls of Python functions push a frame and go on in the same loop; returns pop it. Only native code calls `run`.
//! - A specialised arm tests its guards first and goes to the family's general arm when one fails.
#![allow(clippy::too_many_lines, reason = "the loop is one function so that its state stays in registers")]

pub mod arithmetic;
pub mod asynchronous;
pub mod attributes;
pub mod classes;
pub mod collections;
pub mod exceptions;
pub mod formatting;
pub mod generators;
pub mod importing;
pub mod intrinsics;
pub mod iteration;
pub mod matching;
pub mod names;
pub mod stack;

use std::sync::atomic::Ordering;

use taipan_bytecode::opcode::Opcode;

use crate::builtins::cell::PyCell;
use crate::builtins::generator::{self, Generator};
use crate::interpreter::calls;
use crate::interpreter::eval::iteration::Next;
use crate::interpreter::eval::stack::Stack;
use crate::interpreter::frame::{self, InterpreterFrame, finish_frame};
use crate::interpreter::instrument::{self, fire, instructions};
use crate::interpreter::raw;
use crate::interpreter::specialise::{self, cache};
use crate::interpreter::stackref::StackRef;
use crate::interpreter::unwind;
use crate::prelude::*;

/// How an arm left the loop.
#[derive(PartialEq, Eq)]
enum Leave {
    /// An exception was raised by the instruction at `ip`.
    Error,
    /// The exception was thrown into a suspended generator, whose `instr_ptr` tells the line.
    Thrown,
    /// An exception goes on that has this frame's traceback entry already.
    Reraise,
    /// The frame can't begin: the recursion limit was reached.
    Unwind,
}

#[inline(always)]
unsafe fn name_of<'a>(frame: *mut InterpreterFrame, index: usize) -> &'a Str {
    // SAFETY: the compiler only emits indices that `co_names` has, and they are strings.
    unsafe { InterpreterFrame::code(frame).name_at(index) }
}

/// Fires `EXCEPTION_HANDLED` at a handler that was just entered.
#[inline(always)]
unsafe fn monitoring_handled(
    frame: *mut InterpreterFrame,
    ip: *mut crate::builtins::code::CodeUnit,
    sp: *mut StackRef,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: the handler's exception is on top of the stack.
    unsafe {
        if instrument::monitoring(vm).global_tools(instrument::event::EXCEPTION_HANDLED) == 0 {
            return Ok(());
        }
        (*frame).instr_ptr = ip;
        (*frame).stackpointer = sp;
        instructions::result(vm, frame, Stack::new(sp), instrument::event::EXCEPTION_HANDLED)
    }
}

#[cold]
#[inline(never)]
fn recursion_limit(vm: &Vm) -> bool {
    crate::interpreter::recursion::limit_reached(vm)
}

/// Runs a frame until it returns or yields, or an exception leaves it. The frame is finished then, unless it belongs to
/// a generator that was suspended. With `throw`, it starts by raising the exception that waits.
///
/// # Safety
/// `entry` is initialised, not linked yet, and belongs to this call.
#[inline(never)]
pub unsafe fn run(vm: &Vm, entry: *mut InterpreterFrame, throw: bool) -> PyResult {
    // SAFETY: the compiler's code keeps the stack within the frame and its indices within the code object; each arm
    // relies on that and on the slots' rules in `stackref`.
    unsafe {
        let mut frame = entry;
        (*frame).previous = vm.current_frame.get();
        (*frame).is_entry = 1;
        vm.current_frame.set(frame);
        let mut ip = (*frame).instr_ptr;
        let mut sp = (*frame).stackpointer;
        let remaining = vm.py_recursion_remaining.get();
        vm.py_recursion_remaining.set(remaining.wrapping_sub(1));
        let mut start = None;
        if (remaining <= 0 && recursion_limit(vm)) || vm.check_recursion("").is_err() {
            start = Some(Leave::Unwind);
        } else if throw {
            // The place that the generator waits at lies one unit back.
            ip = ip.sub(1);
            start = Some(Leave::Thrown);
        }

        'outer: loop {
            let leave = 'run: {
                if let Some(leave) = start.take() {
                    break 'run leave;
                }
                // One loop for the next instruction and for another arm of the same one: with a loop of its own around the
                // second, the compiler computes what arms need of `sp` and `oparg` before each dispatch.
                let mut opcode = (*ip).opcode();
                let mut oparg = (*ip).oparg() as usize;
                'next: loop {
                    // Goes to the instruction at `ip`.
                    macro_rules! fetch {
                        () => {{
                            let unit = *ip;
                            opcode = unit.opcode();
                            oparg = unit.oparg() as usize;
                            continue 'next;
                        }};
                    }
                    macro_rules! peek {
                        ($n:expr) => {
                            *sp.sub($n)
                        };
                    }
                    macro_rules! push {
                        ($value:expr) => {{
                            let value: StackRef = $value;
                            *sp = value;
                            sp = sp.add(1);
                        }};
                    }
                    macro_rules! pop {
                        () => {{
                            sp = raw::lower::<1>(sp);
                            *sp
                        }};
                    }
                    macro_rules! local {
                        ($i:expr) => {
                            *InterpreterFrame::locals_ptr(frame).add($i)
                        };
                    }
                    macro_rules! next {
                        ($n:expr) => {{
                            ip = ip.add($n);
                            fetch!();
                        }};
                    }
                    macro_rules! save {
                        () => {
                            (*frame).instr_ptr = ip
                        };
                    }
                    macro_rules! error {
                        () => {
                            break 'run Leave::Error
                        };
                    }
                    macro_rules! attempt {
                        ($result:expr) => {
                            match $result {
                                Ok(value) => value,
                                Err(_) => error!(),
                            }
                        };
                    }
                    macro_rules! enter {
                        ($new:expr) => {{
                            frame = $new;
                            vm.current_frame.set(frame);
                            ip = (*frame).instr_ptr;
                            sp = (*frame).stackpointer;
                            let remaining = vm.py_recursion_remaining.get();
                            vm.py_recursion_remaining.set(remaining.wrapping_sub(1));
                            if remaining <= 0 && recursion_limit(vm) {
                                break 'run Leave::Unwind;
                            }
                            fetch!();
                        }};
                    }
                    // Goes on in a callee's frame; the caller's stack is as it will be when the result is pushed.
                    macro_rules! enter_call {
                        ($new:expr, $units:expr) => {{
                            let new: *mut InterpreterFrame = $new;
                            (*frame).instr_ptr = ip;
                            (*frame).return_offset = ($units) as u16;
                            (*frame).stackpointer = sp;
                            enter!(new)
                        }};
                    }
                    // Pending work is looked after behind each call of native code too, as it may have come from there.
                    macro_rules! check_breaker {
                        () => {
                            if vm.eval_breaker.load(Ordering::Relaxed) & instrument::REQUEST_BITS != 0 {
                                save!();
                                if crate::runtime::pending::handle(vm).is_err() {
                                    error!()
                                }
                            }
                        };
                    }
                    // What the out-of-line call machinery decided.
                    macro_rules! called {
                        ($outcome:expr, $slots:expr, $units:expr) => {
                            match $outcome {
                                calls::Outcome::Value(value) => {
                                    sp = calls::finish(Stack::new(sp), $slots, value).as_ptr();
                                    check_breaker!();
                                    next!($units)
                                }
                                calls::Outcome::Frame(new) => {
                                    sp = sp.sub($slots);
                                    enter_call!(new, $units)
                                }
                                calls::Outcome::Error => error!(),
                            }
                        };
                    }

                    // A body out of line: takes the stack, gives the stack.
                    macro_rules! step {
                        ($body:path) => {
                            step!($body, 1)
                        };
                        ($body:path, $units:expr) => {{
                            save!();
                            sp = attempt!($body(vm, frame, Stack::new(sp), oparg)).as_ptr();
                            next!($units)
                        }};
                    }
                    // Goes to another arm for the same instruction.
                    macro_rules! deopt {
                        ($general:expr) => {{
                            opcode = $general;
                            continue 'next;
                        }};
                    }
                    macro_rules! guard {
                        ($condition:expr, $general:expr) => {
                            if !$condition {
                                deopt!($general)
                            }
                        };
                    }
                    // Counts down to the next attempt to specialise; true when it is due.
                    macro_rules! adapt {
                        ($specialise:expr) => {{
                            if cache::count_down(ip) && cache::may_specialise(ip) {
                                save!();
                                $specialise;
                                opcode = (*ip).opcode();
                                continue 'next;
                            }
                        }};
                    }
                    macro_rules! int_op {
                            ($operator:tt) => {{
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::int_type()
                                        && right.type_ptr() == raw::int_type(),
                                    Opcode::BinaryOp
                                );
                                let Some(a) = raw::compact_int(left) else { deopt!(Opcode::BinaryOp) };
                                let Some(b) = raw::compact_int(right) else { deopt!(Opcode::BinaryOp) };
                                let value = a $operator b;
                                raw::close_compact_int(left);
                                raw::close_compact_int(right);
                                sp = raw::lower::<1>(sp);
                                peek!(1) = StackRef::owned(crate::builtins::int::Int::from_i64(value, vm));
                                next!(6)
                            }};
                        }
                    macro_rules! float_op {
                            ($operator:tt) => {{
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::float_type()
                                        && right.type_ptr() == raw::float_type(),
                                    Opcode::BinaryOp
                                );
                                let value = raw::float_value(left) $operator raw::float_value(right);
                                sp = raw::lower::<1>(sp);
                                // A temporary that nobody else knows becomes the result.
                                let result = if left.is_unique() {
                                    let result = raw::float_into(left, value, vm);
                                    raw::close_float(right);
                                    result
                                } else {
                                    let result = raw::float_into(right, value, vm);
                                    raw::close_float(left);
                                    result
                                };
                                peek!(1) = result;
                                next!(6)
                            }};
                        }
                    // After a callback: a trace function may have moved the frame elsewhere.
                    macro_rules! moved {
                        () => {
                            if (*frame).instr_ptr != ip {
                                ip = (*frame).instr_ptr;
                                sp = (*frame).stackpointer;
                                fetch!();
                            }
                        };
                    }
                    // A jump that is watched.
                    macro_rules! fire_jump {
                        ($from:expr, $to:expr, $event:expr) => {{
                            let target = $to;
                            save!();
                            (*frame).stackpointer = sp;
                            let reached = attempt!(instructions::jump(vm, frame, $from, target, $event));
                            if reached != target {
                                sp = (*frame).stackpointer;
                            }
                            ip = reached;
                            fetch!();
                        }};
                    }
                    macro_rules! jump_if {
                        ($condition:expr) => {{
                            if $condition {
                                next!(2 + oparg)
                            }
                            // Behind the cache stands NOT_TAKEN, which does nothing.
                            if (*ip.add(2)).opcode() == Opcode::NotTaken {
                                next!(3)
                            }
                            next!(2)
                        }};
                    }
                    // Replaces the topmost slot, which has been moved away, by a truth value; when a branch follows, takes
                    // it at once.
                    macro_rules! finish_test {
                        ($truth:expr, $units:expr) => {{
                            let truth: bool = $truth;
                            ip = ip.add($units);
                            let branch = *ip;
                            let jump = match branch.opcode() {
                                Opcode::PopJumpIfFalse => !truth,
                                Opcode::PopJumpIfTrue => truth,
                                _ => {
                                    peek!(1) = raw::bool_slot(truth, vm);
                                    fetch!();
                                }
                            };
                            sp = raw::lower::<1>(sp);
                            oparg = branch.oparg() as usize;
                            jump_if!(jump)
                        }};
                    }

                    match opcode {
                        // ---- locals and constants ----
                        Opcode::Nop | Opcode::NotTaken => next!(1),
                        Opcode::Resume | Opcode::ResumeCheck => {
                            if vm.eval_breaker.load(Ordering::Relaxed)
                                != InterpreterFrame::code(frame).instrumentation_version()
                            {
                                save!();
                                if attempt!(instrument::check(vm, frame)) {
                                    opcode = (*ip).opcode();
                                    continue 'next;
                                }
                            }
                            next!(1)
                        }
                        Opcode::LoadFastBorrow => {
                            push!(local!(oparg).borrow());
                            next!(1)
                        }
                        Opcode::LoadFastBorrowLoadFastBorrow => {
                            let (first, second) = (oparg >> 4, oparg & 15);
                            push!(local!(first).borrow());
                            push!(local!(second).borrow());
                            next!(1)
                        }
                        Opcode::LoadFast => {
                            push!(local!(oparg).dup());
                            next!(1)
                        }
                        Opcode::LoadFastLoadFast => {
                            let (first, second) = (oparg >> 4, oparg & 15);
                            push!(local!(first).dup());
                            push!(local!(second).dup());
                            next!(1)
                        }
                        Opcode::LoadFastCheck => {
                            let value = local!(oparg);
                            if value.is_null() {
                                save!();
                                names::raise_unbound_local(frame, oparg, vm);
                                error!()
                            }
                            push!(value.dup());
                            next!(1)
                        }
                        Opcode::LoadFastAndClear => {
                            let value = local!(oparg);
                            local!(oparg) = StackRef::NULL;
                            push!(value);
                            next!(1)
                        }
                        Opcode::LoadConst | Opcode::LoadConstMortal | Opcode::LoadConstImmortal => {
                            push!(StackRef::borrowed(InterpreterFrame::code(frame).const_at(oparg)));
                            next!(1)
                        }
                        Opcode::LoadSmallInt => {
                            push!(raw::small_int(oparg));
                            next!(1)
                        }
                        Opcode::StoreFast => {
                            let value = pop!();
                            let old = local!(oparg);
                            local!(oparg) = value;
                            old.xclose();
                            next!(1)
                        }
                        Opcode::StoreFastLoadFast => {
                            let (store, load) = (oparg >> 4, oparg & 15);
                            let value = pop!();
                            let old = local!(store);
                            local!(store) = value;
                            push!(local!(load).dup());
                            old.xclose();
                            next!(1)
                        }
                        Opcode::StoreFastStoreFast => {
                            let (first, second) = (oparg >> 4, oparg & 15);
                            let (value1, value2) = (peek!(1), peek!(2));
                            sp = raw::lower::<2>(sp);
                            let old1 = local!(first);
                            local!(first) = value1;
                            old1.xclose();
                            let old2 = local!(second);
                            local!(second) = value2;
                            old2.xclose();
                            next!(1)
                        }
                        Opcode::DeleteFast => {
                            let old = local!(oparg);
                            if old.is_null() {
                                save!();
                                names::raise_unbound_local(frame, oparg, vm);
                                error!()
                            }
                            local!(oparg) = StackRef::NULL;
                            old.close();
                            next!(1)
                        }
                        Opcode::PopTop | Opcode::PopIter | Opcode::EndFor => {
                            let value = pop!();
                            value.close();
                            next!(1)
                        }
                        Opcode::PushNull => {
                            push!(StackRef::NULL);
                            next!(1)
                        }
                        Opcode::Copy => {
                            let value = peek!(oparg);
                            push!(if value.is_null() { value } else { value.dup() });
                            next!(1)
                        }
                        Opcode::Swap => {
                            std::ptr::swap(sp.sub(1), sp.sub(oparg));
                            next!(1)
                        }
                        Opcode::ExtendedArg => {
                            ip = ip.add(1);
                            let unit = *ip;
                            opcode = unit.opcode();
                            oparg = (oparg << 8) | unit.oparg() as usize;
                            continue 'next;
                        }

                        // ---- cells ----
                        Opcode::LoadDeref => {
                            let cell = local!(oparg).ptr().cast::<PyCell>();
                            match (*cell).contents.get() {
                                Some(value) => push!(StackRef::owned(value)),
                                None => {
                                    save!();
                                    names::raise_unbound_deref(frame, oparg, vm);
                                    error!()
                                }
                            }
                            next!(1)
                        }
                        Opcode::StoreDeref => {
                            let value = pop!().into_ref();
                            let cell = local!(oparg).ptr().cast::<PyCell>();
                            (*cell).contents.set(Some(value));
                            next!(1)
                        }
                        Opcode::DeleteDeref => {
                            let cell = local!(oparg).ptr().cast::<PyCell>();
                            match (*cell).contents.take() {
                                Some(old) => drop(old),
                                None => {
                                    save!();
                                    names::raise_unbound_deref(frame, oparg, vm);
                                    error!()
                                }
                            }
                            next!(1)
                        }
                        Opcode::MakeCell => {
                            let initial = local!(oparg);
                            let initial = if initial.is_null() { None } else { Some(initial.into_ref()) };
                            local!(oparg) = StackRef::owned(PyCell::create(initial, vm).into_object());
                            next!(1)
                        }
                        Opcode::CopyFreeVars => {
                            let code = InterpreterFrame::code(frame);
                            let closure = InterpreterFrame::function(frame).closure.as_raw();
                            let first = code.nlocalsplus() - oparg;
                            let items = raw::tuple_items(closure.cast());
                            for i in 0..oparg {
                                local!(first + i) = StackRef::owned((**items.add(i)).to_ref());
                            }
                            next!(1)
                        }
                        Opcode::LoadFromDictOrDeref => step!(names::load_from_dict_or_deref),
                        Opcode::LoadFromDictOrGlobals => step!(names::load_from_dict_or_globals),

                        // ---- names ----
                        Opcode::LoadName => step!(names::load_name),
                        Opcode::StoreName => step!(names::store_name),
                        Opcode::DeleteName => step!(names::delete_name),
                        Opcode::StoreGlobal => step!(names::store_global),
                        Opcode::DeleteGlobal => step!(names::delete_global),
                        Opcode::LoadLocals => step!(names::load_locals),
                        Opcode::LoadGlobal => {
                            adapt!(specialise::load_global(frame, ip, name_of(frame, oparg >> 1), vm));
                            save!();
                            let value = attempt!(names::global(frame, name_of(frame, oparg >> 1), vm));
                            push!(StackRef::owned(value));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!(5)
                        }
                        Opcode::LoadGlobalModule => {
                            let globals = &*(*frame).globals.cast::<Dict>();
                            let value = names::value_if_version(
                                globals,
                                u32::from(cache::u16_at(ip, 3)),
                                cache::u16_at(ip, 2),
                            );
                            let Some(value) = value else { deopt!(Opcode::LoadGlobal) };
                            push!(StackRef::owned(value.to_ref()));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!(5)
                        }
                        Opcode::LoadGlobalBuiltin => {
                            let globals = &*(*frame).globals.cast::<Dict>();
                            let builtins = &*(*frame).builtins.cast::<Dict>();
                            guard!(
                                globals.current_keys_version() == u32::from(cache::u16_at(ip, 3)),
                                Opcode::LoadGlobal
                            );
                            let value = names::value_if_version(
                                builtins,
                                u32::from(cache::u16_at(ip, 4)),
                                cache::u16_at(ip, 2),
                            );
                            let Some(value) = value else { deopt!(Opcode::LoadGlobal) };
                            push!(StackRef::owned(value.to_ref()));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!(5)
                        }
                        Opcode::LoadBuildClass => step!(names::load_build_class),
                        Opcode::LoadCommonConstant => step!(names::load_common_constant),

                        // ---- jumps ----
                        Opcode::JumpForward => next!(1 + oparg),
                        Opcode::JumpBackward | Opcode::JumpBackwardNoJit | Opcode::JumpBackwardJit => {
                            check_breaker!();
                            ip = ip.add(2).sub(oparg);
                            fetch!();
                        }
                        Opcode::JumpBackwardNoInterrupt => {
                            ip = ip.add(1).sub(oparg);
                            fetch!();
                        }
                        Opcode::PopJumpIfFalse => {
                            let value = pop!();
                            jump_if!(value.is(vm.false_ref()))
                        }
                        Opcode::PopJumpIfTrue => {
                            let value = pop!();
                            jump_if!(value.is(vm.true_ref()))
                        }
                        Opcode::PopJumpIfNone => {
                            let value = pop!();
                            let jump = value.is(vm.none_ref());
                            value.close();
                            jump_if!(jump)
                        }
                        Opcode::PopJumpIfNotNone => {
                            let value = pop!();
                            let jump = !value.is(vm.none_ref());
                            value.close();
                            jump_if!(jump)
                        }

                        // ---- truth, comparison, membership ----
                        Opcode::ToBool => {
                            adapt!(specialise::to_bool(ip, peek!(1), vm));
                            save!();
                            let truth = attempt!(peek!(1).object().is_true(vm));
                            peek!(1).close();
                            peek!(1) = raw::bool_slot(truth, vm);
                            next!(4)
                        }
                        Opcode::ToBoolBool => {
                            guard!(peek!(1).type_ptr() == raw::bool_type(), Opcode::ToBool);
                            next!(4)
                        }
                        Opcode::ToBoolInt => {
                            let value = peek!(1);
                            guard!(value.type_ptr() == raw::int_type(), Opcode::ToBool);
                            let truth = raw::compact_int(value) != Some(0);
                            value.close();
                            finish_test!(truth, 4)
                        }
                        Opcode::ToBoolList => {
                            let value = peek!(1);
                            guard!(value.type_ptr() == raw::list_type(), Opcode::ToBool);
                            let truth = raw::var_len(value.ptr()) != 0;
                            value.close();
                            finish_test!(truth, 4)
                        }
                        Opcode::ToBoolStr => {
                            let value = peek!(1);
                            guard!(value.type_ptr() == raw::str_type(), Opcode::ToBool);
                            // The length of a `str` lies where a var object has its size.
                            let truth = raw::var_len(value.ptr()) != 0;
                            value.close();
                            finish_test!(truth, 4)
                        }
                        Opcode::ToBoolNone => {
                            guard!(peek!(1).is(vm.none_ref()), Opcode::ToBool);
                            peek!(1) = raw::bool_slot(false, vm);
                            next!(4)
                        }
                        Opcode::ToBoolAlwaysTrue => {
                            let value = peek!(1);
                            guard!(
                                value.object().ob_type().tp_version_tag.get() == cache::u32_at(ip, 2),
                                Opcode::ToBool
                            );
                            value.close();
                            peek!(1) = raw::bool_slot(true, vm);
                            next!(4)
                        }
                        Opcode::UnaryNot => {
                            let truth = peek!(1).is(vm.false_ref());
                            peek!(1) = raw::bool_slot(truth, vm);
                            next!(1)
                        }
                        Opcode::UnaryNegative => step!(arithmetic::unary_negative),
                        Opcode::UnaryInvert => step!(arithmetic::unary_invert),
                        Opcode::IsOp => {
                            let (right, left) = (peek!(1), peek!(2));
                            let same = (left.ptr() == right.ptr()) != (oparg != 0);
                            sp = raw::lower::<1>(sp);
                            left.close();
                            right.close();
                            finish_test!(same, 1)
                        }
                        Opcode::ContainsOp => {
                            adapt!(specialise::contains_op(ip, peek!(1), vm));
                            step!(arithmetic::contains_op, 2)
                        }
                        Opcode::ContainsOpDict => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(right.type_ptr() == Dict::static_type(), Opcode::ContainsOp);
                            save!();
                            let found =
                                attempt!((*right.ptr().cast::<Dict>()).contains_key(left.object(), vm));
                            sp = raw::lower::<1>(sp);
                            left.close();
                            right.close();
                            finish_test!(found != (oparg != 0), 2)
                        }
                        Opcode::ContainsOpSet => step!(arithmetic::contains_op, 2),
                        Opcode::CompareOp => {
                            adapt!(specialise::compare_op(ip, peek!(2), peek!(1), oparg));
                            step!(arithmetic::compare_op, 2)
                        }
                        Opcode::CompareOpInt => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::int_type() && right.type_ptr() == raw::int_type(),
                                Opcode::CompareOp
                            );
                            let Some(a) = raw::compact_int(left) else { deopt!(Opcode::CompareOp) };
                            let Some(b) = raw::compact_int(right) else { deopt!(Opcode::CompareOp) };
                            // Bits: 2 less, 4 greater, 8 equal.
                            let outcome = if a < b { 2 } else { 4 << usize::from(a == b) };
                            raw::close_compact_int(left);
                            raw::close_compact_int(right);
                            sp = raw::lower::<1>(sp);
                            finish_test!(outcome & oparg != 0, 2)
                        }
                        Opcode::CompareOpFloat => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                raw::is_exact::<crate::builtins::float::Float>(left)
                                    && raw::is_exact::<crate::builtins::float::Float>(right),
                                Opcode::CompareOp
                            );
                            let (a, b) = (raw::float_value(left), raw::float_value(right));
                            let outcome = match a.partial_cmp(&b) {
                                None => 1,
                                Some(std::cmp::Ordering::Less) => 2,
                                Some(std::cmp::Ordering::Greater) => 4,
                                Some(std::cmp::Ordering::Equal) => 8,
                            };
                            raw::close_float(left);
                            raw::close_float(right);
                            sp = raw::lower::<1>(sp);
                            finish_test!(outcome & oparg != 0, 2)
                        }
                        Opcode::CompareOpStr => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::str_type() && right.type_ptr() == raw::str_type(),
                                Opcode::CompareOp
                            );
                            let equal = Str::equal(left.object().cast(), right.object().cast());
                            let outcome = if equal { 8 } else { 7 };
                            left.close();
                            right.close();
                            sp = raw::lower::<1>(sp);
                            finish_test!(outcome & oparg != 0, 2)
                        }

                        // ---- binary operators ----
                        Opcode::BinaryOp => {
                            adapt!(specialise::binary_op(ip, frame, peek!(2), peek!(1), oparg, vm));
                            step!(arithmetic::binary_op, 6)
                        }
                        Opcode::BinaryOpAddInt => int_op!(+),
                        Opcode::BinaryOpSubtractInt => int_op!(-),
                        Opcode::BinaryOpMultiplyInt => int_op!(*),
                        Opcode::BinaryOpAddFloat => float_op!(+),
                        Opcode::BinaryOpSubtractFloat => float_op!(-),
                        Opcode::BinaryOpMultiplyFloat => float_op!(*),
                        Opcode::BinaryOpExtend => {
                            match arithmetic::extended(cache::u64_at(ip, 2), oparg, peek!(2), peek!(1), vm) {
                                Some(result) => {
                                    peek!(1).close();
                                    peek!(2).close();
                                    sp = raw::lower::<1>(sp);
                                    peek!(1) = result;
                                    next!(6)
                                }
                                None => deopt!(Opcode::BinaryOp),
                            }
                        }
                        Opcode::BinaryOpAddUnicode => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::str_type() && right.type_ptr() == raw::str_type(),
                                Opcode::BinaryOp
                            );
                            save!();
                            let value = attempt!(arithmetic::concat(left, right, vm));
                            sp = raw::lower::<1>(sp);
                            peek!(1) = StackRef::owned(value);
                            left.close();
                            right.close();
                            next!(6)
                        }
                        Opcode::BinaryOpInplaceAddUnicode => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::str_type() && right.type_ptr() == raw::str_type(),
                                Opcode::BinaryOp
                            );
                            // `x = x + y`: the local gives its reference up first, so that the string may grow in
                            // place.
                            let store = *ip.add(6);
                            guard!(store.opcode() == Opcode::StoreFast, Opcode::BinaryOp);
                            let target = store.oparg() as usize;
                            guard!(local!(target).ptr() == left.ptr(), Opcode::BinaryOp);
                            save!();
                            let owned = left.into_ref();
                            let old = local!(target);
                            local!(target) = StackRef::NULL;
                            sp = raw::lower::<1>(sp);
                            old.close();
                            let result = arithmetic::append_str(owned, right.object().cast(), vm);
                            right.close();
                            sp = raw::lower::<1>(sp);
                            local!(target) = StackRef::owned(attempt!(result));
                            next!(7)
                        }
                        Opcode::BinaryOpSubscrListInt => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::list_type() && right.type_ptr() == raw::int_type(),
                                Opcode::BinaryOp
                            );
                            let Some(index) = raw::small_index(right) else { deopt!(Opcode::BinaryOp) };
                            guard!(index < raw::var_len(left.ptr()), Opcode::BinaryOp);
                            let item = (**raw::list_items(left.ptr()).add(index)).to_ref();
                            sp = raw::lower::<1>(sp);
                            peek!(1) = StackRef::owned(item);
                            raw::close_compact_int(right);
                            left.close();
                            next!(6)
                        }
                        Opcode::BinaryOpSubscrTupleInt => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::tuple_type() && right.type_ptr() == raw::int_type(),
                                Opcode::BinaryOp
                            );
                            let Some(index) = raw::small_index(right) else { deopt!(Opcode::BinaryOp) };
                            guard!(index < raw::var_len(left.ptr()), Opcode::BinaryOp);
                            let item = (**raw::tuple_items(left.ptr()).add(index)).to_ref();
                            sp = raw::lower::<1>(sp);
                            peek!(1) = StackRef::owned(item);
                            raw::close_compact_int(right);
                            left.close();
                            next!(6)
                        }
                        Opcode::BinaryOpSubscrStrInt => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(
                                left.type_ptr() == raw::str_type() && right.type_ptr() == raw::int_type(),
                                Opcode::BinaryOp
                            );
                            let Some(index) = raw::small_index(right) else { deopt!(Opcode::BinaryOp) };
                            let Some(point) = left.object().cast::<Str>().char_at(index) else {
                                deopt!(Opcode::BinaryOp)
                            };
                            sp = raw::lower::<1>(sp);
                            peek!(1) = StackRef::owned(Str::from_char(point, vm).into_object());
                            raw::close_compact_int(right);
                            left.close();
                            next!(6)
                        }
                        Opcode::BinaryOpSubscrDict => {
                            let (right, left) = (peek!(1), peek!(2));
                            guard!(left.type_ptr() == Dict::static_type(), Opcode::BinaryOp);
                            save!();
                            let value =
                                match attempt!((*left.ptr().cast::<Dict>()).get_item(right.object(), vm)) {
                                    Some(value) => value,
                                    None => {
                                        vm.key_error(right.object());
                                        error!()
                                    }
                                };
                            sp = raw::lower::<1>(sp);
                            peek!(1) = StackRef::owned(value);
                            left.close();
                            right.close();
                            next!(6)
                        }
                        Opcode::BinaryOpSubscrListSlice => step!(arithmetic::binary_op, 6),
                        Opcode::BinaryOpSubscrGetitem => {
                            let left = peek!(2);
                            let Some(function) = specialise::cached_getitem(left, vm) else {
                                deopt!(Opcode::BinaryOp)
                            };
                            let new = calls::push_exact(function, sp.sub(2), 2, frame, vm);
                            if new.is_null() {
                                error!()
                            }
                            sp = raw::lower::<2>(sp);
                            enter_call!(new, 6)
                        }
                        Opcode::BinarySlice => step!(collections::binary_slice),
                        Opcode::StoreSlice => step!(collections::store_slice),
                        Opcode::StoreSubscr => {
                            adapt!(specialise::store_subscr(ip, peek!(2), peek!(1)));
                            step!(collections::store_subscr, 2)
                        }
                        Opcode::StoreSubscrListInt => {
                            // value, list, index
                            let (index, list) = (peek!(1), peek!(2));
                            guard!(
                                list.type_ptr() == raw::list_type() && index.type_ptr() == raw::int_type(),
                                Opcode::StoreSubscr
                            );
                            let Some(i) = raw::small_index(index) else { deopt!(Opcode::StoreSubscr) };
                            guard!(i < raw::var_len(list.ptr()), Opcode::StoreSubscr);
                            let place = raw::list_items(list.ptr()).add(i);
                            let old = std::mem::replace(&mut *place, peek!(3).into_ref().into_raw());
                            sp = raw::lower::<3>(sp);
                            taipan_object::object::decref(old);
                            raw::close_compact_int(index);
                            list.close();
                            next!(2)
                        }
                        Opcode::StoreSubscrDict => {
                            let dict = peek!(2);
                            guard!(dict.type_ptr() == Dict::static_type(), Opcode::StoreSubscr);
                            save!();
                            attempt!((*dict.ptr().cast::<Dict>()).set_item(
                                peek!(1).object(),
                                peek!(3).object(),
                                vm
                            ));
                            sp = Stack::new(sp).drop(3).as_ptr();
                            next!(2)
                        }
                        Opcode::DeleteSubscr => step!(collections::delete_subscr),

                        // ---- attributes ----
                        Opcode::LoadAttr => {
                            let name = name_of(frame, oparg >> 1);
                            adapt!(specialise::load_attr(ip, peek!(1), name, oparg & 1 != 0, vm));
                            step!(attributes::load_attr, 10)
                        }
                        Opcode::LoadAttrInstanceValue => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            let Some(value) = attributes::inline_value(owner.object(), cache::u16_at(ip, 4))
                            else {
                                deopt!(Opcode::LoadAttr)
                            };
                            peek!(1) = StackRef::owned(value.to_ref());
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrModule => {
                            let owner = peek!(1);
                            let Some(dict) = attributes::module_dict(owner) else { deopt!(Opcode::LoadAttr) };
                            let Some(value) =
                                names::value_if_version(dict, cache::u32_at(ip, 2), cache::u16_at(ip, 4))
                            else {
                                deopt!(Opcode::LoadAttr)
                            };
                            peek!(1) = StackRef::owned(value.to_ref());
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrWithHint => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            let name = name_of(frame, oparg >> 1);
                            let Some(value) =
                                attributes::dict_value(owner.object(), name, cache::u16_at(ip, 4))
                            else {
                                deopt!(Opcode::LoadAttr)
                            };
                            peek!(1) = StackRef::owned(value.to_ref());
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrSlot => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            let offset = cache::u16_at(ip, 4) as usize;
                            let value = owner.ptr().cast::<u8>().add(offset).cast::<*mut Object>().read();
                            guard!(!value.is_null(), Opcode::LoadAttr);
                            peek!(1) = StackRef::owned((*value).to_ref());
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrClass | Opcode::LoadAttrClassWithMetaclassCheck => {
                            let owner = peek!(1);
                            let Some(tp) = owner.object().downcast_ref::<Type>() else {
                                deopt!(Opcode::LoadAttr)
                            };
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            if opcode == Opcode::LoadAttrClassWithMetaclassCheck {
                                let meta = owner.object().ob_type();
                                guard!(meta.tp_version_tag.get() == cache::u32_at(ip, 4), Opcode::LoadAttr);
                            }
                            let value = cache::object_at(ip, 6);
                            peek!(1) = StackRef::owned(value.to_ref());
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrMethodWithValues
                        | Opcode::LoadAttrMethodNoDict
                        | Opcode::LoadAttrMethodLazyDict => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            if opcode == Opcode::LoadAttrMethodWithValues {
                                guard!(
                                    attributes::inline_keys_unchanged(owner.object(), cache::u32_at(ip, 4)),
                                    Opcode::LoadAttr
                                );
                            } else if opcode == Opcode::LoadAttrMethodLazyDict {
                                let offset = cache::u16_at(ip, 4) as i16 as isize;
                                let dict =
                                    owner.ptr().cast::<u8>().offset(offset).cast::<*mut Object>().read();
                                guard!(dict.is_null(), Opcode::LoadAttr);
                            }
                            // A method found in a type whose version hasn't changed is alive.
                            peek!(1) = StackRef::owned(cache::object_at(ip, 6).to_ref());
                            push!(owner);
                            next!(10)
                        }
                        Opcode::LoadAttrNondescriptorWithValues | Opcode::LoadAttrNondescriptorNoDict => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            if opcode == Opcode::LoadAttrNondescriptorWithValues {
                                guard!(
                                    attributes::inline_keys_unchanged(owner.object(), cache::u32_at(ip, 4)),
                                    Opcode::LoadAttr
                                );
                            }
                            peek!(1) = StackRef::owned(cache::object_at(ip, 6).to_ref());
                            owner.close();
                            next!(10)
                        }
                        Opcode::LoadAttrProperty => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            let function = cache::object_at(ip, 6).cast::<Function>();
                            guard!(function.version.get() == cache::u32_at(ip, 4), Opcode::LoadAttr);
                            let new = calls::push_exact(function, sp.sub(1), 1, frame, vm);
                            if new.is_null() {
                                error!()
                            }
                            sp = raw::lower::<1>(sp);
                            enter_call!(new, 10)
                        }
                        Opcode::LoadAttrGetattributeOverridden => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::LoadAttr);
                            let function = cache::object_at(ip, 6);
                            *sp = StackRef::borrowed(name_of(frame, oparg >> 1).as_object());
                            let new = calls::push_exact(function.cast::<Function>(), sp.sub(1), 2, frame, vm);
                            if new.is_null() {
                                error!()
                            }
                            sp = raw::lower::<1>(sp);
                            enter_call!(new, 10)
                        }
                        Opcode::StoreAttr => {
                            let name = name_of(frame, oparg);
                            adapt!(specialise::store_attr(ip, peek!(1), name, vm));
                            step!(attributes::store_attr, 5)
                        }
                        Opcode::StoreAttrInstanceValue => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::StoreAttr);
                            guard!(
                                attributes::store_inline_value(
                                    owner.object(),
                                    cache::u16_at(ip, 4),
                                    sp.sub(2)
                                ),
                                Opcode::StoreAttr
                            );
                            sp = raw::lower::<2>(sp);
                            owner.close();
                            next!(5)
                        }
                        Opcode::StoreAttrSlot => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::StoreAttr);
                            let offset = cache::u16_at(ip, 4) as usize;
                            let place = owner.ptr().cast::<u8>().add(offset).cast::<*mut Object>();
                            let old = place.replace(peek!(2).into_ref().into_raw());
                            sp = raw::lower::<2>(sp);
                            taipan_object::object::xdecref(old);
                            owner.close();
                            next!(5)
                        }
                        Opcode::StoreAttrWithHint => {
                            let owner = peek!(1);
                            let tp = owner.object().ob_type();
                            guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), Opcode::StoreAttr);
                            save!();
                            step!(attributes::store_attr, 5)
                        }
                        Opcode::DeleteAttr => step!(attributes::delete_attr),
                        Opcode::LoadSuperAttr => {
                            adapt!(specialise::load_super_attr(ip, peek!(3), peek!(2), oparg & 1 != 0));
                            step!(attributes::load_super_attr, 2)
                        }
                        Opcode::LoadSuperAttrAttr | Opcode::LoadSuperAttrMethod => {
                            step!(attributes::load_super_attr, 2)
                        }
                        Opcode::LoadSpecial => step!(attributes::load_special),

                        // ---- calls ----
                        Opcode::Call => {
                            adapt!(specialise::call(ip, sp, oparg, vm));
                            save!();
                            called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                        }
                        Opcode::CallPyExactArgs => {
                            let callable = peek!(oparg + 2);
                            guard!(
                                callable.type_ptr() == Function::static_type()
                                    && (*callable.ptr().cast::<Function>()).version.get()
                                        == cache::u32_at(ip, 2),
                                Opcode::Call
                            );
                            let has_self = usize::from(!peek!(oparg + 1).is_null());
                            let code = (*callable.ptr().cast::<Function>()).code();
                            let count = oparg + has_self;
                            let new =
                                frame::push_frame(callable, code, std::ptr::null_mut(), frame, count, vm);
                            if new.is_null() {
                                error!()
                            }
                            frame::move_arguments(sp.sub(count), count, new, 0);
                            sp = sp.sub(oparg + 2);
                            enter_call!(new, 4)
                        }
                        Opcode::CallBoundMethodExactArgs => {
                            let callable = peek!(oparg + 2);
                            guard!(
                                peek!(oparg + 1).is_null() && callable.type_ptr() == Method::static_type(),
                                Opcode::Call
                            );
                            let Some(function) =
                                calls::method_function(callable.object(), cache::u32_at(ip, 2))
                            else {
                                deopt!(Opcode::Call)
                            };
                            let receiver = calls::method_self(callable.object());
                            let count = oparg + 1;
                            let new = frame::push_frame(
                                StackRef::owned(function.as_object().to_ref()),
                                function.code(),
                                std::ptr::null_mut(),
                                frame,
                                count,
                                vm,
                            );
                            if new.is_null() {
                                error!()
                            }
                            *InterpreterFrame::locals_ptr(new) = StackRef::owned(receiver.to_ref());
                            frame::move_arguments(sp.sub(oparg), oparg, new, 1);
                            sp = sp.sub(oparg + 2);
                            callable.close();
                            enter_call!(new, 4)
                        }
                        Opcode::CallPyGeneral | Opcode::CallBoundMethodGeneral => {
                            save!();
                            called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                        }
                        Opcode::CallNonPyGeneral => {
                            save!();
                            called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                        }
                        Opcode::CallType1 => {
                            guard!(
                                oparg == 1
                                    && peek!(2).is_null()
                                    && peek!(3).is(&*Type::static_type().cast::<Object>()),
                                Opcode::Call
                            );
                            let arg = peek!(1);
                            let tp = arg.object().ob_type().as_object().to_ref();
                            sp = raw::lower::<2>(sp);
                            peek!(1) = StackRef::owned(tp);
                            arg.close();
                            next!(4)
                        }
                        Opcode::CallStr1 => {
                            guard!(
                                oparg == 1
                                    && peek!(2).is_null()
                                    && peek!(3).is(Str::type_object().as_object()),
                                Opcode::Call
                            );
                            save!();
                            let arg = peek!(1);
                            let value = attempt!(arg.object().str(vm));
                            sp = raw::lower::<2>(sp);
                            peek!(1) = StackRef::owned(value.into_object());
                            arg.close();
                            next!(4)
                        }
                        Opcode::CallTuple1 => {
                            guard!(
                                oparg == 1
                                    && peek!(2).is_null()
                                    && peek!(3).is(Tuple::type_object().as_object()),
                                Opcode::Call
                            );
                            save!();
                            let arg = peek!(1);
                            let value = attempt!(collections::tuple_from(arg.object(), vm));
                            sp = raw::lower::<2>(sp);
                            peek!(1) = StackRef::owned(value);
                            arg.close();
                            next!(4)
                        }
                        Opcode::CallLen => {
                            guard!(
                                oparg == 1 && peek!(2).is_null() && specialise::is_len(peek!(3), vm),
                                Opcode::Call
                            );
                            save!();
                            let arg = peek!(1);
                            let length = attempt!(arg.object().length(vm));
                            let callable = peek!(3);
                            sp = raw::lower::<2>(sp);
                            peek!(1) = StackRef::owned(vm.new_int(length));
                            arg.close();
                            callable.close();
                            next!(4)
                        }
                        Opcode::CallIsinstance => {
                            guard!(
                                oparg == 2 && peek!(3).is_null() && specialise::is_isinstance(peek!(4), vm),
                                Opcode::Call
                            );
                            save!();
                            let (class, object) = (peek!(1), peek!(2));
                            let truth = attempt!(object.object().is_instance(class.object(), vm));
                            sp = Stack::new(sp).drop(4).as_ptr();
                            push!(raw::bool_slot(truth, vm));
                            next!(4)
                        }
                        Opcode::CallListAppend => {
                            let list = peek!(2);
                            guard!(
                                oparg == 1
                                    && !list.is_null()
                                    && list.type_ptr() == raw::list_type()
                                    && specialise::is_list_append(peek!(3), vm),
                                Opcode::Call
                            );
                            let item = peek!(1).into_ref();
                            (*list.ptr().cast::<List>()).append(item);
                            let callable = peek!(3);
                            sp = raw::lower::<3>(sp);
                            list.close();
                            callable.close();
                            // The result, `None`, would be popped by the next instruction.
                            if (*ip.add(4)).opcode() == Opcode::PopTop {
                                next!(5)
                            }
                            push!(StackRef::borrowed(vm.none_ref()));
                            next!(4)
                        }
                        Opcode::CallBuiltinO => {
                            let callable = peek!(oparg + 2);
                            guard!(!callable.is_null(), Opcode::Call);
                            save!();
                            match calls::builtin_o(callable, sp, oparg, vm) {
                                Some(result) => {
                                    let value = attempt!(result);
                                    sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                    check_breaker!();
                                    next!(4)
                                }
                                None => deopt!(Opcode::Call),
                            }
                        }
                        Opcode::CallBuiltinFast | Opcode::CallBuiltinFastWithKeywords => {
                            save!();
                            match calls::builtin_fast(peek!(oparg + 2), sp, oparg, vm) {
                                Some(result) => {
                                    let value = attempt!(result);
                                    sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                    check_breaker!();
                                    next!(4)
                                }
                                None => deopt!(Opcode::Call),
                            }
                        }
                        Opcode::CallMethodDescriptorO
                        | Opcode::CallMethodDescriptorNoargs
                        | Opcode::CallMethodDescriptorFast
                        | Opcode::CallMethodDescriptorFastWithKeywords => {
                            save!();
                            match calls::method_descriptor(peek!(oparg + 2), sp, oparg, vm) {
                                Some(result) => {
                                    let value = attempt!(result);
                                    sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                    check_breaker!();
                                    next!(4)
                                }
                                None => deopt!(Opcode::Call),
                            }
                        }
                        Opcode::CallBuiltinClass => {
                            save!();
                            match calls::builtin_class(peek!(oparg + 2), sp, oparg, vm) {
                                Some(result) => {
                                    let value = attempt!(result);
                                    sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                    next!(4)
                                }
                                None => deopt!(Opcode::Call),
                            }
                        }
                        Opcode::CallAllocAndEnterInit => {
                            guard!(peek!(oparg + 1).is_null(), Opcode::Call);
                            save!();
                            match calls::enter_init(frame, sp, oparg, cache::u32_at(ip, 2), vm) {
                                calls::Init::Frame(new) => {
                                    sp = sp.sub(oparg + 2);
                                    // Two frames were pushed: the shim that gives the instance, and __init__'s.
                                    let remaining = vm.py_recursion_remaining.get();
                                    vm.py_recursion_remaining.set(remaining.wrapping_sub(1));
                                    enter_call!(new, 4)
                                }
                                calls::Init::Guard => deopt!(Opcode::Call),
                                calls::Init::Error => error!(),
                            }
                        }
                        Opcode::ExitInitCheck => {
                            let value = peek!(1);
                            if !value.is(vm.none_ref()) {
                                calls::raise_init_result(value.object(), vm);
                                error!()
                            }
                            sp = raw::lower::<1>(sp);
                            next!(1)
                        }
                        Opcode::CallKw => {
                            save!();
                            called!(calls::call_kw(vm, frame, Stack::new(sp), oparg), oparg + 3, 4)
                        }
                        Opcode::CallKwPy | Opcode::CallKwBoundMethod | Opcode::CallKwNonPy => {
                            save!();
                            called!(calls::call_kw(vm, frame, Stack::new(sp), oparg), oparg + 3, 4)
                        }
                        Opcode::CallFunctionEx => {
                            save!();
                            called!(calls::call_function_ex(vm, frame, Stack::new(sp)), 4, 1)
                        }
                        Opcode::MakeFunction => step!(classes::make_function),
                        Opcode::SetFunctionAttribute => step!(classes::set_function_attribute),
                        Opcode::CallIntrinsic1 => step!(intrinsics::call_1),
                        Opcode::CallIntrinsic2 => step!(intrinsics::call_2),

                        // ---- returning and generators ----
                        Opcode::ReturnValue => {
                            let value = pop!().heap_safe();
                            // A frame object that outlives the call shows the line of the return.
                            save!();
                            (*frame).stackpointer = sp;
                            let dying = frame;
                            frame = (*dying).previous;
                            vm.current_frame.set(frame);
                            vm.py_recursion_remaining.set(vm.py_recursion_remaining.get().wrapping_add(1));
                            finish_frame(dying, vm);
                            if dying == entry {
                                return Ok(value.into_ref());
                            }
                            sp = (*frame).stackpointer;
                            push!(value);
                            ip = (*frame).instr_ptr.add((*frame).return_offset as usize);
                            fetch!();
                        }
                        Opcode::ReturnGenerator => {
                            (*frame).instr_ptr = ip.add(1);
                            (*frame).stackpointer = sp;
                            let made = generator::from_frame(frame, vm);
                            let dying = frame;
                            frame = (*dying).previous;
                            vm.current_frame.set(frame);
                            vm.py_recursion_remaining.set(vm.py_recursion_remaining.get().wrapping_add(1));
                            frame::pop_frame(dying, vm);
                            if dying == entry {
                                return Ok(made);
                            }
                            sp = (*frame).stackpointer;
                            push!(StackRef::owned(made));
                            ip = (*frame).instr_ptr.add((*frame).return_offset as usize);
                            fetch!();
                        }
                        Opcode::YieldValue => {
                            let value = pop!().heap_safe();
                            (*frame).instr_ptr = ip.add(1);
                            (*frame).stackpointer = sp;
                            let suspended = frame;
                            generator::suspend(suspended, oparg, vm);
                            frame = (*suspended).previous;
                            (*suspended).previous = std::ptr::null_mut();
                            vm.current_frame.set(frame);
                            vm.py_recursion_remaining.set(vm.py_recursion_remaining.get().wrapping_add(1));
                            if suspended == entry {
                                (*suspended).is_entry = 0;
                                return Ok(value.into_ref());
                            }
                            sp = (*frame).stackpointer;
                            push!(value);
                            // Both SEND and FOR_ITER have one cache unit.
                            ip = (*frame).instr_ptr.add(2);
                            fetch!();
                        }
                        Opcode::Send => {
                            adapt!(specialise::send(ip, peek!(2)));
                            let receiver = peek!(2);
                            if let Some(new) = generator::resumable(receiver.object()) {
                                let value = pop!().heap_safe();
                                generator::resume_with(new, value, vm);
                                let inner = Generator::frame(new);
                                (*inner).previous = frame;
                                enter_call!(inner, 2 + oparg)
                            }
                            save!();
                            match attempt!(generators::send(receiver.object(), peek!(1).object(), vm)) {
                                SendResult::Next(value) => {
                                    peek!(1).close();
                                    peek!(1) = StackRef::owned(value);
                                    next!(2)
                                }
                                SendResult::Return(value) => {
                                    peek!(1).close();
                                    peek!(1) = StackRef::owned(value);
                                    next!(2 + oparg)
                                }
                            }
                        }
                        Opcode::SendGen => {
                            let Some(new) = generator::resumable(peek!(2).object()) else {
                                deopt!(Opcode::Send)
                            };
                            let value = pop!().heap_safe();
                            generator::resume_with(new, value, vm);
                            let inner = Generator::frame(new);
                            (*inner).previous = frame;
                            enter_call!(inner, 2 + oparg)
                        }
                        Opcode::EndSend => {
                            let value = pop!();
                            let receiver = peek!(1);
                            peek!(1) = value;
                            receiver.close();
                            next!(1)
                        }
                        Opcode::GetAwaitable => step!(asynchronous::get_awaitable),
                        Opcode::GetAiter => step!(asynchronous::get_aiter),
                        Opcode::GetAnext => step!(asynchronous::get_anext),
                        Opcode::GetYieldFromIter => step!(generators::get_yield_from_iter),
                        Opcode::EndAsyncFor => {
                            if exceptions::is_stop_async_iteration(peek!(1).object()) {
                                sp = Stack::new(sp).drop(2).as_ptr();
                                next!(1)
                            }
                            let exception = pop!();
                            unwind::restore(exception, vm);
                            pop!().close();
                            save!();
                            break 'run Leave::Reraise;
                        }
                        Opcode::CleanupThrow => {
                            // sub-iterator, last value sent, exception
                            let exception = peek!(1);
                            if let Some(value) = exceptions::stop_iteration_value(exception.object(), vm) {
                                sp = Stack::new(sp).drop(3).as_ptr();
                                push!(StackRef::borrowed(vm.none_ref()));
                                push!(StackRef::owned(value));
                                next!(1)
                            }
                            sp = raw::lower::<1>(sp);
                            unwind::restore(exception, vm);
                            save!();
                            break 'run Leave::Reraise;
                        }

                        // ---- iteration ----
                        Opcode::GetIter => step!(iteration::get_iter),
                        Opcode::ForIter => {
                            adapt!(specialise::for_iter(ip, peek!(1), oparg));
                            save!();
                            let iterator = peek!(1);
                            match iteration::advance(iterator.object(), vm) {
                                Next::Item(value) => {
                                    push!(StackRef::owned(value));
                                    next!(2)
                                }
                                // Behind the loop stands END_FOR, which there is nothing for.
                                Next::End => next!(2 + oparg + 1),
                                Next::Error => error!(),
                            }
                        }
                        Opcode::ForIterList => {
                            let iterator = peek!(1);
                            guard!(iteration::is_list_iterator(iterator), Opcode::ForIter);
                            match iteration::next_of_list(iterator) {
                                Some(value) => {
                                    push!(value);
                                    next!(2)
                                }
                                None => next!(2 + oparg + 1),
                            }
                        }
                        Opcode::ForIterTuple => {
                            let iterator = peek!(1);
                            guard!(iteration::is_tuple_iterator(iterator), Opcode::ForIter);
                            match iteration::next_of_tuple(iterator) {
                                Some(value) => {
                                    push!(value);
                                    next!(2)
                                }
                                None => next!(2 + oparg + 1),
                            }
                        }
                        Opcode::ForIterRange => {
                            let iterator = peek!(1);
                            guard!(iteration::is_range_iterator(iterator), Opcode::ForIter);
                            match iteration::next_of_range(iterator) {
                                Some(value) => {
                                    push!(StackRef::owned(crate::builtins::int::Int::from_i64(value, vm)));
                                    next!(2)
                                }
                                None => next!(2 + oparg + 1),
                            }
                        }
                        Opcode::ForIterGen => {
                            let iterator = peek!(1);
                            guard!(iterator.type_ptr() == Generator::static_type(), Opcode::ForIter);
                            let Some(new) = generator::resumable(iterator.object()) else {
                                deopt!(Opcode::ForIter)
                            };
                            generator::resume_with(new, StackRef::borrowed(vm.none_ref()), vm);
                            let inner = Generator::frame(new);
                            (*inner).previous = frame;
                            enter_call!(inner, 2 + oparg)
                        }
                        Opcode::UnpackSequence => {
                            adapt!(specialise::unpack_sequence(ip, peek!(1), oparg));
                            step!(collections::unpack_sequence, 2)
                        }
                        Opcode::UnpackSequenceTwoTuple => {
                            let sequence = peek!(1);
                            guard!(
                                sequence.type_ptr() == raw::tuple_type()
                                    && raw::var_len(sequence.ptr()) == 2
                                    && oparg == 2,
                                Opcode::UnpackSequence
                            );
                            let items = raw::tuple_items(sequence.ptr());
                            peek!(1) = StackRef::owned((**items.add(1)).to_ref());
                            push!(StackRef::owned((**items).to_ref()));
                            sequence.close();
                            next!(2)
                        }
                        Opcode::UnpackSequenceTuple | Opcode::UnpackSequenceList => {
                            let sequence = peek!(1);
                            let tuple = opcode == Opcode::UnpackSequenceTuple;
                            let want = if tuple { raw::tuple_type() } else { raw::list_type() };
                            guard!(
                                sequence.type_ptr() == want && raw::var_len(sequence.ptr()) == oparg,
                                Opcode::UnpackSequence
                            );
                            let items = if tuple {
                                raw::tuple_items(sequence.ptr())
                            } else {
                                raw::list_items(sequence.ptr())
                            };
                            sp = raw::lower::<1>(sp);
                            let mut i = oparg;
                            while i > 0 {
                                i -= 1;
                                push!(StackRef::owned((**items.add(i)).to_ref()));
                            }
                            sequence.close();
                            next!(2)
                        }
                        Opcode::UnpackEx => step!(collections::unpack_ex),
                        Opcode::GetLen => step!(matching::get_len),

                        // ---- building ----
                        Opcode::BuildTuple => step!(collections::build_tuple),
                        Opcode::BuildList => step!(collections::build_list),
                        Opcode::BuildMap => step!(collections::build_map),
                        Opcode::BuildSet => step!(collections::build_set),
                        Opcode::BuildSlice => step!(collections::build_slice),
                        Opcode::BuildString => step!(formatting::build_string),
                        Opcode::BuildInterpolation => step!(formatting::build_interpolation),
                        Opcode::BuildTemplate => step!(formatting::build_template),
                        Opcode::ConvertValue => step!(formatting::convert_value),
                        Opcode::FormatSimple => step!(formatting::format_simple),
                        Opcode::FormatWithSpec => step!(formatting::format_with_spec),
                        Opcode::ListAppend => {
                            let item = pop!().into_ref();
                            (*peek!(oparg).ptr().cast::<List>()).append(item);
                            next!(1)
                        }
                        Opcode::SetAdd => step!(collections::set_add),
                        Opcode::MapAdd => step!(collections::map_add),
                        Opcode::ListExtend => step!(collections::list_extend),
                        Opcode::SetUpdate => step!(collections::set_update),
                        Opcode::DictUpdate => step!(collections::dict_update),
                        Opcode::DictMerge => step!(collections::dict_merge),

                        // ---- pattern matching ----
                        Opcode::MatchClass => step!(matching::match_class),
                        Opcode::MatchKeys => step!(matching::match_keys),
                        Opcode::MatchMapping => {
                            let found = peek!(1).object().ob_type().has_flag(TypeFlags::MAPPING);
                            push!(raw::bool_slot(found, vm));
                            next!(1)
                        }
                        Opcode::MatchSequence => {
                            let found = peek!(1).object().ob_type().has_flag(TypeFlags::SEQUENCE);
                            push!(raw::bool_slot(found, vm));
                            next!(1)
                        }

                        // ---- import and classes ----
                        Opcode::ImportName => step!(importing::import_name),
                        Opcode::ImportFrom => step!(importing::import_from),
                        Opcode::SetupAnnotations => step!(classes::setup_annotations),

                        // ---- exceptions ----
                        Opcode::RaiseVarargs => {
                            save!();
                            if exceptions::raise_varargs(vm, Stack::new(sp), oparg) {
                                // A bare `raise`: the traceback has this frame's entry already.
                                break 'run Leave::Reraise;
                            }
                            sp = sp.sub(oparg);
                            error!()
                        }
                        Opcode::Reraise => {
                            let exception = pop!();
                            (*frame).instr_ptr = ip;
                            if oparg != 0 {
                                if let Some(lasti) = raw::compact_int(peek!(oparg)) {
                                    (*frame).instr_ptr =
                                        InterpreterFrame::code(frame).code_ptr().offset(lasti as isize);
                                }
                            }
                            unwind::restore(exception, vm);
                            break 'run Leave::Reraise;
                        }
                        Opcode::PushExcInfo => {
                            let exception = pop!();
                            push!(exceptions::push_handled(exception, vm));
                            push!(exception);
                            next!(1)
                        }
                        Opcode::PopExcept => {
                            let previous = pop!();
                            exceptions::pop_handled(previous, vm);
                            next!(1)
                        }
                        Opcode::CheckExcMatch => step!(exceptions::check_exc_match),
                        Opcode::CheckEgMatch => step!(exceptions::check_eg_match),
                        Opcode::WithExceptStart => step!(exceptions::with_except_start),

                        // ---- watched instructions ----
                        Opcode::InstrumentedLine => {
                            save!();
                            (*frame).stackpointer = sp;
                            opcode = attempt!(instructions::line(vm, frame));
                            moved!();
                            continue 'next;
                        }
                        Opcode::InstrumentedInstruction => {
                            save!();
                            (*frame).stackpointer = sp;
                            opcode = attempt!(instructions::instruction(vm, frame));
                            moved!();
                            continue 'next;
                        }
                        Opcode::InstrumentedResume => {
                            save!();
                            (*frame).stackpointer = sp;
                            if vm.eval_breaker.load(Ordering::Relaxed)
                                != InterpreterFrame::code(frame).instrumentation_version()
                                && attempt!(instrument::check(vm, frame))
                            {
                                opcode = (*ip).opcode();
                                continue 'next;
                            }
                            attempt!(instructions::resume(vm, frame, oparg));
                            moved!();
                            next!(1)
                        }
                        Opcode::InstrumentedReturnValue => {
                            save!();
                            (*frame).stackpointer = sp;
                            attempt!(instructions::result(
                                vm,
                                frame,
                                Stack::new(sp),
                                instrument::event::PY_RETURN
                            ));
                            deopt!(Opcode::ReturnValue)
                        }
                        Opcode::InstrumentedYieldValue => {
                            save!();
                            (*frame).stackpointer = sp;
                            attempt!(instructions::result(
                                vm,
                                frame,
                                Stack::new(sp),
                                instrument::event::PY_YIELD
                            ));
                            moved!();
                            deopt!(Opcode::YieldValue)
                        }
                        Opcode::InstrumentedCall => {
                            save!();
                            (*frame).stackpointer = sp;
                            called!(instructions::call(vm, frame, Stack::new(sp), oparg, 0), oparg + 2, 4)
                        }
                        Opcode::InstrumentedCallKw => {
                            save!();
                            (*frame).stackpointer = sp;
                            called!(instructions::call(vm, frame, Stack::new(sp), oparg, 1), oparg + 3, 4)
                        }
                        Opcode::InstrumentedCallFunctionEx => {
                            save!();
                            (*frame).stackpointer = sp;
                            called!(instructions::call_function_ex(vm, frame, Stack::new(sp)), 4, 1)
                        }
                        Opcode::InstrumentedLoadSuperAttr => {
                            (*frame).stackpointer = sp;
                            step!(instructions::load_super_attr, 2)
                        }
                        Opcode::InstrumentedJumpForward => {
                            fire_jump!(None, ip.add(1 + oparg), instrument::event::JUMP)
                        }
                        Opcode::InstrumentedJumpBackward => {
                            check_breaker!();
                            fire_jump!(None, ip.add(2).sub(oparg), instrument::event::JUMP)
                        }
                        Opcode::InstrumentedPopJumpIfTrue | Opcode::InstrumentedPopJumpIfFalse => {
                            let want = opcode == Opcode::InstrumentedPopJumpIfTrue;
                            let value = pop!();
                            if value.is(vm.true_ref()) != want {
                                next!(2)
                            }
                            fire_jump!(None, ip.add(2 + oparg), instrument::event::BRANCH_RIGHT)
                        }
                        Opcode::InstrumentedPopJumpIfNone | Opcode::InstrumentedPopJumpIfNotNone => {
                            let want = opcode == Opcode::InstrumentedPopJumpIfNone;
                            let value = pop!();
                            let none = value.is(vm.none_ref());
                            value.close();
                            if none != want {
                                next!(2)
                            }
                            fire_jump!(None, ip.add(2 + oparg), instrument::event::BRANCH_RIGHT)
                        }
                        Opcode::InstrumentedNotTaken => {
                            save!();
                            let from = instructions::branch_before(frame);
                            fire_jump!(Some(from), ip.add(1), instrument::event::BRANCH_LEFT)
                        }
                        Opcode::InstrumentedForIter => {
                            save!();
                            let iterator = peek!(1);
                            match iteration::advance(iterator.object(), vm) {
                                Next::Item(value) => {
                                    push!(StackRef::owned(value));
                                    fire_jump!(None, ip.add(2), instrument::event::BRANCH_LEFT)
                                }
                                Next::End => next!(2 + oparg + 1),
                                Next::Error => error!(),
                            }
                        }
                        Opcode::InstrumentedPopIter => {
                            save!();
                            let from = instructions::loop_of(frame);
                            let value = pop!();
                            value.close();
                            fire_jump!(Some(from), ip.add(1), instrument::event::BRANCH_RIGHT)
                        }
                        Opcode::InstrumentedEndFor => {
                            save!();
                            (*frame).stackpointer = sp;
                            attempt!(instructions::stop_iteration(vm, frame, Stack::new(sp)));
                            deopt!(Opcode::EndFor)
                        }
                        Opcode::InstrumentedEndSend => {
                            save!();
                            (*frame).stackpointer = sp;
                            attempt!(instructions::stop_iteration(vm, frame, Stack::new(sp)));
                            deopt!(Opcode::EndSend)
                        }
                        Opcode::InstrumentedEndAsyncFor => {
                            if exceptions::is_stop_async_iteration(peek!(1).object()) {
                                save!();
                                let from = InterpreterFrame::code_index(frame) + 1 - oparg as isize;
                                sp = Stack::new(sp).drop(2).as_ptr();
                                fire_jump!(
                                    usize::try_from(from).ok(),
                                    ip.add(1),
                                    instrument::event::BRANCH_RIGHT
                                )
                            }
                            deopt!(Opcode::EndAsyncFor)
                        }

                        Opcode::Cache
                        | Opcode::Reserved
                        | Opcode::InterpreterExit
                        | Opcode::EnterExecutor => {
                            save!();
                            unwind::raise_unknown_opcode(opcode, oparg as u32, vm);
                            error!()
                        }
                    }
                }
            };

            // An exception waits.
            let mut trace = matches!(leave, Leave::Error | Leave::Thrown);
            let mut search = leave != Leave::Unwind;
            if leave == Leave::Error {
                (*frame).instr_ptr = ip;
            } else if leave == Leave::Thrown {
                let _ = instrument::thrown(frame, vm);
            } else if leave == Leave::Reraise {
                let _ = fire::exception_if_watched(frame, instrument::event::RERAISE, vm);
            }
            loop {
                if trace && !InterpreterFrame::is_incomplete(frame) {
                    unwind::add_traceback(frame, vm);
                    let _ = fire::exception_if_watched(frame, instrument::event::RAISE, vm);
                }
                if search {
                    if let Some(target) = unwind::find_handler(frame, ip) {
                        (ip, sp) = unwind::enter_handler(frame, sp, target, vm);
                        if monitoring_handled(frame, ip, sp, vm).is_ok() {
                            continue 'outer;
                        }
                        // A callback raised: as if the handler's first instruction had.
                        trace = false;
                        continue;
                    }
                    let _ = fire::exception_if_watched(frame, instrument::event::PY_UNWIND, vm);
                }
                let base = InterpreterFrame::stack_base(frame);
                while sp > base {
                    sp = raw::lower::<1>(sp);
                    let value = *sp;
                    value.xclose();
                }
                (*frame).stackpointer = sp;
                let dying = frame;
                frame = (*dying).previous;
                vm.current_frame.set(frame);
                vm.py_recursion_remaining.set(vm.py_recursion_remaining.get().wrapping_add(1));
                finish_frame(dying, vm);
                if dying == entry {
                    return Err(Raised);
                }
                ip = (*frame).instr_ptr;
                sp = (*frame).stackpointer;
                trace = true;
                search = true;
            }
        }
    }
}
