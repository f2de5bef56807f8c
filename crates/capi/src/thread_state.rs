//! Thread states, the lock and interpreters (C API manual, "Thread State and the Global Interpreter Lock").

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{c_int, c_ulong, c_void};
use std::sync::Mutex;

use taipan_vm::prelude::*;
use taipan_vm::runtime::interpreter::Interpreter;
use taipan_vm::runtime::vm::breaker;

use crate::support::*;

/// `PyGILState_STATE`.
const LOCKED: c_int = 0;
const UNLOCKED: c_int = 1;

/// Gives the lock up, keeping errno as C code expects.
fn release(vm: &Vm) {
    vm.detach();
    vm.interp().gil.release(vm);
}

/// Takes the lock for a state that stays where it is.
fn acquire(vm: &Vm) {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    vm.interp().gil.acquire(vm);
    // SAFETY: the lock is held, and C code keeps the state alive.
    unsafe {
        vm.attach();
        *libc::__errno_location() = errno;
    }
}

/// A state of its own for the calling thread.
fn new_state(interp: &Interpreter) -> *mut Vm {
    let vm = Vm::new(interp);
    // SAFETY: a plain call.
    vm.thread_id.set(unsafe { libc::pthread_self() } as u64);
    Box::into_raw(vm)
}

/// # Safety
/// The state came from `new_state`, is not attached and not used any more.
unsafe fn delete(vm: *mut Vm) {
    // SAFETY: the caller's promise.
    unsafe {
        if std::ptr::eq(Vm::bound(), vm) {
            Vm::unbind();
        }
        taipan_vm::interpreter::frame::free_data_stack(&*vm);
        drop(Box::from_raw(vm));
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyEval_SaveThread() -> *mut Vm {
    let Some(vm) = Vm::try_current() else { return std::ptr::null_mut() };
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    release(vm);
    // SAFETY: errno belongs to the thread.
    unsafe { *libc::__errno_location() = errno };
    std::ptr::from_ref(vm).cast_mut()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_RestoreThread(vm: *mut Vm) {
    // SAFETY: C code gives back what `PyEval_SaveThread` gave.
    if let Some(vm) = unsafe { vm.as_ref() } {
        acquire(vm);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_AcquireThread(vm: *mut Vm) {
    // SAFETY: C code gives a live state.
    if let Some(vm) = unsafe { vm.as_ref() } {
        acquire(vm);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_ReleaseThread(vm: *mut Vm) {
    // SAFETY: C code gives the current state.
    if let Some(vm) = unsafe { vm.as_ref() } {
        release(vm);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyEval_InitThreads() {}

#[unsafe(no_mangle)]
pub extern "C" fn PyEval_ThreadsInitialized() -> c_int {
    1
}

#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Ensure() -> c_int {
    if let Some(vm) = Vm::try_current() {
        vm.gilstate_counter.set(vm.gilstate_counter.get() + 1);
        return LOCKED;
    }
    // SAFETY: a bound state is alive.
    let vm = match unsafe { Vm::bound().as_ref() } {
        Some(vm) => vm,
        None => {
            let Some(interp) = taipan_vm::runtime::interpreters::main() else { return UNLOCKED };
            let made = new_state(interp);
            MADE.set(made);
            // SAFETY: just made.
            unsafe { &*made }
        }
    };
    acquire(vm);
    vm.gilstate_counter.set(vm.gilstate_counter.get() + 1);
    UNLOCKED
}

#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Release(state: c_int) {
    let Some(vm) = Vm::try_current() else { return };
    let left = vm.gilstate_counter.get() - 1;
    vm.gilstate_counter.set(left);
    if state == LOCKED {
        return;
    }
    let made_here = MADE.get() == std::ptr::from_ref(vm).cast_mut();
    if left == 0 && made_here {
        MADE.set(std::ptr::null_mut());
        vm.clear();
        release(vm);
        // SAFETY: the outermost `PyGILState_Ensure` made it.
        unsafe { delete(std::ptr::from_ref(vm).cast_mut()) };
        return;
    }
    release(vm);
}

thread_local! {
    /// The state that `PyGILState_Ensure` made for a thread that Python doesn't know.
    static MADE: Cell<*mut Vm> = const { Cell::new(std::ptr::null_mut()) };
}

#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Check() -> c_int {
    c_int::from(Vm::try_current().is_some())
}

#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_GetThisThreadState() -> *mut Vm {
    Vm::bound().cast_mut()
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_GetUnchecked() -> *mut Vm {
    Vm::try_current().map_or(std::ptr::null_mut(), |vm| std::ptr::from_ref(vm).cast_mut())
}

#[unsafe(no_mangle)]
pub extern "C" fn _PyThreadState_UncheckedGet() -> *mut Vm {
    PyThreadState_GetUnchecked()
}

#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_Get() -> *mut Vm {
    PyThreadState_GetUnchecked()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_New(interp: *const Interpreter) -> *mut Vm {
    // SAFETY: C code gives a live interpreter.
    unsafe { interp.as_ref() }.map_or(std::ptr::null_mut(), new_state)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Clear(vm: *mut Vm) {
    // SAFETY: C code gives a live state.
    if let Some(vm) = unsafe { vm.as_ref() } {
        vm.clear();
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Delete(vm: *mut Vm) {
    // SAFETY: C code gives a state that it made and doesn't use any more.
    unsafe { delete(vm) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_DeleteCurrent() {
    let Some(vm) = Vm::try_current() else { return };
    release(vm);
    // SAFETY: C code made the state and doesn't use it any more.
    unsafe { delete(std::ptr::from_ref(vm).cast_mut()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Swap(new: *mut Vm) -> *mut Vm {
    let old = PyThreadState_GetUnchecked();
    if let Some(vm) = Vm::try_current() {
        release(vm);
    }
    // SAFETY: C code gives null or a live state.
    if let Some(vm) = unsafe { new.as_ref() } {
        acquire(vm);
    }
    old
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetInterpreter(vm: *mut Vm) -> *const Interpreter {
    // SAFETY: C code gives a live state.
    unsafe { (*vm).interp.get() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetID(vm: *mut Vm) -> u64 {
    // SAFETY: C code gives a live state.
    unsafe { (*vm).id.get() }
}

#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Get() -> *const Interpreter {
    Vm::try_current().map_or(std::ptr::null(), |vm| vm.interp.get())
}

#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Main() -> *const Interpreter {
    taipan_vm::runtime::interpreters::main().map_or(std::ptr::null(), std::ptr::from_ref)
}

#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Head() -> *const Interpreter {
    PyInterpreterState_Main()
}

#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Next(_interp: *const Interpreter) -> *const Interpreter {
    std::ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_ThreadHead(interp: *const Interpreter) -> *const Vm {
    // SAFETY: C code gives a live interpreter.
    unsafe { (*interp).main_thread.get() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Next(vm: *mut Vm) -> *mut Vm {
    // SAFETY: C code gives a live state.
    unsafe { (*vm).next.get() }
}

/// The dictionary of `PyInterpreterState_GetDict`.
#[derive(Default)]
struct InterpreterDict(Slot<Object>);

type PendingCall = unsafe extern "C" fn(*mut c_void) -> c_int;

/// Calls that `Py_AddPendingCall` put off for the main thread. The argument is the caller's own.
static PENDING: Mutex<VecDeque<(PendingCall, usize)>> = Mutex::new(VecDeque::new());
const PENDING_LIMIT: usize = 300;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_AddPendingCall(function: *mut c_void, arg: *mut c_void) -> c_int {
    // SAFETY: C code gives a function of that kind.
    let Some(function) = (unsafe { std::mem::transmute::<*mut c_void, Option<PendingCall>>(function) })
    else {
        return -1;
    };
    let mut calls = PENDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if calls.len() >= PENDING_LIMIT {
        return -1;
    }
    calls.push_back((function, arg as usize));
    drop(calls);
    if let Some(interp) = taipan_vm::runtime::interpreters::main() {
        // SAFETY: the main thread's state lives as long as the interpreter.
        if let Some(main) = unsafe { interp.main_thread.get().as_ref() } {
            main.request(breaker::CALLS);
        }
    }
    0
}

/// Runs what `Py_AddPendingCall` put off.
pub fn run_pending_calls(vm: &Vm) -> PyResult<()> {
    if !std::ptr::eq(vm.interp().main_thread.get(), vm) {
        return Ok(());
    }
    let mut left = PENDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len();
    while left > 0 {
        left -= 1;
        let next = PENDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front();
        let Some((function, arg)) = next else { break };
        // SAFETY: the argument is what was given together with the function.
        vm.status(unsafe { function(arg as *mut c_void) })?;
    }
    Ok(())
}

capi! {
    fn Py_MakePendingCalls(vm) -> PyResult<()> {
        run_pending_calls(vm)
    }

    fn PyThreadState_GetDict(vm) -> Ptr {
        if vm.dict.is_none() {
            vm.dict.put(vm.new_dict().into_object());
        }
        // Borrowed: the state holds it.
        vm.dict.as_raw()
    }

    fn PyInterpreterState_GetDict(vm, interp: *const Interpreter) -> Ptr {
        let dict = &vm.interp().state::<InterpreterDict>().0;
        if dict.is_none() {
            dict.put(vm.new_dict().into_object());
        }
        dict.as_raw()
    }

    fn PyInterpreterState_GetID(vm, interp: *const Interpreter) -> i64 {
        // SAFETY: C code gives null or a live interpreter.
        unsafe { interp.as_ref() }.map_or(-1, |interp| interp.id)
    }

    fn PyUnstable_InterpreterState_GetMainModule(vm, interp: *const Interpreter) -> PyResult {
        taipan_vm::import::import_module("__main__", vm)
    }

    fn PyThreadState_GetFrame(vm, state: *mut Vm) -> Option<Ref<Frame>> {
        let frame = taipan_vm::interpreter::frame::InterpreterFrame::first_complete((*state).current_frame.get());
        (!frame.is_null()).then(|| taipan_vm::interpreter::frame::InterpreterFrame::object(frame, vm))
    }

    fn PyThreadState_SetAsyncExc(vm, id: c_ulong, exception: Option<&Object>) -> c_int {
        // Threads other than this one and the main one are not listed.
        let main = vm.interp().main_thread.get();
        for state in [std::ptr::from_ref(vm), main] {
            let state = &*state;
            if state.thread_id.get() == id {
                state.async_exc.set(exception.map(Object::to_ref));
                if exception.is_some() {
                    state.request(breaker::ASYNC_EXCEPTION);
                }
                return 1;
            }
        }
        0
    }

    fn PyThreadState_EnterTracing(vm, state: *mut Vm) -> Void {
        (*state).tracing.set((*state).tracing.get() + 1);
        Void
    }

    fn PyThreadState_LeaveTracing(vm, state: *mut Vm) -> Void {
        (*state).tracing.set((*state).tracing.get() - 1);
        Void
    }

    fn PyCriticalSection_Begin(vm, section: *mut c_void, object: *mut Object) -> Void {
        Void
    }

    fn PyCriticalSection_End(vm, section: *mut c_void) -> Void {
        Void
    }

    fn PyCriticalSection2_Begin(vm, section: *mut c_void, a: *mut Object, b: *mut Object) -> Void {
        Void
    }

    fn PyCriticalSection2_End(vm, section: *mut c_void) -> Void {
        Void
    }
}
