//! The life of instances: allocation, traversal, destruction and finalisation of objects whose class is written in Python.

use std::ffi::{c_int, c_void};

use taipan_object::defs::member;
use taipan_object::object::{decref, xdecref};
use taipan_object::traverse::VisitProc;
use taipan_object::typeobject::{Destructor, FreeFunc, HeapType};
use taipan_object::{alloc, gc};

use crate::builtins::dict::managed;
use crate::builtins::weakref::clear_weakrefs;
use crate::prelude::*;

/// Bytes of an instance with `items` items, inline values included.
fn instance_size(tp: &Type, items: usize) -> Option<usize> {
    let basic = usize::try_from(tp.tp_basicsize.get()).ok()?;
    let item = usize::try_from(tp.tp_itemsize.get()).ok()?;
    let size = basic.checked_add(item.checked_mul(items)?)?.checked_next_multiple_of(8)?;
    if tp.has_flag(TypeFlags::INLINE_VALUES) {
        size.checked_add(managed::inline_size(tp))
    } else {
        Some(size)
    }
}

/// `PyType_GenericAlloc`: a zeroed instance, tracked when the type is collectable. Raises `MemoryError`.
///
/// # Safety
/// `tp` is a type that is ready.
#[unsafe(export_name = "PyType_GenericAlloc")]
pub unsafe extern "C" fn generic_alloc(tp: *mut Type, items: isize) -> *mut Object {
    // SAFETY: slots are called on attached threads with live types.
    let (vm, tp) = unsafe { (Vm::current(), &*tp) };
    // One item more: variable-sized types keep a sentinel behind the last.
    let size = usize::try_from(items)
        .ok()
        .and_then(|n| if tp.tp_itemsize.get() == 0 { Some(0) } else { n.checked_add(1) })
        .and_then(|n| instance_size(tp, n));
    let op = size.map_or(std::ptr::null_mut(), |size| gc::allocate(tp, size));
    let (Some(size), false) = (size, op.is_null()) else {
        vm.memory_error();
        return std::ptr::null_mut();
    };
    // SAFETY: the block has `size` bytes.
    unsafe {
        op.cast::<u8>().write_bytes(0, size);
        op.write(Object::new(tp));
        if tp.has_flag(TypeFlags::HEAPTYPE) {
            tp.as_object().incref();
        }
        if tp.tp_itemsize.get() != 0 && !tp.has_flag(TypeFlags::LONG_SUBCLASS) {
            (*op.cast::<VarObject>()).ob_size.set(items);
        }
        if tp.has_flag(TypeFlags::INLINE_VALUES) {
            managed::init_inline_values(&*op, tp);
        }
        if tp.is_gc() {
            gc::track(op);
        }
    }
    op
}

/// `PyObject_GC_Del` and `PyObject_Free` for objects of any type: the memory in front of the object goes too. Extensions
/// allocate instances with other sizes than their types tell, so the type's is not believed.
///
/// # Safety
/// `op` is an object of a type that is still alive; it is not used any more.
#[unsafe(export_name = "PyObject_GC_Del")]
pub unsafe extern "C" fn generic_free(op: *mut c_void) {
    // SAFETY: the object's header words are still there.
    unsafe {
        let op = op.cast::<Object>();
        let tp = (*op).ob_type();
        if tp.is_gc() {
            gc::untrack(op);
        }
        alloc::raw_free(op.cast::<u8>().sub(gc::presize(tp)));
    }
}

/// The `tp_free` of a class whose native part is `base`'s.
pub(super) fn free_of_subclass(base: &Type) -> FreeFunc {
    let ours: FreeFunc = free_instance;
    let types = taipan_object::typeobject::static_types().as_ptr_range();
    let is_ours = types.contains(&std::ptr::from_ref(base))
        || base.tp_free.get().is_some_and(|free| std::ptr::fn_addr_eq(free, ours));
    if is_ours { ours } else { generic_free }
}

/// `generic_free` for instances that `generic_alloc` or `vm.new_object` made: their size is the type's.
///
/// # Safety
/// As for `generic_free`.
pub unsafe extern "C" fn free_instance(op: *mut c_void) {
    // SAFETY: the object's header words are still there.
    unsafe {
        let op = op.cast::<Object>();
        let tp = (*op).ob_type();
        if tp.is_gc() {
            gc::untrack(op);
        }
        if tp.tp_itemsize.get() == 0 {
            if let Ok(basic) = usize::try_from(tp.tp_basicsize.get()) {
                // Instances of one type differ in how many inline values they were made with.
                let size = basic.next_multiple_of(8) + managed::inline_size_of(&*op);
                return gc::release(tp, op, size);
            }
        }
        alloc::raw_free(op.cast::<u8>().sub(gc::presize(tp)));
    }
}

/// The nearest base whose slot is not `ours`: the native part of the instance.
fn native_base(tp: &Type, ours: impl Fn(&Type) -> bool) -> Option<&Type> {
    let mut walk = Some(tp);
    while let Some(current) = walk {
        if !ours(current) {
            return Some(current);
        }
        walk = current.base();
    }
    None
}

fn is_subtype_dealloc(tp: &Type) -> bool {
    tp.tp_dealloc.get().is_some_and(|f| std::ptr::fn_addr_eq(f, subtype_dealloc as Destructor))
}

/// The members that `__slots__` made for a class, not those of its bases.
pub fn slot_members(tp: &Type) -> &[MemberDef] {
    let count = usize::try_from(tp.ob_base.ob_size.get()).unwrap_or(0);
    if !tp.has_flag(TypeFlags::HEAPTYPE) || count == 0 {
        return &[];
    }
    let start = tp.as_object().ob_type().tp_basicsize.get();
    // SAFETY: a heap type with `ob_size` n has n member definitions behind the struct of its metatype's size.
    unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(tp).byte_offset(start).cast::<MemberDef>(), count)
    }
}

/// The fields that `__slots__` of this class added, as addresses in an instance.
unsafe fn slot_fields(tp: &Type, op: *mut Object) -> impl Iterator<Item = *mut *mut Object> {
    slot_members(tp)
        .iter()
        .filter(|m| m.kind == member::OBJECT_EX && m.flags & member::READONLY == 0)
        // SAFETY: the offsets of a class's members lie within its instances.
        .map(move |m| unsafe { op.byte_offset(m.offset).cast::<*mut Object>() })
}

/// `tp_traverse` of classes written in Python.
///
/// # Safety
/// Called by the collector with an instance.
pub unsafe extern "C" fn subtype_traverse(op: *mut Object, visit: VisitProc, arg: *mut c_void) -> c_int {
    // SAFETY: the instance and all that it holds are alive.
    unsafe {
        let tp = (*op).ob_type();
        let mut walk = Some(tp);
        let mut base = None;
        while let Some(current) = walk {
            if !current.tp_traverse.get().is_some_and(|f| {
                std::ptr::fn_addr_eq(f, subtype_traverse as taipan_object::typeobject::TraverseProc)
            }) {
                base = Some(current);
                break;
            }
            for field in slot_fields(current, op) {
                if !(*field).is_null() {
                    let result = visit(*field, arg);
                    if result != 0 {
                        return result;
                    }
                }
            }
            walk = current.base();
        }
        if tp.has_flag(TypeFlags::MANAGED_DICT) {
            let mut visitor = Visit::new(visit, arg);
            managed::visit_managed_dict(&*op, &mut visitor);
            if visitor.result() != 0 {
                return visitor.result();
            }
        } else if tp.tp_dictoffset.get() > 0
            && base.is_none_or(|b| b.tp_dictoffset.get() != tp.tp_dictoffset.get())
        {
            let dict = *op.byte_offset(tp.tp_dictoffset.get()).cast::<*mut Object>();
            if !dict.is_null() {
                let result = visit(dict, arg);
                if result != 0 {
                    return result;
                }
            }
        }
        let base_is_heap = base.is_some_and(|b| b.has_flag(TypeFlags::HEAPTYPE));
        if !base_is_heap {
            let result = visit(tp.as_object().as_ptr(), arg);
            if result != 0 {
                return result;
            }
        }
        match base.and_then(|b| b.tp_traverse.get()) {
            Some(traverse) => traverse(op, visit, arg),
            None => 0,
        }
    }
}

/// `tp_clear` of classes written in Python.
///
/// # Safety
/// Called by the collector with an instance.
pub unsafe extern "C" fn subtype_clear(op: *mut Object) -> c_int {
    // SAFETY: the instance is alive; fields are emptied before their references go.
    unsafe {
        let tp = (*op).ob_type();
        let mut walk = Some(tp);
        let mut base = None;
        while let Some(current) = walk {
            if !current
                .tp_clear
                .get()
                .is_some_and(|f| std::ptr::fn_addr_eq(f, subtype_clear as taipan_object::typeobject::Inquiry))
            {
                base = Some(current);
                break;
            }
            for field in slot_fields(current, op) {
                xdecref(std::mem::replace(&mut *field, std::ptr::null_mut()));
            }
            walk = current.base();
        }
        if tp.has_flag(TypeFlags::MANAGED_DICT) {
            managed::clear_managed_dict(&*op);
        } else if tp.tp_dictoffset.get() > 0
            && base.is_none_or(|b| b.tp_dictoffset.get() != tp.tp_dictoffset.get())
        {
            let dict = op.byte_offset(tp.tp_dictoffset.get()).cast::<*mut Object>();
            xdecref(std::mem::replace(&mut *dict, std::ptr::null_mut()));
        }
        match base.and_then(|b| b.tp_clear.get()) {
            Some(clear) => clear(op),
            None => 0,
        }
    }
}

/// Runs the type's finaliser (PEP 442) on an object whose count has reached zero. True when the object came back to life.
///
/// # Safety
/// `op` has a count of zero and is otherwise whole.
pub unsafe fn finalize_on_dealloc(op: *mut Object) -> bool {
    // SAFETY: the object is whole; its count is restored for the time of the call.
    unsafe {
        let tp = (*op).ob_type();
        let Some(finalize) = tp.tp_finalize.get() else { return false };
        if tp.is_gc() {
            let header = &*gc::GcHeader::of(op);
            if header.prev.get() & gc::FLAG_FINALIZED != 0 {
                return false;
            }
        }
        (*op).set_refcount(1);
        finalize(op);
        // The finaliser may have given the object another class.
        if (*op).ob_type().is_gc() {
            gc::set_finalized(op);
        }
        let left = (*op).refcount() - 1;
        (*op).set_refcount(left);
        left > 0
    }
}

/// `tp_dealloc` of classes written in Python: finaliser, weak references, slots and dictionary of the Python part, then the
/// native base.
///
/// # Safety
/// `op` is an instance whose count has reached zero.
pub unsafe extern "C" fn subtype_dealloc(op: *mut Object) {
    // SAFETY: each step leaves the object whole for the next; the type is released last.
    unsafe {
        let tp = (*op).ob_type();
        let is_gc = tp.is_gc();
        if tp.tp_finalize.get().is_some() && finalize_on_dealloc(op) {
            return;
        }
        if is_gc {
            gc::untrack(op);
        }
        let Some(base) = native_base(tp, is_subtype_dealloc) else { return };
        if tp.tp_weaklistoffset.get() != 0 && base.tp_weaklistoffset.get() == 0 {
            clear_weakrefs(op);
        }
        let mut walk = tp;
        while !std::ptr::eq(walk, base) {
            for field in slot_fields(walk, op) {
                xdecref(std::mem::replace(&mut *field, std::ptr::null_mut()));
            }
            match walk.base() {
                Some(next) => walk = next,
                None => break,
            }
        }
        if tp.has_flag(TypeFlags::MANAGED_DICT) {
            managed::release_on_dealloc(&*op);
        } else if tp.tp_dictoffset.get() > 0 && base.tp_dictoffset.get() == 0 {
            let dict = op.byte_offset(tp.tp_dictoffset.get()).cast::<*mut Object>();
            xdecref(std::mem::replace(&mut *dict, std::ptr::null_mut()));
        }
        let type_ptr = tp.as_object().as_ptr();
        // A heap base gives up the reference to the type by itself.
        let release_type = !base.has_flag(TypeFlags::HEAPTYPE);
        if let Some(dealloc) = base.tp_dealloc.get() {
            dealloc(op);
        }
        if release_type {
            decref(type_ptr);
        }
    }
}

/// Frees what a heap type owns and the type itself: `tp_dealloc` of `type`.
///
/// # Safety
/// `op` is a heap type whose count has reached zero.
pub unsafe extern "C" fn type_dealloc(op: *mut Object) {
    // SAFETY: nobody refers to the type any more.
    unsafe {
        let tp = &*op.cast::<Type>();
        let vm = Vm::current();
        gc::untrack(op);
        let waiting = vm.take_exception();
        for base in super::mro::bases(tp) {
            vm.interp().types.remove_subclass(base.cast::<Type>(), tp);
        }
        super::lookup::type_modified(tp, vm);
        clear_weakrefs(op);
        let heap = &*op.cast::<HeapType>();
        managed::release_shared_keys(tp);
        for field in [&tp.tp_dict, &tp.tp_bases, &tp.tp_mro, &tp.tp_cache] {
            xdecref(field.replace(std::ptr::null_mut()));
        }
        for field in [&heap.ht_name, &heap.ht_qualname, &heap.ht_slots, &heap.ht_module] {
            xdecref(field.replace(std::ptr::null_mut()));
        }
        alloc::raw_free(heap.ht_tpname.replace(std::ptr::null_mut()).cast());
        alloc::raw_free(tp.tp_doc.replace(std::ptr::null()).cast_mut().cast());
        let base = tp.tp_base.replace(std::ptr::null());
        vm.current_exception.set(waiting);
        generic_free_type(op);
        xdecref(base.cast_mut().cast());
    }
}

/// Frees the memory of a type object and its reference to the metatype.
unsafe fn generic_free_type(op: *mut Object) {
    // SAFETY: the metatype is kept until its instance's memory is gone.
    unsafe {
        let metatype = (*op).ob_type();
        let release_metatype =
            metatype.has_flag(TypeFlags::HEAPTYPE) && native_base(metatype, |_| false).is_some();
        let metatype_is_python = is_subtype_dealloc(metatype);
        generic_free(op.cast());
        // A metaclass written in Python releases itself in `subtype_dealloc`.
        if release_metatype && !metatype_is_python {
            decref(metatype.as_object().as_ptr());
        }
    }
}

/// `tp_traverse` of `type`.
///
/// # Safety
/// Called by the collector with a type.
pub unsafe extern "C" fn type_traverse(op: *mut Object, visit: VisitProc, arg: *mut c_void) -> c_int {
    // SAFETY: a type owns these references.
    unsafe {
        let tp = &*op.cast::<Type>();
        if !tp.has_flag(TypeFlags::HEAPTYPE) {
            return 0;
        }
        let mut visitor = Visit::new(visit, arg);
        for field in [&tp.tp_dict, &tp.tp_cache, &tp.tp_mro, &tp.tp_bases] {
            visitor.raw(field.get());
        }
        visitor.raw(tp.tp_base.get().cast_mut().cast());
        visitor.raw((*op.cast::<HeapType>()).ht_module.get());
        visitor.result()
    }
}

/// `tp_clear` of `type`: dictionary and order hold the cycles.
///
/// # Safety
/// Called by the collector with a type that is garbage.
pub unsafe extern "C" fn type_clear(op: *mut Object) -> c_int {
    // SAFETY: a garbage type is not looked at any more but by its own destruction.
    unsafe {
        let tp = &*op.cast::<Type>();
        if !tp.has_flag(TypeFlags::HEAPTYPE) {
            return 0;
        }
        let vm = Vm::current();
        super::lookup::type_modified(tp, vm);
        if let Some(dict) = super::lookup::type_dict(tp) {
            dict.clear(vm);
        }
        xdecref((*op.cast::<HeapType>()).ht_module.replace(std::ptr::null_mut()));
        xdecref(tp.tp_mro.replace(std::ptr::null_mut()));
        0
    }
}

/// Static types are no business of the collector: `tp_is_gc` of `type`.
///
/// # Safety
/// Called with a type.
pub unsafe extern "C" fn type_is_gc(op: *mut Object) -> c_int {
    // SAFETY: `op` is a type.
    c_int::from(unsafe { (*op.cast::<Type>()).has_flag(TypeFlags::HEAPTYPE) })
}
