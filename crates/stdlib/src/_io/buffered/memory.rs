//! The memory of a buffered stream, and the lock around the stream.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};

use taipan_vm::prelude::*;

/// A block of bytes of fixed size, not filled at first. Only who holds the stream's lock touches it.
pub struct Memory {
    block: Cell<*mut u8>,
    size: Cell<usize>,
}

impl Memory {
    /// No memory.
    pub const fn none() -> Memory {
        Memory { block: Cell::new(std::ptr::null_mut()), size: Cell::new(0) }
    }

    /// Takes a new block of `size` bytes in place of the old one.
    pub fn allocate(&self, size: usize, vm: &Vm) -> PyResult<()> {
        self.free();
        let layout = Layout::array::<u8>(size).map_err(|_| vm.memory_error())?;
        // SAFETY: the size isn't zero.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            return Err(vm.memory_error());
        }
        self.block.set(block);
        self.size.set(size);
        Ok(())
    }

    /// Gives the block back.
    pub fn free(&self) {
        let (block, size) = (self.block.replace(std::ptr::null_mut()), self.size.replace(0));
        if let (false, Ok(layout)) = (block.is_null(), Layout::array::<u8>(size)) {
            // SAFETY: the block was allocated with that layout.
            unsafe { dealloc(block, layout) };
        }
    }

    /// Its size.
    pub fn size(&self) -> usize {
        self.size.get()
    }

    /// The address of the byte at `at`, which is at most the size.
    pub fn at(&self, at: usize) -> *mut u8 {
        self.block.get().wrapping_add(at.min(self.size.get()))
    }

    /// The bytes from `start` up to `end`.
    ///
    /// # Safety
    /// They have been filled, and nobody changes them while the slice lives.
    pub unsafe fn filled(&self, start: usize, end: usize) -> &[u8] {
        let end = end.min(self.size.get());
        if start >= end {
            return &[];
        }
        // SAFETY: within the block, and filled as the caller says.
        unsafe { std::slice::from_raw_parts(self.at(start), end - start) }
    }

    /// Copies as much of `data` as there is room for to `at`, and says how much.
    pub fn put(&self, at: usize, data: &[u8]) -> usize {
        let len = data.len().min(self.size.get().saturating_sub(at));
        if len > 0 {
            // SAFETY: the room is there; `data` may overlap only when it is part of the block, which `copy` allows.
            unsafe { std::ptr::copy(data.as_ptr(), self.at(at), len) };
        }
        len
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.free();
    }
}

/// Keeps a stream's threads apart while one of them is in a system call. Its fields are guarded by the interpreter's lock.
#[derive(Default)]
pub struct Lock {
    owner: Cell<u64>,
    waiters: Cell<usize>,
}

static WAIT: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

/// A held [`Lock`].
pub struct Held<'a>(&'a Lock);

impl Lock {
    /// Waits for the lock. `Err` when this thread has it already.
    #[inline]
    pub fn enter(&self, vm: &Vm) -> Result<Held<'_>, ()> {
        let thread = vm.thread_id.get();
        if self.owner.get() != 0 {
            self.wait(thread, vm)?;
        }
        self.owner.set(thread);
        Ok(Held(self))
    }

    #[cold]
    fn wait(&self, thread: u64, vm: &Vm) -> Result<(), ()> {
        if self.owner.get() == thread {
            return Err(());
        }
        self.waiters.set(self.waiters.get() + 1);
        while self.owner.get() != 0 {
            // Taken with the interpreter's lock held, so that the owner can't leave unnoticed in between.
            let guard = WAIT.0.lock().unwrap_or_else(PoisonError::into_inner);
            vm.allow_threads(|| drop(WAIT.1.wait(guard).unwrap_or_else(PoisonError::into_inner)));
        }
        self.waiters.set(self.waiters.get() - 1);
        Ok(())
    }

    /// Whether nobody has the lock.
    #[inline]
    pub fn is_free(&self) -> bool {
        self.owner.get() == 0
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.owner.set(0);
        if self.0.waiters.get() > 0 {
            drop(WAIT.0.lock().unwrap_or_else(PoisonError::into_inner));
            WAIT.1.notify_all();
        }
    }
}
