//! Specialisation (PEP 659): instructions that have run twice look at their operands and become a form that is faster for
//! operands of that kind.
//!
//! A specialised form relies only on what its guards test: exact types, versions of types, of dict keys and of functions.
//! Pointers in caches are borrowed; the version that is tested with them vouches that they are alive.

pub mod attributes;
pub mod cache;
pub mod calls;

use taipan_bytecode::opcode::Opcode;

use crate::builtins::code::CodeUnit;
use crate::builtins::coroutine_flags as co;
use crate::builtins::float::Float;
use crate::builtins::generator::{Coroutine, Generator};
use crate::builtins::type_::lookup::{assign_version, lookup};
use crate::interpreter::eval::arithmetic::{extend, nb};
use crate::interpreter::eval::iteration;
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::raw;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

pub use attributes::{load_attr, store_attr};
pub use calls::{call, is_isinstance, is_len, is_list_append};

unsafe fn settle(ip: *mut CodeUnit, form: Option<Opcode>) {
    // SAFETY: the callers pass adaptive instructions with a form of their family.
    unsafe {
        match form {
            Some(opcode) => cache::succeed(ip, opcode),
            None => cache::fail(ip),
        }
    }
}

/// `LOAD_GLOBAL`.
///
/// # Safety
/// `ip` is the instruction and `frame` runs it.
#[cold]
pub unsafe fn load_global(frame: *mut InterpreterFrame, ip: *mut CodeUnit, name: &Str, vm: &Vm) {
    // SAFETY: the caller vouches for both.
    unsafe { settle(ip, global_form(frame, ip, name, vm)) }
}

unsafe fn global_form(
    frame: *mut InterpreterFrame,
    ip: *mut CodeUnit,
    name: &Str,
    vm: &Vm,
) -> Option<Opcode> {
    // SAFETY: the frame borrows both from its function; the cache has five units.
    unsafe {
        let globals = (*(*frame).globals).downcast_exact::<Dict>()?;
        let builtins = (*(*frame).builtins).downcast_exact::<Dict>()?;
        let version = u16::try_from(globals.keys_version(vm)).ok().filter(|&v| v != 0)?;
        if let Some(index) = globals.index_of_interned(name, vm) {
            cache::set_u16(ip, 2, index);
            cache::set_u16(ip, 3, version);
            return Some(Opcode::LoadGlobalModule);
        }
        let builtins_version = u16::try_from(builtins.keys_version(vm)).ok().filter(|&v| v != 0)?;
        let index = builtins.index_of_interned(name, vm)?;
        cache::set_u16(ip, 2, index);
        cache::set_u16(ip, 3, version);
        cache::set_u16(ip, 4, builtins_version);
        Some(Opcode::LoadGlobalBuiltin)
    }
}

/// `TO_BOOL`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn to_bool(ip: *mut CodeUnit, value: StackRef, vm: &Vm) {
    // SAFETY: the caller vouches for both; the cache has three units.
    unsafe {
        let tp = value.type_ptr();
        let form = if tp == raw::bool_type() {
            Some(Opcode::ToBoolBool)
        } else if tp == raw::int_type() {
            Some(Opcode::ToBoolInt)
        } else if tp == raw::list_type() {
            Some(Opcode::ToBoolList)
        } else if tp == raw::str_type() {
            Some(Opcode::ToBoolStr)
        } else if value.is(vm.none_ref()) {
            Some(Opcode::ToBoolNone)
        } else {
            let tp = &*tp;
            let always = tp.has_flag(TypeFlags::HEAPTYPE)
                && tp.as_number().is_none_or(|n| n.nb_bool.get().is_none())
                && tp.as_mapping().is_none_or(|m| m.mp_length.get().is_none())
                && tp.as_sequence().is_none_or(|s| s.sq_length.get().is_none());
            let version = if always { assign_version(tp, vm) } else { 0 };
            cache::set_u32(ip, 2, version);
            (version != 0).then_some(Opcode::ToBoolAlwaysTrue)
        };
        settle(ip, form);
    }
}

/// `CONTAINS_OP`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn contains_op(ip: *mut CodeUnit, container: StackRef, _vm: &Vm) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let tp = container.type_ptr();
        let form = if tp == Dict::static_type() {
            Some(Opcode::ContainsOpDict)
        } else if tp == Set::static_type() {
            Some(Opcode::ContainsOpSet)
        } else {
            None
        };
        settle(ip, form);
    }
}

/// `COMPARE_OP`.
///
/// # Safety
/// `ip` is the instruction and the slots are filled.
#[cold]
pub unsafe fn compare_op(ip: *mut CodeUnit, left: StackRef, right: StackRef, oparg: usize) {
    // SAFETY: the caller vouches for all.
    unsafe {
        let tp = left.type_ptr();
        let form = if tp != right.type_ptr() {
            None
        } else if tp == raw::int_type() {
            let compact = raw::compact_int(left).is_some() && raw::compact_int(right).is_some();
            compact.then_some(Opcode::CompareOpInt)
        } else if tp == Float::static_type() {
            Some(Opcode::CompareOpFloat)
        } else if tp == raw::str_type() && matches!(oparg >> 5, 2 | 3) {
            Some(Opcode::CompareOpStr)
        } else {
            None
        };
        settle(ip, form);
    }
}

/// `BINARY_OP`.
///
/// # Safety
/// `ip` is the instruction, `frame` runs it, and the slots are filled.
#[cold]
pub unsafe fn binary_op(
    ip: *mut CodeUnit,
    frame: *mut InterpreterFrame,
    left: StackRef,
    right: StackRef,
    oparg: usize,
    vm: &Vm,
) {
    // SAFETY: the caller vouches for all; the cache has five units.
    unsafe { settle(ip, binary_form(ip, frame, left, right, oparg, vm)) }
}

unsafe fn binary_form(
    ip: *mut CodeUnit,
    frame: *mut InterpreterFrame,
    left: StackRef,
    right: StackRef,
    oparg: usize,
    vm: &Vm,
) -> Option<Opcode> {
    // SAFETY: as for `binary_op`.
    unsafe {
        let (a, b) = (left.type_ptr(), right.type_ptr());
        let (int, float) = (raw::int_type(), Float::static_type());
        if oparg == nb::SUBSCR {
            return subscript_form(left, right, vm);
        }
        if a == int && b == int {
            raw::compact_int(left)?;
            raw::compact_int(right)?;
            return match oparg {
                nb::ADD | nb::INPLACE_ADD => Some(Opcode::BinaryOpAddInt),
                nb::SUBTRACT | nb::INPLACE_SUBTRACT => Some(Opcode::BinaryOpSubtractInt),
                nb::MULTIPLY | nb::INPLACE_MULTIPLY => Some(Opcode::BinaryOpMultiplyInt),
                _ => extended_form(ip, extend::INT_INT, left, right, oparg, vm),
            };
        }
        if a == float && b == float {
            return match oparg {
                nb::ADD | nb::INPLACE_ADD => Some(Opcode::BinaryOpAddFloat),
                nb::SUBTRACT | nb::INPLACE_SUBTRACT => Some(Opcode::BinaryOpSubtractFloat),
                nb::MULTIPLY | nb::INPLACE_MULTIPLY => Some(Opcode::BinaryOpMultiplyFloat),
                _ => extended_form(ip, extend::FLOAT_FLOAT, left, right, oparg, vm),
            };
        }
        if a == float && b == int {
            return extended_form(ip, extend::FLOAT_INT, left, right, oparg, vm);
        }
        if a == int && b == float {
            return extended_form(ip, extend::INT_FLOAT, left, right, oparg, vm);
        }
        if a == raw::str_type() && b == a && matches!(oparg, nb::ADD | nb::INPLACE_ADD) {
            let store = *ip.add(6);
            let in_place = store.opcode() == Opcode::StoreFast && {
                let local = *InterpreterFrame::locals_ptr(frame).add(store.oparg() as usize);
                local.ptr() == left.ptr()
            };
            return Some(if in_place {
                Opcode::BinaryOpInplaceAddUnicode
            } else {
                Opcode::BinaryOpAddUnicode
            });
        }
        None
    }
}

unsafe fn extended_form(
    ip: *mut CodeUnit,
    kinds: u64,
    left: StackRef,
    right: StackRef,
    oparg: usize,
    vm: &Vm,
) -> Option<Opcode> {
    // SAFETY: as for `binary_op`; trying the operator has no effect beyond its result.
    unsafe {
        crate::interpreter::eval::arithmetic::extended(kinds, oparg, left, right, vm)?.close();
        cache::set_u64(ip, 2, kinds);
    }
    Some(Opcode::BinaryOpExtend)
}

unsafe fn subscript_form(left: StackRef, right: StackRef, vm: &Vm) -> Option<Opcode> {
    // SAFETY: as for `binary_op`.
    unsafe {
        let (a, b) = (left.type_ptr(), right.type_ptr());
        if a == Dict::static_type() {
            return Some(Opcode::BinaryOpSubscrDict);
        }
        if b == raw::int_type() && raw::small_index(right).is_some() {
            if a == raw::list_type() {
                return Some(Opcode::BinaryOpSubscrListInt);
            }
            if a == raw::tuple_type() {
                return Some(Opcode::BinaryOpSubscrTupleInt);
            }
            if a == raw::str_type() {
                return Some(Opcode::BinaryOpSubscrStrInt);
            }
        }
        let tp = &*a;
        let heap = tp.as_heap_type()?;
        let method = lookup(tp, vm.ids().__getitem__, vm)?.downcast_exact::<Function>()?;
        if assign_version(tp, vm) == 0 || !method.code().is_simple() || method.code().argcount.get() != 2 {
            return None;
        }
        heap.spec_cache[0].set(method.as_object().as_ptr().cast());
        Some(Opcode::BinaryOpSubscrGetitem)
    }
}

/// The Python `__getitem__` that was remembered for the type of a slot, when it still takes two arguments.
///
/// # Safety
/// The slot is filled.
#[inline(always)]
pub unsafe fn cached_getitem<'a>(slot: StackRef, _vm: &Vm) -> Option<&'a Function> {
    // SAFETY: a change of the type clears what is remembered.
    unsafe {
        let heap = (*slot.type_ptr()).as_heap_type()?;
        let method = heap.spec_cache[0].get().cast::<Function>().as_ref()?;
        (method.code().is_simple() && method.code().argcount.get() == 2).then_some(method)
    }
}

/// `STORE_SUBSCR`.
///
/// # Safety
/// `ip` is the instruction and the slots are filled.
#[cold]
pub unsafe fn store_subscr(ip: *mut CodeUnit, container: StackRef, index: StackRef) {
    // SAFETY: the caller vouches for all.
    unsafe {
        let tp = container.type_ptr();
        let form = if tp == Dict::static_type() {
            Some(Opcode::StoreSubscrDict)
        } else if tp == raw::list_type()
            && index.type_ptr() == raw::int_type()
            && raw::small_index(index).is_some()
        {
            Some(Opcode::StoreSubscrListInt)
        } else {
            None
        };
        settle(ip, form);
    }
}

/// `FOR_ITER`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn for_iter(ip: *mut CodeUnit, iterator: StackRef, _oparg: usize) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let form = if iteration::is_list_iterator(iterator) {
            Some(Opcode::ForIterList)
        } else if iteration::is_tuple_iterator(iterator) {
            Some(Opcode::ForIterTuple)
        } else if iteration::is_range_iterator(iterator) {
            Some(Opcode::ForIterRange)
        } else if iterator.type_ptr() == Generator::static_type() {
            Some(Opcode::ForIterGen)
        } else {
            None
        };
        settle(ip, form);
    }
}

/// `SEND`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn send(ip: *mut CodeUnit, receiver: StackRef) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let tp = receiver.type_ptr();
        let known = tp == Generator::static_type() || tp == Coroutine::static_type();
        settle(ip, known.then_some(Opcode::SendGen));
    }
}

/// `UNPACK_SEQUENCE`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn unpack_sequence(ip: *mut CodeUnit, sequence: StackRef, oparg: usize) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let tp = sequence.type_ptr();
        let form = if tp == raw::tuple_type() && raw::var_len(sequence.ptr()) == oparg {
            Some(if oparg == 2 { Opcode::UnpackSequenceTwoTuple } else { Opcode::UnpackSequenceTuple })
        } else if tp == raw::list_type() && raw::var_len(sequence.ptr()) == oparg {
            Some(Opcode::UnpackSequenceList)
        } else {
            None
        };
        settle(ip, form);
    }
}

/// `LOAD_SUPER_ATTR`.
///
/// # Safety
/// `ip` is the instruction and the slots are filled.
#[cold]
pub unsafe fn load_super_attr(ip: *mut CodeUnit, super_type: StackRef, cls: StackRef, method: bool) {
    // SAFETY: the caller vouches for all.
    unsafe {
        let plain = super_type.is(crate::builtins::super_::Super::type_object().as_object())
            && cls.object().downcast_ref::<Type>().is_some();
        let form = if method { Opcode::LoadSuperAttrMethod } else { Opcode::LoadSuperAttrAttr };
        settle(ip, plain.then_some(form));
    }
}

/// Whether a function's frame can be filled by moving `count` positional arguments.
pub(crate) fn takes_exactly(function: &Function, count: usize) -> bool {
    let code = function.code();
    function.has_own_vectorcall()
        && code.is_simple()
        && code.argcount.get() as usize == count
        && code.flags.get() & co::OPTIMIZED != 0
}
