//! The system module, running code and what there is to know of the process (C API manual, "System Functions", "The Very
//! High Level Layer" and "Initialization").

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

use taipan_vm::interpreter;
use taipan_vm::interpreter::instrument::legacy::{self, Kind, TraceFunction};
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;
use taipan_vm::runtime::compile::{self, CompileFlags, Mode};

use crate::support::*;

/// Writes text to `sys.stdout` or `sys.stderr`, or to the process's stream when there is none. Errors are dropped.
pub fn write(error_stream: bool, text: &Str, vm: &Vm) {
    let name = if error_stream { "stderr" } else { "stdout" };
    let file = vm.interp().sys_dict.get().and_then(|sys| sys.get_str(&vm.intern(name), vm).ok().flatten());
    let written = match file.filter(|file| !vm.is_none(file)) {
        Some(file) => file.call_method(&vm.intern("write"), &[text.as_object()], vm).is_ok(),
        None => false,
    };
    if !written {
        vm.clear_exception();
        let text = text.to_string_lossy();
        if error_stream { eprint!("{text}") } else { print!("{text}") }
    }
}

/// `sys.getdlopenflags()`.
pub fn dlopen_flags(vm: &Vm) -> c_int {
    let flags = || -> PyResult<c_int> {
        let sys = taipan_vm::import::import_module("sys", vm)?;
        let Some(get) = sys.lookup_attr(&vm.intern("getdlopenflags"), vm)? else { return Ok(libc::RTLD_NOW) };
        let flags = crate::long::as_signed(&*get.call_no_args(vm)?, vm)?;
        Ok(c_int::try_from(flags).unwrap_or(libc::RTLD_NOW))
    };
    flags().unwrap_or_else(|_| {
        vm.clear_exception();
        libc::RTLD_NOW
    })
}

const SINGLE_INPUT: c_int = 256;
const FILE_INPUT: c_int = 257;
const EVAL_INPUT: c_int = 258;

fn compile_text(
    text: &CStr,
    filename: &str,
    start: c_int,
    flags: *const c_int,
    optimize: c_int,
    vm: &Vm,
) -> PyResult<Ref<Code>> {
    let mode = match start {
        SINGLE_INPUT => Mode::Single,
        FILE_INPUT => Mode::Exec,
        EVAL_INPUT => Mode::Eval,
        _ => return Err(bad_internal_call(vm)),
    };
    // SAFETY: null or a `PyCompilerFlags`, which begins with the flags.
    let flags = unsafe { flags.as_ref() }.map_or(0, |flags| *flags as u32);
    let bytes = vm.new_bytes(text.to_bytes());
    compile::compile_source(
        text.to_bytes(),
        bytes.as_object(),
        filename,
        mode,
        CompileFlags(flags),
        optimize,
        vm,
    )
}

fn eval(code: &Code, globals: &Object, locals: Option<&Object>, vm: &Vm) -> PyResult {
    let globals = expect::<Dict>(Some(globals), vm)?;
    let name = vm.intern("__builtins__");
    if globals.get_str(&name, vm)?.is_none() {
        let builtins = taipan_vm::import::import_module("builtins", vm)?;
        globals.set_item(name.as_object(), &builtins, vm)?;
    }
    interpreter::eval_code(code, globals, locals, vm)
}

/// Runs text in `__main__`.
fn run_simple(text: &CStr, flags: *const c_int, vm: &Vm) -> c_int {
    let run = || -> PyResult {
        let main = taipan_vm::import::import_module("__main__", vm)?;
        let Some(module) = main.downcast_ref::<Module>() else { return Err(bad_internal_call(vm)) };
        let code = compile_text(text, "<string>", FILE_INPUT, flags, -1, vm)?;
        eval(&code, module.dict(vm).as_object(), None, vm)
    };
    match run() {
        Ok(_) => 0,
        Err(Raised) => {
            // SAFETY: the thread is attached.
            unsafe { crate::errors::PyErr_Print() };
            -1
        }
    }
}

/// An attribute of `sys`, borrowed.
fn sys_object(name: &CStr, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match vm.interp().sys_dict.get() {
        Some(sys) => sys.get_str(&*crate::support::name(name, vm)?, vm),
        None => Ok(None),
    }
}

/// Sets the thread's trace or profile function, or removes it.
///
/// # Safety
/// `function` is null or a `Py_tracefunc`.
unsafe fn set_tracing(kind: Kind, function: *mut c_void, object: Option<&Object>, vm: &Vm) {
    let event = if kind == Kind::Trace { "sys.settrace" } else { "sys.setprofile" };
    if audit(event, &[], vm).is_err() {
        vm.write_unraisable(None, None);
        return;
    }
    // SAFETY: the caller's promise; null is none.
    let function = unsafe { std::mem::transmute::<*mut c_void, Option<TraceFunction>>(function) };
    legacy::set(kind, vm, function.map(|function| (function, object)), vm);
}

capi! {
    fn PySys_GetObject(vm, name: &CStr) -> Ptr {
        let waiting = vm.take_exception();
        let found = sys_object(name, vm).ok().flatten();
        vm.current_exception.set(waiting);
        found.map_or(std::ptr::null_mut(), |found| found.as_raw())
    }

    fn PySys_GetAttr(vm, name: &Object) -> PyResult {
        let key = attr_name(name, vm)?;
        let found = match vm.interp().sys_dict.get() {
            Some(sys) => sys.get_str(key, vm)?,
            None => None,
        };
        found.ok_or_else(|| vm.runtime_error(format!("lost sys.{}", key.to_string_lossy())))
    }

    fn PySys_GetAttrString(vm, name: &CStr) -> PyResult {
        sys_object(name, vm)?.ok_or_else(|| vm.runtime_error(format!("lost sys.{}", lossy(name))))
    }

    fn PySys_GetOptionalAttr(vm, name: &Object, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        let key = attr_name(name, vm)?;
        let found = match vm.interp().sys_dict.get() {
            Some(sys) => sys.get_str(key, vm)?,
            None => None,
        };
        crate::object::give(found, result)
    }

    fn PySys_GetOptionalAttrString(vm, name: &CStr, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        crate::object::give(sys_object(name, vm)?, result)
    }

    fn PySys_SetObject(vm, name: &CStr, value: Option<&Object>) -> PyResult<()> {
        let key = crate::support::name(name, vm)?;
        let Some(sys) = vm.interp().sys_dict.get() else { return Err(bad_internal_call(vm)) };
        match value {
            Some(value) => sys.set_item(key.as_object(), value, vm),
            None => sys.del_item(key.as_object(), vm).map(drop),
        }
    }

    fn PySys_AuditTuple(vm, event: &CStr, args: Option<&Object>) -> PyResult<()> {
        let args = match args {
            Some(args) => expect::<Tuple>(Some(args), vm)?.into(),
            None => Tuple::empty(vm),
        };
        if taipan_vm::runtime::audit::is_active(vm) {
            taipan_vm::runtime::audit::call_hooks(&lossy(event), args, vm)?;
        }
        Ok(())
    }

    fn PyEval_GetBuiltins(vm) -> Ptr {
        let builtins = interpreter::current_builtins(vm)
            .or_else(|| vm.interp().builtins_dict.get().map(Ref::into_object));
        builtins.map_or(std::ptr::null_mut(), |builtins| builtins.as_raw())
    }

    fn PyEval_GetGlobals(vm) -> Ptr {
        interpreter::current_globals(vm).map_or(std::ptr::null_mut(), |globals| globals.as_object().as_ptr())
    }

    fn PyEval_GetLocals(vm) -> PyResult<Ptr> {
        let Some(frame) = taipan_vm::interpreter::frame::current_object(vm) else {
            return Err(vm.system_error("frame does not exist"));
        };
        let locals = frame.locals(vm);
        // Borrowed: the frame keeps what it lends out.
        frame.f_locals_cache.put(locals.clone());
        Ok(locals.as_raw())
    }

    fn PyEval_GetFrame(vm) -> Ptr {
        // Borrowed: the activation keeps its frame object.
        taipan_vm::interpreter::frame::current_object(vm)
            .map_or(std::ptr::null_mut(), |frame| frame.as_object().as_ptr())
    }

    fn PyEval_GetFrameBuiltins(vm) -> Option<ObjRef> {
        interpreter::current_builtins(vm)
    }

    fn PyEval_GetFrameGlobals(vm) -> Option<Ref<Dict>> {
        interpreter::current_globals(vm)
    }

    fn PyEval_GetFrameLocals(vm) -> PyResult {
        interpreter::current_locals(vm)
    }

    fn PyEval_EvalCode(vm, code: &Object, globals: &Object, locals: Option<&Object>) -> PyResult {
        eval(expect::<Code>(Some(code), vm)?, globals, locals, vm)
    }

    fn PyEval_SetTrace(vm, function: *mut c_void, object: Option<&Object>) -> Void {
        set_tracing(Kind::Trace, function, object, vm);
        Void
    }

    fn PyEval_SetProfile(vm, function: *mut c_void, object: Option<&Object>) -> Void {
        set_tracing(Kind::Profile, function, object, vm);
        Void
    }

    fn PyEval_MergeCompilerFlags(vm, flags: *mut c_int) -> c_int {
        let inherited = interpreter::current_future_flags(vm) as c_int;
        *flags |= inherited;
        c_int::from(*flags != 0)
    }

    fn Py_CompileString(vm, text: &CStr, filename: &CStr, start: c_int) -> PyResult<Ref<Code>> {
        compile_text(text, &lossy(filename), start, std::ptr::null(), -1, vm)
    }

    fn Py_CompileStringFlags(vm, text: &CStr, filename: &CStr, start: c_int, flags: *const c_int) -> PyResult<Ref<Code>> {
        compile_text(text, &lossy(filename), start, flags, -1, vm)
    }

    fn Py_CompileStringExFlags(vm, text: &CStr, filename: &CStr, start: c_int, flags: *const c_int, optimize: c_int) -> PyResult<Ref<Code>> {
        compile_text(text, &lossy(filename), start, flags, optimize, vm)
    }

    fn Py_CompileStringObject(vm, text: &CStr, filename: &Object, start: c_int, flags: *const c_int, optimize: c_int) -> PyResult<Ref<Code>> {
        let filename = compile::filename_text(filename, vm)?;
        compile_text(text, &filename.to_string_lossy(), start, flags, optimize, vm)
    }

    fn PyRun_StringFlags(vm, text: &CStr, start: c_int, globals: &Object, locals: Option<&Object>, flags: *const c_int) -> PyResult {
        let code = compile_text(text, "<string>", start, flags, -1, vm)?;
        eval(&code, globals, locals, vm)
    }

    fn PyRun_String(vm, text: &CStr, start: c_int, globals: &Object, locals: Option<&Object>) -> PyResult {
        let code = compile_text(text, "<string>", start, std::ptr::null(), -1, vm)?;
        eval(&code, globals, locals, vm)
    }

    fn PyRun_SimpleStringFlags(vm, text: &CStr, flags: *const c_int) -> c_int {
        run_simple(text, flags, vm)
    }

    fn PyRun_SimpleString(vm, text: &CStr) -> c_int {
        run_simple(text, std::ptr::null(), vm)
    }

    fn PyOS_InterruptOccurred(vm) -> bool {
        false
    }
}

macro_rules! texts {
    ($($name:ident $text:literal;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() -> *const c_char {
            $text.as_ptr()
        }
    )*};
}

texts! {
    Py_GetVersion c"3.14.10 (taipan) [Rust]";
    Py_GetPlatform c"linux";
    Py_GetCompiler c"[Rust]";
    Py_GetCopyright c"Copyright (c) the Taipan authors.";
    Py_GetBuildInfo c"taipan";
}

/// `PY_VERSION_HEX` of 3.14.10 final.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static Py_Version: c_ulong = 0x030e_0af0;

#[unsafe(no_mangle)]
pub extern "C" fn Py_IsInitialized() -> c_int {
    c_int::from(taipan_vm::runtime::interpreters::main().is_some())
}

#[unsafe(no_mangle)]
pub extern "C" fn Py_IsFinalizing() -> c_int {
    c_int::from(taipan_vm::runtime::interpreters::main().is_some_and(|interp| interp.finalizing.get()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_FatalError(text: *const c_char) -> ! {
    // SAFETY: C strings are NUL-terminated.
    fatal(None, unsafe { Option::<&CStr>::from_c(text) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_FatalErrorFunc(function: *const c_char, text: *const c_char) -> ! {
    // SAFETY: C strings are NUL-terminated.
    unsafe { fatal(Option::<&CStr>::from_c(function), Option::<&CStr>::from_c(text)) }
}

fn fatal(function: Option<&CStr>, text: Option<&CStr>) -> ! {
    let text = text.map_or("<message not set>".into(), lossy);
    match function {
        Some(function) => eprintln!("Fatal Python error: {}: {text}", lossy(function)),
        None => eprintln!("Fatal Python error: {text}"),
    }
    std::process::abort()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_AtExit(function: Option<unsafe extern "C" fn()>) -> c_int {
    // SAFETY: the C library runs the function when the process ends.
    match function {
        Some(function) => unsafe {
            libc::atexit(std::mem::transmute::<unsafe extern "C" fn(), extern "C" fn()>(function))
        },
        None => -1,
    }
}
