//! `types.UnionType` and `typing.Union`: `int | str` (PEP 604).

use crate::builtins::generic_alias::{GenericAlias, collect_parameters, show_argument, substitute};
use crate::builtins::set::FrozenSet;
use crate::prelude::*;

/// The layout of a union.
#[repr(C)]
#[derive(Traverse)]
pub struct Union {
    #[traverse(skip)]
    ob: Object,
    args: Ref<Tuple>,
    /// The members that can be hashed, and those that can't.
    hashable: ObjRef,
    unhashable: Ref<Tuple>,
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

/// The union of members, each once; a single one is itself. What can't be hashed is compared with its like only.
pub fn union_of(all: Vec<ObjRef>, vm: &Vm) -> PyResult {
    let mut unique: Vec<ObjRef> = Vec::with_capacity(all.len());
    let hashable = Set::new(vm);
    let mut unhashable: Vec<ObjRef> = Vec::new();
    for member in all {
        let known = if member.hash(vm).is_ok() {
            !hashable.add(&member, vm)?
        } else {
            vm.clear_exception();
            let mut known = false;
            for other in &unhashable {
                known = other.eq(&member, vm)?;
                if known {
                    break;
                }
            }
            if !known {
                unhashable.push(member.clone());
            }
            known
        };
        if !known {
            unique.push(member);
        }
    }
    if let [only] = unique.as_slice() {
        return Ok(only.clone());
    }
    Ok(vm
        .new_object(Union {
            ob: Object::new(Union::type_object()),
            args: vm.new_tuple(unique),
            hashable: FrozenSet::from_iterable(hashable.as_object(), vm)?.into_object(),
            unhashable: vm.new_tuple(unhashable),
            parameters: Slot::empty(),
            weakrefs: WeakList::new(),
        })
        .into_object())
}

/// The union of what `Union[…]` was given: strings and the like are made types by `typing`.
fn union_of_items(items: &[ObjRef], vm: &Vm) -> PyResult {
    let mut all = Vec::new();
    for item in items {
        let checked = if is_unionable(item, vm) { item.clone() } else { typing_check(item, vm)? };
        all.extend(members_of(&checked, vm));
    }
    union_of(all, vm)
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
    #[method("($self, object, /)")]
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
        union_of_items(&items, vm)
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
        let unhashable = self.unhashable.as_slice();
        if unhashable.is_empty() {
            return self.hashable.hash(vm);
        }
        for member in unhashable {
            member.hash(vm)?;
        }
        Err(vm.type_error(format!("union contains {} unhashable elements", unhashable.len())))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Union>(), op) else {
            return Ok(vm.not_implemented());
        };
        let mut same =
            self.hashable.eq(&other.hashable, vm)? && self.unhashable.len() == other.unhashable.len();
        for member in self.unhashable.as_slice() {
            same = same && other.unhashable.as_object().contains(member, vm)?;
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
        union_of_items(args.as_slice(), vm)
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
