//! Heap types from a specification (C API manual, "Creating Heap-Allocated Types").

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::offset_of;

use taipan_object::defs::{TypeSlot, TypeSpec, member};
use taipan_object::typeobject::{
    AsyncMethods, BufferProcs, HeapType, MappingMethods, NumberMethods, SequenceMethods,
};
use taipan_vm::builtins::type_::{heap, lookup, new, type_ready};
use taipan_vm::prelude::*;

use crate::support::*;
use crate::type_::type_type;

/// Where a slot lives: in the type, or in one of its suites.
#[derive(Clone, Copy)]
enum Place {
    Type(usize),
    Async(usize),
    Number(usize),
    Mapping(usize),
    Sequence(usize),
    Buffer(usize),
    /// `tp_token`, which the heap type keeps.
    Token,
}

macro_rules! places {
    ($slot:expr; $($number:literal $kind:ident $suite:ident $field:ident;)*) => {
        match $slot {
            $($number => Some(Place::$kind(offset_of!($suite, $field))),)*
            83 => Some(Place::Token),
            _ => None,
        }
    };
}

/// The place of a slot by its number (`typeslots.h`).
fn place_of(slot: c_int) -> Option<Place> {
    places! { slot;
        1 Buffer BufferProcs bf_getbuffer;
        2 Buffer BufferProcs bf_releasebuffer;
        3 Mapping MappingMethods mp_ass_subscript;
        4 Mapping MappingMethods mp_length;
        5 Mapping MappingMethods mp_subscript;
        6 Number NumberMethods nb_absolute;
        7 Number NumberMethods nb_add;
        8 Number NumberMethods nb_and;
        9 Number NumberMethods nb_bool;
        10 Number NumberMethods nb_divmod;
        11 Number NumberMethods nb_float;
        12 Number NumberMethods nb_floor_divide;
        13 Number NumberMethods nb_index;
        14 Number NumberMethods nb_inplace_add;
        15 Number NumberMethods nb_inplace_and;
        16 Number NumberMethods nb_inplace_floor_divide;
        17 Number NumberMethods nb_inplace_lshift;
        18 Number NumberMethods nb_inplace_multiply;
        19 Number NumberMethods nb_inplace_or;
        20 Number NumberMethods nb_inplace_power;
        21 Number NumberMethods nb_inplace_remainder;
        22 Number NumberMethods nb_inplace_rshift;
        23 Number NumberMethods nb_inplace_subtract;
        24 Number NumberMethods nb_inplace_true_divide;
        25 Number NumberMethods nb_inplace_xor;
        26 Number NumberMethods nb_int;
        27 Number NumberMethods nb_invert;
        28 Number NumberMethods nb_lshift;
        29 Number NumberMethods nb_multiply;
        30 Number NumberMethods nb_negative;
        31 Number NumberMethods nb_or;
        32 Number NumberMethods nb_positive;
        33 Number NumberMethods nb_power;
        34 Number NumberMethods nb_remainder;
        35 Number NumberMethods nb_rshift;
        36 Number NumberMethods nb_subtract;
        37 Number NumberMethods nb_true_divide;
        38 Number NumberMethods nb_xor;
        39 Sequence SequenceMethods sq_ass_item;
        40 Sequence SequenceMethods sq_concat;
        41 Sequence SequenceMethods sq_contains;
        42 Sequence SequenceMethods sq_inplace_concat;
        43 Sequence SequenceMethods sq_inplace_repeat;
        44 Sequence SequenceMethods sq_item;
        45 Sequence SequenceMethods sq_length;
        46 Sequence SequenceMethods sq_repeat;
        47 Type Type tp_alloc;
        48 Type Type tp_base;
        49 Type Type tp_bases;
        50 Type Type tp_call;
        51 Type Type tp_clear;
        52 Type Type tp_dealloc;
        53 Type Type tp_del;
        54 Type Type tp_descr_get;
        55 Type Type tp_descr_set;
        56 Type Type tp_doc;
        57 Type Type tp_getattr;
        58 Type Type tp_getattro;
        59 Type Type tp_hash;
        60 Type Type tp_init;
        61 Type Type tp_is_gc;
        62 Type Type tp_iter;
        63 Type Type tp_iternext;
        64 Type Type tp_methods;
        65 Type Type tp_new;
        66 Type Type tp_repr;
        67 Type Type tp_richcompare;
        68 Type Type tp_setattr;
        69 Type Type tp_setattro;
        70 Type Type tp_str;
        71 Type Type tp_traverse;
        72 Type Type tp_members;
        73 Type Type tp_getset;
        74 Type Type tp_free;
        75 Number NumberMethods nb_matrix_multiply;
        76 Number NumberMethods nb_inplace_matrix_multiply;
        77 Async AsyncMethods am_await;
        78 Async AsyncMethods am_aiter;
        79 Async AsyncMethods am_anext;
        80 Type Type tp_finalize;
        81 Async AsyncMethods am_send;
        82 Type Type tp_vectorcall;
    }
}

const TP_BASE: c_int = 48;
const TP_BASES: c_int = 49;
const TP_DOC: c_int = 56;
const TP_MEMBERS: c_int = 72;
const TP_TOKEN: c_int = 83;

/// The address of a slot in a type; null when the type lacks the suite.
fn address(tp: &Type, place: Place) -> *mut *mut c_void {
    let (start, offset) = match place {
        Place::Type(offset) => (std::ptr::from_ref(tp).cast::<u8>(), offset),
        Place::Async(offset) => (tp.tp_as_async.get().cast(), offset),
        Place::Number(offset) => (tp.tp_as_number.get().cast(), offset),
        Place::Mapping(offset) => (tp.tp_as_mapping.get().cast(), offset),
        Place::Sequence(offset) => (tp.tp_as_sequence.get().cast(), offset),
        Place::Buffer(offset) => (tp.tp_as_buffer.get().cast(), offset),
        Place::Token => match tp.as_heap_type() {
            Some(heap) => (std::ptr::from_ref(heap).cast(), offset_of!(HeapType, ht_token)),
            None => return std::ptr::null_mut(),
        },
    };
    if start.is_null() {
        return std::ptr::null_mut();
    }
    start.wrapping_add(offset).cast_mut().cast()
}

/// `PyType_GetSlot`.
pub fn get_slot(tp: &Type, slot: c_int, vm: &Vm) -> PyResult<*mut c_void> {
    let Some(place) = place_of(slot) else { return Err(bad_internal_call(vm)) };
    let address = address(tp, place);
    // SAFETY: null or a slot of the type.
    Ok(unsafe { address.as_ref() }.copied().unwrap_or(std::ptr::null_mut()))
}

/// What a specification says, sorted out.
struct Request {
    slots: Vec<(c_int, *mut c_void)>,
    members: Vec<MemberDef>,
    doc: *const c_char,
    base: *mut c_void,
    bases: *mut c_void,
    weaklist_offset: Option<isize>,
    dict_offset: Option<isize>,
    vectorcall_offset: Option<isize>,
}

/// # Safety
/// The specification's tables end as the manual says.
unsafe fn read(spec: &TypeSpec, vm: &Vm) -> PyResult<Request> {
    let null = std::ptr::null_mut();
    let mut request = Request {
        slots: Vec::new(),
        members: Vec::new(),
        doc: std::ptr::null(),
        base: null,
        bases: null,
        weaklist_offset: None,
        dict_offset: None,
        vectorcall_offset: None,
    };
    let mut at: *const TypeSlot = spec.slots;
    // SAFETY: the caller's promise.
    while let Some(slot) = unsafe { at.as_ref() }.filter(|slot| slot.slot != 0) {
        match slot.slot {
            TP_BASE => request.base = slot.pfunc,
            TP_BASES => request.bases = slot.pfunc,
            TP_DOC => request.doc = slot.pfunc.cast(),
            TP_MEMBERS => {
                let mut def: *const MemberDef = slot.pfunc.cast();
                // SAFETY: a member table ends with a null name.
                while let Some(found) = unsafe { def.as_ref() }.filter(|found| !found.name.is_null()) {
                    // SAFETY: names are NUL-terminated.
                    let name = unsafe { CStr::from_ptr(found.name) };
                    let special = match name.to_bytes() {
                        b"__weaklistoffset__" => Some(&mut request.weaklist_offset),
                        b"__dictoffset__" => Some(&mut request.dict_offset),
                        b"__vectorcalloffset__" => Some(&mut request.vectorcall_offset),
                        _ => None,
                    };
                    if let Some(special) = special {
                        *special = Some(found.offset);
                    }
                    request.members.push(*found);
                    // SAFETY: behind an entry that is not the last lies another.
                    def = unsafe { def.add(1) };
                }
            }
            number if place_of(number).is_some() => request.slots.push((number, slot.pfunc)),
            _ => return Err(vm.runtime_error("invalid slot offset")),
        }
        // SAFETY: behind a slot that is not the last lies another.
        at = unsafe { at.add(1) };
    }
    Ok(request)
}

/// The bases as a tuple: given, from the slots, or `object`.
fn bases_of(request: &Request, given: Option<&Object>, vm: &Vm) -> PyResult<Ref<Tuple>> {
    // SAFETY: null or live objects.
    let (base, bases) =
        unsafe { (request.base.cast::<Object>().as_ref(), request.bases.cast::<Object>().as_ref()) };
    let bases = match (given, bases, base) {
        (Some(given), ..) => given.to_ref(),
        (None, Some(bases), _) => bases.to_ref(),
        (None, None, Some(base)) => base.to_ref(),
        (None, None, None) => taipan_vm::builtins::object::object_type().as_object().to_ref(),
    };
    match bases.downcast_ref::<Tuple>() {
        Some(tuple) => Ok(tuple.into()),
        None => Ok(vm.new_tuple([bases])),
    }
}

fn align(size: isize) -> isize {
    (size + 15) & !15
}

/// `PyType_FromMetaclass`.
///
/// # Safety
/// The specification's tables end as the manual says.
unsafe fn from_spec(
    metaclass: Option<&Type>,
    module: Option<&Object>,
    spec: &TypeSpec,
    bases: Option<&Object>,
    vm: &Vm,
) -> PyResult {
    // SAFETY: the caller's promise.
    let mut request = unsafe { read(spec, vm)? };
    if spec.name.is_null() {
        return Err(vm.system_error("Type spec does not define the name field."));
    }
    // SAFETY: names are NUL-terminated.
    let full = lossy(unsafe { CStr::from_ptr(spec.name) }).into_owned();
    let (module_name, short) = match full.rsplit_once('.') {
        Some((module, name)) => (Some(module), name),
        None => (None, full.as_str()),
    };
    let bases = bases_of(&request, bases, vm)?;
    let base = new::best_base(bases.as_slice(), vm)?;
    let metatype = new::calculate_metaclass(metaclass.unwrap_or(type_type()), bases.as_slice(), vm)?;
    if metatype.tp_new.get().map(|f| f as usize) != type_type().tp_new.get().map(|f| f as usize)
        && metatype.tp_new.get().is_some()
    {
        return Err(vm.type_error("Metaclasses with custom tp_new are not supported."));
    }
    let base_size = base.tp_basicsize.get();
    let data_offset = align(base_size);
    let basicsize = match isize::try_from(spec.basicsize).unwrap_or(0) {
        0 => base_size,
        size if size > 0 => size,
        extra => data_offset + align(-extra),
    };
    for def in &mut request.members {
        if def.flags & member::RELATIVE_OFFSET != 0 {
            if spec.basicsize >= 0 {
                return Err(vm.system_error("With Py_RELATIVE_OFFSET, basicsize must be negative."));
            }
            def.flags &= !member::RELATIVE_OFFSET;
            def.offset += data_offset;
        }
    }
    let Some(allocate) = metatype.tp_alloc.get() else {
        return Err(vm.system_error("metatype without tp_alloc"));
    };
    // SAFETY: `tp_alloc` of a metatype gives a zeroed heap type with room for the members.
    let made = unsafe {
        vm.owned(allocate(std::ptr::from_ref(metatype).cast_mut(), signed(request.members.len())))?
    };
    // SAFETY: it is a heap type.
    let heap: &HeapType = unsafe { &*made.as_raw().cast::<HeapType>() };
    let tp = &heap.ht_type;
    tp.tp_flags.set(u64::from(spec.flags) | TypeFlags::HEAPTYPE | (tp.tp_flags.get() & TypeFlags::HEAPTYPE));
    tp.tp_as_async.set(&raw const heap.as_async);
    tp.tp_as_number.set(&raw const heap.as_number);
    tp.tp_as_mapping.set(&raw const heap.as_mapping);
    tp.tp_as_sequence.set(&raw const heap.as_sequence);
    tp.tp_as_buffer.set(&raw const heap.as_buffer);
    new::set_tp_name(heap, &full, vm)?;
    let name = vm.intern(short);
    heap.ht_name.set(name.clone().into_object().into_raw());
    heap.ht_qualname.set(name.into_object().into_raw());
    if let Some(module) = module {
        heap.ht_module.set(module.to_ref().into_raw());
    }
    tp.tp_base.set(std::ptr::from_ref(base));
    base.as_object().incref();
    tp.tp_bases.set(bases.clone().into_object().into_raw());
    tp.tp_basicsize.set(basicsize);
    tp.tp_itemsize.set(isize::try_from(spec.itemsize).unwrap_or(0));
    for &(slot, value) in &request.slots {
        if let Some(place) = place_of(slot) {
            let value = match slot {
                // `Py_TP_USE_SPEC`: the specification's own address.
                TP_TOKEN if value.is_null() => std::ptr::from_ref(spec).cast_mut().cast(),
                _ => value,
            };
            // SAFETY: the type has all suites.
            unsafe { *address(tp, place) = value };
        }
    }
    // SAFETY: null or NUL-terminated; the type frees its copy.
    if let Some(doc) = unsafe { Option::<&CStr>::from_c(request.doc) } {
        tp.tp_doc.set(crate::memory::copy_text(doc.to_bytes(), vm)?);
    }
    if !request.members.is_empty() {
        // SAFETY: room for the members lies behind the struct of the metatype's size, zeroed, with one more as the end.
        unsafe {
            let start = made.as_raw().byte_offset(metatype.tp_basicsize.get()).cast::<MemberDef>();
            std::ptr::copy_nonoverlapping(request.members.as_ptr(), start, request.members.len());
            tp.tp_members.set(start);
        }
    }
    if tp.tp_dealloc.get().is_none() {
        tp.tp_dealloc.set(Some(heap::subtype_dealloc));
    }
    if let Some(offset) = request.vectorcall_offset {
        tp.tp_vectorcall_offset.set(offset);
    }
    if let Some(offset) = request.dict_offset {
        tp.tp_dictoffset.set(offset);
    }
    if let Some(offset) = request.weaklist_offset {
        tp.tp_weaklistoffset.set(offset);
    }
    if tp.has_flag(TypeFlags::MANAGED_DICT) {
        tp.tp_dictoffset.set(-1);
    }
    if tp.has_flag(TypeFlags::MANAGED_WEAKREF) {
        tp.tp_weaklistoffset.set(-32);
    }
    type_ready(tp, vm)?;
    if let Some(dict) = lookup::type_dict(tp) {
        if dict.get_str(vm.ids().__module__, vm)?.is_none() {
            match module_name {
                Some(module) => {
                    dict.set_item(vm.ids().__module__.as_object(), vm.intern(module).as_object(), vm)?;
                }
                None => taipan_vm::builtins::warn::deprecation(
                    &format!("builtin type {short} has no __module__ attribute"),
                    vm,
                )?,
            }
        }
    }
    Ok(made)
}

capi! {
    fn PyType_FromSpec(vm, spec: *const TypeSpec) -> PyResult {
        from_spec(None, None, &*spec, None, vm)
    }

    fn PyType_FromSpecWithBases(vm, spec: *const TypeSpec, bases: Option<&Object>) -> PyResult {
        from_spec(None, None, &*spec, bases, vm)
    }

    fn PyType_FromModuleAndSpec(vm, module: Option<&Object>, spec: *const TypeSpec, bases: Option<&Object>) -> PyResult {
        from_spec(None, module, &*spec, bases, vm)
    }

    fn PyType_FromMetaclass(vm, metaclass: Option<&Type>, module: Option<&Object>, spec: *const TypeSpec, bases: Option<&Object>) -> PyResult {
        from_spec(metaclass, module, &*spec, bases, vm)
    }
}
