//! `grp`: the group database.

use std::ffi::CString;

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::encode;

use crate::posix::args::identity;
use crate::pwd::{id_object, text};

/// The module.
pub struct Grp;

static STRUCT_GROUP: StructSeq = StructSeq {
    name: "grp.struct_group",
    doc: "grp.struct_group: Results from getgr*() routines.\n\nThis object may be accessed either as a tuple of\n  (gr_name,gr_passwd,gr_gid,gr_mem)\nor via the object attributes as named in the above tuple.\n",
    fields: &[
        ("gr_name", "group name"),
        ("gr_passwd", "password"),
        ("gr_gid", "group id"),
        ("gr_mem", "group members"),
    ],
    visible: 4,
};

fn entry(found: &libc::group, vm: &Vm) -> PyResult {
    let mut members = Vec::new();
    // SAFETY: the C library's fields are NUL-terminated or null, the list of members ends in null.
    let (name, password) = unsafe {
        let mut at = found.gr_mem;
        while !at.is_null() && !(*at).is_null() {
            members.push(text(*at, vm));
            at = at.add(1);
        }
        (text(found.gr_name, vm), text(found.gr_passwd, vm))
    };
    let values = vec![name, password, id_object(found.gr_gid, vm), vm.new_list(members).into_object()];
    STRUCT_GROUP.instance(values, vm)
}

/// Access to the Unix group database.
///
/// Group entries are reported as 4-tuples containing the following fields
/// from the group database, in order:
///
///   name   - name of the group
///   passwd - group password (encrypted); often empty
///   gid    - numeric ID of the group
///   mem    - list of members
///
/// The gid is an integer, name and password are strings.  (Note that most
/// users are not explicitly listed as members of the groups they are in
/// according to the password database.  Check both databases to get
/// complete membership information.)
#[pymodule(name = "grp")]
impl Grp {
    /// Return the group database entry for the given numeric group ID.
    ///
    /// If id is not valid, raise KeyError.
    #[function("($module, /, id)")]
    fn getgrgid(id: &Object, vm: &Vm) -> PyResult {
        let gid = identity(id, "gid", vm)?;
        // SAFETY: the interpreter's lock keeps others from the library's static entry until it has been copied.
        if let Some(found) = unsafe { libc::getgrgid(gid).as_ref() } {
            return entry(found, vm);
        }
        let shown = id.str(vm)?;
        let text = vm.new_str(&format!("getgrgid(): gid not found: {}", shown.to_string_lossy()));
        Err(vm.key_error(text.as_object()))
    }

    /// Return the group database entry for the given group name.
    ///
    /// If name is not valid, raise KeyError.
    #[function("($module, /, name)")]
    fn getgrnam(name: &Str, vm: &Vm) -> PyResult {
        let Ok(wanted) = CString::new(encode(name, vm)?) else {
            return Err(vm.value_error("embedded null byte"));
        };
        // SAFETY: as above.
        if let Some(found) = unsafe { libc::getgrnam(wanted.as_ptr()).as_ref() } {
            return entry(found, vm);
        }
        let shown = name.as_object().repr(vm)?;
        let text = vm.new_str(&format!("getgrnam(): name not found: {}", shown.to_string_lossy()));
        Err(vm.key_error(text.as_object()))
    }

    /// Return a list of all available group entries, in arbitrary order.
    ///
    /// An entry whose name starts with '+' or '-' represents an instruction
    /// to use YP/NIS and may not be accessible via getgrnam or getgrgid.
    #[function("($module, /)")]
    fn getgrall(vm: &Vm) -> PyResult<Ref<List>> {
        let mut found = Vec::new();
        // SAFETY: the interpreter's lock keeps others from the library's cursor and entry.
        unsafe { libc::setgrent() };
        let result = loop {
            // SAFETY: as above.
            match unsafe { libc::getgrent().as_ref() } {
                Some(next) => match entry(next, vm) {
                    Ok(object) => found.push(object),
                    Err(raised) => break Err(raised),
                },
                None => break Ok(()),
            }
        };
        // SAFETY: as above.
        unsafe { libc::endgrent() };
        result.map(|()| vm.new_list(found))
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("struct_group", STRUCT_GROUP.get(vm)?.as_object(), vm)
    }
}
