//! The value of a number token.

use crate::ast::{Arena, Constant, IntConst};

/// A decimal numeral with more digits than allowed; holds their count.
pub struct TooManyDigits(pub usize);

/// The value of a number that the tokenizer has accepted. `max_digits` is `sys.set_int_max_str_digits`, 0 for none.
pub fn value<'a>(text: &[u8], max_digits: usize, arena: &'a Arena) -> Result<Constant<'a>, TooManyDigits> {
    let clean: std::borrow::Cow<'_, [u8]> = if memchr::memchr(b'_', text).is_some() {
        text.iter().copied().filter(|&byte| byte != b'_').collect::<Vec<_>>().into()
    } else {
        text.into()
    };
    let clean = &clean[..];
    if clean.len() > 1 && clean[0] == b'0' {
        let radix_bits = match clean[1] {
            b'x' | b'X' => 4,
            b'o' | b'O' => 3,
            b'b' | b'B' => 1,
            _ => 0,
        };
        if radix_bits != 0 {
            return Ok(Constant::Int(power_of_two(&clean[2..], radix_bits, arena)));
        }
    }
    let float =
        |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    if let Some(digits) = clean.strip_suffix(b"j").or_else(|| clean.strip_suffix(b"J")) {
        return Ok(Constant::Complex { real: 0.0, imag: float(digits) });
    }
    if clean.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return Ok(Constant::Float(float(clean)));
    }
    if clean.len() <= 18 {
        let value = clean.iter().fold(0i64, |value, &byte| value * 10 + i64::from(byte - b'0'));
        return Ok(Constant::Int(IntConst::Small(value)));
    }
    if max_digits != 0 && clean.len() > max_digits {
        return Err(TooManyDigits(clean.len()));
    }
    let mut digits: Vec<u32> = Vec::with_capacity(clean.len() / 9 + 1);
    for chunk in clean.chunks(9) {
        let mut carry = chunk.iter().fold(0u64, |value, &byte| value * 10 + u64::from(byte - b'0'));
        let scale = 10u64.pow(chunk.len() as u32);
        for digit in &mut digits {
            let product = u64::from(*digit) * scale + carry;
            *digit = (product & 0x3fff_ffff) as u32;
            carry = product >> 30;
        }
        while carry != 0 {
            digits.push((carry & 0x3fff_ffff) as u32);
            carry >>= 30;
        }
    }
    Ok(Constant::Int(from_digits(&digits, arena)))
}

fn power_of_two<'a>(text: &[u8], bits: u32, arena: &'a Arena) -> IntConst<'a> {
    let mut digits = Vec::new();
    let (mut accumulator, mut filled) = (0u64, 0);
    for &byte in text.iter().rev() {
        let digit = (byte as char).to_digit(16).unwrap_or(0);
        accumulator |= u64::from(digit) << filled;
        filled += bits;
        if filled >= 30 {
            digits.push((accumulator & 0x3fff_ffff) as u32);
            accumulator >>= 30;
            filled -= 30;
        }
    }
    digits.push(accumulator as u32);
    while digits.last() == Some(&0) {
        digits.pop();
    }
    from_digits(&digits, arena)
}

/// The constant with the given magnitude, as `Small` if it fits.
pub fn from_digits<'a>(digits: &[u32], arena: &'a Arena) -> IntConst<'a> {
    let value = match *digits {
        [] => Some(0),
        [a] => Some(i64::from(a)),
        [a, b] => Some(i64::from(a) | i64::from(b) << 30),
        [a, b, c] if c < 8 => Some(i64::from(a) | i64::from(b) << 30 | i64::from(c) << 60),
        _ => None,
    };
    match value {
        Some(value) => IntConst::Small(value),
        None => IntConst::Big { negative: false, digits: arena.alloc_slice_copy(digits) },
    }
}
