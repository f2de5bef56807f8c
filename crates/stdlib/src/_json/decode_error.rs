//! `json.JSONDecodeError`.

use taipan_vm::prelude::*;

/// Raises `JSONDecodeError(message, text, position)`.
#[cold]
pub fn raise(message: &str, text: &Str, position: isize, vm: &Vm) -> Raised {
    match make(message, text, position, vm) {
        Ok(error) => match error.downcast::<BaseException>() {
            Ok(error) => vm.raise_object(error),
            Err(_) => vm.type_error("exceptions must derive from BaseException"),
        },
        Err(raised) => raised,
    }
}

fn make(message: &str, text: &Str, position: isize, vm: &Vm) -> PyResult {
    let module = taipan_vm::import::import_module("json.decoder", vm)?;
    let class = module.get_attr(&vm.intern("JSONDecodeError"), vm)?;
    class.call(&[vm.new_str(message).as_object(), text.as_object(), &*vm.new_int(position)], vm)
}
