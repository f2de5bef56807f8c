//! The native stack's limits: recursion through native code ends in `RecursionError`, never in a crash.

use crate::runtime::vm::{PyResult, Vm};

/// Room kept for native code that doesn't ask (C extensions, library calls, the error path itself).
const RESERVE: usize = 256 * 1024;

/// The lowest address that the current thread's stack may reach, reserve included.
pub fn native_limit() -> usize {
    // SAFETY: `pthread_getattr_np` fills the attribute object, which is destroyed afterwards.
    unsafe {
        let mut attr: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attr) != 0 {
            return 0;
        }
        let mut base = std::ptr::null_mut();
        let mut size = 0;
        libc::pthread_attr_getstack(&raw const attr, &raw mut base, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attr);
        // The main thread's stack is as long as the resource limit says; guard against "unlimited".
        let usable = size.min(64 << 20);
        base as usize + (size - usable) + RESERVE.min(usable / 4)
    }
}

#[inline(always)]
fn stack_pointer() -> usize {
    let marker = 0u8;
    std::ptr::from_ref(&marker) as usize
}

impl Vm {
    /// Whether native recursion has come near the stack's end.
    #[inline(always)]
    pub fn stack_is_low(&self) -> bool {
        stack_pointer() < self.native_stack_limit.get()
    }

    /// Asks for room for one more level of native recursion. `place` ends the text, e.g. `" while calling a Python object"`.
    #[inline(always)]
    pub fn check_recursion(&self, place: &str) -> PyResult<()> {
        if self.stack_is_low() { Err(self.stack_exhausted(place)) } else { Ok(()) }
    }

    #[cold]
    fn stack_exhausted(&self, place: &str) -> crate::Raised {
        // Making the exception takes some of the reserve.
        let limit = self.native_stack_limit.get();
        self.native_stack_limit.set(limit - RESERVE / 2);
        let raised = self.recursion_error(format!("maximum recursion depth exceeded{place}"));
        self.native_stack_limit.set(limit);
        raised
    }
}
