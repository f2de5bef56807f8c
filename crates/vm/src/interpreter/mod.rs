//! Running code: frames, the evaluation loop, calls, unwinding, specialisation.
//!
//! Invariants:
//! - `vm.current_frame` is the innermost frame that runs; a frame that waits has `instr_ptr` and `stackpointer` stored.
//! - The loop never recurses natively for Python code: only native code calls `eval_frame`.
//! - All state of a thread's execution is in the thread-state fields or on the native stack (greenlets swap both).

pub mod binding;
pub mod calls;
pub mod eval;
pub mod frame;
pub mod instrument;
pub mod raw;
pub mod recursion;
pub mod specialise;
pub mod stackref;
pub mod unwind;

use taipan_bytecode::opcode::Opcode;

use crate::builtins::code::kind;
use crate::interpreter::frame::{InterpreterFrame, push_frame};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Runs code in a namespace: a module's body, `exec`, `eval`, a class body. Without `locals`, they are the globals.
///
/// The code has no free variables; `globals` gets `__builtins__` when it has none.
pub fn eval_code(code: &Code, globals: &Dict, locals: Option<&Object>, vm: &Vm) -> PyResult {
    eval_code_with_closure(code, globals, locals, None, vm)
}

/// [`eval_code`] for code with free variables, whose cells are given.
pub fn eval_code_with_closure(
    code: &Code,
    globals: &Dict,
    locals: Option<&Object>,
    closure: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    let builtins = builtins_of(globals, vm)?;
    let function = Function::new_with_builtins(code, globals, &builtins, vm);
    if let Some(closure) = closure {
        function.closure.set(Some(Ref::new_ref(closure)));
    }
    let locals = locals.unwrap_or(globals.as_object()).to_ref().into_raw();
    // SAFETY: the frame is new and complete; a body takes no arguments.
    unsafe {
        let frame = calls::push_call(
            StackRef::owned(function.into_object()),
            std::ptr::null_mut(),
            0,
            None,
            locals,
            vm.current_frame.get(),
            vm,
        );
        if frame.is_null() {
            return Err(Raised);
        }
        eval::run(vm, frame, false)
    }
}

/// Runs a frame that was pushed and filled by the caller; with `throw`, starts by raising the exception that waits.
///
/// # Safety
/// As for [`eval::run`].
pub unsafe fn eval_frame(frame: *mut InterpreterFrame, throw: bool, vm: &Vm) -> PyResult {
    // SAFETY: passed on to the caller.
    unsafe { eval::run(vm, frame, throw) }
}

/// The builtins that code with these globals sees: `__builtins__`, a module or its dict.
pub fn builtins_of(globals: &Dict, vm: &Vm) -> PyResult {
    if let Some(found) = globals.get_str(vm.ids().__builtins__, vm)? {
        if let Some(module) = found.downcast_ref::<Module>() {
            return Ok(module.dict(vm).into_object());
        }
        return Ok(found);
    }
    match vm.interp().builtins_dict.get() {
        Some(dict) => Ok(dict.into_object()),
        None => Ok(vm.new_dict().into_object()),
    }
}

/// The namespace of `__main__` in an interpreter other than the main one: there native functions may be called from outside
/// of all Python code, and then work in that.
pub(crate) fn names_of_main(vm: &Vm) -> Option<Ref<Dict>> {
    let main = (vm.interp().id != 0).then(|| crate::import::loaded_module(vm.ids().__main__, vm));
    let main = main?.unwrap_or_else(|Raised| {
        vm.clear_exception();
        None
    });
    Some(main?.downcast_ref::<Module>()?.dict(vm))
}

/// The globals of the Python code that runs.
pub fn current_globals(vm: &Vm) -> Option<Ref<Dict>> {
    let frame = frame::current(vm);
    if frame.is_null() {
        return names_of_main(vm);
    }
    // SAFETY: the frame is alive; globals are a dict.
    unsafe { (*frame).globals.as_ref() }.and_then(|globals| globals.downcast_ref::<Dict>()).map(Ref::new_ref)
}

/// The builtins of the Python code that runs, or the interpreter's.
pub fn current_builtins(vm: &Vm) -> Option<ObjRef> {
    let frame = frame::current(vm);
    if frame.is_null() {
        return vm.interp().builtins_dict.get().map(Ref::into_object);
    }
    // SAFETY: the frame is alive.
    unsafe { (*frame).builtins.as_ref() }.map(Object::to_ref)
}

/// `locals()`.
pub fn current_locals(vm: &Vm) -> PyResult {
    crate::builtins::frame::current_locals(vm)
}

/// The `from __future__` flags of the Python code that runs, which code compiled by it inherits.
pub fn current_future_flags(vm: &Vm) -> u32 {
    const FUTURE: i32 = 0x1fe_0000;
    let frame = frame::current(vm);
    if frame.is_null() {
        return 0;
    }
    // SAFETY: the frame is alive.
    unsafe { (InterpreterFrame::code(frame).flags.get() & FUTURE) as u32 }
}

/// Runs a class body, a function as `__build_class__` gets it, in `namespace`. Gives what the body returns: the cell of
/// `__class__`, or `None`.
pub fn eval_class_body(function: &Function, namespace: &Object, vm: &Vm) -> PyResult {
    // SAFETY: the frame is new and complete; a body takes no arguments.
    unsafe {
        let frame = calls::push_call(
            StackRef::owned(function.as_object().to_ref()),
            std::ptr::null_mut(),
            0,
            None,
            namespace.to_ref().into_raw(),
            vm.current_frame.get(),
            vm,
        );
        if frame.is_null() {
            return Err(Raised);
        }
        eval::run(vm, frame, false)
    }
}

/// What `super()` without arguments means: the class that the running method was defined in, and its first argument.
pub fn super_without_arguments(vm: &Vm) -> PyResult<(Ref<Type>, ObjRef)> {
    let frame = frame::current(vm);
    if frame.is_null() {
        return Err(vm.runtime_error("super(): no current frame"));
    }
    // SAFETY: the frame is alive; the indices are those of its code's variables.
    unsafe {
        let code = InterpreterFrame::code(frame);
        if code.argcount.get() == 0 {
            return Err(vm.runtime_error("super(): no arguments"));
        }
        let slots = InterpreterFrame::locals_ptr(frame);
        let first = *slots;
        let is_cell = code.localspluskinds().first().is_some_and(|kind| kind & kind::CELL != 0);
        let first = match (first.is_null(), is_cell) {
            (true, _) => None,
            (false, true) => match first.object().downcast_exact::<PyCell>() {
                Some(cell) => cell.contents.get(),
                None => Some(first.object().to_ref()),
            },
            (false, false) => Some(first.object().to_ref()),
        };
        let Some(first) = first else { return Err(vm.runtime_error("super(): arg[0] deleted")) };
        let start = code.nlocalsplus() - code.nfreevars();
        for i in start..code.nlocalsplus() {
            if !code.localsplus_name(i).eq_str("__class__") {
                continue;
            }
            let slot = *slots.add(i);
            let cell = if slot.is_null() { None } else { slot.object().downcast_exact::<PyCell>() };
            let Some(cell) = cell else { return Err(vm.runtime_error("super(): bad __class__ cell")) };
            let Some(class) = cell.contents.get() else {
                return Err(vm.runtime_error("super(): empty __class__ cell"));
            };
            return match class.downcast::<Type>() {
                Ok(class) => Ok((class, first)),
                Err(other) => Err(vm.runtime_error(format!(
                    "super(): __class__ is not a type ({})",
                    other.ob_type().tp_name_str()
                ))),
            };
        }
        Err(vm.runtime_error("super(): __class__ cell not found"))
    }
}

/// A builtin function as it was at start, whatever its name is bound to by now.
pub fn original_builtin(name: &str, vm: &Vm) -> PyResult {
    let state = &vm.interp().originals;
    let found = match name {
        "all" => &state.all,
        "any" => &state.any,
        "len" => &state.len,
        _ => &state.isinstance,
    };
    if let Some(function) = found.get() {
        return Ok(function);
    }
    let value = match vm.interp().builtins_dict.get() {
        Some(builtins) => builtins.get_str(&vm.intern(name), vm)?,
        None => None,
    };
    match value {
        Some(value) => {
            found.put(value.clone());
            Ok(value)
        }
        None => Err(vm.system_error(format!("builtin '{name}' is missing"))),
    }
}

/// Builtins that instructions mean by themselves, filled when first needed.
pub struct Originals {
    /// `all`.
    pub all: Slot<Object>,
    /// `any`.
    pub any: Slot<Object>,
    /// `len`.
    pub len: Slot<Object>,
    /// `isinstance`.
    pub isinstance: Slot<Object>,
    /// `list.append`.
    pub list_append: Slot<Object>,
    init_shim: Slot<Function>,
}

impl Originals {
    /// Nothing remembered yet.
    pub fn new() -> Self {
        Originals {
            all: Slot::empty(),
            any: Slot::empty(),
            len: Slot::empty(),
            isinstance: Slot::empty(),
            list_append: Slot::empty(),
            init_shim: Slot::empty(),
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        for slot in [&self.all, &self.any, &self.len, &self.isinstance, &self.list_append] {
            drop(slot.take());
        }
        drop(self.init_shim.take());
    }
}

impl Default for Originals {
    fn default() -> Self {
        Self::new()
    }
}

/// The function whose frame lies below an `__init__` that the loop entered by itself: it checks the result and returns the
/// instance. No traceback shows it.
pub fn init_shim(vm: &Vm) -> &Function {
    let shim = &vm.interp().originals.init_shim;
    if shim.is_none() {
        let code = Code::internal(
            "__init__",
            &[Opcode::ExitInitCheck as u8, 0, Opcode::ReturnValue as u8, 0],
            2,
            vm,
        );
        let globals = vm.new_dict();
        let builtins = vm.new_dict();
        shim.put(Function::new_with_builtins(&code, &globals, builtins.as_object(), vm));
    }
    // SAFETY: filled, and emptied only when the interpreter ends.
    unsafe { &*shim.as_raw().cast::<Function>() }
}

/// The type's name with its module in front, as error messages show it (`%T`); without it for builtins and `__main__`.
pub fn fully_qualified_name(tp: &Type, vm: &Vm) -> String {
    match crate::builtins::type_::full_name(tp, vm) {
        Ok(name) => name.strip_prefix("__main__.").map_or_else(|| name.clone(), str::to_owned),
        Err(_) => {
            vm.clear_exception();
            tp.name().to_owned()
        }
    }
}

/// Pushes a frame for code that is about to be run by hand, without arguments.
///
/// # Safety
/// As for [`frame::initialise`].
pub unsafe fn push_plain(function: &Function, vm: &Vm) -> *mut InterpreterFrame {
    // SAFETY: the function is alive; all locals start empty.
    unsafe {
        push_frame(
            StackRef::owned(function.as_object().to_ref()),
            function.code(),
            std::ptr::null_mut(),
            vm.current_frame.get(),
            0,
            vm,
        )
    }
}
