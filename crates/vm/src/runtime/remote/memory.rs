//! The memory of another process.

use std::ffi::c_void;
use std::mem::size_of;

use crate::prelude::*;

/// The memory of the process with this number. What is read was true at some moment; addresses in it count there only.
#[derive(Debug, Clone, Copy)]
pub struct Memory(pub i32);

/// A word of what was read; `None` behind its end.
pub fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk::<{ size_of::<usize>() }>()?;
    Some(usize::from_ne_bytes(*bytes))
}

/// Four bytes of what was read.
pub fn half(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

impl Memory {
    fn vectors(local: &mut [u8], at: usize) -> (libc::iovec, libc::iovec) {
        let len = local.len();
        (
            libc::iovec { iov_base: local.as_mut_ptr().cast(), iov_len: len },
            libc::iovec { iov_base: at as *mut c_void, iov_len: len },
        )
    }

    /// Reads as many bytes as `into` has. Raises `OSError`, or `RuntimeError` when only a part of them is there.
    pub fn read(&self, at: usize, into: &mut [u8], vm: &Vm) -> PyResult<()> {
        let (local, other) = Self::vectors(into, at);
        // SAFETY: the local vector names `into`; the other's addresses are checked by the system.
        let got = unsafe { libc::process_vm_readv(self.0, &raw const local, 1, &raw const other, 1, 0) };
        Self::check(got, into.len(), vm)
    }

    /// Reads `N` bytes.
    pub fn read_array<const N: usize>(&self, at: usize, vm: &Vm) -> PyResult<[u8; N]> {
        let mut bytes = [0; N];
        self.read(at, &mut bytes, vm)?;
        Ok(bytes)
    }

    /// Reads a pointer or another word.
    pub fn read_word(&self, at: usize, vm: &Vm) -> PyResult<usize> {
        self.read_array(at, vm).map(usize::from_ne_bytes)
    }

    /// Writes bytes. Raises as reading does.
    pub fn write(&self, at: usize, from: &[u8], vm: &Vm) -> PyResult<()> {
        let mut from = from.to_vec();
        let (local, other) = Self::vectors(&mut from, at);
        // SAFETY: as for reading; the addresses come from the anchor of a process with this executable.
        let got = unsafe { libc::process_vm_writev(self.0, &raw const local, 1, &raw const other, 1, 0) };
        Self::check(got, from.len(), vm)
    }

    fn check(got: isize, wanted: usize, vm: &Vm) -> PyResult<()> {
        match usize::try_from(got) {
            Ok(got) if got == wanted => Ok(()),
            Ok(_) => Err(vm.runtime_error("only a part of the remote process's memory could be accessed")),
            Err(_) => Err(vm.last_os_error(None)),
        }
    }
}
