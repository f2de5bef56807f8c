//! What `sys` tells and sets.

use super::{ASYNCGEN_HOOKS, Sys};
use crate::interpreter::frame::{self, InterpreterFrame};
use crate::prelude::*;

/// The frame so many levels below the running one.
fn frame_at(depth: isize, vm: &Vm) -> PyResult<*mut InterpreterFrame> {
    let mut walk = frame::current(vm);
    for _ in 0..depth.max(0) {
        if walk.is_null() {
            break;
        }
        // SAFETY: frames below a live one are alive.
        walk = unsafe { InterpreterFrame::first_complete((*walk).previous) };
    }
    if walk.is_null() { Err(vm.value_error("call stack is not deep enough")) } else { Ok(walk) }
}

fn size_of_object(object: &Object, vm: &Vm) -> PyResult {
    let Some(method) = object.lookup_special(vm.ids().__sizeof__, vm)? else {
        return Err(vm.type_error(format!("Type {} doesn't define __sizeof__", object.ob_type().name())));
    };
    let size = method.call_no_args(vm)?;
    let Some(size) = size.downcast_ref::<Int>().and_then(Int::to_i64) else {
        return Err(vm.type_error("an integer is required"));
    };
    if size < 0 {
        return Err(vm.value_error("__sizeof__() should return >= 0"));
    }
    let head = taipan_object::gc::presize(object.ob_type());
    Ok(vm.new_int(size + head as i64))
}

#[pyfunctions(table = FUNCTIONS)]
impl Sys {
    /// Exit the interpreter by raising SystemExit(status).
    ///
    /// If the status is omitted or None, it defaults to zero (i.e., success).
    /// If the status is an integer, it will be used as the system exit status.
    /// If it is another kind of object, it will be printed and the system
    /// exit status will be one (i.e., failure).
    #[function("($module, status=None, /)")]
    fn exit(status: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let args = match status.map(|status| (status, status.downcast_ref::<Tuple>())) {
            None => Vec::new(),
            Some((_, Some(args))) => args.as_slice().to_vec(),
            Some((status, None)) => vec![status.to_ref()],
        };
        Err(vm.raise_with(types::system_exit(), args))
    }

    /// Return the current default encoding used by the Unicode implementation.
    #[function("($module, /)")]
    fn getdefaultencoding() -> &'static str {
        "utf-8"
    }

    /// Return the encoding used to convert Unicode filenames to OS filenames.
    #[function("($module, /)")]
    fn getfilesystemencoding() -> &'static str {
        "utf-8"
    }

    /// Return the error mode used for Unicode to OS filename conversion.
    #[function("($module, /)")]
    fn getfilesystemencodeerrors() -> &'static str {
        "surrogateescape"
    }

    /// Return the current value of the recursion limit.
    #[function("($module, /)")]
    fn getrecursionlimit(vm: &Vm) -> i32 {
        vm.py_recursion_limit.get()
    }

    /// Set the maximum depth of the Python interpreter stack to n.
    ///
    /// This limit prevents infinite recursion from causing an overflow of the C
    /// stack and crashing Python.  The highest possible limit is platform-
    /// dependent.
    #[function("($module, limit, /)")]
    fn setrecursionlimit(limit: i32, vm: &Vm) -> PyResult<()> {
        if limit < 1 {
            return Err(vm.value_error("recursion limit must be greater or equal than 1"));
        }
        let depth = vm.py_recursion_limit.get() - vm.py_recursion_remaining.get();
        if depth >= limit {
            return Err(vm.recursion_error(format!(
                "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
            )));
        }
        vm.py_recursion_limit.set(limit);
        vm.py_recursion_remaining.set(limit - depth);
        Ok(())
    }

    /// Return the reference count of object.
    ///
    /// The count returned is generally one higher than you might expect,
    /// because it includes the (temporary) reference as an argument to
    /// getrefcount().
    #[function("($module, object, /)")]
    fn getrefcount(object: &Object) -> u32 {
        object.refcount()
    }

    /// getsizeof(object [, default]) -> int
    ///
    /// Return the size of object in bytes.
    #[function("!($module, /, object, default=None)")]
    fn getsizeof(object: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        match (size_of_object(object, vm), default) {
            (Err(Raised), Some(default)) if vm.exception_matches(types::type_error()) => {
                vm.clear_exception();
                Ok(default.to_ref())
            }
            (result, _) => result,
        }
    }

    /// Return a frame object from the call stack.
    ///
    /// If optional integer depth is given, return the frame object that many
    /// calls below the top of the stack.  If that is deeper than the call
    /// stack, ValueError is raised.  The default for depth is zero, returning
    /// the frame at the top of the call stack.
    #[function("($module, depth=0, /)")]
    fn _getframe(depth: Option<isize>, vm: &Vm) -> PyResult {
        let frame = frame_at(depth.unwrap_or(0), vm)?;
        // SAFETY: the frame is alive.
        let object = unsafe { InterpreterFrame::object(frame, vm) };
        crate::runtime::audit::audit("sys._getframe", &[object.as_object()], vm)?;
        Ok(object.into_object())
    }

    /// Return the name of the module for a calling frame.
    ///
    /// The default depth returns the module containing the call to this API.
    /// A more typical use in a library will pass a depth of 1 to get the user's
    /// module rather than the library module.
    ///
    /// If no frame, module, or name can be found, returns None.
    #[function("($module, /, depth=0)")]
    fn _getframemodulename(depth: Option<isize>, vm: &Vm) -> PyResult {
        crate::runtime::audit::audit("sys._getframemodulename", &[&vm.new_int(depth.unwrap_or(0))], vm)?;
        let Ok(frame) = frame_at(depth.unwrap_or(0), vm) else {
            vm.clear_exception();
            return Ok(vm.none());
        };
        // SAFETY: the frame is alive; its function object is a function or null.
        let function = Object::from_ptr(unsafe { (*frame).funcobj.ptr() });
        let function = function.and_then(|f| f.downcast_exact::<Function>());
        Ok(function.and_then(|f| f.module.get()).unwrap_or_else(|| vm.none()))
    }

    /// Return a dict mapping each thread's identifier to its current stack frame.
    #[function("($module, /)")]
    fn _current_frames(vm: &Vm) -> PyResult<Ref<Dict>> {
        crate::runtime::audit::audit("sys._current_frames", &[], vm)?;
        let frames = vm.new_dict();
        for thread in vm.interp().monitoring.all_threads() {
            // SAFETY: the list holds the states of live threads, whose frames are linked and alive.
            let (id, frame) = unsafe { ((*thread).thread_id.get(), frame::current(&*thread)) };
            if !frame.is_null() {
                // SAFETY: as above.
                let object = unsafe { InterpreterFrame::object(frame, vm) };
                frames.set_item(&vm.new_int(id), object.as_object(), vm)?;
            }
        }
        Ok(frames)
    }

    /// Return a dict mapping each thread's identifier to its current raised exception.
    ///
    /// This function should be used for specialized purposes only.
    #[function("($module, /)")]
    fn _current_exceptions(vm: &Vm) -> PyResult<Ref<Dict>> {
        crate::runtime::audit::audit("sys._current_exceptions", &[], vm)?;
        let exceptions = vm.new_dict();
        for thread in vm.interp().monitoring.all_threads() {
            // SAFETY: as in `_current_frames`; `exc_info` points to items that are alive.
            let (id, mut item) = unsafe { ((*thread).thread_id.get(), (*thread).exc_info.get()) };
            let mut handled = None;
            while handled.is_none() && !item.is_null() {
                // SAFETY: as above.
                unsafe {
                    handled = (*item).exc_value.get().filter(|value| !vm.is_none(value));
                    item = (*item).previous_item.get();
                }
            }
            let handled = handled.unwrap_or_else(|| vm.none());
            exceptions.set_item(&vm.new_int(id), &handled, vm)?;
        }
        Ok(exceptions)
    }

    /// Returns True if a stack trampoline is active.
    #[function("($module, /)")]
    fn is_stack_trampoline_active() -> bool {
        false
    }

    /// Activate stack profiler trampoline *backend*.
    #[function("($module, backend, /)")]
    fn activate_stack_trampoline(_backend: &str, vm: &Vm) -> PyResult<()> {
        Err(vm.value_error("perf trampoline not available"))
    }

    /// Deactivate the current stack profiler trampoline backend.
    ///
    /// If no stack profiler is activated, this function has no effect.
    #[function("($module, /)")]
    fn deactivate_stack_trampoline() {}

    /// ``Intern'' the given string.
    ///
    /// This enters the string in the (global) table of interned strings whose
    /// purpose is to speed up dictionary lookups. Return the string itself or
    /// the previously interned string object with the same value.
    #[function("($module, string, /)")]
    fn intern(string: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        match string.downcast_exact::<Str>() {
            Some(text) => Ok(Str::intern(text.into(), vm)),
            None => match string.downcast_ref::<Str>() {
                Some(_) => Err(vm.type_error(format!("can't intern {}", string.ob_type().name()))),
                None => Err(
                    vm.type_error(format!("intern() argument must be str, not {}", string.ob_type().name()))
                ),
            },
        }
    }

    /// Return True if the given string is "interned".
    #[function("($module, string, /)")]
    fn _is_interned(string: &Str) -> bool {
        string.is_interned()
    }

    /// Return True if the given object is "immortal" per PEP 683.
    #[function("($module, op, /)")]
    fn _is_immortal(op: &Object) -> bool {
        op.is_immortal()
    }

    /// Return True if the GIL is currently enabled and False if the GIL is disabled.
    #[function("($module, /)")]
    fn _is_gil_enabled() -> bool {
        true
    }

    /// Private function for getting PyConfig.cpu_count
    #[function("($module, /)")]
    fn _get_cpu_count_config(vm: &Vm) -> i32 {
        vm.interp().config.borrow().cpu_count
    }

    /// Return whether Python is shutting down.
    #[function("($module, /)")]
    fn is_finalizing(vm: &Vm) -> bool {
        vm.interp().finalizing.get()
    }

    /// Return the maximum string digits limit for non-binary int<->str conversions.
    #[function("($module, /)")]
    fn get_int_max_str_digits(vm: &Vm) -> i32 {
        vm.interp().int_max_str_digits.get()
    }

    /// Set the maximum string digits limit for non-binary int<->str conversions.
    #[function("($module, /, maxdigits)")]
    fn set_int_max_str_digits(maxdigits: i32, vm: &Vm) -> PyResult<()> {
        if maxdigits != 0 && maxdigits < 640 {
            return Err(vm.value_error("maxdigits must be 0 or larger than 640"));
        }
        vm.interp().int_max_str_digits.set(maxdigits);
        Ok(())
    }

    /// Return the current thread switch interval; see sys.setswitchinterval().
    #[function("($module, /)")]
    fn getswitchinterval(vm: &Vm) -> f64 {
        vm.interp().gil.interval.get() as f64 / 1e6
    }

    /// Set the ideal thread switching delay inside the Python interpreter.
    ///
    /// The actual frequency of switching threads can be lower if the
    /// interpreter executes long sequences of uninterruptible code
    /// (this is implementation-specific and workload-dependent).
    ///
    /// The parameter must represent the desired switching delay in seconds
    /// A typical value is 0.005 (5 milliseconds).
    #[function("($module, interval, /)")]
    fn setswitchinterval(interval: f64, vm: &Vm) -> PyResult<()> {
        if interval.is_nan() || interval <= 0.0 {
            return Err(vm.value_error("switch interval must be strictly positive"));
        }
        vm.interp().gil.interval.set((interval * 1e6) as u64);
        Ok(())
    }

    /// Return info about the current exception.
    ///
    /// Return a tuple (type, value, traceback) describing the most recent exception
    /// caught by an except clause in the current stack frame or in an older stack
    /// frame, or (None, None, None) if there is no such clause.
    #[function("($module, /)")]
    fn exc_info(vm: &Vm) -> Ref<Tuple> {
        match vm.handled_exception() {
            None => vm.new_tuple([vm.none(), vm.none(), vm.none()]),
            Some(exception) => {
                let traceback = exception.traceback.get().unwrap_or_else(|| vm.none());
                let tp = exception.as_object().ob_type().as_object().to_ref();
                vm.new_tuple([tp, exception.into_object(), traceback])
            }
        }
    }

    /// Return the current exception.
    ///
    /// Return the most recent exception caught by an except clause
    /// in the current stack frame or in an older stack frame, or None
    /// if there is no such clause.
    #[function("($module, /)")]
    fn exception(vm: &Vm) -> Option<Ref<BaseException>> {
        vm.handled_exception()
    }

    /// Return the number of memory blocks currently allocated.
    #[function("($module, /)")]
    fn getallocatedblocks(vm: &Vm) -> usize {
        crate::runtime::gc::objects(None, vm).len()
    }

    /// Write the state of the memory allocator to stderr: the blocks that this thread keeps for objects to come.
    #[function("($module, /)")]
    fn _debugmallocstats() {
        let mut text = format!(
            "Small block threshold = {}, in {} size classes.\n\nclass   size  blocks kept\n-----   ----  -----------\n",
            taipan_object::alloc::SMALL_LIMIT,
            taipan_object::alloc::CLASSES - 1
        );
        let mut bytes = 0;
        for (class, size, blocks) in taipan_object::alloc::kept_blocks() {
            bytes += size * blocks;
            text.push_str(&format!("{class:5} {size:6} {blocks:12}\n"));
        }
        text.push_str(&format!("\n{bytes} bytes in blocks kept\n"));
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }

    /// Return the number of elements of the unicode interned dictionary
    #[function("($module, /, *, _only_immortal=False)")]
    fn getunicodeinternedsize(_only_immortal: bool, vm: &Vm) -> usize {
        vm.interp().interned.len()
    }

    /// Clear the internal type lookup cache.
    #[function("($module, /)")]
    fn _clear_type_cache(vm: &Vm) -> PyResult<()> {
        crate::builtins::warn::deprecation(
            "sys._clear_type_cache() is deprecated and scheduled for removal in a future version. Use \
             sys._clear_internal_caches() instead.",
            vm,
        )?;
        vm.interp().types.clear_cache();
        Ok(())
    }

    /// Private function for clearing certain descriptors from a type's dictionary.
    ///
    /// See gh-135228 for context.
    #[function("($module, type, /)")]
    fn _clear_type_descriptors(tp: &Type, vm: &Vm) -> PyResult<()> {
        if tp.has_flag(TypeFlags::IMMUTABLETYPE) {
            return Err(vm.type_error("argument is immutable"));
        }
        if let Some(dict) = crate::builtins::type_::lookup::type_dict(tp) {
            for name in [vm.ids().__dict__, vm.ids().__weakref__] {
                dict.pop(name.as_object(), vm)?;
            }
        }
        crate::builtins::type_::lookup::type_modified(tp, vm);
        Ok(())
    }

    /// Clear all internal performance-related caches.
    #[function("($module, /)")]
    fn _clear_internal_caches(vm: &Vm) {
        vm.interp().types.clear_cache();
    }

    /// Private function for getting the base REPL
    #[function("($module, /)")]
    fn _baserepl(vm: &Vm) -> PyResult<()> {
        let main = crate::import::loaded_module(vm.ids().__main__, vm)?;
        match main.as_ref().and_then(|main| main.downcast_ref::<Module>()) {
            Some(main) => crate::runtime::interactive::run(main, vm),
            None => Ok(()),
        }
    }

    /// Return the dlopen() flags: which symbols of extension modules the others see.
    #[function("($module, /)")]
    fn getdlopenflags(vm: &Vm) -> i32 {
        vm.interp().state::<DlopenFlags>().0.get()
    }

    /// Set the flags used by the interpreter for dlopen calls.
    #[function("($module, flags, /)")]
    fn setdlopenflags(flags: i32, vm: &Vm) {
        vm.interp().state::<DlopenFlags>().0.set(flags);
    }

    /// Check status of origin tracking for coroutine objects in this thread.
    #[function("($module, /)")]
    fn get_coroutine_origin_tracking_depth(vm: &Vm) -> i32 {
        vm.coroutine_origin_tracking_depth.get()
    }

    /// Enable or disable origin tracking for coroutine objects in this thread.
    ///
    /// Coroutine objects will track 'depth' frames of traceback information
    /// about where they came from, available in their cr_origin attribute.
    ///
    /// Set a depth of 0 to disable.
    #[function("($module, /, depth)")]
    fn set_coroutine_origin_tracking_depth(depth: i32, vm: &Vm) -> PyResult<()> {
        if depth < 0 {
            return Err(vm.value_error("depth must be >= 0"));
        }
        vm.coroutine_origin_tracking_depth.set(depth);
        Ok(())
    }

    /// Return the installed asynchronous generators hooks.
    ///
    /// This returns a namedtuple of the form (firstiter, finalizer).
    #[function("($module, /)")]
    fn get_asyncgen_hooks(vm: &Vm) -> PyResult {
        let get = |slot: &Slot<Object>| slot.get().unwrap_or_else(|| vm.none());
        ASYNCGEN_HOOKS.instance(vec![get(&vm.async_gen_firstiter), get(&vm.async_gen_finalizer)], vm)
    }

    /// set_asyncgen_hooks([firstiter] [, finalizer])
    ///
    /// Set a finalizer for async generators objects.
    #[function("!($module, /, firstiter=None, finalizer=None)")]
    fn set_asyncgen_hooks(firstiter: Option<&Object>, finalizer: Option<&Object>, vm: &Vm) -> PyResult<()> {
        for (name, given) in [("firstiter", firstiter), ("finalizer", finalizer)] {
            if let Some(hook) = given.filter(|h| !vm.is_none(h) && !h.is_callable()) {
                return Err(vm.type_error(format!("callable {name} expected, got {}", hook.ob_type().name())));
            }
        }
        if let Some(hook) = finalizer {
            vm.async_gen_finalizer.set(Some(hook).filter(|h| !vm.is_none(h)).map(Object::to_ref));
        }
        if let Some(hook) = firstiter {
            vm.async_gen_firstiter.set(Some(hook).filter(|h| !vm.is_none(h)).map(Object::to_ref));
        }
        Ok(())
    }

    /// Passes the event to any hooks that are attached.
    #[function("($module, event, /, *args)")]
    fn audit(event: &Str, args: &[&Object], vm: &Vm) -> PyResult<()> {
        if crate::runtime::audit::is_active(vm) {
            let event = event.to_utf8(vm)?;
            crate::runtime::audit::call_hooks(event, Tuple::from_slice(args, vm), vm)?;
        }
        Ok(())
    }

    /// Adds a new audit hook callback.
    #[function("($module, /, hook)")]
    fn addaudithook(hook: &Object, vm: &Vm) -> PyResult<()> {
        crate::runtime::audit::add_hook(hook, vm)
    }
}

/// `sys.setdlopenflags`.
struct DlopenFlags(std::cell::Cell<i32>);

impl Default for DlopenFlags {
    fn default() -> Self {
        DlopenFlags(std::cell::Cell::new(libc::RTLD_NOW))
    }
}
