//! The logical operations: on numbers whose digits are zeros and ones.

use super::*;

/// The digits of a logical operand, lowest first; those beyond the precision are cut off.
fn bits(operand: &Decimal, context: &Context) -> Option<Vec<u8>> {
    if !operand.is_finite() || operand.negative || operand.exponent != 0 {
        return None;
    }
    let mut digits = Vec::new();
    words::push_digits(&operand.coefficient, &mut digits);
    digits.reverse();
    let valid = digits.iter().all(|digit| matches!(digit, b'0' | b'1'));
    digits.truncate(usize::try_from(context.prec).unwrap_or(usize::MAX));
    valid.then_some(digits)
}

fn from_bits(mut digits: Vec<u8>) -> Decimal {
    digits.reverse();
    Decimal::new(false, words::from_digits(&digits), 0)
}

impl Decimal {
    fn logical(
        &self,
        other: &Decimal,
        context: &Context,
        status: &mut Status,
        operation: fn(u8, u8) -> u8,
    ) -> Decimal {
        let (Some(a), Some(b)) = (bits(self, context), bits(other, context)) else {
            return Decimal::error(INVALID_OPERATION, status);
        };
        let digit = |digits: &[u8], i: usize| digits.get(i).map_or(0, |digit| digit & 1);
        let length = a.len().max(b.len());
        from_bits((0..length).map(|i| b'0' + operation(digit(&a, i), digit(&b, i))).collect())
    }

    /// The digit-wise and.
    pub fn logical_and(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.logical(other, context, status, |a, b| a & b)
    }

    /// The digit-wise or.
    pub fn logical_or(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.logical(other, context, status, |a, b| a | b)
    }

    /// The digit-wise exclusive or.
    pub fn logical_xor(&self, other: &Decimal, context: &Context, status: &mut Status) -> Decimal {
        self.logical(other, context, status, |a, b| a ^ b)
    }

    /// The digit-wise inversion, in as many digits as the context has.
    pub fn logical_invert(&self, context: &Context, status: &mut Status) -> Decimal {
        let Some(digits) = bits(self, context) else { return Decimal::error(INVALID_OPERATION, status) };
        let mut inverted = Vec::new();
        let Some(length) =
            usize::try_from(context.prec).ok().filter(|length| inverted.try_reserve_exact(*length).is_ok())
        else {
            return Decimal::error(MALLOC_ERROR, status);
        };
        inverted.extend(digits.iter().map(|digit| digit ^ 1));
        inverted.resize(length, b'1');
        from_bits(inverted)
    }
}
