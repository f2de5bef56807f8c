//! Memory for as many bytes as a program asks for.

use std::alloc::Layout;

use taipan_vm::prelude::*;

/// From here on the system is asked whether it has so much: our allocator reserves addresses without asking.
const LARGE: usize = 1 << 30;

/// An empty vector with room for `length` bytes. Raises `MemoryError`.
pub fn reserved(length: usize, vm: &Vm) -> PyResult<Vec<u8>> {
    if length >= LARGE {
        let mut bytes = zeroed(length, vm)?;
        bytes.truncate(0);
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    match bytes.try_reserve_exact(length) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(vm.memory_error()),
    }
}

/// `length` zero bytes, which cost nothing until they are touched. Raises `MemoryError`.
pub fn zeroed(length: usize, vm: &Vm) -> PyResult<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let Ok(layout) = Layout::array::<u8>(length) else { return Err(vm.memory_error()) };
    // SAFETY: the layout isn't empty; the probe is unmapped at once; the vector gets the allocator's own memory, all of
    // it initialised.
    unsafe {
        if length >= LARGE {
            let (protection, flags) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let probe = libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0);
            if probe == libc::MAP_FAILED {
                return Err(vm.memory_error());
            }
            libc::munmap(probe, length);
        }
        let place = std::alloc::alloc_zeroed(layout);
        if place.is_null() {
            return Err(vm.memory_error());
        }
        Ok(Vec::from_raw_parts(place, length, length))
    }
}
