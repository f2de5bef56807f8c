//! Keeps the slots of a class in step with its special methods: when it is made, and whenever such a name is set later.

use std::cell::OnceCell;
use std::ffi::c_int;

use super::lookup::lookup;
use super::slotdefs::{SLOT_DEFS, WrapperBase, slot_ptr};
use crate::builtins::descr::WrapperDescriptor;
use crate::prelude::*;

/// What is known of the rows of the table once it has been looked through: their names as interned strings, and which other
/// rows have the same name.
#[derive(Default)]
struct RowNames(OnceCell<Vec<RowName>>);

struct RowName {
    name: Ref<Str>,
    /// The places of all rows of that name.
    rows: Vec<usize>,
}

fn row_names(vm: &Vm) -> &[RowName] {
    vm.interp().state::<RowNames>().0.get_or_init(|| {
        let same = |name: &str| {
            SLOT_DEFS.iter().enumerate().filter(|(_, def)| def.name() == name).map(|(at, _)| at).collect()
        };
        SLOT_DEFS.iter().map(|def| RowName { name: vm.intern(def.name()), rows: same(def.name()) }).collect()
    })
}

/// Sets every slot of a new class from what its bases and its own dictionary define.
pub fn fill_slots(tp: &Type, vm: &Vm) {
    let names = row_names(vm);
    let mut at = 0;
    while at < SLOT_DEFS.len() {
        at = update_one(tp, at, names, vm);
    }
}

/// A special method of `tp` was set or deleted: its slot and those of the subclasses that inherit it are set anew.
pub fn update_slot(tp: &Type, name: &Str, vm: &Vm) {
    let text = name.to_string_lossy();
    if !(text.starts_with("__") && text.ends_with("__")) {
        return;
    }
    let mut starts: Vec<usize> = Vec::new();
    for (at, def) in SLOT_DEFS.iter().enumerate() {
        if def.name() == text {
            let start = first_of_slot(at, def.offset);
            if !starts.contains(&start) {
                starts.push(start);
            }
        }
    }
    if !starts.is_empty() {
        update_tree(tp, name, &starts, vm);
    }
}

fn update_tree(tp: &Type, name: &Str, starts: &[usize], vm: &Vm) {
    let names = row_names(vm);
    for &start in starts {
        update_one(tp, start, names, vm);
    }
    for cls in vm.interp().types.subclasses_of(tp) {
        // A subclass with a definition of its own is not concerned.
        let own = super::lookup::type_dict(&cls).is_some_and(|dict| dict.lookup_interned(name).is_some());
        if !own {
            update_tree(&cls, name, starts, vm);
        }
    }
}

/// The first row of the slot that the row at `at` belongs to.
fn first_of_slot(at: usize, offset: c_int) -> usize {
    let mut start = at;
    while start > 0 && SLOT_DEFS.get(start - 1).is_some_and(|def| def.offset == offset) {
        start -= 1;
    }
    start
}

/// The slot that a special method fills natively in `tp`, when there is only one such slot: `__len__` may stand for
/// `sq_length` or `mp_length`.
fn only_filled_slot(tp: &Type, rows: &[usize]) -> *mut *const () {
    let mut result: *mut *const () = std::ptr::null_mut();
    for def in rows.iter().filter_map(|&at| SLOT_DEFS.get(at)) {
        let slot = slot_ptr(tp, def.offset);
        // SAFETY: null or the address of a slot.
        if unsafe { slot.as_ref() }.is_none_or(|function| function.is_null()) {
            continue;
        }
        if !result.is_null() {
            return std::ptr::null_mut();
        }
        result = slot;
    }
    result
}

/// Whether two rows, one of which may be an extension's copy, are of the same special method.
fn same_name(a: &WrapperBase, b: &WrapperBase) -> bool {
    // SAFETY: names are NUL-terminated.
    std::ptr::eq(a.name, b.name) || unsafe { libc::strcmp(a.name, b.name) == 0 }
}

/// Sets the slot whose rows begin at `start`. Returns the index of the next slot's first row.
fn update_one(tp: &Type, start: usize, names: &[RowName], vm: &Vm) -> usize {
    let Some(first) = SLOT_DEFS.get(start) else { return SLOT_DEFS.len() };
    let offset = first.offset;
    let rows = SLOT_DEFS.iter().skip(start).take_while(|def| def.offset == offset);
    let next = start + rows.clone().count();
    let slot = slot_ptr(tp, offset);
    if slot.is_null() {
        return next;
    }
    let mut specific: *const () = std::ptr::null();
    let mut generic: *const () = std::ptr::null();
    let mut use_generic = false;
    let hash_offset = std::mem::offset_of!(Type, tp_hash) as c_int;
    let new_offset = std::mem::offset_of!(Type, tp_new) as c_int;
    let next_offset = std::mem::offset_of!(Type, tp_iternext) as c_int;
    for (def, known) in rows.zip(names.iter().skip(start)) {
        let Some(found) = lookup(tp, &known.name, vm) else {
            if offset == next_offset {
                specific = crate::builtins::object::next_not_implemented as *const ();
            }
            continue;
        };
        if let Some(wrapper) = found.downcast_exact::<WrapperDescriptor>() {
            if same_name(wrapper.base(), def) {
                let filled = only_filled_slot(tp, &known.rows);
                if filled.is_null() || std::ptr::eq(filled, slot) {
                    generic = def.function;
                }
                let wrapped = wrapper.wrapped.get();
                let same = specific.is_null() || std::ptr::eq(specific, wrapped);
                // `nb_add` gets its operands either way round, `sq_concat` doesn't; but their wrappers may be folded into one
                // function by the linker, so their addresses don't tell them apart.
                let concat = wrapper.base().offset != offset && def.name() == "__add__";
                if same
                    && !concat
                    && std::ptr::eq(wrapper.base().wrapper, def.wrapper)
                    && tp.is_subtype_of(wrapper.owner())
                {
                    specific = wrapped;
                } else {
                    use_generic = true;
                }
                continue;
            }
        }
        if offset == new_offset {
            if super::new::wrapped_new_of(found).is_some() {
                // The `__new__` of some native type, inherited or put here by hand: the slot stays as it was inherited, since
                // the native part of an instance is the base's.
                // SAFETY: the address of a slot of this type.
                specific = unsafe { *slot };
                continue;
            }
            use_generic = true;
            generic = def.function;
            continue;
        }
        if vm.is_none(found) && offset == hash_offset {
            specific = crate::builtins::object::hash_not_implemented as *const ();
            continue;
        }
        use_generic = true;
        generic = def.function;
    }
    // SAFETY: the address of a slot of this type; the table pairs it with functions of its kind.
    unsafe {
        *slot = if !specific.is_null() && !use_generic { specific } else { generic };
    }
    next
}
