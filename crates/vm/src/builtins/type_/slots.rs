//! What sits in the slots of classes that define special methods in Python: each function looks the method up on the
//! type and calls it.

use std::ffi::c_int;

use taipan_object::defs::PyBuffer;

use super::lookup::lookup;
use crate::prelude::*;
use crate::protocols::call::vectorcall;
use crate::protocols::native::{bool_to_c, hash_to_c, option_to_c, status_to_c, to_c};

/// The special method and whether it still wants the object as first argument. `None` when the type has no such method.
#[inline]
fn special(object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<(ObjRef, bool)>> {
    let tp = object.ob_type();
    let Some(method) = lookup(tp, name, vm).map(Object::to_ref) else { return Ok(None) };
    if method.ob_type().has_flag(TypeFlags::METHOD_DESCRIPTOR) {
        return Ok(Some((method, true)));
    }
    crate::protocols::attributes::bind(&method, Some(object), tp, vm).map(|bound| Some((bound, false)))
}

/// Calls the special method if there is one.
#[inline]
pub(crate) fn call_special(
    object: &Object,
    name: &Str,
    args: &[&Object],
    vm: &Vm,
) -> PyResult<Option<ObjRef>> {
    let Some((method, unbound)) = special(object, name, vm)? else { return Ok(None) };
    if !unbound {
        return vectorcall(&method, args, args.len(), None, vm).map(Some);
    }
    let mut all = smallvec::SmallVec::<[&Object; 4]>::new();
    all.push(object);
    all.extend_from_slice(args);
    vectorcall(&method, &all, all.len(), None, vm).map(Some)
}

/// Calls the special method; a type that lost it since raises `AttributeError`.
#[inline]
fn must_call(object: &Object, name: &Str, args: &[&Object], vm: &Vm) -> PyResult {
    match call_special(object, name, args, vm)? {
        Some(result) => Ok(result),
        None => Err(vm.attribute_error_for(name.to_string_lossy(), object, name.as_object())),
    }
}

macro_rules! unary_slots {
    ($($slot:ident, $name:ident;)*) => {$(
        #[doc = concat!("Calls `", stringify!($name), "`.")]
        ///
        /// # Safety
        /// A slot function: called with a live object on an attached thread.
        pub unsafe extern "C" fn $slot(object: *mut Object) -> *mut Object {
            // SAFETY: the caller of a slot passes live objects.
            let (vm, object) = unsafe { (Vm::current(), &*object) };
            to_c(must_call(object, vm.ids().$name, &[], vm))
        }
    )*};
}
unary_slots! {
    slot_neg, __neg__; slot_pos, __pos__; slot_abs, __abs__; slot_invert, __invert__; slot_int, __int__;
    slot_float, __float__; slot_index, __index__;
}

macro_rules! async_slots {
    ($($slot:ident, $name:ident, $text:literal;)*) => {$(
        #[doc = concat!("Calls `", stringify!($name), "`.")]
        ///
        /// # Safety
        /// A slot function: called with a live object on an attached thread.
        pub unsafe extern "C" fn $slot(object: *mut Object) -> *mut Object {
            // SAFETY: the caller of a slot passes live objects.
            let (vm, object) = unsafe { (Vm::current(), &*object) };
            to_c(match call_special(object, vm.ids().$name, &[], vm) {
                Ok(Some(result)) => Ok(result),
                Ok(None) => Err(vm.attribute_error(format!($text, object.ob_type().name()))),
                Err(raised) => Err(raised),
            })
        }
    )*};
}
async_slots! {
    slot_await, __await__, "object {} does not have __await__ method";
    slot_aiter, __aiter__, "object {} does not have __aiter__ method";
    slot_anext, __anext__, "object {} does not have __anext__ method";
}

macro_rules! binary_slots {
    ($($slot:ident, $field:ident, $name:ident, $reflected:ident;)*) => {$(
        #[doc = concat!("Calls `", stringify!($name), "` of the left or `", stringify!($reflected), "` of the right operand.")]
        ///
        /// # Safety
        /// A slot function: called with live objects on an attached thread.
        pub unsafe extern "C" fn $slot(a: *mut Object, b: *mut Object) -> *mut Object {
            // SAFETY: the caller of a slot passes live objects.
            let (vm, a, b) = unsafe { (Vm::current(), &*a, &*b) };
            let ours = |o: &Object| {
                o.ob_type().as_number().and_then(|n| n.$field.get()).is_some_and(|f| {
                    std::ptr::fn_addr_eq(f, $slot as taipan_object::typeobject::BinaryFunc)
                })
            };
            to_c(binary(a, b, ours(a), ours(b), vm.ids().$name, vm.ids().$reflected, vm))
        }
    )*};
}

/// The dance of `__op__` and `__rop__`: a right operand whose type derives from the left one's and overrides the reflected
/// method goes first.
fn binary(
    a: &Object,
    b: &Object,
    ours_a: bool,
    ours_b: bool,
    name: &Str,
    reflected: &Str,
    vm: &Vm,
) -> PyResult {
    let mut do_other = a.type_ptr() != b.type_ptr() && ours_b;
    if ours_a {
        if do_other && b.ob_type().is_subtype_of(a.ob_type()) && overrides(a, b, reflected, vm)? {
            let result = call_or_not_implemented(b, reflected, &[a], vm)?;
            if !vm.is_not_implemented(&result) {
                return Ok(result);
            }
            do_other = false;
        }
        let result = call_or_not_implemented(a, name, &[b], vm)?;
        if !vm.is_not_implemented(&result) || a.type_ptr() == b.type_ptr() {
            return Ok(result);
        }
    }
    if do_other { call_or_not_implemented(b, reflected, &[a], vm) } else { Ok(vm.not_implemented()) }
}

fn call_or_not_implemented(object: &Object, name: &Str, args: &[&Object], vm: &Vm) -> PyResult {
    Ok(call_special(object, name, args, vm)?.unwrap_or_else(|| vm.not_implemented()))
}

/// Whether the right operand's type has a reflected method of its own, other than the left one's.
fn overrides(a: &Object, b: &Object, name: &Str, vm: &Vm) -> PyResult<bool> {
    let Some(right) = lookup(b.ob_type(), name, vm).map(Object::to_ref) else { return Ok(false) };
    let Some(left) = lookup(a.ob_type(), name, vm).map(Object::to_ref) else { return Ok(true) };
    Ok(!left.eq(&right, vm)?)
}

binary_slots! {
    slot_add, nb_add, __add__, __radd__;
    slot_sub, nb_subtract, __sub__, __rsub__;
    slot_mul, nb_multiply, __mul__, __rmul__;
    slot_mod, nb_remainder, __mod__, __rmod__;
    slot_divmod, nb_divmod, __divmod__, __rdivmod__;
    slot_lshift, nb_lshift, __lshift__, __rlshift__;
    slot_rshift, nb_rshift, __rshift__, __rrshift__;
    slot_and, nb_and, __and__, __rand__;
    slot_xor, nb_xor, __xor__, __rxor__;
    slot_or, nb_or, __or__, __ror__;
    slot_floordiv, nb_floor_divide, __floordiv__, __rfloordiv__;
    slot_truediv, nb_true_divide, __truediv__, __rtruediv__;
    slot_matmul, nb_matrix_multiply, __matmul__, __rmatmul__;
}

/// Calls `__pow__` or `__rpow__`, with the modulus when there is one.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
pub unsafe extern "C" fn slot_pow(a: *mut Object, b: *mut Object, c: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, a, b, c) = unsafe { (Vm::current(), &*a, &*b, &*c) };
    let ours = |o: &Object| {
        o.ob_type()
            .as_number()
            .and_then(|n| n.nb_power.get())
            .is_some_and(|f| std::ptr::fn_addr_eq(f, slot_pow as taipan_object::typeobject::TernaryFunc))
    };
    if vm.is_none(c) {
        return to_c(binary(a, b, ours(a), ours(b), vm.ids().__pow__, vm.ids().__rpow__, vm));
    }
    if ours(a) {
        let result = call_or_not_implemented(a, vm.ids().__pow__, &[b, c], vm);
        if !matches!(&result, Ok(r) if vm.is_not_implemented(r)) {
            return to_c(result);
        }
    }
    if ours(b) {
        let result = call_or_not_implemented(b, vm.ids().__rpow__, &[a, c], vm);
        return to_c(result);
    }
    to_c(Ok(vm.not_implemented()))
}

/// Calls `__ipow__`; the modulus is never passed on.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
pub unsafe extern "C" fn slot_ipow(a: *mut Object, b: *mut Object, _c: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, a, b) = unsafe { (Vm::current(), &*a, &*b) };
    to_c(must_call(a, vm.ids().__ipow__, &[b], vm))
}

macro_rules! inplace_slots {
    ($($slot:ident, $name:ident;)*) => {$(
        #[doc = concat!("Calls `", stringify!($name), "`.")]
        ///
        /// # Safety
        /// A slot function: called with live objects on an attached thread.
        pub unsafe extern "C" fn $slot(a: *mut Object, b: *mut Object) -> *mut Object {
            // SAFETY: the caller of a slot passes live objects.
            let (vm, a, b) = unsafe { (Vm::current(), &*a, &*b) };
            to_c(must_call(a, vm.ids().$name, &[b], vm))
        }
    )*};
}
inplace_slots! {
    slot_iadd, __iadd__; slot_isub, __isub__; slot_imul, __imul__; slot_imod, __imod__; slot_ilshift, __ilshift__;
    slot_irshift, __irshift__; slot_iand, __iand__; slot_ixor, __ixor__; slot_ior, __ior__;
    slot_ifloordiv, __ifloordiv__; slot_itruediv, __itruediv__; slot_imatmul, __imatmul__; slot_getitem, __getitem__;
}

/// Calls `__repr__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_repr(object: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    to_c(match call_special(object, vm.ids().__repr__, &[], vm) {
        Ok(Some(result)) => Ok(result),
        Ok(None) => {
            let text = format!("<{} object at {:p}>", object.ob_type().tp_name_str(), object);
            Ok(vm.new_str(&text).into_object())
        }
        Err(raised) => Err(raised),
    })
}

/// Calls `__str__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_str(object: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    to_c(must_call(object, vm.ids().__str__, &[], vm))
}

/// Calls `__hash__`. A result too large for a hash is hashed itself.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_hash(object: *mut Object) -> isize {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    let unhashable = || vm.type_error(format!("unhashable type: '{}'", object.ob_type().name()));
    hash_to_c((|| {
        let Some((method, unbound)) = special(object, vm.ids().__hash__, vm)? else {
            return Err(unhashable());
        };
        if vm.is_none(&method) {
            return Err(unhashable());
        }
        let args: &[&Object] = if unbound { &[object] } else { &[] };
        let result = vectorcall(&method, args, args.len(), None, vm)?;
        let Some(int) = result.downcast_ref::<Int>() else {
            return Err(vm.type_error("__hash__ method should return an integer"));
        };
        match int.to_i64() {
            Some(hash) => Ok(hash as isize),
            None => result.hash(vm),
        }
    })())
}

/// Calls `__call__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; `kwargs` may be null.
pub unsafe extern "C" fn slot_call(
    object: *mut Object,
    args: *mut Object,
    kwargs: *mut Object,
) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects, a tuple and a dict.
    let (vm, object, args, kwargs) = unsafe {
        (Vm::current(), &*object, (*args).cast::<Tuple>(), kwargs.as_ref().map(|d| d.cast::<Dict>()))
    };
    to_c((|| {
        let Some((method, unbound)) = special(object, vm.ids().__call__, vm)? else {
            return Err(vm.attribute_error("__call__"));
        };
        if !unbound {
            return method.call_tuple_dict(args, kwargs, vm);
        }
        let mut all = vec![object.to_ref()];
        all.extend_from_slice(args.as_slice());
        method.call_tuple_dict(&Tuple::from_vec(all, vm), kwargs, vm)
    })())
}

/// Calls `__getattribute__`, and `__getattr__` when that raised `AttributeError`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
pub unsafe extern "C" fn slot_getattr_hook(object: *mut Object, name: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, name) = unsafe { (Vm::current(), &*object, &*name) };
    to_c((|| {
        let tp = object.ob_type();
        let getattr = lookup(tp, vm.ids().__getattr__, vm).map(Object::to_ref);
        let getattribute = lookup(tp, vm.ids().__getattribute__, vm).map(Object::to_ref);
        let generic = getattribute.as_ref().is_none_or(|method| {
            method.downcast_exact::<crate::builtins::descr::WrapperDescriptor>().is_some_and(|wrapper| {
                std::ptr::eq(
                    wrapper.wrapped.get(),
                    crate::protocols::attributes::generic_getattro as *const (),
                )
            })
        });
        let found = if generic {
            let Some(text) = name.downcast_ref::<Str>() else {
                return Err(
                    vm.type_error(format!("attribute name must be string, not '{}'", name.ob_type().name()))
                );
            };
            if getattr.is_some() {
                // No exception is made only to be thrown away.
                if let Some(value) = crate::protocols::attributes::find_for_getattr(object, text, vm)? {
                    return Ok(value);
                }
                None
            } else {
                Some(crate::protocols::attributes::generic_get(object, text, vm))
            }
        } else {
            Some(must_call(object, vm.ids().__getattribute__, &[name], vm))
        };
        match (found, getattr) {
            (Some(Ok(value)), _) => Ok(value),
            (Some(Err(Raised)), Some(_)) if !vm.exception_matches(types::attribute_error()) => Err(Raised),
            (Some(Err(Raised)), None) => Err(Raised),
            (_, Some(_)) => {
                vm.clear_exception();
                must_call(object, vm.ids().__getattr__, &[name], vm)
            }
            (None, None) => Err(vm.no_attribute(object, name)),
        }
    })())
}

/// Calls `__setattr__` or, without a value, `__delattr__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; the value may be null.
pub unsafe extern "C" fn slot_setattro(object: *mut Object, name: *mut Object, value: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, name, value) = unsafe { (Vm::current(), &*object, &*name, value.as_ref()) };
    status_to_c(match value {
        Some(value) => must_call(object, vm.ids().__setattr__, &[name, value], vm).map(drop),
        None => must_call(object, vm.ids().__delattr__, &[name], vm).map(drop),
    })
}

/// Calls the comparison method for the operator.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
pub unsafe extern "C" fn slot_richcompare(a: *mut Object, b: *mut Object, op: c_int) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, a, b) = unsafe { (Vm::current(), &*a, &*b) };
    let ids = vm.ids();
    let name = match CompareOp::from_c(op) {
        CompareOp::Lt => ids.__lt__,
        CompareOp::Le => ids.__le__,
        CompareOp::Eq => ids.__eq__,
        CompareOp::Ne => ids.__ne__,
        CompareOp::Gt => ids.__gt__,
        CompareOp::Ge => ids.__ge__,
    };
    to_c(call_or_not_implemented(a, name, &[b], vm))
}

/// Calls `__iter__`, or makes a sequence iterator when there is only `__getitem__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_iter(object: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    let not_iterable =
        || vm.type_error(format!("'{}' object is not iterable", object.ob_type().tp_name_str()));
    to_c((|| match special(object, vm.ids().__iter__, vm)? {
        Some((method, _)) if vm.is_none(&method) => Err(not_iterable()),
        Some((method, true)) => method.call(&[object], vm),
        Some((method, false)) => method.call(&[], vm),
        None if lookup(object.ob_type(), vm.ids().__getitem__, vm).is_some() => {
            Ok(crate::builtins::iterators::SequenceIterator::new(object, vm))
        }
        None => Err(not_iterable()),
    })())
}

/// Calls `__next__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_iternext(object: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    option_to_c(must_call(object, vm.ids().__next__, &[], vm).map(Some))
}

/// Calls `__get__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; instance and owner may be null.
pub unsafe extern "C" fn slot_descr_get(
    descr: *mut Object,
    obj: *mut Object,
    cls: *mut Object,
) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, descr, obj, cls) = unsafe { (Vm::current(), &*descr, obj.as_ref(), cls.as_ref()) };
    let Some(get) = lookup(descr.ob_type(), vm.ids().__get__, vm).map(Object::to_ref) else {
        return descr.to_ref().into_raw();
    };
    let none = vm.none_ref();
    to_c(get.call(&[descr, obj.unwrap_or(none), cls.unwrap_or(none)], vm))
}

/// Calls `__set__` or, without a value, `__delete__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; the value may be null.
pub unsafe extern "C" fn slot_descr_set(descr: *mut Object, obj: *mut Object, value: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, descr, obj, value) = unsafe { (Vm::current(), &*descr, &*obj, value.as_ref()) };
    status_to_c(match value {
        Some(value) => must_call(descr, vm.ids().__set__, &[obj, value], vm).map(drop),
        None => must_call(descr, vm.ids().__delete__, &[obj], vm).map(drop),
    })
}

/// Calls `__init__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; `kwargs` may be null.
pub unsafe extern "C" fn slot_init(object: *mut Object, args: *mut Object, kwargs: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects, a tuple and a dict.
    let (vm, object, args, kwargs) = unsafe {
        (Vm::current(), &*object, (*args).cast::<Tuple>(), kwargs.as_ref().map(|d| d.cast::<Dict>()))
    };
    status_to_c((|| {
        let Some((method, unbound)) = special(object, vm.ids().__init__, vm)? else {
            return Err(vm.attribute_error("__init__"));
        };
        let result = if unbound {
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(object.to_ref());
            all.extend_from_slice(args.as_slice());
            method.call_tuple_dict(&Tuple::from_vec(all, vm), kwargs, vm)?
        } else {
            method.call_tuple_dict(args, kwargs, vm)?
        };
        if vm.is_none(&result) {
            return Ok(());
        }
        Err(vm.type_error(format!("__init__() should return None, not '{}'", result.ob_type().name())))
    })())
}

/// Calls `__new__` with the class in front.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; `kwargs` may be null.
pub unsafe extern "C" fn slot_new(cls: *mut Type, args: *mut Object, kwargs: *mut Object) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects, a tuple and a dict.
    let (vm, cls, args, kwargs) =
        unsafe { (Vm::current(), &*cls, (*args).cast::<Tuple>(), kwargs.as_ref().map(|d| d.cast::<Dict>())) };
    to_c((|| {
        let new = cls.as_object().get_attr(vm.ids().__new__, vm)?;
        let mut all = Vec::with_capacity(args.len() + 1);
        all.push(cls.as_object().to_ref());
        all.extend_from_slice(args.as_slice());
        new.call_tuple_dict(&Tuple::from_vec(all, vm), kwargs, vm)
    })())
}

/// Calls `__del__`. What it raises is reported, not passed on; a waiting exception is kept.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_finalize(object: *mut Object) {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    let waiting = vm.take_exception();
    match special(object, vm.ids().__del__, vm) {
        Ok(Some((method, unbound))) => {
            let args: &[&Object] = if unbound { &[object] } else { &[] };
            if vectorcall(&method, args, args.len(), None, vm).is_err() {
                crate::exceptions::print::write_unraisable_while(
                    "while calling deallocator",
                    Some(&method),
                    vm,
                );
            }
        }
        Ok(None) => {}
        Err(Raised) => vm.clear_exception(),
    }
    vm.current_exception.set(waiting);
}

/// Calls `__bool__`, or `__len__` when there is no `__bool__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_bool(object: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    bool_to_c((|| {
        if let Some(result) = call_special(object, vm.ids().__bool__, &[], vm)? {
            if result.is(vm.true_ref()) {
                return Ok(true);
            }
            if result.is(vm.false_ref()) {
                return Ok(false);
            }
            return Err(
                vm.type_error(format!("__bool__ should return bool, returned {}", result.ob_type().name()))
            );
        }
        match call_special(object, vm.ids().__len__, &[], vm)? {
            Some(result) => Ok(length_of(&result, vm)? != 0),
            None => Ok(true),
        }
    })())
}

/// A length that `__len__` gave: an index that is neither negative nor too large.
fn length_of(result: &Object, vm: &Vm) -> PyResult<isize> {
    let index = result.as_index(vm)?;
    match index.to_i64() {
        Some(n) if n >= 0 => Ok(n as isize),
        _ if index.is_negative() => Err(vm.value_error("__len__() should return >= 0")),
        _ => Err(vm
            .overflow_error(format!("cannot fit '{}' into an index-sized integer", result.ob_type().name()))),
    }
}

/// Calls `__len__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_len(object: *mut Object) -> isize {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    must_call(object, vm.ids().__len__, &[], vm).and_then(|result| length_of(&result, vm)).unwrap_or(-1)
}

/// Calls `__setitem__` or, without a value, `__delitem__`.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; the value may be null.
pub unsafe extern "C" fn slot_setitem(object: *mut Object, key: *mut Object, value: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, key, value) = unsafe { (Vm::current(), &*object, &*key, value.as_ref()) };
    status_to_c(match value {
        Some(value) => must_call(object, vm.ids().__setitem__, &[key, value], vm).map(drop),
        None => must_call(object, vm.ids().__delitem__, &[key], vm).map(drop),
    })
}

/// Calls `__getitem__` with a position.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
pub unsafe extern "C" fn slot_sq_item(object: *mut Object, index: isize) -> *mut Object {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    let index = vm.new_int(index);
    to_c(must_call(object, vm.ids().__getitem__, &[&index], vm))
}

/// Calls `__setitem__` or `__delitem__` with a position.
///
/// # Safety
/// A slot function: called with live objects on an attached thread; the value may be null.
pub unsafe extern "C" fn slot_sq_ass_item(object: *mut Object, index: isize, value: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let vm = unsafe { Vm::current() };
    let index = vm.new_int(index);
    // SAFETY: passed on.
    unsafe { slot_setitem(object, index.as_raw(), value) }
}

/// Calls `__contains__`, or compares with each item when there is none.
///
/// # Safety
/// A slot function: called with live objects on an attached thread.
pub unsafe extern "C" fn slot_contains(object: *mut Object, item: *mut Object) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object, item) = unsafe { (Vm::current(), &*object, &*item) };
    bool_to_c((|| match special(object, vm.ids().__contains__, vm)? {
        Some((method, _)) if vm.is_none(&method) => {
            Err(vm.type_error(format!("'{}' object is not a container", object.ob_type().name())))
        }
        Some((method, unbound)) => {
            let both = [object, item];
            let args = if unbound { both.as_slice() } else { both.get(1..).unwrap_or_default() };
            method.call(args, vm)?.is_true(vm)
        }
        None => {
            let iterator = object.iter(vm)?;
            while let Some(candidate) = iterator.iter_next(vm)? {
                if candidate.eq(item, vm)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    })())
}

/// Calls `__buffer__` (PEP 688).
///
/// # Safety
/// A slot function: called with a live object and a view to fill.
pub unsafe extern "C" fn slot_getbuffer(object: *mut Object, view: *mut PyBuffer, flags: c_int) -> c_int {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    status_to_c(crate::protocols::buffer::python_getbuffer(object, view, flags, vm))
}

/// Calls `__release_buffer__` (PEP 688).
///
/// # Safety
/// A slot function: called with a live object and the view to release.
pub unsafe extern "C" fn slot_releasebuffer(object: *mut Object, view: *mut PyBuffer) {
    // SAFETY: the caller of a slot passes live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    crate::protocols::buffer::python_releasebuffer(object, view, vm);
}
