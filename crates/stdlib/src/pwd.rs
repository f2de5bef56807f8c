//! `pwd`: the password database.

use std::ffi::{CStr, CString};

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{decode, encode};

/// The module.
pub struct Pwd;

static STRUCT_PASSWD: StructSeq = StructSeq {
    name: "pwd.struct_passwd",
    doc: "pwd.struct_passwd: Results from getpw*() routines.\n\nThis object may be accessed either as a tuple of\n  (pw_name,pw_passwd,pw_uid,pw_gid,pw_gecos,pw_dir,pw_shell)\nor via the object attributes as named in the above tuple.",
    fields: &[
        ("pw_name", "user name"),
        ("pw_passwd", "password"),
        ("pw_uid", "user id"),
        ("pw_gid", "group id"),
        ("pw_gecos", "real name"),
        ("pw_dir", "home directory"),
        ("pw_shell", "shell program"),
    ],
    visible: 7,
};

/// A text field of the database's; `None` where it has none.
///
/// # Safety
/// `text` is null or NUL-terminated.
pub(crate) unsafe fn text(text: *const libc::c_char, vm: &Vm) -> ObjRef {
    if text.is_null() {
        return vm.none();
    }
    // SAFETY: the caller vouches for it.
    decode(unsafe { CStr::from_ptr(text) }.to_bytes(), vm).into_object()
}

fn entry(found: &libc::passwd, vm: &Vm) -> PyResult {
    // SAFETY: the C library's fields are NUL-terminated or null.
    let values = unsafe {
        vec![
            text(found.pw_name, vm),
            text(found.pw_passwd, vm),
            id_object(found.pw_uid, vm),
            id_object(found.pw_gid, vm),
            text(found.pw_gecos, vm),
            text(found.pw_dir, vm),
            text(found.pw_shell, vm),
        ]
    };
    STRUCT_PASSWD.instance(values, vm)
}

/// A user or group number; the one that means "none" is -1.
pub(crate) fn id_object(id: u32, vm: &Vm) -> ObjRef {
    if id == u32::MAX { vm.new_int(-1) } else { vm.new_int(id) }
}

/// The number of a user or group; `None` when it fits none.
fn id_of(object: &Object, vm: &Vm) -> PyResult<Option<u32>> {
    let number = object.as_index(vm)?.to_i64();
    Ok(number.and_then(|n| if n == -1 { Some(u32::MAX) } else { u32::try_from(n).ok() }))
}

/// This module provides access to the Unix password database.
/// It is available on all Unix versions.
///
/// Password database entries are reported as 7-tuples containing the following
/// items from the password database (see `<pwd.h>`), in order:
/// pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell.
/// The uid and gid items are integers, all others are strings. An
/// exception is raised if the entry asked for cannot be found.
#[pymodule(name = "pwd")]
impl Pwd {
    /// Return the password database entry for the given numeric user ID.
    ///
    /// See `help(pwd)` for more on password database entries.
    #[function("($module, uidobj, /)")]
    fn getpwuid(uidobj: &Object, vm: &Vm) -> PyResult {
        if let Some(uid) = id_of(uidobj, vm)? {
            // SAFETY: the interpreter's lock keeps others from the library's static entry until it has been copied.
            if let Some(found) = unsafe { libc::getpwuid(uid).as_ref() } {
                return entry(found, vm);
            }
        }
        let shown = uidobj.str(vm)?;
        let text = vm.new_str(&format!("getpwuid(): uid not found: {}", shown.to_string_lossy()));
        Err(vm.key_error(text.as_object()))
    }

    /// Return the password database entry for the given user name.
    ///
    /// See `help(pwd)` for more on password database entries.
    #[function("($module, name, /)")]
    fn getpwnam(name: &Str, vm: &Vm) -> PyResult {
        let Ok(wanted) = CString::new(encode(name, vm)?) else {
            return Err(vm.value_error("embedded null byte"));
        };
        // SAFETY: as above.
        if let Some(found) = unsafe { libc::getpwnam(wanted.as_ptr()).as_ref() } {
            return entry(found, vm);
        }
        let shown = name.as_object().repr(vm)?;
        let text = vm.new_str(&format!("getpwnam(): name not found: {}", shown.to_string_lossy()));
        Err(vm.key_error(text.as_object()))
    }

    /// Return a list of all available password database entries, in arbitrary order.
    ///
    /// See help(pwd) for more on password database entries.
    #[function("($module, /)")]
    fn getpwall(vm: &Vm) -> PyResult<Ref<List>> {
        let mut found = Vec::new();
        // SAFETY: the interpreter's lock keeps others from the library's cursor and entry.
        unsafe { libc::setpwent() };
        let result = loop {
            // SAFETY: as above.
            match unsafe { libc::getpwent().as_ref() } {
                Some(next) => match entry(next, vm) {
                    Ok(object) => found.push(object),
                    Err(raised) => break Err(raised),
                },
                None => break Ok(()),
            }
        };
        // SAFETY: as above.
        unsafe { libc::endpwent() };
        result.map(|()| vm.new_list(found))
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("struct_passwd", STRUCT_PASSWD.get(vm)?.as_object(), vm)
    }
}
