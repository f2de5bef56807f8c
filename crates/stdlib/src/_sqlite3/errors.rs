//! The classes of errors, and the raising of what SQLite reports.

use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::builtins::type_::TypeExt;
use taipan_vm::prelude::*;

use super::constants::RESULT_CODES;
use super::state;

/// The exception classes of DB-API.
#[derive(Clone)]
pub struct Classes {
    pub warning: Ref<Type>,
    pub error: Ref<Type>,
    pub interface: Ref<Type>,
    pub database: Ref<Type>,
    pub internal: Ref<Type>,
    pub operational: Ref<Type>,
    pub programming: Ref<Type>,
    pub integrity: Ref<Type>,
    pub data: Ref<Type>,
    pub not_supported: Ref<Type>,
}

impl Classes {
    /// The classes with their names.
    pub fn named(&self) -> [(&'static str, &Ref<Type>); 10] {
        [
            ("Warning", &self.warning),
            ("Error", &self.error),
            ("InterfaceError", &self.interface),
            ("DatabaseError", &self.database),
            ("InternalError", &self.internal),
            ("OperationalError", &self.operational),
            ("ProgrammingError", &self.programming),
            ("IntegrityError", &self.integrity),
            ("DataError", &self.data),
            ("NotSupportedError", &self.not_supported),
        ]
    }
}

fn class(name: &str, base: &Type, vm: &Vm) -> PyResult<Ref<Type>> {
    let dict = vm.new_dict();
    dict.set_str(vm.ids().__module__, vm.intern("sqlite3").as_object(), vm)?;
    let bases = vm.new_tuple([base.as_object().to_ref()]);
    let made = Type::type_type()
        .as_object()
        .call(&[vm.intern(name).as_object(), bases.as_object(), dict.as_object()], vm)?;
    made.downcast::<Type>().map_err(|_| vm.system_error("no class"))
}

/// The interpreter's classes, made at first use.
pub fn classes(vm: &Vm) -> PyResult<Classes> {
    let state = state(vm);
    if let Some(known) = &*state.errors.borrow() {
        return Ok(known.clone());
    }
    let error = class("Error", types::exception(), vm)?;
    let database = class("DatabaseError", &error, vm)?;
    let made = Classes {
        warning: class("Warning", types::exception(), vm)?,
        interface: class("InterfaceError", &error, vm)?,
        internal: class("InternalError", &database, vm)?,
        operational: class("OperationalError", &database, vm)?,
        programming: class("ProgrammingError", &database, vm)?,
        integrity: class("IntegrityError", &database, vm)?,
        data: class("DataError", &database, vm)?,
        not_supported: class("NotSupportedError", &database, vm)?,
        error,
        database,
    };
    state.errors.replace(Some(made.clone()));
    Ok(made)
}

fn raise(pick: impl FnOnce(Classes) -> Ref<Type>, text: impl AsRef<str>, vm: &Vm) -> Raised {
    match classes(vm) {
        Ok(classes) => vm.raise(&pick(classes), text),
        Err(raised) => raised,
    }
}

/// Raises `ProgrammingError`.
#[cold]
pub fn programming(text: impl AsRef<str>, vm: &Vm) -> Raised {
    raise(|classes| classes.programming, text, vm)
}

/// Raises `OperationalError`.
#[cold]
pub fn operational(text: impl AsRef<str>, vm: &Vm) -> Raised {
    raise(|classes| classes.operational, text, vm)
}

/// Raises `DataError`.
#[cold]
pub fn data(text: impl AsRef<str>, vm: &Vm) -> Raised {
    raise(|classes| classes.data, text, vm)
}

/// Raises what a result code means, with a text and the code itself as `sqlite_errorcode`, `sqlite_errorname`.
#[cold]
fn raise_code(code: i32, extended: i32, text: &str, vm: &Vm) -> Raised {
    let classes = match classes(vm) {
        Ok(classes) => classes,
        Err(raised) => return raised,
    };
    let class = match code & 0xff {
        sq::SQLITE_NOMEM => return vm.memory_error(),
        sq::SQLITE_INTERNAL | sq::SQLITE_NOTFOUND => classes.internal,
        sq::SQLITE_ERROR
        | sq::SQLITE_PERM
        | sq::SQLITE_ABORT
        | sq::SQLITE_BUSY
        | sq::SQLITE_LOCKED
        | sq::SQLITE_READONLY
        | sq::SQLITE_INTERRUPT
        | sq::SQLITE_IOERR
        | sq::SQLITE_FULL
        | sq::SQLITE_CANTOPEN
        | sq::SQLITE_PROTOCOL
        | sq::SQLITE_EMPTY
        | sq::SQLITE_SCHEMA => classes.operational,
        sq::SQLITE_TOOBIG => classes.data,
        sq::SQLITE_CONSTRAINT | sq::SQLITE_MISMATCH => classes.integrity,
        sq::SQLITE_MISUSE | sq::SQLITE_RANGE => classes.interface,
        _ => classes.database,
    };
    let raised = vm.raise(&class, text);
    let Some(exception) = vm.take_exception() else { return raised };
    let name = RESULT_CODES.iter().find(|(_, known)| *known == extended).map_or("unknown", |(name, _)| name);
    let object = exception.as_object();
    let told = object
        .set_attr(&vm.intern("sqlite_errorcode"), &vm.new_int(extended), vm)
        .and_then(|()| object.set_attr(&vm.intern("sqlite_errorname"), vm.new_str(name).as_object(), vm));
    match told {
        Ok(()) => vm.reraise(exception),
        Err(raised) => raised,
    }
}

/// Raises the last error of a connection.
///
/// # Safety
/// The connection is open.
#[cold]
pub unsafe fn from_connection(db: *mut sq::sqlite3, vm: &Vm) -> Raised {
    // SAFETY: the caller vouches for the connection; the message is NUL-terminated and copied at once.
    let (code, extended, text) = unsafe {
        let text = CStr::from_ptr(sq::sqlite3_errmsg(db)).to_string_lossy().into_owned();
        (sq::sqlite3_errcode(db), sq::sqlite3_extended_errcode(db), text)
    };
    raise_code(code, extended, &text, vm)
}

/// Raises what a result code means by itself.
#[cold]
pub fn from_code(code: i32, vm: &Vm) -> Raised {
    // SAFETY: the function takes any code and gives a static text.
    let text = unsafe { CStr::from_ptr(sq::sqlite3_errstr(code)) }.to_string_lossy();
    raise_code(code, code, &text, vm)
}
