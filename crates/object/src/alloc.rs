//! Memory for objects: size-class free lists per thread over mimalloc, which is built without huge pages (feature `no_thp`):
//! with them `-c pass` takes 26 MB instead of 14.
//!
//! Blocks always come from mimalloc, whole, so any block may be given back by any thread either to
//! a free list of its class or to mimalloc directly (`PyObject_Free` doesn't know sizes).

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::object::Object;

/// Everything else that the program allocates in Rust.
#[global_allocator]
static GLOBAL: Mimalloc = Mimalloc;

struct Mimalloc;

/// From this size on the system is asked first. mimalloc maps memory without a promise of it, and the process would be killed
/// while it fills what the system can't give.
const ASK_FROM: usize = 256 << 20;

/// Whether a block of that size can be had, as far as that can be known.
#[inline(always)]
fn is_to_be_had(size: usize) -> bool {
    size < ASK_FROM || system_has(size)
}

#[cold]
fn system_has(size: usize) -> bool {
    if size > isize::MAX as usize {
        return false;
    }
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: an anonymous mapping of our own, taken back at once.
    unsafe {
        let place = libc::mmap(std::ptr::null_mut(), size, access, kind, -1, 0);
        place != libc::MAP_FAILED && libc::munmap(place, size) == 0
    }
}

/// Whether mimalloc's plain functions align a block well enough: all blocks to 8 bytes, those above 8 to 16. Its functions
/// for other alignments take several times as long.
#[inline(always)]
fn is_plain(layout: &Layout) -> bool {
    layout.align() <= 8 || (layout.align() <= 16 && layout.size() > 8)
}

// SAFETY: mimalloc's functions keep the contract of `malloc` and `aligned_alloc`; sizes and alignments are passed on.
unsafe impl GlobalAlloc for Mimalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: a plain allocation call.
        unsafe {
            if !is_to_be_had(layout.size()) {
                std::ptr::null_mut()
            } else if is_plain(&layout) {
                libmimalloc_sys::mi_malloc(layout.size()).cast()
            } else {
                libmimalloc_sys::mi_malloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: a plain allocation call.
        unsafe {
            if !is_to_be_had(layout.size()) {
                std::ptr::null_mut()
            } else if is_plain(&layout) {
                libmimalloc_sys::mi_zalloc(layout.size()).cast()
            } else {
                libmimalloc_sys::mi_zalloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller gives a block of this allocator.
        unsafe { libmimalloc_sys::mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller gives a block of this allocator. A block of up to 8 bytes may grow beyond them.
        unsafe {
            if !is_to_be_had(size) {
                std::ptr::null_mut()
            } else if layout.align() <= 8 || (layout.align() <= 16 && size > 8) {
                libmimalloc_sys::mi_realloc(block.cast(), size).cast()
            } else {
                libmimalloc_sys::mi_realloc_aligned(block.cast(), size, layout.align()).cast()
            }
        }
    }
}

const CLASS_BYTES: usize = 16;
/// How many size classes the free lists have, the unused one of size 0 included.
pub const CLASSES: usize = 32;
/// Longest block kept in a free list.
pub const SMALL_LIMIT: usize = CLASS_BYTES * (CLASSES - 1);
const LIST_LIMIT: u32 = 512;

/// A list that takes and gives nothing while memory is traced.
const DIVERTED: u32 = u32::MAX;

/// Who is told of each block that is handed out or given back.
pub struct Tracer {
    /// A block of a size was handed out.
    pub allocated: fn(*mut u8, usize),
    /// A block is about to be given back.
    pub released: fn(*mut u8),
}

static TRACER: AtomicPtr<Tracer> = AtomicPtr::new(std::ptr::null_mut());

/// Tells a tracer of all blocks from now on, or nobody. Costs nothing where the free lists serve; while there is a tracer,
/// they don't. (Lists of other threads serve until they are used up.)
pub fn trace(tracer: Option<&'static Tracer>) {
    let tracer = tracer.map_or(std::ptr::null_mut(), |tracer| std::ptr::from_ref(tracer).cast_mut());
    TRACER.store(tracer, Ordering::Release);
    if tracer.is_null() { restore_lists() } else { divert_lists() }
}

#[inline(always)]
fn tracer() -> Option<&'static Tracer> {
    // SAFETY: null or a static.
    unsafe { TRACER.load(Ordering::Acquire).as_ref() }
}

/// Empties the thread's lists, and keeps them empty.
fn divert_lists() {
    FREE_LISTS.with(|lists| {
        for list in lists {
            let mut block = list.head.replace(std::ptr::null_mut());
            list.len.set(DIVERTED);
            while !block.is_null() {
                // SAFETY: blocks on a list hold a valid link, and come from mimalloc.
                unsafe {
                    let next = (*block).next;
                    libmimalloc_sys::mi_free(block.cast());
                    block = next;
                }
            }
        }
    });
}

/// Lets the thread's lists serve again.
fn restore_lists() {
    FREE_LISTS.with(|lists| {
        for list in lists.iter().filter(|list| list.len.get() == DIVERTED) {
            list.len.set(0);
        }
    });
}

/// A new block for the free lists' sizes.
#[cold]
#[inline(never)]
fn fresh(class: usize, size: usize) -> *mut u8 {
    // Rounded up so that each block of a class can serve every size of the class.
    // SAFETY: a plain allocation call.
    let block: *mut u8 = unsafe { libmimalloc_sys::mi_malloc((class * CLASS_BYTES).max(CLASS_BYTES)).cast() };
    if let Some(tracer) = tracer() {
        divert_lists();
        if !block.is_null() {
            (tracer.allocated)(block, size);
        }
    }
    block
}

/// Gives a block back for good.
///
/// # Safety
/// It came from this module, and is not used any more.
#[cold]
#[inline(never)]
unsafe fn give_back(block: *mut u8) {
    match tracer() {
        Some(tracer) => (tracer.released)(block),
        None => {
            let diverted =
                FREE_LISTS.with(|lists| lists.first().is_some_and(|list| list.len.get() == DIVERTED));
            if diverted {
                restore_lists();
            }
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { libmimalloc_sys::mi_free(block.cast::<c_void>()) }
}

/// Tells the tracer of a block.
#[inline(always)]
fn traced(block: *mut u8, size: usize) -> *mut u8 {
    if let Some(tracer) = tracer() {
        if !block.is_null() {
            (tracer.allocated)(block, size);
        }
    }
    block
}

struct FreeList {
    head: Cell<*mut FreeBlock>,
    len: Cell<u32>,
}

struct FreeBlock {
    next: *mut FreeBlock,
}

thread_local! {
    static FREE_LISTS: [FreeList; CLASSES] =
        const { [const { FreeList { head: Cell::new(std::ptr::null_mut()), len: Cell::new(0) } }; CLASSES] };
    /// How many `tp_dealloc` of collectable objects are active in each other, and the bit `object::WAITING`.
    pub(crate) static DEALLOC_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Objects whose end waits for the outermost `tp_dealloc`, and whether the collector tracked them.
    pub(crate) static DELETE_LATER: RefCell<Vec<(*mut Object, bool)>> = const { RefCell::new(Vec::new()) };
}

/// The thread's free blocks: for each size class but the first its number, its size in bytes, and how many blocks it keeps.
pub fn kept_blocks() -> Vec<(usize, usize, usize)> {
    FREE_LISTS.with(|lists| {
        let kept = |len: u32| if len == DIVERTED { 0 } else { len as usize };
        lists
            .iter()
            .enumerate()
            .skip(1)
            .map(|(class, list)| (class - 1, class * CLASS_BYTES, kept(list.len.get())))
            .collect()
    })
}

/// Memory for `size` bytes, 16-byte aligned, not initialised. Null when there is none.
#[inline]
pub fn allocate(size: usize) -> *mut u8 {
    if size <= SMALL_LIMIT {
        let class = size.div_ceil(CLASS_BYTES);
        let block = FREE_LISTS.with(|lists| {
            let list = &lists[class];
            let head = list.head.get();
            if !head.is_null() {
                // SAFETY: blocks on a list hold a valid link.
                list.head.set(unsafe { (*head).next });
                list.len.set(list.len.get() - 1);
            }
            head
        });
        if !block.is_null() {
            return block.cast();
        }
        return fresh(class, size);
    }
    if !is_to_be_had(size) {
        return std::ptr::null_mut();
    }
    // SAFETY: a plain allocation call.
    traced(unsafe { libmimalloc_sys::mi_malloc(size).cast() }, size)
}

/// Gives back memory of `size` bytes.
///
/// # Safety
/// `block` came from `allocate` with the same size class, and nobody uses it any more.
#[inline]
pub unsafe fn release(block: *mut u8, size: usize) {
    if size <= SMALL_LIMIT {
        let class = size.div_ceil(CLASS_BYTES);
        let kept = FREE_LISTS.with(|lists| {
            let list = &lists[class];
            if class == 0 || list.len.get() >= LIST_LIMIT {
                return false;
            }
            let block = block.cast::<FreeBlock>();
            // SAFETY: the block is ours and at least 16 bytes long.
            unsafe { (*block).next = list.head.get() };
            list.head.set(block);
            list.len.set(list.len.get() + 1);
            true
        });
        if kept {
            return;
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { give_back(block) }
}

/// `PyMem_Malloc`: a block of its own, at least one byte. Null when there is no memory.
pub fn raw_malloc(size: usize) -> *mut u8 {
    if !is_to_be_had(size) {
        return std::ptr::null_mut();
    }
    // SAFETY: a plain allocation call.
    traced(unsafe { libmimalloc_sys::mi_malloc(size.max(1)).cast() }, size)
}

/// `PyMem_Calloc`.
pub fn raw_calloc(count: usize, size: usize) -> *mut u8 {
    let Some(total) = count.checked_mul(size) else { return std::ptr::null_mut() };
    if !is_to_be_had(total) {
        return std::ptr::null_mut();
    }
    // SAFETY: a plain allocation call.
    traced(unsafe { libmimalloc_sys::mi_zalloc(total.max(1)).cast() }, total)
}

/// `PyMem_Realloc`.
///
/// # Safety
/// `block` is null or came from this module and is not used any more when the result is not null.
pub unsafe fn raw_realloc(block: *mut u8, size: usize) -> *mut u8 {
    if !is_to_be_had(size) {
        return std::ptr::null_mut();
    }
    // SAFETY: passed on to the caller.
    let moved: *mut u8 = unsafe { libmimalloc_sys::mi_realloc(block.cast::<c_void>(), size.max(1)).cast() };
    if let Some(tracer) = tracer() {
        if !moved.is_null() {
            if !block.is_null() {
                (tracer.released)(block);
            }
            (tracer.allocated)(moved, size);
        }
    }
    moved
}

/// `PyMem_Free`.
///
/// # Safety
/// `block` is null or came from this module and is not used any more.
pub unsafe fn raw_free(block: *mut u8) {
    if let Some(tracer) = tracer() {
        if !block.is_null() {
            (tracer.released)(block);
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { libmimalloc_sys::mi_free(block.cast::<c_void>()) }
}
