//! Finding an attribute along a type's method resolution order, with the method cache and type versions.

use crate::prelude::*;

/// The dictionary of a type that is ready.
#[inline]
pub fn type_dict(tp: &Type) -> Option<&Dict> {
    // SAFETY: `tp_dict` is null or a dict that the type owns.
    unsafe { tp.tp_dict.get().as_ref().map(|dict| dict.cast::<Dict>()) }
}

/// The method resolution order.
#[inline]
pub fn mro(tp: &Type) -> &[ObjRef] {
    // SAFETY: `tp_mro` is null or a tuple that the type owns.
    unsafe { tp.tp_mro.get().as_ref() }.map_or(&[], |mro| unsafe { mro.cast::<Tuple>() }.as_slice())
}

/// The attribute `name` of the type or of the first base that has it, without binding it. Borrowed: the holder takes a
/// reference before anything can run that changes the type.
#[inline]
pub fn lookup<'a>(tp: &'a Type, name: &Str, vm: &Vm) -> Option<&'a Object> {
    let version = tp.tp_version_tag.get();
    if version != 0 {
        let entry = vm.interp().types.entry(version, name);
        if entry.version.get() == version && std::ptr::eq(entry.name.as_raw(), name) {
            // SAFETY: the version is current, so the type's dictionaries still hold the value.
            return unsafe { entry.value.get().as_ref() };
        }
    }
    lookup_slow(tp, name, vm)
}

#[cold]
fn lookup_slow<'a>(tp: &'a Type, name: &Str, vm: &Vm) -> Option<&'a Object> {
    let interned;
    let name = if name.is_interned() {
        name
    } else {
        interned = Str::intern(Str::exact(name, vm), vm);
        &*interned
    };
    // Assigned before the walk, so that a change made by it is seen.
    let version = assign_version(tp, vm);
    let found = find_in_mro(tp, name);
    if version != 0 && tp.tp_version_tag.get() == version {
        let entry = vm.interp().types.entry(version, name);
        entry.version.set(version);
        entry.value.set(found.map_or(std::ptr::null(), std::ptr::from_ref));
        entry.name.put(name.into());
    }
    found
}

/// The walk itself. `name` is interned.
pub fn find_in_mro<'a>(tp: &'a Type, name: &Str) -> Option<&'a Object> {
    for base in mro(tp) {
        // SAFETY: the items of `tp_mro` are types.
        let base = unsafe { base.cast::<Type>() };
        if let Some(value) = type_dict(base).and_then(|dict| dict.lookup_interned(name)) {
            // SAFETY: the dictionary of a type in the order lives as long as `tp`; see `lookup` for the value.
            return Some(unsafe { &*std::ptr::from_ref(value) });
        }
    }
    None
}

/// In `tp_versions_used`: the type never gets a version.
pub const NO_VERSIONS: u16 = u16::MAX;

/// The type's version, made when it has none: while it stays the same, so do the attributes that look-ups find. 0 when
/// versions are used up.
pub fn assign_version(tp: &Type, vm: &Vm) -> u32 {
    let version = tp.tp_version_tag.get();
    if version != 0 || !tp.has_flag(TypeFlags::READY) || tp.tp_versions_used.get() == NO_VERSIONS {
        return version;
    }
    // A type without a version is not told of changes in its bases, so the bases need one first.
    for base in super::mro::bases(tp) {
        // SAFETY: the items of `tp_bases` are types.
        if assign_version(unsafe { base.cast::<Type>() }, vm) == 0 {
            return 0;
        }
    }
    let version = vm.interp().types.fresh_version();
    tp.tp_version_tag.set(version);
    version
}

/// `PyType_Modified`: the type's attributes have changed or are about to. It and all its subclasses lose their versions.
pub fn type_modified(tp: &Type, vm: &Vm) {
    if tp.tp_version_tag.get() == 0 {
        return;
    }
    for cls in vm.interp().types.subclasses_of(tp) {
        type_modified(&cls, vm);
    }
    tp.tp_version_tag.set(0);
    if let Some(heap) = tp.as_heap_type() {
        for cached in &heap.spec_cache {
            cached.set(std::ptr::null_mut());
        }
    }
}
