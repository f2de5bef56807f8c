//! Floats as text: the shortest representation and the codes of the format mini-language.

use std::fmt::Write;

/// Options of [`format_double`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormatFlags {
    /// Always write a sign, `+` included.
    pub sign: bool,
    /// Append `.0` to what would read as an int (`repr` does).
    pub add_dot_zero: bool,
    /// The `#` form: always a decimal point, and `g` keeps trailing zeros.
    pub alternate: bool,
    /// Write a negative value that rounds to zero without its sign (`z`).
    pub no_negative_zero: bool,
}

/// A decimal number `0.d1d2d3… * 10**point` with the digits as ASCII text.
struct Decimal {
    digits: String,
    point: i32,
}

/// No `f64` has more digits than this after the point, or significant ones.
const MAX_EXACT_DIGITS: usize = 1100;

/// The shortest digits that read back as the same (finite, not negative) value.
fn shortest(value: f64) -> Decimal {
    if value == 0.0 {
        return Decimal { digits: "0".to_owned(), point: 1 };
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = String::with_capacity(20);
    digits.push_str(whole);
    digits.push_str(fraction);
    let mut point = whole.len() as i32 + exponent.parse::<i32>().unwrap_or(0);
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    digits.drain(..zeros);
    point -= zeros as i32;
    digits.truncate(digits.trim_end_matches('0').len());
    Decimal { digits, point }
}

/// `count` significant digits (at least one), correctly rounded with ties to even. Beyond the digits that
/// a float can have there are fewer, which are to be read as followed by zeros.
fn significant(value: f64, count: usize) -> Decimal {
    let text = format!("{:.*e}", count.clamp(1, MAX_EXACT_DIGITS) - 1, value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(|&b| b != b'.').map(char::from).collect();
    Decimal { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
}

/// Appends `count` digits from position `start` of `digits`, zeros standing for what is outside.
fn push_digits(out: &mut String, digits: &str, start: i64, count: usize) {
    let before = usize::try_from(-start.min(0)).unwrap_or(usize::MAX).min(count);
    out.extend(std::iter::repeat_n('0', before));
    let first = usize::try_from(start.max(0)).unwrap_or(usize::MAX).min(digits.len());
    let last = first.saturating_add(count - before).min(digits.len());
    let taken = digits.get(first..last).unwrap_or_default();
    out.push_str(taken);
    out.extend(std::iter::repeat_n('0', count - before - taken.len()));
}

/// `1.5e+16`: `precision` digits after the point.
fn push_exponential(out: &mut String, decimal: &Decimal, precision: usize, flags: FormatFlags, upper: bool) {
    push_digits(out, &decimal.digits, 0, 1);
    if precision > 0 || flags.alternate {
        out.push('.');
        push_digits(out, &decimal.digits, 1, precision);
    }
    let exponent = decimal.point - 1;
    let mark = if upper { 'E' } else { 'e' };
    // Writing to a String does not fail.
    let _ = write!(out, "{mark}{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
}

/// `1500.25`: `precision` digits after the point.
fn push_fixed(out: &mut String, decimal: &Decimal, precision: usize, flags: FormatFlags) {
    let point = i64::from(decimal.point);
    if point <= 0 {
        out.push('0');
    } else {
        push_digits(out, &decimal.digits, 0, point.unsigned_abs() as usize);
    }
    if precision > 0 || flags.alternate {
        out.push('.');
        push_digits(out, &decimal.digits, point, precision);
    }
}

/// The usual sizes of the code `f` in exact integer arithmetic: the value as mantissa over a power of two, scaled by
/// `10**precision`, rounded with ties to even. False, with nothing written, when 128 bits would not do.
fn push_short_fixed(out: &mut String, value: f64, precision: usize) -> bool {
    const MOST_DIGITS: usize = 17;
    let bits = value.to_bits();
    let (biased, fraction) = ((bits >> 52) as u32 & 0x7ff, bits & ((1 << 52) - 1));
    // From below 2**53 down to 2**-12: at most 53 bits, times 10**17 are below 2**110, to be shifted by at most 64.
    if precision > MOST_DIGITS || (biased != 0 && !(1023 - 12..1023 + 53).contains(&biased)) {
        return false;
    }
    if biased == 0 && fraction != 0 {
        return false;
    }
    let power = 10_u64.pow(precision as u32);
    let scaled = if biased == 0 {
        0
    } else {
        let mantissa = u128::from(fraction | 1 << 52) * u128::from(power);
        let shift = 1023 + 52 - biased;
        let (whole, rest) = (mantissa >> shift, mantissa & ((1 << shift) - 1));
        let half = (1_u128 << shift) >> 1;
        whole + u128::from(shift > 0 && (rest > half || (rest == half && whole & 1 == 1)))
    };
    // Below 2**53 + 1 and below 10**17. Division of 128 bits is a function call.
    let (whole, fraction) = match u64::try_from(scaled) {
        Ok(scaled) => (scaled / power, scaled % power),
        Err(_) => ((scaled / u128::from(power)) as u64, (scaled % u128::from(power)) as u64),
    };
    push_point_decimal(out, whole, fraction, precision);
    true
}

/// Appends `whole`, and behind a point `fraction` in `precision` digits (at most 17).
fn push_point_decimal(out: &mut String, mut whole: u64, mut fraction: u64, precision: usize) {
    let mut buffer = [b'0'; 40];
    let mut used = 0;
    let mut places = buffer.iter_mut().rev();
    let mut put = |byte: u8| {
        if let Some(place) = places.next() {
            *place = byte;
            used += 1;
        }
    };
    if precision > 0 {
        for _ in 0..precision {
            put(b'0' + (fraction % 10) as u8);
            fraction /= 10;
        }
        put(b'.');
    }
    loop {
        put(b'0' + (whole % 10) as u8);
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    let digits = buffer.get(buffer.len() - used..).unwrap_or_default();
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// Appends `repr(value)`.
pub fn write_repr(out: &mut String, value: f64) {
    push_double(out, value, 'r', 0, FormatFlags { add_dot_zero: true, ..FormatFlags::default() });
}

/// `repr(value)`, which is also `str(value)`.
pub fn repr(value: f64) -> String {
    let mut out = String::with_capacity(24);
    write_repr(&mut out, value);
    out
}

/// Text of a float for the codes `e E f F g G` with a precision (digits after the point, significant digits for
/// `g`), or for `r`, the shortest representation, which takes no precision. Correctly rounded at any precision.
pub fn format_double(value: f64, code: char, precision: usize, flags: FormatFlags) -> String {
    let mut out = String::with_capacity(32);
    push_double(&mut out, value, code, precision, flags);
    out
}

fn push_double(out: &mut String, value: f64, code: char, precision: usize, flags: FormatFlags) {
    let upper = code.is_ascii_uppercase();
    let start = out.len();
    if value.is_sign_negative() && !value.is_nan() {
        out.push('-');
    } else if flags.sign {
        out.push('+');
    }
    if !value.is_finite() {
        out.push_str(match (value.is_nan(), upper) {
            (true, false) => "nan",
            (true, true) => "NAN",
            (false, false) => "inf",
            (false, true) => "INF",
        });
        return;
    }
    let value = value.abs();
    let body = out.len();
    match code {
        'e' | 'E' => {
            let decimal = significant(value, precision.saturating_add(1));
            push_exponential(out, &decimal, precision, flags, upper);
        }
        'f' | 'F' => {
            let exact = precision.min(MAX_EXACT_DIGITS);
            if !push_short_fixed(out, value, exact) {
                let _ = write!(out, "{value:.exact$}");
            }
            if exact == 0 && flags.alternate {
                out.push('.');
            }
            out.extend(std::iter::repeat_n('0', precision - exact));
        }
        'g' | 'G' => {
            let precision = precision.max(1);
            let mut decimal = significant(value, precision);
            if !flags.alternate {
                decimal.digits.truncate(decimal.digits.trim_end_matches('0').len().max(1));
            }
            let count = if flags.alternate { precision } else { decimal.digits.len() };
            // The zero after the point needs a digit of its own.
            let most = precision as i64 - i64::from(flags.add_dot_zero);
            let exponential = decimal.point <= -4 || i64::from(decimal.point) > most;
            push_general(out, &decimal, count, exponential, flags, upper);
        }
        _ => {
            let decimal = shortest(value);
            let exponential = decimal.point <= -4 || decimal.point > 16;
            push_general(out, &decimal, decimal.digits.len(), exponential, flags, false);
        }
    }
    let is_zero = |text: &str| {
        let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
        mantissa.bytes().all(|b| matches!(b, b'0' | b'.'))
    };
    if flags.no_negative_zero && out.get(start..body) == Some("-") && out.get(body..).is_some_and(is_zero) {
        out.replace_range(start..body, if flags.sign { "+" } else { "" });
    }
}

/// The layout of `g` and `r`: `count` significant digits in the chosen form.
fn push_general(
    out: &mut String,
    decimal: &Decimal,
    count: usize,
    exponential: bool,
    flags: FormatFlags,
    upper: bool,
) {
    if exponential {
        push_exponential(out, decimal, count.saturating_sub(1), flags, upper);
        return;
    }
    let after = usize::try_from((count as i64 - i64::from(decimal.point)).max(0)).unwrap_or(0);
    push_fixed(out, decimal, after, flags);
    if after == 0 && flags.add_dot_zero {
        out.push_str(if flags.alternate { "0" } else { ".0" });
    }
}

/// `repr(complex(real, imag))`
pub fn complex_repr(real: f64, imag: f64) -> String {
    let plain = FormatFlags::default();
    if real == 0.0 && real.is_sign_positive() {
        let mut out = format_double(imag, 'r', 0, plain);
        out.push('j');
        return out;
    }
    let mut out = String::with_capacity(40);
    out.push('(');
    push_double(&mut out, real, 'r', 0, plain);
    push_double(&mut out, imag, 'r', 0, FormatFlags { sign: true, ..plain });
    out.push_str("j)");
    out
}
