//! Warnings raised by native code: through the `warnings` module, as programs filter them there.

use crate::prelude::*;

/// `_warnings`, kept from the first use on.
#[derive(Default)]
struct Machinery(Slot<Object>);

/// The module `_warnings`, which outlives `sys.modules`: finalisers warn while the interpreter ends.
pub fn machinery(vm: &Vm) -> PyResult {
    let kept = &vm.interp().state::<Machinery>().0;
    if let Some(module) = kept.get() {
        return Ok(module);
    }
    let module = crate::import::import_module("_warnings", vm)?;
    kept.put(module.clone());
    Ok(module)
}

/// Issues a warning of a category; raises what the filters turn it into.
pub fn warn(category: &Type, text: &str, stack_level: i32, vm: &Vm) -> PyResult<()> {
    let warnings = machinery(vm)?;
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
