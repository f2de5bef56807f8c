//! What queues and channels are told to do with objects of interpreters that end, and with those that can't be shared.

use taipan_vm::prelude::*;

/// What becomes of an item whose interpreter has ended: it goes too.
pub(crate) const UNBOUND_REMOVE: i32 = 1;
/// What becomes of it when nobody says: a marker stands for it.
const UNBOUND_REPLACE: i32 = 3;
/// Only what can be shared is taken.
const SHARED_ONLY: i32 = 0;
/// Everything else is pickled.
pub(crate) const PICKLED: i32 = 1;

/// For a new queue or channel: what becomes of unbound items, and of objects that can't be shared.
pub(crate) const DEFAULTS: (i32, i32) = (UNBOUND_REPLACE, PICKLED);

/// Both policies as given, where None and -1 mean the defaults. Raises `ValueError` for numbers without meaning.
pub(crate) fn policies(
    unbound: Option<i32>,
    fallback: Option<i32>,
    defaults: (i32, i32),
    vm: &Vm,
) -> PyResult<(i32, i32)> {
    let unbound = match unbound {
        None | Some(-1) => defaults.0,
        Some(op @ UNBOUND_REMOVE..=UNBOUND_REPLACE) => op,
        Some(op) => return Err(vm.value_error(format!("unsupported unboundop {op}"))),
    };
    let fallback = match fallback {
        None | Some(-1) => defaults.1,
        Some(fallback @ SHARED_ONLY..=PICKLED) => fallback,
        Some(fallback) => return Err(vm.value_error(format!("unsupported fallback {fallback}"))),
    };
    Ok((unbound, fallback))
}
