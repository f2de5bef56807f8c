//! Marshalled code as objects: what importers and the module `marshal` share.

use taipan_bytecode::marshal;

use crate::prelude::*;

pub use taipan_bytecode::PYC_MAGIC;

/// The code object that `data` holds.
pub fn load_code(data: &[u8], vm: &Vm) -> PyResult<Ref<Code>> {
    match marshal::loads(data) {
        Ok(taipan_bytecode::Const::Code(code)) => Code::from_bytecode(&code, vm),
        Ok(_) => Err(vm.type_error("marshalled data is no code object")),
        Err(error) => Err(raise(&error, vm)),
    }
}

/// Raises what `marshal.loads` raises for data that can't be read.
pub fn raise(error: &marshal::Error, vm: &Vm) -> Raised {
    match error {
        marshal::Error::Eof => vm.eof_error("marshal data too short"),
        marshal::Error::Bad(detail) => vm.value_error(format!("bad marshal data ({detail})")),
        marshal::Error::TooDeep => vm.value_error("recursion limit exceeded"),
    }
}
