//! Reads of the hot layouts by their ABI offsets, for instructions that have checked the exact type already.

use taipan_object::alloc;

use crate::builtins::{bool_::Bool, float::Float, int::Int, list::List, str::Str, tuple::Tuple};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Whether the slot holds exactly an instance of `T`'s type.
///
/// # Safety
/// The slot is not empty.
#[inline(always)]
pub unsafe fn is_exact<T: PyLayout>(slot: StackRef) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { slot.type_ptr() == T::static_type() }
}

#[inline(always)]
unsafe fn field<T: Copy>(op: *mut Object, offset: usize) -> T {
    // SAFETY: the caller reads a field that the object's layout has.
    unsafe { op.cast::<u8>().add(offset).cast::<T>().read() }
}

/// The value of a compact `int`, which has at most one digit.
///
/// # Safety
/// `slot` holds an `int`.
#[inline(always)]
pub unsafe fn compact_int(slot: StackRef) -> Option<i64> {
    // SAFETY: layouts.md §2: the tag at 16, the first digit at 24.
    unsafe {
        let tag: usize = field(slot.ptr(), 16);
        if tag >= 16 {
            return None;
        }
        let digit: u32 = field(slot.ptr(), 24);
        Some((1 - (tag & 3) as i64) * i64::from(digit))
    }
}

/// Whether an `int` is compact and not negative, with its value.
///
/// # Safety
/// `slot` holds an `int`.
#[inline(always)]
pub unsafe fn small_index(slot: StackRef) -> Option<usize> {
    // SAFETY: as for `compact_int`. Sign bits of 2 mean negative.
    unsafe {
        let tag: usize = field(slot.ptr(), 16);
        if tag >= 16 || tag & 2 != 0 {
            return None;
        }
        let digit: u32 = field(slot.ptr(), 24);
        Some(digit as usize)
    }
}

/// The value of a `float`.
///
/// # Safety
/// `slot` holds a `float`.
#[inline(always)]
pub unsafe fn float_value(slot: StackRef) -> f64 {
    // SAFETY: layouts.md §2.
    unsafe { field(slot.ptr(), 16) }
}

/// The number of items of a `tuple` or `list`.
///
/// # Safety
/// `op` is one.
#[inline(always)]
pub unsafe fn var_len(op: *mut Object) -> usize {
    // SAFETY: layouts.md §1.
    unsafe { field::<isize>(op, 16) as usize }
}

/// The first item of a `list`'s vector.
///
/// # Safety
/// `op` is a `list`.
#[inline(always)]
pub unsafe fn list_items(op: *mut Object) -> *mut *mut Object {
    // SAFETY: layouts.md §4.
    unsafe { field(op, 24) }
}

/// The first item of a `tuple`.
///
/// # Safety
/// `op` is a `tuple`.
#[inline(always)]
pub unsafe fn tuple_items(op: *mut Object) -> *mut *mut Object {
    // SAFETY: layouts.md §4.
    unsafe { op.cast::<u8>().add(32).cast() }
}

/// Closes a slot that holds exactly an `int`, without going through `tp_dealloc` for compact ones.
///
/// # Safety
/// `slot` holds a compact exact `int` and is not used afterwards.
#[inline(always)]
pub unsafe fn close_compact_int(slot: StackRef) {
    if slot.is_borrowed() {
        return;
    }
    // SAFETY: the slot owns a reference; a compact int is a block of 28 bytes with nothing inside to release.
    unsafe {
        let object = slot.object();
        if object.is_unique() {
            alloc::release(slot.ptr().cast(), INT_BYTES);
        } else {
            slot.close();
        }
    }
}

/// Closes a slot that holds exactly a `float`, without going through `tp_dealloc`.
///
/// # Safety
/// `slot` holds an exact `float` and is not used afterwards.
#[inline(always)]
pub unsafe fn close_float(slot: StackRef) {
    if slot.is_borrowed() {
        return;
    }
    // SAFETY: the slot owns a reference; a float is a block of 24 bytes with nothing inside to release.
    unsafe {
        let object = slot.object();
        if object.is_unique() {
            alloc::release(slot.ptr().cast(), FLOAT_BYTES);
        } else {
            slot.close();
        }
    }
}

/// What a compact `int` takes.
pub const INT_BYTES: usize = 28;
/// What a `float` takes.
pub const FLOAT_BYTES: usize = 24;

/// A `float` object in a slot; `reuse` is closed, and becomes the result when nobody else knows it.
///
/// # Safety
/// `reuse` holds an exact `float`.
#[inline(always)]
pub unsafe fn float_into(reuse: StackRef, value: f64, vm: &Vm) -> StackRef {
    // SAFETY: a float that only this slot owns may change its value.
    unsafe {
        if reuse.is_unique() {
            reuse.ptr().cast::<u8>().add(16).cast::<f64>().write(value);
            return reuse;
        }
        let result = StackRef::owned(Float::new(value, vm));
        close_float(reuse);
        result
    }
}

/// `True` or `False` in a slot.
#[inline(always)]
pub fn bool_slot(value: bool, vm: &Vm) -> StackRef {
    StackRef::borrowed(if value { vm.true_ref() } else { vm.false_ref() })
}

/// A cached int in a slot; `LOAD_SMALL_INT` has an operand below 256.
#[inline(always)]
pub fn small_int(value: usize) -> StackRef {
    match Int::small(value as i64) {
        Some(small) => StackRef::borrowed(small.as_object()),
        None => StackRef::NULL,
    }
}

/// The exact types that specialised instructions test for.
#[inline(always)]
pub fn int_type() -> *const Type {
    Int::static_type()
}

/// The type `float`.
#[inline(always)]
pub fn float_type() -> *const Type {
    Float::static_type()
}

/// The stack pointer lowered by `N` slots.
///
/// Opaque to the optimiser on x86-64: it would compute all the lowered pointers that the loop's arms need before each
/// dispatch, and spill them.
///
/// # Safety
/// The stack is that deep.
#[inline(always)]
pub unsafe fn lower<const N: usize>(sp: *mut StackRef) -> *mut StackRef {
    #[cfg(target_arch = "x86_64")]
    {
        let mut lowered = sp;
        // SAFETY: an addition; the result stays within the frame.
        unsafe {
            std::arch::asm!(
                "sub {0}, {1}",
                inout(reg) lowered,
                const N * size_of::<StackRef>(),
                options(pure, nomem, nostack)
            );
        }
        lowered
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: passed on to the caller.
    unsafe {
        sp.sub(N)
    }
}

/// The type `bool`.
#[inline(always)]
pub fn bool_type() -> *const Type {
    Bool::static_type()
}

/// The type `str`.
#[inline(always)]
pub fn str_type() -> *const Type {
    Str::static_type()
}

/// The type `list`.
#[inline(always)]
pub fn list_type() -> *const Type {
    List::static_type()
}

/// The type `tuple`.
#[inline(always)]
pub fn tuple_type() -> *const Type {
    Tuple::static_type()
}
