//! C's `long double`, for which Rust has no type: the 80 bits of the x87 on x86-64, IEEE binary128 elsewhere.

/// Bits of the significand: on x87 the leading one is stored, in binary128 it is implied.
const X87: bool = cfg!(target_arch = "x86_64");

/// Reads a number, rounded to a double.
///
/// # Safety
/// `from` has 16 bytes (10 of them count on x87).
pub unsafe fn read(from: *const u8) -> f64 {
    let (head, fraction) = if X87 {
        // SAFETY: the caller vouches for the bytes.
        unsafe { (super::formats::read::<u16>(from.add(8)), super::formats::read::<u64>(from)) }
    } else {
        // SAFETY: as above.
        let bits = unsafe { super::formats::read::<u128>(from) };
        let exponent = (bits >> 112) as u16;
        let implied = if exponent & 0x7fff == 0 { 0 } else { 1 << 63 };
        // The bits that don't fit are told by one sticky bit.
        let sticky = u64::from(bits & 0x1_ffff_ffff_ffff != 0);
        (exponent, implied | ((bits >> 49) as u64 & (u64::MAX >> 1)) | sticky)
    };
    let sign = if head & 0x8000 != 0 { -1.0 } else { 1.0 };
    let exponent = i32::from(head & 0x7fff);
    let value = match (exponent, fraction) {
        (_, 0) => 0.0,
        (0x7fff, _) if fraction << 1 == 0 => f64::INFINITY,
        (0x7fff, _) => f64::NAN,
        _ => compose(fraction, exponent - 16383 - 63),
    };
    value * sign
}

/// `fraction * 2**exponent`, rounded once.
fn compose(fraction: u64, exponent: i32) -> f64 {
    let top = 63 - fraction.leading_zeros() as i32 + exponent;
    // Subnormal results have fewer bits: they are cut to what is left before the conversion rounds.
    if top < -1022 {
        let lost = -1074 - exponent;
        if lost > 64 {
            return 0.0;
        }
        let wide = u128::from(fraction);
        let (mut whole, rest) = (wide >> lost, wide & ((1u128 << lost) - 1));
        let half = 1u128 << (lost - 1);
        if rest > half || rest == half && whole & 1 == 1 {
            whole += 1;
        }
        return f64::from_bits(whole as u64);
    }
    if top > 1023 {
        return f64::INFINITY;
    }
    let rounded = fraction as f64;
    // In two steps: one power alone may not be a double.
    let half = exponent / 2;
    rounded * 2f64.powi(half) * 2f64.powi(exponent - half)
}

/// Writes a double; exact.
///
/// # Safety
/// `to` has room for 16 bytes.
pub unsafe fn write(to: *mut u8, value: f64) {
    let bits = value.to_bits();
    let sign = (bits >> 63) as u16;
    let (exponent, fraction) = ((bits >> 52) as u16 & 0x7ff, bits & ((1 << 52) - 1));
    // The significand with its leading one in bit 63.
    let (exponent, significand) = match (exponent, fraction) {
        (0, 0) => (0, 0),
        (0, _) => {
            let shift = fraction.leading_zeros();
            (16383 - 1022 - (shift as u16 - 11), fraction << shift)
        }
        (0x7ff, _) => (0x7fff, 1 << 63 | fraction << 11),
        _ => (exponent + 16383 - 1023, 1 << 63 | fraction << 11),
    };
    let head = sign << 15 | exponent;
    if X87 {
        // SAFETY: the caller vouches for the room.
        unsafe {
            super::formats::write::<u64>(to, significand);
            super::formats::write::<u64>(to.add(8), u64::from(head));
        }
    } else {
        let bits = u128::from(head) << 112 | u128::from(significand & (u64::MAX >> 1)) << 49;
        // SAFETY: as above.
        unsafe { super::formats::write(to, bits) };
    }
}
