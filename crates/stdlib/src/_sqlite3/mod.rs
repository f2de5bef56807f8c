//! `_sqlite3`: SQLite databases (DB-API 2.0, PEP 249), over SQLite's C interface.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

mod adapt;
mod bind;
mod blob;
mod callback;
mod connection;
mod constants;
mod cursor;
mod errors;
mod row;
mod statement;

pub use adapt::PrepareProtocol;
pub use blob::Blob;
pub use connection::Connection;
pub use cursor::Cursor;
pub use row::Row;

/// The module.
pub struct Sqlite3;

/// What the module's objects share.
#[derive(Default)]
pub struct State {
    errors: RefCell<Option<errors::Classes>>,
    adapters: Slot<Dict>,
    converters: Slot<Dict>,
    /// Whether errors in callbacks are reported.
    reports_callbacks: Cell<bool>,
    /// Whether there is an adapter for a type that SQLite knows by itself.
    base_type_adapted: Cell<bool>,
}

/// The interpreter's state of this module.
pub fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

fn dict_of(slot: &Slot<Dict>, vm: &Vm) -> Ref<Dict> {
    slot.get().unwrap_or_else(|| {
        let dict = vm.new_dict();
        slot.put(dict.clone());
        dict
    })
}

impl State {
    /// Adapters by (type, protocol).
    pub fn adapters(&self, vm: &Vm) -> Ref<Dict> {
        dict_of(&self.adapters, vm)
    }

    /// Converters by the upper-case name of the type.
    pub fn converters(&self, vm: &Vm) -> Ref<Dict> {
        dict_of(&self.converters, vm)
    }
}

/// Text for SQLite. Raises `ValueError` when it holds a NUL.
pub fn c_string(text: &Str, vm: &Vm) -> PyResult<std::ffi::CString> {
    std::ffi::CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))
}

#[pymodule(name = "_sqlite3", types(Blob, Connection, Cursor, PrepareProtocol, Row))]
impl Sqlite3 {
    /// Open a connection to the SQLite database file 'database'.
    ///
    /// You can use ":memory:" to open a database connection to a database that
    /// resides in RAM instead of on disk.
    ///
    /// Note: Passing more than 1 positional argument to _sqlite3.connect() is
    /// deprecated. Parameters 'timeout', 'detect_types', 'isolation_level',
    /// 'check_same_thread', 'factory', 'cached_statements' and 'uri' will
    /// become keyword-only parameters in Python 3.15.
    #[function(
        "($module, /, *args, **kwargs)",
        shown = "($module, /, database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=ConnectionType, cached_statements=128, uri=False, *, autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)"
    )]
    fn connect(args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        const FACTORY: usize = 5;
        if (2..=connection::MOST_POSITIONAL).contains(&args.len()) {
            connection::warn_positional("sqlite3.connect", vm)?;
        }
        let mut factory = args.get(FACTORY).copied();
        let mut all = args.to_vec();
        let mut names = Vec::with_capacity(kwargs.len());
        for (name, value) in kwargs.iter() {
            if name.eq_str("factory") && factory.is_none() {
                factory = Some(value);
            }
            names.push(name.as_object().to_ref());
            all.push(value);
        }
        let names = (!names.is_empty()).then(|| vm.new_tuple(names));
        factory.unwrap_or(Connection::type_object().as_object()).call_kw(&all, names.as_deref(), vm)
    }

    /// Checks if a string contains a complete SQL statement.
    #[function("($module, /, statement)")]
    fn complete_statement(statement: &Object, vm: &Vm) -> PyResult<bool> {
        let Some(statement) = statement.downcast_ref::<Str>() else {
            let given = statement.type_name();
            let text = format!("complete_statement() argument 'statement' must be str, not {given}");
            return Err(vm.type_error(text));
        };
        let text = c_string(statement, vm)?;
        // SAFETY: NUL-terminated.
        Ok(unsafe { sq::sqlite3_complete(text.as_ptr()) } != 0)
    }

    /// Register a function to adapt Python objects to SQLite values.
    #[function("($module, type, adapter, /)")]
    fn register_adapter(r#type: &Object, adapter: &Object, vm: &Vm) -> PyResult<()> {
        let base: [&Type; 4] =
            [Int::type_object(), Float::type_object(), Str::type_object(), ByteArray::type_object()];
        let state = state(vm);
        if base.iter().any(|base| r#type.is(base.as_object())) {
            state.base_type_adapted.set(true);
        }
        let key = adapt::key(r#type, PrepareProtocol::type_object().as_object(), vm);
        state.adapters(vm).set_item(key.as_object(), adapter, vm)
    }

    /// Register a function to convert SQLite values to Python objects.
    #[function("($module, typename, converter, /)")]
    fn register_converter(typename: &Str, converter: &Object, vm: &Vm) -> PyResult<()> {
        let name = typename.as_object().call_method(&vm.intern("upper"), &[], vm)?;
        state(vm).converters(vm).set_item(&name, converter, vm)
    }

    /// Adapt given object to given protocol.
    #[function("($module, obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)")]
    fn adapt(obj: &Object, proto: Option<&Object>, alt: Option<&Object>, vm: &Vm) -> PyResult {
        let proto = proto.unwrap_or(PrepareProtocol::type_object().as_object());
        adapt::adapt(obj, proto, alt, vm)
    }

    /// Enable or disable callback functions throwing errors to stderr.
    #[function("($module, enable, /)")]
    fn enable_callback_tracebacks(enable: i32, vm: &Vm) {
        state(vm).reports_callbacks.set(enable != 0);
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in constants::RESULT_CODES.iter().chain(constants::OTHERS) {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        for (name, class) in errors::classes(vm)?.named() {
            module.set(name, class.as_object(), vm)?;
        }
        let state = state(vm);
        module.set("adapters", state.adapters(vm).as_object(), vm)?;
        module.set("converters", state.converters(vm).as_object(), vm)?;
        // SAFETY: the functions take nothing and give static data.
        let (version, threads) =
            unsafe { (CStr::from_ptr(sq::sqlite3_libversion()), sq::sqlite3_threadsafe()) };
        module.set("sqlite_version", vm.new_str(&version.to_string_lossy()).as_object(), vm)?;
        // DB-API's levels for SQLite's single-thread, serialized and multi-thread modes.
        let level = match threads {
            0 => 0,
            1 => 3,
            _ => 1,
        };
        module.set("threadsafety", &vm.new_int(level), vm)
    }
}
