//! `_socket.socket`.

use std::cell::Cell;
use std::time::Duration;

use taipan_vm::builtins::capsule::Capsule;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};
use taipan_vm::runtime::audit::audit;

use super::address::{Address, from_system, parse};
use crate::room;
use crate::select::Limit;

/// What new sockets start with: `setdefaulttimeout`.
#[derive(Default)]
pub(super) struct DefaultTimeout(pub(super) Cell<Option<Duration>>);

/// A time limit argument: `None` for none.
pub(super) fn timeout_of(object: &Object, vm: &Vm) -> PyResult<Option<Duration>> {
    if vm.is_none(object) {
        return Ok(None);
    }
    if !object.has_index() && object.downcast_ref::<Float>().is_none() {
        let class = object.ob_type().tp_name_str();
        return Err(vm.type_error(format!("'{class}' object cannot be interpreted as an integer or float")));
    }
    let value = object.as_f64(vm)?;
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if value < 0.0 {
        return Err(vm.value_error("Timeout value out of range"));
    }
    match Duration::try_from_secs_f64(value) {
        Ok(limit) if value < 9.2e9 => Ok(Some(limit)),
        _ => Err(vm.overflow_error("timestamp out of range for C PyTime_t")),
    }
}

pub(super) fn timeout_object(limit: Option<Duration>, vm: &Vm) -> ObjRef {
    limit.map_or_else(|| vm.none(), |limit| vm.new_float(limit.as_secs_f64()))
}

pub(super) fn set_nonblocking(fd: i32, on: bool, vm: &Vm) -> PyResult<()> {
    // SAFETY: plain system calls.
    let result = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let new = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        if flags < 0 || flags == new { flags } else { libc::fcntl(fd, libc::F_SETFL, new) }
    };
    if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
}

pub(super) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A limit of time in nanoseconds, negative for none, as C code reads it.
#[repr(transparent)]
struct Timeout(Cell<i64>);

impl Timeout {
    fn get(&self) -> Option<Duration> {
        u64::try_from(self.0.get()).ok().map(Duration::from_nanos)
    }

    fn set(&self, limit: Option<Duration>) {
        self.0.set(limit.map_or(-1, |limit| i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX)));
    }
}

/// Raises `OSError` for what `errno` tells.
unsafe extern "C" fn raise_errno() -> *mut Object {
    if let Some(vm) = Vm::try_current() {
        let Raised = vm.last_os_error(None);
    }
    std::ptr::null_mut()
}

/// What `CAPI` points to: the type of sockets and two exceptions.
#[repr(C)]
struct Api {
    socket: *mut Object,
    error: *mut Object,
    timeout_error: *mut Object,
}

/// The capsule `_socket.CAPI`. What it points to lives as long as the process: the types are static.
pub(super) fn capi(vm: &Vm) -> ObjRef {
    let api = Box::leak(Box::new(Api {
        socket: Socket::type_object().as_object().as_ptr(),
        error: types::os_error().as_object().as_ptr(),
        timeout_error: types::timeout_error().as_object().as_ptr(),
    }));
    let pointer = std::ptr::from_mut(api).cast();
    Capsule::new(pointer, c"_socket.CAPI".as_ptr(), None, vm).into_object()
}

/// A socket: the layout that `socketmodule.h` tells to C code.
#[repr(C)]
#[derive(Traverse)]
pub struct Socket {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    fd: Cell<i32>,
    #[traverse(skip)]
    family: Cell<i32>,
    #[traverse(skip)]
    kind: Cell<i32>,
    #[traverse(skip)]
    proto: Cell<i32>,
    #[traverse(skip)]
    error_handler: unsafe extern "C" fn() -> *mut Object,
    #[traverse(skip)]
    limit: Timeout,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let fd = self.fd.get();
        if fd >= 0 {
            // SAFETY: a plain system call on our own descriptor.
            unsafe { libc::close(fd) };
        }
    }
}

impl Socket {
    /// Waits until the descriptor is ready. Raises `TimeoutError` when the limit is over.
    fn wait(&self, events: i16, limit: &Limit, vm: &Vm) -> PyResult<()> {
        if self.fd.get() < 0 {
            // Closed: the call itself tells.
            return Ok(());
        }
        let mut entry = libc::pollfd { fd: self.fd.get(), events, revents: 0 };
        let place = &raw mut entry;
        // SAFETY: the structure is ours.
        let ready = vm.checked_call(None, || unsafe { libc::poll(place, 1, limit.millis()) })?;
        if ready == 0 { Err(vm.raise(types::timeout_error(), "timed out")) } else { Ok(()) }
    }

    /// Runs a call on the socket, waiting for it to be ready as its time limit says.
    pub(super) fn call(
        &self,
        events: i16,
        limit: &Limit,
        vm: &Vm,
        mut call: impl FnMut(i32) -> isize,
    ) -> PyResult<isize> {
        let timed = self.limit.get().is_some_and(|limit| !limit.is_zero());
        loop {
            if timed {
                self.wait(events, limit, vm)?;
            }
            // Another thread may have closed the socket meanwhile, and its number may be another file's by now.
            let fd = self.fd.get();
            let result = vm.system_call(|| call(fd))?;
            if result >= 0 {
                return Ok(result);
            }
            if timed && matches!(errno(), libc::EAGAIN) {
                continue;
            }
            return Err(vm.last_os_error(None));
        }
    }

    /// The descriptor; -1 when closed.
    pub(crate) fn descriptor(&self) -> i32 {
        self.fd.get()
    }

    /// How long operations may take: `None` for ever, zero for not at all.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.limit.get()
    }

    /// The family.
    pub(super) fn family_number(&self) -> i32 {
        self.family.get()
    }

    /// The protocol.
    pub(super) fn protocol(&self) -> i32 {
        self.proto.get()
    }

    /// Makes this the object of a new descriptor.
    pub(super) fn adopt(&self, fd: i32, family: i32, kind: i32, proto: i32, limit: Option<Duration>) {
        self.fd.set(fd);
        self.family.set(family);
        self.kind.set(kind);
        self.proto.set(proto);
        self.limit.set(limit);
    }

    pub(super) fn limit(&self) -> Limit {
        Limit::new(self.limit.get())
    }

    /// Connects; gives the error's number, 0 when connected.
    fn connect_to(&self, address: &Address, vm: &Vm) -> PyResult<i32> {
        let limit = self.limit();
        let fd = self.fd.get();
        // SAFETY: the address has that length.
        if vm.allow_threads(|| unsafe { libc::connect(fd, address.pointer(), address.length) }) >= 0 {
            return Ok(0);
        }
        let error = errno();
        let blocking = self.limit.get().is_none_or(|limit| !limit.is_zero());
        let goes_on = match error {
            // The connection goes on after a signal; a second `connect` would be an error.
            libc::EINTR => {
                taipan_vm::runtime::pending::check_signals(vm)?;
                blocking
            }
            libc::EINPROGRESS => self.limit.get().is_some_and(|limit| !limit.is_zero()),
            _ => false,
        };
        if !goes_on {
            return Ok(error);
        }
        self.wait(libc::POLLOUT, &limit, vm)?;
        let fd = self.fd.get();
        let (mut found, mut size) = (0i32, 4 as libc::socklen_t);
        // SAFETY: the places are ours.
        let result = unsafe {
            libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut found).cast(), &raw mut size)
        };
        if result < 0 {
            Err(vm.last_os_error(None))
        } else {
            Ok(if found == libc::EISCONN { 0 } else { found })
        }
    }

    fn receive(
        &self,
        size: isize,
        flags: Option<i32>,
        source: Option<&mut Address>,
        name: &str,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error(format!("negative buffersize in {name}")));
        };
        let mut bytes = room::reserved(size, vm)?;
        let got = self.receive_raw(bytes.as_mut_ptr(), size, flags, source, vm)?;
        // SAFETY: the system filled that many of the bytes that there is room for.
        unsafe { bytes.set_len(got.min(size)) };
        Ok(vm.new_bytes(&bytes))
    }

    fn receive_into(
        &self,
        bytes: &mut [u8],
        flags: Option<i32>,
        source: Option<&mut Address>,
        vm: &Vm,
    ) -> PyResult<usize> {
        self.receive_raw(bytes.as_mut_ptr(), bytes.len(), flags, source, vm)
    }

    /// Receives into `size` bytes at `place`, which are writable.
    fn receive_raw(
        &self,
        place: *mut u8,
        size: usize,
        flags: Option<i32>,
        source: Option<&mut Address>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let flags = flags.unwrap_or(0);
        let (from, length) = match source {
            Some(source) => ((&raw mut source.storage).cast(), &raw mut source.length),
            None => (std::ptr::null_mut(), std::ptr::null_mut()),
        };
        let got = self.call(libc::POLLIN, &self.limit(), vm, |fd| {
            // SAFETY: the buffer has that length; the address's places are ours or null.
            unsafe { libc::recvfrom(fd, place.cast(), size, flags, from, length) }
        })?;
        Ok(got as usize)
    }

    fn send_some(&self, bytes: &[u8], flags: i32, limit: &Limit, vm: &Vm) -> PyResult<usize> {
        let sent = self.call(libc::POLLOUT, limit, vm, |fd| {
            // SAFETY: the buffer has that length.
            unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) }
        })?;
        Ok(sent as usize)
    }

    fn shut(&self, vm: &Vm) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd < 0 {
            return Ok(());
        }
        // SAFETY: a plain system call on our own descriptor.
        let result = vm.allow_threads(|| unsafe { libc::close(fd) });
        // A peer that has gone is no error of closing.
        if result < 0 && errno() != libc::ECONNRESET { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    fn name_of(
        &self,
        ask: unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32,
        vm: &Vm,
    ) -> PyResult {
        let mut address = Address::room();
        // SAFETY: the places are ours.
        let result =
            unsafe { ask(self.fd.get(), (&raw mut address.storage).cast(), &raw mut address.length) };
        if result < 0 { Err(vm.last_os_error(None)) } else { from_system(&address, self.proto.get(), vm) }
    }
}

/// A C int argument.
pub(super) fn c_int_of(object: &Object, vm: &Vm) -> PyResult<i32> {
    let number = object.as_index(vm)?.to_i64();
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

/// Warns that a socket was left to the collector.
fn warn_unclosed(socket: &Object, vm: &Vm) -> PyResult<()> {
    let warnings = taipan_vm::builtins::warn::machinery(vm)?;
    let text = vm.new_str(&format!("unclosed {}", socket.repr(vm)?.to_string_lossy()));
    let category = types::resource_warning().as_object();
    warnings.call_method(vm.ids().warn, &[text.as_object(), category, &vm.new_int(1), socket], vm).map(drop)
}

/// A socket object without a descriptor.
pub(super) fn blank() -> Socket {
    Socket {
        ob: Object::new(Socket::type_object()),
        fd: Cell::new(-1),
        family: Cell::new(0),
        kind: Cell::new(0),
        proto: Cell::new(0),
        error_handler: raise_errno,
        limit: Timeout(Cell::new(-1)),
    }
}

fn option(fd: i32, name: i32, vm: &Vm) -> PyResult<i32> {
    let (mut value, mut size) = (0i32, 4 as libc::socklen_t);
    // SAFETY: the places are ours.
    let result =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut size) };
    if result < 0 { Err(vm.last_os_error(None)) } else { Ok(value) }
}

/// socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object
/// socket(family=-1, type=-1, proto=-1, fileno=None) -> socket object
///
/// Open a socket of the given type.  The family argument specifies the
/// address family; it defaults to AF_INET.  The type argument specifies
/// whether this is a stream (SOCK_STREAM, this is the default)
/// or datagram (SOCK_DGRAM) socket.
#[pytype(name = "_socket.socket", flags(BASETYPE), methods(Socket::MESSAGE_METHODS))]
impl Socket {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, blank())
    }

    #[init("(family=-1, type=-1, proto=-1, fileno=None)")]
    fn init(
        &self,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        fileno: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let (mut family, mut kind, mut proto) =
            (family.unwrap_or(-1), r#type.unwrap_or(-1), proto.unwrap_or(-1));
        let shown = [family, kind, proto].map(|n| vm.new_int(n));
        let [a, b, c] = &shown;
        audit("socket.__new__", &[self.as_object(), a, b, c], vm)?;
        let fd = match fileno.filter(|f| !vm.is_none(f)) {
            Some(fileno) => {
                let fd = i32::try_from(fileno.as_isize(vm)?)
                    .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
                if fd < 0 {
                    return Err(vm.value_error("negative file descriptor"));
                }
                let mut address = Address::room();
                // SAFETY: the places are ours.
                let result = unsafe {
                    libc::getsockname(fd, (&raw mut address.storage).cast(), &raw mut address.length)
                };
                if result < 0 && (family == -1 || errno() == libc::EBADF || errno() == libc::ENOTSOCK) {
                    return Err(vm.last_os_error(None));
                }
                if family == -1 {
                    family = i32::from(address.storage.ss_family);
                }
                if kind == -1 {
                    kind = option(fd, libc::SO_TYPE, vm)?;
                }
                if proto == -1 {
                    proto = option(fd, libc::SO_PROTOCOL, vm)?;
                }
                fd
            }
            None => {
                family = if family == -1 { libc::AF_INET } else { family };
                kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
                proto = if proto == -1 { 0 } else { proto };
                // SAFETY: a plain system call.
                let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, proto) };
                if fd < 0 {
                    return Err(vm.last_os_error(None));
                }
                fd
            }
        };
        if self.shut(vm).is_err() {
            // The new descriptor takes the place of the old one all the same.
            vm.clear_exception();
        }
        self.fd.set(fd);
        self.family.set(family);
        self.kind.set(kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC));
        self.proto.set(proto);
        if kind & libc::SOCK_NONBLOCK != 0 && kind != -1 {
            self.limit.set(Some(Duration::ZERO));
        } else {
            let limit = vm.interp().state::<DefaultTimeout>().0.get();
            self.limit.set(limit);
            if limit.is_some() {
                set_nonblocking(fd, true, vm)?;
            }
        }
        Ok(())
    }

    /// the socket family
    #[getter]
    fn family(&self) -> i32 {
        self.family.get()
    }

    /// the socket type
    #[getter]
    fn r#type(&self) -> i32 {
        self.kind.get()
    }

    /// the socket protocol
    #[getter]
    fn proto(&self) -> i32 {
        self.proto.get()
    }

    /// the socket timeout
    #[getter]
    fn timeout(&self, vm: &Vm) -> ObjRef {
        timeout_object(self.limit.get(), vm)
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        if self.fd.get() < 0 {
            return;
        }
        // The exception that is under way has nothing to do with what the warning may raise.
        let waiting = vm.take_exception();
        if warn_unclosed(self.as_object(), vm).is_err() {
            vm.write_unraisable(Some(self.as_object()), None);
        }
        if self.shut(vm).is_err() {
            vm.clear_exception();
        }
        if let Some(waiting) = waiting {
            vm.reraise(waiting);
        }
    }

    #[slot]
    fn tp_repr(&self) -> String {
        format!(
            "<socket object, fd={}, family={}, type={}, proto={}>",
            self.fd.get(),
            self.family.get(),
            self.kind.get(),
            self.proto.get()
        )
    }

    /// _accept() -> (integer, address info)
    ///
    /// Wait for an incoming connection.  Return a new socket file descriptor
    /// representing the connection, and the address of the client.
    /// For IP sockets, the address info is a pair (hostaddr, port).
    #[method("($self, /)")]
    fn _accept(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let mut address = Address::room();
        let (place, length) = ((&raw mut address.storage).cast(), &raw mut address.length);
        let fd = self.call(libc::POLLIN, &self.limit(), vm, |fd| {
            // SAFETY: the places are ours.
            unsafe { libc::accept4(fd, place, length, libc::SOCK_CLOEXEC) as isize }
        })?;
        Ok(vm.new_tuple([vm.new_int(fd), from_system(&address, self.proto.get(), vm)?]))
    }

    /// bind(address)
    ///
    /// Bind the socket to a local address.
    #[method("($self, address, /)")]
    fn bind(&self, address: &Object, vm: &Vm) -> PyResult<()> {
        let place = parse(address, self.family.get(), self.proto.get(), "bind", vm)?;
        audit("socket.bind", &[self.as_object(), address], vm)?;
        let fd = self.fd.get();
        // SAFETY: the address has that length.
        vm.checked_call(None, || unsafe { libc::bind(fd, place.pointer(), place.length) }).map(drop)
    }

    /// listen([backlog])
    ///
    /// Enable a server to accept connections.
    #[method("($self, backlog=128, /)")]
    fn listen(&self, backlog: Option<i32>, vm: &Vm) -> PyResult<()> {
        let (fd, backlog) = (self.fd.get(), backlog.unwrap_or(128).max(0));
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::listen(fd, backlog) }).map(drop)
    }

    /// connect(address)
    ///
    /// Connect the socket to a remote address.
    #[method("($self, address, /)")]
    fn connect(&self, address: &Object, vm: &Vm) -> PyResult<()> {
        let place = parse(address, self.family.get(), self.proto.get(), "connect", vm)?;
        audit("socket.connect", &[self.as_object(), address], vm)?;
        match self.connect_to(&place, vm)? {
            0 => Ok(()),
            error => Err(vm.os_error(error, None)),
        }
    }

    /// connect_ex(address) -> errno
    ///
    /// This is like connect(address), but returns an error code (the errno value)
    /// instead of raising an exception when an error occurs.
    #[method("($self, address, /)")]
    fn connect_ex(&self, address: &Object, vm: &Vm) -> PyResult<i32> {
        let place = parse(address, self.family.get(), self.proto.get(), "connect_ex", vm)?;
        audit("socket.connect", &[self.as_object(), address], vm)?;
        self.connect_to(&place, vm)
    }

    /// close()
    ///
    /// Close the socket.  It cannot be used after this call.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.shut(vm)
    }

    /// detach()
    ///
    /// Close the socket object without closing the underlying file descriptor.
    /// The object cannot be used after this call, but the file descriptor
    /// can be reused for other purposes.  The file descriptor is returned.
    #[method("($self, /)")]
    fn detach(&self) -> i32 {
        self.fd.replace(-1)
    }

    /// fileno() -> integer
    ///
    /// Return the integer file descriptor of the socket.
    #[method("($self, /)")]
    fn fileno(&self) -> i32 {
        self.fd.get()
    }

    /// getsockname() -> address info
    ///
    /// Return the address of the local endpoint.
    #[method("($self, /)")]
    fn getsockname(&self, vm: &Vm) -> PyResult {
        self.name_of(libc::getsockname, vm)
    }

    /// getpeername() -> address info
    ///
    /// Return the address of the remote endpoint.
    #[method("($self, /)")]
    fn getpeername(&self, vm: &Vm) -> PyResult {
        self.name_of(libc::getpeername, vm)
    }

    /// setblocking(flag)
    ///
    /// Set the socket to blocking (flag is true) or non-blocking (false).
    /// setblocking(True) is equivalent to settimeout(None);
    /// setblocking(False) is equivalent to settimeout(0.0).
    #[method("($self, flag, /)")]
    fn setblocking(&self, flag: bool, vm: &Vm) -> PyResult<()> {
        set_nonblocking(self.fd.get(), !flag, vm)?;
        self.limit.set(if flag { None } else { Some(Duration::ZERO) });
        Ok(())
    }

    /// getblocking()
    ///
    /// Returns True if socket is in blocking mode, or False if it
    /// is in non-blocking mode.
    #[method("($self, /)")]
    fn getblocking(&self) -> bool {
        self.limit.get().is_none_or(|limit| !limit.is_zero())
    }

    /// settimeout(timeout)
    ///
    /// Set a timeout on socket operations.  'timeout' can be a float,
    /// giving in seconds, or None.  Setting a timeout of None disables
    /// the timeout feature and is equivalent to setblocking(1).
    /// Setting a timeout of zero is the same as setblocking(0).
    #[method("($self, timeout, /)")]
    fn settimeout(&self, timeout: &Object, vm: &Vm) -> PyResult<()> {
        let limit = timeout_of(timeout, vm)?;
        set_nonblocking(self.fd.get(), limit.is_some(), vm)?;
        self.limit.set(limit);
        Ok(())
    }

    /// gettimeout() -> timeout
    ///
    /// Returns the timeout in seconds (float) associated with socket
    /// operations. A timeout of None indicates that timeouts on socket
    /// operations are disabled.
    #[method("($self, /)")]
    fn gettimeout(&self, vm: &Vm) -> ObjRef {
        timeout_object(self.limit.get(), vm)
    }

    /// recv(buffersize[, flags]) -> data
    ///
    /// Receive up to buffersize bytes from the socket.  For the optional flags
    /// argument, see the Unix manual.  When no data is available, block until
    /// at least one byte is available or until the remote end is closed.  When
    /// the remote end is closed and all data is read, return the empty string.
    #[method("($self, buffersize, flags=0, /)")]
    fn recv(&self, buffersize: isize, flags: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        self.receive(buffersize, flags, None, "recv", vm)
    }

    /// recvfrom(buffersize[, flags]) -> (data, address info)
    ///
    /// Like recv(buffersize, flags) but also return the sender's address info.
    #[method("($self, buffersize, flags=0, /)")]
    fn recvfrom(&self, buffersize: isize, flags: Option<i32>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let mut address = Address::room();
        let bytes = self.receive(buffersize, flags, Some(&mut address), "recvfrom", vm)?;
        Ok(vm.new_tuple([bytes.into_object(), from_system(&address, self.proto.get(), vm)?]))
    }

    /// recv_into(buffer, [nbytes[, flags]]) -> nbytes_read
    ///
    /// A version of recv() that stores its data into a buffer rather than creating
    /// a new string.
    #[method("($self, /, buffer, nbytes=0, flags=0)")]
    fn recv_into(
        &self,
        buffer: &Object,
        nbytes: Option<isize>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let mut view = writable(buffer, "recv_into", vm)?;
        let target = part(view.as_bytes_mut().unwrap_or(&mut []), nbytes, "recv_into", vm)?;
        self.receive_into(target, flags, None, vm)
    }

    /// recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)
    ///
    /// Like recv_into(buffer[, nbytes[, flags]]) but also return the sender's address info.
    #[method("($self, /, buffer, nbytes=0, flags=0)")]
    fn recvfrom_into(
        &self,
        buffer: &Object,
        nbytes: Option<isize>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let mut view = writable(buffer, "recvfrom_into", vm)?;
        let target = part(view.as_bytes_mut().unwrap_or(&mut []), nbytes, "recvfrom_into", vm)?;
        let mut address = Address::room();
        let got = self.receive_into(target, flags, Some(&mut address), vm)?;
        Ok(vm.new_tuple([vm.new_int(got), from_system(&address, self.proto.get(), vm)?]))
    }

    /// send(data[, flags]) -> count
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  Return the number of bytes
    /// sent; this may be less than len(data) if the network is busy.
    #[method("($self, data, flags=0, /)")]
    fn send(&self, data: BufferArg, flags: Option<i32>, vm: &Vm) -> PyResult<usize> {
        self.send_some(data.as_bytes(), flags.unwrap_or(0), &self.limit(), vm)
    }

    /// sendall(data[, flags])
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  This calls send() repeatedly
    /// until all data is sent.  If an error occurs, it's impossible
    /// to tell how much data has been sent.
    #[method("($self, data, flags=0, /)")]
    fn sendall(&self, data: BufferArg, flags: Option<i32>, vm: &Vm) -> PyResult<()> {
        let limit = self.limit();
        let mut rest = data.as_bytes();
        while !rest.is_empty() {
            let sent = self.send_some(rest, flags.unwrap_or(0), &limit, vm)?;
            rest = rest.get(sent..).unwrap_or_default();
            taipan_vm::runtime::pending::check_signals(vm)?;
        }
        Ok(())
    }

    /// sendto(data[, flags], address) -> count
    ///
    /// Like send(data, flags) but allows specifying the destination address.
    /// For IP sockets, the address is a pair (hostaddr, port).
    #[method("($self, *args)")]
    fn sendto(&self, args: &[&Object], vm: &Vm) -> PyResult<isize> {
        let (data, flags, address) = match args {
            [data, address] => (data, 0, *address),
            [data, flags, address] => (data, c_int_of(flags, vm)?, *address),
            _ => {
                let given = args.len();
                return Err(vm.type_error(format!("sendto() takes 2 or 3 arguments ({given} given)")));
            }
        };
        let data = BufferArg::from_object(data, vm)?;
        let place = parse(address, self.family.get(), self.proto.get(), "sendto", vm)?;
        audit("socket.sendto", &[self.as_object(), address], vm)?;
        let bytes = data.as_bytes();
        self.call(libc::POLLOUT, &self.limit(), vm, |fd| {
            // SAFETY: the buffer and the address have their lengths.
            unsafe {
                libc::sendto(fd, bytes.as_ptr().cast(), bytes.len(), flags, place.pointer(), place.length)
            }
        })
    }

    /// setsockopt(level, option, value: int)
    /// setsockopt(level, option, value: buffer)
    /// setsockopt(level, option, None, optlen: int)
    ///
    /// Set a socket option.  See the Unix manual for level and option.
    /// The value argument can either be an integer, a string buffer, or
    /// None, optlen.
    #[method("($self, *args)")]
    fn setsockopt(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (level, option, value, length) = match args {
            [level, option, value] => (*level, *option, *value, None),
            [level, option, value, length] if vm.is_none(value) => (*level, *option, *value, Some(*length)),
            _ => {
                let given = args.len();
                return Err(vm.type_error(format!("setsockopt() takes exactly 3 arguments ({given} given)")));
            }
        };
        let (level, option, fd) = (c_int_of(level, vm)?, c_int_of(option, vm)?, self.fd.get());
        // SAFETY: the value has that length.
        let set = |value: *const u8, size: libc::socklen_t| unsafe {
            libc::setsockopt(fd, level, option, value.cast(), size)
        };
        if self.family.get() == libc::AF_VSOCK {
            // Its options have 64 bits.
            if length.is_some() {
                return Err(vm.type_error("setsockopt() takes exactly 3 arguments (4 given)"));
            }
            let Some(number) = value.downcast_ref::<Int>() else {
                let class = value.ob_type().tp_name_str();
                return Err(vm.type_error(format!("setsockopt() argument 3 must be int, not {class}")));
            };
            let number = number.to_u64().or_else(|| number.to_i64().map(|number| number as u64)).unwrap_or(0);
            let result = set((&raw const number).cast(), 8);
            return if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) };
        }
        let number = match value.has_index() {
            true => value.as_index(vm)?.to_i64().and_then(|number| i32::try_from(number).ok()),
            false => None,
        };
        let result = if let Some(length) = length {
            set(std::ptr::null(), c_int_of(length, vm)? as libc::socklen_t)
        } else if let Some(number) = number {
            set((&raw const number).cast(), 4)
        } else {
            let bytes = BufferArg::from_object(value, vm)?;
            let bytes = bytes.as_bytes();
            let Ok(size) = libc::socklen_t::try_from(bytes.len()) else {
                return Err(vm.overflow_error("socket option is larger than 2147483647 bytes"));
            };
            set(bytes.as_ptr(), size)
        };
        if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    /// getsockopt(level, option[, buffersize]) -> value
    ///
    /// Get a socket option.  See the Unix manual for level and option.
    /// If a nonzero buffersize argument is given, the return value is a
    /// string of that length; otherwise it is an integer.
    #[method("($self, *args)")]
    fn getsockopt(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let (level, option, size) = match args {
            [level, option] => (*level, *option, 0),
            [level, option, size] => (*level, *option, c_int_of(size, vm)?),
            [] | [_] => {
                let given = args.len();
                return Err(vm.type_error(format!("getsockopt() takes at least 2 arguments ({given} given)")));
            }
            more => {
                let given = more.len();
                return Err(vm.type_error(format!("getsockopt() takes at most 3 arguments ({given} given)")));
            }
        };
        let (level, option) = (c_int_of(level, vm)?, c_int_of(option, vm)?);
        let is_wide = self.family.get() == libc::AF_VSOCK;
        if is_wide && size != 0 {
            return Err(vm.raise(types::os_error(), "getsockopt string buffer not allowed"));
        }
        if !(0..=1024).contains(&size) {
            return Err(vm.raise(types::os_error(), "getsockopt buflen out of range"));
        }
        let mut room = [0u8; 1024];
        let mut length = match size {
            0 if is_wide => 8,
            0 => 4,
            size => size as libc::socklen_t,
        };
        // SAFETY: the room is larger than the length.
        let result = unsafe {
            libc::getsockopt(self.fd.get(), level, option, room.as_mut_ptr().cast(), &raw mut length)
        };
        if result < 0 {
            return Err(vm.last_os_error(None));
        }
        if size == 0 {
            let [a, b, c, d, e, f, g, h, ..] = room;
            return Ok(if is_wide {
                vm.new_int(u64::from_ne_bytes([a, b, c, d, e, f, g, h]))
            } else {
                vm.new_int(i32::from_ne_bytes([a, b, c, d]))
            });
        }
        Ok(vm.new_bytes(room.get(..length as usize).unwrap_or_default()).into_object())
    }

    /// shutdown(flag)
    ///
    /// Shut down the reading side of the socket (flag == SHUT_RD), the writing side
    /// of the socket (flag == SHUT_WR), or both ends (flag == SHUT_RDWR).
    #[method("($self, flag, /)")]
    fn shutdown(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        let fd = self.fd.get();
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::shutdown(fd, flag) }).map(drop)
    }
}

/// The writable buffer that a method's first argument must be.
fn writable(object: &Object, name: &str, vm: &Vm) -> PyResult<Buffer> {
    object.get_buffer(buffer::WRITABLE, vm).map_err(|Raised| {
        vm.clear_exception();
        let class = object.ob_type().tp_name_str();
        vm.type_error(format!("{name}() argument 1 must be read-write bytes-like object, not {class}"))
    })
}

/// The first `nbytes` of a buffer; all of it for 0.
fn part<'a>(bytes: &'a mut [u8], nbytes: Option<isize>, name: &str, vm: &Vm) -> PyResult<&'a mut [u8]> {
    let wanted = match usize::try_from(nbytes.unwrap_or(0)) {
        Ok(0) => bytes.len(),
        Ok(wanted) => wanted,
        Err(_) => return Err(vm.value_error(format!("negative buffersize in {name}"))),
    };
    bytes.get_mut(..wanted).ok_or_else(|| vm.value_error("buffer too small for requested bytes"))
}
