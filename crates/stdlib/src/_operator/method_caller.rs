//! `methodcaller`.

use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::builtins::str::StrBuilder;

use super::sole_argument;
use taipan_vm::prelude::*;

/// The layout of `methodcaller`.
#[repr(C)]
#[derive(Traverse)]
pub struct MethodCaller {
    #[traverse(skip)]
    ob: Object,
    name: Ref<Str>,
    args: Ref<Tuple>,
    keywords: Option<Ref<Dict>>,
}

/// methodcaller(name, /, *args, **kwargs)
/// --
///
/// Return a callable object that calls the given method on its operand.
/// After f = methodcaller('name'), the call f(r) returns r.name().
/// After g = methodcaller('name', 'date', foo=1), the call g(r) returns
/// r.name('date', foo=1).
#[pytype(name = "operator.methodcaller", gc)]
impl MethodCaller {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let Some((name, rest)) = args.as_slice().split_first() else {
            return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
        };
        let Ok(name) = name.clone().downcast::<Str>() else {
            return Err(vm.type_error("method name must be a string"));
        };
        let name =
            if name.as_object().downcast_exact::<Str>().is_some() { Str::intern(name, vm) } else { name };
        let made = vm.new_object(MethodCaller {
            ob: Object::new(Self::type_object()),
            name,
            args: Tuple::from_refs(rest, vm),
            keywords: kwargs.filter(|kwargs| !kwargs.is_empty()).map(|kwargs| kwargs.copy(vm)),
        });
        Ok(made.into_object())
    }

    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let cls = self.as_object().ob_type().as_object();
        let name = self.name.clone().into_object();
        let Some(keywords) = &self.keywords else {
            let mut all = vec![name];
            all.extend(self.args.as_slice().iter().cloned());
            return Ok(vm.new_tuple([cls.to_ref(), vm.new_tuple(all).into_object()]));
        };
        let functools = taipan_vm::import::import_module("functools", vm)?;
        let partial = functools.get_attr(vm.ids().partial, vm)?;
        let args = vm.new_tuple([cls.to_ref(), name]);
        let constructor = partial.call_tuple_dict(&args, Some(keywords), vm)?;
        Ok(vm.new_tuple([constructor, self.args.clone().into_object()]))
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let object = sole_argument("methodcaller", args, kwargs, vm)?;
        if self.keywords.is_none() {
            return object.call_method(
                &self.name,
                taipan_vm::protocols::native::borrow_all(self.args.as_slice()),
                vm,
            );
        }
        let method = object.get_attr(&self.name, vm)?;
        method.call_tuple_dict(&self.args, self.keywords.as_deref(), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut text = StrBuilder::new();
        text.push_str(self.as_object().ob_type().tp_name_str());
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else {
            text.push_str("(...)");
            return Ok(text.finish(vm));
        };
        text.push_str("(");
        text.push(&*self.name.as_object().repr(vm)?);
        for item in self.args.as_slice() {
            text.push_str(", ");
            text.push(&*item.repr(vm)?);
        }
        for (name, value) in self.keywords.as_ref().map(|keywords| keywords.items_vec()).unwrap_or_default() {
            text.push_str(", ");
            text.push(&*name.str(vm)?);
            text.push_str("=");
            text.push(&*value.repr(vm)?);
        }
        text.push_str(")");
        Ok(text.finish(vm))
    }
}
