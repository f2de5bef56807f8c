//! The native modules of the standard library.
//!
//! Invariants: a module is a file or folder named as Python names it; modules know `vm`, never each other's insides.

use taipan_vm::module_def::NativeModule;

/// All modules, sorted by name.
pub fn modules() -> Vec<&'static NativeModule> {
    vec![]
}
