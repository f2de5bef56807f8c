//! `_contextvars`: context variables (PEP 567).

use std::cell::Cell;
use std::ffi::c_int;

use taipan_vm::prelude::*;

/// The module.
pub struct ContextVars;

/// A context: variables and their values.
#[repr(C)]
#[derive(Traverse)]
pub struct Context {
    #[traverse(skip)]
    ob: Object,
    /// Absent while there is none; shared with copies, so who changes it takes one of its own (`Context::change`).
    values: Slot<Dict>,
    /// The context that was current when this one was entered.
    previous: Slot<Object>,
    #[traverse(skip)]
    entered: Cell<bool>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

impl Context {
    fn with(values: Option<Ref<Dict>>, vm: &Vm) -> Ref<Context> {
        vm.new_object(Context {
            ob: Object::new(Self::type_object()),
            values: Slot::new(values),
            previous: Slot::empty(),
            entered: Cell::new(false),
            weakrefs: WeakList::new(),
        })
    }

    /// The thread's context, made when there is none.
    fn current(vm: &Vm) -> Ref<Context> {
        if let Some(context) = vm.context.get().and_then(|c| c.downcast::<Context>().ok()) {
            return context;
        }
        let context = Context::with(None, vm);
        vm.context.put(context.clone().into_object());
        vm.context_ver.set(vm.context_ver.get().wrapping_add(1));
        context
    }

    /// A copy of the thread's context.
    pub fn copy_current(vm: &Vm) -> Ref<Context> {
        Context::current(vm).copy(vm)
    }

    /// The value of a variable.
    fn find(&self, var: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        match self.values.get() {
            Some(values) => values.get_item(var, vm),
            None => Ok(None),
        }
    }

    /// The values, to be looked at.
    fn entries(&self, vm: &Vm) -> Ref<Dict> {
        self.values.get().unwrap_or_else(|| vm.new_dict())
    }

    /// The values, to be changed: nobody else has them.
    fn change(&self, vm: &Vm) -> Ref<Dict> {
        let own = match self.values.take() {
            Some(values) if values.as_object().refcount() == 1 => values,
            Some(shared) => shared.copy(vm),
            None => vm.new_dict(),
        };
        self.values.put(own.clone());
        own
    }

    /// Calls `function` while the context is the thread's. Raises `RuntimeError` when it is some thread's already.
    pub fn within<R>(&self, vm: &Vm, function: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        self.enter(vm)?;
        let result = function();
        self.leave(vm);
        result
    }

    /// Makes the context the thread's. Raises `RuntimeError` when it is some thread's already.
    fn enter(&self, vm: &Vm) -> PyResult<()> {
        if self.entered.get() {
            let shown = self.as_object().repr(vm)?;
            return Err(vm.runtime_error(format!(
                "cannot enter context: {} is already entered",
                shown.to_string_lossy()
            )));
        }
        self.entered.set(true);
        self.previous.set(vm.context.replace(Some(self.as_object().to_ref())));
        vm.context_ver.set(vm.context_ver.get().wrapping_add(1));
        Ok(())
    }

    /// Leaves the context for C code, which may have lost count. Raises `RuntimeError` when it is not the thread's.
    fn exit(&self, vm: &Vm) -> PyResult<()> {
        let wrong = |what: &str, vm: &Vm| -> PyResult<()> {
            let shown = self.as_object().repr(vm)?;
            Err(vm.runtime_error(format!("cannot exit context: {} {what}", shown.to_string_lossy())))
        };
        if !self.entered.get() {
            return wrong("has not been entered", vm);
        }
        if !vm.context.get().is_some_and(|current| current.is(self.as_object())) {
            return wrong("is not the current context", vm);
        }
        self.leave(vm);
        Ok(())
    }

    fn leave(&self, vm: &Vm) {
        self.entered.set(false);
        vm.context.set(self.previous.take());
        vm.context_ver.set(vm.context_ver.get().wrapping_add(1));
    }
}

/// `PyContext_Enter`: makes the context the thread's current one.
///
/// # Safety
/// Called on an attached thread with a live object.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "a name of the C API")]
pub unsafe extern "C" fn PyContext_Enter(context: *mut Object) -> c_int {
    // SAFETY: the caller's promise.
    let (vm, context) = unsafe { (Vm::current(), &*context) };
    let entered = match context.downcast_ref::<Context>() {
        Some(context) => context.enter(vm),
        None => Err(vm.type_error("an instance of Context was expected")),
    };
    if entered.is_ok() { 0 } else { -1 }
}

/// `PyContext_Exit`: puts the context back that was current before.
///
/// # Safety
/// As for `PyContext_Enter`.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "a name of the C API")]
pub unsafe extern "C" fn PyContext_Exit(context: *mut Object) -> c_int {
    // SAFETY: the caller's promise.
    let (vm, context) = unsafe { (Vm::current(), &*context) };
    let left = match context.downcast_ref::<Context>() {
        Some(context) => context.exit(vm),
        None => Err(vm.type_error("an instance of Context was expected")),
    };
    if left.is_ok() { 0 } else { -1 }
}

fn check_var<'a>(key: &'a Object, vm: &Vm) -> PyResult<&'a Object> {
    if key.downcast_exact::<ContextVar>().is_some() {
        return Ok(key);
    }
    let shown = key.repr(vm)?;
    Err(vm.type_error(format!("a ContextVar key was expected, got {}", shown.to_string_lossy())))
}

#[pytype(name = "_contextvars.Context", symbol = "PyContext_Type", gc, weakrefs = weakrefs, unhashable, doc = "")]
impl Context {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if args.len() > 0 || kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error("Context() does not accept any arguments"));
        }
        Ok(Context::with(None, vm).into_object())
    }

    /// Call the callable in the context.
    #[method("!($self, /, *args, **kwargs)")]
    fn run(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        let Some((callable, args)) = args.split_first() else {
            return Err(vm.type_error("run() missing 1 required positional argument"));
        };
        self.within(vm, || {
            if kwargs.is_empty() {
                return callable.call(args, vm);
            }
            let kwargs = kwargs.to_dict(vm)?;
            callable.call_tuple_dict(&Tuple::from_slice(args, vm), Some(&kwargs), vm)
        })
    }

    /// Return a shallow copy of the context object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> Ref<Context> {
        Context::with(self.values.get(), vm)
    }

    /// Return the value for `key` if `key` has the value in the context object.
    ///
    /// If `key` does not exist, return `default`. If `default` is not given,
    /// return None.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let found = self.find(check_var(key, vm)?, vm)?;
        Ok(found.unwrap_or_else(|| default.unwrap_or(vm.none_ref()).to_ref()))
    }

    /// Return all variables in their order.
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> PyResult {
        self.entries(vm).as_object().call_method(vm.ids().keys, &[], vm)
    }

    /// Return a list of all variables' values in the context object.
    #[method("($self, /)")]
    fn values(&self, vm: &Vm) -> PyResult {
        self.entries(vm).as_object().call_method(vm.ids().values, &[], vm)
    }

    /// Return all variables and their values in the context object.
    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> PyResult {
        self.entries(vm).as_object().call_method(vm.ids().items, &[], vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.entries(vm).as_object().iter(vm)
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.values.get().map_or(0, |values| values.len()))
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        match self.find(check_var(key, vm)?, vm)? {
            Some(value) => Ok(value),
            None => Err(vm.key_error(key)),
        }
    }

    #[slot]
    fn sq_contains(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(self.find(check_var(key, vm)?, vm)?.is_some())
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Context>(), op) else {
            return Ok(vm.not_implemented());
        };
        self.entries(vm).as_object().rich_compare(other.entries(vm).as_object(), op, vm)
    }
}

/// A context variable.
#[repr(C)]
#[derive(Traverse)]
pub struct ContextVar {
    #[traverse(skip)]
    ob: Object,
    name: Ref<Str>,
    default: Slot<Object>,
}

#[pytype(name = "_contextvars.ContextVar", symbol = "PyContextVar_Type", gc, doc = "")]
impl ContextVar {
    #[new("(name, /, *, default=None)")]
    fn new(_cls: &Type, name: &Object, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<ContextVar>> {
        let Some(name) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error("context variable name must be a str"));
        };
        // A subclass of str may refuse.
        name.as_object().hash(vm)?;
        Ok(vm.new_object(ContextVar {
            ob: Object::new(Self::type_object()),
            name: name.into(),
            default: Slot::new(default.map(Object::to_ref)),
        }))
    }

    /// Return a value for the context variable for the current context.
    ///
    /// If there is no value for the variable in the current context, the method will:
    ///  * return the value of the default argument of the method, if provided; or
    ///  * return the default value for the context variable, if it was created
    ///    with one; or
    ///  * raise a LookupError.
    #[method("($self, default=<unrepresentable>, /)")]
    fn get(&self, default: Option<&Object>, vm: &Vm) -> PyResult {
        let context = Context::current(vm);
        if let Some(value) = context.find(self.as_object(), vm)? {
            return Ok(value);
        }
        match (default, self.default.get()) {
            (Some(default), _) => Ok(default.to_ref()),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(vm.raise_with(types::lookup_error(), vec![self.as_object().to_ref()])),
        }
    }

    /// Call to set a new value for the context variable in the current context.
    ///
    /// The required *value* argument is the new value for the context variable.
    ///
    /// Returns a Token object that can be used to restore the variable to its previous
    /// value via the `ContextVar.reset()` method.
    #[method("($self, value, /)")]
    fn set(&self, value: &Object, vm: &Vm) -> PyResult<Ref<Token>> {
        let context = Context::current(vm);
        let old = context.find(self.as_object(), vm)?;
        context.change(vm).set_item(self.as_object(), value, vm)?;
        // Others keep what they found, by this number.
        vm.context_ver.set(vm.context_ver.get().wrapping_add(1));
        Ok(vm.new_object(Token {
            ob: Object::new(Token::type_object()),
            context,
            var: self.into(),
            old: Slot::new(old),
            used: Cell::new(false),
        }))
    }

    /// Reset the context variable.
    ///
    /// The variable is reset to the value it had before the `ContextVar.set()` that
    /// created the token was used.
    #[method("($self, token, /)")]
    fn reset(&self, token: &Object, vm: &Vm) -> PyResult<()> {
        let Some(token) = token.downcast_exact::<Token>() else {
            return Err(vm.type_error(format!(
                "expected an instance of Token, got {}",
                token.repr(vm)?.to_string_lossy()
            )));
        };
        let shown = || token.as_object().repr(vm).map(|r| r.to_string_lossy().into_owned());
        if token.used.get() {
            return Err(vm.runtime_error(format!("{} has already been used once", shown()?)));
        }
        if !token.var.as_object().is(self.as_object()) {
            return Err(vm.value_error(format!("{} was created by a different ContextVar", shown()?)));
        }
        let context = Context::current(vm);
        if !token.context.as_object().is(context.as_object()) {
            return Err(vm.value_error(format!("{} was created in a different Context", shown()?)));
        }
        token.used.set(true);
        vm.context_ver.set(vm.context_ver.get().wrapping_add(1));
        match token.old.get() {
            Some(old) => context.change(vm).set_item(self.as_object(), &old, vm),
            None => context.change(vm).del_item(self.as_object(), vm).map(drop),
        }
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[getter("name")]
    fn shown_name(&self) -> Ref<Str> {
        self.name.clone()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let name = self.name.as_object().repr(vm)?;
        let default = match self.default.get() {
            Some(default) => format!(" default={}", default.repr(vm)?.to_string_lossy()),
            None => String::new(),
        };
        Ok(format!("<ContextVar name={}{default} at {:p}>", name.to_string_lossy(), self))
    }
}

/// What `ContextVar.set` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct Token {
    #[traverse(skip)]
    ob: Object,
    context: Ref<Context>,
    var: Ref<ContextVar>,
    old: Slot<Object>,
    #[traverse(skip)]
    used: Cell<bool>,
}

#[pytype(name = "_contextvars.Token", symbol = "PyContextToken_Type", gc, no_new, unhashable, doc = "")]
impl Token {
    /// Enter into Token context manager.
    #[method("($self, /)")]
    fn __enter__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    /// Exit from Token context manager, restore the linked ContextVar.
    #[method("($self, type, val, tb, /)")]
    fn __exit__(&self, _tp: &Object, _value: &Object, _tb: &Object, vm: &Vm) -> PyResult<()> {
        self.var.reset(self.as_object(), vm)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[getter]
    fn var(&self) -> Ref<ContextVar> {
        self.var.clone()
    }

    #[getter]
    fn old_value(&self, vm: &Vm) -> PyResult {
        match self.old.get() {
            Some(old) => Ok(old),
            None => Token::type_object().as_object().get_attr(&vm.intern("MISSING"), vm),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let used = if self.used.get() { " used" } else { "" };
        let var = self.var.as_object().repr(vm)?;
        Ok(format!("<Token{used} var={} at {:p}>", var.to_string_lossy(), self))
    }
}

/// The value of `Token.MISSING`.
#[repr(C)]
#[derive(Traverse)]
pub struct Missing {
    #[traverse(skip)]
    ob: Object,
}

#[pytype(name = "Token.MISSING", no_new, doc = "")]
impl Missing {
    #[slot]
    fn tp_repr(&self) -> &'static str {
        "<Token.MISSING>"
    }
}

/// Context Variables
#[pymodule(name = "_contextvars", types(Context, ContextVar, Token))]
impl ContextVars {
    #[function("($module, /)")]
    fn copy_context(vm: &Vm) -> Ref<Context> {
        Context::copy_current(vm)
    }

    #[exec]
    fn exec(_module: &Module, vm: &Vm) -> PyResult<()> {
        let missing = vm.new_object(Missing { ob: Object::new(Missing::type_object()) });
        taipan_vm::builtins::type_::set_constant(Token::type_object(), "MISSING", missing.as_object(), vm)
    }
}
