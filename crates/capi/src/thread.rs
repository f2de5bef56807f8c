//! Locks, thread-specific storage and mutexes (C API manual, "Thread Specific Storage Support" and "Synchronization
//! Primitives"). None of it needs the interpreter's lock.

use std::ffi::{c_int, c_ulong, c_void};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use taipan_vm::prelude::*;

/// `PyThread_type_lock`: not reentrant, and any thread may release it.
pub struct Lock {
    held: Mutex<bool>,
    freed: Condvar,
}

impl Lock {
    /// Waits up to `microseconds`; negative means for ever.
    fn acquire(&self, microseconds: i64) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if microseconds < 0 {
            while *held {
                held = self.freed.wait(held).unwrap_or_else(PoisonError::into_inner);
            }
        } else if *held {
            let limit = Duration::from_micros(microseconds.unsigned_abs());
            (held, _) = self
                .freed
                .wait_timeout_while(held, limit, |held| *held)
                .unwrap_or_else(PoisonError::into_inner);
            if *held {
                return false;
            }
        }
        *held = true;
        true
    }

    fn release(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.freed.notify_one();
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_allocate_lock() -> *mut Lock {
    Box::into_raw(Box::new(Lock { held: Mutex::new(false), freed: Condvar::new() }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_free_lock(lock: *mut Lock) {
    // SAFETY: it came from `PyThread_allocate_lock` and is not used any more.
    drop(unsafe { Box::from_raw(lock) });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_acquire_lock(lock: *mut Lock, wait: c_int) -> c_int {
    // SAFETY: C code gives a live lock.
    c_int::from(unsafe { (*lock).acquire(if wait != 0 { -1 } else { 0 }) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_acquire_lock_timed(
    lock: *mut Lock,
    microseconds: i64,
    _intr: c_int,
) -> c_int {
    // SAFETY: C code gives a live lock.
    c_int::from(unsafe { (*lock).acquire(microseconds) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_release_lock(lock: *mut Lock) {
    // SAFETY: C code gives a live lock.
    unsafe { (*lock).release() }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_init_thread() {}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_thread_ident() -> c_ulong {
    // SAFETY: a plain call.
    unsafe { libc::pthread_self() }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_thread_native_id() -> c_ulong {
    // SAFETY: a plain call.
    unsafe { libc::gettid() as c_ulong }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_start_new_thread(
    function: Option<unsafe extern "C" fn(*mut c_void)>,
    arg: *mut c_void,
) -> c_ulong {
    let Some(function) = function else { return c_ulong::MAX };
    let arg = arg as usize;
    let (tell, told) = std::sync::mpsc::channel();
    let spawned = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
        let _ = tell.send(PyThread_get_thread_ident());
        // SAFETY: the argument is what was given together with the function.
        unsafe { function(arg as *mut c_void) }
    });
    match spawned {
        Ok(_) => told.recv().unwrap_or(c_ulong::MAX),
        Err(_) => c_ulong::MAX,
    }
}

/// `Py_tss_t`.
#[repr(C)]
pub struct Tss {
    is_initialized: c_int,
    key: libc::pthread_key_t,
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_tss_alloc() -> *mut Tss {
    let block = taipan_object::alloc::raw_calloc(1, size_of::<Tss>());
    block.cast()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_free(tss: *mut Tss) {
    // SAFETY: null, or from `PyThread_tss_alloc`.
    unsafe {
        if !tss.is_null() {
            PyThread_tss_delete(tss);
            taipan_object::alloc::raw_free(tss.cast());
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_is_created(tss: *mut Tss) -> c_int {
    // SAFETY: C code gives its variable.
    unsafe { (*tss).is_initialized }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_create(tss: *mut Tss) -> c_int {
    // SAFETY: C code gives its variable.
    unsafe {
        if (*tss).is_initialized != 0 {
            return 0;
        }
        if libc::pthread_key_create(&raw mut (*tss).key, None) != 0 {
            return -1;
        }
        (*tss).is_initialized = 1;
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_delete(tss: *mut Tss) {
    // SAFETY: C code gives its variable.
    unsafe {
        if (*tss).is_initialized != 0 {
            libc::pthread_key_delete((*tss).key);
            (*tss).is_initialized = 0;
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_set(tss: *mut Tss, value: *mut c_void) -> c_int {
    // SAFETY: C code gives its variable.
    if unsafe { libc::pthread_setspecific((*tss).key, value) } == 0 { 0 } else { -1 }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_get(tss: *mut Tss) -> *mut c_void {
    // SAFETY: C code gives its variable.
    unsafe { libc::pthread_getspecific((*tss).key) }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_create_key() -> c_int {
    let mut key = 0;
    // SAFETY: the key is a local.
    if unsafe { libc::pthread_key_create(&raw mut key, None) } == 0 { key as c_int } else { -1 }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_delete_key(key: c_int) {
    // SAFETY: a plain call.
    unsafe { libc::pthread_key_delete(key as libc::pthread_key_t) };
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_set_key_value(key: c_int, value: *mut c_void) -> c_int {
    // SAFETY: a plain call.
    if unsafe { libc::pthread_setspecific(key as libc::pthread_key_t, value) } == 0 { 0 } else { -1 }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_key_value(key: c_int) -> *mut c_void {
    // SAFETY: a plain call.
    unsafe { libc::pthread_getspecific(key as libc::pthread_key_t) }
}

const LOCKED: u8 = 1;

/// The slow path of `PyMutex_Lock`: threads that wait give up the interpreter's lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_Lock(mutex: *const AtomicU8) {
    // SAFETY: C code gives its variable.
    let mutex = unsafe { &*mutex };
    let free = || mutex.compare_exchange(0, LOCKED, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if free() {
        return;
    }
    let wait = || {
        let mut pause = Duration::from_micros(1);
        while !free() {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    };
    match Vm::try_current() {
        Some(vm) => vm.allow_threads(wait),
        None => wait(),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_Unlock(mutex: *const AtomicU8) {
    // SAFETY: C code gives its variable.
    unsafe { (*mutex).store(0, Ordering::SeqCst) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_IsLocked(mutex: *const AtomicU8) -> c_int {
    // SAFETY: C code gives its variable.
    c_int::from(unsafe { (*mutex).load(Ordering::SeqCst) } & LOCKED != 0)
}
