//! `Unpickler.find_class`.

use taipan_vm::import;
use taipan_vm::prelude::*;

use super::save_global::{get_path, split_path};
use super::state::State;

fn is_str(object: &Object) -> bool {
    object.downcast_ref::<Str>().is_some()
}

fn new_names(state: &State, module: ObjRef, name: ObjRef, vm: &Vm) -> PyResult<(ObjRef, ObjRef)> {
    let key = Tuple::pair(module.clone(), name.clone(), vm);
    if let Some(mapped) = state.name_mapping.get_item(key.as_object(), vm)? {
        return match mapped.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([module, name]) if is_str(module) && is_str(name) => Ok((module.clone(), name.clone())),
            Some([module, name]) => Err(vm.runtime_error(format!(
                "_compat_pickle.NAME_MAPPING values should be pairs of str, not ({}, {})",
                module.ob_type().tp_name_str(),
                name.ob_type().tp_name_str()
            ))),
            _ => Err(vm.runtime_error(format!(
                "_compat_pickle.NAME_MAPPING values should be 2-tuples, not {}",
                mapped.ob_type().tp_name_str()
            ))),
        };
    }
    match state.import_mapping.get_item(&module, vm)? {
        Some(mapped) if is_str(&mapped) => Ok((mapped, name)),
        Some(mapped) => Err(vm.runtime_error(format!(
            "_compat_pickle.IMPORT_MAPPING values should be strings, not {}",
            mapped.ob_type().tp_name_str()
        ))),
        None => Ok((module, name)),
    }
}

/// The object of a name in a module, which is imported. `proto` is the pickle's: from 4 on, names have dots.
pub fn find_class(
    state: &State,
    proto: i32,
    fix_imports: bool,
    module: &Object,
    name: &Object,
    vm: &Vm,
) -> PyResult {
    taipan_vm::runtime::audit::audit("pickle.find_class", &[module, name], vm)?;
    let (mut module, mut name) = (module.to_ref(), name.to_ref());
    if fix_imports && proto < 3 {
        (module, name) = new_names(state, module, name, vm)?;
    }
    let Some(module_name) = module.downcast_ref::<Str>() else {
        let given = module.ob_type().tp_name_str();
        return Err(vm.type_error(format!("module name must be a string, not '{given}'")));
    };
    if module_name.is_empty() {
        return Err(vm.value_error("Empty module name"));
    }
    let found = import::import_module_str(module_name, vm)?;
    let Some(text) = name.downcast_ref::<Str>() else {
        let given = name.ob_type().tp_name_str();
        return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
    };
    if proto < 4 {
        return found.get_attr(text, vm);
    }
    let path = split_path(text, vm)?;
    let result = get_path(found, &path, vm);
    if result.is_ok() || path.len() < 2 || !vm.exception_matches(types::attribute_error()) {
        return result;
    }
    let old = vm.take_exception();
    let (path, place) = (name.repr(vm)?, module.repr(vm)?);
    if let Some(old) = old {
        vm.reraise(old);
    }
    let text = format!("Can't resolve path {} on module {}", path.to_string_lossy(), place.to_string_lossy());
    Err(state.instead(types::attribute_error(), text, vm))
}
