//! `Vm`: the state of one thread, `PyThreadState` to extensions.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use taipan_object::{Object, Ref, Slot};

use crate::exceptions::base::BaseException;
use crate::runtime::interpreter::Interpreter;

/// An exception has been raised and waits in [`Vm::current_exception`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised;

/// The result of anything that can raise.
pub type PyResult<T = taipan_object::ObjRef> = Result<T, Raised>;

/// `_PyErr_StackItem`: one level of "the exception being handled".
#[repr(C)]
pub struct ErrStackItem {
    /// The exception, `None` or empty.
    pub exc_value: Slot<Object>,
    /// The level below.
    pub previous_item: Cell<*mut ErrStackItem>,
}

/// The state of one thread. `&Vm` proves that this thread holds its interpreter's lock.
///
/// The first 832 bytes are `PyThreadState` (layouts: `current_exception`, `exc_info`, the frame and data-stack
/// pointers and the recursion counters are read and written by extensions in place).
#[repr(C)]
#[allow(missing_docs)]
pub struct Vm {
    pub prev: Cell<*mut Vm>,
    pub next: Cell<*mut Vm>,
    pub interp: Cell<*const Interpreter>,
    /// What the evaluation loop must look after: `breaker::*` bits.
    pub eval_breaker: AtomicUsize,
    status: Cell<u32>,
    pub holds_gil: Cell<i32>,
    pub whence: Cell<i32>,
    pub state: Cell<i32>,
    pub py_recursion_remaining: Cell<i32>,
    pub py_recursion_limit: Cell<i32>,
    pub recursion_headroom: Cell<i32>,
    pub tracing: Cell<i32>,
    pub what_event: Cell<i32>,
    pub current_frame: Cell<*mut crate::interpreter::frame::InterpreterFrame>,
    pub c_profilefunc: Cell<*mut c_void>,
    pub c_tracefunc: Cell<*mut c_void>,
    pub c_profileobj: Slot<Object>,
    pub c_traceobj: Slot<Object>,
    /// The exception that has been raised and not yet caught.
    pub current_exception: Slot<BaseException>,
    /// The top of the stack of exceptions being handled.
    pub exc_info: Cell<*mut ErrStackItem>,
    pub dict: Slot<Object>,
    pub gilstate_counter: Cell<i32>,
    pub async_exc: Slot<Object>,
    pub thread_id: Cell<u64>,
    pub native_thread_id: Cell<u64>,
    pub delete_later: Cell<*mut Object>,
    pub critical_section: Cell<usize>,
    pub coroutine_origin_tracking_depth: Cell<i32>,
    pub async_gen_firstiter: Slot<Object>,
    pub async_gen_finalizer: Slot<Object>,
    pub context: Slot<Object>,
    pub context_ver: Cell<u64>,
    pub id: Cell<u64>,
    pub datastack_chunk: Cell<*mut c_void>,
    pub datastack_top: Cell<*mut *mut Object>,
    pub datastack_limit: Cell<*mut *mut Object>,
    pub exc_state: ErrStackItem,
    pub current_executor: Cell<*mut Object>,
    pub dict_global_version: Cell<u64>,
    pub threading_local_key: Slot<Object>,
    pub threading_local_sentinel: Slot<Object>,
    /// `_PyRemoteDebuggerSupport`: whether a script waits, and its path.
    remote_pending: Cell<i32>,
    remote_path: [Cell<u8>; remote::PATH_SIZE],
    pub datastack_cached_chunk: Cell<*mut c_void>,
    // Ours from here on.
    /// Native code must not grow the stack below this address.
    pub native_stack_limit: Cell<usize>,
    /// The frame whose event is being told to tools.
    pub traced_frame: Cell<*mut crate::interpreter::frame::InterpreterFrame>,
    /// The asyncio task whose step the thread runs; `_asyncio` owns it.
    pub async_task: Cell<*mut Object>,
    /// Objects whose `repr` is being made, against endless recursion.
    pub repr_running: std::cell::RefCell<Vec<*mut Object>>,
}

const _: () = {
    assert!(offset_of!(Vm, eval_breaker) == 24 && offset_of!(Vm, py_recursion_remaining) == 48);
    assert!(offset_of!(Vm, current_frame) == 72 && offset_of!(Vm, current_exception) == 112);
    assert!(offset_of!(Vm, exc_info) == 120 && offset_of!(Vm, gilstate_counter) == 136);
    assert!(offset_of!(Vm, delete_later) == 168 && offset_of!(Vm, context) == 208);
    assert!(offset_of!(Vm, datastack_chunk) == 232 && offset_of!(Vm, exc_state) == 256);
    assert!(offset_of!(Vm, datastack_cached_chunk) == 824 && offset_of!(Vm, native_stack_limit) == 832);
    assert!(size_of::<ErrStackItem>() == 16);
};

/// Bits of `Vm::eval_breaker`.
pub mod breaker {
    /// Another thread wants the lock.
    pub const GIL_DROP_REQUEST: usize = 1 << 0;
    /// A signal waits for the main thread.
    pub const SIGNALS: usize = 1 << 1;
    /// A pending call waits.
    pub const CALLS: usize = 1 << 2;
    /// An asynchronous exception was set for the thread.
    pub const ASYNC_EXCEPTION: usize = 1 << 3;
    /// Another process has sent a script (PEP 768).
    pub const REMOTE_SCRIPT: usize = 1 << 5;
    /// The cycle collector asks to be run.
    pub const GC: usize = taipan_object::gc::BREAKER_GC;
}

/// Where another process puts the path of a script.
pub mod remote {
    use std::mem::offset_of;

    /// The longest path, with its NUL.
    pub const PATH_SIZE: usize = 512;
    /// The path's place in the thread state.
    pub const PATH_OFFSET: usize = offset_of!(super::Vm, remote_path);
    /// The place of the flag that says that it is there.
    pub const PENDING_OFFSET: usize = offset_of!(super::Vm, remote_pending);
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.interp().monitoring.remove_thread(&raw const *self);
    }
}

thread_local! {
    static CURRENT: Cell<*const Vm> = const { Cell::new(std::ptr::null()) };
    /// The state that `PyGILState_Ensure` attaches when the thread holds no lock: the last one that was attached.
    static BOUND: Cell<*const Vm> = const { Cell::new(std::ptr::null()) };
}

/// The number of the newest thread state.
static NEWEST_ID: AtomicU64 = AtomicU64::new(0);

impl Vm {
    /// A thread state that is not yet attached to anything. `bind` and `attach` come next.
    pub fn new(interp: *const Interpreter) -> Box<Vm> {
        // SAFETY: every field is valid when zeroed: cells of integers and null pointers, empty slots, and the
        // `RefCell<Vec>` is written right after.
        let vm: Box<Vm> = unsafe {
            let mut vm: Box<std::mem::MaybeUninit<Vm>> = Box::new_zeroed();
            (&raw mut (*vm.as_mut_ptr()).repr_running).write(Default::default());
            vm.assume_init()
        };
        vm.interp.set(interp);
        vm.id.set(NEWEST_ID.fetch_add(1, Ordering::Relaxed) + 1);
        vm.what_event.set(-1);
        // SAFETY: the interpreter outlives its threads.
        if let Some(interp) = unsafe { interp.as_ref() } {
            vm.eval_breaker.store(interp.monitoring.version(), Ordering::Relaxed);
            interp.monitoring.add_thread(&raw const *vm);
        }
        vm.exc_info.set(std::ptr::from_ref(&vm.exc_state).cast_mut());
        vm.py_recursion_limit.set(1000);
        vm.py_recursion_remaining.set(1000);
        vm
    }

    /// Makes this the current thread's state: `Vm::current` and the collector find it from now on.
    ///
    /// # Safety
    /// The thread holds (or is about to hold) the interpreter's lock, and `self` stays where it is until `detach`.
    pub unsafe fn attach(&self) {
        CURRENT.set(self);
        BOUND.set(self);
        // SAFETY: the interpreter and `self` outlive the attachment.
        unsafe {
            taipan_object::gc::attach_thread(&raw const self.interp().gc, &raw const self.eval_breaker)
        };
        if self.native_stack_limit.get() == 0 {
            self.native_stack_limit.set(crate::runtime::stack::native_limit());
            self.note_native_id();
        }
    }

    /// Notes the system's number of the thread, which a fork changes.
    pub fn note_native_id(&self) {
        // SAFETY: no preconditions.
        self.native_thread_id.set(unsafe { libc::gettid() } as u64);
    }

    /// Ends `attach`.
    pub fn detach(&self) {
        CURRENT.set(std::ptr::null());
    }

    /// The current thread's state.
    ///
    /// # Safety
    /// The thread is attached: it runs below `attach`, which is so in every slot and C function that Python calls.
    #[inline(always)]
    pub unsafe fn current<'a>() -> &'a Vm {
        // SAFETY: the caller vouches for the attachment.
        unsafe { &*CURRENT.get() }
    }

    /// The current thread's state, if it is attached.
    #[inline]
    pub fn try_current<'a>() -> Option<&'a Vm> {
        // SAFETY: null or attached.
        unsafe { CURRENT.get().as_ref() }
    }

    /// The state that belongs to this thread, attached or not; null when there is none.
    pub fn bound() -> *const Vm {
        BOUND.get()
    }

    /// Ends the thread's bond to its state, which is about to be destroyed.
    pub fn unbind() {
        BOUND.set(std::ptr::null());
    }

    /// The interpreter that this thread runs in.
    #[inline(always)]
    pub fn interp(&self) -> &Interpreter {
        // SAFETY: the interpreter outlives its threads.
        unsafe { &*self.interp.get() }
    }

    /// Whether an exception waits.
    #[inline(always)]
    pub fn has_exception(&self) -> bool {
        !self.current_exception.is_none()
    }

    /// Takes the waiting exception, so that it counts as caught.
    #[inline]
    pub fn take_exception(&self) -> Option<Ref<BaseException>> {
        self.current_exception.take()
    }

    /// Forgets the waiting exception.
    #[inline]
    pub fn clear_exception(&self) {
        drop(self.current_exception.take());
    }

    /// Raises bits for the evaluation loop to look after. Safe from any thread and in signal handlers.
    #[inline]
    pub fn request(&self, bits: usize) {
        self.eval_breaker.fetch_or(bits, Ordering::Release);
    }

    /// Takes the path of the script that another process has sent.
    pub fn take_remote_script(&self) -> Option<Vec<u8>> {
        if self.remote_pending.replace(0) == 0 {
            return None;
        }
        Some(self.remote_path.iter().map(Cell::get).take_while(|byte| *byte != 0).collect())
    }

    /// Drops what the thread holds, while it still may run Python code (`PyThreadState_Clear`).
    pub fn clear(&self) {
        self.c_profilefunc.set(std::ptr::null_mut());
        self.c_tracefunc.set(std::ptr::null_mut());
        self.exc_state.exc_value.set(None);
        let slots = [
            &self.dict,
            &self.async_exc,
            &self.c_profileobj,
            &self.c_traceobj,
            &self.async_gen_firstiter,
            &self.async_gen_finalizer,
            &self.context,
        ];
        for slot in slots {
            drop(slot.take());
        }
        self.clear_exception();
    }

    /// Maps a nullable pointer from C to a result: null means that an exception waits.
    ///
    /// # Safety
    /// `op` is null with an exception set, or an owned reference.
    #[inline(always)]
    pub unsafe fn owned(&self, op: *mut Object) -> PyResult {
        if op.is_null() {
            return Err(self.check_raised());
        }
        // SAFETY: the caller gives the reference.
        Ok(unsafe { Ref::from_raw(op) })
    }

    /// Maps a C status (-1 for failure) to a result.
    #[inline(always)]
    pub fn status(&self, code: std::ffi::c_int) -> PyResult<()> {
        if code < 0 { Err(self.check_raised()) } else { Ok(()) }
    }

    /// `Raised`, after making sure that native code which reported failure did set an exception.
    #[cold]
    pub fn check_raised(&self) -> Raised {
        if self.has_exception() { Raised } else { self.system_error("error return without exception set") }
    }
}
