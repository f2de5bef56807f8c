//! The iterator protocol, iterators and asynchronous ones (C API manual, "Iterator Protocol" and "Iterator Objects").

use std::ffi::c_int;

use taipan_vm::builtins::iterators::{CallableIterator, SequenceIterator};
use taipan_vm::interpreter::eval::generators;
use taipan_vm::prelude::*;

use crate::support::*;

capi! {
    fn PyObject_GetIter(vm, object: &Object) -> PyResult {
        object.iter(vm)
    }

    fn PyObject_GetAIter(vm, object: &Object) -> PyResult {
        let Some(aiter) = object.ob_type().as_async().and_then(|a| a.am_aiter.get()) else {
            return Err(vm.type_error(format!("'{}' object is not an async iterable", object.ob_type().name())));
        };
        let iterator = vm.owned(aiter(object.as_ptr()))?;
        if iterator.ob_type().as_async().is_none_or(|a| a.am_anext.get().is_none()) {
            return Err(vm.type_error(format!(
                "aiter() returned not an async iterator of type '{}'",
                iterator.ob_type().name()
            )));
        }
        Ok(iterator)
    }

    fn PyIter_Check(vm, object: &Object) -> bool {
        object.is_iterator()
    }

    fn PyAIter_Check(vm, object: &Object) -> bool {
        object.ob_type().as_async().is_some_and(|a| a.am_anext.get().is_some())
    }

    fn PyIter_Next(vm, iterator: &Object) -> PyResult<Option<ObjRef>> {
        iterator.iter_next(vm)
    }

    fn PyIter_NextItem(vm, iterator: &Object, item: *mut Ptr) -> PyResult<c_int> {
        *item = std::ptr::null_mut();
        if !iterator.is_iterator() {
            return Err(vm.type_error(format!("expected an iterator, got '{}'", iterator.ob_type().name())));
        }
        match iterator.iter_next(vm)? {
            Some(next) => {
                *item = next.into_raw();
                Ok(1)
            }
            None => Ok(0),
        }
    }

    fn PyIter_Send(vm, receiver: &Object, value: &Object, result: *mut Ptr) -> c_int {
        *result = std::ptr::null_mut();
        match generators::send(receiver, value, vm) {
            Ok(SendResult::Return(value)) => {
                *result = value.into_raw();
                0
            }
            Ok(SendResult::Next(value)) => {
                *result = value.into_raw();
                1
            }
            Err(Raised) => -1,
        }
    }

    fn PySeqIter_New(vm, sequence: &Object) -> PyResult {
        Ok(SequenceIterator::new(sequence, vm))
    }

    fn PyCallIter_New(vm, callable: &Object, sentinel: &Object) -> PyResult {
        Ok(CallableIterator::new(callable, sentinel, vm))
    }
}
