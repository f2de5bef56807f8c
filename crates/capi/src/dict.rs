//! Dictionaries (C API manual, "Dictionary Objects").

use std::ffi::{CStr, c_int, c_void};

use taipan_vm::builtins::descr::MappingProxy;
use taipan_vm::builtins::dict::update::Duplicates;
use taipan_vm::builtins::dict::watch::{DictWatchers, WatchCallback};
use taipan_vm::prelude::*;

use crate::object::give;
use crate::support::*;

fn dict<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Dict> {
    expect::<Dict>(object, vm)
}

/// An item as a borrowed pointer: the dictionary keeps it.
fn borrowed(item: Option<ObjRef>) -> Ptr {
    item.map_or(std::ptr::null_mut(), |item| item.as_raw())
}

/// For the functions that can't raise: an error is shown as unraisable.
fn swallow(item: PyResult<Option<ObjRef>>, vm: &Vm) -> Ptr {
    match item {
        Ok(item) => borrowed(item),
        Err(Raised) => {
            vm.write_unraisable(None, None);
            std::ptr::null_mut()
        }
    }
}

fn missing(key: &Object, vm: &Vm) -> Raised {
    vm.key_error(key)
}

fn merge(target: &Dict, source: &Object, how: c_int, vm: &Vm) -> PyResult<()> {
    let duplicates = match how {
        0 => Duplicates::Keep,
        1 => Duplicates::Override,
        _ => Duplicates::Refuse,
    };
    target.merge(source, duplicates, vm)
}

capi! {
    fn PyDict_New(vm) -> Ref<Dict> {
        vm.new_dict()
    }

    fn _PyDict_NewPresized(vm, count: isize) -> PyResult<Ref<Dict>> {
        Dict::with_capacity(usize::try_from(count).unwrap_or(0), true, vm)
    }

    fn PyDictProxy_New(vm, mapping: &Object) -> PyResult<Ref<MappingProxy>> {
        if !taipan_vm::protocols::container::is_mapping(mapping)
            || mapping.downcast_ref::<List>().is_some()
            || mapping.downcast_ref::<Tuple>().is_some()
        {
            return Err(vm.type_error(format!(
                "mappingproxy() argument must be a mapping, not {}",
                mapping.ob_type().name()
            )));
        }
        Ok(MappingProxy::new(mapping, vm))
    }

    fn PyDict_Clear(vm, object: Option<&Object>) -> Void {
        if let Some(dict) = object.and_then(Object::downcast_ref::<Dict>) {
            dict.clear(vm);
        }
        Void
    }

    fn PyDict_Size(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(dict(object, vm)?.len()))
    }

    fn PyDict_Contains(vm, object: Option<&Object>, key: &Object) -> PyResult<bool> {
        dict(object, vm)?.contains_key(key, vm)
    }

    fn PyDict_ContainsString(vm, object: Option<&Object>, key: &CStr) -> PyResult<bool> {
        dict(object, vm)?.contains_key(name(key, vm)?.as_object(), vm)
    }

    fn PyDict_Copy(vm, object: Option<&Object>) -> PyResult<Ref<Dict>> {
        dict(object, vm)?.try_copy(vm)
    }

    fn PyDict_SetItem(vm, object: Option<&Object>, key: &Object, value: &Object) -> PyResult<()> {
        dict(object, vm)?.set_item(key, value, vm)
    }

    fn PyDict_SetItemString(vm, object: Option<&Object>, key: &CStr, value: &Object) -> PyResult<()> {
        dict(object, vm)?.set_item(name(key, vm)?.as_object(), value, vm)
    }

    fn _PyDict_SetItem_KnownHash(vm, object: Option<&Object>, key: &Object, value: &Object, hash: isize) -> PyResult<()> {
        dict(object, vm)?.set_item_hash(key, hash, value.to_ref(), vm)
    }

    fn _PyDict_SetItem_KnownHash_LockHeld(vm, object: Option<&Object>, key: &Object, value: &Object, hash: isize) -> PyResult<()> {
        dict(object, vm)?.set_item_hash(key, hash, value.to_ref(), vm)
    }

    fn PyDict_DelItem(vm, object: Option<&Object>, key: &Object) -> PyResult<()> {
        if dict(object, vm)?.del_item(key, vm)? { Ok(()) } else { Err(missing(key, vm)) }
    }

    fn PyDict_DelItemString(vm, object: Option<&Object>, key: &CStr) -> PyResult<()> {
        let key = name(key, vm)?;
        if dict(object, vm)?.del_item(key.as_object(), vm)? { Ok(()) } else { Err(missing(key.as_object(), vm)) }
    }

    fn PyDict_GetItem(vm, object: Option<&Object>, key: &Object) -> Ptr {
        let waiting = vm.take_exception();
        let found = match object.and_then(Object::downcast_ref::<Dict>) {
            Some(dict) => swallow(dict.get_item(key, vm), vm),
            None => std::ptr::null_mut(),
        };
        vm.current_exception.set(waiting);
        found
    }

    fn PyDict_GetItemString(vm, object: Option<&Object>, key: &CStr) -> Ptr {
        let waiting = vm.take_exception();
        let found = match object.and_then(Object::downcast_ref::<Dict>) {
            Some(dict) => swallow(name(key, vm).and_then(|key| dict.get_str(&key, vm)), vm),
            None => std::ptr::null_mut(),
        };
        vm.current_exception.set(waiting);
        found
    }

    fn PyDict_GetItemWithError(vm, object: Option<&Object>, key: &Object) -> PyResult<Ptr> {
        Ok(borrowed(dict(object, vm)?.get_item(key, vm)?))
    }

    fn _PyDict_GetItemStringWithError(vm, object: Option<&Object>, key: &CStr) -> PyResult<Ptr> {
        Ok(borrowed(dict(object, vm)?.get_str(&*name(key, vm)?, vm)?))
    }

    fn _PyDict_GetItem_KnownHash(vm, object: Option<&Object>, key: &Object, hash: isize) -> PyResult<Ptr> {
        Ok(borrowed(dict(object, vm)?.get_item_hash(key, hash, vm)?))
    }

    fn PyDict_GetItemRef(vm, object: Option<&Object>, key: &Object, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        give(dict(object, vm)?.get_item(key, vm)?, result)
    }

    fn PyDict_GetItemStringRef(vm, object: Option<&Object>, key: &CStr, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        give(dict(object, vm)?.get_str(&*name(key, vm)?, vm)?, result)
    }

    fn PyDict_SetDefault(vm, object: Option<&Object>, key: &Object, default: Option<&Object>) -> PyResult<Ptr> {
        let value = dict(object, vm)?.set_default(key, default.unwrap_or(vm.none_ref()), vm)?;
        Ok(value.as_raw())
    }

    fn PyDict_SetDefaultRef(vm, object: Option<&Object>, key: &Object, default: &Object, result: *mut Ptr) -> PyResult<bool> {
        if !result.is_null() {
            *result = std::ptr::null_mut();
        }
        let dict = dict(object, vm)?;
        let before = dict.len();
        let value = dict.set_default(key, default, vm)?;
        let present = dict.len() == before;
        if !result.is_null() {
            *result = value.into_raw();
        }
        Ok(present)
    }

    fn PyDict_Pop(vm, object: Option<&Object>, key: &Object, result: *mut Ptr) -> PyResult<bool> {
        if !result.is_null() {
            *result = std::ptr::null_mut();
        }
        let found = dict(object, vm)?.pop(key, vm)?;
        if result.is_null() { Ok(found.is_some()) } else { give(found, result) }
    }

    fn PyDict_PopString(vm, object: Option<&Object>, key: &CStr, result: *mut Ptr) -> PyResult<bool> {
        if !result.is_null() {
            *result = std::ptr::null_mut();
        }
        let found = dict(object, vm)?.pop(name(key, vm)?.as_object(), vm)?;
        if result.is_null() { Ok(found.is_some()) } else { give(found, result) }
    }

    fn _PyDict_Pop(vm, object: Option<&Object>, key: &Object, default: Option<&Object>) -> PyResult {
        match (dict(object, vm)?.pop(key, vm)?, default) {
            (Some(found), _) => Ok(found),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(missing(key, vm)),
        }
    }

    fn PyDict_Next(vm, object: Option<&Object>, position: *mut isize, key: *mut Ptr, value: *mut Ptr) -> bool {
        let Some(dict) = object.and_then(Object::downcast_ref::<Dict>) else { return false };
        let Some((found_key, found_value)) = dict.next_entry(&mut *position) else { return false };
        // Borrowed: the dictionary holds references.
        if !key.is_null() {
            *key = found_key.as_raw();
        }
        if !value.is_null() {
            *value = found_value.as_raw();
        }
        true
    }

    fn PyDict_Keys(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        Ok(vm.new_list(dict(object, vm)?.keys_vec()))
    }

    fn PyDict_Values(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        Ok(vm.new_list(dict(object, vm)?.values_vec()))
    }

    fn PyDict_Items(vm, object: Option<&Object>) -> PyResult<Ref<List>> {
        let items = dict(object, vm)?.items_vec();
        Ok(vm.new_list(
            items.into_iter().map(|(key, value)| Tuple::pair(key, value, vm).into_object()).collect::<Vec<_>>(),
        ))
    }

    fn PyDict_Merge(vm, target: Option<&Object>, source: &Object, override_: c_int) -> PyResult<()> {
        merge(dict(target, vm)?, source, c_int::from(override_ != 0), vm)
    }

    fn _PyDict_MergeEx(vm, target: Option<&Object>, source: &Object, how: c_int) -> PyResult<()> {
        merge(dict(target, vm)?, source, how, vm)
    }

    fn PyDict_Update(vm, target: Option<&Object>, source: &Object) -> PyResult<()> {
        merge(dict(target, vm)?, source, 1, vm)
    }

    fn PyDict_MergeFromSeq2(vm, target: Option<&Object>, pairs: &Object, override_: c_int) -> PyResult<()> {
        let duplicates = if override_ != 0 { Duplicates::Override } else { Duplicates::Keep };
        dict(target, vm)?.merge_pairs(pairs, duplicates, vm)
    }

    fn PyDict_AddWatcher(vm, callback: *mut c_void) -> PyResult<c_int> {
        let Some(callback) = std::mem::transmute::<*mut c_void, Option<WatchCallback>>(callback) else {
            return Err(bad_internal_call(vm));
        };
        vm.interp().state::<DictWatchers>().add(callback, vm).map(|id| id as c_int)
    }

    fn PyDict_ClearWatcher(vm, id: c_int) -> PyResult<()> {
        let id = usize::try_from(id).map_err(|_| vm.value_error(format!("Invalid dict watcher ID {id}")))?;
        vm.interp().state::<DictWatchers>().remove(id, vm)
    }

    fn PyDict_Watch(vm, id: c_int, object: &Object) -> PyResult<()> {
        let Some(dict) = object.downcast_ref::<Dict>() else {
            return Err(vm.value_error("Cannot watch non-dictionary"));
        };
        let id = usize::try_from(id).map_err(|_| vm.value_error(format!("Invalid dict watcher ID {id}")))?;
        dict.watch(id, vm)
    }

    fn PyDict_Unwatch(vm, id: c_int, object: &Object) -> PyResult<()> {
        let Some(dict) = object.downcast_ref::<Dict>() else {
            return Err(vm.value_error("Cannot watch non-dictionary"));
        };
        let id = usize::try_from(id).map_err(|_| vm.value_error(format!("Invalid dict watcher ID {id}")))?;
        dict.unwatch(id, vm)
    }
}
