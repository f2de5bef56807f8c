//! The cycle collector's header and lists.
//!
//! An object of a type with `HAVE_GC` has two words in front of it, and two more in front of those
//! when its type has a managed dictionary or weak-reference list:
//!
//! ```text
//! -32 weakref list   -24 dict   -16 next   -8 prev | flags   0 object
//! ```
//!
//! `next` is null while the object is untracked.

pub mod collect;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::alloc;
use crate::object::Object;
use crate::typeobject::{Type, TypeFlags};

/// Bytes of the collector's header.
pub const HEADER_SIZE: usize = 16;
/// Bytes in front of the collector's header for managed dict and weak references.
pub const PREHEADER_SIZE: usize = 16;

/// The two words in front of a collectable object.
#[repr(C)]
pub struct GcHeader {
    /// Next object of the generation; null when untracked.
    pub next: Cell<*mut GcHeader>,
    /// Previous object, with flag bits in the low bits (the header is 16-byte aligned).
    pub prev: Cell<usize>,
}

/// `prev` bit: `tp_finalize` has been called.
pub const FLAG_FINALIZED: usize = 1;
/// `prev` bit: the object is being examined by a running collection.
pub const FLAG_COLLECTING: usize = 2;
/// `prev` bit free for the running collection.
pub const FLAG_MARK: usize = 4;
/// Mask of all flag bits.
pub const FLAG_MASK: usize = 15;

impl GcHeader {
    /// The header of a collectable object.
    ///
    /// # Safety
    /// `op` was allocated with a header.
    #[inline(always)]
    pub unsafe fn of(op: *mut Object) -> *mut GcHeader {
        // SAFETY: the header lies directly in front.
        unsafe { op.cast::<u8>().sub(HEADER_SIZE).cast() }
    }

    /// The object behind a header.
    ///
    /// # Safety
    /// `header` is the header of an object, not a list head.
    #[inline(always)]
    pub unsafe fn object(header: *mut GcHeader) -> *mut Object {
        // SAFETY: the object lies directly behind.
        unsafe { header.cast::<u8>().add(HEADER_SIZE).cast() }
    }

    /// The previous header without the flags.
    #[inline(always)]
    pub fn prev_ptr(&self) -> *mut GcHeader {
        (self.prev.get() & !FLAG_MASK) as *mut GcHeader
    }

    /// Sets the previous header, keeping the flags.
    #[inline(always)]
    pub fn set_prev(&self, prev: *mut GcHeader) {
        self.prev.set(prev as usize | (self.prev.get() & FLAG_MASK));
    }
}

/// One interpreter's generations and counters. It must not move once initialised: the list heads
/// are linked to themselves.
pub struct GcState {
    /// List heads: youngest first.
    pub generations: [GcHeader; 3],
    /// Objects that `gc.freeze()` took out of the collector's sight.
    pub permanent: GcHeader,
    /// Objects that survived the last full collection.
    pub long_lived_total: Cell<usize>,
    /// Objects that came to the oldest generation since then.
    pub long_lived_pending: Cell<usize>,
    /// Objects allocated less freed since the last young collection; collections of the younger
    /// generation for the older ones.
    pub counts: [Cell<i32>; 3],
    /// `gc.get_threshold()`.
    pub thresholds: [Cell<i32>; 3],
    /// `gc.isenabled()`.
    pub enabled: Cell<bool>,
    /// A collection is running.
    pub collecting: Cell<bool>,
    /// Raised when the young generation is over its threshold; the eval breaker runs the collector.
    pub requested: Cell<bool>,
}

/// The eval-breaker bit by which the collector asks to be run.
pub const BREAKER_GC: usize = 1 << 4;

impl GcState {
    /// A state with empty, not yet linked generations; call `init` where it will stay.
    pub const fn new() -> Self {
        const HEAD: GcHeader = GcHeader { next: Cell::new(std::ptr::null_mut()), prev: Cell::new(0) };
        GcState {
            generations: [HEAD, HEAD, HEAD],
            permanent: HEAD,
            long_lived_total: Cell::new(0),
            long_lived_pending: Cell::new(0),
            counts: [const { Cell::new(0) }; 3],
            thresholds: [Cell::new(2000), Cell::new(10), Cell::new(10)],
            enabled: Cell::new(true),
            collecting: Cell::new(false),
            requested: Cell::new(false),
        }
    }

    /// Links the list heads to themselves.
    pub fn init(&self) {
        for head in self.generations.iter().chain([&self.permanent]) {
            let ptr = std::ptr::from_ref(head).cast_mut();
            head.next.set(ptr);
            head.prev.set(ptr as usize);
        }
    }
}

impl Default for GcState {
    fn default() -> Self {
        Self::new()
    }
}

thread_local! {
    static CURRENT: Cell<*const GcState> = const { Cell::new(std::ptr::null()) };
    static BREAKER: Cell<*const AtomicUsize> = const { Cell::new(std::ptr::null()) };
}

/// Makes `state` the one that this thread's objects are tracked in, and `breaker` the word in which
/// the collector asks to be run. The thread's runtime calls it whenever it attaches.
///
/// # Safety
/// Both outlive the thread's use of objects.
pub unsafe fn attach_thread(state: *const GcState, breaker: *const AtomicUsize) {
    CURRENT.set(state);
    BREAKER.set(breaker);
}

/// The collector's state of the current thread's interpreter.
///
/// # Safety
/// The thread is attached.
#[inline(always)]
pub unsafe fn current() -> &'static GcState {
    // SAFETY: the caller vouches that the thread is attached.
    unsafe { &*CURRENT.get() }
}

/// Bytes in front of instances of `tp`.
#[inline(always)]
pub fn presize(tp: &Type) -> usize {
    let flags = tp.tp_flags.get();
    let mut size = 0;
    if flags & TypeFlags::HAVE_GC != 0 {
        size += HEADER_SIZE;
    }
    if flags & TypeFlags::PREHEADER != 0 {
        size += PREHEADER_SIZE;
    }
    size
}

/// Memory for an instance of `tp` of `size` bytes. The header words in front are set, the object's own bytes are
/// not initialised. Null when there is no memory.
#[inline]
pub fn allocate(tp: &Type, size: usize) -> *mut Object {
    let presize = presize(tp);
    let Some(total) = size.checked_add(presize) else { return std::ptr::null_mut() };
    let block = alloc::allocate(total);
    if block.is_null() || presize == 0 {
        return block.cast();
    }
    // SAFETY: `presize` bytes lie in front of the object within the block.
    unsafe {
        block.cast::<[usize; 2]>().write([0; 2]);
        if presize > HEADER_SIZE {
            block.add(PREHEADER_SIZE).cast::<[usize; 2]>().write([0; 2]);
        }
    }
    if tp.is_gc() {
        count_allocation();
    }
    // SAFETY: as above.
    unsafe { block.add(presize).cast() }
}

/// Memory for a collectable instance of `size` bytes of a type without a pre-header, which the collector counts. The header
/// words are not set: [`link`] does that. Null when there is no memory.
#[inline]
pub fn allocate_unlinked(size: usize) -> *mut Object {
    let block = alloc::allocate(size + HEADER_SIZE);
    if block.is_null() {
        return block.cast();
    }
    count_allocation();
    // SAFETY: the header lies in front of the object within the block.
    unsafe { block.add(HEADER_SIZE).cast() }
}

/// Makes the collector see an object from [`allocate_unlinked`] for the first time.
///
/// # Safety
/// The object's header is its own and not in use; its fields are valid for traversal.
#[inline]
pub unsafe fn link(op: *mut Object) {
    // SAFETY: the header exists; the generations are linked rings.
    unsafe {
        let header = GcHeader::of(op);
        let head = std::ptr::from_ref(&current().generations[0]).cast_mut();
        let last = (*head).prev_ptr();
        (*last).next.set(header);
        (*header).prev.set(last as usize);
        (*header).next.set(head);
        (*head).prev.set(header as usize);
    }
}

/// Gives an instance's memory back; `size` is what it was allocated with. The object is untracked.
///
/// # Safety
/// `op` came from `allocate` with the same type layout and size, and is not used any more.
#[inline]
pub unsafe fn release(tp: &Type, op: *mut Object, size: usize) {
    let presize = presize(tp);
    if tp.is_gc() {
        // SAFETY: the thread is attached, since it handles objects.
        let count = unsafe { &current().counts[0] };
        if count.get() > 0 {
            count.set(count.get() - 1);
        }
    }
    // SAFETY: the block starts `presize` bytes in front.
    unsafe { alloc::release(op.cast::<u8>().sub(presize), size + presize) }
}

#[inline(always)]
fn count_allocation() {
    // SAFETY: the thread is attached, since it makes objects.
    let state = unsafe { current() };
    let count = state.counts[0].get() + 1;
    state.counts[0].set(count);
    if count > state.thresholds[0].get() {
        request(state);
    }
}

#[cold]
fn request(state: &GcState) {
    if state.enabled.get()
        && state.thresholds[0].get() != 0
        && !state.collecting.get()
        && !state.requested.get()
    {
        state.requested.set(true);
        // SAFETY: set together with the state.
        if let Some(breaker) = unsafe { BREAKER.get().as_ref() } {
            breaker.fetch_or(BREAKER_GC, Ordering::Relaxed);
        }
    }
}

/// `PyObject_GC_Track`: makes the collector see the object. No effect when it does already.
///
/// # Safety
/// `op` is collectable and its fields are valid for traversal.
#[inline]
pub unsafe fn track(op: *mut Object) {
    // SAFETY: collectable objects have a header; the lists are linked rings.
    unsafe {
        let header = GcHeader::of(op);
        if !(*header).next.get().is_null() {
            return;
        }
        let head = std::ptr::from_ref(&current().generations[0]).cast_mut();
        let last = (*head).prev_ptr();
        (*last).next.set(header);
        (*header).set_prev(last);
        (*header).next.set(head);
        (*head).prev.set(header as usize);
    }
}

/// `PyObject_GC_UnTrack`: hides the object from the collector. No effect when it is hidden already.
///
/// # Safety
/// `op` is collectable.
#[inline]
pub unsafe fn untrack(op: *mut Object) {
    // SAFETY: collectable objects have a header; the lists are linked rings.
    unsafe {
        let header = GcHeader::of(op);
        let next = (*header).next.get();
        if next.is_null() {
            return;
        }
        let prev = (*header).prev_ptr();
        (*prev).next.set(next);
        (*next).set_prev(prev);
        (*header).next.set(std::ptr::null_mut());
        (*header).prev.set((*header).prev.get() & FLAG_FINALIZED);
    }
}

/// Whether the object has a collector's header: its type is collectable, and doesn't except this instance (static types,
/// instances of the collectable `type`, have none).
#[inline]
pub fn has_header(op: &Object) -> bool {
    let tp = op.ob_type();
    // SAFETY: a slot is called with a live object.
    tp.is_gc() && tp.tp_is_gc.get().is_none_or(|is_gc| unsafe { is_gc(op.as_ptr()) } != 0)
}

/// Whether the collector sees the object.
///
/// # Safety
/// `op` is alive.
#[inline]
pub unsafe fn is_tracked(op: *mut Object) -> bool {
    // SAFETY: the header exists when the type says so.
    unsafe { has_header(&*op) && !(*GcHeader::of(op)).next.get().is_null() }
}

/// Whether the object's finaliser has been called (PEP 442).
///
/// # Safety
/// `op` is alive.
#[inline]
pub unsafe fn is_finalized(op: *mut Object) -> bool {
    // SAFETY: as above.
    unsafe { has_header(&*op) && (*GcHeader::of(op)).prev.get() & FLAG_FINALIZED != 0 }
}

/// Notes that the object's finaliser has been called.
///
/// # Safety
/// `op` is alive and has a header.
#[inline]
pub unsafe fn set_finalized(op: *mut Object) {
    // SAFETY: the caller vouches for the header.
    let header = unsafe { &*GcHeader::of(op) };
    header.prev.set(header.prev.get() | FLAG_FINALIZED);
}

/// The managed-dictionary word of an instance whose type has `MANAGED_DICT`.
///
/// # Safety
/// The type of `op` has the flag.
#[inline(always)]
pub unsafe fn managed_dict(op: *mut Object) -> *mut *mut Object {
    // SAFETY: the pre-header lies there.
    unsafe { op.cast::<*mut Object>().sub(3) }
}

/// The managed weak-reference list of an instance whose type has `MANAGED_WEAKREF`.
///
/// # Safety
/// The type of `op` has the flag.
#[inline(always)]
pub unsafe fn managed_weakrefs(op: *mut Object) -> *mut *mut Object {
    // SAFETY: the pre-header lies there.
    unsafe { op.cast::<*mut Object>().sub(4) }
}
