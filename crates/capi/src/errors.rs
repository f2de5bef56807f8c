//! Raising, asking about and reporting exceptions (C API manual, "Exception Handling"), and warnings.

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::exceptions::{base, os_error, print};
use taipan_vm::prelude::*;

use crate::support::*;

/// `PyErr_SetObject`: raises `exception`, made of `value` as the raise statement would: an instance stands for itself, a
/// tuple gives the arguments.
pub fn set_object(exception: &Object, value: Option<&Object>, vm: &Vm) -> Raised {
    if !base::is_exception_class(exception) {
        return vm.system_error(format!(
            "_PyErr_SetObject: exception {} is not a BaseException subclass",
            exception.repr(vm).map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy().into_owned())
        ));
    }
    match make_exception(exception, value, vm) {
        Ok(made) => vm.raise_object(made),
        Err(raised) => raised,
    }
}

fn make_exception(exception: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<Ref<BaseException>> {
    if let (Some(value), Some(tp)) = (value, exception.downcast_ref::<Type>()) {
        if value.ob_type().is_subtype_of(tp) {
            if let Some(instance) = value.downcast_ref::<BaseException>() {
                return Ok(instance.into());
            }
        }
    }
    let waiting = vm.take_exception();
    let made = match value.filter(|value| !vm.is_none(value)) {
        None => exception.call_no_args(vm)?,
        Some(value) => match value.downcast_exact::<Tuple>() {
            Some(args) => exception.call_tuple_dict(args, None, vm)?,
            None => exception.call(&[value], vm)?,
        },
    };
    vm.current_exception.set(waiting);
    made.downcast::<BaseException>().map_err(|other| {
        vm.type_error(format!(
            "calling {} should have returned an instance of BaseException, not {}",
            exception.repr(vm).map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy().into_owned()),
            other.ob_type().name()
        ))
    })
}

/// Warns through `warnings.warn`.
pub fn warn(
    category: Option<&Object>,
    message: &Object,
    level: isize,
    source: Option<&Object>,
    vm: &Vm,
) -> PyResult<()> {
    let category = category.unwrap_or_else(|| types::runtime_warning().as_object());
    let warnings = taipan_vm::builtins::warn::machinery(vm)?;
    let function = warnings.get_attr(&vm.intern("warn"), vm)?;
    let level = vm.new_int(level);
    let source = source.unwrap_or(vm.none_ref());
    function.call(&[message, category, &level, source], vm).map(drop)
}

/// Warns through `warnings.warn_explicit`.
pub fn warn_explicit(
    category: Option<&Object>,
    message: &Object,
    filename: &Object,
    line: c_int,
    module: Option<&Object>,
    registry: Option<&Object>,
    vm: &Vm,
) -> PyResult<()> {
    let category = category.unwrap_or_else(|| types::runtime_warning().as_object());
    let warnings = taipan_vm::builtins::warn::machinery(vm)?;
    let function = warnings.get_attr(&vm.intern("warn_explicit"), vm)?;
    let none = vm.none_ref();
    let line = vm.new_int(line);
    function
        .call(&[message, category, filename, &line, module.unwrap_or(none), registry.unwrap_or(none)], vm)
        .map(drop)
}

/// The type, value and traceback of an exception as the old calls give them.
fn triple(exception: Ref<BaseException>) -> (ObjRef, ObjRef, Option<ObjRef>) {
    let tp = exception.as_object().ob_type().as_object().to_ref();
    let traceback = exception.traceback.get();
    (tp, exception.into_object(), traceback)
}

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// `PyErr_SetFromErrno…`: an interrupt runs the signal handlers first, which may raise something else.
fn from_errno(
    exception: &Object,
    first: Option<&Object>,
    second: Option<&Object>,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let code = errno();
    if code == libc::EINTR {
        taipan_vm::runtime::pending::handle(vm)?;
    }
    if exception.is(types::os_error().as_object()) {
        return Err(os_error::raise(code, first, second, vm));
    }
    let text = vm.new_str(&os_error::strerror(code)).into_object();
    let mut args = vec![vm.new_int(code), text];
    if let Some(first) = first {
        args.push(first.to_ref());
        if let Some(second) = second {
            args.push(vm.new_int(0));
            args.push(second.to_ref());
        }
    }
    Err(set_object(exception, Some(vm.new_tuple(args).as_object()), vm))
}

/// Makes an exception class.
fn new_exception_class(
    full: &CStr,
    doc: Option<&CStr>,
    bases: Option<&Object>,
    dict: Option<&Object>,
    vm: &Vm,
) -> PyResult {
    let full = lossy(full);
    let Some((module, name)) = full.rsplit_once('.') else {
        return Err(vm.system_error("PyErr_NewException: name must be module.class"));
    };
    let namespace = match dict {
        Some(dict) => expect::<Dict>(Some(dict), vm)?.copy(vm),
        None => vm.new_dict(),
    };
    if let Some(doc) = doc {
        namespace.set_item(vm.ids().__doc__.as_object(), vm.new_str(&lossy(doc)).as_object(), vm)?;
    }
    if namespace.get_str(vm.ids().__module__, vm)?.is_none() {
        namespace.set_item(vm.ids().__module__.as_object(), vm.new_str(module).as_object(), vm)?;
    }
    let bases = match bases {
        Some(bases) if bases.downcast_ref::<Tuple>().is_some() => bases.to_ref(),
        Some(base) => vm.new_tuple([base.to_ref()]).into_object(),
        None => vm.new_tuple([types::exception().as_object().to_ref()]).into_object(),
    };
    let name = vm.new_str(name);
    crate::type_::type_type().as_object().call(&[name.as_object(), &bases, namespace.as_object()], vm)
}

fn exception<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a BaseException> {
    expect::<BaseException>(object, vm)
}

capi! {
    fn PyErr_SetString(vm, exception: &Object, message: &CStr) -> Void {
        if let Ok(message) = decode_utf8(message.to_bytes(), vm) {
            set_object(exception, Some(message.as_object()), vm);
        }
        Void
    }

    fn PyErr_SetObject(vm, exception: Option<&Object>, value: Option<&Object>) -> Void {
        match exception {
            Some(exception) => {
                set_object(exception, value, vm);
            }
            None => vm.clear_exception(),
        }
        Void
    }

    fn PyErr_SetNone(vm, exception: &Object) -> Void {
        set_object(exception, None, vm);
        Void
    }

    fn _PyErr_SetKeyError(vm, key: &Object) -> Void {
        vm.key_error(key);
        Void
    }

    fn PyErr_Occurred(vm) -> Ptr {
        match vm.current_exception.get() {
            Some(exception) => exception.as_object().ob_type().as_object().as_ptr(),
            None => std::ptr::null_mut(),
        }
    }

    fn PyErr_Clear(vm) -> Void {
        vm.clear_exception();
        Void
    }

    fn PyErr_GivenExceptionMatches(vm, given: Option<&Object>, wanted: Option<&Object>) -> bool {
        match (given, wanted) {
            (Some(given), Some(wanted)) => base::given_exception_matches(given, wanted),
            _ => false,
        }
    }

    fn PyErr_ExceptionMatches(vm, wanted: Option<&Object>) -> bool {
        match (vm.current_exception.get(), wanted) {
            (Some(waiting), Some(wanted)) => base::given_exception_matches(waiting.as_object(), wanted),
            _ => false,
        }
    }

    fn PyErr_GetRaisedException(vm) -> Option<Ref<BaseException>> {
        vm.take_exception()
    }

    fn PyErr_SetRaisedException(vm, exception: Option<ObjRef>) -> Void {
        vm.current_exception.set(exception.and_then(|e| e.downcast::<BaseException>().ok()));
        Void
    }

    fn PyErr_Fetch(vm, tp: *mut Ptr, value: *mut Ptr, traceback: *mut Ptr) -> Void {
        let null = std::ptr::null_mut();
        let (a, b, c) = match vm.take_exception() {
            Some(exception) => {
                let (tp, value, traceback) = triple(exception);
                (tp.into_raw(), value.into_raw(), traceback.map_or(null, Ref::into_raw))
            }
            None => (null, null, null),
        };
        *tp = a;
        *value = b;
        *traceback = c;
        Void
    }

    fn PyErr_Restore(vm, tp: Option<ObjRef>, value: Option<ObjRef>, traceback: Option<ObjRef>) -> Void {
        let Some(tp) = tp else {
            vm.clear_exception();
            return Void;
        };
        match make_exception(&tp, value.as_deref(), vm) {
            Ok(made) => {
                if let Some(traceback) = traceback.filter(|t| !vm.is_none(t)) {
                    made.traceback.put(traceback);
                }
                vm.current_exception.put(made);
            }
            Err(Raised) => {}
        }
        Void
    }

    fn PyErr_NormalizeException(vm, tp: *mut Ptr, value: *mut Ptr, traceback: *mut Ptr) -> Void {
        let Some(class) = (*tp).as_ref() else { return Void };
        let made = match make_exception(class, (*value).as_ref(), vm) {
            Ok(made) => made,
            Err(Raised) => match vm.take_exception() {
                Some(other) => other,
                None => return Void,
            },
        };
        let new_type = made.as_object().ob_type().as_object().to_ref();
        let old_type = std::mem::replace(&mut *tp, new_type.into_raw());
        let old_value = std::mem::replace(&mut *value, made.into_object().into_raw());
        taipan_object::object::xdecref(old_type);
        taipan_object::object::xdecref(old_value);
        let _ = traceback;
        Void
    }

    fn PyErr_GetHandledException(vm) -> Option<Ref<BaseException>> {
        vm.handled_exception()
    }

    fn PyErr_SetHandledException(vm, exception: Option<&Object>) -> Void {
        (*vm.exc_info.get()).exc_value.set(exception.filter(|e| !vm.is_none(e)).map(Object::to_ref));
        Void
    }

    fn PyErr_GetExcInfo(vm, tp: *mut Ptr, value: *mut Ptr, traceback: *mut Ptr) -> Void {
        let null = std::ptr::null_mut();
        let (a, b, c) = match vm.handled_exception() {
            Some(exception) => {
                let (tp, value, traceback) = triple(exception);
                (tp.into_raw(), value.into_raw(), traceback.map_or(null, Ref::into_raw))
            }
            None => (null, null, null),
        };
        *tp = a;
        *value = b;
        *traceback = c;
        Void
    }

    fn PyErr_SetExcInfo(vm, tp: Option<ObjRef>, value: Option<ObjRef>, traceback: Option<ObjRef>) -> Void {
        (*vm.exc_info.get()).exc_value.set(value.filter(|e| !vm.is_none(e)));
        drop((tp, traceback));
        Void
    }

    fn _PyErr_ChainExceptions1(vm, exception: Option<ObjRef>) -> Void {
        let Some(Ok(old)) = exception.map(|e| e.downcast::<BaseException>()) else { return Void };
        match vm.current_exception.get() {
            Some(raised) => raised.context.put(old.into_object()),
            None => vm.current_exception.put(old),
        }
        Void
    }

    fn PyErr_NoMemory(vm) -> PyResult {
        Err(vm.memory_error())
    }

    fn PyErr_BadArgument(vm) -> c_int {
        vm.type_error("bad argument type for built-in operation");
        0
    }

    fn PyErr_BadInternalCall(vm) -> Void {
        bad_internal_call(vm);
        Void
    }

    fn _PyErr_BadInternalCall(vm, filename: &CStr, line: c_int) -> Void {
        vm.system_error(format!("{}:{line}: bad argument to internal function", lossy(filename)));
        Void
    }

    fn PyErr_SetFromErrno(vm, exception: &Object) -> PyResult {
        from_errno(exception, None, None, vm)
    }

    fn PyErr_SetFromErrnoWithFilename(vm, exception: &Object, filename: Option<&CStr>) -> PyResult {
        // Decoding must not change the number that is reported.
        let code = errno();
        let filename = filename.map(|name| taipan_vm::protocols::path::decode(name.to_bytes(), vm));
        *libc::__errno_location() = code;
        from_errno(exception, filename.as_deref().map(AsObject::as_object), None, vm)
    }

    fn PyErr_SetFromErrnoWithFilenameObject(vm, exception: &Object, filename: Option<&Object>) -> PyResult {
        from_errno(exception, filename, None, vm)
    }

    fn PyErr_SetFromErrnoWithFilenameObjects(vm, exception: &Object, first: Option<&Object>, second: Option<&Object>) -> PyResult {
        from_errno(exception, first, second, vm)
    }

    fn PyErr_SetImportError(vm, message: Option<&Object>, name: Option<&Object>, path: Option<&Object>) -> PyResult {
        let Some(message) = message else { return Err(vm.type_error("expected a message argument")) };
        let text = message.str(vm)?;
        Err(taipan_vm::exceptions::import_error::raise_import_error(types::import_error(), &text, name, path, None, vm))
    }

    fn PyErr_SetImportErrorSubclass(vm, exception: &Object, message: Option<&Object>, name: Option<&Object>, path: Option<&Object>) -> PyResult {
        let Some(message) = message else { return Err(vm.type_error("expected a message argument")) };
        let made = exception.call(&[message], vm)?;
        made.set_attr(&vm.intern("name"), name.unwrap_or(vm.none_ref()), vm)?;
        made.set_attr(&vm.intern("path"), path.unwrap_or(vm.none_ref()), vm)?;
        Err(set_object(exception, Some(&made), vm))
    }

    fn PyErr_SyntaxLocation(vm, filename: Option<&CStr>, line: c_int) -> Void {
        let filename = filename.map(|f| taipan_vm::protocols::path::decode(f.to_bytes(), vm).into_object());
        syntax_location(filename.as_deref(), line, -1, vm);
        Void
    }

    fn PyErr_SyntaxLocationEx(vm, filename: Option<&CStr>, line: c_int, column: c_int) -> Void {
        let filename = filename.map(|f| taipan_vm::protocols::path::decode(f.to_bytes(), vm).into_object());
        syntax_location(filename.as_deref(), line, column, vm);
        Void
    }

    fn PyErr_SyntaxLocationObject(vm, filename: Option<&Object>, line: c_int, column: c_int) -> Void {
        syntax_location(filename, line, column, vm);
        Void
    }

    fn PyErr_NewException(vm, name: &CStr, base: Option<&Object>, dict: Option<&Object>) -> PyResult {
        new_exception_class(name, None, base, dict, vm)
    }

    fn PyErr_NewExceptionWithDoc(vm, name: &CStr, doc: Option<&CStr>, base: Option<&Object>, dict: Option<&Object>) -> PyResult {
        new_exception_class(name, doc, base, dict, vm)
    }

    fn PyErr_WriteUnraisable(vm, object: Option<&Object>) -> Void {
        vm.write_unraisable(object, None);
        Void
    }

    fn PyErr_Print(vm) -> Void {
        print_waiting(true, vm);
        Void
    }

    fn PyErr_PrintEx(vm, set_last: c_int) -> Void {
        print_waiting(set_last != 0, vm);
        Void
    }

    fn PyErr_DisplayException(vm, exception: Option<&Object>) -> Void {
        if let Some(exception) = exception.and_then(Object::downcast_ref::<BaseException>) {
            print::display(exception, vm);
        }
        Void
    }

    fn PyErr_Display(vm, tp: Option<&Object>, value: Option<&Object>, traceback: Option<&Object>) -> Void {
        if let Some(exception) = value.and_then(Object::downcast_ref::<BaseException>) {
            if let Some(traceback) = traceback.filter(|t| !vm.is_none(t)) {
                if exception.traceback.is_none() {
                    exception.traceback.put(traceback.to_ref());
                }
            }
            print::display(exception, vm);
        }
        Void
    }

    fn PyErr_CheckSignals(vm) -> PyResult<()> {
        taipan_vm::runtime::pending::handle(vm)
    }

    fn PyErr_WarnEx(vm, category: Option<&Object>, text: &CStr, level: isize) -> PyResult<()> {
        let message = decode_utf8(text.to_bytes(), vm)?;
        warn(category, message.as_object(), level, None, vm)
    }

    fn PyErr_WarnExplicit(
        vm, category: Option<&Object>, text: &CStr, filename: &CStr, line: c_int, module: Option<&CStr>, registry: Option<&Object>,
    ) -> PyResult<()> {
        let message = decode_utf8(text.to_bytes(), vm)?;
        let filename = taipan_vm::protocols::path::decode(filename.to_bytes(), vm);
        let module = module.map(|m| decode_utf8(m.to_bytes(), vm)).transpose()?;
        let module = module.as_deref().map(AsObject::as_object);
        warn_explicit(category, message.as_object(), filename.as_object(), line, module, registry, vm)
    }

    fn PyErr_WarnExplicitObject(
        vm, category: Option<&Object>, message: &Object, filename: &Object, line: c_int, module: Option<&Object>, registry: Option<&Object>,
    ) -> PyResult<()> {
        warn_explicit(category, message, filename, line, module, registry, vm)
    }

    fn PyException_GetTraceback(vm, object: Option<&Object>) -> PyResult<Option<ObjRef>> {
        Ok(exception(object, vm)?.traceback.get())
    }

    fn PyException_SetTraceback(vm, object: Option<&Object>, traceback: Option<&Object>) -> PyResult<()> {
        let exception = exception(object, vm)?;
        match traceback {
            Some(value) if vm.is_none(value) => exception.traceback.set(None),
            Some(value) if value.downcast_ref::<taipan_vm::builtins::traceback::Traceback>().is_some() => {
                exception.traceback.put(value.to_ref());
            }
            _ => return Err(vm.type_error("__traceback__ must be a traceback or None")),
        }
        Ok(())
    }

    fn PyException_GetContext(vm, object: Option<&Object>) -> PyResult<Option<ObjRef>> {
        Ok(exception(object, vm)?.context.get())
    }

    fn PyException_SetContext(vm, object: Option<&Object>, context: Option<ObjRef>) -> Void {
        if let Ok(exception) = exception(object, vm) {
            exception.context.set(context);
        }
        Void
    }

    fn PyException_GetCause(vm, object: Option<&Object>) -> PyResult<Option<ObjRef>> {
        Ok(exception(object, vm)?.cause.get())
    }

    fn PyException_SetCause(vm, object: Option<&Object>, cause: Option<ObjRef>) -> Void {
        if let Ok(exception) = exception(object, vm) {
            exception.set_cause(cause);
        }
        Void
    }

    fn PyException_GetArgs(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        Ok(exception(object, vm)?.args(vm))
    }

    fn PyException_SetArgs(vm, object: Option<&Object>, args: Option<&Object>) -> Void {
        if let (Ok(exception), Some(args)) = (exception(object, vm), args.and_then(Object::downcast_ref::<Tuple>)) {
            exception.args.put(args.into());
        }
        Void
    }

    fn PyExceptionClass_Name(vm, class: &Object) -> *const c_char {
        class.downcast_ref::<Type>().map_or(std::ptr::null(), |tp| tp.tp_name.get())
    }

    fn PyUnicodeDecodeError_Create(
        vm, encoding: &CStr, data: *const c_char, length: isize, start: isize, end: isize, reason: &CStr,
    ) -> PyResult<Ref<BaseException>> {
        let bytes = vm.new_bytes(bytes_at(data.cast(), size(length, vm)?));
        taipan_vm::exceptions::unicode_error::new_decode_error(
            &lossy(encoding), bytes.as_object(), size(start, vm)?, size(end, vm)?, &lossy(reason), vm,
        )
    }

    fn PyUnstable_Exc_PrepReraiseStar(vm, original: &Object, exceptions: &Object) -> PyResult {
        let list = expect::<List>(Some(exceptions), vm)?.to_vec();
        taipan_vm::exceptions::group::prep_reraise_star(original, &list, vm)
    }

    fn PyTraceBack_Print(vm, traceback: Option<&Object>, file: &Object) -> PyResult<()> {
        let Some(traceback) = traceback.filter(|t| !vm.is_none(t)) else { return Ok(()) };
        let module = taipan_vm::import::import_module("traceback", vm)?;
        let print = module.get_attr(&vm.intern("print_tb"), vm)?;
        print.call(&[traceback, vm.none_ref(), file], vm).map(drop)
    }

    fn Py_ReprEnter(vm, object: &Object) -> PyResult<c_int> {
        let running = vm.repr_running.try_borrow_mut().map_err(|_| vm.runtime_error("repr list is in use"));
        let mut running = running?;
        if running.contains(&object.as_ptr()) {
            return Ok(1);
        }
        running.push(object.as_ptr());
        Ok(0)
    }

    fn Py_ReprLeave(vm, object: &Object) -> Void {
        if let Ok(mut running) = vm.repr_running.try_borrow_mut() {
            if let Some(at) = running.iter().rposition(|&op| op == object.as_ptr()) {
                running.remove(at);
            }
        }
        Void
    }

    fn Py_EnterRecursiveCall(vm, place: &CStr) -> PyResult<()> {
        vm.check_recursion(&lossy(place))
    }

    fn Py_LeaveRecursiveCall(vm) -> Void {
        Void
    }
}

/// Gives the waiting `SyntaxError` its place.
fn syntax_location(filename: Option<&Object>, line: c_int, column: c_int, vm: &Vm) {
    let Some(exception) = vm.take_exception() else { return };
    let object = exception.as_object();
    let none = vm.none_ref();
    let column = if column >= 0 { vm.new_int(column) } else { vm.none() };
    let line = vm.new_int(line);
    for (name, value) in [
        ("lineno", &*line),
        ("offset", &*column),
        ("end_lineno", none),
        ("filename", filename.unwrap_or(none)),
    ] {
        if object.set_attr(&vm.intern(name), value, vm).is_err() {
            vm.clear_exception();
        }
    }
    vm.current_exception.set(Some(exception));
}

/// `PyErr_PrintEx`. `SystemExit` ends the process.
fn print_waiting(set_last: bool, vm: &Vm) {
    let Some(exception) = vm.take_exception() else { return };
    if let Some(status) = print::handle_system_exit(&exception, vm) {
        let status = taipan_vm::runtime::finish::finish(vm, status);
        std::process::exit(status);
    }
    if set_last {
        if let Some(sys) = vm.interp().sys_dict.get() {
            let object = exception.as_object();
            let tp = object.ob_type().as_object().to_ref();
            let traceback = exception.traceback.get().unwrap_or_else(|| vm.none());
            for (name, value) in [
                ("last_exc", object),
                ("last_type", &*tp),
                ("last_value", object),
                ("last_traceback", &*traceback),
            ] {
                if sys.set_item(vm.intern(name).as_object(), value, vm).is_err() {
                    vm.clear_exception();
                }
            }
        }
    }
    print::print_uncaught(exception, vm);
}
