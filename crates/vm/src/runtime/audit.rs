//! Audit events (PEP 578): `sys.audit` and the hooks that listen.

use std::cell::RefCell;

use crate::prelude::*;

/// The interpreter's hooks, in the order in which they were added.
#[derive(Default)]
pub struct AuditHooks(RefCell<Vec<ObjRef>>);

/// Whether anybody listens: events are only made when so.
#[inline]
pub fn is_active(vm: &Vm) -> bool {
    vm.interp().has_audit_hooks.get()
}

/// Adds a hook, after asking those that are there: one that raises an `Exception` refuses it silently.
pub fn add_hook(hook: &Object, vm: &Vm) -> PyResult<()> {
    if let Err(Raised) = audit("sys.addaudithook", &[], vm) {
        if vm.exception_matches(types::exception()) {
            vm.clear_exception();
            return Ok(());
        }
        return Err(Raised);
    }
    vm.interp().state::<AuditHooks>().0.borrow_mut().push(hook.to_ref());
    vm.interp().has_audit_hooks.set(true);
    Ok(())
}

/// Drops all hooks, when the interpreter ends.
pub(super) fn clear_hooks(vm: &Vm) {
    vm.interp().has_audit_hooks.set(false);
    let hooks = std::mem::take(&mut *vm.interp().state::<AuditHooks>().0.borrow_mut());
    drop(hooks);
}

/// Raises an event: calls every hook with the event's name and the tuple of arguments.
#[inline]
pub fn audit(event: &str, args: &[&Object], vm: &Vm) -> PyResult<()> {
    if is_active(vm) { call_hooks(event, Tuple::from_slice(args, vm), vm) } else { Ok(()) }
}

/// The event of an attribute that matters being set.
pub fn audit_setattr(object: &Object, name: &str, value: &Object, vm: &Vm) -> PyResult<()> {
    if !is_active(vm) {
        return Ok(());
    }
    audit("object.__setattr__", &[object, vm.new_str(name).as_object(), value], vm)
}

/// `audit` with the tuple at hand. Hooks run untraced, unless they have a true `__cantrace__`.
#[cold]
pub fn call_hooks(event: &str, args: Ref<Tuple>, vm: &Vm) -> PyResult<()> {
    let hooks: Vec<ObjRef> = vm.interp().state::<AuditHooks>().0.borrow().clone();
    let event = vm.new_str(event);
    let cantrace = vm.intern("__cantrace__");
    for hook in hooks {
        let traced = match hook.lookup_attr(&cantrace, vm)? {
            Some(flag) => flag.is_true(vm)?,
            None => false,
        };
        let depth = if traced { 0 } else { 1 };
        vm.tracing.set(vm.tracing.get() + depth);
        let result = hook.call(&[event.as_object(), args.as_object()], vm);
        vm.tracing.set(vm.tracing.get() - depth);
        result?;
    }
    Ok(())
}
