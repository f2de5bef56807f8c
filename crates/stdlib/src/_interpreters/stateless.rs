//! Which functions may go to another interpreter: those that are nothing but code.

use taipan_vm::builtins::code::Code;
use taipan_vm::bytecode::Opcode;
use taipan_vm::prelude::*;

/// `CO_VARARGS` and `CO_VARKEYWORDS`.
const COLLECTS: i32 = 0x04 | 0x08;

/// Raises `ValueError` unless the function depends on nothing but its arguments and builtins.
pub fn check_function(function: &Function, vm: &Vm) -> PyResult<()> {
    let refused = |what: &str| Err(vm.value_error(format!("{what} not supported")));
    if !function.defaults.is_none() {
        return refused("defaults");
    }
    if !function.kwdefaults.is_none() {
        return refused("keyword defaults");
    }
    if !function.closure.is_none() {
        return refused("closures");
    }
    check_code(function.code(), function.globals.get().as_deref(), vm)
}

/// Raises `ValueError` for code that uses names other than its own and builtins.
fn check_code(code: &Code, globals: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    if code.nfreevars() > 0 {
        return Err(vm.value_error("closures not supported"));
    }
    let builtins = vm.interp().builtins_dict.get();
    for (opcode, oparg) in instructions(code) {
        let name = match opcode {
            Opcode::LoadGlobal => code.names().as_slice().get(oparg >> 1),
            Opcode::StoreGlobal | Opcode::DeleteGlobal => {
                return Err(vm.value_error("globals not supported"));
            }
            _ => None,
        };
        let Some(name) = name.and_then(|name| name.downcast_ref::<Str>()) else { continue };
        let is_own = match globals {
            Some(globals) => globals.get_str(name, vm)?.is_some(),
            None => false,
        };
        let is_builtin = match &builtins {
            Some(builtins) => builtins.get_str(name, vm)?.is_some(),
            None => false,
        };
        if is_own || !is_builtin {
            return Err(vm.value_error("globals not supported"));
        }
    }
    Ok(())
}

/// Raises `ValueError` for code that can't be run as a script: with parameters, or with a result.
pub fn check_script(code: &Code, vm: &Vm) -> PyResult<()> {
    let takes = code.argcount.get() + code.kwonlyargcount.get() > 0 || code.flags.get() & COLLECTS != 0;
    if takes {
        return Err(vm.value_error("code with args not supported"));
    }
    let none = code.consts().as_slice().iter().position(|constant| vm.is_none(constant));
    let mut before = None;
    for (opcode, oparg) in instructions(code) {
        let returns_none = none.is_some() && before == none.map(|at| (Opcode::LoadConst, at));
        if opcode == Opcode::ReturnValue && !returns_none {
            return Err(vm.value_error("code that returns a value is not a script"));
        }
        before = Some((opcode, oparg));
    }
    Ok(())
}

/// The instructions of a code object, without caches, and their operands.
fn instructions(code: &Code) -> Vec<(Opcode, usize)> {
    let bytes = code.original_code();
    let mut found = Vec::new();
    let mut extended = 0usize;
    let mut unit = 0;
    while let Some([_, oparg]) =
        bytes.get(unit * 2..unit * 2 + 2).and_then(|pair| <[u8; 2]>::try_from(pair).ok())
    {
        let opcode = code.base_opcode(unit);
        let oparg = extended << 8 | usize::from(oparg);
        extended = if opcode == Opcode::ExtendedArg { oparg } else { 0 };
        if opcode != Opcode::ExtendedArg {
            found.push((opcode, oparg));
        }
        unit += 1 + opcode.caches();
    }
    found
}
