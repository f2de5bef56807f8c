//! What kind of character a code point is: behind the `Py_UNICODE_IS…` macros.

use std::ffi::c_int;

use taipan_vm::builtins::str::Str;
use taipan_vm::builtins::str::predicates;
use taipan_vm::prelude::*;

use crate::support::*;

macro_rules! tests {
    ($($name:ident $test:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(code: u32) -> c_int {
            c_int::from(predicates::$test(code))
        }
    )*};
}

tests! {
    _PyUnicode_IsWhitespace is_space;
    _PyUnicode_IsLinebreak is_line_break;
    _PyUnicode_IsAlpha is_alpha;
    _PyUnicode_IsDecimalDigit is_decimal;
    _PyUnicode_IsDigit is_digit;
    _PyUnicode_IsNumeric is_numeric;
    _PyUnicode_IsLowercase is_lower;
    _PyUnicode_IsUppercase is_upper;
    _PyUnicode_IsTitlecase is_title;
    _PyUnicode_IsPrintable is_printable;
}

#[unsafe(no_mangle)]
pub extern "C" fn _PyUnicode_ToDecimalDigit(code: u32) -> c_int {
    predicates::decimal_value(code).map_or(-1, |value| value as c_int)
}

/// The first character of what the text becomes; a character whose other case is longer stays as it is.
fn simple(code: u32, turned: PyResult<Ref<Str>>, vm: &Vm) -> u32 {
    match turned {
        Ok(text) if text.len() == 1 => text.char_at(0).unwrap_or(code),
        Ok(_) => code,
        Err(Raised) => {
            vm.clear_exception();
            code
        }
    }
}

capi! {
    fn _PyUnicode_ToLowercase(vm, code: u32) -> u32 {
        simple(code, Str::from_char(code, vm).to_lower(vm), vm)
    }

    fn _PyUnicode_ToUppercase(vm, code: u32) -> u32 {
        simple(code, Str::from_char(code, vm).to_upper(vm), vm)
    }
}
