//! The operators as functions.

use taipan_vm::protocols::container::is_sequence;
use taipan_vm::protocols::number;

use super::Operator;
use taipan_vm::prelude::*;

/// `a + b` for sequences only.
fn concatenate(a: &Object, b: &Object, inplace: bool, vm: &Vm) -> PyResult {
    let methods = a.ob_type().as_sequence();
    let concat = methods.and_then(|m| if inplace { m.sq_inplace_concat.get() } else { None });
    if let Some(concat) = concat.or_else(|| methods.and_then(|m| m.sq_concat.get())) {
        // SAFETY: a slot is called with live objects.
        return unsafe { vm.owned(concat(a.as_ptr(), b.as_ptr())) };
    }
    if is_sequence(a) && is_sequence(b) {
        let sum = if inplace { number::inplace_add(a, b, vm) } else { number::add(a, b, vm) };
        match sum {
            Err(Raised) if vm.exception_matches(types::type_error()) => vm.clear_exception(),
            result => return result,
        }
    }
    Err(vm.type_error(format!("'{}' object can't be concatenated", a.ob_type().tp_name_str())))
}

#[pyfunctions(table = OPERATORS)]
impl Operator {
    /// Return True if a is true, False otherwise.
    #[function("($module, a, /)")]
    fn truth(a: &Object, vm: &Vm) -> PyResult<bool> {
        a.is_true(vm)
    }

    /// Same as b in a (note reversed operands).
    #[function("($module, a, b, /)")]
    fn contains(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
        a.contains(b, vm)
    }

    /// Same as a is b.
    #[function("($module, a, b, /)", name = "is_")]
    fn is_(a: &Object, b: &Object) -> bool {
        a.is(b)
    }

    /// Same as a is not b.
    #[function("($module, a, b, /)")]
    fn is_not(a: &Object, b: &Object) -> bool {
        !a.is(b)
    }

    /// Same as a is None.
    #[function("($module, a, /)")]
    fn is_none(a: &Object, vm: &Vm) -> bool {
        vm.is_none(a)
    }

    /// Same as a is not None.
    #[function("($module, a, /)")]
    fn is_not_none(a: &Object, vm: &Vm) -> bool {
        !vm.is_none(a)
    }

    /// Same as not a.
    #[function("($module, a, /)", name = "not_")]
    fn not_(a: &Object, vm: &Vm) -> PyResult<bool> {
        a.is_true(vm).map(|truth| !truth)
    }

    /// Same as a.__index__()
    #[function("($module, a, /)")]
    fn index(a: &Object, vm: &Vm) -> PyResult<Ref<Int>> {
        a.as_index(vm)
    }

    /// Same as -a.
    #[function("($module, a, /)")]
    fn neg(a: &Object, vm: &Vm) -> PyResult {
        number::negative(a, vm)
    }

    /// Same as +a.
    #[function("($module, a, /)")]
    fn pos(a: &Object, vm: &Vm) -> PyResult {
        number::positive(a, vm)
    }

    /// Same as abs(a).
    #[function("($module, a, /)")]
    fn abs(a: &Object, vm: &Vm) -> PyResult {
        number::absolute(a, vm)
    }

    /// Same as ~a.
    #[function("($module, a, /)")]
    fn inv(a: &Object, vm: &Vm) -> PyResult {
        number::invert(a, vm)
    }

    /// Same as ~a.
    #[function("($module, a, /)")]
    fn invert(a: &Object, vm: &Vm) -> PyResult {
        number::invert(a, vm)
    }

    /// Same as a + b.
    #[function("($module, a, b, /)")]
    fn add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::add(a, b, vm)
    }

    /// Same as a - b.
    #[function("($module, a, b, /)")]
    fn sub(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::subtract(a, b, vm)
    }

    /// Same as a * b.
    #[function("($module, a, b, /)")]
    fn mul(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::multiply(a, b, vm)
    }

    /// Same as a @ b.
    #[function("($module, a, b, /)")]
    fn matmul(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::matrix_multiply(a, b, vm)
    }

    /// Same as a // b.
    #[function("($module, a, b, /)")]
    fn floordiv(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::floor_divide(a, b, vm)
    }

    /// Same as a / b.
    #[function("($module, a, b, /)")]
    fn truediv(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::true_divide(a, b, vm)
    }

    /// Same as a % b.
    #[function("($module, a, b, /)")]
    fn r#mod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::remainder(a, b, vm)
    }

    /// Same as a << b.
    #[function("($module, a, b, /)")]
    fn lshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::lshift(a, b, vm)
    }

    /// Same as a >> b.
    #[function("($module, a, b, /)")]
    fn rshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::rshift(a, b, vm)
    }

    /// Same as a & b.
    #[function("($module, a, b, /)", name = "and_")]
    fn and_(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::and(a, b, vm)
    }

    /// Same as a ^ b.
    #[function("($module, a, b, /)")]
    fn xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::xor(a, b, vm)
    }

    /// Same as a | b.
    #[function("($module, a, b, /)", name = "or_")]
    fn or_(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::or(a, b, vm)
    }

    /// Same as a ** b.
    #[function("($module, a, b, /)")]
    fn pow(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::power(a, b, vm.none_ref(), vm)
    }

    /// Same as a += b.
    #[function("($module, a, b, /)")]
    fn iadd(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_add(a, b, vm)
    }

    /// Same as a -= b.
    #[function("($module, a, b, /)")]
    fn isub(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_subtract(a, b, vm)
    }

    /// Same as a *= b.
    #[function("($module, a, b, /)")]
    fn imul(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_multiply(a, b, vm)
    }

    /// Same as a @= b.
    #[function("($module, a, b, /)")]
    fn imatmul(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_matrix_multiply(a, b, vm)
    }

    /// Same as a //= b.
    #[function("($module, a, b, /)")]
    fn ifloordiv(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_floor_divide(a, b, vm)
    }

    /// Same as a /= b.
    #[function("($module, a, b, /)")]
    fn itruediv(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_true_divide(a, b, vm)
    }

    /// Same as a %= b.
    #[function("($module, a, b, /)")]
    fn imod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_remainder(a, b, vm)
    }

    /// Same as a <<= b.
    #[function("($module, a, b, /)")]
    fn ilshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_lshift(a, b, vm)
    }

    /// Same as a >>= b.
    #[function("($module, a, b, /)")]
    fn irshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_rshift(a, b, vm)
    }

    /// Same as a &= b.
    #[function("($module, a, b, /)")]
    fn iand(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_and(a, b, vm)
    }

    /// Same as a ^= b.
    #[function("($module, a, b, /)")]
    fn ixor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_xor(a, b, vm)
    }

    /// Same as a |= b.
    #[function("($module, a, b, /)")]
    fn ior(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_or(a, b, vm)
    }

    /// Same as a **= b.
    #[function("($module, a, b, /)")]
    fn ipow(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        number::inplace_power(a, b, vm)
    }

    /// Same as a + b, for a and b sequences.
    #[function("($module, a, b, /)")]
    fn concat(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        concatenate(a, b, false, vm)
    }

    /// Same as a += b, for a and b sequences.
    #[function("($module, a, b, /)")]
    fn iconcat(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        concatenate(a, b, true, vm)
    }

    /// Same as a[b].
    #[function("($module, a, b, /)")]
    fn getitem(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.get_item(b, vm)
    }

    /// Same as a[b] = c.
    #[function("($module, a, b, c, /)")]
    fn setitem(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult<()> {
        a.set_item(b, c, vm)
    }

    /// Same as del a[b].
    #[function("($module, a, b, /)")]
    fn delitem(a: &Object, b: &Object, vm: &Vm) -> PyResult<()> {
        a.del_item(b, vm)
    }

    /// Same as a == b.
    #[function("($module, a, b, /)")]
    fn eq(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Eq, vm)
    }

    /// Same as a != b.
    #[function("($module, a, b, /)")]
    fn ne(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Ne, vm)
    }

    /// Same as a < b.
    #[function("($module, a, b, /)")]
    fn lt(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Lt, vm)
    }

    /// Same as a <= b.
    #[function("($module, a, b, /)")]
    fn le(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Le, vm)
    }

    /// Same as a > b.
    #[function("($module, a, b, /)")]
    fn gt(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Gt, vm)
    }

    /// Same as a >= b.
    #[function("($module, a, b, /)")]
    fn ge(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        a.rich_compare(b, CompareOp::Ge, vm)
    }
}
