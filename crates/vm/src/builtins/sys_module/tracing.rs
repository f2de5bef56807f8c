//! Tracing and profiling. Not there yet: setting a function raises, so that no program believes it is being traced.

use super::Sys;
use crate::prelude::*;

fn unset_only(function: &Object, name: &str, vm: &Vm) -> PyResult<()> {
    if vm.is_none(function) { Ok(()) } else { Err(vm.not_implemented_error(format!("sys.{name}"))) }
}

#[pyfunctions(table = TRACING_FUNCTIONS)]
impl Sys {
    /// Set the global debug tracing function.
    ///
    /// It will be called on each function call.  See the debugger chapter
    /// in the library manual.
    #[function("($module, function, /)")]
    fn settrace(function: &Object, vm: &Vm) -> PyResult<()> {
        unset_only(function, "settrace", vm)
    }

    /// Return the global debug tracing function set with sys.settrace.
    ///
    /// See the debugger chapter in the library manual.
    #[function("($module, /)")]
    fn gettrace(vm: &Vm) -> ObjRef {
        vm.none()
    }

    /// Set the profiling function.
    ///
    /// It will be called on each function call and return.  See the profiler
    /// chapter in the library manual.
    #[function("($module, function, /)")]
    fn setprofile(function: &Object, vm: &Vm) -> PyResult<()> {
        unset_only(function, "setprofile", vm)
    }

    /// Return the profiling function set with sys.setprofile.
    ///
    /// See the profiler chapter in the library manual.
    #[function("($module, /)")]
    fn getprofile(vm: &Vm) -> ObjRef {
        vm.none()
    }
}
