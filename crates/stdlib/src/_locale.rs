//! `_locale`: the C library's locales.

use std::ffi::{CStr, CString, c_char, c_int};

use taipan_vm::exceptions::declared::DeclaredException;

use taipan_vm::prelude::*;

/// The module.
pub struct Locale;

unsafe extern "C" {
    fn gettext(message: *const c_char) -> *mut c_char;
    fn dgettext(domain: *const c_char, message: *const c_char) -> *mut c_char;
    fn dcgettext(domain: *const c_char, message: *const c_char, category: c_int) -> *mut c_char;
    fn textdomain(domain: *const c_char) -> *mut c_char;
    fn bindtextdomain(domain: *const c_char, directory: *const c_char) -> *mut c_char;
    fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
}

static ERROR: DeclaredException = DeclaredException { name: "locale.Error", base: types::exception };

/// A text of the C library's, in the locale's encoding, which is taken as UTF-8 with the rest escaped.
///
/// # Safety
/// `text` is null or ends in NUL.
unsafe fn from_c(text: *const c_char, vm: &Vm) -> Option<ObjRef> {
    if text.is_null() {
        return None;
    }
    // SAFETY: passed on to the caller.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    Some(decode(bytes, vm))
}

fn decode(bytes: &[u8], vm: &Vm) -> ObjRef {
    match std::str::from_utf8(bytes) {
        Ok(text) => vm.new_str(text).into_object(),
        // One-byte encodings of old locales are not known here: each byte stands for itself.
        Err(_) => Str::from_latin1(bytes, vm).into_object(),
    }
}

fn to_c(text: &Str, vm: &Vm) -> PyResult<CString> {
    CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))
}

fn optional(text: Option<&Str>, vm: &Vm) -> PyResult<Option<CString>> {
    text.map(|text| to_c(text, vm)).transpose()
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The numbers in front of the end of a grouping; the end itself shows as 0.
///
/// # Safety
/// `grouping` ends in NUL or `CHAR_MAX`.
unsafe fn grouping(grouping: *const c_char, vm: &Vm) -> ObjRef {
    let mut sizes = Vec::new();
    let mut at = grouping;
    // SAFETY: passed on to the caller.
    unsafe {
        while *at != 0 && *at != c_char::MAX {
            sizes.push(vm.new_int(i64::from(*at)));
            at = at.add(1);
        }
        if !sizes.is_empty() {
            sizes.push(vm.new_int(i64::from(*at)));
        } else if *at == c_char::MAX {
            sizes.push(vm.new_int(i64::from(*at)));
        }
    }
    vm.new_list(sizes).into_object()
}

const ITEMS: &[(&str, libc::nl_item)] = &[
    ("DAY_1", libc::DAY_1),
    ("DAY_2", libc::DAY_2),
    ("DAY_3", libc::DAY_3),
    ("DAY_4", libc::DAY_4),
    ("DAY_5", libc::DAY_5),
    ("DAY_6", libc::DAY_6),
    ("DAY_7", libc::DAY_7),
    ("ABDAY_1", libc::ABDAY_1),
    ("ABDAY_2", libc::ABDAY_2),
    ("ABDAY_3", libc::ABDAY_3),
    ("ABDAY_4", libc::ABDAY_4),
    ("ABDAY_5", libc::ABDAY_5),
    ("ABDAY_6", libc::ABDAY_6),
    ("ABDAY_7", libc::ABDAY_7),
    ("MON_1", libc::MON_1),
    ("MON_2", libc::MON_2),
    ("MON_3", libc::MON_3),
    ("MON_4", libc::MON_4),
    ("MON_5", libc::MON_5),
    ("MON_6", libc::MON_6),
    ("MON_7", libc::MON_7),
    ("MON_8", libc::MON_8),
    ("MON_9", libc::MON_9),
    ("MON_10", libc::MON_10),
    ("MON_11", libc::MON_11),
    ("MON_12", libc::MON_12),
    ("ABMON_1", libc::ABMON_1),
    ("ABMON_2", libc::ABMON_2),
    ("ABMON_3", libc::ABMON_3),
    ("ABMON_4", libc::ABMON_4),
    ("ABMON_5", libc::ABMON_5),
    ("ABMON_6", libc::ABMON_6),
    ("ABMON_7", libc::ABMON_7),
    ("ABMON_8", libc::ABMON_8),
    ("ABMON_9", libc::ABMON_9),
    ("ABMON_10", libc::ABMON_10),
    ("ABMON_11", libc::ABMON_11),
    ("ABMON_12", libc::ABMON_12),
    ("RADIXCHAR", libc::RADIXCHAR),
    ("THOUSEP", libc::THOUSEP),
    ("YESEXPR", libc::YESEXPR),
    ("NOEXPR", libc::NOEXPR),
    ("CRNCYSTR", libc::CRNCYSTR),
    ("D_FMT", libc::D_FMT),
    ("D_T_FMT", libc::D_T_FMT),
    ("T_FMT", libc::T_FMT),
    ("AM_STR", libc::AM_STR),
    ("PM_STR", libc::PM_STR),
    ("CODESET", libc::CODESET),
    ("T_FMT_AMPM", libc::T_FMT_AMPM),
    ("ERA", libc::ERA),
    ("ERA_D_FMT", libc::ERA_D_FMT),
    ("ERA_D_T_FMT", libc::ERA_D_T_FMT),
    ("ERA_T_FMT", libc::ERA_T_FMT),
    ("ALT_DIGITS", libc::ALT_DIGITS),
    ("_DATE_FMT", 131_180),
];

const CATEGORIES: &[(&str, c_int)] = &[
    ("LC_CTYPE", libc::LC_CTYPE),
    ("LC_TIME", libc::LC_TIME),
    ("LC_COLLATE", libc::LC_COLLATE),
    ("LC_MONETARY", libc::LC_MONETARY),
    ("LC_MESSAGES", libc::LC_MESSAGES),
    ("LC_NUMERIC", libc::LC_NUMERIC),
    ("LC_ALL", libc::LC_ALL),
    ("CHAR_MAX", c_char::MAX as c_int),
];

/// How many texts `ALT_DIGITS` may have, separated by NUL in the C library.
const ALT_DIGITS_COUNT: usize = 100;

/// Support for POSIX locales.
#[pymodule(name = "_locale")]
impl Locale {
    /// Activates/queries locale processing.
    #[function("($module, category, locale=None, /)")]
    fn setlocale(category: i32, locale: OrNone<&Str>, vm: &Vm) -> PyResult {
        let name = optional(locale.0, vm)?;
        let failed = if name.is_some() { "unsupported locale setting" } else { "locale query failed" };
        // SAFETY: null or a text that ends in NUL; the answer is copied before the next call.
        unsafe { from_c(libc::setlocale(category, pointer(&name)), vm) }
            .ok_or_else(|| ERROR.raise(failed, vm))
    }

    /// Returns numeric and monetary locale-specific parameters.
    #[function("($module, /)")]
    fn localeconv(vm: &Vm) -> PyResult<Ref<Dict>> {
        let dict = vm.new_dict();
        // SAFETY: the C library's static record, whose texts end in NUL; nothing that could change it runs meanwhile.
        unsafe {
            let conventions = &*libc::localeconv();
            let texts = [
                ("int_curr_symbol", conventions.int_curr_symbol),
                ("currency_symbol", conventions.currency_symbol),
                ("mon_decimal_point", conventions.mon_decimal_point),
                ("mon_thousands_sep", conventions.mon_thousands_sep),
                ("mon_grouping", conventions.mon_grouping),
                ("positive_sign", conventions.positive_sign),
                ("negative_sign", conventions.negative_sign),
            ];
            let numbers = [
                ("int_frac_digits", conventions.int_frac_digits),
                ("frac_digits", conventions.frac_digits),
                ("p_cs_precedes", conventions.p_cs_precedes),
                ("p_sep_by_space", conventions.p_sep_by_space),
                ("n_cs_precedes", conventions.n_cs_precedes),
                ("n_sep_by_space", conventions.n_sep_by_space),
                ("p_sign_posn", conventions.p_sign_posn),
                ("n_sign_posn", conventions.n_sign_posn),
            ];
            let decimal = [
                ("decimal_point", conventions.decimal_point),
                ("thousands_sep", conventions.thousands_sep),
                ("grouping", conventions.grouping),
            ];
            let text = |name: &str, value: *mut c_char| {
                if name.ends_with("grouping") {
                    grouping(value, vm)
                } else {
                    from_c(value, vm).unwrap_or_else(|| vm.none())
                }
            };
            for (name, value) in texts {
                dict.set_str(&vm.intern(name), &text(name, value), vm)?;
            }
            for (name, value) in numbers {
                dict.set_str(&vm.intern(name), &vm.new_int(i64::from(value)), vm)?;
            }
            for (name, value) in decimal {
                dict.set_str(&vm.intern(name), &text(name, value), vm)?;
            }
        }
        Ok(dict)
    }

    /// Return the value for the locale information associated with key.
    #[function("($module, key, /)")]
    fn nl_langinfo(key: i32, vm: &Vm) -> PyResult {
        if !ITEMS.iter().any(|(_, item)| *item == key) {
            return Err(vm.value_error("unsupported langinfo constant"));
        }
        // SAFETY: a static text of the C library's that ends in NUL.
        let text = unsafe { libc::nl_langinfo(key) };
        if key == libc::ALT_DIGITS && !text.is_null() {
            let mut digits = Vec::new();
            let mut at: *const c_char = text;
            for _ in 0..ALT_DIGITS_COUNT {
                // SAFETY: the texts lie behind each other, an empty one ends them.
                unsafe {
                    let digit = CStr::from_ptr(at).to_bytes();
                    if digit.is_empty() {
                        break;
                    }
                    digits.push(String::from_utf8_lossy(digit).into_owned());
                    at = at.add(digit.len() + 1);
                }
            }
            return Ok(vm.new_str(&digits.join(";")).into_object());
        }
        // SAFETY: as above.
        Ok(unsafe { from_c(text, vm) }.unwrap_or_else(|| Str::empty().into_object()))
    }

    /// Compares two strings according to the locale.
    #[function("($module, os1, os2, /)")]
    fn strcoll(os1: &Str, os2: &Str, vm: &Vm) -> PyResult<i32> {
        let (a, b) = (to_c(os1, vm)?, to_c(os2, vm)?);
        // SAFETY: both end in NUL.
        Ok(unsafe { libc::strcoll(a.as_ptr(), b.as_ptr()) })
    }

    /// Return a string that can be used as a key for locale-aware comparisons.
    #[function("($module, string, /)")]
    fn strxfrm(string: &Str, vm: &Vm) -> PyResult {
        let text = to_c(string, vm)?;
        // SAFETY: the text ends in NUL; the buffer has the length that is passed.
        unsafe {
            let needed = libc::strxfrm(std::ptr::null_mut(), text.as_ptr(), 0);
            let mut buffer = vec![0u8; needed.saturating_add(1)];
            libc::strxfrm(buffer.as_mut_ptr().cast(), text.as_ptr(), buffer.len());
            buffer.truncate(needed);
            Ok(decode(&buffer, vm))
        }
    }

    /// Get the current locale encoding.
    #[function("($module, /)")]
    fn getencoding(vm: &Vm) -> ObjRef {
        // SAFETY: a static text of the C library's that ends in NUL.
        let name = unsafe { from_c(libc::nl_langinfo(libc::CODESET), vm) };
        name.unwrap_or_else(|| vm.new_str("UTF-8").into_object())
    }

    /// gettext(msg) -> string
    ///
    /// Return translation of msg.
    #[function("($module, msg, /)", name = "gettext")]
    fn translate(msg: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let message = to_c(msg, vm)?;
        // SAFETY: the message ends in NUL and outlives the answer, which may be itself.
        Ok(unsafe { from_c(gettext(message.as_ptr()), vm) })
    }

    /// dgettext(domain, msg) -> string
    ///
    /// Return translation of msg in domain.
    #[function("($module, domain, msg, /)", name = "dgettext")]
    fn translate_in(domain: OrNone<&Str>, msg: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let (domain, message) = (optional(domain.0, vm)?, to_c(msg, vm)?);
        // SAFETY: as above.
        Ok(unsafe { from_c(dgettext(pointer(&domain), message.as_ptr()), vm) })
    }

    /// Return translation of msg in domain and category.
    #[function("($module, domain, msg, category, /)", name = "dcgettext")]
    fn translate_in_category(
        domain: OrNone<&Str>,
        msg: &Str,
        category: i32,
        vm: &Vm,
    ) -> PyResult<Option<ObjRef>> {
        let (domain, message) = (optional(domain.0, vm)?, to_c(msg, vm)?);
        // SAFETY: as above.
        Ok(unsafe { from_c(dcgettext(pointer(&domain), message.as_ptr(), category), vm) })
    }

    /// Set the C library's textdmain to domain, returning the new domain.
    #[function("($module, domain, /)", name = "textdomain")]
    fn set_domain(domain: OrNone<&Str>, vm: &Vm) -> PyResult {
        let domain = optional(domain.0, vm)?;
        // SAFETY: as above.
        unsafe { from_c(textdomain(pointer(&domain)), vm) }.ok_or_else(|| vm.last_os_error(None))
    }

    /// Bind the C library's domain to dir.
    #[function("($module, domain, dir, /)", name = "bindtextdomain")]
    fn bind_domain(domain: &Str, dir: &Object, vm: &Vm) -> PyResult {
        if domain.is_empty() {
            return Err(ERROR.raise("domain must be a non-empty string", vm));
        }
        let domain = to_c(domain, vm)?;
        let directory = if vm.is_none(dir) {
            None
        } else {
            let what = taipan_vm::args::ArgName { func: "bindtextdomain", pos: 2, name: "dir" };
            let path = PathArg::from_arg(dir, &what, vm)?;
            let bytes = std::os::unix::ffi::OsStringExt::into_vec(path.path);
            Some(CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))?)
        };
        // SAFETY: as above.
        unsafe { from_c(bindtextdomain(domain.as_ptr(), pointer(&directory)), vm) }
            .ok_or_else(|| vm.last_os_error(None))
    }

    /// Bind the C library's domain to codeset.
    #[function("($module, domain, codeset, /)", name = "bind_textdomain_codeset")]
    fn bind_codeset(domain: &Str, codeset: OrNone<&Str>, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let (domain, codeset) = (to_c(domain, vm)?, optional(codeset.0, vm)?);
        // SAFETY: as above.
        Ok(unsafe { from_c(bind_textdomain_codeset(domain.as_ptr(), pointer(&codeset)), vm) })
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in CATEGORIES {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        for (name, value) in ITEMS {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        module.set("Error", ERROR.get(vm)?.as_object(), vm)
    }
}
