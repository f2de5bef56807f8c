//! Checks this crate against results that CPython 3.14 computed: `fixtures/*.tsv`, written by `generate.py`.
//! `TAIPAN_FIXTURE=FILE` checks another file, for long random runs.

use taipan_numeric::float::{self, FormatFlags};
use taipan_numeric::format_spec::{
    FormatError, FormatSpec, NumberLocale, format_complex, format_float, format_int, layout_string,
};
use taipan_numeric::int::{self, BigInt, IntError, ParseIntError};
use taipan_numeric::percent;

fn integer(text: &str) -> BigInt {
    int::parse(text.as_bytes(), 16, 0).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn real(text: &str) -> f64 {
    if text == "nan" { f64::NAN } else { f64::from_bits(u64::from_str_radix(text, 16).unwrap()) }
}

fn show(value: &BigInt) -> String {
    value.as_ref().to_text(16, false)
}

fn show_real(value: f64) -> String {
    if value.is_nan() { "nan".into() } else { format!("{:016x}", value.to_bits()) }
}

fn show_ordering(order: std::cmp::Ordering) -> String {
    (order as i32).to_string()
}

fn of_int(result: Result<BigInt, IntError>) -> String {
    result.map_or_else(|e| format!("!{}", e.text()), |v| show(&v))
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn compute(op: &str, args: &[&str]) -> String {
    let big = |i: usize| integer(args[i]);
    let num = |i: usize| integer(args[i]).to_i64().unwrap();
    let flt = |i: usize| real(args[i]);
    let float_result =
        |r: Result<f64, float::FloatError>| r.map_or_else(|e| format!("!{}", e.text()), show_real);
    match op {
        "add" => show(&big(0).as_ref().add(big(1).as_ref())),
        "sub" => show(&big(0).as_ref().sub(big(1).as_ref())),
        "mul" => show(&big(0).as_ref().mul(big(1).as_ref())),
        "divmod" => match big(0).as_ref().div_mod_floor(big(1).as_ref()) {
            Ok((q, r)) => format!("{},{}", show(&q), show(&r)),
            Err(e) => format!("!{}", e.text()),
        },
        "mod" => of_int(big(0).as_ref().modulo(big(1).as_ref())),
        "and" => show(&big(0).as_ref().and(big(1).as_ref())),
        "or" => show(&big(0).as_ref().or(big(1).as_ref())),
        "xor" => show(&big(0).as_ref().xor(big(1).as_ref())),
        "invert" => show(&big(0).as_ref().invert()),
        "cmp" => show_ordering(big(0).cmp(&big(1))),
        "gcd" => show(&big(0).as_ref().gcd(big(1).as_ref())),
        "lcm" => show(&big(0).as_ref().lcm(big(1).as_ref())),
        "truediv" => match big(0).as_ref().true_div(big(1).as_ref()) {
            Ok(v) => show_real(v),
            Err(e) => format!("!{}", e.text()),
        },
        "tofloat" => match big(0).as_ref().to_f64() {
            Ok(v) => show_real(v),
            Err(e) => format!("!{}", e.text()),
        },
        "isqrt" => of_int(big(0).as_ref().isqrt()),
        "bits" => format!("{:x},{:x}", big(0).as_ref().bit_length(), big(0).as_ref().bit_count()),
        "hash" => show(&BigInt::from(big(0).as_ref().hash())),
        "pow" => of_int(big(0).as_ref().pow(big(1).as_ref())),
        "modpow" => of_int(big(0).as_ref().mod_pow(big(1).as_ref(), big(2).as_ref())),
        "shl" => of_int(big(0).as_ref().shl(big(1).as_ref())),
        "shr" => of_int(big(0).as_ref().shr(big(1).as_ref())),
        "roundint" => of_int(big(0).as_ref().round_to_power_of_ten(num(1) as u64)),
        "text" => big(0).as_ref().to_text(num(1) as u32, false),
        "str" => big(0).to_string(),
        "parse" => match int::parse(args[0].as_bytes(), num(1) as u32, 0) {
            Ok(v) => show(&v),
            Err(ParseIntError::Base) => "!base".into(),
            Err(_) => "!invalid".into(),
        },
        "tobytes" => match big(0).as_ref().to_bytes(num(1) as usize, num(2) == 1, num(3) == 1) {
            Ok(v) => v.iter().map(|b| format!("{b:02x}")).collect(),
            Err(e) => format!("!{}", e.text()),
        },
        "frombytes" => show(&BigInt::from_bytes(&bytes(args[0]), num(1) == 1, num(2) == 1)),
        "cmpfloat" => big(0).as_ref().compare_f64(flt(1)).map_or("None".into(), show_ordering),
        "fromfloat" => of_int(BigInt::from_f64(flt(0))),
        "roundtoint" => of_int(float::round_to_int(flt(0))),
        "repr" => float::repr(flt(0)),
        "complex" => float::complex_repr(flt(0), flt(1)),
        "format" => {
            let flags = FormatFlags { alternate: num(3) == 1, sign: num(4) == 1, ..FormatFlags::default() };
            float::format_double(flt(0), args[1].chars().next().unwrap(), num(2) as usize, flags)
        }
        "round" => float_result(float::round(flt(0), num(1))),
        "hex" => float::to_hex(flt(0)),
        "fromhex" => match float::from_hex(args[0].as_bytes()) {
            Ok(v) => show_real(v),
            Err(e) => format!("!{}", e.text()),
        },
        "ratio" => match float::as_integer_ratio(flt(0)) {
            Ok((n, d)) => format!("{},{}", show(&n), show(&d)),
            Err(e) => format!("!{}", e.text()),
        },
        "hashfloat" => show(&BigInt::from(float::hash(flt(0)).unwrap())),
        "divmodfloat" => match float::div_mod(flt(0), flt(1)) {
            Ok((q, r)) => format!("{},{}", show_real(q), show_real(r)),
            Err(e) => format!("!{}", e.text()),
        },
        "modfloat" => float_result(float::modulo(flt(0), flt(1))),
        "powfloat" => float_result(float::pow(flt(0), flt(1))),
        "parsefloat" => float::parse(args[0].as_bytes()).map_or("None".into(), show_real),
        "formatint" => formatted(args[1], 'd', "int", |out, spec| {
            format_int(out, big(0).as_ref(), spec, 0, &NumberLocale::C)
        }),
        "formatfloat" => {
            formatted(args[1], '\0', "float", |out, spec| format_float(out, flt(0), spec, &NumberLocale::C))
        }
        "formatcomplex" => formatted(args[2], '\0', "complex", |out, spec| {
            format_complex(out, flt(0), flt(1), spec, &NumberLocale::C)
        }),
        "formatstr" => formatted(args[1], 's', "str", |out, spec| {
            let layout = layout_string(spec, args[0].chars().count())?;
            let fill = char::from_u32(spec.fill).unwrap();
            out.extend(std::iter::repeat_n(fill, layout.left));
            out.extend(args[0].chars().take(layout.length));
            out.extend(std::iter::repeat_n(fill, layout.right));
            Ok(())
        }),
        "percent" => {
            let format: Vec<u32> = format!("{}{}", args[1], args[2]).chars().map(u32::from).collect();
            let mut parser = percent::Parser::new(|i| format.get(i).copied());
            let Some(percent::Piece::Directive(directive)) = parser.next() else { panic!("{args:?}") };
            let count = |c| match c {
                Some(percent::Count::Fixed(n)) => Some(n),
                _ => None,
            };
            let letter = char::from_u32(directive.conversion.unwrap()).unwrap();
            let precision = count(directive.precision);
            let text = if "diuoxX".contains(letter) {
                percent::format_int(big(0).as_ref(), letter, directive.flags, precision, 0).unwrap()
            } else {
                percent::format_float(flt(0), letter, directive.flags, precision)
            };
            let mut out = String::new();
            let width = count(directive.width).unwrap_or(0);
            percent::push_number(&mut out, &text, letter, directive.flags, width);
            out
        }
        "pieces" => pieces(&unescape(args[0])),
        _ => format!("unknown operation {op}"),
    }
}

/// Undoes Python's `unicode_escape` as far as the fixtures need it.
fn unescape(text: &str) -> String {
    text.replace("\\xe9", "\u{e9}").replace("\\u20ac", "\u{20ac}").replace("\\\\", "\\")
}

/// Python's `unicode_escape`.
fn escape(text: &str) -> String {
    let escaped = |c: char| match u32::from(c) {
        0x5c => "\\\\".to_owned(),
        0x0a => "\\n".to_owned(),
        0x0d => "\\r".to_owned(),
        0x09 => "\\t".to_owned(),
        0x20..0x7f => c.to_string(),
        code @ 0..0x100 => format!("\\x{code:02x}"),
        code @ 0x100..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    text.chars().map(escaped).collect()
}

fn formatted(
    spec: &str,
    kind: char,
    type_name: &str,
    write: impl FnOnce(&mut String, &FormatSpec) -> Result<(), FormatError>,
) -> String {
    let spec = unescape(spec);
    let mut out = String::new();
    let result = FormatSpec::parse(spec.chars().map(u32::from), kind.into());
    let text = match result.and_then(|parsed| write(&mut out, &parsed)) {
        Ok(()) => out,
        Err(error) => format!("!{}", error.text(&spec, type_name)),
    };
    escape(&text)
}

/// `text % mapping` where each value is 1.
fn pieces(text: &str) -> String {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let mut out = String::new();
    for piece in percent::Parser::new(|i| codes.get(i).copied()) {
        match piece {
            percent::Piece::Literal(start, end) => {
                out.extend(codes[start..end].iter().map(|&c| char::from_u32(c).unwrap()));
            }
            percent::Piece::Directive(directive) => {
                let fixed = |c| match c {
                    Some(percent::Count::Fixed(n)) => n,
                    _ => 0,
                };
                match directive.conversion.and_then(|c| match char::from_u32(c) {
                    Some('d') => Ok('d'),
                    _ => Err(percent::PercentError::Unsupported(c, directive.index)),
                }) {
                    Ok(letter) => {
                        let one = BigInt::one();
                        let precision = directive.precision.map(|p| fixed(Some(p)));
                        let flags = directive.flags;
                        let digits = percent::format_int(one.as_ref(), letter, flags, precision, 0).unwrap();
                        let width = fixed(directive.width);
                        percent::push_number(&mut out, &digits, letter, flags, width);
                    }
                    Err(error) => return format!("!{}", error.text()),
                }
            }
        }
    }
    escape(&out)
}

fn check(text: &str) {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [op, args @ .., expected] = fields.as_slice() else { panic!("bad line {line}") };
        count += 1;
        let got = compute(op, args);
        if got != *expected {
            failures.push(format!("{op} {args:?}\n  expected {expected}\n  got      {got}"));
        }
    }
    let shown: Vec<String> = failures.iter().take(15).cloned().collect();
    assert!(failures.is_empty(), "{} of {count} wrong:\n{}", failures.len(), shown.join("\n"));
}

#[test]
fn results_are_those_of_cpython() {
    match std::env::var("TAIPAN_FIXTURE") {
        Ok(path) => check(&std::fs::read_to_string(path).unwrap()),
        Err(_) => check(include_str!("fixtures/random.tsv")),
    }
}
