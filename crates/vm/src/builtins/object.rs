//! `object`: the base of all types.

use std::ffi::c_int;

use super::type_::{lookup, new::compatible_for_assignment};
use crate::builtins::dict::managed;
use crate::prelude::*;
use crate::runtime::audit::audit_setattr;

/// Declares `object`: its layout is the bare header.
pub struct ObjectMethods;

/// `object` itself.
pub fn object_type() -> &'static Type {
    // SAFETY: static storage.
    unsafe { &*OBJECT_TYPE_PTR }
}

const OBJECT_TYPE_PTR: *const Type = &raw const OBJECT_TYPE;

/// `tp_hash` of types whose instances can't be hashed.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
#[unsafe(export_name = "PyObject_HashNotImplemented")]
pub unsafe extern "C" fn hash_not_implemented(object: *mut Object) -> isize {
    // SAFETY: slots are called with live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    vm.type_error(format!("unhashable type: '{}'", object.ob_type().tp_name_str()));
    -1
}

/// `tp_iternext` of classes that lost their `__next__`.
///
/// # Safety
/// A slot function: called with a live object on an attached thread.
#[unsafe(export_name = "_PyObject_NextNotImplemented")]
pub unsafe extern "C" fn next_not_implemented(object: *mut Object) -> *mut Object {
    // SAFETY: slots are called with live objects.
    let (vm, object) = unsafe { (Vm::current(), &*object) };
    vm.type_error(format!("'{}' object is not an iterator", object.ob_type().tp_name_str()));
    std::ptr::null_mut()
}

fn has_arguments(args: &Tuple, kwargs: Option<&Dict>) -> bool {
    args.len() > 0 || kwargs.is_some_and(|d| d.len() > 0)
}

fn is_object_new(tp: &Type) -> bool {
    tp.tp_new.get().map(|f| f as usize) == object_type().tp_new.get().map(|f| f as usize)
}

fn is_object_init(tp: &Type) -> bool {
    tp.tp_init.get().map(|f| f as usize) == object_type().tp_init.get().map(|f| f as usize)
}

/// The text of `TypeError` for a class with abstract methods.
fn abstract_error(cls: &Type, vm: &Vm) -> Raised {
    let names = (|| {
        let methods = cls.as_object().get_attr(vm.ids().__abstractmethods__, vm)?;
        let mut names = Vec::new();
        for method in methods.collect_iterable(vm)? {
            names.push(method.str(vm)?.to_string_lossy().into_owned());
        }
        names.sort();
        PyResult::Ok(names)
    })();
    let Ok(names) = names else { return Raised };
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let s = if names.len() > 1 { "s" } else { "" };
    vm.type_error(format!(
        "Can't instantiate abstract class {} without an implementation for abstract method{s} {}",
        cls.name(),
        quoted.join(", ")
    ))
}

/// The base class of the class hierarchy.
///
/// When called, it accepts no arguments and returns a new featureless
/// instance that has no instance attributes and cannot be given any.
#[pytype(
    name = "object",
    text_signature = "()",
    symbol = "PyBaseObject_Type",
    no_layout,
    no_base,
    static = OBJECT_TYPE,
    basicsize = size_of::<Object>(),
    flags(BASETYPE),
)]
impl ObjectMethods {
    /// Helper for pickle.
    #[method("($self, protocol, /)")]
    fn __reduce_ex__(zelf: &Object, protocol: i32, vm: &Vm) -> PyResult {
        // A class's own `__reduce__` goes before the protocol.
        let name = vm.ids().__reduce__;
        let own = lookup::lookup(zelf.ob_type(), name, vm).map(Object::as_ptr);
        if own != lookup::lookup(object_type(), name, vm).map(Object::as_ptr) {
            if let Some(reduce) = zelf.lookup_attr(name, vm)? {
                return reduce.call_no_args(vm);
            }
        }
        common_reduce(zelf, protocol, vm)
    }

    /// Helper for pickle.
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult {
        common_reduce(zelf, 0, vm)
    }

    /// Helper for pickle.
    #[method("($self, /)")]
    fn __getstate__(zelf: &Object, vm: &Vm) -> PyResult {
        default_getstate(zelf, false, vm)
    }

    /// Abstract classes can override this to customize issubclass().
    ///
    /// This is invoked early on by abc.ABCMeta.__subclasscheck__().
    /// It should return True, False or NotImplemented.  If it returns
    /// NotImplemented, the normal algorithm is used.  Otherwise, it
    /// overrides the normal algorithm (and the outcome is cached).
    #[classmethod("($type, object, /)")]
    fn __subclasshook__(_cls: &Type, _object: &Object, vm: &Vm) -> ObjRef {
        vm.not_implemented()
    }

    /// This method is called when a class is subclassed.
    ///
    /// The default implementation does nothing. It may be
    /// overridden to extend subclasses.
    #[classmethod("($type, /)")]
    fn __init_subclass__(_cls: &Type) {}

    /// Default object formatter.
    ///
    /// Return str(self) if format_spec is empty. Raise TypeError otherwise.
    #[method("($self, format_spec, /)")]
    fn __format__(zelf: &Object, format_spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        if format_spec.len() > 0 {
            return Err(vm.type_error(format!(
                "unsupported format string passed to {}.__format__",
                zelf.ob_type().tp_name_str()
            )));
        }
        zelf.str(vm)
    }

    /// Size of object in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(zelf: &Object) -> isize {
        let tp = zelf.ob_type();
        let mut size = tp.tp_basicsize.get();
        if tp.tp_itemsize.get() > 0 {
            // SAFETY: a type with an item size has variable-sized instances.
            let items = unsafe { (*zelf.as_ptr().cast::<VarObject>()).ob_size.get() };
            size = size.saturating_add(items.saturating_abs().saturating_mul(tp.tp_itemsize.get()));
        }
        size
    }

    /// Default dir() implementation.
    #[method("($self, /)")]
    fn __dir__(zelf: &Object, vm: &Vm) -> PyResult {
        let merged = vm.new_dict();
        if let Some(own) = zelf.lookup_attr(vm.ids().__dict__, vm)? {
            if own.downcast_ref::<Dict>().is_some() {
                merged.update_from(&own, true, vm)?;
            }
        }
        if let Some(cls) = zelf.lookup_attr(vm.ids().__class__, vm)? {
            super::type_::merge_class_dict(&merged, &cls, vm)?;
        }
        Ok(List::from_vec(merged.keys_vec(), vm).into_object())
    }

    /// the object's class
    #[getter]
    fn __class__(zelf: &Object) -> ObjRef {
        zelf.ob_type().as_object().to_ref()
    }

    #[setter]
    fn set___class__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("can't delete __class__ attribute")) };
        let Some(new) = value.downcast_ref::<Type>() else {
            return Err(vm.type_error(format!(
                "__class__ must be set to a class, not '{}' object",
                value.ob_type().tp_name_str()
            )));
        };
        audit_setattr(zelf, "__class__", value, vm)?;
        set_class(zelf, new, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if has_arguments(args, kwargs) {
            if !is_object_new(cls) {
                return Err(
                    vm.type_error("object.__new__() takes exactly one argument (the type to instantiate)")
                );
            }
            if is_object_init(cls) {
                return Err(vm.type_error(format!("{}() takes no arguments", cls.name())));
            }
        }
        if cls.has_flag(TypeFlags::IS_ABSTRACT) {
            return Err(abstract_error(cls, vm));
        }
        let Some(alloc) = cls.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        // SAFETY: the slot is called with a ready type.
        unsafe { vm.owned(alloc(std::ptr::from_ref(cls).cast_mut(), 0)) }
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if has_arguments(args, kwargs) {
            let tp = zelf.ob_type();
            if !is_object_init(tp) {
                return Err(vm.type_error(
                    "object.__init__() takes exactly one argument (the instance to initialize)",
                ));
            }
            if is_object_new(tp) {
                return Err(vm.type_error(format!(
                    "{}.__init__() takes exactly one argument (the instance to initialize)",
                    tp.name()
                )));
            }
        }
        Ok(())
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult {
        let tp = zelf.ob_type();
        let module = super::type_::type_module(tp, vm).ok().and_then(|m| m.downcast::<Str>().ok());
        vm.clear_exception();
        let qualname = super::type_::type_qualname(tp, vm).str(vm)?;
        let qualname = qualname.to_string_lossy();
        let text = match module {
            Some(module) if !module.eq_str("builtins") => {
                format!("<{}.{qualname} object at {:p}>", module.to_string_lossy(), zelf)
            }
            _ => format!("<{qualname} object at {:p}>", zelf),
        };
        Ok(vm.new_str(&text).into_object())
    }

    #[slot]
    fn tp_str(zelf: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        zelf.repr(vm)
    }

    #[slot]
    fn tp_hash(zelf: &Object) -> PyResult<isize> {
        Ok(pointer_hash(zelf))
    }

    #[slot]
    fn tp_richcompare(zelf: &Object, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        match op {
            CompareOp::Eq if zelf.is(other) => Ok(vm.new_bool(true)),
            CompareOp::Ne => {
                // The opposite of `==`, unless that knows no answer.
                let Some(compare) = zelf.ob_type().tp_richcompare.get() else {
                    return Ok(vm.not_implemented());
                };
                // SAFETY: a slot is called with live objects.
                let equal =
                    unsafe { vm.owned(compare(zelf.as_ptr(), other.as_ptr(), CompareOp::Eq as c_int)) }?;
                if vm.is_not_implemented(&equal) {
                    return Ok(equal);
                }
                Ok(vm.new_bool(!equal.is_true(vm)?))
            }
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    unsafe fn tp_getattro(object: *mut Object, name: *mut Object) -> *mut Object {
        // SAFETY: passed on.
        unsafe { crate::protocols::attributes::generic_getattro(object, name) }
    }

    #[slot]
    unsafe fn tp_setattro(object: *mut Object, name: *mut Object, value: *mut Object) -> c_int {
        // SAFETY: passed on.
        unsafe { crate::protocols::attributes::generic_setattro(object, name, value) }
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: the object is not used any more; its type is alive.
        unsafe {
            match (*op).ob_type().tp_free.get() {
                Some(free) => free(op.cast()),
                None => super::type_::heap::generic_free(op.cast()),
            }
        }
    }

    #[slot]
    unsafe fn tp_alloc(tp: *mut Type, items: isize) -> *mut Object {
        // SAFETY: passed on.
        unsafe { super::type_::heap::generic_alloc(tp, items) }
    }

    #[slot]
    unsafe fn tp_free(op: *mut std::ffi::c_void) {
        // SAFETY: passed on.
        unsafe { super::type_::heap::generic_free(op) }
    }
}

/// The hash of an address: objects are 16-byte aligned, so the low bits go to the top.
#[inline]
pub fn pointer_hash(object: &Object) -> isize {
    let address = object.as_ptr() as usize;
    match address.rotate_right(4) as isize {
        -1 => -2,
        hash => hash,
    }
}

/// `object.__class__ = new`.
fn set_class(object: &Object, new: &Type, vm: &Vm) -> PyResult<()> {
    let old = object.ob_type();
    let is_module = old.is_subtype_of(Module::type_object()) && new.is_subtype_of(Module::type_object());
    if !is_module && (!new.has_flag(TypeFlags::HEAPTYPE) || !old.has_flag(TypeFlags::HEAPTYPE)) {
        return Err(
            vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
        );
    }
    if !is_module && (new.has_flag(TypeFlags::IMMUTABLETYPE) || old.has_flag(TypeFlags::IMMUTABLETYPE)) {
        return Err(
            vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
        );
    }
    if !compatible_for_assignment(old, new) {
        return Err(vm.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            new.name(),
            old.name()
        )));
    }
    // Shared keys belong to the class: values move to a dictionary first.
    if old.has_flag(TypeFlags::INLINE_VALUES) && !std::ptr::eq(old, new) {
        managed::detach_inline_values(object, vm)?;
    }
    if new.has_flag(TypeFlags::HEAPTYPE) {
        new.as_object().incref();
    }
    let old_is_heap = old.has_flag(TypeFlags::HEAPTYPE);
    let old_ptr = old.as_object().as_ptr();
    object.set_type_ptr(new);
    if old_is_heap {
        // SAFETY: the object owned a reference to its old type.
        unsafe { taipan_object::object::decref(old_ptr) };
    }
    Ok(())
}

fn common_reduce(object: &Object, protocol: i32, vm: &Vm) -> PyResult {
    if protocol >= 2 {
        return reduce_newobj(object, vm);
    }
    let copyreg = crate::import::import_module_str(vm.ids().copyreg, vm)?;
    copyreg.call_method(&vm.intern("_reduce_ex"), &[object, &vm.new_int(protocol)], vm)
}

/// The attributes and slots of an object, for `pickle` and `copy` (PEP 307).
fn default_getstate(object: &Object, required: bool, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    let state = if crate::builtins::dict::managed::instance_dict_is_empty(object) {
        vm.none()
    } else {
        object.lookup_attr(vm.ids().__dict__, vm)?.unwrap_or_else(|| vm.none())
    };
    let copyreg = crate::import::import_module_str(vm.ids().copyreg, vm)?;
    if required && tp.tp_itemsize.get() != 0 {
        return Err(vm.type_error(format!("cannot pickle '{}' object", tp.name())));
    }
    let slot_names = slot_names(tp, &copyreg, vm)?;
    if required {
        let mut basic = object_type().tp_basicsize.get();
        if tp.tp_dictoffset.get() > 0 {
            basic += size_of::<*mut Object>() as isize;
        }
        if tp.tp_weaklistoffset.get() > 0 {
            basic += size_of::<*mut Object>() as isize;
        }
        if !vm.is_none(&slot_names) {
            basic += (slot_names.length(vm)? * size_of::<*mut Object>()) as isize;
        }
        if tp.tp_basicsize.get() > basic {
            return Err(vm.type_error(format!("cannot pickle '{}' object", tp.name())));
        }
    }
    if vm.is_none(&slot_names) || slot_names.length(vm)? == 0 {
        return Ok(state);
    }
    let slots = vm.new_dict();
    for name in slot_names.collect_iterable(vm)? {
        let Some(text) = name.downcast_ref::<Str>() else { continue };
        if let Some(value) = object.lookup_attr(text, vm)? {
            slots.set_item(&name, &value, vm)?;
        }
    }
    if slots.len() == 0 {
        return Ok(state);
    }
    Ok(vm.new_tuple([state, slots.into_object()]).into_object())
}

fn slot_names(tp: &Type, copyreg: &Object, vm: &Vm) -> PyResult {
    if let Some(dict) = lookup::type_dict(tp) {
        if let Some(cached) = dict.get_str(vm.ids().__slotnames__, vm)? {
            return Ok(cached);
        }
    }
    copyreg.call_method(&vm.intern("_slotnames"), &[tp.as_object()], vm)
}

fn reduce_newobj(object: &Object, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    if tp.tp_new.get().is_none() {
        return Err(vm.type_error(format!("cannot pickle '{}' object", tp.name())));
    }
    let (args, kwargs) = new_arguments(object, vm)?;
    let copyreg = crate::import::import_module_str(vm.ids().copyreg, vm)?;
    let cls = tp.as_object().to_ref();
    let has_args = args.is_some();
    let (maker, arguments) = match kwargs.filter(|k| k.len() > 0) {
        Some(kwargs) => {
            let maker = copyreg.get_attr(vm.ids().__newobj_ex__, vm)?;
            let args = args.unwrap_or_else(|| Tuple::empty(vm));
            (maker, vm.new_tuple([cls, args.into_object(), kwargs.into_object()]))
        }
        None => {
            let maker = copyreg.get_attr(vm.ids().__newobj__, vm)?;
            let mut all = vec![cls];
            if let Some(args) = &args {
                all.extend_from_slice(args.as_slice());
            }
            (maker, vm.new_tuple(all))
        }
    };
    let required =
        !has_args && object.downcast_ref::<List>().is_none() && object.downcast_ref::<Dict>().is_none();
    let name = vm.ids().__getstate__;
    let own = lookup::lookup(tp, name, vm).map(Object::as_ptr);
    let default = own == lookup::lookup(object_type(), name, vm).map(Object::as_ptr)
        && crate::builtins::dict::managed::instance_get(object, name, vm)?.is_none();
    let state =
        if default { default_getstate(object, required, vm)? } else { object.call_method(name, &[], vm)? };
    let list_items = match object.downcast_ref::<List>() {
        Some(_) => object.iter(vm)?,
        None => vm.none(),
    };
    let dict_items = match object.downcast_ref::<Dict>() {
        Some(_) => object.call_method(vm.ids().items, &[], vm)?.iter(vm)?,
        None => vm.none(),
    };
    Ok(vm.new_tuple([maker, arguments.into_object(), state, list_items, dict_items]).into_object())
}

type NewArguments = (Option<Ref<Tuple>>, Option<Ref<Dict>>);

/// What `__getnewargs_ex__` or `__getnewargs__` give.
fn new_arguments(object: &Object, vm: &Vm) -> PyResult<NewArguments> {
    if let Some(method) = object.lookup_special(vm.ids().__getnewargs_ex__, vm)? {
        let both = method.call_no_args(vm)?;
        let Some(tuple) = both.downcast_ref::<Tuple>() else {
            return Err(vm.type_error(format!(
                "__getnewargs_ex__ should return a tuple, not '{}'",
                both.ob_type().tp_name_str()
            )));
        };
        let [args, kwargs] = tuple.as_slice() else {
            return Err(vm.value_error(format!(
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                tuple.len()
            )));
        };
        let args = args.clone().downcast::<Tuple>().map_err(|given| {
            vm.type_error(format!(
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                given.ob_type().tp_name_str()
            ))
        })?;
        let kwargs = kwargs.clone().downcast::<Dict>().map_err(|given| {
            vm.type_error(format!(
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                given.ob_type().tp_name_str()
            ))
        })?;
        return Ok((Some(args), Some(kwargs)));
    }
    if let Some(method) = object.lookup_special(vm.ids().__getnewargs__, vm)? {
        let args = method.call_no_args(vm)?;
        let args = args.downcast::<Tuple>().map_err(|given| {
            vm.type_error(format!(
                "__getnewargs__ should return a tuple, not '{}'",
                given.ob_type().tp_name_str()
            ))
        })?;
        return Ok((Some(args), None));
    }
    Ok((None, None))
}
