//! Durations times and through floats, exactly rounded.

use taipan_vm::prelude::*;

use super::delta::divide_nearest;

/// A float as `mantissa * 2 ** exponent`, the mantissa odd or 0.
pub struct Ratio {
    mantissa: i64,
    exponent: i32,
}

impl Ratio {
    /// Raises what `as_integer_ratio` does for numbers that are not finite.
    pub fn of(value: f64, vm: &Vm) -> PyResult<Ratio> {
        if value.is_nan() {
            return Err(vm.value_error("cannot convert NaN to integer ratio"));
        }
        if value.is_infinite() {
            return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
        }
        let bits = value.to_bits();
        let stored = ((bits >> 52) & 0x7ff) as i32;
        let fraction = (bits & ((1 << 52) - 1)) as i64;
        let (mut mantissa, mut exponent) =
            if stored == 0 { (fraction, -1074) } else { (fraction | 1 << 52, stored - 1075) };
        if mantissa != 0 {
            let zeros = mantissa.trailing_zeros();
            mantissa >>= zeros;
            exponent += zeros as i32;
        }
        Ok(Ratio { mantissa: if value < 0.0 { -mantissa } else { mantissa }, exponent })
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The product with a number of less than 2 ** 67; `None` when no duration is so long.
    pub fn multiply(&self, total: i128) -> Option<i128> {
        let product = total * i128::from(self.mantissa);
        if product == 0 {
            return Some(0);
        }
        match u32::try_from(self.exponent) {
            Ok(shift) if shift < 126 && product.unsigned_abs().leading_zeros() > shift + 2 => {
                Some(product << shift)
            }
            Ok(_) => None,
            Err(_) if self.exponent <= -126 => Some(0),
            Err(_) => Some(divide_nearest(product, 1i128 << -self.exponent)),
        }
    }

    /// A number of less than 2 ** 67 divided by this, which is not zero.
    pub fn divide(&self, total: i128) -> Option<i128> {
        if total == 0 {
            return Some(0);
        }
        let divisor = i128::from(self.mantissa);
        if self.exponent >= 0 {
            if self.exponent > 70 {
                return Some(0);
            }
            return Some(divide_nearest(total, divisor << self.exponent));
        }
        let negative = (total < 0) != (divisor < 0);
        let (size, divisor) = (total.abs(), divisor.abs());
        let (mut quotient, mut rest) = (size / divisor, size % divisor);
        for _ in 0..-self.exponent {
            quotient <<= 1;
            rest <<= 1;
            if rest >= divisor {
                rest -= divisor;
                quotient |= 1;
            }
            if quotient > 1 << 100 {
                return None;
            }
        }
        if rest * 2 > divisor || (rest * 2 == divisor && quotient & 1 == 1) {
            quotient += 1;
        }
        Some(if negative { -quotient } else { quotient })
    }
}
