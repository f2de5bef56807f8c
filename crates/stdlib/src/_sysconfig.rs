//! `_sysconfig`: build variables for `sysconfig`.

use taipan_vm::prelude::*;

/// The module.
pub struct SysConfig;

/// A helper for the sysconfig module.
#[pymodule(name = "_sysconfig")]
impl SysConfig {
    /// Returns a dictionary containing build variables intended to be exposed by sysconfig.
    #[function("($module, /)")]
    fn config_vars(vm: &Vm) -> PyResult<Ref<Dict>> {
        let vars = vm.new_dict();
        for name in ["Py_GIL_DISABLED", "Py_DEBUG"] {
            vars.set_str(&vm.intern(name), &vm.new_int(0), vm)?;
        }
        Ok(vars)
    }
}
