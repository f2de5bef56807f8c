//! `bool`.

use crate::prelude::*;

/// The layout of `True` and `False`: an int's.
#[repr(C)]
pub struct Bool {
    int: Int,
}

#[unsafe(export_name = "_Py_TrueStruct")]
static TRUE: Int = Int::immortal(Bool::TYPE_PTR, 1, 0);
#[unsafe(export_name = "_Py_FalseStruct")]
static FALSE: Int = Int::immortal(Bool::TYPE_PTR, 0, 0);

/// `True`.
#[inline(always)]
pub fn true_ref() -> &'static Object {
    TRUE.as_object()
}

/// `False`.
#[inline(always)]
pub fn false_ref() -> &'static Object {
    FALSE.as_object()
}

/// Both as truth values, if both are bools: `&`, `|` and `^` of bools are bools.
fn both(a: &Object, b: &Object) -> Option<(bool, bool)> {
    let truth = |o: &Object| o.downcast_exact::<Bool>().map(|_| o.is(true_ref()));
    Some((truth(a)?, truth(b)?))
}

#[pytype(
    name = "bool",
    symbol = "PyBool_Type",
    base = Int,
    basicsize = 24,
    doc = "Returns True when the argument is true, False otherwise.\n\nThe builtins True and False are the only two instances of the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed."
)]
impl Bool {
    #[new("(object=False, /)")]
    fn new(_cls: &Type, object: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        object.map_or(Ok(false), |o| o.is_true(vm))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        let name = if self.as_object().is(true_ref()) { vm.ids().True_ } else { vm.ids().False_ };
        name.as_object().to_ref()
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match both(a, b) {
            Some((a, b)) => Ok(vm.new_bool(a & b)),
            None => int_slot(a, b, |n| n.nb_and.get(), vm),
        }
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match both(a, b) {
            Some((a, b)) => Ok(vm.new_bool(a | b)),
            None => int_slot(a, b, |n| n.nb_or.get(), vm),
        }
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match both(a, b) {
            Some((a, b)) => Ok(vm.new_bool(a ^ b)),
            None => int_slot(a, b, |n| n.nb_xor.get(), vm),
        }
    }

    #[slot]
    fn nb_invert(&self, vm: &Vm) -> PyResult {
        crate::builtins::warn::deprecation(
            "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise inversion of the underlying int object and is usually not what you expect from the negation of a bool. Use the 'not' operator for boolean negation or ~int(x) for the bitwise inversion of the underlying int.",
            vm,
        )?;
        Ok(vm.new_int(!(self.int.compact_value() as i64)))
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // Immortal; a count that an extension got wrong is set right.
        // SAFETY: static storage.
        unsafe { (*op).make_immortal() }
    }
}

fn int_slot(
    a: &Object,
    b: &Object,
    get: fn(&taipan_object::typeobject::NumberMethods) -> Option<taipan_object::typeobject::BinaryFunc>,
    vm: &Vm,
) -> PyResult {
    match Int::type_object().as_number().and_then(get) {
        // SAFETY: a slot is called with live objects.
        Some(slot) => unsafe { vm.owned(slot(a.as_ptr(), b.as_ptr())) },
        None => Ok(vm.not_implemented()),
    }
}
