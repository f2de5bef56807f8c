//! `PyType_Ready`: fills a type's dictionary from its tables and its empty slots from its bases.

use std::ffi::{CStr, c_int};

use taipan_object::typeobject::{
    AsyncMethods, BufferProcs, FreeFunc, HashFunc, MappingMethods, NumberMethods, SequenceMethods,
};

use super::heap::{generic_alloc, generic_free};
use super::lookup::{mro, type_dict};
use super::slotdefs::{SLOT_DEFS, slot_ptr};
use crate::builtins::descr;
use crate::prelude::*;

/// Makes a type usable. Its base is readied first.
pub fn type_ready(tp: &Type, vm: &Vm) -> PyResult<()> {
    if tp.has_flag(TypeFlags::READY) {
        return Ok(());
    }
    if tp.has_flag(TypeFlags::READYING) {
        // A metaclass's `mro()` uses the class that it is asked for: with a dictionary it is good enough for that.
        return if tp.tp_dict.get().is_null() {
            Err(vm.system_error("a type is readied while it is being readied"))
        } else {
            Ok(())
        };
    }
    tp.set_flag(TypeFlags::READYING);
    let result = ready(tp, vm);
    tp.clear_flag(TypeFlags::READYING);
    if result.is_ok() {
        tp.set_flag(TypeFlags::READY);
    }
    result
}

/// Puts a constant into a static type, unless it is there. It lives forever, as the type does.
pub fn set_constant(tp: &Type, name: &str, value: &Object, vm: &Vm) -> PyResult<()> {
    let name = vm.intern(name);
    match type_dict(tp) {
        Some(dict) if !dict.contains_key(name.as_object(), vm)? => {
            value.make_immortal();
            dict.set_str(&name, value, vm)
        }
        _ => Ok(()),
    }
}

fn ready(tp: &Type, vm: &Vm) -> PyResult<()> {
    if !tp.has_flag(TypeFlags::HEAPTYPE) {
        tp.set_flag(TypeFlags::IMMUTABLETYPE);
    }
    let object = crate::builtins::object::object_type();
    let is_root = std::ptr::eq(tp, object);
    if tp.tp_base.get().is_null() && !is_root {
        tp.tp_base.set(object);
    }
    if let Some(base) = tp.base() {
        if tp.has_flag(TypeFlags::HEAPTYPE) && tp.tp_bases.get().is_null() {
            base.as_object().incref();
        }
        type_ready(base, vm)?;
        if tp.as_object().type_ptr().is_null() {
            tp.as_object().set_type_ptr(base.as_object().type_ptr());
        }
    }
    if tp.tp_bases.get().is_null() {
        let bases: Vec<ObjRef> = tp.base().map(|base| base.as_object().to_ref()).into_iter().collect();
        tp.tp_bases.set(Tuple::from_vec(bases, vm).into_object().into_raw());
    }
    if tp.tp_dict.get().is_null() {
        tp.tp_dict.set(Dict::new(vm).into_object().into_raw());
    }
    add_operators(tp, vm)?;
    add_members(tp, vm)?;
    if let Some(old) = super::mro::set_mro(tp, vm)? {
        // SAFETY: null, or the order that the type owned before.
        unsafe { taipan_object::object::xdecref(old) };
    }
    if let Some(base) = tp.base() {
        inherit_special(tp, base);
    }
    for base in mro(tp).iter().skip(1) {
        // SAFETY: the items of `tp_mro` are types.
        let base = unsafe { base.cast::<Type>() };
        inherit_slots(tp, base);
        let patterns = TypeFlags::SEQUENCE | TypeFlags::MAPPING;
        if !tp.has_flag(patterns) {
            tp.set_flag(base.tp_flags.get() & patterns);
        }
    }
    if let Some(base) = tp.base() {
        inherit_suites(tp, base);
    }
    add_doc_and_new(tp, vm)?;
    set_hash(tp, vm)?;
    if tp.has_flag(TypeFlags::MANAGED_DICT) && tp.has_flag(TypeFlags::HEAPTYPE) {
        crate::builtins::dict::managed::new_shared_keys(tp);
        // Values lie directly behind the fields and are words.
        if tp.tp_itemsize.get() == 0 && tp.tp_basicsize.get() % 8 == 0 {
            tp.set_flag(TypeFlags::INLINE_VALUES);
        }
    }
    for base in super::mro::bases(tp) {
        // SAFETY: bases are types.
        vm.interp().types.add_subclass(unsafe { base.cast::<Type>() }, tp);
    }
    Ok(())
}

/// A slot wrapper for each slot that the type itself fills.
fn add_operators(tp: &Type, vm: &Vm) -> PyResult<()> {
    let Some(dict) = type_dict(tp) else { return Ok(()) };
    for def in &SLOT_DEFS {
        if def.wrapper.is_null() {
            continue;
        }
        let slot = slot_ptr(tp, def.offset);
        // SAFETY: `slot_ptr` gives null or the address of a slot.
        let Some(&function) = (unsafe { slot.as_ref() }) else { continue };
        if function.is_null() || has_bases_slot(tp, def.offset, function) {
            continue;
        }
        let name = vm.intern(def.name());
        if dict.get_item(name.as_object(), vm)?.is_some() {
            continue;
        }
        let hash_not_implemented = crate::builtins::object::hash_not_implemented as HashFunc as *const ();
        if std::ptr::eq(function, hash_not_implemented) {
            dict.set_item(name.as_object(), vm.none_ref(), vm)?;
        } else {
            let wrapper = descr::WrapperDescriptor::new(tp, def, function, vm);
            dict.set_item(name.as_object(), wrapper.as_object(), vm)?;
        }
    }
    Ok(())
}

/// Whether a static type's slot is its base's: it is inherited then, whoever wrote it down.
fn has_bases_slot(tp: &Type, offset: c_int, function: *const ()) -> bool {
    let Some(base) = tp.base().filter(|_| !tp.has_flag(TypeFlags::HEAPTYPE)) else { return false };
    // SAFETY: `slot_ptr` gives null or the address of a slot.
    if unsafe { slot_ptr(base, offset).as_ref() }.is_none_or(|inherited| !std::ptr::eq(*inherited, function))
    {
        return false;
    }
    let hash = std::mem::offset_of!(Type, tp_hash) as c_int;
    let compare = std::mem::offset_of!(Type, tp_richcompare) as c_int;
    let compares = |tp: &Type| tp.tp_richcompare.get().map(|f| f as usize);
    let hashes = |tp: &Type| tp.tp_hash.get().map(|f| f as usize);
    // These two are inherited together or not at all.
    (offset != hash || compares(tp) == compares(base)) && (offset != compare || hashes(tp) == hashes(base))
}

/// Reads a definition table that ends with a null name.
///
/// # Safety
/// `table` is null or such a table.
unsafe fn entries<'a, T>(table: *const T, is_end: impl Fn(&T) -> bool) -> Vec<&'a T> {
    let mut found = Vec::new();
    if table.is_null() {
        return found;
    }
    let mut at = table;
    loop {
        // SAFETY: the table's end has not been reached.
        let entry = unsafe { &*at };
        if is_end(entry) {
            return found;
        }
        found.push(entry);
        // SAFETY: there is at least the end behind an entry.
        at = unsafe { at.add(1) };
    }
}

fn name_of(name: *const std::ffi::c_char, vm: &Vm) -> Ref<Str> {
    // SAFETY: names in definition tables are NUL-terminated.
    vm.intern(&unsafe { CStr::from_ptr(name) }.to_string_lossy())
}

/// Descriptors for methods, members and computed attributes.
fn add_members(tp: &Type, vm: &Vm) -> PyResult<()> {
    let Some(dict) = type_dict(tp) else { return Ok(()) };
    // SAFETY: the tables of a type end with a null name and live as long as it.
    let (methods, members, getsets) = unsafe {
        (
            entries(tp.tp_methods.get(), |m: &MethodDef| m.ml_name.is_null()),
            entries(tp.tp_members.get(), |m: &MemberDef| m.name.is_null()),
            entries(tp.tp_getset.get(), |m: &GetSetDef| m.name.is_null()),
        )
    };
    for def in methods {
        let name = name_of(def.ml_name, vm);
        let coexist = def.ml_flags & taipan_object::defs::meth::COEXIST != 0;
        if !coexist && dict.get_item(name.as_object(), vm)?.is_some() {
            continue;
        }
        let descriptor = descr::method_for_type(tp, def, vm)?;
        dict.set_item(name.as_object(), &descriptor, vm)?;
    }
    for def in members {
        let name = name_of(def.name, vm);
        if dict.get_item(name.as_object(), vm)?.is_none() {
            let descriptor = descr::MemberDescriptor::new(tp, def, vm);
            dict.set_item(name.as_object(), descriptor.as_object(), vm)?;
        }
    }
    for def in getsets {
        let name = name_of(def.name, vm);
        if dict.get_item(name.as_object(), vm)?.is_none() {
            let descriptor = descr::GetSetDescriptor::new(tp, def, vm);
            dict.set_item(name.as_object(), descriptor.as_object(), vm)?;
        }
    }
    Ok(())
}

macro_rules! inherit {
    ($to:expr, $from:expr, $($slot:ident)*) => {$(
        if $to.$slot.get().is_none() {
            $to.$slot.set($from.$slot.get());
        }
    )*};
}

/// Sizes, offsets and flags that go from the base to the type.
fn inherit_special(tp: &Type, base: &Type) {
    if !tp.is_gc() && base.is_gc() && tp.tp_traverse.get().is_none() && tp.tp_clear.get().is_none() {
        tp.set_flag(TypeFlags::HAVE_GC);
        tp.tp_traverse.set(base.tp_traverse.get());
        tp.tp_clear.set(base.tp_clear.get());
    }
    tp.set_flag(base.tp_flags.get() & TypeFlags::PREHEADER);
    if tp.tp_basicsize.get() == 0 {
        tp.tp_basicsize.set(base.tp_basicsize.get());
    }
    if tp.tp_itemsize.get() == 0 {
        tp.tp_itemsize.set(base.tp_itemsize.get());
    }
    if tp.tp_weaklistoffset.get() == 0 {
        tp.tp_weaklistoffset.set(base.tp_weaklistoffset.get());
    }
    if tp.tp_dictoffset.get() == 0 {
        tp.tp_dictoffset.set(base.tp_dictoffset.get());
    }
    let subclass_bits = TypeFlags::LONG_SUBCLASS
        | TypeFlags::LIST_SUBCLASS
        | TypeFlags::TUPLE_SUBCLASS
        | TypeFlags::BYTES_SUBCLASS
        | TypeFlags::UNICODE_SUBCLASS
        | TypeFlags::DICT_SUBCLASS
        | TypeFlags::BASE_EXC_SUBCLASS
        | TypeFlags::TYPE_SUBCLASS;
    let inherited = subclass_bits | TypeFlags::MATCH_SELF | TypeFlags::ITEMS_AT_END;
    tp.set_flag(base.tp_flags.get() & inherited);
}

/// Whether a type defines `__eq__` or `__hash__` itself: it does not inherit `tp_hash` then.
fn overrides_hash(tp: &Type) -> bool {
    let Some(dict) = type_dict(tp) else { return false };
    // SAFETY: readying runs on an attached thread.
    let ids = unsafe { Vm::current() }.ids();
    dict.lookup_interned(ids.__eq__).is_some() || dict.lookup_interned(ids.__hash__).is_some()
}

/// Each empty slot of `tp` takes what `base` has.
fn inherit_slots(tp: &Type, base: &Type) {
    if let (Some(to), Some(from)) = (tp.as_number(), base.as_number()) {
        inherit!(to, from, nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_power nb_negative nb_positive
            nb_absolute nb_bool nb_invert nb_lshift nb_rshift nb_and nb_xor nb_or nb_int nb_float nb_inplace_add
            nb_inplace_subtract nb_inplace_multiply nb_inplace_remainder nb_inplace_power nb_inplace_lshift
            nb_inplace_rshift nb_inplace_and nb_inplace_xor nb_inplace_or nb_floor_divide nb_true_divide
            nb_inplace_floor_divide nb_inplace_true_divide nb_index nb_matrix_multiply nb_inplace_matrix_multiply);
    }
    if let (Some(to), Some(from)) = (tp.as_sequence(), base.as_sequence()) {
        inherit!(to, from, sq_length sq_concat sq_repeat sq_item sq_ass_item sq_contains sq_inplace_concat
            sq_inplace_repeat);
    }
    if let (Some(to), Some(from)) = (tp.as_mapping(), base.as_mapping()) {
        inherit!(to, from, mp_length mp_subscript mp_ass_subscript);
    }
    if let (Some(to), Some(from)) = (tp.as_async(), base.as_async()) {
        inherit!(to, from, am_await am_aiter am_anext am_send);
    }
    if let (Some(to), Some(from)) = (tp.as_buffer(), base.as_buffer()) {
        inherit!(to, from, bf_getbuffer bf_releasebuffer);
    }
    inherit!(tp, base, tp_dealloc);
    if tp.tp_getattr.get().is_none() && tp.tp_getattro.get().is_none() {
        tp.tp_getattr.set(base.tp_getattr.get());
        tp.tp_getattro.set(base.tp_getattro.get());
    }
    if tp.tp_setattr.get().is_none() && tp.tp_setattro.get().is_none() {
        tp.tp_setattr.set(base.tp_setattr.get());
        tp.tp_setattro.set(base.tp_setattro.get());
    }
    inherit!(tp, base, tp_repr tp_call tp_str);
    if base.has_flag(TypeFlags::HAVE_VECTORCALL)
        && tp.tp_vectorcall_offset.get() == 0
        && tp.tp_call.get().map(|f| f as usize) == base.tp_call.get().map(|f| f as usize)
    {
        tp.tp_vectorcall_offset.set(base.tp_vectorcall_offset.get());
        if !tp.has_flag(TypeFlags::HEAPTYPE) || !defines(tp, "__call__") {
            tp.set_flag(TypeFlags::HAVE_VECTORCALL);
        }
    }
    if tp.tp_richcompare.get().is_none() && tp.tp_hash.get().is_none() && !overrides_hash(tp) {
        tp.tp_richcompare.set(base.tp_richcompare.get());
        tp.tp_hash.set(base.tp_hash.get());
    }
    inherit!(tp, base, tp_iter tp_iternext tp_descr_get);
    if base.has_flag(TypeFlags::METHOD_DESCRIPTOR)
        && tp.tp_descr_get.get().map(|f| f as usize) == base.tp_descr_get.get().map(|f| f as usize)
        && !tp.has_flag(TypeFlags::HEAPTYPE)
    {
        tp.set_flag(TypeFlags::METHOD_DESCRIPTOR);
    }
    inherit!(tp, base, tp_descr_set tp_init tp_alloc tp_finalize);
    if tp.tp_free.get().is_none() {
        // `PyObject_Free` of a base without the collector's header would not find the block's start.
        let free =
            if tp.is_gc() == base.is_gc() { base.tp_free.get() } else { Some(generic_free as FreeFunc) };
        tp.tp_free.set(free);
    }
}

fn defines(tp: &Type, name: &str) -> bool {
    // SAFETY: readying runs on an attached thread.
    let vm = unsafe { Vm::current() };
    type_dict(tp).is_some_and(|dict| dict.lookup_interned(&vm.intern(name)).is_some())
}

/// A type without a suite shares its base's.
fn inherit_suites(tp: &Type, base: &Type) {
    if tp.tp_as_async.get().is_null() {
        tp.tp_as_async.set(base.tp_as_async.get() as *const AsyncMethods);
    }
    if tp.tp_as_number.get().is_null() {
        tp.tp_as_number.set(base.tp_as_number.get() as *const NumberMethods);
    }
    if tp.tp_as_sequence.get().is_null() {
        tp.tp_as_sequence.set(base.tp_as_sequence.get() as *const SequenceMethods);
    }
    if tp.tp_as_mapping.get().is_null() {
        tp.tp_as_mapping.set(base.tp_as_mapping.get() as *const MappingMethods);
    }
    if tp.tp_as_buffer.get().is_null() {
        tp.tp_as_buffer.set(base.tp_as_buffer.get() as *const BufferProcs);
    }
    if tp.tp_alloc.get().is_none() {
        tp.tp_alloc.set(Some(generic_alloc));
    }
    if tp.tp_free.get().is_none() {
        tp.tp_free.set(Some(generic_free));
    }
}

/// `__doc__` from the table's text, and `__new__` where the type makes its own instances.
fn add_doc_and_new(tp: &Type, vm: &Vm) -> PyResult<()> {
    let Some(dict) = type_dict(tp) else { return Ok(()) };
    if dict.lookup_interned(vm.ids().__doc__).is_none() {
        let doc = match descr::doc_text(tp.tp_doc.get()) {
            Some(text) => vm
                .new_str(descr::doc_body(tp.name().rsplit('.').next().unwrap_or_default(), text))
                .into_object(),
            None => vm.none(),
        };
        dict.set_item(vm.ids().__doc__.as_object(), &doc, vm)?;
    }
    let disallowed = tp.has_flag(TypeFlags::DISALLOW_INSTANTIATION);
    let base_is_object = tp.base().is_some_and(|b| std::ptr::eq(b, crate::builtins::object::object_type()));
    if disallowed {
        tp.tp_new.set(None);
    } else if tp.tp_new.get().is_some() {
        if !tp.has_flag(TypeFlags::HEAPTYPE) || dict.lookup_interned(vm.ids().__new__).is_none() {
            if !tp.has_flag(TypeFlags::HEAPTYPE) || !inherits_new(tp) {
                let new = crate::builtins::type_::new::new_wrapper(tp, vm);
                if dict.lookup_interned(vm.ids().__new__).is_none() {
                    dict.set_item(vm.ids().__new__.as_object(), &new, vm)?;
                }
            }
        }
    } else if let Some(base) = tp.base() {
        if !base_is_object || tp.has_flag(TypeFlags::HEAPTYPE) || inherits_object_new(tp) {
            tp.tp_new.set(base.tp_new.get());
        } else {
            // A static type that derives from `object` directly and has no `__new__` can't be instantiated.
            tp.set_flag(TypeFlags::DISALLOW_INSTANTIATION);
        }
    }
    Ok(())
}

/// `Generic` is a heap type for CPython, and so inherits `object.__new__`, which here needs to be told.
fn inherits_object_new(tp: &Type) -> bool {
    std::ptr::eq(tp, crate::builtins::typevars::Generic::type_object())
}

fn inherits_new(tp: &Type) -> bool {
    tp.base().is_some_and(|base| base.tp_new.get().map(|f| f as usize) == tp.tp_new.get().map(|f| f as usize))
}

/// A type that defines equality without a hash is unhashable, and says so with `__hash__ = None`.
fn set_hash(tp: &Type, vm: &Vm) -> PyResult<()> {
    if tp.tp_hash.get().is_some() {
        return Ok(());
    }
    let Some(dict) = type_dict(tp) else { return Ok(()) };
    if dict.lookup_interned(vm.ids().__hash__).is_none() {
        dict.set_item(vm.ids().__hash__.as_object(), vm.none_ref(), vm)?;
        tp.tp_hash.set(Some(crate::builtins::object::hash_not_implemented));
    }
    Ok(())
}
