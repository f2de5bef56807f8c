//! Exported variables that are not objects: configuration flags, character tables, texts.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicI32, AtomicPtr};

macro_rules! flags {
    ($($name:ident = $value:literal;)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static $name: AtomicI32 = AtomicI32::new($value);
    )*};
}

flags! {
    Py_BytesWarningFlag = 0;
    Py_DebugFlag = 0;
    Py_DontWriteBytecodeFlag = 0;
    Py_FrozenFlag = 0;
    Py_HasFileSystemDefaultEncoding = 0;
    Py_HashRandomizationFlag = 1;
    Py_IgnoreEnvironmentFlag = 0;
    Py_InspectFlag = 0;
    Py_InteractiveFlag = 0;
    Py_IsolatedFlag = 0;
    Py_NoSiteFlag = 0;
    Py_NoUserSiteDirectory = 0;
    Py_OptimizeFlag = 0;
    Py_QuietFlag = 0;
    Py_UTF8Mode = 0;
    Py_UnbufferedStdioFlag = 0;
    Py_VerboseFlag = 0;
}

macro_rules! pointers {
    ($($name:ident = $value:expr;)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static $name: AtomicPtr<c_void> = AtomicPtr::new($value.cast_mut().cast());
    )*};
}

const UTF8: &[u8] = b"utf-8\0";
const ERRORS: &[u8] = b"surrogateescape\0";
const HEX_DIGITS: &[u8] = b"0123456789abcdef\0";
const UNNAMED: &[u8] = b"unnamed field\0";

pointers! {
    Py_FileSystemDefaultEncoding = UTF8.as_ptr();
    Py_FileSystemDefaultEncodeErrors = ERRORS.as_ptr();
    Py_hexdigits = HEX_DIGITS.as_ptr();
    PyStructSequence_UnnamedField = UNNAMED.as_ptr();
    PyOS_InputHook = std::ptr::null::<c_char>();
    PyOS_ReadlineFunctionPointer = std::ptr::null::<c_char>();
    PyImport_FrozenModules = std::ptr::null::<c_char>();
    PyImport_Inittab = std::ptr::null::<c_char>();
}

const LOWER: u32 = 1;
const UPPER: u32 = 2;
const DIGIT: u32 = 4;
const SPACE: u32 = 8;
const HEX: u32 = 16;

#[allow(clippy::indexing_slicing, reason = "the loops run over the tables' own lengths")]
const fn ctype() -> [u32; 256] {
    let mut table = [0; 256];
    let mut c = 0;
    while c < 128 {
        let byte = c as u8;
        let mut bits = 0;
        if byte.is_ascii_lowercase() {
            bits |= LOWER;
        }
        if byte.is_ascii_uppercase() {
            bits |= UPPER;
        }
        if byte.is_ascii_digit() {
            bits |= DIGIT;
        }
        if matches!(byte, 9..=13 | 32) {
            bits |= SPACE;
        }
        if byte.is_ascii_hexdigit() {
            bits |= HEX;
        }
        table[c] = bits;
        c += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "the loops run over the tables' own lengths")]
const fn folded(lower: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        table[c] = if lower { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        c += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "the loops run over the tables' own lengths")]
const fn spaces() -> [u8; 128] {
    let mut table = [0; 128];
    let mut c = 0;
    while c < 128 {
        table[c] = matches!(c, 9..=13 | 28..=32) as u8;
        c += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "the loops run over the tables' own lengths")]
const fn digit_values() -> [u8; 256] {
    let mut table = [37; 256];
    let mut c = 0;
    while c < 128 {
        let byte = c as u8;
        table[c] = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' => byte - b'A' + 10,
            _ => 37,
        };
        c += 1;
    }
    table
}

macro_rules! tables {
    ($($name:ident: $t:ty = $value:expr;)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static $name: $t = $value;
    )*};
}

tables! {
    _Py_ctype_table: [u32; 256] = ctype();
    _Py_ctype_tolower: [u8; 256] = folded(true);
    _Py_ctype_toupper: [u8; 256] = folded(false);
    _Py_ascii_whitespace: [u8; 128] = spaces();
    _PyLong_DigitValue: [u8; 256] = digit_values();
    // `<` becomes `>` and so on when operands change places.
    _Py_SwappedOp: [i32; 6] = [4, 5, 2, 3, 0, 1];
}
