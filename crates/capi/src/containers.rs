//! Tuples, lists, sets and slices (C API manual, "Sequence Objects", "Set Objects" and "Slice Objects").

use std::ffi::c_int;

use taipan_vm::builtins::set::{FrozenSet, Set};
use taipan_vm::prelude::*;

use crate::support::*;

fn in_range(index: isize, len: usize) -> Option<usize> {
    usize::try_from(index).ok().filter(|&index| index < len)
}

/// The bounds of `[low:high]` in a sequence.
fn bounds(low: isize, high: isize, len: usize) -> (usize, usize) {
    let low = usize::try_from(low).unwrap_or(0).min(len);
    let high = usize::try_from(high).unwrap_or(0).clamp(low, len);
    (low, high)
}

/// A set or a frozenset.
enum AnySet<'a> {
    Set(&'a Set),
    Frozen(&'a FrozenSet),
}

fn any_set<'a>(object: &'a Object, vm: &Vm) -> PyResult<AnySet<'a>> {
    if let Some(set) = object.downcast_ref::<Set>() {
        return Ok(AnySet::Set(set));
    }
    expect::<FrozenSet>(Some(object), vm).map(AnySet::Frozen)
}

fn set<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Set> {
    expect::<Set>(Some(object), vm)
}

capi! {
    fn PyTuple_New(vm, length: isize) -> PyResult<Ref<Tuple>> {
        let length = size(length, vm)?;
        if length == 0 { Ok(Tuple::empty(vm)) } else { Tuple::with_len(length, vm) }
    }

    fn PyTuple_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(expect::<Tuple>(object, vm)?.len()))
    }

    fn PyTuple_GetItem(vm, object: Option<&Object>, index: isize) -> PyResult<Ptr> {
        let tuple = expect::<Tuple>(object, vm)?;
        let index = in_range(index, tuple.len()).ok_or_else(|| vm.index_error("tuple index out of range"))?;
        Ok(tuple.as_object().as_ptr().byte_add(32).cast::<Ptr>().add(index).read())
    }

    fn PyTuple_SetItem(vm, object: Option<&Object>, index: isize, value: Option<ObjRef>) -> PyResult<()> {
        let tuple = expect::<Tuple>(object, vm)?;
        if !tuple.as_object().is_unique() {
            return Err(bad_internal_call(vm));
        }
        let index = in_range(index, tuple.len())
            .ok_or_else(|| vm.index_error("tuple assignment index out of range"))?;
        let place = tuple.as_object().as_ptr().byte_add(32).cast::<Ptr>().add(index);
        let old = std::mem::replace(&mut *place, value.map_or(std::ptr::null_mut(), Ref::into_raw));
        taipan_object::object::xdecref(old);
        Ok(())
    }

    fn PyTuple_GetSlice(vm, object: Option<&Object>, low: isize, high: isize) -> PyResult<Ref<Tuple>> {
        let tuple = expect::<Tuple>(object, vm)?;
        let (low, high) = bounds(low, high, tuple.len());
        if low == 0 && high == tuple.len() && tuple.is_exact() {
            return Ok(tuple.into());
        }
        Ok(Tuple::from_refs(tuple.as_slice().get(low..high).unwrap_or_default(), vm))
    }

    fn PyTuple_FromArray(vm, items: *const Ptr, length: isize) -> PyResult<Ref<Tuple>> {
        Ok(Tuple::from_slice(objects_at(items, size(length, vm)?), vm))
    }

    fn _PyTuple_Resize(vm, place: *mut Ptr, length: isize) -> PyResult<()> {
        let old = *place;
        let length = match usize::try_from(length) {
            Ok(length) if !old.is_null() => length,
            _ => {
                *place = std::ptr::null_mut();
                taipan_object::object::xdecref(old);
                return Err(bad_internal_call(vm));
            }
        };
        let old_length = (*old.cast::<VarObject>()).ob_size.get() as usize;
        if old_length == length {
            return Ok(());
        }
        let made = if length == 0 { Tuple::empty(vm) } else { Tuple::with_len(length, vm)? };
        // Slots of a tuple under construction may be null, so they are moved as they are.
        let from = old.byte_add(32).cast::<Ptr>();
        let to = made.as_object().as_ptr().byte_add(32).cast::<Ptr>();
        for index in 0..old_length.min(length) {
            *to.add(index) = std::mem::replace(&mut *from.add(index), std::ptr::null_mut());
        }
        *place = made.into_raw().cast();
        taipan_object::object::decref(old);
        Ok(())
    }

    fn PyList_New(vm, length: isize) -> PyResult<Ref<List>> {
        List::with_len(size(length, vm)?, vm)
    }

    fn PyList_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(expect::<List>(object, vm)?.len()))
    }

    fn PyList_GetItem(vm, object: Option<&Object>, index: isize) -> PyResult<Ptr> {
        let list = expect::<List>(object, vm)?;
        let index = in_range(index, list.len()).ok_or_else(|| vm.index_error("list index out of range"))?;
        Ok(list.get_borrowed(index).map_or(std::ptr::null_mut(), Object::as_ptr))
    }

    fn PyList_GetItemRef(vm, object: Option<&Object>, index: isize) -> PyResult {
        let list = object.and_then(Object::downcast_ref::<List>).ok_or_else(|| vm.type_error("expected a list"))?;
        usize::try_from(index)
            .ok()
            .and_then(|index| list.get(index))
            .ok_or_else(|| vm.index_error("list index out of range"))
    }

    fn PyList_SetItem(vm, object: Option<&Object>, index: isize, value: Option<ObjRef>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        let index = in_range(index, list.len())
            .ok_or_else(|| vm.index_error("list assignment index out of range"))?;
        // Items of a list under construction may be null.
        let items = *list.as_object().as_ptr().byte_add(24).cast::<*mut Ptr>();
        let old = std::mem::replace(&mut *items.add(index), value.map_or(std::ptr::null_mut(), Ref::into_raw));
        taipan_object::object::xdecref(old);
        Ok(())
    }

    fn PyList_Insert(vm, object: Option<&Object>, index: isize, value: Option<&Object>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        let value = value.ok_or_else(|| bad_internal_call(vm))?;
        let len = signed(list.len());
        let index = if index < 0 { (index + len).max(0) } else { index.min(len) };
        list.insert(index as usize, value.to_ref(), vm)
    }

    fn PyList_Append(vm, object: Option<&Object>, value: Option<&Object>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        list.append(value.ok_or_else(|| bad_internal_call(vm))?.to_ref());
        Ok(())
    }

    fn PyList_GetSlice(vm, object: Option<&Object>, low: isize, high: isize) -> PyResult<Ref<List>> {
        let list = expect::<List>(object, vm)?;
        let (low, high) = bounds(low, high, list.len());
        Ok(list.slice(low as isize, 1, high - low, vm))
    }

    fn PyList_SetSlice(vm, object: Option<&Object>, low: isize, high: isize, value: Option<&Object>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        let items = match value {
            Some(value) => value.collect_iterable(vm)?,
            None => Vec::new(),
        };
        let (low, high) = bounds(low, high, list.len());
        list.set_slice(low, high, items, vm)
    }

    fn PyList_Extend(vm, object: Option<&Object>, iterable: &Object) -> PyResult<()> {
        expect::<List>(object, vm)?.extend(iterable, vm)
    }

    fn _PyList_Extend(vm, object: Option<&Object>, iterable: &Object) -> PyResult {
        expect::<List>(object, vm)?.extend(iterable, vm)?;
        Ok(vm.none())
    }

    fn PyList_Clear(vm, object: Option<&Object>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        list.set_slice(0, list.len(), Vec::new(), vm)
    }

    fn PyList_Sort(vm, object: Option<&Object>) -> PyResult<()> {
        expect::<List>(object, vm)?.sort(None, false, vm)
    }

    fn PyList_Reverse(vm, object: Option<&Object>) -> PyResult<()> {
        let list = expect::<List>(object, vm)?;
        let mut items = list.to_vec();
        items.reverse();
        list.set_slice(0, list.len(), items, vm)
    }

    fn PyList_AsTuple(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        Ok(expect::<List>(object, vm)?.as_tuple(vm))
    }

    fn PySet_New(vm, iterable: Option<&Object>) -> PyResult<Ref<Set>> {
        match iterable {
            Some(iterable) => Set::from_iterable(iterable, vm),
            None => Ok(Set::new(vm)),
        }
    }

    fn PyFrozenSet_New(vm, iterable: Option<&Object>) -> PyResult<Ref<FrozenSet>> {
        match iterable {
            Some(iterable) => FrozenSet::from_iterable(iterable, vm),
            None => FrozenSet::from_iterable(Tuple::empty(vm).as_object(), vm),
        }
    }

    fn PySet_Size(vm, object: &Object) -> PyResult<isize> {
        Ok(signed(match any_set(object, vm)? {
            AnySet::Set(set) => set.len(),
            AnySet::Frozen(set) => set.len(),
        }))
    }

    fn PySet_Contains(vm, object: &Object, item: &Object) -> PyResult<bool> {
        match any_set(object, vm)? {
            AnySet::Set(set) => set.contains(item, vm),
            AnySet::Frozen(set) => set.contains(item, vm),
        }
    }

    fn PySet_Add(vm, object: &Object, item: &Object) -> PyResult<()> {
        if let Some(frozen) = object.downcast_ref::<FrozenSet>() {
            // A frozenset that nobody else has seen yet may be filled.
            if !object.is_unique() {
                return Err(bad_internal_call(vm));
            }
            return frozen.add_unique(item, vm);
        }
        set(object, vm)?.add(item, vm).map(drop)
    }

    fn PySet_Discard(vm, object: &Object, item: &Object) -> PyResult<bool> {
        set(object, vm)?.discard(item, vm)
    }

    fn PySet_Pop(vm, object: &Object) -> PyResult {
        set(object, vm)?.pop_any().ok_or_else(|| vm.key_error(vm.new_str("pop from an empty set").as_object()))
    }

    fn PySet_Clear(vm, object: &Object) -> PyResult<()> {
        set(object, vm)?.clear_items();
        Ok(())
    }

    fn _PySet_Update(vm, object: &Object, iterable: &Object) -> PyResult<()> {
        set(object, vm)?.update_from(iterable, vm)
    }

    fn _PySet_NextEntry(vm, object: &Object, position: *mut isize, key: *mut Ptr, hash: *mut isize) -> PyResult<bool> {
        let mut at = usize::try_from(*position).unwrap_or(0);
        let next = match any_set(object, vm)? {
            AnySet::Set(set) => set.next_entry(&mut at),
            AnySet::Frozen(set) => set.next_entry(&mut at),
        };
        *position = at as isize;
        let Some((item, found_hash)) = next else { return Ok(false) };
        // Borrowed: the set holds a reference.
        *key = item.as_raw();
        *hash = found_hash;
        Ok(true)
    }

    fn PySlice_New(vm, start: Option<&Object>, stop: Option<&Object>, step: Option<&Object>) -> Ref<Slice> {
        let part = |part: Option<&Object>| part.map_or_else(|| vm.none(), Object::to_ref);
        Slice::new(part(start), part(stop), part(step), vm)
    }

    fn PySlice_Unpack(vm, object: &Object, start: *mut isize, stop: *mut isize, step: *mut isize) -> PyResult<()> {
        (*start, *stop, *step) = expect::<Slice>(Some(object), vm)?.unpack(vm)?;
        Ok(())
    }

    fn PySlice_AdjustIndices(vm, length: isize, start: *mut isize, stop: *mut isize, step: isize) -> isize {
        let fitted = taipan_vm::builtins::slice::adjust(*start, *stop, step, usize::try_from(length).unwrap_or(0));
        *start = fitted.start;
        *stop = fitted.stop;
        signed(fitted.count)
    }

    fn PySlice_GetIndicesEx(
        vm, object: &Object, length: isize, start: *mut isize, stop: *mut isize, step: *mut isize, count: *mut isize,
    ) -> PyResult<()> {
        let (first, last, by) = expect::<Slice>(Some(object), vm)?.unpack(vm)?;
        let fitted = taipan_vm::builtins::slice::adjust(first, last, by, usize::try_from(length).unwrap_or(0));
        *start = fitted.start;
        *stop = fitted.stop;
        *step = by;
        *count = signed(fitted.count);
        Ok(())
    }

    fn PySlice_GetIndices(vm, object: &Object, length: isize, start: *mut isize, stop: *mut isize, step: *mut isize) -> c_int {
        let Some(slice) = object.downcast_ref::<Slice>() else { return -1 };
        let part = |part: &Object, default: isize| {
            if vm.is_none(part) { Some(default) } else { part.downcast_ref::<Int>()?.to_i64().map(|v| v as isize) }
        };
        let Some(by) = part(&slice.step, 1) else { return -1 };
        let Some(first) = part(&slice.start, if by < 0 { length - 1 } else { 0 }) else { return -1 };
        let Some(last) = part(&slice.stop, if by < 0 { -1 } else { length }) else { return -1 };
        (*start, *stop, *step) = (first, last, by);
        if last > length || first >= length || by == 0 { -1 } else { 0 }
    }
}
