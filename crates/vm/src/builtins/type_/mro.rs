//! The method resolution order: the C3 merge (PEP 253; "The Python 2.3 Method Resolution Order").

use crate::builtins::type_::lookup::{NO_VERSIONS, lookup, mro, type_modified};
use crate::prelude::*;

/// Sets `tp_mro`, by the metaclass's `mro()` when it has one of its own. Returns the order that it replaced; none when
/// that `mro()` has itself given the type another order, which then stays.
pub fn set_mro(tp: &Type, vm: &Vm) -> PyResult<Option<*mut Object>> {
    let metatype = tp.as_object().ob_type();
    let old = tp.tp_mro.get();
    let method = if std::ptr::eq(metatype, Type::static_type()) {
        None
    } else {
        lookup(metatype, &vm.intern("mro"), vm).map(Object::to_ref)
    };
    // SAFETY: the type of all types is static.
    let own = lookup(unsafe { &*Type::static_type() }, &vm.intern("mro"), vm).map(std::ptr::from_ref);
    let custom =
        method.as_ref().is_some_and(|method| own.is_none_or(|own| !std::ptr::eq(own, &raw const **method)));
    // Kept, so that no other tuple takes its place while the method runs.
    // SAFETY: `tp_mro` is null or a tuple that the type owns.
    let _held = unsafe { old.as_ref() }.map(Object::to_ref);
    let order = match method {
        Some(method) if custom => {
            let result = crate::protocols::attributes::bind(&method, Some(tp.as_object()), metatype, vm)?
                .call_no_args(vm)?;
            check_custom(tp, result.collect_iterable(vm)?, vm)?
        }
        _ => compute(tp, vm)?,
    };
    if !std::ptr::eq(tp.tp_mro.get(), old) {
        return Ok(None);
    }
    replace_mro(tp, Tuple::from_vec(order, vm).into_object().into_raw(), vm);
    if custom {
        // The order may name types that don't know this one as a subclass, and so can't tell it of changes.
        tp.tp_versions_used.set(NO_VERSIONS);
    }
    Ok(Some(old))
}

/// Puts an order in; the one before is the caller's.
pub fn replace_mro(tp: &Type, order: *mut Object, vm: &Vm) {
    tp.tp_mro.set(order);
    type_modified(tp, vm);
}

fn check_custom(tp: &Type, order: Vec<ObjRef>, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    let solid = super::new::solid_base(tp);
    for entry in &order {
        let Some(base) = entry.downcast_ref::<Type>() else {
            return Err(vm.type_error(format!("mro() returned a non-class ('{}')", entry.ob_type().name())));
        };
        if !solid.is_subtype_of(super::new::solid_base(base)) {
            return Err(
                vm.type_error(format!("mro() returned base with unsuitable layout ('{}')", base.name()))
            );
        }
    }
    Ok(order)
}

/// The bases of a type.
pub fn bases(tp: &Type) -> &[ObjRef] {
    // SAFETY: `tp_bases` is null or a tuple that the type owns.
    unsafe { tp.tp_bases.get().as_ref() }.map_or(&[], |bases| unsafe { bases.cast::<Tuple>() }.as_slice())
}

/// The C3 linearisation of a type whose bases are ready.
pub fn compute(tp: &Type, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    let bases = bases(tp);
    let mut result = vec![tp.as_object().to_ref()];
    if let [only] = bases {
        // SAFETY: bases are types.
        result.extend_from_slice(mro(unsafe { only.cast::<Type>() }));
        return Ok(result);
    }
    for (i, base) in bases.iter().enumerate() {
        if bases.iter().skip(i + 1).any(|other| other.is(base)) {
            // SAFETY: bases are types.
            let name = unsafe { base.cast::<Type>() }.name().to_owned();
            return Err(vm.type_error(format!("duplicate base class {name}")));
        }
    }
    // SAFETY: bases are types.
    let mut lists: Vec<&[ObjRef]> = bases.iter().map(|base| mro(unsafe { base.cast::<Type>() })).collect();
    lists.push(bases);
    loop {
        lists.retain(|list| !list.is_empty());
        if lists.is_empty() {
            return Ok(result);
        }
        let next = lists.iter().find_map(|list| {
            let head = list.first()?;
            let blocked = lists.iter().any(|other| other.iter().skip(1).any(|entry| entry.is(head)));
            if blocked { None } else { Some(head.clone()) }
        });
        let Some(next) = next else { return Err(conflict(&lists, vm)) };
        for list in &mut lists {
            if let Some((head, rest)) = list.split_first() {
                if head.is(&next) {
                    *list = rest;
                }
            }
        }
        result.push(next);
    }
}

#[cold]
fn conflict(lists: &[&[ObjRef]], vm: &Vm) -> Raised {
    let mut names: Vec<String> = Vec::new();
    let mut seen: Vec<*mut Object> = Vec::new();
    for head in lists.iter().filter_map(|list| list.first()) {
        if !seen.contains(&head.as_raw()) {
            seen.push(head.as_raw());
            // SAFETY: bases are types.
            names.push(unsafe { head.cast::<Type>() }.name().to_owned());
        }
    }
    vm.type_error(format!(
        "Cannot create a consistent method resolution order (MRO) for bases {}",
        names.join(", ")
    ))
}
