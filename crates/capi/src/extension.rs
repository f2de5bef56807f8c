//! Loading extension modules: what `_imp.create_dynamic` does (PEP 3121, PEP 489).

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_void};

use taipan_vm::exceptions::import_error::raise_import_error;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path;

use crate::module::{ModuleDef, add_state, from_def_and_spec, prepare_def, with_full_name};
use crate::support::*;

type InitFunction = unsafe extern "C" fn() -> Ptr;

/// What modules with global state looked like after their only initialisation, by path and name.
#[derive(Default)]
struct Loaded(RefCell<HashMap<(Vec<u8>, String), (usize, Ref<Dict>)>>);

/// The name of the initialisation function: `PyInit_name`, or `PyInitU_` with the name in punycode.
fn init_name(name: &Str, vm: &Vm) -> PyResult<CString> {
    let full = name.to_string_lossy();
    let last = full.rsplit('.').next().unwrap_or(&full);
    let symbol = if last.is_ascii() {
        format!("PyInit_{last}")
    } else {
        let text = vm.new_str(last);
        let encoded =
            taipan_vm::builtins::codecs_core::registry::encode(text.as_object(), "punycode", None, vm)?;
        let encoded =
            encoded.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default();
        format!("PyInitU_{}", String::from_utf8_lossy(&encoded).replace('-', "_"))
    };
    CString::new(symbol).map_err(|_| vm.value_error("embedded null character"))
}

fn fail(text: &str, name: &Object, origin: &Object, vm: &Vm) -> Raised {
    raise_import_error(types::import_error(), &vm.new_str(text), Some(name), Some(origin), None, vm)
}

fn dl_error() -> String {
    // SAFETY: `dlerror` gives null or a NUL-terminated text.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "unknown dlopen() error".to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// Opens the library and finds the initialisation function.
fn open(file: &[u8], name: &Str, origin: &Object, vm: &Vm) -> PyResult<InitFunction> {
    let symbol = init_name(name, vm)?;
    // A bare file name would be searched along the library path.
    let path = if file.contains(&b'/') { file.to_vec() } else { [b"./", file].concat() };
    let path = CString::new(path).map_err(|_| vm.value_error("embedded null byte"))?;
    // SAFETY: both texts are NUL-terminated; the library stays open for good.
    let function = unsafe {
        let handle = libc::dlopen(path.as_ptr(), crate::sys::dlopen_flags(vm));
        if handle.is_null() {
            return Err(fail(&dl_error(), name.as_object(), origin, vm));
        }
        libc::dlsym(handle, symbol.as_ptr())
    };
    // SAFETY: the symbol's name says what it is.
    match unsafe { std::mem::transmute::<*mut c_void, Option<InitFunction>>(function) } {
        Some(function) => Ok(function),
        None => {
            let text = format!(
                "dynamic module does not define module export function ({})",
                symbol.to_string_lossy()
            );
            Err(fail(&text, name.as_object(), origin, vm))
        }
    }
}

/// A module of one phase: its dictionary is kept when it can be initialised only once.
fn finish_single_phase(
    module: &Module,
    init: InitFunction,
    key: (Vec<u8>, String),
    origin: &Object,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: a module's definition is static.
    let Some(def) = (unsafe { module.md_def.get().cast::<ModuleDef>().as_ref() }) else {
        return Err(
            vm.system_error(format!("initialization of {} did not return a valid extension module", key.1))
        );
    };
    def.m_init.set(init as *mut c_void);
    module.set("__file__", origin, vm)?;
    prepare_def(def);
    add_state(module.as_object(), def, vm);
    if def.m_size == -1 {
        let copy = module.dict(vm).try_copy(vm)?;
        if let Ok(mut loaded) = vm.interp().state::<Loaded>().0.try_borrow_mut() {
            loaded.insert(key, (std::ptr::from_ref(def) as usize, copy));
        }
    }
    Ok(())
}

/// A second import of a module with global state: a new module with the first one's content.
fn again(key: &(Vec<u8>, String), vm: &Vm) -> PyResult<Option<ObjRef>> {
    let known = match vm.interp().state::<Loaded>().0.try_borrow() {
        Ok(loaded) => loaded.get(key).cloned(),
        Err(_) => None,
    };
    let Some((def, content)) = known else { return Ok(None) };
    let module = Module::create(&key.1, None, vm)?;
    module.md_def.set(def as *mut c_void);
    module.dict(vm).update_from(content.as_object(), true, vm)?;
    // SAFETY: a module's definition is static.
    if let Some(def) = unsafe { (def as *const ModuleDef).as_ref() } {
        add_state(module.as_object(), def, vm);
    }
    Ok(Some(module.into_object()))
}

/// `_imp.create_dynamic`.
pub fn load(spec: &Object, vm: &Vm) -> PyResult {
    let name = spec.get_attr(vm.ids().name, vm)?;
    let origin = spec.get_attr(vm.ids().origin, vm)?;
    let (Some(name), Some(path)) = (name.downcast_ref::<Str>(), origin.downcast_ref::<Str>()) else {
        return Err(vm.type_error("spec.name and spec.origin must be strings"));
    };
    let file = path::encode(path, vm)?;
    let shown = name.to_string_lossy().into_owned();
    let key = (file, shown);
    if let Some(module) = again(&key, vm)? {
        return Ok(module);
    }
    taipan_vm::runtime::audit::audit(
        "import",
        &[name.as_object(), &origin, vm.none_ref(), vm.none_ref(), vm.none_ref()],
        vm,
    )?;
    crate::prepare(vm)?;
    let init = open(&key.0, name, &origin, vm)?;
    // SAFETY: an initialisation function takes nothing and gives a new reference or a static definition.
    let made = with_full_name(&key.1, || unsafe { init() });
    if made.is_null() {
        if !vm.has_exception() {
            return Err(
                vm.system_error(format!("initialization of {} failed without raising an exception", key.1))
            );
        }
        return Err(Raised);
    }
    if let Some(cause) = vm.take_exception() {
        vm.system_error(format!("initialization of {} raised unreported exception", key.1));
        return Err(vm.chain_cause(cause));
    }
    // SAFETY: not null; the definition is static, a module is a new reference.
    unsafe {
        if (*made).type_ptr().is_null() {
            return Err(vm.system_error(format!("init function of {} returned uninitialized object", key.1)));
        }
        if std::ptr::eq((*made).type_ptr(), ModuleDef::type_object()) {
            return from_def_and_spec(&*made.cast::<ModuleDef>(), spec, vm);
        }
        let made = Ref::from_raw(made);
        match made.downcast_ref::<Module>() {
            Some(module) => finish_single_phase(module, init, key, &origin, vm)?,
            None => {
                return Err(vm.system_error(format!(
                    "initialization of {} did not return an extension module",
                    key.1
                )));
            }
        }
        Ok(made)
    }
}
