//! `weakref.ProxyType` and `weakref.CallableProxyType`: every operation goes on to the target, or raises ReferenceError.

use super::WeakReference;
use crate::prelude::*;
use crate::protocols::{attributes, number};

/// A proxy of an object that can't be called.
#[repr(C)]
pub struct Proxy {
    /// The weak reference that the proxy is.
    pub reference: WeakReference,
}

/// A proxy of a callable object.
#[repr(C)]
pub struct CallableProxy {
    /// The weak reference that the proxy is.
    pub reference: WeakReference,
}

/// The target of a proxy; raises ReferenceError when it is gone.
fn target(reference: &WeakReference, vm: &Vm) -> PyResult<ObjRef> {
    reference.get().ok_or_else(|| vm.reference_error("weakly-referenced object no longer exists"))
}

/// The object itself, or its target when it is a proxy.
fn unwrap(object: &Object, vm: &Vm) -> PyResult<ObjRef> {
    if let Some(proxy) = object.downcast_exact::<Proxy>() {
        return target(&proxy.reference, vm);
    }
    match object.downcast_exact::<CallableProxy>() {
        Some(proxy) => target(&proxy.reference, vm),
        None => Ok(object.to_ref()),
    }
}

macro_rules! proxy_type {
    ($(#[$attribute:meta])* $proxy:ident { $($extra:tt)* }) => {
        impl Traverse for $proxy {
            fn traverse(&self, visit: &mut Visit) {
                self.reference.traverse(visit);
            }
            fn clear(&self) {
                self.reference.clear();
            }
        }

        $(#[$attribute])*
        impl $proxy {
            #[slot]
            fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
                let at = self.as_object().as_ptr();
                let text = match self.reference.get() {
                    None => format!("<weakproxy at {at:p}; dead>"),
                    Some(target) => {
                        let tp = crate::builtins::type_::shown_name(target.ob_type(), vm)?;
                        format!("<weakproxy at {at:p}; to '{tp}' at {:p}>", target.as_raw())
                    }
                };
                Ok(vm.new_str(&text).into_object())
            }
            $($extra)*
            #[slot]
            fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
                Ok(target(&self.reference, vm)?.str(vm)?.into_object())
            }
            #[slot]
            fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult<ObjRef> {
                target(&self.reference, vm)?.get_attr(name, vm)
            }
            #[slot]
            fn tp_setattro(&self, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
                attributes::set_attr(&*target(&self.reference, vm)?, name, value, vm)
            }
            #[slot]
            fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<ObjRef> {
                let own = target(&self.reference, vm)?;
                let other = unwrap(other, vm)?;
                own.rich_compare(&other, op, vm)
            }
            #[slot]
            fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
                target(&self.reference, vm)?.iter(vm)
            }
            #[slot]
            fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
                let own = target(&self.reference, vm)?;
                if !own.is_iterator() {
                    return Err(vm.type_error(format!(
                        "Weakref proxy referenced a non-iterator '{}' object",
                        own.ob_type().tp_name_str()
                    )));
                }
                own.iter_next(vm)
            }
            #[slot]
            fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::add(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::subtract(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::multiply(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::remainder(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::divmod(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::power(&*unwrap(a, vm)?, &*unwrap(b, vm)?, &*unwrap(c, vm)?, vm)
            }
            #[slot]
            fn nb_negative(&self, vm: &Vm) -> PyResult<ObjRef> {
                number::negative(&*target(&self.reference, vm)?, vm)
            }
            #[slot]
            fn nb_positive(&self, vm: &Vm) -> PyResult<ObjRef> {
                number::positive(&*target(&self.reference, vm)?, vm)
            }
            #[slot]
            fn nb_absolute(&self, vm: &Vm) -> PyResult<ObjRef> {
                number::absolute(&*target(&self.reference, vm)?, vm)
            }
            #[slot]
            fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
                target(&self.reference, vm)?.is_true(vm)
            }
            #[slot]
            fn nb_invert(&self, vm: &Vm) -> PyResult<ObjRef> {
                number::invert(&*target(&self.reference, vm)?, vm)
            }
            #[slot]
            fn nb_lshift(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::lshift(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_rshift(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::rshift(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::and(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::xor(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::or(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_int(&self, vm: &Vm) -> PyResult<ObjRef> {
                Int::type_object().as_object().call(&[&*target(&self.reference, vm)?], vm)
            }
            #[slot]
            fn nb_float(&self, vm: &Vm) -> PyResult<ObjRef> {
                Ok(vm.new_float(target(&self.reference, vm)?.as_f64(vm)?))
            }
            #[slot]
            fn nb_inplace_add(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_add(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_subtract(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_subtract(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_multiply(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_multiply(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_remainder(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_remainder(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_power(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_power(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_lshift(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_lshift(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_rshift(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_rshift(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_and(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_and(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_xor(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_xor(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_or(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_or(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::floor_divide(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::true_divide(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_floor_divide(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_floor_divide(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_true_divide(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_true_divide(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn nb_index(&self, vm: &Vm) -> PyResult<ObjRef> {
                Ok(target(&self.reference, vm)?.as_index(vm)?.into_object())
            }
            #[slot]
            fn nb_matrix_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::matrix_multiply(&*unwrap(a, vm)?, &*unwrap(b, vm)?, vm)
            }
            #[slot]
            fn nb_inplace_matrix_multiply(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
                number::inplace_matrix_multiply(&*target(&self.reference, vm)?, &*unwrap(other, vm)?, vm)
            }
            #[slot]
            fn sq_length(&self, vm: &Vm) -> PyResult<usize> {
                target(&self.reference, vm)?.length(vm)
            }
            #[slot]
            fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
                target(&self.reference, vm)?.contains(item, vm)
            }
            #[slot]
            fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
                target(&self.reference, vm)?.length(vm)
            }
            #[slot]
            fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
                target(&self.reference, vm)?.get_item(&*unwrap(key, vm)?, vm)
            }
            #[slot]
            fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
                let own = target(&self.reference, vm)?;
                match value {
                    Some(value) => own.set_item(key, value, vm),
                    None => own.del_item(key, vm),
                }
            }
        }
    };
}

proxy_type! {
    #[pytype(name = "weakref.ProxyType", symbol = "_PyWeakref_ProxyType", gc, no_new, unhashable, methods(PROXY_METHODS))]
    Proxy {}
}

proxy_type! {
    #[pytype(name = "weakref.CallableProxyType", symbol = "_PyWeakref_CallableProxyType", gc, no_new, unhashable)]
    CallableProxy {
        #[slot]
        fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
            let own = target(&self.reference, vm)?;
            own.call_tuple_dict(args, kwargs, vm)
        }
    }
}

#[pymethods(table = PROXY_METHODS)]
impl Proxy {
    #[method("($self, /)")]
    fn __bytes__(&self, vm: &Vm) -> PyResult<ObjRef> {
        target(&self.reference, vm)?.call_method(vm.ids().__bytes__, &[], vm)
    }

    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult<ObjRef> {
        target(&self.reference, vm)?.call_method(vm.ids().__reversed__, &[], vm)
    }
}
