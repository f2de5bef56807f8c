//! `InterpreterFrame`: one activation of a code object, and the data stack that frames lie on.
//!
//! A frame is 80 bytes of bookkeeping, then `localsplus`: arguments, local variables, cells, free variables, and the
//! evaluation stack. A call pushes the callee's frame right behind the caller's on the thread's data stack; a
//! generator has its frame inside; a frame object takes its frame over when the call ends before it does.
//!
//! Whatever says where a thread is in Python code is reachable from `vm.current_frame` and the `vm.datastack_*` fields
//! or lies on the native stack: greenlets swap exactly those.
use std::mem::{offset_of, size_of};

use taipan_object::alloc::{raw_free, raw_malloc};
use taipan_object::object::xdecref;

use crate::builtins::code::CodeUnit;
use crate::builtins::frame as frame_object;
use crate::builtins::generator;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Who frees a frame.
pub mod owner {
    /// It lies on a thread's data stack.
    pub const THREAD: u8 = 0;
    /// It lies inside a generator or coroutine.
    pub const GENERATOR: u8 = 1;
    /// It was moved into a frame object.
    pub const FRAME_OBJECT: u8 = 2;
    /// It is not Python code's; skipped by everything that looks for frames.
    pub const INTERPRETER: u8 = 3;
    /// It lies on the native stack.
    pub const CSTACK: u8 = 4;
}

/// `_PyInterpreterFrame`.
#[repr(C)]
pub struct InterpreterFrame {
    /// The code object.
    pub executable: StackRef,
    /// The caller's frame.
    pub previous: *mut InterpreterFrame,
    /// The function that was called.
    pub funcobj: StackRef,
    /// The function's globals, borrowed from it.
    pub globals: *mut Object,
    /// The function's builtins, borrowed from it.
    pub builtins: *mut Object,
    /// The mapping of class bodies and `exec`, owned, or null.
    pub locals: *mut Object,
    /// The frame object, owned, once somebody has asked for it.
    pub frame_obj: *mut Frame,
    /// The instruction that runs or is about to.
    pub instr_ptr: *mut CodeUnit,
    /// Behind the topmost filled stack slot; valid only while the frame does not run.
    pub stackpointer: *mut StackRef,
    /// Where to go on, in code units from `instr_ptr`, once the callee has returned.
    pub return_offset: u16,
    /// One of `owner::*`.
    pub owner: u8,
    /// 1 while native code waits for the frame to end: the frame of its caller doesn't.
    pub is_entry: u8,
    /// While lines are watched: one more than the line of the instruction that was run last, 0 for none.
    pub traced_line: i32,
    /// Locals, cells, free variables and the evaluation stack.
    pub localsplus: [StackRef; 1],
}

const _: () = assert!(size_of::<InterpreterFrame>() == 88 && offset_of!(InterpreterFrame, localsplus) == 80);
const _: () =
    assert!(offset_of!(InterpreterFrame, frame_obj) == 48 && offset_of!(InterpreterFrame, owner) == 74);

/// Slots that a frame takes besides `localsplus`.
pub const FRAME_SPECIALS: usize = 10;

impl InterpreterFrame {
    /// The code object that the frame runs.
    ///
    /// # Safety
    /// The frame is initialised.
    #[inline(always)]
    pub unsafe fn code<'a>(this: *const Self) -> &'a Code {
        // SAFETY: a frame owns its code object.
        unsafe { &*(*this).executable.ptr().cast::<Code>() }
    }

    /// The function that was called.
    ///
    /// # Safety
    /// The frame is initialised and not cleared.
    #[inline(always)]
    pub unsafe fn function<'a>(this: *const Self) -> &'a Function {
        // SAFETY: a live frame holds its function.
        unsafe { &*(*this).funcobj.ptr().cast::<Function>() }
    }

    /// The first local.
    ///
    /// # Safety
    /// `this` points to a frame.
    #[inline(always)]
    pub unsafe fn locals_ptr(this: *mut Self) -> *mut StackRef {
        // SAFETY: the slots lie behind the header.
        unsafe { (&raw mut (*this).localsplus).cast::<StackRef>() }
    }

    /// The bottom of the evaluation stack.
    ///
    /// # Safety
    /// The frame is initialised.
    #[inline(always)]
    pub unsafe fn stack_base(this: *mut Self) -> *mut StackRef {
        // SAFETY: the stack begins behind the locals.
        unsafe { Self::locals_ptr(this).add(Self::code(this).nlocalsplus()) }
    }

    /// The index of the current instruction, in code units.
    ///
    /// # Safety
    /// The frame is initialised.
    #[inline]
    pub unsafe fn code_index(this: *const Self) -> isize {
        // SAFETY: `instr_ptr` points into the code object, or one unit in front of it.
        unsafe { (*this).instr_ptr.offset_from(Self::code(this).code_ptr()) }
    }

    /// The line of the current instruction, if it has one.
    ///
    /// # Safety
    /// The frame is initialised.
    pub unsafe fn lineno(this: *const Self) -> Option<i32> {
        // SAFETY: passed on to the caller.
        unsafe { Self::code(this).line_of(Self::code_index(this)) }
    }

    /// Whether the frame has not begun to run Python code yet, so that nobody may see it.
    ///
    /// # Safety
    /// The frame is initialised.
    #[inline]
    pub unsafe fn is_incomplete(this: *const Self) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            if (*this).owner >= owner::INTERPRETER {
                return true;
            }
            (*this).owner != owner::GENERATOR
                && Self::code_index(this) < Self::code(this).first_traceable() as isize
        }
    }

    /// The first frame from `this` on, towards the callers, that may be seen; null when there is none.
    ///
    /// # Safety
    /// `this` is null or a linked frame.
    pub unsafe fn first_complete(mut this: *mut Self) -> *mut Self {
        // SAFETY: frames in the chain are alive.
        unsafe {
            while !this.is_null() && Self::is_incomplete(this) {
                this = (*this).previous;
            }
        }
        this
    }

    /// The frame's frame object, made when there is none yet.
    ///
    /// # Safety
    /// The frame is initialised and may be seen.
    pub unsafe fn object(this: *mut Self, vm: &Vm) -> Ref<Frame> {
        // SAFETY: a frame owns its frame object.
        unsafe {
            if let Some(object) = (*this).frame_obj.as_ref() {
                return Ref::new_ref(object);
            }
            let object = frame_object::new_for(this, vm);
            (*this).frame_obj = object.clone().into_raw();
            object
        }
    }

    /// The byte offset of the current instruction (`f_lasti`, `tb_lasti`).
    ///
    /// # Safety
    /// The frame is initialised.
    pub unsafe fn lasti(&self) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { (Self::code_index(self) * 2) as i32 }
    }

    /// Reports the references that the frame owns to the collector, those in slots only below `end`.
    ///
    /// # Safety
    /// The frame is initialised, and `end` lies behind the locals, or behind the stack if the frame does not run.
    pub unsafe fn traverse(this: *mut Self, end: *mut StackRef, visit: &mut Visit) {
        // SAFETY: locals and slots below the stack's top are empty or hold live objects.
        unsafe {
            visit.raw((*this).locals);
            visit.raw((*this).frame_obj.cast());
            for slot in [(*this).funcobj, (*this).executable] {
                if !slot.is_borrowed() {
                    visit.raw(slot.ptr());
                }
            }
            let mut slot = Self::locals_ptr(this);
            while slot < end {
                if !(*slot).is_borrowed() {
                    visit.raw((*slot).ptr());
                }
                slot = slot.add(1);
            }
        }
    }

    /// Empties the locals and the stack, topmost slot first; may run Python code.
    ///
    /// # Safety
    /// The frame is initialised, doesn't run, and `stackpointer` is valid.
    pub unsafe fn clear_locals(this: *mut Self) {
        // SAFETY: each slot is emptied before what it held is released.
        unsafe {
            let first = Self::locals_ptr(this);
            let mut slot = (*this).stackpointer;
            (*this).stackpointer = first;
            while slot > first {
                slot = slot.sub(1);
                let value = *slot;
                *slot = StackRef::NULL;
                value.xclose();
            }
            let locals = std::mem::replace(&mut (*this).locals, std::ptr::null_mut());
            xdecref(locals);
        }
    }

    /// Releases all that the frame owns except the code object. When somebody else holds the frame object, the frame's
    /// contents move there instead.
    ///
    /// # Safety
    /// The frame has ended and is no longer `vm.current_frame`; `stackpointer` is valid.
    pub unsafe fn clear_except_code(this: *mut Self, vm: &Vm) {
        // SAFETY: the frame is not used by anybody else any more.
        unsafe {
            if !(*this).frame_obj.is_null() {
                let object = Ref::from_raw((*this).frame_obj);
                (*this).frame_obj = std::ptr::null_mut();
                if !object.as_object().is_unique() {
                    frame_object::take_ownership(&object, this, vm);
                    drop(object);
                    return;
                }
                drop(object);
            }
            Self::clear_locals(this);
            let function = std::mem::replace(&mut (*this).funcobj, StackRef::NULL);
            function.xclose();
        }
    }
}

/// `_PyStackChunk`: the head of one piece of a thread's data stack.
#[repr(C)]
struct StackChunk {
    previous: *mut StackChunk,
    size: usize,
    top: usize,
    data: [*mut Object; 1],
}

const CHUNK_BYTES: usize = 16 * 1024;
const _: () = assert!(offset_of!(StackChunk, data) == 24);

/// Room for `slots` slots on the thread's data stack. Null with `MemoryError` set when there is none.
///
/// # Safety
/// The room is given back, last taken first, by [`pop_frame`].
#[inline(always)]
unsafe fn push_slots(slots: usize, vm: &Vm) -> *mut StackRef {
    let top = vm.datastack_top.get();
    // Within a chunk, `top` never passes `limit`; both are null for a thread without chunks.
    let room = vm.datastack_limit.get().addr() - top.addr();
    if room > slots * size_of::<StackRef>() {
        // SAFETY: within the chunk.
        unsafe { vm.datastack_top.set(top.add(slots)) };
        return top.cast();
    }
    push_chunk(slots, vm)
}

#[cold]
#[inline(never)]
fn push_chunk(slots: usize, vm: &Vm) -> *mut StackRef {
    let needed = (slots + 1) * size_of::<usize>() + offset_of!(StackChunk, data) + size_of::<usize>();
    let mut bytes = CHUNK_BYTES;
    while bytes < needed {
        bytes *= 2;
    }
    // SAFETY: the chunk is `bytes` long; its head is written before use.
    unsafe {
        let previous = vm.datastack_chunk.get().cast::<StackChunk>();
        let cached = vm.datastack_cached_chunk.get().cast::<StackChunk>();
        let chunk = if !cached.is_null() && (*cached).size >= bytes {
            vm.datastack_cached_chunk.set(std::ptr::null_mut());
            bytes = (*cached).size;
            cached
        } else {
            raw_malloc(bytes).cast::<StackChunk>()
        };
        if chunk.is_null() {
            vm.memory_error();
            return std::ptr::null_mut();
        }
        if !previous.is_null() {
            (*previous).top =
                vm.datastack_top.get().offset_from((&raw const (*previous).data).cast()) as usize;
        }
        (*chunk).previous = previous;
        (*chunk).size = bytes;
        (*chunk).top = 0;
        vm.datastack_chunk.set(chunk.cast());
        vm.datastack_limit.set(chunk.cast::<u8>().add(bytes).cast());
        // The first chunk keeps one slot in front, so that it is never taken for empty and freed.
        let first = (&raw mut (*chunk).data).cast::<*mut Object>().add(usize::from(previous.is_null()));
        vm.datastack_top.set(first.add(slots));
        first.cast()
    }
}

/// Gives back the room of the topmost frame of the data stack.
///
/// # Safety
/// `frame` is the frame that was pushed last and has been cleared.
#[inline(always)]
pub unsafe fn pop_frame(frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: the frame lies in the current chunk.
    unsafe {
        let chunk = vm.datastack_chunk.get().cast::<StackChunk>();
        if frame.cast::<*mut Object>() == (&raw mut (*chunk).data).cast::<*mut Object>() {
            pop_chunk(chunk, vm);
        } else {
            vm.datastack_top.set(frame.cast());
        }
    }
}

#[cold]
#[inline(never)]
unsafe fn pop_chunk(chunk: *mut StackChunk, vm: &Vm) {
    // SAFETY: the chunk holds no frame any more, and only the first one has none in front.
    unsafe {
        let previous = (*chunk).previous;
        vm.datastack_chunk.set(previous.cast());
        let data = (&raw mut (*previous).data).cast::<*mut Object>();
        vm.datastack_top.set(data.add((*previous).top));
        vm.datastack_limit.set(previous.cast::<u8>().add((*previous).size).cast());
        let cached = vm.datastack_cached_chunk.replace(chunk.cast());
        if !cached.is_null() {
            raw_free(cached.cast());
        }
    }
}

/// Frees the data stack of a thread that has ended.
pub fn free_data_stack(vm: &Vm) {
    let mut chunk = vm.datastack_chunk.replace(std::ptr::null_mut()).cast::<StackChunk>();
    vm.datastack_top.set(std::ptr::null_mut());
    vm.datastack_limit.set(std::ptr::null_mut());
    // SAFETY: no frame is left on the thread; chunks come from `raw_malloc`.
    unsafe {
        while !chunk.is_null() {
            let previous = (*chunk).previous;
            raw_free(chunk.cast());
            chunk = previous;
        }
        let cached = vm.datastack_cached_chunk.replace(std::ptr::null_mut());
        if !cached.is_null() {
            raw_free(cached.cast());
        }
    }
}

/// Fills a frame's header for a call of `function`, whose reference moves in. Locals from `empty_from` on are emptied;
/// those before it are the caller's to fill.
///
/// # Safety
/// `frame` has room for the code's frame size; `function` is a `Function`; `locals` is null or owned.
#[inline(always)]
pub unsafe fn initialise(
    frame: *mut InterpreterFrame,
    function: StackRef,
    code: &Code,
    locals: *mut Object,
    previous: *mut InterpreterFrame,
    empty_from: usize,
) {
    // SAFETY: the caller vouches for the room.
    unsafe {
        let func = &*function.ptr().cast::<Function>();
        code.as_object().incref();
        (*frame).executable = StackRef::from_raw(code.as_object().as_ptr());
        (*frame).previous = previous;
        (*frame).funcobj = function;
        (*frame).globals = func.globals.as_raw().cast();
        (*frame).builtins = func.builtins.as_raw();
        (*frame).locals = locals;
        (*frame).frame_obj = std::ptr::null_mut();
        (*frame).instr_ptr = code.code_ptr();
        (*frame).return_offset = 0;
        (*frame).owner = owner::THREAD;
        (*frame).is_entry = 0;
        (*frame).traced_line = 0;
        let first = InterpreterFrame::locals_ptr(frame);
        let count = code.nlocalsplus();
        let mut i = empty_from;
        // Mostly a few: a volatile store keeps the compiler from calling `memset` for them.
        while i < count {
            first.add(i).write_volatile(StackRef::NULL);
            i += 1;
        }
        (*frame).stackpointer = first.add(count);
    }
}

/// Moves arguments from a stack into the locals of a new frame, from local `first` on.
///
/// # Safety
/// `args` holds `count` filled slots, which are not used afterwards; `frame` has those locals.
#[inline(always)]
pub unsafe fn move_arguments(
    args: *const StackRef,
    count: usize,
    frame: *mut InterpreterFrame,
    first: usize,
) {
    // SAFETY: passed on to the caller.
    unsafe {
        let locals = InterpreterFrame::locals_ptr(frame).add(first);
        // Mostly one or two: volatile stores keep the compiler from preparing for many.
        for i in 0..count {
            locals.add(i).write_volatile(*args.add(i));
        }
    }
}

/// Pushes a frame for a call of `function` on the data stack. Null with `MemoryError` set when there is no memory:
/// nothing has moved then.
///
/// # Safety
/// As for [`initialise`].
#[inline(always)]
pub unsafe fn push_frame(
    function: StackRef,
    code: &Code,
    locals: *mut Object,
    previous: *mut InterpreterFrame,
    empty_from: usize,
    vm: &Vm,
) -> *mut InterpreterFrame {
    // SAFETY: the room is as large as the code object asks for.
    unsafe {
        let frame = push_slots(code.framesize(), vm).cast::<InterpreterFrame>();
        if !frame.is_null() {
            initialise(frame, function, code, locals, previous, empty_from);
        }
        frame
    }
}

/// Ends a frame that has returned or was left by an exception: releases what it owns and gives its room back.
///
/// # Safety
/// The frame is not `vm.current_frame` any more, and `stackpointer` is valid.
#[inline(always)]
pub unsafe fn finish_frame(frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: passed on to the caller.
    unsafe {
        if (*frame).owner == owner::THREAD {
            finish_thread_frame(frame, vm);
        } else {
            generator::finish_frame(frame, vm);
        }
    }
}

/// [`finish_frame`] for a frame on the data stack.
///
/// # Safety
/// As for [`finish_frame`].
#[inline(always)]
pub unsafe fn finish_thread_frame(frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: passed on to the caller.
    unsafe {
        InterpreterFrame::clear_except_code(frame, vm);
        (*frame).executable.close();
        pop_frame(frame, vm);
    }
}

/// The frame of the Python code that runs, innermost first; null when there is none.
pub fn current(vm: &Vm) -> *mut InterpreterFrame {
    // SAFETY: the thread's frames are linked and alive.
    unsafe { InterpreterFrame::first_complete(vm.current_frame.get()) }
}

/// The frame object of the Python code that runs.
pub fn current_object(vm: &Vm) -> Option<Ref<Frame>> {
    let frame = current(vm);
    if frame.is_null() {
        return None;
    }
    // SAFETY: the frame is linked, alive and complete.
    Some(unsafe { InterpreterFrame::object(frame, vm) })
}
