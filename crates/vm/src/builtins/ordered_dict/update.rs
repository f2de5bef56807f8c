//! `OrderedDict.update`: filling through `__setitem__`, which a subclass may have made its own.

use crate::prelude::*;

/// Takes over a mapping (something with `keys` or `items`) or an iterable of pairs.
pub fn update(target: &Object, source: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let Some(source) = source else { return Ok(()) };
    if let Some(dict) = source.downcast_exact::<Dict>() {
        return dict.items_vec().into_iter().try_for_each(|(key, value)| target.set_item(&key, &value, vm));
    }
    if let Some(keys) = source.lookup_attr(vm.ids().keys, vm)? {
        let iterator = keys.call_no_args(vm)?.iter(vm)?;
        while let Some(key) = iterator.iter_next(vm)? {
            let value = source.get_item(&key, vm)?;
            target.set_item(&key, &value, vm)?;
        }
        return Ok(());
    }
    match source.lookup_attr(vm.ids().items, vm)? {
        Some(items) => add_pairs(target, &*items.call_no_args(vm)?, vm),
        None => add_pairs(target, source, vm),
    }
}

fn add_pairs(target: &Object, pairs: &Object, vm: &Vm) -> PyResult<()> {
    let iterator = pairs.iter(vm)?;
    while let Some(pair) = iterator.iter_next(vm)? {
        let parts = pair.iter(vm)?;
        let Some(key) = parts.iter_next(vm)? else {
            return Err(vm.value_error("need more than 0 values to unpack"));
        };
        let Some(value) = parts.iter_next(vm)? else {
            return Err(vm.value_error("need more than 1 value to unpack"));
        };
        if parts.iter_next(vm)?.is_some() {
            return Err(vm.value_error("too many values to unpack (expected 2)"));
        }
        target.set_item(&key, &value, vm)?;
    }
    Ok(())
}
