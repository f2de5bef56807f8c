//! f-strings and t-strings (PEP 498, PEP 750).

use crate::builtins::template;
use crate::interpreter::eval::stack::{Stack, Step};
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::raw;
use crate::prelude::*;

/// `CONVERT_VALUE`: `!s`, `!r` or `!a` of a replacement field.
#[inline(never)]
pub unsafe fn convert_value(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let value = s.object(1);
        let text = match oparg {
            1 => value.str(vm)?,
            2 => value.repr(vm)?,
            _ => ascii(value, vm)?,
        };
        Ok(s.replace(1, text.into_object()))
    }
}

/// `FORMAT_SIMPLE`: a replacement field without a specification.
#[inline(never)]
pub unsafe fn format_simple(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        if s.object(1).type_ptr() == raw::str_type() {
            return Ok(s);
        }
        let text = s.object(1).format(None, vm)?;
        Ok(s.replace(1, text.into_object()))
    }
}

/// `FORMAT_WITH_SPEC`: a replacement field with a specification.
#[inline(never)]
pub unsafe fn format_with_spec(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The spec was built as a string.
    unsafe {
        let text = s.object(2).format(s.object(1).downcast_ref::<Str>(), vm)?;
        Ok(s.replace(2, text.into_object()))
    }
}

/// `BUILD_STRING`: joins the topmost strings.
#[inline(never)]
pub unsafe fn build_string(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`. The pieces are strings.
    unsafe {
        let (s, pieces) = s.take(oparg);
        match Str::join_items(vm.ids().empty, &pieces, vm) {
            Ok(text) => Ok(s.push(crate::interpreter::stackref::StackRef::owned(text.into_object()))),
            Err(raised) => {
                // The operands are gone: empty slots stand for them while the exception unwinds the stack.
                let mut empty = s;
                for _ in 0..oparg {
                    empty = empty.push(crate::interpreter::stackref::StackRef::NULL);
                }
                Err(raised)
            }
        }
    }
}

/// `BUILD_INTERPOLATION`: a field of a template string (PEP 750).
#[inline(never)]
pub unsafe fn build_interpolation(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let conversion = match oparg >> 2 {
            1 => Some('s'),
            2 => Some('r'),
            3 => Some('a'),
            _ => None,
        };
        let slots = 2 + (oparg & 1);
        let made = if slots == 3 {
            template::new_interpolation(s.object(3), s.object(2), conversion, s.object(1), vm)?
        } else {
            template::new_interpolation(s.object(2), s.object(1), conversion, vm.ids().empty.as_object(), vm)?
        };
        Ok(s.replace(slots, made))
    }
}

/// `BUILD_TEMPLATE`: a template of strings and interpolations (PEP 750).
#[inline(never)]
pub unsafe fn build_template(vm: &Vm, _frame: *mut InterpreterFrame, s: Stack, _oparg: usize) -> Step {
    // SAFETY: see `eval::run`.
    unsafe {
        let made = template::new_template(s.object(2), s.object(1), vm)?;
        Ok(s.replace(2, made))
    }
}

/// `ascii(value)`.
#[inline(never)]
pub fn ascii(value: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let shown = value.repr(vm)?;
    if shown.is_ascii() {
        return Ok(shown);
    }
    let mut text = String::new();
    for point in shown.data().iter() {
        match point {
            0..=0x7f => text.push(char::from(point as u8)),
            0x80..=0xff => text.push_str(&format!("\\x{point:02x}")),
            0x100..=0xffff => text.push_str(&format!("\\u{point:04x}")),
            _ => text.push_str(&format!("\\U{point:08x}")),
        }
    }
    Ok(vm.new_str(&text))
}
