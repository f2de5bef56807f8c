//! The evaluation loop: one `match` over 3.14's code units, with the instruction pointer, the stack pointer and the
//! frame in locals.
//!
//! Rules that keep it fast:
//! - An arm that is run often is written out here; everything else is a call of a function in this folder that takes and
//!   gives the stack (`Stack`, `Step`). No result type is built for instructions that can't fail.
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

use taipan_bytecode::opcode::op;

use crate::builtins::cell::PyCell;
use crate::builtins::generator::{self, Generator};
use crate::interpreter::calls;
use crate::interpreter::eval::iteration::Next;
use crate::interpreter::eval::stack::Stack;
use crate::interpreter::frame::{self, InterpreterFrame, finish_frame};
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
                'next: loop {
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
                            sp = sp.sub(1);
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
                            continue 'next;
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
                            continue 'next;
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
                    // What the out-of-line call machinery decided.
                    macro_rules! called {
                        ($outcome:expr, $slots:expr, $units:expr) => {
                            match $outcome {
                                calls::Outcome::Value(value) => {
                                    sp = calls::finish(Stack::new(sp), $slots, value).as_ptr();
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

                    let unit = *ip;
                    let mut opcode = unit.opcode();
                    let mut oparg = unit.oparg() as usize;

                    'same: loop {
                        // Goes to another arm for the same instruction.
                        macro_rules! deopt {
                            ($general:expr) => {{
                                opcode = $general;
                                continue 'same;
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
                                if cache::count_down(ip) {
                                    save!();
                                    $specialise;
                                    opcode = (*ip).opcode();
                                    continue 'same;
                                }
                            }};
                        }
                        macro_rules! check_breaker {
                            () => {
                                if vm.eval_breaker.load(Ordering::Relaxed) != 0 {
                                    save!();
                                    if crate::runtime::pending::handle(vm).is_err() {
                                        error!()
                                    }
                                }
                            };
                        }
                        macro_rules! jump_if {
                            ($condition:expr) => {{
                                // The unit behind the cache is NOT_TAKEN on the straight path.
                                if $condition { next!(2 + oparg) } else { next!(2) }
                            }};
                        }

                        match opcode {
                            // ---- locals and constants ----
                            op::NOP | op::NOT_TAKEN => next!(1),
                            op::RESUME => {
                                check_breaker!();
                                (*ip).set_opcode(op::RESUME_CHECK);
                                next!(1)
                            }
                            op::RESUME_CHECK => {
                                check_breaker!();
                                next!(1)
                            }
                            op::LOAD_FAST_BORROW => {
                                push!(local!(oparg).borrow());
                                next!(1)
                            }
                            op::LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                                let (first, second) = (oparg >> 4, oparg & 15);
                                push!(local!(first).borrow());
                                push!(local!(second).borrow());
                                next!(1)
                            }
                            op::LOAD_FAST => {
                                push!(local!(oparg).dup());
                                next!(1)
                            }
                            op::LOAD_FAST_LOAD_FAST => {
                                let (first, second) = (oparg >> 4, oparg & 15);
                                push!(local!(first).dup());
                                push!(local!(second).dup());
                                next!(1)
                            }
                            op::LOAD_FAST_CHECK => {
                                let value = local!(oparg);
                                if value.is_null() {
                                    save!();
                                    names::raise_unbound_local(frame, oparg, vm);
                                    error!()
                                }
                                push!(value.dup());
                                next!(1)
                            }
                            op::LOAD_FAST_AND_CLEAR => {
                                let value = local!(oparg);
                                local!(oparg) = StackRef::NULL;
                                push!(value);
                                next!(1)
                            }
                            op::LOAD_CONST | op::LOAD_CONST_MORTAL | op::LOAD_CONST_IMMORTAL => {
                                push!(StackRef::borrowed(InterpreterFrame::code(frame).const_at(oparg)));
                                next!(1)
                            }
                            op::LOAD_SMALL_INT => {
                                push!(StackRef::borrowed(vm.small_int(oparg)));
                                next!(1)
                            }
                            op::STORE_FAST => {
                                let value = pop!();
                                let old = local!(oparg);
                                local!(oparg) = value;
                                old.xclose();
                                next!(1)
                            }
                            op::STORE_FAST_LOAD_FAST => {
                                let (store, load) = (oparg >> 4, oparg & 15);
                                let value = pop!();
                                let old = local!(store);
                                local!(store) = value;
                                push!(local!(load).dup());
                                old.xclose();
                                next!(1)
                            }
                            op::STORE_FAST_STORE_FAST => {
                                let (first, second) = (oparg >> 4, oparg & 15);
                                let (value1, value2) = (peek!(1), peek!(2));
                                sp = sp.sub(2);
                                let old1 = local!(first);
                                local!(first) = value1;
                                old1.xclose();
                                let old2 = local!(second);
                                local!(second) = value2;
                                old2.xclose();
                                next!(1)
                            }
                            op::DELETE_FAST => {
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
                            op::POP_TOP | op::POP_ITER | op::END_FOR => {
                                let value = pop!();
                                value.close();
                                next!(1)
                            }
                            op::PUSH_NULL => {
                                push!(StackRef::NULL);
                                next!(1)
                            }
                            op::COPY => {
                                let value = peek!(oparg);
                                push!(if value.is_null() { value } else { value.dup() });
                                next!(1)
                            }
                            op::SWAP => {
                                std::ptr::swap(sp.sub(1), sp.sub(oparg));
                                next!(1)
                            }
                            op::EXTENDED_ARG => {
                                ip = ip.add(1);
                                let unit = *ip;
                                opcode = unit.opcode();
                                oparg = (oparg << 8) | unit.oparg() as usize;
                                continue 'same;
                            }

                            // ---- cells ----
                            op::LOAD_DEREF => {
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
                            op::STORE_DEREF => {
                                let value = pop!().into_ref();
                                let cell = local!(oparg).ptr().cast::<PyCell>();
                                (*cell).contents.set(Some(value));
                                next!(1)
                            }
                            op::DELETE_DEREF => {
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
                            op::MAKE_CELL => {
                                let initial = local!(oparg);
                                let initial = if initial.is_null() { None } else { Some(initial.into_ref()) };
                                local!(oparg) = StackRef::owned(PyCell::create(initial, vm).into_object());
                                next!(1)
                            }
                            op::COPY_FREE_VARS => {
                                let code = InterpreterFrame::code(frame);
                                let closure = InterpreterFrame::function(frame).closure.as_raw();
                                let first = code.nlocalsplus() - oparg;
                                let items = raw::tuple_items(closure.cast());
                                for i in 0..oparg {
                                    local!(first + i) = StackRef::owned((**items.add(i)).to_ref());
                                }
                                next!(1)
                            }
                            op::LOAD_FROM_DICT_OR_DEREF => step!(names::load_from_dict_or_deref),
                            op::LOAD_FROM_DICT_OR_GLOBALS => step!(names::load_from_dict_or_globals),

                            // ---- names ----
                            op::LOAD_NAME => step!(names::load_name),
                            op::STORE_NAME => step!(names::store_name),
                            op::DELETE_NAME => step!(names::delete_name),
                            op::STORE_GLOBAL => step!(names::store_global),
                            op::DELETE_GLOBAL => step!(names::delete_global),
                            op::LOAD_LOCALS => step!(names::load_locals),
                            op::LOAD_GLOBAL => {
                                adapt!(specialise::load_global(
                                    frame,
                                    ip,
                                    name_of(frame, oparg >> 1),
                                    vm
                                ));
                                save!();
                                let value = attempt!(names::global(frame, name_of(frame, oparg >> 1), vm));
                                push!(StackRef::owned(value));
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                next!(5)
                            }
                            op::LOAD_GLOBAL_MODULE => {
                                let globals = &*(*frame).globals.cast::<Dict>();
                                let value = globals
                                    .value_if_version(u32::from(cache::u16_at(ip, 3)), cache::u16_at(ip, 2));
                                let Some(value) = value else { deopt!(op::LOAD_GLOBAL) };
                                push!(StackRef::owned(value.to_ref()));
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                next!(5)
                            }
                            op::LOAD_GLOBAL_BUILTIN => {
                                let globals = &*(*frame).globals.cast::<Dict>();
                                let builtins = &*(*frame).builtins.cast::<Dict>();
                                guard!(
                                    globals.has_version(u32::from(cache::u16_at(ip, 3))),
                                    op::LOAD_GLOBAL
                                );
                                let value = builtins
                                    .value_if_version(u32::from(cache::u16_at(ip, 4)), cache::u16_at(ip, 2));
                                let Some(value) = value else { deopt!(op::LOAD_GLOBAL) };
                                push!(StackRef::owned(value.to_ref()));
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                next!(5)
                            }
                            op::LOAD_BUILD_CLASS => step!(names::load_build_class),
                            op::LOAD_COMMON_CONSTANT => step!(names::load_common_constant),

                            // ---- jumps ----
                            op::JUMP_FORWARD => next!(1 + oparg),
                            op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_JIT | op::JUMP_BACKWARD_JIT => {
                                check_breaker!();
                                ip = ip.add(2).sub(oparg);
                                continue 'next;
                            }
                            op::JUMP_BACKWARD_NO_INTERRUPT => {
                                ip = ip.add(1).sub(oparg);
                                continue 'next;
                            }
                            op::POP_JUMP_IF_FALSE => {
                                let value = pop!();
                                jump_if!(value.is(vm.false_ref()))
                            }
                            op::POP_JUMP_IF_TRUE => {
                                let value = pop!();
                                jump_if!(value.is(vm.true_ref()))
                            }
                            op::POP_JUMP_IF_NONE => {
                                let value = pop!();
                                let jump = value.is(vm.none_ref());
                                value.close();
                                jump_if!(jump)
                            }
                            op::POP_JUMP_IF_NOT_NONE => {
                                let value = pop!();
                                let jump = !value.is(vm.none_ref());
                                value.close();
                                jump_if!(jump)
                            }

                            // ---- truth, comparison, membership ----
                            op::TO_BOOL => {
                                adapt!(specialise::to_bool(ip, peek!(1), vm));
                                save!();
                                let truth = attempt!(peek!(1).object().is_true(vm));
                                peek!(1).close();
                                peek!(1) = raw::bool_slot(truth, vm);
                                next!(4)
                            }
                            op::TO_BOOL_BOOL => {
                                guard!(peek!(1).type_ptr() == raw::bool_type(), op::TO_BOOL);
                                next!(4)
                            }
                            op::TO_BOOL_INT => {
                                let value = peek!(1);
                                guard!(value.type_ptr() == raw::int_type(), op::TO_BOOL);
                                let truth = raw::compact_int(value) != Some(0);
                                value.close();
                                peek!(1) = raw::bool_slot(truth, vm);
                                next!(4)
                            }
                            op::TO_BOOL_LIST => {
                                let value = peek!(1);
                                guard!(value.type_ptr() == raw::list_type(), op::TO_BOOL);
                                let truth = raw::var_len(value.ptr()) != 0;
                                value.close();
                                peek!(1) = raw::bool_slot(truth, vm);
                                next!(4)
                            }
                            op::TO_BOOL_STR => {
                                let value = peek!(1);
                                guard!(value.type_ptr() == raw::str_type(), op::TO_BOOL);
                                // The length of a `str` lies where a var object has its size.
                                let truth = raw::var_len(value.ptr()) != 0;
                                value.close();
                                peek!(1) = raw::bool_slot(truth, vm);
                                next!(4)
                            }
                            op::TO_BOOL_NONE => {
                                guard!(peek!(1).is(vm.none_ref()), op::TO_BOOL);
                                peek!(1) = raw::bool_slot(false, vm);
                                next!(4)
                            }
                            op::TO_BOOL_ALWAYS_TRUE => {
                                let value = peek!(1);
                                guard!(
                                    value.object().ob_type().tp_version_tag.get() == cache::u32_at(ip, 2),
                                    op::TO_BOOL
                                );
                                value.close();
                                peek!(1) = raw::bool_slot(true, vm);
                                next!(4)
                            }
                            op::UNARY_NOT => {
                                let truth = peek!(1).is(vm.false_ref());
                                peek!(1) = raw::bool_slot(truth, vm);
                                next!(1)
                            }
                            op::UNARY_NEGATIVE => step!(arithmetic::unary_negative),
                            op::UNARY_INVERT => step!(arithmetic::unary_invert),
                            op::IS_OP => {
                                let (right, left) = (peek!(1), peek!(2));
                                let same = (left.ptr() == right.ptr()) != (oparg != 0);
                                sp = sp.sub(1);
                                peek!(1) = raw::bool_slot(same, vm);
                                left.close();
                                right.close();
                                next!(1)
                            }
                            op::CONTAINS_OP => {
                                adapt!(specialise::contains_op(ip, peek!(1), vm));
                                step!(arithmetic::contains_op, 2)
                            }
                            op::CONTAINS_OP_DICT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(right.type_ptr() == Dict::static_type(), op::CONTAINS_OP);
                                save!();
                                let found =
                                    attempt!((*right.ptr().cast::<Dict>()).contains_key(left.object(), vm));
                                sp = sp.sub(1);
                                peek!(1) = raw::bool_slot(found != (oparg != 0), vm);
                                left.close();
                                right.close();
                                next!(2)
                            }
                            op::CONTAINS_OP_SET => step!(arithmetic::contains_op, 2),
                            op::COMPARE_OP => {
                                adapt!(specialise::compare_op(ip, peek!(2), peek!(1), oparg));
                                step!(arithmetic::compare_op, 2)
                            }
                            op::COMPARE_OP_INT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::int_type()
                                        && right.type_ptr() == raw::int_type(),
                                    op::COMPARE_OP
                                );
                                let Some(a) = raw::compact_int(left) else { deopt!(op::COMPARE_OP) };
                                let Some(b) = raw::compact_int(right) else { deopt!(op::COMPARE_OP) };
                                // Bits: 2 less, 4 greater, 8 equal.
                                let outcome = if a < b { 2 } else { 4 << usize::from(a == b) };
                                raw::close_compact_int(left);
                                raw::close_compact_int(right);
                                sp = sp.sub(1);
                                peek!(1) = raw::bool_slot(outcome & oparg != 0, vm);
                                next!(2)
                            }
                            op::COMPARE_OP_FLOAT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    raw::is_exact::<crate::builtins::float::Float>(left)
                                        && raw::is_exact::<crate::builtins::float::Float>(right),
                                    op::COMPARE_OP
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
                                sp = sp.sub(1);
                                peek!(1) = raw::bool_slot(outcome & oparg != 0, vm);
                                next!(2)
                            }
                            op::COMPARE_OP_STR => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::str_type()
                                        && right.type_ptr() == raw::str_type(),
                                    op::COMPARE_OP
                                );
                                let equal = Str::equal(left.object().cast(), right.object().cast());
                                let outcome = if equal { 8 } else { 7 };
                                left.close();
                                right.close();
                                sp = sp.sub(1);
                                peek!(1) = raw::bool_slot(outcome & oparg != 0, vm);
                                next!(2)
                            }

                            // ---- binary operators ----
                            op::BINARY_OP => {
                                adapt!(specialise::binary_op(ip, frame, peek!(2), peek!(1), oparg, vm));
                                step!(arithmetic::binary_op, 6)
                            }
                            op::BINARY_OP_ADD_INT
                            | op::BINARY_OP_SUBTRACT_INT
                            | op::BINARY_OP_MULTIPLY_INT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::int_type()
                                        && right.type_ptr() == raw::int_type(),
                                    op::BINARY_OP
                                );
                                let Some(a) = raw::compact_int(left) else { deopt!(op::BINARY_OP) };
                                let Some(b) = raw::compact_int(right) else { deopt!(op::BINARY_OP) };
                                let value = match opcode {
                                    op::BINARY_OP_ADD_INT => a + b,
                                    op::BINARY_OP_SUBTRACT_INT => a - b,
                                    _ => a * b,
                                };
                                raw::close_compact_int(left);
                                raw::close_compact_int(right);
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(crate::builtins::int::Int::from_i64(value, vm));
                                next!(6)
                            }
                            op::BINARY_OP_ADD_FLOAT
                            | op::BINARY_OP_SUBTRACT_FLOAT
                            | op::BINARY_OP_MULTIPLY_FLOAT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    raw::is_exact::<crate::builtins::float::Float>(left)
                                        && raw::is_exact::<crate::builtins::float::Float>(right),
                                    op::BINARY_OP
                                );
                                let (a, b) = (raw::float_value(left), raw::float_value(right));
                                let value = match opcode {
                                    op::BINARY_OP_ADD_FLOAT => a + b,
                                    op::BINARY_OP_SUBTRACT_FLOAT => a - b,
                                    _ => a * b,
                                };
                                sp = sp.sub(1);
                                let result = raw::float_into(left, value, vm);
                                raw::close_float(right);
                                peek!(1) = result;
                                next!(6)
                            }
                            op::BINARY_OP_EXTEND => {
                                match arithmetic::extended(
                                    cache::u64_at(ip, 2),
                                    oparg,
                                    peek!(2),
                                    peek!(1),
                                    vm,
                                ) {
                                    Some(result) => {
                                        peek!(1).close();
                                        peek!(2).close();
                                        sp = sp.sub(1);
                                        peek!(1) = result;
                                        next!(6)
                                    }
                                    None => deopt!(op::BINARY_OP),
                                }
                            }
                            op::BINARY_OP_ADD_UNICODE => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::str_type()
                                        && right.type_ptr() == raw::str_type(),
                                    op::BINARY_OP
                                );
                                save!();
                                let value = attempt!(arithmetic::concat(left, right, vm));
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(value);
                                left.close();
                                right.close();
                                next!(6)
                            }
                            op::BINARY_OP_INPLACE_ADD_UNICODE => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::str_type()
                                        && right.type_ptr() == raw::str_type(),
                                    op::BINARY_OP
                                );
                                // `x = x + y`: the local gives its reference up first, so that the string may grow in
                                // place.
                                let store = *ip.add(6);
                                guard!(store.opcode() == op::STORE_FAST, op::BINARY_OP);
                                let target = store.oparg() as usize;
                                guard!(local!(target).ptr() == left.ptr(), op::BINARY_OP);
                                save!();
                                let owned = left.into_ref();
                                let old = local!(target);
                                local!(target) = StackRef::NULL;
                                sp = sp.sub(1);
                                old.close();
                                let result = arithmetic::append_str(owned, right.object().cast(), vm);
                                right.close();
                                sp = sp.sub(1);
                                local!(target) = StackRef::owned(attempt!(result));
                                next!(7)
                            }
                            op::BINARY_OP_SUBSCR_LIST_INT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::list_type()
                                        && right.type_ptr() == raw::int_type(),
                                    op::BINARY_OP
                                );
                                let Some(index) = raw::small_index(right) else { deopt!(op::BINARY_OP) };
                                guard!(index < raw::var_len(left.ptr()), op::BINARY_OP);
                                let item = (**raw::list_items(left.ptr()).add(index)).to_ref();
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(item);
                                raw::close_compact_int(right);
                                left.close();
                                next!(6)
                            }
                            op::BINARY_OP_SUBSCR_TUPLE_INT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::tuple_type()
                                        && right.type_ptr() == raw::int_type(),
                                    op::BINARY_OP
                                );
                                let Some(index) = raw::small_index(right) else { deopt!(op::BINARY_OP) };
                                guard!(index < raw::var_len(left.ptr()), op::BINARY_OP);
                                let item = (**raw::tuple_items(left.ptr()).add(index)).to_ref();
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(item);
                                raw::close_compact_int(right);
                                left.close();
                                next!(6)
                            }
                            op::BINARY_OP_SUBSCR_STR_INT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(
                                    left.type_ptr() == raw::str_type()
                                        && right.type_ptr() == raw::int_type(),
                                    op::BINARY_OP
                                );
                                let Some(index) = raw::small_index(right) else { deopt!(op::BINARY_OP) };
                                let Some(point) = left.object().cast::<Str>().char_at(index) else {
                                    deopt!(op::BINARY_OP)
                                };
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(Str::from_char(point, vm).into_object());
                                raw::close_compact_int(right);
                                left.close();
                                next!(6)
                            }
                            op::BINARY_OP_SUBSCR_DICT => {
                                let (right, left) = (peek!(1), peek!(2));
                                guard!(left.type_ptr() == Dict::static_type(), op::BINARY_OP);
                                save!();
                                let value = match attempt!(
                                    (*left.ptr().cast::<Dict>()).get_item(right.object(), vm)
                                ) {
                                    Some(value) => value,
                                    None => {
                                        vm.key_error(right.object());
                                        error!()
                                    }
                                };
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(value);
                                left.close();
                                right.close();
                                next!(6)
                            }
                            op::BINARY_OP_SUBSCR_LIST_SLICE => step!(arithmetic::binary_op, 6),
                            op::BINARY_OP_SUBSCR_GETITEM => {
                                let left = peek!(2);
                                let Some(function) = specialise::cached_getitem(left, vm) else {
                                    deopt!(op::BINARY_OP)
                                };
                                let new = calls::push_exact(function, sp.sub(2), 2, frame, vm);
                                if new.is_null() {
                                    error!()
                                }
                                sp = sp.sub(2);
                                enter_call!(new, 6)
                            }
                            op::BINARY_SLICE => step!(collections::binary_slice),
                            op::STORE_SLICE => step!(collections::store_slice),
                            op::STORE_SUBSCR => {
                                adapt!(specialise::store_subscr(ip, peek!(2), peek!(1)));
                                step!(collections::store_subscr, 2)
                            }
                            op::STORE_SUBSCR_LIST_INT => {
                                // value, list, index
                                let (index, list) = (peek!(1), peek!(2));
                                guard!(
                                    list.type_ptr() == raw::list_type()
                                        && index.type_ptr() == raw::int_type(),
                                    op::STORE_SUBSCR
                                );
                                let Some(i) = raw::small_index(index) else { deopt!(op::STORE_SUBSCR) };
                                guard!(i < raw::var_len(list.ptr()), op::STORE_SUBSCR);
                                let place = raw::list_items(list.ptr()).add(i);
                                let old = std::mem::replace(&mut *place, peek!(3).into_ref().into_raw());
                                sp = sp.sub(3);
                                taipan_object::object::decref(old);
                                raw::close_compact_int(index);
                                list.close();
                                next!(2)
                            }
                            op::STORE_SUBSCR_DICT => {
                                let dict = peek!(2);
                                guard!(dict.type_ptr() == Dict::static_type(), op::STORE_SUBSCR);
                                save!();
                                attempt!((*dict.ptr().cast::<Dict>()).set_item(
                                    peek!(1).object(),
                                    peek!(3).object(),
                                    vm
                                ));
                                sp = Stack::new(sp).drop(3).as_ptr();
                                next!(2)
                            }
                            op::DELETE_SUBSCR => step!(collections::delete_subscr),

                            // ---- attributes ----
                            op::LOAD_ATTR => {
                                let name = name_of(frame, oparg >> 1);
                                adapt!(specialise::load_attr(ip, peek!(1), name, oparg & 1 != 0, vm));
                                step!(attributes::load_attr, 10)
                            }
                            op::LOAD_ATTR_INSTANCE_VALUE => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                let Some(value) =
                                    attributes::inline_value(owner.object(), cache::u16_at(ip, 4))
                                else {
                                    deopt!(op::LOAD_ATTR)
                                };
                                peek!(1) = StackRef::owned(value.to_ref());
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_MODULE => {
                                let owner = peek!(1);
                                let Some(dict) = attributes::module_dict(owner) else {
                                    deopt!(op::LOAD_ATTR)
                                };
                                let Some(value) =
                                    dict.value_if_version(cache::u32_at(ip, 2), cache::u16_at(ip, 4))
                                else {
                                    deopt!(op::LOAD_ATTR)
                                };
                                peek!(1) = StackRef::owned(value.to_ref());
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_WITH_HINT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                let name = name_of(frame, oparg >> 1);
                                let Some(value) = attributes::dict_value(
                                    owner.object(),
                                    name,
                                    cache::u16_at(ip, 4),
                                ) else {
                                    deopt!(op::LOAD_ATTR)
                                };
                                peek!(1) = StackRef::owned(value.to_ref());
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_SLOT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                let offset = cache::u16_at(ip, 4) as usize;
                                let value = owner.ptr().cast::<u8>().add(offset).cast::<*mut Object>().read();
                                guard!(!value.is_null(), op::LOAD_ATTR);
                                peek!(1) = StackRef::owned((*value).to_ref());
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_CLASS | op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK => {
                                let owner = peek!(1);
                                let Some(tp) = owner.object().downcast_ref::<Type>() else {
                                    deopt!(op::LOAD_ATTR)
                                };
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                if opcode == op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK {
                                    let meta = owner.object().ob_type();
                                    guard!(
                                        meta.tp_version_tag.get() == cache::u32_at(ip, 4),
                                        op::LOAD_ATTR
                                    );
                                }
                                let value = cache::object_at(ip, 6);
                                peek!(1) = StackRef::owned(value.to_ref());
                                if oparg & 1 != 0 {
                                    push!(StackRef::NULL);
                                }
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_METHOD_WITH_VALUES
                            | op::LOAD_ATTR_METHOD_NO_DICT
                            | op::LOAD_ATTR_METHOD_LAZY_DICT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                if opcode == op::LOAD_ATTR_METHOD_WITH_VALUES {
                                    guard!(
                                        attributes::inline_keys_unchanged(
                                            owner.object(),
                                            cache::u32_at(ip, 4)
                                        ),
                                        op::LOAD_ATTR
                                    );
                                } else if opcode == op::LOAD_ATTR_METHOD_LAZY_DICT {
                                    let offset = cache::u16_at(ip, 4) as i16 as isize;
                                    let dict = owner
                                        .ptr()
                                        .cast::<u8>()
                                        .offset(offset)
                                        .cast::<*mut Object>()
                                        .read();
                                    guard!(dict.is_null(), op::LOAD_ATTR);
                                }
                                // A method found in a type whose version hasn't changed is alive.
                                peek!(1) = StackRef::owned(cache::object_at(ip, 6).to_ref());
                                push!(owner);
                                next!(10)
                            }
                            op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES | op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                if opcode == op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES {
                                    guard!(
                                        attributes::inline_keys_unchanged(
                                            owner.object(),
                                            cache::u32_at(ip, 4)
                                        ),
                                        op::LOAD_ATTR
                                    );
                                }
                                peek!(1) = StackRef::owned(cache::object_at(ip, 6).to_ref());
                                owner.close();
                                next!(10)
                            }
                            op::LOAD_ATTR_PROPERTY => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                let function = cache::object_at(ip, 6);
                                let new =
                                    calls::push_exact(function.cast::<Function>(), sp.sub(1), 1, frame, vm);
                                if new.is_null() {
                                    error!()
                                }
                                sp = sp.sub(1);
                                enter_call!(new, 10)
                            }
                            op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::LOAD_ATTR);
                                let function = cache::object_at(ip, 6);
                                *sp = StackRef::borrowed(name_of(frame, oparg >> 1).as_object());
                                let new =
                                    calls::push_exact(function.cast::<Function>(), sp.sub(1), 2, frame, vm);
                                if new.is_null() {
                                    error!()
                                }
                                sp = sp.sub(1);
                                enter_call!(new, 10)
                            }
                            op::STORE_ATTR => {
                                let name = name_of(frame, oparg);
                                adapt!(specialise::store_attr(ip, peek!(1), name, vm));
                                step!(attributes::store_attr, 5)
                            }
                            op::STORE_ATTR_INSTANCE_VALUE => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::STORE_ATTR);
                                guard!(
                                    attributes::store_inline_value(
                                        owner.object(),
                                        cache::u16_at(ip, 4),
                                        sp.sub(2)
                                    ),
                                    op::STORE_ATTR
                                );
                                sp = sp.sub(2);
                                owner.close();
                                next!(5)
                            }
                            op::STORE_ATTR_SLOT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::STORE_ATTR);
                                let offset = cache::u16_at(ip, 4) as usize;
                                let place = owner.ptr().cast::<u8>().add(offset).cast::<*mut Object>();
                                let old = place.replace(peek!(2).into_ref().into_raw());
                                sp = sp.sub(2);
                                taipan_object::object::xdecref(old);
                                owner.close();
                                next!(5)
                            }
                            op::STORE_ATTR_WITH_HINT => {
                                let owner = peek!(1);
                                let tp = owner.object().ob_type();
                                guard!(tp.tp_version_tag.get() == cache::u32_at(ip, 2), op::STORE_ATTR);
                                save!();
                                step!(attributes::store_attr, 5)
                            }
                            op::DELETE_ATTR => step!(attributes::delete_attr),
                            op::LOAD_SUPER_ATTR => {
                                adapt!(specialise::load_super_attr(ip, peek!(3), peek!(2), oparg & 1 != 0));
                                step!(attributes::load_super_attr, 2)
                            }
                            op::LOAD_SUPER_ATTR_ATTR | op::LOAD_SUPER_ATTR_METHOD => {
                                step!(attributes::load_super_attr, 2)
                            }
                            op::LOAD_SPECIAL => step!(attributes::load_special),

                            // ---- calls ----
                            op::CALL => {
                                adapt!(specialise::call(ip, sp, oparg, vm));
                                save!();
                                called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                            }
                            op::CALL_PY_EXACT_ARGS => {
                                let callable = peek!(oparg + 2);
                                guard!(
                                    callable.type_ptr() == Function::static_type()
                                        && (*callable.ptr().cast::<Function>()).version.get()
                                            == cache::u32_at(ip, 2),
                                    op::CALL
                                );
                                let has_self = usize::from(!peek!(oparg + 1).is_null());
                                let code = (*callable.ptr().cast::<Function>()).code();
                                let count = oparg + has_self;
                                let new = frame::push_frame(
                                    callable,
                                    code,
                                    std::ptr::null_mut(),
                                    frame,
                                    count,
                                    vm,
                                );
                                if new.is_null() {
                                    error!()
                                }
                                let args = sp.sub(count);
                                let locals = InterpreterFrame::locals_ptr(new);
                                for i in 0..count {
                                    *locals.add(i) = *args.add(i);
                                }
                                sp = sp.sub(oparg + 2);
                                enter_call!(new, 4)
                            }
                            op::CALL_BOUND_METHOD_EXACT_ARGS => {
                                let callable = peek!(oparg + 2);
                                guard!(
                                    peek!(oparg + 1).is_null()
                                        && callable.type_ptr() == Method::static_type(),
                                    op::CALL
                                );
                                let Some(function) =
                                    calls::method_function(callable.object(), cache::u32_at(ip, 2))
                                else {
                                    deopt!(op::CALL)
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
                                let args = sp.sub(oparg);
                                let locals = InterpreterFrame::locals_ptr(new);
                                *locals = StackRef::owned(receiver.to_ref());
                                for i in 0..oparg {
                                    *locals.add(i + 1) = *args.add(i);
                                }
                                sp = sp.sub(oparg + 2);
                                callable.close();
                                enter_call!(new, 4)
                            }
                            op::CALL_PY_GENERAL | op::CALL_BOUND_METHOD_GENERAL => {
                                save!();
                                called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                            }
                            op::CALL_NON_PY_GENERAL => {
                                save!();
                                called!(calls::call(vm, frame, Stack::new(sp), oparg), oparg + 2, 4)
                            }
                            op::CALL_TYPE_1 => {
                                guard!(
                                    oparg == 1
                                        && peek!(2).is_null()
                                        && peek!(3).is(Type::type_object().as_object()),
                                    op::CALL
                                );
                                let arg = peek!(1);
                                let tp = arg.object().ob_type().as_object().to_ref();
                                sp = sp.sub(2);
                                peek!(1) = StackRef::owned(tp);
                                arg.close();
                                next!(4)
                            }
                            op::CALL_STR_1 => {
                                guard!(
                                    oparg == 1
                                        && peek!(2).is_null()
                                        && peek!(3).is(Str::type_object().as_object()),
                                    op::CALL
                                );
                                save!();
                                let arg = peek!(1);
                                let value = attempt!(arg.object().str(vm));
                                sp = sp.sub(2);
                                peek!(1) = StackRef::owned(value.into_object());
                                arg.close();
                                next!(4)
                            }
                            op::CALL_TUPLE_1 => {
                                guard!(
                                    oparg == 1
                                        && peek!(2).is_null()
                                        && peek!(3).is(Tuple::type_object().as_object()),
                                    op::CALL
                                );
                                save!();
                                let arg = peek!(1);
                                let value = attempt!(collections::tuple_from(arg.object(), vm));
                                sp = sp.sub(2);
                                peek!(1) = StackRef::owned(value);
                                arg.close();
                                next!(4)
                            }
                            op::CALL_LEN => {
                                guard!(
                                    oparg == 1
                                        && peek!(2).is_null()
                                        && specialise::is_len(peek!(3), vm),
                                    op::CALL
                                );
                                save!();
                                let arg = peek!(1);
                                let length = attempt!(arg.object().length(vm));
                                let callable = peek!(3);
                                sp = sp.sub(2);
                                peek!(1) = StackRef::owned(vm.new_int(length));
                                arg.close();
                                callable.close();
                                next!(4)
                            }
                            op::CALL_ISINSTANCE => {
                                guard!(
                                    oparg == 2
                                        && peek!(3).is_null()
                                        && specialise::is_isinstance(peek!(4), vm),
                                    op::CALL
                                );
                                save!();
                                let (class, object) = (peek!(1), peek!(2));
                                let truth = attempt!(object.object().is_instance(class.object(), vm));
                                sp = Stack::new(sp).drop(4).as_ptr();
                                push!(raw::bool_slot(truth, vm));
                                next!(4)
                            }
                            op::CALL_LIST_APPEND => {
                                let list = peek!(2);
                                guard!(
                                    oparg == 1
                                        && !list.is_null()
                                        && list.type_ptr() == raw::list_type()
                                        && specialise::is_list_append(peek!(3), vm),
                                    op::CALL
                                );
                                let item = peek!(1).into_ref();
                                (*list.ptr().cast::<List>()).append(item);
                                let callable = peek!(3);
                                sp = sp.sub(3);
                                list.close();
                                callable.close();
                                // The result, `None`, would be popped by the next instruction.
                                next!(5)
                            }
                            op::CALL_BUILTIN_O => {
                                let callable = peek!(oparg + 2);
                                guard!(!callable.is_null(), op::CALL);
                                save!();
                                match calls::builtin_o(callable, sp, oparg, vm) {
                                    Some(result) => {
                                        let value = attempt!(result);
                                        sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                        next!(4)
                                    }
                                    None => deopt!(op::CALL),
                                }
                            }
                            op::CALL_BUILTIN_FAST | op::CALL_BUILTIN_FAST_WITH_KEYWORDS => {
                                save!();
                                match calls::builtin_fast(peek!(oparg + 2), sp, oparg, vm) {
                                    Some(result) => {
                                        let value = attempt!(result);
                                        sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                        next!(4)
                                    }
                                    None => deopt!(op::CALL),
                                }
                            }
                            op::CALL_METHOD_DESCRIPTOR_O
                            | op::CALL_METHOD_DESCRIPTOR_NOARGS
                            | op::CALL_METHOD_DESCRIPTOR_FAST
                            | op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS => {
                                save!();
                                match calls::method_descriptor(peek!(oparg + 2), sp, oparg, vm) {
                                    Some(result) => {
                                        let value = attempt!(result);
                                        sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                        next!(4)
                                    }
                                    None => deopt!(op::CALL),
                                }
                            }
                            op::CALL_BUILTIN_CLASS => {
                                save!();
                                match calls::builtin_class(peek!(oparg + 2), sp, oparg, vm) {
                                    Some(result) => {
                                        let value = attempt!(result);
                                        sp = Stack::new(sp).replace(oparg + 2, value).as_ptr();
                                        next!(4)
                                    }
                                    None => deopt!(op::CALL),
                                }
                            }
                            op::CALL_ALLOC_AND_ENTER_INIT => {
                                guard!(peek!(oparg + 1).is_null(), op::CALL);
                                save!();
                                match calls::enter_init(frame, sp, oparg, cache::u32_at(ip, 2), vm) {
                                    calls::Init::Frame(new) => {
                                        sp = sp.sub(oparg + 2);
                                        // Two frames were pushed: the shim that gives the instance, and __init__'s.
                                        let remaining = vm.py_recursion_remaining.get();
                                        vm.py_recursion_remaining.set(remaining.wrapping_sub(1));
                                        enter_call!(new, 4)
                                    }
                                    calls::Init::Guard => deopt!(op::CALL),
                                    calls::Init::Error => error!(),
                                }
                            }
                            op::EXIT_INIT_CHECK => {
                                let value = peek!(1);
                                if !value.is(vm.none_ref()) {
                                    calls::raise_init_result(value.object(), vm);
                                    error!()
                                }
                                sp = sp.sub(1);
                                next!(1)
                            }
                            op::CALL_KW => {
                                save!();
                                called!(calls::call_kw(vm, frame, Stack::new(sp), oparg), oparg + 3, 4)
                            }
                            op::CALL_KW_PY | op::CALL_KW_BOUND_METHOD | op::CALL_KW_NON_PY => {
                                save!();
                                called!(calls::call_kw(vm, frame, Stack::new(sp), oparg), oparg + 3, 4)
                            }
                            op::CALL_FUNCTION_EX => {
                                save!();
                                called!(calls::call_function_ex(vm, frame, Stack::new(sp)), 4, 1)
                            }
                            op::MAKE_FUNCTION => step!(classes::make_function),
                            op::SET_FUNCTION_ATTRIBUTE => step!(classes::set_function_attribute),
                            op::CALL_INTRINSIC_1 => step!(intrinsics::call_1),
                            op::CALL_INTRINSIC_2 => step!(intrinsics::call_2),

                            // ---- returning and generators ----
                            op::RETURN_VALUE => {
                                let value = pop!().heap_safe();
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
                                continue 'next;
                            }
                            op::RETURN_GENERATOR => {
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
                                continue 'next;
                            }
                            op::YIELD_VALUE => {
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
                                    return Ok(value.into_ref());
                                }
                                sp = (*frame).stackpointer;
                                push!(value);
                                // Both SEND and FOR_ITER have one cache unit.
                                ip = (*frame).instr_ptr.add(2);
                                continue 'next;
                            }
                            op::SEND => {
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
                            op::SEND_GEN => {
                                let Some(new) = generator::resumable(peek!(2).object()) else {
                                    deopt!(op::SEND)
                                };
                                let value = pop!().heap_safe();
                                generator::resume_with(new, value, vm);
                                let inner = Generator::frame(new);
                                (*inner).previous = frame;
                                enter_call!(inner, 2 + oparg)
                            }
                            op::END_SEND => {
                                let value = pop!();
                                let receiver = peek!(1);
                                peek!(1) = value;
                                receiver.close();
                                next!(1)
                            }
                            op::GET_AWAITABLE => step!(asynchronous::get_awaitable),
                            op::GET_AITER => step!(asynchronous::get_aiter),
                            op::GET_ANEXT => step!(asynchronous::get_anext),
                            op::GET_YIELD_FROM_ITER => step!(generators::get_yield_from_iter),
                            op::END_ASYNC_FOR => {
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
                            op::CLEANUP_THROW => {
                                // sub-iterator, last value sent, exception
                                let exception = peek!(1);
                                if let Some(value) = exceptions::stop_iteration_value(exception.object(), vm) {
                                    sp = Stack::new(sp).drop(3).as_ptr();
                                    push!(StackRef::borrowed(vm.none_ref()));
                                    push!(StackRef::owned(value));
                                    next!(1)
                                }
                                sp = sp.sub(1);
                                unwind::restore(exception, vm);
                                save!();
                                break 'run Leave::Reraise;
                            }

                            // ---- iteration ----
                            op::GET_ITER => step!(iteration::get_iter),
                            op::FOR_ITER => {
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
                            op::FOR_ITER_LIST => {
                                let iterator = peek!(1);
                                guard!(iteration::is_list_iterator(iterator), op::FOR_ITER);
                                match iteration::next_of_list(iterator) {
                                    Some(value) => {
                                        push!(value);
                                        next!(2)
                                    }
                                    None => next!(2 + oparg + 1),
                                }
                            }
                            op::FOR_ITER_TUPLE => {
                                let iterator = peek!(1);
                                guard!(iteration::is_tuple_iterator(iterator), op::FOR_ITER);
                                match iteration::next_of_tuple(iterator) {
                                    Some(value) => {
                                        push!(value);
                                        next!(2)
                                    }
                                    None => next!(2 + oparg + 1),
                                }
                            }
                            op::FOR_ITER_RANGE => {
                                let iterator = peek!(1);
                                guard!(iteration::is_range_iterator(iterator), op::FOR_ITER);
                                match iteration::next_of_range(iterator) {
                                    Some(value) => {
                                        push!(StackRef::owned(crate::builtins::int::Int::from_i64(
                                            value, vm
                                        )));
                                        next!(2)
                                    }
                                    None => next!(2 + oparg + 1),
                                }
                            }
                            op::FOR_ITER_GEN => {
                                let iterator = peek!(1);
                                guard!(
                                    iterator.type_ptr() == Generator::static_type(),
                                    op::FOR_ITER
                                );
                                let Some(new) = generator::resumable(iterator.object()) else {
                                    deopt!(op::FOR_ITER)
                                };
                                generator::resume_with(new, StackRef::borrowed(vm.none_ref()), vm);
                                let inner = Generator::frame(new);
                                (*inner).previous = frame;
                                enter_call!(inner, 2 + oparg)
                            }
                            op::UNPACK_SEQUENCE => {
                                adapt!(specialise::unpack_sequence(ip, peek!(1), oparg));
                                step!(collections::unpack_sequence, 2)
                            }
                            op::UNPACK_SEQUENCE_TWO_TUPLE => {
                                let sequence = peek!(1);
                                guard!(
                                    sequence.type_ptr() == raw::tuple_type()
                                        && raw::var_len(sequence.ptr()) == 2
                                        && oparg == 2,
                                    op::UNPACK_SEQUENCE
                                );
                                let items = raw::tuple_items(sequence.ptr());
                                peek!(1) = StackRef::owned((**items.add(1)).to_ref());
                                push!(StackRef::owned((**items).to_ref()));
                                sequence.close();
                                next!(2)
                            }
                            op::UNPACK_SEQUENCE_TUPLE | op::UNPACK_SEQUENCE_LIST => {
                                let sequence = peek!(1);
                                let tuple = opcode == op::UNPACK_SEQUENCE_TUPLE;
                                let want = if tuple { raw::tuple_type() } else { raw::list_type() };
                                guard!(
                                    sequence.type_ptr() == want && raw::var_len(sequence.ptr()) == oparg,
                                    op::UNPACK_SEQUENCE
                                );
                                let items = if tuple {
                                    raw::tuple_items(sequence.ptr())
                                } else {
                                    raw::list_items(sequence.ptr())
                                };
                                sp = sp.sub(1);
                                let mut i = oparg;
                                while i > 0 {
                                    i -= 1;
                                    push!(StackRef::owned((**items.add(i)).to_ref()));
                                }
                                sequence.close();
                                next!(2)
                            }
                            op::UNPACK_EX => step!(collections::unpack_ex),
                            op::GET_LEN => step!(matching::get_len),

                            // ---- building ----
                            op::BUILD_TUPLE => step!(collections::build_tuple),
                            op::BUILD_LIST => step!(collections::build_list),
                            op::BUILD_MAP => step!(collections::build_map),
                            op::BUILD_SET => step!(collections::build_set),
                            op::BUILD_SLICE => step!(collections::build_slice),
                            op::BUILD_STRING => step!(formatting::build_string),
                            op::BUILD_INTERPOLATION => step!(formatting::build_interpolation),
                            op::BUILD_TEMPLATE => step!(formatting::build_template),
                            op::CONVERT_VALUE => step!(formatting::convert_value),
                            op::FORMAT_SIMPLE => step!(formatting::format_simple),
                            op::FORMAT_WITH_SPEC => step!(formatting::format_with_spec),
                            op::LIST_APPEND => {
                                let item = pop!().into_ref();
                                (*peek!(oparg).ptr().cast::<List>()).append(item);
                                next!(1)
                            }
                            op::SET_ADD => step!(collections::set_add),
                            op::MAP_ADD => step!(collections::map_add),
                            op::LIST_EXTEND => step!(collections::list_extend),
                            op::SET_UPDATE => step!(collections::set_update),
                            op::DICT_UPDATE => step!(collections::dict_update),
                            op::DICT_MERGE => step!(collections::dict_merge),

                            // ---- pattern matching ----
                            op::MATCH_CLASS => step!(matching::match_class),
                            op::MATCH_KEYS => step!(matching::match_keys),
                            op::MATCH_MAPPING => {
                                let found =
                                    peek!(1).object().ob_type().has_flag(TypeFlags::MAPPING);
                                push!(raw::bool_slot(found, vm));
                                next!(1)
                            }
                            op::MATCH_SEQUENCE => {
                                let found =
                                    peek!(1).object().ob_type().has_flag(TypeFlags::SEQUENCE);
                                push!(raw::bool_slot(found, vm));
                                next!(1)
                            }

                            // ---- import and classes ----
                            op::IMPORT_NAME => step!(importing::import_name),
                            op::IMPORT_FROM => step!(importing::import_from),
                            op::SETUP_ANNOTATIONS => step!(classes::setup_annotations),

                            // ---- exceptions ----
                            op::RAISE_VARARGS => {
                                save!();
                                if exceptions::raise_varargs(vm, Stack::new(sp), oparg) {
                                    // A bare `raise`: the traceback has this frame's entry already.
                                    break 'run Leave::Reraise;
                                }
                                sp = sp.sub(oparg);
                                error!()
                            }
                            op::RERAISE => {
                                let exception = pop!();
                                (*frame).instr_ptr = ip;
                                if oparg != 0 {
                                    if let Some(lasti) = raw::compact_int(peek!(oparg)) {
                                        (*frame).instr_ptr = InterpreterFrame::code(frame)
                                            .code_ptr()
                                            .offset(lasti as isize);
                                    }
                                }
                                unwind::restore(exception, vm);
                                break 'run Leave::Reraise;
                            }
                            op::PUSH_EXC_INFO => {
                                let exception = pop!();
                                push!(exceptions::push_handled(exception, vm));
                                push!(exception);
                                next!(1)
                            }
                            op::POP_EXCEPT => {
                                let previous = pop!();
                                exceptions::pop_handled(previous, vm);
                                next!(1)
                            }
                            op::CHECK_EXC_MATCH => step!(exceptions::check_exc_match),
                            op::CHECK_EG_MATCH => step!(exceptions::check_eg_match),
                            op::WITH_EXCEPT_START => step!(exceptions::with_except_start),

                            op::CACHE
                            | op::RESERVED
                            | op::INTERPRETER_EXIT
                            | op::ENTER_EXECUTOR
                            | op::INSTRUMENTED_LINE
                            | op::INSTRUMENTED_INSTRUCTION => {
                                save!();
                                unwind::raise_unknown_opcode(opcode, vm);
                                error!()
                            }
                            _ => {
                                save!();
                                unwind::raise_unknown_opcode(opcode, vm);
                                error!()
                            }
                        }
                    }
                }
            };

            // An exception waits.
            let mut trace = matches!(leave, Leave::Error | Leave::Thrown);
            let mut search = leave != Leave::Unwind;
            if leave == Leave::Error {
                (*frame).instr_ptr = ip;
            }
            loop {
                if trace && !InterpreterFrame::is_incomplete(frame) {
                    unwind::add_traceback(frame, vm);
                }
                if search {
                    if let Some(target) = unwind::find_handler(frame, ip) {
                        (ip, sp) = unwind::enter_handler(frame, sp, target, vm);
                        continue 'outer;
                    }
                }
                let base = InterpreterFrame::stack_base(frame);
                while sp > base {
                    sp = sp.sub(1);
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
