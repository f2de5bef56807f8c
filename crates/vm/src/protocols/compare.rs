//! Rich comparison (PEP 207).

use crate::prelude::*;

/// The comparison operators, numbered as in C (`Py_LT` …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum CompareOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl CompareOp {
    /// From C's number; anything else counts as `==`.
    #[inline(always)]
    pub fn from_c(op: i32) -> CompareOp {
        match op {
            0 => CompareOp::Lt,
            1 => CompareOp::Le,
            3 => CompareOp::Ne,
            4 => CompareOp::Gt,
            5 => CompareOp::Ge,
            _ => CompareOp::Eq,
        }
    }

    /// The operator that asks the same with the operands exchanged.
    #[inline(always)]
    pub fn swapped(self) -> CompareOp {
        match self {
            CompareOp::Lt => CompareOp::Gt,
            CompareOp::Le => CompareOp::Ge,
            CompareOp::Gt => CompareOp::Lt,
            CompareOp::Ge => CompareOp::Le,
            same => same,
        }
    }

    /// The operator's text.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }

    /// What the operator says of an ordering.
    #[inline(always)]
    pub fn test(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            CompareOp::Lt => ordering.is_lt(),
            CompareOp::Le => ordering.is_le(),
            CompareOp::Eq => ordering.is_eq(),
            CompareOp::Ne => ordering.is_ne(),
            CompareOp::Gt => ordering.is_gt(),
            CompareOp::Ge => ordering.is_ge(),
        }
    }
}

/// Calls the type's `tp_richcompare`. `None` when it has none or answered `NotImplemented`.
#[inline]
fn try_compare(a: &Object, b: &Object, op: CompareOp, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(compare) = a.ob_type().tp_richcompare.get() else { return Ok(None) };
    // SAFETY: a slot is called with live objects.
    let result = unsafe { vm.owned(compare(a.as_ptr(), b.as_ptr(), op as i32)) }?;
    Ok(if vm.is_not_implemented(&result) { None } else { Some(result) })
}

/// `a OP b`.
pub fn rich_compare(a: &Object, b: &Object, op: CompareOp, vm: &Vm) -> PyResult {
    vm.check_recursion(" in comparison")?;
    let mut reflected_tried = false;
    if a.type_ptr() != b.type_ptr() && b.ob_type().is_subtype_of(a.ob_type()) {
        reflected_tried = true;
        if let Some(result) = try_compare(b, a, op.swapped(), vm)? {
            return Ok(result);
        }
    }
    if let Some(result) = try_compare(a, b, op, vm)? {
        return Ok(result);
    }
    if !reflected_tried {
        if let Some(result) = try_compare(b, a, op.swapped(), vm)? {
            return Ok(result);
        }
    }
    match op {
        CompareOp::Eq => Ok(vm.new_bool(a.is(b))),
        CompareOp::Ne => Ok(vm.new_bool(!a.is(b))),
        _ => Err(vm.type_error(format!(
            "'{}' not supported between instances of '{}' and '{}'",
            op.symbol(),
            a.ob_type().tp_name_str(),
            b.ob_type().tp_name_str()
        ))),
    }
}

/// The truth of `a OP b`, where an object counts as equal to itself without asking.
#[inline]
pub fn rich_compare_bool(a: &Object, b: &Object, op: CompareOp, vm: &Vm) -> PyResult<bool> {
    if a.is(b) {
        match op {
            CompareOp::Eq => return Ok(true),
            CompareOp::Ne => return Ok(false),
            _ => {}
        }
    }
    rich_compare(a, b, op, vm)?.is_true(vm)
}
