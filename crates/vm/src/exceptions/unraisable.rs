//! Exceptions that nobody can receive, such as those of finalisers and callbacks: `sys.unraisablehook`.

use std::fmt::Write as _;

use super::print::{flush, push_traceback, sys_attr, write_stderr};
use crate::builtins::sys_module::UNRAISABLE_HOOK_ARGS;
use crate::builtins::traceback::{Traceback, add_current_frame};
use crate::prelude::*;

/// What `sys.unraisablehook` is told.
pub struct Unraisable {
    /// `exc_type`.
    pub exc_type: ObjRef,
    /// `exc_value`; may be `None`.
    pub exc_value: ObjRef,
    /// `exc_traceback`; may be `None`.
    pub exc_traceback: ObjRef,
    /// `err_msg`; may be `None`.
    pub err_msg: ObjRef,
    /// `object`; may be `None`.
    pub object: ObjRef,
}

/// Reports the waiting exception: "Exception ignored in: OBJECT", or "MESSAGE: OBJECT" with a message.
#[cold]
pub fn write_unraisable(object: Option<&Object>, message: Option<&str>, vm: &Vm) {
    let Some(exception) = vm.take_exception() else { return };
    if exception.traceback.is_none() && add_current_frame(&exception, vm).is_err() {
        vm.clear_exception();
    }
    let what = Unraisable {
        exc_type: exception.as_object().ob_type().as_object().to_ref(),
        exc_traceback: exception.traceback.get().unwrap_or_else(|| vm.none()),
        exc_value: exception.into_object(),
        err_msg: message.map_or_else(|| vm.none(), |message| vm.new_str(message).into_object()),
        object: object.map_or_else(|| vm.none(), Object::to_ref),
    };
    report(&what, vm);
}

/// `write_unraisable` with a message that names an object: "Exception ignored CONTEXT REPR".
#[cold]
pub fn write_unraisable_while(context: &str, object: Option<&Object>, vm: &Vm) {
    let Some(exception) = vm.take_exception() else { return };
    let mut message = format!("Exception ignored {context}");
    if let Some(object) = object {
        match object.repr(vm) {
            Ok(shown) => {
                let _ = write!(message, " {}", shown.to_string_lossy());
            }
            Err(Raised) => {
                vm.clear_exception();
                message.push_str(" <object repr() failed>");
            }
        }
    }
    vm.current_exception.put(exception);
    write_unraisable(None, Some(&message), vm);
}

/// Calls the hook; without one, or when there is no argument for it, shows the exception.
fn report(what: &Unraisable, vm: &Vm) {
    let hook = sys_attr("unraisablehook", vm).filter(|hook| !vm.is_none(hook));
    if let Some(hook) = hook {
        let items = vec![
            what.exc_type.clone(),
            what.exc_value.clone(),
            what.exc_traceback.clone(),
            what.err_msg.clone(),
            what.object.clone(),
        ];
        let called = UNRAISABLE_HOOK_ARGS.instance(items, vm).and_then(|args| hook.call(&[&args], vm));
        if called.is_ok() {
            return;
        }
        let Some(second) = vm.take_exception() else { return };
        let failure = Unraisable {
            exc_type: second.as_object().ob_type().as_object().to_ref(),
            exc_traceback: second.traceback.get().unwrap_or_else(|| vm.none()),
            exc_value: second.into_object(),
            err_msg: vm.new_str("Exception ignored in sys.unraisablehook").into_object(),
            object: hook,
        };
        return display(&failure, vm);
    }
    display(what, vm);
}

/// `sys.unraisablehook`'s own work: message, traceback without carets, and the exception's line, on `sys.stderr`.
pub fn display(what: &Unraisable, vm: &Vm) {
    let file = sys_attr("stderr", vm);
    if file.as_deref().is_some_and(|file| vm.is_none(file)) {
        return;
    }
    let mut text = String::new();
    let message = what.err_msg.downcast_ref::<Str>().map(|message| message.to_string_lossy().into_owned());
    if !vm.is_none(&what.object) {
        let _ = write!(text, "{}: ", message.as_deref().unwrap_or("Exception ignored in"));
        push_or(&mut text, what.object.repr(vm), "<object repr() failed>", vm);
        text.push('\n');
    } else if let Some(message) = message {
        let _ = writeln!(text, "{message}:");
    }
    if let Some(traceback) = what.exc_traceback.downcast_ref::<Traceback>() {
        push_traceback(&mut text, &Ref::new_ref(traceback), vm);
    }
    if !vm.is_none(&what.exc_type) {
        push_type_name(&mut text, &what.exc_type, vm);
        if !vm.is_none(&what.exc_value) {
            text.push_str(": ");
            push_or(&mut text, what.exc_value.str(vm), "<exception str() failed>", vm);
        }
        text.push('\n');
    }
    write_stderr(&text, vm);
    if let Some(file) = file {
        flush(&file, vm);
    }
}

fn push_or(text: &mut String, shown: PyResult<Ref<Str>>, otherwise: &str, vm: &Vm) {
    match shown {
        Ok(shown) => text.push_str(&shown.to_string_lossy()),
        Err(Raised) => {
            vm.clear_exception();
            text.push_str(otherwise);
        }
    }
}

fn push_type_name(text: &mut String, exc_type: &Object, vm: &Vm) {
    let attribute = |name: &Str| match exc_type.lookup_attr(name, vm) {
        Ok(value) => value.and_then(|value| value.downcast::<Str>().ok()),
        Err(Raised) => {
            vm.clear_exception();
            None
        }
    };
    match attribute(vm.ids().__module__) {
        None => text.push_str("<unknown>"),
        Some(module) if module.eq_str("builtins") || module.eq_str("__main__") => {}
        Some(module) => {
            let _ = write!(text, "{}.", module.to_string_lossy());
        }
    }
    match attribute(vm.ids().__qualname__) {
        Some(name) => text.push_str(&name.to_string_lossy()),
        None => text.push_str("<unknown>"),
    }
}
