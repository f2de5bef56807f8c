//! `co_extra`: pointers that native code attaches to code objects (PEP 523).

use std::cell::RefCell;
use std::ffi::c_void;

use crate::builtins::code::Code;
use crate::prelude::*;

/// Frees what was attached.
pub type FreeExtra = unsafe extern "C" fn(*mut c_void);

/// The most indices that are given out.
const MOST: usize = 255;

/// The functions that free, by index.
#[derive(Default)]
struct Registered(RefCell<Vec<Option<FreeExtra>>>);

/// An index for one kind of pointer; -1 when there are no more.
pub fn request_index(free: Option<FreeExtra>, vm: &Vm) -> isize {
    let mut registered = vm.interp().state::<Registered>().0.borrow_mut();
    if registered.len() >= MOST {
        return -1;
    }
    registered.push(free);
    registered.len() as isize - 1
}

/// What is attached at an index; null for nothing.
pub fn get(code: &Code, index: isize) -> *mut c_void {
    let Ok(index) = usize::try_from(index) else { return std::ptr::null_mut() };
    // SAFETY: null, or the list that `set` made and the code object owns.
    let list = unsafe { code.extra.get().cast::<Vec<*mut c_void>>().as_ref() };
    list.and_then(|list| list.get(index)).copied().unwrap_or(std::ptr::null_mut())
}

/// Attaches a pointer; what was there is freed. Raises `SystemError` for an index that was not given out.
pub fn set(code: &Code, index: isize, value: *mut c_void, vm: &Vm) -> PyResult<()> {
    let free = {
        let registered = vm.interp().state::<Registered>().0.borrow();
        usize::try_from(index).ok().and_then(|index| registered.get(index).map(|free| (index, *free)))
    };
    let Some((index, free)) = free else { return Err(vm.system_error("bad argument to internal function")) };
    if code.extra.get().is_null() {
        code.extra.set(Box::into_raw(Box::<Vec<*mut c_void>>::default()).cast());
    }
    // SAFETY: the list that this function made; nothing else borrows it.
    let Some(list) = (unsafe { code.extra.get().cast::<Vec<*mut c_void>>().as_mut() }) else { return Ok(()) };
    if list.len() <= index {
        list.resize(index + 1, std::ptr::null_mut());
    }
    let Some(place) = list.get_mut(index) else { return Ok(()) };
    let before = std::mem::replace(place, value);
    if let Some(free) = free.filter(|_| !before.is_null()) {
        // SAFETY: whoever asked for the index vouches for the function.
        unsafe { free(before) };
    }
    Ok(())
}

/// Frees what is attached to a code object that ends.
pub fn release(code: &Code) {
    let list = code.extra.replace(std::ptr::null_mut());
    if list.is_null() {
        return;
    }
    // SAFETY: the list that `set` made, taken out of its only place.
    let list = unsafe { Box::from_raw(list.cast::<Vec<*mut c_void>>()) };
    // SAFETY: objects end on attached threads.
    let vm = unsafe { Vm::current() };
    // The functions may be gone when the interpreter ends.
    if vm.interp().finalizing.get() {
        return;
    }
    let functions = vm.interp().state::<Registered>().0.borrow().clone();
    for (value, free) in list.iter().zip(functions) {
        if let Some(free) = free.filter(|_| !value.is_null()) {
            // SAFETY: as in `set`.
            unsafe { free(*value) };
        }
    }
}
