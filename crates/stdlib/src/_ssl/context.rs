//! `_ssl._SSLContext`: the settings that connections share.

use std::cell::Cell;
use std::ffi::{CString, c_int, c_long, c_void};
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;

use taipan_vm::builtins::warn::warn;
use taipan_vm::prelude::*;

use super::memory_bio::MemoryBio;
use super::session::SslSession;
use super::ssl_socket::{SslSocket, Transport};
use super::{callbacks, certificate, cipher, distrusted, error, trust, verify_paths};
use crate::_socket::Socket;
use crate::openssl::{self, ErrorCode, ffi, owned};

owned!(
    /// A context of OpenSSL's.
    ContextHandle(ffi::SSL_CTX),
    ffi::SSL_CTX_free
);

/// The versions that `_SSLContext(protocol)` takes.
pub mod protocol {
    /// Whatever both sides have.
    pub const TLS: i32 = 2;
    /// TLS 1.0 only.
    pub const TLS_V1: i32 = 3;
    /// TLS 1.1 only.
    pub const TLS_V1_1: i32 = 4;
    /// TLS 1.2 only.
    pub const TLS_V1_2: i32 = 5;
    /// Clients, whatever both sides have.
    pub const CLIENT: i32 = 16;
    /// Servers, whatever both sides have.
    pub const SERVER: i32 = 17;
}

/// `minimum_version` and `maximum_version`: as low as can be.
pub const MINIMUM_SUPPORTED: i32 = -2;
/// As high as can be.
pub const MAXIMUM_SUPPORTED: i32 = -1;

const SSL3_VERSION: i32 = 0x300;
const TLS1_VERSION: i32 = 0x301;
const TLS1_1_VERSION: i32 = 0x302;
const TLS1_2_VERSION: i32 = 0x303;
const TLS1_3_VERSION: i32 = 0x304;

const SET_MIN_VERSION: c_int = 123;
const SET_MAX_VERSION: c_int = 124;
const GET_MIN_VERSION: c_int = 130;
const GET_MAX_VERSION: c_int = 131;

/// Options that switch a version off; the versions' own settings have replaced them.
const VERSION_OPTIONS: u64 = ffi::SSL_OP_NO_SSLv3
    | ffi::SSL_OP_NO_TLSv1
    | ffi::SSL_OP_NO_TLSv1_1
    | ffi::SSL_OP_NO_TLSv1_2
    | ffi::SSL_OP_NO_TLSv1_3;

/// The layout of `_ssl._SSLContext`.
#[repr(C)]
#[derive(Traverse)]
pub struct SslContext {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    handle: ContextHandle,
    #[traverse(skip)]
    protocol: i32,
    #[traverse(skip)]
    check_hostname: Cell<bool>,
    #[traverse(skip)]
    host_flags: Cell<u32>,
    #[traverse(skip)]
    post_handshake_auth: Cell<bool>,
    /// The protocols that a server offers, as the extension has them.
    #[traverse(skip)]
    pub(super) alpn: Mutex<Vec<u8>>,
    /// Where keys are logged.
    #[traverse(skip)]
    pub(super) key_log: Mutex<Option<File>>,
    key_log_name: Slot<Object>,
    pub(super) sni_callback: Slot<Object>,
    pub(super) message_callback: Slot<Object>,
    pub(super) psk_client: Slot<Object>,
    pub(super) psk_server: Slot<Object>,
}

impl Drop for SslContext {
    fn drop(&mut self) {
        // Connections may keep OpenSSL's context alive: its callbacks find nobody from now on.
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_set_ex_data(self.handle.as_ptr(), 0, std::ptr::null_mut()) };
    }
}

/// The value to set; attributes can't be deleted.
fn given<'a>(value: Option<&'a Object>, name: &str, vm: &Vm) -> PyResult<&'a Object> {
    value.ok_or_else(|| {
        vm.attribute_error(format!("attribute '{name}' of '_ssl._SSLContext' objects cannot be deleted"))
    })
}

fn c_int_of(value: &Object, vm: &Vm) -> PyResult<i32> {
    let number = value.as_index(vm)?.to_i64();
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

/// A path argument for C; its error names the argument.
fn file_path(object: &Object, what: &str, vm: &Vm) -> PyResult<CString> {
    match fs_path(object, vm) {
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(vm.type_error(format!("{what} should be a valid filesystem path")))
        }
        result => result,
    }
}

/// A path argument for C.
pub fn fs_path(object: &Object, vm: &Vm) -> PyResult<CString> {
    let path = taipan_vm::protocols::path::fspath(object, vm)?;
    let bytes = taipan_vm::protocols::path::path_bytes(&path, "", vm)?;
    CString::new(bytes).map_err(|_| vm.value_error("embedded null character"))
}

fn set_errno(value: i32) {
    // SAFETY: the place is this thread's own.
    unsafe { *libc::__errno_location() = value };
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Raises what made OpenSSL fail to read a file: the system's error, if there was one.
fn file_error(line: u32, vm: &Vm) -> Raised {
    match errno() {
        0 => error::newest(line, vm),
        number => {
            ErrorCode::forget_all();
            vm.os_error(number, None)
        }
    }
}

fn host_name(object: &Object, vm: &Vm) -> PyResult<CString> {
    let Some(text) = object.downcast_ref::<Str>() else {
        return Err(vm.type_error(format!("argument must be str, not {}", object.ob_type().tp_name_str())));
    };
    let bytes = match text.as_ascii_str() {
        Some(ascii) => ascii.as_bytes().to_vec(),
        None => {
            let encoded = object.call_method(&vm.intern("encode"), &[vm.new_str("ascii").as_object()], vm)?;
            encoded.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default()
        }
    };
    CString::new(bytes)
        .map_err(|_| vm.type_error("argument must be encoded string without null bytes, not str"))
}

impl SslContext {
    /// OpenSSL's context.
    pub fn as_ptr(&self) -> *mut ffi::SSL_CTX {
        self.handle.as_ptr()
    }

    /// The protocol that it was made with.
    pub fn protocol_number(&self) -> i32 {
        self.protocol
    }

    /// Whether servers' certificates must be for the host asked for.
    pub fn checks_hostname(&self) -> bool {
        self.check_hostname.get()
    }

    /// Whether clients may be asked for certificates later.
    pub fn allows_later_authentication(&self) -> bool {
        self.post_handshake_auth.get()
    }

    fn set_mode(&self, mode: c_int) {
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_set_verify(self.as_ptr(), mode, Some(distrusted::verify)) };
    }

    fn control(&self, command: c_int, number: c_long) -> c_long {
        // SAFETY: the context is live; these commands need no place.
        unsafe { ffi::SSL_CTX_ctrl(self.as_ptr(), command, number, std::ptr::null_mut()) }
    }

    fn set_version(&self, value: &Object, is_minimum: bool, vm: &Vm) -> PyResult<()> {
        let asked = c_int_of(value, vm)?;
        if !matches!(self.protocol, protocol::TLS | protocol::CLIENT | protocol::SERVER) {
            return Err(vm.value_error(
                "The context's protocol doesn't support modification of highest and lowest version.",
            ));
        }
        let old = match asked {
            SSL3_VERSION => Some("SSLv3"),
            TLS1_VERSION => Some("TLSv1"),
            TLS1_1_VERSION => Some("TLSv1_1"),
            MINIMUM_SUPPORTED | MAXIMUM_SUPPORTED | TLS1_2_VERSION | TLS1_3_VERSION => None,
            other => return Err(vm.value_error(format!("Unsupported TLS/SSL version {other:#x}"))),
        };
        if let Some(name) = old {
            warn(types::deprecation_warning(), &format!("ssl.TLSVersion.{name} is deprecated"), 2, vm)?;
        }
        let version = match (asked, is_minimum) {
            (MINIMUM_SUPPORTED, true) | (MAXIMUM_SUPPORTED, false) => 0,
            (MINIMUM_SUPPORTED, false) => TLS1_VERSION,
            (MAXIMUM_SUPPORTED, true) => TLS1_3_VERSION,
            (version, _) => version,
        };
        let command = if is_minimum { SET_MIN_VERSION } else { SET_MAX_VERSION };
        if self.control(command, c_long::from(version)) == 0 {
            return Err(vm.value_error(format!("Unsupported protocol version {version:#x}")));
        }
        Ok(())
    }

    fn callable<'a>(value: &'a Object, vm: &Vm) -> PyResult<Option<&'a Object>> {
        if vm.is_none(value) {
            return Ok(None);
        }
        if value.is_callable() { Ok(Some(value)) } else { Err(vm.type_error("not a callable object")) }
    }

    fn wrap(
        &self,
        transport: Transport,
        server_side: bool,
        server_hostname: Option<&Object>,
        owner: Option<&Object>,
        session: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<SslSocket>> {
        let host = match server_hostname.filter(|host| !vm.is_none(host)) {
            Some(host) => Some(host_name(host, vm)?),
            None => None,
        };
        let made = SslSocket::make(Ref::new_ref(self), transport, server_side, host.as_deref(), vm)?;
        if let Some(owner) = owner.filter(|owner| !vm.is_none(owner)) {
            made.set_owner_object(owner, vm)?;
        }
        if let Some(session) = session.filter(|session| !vm.is_none(session)) {
            made.resume(session, vm)?;
        }
        Ok(made)
    }
}

#[pytype(name = "_ssl._SSLContext", flags(BASETYPE), gc)]
impl SslContext {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        if kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error("_SSLContext() takes no keyword arguments"));
        }
        let [version] = args.as_slice() else {
            return Err(vm.type_error(format!("_SSLContext expected 1 argument, got {}", args.len())));
        };
        let version = c_int_of(version, vm)?;
        openssl::init();
        let deprecated = match version {
            protocol::TLS => Some("TLS"),
            protocol::TLS_V1 => Some("TLSv1"),
            protocol::TLS_V1_1 => Some("TLSv1_1"),
            protocol::TLS_V1_2 => Some("TLSv1_2"),
            _ => None,
        };
        if let Some(name) = deprecated {
            warn(types::deprecation_warning(), &format!("ssl.PROTOCOL_{name} is deprecated"), 2, vm)?;
        }
        // SAFETY: the methods are static; the context is owned.
        let handle = unsafe {
            let method = match version {
                protocol::TLS => ffi::TLS_method(),
                protocol::TLS_V1 => ffi::TLSv1_method(),
                protocol::TLS_V1_1 => ffi::TLSv1_1_method(),
                protocol::TLS_V1_2 => ffi::TLSv1_2_method(),
                protocol::CLIENT => ffi::TLS_client_method(),
                protocol::SERVER => ffi::TLS_server_method(),
                other => {
                    return Err(vm.value_error(format!("invalid or unsupported protocol version {other}")));
                }
            };
            ContextHandle::from_raw(ffi::SSL_CTX_new(method))
        };
        let Some(handle) = handle else { return Err(error::newest(3327, vm)) };
        let is_client = version == protocol::CLIENT;
        let context = SslContext {
            ob: Object::new(Self::type_object()),
            handle,
            protocol: version,
            check_hostname: Cell::new(is_client),
            host_flags: Cell::new(ffi::X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS),
            post_handshake_auth: Cell::new(false),
            alpn: Mutex::new(Vec::new()),
            key_log: Mutex::new(None),
            key_log_name: Slot::empty(),
            sni_callback: Slot::empty(),
            message_callback: Slot::empty(),
            psk_client: Slot::empty(),
            psk_server: Slot::empty(),
        };
        let required = ffi::SSL_VERIFY_PEER | ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        context.set_mode(if is_client { required } else { ffi::SSL_VERIFY_NONE });
        let place = context.as_ptr();
        let options = ffi::SSL_OP_ALL
            | ffi::SSL_OP_NO_SSLv3
            | ffi::SSL_OP_NO_COMPRESSION
            | ffi::SSL_OP_CIPHER_SERVER_PREFERENCE;
        // SAFETY: the context is live.
        unsafe {
            ffi::SSL_CTX_set_options(place, options);
            ffi::SSL_CTX_set_mode(place, ffi::SSL_MODE_RELEASE_BUFFERS);
            ffi::SSL_CTX_set_session_id_context(place, c"Python".as_ptr().cast(), 6);
            let parameters = ffi::SSL_CTX_get0_param(place);
            ffi::X509_VERIFY_PARAM_set_flags(parameters, ffi::X509_V_FLAG_TRUSTED_FIRST);
            ffi::X509_VERIFY_PARAM_set_hostflags(parameters, context.host_flags.get());
            ffi::SSL_CTX_set_post_handshake_auth(place, 0);
        }
        ErrorCode::forget_all();
        let made = vm.new_instance(cls, context)?;
        // SAFETY: the object stays where it is until its drop clears this.
        unsafe { ffi::SSL_CTX_set_ex_data(place, 0, made.as_ptr().cast()) };
        Ok(made)
    }

    #[getter]
    fn protocol(&self) -> i32 {
        self.protocol
    }

    #[getter]
    fn check_hostname(&self) -> bool {
        self.check_hostname.get()
    }

    #[setter(check_hostname)]
    fn set_check_hostname(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let on = given(value, "check_hostname", vm)?.is_true(vm)?;
        // SAFETY: the context is live.
        if on && unsafe { ffi::SSL_CTX_get_verify_mode(self.as_ptr()) } == ffi::SSL_VERIFY_NONE {
            self.set_mode(ffi::SSL_VERIFY_PEER | ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        }
        self.check_hostname.set(on);
        Ok(())
    }

    #[getter]
    fn _host_flags(&self) -> u32 {
        self.host_flags.get()
    }

    #[setter(_host_flags)]
    fn set_host_flags(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let flags = given(value, "_host_flags", vm)?.as_index(vm)?;
        let flags = flags.to_i64().unwrap_or(-1) as u32;
        self.host_flags.set(flags);
        // SAFETY: the context is live.
        unsafe { ffi::X509_VERIFY_PARAM_set_hostflags(ffi::SSL_CTX_get0_param(self.as_ptr()), flags) };
        Ok(())
    }

    #[getter]
    fn verify_mode(&self, vm: &Vm) -> PyResult<i32> {
        // SAFETY: the context is live.
        let mode = unsafe { ffi::SSL_CTX_get_verify_mode(self.as_ptr()) };
        let peer = mode & (ffi::SSL_VERIFY_PEER | ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        match peer {
            ffi::SSL_VERIFY_NONE => Ok(0),
            ffi::SSL_VERIFY_PEER => Ok(1),
            peer if peer & ffi::SSL_VERIFY_PEER != 0 => Ok(2),
            _ => Err(error::plain("invalid return value from SSL_CTX_get_verify_mode", 3654, vm)),
        }
    }

    #[setter(verify_mode)]
    fn set_verify_mode(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let mode = c_int_of(given(value, "verify_mode", vm)?, vm)?;
        if mode == 0 && self.check_hostname.get() {
            return Err(vm.value_error("Cannot set verify_mode to CERT_NONE when check_hostname is enabled."));
        }
        self.set_mode(match mode {
            0 => ffi::SSL_VERIFY_NONE,
            1 => ffi::SSL_VERIFY_PEER,
            2 => ffi::SSL_VERIFY_PEER | ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
            _ => return Err(vm.value_error("invalid value for verify_mode")),
        });
        Ok(())
    }

    #[getter]
    fn verify_flags(&self) -> u64 {
        // SAFETY: the context is live.
        unsafe { ffi::X509_VERIFY_PARAM_get_flags(ffi::SSL_CTX_get0_param(self.as_ptr())) }
    }

    #[setter(verify_flags)]
    fn set_verify_flags(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = given(value, "verify_flags", vm)?;
        let Some(number) = value.downcast_ref::<Int>() else {
            let class = value.ob_type().tp_name_str();
            return Err(vm.type_error(format!("argument must be int, not {class}")));
        };
        let new = number.to_u64().or_else(|| number.to_i64().map(|number| number as u64)).unwrap_or(u64::MAX);
        // SAFETY: the context is live.
        unsafe {
            let parameters = ffi::SSL_CTX_get0_param(self.as_ptr());
            let old = ffi::X509_VERIFY_PARAM_get_flags(parameters);
            let (clear, set) = (old & !new, !old & new);
            if clear != 0 && ffi::X509_VERIFY_PARAM_clear_flags(parameters, clear) == 0 {
                return Err(error::newest(3728, vm));
            }
            if set != 0 && ffi::X509_VERIFY_PARAM_set_flags(parameters, set) == 0 {
                return Err(error::newest(3734, vm));
            }
        }
        Ok(())
    }

    #[getter]
    fn minimum_version(&self) -> i64 {
        match self.control(GET_MIN_VERSION, 0) {
            0 => i64::from(MINIMUM_SUPPORTED),
            version => version,
        }
    }

    #[setter(minimum_version)]
    fn set_minimum_version(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_version(given(value, "minimum_version", vm)?, true, vm)
    }

    #[getter]
    fn maximum_version(&self) -> i64 {
        match self.control(GET_MAX_VERSION, 0) {
            0 => i64::from(MAXIMUM_SUPPORTED),
            version => version,
        }
    }

    #[setter(maximum_version)]
    fn set_maximum_version(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_version(given(value, "maximum_version", vm)?, false, vm)
    }

    /// Control the number of TLSv1.3 session tickets.
    #[getter]
    fn num_tickets(&self) -> usize {
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_get_num_tickets(self.as_ptr()) }
    }

    #[setter(num_tickets)]
    fn set_num_tickets(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let count = given(value, "num_tickets", vm)?.as_index(vm)?.to_i64();
        let Some(count) = count else {
            return Err(vm.overflow_error("Python int too large to convert to C long"));
        };
        let Ok(count) = usize::try_from(count) else {
            return Err(vm.value_error("value must be non-negative"));
        };
        if self.protocol != protocol::SERVER {
            return Err(vm.value_error("SSLContext is not a server context."));
        }
        // SAFETY: the context is live.
        if unsafe { ffi::SSL_CTX_set_num_tickets(self.as_ptr(), count) } != 1 {
            return Err(vm.value_error("failed to set num tickets."));
        }
        Ok(())
    }

    /// The current security level.
    #[getter]
    fn security_level(&self) -> i32 {
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_get_security_level(self.as_ptr()) }
    }

    #[getter]
    fn options(&self) -> u64 {
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_get_options(self.as_ptr()) }
    }

    #[setter(options)]
    fn set_options(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let number = given(value, "options", vm)?.as_index(vm)?;
        let Some(new) = number.to_u64() else {
            return Err(if number.is_negative() {
                vm.value_error("Cannot convert negative int")
            } else {
                vm.overflow_error("Python int too large for C unsigned long long")
            });
        };
        let old = self.options();
        let (clear, set) = (old & !new, !old & new);
        if set & VERSION_OPTIONS != 0 {
            let text = "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated";
            warn(types::deprecation_warning(), text, 2, vm)?;
        }
        // SAFETY: the context is live.
        unsafe {
            if clear != 0 {
                ffi::SSL_CTX_clear_options(self.as_ptr(), clear);
            }
            if set != 0 {
                ffi::SSL_CTX_set_options(self.as_ptr(), set);
            }
        }
        Ok(())
    }

    #[getter]
    fn post_handshake_auth(&self) -> bool {
        self.post_handshake_auth.get()
    }

    #[setter(post_handshake_auth)]
    fn set_post_handshake_auth(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
        // Connections take it over when they are made: what to set is another thing for servers and clients.
        self.post_handshake_auth.set(value.is_true(vm)?);
        Ok(())
    }

    /// Set a callback that will be called when a server name is provided by the SSL/TLS client in the SNI extension.
    ///
    /// If the argument is None then the callback is disabled.  The method
    /// is called with the SSLSocket, the server name as a string, and the
    /// SSLContext object.
    ///
    /// See RFC 6066 for details of the SNI extension.
    #[getter]
    fn sni_callback(&self, vm: &Vm) -> ObjRef {
        self.sni_callback.get().unwrap_or_else(|| vm.none())
    }

    #[setter(sni_callback)]
    fn set_sni_callback(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = given(value, "sni_callback", vm)?;
        if self.protocol == protocol::CLIENT {
            return Err(vm.value_error("sni_callback cannot be set on TLS_CLIENT context"));
        }
        let callback = Self::callable(value, vm);
        self.sni_callback.set(callback.as_ref().ok().and_then(|callback| callback.map(Object::to_ref)));
        let is_set = matches!(callback, Ok(Some(_)));
        // SAFETY: the context is live, and it is the callback's own argument.
        unsafe {
            let function = is_set.then_some(callbacks::server_name as callbacks::ServerNameCallback);
            callbacks::set_server_name(self.as_ptr(), function);
        }
        callback.map(drop)
    }

    #[getter]
    fn _msg_callback(&self, vm: &Vm) -> ObjRef {
        self.message_callback.get().unwrap_or_else(|| vm.none())
    }

    #[setter(_msg_callback)]
    fn set_msg_callback(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let callback = Self::callable(given(value, "_msg_callback", vm)?, vm)?;
        self.message_callback.set(callback.map(Object::to_ref));
        let function = callback.is_some().then_some(callbacks::message as ffi::MessageCallback);
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_set_msg_callback(self.as_ptr(), function) };
        Ok(())
    }

    #[getter]
    fn keylog_filename(&self, vm: &Vm) -> ObjRef {
        self.key_log_name.get().unwrap_or_else(|| vm.none())
    }

    #[setter(keylog_filename)]
    fn set_keylog_filename(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = given(value, "keylog_filename", vm)?;
        let set_file = |file: Option<File>| {
            *self.key_log.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = file;
        };
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_set_keylog_callback(self.as_ptr(), None) };
        set_file(None);
        self.key_log_name.set(None);
        if vm.is_none(value) {
            return Ok(());
        }
        let path = fs_path(value, vm)?;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()));
        let opened = File::options().append(true).create(true).open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(found) => return Err(vm.os_error(found.raw_os_error().unwrap_or(0), Some(value))),
        };
        if file.metadata().is_ok_and(|data| data.len() == 0) {
            let header = "# TLS secrets log file, generated by OpenSSL / Python\n";
            if let Err(found) = file.write_all(header.as_bytes()) {
                return Err(vm.os_error(found.raw_os_error().unwrap_or(0), Some(value)));
            }
        }
        set_file(Some(file));
        self.key_log_name.put(value.to_ref());
        // SAFETY: the context is live.
        unsafe { ffi::SSL_CTX_set_keylog_callback(self.as_ptr(), Some(callbacks::key_log)) };
        Ok(())
    }

    #[method("($self, cipherlist, /)")]
    fn set_ciphers(&self, cipherlist: &Object, vm: &Vm) -> PyResult<()> {
        let Some(text) = cipherlist.downcast_ref::<Str>() else {
            let class = cipherlist.ob_type().tp_name_str();
            return Err(vm.type_error(format!("set_ciphers() argument must be str, not {class}")));
        };
        let Ok(text) = CString::new(text.to_utf8(vm)?) else {
            return Err(vm.value_error("embedded null character"));
        };
        // SAFETY: the context is live, the text NUL-terminated.
        if unsafe { ffi::SSL_CTX_set_cipher_list(self.as_ptr(), text.as_ptr()) } == 0 {
            return Err(error::bare("No cipher can be selected.", vm));
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn get_ciphers(&self, vm: &Vm) -> PyResult<Ref<List>> {
        // SAFETY: a connection of the context's own, freed at the end; its ciphers are static.
        unsafe {
            let ssl = ffi::SSL_new(self.as_ptr());
            if ssl.is_null() {
                return Err(error::newest(line!(), vm));
            }
            let stack: *const ffi::OPENSSL_STACK = ffi::SSL_get_ciphers(ssl).cast();
            let found: PyResult<Vec<ObjRef>> = (0..ffi::OPENSSL_sk_num(stack))
                .map(|at| {
                    let cipher = ffi::OPENSSL_sk_value(stack, at).cast::<ffi::SSL_CIPHER>();
                    cipher::details(cipher, vm).map(Ref::into_object)
                })
                .collect();
            ffi::SSL_free(ssl);
            Ok(vm.new_list(found?))
        }
    }

    #[method("($self, protos, /)")]
    fn _set_alpn_protocols(&self, protos: BufferArg, vm: &Vm) -> PyResult<()> {
        let bytes = protos.as_bytes();
        let Ok(length) = u32::try_from(bytes.len()) else {
            return Err(vm.overflow_error(format!("protocols longer than {} bytes", u32::MAX)));
        };
        *self.alpn.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = bytes.to_vec();
        // SAFETY: the bytes have that length; the callback's argument is the context, which outlives its connections.
        unsafe {
            if ffi::SSL_CTX_set_alpn_protos(self.as_ptr(), bytes.as_ptr(), length) != 0 {
                return Err(vm.memory_error());
            }
            callbacks::set_protocol_selection(self.as_ptr());
        }
        Ok(())
    }

    #[method("($self, /, certfile, keyfile=None, password=None)")]
    fn load_cert_chain(
        &self,
        certfile: &Object,
        keyfile: Option<&Object>,
        password: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let certificate = file_path(certfile, "certfile", vm)?;
        let key = match keyfile.filter(|key| !vm.is_none(key)) {
            Some(key) => file_path(key, "keyfile", vm)?,
            None => certificate.clone(),
        };
        let password = callbacks::Password::new(password.filter(|password| !vm.is_none(password)), vm)?;
        let place = self.as_ptr();
        // SAFETY: the context is live, the paths are NUL-terminated; the password outlives its use, after which the
        // former callback is back.
        unsafe {
            let former = (
                ffi::SSL_CTX_get_default_passwd_cb(place),
                ffi::SSL_CTX_get_default_passwd_cb_userdata(place),
            );
            if let Some(password) = &password {
                ffi::SSL_CTX_set_default_passwd_cb(place, Some(callbacks::password));
                let data = std::ptr::from_ref(password).cast_mut().cast::<c_void>();
                ffi::SSL_CTX_set_default_passwd_cb_userdata(place, data);
            }
            let result = (|| {
                let failed = |line: u32| match &password {
                    Some(password) if password.failed() => Raised,
                    _ => file_error(line, vm),
                };
                set_errno(0);
                if ffi::SSL_CTX_use_certificate_chain_file(place, certificate.as_ptr()) != 1 {
                    return Err(failed(4291));
                }
                set_errno(0);
                if ffi::SSL_CTX_use_PrivateKey_file(place, key.as_ptr(), ffi::SSL_FILETYPE_PEM) != 1 {
                    return Err(failed(4312));
                }
                if ffi::SSL_CTX_check_private_key(place) != 1 {
                    return Err(error::newest(4317, vm));
                }
                Ok(())
            })();
            ffi::SSL_CTX_set_default_passwd_cb(place, former.0);
            ffi::SSL_CTX_set_default_passwd_cb_userdata(place, former.1);
            if result.is_err() {
                ErrorCode::forget_all();
            }
            result
        }
    }

    #[method("($self, /, cafile=None, capath=None, cadata=None)")]
    fn load_verify_locations(
        &self,
        cafile: Option<&Object>,
        capath: Option<&Object>,
        cadata: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let [file, folder, data] = [cafile, capath, cadata].map(|given| given.filter(|o| !vm.is_none(o)));
        if file.is_none() && folder.is_none() && data.is_none() {
            return Err(vm.type_error("cafile, capath and cadata cannot be all omitted"));
        }
        let file = file.map(|file| file_path(file, "cafile", vm)).transpose()?;
        let folder = folder.map(|folder| file_path(folder, "capath", vm)).transpose()?;
        if let Some(data) = data {
            trust::add_data(self.as_ptr(), data, vm)?;
        }
        if file.is_some() || folder.is_some() {
            let text = |path: &Option<CString>| path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr());
            let (place, file, folder) = (self.as_ptr(), text(&file), text(&folder));
            // SAFETY: the context is live, the paths are NUL-terminated or null.
            let done = vm.allow_threads(|| unsafe {
                ErrorCode::forget_all();
                set_errno(0);
                match ffi::SSL_CTX_load_verify_locations(place, file, folder) {
                    1 => Ok(()),
                    _ => Err(ErrorCode::newest()),
                }
            });
            if done.is_err() {
                return Err(file_error(4544, vm));
            }
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn set_default_verify_paths(&self, vm: &Vm) {
        let place = self.as_ptr();
        // SAFETY: the context is live.
        vm.allow_threads(|| unsafe { verify_paths::load(place) });
    }

    #[method("($self, path, /)")]
    fn load_dh_params(&self, path: &Object, vm: &Vm) -> PyResult<()> {
        let text = fs_path(path, vm)?;
        set_errno(0);
        trust::load_dh(self.as_ptr(), &text, path, vm)
    }

    #[method("($self, name, /)")]
    fn set_ecdh_curve(&self, name: &Object, vm: &Vm) -> PyResult<()> {
        let text = fs_path(name, vm)?;
        // SAFETY: the text is NUL-terminated, the context live; the command takes one number's place.
        unsafe {
            let mut number = ffi::OBJ_sn2nid(text.as_ptr());
            if number == ffi::NID_undef {
                let shown = name.repr(vm)?;
                return Err(
                    vm.value_error(format!("unknown elliptic curve name {}", shown.to_string_lossy()))
                );
            }
            let place = (&raw mut number).cast();
            if ffi::SSL_CTX_ctrl(self.as_ptr(), ffi::SSL_CTRL_SET_GROUPS, 1, place) == 0 {
                return Err(error::newest(4832, vm));
            }
        }
        Ok(())
    }

    /// Returns quantities of loaded X.509 certificates.
    ///
    /// X.509 certificates with a CA extension and certificate revocation
    /// lists inside the context's cert store.
    ///
    /// NOTE: Certificates in a capath directory aren't loaded unless they
    /// have been used at least once.
    #[method("($self, /)")]
    fn cert_store_stats(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let counts = trust::count(self.as_ptr());
        let contents = vm.new_dict();
        for (name, count) in
            [("x509", counts.certificates), ("crl", counts.lists), ("x509_ca", counts.authorities)]
        {
            contents.set_str(&vm.intern(name), &vm.new_int(count), vm)?;
        }
        Ok(contents)
    }

    /// Returns a list of dicts with information of loaded CA certs.
    ///
    /// If the optional argument is True, returns a DER-encoded copy of the
    /// CA certificate.
    ///
    /// NOTE: Certificates in a capath directory aren't loaded unless they
    /// have been used at least once.
    #[method("($self, /, binary_form=False)")]
    fn get_ca_certs(&self, binary_form: Option<bool>, vm: &Vm) -> PyResult<Ref<List>> {
        let binary = binary_form.unwrap_or(false);
        let mut found = Vec::new();
        for authority in trust::authorities(self.as_ptr()) {
            // SAFETY: the list holds them.
            found.push(unsafe {
                if binary {
                    certificate::der(authority.as_ptr(), vm)?.into_object()
                } else {
                    certificate::decode(authority.as_ptr(), vm)?.into_object()
                }
            });
        }
        Ok(vm.new_list(found))
    }

    #[method("($self, /)")]
    fn session_stats(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        const COUNTERS: [(&str, c_int); 11] = [
            ("number", 0),
            ("connect", 1),
            ("connect_good", 2),
            ("connect_renegotiate", 3),
            ("accept", 4),
            ("accept_good", 5),
            ("accept_renegotiate", 6),
            ("hits", 7),
            ("misses", 9),
            ("timeouts", 10),
            ("cache_full", 11),
        ];
        let contents = vm.new_dict();
        for (name, offset) in COUNTERS {
            let count = self.control(ffi::SSL_CTRL_SESS_NUMBER + offset, 0);
            contents.set_str(&vm.intern(name), &vm.new_int(count), vm)?;
        }
        Ok(contents)
    }

    #[method("($self, /, callback)")]
    fn set_psk_client_callback(&self, callback: &Object, vm: &Vm) -> PyResult<()> {
        if self.protocol == protocol::SERVER {
            return Err(error::plain(
                "Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context",
                5237,
                vm,
            ));
        }
        let function = callbacks::psk_callable(callback, vm)?;
        self.psk_client.set(function);
        let is_set = self.psk_client.get().is_some();
        // SAFETY: the context is live.
        unsafe {
            let function = is_set.then_some(callbacks::psk_client as callbacks::PskClient);
            ffi::SSL_CTX_set_psk_client_callback(self.as_ptr(), function);
        }
        Ok(())
    }

    #[method("($self, /, callback, identity_hint=None)")]
    fn set_psk_server_callback(
        &self,
        callback: &Object,
        identity_hint: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let hint = match identity_hint.filter(|hint| !vm.is_none(hint)) {
            None => None,
            Some(hint) => {
                let Some(text) = hint.downcast_ref::<Str>() else {
                    let class = hint.ob_type().tp_name_str();
                    return Err(vm.type_error(format!(
                        "set_psk_server_callback() argument 'identity_hint' must be str or None, not {class}"
                    )));
                };
                Some(CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))?)
            }
        };
        if self.protocol == protocol::CLIENT {
            return Err(error::plain(
                "Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context",
                5349,
                vm,
            ));
        }
        let function = callbacks::psk_callable(callback, vm)?;
        let hint = hint.as_ref().map_or(std::ptr::null(), |hint| hint.as_ptr());
        // SAFETY: the context is live, the hint NUL-terminated or null.
        if unsafe { ffi::SSL_CTX_use_psk_identity_hint(self.as_ptr(), hint) } != 1 {
            return Err(error::plain("failed to set identity hint", 5361, vm));
        }
        self.psk_server.set(function);
        let is_set = self.psk_server.get().is_some();
        // SAFETY: the context is live.
        unsafe {
            let function = is_set.then_some(callbacks::psk_server as callbacks::PskServer);
            ffi::SSL_CTX_set_psk_server_callback(self.as_ptr(), function);
        }
        Ok(())
    }

    #[method("($self, /, sock, server_side, server_hostname=None, *, owner=None, session=None)")]
    fn _wrap_socket(
        &self,
        sock: &Object,
        server_side: bool,
        server_hostname: Option<&Object>,
        owner: Option<&Object>,
        session: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<SslSocket>> {
        if sock.downcast_ref::<Socket>().is_none() {
            let class = sock.ob_type().tp_name_str();
            return Err(
                vm.type_error(format!("_wrap_socket() argument 'sock' must be _socket.socket, not {class}"))
            );
        }
        self.wrap(Transport::Socket(sock.to_ref()), server_side, server_hostname, owner, session, vm)
    }

    #[method(
        "($self, /, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None)"
    )]
    fn _wrap_bio(
        &self,
        incoming: &Object,
        outgoing: &Object,
        server_side: bool,
        server_hostname: Option<&Object>,
        owner: Option<&Object>,
        session: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<Ref<SslSocket>> {
        let buffer = |object: &Object, name: &str| match object.downcast_ref::<MemoryBio>() {
            Some(bio) => Ok(Ref::new_ref(bio)),
            None => {
                let class = object.ob_type().tp_name_str();
                Err(vm
                    .type_error(format!("_wrap_bio() argument '{name}' must be _ssl.MemoryBIO, not {class}")))
            }
        };
        let transport = Transport::Memory(buffer(incoming, "incoming")?, buffer(outgoing, "outgoing")?);
        self.wrap(transport, server_side, server_hostname, owner, session, vm)
    }
}

/// Whether an object is a session of a context (`session` setters).
pub fn session_of<'a>(value: &'a Object, context: &SslContext, vm: &Vm) -> PyResult<&'a SslSession> {
    let Some(session) = value.downcast_ref::<SslSession>() else {
        return Err(vm.type_error("Value is not a SSLSession."));
    };
    if !session.is_of(context) {
        return Err(vm.value_error("Session refers to a different SSLContext."));
    }
    Ok(session)
}
