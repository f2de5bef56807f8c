//! Clocks (C API manual, "PyTime C API"), marshalling ("Data marshalling support") and the recursion limit.

use std::ffi::{c_char, c_int};

use taipan_vm::prelude::*;

use crate::support::*;

/// A clock in nanoseconds.
fn clock(id: libc::clockid_t) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is a local.
    unsafe { libc::clock_gettime(id, &raw mut now) };
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

macro_rules! clocks {
    ($($name:ident $id:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(place: *mut i64) -> c_int {
            // SAFETY: the place is the caller's variable.
            unsafe { *place = clock(libc::$id) };
            0
        }
    )*};
}

clocks! {
    PyTime_Time CLOCK_REALTIME;
    PyTime_TimeRaw CLOCK_REALTIME;
    PyTime_Monotonic CLOCK_MONOTONIC;
    PyTime_MonotonicRaw CLOCK_MONOTONIC;
    PyTime_PerfCounter CLOCK_MONOTONIC;
    PyTime_PerfCounterRaw CLOCK_MONOTONIC;
}

#[unsafe(no_mangle)]
pub extern "C" fn PyTime_AsSecondsDouble(time: i64) -> f64 {
    time as f64 / 1e9
}

fn marshal(function: &str, args: &[&Object], vm: &Vm) -> PyResult {
    taipan_vm::import::import_module("marshal", vm)?.get_attr(&vm.intern(function), vm)?.call(args, vm)
}

capi! {
    fn PyMarshal_WriteObjectToString(vm, object: &Object, version: c_int) -> PyResult {
        marshal("dumps", &[object, &vm.new_int(version)], vm)
    }

    fn PyMarshal_ReadObjectFromString(vm, data: *const c_char, length: isize) -> PyResult {
        let data = vm.new_bytes(bytes_at(data.cast(), size(length, vm)?));
        marshal("loads", &[data.as_object()], vm)
    }

    fn Py_GetRecursionLimit(vm) -> c_int {
        vm.py_recursion_limit.get()
    }

    fn Py_SetRecursionLimit(vm, limit: c_int) -> Void {
        let used = vm.py_recursion_limit.get() - vm.py_recursion_remaining.get();
        vm.py_recursion_limit.set(limit);
        vm.py_recursion_remaining.set(limit - used);
        Void
    }
}
