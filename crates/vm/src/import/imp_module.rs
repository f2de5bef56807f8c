//! `_imp`: the native ground of importlib.

use taipan_numeric::siphash::HashKey;

use super::{create_builtin, modules};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::prelude::*;

/// The module.
pub struct Imp;

/// The modules of the embedded library that importlib takes for frozen, with the name of the module whose code they run;
/// a `<` before it says that the code is the package's own, under the name of its `__init__`.
const FROZEN: [(&str, &str); 27] = [
    ("_frozen_importlib", "importlib._bootstrap"),
    ("_frozen_importlib_external", "importlib._bootstrap_external"),
    ("zipimport", "zipimport"),
    ("abc", "abc"),
    ("codecs", "codecs"),
    ("io", "io"),
    ("_collections_abc", "_collections_abc"),
    ("_sitebuiltins", "_sitebuiltins"),
    ("genericpath", "genericpath"),
    ("ntpath", "ntpath"),
    ("posixpath", "posixpath"),
    ("os", "os"),
    ("site", "site"),
    ("stat", "stat"),
    ("importlib.util", "importlib.util"),
    ("importlib.machinery", "importlib.machinery"),
    ("runpy", "runpy"),
    ("__hello__", "__hello__"),
    ("__hello_alias__", "__hello__"),
    ("__phello_alias__", "__hello__"),
    ("__phello_alias__.spam", "__hello__"),
    ("__phello__", "__phello__"),
    ("__phello__.__init__", "<__phello__"),
    ("__phello__.ham", "__phello__.ham"),
    ("__phello__.ham.__init__", "<__phello__.ham"),
    ("__phello__.ham.eggs", "__phello__.ham.eggs"),
    ("__phello__.spam", "__phello__.spam"),
];

/// Whether frozen modules are used: more than 0 for yes, less for no, 0 for what the interpreter does by itself.
#[derive(Default)]
struct FrozenOverride(std::cell::Cell<i32>);

/// What imports need before anything else can be imported is frozen always.
fn is_essential(name: &str) -> bool {
    matches!(name, "_frozen_importlib" | "_frozen_importlib_external" | "zipimport")
}

fn frozen(name: &str, vm: &Vm) -> Option<(super::EmbeddedModule, &'static str)> {
    if vm.interp().state::<FrozenOverride>().0.get() < 0 && !is_essential(name) {
        return None;
    }
    let library = vm.interp().import.library.get()?;
    let (name, origin) = FROZEN.iter().find(|(frozen, _)| *frozen == name)?;
    let mut module = library.find(origin.trim_start_matches('<'))?;
    module.is_package = matches!(*name, "__phello__" | "__phello__.ham" | "__phello_alias__");
    Some((module, *origin))
}

/// The code object of a module of the embedded library.
pub fn embedded_code(module: &super::EmbeddedModule, vm: &Vm) -> PyResult<Ref<Code>> {
    let code = crate::runtime::marshal::load_code(module.code, vm)?;
    Ok(code)
}

/// (Extremely) low-level import machinery bits as used by importlib.
#[pymodule(name = "_imp")]
impl Imp {
    /// Returns the list of file suffixes used to identify extension modules.
    #[function("($module, /)")]
    fn extension_suffixes(vm: &Vm) -> Ref<List> {
        let suffixes = [".cpython-314-x86_64-linux-gnu.so", ".abi3.so", ".so"];
        vm.new_list(suffixes.iter().map(|s| vm.new_str(s).into_object()).collect::<Vec<_>>())
    }

    /// Return True if the import lock is currently held.
    ///
    /// On platforms without threads, return False.
    #[function("($module, /)")]
    fn lock_held(vm: &Vm) -> bool {
        vm.interp().state::<ImportLock>().depth.get() > 0
    }

    /// Acquires the interpreter's import lock for the current thread.
    ///
    /// This lock should be used by import hooks to ensure thread-safety when importing
    /// modules. On platforms without threads, this function does nothing.
    #[function("($module, /)")]
    fn acquire_lock(vm: &Vm) {
        let lock = vm.interp().state::<ImportLock>();
        while lock.depth.get() > 0 && lock.owner.get() != Some(vm.into()) {
            lock.wait(vm);
        }
        lock.owner.set(Some(vm.into()));
        lock.depth.set(lock.depth.get() + 1);
    }

    /// Release the interpreter's import lock.
    ///
    /// On platforms without threads, this function does nothing.
    #[function("($module, /)")]
    fn release_lock(vm: &Vm) -> PyResult<()> {
        let lock = vm.interp().state::<ImportLock>();
        if lock.depth.get() == 0 || lock.owner.get() != Some(vm.into()) {
            return Err(vm.runtime_error("not holding the import lock"));
        }
        lock.depth.set(lock.depth.get() - 1);
        if lock.depth.get() == 0 {
            lock.owner.set(None);
            lock.wake();
        }
        Ok(())
    }

    /// Return info about the corresponding frozen module (if there is one) or None.
    #[function("($module, name, /, *, withdata=False)")]
    fn find_frozen(name: &Str, withdata: bool, vm: &Vm) -> PyResult {
        // Names of frozen modules are ASCII.
        let Some((module, origin)) = name.as_ascii_str().and_then(|name| frozen(name, vm)) else {
            return Ok(vm.none());
        };
        let data = if withdata { vm.new_bytes(module.code).into_object() } else { vm.none() };
        let origin = vm.new_str(origin).into_object();
        Ok(vm.new_tuple([data, vm.new_bool(module.is_package), origin]).into_object())
    }

    /// Create a code object for a frozen module.
    #[function("($module, name, data=None, /)")]
    fn get_frozen_object(name: &str, _data: Option<&Object>, vm: &Vm) -> PyResult<Ref<Code>> {
        match frozen(name, vm) {
            Some((module, _)) => embedded_code(&module, vm),
            None => Err(vm.import_error(format!("No such frozen object named {name}"))),
        }
    }

    /// Returns True if the module name is of a frozen package.
    #[function("($module, name, /)")]
    fn is_frozen_package(name: &str, vm: &Vm) -> PyResult<bool> {
        match frozen(name, vm) {
            Some((module, _)) => Ok(module.is_package),
            None => Err(vm.import_error(format!("No such frozen object named {name}"))),
        }
    }

    /// Returns True if the module name corresponds to a frozen module.
    #[function("($module, name, /)")]
    fn is_frozen(name: &Str, vm: &Vm) -> bool {
        name.as_ascii_str().is_some_and(|name| frozen(name, vm).is_some())
    }

    /// Initializes a frozen module.
    #[function("($module, name, /)")]
    fn init_frozen(name: &str, vm: &Vm) -> PyResult {
        let Some((module, origin)) = frozen(name, vm) else { return Ok(vm.none()) };
        let code = embedded_code(&module, vm)?;
        let made = Module::create(name, None, vm)?;
        made.set("__origname__", vm.new_str(origin).as_object(), vm)?;
        modules(vm)?.set_item(vm.intern(name).as_object(), made.as_object(), vm)?;
        crate::interpreter::eval_code(&code, &made.dict(vm), None, vm)?;
        Ok(made.into_object())
    }

    /// (internal-only) Override PyConfig.use_frozen_modules.
    ///
    /// (-1: disable, 1: enable, 0: no override)
    /// See frozen_modules() in Lib/test/support/import_helper.py.
    #[function("($module, override, /)")]
    fn _override_frozen_modules_for_tests(value: i32, vm: &Vm) {
        vm.interp().state::<FrozenOverride>().0.set(value);
    }

    /// Returns the list of available frozen modules.
    #[function("($module, /)")]
    fn _frozen_module_names(vm: &Vm) -> Ref<List> {
        vm.new_list(FROZEN.iter().map(|(name, _)| vm.new_str(name).into_object()).collect::<Vec<_>>())
    }

    /// Returns True if the module name corresponds to a built-in module.
    #[function("($module, name, /)")]
    fn is_builtin(name: &Str, vm: &Vm) -> i32 {
        match name.as_ascii_str() {
            Some("sys" | "builtins") => -1,
            Some(name) => i32::from(vm.interp().import.find_builtin(name).is_some()),
            None => 0,
        }
    }

    /// Create an extension module.
    #[function("($module, spec, /)")]
    fn create_builtin(spec: &Object, vm: &Vm) -> PyResult {
        let name = spec.get_attr(vm.ids().name, vm)?;
        let Some(text) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error("spec.name must be a string"));
        };
        // `sys` and `builtins` exist once.
        if let Some(module) = super::loaded_module(text, vm)? {
            if text.eq_str("sys") || text.eq_str("builtins") {
                return Ok(module);
            }
        }
        match vm.interp().import.find_builtin(&text.to_string_lossy()) {
            Some(def) => create_builtin(def, vm).map(Ref::into_object),
            None => Ok(vm.none()),
        }
    }

    /// Initialize a built-in module.
    #[function("($module, mod, /)")]
    fn exec_builtin(_module: &Object) -> i32 {
        // Native modules are complete when created.
        0
    }

    /// Changes code.co_filename to specify the passed-in file path.
    #[function("($module, code, path, /)")]
    fn _fix_co_filename(code: &Code, path: &Str, vm: &Vm) {
        code.fix_filename(path, vm);
    }

    /// Create an extension module.
    #[function("($module, spec, file=<unrepresentable>, /)")]
    fn create_dynamic(spec: &Object, _file: Option<&Object>, vm: &Vm) -> PyResult {
        match vm.interp().hooks.load_extension.get() {
            Some(load) => load(spec, vm),
            None => Err(vm.not_implemented_error("_imp.create_dynamic")),
        }
    }

    /// Initialize an extension module.
    #[function("($module, mod, /)")]
    fn exec_dynamic(module: &Object, vm: &Vm) -> PyResult<i32> {
        match vm.interp().hooks.exec_extension.get() {
            Some(exec) => exec(module, vm).map(|()| 0),
            None => Err(vm.not_implemented_error("_imp.exec_dynamic")),
        }
    }

    /// The hash of a source file that a checked .pyc file carries (PEP 552).
    #[function("($module, /, key, source)")]
    fn source_hash(key: i64, source: BufferArg, vm: &Vm) -> Ref<Bytes> {
        let hash = taipan_numeric::siphash::siphash13(HashKey { k0: key as u64, k1: 0 }, source.as_bytes());
        vm.new_bytes(&hash.to_le_bytes())
    }

    /// Overrides multi-interpreter extension checks. Test-only.
    #[function("($module, override, /)")]
    fn _override_multi_interp_extensions_check(_value: i32, vm: &Vm) -> PyResult<i32> {
        Err(vm.not_implemented_error("_imp._override_multi_interp_extensions_check"))
    }

    #[constant]
    fn check_hash_based_pycs(vm: &Vm) -> String {
        vm.interp().config.borrow().check_hash_pycs.clone()
    }

    /// The magic number of .pyc files: 3.14's, followed by "\r\n".
    #[constant]
    fn pyc_magic_number_token() -> u32 {
        168_627_755
    }
}

/// The import lock: owner, depth and how many wait, which the interpreter's lock guards, and how often it was released.
/// Waiting for that number to change holds nothing, so that a fork at any moment leaves the child a lock that works.
#[derive(Default)]
struct ImportLock {
    depth: std::cell::Cell<u32>,
    owner: std::cell::Cell<Option<std::ptr::NonNull<Vm>>>,
    waiting: std::cell::Cell<u32>,
    released: AtomicU32,
}

impl ImportLock {
    /// Sleeps without the interpreter's lock until the import lock is released.
    fn wait(&self, vm: &Vm) {
        let seen = self.released.load(Ordering::Acquire);
        let none = std::ptr::null::<libc::timespec>();
        self.waiting.set(self.waiting.get() + 1);
        vm.allow_threads(|| {
            // SAFETY: the word lives as long as the interpreter; a number that has changed already ends the wait at once.
            unsafe {
                libc::syscall(libc::SYS_futex, self.released.as_ptr(), FUTEX_WAIT, seen, none);
            }
        });
        self.waiting.set(self.waiting.get() - 1);
    }

    fn wake(&self) {
        self.released.fetch_add(1, Ordering::Release);
        // Telling nobody would still be a system call.
        if self.waiting.get() == 0 {
            return;
        }
        // SAFETY: as in `wait`.
        unsafe {
            libc::syscall(libc::SYS_futex, self.released.as_ptr(), FUTEX_WAKE, libc::c_int::MAX);
        }
    }
}

const FUTEX_WAIT: libc::c_int = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
const FUTEX_WAKE: libc::c_int = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
