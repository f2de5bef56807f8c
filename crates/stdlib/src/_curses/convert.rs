//! Arguments of curses functions, and what the library gives for failure.

use std::ffi::{CStr, CString, c_int};

use taipan_vm::args::{ArgName, FromArg};
use taipan_vm::builtins::codecs_core::registry;
use taipan_vm::prelude::*;

use super::library::{A_COLOR, Chtype, ERR, WideCharacter};
use super::{ERROR, state};

/// A character as Python gives it.
pub enum Character {
    /// A byte or a number with attributes.
    Byte(Chtype),
    /// A character of a str.
    Wide(u32),
}

/// A text as Python gives it.
pub enum Text {
    /// bytes.
    Bytes(CString),
    /// The code points of a str, with a zero at the end.
    Wide(Vec<i32>),
}

/// Raises `curses.error` where a function gave its failure.
pub fn check(code: c_int, name: &str, vm: &Vm) -> PyResult<()> {
    if code == ERR { Err(ERROR.raise(format!("{name}() returned ERR"), vm)) } else { Ok(()) }
}

/// `curses.error` for a null pointer.
pub fn null(vm: &Vm) -> Raised {
    ERROR.raise("curses function returned NULL", vm)
}

/// A C int.
pub fn int(object: &Object, vm: &Vm) -> PyResult<c_int> {
    c_int::from_arg(object, &ArgName { func: "", pos: ArgName::SOLE, name: "" }, vm)
}

/// Attributes: a C long of which the library's bits are taken.
pub fn attributes(object: Option<&&Object>, vm: &Vm) -> PyResult<Chtype> {
    let Some(object) = object else { return Ok(0) };
    let number = i64::from_arg(object, &ArgName { func: "", pos: ArgName::SOLE, name: "" }, vm)?;
    Ok(number as Chtype)
}

/// Splits `[y, x,]` from the arguments that follow, of which there are so few or so many.
pub fn split<'a>(
    name: &str,
    args: &'a [&'a Object],
    least: usize,
    most: usize,
    vm: &Vm,
) -> PyResult<(Option<(c_int, c_int)>, &'a [&'a Object])> {
    if (least..=most).contains(&args.len()) {
        return Ok((None, args));
    }
    match args {
        [y, x, rest @ ..] if (least..=most).contains(&rest.len()) => {
            Ok((Some((int(y, vm)?, int(x, vm)?)), rest))
        }
        _ => Err(wrong_count(name, least, most + 2, vm)),
    }
}

/// `TypeError` for a number of arguments that fits no form.
pub fn wrong_count(name: &str, least: usize, most: usize, vm: &Vm) -> Raised {
    vm.type_error(format!("_curses.{name} requires {least} to {most} arguments"))
}

/// As many C ints as there are places.
pub fn ints<const N: usize>(args: &[&Object], vm: &Vm) -> PyResult<[c_int; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        *number = int(arg, vm)?;
    }
    Ok(numbers)
}

fn not_a_character(object: &Object, kinds: &str, vm: &Vm) -> Raised {
    let length = object
        .downcast_ref::<Str>()
        .map(|text| ("str", text.len()))
        .or_else(|| object.downcast_ref::<Bytes>().map(|bytes| ("bytes", bytes.as_bytes().len())));
    let got = match length {
        Some((kind, length)) if kinds.contains(kind) => format!("a {kind} of length {length}"),
        _ => object.ob_type().tp_name_str().to_string(),
    };
    vm.type_error(format!("expect int or {kinds} of length 1, got {got}"))
}

/// The only character of a str.
fn only_character(text: &Str) -> Option<u32> {
    if text.len() == 1 { text.char_at(0) } else { None }
}

fn does_not_fit(vm: &Vm) -> Raised {
    vm.overflow_error("byte doesn't fit in chtype")
}

fn chtype_of_int(int: &Int, vm: &Vm) -> PyResult<Chtype> {
    int.to_i64().and_then(|value| Chtype::try_from(value).ok()).ok_or_else(|| does_not_fit(vm))
}

/// A character of one byte, or a number with attributes. A str is encoded as the window's texts are, or the screen's.
pub fn chtype(object: &Object, encoding: Option<&str>, vm: &Vm) -> PyResult<Chtype> {
    const KINDS: &str = "bytes or str";
    if let Some([byte]) = object.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes()) {
        return Ok(Chtype::from(*byte));
    }
    if let Some(int) = object.downcast_exact::<Int>() {
        return chtype_of_int(int, vm);
    }
    let Some(text) = object.downcast_ref::<Str>() else { return Err(not_a_character(object, KINDS, vm)) };
    let Some(code) = only_character(text) else { return Err(not_a_character(object, KINDS, vm)) };
    if code <= 128 {
        return Ok(code);
    }
    let screen = state(vm).encoding.borrow().clone();
    let encoded = registry::encode_text(text, encoding.unwrap_or(&screen), "strict", vm)?;
    match encoded.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes()) {
        Some([byte]) => Ok(Chtype::from(*byte)),
        _ => Err(does_not_fit(vm)),
    }
}

/// A character of any width, or a number with attributes.
pub fn character(object: &Object, vm: &Vm) -> PyResult<Character> {
    const KINDS: &str = "bytes or str";
    if let Some(text) = object.downcast_ref::<Str>() {
        let code = only_character(text).ok_or_else(|| not_a_character(object, KINDS, vm))?;
        return Ok(Character::Wide(code));
    }
    if let Some([byte]) = object.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes()) {
        return Ok(Character::Byte(Chtype::from(*byte)));
    }
    match object.downcast_exact::<Int>() {
        Some(int) if int.to_i64().is_none() => Err(vm.overflow_error("int doesn't fit in long")),
        Some(int) => chtype_of_int(int, vm).map(Character::Byte),
        None => Err(not_a_character(object, KINDS, vm)),
    }
}

/// What `unget_wch` takes: a character or its number.
pub fn wide_character(object: &Object, vm: &Vm) -> PyResult<u32> {
    const KINDS: &str = "str";
    if let Some(text) = object.downcast_ref::<Str>() {
        return only_character(text).ok_or_else(|| not_a_character(object, KINDS, vm));
    }
    let Some(int) = object.downcast_exact::<Int>() else { return Err(not_a_character(object, KINDS, vm)) };
    let Some(value) = int.to_i64() else { return Err(vm.overflow_error("int doesn't fit in long")) };
    match i32::try_from(value) {
        Ok(value) => Ok(value as u32),
        Err(_) => Err(vm.overflow_error("character doesn't fit in wchar_t")),
    }
}

/// A text without NUL.
pub fn text(object: &Object, vm: &Vm) -> PyResult<Text> {
    if let Some(text) = object.downcast_ref::<Str>() {
        let mut codes = Vec::with_capacity(text.len() + 1);
        for at in 0..text.len() {
            match text.char_at(at) {
                Some(0) => return Err(vm.value_error("embedded null character")),
                Some(code) => codes.push(code as i32),
                None => break,
            }
        }
        codes.push(0);
        return Ok(Text::Wide(codes));
    }
    match object.downcast_ref::<Bytes>() {
        Some(bytes) => {
            CString::new(bytes.as_bytes()).map(Text::Bytes).map_err(|_| vm.value_error("embedded null byte"))
        }
        None => Err(vm.type_error(format!("expect bytes or str, got {}", object.ob_type().tp_name_str()))),
    }
}

/// The number of the colour pair in attributes.
pub fn pair_of(attributes: Chtype) -> i16 {
    ((attributes & A_COLOR) >> 8) as i16
}

/// The library's form of a wide character with attributes.
pub fn with_attributes(code: u32, attributes: Chtype, vm: &Vm) -> PyResult<WideCharacter> {
    let library = super::library(vm)?;
    let text = [code as i32, 0];
    let mut out = WideCharacter::new();
    // SAFETY: the text ends with zero; there is more room than the library writes; no options.
    let code = unsafe {
        library.setcchar(&raw mut out, text.as_ptr(), attributes, pair_of(attributes), std::ptr::null())
    };
    check(code, "setcchar", vm)?;
    Ok(out)
}

/// A copy of a text that the library keeps; null gives none.
pub fn bytes_at(text: *const std::ffi::c_char, vm: &Vm) -> Option<Ref<Bytes>> {
    // SAFETY: not null, so a NUL-terminated text of the library that lives until its next call.
    (!text.is_null()).then(|| vm.new_bytes(unsafe { CStr::from_ptr(text) }.to_bytes()))
}
