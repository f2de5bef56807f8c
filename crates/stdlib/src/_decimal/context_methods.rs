//! The methods of `Context` that are operations on decimals.

use taipan_numeric::decimal::Decimal as Number;
use taipan_vm::prelude::*;

use super::context::Context;
use super::decimal::{Decimal, binary, fma, plain_binary, required, same, test, unary};
use super::{construct, number};

#[pymethods(table = CONTEXT_METHODS)]
impl Context {
    /// Return the absolute value of x.
    #[method("($self, x, /)")]
    fn abs(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::abs, vm)
    }

    /// Return e ** x.
    #[method("($self, x, /)")]
    fn exp(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::exp, vm)
    }

    /// Return the natural (base e) logarithm of x.
    #[method("($self, x, /)")]
    fn ln(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::ln, vm)
    }

    /// Return the base 10 logarithm of x.
    #[method("($self, x, /)")]
    fn log10(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::log10, vm)
    }

    /// Minus corresponds to the unary prefix minus operator in Python, but applies
    /// the context to the result.
    #[method("($self, x, /)")]
    fn minus(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::minus, vm)
    }

    /// Return the largest representable number smaller than x.
    #[method("($self, x, /)")]
    fn next_minus(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::next_minus, vm)
    }

    /// Return the smallest representable number larger than x.
    #[method("($self, x, /)")]
    fn next_plus(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::next_plus, vm)
    }

    /// Reduce x to its simplest form. Alias for reduce(x).
    #[method("($self, x, /)")]
    fn normalize(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::normalize, vm)
    }

    /// Plus corresponds to the unary prefix plus operator in Python, but applies
    /// the context to the result.
    #[method("($self, x, /)")]
    fn plus(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::plus, vm)
    }

    /// Identical to to_integral_value(x).
    #[method("($self, x, /)")]
    fn to_integral(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::to_integral_value, vm)
    }

    /// Round to an integer. Signal if the result is rounded or inexact.
    #[method("($self, x, /)")]
    fn to_integral_exact(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::to_integral_exact, vm)
    }

    /// Round to an integer.
    #[method("($self, x, /)")]
    fn to_integral_value(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::to_integral_value, vm)
    }

    /// Square root of a non-negative number to context precision.
    #[method("($self, x, /)")]
    fn sqrt(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::sqrt, vm)
    }

    /// Return the sum of x and y.
    #[method("?($self, x, y, /)")]
    fn add(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::add, vm)
    }

    /// Compare x and y numerically.
    #[method("($self, x, y, /)")]
    fn compare(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::compare, vm)
    }

    /// Compare x and y numerically.  All NaNs signal.
    #[method("($self, x, y, /)")]
    fn compare_signal(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::compare_signal, vm)
    }

    /// Return x divided by y.
    #[method("?($self, x, y, /)")]
    fn divide(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::divide, vm)
    }

    /// Return x divided by y, truncated to an integer.
    #[method("?($self, x, y, /)")]
    fn divide_int(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::divide_int, vm)
    }

    /// Return quotient and remainder of the division x / y.
    #[method("?($self, x, y, /)")]
    fn divmod(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        let (x, y) = (required(x, vm)?, required(y, vm)?);
        number::divmod(&x, &y, self, vm)
    }

    /// Compare the values numerically and return the maximum.
    #[method("($self, x, y, /)")]
    fn max(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::max, vm)
    }

    /// Compare the values numerically with their sign ignored.
    #[method("($self, x, y, /)")]
    fn max_mag(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::max_mag, vm)
    }

    /// Compare the values numerically and return the minimum.
    #[method("($self, x, y, /)")]
    fn min(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::min, vm)
    }

    /// Compare the values numerically with their sign ignored.
    #[method("($self, x, y, /)")]
    fn min_mag(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::min_mag, vm)
    }

    /// Return the product of x and y.
    #[method("?($self, x, y, /)")]
    fn multiply(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::multiply, vm)
    }

    /// Return the number closest to x, in the direction towards y.
    #[method("($self, x, y, /)")]
    fn next_toward(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::next_toward, vm)
    }

    /// Return a value equal to x (rounded), having the exponent of y.
    #[method("($self, x, y, /)")]
    fn quantize(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::quantize, vm)
    }

    /// Return the remainder from integer division.  The sign of the result,
    /// if non-zero, is the same as that of the original dividend.
    #[method("?($self, x, y, /)")]
    fn remainder(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::remainder, vm)
    }

    /// Return x - y * n, where n is the integer nearest the exact value of x / y
    /// (if the result is 0 then its sign will be the sign of x).
    #[method("($self, x, y, /)")]
    fn remainder_near(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::remainder_near, vm)
    }

    /// Return the difference between x and y.
    #[method("?($self, x, y, /)")]
    fn subtract(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::subtract, vm)
    }

    /// Compute a**b. If 'a' is negative, then 'b' must be integral. The result
    /// will be inexact unless 'a' is integral and the result is finite and can
    /// be expressed exactly in 'precision' digits.  In the Python version the
    /// result is always correctly rounded, in the C version the result is almost
    /// always correctly rounded.
    ///
    /// If modulo is given, compute (a**b) % modulo. The following restrictions
    /// hold:
    ///
    ///     * all three arguments must be integral
    ///     * 'b' must be nonnegative
    ///     * at least one of 'a' or 'b' must be nonzero
    ///     * modulo must be nonzero and less than 10**prec in absolute value
    #[method("?($self, /, a, b, modulo=None)")]
    fn power(&self, a: &Object, b: &Object, modulo: Option<&Object>, vm: &Vm) -> PyResult {
        match modulo.filter(|modulo| !vm.is_none(modulo)) {
            None => binary(a, b, self, Number::power, vm),
            Some(modulo) => {
                let (a, b, modulo) = (required(a, vm)?, required(b, vm)?, required(modulo, vm)?);
                number::power_modulo(&a, &b, &modulo, self, vm)
            }
        }
    }

    /// Return x multiplied by y, plus z.
    #[method("($self, x, y, z, /)")]
    fn fma(&self, x: &Object, y: &Object, z: &Object, vm: &Vm) -> PyResult {
        fma(x, y, z, self, vm)
    }

    /// Return 10.
    #[method("($self, /)")]
    fn radix(&self, vm: &Vm) -> ObjRef {
        Decimal::make(Number::small(false, 10, 0), vm)
    }

    /// Return True if x is canonical, False otherwise.
    #[method("($self, x, /)")]
    fn is_canonical(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        match x.downcast_ref::<Decimal>() {
            Some(_) => Ok(true),
            None => Err(vm.type_error("argument must be a Decimal")),
        }
    }

    /// Return True if x is finite, False otherwise.
    #[method("($self, x, /)")]
    fn is_finite(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_finite, vm)
    }

    /// Return True if x is infinite, False otherwise.
    #[method("($self, x, /)")]
    fn is_infinite(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_infinite, vm)
    }

    /// Return True if x is a qNaN or sNaN, False otherwise.
    #[method("($self, x, /)")]
    fn is_nan(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_nan, vm)
    }

    /// Return True if x is a normal number, False otherwise.
    #[method("($self, x, /)")]
    fn is_normal(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, |x| x.is_normal(&self.settings()), vm)
    }

    /// Return True if x is a quiet NaN, False otherwise.
    #[method("($self, x, /)")]
    fn is_qnan(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_qnan, vm)
    }

    /// Return True if x is negative, False otherwise.
    #[method("($self, x, /)")]
    fn is_signed(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_negative, vm)
    }

    /// Return True if x is a signaling NaN, False otherwise.
    #[method("($self, x, /)")]
    fn is_snan(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_snan, vm)
    }

    /// Return True if x is subnormal, False otherwise.
    #[method("($self, x, /)")]
    fn is_subnormal(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, |x| x.is_subnormal(&self.settings()), vm)
    }

    /// Return True if x is a zero, False otherwise.
    #[method("($self, x, /)")]
    fn is_zero(&self, x: &Object, vm: &Vm) -> PyResult<bool> {
        test(x, Number::is_zero, vm)
    }

    #[method("($self, object, /)")]
    fn _apply(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::rounded, vm)
    }

    /// Return a new instance of x.
    #[method("($self, x, /)")]
    fn canonical(&self, x: &Object, vm: &Vm) -> PyResult {
        match x.downcast_ref::<Decimal>() {
            Some(_) => Ok(x.to_ref()),
            None => Err(vm.type_error("argument must be a Decimal")),
        }
    }

    /// Return a copy of x with the sign set to 0.
    #[method("($self, x, /)")]
    fn copy_abs(&self, x: &Object, vm: &Vm) -> PyResult {
        Ok(Decimal::make(required(x, vm)?.copy_abs(), vm))
    }

    /// Return a copy of Decimal x.
    #[method("($self, x, /)")]
    fn copy_decimal(&self, x: &Object, vm: &Vm) -> PyResult {
        same(x, vm)
    }

    /// Return a copy of x with the sign inverted.
    #[method("($self, x, /)")]
    fn copy_negate(&self, x: &Object, vm: &Vm) -> PyResult {
        Ok(Decimal::make(required(x, vm)?.copy_negate(), vm))
    }

    /// Return the exponent of the magnitude of the operand's MSD.
    #[method("($self, x, /)")]
    fn logb(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::logb, vm)
    }

    /// Invert all the digits in the operand.
    ///
    /// The operand must be a logical number.
    ///
    ///     >>> ExtendedContext.logical_invert(Decimal('0'))
    ///     Decimal('111111111')
    ///     >>> ExtendedContext.logical_invert(Decimal('1'))
    ///     Decimal('111111110')
    ///     >>> ExtendedContext.logical_invert(Decimal('111111111'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_invert(Decimal('101010101'))
    ///     Decimal('10101010')
    ///     >>> ExtendedContext.logical_invert(1101)
    ///     Decimal('111110010')
    #[method("($self, x, /)")]
    fn logical_invert(&self, x: &Object, vm: &Vm) -> PyResult {
        unary(x, self, Number::logical_invert, vm)
    }

    /// Return an indication of the class of x.
    #[method("($self, x, /)")]
    fn number_class(&self, x: &Object, vm: &Vm) -> PyResult<&'static str> {
        Ok(required(x, vm)?.number_class(&self.settings()).0)
    }

    /// Convert a number to a string using scientific notation.
    #[method("($self, x, /)")]
    fn to_sci_string(&self, x: &Object, vm: &Vm) -> PyResult<String> {
        Ok(required(x, vm)?.to_text(false, self.capitals()))
    }

    /// Convert a number to a string, using engineering notation.
    #[method("($self, x, /)")]
    fn to_eng_string(&self, x: &Object, vm: &Vm) -> PyResult<String> {
        Ok(required(x, vm)?.to_text(true, self.capitals()))
    }

    /// Compare x and y using their abstract representation.
    #[method("($self, x, y, /)")]
    fn compare_total(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        plain_binary(x, y, Number::compare_total, vm)
    }

    /// Compare x and y using their abstract representation, ignoring sign.
    #[method("($self, x, y, /)")]
    fn compare_total_mag(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        plain_binary(x, y, Number::compare_total_mag, vm)
    }

    /// Copy the sign from y to x.
    #[method("($self, x, y, /)")]
    fn copy_sign(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        plain_binary(x, y, Number::copy_sign, vm)
    }

    /// Applies the logical operation 'and' between each operand's digits.
    ///
    /// The operands must be both logical numbers.
    ///
    ///     >>> ExtendedContext.logical_and(Decimal('0'), Decimal('0'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_and(Decimal('0'), Decimal('1'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_and(Decimal('1'), Decimal('0'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_and(Decimal('1'), Decimal('1'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_and(Decimal('1100'), Decimal('1010'))
    ///     Decimal('1000')
    ///     >>> ExtendedContext.logical_and(Decimal('1111'), Decimal('10'))
    ///     Decimal('10')
    ///     >>> ExtendedContext.logical_and(110, 1101)
    ///     Decimal('100')
    ///     >>> ExtendedContext.logical_and(Decimal(110), 1101)
    ///     Decimal('100')
    ///     >>> ExtendedContext.logical_and(110, Decimal(1101))
    ///     Decimal('100')
    #[method("($self, x, y, /)")]
    fn logical_and(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::logical_and, vm)
    }

    /// Applies the logical operation 'or' between each operand's digits.
    ///
    /// The operands must be both logical numbers.
    ///
    ///     >>> ExtendedContext.logical_or(Decimal('0'), Decimal('0'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_or(Decimal('0'), Decimal('1'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_or(Decimal('1'), Decimal('0'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_or(Decimal('1'), Decimal('1'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_or(Decimal('1100'), Decimal('1010'))
    ///     Decimal('1110')
    ///     >>> ExtendedContext.logical_or(Decimal('1110'), Decimal('10'))
    ///     Decimal('1110')
    ///     >>> ExtendedContext.logical_or(110, 1101)
    ///     Decimal('1111')
    ///     >>> ExtendedContext.logical_or(Decimal(110), 1101)
    ///     Decimal('1111')
    ///     >>> ExtendedContext.logical_or(110, Decimal(1101))
    ///     Decimal('1111')
    #[method("($self, x, y, /)")]
    fn logical_or(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::logical_or, vm)
    }

    /// Applies the logical operation 'xor' between each operand's digits.
    ///
    /// The operands must be both logical numbers.
    ///
    ///     >>> ExtendedContext.logical_xor(Decimal('0'), Decimal('0'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_xor(Decimal('0'), Decimal('1'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_xor(Decimal('1'), Decimal('0'))
    ///     Decimal('1')
    ///     >>> ExtendedContext.logical_xor(Decimal('1'), Decimal('1'))
    ///     Decimal('0')
    ///     >>> ExtendedContext.logical_xor(Decimal('1100'), Decimal('1010'))
    ///     Decimal('110')
    ///     >>> ExtendedContext.logical_xor(Decimal('1111'), Decimal('10'))
    ///     Decimal('1101')
    ///     >>> ExtendedContext.logical_xor(110, 1101)
    ///     Decimal('1011')
    ///     >>> ExtendedContext.logical_xor(Decimal(110), 1101)
    ///     Decimal('1011')
    ///     >>> ExtendedContext.logical_xor(110, Decimal(1101))
    ///     Decimal('1011')
    #[method("($self, x, y, /)")]
    fn logical_xor(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::logical_xor, vm)
    }

    /// Return a copy of x, rotated by y places.
    #[method("($self, x, y, /)")]
    fn rotate(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::rotate, vm)
    }

    /// Return True if the two operands have the same exponent.
    #[method("($self, x, y, /)")]
    fn same_quantum(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(required(x, vm)?.same_quantum(&*required(y, vm)?))
    }

    /// Return the first operand after adding the second value to its exp.
    #[method("($self, x, y, /)")]
    fn scaleb(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::scaleb, vm)
    }

    /// Return a copy of x, shifted by y places.
    #[method("($self, x, y, /)")]
    fn shift(&self, x: &Object, y: &Object, vm: &Vm) -> PyResult {
        binary(x, y, self, Number::shift, vm)
    }

    /// Create a new Decimal instance from num, using self as the context. Unlike the
    /// Decimal constructor, this function observes the context limits.
    #[method("?($self, num=\"0\", /)")]
    fn create_decimal(&self, num: Option<&Object>, vm: &Vm) -> PyResult {
        match num {
            None => Ok(Decimal::make(Number::default(), vm)),
            Some(num) => construct::rounded(num, self, vm),
        }
    }

    /// Create a new Decimal instance from float f.  Unlike the Decimal.from_float()
    /// class method, this function observes the context limits.
    #[method("($self, f, /)")]
    fn create_decimal_from_float(&self, f: &Object, vm: &Vm) -> PyResult {
        construct::rounded_float(f, self, vm)
    }
}
