//! Inline caches: the 16-bit units behind an instruction. Positions count units from the instruction itself.
//!
//! Unit 1 of an adaptive instruction is a counter: twelve bits of count, four of back-off. When the count is used up the
//! instruction tries to specialise; each failure doubles the next count, up to 4,095.

use taipan_bytecode::opcode::Opcode;

use crate::builtins::code::CodeUnit;
use crate::prelude::*;

const BACKOFF_BITS: u16 = 4;
const MAX_BACKOFF: u16 = 12;
/// The count after success: how many misses in the general form until the next attempt.
const COOLDOWN: u16 = 52 << BACKOFF_BITS;

/// One step towards the next attempt; true when it is due.
///
/// # Safety
/// `ip` is an adaptive instruction.
#[inline(always)]
pub unsafe fn count_down(ip: *mut CodeUnit) -> bool {
    // SAFETY: the counter lies behind the instruction.
    unsafe {
        let counter = &mut (*ip.add(1)).0;
        if *counter < 1 << BACKOFF_BITS {
            return true;
        }
        *counter -= 1 << BACKOFF_BITS;
        false
    }
}

/// Whether an instruction whose count is used up may specialise: not while it is watched. Starts another count then.
///
/// # Safety
/// `ip` is an adaptive instruction.
#[cold]
pub unsafe fn may_specialise(ip: *mut CodeUnit) -> bool {
    // SAFETY: the counter lies behind the instruction.
    unsafe {
        if (*ip).opcode().is_instrumented() {
            (*ip.add(1)).0 = COOLDOWN;
            return false;
        }
        true
    }
}

/// Makes the instruction a specialised one, whose cache is filled.
///
/// # Safety
/// `ip` is an adaptive instruction of that family.
pub unsafe fn succeed(ip: *mut CodeUnit, opcode: Opcode) {
    // SAFETY: the counter lies behind the instruction.
    unsafe {
        (*ip.add(1)).0 = COOLDOWN;
        (*ip).set_opcode(opcode);
    }
}

/// Keeps the instruction general and waits twice as long for the next attempt.
///
/// # Safety
/// `ip` is an adaptive instruction.
pub unsafe fn fail(ip: *mut CodeUnit) {
    // SAFETY: the counter lies behind the instruction.
    unsafe {
        let counter = &mut (*ip.add(1)).0;
        let backoff = (*counter & 15).min(MAX_BACKOFF);
        *counter = if backoff < MAX_BACKOFF {
            (((1 << (backoff + 1)) - 1) << BACKOFF_BITS) | (backoff + 1)
        } else {
            (((1 << MAX_BACKOFF) - 1) << BACKOFF_BITS) | MAX_BACKOFF
        };
        let general = (*ip).opcode().base();
        (*ip).set_opcode(general);
    }
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $read:ident $write:ident $t:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// The cache reaches that far.
        #[inline(always)]
        pub unsafe fn $read(ip: *mut CodeUnit, at: usize) -> $t {
            // SAFETY: passed on to the caller; units are only 2-byte aligned.
            unsafe { ip.add(at).cast::<$t>().read_unaligned() }
        }

        /// Writes the value.
        ///
        /// # Safety
        /// The cache reaches that far.
        #[inline(always)]
        pub unsafe fn $write(ip: *mut CodeUnit, at: usize, value: $t) {
            // SAFETY: as above.
            unsafe { ip.add(at).cast::<$t>().write_unaligned(value) }
        }
    )*};
}

accessors! {
    /// Reads one unit.
    u16_at set_u16 u16;
    /// Reads two units.
    u32_at set_u32 u32;
    /// Reads four units.
    u64_at set_u64 u64;
    /// Reads a pointer.
    pointer_at set_pointer *const Object;
}

/// The object that a cache remembers. A guard has shown that it is alive.
///
/// # Safety
/// The cache holds a pointer there, and its guard holds.
#[inline(always)]
pub unsafe fn object_at<'a>(ip: *mut CodeUnit, at: usize) -> &'a Object {
    // SAFETY: passed on to the caller.
    unsafe { &*pointer_at(ip, at) }
}
