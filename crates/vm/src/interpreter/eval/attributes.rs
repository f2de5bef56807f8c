//! Attribute access, `super()`, and the special methods of `with`.

use crate::builtins::dict::managed;
use crate::builtins::super_;
use crate::builtins::type_::lookup::lookup;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::attributes::{bind, get_attr, get_method};

unsafe fn name<'a>(frame: *mut InterpreterFrame, index: usize) -> &'a Str {
    // SAFETY: the compiler only emits indices that `co_names` has.
    unsafe { InterpreterFrame::code(frame).name_at(index) }
}

/// `LOAD_ATTR`: with the lowest bit of the operand set, leaves `function, self` or `callable, NULL`.
#[inline(never)]
pub unsafe fn load_attr(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg >> 1);
        if oparg & 1 == 0 {
            let value = get_attr(s.object(1), name, vm)?;
            return Ok(s.replace(1, value));
        }
        let (value, unbound) = get_method(s.object(1), name, vm)?;
        if unbound {
            let (s, owner) = s.pop();
            return Ok(s.push(StackRef::owned(value)).push(owner));
        }
        Ok(s.replace(1, value).push(StackRef::NULL))
    }
}

/// `STORE_ATTR`: `owner.name = value`.
#[inline(never)]
pub unsafe fn store_attr(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        crate::protocols::attributes::set_attr(s.object(1), name(frame, oparg), Some(s.object(2)), vm)?;
        Ok(s.drop(2))
    }
}

/// `DELETE_ATTR`: `del owner.name`.
#[inline(never)]
pub unsafe fn delete_attr(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        crate::protocols::attributes::set_attr(s.object(1), name(frame, oparg), None, vm)?;
        Ok(s.drop(1))
    }
}

/// `LOAD_SUPER_ATTR`: `super`, the class and the object lie on the stack. Bit 0 of the operand asks for a method pair,
/// bit 1 says that `super` was called with two arguments.
#[inline(never)]
pub unsafe fn load_super_attr(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg >> 2);
        let (super_type, cls, object) = (s.object(3), s.object(2), s.object(1));
        let method = oparg & 1 != 0;
        if super_type.is(super_::Super::type_object().as_object()) {
            if let Some(cls) = cls.downcast_ref::<Type>() {
                if method {
                    if let Some(function) = super_::super_method(cls, object, name, vm)? {
                        let receiver = s.peek(1);
                        let s = s.forget(1).drop(2);
                        return Ok(s.push(StackRef::owned(function)).push(receiver));
                    }
                }
                let value = super_::super_attr(cls, object, name, vm)?;
                let s = s.replace(3, value);
                return Ok(if method { s.push(StackRef::NULL) } else { s });
            }
        }
        // `super` is bound to something else, or the class is none.
        let proxy = if oparg & 2 != 0 {
            super_type.call(&[cls, object], vm)?
        } else {
            super_type.call_no_args(vm)?
        };
        let value = get_attr(&proxy, name, vm)?;
        drop(proxy);
        let s = s.replace(3, value);
        Ok(if method { s.push(StackRef::NULL) } else { s })
    }
}

/// `LOAD_SPECIAL`: looks `__enter__` and its like up in the type; leaves `function, self` or `callable, NULL`.
#[inline(never)]
pub unsafe fn load_special(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let ids = vm.ids();
        let name = match oparg {
            0 => ids.__enter__,
            1 => ids.__exit__,
            2 => ids.__aenter__,
            _ => ids.__aexit__,
        };
        let owner = s.object(1);
        let tp = owner.ob_type();
        let Some(attribute) = lookup(tp, name, vm).map(Object::to_ref) else {
            return Err(no_context_manager(owner, oparg, vm));
        };
        if attribute.ob_type().has_flag(TypeFlags::METHOD_DESCRIPTOR) {
            let (s, owner) = s.pop();
            return Ok(s.push(StackRef::owned(attribute)).push(owner));
        }
        let bound = bind(&attribute, Some(owner), tp, vm)?;
        Ok(s.replace(1, bound).push(StackRef::NULL))
    }
}

#[cold]
fn no_context_manager(owner: &Object, which: usize, vm: &Vm) -> Raised {
    let ids = vm.ids();
    let tp = owner.ob_type();
    let has = |name: &Str| lookup(tp, name, vm).is_some();
    let name = tp.tp_name_str();
    let (kind, missed, other) = match which {
        0 if has(ids.__exit__) => ("", " (missed __enter__ method)", false),
        0 => ("", "", false),
        1 => ("", " (missed __exit__ method)", has(ids.__aenter__) && has(ids.__aexit__)),
        2 if has(ids.__aexit__) => ("asynchronous ", " (missed __aenter__ method)", false),
        2 => ("asynchronous ", "", false),
        _ => ("asynchronous ", " (missed __aexit__ method)", has(ids.__enter__) && has(ids.__exit__)),
    };
    let other_known = other
        || match which {
            0 => has(ids.__aenter__) && has(ids.__aexit__),
            2 => has(ids.__enter__) && has(ids.__exit__),
            _ => false,
        };
    let hint = match (other_known, which < 2) {
        (false, _) => "",
        (true, true) => {
            " but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?"
        }
        (true, false) => " but it supports the context manager protocol. Did you mean to use 'with'?",
    };
    vm.type_error(format!(
        "'{name}' object does not support the {kind}context manager protocol{missed}{hint}"
    ))
}

/// The dict of a module in a slot; none for anything else.
///
/// # Safety
/// The slot is filled.
#[inline(always)]
pub unsafe fn module_dict<'a>(owner: StackRef) -> Option<&'a Dict> {
    // SAFETY: the type is checked; a module's dict lives as long as the module.
    unsafe {
        if owner.type_ptr() != Module::static_type() {
            return None;
        }
        (*owner.ptr().cast::<Module>()).md_dict.as_raw().cast::<Dict>().as_ref()
    }
}

/// The attribute at `index` of an instance's inline values; none when it is unset or the values have moved to a dict.
///
/// # Safety
/// The type of `object` has inline values with that index.
#[inline(always)]
pub unsafe fn inline_value(object: &Object, index: u16) -> Option<&Object> {
    // SAFETY: passed on to the caller.
    unsafe { managed::inline_value_at(object, index) }
}

/// Stores into an instance's inline values; moves the slot's reference on success. False when the slow way must be taken.
///
/// # Safety
/// As for [`inline_value`].
#[inline(always)]
pub unsafe fn store_inline_value(object: &Object, index: u16, slot: *mut StackRef) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { managed::store_inline_value(object, index, slot) }
}

/// Whether the instance still keeps its attributes inline with keys of the given version, so that no attribute of it can
/// hide a name that those keys lack.
///
/// # Safety
/// The type of `object` has inline values.
#[inline(always)]
pub unsafe fn inline_keys_unchanged(object: &Object, version: u32) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { managed::inline_keys_version(object) == version }
}

/// The attribute `name` of an instance's dictionary, expected at `hint`.
///
/// # Safety
/// The borrow ends before Python code can run.
#[inline(always)]
pub unsafe fn dict_value<'a>(object: &'a Object, name: &Str, hint: u16) -> Option<&'a Object> {
    // SAFETY: passed on to the caller.
    unsafe { managed::dict_value_at(object, name, hint) }
}
