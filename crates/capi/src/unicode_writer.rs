//! `PyUnicodeWriter`: building a str piece by piece (C API manual, "PyUnicodeWriter").

use std::ffi::{CStr, c_char};

use taipan_vm::builtins::codecs_core;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use crate::support::*;
use crate::va_list::VaList;

/// A writer of C's: opaque to it.
pub struct Writer(StrBuilder);

fn utf8<'a>(data: *const c_char, length: isize) -> &'a [u8] {
    // SAFETY: C code gives that many bytes, or NUL-terminated text for a negative length.
    unsafe {
        match usize::try_from(length) {
            Ok(length) => bytes_at(data.cast(), length),
            Err(_) => <&CStr>::from_c(data).to_bytes(),
        }
    }
}

capi! {
    fn PyUnicodeWriter_Create(vm, length: isize) -> PyResult<*mut Writer> {
        let length = usize::try_from(length).map_err(|_| vm.value_error("length must be positive"))?;
        let mut builder = StrBuilder::new();
        builder.reserve(length, vm)?;
        Ok(Box::into_raw(Box::new(Writer(builder))))
    }

    fn PyUnicodeWriter_Discard(vm, writer: *mut Writer) -> Void {
        if !writer.is_null() {
            drop(Box::from_raw(writer));
        }
        Void
    }

    fn PyUnicodeWriter_Finish(vm, writer: *mut Writer) -> PyResult<Ref<Str>> {
        Box::from_raw(writer).0.try_finish(vm)
    }

    fn PyUnicodeWriter_WriteChar(vm, writer: *mut Writer, code: u32) -> PyResult<()> {
        if code > 0x10_ffff {
            return Err(vm.value_error("character must be in range(0x110000)"));
        }
        (*writer).0.push_char(code);
        Ok(())
    }

    fn PyUnicodeWriter_WriteASCII(vm, writer: *mut Writer, text: *const c_char, length: isize) -> PyResult<()> {
        (*writer).0.push_ascii(utf8(text, length));
        Ok(())
    }

    fn PyUnicodeWriter_WriteUTF8(vm, writer: *mut Writer, text: *const c_char, length: isize) -> PyResult<()> {
        let decoded = decode_utf8(utf8(text, length), vm)?;
        (*writer).0.push(&decoded);
        Ok(())
    }

    fn PyUnicodeWriter_DecodeUTF8Stateful(
        vm, writer: *mut Writer, text: *const c_char, length: isize, errors: Option<&CStr>, used: *mut isize,
    ) -> PyResult<()> {
        let errors = errors.map_or("strict".into(), lossy);
        let (decoded, read) = codecs_core::utf8::decode(utf8(text, length), None, &errors, used.is_null(), vm)?;
        (*writer).0.push(&decoded);
        if !used.is_null() {
            *used = signed(read);
        }
        Ok(())
    }

    fn PyUnicodeWriter_WriteWideChar(vm, writer: *mut Writer, text: *const u32, length: isize) -> PyResult<()> {
        let decoded = crate::unicode::from_wide(text, length, vm)?;
        (*writer).0.push(&decoded);
        Ok(())
    }

    fn PyUnicodeWriter_WriteUCS4(vm, writer: *mut Writer, text: *const u32, length: isize) -> PyResult<()> {
        let decoded = crate::unicode::from_wide(text, size(length, vm)? as isize, vm)?;
        (*writer).0.push(&decoded);
        Ok(())
    }

    fn PyUnicodeWriter_WriteStr(vm, writer: *mut Writer, object: &Object) -> PyResult<()> {
        let text = object.str(vm)?;
        (*writer).0.push(&text);
        Ok(())
    }

    fn PyUnicodeWriter_WriteRepr(vm, writer: *mut Writer, object: Option<&Object>) -> PyResult<()> {
        match object {
            Some(object) => {
                let text = object.repr(vm)?;
                (*writer).0.push(&text);
            }
            None => (*writer).0.push_str("<NULL>"),
        }
        Ok(())
    }

    fn PyUnicodeWriter_WriteSubstring(vm, writer: *mut Writer, object: &Object, start: isize, end: isize) -> PyResult<()> {
        let Some(text) = object.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("expect str, not {}", object.ob_type().name())));
        };
        let (start, end) = (usize::try_from(start), usize::try_from(end));
        match (start, end) {
            (Ok(start), Ok(end)) if start <= text.len() && end <= text.len() => {
                if start < end {
                    (*writer).0.push_data(text.data().slice(start, end));
                }
                Ok(())
            }
            (Err(_), _) => Err(vm.value_error("start must be positive")),
            _ => Err(vm.value_error("end must be less than or equal to the length")),
        }
    }

    fn taipan_format_writer(vm, writer: *mut Writer, format: &CStr, args: *mut VaList) -> PyResult<()> {
        let text = crate::format::text(format, args, vm)?;
        (*writer).0.push(&text);
        Ok(())
    }
}
