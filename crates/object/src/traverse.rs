//! How the cycle collector finds the references that an object owns.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::{c_int, c_void};

use crate::object::{AsObject, Object, PyLayout, Ref};
use crate::slot::Slot;

/// C's `visitproc`.
pub type VisitProc = unsafe extern "C" fn(*mut Object, *mut c_void) -> c_int;

/// The collector's visitor, handed to `Traverse`.
pub struct Visit {
    visit: VisitProc,
    arg: *mut c_void,
    result: c_int,
}

impl Visit {
    /// Wraps the pair that C passes to `tp_traverse`.
    pub fn new(visit: VisitProc, arg: *mut c_void) -> Self {
        Visit { visit, arg, result: 0 }
    }

    /// Reports one owned reference. Does nothing once the visitor asked to stop.
    #[inline]
    pub fn object(&mut self, object: &Object) {
        // SAFETY: the visitor takes any live object together with its own argument.
        let result = unsafe { (self.visit)(object.as_ptr(), self.arg) };
        if result != 0 {
            self.stop(result);
        }
    }

    /// From now on nothing is reported.
    #[cold]
    fn stop(&mut self, result: c_int) {
        unsafe extern "C" fn ignore(_object: *mut Object, _arg: *mut c_void) -> c_int {
            0
        }
        self.result = result;
        self.visit = ignore;
    }

    /// Reports a raw pointer that may be null.
    ///
    /// # Safety
    /// `object` is null or alive.
    #[inline]
    pub unsafe fn raw(&mut self, object: *mut Object) {
        // SAFETY: the caller vouches for the pointer.
        if let Some(object) = unsafe { object.as_ref() } {
            self.object(object);
        }
    }

    /// Lets a C traversal function report the references that it knows of.
    ///
    /// # Safety
    /// `traverse` takes `object`, which is alive.
    pub unsafe fn through(
        &mut self,
        traverse: unsafe extern "C" fn(*mut Object, VisitProc, *mut c_void) -> c_int,
        object: &Object,
    ) {
        if self.result == 0 {
            // SAFETY: the caller vouches for the function and the object.
            self.result = unsafe { traverse(object.as_ptr(), self.visit, self.arg) };
        }
    }

    /// What `tp_traverse` returns to C.
    pub fn result(&self) -> c_int {
        self.result
    }
}

/// Something that owns references. Derive it for structs of such fields.
pub trait Traverse {
    /// Reports every owned reference to the visitor. Must not run Python code.
    fn traverse(&self, visit: &mut Visit);

    /// Gives up those references that can be part of a cycle (`tp_clear`). Fields that can't be
    /// emptied keep theirs: another object of the cycle breaks it.
    fn clear(&self) {}
}

impl<T: PyLayout> Traverse for Ref<T> {
    #[inline]
    fn traverse(&self, visit: &mut Visit) {
        visit.object(self.as_object());
    }
}

impl<T: PyLayout> Traverse for Slot<T> {
    #[inline]
    fn traverse(&self, visit: &mut Visit) {
        // SAFETY: the pointer is null or kept alive by the slot.
        unsafe { visit.raw(self.as_raw().cast()) }
    }
    fn clear(&self) {
        drop(self.take());
    }
}

impl<T: Traverse> Traverse for Option<T> {
    #[inline]
    fn traverse(&self, visit: &mut Visit) {
        if let Some(inner) = self {
            inner.traverse(visit);
        }
    }
    fn clear(&self) {
        if let Some(inner) = self {
            inner.clear();
        }
    }
}

impl<T: Traverse> Traverse for [T] {
    fn traverse(&self, visit: &mut Visit) {
        for item in self {
            item.traverse(visit);
        }
    }
    fn clear(&self) {
        for item in self {
            item.clear();
        }
    }
}

impl<T: Traverse> Traverse for Vec<T> {
    fn traverse(&self, visit: &mut Visit) {
        self.as_slice().traverse(visit);
    }
    fn clear(&self) {
        self.as_slice().clear();
    }
}

impl<T: Traverse> Traverse for std::collections::VecDeque<T> {
    fn traverse(&self, visit: &mut Visit) {
        for item in self {
            item.traverse(visit);
        }
    }
}

impl<T: Traverse + ?Sized> Traverse for Box<T> {
    fn traverse(&self, visit: &mut Visit) {
        (**self).traverse(visit);
    }
    fn clear(&self) {
        (**self).clear();
    }
}

impl<T: Traverse + Default> Traverse for RefCell<T> {
    fn traverse(&self, visit: &mut Visit) {
        if let Ok(inner) = self.try_borrow() {
            inner.traverse(visit);
        }
    }
    fn clear(&self) {
        // Emptied first and released afterwards: releasing may run code that looks at the cell.
        let taken = self.try_borrow_mut().map(|mut inner| std::mem::take(&mut *inner));
        drop(taken);
    }
}

impl<T: Traverse> Traverse for UnsafeCell<T> {
    fn traverse(&self, visit: &mut Visit) {
        // SAFETY: traversal runs no Python code, and no other thread runs meanwhile.
        unsafe { (*self.get()).traverse(visit) }
    }
}

impl<A: Traverse, B: Traverse> Traverse for (A, B) {
    fn traverse(&self, visit: &mut Visit) {
        self.0.traverse(visit);
        self.1.traverse(visit);
    }
}

macro_rules! holds_nothing {
    ($($t:ty),* $(,)?) => {$(
        impl Traverse for $t {
            #[inline]
            fn traverse(&self, _visit: &mut Visit) {}
        }
    )*};
}
holds_nothing!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f64,
    String,
    &'static str,
);

impl<T: Copy> Traverse for Cell<T> {
    #[inline]
    fn traverse(&self, _visit: &mut Visit) {}
}
impl<T> Traverse for *mut T {
    fn traverse(&self, _visit: &mut Visit) {}
}
impl<T> Traverse for *const T {
    fn traverse(&self, _visit: &mut Visit) {}
}
