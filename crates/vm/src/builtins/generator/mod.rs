//! `generator`, and what coroutines and asynchronous generators share with it (reference, "Generator-iterator methods";
//! PEP 342, PEP 380, PEP 479).
//!
//! A generator has its frame inside. While it runs, the frame is linked into the thread's chain like any other, and
//! `exc_state` is the top of the stack of exceptions being handled; while it is suspended, neither is.

pub mod anext_awaitable;
pub mod async_awaitables;
pub mod async_generator;
pub mod coroutine;
mod methods;

use std::cell::Cell;
use std::mem::offset_of;

use taipan_object::gc;

use crate::builtins::coroutine_flags as co;
use crate::builtins::frame::copy_frame;
use crate::exceptions::stop_iteration::StopIteration;
use crate::interpreter::eval;
use crate::interpreter::eval::intrinsics::raise_stop_iteration;
use crate::interpreter::frame::{InterpreterFrame, owner};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::runtime::vm::ErrStackItem;

pub use anext_awaitable::anext_awaitable;
pub use async_generator::{AsyncGenerator, wrap_async_value};
pub use coroutine::{Coroutine, CoroutineWrapper, is_awaited};

/// Where a generator stands.
#[allow(missing_docs)]
pub mod state {
    pub const CREATED: i8 = -3;
    pub const SUSPENDED: i8 = -2;
    pub const SUSPENDED_YIELD_FROM: i8 = -1;
    pub const EXECUTING: i8 = 0;
    pub const COMPLETED: i8 = 1;
    pub const CLEARED: i8 = 4;
}

/// `PyGenObject`; coroutines and asynchronous generators have the same layout.
#[repr(C)]
pub struct Generator {
    /// The header.
    pub ob: Object,
    weakrefs: WeakList,
    /// `__name__`.
    pub name: Slot<Str>,
    /// `__qualname__`.
    pub qualname: Slot<Str>,
    exc_state: ErrStackItem,
    /// A coroutine's `cr_origin`, an asynchronous generator's finalizer hook.
    pub origin_or_finalizer: Slot<Object>,
    /// The asynchronous generator has called the first-iteration hook.
    pub hooks_inited: Cell<bool>,
    /// The asynchronous generator has been closed.
    pub closed: Cell<bool>,
    /// One of the asynchronous generator's awaitables is being awaited.
    pub running_async: Cell<bool>,
    /// One of `state::*`.
    pub state: Cell<i8>,
    iframe: std::cell::UnsafeCell<InterpreterFrame>,
}

/// Where a generator's frame lies in it.
pub const FRAME_OFFSET: usize = offset_of!(Generator, iframe);
const _: () = assert!(FRAME_OFFSET == 72 && offset_of!(Generator, state) == 67);

/// The generator that a frame lies in.
///
/// # Safety
/// The frame's owner is a generator.
#[inline(always)]
pub unsafe fn of_frame(frame: *mut InterpreterFrame) -> *mut Generator {
    // SAFETY: the frame lies at a fixed place in its generator.
    unsafe { frame.cast::<u8>().sub(FRAME_OFFSET).cast() }
}

/// The object as a generator of any of the three kinds.
pub fn any_kind(object: &Object) -> Option<&Generator> {
    let tp = object.type_ptr();
    if tp == Generator::static_type() || tp == Coroutine::static_type() || tp == AsyncGenerator::static_type()
    {
        // SAFETY: the three types share the layout.
        return Some(unsafe { object.cast() });
    }
    None
}

fn object_size(code: &Code) -> usize {
    FRAME_OFFSET + (code.framesize() + 1) * size_of::<usize>()
}

/// `RETURN_GENERATOR`: makes the generator, coroutine or asynchronous generator of a frame, whose contents move there.
///
/// # Safety
/// The frame runs the instruction; `instr_ptr` and `stackpointer` are stored.
pub unsafe fn from_frame(frame: *mut InterpreterFrame, vm: &Vm) -> ObjRef {
    // SAFETY: the memory is large enough for the generator and its frame.
    unsafe {
        let code = InterpreterFrame::code(frame);
        let flags = code.flags.get();
        let tp = if flags & co::COROUTINE != 0 {
            Coroutine::type_object()
        } else if flags & co::ASYNC_GENERATOR != 0 {
            AsyncGenerator::type_object()
        } else {
            Generator::type_object()
        };
        let function = InterpreterFrame::function(frame);
        let op = gc::allocate(tp, object_size(code));
        if op.is_null() {
            crate::runtime::make::out_of_memory();
        }
        let made = op.cast::<Generator>();
        op.cast::<u8>().write_bytes(0, FRAME_OFFSET);
        op.write(Object::new(tp));
        (*made).name.set(function.name.get());
        (*made).qualname.set(function.qualname.get());
        (*made).state.set(state::CREATED);
        let inner = Generator::frame(&*made);
        copy_frame(frame, inner);
        (*inner).owner = owner::GENERATOR;
        (*inner).is_entry = 0;
        (*inner).previous = std::ptr::null_mut();
        if !(*inner).frame_obj.is_null() {
            (*(*inner).frame_obj).f_frame.set(inner);
        }
        if flags & co::COROUTINE != 0 && vm.coroutine_origin_tracking_depth.get() > 0 {
            let origin = coroutine::origin((*frame).previous, vm);
            (*made).origin_or_finalizer.set(Some(origin));
        }
        gc::track(op);
        Ref::from_raw(op)
    }
}

/// The generator or coroutine of a slot when `SEND` or `FOR_ITER` may go on in its frame.
#[inline(always)]
pub fn resumable(object: &Object) -> Option<&Generator> {
    let tp = object.type_ptr();
    if tp == Generator::static_type() || tp == Coroutine::static_type() {
        // SAFETY: both types have the layout.
        let generator = unsafe { object.cast::<Generator>() };
        if generator.state.get() < state::EXECUTING {
            return Some(generator);
        }
    }
    None
}

/// Prepares a suspended generator to run: pushes the value sent and links its exception state.
///
/// # Safety
/// The generator is suspended or new; the caller goes on in its frame.
#[inline(always)]
pub unsafe fn resume_with(generator: &Generator, value: StackRef, vm: &Vm) {
    // SAFETY: a suspended frame's stack pointer is valid and has room for one value.
    unsafe {
        let frame = Generator::frame(generator);
        *(*frame).stackpointer = value;
        (*frame).stackpointer = (*frame).stackpointer.add(1);
        generator.state.set(state::EXECUTING);
        generator.exc_state.previous_item.set(vm.exc_info.get());
        vm.exc_info.set(std::ptr::from_ref(&generator.exc_state).cast_mut());
    }
}

/// `YIELD_VALUE`: marks the generator of a running frame as suspended and unlinks its exception state.
///
/// # Safety
/// The frame is a generator's and runs.
#[inline(always)]
pub unsafe fn suspend(frame: *mut InterpreterFrame, oparg: usize, vm: &Vm) {
    // SAFETY: the caller vouches for the frame.
    unsafe {
        let generator = &*of_frame(frame);
        generator.state.set(if oparg == 0 { state::SUSPENDED } else { state::SUSPENDED_YIELD_FROM });
        vm.exc_info.set(generator.exc_state.previous_item.replace(std::ptr::null_mut()));
    }
}

/// Ends the run of a generator that has returned or was left by an exception.
///
/// # Safety
/// As for `interpreter::frame::finish_frame`.
pub unsafe fn finish_frame(frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: the caller vouches for the frame.
    unsafe {
        let generator = &*of_frame(frame);
        generator.state.set(state::CLEARED);
        vm.exc_info.set(generator.exc_state.previous_item.replace(std::ptr::null_mut()));
        // A frame object that outlives the generator doesn't know its last caller.
        (*frame).previous = std::ptr::null_mut();
        InterpreterFrame::clear_except_code(frame, vm);
        generator.exc_state.exc_value.set(None);
    }
}

impl Generator {
    /// The frame.
    #[inline(always)]
    pub fn frame(this: &Generator) -> *mut InterpreterFrame {
        this.iframe.get()
    }

    /// The code's flags.
    pub fn code_flags(&self) -> i32 {
        self.code().flags.get()
    }

    /// The code.
    pub fn code(&self) -> &Code {
        // SAFETY: a generator's frame keeps its code to the end.
        unsafe { InterpreterFrame::code(Self::frame(self)) }
    }

    /// Whether it runs now.
    pub fn is_running(&self) -> bool {
        self.state.get() == state::EXECUTING
    }

    /// Whether it stands at a `yield`.
    pub fn is_suspended(&self) -> bool {
        matches!(self.state.get(), state::SUSPENDED | state::SUSPENDED_YIELD_FROM)
    }

    fn is_finished(&self) -> bool {
        self.state.get() >= state::COMPLETED
    }

    /// What it is called in messages.
    pub fn kind(&self) -> &'static str {
        let tp = self.as_object().type_ptr();
        if tp == Coroutine::static_type() {
            "coroutine"
        } else if tp == AsyncGenerator::static_type() {
            "async generator"
        } else {
            "generator"
        }
    }

    fn is_coroutine(&self) -> bool {
        self.as_object().type_ptr() == Coroutine::static_type()
    }

    fn is_async(&self) -> bool {
        self.as_object().type_ptr() == AsyncGenerator::static_type()
    }

    /// What `yield from` or `await` waits for.
    pub fn delegate(&self) -> Option<ObjRef> {
        if self.state.get() != state::SUSPENDED_YIELD_FROM {
            return None;
        }
        // SAFETY: a frame suspended there has the inner iterator on top of its stack.
        unsafe { Some((*(*Self::frame(self)).stackpointer.sub(1)).object().to_ref()) }
    }

    /// The frame object, as long as the generator has not ended.
    pub fn frame_object(&self, vm: &Vm) -> Option<Ref<Frame>> {
        if self.state.get() == state::CLEARED {
            return None;
        }
        // SAFETY: the frame is initialised and belongs to a generator, so it may be seen.
        Some(unsafe { InterpreterFrame::object(Self::frame(self), vm) })
    }

    /// Releases what the frame of a generator that doesn't run owns.
    fn clear_frame(&self, vm: &Vm) {
        self.state.set(state::CLEARED);
        // SAFETY: a frame that doesn't run has a valid stack pointer.
        unsafe {
            let frame = Self::frame(self);
            (*frame).previous = std::ptr::null_mut();
            InterpreterFrame::clear_except_code(frame, vm);
        }
        self.exc_state.exc_value.set(None);
    }
}

/// Sends `value` into a generator of any kind; with `throw`, raises the exception that waits inside it. `Return` says that
/// it has ended.
pub fn send_value(
    generator: &Generator,
    value: Option<&Object>,
    throw: bool,
    closing: bool,
    vm: &Vm,
) -> PyResult<SendResult> {
    let at = generator.state.get();
    if at == state::CREATED && value.is_some_and(|value| !vm.is_none(value)) {
        return Err(
            vm.type_error(format!("can't send non-None value to a just-started {}", generator.kind()))
        );
    }
    if at == state::EXECUTING {
        return Err(vm.value_error(format!("{} already executing", generator.kind())));
    }
    if at >= state::COMPLETED {
        if generator.is_coroutine() && !closing {
            // A coroutine that has ended can't be awaited again.
            return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
        }
        if throw {
            return Err(Raised);
        }
        return Ok(SendResult::Return(vm.none()));
    }
    let held = generator.as_object().to_ref();
    // SAFETY: the generator is suspended; it is held for the time of the run.
    let result = unsafe {
        let value = value.unwrap_or_else(|| vm.none_ref());
        resume_with(generator, StackRef::owned(value.to_ref()), vm);
        if throw {
            chain_context(vm);
        }
        eval::run(vm, Generator::frame(generator), throw)
    };
    let suspended = generator.is_suspended();
    drop(held);
    match result {
        Ok(value) if suspended => Ok(SendResult::Next(value)),
        Ok(value) => Ok(SendResult::Return(value)),
        Err(raised) => Err(raised),
    }
}

/// The exception being thrown in gets the one that the generator handles as its context.
fn chain_context(vm: &Vm) {
    // SAFETY: `exc_info` always points to a live item.
    let handled = unsafe { (*vm.exc_info.get()).exc_value.get() };
    let (Some(exception), Some(handled)) = (vm.current_exception.get(), handled) else { return };
    if vm.is_none(&handled) || handled.is(exception.as_object()) {
        return;
    }
    if exception.context.is_none() {
        // Cut a circle that the new link would close.
        let mut walk = handled.clone().downcast::<BaseException>().ok();
        let mut steps = 0;
        while let Some(link) = walk {
            if link.context().is_some_and(|c| c.as_object().is(exception.as_object())) {
                link.context.set(None);
            }
            walk = link.context();
            steps += 1;
            if steps > 1000 {
                break;
            }
        }
        exception.context.put(handled);
    }
}

/// Sends and reports the end as the exception that it is for Python code: `StopIteration`, or `StopAsyncIteration`.
fn send_or_raise(
    generator: &Generator,
    value: Option<&Object>,
    throw: bool,
    closing: bool,
    vm: &Vm,
) -> PyResult {
    match send_value(generator, value, throw, closing, vm)? {
        SendResult::Next(value) => Ok(value),
        SendResult::Return(value) => Err(ended(generator, value, vm)),
    }
}

fn ended(generator: &Generator, value: ObjRef, vm: &Vm) -> Raised {
    if generator.is_async() {
        return vm.raise_with(types::stop_async_iteration(), Vec::new());
    }
    let value = if vm.is_none(&value) { None } else { Some(value) };
    raise_stop_iteration(value, vm)
}

/// `next(generator)`: none at the end, with `StopIteration` set only if there is a value to carry.
pub fn iter_next(generator: &Generator, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match send_value(generator, None, false, false, vm)? {
        SendResult::Next(value) => Ok(Some(value)),
        SendResult::Return(value) if vm.is_none(&value) => Ok(None),
        SendResult::Return(value) => Err(raise_stop_iteration(Some(value), vm)),
    }
}

/// Sends into anything that has `am_send`; none when it hasn't.
pub fn send_to(receiver: &Object, value: &Object, vm: &Vm) -> Option<PyResult<SendResult>> {
    let tp = receiver.type_ptr();
    if tp == Generator::static_type() || tp == Coroutine::static_type() {
        // SAFETY: both types have the layout.
        return Some(send_value(unsafe { receiver.cast() }, Some(value), false, false, vm));
    }
    let send = receiver.ob_type().as_async()?.am_send.get()?;
    let mut result = std::ptr::null_mut();
    // SAFETY: a slot is called with live objects; it fills in the result unless it fails.
    unsafe {
        let status = send(receiver.as_ptr(), value.as_ptr(), &raw mut result);
        Some(match (status, Ref::from_raw_opt(result)) {
            (1, Some(value)) => Ok(SendResult::Next(value)),
            (0, Some(value)) => Ok(SendResult::Return(value)),
            _ => Err(vm.check_raised()),
        })
    }
}

/// Closes what a generator delegates to.
fn close_delegate(delegate: &Object, vm: &Vm) -> PyResult<()> {
    if let Some(inner) = any_kind(delegate).filter(|inner| !inner.is_async()) {
        return close(inner, vm).map(drop);
    }
    match crate::protocols::attributes::lookup_attr(delegate, vm.ids().close, vm) {
        Ok(Some(method)) => method.call_no_args(vm).map(drop),
        Ok(None) => Ok(()),
        Err(_) => {
            vm.write_unraisable(Some(delegate), None);
            Ok(())
        }
    }
}

/// `close()`: raises `GeneratorExit` inside; gives what the generator returned.
pub fn close(generator: &Generator, vm: &Vm) -> PyResult {
    let at = generator.state.get();
    if at == state::CREATED {
        generator.clear_frame(vm);
        return Ok(vm.none());
    }
    if generator.is_finished() {
        return Ok(vm.none());
    }
    let mut failed = false;
    if let Some(delegate) = generator.delegate() {
        generator.state.set(state::EXECUTING);
        failed = close_delegate(&delegate, vm).is_err();
        generator.state.set(at);
    }
    // A generator that waits outside of any `try` has nothing to run: it just ends.
    // SAFETY: a suspended frame's instruction pointer points into its code.
    let outermost = unsafe {
        let frame = Generator::frame(generator);
        let unit = *(*frame).instr_ptr;
        let at = usize::try_from(InterpreterFrame::code_index(frame)).unwrap_or(0);
        InterpreterFrame::code(frame).base_opcode(at) == taipan_bytecode::opcode::Opcode::Resume
            && unit.oparg() & RESUME_DEPTH1 != 0
    };
    let watched = crate::interpreter::instrument::monitoring(vm)
        .global_tools(crate::interpreter::instrument::event::PY_UNWIND)
        != 0;
    if outermost && !watched && at != state::EXECUTING && !failed {
        generator.clear_frame(vm);
        return Ok(vm.none());
    }
    if !failed {
        vm.raise_with(types::generator_exit(), Vec::new());
    }
    match send_or_raise(generator, None, true, true, vm) {
        Ok(_) => Err(vm.runtime_error(format!("{} ignored GeneratorExit", generator.kind()))),
        Err(raised) => {
            if vm.exception_matches(types::stop_iteration()) {
                return Ok(match vm.take_exception() {
                    Some(exception) => StopIteration::value_of(&exception, vm),
                    None => vm.none(),
                });
            }
            if vm.exception_matches(types::generator_exit()) {
                vm.clear_exception();
                return Ok(vm.none());
            }
            Err(raised)
        }
    }
}

/// Bit of RESUME's operand: the instruction stands in no `try` of the source.
const RESUME_DEPTH1: u8 = 4;

/// Raises the exception that waits inside a generator, or in what it delegates to.
fn throw_waiting(generator: &Generator, close_on_exit: bool, vm: &Vm) -> PyResult {
    if let Some(delegate) = generator.delegate() {
        let at = generator.state.get();
        if vm.exception_matches(types::generator_exit()) && close_on_exit {
            // The delegate is closed, not thrown into; then the exception goes on here.
            let waiting = vm.take_exception();
            generator.state.set(state::EXECUTING);
            let closed = close_delegate(&delegate, vm);
            generator.state.set(at);
            if closed.is_err() {
                return send_or_raise(generator, None, true, false, vm);
            }
            if let Some(waiting) = waiting {
                vm.reraise(waiting);
            }
            return send_or_raise(generator, None, true, false, vm);
        }
        let inner = any_kind(&delegate).filter(|inner| !inner.is_async());
        let method = if inner.is_some() {
            None
        } else {
            let waiting = vm.take_exception();
            let found = crate::protocols::attributes::lookup_attr(&delegate, vm.ids().throw, vm)?;
            if let Some(waiting) = waiting {
                vm.reraise(waiting);
            }
            found
        };
        if inner.is_some() || method.is_some() {
            // The frame is linked meanwhile, so that the inner code sees who waits for it.
            let frame = Generator::frame(generator);
            generator.state.set(state::EXECUTING);
            // SAFETY: the frame is suspended; it is unlinked again below.
            unsafe {
                (*frame).previous = vm.current_frame.get();
                vm.current_frame.set(frame);
            }
            let result = match (inner, method) {
                (Some(inner), _) => throw_waiting(inner, close_on_exit, vm),
                (None, Some(method)) => match vm.take_exception() {
                    Some(exception) => method.call(&[exception.as_object()], vm),
                    None => Err(Raised),
                },
                (None, None) => Err(Raised),
            };
            // SAFETY: as above.
            unsafe {
                vm.current_frame.set((*frame).previous);
                (*frame).previous = std::ptr::null_mut();
            }
            generator.state.set(at);
            return match result {
                Ok(value) => Ok(value),
                // The code after `yield from` gets `StopIteration` as the inner one's result.
                Err(_) => send_or_raise(generator, None, true, false, vm),
            };
        }
    }
    send_or_raise(generator, None, true, false, vm)
}

/// `throw(value)` and the deprecated `throw(type, value, traceback)`.
pub fn throw(generator: &Generator, args: &[&Object], close_on_exit: bool, vm: &Vm) -> PyResult {
    let exception = exception_to_throw(args, vm)?;
    vm.reraise(exception);
    throw_waiting(generator, close_on_exit, vm)
}

/// The exception that arguments of `throw` mean. Raises TypeError when they mean none.
pub fn exception_to_throw(args: &[&Object], vm: &Vm) -> PyResult<Ref<BaseException>> {
    use crate::exceptions::base::{instantiate, is_exception_class};
    let none = vm.none_ref();
    let (first, value, tb) = match args {
        [first] => (*first, none, none),
        [first, value] => (*first, *value, none),
        [first, value, tb, ..] => (*first, *value, *tb),
        [] => return Err(vm.type_error("throw expected at least 1 argument, got 0")),
    };
    if !vm.is_none(tb) && tb.downcast_ref::<crate::builtins::traceback::Traceback>().is_none() {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let exception = if is_exception_class(first) {
        let made = || {
            if vm.is_none(value) {
                return instantiate(first, vm);
            }
            if value.downcast_ref::<BaseException>().is_some() && value.is_instance(first, vm)? {
                return instantiate(value, vm);
            }
            let made = match value.downcast_ref::<Tuple>() {
                Some(tuple) => {
                    let items: Vec<&Object> = tuple.as_slice().iter().map(|item| &**item).collect();
                    first.call(&items, vm)?
                }
                None => first.call(&[value], vm)?,
            };
            instantiate(&made, vm)
        };
        match made() {
            Ok(exception) => exception,
            // What goes wrong with the exception is thrown in its place.
            Err(raised) => vm.take_exception().ok_or(raised)?,
        }
    } else if first.downcast_ref::<BaseException>().is_some() {
        if !vm.is_none(value) {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        instantiate(first, vm)?
    } else {
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            first.ob_type().tp_name_str()
        )));
    };
    if !vm.is_none(tb) {
        exception.traceback.put(tb.to_ref());
    }
    Ok(exception)
}

/// Warns of `throw(type, value, traceback)`.
fn warn_old_throw(count: usize, method: &str, vm: &Vm) -> PyResult<()> {
    if count <= 1 {
        return Ok(());
    }
    crate::builtins::warn::deprecation(
        &format!(
            "the (type, exc, tb) signature of {method} is deprecated, use the single-arg signature instead."
        ),
        vm,
    )
}

/// The finaliser: closes what was not run to its end.
pub fn finalize(generator: &Generator, vm: &Vm) {
    if generator.is_finished() {
        return;
    }
    let waiting = vm.take_exception();
    let held = generator.as_object().to_ref();
    if generator.is_async() {
        let hook = generator.origin_or_finalizer.get();
        if let Some(hook) = hook.filter(|hook| !vm.is_none(hook) && !generator.closed.get()) {
            if hook.call(&[&held], vm).is_err() {
                vm.write_unraisable(Some(&held), None);
            }
            drop(held);
            vm.current_exception.set(waiting);
            return;
        }
    }
    if generator.is_coroutine() && generator.state.get() == state::CREATED {
        coroutine::warn_never_awaited(generator, vm);
    } else if close(generator, vm).is_err() && vm.has_exception() {
        crate::exceptions::unraisable::write_unraisable_while("while closing generator", Some(&held), vm);
    }
    drop(held);
    vm.current_exception.set(waiting);
}

impl Traverse for Generator {
    fn traverse(&self, visit: &mut Visit) {
        self.name.traverse(visit);
        self.qualname.traverse(visit);
        self.origin_or_finalizer.traverse(visit);
        self.exc_state.exc_value.traverse(visit);
        let frame = Self::frame(self);
        // A running frame's stack pointer is in the evaluation loop; what the stack holds counts as held from outside.
        // SAFETY: the generator's frame is initialised, and its stack pointer is used only when it doesn't run.
        unsafe {
            let end = match self.state.get() {
                state::CLEARED => return,
                state::EXECUTING => InterpreterFrame::stack_base(frame),
                _ => (*frame).stackpointer,
            };
            InterpreterFrame::traverse(frame, end, visit);
        }
    }
}

/// `tp_dealloc` of the three types.
///
/// # Safety
/// `op` is one of them and its count has reached zero.
pub unsafe fn dealloc(op: *mut Object) {
    // SAFETY: the caller vouches for the object; each step leaves it whole for the next.
    unsafe {
        let vm = Vm::current();
        let generator = &*op.cast::<Generator>();
        gc::untrack(op);
        crate::builtins::weakref::clear_weakrefs(op);
        gc::track(op);
        if !generator.is_finished() && crate::builtins::type_::heap::finalize_on_dealloc(op) {
            return;
        }
        gc::untrack(op);
        if generator.state.get() != state::CLEARED {
            generator.clear_frame(vm);
        }
        let frame = Generator::frame(generator);
        let code = (*frame).executable.into_ref();
        let tp = (*op).ob_type();
        let size = object_size(code.cast::<Code>());
        std::ptr::drop_in_place(&raw mut (*op.cast::<Generator>()).name);
        std::ptr::drop_in_place(&raw mut (*op.cast::<Generator>()).qualname);
        std::ptr::drop_in_place(&raw mut (*op.cast::<Generator>()).origin_or_finalizer);
        std::ptr::drop_in_place(&raw mut (*op.cast::<Generator>()).exc_state);
        gc::release(tp, op, size);
    }
}
