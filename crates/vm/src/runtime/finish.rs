//! Ending an interpreter (C API manual, `Py_FinalizeEx`).

use crate::builtins::weakref::{WeakReference, new_reference};
use crate::exceptions::unraisable::write_unraisable_while;
use crate::prelude::*;
use crate::runtime::gc;

/// Ends the interpreter: waits for threads, runs exit handlers, flushes the streams, stops all other threads and destroys
/// what the modules hold. Gives the exit status to use instead of `status` when flushing fails.
pub fn finish(vm: &Vm, status: i32) -> i32 {
    if let Ok(Some(threading)) = crate::import::loaded_module(&vm.intern("threading"), vm) {
        if threading.call_method(&vm.intern("_shutdown"), &[], vm).is_err() {
            write_unraisable_while("on threading shutdown", None, vm);
        }
    }
    if let Some(run) = vm.interp().hooks.run_pending_calls.get() {
        if run(vm).is_err() {
            write_unraisable_while("on finishing pending calls", None, vm);
        }
    }
    if let Ok(Some(atexit)) = crate::import::loaded_module(&vm.intern("atexit"), vm) {
        if atexit.call_method(&vm.intern("_run_exitfuncs"), &[], vm).is_err() {
            vm.write_unraisable(Some(&atexit), None);
        }
    }
    let flushed = flush_streams(vm);
    if crate::builtins::warn::machinery(vm).is_err() {
        vm.clear_exception();
    }
    if vm.interp().id == 0 && crate::runtime::interpreters::destroy_all(vm) {
        let text = "remaining subinterpreters; close them with Interpreter.close()";
        if crate::builtins::warn::warn(types::runtime_warning(), text, 0, vm).is_err() {
            write_unraisable_while("in PyInterpreterState_Delete()", None, vm);
        }
    }
    vm.interp().finalizing.set(true);
    if vm.interp().features.own_gil {
        vm.interp().gil.keep(vm);
    }
    if let Some(end) = vm.interp().hooks.end_signals.get() {
        end(vm);
    }
    // Finalisers that run here still find every module.
    gc::collect(vm, gc::GENERATIONS - 1, gc::Reason::Shutdown);
    destroy_modules(vm);
    // A stream that could not be flushed is not tried again.
    let flushed = flushed && flush_streams(vm);
    for (name, slot) in [("sys", &vm.interp().sys_dict), ("builtins", &vm.interp().builtins_dict)] {
        if let Some(names) = slot.get() {
            say(vm, || format!("# cleanup[3] wiping {name}"));
            clear_names(&names, vm);
        }
    }
    say(vm, || "# clear sys.audit hooks".to_owned());
    crate::runtime::audit::clear_hooks(vm);
    if flushed { status } else { 120 }
}

/// What `-v` tells of the end.
pub fn say(vm: &Vm, line: impl FnOnce() -> String) {
    if vm.interp().config.borrow().verbose > 0 {
        eprintln!("{}", line());
    }
}

/// What `sys` holds of the program is dropped before the modules are.
const SYS_REFERENCES: [&str; 12] = [
    "path_importer_cache",
    "path_hooks",
    "path",
    "argv",
    "ps1",
    "ps2",
    "last_exc",
    "last_type",
    "last_value",
    "last_traceback",
    "__interactivehook__",
    "meta_path",
];

/// Drops the modules. Those that nothing else refers to are collected with their names intact, so that finalisers still see
/// the globals of their functions; the names of the others are set to None one by one.
fn destroy_modules(vm: &Vm) {
    let Ok(modules) = crate::import::modules(vm) else { return vm.clear_exception() };
    let Some(modules) = modules.downcast_ref::<Dict>() else { return };
    drop_references_of_sys(vm);
    let mut left = Vec::new();
    let mut extensions = Vec::new();
    for (name, value) in modules.items_vec() {
        if let Some(module) = value.downcast_ref::<Module>() {
            if let Some(name) = name.downcast_ref::<Str>() {
                say(vm, || format!("# cleanup[2] removing {}", name.to_string_lossy()));
            }
            match new_reference(WeakReference::type_object(), &value, None, vm) {
                Ok(reference) => left.push(reference),
                Err(Raised) => vm.clear_exception(),
            }
            // Native code may keep pointers into its module's state.
            if !module.md_def.get().is_null() {
                extensions.push(value.clone());
            }
        }
        drop(value);
        if modules.set_item(&name, vm.none_ref(), vm).is_err() {
            vm.clear_exception();
        }
    }
    modules.clear(vm);
    gc::collect(vm, gc::GENERATIONS - 1, gc::Reason::Shutdown);
    gc::report_garbage(vm);
    let mut any_left = false;
    for reference in left.iter().rev() {
        let module = reference.downcast_ref::<WeakReference>().and_then(WeakReference::get);
        let Some(module) = module.and_then(|module| module.downcast::<Module>().ok()) else { continue };
        let names = module.dict(vm);
        let is = |slot: &Slot<Dict>| slot.get().is_some_and(|dict| dict.as_object().is(names.as_object()));
        let is_core = is(&vm.interp().sys_dict) || is(&vm.interp().builtins_dict);
        if !is_core && module.md_def.get().is_null() {
            any_left |= is_of_program(&names, vm);
            if let Some(name) = module.name(vm) {
                say(vm, || format!("# cleanup[3] wiping {}", name.to_string_lossy()));
            }
            clear_names(&names, vm);
        }
    }
    if any_left {
        gc::collect(vm, gc::GENERATIONS - 1, gc::Reason::Shutdown);
    }
    // The process ends: what extensions hold is left to the system.
    std::mem::forget(extensions);
}

/// Whether a module's names come from a file other than the embedded library's.
fn is_of_program(names: &Dict, vm: &Vm) -> bool {
    let file = names.get_str(&vm.intern("__file__"), vm).ok().flatten();
    let library = vm.interp().import.library_folder.borrow();
    let text = file.as_deref().and_then(|file| file.downcast_ref::<Str>()).map(Str::to_string_lossy);
    text.is_some_and(|text| !text.starts_with(library.as_str()))
}

/// Drops what the program put into `sys` and the prompt into `builtins`, and sets the streams back.
fn drop_references_of_sys(vm: &Vm) {
    let set = |dict: &Dict, name: &str, value: &Object| {
        if dict.set_item(vm.intern(name).as_object(), value, vm).is_err() {
            vm.clear_exception();
        }
    };
    if let Some(builtins) = vm.interp().builtins_dict.get() {
        say(vm, || "# clear builtins._".to_owned());
        set(&builtins, "_", vm.none_ref());
    }
    let Some(sys) = vm.interp().sys_dict.get() else { return };
    for name in SYS_REFERENCES {
        say(vm, || format!("# clear sys.{name}"));
        set(&sys, name, vm.none_ref());
    }
    for name in ["stdin", "stdout", "stderr"] {
        say(vm, || format!("# restore sys.{name}"));
        let original = sys.get_str(&vm.intern(&format!("__{name}__")), vm).ok().flatten();
        set(&sys, name, original.as_deref().unwrap_or(vm.none_ref()));
    }
}

/// Sets a module's names to None: private names first, then the others, so that finalisers still find the names that they
/// use most.
fn clear_names(names: &Dict, vm: &Vm) {
    for private in [true, false] {
        for (name, value) in names.items_vec() {
            let Some(text) = name.downcast_ref::<Str>() else { continue };
            let shown = text.to_string_lossy();
            let is_private = shown.starts_with('_') && !shown.starts_with("__");
            if vm.is_none(&value) || (private && !is_private) || shown == "__builtins__" {
                continue;
            }
            drop(value);
            if names.set_item(&name, vm.none_ref(), vm).is_err() {
                vm.clear_exception();
            }
        }
    }
}

/// Flushes both output streams; false when that failed for standard output.
fn flush_streams(vm: &Vm) -> bool {
    let Some(sys) = vm.interp().sys_dict.get() else { return true };
    let mut flushed = true;
    for name in [vm.ids().stdout, vm.ids().stderr] {
        let Ok(Some(stream)) = sys.get_str(name, vm) else { continue };
        if vm.is_none(&stream) {
            continue;
        }
        let closed = stream.lookup_attr(vm.ids().closed, vm).ok().flatten();
        if closed.is_some_and(|c| c.is_true(vm).unwrap_or(true)) {
            continue;
        }
        if stream.call_method(vm.ids().flush, &[], vm).is_err() {
            if name.eq_str("stdout") {
                vm.write_unraisable(None, Some("Exception ignored while flushing sys.stdout"));
                flushed = false;
            } else {
                vm.clear_exception();
            }
        }
    }
    flushed
}
