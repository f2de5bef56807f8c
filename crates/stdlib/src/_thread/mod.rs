//! `_thread`: threads and locks.

mod excepthook;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

/// The module.
pub struct Thread;

/// A lock that waits without the interpreter's lock.
#[derive(Default)]
struct RawLock {
    state: Mutex<LockState>,
    freed: Condvar,
}

#[derive(Default)]
struct LockState {
    held: bool,
    /// How many threads wait. Telling nobody of a release would still be a system call.
    waiting: usize,
}

impl RawLock {
    fn state(&self) -> MutexGuard<'_, LockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_acquire(&self) -> bool {
        !std::mem::replace(&mut self.state().held, true)
    }

    /// Waits at most so long; forever without a limit.
    fn wait(&self, limit: Option<Duration>) -> bool {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut state = self.state();
        state.waiting += 1;
        while state.held {
            match deadline {
                None => state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
                    state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        state.waiting -= 1;
        !std::mem::replace(&mut state.held, true)
    }

    fn release(&self) -> bool {
        let mut state = self.state();
        let (was, awaited) = (std::mem::replace(&mut state.held, false), state.waiting > 0);
        drop(state);
        if awaited {
            self.freed.notify_one();
        }
        was
    }

    fn is_held(&self) -> bool {
        self.state().held
    }
}

/// How long `acquire` may wait, from its two arguments: none at all, so long, or forever.
fn waiting(blocking: bool, timeout: Option<f64>, vm: &Vm) -> PyResult<Option<Option<Duration>>> {
    let timeout = timeout.unwrap_or(-1.0);
    if !blocking {
        if timeout != -1.0 {
            return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
        }
        return Ok(None);
    }
    if timeout == -1.0 {
        return Ok(Some(None));
    }
    if timeout.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if timeout < 0.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    match Duration::try_from_secs_f64(timeout) {
        Ok(limit) if timeout <= TIMEOUT_MAX => Ok(Some(Some(limit))),
        _ => Err(vm.overflow_error("timeout value is too large")),
    }
}

/// Takes a lock; waits without the interpreter's lock, in slices so that signals are served.
fn acquire_raw(lock: &RawLock, wait: Option<Option<Duration>>, vm: &Vm) -> PyResult<bool> {
    if lock.try_acquire() {
        return Ok(true);
    }
    let Some(limit) = wait else { return Ok(false) };
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let slice = Duration::from_millis(50);
        let slice = match deadline {
            Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                Some(left) => left.min(slice),
                None => return Ok(false),
            },
            None => slice,
        };
        if vm.allow_threads(|| lock.wait(Some(slice))) {
            return Ok(true);
        }
        taipan_vm::runtime::pending::handle(vm)?;
    }
}

const TIMEOUT_MAX: f64 = 9_223_372_036.0;

/// A lock object.
#[repr(C)]
#[derive(Traverse)]
pub struct Lock {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    raw: Arc<RawLock>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

impl Lock {
    fn make(vm: &Vm) -> Ref<Lock> {
        vm.new_object(Lock {
            ob: Object::new(Lock::type_object()),
            raw: Arc::default(),
            weakrefs: WeakList::new(),
        })
    }
}

/// A lock is a synchronization primitive.
#[pytype(name = "_thread.lock", weakrefs = weakrefs)]
impl Lock {
    #[new("()")]
    fn new(_cls: &Type, vm: &Vm) -> Ref<Lock> {
        Lock::make(vm)
    }

    /// Lock the lock.
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<bool>, timeout: Option<f64>, vm: &Vm) -> PyResult<bool> {
        let wait = waiting(blocking.unwrap_or(true), timeout, vm)?;
        acquire_raw(&self.raw, wait, vm)
    }

    /// Release the lock.
    #[method("($self, /)")]
    fn release(&self, vm: &Vm) -> PyResult<()> {
        if self.raw.release() { Ok(()) } else { Err(vm.runtime_error("release unlocked lock")) }
    }

    /// Return whether the lock is in the locked state.
    #[method("($self, /)")]
    fn locked(&self) -> bool {
        self.raw.is_held()
    }

    /// An obsolete synonym of acquire().
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire_lock(&self, blocking: Option<bool>, timeout: Option<f64>, vm: &Vm) -> PyResult<bool> {
        self.acquire(blocking, timeout, vm)
    }

    /// An obsolete synonym of release().
    #[method("($self, /)")]
    fn release_lock(&self, vm: &Vm) -> PyResult<()> {
        self.release(vm)
    }

    /// An obsolete synonym of locked().
    #[method("($self, /)")]
    fn locked_lock(&self) -> bool {
        self.raw.is_held()
    }

    #[method("($self, /)")]
    fn _at_fork_reinit(&self) {
        self.raw.release();
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult<bool> {
        acquire_raw(&self.raw, Some(None), vm)
    }

    #[method("($self, /, *exc_info)")]
    fn __exit__(&self, _exc_info: &[&Object], vm: &Vm) -> PyResult<()> {
        self.release(vm)
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let state = if self.raw.is_held() { "locked" } else { "unlocked" };
        format!("<{state} {} object at {:p}>", self.as_object().ob_type().tp_name_str(), self)
    }
}

/// A reentrant lock.
#[repr(C)]
#[derive(Traverse)]
pub struct RLock {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    raw: Arc<RawLock>,
    #[traverse(skip)]
    owner: Cell<u64>,
    #[traverse(skip)]
    count: Cell<u64>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

#[pytype(name = "_thread.RLock", flags(BASETYPE), weakrefs = weakrefs, doc = "A reentrant lock.")]
impl RLock {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            RLock {
                ob: Object::new(RLock::type_object()),
                raw: Arc::default(),
                owner: Cell::new(0),
                count: Cell::new(0),
                weakrefs: WeakList::new(),
            },
        )
    }

    fn is_ours(&self) -> bool {
        self.count.get() > 0 && self.owner.get() == ident()
    }

    /// Lock the lock.
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<bool>, timeout: Option<f64>, vm: &Vm) -> PyResult<bool> {
        let wait = waiting(blocking.unwrap_or(true), timeout, vm)?;
        if self.is_ours() {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        let taken = acquire_raw(&self.raw, wait, vm)?;
        if taken {
            self.owner.set(ident());
            self.count.set(1);
        }
        Ok(taken)
    }

    /// Release the lock.
    #[method("($self, /)")]
    fn release(&self, vm: &Vm) -> PyResult<()> {
        if !self.is_ours() {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.owner.set(0);
            self.raw.release();
        }
        Ok(())
    }

    /// Return a boolean indicating whether this object is locked right now.
    #[method("($self, /)")]
    fn locked(&self) -> bool {
        self.raw.is_held()
    }

    /// For internal use by `threading.Condition`.
    #[method("($self, /)")]
    fn _is_owned(&self) -> bool {
        self.is_ours()
    }

    /// For internal use by reentrant lock.
    #[method("($self, /)")]
    fn _recursion_count(&self) -> u64 {
        if self.is_ours() { self.count.get() } else { 0 }
    }

    /// For internal use by `threading.Condition`.
    #[method("($self, /)")]
    fn _release_save(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if self.count.get() == 0 {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        let saved = vm.new_tuple([vm.new_int(self.count.get()), vm.new_int(self.owner.get())]);
        self.count.set(0);
        self.owner.set(0);
        self.raw.release();
        Ok(saved)
    }

    /// For internal use by `threading.Condition`.
    #[method("($self, state, /)")]
    fn _acquire_restore(&self, state: &Tuple, vm: &Vm) -> PyResult<()> {
        let [count, owner] = state.as_slice() else { return Err(vm.type_error("a pair is wanted")) };
        let (count, owner) = (count.as_isize(vm)? as u64, owner.as_index(vm)?.to_u64().unwrap_or(0));
        acquire_raw(&self.raw, Some(None), vm)?;
        self.count.set(count);
        self.owner.set(owner);
        Ok(())
    }

    #[method("($self, /)")]
    fn _at_fork_reinit(&self) {
        self.raw.release();
        self.owner.set(0);
        self.count.set(0);
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult<bool> {
        self.acquire(None, None, vm)
    }

    #[method("($self, /, *exc_info)")]
    fn __exit__(&self, _exc_info: &[&Object], vm: &Vm) -> PyResult<()> {
        self.release(vm)
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let state = if self.raw.is_held() { "locked" } else { "unlocked" };
        format!(
            "<{state} {} object owner={} count={} at {:p}>",
            self.as_object().ob_type().tp_name_str(),
            self.owner.get(),
            self.count.get(),
            self
        )
    }
}

pub(crate) fn ident() -> u64 {
    // SAFETY: a plain call.
    unsafe { libc::pthread_self() as u64 }
}

/// What a thread and those who wait for it share.
#[derive(Default)]
struct Shared {
    ident: AtomicU64,
    started: AtomicBool,
    done: RawDone,
}

#[derive(Default)]
struct RawDone {
    done: Mutex<bool>,
    changed: Condvar,
}

impl RawDone {
    fn set(&self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn get(&self) -> bool {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, limit: Duration) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if *done {
            return true;
        }
        *self.changed.wait_timeout(done, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A handle to a thread that can be joined.
#[repr(C)]
#[derive(Traverse)]
pub struct ThreadHandle {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    shared: Arc<Shared>,
}

#[pytype(name = "_thread._ThreadHandle", doc = "")]
impl ThreadHandle {
    #[new("()")]
    fn new(_cls: &Type, vm: &Vm) -> Ref<ThreadHandle> {
        vm.new_object(ThreadHandle { ob: Object::new(Self::type_object()), shared: Arc::default() })
    }

    #[getter]
    fn ident(&self, vm: &Vm) -> ObjRef {
        match self.shared.ident.load(Ordering::Acquire) {
            0 => vm.none(),
            ident => vm.new_int(ident),
        }
    }

    #[method("($self, /)")]
    fn is_done(&self) -> bool {
        self.shared.done.get()
    }

    #[method("($self, /)")]
    fn _set_done(&self, vm: &Vm) -> PyResult<()> {
        if !self.shared.started.load(Ordering::Acquire) {
            return Err(vm.runtime_error("thread not started"));
        }
        self.shared.done.set();
        Ok(())
    }

    #[method("!($self, timeout=None, /)")]
    fn join(&self, timeout: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if !self.shared.started.load(Ordering::Acquire) && !self.shared.done.get() {
            return Err(vm.runtime_error("thread not started"));
        }
        if !self.shared.done.get() {
            if self.shared.ident.load(Ordering::Acquire) == ident() {
                return Err(vm.runtime_error("Cannot join current thread"));
            }
            // Other threads do not run Python code any more: it would wait forever.
            check_not_finalizing("cannot join thread at interpreter shutdown", vm)?;
        }
        let limit =
            timeout.filter(|t| !vm.is_none(t)).map(|t| t.as_f64(vm)).transpose()?.filter(|t| *t >= 0.0);
        let deadline = limit.and_then(|t| Instant::now().checked_add(Duration::try_from_secs_f64(t).ok()?));
        loop {
            let slice = Duration::from_millis(50);
            let slice = match deadline {
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) => left.min(slice),
                    None => return Ok(()),
                },
                None => slice,
            };
            if vm.allow_threads(|| self.shared.done.wait(slice)) {
                return Ok(());
            }
            taipan_vm::runtime::pending::handle(vm)?;
        }
    }
}

/// Tells of the exception that ended a thread.
fn report(function: &Object, vm: &Vm) {
    let raised = vm.take_exception();
    let shown = match function.repr(vm) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(Raised) => {
            vm.clear_exception();
            "<object repr() failed>".to_owned()
        }
    };
    if let Some(raised) = raised {
        let Raised = vm.raise_object(raised);
        vm.write_unraisable(None, Some(&format!("Exception ignored in thread started by {shown}")));
    }
}

static RUNNING: AtomicU32 = AtomicU32::new(0);

/// Raises when the interpreter is at its end.
fn check_not_finalizing(text: &str, vm: &Vm) -> PyResult<()> {
    if vm.interp().finalizing.get() {
        return Err(vm.raise(types::python_finalization_error(), text));
    }
    Ok(())
}

/// Starts a native thread that calls `function`.
fn start(
    function: ObjRef,
    args: Ref<Tuple>,
    kwargs: Option<Ref<Dict>>,
    shared: Arc<Shared>,
    vm: &Vm,
) -> PyResult<u64> {
    /// What goes to the new thread: used only once it holds the lock.
    struct Payload {
        vm: Box<Vm>,
        function: ObjRef,
        args: Ref<Tuple>,
        kwargs: Option<Ref<Dict>>,
    }
    // SAFETY: objects are touched by the new thread only after it has taken the interpreter's lock.
    unsafe impl Send for Payload {}
    if !vm.interp().features.allow_threads {
        return Err(vm.runtime_error("thread is not supported for isolated subinterpreters"));
    }
    check_not_finalizing("can't create new thread at interpreter shutdown", vm)?;
    let state = Vm::new(vm.interp());
    let payload = Payload { vm: state, function, args, kwargs };
    let (tell, told) = std::sync::mpsc::channel();
    let theirs = Arc::clone(&shared);
    let size = match vm.interp().state::<StackSize>().0.get() {
        0 => 8 << 20,
        size => size,
    };
    let spawned = std::thread::Builder::new().stack_size(size).spawn(move || {
        let payload = payload;
        let Payload { vm, function, args, kwargs } = payload;
        let vm: &Vm = &vm;
        theirs.ident.store(ident(), Ordering::Release);
        theirs.started.store(true, Ordering::Release);
        vm.thread_id.set(ident());
        let _ = tell.send(ident());
        vm.interp().gil.acquire(vm);
        // SAFETY: the lock is held, and the state stays in its box until `detach`.
        unsafe { vm.attach() };
        RUNNING.fetch_add(1, Ordering::Relaxed);
        if function.call_tuple_dict(&args, kwargs.as_deref(), vm).is_err() {
            if vm.exception_matches(types::system_exit()) {
                vm.clear_exception();
            } else {
                report(&function, vm);
            }
        }
        drop((function, args, kwargs));
        forget_values(|thread| thread == ident(), vm);
        vm.clear();
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        theirs.done.set();
        taipan_vm::interpreter::frame::free_data_stack(vm);
        vm.detach();
        Vm::unbind();
        vm.interp().gil.release(vm);
    });
    match spawned {
        Ok(_) => {
            shared.started.store(true, Ordering::Release);
            let ident = vm.allow_threads(|| told.recv().unwrap_or(0));
            Ok(ident)
        }
        Err(_) => Err(vm.runtime_error("can't start new thread")),
    }
}

#[derive(Default)]
struct StackSize(Cell<usize>);

/// Per-thread attributes: `threading.local`.
#[repr(C)]
#[derive(Traverse)]
pub struct Local {
    #[traverse(skip)]
    ob: Object,
    args: Ref<Tuple>,
    kwargs: Ref<Dict>,
    /// The dictionaries of all threads, by identity.
    dicts: Slot<Dict>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// The addresses of all `Local`s that are alive: a thread's end takes its values out of them.
#[derive(Default)]
struct Locals(RefCell<std::collections::HashSet<usize>>);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: objects end on attached threads only.
        let vm = unsafe { Vm::current() };
        vm.interp().state::<Locals>().0.borrow_mut().remove(&(std::ptr::from_ref(self) as usize));
    }
}

/// Takes the values of threads out of all `Local`s: those for whose identity `gone` is true.
fn forget_values(gone: impl Fn(u64) -> bool, vm: &Vm) {
    let alive: Vec<usize> = vm.interp().state::<Locals>().0.borrow().iter().copied().collect();
    // SAFETY: an address is taken out of the set before its object ends, and no Python code has run since.
    let dicts = alive.into_iter().filter_map(|at| unsafe { (*(at as *const Local)).dicts.get() });
    for dict in dicts.collect::<Vec<_>>() {
        for (key, value) in dict.items_vec() {
            let thread = key.downcast_ref::<Int>().and_then(Int::to_u64);
            if thread.is_some_and(&gone) {
                let removed = dict.pop(&key, vm);
                drop(value);
                if removed.is_err() {
                    vm.clear_exception();
                }
            }
        }
    }
}

impl Local {
    /// The current thread's dictionary; a new one is filled by `__init__`.
    fn current(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let dicts = self.dicts.get().unwrap_or_else(|| vm.new_dict());
        self.dicts.put(dicts.clone());
        let key = vm.new_int(ident());
        if let Some(found) = dicts.get_item(&key, vm)?.and_then(|d| d.downcast::<Dict>().ok()) {
            return Ok(found);
        }
        let fresh = vm.new_dict();
        dicts.set_item(&key, fresh.as_object(), vm)?;
        let tp = self.as_object().ob_type();
        if let Some(init) = tp.tp_init.get() {
            // SAFETY: a slot is called with live objects.
            vm.status(unsafe {
                init(
                    self.as_object().as_ptr(),
                    self.args.as_object().as_ptr(),
                    self.kwargs.as_object().as_ptr(),
                )
            })?;
        }
        Ok(fresh)
    }
}

/// Thread-local data
#[pytype(name = "_thread._local", flags(BASETYPE), gc, weakrefs = weakrefs)]
impl Local {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let given = args.len() > 0 || kwargs.is_some_and(|d| d.len() > 0);
        if given && std::ptr::eq(cls, Local::type_object()) {
            return Err(vm.type_error("Initialization arguments are not supported"));
        }
        let kwargs = kwargs.map_or_else(|| vm.new_dict(), |d| d.copy(vm));
        let made = vm.new_instance(
            cls,
            Local {
                ob: Object::new(Local::type_object()),
                args: args.into(),
                kwargs,
                dicts: Slot::empty(),
                weakrefs: WeakList::new(),
            },
        )?;
        if let Some(local) = made.downcast_ref::<Local>() {
            // The creating thread's `__init__` is run by the call that makes the object.
            let dicts = vm.new_dict();
            dicts.set_item(&vm.new_int(ident()), vm.new_dict().as_object(), vm)?;
            local.dicts.put(dicts);
            let address = std::ptr::from_ref(local) as usize;
            vm.interp().state::<Locals>().0.borrow_mut().insert(address);
        }
        Ok(made)
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        let dict = self.current(vm)?;
        if name.eq_str("__dict__") {
            return Ok(dict.into_object());
        }
        let tp = self.as_object().ob_type();
        let found = taipan_vm::builtins::type_::lookup::lookup(tp, name, vm).map(Object::to_ref);
        let is_data = found.as_deref().is_some_and(taipan_vm::protocols::attributes::is_data_descriptor);
        if !is_data {
            if let Some(value) = dict.get_str(name, vm)? {
                return Ok(value);
            }
        }
        match found {
            Some(attribute) => {
                taipan_vm::protocols::attributes::bind(&attribute, Some(self.as_object()), tp, vm)
            }
            None => Err(vm.no_attribute(self.as_object(), name.as_object())),
        }
    }

    #[slot]
    fn tp_setattro(&self, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if name.eq_str("__dict__") {
            return Err(vm.attribute_error(format!(
                "'{}' object attribute '__dict__' is read-only",
                self.as_object().ob_type().name()
            )));
        }
        let dict = self.current(vm)?;
        let tp = self.as_object().ob_type();
        let found = taipan_vm::builtins::type_::lookup::lookup(tp, name, vm).map(Object::to_ref);
        if found.as_deref().is_some_and(taipan_vm::protocols::attributes::is_data_descriptor) {
            return taipan_vm::protocols::attributes::generic_set(self.as_object(), name, value, vm);
        }
        match value {
            Some(value) => dict.set_item(name.as_object(), value, vm),
            None if dict.del_item(name.as_object(), vm)? => Ok(()),
            None => Err(vm.no_attribute(self.as_object(), name.as_object())),
        }
    }
}

/// This module provides primitive operations to write multi-threaded programs.
/// The 'threading' module provides a more convenient interface.
#[pymodule(name = "_thread", types(RLock), functions(EXCEPTHOOK))]
impl Thread {
    /// Create a new lock object.
    #[function("($module, /)")]
    fn allocate_lock(vm: &Vm) -> Ref<Lock> {
        Lock::make(vm)
    }

    /// An obsolete synonym of allocate_lock().
    #[function("($module, /)")]
    fn allocate(vm: &Vm) -> Ref<Lock> {
        Lock::make(vm)
    }

    /// Return a non-zero integer that uniquely identifies the current thread
    /// amongst other threads that exist simultaneously.
    #[function("($module, /)")]
    fn get_ident() -> u64 {
        ident()
    }

    /// Return a non-negative integer identifying the thread as reported
    /// by the OS (kernel).
    #[function("($module, /)")]
    fn get_native_id() -> i64 {
        // SAFETY: a plain system call.
        unsafe { libc::syscall(libc::SYS_gettid) }
    }

    /// Internal only. Return a non-zero integer that uniquely identifies the main thread
    /// of the main interpreter.
    #[function("($module, /)")]
    fn _get_main_thread_ident(vm: &Vm) -> u64 {
        let main = taipan_vm::runtime::interpreters::main().unwrap_or(vm.interp());
        // SAFETY: the main thread's state lives as long as the main interpreter.
        unsafe { (*main.main_thread.get()).thread_id.get() }
    }

    /// Return the number of threads started by this module that are running.
    #[function("($module, /)")]
    fn _count() -> u32 {
        RUNNING.load(Ordering::Relaxed)
    }

    /// Start a new thread and return its identifier.
    #[function("($module, function, args, kwargs={}, /)")]
    fn start_new_thread(function: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<u64> {
        if !function.is_callable() {
            return Err(vm.type_error("first arg must be callable"));
        }
        let none = vm.none();
        let shown = kwargs.map_or(&*none, |kwargs| kwargs.as_object());
        audit("_thread.start_new_thread", &[function, args.as_object(), shown], vm)?;
        start(function.to_ref(), args.into(), kwargs.map(Ref::from), Arc::default(), vm)
    }

    /// An obsolete synonym of start_new_thread().
    #[function("($module, function, args, kwargs={}, /)")]
    fn start_new(function: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<u64> {
        Thread::start_new_thread(function, args, kwargs, vm)
    }

    /// *For internal use only*: start a new thread.
    #[function("($module, /, function, handle=None, daemon=True)")]
    fn start_joinable_thread(
        function: &Object,
        handle: Option<&Object>,
        daemon: Option<bool>,
        vm: &Vm,
    ) -> PyResult {
        let given = handle;
        let handle = match handle.filter(|h| !vm.is_none(h)) {
            Some(handle) => handle
                .to_ref()
                .downcast::<ThreadHandle>()
                .map_err(|_| vm.type_error("'handle' must be a _ThreadHandle"))?,
            None => ThreadHandle::new(ThreadHandle::type_object(), vm),
        };
        if handle.shared.started.load(Ordering::Acquire) {
            return Err(vm.runtime_error("thread already started"));
        }
        if !function.is_callable() {
            return Err(vm.type_error("thread function must be callable"));
        }
        let event =
            [function, &*vm.new_int(i32::from(daemon.unwrap_or(true))), given.unwrap_or(vm.none_ref())];
        audit("_thread.start_joinable_thread", &event, vm)?;
        if !daemon.unwrap_or(true) {
            vm.interp().state::<Joinable>().0.borrow_mut().push(Arc::clone(&handle.shared));
        }
        start(function.to_ref(), Tuple::empty(vm), None, Arc::clone(&handle.shared), vm)?;
        Ok(handle.into_object())
    }

    /// Simulate the arrival of the given signal in the main thread,
    /// where the corresponding signal handler will be executed.
    /// If *signum* is omitted, SIGINT is assumed.
    /// A subthread can use this function to interrupt the main thread.
    ///
    /// Note: the default signal handler for SIGINT raises KeyboardInterrupt.
    #[function("($module, signum=signal.SIGINT, /)")]
    fn interrupt_main(signum: Option<i32>, vm: &Vm) -> PyResult<()> {
        crate::_signal::interrupt_main(signum.unwrap_or(libc::SIGINT), vm)
    }

    /// Make a thread handle of an identifier.
    #[function("($module, ident, /)")]
    fn _make_thread_handle(ident: u64, vm: &Vm) -> Ref<ThreadHandle> {
        let shared: Arc<Shared> = Arc::default();
        shared.ident.store(ident, Ordering::Release);
        shared.started.store(true, Ordering::Release);
        vm.new_object(ThreadHandle { ob: Object::new(ThreadHandle::type_object()), shared })
    }

    /// Wait for all non-daemon threads.
    #[function("($module, /)")]
    fn _shutdown(vm: &Vm) -> PyResult<()> {
        loop {
            let next = vm.interp().state::<Joinable>().0.borrow_mut().pop();
            let Some(shared) = next else { return Ok(()) };
            while shared.ident.load(Ordering::Acquire) != ident()
                && !vm.allow_threads(|| shared.done.wait(Duration::from_millis(50)))
            {
                taipan_vm::runtime::pending::handle(vm)?;
            }
        }
    }

    /// Whether daemon threads may be started: always in the main interpreter.
    #[function("($module, /)")]
    fn daemon_threads_allowed(vm: &Vm) -> bool {
        vm.interp().features.allow_daemon_threads
    }

    /// Return True if the current interpreter is the main Python interpreter.
    #[function("($module, /)")]
    fn _is_main_interpreter(vm: &Vm) -> bool {
        vm.interp().id == 0
    }

    /// Raise SystemExit, so that the thread exits silently unless it is caught.
    #[function("($module, /)")]
    fn exit(vm: &Vm) -> PyResult<()> {
        Err(vm.raise_with(types::system_exit(), Vec::new()))
    }

    /// An obsolete synonym of exit().
    #[function("($module, /)")]
    fn exit_thread(vm: &Vm) -> PyResult<()> {
        Thread::exit(vm)
    }

    /// Return the thread stack size used when creating new threads.
    #[function("($module, size=0, /)")]
    fn stack_size(size: Option<isize>, vm: &Vm) -> PyResult<usize> {
        let state = vm.interp().state::<StackSize>();
        let old = state.0.get();
        match size {
            None => {}
            Some(0) => state.0.set(0),
            Some(size) if size < 32 * 1024 => {
                return Err(vm.value_error(format!("size not valid: {size} bytes")));
            }
            Some(size) => state.0.set(size as usize),
        }
        Ok(old)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("TIMEOUT_MAX", &vm.new_float(TIMEOUT_MAX), vm)?;
        module.set("_NAME_MAXLEN", &vm.new_int(excepthook::NAME_MAX), vm)?;
        module.set("_ExceptHookArgs", excepthook::HOOK_ARGS.get(vm)?.as_object(), vm)?;
        module.set("error", types::runtime_error().as_object(), vm)?;
        for tp in [Lock::type_object(), Local::type_object(), ThreadHandle::type_object()] {
            taipan_vm::builtins::type_::type_ready(tp, vm)?;
        }
        module.set("LockType", Lock::type_object().as_object(), vm)?;
        module.set("lock", Lock::type_object().as_object(), vm)?;
        module.set("_local", Local::type_object().as_object(), vm)?;
        module.set("_ThreadHandle", ThreadHandle::type_object().as_object(), vm)
    }
}

/// Threads that the end of the program waits for.
#[derive(Default)]
struct Joinable(std::cell::RefCell<Vec<Arc<Shared>>>);

/// In a child of `fork` no other thread is left: those that somebody waits for count as done.
pub(crate) fn after_fork_in_child(vm: &Vm) {
    vm.note_native_id();
    let waited_for = std::mem::take(&mut *vm.interp().state::<Joinable>().0.borrow_mut());
    for shared in waited_for {
        if shared.ident.load(Ordering::Acquire) != ident() {
            shared.done.set();
        }
    }
    RUNNING.store(0, Ordering::Relaxed);
    forget_values(|thread| thread != ident(), vm);
}
