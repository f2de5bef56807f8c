//! `_zoneinfo`: time zones of the IANA database (PEP 615).

mod cache;
mod data;
mod rule;
mod zone;

pub use zone::ZoneInfo;

use taipan_vm::prelude::*;

/// The module.
pub struct ZoneInfoModule;

/// C implementation of the zoneinfo module
#[pymodule(name = "_zoneinfo", types(ZoneInfo))]
impl ZoneInfoModule {
    #[exec]
    fn exec(_module: &Module, vm: &Vm) -> PyResult<()> {
        // Programs that go without our dates have to go without our zones too.
        taipan_vm::import::import_module("_datetime", vm).map(drop)
    }
}
