//! Paths as text, and the texts of errors.

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{encode, fspath};

use super::Posix;
use super::args::same_kind;

/// The bytes of a path, with NULs if there are any, and whether it was given as bytes.
fn bytes_of(path: &Object, vm: &Vm) -> PyResult<(Vec<u8>, bool)> {
    let given = fspath(path, vm)?;
    match given.downcast_ref::<Str>() {
        Some(text) => Ok((encode(text, vm)?, false)),
        None => Ok((given.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(), true)),
    }
}

#[pyfunctions(table = PATH_FUNCTIONS)]
impl Posix {
    /// Translate an error code to a message string.
    #[function("($module, code, /)")]
    fn strerror(code: i32) -> String {
        taipan_vm::exceptions::os_error::strerror(code)
    }

    /// Return the file system path representation of the object.
    ///
    /// If the object is str or bytes, then allow it to pass through as-is. If the
    /// object defines __fspath__(), then return the result of that method. All other
    /// types raise a TypeError.
    #[function("($module, /, path)")]
    fn fspath(path: &Object, vm: &Vm) -> PyResult {
        taipan_vm::protocols::path::fspath(path, vm)
    }

    /// Normalize path, eliminating double slashes, etc.
    #[function("($module, /, path)")]
    fn _path_normpath(path: &Object, vm: &Vm) -> PyResult {
        let (bytes, is_bytes) = bytes_of(path, vm)?;
        let leading = bytes.iter().take_while(|b| **b == b'/').count();
        let mut kept: Vec<&[u8]> = Vec::new();
        for part in bytes.split(|b| *b == b'/') {
            let climbs = part == b".." && (kept.last().is_none_or(|last| *last == b"..")) && leading == 0;
            match part {
                b"" | b"." => {}
                b".." if !climbs => {
                    kept.pop();
                }
                part => kept.push(part),
            }
        }
        // Exactly two slashes in front mean something of their own (POSIX).
        let mut out = vec![b'/'; if leading == 2 { 2 } else { leading.min(1) }];
        out.extend_from_slice(&kept.join(&b'/'));
        if out.is_empty() {
            out.push(b'.');
        }
        Ok(same_kind(&out, is_bytes, vm))
    }

    /// Split a pathname into drive, root and tail.
    #[function("($module, /, p)")]
    fn _path_splitroot_ex(p: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (bytes, is_bytes) = bytes_of(p, vm)?;
        let leading = bytes.iter().take_while(|b| **b == b'/').count();
        let root = match leading {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        let (root, tail) = bytes.split_at(root);
        Ok(vm.new_tuple([b"".as_slice(), root, tail].map(|part| same_kind(part, is_bytes, vm))))
    }
}
