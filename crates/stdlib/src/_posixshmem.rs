//! `_posixshmem`: named shared memory.

use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::encode;

/// The module.
pub struct PosixShmem;

fn name_of(path: &Str, function: &str, vm: &Vm) -> PyResult<CString> {
    CString::new(encode(path, vm)?)
        .map_err(|_| vm.value_error(format!("{function}: embedded null character in path")))
}

/// POSIX shared memory module
#[pymodule(name = "_posixshmem")]
impl PosixShmem {
    /// Open a shared memory object.  Returns a file descriptor (integer).
    #[function("($module, /, path, flags, mode=511)")]
    fn shm_open(path: &Str, flags: i32, mode: Option<i32>, vm: &Vm) -> PyResult<i32> {
        let name = name_of(path, "shm_open", vm)?;
        let mode = mode.unwrap_or(0o777) as libc::mode_t;
        // SAFETY: the name is NUL-terminated.
        vm.checked_call(Some(path.as_object()), || unsafe { libc::shm_open(name.as_ptr(), flags, mode) })
    }

    /// Remove a shared memory object (similar to unlink()).
    ///
    /// Remove a shared memory object name, and, once all processes have
    /// unmapped the object, de-allocates and destroys the contents of the
    /// associated memory region.
    #[function("($module, path, /)")]
    fn shm_unlink(path: &Str, vm: &Vm) -> PyResult<()> {
        let name = name_of(path, "shm_unlink", vm)?;
        // SAFETY: the name is NUL-terminated.
        vm.checked_call(Some(path.as_object()), || unsafe { libc::shm_unlink(name.as_ptr()) }).map(drop)
    }
}
