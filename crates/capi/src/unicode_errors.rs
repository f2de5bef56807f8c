//! The fields of `UnicodeError` objects (C API manual, "Unicode Exception Objects").

use std::ffi::CStr;

use taipan_vm::prelude::*;

use crate::support::*;

fn attribute(exception: &Object, name: &str, vm: &Vm) -> PyResult {
    exception.get_attr(&vm.intern(name), vm)
}

/// The length of the text or data that the exception is about.
fn length(exception: &Object, vm: &Vm) -> PyResult<isize> {
    attribute(exception, "object", vm)?.length(vm).map(signed)
}

fn position(exception: &Object, name: &str, vm: &Vm) -> PyResult<isize> {
    let value = attribute(exception, name, vm)?.as_isize(vm)?;
    let length = length(exception, vm)?;
    // A range that the object doesn't have is fitted to it.
    Ok(match name {
        "start" => value.clamp(0, (length - 1).max(0)),
        _ => value.clamp(length.min(1), length),
    })
}

macro_rules! fields {
    ($($encoding:ident)? ; $object:ident $reason:ident $start:ident $end:ident $set_reason:ident $set_start:ident $set_end:ident) => {
        capi! {
            $(
                fn $encoding(vm, exception: &Object) -> PyResult {
                    attribute(exception, "encoding", vm)
                }
            )?

            fn $object(vm, exception: &Object) -> PyResult {
                attribute(exception, "object", vm)
            }

            fn $reason(vm, exception: &Object) -> PyResult {
                attribute(exception, "reason", vm)
            }

            fn $start(vm, exception: &Object, place: *mut isize) -> PyResult<()> {
                *place = position(exception, "start", vm)?;
                Ok(())
            }

            fn $end(vm, exception: &Object, place: *mut isize) -> PyResult<()> {
                *place = position(exception, "end", vm)?;
                Ok(())
            }

            fn $set_reason(vm, exception: &Object, reason: &CStr) -> PyResult<()> {
                let reason = decode_utf8(reason.to_bytes(), vm)?;
                exception.set_attr(&vm.intern("reason"), reason.as_object(), vm)
            }

            fn $set_start(vm, exception: &Object, start: isize) -> PyResult<()> {
                exception.set_attr(&vm.intern("start"), &vm.new_int(start), vm)
            }

            fn $set_end(vm, exception: &Object, end: isize) -> PyResult<()> {
                exception.set_attr(&vm.intern("end"), &vm.new_int(end), vm)
            }
        }
    };
}

fields! { PyUnicodeEncodeError_GetEncoding; PyUnicodeEncodeError_GetObject PyUnicodeEncodeError_GetReason
PyUnicodeEncodeError_GetStart PyUnicodeEncodeError_GetEnd PyUnicodeEncodeError_SetReason
PyUnicodeEncodeError_SetStart PyUnicodeEncodeError_SetEnd }
fields! { PyUnicodeDecodeError_GetEncoding; PyUnicodeDecodeError_GetObject PyUnicodeDecodeError_GetReason
PyUnicodeDecodeError_GetStart PyUnicodeDecodeError_GetEnd PyUnicodeDecodeError_SetReason
PyUnicodeDecodeError_SetStart PyUnicodeDecodeError_SetEnd }
fields! { ; PyUnicodeTranslateError_GetObject PyUnicodeTranslateError_GetReason PyUnicodeTranslateError_GetStart
PyUnicodeTranslateError_GetEnd PyUnicodeTranslateError_SetReason PyUnicodeTranslateError_SetStart
PyUnicodeTranslateError_SetEnd }
