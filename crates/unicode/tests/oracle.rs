//! Compares every function for every code point with CPython 3.14, by a checksum of the results
//! (`fixtures/digests.rs`, written by `tools/gen_digests.py`). `TAIPAN_DUMP=DIRECTORY` writes what differs there.

use std::fmt::Write;

use taipan_unicode::*;

const DIGESTS: &[(&str, u32)] = include!("fixtures/digests.rs");

fn crc32(data: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32)
        .map(|i| (0..8).fold(i, |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 }))
        .collect();
    !data.iter().fold(!0, |crc, &b| table[(crc as u8 ^ b) as usize] ^ crc >> 8)
}

fn codes(codes: &[u32]) -> String {
    codes.iter().map(|c| format!("{c:x}")).collect::<Vec<_>>().join(" ")
}

fn context(code: u32) -> Vec<u32> {
    vec![0x61, 0x327, code, 0x301, 0x323, code]
}

fn compute(function: &str, code: u32) -> String {
    let flag = |value: bool| u8::from(value).to_string();
    let optional = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let (database, function) = match function.strip_prefix("old_") {
        Some(function) => (Database::Old, function),
        None => (Database::Current, function),
    };
    match function {
        "is_alpha" => flag(is_alpha(code)),
        "is_decimal" => flag(is_decimal(code)),
        "is_digit" => flag(is_digit(code)),
        "is_numeric" => flag(is_numeric(code)),
        "is_alnum" => flag(is_alnum(code)),
        "is_space" => flag(is_space(code)),
        "is_printable" => flag(is_printable(code)),
        "is_upper" => flag(is_upper(code)),
        "is_lower" => flag(is_lower(code)),
        "is_identifier_start" => flag(is_identifier_start(code)),
        "is_identifier_continue" => flag(is_identifier_continue(code)),
        "is_line_break" => flag(is_line_break(code)),
        "to_lower" => codes(&to_lower(code)),
        "to_upper" => codes(&to_upper(code)),
        "to_title" => codes(&to_title(code)),
        "to_casefold" => codes(&to_casefold(code)),
        "swap_case" => codes(&swap_case(code)),
        "final_sigma" => [
            is_final_sigma([code, 0x41], []) || code == 0x3c2,
            is_final_sigma([code], []),
            // A second sigma is itself a final one.
            is_final_sigma([0x41], [code]) || code == 0x3c2 || code == 0x3a3,
        ]
        .map(flag)
        .concat(),
        "name" => optional(name(code)),
        "category" => database.category(code).to_owned(),
        "bidirectional" => database.bidirectional(code).to_owned(),
        "east_asian_width" => database.east_asian_width(code).to_owned(),
        "combining" => database.combining(code).to_string(),
        "mirrored" => u8::from(database.mirrored(code)).to_string(),
        "decimal" => optional(database.decimal(code).map(|d| d.to_string())),
        "digit" => optional(database.digit(code).map(|d| d.to_string())),
        "numeric" => optional(database.numeric(code).map(python_repr)),
        "decomposition" => database.decomposition(code),
        _ => {
            let (form, what) = function.split_once('_').unwrap_or((function, ""));
            let form = Form::from_name(form).unwrap();
            match what {
                "" => codes(&normalize(database, form, [code])),
                "context" => codes(&normalize(database, form, context(code))),
                _ => {
                    flag(is_normalized(database, form, [code]))
                        + &flag(is_normalized(database, form, context(code)))
                }
            }
        }
    }
}

fn python_repr(value: f64) -> String {
    if value >= 1e16 { format!("{value:e}").replace('e', "e+") } else { format!("{value:?}") }
}

#[test]
fn every_code_point_is_as_in_cpython() {
    let mut wrong = Vec::new();
    for &(function, digest) in DIGESTS {
        let mut text = String::new();
        for code in 0..0x11_0000 {
            writeln!(text, "{}", compute(function, code)).unwrap();
        }
        if crc32(text.as_bytes()) != digest {
            wrong.push(function);
            if let Ok(directory) = std::env::var("TAIPAN_DUMP") {
                std::fs::write(format!("{directory}/{function}"), text).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_name_is_found() {
    for code in 0..0x11_0000 {
        if let Some(found) = name(code) {
            assert_eq!(lookup_character(&found.to_lowercase()), Some(code), "{found}");
        }
    }
    for line in include_str!("../src/data/aliases.txt").lines() {
        let (name, expected) = line.split_once(';').unwrap();
        assert_eq!(codes(&lookup(name).unwrap()).to_uppercase(), expected, "{name}");
    }
    for absent in
        ["LATIN_SMALL_LETTER_A", "LATIN SMALL LETTER  A", "CJK UNIFIED IDEOGRAPH-04E00", "", "é", "A;"]
    {
        assert_eq!(lookup(absent), None, "{absent}");
    }
    assert_eq!(lookup("tangut ideograph-17000"), Some(vec![0x17000]));
    assert_eq!(lookup("Keycap Digit One"), Some(vec![0x31, 0xfe0f, 0x20e3]));
    assert_eq!(lookup_character("KEYCAP DIGIT ONE"), None);
}

#[test]
fn beyond_unicode_is_unassigned() {
    for code in [0x11_0000, u32::MAX] {
        assert_eq!(Database::Current.category(code), "Cn");
        assert!(!is_alpha(code) && !is_printable(code));
        assert_eq!(*to_lower(code), [code]);
        assert_eq!(normalize(Database::Current, Form::Nfkc, [code]), [code]);
        assert_eq!(name(code), None);
    }
}
