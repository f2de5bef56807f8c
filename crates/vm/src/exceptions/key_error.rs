//! `KeyError`: its text is the key's repr.

use crate::prelude::*;

/// An exception without fields of its own, as its own Rust type.
#[repr(C)]
#[derive(Traverse)]
pub struct KeyError {
    /// The common part.
    pub base: BaseException,
}

/// Mapping key not found.
#[pytype(name = "KeyError", symbol = "_PyExc_KeyError", base = BaseException, flags(BASETYPE), gc,)]
impl KeyError {
    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        let args = self.base.args(vm);
        match args.as_slice() {
            // A lone key is shown by its repr, so that an empty string is seen.
            [key] => Ok(key.clone().repr(vm)?.into_object()),
            _ => Ok(self.base.default_str(vm)?.into_object()),
        }
    }
}
