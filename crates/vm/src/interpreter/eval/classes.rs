//! Making functions and class bodies' annotations.

use crate::interpreter::eval::names::mapping_get;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::prelude::*;

/// `MAKE_FUNCTION`: a function of the topmost code object and the frame's globals.
#[inline(never)]
pub unsafe fn make_function(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler pushed a code object; globals are always a dict.
    unsafe {
        let globals = &*(*frame).globals.cast::<Dict>();
        let code = s.object(1).cast::<Code>();
        let function = Function::new_with_builtins(code, globals, &*(*frame).builtins, vm);
        Ok(s.replace(1, function.into_object()))
    }
}

/// `SET_FUNCTION_ATTRIBUTE`: the attribute's value lies below the function.
#[inline(never)]
pub unsafe fn set_function_attribute(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler pushed a function.
    unsafe {
        let (s, function) = s.pop();
        let (s, value) = s.pop();
        let value = value.into_ref();
        let target = function.object().cast::<Function>();
        match oparg {
            1 => target.defaults.set(Some(value.cast_into())),
            2 => target.kwdefaults.set(Some(value.cast_into())),
            4 => target.annotations.set(Some(value)),
            8 => target.closure.set(Some(value.cast_into())),
            _ => {
                // The code object's name knows the place of the function only; its own name comes first.
                if let Some(annotate) = value.downcast_ref::<Function>() {
                    if let Some(owner) = target.qualname.get() {
                        annotate
                            .qualname
                            .put(vm.new_str(&format!("{}.__annotate__", owner.to_string_lossy())));
                    }
                }
                target.annotate.set(Some(value));
            }
        }
        Ok(s.push(function))
    }
}

/// `SETUP_ANNOTATIONS`: makes sure that the body's namespace has `__annotations__`.
#[inline(never)]
pub unsafe fn setup_annotations(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let Some(locals) = (*frame).locals.as_ref() else {
            return Err(vm.system_error("no locals found when setting up annotations"));
        };
        let name = vm.ids().__annotations__;
        if mapping_get(locals, name, vm)?.is_none() {
            let dict = vm.new_dict();
            locals.set_item(name.as_object(), dict.as_object(), vm)?;
        }
        Ok(s)
    }
}
