//! Iteration (PEP 234) and the send protocol of generators.

use crate::prelude::*;

/// What `am_send` of a generator or coroutine came to (PEP 380, `PyIter_Send`).
pub enum SendResult {
    /// It returned.
    Return(ObjRef),
    /// It yielded.
    Next(ObjRef),
}

/// Whether the object has a real `tp_iternext`.
pub fn is_iterator(object: &Object) -> bool {
    object.ob_type().tp_iternext.get().is_some_and(|next| {
        !std::ptr::fn_addr_eq(
            next,
            crate::builtins::object::next_not_implemented as taipan_object::typeobject::UnaryFunc,
        )
    })
}

/// `iter(object)`: `tp_iter`, or a sequence iterator over `__getitem__`.
pub fn iter(object: &Object, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    let Some(make) = tp.tp_iter.get() else {
        if crate::protocols::container::is_sequence(object) {
            return Ok(crate::builtins::iterators::SequenceIterator::new(object, vm));
        }
        return Err(vm.type_error(format!("'{}' object is not iterable", tp.tp_name_str())));
    };
    // SAFETY: a slot is called with a live object.
    let iterator = unsafe { vm.owned(make(object.as_ptr())) }?;
    if is_iterator(&iterator) {
        Ok(iterator)
    } else {
        Err(vm.type_error(format!(
            "{}.__iter__() must return an iterator, not {}",
            tp.name(),
            iterator.ob_type().tp_name_str()
        )))
    }
}

/// The next item; `None` at the end. A `StopIteration` that the slot raised counts as the end.
#[inline]
pub fn iter_next(iterator: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(next) = iterator.ob_type().tp_iternext.get() else {
        return Err(
            vm.type_error(format!("'{}' object is not an iterator", iterator.ob_type().tp_name_str()))
        );
    };
    // Iterators over iterators can be nested without end.
    vm.check_recursion("")?;
    // SAFETY: a slot is called with a live object, and hands over a reference or null.
    match unsafe { Ref::from_raw_opt(next(iterator.as_ptr())) } {
        Some(item) => Ok(Some(item)),
        None => exhausted(vm).map(|()| None),
    }
}

/// After a null from `tp_iternext`: no exception or `StopIteration` is the end, anything else an error.
#[inline]
pub fn exhausted(vm: &Vm) -> PyResult<()> {
    if !vm.has_exception() {
        return Ok(());
    }
    if vm.exception_matches(types::stop_iteration()) {
        vm.clear_exception();
        return Ok(());
    }
    Err(Raised)
}

/// All items of an iterable.
pub fn collect(iterable: &Object, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return Ok(tuple.as_slice().to_vec());
    }
    if let Some(list) = iterable.downcast_exact::<List>() {
        return Ok(list.to_vec());
    }
    let iterator = iter(iterable, vm)?;
    let mut items = Vec::with_capacity(8);
    while let Some(item) = iter_next(&iterator, vm)? {
        if items.len() == items.capacity() && items.try_reserve(items.len().max(8)).is_err() {
            return Err(vm.memory_error());
        }
        items.push(item);
    }
    Ok(items)
}
