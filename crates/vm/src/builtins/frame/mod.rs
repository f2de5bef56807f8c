//! `frame`: what Python sees of an activation. Made when somebody asks; it outlives the call when it is held.

pub mod jump;
pub mod locals_proxy;

use std::cell::Cell;
use std::mem::offset_of;

use taipan_object::gc;

use crate::builtins::coroutine_flags as co;
use crate::builtins::generator;
use crate::interpreter::frame::{FRAME_SPECIALS, InterpreterFrame, owner};
use crate::interpreter::instrument;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

pub use locals_proxy::FrameLocalsProxy;

/// `PyFrameObject`.
#[repr(C)]
pub struct Frame {
    /// The header.
    pub ob: Object,
    /// The caller, once the frame is this object's own.
    pub f_back: Slot<Frame>,
    /// The activation: on a data stack, in a generator, or behind this struct.
    pub f_frame: Cell<*mut InterpreterFrame>,
    /// The trace function.
    pub f_trace: Slot<Object>,
    /// A line that stands in for the code's; 0 for none. Extensions write it.
    pub f_lineno: Cell<i32>,
    /// Whether lines are traced.
    pub f_trace_lines: Cell<bool>,
    /// Whether instructions are traced.
    pub f_trace_opcodes: Cell<bool>,
    /// Variables that `f_locals` was given and the code doesn't have.
    pub f_extra_locals: Slot<Dict>,
    /// What the C API lends out.
    pub f_locals_cache: Slot<Object>,
    /// Values that `f_locals` replaced: slots above may borrow from them.
    pub f_overwritten_fast_locals: Slot<Tuple>,
    /// The activation, when it is this object's own.
    frame_data: Cell<*mut Object>,
}

const _: () = assert!(size_of::<Frame>() == 80 && offset_of!(Frame, f_lineno) == 40);
const _: () = assert!(offset_of!(Frame, f_extra_locals) == 48 && offset_of!(Frame, frame_data) == 72);

fn object_size(code: &Code) -> usize {
    offset_of!(Frame, frame_data) + code.framesize().max(FRAME_SPECIALS + 1) * size_of::<usize>()
}

/// Makes the frame object of an activation. Not yet tracked: it owns nothing that could be part of a cycle.
///
/// # Safety
/// The frame is initialised; it takes one reference to the object.
pub unsafe fn new_for(frame: *mut InterpreterFrame, _vm: &Vm) -> Ref<Frame> {
    // SAFETY: the memory is large enough for the struct and for the activation to move in.
    unsafe {
        let code = InterpreterFrame::code(frame);
        let tp = Frame::type_object();
        let op = gc::allocate(tp, object_size(code)).cast::<Frame>();
        if op.is_null() {
            crate::runtime::make::out_of_memory();
        }
        op.write(Frame {
            ob: Object::new(tp),
            f_back: Slot::empty(),
            f_frame: Cell::new(frame),
            f_trace: Slot::empty(),
            f_lineno: Cell::new(0),
            f_trace_lines: Cell::new(true),
            f_trace_opcodes: Cell::new(false),
            f_extra_locals: Slot::empty(),
            f_locals_cache: Slot::empty(),
            f_overwritten_fast_locals: Slot::empty(),
            frame_data: Cell::new(std::ptr::null_mut()),
        });
        Ref::from_raw(op)
    }
}

/// Moves an activation that has ended into its frame object.
///
/// # Safety
/// The activation is initialised, `stackpointer` is valid, and its owner doesn't use its contents afterwards.
pub unsafe fn take_ownership(object: &Frame, frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: the object was made with room for it.
    unsafe {
        let incomplete = InterpreterFrame::is_incomplete(frame);
        let data = object.own_data();
        copy_frame(frame, data);
        // The code moved along, but whoever ends the activation still looks at it, and releases it.
        (*frame).executable = (*data).executable.dup();
        (*data).owner = owner::FRAME_OBJECT;
        object.f_frame.set(data);
        if incomplete {
            // It may have been started without having run: it counts as at its first line.
            let code = InterpreterFrame::code(data);
            (*data).instr_ptr = code.code_ptr().add(code.first_traceable().min(code.len_units()) + 1);
        }
        let back = InterpreterFrame::first_complete((*frame).previous);
        (*data).previous = std::ptr::null_mut();
        if !back.is_null() {
            object.f_back.set(Some(InterpreterFrame::object(back, vm)));
        }
        gc::track(object.as_object().as_ptr());
    }
}

/// Copies an activation with all that it owns; borrowed slots become owned, as the owners may end first.
///
/// # Safety
/// `to` has room, `stackpointer` is valid, and `from` is not used afterwards.
pub unsafe fn copy_frame(from: *mut InterpreterFrame, to: *mut InterpreterFrame) {
    // SAFETY: the caller vouches for the room.
    unsafe {
        let first = InterpreterFrame::locals_ptr(from);
        let count = (*from).stackpointer.offset_from(first) as usize;
        std::ptr::copy_nonoverlapping(
            from.cast::<u8>().cast_const(),
            to.cast::<u8>(),
            FRAME_SPECIALS * size_of::<usize>(),
        );
        let target = InterpreterFrame::locals_ptr(to);
        for i in 0..count {
            *target.add(i) = (*first.add(i)).heap_safe();
        }
        (*to).funcobj = (*to).funcobj.heap_safe();
        (*to).executable = (*to).executable.heap_safe();
        (*to).stackpointer = target.add(count);
        (*from).stackpointer = first;
    }
}

impl Frame {
    fn own_data(&self) -> *mut InterpreterFrame {
        self.frame_data.as_ptr().cast()
    }

    fn owns_frame(&self) -> bool {
        self.f_frame.get() == self.own_data()
    }

    /// The activation.
    #[inline]
    pub fn activation(&self) -> *mut InterpreterFrame {
        self.f_frame.get()
    }

    /// The code that runs.
    pub fn code(&self) -> Ref<Code> {
        // SAFETY: the activation lives as long as the object, in one place or the other.
        unsafe { Ref::new_ref(InterpreterFrame::code(self.f_frame.get())) }
    }

    /// The line that runs.
    pub fn lineno(&self) -> Option<i32> {
        if self.f_lineno.get() != 0 {
            return Some(self.f_lineno.get());
        }
        // SAFETY: as above.
        unsafe { InterpreterFrame::lineno(self.f_frame.get()) }
    }

    /// The frame's globals.
    pub fn globals(&self, vm: &Vm) -> ObjRef {
        // SAFETY: the function that the activation holds owns them.
        unsafe { (*self.f_frame.get()).globals.as_ref() }.map_or_else(|| vm.none(), Object::to_ref)
    }

    /// The caller's frame.
    pub fn back(&self, vm: &Vm) -> Option<Ref<Frame>> {
        if let Some(back) = self.f_back.get() {
            return Some(back);
        }
        // SAFETY: frames in the chain are alive.
        unsafe {
            let previous = InterpreterFrame::first_complete((*self.f_frame.get()).previous);
            if previous.is_null() { None } else { Some(InterpreterFrame::object(previous, vm)) }
        }
    }

    /// `f_locals`: a write-through proxy for functions (PEP 667), the mapping itself for bodies.
    pub fn locals(&self, vm: &Vm) -> ObjRef {
        if self.code().flags.get() & co::OPTIMIZED != 0 || locals_proxy::has_hidden(self) {
            return FrameLocalsProxy::create(self, vm);
        }
        // SAFETY: the activation owns its locals.
        unsafe { (*self.f_frame.get()).locals.as_ref() }
            .map_or_else(|| vm.new_dict().into_object(), Object::to_ref)
    }

    /// Keeps a value alive that a slot of a frame further up may borrow.
    pub(super) fn keep_overwritten(&self, value: ObjRef, vm: &Vm) {
        let mut kept = self.f_overwritten_fast_locals.get().map_or_else(Vec::new, |t| t.as_slice().to_vec());
        kept.push(value);
        self.f_overwritten_fast_locals.put(vm.new_tuple(kept));
    }
}

impl Traverse for Frame {
    fn traverse(&self, visit: &mut Visit) {
        self.f_back.traverse(visit);
        self.f_trace.traverse(visit);
        self.f_extra_locals.traverse(visit);
        self.f_locals_cache.traverse(visit);
        self.f_overwritten_fast_locals.traverse(visit);
        if self.owns_frame() {
            // SAFETY: the activation is this object's and has ended.
            unsafe {
                let frame = self.f_frame.get();
                InterpreterFrame::traverse(frame, (*frame).stackpointer, visit);
            }
        }
    }

    fn clear(&self) {
        self.f_trace.set(None);
        self.f_extra_locals.set(None);
        self.f_locals_cache.set(None);
        self.f_overwritten_fast_locals.set(None);
        if self.owns_frame() {
            // SAFETY: as above.
            unsafe { InterpreterFrame::clear_locals(self.f_frame.get()) };
        }
    }
}

/// The locals of the Python code that runs, as `locals()` gives them: a snapshot in functions, the mapping in bodies.
pub fn current_locals(vm: &Vm) -> PyResult {
    let frame = crate::interpreter::frame::current(vm);
    if frame.is_null() {
        return match crate::interpreter::names_of_main(vm) {
            Some(names) => Ok(names.into_object()),
            None => Err(vm.system_error("frame does not exist")),
        };
    }
    // SAFETY: the frame is alive and complete.
    unsafe {
        let code = InterpreterFrame::code(frame);
        if code.flags.get() & co::OPTIMIZED == 0 {
            let locals = (*frame).locals.as_ref();
            let hidden = !code.localspluskinds().is_empty()
                && locals_proxy::has_hidden(&InterpreterFrame::object(frame, vm));
            // Code that runs in another function's `f_locals` sees a snapshot of them too.
            let proxied = locals.is_some_and(|locals| locals.downcast_ref::<FrameLocalsProxy>().is_some());
            if !hidden && !proxied {
                return Ok(locals.map_or_else(|| vm.none(), Object::to_ref));
            }
            let merged = vm.new_dict();
            if let Some(locals) = locals {
                merged.update_from(locals, true, vm)?;
            }
            if hidden {
                let object = InterpreterFrame::object(frame, vm);
                merged.update_from(locals_proxy::snapshot(&object, vm)?.as_object(), true, vm)?;
            }
            return Ok(merged.into_object());
        }
        let object = InterpreterFrame::object(frame, vm);
        locals_proxy::snapshot(&object, vm).map(Ref::into_object)
    }
}

#[pytype(
    name = "frame",
    symbol = "PyFrame_Type",
    gc,
    no_new,
    itemsize = 8,
    basicsize = 152,
    members(f_trace_lines: BOOL = f_trace_lines;)
)]
impl Frame {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: the object's count has reached zero.
        unsafe {
            gc::untrack(op);
            let frame = &*op.cast::<Frame>();
            let activation = frame.f_frame.get();
            // The code says how large the object is, so it goes last.
            let code = if frame.owns_frame() {
                InterpreterFrame::clear_locals(activation);
                (*activation).funcobj.xclose();
                (*activation).executable.into_ref()
            } else {
                InterpreterFrame::code(activation).as_object().to_ref()
            };
            std::ptr::drop_in_place(op.cast::<Frame>());
            gc::release(Frame::type_object(), op, object_size(code.cast::<Code>()));
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let code = self.code();
        let file = code.filename().as_object().repr(vm)?;
        Ok(vm.new_str(&format!(
            "<frame at {:#x}, file {}, line {}, code {}>",
            self.as_object().as_ptr() as usize,
            file.to_string_lossy(),
            self.lineno().map_or_else(|| "None".to_owned(), |line| line.to_string()),
            code.name().to_string_lossy()
        )))
    }

    /// Clear all references held by the frame.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<ObjRef> {
        // SAFETY: the activation lives as long as the object.
        unsafe {
            let activation = self.f_frame.get();
            match (*activation).owner {
                owner::GENERATOR => {
                    let generator = &*generator::of_frame(activation);
                    if generator.is_running() {
                        return Err(vm.runtime_error("cannot clear an executing frame"));
                    }
                    if generator.is_suspended() {
                        return Err(vm.runtime_error("cannot clear a suspended frame"));
                    }
                    generator::finalize(generator, vm);
                }
                owner::FRAME_OBJECT => Traverse::clear(self),
                _ => return Err(vm.runtime_error("cannot clear an executing frame")),
            }
        }
        Ok(vm.none())
    }

    /// Return the size of the frame in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        object_size(&self.code())
    }

    #[getter(f_back)]
    fn get_back(&self, vm: &Vm) -> Option<Ref<Frame>> {
        self.back(vm)
    }

    /// Return the mapping used by the frame to look up local variables.
    #[getter(f_locals)]
    fn get_locals(&self, vm: &Vm) -> ObjRef {
        self.locals(vm)
    }

    /// Return the current line number in the frame.
    #[getter(f_lineno)]
    fn get_lineno(&self) -> Option<i32> {
        self.lineno()
    }

    #[setter(f_lineno)]
    fn set_lineno(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
        if value.downcast_exact::<Int>().is_none() {
            return Err(vm.value_error("lineno must be an integer"));
        }
        jump::set_line(self, value, vm)
    }

    /// Return the trace function for this frame, or None if no trace function is set.
    #[getter(f_trace)]
    fn get_trace(&self) -> Option<ObjRef> {
        self.f_trace.get()
    }

    #[setter(f_trace)]
    fn set_trace(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.f_trace.set(value.filter(|value| !vm.is_none(value)).map(Object::to_ref));
        Ok(())
    }

    /// Return the index of the last attempted instruction in the frame.
    #[getter(f_lasti)]
    fn get_lasti(&self) -> i32 {
        // SAFETY: the activation lives as long as the object.
        let lasti = unsafe { (*self.f_frame.get()).lasti() };
        if lasti < 0 { -1 } else { lasti }
    }

    /// Return the global variables in the frame.
    #[getter(f_globals)]
    fn get_globals(&self, vm: &Vm) -> ObjRef {
        self.globals(vm)
    }

    /// Return the built-in variables in the frame.
    #[getter(f_builtins)]
    fn get_builtins(&self, vm: &Vm) -> ObjRef {
        // SAFETY: the function that the activation holds owns them.
        unsafe { (*self.f_frame.get()).builtins.as_ref() }.map_or_else(|| vm.none(), Object::to_ref)
    }

    /// Return the code object being executed in this frame.
    #[getter(f_code)]
    fn get_code(&self) -> Ref<Code> {
        self.code()
    }

    /// Return True if opcode tracing is enabled, False otherwise.
    #[getter(f_trace_opcodes)]
    fn get_trace_opcodes(&self) -> bool {
        self.f_trace_opcodes.get()
    }

    #[setter(f_trace_opcodes)]
    fn set_trace_opcodes(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if value.is_none() {
            return Err(
                vm.attribute_error("attribute 'f_trace_opcodes' of 'frame' objects cannot be deleted")
            );
        }
        let Some(value) = value.filter(|value| value.downcast_ref::<Bool>().is_some()) else {
            return Err(vm.type_error("attribute value type must be bool"));
        };
        let on = value.is(vm.true_ref());
        self.f_trace_opcodes.set(on);
        if on {
            let code = self.code();
            let events = instrument::local_events(instrument::TRACE_TOOL, &code, vm);
            let events = events | 1 << instrument::event::INSTRUCTION;
            instrument::set_local_events(instrument::TRACE_TOOL, &code, events, vm);
        }
        Ok(())
    }

    /// Return the generator or coroutine associated with this frame, or None.
    #[getter(f_generator)]
    fn get_generator(&self) -> Option<ObjRef> {
        // SAFETY: the activation lives as long as the object.
        unsafe {
            let activation = self.f_frame.get();
            if (*activation).owner == owner::GENERATOR {
                return Some((*generator::of_frame(activation)).as_object().to_ref());
            }
        }
        None
    }
}

/// A frame that no code runs in, for `PyFrame_New`: it owns its activation from the start.
pub fn new_detached(function: &Function, vm: &Vm) -> Ref<Frame> {
    // SAFETY: the activation is initialised in the object's own room.
    unsafe {
        let code = function.code();
        let mut header = [StackRef::NULL; FRAME_SPECIALS + 1];
        let scratch = header.as_mut_ptr().cast::<InterpreterFrame>();
        (*scratch).executable = StackRef::borrowed(code.as_object());
        let object = new_for(scratch, vm);
        let data = object.own_data();
        crate::interpreter::frame::initialise(
            data,
            StackRef::owned(function.as_object().to_ref()),
            code,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        );
        (*data).owner = owner::FRAME_OBJECT;
        (*data).instr_ptr = code.code_ptr();
        object.f_frame.set(data);
        gc::track(object.as_object().as_ptr());
        object
    }
}
