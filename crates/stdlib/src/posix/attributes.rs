//! Extended attributes of files.

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::Posix;
use super::args::{Folder, Target, Text};

/// The largest value that the system takes.
const SIZE_MAX: usize = 65_536;

pub(super) fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
    for (name, value) in [
        ("XATTR_CREATE", libc::XATTR_CREATE),
        ("XATTR_REPLACE", libc::XATTR_REPLACE),
        ("XATTR_SIZE_MAX", 65_536),
    ] {
        module.set(name, &vm.new_int(value), vm)?;
    }
    Ok(())
}

/// Asks for bytes with a small buffer first, and the largest when that was too small.
fn read(file: &Object, vm: &Vm, mut call: impl FnMut(*mut u8, usize) -> isize) -> PyResult<Vec<u8>> {
    for size in [256, SIZE_MAX] {
        let mut bytes = vec![0u8; size];
        let place = bytes.as_mut_ptr() as usize;
        let got = vm.allow_threads(|| call(place as *mut u8, size));
        match usize::try_from(got) {
            Ok(got) => {
                bytes.truncate(got);
                return Ok(bytes);
            }
            Err(_) if std::io::Error::last_os_error().raw_os_error() == Some(libc::ERANGE) => {}
            Err(_) => return Err(vm.last_os_error(Some(file))),
        }
    }
    Err(vm.os_error(libc::ERANGE, Some(file)))
}

#[pyfunctions(table = ATTRIBUTE_FUNCTIONS)]
impl Posix {
    /// Return the value of extended attribute attribute on path.
    ///
    /// path may be either a string, a path-like object, or an open file descriptor.
    /// If follow_symlinks is False, and the last element of the path is a symbolic
    ///   link, getxattr will examine the symbolic link itself instead of the file
    ///   the link points to.
    #[function("($module, /, path, attribute, *, follow_symlinks=True)")]
    fn getxattr(
        path: Target,
        attribute: Text,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let follow = follow_symlinks.unwrap_or(true);
        path.check("getxattr", libc::AT_FDCWD, follow, vm)?;
        audit("os.getxattr", &[path.shown(), &attribute.shown], vm)?;
        // SAFETY: the texts are NUL-terminated; the buffer has that length.
        let bytes = read(path.shown(), vm, |place, size| unsafe {
            match &path {
                Target::Fd(fd, _) => libc::fgetxattr(*fd, attribute.as_ptr(), place.cast(), size),
                Target::Path(name) if follow => {
                    libc::getxattr(name.as_ptr(), attribute.as_ptr(), place.cast(), size)
                }
                Target::Path(name) => libc::lgetxattr(name.as_ptr(), attribute.as_ptr(), place.cast(), size),
            }
        })?;
        Ok(vm.new_bytes(&bytes))
    }

    /// Set extended attribute attribute on path to value.
    ///
    /// path may be either a string, a path-like object,  or an open file descriptor.
    /// If follow_symlinks is False, and the last element of the path is a symbolic
    ///   link, setxattr will modify the symbolic link itself instead of the file
    ///   the link points to.
    #[function("($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)")]
    fn setxattr(
        path: Target,
        attribute: Text,
        value: BufferArg,
        flags: Option<i32>,
        follow_symlinks: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (follow, flags) = (follow_symlinks.unwrap_or(true), flags.unwrap_or(0));
        path.check("setxattr", libc::AT_FDCWD, follow, vm)?;
        let bytes = value.as_bytes();
        if taipan_vm::runtime::audit::is_active(vm) {
            let shown = vm.new_bytes(bytes);
            let flags = vm.new_int(flags);
            audit("os.setxattr", &[path.shown(), &attribute.shown, shown.as_object(), &flags], vm)?;
        }
        let (data, size) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the texts are NUL-terminated; the value is exported and has that length.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Fd(fd, _) => libc::fsetxattr(*fd, attribute.as_ptr(), data.cast(), size, flags),
                Target::Path(name) if follow => {
                    libc::setxattr(name.as_ptr(), attribute.as_ptr(), data.cast(), size, flags)
                }
                Target::Path(name) => {
                    libc::lsetxattr(name.as_ptr(), attribute.as_ptr(), data.cast(), size, flags)
                }
            }
        })
        .map(drop)
    }

    /// Remove extended attribute attribute on path.
    ///
    /// path may be either a string, a path-like object, or an open file descriptor.
    /// If follow_symlinks is False, and the last element of the path is a symbolic
    ///   link, removexattr will modify the symbolic link itself instead of the file
    ///   the link points to.
    #[function("($module, /, path, attribute, *, follow_symlinks=True)")]
    fn removexattr(path: Target, attribute: Text, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult<()> {
        let follow = follow_symlinks.unwrap_or(true);
        path.check("removexattr", libc::AT_FDCWD, follow, vm)?;
        audit("os.removexattr", &[path.shown(), &attribute.shown], vm)?;
        // SAFETY: the texts are NUL-terminated.
        vm.checked_call(Some(path.shown()), || unsafe {
            match &path {
                Target::Fd(fd, _) => libc::fremovexattr(*fd, attribute.as_ptr()),
                Target::Path(name) if follow => libc::removexattr(name.as_ptr(), attribute.as_ptr()),
                Target::Path(name) => libc::lremovexattr(name.as_ptr(), attribute.as_ptr()),
            }
        })
        .map(drop)
    }

    /// Return a list of extended attributes on path.
    ///
    /// path may be either None, a string, a path-like object, or an open file descriptor.
    /// if path is None, listxattr will examine the current directory.
    /// If follow_symlinks is False, and the last element of the path is a symbolic
    ///   link, listxattr will examine the symbolic link itself instead of the file
    ///   the link points to.
    #[function("($module, /, path=None, *, follow_symlinks=True)")]
    fn listxattr(path: Option<Folder>, follow_symlinks: Option<bool>, vm: &Vm) -> PyResult<Ref<List>> {
        let follow = follow_symlinks.unwrap_or(true);
        let folder = path.unwrap_or_else(|| Folder::current(vm));
        let path = &folder.0;
        path.check("listxattr", libc::AT_FDCWD, follow, vm)?;
        audit("os.listxattr", &[&folder.event(vm)], vm)?;
        // SAFETY: the path is NUL-terminated; the buffer has that length.
        let bytes = read(path.shown(), vm, |place, size| unsafe {
            match path {
                Target::Fd(fd, _) => libc::flistxattr(*fd, place.cast(), size),
                Target::Path(name) if follow => libc::listxattr(name.as_ptr(), place.cast(), size),
                Target::Path(name) => libc::llistxattr(name.as_ptr(), place.cast(), size),
            }
        })?;
        let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(vm.new_list(names.map(|name| decode(name, vm).into_object()).collect::<Vec<_>>()))
    }
}
