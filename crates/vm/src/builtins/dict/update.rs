//! `dict.update`, `dict(…)`, `fromkeys`: filling a dict from other objects.

use super::Dict;
use super::keys::usable_fraction;
use super::watch::DictEvent;
use crate::prelude::*;

/// What merging does with a key that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The old value stays.
    Keep,
    /// The new value replaces it.
    Override,
    /// KeyError (the keywords of a call).
    Refuse,
}

impl Dict {
    /// Takes the entries of a mapping over: a dict, or anything with `keys()` and `[]`. Without `override_` existing keys
    /// keep their values.
    pub fn update_from(&self, other: &Object, override_: bool, vm: &Vm) -> PyResult<()> {
        self.merge(other, if override_ { Duplicates::Override } else { Duplicates::Keep }, vm)
    }

    /// `update_from` with a choice of what happens to duplicates.
    pub fn merge(&self, other: &Object, duplicates: Duplicates, vm: &Vm) -> PyResult<()> {
        match other.downcast_ref::<Dict>() {
            Some(dict) if dict.iterates_plainly() => self.merge_dict(dict, duplicates, vm),
            _ => self.merge_mapping(other, duplicates, vm),
        }
    }

    pub(super) fn merge_dict(&self, other: &Dict, duplicates: Duplicates, vm: &Vm) -> PyResult<()> {
        if std::ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        let theirs = other.table();
        if self.is_empty()
            && self.table().is_shared_empty()
            && self.values.get().is_null()
            && other.values.get().is_null()
        {
            let dense = other.len() == theirs.len()
                && (theirs.log2_size() == super::keys::MIN_LOG2
                    || usable_fraction((1 << theirs.log2_size()) / 2) < other.len());
            if dense {
                if self.is_watched() {
                    self.notify(DictEvent::Cloned, Some(other.as_object()), None, vm);
                }
                let Some(copy) = theirs.duplicate() else { return Err(vm.memory_error()) };
                self.keys.set(copy);
                self.ma_used.set(other.ma_used.get());
                return Ok(());
            }
        }
        let duplicates = if self.is_empty() { Duplicates::Override } else { duplicates };
        if usable_fraction(1 << self.table().log2_size()) < other.len() {
            self.reserve(other.len(), theirs.is_unicode(), vm)?;
        }
        let (before, positions) = (theirs, other.positions());
        let mut at = 0;
        while let Some((hash, key, value)) = other.next_borrowed(&mut at) {
            let (key, value) = (key.to_ref(), value.to_ref());
            if duplicates != Duplicates::Override && self.find(&key, hash, vm)?.is_some() {
                if duplicates == Duplicates::Refuse {
                    return Err(vm.key_error(&key));
                }
            } else {
                self.set_item_hash(&key, hash, value, vm)?;
            }
            if other.positions() != positions || (other.table() != before && other.values.get().is_null()) {
                return Err(vm.runtime_error("dict mutated during update"));
            }
        }
        Ok(())
    }

    fn merge_mapping(&self, other: &Object, duplicates: Duplicates, vm: &Vm) -> PyResult<()> {
        let keys = other.call_method(vm.ids().keys, &[], vm)?;
        let iterator = keys.iter(vm)?;
        drop(keys);
        while let Some(key) = iterator.iter_next(vm)? {
            if duplicates != Duplicates::Override && self.contains_key(&key, vm)? {
                if duplicates == Duplicates::Refuse {
                    return Err(vm.key_error(&key));
                }
                continue;
            }
            let value = other.get_item(&key, vm)?;
            self.set_item(&key, &value, vm)?;
        }
        Ok(())
    }

    /// Takes over an iterable of pairs.
    pub fn merge_pairs(&self, pairs: &Object, duplicates: Duplicates, vm: &Vm) -> PyResult<()> {
        let iterator = pairs.iter(vm)?;
        let mut n = 0usize;
        while let Some(item) = iterator.iter_next(vm)? {
            let pair = match pair_items(&item, vm) {
                Ok(pair) => pair,
                Err(raised) => {
                    if vm.exception_matches(types::type_error()) {
                        return Err(add_note(
                            &format!("Cannot convert dictionary update sequence element #{n} to a sequence"),
                            vm,
                        ));
                    }
                    return Err(raised);
                }
            };
            let [key, value] = pair.as_slice() else {
                return Err(vm.value_error(format!(
                    "dictionary update sequence element #{n} has length {}; 2 is required",
                    pair.len()
                )));
            };
            if duplicates == Duplicates::Override {
                self.set_item(key, value, vm)?;
            } else {
                self.set_default(key, value, vm)?;
            }
            n += 1;
        }
        Ok(())
    }

    /// `update(other)`: a mapping when it has `keys`, else an iterable of pairs.
    pub fn update_from_arg(&self, other: &Object, vm: &Vm) -> PyResult<()> {
        if other.downcast_exact::<Dict>().is_some() || other.lookup_attr(vm.ids().keys, vm)?.is_some() {
            return self.merge(other, Duplicates::Override, vm);
        }
        self.merge_pairs(other, Duplicates::Override, vm)
    }

    /// The positional arguments of `dict()` and `update()`.
    pub(crate) fn update_from_args(&self, func: &str, args: &[&Object], vm: &Vm) -> PyResult<()> {
        match args {
            [] => Ok(()),
            [other] => self.update_from_arg(other, vm),
            _ => Err(vm.type_error(format!("{func} expected at most 1 argument, got {}", args.len()))),
        }
    }
}

/// The items of one element of an update sequence.
fn pair_items(item: &Object, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    if item.downcast_ref::<Tuple>().is_some() || item.downcast_ref::<List>().is_some() {
        if let Some(tuple) = item.downcast_ref::<Tuple>() {
            return Ok(tuple.as_slice().to_vec());
        }
        if let Some(list) = item.downcast_ref::<List>() {
            return Ok(list.to_vec());
        }
    }
    match item.iter(vm) {
        Ok(iterator) => iterator.collect_iterable(vm),
        Err(raised) => {
            if vm.exception_matches(types::type_error()) {
                vm.clear_exception();
                return Err(vm.type_error("object is not iterable"));
            }
            Err(raised)
        }
    }
}

/// Adds a note (PEP 678) to the waiting exception.
fn add_note(text: &str, vm: &Vm) -> Raised {
    let Some(exception) = vm.take_exception() else { return vm.check_raised() };
    let note = vm.new_str(text);
    match exception.as_object().call_method(vm.ids().add_note, &[note.as_object()], vm) {
        Ok(_) => vm.reraise(exception),
        Err(raised) => raised,
    }
}

/// `cls.fromkeys(iterable, value)`.
pub(super) fn from_keys(cls: &Type, iterable: &Object, value: &Object, vm: &Vm) -> PyResult {
    let result = cls.as_object().call_no_args(vm)?;
    let target = result.downcast_exact::<Dict>();
    if let Some(dict) = target {
        if let Some(source) = iterable.downcast_exact::<Dict>() {
            dict.reserve(source.len(), source.table().is_unicode(), vm)?;
            let mut at = 0;
            while let Some((hash, key, _)) = source.next_borrowed(&mut at) {
                let key = key.to_ref();
                dict.set_item_hash(&key, hash, value.to_ref(), vm)?;
            }
            return Ok(result);
        }
        if let Some(source) = crate::builtins::set::exact_set(iterable) {
            dict.reserve(source.len(), false, vm)?;
            let mut at = 0;
            while let Some((key, hash)) = source.next_item(&mut at) {
                dict.set_item_hash(&key, hash, value.to_ref(), vm)?;
            }
            return Ok(result);
        }
    }
    let iterator = iterable.iter(vm)?;
    while let Some(key) = iterator.iter_next(vm)? {
        match target {
            Some(dict) => dict.set_item(&key, value, vm)?,
            None => result.set_item(&key, value, vm)?,
        }
    }
    Ok(result)
}
