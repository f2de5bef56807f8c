//! Importing (C API manual, "Importing Modules").

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::import;
use taipan_vm::prelude::*;

use crate::support::*;

/// `__import__` as the program sees it, so that a replaced one is called.
fn hooked(name: &Object, vm: &Vm) -> PyResult {
    let Some(text) = name.downcast_ref::<Str>() else {
        return Err(vm.type_error("module name must be a string"));
    };
    import::import_module_str(text, vm)
}

/// The module, made and registered when it isn't there.
fn add(name: &Str, vm: &Vm) -> PyResult {
    if let Some(module) = import::loaded_module(name, vm)? {
        if module.downcast_ref::<Module>().is_some() {
            return Ok(module);
        }
    }
    let module = Module::create(&name.to_string_lossy(), None, vm)?;
    import::modules(vm)?.set_item(name.as_object(), module.as_object(), vm)?;
    Ok(module.into_object())
}

/// Executes code as a module of that name.
fn exec_code(name: &Str, code: &Object, path: Option<&Object>, cached: Option<&Object>, vm: &Vm) -> PyResult {
    let code = expect::<Code>(Some(code), vm)?;
    let module = add(name, vm)?;
    let Some(dict) = module.downcast_ref::<Module>().map(|module| module.dict(vm)) else {
        return Err(bad_internal_call(vm));
    };
    if dict.get_str(&vm.intern("__builtins__"), vm)?.is_none() {
        let builtins = import::import_module("builtins", vm)?;
        dict.set_item(vm.intern("__builtins__").as_object(), &builtins, vm)?;
    }
    let filename = code.filename();
    let path = path.unwrap_or(filename.as_object());
    dict.set_item(vm.intern("__file__").as_object(), path, vm)?;
    if let Some(cached) = cached {
        dict.set_item(vm.intern("__cached__").as_object(), cached, vm)?;
    }
    if let Err(raised) = taipan_vm::interpreter::eval_code(code, &dict, None, vm) {
        let waiting = vm.take_exception();
        let modules = import::modules(vm)?;
        if modules.del_item(name.as_object(), vm).is_err() {
            vm.clear_exception();
        }
        vm.current_exception.set(waiting);
        return Err(raised);
    }
    match import::loaded_module(name, vm)? {
        Some(module) => Ok(module),
        None => {
            Err(vm.import_error(format!("Loaded module {} not found in sys.modules", name.to_string_lossy())))
        }
    }
}

fn borrowed(module: PyResult) -> PyResult<Ptr> {
    // `sys.modules` holds it.
    module.map(|module| module.as_raw())
}

capi! {
    fn PyImport_ImportModule(vm, module: &CStr) -> PyResult {
        hooked(name(module, vm)?.as_object(), vm)
    }

    fn PyImport_ImportModuleNoBlock(vm, module: &CStr) -> PyResult {
        hooked(name(module, vm)?.as_object(), vm)
    }

    fn PyImport_Import(vm, module: &Object) -> PyResult {
        hooked(module, vm)
    }

    fn PyImport_ImportModuleLevelObject(
        vm, module: Option<&Object>, globals: Option<&Object>, locals: Option<&Object>, fromlist: Option<&Object>, level: c_int,
    ) -> PyResult {
        let Some(module) = module else { return Err(vm.value_error("Empty module name")) };
        import::import_level(module, globals, fromlist, level as isize, vm)
    }

    fn PyImport_ImportModuleLevel(
        vm, module: &CStr, globals: Option<&Object>, locals: Option<&Object>, fromlist: Option<&Object>, level: c_int,
    ) -> PyResult {
        import::import_level(name(module, vm)?.as_object(), globals, fromlist, level as isize, vm)
    }

    fn PyImport_ImportModuleEx(vm, module: &CStr, globals: Option<&Object>, locals: Option<&Object>, fromlist: Option<&Object>) -> PyResult {
        import::import_level(name(module, vm)?.as_object(), globals, fromlist, 0, vm)
    }

    fn PyImport_ImportModuleAttr(vm, module: &Object, attribute: &Object) -> PyResult {
        hooked(module, vm)?.get_attr(attr_name(attribute, vm)?, vm)
    }

    fn PyImport_ImportModuleAttrString(vm, module: &CStr, attribute: &CStr) -> PyResult {
        hooked(name(module, vm)?.as_object(), vm)?.get_attr(&*name(attribute, vm)?, vm)
    }

    fn _PyImport_GetModuleAttrString(vm, module: &CStr, attribute: &CStr) -> PyResult {
        hooked(name(module, vm)?.as_object(), vm)?.get_attr(&*name(attribute, vm)?, vm)
    }

    fn _PyImport_GetModuleAttr(vm, module: &Object, attribute: &Object) -> PyResult {
        hooked(module, vm)?.get_attr(attr_name(attribute, vm)?, vm)
    }

    fn PyImport_ReloadModule(vm, module: &Object) -> PyResult {
        let importlib = import::import_module("importlib", vm)?;
        importlib.get_attr(&vm.intern("reload"), vm)?.call(&[module], vm)
    }

    fn PyImport_AddModuleObject(vm, module: &Object) -> PyResult<Ptr> {
        borrowed(add(expect::<Str>(Some(module), vm)?, vm))
    }

    fn PyImport_AddModule(vm, module: &CStr) -> PyResult<Ptr> {
        borrowed(add(&*name(module, vm)?, vm))
    }

    fn PyImport_AddModuleRef(vm, module: &CStr) -> PyResult {
        add(&*name(module, vm)?, vm)
    }

    fn PyImport_GetModule(vm, module: &Object) -> PyResult<Option<ObjRef>> {
        import::loaded_module(expect::<Str>(Some(module), vm)?, vm)
    }

    fn PyImport_GetModuleDict(vm) -> PyResult<Ptr> {
        borrowed(import::modules(vm))
    }

    fn PyImport_GetMagicNumber(vm) -> std::ffi::c_long {
        std::ffi::c_long::from(u32::from_le_bytes(taipan_vm::runtime::marshal::PYC_MAGIC))
    }

    fn PyImport_GetMagicTag(vm) -> *const c_char {
        c"cpython-314".as_ptr()
    }

    fn PyImport_ExecCodeModule(vm, module: &CStr, code: &Object) -> PyResult {
        exec_code(&*name(module, vm)?, code, None, None, vm)
    }

    fn PyImport_ExecCodeModuleEx(vm, module: &CStr, code: &Object, path: Option<&CStr>) -> PyResult {
        let path = path.map(|path| taipan_vm::protocols::path::decode(path.to_bytes(), vm));
        exec_code(&*name(module, vm)?, code, path.as_deref().map(AsObject::as_object), None, vm)
    }

    fn PyImport_ExecCodeModuleObject(vm, module: &Object, code: &Object, path: Option<&Object>, cached: Option<&Object>) -> PyResult {
        exec_code(expect::<Str>(Some(module), vm)?, code, path, cached, vm)
    }

    fn PyImport_ExecCodeModuleWithPathnames(vm, module: &CStr, code: &Object, path: Option<&CStr>, cached: Option<&CStr>) -> PyResult {
        let path = path.map(|path| taipan_vm::protocols::path::decode(path.to_bytes(), vm));
        let cached = cached.map(|path| taipan_vm::protocols::path::decode(path.to_bytes(), vm));
        let path = path.as_deref().map(AsObject::as_object);
        exec_code(&*name(module, vm)?, code, path, cached.as_deref().map(AsObject::as_object), vm)
    }

    fn PyImport_GetImporter(vm, path: &Object) -> PyResult {
        let pkgutil = import::import_module("pkgutil", vm)?;
        pkgutil.get_attr(&vm.intern("get_importer"), vm)?.call(&[path], vm)
    }
}
