//! `dict_keys`, `dict_values`, `dict_items`: what `keys()`, `values()` and `items()` give.
//!
//! Keys and items behave as sets; the results of set operations are sets.

use std::mem::size_of;

use super::Dict;
use super::iterators::*;
use super::repr_guard::ReprGuard;
use crate::builtins::descr::mapping_proxy::MappingProxy;
use crate::builtins::set::{FrozenSet, Set};
use crate::prelude::*;

macro_rules! view_layouts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $name {
            /// The object header.
            pub ob: Object,
            dict: Slot<Dict>,
        }

        const _: () = assert!(size_of::<$name>() == 24);

        impl $name {
            /// A new view of `dict`.
            pub fn new(dict: &Dict, vm: &Vm) -> ObjRef {
                let ob = Object::new($name::type_object());
                vm.new_object($name { ob, dict: Slot::of(dict.into()) }).into_object()
            }

            /// A view of another type on top of this one.
            pub(crate) fn of_type(tp: &'static Type, dict: &Dict) -> Self {
                $name { ob: Object::new(tp), dict: Slot::of(dict.into()) }
            }

            /// The dict; none after the collector has cleared the view.
            pub(crate) fn dict(&self) -> Option<Ref<Dict>> {
                self.dict.get()
            }

            fn len(&self) -> usize {
                self.dict().map_or(0, |dict| dict.len())
            }

            fn make_iter<T>(&self, make: impl FnOnce(&Dict, &Vm) -> T, vm: &Vm) -> PyResult<T> {
                match self.dict() {
                    Some(dict) => Ok(make(&dict, vm)),
                    None => Err(vm.runtime_error("the view's dictionary is gone")),
                }
            }

            fn proxy(&self, vm: &Vm) -> PyResult {
                let dict = self.dict().map(Ref::into_object);
                Ok(MappingProxy::new(dict.as_deref().unwrap_or(vm.none_ref()), vm).into_object())
            }
        }
    )*};
}

view_layouts! {
    /// What `dict.keys()` gives.
    DictKeys;
    /// What `dict.values()` gives.
    DictValues;
    /// What `dict.items()` gives.
    DictItems;
}

fn show(view: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let Some(_guard) = ReprGuard::enter(view, vm) else { return Ok(vm.new_str("...")) };
    let items = vm.new_list(view.collect_iterable(vm)?);
    let shown = items.as_object().repr(vm)?;
    let mut text = crate::builtins::str::StrBuilder::new();
    text.push_str(view.ob_type().name());
    text.push_str("(");
    text.push(&shown);
    text.push_str(")");
    Ok(text.finish(vm))
}

fn is_set_view(object: &Object) -> bool {
    object.downcast_ref::<DictKeys>().is_some() || object.downcast_ref::<DictItems>().is_some()
}

fn is_any_set(object: &Object) -> bool {
    object.downcast_ref::<Set>().is_some() || object.downcast_ref::<FrozenSet>().is_some()
}

fn view_contains(view: &Object, item: &Object, vm: &Vm) -> PyResult<bool> {
    match view.downcast_ref::<DictKeys>() {
        Some(keys) => keys.sq_contains(item, vm),
        None => match view.downcast_ref::<DictItems>() {
            Some(items) => items.sq_contains(item, vm),
            None => Ok(false),
        },
    }
}

fn all_contained(items: &Object, container: &Object, vm: &Vm) -> PyResult<bool> {
    let iterator = items.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        if !container.contains(&item, vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(view: &Object, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
    if !is_any_set(other) && !is_set_view(other) {
        return Ok(vm.not_implemented());
    }
    let (mine, theirs) = (view.length(vm)?, other.length(vm)?);
    let answer = match op {
        CompareOp::Eq => mine == theirs && all_contained(view, other, vm)?,
        CompareOp::Ne => !(mine == theirs && all_contained(view, other, vm)?),
        CompareOp::Lt => mine < theirs && all_contained(view, other, vm)?,
        CompareOp::Le => mine <= theirs && all_contained(view, other, vm)?,
        CompareOp::Gt => mine > theirs && all_contained(other, view, vm)?,
        CompareOp::Ge => mine >= theirs && all_contained(other, view, vm)?,
    };
    Ok(vm.new_bool(answer))
}

/// A set of the operand's items. A view of keys is read straight from its dict.
fn to_set(operand: &Object, vm: &Vm) -> PyResult<Ref<Set>> {
    let set = Set::new(vm);
    match operand.downcast_ref::<DictKeys>().and_then(DictKeys::dict) {
        Some(dict) if dict.is_exact() => set.update_from(dict.as_object(), vm)?,
        _ => set.update_from(operand, vm)?,
    }
    Ok(set)
}

fn subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = to_set(a, vm)?;
    result.difference_update_from(b, vm)?;
    Ok(result.into_object())
}

fn union(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = to_set(a, vm)?;
    result.update_from(b, vm)?;
    Ok(result.into_object())
}

fn intersect(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    let len = view.length(vm)?;
    // Not a frozenset: the result is a set.
    if other.downcast_exact::<Set>().is_some() && len <= other.length(vm)? {
        return other.call_method(&vm.intern("intersection"), &[view], vm);
    }
    if is_set_view(other) && other.length(vm)? > len {
        (view, other) = (other, view);
    }
    let result = Set::new(vm);
    let iterator = other.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        if view_contains(view, &item, vm)? {
            result.add(&item, vm)?;
        }
    }
    Ok(result.into_object())
}

fn symmetric_difference(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    if let (Some(x), Some(y)) = (a.downcast_ref::<DictItems>(), b.downcast_ref::<DictItems>()) {
        return items_xor(x, y, vm);
    }
    let result = to_set(a, vm)?;
    result.symmetric_difference_update_from(b, vm)?;
    Ok(result.into_object())
}

/// The pairs that only one of two dicts has. Values are compared, not hashed, while keys agree.
fn items_xor(a: &DictItems, b: &DictItems, vm: &Vm) -> PyResult {
    let (Some(mut small), Some(mut large)) = (a.dict(), b.dict()) else {
        return Ok(Set::new(vm).into_object());
    };
    if small.len() > large.len() {
        std::mem::swap(&mut small, &mut large);
    }
    let rest = small.try_copy(vm)?;
    let result = Set::new(vm);
    let mut at = 0;
    while let Some((hash, key, value)) = large.next_borrowed(&mut at) {
        let (key, value) = (key.to_ref(), value.to_ref());
        if let Some(mine) = rest.get_item_hash(&key, hash, vm)? {
            if mine.rich_compare_bool(&value, CompareOp::Eq, vm)? {
                rest.pop_hash(&key, hash, vm)?;
                continue;
            }
        }
        result.add(vm.new_tuple([key, value]).as_object(), vm)?;
    }
    result.update_from(&DictItems::new(&rest, vm), vm)?;
    Ok(result.into_object())
}

fn disjoint(view: &Object, other: &Object, vm: &Vm) -> PyResult<bool> {
    let len = view.length(vm)?;
    if view.is(other) {
        return Ok(len == 0);
    }
    let (mut container, mut items) = (view, other);
    if (is_any_set(other) || is_set_view(other)) && other.length(vm)? > len {
        (container, items) = (other, view);
    }
    let iterator = items.iter(vm)?;
    while let Some(item) = iterator.iter_next(vm)? {
        if container.contains(&item, vm)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[pytype(name = "dict_keys", symbol = "PyDictKeys_Type", gc, no_new, unhashable)]
impl DictKeys {
    /// Return True if the view and the given iterable have a null intersection.
    #[method("($self, object, /)")]
    fn isdisjoint(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
        disjoint(self.as_object(), other, vm)
    }

    /// Return a reverse iterator over the dict keys.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictReverseKeyIterator::new, vm)
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(&self, vm: &Vm) -> PyResult {
        self.proxy(vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictKeyIterator::new, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        compare(self.as_object(), other, op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        match self.dict() {
            Some(dict) => dict.contains_key(item, vm),
            None => Ok(false),
        }
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        subtract(a, b, vm)
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        intersect(a, b, vm)
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        symmetric_difference(a, b, vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        union(a, b, vm)
    }
}

#[pytype(name = "dict_items", symbol = "PyDictItems_Type", gc, no_new, unhashable)]
impl DictItems {
    /// Return True if the view and the given iterable have a null intersection.
    #[method("($self, object, /)")]
    fn isdisjoint(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
        disjoint(self.as_object(), other, vm)
    }

    /// Return a reverse iterator over the dict items.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictReverseItemIterator::new, vm)
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(&self, vm: &Vm) -> PyResult {
        self.proxy(vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictItemIterator::new, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        compare(self.as_object(), other, op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        let (Some(dict), Some(pair)) = (self.dict(), item.downcast_ref::<Tuple>()) else { return Ok(false) };
        let [key, value] = pair.as_slice() else { return Ok(false) };
        match dict.get_item(key, vm)? {
            Some(found) => found.rich_compare_bool(value, CompareOp::Eq, vm),
            None => Ok(false),
        }
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        subtract(a, b, vm)
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        intersect(a, b, vm)
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        symmetric_difference(a, b, vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        union(a, b, vm)
    }
}

#[pytype(name = "dict_values", symbol = "PyDictValues_Type", gc, no_new)]
impl DictValues {
    /// Return a reverse iterator over the dict values.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictReverseValueIterator::new, vm)
    }

    /// dictionary that this view refers to
    #[getter]
    fn mapping(&self, vm: &Vm) -> PyResult {
        self.proxy(vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.make_iter(DictValueIterator::new, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
}
