//! `ObjectProtocol`: the methods that every object has in Rust. Each is one line here and lives in the file of its
//! protocol.

use crate::builtins::str::StrBuilder;
use crate::builtins::str::format::push_exact_formatted;
use crate::builtins::type_::slots::call_special;
use crate::prelude::*;
use crate::protocols::buffer::Buffer;
use crate::protocols::{attributes, call, compare, container, iterator, number};

/// Python's operations on any object. Everything that can run Python takes `vm` and returns `PyResult`.
#[allow(missing_docs)]
pub trait ObjectProtocol {
    fn repr(&self, vm: &Vm) -> PyResult<Ref<Str>>;
    fn str(&self, vm: &Vm) -> PyResult<Ref<Str>>;
    fn hash(&self, vm: &Vm) -> PyResult<isize>;
    fn is_true(&self, vm: &Vm) -> PyResult<bool>;
    fn rich_compare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult;
    fn rich_compare_bool(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<bool>;
    fn eq(&self, other: &Object, vm: &Vm) -> PyResult<bool>;
    fn get_attr(&self, name: &Str, vm: &Vm) -> PyResult;
    fn lookup_attr(&self, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>>;
    fn has_attr(&self, name: &Str, vm: &Vm) -> PyResult<bool>;
    fn set_attr(&self, name: &Str, value: &Object, vm: &Vm) -> PyResult<()>;
    fn del_attr(&self, name: &Str, vm: &Vm) -> PyResult<()>;
    /// The special method of the object's type, bound to the object. `None` when there is none.
    fn lookup_special(&self, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>>;
    fn call(&self, args: &[&Object], vm: &Vm) -> PyResult;
    fn call_kw(&self, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult;
    fn call_tuple_dict(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult;
    fn call_no_args(&self, vm: &Vm) -> PyResult;
    fn call_method(&self, name: &Str, args: &[&Object], vm: &Vm) -> PyResult;
    fn is_callable(&self) -> bool;
    fn get_item(&self, key: &Object, vm: &Vm) -> PyResult;
    fn set_item(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<()>;
    fn del_item(&self, key: &Object, vm: &Vm) -> PyResult<()>;
    fn length(&self, vm: &Vm) -> PyResult<usize>;
    fn length_hint(&self, default: usize, vm: &Vm) -> PyResult<usize>;
    fn contains(&self, item: &Object, vm: &Vm) -> PyResult<bool>;
    fn iter(&self, vm: &Vm) -> PyResult;
    fn iter_next(&self, vm: &Vm) -> PyResult<Option<ObjRef>>;
    fn is_iterator(&self) -> bool;
    fn collect_iterable(&self, vm: &Vm) -> PyResult<Vec<ObjRef>>;
    fn is_instance(&self, cls: &Object, vm: &Vm) -> PyResult<bool>;
    fn is_subclass(&self, cls: &Object, vm: &Vm) -> PyResult<bool>;
    fn as_index(&self, vm: &Vm) -> PyResult<Ref<Int>>;
    fn has_index(&self) -> bool;
    fn as_isize(&self, vm: &Vm) -> PyResult<isize>;
    fn as_isize_clamped(&self, vm: &Vm) -> PyResult<isize>;
    fn as_f64(&self, vm: &Vm) -> PyResult<f64>;
    fn get_buffer(&self, flags: i32, vm: &Vm) -> PyResult<Buffer>;
    fn format(&self, spec: Option<&Str>, vm: &Vm) -> PyResult<Ref<Str>>;
    /// `type.__name__`, for messages.
    fn type_name(&self) -> &str;
}

impl ObjectProtocol for Object {
    fn repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        vm.check_recursion(" while getting the repr of an object")?;
        let Some(repr) = self.ob_type().tp_repr.get() else {
            return Ok(vm.new_str(&format!("<{} object at {:p}>", self.ob_type().tp_name_str(), self)));
        };
        // SAFETY: a slot is called with a live object.
        let result = unsafe { vm.owned(repr(self.as_ptr())) }?;
        result.downcast::<Str>().map_err(|other| {
            vm.type_error(format!("__repr__ returned non-string (type {})", other.ob_type().tp_name_str()))
        })
    }

    fn str(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if let Some(exact) = self.downcast_exact::<Str>() {
            return Ok(exact.into());
        }
        vm.check_recursion(" while getting the str of an object")?;
        let Some(to_str) = self.ob_type().tp_str.get() else { return self.repr(vm) };
        // SAFETY: a slot is called with a live object.
        let result = unsafe { vm.owned(to_str(self.as_ptr())) }?;
        result.downcast::<Str>().map_err(|other| {
            vm.type_error(format!("__str__ returned non-string (type {})", other.ob_type().tp_name_str()))
        })
    }

    #[inline]
    fn hash(&self, vm: &Vm) -> PyResult<isize> {
        let Some(hash) = self.ob_type().tp_hash.get() else {
            return Err(vm.type_error(format!("unhashable type: '{}'", self.ob_type().tp_name_str())));
        };
        // SAFETY: a slot is called with a live object.
        match unsafe { hash(self.as_ptr()) } {
            -1 => Err(vm.check_raised()),
            value => Ok(value),
        }
    }

    #[inline]
    fn is_true(&self, vm: &Vm) -> PyResult<bool> {
        if self.is(vm.true_ref()) {
            return Ok(true);
        }
        if self.is(vm.false_ref()) || vm.is_none(self) {
            return Ok(false);
        }
        let tp = self.ob_type();
        // SAFETY (all three): a slot is called with a live object.
        if let Some(to_bool) = tp.as_number().and_then(|n| n.nb_bool.get()) {
            let answer = unsafe { to_bool(self.as_ptr()) };
            return vm.status(answer).map(|()| answer != 0);
        }
        let length = tp
            .as_mapping()
            .and_then(|m| m.mp_length.get())
            .or_else(|| tp.as_sequence().and_then(|s| s.sq_length.get()));
        match length {
            // SAFETY: a slot is called with a live object.
            Some(length) => match unsafe { length(self.as_ptr()) } {
                n if n < 0 => Err(vm.check_raised()),
                n => Ok(n > 0),
            },
            None => Ok(true),
        }
    }

    #[inline]
    fn rich_compare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        compare::rich_compare(self, other, op, vm)
    }
    #[inline]
    fn rich_compare_bool(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult<bool> {
        compare::rich_compare_bool(self, other, op, vm)
    }
    #[inline]
    fn eq(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
        compare::rich_compare_bool(self, other, CompareOp::Eq, vm)
    }
    #[inline]
    fn get_attr(&self, name: &Str, vm: &Vm) -> PyResult {
        attributes::get_attr(self, name, vm)
    }
    #[inline]
    fn lookup_attr(&self, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        attributes::lookup_attr(self, name, vm)
    }
    fn has_attr(&self, name: &Str, vm: &Vm) -> PyResult<bool> {
        Ok(attributes::lookup_attr(self, name, vm)?.is_some())
    }
    #[inline]
    fn set_attr(&self, name: &Str, value: &Object, vm: &Vm) -> PyResult<()> {
        attributes::set_attr(self, name, Some(value), vm)
    }
    fn del_attr(&self, name: &Str, vm: &Vm) -> PyResult<()> {
        attributes::set_attr(self, name, None, vm)
    }
    fn lookup_special(&self, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        attributes::lookup_special(self, name, vm)
    }
    #[inline]
    fn call(&self, args: &[&Object], vm: &Vm) -> PyResult {
        call::vectorcall(self, args, args.len(), None, vm)
    }
    #[inline]
    fn call_kw(&self, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        let keywords = kwnames.map_or(0, Tuple::len);
        call::vectorcall(self, args, args.len().saturating_sub(keywords), kwnames, vm)
    }
    fn call_tuple_dict(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        call::call_tuple_dict(self, args, kwargs, vm)
    }
    #[inline]
    fn call_no_args(&self, vm: &Vm) -> PyResult {
        call::vectorcall(self, &[], 0, None, vm)
    }
    fn call_method(&self, name: &Str, args: &[&Object], vm: &Vm) -> PyResult {
        call::call_method(self, name, args, vm)
    }
    fn is_callable(&self) -> bool {
        self.ob_type().tp_call.get().is_some()
    }
    #[inline]
    fn get_item(&self, key: &Object, vm: &Vm) -> PyResult {
        container::get_item(self, key, vm)
    }
    #[inline]
    fn set_item(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        container::set_item(self, key, value, vm)
    }
    fn del_item(&self, key: &Object, vm: &Vm) -> PyResult<()> {
        container::del_item(self, key, vm)
    }
    #[inline]
    fn length(&self, vm: &Vm) -> PyResult<usize> {
        container::length(self, vm)
    }
    fn length_hint(&self, default: usize, vm: &Vm) -> PyResult<usize> {
        container::length_hint(self, default, vm)
    }
    #[inline]
    fn contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        container::contains(self, item, vm)
    }
    #[inline]
    fn iter(&self, vm: &Vm) -> PyResult {
        iterator::iter(self, vm)
    }
    #[inline]
    fn iter_next(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        iterator::iter_next(self, vm)
    }
    fn is_iterator(&self) -> bool {
        iterator::is_iterator(self)
    }
    fn collect_iterable(&self, vm: &Vm) -> PyResult<Vec<ObjRef>> {
        iterator::collect(self, vm)
    }
    fn is_instance(&self, cls: &Object, vm: &Vm) -> PyResult<bool> {
        crate::builtins::type_::checks::is_instance(self, cls, vm)
    }
    fn is_subclass(&self, cls: &Object, vm: &Vm) -> PyResult<bool> {
        crate::builtins::type_::checks::is_subclass(self, cls, vm)
    }
    #[inline]
    fn as_index(&self, vm: &Vm) -> PyResult<Ref<Int>> {
        number::as_index(self, vm)
    }
    fn has_index(&self) -> bool {
        self.ob_type().as_number().is_some_and(|n| n.nb_index.get().is_some())
    }
    fn as_isize(&self, vm: &Vm) -> PyResult<isize> {
        number::as_isize(self, vm)
    }
    fn as_isize_clamped(&self, vm: &Vm) -> PyResult<isize> {
        number::as_isize_clamped(self, vm)
    }
    #[inline]
    fn as_f64(&self, vm: &Vm) -> PyResult<f64> {
        number::as_f64(self, vm)
    }
    fn get_buffer(&self, flags: i32, vm: &Vm) -> PyResult<Buffer> {
        Buffer::get(self, flags, vm)
    }
    fn format(&self, spec: Option<&Str>, vm: &Vm) -> PyResult<Ref<Str>> {
        format(self, spec, vm)
    }
    fn type_name(&self) -> &str {
        self.ob_type().tp_name_str()
    }
}

/// `format(object, spec)` (PEP 3101).
fn format(object: &Object, spec: Option<&Str>, vm: &Vm) -> PyResult<Ref<Str>> {
    let spec = spec.unwrap_or(vm.ids().empty);
    if spec.is_empty() {
        if object.downcast_exact::<Str>().is_some() || object.downcast_exact::<Int>().is_some() {
            return object.str(vm);
        }
    } else {
        let mut out = StrBuilder::new();
        if push_exact_formatted(object, spec, &mut out, vm)? {
            return out.try_finish(vm);
        }
    }
    let Some(result) = call_special(object, vm.ids().__format__, &[spec.as_object()], vm)? else {
        return Err(
            vm.type_error(format!("Type {} doesn't define __format__", object.ob_type().tp_name_str()))
        );
    };
    result.downcast::<Str>().map_err(|other| {
        vm.type_error(format!("__format__ must return a str, not {}", other.ob_type().tp_name_str()))
    })
}
