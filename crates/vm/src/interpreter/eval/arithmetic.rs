//! Operators: unary, binary, comparison and membership.

use crate::builtins::float::Float;
use crate::builtins::int::Int;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::raw;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::number;

/// The operand of `BINARY_OP`.
#[allow(missing_docs)]
pub mod nb {
    pub const ADD: usize = 0;
    pub const AND: usize = 1;
    pub const FLOOR_DIVIDE: usize = 2;
    pub const LSHIFT: usize = 3;
    pub const MATRIX_MULTIPLY: usize = 4;
    pub const MULTIPLY: usize = 5;
    pub const REMAINDER: usize = 6;
    pub const OR: usize = 7;
    pub const POWER: usize = 8;
    pub const RSHIFT: usize = 9;
    pub const SUBTRACT: usize = 10;
    pub const TRUE_DIVIDE: usize = 11;
    pub const XOR: usize = 12;
    pub const INPLACE_ADD: usize = 13;
    pub const INPLACE_AND: usize = 14;
    pub const INPLACE_FLOOR_DIVIDE: usize = 15;
    pub const INPLACE_LSHIFT: usize = 16;
    pub const INPLACE_MATRIX_MULTIPLY: usize = 17;
    pub const INPLACE_MULTIPLY: usize = 18;
    pub const INPLACE_REMAINDER: usize = 19;
    pub const INPLACE_OR: usize = 20;
    pub const INPLACE_POWER: usize = 21;
    pub const INPLACE_RSHIFT: usize = 22;
    pub const INPLACE_SUBTRACT: usize = 23;
    pub const INPLACE_TRUE_DIVIDE: usize = 24;
    pub const INPLACE_XOR: usize = 25;
    pub const SUBSCR: usize = 26;
}

/// Applies the operator that `BINARY_OP`'s operand names.
#[inline(never)]
pub fn operate(operator: usize, a: &Object, b: &Object, vm: &Vm) -> PyResult {
    match operator {
        nb::ADD => number::add(a, b, vm),
        nb::AND => number::and(a, b, vm),
        nb::FLOOR_DIVIDE => number::floor_divide(a, b, vm),
        nb::LSHIFT => number::lshift(a, b, vm),
        nb::MATRIX_MULTIPLY => number::matrix_multiply(a, b, vm),
        nb::MULTIPLY => number::multiply(a, b, vm),
        nb::REMAINDER => number::remainder(a, b, vm),
        nb::OR => number::or(a, b, vm),
        nb::POWER => number::power(a, b, vm.none_ref(), vm),
        nb::RSHIFT => number::rshift(a, b, vm),
        nb::SUBTRACT => number::subtract(a, b, vm),
        nb::TRUE_DIVIDE => number::true_divide(a, b, vm),
        nb::XOR => number::xor(a, b, vm),
        nb::INPLACE_ADD => number::inplace_add(a, b, vm),
        nb::INPLACE_AND => number::inplace_and(a, b, vm),
        nb::INPLACE_FLOOR_DIVIDE => number::inplace_floor_divide(a, b, vm),
        nb::INPLACE_LSHIFT => number::inplace_lshift(a, b, vm),
        nb::INPLACE_MATRIX_MULTIPLY => number::inplace_matrix_multiply(a, b, vm),
        nb::INPLACE_MULTIPLY => number::inplace_multiply(a, b, vm),
        nb::INPLACE_REMAINDER => number::inplace_remainder(a, b, vm),
        nb::INPLACE_OR => number::inplace_or(a, b, vm),
        nb::INPLACE_POWER => number::inplace_power(a, b, vm),
        nb::INPLACE_RSHIFT => number::inplace_rshift(a, b, vm),
        nb::INPLACE_SUBTRACT => number::inplace_subtract(a, b, vm),
        nb::INPLACE_TRUE_DIVIDE => number::inplace_true_divide(a, b, vm),
        nb::INPLACE_XOR => number::inplace_xor(a, b, vm),
        nb::SUBSCR => a.get_item(b, vm),
        _ => Err(vm.system_error("unknown binary operator")),
    }
}

/// `BINARY_OP`: the operator that the argument names, by the number and sequence protocols.
#[inline(never)]
pub unsafe fn binary_op(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let (left, right) = (s.object(2), s.object(1));
        let value = match word_operation(oparg, left, right, vm) {
            Some(value) => value,
            None => operate(oparg, left, right, vm)?,
        };
        Ok(s.replace(2, value))
    }
}

/// The common operators on ints beyond one digit that fit into a machine word.
#[inline]
fn word_operation(operator: usize, left: &Object, right: &Object, vm: &Vm) -> Option<ObjRef> {
    let (a, b) = (left.downcast_exact::<Int>()?.to_i64()?, right.downcast_exact::<Int>()?.to_i64()?);
    let value = match operator {
        nb::ADD | nb::INPLACE_ADD => a.checked_add(b)?,
        nb::SUBTRACT | nb::INPLACE_SUBTRACT => a.checked_sub(b)?,
        nb::MULTIPLY | nb::INPLACE_MULTIPLY => a.checked_mul(b)?,
        _ => small_operation(operator, a, b)?,
    };
    Some(Int::from_i64(value, vm))
}

/// `UNARY_NEGATIVE`: `-value`.
#[inline(never)]
pub unsafe fn unary_negative(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let value = number::negative(s.object(1), vm)?;
        Ok(s.replace(1, value))
    }
}

/// `UNARY_INVERT`: `~value`.
#[inline(never)]
pub unsafe fn unary_invert(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let value = number::invert(s.object(1), vm)?;
        Ok(s.replace(1, value))
    }
}

/// `CONTAINS_OP`: `in`, or `not in` with an argument of 1.
#[inline(never)]
pub unsafe fn contains_op(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let found = s.object(1).contains(s.object(2), vm)?;
        Ok(s.drop(2).push(raw::bool_slot(found != (oparg != 0), vm)))
    }
}

/// The comparison that the upper bits of `COMPARE_OP`'s operand name.
fn comparison(oparg: usize) -> CompareOp {
    match oparg >> 5 {
        0 => CompareOp::Lt,
        1 => CompareOp::Le,
        2 => CompareOp::Eq,
        3 => CompareOp::Ne,
        4 => CompareOp::Gt,
        _ => CompareOp::Ge,
    }
}

/// `COMPARE_OP`: a rich comparison; a flag in the argument asks for a `bool`.
#[inline(never)]
pub unsafe fn compare_op(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let value = s.object(2).rich_compare(s.object(1), comparison(oparg), vm)?;
        // Bit 4 asks for a bool.
        if oparg & 16 != 0 {
            let truth = value.is_true(vm)?;
            drop(value);
            return Ok(s.drop(2).push(raw::bool_slot(truth, vm)));
        }
        Ok(s.replace(2, value))
    }
}

/// Bitwise operators and division of machine words; none where the result may not fit or there is none.
#[inline(always)]
fn small_operation(operator: usize, a: i64, b: i64) -> Option<i64> {
    Some(match operator {
        nb::AND | nb::INPLACE_AND => a & b,
        nb::OR | nb::INPLACE_OR => a | b,
        nb::XOR | nb::INPLACE_XOR => a ^ b,
        nb::RSHIFT | nb::INPLACE_RSHIFT if b >= 0 => a >> b.min(63),
        nb::LSHIFT | nb::INPLACE_LSHIFT if (0..=32).contains(&b) && a.unsigned_abs() < 1 << 30 => a << b,
        nb::FLOOR_DIVIDE | nb::INPLACE_FLOOR_DIVIDE if b != 0 => {
            let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
            if rest != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
        }
        nb::REMAINDER | nb::INPLACE_REMAINDER if b != 0 => {
            let rest = a.checked_rem(b)?;
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        _ => return None,
    })
}

/// What `BINARY_OP_EXTEND` remembers: the kinds of its operands.
pub mod extend {
    /// Two compact ints, bitwise operators.
    pub const INT_INT: u64 = 1;
    /// A float and a compact int.
    pub const FLOAT_INT: u64 = 2;
    /// A compact int and a float.
    pub const INT_FLOAT: u64 = 3;
    /// Two floats, true division.
    pub const FLOAT_FLOAT: u64 = 4;
}

/// The result of an operator on two numbers of the kinds that `BINARY_OP_EXTEND` saw; none when they differ now.
///
/// # Safety
/// Both slots are filled.
#[inline]
pub unsafe fn extended(
    kinds: u64,
    operator: usize,
    left: StackRef,
    right: StackRef,
    vm: &Vm,
) -> Option<StackRef> {
    // SAFETY: the values are read only after the exact types have been tested.
    unsafe {
        let is_int = |slot: StackRef| slot.type_ptr() == raw::int_type();
        let is_float = |slot: StackRef| raw::is_exact::<Float>(slot);
        match kinds {
            extend::INT_INT if is_int(left) && is_int(right) => {
                let (a, b) = (raw::compact_int(left)?, raw::compact_int(right)?);
                Some(StackRef::owned(Int::from_i64(small_operation(operator, a, b)?, vm)))
            }
            extend::FLOAT_INT if is_float(left) && is_int(right) => {
                let b = raw::compact_int(right)? as f64;
                float_result(operator, raw::float_value(left), b, vm)
            }
            extend::INT_FLOAT if is_int(left) && is_float(right) => {
                let a = raw::compact_int(left)? as f64;
                float_result(operator, a, raw::float_value(right), vm)
            }
            extend::FLOAT_FLOAT if is_float(left) && is_float(right) => {
                float_result(operator, raw::float_value(left), raw::float_value(right), vm)
            }
            _ => None,
        }
    }
}

#[inline]
fn float_result(operator: usize, a: f64, b: f64, vm: &Vm) -> Option<StackRef> {
    let value = match operator {
        nb::ADD | nb::INPLACE_ADD => a + b,
        nb::SUBTRACT | nb::INPLACE_SUBTRACT => a - b,
        nb::MULTIPLY | nb::INPLACE_MULTIPLY => a * b,
        nb::TRUE_DIVIDE | nb::INPLACE_TRUE_DIVIDE if b != 0.0 => a / b,
        _ => return None,
    };
    Some(StackRef::owned(Float::new(value, vm)))
}

/// `left + right` of two strings.
///
/// # Safety
/// Both slots hold exact strings.
#[inline(never)]
pub unsafe fn concat(left: StackRef, right: StackRef, vm: &Vm) -> PyResult {
    // SAFETY: the caller vouches for the types.
    unsafe {
        let (left, right) = (left.object().cast::<Str>(), right.object().cast::<Str>());
        Ok(left.concat(right, vm)?.into_object())
    }
}

/// `left += right`, in place when nobody else knows `left`.
#[inline(never)]
pub fn append_str(left: ObjRef, right: &Str, vm: &Vm) -> PyResult {
    // SAFETY: the caller has tested for an exact string.
    let left = unsafe { left.cast_into::<Str>() };
    Ok(Str::append(left, right, vm)?.into_object())
}
