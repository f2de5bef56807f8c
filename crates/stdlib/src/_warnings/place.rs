//! Where a warning is attributed to: a frame of the caller, by its level.

use taipan_vm::builtins::dict::Dict;
use taipan_vm::interpreter::frame::{self, InterpreterFrame};
use taipan_vm::prelude::*;

/// What `warn` passes on to `warn_explicit`.
pub struct Place {
    pub filename: ObjRef,
    pub lineno: i32,
    pub module: ObjRef,
    pub registry: ObjRef,
}

fn is_internal(filename: &Str) -> bool {
    let text = filename.to_string_lossy();
    text.contains("importlib") && text.contains("_bootstrap")
}

fn filename_of(frame: *mut InterpreterFrame) -> Ref<Str> {
    // SAFETY: the callers hand on frames of the running chain.
    unsafe { InterpreterFrame::code(frame).filename() }.into()
}

fn caller(frame: *mut InterpreterFrame) -> *mut InterpreterFrame {
    // SAFETY: as above.
    unsafe { InterpreterFrame::first_complete((*frame).previous) }
}

fn next_external(mut frame: *mut InterpreterFrame, skipped: &[String]) -> *mut InterpreterFrame {
    loop {
        frame = caller(frame);
        if frame.is_null() {
            return frame;
        }
        let filename = filename_of(frame);
        let text = filename.to_string_lossy();
        if !is_internal(&filename) && !skipped.iter().any(|prefix| text.starts_with(&**prefix)) {
            return frame;
        }
    }
}

fn registry_of(globals: &Dict, vm: &Vm) -> PyResult {
    let name = vm.ids().__warningregistry__;
    match globals.get_str(name, vm)? {
        Some(registry) => Ok(registry),
        None => {
            let registry = vm.new_dict().into_object();
            globals.set_str(name, &registry, vm)?;
            Ok(registry)
        }
    }
}

/// Finds the frame of a level; frames of files with the prefixes don't count.
pub fn find(level: isize, skipped: &[String], vm: &Vm) -> PyResult<Place> {
    let mut frame = frame::current(vm);
    let mut left = level;
    let hide = level > 0 && !frame.is_null() && !is_internal(&filename_of(frame));
    while left > 1 && !frame.is_null() {
        left -= 1;
        frame = if hide { next_external(frame, skipped) } else { caller(frame) };
    }
    let (globals, filename, lineno) = if frame.is_null() {
        let Some(sys) = vm.interp().sys_dict.get() else {
            return Err(vm.system_error("sys is not there yet"));
        };
        (sys.into_object(), vm.new_str("<sys>"), 0)
    } else {
        // SAFETY: the frame runs, and holds its globals.
        let (globals, line) =
            unsafe { (Object::from_ptr((*frame).globals), InterpreterFrame::lineno(frame)) };
        let Some(globals) = globals else { return Err(vm.system_error("frame without globals")) };
        (globals.to_ref(), filename_of(frame), line.unwrap_or(0))
    };
    let Some(globals) = globals.downcast_ref::<Dict>() else {
        return Err(vm.system_error("globals are no dict"));
    };
    let registry = registry_of(globals, vm)?;
    let module = globals
        .get_str(vm.ids().__name__, vm)?
        .filter(|name| vm.is_none(name) || name.downcast_ref::<Str>().is_some())
        .unwrap_or_else(|| vm.new_str("<string>").into_object());
    Ok(Place { filename: filename.into_object(), lineno, module, registry })
}
