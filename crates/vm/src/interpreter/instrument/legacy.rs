//! `sys.settrace` and `sys.setprofile` as tools: what the library manual says of their functions ("sys.settrace").

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use crate::builtins::builtin_function::BuiltinFunction;
use crate::builtins::descr::MethodDescriptor;
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::instrument::fire::Details;
use crate::interpreter::instrument::{PROFILE_TOOL, TRACE_TOOL, event, monitoring, set_events};
use crate::prelude::*;

/// `Py_tracefunc`.
pub type TraceFunction = unsafe extern "C" fn(*mut Object, *mut Frame, c_int, *mut Object) -> c_int;

/// What happened, as trace functions of the C API are told.
#[allow(missing_docs)]
pub mod what {
    pub const CALL: i32 = 0;
    pub const EXCEPTION: i32 = 1;
    pub const LINE: i32 = 2;
    pub const RETURN: i32 = 3;
    pub const C_CALL: i32 = 4;
    pub const C_EXCEPTION: i32 = 5;
    pub const C_RETURN: i32 = 6;
    pub const OPCODE: i32 = 7;
    /// By number.
    pub const NAMES: [&str; 8] =
        ["call", "exception", "line", "return", "c_call", "c_exception", "c_return", "opcode"];
}

const TRACED: u32 = 1 << event::PY_START
    | 1 << event::PY_RESUME
    | 1 << event::PY_RETURN
    | 1 << event::PY_YIELD
    | 1 << event::RAISE
    | 1 << event::LINE
    | 1 << event::JUMP
    | 1 << event::PY_UNWIND
    | 1 << event::PY_THROW
    | 1 << event::STOP_ITERATION;
const PROFILED: u32 = 1 << event::PY_START
    | 1 << event::PY_RESUME
    | 1 << event::PY_RETURN
    | 1 << event::PY_YIELD
    | 1 << event::CALL
    | 1 << event::PY_UNWIND
    | 1 << event::PY_THROW;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sys.settrace`.
    Trace,
    /// `sys.setprofile`.
    Profile,
}

impl Kind {
    fn slots(self, thread: &Vm) -> (&Cell<*mut c_void>, &Slot<Object>) {
        match self {
            Kind::Trace => (&thread.c_tracefunc, &thread.c_traceobj),
            Kind::Profile => (&thread.c_profilefunc, &thread.c_profileobj),
        }
    }
}

/// Sets or removes the function of a thread.
pub fn set(kind: Kind, thread: &Vm, function: Option<(TraceFunction, Option<&Object>)>, vm: &Vm) {
    let (address, object) = kind.slots(thread);
    address.set(std::ptr::null_mut());
    // Goes last: its end may set another function.
    let _before = object.take();
    if let Some((function, argument)) = function {
        object.set(argument.map(Object::to_ref));
        address.set(function as *mut c_void);
    }
    let any = monitoring(vm).all_threads().into_iter().any(|thread| {
        // SAFETY: the list holds the states of live threads.
        !kind.slots(unsafe { &*thread }).0.get().is_null()
    });
    match kind {
        Kind::Trace => set_events(TRACE_TOOL, if any { TRACED } else { 0 }, vm),
        Kind::Profile => set_events(PROFILE_TOOL, if any { PROFILED } else { 0 }, vm),
    }
}

/// The Python function that a thread has set, if any.
pub fn get(kind: Kind, vm: &Vm) -> Option<ObjRef> {
    kind.slots(vm).1.get()
}

/// Sets a Python function.
pub fn set_python(kind: Kind, thread: &Vm, function: Option<&Object>, vm: &Vm) {
    let trampoline: TraceFunction = match kind {
        Kind::Trace => trace_trampoline,
        Kind::Profile => profile_trampoline,
    };
    set(kind, thread, function.map(|function| (trampoline, Some(function))), vm);
}

/// Calls the thread's function, if one is set.
fn tell(kind: Kind, frame: &Frame, what: i32, argument: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let (address, object) = kind.slots(vm);
    if address.get().is_null() {
        return Ok(());
    }
    let object = object.get();
    // SAFETY: the field holds a function of this type, set by `set` or by native code through the C API.
    let status = unsafe {
        let function: TraceFunction = std::mem::transmute::<*mut c_void, TraceFunction>(address.get());
        function(
            object.as_ref().map_or(std::ptr::null_mut(), |object| object.as_ptr()),
            frame.as_object().as_ptr().cast(),
            what,
            argument.map_or(std::ptr::null_mut(), Object::as_ptr),
        )
    };
    vm.status(status)
}

unsafe extern "C" fn trace_trampoline(
    function: *mut Object,
    frame: *mut Frame,
    what: c_int,
    argument: *mut Object,
) -> c_int {
    // SAFETY: called by `tell`, with live objects.
    unsafe {
        let vm = Vm::current();
        let frame = &*frame;
        let callback = if what == what::CALL {
            Object::from_ptr(function).map(Object::to_ref)
        } else {
            frame.f_trace.get()
        };
        let Some(callback) = callback else { return 0 };
        match call_python(&callback, frame, what, argument, vm) {
            Ok(result) => {
                if !vm.is_none(&result) {
                    frame.f_trace.put(result);
                }
                0
            }
            Err(_) => {
                let exception = vm.take_exception();
                set_python(Kind::Trace, vm, None, vm);
                frame.f_trace.set(None);
                vm.current_exception.set(exception);
                -1
            }
        }
    }
}

unsafe extern "C" fn profile_trampoline(
    function: *mut Object,
    frame: *mut Frame,
    what: c_int,
    argument: *mut Object,
) -> c_int {
    // SAFETY: called by `tell`, with live objects.
    unsafe {
        let vm = Vm::current();
        let Some(callback) = Object::from_ptr(function).map(Object::to_ref) else { return 0 };
        match call_python(&callback, &*frame, what, argument, vm) {
            Ok(_) => 0,
            Err(_) => {
                let exception = vm.take_exception();
                set_python(Kind::Profile, vm, None, vm);
                vm.current_exception.set(exception);
                -1
            }
        }
    }
}

unsafe fn call_python(
    callback: &Object,
    frame: &Frame,
    what: i32,
    argument: *mut Object,
    vm: &Vm,
) -> PyResult {
    let name = usize::try_from(what).ok().and_then(|what| what::NAMES.get(what)).copied().unwrap_or_default();
    let name = vm.intern(name);
    let argument = Object::from_ptr(argument).unwrap_or_else(|| vm.none_ref());
    callback.call(&[frame.as_object(), name.as_object(), argument], vm)
}

/// Tells the profiling or tracing function of an event.
///
/// # Safety
/// `frame` is running and complete.
pub unsafe fn told(
    tool: usize,
    frame: *mut InterpreterFrame,
    number: usize,
    details: Details<'_>,
    vm: &Vm,
) -> PyResult<()> {
    let kind = if tool == TRACE_TOOL { Kind::Trace } else { Kind::Profile };
    if kind.slots(vm).0.get().is_null() {
        return Ok(());
    }
    // SAFETY: passed on to the caller.
    let object = unsafe { InterpreterFrame::object(frame, vm) };
    match (kind, number, details) {
        (_, event::PY_START | event::PY_RESUME | event::PY_THROW, _) => {
            tell(kind, &object, what::CALL, None, vm)
        }
        (_, event::PY_RETURN | event::PY_YIELD, Details::Object(_, result)) => {
            tell(kind, &object, what::RETURN, Some(result), vm)
        }
        (_, event::PY_UNWIND, _) => tell(kind, &object, what::RETURN, None, vm),
        (Kind::Trace, event::RAISE | event::STOP_ITERATION, Details::Object(_, exception)) => {
            let traceback = exception
                .downcast_ref::<BaseException>()
                .and_then(|exception| exception.traceback.get())
                .unwrap_or_else(|| vm.none());
            let triple = [exception.ob_type().as_object().to_ref(), exception.to_ref(), traceback];
            let triple = vm.new_tuple(triple);
            tell(kind, &object, what::EXCEPTION, Some(triple.as_object()), vm)
        }
        (Kind::Trace, event::LINE, _) => trace_line(&object, vm),
        (Kind::Trace, event::INSTRUCTION, _) if object.f_trace_opcodes.get() => {
            tell(kind, &object, what::OPCODE, None, vm)
        }
        (Kind::Trace, event::JUMP, Details::Jump(from, to)) => {
            // A loop on one line: other targets begin lines of their own.
            let code = object.code();
            let line = code.line_of(to as isize);
            if to < from && line.is_some() && line == code.line_of(from as isize) {
                trace_line(&object, vm)
            } else {
                Ok(())
            }
        }
        (
            Kind::Profile,
            event::CALL | event::C_RETURN | event::C_RAISE,
            Details::Call(_, callable, first),
        ) => {
            let what = match number {
                event::CALL => what::C_CALL,
                event::C_RETURN => what::C_RETURN,
                _ => what::C_EXCEPTION,
            };
            if callable.downcast_ref::<BuiltinFunction>().is_some() {
                return tell(kind, &object, what, Some(callable), vm);
            }
            let missing = monitoring(vm).missing.get().is_some_and(|missing| missing.is(first));
            if callable.downcast_exact::<MethodDescriptor>().is_some() && !missing {
                let cls = first.ob_type().as_object();
                let Some(get) = callable.ob_type().tp_descr_get.get() else { return Ok(()) };
                // SAFETY: a slot is called with live objects.
                let pending = vm.take_exception();
                let bound = unsafe { vm.owned(get(callable.as_ptr(), first.as_ptr(), cls.as_ptr())) };
                let bound = match bound {
                    Ok(bound) => bound,
                    Err(_) => {
                        vm.current_exception.set(pending);
                        return Ok(());
                    }
                };
                vm.current_exception.set(pending);
                return tell(kind, &object, what, Some(&bound), vm);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn trace_line(frame: &Frame, vm: &Vm) -> PyResult<()> {
    if !frame.f_trace_lines.get() {
        return Ok(());
    }
    tell(Kind::Trace, frame, what::LINE, Some(vm.none_ref()), vm)
}
