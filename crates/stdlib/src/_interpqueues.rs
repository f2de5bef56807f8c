//! `_interpqueues`: queues between interpreters. What can be shared is handed on as it is, all else pickled.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;
use taipan_vm::runtime::interpreters;

use crate::_interpreters::exceptions::{queue_error, queue_not_found_error};
use crate::_interpreters::number_argument;
use crate::_interpreters::policies::{DEFAULTS, PICKLED, UNBOUND_REMOVE, policies};
use crate::_interpreters::shared::{Shared, pack};

/// The module.
pub struct InterpQueues;

struct Item {
    /// Nothing once its interpreter has ended.
    object: Option<Shared>,
    /// The interpreter that put it.
    owner: i64,
    unbound: i32,
}

struct Queue {
    limit: isize,
    unbound: i32,
    fallback: i32,
    items: VecDeque<Item>,
    binds: usize,
}

struct All {
    queues: BTreeMap<i64, Queue>,
    last: i64,
}

/// The queues of the process.
static ALL: Mutex<All> = Mutex::new(All { queues: BTreeMap::new(), last: 0 });

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an interpreter's objects out of the queues, when it has ended.
fn unbind(owner: i64) {
    let mut objects = Vec::new();
    let mut all = all();
    for queue in all.queues.values_mut() {
        for item in queue.items.iter_mut().filter(|item| item.owner == owner) {
            objects.extend(item.object.take());
        }
        queue.items.retain(|item| item.owner != owner || item.unbound != UNBOUND_REMOVE);
    }
    // What the objects hold may ask for the lock.
    drop(all);
    drop(objects);
}

/// `Queue`, `QueueEmpty` and `QueueFull` of an interpreter's Python part.
#[derive(Default)]
struct Registered(RefCell<Option<[ObjRef; 3]>>);

fn registered(vm: &Vm) -> Option<[ObjRef; 3]> {
    vm.interp().state::<Registered>().0.borrow().clone()
}

/// Whether the object is a queue of the Python part.
pub(crate) fn is_queue(object: &Object, vm: &Vm) -> bool {
    registered(vm).is_some_and(|[queue, ..]| queue.is(object.ob_type().as_object()))
}

/// The Python object of a queue.
pub(crate) fn queue_object(id: i64, vm: &Vm) -> PyResult {
    if registered(vm).is_none() {
        taipan_vm::import::import_module("concurrent.interpreters._queues", vm)?;
    }
    match registered(vm) {
        Some([queue, ..]) => queue.call(&[&vm.new_int(id)], vm),
        None => Err(vm.runtime_error("Queue class not registered")),
    }
}

/// A queue's number.
struct Id(i64);

impl FromArg<'_> for Id {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        number_argument(object, "queue ID", vm)?
            .to_i64()
            .map(Id)
            .ok_or_else(|| vm.overflow_error("max queue ID is 9223372036854775807"))
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
    let class = registered(vm).and_then(|classes| classes.get(at).cloned());
    let class = class.and_then(|class| class.downcast::<Type>().ok());
    match (class, queue_error(vm)) {
        (Some(class), _) | (None, Ok(class)) => vm.raise(&class, text),
        (None, Err(Raised)) => Raised,
    }
}

/// Looks at a queue. The closure may not run Python code.
fn with<R>(id: i64, vm: &Vm, look: impl FnOnce(&mut Queue) -> R) -> PyResult<R> {
    let seen = all().queues.get_mut(&id).map(look);
    seen.ok_or_else(|| not_found(id, vm))
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpqueues")]
impl InterpQueues {
    /// Create a new cross-interpreter queue and return its unique generated ID.
    #[function("!($module, maxsize, unboundop=-1, fallback=-1)")]
    fn create(maxsize: isize, unboundop: Option<i32>, fallback: Option<i32>, vm: &Vm) -> PyResult<i64> {
        let (unbound, fallback) = policies(unboundop, fallback, DEFAULTS, vm)?;
        let mut all = all();
        all.last += 1;
        let id = all.last;
        let queue = Queue { limit: maxsize, unbound, fallback, items: VecDeque::new(), binds: 0 };
        all.queues.insert(id, queue);
        Ok(id)
    }

    /// Clear and destroy the queue.
    #[function("!($module, qid)")]
    fn destroy(qid: Id, vm: &Vm) -> PyResult<()> {
        let removed = all().queues.remove(&qid.0);
        removed.map(drop).ok_or_else(|| not_found(qid.0, vm))
    }

    /// Return the list of ID triples for all queues.
    #[function("($self, /)")]
    fn list_all(vm: &Vm) -> PyResult<Ref<List>> {
        let found: Vec<(i64, i32, i32)> =
            all().queues.iter().rev().map(|(id, q)| (*id, q.unbound, q.fallback)).collect();
        let made = found.into_iter().map(|queue| queue.into_py(vm)).collect::<PyResult<Vec<_>>>()?;
        Ok(vm.new_list(made))
    }

    /// Add the object's data to the queue.
    #[function("!($module, qid, obj, unboundop=None, fallback=None)")]
    fn put(qid: Id, obj: &Object, unboundop: OrNone<i32>, fallback: OrNone<i32>, vm: &Vm) -> PyResult<()> {
        let (full, defaults) = with(qid.0, vm, |queue| {
            (queue.limit > 0 && queue.items.len() >= queue.limit as usize, (queue.unbound, queue.fallback))
        })?;
        let (unbound, fallback) = policies(unboundop.0, fallback.0, defaults, vm)?;
        let full_error = || bound_error(2, format!("queue {} is full", qid.0), vm);
        if full {
            return Err(full_error());
        }
        let object = Some(pack(obj, fallback == PICKLED, vm)?);
        // Pickling may have run anything.
        let mut item = Some(Item { object, owner: vm.interp().id, unbound });
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
    #[function("!($module, qid)")]
    fn get(qid: Id, vm: &Vm) -> PyResult<(ObjRef, Option<ObjRef>)> {
        match with(qid.0, vm, |queue| queue.items.pop_front())? {
            None => Err(bound_error(1, format!("queue {} is empty", qid.0), vm)),
            Some(Item { object: Some(object), .. }) => Ok((object.unpack(vm)?, None)),
            Some(Item { unbound, .. }) => Ok((vm.none(), Some(vm.new_int(unbound)))),
        }
    }

    /// Take a reference to the identified queue.
    #[function("!($module, qid)")]
    fn bind(qid: Id, vm: &Vm) -> PyResult<()> {
        with(qid.0, vm, |queue| queue.binds += 1)
    }

    /// Release a reference to the queue.  The queue is destroyed once there are no references left.
    #[function("!($module, qid)")]
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
    #[function("!($module, qid)")]
    fn get_maxsize(qid: Id, vm: &Vm) -> PyResult<isize> {
        with(qid.0, vm, |queue| queue.limit)
    }

    /// Return the queue's default values, set when it was created.
    #[function("!($module, qid)")]
    fn get_queue_defaults(qid: Id, vm: &Vm) -> PyResult<(i32, i32)> {
        with(qid.0, vm, |queue| (queue.unbound, queue.fallback))
    }

    /// Return true if the queue has a maxsize and has reached it.
    #[function("!($module, qid)")]
    fn is_full(qid: Id, vm: &Vm) -> PyResult<bool> {
        with(qid.0, vm, |queue| queue.limit > 0 && queue.items.len() >= queue.limit as usize)
    }

    /// Return the number of items in the queue.
    #[function("!($module, qid)")]
    fn get_count(qid: Id, vm: &Vm) -> PyResult<usize> {
        with(qid.0, vm, |queue| queue.items.len())
    }

    #[function("!($module, queuetype, emptyerror, fullerror)")]
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
        let old = vm.interp().state::<Registered>().0.replace(Some(classes));
        drop(old);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        interpreters::at_end(unbind);
        module.set("QueueError", queue_error(vm)?.as_object(), vm)?;
        module.set("QueueNotFoundError", queue_not_found_error(vm)?.as_object(), vm)
    }
}
