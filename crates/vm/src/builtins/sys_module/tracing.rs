//! Tracing and profiling functions.

use super::Sys;
use crate::interpreter::instrument::legacy::{self, Kind};
use crate::prelude::*;

fn set(kind: Kind, function: &Object, vm: &Vm) -> PyResult<()> {
    crate::runtime::audit::audit(event_of(kind), &[], vm)?;
    legacy::set_python(kind, vm, Some(function).filter(|function| !vm.is_none(function)), vm);
    Ok(())
}

fn set_all(kind: Kind, function: &Object, vm: &Vm) -> PyResult<()> {
    crate::runtime::audit::audit(event_of(kind), &[], vm)?;
    let function = Some(function).filter(|function| !vm.is_none(function));
    for thread in vm.interp().monitoring.all_threads() {
        // SAFETY: the list holds the states of live threads.
        legacy::set_python(kind, unsafe { &*thread }, function, vm);
    }
    Ok(())
}

fn event_of(kind: Kind) -> &'static str {
    if kind == Kind::Trace { "sys.settrace" } else { "sys.setprofile" }
}

#[pyfunctions(table = TRACING_FUNCTIONS)]
impl Sys {
    /// Set the global debug tracing function.
    ///
    /// It will be called on each function call.  See the debugger chapter
    /// in the library manual.
    #[function("($module, function, /)")]
    fn settrace(function: &Object, vm: &Vm) -> PyResult<()> {
        set(Kind::Trace, function, vm)
    }

    /// Set the global debug tracing function in all running threads belonging to the current interpreter.
    ///
    /// It will be called on each function call. See the debugger chapter
    /// in the library manual.
    #[function("($module, function, /)")]
    fn _settraceallthreads(function: &Object, vm: &Vm) -> PyResult<()> {
        set_all(Kind::Trace, function, vm)
    }

    /// Return the global debug tracing function set with sys.settrace.
    ///
    /// See the debugger chapter in the library manual.
    #[function("($module, /)")]
    fn gettrace(vm: &Vm) -> Option<ObjRef> {
        legacy::get(Kind::Trace, vm)
    }

    /// Set the profiling function.
    ///
    /// It will be called on each function call and return.  See the profiler
    /// chapter in the library manual.
    #[function("($module, function, /)")]
    fn setprofile(function: &Object, vm: &Vm) -> PyResult<()> {
        set(Kind::Profile, function, vm)
    }

    /// Set the profiling function in all running threads belonging to the current interpreter.
    ///
    /// It will be called on each function call and return.  See the profiler
    /// chapter in the library manual.
    #[function("($module, function, /)")]
    fn _setprofileallthreads(function: &Object, vm: &Vm) -> PyResult<()> {
        set_all(Kind::Profile, function, vm)
    }

    /// Return the profiling function set with sys.setprofile.
    ///
    /// See the profiler chapter in the library manual.
    #[function("($module, /)")]
    fn getprofile(vm: &Vm) -> Option<ObjRef> {
        legacy::get(Kind::Profile, vm)
    }

    /// Call func(*args), while tracing is enabled.
    ///
    /// The tracing state is saved, and restored afterwards.  This is intended
    /// to be called from a debugger from a checkpoint, to recursively debug
    /// some other code.
    #[function("($module, func, args, /)")]
    fn call_tracing(func: &Object, args: &Tuple, vm: &Vm) -> PyResult {
        let before = vm.tracing.replace(0);
        let result = func.call_tuple_dict(args, None, vm);
        vm.tracing.set(before);
        result
    }
}
