//! Names: locals by name, globals, builtins, cells in class bodies, and the errors of unbound ones.

use crate::builtins::cell::PyCell;
use crate::exceptions::name_error;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

unsafe fn name<'a>(frame: *mut InterpreterFrame, index: usize) -> &'a Str {
    // SAFETY: the compiler only emits indices that `co_names` has.
    unsafe { InterpreterFrame::code(frame).name_at(index) }
}

#[cold]
fn undefined(name: &Str, vm: &Vm) -> Raised {
    let text = format!("name '{}' is not defined", name.to_string_lossy());
    name_error::raise_name_error(types::name_error(), &text, name.as_object(), vm)
}

/// Raises for a local that has no value.
///
/// # Safety
/// `index` is a local of the frame's code.
#[cold]
pub unsafe fn raise_unbound_local(frame: *mut InterpreterFrame, index: usize, vm: &Vm) {
    // SAFETY: the caller vouches for the index.
    let name = unsafe { InterpreterFrame::code(frame).localsplus_name(index) };
    let shown = name.to_string_lossy();
    vm.unbound_local_error(format!(
        "cannot access local variable '{shown}' where it is not associated with a value"
    ));
}

/// Raises for a cell that has no value.
///
/// # Safety
/// `index` is a cell or free variable of the frame's code.
#[cold]
pub unsafe fn raise_unbound_deref(frame: *mut InterpreterFrame, index: usize, vm: &Vm) {
    // SAFETY: the caller vouches for the index.
    unsafe {
        let code = InterpreterFrame::code(frame);
        if index < code.nlocalsplus() - code.nfreevars() {
            raise_unbound_local(frame, index, vm);
            return;
        }
        let name = code.localsplus_name(index);
        let text = format!(
            "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
            name.to_string_lossy()
        );
        name_error::raise_name_error(types::name_error(), &text, name.as_object(), vm);
    }
}

/// A global or builtin; `NameError` when there is neither.
///
/// # Safety
/// The frame is running.
#[inline(never)]
pub unsafe fn global(frame: *mut InterpreterFrame, name: &Str, vm: &Vm) -> PyResult {
    // SAFETY: the frame borrows both from its function.
    let (globals, builtins) = unsafe { (&*(*frame).globals, &*(*frame).builtins) };
    match find_global(globals, builtins, name, vm)? {
        Some(value) => Ok(value),
        None => Err(undefined(name, vm)),
    }
}

/// The value of a dict's entry, while its keys are those of `version`.
///
/// # Safety
/// The index was found under that version; the borrow ends before the dict can change.
#[inline(always)]
pub unsafe fn value_if_version(dict: &Dict, version: u32, index: u16) -> Option<&Object> {
    if dict.current_keys_version() != version {
        return None;
    }
    // SAFETY: passed on to the caller.
    unsafe { dict.value_at(index) }
}

fn find_global(globals: &Object, builtins: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(value) = mapping_get(globals, name, vm)? {
        return Ok(Some(value));
    }
    mapping_get(builtins, name, vm)
}

/// `mapping[name]`, or none when it has no such key.
#[inline(never)]
pub fn mapping_get(mapping: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if let Some(dict) = mapping.downcast_exact::<Dict>() {
        return dict.get_str(name, vm);
    }
    match mapping.get_item(name.as_object(), vm) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => {
            if !vm.exception_matches(types::key_error()) {
                return Err(raised);
            }
            vm.clear_exception();
            Ok(None)
        }
    }
}

unsafe fn locals_of<'a>(
    frame: *mut InterpreterFrame,
    what: &str,
    name: &Str,
    vm: &Vm,
) -> PyResult<&'a Object> {
    // SAFETY: the frame owns its locals.
    match unsafe { (*frame).locals.as_ref() } {
        Some(locals) => Ok(locals),
        None => Err(vm.system_error(format!("no locals {what} '{}'", name.to_string_lossy()))),
    }
}

/// `LOAD_NAME`: a name of the class or module body, of the globals, of the built-ins.
#[inline(never)]
pub unsafe fn load_name(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg);
        let locals = locals_of(frame, "when loading", name, vm)?;
        let value = match mapping_get(locals, name, vm)? {
            Some(value) => value,
            None => global(frame, name, vm)?,
        };
        Ok(s.push(StackRef::owned(value)))
    }
}

/// `STORE_NAME`: binds a name in the frame's namespace.
#[inline(never)]
pub unsafe fn store_name(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg);
        let locals = locals_of(frame, "found when storing", name, vm)?;
        match locals.downcast_exact::<Dict>() {
            Some(dict) => dict.set_str(name, s.object(1), vm)?,
            None => locals.set_item(name.as_object(), s.object(1), vm)?,
        }
        Ok(s.drop(1))
    }
}

/// `DELETE_NAME`: unbinds a name in the frame's namespace.
#[inline(never)]
pub unsafe fn delete_name(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg);
        let locals = locals_of(frame, "when deleting", name, vm)?;
        if locals.del_item(name.as_object(), vm).is_err() {
            if vm.exception_matches(types::key_error()) {
                vm.clear_exception();
                return Err(undefined(name, vm));
            }
            return Err(Raised);
        }
        Ok(s)
    }
}

/// `STORE_GLOBAL`: binds a global name.
#[inline(never)]
pub unsafe fn store_global(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. Globals are always a dict.
    unsafe {
        let globals = (*frame).globals.cast::<Dict>();
        (*globals).set_str(name(frame, oparg), s.object(1), vm)?;
        Ok(s.drop(1))
    }
}

/// `DELETE_GLOBAL`: unbinds a global name.
#[inline(never)]
pub unsafe fn delete_global(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. Globals are always a dict.
    unsafe {
        let name = name(frame, oparg);
        let globals = (*frame).globals.cast::<Dict>();
        if !(*globals).del_item(name.as_object(), vm)? {
            return Err(undefined(name, vm));
        }
        Ok(s)
    }
}

/// `LOAD_LOCALS`: the frame's namespace.
#[inline(never)]
pub unsafe fn load_locals(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        match (*frame).locals.as_ref() {
            Some(locals) => Ok(s.push(StackRef::owned(locals.to_ref()))),
            None => Err(vm.system_error("no locals")),
        }
    }
}

/// `LOAD_FROM_DICT_OR_GLOBALS`: a name of the mapping on top, else a global or built-in one.
#[inline(never)]
pub unsafe fn load_from_dict_or_globals(
    vm: &Vm,
    frame: *mut InterpreterFrame,
    s: Stack,
    oparg: usize,
) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = name(frame, oparg);
        let value = match mapping_get(s.object(1), name, vm)? {
            Some(value) => value,
            None => global(frame, name, vm)?,
        };
        Ok(s.replace(1, value))
    }
}

/// `LOAD_FROM_DICT_OR_DEREF`: a name of the mapping on top, else what its cell holds.
#[inline(never)]
pub unsafe fn load_from_dict_or_deref(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler only names cells here.
    unsafe {
        let name = InterpreterFrame::code(frame).localsplus_name(oparg);
        let value = match mapping_get(s.object(1), name, vm)? {
            Some(value) => value,
            None => {
                let cell = (*InterpreterFrame::locals_ptr(frame).add(oparg)).ptr().cast::<PyCell>();
                match (*cell).contents.get() {
                    Some(value) => value,
                    None => {
                        raise_unbound_deref(frame, oparg, vm);
                        return Err(Raised);
                    }
                }
            }
        };
        Ok(s.replace(1, value))
    }
}

/// `LOAD_BUILD_CLASS`: `builtins.__build_class__`.
#[inline(never)]
pub unsafe fn load_build_class(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        match mapping_get(&*(*frame).builtins, vm.ids().__build_class__, vm)? {
            Some(value) => Ok(s.push(StackRef::owned(value))),
            None => Err(name_error::raise_name_error(
                types::name_error(),
                "__build_class__ not found",
                vm.ids().__build_class__.as_object(),
                vm,
            )),
        }
    }
}

/// `LOAD_COMMON_CONSTANT`: `AssertionError` and the like, by number.
#[inline(never)]
pub unsafe fn load_common_constant(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    let value = match oparg {
        0 => types::assertion_error().as_object().to_ref(),
        1 => types::not_implemented_error().as_object().to_ref(),
        2 => Tuple::type_object().as_object().to_ref(),
        // `all` and `any`, whatever the names are bound to by now.
        3 | 4 => {
            let name = if oparg == 3 { "all" } else { "any" };
            crate::interpreter::original_builtin(name, vm)?
        }
        _ => return Err(vm.system_error("unknown common constant")),
    };
    // SAFETY: see `eval::run`.
    Ok(unsafe { s.push(StackRef::owned(value)) })
}
