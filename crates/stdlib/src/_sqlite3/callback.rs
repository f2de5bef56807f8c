//! Python functions that SQLite calls.

use std::ffi::{CStr, c_char, c_int, c_void};

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{SIMPLE, has_buffer};

use super::{errors, state};

/// What SQLite keeps for a function or collation; SQLite destroys it with `drop_context`.
pub struct Context {
    callable: ObjRef,
}

impl Context {
    /// A context that SQLite is to own.
    pub fn for_sqlite(callable: &Object) -> *mut c_void {
        Box::into_raw(Box::new(Context { callable: callable.to_ref() })).cast()
    }
}

/// Runs something with the GIL, which the thread may have given up before it called SQLite. An exception that waits stays
/// out of sight meanwhile. None when the thread has no state to run Python with.
pub fn with_python<R>(work: impl FnOnce(&Vm) -> R) -> Option<R> {
    if let Some(vm) = Vm::try_current() {
        let waiting = vm.take_exception();
        let result = work(vm);
        if let Some(waiting) = waiting {
            let _ = vm.reraise(waiting);
        }
        return Some(result);
    }
    // SAFETY: a bound state is alive.
    let vm = unsafe { Vm::bound().as_ref() }?;
    vm.interp().gil.acquire(vm);
    // SAFETY: the lock is held from here to the release.
    unsafe { vm.attach() };
    let waiting = vm.take_exception();
    let result = work(vm);
    if let Some(waiting) = waiting {
        let _ = vm.reraise(waiting);
    }
    vm.detach();
    vm.interp().gil.release(vm);
    Some(result)
}

/// Reports the exception of a callback if the program wishes so, and forgets it.
pub fn report(callable: &Object, vm: &Vm) {
    if !state(vm).reports_callbacks.get() {
        vm.clear_exception();
        return;
    }
    let Some(exception) = vm.take_exception() else { return };
    let shown = match callable.repr(vm) {
        Ok(shown) => shown.to_string_lossy().into_owned(),
        Err(Raised) => {
            vm.clear_exception();
            String::new()
        }
    };
    let _ = vm.reraise(exception);
    vm.write_unraisable(None, Some(&format!("Exception ignored on sqlite3 callback {shown}")));
}

/// Destroys a context.
pub unsafe extern "C" fn drop_context(context: *mut c_void) {
    // Without a thread state nobody could run destructors: the context is left alone.
    // SAFETY: SQLite gives back what `for_sqlite` made, once.
    with_python(|_| drop(unsafe { Box::from_raw(context.cast::<Context>()) }));
}

/// The callable of the function that runs.
///
/// # Safety
/// The function was created with a `Context`.
unsafe fn callable(context: *mut sq::sqlite3_context) -> ObjRef {
    // SAFETY: SQLite keeps the context while the function runs.
    unsafe { (*sq::sqlite3_user_data(context).cast::<Context>()).callable.clone() }
}

/// Makes the SQL function fail with a message, or with SQLite's own for two kinds of exception.
fn fail(context: *mut sq::sqlite3_context, callable: &Object, message: &CStr, vm: &Vm) {
    // SAFETY: the context is alive while its function runs; the message is copied.
    unsafe {
        if vm.exception_matches(types::memory_error()) {
            sq::sqlite3_result_error_nomem(context);
        } else if vm.exception_matches(types::overflow_error()) {
            sq::sqlite3_result_error_toobig(context);
        } else {
            sq::sqlite3_result_error(context, message.as_ptr(), -1);
        }
    }
    report(callable, vm);
}

/// A value of SQLite as a Python object.
///
/// # Safety
/// The value is alive.
unsafe fn value(value: *mut sq::sqlite3_value, vm: &Vm) -> PyResult {
    // SAFETY: the caller vouches for the value; texts and blobs are copied at once.
    unsafe {
        Ok(match sq::sqlite3_value_type(value) {
            sq::SQLITE_INTEGER => vm.new_int(sq::sqlite3_value_int64(value)),
            sq::SQLITE_FLOAT => vm.new_float(sq::sqlite3_value_double(value)),
            sq::SQLITE_TEXT => {
                let text = sq::sqlite3_value_text(value);
                let length = sq::sqlite3_value_bytes(value);
                text_object(bytes_at(text.cast(), length), vm)?
            }
            sq::SQLITE_BLOB => {
                let data = sq::sqlite3_value_blob(value);
                let length = sq::sqlite3_value_bytes(value);
                Bytes::try_from_slice(bytes_at(data, length), vm)?.into_object()
            }
            _ => vm.none(),
        })
    }
}

/// Memory of SQLite, which gives null for what is empty.
///
/// # Safety
/// `length` bytes can be read for as long as the slice is used, or `data` is null.
pub unsafe fn bytes_at<'a>(data: *const c_void, length: c_int) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller vouches for the memory.
    unsafe { std::slice::from_raw_parts(data.cast(), usize::try_from(length).unwrap_or(0)) }
}

/// UTF-8 as a str. Raises `UnicodeDecodeError`.
pub fn text_object(text: &[u8], vm: &Vm) -> PyResult {
    match std::str::from_utf8(text) {
        Ok(text) => Ok(vm.new_str(text).into_object()),
        Err(_) => {
            let bytes = vm.new_bytes(text);
            let text = taipan_vm::builtins::str::decode_object(bytes.as_object(), "utf-8", "strict", vm)?;
            Ok(text.into_object())
        }
    }
}

/// The arguments of a call.
///
/// # Safety
/// `values` has `count` values that are alive.
unsafe fn arguments(count: c_int, values: *mut *mut sq::sqlite3_value, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    // SAFETY: the caller vouches for the values.
    (0..usize::try_from(count).unwrap_or(0)).map(|index| unsafe { value(*values.add(index), vm) }).collect()
}

/// Hands a result to SQLite. Raises `ProgrammingError` when it is of no type that SQLite knows.
fn set_result(context: *mut sq::sqlite3_context, result: &Object, vm: &Vm) -> PyResult<()> {
    let length = |data: &[u8], what: &str| {
        c_int::try_from(data.len())
            .map_err(|_| vm.overflow_error(format!("{what} is longer than INT_MAX bytes")))
    };
    // SAFETY: the context is alive while its function runs; texts and blobs are copied.
    unsafe {
        if vm.is_none(result) {
            sq::sqlite3_result_null(context);
        } else if let Some(number) = result.downcast_ref::<Int>() {
            let Some(number) = number.to_i64() else {
                return Err(vm.overflow_error("Python int too large to convert to SQLite INTEGER"));
            };
            sq::sqlite3_result_int64(context, number);
        } else if let Some(number) = result.downcast_ref::<Float>() {
            sq::sqlite3_result_double(context, number.value());
        } else if let Some(text) = result.downcast_ref::<Str>() {
            let text = text.to_utf8(vm)?.as_bytes();
            let length = length(text, "string")?;
            sq::sqlite3_result_text(context, text.as_ptr().cast(), length, sq::SQLITE_TRANSIENT());
        } else if has_buffer(result) {
            let buffer = result.get_buffer(SIMPLE, vm)?;
            let data = buffer.as_bytes();
            let length = length(data, "BLOB")?;
            sq::sqlite3_result_blob(context, data.as_ptr().cast(), length, sq::SQLITE_TRANSIENT());
        } else {
            let given = result.type_name();
            let text = format!("User-defined functions cannot return '{given}' values to SQLite");
            return Err(errors::programming(text, vm));
        }
    }
    Ok(())
}

/// A scalar function.
pub unsafe extern "C" fn function(
    context: *mut sq::sqlite3_context,
    count: c_int,
    values: *mut *mut sq::sqlite3_value,
) {
    with_python(|vm| {
        // SAFETY: SQLite calls with what it was given and with live values.
        let (callable, arguments) = unsafe { (callable(context), arguments(count, values, vm)) };
        let done = arguments.and_then(|arguments| {
            let arguments: Vec<&Object> = arguments.iter().map(|argument| &**argument).collect();
            let result = callable.call(&arguments, vm)?;
            set_result(context, &result, vm)
        });
        if done.is_err() {
            fail(context, &callable, c"user-defined function raised exception", vm);
        }
    });
}

/// The instance of the running aggregate: where SQLite keeps its pointer. None before the first step, unless `create`.
///
/// # Safety
/// The context is that of a running aggregate.
unsafe fn instance_place(context: *mut sq::sqlite3_context, create: bool) -> Option<*mut *mut Object> {
    let size = if create { size_of::<*mut Object>() as c_int } else { 0 };
    // SAFETY: the caller vouches for the context.
    let place = unsafe { sq::sqlite3_aggregate_context(context, size) }.cast::<*mut Object>();
    (!place.is_null()).then_some(place)
}

/// Calls `step` or `inverse` of the aggregate's instance.
unsafe fn feed(
    context: *mut sq::sqlite3_context,
    count: c_int,
    values: *mut *mut sq::sqlite3_value,
    method: &str,
    missing: &CStr,
    failed: &CStr,
) {
    with_python(|vm| {
        // SAFETY: SQLite calls with what it was given, with live values, within an aggregate.
        let (callable, arguments, place) =
            unsafe { (callable(context), arguments(count, values, vm), instance_place(context, true)) };
        let Some(place) = place else {
            // SAFETY: the context is alive.
            unsafe { sq::sqlite3_result_error_nomem(context) };
            return;
        };
        // SAFETY: SQLite gives zeroed memory, which then holds what is written here: a reference, or null.
        let known = unsafe { (*place).as_ref() };
        let instance = match known {
            Some(instance) => instance.to_ref(),
            None => match callable.call_no_args(vm) {
                Ok(instance) => {
                    // SAFETY: the place belongs to this aggregate; `finalize` takes the reference out.
                    unsafe { *place = instance.clone().into_raw() };
                    instance
                }
                Err(Raised) => {
                    return fail(
                        context,
                        &callable,
                        c"user-defined aggregate's '__init__' method raised error",
                        vm,
                    );
                }
            },
        };
        let Ok(function) = instance.get_attr(&vm.intern(method), vm) else {
            return fail(context, &callable, missing, vm);
        };
        let done = arguments.and_then(|arguments| {
            let arguments: Vec<&Object> = arguments.iter().map(|argument| &**argument).collect();
            function.call(&arguments, vm)
        });
        if done.is_err() {
            fail(context, &callable, failed, vm);
        }
    });
}

/// A row goes into an aggregate.
pub unsafe extern "C" fn step(
    context: *mut sq::sqlite3_context,
    count: c_int,
    values: *mut *mut sq::sqlite3_value,
) {
    // SAFETY: as SQLite gives them.
    unsafe {
        feed(
            context,
            count,
            values,
            "step",
            c"user-defined aggregate's 'step' method not defined",
            c"user-defined aggregate's 'step' method raised error",
        );
    }
}

/// A row leaves the window.
pub unsafe extern "C" fn inverse(
    context: *mut sq::sqlite3_context,
    count: c_int,
    values: *mut *mut sq::sqlite3_value,
) {
    // SAFETY: as SQLite gives them.
    unsafe {
        feed(
            context,
            count,
            values,
            "inverse",
            c"user-defined aggregate's 'inverse' method not defined",
            c"user-defined aggregate's 'inverse' method raised error",
        );
    }
}

fn hand_out(
    context: *mut sq::sqlite3_context,
    callable: &Object,
    instance: &Object,
    method: &str,
    missing: &CStr,
    failed: &CStr,
    vm: &Vm,
) {
    let done = instance.get_attr(&vm.intern(method), vm).and_then(|method| method.call_no_args(vm));
    match done {
        Ok(result) => {
            if set_result(context, &result, vm).is_err() {
                fail(context, callable, failed, vm);
            }
        }
        Err(Raised) => {
            let missing_method = vm.exception_matches(types::attribute_error());
            fail(context, callable, if missing_method { missing } else { failed }, vm);
        }
    }
}

/// The value of a window as it is.
pub unsafe extern "C" fn current_value(context: *mut sq::sqlite3_context) {
    with_python(|vm| {
        // SAFETY: SQLite calls with what it was given, within an aggregate.
        let (callable, place) = unsafe { (callable(context), instance_place(context, true)) };
        // SAFETY: the place holds a reference or null.
        let instance = place.and_then(|place| unsafe { (*place).as_ref() }).map(Object::to_ref);
        if let Some(instance) = instance {
            hand_out(
                context,
                &callable,
                &instance,
                "value",
                c"user-defined aggregate's 'value' method not defined",
                c"user-defined aggregate's 'value' method raised error",
                vm,
            );
        }
    });
}

/// The end of an aggregate: gives its result and forgets its instance.
pub unsafe extern "C" fn finalize(context: *mut sq::sqlite3_context) {
    with_python(|vm| {
        // SAFETY: SQLite calls with what it was given, within an aggregate.
        let (callable, place) = unsafe { (callable(context), instance_place(context, false)) };
        let Some(place) = place else { return };
        // SAFETY: the place holds a reference or null; it is emptied with the reference.
        let instance = unsafe {
            let raw = std::mem::replace(&mut *place, std::ptr::null_mut());
            if raw.is_null() {
                return;
            }
            ObjRef::from_raw(raw)
        };
        hand_out(
            context,
            &callable,
            &instance,
            "finalize",
            c"user-defined aggregate's 'finalize' method not defined",
            c"user-defined aggregate's 'finalize' method raised error",
            vm,
        );
    });
}

/// A collation. Its exception waits until the statement has been stepped.
pub unsafe extern "C" fn collate(
    context: *mut c_void,
    length1: c_int,
    text1: *const c_void,
    length2: c_int,
    text2: *const c_void,
) -> c_int {
    let mut raised = None;
    let order = with_python(|vm| {
        // SAFETY: SQLite calls with what it was given and with texts as long as told.
        let (callable, text1, text2) = unsafe {
            let callable = (*context.cast::<Context>()).callable.clone();
            (callable, bytes_at(text1, length1), bytes_at(text2, length2))
        };
        let compare = || {
            let (text1, text2) = (text_object(text1, vm)?, text_object(text2, vm)?);
            let result = callable.call(&[&text1, &text2], vm)?;
            // What is no number counts as equal.
            let Some(order) = result.downcast_ref::<Int>() else {
                return Err(vm.type_error(format!(
                    "'{}' object cannot be interpreted as an integer",
                    result.type_name()
                )));
            };
            Ok(if order.is_negative() { -1 } else { i32::from(order.to_i64() != Some(0)) })
        };
        let order = compare().unwrap_or(0);
        raised = vm.take_exception();
        order
    });
    if let Some(raised) = raised {
        if let Some(vm) = Vm::try_current() {
            let _ = vm.reraise(raised);
        } else {
            // SAFETY: a bound state is alive.
            if let Some(vm) = unsafe { Vm::bound().as_ref() } {
                vm.interp().gil.acquire(vm);
                // SAFETY: the lock is held.
                unsafe { vm.attach() };
                let _ = vm.reraise(raised);
                vm.detach();
                vm.interp().gil.release(vm);
            }
        }
    }
    order.unwrap_or(0)
}

/// A text of SQLite, or None.
///
/// # Safety
/// Null or NUL-terminated.
pub unsafe fn optional_text(text: *const c_char, vm: &Vm) -> PyResult {
    if text.is_null() {
        return Ok(vm.none());
    }
    // SAFETY: the caller vouches for it.
    text_object(unsafe { CStr::from_ptr(text) }.to_bytes(), vm)
}
