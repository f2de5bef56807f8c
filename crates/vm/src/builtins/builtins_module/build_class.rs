//! `__build_class__`: what a class statement calls.

use super::Builtins;
use crate::builtins::type_::{TypeExt, new::calculate_metaclass};
use crate::prelude::*;

/// Replaces bases that are no types by what their `__mro_entries__` give (PEP 560). The flag says that there were any.
fn resolve_bases(bases: &[&Object], vm: &Vm) -> PyResult<(Vec<ObjRef>, bool)> {
    let original = Tuple::from_slice(bases, vm);
    let (mut resolved, mut changed) = (Vec::with_capacity(bases.len()), false);
    for base in bases {
        if base.downcast_ref::<Type>().is_some() {
            resolved.push(base.to_ref());
            continue;
        }
        let Some(method) = base.lookup_attr(vm.ids().__mro_entries__, vm)? else {
            resolved.push(base.to_ref());
            continue;
        };
        let entries = method.call(&[original.as_object()], vm)?;
        let Some(entries) = entries.downcast_ref::<Tuple>() else {
            return Err(vm.type_error("__mro_entries__ must return a tuple"));
        };
        changed = true;
        resolved.extend_from_slice(entries.as_slice());
    }
    Ok((resolved, changed))
}

#[pyfunctions(table = CLASS_FUNCTIONS)]
impl Builtins {
    /// __build_class__(func, name, /, *bases, [metaclass], **kwds) -> class
    ///
    /// Internal helper function used by the class statement.
    #[function("!(func, name, /, *bases, **kwds)")]
    fn __build_class__(
        func: &Object,
        name: &Object,
        bases: &[&Object],
        kwds: KwArgs<'_>,
        vm: &Vm,
    ) -> PyResult {
        let Some(function) = func.downcast_exact::<Function>() else {
            return Err(vm.type_error("__build_class__: func must be a function"));
        };
        if name.downcast_ref::<Str>().is_none() {
            return Err(vm.type_error("__build_class__: name is not a string"));
        }
        let (resolved, changed) = resolve_bases(bases, vm)?;
        let bases_tuple = vm.new_tuple(resolved);
        let keywords = kwds.to_dict(vm)?;
        let given = keywords.pop(vm.ids().metaclass.as_object(), vm)?;
        let mut metaclass = match given {
            Some(metaclass) => metaclass,
            None => match bases_tuple.as_slice().first() {
                Some(base) => base.ob_type().as_object().to_ref(),
                None => Type::type_type().as_object().to_ref(),
            },
        };
        if let Some(tp) = metaclass.downcast_ref::<Type>() {
            let winner = calculate_metaclass(tp, bases_tuple.as_slice(), vm)?.as_object().to_ref();
            metaclass = winner;
        }
        let namespace = match metaclass.lookup_attr(vm.ids().__prepare__, vm)? {
            Some(prepare) => {
                let args = vm.new_tuple([name.to_ref(), bases_tuple.clone().into_object()]);
                prepare.call_tuple_dict(&args, Some(&keywords), vm)?
            }
            None => vm.new_dict().into_object(),
        };
        if !crate::protocols::container::is_mapping(&namespace) {
            let shown = match metaclass.downcast_ref::<Type>() {
                Some(tp) => tp.name().to_owned(),
                None => "<metaclass>".to_owned(),
            };
            return Err(vm.type_error(format!(
                "{shown}.__prepare__() must return a mapping, not {}",
                namespace.ob_type().name()
            )));
        }
        let cell = crate::interpreter::eval_class_body(function, &namespace, vm)?;
        if changed {
            let original = Tuple::from_slice(bases, vm);
            namespace.set_item(vm.ids().__orig_bases__.as_object(), original.as_object(), vm)?;
        }
        let args = vm.new_tuple([name.to_ref(), bases_tuple.into_object(), namespace.clone()]);
        let cls = metaclass.call_tuple_dict(&args, Some(&keywords), vm)?;
        if let (Some(_), Some(cell)) = (cls.downcast_ref::<Type>(), cell.downcast_exact::<PyCell>()) {
            match cell.contents.get() {
                None => {
                    let shown = name.repr(vm)?;
                    let cls = cls.repr(vm)?;
                    return Err(vm.runtime_error(format!(
                        "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                        shown.to_string_lossy(),
                        cls.to_string_lossy()
                    )));
                }
                Some(set) if !set.is(&cls) => {
                    let (shown, set, cls) = (name.repr(vm)?, set.repr(vm)?, cls.repr(vm)?);
                    return Err(vm.type_error(format!(
                        "__class__ set to {} defining {} as {}",
                        set.to_string_lossy(),
                        shown.to_string_lossy(),
                        cls.to_string_lossy()
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(cls)
    }

    /// Import a module.
    ///
    /// Because this function is meant for use by the Python
    /// interpreter and not for general use, it is better to use
    /// importlib.import_module() to programmatically import a module.
    ///
    /// The globals argument is only used to determine the context;
    /// they are not modified.  The locals argument is unused.  The fromlist
    /// should be a list of names to emulate ``from name import ...``, or an
    /// empty list to emulate ``import name``.
    /// When importing a module from a package, note that __import__('A.B', ...)
    /// returns package A when fromlist is empty, but its submodule B when
    /// fromlist is not empty.  The level argument is used to determine whether to
    /// perform absolute or relative imports: 0 is absolute, while a positive number
    /// is the number of parent directories to search relative to the current module.
    #[function("($module, /, name, globals=None, locals=None, fromlist=(), level=0)")]
    fn __import__(
        name: &Object,
        globals: Option<&Object>,
        _locals: Option<&Object>,
        fromlist: Option<&Object>,
        level: Option<isize>,
        vm: &Vm,
    ) -> PyResult {
        crate::import::import_level(name, globals, fromlist, level.unwrap_or(0), vm)
    }
}
