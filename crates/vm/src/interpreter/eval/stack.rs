//! `Stack`: the evaluation stack as the out-of-line instruction bodies see it.

use std::ptr::NonNull;

use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Points behind the topmost filled slot of a frame's evaluation stack.
///
/// A body that fails leaves its operands where they are: unwinding closes them.
#[derive(Clone, Copy)]
pub struct Stack(NonNull<StackRef>);

/// What an out-of-line body gives: the stack after the instruction, or an exception.
pub type Step = Result<Stack, Raised>;

impl Stack {
    /// Wraps the loop's stack pointer.
    ///
    /// # Safety
    /// `sp` is the stack pointer of a running frame.
    #[inline(always)]
    pub unsafe fn new(sp: *mut StackRef) -> Stack {
        // SAFETY: a stack pointer is never null.
        Stack(unsafe { NonNull::new_unchecked(sp) })
    }

    /// The loop's stack pointer.
    #[inline(always)]
    pub fn as_ptr(self) -> *mut StackRef {
        self.0.as_ptr()
    }

    /// The `n`-th slot from the top; 1 is the topmost.
    ///
    /// # Safety
    /// The stack is that deep.
    #[inline(always)]
    pub unsafe fn peek(self, n: usize) -> StackRef {
        // SAFETY: the caller vouches for the depth.
        unsafe { *self.as_ptr().sub(n) }
    }

    /// The object in the `n`-th slot from the top.
    ///
    /// # Safety
    /// The stack is that deep, and the object is not used once the slot is closed.
    #[inline(always)]
    pub unsafe fn object<'a>(self, n: usize) -> &'a Object {
        // SAFETY: the caller vouches for the depth; filled slots hold live objects.
        unsafe { self.peek(n).object() }
    }

    /// Overwrites the `n`-th slot from the top without closing what was there.
    ///
    /// # Safety
    /// The stack is that deep.
    #[inline(always)]
    pub unsafe fn put(self, n: usize, value: StackRef) {
        // SAFETY: the caller vouches for the depth.
        unsafe { *self.as_ptr().sub(n) = value }
    }

    /// Pushes a slot.
    ///
    /// # Safety
    /// The code object's stack size leaves room.
    #[inline(always)]
    pub unsafe fn push(self, value: StackRef) -> Stack {
        // SAFETY: the caller vouches for the room.
        unsafe {
            *self.as_ptr() = value;
            Stack::new(self.as_ptr().add(1))
        }
    }

    /// Takes the topmost slot off without closing it.
    ///
    /// # Safety
    /// The stack is not empty.
    #[inline(always)]
    pub unsafe fn pop(self) -> (Stack, StackRef) {
        // SAFETY: the caller vouches for the depth.
        unsafe { (Stack::new(self.as_ptr().sub(1)), self.peek(1)) }
    }

    /// Shortens the stack by `n` slots that were moved away.
    ///
    /// # Safety
    /// The stack is that deep.
    #[inline(always)]
    pub unsafe fn forget(self, n: usize) -> Stack {
        // SAFETY: the caller vouches for the depth.
        unsafe { Stack::new(self.as_ptr().sub(n)) }
    }

    /// Closes the `n` topmost slots, which may be empty.
    ///
    /// # Safety
    /// The stack is that deep.
    #[inline(always)]
    pub unsafe fn drop(self, n: usize) -> Stack {
        // SAFETY: the caller vouches for the depth.
        unsafe {
            for i in 1..=n {
                self.peek(i).xclose();
            }
            self.forget(n)
        }
    }

    /// Closes the `n` topmost slots and pushes an object in their place.
    ///
    /// # Safety
    /// The stack is that deep.
    #[inline(always)]
    pub unsafe fn replace(self, n: usize, value: ObjRef) -> Stack {
        // SAFETY: the caller vouches for the depth.
        unsafe { self.drop(n).push(StackRef::owned(value)) }
    }

    /// Makes the `n` topmost slots owned and shortens the stack by them: from its end on they lie as plain owned pointers,
    /// to be moved away before anything is pushed.
    ///
    /// # Safety
    /// The stack is that deep and the slots are filled.
    #[inline(always)]
    pub unsafe fn own(self, n: usize) -> Stack {
        // SAFETY: the caller vouches for the depth.
        unsafe {
            let rest = self.forget(n);
            for i in 0..n {
                let slot = rest.as_ptr().add(i);
                *slot = (*slot).heap_safe();
            }
            rest
        }
    }

    /// The `n` topmost slots as owned references, moved off the stack, lowest first.
    ///
    /// # Safety
    /// The stack is that deep and the slots are filled.
    #[inline(always)]
    pub unsafe fn take(self, n: usize) -> (Stack, Vec<ObjRef>) {
        // SAFETY: the caller vouches for the depth.
        unsafe {
            let rest = self.forget(n);
            let mut items = Vec::with_capacity(n);
            for i in 0..n {
                items.push((*rest.as_ptr().add(i)).into_ref());
            }
            (rest, items)
        }
    }
}
