//! `import` and `from … import`.

use crate::exceptions::import_error;
use crate::interpreter::eval::names::mapping_get;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::attributes::lookup_attr;

/// `IMPORT_NAME`: calls `__import__(name, globals, locals, fromlist, level)`.
#[inline(never)]
pub unsafe fn import_name(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = InterpreterFrame::code(frame).name_at(oparg);
        let (fromlist, level) = (s.object(1), s.object(2));
        let Some(import) = mapping_get(&*(*frame).builtins, vm.ids().__import__, vm)? else {
            return Err(vm.import_error("__import__ not found"));
        };
        let globals = &*(*frame).globals;
        let locals = (*frame).locals.as_ref().unwrap_or_else(|| vm.none_ref());
        let module = import.call(&[name.as_object(), globals, locals, fromlist, level], vm)?;
        Ok(s.replace(2, module))
    }
}

/// `IMPORT_FROM`: pushes the attribute, leaving the module.
#[inline(never)]
pub unsafe fn import_from(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let name = InterpreterFrame::code(frame).name_at(oparg);
        let value = from_module(s.object(1), name, vm)?;
        Ok(s.push(StackRef::owned(value)))
    }
}

fn from_module(module: &Object, name: &Str, vm: &Vm) -> PyResult {
    if let Some(value) = lookup_attr(module, name, vm)? {
        return Ok(value);
    }
    let module_name = lookup_attr(module, vm.ids().__name__, vm)?;
    let module_name = module_name.as_ref().and_then(|n| n.downcast_ref::<Str>());
    // A submodule that is being imported right now is in `sys.modules` before it is an attribute.
    if let Some(package) = module_name {
        let full = vm.new_str(&format!("{}.{}", package.to_string_lossy(), name.to_string_lossy()));
        if let Some(value) = crate::import::loaded_module(&full, vm)? {
            return Ok(value);
        }
    }
    Err(cannot_import(module, module_name, name, vm)?)
}

/// `from module import *` into `locals`.
#[inline(never)]
pub fn import_star(module: &Object, locals: &Object, vm: &Vm) -> PyResult<()> {
    let ids = vm.ids();
    let mut skip_underscores = false;
    let names = match lookup_attr(module, ids.__all__, vm)? {
        Some(all) => all,
        None => {
            let Some(dict) = lookup_attr(module, ids.__dict__, vm)? else {
                return Err(vm.import_error("from-import-* object has no __dict__ and no __all__"));
            };
            skip_underscores = true;
            dict.call_method(ids.keys, &[], vm)?
        }
    };
    if !skip_underscores {
        // `__all__` is used as a sequence.
        let mut index = 0;
        loop {
            let item = match crate::protocols::container::sequence_item(&names, index, vm) {
                Ok(item) => item,
                Err(raised) => {
                    if vm.exception_matches(types::index_error()) {
                        vm.clear_exception();
                        return Ok(());
                    }
                    return Err(raised);
                }
            };
            store_star(module, &item, locals, false, vm)?;
            index += 1;
        }
    }
    for item in names.collect_iterable(vm)? {
        store_star(module, &item, locals, true, vm)?;
    }
    Ok(())
}

fn store_star(module: &Object, item: &Object, locals: &Object, from_dict: bool, vm: &Vm) -> PyResult<()> {
    let Some(name) = item.downcast_ref::<Str>() else {
        let module_name = module.get_attr(vm.ids().__name__, vm)?;
        let shown = module_name.downcast_ref::<Str>().map_or_else(|| "?".into(), |n| n.to_string_lossy());
        return Err(vm.type_error(format!(
            "{} in {shown}.{} must be str, not {}",
            if from_dict { "Key" } else { "Item" },
            if from_dict { "__dict__" } else { "__all__" },
            item.ob_type().tp_name_str()
        )));
    };
    if from_dict && name.char_at(0) == Some(u32::from('_')) {
        return Ok(());
    }
    let value = module.get_attr(name, vm)?;
    match locals.downcast_exact::<Dict>() {
        Some(dict) => dict.set_item(item, &value, vm),
        None => locals.set_item(item, &value, vm),
    }
}

/// Raises `ImportError` with a text that tells what can be told of the reason.
fn cannot_import(module: &Object, module_name: Option<&Str>, name: &Str, vm: &Vm) -> PyResult<Raised> {
    let ids = vm.ids();
    let shown = module_name.map_or_else(|| "<unknown module name>".into(), |n| n.to_string_lossy());
    let name_text = name.to_string_lossy();
    let spec = lookup_attr(module, ids.__spec__, vm)?;
    let mut origin = None;
    let mut initializing = false;
    if let Some(spec) = &spec {
        if let Some(value) = lookup_attr(spec, ids.has_location, vm)? {
            if value.is_true(vm)? {
                origin = lookup_attr(spec, ids.origin, vm)?.filter(|o| o.downcast_ref::<Str>().is_some());
            }
        }
        if let Some(value) = lookup_attr(spec, ids._initializing, vm)? {
            initializing = value.is_true(vm)?;
        }
    }
    if origin.is_none() {
        origin = lookup_attr(module, ids.__file__, vm)?.filter(|o| o.downcast_ref::<Str>().is_some());
    }
    let place = origin.as_ref().and_then(|o| o.downcast_ref::<Str>());
    let shown_place = place.map_or_else(|| "unknown location".into(), |p| p.to_string_lossy());
    let text = if initializing {
        format!(
            "cannot import name '{name_text}' from partially initialized module '{shown}' (most likely due to a circular \
             import) ({shown_place})"
        )
    } else {
        format!("cannot import name '{name_text}' from '{shown}' ({shown_place})")
    };
    Ok(import_error::raise_import_error(
        types::import_error(),
        &vm.new_str(&text),
        module_name.map(AsObject::as_object),
        place.map(AsObject::as_object),
        Some(name.as_object()),
        vm,
    ))
}
