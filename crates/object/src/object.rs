//! The object header, reference counting (PEP 683 immortals included) and the owning pointer `Ref`.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, offset_of, size_of};
use std::ops::Deref;
use std::ptr::NonNull;

use crate::alloc::{DEALLOC_DEPTH, DELETE_LATER};
use crate::typeobject::Type;

/// The count at which an object made by the runtime starts when it is immortal.
pub const IMMORTAL_REFCNT: u32 = 0xC000_0000;
/// `ob_flags` bit: the object is immortal.
pub const FLAG_IMMORTAL: u16 = 1;
/// `ob_flags` bit: the object lives in static storage.
pub const FLAG_STATIC: u16 = 4;

/// `PyObject`: the 16 bytes at the head of every object.
///
/// The upper half of the count's word stays zero in mortal objects: old abi3 binaries count in
/// 64 bits.
#[repr(C)]
pub struct Object {
    refcnt: Cell<u32>,
    overflow: Cell<u16>,
    flags: Cell<u16>,
    ob_type: Cell<*const Type>,
}

const _: () = assert!(size_of::<Object>() == 16 && offset_of!(Object, ob_type) == 8);

// SAFETY: objects are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for Object {}
// SAFETY: as above; the lock travels with the thread.
unsafe impl Send for Object {}

impl Object {
    /// Where the type lies in an object.
    pub const TYPE_OFFSET: usize = offset_of!(Object, ob_type);

    /// The header of an immortal object in static storage whose type is `ob_type`.
    pub const fn immortal_static(ob_type: *const Type) -> Self {
        Object {
            refcnt: Cell::new(IMMORTAL_REFCNT),
            overflow: Cell::new(0),
            flags: Cell::new(FLAG_IMMORTAL | FLAG_STATIC),
            ob_type: Cell::new(ob_type),
        }
    }

    /// The header of a new object with one reference. The type's own reference, owned by instances
    /// of heap types, is the allocator's business.
    #[inline(always)]
    pub const fn new(ob_type: *const Type) -> Self {
        Object {
            refcnt: Cell::new(1),
            overflow: Cell::new(0),
            flags: Cell::new(0),
            ob_type: Cell::new(ob_type),
        }
    }

    /// The object's type.
    #[inline(always)]
    pub fn ob_type(&self) -> &Type {
        // SAFETY: an object's type outlives it: instances of heap types own a reference to theirs.
        unsafe { &*self.ob_type.get() }
    }

    /// The object's type as a raw pointer, for identity tests.
    #[inline(always)]
    pub fn type_ptr(&self) -> *const Type {
        self.ob_type.get()
    }

    /// Replaces the type pointer. The caller moves the references that heap types count.
    #[inline]
    pub fn set_type_ptr(&self, ob_type: *const Type) {
        self.ob_type.set(ob_type);
    }

    /// The reference count as `sys.getrefcount` shows it.
    #[inline]
    pub fn refcount(&self) -> u32 {
        self.refcnt.get()
    }

    /// Sets the count of a mortal object.
    #[inline]
    pub fn set_refcount(&self, count: u32) {
        if !self.is_immortal() {
            self.refcnt.set(count);
        }
    }

    /// Whether the object is never destroyed.
    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        (self.refcnt.get() as i32) < 0
    }

    /// Makes the object immortal.
    pub fn make_immortal(&self) {
        self.refcnt.set(IMMORTAL_REFCNT);
        self.flags.set(self.flags.get() | FLAG_IMMORTAL);
    }

    /// Takes one more reference.
    #[inline(always)]
    pub fn incref(&self) {
        let count = self.refcnt.get();
        if count < IMMORTAL_REFCNT {
            self.refcnt.set(count + 1);
        }
    }

    /// Whether nobody but the holder refers to the object.
    #[inline(always)]
    pub fn is_unique(&self) -> bool {
        self.refcnt.get() == 1
    }

    /// Identity.
    #[inline(always)]
    pub fn is(&self, other: &Object) -> bool {
        std::ptr::eq(self, other)
    }

    /// The address, which is Python's `id()`.
    #[inline(always)]
    pub fn as_ptr(&self) -> *mut Object {
        std::ptr::from_ref(self).cast_mut()
    }

    /// A new owned reference to this object.
    #[inline(always)]
    pub fn to_ref(&self) -> ObjRef {
        self.incref();
        Ref { ptr: NonNull::from(self), own: PhantomData }
    }

    /// A borrowed view of a pointer that a live object holds; none when it is null.
    #[allow(clippy::not_unsafe_ptr_arg_deref, reason = "called with the fields of live objects only")]
    #[inline(always)]
    pub fn from_ptr<'a>(ptr: *mut Object) -> Option<&'a Object> {
        // SAFETY: the fields that pointers are read from own what they point to.
        unsafe { ptr.as_ref() }
    }

    /// Views the object as its layout `T` without a check.
    ///
    /// # Safety
    /// The object's type is `T`'s Python type or derives from it.
    #[inline(always)]
    pub unsafe fn cast<T: PyLayout>(&self) -> &T {
        // SAFETY: the caller vouches for the layout.
        unsafe { &*std::ptr::from_ref(self).cast::<T>() }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} object at {:p}>", self.ob_type().name(), self)
    }
}

/// Gives up one reference; destroys the object when it was the last.
///
/// # Safety
/// `op` points to a live object of which the caller owns a reference.
#[inline(always)]
pub unsafe fn decref(op: *mut Object) {
    // SAFETY: the caller owns a reference, so the object is alive.
    unsafe {
        let count = (*op).refcnt.get();
        if (count as i32) < 0 {
            return;
        }
        let count = count.wrapping_sub(1);
        (*op).refcnt.set(count);
        if count == 0 {
            dealloc(op);
        }
    }
}

/// `decref` for pointers that may be null.
///
/// # Safety
/// As for [`decref`] when `op` is not null.
#[inline(always)]
pub unsafe fn xdecref(op: *mut Object) {
    if !op.is_null() {
        // SAFETY: passed on to the caller.
        unsafe { decref(op) }
    }
}

/// `_Py_Dealloc`: the only way by which an object ends. Deep chains (a list in a list in a list …)
/// are bounded: beyond a depth the object is put aside and destroyed by the outermost call.
///
/// # Safety
/// `op` points to an object whose count has just reached zero.
#[inline(never)]
pub unsafe fn dealloc(op: *mut Object) {
    // SAFETY: `op` is alive until its `tp_dealloc` has run.
    unsafe {
        let tp = (*op).ob_type();
        let Some(destroy) = tp.tp_dealloc.get() else { return };
        // What is not collectable adds at most one level to each of those that are counted.
        if !tp.is_gc() {
            return destroy(op);
        }
        let depth = DEALLOC_DEPTH.get();
        if depth & !WAITING >= MAX_DEALLOC_DEPTH {
            return put_aside(op);
        }
        DEALLOC_DEPTH.set(depth + 1);
        destroy(op);
        let depth = DEALLOC_DEPTH.get() - 1;
        DEALLOC_DEPTH.set(depth);
        if depth == WAITING {
            destroy_waiting();
        }
    }
}

/// How many `tp_dealloc` of collectable objects may be active in each other.
const MAX_DEALLOC_DEPTH: u32 = 100;
/// The bit beside the depth that says that objects wait for the outermost `tp_dealloc`.
const WAITING: u32 = 1 << 31;

/// Leaves the end of a collectable object to the outermost `tp_dealloc`.
///
/// # Safety
/// As for [`dealloc`].
#[cold]
unsafe fn put_aside(op: *mut Object) {
    // SAFETY: a collectable object that the caller gives away.
    unsafe {
        // The collector must not see it meanwhile: it would be destroyed twice.
        let tracked = crate::gc::is_tracked(op);
        if tracked {
            crate::gc::untrack(op);
        }
        DELETE_LATER.with(|later| later.borrow_mut().push((op, tracked)));
    }
    DEALLOC_DEPTH.set(DEALLOC_DEPTH.get() | WAITING);
}

/// Destroys what was put aside, and what that puts aside.
///
/// # Safety
/// No `tp_dealloc` of this thread is active.
#[cold]
unsafe fn destroy_waiting() {
    // As within a `tp_dealloc`: what is put aside meanwhile is for this loop, not for one inside of it.
    DEALLOC_DEPTH.set(1);
    while let Some((op, tracked)) = DELETE_LATER.with(|later| later.borrow_mut().pop()) {
        // SAFETY: put aside with a count of zero, and taken off the list once.
        unsafe {
            if tracked {
                crate::gc::track(op);
            }
            dealloc(op);
        }
    }
    DEALLOC_DEPTH.set(0);
}

/// `PyVarObject`: the head of objects with a variable number of items.
#[repr(C)]
pub struct VarObject {
    /// The object header.
    pub ob: Object,
    /// The number of items.
    pub ob_size: Cell<isize>,
}

const _: () = assert!(size_of::<VarObject>() == 24);

/// A Rust struct that is the memory layout of some Python type's instances.
///
/// # Safety
/// The struct is `#[repr(C)]` and begins with an [`Object`].
pub unsafe trait PyLayout {
    /// The static type object whose instances have this layout, where there is one type for it.
    /// Layouts shared by several types (`object` itself) return null.
    fn static_type() -> *const Type;

    /// Whether `object` is an instance of the layout's type or of a subtype.
    #[inline]
    fn is_instance(object: &Object) -> bool {
        let tp = object.type_ptr();
        let want = Self::static_type();
        // SAFETY: both point to live types.
        tp == want || unsafe { (*tp).is_subtype_of(&*want) }
    }
}

// SAFETY: `Object` is the header itself.
unsafe impl PyLayout for Object {
    fn static_type() -> *const Type {
        std::ptr::null()
    }
    #[inline]
    fn is_instance(_object: &Object) -> bool {
        true
    }
}

/// Borrowed views of anything that is an object.
pub trait AsObject {
    /// The object header.
    fn as_object(&self) -> &Object;
}

impl<T: PyLayout> AsObject for T {
    #[inline(always)]
    fn as_object(&self) -> &Object {
        // SAFETY: a `PyLayout` begins with an `Object`.
        unsafe { &*std::ptr::from_ref(self).cast::<Object>() }
    }
}

/// One owned reference to a Python object; given up on drop.
///
/// `Option<Ref<T>>` is a nullable pointer, so both pass through C unchanged.
#[repr(transparent)]
pub struct Ref<T: PyLayout = Object> {
    ptr: NonNull<T>,
    own: PhantomData<T>,
}

/// An owned reference to an object of any type.
pub type ObjRef = Ref<Object>;

impl<T: PyLayout> Ref<T> {
    /// Takes over a reference that is owned already.
    ///
    /// # Safety
    /// `ptr` is a live object of layout `T`, and the caller gives its reference away.
    #[inline(always)]
    pub unsafe fn from_raw(ptr: *mut T) -> Self {
        // SAFETY: the caller vouches that it is not null.
        Ref { ptr: unsafe { NonNull::new_unchecked(ptr) }, own: PhantomData }
    }

    /// Takes over a reference that may be null.
    ///
    /// # Safety
    /// As for [`Ref::from_raw`] when `ptr` is not null.
    #[inline(always)]
    pub unsafe fn from_raw_opt(ptr: *mut T) -> Option<Self> {
        NonNull::new(ptr).map(|ptr| Ref { ptr, own: PhantomData })
    }

    /// A new reference to a borrowed object.
    #[inline(always)]
    pub fn new_ref(object: &T) -> Self {
        object.as_object().incref();
        Ref { ptr: NonNull::from(object), own: PhantomData }
    }

    /// Gives the reference away as a raw pointer.
    #[inline(always)]
    pub fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).ptr.as_ptr()
    }

    /// The pointer, still owned by `self`.
    #[inline(always)]
    pub fn as_raw(&self) -> *mut T {
        self.ptr.as_ptr()
    }

    /// Forgets the layout.
    #[inline(always)]
    pub fn into_object(self) -> ObjRef {
        // SAFETY: a `PyLayout` begins with an `Object`; ownership moves along.
        unsafe { Ref::from_raw(self.into_raw().cast()) }
    }
}

impl ObjRef {
    /// Changes the layout without a check.
    ///
    /// # Safety
    /// The object's type is `T`'s Python type or derives from it.
    #[inline(always)]
    pub unsafe fn cast_into<T: PyLayout>(self) -> Ref<T> {
        // SAFETY: the caller vouches for the layout; ownership moves along.
        unsafe { Ref::from_raw(self.into_raw().cast()) }
    }

    /// The object as layout `T` when it is an instance of `T`'s type; else gives it back.
    #[inline]
    pub fn downcast<T: PyLayout>(self) -> Result<Ref<T>, ObjRef> {
        if T::is_instance(&self) {
            // SAFETY: just checked.
            Ok(unsafe { self.cast_into() })
        } else {
            Err(self)
        }
    }
}

impl Object {
    /// The object as layout `T` when it is an instance of `T`'s type (or of a subtype).
    #[inline(always)]
    pub fn downcast_ref<T: PyLayout>(&self) -> Option<&T> {
        // SAFETY: the cast happens only after the check.
        if T::is_instance(self) { Some(unsafe { self.cast() }) } else { None }
    }

    /// The object as layout `T` when its type is exactly `T`'s.
    #[inline(always)]
    pub fn downcast_exact<T: PyLayout>(&self) -> Option<&T> {
        // SAFETY: the cast happens only after the check.
        if self.type_ptr() == T::static_type() { Some(unsafe { self.cast() }) } else { None }
    }
}

impl<T: PyLayout> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Ref::new_ref(self)
    }
}

impl<T: PyLayout> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `self` owns one reference.
        unsafe { decref(self.ptr.as_ptr().cast()) }
    }
}

impl<T: PyLayout> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the owned reference keeps the object alive.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: PyLayout> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_object().fmt(f)
    }
}

impl<T: PyLayout> From<&T> for Ref<T> {
    fn from(object: &T) -> Self {
        Ref::new_ref(object)
    }
}
