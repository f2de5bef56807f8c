//! Paths as text, and the texts of errors.

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::fspath;

use super::Posix;

const SLASH: u32 = b'/' as u32;
const DOT: u32 = b'.' as u32;

/// The characters or bytes of a path, as they are: nothing is encoded.
fn codes_of(path: &Object) -> Vec<u32> {
    match (path.downcast_ref::<Str>(), path.downcast_ref::<Bytes>()) {
        (Some(text), _) => text.data().iter().collect(),
        (None, Some(bytes)) => bytes.as_bytes().iter().map(|byte| u32::from(*byte)).collect(),
        (None, None) => Vec::new(),
    }
}

/// A path of the kind of another.
fn object_of(codes: &[u32], like: &Object, vm: &Vm) -> ObjRef {
    if like.downcast_ref::<Bytes>().is_some() {
        let bytes: Vec<u8> = codes.iter().map(|code| *code as u8).collect();
        return vm.new_bytes(&bytes).into_object();
    }
    Str::from_code_points(codes, vm).into_object()
}

fn leading_slashes(codes: &[u32]) -> usize {
    codes.iter().take_while(|code| **code == SLASH).count()
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
    /// If the object is str or bytes, then allow it to pass through as-is.  If
    /// the object defines __fspath__(), then return the result of that method.
    /// All other types raise a TypeError.
    #[function("($module, /, path)")]
    fn fspath(path: &Object, vm: &Vm) -> PyResult {
        taipan_vm::protocols::path::fspath(path, vm)
    }

    /// Normalize path, eliminating double slashes, etc.
    #[function("($module, /, path)")]
    fn _path_normpath(path: &Object, vm: &Vm) -> PyResult {
        let given = fspath(path, vm)?;
        let codes = codes_of(&given);
        let leading = leading_slashes(&codes);
        let parent = [DOT, DOT];
        let mut kept: Vec<&[u32]> = Vec::new();
        for part in codes.split(|code| *code == SLASH) {
            if part.is_empty() || part == [DOT] {
                continue;
            }
            let climbs = leading == 0 && kept.last().is_none_or(|last| *last == parent);
            if part == parent && !climbs {
                kept.pop();
            } else {
                kept.push(part);
            }
        }
        // Exactly two slashes in front mean something of their own (POSIX).
        let mut out = vec![SLASH; if leading == 2 { 2 } else { leading.min(1) }];
        out.extend_from_slice(&kept.join(&SLASH));
        if out.is_empty() {
            out.push(DOT);
        }
        Ok(object_of(&out, &given, vm))
    }

    /// Split a pathname into drive, root and tail.
    ///
    /// The tail contains anything after the root.
    #[function("($module, /, p)")]
    fn _path_splitroot_ex(p: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let given = fspath(p, vm)?;
        let codes = codes_of(&given);
        let root = match leading_slashes(&codes) {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        let (root, tail) = codes.split_at(root);
        Ok(vm.new_tuple([[].as_slice(), root, tail].map(|part| object_of(part, &given, vm))))
    }
}
