//! Memory (C API manual, "Memory Management"): one allocator serves all three domains.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};

use taipan_object::{alloc, gc};
use taipan_vm::builtins::dict::managed;
use taipan_vm::prelude::*;

use crate::support::*;

macro_rules! domains {
    ($($malloc:ident $calloc:ident $realloc:ident $free:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $malloc(size: usize) -> *mut c_void {
            alloc::raw_malloc(size).cast()
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn $calloc(count: usize, size: usize) -> *mut c_void {
            alloc::raw_calloc(count, size).cast()
        }
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $realloc(block: *mut c_void, size: usize) -> *mut c_void {
            // SAFETY: the block is null or came from here.
            unsafe { alloc::raw_realloc(block.cast(), size).cast() }
        }
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $free(block: *mut c_void) {
            // SAFETY: the block is null or came from here.
            unsafe { alloc::raw_free(block.cast()) }
        }
    )*};
}

domains! {
    PyMem_Malloc PyMem_Calloc PyMem_Realloc PyMem_Free;
    PyMem_RawMalloc PyMem_RawCalloc PyMem_RawRealloc PyMem_RawFree;
    PyObject_Malloc PyObject_Calloc PyObject_Realloc PyObject_Free;
}

/// A NUL-terminated copy for C code to free with `PyMem_Free`.
pub fn copy_text(text: &[u8], vm: &Vm) -> PyResult<*mut c_char> {
    let block = alloc::raw_malloc(text.len() + 1);
    if block.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: the block has room for the text and the NUL.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
        *block.add(text.len()) = 0;
    }
    Ok(block.cast())
}

/// # Safety
/// `text` ends with NUL.
unsafe fn duplicate(text: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise; the block has room for the text and the NUL.
    unsafe {
        let length = libc::strlen(text) + 1;
        let block = alloc::raw_malloc(length);
        if !block.is_null() {
            std::ptr::copy_nonoverlapping(text.cast::<u8>(), block, length);
        }
        block.cast()
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyMem_Strdup(text: *const c_char) -> *mut c_char {
    // SAFETY: C strings are NUL-terminated.
    unsafe { duplicate(text) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyMem_RawStrdup(text: *const c_char) -> *mut c_char {
    // SAFETY: C strings are NUL-terminated.
    unsafe { duplicate(text) }
}

/// `PyObjectArenaAllocator`.
#[repr(C)]
pub struct ArenaAllocator {
    context: *mut c_void,
    alloc: extern "C" fn(*mut c_void, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void, usize),
}

extern "C" fn arena_alloc(_context: *mut c_void, size: usize) -> *mut c_void {
    alloc::raw_malloc(size).cast()
}

unsafe extern "C" fn arena_free(_context: *mut c_void, block: *mut c_void, _size: usize) {
    // SAFETY: the block came from `arena_alloc` or is a chunk of the data stack, which comes from the same allocator.
    unsafe { alloc::raw_free(block.cast()) }
}

/// Bytes of an object with `items` items.
fn object_size(tp: &Type, items: isize) -> Option<usize> {
    let basic = usize::try_from(tp.tp_basicsize.get()).ok()?;
    let item = usize::try_from(tp.tp_itemsize.get()).ok()?;
    let items = usize::try_from(items).ok()?;
    basic.checked_add(item.checked_mul(items)?)?.checked_next_multiple_of(8)
}

/// A new object, not initialised behind its header, but for the inline values that instances of its type have.
fn new_object(tp: &Type, items: isize, extra: usize, vm: &Vm) -> PyResult<Ptr> {
    let size = object_size(tp, items)
        .and_then(|size| size.checked_add(extra))
        .and_then(|size| size.checked_add(managed::inline_size(tp)));
    let op = size.map_or(std::ptr::null_mut(), |size| gc::allocate(tp, size));
    if op.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: the block is large enough for the header, and for `ob_size` in variable-sized types.
    unsafe {
        op.write(Object::new(tp));
        if tp.tp_itemsize.get() != 0 {
            (*op.cast::<VarObject>()).ob_size.set(items);
        }
        if tp.has_flag(TypeFlags::INLINE_VALUES) {
            managed::init_inline_values(&*op, tp);
        }
    }
    if tp.has_flag(TypeFlags::HEAPTYPE) {
        tp.as_object().incref();
    }
    Ok(op)
}

thread_local! {
    /// Kept while `PyUnstable_GC_VisitObjects` runs; nothing else refers to it.
    static VISITING: Cell<bool> = const { Cell::new(false) };
}

capi! {
    fn PyObject_GetArenaAllocator(vm, place: *mut ArenaAllocator) -> Void {
        *place = ArenaAllocator { context: std::ptr::null_mut(), alloc: arena_alloc, free: arena_free };
        Void
    }

    fn _PyObject_New(vm, tp: &Type) -> PyResult<Ptr> {
        new_object(tp, 0, 0, vm)
    }

    fn _PyObject_NewVar(vm, tp: &Type, items: isize) -> PyResult<Ptr> {
        let op = new_object(tp, items, 0, vm)?;
        (*op.cast::<VarObject>()).ob_size.set(items);
        Ok(op)
    }

    fn _PyObject_GC_New(vm, tp: &Type) -> PyResult<Ptr> {
        new_object(tp, 0, 0, vm)
    }

    fn _PyObject_GC_NewVar(vm, tp: &Type, items: isize) -> PyResult<Ptr> {
        let op = new_object(tp, items, 0, vm)?;
        (*op.cast::<VarObject>()).ob_size.set(items);
        Ok(op)
    }

    fn PyUnstable_Object_GC_NewWithExtraData(vm, tp: &Type, extra: usize) -> PyResult<Ptr> {
        let op = new_object(tp, 0, extra, vm)?;
        let size = object_size(tp, 0).unwrap_or(16);
        op.cast::<u8>().add(16).write_bytes(0, size + extra - 16);
        Ok(op)
    }

    fn _PyObject_GC_Resize(vm, op: *mut VarObject, items: isize) -> PyResult<Ptr> {
        let tp = (*op).ob.ob_type();
        let presize = gc::presize(tp);
        let tracked = gc::is_tracked(op.cast());
        if tracked {
            return Err(bad_internal_call(vm));
        }
        let size = object_size(tp, items).and_then(|size| size.checked_add(presize));
        let Some(size) = size else { return Err(vm.memory_error()) };
        let block = alloc::raw_realloc(op.cast::<u8>().sub(presize), size);
        if block.is_null() {
            return Err(vm.memory_error());
        }
        let op = block.add(presize).cast::<VarObject>();
        (*op).ob_size.set(items);
        Ok(op.cast())
    }

    fn PyObject_GC_Track(vm, op: *mut Object) -> Void {
        gc::track(op);
        Void
    }

    fn _PyObject_GC_Track(vm, op: *mut Object) -> Void {
        gc::track(op);
        Void
    }

    fn PyObject_GC_UnTrack(vm, op: *mut Object) -> Void {
        if (*op).ob_type().is_gc() {
            gc::untrack(op);
        }
        Void
    }

    fn _PyObject_GC_UnTrack(vm, op: *mut Object) -> Void {
        gc::untrack(op);
        Void
    }

    fn PyObject_GC_IsTracked(vm, op: *mut Object) -> bool {
        gc::is_tracked(op)
    }

    fn PyObject_GC_IsFinalized(vm, op: *mut Object) -> bool {
        gc::is_finalized(op)
    }

    fn PyObject_IS_GC(vm, object: &Object) -> bool {
        gc::has_header(object)
    }

    fn PyGC_Collect(vm) -> isize {
        if !vm.interp().gc.enabled.get() {
            return 0;
        }
        let waiting = vm.take_exception();
        let found = taipan_vm::runtime::gc::collect(vm, 2, taipan_vm::runtime::gc::Reason::Manual);
        vm.current_exception.set(waiting);
        found
    }

    fn PyGC_Enable(vm) -> bool {
        vm.interp().gc.enabled.replace(true)
    }

    fn PyGC_Disable(vm) -> bool {
        vm.interp().gc.enabled.replace(false)
    }

    fn PyGC_IsEnabled(vm) -> bool {
        vm.interp().gc.enabled.get()
    }

    fn PyUnstable_GC_VisitObjects(vm, callback: *mut c_void, arg: *mut c_void) -> Void {
        type Callback = unsafe extern "C" fn(Ptr, *mut c_void) -> c_int;
        let Some(callback) = std::mem::transmute::<*mut c_void, Option<Callback>>(callback) else { return Void };
        if VISITING.replace(true) {
            return Void;
        }
        for object in taipan_vm::runtime::gc::objects(None, vm) {
            if callback(object.as_raw(), arg) == 0 {
                break;
            }
        }
        VISITING.set(false);
        Void
    }
}
