//! What OpenSSL calls back in the middle of its work. Each takes the interpreter's lock, if its thread gave it up, and
//! finds its Python objects through OpenSSL's: a context that Python has dropped meanwhile is simply not there.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::io::Write;

use taipan_vm::prelude::*;

use super::context::SslContext;
use super::ssl_socket::SslSocket;
use crate::openssl::ffi;

/// Answers to the name of a server.
pub type ServerNameCallback = unsafe extern "C" fn(*mut ffi::SSL, *mut c_int, *mut c_void) -> c_int;
/// Gives a client's identity and key.
pub type PskClient =
    extern "C" fn(*mut ffi::SSL, *const c_char, *mut c_char, c_uint, *mut c_uchar, c_uint) -> c_uint;
/// Gives a server's key for an identity.
pub type PskServer = extern "C" fn(*mut ffi::SSL, *const c_char, *mut c_uchar, c_uint) -> c_uint;

/// Runs `work` with the interpreter's lock and the connection's object. `None` without such an object.
fn with_connection<R>(ssl: *mut ffi::SSL, work: impl FnOnce(&SslSocket, &Vm) -> R) -> Option<R> {
    // SAFETY: the place holds the connection's object, which outlives the connection, or null.
    let connection = unsafe { ffi::SSL_get_ex_data(ssl, 0).cast::<SslSocket>().as_ref() }?;
    if let Some(vm) = Vm::try_current() {
        return Some(work(connection, vm));
    }
    let vm = connection.vm_at_work()?;
    let gil = &vm.interp().gil;
    gil.acquire(vm);
    // SAFETY: the lock is held from here to the release below.
    unsafe { vm.attach() };
    let kept = Ref::new_ref(connection);
    let result = work(connection, vm);
    drop(kept);
    vm.detach();
    gil.release(vm);
    Some(result)
}

/// The object of a context of OpenSSL's, unless Python has dropped it. The interpreter's lock is held.
fn context_object(context: *mut ffi::SSL_CTX) -> Option<Ref<SslContext>> {
    // SAFETY: the place holds the context's object or null; the object clears it when it goes.
    let context = unsafe { ffi::SSL_CTX_get_ex_data(context, 0).cast::<SslContext>().as_ref() }?;
    (context.as_object().refcount() > 0).then(|| Ref::new_ref(context))
}

/// Makes a context answer to servers' names.
///
/// # Safety
/// The context is live.
pub unsafe fn set_server_name(context: *mut ffi::SSL_CTX, callback: Option<ServerNameCallback>) {
    const SET_CALLBACK: c_int = 53;
    const SET_ARGUMENT: c_int = 54;
    // SAFETY: OpenSSL keeps the function under this signature, as its manual has it.
    unsafe {
        let function =
            std::mem::transmute::<Option<ServerNameCallback>, Option<unsafe extern "C" fn()>>(callback);
        ffi::SSL_CTX_callback_ctrl__fixed_rust(context, SET_CALLBACK, function);
        ffi::SSL_CTX_ctrl(context, SET_ARGUMENT, 0 as c_long, context.cast());
    }
}

/// `sni_callback`.
pub unsafe extern "C" fn server_name(ssl: *mut ffi::SSL, alert: *mut c_int, argument: *mut c_void) -> c_int {
    let refuse = |number: c_int| {
        // SAFETY: OpenSSL passes a place for the alert.
        unsafe { *alert = number };
        ffi::SSL_TLSEXT_ERR_ALERT_FATAL
    };
    let answer = with_connection(ssl, |connection, vm| {
        let Some(context) = context_object(argument.cast()) else { return ffi::SSL_TLSEXT_ERR_OK };
        let Some(callback) = context.sni_callback.get() else { return ffi::SSL_TLSEXT_ERR_OK };
        let Some(shown) = connection.shown(vm) else { return refuse(ffi::SSL_AD_INTERNAL_ERROR) };
        // SAFETY: the text, if any, lives as long as the handshake.
        let name = unsafe {
            let name = ffi::SSL_get_servername(ssl, ffi::TLSEXT_NAMETYPE_host_name);
            if name.is_null() { None } else { Some(CStr::from_ptr(name).to_bytes()) }
        };
        let name = match name {
            None => vm.none(),
            Some(name) => {
                let bytes = vm.new_bytes(name);
                let ascii = vm.new_str("ascii");
                match bytes.as_object().call_method(&vm.intern("decode"), &[ascii.as_object()], vm) {
                    Ok(name) => name,
                    Err(Raised) => {
                        vm.write_unraisable(Some(bytes.as_object()), None);
                        return refuse(ffi::SSL_AD_INTERNAL_ERROR);
                    }
                }
            }
        };
        let Ok(result) = callback.call(&[&shown, &name, context.as_object()], vm) else {
            vm.write_unraisable(Some(&callback), None);
            return refuse(ffi::SSL_AD_HANDSHAKE_FAILURE);
        };
        if vm.is_none(&result) {
            return ffi::SSL_TLSEXT_ERR_OK;
        }
        match c_int::from_arg(&result, &taipan_vm::args::ArgName { func: "", pos: 0, name: "" }, vm) {
            Ok(number) => refuse(number),
            Err(Raised) => {
                vm.write_unraisable(Some(&result), None);
                refuse(ffi::SSL_AD_INTERNAL_ERROR)
            }
        }
    });
    answer.unwrap_or(ffi::SSL_TLSEXT_ERR_OK)
}

/// Makes a server's context choose among the protocols that clients offer.
///
/// # Safety
/// The context is live.
pub unsafe fn set_protocol_selection(context: *mut ffi::SSL_CTX) {
    // SAFETY: the argument is the context itself, which outlives its connections.
    unsafe { ffi::SSL_CTX_set_alpn_select_cb__fixed_rust(context, Some(select_protocol), context.cast()) };
}

unsafe extern "C" fn select_protocol(
    ssl: *mut ffi::SSL,
    out: *mut *const c_uchar,
    out_length: *mut c_uchar,
    offered: *const c_uchar,
    offered_length: c_uint,
    argument: *mut c_void,
) -> c_int {
    let answer = with_connection(ssl, |_, _| {
        let Some(context) = context_object(argument.cast()) else { return ffi::SSL_TLSEXT_ERR_NOACK };
        let own = context.alpn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: both lists have their lengths. What is chosen lies in the client's list when it was negotiated:
        // it is looked up there, since our own list may be replaced before OpenSSL copies the choice.
        unsafe {
            let mut chosen: *mut c_uchar = std::ptr::null_mut();
            let result = ffi::SSL_select_next_proto(
                &raw mut chosen,
                out_length,
                own.as_ptr(),
                own.len() as c_uint,
                offered,
                offered_length,
            );
            if result != ffi::OPENSSL_NPN_NEGOTIATED {
                return ffi::SSL_TLSEXT_ERR_NOACK;
            }
            let chosen = std::slice::from_raw_parts(chosen, usize::from(*out_length));
            let offers = std::slice::from_raw_parts(offered, offered_length as usize);
            let mut rest = offers;
            while let Some((length, more)) = rest.split_first() {
                let Some((name, more)) = more.split_at_checked(usize::from(*length)) else { break };
                if name == chosen {
                    *out = name.as_ptr();
                    return ffi::SSL_TLSEXT_ERR_OK;
                }
                rest = more;
            }
            ffi::SSL_TLSEXT_ERR_NOACK
        }
    });
    answer.unwrap_or(ffi::SSL_TLSEXT_ERR_NOACK)
}

/// `_msg_callback`: told of every message. What it raises is raised when OpenSSL has returned.
pub unsafe extern "C" fn message(
    write_p: c_int,
    version: c_int,
    content_type: c_int,
    buf: *const c_void,
    len: usize,
    ssl: *mut ffi::SSL,
    _arg: *mut c_void,
) {
    const CHANGE_CIPHER_SPEC: c_int = 20;
    const ALERT: c_int = 21;
    const HANDSHAKE: c_int = 22;
    const HEADER: c_int = 0x100;
    const INNER_CONTENT_TYPE: c_int = 0x101;
    // SAFETY: OpenSSL passes the message with its length.
    let bytes =
        unsafe { if buf.is_null() { &[] } else { std::slice::from_raw_parts(buf.cast::<u8>(), len) } };
    with_connection(ssl, |connection, vm| {
        let Some(context) = connection.context_object() else { return };
        let (Some(callback), Some(shown)) = (context.message_callback.get(), connection.shown(vm)) else {
            return;
        };
        let at = |index: usize| bytes.get(index).map_or(-1, |byte| c_int::from(*byte));
        let (mut version, mut kind) = (version, -1);
        match content_type {
            CHANGE_CIPHER_SPEC => kind = 0x101,
            ALERT => kind = at(1),
            HANDSHAKE | INNER_CONTENT_TYPE => kind = at(0),
            HEADER => {
                version = at(1) << 8 | at(2);
                kind = at(0);
            }
            _ => {}
        }
        let arguments = [
            shown,
            vm.intern(if write_p != 0 { "write" } else { "read" }).into_object(),
            vm.new_int(version),
            vm.new_int(content_type),
            vm.new_int(kind),
            vm.new_bytes(bytes).into_object(),
        ];
        let arguments: Vec<&Object> = arguments.iter().map(|argument| &**argument).collect();
        // An exception that waits from before must not be lost to the call.
        let waiting = vm.take_exception();
        if callback.call(&arguments, vm).is_err() {
            connection.keep_exception(vm);
        }
        if let Some(waiting) = waiting {
            vm.reraise(waiting);
        }
    });
}

/// `keylog_filename`: told of every secret.
pub unsafe extern "C" fn key_log(ssl: *const ffi::SSL, line: *const c_char) {
    // SAFETY: OpenSSL passes a NUL-terminated line.
    let line = unsafe { CStr::from_ptr(line) }.to_bytes();
    with_connection(ssl.cast_mut(), |connection, vm| {
        let Some(context) = connection.context_object() else { return };
        let written = {
            let mut file = context.key_log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let Some(file) = file.as_mut() else { return };
            let mut whole = line.to_vec();
            whole.push(b'\n');
            file.write_all(&whole)
        };
        if let Err(found) = written {
            vm.os_error(found.raw_os_error().unwrap_or(0), None);
            connection.keep_exception(vm);
        }
    });
}

/// The callable of a pre-shared-key callback; `None` for Python's `None`.
pub fn psk_callable(callback: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if vm.is_none(callback) {
        return Ok(None);
    }
    if callback.is_callable() {
        Ok(Some(callback.to_ref()))
    } else {
        Err(vm.type_error("callback must be callable"))
    }
}

/// A key that a callback gave, put where OpenSSL wants it; its length, 0 for none. Raises for other objects.
fn put_key(key: &Object, place: *mut c_uchar, room: c_uint, vm: &Vm) -> PyResult<c_uint> {
    let key = BufferArg::from_object(key, vm)?;
    let bytes = key.as_bytes();
    if bytes.len() > room as usize {
        return Err(vm.value_error(format!("psk too long ({} > {room})", bytes.len())));
    }
    // SAFETY: OpenSSL passes a place of that size.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
    Ok(bytes.len() as c_uint)
}

/// A text of OpenSSL's for a callback; `None` for null and for nothing.
unsafe fn optional_text(text: *const c_char, vm: &Vm) -> PyResult {
    if text.is_null() {
        return Ok(vm.none());
    }
    // SAFETY: OpenSSL's texts are NUL-terminated.
    match unsafe { CStr::from_ptr(text) }.to_str() {
        Ok("") => Ok(vm.none()),
        Ok(text) => Ok(vm.new_str(text).into_object()),
        Err(_) => Err(vm.value_error("identity is no UTF-8")),
    }
}

/// `set_psk_client_callback`.
pub extern "C" fn psk_client(
    ssl: *mut ffi::SSL,
    hint: *const c_char,
    identity: *mut c_char,
    identity_room: c_uint,
    key: *mut c_uchar,
    key_room: c_uint,
) -> c_uint {
    let answer = with_connection(ssl, |connection, vm| {
        let callback = connection.context_object().and_then(|context| context.psk_client.get())?;
        let result = (|| {
            // SAFETY: OpenSSL passes a text or null.
            let hint = unsafe { optional_text(hint, vm) }?;
            let pair = callback.call(&[&hint], vm)?;
            let Some([own, secret]) = pair.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
                return Err(vm.type_error("psk client callback must return a tuple of identity and key"));
            };
            let own = if vm.is_none(own) { "" } else { <&str>::from_arg(own, &NOWHERE, vm)? };
            if own.len() + 1 > identity_room as usize {
                return Err(vm.value_error(format!("identity too long ({} > {identity_room})", own.len())));
            }
            // SAFETY: OpenSSL passes a place of that size.
            unsafe {
                std::ptr::copy_nonoverlapping(own.as_ptr(), identity.cast::<u8>(), own.len());
                *identity.add(own.len()) = 0;
            }
            put_key(secret, key, key_room, vm)
        })();
        if result.is_err() {
            vm.write_unraisable(Some(&callback), None);
        }
        result.ok()
    });
    answer.flatten().unwrap_or(0)
}

const NOWHERE: taipan_vm::args::ArgName = taipan_vm::args::ArgName { func: "", pos: 0, name: "" };

/// `set_psk_server_callback`.
pub extern "C" fn psk_server(
    ssl: *mut ffi::SSL,
    identity: *const c_char,
    key: *mut c_uchar,
    key_room: c_uint,
) -> c_uint {
    let answer = with_connection(ssl, |connection, vm| {
        let callback = connection.context_object().and_then(|context| context.psk_server.get())?;
        let result = (|| {
            // SAFETY: OpenSSL passes a text or null.
            let identity = unsafe { optional_text(identity, vm) }?;
            let secret = callback.call(&[&identity], vm)?;
            put_key(&secret, key, key_room, vm)
        })();
        if result.is_err() {
            vm.write_unraisable(Some(&callback), None);
        }
        result.ok()
    });
    answer.flatten().unwrap_or(0)
}

/// What `load_cert_chain(password=…)` was given.
pub struct Password {
    /// Called for the password.
    callable: Option<ObjRef>,
    bytes: RefCell<Vec<u8>>,
    failed: Cell<bool>,
}

impl Password {
    /// The password of an argument. Raises `TypeError` for what is neither a text nor callable.
    pub fn new(given: Option<&Object>, vm: &Vm) -> PyResult<Option<Password>> {
        let Some(given) = given else { return Ok(None) };
        let (callable, bytes) = if given.is_callable() {
            (Some(given.to_ref()), Vec::new())
        } else {
            (None, password_bytes(given, "password should be a string or callable", vm)?)
        };
        Ok(Some(Password { callable, bytes: RefCell::new(bytes), failed: Cell::new(false) }))
    }

    /// Whether the callback raised.
    pub fn failed(&self) -> bool {
        self.failed.get()
    }
}

fn password_bytes(object: &Object, refusal: &str, vm: &Vm) -> PyResult<Vec<u8>> {
    if let Some(text) = object.downcast_ref::<Str>() {
        return Ok(text.to_utf8(vm)?.as_bytes().to_vec());
    }
    if object.downcast_ref::<Bytes>().is_some() || object.downcast_ref::<ByteArray>().is_some() {
        return Ok(BufferArg::from_object(object, vm)?.as_bytes().to_vec());
    }
    Err(vm.type_error(refusal))
}

/// Gives OpenSSL the password of a key. The interpreter's lock is held: reading keys doesn't give it up.
pub unsafe extern "C" fn password(
    buffer: *mut c_char,
    size: c_int,
    _writing: c_int,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `load_cert_chain` passes its own password, which outlives the call.
    let Some(password) = (unsafe { data.cast::<Password>().as_ref() }) else { return -1 };
    let Some(vm) = Vm::try_current() else { return -1 };
    let bytes = (|| {
        let bytes = match &password.callable {
            Some(callable) => {
                password_bytes(&*callable.call_no_args(vm)?, "password callback must return a string", vm)?
            }
            None => password.bytes.borrow().clone(),
        };
        if bytes.len() > usize::try_from(size).unwrap_or(0) {
            return Err(vm.value_error(format!("password cannot be longer than {size} bytes")));
        }
        Ok(bytes)
    })();
    match bytes {
        Ok(bytes) => {
            // SAFETY: the buffer has that size.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast::<u8>(), bytes.len()) };
            bytes.len() as c_int
        }
        Err(Raised) => {
            password.failed.set(true);
            -1
        }
    }
}
