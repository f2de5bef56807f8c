//! Transactions: `isolation_level`, `autocommit`, commit and rollback, the context manager.

use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

use super::{Connection, DISABLED, ENABLED, LEGACY};

/// How transactions are begun implicitly.
#[derive(Clone, Copy)]
pub enum Isolation {
    /// As SQLite does it; named as the program did, "" or "DEFERRED".
    Deferred(&'static str),
    Immediate,
    Exclusive,
}

impl Isolation {
    /// The level of an argument; None for no implicit transactions.
    pub fn from_object(level: &Object, vm: &Vm) -> PyResult<Option<Isolation>> {
        if vm.is_none(level) {
            return Ok(None);
        }
        let Some(level) = level.downcast_ref::<Str>() else {
            return Err(vm.type_error("isolation_level must be str or None"));
        };
        let level = super::super::c_string(level, vm)?;
        let known = [
            ("", Isolation::Deferred("")),
            ("DEFERRED", Isolation::Deferred("DEFERRED")),
            ("IMMEDIATE", Isolation::Immediate),
            ("EXCLUSIVE", Isolation::Exclusive),
        ];
        match known.iter().find(|(name, _)| level.as_bytes().eq_ignore_ascii_case(name.as_bytes())) {
            Some((_, level)) => Ok(Some(*level)),
            None => Err(
                vm.value_error("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")
            ),
        }
    }

    /// The name that the program gave.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::Deferred(name) => name,
            Isolation::Immediate => "IMMEDIATE",
            Isolation::Exclusive => "EXCLUSIVE",
        }
    }

    fn begin(self) -> &'static CStr {
        match self {
            Isolation::Deferred("") => c"BEGIN ",
            Isolation::Deferred(_) => c"BEGIN DEFERRED",
            Isolation::Immediate => c"BEGIN IMMEDIATE",
            Isolation::Exclusive => c"BEGIN EXCLUSIVE",
        }
    }
}

/// The `autocommit` of an argument.
pub fn autocommit_mode(mode: &Object, vm: &Vm) -> PyResult<i32> {
    if mode.is(vm.true_ref()) {
        return Ok(ENABLED);
    }
    if mode.is(vm.false_ref()) {
        return Ok(DISABLED);
    }
    if mode.downcast_ref::<Int>().and_then(Int::to_i64) == Some(LEGACY.into()) {
        return Ok(LEGACY);
    }
    Err(vm.value_error("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL"))
}

impl Connection {
    /// Runs a statement of SQLite's transaction control.
    pub fn run(&self, sql: &CStr, vm: &Vm) -> PyResult<()> {
        let db = self.open(vm)?;
        // SAFETY: the connection is open, the text NUL-terminated, the statement finalised once.
        let code = vm.allow_threads(|| unsafe {
            let mut raw = std::ptr::null_mut();
            let length = sql.count_bytes() as i32 + 1;
            let code = sq::sqlite3_prepare_v2(db, sql.as_ptr(), length, &raw mut raw, std::ptr::null_mut());
            if code == sq::SQLITE_OK {
                sq::sqlite3_step(raw);
                sq::sqlite3_finalize(raw)
            } else {
                code
            }
        });
        self.check(code, vm)
    }

    /// Whether SQLite is outside of a transaction.
    pub fn is_autocommit(&self) -> bool {
        let db = self.db.0.get();
        // SAFETY: the connection is open.
        db.is_null() || unsafe { sq::sqlite3_get_autocommit(db) } != 0
    }

    /// Whether transactions are controlled by `isolation_level`.
    pub fn is_legacy(&self) -> bool {
        self.autocommit.get() == LEGACY
    }

    /// Begins the transaction that changing data needs.
    pub fn begin_implicitly(&self, vm: &Vm) -> PyResult<()> {
        match self.isolation.get() {
            Some(level) if self.is_legacy() && self.is_autocommit() => self.run(level.begin(), vm),
            _ => Ok(()),
        }
    }

    fn end(&self, how: &CStr, vm: &Vm) -> PyResult<()> {
        match self.autocommit.get() {
            LEGACY if !self.is_autocommit() => self.run(how, vm),
            DISABLED => {
                self.run(how, vm)?;
                self.run(c"BEGIN", vm)
            }
            _ => Ok(()),
        }
    }

    /// `commit()`.
    pub fn do_commit(&self, vm: &Vm) -> PyResult<()> {
        self.usable(vm)?;
        self.end(c"COMMIT", vm)
    }

    fn do_rollback(&self, vm: &Vm) -> PyResult<()> {
        self.usable(vm)?;
        self.end(c"ROLLBACK", vm)
    }
}

#[pymethods(table = TRANSACTIONS)]
impl Connection {
    /// Commit any pending transaction to the database.
    ///
    /// If there is no open transaction, this method is a no-op.
    #[method("($self, /)")]
    fn commit(&self, vm: &Vm) -> PyResult<()> {
        self.do_commit(vm)
    }

    /// Roll back to the start of any pending transaction.
    ///
    /// If there is no open transaction, this method is a no-op.
    #[method("($self, /)")]
    fn rollback(&self, vm: &Vm) -> PyResult<()> {
        self.do_rollback(vm)
    }

    /// Called when the connection is used as a context manager.
    ///
    /// Returns itself as a convenience to the caller.
    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult {
        self.open(vm)?;
        Ok(self.as_object().to_ref())
    }

    /// Called when the connection is used as a context manager.
    ///
    /// If there was any exception, a rollback takes place; otherwise we
    /// commit.
    #[method("($self, type, value, traceback, /)")]
    fn __exit__(
        zelf: &Object,
        r#type: &Object,
        value: &Object,
        traceback: &Object,
        vm: &Vm,
    ) -> PyResult<bool> {
        let _ = traceback;
        let fine = vm.is_none(r#type) && vm.is_none(value);
        let Some(connection) = zelf.downcast_ref::<Connection>() else { return Ok(false) };
        if connection.autocommit.get() == ENABLED {
            return Ok(false);
        }
        if !fine {
            connection.do_rollback(vm)?;
            return Ok(false);
        }
        if let Err(Raised) = connection.do_commit(vm) {
            // The commit has failed: the transaction is ended the other way.
            let Some(failure) = vm.take_exception() else { return Err(Raised) };
            if connection.do_rollback(vm).is_err() {
                if let Some(second) = vm.take_exception() {
                    second.context.set(Some(failure.into_object()));
                    return Err(vm.reraise(second));
                }
                return Err(Raised);
            }
            return Err(vm.reraise(failure));
        }
        Ok(false)
    }
}
