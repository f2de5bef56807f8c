//! What the compression modules share: an object's codec under a lock, so that the work runs without the GIL; output that
//! grows up to a limit; and a decompressor's account of its input.

use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use taipan_vm::prelude::*;

/// A value that one thread at a time works on. No Python code may run under the lock.
pub struct Guarded<T>(Mutex<T>);

impl<T> Guarded<T> {
    /// A value that nobody works on.
    pub fn new(value: T) -> Self {
        Guarded(Mutex::new(value))
    }

    /// The value; other threads run while it is waited for.
    pub fn lock(&self, vm: &Vm) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => {
                vm.allow_threads(|| self.0.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// The value when nobody works on it: what finalisation may look at.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// Output that grows by doubling, never beyond its limit.
pub struct Output {
    data: Vec<u8>,
    limit: usize,
}

/// There was no memory for more output.
pub struct NoMemory;

impl Output {
    const FIRST_ROOM: usize = 32 * 1024;
    const MOST_ROOM: usize = 64 * 1024 * 1024;

    /// Empty output. `expected` is a size worth reserving at once.
    pub fn new(limit: usize, expected: usize) -> Result<Output, NoMemory> {
        let mut data = Vec::new();
        data.try_reserve(expected.min(limit).min(Self::MOST_ROOM)).map_err(|_| NoMemory)?;
        Ok(Output { data, limit })
    }

    /// Where the next bytes go; empty at the limit.
    pub fn room(&mut self) -> Result<&mut [MaybeUninit<u8>], NoMemory> {
        let left = self.limit.saturating_sub(self.data.len());
        if self.data.len() == self.data.capacity() {
            let more = self.data.len().clamp(Self::FIRST_ROOM, Self::MOST_ROOM).min(left);
            self.data.try_reserve(more).map_err(|_| NoMemory)?;
        }
        let spare = self.data.spare_capacity_mut();
        let room = spare.len().min(left);
        Ok(spare.get_mut(..room).unwrap_or_default())
    }

    /// Counts bytes that were written into the room.
    ///
    /// # Safety
    /// The first `count` bytes of the last `room` are written.
    pub unsafe fn wrote(&mut self, count: usize) {
        // SAFETY: the caller vouches for it.
        unsafe { self.data.set_len(self.data.len() + count) }
    }

    /// Whether the limit is reached.
    pub fn at_limit(&self) -> bool {
        self.data.len() >= self.limit
    }

    /// The bytes.
    pub fn finish(self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&self.data, vm)
    }
}

/// What one call of a codec came to.
pub struct Step {
    /// Bytes written.
    pub written: usize,
    /// Whether the room was used up.
    pub filled: bool,
    /// Whether the end of the data was reached.
    pub ended: bool,
}

/// A decompressor of a library.
pub trait Decode {
    /// The library's error.
    type Error: From<NoMemory>;
    /// Whether more output may wait when the input is used up and the output is at its limit.
    const HOLDS_OUTPUT: bool;

    /// Takes from `input`, writes into `room`.
    fn step(&mut self, input: &mut &[u8], room: &mut [MaybeUninit<u8>]) -> Result<Step, Self::Error>;

    /// A guess at the size of what comes, or 0.
    fn expected(&self, _input: &[u8]) -> usize {
        0
    }
}

/// A decompressor and its input.
pub struct Decoder<C> {
    /// The library's state.
    pub codec: C,
    /// Whether the end was reached.
    pub eof: bool,
    /// Whether a call without input is of no use.
    pub needs_input: bool,
    /// What came behind the end.
    pub unused: Vec<u8>,
    /// Whether damaged data was met.
    pub failed: bool,
    waiting: Vec<u8>,
}

impl<C: Decode> Decoder<C> {
    /// A decompressor at the start of its data.
    pub fn new(codec: C) -> Self {
        Decoder {
            codec,
            eof: false,
            needs_input: true,
            unused: Vec::new(),
            failed: false,
            waiting: Vec::new(),
        }
    }

    /// Decompresses what waits and `data`, up to `limit` bytes. Not to be called behind the end.
    pub fn feed(&mut self, data: &[u8], limit: usize) -> Result<Output, C::Error> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut input = if waiting.is_empty() {
            data
        } else {
            waiting.try_reserve(data.len()).map_err(|_| NoMemory)?;
            waiting.extend_from_slice(data);
            &waiting
        };
        let mut out = Output::new(limit, self.codec.expected(input))?;
        let filled = loop {
            let before = input.len();
            let step = match self.codec.step(&mut input, out.room()?) {
                Ok(step) => step,
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            };
            // SAFETY: the codec wrote that much.
            unsafe { out.wrote(step.written) };
            self.eof = step.ended;
            if step.ended || (step.filled && out.at_limit()) {
                break step.filled;
            }
            let stuck = step.written == 0 && before == input.len();
            if !step.filled && (input.is_empty() || stuck) {
                break false;
            }
        };
        let rest = input.to_vec();
        self.needs_input = false;
        if self.eof {
            self.unused = rest;
        } else if rest.is_empty() {
            self.needs_input = !(C::HOLDS_OUTPUT && filled);
        } else {
            self.waiting = rest;
        }
        Ok(out)
    }
}

/// A limit of output as Python gives it: negative for none.
pub fn limit(max_length: Option<isize>) -> usize {
    usize::try_from(max_length.unwrap_or(-1)).unwrap_or(usize::MAX)
}
