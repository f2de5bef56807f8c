//! The current context of a thread or task, and `localcontext`.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;

use super::context::Context;
use super::{made, state};

/// What the context variable gave last, and where.
#[derive(Default)]
pub struct Cache {
    version: Cell<u64>,
    /// The context of variables, and the decimal context that it holds.
    found: RefCell<Option<(ObjRef, Ref<Context>)>>,
}

/// The current context; made from the default one where there is none.
#[inline]
pub fn get(vm: &Vm) -> PyResult<Ref<Context>> {
    let cache = &state(vm).current;
    if cache.version.get() == vm.context_ver.get()
        && let Some((variables, context)) = &*cache.found.borrow()
        && vm.context.as_raw() == variables.as_ptr()
    {
        return Ok(context.clone());
    }
    look_up(vm)
}

#[cold]
fn look_up(vm: &Vm) -> PyResult<Ref<Context>> {
    let variable = made(vm, |made| made.variable.clone())?;
    let found = variable.call_method(vm.ids().get, &[vm.none_ref()], vm)?;
    if let Ok(context) = found.downcast::<Context>() {
        remember(&context, vm);
        return Ok(context);
    }
    let context = made(vm, |made| made.default_context.clone())?.duplicate(vm);
    context.status().set(0);
    store(&context, vm)?;
    Ok(context)
}

fn remember(context: &Ref<Context>, vm: &Vm) {
    let cache = &state(vm).current;
    let entry = vm.context.get().map(|variables| (variables, context.clone()));
    let before = cache.found.replace(entry);
    cache.version.set(vm.context_ver.get());
    drop(before);
}

fn store(context: &Ref<Context>, vm: &Vm) -> PyResult<()> {
    let variable = made(vm, |made| made.variable.clone())?;
    variable.call_method(&vm.intern("set"), &[context.as_object()], vm)?;
    remember(context, vm);
    Ok(())
}

/// Makes a context the current one; the module's own ones are copied.
pub fn set(context: &Context, vm: &Vm) -> PyResult<()> {
    let is_template = made(vm, |made| {
        let templates = [&made.default_context, &made.basic_context, &made.extended_context];
        templates.iter().any(|template| template.as_object().is(context.as_object()))
    })?;
    if is_template {
        let copy = context.duplicate(vm);
        copy.status().set(0);
        return store(&copy, vm);
    }
    store(&Ref::new_ref(context), vm)
}

/// The context that an operation was given, or the current one.
#[inline]
pub fn given(context: Option<&Object>, vm: &Vm) -> PyResult<Ref<Context>> {
    match context.filter(|context| !vm.is_none(context)) {
        None => get(vm),
        Some(context) => match context.downcast_ref::<Context>() {
            Some(context) => Ok(Ref::new_ref(context)),
            None => Err(vm.type_error("optional argument must be a context")),
        },
    }
}

/// What `localcontext` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct ContextManager {
    #[traverse(skip)]
    ob: Object,
    local: Ref<Context>,
    outer: Ref<Context>,
}

/// `localcontext(context, **attributes)`
pub fn local(context: Option<&Object>, attributes: KwArgs<'_>, vm: &Vm) -> PyResult<Ref<ContextManager>> {
    let outer = get(vm)?;
    let local = given(context, vm)?.duplicate(vm);
    for (name, value) in attributes.iter() {
        if !Context::ATTRIBUTES.iter().any(|known| name.eq_str(known)) {
            let name = name.to_string_lossy().into_owned();
            return Err(vm.type_error(format!("this function got an unexpected keyword argument '{name}'")));
        }
        if !vm.is_none(value) {
            local.assign(name, value, vm)?;
        }
    }
    Ok(vm.new_object(ContextManager { ob: Object::new(ContextManager::type_object()), local, outer }))
}

#[pytype(name = "decimal.ContextManager", gc, no_new, doc = "")]
impl ContextManager {
    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult<Ref<Context>> {
        set(&self.local, vm)?;
        Ok(self.local.clone())
    }

    #[method("($self, /, *args)")]
    fn __exit__(&self, _args: &[&Object], vm: &Vm) -> PyResult<()> {
        set(&self.outer, vm)
    }
}
