//! What the module takes from others once: copyreg's registries, the names of Python 2, and its own exceptions.

use std::cell::OnceCell;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

static PICKLE_ERROR: DeclaredException =
    DeclaredException { name: "_pickle.PickleError", base: types::exception };

/// Names that are looked up.
#[allow(missing_docs, reason = "the fields are the names")]
pub struct Names {
    pub persistent_id: Ref<Str>,
    pub persistent_load: Ref<Str>,
    pub reducer_override: Ref<Str>,
    pub find_class: Ref<Str>,
    pub dispatch_table: Ref<Str>,
    pub write: Ref<Str>,
    pub read: Ref<Str>,
    pub readline: Ref<Str>,
    pub readinto: Ref<Str>,
    pub peek: Ref<Str>,
    pub extend: Ref<Str>,
    pub append: Ref<Str>,
    pub add: Ref<Str>,
    pub items: Ref<Str>,
    pub latin1: Ref<Str>,
    pub main: Ref<Str>,
}

/// The state of the module in one interpreter.
#[allow(missing_docs, reason = "the fields are named as in the modules that they come from")]
pub struct State {
    pub pickle_error: Ref<Type>,
    pub pickling_error: Ref<Type>,
    pub unpickling_error: Ref<Type>,
    pub dispatch_table: Ref<Dict>,
    pub extension_registry: Ref<Dict>,
    pub inverted_registry: Ref<Dict>,
    pub extension_cache: Ref<Dict>,
    pub name_mapping: Ref<Dict>,
    pub import_mapping: Ref<Dict>,
    pub reverse_name_mapping: Ref<Dict>,
    pub reverse_import_mapping: Ref<Dict>,
    pub codecs_encode: ObjRef,
    pub getattr: ObjRef,
    pub partial: ObjRef,
    pub names: Names,
}

#[derive(Default)]
struct Holder(OnceCell<State>);

fn dict_of(module: &Object, module_name: &str, name: &str, vm: &Vm) -> PyResult<Ref<Dict>> {
    let value = module.get_attr(&vm.intern(name), vm)?;
    match value.downcast::<Dict>() {
        Ok(dict) => Ok(dict),
        Err(other) => Err(vm.runtime_error(format!(
            "{module_name}.{name} should be a dict, not {}",
            other.ob_type().tp_name_str()
        ))),
    }
}

fn derived_error(name: &str, base: &Type, vm: &Vm) -> PyResult<Ref<Type>> {
    let dict = vm.new_dict();
    dict.set_item(vm.ids().__module__.as_object(), vm.intern("_pickle").as_object(), vm)?;
    let bases = vm.new_tuple([base.as_object().to_ref()]);
    let name = vm.intern(name);
    let metatype = types::exception().as_object().ob_type().as_object();
    let made = metatype.call(&[name.as_object(), bases.as_object(), dict.as_object()], vm)?;
    made.downcast::<Type>().map_err(|_| vm.system_error("no class was made"))
}

fn make(vm: &Vm) -> PyResult<State> {
    let pickle_error = PICKLE_ERROR.get(vm)?;
    let pickling_error = derived_error("PicklingError", &pickle_error, vm)?;
    let unpickling_error = derived_error("UnpicklingError", &pickle_error, vm)?;
    let copyreg = import_module("copyreg", vm)?;
    let registry = |name: &str| dict_of(&copyreg, "copyreg", name, vm);
    let compat = import_module("_compat_pickle", vm)?;
    let mapping = |name: &str| dict_of(&compat, "_compat_pickle", name, vm);
    let attribute = |module: &str, name: &str| import_module(module, vm)?.get_attr(&vm.intern(name), vm);
    let name = |text: &str| vm.intern(text);
    Ok(State {
        pickle_error,
        pickling_error,
        unpickling_error,
        dispatch_table: registry("dispatch_table")?,
        extension_registry: registry("_extension_registry")?,
        inverted_registry: registry("_inverted_registry")?,
        extension_cache: registry("_extension_cache")?,
        name_mapping: mapping("NAME_MAPPING")?,
        import_mapping: mapping("IMPORT_MAPPING")?,
        reverse_name_mapping: mapping("REVERSE_NAME_MAPPING")?,
        reverse_import_mapping: mapping("REVERSE_IMPORT_MAPPING")?,
        codecs_encode: attribute("codecs", "encode")?,
        getattr: attribute("builtins", "getattr")?,
        partial: attribute("functools", "partial")?,
        names: Names {
            persistent_id: name("persistent_id"),
            persistent_load: name("persistent_load"),
            reducer_override: name("reducer_override"),
            find_class: name("find_class"),
            dispatch_table: name("dispatch_table"),
            write: name("write"),
            read: name("read"),
            readline: name("readline"),
            readinto: name("readinto"),
            peek: name("peek"),
            extend: name("extend"),
            append: name("append"),
            add: name("add"),
            items: name("items"),
            latin1: name("latin1"),
            main: name("__main__"),
        },
    })
}

impl State {
    /// The interpreter's state, made on first use.
    pub fn get(vm: &Vm) -> PyResult<&State> {
        let holder = vm.interp().state::<Holder>();
        if let Some(state) = holder.0.get() {
            return Ok(state);
        }
        // Making it runs Python code, which may make it too; the first one stays.
        let made = make(vm)?;
        Ok(holder.0.get_or_init(|| made))
    }

    /// Raises `PicklingError`.
    #[cold]
    pub fn pickling(&self, text: impl AsRef<str>, vm: &Vm) -> Raised {
        vm.raise(&self.pickling_error, text)
    }

    /// Raises `UnpicklingError`.
    #[cold]
    pub fn unpickling(&self, text: impl AsRef<str>, vm: &Vm) -> Raised {
        vm.raise(&self.unpickling_error, text)
    }

    /// Raises an exception in the place of the one that waits, which becomes its context.
    #[cold]
    pub fn instead(&self, class: &Type, text: impl AsRef<str>, vm: &Vm) -> Raised {
        let old = vm.take_exception();
        let raised = vm.raise(class, text);
        if let (Some(new), Some(old)) = (vm.current_exception.get(), old) {
            if !new.as_object().is(old.as_object()) {
                new.context.set(Some(old.into_object()));
            }
        }
        raised
    }
}
