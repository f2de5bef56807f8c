//! `_warnings`: issuing warnings (PEP 230). The `warnings` module holds the settings, which are looked up there at each
//! warning; what it lacks, this module has.

use std::cell::{Cell, OnceCell};

use taipan_vm::import;
use taipan_vm::prelude::*;

mod filters;
mod lock;
mod place;
mod show;

use filters::{Warning, already_warned};
use lock::Lock;
use show::Shown;

/// The state of the module in one interpreter.
pub struct State {
    filters: Slot<Object>,
    once_registry: Slot<Object>,
    default_action: Slot<Str>,
    /// The context variable with the filters of `catch_warnings`, where contexts have their own.
    context: ObjRef,
    /// Grows when the filters change, which makes registries forget.
    version: Cell<i64>,
    lock: Lock,
}

#[derive(Default)]
struct Holder(OnceCell<State>);

fn default_filters(vm: &Vm) -> Ref<List> {
    let one = |action: &str, category: &Type, module: Option<&str>| {
        vm.new_tuple([
            vm.intern(action).into_object(),
            vm.none(),
            category.as_object().to_ref(),
            module.map_or_else(|| vm.none(), |module| vm.intern(module).into_object()),
            vm.new_int(0),
        ])
        .into_object()
    };
    vm.new_list([
        one("default", types::deprecation_warning(), Some("__main__")),
        one("ignore", types::deprecation_warning(), None),
        one("ignore", types::pending_deprecation_warning(), None),
        one("ignore", types::import_warning(), None),
        one("ignore", types::resource_warning(), None),
    ])
}

impl State {
    fn get(vm: &Vm) -> PyResult<&State> {
        let holder = vm.interp().state::<Holder>();
        if let Some(state) = holder.0.get() {
            return Ok(state);
        }
        let variables = import::import_module("_contextvars", vm)?;
        let class = variables.get_attr(&vm.intern("ContextVar"), vm)?;
        let context = class.call(&[vm.intern("_warnings_context").as_object()], vm)?;
        Ok(holder.0.get_or_init(|| State {
            filters: Slot::of(default_filters(vm).into_object()),
            once_registry: Slot::of(vm.new_dict().into_object()),
            default_action: Slot::of(vm.intern("default")),
            context,
            version: Cell::new(0),
            lock: Lock::default(),
        }))
    }
}

/// An attribute of the `warnings` module; with `import`, the module is imported when it isn't yet.
fn attribute(name: &Str, import: bool, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let warnings = vm.ids().warnings;
    let module = match import::loaded_module(warnings, vm)? {
        Some(module) => module,
        None if !import => return Ok(None),
        None => match import::import_module_str(warnings, vm) {
            Ok(module) => module,
            // At shutdown nothing can be imported any more.
            Err(_) if vm.exception_matches(types::import_error()) => {
                vm.clear_exception();
                return Ok(None);
            }
            Err(raised) => return Err(raised),
        },
    };
    module.lookup_attr(name, vm)
}

fn module_of(filename: &Str, vm: &Vm) -> PyResult {
    if filename.is_empty() {
        return Ok(vm.new_str("<unknown>").into_object());
    }
    let stem = filename.len().saturating_sub(3);
    let tail = filename.slice(stem, filename.len(), vm)?;
    if tail.eq_str(".py") {
        return Ok(filename.slice(0, stem, vm)?.into_object());
    }
    Ok(filename.as_object().to_ref())
}

/// The arguments of `warn_explicit`.
struct Given<'a> {
    category: &'a Object,
    message: &'a Object,
    filename: &'a Object,
    lineno: i32,
    module: Option<&'a Object>,
    registry: Option<&'a Object>,
    source: Option<&'a Object>,
    line: Option<&'a Object>,
}

fn issue(given: &Given<'_>, state: &State, vm: &Vm) -> PyResult<()> {
    let named;
    let module = match given.module {
        Some(module) => module,
        None => match given.filename.downcast_ref::<Str>() {
            Some(filename) => {
                named = module_of(filename, vm)?;
                &*named
            }
            None => return Err(vm.type_error("filename must be a string")),
        },
    };
    // None when a warning comes late at shutdown.
    if vm.is_none(module) {
        return Ok(());
    }
    let registry = match given.registry.filter(|registry| !vm.is_none(registry)) {
        None => None,
        Some(registry) => match registry.downcast_ref::<Dict>() {
            Some(registry) => Some(registry),
            None => return Err(vm.type_error("'registry' must be a dict or None")),
        },
    };
    let (text, category, message) = if given.message.is_instance(types::warning().as_object(), vm)? {
        let text = given.message.str(vm)?.into_object();
        (text, given.message.ob_type().as_object().to_ref(), given.message.to_ref())
    } else {
        let message = given.category.call(&[given.message], vm)?;
        (given.message.to_ref(), given.category.to_ref(), message)
    };
    let lineno = vm.new_int(i64::from(given.lineno));
    let key = vm.new_tuple([text.clone(), category.clone(), lineno]);
    if let Some(registry) = registry {
        if already_warned(registry, key.as_object(), false, state, vm)? {
            return Ok(());
        }
    }
    let warning = Warning { category: &category, text: &text, lineno: given.lineno, module };
    let (action, filter) = warning.action(state, vm)?;
    let is = |name: &str| action.eq_str(name);
    if is("error") {
        return Err(match message.downcast::<BaseException>() {
            Ok(exception) => vm.raise_object(exception),
            Err(message) => vm.raise_with(types::type_error(), vec![message]),
        });
    }
    if is("ignore") {
        return Ok(());
    }
    if !is("always") && !is("all") {
        if let Some(registry) = registry {
            registry.set_item(key.as_object(), vm.true_ref(), vm)?;
        }
        let known = if is("once") {
            let alternative = Tuple::pair(text.clone(), category.clone(), vm);
            match registry {
                Some(registry) => already_warned(registry, alternative.as_object(), true, state, vm)?,
                None => {
                    let once = once_registry(state, vm)?;
                    already_warned(&once, alternative.as_object(), true, state, vm)?
                }
            }
        } else if is("module") {
            let alternative = vm.new_tuple([text.clone(), category.clone(), vm.new_int(0)]);
            match registry {
                Some(registry) => already_warned(registry, alternative.as_object(), true, state, vm)?,
                None => false,
            }
        } else if is("default") {
            false
        } else {
            return Err(vm.runtime_error(format!(
                "Unrecognized action ({}) in warnings.filters:\n {}",
                action.as_object().repr(vm)?.to_string_lossy(),
                filter.repr(vm)?.to_string_lossy()
            )));
        };
        if known {
            return Ok(());
        }
    }
    let source = given.source.filter(|source| !vm.is_none(source));
    let filename = given.filename;
    let (lineno, line) = (given.lineno, given.line);
    Shown { category: &category, text: &text, message: &message, filename, lineno, source, line }.show(vm)
}

fn once_registry(state: &State, vm: &Vm) -> PyResult<Ref<Dict>> {
    if let Some(registry) = attribute(&vm.intern("onceregistry"), false, vm)? {
        if registry.downcast_ref::<Dict>().is_none() {
            return Err(vm.type_error(format!(
                "_warnings.onceregistry must be a dict, not '{}'",
                registry.ob_type().tp_name_str()
            )));
        }
        state.once_registry.set(Some(registry));
    }
    let registry = state.once_registry.get().and_then(|registry| registry.downcast::<Dict>().ok());
    registry.ok_or_else(|| vm.system_error("the registry has gone"))
}

fn issue_locked(given: &Given<'_>, vm: &Vm) -> PyResult<()> {
    let state = State::get(vm)?;
    state.lock.acquire(vm);
    let result = issue(given, state, vm);
    state.lock.release(vm);
    result
}

/// The class of a warning, from the arguments of `warn`.
fn category_of(message: &Object, category: Option<&Object>, vm: &Vm) -> PyResult {
    if message.is_instance(types::warning().as_object(), vm)? {
        return Ok(message.ob_type().as_object().to_ref());
    }
    let Some(category) = category.filter(|category| !vm.is_none(category)) else {
        return Ok(types::user_warning().as_object().to_ref());
    };
    let fits = category.downcast_ref::<Type>().is_some()
        && category.is_subclass(types::warning().as_object(), vm)?;
    if fits {
        return Ok(category.to_ref());
    }
    Err(vm.type_error(format!(
        "category must be a Warning subclass, not '{}'",
        category.ob_type().tp_name_str()
    )))
}

/// A line of a module's source, from its loader. `None` when the file itself can be read.
fn source_line(globals: &Dict, filename: &Str, lineno: i32, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let bootstrap = import::import_module("_frozen_importlib_external", vm)?;
    let loader = bootstrap.call_method(&vm.intern("_bless_my_loader"), &[globals.as_object()], vm)?;
    if vm.is_none(&loader) {
        return Ok(None);
    }
    let spec = globals.get_str(vm.ids().__spec__, vm)?.filter(|spec| !vm.is_none(spec));
    let name = match &spec {
        Some(spec) => spec.lookup_attr(&vm.intern("name"), vm)?,
        None => globals.get_str(vm.ids().__name__, vm)?,
    };
    let (Some(name), Some(get_source)) = (name, loader.lookup_attr(&vm.intern("get_source"), vm)?) else {
        return Ok(None);
    };
    let source = match get_source.call(&[&*name], vm) {
        Ok(source) => source,
        Err(_) if vm.exception_matches(types::import_error()) || vm.exception_matches(types::os_error()) => {
            vm.clear_exception();
            return Ok(None);
        }
        Err(raised) => return Err(raised),
    };
    if std::fs::File::open(&*filename.to_string_lossy()).is_ok() {
        return Ok(None);
    }
    let Some(source) = source.downcast_ref::<Str>() else { return Ok(None) };
    let lines = source.lines(false, vm)?;
    Ok(usize::try_from(lineno).ok().and_then(|line| lines.get(line.checked_sub(1)?)))
}

/// The module.
pub struct Warnings;

/// _warnings provides basic warning filtering support.
/// It is a helper module to speed up interpreter start-up.
#[pymodule(name = "_warnings")]
impl Warnings {
    /// Issue a warning, or maybe ignore it or raise an exception.
    ///
    ///   message
    ///     Text of the warning message.
    ///   category
    ///     The Warning category subclass. Defaults to UserWarning.
    ///   stacklevel
    ///     How far up the call stack to make this warning appear. A value of 2 for
    ///     example attributes the warning to the caller of the code calling warn().
    ///   source
    ///     If supplied, the destroyed object which emitted a ResourceWarning
    ///   skip_file_prefixes
    ///     An optional tuple of module filename prefixes indicating frames to skip
    ///     during stacklevel computations for stack frame attribution.
    #[function("($module, /, message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())")]
    fn warn(
        message: &Object,
        category: Option<&Object>,
        stacklevel: Option<isize>,
        source: Option<&Object>,
        skip_file_prefixes: Option<&Tuple>,
        vm: &Vm,
    ) -> PyResult<()> {
        let category = category_of(message, category, vm)?;
        let mut level = stacklevel.unwrap_or(1);
        let mut skipped = Vec::new();
        for prefix in skip_file_prefixes.map_or(&[][..], Tuple::as_slice) {
            let Some(prefix) = prefix.downcast_ref::<Str>() else {
                return Err(vm.type_error(format!(
                    "Found non-str '{}' in skip_file_prefixes.",
                    prefix.ob_type().tp_name_str()
                )));
            };
            skipped.push(prefix.to_string_lossy().into_owned());
        }
        if !skipped.is_empty() {
            level = level.max(2);
        }
        let place = place::find(level, &skipped, vm)?;
        let given = Given {
            category: &category,
            message,
            filename: &place.filename,
            lineno: place.lineno,
            module: Some(&place.module),
            registry: Some(&place.registry),
            source,
            line: None,
        };
        issue_locked(&given, vm)
    }

    /// Issue a warning, or maybe ignore it or raise an exception.
    #[function(
        "($module, /, message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the function's signature")]
    fn warn_explicit(
        message: &Object,
        category: &Object,
        filename: &Str,
        lineno: i32,
        module: Option<&Object>,
        registry: Option<&Object>,
        module_globals: Option<&Object>,
        source: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let mut line = None;
        if let Some(globals) = module_globals.filter(|globals| !vm.is_none(globals)) {
            let Some(globals) = globals.downcast_ref::<Dict>() else {
                return Err(vm.type_error(format!(
                    "module_globals must be a dict, not '{}'",
                    globals.ob_type().tp_name_str()
                )));
            };
            line = source_line(globals, filename, lineno, vm)?;
        }
        let filename = filename.as_object();
        let line = line.as_deref();
        issue_locked(&Given { category, message, filename, lineno, module, registry, source, line }, vm)
    }

    #[function("($module, /)")]
    fn _filters_mutated_lock_held(vm: &Vm) -> PyResult<()> {
        let state = State::get(vm)?;
        if !state.lock.is_held(vm) {
            return Err(vm.runtime_error("warnings lock is not held"));
        }
        state.version.set(state.version.get().wrapping_add(1));
        Ok(())
    }

    #[function("($module, /)")]
    fn _acquire_lock(vm: &Vm) -> PyResult<()> {
        State::get(vm)?.lock.acquire(vm);
        Ok(())
    }

    #[function("($module, /)")]
    fn _release_lock(vm: &Vm) -> PyResult<()> {
        if State::get(vm)?.lock.release(vm) {
            Ok(())
        } else {
            Err(vm.runtime_error("cannot release un-acquired lock"))
        }
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let state = State::get(vm)?;
        let slot = |slot: &Slot<Object>| slot.get().unwrap_or_else(|| vm.none());
        module.set("filters", &slot(&state.filters), vm)?;
        module.set("_onceregistry", &slot(&state.once_registry), vm)?;
        let action = state.default_action.get().unwrap_or_else(|| vm.intern("default"));
        module.set("_defaultaction", action.as_object(), vm)?;
        module.set("_warnings_context", &state.context, vm)
    }
}
