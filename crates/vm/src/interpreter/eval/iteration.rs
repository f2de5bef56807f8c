//! `for` loops: making iterators and taking items.

use crate::builtins::generator::Generator;
use crate::builtins::list::iterators::ListIterator;
use crate::builtins::range::RangeIterator;
use crate::builtins::tuple::TupleIterator;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// What an iterator gave.
pub enum Next {
    /// An item.
    Item(ObjRef),
    /// The end.
    End,
    /// An exception.
    Error,
}

/// `GET_ITER`: `iter(value)`.
#[inline(never)]
pub unsafe fn get_iter(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let iterable = s.object(1);
        // A generator is its own iterator.
        if iterable.type_ptr() == Generator::static_type() {
            return Ok(s);
        }
        let iterator = crate::protocols::iterator::iter(iterable, vm)?;
        Ok(s.replace(1, iterator))
    }
}

/// The next item of any iterator.
#[inline]
pub fn advance(iterator: &Object, vm: &Vm) -> Next {
    match crate::protocols::iterator::iter_next(iterator, vm) {
        Ok(Some(item)) => Next::Item(item),
        Ok(None) => Next::End,
        Err(_) => Next::Error,
    }
}

/// Whether the slot holds a list's iterator.
///
/// # Safety
/// The slot is filled.
#[inline(always)]
pub unsafe fn is_list_iterator(slot: StackRef) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { slot.type_ptr() == ListIterator::static_type() }
}

/// The next item of a list's iterator.
///
/// # Safety
/// The slot holds one.
#[inline(always)]
pub unsafe fn next_of_list(slot: StackRef) -> Option<StackRef> {
    // SAFETY: the caller has checked the type.
    unsafe { (*slot.ptr().cast::<ListIterator>()).next().map(StackRef::owned) }
}

/// Whether the slot holds a tuple's iterator.
///
/// # Safety
/// The slot is filled.
#[inline(always)]
pub unsafe fn is_tuple_iterator(slot: StackRef) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { slot.type_ptr() == TupleIterator::static_type() }
}

/// The next item of a tuple's iterator.
///
/// # Safety
/// The slot holds one.
#[inline(always)]
pub unsafe fn next_of_tuple(slot: StackRef) -> Option<StackRef> {
    // SAFETY: the caller has checked the type.
    unsafe { (*slot.ptr().cast::<TupleIterator>()).next().map(StackRef::owned) }
}

/// Whether the slot holds the iterator of a range of machine-sized ints.
///
/// # Safety
/// The slot is filled.
#[inline(always)]
pub unsafe fn is_range_iterator(slot: StackRef) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { slot.type_ptr() == RangeIterator::static_type() }
}

/// The next item of a range's iterator.
///
/// # Safety
/// The slot holds one.
#[inline(always)]
pub unsafe fn next_of_range(slot: StackRef) -> Option<i64> {
    // SAFETY: the caller has checked the type.
    unsafe { (*slot.ptr().cast::<RangeIterator>()).advance() }
}
