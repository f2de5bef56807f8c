//! `compile`, `eval` and `exec`.

use super::Builtins;
use crate::prelude::*;
use crate::runtime::compile::{self, CompileFlags, Mode};

fn check_globals(globals: &Object, what: &str, vm: &Vm) -> PyResult<()> {
    if globals.downcast_ref::<Dict>().is_some() {
        return Ok(());
    }
    if what == "eval" && crate::protocols::container::is_mapping(globals) {
        return Err(vm.type_error("globals must be a real dict; try eval(code, {}, mapping)"));
    }
    Err(vm.type_error(match what {
        "eval" => "globals must be a dict".to_owned(),
        _ => format!("exec() globals must be a dict, not {}", globals.ob_type().name()),
    }))
}

/// Globals and locals for `eval` and `exec`: what is not given comes from the caller's frame.
fn namespaces(
    globals: Option<&Object>,
    locals: Option<&Object>,
    what: &str,
    vm: &Vm,
) -> PyResult<(Ref<Dict>, ObjRef)> {
    let globals = globals.filter(|g| !vm.is_none(g));
    let locals = locals.filter(|l| !vm.is_none(l));
    if let Some(locals) = locals {
        if !crate::protocols::container::is_mapping(locals) {
            return Err(vm.type_error(match what {
                "eval" => "locals must be a mapping".to_owned(),
                _ => format!("locals must be a mapping or None, not {}", locals.ob_type().name()),
            }));
        }
    }
    let globals_dict = match globals {
        Some(globals) => {
            check_globals(globals, what, vm)?;
            globals.to_ref().downcast::<Dict>().map_err(|_| vm.type_error("globals must be a dict"))?
        }
        None => crate::interpreter::current_globals(vm)
            .ok_or_else(|| vm.system_error("globals and locals cannot be NULL"))?,
    };
    let locals = match (locals, globals) {
        (Some(locals), _) => locals.to_ref(),
        (None, Some(_)) => globals_dict.clone().into_object(),
        (None, None) => crate::interpreter::current_locals(vm)?,
    };
    if globals_dict.get_str(vm.ids().__builtins__, vm)?.is_none() {
        if let Some(builtins) = crate::interpreter::current_builtins(vm) {
            globals_dict.set_item(vm.ids().__builtins__.as_object(), &builtins, vm)?;
        }
    }
    Ok((globals_dict, locals))
}

#[pyfunctions(table = CODE_FUNCTIONS)]
impl Builtins {
    /// Compile source into a code object that can be executed by exec() or eval().
    ///
    /// The source code may represent a Python module, statement or expression.
    /// The filename will be used for run-time error messages.
    /// The mode must be 'exec' to compile a module, 'single' to compile a
    /// single (interactive) statement, or 'eval' to compile an expression.
    /// The flags argument, if present, controls which future statements influence
    /// the compilation of the code.
    /// The dont_inherit argument, if true, stops the compilation inheriting
    /// the effects of any future statements in effect in the code calling
    /// compile; if absent or false these statements do influence the compilation,
    /// in addition to any features explicitly specified.
    #[function(
        "($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)"
    )]
    fn compile(
        source: &Object,
        filename: &Object,
        mode: &str,
        flags: Option<i32>,
        dont_inherit: bool,
        optimize: Option<i32>,
        _feature_version: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        let mut flags = CompileFlags(flags.unwrap_or(0) as u32);
        if flags.0 & !CompileFlags::ALL != 0 {
            return Err(vm.value_error("compile(): unrecognised flags"));
        }
        let optimize = optimize.unwrap_or(-1);
        if !(-1..=2).contains(&optimize) {
            return Err(vm.value_error("compile(): invalid optimize value"));
        }
        if !dont_inherit {
            flags.0 |= crate::interpreter::current_future_flags(vm);
        }
        let mode = match mode {
            "exec" => Mode::Exec,
            "eval" => Mode::Eval,
            "single" => Mode::Single,
            "func_type" if flags.0 & CompileFlags::ONLY_AST != 0 => Mode::FuncType,
            "func_type" => {
                return Err(vm.value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST"));
            }
            _ if flags.0 & CompileFlags::ONLY_AST != 0 => {
                return Err(vm.value_error("compile() mode must be 'exec', 'eval', 'single' or 'func_type'"));
            }
            _ => return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
        };
        let filename = compile::filename_text(filename, vm)?;
        compile::compile_object(source, &filename, mode, flags, optimize, _feature_version.unwrap_or(-1), vm)
    }

    /// Evaluate the given source in the context of globals and locals.
    ///
    /// The source may be a string representing a Python expression
    /// or a code object as returned by compile().
    /// The globals must be a dictionary and locals can be any mapping,
    /// defaulting to the current globals and locals.
    /// If only globals is given, locals defaults to it.
    #[function("($module, source, /, globals=None, locals=None)")]
    fn eval(source: &Object, globals: Option<&Object>, locals: Option<&Object>, vm: &Vm) -> PyResult {
        let (globals, locals) = namespaces(globals, locals, "eval", vm)?;
        let code = match source.downcast_exact::<Code>() {
            Some(code) => {
                if code.free_count() > 0 {
                    return Err(vm.type_error("code object passed to eval() may not contain free variables"));
                }
                code.into()
            }
            None => {
                let flags = CompileFlags(crate::interpreter::current_future_flags(vm));
                let text = compile::source_text(source, "eval", vm)?;
                let start = text.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(text.len());
                let text = text.get(start..).unwrap_or_default();
                compile::compile_source(text, source, "<string>", Mode::Eval, flags, -1, vm)?
            }
        };
        crate::runtime::audit::audit("exec", &[code.as_object()], vm)?;
        crate::interpreter::eval_code(&code, &globals, Some(&locals), vm)
    }

    /// Execute the given source in the context of globals and locals.
    ///
    /// The source may be a string representing one or more Python statements
    /// or a code object as returned by compile().
    /// The globals must be a dictionary and locals can be any mapping,
    /// defaulting to the current globals and locals.
    /// If only globals is given, locals defaults to it.
    /// The closure must be a tuple of cellvars, and can only be used
    /// when source is a code object requiring exactly that many cellvars.
    #[function("($module, source, /, globals=None, locals=None, *, closure=None)")]
    fn exec(
        source: &Object,
        globals: Option<&Object>,
        locals: Option<&Object>,
        closure: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (globals, locals) = namespaces(globals, locals, "exec", vm)?;
        let closure = closure.filter(|c| !vm.is_none(c));
        let code: Ref<Code> = match source.downcast_exact::<Code>() {
            Some(code) => {
                let wanted = code.free_count();
                match closure {
                    None if wanted > 0 => {
                        return Err(vm.type_error(format!(
                            "code object requires a closure of exactly length {wanted}"
                        )));
                    }
                    Some(_) if wanted == 0 => {
                        return Err(vm.type_error("cannot use a closure with this code object"));
                    }
                    Some(given) => {
                        let fits = given.downcast_exact::<Tuple>().is_some_and(|t| {
                            t.len() == wanted
                                && t.as_slice().iter().all(|c| c.downcast_exact::<PyCell>().is_some())
                        });
                        if !fits {
                            return Err(vm.type_error(format!(
                                "code object requires a closure of exactly length {wanted}"
                            )));
                        }
                    }
                    None => {}
                }
                code.into()
            }
            None => {
                if closure.is_some() {
                    return Err(vm.type_error("closure can only be used when source is a code object"));
                }
                let flags = CompileFlags(crate::interpreter::current_future_flags(vm));
                let text = compile::source_text(source, "exec", vm)?;
                compile::compile_source(&text, source, "<string>", Mode::Exec, flags, -1, vm)?
            }
        };
        crate::runtime::audit::audit("exec", &[code.as_object()], vm)?;
        let closure = closure.and_then(|c| c.downcast_exact::<Tuple>());
        crate::interpreter::eval_code_with_closure(&code, &globals, Some(&locals), closure, vm).map(drop)
    }
}
