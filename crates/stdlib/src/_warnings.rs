//! `_warnings`: what native code and importlib call. The filters and their state are the library's own, in `warnings`.

use taipan_vm::prelude::*;

/// The module.
pub struct Warnings;

fn forward(name: &str, args: &[&Object], keywords: KwArgs<'_>, vm: &Vm) -> PyResult {
    let warnings = taipan_vm::import::import_module("warnings", vm)?;
    let function = warnings.get_attr(&vm.intern(name), vm)?;
    function.call_tuple_dict(&Tuple::from_slice(args, vm), Some(&*keywords.to_dict(vm)?), vm)
}

/// _warnings provides basic warning filtering support.
/// It is a helper module to speed up interpreter start-up.
#[pymodule(name = "_warnings")]
impl Warnings {
    /// Issue a warning, or maybe ignore it or raise an exception.
    #[function("($module, /, *args, **kwargs)")]
    fn warn(args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        forward("warn", args, kwargs, vm)
    }

    /// Issue a warning, or maybe ignore it or raise an exception.
    #[function("($module, /, *args, **kwargs)")]
    fn warn_explicit(args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        forward("warn_explicit", args, kwargs, vm)
    }
}
