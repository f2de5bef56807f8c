//! The set operations, on tables. An operand is any iterable unless the function says otherwise.

use super::table::{SetTable, element_hash};
use super::{FrozenSet, Set, any_set};
use crate::prelude::*;

/// The hash by which `item` is looked for: a set counts as the frozenset with its items.
fn lookup_hash(item: &Object, vm: &Vm) -> PyResult<isize> {
    match element_hash(item, vm) {
        Ok(hash) => Ok(hash),
        Err(raised) => match item.downcast_ref::<Set>() {
            Some(set) if vm.exception_matches(types::type_error()) => {
                vm.clear_exception();
                Ok(set.table.content_hash())
            }
            _ => Err(raised),
        },
    }
}

pub(super) fn contains(table: &SetTable, item: &Object, vm: &Vm) -> PyResult<bool> {
    table.contains_hash(item, lookup_hash(item, vm)?, vm)
}

pub(super) fn discard(table: &SetTable, item: &Object, vm: &Vm) -> PyResult<bool> {
    table.discard_hash(item, lookup_hash(item, vm)?, vm)
}

/// Adds the items of `other`.
pub(super) fn update(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<()> {
    if let Some(other) = any_set(other) {
        return table.merge(other, vm);
    }
    if let Some(dict) = other.downcast_exact::<Dict>() {
        table.reserve(dict.len(), vm)?;
        let mut at = 0;
        while let Some((hash, key, _)) = dict.next_borrowed(&mut at) {
            let key = key.to_ref();
            table.add_hash(&key, hash, vm)?;
        }
        return Ok(());
    }
    let iterator = other.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        table.add_hash(&item, element_hash(&item, vm)?, vm)?;
    }
    Ok(())
}

/// Adds to `to`, which is empty, what is in `a` and in `b`.
pub(super) fn intersection_into(to: &SetTable, a: &SetTable, b: &Object, vm: &Vm) -> PyResult<()> {
    let Some(other) = any_set(b) else {
        let iterator = b.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            let hash = item.hash(vm)?;
            if a.contains_hash(&item, hash, vm)? {
                to.add_hash(&item, hash, vm)?;
            }
        }
        return Ok(());
    };
    if std::ptr::eq(a, other) {
        return to.merge(a, vm);
    }
    let (large, small) = if other.len() > a.len() { (other, a) } else { (a, other) };
    let mut at = 0;
    while let Some((item, hash)) = small.next_item(&mut at) {
        if large.contains_hash(&item, hash, vm)? {
            to.add_hash(&item, hash, vm)?;
        }
    }
    Ok(())
}

/// Adds to `to`, which is empty, what `a` and all of `others` have.
pub(super) fn intersection_of_all(to: &SetTable, a: &SetTable, others: &[&Object], vm: &Vm) -> PyResult<()> {
    let Some((first, rest)) = others.split_first() else { return to.merge(a, vm) };
    intersection_into(to, a, first, vm)?;
    for other in rest {
        let next = SetTable::new();
        intersection_into(&next, to, other, vm)?;
        to.swap(&next);
    }
    Ok(())
}

/// Removes the items of `other`.
pub(super) fn difference_update(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<()> {
    match any_set(other) {
        Some(same) if std::ptr::eq(same, table) => {
            table.clear_items();
            return Ok(());
        }
        Some(large) if large.len() >> 3 > table.len() => {
            let common = SetTable::new();
            intersection_into(&common, table, other, vm)?;
            remove_all(table, &common, vm)?;
        }
        Some(other) => remove_all(table, other, vm)?,
        None => {
            let iterator = other.iter(vm)?;
            while let Some(item) = iterator.iter_next(vm)? {
                table.discard_hash(&item, element_hash(&item, vm)?, vm)?;
            }
        }
    }
    table.drop_dummies(vm)
}

fn remove_all(table: &SetTable, other: &SetTable, vm: &Vm) -> PyResult<()> {
    let mut at = 0;
    while let Some((item, hash)) = other.next_item(&mut at) {
        table.discard_hash(&item, hash, vm)?;
    }
    Ok(())
}

/// Adds to `to`, which is empty, what is in `a` but not in `b`.
pub(super) fn difference_into(to: &SetTable, a: &SetTable, b: &Object, vm: &Vm) -> PyResult<()> {
    let dict = b.downcast_exact::<Dict>();
    let len = match (any_set(b), dict) {
        (Some(set), _) => set.len(),
        (None, Some(dict)) => dict.len(),
        (None, None) => 0,
    };
    if (any_set(b).is_none() && dict.is_none()) || a.len() >> 2 > len {
        to.merge(a, vm)?;
        // `a - a` through `to` removes everything too.
        return difference_update(to, b, vm);
    }
    let mut at = 0;
    while let Some((item, hash)) = a.next_item(&mut at) {
        let there = match (dict, any_set(b)) {
            (Some(dict), _) => dict.get_item_hash(&item, hash, vm)?.is_some(),
            (None, Some(set)) => set.contains_hash(&item, hash, vm)?,
            (None, None) => false,
        };
        if !there {
            to.add_hash(&item, hash, vm)?;
        }
    }
    Ok(())
}

/// Keeps what is either in `table` or in `other`, but not in both.
pub(super) fn symmetric_difference_update(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<()> {
    let toggle = |item: &Object, hash: isize| -> PyResult<()> {
        if !table.discard_hash(item, hash, vm)? {
            table.add_hash(item, hash, vm)?;
        }
        Ok(())
    };
    if let Some(dict) = other.downcast_exact::<Dict>() {
        let mut at = 0;
        while let Some((hash, key, _)) = dict.next_borrowed(&mut at) {
            toggle(&key.to_ref(), hash)?;
        }
        return Ok(());
    }
    let own = SetTable::new();
    let other = match any_set(other) {
        Some(same) if std::ptr::eq(same, table) => {
            table.clear_items();
            return Ok(());
        }
        Some(other) => other,
        None => {
            // Items that come twice count once.
            update(&own, other, vm)?;
            &own
        }
    };
    let mut at = 0;
    while let Some((item, hash)) = other.next_item(&mut at) {
        toggle(&item, hash)?;
    }
    Ok(())
}

pub(super) fn is_disjoint(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<bool> {
    let Some(other) = any_set(other) else {
        let iterator = other.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            if table.contains_hash(&item, element_hash(&item, vm)?, vm)? {
                return Ok(false);
            }
        }
        return Ok(true);
    };
    if std::ptr::eq(table, other) {
        return Ok(table.len() == 0);
    }
    let (large, small) = if other.len() > table.len() { (other, table) } else { (table, other) };
    let mut at = 0;
    while let Some((item, hash)) = small.next_item(&mut at) {
        if large.contains_hash(&item, hash, vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn all_in(a: &SetTable, b: &SetTable, vm: &Vm) -> PyResult<bool> {
    if a.len() > b.len() {
        return Ok(false);
    }
    let mut at = 0;
    while let Some((item, hash)) = a.next_item(&mut at) {
        if !b.contains_hash(&item, hash, vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn is_subset(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<bool> {
    match any_set(other) {
        Some(other) => all_in(table, other, vm),
        None => {
            let common = SetTable::new();
            intersection_into(&common, table, other, vm)?;
            Ok(common.len() == table.len())
        }
    }
}

pub(super) fn is_superset(table: &SetTable, other: &Object, vm: &Vm) -> PyResult<bool> {
    if let Some(other) = any_set(other) {
        return all_in(other, table, vm);
    }
    let iterator = other.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        if !table.contains_hash(&item, element_hash(&item, vm)?, vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `a OP b`: equality and inclusion. Only sets compare with sets.
pub(super) fn compare(table: &SetTable, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
    let Some(other) = any_set(other) else { return Ok(vm.not_implemented()) };
    let (mine, theirs) = (table.len(), other.len());
    let equal = || {
        let (a, b) = (table.hash.get(), other.hash.get());
        if mine != theirs || (a != -1 && b != -1 && a != b) { Ok(false) } else { all_in(table, other, vm) }
    };
    let answer = match op {
        CompareOp::Eq => equal()?,
        CompareOp::Ne => !equal()?,
        CompareOp::Le => all_in(table, other, vm)?,
        CompareOp::Ge => all_in(other, table, vm)?,
        CompareOp::Lt => mine < theirs && all_in(table, other, vm)?,
        CompareOp::Gt => mine > theirs && all_in(other, table, vm)?,
    };
    Ok(vm.new_bool(answer))
}

/// A binary operator: both operands must be sets; the result is of the left one's base type.
pub(super) fn binary(
    a: &Object,
    b: &Object,
    fill: impl FnOnce(&SetTable, &SetTable, &Object) -> PyResult<()>,
    vm: &Vm,
) -> PyResult {
    let (Some(left), Some(_)) = (any_set(a), any_set(b)) else { return Ok(vm.not_implemented()) };
    if a.downcast_ref::<Set>().is_some() {
        Set::make(|to| fill(to, left, b), vm)
    } else {
        FrozenSet::make(|to| fill(to, left, b), vm)
    }
}
