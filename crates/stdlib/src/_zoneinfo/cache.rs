//! The zones that are kept: the latest few strongly, all others as long as somebody uses them.

use std::cell::{OnceCell, RefCell};

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::zone::ZoneInfo;

/// So many zones stay alive.
const STRONG_SIZE: usize = 8;

#[derive(Default)]
struct State {
    /// Keys and zones of the exact class, the latest first.
    strong: RefCell<Vec<(ObjRef, ObjRef)>>,
    weak: OnceCell<ObjRef>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

fn is_exact(cls: &Type) -> bool {
    std::ptr::eq(cls, ZoneInfo::type_object())
}

/// A new `WeakValueDictionary`.
pub fn new_weak_cache(vm: &Vm) -> PyResult {
    import_module("weakref", vm)?.get_attr(&vm.intern("WeakValueDictionary"), vm)?.call_no_args(vm)
}

/// The weak cache of a class: subclasses have one each, as an attribute.
pub fn weak_cache(cls: &Type, vm: &Vm) -> PyResult {
    if !is_exact(cls) {
        return cls.as_object().get_attr(&vm.intern("_weak_cache"), vm);
    }
    if let Some(known) = state(vm).weak.get() {
        return Ok(known.clone());
    }
    let made = new_weak_cache(vm)?;
    Ok(state(vm).weak.get_or_init(|| made).clone())
}

/// The place of a key. Comparing keys may run Python code, so nothing is borrowed meanwhile.
fn find(key: &Object, vm: &Vm) -> PyResult<Option<(usize, ObjRef)>> {
    let mut at = 0;
    loop {
        let Some((known, zone)) = state(vm).strong.borrow().get(at).cloned() else { return Ok(None) };
        if known.rich_compare_bool(key, CompareOp::Eq, vm)? {
            return Ok(Some((at, zone)));
        }
        at += 1;
    }
}

/// The strongly kept zone of a key, which becomes the latest.
pub fn latest(cls: &Type, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if !is_exact(cls) {
        return Ok(None);
    }
    let Some((at, zone)) = find(key, vm)? else { return Ok(None) };
    let mut strong = state(vm).strong.borrow_mut();
    if at > 0 && strong.get(at).is_some_and(|(_, there)| there.is(&zone)) {
        let entry = strong.remove(at);
        strong.insert(0, entry);
    }
    Ok(Some(zone))
}

/// Keeps a zone.
pub fn keep(cls: &Type, key: &Object, zone: &Object, vm: &Vm) {
    if !is_exact(cls) {
        return;
    }
    let dropped = {
        let mut strong = state(vm).strong.borrow_mut();
        strong.insert(0, (key.to_ref(), zone.to_ref()));
        if strong.len() > STRONG_SIZE { strong.pop() } else { None }
    };
    drop(dropped);
}

/// Forgets the zone of a key, or all.
pub fn forget(cls: &Type, key: Option<&Object>, vm: &Vm) -> PyResult<()> {
    if !is_exact(cls) {
        return Ok(());
    }
    let Some(key) = key else {
        let all = std::mem::take(&mut *state(vm).strong.borrow_mut());
        drop(all);
        return Ok(());
    };
    if let Some((at, zone)) = find(key, vm)? {
        let dropped = {
            let mut strong = state(vm).strong.borrow_mut();
            let there = strong.get(at).is_some_and(|(_, there)| there.is(&zone));
            there.then(|| strong.remove(at))
        };
        drop(dropped);
    }
    Ok(())
}
