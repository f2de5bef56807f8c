//! The methods of `Decimal` that the specification defines.

use taipan_numeric::decimal::Decimal as Number;
use taipan_vm::prelude::*;

use super::current::given;
use super::decimal::{Decimal, binary, fma, plain_binary, required, rounded, unary};

#[pymethods(table = DECIMAL_METHODS)]
impl Decimal {
    /// Return the value of the (natural) exponential function e**x at the given
    /// number.  The function always uses the ROUND_HALF_EVEN mode and the result
    /// is correctly rounded.
    #[method("?($self, /, context=None)")]
    fn exp(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::exp, vm)
    }

    /// Return the natural (base e) logarithm of the operand. The function always
    /// uses the ROUND_HALF_EVEN mode and the result is correctly rounded.
    #[method("?($self, /, context=None)")]
    fn ln(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::ln, vm)
    }

    /// Return the base ten logarithm of the operand. The function always uses the
    /// ROUND_HALF_EVEN mode and the result is correctly rounded.
    #[method("?($self, /, context=None)")]
    fn log10(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::log10, vm)
    }

    /// Return the largest number representable in the given context (or in the
    /// current default context if no context is given) that is smaller than the
    /// given operand.
    #[method("?($self, /, context=None)")]
    fn next_minus(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::next_minus, vm)
    }

    /// Return the smallest number representable in the given context (or in the
    /// current default context if no context is given) that is larger than the
    /// given operand.
    #[method("?($self, /, context=None)")]
    fn next_plus(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::next_plus, vm)
    }

    /// Normalize the number by stripping the rightmost trailing zeros and
    /// converting any result equal to Decimal('0') to Decimal('0e0').  Used
    /// for producing canonical values for members of an equivalence class.
    /// For example, Decimal('32.100') and Decimal('0.321000e+2') both normalize
    /// to the equivalent value Decimal('32.1').
    #[method("?($self, /, context=None)")]
    fn normalize(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::normalize, vm)
    }

    /// Identical to the to_integral_value() method.  The to_integral() name has been
    /// kept for compatibility with older versions.
    #[method("?($self, /, rounding=None, context=None)")]
    fn to_integral(&self, rounding: Option<&Object>, context: Option<&Object>, vm: &Vm) -> PyResult {
        rounded(self.as_object(), rounding, &*given(context, vm)?, Number::to_integral_value, vm)
    }

    /// Round to the nearest integer, signaling Inexact or Rounded as appropriate if
    /// rounding occurs.  The rounding mode is determined by the rounding parameter
    /// if given, else by the given context. If neither parameter is given, then the
    /// rounding mode of the current default context is used.
    #[method("?($self, /, rounding=None, context=None)")]
    fn to_integral_exact(&self, rounding: Option<&Object>, context: Option<&Object>, vm: &Vm) -> PyResult {
        rounded(self.as_object(), rounding, &*given(context, vm)?, Number::to_integral_exact, vm)
    }

    /// Round to the nearest integer without signaling Inexact or Rounded.  The
    /// rounding mode is determined by the rounding parameter if given, else by
    /// the given context. If neither parameter is given, then the rounding mode
    /// of the current default context is used.
    #[method("?($self, /, rounding=None, context=None)")]
    fn to_integral_value(&self, rounding: Option<&Object>, context: Option<&Object>, vm: &Vm) -> PyResult {
        rounded(self.as_object(), rounding, &*given(context, vm)?, Number::to_integral_value, vm)
    }

    /// Return the square root of the argument to full precision. The result is
    /// correctly rounded using the ROUND_HALF_EVEN rounding mode.
    #[method("?($self, /, context=None)")]
    fn sqrt(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::sqrt, vm)
    }

    /// Compare self to other.  Return a decimal value:
    ///
    /// a or b is a NaN ==> Decimal('NaN')
    /// a < b           ==> Decimal('-1')
    /// a == b          ==> Decimal('0')
    /// a > b           ==> Decimal('1')
    #[method("?($self, /, other, context=None)")]
    fn compare(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::compare, vm)
    }

    /// Identical to compare, except that all NaNs signal.
    #[method("?($self, /, other, context=None)")]
    fn compare_signal(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::compare_signal, vm)
    }

    /// Maximum of self and other.  If one operand is a quiet NaN and the other is
    /// numeric, the numeric operand is returned.
    #[method("?($self, /, other, context=None)")]
    fn max(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::max, vm)
    }

    /// Similar to the max() method, but the comparison is done using the absolute
    /// values of the operands.
    #[method("?($self, /, other, context=None)")]
    fn max_mag(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::max_mag, vm)
    }

    /// Minimum of self and other. If one operand is a quiet NaN and the other is
    /// numeric, the numeric operand is returned.
    #[method("?($self, /, other, context=None)")]
    fn min(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::min, vm)
    }

    /// Similar to the min() method, but the comparison is done using the absolute
    /// values of the operands.
    #[method("?($self, /, other, context=None)")]
    fn min_mag(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::min_mag, vm)
    }

    /// If the two operands are unequal, return the number closest to the first
    /// operand in the direction of the second operand.  If both operands are
    /// numerically equal, return a copy of the first operand with the sign set
    /// to be the same as the sign of the second operand.
    #[method("?($self, /, other, context=None)")]
    fn next_toward(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::next_toward, vm)
    }

    /// Return a value equal to the first operand after rounding and having the
    /// exponent of the second operand.
    ///
    ///     >>> Decimal('1.41421356').quantize(Decimal('1.000'))
    ///     Decimal('1.414')
    ///
    /// Unlike other operations, if the length of the coefficient after the quantize
    /// operation would be greater than precision, then an InvalidOperation is signaled.
    /// This guarantees that, unless there is an error condition, the quantized exponent
    /// is always equal to that of the right-hand operand.
    ///
    /// Also unlike other operations, quantize never signals Underflow, even if the
    /// result is subnormal and inexact.
    ///
    /// If the exponent of the second operand is larger than that of the first, then
    /// rounding may be necessary. In this case, the rounding mode is determined by the
    /// rounding argument if given, else by the given context argument; if neither
    /// argument is given, the rounding mode of the current thread's context is used.
    #[method("?($self, /, exp, rounding=None, context=None)")]
    fn quantize(
        &self,
        exp: &Object,
        rounding: Option<&Object>,
        context: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let context = given(context, vm)?;
        let exp = required(exp, vm)?;
        rounded(
            self.as_object(),
            rounding,
            &context,
            |a, settings, status| a.quantize(&exp, settings, status),
            vm,
        )
    }

    /// Return the remainder from dividing self by other.  This differs from
    /// self % other in that the sign of the remainder is chosen so as to minimize
    /// its absolute value. More precisely, the return value is self - n * other
    /// where n is the integer nearest to the exact value of self / other, and
    /// if two integers are equally near then the even one is chosen.
    ///
    /// If the result is zero then its sign will be the sign of self.
    #[method("?($self, /, other, context=None)")]
    fn remainder_near(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::remainder_near, vm)
    }

    /// Fused multiply-add.  Return self*other+third with no rounding of the
    /// intermediate product self*other.
    ///
    ///     >>> Decimal(2).fma(3, 5)
    ///     Decimal('11')
    #[method("?($self, /, other, third, context=None)")]
    fn fma(&self, other: &Object, third: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        fma(self.as_object(), other, third, &*given(context, vm)?, vm)
    }

    /// Return True if the argument is canonical and False otherwise.  Currently,
    /// a Decimal instance is always canonical, so this operation always returns
    /// True.
    #[method("($self, /)")]
    fn is_canonical(&self) -> bool {
        true
    }

    /// Return True if the argument is a finite number, and False if the argument
    /// is infinite or a NaN.
    #[method("($self, /)")]
    fn is_finite(&self) -> bool {
        self.value().is_finite()
    }

    /// Return True if the argument is either positive or negative infinity and
    /// False otherwise.
    #[method("($self, /)")]
    fn is_infinite(&self) -> bool {
        self.value().is_infinite()
    }

    /// Return True if the argument is a (quiet or signaling) NaN and False
    /// otherwise.
    #[method("($self, /)")]
    fn is_nan(&self) -> bool {
        self.value().is_nan()
    }

    /// Return True if the argument is a quiet NaN, and False otherwise.
    #[method("($self, /)")]
    fn is_qnan(&self) -> bool {
        self.value().is_qnan()
    }

    /// Return True if the argument is a signaling NaN and False otherwise.
    #[method("($self, /)")]
    fn is_snan(&self) -> bool {
        self.value().is_snan()
    }

    /// Return True if the argument has a negative sign and False otherwise.
    /// Note that both zeros and NaNs can carry signs.
    #[method("($self, /)")]
    fn is_signed(&self) -> bool {
        self.value().is_negative()
    }

    /// Return True if the argument is a (positive or negative) zero and False
    /// otherwise.
    #[method("($self, /)")]
    fn is_zero(&self) -> bool {
        self.value().is_zero()
    }

    /// Return True if the argument is a normal finite non-zero number with an
    /// adjusted exponent greater than or equal to Emin. Return False if the
    /// argument is zero, subnormal, infinite or a NaN.
    #[method("?($self, /, context=None)")]
    fn is_normal(&self, context: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        Ok(self.value().is_normal(&given(context, vm)?.settings()))
    }

    /// Return True if the argument is subnormal, and False otherwise. A number is
    /// subnormal if it is non-zero, finite, and has an adjusted exponent less
    /// than Emin.
    #[method("?($self, /, context=None)")]
    fn is_subnormal(&self, context: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        Ok(self.value().is_subnormal(&given(context, vm)?.settings()))
    }

    /// Return the adjusted exponent of the number.  Defined as exp + digits - 1.
    #[method("($self, /)")]
    fn adjusted(&self) -> i64 {
        if self.value().is_finite() { self.value().adjusted() } else { 0 }
    }

    /// Return the canonical encoding of the argument.  Currently, the encoding
    /// of a Decimal instance is always canonical, so this operation returns its
    /// argument unchanged.
    #[method("($self, /)")]
    fn canonical(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    /// Return self.
    #[method("($self, /)")]
    fn conjugate(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    /// Return Decimal(10), the radix (base) in which the Decimal class does
    /// all its arithmetic. Included for compatibility with the specification.
    #[method("($self, /)")]
    fn radix(&self, vm: &Vm) -> ObjRef {
        Decimal::make(Number::small(false, 10, 0), vm)
    }

    /// Return the absolute value of the argument.  This operation is unaffected by
    /// context and is quiet: no flags are changed and no rounding is performed.
    #[method("($self, /)")]
    fn copy_abs(&self, vm: &Vm) -> ObjRef {
        Decimal::make(self.value().copy_abs(), vm)
    }

    /// Return the negation of the argument.  This operation is unaffected by context
    /// and is quiet: no flags are changed and no rounding is performed.
    #[method("($self, /)")]
    fn copy_negate(&self, vm: &Vm) -> ObjRef {
        Decimal::make(self.value().copy_negate(), vm)
    }

    /// For a non-zero number, return the adjusted exponent of the operand as a
    /// Decimal instance.  If the operand is a zero, then Decimal('-Infinity') is
    /// returned and the DivisionByZero condition is raised. If the operand is
    /// an infinity then Decimal('Infinity') is returned.
    #[method("?($self, /, context=None)")]
    fn logb(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::logb, vm)
    }

    /// Invert all its digits.
    ///
    /// The self must be logical number.
    #[method("?($self, /, context=None)")]
    fn logical_invert(&self, context: Option<&Object>, vm: &Vm) -> PyResult {
        unary(self.as_object(), &*given(context, vm)?, Number::logical_invert, vm)
    }

    /// Return a string describing the class of the operand.  The returned value
    /// is one of the following ten strings:
    ///
    ///     * '-Infinity', indicating that the operand is negative infinity.
    ///     * '-Normal', indicating that the operand is a negative normal number.
    ///     * '-Subnormal', indicating that the operand is negative and subnormal.
    ///     * '-Zero', indicating that the operand is a negative zero.
    ///     * '+Zero', indicating that the operand is a positive zero.
    ///     * '+Subnormal', indicating that the operand is positive and subnormal.
    ///     * '+Normal', indicating that the operand is a positive normal number.
    ///     * '+Infinity', indicating that the operand is positive infinity.
    ///     * 'NaN', indicating that the operand is a quiet NaN (Not a Number).
    ///     * 'sNaN', indicating that the operand is a signaling NaN.
    #[method("?($self, /, context=None)")]
    fn number_class(&self, context: Option<&Object>, vm: &Vm) -> PyResult<&'static str> {
        Ok(self.value().number_class(&given(context, vm)?.settings()).0)
    }

    /// Convert to an engineering-type string.  Engineering notation has an exponent
    /// which is a multiple of 3, so there are up to 3 digits left of the decimal
    /// place. For example, Decimal('123E+1') is converted to Decimal('1.23E+3').
    ///
    /// The value of context.capitals determines whether the exponent sign is lower
    /// or upper case. Otherwise, the context does not affect the operation.
    #[method("?($self, /, context=None)")]
    fn to_eng_string(&self, context: Option<&Object>, vm: &Vm) -> PyResult<String> {
        Ok(self.value().to_text(true, given(context, vm)?.capitals()))
    }

    /// Compare two operands using their abstract representation rather than
    /// their numerical value.  Similar to the compare() method, but the result
    /// gives a total ordering on Decimal instances.  Two Decimal instances with
    /// the same numeric value but different representations compare unequal
    /// in this ordering:
    ///
    ///     >>> Decimal('12.0').compare_total(Decimal('12'))
    ///     Decimal('-1')
    ///
    /// Quiet and signaling NaNs are also included in the total ordering. The result
    /// of this function is Decimal('0') if both operands have the same representation,
    /// Decimal('-1') if the first operand is lower in the total order than the second,
    /// and Decimal('1') if the first operand is higher in the total order than the
    /// second operand. See the specification for details of the total order.
    ///
    /// This operation is unaffected by context and is quiet: no flags are changed
    /// and no rounding is performed. As an exception, the C version may raise
    /// InvalidOperation if the second operand cannot be converted exactly.
    #[method("?($self, /, other, context=None)")]
    fn compare_total(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        given(context, vm)?;
        plain_binary(self.as_object(), other, Number::compare_total, vm)
    }

    /// Compare two operands using their abstract representation rather than their
    /// value as in compare_total(), but ignoring the sign of each operand.
    ///
    /// x.compare_total_mag(y) is equivalent to x.copy_abs().compare_total(y.copy_abs()).
    ///
    /// This operation is unaffected by context and is quiet: no flags are changed
    /// and no rounding is performed. As an exception, the C version may raise
    /// InvalidOperation if the second operand cannot be converted exactly.
    #[method("?($self, /, other, context=None)")]
    fn compare_total_mag(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        given(context, vm)?;
        plain_binary(self.as_object(), other, Number::compare_total_mag, vm)
    }

    /// Return a copy of the first operand with the sign set to be the same as the
    /// sign of the second operand. For example:
    ///
    ///     >>> Decimal('2.3').copy_sign(Decimal('-1.5'))
    ///     Decimal('-2.3')
    ///
    /// This operation is unaffected by context and is quiet: no flags are changed
    /// and no rounding is performed. As an exception, the C version may raise
    /// InvalidOperation if the second operand cannot be converted exactly.
    #[method("?($self, /, other, context=None)")]
    fn copy_sign(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        given(context, vm)?;
        plain_binary(self.as_object(), other, Number::copy_sign, vm)
    }

    /// Test whether self and other have the same exponent or whether both are NaN.
    ///
    /// This operation is unaffected by context and is quiet: no flags are changed
    /// and no rounding is performed. As an exception, the C version may raise
    /// InvalidOperation if the second operand cannot be converted exactly.
    #[method("?($self, /, other, context=None)")]
    fn same_quantum(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        given(context, vm)?;
        Ok(self.value().same_quantum(&*required(other, vm)?))
    }

    /// Applies an 'and' operation between self and other's digits.
    ///
    /// Both self and other must be logical numbers.
    #[method("?($self, /, other, context=None)")]
    fn logical_and(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::logical_and, vm)
    }

    /// Applies an 'or' operation between self and other's digits.
    ///
    /// Both self and other must be logical numbers.
    #[method("?($self, /, other, context=None)")]
    fn logical_or(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::logical_or, vm)
    }

    /// Applies an 'xor' operation between self and other's digits.
    ///
    /// Both self and other must be logical numbers.
    #[method("?($self, /, other, context=None)")]
    fn logical_xor(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::logical_xor, vm)
    }

    /// Return the result of rotating the digits of the first operand by an amount
    /// specified by the second operand.  The second operand must be an integer in
    /// the range -precision through precision. The absolute value of the second
    /// operand gives the number of places to rotate. If the second operand is
    /// positive then rotation is to the left; otherwise rotation is to the right.
    /// The coefficient of the first operand is padded on the left with zeros to
    /// length precision if necessary. The sign and exponent of the first operand are
    /// unchanged.
    #[method("?($self, /, other, context=None)")]
    fn rotate(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::rotate, vm)
    }

    /// Return the first operand with the exponent adjusted the second.  Equivalently,
    /// return the first operand multiplied by 10**other. The second operand must be
    /// an integer.
    #[method("?($self, /, other, context=None)")]
    fn scaleb(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::scaleb, vm)
    }

    /// Return the result of shifting the digits of the first operand by an amount
    /// specified by the second operand.  The second operand must be an integer in
    /// the range -precision through precision. The absolute value of the second
    /// operand gives the number of places to shift. If the second operand is
    /// positive, then the shift is to the left; otherwise the shift is to the
    /// right. Digits shifted into the coefficient are zeros. The sign and exponent
    /// of the first operand are unchanged.
    #[method("?($self, /, other, context=None)")]
    fn shift(&self, other: &Object, context: Option<&Object>, vm: &Vm) -> PyResult {
        binary(self.as_object(), other, &*given(context, vm)?, Number::shift, vm)
    }
}
