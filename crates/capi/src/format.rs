//! The format language of messages (C API manual, `PyUnicode_FromFormat`), and of bytes (`PyBytes_FromFormat`).

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::builtins::codecs_core;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use crate::support::*;
use crate::units::Units;
use crate::va_list::{Args, VaList};

/// Flags, width and precision of one field.
#[derive(Default)]
struct Field {
    left: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The size letters of a number.
#[derive(Clone, Copy, PartialEq)]
enum Size {
    Int,
    Long,
    LongLong,
    Wide,
}

impl Units<'_> {
    fn number(&mut self) -> Option<usize> {
        if self.accept(b'*') {
            return usize::try_from(self.args.int()).ok();
        }
        let mut value: Option<usize> = None;
        while self.peek().is_ascii_digit() {
            let digit = usize::from(self.peek() - b'0');
            value = Some(value.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            self.at += 1;
        }
        value
    }

    fn field(&mut self) -> Field {
        let mut field = Field::default();
        loop {
            match self.peek() {
                b'-' => field.left = true,
                b'0' => field.zero = true,
                b'#' => field.alternate = true,
                _ => break,
            }
            self.at += 1;
        }
        field.width = self.number().unwrap_or(0);
        if self.accept(b'.') {
            field.precision = Some(self.number().unwrap_or(0));
        }
        field
    }

    fn size(&mut self) -> Size {
        if self.accept(b'l') {
            return if self.accept(b'l') { Size::LongLong } else { Size::Long };
        }
        if self.accept(b'z') || self.accept(b't') || self.accept(b'j') { Size::Wide } else { Size::Int }
    }

    /// A number in the notation of `conversion`, sign and digits apart.
    fn integer(&mut self, size: Size, conversion: u8) -> (bool, String) {
        let signed = matches!(conversion, b'd' | b'i');
        let (value, bits) = match size {
            Size::Int => {
                let value = self.args.int();
                (i64::from(value), u64::from(value as u32))
            }
            Size::Long => {
                let value = self.args.long();
                (value, value as u64)
            }
            Size::LongLong => {
                let value = self.args.long_long();
                (value, value as u64)
            }
            Size::Wide => {
                let value = self.args.size();
                (value as i64, value as u64)
            }
        };
        match conversion {
            b'x' => (false, format!("{bits:x}")),
            b'X' => (false, format!("{bits:X}")),
            b'o' => (false, format!("{bits:o}")),
            _ if signed => (value < 0, value.unsigned_abs().to_string()),
            _ => (false, bits.to_string()),
        }
    }
}

impl Field {
    fn put_number(&self, negative: bool, digits: &str, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let length = usize::from(negative) + zeros + digits.len();
        let padding = self.width.saturating_sub(length);
        let fill_zero = self.zero && !self.left;
        if !self.left && !fill_zero {
            out.push_repeated(u32::from(b' '), padding, vm)?;
        }
        if negative {
            out.push_char(u32::from(b'-'));
        }
        out.push_repeated(u32::from(b'0'), zeros + if fill_zero { padding } else { 0 }, vm)?;
        out.push_str(digits);
        if self.left {
            out.push_repeated(u32::from(b' '), padding, vm)?;
        }
        Ok(())
    }

    fn put_text(&self, text: &Str, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        let length = self.precision.map_or(text.len(), |limit| limit.min(text.len()));
        let padding = self.width.saturating_sub(length);
        if !self.left {
            out.push_repeated(u32::from(b' '), padding, vm)?;
        }
        out.push_data(text.data().slice(0, length));
        if self.left {
            out.push_repeated(u32::from(b' '), padding, vm)?;
        }
        Ok(())
    }

    /// C text; the precision counts bytes.
    ///
    /// # Safety
    /// `text` is null, ends with NUL or has as many bytes as the precision says.
    unsafe fn put_c_text(&self, text: *const c_char, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { limited(text, self.precision) };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => vm.new_str(text),
            // A precision may cut a character in two: what is left of it is dropped.
            Err(error) if self.precision.is_some() && error.error_len().is_none() => {
                let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
                decode_utf8(whole, vm)?
            }
            Err(_) => codecs_core::utf8::decode(bytes, None, "replace", true, vm)?.0,
        };
        Field { precision: None, ..*self }.put_text(&text, out, vm)
    }
}

/// The bytes of a C string, at most `limit`.
///
/// # Safety
/// `text` is null, ends with NUL, or has `limit` bytes.
unsafe fn limited<'a>(text: *const c_char, limit: Option<usize>) -> &'a [u8] {
    if text.is_null() {
        return b"(null)";
    }
    // SAFETY: the caller's promise.
    unsafe {
        let length = match limit {
            Some(limit) => libc::strnlen(text, limit),
            None => libc::strlen(text),
        };
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// Writes the formatted text to `out`.
///
/// # Safety
/// The arguments are those that the format says.
pub unsafe fn write(format: &CStr, args: *mut VaList, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
    // SAFETY: the caller's promise.
    let mut reader = Units::new(format.to_bytes(), unsafe { Args::new(args) });
    loop {
        let rest = reader.format.get(reader.at..).unwrap_or_default();
        let plain = rest.iter().position(|&byte| byte == b'%').unwrap_or(rest.len());
        let literal = rest.get(..plain).unwrap_or_default();
        if !literal.is_ascii() {
            let found = literal.iter().find(|byte| !byte.is_ascii()).copied().unwrap_or(0);
            return Err(vm.value_error(format!(
                "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x{found:02x}"
            )));
        }
        out.push_ascii(literal);
        reader.at += plain;
        if !reader.accept(b'%') {
            return Ok(());
        }
        let start = reader.at - 1;
        let field = reader.field();
        let size = reader.size();
        let conversion = reader.peek();
        reader.at += 1;
        match conversion {
            b'%' => out.push_char(u32::from(b'%')),
            b'c' => {
                let code = reader.args.int();
                match u32::try_from(code).ok().filter(|&code| code < 0x11_0000) {
                    Some(code) => out.push_char(code),
                    None => {
                        return Err(vm.overflow_error("character argument not in range(0x110000)"));
                    }
                }
            }
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                let (negative, digits) = reader.integer(size, conversion);
                field.put_number(negative, &digits, out, vm)?;
            }
            b'p' => {
                let pointer = reader.args.pointer();
                let text = if pointer.is_null() { "0x(nil)".to_owned() } else { format!("{pointer:p}") };
                field.put_text(&vm.new_str(&text), out, vm)?;
            }
            // SAFETY: the format says that the argument is a wide text.
            b's' if size == Size::Long => unsafe {
                let text = crate::unicode::from_wide(reader.args.place::<u32>(), -1, vm)?;
                field.put_text(&text, out, vm)?;
            },
            // SAFETY: the format says that the argument is a C text.
            b's' => unsafe { field.put_c_text(reader.args.text(), out, vm)? },
            b'A' | b'U' | b'S' | b'R' => {
                // SAFETY: the format says that the argument is an object.
                let object = unsafe { &*reader.args.object() };
                let text = match conversion {
                    b'A' => taipan_vm::builtins::str::repr::ascii(object, vm)?,
                    b'R' => object.repr(vm)?,
                    b'S' => object.str(vm)?,
                    _ => expect::<Str>(Some(object), vm)?.into(),
                };
                field.put_text(&text, out, vm)?;
            }
            b'V' => {
                // SAFETY: the format says that the argument is an object or null.
                let object = unsafe { reader.args.object().as_ref() };
                let fallback = reader.args.pointer();
                match object {
                    Some(object) => field.put_text(expect::<Str>(Some(object), vm)?, out, vm)?,
                    // SAFETY: with a null object the second argument is a wide text.
                    None if size == Size::Long => unsafe {
                        field.put_text(&*crate::unicode::from_wide(fallback.cast(), -1, vm)?, out, vm)?;
                    },
                    // SAFETY: with a null object the second argument is a C text.
                    None => unsafe { field.put_c_text(fallback.cast(), out, vm)? },
                }
            }
            b'T' | b'N' => {
                // SAFETY: the format says that the argument is an object.
                let object = unsafe { &*reader.args.object() };
                let tp = if conversion == b'T' {
                    object.ob_type()
                } else {
                    object
                        .downcast_ref::<Type>()
                        .ok_or_else(|| vm.type_error("%N argument must be a type"))?
                };
                let name = crate::type_::full_name(tp, if field.alternate { ":" } else { "." }, vm)?;
                field.put_text(&name, out, vm)?;
            }
            _ => {
                let rest = reader.format.get(start..).unwrap_or_default();
                let shown = String::from_utf8_lossy(rest);
                return Err(vm.system_error(format!("invalid format string: {shown}")));
            }
        }
    }
}

/// The formatted text.
///
/// # Safety
/// The arguments are those that the format says.
pub unsafe fn text(format: &CStr, args: *mut VaList, vm: &Vm) -> PyResult<Ref<Str>> {
    let mut out = StrBuilder::new();
    // SAFETY: the caller's promise.
    unsafe { write(format, args, &mut out, vm)? };
    out.try_finish(vm)
}

/// # Safety
/// The arguments are those that the format says.
unsafe fn bytes(format: &CStr, args: *mut VaList) -> Vec<u8> {
    let mut out = Vec::new();
    // SAFETY: the caller's promise.
    let mut reader = Units::new(format.to_bytes(), unsafe { Args::new(args) });
    while reader.at < reader.format.len() {
        let byte = reader.peek();
        let start = reader.at;
        reader.at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let field = reader.field();
        let size = reader.size();
        let conversion = reader.peek();
        reader.at += 1;
        match conversion {
            b'%' => out.push(b'%'),
            b'c' => out.push(reader.args.int() as u8),
            b'd' | b'i' | b'u' | b'x' => {
                let (negative, digits) = reader.integer(size, conversion);
                if negative {
                    out.push(b'-');
                }
                out.extend_from_slice(digits.as_bytes());
            }
            // SAFETY: the argument is a C string.
            b's' => out.extend_from_slice(unsafe { limited(reader.args.text(), field.precision) }),
            b'p' => out.extend_from_slice(format!("{:p}", reader.args.pointer()).as_bytes()),
            _ => {
                out.extend_from_slice(reader.format.get(start..).unwrap_or_default());
                break;
            }
        }
    }
    out
}

capi! {
    fn taipan_format(vm, format: &CStr, args: *mut VaList) -> PyResult<Ref<Str>> {
        text(format, args, vm)
    }

    fn taipan_format_bytes(vm, format: &CStr, args: *mut VaList) -> PyResult<Ref<Bytes>> {
        Bytes::try_from_slice(&bytes(format, args), vm)
    }

    fn taipan_format_error(vm, exception: &Object, format: &CStr, args: *mut VaList) -> PyResult {
        // An exception that is being replaced would be the context of the errors that formatting raises.
        vm.clear_exception();
        let message = text(format, args, vm)?;
        Err(crate::errors::set_object(exception, Some(message.as_object()), vm))
    }

    fn taipan_format_error_from_cause(vm, exception: &Object, format: &CStr, args: *mut VaList) -> PyResult {
        let cause = vm.take_exception();
        let message = text(format, args, vm)?;
        let raised = crate::errors::set_object(exception, Some(message.as_object()), vm);
        Err(match cause {
            Some(cause) => vm.chain_cause(cause),
            None => raised,
        })
    }

    fn taipan_format_unraisable(vm, format: Option<&CStr>, args: *mut VaList) -> Void {
        let waiting = vm.take_exception();
        let message = format.and_then(|format| text(format, args, vm).ok());
        vm.current_exception.set(waiting);
        let message = message.map(|m| m.to_string_lossy().into_owned());
        vm.write_unraisable(None, message.as_deref());
        Void
    }

    fn taipan_format_warning(vm, category: Option<&Object>, level: isize, format: &CStr, args: *mut VaList) -> PyResult<()> {
        let message = text(format, args, vm)?;
        crate::errors::warn(category, message.as_object(), level, None, vm)
    }

    fn taipan_format_resource_warning(vm, source: Option<&Object>, level: isize, format: &CStr, args: *mut VaList) -> PyResult<()> {
        let message = text(format, args, vm)?;
        crate::errors::warn(Some(types::resource_warning().as_object()), message.as_object(), level, source, vm)
    }

    fn taipan_format_warning_explicit(
        vm, category: Option<&Object>, filename: &CStr, line: c_int, module: Option<&CStr>, registry: Option<&Object>,
        format: &CStr, args: *mut VaList,
    ) -> PyResult<()> {
        let message = text(format, args, vm)?;
        let filename = decode_utf8(filename.to_bytes(), vm)?;
        let module = module.map(|module| decode_utf8(module.to_bytes(), vm)).transpose()?;
        crate::errors::warn_explicit(
            category,
            message.as_object(),
            filename.as_object(),
            line,
            module.as_deref().map(AsObject::as_object),
            registry,
            vm,
        )
    }

    fn taipan_format_stream(vm, error_stream: c_int, format: &CStr, args: *mut VaList) -> Void {
        let waiting = vm.take_exception();
        if let Ok(text) = text(format, args, vm) {
            crate::sys::write(error_stream != 0, &text, vm);
        }
        vm.current_exception.set(waiting);
        Void
    }

    fn taipan_write_stream(vm, error_stream: c_int, text: &CStr) -> Void {
        let waiting = vm.take_exception();
        crate::sys::write(error_stream != 0, &vm.new_str(&lossy(text)), vm);
        vm.current_exception.set(waiting);
        Void
    }
}
