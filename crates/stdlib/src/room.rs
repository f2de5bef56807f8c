//! Memory for as many bytes as a program asks for.

use std::alloc::Layout;

use taipan_vm::prelude::*;

/// From here on the system is asked whether it has so much: our allocator reserves addresses without asking.
const LARGE: usize = 1 << 30;

/// `length` zero bytes, which cost nothing until they are touched. Raises `MemoryError`.
pub fn zeroed(length: usize, vm: &Vm) -> PyResult<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let Ok(layout) = Layout::array::<u8>(length) else { return Err(vm.memory_error()) };
    // SAFETY: the layout isn't empty; the probe is freed at once; the vector gets the allocator's own memory, all of
    // it initialised.
    unsafe {
        if length >= LARGE {
            let probe = libc::malloc(length);
            if probe.is_null() {
                return Err(vm.memory_error());
            }
            libc::free(probe);
        }
        let place = std::alloc::alloc_zeroed(layout);
        if place.is_null() {
            return Err(vm.memory_error());
        }
        Ok(Vec::from_raw_parts(place, length, length))
    }
}
