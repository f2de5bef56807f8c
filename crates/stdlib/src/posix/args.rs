//! The arguments of the module's functions: paths, descriptors of files and folders, users and groups.

use std::ffi::CString;

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{decode, encode, fspath};

/// A path.
pub(super) struct Name {
    /// As the system takes it.
    pub(super) path: CString,
    /// As exceptions show it: what was given, after `__fspath__`.
    pub(super) shown: ObjRef,
}

impl Name {
    /// A path argument. `kinds` tells what the function takes, for the exception.
    pub(super) fn new(object: &Object, what: &ArgName, kinds: &str, vm: &Vm) -> PyResult<Name> {
        let usable = object.downcast_ref::<Str>().is_some()
            || object.downcast_ref::<Bytes>().is_some()
            || object.lookup_special(vm.ids().__fspath__, vm)?.is_some();
        if !usable {
            return Err(vm.type_error(format!(
                "{}: {} should be {kinds}, not {}",
                what.func,
                what.name,
                object.ob_type().name()
            )));
        }
        let shown = fspath(object, vm)?;
        let bytes = match shown.downcast_ref::<Str>() {
            Some(text) => encode(text, vm)?,
            None => shown.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(),
        };
        match CString::new(bytes) {
            Ok(path) => Ok(Name { path, shown }),
            Err(_) => Err(vm.value_error(format!("{}: embedded null character in {}", what.func, what.name))),
        }
    }

    /// Whether results are bytes too.
    pub(super) fn is_bytes(&self) -> bool {
        self.shown.downcast_ref::<Bytes>().is_some()
    }

    pub(super) fn as_ptr(&self) -> *const libc::c_char {
        self.path.as_ptr()
    }
}

impl FromArg<'_> for Name {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        Name::new(object, what, "string, bytes or os.PathLike", vm)
    }
}

/// A path or a file descriptor.
pub(super) enum Target {
    Path(Name),
    /// The descriptor, and the object that it was given as.
    Fd(i32, ObjRef),
}

impl Target {
    /// What exceptions show.
    pub(super) fn shown(&self) -> &Object {
        match self {
            Target::Path(name) => &name.shown,
            Target::Fd(_, shown) => shown,
        }
    }

    /// Raises `ValueError` when a descriptor is given together with what only makes sense for paths.
    pub(super) fn check(&self, func: &str, dir_fd: i32, follow: bool, vm: &Vm) -> PyResult<()> {
        if let Target::Fd(..) = self {
            if dir_fd != libc::AT_FDCWD {
                return Err(vm.value_error(format!("{func}: can't specify dir_fd without matching path")));
            }
            if !follow {
                return Err(vm.value_error(format!("{func}: cannot use fd and follow_symlinks together")));
            }
        }
        Ok(())
    }
}

fn is_descriptor(object: &Object) -> bool {
    object.has_index() && object.downcast_ref::<Str>().is_none()
}

impl FromArg<'_> for Target {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if is_descriptor(object) {
            return Ok(Target::Fd(descriptor(object, vm)?, object.to_ref()));
        }
        Name::new(object, what, "string, bytes, os.PathLike or integer", vm).map(Target::Path)
    }
}

/// A path or a file descriptor; `None` is the current folder.
pub(super) struct Folder(pub(super) Target, pub(super) bool);

impl Folder {
    /// The current folder, which nobody named.
    pub(super) fn current(vm: &Vm) -> Folder {
        Folder(Target::Path(Name { path: c".".to_owned(), shown: vm.new_str(".").into_object() }), false)
    }

    /// The object for audit events.
    pub(super) fn event(&self, vm: &Vm) -> ObjRef {
        if self.1 { self.0.shown().to_ref() } else { vm.none() }
    }
}

impl FromArg<'_> for Folder {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if vm.is_none(object) {
            return Ok(Folder::current(vm));
        }
        if is_descriptor(object) {
            return Target::from_arg(object, what, vm).map(|target| Folder(target, true));
        }
        let name = Name::new(object, what, "string, bytes, os.PathLike, integer or None", vm)?;
        Ok(Folder(Target::Path(name), true))
    }
}

/// A descriptor's number from an object with `__index__`.
fn descriptor(object: &Object, vm: &Vm) -> PyResult<i32> {
    if object.downcast_ref::<Bool>().is_some() {
        let text = "bool is used as a file descriptor";
        taipan_vm::builtins::warn::warn(types::runtime_warning(), text, 1, vm)?;
    }
    let index = object.as_index(vm)?;
    match index.to_i64().and_then(|n| i32::try_from(n).ok()) {
        Some(fd) => Ok(fd),
        None if index.is_negative() => Err(vm.overflow_error("fd is less than minimum")),
        None => Err(vm.overflow_error("fd is greater than maximum")),
    }
}

/// The folder that a relative path starts from.
#[derive(Clone, Copy)]
pub(super) struct DirFd(pub(super) i32);

impl FromArg<'_> for DirFd {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if vm.is_none(object) {
            return Ok(DirFd(libc::AT_FDCWD));
        }
        if !object.has_index() {
            let given = object.ob_type().name();
            return Err(vm.type_error(format!("argument should be integer or None, not {given}")));
        }
        descriptor(object, vm).map(DirFd)
    }
}

/// The folder's descriptor, or what stands for the current one.
pub(super) fn at(dir_fd: Option<DirFd>) -> i32 {
    dir_fd.map_or(libc::AT_FDCWD, |fd| fd.0)
}

/// A folder's descriptor as audit events tell it: -1 for none.
pub(super) fn event_fd(dir_fd: i32, vm: &Vm) -> ObjRef {
    vm.new_int(if dir_fd == libc::AT_FDCWD { -1 } else { dir_fd })
}

/// A descriptor, or an object with `fileno()`.
pub(super) struct File(pub(super) i32);

impl FromArg<'_> for File {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        crate::select::file_descriptor(object, vm).map(File)
    }
}

/// The number of a user or group, as `what` says; -1 is the highest number.
pub(crate) fn identity(object: &Object, what: &str, vm: &Vm) -> PyResult<u32> {
    if !object.has_index() {
        let given = object.ob_type().name();
        return Err(vm.type_error(format!("{what} should be integer, not {given}")));
    }
    let index = object.as_index(vm)?;
    match index.to_i64() {
        Some(-1) => Ok(u32::MAX),
        Some(number) => {
            u32::try_from(number).map_err(|_| vm.overflow_error(format!("{what} is less than minimum")))
        }
        None if index.is_negative() => Err(vm.overflow_error(format!("{what} is less than minimum"))),
        None => Err(vm.overflow_error(format!("{what} is greater than maximum"))),
    }
}

/// A user's number; -1 leaves things as they are.
pub(super) struct Uid(pub(super) u32);

impl FromArg<'_> for Uid {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        identity(object, "uid", vm).map(Uid)
    }
}

/// A group's number; -1 leaves things as they are.
pub(super) struct Gid(pub(super) u32);

impl FromArg<'_> for Gid {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        identity(object, "gid", vm).map(Gid)
    }
}

/// A text for the system: str in the file system's encoding, bytes, `os.PathLike`.
pub(super) struct Text {
    pub(super) text: CString,
    pub(super) shown: ObjRef,
}

impl Text {
    pub(super) fn new(object: &Object, vm: &Vm) -> PyResult<Text> {
        let shown = fspath(object, vm)?;
        let bytes = match shown.downcast_ref::<Str>() {
            Some(text) => encode(text, vm)?,
            None => shown.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(),
        };
        let text = CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))?;
        Ok(Text { text, shown })
    }

    pub(super) fn as_ptr(&self) -> *const libc::c_char {
        self.text.as_ptr()
    }
}

impl FromArg<'_> for Text {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        Text::new(object, vm)
    }
}

/// -1 becomes the exception of `errno`.
pub(super) fn check(result: i32, file: Option<&Object>, vm: &Vm) -> PyResult<i32> {
    if result < 0 { Err(vm.last_os_error(file)) } else { Ok(result) }
}

/// -1 becomes the exception of `errno`, with two names.
pub(super) fn check_pair(result: i32, from: &Object, to: &Object, vm: &Vm) -> PyResult<()> {
    if result < 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        return Err(taipan_vm::exceptions::os_error::raise(errno, Some(from), Some(to), vm));
    }
    Ok(())
}

/// A name as the same kind of object as the path that led to it.
pub(super) fn same_kind(name: &[u8], like_bytes: bool, vm: &Vm) -> ObjRef {
    if like_bytes { vm.new_bytes(name).into_object() } else { decode(name, vm).into_object() }
}

/// Room for bytes that the system will write; negative sizes are `EINVAL`.
pub(super) fn room(length: isize, vm: &Vm) -> PyResult<Vec<u8>> {
    let Ok(length) = usize::try_from(length) else { return Err(vm.os_error(libc::EINVAL, None)) };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        return Err(vm.memory_error());
    }
    bytes.resize(length, 0u8);
    Ok(bytes)
}
