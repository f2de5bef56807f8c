//! `Connection`.

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::rc::{Rc, Weak};

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

mod administration;
mod functions;
mod hooks;
mod transactions;

use super::blob::{Blob, Handle};
use super::cursor::Cursor;
use super::errors;
use super::statement::{Cache, Statement};
use transactions::Isolation;

/// `autocommit`: as before Python 3.12, by `isolation_level`.
pub const LEGACY: i32 = -1;
/// `autocommit=False`: always in a transaction.
pub const DISABLED: i32 = 0;
/// `autocommit=True`: SQLite's own way.
pub const ENABLED: i32 = 1;

unsafe extern "C" {
    /// Closes a connection as soon as its statements are finalised. The bindings leave it out.
    fn sqlite3_close_v2(db: *mut sq::sqlite3) -> i32;
}

/// SQLite's connection, closed with the object.
struct Database(Cell<*mut sq::sqlite3>);

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

impl Database {
    /// Closes it, once. What still uses it keeps it half alive.
    fn close(&self) {
        let db = self.0.replace(std::ptr::null_mut());
        if db.is_null() {
            return;
        }
        // SAFETY: open, and forgotten above. Other threads must be able to go on, whose callbacks may be waited for.
        let close = || unsafe { sqlite3_close_v2(db) };
        match Vm::try_current() {
            Some(vm) => vm.allow_threads(close),
            None => close(),
        };
    }
}

/// The layout of a connection.
#[repr(C)]
#[derive(Traverse)]
pub struct Connection {
    #[traverse(skip)]
    ob: Object,
    // Before the database: statements are finalised first.
    #[traverse(skip)]
    cache: RefCell<Cache>,
    #[traverse(skip)]
    db: Database,
    #[traverse(skip)]
    initialised: Cell<bool>,
    #[traverse(skip)]
    detect_types: Cell<i32>,
    #[traverse(skip)]
    isolation: Cell<Option<Isolation>>,
    #[traverse(skip)]
    autocommit: Cell<i32>,
    #[traverse(skip)]
    check_same_thread: Cell<bool>,
    #[traverse(skip)]
    thread: Cell<libc::pthread_t>,
    /// Blobs to close with the connection.
    #[traverse(skip)]
    blobs: RefCell<Vec<Weak<Handle>>>,
    row_factory: Slot<Object>,
    text_factory: Slot<Object>,
    authorizer: Slot<Object>,
    progress: Slot<Object>,
    trace: Slot<Object>,
}

/// Warns of positional arguments behind the first one.
pub fn warn_positional(function: &str, vm: &Vm) -> PyResult<()> {
    taipan_vm::builtins::warn::deprecation(
        &format!(
            "Passing more than 1 positional argument to {function}() is deprecated. Parameters 'timeout', \
             'detect_types', 'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will \
             become keyword-only parameters in Python 3.15."
        ),
        vm,
    )
}

const PARAMETERS: [&str; 9] = [
    "database",
    "timeout",
    "detect_types",
    "isolation_level",
    "check_same_thread",
    "factory",
    "cached_statements",
    "uri",
    "autocommit",
];
/// How many of them may be positional.
pub const MOST_POSITIONAL: usize = 8;

/// The arguments of `Connection()`, in the order of `PARAMETERS`.
fn arguments(args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<[Option<ObjRef>; 9]> {
    let mut found: [Option<ObjRef>; 9] = Default::default();
    if args.len() > MOST_POSITIONAL {
        let text = format!("Connection() takes at most 8 positional arguments ({} given)", args.len());
        return Err(vm.type_error(text));
    }
    for (place, value) in found.iter_mut().zip(args.as_slice()) {
        *place = Some(value.clone());
    }
    for (name, value) in kwargs.map(Dict::items_vec).unwrap_or_default() {
        let name =
            name.downcast_ref::<Str>().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let index = PARAMETERS.iter().position(|parameter| *parameter == name);
        let Some((index, place)) = index.and_then(|index| Some((index, found.get_mut(index)?))) else {
            let text = format!("Connection() got an unexpected keyword argument '{name}'");
            return Err(vm.type_error(text));
        };
        if place.is_some() {
            let text =
                format!("argument for Connection() given by name ('{name}') and position ({})", index + 1);
            return Err(vm.type_error(text));
        }
        *place = Some(value);
    }
    if found.first().is_none_or(Option::is_none) {
        return Err(vm.type_error("Connection() missing required argument 'database' (pos 1)"));
    }
    Ok(found)
}

fn c_int(value: &Object, vm: &Vm) -> PyResult<i32> {
    value
        .as_index(vm)?
        .to_i64()
        .and_then(|value| i32::try_from(value).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

/// The file's name as SQLite takes it.
fn file_name(database: &Object, vm: &Vm) -> PyResult<CString> {
    let path = taipan_vm::protocols::path::fspath(database, vm)?;
    let bytes = match (path.downcast_ref::<Str>(), path.downcast_ref::<Bytes>()) {
        (Some(text), _) => taipan_vm::protocols::path::encode(text, vm)?,
        (_, Some(bytes)) => bytes.as_bytes().to_vec(),
        _ => Vec::new(),
    };
    CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))
}

fn current_thread() -> libc::pthread_t {
    // SAFETY: the function takes nothing.
    unsafe { libc::pthread_self() }
}

impl Connection {
    /// SQLite's connection. Raises `ProgrammingError` when it is not open.
    #[inline]
    pub fn open(&self, vm: &Vm) -> PyResult<*mut sq::sqlite3> {
        let db = self.db.0.get();
        if db.is_null() {
            let text = if self.initialised.get() {
                "Cannot operate on a closed database."
            } else {
                "Base Connection.__init__ not called."
            };
            return Err(errors::programming(text, vm));
        }
        Ok(db)
    }

    /// Raises `ProgrammingError` in another thread than the connection's, unless that is allowed.
    #[inline]
    pub fn check_thread(&self, vm: &Vm) -> PyResult<()> {
        if self.initialised.get() && self.check_same_thread.get() && current_thread() != self.thread.get() {
            let text = format!(
                "SQLite objects created in a thread can only be used in that same thread. The object was created \
                 in thread id {} and this is thread id {}.",
                self.thread.get(),
                current_thread()
            );
            return Err(errors::programming(text, vm));
        }
        Ok(())
    }

    /// Both checks.
    #[inline]
    pub fn usable(&self, vm: &Vm) -> PyResult<*mut sq::sqlite3> {
        self.check_thread(vm)?;
        self.open(vm)
    }

    /// The error of the last operation.
    #[cold]
    pub fn error(&self, vm: &Vm) -> Raised {
        match self.open(vm) {
            // SAFETY: the connection is open.
            Ok(db) => unsafe { errors::from_connection(db, vm) },
            Err(raised) => raised,
        }
    }

    /// An error unless the code says that all is well.
    pub fn check(&self, code: i32, vm: &Vm) -> PyResult<()> {
        if code == sq::SQLITE_OK { Ok(()) } else { Err(self.error(vm)) }
    }

    /// The flags `PARSE_…`.
    pub fn detect_types(&self) -> i32 {
        self.detect_types.get()
    }

    /// `text_factory`.
    pub fn text_factory(&self) -> Option<ObjRef> {
        self.text_factory.get()
    }

    /// The statement of a text: from the cache, or prepared.
    pub fn statement(&self, sql: &Str, vm: &Vm) -> PyResult<Ref<Statement>> {
        let hash = sql.hash_value(vm);
        if let Some(known) = self.cache.borrow_mut().find(sql, hash) {
            return Ok(known);
        }
        let made = Statement::prepare(self, sql, vm)?;
        let gone = self.cache.borrow_mut().keep(sql, hash, &made);
        drop(gone);
        Ok(made)
    }

    /// Notes a blob that has to be closed before the connection.
    pub fn add_blob(&self, handle: &Rc<Handle>) {
        let mut blobs = self.blobs.borrow_mut();
        blobs.retain(|blob| blob.strong_count() > 0);
        blobs.push(Rc::downgrade(handle));
    }

    /// Closes what is open. A transaction that `autocommit=False` has opened is rolled back.
    fn shut(&self, vm: &Vm) -> PyResult<()> {
        let blobs = self.blobs.take();
        for blob in blobs.iter().filter_map(Weak::upgrade) {
            blob.close(vm);
        }
        if self.db.0.get().is_null() {
            return Ok(());
        }
        let mut result = Ok(());
        if self.autocommit.get() == DISABLED && !self.is_autocommit() {
            result = self.run(c"ROLLBACK", vm);
        }
        self.remove_hooks();
        let statements = self.cache.borrow_mut().take_all();
        drop(statements);
        self.db.close();
        result
    }

    /// A cursor by the way that subclasses can override.
    fn new_cursor(zelf: &Object, vm: &Vm) -> PyResult {
        if zelf.downcast_exact::<Connection>().is_some() {
            return Cursor::of(zelf, vm);
        }
        zelf.call_method(&vm.intern("cursor"), &[], vm)
    }

    /// `cursor().NAME(…)`.
    fn through_cursor(zelf: &Object, name: &str, args: &[&Object], vm: &Vm) -> PyResult {
        let cursor = Self::new_cursor(zelf, vm)?;
        cursor.call_method(&vm.intern(name), args, vm)
    }
}

/// SQLite database connection object.
#[pytype(
    name = "sqlite3.Connection",
    flags(BASETYPE),
    gc,
    methods(TRANSACTIONS, FUNCTIONS, HOOKS, ADMINISTRATION)
)]
impl Connection {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let made = Connection {
            ob: Object::new(Self::type_object()),
            cache: RefCell::default(),
            db: Database(Cell::new(std::ptr::null_mut())),
            initialised: Cell::new(false),
            detect_types: Cell::new(0),
            isolation: Cell::new(None),
            autocommit: Cell::new(LEGACY),
            check_same_thread: Cell::new(true),
            thread: Cell::new(current_thread()),
            blobs: RefCell::default(),
            row_factory: Slot::empty(),
            text_factory: Slot::empty(),
            authorizer: Slot::empty(),
            progress: Slot::empty(),
            trace: Slot::empty(),
        };
        vm.new_instance(cls, made)
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if (2..=MOST_POSITIONAL).contains(&args.len()) {
            warn_positional("_sqlite3.Connection", vm)?;
        }
        let [database, timeout, detect, isolation, check, _factory, cached, uri, autocommit] =
            arguments(args, kwargs, vm)?;
        let database = database.unwrap_or_else(|| vm.none());
        let timeout = timeout.map_or(Ok(5.0), |timeout| timeout.as_f64(vm))?;
        let detect = detect.map_or(Ok(0), |flags| c_int(&flags, vm))?;
        let isolation = match isolation {
            None => Some(Isolation::Deferred("")),
            Some(level) => Isolation::from_object(&level, vm)?,
        };
        let check = check.map_or(Ok(true), |check| check.is_true(vm))?;
        let cached = cached.map_or(Ok(128), |cached| c_int(&cached, vm))?;
        let uri = uri.map_or(Ok(false), |uri| uri.is_true(vm))?;
        let autocommit = autocommit.map_or(Ok(LEGACY), |mode| transactions::autocommit_mode(&mode, vm))?;
        audit("sqlite3.connect", &[&database], vm)?;
        if self.initialised.get() {
            self.initialised.set(false);
            self.shut(vm)?;
        }
        let name = file_name(&database, vm)?;
        let mut flags = sq::SQLITE_OPEN_READWRITE | sq::SQLITE_OPEN_CREATE;
        if uri {
            flags |= sq::SQLITE_OPEN_URI;
        }
        let mut db = std::ptr::null_mut();
        // SAFETY: the name is NUL-terminated; the connection is closed when it is not good.
        let code = vm.allow_threads(|| unsafe {
            let code = sq::sqlite3_open_v2(name.as_ptr(), &raw mut db, flags, std::ptr::null());
            if code == sq::SQLITE_OK {
                sq::sqlite3_busy_timeout(db, (timeout * 1000.0) as i32);
            }
            code
        });
        if db.is_null() {
            return Err(vm.memory_error());
        }
        if code != sq::SQLITE_OK {
            // SAFETY: open enough to tell its error; closed after.
            return Err(unsafe {
                let raised = errors::from_connection(db, vm);
                sq::sqlite3_close(db);
                raised
            });
        }
        self.db.0.set(db);
        self.cache.borrow_mut().capacity = usize::try_from(cached).unwrap_or(0);
        self.detect_types.set(detect);
        self.isolation.set(isolation);
        self.autocommit.set(autocommit);
        self.check_same_thread.set(check);
        self.thread.set(current_thread());
        self.row_factory.put(vm.none());
        self.text_factory.put(Str::type_object().as_object().to_ref());
        self.initialised.set(true);
        audit("sqlite3.connect/handle", &[self.as_object()], vm)?;
        if autocommit == DISABLED {
            self.run(c"BEGIN", vm)?;
        }
        Ok(())
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        if self.db.0.get().is_null() {
            return;
        }
        let waiting = vm.take_exception();
        let warned = self.as_object().repr(vm).and_then(|shown| {
            let text = format!("unclosed database in {}", shown.to_string_lossy());
            taipan_vm::builtins::warn::warn(types::resource_warning(), &text, 1, vm)
        });
        if warned.is_err() {
            if vm.exception_matches(types::warning()) {
                vm.write_unraisable(Some(self.as_object()), None);
            }
            vm.clear_exception();
        }
        if self.shut(vm).is_err() {
            vm.clear_exception();
        }
        if let Some(waiting) = waiting {
            let _ = vm.reraise(waiting);
        }
    }

    /// Compiles a statement.
    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.usable(vm)?;
        if kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error("Connection() takes no keyword arguments"));
        }
        let [sql] = args.as_slice() else {
            return Err(vm.type_error(format!("function takes exactly 1 argument ({} given)", args.len())));
        };
        match sql.downcast_ref::<Str>() {
            Some(sql) => Statement::prepare(self, sql, vm).map(Ref::into_object),
            None => Err(vm.type_error(format!("argument 1 must be str, not {}", sql.type_name()))),
        }
    }

    /// Return a cursor for the connection.
    #[method("($self, /, factory=<unrepresentable>)")]
    fn cursor(&self, factory: Option<&Object>, vm: &Vm) -> PyResult {
        self.usable(vm)?;
        let zelf = self.as_object();
        let made = match factory {
            None => Cursor::of(zelf, vm)?,
            Some(factory) => factory.call(&[zelf], vm)?,
        };
        let Some(cursor) = made.downcast_ref::<Cursor>() else {
            let text = format!("factory must return a cursor, not {}", made.type_name());
            return Err(vm.type_error(text));
        };
        if let Some(factory) = self.row_factory.get().filter(|factory| !vm.is_none(factory)) {
            cursor.set_factory(factory);
        }
        Ok(made)
    }

    /// Close the database connection.
    ///
    /// Any pending transaction is not committed implicitly.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.check_thread(vm)?;
        if !self.initialised.get() {
            return Err(errors::programming("Base Connection.__init__ not called.", vm));
        }
        self.shut(vm)
    }

    /// Executes an SQL statement.
    #[method("($self, sql, parameters=(), /)")]
    fn execute(zelf: &Object, sql: &Object, parameters: Option<&Object>, vm: &Vm) -> PyResult {
        let cursor = Self::new_cursor(zelf, vm)?;
        if let Some(known) = cursor.downcast_exact::<Cursor>() {
            return known.run_one(sql, parameters, vm);
        }
        let args: Vec<&Object> = std::iter::once(sql).chain(parameters).collect();
        cursor.call_method(&vm.intern("execute"), &args, vm)
    }

    /// Repeatedly executes an SQL statement.
    #[method("($self, sql, parameters, /)")]
    fn executemany(zelf: &Object, sql: &Object, parameters: &Object, vm: &Vm) -> PyResult {
        Self::through_cursor(zelf, "executemany", &[sql, parameters], vm)
    }

    /// Executes multiple SQL statements at once.
    #[method("($self, sql_script, /)")]
    fn executescript(zelf: &Object, sql_script: &Object, vm: &Vm) -> PyResult {
        Self::through_cursor(zelf, "executescript", &[sql_script], vm)
    }

    /// Open and return a BLOB object.
    ///
    /// table
    ///   Table name.
    /// column
    ///   Column name.
    /// rowid
    ///   Row id.
    /// readonly
    ///   Open the BLOB without write permissions.
    /// name
    ///   Database name.
    #[method("($self, table, column, rowid, /, *, readonly=False, name='main')")]
    fn blobopen(
        &self,
        table: &Str,
        column: &Str,
        rowid: &Object,
        readonly: Option<bool>,
        name: Option<&Str>,
        vm: &Vm,
    ) -> PyResult {
        Blob::open(self, table, column, rowid, readonly.unwrap_or(false), name, vm)
    }

    #[getter(__text_signature__)]
    fn call_signature(&self, vm: &Vm) -> Ref<Str> {
        vm.new_str("(sql, /)")
    }

    #[getter]
    fn row_factory(&self, vm: &Vm) -> ObjRef {
        self.row_factory.get().unwrap_or_else(|| vm.none())
    }

    #[setter]
    fn set_row_factory(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => self.row_factory.put(value.to_ref()),
            None => return Err(vm.attribute_error("cannot delete row_factory attribute")),
        }
        Ok(())
    }

    #[getter(text_factory)]
    fn get_text_factory(&self, vm: &Vm) -> ObjRef {
        self.text_factory.get().unwrap_or_else(|| vm.none())
    }

    #[setter]
    fn set_text_factory(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => self.text_factory.put(value.to_ref()),
            None => return Err(vm.attribute_error("cannot delete text_factory attribute")),
        }
        Ok(())
    }

    #[getter]
    fn total_changes(&self, vm: &Vm) -> PyResult<i32> {
        let db = self.open(vm)?;
        // SAFETY: the connection is open.
        Ok(unsafe { sq::sqlite3_total_changes(db) })
    }

    #[getter]
    fn isolation_level(&self, vm: &Vm) -> PyResult {
        self.open(vm)?;
        Ok(match self.isolation.get() {
            Some(level) => vm.new_str(level.name()).into_object(),
            None => vm.none(),
        })
    }

    #[setter]
    fn set_isolation_level(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
        let level = Isolation::from_object(value, vm)?;
        if level.is_none() {
            // Without implicit transactions none may stay open.
            self.isolation.set(None);
            return self.do_commit(vm);
        }
        self.isolation.set(level);
        Ok(())
    }

    #[getter]
    fn in_transaction(&self, vm: &Vm) -> PyResult<bool> {
        self.open(vm)?;
        Ok(!self.is_autocommit())
    }

    #[getter]
    fn autocommit(&self, vm: &Vm) -> PyResult {
        self.usable(vm)?;
        Ok(match self.autocommit.get() {
            ENABLED => vm.new_bool(true),
            DISABLED => vm.new_bool(false),
            legacy => vm.new_int(legacy),
        })
    }

    #[setter]
    fn set_autocommit(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.usable(vm)?;
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete autocommit attribute")) };
        let mode = transactions::autocommit_mode(value, vm)?;
        if mode == ENABLED && !self.is_autocommit() {
            self.run(c"COMMIT", vm)?;
        } else if mode == DISABLED && self.is_autocommit() {
            self.run(c"BEGIN", vm)?;
        }
        self.autocommit.set(mode);
        Ok(())
    }

    #[getter(Warning)]
    fn class_warning(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.warning)
    }

    #[getter(Error)]
    fn class_error(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.error)
    }

    #[getter(InterfaceError)]
    fn class_interface(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.interface)
    }

    #[getter(DatabaseError)]
    fn class_database(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.database)
    }

    #[getter(DataError)]
    fn class_data(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.data)
    }

    #[getter(OperationalError)]
    fn class_operational(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.operational)
    }

    #[getter(IntegrityError)]
    fn class_integrity(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.integrity)
    }

    #[getter(InternalError)]
    fn class_internal(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.internal)
    }

    #[getter(ProgrammingError)]
    fn class_programming(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.programming)
    }

    #[getter(NotSupportedError)]
    fn class_not_supported(&self, vm: &Vm) -> PyResult<Ref<Type>> {
        Ok(errors::classes(vm)?.not_supported)
    }
}

impl Connection {
    /// `row_factory`, unless it is None.
    pub fn factory(&self, vm: &Vm) -> Option<ObjRef> {
        self.row_factory.get().filter(|factory| !vm.is_none(factory))
    }
}
