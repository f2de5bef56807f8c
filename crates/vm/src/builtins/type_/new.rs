//! Making classes: `type.__new__` (data model, "Customizing class creation").

use std::ffi::c_char;

use taipan_object::alloc;
use taipan_object::defs::{member, meth};
use taipan_object::typeobject::HeapType;

use super::TypeExt;
use super::lookup::lookup;
use super::ready::type_ready;
use crate::builtins::builtin_function::BuiltinFunction;
use crate::prelude::*;

fn shape_differs(a: &Type, b: &Type) -> bool {
    a.tp_basicsize.get() != b.tp_basicsize.get() || a.tp_itemsize.get() != b.tp_itemsize.get()
}

/// The base that determines the layout of the type's instances.
pub fn solid_base(tp: &Type) -> &Type {
    let base = match tp.base() {
        Some(base) => solid_base(base),
        None => return tp,
    };
    if shape_differs(tp, base) { tp } else { base }
}

/// The base whose layout the new class extends.
pub fn best_base<'a>(bases: &'a [ObjRef], vm: &Vm) -> PyResult<&'a Type> {
    let mut best: Option<(&Type, &Type)> = None;
    for entry in bases {
        let Some(base) = entry.downcast_ref::<Type>() else {
            return Err(vm.type_error("bases must be types"));
        };
        type_ready(base, vm)?;
        if !base.has_flag(TypeFlags::BASETYPE) {
            return Err(
                vm.type_error(format!("type '{}' is not an acceptable base type", base.tp_name_str()))
            );
        }
        let candidate = solid_base(base);
        match best {
            None => best = Some((base, candidate)),
            Some((_, winner)) if winner.is_subtype_of(candidate) => {}
            Some((_, winner)) if candidate.is_subtype_of(winner) => best = Some((base, candidate)),
            Some(_) => return Err(vm.type_error("multiple bases have instance lay-out conflict")),
        }
    }
    best.map(|(base, _)| base).ok_or_else(|| vm.type_error("a new-style class can't have only classic bases"))
}

/// The most derived metatype among the wanted one and those of the bases.
pub fn calculate_metaclass<'a>(metatype: &'a Type, bases: &'a [ObjRef], vm: &Vm) -> PyResult<&'a Type> {
    let mut winner = metatype;
    for base in bases {
        let tp = base.ob_type();
        if winner.is_subtype_of(tp) {
            continue;
        }
        if tp.is_subtype_of(winner) {
            winner = tp;
            continue;
        }
        return Err(vm.type_error(
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
        ));
    }
    Ok(winner)
}

/// `__slots__`, checked, mangled and sorted.
struct Slots {
    names: Vec<Ref<Str>>,
    /// `ht_slots`: the tuple of names, when the class has `__slots__`.
    tuple: Option<Ref<Tuple>>,
    add_dict: bool,
    add_weak: bool,
}

fn collect_slots(class_name: &Str, base: &Type, bases: &Tuple, dict: &Dict, vm: &Vm) -> PyResult<Slots> {
    let may_add_dict = base.tp_dictoffset.get() == 0;
    let may_add_weak = base.tp_weaklistoffset.get() == 0 && base.tp_itemsize.get() == 0;
    let Some(slots) = dict.get_str(vm.ids().__slots__, vm)? else {
        return Ok(Slots { names: Vec::new(), tuple: None, add_dict: may_add_dict, add_weak: may_add_weak });
    };
    let items = if slots.downcast_ref::<Str>().is_some() {
        vec![slots.clone()]
    } else {
        slots.collect_iterable(vm)?
    };
    if !items.is_empty() && base.tp_itemsize.get() != 0 {
        return Err(
            vm.type_error(format!("nonempty __slots__ not supported for subtype of '{}'", base.name()))
        );
    }
    let (mut add_dict, mut add_weak) = (false, false);
    let mut names: Vec<Ref<Str>> = Vec::new();
    for item in items {
        let Some(name) = item.downcast_ref::<Str>() else {
            return Err(
                vm.type_error(format!("__slots__ items must be strings, not '{}'", item.ob_type().name()))
            );
        };
        if !crate::builtins::str::is_identifier(name) {
            return Err(vm.type_error("__slots__ must be identifiers"));
        }
        if name.eq_str("__dict__") {
            if !may_add_dict || add_dict {
                return Err(vm.type_error("__dict__ slot disallowed: we already got one"));
            }
            add_dict = true;
            continue;
        }
        if name.eq_str("__weakref__") {
            if !may_add_weak || add_weak {
                return Err(vm.type_error("__weakref__ slot disallowed: we already got one"));
            }
            add_weak = true;
            continue;
        }
        let mangled = mangle(class_name, name, vm);
        let reserved = ["__qualname__", "__classcell__", "__classdictcell__", "__module__"];
        let set_by_class = reserved.iter().any(|r| mangled.eq_str(r));
        if dict.get_str(&mangled, vm)?.is_some() && !set_by_class {
            return Err(vm.value_error(format!(
                "{} in __slots__ conflicts with class variable",
                name.as_object().repr(vm)?.to_string_lossy()
            )));
        }
        names.push(mangled);
    }
    // The other bases may have brought what the one whose layout is extended lacks.
    for other in bases.as_slice().iter().filter_map(|other| other.downcast_ref::<Type>()) {
        if !std::ptr::eq(other, base) {
            add_dict |= may_add_dict && other.tp_dictoffset.get() != 0;
            add_weak |= may_add_weak && other.tp_weaklistoffset.get() != 0;
        }
    }
    names.sort_by(|a, b| a.to_string_lossy().cmp(&b.to_string_lossy()));
    let tuple = Tuple::from_vec(names.iter().map(|n| n.clone().into_object()).collect(), vm);
    Ok(Slots { names, tuple: Some(tuple), add_dict, add_weak })
}

/// Private name mangling (language reference, "Identifiers").
pub fn mangle(class_name: &Str, name: &Str, vm: &Vm) -> Ref<Str> {
    let (class, text) = (class_name.to_string_lossy(), name.to_string_lossy());
    let class = class.trim_start_matches('_');
    if !text.starts_with("__") || text.ends_with("__") || text.contains('.') || class.is_empty() {
        return Str::intern(Str::exact(name, vm), vm);
    }
    vm.intern(&format!("_{class}{text}"))
}

fn heap_layout_of_base(base: &Type) -> isize {
    base.tp_basicsize.get()
}

/// `type.__new__(metatype, name, bases, dict, **kwargs)`.
pub fn type_new(metatype: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
    let [name, bases, namespace] = args.as_slice() else {
        return Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({} given)", args.len())));
    };
    let Some(name) = name.downcast_ref::<Str>() else { return Err(bad_argument(1, "str", name, vm)) };
    let Some(bases) = bases.downcast_ref::<Tuple>() else { return Err(bad_argument(2, "tuple", bases, vm)) };
    let Some(namespace) = namespace.downcast_ref::<Dict>() else {
        return Err(bad_argument(3, "dict", namespace, vm));
    };
    let with_object;
    let bases = if bases.len() == 0 {
        with_object = Tuple::from_vec(vec![crate::builtins::object::object_type().as_object().to_ref()], vm);
        &*with_object
    } else {
        for base in bases.as_slice() {
            if base.downcast_ref::<Type>().is_none()
                && base.lookup_attr(vm.ids().__mro_entries__, vm)?.is_some()
            {
                return Err(
                    vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()")
                );
            }
        }
        let winner = calculate_metaclass(metatype, bases.as_slice(), vm)?;
        if !std::ptr::eq(winner, metatype) {
            let same_new =
                winner.tp_new.get().map(|f| f as usize) == Type::type_type().tp_new.get().map(|f| f as usize);
            if !same_new {
                if let Some(new) = winner.tp_new.get() {
                    let kwargs = kwargs.map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
                    // SAFETY: a slot is called with live objects.
                    return unsafe {
                        vm.owned(new(
                            std::ptr::from_ref(winner).cast_mut(),
                            args.as_object().as_ptr(),
                            kwargs,
                        ))
                    };
                }
            }
            return build(winner, name, bases, namespace, kwargs, vm);
        }
        bases
    };
    build(metatype, name, bases, namespace, kwargs, vm)
}

fn bad_argument(position: usize, wanted: &str, given: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!(
        "type.__new__() argument {position} must be {wanted}, not {}",
        given.ob_type().name()
    ))
}

fn build(
    metatype: &Type,
    name: &Str,
    bases: &Tuple,
    namespace: &Dict,
    kwargs: Option<&Dict>,
    vm: &Vm,
) -> PyResult {
    let base = best_base(bases.as_slice(), vm)?;
    let dict = vm.new_dict();
    dict.update_from(namespace.as_object(), true, vm)?;
    let slots = collect_slots(name, base, bases, &dict, vm)?;
    let utf8 = name.to_utf8(vm)?;
    if utf8.contains('\0') {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    let Some(allocate) = metatype.tp_alloc.get() else {
        return Err(vm.system_error("metatype without tp_alloc"));
    };
    // SAFETY: `tp_alloc` of a metatype gives a zeroed heap type with room for the members.
    let class: Ref<Type> = unsafe {
        vm.owned(allocate(std::ptr::from_ref(metatype).cast_mut(), slots.names.len() as isize))?.cast_into()
    };
    let tp: &Type = &class;
    // Even an instance without slots refers to something: its class.
    let mut flags = TypeFlags::HEAPTYPE | TypeFlags::BASETYPE | TypeFlags::HAVE_FINALIZE | TypeFlags::HAVE_GC;
    if slots.add_dict {
        flags |= TypeFlags::MANAGED_DICT;
    }
    if slots.add_weak {
        flags |= TypeFlags::MANAGED_WEAKREF;
    }
    tp.tp_flags.set(flags);
    // SAFETY: allocated as a heap type by the metatype.
    let heap = unsafe { &*class.as_raw().cast::<HeapType>() };
    tp.tp_as_async.set(&heap.as_async);
    tp.tp_as_number.set(&heap.as_number);
    tp.tp_as_sequence.set(&heap.as_sequence);
    tp.tp_as_mapping.set(&heap.as_mapping);
    tp.tp_as_buffer.set(&heap.as_buffer);
    heap.ht_name.set(Str::exact(name, vm).into_object().into_raw());
    set_tp_name(heap, utf8, vm)?;
    base.as_object().incref();
    tp.tp_base.set(base);
    tp.tp_bases.set(bases.as_object().to_ref().into_raw());
    tp.tp_dict.set(dict.clone().into_object().into_raw());
    if let Some(tuple) = &slots.tuple {
        heap.ht_slots.set(tuple.clone().into_object().into_raw());
    }
    tp.tp_dealloc.set(Some(super::heap::subtype_dealloc));
    tp.tp_traverse.set(Some(super::heap::subtype_traverse));
    tp.tp_clear.set(Some(super::heap::subtype_clear));
    tp.tp_alloc.set(Some(super::heap::generic_alloc));
    tp.tp_free.set(Some(super::heap::free_of_subclass(base)));
    add_slot_members(tp, base, &slots, vm)?;
    set_names(tp, heap, &dict, vm)?;
    wrap_special_functions(&dict, vm)?;
    let class_cell = take_cell(&dict, vm.ids().__classcell__, vm)?;
    let dict_cell = take_cell(&dict, vm.ids().__classdictcell__, vm)?;
    add_slot_descriptors(tp, &dict, &slots, vm)?;
    warn_of_other_keys(name, &dict, vm)?;
    if slots.add_dict && dict.get_str(vm.ids().__dict__, vm)?.is_none() {
        let getset = crate::builtins::descr::GetSetDescriptor::new(tp, &super::SUBTYPE_DICT, vm);
        dict.set_item(vm.ids().__dict__.as_object(), getset.as_object(), vm)?;
    }
    if slots.add_weak && dict.get_str(vm.ids().__weakref__, vm)?.is_none() {
        let getset = crate::builtins::descr::GetSetDescriptor::new(tp, &super::SUBTYPE_WEAKREF, vm);
        dict.set_item(vm.ids().__weakref__.as_object(), getset.as_object(), vm)?;
    }
    type_ready(tp, vm)?;
    super::update::fill_slots(tp, vm);
    if let Some(cell) = class_cell {
        cell.contents.put(class.clone().into_object());
    }
    if let Some(cell) = dict_cell {
        cell.contents.put(dict.clone().into_object());
    }
    call_set_names(tp, &dict, vm)?;
    call_init_subclass(tp, kwargs, vm)?;
    Ok(class.into_object())
}

/// Stores `tp_name`: a NUL-terminated copy that the type owns.
pub fn set_tp_name(heap: &HeapType, name: &str, vm: &Vm) -> PyResult<()> {
    let copy = alloc::raw_malloc(name.len() + 1);
    if copy.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: the block has room for the text and its NUL.
    unsafe {
        copy.copy_from_nonoverlapping(name.as_ptr(), name.len());
        copy.add(name.len()).write(0);
        heap.ht_type.tp_name.set(copy.cast::<c_char>());
        alloc::raw_free(heap.ht_tpname.replace(copy.cast()).cast());
    }
    Ok(())
}

/// Room in the instance and a member definition for each slot.
fn add_slot_members(tp: &Type, base: &Type, slots: &Slots, vm: &Vm) -> PyResult<()> {
    let mut offset = heap_layout_of_base(base);
    let start = tp.as_object().ob_type().tp_basicsize.get();
    for (i, name) in slots.names.iter().enumerate() {
        let interned = Str::intern(name.clone(), vm);
        let text = std::ffi::CString::new(interned.to_utf8(vm)?)
            .map_err(|_| vm.type_error("__slots__ must be identifiers"))?;
        // The name is kept as long as the process: classes with slots are few, and descriptors may outlive the class.
        let def = MemberDef {
            name: text.into_raw(),
            kind: member::OBJECT_EX,
            offset,
            flags: 0,
            doc: std::ptr::null(),
        };
        // SAFETY: the metatype's `tp_alloc` made room for one definition per name behind the struct.
        unsafe {
            std::ptr::from_ref(tp).cast_mut().byte_offset(start).cast::<MemberDef>().add(i).write(def);
        }
        offset += size_of::<*mut Object>() as isize;
    }
    tp.tp_basicsize.set(offset);
    tp.tp_itemsize.set(base.tp_itemsize.get());
    if slots.add_dict {
        tp.tp_dictoffset.set(-1);
    }
    if slots.add_weak {
        tp.tp_weaklistoffset.set(-32);
    }
    Ok(())
}

/// The descriptors of the slots, where the namespace has nothing else of that name.
fn add_slot_descriptors(tp: &Type, dict: &Dict, slots: &Slots, vm: &Vm) -> PyResult<()> {
    let members: &[MemberDef] = super::heap::slot_members(tp);
    for (def, name) in members.iter().zip(&slots.names) {
        let descriptor = crate::builtins::descr::MemberDescriptor::new(tp, def, vm);
        if dict.get_str(name, vm)?.is_none() {
            dict.set_item(name.as_object(), descriptor.as_object(), vm)?;
        }
    }
    Ok(())
}

/// `__module__`, `__qualname__` and `__doc__`.
fn set_names(tp: &Type, heap: &HeapType, dict: &Dict, vm: &Vm) -> PyResult<()> {
    let ids = vm.ids();
    if dict.get_str(ids.__module__, vm)?.is_none() {
        if let Some(globals) = crate::interpreter::current_globals(vm) {
            if let Some(module) = globals.get_str(ids.__name__, vm)? {
                dict.set_item(ids.__module__.as_object(), &module, vm)?;
            }
        }
    }
    let qualname = match dict.get_str(ids.__qualname__, vm)? {
        Some(qualname) => {
            if qualname.downcast_ref::<Str>().is_none() {
                return Err(vm.type_error(format!(
                    "type __qualname__ must be a str, not {}",
                    qualname.ob_type().name()
                )));
            }
            dict.del_item(ids.__qualname__.as_object(), vm)?;
            qualname
        }
        // SAFETY: the name was set before.
        None => unsafe { (*heap.ht_name.get()).to_ref() },
    };
    heap.ht_qualname.set(qualname.into_raw());
    if let Some(doc) = dict.get_str(ids.__doc__, vm)? {
        if let Some(text) = doc.downcast_ref::<Str>() {
            let text = text.to_utf8(vm)?;
            let copy = alloc::raw_malloc(text.len() + 1);
            if copy.is_null() {
                return Err(vm.memory_error());
            }
            // SAFETY: the block has room for the text and its NUL.
            unsafe {
                copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
                copy.add(text.len()).write(0);
            }
            tp.tp_doc.set(copy.cast::<c_char>());
        }
    }
    Ok(())
}

/// `__new__` is a static method, `__init_subclass__` and `__class_getitem__` are class methods without saying so.
fn wrap_special_functions(dict: &Dict, vm: &Vm) -> PyResult<()> {
    let ids = vm.ids();
    if let Some(new) = dict.get_str(ids.__new__, vm)? {
        if new.downcast_exact::<Function>().is_some() {
            let wrapped = crate::builtins::classmethod::StaticMethod::new_for(&new, vm);
            dict.set_item(ids.__new__.as_object(), &wrapped, vm)?;
        }
    }
    for name in [ids.__init_subclass__, ids.__class_getitem__] {
        if let Some(function) = dict.get_str(name, vm)? {
            if function.downcast_exact::<Function>().is_some() {
                let wrapped = crate::builtins::classmethod::ClassMethod::new_for(&function, vm);
                dict.set_item(name.as_object(), &wrapped, vm)?;
            }
        }
    }
    Ok(())
}

/// A `RuntimeWarning` when a key of the namespace is no string.
fn warn_of_other_keys(name: &Str, dict: &Dict, vm: &Vm) -> PyResult<()> {
    if dict.keys_vec().iter().all(|key| key.downcast_ref::<Str>().is_some()) {
        return Ok(());
    }
    let text = format!("non-string key in the __dict__ of class {}", name.to_string_lossy());
    crate::builtins::warn::warn(crate::exceptions::types::runtime_warning(), &text, 1, vm)
}

/// Takes the cell that the compiler left in the namespace.
fn take_cell(dict: &Dict, name: &Str, vm: &Vm) -> PyResult<Option<Ref<PyCell>>> {
    let Some(cell) = dict.get_str(name, vm)? else { return Ok(None) };
    let Ok(cell) = cell.downcast::<PyCell>() else {
        let text = name.to_string_lossy();
        return Err(vm.type_error(format!("{text} must be a nonlocal cell, not <class '{}'>", "object")));
    };
    dict.del_item(name.as_object(), vm)?;
    Ok(Some(cell))
}

/// `__set_name__` of everything in the namespace (PEP 487).
fn call_set_names(tp: &Type, dict: &Dict, vm: &Vm) -> PyResult<()> {
    for (key, value) in dict.copy(vm).items_vec() {
        let Some(method) = lookup(value.ob_type(), vm.ids().__set_name__, vm).map(Object::to_ref) else {
            continue;
        };
        let method = crate::protocols::attributes::bind(&method, Some(&value), value.ob_type(), vm)?;
        if method.call(&[tp.as_object(), &key], vm).is_err() {
            if let Some(raised) = vm.current_exception.get() {
                let note = format!(
                    "Error calling __set_name__ on '{}' instance {} in '{}'",
                    value.ob_type().name(),
                    key.repr(vm).map(|r| r.to_string_lossy().into_owned()).unwrap_or_default(),
                    tp.name()
                );
                let waiting = vm.take_exception();
                if raised.add_note(&vm.new_str(&note), vm).is_err() {
                    vm.clear_exception();
                }
                vm.current_exception.set(waiting);
            }
            return Err(Raised);
        }
    }
    Ok(())
}

/// `super(cls, cls).__init_subclass__(**kwargs)` (PEP 487).
fn call_init_subclass(tp: &Type, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    let function = crate::builtins::super_::super_attr(tp, tp.as_object(), vm.ids().__init_subclass__, vm)?;
    function.call_tuple_dict(&Tuple::empty(vm), kwargs, vm).map(drop)
}

const NEW_DEF: MethodDef = MethodDef {
    ml_name: c"__new__".as_ptr(),
    // SAFETY: the flags tell callers the true signature.
    ml_meth: Some(unsafe {
        std::mem::transmute::<taipan_object::defs::CFunctionKw, taipan_object::defs::CFunction>(call_new)
    }),
    ml_flags: meth::VARARGS | meth::KEYWORDS,
    ml_doc: c"__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature.".as_ptr(),
};

/// The `__new__` of a native type: a built-in function that knows its type.
pub fn new_wrapper(tp: &Type, vm: &Vm) -> ObjRef {
    static DEF: MethodDef = NEW_DEF;
    BuiltinFunction::new(&DEF, Some(tp.as_object().to_ref()), None, vm).into_object()
}

/// Whether a function is the `__new__` that `new_wrapper` made, and for which type.
pub fn wrapped_new_of(function: &Object) -> Option<Ref<Type>> {
    let function = function.downcast_exact::<BuiltinFunction>()?;
    let def = function.def();
    let ours = NEW_DEF.ml_meth.map(|f| f as usize);
    if def.ml_meth.map(|f| f as usize) != ours {
        return None;
    }
    function.bound_self()?.downcast::<Type>().ok()
}

unsafe extern "C" fn call_new(zelf: *mut Object, args: *mut Object, kwargs: *mut Object) -> *mut Object {
    // SAFETY: built-in functions are called with live objects: the type, a tuple and a dict or null.
    let (vm, tp, args, kwargs) =
        unsafe { (Vm::current(), (*zelf).cast::<Type>(), (*args).cast::<Tuple>(), kwargs) };
    crate::protocols::native::to_c((|| {
        let name = tp.name();
        let Some(cls) = args.as_slice().first() else {
            return Err(vm.type_error(format!("{name}.__new__(): not enough arguments")));
        };
        let Some(cls) = cls.downcast_ref::<Type>() else {
            return Err(vm.type_error(format!(
                "{name}.__new__(X): X is not a type object ({})",
                cls.ob_type().name()
            )));
        };
        if !cls.is_subtype_of(tp) {
            return Err(
                vm.type_error(format!("{name}.__new__({0}): {0} is not a subtype of {name}", cls.name()))
            );
        }
        // The nearest native base must be the one whose `__new__` this is.
        let mut native = Some(cls);
        while let Some(current) = native {
            if !current.tp_new.get().is_some_and(|f| {
                std::ptr::fn_addr_eq(f, super::slots::slot_new as taipan_object::typeobject::NewFunc)
            }) {
                break;
            }
            native = current.base();
        }
        if let Some(native) = native {
            if native.tp_new.get().is_none() {
                let shown = native.tp_name_str();
                return Err(vm.type_error(format!("cannot create '{shown}' instances")));
            }
            if native.tp_new.get().map(|f| f as usize) != tp.tp_new.get().map(|f| f as usize) {
                return Err(vm.type_error(format!(
                    "{name}.__new__({}) is not safe, use {}.__new__()",
                    cls.name(),
                    native.name()
                )));
            }
        }
        let Some(new) = tp.tp_new.get() else {
            return Err(vm.type_error(format!("cannot create '{name}' instances")));
        };
        let rest = Tuple::from_vec(args.as_slice().iter().skip(1).cloned().collect(), vm);
        // SAFETY: a slot is called with live objects.
        unsafe { vm.owned(new(std::ptr::from_ref(cls).cast_mut(), rest.as_object().as_ptr(), kwargs)) }
    })())
}

/// `object.__class__ = cls` between classes of the same layout.
pub fn compatible_for_assignment(old: &Type, new: &Type) -> bool {
    let (old_solid, new_solid) = (compatible_base(old), compatible_base(new));
    if !std::ptr::eq(old_solid, new_solid) && !same_slots_added(old_solid, new_solid) {
        return false;
    }
    old.tp_basicsize.get() == new.tp_basicsize.get()
        && old.tp_itemsize.get() == new.tp_itemsize.get()
        && old.tp_dictoffset.get() == new.tp_dictoffset.get()
        && old.tp_weaklistoffset.get() == new.tp_weaklistoffset.get()
        && old.is_gc() == new.is_gc()
        && old.has_flag(TypeFlags::INLINE_VALUES) == new.has_flag(TypeFlags::INLINE_VALUES)
}

/// Walks up while the base has the very same layout.
fn compatible_base(tp: &Type) -> &Type {
    let mut walk = tp;
    while let Some(base) = walk.base() {
        if walk.tp_basicsize.get() == base.tp_basicsize.get()
            && walk.tp_itemsize.get() == base.tp_itemsize.get()
            && walk.tp_dictoffset.get() == base.tp_dictoffset.get()
            && walk.tp_weaklistoffset.get() == base.tp_weaklistoffset.get()
            && walk.has_flag(TypeFlags::PREHEADER) == base.has_flag(TypeFlags::PREHEADER)
        {
            walk = base;
        } else {
            break;
        }
    }
    walk
}

/// Two classes that extend the same base by the same slots are interchangeable.
fn same_slots_added(a: &Type, b: &Type) -> bool {
    let (Some(base_a), Some(base_b)) = (a.base(), b.base()) else { return false };
    if !std::ptr::eq(base_a, base_b) && !std::ptr::eq(compatible_base(base_a), compatible_base(base_b)) {
        return false;
    }
    let names = |tp: &Type| -> Vec<String> {
        super::heap::slot_members(tp)
            .iter()
            // SAFETY: the names of slots are NUL-terminated and never freed.
            .map(|m| unsafe { std::ffi::CStr::from_ptr(m.name) }.to_string_lossy().into_owned())
            .collect()
    };
    names(a) == names(b)
}
