//! Fitting a result into a context: rounding, overflow, underflow, clamping.

use super::words::{self, Remainder};
use super::*;

impl Decimal {
    /// Rounds a number to the context, as every operation does with its result.
    #[inline]
    pub fn finalize(&mut self, context: &Context, status: &mut Status) {
        match self.kind {
            Kind::Finite => {
                let digits = self.digits();
                let adjusted = self.exponent + digits - 1;
                if digits <= context.prec
                    && adjusted <= context.emax
                    && adjusted >= context.emin
                    && !context.clamp
                {
                    return;
                }
                self.fit_exponent(context, status);
                self.fit_digits(context, status);
            }
            Kind::Infinite => {}
            Kind::QuietNan | Kind::SignalingNan => self.fix_nan(context),
        }
    }

    /// The result of an operation, rounded to the context.
    #[inline]
    pub(super) fn finalized(mut self, context: &Context, status: &mut Status) -> Decimal {
        self.finalize(context, status);
        self
    }

    /// The number rounded to the context; NaNs pass.
    pub fn rounded(&self, context: &Context, status: &mut Status) -> Decimal {
        self.clone().finalized(context, status)
    }

    /// Cuts a NaN's payload to the context.
    pub(super) fn fix_nan(&mut self, context: &Context) {
        let room = context.prec - i64::from(context.clamp);
        if self.digits() > room {
            self.coefficient = words::low_digits(&self.coefficient, room.max(0) as u64);
        }
    }

    fn fit_digits(&mut self, context: &Context, status: &mut Status) {
        if self.kind != Kind::Finite {
            return;
        }
        let excess = self.digits() - context.prec;
        if excess <= 0 {
            return;
        }
        let (coefficient, cut) = words::shift_right(&self.coefficient, excess as u64);
        self.coefficient = coefficient;
        self.exponent += excess;
        *status |= ROUNDED;
        if cut != 0 {
            *status |= INEXACT;
        }
        if self.rounds_up(cut, context.rounding) {
            words::increment(&mut self.coefficient);
            if self.digits() > context.prec {
                self.coefficient = words::shift_right(&self.coefficient, 1).0;
                self.exponent += 1;
                self.fit_exponent(context, status);
            }
        }
    }

    /// Whether the coefficient has to grow by one for what was cut off.
    pub(super) fn rounds_up(&self, cut: Remainder, rounding: Rounding) -> bool {
        if cut == 0 {
            return false;
        }
        let last = self.coefficient.first().copied().unwrap_or(0);
        match rounding {
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::Ceiling => !self.negative,
            Rounding::Floor => self.negative,
            Rounding::HalfUp => cut >= 5,
            Rounding::HalfDown => cut > 5,
            Rounding::HalfEven => cut > 5 || (cut == 5 && last % 2 == 1),
            // The base is a multiple of ten, so the last digit is that of the lowest word.
            Rounding::ZeroFiveUp => last % 5 == 0,
        }
    }

    fn overflow(&mut self, context: &Context, status: &mut Status) {
        *status |= OVERFLOW | INEXACT | ROUNDED;
        let to_largest = match context.rounding {
            Rounding::Down | Rounding::ZeroFiveUp => true,
            Rounding::Ceiling => self.negative,
            Rounding::Floor => !self.negative,
            _ => false,
        };
        *self = if to_largest {
            match words::nines(context.prec as u64) {
                Some(nines) => Decimal::new(self.negative, nines, context.etop()),
                None => Decimal::error(MALLOC_ERROR, status),
            }
        } else {
            Decimal::infinity(self.negative)
        };
    }

    fn fit_exponent(&mut self, context: &Context, status: &mut Status) {
        let adjusted = self.adjusted();
        let zero = words::is_zero(&self.coefficient);
        if adjusted > context.emax {
            if !zero {
                return self.overflow(context, status);
            }
            self.exponent = if context.clamp { context.etop() } else { context.emax };
            *status |= CLAMPED;
        } else if context.clamp && self.exponent > context.etop() {
            let shift = self.exponent - context.etop();
            match words::shift_left(&self.coefficient, shift as u64) {
                Some(shifted) => self.coefficient = shifted,
                None => return *self = Decimal::error(MALLOC_ERROR, status),
            }
            self.exponent -= shift;
            *status |= CLAMPED;
            if !zero && adjusted < context.emin {
                *status |= SUBNORMAL;
            }
        } else if adjusted < context.emin {
            let etiny = context.etiny();
            if zero {
                if self.exponent < etiny {
                    self.exponent = etiny;
                    *status |= CLAMPED;
                }
                return;
            }
            *status |= SUBNORMAL;
            if self.exponent >= etiny {
                return;
            }
            let (coefficient, cut) = words::shift_right(&self.coefficient, self.exponent.abs_diff(etiny));
            self.coefficient = coefficient;
            self.exponent = etiny;
            if self.rounds_up(cut, context.rounding) {
                words::increment(&mut self.coefficient);
            }
            *status |= ROUNDED;
            if cut != 0 {
                *status |= INEXACT | UNDERFLOW;
                if words::is_zero(&self.coefficient) {
                    *status |= CLAMPED;
                }
            }
        }
    }
}
