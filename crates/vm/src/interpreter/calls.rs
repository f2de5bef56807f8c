//! Calls: finding out what is called, binding arguments to a Python function's locals, and calling native code with the
//! stack as argument array.

use std::mem::MaybeUninit;

use smallvec::SmallVec;
use taipan_object::defs::{CFunctionFast, CFunctionFastKw, MethodDef, meth};

use crate::builtins::builtin_function::BuiltinFunction;
use crate::builtins::coroutine_flags as co;
use crate::builtins::descr::MethodDescriptor;
use crate::interpreter::binding;
use crate::interpreter::eval;
use crate::interpreter::eval::stack::Stack;
use crate::interpreter::frame::{InterpreterFrame, finish_thread_frame, move_arguments, push_frame};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::call::{ARGUMENTS_OFFSET, call_tuple_dict, vectorcall_raw};

/// What a call instruction came to.
pub enum Outcome {
    /// A result; the operands are still on the stack.
    Value(ObjRef),
    /// A frame to go on in; the operands have been moved away.
    Frame(*mut InterpreterFrame),
    /// An exception; the slots of operands that were moved away are empty.
    Error,
}

/// Closes a call's operands and pushes its result.
///
/// # Safety
/// The stack is that deep.
#[inline]
pub unsafe fn finish(s: Stack, slots: usize, value: ObjRef) -> Stack {
    // SAFETY: passed on to the caller.
    unsafe { s.replace(slots, value) }
}

fn from_result(result: PyResult) -> Outcome {
    match result {
        Ok(value) => Outcome::Value(value),
        Err(_) => Outcome::Error,
    }
}

/// Puts function and receiver of a bound method in the places of the method and the empty slot above it.
#[inline]
pub(crate) unsafe fn unpack_method(s: Stack, callable: usize) {
    // SAFETY: the caller gives the position of the callable; above it lies the slot for `self`.
    unsafe {
        let slot = s.peek(callable);
        if !s.peek(callable - 1).is_null() || slot.type_ptr() != Method::static_type() {
            return;
        }
        let method = &*slot.ptr().cast::<Method>();
        let (Some(function), Some(receiver)) = (method.im_func.get(), method.im_self.get()) else { return };
        s.put(callable - 1, StackRef::owned(receiver));
        s.put(callable, StackRef::owned(function));
        slot.close();
    }
}

/// Whether the slot holds a Python function that may be called by pushing its frame.
#[inline(always)]
pub(crate) unsafe fn python_function<'a>(slot: StackRef) -> Option<&'a Function> {
    // SAFETY: the slot is filled; the type is checked.
    unsafe {
        if slot.type_ptr() != Function::static_type() {
            return None;
        }
        let function = &*slot.ptr().cast::<Function>();
        function.has_own_vectorcall().then_some(function)
    }
}

/// The locals of a call of a function whose code has no fast locals: a module's or class body's code.
fn mapping_for(function: &Function) -> *mut Object {
    if function.code().flags.get() & co::OPTIMIZED != 0 {
        return std::ptr::null_mut();
    }
    match function.globals.get() {
        Some(globals) => globals.into_object().into_raw(),
        None => std::ptr::null_mut(),
    }
}

/// Pushes a frame for a Python function and binds the arguments, which are moved out of `args`. `function`'s reference
/// moves too. Null with an exception set when they don't fit; arguments not yet bound are then still in `args`.
///
/// # Safety
/// `args` holds `nargs` positional arguments and the values of `kwnames`.
#[inline(never)]
pub unsafe fn push_call(
    function: StackRef,
    args: *mut StackRef,
    nargs: usize,
    kwnames: Option<&Tuple>,
    locals: *mut Object,
    previous: *mut InterpreterFrame,
    vm: &Vm,
) -> *mut InterpreterFrame {
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        let func = &*function.ptr().cast::<Function>();
        let code = func.code();
        let frame = push_frame(function, code, locals, previous, 0, vm);
        if frame.is_null() {
            function.close();
            return frame;
        }
        let slots = InterpreterFrame::locals_ptr(frame);
        if kwnames.is_none() && code.is_simple() {
            let count = code.argcount.get() as usize;
            if nargs <= count && binding::fill_defaults(func, slots, nargs, count) {
                for i in 0..nargs {
                    *slots.add(i) = args.add(i).replace(StackRef::NULL);
                }
                return frame;
            }
        }
        if binding::bind(func, code, slots, args, nargs, kwnames, vm).is_err() {
            finish_thread_frame(frame, vm);
            return std::ptr::null_mut();
        }
        frame
    }
}

/// Pushes a frame for a function that is known to take exactly `count` arguments, which are moved from `args`. The
/// function stays borrowed from its holder for the call.
///
/// # Safety
/// The function is simple and takes `count` arguments.
#[inline]
pub unsafe fn push_exact(
    function: &Function,
    args: *mut StackRef,
    count: usize,
    previous: *mut InterpreterFrame,
    vm: &Vm,
) -> *mut InterpreterFrame {
    // SAFETY: the caller vouches for the fit.
    unsafe {
        let callee = StackRef::owned(function.as_object().to_ref());
        let frame = push_frame(callee, function.code(), std::ptr::null_mut(), previous, count, vm);
        if frame.is_null() {
            callee.close();
            return frame;
        }
        move_arguments(args, count, frame, 0);
        frame
    }
}

/// `CALL`: callable, self or NULL, `oparg` arguments.
///
/// # Safety
/// The stack is that deep.
#[inline(never)]
pub unsafe fn call(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Outcome {
    // SAFETY: the caller vouches for the stack.
    unsafe {
        unpack_method(s, oparg + 2);
        let total = oparg + usize::from(!s.peek(oparg + 1).is_null());
        let args = s.as_ptr().sub(total);
        let callable = s.peek(oparg + 2);
        if let Some(function) = python_function(callable) {
            s.put(oparg + 2, StackRef::NULL);
            let new = push_call(callable, args, total, None, mapping_for(function), frame, vm);
            return if new.is_null() { Outcome::Error } else { Outcome::Frame(new) };
        }
        from_result(call_slots(callable.object(), args, total, None, vm))
    }
}

/// `CALL_KW`: callable, self or NULL, `oparg` arguments, tuple of the names of the last ones.
///
/// # Safety
/// The stack is that deep.
#[inline(never)]
pub unsafe fn call_kw(vm: &Vm, frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Outcome {
    // SAFETY: the caller vouches for the stack.
    unsafe {
        unpack_method(s, oparg + 3);
        let total = oparg + usize::from(!s.peek(oparg + 2).is_null());
        let args = s.as_ptr().sub(total + 1);
        let callable = s.peek(oparg + 3);
        let names = s.object(1).cast::<Tuple>();
        if let Some(function) = python_function(callable) {
            s.put(oparg + 3, StackRef::NULL);
            let positional = total - names.len();
            let new = push_call(callable, args, positional, Some(names), mapping_for(function), frame, vm);
            if new.is_null() {
                return Outcome::Error;
            }
            s.peek(1).close();
            return Outcome::Frame(new);
        }
        from_result(call_slots(callable.object(), args, total, Some(names), vm))
    }
}

/// `CALL_FUNCTION_EX`: callable, NULL, iterable of arguments, dict of keywords or NULL.
///
/// # Safety
/// The stack is that deep.
#[inline(never)]
pub unsafe fn call_function_ex(vm: &Vm, frame: *mut InterpreterFrame, s: Stack) -> Outcome {
    // SAFETY: the caller vouches for the stack.
    unsafe {
        let callable = s.peek(4);
        let given = s.object(2);
        let kwargs = s.peek(1);
        if given.type_ptr() != Tuple::static_type() {
            match argument_tuple(callable.object(), given, vm) {
                Ok(tuple) => {
                    s.peek(2).close();
                    s.put(2, StackRef::owned(tuple));
                }
                Err(_) => return Outcome::Error,
            }
        }
        let args = s.object(2).cast::<Tuple>();
        let kwargs = if kwargs.is_null() { None } else { kwargs.object().downcast_ref::<Dict>() };
        let kwargs = kwargs.filter(|dict| dict.len() > 0);
        let Some(function) = python_function(callable) else {
            return from_result(call_tuple_dict(callable.object(), args, kwargs, vm));
        };
        let mut all: SmallVec<[StackRef; 16]> =
            args.as_slice().iter().map(|arg| StackRef::owned(arg.clone())).collect();
        let nargs = all.len();
        let mut names = None;
        if let Some(kwargs) = kwargs {
            let mut keys = Vec::with_capacity(kwargs.len());
            for (key, value) in kwargs.items_vec() {
                keys.push(key);
                all.push(StackRef::owned(value));
            }
            names = Some(vm.new_tuple(keys));
        }
        s.put(4, StackRef::NULL);
        let new =
            push_call(callable, all.as_mut_ptr(), nargs, names.as_deref(), mapping_for(function), frame, vm);
        if new.is_null() {
            for slot in all {
                slot.xclose();
            }
            return Outcome::Error;
        }
        s.drop(2);
        Outcome::Frame(new)
    }
}

/// How error messages name what was called.
#[inline(never)]
pub fn function_text(callable: &Object, vm: &Vm) -> PyResult<String> {
    let ids = vm.ids();
    let lookup = crate::protocols::attributes::lookup_attr;
    if let Some(qualname) = lookup(callable, ids.__qualname__, vm)? {
        let shown = qualname.str(vm)?;
        if let Some(module) = lookup(callable, ids.__module__, vm)? {
            let builtins = module.downcast_ref::<Str>().is_some_and(|m| m.eq_str("builtins"));
            if !vm.is_none(&module) && !builtins {
                let module = module.str(vm)?;
                return Ok(format!("{}.{}()", module.to_string_lossy(), shown.to_string_lossy()));
            }
        }
        return Ok(format!("{}()", shown.to_string_lossy()));
    }
    Ok(callable.str(vm)?.to_string_lossy().into_owned())
}

fn argument_tuple(callable: &Object, given: &Object, vm: &Vm) -> PyResult {
    let tp = given.ob_type();
    if tp.tp_iter.get().is_none() && !crate::protocols::container::is_sequence(given) {
        let what = function_text(callable, vm)?;
        return Err(
            vm.type_error(format!("{what} argument after * must be an iterable, not {}", tp.tp_name_str()))
        );
    }
    eval::collections::tuple_from(given, vm)
}

/// `DICT_MERGE`: adds `update` to the keywords of a call.
#[inline(never)]
pub fn merge_keywords(callable: &Object, target: &Dict, update: &Object, vm: &Vm) -> PyResult<()> {
    use crate::builtins::dict::update::Duplicates;
    if target.merge(update, Duplicates::Refuse, vm).is_ok() {
        return Ok(());
    }
    if vm.exception_matches(types::attribute_error()) {
        vm.clear_exception();
        let what = function_text(callable, vm)?;
        return Err(vm.type_error(format!(
            "{what} argument after ** must be a mapping, not {}",
            update.ob_type().tp_name_str()
        )));
    }
    if vm.exception_matches(types::key_error()) {
        let Some(exception) = vm.take_exception() else { return Err(Raised) };
        let args = exception.args(vm);
        let [key] = args.as_slice() else { return Err(vm.reraise(exception)) };
        let shown = key.str(vm)?;
        let what = function_text(callable, vm)?;
        return Err(vm.type_error(format!(
            "{what} got multiple values for keyword argument '{}'",
            shown.to_string_lossy()
        )));
    }
    Err(Raised)
}

/// How many arguments are copied without a heap block.
const FEW: usize = 8;

/// Calls `body` with a copy of `count` stack slots without their tags. The slot in front of the copy may be overwritten.
///
/// # Safety
/// The slots are filled, and stay so for the call.
#[inline(always)]
unsafe fn with_plain<R>(
    args: *const StackRef,
    count: usize,
    body: impl FnOnce(*const *mut Object) -> R,
) -> R {
    let mut few = [MaybeUninit::<*mut Object>::uninit(); FEW + 1];
    let mut many: Vec<MaybeUninit<*mut Object>>;
    let first = if count <= FEW {
        few.as_mut_ptr()
    } else {
        many = Vec::with_capacity(count + 1);
        many.as_mut_ptr()
    };
    // SAFETY: both have room for `count` pointers and one in front.
    unsafe {
        let first = first.cast::<*mut Object>();
        first.write(std::ptr::null_mut());
        for i in 0..count {
            first.add(i + 1).write((*args.add(i)).ptr());
        }
        body(first.add(1))
    }
}

/// Calls native code with `total` stack slots as arguments, the last ones named by `kwnames`. The slots stay filled.
///
/// # Safety
/// The slots are filled.
#[inline(never)]
pub unsafe fn call_slots(
    callable: &Object,
    args: *const StackRef,
    total: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller vouches for the slots.
    unsafe {
        let nargs = total - kwnames.map_or(0, Tuple::len);
        with_plain(args, total, |plain| {
            vectorcall_raw(callable, plain, nargs | ARGUMENTS_OFFSET, kwnames, vm)
        })
    }
}

/// Calls a Python function from native code.
///
/// # Safety
/// `args` holds `nargs` positional arguments and the values of `kwnames`, all alive.
#[inline(never)]
pub unsafe fn call_function(
    function: &Function,
    args: *const *mut Object,
    nargs: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller vouches for the arguments; an owned slot has the bits of the pointer.
    unsafe {
        let code = function.code();
        let callee = StackRef::owned(function.as_object().to_ref());
        let previous = vm.current_frame.get();
        if kwnames.is_none() && code.is_simple() && nargs == code.argcount.get() as usize {
            let frame = push_frame(callee, code, std::ptr::null_mut(), previous, nargs, vm);
            if frame.is_null() {
                callee.close();
                return Err(Raised);
            }
            let slots = InterpreterFrame::locals_ptr(frame);
            for i in 0..nargs {
                *slots.add(i) = StackRef::owned((**args.add(i)).to_ref());
            }
            return eval::run(vm, frame, false);
        }
        let total = nargs + kwnames.map_or(0, Tuple::len);
        let mut owned: SmallVec<[StackRef; 16]> = SmallVec::with_capacity(total);
        for i in 0..total {
            owned.push(StackRef::owned((**args.add(i)).to_ref()));
        }
        let frame =
            push_call(callee, owned.as_mut_ptr(), nargs, kwnames, mapping_for(function), previous, vm);
        if frame.is_null() {
            for slot in owned {
                slot.xclose();
            }
            return Err(Raised);
        }
        eval::run(vm, frame, false)
    }
}

/// The function of a bound method when it is a Python function of the given version.
///
/// # Safety
/// `method` is a bound method.
#[inline(always)]
pub unsafe fn method_function(method: &Object, version: u32) -> Option<&Function> {
    // SAFETY: the caller vouches for the type; a method holds its function.
    unsafe {
        let function = method.cast::<Method>().im_func.borrow()?;
        let function = function.downcast_exact::<Function>()?;
        (function.version.get() == version).then_some(function)
    }
}

/// The receiver of a bound method.
///
/// # Safety
/// `method` is a bound method.
#[inline(always)]
pub unsafe fn method_self(method: &Object) -> &Object {
    // SAFETY: the caller vouches for the type; a method holds its receiver from its making on.
    unsafe { &*method.cast::<Method>().im_self.as_raw() }
}

const CONVENTION: i32 =
    meth::VARARGS | meth::FASTCALL | meth::NOARGS | meth::O | meth::KEYWORDS | meth::METHOD;

/// Definition and self of a native function in a slot.
#[inline(always)]
unsafe fn native<'a>(callable: StackRef) -> Option<(&'a MethodDef, *mut Object)> {
    // SAFETY: the type is checked; layouts.md §7: the definition lies at 16, `self` at 24.
    unsafe {
        if callable.type_ptr() != BuiltinFunction::static_type() {
            return None;
        }
        let def = callable.ptr().cast::<u8>().add(16).cast::<*const MethodDef>().read();
        let receiver = callable.ptr().cast::<u8>().add(24).cast::<*mut Object>().read();
        let def = &*def;
        Some((def, if def.ml_flags & meth::STATIC != 0 { std::ptr::null_mut() } else { receiver }))
    }
}

/// `CALL_BUILTIN_O`: a native function of one argument. None when the callable is something else now.
///
/// # Safety
/// The stack holds callable, self or NULL, and `oparg` arguments.
#[inline]
pub unsafe fn builtin_o(callable: StackRef, sp: *mut StackRef, oparg: usize, vm: &Vm) -> Option<PyResult> {
    // SAFETY: the definition's flags tell the function's signature.
    unsafe {
        let s = Stack::new(sp);
        let (def, receiver) = native(callable)?;
        if oparg != 1 || !s.peek(2).is_null() || def.ml_flags & CONVENTION != meth::O {
            return None;
        }
        let function = def.ml_meth?;
        if vm.check_recursion(" while calling a Python object").is_err() {
            return Some(Err(Raised));
        }
        Some(vm.owned(function(receiver, s.peek(1).ptr())))
    }
}

/// `CALL_BUILTIN_FAST` and its variant with keywords. None when the callable is something else now.
///
/// # Safety
/// The stack holds callable, self or NULL, and `oparg` arguments.
#[inline]
pub unsafe fn builtin_fast(callable: StackRef, sp: *mut StackRef, oparg: usize, vm: &Vm) -> Option<PyResult> {
    // SAFETY: the definition's flags tell the function's signature.
    unsafe {
        let s = Stack::new(sp);
        let (def, receiver) = native(callable)?;
        if !s.peek(oparg + 1).is_null() {
            return None;
        }
        let convention = def.ml_flags & CONVENTION;
        if convention & meth::FASTCALL == 0 || convention & meth::METHOD != 0 {
            return None;
        }
        if vm.check_recursion(" while calling a Python object").is_err() {
            return Some(Err(Raised));
        }
        Some(call_fast(def, receiver, sp.sub(oparg), oparg, vm))
    }
}

unsafe fn call_fast(
    def: &MethodDef,
    receiver: *mut Object,
    args: *const StackRef,
    count: usize,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller has checked for one of the two fast conventions.
    unsafe {
        let Some(function) = def.ml_meth else { return Err(vm.system_error("method without function")) };
        with_plain(args, count, |plain| {
            vm.owned(if def.ml_flags & meth::KEYWORDS != 0 {
                let function: CFunctionFastKw = std::mem::transmute(function);
                function(receiver, plain, count as isize, std::ptr::null_mut())
            } else {
                let function: CFunctionFast = std::mem::transmute(function);
                function(receiver, plain, count as isize)
            })
        })
    }
}

/// `CALL_METHOD_DESCRIPTOR_*`: a native method of the first argument's type. None when the callable is something else
/// now, or the first argument is.
///
/// # Safety
/// The stack holds callable, self or NULL, and `oparg` arguments.
#[inline]
pub unsafe fn method_descriptor(
    callable: StackRef,
    sp: *mut StackRef,
    oparg: usize,
    vm: &Vm,
) -> Option<PyResult> {
    // SAFETY: the definition's flags tell the function's signature.
    unsafe {
        let s = Stack::new(sp);
        if callable.type_ptr() != MethodDescriptor::static_type() {
            return None;
        }
        let total = oparg + usize::from(!s.peek(oparg + 1).is_null());
        if total == 0 {
            return None;
        }
        let args = sp.sub(total);
        let receiver = *args;
        let descriptor = &*callable.ptr().cast::<MethodDescriptor>();
        let owner: *const Type = callable.ptr().cast::<u8>().add(16).cast::<*const Type>().read();
        if receiver.type_ptr() != owner && !receiver.object().ob_type().is_subtype_of(&*owner) {
            return None;
        }
        let def = descriptor.def();
        let function = def.ml_meth?;
        let convention = def.ml_flags & CONVENTION;
        let fits = match convention {
            meth::NOARGS => total == 1,
            meth::O => total == 2,
            _ => convention & meth::FASTCALL != 0 && convention & meth::METHOD == 0,
        };
        if !fits {
            return None;
        }
        if vm.check_recursion(" while calling a Python object").is_err() {
            return Some(Err(Raised));
        }
        Some(match convention {
            meth::NOARGS => vm.owned(function(receiver.ptr(), std::ptr::null_mut())),
            meth::O => vm.owned(function(receiver.ptr(), (*args.add(1)).ptr())),
            _ => call_fast(def, receiver.ptr(), args.add(1), total - 1, vm),
        })
    }
}

/// `CALL_BUILTIN_CLASS`: a type with a vectorcall function of its own. None when the callable is something else now.
///
/// # Safety
/// The stack holds callable, self or NULL, and `oparg` arguments.
#[inline]
pub unsafe fn builtin_class(
    callable: StackRef,
    sp: *mut StackRef,
    oparg: usize,
    vm: &Vm,
) -> Option<PyResult> {
    // SAFETY: the slots are filled.
    unsafe {
        let tp = callable.object().downcast_ref::<Type>()?;
        let function = tp.tp_vectorcall.get()?;
        let s = Stack::new(sp);
        let total = oparg + usize::from(!s.peek(oparg + 1).is_null());
        let args = sp.sub(total);
        Some(with_plain(args, total, |plain| {
            vm.owned(function(callable.ptr(), plain, total, std::ptr::null_mut()))
        }))
    }
}

/// What `CALL_ALLOC_AND_ENTER_INIT` came to.
pub enum Init {
    /// The frame of `__init__`, above a shim that gives the instance.
    Frame(*mut InterpreterFrame),
    /// The class has changed.
    Guard,
    /// An exception.
    Error,
}

/// Makes an instance of a class with a simple Python `__init__` and pushes the frame for it; the arguments are moved, the
/// callable is closed.
///
/// # Safety
/// The stack holds the class, NULL, and `oparg` arguments.
#[inline(never)]
pub unsafe fn enter_init(
    frame: *mut InterpreterFrame,
    sp: *mut StackRef,
    oparg: usize,
    version: u32,
    vm: &Vm,
) -> Init {
    // SAFETY: the specialiser has checked the class that had this version.
    unsafe {
        let s = Stack::new(sp);
        let callable = s.peek(oparg + 2);
        let Some(tp) = callable.object().downcast_ref::<Type>() else { return Init::Guard };
        if tp.tp_version_tag.get() != version {
            return Init::Guard;
        }
        let Some(heap) = tp.as_heap_type() else { return Init::Guard };
        let init = heap.spec_cache[1].get().cast::<Function>();
        let Some(init) = init.as_ref() else { return Init::Guard };
        let code = init.code();
        if !code.is_simple() || code.argcount.get() as usize != oparg + 1 {
            return Init::Guard;
        }
        let Some(alloc) = tp.tp_alloc.get() else { return Init::Guard };
        let Ok(instance) = vm.owned(alloc(std::ptr::from_ref(tp).cast_mut(), 0)) else { return Init::Error };
        let shim = crate::interpreter::init_shim(vm);
        let shim_frame = push_frame(
            StackRef::owned(shim.as_object().to_ref()),
            shim.code(),
            std::ptr::null_mut(),
            frame,
            0,
            vm,
        );
        if shim_frame.is_null() {
            return Init::Error;
        }
        let receiver = StackRef::owned(instance.clone());
        *(*shim_frame).stackpointer = StackRef::owned(instance);
        (*shim_frame).stackpointer = (*shim_frame).stackpointer.add(1);
        let callee = StackRef::owned(init.as_object().to_ref());
        let new = push_frame(callee, code, std::ptr::null_mut(), shim_frame, oparg + 1, vm);
        if new.is_null() {
            callee.close();
            receiver.close();
            finish_thread_frame(shim_frame, vm);
            return Init::Error;
        }
        *InterpreterFrame::locals_ptr(new) = receiver;
        move_arguments(s.as_ptr().sub(oparg), oparg, new, 1);
        callable.close();
        Init::Frame(new)
    }
}

/// Raises for an `__init__` that returned something.
#[cold]
pub fn raise_init_result(value: &Object, vm: &Vm) {
    vm.type_error(format!("__init__() should return None, not '{}'", value.ob_type().tp_name_str()));
}
