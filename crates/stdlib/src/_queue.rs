//! `_queue`: `SimpleQueue`, which may be used from destructors and signal handlers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::exceptions::declared::DeclaredException;

use taipan_vm::prelude::*;

/// The module.
pub struct QueueModule;

static EMPTY: DeclaredException = DeclaredException { name: "_queue.Empty", base: types::exception };

fn raise_empty(vm: &Vm) -> Raised {
    match EMPTY.get(vm) {
        Ok(class) => vm.raise_with(&class, Vec::new()),
        Err(raised) => raised,
    }
}

/// Wakes the threads that wait for an item. It counts the items ever put.
#[derive(Default)]
struct Bell {
    count: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.wrapping_add(1);
        self.rung.notify_one();
    }

    /// Waits until the count is another than `seen`, at most for `limit`.
    fn wait(&self, seen: u64, limit: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rung.wait_timeout_while(count, limit, |count| *count == seen);
        drop(waited);
    }
}

/// The layout of a queue.
#[repr(C)]
#[derive(Traverse)]
pub struct SimpleQueue {
    #[traverse(skip)]
    ob: Object,
    items: RefCell<VecDeque<ObjRef>>,
    #[traverse(skip)]
    bell: Arc<Bell>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// When `get` stops waiting; none for never.
fn deadline(timeout: Option<&Object>, vm: &Vm) -> PyResult<Option<Instant>> {
    let Some(timeout) = timeout.filter(|timeout| !vm.is_none(timeout)) else { return Ok(None) };
    let seconds = timeout.as_f64(vm)?;
    if seconds < 0.0 {
        return Err(vm.value_error("'timeout' must be a non-negative number"));
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if seconds <= 9_223_372_036.0 => Ok(Instant::now().checked_add(limit)),
        _ if seconds.is_nan() => Err(vm.value_error("Invalid value NaN (not a number)")),
        _ => Err(vm.overflow_error("timeout value is too large")),
    }
}

impl SimpleQueue {
    fn pop(&self) -> Option<ObjRef> {
        self.items.borrow_mut().pop_front()
    }
}

/// Simple, unbounded, reentrant FIFO queue.
#[pytype(name = "_queue.SimpleQueue", flags(BASETYPE), gc, weakrefs = weakrefs)]
impl SimpleQueue {
    #[new("()")]
    fn new(cls: &Type, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            SimpleQueue {
                ob: Object::new(Self::type_object()),
                items: RefCell::default(),
                bell: Arc::default(),
                weakrefs: WeakList::new(),
            },
        )
    }

    /// Return True if the queue is empty, False otherwise (not reliable!).
    #[method("($self, /)")]
    fn empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    /// Remove and return an item from the queue.
    ///
    /// If optional args 'block' is true and 'timeout' is None (the
    /// default), block if necessary until an item is available.  If
    /// 'timeout' is a non-negative number, it blocks at most 'timeout'
    /// seconds and raises the Empty exception if no item was available
    /// within that time.
    /// Otherwise ('block' is false), return an item if one is immediately
    /// available, else raise the Empty exception ('timeout' is ignored
    /// in that case).
    #[method("($self, /, block=True, timeout=None)")]
    fn get(&self, block: bool, timeout: Option<&Object>, vm: &Vm) -> PyResult {
        let deadline = if block { deadline(timeout, vm)? } else { None };
        loop {
            let seen = self.bell.count();
            if let Some(item) = self.pop() {
                return Ok(item);
            }
            // In slices, so that signals are served.
            let mut slice = Duration::from_millis(50);
            if let Some(deadline) = deadline {
                match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => slice = slice.min(left),
                    _ => return Err(raise_empty(vm)),
                }
            }
            if !block {
                return Err(raise_empty(vm));
            }
            let bell = self.bell.clone();
            vm.allow_threads(|| bell.wait(seen, slice));
            taipan_vm::runtime::pending::handle(vm)?;
        }
    }

    /// Remove and return an item from the queue without blocking.
    ///
    /// Only get an item if one is immediately available. Otherwise
    /// raise the Empty exception.
    #[method("~($self, /)")]
    fn get_nowait(&self, vm: &Vm) -> PyResult {
        self.pop().ok_or_else(|| raise_empty(vm))
    }

    /// Put the item on the queue.
    ///
    /// The optional 'block' and 'timeout' arguments are ignored, as this
    /// method never blocks.  They are provided for compatibility with the
    /// Queue class.
    #[method("($self, /, item, block=True, timeout=None)")]
    fn put(&self, item: &Object, _block: bool, _timeout: Option<&Object>) {
        self.put_nowait(item);
    }

    /// Put an item into the queue without blocking.
    ///
    /// This is exactly equivalent to `put(item)` and is only provided
    /// for compatibility with the Queue class.
    #[method("($self, /, item)")]
    fn put_nowait(&self, item: &Object) {
        self.items.borrow_mut().push_back(item.to_ref());
        self.bell.ring();
    }

    /// Return the approximate size of the queue (not reliable!).
    #[method("($self, /)")]
    fn qsize(&self) -> usize {
        self.items.borrow().len()
    }

    /// SimpleQueues are generic over the type of their contents
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), item, vm)
    }
}

/// C implementation of the Python queue module.
/// This module is an implementation detail, please do not use it directly.
#[pymodule(name = "_queue", types(SimpleQueue))]
impl QueueModule {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let empty = EMPTY.get(vm)?;
        let doc = vm.new_str("Exception raised by Queue.get(block=0)/get_nowait().");
        empty.as_object().set_attr(vm.ids().__doc__, doc.as_object(), vm)?;
        module.set("Empty", empty.as_object(), vm)
    }
}
