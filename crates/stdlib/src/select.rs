//! `select`: waiting for many files at once.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use taipan_vm::prelude::*;

/// The module.
pub struct Select;

/// The descriptor of a number or of an object with `fileno()`. Raises `TypeError` for others, `ValueError` for negative ones.
pub(crate) fn file_descriptor(object: &Object, vm: &Vm) -> PyResult<i32> {
    let number = if object.downcast_ref::<Int>().is_some() {
        if object.downcast_ref::<Bool>().is_some() {
            let text = "bool is used as a file descriptor";
            taipan_vm::builtins::warn::warn(types::runtime_warning(), text, 1, vm)?;
        }
        object.to_ref()
    } else {
        match object.lookup_attr(&vm.intern("fileno"), vm)? {
            None => return Err(vm.type_error("argument must be an int, or have a fileno() method.")),
            Some(fileno) => {
                let number = fileno.call_no_args(vm)?;
                if number.downcast_ref::<Int>().is_none() {
                    return Err(vm.type_error("fileno() returned a non-integer"));
                }
                number
            }
        }
    };
    let Some(fd) = number.downcast_ref::<Int>().and_then(Int::to_i64).and_then(|fd| i32::try_from(fd).ok())
    else {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    };
    if fd < 0 {
        return Err(vm.value_error(format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}

/// A time limit that restarts of an interrupted call share.
pub(crate) struct Limit(Option<Instant>, Option<Duration>);

impl Limit {
    /// So long from now; `None` for ever.
    pub(crate) fn new(limit: Option<Duration>) -> Limit {
        Limit(limit.and_then(|limit| Instant::now().checked_add(limit)), limit)
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Option<Duration> {
        match self.0 {
            Some(deadline) => Some(deadline.saturating_duration_since(Instant::now())),
            None => self.1,
        }
    }

    /// What is left in whole milliseconds, rounded up; -1 for ever.
    pub(crate) fn millis(&self) -> i32 {
        self.left().map_or(-1, |left| i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX))
    }
}

/// A number of seconds; `None` for ever. `forever_below` says that negative ones mean for ever.
fn seconds(timeout: Option<&Object>, forever_below: bool, vm: &Vm) -> PyResult<Option<Duration>> {
    let Some(timeout) = timeout.filter(|t| !vm.is_none(t)) else { return Ok(None) };
    let value = match timeout.as_f64(vm) {
        Ok(value) => value,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Err(vm.type_error("timeout must be a real number or None"));
        }
        Err(Raised) => return Err(Raised),
    };
    duration(value, forever_below, vm)
}

fn duration(value: f64, forever_below: bool, vm: &Vm) -> PyResult<Option<Duration>> {
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if value < 0.0 {
        return if forever_below { Ok(None) } else { Err(vm.value_error("timeout must be non-negative")) };
    }
    match Duration::try_from_secs_f64(value) {
        Ok(limit) if value < 9.2e9 => Ok(Some(limit)),
        _ => Err(vm.overflow_error("timestamp too large to convert to C PyTime_t")),
    }
}

/// The objects of one of `select`'s lists with their descriptors, and the set.
fn fd_set(list: &Object, vm: &Vm) -> PyResult<(Vec<(ObjRef, i32)>, libc::fd_set)> {
    let items = match list.collect_iterable(vm) {
        Ok(items) => items,
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            return Err(vm.type_error("arguments 1-3 must be sequences"));
        }
        Err(Raised) => return Err(Raised),
    };
    // SAFETY: zero is the empty set.
    let mut set: libc::fd_set = unsafe { std::mem::zeroed() };
    let mut found = Vec::with_capacity(items.len());
    // Asking for the descriptor may shorten the list.
    let watched = list.downcast_ref::<List>();
    for (at, item) in items.into_iter().enumerate() {
        if watched.is_some_and(|list| at >= list.len()) {
            break;
        }
        let fd = file_descriptor(&item, vm)?;
        if fd as usize >= libc::FD_SETSIZE {
            return Err(vm.value_error("filedescriptor out of range in select()"));
        }
        // SAFETY: the descriptor is below the set's size.
        unsafe { libc::FD_SET(fd, &raw mut set) };
        found.push((item, fd));
    }
    Ok((found, set))
}

fn ready(list: Vec<(ObjRef, i32)>, set: &libc::fd_set, vm: &Vm) -> ObjRef {
    // SAFETY: the descriptors are below the set's size.
    let chosen = list.into_iter().filter(|(_, fd)| unsafe { libc::FD_ISSET(*fd, std::ptr::from_ref(set)) });
    vm.new_list(chosen.map(|(item, _)| item).collect::<Vec<_>>()).into_object()
}

/// An event mask for poll: 16 bits.
fn event_mask(mask: Option<&Object>, default: u16, vm: &Vm) -> PyResult<u16> {
    let Some(mask) = mask else { return Ok(default) };
    let number = mask.as_index(vm)?;
    if number.is_negative() {
        return Err(vm.value_error("value must be positive"));
    }
    number
        .to_u64()
        .and_then(|mask| u16::try_from(mask).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large for C unsigned short"))
}

/// A polling object.
#[repr(C)]
#[derive(Traverse)]
pub struct Poll {
    #[traverse(skip)]
    ob: Object,
    /// Descriptors and masks in the order of registration.
    #[traverse(skip)]
    watched: RefCell<Vec<(i32, u16)>>,
    #[traverse(skip)]
    running: Cell<bool>,
}

#[pytype(name = "select.poll", no_new, doc = "")]
impl Poll {
    /// Register a file descriptor with the polling object.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning an int
    ///   eventmask
    ///     an optional bitmask describing the type of events to check for
    #[method("($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)")]
    fn register(&self, fd: &Object, eventmask: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        let default = (libc::POLLIN | libc::POLLPRI | libc::POLLOUT) as u16;
        let mask = event_mask(eventmask, default, vm)?;
        let mut watched = self.watched.borrow_mut();
        match watched.iter_mut().find(|(known, _)| *known == fd) {
            Some(entry) => entry.1 = mask,
            None => watched.push((fd, mask)),
        }
        Ok(())
    }

    /// Modify an already registered file descriptor.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning an int
    ///   eventmask
    ///     a bitmask describing the type of events to check for
    #[method("($self, fd, eventmask, /)")]
    fn modify(&self, fd: &Object, eventmask: &Object, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        let mask = event_mask(Some(eventmask), 0, vm)?;
        if let Some(entry) = self.watched.borrow_mut().iter_mut().find(|(known, _)| *known == fd) {
            entry.1 = mask;
            return Ok(());
        }
        Err(vm.os_error(libc::ENOENT, None))
    }

    /// Remove a file descriptor being tracked by the polling object.
    #[method("($self, fd, /)")]
    fn unregister(&self, fd: &Object, vm: &Vm) -> PyResult<()> {
        let number = file_descriptor(fd, vm)?;
        let mut watched = self.watched.borrow_mut();
        match watched.iter().position(|(known, _)| *known == number) {
            Some(at) => {
                watched.remove(at);
                Ok(())
            }
            None => Err(vm.key_error(&vm.new_int(number))),
        }
    }

    /// Polls the set of registered file descriptors.
    ///
    /// Returns a list containing any descriptors that have events or errors to
    /// report, as a list of (fd, event) 2-tuples.
    #[method("($self, timeout=None, /)")]
    fn poll(&self, timeout: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let limit = match timeout.filter(|t| !vm.is_none(t)) {
            None => None,
            Some(timeout) => duration(timeout.as_f64(vm)? / 1000.0, true, vm)?,
        };
        if limit.is_some_and(|limit| limit.as_millis() > i32::MAX as u128) {
            return Err(vm.overflow_error("timeout is too large"));
        }
        if self.running.replace(true) {
            return Err(vm.runtime_error("concurrent poll() invocation"));
        }
        let mut polled: Vec<libc::pollfd> = self
            .watched
            .borrow()
            .iter()
            .map(|&(fd, mask)| libc::pollfd { fd, events: mask as i16, revents: 0 })
            .collect();
        let limit = Limit::new(limit);
        let (place, count) = (polled.as_mut_ptr(), polled.len() as libc::nfds_t);
        // SAFETY: the array is ours.
        let result = vm.checked_call(None, || unsafe { libc::poll(place, count, limit.millis()) });
        self.running.set(false);
        result?;
        let ready = polled.iter().filter(|entry| entry.revents != 0);
        let ready = ready.map(|entry| {
            vm.new_tuple([vm.new_int(entry.fd), vm.new_int(entry.revents as u16)]).into_object()
        });
        Ok(vm.new_list(ready.collect::<Vec<_>>()))
    }
}

/// The select.epoll object
#[repr(C)]
#[derive(Traverse)]
pub struct Epoll {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    fd: Cell<i32>,
}

impl Epoll {
    fn open_fd(&self, vm: &Vm) -> PyResult<i32> {
        match self.fd.get() {
            fd if fd < 0 => Err(vm.value_error("I/O operation on closed epoll object")),
            fd => Ok(fd),
        }
    }

    fn shut(&self, vm: &Vm) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        // SAFETY: a plain system call on our own descriptor.
        if fd >= 0 && vm.allow_threads(|| unsafe { libc::close(fd) }) < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    fn control(&self, operation: i32, fd: &Object, mask: u32, vm: &Vm) -> PyResult<()> {
        let epoll = self.open_fd(vm)?;
        let fd = file_descriptor(fd, vm)?;
        let mut event = libc::epoll_event { events: mask, u64: fd as u64 };
        // SAFETY: the structure is ours.
        if unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    fn wrap(fd: i32, cls: &Type, vm: &Vm) -> PyResult {
        if fd < 0 {
            return Err(vm.last_os_error(None));
        }
        vm.new_instance(cls, Epoll { ob: Object::new(Epoll::type_object()), fd: Cell::new(fd) })
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let fd = self.fd.get();
        if fd >= 0 {
            // SAFETY: a plain system call on our own descriptor.
            unsafe { libc::close(fd) };
        }
    }
}

/// Returns an epolling object.
///
///   sizehint
///     The expected number of events to be registered.  It must be positive,
///     or -1 to use the default.  It is only used on older systems where
///     epoll_create1() is not available; otherwise it has no effect (though its
///     value is still checked).
///   flags
///     Deprecated and completely ignored.  However, when supplied, its value
///     must be 0 or select.EPOLL_CLOEXEC, otherwise OSError is raised.
#[pytype(name = "select.epoll")]
impl Epoll {
    #[new("!(sizehint=-1, flags=0)")]
    fn new(cls: &Type, sizehint: Option<i32>, flags: Option<i32>, vm: &Vm) -> PyResult {
        let sizehint = sizehint.unwrap_or(-1);
        if sizehint != -1 && sizehint <= 0 {
            return Err(vm.value_error("negative sizehint"));
        }
        if !matches!(flags, None | Some(0 | libc::EPOLL_CLOEXEC)) {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        // SAFETY: a plain system call.
        Epoll::wrap(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }, cls, vm)
    }

    /// Create an epoll object from a given control fd.
    #[classmethod("($type, fd, /)")]
    fn fromfd(cls: &Type, fd: i32, vm: &Vm) -> PyResult {
        Epoll::wrap(fd, cls, vm)
    }

    /// Close the epoll control file descriptor.
    ///
    /// Further operations on the epoll object will raise an exception.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.shut(vm)
    }

    /// True if the epoll handler is closed
    #[getter]
    fn closed(&self) -> bool {
        self.fd.get() < 0
    }

    /// Return the epoll control file descriptor.
    #[method("($self, /)")]
    fn fileno(&self, vm: &Vm) -> PyResult<i32> {
        self.open_fd(vm)
    }

    /// Registers a new fd or raises an OSError if the fd is already registered.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    ///
    /// The epoll interface supports all file descriptors that support poll.
    #[method("($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)")]
    fn register(&self, fd: &Object, eventmask: Option<u32>, vm: &Vm) -> PyResult<()> {
        let default = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32;
        self.control(libc::EPOLL_CTL_ADD, fd, eventmask.unwrap_or(default), vm)
    }

    /// Modify event mask for a registered file descriptor.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    #[method("($self, /, fd, eventmask)")]
    fn modify(&self, fd: &Object, eventmask: u32, vm: &Vm) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, eventmask, vm)
    }

    /// Remove a registered file descriptor from the epoll object.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    #[method("($self, /, fd)")]
    fn unregister(&self, fd: &Object, vm: &Vm) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, vm)
    }

    /// Wait for events on the epoll file descriptor.
    ///
    ///   timeout
    ///     the maximum time to wait in seconds (as float);
    ///     a timeout of None or -1 makes poll wait indefinitely
    ///   maxevents
    ///     the maximum number of events returned; -1 means no limit
    ///
    /// Returns a list containing any descriptors that have events to report,
    /// as a list of (fd, events) 2-tuples.
    #[method("($self, /, timeout=None, maxevents=-1)")]
    fn poll(&self, timeout: Option<&Object>, maxevents: Option<i32>, vm: &Vm) -> PyResult<Ref<List>> {
        let epoll = self.open_fd(vm)?;
        let limit = Limit::new(seconds(timeout, true, vm)?);
        let room = match maxevents.unwrap_or(-1) {
            -1 => libc::FD_SETSIZE as i32 - 1,
            room if room > 0 => room,
            room => {
                return Err(vm.value_error(format!("maxevents must be greater than 0, got {room}")));
            }
        };
        let mut events: Vec<libc::epoll_event> = Vec::new();
        if events.try_reserve_exact(room as usize).is_err() {
            return Err(vm.memory_error());
        }
        let place = events.as_mut_ptr();
        // SAFETY: the array has that much room.
        let got =
            vm.checked_call(None, || unsafe { libc::epoll_wait(epoll, place, room, limit.millis()) })?;
        // SAFETY: so many were written.
        unsafe { events.set_len(got as usize) };
        let ready = events.iter().map(|event| {
            let (fd, mask) = (event.u64 as i32, event.events);
            vm.new_tuple([vm.new_int(fd), vm.new_int(mask)]).into_object()
        });
        Ok(vm.new_list(ready.collect::<Vec<_>>()))
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult {
        self.open_fd(vm)?;
        Ok(self.as_object().to_ref())
    }

    #[method("($self, exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(
        &self,
        _exc_type: Option<&Object>,
        _exc_value: Option<&Object>,
        _exc_tb: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        self.shut(vm)
    }
}

/// This module supports asynchronous I/O on multiple file descriptors.
///
/// *** IMPORTANT NOTICE ***
/// On Windows, only sockets are supported; on Unix, all file descriptors.
#[pymodule(name = "select")]
impl Select {
    /// Wait until one or more file descriptors are ready for some kind of I/O.
    ///
    /// The first three arguments are iterables of file descriptors to be waited for:
    /// rlist -- wait until ready for reading
    /// wlist -- wait until ready for writing
    /// xlist -- wait for an "exceptional condition"
    /// If only one kind of condition is required, pass [] for the other lists.
    ///
    /// A file descriptor is either a socket or file object, or a small integer
    /// gotten from a fileno() method call on one of those.
    ///
    /// The optional 4th argument specifies a timeout in seconds; it may be
    /// a floating-point number to specify fractions of seconds.  If it is absent
    /// or None, the call will never time out.
    ///
    /// The return value is a tuple of three lists corresponding to the first three
    /// arguments; each contains the subset of the corresponding file descriptors
    /// that are ready.
    ///
    /// *** IMPORTANT NOTICE ***
    /// On Windows, only sockets are supported; on Unix, all file
    /// descriptors can be used.
    #[function("($module, rlist, wlist, xlist, timeout=None, /)")]
    fn select(
        rlist: &Object,
        wlist: &Object,
        xlist: &Object,
        timeout: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let limit = Limit::new(seconds(timeout, false, vm)?);
        let ((reads, read_set), (writes, write_set), (others, other_set)) =
            (fd_set(rlist, vm)?, fd_set(wlist, vm)?, fd_set(xlist, vm)?);
        let highest = reads.iter().chain(&writes).chain(&others).map(|(_, fd)| *fd).max().unwrap_or(-1);
        let mut sets = [read_set, write_set, other_set];
        let place = sets.as_mut_ptr();
        vm.checked_call(None, || {
            // An interrupted call leaves the sets undefined.
            // SAFETY: the array has three sets, which outlive the call.
            unsafe {
                place.write(read_set);
                place.add(1).write(write_set);
                place.add(2).write(other_set);
            }
            let mut left = limit.left().map(|left| libc::timeval {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_usec: i64::from(left.subsec_nanos().div_ceil(1000).min(999_999)),
            });
            let left = left.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
            // SAFETY: as above.
            unsafe { libc::select(highest + 1, place, place.add(1), place.add(2), left) }
        })?;
        let [read_set, write_set, other_set] = &sets;
        Ok(vm.new_tuple([
            ready(reads, read_set, vm),
            ready(writes, write_set, vm),
            ready(others, other_set, vm),
        ]))
    }

    /// Returns a polling object.
    ///
    /// This object supports registering and unregistering file descriptors, and then
    /// polling them for I/O events.
    #[function("($module, /)")]
    fn poll(vm: &Vm) -> Ref<Poll> {
        vm.new_object(Poll {
            ob: Object::new(Poll::type_object()),
            watched: RefCell::default(),
            running: Cell::new(false),
        })
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as u32), vm)?;)* };
        }
        set! {
            POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND POLLRDHUP
            EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLET EPOLLONESHOT EPOLLEXCLUSIVE EPOLLWAKEUP
            EPOLLRDNORM EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND EPOLLMSG EPOLL_CLOEXEC
        }
        module.set("POLLMSG", &vm.new_int(0x400), vm)?;
        module.set("PIPE_BUF", &vm.new_int(libc::PIPE_BUF), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        taipan_vm::builtins::type_::type_ready(Poll::type_object(), vm)?;
        taipan_vm::builtins::type_::type_ready(Epoll::type_object(), vm)?;
        module.set("epoll", Epoll::type_object().as_object(), vm)
    }
}
