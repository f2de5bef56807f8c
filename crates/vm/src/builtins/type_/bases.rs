//! `cls.__bases__ = bases`. The `mro()` of a metaclass runs in between, and may assign to the bases of the same class or of
//! others: what an inner assignment has set stays.

use crate::builtins::type_::lookup::type_modified;
use crate::builtins::type_::{mro, new, update};
use crate::prelude::*;

/// A type whose order was made anew, with the new order and the one before.
struct Changed {
    cls: Ref<Type>,
    new: *mut Object,
    old: *mut Object,
}

/// Gives the class other bases; the order and the slots of it and all its subclasses are made anew. Raises `TypeError`
/// when the bases can't be, and whatever `mro()` raises, with nothing changed.
pub fn set_bases(tp: &Type, value: &Object, vm: &Vm) -> PyResult<()> {
    let bases = check_bases(tp, value, vm)?;
    let best = new::best_base(bases.as_slice(), vm)?;
    if let Some(old) = tp.base() {
        if !new::compatible_for_assignment(old, best) {
            return Err(vm.type_error(format!(
                "__bases__ assignment: '{}' object layout differs from '{}'",
                best.name(),
                old.name()
            )));
        }
    }
    let old_bases = tp.tp_bases.replace(value.to_ref().into_raw());
    best.as_object().incref();
    let old_base = tp.tp_base.replace(best).cast_mut().cast::<Object>();
    let mut changed = Vec::new();
    let result = remake_orders(tp, &mut changed, vm);
    let ours = std::ptr::eq(tp.tp_bases.get(), value);
    match &result {
        Ok(()) if ours => {
            let types = &vm.interp().types;
            // SAFETY: the items of both tuples are types, and the tuples are alive.
            unsafe {
                for base in (*old_bases).cast::<Tuple>().as_slice() {
                    types.remove_subclass(base.cast::<Type>(), tp);
                }
                for base in bases.as_slice() {
                    types.add_subclass(base.cast::<Type>(), tp);
                }
            }
        }
        Ok(()) => {}
        Err(_) => {
            for change in &mut changed {
                if std::ptr::eq(change.cls.tp_mro.get(), change.new) {
                    mro::replace_mro(&change.cls, change.old, vm);
                    change.old = change.new;
                }
            }
        }
    }
    let (bases_out, base_out) = if result.is_err() && ours {
        (tp.tp_bases.replace(old_bases), tp.tp_base.replace(old_base.cast()).cast_mut().cast())
    } else {
        (old_bases, old_base)
    };
    // SAFETY: each is what the type owned until it was replaced.
    unsafe {
        taipan_object::object::xdecref(bases_out);
        taipan_object::object::xdecref(base_out);
        for change in &changed {
            taipan_object::object::xdecref(change.old);
        }
    }
    if result.is_ok() && ours {
        refill(tp, vm);
    }
    result
}

/// The bases as a tuple of types that make no cycle.
fn check_bases<'a>(tp: &Type, value: &'a Object, vm: &Vm) -> PyResult<&'a Tuple> {
    let Some(bases) = value.downcast_ref::<Tuple>() else {
        return Err(vm.type_error(format!(
            "can only assign tuple to {}.__bases__, not {}",
            tp.name(),
            value.ob_type().name()
        )));
    };
    if bases.len() == 0 {
        return Err(
            vm.type_error(format!("can only assign non-empty tuple to {}.__bases__, not ()", tp.name()))
        );
    }
    for base in bases.as_slice() {
        let Some(base) = base.downcast_ref::<Type>() else {
            return Err(vm.type_error(format!(
                "{}.__bases__ must be tuple of classes, not '{}'",
                tp.name(),
                base.ob_type().name()
            )));
        };
        if base.is_subtype_of(tp) || in_base_chain(base, tp) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    Ok(bases)
}

/// Whether `tp_base` leads from one type to the other. While an assignment runs, that chain is ahead of the order.
fn in_base_chain(from: &Type, to: &Type) -> bool {
    std::iter::successors(Some(from), |tp| tp.base()).any(|tp| std::ptr::eq(tp, to))
}

fn remake_orders(tp: &Type, changed: &mut Vec<Changed>, vm: &Vm) -> PyResult<()> {
    let Some(old) = mro::set_mro(tp, vm)? else { return Ok(()) };
    // SAFETY: a type is an object of its own static type's layout.
    let cls = unsafe { tp.as_object().to_ref().cast_into::<Type>() };
    changed.push(Changed { new: cls.tp_mro.get(), cls, old });
    for cls in vm.interp().types.subclasses_of(tp) {
        remake_orders(&cls, changed, vm)?;
    }
    Ok(())
}

fn refill(tp: &Type, vm: &Vm) {
    type_modified(tp, vm);
    update::fill_slots(tp, vm);
    for cls in vm.interp().types.subclasses_of(tp) {
        refill(&cls, vm);
    }
}
