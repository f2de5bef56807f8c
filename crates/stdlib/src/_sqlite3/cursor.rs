//! `Cursor`.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

use super::callback::bytes_at;
use super::statement::Statement;
use super::{Connection, bind, c_string, errors, state};

/// `PARSE_DECLTYPES`.
const PARSE_DECLTYPES: i32 = 1;
/// `PARSE_COLNAMES`.
const PARSE_COLNAMES: i32 = 2;

/// The layout of a cursor.
#[repr(C)]
#[derive(Traverse)]
pub struct Cursor {
    #[traverse(skip)]
    ob: Object,
    connection: Slot<Connection>,
    description: Slot<Object>,
    /// A converter for each column of the statement, when types are detected.
    converters: RefCell<Vec<Option<ObjRef>>>,
    row_factory: Slot<Object>,
    lastrowid: Slot<Object>,
    /// What is being fetched from.
    statement: Slot<Statement>,
    #[traverse(skip)]
    arraysize: Cell<u32>,
    #[traverse(skip)]
    rowcount: Cell<i64>,
    #[traverse(skip)]
    closed: Cell<bool>,
    /// While a call runs that can call Python.
    #[traverse(skip)]
    locked: Cell<bool>,
    #[traverse(skip)]
    initialised: Cell<bool>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// The lock of a cursor, given back at the end.
struct Locked<'a>(&'a Cell<bool>);

impl<'a> Locked<'a> {
    fn new(flag: &'a Cell<bool>) -> Self {
        flag.set(true);
        Locked(flag)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The text behind a pointer of SQLite.
///
/// # Safety
/// Null or NUL-terminated.
unsafe fn c_text(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn find_converter(name: &str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let key = vm.new_str(name).into_object().call_method(&vm.intern("upper"), &[], vm)?;
    state(vm).converters(vm).get_item(&key, vm)
}

/// A column's name without the type that `PARSE_COLNAMES` reads from it.
fn shown_name(name: &str, detect_types: i32) -> &str {
    if detect_types & PARSE_COLNAMES == 0 {
        return name;
    }
    match name.find('[') {
        Some(end) => {
            let start = name.get(..end).unwrap_or_default();
            start.strip_suffix(' ').unwrap_or(start)
        }
        None => name,
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // The connection's cache may keep the statement, which must not stay in the middle of its rows.
        if let (Some(statement), Some(vm)) = (self.statement.take(), Vm::try_current()) {
            statement.reset(vm);
        }
    }
}

impl Cursor {
    fn empty() -> Cursor {
        Cursor {
            ob: Object::new(Self::type_object()),
            connection: Slot::empty(),
            description: Slot::empty(),
            converters: RefCell::default(),
            row_factory: Slot::empty(),
            lastrowid: Slot::empty(),
            statement: Slot::empty(),
            arraysize: Cell::new(1),
            rowcount: Cell::new(-1),
            closed: Cell::new(false),
            locked: Cell::new(false),
            initialised: Cell::new(false),
            weakrefs: WeakList::new(),
        }
    }

    /// `Cursor(connection)` with the connection's row factory.
    pub fn of(connection: &Object, vm: &Vm) -> PyResult {
        let Some(known) = connection.downcast_ref::<Connection>() else {
            return Err(vm.type_error("not a connection"));
        };
        known.usable(vm)?;
        let made = vm.new_object(Cursor::empty());
        made.connection.put(known.into());
        if let Some(factory) = known.factory(vm) {
            made.set_factory(factory);
        }
        made.initialised.set(true);
        Ok(made.into_object())
    }

    /// Sets `row_factory`.
    pub fn set_factory(&self, factory: ObjRef) {
        self.row_factory.put(factory);
    }

    /// `description`.
    pub fn description(&self, vm: &Vm) -> ObjRef {
        self.description.get().unwrap_or_else(|| vm.none())
    }

    /// The connection of a cursor that may be used now.
    fn usable(&self, vm: &Vm) -> PyResult<Ref<Connection>> {
        let Some(connection) = self.connection.get().filter(|_| self.initialised.get()) else {
            return Err(errors::programming("Base Cursor.__init__ not called.", vm));
        };
        if self.closed.get() {
            return Err(errors::programming("Cannot operate on a closed cursor.", vm));
        }
        self.check_free(vm)?;
        connection.usable(vm)?;
        Ok(connection)
    }

    fn check_free(&self, vm: &Vm) -> PyResult<()> {
        if self.locked.get() {
            return Err(errors::programming("Recursive use of cursors not allowed.", vm));
        }
        Ok(())
    }

    /// Ends what is being fetched from.
    fn drop_statement(&self, vm: &Vm) {
        if let Some(statement) = self.statement.take() {
            statement.reset(vm);
        }
    }

    fn find_converters(&self, connection: &Connection, statement: &Statement, vm: &Vm) -> PyResult<()> {
        let detect = connection.detect_types();
        if detect == 0 {
            return Ok(());
        }
        let raw = statement.raw();
        let mut found = Vec::new();
        // SAFETY: the statement is alive; names are copied at once.
        let count = unsafe { sq::sqlite3_column_count(raw) };
        for column in 0..count {
            let mut converter = None;
            if detect & PARSE_COLNAMES != 0 {
                // SAFETY: as above.
                let name = unsafe { c_text(sq::sqlite3_column_name(raw, column)) };
                if let Some((_, rest)) = name.split_once('[') {
                    if let Some((kind, _)) = rest.split_once(']') {
                        converter = find_converter(kind, vm)?;
                    }
                }
            }
            if converter.is_none() && detect & PARSE_DECLTYPES != 0 {
                // SAFETY: as above.
                let declared = unsafe { c_text(sq::sqlite3_column_decltype(raw, column)) };
                let end = declared.find([' ', '(']).unwrap_or(declared.len());
                let kind = declared.get(..end).unwrap_or_default();
                if !declared.is_empty() {
                    converter = find_converter(kind, vm)?;
                }
            }
            found.push(converter);
        }
        let old = self.converters.replace(found);
        drop(old);
        Ok(())
    }

    fn describe(&self, connection: &Connection, statement: &Statement, vm: &Vm) -> PyResult<()> {
        let raw = statement.raw();
        // SAFETY: the statement is alive; names are copied at once.
        let count = unsafe { sq::sqlite3_column_count(raw) };
        if count <= 0 {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(count as usize);
        for column in 0..count {
            // SAFETY: as above.
            let name = unsafe { sq::sqlite3_column_name(raw, column) };
            if name.is_null() {
                return Err(vm.memory_error());
            }
            // SAFETY: NUL-terminated.
            let name = unsafe { c_text(name) };
            let mut entry = vec![vm.none(); 7];
            if let Some(first) = entry.first_mut() {
                *first = vm.new_str(shown_name(&name, connection.detect_types())).into_object();
            }
            columns.push(vm.new_tuple(entry).into_object());
        }
        self.description.put(vm.new_tuple(columns).into_object());
        Ok(())
    }

    /// `execute` and `executemany`: runs the statement once for each of the parameters.
    fn run(&self, sql: &Str, parameters: Parameters<'_>, vm: &Vm) -> PyResult {
        let connection = self.usable(vm)?;
        let locked = Locked::new(&self.locked);
        let done = self.run_locked(&connection, sql, parameters, vm);
        drop(locked);
        if done.is_err() || vm.has_exception() {
            self.drop_statement(vm);
            self.rowcount.set(-1);
            return Err(Raised);
        }
        // SAFETY: the reference isn't used beyond the check.
        if unsafe { self.statement.borrow() }.is_some_and(|statement| !statement.is_busy()) {
            drop(self.statement.take());
        }
        Ok(self.as_object().to_ref())
    }

    fn run_locked(
        &self,
        connection: &Ref<Connection>,
        sql: &Str,
        parameters: Parameters<'_>,
        vm: &Vm,
    ) -> PyResult<()> {
        let many = match parameters {
            Parameters::One(_) => None,
            Parameters::Many(many) => Some(many.iter(vm)?),
        };
        self.description.put(vm.none());
        self.drop_statement(vm);
        let mut statement = connection.statement(sql, vm)?;
        if many.is_some() && statement_is_readonly(&statement) {
            return Err(errors::programming("executemany() can only execute DML statements.", vm));
        }
        if statement.is_busy() {
            // Another cursor fetches from the cached one.
            statement = Statement::prepare(connection, sql, vm)?;
        }
        statement.reset(vm);
        self.statement.put(statement.clone());
        let changes_data = statement.changes_data();
        self.rowcount.set(if changes_data { 0 } else { -1 });
        if changes_data {
            connection.begin_implicitly(vm)?;
        }
        match (&many, parameters) {
            (None, Parameters::One(parameters)) => {
                self.run_once(connection, &statement, parameters, vm)?;
                let db = connection.open(vm)?;
                // SAFETY: the connection is open.
                self.lastrowid.put(vm.new_int(unsafe { sq::sqlite3_last_insert_rowid(db) }));
            }
            (Some(many), _) => {
                while let Some(parameters) = many.iter_next(vm)? {
                    self.run_once(connection, &statement, Some(&parameters), vm)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn run_once(
        &self,
        connection: &Ref<Connection>,
        statement: &Ref<Statement>,
        parameters: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        match parameters {
            Some(parameters) => bind::bind(statement, parameters, vm)?,
            None => bind::bind(statement, vm.new_tuple([]).as_object(), vm)?,
        }
        // An adapter may have closed the connection.
        connection.open(vm)?;
        let code = statement.step(vm);
        if code != sq::SQLITE_DONE && code != sq::SQLITE_ROW {
            vm.clear_exception();
            return Err(connection.error(vm));
        }
        if vm.has_exception() {
            return Err(Raised);
        }
        self.find_converters(connection, statement, vm)?;
        if self.description.get().is_none_or(|description| vm.is_none(&description)) {
            self.describe(connection, statement, vm)?;
        }
        if code == sq::SQLITE_DONE {
            if statement.changes_data() {
                let db = connection.open(vm)?;
                // SAFETY: the connection is open.
                let changes = unsafe { sq::sqlite3_changes(db) };
                self.rowcount.set(self.rowcount.get().saturating_add(changes.into()));
            }
            statement.reset(vm);
        }
        Ok(())
    }

    /// `execute`, for the connection's method too.
    pub fn run_one(&self, sql: &Object, parameters: Option<&Object>, vm: &Vm) -> PyResult {
        let sql = sql_argument("execute", sql, vm)?;
        self.run(sql, Parameters::One(parameters), vm)
    }

    /// The value of a column of the row that the statement stands at.
    fn column(&self, connection: &Connection, raw: *mut sq::sqlite3_stmt, column: i32, vm: &Vm) -> PyResult {
        // SAFETY: the statement stands at a row; texts and blobs are copied before anything else uses it.
        unsafe {
            Ok(match sq::sqlite3_column_type(raw, column) {
                sq::SQLITE_INTEGER => vm.new_int(sq::sqlite3_column_int64(raw, column)),
                sq::SQLITE_FLOAT => vm.new_float(sq::sqlite3_column_double(raw, column)),
                sq::SQLITE_TEXT => {
                    let text = sq::sqlite3_column_text(raw, column);
                    let length = sq::sqlite3_column_bytes(raw, column);
                    if text.is_null() {
                        return Err(vm.memory_error());
                    }
                    self.text(connection, raw, column, bytes_at(text.cast(), length), vm)?
                }
                sq::SQLITE_NULL => vm.none(),
                _ => {
                    let data = sq::sqlite3_column_blob(raw, column);
                    let length = sq::sqlite3_column_bytes(raw, column);
                    Bytes::try_from_slice(bytes_at(data, length), vm)?.into_object()
                }
            })
        }
    }

    fn text(
        &self,
        connection: &Connection,
        raw: *mut sq::sqlite3_stmt,
        column: i32,
        text: &[u8],
        vm: &Vm,
    ) -> PyResult {
        let factory = connection.text_factory();
        let Some(factory) = factory.filter(|factory| !factory.is(Str::type_object().as_object())) else {
            return match std::str::from_utf8(text) {
                Ok(text) => Ok(vm.new_str(text).into_object()),
                Err(_) => {
                    // SAFETY: the statement is alive; the name is copied.
                    let name = unsafe { c_text(sq::sqlite3_column_name(raw, column)) };
                    let shown = String::from_utf8_lossy(text);
                    let text = format!("Could not decode to UTF-8 column '{name}' with text '{shown}'");
                    Err(errors::operational(text, vm))
                }
            };
        };
        if factory.is(ByteArray::type_object().as_object()) {
            return ByteArray::from_slice(text, vm).map(Ref::into_object);
        }
        let bytes = Bytes::try_from_slice(text, vm)?;
        if factory.is(Bytes::type_object().as_object()) {
            return Ok(bytes.into_object());
        }
        factory.call(&[bytes.as_object()], vm)
    }

    /// The row that the statement stands at.
    fn row(&self, connection: &Connection, statement: &Statement, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let raw = statement.raw();
        // SAFETY: the statement is alive.
        let count = unsafe { sq::sqlite3_data_count(raw) };
        let detect = connection.detect_types() != 0;
        let mut row = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for column in 0..count {
            let converter =
                if detect { self.converters.borrow().get(column as usize).cloned().flatten() } else { None };
            row.push(match converter {
                None => self.column(connection, raw, column, vm)?,
                Some(converter) => {
                    // SAFETY: the statement stands at a row; the blob is copied at once.
                    let data = unsafe {
                        let data = sq::sqlite3_column_blob(raw, column);
                        let length = sq::sqlite3_column_bytes(raw, column);
                        // Null also stands for an empty blob.
                        if data.is_null() {
                            None
                        } else {
                            Some(Bytes::try_from_slice(bytes_at(data, length), vm)?)
                        }
                    };
                    match data {
                        None => vm.none(),
                        Some(data) => converter.call(&[data.as_object()], vm)?,
                    }
                }
            });
        }
        Ok(vm.new_tuple(row))
    }

    /// The next row, as the row factory makes it.
    fn next_row(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let connection = self.usable(vm)?;
        let Some(statement) = self.statement.get() else { return Ok(None) };
        // SAFETY: the statement is alive.
        if unsafe { sq::sqlite3_data_count(statement.raw()) } == 0 {
            self.drop_statement(vm);
            return Ok(None);
        }
        let locked = Locked::new(&self.locked);
        let row = self.row(&connection, &statement, vm);
        drop(locked);
        let row = row?;
        // A converter may have closed the connection.
        connection.open(vm)?;
        match statement.step(vm) {
            sq::SQLITE_DONE => {
                if statement.changes_data() {
                    let db = connection.open(vm)?;
                    // SAFETY: the connection is open.
                    self.rowcount.set(unsafe { sq::sqlite3_changes(db) }.into());
                }
                self.drop_statement(vm);
            }
            sq::SQLITE_ROW => {}
            _ => {
                vm.clear_exception();
                let raised = connection.error(vm);
                self.drop_statement(vm);
                return Err(raised);
            }
        }
        if vm.has_exception() {
            self.drop_statement(vm);
            return Err(Raised);
        }
        match self.row_factory.get().filter(|factory| !vm.is_none(factory)) {
            None => Ok(Some(row.into_object())),
            Some(factory) => factory.call(&[self.as_object(), row.as_object()], vm).map(Some),
        }
    }

    fn rows(&self, most: usize, vm: &Vm) -> PyResult<Ref<List>> {
        let mut rows = Vec::new();
        while rows.len() < most {
            match self.next_row(vm)? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(vm.new_list(rows))
    }
}

/// What `execute` and `executemany` run with.
#[derive(Clone, Copy)]
enum Parameters<'a> {
    One(Option<&'a Object>),
    Many(&'a Object),
}

fn statement_is_readonly(statement: &Statement) -> bool {
    // SAFETY: alive or null, which the function allows.
    unsafe { sq::sqlite3_stmt_readonly(statement.raw()) != 0 }
}

fn sql_argument<'a>(method: &str, sql: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    sql.downcast_ref::<Str>().ok_or_else(|| {
        let given = if vm.is_none(sql) { "None" } else { sql.type_name() };
        vm.type_error(format!("{method}() argument 1 must be str, not {given}"))
    })
}

/// A `uint32_t`; `too_large` ends the text of `OverflowError`.
fn unsigned(value: &Object, too_large: &str, vm: &Vm) -> PyResult<u32> {
    let number = value.as_index(vm)?;
    if number.is_negative() {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    number
        .to_u64()
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| vm.overflow_error(format!("Python int too large {too_large}")))
}

/// SQLite database cursor class.
#[pytype(
    name = "sqlite3.Cursor",
    flags(BASETYPE),
    gc,
    weakrefs = weakrefs,
    members(
        connection: OBJECT = connection, readonly;
        description: OBJECT = description, readonly;
        lastrowid: OBJECT = lastrowid, readonly
    )
)]
impl Cursor {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Cursor::empty())
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| kwargs.len() > 0)
            && std::ptr::eq(self.as_object().ob_type(), Self::type_object())
        {
            return Err(vm.type_error("Cursor() takes no keyword arguments"));
        }
        let [connection] = args.as_slice() else {
            return Err(vm.type_error(format!("Cursor expected 1 argument, got {}", args.len())));
        };
        let Some(connection) = connection.downcast_ref::<Connection>() else {
            let given = if vm.is_none(connection) { "None" } else { connection.ob_type().tp_name_str() };
            return Err(vm.type_error(format!("Cursor() argument 1 must be sqlite3.Connection, not {given}")));
        };
        self.check_free(vm)?;
        self.drop_statement(vm);
        self.connection.put(connection.into());
        self.description.put(vm.none());
        self.lastrowid.put(vm.none());
        self.row_factory.put(vm.none());
        self.converters.replace(Vec::new());
        self.arraysize.set(1);
        self.rowcount.set(-1);
        self.closed.set(false);
        connection.check_thread(vm)?;
        self.initialised.set(true);
        Ok(())
    }

    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.next_row(vm)
    }

    #[getter]
    fn rowcount(&self) -> i64 {
        self.rowcount.get()
    }

    #[getter]
    fn arraysize(&self) -> u32 {
        self.arraysize.get()
    }

    #[setter]
    fn set_arraysize(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            let text = "attribute 'arraysize' of 'sqlite3.Cursor' objects cannot be deleted";
            return Err(vm.attribute_error(text));
        };
        self.arraysize.set(unsigned(value, "to convert to C uint32_t", vm)?);
        Ok(())
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

    /// Executes an SQL statement.
    #[method("($self, sql, parameters=(), /)")]
    fn execute(&self, sql: &Object, parameters: Option<&Object>, vm: &Vm) -> PyResult {
        self.run_one(sql, parameters, vm)
    }

    /// Repeatedly executes an SQL statement.
    #[method("($self, sql, seq_of_parameters, /)")]
    fn executemany(&self, sql: &Object, seq_of_parameters: &Object, vm: &Vm) -> PyResult {
        let sql = sql_argument("executemany", sql, vm)?;
        self.run(sql, Parameters::Many(seq_of_parameters), vm)
    }

    /// Executes multiple SQL statements at once.
    #[method("($self, sql_script, /)")]
    fn executescript(&self, sql_script: &Object, vm: &Vm) -> PyResult {
        let Some(script) = sql_script.downcast_ref::<Str>() else {
            let given = if vm.is_none(sql_script) { "None" } else { sql_script.type_name() };
            return Err(vm.type_error(format!("executescript() argument must be str, not {given}")));
        };
        let text = c_string(script, vm)?;
        let connection = self.usable(vm)?;
        let db = connection.open(vm)?;
        // SAFETY: the connection is open.
        let most = unsafe { sq::sqlite3_limit(db, sq::SQLITE_LIMIT_SQL_LENGTH, -1) };
        if text.as_bytes().len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(errors::data("query string is too large", vm));
        }
        if connection.is_legacy() && !connection.is_autocommit() {
            connection.run(c"COMMIT", vm)?;
        }
        let mut rest = text.as_c_str();
        while !rest.is_empty() {
            let db = connection.open(vm)?;
            let mut tail = std::ptr::null();
            // SAFETY: the connection is open, the text NUL-terminated, the statement finalised once.
            let code = vm.allow_threads(|| unsafe {
                let length = rest.count_bytes() as i32 + 1;
                let mut raw = std::ptr::null_mut();
                let mut code = sq::sqlite3_prepare_v2(db, rest.as_ptr(), length, &raw mut raw, &raw mut tail);
                if code == sq::SQLITE_OK {
                    while !raw.is_null() && sq::sqlite3_step(raw) == sq::SQLITE_ROW {}
                    code = sq::sqlite3_finalize(raw);
                }
                code
            });
            if vm.has_exception() {
                return Err(Raised);
            }
            connection.check(code, vm)?;
            // SAFETY: SQLite points into the text, whose end is its NUL.
            rest = unsafe { CStr::from_ptr(tail) };
        }
        Ok(self.as_object().to_ref())
    }

    /// Fetches one row from the resultset.
    #[method("($self, /)")]
    fn fetchone(&self, vm: &Vm) -> PyResult {
        Ok(self.next_row(vm)?.unwrap_or_else(|| vm.none()))
    }

    /// Fetches several rows from the resultset.
    ///
    /// size
    ///   The default value is set by the Cursor.arraysize attribute.
    #[method("($self, /, size=1)")]
    fn fetchmany(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let most = match size {
            None => self.arraysize.get(),
            Some(size) => unsigned(size, "for C uint32_t", vm)?,
        };
        self.rows(most as usize, vm)
    }

    /// Fetches all rows from the resultset.
    #[method("($self, /)")]
    fn fetchall(&self, vm: &Vm) -> PyResult<Ref<List>> {
        self.rows(usize::MAX, vm)
    }

    /// Required by DB-API. Does nothing in sqlite3.
    #[method("($self, sizes, /)")]
    fn setinputsizes(&self, sizes: &Object) {
        let _ = sizes;
    }

    /// Required by DB-API. Does nothing in sqlite3.
    #[method("($self, size, column=None, /)")]
    fn setoutputsize(&self, size: &Object, column: Option<&Object>) {
        let _ = (size, column);
    }

    /// Closes the cursor.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.check_free(vm)?;
        let Some(connection) = self.connection.get() else {
            return Err(errors::programming("Base Cursor.__init__ not called.", vm));
        };
        connection.usable(vm)?;
        self.drop_statement(vm);
        self.closed.set(true);
        Ok(())
    }
}
