//! `Slot`: a field of an object that holds a reference or nothing and can be changed through `&self`.

use std::cell::UnsafeCell;

use crate::object::{Object, PyLayout, Ref};

/// A mutable field for an optional reference; the same eight bytes as a C `PyObject *`.
///
/// It never lends out its inside: `get` clones, so that code run later may change the field freely.
#[repr(transparent)]
pub struct Slot<T: PyLayout = Object>(UnsafeCell<Option<Ref<T>>>);

// SAFETY: objects are only touched by the thread that holds the interpreter's lock.
unsafe impl<T: PyLayout> Sync for Slot<T> {}

impl<T: PyLayout> Default for Slot<T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: PyLayout> Slot<T> {
    /// An empty field.
    pub const fn empty() -> Self {
        Slot(UnsafeCell::new(None))
    }

    /// A field that holds `value`.
    pub const fn new(value: Option<Ref<T>>) -> Self {
        Slot(UnsafeCell::new(value))
    }

    /// A field that holds a reference.
    pub const fn of(value: Ref<T>) -> Self {
        Slot(UnsafeCell::new(Some(value)))
    }

    /// A new reference to what the field holds.
    #[inline(always)]
    pub fn get(&self) -> Option<Ref<T>> {
        // SAFETY: the borrow ends before anything else can run.
        unsafe { (*self.0.get()).clone() }
    }

    /// What the field holds, borrowed.
    ///
    /// # Safety
    /// The field is not changed while the borrow lives: no code that may reach this object runs.
    #[inline(always)]
    pub unsafe fn borrow(&self) -> Option<&T> {
        // SAFETY: passed on to the caller.
        unsafe { (*self.0.get()).as_deref() }
    }

    /// The raw pointer that the field holds, or null. Not a new reference.
    #[inline(always)]
    pub fn as_raw(&self) -> *mut T {
        // SAFETY: a plain read.
        unsafe { (*self.0.get()).as_ref().map_or(std::ptr::null_mut(), Ref::as_raw) }
    }

    /// Whether the field is empty.
    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.as_raw().is_null()
    }

    /// Stores a value; what was there is released after the store, as destroying it may run code.
    #[inline(always)]
    pub fn set(&self, value: Option<Ref<T>>) {
        drop(self.replace(value));
    }

    /// Stores a reference.
    #[inline(always)]
    pub fn put(&self, value: Ref<T>) {
        self.set(Some(value));
    }

    /// Stores a value and hands back what was there.
    #[inline(always)]
    pub fn replace(&self, value: Option<Ref<T>>) -> Option<Ref<T>> {
        // SAFETY: no borrow of the inside exists: `borrow` is unsafe for that reason.
        unsafe { std::mem::replace(&mut *self.0.get(), value) }
    }

    /// Empties the field and hands back what was there.
    #[inline(always)]
    pub fn take(&self) -> Option<Ref<T>> {
        self.replace(None)
    }
}
