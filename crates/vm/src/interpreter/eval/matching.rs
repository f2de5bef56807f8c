//! Structural pattern matching (PEP 634).

use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::attributes::lookup_attr;

/// `GET_LEN`: pushes the length of the subject, which stays.
#[inline(never)]
pub unsafe fn get_len(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let length = s.object(1).length(vm)?;
        Ok(s.push(StackRef::owned(vm.new_int(length))))
    }
}

/// `MATCH_CLASS`: subject, class and keyword names; leaves a tuple of the attributes or `None`.
#[inline(never)]
pub unsafe fn match_class(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler pushed a tuple of names.
    unsafe {
        let (subject, class, names) = (s.object(3), s.object(2), s.object(1).cast::<Tuple>());
        let attributes = class_attributes(subject, class, oparg, names, vm)?;
        let result = match attributes {
            Some(items) => vm.new_tuple(items).into_object(),
            None => vm.none(),
        };
        Ok(s.replace(3, result))
    }
}

fn class_attributes(
    subject: &Object,
    class: &Object,
    positional: usize,
    names: &Tuple,
    vm: &Vm,
) -> PyResult<Option<Vec<ObjRef>>> {
    let Some(tp) = class.downcast_ref::<Type>() else {
        return Err(vm.type_error("called match pattern must be a class"));
    };
    if !subject.is_instance(class, vm)? {
        return Ok(None);
    }
    let mut seen: Vec<ObjRef> = Vec::new();
    let mut found = Vec::with_capacity(positional + names.len());
    if positional > 0 {
        let mut match_self = false;
        let declared = lookup_attr(class, vm.ids().__match_args__, vm)?;
        let declared = match &declared {
            Some(declared) => match declared.downcast_exact::<Tuple>() {
                Some(tuple) => tuple.as_slice().to_vec(),
                None => {
                    return Err(vm.type_error(format!(
                        "{}.__match_args__ must be a tuple (got {})",
                        tp.tp_name_str(),
                        declared.ob_type().tp_name_str()
                    )));
                }
            },
            None => {
                match_self = tp.has_flag(TypeFlags::MATCH_SELF);
                Vec::new()
            }
        };
        let allowed = if match_self { 1 } else { declared.len() };
        if allowed < positional {
            let plural = if allowed == 1 { "" } else { "s" };
            return Err(vm.type_error(format!(
                "{}() accepts {allowed} positional sub-pattern{plural} ({positional} given)",
                tp.tp_name_str()
            )));
        }
        if match_self {
            found.push(subject.to_ref());
        } else {
            for name in declared.iter().take(positional) {
                let Some(text) = name.downcast_ref::<Str>() else {
                    return Err(vm.type_error(format!(
                        "__match_args__ elements must be strings (got {})",
                        name.ob_type().tp_name_str()
                    )));
                };
                match match_attribute(subject, tp, text, &mut seen, vm)? {
                    Some(value) => found.push(value),
                    None => return Ok(None),
                }
            }
        }
    }
    for name in names.as_slice() {
        let Some(text) = name.downcast_ref::<Str>() else { continue };
        match match_attribute(subject, tp, text, &mut seen, vm)? {
            Some(value) => found.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn match_attribute(
    subject: &Object,
    class: &Type,
    name: &Str,
    seen: &mut Vec<ObjRef>,
    vm: &Vm,
) -> PyResult<Option<ObjRef>> {
    for other in seen.iter() {
        if other.downcast_ref::<Str>().is_some_and(|other| Str::equal(other, name)) {
            let shown = name.as_object().repr(vm)?;
            return Err(vm.type_error(format!(
                "{}() got multiple sub-patterns for attribute {}",
                class.tp_name_str(),
                shown.to_string_lossy()
            )));
        }
    }
    seen.push(name.as_object().to_ref());
    lookup_attr(subject, name, vm)
}

/// `MATCH_KEYS`: leaves subject and keys, and pushes a tuple of the values or `None`.
#[inline(never)]
pub unsafe fn match_keys(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler pushed a tuple of keys.
    unsafe {
        let values = values_of(s.object(2), s.object(1).cast::<Tuple>(), vm)?;
        let result = match values {
            Some(values) => vm.new_tuple(values).into_object(),
            None => vm.none(),
        };
        Ok(s.push(StackRef::owned(result)))
    }
}

fn values_of(map: &Object, keys: &Tuple, vm: &Vm) -> PyResult<Option<Vec<ObjRef>>> {
    let mut values = Vec::with_capacity(keys.len());
    if keys.len() == 0 {
        return Ok(Some(values));
    }
    let get = map.get_attr(vm.ids().get, vm)?;
    // A default that no mapping can hold; `defaultdict` isn't made to grow.
    let missing = crate::builtins::object::object_type().as_object().call_no_args(vm)?;
    let seen = Set::new(vm);
    for key in keys.as_slice() {
        if seen.contains(key, vm)? {
            let shown = key.repr(vm)?;
            return Err(
                vm.value_error(format!("mapping pattern checks duplicate key ({})", shown.to_string_lossy()))
            );
        }
        seen.add(key, vm)?;
        let value = get.call(&[key, &missing], vm)?;
        if value.is(&missing) {
            return Ok(None);
        }
        values.push(value);
    }
    Ok(Some(values))
}
