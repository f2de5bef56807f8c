//! `type`: the type of types.

use std::ffi::{c_int, c_void};

use taipan_object::typeobject::HeapType;

pub use self::lookup::type_dict;
use self::lookup::{lookup, type_modified};
use crate::builtins::descr;
use crate::builtins::dict::managed;
use crate::prelude::*;
use crate::protocols::attributes::{bind, is_data_descriptor};
use crate::protocols::native::{status_to_c, to_c};
use crate::runtime::audit::audit_setattr;

pub mod bases;
pub mod checks;
pub mod heap;
pub mod lookup;
pub mod mro;
pub mod new;
pub mod ready;
pub mod slotdefs;
pub mod slots;
pub mod state;
pub mod update;
pub mod wrappers;

pub use heap::finalize_on_dealloc;
pub use ready::{set_constant, type_ready};

/// Declares `type`: its layout is `taipan_object::Type`.
pub struct TypeMethods;

/// Names that every type has without a macro: the layout's crate can't know them.
pub trait TypeExt {
    /// `type` itself.
    fn type_type() -> &'static Type;
}

impl TypeExt for Type {
    fn type_type() -> &'static Type {
        // SAFETY: static storage.
        unsafe { &*Type::static_type() }
    }
}

fn this(zelf: &Object) -> &Type {
    // SAFETY: the methods below are called with instances of `type`.
    unsafe { zelf.cast::<Type>() }
}

fn heap(tp: &Type) -> Option<&HeapType> {
    tp.as_heap_type()
}

/// `cls.__name__` as a str.
pub fn type_name(tp: &Type, vm: &Vm) -> Ref<Str> {
    match heap(tp).and_then(|h| Object::from_ptr(h.ht_name.get())) {
        Some(name) => name.to_ref().downcast::<Str>().unwrap_or_else(|_| vm.new_str(tp.name())),
        None => vm.new_str(tp.name()),
    }
}

/// `cls.__qualname__`.
pub fn type_qualname(tp: &Type, vm: &Vm) -> ObjRef {
    match heap(tp).and_then(|h| Object::from_ptr(h.ht_qualname.get())) {
        Some(name) => name.to_ref(),
        None => vm.new_str(tp.name()).into_object(),
    }
}

/// `cls.__module__`.
pub fn type_module(tp: &Type, vm: &Vm) -> PyResult {
    if heap(tp).is_some() {
        let found = type_dict(tp).map(|dict| dict.get_str(vm.ids().__module__, vm)).transpose()?.flatten();
        return found.ok_or_else(|| vm.attribute_error("__module__"));
    }
    match tp.tp_name_str().rsplit_once('.') {
        Some((module, _)) => Ok(vm.intern(module).into_object()),
        None => Ok(vm.ids().builtins.as_object().to_ref()),
    }
}

/// "module.qualname", or the bare name of a built-in: how messages show classes.
pub fn full_name(tp: &Type, vm: &Vm) -> PyResult<String> {
    let qualname = type_qualname(tp, vm);
    let qualname = qualname.str(vm)?.to_string_lossy().into_owned();
    let module = type_module(tp, vm).ok().and_then(|m| m.downcast::<Str>().ok());
    vm.clear_exception();
    Ok(match module {
        Some(module) if !module.eq_str("builtins") => format!("{}.{qualname}", module.to_string_lossy()),
        _ => qualname,
    })
}

/// `full_name` without `__main__`: the format `%T` of CPython's messages.
pub fn shown_name(tp: &Type, vm: &Vm) -> PyResult<String> {
    let name = full_name(tp, vm)?;
    Ok(match name.strip_prefix("__main__.") {
        Some(bare) => bare.to_owned(),
        None => name,
    })
}

fn check_settable(tp: &Type, value: Option<&Object>, name: &str, vm: &Vm) -> PyResult<()> {
    if tp.has_flag(TypeFlags::IMMUTABLETYPE) {
        return Err(
            vm.type_error(format!("cannot set '{name}' attribute of immutable type '{}'", tp.tp_name_str()))
        );
    }
    let Some(value) = value else {
        return Err(vm.type_error(format!(
            "cannot delete '{name}' attribute of immutable type '{}'",
            tp.tp_name_str()
        )));
    };
    audit_setattr(tp.as_object(), name, value, vm)
}

fn subtype_dict_get(object: &Object, vm: &Vm) -> PyResult {
    match native_dict_descriptor(object, vm)? {
        Some((descriptor, base)) => bind(&descriptor, Some(object), base, vm),
        None => managed::instance_dict(object, vm).map(Ref::into_object),
    }
}

fn subtype_dict_set(object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let Some((descriptor, _)) = native_dict_descriptor(object, vm)? else {
        return managed::set_instance_dict(object, value, vm);
    };
    let Some(set) = descriptor.ob_type().tp_descr_set.get() else {
        return Err(no_dict_descriptor(object, vm));
    };
    let raw = value.map_or(std::ptr::null_mut(), Object::as_ptr);
    // SAFETY: a slot is called with live objects; null deletes.
    vm.status(unsafe { set(descriptor.as_ptr(), object.as_ptr(), raw) })
}

/// The `__dict__` of the native base that already had a dictionary (`type`, a module, an exception): it decides.
fn native_dict_descriptor<'a>(object: &'a Object, vm: &Vm) -> PyResult<Option<(ObjRef, &'a Type)>> {
    let native = std::iter::successors(Some(object.ob_type()), |tp| tp.base())
        .find(|tp| tp.tp_dictoffset.get() != 0 && !tp.has_flag(TypeFlags::HEAPTYPE));
    let Some(base) = native else { return Ok(None) };
    let descriptor = lookup(base, vm.ids().__dict__, vm).map(Object::to_ref);
    match descriptor.filter(|found| is_data_descriptor(found)) {
        Some(descriptor) => Ok(Some((descriptor, base))),
        None => Err(no_dict_descriptor(object, vm)),
    }
}

fn no_dict_descriptor(object: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!(
        "this __dict__ descriptor does not support '{}' objects",
        object.ob_type().tp_name_str()
    ))
}

unsafe extern "C" fn get_dict(object: *mut Object, _closure: *mut c_void) -> *mut Object {
    // SAFETY: getters are called with live objects.
    to_c(subtype_dict_get(unsafe { &*object }, unsafe { Vm::current() }))
}

unsafe extern "C" fn set_dict(object: *mut Object, value: *mut Object, _closure: *mut c_void) -> c_int {
    // SAFETY: setters are called with live objects; null deletes.
    let (vm, object, value) = unsafe { (Vm::current(), &*object, value.as_ref()) };
    status_to_c(subtype_dict_set(object, value, vm))
}

unsafe extern "C" fn get_weakref(object: *mut Object, _closure: *mut c_void) -> *mut Object {
    // SAFETY: getters are called with live objects.
    to_c(Ok(crate::builtins::weakref::first_weakref(unsafe { &*object }, unsafe { Vm::current() })))
}

/// `__dict__` of instances of classes written in Python.
pub static SUBTYPE_DICT: GetSetDef = GetSetDef {
    name: c"__dict__".as_ptr(),
    get: Some(get_dict),
    set: Some(set_dict),
    doc: c"dictionary for instance variables".as_ptr(),
    closure: std::ptr::null_mut(),
};

/// `__weakref__` of instances of classes written in Python.
pub static SUBTYPE_WEAKREF: GetSetDef = GetSetDef {
    name: c"__weakref__".as_ptr(),
    get: Some(get_weakref),
    set: None,
    doc: c"list of weak references to the object".as_ptr(),
    closure: std::ptr::null_mut(),
};

/// `cls.name`: metatype data descriptor, the class and its bases, other metatype attribute.
pub fn type_getattr(tp: &Type, name: &Str, vm: &Vm) -> PyResult {
    match type_lookup_attr(tp, name, vm)? {
        Some(value) => Ok(value),
        None => {
            let text =
                format!("type object '{}' has no attribute '{}'", tp.tp_name_str(), name.to_string_lossy());
            Err(vm.attribute_error_for(text, tp.as_object(), name.as_object()))
        }
    }
}

/// `cls.name`, where a missing attribute is no error.
pub fn type_lookup_attr(tp: &Type, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if !tp.has_flag(TypeFlags::READY) {
        type_ready(tp, vm)?;
    }
    let metatype = tp.as_object().ob_type();
    let meta = lookup(metatype, name, vm).map(Object::to_ref);
    if let Some(attribute) = &meta {
        if is_data_descriptor(attribute) && attribute.ob_type().tp_descr_get.get().is_some() {
            return bind(attribute, Some(tp.as_object()), metatype, vm).map(Some);
        }
    }
    if let Some(attribute) = lookup(tp, name, vm).map(Object::to_ref) {
        return bind(&attribute, None, tp, vm).map(Some);
    }
    match meta {
        Some(attribute) => bind(&attribute, Some(tp.as_object()), metatype, vm).map(Some),
        None => Ok(None),
    }
}

/// `cls.name = value`, or `del cls.name`.
pub fn type_setattr(tp: &Type, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    if tp.has_flag(TypeFlags::IMMUTABLETYPE) {
        let name = name.to_string_lossy();
        return Err(
            vm.type_error(format!("cannot set '{name}' attribute of immutable type '{}'", tp.tp_name_str()))
        );
    }
    let name = Str::intern(Str::exact(name, vm), vm);
    let metatype = tp.as_object().ob_type();
    if let Some(attribute) = lookup(metatype, &name, vm).map(Object::to_ref) {
        if let Some(set) = attribute.ob_type().tp_descr_set.get() {
            let raw = value.map_or(std::ptr::null_mut(), Object::as_ptr);
            // SAFETY: a slot is called with live objects; null deletes.
            return vm.status(unsafe { set(attribute.as_ptr(), tp.as_object().as_ptr(), raw) });
        }
    }
    if tp.tp_dict.get().is_null() {
        // What mypyc compiles stores into a type before it readies it.
        tp.tp_dict.set(Dict::new(vm).into_object().into_raw());
    }
    let Some(dict) = type_dict(tp) else { return Err(vm.system_error("type without dictionary")) };
    type_modified(tp, vm);
    match value {
        Some(value) => dict.set_item(name.as_object(), value, vm)?,
        None => {
            if !dict.del_item(name.as_object(), vm)? {
                let text = format!(
                    "type object '{}' has no attribute '{}'",
                    tp.tp_name_str(),
                    name.to_string_lossy()
                );
                return Err(vm.attribute_error_for(text, tp.as_object(), name.as_object()));
            }
        }
    }
    type_modified(tp, vm);
    if tp.has_flag(TypeFlags::READY) {
        update::update_slot(tp, &name, vm);
    }
    if name.eq_str("__abstractmethods__") {
        let is_abstract = value.map(|v| v.is_true(vm)).transpose()?.unwrap_or(false);
        if is_abstract { tp.set_flag(TypeFlags::IS_ABSTRACT) } else { tp.clear_flag(TypeFlags::IS_ABSTRACT) }
    }
    Ok(())
}

/// `cls(*args, **kwargs)`: `__new__`, then `__init__` when the result is an instance.
pub fn type_call(tp: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
    if std::ptr::eq(tp, Type::type_type()) {
        match args.as_slice() {
            [object] if kwargs.is_none_or(|d| d.len() == 0) => {
                return Ok(object.ob_type().as_object().to_ref());
            }
            [_, _, _] => {}
            _ => return Err(vm.type_error("type() takes 1 or 3 arguments")),
        }
    }
    let Some(new) = tp.tp_new.get() else {
        return Err(vm.type_error(format!("cannot create '{}' instances", tp.tp_name_str())));
    };
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
    // SAFETY: slots are called with live objects.
    unsafe {
        let object = vm.owned(new(std::ptr::from_ref(tp).cast_mut(), args.as_object().as_ptr(), kwargs))?;
        if object.ob_type().is_subtype_of(tp) {
            if let Some(init) = object.ob_type().tp_init.get() {
                vm.status(init(object.as_raw(), args.as_object().as_ptr(), kwargs))?;
            }
        }
        Ok(object)
    }
}

/// `cls.__annotations__` and `cls.__annotate__` (PEP 649, PEP 749).
mod annotations {
    use super::*;

    pub fn get_annotate(tp: &Type, vm: &Vm) -> PyResult {
        let Some(dict) = heap(tp).and(type_dict(tp)) else {
            return Err(vm.attribute_error(format!(
                "type object '{}' has no attribute '__annotate__'",
                tp.tp_name_str()
            )));
        };
        for name in [vm.ids().__annotate__, vm.ids().__annotate_func__] {
            if let Some(value) = dict.get_str(name, vm)? {
                return bind(&value, None, tp, vm);
            }
        }
        dict.set_item(vm.ids().__annotate_func__.as_object(), vm.none_ref(), vm)?;
        Ok(vm.none())
    }

    pub fn set_annotate(tp: &Type, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
        let Some(dict) = heap(tp).and(type_dict(tp)) else {
            return Err(vm.type_error(format!(
                "cannot set '__annotate__' attribute of immutable type '{}'",
                tp.name()
            )));
        };
        if !vm.is_none(value) && !value.is_callable() {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        dict.set_item(vm.ids().__annotate_func__.as_object(), value, vm)?;
        if !vm.is_none(value) {
            dict.pop(vm.ids().__annotations_cache__.as_object(), vm)?;
        }
        type_modified(tp, vm);
        Ok(())
    }

    pub fn get_annotations(tp: &Type, vm: &Vm) -> PyResult {
        let Some(dict) = heap(tp).and(type_dict(tp)) else {
            return Err(vm.attribute_error(format!(
                "type object '{}' has no attribute '__annotations__'",
                tp.tp_name_str()
            )));
        };
        for name in [vm.ids().__annotations__, vm.ids().__annotations_cache__] {
            if let Some(value) = dict.get_str(name, vm)? {
                return bind(&value, None, tp, vm);
            }
        }
        let annotate = tp.as_object().get_attr(vm.ids().__annotate__, vm)?;
        let result = if annotate.is_callable() {
            let result = annotate.call(&[&vm.new_int(1)], vm)?;
            if result.downcast_ref::<Dict>().is_none() {
                return Err(vm.type_error(format!(
                    "__annotate__ returned non-dict of type '{}'",
                    result.ob_type().name()
                )));
            }
            result
        } else {
            vm.new_dict().into_object()
        };
        dict.set_item(vm.ids().__annotations_cache__.as_object(), &result, vm)?;
        type_modified(tp, vm);
        Ok(result)
    }

    pub fn set_annotations(tp: &Type, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(dict) = heap(tp).and(type_dict(tp)) else {
            return Err(vm.type_error(format!(
                "cannot set '__annotations__' attribute of immutable type '{}'",
                tp.name()
            )));
        };
        let explicit = dict.get_str(vm.ids().__annotations__, vm)?.is_some();
        let name = if explicit { vm.ids().__annotations__ } else { vm.ids().__annotations_cache__ };
        match value {
            Some(value) => dict.set_item(name.as_object(), value, vm)?,
            None => {
                if !dict.del_item(name.as_object(), vm)? {
                    return Err(vm.attribute_error("__annotations__"));
                }
            }
        }
        for stale in [vm.ids().__annotate_func__, vm.ids().__annotate__] {
            dict.pop(stale.as_object(), vm)?;
        }
        type_modified(tp, vm);
        Ok(())
    }
}

/// type(object) -> the object's type
/// type(name, bases, dict, **kwds) -> a new type
#[pytype(
    name = "type",
    symbol = "PyType_Type",
    no_layout,
    static = TYPE_TYPE,
    basicsize = size_of::<HeapType>(),
    itemsize = 40,
    vectorcall_offset = std::mem::offset_of!(Type, tp_vectorcall),
    weaklist_offset = std::mem::offset_of!(Type, tp_weaklist),
    dict_offset = std::mem::offset_of!(Type, tp_dict),
    flags(BASETYPE, TYPE_SUBCLASS, HAVE_GC, ITEMS_AT_END),
)]
impl TypeMethods {
    /// Return a type's method resolution order.
    #[method("($self, /)")]
    fn mro(zelf: &Object, vm: &Vm) -> PyResult {
        let tp = this(zelf);
        Ok(List::from_vec(mro::compute(tp, vm)?, vm).into_object())
    }

    /// Return a list of immediate subclasses.
    #[method("($self, /)")]
    fn __subclasses__(zelf: &Object, vm: &Vm) -> PyResult {
        let all = vm.interp().types.subclasses_of(this(zelf));
        Ok(List::from_vec(all.into_iter().map(Ref::into_object).collect(), vm).into_object())
    }

    /// Create the namespace for the class statement
    #[classmethod("(*args, **kwargs)", shown = "($cls, name, bases, /, **kwds)")]
    fn __prepare__(_cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        Ok(vm.new_dict().into_object())
    }

    /// Check if an object is an instance.
    #[method("($self, instance, /)")]
    fn __instancecheck__(zelf: &Object, instance: &Object, vm: &Vm) -> PyResult<bool> {
        checks::default_is_instance(instance, zelf, vm)
    }

    /// Check if a class is a subclass.
    #[method("($self, subclass, /)")]
    fn __subclasscheck__(zelf: &Object, subclass: &Object, vm: &Vm) -> PyResult<bool> {
        checks::default_is_subclass(subclass, zelf, vm)
    }

    /// Specialized __dir__ implementation for types.
    #[method("($self, /)")]
    fn __dir__(zelf: &Object, vm: &Vm) -> PyResult {
        let merged = vm.new_dict();
        merge_class_dict(&merged, zelf, vm)?;
        Ok(List::from_vec(merged.keys_vec(), vm).into_object())
    }

    /// Return memory consumption of the type object.
    #[method("($self, /)")]
    fn __sizeof__(zelf: &Object) -> usize {
        let tp = this(zelf);
        match heap(tp) {
            Some(_) => size_of::<HeapType>() + managed::shared_keys_size(tp),
            None => size_of::<Type>(),
        }
    }

    #[getter]
    fn __name__(zelf: &Object, vm: &Vm) -> Ref<Str> {
        type_name(this(zelf), vm)
    }

    #[setter]
    fn set___name__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__name__", vm)?;
        let (Some(value), Some(heap)) = (value, heap(tp)) else { return Ok(()) };
        let Some(name) = value.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "can only assign string to {}.__name__, not '{}'",
                tp.name(),
                value.ob_type().name()
            )));
        };
        let text = name.to_utf8(vm)?;
        if text.contains('\0') {
            return Err(vm.value_error("type name must not contain null characters"));
        }
        type_modified(tp, vm);
        new::set_tp_name(heap, text, vm)?;
        let old = heap.ht_name.replace(value.to_ref().into_raw());
        // SAFETY: the type owned the name.
        unsafe { taipan_object::object::xdecref(old) };
        Ok(())
    }

    #[getter]
    fn __qualname__(zelf: &Object, vm: &Vm) -> ObjRef {
        type_qualname(this(zelf), vm)
    }

    #[setter]
    fn set___qualname__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__qualname__", vm)?;
        let (Some(value), Some(heap)) = (value, heap(tp)) else { return Ok(()) };
        if value.downcast_ref::<Str>().is_none() {
            return Err(vm.type_error(format!(
                "can only assign string to {}.__qualname__, not '{}'",
                tp.name(),
                value.ob_type().name()
            )));
        }
        let old = heap.ht_qualname.replace(value.to_ref().into_raw());
        // SAFETY: the type owned the name.
        unsafe { taipan_object::object::xdecref(old) };
        Ok(())
    }

    #[getter]
    fn __module__(zelf: &Object, vm: &Vm) -> PyResult {
        type_module(this(zelf), vm)
    }

    #[setter]
    fn set___module__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__module__", vm)?;
        let (Some(value), Some(dict)) = (value, type_dict(tp)) else { return Ok(()) };
        type_modified(tp, vm);
        dict.pop(vm.ids().__firstlineno__.as_object(), vm)?;
        dict.set_item(vm.ids().__module__.as_object(), value, vm)
    }

    #[getter]
    fn __bases__(zelf: &Object, vm: &Vm) -> ObjRef {
        Object::from_ptr(this(zelf).tp_bases.get()).map_or_else(|| vm.none(), Object::to_ref)
    }

    #[setter]
    fn set___bases__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__bases__", vm)?;
        bases::set_bases(tp, value.unwrap_or(vm.none_ref()), vm)
    }

    #[getter]
    fn __base__(zelf: &Object, vm: &Vm) -> ObjRef {
        this(zelf).base().map_or_else(|| vm.none(), |base| base.as_object().to_ref())
    }

    #[getter]
    fn __mro__(zelf: &Object, vm: &Vm) -> ObjRef {
        Object::from_ptr(this(zelf).tp_mro.get()).map_or_else(|| vm.none(), Object::to_ref)
    }

    #[getter]
    fn __basicsize__(zelf: &Object) -> isize {
        this(zelf).tp_basicsize.get()
    }

    #[getter]
    fn __itemsize__(zelf: &Object) -> isize {
        this(zelf).tp_itemsize.get()
    }

    #[getter]
    fn __flags__(zelf: &Object) -> u64 {
        this(zelf).tp_flags.get()
    }

    #[getter]
    fn __dictoffset__(zelf: &Object) -> isize {
        this(zelf).tp_dictoffset.get()
    }

    #[getter]
    fn __weakrefoffset__(zelf: &Object) -> isize {
        this(zelf).tp_weaklistoffset.get()
    }

    #[getter]
    fn __dict__(zelf: &Object, vm: &Vm) -> PyResult {
        match type_dict(this(zelf)) {
            Some(dict) => Ok(descr::MappingProxy::new(dict.as_object(), vm).into_object()),
            None => Ok(vm.none()),
        }
    }

    #[getter]
    fn __doc__(zelf: &Object, vm: &Vm) -> PyResult {
        let tp = this(zelf);
        if heap(tp).is_none() {
            if let Some(text) = descr::doc_text(tp.tp_doc.get()) {
                return Ok(vm.new_str(descr::doc_body(tp.name(), text)).into_object());
            }
        }
        let found = type_dict(tp).map(|dict| dict.get_str(vm.ids().__doc__, vm)).transpose()?.flatten();
        match found {
            Some(doc) => bind(&doc, None, tp, vm),
            None => Ok(vm.none()),
        }
    }

    #[setter]
    fn set___doc__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__doc__", vm)?;
        let (Some(value), Some(dict)) = (value, type_dict(tp)) else { return Ok(()) };
        type_modified(tp, vm);
        dict.set_item(vm.ids().__doc__.as_object(), value, vm)
    }

    #[getter]
    fn __text_signature__(zelf: &Object, vm: &Vm) -> ObjRef {
        let tp = this(zelf);
        match descr::doc_text(tp.tp_doc.get()).and_then(|text| descr::doc_signature(tp.name(), text)) {
            Some(signature) => vm.new_str(signature).into_object(),
            None => vm.none(),
        }
    }

    #[getter]
    fn __abstractmethods__(zelf: &Object, vm: &Vm) -> PyResult {
        let tp = this(zelf);
        let name = vm.ids().__abstractmethods__;
        // `type` itself has the descriptor in its dictionary, which is no answer.
        let found = if std::ptr::eq(tp, Type::type_type()) {
            None
        } else {
            type_dict(tp).map(|dict| dict.get_str(name, vm)).transpose()?.flatten()
        };
        found.ok_or_else(|| vm.attribute_error_for("__abstractmethods__", zelf, name.as_object()))
    }

    #[setter]
    fn set___abstractmethods__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        let name = vm.ids().__abstractmethods__;
        let Some(dict) = type_dict(tp) else { return Ok(()) };
        let is_abstract = match value {
            Some(value) => {
                let truth = value.is_true(vm)?;
                dict.set_item(name.as_object(), value, vm)?;
                truth
            }
            None => {
                if !dict.del_item(name.as_object(), vm)? {
                    return Err(vm.attribute_error_for("__abstractmethods__", zelf, name.as_object()));
                }
                false
            }
        };
        type_modified(tp, vm);
        if is_abstract {
            tp.set_flag(TypeFlags::IS_ABSTRACT)
        } else {
            tp.clear_flag(TypeFlags::IS_ABSTRACT)
        }
        Ok(())
    }

    #[getter]
    fn __annotations__(zelf: &Object, vm: &Vm) -> PyResult {
        annotations::get_annotations(this(zelf), vm)
    }

    #[setter]
    fn set___annotations__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        annotations::set_annotations(this(zelf), value, vm)
    }

    #[getter]
    fn __annotate__(zelf: &Object, vm: &Vm) -> PyResult {
        annotations::get_annotate(this(zelf), vm)
    }

    #[setter]
    fn set___annotate__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        annotations::set_annotate(this(zelf), value, vm)
    }

    #[getter]
    fn __type_params__(zelf: &Object, vm: &Vm) -> PyResult {
        let tp = this(zelf);
        if std::ptr::eq(tp, Type::type_type()) {
            return Ok(Tuple::empty(vm).into_object());
        }
        let found =
            type_dict(tp).map(|dict| dict.get_str(vm.ids().__type_params__, vm)).transpose()?.flatten();
        Ok(found.unwrap_or_else(|| Tuple::empty(vm).into_object()))
    }

    #[setter]
    fn set___type_params__(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let tp = this(zelf);
        check_settable(tp, value, "__type_params__", vm)?;
        let (Some(value), Some(dict)) = (value, type_dict(tp)) else { return Ok(()) };
        dict.set_item(vm.ids().__type_params__.as_object(), value, vm)?;
        type_modified(tp, vm);
        Ok(())
    }

    /// Return a union of the types.
    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        crate::builtins::union::make_union(a, b, vm)
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult {
        let name = full_name(this(zelf), vm)?;
        Ok(vm.new_str(&format!("<class '{name}'>")).into_object())
    }

    #[slot]
    fn tp_call(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        type_call(this(zelf), args, kwargs, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        new::type_new(cls, args, kwargs, vm)
    }

    #[slot]
    fn tp_init(_zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if kwargs.is_some_and(|d| d.len() > 0) && args.len() == 1 {
            return Err(vm.type_error("type.__init__() takes no keyword arguments"));
        }
        match args.len() {
            1 | 3 => Ok(()),
            _ => Err(vm.type_error("type.__init__() takes 1 or 3 arguments")),
        }
    }

    #[slot]
    fn tp_getattro(zelf: &Object, name: &Str, vm: &Vm) -> PyResult {
        type_getattr(this(zelf), name, vm)
    }

    #[slot]
    fn tp_setattro(zelf: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        type_setattr(this(zelf), name, value, vm)
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: passed on.
        unsafe { heap::type_dealloc(op) }
    }

    #[slot]
    unsafe fn tp_traverse(
        op: *mut Object,
        visit: taipan_object::traverse::VisitProc,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: passed on.
        unsafe { heap::type_traverse(op, visit, arg) }
    }

    #[slot]
    unsafe fn tp_clear(op: *mut Object) -> c_int {
        // SAFETY: passed on.
        unsafe { heap::type_clear(op) }
    }

    #[slot]
    unsafe fn tp_is_gc(op: *mut Object) -> c_int {
        // SAFETY: passed on.
        unsafe { heap::type_is_gc(op) }
    }
}

/// Adds the names of a class and its bases to `merged`, bases first overwritten by nobody: only names matter.
pub fn merge_class_dict(merged: &Dict, cls: &Object, vm: &Vm) -> PyResult<()> {
    if let Some(dict) = cls.lookup_attr(vm.ids().__dict__, vm)? {
        merged.update_from(&dict, true, vm)?;
    }
    if let Some(bases) = cls.lookup_attr(vm.ids().__bases__, vm)? {
        if let Ok(bases) = bases.collect_iterable(vm) {
            for base in bases {
                merge_class_dict(merged, &base, vm)?;
            }
        } else {
            vm.clear_exception();
        }
    }
    Ok(())
}
