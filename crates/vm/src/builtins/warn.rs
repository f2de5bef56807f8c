//! Warnings raised by native code: through the `warnings` module, as programs filter them there.

use crate::prelude::*;

/// Issues a warning of a category; raises what the filters turn it into.
pub fn warn(category: &Type, text: &str, stack_level: i32, vm: &Vm) -> PyResult<()> {
    let warnings = crate::import::import_module("_warnings", vm)?;
    let message = vm.new_str(text);
    warnings
        .call_method(
            vm.ids().warn,
            &[message.as_object(), category.as_object(), &vm.new_int(stack_level)],
            vm,
        )
        .map(drop)
}

/// Issues a `DeprecationWarning`.
pub fn deprecation(text: &str, vm: &Vm) -> PyResult<()> {
    warn(types::deprecation_warning(), text, 1, vm)
}
