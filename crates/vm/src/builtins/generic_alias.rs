//! `types.GenericAlias`: `list[int]` (PEP 585).

use std::cell::Cell;

use crate::builtins::builtins_module::builtin;
use crate::prelude::*;

/// The layout of an alias.
#[repr(C)]
#[derive(Traverse)]
pub struct GenericAlias {
    #[traverse(skip)]
    ob: Object,
    origin: ObjRef,
    args: Ref<Tuple>,
    parameters: Slot<Tuple>,
    #[traverse(skip)]
    weakrefs: WeakList,
    #[traverse(skip)]
    starred: Cell<bool>,
}

/// Attributes that are the alias's own; all others are the origin's.
const OWN: [&str; 9] = [
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];

/// Own attributes that look-ups on the class would find as well.
const BLOCKED: [&str; 3] = ["__bases__", "__copy__", "__deepcopy__"];

impl GenericAlias {
    /// `origin[item]`.
    pub fn new(origin: &Object, item: &Object, vm: &Vm) -> ObjRef {
        let args = match item.downcast_ref::<Tuple>() {
            Some(tuple) => tuple.into(),
            None => vm.new_tuple([item.to_ref()]),
        };
        Self::make(origin.to_ref(), args, false, vm).into_object()
    }

    fn make(origin: ObjRef, args: Ref<Tuple>, starred: bool, vm: &Vm) -> Ref<Self> {
        vm.new_object(GenericAlias {
            ob: Object::new(Self::type_object()),
            origin,
            args,
            parameters: Slot::empty(),
            weakrefs: WeakList::new(),
            starred: Cell::new(starred),
        })
    }

    fn parameters(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if let Some(made) = self.parameters.get() {
            return Ok(made);
        }
        let made = collect_parameters(self.args.as_slice(), vm)?;
        self.parameters.put(made.clone());
        Ok(made)
    }
}

/// What `iter(alias)` gives: the alias unpacked, once.
#[repr(C)]
#[derive(Traverse)]
pub struct GenericAliasIterator {
    ob: Object,
    alias: Slot<GenericAlias>,
}

#[pytype(name = "generic_alias_iterator", gc, no_new, doc = "")]
impl GenericAliasIterator {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let function = builtin(vm.ids().iter, vm)?;
        let item = self.alias.get().map_or_else(|| Tuple::empty(vm).into_object(), Ref::into_object);
        Ok(vm.new_tuple([function, vm.new_tuple([item]).into_object()]))
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(alias) = self.alias.take() else { return Ok(None) };
        Ok(Some(GenericAlias::make(alias.origin.clone(), alias.args.clone(), true, vm).into_object()))
    }
}

/// The type parameters among arguments, each once, in order.
pub fn collect_parameters(args: &[ObjRef], vm: &Vm) -> PyResult<Ref<Tuple>> {
    vm.check_recursion(" in __parameter__ calculation")?;
    let mut found: Vec<ObjRef> = Vec::new();
    let add = |found: &mut Vec<ObjRef>, candidate: &ObjRef| {
        if !found.iter().any(|known| known.is(candidate)) {
            found.push(candidate.clone());
        }
    };
    for arg in args {
        if arg.downcast_ref::<Type>().is_some() {
            continue;
        }
        if let Some(nested) = arg.downcast_exact::<Tuple>() {
            for parameter in collect_parameters(nested.as_slice(), vm)?.as_slice() {
                add(&mut found, parameter);
            }
            continue;
        }
        if let Some(nested) = arg.downcast_exact::<List>() {
            for parameter in collect_parameters(&nested.to_vec(), vm)?.as_slice() {
                add(&mut found, parameter);
            }
            continue;
        }
        if arg.lookup_attr(vm.ids().__typing_subst__, vm)?.is_some() {
            add(&mut found, arg);
        } else if let Some(nested) = arg.lookup_attr(vm.ids().__parameters__, vm)? {
            if let Some(nested) = nested.downcast_ref::<Tuple>() {
                for parameter in nested.as_slice() {
                    add(&mut found, parameter);
                }
            }
        }
    }
    Ok(vm.new_tuple(found))
}

/// An argument as the repr shows it.
pub fn show_argument(arg: &Object, vm: &Vm) -> PyResult<String> {
    vm.check_recursion(" while getting the repr of an object")?;
    if arg.is(&vm.ellipsis()) {
        return Ok("...".to_owned());
    }
    if let Some(list) = arg.downcast_exact::<List>() {
        let parts: PyResult<Vec<String>> = list.to_vec().iter().map(|item| show_argument(item, vm)).collect();
        return Ok(format!("[{}]", parts?.join(", ")));
    }
    let has_origin = arg.lookup_attr(vm.ids().__origin__, vm)?.is_some();
    let has_args = arg.lookup_attr(vm.ids().__args__, vm)?.is_some();
    if !(has_origin && has_args) {
        if let Some(qualname) = arg.lookup_attr(vm.ids().__qualname__, vm)? {
            if let Some(module) = arg.lookup_attr(vm.ids().__module__, vm)?.filter(|m| !vm.is_none(m)) {
                let (qualname, module) = (qualname.str(vm)?, module.str(vm)?);
                if module.eq_str("builtins") {
                    return Ok(qualname.to_string_lossy().into_owned());
                }
                return Ok(format!("{}.{}", module.to_string_lossy(), qualname.to_string_lossy()));
            }
        }
    }
    Ok(arg.repr(vm)?.to_string_lossy().into_owned())
}

/// Replaces the parameters of `alias` by `item` in `args`.
pub fn substitute(
    alias: &Object,
    args: &[ObjRef],
    parameters: &Tuple,
    item: &Object,
    vm: &Vm,
) -> PyResult<Ref<Tuple>> {
    let shown = || alias.repr(vm).map(|r| r.to_string_lossy().into_owned());
    if parameters.len() == 0 {
        return Err(vm.type_error(format!("{} is not a generic class", shown()?)));
    }
    let mut item = unpack_item(item, vm)?;
    for parameter in parameters.as_slice() {
        if let Some(prepare) = parameter.lookup_attr(vm.ids().__typing_prepare_subst__, vm)? {
            if !vm.is_none(&prepare) {
                let prepared = prepare.call(&[alias, item.as_object()], vm)?;
                item = match prepared.downcast::<Tuple>() {
                    Ok(tuple) => tuple,
                    Err(one) => vm.new_tuple([one]),
                };
            }
        }
    }
    if item.len() != parameters.len() {
        let relation = if item.len() > parameters.len() { "many" } else { "few" };
        return Err(vm.type_error(format!(
            "Too {relation} arguments for {}; actual {}, expected {}",
            shown()?,
            item.len(),
            parameters.len()
        )));
    }
    let replaced = replace_all(args, parameters, item.as_slice(), vm)?;
    Ok(vm.new_tuple(replaced))
}

fn unpack_item(item: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let given: Vec<ObjRef> = match item.downcast_ref::<Tuple>() {
        Some(tuple) => tuple.as_slice().to_vec(),
        None => vec![item.to_ref()],
    };
    let mut all = Vec::with_capacity(given.len());
    for entry in given {
        if entry.downcast_ref::<Type>().is_none() {
            if let Some(sub) = entry.lookup_attr(vm.ids().__typing_unpacked_tuple_args__, vm)? {
                if let Some(sub) = sub.downcast_ref::<Tuple>() {
                    let open = sub.as_slice().last().is_some_and(|last| last.is(&vm.ellipsis()));
                    if !open {
                        all.extend_from_slice(sub.as_slice());
                        continue;
                    }
                }
            }
        }
        all.push(entry);
    }
    Ok(vm.new_tuple(all))
}

fn replace_all(args: &[ObjRef], parameters: &Tuple, values: &[ObjRef], vm: &Vm) -> PyResult<Vec<ObjRef>> {
    let mut out: Vec<ObjRef> = Vec::with_capacity(args.len());
    for arg in args {
        if arg.downcast_ref::<Type>().is_some() {
            out.push(arg.clone());
            continue;
        }
        if let Some(nested) = arg.downcast_exact::<Tuple>() {
            out.push(vm.new_tuple(replace_all(nested.as_slice(), parameters, values, vm)?).into_object());
            continue;
        }
        if let Some(nested) = arg.downcast_exact::<List>() {
            out.push(vm.new_list(replace_all(&nested.to_vec(), parameters, values, vm)?).into_object());
            continue;
        }
        let unpack = match arg.lookup_attr(vm.ids().__typing_is_unpacked_typevartuple__, vm)? {
            Some(flag) => flag.is_true(vm)?,
            None => false,
        };
        let new = if let Some(subst) = arg.lookup_attr(vm.ids().__typing_subst__, vm)? {
            let at = parameters.as_slice().iter().position(|p| p.is(arg));
            match at.and_then(|at| values.get(at)) {
                Some(value) => subst.call(&[value], vm)?,
                None => arg.clone(),
            }
        } else {
            substitute_nested(arg, parameters, values, vm)?
        };
        match new.downcast_ref::<Tuple>() {
            Some(tuple) if unpack => out.extend_from_slice(tuple.as_slice()),
            _ => out.push(new),
        }
    }
    Ok(out)
}

fn substitute_nested(arg: &ObjRef, parameters: &Tuple, values: &[ObjRef], vm: &Vm) -> PyResult {
    let Some(own) = arg.lookup_attr(vm.ids().__parameters__, vm)? else { return Ok(arg.clone()) };
    let Some(own) = own.downcast_ref::<Tuple>().filter(|t| t.len() > 0) else { return Ok(arg.clone()) };
    let mut chosen: Vec<ObjRef> = Vec::new();
    for parameter in own.as_slice() {
        let at = parameters.as_slice().iter().position(|p| p.is(parameter));
        match at.and_then(|at| values.get(at)) {
            Some(value) => match value.downcast_exact::<Tuple>() {
                Some(tuple) => chosen.extend_from_slice(tuple.as_slice()),
                None => chosen.push(value.clone()),
            },
            None => chosen.push(parameter.clone()),
        }
    }
    arg.get_item(vm.new_tuple(chosen).as_object(), vm)
}

/// Represent a PEP 585 generic type
///
/// E.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).
#[pytype(
    name = "types.GenericAlias",
    symbol = "Py_GenericAliasType",
    flags(BASETYPE),
    gc,
    weakrefs = weakrefs
)]
impl GenericAlias {
    #[new("(origin, args, /)")]
    fn construct(cls: &Type, origin: &Object, args: &Object, vm: &Vm) -> PyResult {
        let args = match args.downcast_ref::<Tuple>() {
            Some(tuple) => tuple.into(),
            None => vm.new_tuple([args.to_ref()]),
        };
        vm.new_instance(
            cls,
            GenericAlias {
                ob: Object::new(Self::type_object()),
                origin: origin.to_ref(),
                args,
                parameters: Slot::empty(),
                weakrefs: WeakList::new(),
                starred: Cell::new(false),
            },
        )
    }

    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _bases: &Object, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([self.origin.clone()])
    }

    #[method("($self, object, /)")]
    fn __instancecheck__(&self, _instance: &Object, vm: &Vm) -> PyResult<bool> {
        Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic"))
    }

    #[method("($self, object, /)")]
    fn __subclasscheck__(&self, _cls: &Object, vm: &Vm) -> PyResult<bool> {
        Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic"))
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if self.starred.get() {
            let plain = GenericAlias::make(self.origin.clone(), self.args.clone(), false, vm);
            let iterator = plain.as_object().iter(vm)?;
            let next = builtin(&vm.intern("next"), vm)?;
            let args = vm.new_tuple([iterator]);
            return Ok(vm.new_tuple([next, args.into_object()]));
        }
        let args = vm.new_tuple([self.origin.clone(), self.args.clone().into_object()]);
        Ok(vm.new_tuple([Self::type_object().as_object().to_ref(), args.into_object()]))
    }

    #[method("($self, /)")]
    fn __dir__(&self, vm: &Vm) -> PyResult {
        let dir = builtin(vm.ids().dir, vm)?;
        let names = dir.call(&[&self.origin], vm)?;
        if let Some(list) = names.downcast_ref::<List>() {
            for own in OWN {
                let own = vm.intern(own).into_object();
                if !names.contains(&own, vm)? {
                    list.append(own);
                }
            }
        }
        Ok(names)
    }

    #[getter]
    fn __origin__(&self) -> ObjRef {
        self.origin.clone()
    }

    #[getter]
    fn __args__(&self) -> Ref<Tuple> {
        self.args.clone()
    }

    #[getter]
    fn __unpacked__(&self) -> bool {
        self.starred.get()
    }

    /// Type variables in the GenericAlias.
    #[getter]
    fn __parameters__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        GenericAlias::parameters(self, vm)
    }

    #[getter]
    fn __typing_unpacked_tuple_args__(&self, vm: &Vm) -> ObjRef {
        if self.starred.get() && self.origin.is(Tuple::type_object().as_object()) {
            return self.args.clone().into_object();
        }
        vm.none()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let mut text = String::new();
        if self.starred.get() {
            text.push('*');
        }
        text.push_str(&show_argument(&self.origin, vm)?);
        text.push('[');
        for (at, arg) in self.args.as_slice().iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            text.push_str(&show_argument(arg, vm)?);
        }
        if self.args.len() == 0 {
            text.push_str("()");
        }
        text.push(']');
        Ok(vm.new_str(&text).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.origin.hash(vm)? ^ self.args.as_object().hash(vm)?)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_ref::<GenericAlias>(), op) else {
            return Ok(vm.not_implemented());
        };
        let same = self.starred.get() == other.starred.get()
            && self.origin.eq(&other.origin, vm)?
            && self.args.as_object().eq(other.args.as_object(), vm)?;
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let object = self.origin.call_tuple_dict(args, kwargs, vm)?;
        // Where the object can't keep it, it is forgotten.
        if object.set_attr(vm.ids().__orig_class__, self.as_object(), vm).is_err() {
            if !vm.exception_matches(types::attribute_error()) && !vm.exception_matches(types::type_error()) {
                return Err(Raised);
            }
            vm.clear_exception();
        }
        Ok(object)
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        let text = name.to_string_lossy();
        let own = OWN.iter().any(|o| *o == text);
        let blocked = BLOCKED.iter().any(|o| *o == text);
        let is_subclass = self.as_object().type_ptr() != GenericAlias::TYPE_PTR;
        if !own && !blocked && !(is_subclass && text.starts_with("__")) {
            return self.origin.get_attr(name, vm);
        }
        crate::protocols::attributes::generic_get(self.as_object(), name, vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> Ref<GenericAliasIterator> {
        let ob = Object::new(GenericAliasIterator::type_object());
        vm.new_object(GenericAliasIterator { ob, alias: Slot::of(Ref::new_ref(self)) })
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        let parameters = GenericAlias::parameters(self, vm)?;
        let args = substitute(self.as_object(), self.args.as_slice(), &parameters, key, vm)?;
        Ok(GenericAlias::make(self.origin.clone(), args, self.starred.get(), vm).into_object())
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        crate::builtins::union::make_union(a, b, vm)
    }
}
