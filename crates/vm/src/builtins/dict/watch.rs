//! Watchers: native callbacks that are told before a watched dict changes (C API manual, `PyDict_Watch`).
//!
//! The low eight bits of the dict's watcher tag say which callbacks watch it.

use std::cell::Cell;
use std::ffi::c_int;

use crate::prelude::*;

/// How many callbacks an interpreter can have.
pub const MAX_WATCHERS: usize = 8;

/// `PyDict_WatchEvent`: what is about to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum DictEvent {
    /// A key is added.
    Added,
    /// A key gets another value.
    Modified,
    /// A key is deleted.
    Deleted,
    /// The empty dict becomes a copy of another.
    Cloned,
    /// All entries are removed.
    Cleared,
    /// The dict is destroyed.
    Deallocated,
}

/// `PyDict_WatchCallback`: event, dict, key and new value (null where there is none). -1 with an exception set is reported
/// as unraisable.
pub type WatchCallback = unsafe extern "C" fn(DictEvent, *mut Object, *mut Object, *mut Object) -> c_int;

/// An interpreter's callbacks.
#[derive(Default)]
pub struct DictWatchers {
    callbacks: [Cell<Option<WatchCallback>>; MAX_WATCHERS],
}

impl DictWatchers {
    /// Registers a callback and gives its number; RuntimeError when all are taken.
    pub fn add(&self, callback: WatchCallback, vm: &Vm) -> PyResult<usize> {
        match self.callbacks.iter().position(|c| c.get().is_none()) {
            Some(id) => {
                if let Some(cell) = self.callbacks.get(id) {
                    cell.set(Some(callback));
                }
                Ok(id)
            }
            None => Err(vm.runtime_error("no more dict watcher IDs available")),
        }
    }

    /// Forgets a callback; ValueError when there is none of that number.
    pub fn remove(&self, id: usize, vm: &Vm) -> PyResult<()> {
        self.check(id, vm)?.set(None);
        Ok(())
    }

    fn check(&self, id: usize, vm: &Vm) -> PyResult<&Cell<Option<WatchCallback>>> {
        match self.callbacks.get(id) {
            None => Err(vm.value_error(format!("Invalid dict watcher ID {id}"))),
            Some(cell) if cell.get().is_none() => {
                Err(vm.value_error(format!("No dict watcher set for ID {id}")))
            }
            Some(cell) => Ok(cell),
        }
    }
}

impl Dict {
    /// Whether any callback watches this dict.
    #[inline(always)]
    pub fn is_watched(&self) -> bool {
        self.watcher_tag.get() & 0xff != 0
    }

    /// Lets callback `id` watch this dict.
    pub fn watch(&self, id: usize, vm: &Vm) -> PyResult<()> {
        vm.interp().state::<DictWatchers>().check(id, vm)?;
        self.watcher_tag.set(self.watcher_tag.get() | 1 << id);
        Ok(())
    }

    /// Ends the watch of callback `id`.
    pub fn unwatch(&self, id: usize, vm: &Vm) -> PyResult<()> {
        vm.interp().state::<DictWatchers>().check(id, vm)?;
        self.watcher_tag.set(self.watcher_tag.get() & !(1 << id));
        Ok(())
    }

    /// Tells the watchers what is about to happen.
    #[cold]
    pub(crate) fn notify(&self, event: DictEvent, key: Option<&Object>, value: Option<&ObjRef>, vm: &Vm) {
        let watchers = vm.interp().state::<DictWatchers>();
        let tag = self.watcher_tag.get();
        for (id, callback) in watchers.callbacks.iter().enumerate() {
            let Some(callback) = callback.get().filter(|_| tag & (1 << id) != 0) else { continue };
            let key = key.map_or(std::ptr::null_mut(), Object::as_ptr);
            let value = value.map_or(std::ptr::null_mut(), |v| v.as_raw());
            // SAFETY: the callback takes borrowed references that live through the call.
            if unsafe { callback(event, self.as_object().as_ptr(), key, value) } < 0 {
                vm.write_unraisable(Some(self.as_object()), None);
            }
        }
    }
}
