//! Arithmetic: the binary and in-place operators with their reflected forms, and conversions to numbers.

use taipan_object::typeobject::{BinaryFunc, NumberMethods, TernaryFunc, UnaryFunc};

use crate::prelude::*;

type Get = fn(&NumberMethods) -> Option<BinaryFunc>;

/// Calls a binary slot.
#[inline(always)]
fn call(slot: BinaryFunc, a: &Object, b: &Object, vm: &Vm) -> PyResult {
    // SAFETY: a slot is called with live objects.
    unsafe { vm.owned(slot(a.as_ptr(), b.as_ptr())) }
}

/// Tries the left operand's slot and the right one's, the right one first when its type derives from the left one's.
/// The result may be `NotImplemented`.
#[inline]
fn binary_slots(a: &Object, b: &Object, get: Get, vm: &Vm) -> PyResult {
    let left = a.ob_type().as_number().and_then(get);
    let mut right = if a.type_ptr() == b.type_ptr() { None } else { b.ob_type().as_number().and_then(get) };
    if let (Some(l), Some(r)) = (left, right) {
        if std::ptr::fn_addr_eq(l, r) {
            right = None;
        }
    }
    if let Some(slot) = left {
        if let Some(reflected) = right {
            if b.ob_type().is_subtype_of(a.ob_type()) {
                let result = call(reflected, a, b, vm)?;
                if !vm.is_not_implemented(&result) {
                    return Ok(result);
                }
                right = None;
            }
        }
        let result = call(slot, a, b, vm)?;
        if !vm.is_not_implemented(&result) {
            return Ok(result);
        }
    }
    match right {
        Some(slot) => call(slot, a, b, vm),
        None => Ok(vm.not_implemented()),
    }
}

#[cold]
fn unsupported(a: &Object, b: &Object, symbol: &str, vm: &Vm) -> Raised {
    if symbol == ">>"
        && a.downcast_ref::<crate::builtins::builtin_function::BuiltinFunction>()
            .is_some_and(|f| f.name() == "print")
    {
        return vm.type_error(format!(
            "unsupported operand type(s) for {symbol}: '{}' and '{}'. Did you mean \"print(<message>, file=<output_stream>)\"?",
            a.ob_type().tp_name_str(),
            b.ob_type().tp_name_str()
        ));
    }
    vm.type_error(format!(
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        a.ob_type().tp_name_str(),
        b.ob_type().tp_name_str()
    ))
}

#[inline]
fn binary(a: &Object, b: &Object, get: Get, symbol: &str, vm: &Vm) -> PyResult {
    let result = binary_slots(a, b, get, vm)?;
    if vm.is_not_implemented(&result) { Err(unsupported(a, b, symbol, vm)) } else { Ok(result) }
}

#[inline]
fn inplace_slots(a: &Object, b: &Object, inplace: Get, get: Get, vm: &Vm) -> PyResult {
    if let Some(slot) = a.ob_type().as_number().and_then(inplace) {
        let result = call(slot, a, b, vm)?;
        if !vm.is_not_implemented(&result) {
            return Ok(result);
        }
    }
    binary_slots(a, b, get, vm)
}

macro_rules! operators {
    ($($name:ident, $inplace_name:ident, $slot:ident, $inplace_slot:ident, $symbol:literal;)*) => {$(
        #[doc = concat!("`a ", $symbol, " b`.")]
        pub fn $name(a: &Object, b: &Object, vm: &Vm) -> PyResult {
            binary(a, b, |n| n.$slot.get(), $symbol, vm)
        }

        #[doc = concat!("`a ", $symbol, "= b`.")]
        pub fn $inplace_name(a: &Object, b: &Object, vm: &Vm) -> PyResult {
            let result = inplace_slots(a, b, |n| n.$inplace_slot.get(), |n| n.$slot.get(), vm)?;
            if vm.is_not_implemented(&result) {
                Err(unsupported(a, b, concat!($symbol, "="), vm))
            } else {
                Ok(result)
            }
        }
    )*};
}

operators! {
    subtract, inplace_subtract, nb_subtract, nb_inplace_subtract, "-";
    remainder, inplace_remainder, nb_remainder, nb_inplace_remainder, "%";
    lshift, inplace_lshift, nb_lshift, nb_inplace_lshift, "<<";
    rshift, inplace_rshift, nb_rshift, nb_inplace_rshift, ">>";
    and, inplace_and, nb_and, nb_inplace_and, "&";
    xor, inplace_xor, nb_xor, nb_inplace_xor, "^";
    or, inplace_or, nb_or, nb_inplace_or, "|";
    floor_divide, inplace_floor_divide, nb_floor_divide, nb_inplace_floor_divide, "//";
    true_divide, inplace_true_divide, nb_true_divide, nb_inplace_true_divide, "/";
    matrix_multiply, inplace_matrix_multiply, nb_matrix_multiply, nb_inplace_matrix_multiply, "@";
}

/// `a + b`, with the sequences' concatenation behind the number slots.
pub fn add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = binary_slots(a, b, |n| n.nb_add.get(), vm)?;
    if !vm.is_not_implemented(&result) {
        return Ok(result);
    }
    match a.ob_type().as_sequence().and_then(|s| s.sq_concat.get()) {
        Some(concat) => call(concat, a, b, vm),
        None => Err(unsupported(a, b, "+", vm)),
    }
}

/// `a += b`.
pub fn inplace_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = inplace_slots(a, b, |n| n.nb_inplace_add.get(), |n| n.nb_add.get(), vm)?;
    if !vm.is_not_implemented(&result) {
        return Ok(result);
    }
    let concat =
        a.ob_type().as_sequence().and_then(|s| s.sq_inplace_concat.get().or_else(|| s.sq_concat.get()));
    match concat {
        Some(concat) => call(concat, a, b, vm),
        None => Err(unsupported(a, b, "+=", vm)),
    }
}

fn repeat(
    slot: unsafe extern "C" fn(*mut Object, isize) -> *mut Object,
    sequence: &Object,
    count: &Object,
    vm: &Vm,
) -> PyResult {
    if !count.has_index() {
        return Err(vm.type_error(format!(
            "can't multiply sequence by non-int of type '{}'",
            count.ob_type().tp_name_str()
        )));
    }
    let Some(n) = as_index(count, vm)?.to_i64() else {
        return Err(vm.overflow_error(format!(
            "cannot fit '{}' into an index-sized integer",
            count.ob_type().tp_name_str()
        )));
    };
    // SAFETY: a slot is called with a live object.
    unsafe { vm.owned(slot(sequence.as_ptr(), n as isize)) }
}

/// `a * b`, with the sequences' repetition behind the number slots.
pub fn multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = binary_slots(a, b, |n| n.nb_multiply.get(), vm)?;
    if !vm.is_not_implemented(&result) {
        return Ok(result);
    }
    if let Some(slot) = a.ob_type().as_sequence().and_then(|s| s.sq_repeat.get()) {
        return repeat(slot, a, b, vm);
    }
    if let Some(slot) = b.ob_type().as_sequence().and_then(|s| s.sq_repeat.get()) {
        return repeat(slot, b, a, vm);
    }
    Err(unsupported(a, b, "*", vm))
}

/// `a *= b`.
pub fn inplace_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    let result = inplace_slots(a, b, |n| n.nb_inplace_multiply.get(), |n| n.nb_multiply.get(), vm)?;
    if !vm.is_not_implemented(&result) {
        return Ok(result);
    }
    if let Some(suite) = a.ob_type().as_sequence() {
        if let Some(slot) = suite.sq_inplace_repeat.get().or_else(|| suite.sq_repeat.get()) {
            return repeat(slot, a, b, vm);
        }
    }
    if let Some(slot) = b.ob_type().as_sequence().and_then(|s| s.sq_repeat.get()) {
        return repeat(slot, b, a, vm);
    }
    Err(unsupported(a, b, "*=", vm))
}

/// `divmod(a, b)`.
pub fn divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    binary(a, b, |n| n.nb_divmod.get(), "divmod()", vm)
}

fn call3(slot: TernaryFunc, a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
    // SAFETY: a slot is called with live objects.
    unsafe { vm.owned(slot(a.as_ptr(), b.as_ptr(), c.as_ptr())) }
}

fn power_slots(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
    let get = |o: &Object| o.ob_type().as_number().and_then(|n| n.nb_power.get());
    let left = get(a);
    let mut tried: [Option<TernaryFunc>; 3] = [None; 3];
    let mut right = if a.type_ptr() == b.type_ptr() { None } else { get(b) };
    if let (Some(l), Some(r)) = (left, right) {
        if std::ptr::fn_addr_eq(l, r) {
            right = None;
        }
    }
    let mut order = [left, right, None];
    if right.is_some() && left.is_some() && b.ob_type().is_subtype_of(a.ob_type()) {
        order = [right, left, None];
    }
    let third = if vm.is_none(c) { None } else { get(c) };
    order[2] = third;
    for (at, slot) in order.into_iter().enumerate() {
        let Some(slot) = slot else { continue };
        if at == 2 && tried.iter().flatten().any(|done| std::ptr::fn_addr_eq(*done, slot)) {
            continue;
        }
        if let Some(place) = tried.get_mut(at) {
            *place = Some(slot);
        }
        let result = call3(slot, a, b, c, vm)?;
        if !vm.is_not_implemented(&result) {
            return Ok(result);
        }
    }
    Ok(vm.not_implemented())
}

/// `pow(a, b, c)`; `c` is `None` for `a ** b`.
pub fn power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
    let result = power_slots(a, b, c, vm)?;
    if !vm.is_not_implemented(&result) {
        return Ok(result);
    }
    if vm.is_none(c) {
        return Err(unsupported(a, b, "** or pow()", vm));
    }
    Err(vm.type_error(format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        a.ob_type().tp_name_str(),
        b.ob_type().tp_name_str(),
        c.ob_type().tp_name_str()
    )))
}

/// `a **= b`.
pub fn inplace_power(a: &Object, b: &Object, vm: &Vm) -> PyResult {
    if let Some(slot) = a.ob_type().as_number().and_then(|n| n.nb_inplace_power.get()) {
        let result = call3(slot, a, b, vm.none_ref(), vm)?;
        if !vm.is_not_implemented(&result) {
            return Ok(result);
        }
    }
    let result = power_slots(a, b, vm.none_ref(), vm)?;
    if vm.is_not_implemented(&result) { Err(unsupported(a, b, "**=", vm)) } else { Ok(result) }
}

fn unary(object: &Object, slot: Option<UnaryFunc>, what: &str, vm: &Vm) -> PyResult {
    match slot {
        // SAFETY: a slot is called with a live object.
        Some(slot) => unsafe { vm.owned(slot(object.as_ptr())) },
        None => {
            Err(vm.type_error(format!("bad operand type for {what}: '{}'", object.ob_type().tp_name_str())))
        }
    }
}

/// `-object`.
pub fn negative(object: &Object, vm: &Vm) -> PyResult {
    unary(object, object.ob_type().as_number().and_then(|n| n.nb_negative.get()), "unary -", vm)
}

/// `+object`.
pub fn positive(object: &Object, vm: &Vm) -> PyResult {
    unary(object, object.ob_type().as_number().and_then(|n| n.nb_positive.get()), "unary +", vm)
}

/// `~object`.
pub fn invert(object: &Object, vm: &Vm) -> PyResult {
    unary(object, object.ob_type().as_number().and_then(|n| n.nb_invert.get()), "unary ~", vm)
}

/// `abs(object)`.
pub fn absolute(object: &Object, vm: &Vm) -> PyResult {
    unary(object, object.ob_type().as_number().and_then(|n| n.nb_absolute.get()), "abs()", vm)
}

/// `operator.index(object)` (PEP 357): the int itself or what `__index__` gives.
#[inline]
pub fn as_index(object: &Object, vm: &Vm) -> PyResult<Ref<Int>> {
    match object.downcast_ref::<Int>() {
        Some(int) => Ok(int.into()),
        None => index_slot(object, vm),
    }
}

#[cold]
fn index_slot(object: &Object, vm: &Vm) -> PyResult<Ref<Int>> {
    let tp = object.ob_type();
    let Some(slot) = tp.as_number().and_then(|n| n.nb_index.get()) else {
        return Err(vm.type_error(format!("'{}' object cannot be interpreted as an integer", tp.name())));
    };
    // SAFETY: a slot is called with a live object.
    let result = unsafe { vm.owned(slot(object.as_ptr())) }?;
    if result.downcast_exact::<Int>().is_none() {
        let given = result.ob_type().tp_name_str();
        if result.downcast_ref::<Int>().is_none() {
            return Err(vm.type_error(format!("__index__ returned non-int (type {given})")));
        }
        crate::builtins::warn::deprecation(
            &format!(
                "__index__ returned non-int (type {given}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be supported in a future version of Python."
            ),
            vm,
        )?;
    }
    // SAFETY: checked to be an int.
    Ok(unsafe { result.cast_into() })
}

/// An index as `isize`; raises `OverflowError` when it doesn't fit.
pub fn as_isize(object: &Object, vm: &Vm) -> PyResult<isize> {
    let index = as_index(object, vm)?;
    index.to_i64().map(|i| i as isize).ok_or_else(|| {
        vm.overflow_error(format!(
            "cannot fit '{}' into an index-sized integer",
            object.ob_type().tp_name_str()
        ))
    })
}

/// An index as `isize`, clamped to the type's range: slices.
pub fn as_isize_clamped(object: &Object, vm: &Vm) -> PyResult<isize> {
    let index = as_index(object, vm)?;
    Ok(match index.to_i64() {
        Some(i) => i as isize,
        None if index.is_negative() => isize::MIN,
        None => isize::MAX,
    })
}

/// A real number as `f64`: a float, `__float__`, `__index__`.
#[inline]
pub fn as_f64(object: &Object, vm: &Vm) -> PyResult<f64> {
    match object.downcast_ref::<Float>() {
        Some(float) => Ok(float.value()),
        None => float_slot(object, vm),
    }
}

/// What `float(object)` makes of a number, by `__float__` even where a subclass of float overrides it; none for objects that
/// are no numbers.
pub fn converted_to_float(object: &Object, vm: &Vm) -> PyResult<Option<f64>> {
    if let Some(float) = object.downcast_exact::<Float>() {
        return Ok(Some(float.value()));
    }
    let has_float = object.ob_type().as_number().is_some_and(|n| n.nb_float.get().is_some());
    if has_float || object.has_index() { float_slot(object, vm).map(Some) } else { Ok(None) }
}

#[cold]
fn float_slot(object: &Object, vm: &Vm) -> PyResult<f64> {
    let tp = object.ob_type();
    let Some(slot) = tp.as_number().and_then(|n| n.nb_float.get()) else {
        if object.has_index() {
            return as_index(object, vm)?.to_f64(vm);
        }
        return Err(vm.type_error(format!("must be real number, not {}", tp.name())));
    };
    // SAFETY: a slot is called with a live object.
    let result = unsafe { vm.owned(slot(object.as_ptr())) }?;
    if result.downcast_exact::<Float>().is_none() {
        let given = result.ob_type().tp_name_str();
        if result.downcast_ref::<Float>().is_none() {
            return Err(vm.type_error(format!("{}.__float__() must return a float, not {given}", tp.name())));
        }
        crate::builtins::warn::deprecation(
            &format!(
                "{}.__float__() must return a float, not {given}.  The ability to return an instance of a strict subclass of float is deprecated, and may not be supported in a future version of Python.",
                tp.name()
            ),
            vm,
        )?;
    }
    Ok(result.downcast_ref::<Float>().map_or(0.0, Float::value))
}
