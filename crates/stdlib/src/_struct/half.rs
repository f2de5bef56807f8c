//! Floats of two and four bytes, NaN payloads kept.

/// IEEE 754 binary16 bits of a double, rounded to even; `None` when it is too large.
pub fn to_half(x: f64) -> Option<u16> {
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    if x == 0.0 {
        return Some(sign);
    }
    if x.is_infinite() {
        return Some(sign | 0x7c00);
    }
    if x.is_nan() {
        return Some(sign | 0x7c00 | ((x.to_bits() & 0x000f_fc00_0000_0000) >> 42) as u16);
    }
    let size = x.abs();
    let exponent = ((size.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    if exponent >= 16 {
        return None;
    }
    if exponent < -25 {
        return Some(sign);
    }
    // The significand in units of the result's last place: exact, since it is a power of two away.
    let unit = exponent.max(-14) - 10;
    let scaled = size * 2f64.powi(-unit);
    let rounded = scaled.round_ties_even() as u16;
    let bits = if exponent < -14 { rounded } else { (((exponent + 14) as u16) << 10) + rounded };
    if bits >= 0x7c00 { None } else { Some(sign | bits) }
}

/// The double of binary16 bits.
pub fn from_half(bits: u16) -> f64 {
    let negative = bits & 0x8000 != 0;
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), u64::from(bits & 0x3ff));
    if exponent == 0x1f {
        let sign = if negative { 1 << 63 } else { 0 };
        return f64::from_bits(sign | 0x7ff0 << 48 | fraction << 42);
    }
    let size = if exponent == 0 {
        fraction as f64 * 2f64.powi(-24)
    } else {
        (1024 + fraction) as f64 * 2f64.powi(exponent - 25)
    };
    if negative { -size } else { size }
}

/// Binary32 bits of a double; `None` when it is too large.
pub fn to_single(x: f64) -> Option<u32> {
    let y = x as f32;
    if y.is_infinite() && !x.is_infinite() {
        return None;
    }
    let bits = y.to_bits();
    // The conversion made a quiet NaN of a signalling one.
    if x.is_nan() && x.to_bits() & 1 << 51 == 0 && bits & 0x003f_ffff != 0 {
        return Some(bits & !(1 << 22));
    }
    Some(bits)
}

/// The double of binary32 bits.
pub fn from_single(bits: u32) -> f64 {
    let x = f64::from(f32::from_bits(bits));
    if x.is_nan() && bits & 1 << 22 == 0 {
        return f64::from_bits(x.to_bits() & !(1 << 51));
    }
    x
}
