//! `_ssl._SSLSocket`: a TLS connection over a socket or over two memory buffers.
//!
//! OpenSSL's connection belongs to one thread at a time: whoever holds `turn`. Nobody waits for it with the
//! interpreter's lock in hand, and nobody waits for the network with it: the I/O object never blocks, and waiting is
//! done between two steps. So one thread can write while another waits for something to read.

use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use taipan_vm::builtins::weakref::new_reference;
use taipan_vm::builtins::weakref::reference::WeakReference;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer;

use super::context::{SslContext, protocol, session_of};
use super::error::{self, Kind, Report, Verification};
use super::memory_bio::MemoryBio;
use super::session::SslSession;
use super::socket_bio;
use crate::_socket::Socket;
use crate::openssl::{self, ErrorCode, ffi, owned};
use crate::room;
use crate::select::Limit;

owned!(
    /// A connection of OpenSSL's.
    Connection(ffi::SSL),
    ffi::SSL_free
);

/// What carries the bytes.
pub enum Transport {
    /// A `_socket.socket`.
    Socket(ObjRef),
    /// Buffers in and out.
    Memory(Ref<MemoryBio>, Ref<MemoryBio>),
}

/// The layout of `_ssl._SSLSocket`.
#[repr(C)]
#[derive(Traverse)]
pub struct SslSocket {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    ssl: Connection,
    #[traverse(skip)]
    turn: Mutex<()>,
    /// The thread whose turn it is.
    #[traverse(skip)]
    holder: AtomicUsize,
    /// Its state, for callbacks.
    #[traverse(skip)]
    at_work: AtomicPtr<Vm>,
    context: Slot<SslContext>,
    /// A weak reference to the socket; none over buffers.
    socket: Slot<Object>,
    #[traverse(skip)]
    over_socket: bool,
    /// A weak reference to the `ssl.SSLSocket` or `ssl.SSLObject`.
    owner: Slot<Object>,
    #[traverse(skip)]
    server_side: bool,
    #[traverse(skip)]
    server_hostname: Option<String>,
    #[traverse(skip)]
    seen_zero: Cell<bool>,
    /// What callbacks raised, until OpenSSL has returned.
    raised: Slot<BaseException>,
}

/// What a step of OpenSSL's ended with.
struct Step {
    result: c_int,
    /// `SSL_get_error`.
    error: c_int,
    errno: i32,
    newest: Option<ErrorCode>,
}

/// The operations that may wait, with what differs between them: the lines that CPython's errors show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Handshake,
    Read,
    Write,
}

impl Operation {
    fn line(self) -> u32 {
        match self {
            Operation::Handshake => 1130,
            Operation::Read => 2778,
            Operation::Write => 2616,
        }
    }

    fn timed_out(self, vm: &Vm) -> Raised {
        vm.raise(
            types::timeout_error(),
            match self {
                Operation::Handshake => "_ssl.c:1112: The handshake operation timed out",
                Operation::Read => "The read operation timed out",
                Operation::Write => "The write operation timed out",
            },
        )
    }
}

/// The value to set; attributes can't be deleted.
fn given<'a>(value: Option<&'a Object>, name: &str, vm: &Vm) -> PyResult<&'a Object> {
    value.ok_or_else(|| {
        vm.attribute_error(format!("attribute '{name}' of '_ssl._SSLSocket' objects cannot be deleted"))
    })
}

fn this_thread() -> usize {
    // SAFETY: a plain call.
    unsafe { libc::pthread_self() as usize }
}

/// The end of a turn.
struct Turn<'a>(&'a SslSocket, Option<MutexGuard<'a, ()>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.1.is_some() {
            self.0.at_work.store(std::ptr::null_mut(), Ordering::Relaxed);
            self.0.holder.store(0, Ordering::Relaxed);
        }
    }
}

/// Whether a name is a literal address, which the extension for names doesn't carry.
fn is_address(host: &CStr) -> bool {
    host.to_str().is_ok_and(|host| host.parse::<std::net::IpAddr>().is_ok())
}

impl SslSocket {
    /// A connection of a context. Raises `SSLError` for the wrong side, `ValueError` for an impossible host name.
    pub fn make(
        context: Ref<SslContext>,
        transport: Transport,
        server_side: bool,
        host: Option<&CStr>,
        vm: &Vm,
    ) -> PyResult<Ref<SslSocket>> {
        match (server_side, context.protocol_number()) {
            (true, protocol::CLIENT) => {
                let text = "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context";
                return Err(error::plain(text, 908, vm));
            }
            (false, protocol::SERVER) => {
                let text = "Cannot create a client socket with a PROTOCOL_TLS_SERVER context";
                return Err(error::plain(text, 915, vm));
            }
            _ => {}
        }
        if host.is_some_and(|host| matches!(host.to_bytes(), [] | [b'.', ..])) {
            return Err(
                vm.value_error("server_hostname cannot be an empty string or start with a leading dot.")
            );
        }
        ErrorCode::forget_all();
        // SAFETY: the context is live; the connection is owned.
        let Some(ssl) = (unsafe { Connection::from_raw(ffi::SSL_new(context.as_ptr())) }) else {
            return Err(error::newest(925, vm));
        };
        let (socket, over_socket) = match &transport {
            Transport::Socket(socket) => {
                let Some(plain) = socket.downcast_ref::<Socket>() else {
                    return Err(vm.type_error("not a socket"));
                };
                let bio = socket_bio::new(plain.descriptor());
                if bio.is_null() {
                    return Err(vm.memory_error());
                }
                // SAFETY: the connection takes the object over for both directions.
                unsafe { ffi::SSL_set_bio(ssl.as_ptr(), bio, bio) };
                (Some(new_reference(WeakReference::type_object(), socket, None, vm)?), true)
            }
            Transport::Memory(incoming, outgoing) => {
                // SAFETY: the connection takes over the references made here.
                unsafe { ffi::SSL_set_bio(ssl.as_ptr(), incoming.share(), outgoing.share()) };
                (None, false)
            }
        };
        const ACCEPT_MOVING_WRITE_BUFFER: i64 = 2;
        const AUTO_RETRY: i64 = 4;
        const MODE: c_int = 33;
        let place = ssl.as_ptr();
        // SAFETY: the connection is live.
        unsafe {
            ffi::SSL_ctrl(place, MODE, ACCEPT_MOVING_WRITE_BUFFER | AUTO_RETRY, std::ptr::null_mut());
            if context.allows_later_authentication() {
                if server_side {
                    // Only with a wish for certificates may they be asked for later.
                    let mode = ffi::SSL_get_verify_mode(place);
                    if mode & ffi::SSL_VERIFY_PEER != 0 {
                        let callback = ffi::SSL_get_verify_callback(place);
                        ffi::SSL_set_verify(place, mode | ffi::SSL_VERIFY_POST_HANDSHAKE, callback);
                    }
                } else {
                    ffi::SSL_set_post_handshake_auth(place, 1);
                }
            }
        }
        if let Some(host) = host {
            Self::expect_host(place, &context, host, vm)?;
        }
        // SAFETY: the connection is live.
        unsafe {
            if server_side {
                // Sessions are told apart by who made them.
                ffi::SSL_set_session_id_context(place, c"Python".as_ptr().cast(), 7);
                ffi::SSL_set_accept_state(place);
            } else {
                ffi::SSL_set_connect_state(place);
            }
        }
        let (context_slot, socket_slot) = (Slot::empty(), Slot::empty());
        context_slot.put(context);
        socket_slot.set(socket);
        let made = vm.new_object(SslSocket {
            ob: Object::new(Self::type_object()),
            ssl,
            turn: Mutex::new(()),
            holder: AtomicUsize::new(0),
            at_work: AtomicPtr::new(std::ptr::null_mut()),
            context: context_slot,
            socket: socket_slot,
            over_socket,
            owner: Slot::empty(),
            server_side,
            server_hostname: host.map(|host| host.to_string_lossy().into_owned()),
            seen_zero: Cell::new(false),
            raised: Slot::empty(),
        });
        // SAFETY: the object outlives the connection, which it owns.
        unsafe { ffi::SSL_set_ex_data(place, 0, std::ptr::from_ref(&*made).cast_mut().cast()) };
        Ok(made)
    }

    /// Asks the server for a host, and has its certificate checked for it.
    fn expect_host(ssl: *mut ffi::SSL, context: &SslContext, host: &CStr, vm: &Vm) -> PyResult<()> {
        const SET_HOST: c_int = 55;
        let literal = is_address(host);
        // SAFETY: the connection is live, the name NUL-terminated.
        unsafe {
            if !literal && ffi::SSL_ctrl(ssl, SET_HOST, 0, host.as_ptr().cast_mut().cast()) == 0 {
                return Err(error::newest(860, vm));
            }
            if context.checks_hostname() {
                let parameters = ffi::SSL_get0_param(ssl);
                let done = if literal {
                    let address = host.to_str().ok().and_then(|host| host.parse().ok());
                    match address {
                        Some(std::net::IpAddr::V4(address)) => {
                            let octets = address.octets();
                            ffi::X509_VERIFY_PARAM_set1_ip(parameters, octets.as_ptr(), octets.len())
                        }
                        Some(std::net::IpAddr::V6(address)) => {
                            let octets = address.octets();
                            ffi::X509_VERIFY_PARAM_set1_ip(parameters, octets.as_ptr(), octets.len())
                        }
                        None => 0,
                    }
                } else {
                    let bytes = host.to_bytes();
                    ffi::X509_VERIFY_PARAM_set1_host(parameters, bytes.as_ptr().cast(), bytes.len())
                };
                if done == 0 {
                    return Err(error::newest(871, vm));
                }
            }
        }
        Ok(())
    }

    /// The state of the thread whose turn it is.
    pub fn vm_at_work(&self) -> Option<&Vm> {
        // SAFETY: set for the time of a step by the thread that runs it.
        unsafe { self.at_work.load(Ordering::Relaxed).as_ref() }
    }

    /// Whether this is the server's side.
    pub(super) fn is_server(&self) -> bool {
        self.server_side
    }

    /// The context, as long as there is one.
    pub fn context_object(&self) -> Option<Ref<SslContext>> {
        self.context.get()
    }

    /// What callbacks are shown as the connection: the owner, else the socket, else this object. `None` when it died.
    pub fn shown(&self, _vm: &Vm) -> Option<ObjRef> {
        let target = |slot: &Slot<Object>| {
            slot.get().map(|weak| weak.downcast_ref::<WeakReference>().and_then(WeakReference::get))
        };
        match target(&self.owner).or_else(|| target(&self.socket)) {
            Some(target) => target,
            None => Some(self.as_object().to_ref()),
        }
    }

    /// Keeps the exception that a callback raised until OpenSSL has returned.
    pub fn keep_exception(&self, vm: &Vm) {
        let raised = vm.take_exception();
        if self.raised.get().is_none() {
            self.raised.set(raised);
        }
    }

    /// Raises what callbacks raised, if anything; an exception already waiting gets it as its context.
    fn raise_kept(&self, vm: &Vm) -> PyResult<()> {
        let Some(kept) = self.raised.get() else { return Ok(()) };
        self.raised.set(None);
        match vm.take_exception() {
            Some(waiting) => {
                waiting.context.set(Some(kept.into_object()));
                Err(vm.reraise(waiting))
            }
            None => Err(vm.reraise(kept)),
        }
    }

    /// Takes the turn, with the interpreter's lock given up (or without anyone to wait for).
    fn take_turn(&self, vm: *const Vm) -> Turn<'_> {
        let guard = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(this_thread(), Ordering::Relaxed);
        self.at_work.store(vm.cast_mut(), Ordering::Relaxed);
        Turn(self, Some(guard))
    }

    /// Whether this thread is inside one of its own steps: a callback runs.
    fn is_mine(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread()
    }

    /// Asks OpenSSL something that takes no time.
    pub(super) fn ask<R>(&self, vm: &Vm, question: impl FnOnce(*mut ffi::SSL) -> R) -> R {
        if self.is_mine() {
            return question(self.ssl.as_ptr());
        }
        let guard = match self.turn.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                vm.allow_threads(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner))
            }
        };
        let result = question(self.ssl.as_ptr());
        drop(guard);
        result
    }

    /// Runs one step of OpenSSL's: without the interpreter's lock over a socket, with it over buffers, which other
    /// threads could fill meanwhile.
    fn step(&self, vm: &Vm, mut call: impl FnMut(*mut ffi::SSL) -> c_int) -> PyResult<Step> {
        if self.is_mine() {
            return Err(vm.runtime_error("the connection is at work: its callbacks can't use it"));
        }
        let mut work = || {
            ErrorCode::forget_all();
            // SAFETY: the place is this thread's own.
            unsafe { *libc::__errno_location() = 0 };
            let ssl = self.ssl.as_ptr();
            let result = call(ssl);
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            // SAFETY: the connection is live.
            let error = unsafe { ffi::SSL_get_error(ssl, result) };
            Step { result, error, errno, newest: ErrorCode::newest() }
        };
        let place: *const Vm = vm;
        if self.over_socket {
            return Ok(vm.allow_threads(|| {
                let _turn = self.take_turn(place);
                work()
            }));
        }
        let guard = match self.turn.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                vm.allow_threads(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner))
            }
        };
        self.holder.store(this_thread(), Ordering::Relaxed);
        self.at_work.store(place.cast_mut(), Ordering::Relaxed);
        let _turn = Turn(self, Some(guard));
        Ok(work())
    }

    /// The socket, if the connection is over one. Raises `SSLError` when it is gone or closed.
    fn transport(&self, line: u32, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if !self.over_socket {
            return Ok(None);
        }
        let socket = self
            .socket
            .get()
            .and_then(|weak| weak.downcast_ref::<WeakReference>().and_then(WeakReference::get));
        match socket {
            Some(socket) => Ok(Some(socket)),
            None => Err(self.transport_error("Underlying socket connection gone", line, vm)),
        }
    }

    fn transport_error(&self, text: &str, line: u32, vm: &Vm) -> Raised {
        // CPython's number for it is that of an invalid error code without one.
        ErrorCode::forget_all();
        Report { kind: Kind::Plain, number: 0, code: None, text: Some(text), verification: None, line }
            .raise(vm)
    }

    /// Waits until the socket is ready: `Ok(false)` when the limit is over.
    fn wait(socket: &Socket, events: i16, limit: &Limit, vm: &Vm) -> PyResult<bool> {
        let mut entry = libc::pollfd { fd: socket.descriptor(), events, revents: 0 };
        let place = &raw mut entry;
        // SAFETY: the structure is ours.
        let ready = vm.checked_call(None, || unsafe { libc::poll(place, 1, limit.millis()) })?;
        Ok(ready > 0)
    }

    /// Runs steps until one is done, waiting for the socket in between as its time limit says.
    fn drive(
        &self,
        operation: Operation,
        vm: &Vm,
        mut call: impl FnMut(*mut ffi::SSL) -> c_int,
    ) -> PyResult<Step> {
        let line = operation.line();
        let transport = self.transport(line, vm)?;
        let socket = transport.as_deref().and_then(Object::downcast_ref::<Socket>);
        let closed = |socket: Option<&Socket>| socket.is_some_and(|socket| socket.descriptor() < 0);
        if closed(socket) {
            return Err(error::bare("Underlying socket has been closed.", vm));
        }
        let time: Option<Duration> = socket.and_then(Socket::time_limit);
        let limit = Limit::new(time);
        loop {
            let step = self.step(vm, &mut call)?;
            taipan_vm::runtime::pending::check_signals(vm)?;
            let events = match step.error {
                ffi::SSL_ERROR_WANT_READ => libc::POLLIN,
                ffi::SSL_ERROR_WANT_WRITE => libc::POLLOUT,
                _ => return Ok(step),
            };
            let Some(socket) = socket.filter(|_| time.is_none_or(|time| !time.is_zero())) else {
                return Ok(step);
            };
            if closed(Some(socket)) {
                return Err(error::bare("Underlying socket has been closed.", vm));
            }
            if self.raised.get().is_some() {
                return Ok(step);
            }
            if !Self::wait(socket, events, &limit, vm)? {
                return Err(operation.timed_out(vm));
            }
        }
    }

    /// Raises what a step that failed means.
    fn step_error(&self, step: &Step, line: u32, vm: &Vm) -> Raised {
        let raised = self.report_step(step, line, vm);
        ErrorCode::forget_all();
        match self.raise_kept(vm) {
            Ok(()) => raised,
            Err(raised) => raised,
        }
    }

    fn report_step(&self, step: &Step, line: u32, vm: &Vm) -> Raised {
        const EOF_NUMBER: i64 = 8;
        const INVALID_NUMBER: i64 = 10;
        const EOF_TEXT: &str = "EOF occurred in violation of protocol";
        let report = |kind: Kind, number: i64, text: Option<&'static str>| Report {
            kind,
            number,
            code: step.newest,
            text,
            verification: None,
            line,
        };
        let is = |library: c_int, reason: c_int| {
            step.newest.is_some_and(|code| code.library() == library && code.reason() == reason)
        };
        let of_system = step.newest.filter(|code| code.library() == ffi::ERR_LIB_SYS);
        let number = i64::from(step.error);
        let made = match step.error {
            ffi::SSL_ERROR_ZERO_RETURN => {
                report(Kind::ZeroReturn, number, Some("TLS/SSL connection has been closed (EOF)"))
            }
            ffi::SSL_ERROR_WANT_READ => {
                report(Kind::WantRead, number, Some("The operation did not complete (read)"))
            }
            ffi::SSL_ERROR_WANT_WRITE => {
                report(Kind::WantWrite, number, Some("The operation did not complete (write)"))
            }
            ffi::SSL_ERROR_WANT_X509_LOOKUP => {
                report(Kind::Plain, number, Some("The operation did not complete (X509 lookup)"))
            }
            ffi::SSL_ERROR_WANT_CONNECT => {
                report(Kind::Plain, number, Some("The operation did not complete (connect)"))
            }
            ffi::SSL_ERROR_SYSCALL if step.newest.is_none() => {
                if step.result == 0 || !self.over_socket {
                    report(Kind::Eof, EOF_NUMBER, Some(EOF_TEXT))
                } else if step.errno != 0 {
                    return vm.os_error(step.errno, None);
                } else {
                    report(Kind::Eof, EOF_NUMBER, Some(EOF_TEXT))
                }
            }
            ffi::SSL_ERROR_SYSCALL | ffi::SSL_ERROR_SSL => {
                if let Some(code) = of_system {
                    return vm.os_error(code.reason(), None);
                }
                if is(ffi::ERR_LIB_SSL, ffi::SSL_R_CERTIFICATE_VERIFY_FAILED) {
                    let mut made = report(Kind::CertVerification, number, None);
                    made.verification = Some(self.verification(vm));
                    made
                } else if is(ffi::ERR_LIB_SSL, ffi::SSL_R_UNEXPECTED_EOF_WHILE_READING) {
                    report(Kind::Eof, EOF_NUMBER, Some(EOF_TEXT))
                } else {
                    let text = step.newest.is_none().then_some("A failure in the SSL library occurred");
                    report(Kind::Plain, number, text)
                }
            }
            _ => report(Kind::Plain, INVALID_NUMBER, Some("Invalid error code")),
        };
        made.raise(vm)
    }

    /// What is wrong with the peer's certificate.
    fn verification(&self, vm: &Vm) -> Verification {
        let code = self.ask(vm, |ssl| {
            // SAFETY: the connection is live.
            unsafe { ffi::SSL_get_verify_result(ssl) }
        });
        let host = self.server_hostname.as_deref().unwrap_or("None");
        let message = match c_int::try_from(code).unwrap_or(0) {
            ffi::X509_V_ERR_HOSTNAME_MISMATCH => {
                format!("Hostname mismatch, certificate is not valid for '{host}'.")
            }
            ffi::X509_V_ERR_IP_ADDRESS_MISMATCH => {
                format!("IP address mismatch, certificate is not valid for '{host}'.")
            }
            // SAFETY: the texts are static.
            _ => unsafe { openssl::text(ffi::X509_verify_cert_error_string(code)) }.unwrap_or_default(),
        };
        Verification { code, message }
    }

    /// The end of an operation that succeeded.
    fn done<R>(&self, value: R, vm: &Vm) -> PyResult<R> {
        self.raise_kept(vm)?;
        Ok(value)
    }

    /// Sets the owner, by a weak reference.
    pub fn set_owner_object(&self, owner: &Object, vm: &Vm) -> PyResult<()> {
        self.owner.put(new_reference(WeakReference::type_object(), owner, None, vm)?);
        Ok(())
    }

    /// Sets the session to resume (`session` setter, `_wrap_socket(session=…)`).
    pub fn resume(&self, value: &Object, vm: &Vm) -> PyResult<()> {
        let Some(context) = self.context.get() else { return Err(vm.value_error("no context")) };
        let session = session_of(value, &context, vm)?;
        if self.server_side {
            return Err(vm.value_error("Cannot set session for server-side SSLSocket."));
        }
        let Some(copy) = session.duplicate() else { return Err(error::newest(3070, vm)) };
        let result = self.ask(vm, |ssl| {
            // SAFETY: both are live; the connection takes a count of its own.
            unsafe {
                if ffi::SSL_is_init_finished(ssl) != 0 {
                    return None;
                }
                Some(ffi::SSL_set_session(ssl, copy.as_ptr()))
            }
        });
        match result {
            None => Err(vm.value_error("Cannot set session after handshake.")),
            Some(0) => Err(error::newest(3075, vm)),
            Some(_) => Ok(()),
        }
    }

    /// Reads into `size` bytes at `place`, which are writable; 0 at the peer's orderly end.
    fn read_some(&self, place: *mut u8, size: usize, vm: &Vm) -> PyResult<usize> {
        let mut got = 0usize;
        let got_place = &raw mut got;
        let step = self.drive(Operation::Read, vm, |ssl| {
            // SAFETY: the buffer has that length.
            unsafe { ffi::SSL_read_ex(ssl, place.cast(), size, got_place) }
        })?;
        if step.result == 1 {
            return self.done(got, vm);
        }
        let orderly = step.error == ffi::SSL_ERROR_ZERO_RETURN && {
            // SAFETY: the connection is live.
            let state = self.ask(vm, |ssl| unsafe { ffi::SSL_get_shutdown(ssl) });
            state == ffi::SSL_RECEIVED_SHUTDOWN
        };
        if orderly { self.done(0, vm) } else { Err(self.step_error(&step, Operation::Read.line(), vm)) }
    }
}

#[pytype(name = "_ssl._SSLSocket", no_new, gc, methods(SslSocket::PEER_METHODS))]
impl SslSocket {
    #[method("($self, /)")]
    fn do_handshake(&self, vm: &Vm) -> PyResult<()> {
        // SAFETY: the connection is live.
        let step = self.drive(Operation::Handshake, vm, |ssl| unsafe { ffi::SSL_do_handshake(ssl) })?;
        if step.result < 1 {
            return Err(self.step_error(&step, Operation::Handshake.line(), vm));
        }
        self.done((), vm)
    }

    /// read(size, [buffer])
    /// Read up to size bytes from the SSL socket.
    #[method("!($self, *args)")]
    fn read(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let (size, target) = match args {
            [size] => (*size, None),
            [size, target] => (*size, Some(*target)),
            _ => return Err(vm.type_error("_ssl._SSLSocket.read requires 1 to 2 arguments")),
        };
        let size = size.as_index(vm)?.to_i64().and_then(|size| i32::try_from(size).ok());
        let Some(size) = size else {
            return Err(vm.overflow_error("Python int too large to convert to C int"));
        };
        let Some(target) = target else {
            let Ok(size) = usize::try_from(size) else {
                return Err(vm.value_error("size should not be negative"));
            };
            if size == 0 {
                return Ok(vm.new_bytes(&[]).into_object());
            }
            let mut bytes = room::reserved(size, vm)?;
            let got = self.read_some(bytes.as_mut_ptr(), size, vm)?;
            // SAFETY: OpenSSL filled that many of the bytes that there is room for.
            unsafe { bytes.set_len(got.min(size)) };
            return Ok(vm.new_bytes(&bytes).into_object());
        };
        let mut view = match target.get_buffer(buffer::WRITABLE, vm) {
            Ok(view) => view,
            Err(Raised) => {
                vm.clear_exception();
                let class = target.ob_type().tp_name_str();
                return Err(vm.type_error(format!(
                    "read() argument 2 must be read-write bytes-like object, not {class}"
                )));
            }
        };
        let bytes = view.as_bytes_mut().unwrap_or(&mut []);
        let wanted = match usize::try_from(size) {
            Ok(size) if size > 0 && size <= bytes.len() => size,
            _ => bytes.len(),
        };
        if i32::try_from(wanted).is_err() {
            return Err(vm.overflow_error("maximum length can't fit in a C 'int'"));
        }
        if wanted == 0 {
            return Ok(vm.new_int(0));
        }
        let got = self.read_some(bytes.as_mut_ptr(), wanted, vm)?;
        Ok(vm.new_int(got))
    }

    /// Writes the bytes-like object b into the SSL object.
    ///
    /// Returns the number of bytes written.
    #[method("($self, b, /)")]
    fn write(&self, b: BufferArg, vm: &Vm) -> PyResult<usize> {
        let bytes = b.as_bytes();
        let mut sent = 0usize;
        let place = &raw mut sent;
        let step = self.drive(Operation::Write, vm, |ssl| {
            // SAFETY: the bytes have that length.
            unsafe { ffi::SSL_write_ex(ssl, bytes.as_ptr().cast(), bytes.len(), place) }
        })?;
        if step.result == 0 {
            return Err(self.step_error(&step, Operation::Write.line(), vm));
        }
        self.done(sent, vm)
    }

    /// Returns the number of already decrypted bytes available for read, pending on the connection.
    #[method("($self, /)")]
    fn pending(&self, vm: &Vm) -> i32 {
        // SAFETY: the connection is live.
        self.ask(vm, |ssl| unsafe { ffi::SSL_pending(ssl) })
    }

    /// Does the SSL shutdown handshake with the remote end.
    #[method("($self, /)")]
    fn shutdown(&self, vm: &Vm) -> PyResult {
        const LINE: u32 = 2906;
        const SET_READ_AHEAD: c_int = 41;
        let transport = self.transport(LINE, vm)?;
        let socket = transport.as_deref().and_then(Object::downcast_ref::<Socket>);
        if socket.is_some_and(|socket| socket.descriptor() < 0) {
            return Err(self.transport_error("Underlying socket connection gone", LINE, vm));
        }
        let time = socket.and_then(Socket::time_limit);
        let limit = Limit::new(time);
        let mut zeros = 0;
        let step = loop {
            let without_ahead = self.seen_zero.get();
            let step = self.step(vm, |ssl| {
                // What follows the peer's last message is not TLS and must not be taken from the socket.
                // SAFETY: the connection is live.
                unsafe {
                    if without_ahead {
                        ffi::SSL_ctrl(ssl, SET_READ_AHEAD, 0, std::ptr::null_mut());
                    }
                    ffi::SSL_shutdown(ssl)
                }
            })?;
            if step.result > 0 {
                break step;
            }
            if step.result == 0 {
                // Sent ours; the peer's has not come. Waiting for it more than once is the caller's to decide.
                zeros += 1;
                if zeros > 1 {
                    break step;
                }
                self.seen_zero.set(true);
                continue;
            }
            let events = match step.error {
                ffi::SSL_ERROR_WANT_READ => libc::POLLIN,
                ffi::SSL_ERROR_WANT_WRITE => libc::POLLOUT,
                _ => break step,
            };
            let Some(socket) = socket.filter(|_| time.is_none_or(|time| !time.is_zero())) else { break step };
            if socket.descriptor() < 0 {
                return Err(error::bare("Underlying socket has been closed.", vm));
            }
            if !Self::wait(socket, events, &limit, vm)? {
                return Err(if events == libc::POLLIN {
                    Operation::Read.timed_out(vm)
                } else {
                    Operation::Write.timed_out(vm)
                });
            }
        };
        if step.result < 0 {
            return Err(self.step_error(&step, LINE, vm));
        }
        self.done(transport.unwrap_or_else(|| vm.none()), vm)
    }

    /// Initiate TLS 1.3 post-handshake authentication
    #[method("($self, /)")]
    fn verify_client_post_handshake(&self, vm: &Vm) -> PyResult<()> {
        // SAFETY: the connection is live.
        let step = self.step(vm, |ssl| unsafe { ffi::SSL_verify_client_post_handshake(ssl) })?;
        if step.result == 0 {
            let number = step.newest.map_or(0, |code| i64::from(code.reason()));
            let report = Report {
                kind: Kind::Plain,
                number,
                code: step.newest,
                text: None,
                verification: None,
                line: 2984,
            };
            return Err(report.raise(vm));
        }
        Ok(())
    }

    /// This changes the context associated with the SSLSocket.
    ///
    /// This is typically used from within a callback function set by the
    /// sni_callback on the SSLContext to change the certificate information
    /// associated with the SSLSocket before the cryptographic exchange
    /// handshake messages.
    #[getter]
    fn context(&self, vm: &Vm) -> ObjRef {
        self.context.get().map_or_else(|| vm.none(), Ref::into_object)
    }

    #[setter(context)]
    fn set_context(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(context) = given(value, "context", vm)?.downcast_ref::<SslContext>() else {
            return Err(vm.type_error("The value must be a SSLContext"));
        };
        let has_callback = context.message_callback.get().is_some();
        self.ask(vm, |ssl| {
            let function = has_callback.then_some(super::callbacks::message as ffi::MessageCallback);
            // SAFETY: both are live; the connection takes a count of its own.
            unsafe {
                ffi::SSL_set_SSL_CTX(ssl, context.as_ptr());
                ffi::SSL_set_msg_callback(ssl, function);
            }
        });
        self.context.put(Ref::new_ref(context));
        Ok(())
    }

    /// Whether this is a server-side socket.
    #[getter]
    fn server_side(&self) -> bool {
        self.server_side
    }

    /// The currently set server hostname (for SNI).
    #[getter]
    fn server_hostname(&self) -> Option<String> {
        self.server_hostname.clone()
    }

    /// The Python-level owner of this object.
    ///
    /// Passed as "self" in servername callback.
    #[getter]
    fn owner(&self, vm: &Vm) -> ObjRef {
        let owner = self.owner.get();
        let target = owner.and_then(|weak| weak.downcast_ref::<WeakReference>().and_then(WeakReference::get));
        target.unwrap_or_else(|| vm.none())
    }

    #[setter(owner)]
    fn set_owner(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_owner_object(given(value, "owner", vm)?, vm)
    }

    /// The underlying SSLSession object.
    #[getter]
    fn session(&self, vm: &Vm) -> PyResult {
        let Some(context) = self.context.get() else { return Ok(vm.none()) };
        self.ask(vm, |ssl| {
            // SAFETY: the connection is live, and so is its session while it is copied.
            unsafe {
                let session = ffi::SSL_get_session(ssl);
                if session.is_null() {
                    return Ok(vm.none());
                }
                Ok(SslSession::copy_of(session, context, vm)?.into_object())
            }
        })
    }

    #[setter(session)]
    fn set_session(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.resume(given(value, "session", vm)?, vm)
    }

    /// Was the client session reused during handshake?
    #[getter]
    fn session_reused(&self, vm: &Vm) -> bool {
        // SAFETY: the connection is live.
        self.ask(vm, |ssl| unsafe { ffi::SSL_session_reused(ssl) } != 0)
    }
}
