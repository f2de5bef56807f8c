//! `_interpreters`: several interpreters in a process. There is the main one so far; making another raises
//! `NotImplementedError`, and all else is told of the one that there is.

use taipan_vm::args::ArgName;
use taipan_vm::builtins::namespace::Namespace;
use taipan_vm::prelude::*;

pub(crate) mod exceptions;

use exceptions::{interpreter_error, not_found_error, not_shareable_error};

/// The module.
pub struct Interpreters;

/// The main interpreter's number.
const MAIN: i64 = 0;
/// Where the main interpreter comes from.
const WHENCE_RUNTIME: i64 = 1;

/// An interpreter's number, or an object with `__index__`; the interpreter exists.
struct Id;

impl FromArg<'_> for Id {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if !object.has_index() {
            let given = object.ob_type().tp_name_str();
            return Err(vm.type_error(format!("interpreter ID must be an int, got {given}")));
        }
        let index = object.as_index(vm)?;
        if index.is_negative() {
            let shown = object.repr(vm)?.to_string_lossy().into_owned();
            return Err(vm.value_error(format!("interpreter ID must be a non-negative int, got {shown}")));
        }
        match index.to_i64() {
            Some(MAIN) => Ok(Id),
            Some(id) => Err(vm.raise(&*not_found_error(vm)?, format!("unrecognized interpreter ID {id}"))),
            None => Err(vm.overflow_error("max interpreter ID is 9223372036854775807")),
        }
    }
}

fn already_running(vm: &Vm) -> Raised {
    match interpreter_error(vm) {
        Ok(error) => vm.raise(&error, "interpreter already running"),
        Err(Raised) => Raised,
    }
}

/// Whether an object may be handed to another interpreter.
pub(crate) fn shareable(object: &Object, vm: &Vm) -> bool {
    vm.is_none(object)
        || object.downcast_exact::<Int>().is_some()
        || object.downcast_exact::<Bool>().is_some()
        || object.downcast_exact::<Str>().is_some()
        || object.downcast_exact::<Bytes>().is_some()
        || object.downcast_exact::<Float>().is_some()
        || object.downcast_exact::<Tuple>().is_some()
        || object.downcast_exact::<taipan_vm::builtins::memoryview::MemoryView>().is_some()
        || crate::_interpqueues::is_queue(object, vm)
}

/// Names and values of a configuration.
type Config = [(&'static str, bool); 6];

const ISOLATED: Config = [
    ("use_main_obmalloc", false),
    ("allow_fork", false),
    ("allow_exec", false),
    ("allow_threads", true),
    ("allow_daemon_threads", false),
    ("check_multi_interp_extensions", true),
];

const LEGACY: Config = [
    ("use_main_obmalloc", true),
    ("allow_fork", true),
    ("allow_exec", true),
    ("allow_threads", true),
    ("allow_daemon_threads", true),
    ("check_multi_interp_extensions", false),
];

fn config_dict(config: &Config, gil: &str, vm: &Vm) -> PyResult<Ref<Dict>> {
    let dict = vm.new_dict();
    for (name, value) in config {
        dict.set_str(&vm.intern(name), &vm.new_bool(*value), vm)?;
    }
    dict.set_str(&vm.intern("gil"), vm.new_str(gil).as_object(), vm)?;
    Ok(dict)
}

fn namespace(dict: &Dict, vm: &Vm) -> PyResult {
    let made = Namespace::type_object().as_object().call_no_args(vm)?;
    for (name, value) in dict.items_vec() {
        if let Some(name) = name.downcast_ref::<Str>() {
            made.set_attr(name, &value, vm)?;
        }
    }
    Ok(made)
}

/// What is kept of an exception: its type's names and its texts.
fn captured(exception: &Object, vm: &Vm) -> PyResult {
    let (kind, whole) = (vm.new_dict(), vm.new_dict());
    let tp = exception.ob_type().as_object();
    for name in ["__name__", "__qualname__", "__module__"] {
        let name = vm.intern(name);
        let value = tp.get_attr(&name, vm)?;
        kind.set_str(&name, &value, vm)?;
    }
    let message = exception.str(vm)?.to_string_lossy().into_owned();
    let formatted = format!("{}: {message}", exception.ob_type().name());
    let traceback = taipan_vm::import::import_module("traceback", vm)?;
    let lines = traceback.call_method(&vm.intern("format_exception"), &[exception], vm)?;
    let display = vm.new_str("").as_object().call_method(&vm.intern("join"), &[&lines], vm)?;
    let display = display.call_method(&vm.intern("rstrip"), &[], vm)?;
    let kind = namespace(&kind, vm)?;
    whole.set_str(&vm.intern("type"), &kind, vm)?;
    whole.set_str(&vm.intern("msg"), vm.new_str(&message).as_object(), vm)?;
    whole.set_str(&vm.intern("formatted"), vm.new_str(&formatted).as_object(), vm)?;
    whole.set_str(&vm.intern("errdisplay"), &display, vm)?;
    namespace(&whole, vm)
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpreters")]
impl Interpreters {
    /// Create a new interpreter. Not there yet.
    #[function("($module, config='isolated', *, reqrefs=False)")]
    fn create(_config: Option<&Object>, _reqrefs: Option<bool>, vm: &Vm) -> PyResult<()> {
        Err(vm.not_implemented_error("_interpreters.create: there is one interpreter in a process"))
    }

    /// Destroy the identified interpreter.
    #[function("($module, id, *, restrict=False)")]
    fn destroy(_id: Id, _restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        Err(vm.raise(&*interpreter_error(vm)?, "cannot destroy the current interpreter"))
    }

    /// Return a list containing the ID of every existing interpreter.
    #[function("($module, *, require_ready=False)")]
    fn list_all(_require_ready: Option<bool>, vm: &Vm) -> PyResult<Ref<List>> {
        Ok(vm.new_list(vec![(MAIN, WHENCE_RUNTIME).into_py(vm)?]))
    }

    /// Return the (ID, whence) pair of the current interpreter.
    #[function("($module, /)")]
    fn get_current() -> (i64, i64) {
        (MAIN, WHENCE_RUNTIME)
    }

    /// Return the (ID, whence) pair of the main interpreter.
    #[function("($module, /)")]
    fn get_main() -> (i64, i64) {
        (MAIN, WHENCE_RUNTIME)
    }

    /// Return whether or not the identified interpreter is running.
    #[function("($module, id, *, restrict=False)")]
    fn is_running(_id: Id, _restrict: Option<bool>) -> bool {
        true
    }

    /// Return an identifier for where the interpreter was created.
    #[function("($module, id)")]
    fn whence(_id: Id) -> i64 {
        WHENCE_RUNTIME
    }

    /// Count a reference to the identified interpreter.
    #[function("($module, id, *, implieslink=False, restrict=False)")]
    fn incref(_id: Id, _implieslink: Option<bool>, _restrict: Option<bool>) {}

    /// Drop a reference to the identified interpreter.
    #[function("($module, id, *, restrict=False)")]
    fn decref(_id: Id, _restrict: Option<bool>) {}

    /// Bind the given attributes in the interpreter's __main__ module.
    #[function("($module, id, updates, *, restrict=False)")]
    fn set___main___attrs(_id: Id, updates: &Object, _restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        match updates.downcast_ref::<Dict>() {
            Some(updates) if updates.len() > 0 => Err(already_running(vm)),
            _ => Err(vm.value_error("arg 2 must be a non-empty dict")),
        }
    }

    /// Execute the provided code in the identified interpreter.
    #[function("($module, id, code, shared=None, *, restrict=False)")]
    fn exec(
        _id: Id,
        _code: &Object,
        _shared: Option<&Object>,
        _restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        Err(already_running(vm))
    }

    /// Execute the provided string in the identified interpreter.
    #[function("($module, id, script, shared=None, *, restrict=False)")]
    fn run_string(
        _id: Id,
        _script: &str,
        _shared: Option<&Object>,
        _restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        Err(already_running(vm))
    }

    /// Execute the body of the provided function in the identified interpreter.
    #[function("($module, id, func, shared=None, *, restrict=False)")]
    fn run_func(
        _id: Id,
        _func: &Object,
        _shared: Option<&Object>,
        _restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        Err(already_running(vm))
    }

    /// Call the provided object in the identified interpreter.
    #[function("($module, id, callable, args=None, kwargs=None, *, preserve_exc=False, restrict=False)")]
    fn call(
        _id: Id,
        _callable: &Object,
        _args: Option<&Object>,
        _kwargs: Option<&Object>,
        _preserve_exc: Option<bool>,
        _restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        Err(already_running(vm))
    }

    /// Return True if the object's data may be shared between interpreters.
    #[function("($module, obj)")]
    fn is_shareable(obj: &Object, vm: &Vm) -> bool {
        shareable(obj, vm)
    }

    /// Return a representation of the config used to initialize the interpreter.
    #[function("($module, id, *, restrict=False)")]
    fn get_config(_id: Id, _restrict: Option<bool>, vm: &Vm) -> PyResult {
        namespace(&*config_dict(&LEGACY, "own", vm)?, vm)
    }

    /// Return a representation of a new interpreter config.
    #[function("($module, name='isolated', /, **overrides)")]
    fn new_config(name: Option<&Str>, overrides: KwArgs<'_>, vm: &Vm) -> PyResult {
        let name = name.map_or_else(|| "isolated".to_owned(), |name| name.to_string_lossy().into_owned());
        let dict = match name.as_str() {
            "isolated" | "default" | "" => config_dict(&ISOLATED, "own", vm)?,
            "legacy" => config_dict(&LEGACY, "shared", vm)?,
            "empty" => config_dict(&LEGACY.map(|(name, _)| (name, false)), "default", vm)?,
            _ => return Err(vm.value_error(format!("unsupported config name '{name}'"))),
        };
        let unknown = vm.new_dict();
        for (key, value) in overrides.iter() {
            if dict.get_str(key, vm)?.is_none() {
                unknown.set_str(key, value, vm)?;
            } else {
                dict.set_str(key, value, vm)?;
            }
        }
        if unknown.len() > 0 {
            let (count, shown) =
                (unknown.len(), unknown.as_object().repr(vm)?.to_string_lossy().into_owned());
            let plural = if count == 1 { "" } else { "s" };
            return Err(vm.value_error(format!("config dict has {count} extra item{plural} ({shown})")));
        }
        namespace(&dict, vm)
    }

    /// Return a snapshot of an exception.  If "exc" is None then the current exception, if any, is used (but not cleared).
    #[function("($module, exc=None)")]
    fn capture_exception(exc: Option<&Object>, vm: &Vm) -> PyResult {
        match exc.filter(|exc| !vm.is_none(exc)) {
            Some(exception) if exception.downcast_ref::<BaseException>().is_some() => captured(exception, vm),
            Some(other) => {
                let given = other.repr(vm)?.to_string_lossy().into_owned();
                Err(vm.type_error(format!("expected exception, got '{given}'")))
            }
            None => {
                let sys = taipan_vm::import::import_module("sys", vm)?;
                let current = sys.call_method(&vm.intern("exception"), &[], vm)?;
                if vm.is_none(&current) { Ok(current) } else { captured(&current, vm) }
            }
        }
    }

    #[exec]
    fn exec_module(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in [
            ("WHENCE_UNKNOWN", 0),
            ("WHENCE_RUNTIME", WHENCE_RUNTIME),
            ("WHENCE_LEGACY_CAPI", 2),
            ("WHENCE_CAPI", 3),
            ("WHENCE_XI", 4),
            ("WHENCE_STDLIB", 5),
        ] {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("InterpreterError", interpreter_error(vm)?.as_object(), vm)?;
        module.set("InterpreterNotFoundError", not_found_error(vm)?.as_object(), vm)?;
        module.set("NotShareableError", not_shareable_error(vm)?.as_object(), vm)
    }
}
