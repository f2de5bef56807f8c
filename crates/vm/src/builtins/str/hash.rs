//! Hashes of text and bytes: SipHash-1-3 under the interpreter's key (PEP 456).

use crate::prelude::*;
use taipan_numeric::siphash::siphash13;

/// The hash that Python shows for these bytes, in str (whose units are hashed as they lie in memory), bytes and
/// memoryview alike: 0 for none, and never -1.
#[inline]
pub fn hash_bytes(bytes: &[u8], vm: &Vm) -> isize {
    if bytes.is_empty() {
        return 0;
    }
    match siphash13(vm.interp().hash_key.get(), bytes) as isize {
        -1 => -2,
        hash => hash,
    }
}

impl Str {
    /// `hash(str)`, computed once.
    #[inline(always)]
    pub fn hash_value(&self, vm: &Vm) -> isize {
        match self.cached_hash() {
            -1 => self.compute_hash(vm),
            hash => hash,
        }
    }

    #[inline(never)]
    fn compute_hash(&self, vm: &Vm) -> isize {
        let hash = hash_bytes(self.data().raw_bytes(), vm);
        self.set_cached_hash(hash);
        hash
    }
}
