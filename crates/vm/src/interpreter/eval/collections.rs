//! Building and taking apart tuples, lists, sets, dicts and slices; subscripts.

use crate::builtins::slice::Slice;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::raw;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// `BUILD_TUPLE`: a tuple of the topmost values.
#[inline(never)]
pub unsafe fn build_tuple(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let s = s.own(oparg);
        let made = Tuple::from_raw_items(s.as_ptr().cast(), oparg, vm);
        Ok(s.push(StackRef::owned(made.into_object())))
    }
}

/// `BUILD_LIST`: a list of the topmost values.
#[inline(never)]
pub unsafe fn build_list(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let s = s.own(oparg);
        let made = List::from_raw_items(s.as_ptr().cast(), oparg, vm);
        Ok(s.push(StackRef::owned(made.into_object())))
    }
}

/// `BUILD_SET`: a set of the topmost values.
#[inline(never)]
pub unsafe fn build_set(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let set = Set::new(vm);
        for i in (1..=oparg).rev() {
            set.add(s.object(i), vm)?;
        }
        Ok(s.drop(oparg).push(StackRef::owned(set.into_object())))
    }
}

/// `BUILD_MAP`: a dictionary of the topmost pairs of key and value.
#[inline(never)]
pub unsafe fn build_map(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let dict = Dict::new(vm);
        for i in (1..=oparg).rev() {
            dict.set_item(s.object(2 * i), s.object(2 * i - 1), vm)?;
        }
        Ok(s.drop(2 * oparg).push(StackRef::owned(dict.into_object())))
    }
}

fn slice(start: &Object, stop: &Object, step: &Object, vm: &Vm) -> Ref<Slice> {
    Slice::new(start.to_ref(), stop.to_ref(), step.to_ref(), vm)
}

/// `BUILD_SLICE`: a slice of the two or three topmost values.
#[inline(never)]
pub unsafe fn build_slice(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let slice = if oparg == 3 {
            slice(s.object(3), s.object(2), s.object(1), vm)
        } else {
            slice(s.object(2), s.object(1), vm.none_ref(), vm)
        };
        Ok(s.replace(oparg, slice.into_object()))
    }
}

/// `container[start:stop]`.
#[inline(never)]
pub unsafe fn binary_slice(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let slice = slice(s.object(2), s.object(1), vm.none_ref(), vm);
        let value = s.object(3).get_item(slice.as_object(), vm)?;
        drop(slice);
        Ok(s.replace(3, value))
    }
}

/// `container[start:stop] = value`.
#[inline(never)]
pub unsafe fn store_slice(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let slice = slice(s.object(2), s.object(1), vm.none_ref(), vm);
        s.object(3).set_item(slice.as_object(), s.object(4), vm)?;
        drop(slice);
        Ok(s.drop(4))
    }
}

/// `STORE_SUBSCR`: `container[key] = value`.
#[inline(never)]
pub unsafe fn store_subscr(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        s.object(2).set_item(s.object(1), s.object(3), vm)?;
        Ok(s.drop(3))
    }
}

/// `DELETE_SUBSCR`: `del container[key]`.
#[inline(never)]
pub unsafe fn delete_subscr(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        s.object(2).del_item(s.object(1), vm)?;
        Ok(s.drop(2))
    }
}

/// `tuple(iterable)`.
#[inline(never)]
pub fn tuple_from(iterable: &Object, vm: &Vm) -> PyResult {
    if iterable.downcast_exact::<Tuple>().is_some() {
        return Ok(iterable.to_ref());
    }
    let items = iterable.collect_iterable(vm)?;
    Ok(Tuple::from_vec(items, vm).into_object())
}

/// `SET_ADD`: adds the topmost value to the set of a comprehension.
#[inline(never)]
pub unsafe fn set_add(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        // Mostly the compiler has made the set, but a program can bind `__conditional_annotations__` to anything.
        let set = s.object(oparg + 1);
        let Some(set) = set.downcast_ref::<Set>() else {
            return Err(vm.type_error(format!("'{}' object is not a set", set.ob_type().tp_name_str())));
        };
        set.add(s.object(1), vm)?;
        Ok(s.drop(1))
    }
}

/// `MAP_ADD`: adds the topmost key and value to the dictionary of a comprehension.
#[inline(never)]
pub unsafe fn map_add(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler made the dict.
    unsafe {
        s.object(oparg + 2).cast::<Dict>().set_item(s.object(2), s.object(1), vm)?;
        Ok(s.drop(2))
    }
}

/// `[*iterable]`.
#[inline(never)]
pub unsafe fn list_extend(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler made the list.
    unsafe {
        let iterable = s.object(1);
        if s.object(oparg + 1).cast::<List>().extend(iterable, vm).is_err() {
            let tp = iterable.ob_type();
            if vm.exception_matches(types::type_error())
                && tp.tp_iter.get().is_none()
                && !crate::protocols::container::is_sequence(iterable)
            {
                vm.clear_exception();
                return Err(
                    vm.type_error(format!("Value after * must be an iterable, not {}", tp.tp_name_str()))
                );
            }
            return Err(Raised);
        }
        Ok(s.drop(1))
    }
}

/// `SET_UPDATE`: adds what the topmost value iterates over to a set.
#[inline(never)]
pub unsafe fn set_update(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler made the set.
    unsafe {
        s.object(oparg + 1).cast::<Set>().update_from(s.object(1), vm)?;
        Ok(s.drop(1))
    }
}

/// `{**mapping}`.
#[inline(never)]
pub unsafe fn dict_update(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler made the dict.
    unsafe {
        let update = s.object(1);
        if s.object(oparg + 1).cast::<Dict>().update_from(update, true, vm).is_err() {
            if vm.exception_matches(types::attribute_error()) {
                vm.clear_exception();
                return Err(
                    vm.type_error(format!("'{}' object is not a mapping", update.ob_type().tp_name_str()))
                );
            }
            return Err(Raised);
        }
        Ok(s.drop(1))
    }
}

/// `f(**mapping)`: repeated keys are errors that name the function.
#[inline(never)]
pub unsafe fn dict_merge(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The compiler made the dict; the callable lies five slots below the updates.
    unsafe {
        let (callable, update) = (s.object(5 + (oparg - 1)), s.object(1));
        let target = s.object(oparg + 1).cast::<Dict>();
        if let Err(raised) = crate::interpreter::calls::merge_keywords(callable, target, update, vm) {
            return Err(raised);
        }
        Ok(s.drop(1))
    }
}

/// `UNPACK_SEQUENCE`: the first item ends on top.
#[inline(never)]
pub unsafe fn unpack_sequence(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let sequence = s.object(1);
        let exact = sequence.type_ptr();
        if (exact == raw::tuple_type() || exact == raw::list_type())
            && raw::var_len(sequence.as_ptr()) == oparg
        {
            let items = if exact == raw::tuple_type() {
                raw::tuple_items(sequence.as_ptr())
            } else {
                raw::list_items(sequence.as_ptr())
            };
            let (mut s, sequence) = s.pop();
            for i in (0..oparg).rev() {
                s = s.push(StackRef::owned((**items.add(i)).to_ref()));
            }
            sequence.close();
            return Ok(s);
        }
        let (items, _) = unpack(sequence, oparg, None, vm)?;
        let mut s = s.drop(1);
        for item in items.into_iter().rev() {
            s = s.push(StackRef::owned(item));
        }
        Ok(s)
    }
}

/// `UNPACK_EX`: `a, *b, c = sequence`; the operand has the count before the star and, in its second byte, after it.
#[inline(never)]
pub unsafe fn unpack_ex(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let (before, after) = (oparg & 0xff, oparg >> 8);
        let sequence = s.object(1);
        let exact = sequence.type_ptr();
        if (exact == raw::tuple_type() || exact == raw::list_type())
            && raw::var_len(sequence.as_ptr()) >= before + after
        {
            let length = raw::var_len(sequence.as_ptr());
            let items = if exact == raw::tuple_type() {
                raw::tuple_items(sequence.as_ptr())
            } else {
                raw::list_items(sequence.as_ptr())
            };
            let item = |i: usize| (**items.add(i)).to_ref();
            let middle = (before..length - after).map(item).collect();
            let middle = List::from_vec(middle, vm);
            let (mut s, sequence) = s.pop();
            for i in (length - after..length).rev() {
                s = s.push(StackRef::owned(item(i)));
            }
            s = s.push(StackRef::owned(middle.into_object()));
            for i in (0..before).rev() {
                s = s.push(StackRef::owned(item(i)));
            }
            sequence.close();
            return Ok(s);
        }
        let (mut items, rest) = unpack(s.object(1), before, Some(after), vm)?;
        let tail = rest.unwrap_or_default();
        let mut s = s.drop(1);
        for item in tail.into_iter().rev() {
            s = s.push(StackRef::owned(item));
        }
        let middle = items.split_off(before);
        s = s.push(StackRef::owned(List::from_vec(middle, vm).into_object()));
        for item in items.into_iter().rev() {
            s = s.push(StackRef::owned(item));
        }
        Ok(s)
    }
}

type Unpacked = (Vec<ObjRef>, Option<Vec<ObjRef>>);

fn unpack(sequence: &Object, before: usize, after: Option<usize>, vm: &Vm) -> PyResult<Unpacked> {
    let iterator = match crate::protocols::iterator::iter(sequence, vm) {
        Ok(iterator) => iterator,
        Err(raised) => {
            let tp = sequence.ob_type();
            if vm.exception_matches(types::type_error())
                && tp.tp_iter.get().is_none()
                && !crate::protocols::container::is_sequence(sequence)
            {
                vm.clear_exception();
                return Err(vm.type_error(format!("cannot unpack non-iterable {} object", tp.tp_name_str())));
            }
            return Err(raised);
        }
    };
    let mut items = Vec::with_capacity(before);
    while items.len() < before {
        match iterator.iter_next(vm)? {
            Some(item) => items.push(item),
            None => {
                let got = items.len();
                return Err(match after {
                    None => {
                        vm.value_error(format!("not enough values to unpack (expected {before}, got {got})"))
                    }
                    Some(after) => vm.value_error(format!(
                        "not enough values to unpack (expected at least {}, got {got})",
                        before + after
                    )),
                });
            }
        }
    }
    let Some(after) = after else {
        if iterator.iter_next(vm)?.is_none() {
            return Ok((items, None));
        }
        // The length, where it is known for sure, makes a better message.
        let exact = sequence.downcast_exact::<Tuple>().is_some()
            || sequence.downcast_exact::<List>().is_some()
            || sequence.downcast_exact::<Dict>().is_some();
        if exact {
            let length = sequence.length(vm)?;
            if length > before {
                return Err(
                    vm.value_error(format!("too many values to unpack (expected {before}, got {length})"))
                );
            }
        }
        return Err(vm.value_error(format!("too many values to unpack (expected {before})")));
    };
    while let Some(item) = iterator.iter_next(vm)? {
        items.push(item);
    }
    let got = items.len();
    if got - before < after {
        return Err(vm.value_error(format!(
            "not enough values to unpack (expected at least {}, got {got})",
            before + after
        )));
    }
    let tail = items.split_off(got - after);
    Ok((items, Some(tail)))
}
