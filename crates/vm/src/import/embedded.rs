//! `_embedded`: what the importer of the embedded library (`lib/_embedded_importer.py`) asks.

use crate::prelude::*;

/// The module.
pub struct Embedded;

/// The standard library inside the executable.
#[pymodule(name = "_embedded")]
impl Embedded {
    /// Whether the module of that name exists: None, or whether it is a package.
    #[function("($module, name, /)")]
    fn find(name: &Str, vm: &Vm) -> Option<bool> {
        let name = name.as_ascii_str()?;
        let library = vm.interp().import.library.get()?;
        library.find(name).map(|module| module.is_package)
    }

    /// The code object of a module.
    #[function("($module, name, /)")]
    fn code(name: &str, vm: &Vm) -> PyResult<Ref<Code>> {
        match vm.interp().import.library.get().and_then(|library| library.find(name)) {
            Some(module) => super::imp_module::embedded_code(&module, vm),
            None => Err(vm.import_error(format!("no embedded module named '{name}'"))),
        }
    }

    /// The source of a module as bytes, or None.
    #[function("($module, name, /)")]
    fn source(name: &str, vm: &Vm) -> Option<Ref<Bytes>> {
        let source = vm.interp().import.library.get().and_then(|library| library.source(name))?;
        Some(vm.new_bytes(&source))
    }

    /// The bytes of a data file by its path below the library, or None.
    #[function("($module, path, /)")]
    fn data(path: &str, vm: &Vm) -> Option<Ref<Bytes>> {
        let data = vm.interp().import.library.get().and_then(|library| library.data(path))?;
        Some(vm.new_bytes(&data))
    }

    /// The names of all modules.
    #[function("($module, /)")]
    fn names(vm: &Vm) -> Ref<List> {
        let names = vm.interp().import.library.get().map(|library| library.names()).unwrap_or_default();
        vm.new_list(names.into_iter().map(|name| vm.new_str(name).into_object()).collect::<Vec<_>>())
    }
}
