//! `_interpqueues`: queues between interpreters. What can be shared is handed on as it is, all else pickled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;

use crate::_interpreters::exceptions::{not_shareable_error, queue_error, queue_not_found_error};
use crate::_interpreters::shareable;

/// The module.
pub struct InterpQueues;

/// Only what can be shared is taken.
const SHARED_ONLY: i32 = 0;
/// Everything else is pickled.
const PICKLED: i32 = 1;

enum Item {
    Shared(ObjRef),
    Pickled(ObjRef),
}

struct Queue {
    limit: isize,
    unbound: i32,
    fallback: i32,
    items: VecDeque<Item>,
    binds: usize,
}

#[derive(Default)]
struct State {
    queues: RefCell<BTreeMap<i64, Queue>>,
    last: Cell<i64>,
    /// `Queue`, `QueueEmpty` and `QueueFull` of the Python part.
    registered: RefCell<Option<[ObjRef; 3]>>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

/// Whether the object is a queue of the Python part.
pub(crate) fn is_queue(object: &Object, vm: &Vm) -> bool {
    let registered = state(vm).registered.borrow();
    registered.as_ref().is_some_and(|[queue, ..]| queue.is(object.ob_type().as_object()))
}

/// A queue's number.
struct Id(i64);

impl FromArg<'_> for Id {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if !object.has_index() {
            let given = object.ob_type().tp_name_str();
            return Err(vm.type_error(format!("queue ID must be an int, got {given}")));
        }
        let index = object.as_index(vm)?;
        if index.is_negative() {
            let shown = object.repr(vm)?.to_string_lossy().into_owned();
            return Err(vm.value_error(format!("queue ID must be a non-negative int, got {shown}")));
        }
        index.to_i64().map(Id).ok_or_else(|| vm.overflow_error("max queue ID is 9223372036854775807"))
    }
}

fn not_found(id: i64, vm: &Vm) -> Raised {
    match queue_not_found_error(vm) {
        Ok(error) => vm.raise(&error, format!("queue {id} not found")),
        Err(Raised) => Raised,
    }
}

/// Raises `QueueEmpty` or `QueueFull`, whichever stands at that place.
fn bound_error(at: usize, text: String, vm: &Vm) -> Raised {
    let class = state(vm).registered.borrow().as_ref().and_then(|r| r.get(at).cloned());
    let class = class.and_then(|class| class.downcast::<Type>().ok());
    match (class, queue_error(vm)) {
        (Some(class), _) | (None, Ok(class)) => vm.raise(&class, text),
        (None, Err(Raised)) => Raised,
    }
}

/// Looks at a queue. The closure may not run Python code.
fn with<R>(id: i64, vm: &Vm, look: impl FnOnce(&mut Queue) -> R) -> PyResult<R> {
    match state(vm).queues.borrow_mut().get_mut(&id) {
        Some(queue) => Ok(look(queue)),
        None => Err(not_found(id, vm)),
    }
}

fn check_unbound(op: i32, vm: &Vm) -> PyResult<i32> {
    if (1..=3).contains(&op) { Ok(op) } else { Err(vm.value_error(format!("unsupported unboundop {op}"))) }
}

fn check_fallback(fallback: i32, vm: &Vm) -> PyResult<i32> {
    match fallback {
        SHARED_ONLY | PICKLED => Ok(fallback),
        _ => Err(vm.value_error(format!("unsupported fallback {fallback}"))),
    }
}

/// Whether a shareable object's parts are shareable too. Gives the part that isn't.
fn unshareable(object: &Object, vm: &Vm) -> Option<ObjRef> {
    if !shareable(object, vm) {
        return Some(object.to_ref());
    }
    // Tuples can't hold themselves but by tricks of C, and nesting is as deep as the program made it.
    let mut waiting = vec![object.to_ref()];
    while let Some(next) = waiting.pop() {
        if !shareable(&next, vm) {
            return Some(next);
        }
        if let Some(tuple) = next.downcast_ref::<Tuple>() {
            waiting.extend(tuple.as_slice().iter().cloned());
        }
    }
    None
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpqueues")]
impl InterpQueues {
    /// Create a new cross-interpreter queue and return its unique generated ID.
    #[function("($module, maxsize, unboundop=-1, fallback=-1)")]
    fn create(maxsize: isize, unboundop: Option<i32>, fallback: Option<i32>, vm: &Vm) -> PyResult<i64> {
        let unbound = match unboundop {
            None | Some(-1) => 3,
            Some(op) => check_unbound(op, vm)?,
        };
        let fallback = match fallback {
            None | Some(-1) => PICKLED,
            Some(fallback) => check_fallback(fallback, vm)?,
        };
        let state = state(vm);
        let id = state.last.get() + 1;
        state.last.set(id);
        let queue = Queue { limit: maxsize, unbound, fallback, items: VecDeque::new(), binds: 0 };
        state.queues.borrow_mut().insert(id, queue);
        Ok(id)
    }

    /// Clear and destroy the queue.
    #[function("($module, qid)")]
    fn destroy(qid: Id, vm: &Vm) -> PyResult<()> {
        let removed = state(vm).queues.borrow_mut().remove(&qid.0);
        removed.map(drop).ok_or_else(|| not_found(qid.0, vm))
    }

    /// Return the list of ID triples for all queues.
    #[function("($module, /)")]
    fn list_all(vm: &Vm) -> PyResult<Ref<List>> {
        let found: Vec<(i64, i32, i32)> =
            state(vm).queues.borrow().iter().rev().map(|(id, q)| (*id, q.unbound, q.fallback)).collect();
        let made = found.into_iter().map(|queue| queue.into_py(vm)).collect::<PyResult<Vec<_>>>()?;
        Ok(vm.new_list(made))
    }

    /// Add the object's data to the queue.
    #[function("($module, qid, obj, unboundop=None, fallback=None)")]
    fn put(qid: Id, obj: &Object, unboundop: OrNone<i32>, fallback: OrNone<i32>, vm: &Vm) -> PyResult<()> {
        let (full, default) = with(qid.0, vm, |queue| {
            (queue.limit > 0 && queue.items.len() >= queue.limit as usize, queue.fallback)
        })?;
        if let Some(op) = unboundop.0.filter(|op| *op != -1) {
            check_unbound(op, vm)?;
        }
        let fallback = match fallback.0 {
            None | Some(-1) => default,
            Some(fallback) => check_fallback(fallback, vm)?,
        };
        let full_error = || bound_error(2, format!("queue {} is full", qid.0), vm);
        if full {
            return Err(full_error());
        }
        let item = match unshareable(obj, vm) {
            None => Item::Shared(obj.to_ref()),
            Some(_) if fallback == SHARED_ONLY => {
                let shown = obj.repr(vm)?.to_string_lossy().into_owned();
                let text = format!("{shown} does not support cross-interpreter data");
                return Err(vm.raise(&*not_shareable_error(vm)?, text));
            }
            Some(_) => {
                let pickle = taipan_vm::import::import_module("pickle", vm)?;
                match pickle.call_method(&vm.intern("dumps"), &[obj], vm) {
                    Ok(data) => Item::Pickled(data),
                    Err(Raised) => {
                        let cause = vm.take_exception();
                        let _ = vm.raise(&*not_shareable_error(vm)?, "object could not be pickled");
                        if let Some(raised) = vm.take_exception() {
                            raised.set_cause(cause.map(Ref::into_object));
                            return Err(vm.raise_object(raised));
                        }
                        return Err(Raised);
                    }
                }
            }
        };
        // Pickling may have run anything.
        let mut item = Some(item);
        let put = with(qid.0, vm, |queue| {
            let fits = queue.limit <= 0 || queue.items.len() < queue.limit as usize;
            if fits {
                queue.items.extend(item.take());
            }
            fits
        })?;
        if put { Ok(()) } else { Err(full_error()) }
    }

    /// Return the (object, unbound op) from the front of the queue.
    #[function("($module, qid)")]
    fn get(qid: Id, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let object = match with(qid.0, vm, |queue| queue.items.pop_front())? {
            None => return Err(bound_error(1, format!("queue {} is empty", qid.0), vm)),
            Some(Item::Shared(object)) => object,
            Some(Item::Pickled(data)) => {
                let pickle = taipan_vm::import::import_module("pickle", vm)?;
                pickle.call_method(&vm.intern("loads"), &[&data], vm)?
            }
        };
        Ok(vm.new_tuple([object, vm.none()]))
    }

    /// Take a reference to the identified queue.
    #[function("($module, qid)")]
    fn bind(qid: Id, vm: &Vm) -> PyResult<()> {
        with(qid.0, vm, |queue| queue.binds += 1)
    }

    /// Release a reference to the queue.  The queue is destroyed once there are no references left.
    #[function("($module, qid)")]
    fn release(qid: Id, vm: &Vm) -> PyResult<()> {
        let left = with(qid.0, vm, |queue| {
            let left = queue.binds.checked_sub(1);
            queue.binds = left.unwrap_or(0);
            left
        })?;
        match left {
            Some(0) => InterpQueues::destroy(qid, vm),
            Some(_) => Ok(()),
            None => Err(vm.raise(&*queue_error(vm)?, format!("queue {} not bound", qid.0))),
        }
    }

    /// Return the maximum number of items in the queue.
    #[function("($module, qid)")]
    fn get_maxsize(qid: Id, vm: &Vm) -> PyResult<isize> {
        with(qid.0, vm, |queue| queue.limit)
    }

    /// Return the queue's default values, set when it was created.
    #[function("($module, qid)")]
    fn get_queue_defaults(qid: Id, vm: &Vm) -> PyResult<(i32, i32)> {
        with(qid.0, vm, |queue| (queue.unbound, queue.fallback))
    }

    /// Return true if the queue has a maxsize and has reached it.
    #[function("($module, qid)")]
    fn is_full(qid: Id, vm: &Vm) -> PyResult<bool> {
        with(qid.0, vm, |queue| queue.limit > 0 && queue.items.len() >= queue.limit as usize)
    }

    /// Return the number of items in the queue.
    #[function("($module, qid)")]
    fn get_count(qid: Id, vm: &Vm) -> PyResult<usize> {
        with(qid.0, vm, |queue| queue.items.len())
    }

    #[function("($module, queuetype, emptyerror, fullerror)")]
    fn _register_heap_types(
        queuetype: &Object,
        emptyerror: &Object,
        fullerror: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        for (name, class) in [("queuetype", queuetype), ("emptyerror", emptyerror), ("fullerror", fullerror)]
        {
            if class.downcast_ref::<Type>().is_none() {
                let what = if name == "queuetype" { "a type" } else { "an exception type" };
                return Err(vm.type_error(format!("expected {what} for '{name}'")));
            }
        }
        let classes = [queuetype, emptyerror, fullerror].map(Object::to_ref);
        let old = state(vm).registered.replace(Some(classes));
        drop(old);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("QueueError", queue_error(vm)?.as_object(), vm)?;
        module.set("QueueNotFoundError", queue_not_found_error(vm)?.as_object(), vm)
    }
}
