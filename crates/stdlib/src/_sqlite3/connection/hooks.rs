//! The authorizer, the progress handler and the trace callback.
//!
//! SQLite is given the connection's address: the connection outlives every call of SQLite, since cursors hold it, and closes
//! the database before it goes.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

use super::super::callback::{optional_text, report, text_object, with_python};
use super::super::errors;
use super::Connection;
use super::functions::Parameters;

/// The hook's callable, taken when the GIL is held: it may have been removed meanwhile.
///
/// # Safety
/// `connection` is a live connection's address.
unsafe fn connection<'a>(connection: *mut c_void) -> &'a Connection {
    // SAFETY: the caller vouches for it.
    unsafe { &*connection.cast::<Connection>() }
}

unsafe extern "C" fn authorize(
    address: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    source: *const c_char,
) -> c_int {
    let allowed = with_python(|vm| {
        // SAFETY: the address is as given to SQLite; the texts are its own.
        let (callable, texts) = unsafe {
            let Some(callable) = connection(address).authorizer.get() else { return sq::SQLITE_OK };
            (callable, [first, second, database, source].map(|text| optional_text(text, vm)))
        };
        let ask = || {
            let [first, second, database, source] = texts;
            let (first, second, database, source) = (first?, second?, database?, source?);
            callable.call(&[&vm.new_int(action), &first, &second, &database, &source], vm)
        };
        let answer = ask().and_then(|answer| match answer.downcast_ref::<Int>() {
            None => Ok(sq::SQLITE_DENY),
            Some(_) => super::c_int(&answer, vm),
        });
        answer.unwrap_or_else(|Raised| {
            report(&callable, vm);
            sq::SQLITE_DENY
        })
    });
    allowed.unwrap_or(sq::SQLITE_DENY)
}

unsafe extern "C" fn progress(address: *mut c_void) -> c_int {
    let stop = with_python(|vm| {
        // SAFETY: the address is as given to SQLite.
        let Some(callable) = (unsafe { connection(address) }).progress.get() else { return false };
        callable.call_no_args(vm).and_then(|answer| answer.is_true(vm)).unwrap_or_else(|Raised| {
            report(&callable, vm);
            true
        })
    });
    c_int::from(stop.unwrap_or(false))
}

unsafe extern "C" fn trace(
    kind: c_uint,
    address: *mut c_void,
    statement: *mut c_void,
    sql: *mut c_void,
) -> c_int {
    if kind != sq::SQLITE_TRACE_STMT {
        return 0;
    }
    with_python(|vm| {
        // SAFETY: the address is as given to SQLite.
        let Some(callable) = (unsafe { connection(address) }).trace.get() else { return };
        // SAFETY: SQLite gives a statement and its text; what it allocates is freed.
        let text = unsafe {
            let expanded = sq::sqlite3_expanded_sql(statement.cast());
            if expanded.is_null() {
                let db = sq::sqlite3_db_handle(statement.cast());
                if sq::sqlite3_errcode(db) == sq::SQLITE_NOMEM {
                    let _ = vm.memory_error();
                } else {
                    let _ = errors::data("Expanded SQL string exceeds the maximum string length", vm);
                }
                report(&callable, vm);
                text_object(CStr::from_ptr(sql.cast()).to_bytes(), vm)
            } else {
                let text = text_object(CStr::from_ptr(expanded).to_bytes(), vm);
                sq::sqlite3_free(expanded.cast());
                text
            }
        };
        if text.and_then(|text| callable.call(&[&text], vm)).is_err() {
            report(&callable, vm);
        }
    });
    0
}

impl Connection {
    fn address(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Takes the hooks out of SQLite.
    pub fn remove_hooks(&self) {
        let db = self.db.0.get();
        if db.is_null() {
            return;
        }
        // SAFETY: the connection is open.
        unsafe {
            sq::sqlite3_trace_v2(db, 0, None, std::ptr::null_mut());
            sq::sqlite3_progress_handler(db, 0, None, std::ptr::null_mut());
            sq::sqlite3_set_authorizer(db, None, std::ptr::null_mut());
        }
    }
}

#[pymethods(table = HOOKS)]
impl Connection {
    /// Set authorizer callback.
    ///
    /// Note: Passing keyword argument 'authorizer_callback' to
    /// _sqlite3.Connection.set_authorizer() is deprecated. Parameter
    /// 'authorizer_callback' will become positional-only in Python 3.15.
    #[method("($self, /, *args, **kwargs)", shown = "($self, /, authorizer_callback)")]
    fn set_authorizer(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let parameters = Parameters {
            method: "set_authorizer",
            names: &["authorizer_callback"],
            deprecated: 1,
            keyword_only: &[],
        };
        let found = parameters.parse(args, &kwargs, vm)?;
        let callable = found.first().copied().flatten().filter(|callable| !vm.is_none(callable));
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        // SAFETY: the connection is open; SQLite keeps its address only while it is.
        let code = unsafe {
            match callable {
                None => sq::sqlite3_set_authorizer(db, None, std::ptr::null_mut()),
                Some(_) => sq::sqlite3_set_authorizer(db, Some(authorize), self.address()),
            }
        };
        if code != sq::SQLITE_OK {
            return Err(errors::operational("Error setting authorizer callback", vm));
        }
        self.authorizer.set(callable.map(Object::to_ref));
        Ok(())
    }

    /// Set progress handler callback.
    ///
    ///   progress_handler
    ///     A callable that takes no arguments.
    ///     If the callable returns non-zero, the current query is
    ///     terminated, and an exception is raised.
    ///   n
    ///     The number of SQLite virtual machine instructions that are
    ///     executed between invocations of 'progress_handler'.
    ///
    /// If 'progress_handler' is None or 'n' is 0, the progress handler is
    /// disabled.
    ///
    /// Note: Passing keyword argument 'progress_handler' to
    /// _sqlite3.Connection.set_progress_handler() is deprecated. Parameter
    /// 'progress_handler' will become positional-only in Python 3.15.
    #[method("($self, /, *args, **kwargs)", shown = "($self, /, progress_handler, n)")]
    fn set_progress_handler(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let parameters = Parameters {
            method: "set_progress_handler",
            names: &["progress_handler", "n"],
            deprecated: 1,
            keyword_only: &[],
        };
        let found = parameters.parse(args, &kwargs, vm)?;
        let [handler, n] = found[..] else { return Err(vm.system_error("parameters")) };
        let handler = handler.filter(|handler| !vm.is_none(handler));
        let n = super::c_int(n.unwrap_or(vm.none_ref()), vm)?;
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        // SAFETY: as above.
        unsafe {
            match handler {
                None => sq::sqlite3_progress_handler(db, 0, None, std::ptr::null_mut()),
                Some(_) => sq::sqlite3_progress_handler(db, n, Some(progress), self.address()),
            }
        }
        self.progress.set(handler.map(Object::to_ref));
        Ok(())
    }

    /// Set a trace callback called for each SQL statement (passed as unicode).
    ///
    /// Note: Passing keyword argument 'trace_callback' to
    /// _sqlite3.Connection.set_trace_callback() is deprecated. Parameter
    /// 'trace_callback' will become positional-only in Python 3.15.
    #[method("($self, /, *args, **kwargs)", shown = "($self, /, trace_callback)")]
    fn set_trace_callback(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let parameters = Parameters {
            method: "set_trace_callback",
            names: &["trace_callback"],
            deprecated: 1,
            keyword_only: &[],
        };
        let found = parameters.parse(args, &kwargs, vm)?;
        let callable = found.first().copied().flatten().filter(|callable| !vm.is_none(callable));
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        // SAFETY: as above.
        unsafe {
            match callable {
                None => sq::sqlite3_trace_v2(db, 0, None, std::ptr::null_mut()),
                Some(_) => sq::sqlite3_trace_v2(db, sq::SQLITE_TRACE_STMT, Some(trace), self.address()),
            };
        }
        self.trace.set(callable.map(Object::to_ref));
        Ok(())
    }
}
