//! `types.UnionType` and `typing.Union`: `int | str` (PEP 604).

use crate::builtins::generic_alias::{GenericAlias, collect_parameters, show_argument, substitute};
use crate::prelude::*;

/// The layout of a union.
#[repr(C)]
#[derive(Traverse)]
pub struct Union {
    #[traverse(skip)]
    ob: Object,
    args: Ref<Tuple>,
    parameters: Slot<Tuple>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// Whether an operand of `|` can be part of a union.
fn is_unionable(object: &Object, vm: &Vm) -> bool {
    vm.is_none(object)
        || object.downcast_ref::<Type>().is_some()
        || object.downcast_ref::<GenericAlias>().is_some()
        || object.downcast_exact::<Union>().is_some()
        || object.downcast_exact::<crate::builtins::typevars::TypeAliasType>().is_some()
}

/// The members that an operand brings in.
pub(crate) fn members_of(object: &Object, vm: &Vm) -> Vec<ObjRef> {
    if let Some(union) = object.downcast_exact::<Union>() {
        return union.members();
    }
    if vm.is_none(object) {
        return vec![object.ob_type().as_object().to_ref()];
    }
    vec![object.to_ref()]
}

/// `a | b` of types; `NotImplemented` when one is none.
pub fn make_union(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    if !is_unionable(a, vm) || !is_unionable(b, vm) {
        return Ok(vm.not_implemented());
    }
    let mut all = members_of(a, vm);
    all.extend(members_of(b, vm));
    union_of(all, vm)
}

/// The union of members, each once; a single one is itself.
pub fn union_of(all: Vec<ObjRef>, vm: &Vm) -> PyResult {
    let mut unique: Vec<ObjRef> = Vec::with_capacity(all.len());
    for member in all {
        let mut known = false;
        for other in &unique {
            if member.is(other) || member.eq(other, vm)? {
                known = true;
                break;
            }
        }
        if !known {
            unique.push(member);
        }
    }
    match unique.as_slice() {
        [only] => Ok(only.clone()),
        _ => Ok(vm
            .new_object(Union {
                ob: Object::new(Union::type_object()),
                args: vm.new_tuple(unique),
                parameters: Slot::empty(),
                weakrefs: WeakList::new(),
            })
            .into_object()),
    }
}

impl Union {
    /// The members.
    pub fn members(&self) -> Vec<ObjRef> {
        self.args.as_slice().to_vec()
    }
}

/// Represent a union type
///
/// E.g. for int | str
#[pytype(name = "typing.Union", symbol = "_PyUnion_Type", gc, weakrefs = weakrefs, no_new)]
impl Union {
    #[method("($self, bases, /)")]
    fn __mro_entries__(&self, _bases: &Object, vm: &Vm) -> PyResult {
        let shown = self.as_object().repr(vm)?;
        Err(vm.type_error(format!("Cannot subclass {}", shown.to_string_lossy())))
    }

    /// Typing support: `Union[int, str]`.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(_cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        let items: Vec<ObjRef> = match object.downcast_ref::<Tuple>() {
            Some(tuple) => tuple.as_slice().to_vec(),
            None => vec![object.to_ref()],
        };
        if items.is_empty() {
            return Err(vm.type_error("Cannot take a Union of no types."));
        }
        let mut all = Vec::new();
        for item in items {
            let checked = if is_unionable(&item, vm) { item } else { typing_check(&item, vm)? };
            all.extend(members_of(&checked, vm));
        }
        union_of(all, vm)
    }

    #[getter]
    fn __args__(&self) -> Ref<Tuple> {
        self.args.clone()
    }

    /// Type variables in the types.UnionType.
    #[getter]
    fn __parameters__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if let Some(made) = self.parameters.get() {
            return Ok(made);
        }
        let made = collect_parameters(self.args.as_slice(), vm)?;
        self.parameters.put(made.clone());
        Ok(made)
    }

    #[getter]
    fn __origin__(&self) -> ObjRef {
        Union::type_object().as_object().to_ref()
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        "Union"
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        "Union"
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let mut parts = Vec::new();
        for arg in self.args.as_slice() {
            let none_type = vm.none_ref().ob_type().as_object();
            parts.push(if arg.is(none_type) { "None".to_owned() } else { show_argument(arg, vm)? });
        }
        Ok(vm.new_str(&parts.join(" | ")).into_object())
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let set = crate::builtins::set::FrozenSet::from_iterable(self.args.as_object(), vm)?;
        set.as_object().hash(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Union>(), op) else {
            return Ok(vm.not_implemented());
        };
        let mut same = self.args.len() == other.args.len();
        for arg in self.args.as_slice() {
            same = same && other.args.as_object().contains(arg, vm)?;
        }
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        if name.eq_str("__module__") {
            return Ok(vm.ids().typing.as_object().to_ref());
        }
        crate::protocols::attributes::generic_get(self.as_object(), name, vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        let parameters = self.__parameters__(vm)?;
        let args = substitute(self.as_object(), self.args.as_slice(), &parameters, key, vm)?;
        let mut all = Vec::new();
        for arg in args.as_slice() {
            all.extend(members_of(arg, vm));
        }
        union_of(all, vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        make_union(a, b, vm)
    }
}

/// What `typing` makes of something that is no type by itself, such as a string.
fn typing_check(item: &Object, vm: &Vm) -> PyResult {
    let typing = crate::import::import_module("typing", vm)?;
    let message = vm.new_str("Union[arg, ...]: each arg must be a type.");
    typing.call_method(&vm.intern("_type_check"), &[item, message.as_object()], vm)
}
