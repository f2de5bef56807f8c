//! `_interpreters`: several interpreters in a process (PEP 734).

use taipan_vm::args::ArgName;
use taipan_vm::builtins::namespace::Namespace;
use taipan_vm::interpreter::eval_code;
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::{self, CompileFlags, Mode};
use taipan_vm::runtime::interpreter::Features;
use taipan_vm::runtime::interpreters::{self, Refusal};

mod buffer_view;
mod captured;
pub(crate) mod exceptions;
pub(crate) mod policies;
pub(crate) mod shared;
mod stateless;

use buffer_view::BufferView;
use captured::Captured;
use exceptions::{interpreter_error, not_found_error, not_shareable_error};
use shared::{Shared, is_shareable, pack};

/// The module.
pub struct Interpreters;

/// The main interpreter's number.
const MAIN: i64 = 0;
/// Where the main interpreter comes from.
const WHENCE_RUNTIME: i64 = 1;
/// Where those that this module makes come from.
const WHENCE_STDLIB: i64 = 5;

/// A number that is not negative: an int, or an object with `__index__`. `what` names it in errors.
pub(crate) fn number_argument(object: &Object, what: &str, vm: &Vm) -> PyResult<Ref<Int>> {
    if !object.has_index() {
        let given = object.ob_type().tp_name_str();
        return Err(vm.type_error(format!("{what} must be an int, got {given}")));
    }
    let index = object.as_index(vm)?;
    if index.is_negative() {
        let shown = object.repr(vm)?.to_string_lossy().into_owned();
        return Err(vm.value_error(format!("{what} must be a non-negative int, got {shown}")));
    }
    Ok(index)
}

/// The number of an interpreter that exists: an int, or an object with `__index__`.
struct Id(i64);

impl FromArg<'_> for Id {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        match number_argument(object, "interpreter ID", vm)?.to_i64() {
            Some(id) if id == MAIN || interpreters::describe(id).is_some() => Ok(Id(id)),
            Some(id) => Err(unknown(id, vm)),
            None => Err(vm.overflow_error("max interpreter ID is 9223372036854775807")),
        }
    }
}

impl Id {
    /// Where the interpreter comes from.
    fn whence(&self) -> i64 {
        interpreters::describe(self.0).map_or(WHENCE_RUNTIME, |(whence, _)| whence)
    }

    /// Raises `InterpreterError` when only interpreters of this module are asked for, and this is another. `what` names what
    /// can't be done to it.
    fn check(&self, restrict: Option<bool>, what: &str, vm: &Vm) -> PyResult<()> {
        if restrict == Some(true) && self.whence() != WHENCE_STDLIB {
            return Err(error(&format!("cannot {what} unrecognized interpreter {}", self.0), vm));
        }
        Ok(())
    }

    /// Runs `work` in the interpreter. Raises `InterpreterError` when a thread is in it already.
    fn enter<R>(&self, vm: &Vm, work: impl FnOnce(&Vm) -> R) -> PyResult<R> {
        if self.0 == MAIN || self.0 == vm.interp().id {
            return Err(error("interpreter already running", vm));
        }
        interpreters::enter(self.0, vm, work).map_err(|refusal| match refusal {
            Refusal::Unknown => unknown(self.0, vm),
            Refusal::Running => error("interpreter already running", vm),
        })
    }
}

fn unknown(id: i64, vm: &Vm) -> Raised {
    match not_found_error(vm) {
        Ok(class) => vm.raise(&class, format!("unrecognized interpreter ID {id}")),
        Err(Raised) => Raised,
    }
}

fn error(text: &str, vm: &Vm) -> Raised {
    match interpreter_error(vm) {
        Ok(class) => vm.raise(&class, text),
        Err(Raised) => Raised,
    }
}

/// The names of a configuration's flags.
const FLAGS: [&str; 6] = [
    "use_main_obmalloc",
    "allow_fork",
    "allow_exec",
    "allow_threads",
    "allow_daemon_threads",
    "check_multi_interp_extensions",
];

const ISOLATED: Features = Features {
    use_main_obmalloc: false,
    allow_fork: false,
    allow_exec: false,
    allow_threads: true,
    allow_daemon_threads: false,
    check_multi_interp_extensions: true,
    own_gil: true,
};

const LEGACY: Features = Features { own_gil: false, ..Features::MAIN };

const EMPTY: Features = Features {
    use_main_obmalloc: false,
    allow_fork: false,
    allow_exec: false,
    allow_threads: false,
    allow_daemon_threads: false,
    check_multi_interp_extensions: false,
    own_gil: false,
};

/// A configuration as a namespace.
fn config_object(features: &Features, gil: &str, vm: &Vm) -> PyResult<Ref<Dict>> {
    let values = [
        features.use_main_obmalloc,
        features.allow_fork,
        features.allow_exec,
        features.allow_threads,
        features.allow_daemon_threads,
        features.check_multi_interp_extensions,
    ];
    let dict = vm.new_dict();
    for (name, value) in FLAGS.iter().zip(values) {
        dict.set_str(&vm.intern(name), &vm.new_bool(value), vm)?;
    }
    dict.set_str(&vm.intern("gil"), vm.new_str(gil).as_object(), vm)?;
    Ok(dict)
}

/// The configuration of a name.
fn named_config(name: &str, vm: &Vm) -> PyResult<(Features, &'static str)> {
    match name {
        "isolated" | "default" | "" => Ok((ISOLATED, "own")),
        "legacy" => Ok((LEGACY, "shared")),
        "empty" => Ok((EMPTY, "default")),
        _ => Err(vm.value_error(format!("unsupported config name '{name}'"))),
    }
}

#[cold]
fn wrong_type(name: &str, vm: &Vm) -> Raised {
    vm.type_error(format!("invalid config type: {name}"))
}

/// Whether the value of `gil` asks for a lock of its own. Raises `ValueError` for an unknown one.
fn means_own_gil(gil: &str, vm: &Vm) -> PyResult<bool> {
    match gil {
        "own" => Ok(true),
        "shared" | "default" => Ok(false),
        other => Err(vm.value_error(format!("unsupported interpreter config .gil value '{other}'"))),
    }
}

/// What `create` is given: nothing, a name, or an object with a configuration's attributes.
fn features_of(config: Option<&Object>, vm: &Vm) -> PyResult<Features> {
    let Some(config) = config.filter(|config| !vm.is_none(config)) else { return Ok(ISOLATED) };
    if let Some(name) = config.downcast_ref::<Str>() {
        return named_config(name.to_utf8(vm)?, vm).map(|(features, _)| features);
    }
    let dict = match config.lookup_attr(&vm.intern("__dict__"), vm)? {
        Some(dict) => dict,
        None => config.to_ref(),
    };
    let Some(dict) = dict.downcast_ref::<Dict>() else {
        let shown = config.repr(vm)?.to_string_lossy().into_owned();
        return Err(vm.type_error(format!("bad config {shown}")));
    };
    let rest = dict.copy(vm);
    let take = |name: &str| -> PyResult {
        let key = vm.intern(name);
        match rest.get_str(&key, vm)? {
            Some(value) => rest.del_item(key.as_object(), vm).map(|_| value),
            None => Err(vm.value_error(format!("missing config key: {name}"))),
        }
    };
    let mut flags = [false; FLAGS.len()];
    for (name, flag) in FLAGS.iter().zip(&mut flags) {
        let value = take(name)?;
        if value.downcast_ref::<Bool>().is_none() {
            return Err(wrong_type(name, vm));
        }
        *flag = value.is_true(vm)?;
    }
    let gil = take("gil")?;
    let Some(gil) = gil.downcast_ref::<Str>() else { return Err(wrong_type("gil", vm)) };
    let own_gil = means_own_gil(&gil.to_string_lossy(), vm)?;
    check_extra(&rest, vm)?;
    let [
        use_main_obmalloc,
        allow_fork,
        allow_exec,
        allow_threads,
        allow_daemon_threads,
        check_multi_interp_extensions,
    ] = flags;
    Ok(Features {
        use_main_obmalloc,
        allow_fork,
        allow_exec,
        allow_threads,
        allow_daemon_threads,
        check_multi_interp_extensions,
        own_gil,
    })
}

/// Raises `ValueError` when names are left that no configuration has.
fn check_extra(rest: &Dict, vm: &Vm) -> PyResult<()> {
    let count = rest.len();
    if count == 0 {
        return Ok(());
    }
    let shown = rest.as_object().repr(vm)?.to_string_lossy().into_owned();
    let plural = if count == 1 { "" } else { "s" };
    Err(vm.value_error(format!("config dict has {count} extra item{plural} ({shown})")))
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

/// Names and values for another interpreter's `__main__`.
fn pack_names(names: &Dict, vm: &Vm) -> PyResult<Vec<(String, Shared)>> {
    let mut packed = Vec::with_capacity(names.len());
    for (name, value) in names.items_vec() {
        let Some(name) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error("bad argument type for built-in operation"));
        };
        let name = name.to_utf8(vm)?;
        if name.contains('\0') {
            return Err(vm.value_error("embedded null character"));
        }
        packed.push((name.to_owned(), pack(&value, false, vm)?));
    }
    Ok(packed)
}

/// The namespace of `__main__`, with the names that were handed over.
fn main_names(packed: Vec<(String, Shared)>, vm: &Vm) -> PyResult<Ref<Dict>> {
    let main = taipan_vm::import::import_module("__main__", vm)?;
    let Some(main) = main.downcast_ref::<Module>() else {
        return Err(vm.type_error("__main__ is no module"));
    };
    let names = main.dict(vm);
    for (name, value) in packed {
        names.set_str(&vm.intern(&name), &*value.unpack(vm)?, vm)?;
    }
    Ok(names)
}

/// The exception that waits, as something that can leave the interpreter.
fn capture(vm: &Vm) -> Captured {
    let raised = vm.take_exception();
    raised.map(|raised| Captured::of(raised.as_object(), vm)).unwrap_or_default()
}

/// A script, marshalled: text that is compiled here, or the code of a function without parameters, result and outer names.
fn script(code: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    if let Some(function) = code.downcast_ref::<Function>() {
        if !function.closure.is_none() {
            return Err(vm.value_error("closures not supported"));
        }
        stateless::check_script(function.code(), vm)?;
        return shared::marshalled(function.code(), vm);
    }
    if let Some(code) = code.downcast_ref::<taipan_vm::builtins::code::Code>() {
        stateless::check_script(code, vm)?;
        return shared::marshalled(code, vm);
    }
    let bytes = match (code.downcast_ref::<Str>(), code.downcast_ref::<Bytes>()) {
        (Some(text), _) => text.to_utf8(vm)?.as_bytes(),
        (None, Some(bytes)) => bytes.as_bytes(),
        (None, None) => {
            let shown = code.repr(vm)?.to_string_lossy().into_owned();
            return Err(vm.type_error(format!("unsupported script {shown}")));
        }
    };
    if bytes.contains(&0) {
        return Err(vm.syntax_error("source code string cannot contain null bytes"));
    }
    let compiled = compile::compile_source(bytes, code, "<script>", Mode::Exec, CompileFlags(0), -1, vm)?;
    shared::marshalled(&compiled, vm)
}

/// An argument that is a dict.
fn dict_argument<'a>(object: &'a Object, function: &str, place: usize, vm: &Vm) -> PyResult<&'a Dict> {
    object.downcast_ref::<Dict>().ok_or_else(|| {
        let given = if vm.is_none(object) { "None" } else { object.ob_type().name() };
        vm.type_error(format!("_interpreters.{function}() argument {place} must be dict, not {given}"))
    })
}

/// Runs a script in an interpreter. Gives None, or what is kept of the exception that it raised.
fn run_script(id: &Id, script: Vec<u8>, names: Option<&Dict>, vm: &Vm) -> PyResult {
    let names = names.map(|names| pack_names(names, vm)).transpose()?.unwrap_or_default();
    let failed = id.enter(vm, |vm| {
        let run = || {
            let names = main_names(names, vm)?;
            let code = taipan_vm::runtime::marshal::load_code(&script, vm)?;
            eval_code(&code, &names, None, vm)
        };
        run().err().map(|Raised| capture(vm))
    })?;
    failed.map_or_else(|| Ok(vm.none()), |captured| captured.to_object(vm))
}

/// How a call in another interpreter ended.
enum Outcome {
    Returned(Shared),
    Raised(Captured),
    /// Function, arguments or result could not go over; why.
    NotShareable(&'static str, String),
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpreters")]
impl Interpreters {
    /// Create a new interpreter and return a unique generated ID.
    ///
    /// The caller is responsible for destroying the interpreter before exiting,
    /// typically by using _interpreters.destroy().  This can be managed
    /// automatically by passing "reqrefs=True" and then using _incref() and
    /// _decref() appropriately.
    #[function("!($module, config='isolated', *, reqrefs=False)")]
    fn create(config: Option<&Object>, reqrefs: Option<bool>, vm: &Vm) -> PyResult<i64> {
        let features = features_of(config, vm)?;
        // The library's own modules may be shared by interpreters under one lock only.
        if !features.use_main_obmalloc && !features.check_multi_interp_extensions {
            return Err(error("interpreter creation failed", vm));
        }
        interpreters::create(features, WHENCE_STDLIB, reqrefs == Some(true), vm)
            .map_err(|why| error(&format!("interpreter creation failed: {why}"), vm))
    }

    /// Destroy the identified interpreter.
    ///
    /// Attempting to destroy the current interpreter raises InterpreterError.
    /// So does an unrecognized ID.
    #[function("!($module, id, *, restrict=False)")]
    fn destroy(id: Id, restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        id.check(restrict, "destroy", vm)?;
        if id.0 == vm.interp().id || id.0 == MAIN {
            let what = if id.0 == vm.interp().id { "current" } else { "main" };
            return Err(error(&format!("cannot destroy the {what} interpreter"), vm));
        }
        interpreters::destroy(id.0, vm).map_err(|refusal| match refusal {
            Refusal::Unknown => unknown(id.0, vm),
            Refusal::Running => error("interpreter running", vm),
        })
    }

    /// Return a list containing the ID of every existing interpreter.
    #[function("!($module, *, require_ready=False)")]
    fn list_all(_require_ready: Option<bool>, vm: &Vm) -> PyResult<Ref<List>> {
        let all = std::iter::once((MAIN, WHENCE_RUNTIME)).chain(interpreters::list());
        Ok(vm.new_list(all.map(|entry| entry.into_py(vm)).collect::<PyResult<Vec<_>>>()?))
    }

    /// Return the (ID, whence) pair of the current interpreter.
    #[function("($self, /)")]
    fn get_current(vm: &Vm) -> (i64, i64) {
        let id = Id(vm.interp().id);
        (id.0, id.whence())
    }

    /// Return the (ID, whence) pair of the main interpreter.
    #[function("($self, /)")]
    fn get_main() -> (i64, i64) {
        (MAIN, WHENCE_RUNTIME)
    }

    /// Return whether or not the identified interpreter is running.
    #[function("!($module, id, *, restrict=False)")]
    fn is_running(id: Id, restrict: Option<bool>, vm: &Vm) -> PyResult<bool> {
        id.check(restrict, "check if running for", vm)?;
        Ok(interpreters::describe(id.0).is_none_or(|(_, is_running)| is_running))
    }

    /// Return an identifier for where the interpreter was created.
    #[function("!($module, id)")]
    fn whence(id: Id) -> i64 {
        id.whence()
    }

    /// Count a reference to the identified interpreter.
    #[function("!($module, id, *, implieslink=False, restrict=False)")]
    fn incref(id: Id, _implieslink: Option<bool>, restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        id.check(restrict, "incref", vm)?;
        interpreters::take_reference(id.0);
        Ok(())
    }

    /// Drop a reference to the identified interpreter.
    #[function("!($module, id, *, restrict=False)")]
    fn decref(id: Id, restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        id.check(restrict, "decref", vm)?;
        if interpreters::drop_reference(id.0) && id.0 != vm.interp().id {
            // One that still runs is ended by whoever ends the main interpreter.
            let _ = interpreters::destroy(id.0, vm);
        }
        Ok(())
    }

    /// Bind the given attributes in the interpreter's __main__ module.
    #[function("!($module, id, updates, *, restrict=False)")]
    fn set___main___attrs(id: Id, updates: &Object, restrict: Option<bool>, vm: &Vm) -> PyResult<()> {
        let updates = dict_argument(updates, "set___main___attrs", 2, vm)?;
        id.check(restrict, "update __main__ for", vm)?;
        if updates.len() == 0 {
            return Err(vm.value_error("arg 2 must be a non-empty dict"));
        }
        if id.0 == MAIN || id.0 == vm.interp().id {
            return Err(error("interpreter already running", vm));
        }
        let names = pack_names(updates, vm)?;
        match id.enter(vm, |vm| main_names(names, vm).err().map(|Raised| capture(vm)))? {
            None => Ok(()),
            Some(captured) => Err(error(captured.formatted(), vm)),
        }
    }

    /// Execute the provided code in the identified interpreter.
    /// This is equivalent to running the builtin exec() under the target
    /// interpreter, using the __dict__ of its __main__ module as both
    /// globals and locals.
    ///
    /// "code" may be a string containing the text of a Python script.
    ///
    /// Functions (and code objects) are also supported, with some restrictions.
    /// The code/function must not take any arguments or be a closure
    /// (i.e. have cell vars).  Methods and other callables are not supported.
    ///
    /// If a function is provided, its code object is used and all its state
    /// is ignored, including its __globals__ dict.
    #[function("!($module, id, code, shared=None, *, restrict=False)")]
    fn exec(id: Id, code: &Object, shared: Option<&Object>, restrict: Option<bool>, vm: &Vm) -> PyResult {
        let shared = shared.map(|shared| dict_argument(shared, "exec", 3, vm)).transpose()?;
        id.check(restrict, "exec code for", vm)?;
        run_script(&id, script(code, vm)?, shared, vm)
    }

    /// Execute the provided string in the identified interpreter.
    ///
    /// (See _interpreters.exec().)
    #[function("!($module, id, script, shared=None, *, restrict=False)")]
    fn run_string(
        id: Id,
        script: &Str,
        shared: Option<&Object>,
        restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let shared = shared.map(|shared| dict_argument(shared, "run_string", 3, vm)).transpose()?;
        id.check(restrict, "run a string in", vm)?;
        run_script(&id, self::script(script.as_object(), vm)?, shared, vm)
    }

    /// Execute the body of the provided function in the identified interpreter.
    /// Code objects are also supported.  In both cases, closures and args
    /// are not supported.  Methods and other callables are not supported either.
    ///
    /// (See _interpreters.exec().)
    #[function("!($module, id, func, shared=None, *, restrict=False)")]
    fn run_func(id: Id, func: &Object, shared: Option<&Object>, restrict: Option<bool>, vm: &Vm) -> PyResult {
        let shared = shared.map(|shared| dict_argument(shared, "run_func", 3, vm)).transpose()?;
        id.check(restrict, "run a function in", vm)?;
        let is_code = func.downcast_ref::<taipan_vm::builtins::code::Code>().is_some();
        if !is_code && func.downcast_ref::<Function>().is_none() {
            let given = func.ob_type().name();
            return Err(
                vm.type_error(format!("_interpreters.run_func() argument 2 must be a function, not {given}"))
            );
        }
        run_script(&id, script(func, vm)?, shared, vm)
    }

    /// Call the provided object in the identified interpreter.
    /// Pass the given args and kwargs, if possible.
    #[function("!($module, id, callable, args=None, kwargs=None, *, preserve_exc=False, restrict=False)")]
    fn call(
        id: Id,
        callable: &Object,
        args: OrNone<&Tuple>,
        kwargs: OrNone<&Dict>,
        _preserve_exc: Option<bool>,
        restrict: Option<bool>,
        vm: &Vm,
    ) -> PyResult<(ObjRef, ObjRef)> {
        id.check(restrict, "make a call in", vm)?;
        if !callable.is_callable() {
            let shown = callable.repr(vm)?.to_string_lossy().into_owned();
            return Err(vm.type_error(format!("expected a callable, got {shown}")));
        }
        let function = pack(callable, true, vm)?;
        let args = args.0.map(|args| pack(args.as_object(), true, vm)).transpose()?;
        let mut named = Vec::new();
        for (name, value) in kwargs.0.map(Dict::items_vec).unwrap_or_default() {
            named.push((pack(&name, true, vm)?, pack(&value, true, vm)?));
        }
        match id.enter(vm, |vm| call_here(function, args, named, vm))? {
            Outcome::Returned(result) => Ok((result.unpack(vm)?, vm.none())),
            Outcome::Raised(captured) => Ok((vm.none(), captured.to_object(vm)?)),
            Outcome::NotShareable(what, why) => {
                let Raised = vm.raise(types::exception(), why);
                Err(shared::not_shareable(what.to_owned(), vm))
            }
        }
    }

    /// Return True if the object's data may be shared between interpreters.
    #[function("!($module, obj)")]
    fn is_shareable(obj: &Object, vm: &Vm) -> bool {
        is_shareable(obj, vm)
    }

    /// Return a representation of the config used to initialize the interpreter.
    #[function("!($module, id, *, restrict=False)")]
    fn get_config(id: Id, restrict: Option<bool>, vm: &Vm) -> PyResult {
        id.check(restrict, "get the config of", vm)?;
        let features = interpreters::features(id.0).unwrap_or(Features::MAIN);
        let gil = if features.own_gil { "own" } else { "shared" };
        namespace(&*config_object(&features, gil, vm)?, vm)
    }

    /// Return a representation of a new interpreter config.
    #[function("!($module, name='isolated', /, **overrides)")]
    fn new_config(name: Option<&Str>, overrides: KwArgs<'_>, vm: &Vm) -> PyResult {
        let name = name.map_or_else(|| "isolated".to_owned(), |name| name.to_string_lossy().into_owned());
        let (features, gil) = named_config(&name, vm)?;
        let dict = config_object(&features, gil, vm)?;
        let unknown = vm.new_dict();
        for (key, value) in overrides.iter() {
            let is_valid = match dict.get_str(key, vm)? {
                None => {
                    unknown.set_str(key, value, vm)?;
                    continue;
                }
                Some(known) => known.ob_type().as_object().is(value.ob_type().as_object()),
            };
            if !is_valid {
                return Err(wrong_type(&key.to_string_lossy(), vm));
            }
            if let Some(gil) = value.downcast_ref::<Str>() {
                means_own_gil(&gil.to_string_lossy(), vm)?;
            }
            dict.set_str(key, value, vm)?;
        }
        check_extra(&unknown, vm)?;
        namespace(&dict, vm)
    }

    /// Return a snapshot of an exception.  If "exc" is None then the current exception, if any, is used (but not cleared).
    #[function("!($module, exc=None)")]
    fn capture_exception(exc: Option<&Object>, vm: &Vm) -> PyResult {
        match exc.filter(|exc| !vm.is_none(exc)) {
            Some(exception) if exception.downcast_ref::<BaseException>().is_some() => {
                Captured::of(exception, vm).to_object(vm)
            }
            Some(other) => {
                let given = other.repr(vm)?.to_string_lossy().into_owned();
                Err(vm.type_error(format!("expected exception, got '{given}'")))
            }
            None => {
                let sys = taipan_vm::import::import_module("sys", vm)?;
                let current = sys.call_method(&vm.intern("exception"), &[], vm)?;
                if vm.is_none(&current) { Ok(current) } else { Captured::of(&current, vm).to_object(vm) }
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
            ("WHENCE_STDLIB", WHENCE_STDLIB),
        ] {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("CrossInterpreterBufferView", BufferView::type_object().as_object(), vm)?;
        module.set("InterpreterError", interpreter_error(vm)?.as_object(), vm)?;
        module.set("InterpreterNotFoundError", not_found_error(vm)?.as_object(), vm)?;
        module.set("NotShareableError", not_shareable_error(vm)?.as_object(), vm)
    }
}

/// Calls a function in the interpreter that it was handed over to.
fn call_here(function: Shared, args: Option<Shared>, named: Vec<(Shared, Shared)>, vm: &Vm) -> Outcome {
    let refused = |what| Outcome::NotShareable(what, capture(vm).formatted().to_owned());
    let Ok(function) = function.unpack(vm) else { return refused("func not shareable") };
    let args = args.map_or_else(|| Ok(Tuple::empty(vm).into_object()), |args| args.unpack(vm));
    let Some(args) = args.ok().and_then(|args| args.downcast::<Tuple>().ok()) else {
        return refused("args not shareable");
    };
    let kwargs = vm.new_dict();
    for (name, value) in named {
        let set = || kwargs.set_item(&*name.unpack(vm)?, &*value.unpack(vm)?, vm);
        if set().is_err() {
            return refused("kwargs not shareable");
        }
    }
    match function.call_tuple_dict(&args, Some(&kwargs), vm) {
        Err(Raised) => Outcome::Raised(capture(vm)),
        Ok(result) => match pack(&result, true, vm) {
            Ok(packed) => Outcome::Returned(packed),
            Err(Raised) => refused("object does not support cross-interpreter data"),
        },
    }
}
