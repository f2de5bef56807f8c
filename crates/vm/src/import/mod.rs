//! Import: the machinery is the standard library's `importlib`; here are its native ground (`_imp`), the modules that
//! are built in or embedded, and the fast path of the import statement.

use std::cell::{Cell, RefCell};

use crate::module_def::NativeModule;
use crate::prelude::*;

pub mod embedded;
pub mod imp_module;
pub mod library_files;
mod times;

/// A module of the embedded library.
pub struct EmbeddedModule {
    /// The marshalled code object.
    pub code: &'static [u8],
    /// Whether it is a package.
    pub is_package: bool,
}

/// Where embedded modules come from; the crate `frozen` implements it.
pub trait EmbeddedLibrary: Sync {
    /// The module of that full name.
    fn find(&self, name: &str) -> Option<EmbeddedModule>;
    /// The module's source.
    fn source(&self, name: &str) -> Option<Vec<u8>>;
    /// All names, sorted.
    fn names(&self) -> Vec<&'static str>;
    /// A data file of a package, by its path below the library.
    fn data(&self, path: &str) -> Option<Vec<u8>>;
    /// The paths of all data files.
    fn data_names(&self) -> Vec<&'static str>;
}

/// The interpreter's modules and importers.
pub struct ImportState {
    /// `sys.modules`.
    pub modules: Slot<Object>,
    /// `importlib._bootstrap`.
    pub importlib: Slot<Object>,
    /// Modules written in Rust.
    pub builtin: RefCell<Vec<&'static NativeModule>>,
    /// The embedded standard library.
    pub library: Cell<Option<&'static dyn EmbeddedLibrary>>,
    /// The path that stands for the embedded library in `sys.path`.
    pub library_folder: RefCell<String>,
    /// `importlib._bootstrap._find_and_load`, when it is known.
    find_and_load: Slot<Object>,
    handle_fromlist: Slot<Object>,
}

impl ImportState {
    /// Nothing known.
    pub fn new() -> Self {
        ImportState {
            modules: Slot::empty(),
            importlib: Slot::empty(),
            builtin: RefCell::default(),
            library: Cell::new(None),
            library_folder: RefCell::default(),
            find_and_load: Slot::empty(),
            handle_fromlist: Slot::empty(),
        }
    }

    /// Drops the modules and the importers.
    pub fn clear(&self) {
        for slot in [&self.modules, &self.importlib, &self.find_and_load, &self.handle_fromlist] {
            drop(slot.take());
        }
    }

    /// The native module of that name.
    pub fn find_builtin(&self, name: &str) -> Option<&'static NativeModule> {
        self.builtin.borrow().iter().copied().find(|def| def.name == name)
    }
}

impl Default for ImportState {
    fn default() -> Self {
        Self::new()
    }
}

/// `sys.modules`.
pub fn modules(vm: &Vm) -> PyResult {
    match vm.interp().import.modules.get() {
        Some(modules) => Ok(modules),
        None => Err(vm.system_error("sys.modules is not there yet")),
    }
}

/// The module of that name, if it has been imported.
pub fn loaded_module(name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let modules = match vm.interp().sys_dict.get() {
        Some(sys) => sys.get_str(vm.ids().modules, vm)?,
        None => None,
    };
    let modules = match modules {
        Some(modules) => modules,
        None => self::modules(vm)?,
    };
    if let Some(dict) = modules.downcast_exact::<Dict>() {
        return dict.get_str(name, vm);
    }
    match modules.get_item(name.as_object(), vm) {
        Ok(module) => Ok(Some(module)),
        Err(Raised) if vm.exception_matches(types::key_error()) => {
            vm.clear_exception();
            Ok(None)
        }
        Err(Raised) => Err(Raised),
    }
}

/// Imports a module and gives the module itself, not its top package.
pub fn import_module(name: &str, vm: &Vm) -> PyResult {
    import_module_str(&vm.intern(name), vm)
}

/// `import_module` for a name at hand.
pub fn import_module_str(name: &Str, vm: &Vm) -> PyResult {
    if let Some(module) = loaded_module(name, vm)? {
        if !vm.is_none(&module) {
            ensure_initialized(&module, name, vm)?;
            return Ok(module);
        }
    }
    load(name, vm)
}

/// Imports a module that isn't there, and tells the time if that is wanted.
fn load(name: &Str, vm: &Vm) -> PyResult {
    if vm.interp().config.borrow().import_time > 0 {
        times::timed(name, || find_and_load(name, vm), vm)
    } else {
        find_and_load(name, vm)
    }
}

/// Waits for a module that another thread still executes.
fn ensure_initialized(module: &Object, name: &Str, vm: &Vm) -> PyResult<()> {
    if is_initializing(module, vm)? {
        if let Some(importlib) = vm.interp().import.importlib.get() {
            importlib.call_method(vm.ids()._lock_unlock_module, &[name.as_object()], vm)?;
        }
    }
    Ok(())
}

/// Modules over libraries that keep one state in the process.
const ONE_PER_PROCESS: [&str; 3] = ["_curses", "_curses_panel", "readline"];

/// Makes and registers a native module without the importers: at start, before there are any.
pub fn create_builtin(def: &'static NativeModule, vm: &Vm) -> PyResult<Ref<Module>> {
    if vm.interp().features.check_multi_interp_extensions && ONE_PER_PROCESS.contains(&def.name) {
        let text = format!("module {} does not support loading in subinterpreters", def.name);
        return Err(vm.import_error(text));
    }
    let doc = Some(def.doc).filter(|doc| !doc.is_empty());
    let module = Module::create(def.name, doc, vm)?;
    module.fill(def, vm)?;
    Ok(module)
}

/// Whether a module is still being executed.
fn is_initializing(module: &Object, vm: &Vm) -> PyResult<bool> {
    let Some(spec) = module.lookup_attr(vm.ids().__spec__, vm)? else { return Ok(false) };
    if vm.is_none(&spec) {
        return Ok(false);
    }
    match spec.lookup_attr(vm.ids()._initializing, vm)? {
        Some(flag) => flag.is_true(vm),
        None => Ok(false),
    }
}

fn importlib_function(slot: &Slot<Object>, name: &Str, vm: &Vm) -> PyResult {
    if let Some(function) = slot.get() {
        return Ok(function);
    }
    let Some(importlib) = vm.interp().import.importlib.get() else {
        return Err(vm.import_error("the import machinery is not there yet"));
    };
    let function = importlib.get_attr(name, vm)?;
    slot.put(function.clone());
    Ok(function)
}

fn find_and_load(name: &Str, vm: &Vm) -> PyResult {
    let state = &vm.interp().import;
    if state.importlib.is_none() {
        // Before importlib runs, only native modules can be had.
        return match state.find_builtin(&name.to_string_lossy()) {
            Some(def) => {
                let module = create_builtin(def, vm)?;
                modules(vm)?.set_item(name.as_object(), module.as_object(), vm)?;
                Ok(module.into_object())
            }
            None => Err(vm.import_error(format!("no module named '{}' yet", name.to_string_lossy()))),
        };
    }
    let function = importlib_function(&state.find_and_load, vm.ids()._find_and_load, vm)?;
    let import = builtin_import(vm)?;
    function.call(&[name.as_object(), &import], vm).map_err(|raised| {
        trim_traceback(vm);
        raised
    })
}

fn builtin_import(vm: &Vm) -> PyResult {
    crate::builtins::builtins_module::builtin(vm.ids().__import__, vm)
}

/// Takes importlib's own frames out of the traceback of a failed import.
fn trim_traceback(vm: &Vm) {
    if vm.interp().config.borrow().verbose > 0 {
        return;
    }
    let Some(exception) = vm.current_exception.get() else { return };
    crate::builtins::traceback::remove_importlib_frames(&exception, vm);
}

/// The package that a relative import starts from.
fn calc_package(globals: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let ids = vm.ids();
    let get = |name: &Str| -> PyResult<Option<ObjRef>> {
        match globals.downcast_ref::<Dict>() {
            Some(dict) => Ok(dict.get_str(name, vm)?.filter(|v| !vm.is_none(v))),
            None => Err(vm.type_error("globals must be a dict")),
        }
    };
    if let Some(package) = get(ids.__package__)? {
        return package.downcast::<Str>().map_err(|_| vm.type_error("package must be a string"));
    }
    if let Some(spec) = get(ids.__spec__)? {
        let parent = spec.get_attr(ids.parent, vm)?;
        return parent.downcast::<Str>().map_err(|_| vm.type_error("__spec__.parent must be a string"));
    }
    crate::builtins::warn::warn(
        types::import_warning(),
        "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
        1,
        vm,
    )?;
    let Some(name) = get(ids.__name__)? else {
        return Err(vm.key_error(vm.intern("'__name__' not in globals").as_object()));
    };
    let name = name.downcast::<Str>().map_err(|_| vm.type_error("__name__ must be a string"))?;
    if get(ids.__path__)?.is_some() {
        return Ok(name);
    }
    let text = name.to_string_lossy();
    match text.rsplit_once('.') {
        Some((package, _)) => Ok(vm.intern(package)),
        None => Err(vm.import_error("attempted relative import with no known parent package")),
    }
}

/// The full name of what a relative import means.
fn resolve_name(name: &Str, globals: Option<&Object>, level: isize, vm: &Vm) -> PyResult<Ref<Str>> {
    let Some(globals) = globals.filter(|g| !vm.is_none(g)) else {
        return Err(vm.key_error(vm.intern("'__name__' not in globals").as_object()));
    };
    let package = calc_package(globals, vm)?;
    let text = package.to_string_lossy();
    if text.is_empty() {
        return Err(vm.import_error("attempted relative import with no known parent package"));
    }
    let mut base: &str = &text;
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((parent, _)) => base = parent,
            None => return Err(vm.import_error("attempted relative import beyond top-level package")),
        }
    }
    if name.len() == 0 {
        return Ok(vm.intern(base));
    }
    Ok(vm.intern(&format!("{base}.{}", name.to_string_lossy())))
}

/// `__import__(name, globals, locals, fromlist, level)`.
pub fn import_level(
    name: &Object,
    globals: Option<&Object>,
    fromlist: Option<&Object>,
    level: isize,
    vm: &Vm,
) -> PyResult {
    let Some(text) = name.downcast_ref::<Str>() else {
        return Err(vm.type_error("module name must be a string"));
    };
    if level < 0 {
        return Err(vm.value_error("level must be >= 0"));
    }
    let full = if level > 0 { resolve_name(text, globals, level, vm)? } else { text.into() };
    if level == 0 && text.len() == 0 {
        return Err(vm.value_error("Empty module name"));
    }
    let module = match loaded_module(&full, vm)?.filter(|m| !vm.is_none(m)) {
        Some(module) => {
            if vm.interp().config.borrow().import_time == 2 {
                times::tell_cached(&full, vm);
            }
            ensure_initialized(&module, &full, vm)?;
            module
        }
        None => load(&full, vm)?,
    };
    let has_from = match fromlist.filter(|f| !vm.is_none(f)) {
        Some(list) => list.is_true(vm)?,
        None => false,
    };
    if has_from {
        if module.lookup_attr(vm.ids().__path__, vm)?.is_none() {
            return Ok(module);
        }
        let handle = importlib_function(&vm.interp().import.handle_fromlist, vm.ids()._handle_fromlist, vm)?;
        let import = builtin_import(vm)?;
        return handle.call(&[&module, fromlist.unwrap_or(vm.none_ref()), &import], vm);
    }
    // `import a.b.c` binds `a`; a relative one the part of the name that was written.
    let shown = text.to_string_lossy();
    if level > 0 && shown.is_empty() {
        return Ok(module);
    }
    let Some((front, rest)) = shown.split_once('.') else { return Ok(module) };
    if level == 0 {
        return import_module(front, vm);
    }
    let full_text = full.to_string_lossy();
    let keep = full_text.len().saturating_sub(rest.len() + 1);
    let top = vm.intern(full_text.get(..keep).unwrap_or(&full_text));
    match loaded_module(&top, vm)? {
        Some(module) => Ok(module),
        None => Err(vm.key_error(
            vm.new_str(&format!("'{}' not in sys.modules as expected", top.to_string_lossy())).as_object(),
        )),
    }
}

/// The text of `AttributeError` for a module, with a hint when a file of the program hides a module of the library.
pub fn missing_attribute_text(module: &Module, name: &Str, vm: &Vm) -> PyResult<String> {
    let attribute = name.to_string_lossy();
    let Some(module_name) = module.name(vm) else {
        return Ok(format!("module has no attribute '{attribute}'"));
    };
    let shown = module_name.to_string_lossy();
    let dict = module.dict(vm);
    let spec = dict.get_str(vm.ids().__spec__, vm)?.filter(|s| !vm.is_none(s));
    let initializing = match &spec {
        Some(_) => is_initializing(module.as_object(), vm)?,
        None => false,
    };
    let origin = match &spec {
        Some(spec) => spec.lookup_attr(vm.ids().origin, vm)?.and_then(|o| o.downcast::<Str>().ok()),
        None => None,
    };
    if let Some(origin) = &origin {
        let path = origin.to_string_lossy();
        if is_shadowing(&path, vm)? {
            let stdlib = match vm.interp().sys_dict.get() {
                Some(sys) => match sys.get_str(&vm.intern("stdlib_module_names"), vm)? {
                    Some(names) => names.contains(module_name.as_object(), vm)?,
                    None => false,
                },
                None => false,
            };
            if stdlib {
                return Ok(format!(
                    "module '{shown}' has no attribute '{attribute}' (consider renaming '{path}' since it has the same name as the standard library module named '{shown}' and prevents importing that standard library module)"
                ));
            }
            if initializing {
                return Ok(format!(
                    "module '{shown}' has no attribute '{attribute}' (consider renaming '{path}' if it has the same name as a library you intended to import)"
                ));
            }
        }
        if initializing {
            return Ok(format!(
                "partially initialized module '{shown}' from '{path}' has no attribute '{attribute}' (most likely due to a circular import)"
            ));
        }
    }
    if initializing {
        return Ok(format!(
            "partially initialized module '{shown}' has no attribute '{attribute}' (most likely due to a circular import)"
        ));
    }
    Ok(format!("module '{shown}' has no attribute '{attribute}'"))
}

/// Whether a file lies where the program's own modules do: in `sys.path[0]`.
pub fn is_shadowing(path: &str, vm: &Vm) -> PyResult<bool> {
    if vm.interp().config.borrow().safe_path {
        return Ok(false);
    }
    let Some(sys) = vm.interp().sys_dict.get() else { return Ok(false) };
    let Some(paths) = sys.get_str(vm.ids().path, vm)? else { return Ok(false) };
    let first = paths.downcast_ref::<List>().and_then(|list| list.get(0));
    let Some(first) = first.and_then(|f| f.downcast::<Str>().ok()) else { return Ok(false) };
    let mut folder = first.to_string_lossy().into_owned();
    // The embedded library hides nothing.
    if folder.ends_with("/python314.zip") {
        return Ok(false);
    }
    if folder.is_empty() {
        folder = std::env::current_dir().map(|d| d.to_string_lossy().into_owned()).unwrap_or_default();
    }
    let mut parent = std::path::Path::new(path);
    if parent.file_name().is_some_and(|name| name == "__init__.py") {
        parent = parent.parent().unwrap_or(parent);
    }
    Ok(parent.parent().is_some_and(|p| p == std::path::Path::new(&folder)))
}
