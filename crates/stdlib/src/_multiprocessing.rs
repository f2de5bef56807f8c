//! `_multiprocessing`: semaphores that processes share.

use std::cell::Cell;
use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::encode;

/// The module.
pub struct Multiprocessing;

/// A lock that its owner may acquire again.
const RECURSIVE_MUTEX: i32 = 0;
/// A counting semaphore.
const SEMAPHORE: i32 = 1;
/// The greatest value of a semaphore.
const SEM_VALUE_MAX: i32 = i32::MAX;

fn semaphore_name(name: &Str, vm: &Vm) -> PyResult<CString> {
    CString::new(encode(name, vm)?).map_err(|_| vm.value_error("embedded null character"))
}

/// A named semaphore of the system, closed on drop.
#[repr(C)]
#[derive(Traverse)]
pub struct SemLock {
    #[traverse(skip)]
    ob: Object,
    /// Never null; valid until the drop.
    #[traverse(skip)]
    handle: *mut libc::sem_t,
    #[traverse(skip)]
    kind: i32,
    #[traverse(skip)]
    maxvalue: i32,
    /// `None` once the name was unlinked.
    name: Option<ObjRef>,
    /// Acquired minus released, by this process.
    #[traverse(skip)]
    count: Cell<i32>,
    /// The thread that acquired it last.
    #[traverse(skip)]
    owner: Cell<u64>,
}

impl Drop for SemLock {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `sem_open` and is closed here only.
        unsafe { libc::sem_close(self.handle) };
    }
}

impl SemLock {
    fn make(
        cls: &Type,
        handle: *mut libc::sem_t,
        kind: i32,
        maxvalue: i32,
        name: Option<ObjRef>,
        vm: &Vm,
    ) -> PyResult {
        vm.new_instance(
            cls,
            SemLock {
                ob: Object::new(Self::type_object()),
                handle,
                kind,
                maxvalue,
                name,
                count: Cell::new(0),
                owner: Cell::new(0),
            },
        )
    }

    fn mine(&self) -> bool {
        self.count.get() > 0 && self.owner.get() == crate::_thread::ident()
    }

    fn value(&self, vm: &Vm) -> PyResult<i32> {
        let mut value = 0;
        // SAFETY: the handle is open; the place is ours.
        if unsafe { libc::sem_getvalue(self.handle, &raw mut value) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(value)
    }

    /// Waits until the semaphore was taken (true) or the time was over (false).
    fn wait(&self, deadline: Option<libc::timespec>, vm: &Vm) -> PyResult<bool> {
        let handle = Handle(self.handle);
        let result = vm.system_call(|| {
            let handle = &handle;
            // SAFETY: the caller's reference to the object keeps the semaphore open.
            unsafe {
                match &deadline {
                    Some(deadline) => libc::sem_timedwait(handle.0, std::ptr::from_ref(deadline)),
                    None => libc::sem_wait(handle.0),
                }
            }
        })?;
        if result == 0 {
            return Ok(true);
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::ETIMEDOUT) => Ok(false),
            _ => Err(vm.last_os_error(None)),
        }
    }
}

/// A semaphore's address in a thread that doesn't hold the interpreter's lock.
struct Handle(*mut libc::sem_t);

// SAFETY: semaphores are made to be used from any thread.
unsafe impl Sync for Handle {}
// SAFETY: as above.
unsafe impl Send for Handle {}

/// The moment so many seconds from now, as `sem_timedwait` takes it; never fails, for distant times are cut.
fn deadline(seconds: f64) -> libc::timespec {
    // SAFETY: zero is a valid value; the structure is ours.
    let now = unsafe {
        let mut now: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now);
        now
    };
    let whole = seconds.trunc();
    let nanos = now.tv_nsec + ((seconds - whole) * 1e9) as i64;
    let carry = nanos / 1_000_000_000;
    libc::timespec {
        tv_sec: now.tv_sec.saturating_add(whole as i64).saturating_add(carry),
        tv_nsec: nanos % 1_000_000_000,
    }
}

/// Semaphore/Mutex type
#[pytype(
    name = "_multiprocessing.SemLock",
    flags(BASETYPE),
    gc,
    members(kind: INT = kind, readonly ""; maxvalue: INT = maxvalue, readonly "")
)]
impl SemLock {
    #[new("!(kind, value, maxvalue, name, unlink)")]
    fn new(cls: &Type, kind: i32, value: i32, maxvalue: i32, name: &Str, unlink: bool, vm: &Vm) -> PyResult {
        if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
            return Err(vm.value_error("unrecognized kind"));
        }
        let text = semaphore_name(name, vm)?;
        let flags = libc::O_CREAT | libc::O_EXCL;
        // SAFETY: the name is NUL-terminated.
        let handle =
            unsafe { libc::sem_open(text.as_ptr(), flags, 0o600 as libc::c_uint, value as libc::c_uint) };
        if handle == libc::SEM_FAILED {
            return Err(vm.last_os_error(None));
        }
        // SAFETY: as above.
        if unlink && unsafe { libc::sem_unlink(text.as_ptr()) } < 0 {
            let raised = vm.last_os_error(None);
            // SAFETY: it was just opened.
            unsafe { libc::sem_close(handle) };
            return Err(raised);
        }
        let name = if unlink { None } else { Some(name.as_object().to_ref()) };
        SemLock::make(cls, handle, kind, maxvalue, name, vm)
    }

    #[getter]
    fn handle(&self) -> usize {
        self.handle as usize
    }

    #[getter]
    fn name(&self) -> Option<ObjRef> {
        self.name.clone()
    }

    /// Acquire the semaphore/lock.
    #[method("($self, /, block=True, timeout=None)")]
    fn acquire(&self, block: Option<bool>, timeout: Option<&Object>, vm: &Vm) -> PyResult<bool> {
        let block = block.unwrap_or(true);
        let seconds = match timeout.filter(|t| !vm.is_none(t)) {
            Some(timeout) => Some(timeout.as_f64(vm)?.max(0.0)),
            None => None,
        };
        if self.kind == RECURSIVE_MUTEX && self.mine() {
            self.count.set(self.count.get().saturating_add(1));
            return Ok(true);
        }
        let deadline = seconds.filter(|_| block).map(deadline);
        // Taking a free one needs no wait.
        // SAFETY: the handle is open.
        let taken = unsafe { libc::sem_trywait(self.handle) } == 0;
        if !taken {
            match std::io::Error::last_os_error().raw_os_error() {
                Some(libc::EAGAIN | libc::EINTR) if !block => return Ok(false),
                Some(libc::EAGAIN | libc::EINTR) => {
                    if !self.wait(deadline, vm)? {
                        return Ok(false);
                    }
                }
                _ => return Err(vm.last_os_error(None)),
            }
        }
        self.count.set(self.count.get().saturating_add(1));
        self.owner.set(crate::_thread::ident());
        Ok(true)
    }

    /// Release the semaphore/lock.
    #[method("($self, /)")]
    fn release(&self, vm: &Vm) -> PyResult<()> {
        if self.kind == RECURSIVE_MUTEX {
            if !self.mine() {
                return Err(vm.assertion_error("attempt to release recursive lock not owned by thread"));
            }
            if self.count.get() > 1 {
                self.count.set(self.count.get() - 1);
                return Ok(());
            }
        } else if self.value(vm)? >= self.maxvalue {
            return Err(vm.value_error("semaphore or lock released too many times"));
        }
        // SAFETY: the handle is open.
        if unsafe { libc::sem_post(self.handle) } < 0 {
            return Err(vm.last_os_error(None));
        }
        self.count.set(self.count.get().saturating_sub(1));
        Ok(())
    }

    /// Enter the semaphore/lock.
    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult<bool> {
        self.acquire(None, None, vm)
    }

    /// Exit the semaphore/lock.
    #[method("($self, exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(
        &self,
        _exc_type: Option<&Object>,
        _exc_value: Option<&Object>,
        _exc_tb: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        self.release(vm)
    }

    /// Num of `acquire()`s minus num of `release()`s for this process.
    #[method("($self, /)")]
    fn _count(&self) -> i32 {
        self.count.get()
    }

    /// Whether the lock is owned by this thread.
    #[method("($self, /)")]
    fn _is_mine(&self) -> bool {
        self.mine()
    }

    /// Get the value of the semaphore.
    #[method("($self, /)")]
    fn _get_value(&self, vm: &Vm) -> PyResult<i32> {
        // Some systems tell the number of waiting processes below zero.
        self.value(vm).map(|value| value.max(0))
    }

    /// Return whether semaphore has value zero.
    #[method("($self, /)")]
    fn _is_zero(&self, vm: &Vm) -> PyResult<bool> {
        self.value(vm).map(|value| value == 0)
    }

    #[classmethod("($type, handle, kind, maxvalue, name, /)")]
    fn _rebuild(
        cls: &Type,
        _handle: &Object,
        kind: i32,
        maxvalue: i32,
        name: OrNone<&Str>,
        vm: &Vm,
    ) -> PyResult {
        // Another process's address means nothing here, so there has to be a name.
        let Some(name) = name.0 else {
            return Err(vm.value_error("a semaphore without name can't be rebuilt"));
        };
        let text = semaphore_name(name, vm)?;
        // SAFETY: the name is NUL-terminated.
        let handle = unsafe { libc::sem_open(text.as_ptr(), 0) };
        if handle == libc::SEM_FAILED {
            return Err(vm.last_os_error(None));
        }
        SemLock::make(cls, handle, kind, maxvalue, Some(name.as_object().to_ref()), vm)
    }

    /// Rezero the net acquisition count after fork().
    #[method("($self, /)")]
    fn _after_fork(&self) {
        self.count.set(0);
    }
}

#[pymodule(name = "_multiprocessing", types(SemLock))]
impl Multiprocessing {
    #[function("($module, name, /)")]
    fn sem_unlink(name: &Str, vm: &Vm) -> PyResult<()> {
        let name = semaphore_name(name, vm)?;
        // SAFETY: the name is NUL-terminated.
        if unsafe { libc::sem_unlink(name.as_ptr()) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let flags = vm.new_dict();
        for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
            flags.set_str(&vm.intern(name), &vm.new_int(1), vm)?;
        }
        module.set("flags", flags.as_object(), vm)?;
        let most = vm.new_int(SEM_VALUE_MAX);
        taipan_vm::builtins::type_::set_constant(SemLock::type_object(), "SEM_VALUE_MAX", &most, vm)
    }
}
