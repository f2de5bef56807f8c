//! Environment variables.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::Text;

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    let environ = vm.new_dict();
    for (name, value) in std::env::vars_os() {
        let (name, value) = (vm.new_bytes(name.as_bytes()), vm.new_bytes(value.as_bytes()));
        environ.set_default(name.as_object(), value.as_object(), vm)?;
    }
    module.set("environ", environ.as_object(), vm)
}

fn os_string(text: Text) -> OsString {
    OsString::from_vec(text.text.into_bytes())
}

#[pyfunctions(table = ENVIRONMENT_FUNCTIONS)]
impl Posix {
    /// Change or add an environment variable.
    #[function("($module, name, value, /)")]
    fn putenv(name: Text, value: Text, vm: &Vm) -> PyResult<()> {
        if name.text.as_bytes().contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        if name.text.is_empty() {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        audit("os.putenv", &[&name.shown, &value.shown], vm)?;
        // SAFETY: the interpreter's lock keeps other Python threads from the environment meanwhile.
        unsafe { std::env::set_var(os_string(name), os_string(value)) };
        Ok(())
    }

    /// Delete an environment variable.
    #[function("($module, name, /)")]
    fn unsetenv(name: Text, vm: &Vm) -> PyResult<()> {
        audit("os.unsetenv", &[&name.shown], vm)?;
        if name.text.is_empty() || name.text.as_bytes().contains(&b'=') {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        // SAFETY: as above.
        unsafe { std::env::remove_var(os_string(name)) };
        Ok(())
    }
}
