//! System calls that wait: without the interpreter's lock, and again after a signal (PEP 475).

use crate::prelude::*;
use crate::runtime::pending;

impl Vm {
    /// Runs a system call that gives -1 for failure without the interpreter's lock. When a signal interrupts it, the
    /// handlers run and the call is made again; what a handler raises is raised. Other failures are left to the
    /// caller, with `errno` set.
    pub fn system_call<R: Copy + PartialOrd + From<i8>>(&self, mut call: impl FnMut() -> R) -> PyResult<R> {
        loop {
            // A signal that came before the call would not interrupt it.
            pending::check_signals(self)?;
            let result = self.allow_threads(&mut call);
            if result >= R::from(0) || !interrupted() {
                return Ok(result);
            }
        }
    }

    /// As [`Vm::system_call`]; failures become `OSError` with the file name given.
    pub fn checked_call<R: Copy + PartialOrd + From<i8>>(
        &self,
        file: Option<&Object>,
        call: impl FnMut() -> R,
    ) -> PyResult<R> {
        let result = self.system_call(call)?;
        if result < R::from(0) { Err(self.last_os_error(file)) } else { Ok(result) }
    }
}

/// Whether the last call failed because of a signal.
pub fn interrupted() -> bool {
    std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR)
}
