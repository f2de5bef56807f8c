//! The exception classes that the modules of `concurrent.interpreters` share.

use std::cell::RefCell;

use taipan_vm::builtins::type_::TypeExt;
use taipan_vm::prelude::*;

/// The classes made so far, by name.
#[derive(Default)]
struct Made(RefCell<Vec<(&'static str, Ref<Type>)>>);

/// A class of `concurrent.interpreters`.
fn class(name: &'static str, base: &Object, vm: &Vm) -> PyResult<Ref<Type>> {
    class_of("concurrent.interpreters", name, base, vm)
}

/// The interpreter's exception class of that module and name, made on first use. Names are used once.
pub(crate) fn class_of(module: &str, name: &'static str, base: &Object, vm: &Vm) -> PyResult<Ref<Type>> {
    let made = vm.interp().state::<Made>();
    if let Some((_, tp)) = made.0.borrow().iter().find(|(known, _)| *known == name) {
        return Ok(tp.clone());
    }
    let dict = vm.new_dict();
    dict.set_str(vm.ids().__module__, vm.intern(module).as_object(), vm)?;
    let bases = vm.new_tuple([base.to_ref()]);
    let args = vm.new_tuple([vm.intern(name).into_object(), bases.into_object(), dict.into_object()]);
    let tp = taipan_vm::builtins::type_::new::type_new(Type::type_type(), &args, None, vm)?;
    let tp = tp.downcast::<Type>().map_err(|_| vm.system_error("no type"))?;
    made.0.borrow_mut().push((name, tp.clone()));
    Ok(tp)
}

/// `InterpreterError`
pub(crate) fn interpreter_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class("InterpreterError", types::exception().as_object(), vm)
}

/// `InterpreterNotFoundError`
pub(crate) fn not_found_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class("InterpreterNotFoundError", interpreter_error(vm)?.as_object(), vm)
}

/// `NotShareableError`
pub(crate) fn not_shareable_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class("NotShareableError", types::type_error().as_object(), vm)
}

/// `QueueError`
pub(crate) fn queue_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class("QueueError", types::runtime_error().as_object(), vm)
}

/// `QueueNotFoundError`
pub(crate) fn queue_not_found_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class("QueueNotFoundError", queue_error(vm)?.as_object(), vm)
}
