//! Further interpreters in the process (PEP 684, PEP 734): each with its own modules, objects and lock. They share what is
//! immortal and doesn't change: static types with all that hangs from them, singletons, interned names.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use taipan_object::gc;
use taipan_object::typeobject::static_types;

use crate::builtins::str::interned;
use crate::builtins::type_::{lookup, type_ready};
use crate::prelude::*;
use crate::runtime::finish;
use crate::runtime::gil::Gil;
use crate::runtime::interpreter::{Features, Interpreter};
use crate::runtime::start;

/// What the process knows of a further interpreter.
struct Entry {
    /// Where the interpreter is, from `Box::into_raw`.
    place: usize,
    /// Who made it (`WHENCE_*` of `_interpreters`).
    whence: i64,
    /// References that Python objects hold, and whether the last one ends the interpreter.
    references: usize,
    counts_references: bool,
    /// Whether a thread is in it.
    is_running: bool,
}

struct All {
    last_id: i64,
    entries: BTreeMap<i64, Entry>,
    /// Who is told of the number of an interpreter that has ended.
    at_end: Vec<fn(i64)>,
}

static ALL: Mutex<All> = Mutex::new(All { last_id: 0, entries: BTreeMap::new(), at_end: Vec::new() });

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The main interpreter.
static MAIN: AtomicPtr<Interpreter> = AtomicPtr::new(std::ptr::null_mut());

/// Notes the main interpreter, which lives as long as the process.
pub(super) fn set_main(interp: &'static Interpreter) {
    MAIN.store(std::ptr::from_ref(interp).cast_mut(), Ordering::Release);
}

/// The main interpreter, once there is one.
pub fn main() -> Option<&'static Interpreter> {
    // SAFETY: null, or the main interpreter, which lives as long as the process.
    unsafe { MAIN.load(Ordering::Acquire).as_ref() }
}

/// Has a function called with the number of each interpreter that ends from now on.
pub fn at_end(hook: fn(i64)) {
    let mut all = all();
    if !all.at_end.iter().any(|known| std::ptr::fn_addr_eq(*known, hook)) {
        all.at_end.push(hook);
    }
}

/// Why an interpreter can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of that number.
    Unknown,
    /// A thread is in it.
    Running,
}

/// The numbers of all further interpreters, and who made them.
pub fn list() -> Vec<(i64, i64)> {
    all().entries.iter().map(|(id, entry)| (*id, entry.whence)).collect()
}

/// Who made an interpreter, and whether a thread is in it. None when there is none of that number.
pub fn describe(id: i64) -> Option<(i64, bool)> {
    all().entries.get(&id).map(|entry| (entry.whence, entry.is_running))
}

/// What programs in an interpreter may do.
pub fn features(id: i64) -> Option<Features> {
    let all = all();
    let entry = all.entries.get(&id)?;
    // SAFETY: an entry's interpreter lives, and its features never change.
    Some(unsafe { (*(entry.place as *const Interpreter)).features })
}

/// Takes a reference to an interpreter. False when there is none of that number.
pub fn take_reference(id: i64) -> bool {
    let mut all = all();
    let Some(entry) = all.entries.get_mut(&id) else { return false };
    entry.references += 1;
    true
}

/// Drops a reference to an interpreter. True when that was the last one, and the interpreter is to end with it.
pub fn drop_reference(id: i64) -> bool {
    let mut all = all();
    let Some(entry) = all.entries.get_mut(&id) else { return false };
    entry.references = entry.references.saturating_sub(1);
    entry.references == 0 && entry.counts_references
}

/// Makes an interpreter with `sys`, `builtins`, an empty `__main__` and `site`. Gives its number, or what went wrong.
pub fn create(features: Features, whence: i64, counts_references: bool, vm: &Vm) -> Result<i64, String> {
    if all().last_id == 0 {
        share_static_types(vm).map_err(|Raised| start::describe_exception(vm))?;
    }
    let id = {
        let mut all = all();
        all.last_id += 1;
        all.last_id
    };
    let parent = vm.interp();
    let gil = if features.own_gil { Arc::new(Gil::new()) } else { Arc::clone(&parent.gil) };
    let interp = Interpreter::new(parent.config.borrow().clone(), id, features, gil);
    interp.hash_key.set(parent.hash_key.get());
    interp.ids.set(parent.ids.get());
    interp.interned.take_immortals(&parent.interned);
    interp.import.library.set(parent.import.library.get());
    interp.import.builtin.replace(parent.import.builtin.borrow().clone());
    interp.hooks.load_extension.set(parent.hooks.load_extension.get());
    interp.hooks.exec_extension.set(parent.hooks.exec_extension.get());
    interp.types.starting.set(false);
    for tp in static_types() {
        for base in crate::builtins::type_::mro::bases(tp) {
            // SAFETY: bases are types.
            interp.types.add_subclass(unsafe { base.cast::<Type>() }, tp);
        }
    }
    let place = Box::into_raw(interp);
    // SAFETY: the box is given up below only after the last thread state in it has ended.
    let made = inside(unsafe { &*place }, vm, |vm| {
        let begun = start::set_up(vm).and_then(|()| start::open_streams(vm));
        let begun = begun.and_then(|()| start::add_main(vm)).and_then(|main| {
            if vm.interp().import.library.get().is_some() {
                let importlib = crate::import::import_module("_frozen_importlib", vm)?;
                let loader = importlib.get_attr(&vm.intern("BuiltinImporter"), vm)?;
                main.set("__loader__", &loader, vm)?;
            }
            let with_site = vm.interp().config.borrow().site_import;
            if with_site { crate::import::import_module("site", vm).map(drop) } else { Ok(()) }
        });
        let begun = begun.and_then(|()| start::add_first_path(vm));
        begun.map_err(|Raised| start::describe_exception(vm))
    });
    match made {
        Ok(()) => {
            let place = place as usize;
            let entry = Entry { place, whence, references: 0, counts_references, is_running: false };
            all().entries.insert(id, entry);
            Ok(id)
        }
        Err(text) => {
            end(place, vm);
            Err(text)
        }
    }
}

/// Runs `work` on this thread in another interpreter. Objects must not cross over: what goes in and comes out is Rust's.
pub fn enter<R>(id: i64, vm: &Vm, work: impl FnOnce(&Vm) -> R) -> Result<R, Refusal> {
    let place = occupy(id)?;
    // SAFETY: whoever ends the interpreter must occupy it first.
    let result = inside(unsafe { &*place }, vm, work);
    if let Some(entry) = all().entries.get_mut(&id) {
        entry.is_running = false;
    }
    Ok(result)
}

/// Ends an interpreter and forgets it.
pub fn destroy(id: i64, vm: &Vm) -> Result<(), Refusal> {
    let place = occupy(id)?;
    end(place, vm);
    all().entries.remove(&id);
    let hooks = all().at_end.clone();
    hooks.into_iter().for_each(|hook| hook(id));
    Ok(())
}

/// Ends all further interpreters. Gives whether there was any; those with a thread in them are left alone.
pub fn destroy_all(vm: &Vm) -> bool {
    let known = list();
    for (id, _) in &known {
        // Only the refusal to end one that runs can come back, and then nothing is to be done.
        let _ = destroy(*id, vm);
    }
    !known.is_empty()
}

/// Makes sure that this thread alone is in an interpreter.
fn occupy(id: i64) -> Result<*mut Interpreter, Refusal> {
    let mut all = all();
    let entry = all.entries.get_mut(&id).ok_or(Refusal::Unknown)?;
    if std::mem::replace(&mut entry.is_running, true) {
        return Err(Refusal::Running);
    }
    Ok(entry.place as *mut Interpreter)
}

/// Runs `work` with a thread state of its own in `interp`, and comes back to `vm`.
fn inside<R>(interp: &Interpreter, vm: &Vm, work: impl FnOnce(&Vm) -> R) -> R {
    let state = Vm::new(interp);
    state.thread_id.set(vm.thread_id.get());
    vm.detach();
    vm.interp().gil.release(vm);
    interp.gil.acquire(&state);
    // SAFETY: the lock is held, and the state stays in its box until `detach`.
    unsafe { state.attach() };
    let result = work(&state);
    state.clear();
    crate::interpreter::frame::free_data_stack(&state);
    state.detach();
    interp.gil.release(&state);
    drop(state);
    vm.interp().gil.acquire(vm);
    // SAFETY: the lock is held again.
    unsafe { vm.attach() };
    result
}

/// Ends an interpreter, and frees it unless a thread is left that might come back to it.
fn end(place: *mut Interpreter, vm: &Vm) {
    // SAFETY: the caller has made sure that no other thread enters.
    let interp = unsafe { &*place };
    inside(interp, vm, |vm| {
        finish::finish(vm, 0);
        interp.clear(vm);
    });
    if interp.monitoring.all_threads().is_empty() {
        // SAFETY: nobody is left who could use it; it came from a box.
        drop(unsafe { Box::from_raw(place) });
    }
}

/// Modules that put constants into static types when they are made.
const MODULES_WITH_CONSTANTS: [&str; 7] =
    ["_ast", "_blake2", "_contextvars", "_datetime", "_multiprocessing", "_zstd", "string.templatelib"];

/// Makes what static types hold immortal, and hides it from the collector, before other interpreters see it: from then on it
/// may be used under any lock.
fn share_static_types(vm: &Vm) -> PyResult<()> {
    for name in MODULES_WITH_CONSTANTS {
        crate::import::import_module(name, vm)?;
    }
    let mut waiting: Vec<*mut Object> = Vec::new();
    for tp in static_types() {
        type_ready(tp, vm)?;
        lookup::assign_version(tp, vm);
        waiting.extend([tp.tp_dict.get(), tp.tp_bases.get(), tp.tp_mro.get()]);
    }
    let mut seen = std::collections::HashSet::new();
    while let Some(op) = waiting.pop() {
        // SAFETY: null, or alive: a live object refers to it.
        let Some(object) = (unsafe { op.as_ref() }) else { continue };
        let is_own = object.downcast_ref::<Type>().is_some() || object.downcast_ref::<Module>().is_some();
        if is_own || !seen.insert(op as usize) {
            continue;
        }
        match object.downcast_ref::<Str>() {
            Some(string) => interned::make_immortal(string),
            None => object.make_immortal(),
        }
        // SAFETY: the object is alive; the visitor gets its own vector.
        unsafe {
            if gc::has_header(object) {
                gc::untrack(op);
            }
            gc::collect::traverse(op, push, (&raw mut waiting).cast());
        }
    }
    Ok(())
}

/// A visitor that collects what it is shown.
unsafe extern "C" fn push(op: *mut Object, waiting: *mut std::ffi::c_void) -> std::ffi::c_int {
    // SAFETY: the vector that `share_static_types` passes.
    unsafe { (*waiting.cast::<Vec<*mut Object>>()).push(op) };
    0
}
