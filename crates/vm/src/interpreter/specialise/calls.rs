//! Specialising calls.

use taipan_bytecode::opcode::Opcode;
use taipan_object::defs::meth;

use super::{cache, settle, takes_exactly};
use crate::builtins::builtin_function::BuiltinFunction;
use crate::builtins::code::CodeUnit;
use crate::builtins::descr::MethodDescriptor;
use crate::builtins::type_::lookup::{assign_version, lookup};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// `CALL`.
///
/// # Safety
/// `ip` is the instruction and the stack holds callable, self or NULL, and `oparg` arguments.
#[cold]
pub unsafe fn call(ip: *mut CodeUnit, sp: *mut StackRef, oparg: usize, vm: &Vm) {
    // SAFETY: the caller vouches for the stack.
    unsafe {
        let callable = (*sp.sub(oparg + 2)).object();
        let has_self = !(*sp.sub(oparg + 1)).is_null();
        settle(ip, form(ip, callable, has_self, oparg, vm));
    }
}

unsafe fn form(
    ip: *mut CodeUnit,
    callable: &Object,
    has_self: bool,
    oparg: usize,
    vm: &Vm,
) -> Option<Opcode> {
    let total = oparg + usize::from(has_self);
    // SAFETY: the cache has three units.
    unsafe {
        if let Some(function) = callable.downcast_exact::<Function>() {
            let version = function.version_for_specialising(vm);
            if version != 0 && takes_exactly(function, total) {
                cache::set_u32(ip, 2, version);
                return Some(Opcode::CallPyExactArgs);
            }
            return Some(Opcode::CallPyGeneral);
        }
        if let Some(method) = callable.downcast_exact::<Method>() {
            let target = method.im_func.get()?;
            let function = target.downcast_exact::<Function>()?;
            let version = function.version_for_specialising(vm);
            if !has_self && version != 0 && takes_exactly(function, oparg + 1) {
                cache::set_u32(ip, 2, version);
                return Some(Opcode::CallBoundMethodExactArgs);
            }
            return Some(Opcode::CallBoundMethodGeneral);
        }
        if let Some(native) = callable.downcast_exact::<BuiltinFunction>() {
            return Some(native_form(native, callable, has_self, oparg, vm));
        }
        if let Some(descriptor) = callable.downcast_exact::<MethodDescriptor>() {
            return Some(descriptor_form(ip, descriptor, callable, oparg, total, vm));
        }
        if let Some(cls) = callable.downcast_ref::<Type>() {
            return Some(class_form(ip, cls, has_self, oparg, vm));
        }
    }
    Some(Opcode::CallNonPyGeneral)
}

const CONVENTION: i32 =
    meth::VARARGS | meth::FASTCALL | meth::NOARGS | meth::O | meth::KEYWORDS | meth::METHOD;
const FAST_KEYWORDS: i32 = meth::FASTCALL | meth::KEYWORDS;

fn native_form(native: &BuiltinFunction, callable: &Object, has_self: bool, oparg: usize, vm: &Vm) -> Opcode {
    let originals = &vm.interp().originals;
    if has_self {
        return Opcode::CallNonPyGeneral;
    }
    match native.def().ml_flags & CONVENTION {
        meth::O if oparg == 1 => {
            if crate::interpreter::original_builtin("len", vm).is_ok_and(|len| len.is(callable)) {
                originals.len.put(callable.to_ref());
                return Opcode::CallLen;
            }
            Opcode::CallBuiltinO
        }
        meth::FASTCALL => {
            if oparg == 2
                && crate::interpreter::original_builtin("isinstance", vm).is_ok_and(|f| f.is(callable))
            {
                return Opcode::CallIsinstance;
            }
            Opcode::CallBuiltinFast
        }
        FAST_KEYWORDS => Opcode::CallBuiltinFastWithKeywords,
        _ => Opcode::CallNonPyGeneral,
    }
}

unsafe fn descriptor_form(
    ip: *mut CodeUnit,
    descriptor: &MethodDescriptor,
    callable: &Object,
    oparg: usize,
    total: usize,
    vm: &Vm,
) -> Opcode {
    match descriptor.def().ml_flags & CONVENTION {
        meth::NOARGS if total == 1 => Opcode::CallMethodDescriptorNoargs,
        meth::O if total == 2 => {
            let append = lookup(List::type_object(), vm.ids().append, vm);
            // SAFETY: code doesn't end with a call.
            let dropped = unsafe { (*ip.add(4)).opcode() == Opcode::PopTop };
            if oparg == 1 && dropped && append.is_some_and(|append| append.is(callable)) {
                vm.interp().originals.list_append.put(callable.to_ref());
                return Opcode::CallListAppend;
            }
            Opcode::CallMethodDescriptorO
        }
        meth::FASTCALL => Opcode::CallMethodDescriptorFast,
        FAST_KEYWORDS => Opcode::CallMethodDescriptorFastWithKeywords,
        _ => Opcode::CallNonPyGeneral,
    }
}

/// The type `type`.
pub(super) fn type_type() -> &'static Type {
    // SAFETY: static storage.
    unsafe { &*Type::static_type() }
}

unsafe fn class_form(ip: *mut CodeUnit, cls: &Type, has_self: bool, oparg: usize, vm: &Vm) -> Opcode {
    if has_self {
        return Opcode::CallNonPyGeneral;
    }
    if oparg == 1 {
        for (tp, opcode) in [
            (type_type(), Opcode::CallType1),
            (Str::type_object(), Opcode::CallStr1),
            (Tuple::type_object(), Opcode::CallTuple1),
        ] {
            if std::ptr::eq(tp, cls) {
                return opcode;
            }
        }
    }
    if !std::ptr::eq(cls.as_object().ob_type(), type_type()) {
        return Opcode::CallNonPyGeneral;
    }
    let Some(heap) = cls.as_heap_type() else {
        return if cls.tp_vectorcall.get().is_some() {
            Opcode::CallBuiltinClass
        } else {
            Opcode::CallNonPyGeneral
        };
    };
    let plain_new = match (cls.tp_new.get(), crate::builtins::object::object_type().tp_new.get()) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        _ => false,
    };
    if plain_new && !cls.has_flag(TypeFlags::IS_ABSTRACT) {
        let init = lookup(cls, vm.ids().__init__, vm).and_then(|init| init.downcast_exact::<Function>());
        if let Some(init) = init.filter(|init| takes_exactly(init, oparg + 1)) {
            let version = assign_version(cls, vm);
            if version != 0 {
                heap.spec_cache[1].set(init.as_object().as_ptr().cast());
                // SAFETY: the cache has three units.
                unsafe { cache::set_u32(ip, 2, version) };
                return Opcode::CallAllocAndEnterInit;
            }
        }
    }
    Opcode::CallNonPyGeneral
}

/// Whether the slot holds the builtin `len`.
#[inline(always)]
pub fn is_len(slot: StackRef, vm: &Vm) -> bool {
    slot.ptr() == vm.interp().originals.len.as_raw()
}

/// Whether the slot holds the builtin `isinstance`.
#[inline(always)]
pub fn is_isinstance(slot: StackRef, vm: &Vm) -> bool {
    slot.ptr() == vm.interp().originals.isinstance.as_raw()
}

/// Whether the slot holds `list.append`.
#[inline(always)]
pub fn is_list_append(slot: StackRef, vm: &Vm) -> bool {
    slot.ptr() == vm.interp().originals.list_append.as_raw()
}
