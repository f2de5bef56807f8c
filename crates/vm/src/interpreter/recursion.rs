//! The limit on the depth of Python calls (`sys.setrecursionlimit`).

use crate::prelude::*;

/// How much deeper than the limit a handler of `RecursionError` may go.
const HEADROOM: i32 = 50;

/// Called when the limit is reached. True with `RecursionError` set, false while an earlier one is being made.
pub fn limit_reached(vm: &Vm) -> bool {
    if vm.recursion_headroom.get() > 0 {
        return vm.py_recursion_remaining.get() < -HEADROOM && raise(vm);
    }
    raise(vm)
}

fn raise(vm: &Vm) -> bool {
    vm.recursion_headroom.set(vm.recursion_headroom.get() + 1);
    vm.recursion_error("maximum recursion depth exceeded");
    vm.recursion_headroom.set(vm.recursion_headroom.get() - 1);
    true
}
