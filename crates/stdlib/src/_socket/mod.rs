//! `_socket`: the system's sockets under `socket`.

use std::cell::Cell;
use std::ffi::CStr;
use std::time::Duration;

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use crate::room;
use crate::select::Limit;
use address::{Address, gai_error, host_text, parse, service_text, to_object};

mod address;
mod hosts;
mod messages;

/// The module.
pub struct SocketModule;

/// What new sockets start with: `setdefaulttimeout`.
#[derive(Default)]
struct DefaultTimeout(Cell<Option<Duration>>);

/// A time limit argument: `None` for none.
fn timeout_of(object: &Object, vm: &Vm) -> PyResult<Option<Duration>> {
    if vm.is_none(object) {
        return Ok(None);
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
        _ => Err(vm.overflow_error("timestamp too large to convert to C PyTime_t")),
    }
}

fn timeout_object(limit: Option<Duration>, vm: &Vm) -> ObjRef {
    limit.map_or_else(|| vm.none(), |limit| vm.new_float(limit.as_secs_f64()))
}

fn set_nonblocking(fd: i32, on: bool, vm: &Vm) -> PyResult<()> {
    // SAFETY: plain system calls.
    let result = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let new = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        if flags < 0 || flags == new { flags } else { libc::fcntl(fd, libc::F_SETFL, new) }
    };
    if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A socket.
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
    limit: Cell<Option<Duration>>,
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
        let mut entry = libc::pollfd { fd: self.fd.get(), events, revents: 0 };
        let place = &raw mut entry;
        // SAFETY: the structure is ours.
        let ready = vm.checked_call(None, || unsafe { libc::poll(place, 1, limit.millis()) })?;
        if ready == 0 { Err(vm.raise(types::timeout_error(), "timed out")) } else { Ok(()) }
    }

    /// Runs a call on the socket, waiting for it to be ready as its time limit says.
    fn call(
        &self,
        events: i16,
        limit: &Limit,
        vm: &Vm,
        mut call: impl FnMut(i32) -> isize,
    ) -> PyResult<isize> {
        let timed = self.limit.get().is_some_and(|limit| !limit.is_zero());
        let fd = self.fd.get();
        loop {
            if timed {
                self.wait(events, limit, vm)?;
            }
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

    fn limit(&self) -> Limit {
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
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error("negative buffersize in recv"));
        };
        let mut bytes = room::zeroed(size, vm)?;
        let got = self.receive_into(&mut bytes, flags, source, vm)?;
        Ok(vm.new_bytes(bytes.get(..got).unwrap_or_default()))
    }

    fn receive_into(
        &self,
        bytes: &mut [u8],
        flags: Option<i32>,
        source: Option<&mut Address>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let (place, size, flags) = (bytes.as_mut_ptr(), bytes.len(), flags.unwrap_or(0));
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
        if result < 0 { Err(vm.last_os_error(None)) } else { to_object(&address, vm) }
    }
}

fn blank() -> Socket {
    Socket {
        ob: Object::new(Socket::type_object()),
        fd: Cell::new(-1),
        family: Cell::new(-1),
        kind: Cell::new(-1),
        proto: Cell::new(-1),
        limit: Cell::new(None),
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
        Ok(vm.new_tuple([vm.new_int(fd), to_object(&address, vm)?]))
    }

    /// bind(address)
    ///
    /// Bind the socket to a local address.
    #[method("($self, address, /)")]
    fn bind(&self, address: &Object, vm: &Vm) -> PyResult<()> {
        let place = parse(address, self.family.get(), "bind", vm)?;
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
        let place = parse(address, self.family.get(), "connect", vm)?;
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
        let place = parse(address, self.family.get(), "connect_ex", vm)?;
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
        self.receive(buffersize, flags, None, vm)
    }

    /// recvfrom(buffersize[, flags]) -> (data, address info)
    ///
    /// Like recv(buffersize, flags) but also return the sender's address info.
    #[method("($self, buffersize, flags=0, /)")]
    fn recvfrom(&self, buffersize: isize, flags: Option<i32>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let mut address = Address::room();
        let bytes = self.receive(buffersize, flags, Some(&mut address), vm)?;
        Ok(vm.new_tuple([bytes.into_object(), to_object(&address, vm)?]))
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
        let mut view = buffer.get_buffer(buffer::WRITABLE, vm)?;
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
        let mut view = buffer.get_buffer(buffer::WRITABLE, vm)?;
        let target = part(view.as_bytes_mut().unwrap_or(&mut []), nbytes, "recvfrom_into", vm)?;
        let mut address = Address::room();
        let got = self.receive_into(target, flags, Some(&mut address), vm)?;
        Ok(vm.new_tuple([vm.new_int(got), to_object(&address, vm)?]))
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
    #[method("($self, data, flags_or_address, address=None, /)")]
    fn sendto(&self, data: BufferArg, first: &Object, second: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        let (flags, address) = match second {
            Some(address) => (first.as_isize(vm)? as i32, address),
            None => (0, first),
        };
        let place = parse(address, self.family.get(), "sendto", vm)?;
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
    /// Set a socket option.
    #[method("($self, level, option, value, optlen=0, /)")]
    fn setsockopt(
        &self,
        level: i32,
        option: i32,
        value: &Object,
        optlen: Option<u32>,
        vm: &Vm,
    ) -> PyResult<()> {
        let fd = self.fd.get();
        // SAFETY: the value has that length.
        let set = |value: *const u8, size: libc::socklen_t| unsafe {
            libc::setsockopt(fd, level, option, value.cast(), size)
        };
        let result = if value.has_index() {
            let number = value.as_isize(vm)? as i32;
            set((&raw const number).cast(), 4)
        } else if vm.is_none(value) {
            set(std::ptr::null(), optlen.unwrap_or(0))
        } else {
            let bytes = BufferArg::from_object(value, vm)?;
            let bytes = bytes.as_bytes();
            set(bytes.as_ptr(), bytes.len() as libc::socklen_t)
        };
        if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    /// getsockopt(level, option[, buffersize]) -> value
    ///
    /// Get a socket option.  See the Unix manual for level and option.
    /// If a nonzero buffersize argument is given, the return value is a
    /// string of that length; otherwise it is an integer.
    #[method("($self, level, option, buffersize=0, /)")]
    fn getsockopt(&self, level: i32, option: i32, buffersize: Option<i32>, vm: &Vm) -> PyResult {
        let size = buffersize.unwrap_or(0);
        if !(0..=1024).contains(&size) {
            return Err(vm.raise(types::os_error(), "getsockopt buflen out of range"));
        }
        let mut room = [0u8; 1024];
        let mut length = if size == 0 { 4 } else { size as libc::socklen_t };
        // SAFETY: the room is larger than the length.
        let result = unsafe {
            libc::getsockopt(self.fd.get(), level, option, room.as_mut_ptr().cast(), &raw mut length)
        };
        if result < 0 {
            return Err(vm.last_os_error(None));
        }
        if size == 0 {
            let [a, b, c, d, ..] = room;
            return Ok(vm.new_int(i32::from_ne_bytes([a, b, c, d])));
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

/// The first `nbytes` of a buffer; all of it for 0.
fn part<'a>(bytes: &'a mut [u8], nbytes: Option<isize>, name: &str, vm: &Vm) -> PyResult<&'a mut [u8]> {
    let wanted = match usize::try_from(nbytes.unwrap_or(0)) {
        Ok(0) => bytes.len(),
        Ok(wanted) => wanted,
        Err(_) => return Err(vm.value_error(format!("negative buffersize in {name}"))),
    };
    bytes.get_mut(..wanted).ok_or_else(|| vm.value_error("buffer too small for requested bytes"))
}

fn exception(name: &str, base: &'static Type, module: &Module, vm: &Vm) -> PyResult<()> {
    let bases = vm.new_tuple([base.as_object().to_ref()]);
    let namespace = vm.new_dict();
    namespace.set_str(vm.ids().__module__, vm.new_str("socket").as_object(), vm)?;
    let class = base
        .as_object()
        .ob_type()
        .as_object()
        .call(&[vm.new_str(name).as_object(), bases.as_object(), namespace.as_object()], vm)?;
    module.set(name, &class, vm)
}

fn port_number(value: i32, name: &str, vm: &Vm) -> PyResult<u16> {
    if value < 0 {
        return Err(vm.overflow_error(format!(
            "{name}: can't convert negative Python int to C 16-bit unsigned integer"
        )));
    }
    u16::try_from(value).map_err(|_| {
        vm.overflow_error(format!("{name}: Python int too large to convert to C 16-bit unsigned integer"))
    })
}

/// Implementation module for socket operations.
///
/// See the socket module for documentation.
#[pymodule(name = "_socket", functions(hosts::HOST_FUNCTIONS), functions(SocketModule::MESSAGE_FUNCTIONS))]
impl SocketModule {
    /// getaddrinfo(host, port [, family, type, proto, flags])
    ///     -> list of (family, type, proto, canonname, sockaddr)
    ///
    /// Resolve host and port into addrinfo struct.
    #[function("($module, /, host, port, family=0, type=0, proto=0, flags=0)")]
    fn getaddrinfo(
        host: &Object,
        port: &Object,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<List>> {
        let name = if vm.is_none(host) { None } else { Some(host_text(host, vm)?) };
        let service = service_text(port, vm)?;
        let numbers = [family, r#type, proto, flags].map(|n| vm.new_int(n.unwrap_or(0)));
        let [a, b, c, d] = &numbers;
        audit("socket.getaddrinfo", &[host, port, a, b, c, d], vm)?;
        let name = name.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        let service = service.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        // SAFETY: the texts live over the call; the list is walked before it is freed.
        unsafe {
            let mut hints: libc::addrinfo = std::mem::zeroed();
            hints.ai_family = family.unwrap_or(0);
            hints.ai_socktype = r#type.unwrap_or(0);
            hints.ai_protocol = proto.unwrap_or(0);
            hints.ai_flags = flags.unwrap_or(0);
            let mut found = std::ptr::null_mut();
            let (place, hints) = (&raw mut found, &raw const hints);
            let code = vm.allow_threads(|| libc::getaddrinfo(name, service, hints, place));
            if code != 0 {
                return Err(gai_error(code, vm));
            }
            let mut entries = Vec::new();
            let mut at = found;
            while let Some(entry) = at.as_ref() {
                let canonical = if entry.ai_canonname.is_null() {
                    vm.new_str("")
                } else {
                    decode(CStr::from_ptr(entry.ai_canonname).to_bytes(), vm)
                };
                let address = to_object(&address::read(entry.ai_addr, entry.ai_addrlen), vm);
                let Ok(address) = address else {
                    libc::freeaddrinfo(found);
                    return Err(Raised);
                };
                let parts = [
                    vm.new_int(entry.ai_family),
                    vm.new_int(entry.ai_socktype),
                    vm.new_int(entry.ai_protocol),
                    canonical.into_object(),
                    address,
                ];
                entries.push(vm.new_tuple(parts).into_object());
                at = entry.ai_next;
            }
            libc::freeaddrinfo(found);
            Ok(vm.new_list(entries))
        }
    }

    /// getnameinfo(sockaddr, flags) --> (host, port)
    ///
    /// Get host and port for a sockaddr.
    #[function("($module, sockaddr, flags, /)")]
    fn getnameinfo(sockaddr: &Tuple, flags: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let family = if sockaddr.len() == 2 { libc::AF_INET } else { libc::AF_INET6 };
        let family = match sockaddr.as_slice().first().and_then(|h| h.downcast_ref::<Str>()) {
            Some(host) if host.to_string_lossy().contains(':') => libc::AF_INET6,
            _ => family,
        };
        let address = parse(sockaddr.as_object(), family, "getnameinfo", vm)?;
        let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
        let (host_place, service_place) = (host.as_mut_ptr(), service.as_mut_ptr());
        // SAFETY: the buffers have those lengths.
        let code = vm.allow_threads(|| unsafe {
            libc::getnameinfo(
                address.pointer(),
                address.length,
                host_place.cast(),
                1025,
                service_place.cast(),
                32,
                flags,
            )
        });
        if code != 0 {
            return Err(gai_error(code, vm));
        }
        let text =
            |bytes: &[u8]| decode(bytes.split(|b| *b == 0).next().unwrap_or_default(), vm).into_object();
        Ok(vm.new_tuple([text(&host), text(&service)]))
    }

    /// gethostname() -> string
    ///
    /// Return the current host name.
    #[function("($module, /)")]
    fn gethostname(vm: &Vm) -> PyResult<Ref<Str>> {
        audit("socket.gethostname", &[], vm)?;
        let mut name = [0u8; 1025];
        // SAFETY: the buffer is longer than that.
        if unsafe { libc::gethostname(name.as_mut_ptr().cast(), 1024) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(decode(name.split(|b| *b == 0).next().unwrap_or_default(), vm))
    }

    /// gethostbyname(host) -> address
    ///
    /// Return the IP address (a string of the form '255.255.255.255') for a host.
    #[function("($module, host, /)")]
    fn gethostbyname(host: &Object, vm: &Vm) -> PyResult {
        audit("socket.gethostbyname", &[host], vm)?;
        let pair = vm.new_tuple([host.to_ref(), vm.new_int(0)]);
        let found = to_object(&parse(pair.as_object(), libc::AF_INET, "gethostbyname", vm)?, vm)?;
        found.get_item(&vm.new_int(0), vm)
    }

    /// close(integer) -> None
    ///
    /// Close an integer socket file descriptor.  This is like os.close(), but for
    /// sockets; on some platforms os.close() won't work for socket file descriptors.
    #[function("($module, fd, /)")]
    fn close(fd: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        if vm.allow_threads(|| unsafe { libc::close(fd) }) < 0 && errno() != libc::ECONNRESET {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    /// dup(integer) -> integer
    ///
    /// Duplicate an integer socket file descriptor.  This is like os.dup(), but for
    /// sockets; on some platforms os.dup() won't work for socket file descriptors.
    #[function("($module, fd, /)")]
    fn dup(fd: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
    }

    /// socketpair([family[, type [, proto]]]) -> (socket object, socket object)
    ///
    /// Create a pair of socket objects from the sockets returned by the platform
    /// socketpair() function.
    #[function("($module, family=socket.AF_UNIX, type=socket.SOCK_STREAM, proto=0, /)")]
    fn socketpair(
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let (family, kind, proto) =
            (family.unwrap_or(libc::AF_UNIX), r#type.unwrap_or(libc::SOCK_STREAM), proto.unwrap_or(0));
        let mut ends = [0; 2];
        // SAFETY: the array has two places.
        if unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, ends.as_mut_ptr()) } < 0 {
            return Err(vm.last_os_error(None));
        }
        let limit = vm.interp().state::<DefaultTimeout>().0.get();
        let wrap = |fd: i32| {
            let made = blank();
            made.fd.set(fd);
            made.family.set(family);
            made.kind.set(kind);
            made.proto.set(proto);
            made.limit.set(limit);
            vm.new_object(made)
        };
        let [first, second] = ends.map(wrap);
        if limit.is_some() {
            set_nonblocking(first.fd.get(), true, vm)?;
            set_nonblocking(second.fd.get(), true, vm)?;
        }
        Ok(vm.new_tuple([first.into_object(), second.into_object()]))
    }

    /// Convert a 16-bit unsigned integer from network to host byte order.
    #[function("($module, x, /)")]
    fn ntohs(x: i32, vm: &Vm) -> PyResult<u16> {
        port_number(x, "ntohs", vm).map(u16::from_be)
    }

    /// Convert a 16-bit unsigned integer from host to network byte order.
    #[function("($module, x, /)")]
    fn htons(x: i32, vm: &Vm) -> PyResult<u16> {
        port_number(x, "htons", vm).map(u16::to_be)
    }

    /// Convert a 32-bit unsigned integer from network to host byte order.
    #[function("($module, x, /)")]
    fn ntohl(x: u32) -> u32 {
        u32::from_be(x)
    }

    /// Convert a 32-bit unsigned integer from host to network byte order.
    #[function("($module, x, /)")]
    fn htonl(x: u32) -> u32 {
        x.to_be()
    }

    /// Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format used in low-level network functions.
    #[function("($module, ip_addr, /)")]
    fn inet_aton(ip_addr: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        match std::ffi::CString::new(ip_addr) {
            Ok(text) => {
                let mut place = libc::in_addr { s_addr: 0 };
                unsafe extern "C" {
                    fn inet_aton(text: *const libc::c_char, place: *mut libc::in_addr) -> libc::c_int;
                }
                // SAFETY: the text is NUL-terminated, the place ours.
                if unsafe { inet_aton(text.as_ptr(), &raw mut place) } != 0 {
                    return Ok(vm.new_bytes(&place.s_addr.to_ne_bytes()));
                }
                Err(vm.raise(types::os_error(), "illegal IP address string passed to inet_aton"))
            }
            Err(_) => Err(vm.value_error("embedded null character")),
        }
    }

    /// Convert an IP address from 32-bit packed binary format to string format.
    #[function("($module, packed_ip, /)")]
    fn inet_ntoa(packed_ip: BufferArg, vm: &Vm) -> PyResult<String> {
        match packed_ip.as_bytes() {
            [a, b, c, d] => Ok(format!("{a}.{b}.{c}.{d}")),
            _ => Err(vm.raise(types::os_error(), "packed IP wrong length")),
        }
    }

    /// inet_pton(af, ip) -> packed IP address string
    ///
    /// Convert an IP address from string format to a packed string suitable
    /// for use with low-level network functions.
    #[function("($module, af, ip, /)")]
    fn inet_pton(af: i32, ip: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let packed = match af {
            libc::AF_INET => ip.parse::<std::net::Ipv4Addr>().ok().map(|ip| ip.octets().to_vec()),
            libc::AF_INET6 => ip.parse::<std::net::Ipv6Addr>().ok().map(|ip| ip.octets().to_vec()),
            _ => return Err(vm.os_error(libc::EAFNOSUPPORT, None)),
        };
        match packed {
            Some(packed) => Ok(vm.new_bytes(&packed)),
            None => Err(vm.raise(types::os_error(), "illegal IP address string passed to inet_pton")),
        }
    }

    /// inet_ntop(af, packed_ip) -> string formatted IP address
    ///
    /// Convert a packed IP address of the given family to string format.
    #[function("($module, af, packed_ip, /)")]
    fn inet_ntop(af: i32, packed_ip: BufferArg, vm: &Vm) -> PyResult<String> {
        let bytes = packed_ip.as_bytes();
        let wrong = |_| vm.value_error("invalid length of packed IP address string");
        match af {
            libc::AF_INET => {
                <[u8; 4]>::try_from(bytes).map(|b| std::net::Ipv4Addr::from(b).to_string()).map_err(wrong)
            }
            libc::AF_INET6 => {
                <[u8; 16]>::try_from(bytes).map(|b| std::net::Ipv6Addr::from(b).to_string()).map_err(wrong)
            }
            _ => Err(vm.value_error(format!("unknown address family {af}"))),
        }
    }

    /// getdefaulttimeout() -> timeout
    ///
    /// Returns the default timeout in seconds (float) for new socket objects.
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[function("($module, /)")]
    fn getdefaulttimeout(vm: &Vm) -> ObjRef {
        timeout_object(vm.interp().state::<DefaultTimeout>().0.get(), vm)
    }

    /// setdefaulttimeout(timeout)
    ///
    /// Set the default timeout in seconds (float) for new socket objects.
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[function("($module, timeout, /)")]
    fn setdefaulttimeout(timeout: &Object, vm: &Vm) -> PyResult<()> {
        vm.interp().state::<DefaultTimeout>().0.set(timeout_of(timeout, vm)?);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name as i64), vm)?;)* };
        }
        set! {
            AF_UNSPEC AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM
            SOCK_SEQPACKET SOCK_CLOEXEC SOCK_NONBLOCK SOL_SOCKET SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_BROADCAST
            SO_LINGER SO_OOBINLINE SO_SNDBUF SO_RCVBUF SO_SNDLOWAT SO_RCVLOWAT SO_SNDTIMEO SO_RCVTIMEO SO_ERROR SO_TYPE
            SO_DEBUG SO_DONTROUTE SO_ACCEPTCONN SO_PASSCRED SO_PEERCRED SO_PRIORITY SO_BINDTODEVICE SO_DOMAIN
            SO_PROTOCOL SO_MARK SOMAXCONN SHUT_RD SHUT_WR SHUT_RDWR MSG_OOB MSG_PEEK MSG_DONTROUTE MSG_DONTWAIT MSG_EOR
            MSG_TRUNC MSG_CTRUNC MSG_WAITALL MSG_NOSIGNAL MSG_MORE MSG_CMSG_CLOEXEC MSG_ERRQUEUE MSG_CONFIRM
            MSG_FASTOPEN IPPROTO_IP IPPROTO_ICMP IPPROTO_IGMP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPPROTO_ICMPV6
            IPPROTO_RAW IPPROTO_SCTP TCP_NODELAY TCP_MAXSEG TCP_CORK TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT
            TCP_LINGER2 TCP_DEFER_ACCEPT TCP_WINDOW_CLAMP TCP_INFO TCP_QUICKACK TCP_FASTOPEN TCP_CONGESTION
            TCP_USER_TIMEOUT IPV6_V6ONLY IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF
            IPV6_MULTICAST_LOOP IPV6_UNICAST_HOPS IP_TTL IP_TOS IP_HDRINCL IP_OPTIONS IP_MULTICAST_IF IP_MULTICAST_TTL
            IP_MULTICAST_LOOP IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV
            AI_V4MAPPED AI_ALL AI_ADDRCONFIG NI_MAXHOST NI_NUMERICHOST NI_NUMERICSERV NI_NOFQDN NI_NAMEREQD
            NI_DGRAM EAI_AGAIN EAI_BADFLAGS EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NONAME EAI_NODATA EAI_SERVICE
            EAI_SOCKTYPE EAI_SYSTEM EAI_OVERFLOW SCM_RIGHTS SCM_CREDENTIALS
        }
        let more: [(&str, i64); 8] = [
            ("IPV6_JOIN_GROUP", 20),
            ("IPV6_LEAVE_GROUP", 21),
            ("NI_MAXSERV", 32),
            ("SOL_IP", 0),
            ("SOL_TCP", 6),
            ("SOL_UDP", 17),
            ("INADDR_ANY", 0),
            ("INADDR_LOOPBACK", 0x7f00_0001),
        ];
        for (name, value) in more {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("INADDR_BROADCAST", &vm.new_int(0xffff_ffffu32), vm)?;
        module.set("INADDR_NONE", &vm.new_int(0xffff_ffffu32), vm)?;
        module.set("has_ipv6", vm.true_ref(), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        module.set("timeout", types::timeout_error().as_object(), vm)?;
        exception("herror", types::os_error(), module, vm)?;
        exception("gaierror", types::os_error(), module, vm)?;
        taipan_vm::builtins::type_::type_ready(Socket::type_object(), vm)?;
        module.set("socket", Socket::type_object().as_object(), vm)?;
        module.set("SocketType", Socket::type_object().as_object(), vm)
    }
}
