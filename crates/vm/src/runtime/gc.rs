//! The cycle collector's side that runs Python: when to collect, weak-reference callbacks, finalisers (PEP 442), `gc.garbage`,
//! `gc.callbacks`.
//!
//! Three generations, as CPython 3.14 shows them. A collection of generation `g` examines `g` and all younger ones; what
//! survives moves to the next older. The steps, in this order because each may run code that changes what the next sees:
//! find the unreachable; end weak references and call their callbacks; call finalisers; find what came back to life; break
//! the cycles.

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;
use std::time::Instant;

use taipan_object::gc::collect::{self as cycles, GcList};
use taipan_object::gc::{self, GcHeader, GcState};

use crate::builtins::weakref::{WeakReference, call_callbacks, references, unlink};
use crate::exceptions::print::{write_stderr, write_unraisable_while};
use crate::interpreter::frame::{InterpreterFrame, owner};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::runtime::vm::breaker;

/// The number of generations.
pub const GENERATIONS: usize = 3;

/// `gc.DEBUG_STATS`: print statistics during collection.
pub const DEBUG_STATS: i32 = 1;
/// `gc.DEBUG_COLLECTABLE`: print collectable objects found.
pub const DEBUG_COLLECTABLE: i32 = 2;
/// `gc.DEBUG_UNCOLLECTABLE`: print unreachable but uncollectable objects found.
pub const DEBUG_UNCOLLECTABLE: i32 = 4;
/// `gc.DEBUG_SAVEALL`: save objects to `gc.garbage` rather than freeing them.
pub const DEBUG_SAVEALL: i32 = 32;

/// What `gc.get_stats()` counts for one generation.
#[derive(Default, Clone, Copy)]
pub struct Stats {
    /// Collections done.
    pub collections: usize,
    /// Objects destroyed.
    pub collected: usize,
    /// Objects that could not be.
    pub uncollectable: usize,
}

/// The Python-visible state of the collector.
#[derive(Default)]
pub struct Collector {
    /// `gc.get_debug()`.
    pub debug: Cell<i32>,
    /// `gc.get_stats()`.
    pub stats: RefCell<[Stats; GENERATIONS]>,
    garbage: Slot<List>,
    callbacks: Slot<List>,
}

/// The collector's state in this interpreter.
pub fn state(vm: &Vm) -> &Collector {
    vm.interp().state::<Collector>()
}

impl Collector {
    /// `gc.garbage`.
    pub fn garbage(&self, vm: &Vm) -> Ref<List> {
        made_once(&self.garbage, vm)
    }

    /// `gc.callbacks`.
    pub fn callbacks(&self, vm: &Vm) -> Ref<List> {
        made_once(&self.callbacks, vm)
    }
}

fn made_once(slot: &Slot<List>, vm: &Vm) -> Ref<List> {
    if let Some(list) = slot.get() {
        return list;
    }
    let list = vm.new_list([]);
    slot.put(list.clone());
    list
}

/// Why a collection runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Allocations went over the threshold.
    Threshold,
    /// `gc.collect()`.
    Manual,
    /// The interpreter ends: no `gc.callbacks`.
    Shutdown,
}

fn head(gc: &GcState, generation: usize) -> Option<*mut GcHeader> {
    gc.generations.get(generation).map(|head| std::ptr::from_ref(head).cast_mut())
}

/// The number of objects in a list.
fn size(head: *mut GcHeader) -> usize {
    // SAFETY: the heads of an interpreter's lists are linked rings.
    unsafe { cycles::members(head) }.count()
}

/// Runs what the collector asked for when an allocation went over the threshold. The evaluation loop calls it when it sees
/// the collector's bit in `eval_breaker`.
#[cold]
pub fn run_pending(vm: &Vm) {
    vm.eval_breaker.fetch_and(!breaker::GC, Ordering::Relaxed);
    let gc = &vm.interp().gc;
    gc.requested.set(false);
    if gc.collecting.get() || !gc.enabled.get() {
        return;
    }
    let over = |generation: usize| match (gc.counts.get(generation), gc.thresholds.get(generation)) {
        (Some(count), Some(threshold)) => threshold.get() != 0 && count.get() > threshold.get(),
        _ => false,
    };
    if gc.thresholds.first().is_none_or(|threshold| threshold.get() == 0) {
        return;
    }
    for generation in (0..GENERATIONS).rev() {
        if !over(generation) {
            continue;
        }
        // A full collection costs time in proportion to all objects; it waits until enough new ones have grown old.
        let is_full = generation == GENERATIONS - 1;
        if is_full && gc.long_lived_pending.get() < gc.long_lived_total.get() / 4 {
            continue;
        }
        collect(vm, generation, Reason::Threshold);
        return;
    }
}

/// Collects a generation and all younger ones. Gives the number of unreachable objects found; 0 when a collection runs
/// already. Errors of finalisers and callbacks are reported as unraisable.
pub fn collect(vm: &Vm, generation: usize, reason: Reason) -> isize {
    let gc = &vm.interp().gc;
    if gc.collecting.replace(true) {
        return 0;
    }
    let saved = vm.take_exception();
    if reason != Reason::Shutdown {
        call_gc_callbacks("start", generation, Stats::default(), vm);
    }
    let found = collect_generation(gc, generation, vm);
    {
        let collector = state(vm);
        if let Ok(mut stats) = collector.stats.try_borrow_mut() {
            if let Some(stats) = stats.get_mut(generation) {
                stats.collections += 1;
                stats.collected += found.collected;
                stats.uncollectable += found.uncollectable;
            }
        }
    }
    if reason != Reason::Shutdown {
        call_gc_callbacks("stop", generation, found, vm);
    }
    if vm.has_exception() {
        vm.write_unraisable(None, Some("Exception ignored in garbage collection"));
    }
    vm.current_exception.set(saved);
    gc.collecting.set(false);
    (found.collected + found.uncollectable) as isize
}

/// Warns at the end of the interpreter when `gc.garbage` holds objects.
pub fn report_garbage(vm: &Vm) {
    let collector = state(vm);
    let garbage = match collector.garbage.get() {
        Some(garbage) if garbage.len() > 0 => garbage,
        _ => return,
    };
    let debug = collector.debug.get();
    if debug & DEBUG_SAVEALL != 0 {
        return;
    }
    let lists_them = debug & DEBUG_UNCOLLECTABLE != 0;
    let hint = if lists_them { "" } else { "; use gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them" };
    let text = format!("gc: {} uncollectable objects at shutdown{hint}", garbage.len());
    let warned = crate::builtins::warn::machinery(vm).and_then(|warnings| {
        let (text, source) = (vm.new_str(&text), vm.new_str("gc"));
        let category = types::resource_warning().as_object();
        let arguments = [text.as_object(), category, source.as_object(), &*vm.new_int(0)];
        warnings.call_method(&vm.intern("warn_explicit"), &arguments, vm)
    });
    if warned.is_err() {
        vm.write_unraisable(None, None);
    }
    if lists_them {
        match garbage.as_object().repr(vm) {
            Ok(shown) => write_stderr(&format!("      {}\n", shown.to_string_lossy()), vm),
            Err(Raised) => vm.write_unraisable(Some(garbage.as_object()), None),
        }
    }
}

/// Tells `gc.callbacks` that a collection starts or stops.
fn call_gc_callbacks(phase: &str, generation: usize, found: Stats, vm: &Vm) {
    let callbacks = match state(vm).callbacks.get() {
        Some(callbacks) if callbacks.len() > 0 => callbacks,
        _ => return,
    };
    let info = vm.new_dict();
    let fields =
        [("generation", generation), ("collected", found.collected), ("uncollectable", found.uncollectable)];
    for (name, value) in fields {
        if info.set_str(&vm.intern(name), &vm.new_int(value), vm).is_err() {
            vm.clear_exception();
            return;
        }
    }
    let phase = vm.new_str(phase);
    let mut index = 0;
    // The list may change while its members run.
    while let Some(callback) = callbacks.get(index) {
        if callback.call(&[phase.as_object(), info.as_object()], vm).is_err() {
            write_unraisable_while("while calling GC callback", Some(&callback), vm);
        }
        index += 1;
    }
}

/// Objects that a full collection need not find out about: the modules, and the local variables of what runs.
fn known_alive(vm: &Vm) -> Vec<*mut Object> {
    let mut roots = Vec::new();
    if let Some(modules) = vm.interp().import.modules.get() {
        roots.push(modules.as_raw());
    }
    let mut frame = vm.current_frame.get();
    // SAFETY: linked frames are alive; those of Python code have a code object and own or borrow what their slots for
    // local variables hold.
    unsafe {
        while let Some(this) = frame.as_ref() {
            if this.owner < owner::INTERPRETER {
                let first = InterpreterFrame::locals_ptr(frame);
                let count = InterpreterFrame::code(frame).nlocalsplus();
                roots.extend(
                    (0..count).map(|i| *first.add(i)).filter(|slot| !slot.is_null()).map(StackRef::ptr),
                );
            }
            frame = this.previous;
        }
    }
    roots
}

fn collect_generation(gc: &GcState, generation: usize, vm: &Vm) -> Stats {
    let debug = state(vm).debug.get();
    let started = Instant::now();
    if debug & DEBUG_STATS != 0 {
        print_start(gc, generation, vm);
    }
    let (Some(young), oldest) = (head(gc, generation), generation + 1 >= GENERATIONS) else {
        return Stats::default();
    };
    let old = if oldest { young } else { head(gc, generation + 1).unwrap_or(young) };
    if let Some(count) = gc.counts.get(generation + 1) {
        count.set(count.get().saturating_add(1));
    }
    for count in gc.counts.iter().take(generation + 1) {
        count.set(0);
    }

    let unreachable = GcList::new();
    let uncollectable = GcList::new();
    // SAFETY: the heads are linked rings; no Python code runs in this block, so the lists hold still.
    unsafe {
        for younger in (0..generation).filter_map(|g| head(gc, g)) {
            cycles::merge(younger, young);
        }
        let roots = if oldest { known_alive(vm) } else { Vec::new() };
        cycles::separate_unreachable(young, unreachable.head(), &roots);
        let survivors = untrack_atomic_tuples(young);
        if oldest {
            gc.long_lived_pending.set(0);
            gc.long_lived_total.set(survivors);
        } else {
            if generation + 2 == GENERATIONS {
                gc.long_lived_pending.set(gc.long_lived_pending.get() + survivors);
            }
            cycles::merge(young, old);
        }
        set_aside_uncollectable(&unreachable, &uncollectable);
    }
    if debug & DEBUG_COLLECTABLE != 0 {
        print_members("collectable", &unreachable, vm);
    }

    let code_ran = end_weakrefs(&unreachable, vm) | finalize(&unreachable);
    let garbage = GcList::new();
    // SAFETY: the lists are linked rings, and all members are alive.
    unsafe {
        if code_ran {
            // What finalisers brought back stays in the first list, without the mark.
            cycles::separate_unreachable(unreachable.head(), garbage.head(), &[]);
            cycles::merge(unreachable.head(), old);
        } else {
            cycles::merge(unreachable.head(), garbage.head());
        }
    }
    let collected = size(garbage.head());
    if debug & DEBUG_SAVEALL != 0 {
        save_all(&garbage, old, vm);
    } else {
        // SAFETY: nothing refers to the garbage from outside: finalisers and weak references are dealt with.
        unsafe { cycles::destroy(&garbage, old) };
    }

    let left = size(uncollectable.head());
    if left > 0 {
        if debug & DEBUG_UNCOLLECTABLE != 0 {
            print_members("uncollectable", &uncollectable, vm);
        }
        let garbage = state(vm).garbage(vm);
        // SAFETY: members are alive; appending runs no Python code.
        unsafe {
            for op in cycles::members(uncollectable.head()) {
                if (*op).ob_type().tp_del.get().is_some() || debug & DEBUG_SAVEALL != 0 {
                    garbage.append((*op).to_ref());
                }
            }
            cycles::merge(uncollectable.head(), old);
        }
    }
    if debug & DEBUG_STATS != 0 {
        write_stderr(
            &format!(
                "gc: done, {} unreachable, {left} uncollectable, {:.4}s elapsed\n",
                collected + left,
                started.elapsed().as_secs_f64()
            ),
            vm,
        );
    }
    Stats { collections: 0, collected, uncollectable: left }
}

/// Tuples of atoms can't be part of a cycle: the collector need not look at them again. Gives the number of the others.
///
/// # Safety
/// `head` is a linked ring.
unsafe fn untrack_atomic_tuples(head: *mut GcHeader) -> usize {
    let mut left = 0;
    // SAFETY: the iterator has passed a member before it is taken out.
    unsafe {
        for op in cycles::members(head) {
            if (*op).downcast_exact::<Tuple>().is_some_and(Tuple::can_untrack) {
                gc::untrack(op);
            } else {
                left += 1;
            }
        }
    }
    left
}

/// Objects with the old-style finaliser `tp_del`, and all that they refer to, are left alone.
///
/// # Safety
/// Both lists are linked rings.
unsafe fn set_aside_uncollectable(unreachable: &GcList, uncollectable: &GcList) {
    // SAFETY: members are alive; the iterator has passed a member before it is moved.
    unsafe {
        let mut any = false;
        for op in cycles::members(unreachable.head()) {
            if (*op).ob_type().tp_del.get().is_some() {
                cycles::move_to(GcHeader::of(op), uncollectable.head());
                any = true;
            }
        }
        if any {
            cycles::clear_flags(uncollectable.head());
            cycles::move_reachable(uncollectable.head());
        }
    }
}

/// Ends all weak references to garbage, before any finaliser can bring it back, and calls the callbacks of those references
/// that are not garbage themselves. Gives whether there were any.
fn end_weakrefs(unreachable: &GcList, vm: &Vm) -> bool {
    let mut waiting = Vec::new();
    // SAFETY: members are alive; nothing is destroyed while they are walked, as every callback is kept.
    unsafe {
        for op in cycles::members(unreachable.head()) {
            let all: Vec<*mut WeakReference> = references(&*op).collect();
            for wr in all {
                unlink(&*wr);
                if cycles::is_unreachable(wr.cast()) {
                    continue;
                }
                if let Some(callback) = (*wr).wr_callback.take() {
                    waiting.push((Ref::new_ref(&*wr), callback));
                }
            }
        }
    }
    let any = !waiting.is_empty();
    if any {
        call_callbacks(waiting, vm);
    }
    any
}

/// Calls the finalisers of garbage, each object's at most once in its life. Gives whether there were any.
fn finalize(unreachable: &GcList) -> bool {
    // The members are kept alive by references of our own: a finaliser may destroy any of them.
    // SAFETY: members are alive.
    let objects: Vec<ObjRef> = unsafe {
        cycles::members(unreachable.head())
            .filter(|&op| (*op).ob_type().tp_finalize.get().is_some() && !gc::is_finalized(op))
            .map(|op| (*op).to_ref())
            .collect()
    };
    let any = !objects.is_empty();
    for object in objects {
        // SAFETY: the object is alive and has a header, being a member of a list; a slot is called with a live object.
        unsafe {
            if gc::is_finalized(object.as_raw()) {
                continue;
            }
            gc::set_finalized(object.as_raw());
            if let Some(finalize) = object.ob_type().tp_finalize.get() {
                finalize(object.as_raw());
            }
        }
    }
    any
}

/// `DEBUG_SAVEALL`: the garbage goes to `gc.garbage` instead of being destroyed.
fn save_all(garbage: &GcList, old: *mut GcHeader, vm: &Vm) {
    let list = state(vm).garbage(vm);
    // SAFETY: members are alive; appending runs no Python code.
    unsafe {
        for op in cycles::members(garbage.head()) {
            list.append((*op).to_ref());
        }
        cycles::clear_flags(garbage.head());
        cycles::merge(garbage.head(), old);
    }
}

fn print_start(gc: &GcState, generation: usize, vm: &Vm) {
    let mut text = format!("gc: collecting generation {generation}...\ngc: objects in each generation:");
    for generation in (0..GENERATIONS).filter_map(|g| head(gc, g)) {
        text.push_str(&format!(" {}", size(generation)));
    }
    let permanent = size(std::ptr::from_ref(&gc.permanent).cast_mut());
    text.push_str(&format!("\ngc: objects in permanent generation: {permanent}\n"));
    write_stderr(&text, vm);
}

fn print_members(what: &str, list: &GcList, vm: &Vm) {
    // SAFETY: members are alive.
    let objects: Vec<ObjRef> = unsafe { cycles::members(list.head()).map(|op| (*op).to_ref()).collect() };
    for object in objects {
        let line = format!("gc: {what} <{} {:p}>\n", object.ob_type().tp_name_str(), object.as_raw());
        write_stderr(&line, vm);
    }
}

/// `gc.get_objects(generation)`: the tracked objects of one generation, or of all.
pub fn objects(generation: Option<usize>, vm: &Vm) -> Vec<ObjRef> {
    let gc = &vm.interp().gc;
    let mut found = Vec::new();
    for number in 0..GENERATIONS {
        if generation.is_some_and(|wanted| wanted != number) {
            continue;
        }
        let Some(head) = head(gc, number) else { continue };
        // SAFETY: members are alive, and taking references runs no code.
        found.extend(unsafe { cycles::members(head).map(|op| (*op).to_ref()) });
    }
    found
}

/// `gc.freeze()`.
pub fn freeze(vm: &Vm) {
    let gc = &vm.interp().gc;
    let permanent = std::ptr::from_ref(&gc.permanent).cast_mut();
    for (generation, count) in (0..GENERATIONS).filter_map(|g| head(gc, g)).zip(&gc.counts) {
        // SAFETY: the heads are linked rings.
        unsafe { cycles::merge(generation, permanent) };
        count.set(0);
    }
}

/// `gc.unfreeze()`.
pub fn unfreeze(vm: &Vm) {
    let gc = &vm.interp().gc;
    if let Some(oldest) = head(gc, GENERATIONS - 1) {
        // SAFETY: the heads are linked rings.
        unsafe { cycles::merge(std::ptr::from_ref(&gc.permanent).cast_mut(), oldest) };
    }
}

/// `gc.get_freeze_count()`.
pub fn freeze_count(vm: &Vm) -> usize {
    size(std::ptr::from_ref(&vm.interp().gc.permanent).cast_mut())
}
