//! The native module `gc`.

use std::ffi::{c_int, c_void};

use taipan_object::gc::{self as object_gc, collect as cycles};

use crate::prelude::*;
use crate::runtime::audit::audit;
use crate::runtime::gc::{self, GENERATIONS, Reason};

/// The module's name space.
pub struct GcModule;

unsafe extern "C" fn append_referent(op: *mut Object, list: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object and the vector passed below.
    unsafe { (*list.cast::<Vec<ObjRef>>()).push((*op).to_ref()) };
    0
}

/// Looks for any of some objects among an object's referents.
struct Search<'a> {
    wanted: &'a [&'a Object],
    found: bool,
}

unsafe extern "C" fn find_referent(op: *mut Object, search: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object and the search passed below.
    let search = unsafe { &mut *search.cast::<Search<'_>>() };
    search.found |= search.wanted.iter().any(|wanted| wanted.as_ptr() == op);
    c_int::from(search.found)
}

/// This module provides access to the garbage collector for reference cycles.
///
/// enable() -- Enable automatic garbage collection.
/// disable() -- Disable automatic garbage collection.
/// isenabled() -- Returns true if automatic collection is enabled.
/// collect() -- Do a full collection right now.
/// get_count() -- Return the current collection counts.
/// get_stats() -- Return list of dictionaries containing per-generation stats.
/// set_debug() -- Set debugging flags.
/// get_debug() -- Get debugging flags.
/// set_threshold() -- Set the collection thresholds.
/// get_threshold() -- Return the current collection thresholds.
/// get_objects() -- Return a list of all objects tracked by the collector.
/// is_tracked() -- Returns true if a given object is tracked.
/// is_finalized() -- Returns true if a given object has been already finalized.
/// get_referrers() -- Return the list of objects that refer to an object.
/// get_referents() -- Return the list of objects that an object refers to.
/// freeze() -- Freeze all tracked objects and ignore them for future collections.
/// unfreeze() -- Unfreeze all objects in the permanent generation.
/// get_freeze_count() -- Return the number of objects in the permanent generation.
///
#[pymodule(name = "gc")]
impl GcModule {
    /// Enable automatic garbage collection.
    #[function("($module, /)")]
    fn enable(vm: &Vm) {
        vm.interp().gc.enabled.set(true);
    }

    /// Disable automatic garbage collection.
    #[function("($module, /)")]
    fn disable(vm: &Vm) {
        vm.interp().gc.enabled.set(false);
    }

    /// Returns true if automatic garbage collection is enabled.
    #[function("($module, /)")]
    fn isenabled(vm: &Vm) -> bool {
        vm.interp().gc.enabled.get()
    }

    /// Set the garbage collection debugging flags.
    ///
    ///   flags
    ///     An integer that can have the following bits turned on:
    ///       DEBUG_STATS - Print statistics during collection.
    ///       DEBUG_COLLECTABLE - Print collectable objects found.
    ///       DEBUG_UNCOLLECTABLE - Print unreachable but uncollectable objects
    ///         found.
    ///       DEBUG_SAVEALL - Save objects to gc.garbage rather than freeing them.
    ///       DEBUG_LEAK - Debug leaking programs (everything but STATS).
    ///
    /// Debugging information is written to sys.stderr.
    #[function("($module, flags, /)")]
    fn set_debug(flags: i32, vm: &Vm) {
        gc::state(vm).debug.set(flags);
    }

    /// Get the garbage collection debugging flags.
    #[function("($module, /)")]
    fn get_debug(vm: &Vm) -> i32 {
        gc::state(vm).debug.get()
    }

    /// Return a three-tuple of the current collection counts.
    #[function("($module, /)")]
    fn get_count(vm: &Vm) -> Ref<Tuple> {
        let counts = &vm.interp().gc.counts;
        vm.new_tuple(counts.iter().map(|count| vm.new_int(count.get())).collect::<Vec<_>>())
    }

    /// set_threshold(threshold0, [threshold1, [threshold2]])
    /// Set the collection thresholds (the collection frequency).
    ///
    /// Setting 'threshold0' to zero disables collection.
    #[function("!($module, threshold0, threshold1=10, threshold2=10, /)")]
    fn set_threshold(threshold0: i32, threshold1: Option<i32>, threshold2: Option<i32>, vm: &Vm) {
        let given = [Some(threshold0), threshold1, threshold2];
        for (cell, value) in vm.interp().gc.thresholds.iter().zip(given) {
            if let Some(value) = value {
                cell.set(value);
            }
        }
    }

    /// Return the current collection thresholds.
    #[function("($module, /)")]
    fn get_threshold(vm: &Vm) -> Ref<Tuple> {
        let thresholds = &vm.interp().gc.thresholds;
        vm.new_tuple(thresholds.iter().map(|threshold| vm.new_int(threshold.get())).collect::<Vec<_>>())
    }

    /// Run the garbage collector.
    ///
    /// With no arguments, run a full collection.  The optional argument
    /// may be an integer specifying which generation to collect.  A ValueError
    /// is raised if the generation number is invalid.
    ///
    /// The number of unreachable objects is returned.
    #[function("($module, /, generation=2)")]
    fn collect(generation: i32, vm: &Vm) -> PyResult<isize> {
        match usize::try_from(generation) {
            Ok(generation) if generation < GENERATIONS => Ok(gc::collect(vm, generation, Reason::Manual)),
            _ => Err(vm.value_error("invalid generation")),
        }
    }

    /// Return a list of objects tracked by the collector (excluding the list returned).
    ///
    ///   generation
    ///     Generation to extract the objects from.
    ///
    /// If generation is not None, return only the objects tracked by the
    /// collector that are in that generation.
    #[function("($module, /, generation=None)")]
    fn get_objects(generation: OrNone<isize>, vm: &Vm) -> PyResult<Ref<List>> {
        audit("gc.get_objects", &[&vm.new_int(generation.0.unwrap_or(-1))], vm)?;
        let generation = match generation.0 {
            None | Some(-1) => None,
            Some(number) => match usize::try_from(number) {
                Ok(number) if number < GENERATIONS => Some(number),
                Ok(_) => {
                    return Err(vm.value_error(format!(
                        "generation parameter must be less than the number of available generations ({GENERATIONS})"
                    )));
                }
                Err(_) => return Err(vm.value_error("generation parameter cannot be negative")),
            },
        };
        Ok(vm.new_list(gc::objects(generation, vm)))
    }

    /// Return a list of dictionaries containing per-generation statistics.
    #[function("($module, /)")]
    fn get_stats(vm: &Vm) -> PyResult<Ref<List>> {
        let stats = *gc::state(vm).stats.borrow();
        let mut found = Vec::new();
        for generation in stats {
            let dict = vm.new_dict();
            let fields = [
                ("collections", generation.collections),
                ("collected", generation.collected),
                ("uncollectable", generation.uncollectable),
            ];
            for (name, value) in fields {
                dict.set_str(&vm.intern(name), &vm.new_int(value), vm)?;
            }
            found.push(dict.into_object());
        }
        Ok(vm.new_list(found))
    }

    /// Returns true if the object is tracked by the garbage collector.
    ///
    /// Simple atomic objects will return false.
    #[function("($module, obj, /)")]
    fn is_tracked(obj: &Object) -> bool {
        // SAFETY: an argument is alive.
        unsafe { object_gc::is_tracked(obj.as_ptr()) }
    }

    /// Returns true if the object has been already finalized by the GC.
    #[function("($module, obj, /)")]
    fn is_finalized(obj: &Object) -> bool {
        // SAFETY: an argument is alive.
        unsafe { object_gc::is_finalized(obj.as_ptr()) }
    }

    /// Return the list of objects that directly refer to any of 'objs'.
    #[function("($module, /, *objs)")]
    fn get_referrers(objs: &[&Object], vm: &Vm) -> PyResult<Ref<List>> {
        audit("gc.get_referrers", &[Tuple::from_slice(objs, vm).as_object()], vm)?;
        let mut found = Vec::new();
        for object in gc::objects(None, vm) {
            let mut search = Search { wanted: objs, found: false };
            // SAFETY: the object is alive; the visitor gets its own search.
            unsafe { cycles::traverse(object.as_raw(), find_referent, (&raw mut search).cast()) };
            if search.found {
                found.push(object);
            }
        }
        Ok(vm.new_list(found))
    }

    /// Return the list of objects that are directly referred to by 'objs'.
    #[function("($module, /, *objs)")]
    fn get_referents(objs: &[&Object], vm: &Vm) -> PyResult<Ref<List>> {
        audit("gc.get_referents", &[Tuple::from_slice(objs, vm).as_object()], vm)?;
        let mut found: Vec<ObjRef> = Vec::new();
        for object in objs {
            if object_gc::has_header(object) {
                // SAFETY: the object is alive; the visitor gets its own vector.
                unsafe { cycles::traverse(object.as_ptr(), append_referent, (&raw mut found).cast()) };
            }
        }
        Ok(vm.new_list(found))
    }

    /// Freeze all current tracked objects and ignore them for future collections.
    ///
    /// This can be used before a POSIX fork() call to make the gc copy-on-write
    /// friendly.
    /// Note: collection before a POSIX fork() call may free pages for future
    /// allocation which can cause copy-on-write.
    #[function("($module, /)")]
    fn freeze(vm: &Vm) {
        gc::freeze(vm);
    }

    /// Unfreeze all objects in the permanent generation.
    ///
    /// Put all objects in the permanent generation back into oldest generation.
    #[function("($module, /)")]
    fn unfreeze(vm: &Vm) {
        gc::unfreeze(vm);
    }

    /// Return the number of objects in the permanent generation.
    #[function("($module, /)")]
    fn get_freeze_count(vm: &Vm) -> usize {
        gc::freeze_count(vm)
    }

    #[constant("garbage")]
    fn garbage(vm: &Vm) -> Ref<List> {
        gc::state(vm).garbage(vm)
    }

    #[constant("callbacks")]
    fn callbacks(vm: &Vm) -> Ref<List> {
        gc::state(vm).callbacks(vm)
    }

    #[constant("DEBUG_STATS")]
    fn debug_stats() -> i32 {
        gc::DEBUG_STATS
    }

    #[constant("DEBUG_COLLECTABLE")]
    fn debug_collectable() -> i32 {
        gc::DEBUG_COLLECTABLE
    }

    #[constant("DEBUG_UNCOLLECTABLE")]
    fn debug_uncollectable() -> i32 {
        gc::DEBUG_UNCOLLECTABLE
    }

    #[constant("DEBUG_SAVEALL")]
    fn debug_saveall() -> i32 {
        gc::DEBUG_SAVEALL
    }

    #[constant("DEBUG_LEAK")]
    fn debug_leak() -> i32 {
        gc::DEBUG_COLLECTABLE | gc::DEBUG_UNCOLLECTABLE | gc::DEBUG_SAVEALL
    }
}
