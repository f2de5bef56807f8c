//! How a slot wrapper descriptor (`list.__len__`) calls the native slot behind it with Python arguments.
//!
//! Every function here has the signature `(self, args tuple, the slot's function)`; those with keywords take the
//! dict as well.

use std::ffi::c_int;
use std::mem::transmute;

use taipan_object::typeobject as slot;

use crate::prelude::*;
use crate::protocols::native::to_c;

type Wrapped = *const ();

/// The arguments, if there are as many as wanted.
fn exactly<'a, const N: usize>(args: *mut Object, vm: &Vm) -> PyResult<[&'a Object; N]> {
    // SAFETY: wrapper descriptors pass a tuple that lives for the call.
    let items: &'a [ObjRef] = unsafe { (*args).cast::<Tuple>() }.as_slice();
    let borrowed: &'a [&'a Object] = crate::protocols::native::borrow_all(items);
    borrowed.try_into().map_err(|_| {
        let s = if N == 1 { "" } else { "s" };
        vm.type_error(format!("expected {N} argument{s}, got {}", borrowed.len()))
    })
}

/// The arguments of `__pow__`, the second one being None when it is not given.
fn power_args<'a>(args: *mut Object, vm: &'a Vm) -> PyResult<(&'a Object, &'a Object)> {
    // SAFETY: as above.
    let args: &'a [ObjRef] = unsafe { (*args).cast::<Tuple>() }.as_slice();
    match args {
        [other] => Ok((other, vm.none_ref())),
        [other, third] => Ok((other, third)),
        _ => Err(vm.type_error(format!("expected 1 or 2 arguments, got {}", args.len()))),
    }
}

/// Between `low` and `N` arguments; those not given are `None`.
fn up_to<'a, const N: usize>(args: *mut Object, low: usize, vm: &Vm) -> PyResult<[Option<&'a Object>; N]> {
    // SAFETY: as above.
    let items: &'a [ObjRef] = unsafe { (*args).cast::<Tuple>() }.as_slice();
    if items.len() < low || items.len() > N {
        let (bound, count) = if items.len() < low { ("at least", low) } else { ("at most", N) };
        let s = if count == 1 { "" } else { "s" };
        return Err(vm.type_error(format!("expected {bound} {count} argument{s}, got {}", items.len())));
    }
    let mut out = [None; N];
    for (place, item) in out.iter_mut().zip(items) {
        *place = Some(&**item);
    }
    Ok(out)
}

macro_rules! wrappers {
    ($($(#[$doc:meta])* fn $name:ident($object:ident, $args:ident, $wrapped:ident: $kind:ty, $vm:ident) $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Called by a wrapper descriptor with an instance of its type, a tuple, and a slot function of the right kind.
        pub unsafe extern "C" fn $name($object: *mut Object, $args: *mut Object, wrapped: Wrapped) -> *mut Object {
            // SAFETY: the slot table pairs each wrapper with slots of its kind.
            let ($vm, $wrapped) = unsafe { (Vm::current(), transmute::<Wrapped, $kind>(wrapped)) };
            to_c((|| $body)())
        }
    )*};
}

wrappers! {
    /// `repr(self)`, `-self`, `iter(self)` …
    fn wrap_unary(object, args, slot: slot::UnaryFunc, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object)) }
    }
    /// `next(self)`: the end is `StopIteration`.
    fn wrap_next(object, args, slot: slot::UnaryFunc, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects; null without an exception is the end.
        match unsafe { Ref::from_raw_opt(slot(object)) } {
            Some(item) => Ok(item),
            None if vm.has_exception() => Err(Raised),
            None => Err(vm.stop_iteration(None)),
        }
    }
    /// A binary slot as `self.__op__(other)`, no reflection.
    fn wrap_binary(object, args, slot: slot::BinaryFunc, vm) {
        let [other] = exactly(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object, other.as_ptr())) }
    }
    /// `self.__op__(other)`.
    fn wrap_binary_l(object, args, slot: slot::BinaryFunc, vm) {
        let [other] = exactly(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object, other.as_ptr())) }
    }
    /// `self.__rop__(other)`.
    fn wrap_binary_r(object, args, slot: slot::BinaryFunc, vm) {
        let [other] = exactly(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(other.as_ptr(), object)) }
    }
    /// `self.__pow__(other, mod=None)`.
    fn wrap_ternary(object, args, slot: slot::TernaryFunc, vm) {
        let (other, third) = power_args(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object, other.as_ptr(), third.as_ptr())) }
    }
    /// `self.__rpow__(other, mod=None)`.
    fn wrap_ternary_r(object, args, slot: slot::TernaryFunc, vm) {
        let (other, third) = power_args(args, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(other.as_ptr(), object, third.as_ptr())) }
    }
    /// `bool(self)`.
    fn wrap_inquiry(object, args, slot: slot::Inquiry, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects.
        let answer = unsafe { slot(object) };
        vm.status(answer)?;
        Ok(vm.new_bool(answer != 0))
    }
    /// `len(self)`.
    fn wrap_len(object, args, slot: slot::LenFunc, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects.
        match unsafe { slot(object) } {
            n if n < 0 => Err(vm.check_raised()),
            n => Ok(vm.new_int(n)),
        }
    }
    /// `hash(self)`.
    fn wrap_hash(object, args, slot: slot::HashFunc, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects.
        match unsafe { slot(object) } {
            -1 => Err(vm.check_raised()),
            hash => Ok(vm.new_int(hash)),
        }
    }
    /// `self * count`.
    fn wrap_sq_repeat(object, args, slot: slot::SsizeArgFunc, vm) {
        let [count] = exactly(args, vm)?;
        let count = count.as_isize(vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object, count)) }
    }
    /// `self[index]` of a sequence.
    fn wrap_sq_item(object, args, slot: slot::SsizeArgFunc, vm) {
        let [index] = exactly(args, vm)?;
        let index = sequence_index(object, index, vm)?;
        // SAFETY: live objects.
        unsafe { vm.owned(slot(object, index)) }
    }
    /// `self[index] = value` of a sequence.
    fn wrap_sq_setitem(object, args, slot: slot::SsizeObjArgProc, vm) {
        let [index, value] = exactly(args, vm)?;
        let index = sequence_index(object, index, vm)?;
        // SAFETY: live objects.
        vm.status(unsafe { slot(object, index, value.as_ptr()) }).map(|()| vm.none())
    }
    /// `del self[index]` of a sequence.
    fn wrap_sq_delitem(object, args, slot: slot::SsizeObjArgProc, vm) {
        let [index] = exactly(args, vm)?;
        let index = sequence_index(object, index, vm)?;
        // SAFETY: live objects; null deletes.
        vm.status(unsafe { slot(object, index, std::ptr::null_mut()) }).map(|()| vm.none())
    }
    /// `key in self`.
    fn wrap_contains(object, args, slot: slot::ObjObjProc, vm) {
        let [key] = exactly(args, vm)?;
        // SAFETY: live objects.
        let answer = unsafe { slot(object, key.as_ptr()) };
        vm.status(answer)?;
        Ok(vm.new_bool(answer != 0))
    }
    /// `self[key] = value`.
    fn wrap_setitem(object, args, slot: slot::ObjObjArgProc, vm) {
        let [key, value] = exactly(args, vm)?;
        // SAFETY: live objects.
        vm.status(unsafe { slot(object, key.as_ptr(), value.as_ptr()) }).map(|()| vm.none())
    }
    /// `del self[key]`.
    fn wrap_delitem(object, args, slot: slot::ObjObjArgProc, vm) {
        let [key] = exactly(args, vm)?;
        // SAFETY: live objects; null deletes.
        vm.status(unsafe { slot(object, key.as_ptr(), std::ptr::null_mut()) }).map(|()| vm.none())
    }
    /// `self.name = value`.
    fn wrap_setattr(object, args, slot: slot::ObjObjArgProc, vm) {
        let [name, value] = exactly(args, vm)?;
        guard_against_carlo_verre(object, slot, "__setattr__", vm)?;
        // SAFETY: live objects.
        vm.status(unsafe { slot(object, name.as_ptr(), value.as_ptr()) }).map(|()| vm.none())
    }
    /// `del self.name`.
    fn wrap_delattr(object, args, slot: slot::ObjObjArgProc, vm) {
        let [name] = exactly(args, vm)?;
        guard_against_carlo_verre(object, slot, "__delattr__", vm)?;
        // SAFETY: live objects; null deletes.
        vm.status(unsafe { slot(object, name.as_ptr(), std::ptr::null_mut()) }).map(|()| vm.none())
    }
    /// `self.__get__(instance, owner=None)`.
    fn wrap_descr_get(object, args, slot: slot::TernaryFunc, vm) {
        let [instance, owner] = up_to(args, 1, vm)?;
        let given = |o: Option<&Object>| o.filter(|o| !vm.is_none(o)).map_or(std::ptr::null_mut(), Object::as_ptr);
        if given(instance).is_null() && given(owner).is_null() {
            return Err(vm.type_error("__get__(None, None) is invalid"));
        }
        // SAFETY: live objects or null.
        unsafe { vm.owned(slot(object, given(instance), given(owner))) }
    }
    /// `self.__set__(instance, value)`.
    fn wrap_descr_set(object, args, slot: slot::ObjObjArgProc, vm) {
        let [instance, value] = exactly(args, vm)?;
        // SAFETY: live objects.
        vm.status(unsafe { slot(object, instance.as_ptr(), value.as_ptr()) }).map(|()| vm.none())
    }
    /// `self.__delete__(instance)`.
    fn wrap_descr_delete(object, args, slot: slot::ObjObjArgProc, vm) {
        let [instance] = exactly(args, vm)?;
        // SAFETY: live objects; null deletes.
        vm.status(unsafe { slot(object, instance.as_ptr(), std::ptr::null_mut()) }).map(|()| vm.none())
    }
    /// `self.__del__()`.
    fn wrap_del(object, args, slot: slot::Destructor, vm) {
        exactly::<0>(args, vm)?;
        // SAFETY: live objects.
        unsafe { slot(object) };
        Ok(vm.none())
    }
    /// `self.__buffer__(flags)`.
    fn wrap_buffer(object, args, slot: slot::GetBufferProc, vm) {
        let [flags] = exactly(args, vm)?;
        let flags = flags.as_isize(vm)?;
        let flags = i32::try_from(flags).map_err(|_| vm.overflow_error("buffer flags out of range"))?;
        // SAFETY: a live object.
        crate::protocols::buffer::memoryview_of(unsafe { &*object }, slot, flags, vm)
    }
    /// `self.__release_buffer__(view)`.
    fn wrap_releasebuffer(object, args, _slot: slot::ReleaseBufferProc, vm) {
        let [view] = exactly(args, vm)?;
        // SAFETY: a live object.
        crate::protocols::buffer::release_memoryview(unsafe { &*object }, view, vm)?;
        Ok(vm.none())
    }
}

macro_rules! compare_wrappers {
    ($($name:ident, $op:ident;)*) => {$(
        #[doc = concat!("`self` compared by `", stringify!($op), "`.")]
        ///
        /// # Safety
        /// Called by a wrapper descriptor, as above.
        pub unsafe extern "C" fn $name(object: *mut Object, args: *mut Object, wrapped: Wrapped) -> *mut Object {
            // SAFETY: the slot table pairs it with `tp_richcompare`.
            let (vm, slot) = unsafe { (Vm::current(), transmute::<Wrapped, slot::RichCmpFunc>(wrapped)) };
            to_c(exactly(args, vm).and_then(|[other]| {
                // SAFETY: live objects.
                unsafe { vm.owned(slot(object, other.as_ptr(), CompareOp::$op as c_int)) }
            }))
        }
    )*};
}
compare_wrappers! { wrap_lt, Lt; wrap_le, Le; wrap_eq, Eq; wrap_ne, Ne; wrap_gt, Gt; wrap_ge, Ge; }

/// `self(*args, **kwargs)`.
///
/// # Safety
/// Called by a wrapper descriptor, as above; `kwargs` may be null.
pub unsafe extern "C" fn wrap_call(
    object: *mut Object,
    args: *mut Object,
    wrapped: Wrapped,
    kwargs: *mut Object,
) -> *mut Object {
    // SAFETY: the slot table pairs it with `tp_call`.
    unsafe { transmute::<Wrapped, slot::TernaryFunc>(wrapped)(object, args, kwargs) }
}

/// `self.__init__(*args, **kwargs)`.
///
/// # Safety
/// Called by a wrapper descriptor, as above; `kwargs` may be null.
pub unsafe extern "C" fn wrap_init(
    object: *mut Object,
    args: *mut Object,
    wrapped: Wrapped,
    kwargs: *mut Object,
) -> *mut Object {
    // SAFETY: the slot table pairs it with `tp_init`.
    let (vm, status) =
        unsafe { (Vm::current(), transmute::<Wrapped, slot::InitProc>(wrapped)(object, args, kwargs)) };
    to_c(vm.status(status).map(|()| vm.none()))
}

/// An index for `sq_item`, negative ones counted from the end.
fn sequence_index(object: *mut Object, index: &Object, vm: &Vm) -> PyResult<isize> {
    let index = index.as_isize(vm)?;
    if index >= 0 {
        return Ok(index);
    }
    // SAFETY: a live object.
    let object = unsafe { &*object };
    match object.ob_type().as_sequence().and_then(|s| s.sq_length.get()) {
        // SAFETY: a slot is called with a live object.
        Some(length) => match unsafe { length(object.as_ptr()) } {
            n if n < 0 => Err(vm.check_raised()),
            n => Ok(index.saturating_add(n)),
        },
        None => Ok(index),
    }
}

/// Refuses `object.__setattr__(cls, …)` and its like, by which a program would change what the nearest native base protects.
fn guard_against_carlo_verre(
    object: *mut Object,
    function: slot::ObjObjArgProc,
    name: &str,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: a live object.
    let tp = unsafe { (*object).ob_type() };
    // The most derived base that is not written in Python decides.
    let mut base = Some(tp);
    while let Some(current) = base {
        let set = current.tp_setattro.get();
        let is_python = set
            .is_some_and(|set| std::ptr::fn_addr_eq(set, super::slots::slot_setattro as slot::ObjObjArgProc));
        if !is_python {
            if set.is_some_and(|set| !std::ptr::fn_addr_eq(set, function)) {
                return Err(vm.type_error(format!("can't apply this {name} to {} object", tp.name())));
            }
            return Ok(());
        }
        base = current.base();
    }
    Ok(())
}
