//! The I/O object between OpenSSL and a socket. It never waits, whatever the socket's own mode is: waiting is
//! `SslSocket`'s, without any lock.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::OnceLock;

use crate::openssl::ffi;

/// What the object keeps.
struct State {
    descriptor: c_int,
    at_end: bool,
}

struct Methods(*mut ffi::BIO_METHOD);

// SAFETY: the table is filled before it is published and constant from then on.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

const CTRL_EOF: c_int = 2;
const CTRL_FLUSH: c_int = 11;
const CTRL_DUP: c_int = 12;
/// A source and sink with a descriptor.
const TYPE_SOCKET: c_int = 0x0400 | 0x0100;

fn methods() -> *mut ffi::BIO_METHOD {
    static METHODS: OnceLock<Methods> = OnceLock::new();
    METHODS
        .get_or_init(|| {
            // SAFETY: the functions have the signatures that the table wants; a failed allocation gives null, which
            // the creation of objects refuses.
            unsafe {
                let table = ffi::BIO_meth_new(TYPE_SOCKET | ffi::BIO_get_new_index(), c"socket".as_ptr());
                if !table.is_null() {
                    ffi::BIO_meth_set_read(table, read);
                    ffi::BIO_meth_set_write(table, write);
                    ffi::BIO_meth_set_ctrl(table, ctrl);
                    ffi::BIO_meth_set_destroy(table, destroy);
                }
                Methods(table)
            }
        })
        .0
}

/// An object that reads from and writes to a socket; null when there is no memory for it.
pub fn new(descriptor: c_int) -> *mut ffi::BIO {
    let methods = methods();
    if methods.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the table is complete; the state is freed by `destroy`.
    unsafe {
        let bio = ffi::BIO_new(methods);
        if !bio.is_null() {
            let state = Box::new(State { descriptor, at_end: false });
            ffi::BIO_set_data(bio, Box::into_raw(state).cast());
            ffi::BIO_set_init(bio, 1);
        }
        bio
    }
}

/// # Safety
/// `bio` is one of ours.
unsafe fn state<'a>(bio: *mut ffi::BIO) -> Option<&'a mut State> {
    // SAFETY: `new` put it there; OpenSSL calls from one thread at a time.
    unsafe { ffi::BIO_get_data(bio).cast::<State>().as_mut() }
}

fn should_retry() -> bool {
    matches!(
        std::io::Error::last_os_error().raw_os_error(),
        Some(libc::EAGAIN | libc::EINTR | libc::ENOTCONN)
    )
}

unsafe extern "C" fn read(bio: *mut ffi::BIO, buffer: *mut c_char, length: c_int) -> c_int {
    // SAFETY: OpenSSL passes our object and a buffer of that length.
    unsafe {
        let Some(state) = state(bio) else { return -1 };
        let size = usize::try_from(length).unwrap_or(0);
        let got = libc::recv(state.descriptor, buffer.cast(), size, libc::MSG_DONTWAIT);
        ffi::BIO_clear_retry_flags(bio);
        if got == 0 {
            state.at_end = true;
        } else if got < 0 && should_retry() {
            ffi::BIO_set_retry_read(bio);
        }
        got as c_int
    }
}

unsafe extern "C" fn write(bio: *mut ffi::BIO, buffer: *const c_char, length: c_int) -> c_int {
    // SAFETY: OpenSSL passes our object and a buffer of that length.
    unsafe {
        let Some(state) = state(bio) else { return -1 };
        let size = usize::try_from(length).unwrap_or(0);
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let sent = libc::send(state.descriptor, buffer.cast(), size, flags);
        ffi::BIO_clear_retry_flags(bio);
        if sent < 0 && should_retry() {
            ffi::BIO_set_retry_write(bio);
        }
        sent as c_int
    }
}

unsafe extern "C" fn ctrl(
    bio: *mut ffi::BIO,
    command: c_int,
    _number: c_long,
    _place: *mut c_void,
) -> c_long {
    match command {
        // SAFETY: OpenSSL passes our object.
        CTRL_EOF => c_long::from(unsafe { state(bio) }.is_some_and(|state| state.at_end)),
        CTRL_FLUSH | CTRL_DUP => 1,
        _ => 0,
    }
}

unsafe extern "C" fn destroy(bio: *mut ffi::BIO) -> c_int {
    // SAFETY: OpenSSL calls this once, as the last thing; the state came out of a box.
    unsafe {
        let state = ffi::BIO_get_data(bio).cast::<State>();
        if !state.is_null() {
            ffi::BIO_set_data(bio, std::ptr::null_mut());
            drop(Box::from_raw(state));
        }
    }
    1
}
