//! `StackRef`: one slot of a frame's locals or evaluation stack.
//!
//! A slot is a pointer whose lowest bit says who owns the reference: 0, the slot does and gives it up when closed;
//! 1, somebody else does. An owned slot has the same bits as a plain object pointer, so that a row of owned slots can
//! be handed to native code as an argument array.
//!
//! Who may be borrowed from:
//! - a local variable of the same frame (`LOAD_FAST_BORROW`): the compiler emits it only where the local is not
//!   rebound while the slot lives, and writes from outside (`frame.f_locals`) keep the old value alive;
//! - a constant of a running code object: the frame owns the code;
//! - an immortal object;
//! - for an argument, the caller's frame, which waits until the callee has returned.
//!
//! A value that leaves this nest of frames (stored in a heap object, returned, yielded, moved with a frame that outlives
//! its call) is made owned first: `into_ref` or `heap_safe`.

use taipan_object::alloc;
use taipan_object::object::dealloc;

use crate::interpreter::raw;
use crate::prelude::*;

/// A reference in a frame: owned, borrowed (lowest bit set), or empty (zero).
///
/// It is plain data: copying it copies no count, dropping it gives none up.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StackRef(usize);

const BORROWED: usize = 1;

impl StackRef {
    /// The empty slot.
    pub const NULL: StackRef = StackRef(0);

    /// A slot that owns the reference.
    #[inline(always)]
    pub fn owned(object: ObjRef) -> StackRef {
        StackRef(object.into_raw() as usize)
    }

    /// A slot that relies on another owner, as listed at the head of this file.
    #[inline(always)]
    pub fn borrowed(object: &Object) -> StackRef {
        StackRef(object.as_ptr() as usize | BORROWED)
    }

    /// A slot from an owned pointer that may be null.
    #[inline(always)]
    pub fn from_raw(object: *mut Object) -> StackRef {
        StackRef(object as usize)
    }

    /// Whether the slot is empty.
    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Whether the slot relies on another owner.
    #[inline(always)]
    pub fn is_borrowed(self) -> bool {
        self.0 & BORROWED != 0
    }

    /// The object's address, or null.
    #[inline(always)]
    pub fn ptr(self) -> *mut Object {
        (self.0 & !BORROWED) as *mut Object
    }

    /// The object.
    ///
    /// # Safety
    /// The slot is not empty, and the borrow ends before the slot is closed.
    #[inline(always)]
    pub unsafe fn object<'a>(self) -> &'a Object {
        // SAFETY: a filled slot refers to a live object.
        unsafe { &*self.ptr() }
    }

    /// The object's type.
    ///
    /// # Safety
    /// The slot is not empty.
    #[inline(always)]
    pub unsafe fn type_ptr(self) -> *const Type {
        // SAFETY: passed on to the caller.
        unsafe { self.object().type_ptr() }
    }

    /// Moves the reference out as an owned one.
    ///
    /// # Safety
    /// The slot is not empty and is not used or closed afterwards.
    #[inline(always)]
    pub unsafe fn into_ref(self) -> ObjRef {
        // SAFETY: an owned slot gives its reference away, a borrowed one refers to a live object.
        unsafe { if self.is_borrowed() { self.object().to_ref() } else { Ref::from_raw(self.ptr()) } }
    }

    /// As `into_ref`, but stays a slot; an empty slot stays empty.
    ///
    /// # Safety
    /// `self` is not used or closed afterwards.
    #[inline(always)]
    pub unsafe fn heap_safe(self) -> StackRef {
        if self.is_borrowed() {
            // SAFETY: a borrowed slot refers to a live object.
            StackRef::owned(unsafe { self.object().to_ref() })
        } else {
            self
        }
    }

    /// A second slot for the same object, owning when this one does.
    ///
    /// # Safety
    /// The slot is not empty.
    #[inline(always)]
    pub unsafe fn dup(self) -> StackRef {
        if !self.is_borrowed() {
            // SAFETY: a filled slot refers to a live object.
            unsafe { self.object().incref() };
        }
        self
    }

    /// A second slot that relies on this one.
    #[inline(always)]
    pub fn borrow(self) -> StackRef {
        StackRef(self.0 | BORROWED)
    }

    /// Gives up what the slot owns. May run Python code.
    ///
    /// # Safety
    /// The slot is not empty and is not used afterwards.
    #[inline(always)]
    pub unsafe fn close(self) {
        if !self.is_borrowed() {
            // SAFETY: the slot owns a reference.
            unsafe { release(self.ptr()) };
        }
    }

    /// `close` for slots that may be empty.
    ///
    /// # Safety
    /// The slot is not used afterwards.
    #[inline(always)]
    pub unsafe fn xclose(self) {
        if self.0 & BORROWED == 0 && self.0 != 0 {
            // SAFETY: the slot owns a reference.
            unsafe { release(self.ptr()) };
        }
    }

    /// Whether the slot holds `object`.
    #[inline(always)]
    pub fn is(self, object: &Object) -> bool {
        self.ptr() == object.as_ptr()
    }

    /// Whether the slot owns the only reference there is.
    ///
    /// # Safety
    /// The slot is not empty.
    #[inline(always)]
    pub unsafe fn is_unique(self) -> bool {
        // SAFETY: passed on to the caller.
        !self.is_borrowed() && unsafe { self.object().is_unique() }
    }
}

/// Gives up one reference. As `decref`, with a short way for numbers, which most values on the stack are.
#[inline(always)]
unsafe fn release(op: *mut Object) {
    // SAFETY: the caller owns a reference, so the object is alive.
    unsafe {
        let object = &*op;
        if object.is_unique() {
            release_last(op);
        } else if !object.is_immortal() {
            object.set_refcount(object.refcount() - 1);
        }
    }
}

/// Destroys an object whose only reference is given up. Compact ints and floats are plain memory.
#[inline(never)]
unsafe fn release_last(op: *mut Object) {
    // SAFETY: the caller owns the only reference; sizes are those that the number types allocate.
    unsafe {
        let tp = (*op).type_ptr();
        if tp == raw::int_type() && raw::compact_int(StackRef::from_raw(op)).is_some() {
            alloc::release(op.cast(), raw::INT_BYTES);
        } else if tp == raw::float_type() {
            alloc::release(op.cast(), raw::FLOAT_BYTES);
        } else {
            (*op).set_refcount(0);
            dealloc(op);
        }
    }
}
