//! `_tracemalloc`: where memory was allocated (PEP 454).

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use taipan_object::alloc::{self, Tracer};
use taipan_vm::interpreter::frame::{self, InterpreterFrame};
use taipan_vm::prelude::*;

/// One more than the most frames that a traceback keeps: CPython has sixteen bits for their number.
const MAX_FRAMES: usize = 0xffff;

/// A frame of a traceback: the address of the file's name, which is kept alive, and the line.
type Place = (usize, u32);

/// A traceback, and how many frames there were.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Traceback {
    places: Box<[Place]>,
    total: usize,
}

struct Trace {
    size: usize,
    traceback: u32,
}

/// What is known of the blocks that are in use.
#[derive(Default)]
struct Traces {
    blocks: HashMap<usize, Trace>,
    tracebacks: Vec<Traceback>,
    numbers: HashMap<Traceback, u32>,
    /// Addresses of strs that this table owns a reference to.
    names: HashSet<usize>,
    limit: usize,
    current: usize,
    peak: usize,
}

// Addresses only; references are counted by threads that hold the interpreter's lock.
static TRACES: Mutex<Option<Traces>> = Mutex::new(None);

thread_local! {
    /// What this thread allocates is not traced.
    static EXCEPTED: Cell<bool> = const { Cell::new(false) };
    static PLACES: Cell<Vec<Place>> = const { Cell::new(Vec::new()) };
}

fn lock() -> MutexGuard<'static, Option<Traces>> {
    TRACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what it makes out of the traces.
struct Except(bool);

impl Except {
    fn new() -> Except {
        Except(EXCEPTED.replace(true))
    }
}

impl Drop for Except {
    fn drop(&mut self) {
        EXCEPTED.set(self.0);
    }
}

impl Traces {
    /// The number of the traceback of where the thread is.
    fn here(&mut self) -> u32 {
        let mut places = PLACES.take();
        places.truncate(0);
        let mut total = 0;
        // Without the interpreter's lock, nobody knows where Python code is.
        if let Some(vm) = Vm::try_current() {
            let mut frame = frame::current(vm);
            while !frame.is_null() {
                total += 1;
                // SAFETY: the frames of the running thread.
                unsafe {
                    if places.len() < self.limit {
                        let (filename, _) = InterpreterFrame::code(frame).peek_names();
                        let line = InterpreterFrame::lineno(frame).unwrap_or(0);
                        let address = filename.as_object().as_ptr() as usize;
                        if self.names.insert(address) {
                            filename.as_object().incref();
                        }
                        places.push((address, u32::try_from(line).unwrap_or(0)));
                    }
                    frame = InterpreterFrame::first_complete((*frame).previous);
                }
            }
        }
        if places.is_empty() {
            places.push((0, 0));
            total = 1;
        }
        let traceback = Traceback { places: places.as_slice().into(), total: total.min(MAX_FRAMES) };
        PLACES.set(places);
        if let Some(number) = self.numbers.get(&traceback) {
            return *number;
        }
        let number = u32::try_from(self.tracebacks.len()).unwrap_or(u32::MAX);
        self.tracebacks.push(traceback.clone());
        self.numbers.insert(traceback, number);
        number
    }

    fn forget(&mut self, block: usize) {
        if let Some(trace) = self.blocks.remove(&block) {
            self.current = self.current.saturating_sub(trace.size);
        }
    }

    /// Forgets all blocks; gives the names, whose references end.
    fn clear(&mut self) -> HashSet<usize> {
        let limit = self.limit;
        let old = std::mem::replace(self, Traces { limit, ..Traces::default() });
        old.names
    }
}

/// Ends the references to names. No lock is held, since that may run Python code.
fn release_names(names: HashSet<usize>) {
    for name in names {
        // SAFETY: the table owned one reference to each.
        drop(unsafe { Ref::<Object>::from_raw(name as *mut Object) });
    }
}

fn on_allocated(block: *mut u8, size: usize) {
    if EXCEPTED.try_with(Cell::get).unwrap_or(true) {
        return;
    }
    if let Some(traces) = &mut *lock() {
        let traceback = traces.here();
        traces.forget(block as usize);
        traces.blocks.insert(block as usize, Trace { size, traceback });
        traces.current += size;
        traces.peak = traces.peak.max(traces.current);
    }
}

fn on_released(block: *mut u8) {
    if let Some(traces) = &mut *lock() {
        traces.forget(block as usize);
    }
}

static TRACER: Tracer = Tracer { allocated: on_allocated, released: on_released };

fn places_tuple(places: &[Place], vm: &Vm) -> ObjRef {
    let places: Vec<ObjRef> = places
        .iter()
        .map(|(name, line)| {
            // SAFETY: null, or a name that the table keeps alive; the table was not cleared meanwhile.
            let name = match unsafe { (*name as *mut Object).as_ref() } {
                Some(name) => name.to_ref(),
                None => vm.intern("<unknown>").into_object(),
            };
            Tuple::pair(name, vm.new_int(i64::from(*line)), vm).into_object()
        })
        .collect();
    vm.new_tuple(places).into_object()
}

/// The module.
pub struct TraceMalloc;

/// Debug module to trace memory blocks allocated by Python.
#[pymodule(name = "_tracemalloc")]
impl TraceMalloc {
    /// Return True if the tracemalloc module is tracing Python memory allocations.
    #[function("($module, /)")]
    fn is_tracing() -> bool {
        lock().is_some()
    }

    /// Clear traces of memory blocks allocated by Python.
    #[function("($module, /)")]
    fn clear_traces() {
        let names = lock().as_mut().map(Traces::clear);
        release_names(names.unwrap_or_default());
    }

    /// Get traces of all memory blocks allocated by Python.
    ///
    /// Return a list of (size: int, traceback: tuple) tuples.
    /// traceback is a tuple of (filename: str, lineno: int) tuples.
    ///
    /// Return an empty list if the tracemalloc module is disabled.
    #[function("($module, /)")]
    fn _get_traces(vm: &Vm) -> PyResult<Ref<List>> {
        let _excepted = Except::new();
        let list = List::new(vm);
        let (blocks, tracebacks) = {
            let guard = lock();
            let Some(traces) = &*guard else { return Ok(list) };
            let blocks: Vec<(usize, u32)> =
                traces.blocks.values().map(|trace| (trace.size, trace.traceback)).collect();
            // The names live as long as the traces; a reference each keeps them beyond.
            let tracebacks = traces.tracebacks.clone();
            for name in tracebacks.iter().flat_map(|traceback| traceback.places.iter()) {
                // SAFETY: null, or a name that the table keeps alive.
                if let Some(name) = unsafe { (name.0 as *mut Object).as_ref() } {
                    name.incref();
                }
            }
            (blocks, tracebacks)
        };
        let made: Vec<(ObjRef, ObjRef)> = tracebacks
            .iter()
            .map(|traceback| (places_tuple(&traceback.places, vm), vm.new_int(traceback.total)))
            .collect();
        for name in tracebacks.iter().flat_map(|traceback| traceback.places.iter()) {
            if name.0 != 0 {
                // SAFETY: the reference that was taken above.
                drop(unsafe { Ref::<Object>::from_raw(name.0 as *mut Object) });
            }
        }
        for (size, traceback) in blocks {
            if let Some((places, total)) = made.get(traceback as usize) {
                let trace = [vm.new_int(0), vm.new_int(size), places.clone(), total.clone()];
                list.append(vm.new_tuple(trace).into_object());
            }
        }
        Ok(list)
    }

    /// Get the traceback where the Python object obj was allocated.
    ///
    /// Return a tuple of (filename: str, lineno: int) tuples.
    /// Return None if the tracemalloc module is disabled or did not
    /// trace the allocation of the object.
    #[function("($module, obj, /)")]
    fn _get_object_traceback(obj: &Object, vm: &Vm) -> Option<ObjRef> {
        let _excepted = Except::new();
        let block = obj.as_ptr() as usize - taipan_object::gc::presize(obj.ob_type());
        let traceback = {
            let guard = lock();
            let traces = guard.as_ref()?;
            let trace = traces.blocks.get(&block)?;
            traces.tracebacks.get(trace.traceback as usize)?.clone()
        };
        Some(places_tuple(&traceback.places, vm))
    }

    /// Start tracing Python memory allocations.
    ///
    /// Also set the maximum number of frames stored in the traceback of a
    /// trace to nframe.
    #[function("($module, nframe=1, /)")]
    fn start(nframe: Option<i32>, vm: &Vm) -> PyResult<()> {
        let nframe = nframe.unwrap_or(1);
        let limit = usize::try_from(nframe).ok().filter(|nframe| (1..=MAX_FRAMES).contains(nframe));
        let Some(limit) = limit else {
            let text = format!("the number of frames must be in range [1; {MAX_FRAMES}]");
            return Err(vm.value_error(text));
        };
        let mut traces = lock();
        if traces.is_none() {
            *traces = Some(Traces { limit, ..Traces::default() });
            drop(traces);
            alloc::trace(Some(&TRACER));
        }
        Ok(())
    }

    /// Stop tracing Python memory allocations.
    ///
    /// Also clear traces of memory blocks allocated by Python.
    #[function("($module, /)")]
    fn stop() {
        alloc::trace(None);
        let traces = lock().take();
        if let Some(mut traces) = traces {
            release_names(traces.clear());
        }
    }

    /// Get the maximum number of frames stored in the traceback of a trace.
    ///
    /// By default, a trace of an allocated memory block only stores
    /// the most recent frame: the limit is 1.
    #[function("($module, /)")]
    fn get_traceback_limit() -> usize {
        lock().as_ref().map_or(1, |traces| traces.limit)
    }

    /// Get the memory usage in bytes of the tracemalloc module.
    ///
    /// This memory is used internally to trace memory allocations.
    #[function("($module, /)")]
    fn get_tracemalloc_memory() -> usize {
        lock().as_ref().map_or(0, |traces| {
            traces.blocks.capacity() * size_of::<(usize, Trace)>()
                + traces.numbers.capacity() * size_of::<(Traceback, u32)>()
                + traces.tracebacks.iter().map(|t| size_of_val(&*t.places) * 2).sum::<usize>()
                + traces.names.capacity() * size_of::<usize>()
        })
    }

    /// Get the current size and peak size of memory blocks traced by tracemalloc.
    ///
    /// Returns a tuple: (current: int, peak: int).
    #[function("($module, /)")]
    fn get_traced_memory(vm: &Vm) -> Ref<Tuple> {
        let (current, peak) = lock().as_ref().map_or((0, 0), |traces| (traces.current, traces.peak));
        Tuple::pair(vm.new_int(current), vm.new_int(peak), vm)
    }

    /// Set the peak size of memory blocks traced by tracemalloc to the current size.
    ///
    /// Do nothing if the tracemalloc module is not tracing memory allocations.
    #[function("($module, /)")]
    fn reset_peak() {
        if let Some(traces) = &mut *lock() {
            traces.peak = traces.current;
        }
    }
}
