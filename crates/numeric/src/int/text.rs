//! Integers as text: `int(text, base)`, `str`, `hex`, `oct`, `bin`.

use super::{BigInt, DIGIT_BITS, DIGIT_MASK, Digits, IntRef, large, magnitude};

/// Up to so many digits, quadratic conversion to decimal is the fastest.
const SMALL_DECIMAL: usize = 32;

/// Why text is not an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseIntError {
    /// The base is not 0 or 2 to 36.
    Base,
    /// Not a literal of that base.
    Invalid,
    /// More decimal digits (so many) than `sys.set_int_max_str_digits` allows.
    TooManyDigits(usize),
}

/// `int(text, base)` for ASCII text: white space around, a sign, a prefix where the base allows one, digits with
/// single underscores between them. Text beyond ASCII is first mapped to ASCII by the caller (decimal digits
/// by value, white space to blanks). `max_digits` is the limit for bases that are not powers of two; 0 is none.
pub fn parse(text: &[u8], base: u32, max_digits: usize) -> Result<BigInt, ParseIntError> {
    if base == 1 || base > 36 {
        return Err(ParseIntError::Base);
    }
    let text = trim(text);
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let prefix = match text {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let (base, text, zeros_only) = match (base, prefix) {
        (0, 0) => (10, text, text.first() == Some(&b'0')),
        (0, _) => (prefix, text.get(2..).unwrap_or_default(), false),
        // In base 10 the x is an error anyway; in base 12 and more, b may be a digit.
        _ if base == prefix => (base, text.get(2..).unwrap_or_default(), false),
        _ => (base, text, false),
    };
    let prefixed = prefix == base;
    let text = match text {
        [b'_', rest @ ..] if prefixed => rest,
        _ => text,
    };
    let digits = parse_digits(text, base, max_digits)?;
    if zeros_only && !digits.is_empty() {
        return Err(ParseIntError::Invalid);
    }
    Ok(BigInt { negative: negative && !digits.is_empty(), digits })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

/// The value of a byte as a digit, 36 or more if it is none.
fn digit_value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'a'..=b'z' => u32::from(byte - b'a') + 10,
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => u32::MAX,
    }
}

fn parse_digits(text: &[u8], base: u32, max_digits: usize) -> Result<Digits, ParseIntError> {
    // One pass: check the form and sum up as long as the value fits a machine word.
    let mut value = 0u64;
    let mut exact = true;
    let mut count = 0usize;
    let mut after_digit = false;
    let mut valid = true;
    for &byte in text {
        if byte == b'_' {
            if !after_digit {
                valid = false;
                break;
            }
            after_digit = false;
            continue;
        }
        let digit = digit_value(byte);
        if digit >= base {
            valid = false;
            break;
        }
        after_digit = true;
        count += 1;
        if exact {
            match value.checked_mul(u64::from(base)).and_then(|v| v.checked_add(u64::from(digit))) {
                Some(v) => value = v,
                None => exact = false,
            }
        }
    }
    // CPython counts before it looks at what follows the digits, but not past a misplaced underscore.
    if max_digits != 0 && count > max_digits && after_digit && !base.is_power_of_two() {
        return Err(ParseIntError::TooManyDigits(count));
    }
    if !valid || !after_digit {
        return Err(ParseIntError::Invalid);
    }
    if exact {
        return Ok(magnitude::from_u64(value));
    }
    let digits = || text.iter().copied().filter(|&b| b != b'_');
    if base.is_power_of_two() {
        return Ok(pack_digits(digits().rev(), base.trailing_zeros(), count));
    }
    let clean: String = digits().map(char::from).collect();
    large::from_text(&clean, base).ok_or(ParseIntError::Invalid)
}

/// The value of digits of `bits` bits each, lowest first.
fn pack_digits(text: impl Iterator<Item = u8>, bits: u32, count: usize) -> Digits {
    let mut result = Digits::with_capacity(count / (DIGIT_BITS / bits) as usize + 1);
    let (mut pending, mut filled) = (0u64, 0);
    for byte in text {
        pending |= u64::from(digit_value(byte)) << filled;
        filled += bits;
        if filled >= DIGIT_BITS {
            result.push(pending as u32 & DIGIT_MASK);
            pending >>= DIGIT_BITS;
            filled -= DIGIT_BITS;
        }
    }
    result.push(pending as u32);
    magnitude::normalise(&mut result);
    result
}

impl IntRef<'_> {
    /// `str(self)`, without any limit of digits.
    pub fn to_decimal(self) -> String {
        self.to_text(10, false)
    }

    /// `str(self)`; `None` if there are more than `max_digits` digits (0: no limit).
    pub fn to_decimal_limited(self, max_digits: usize) -> Option<String> {
        if max_digits == 0 {
            return Some(self.to_decimal());
        }
        // A number of b bits has more than (b - 1) * 0.30102 digits: refuse before the work of converting.
        let least = u128::from(self.bit_length().saturating_sub(1)) * 30_102 / 100_000;
        if least > max_digits as u128 {
            return None;
        }
        let text = self.to_decimal();
        (text.len() - usize::from(self.negative) <= max_digits).then_some(text)
    }

    /// Text in a base from 2 to 36 (other bases count as 10), with a minus sign but no prefix.
    pub fn to_text(self, base: u32, uppercase: bool) -> String {
        let base = if (2..=36).contains(&base) { base } else { 10 };
        let mut text = if base.is_power_of_two() {
            self.to_binary_text(base.trailing_zeros())
        } else if base == 10 && self.digits.len() <= SMALL_DECIMAL {
            match self.to_i64() {
                Some(value) => value.to_string(),
                None => self.to_small_decimal(),
            }
        } else if let Some(value) = magnitude::to_u64(self.digits) {
            self.to_small_text(value, base)
        } else {
            let text = large::to_text(self.digits, base);
            if self.negative { format!("-{text}") } else { text }
        };
        if uppercase {
            text.make_ascii_uppercase();
        }
        text
    }

    /// Decimal text by quadratic conversion, for few digits.
    fn to_small_decimal(self) -> String {
        const LIMB: u64 = 1_000_000_000;
        // Each digit of 30 bits makes at most 30 * log10(2) / 9 = 1.004 limbs.
        let mut limbs = [0u32; SMALL_DECIMAL + 2];
        let mut used = 0;
        for &digit in self.digits.iter().rev() {
            let mut carry = u64::from(digit);
            for limb in limbs.iter_mut().take(used) {
                let value = u64::from(*limb) << DIGIT_BITS | carry;
                carry = value / LIMB;
                *limb = (value - carry * LIMB) as u32;
            }
            while carry != 0
                && let Some(limb) = limbs.get_mut(used)
            {
                *limb = (carry % LIMB) as u32;
                carry /= LIMB;
                used += 1;
            }
        }
        // Written from the end, nine digits a limb; the leading zeros are cut off.
        let mut buffer = [b'0'; 9 * (SMALL_DECIMAL + 2) + 1];
        let mut at = buffer.len();
        for &limb in limbs.iter().take(used) {
            let mut limb = limb;
            at -= 9;
            if let Some(field) = buffer.get_mut(at..at + 9) {
                for byte in field.iter_mut().rev() {
                    *byte = b'0' + (limb % 10) as u8;
                    limb /= 10;
                }
            }
        }
        let mut start = at;
        while start + 1 < buffer.len() && buffer.get(start) == Some(&b'0') {
            start += 1;
        }
        if used == 0 {
            start = buffer.len() - 1;
        }
        if self.negative
            && let Some(before) = start.checked_sub(1)
            && let Some(byte) = buffer.get_mut(before)
        {
            *byte = b'-';
            start = before;
        }
        buffer.get(start..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default().to_owned()
    }

    fn to_small_text(self, mut value: u64, base: u32) -> String {
        let base = u64::from(base);
        // 41 digits are enough for 64 bits in base 3.
        let mut buffer = [0u8; 42];
        let mut start = buffer.len();
        for slot in buffer.iter_mut().rev() {
            start -= 1;
            let digit = (value % base) as u8;
            *slot = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            value /= base;
            if value == 0 {
                break;
            }
        }
        let digits = buffer.get(start..).unwrap_or_default();
        let mut text = String::with_capacity(digits.len() + 1);
        if self.negative {
            text.push('-');
        }
        text.push_str(std::str::from_utf8(digits).unwrap_or_default());
        text
    }

    fn to_binary_text(self, bits: u32) -> String {
        let length = self.bit_length().div_ceil(u64::from(bits)).max(1) as usize;
        let mut text = Vec::with_capacity(length + 1);
        let mask = (1u64 << bits) - 1;
        let (mut pending, mut filled) = (0u64, 0);
        let mut digits = self.digits.iter();
        for _ in 0..length {
            if filled < bits {
                pending |= u64::from(digits.next().copied().unwrap_or(0)) << filled;
                filled += DIGIT_BITS;
            }
            let digit = (pending & mask) as u8;
            text.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
            pending >>= bits;
            filled -= bits;
        }
        if self.negative {
            text.push(b'-');
        }
        text.reverse();
        text.into_iter().map(char::from).collect()
    }
}
