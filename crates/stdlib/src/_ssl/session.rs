//! `ssl.SSLSession`: what a connection can be resumed from.

use std::ffi::c_uint;

use taipan_vm::prelude::*;

use super::context::SslContext;
use super::error;
use crate::openssl::{ffi, owned};

owned!(
    /// A session of OpenSSL's.
    SessionHandle(ffi::SSL_SESSION),
    ffi::SSL_SESSION_free
);

/// The layout of `_ssl.SSLSession`.
#[repr(C)]
#[derive(Traverse)]
pub struct SslSession {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    handle: SessionHandle,
    context: Slot<SslContext>,
}

impl SslSession {
    /// A copy of a session, which the connection that it is from changes no more.
    ///
    /// # Safety
    /// The session is live.
    pub unsafe fn copy_of(
        session: *const ffi::SSL_SESSION,
        context: Ref<SslContext>,
        vm: &Vm,
    ) -> PyResult<Ref<SslSession>> {
        // SAFETY: the caller's promise; the copy is owned.
        let Some(handle) = (unsafe { SessionHandle::from_raw(ffi::SSL_SESSION_dup(session)) }) else {
            return Err(error::newest(line!(), vm));
        };
        let slot = Slot::empty();
        slot.put(context);
        Ok(vm.new_object(SslSession { ob: Object::new(Self::type_object()), handle, context: slot }))
    }

    /// Another copy, for a connection to resume.
    pub fn duplicate(&self) -> Option<SessionHandle> {
        // SAFETY: the session is live; the copy is owned.
        unsafe { SessionHandle::from_raw(ffi::SSL_SESSION_dup(self.handle.as_ptr())) }
    }

    /// Whether it belongs to a context.
    pub fn is_of(&self, context: &SslContext) -> bool {
        self.context.get().is_some_and(|own| std::ptr::eq(&*own, context))
    }

    fn identity(&self) -> &[u8] {
        let mut length: c_uint = 0;
        // SAFETY: the session is live, and so are its bytes.
        unsafe {
            let place = ffi::SSL_SESSION_get_id(self.handle.as_ptr(), &raw mut length);
            if place.is_null() { &[] } else { std::slice::from_raw_parts(place, length as usize) }
        }
    }
}

#[pytype(name = "_ssl.SSLSession", no_new, gc, unhashable)]
impl SslSession {
    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<SslSession>() else { return Ok(vm.not_implemented()) };
        let same = std::ptr::eq(self, other) || self.identity() == other.identity();
        match op {
            CompareOp::Eq => Ok(vm.new_bool(same)),
            CompareOp::Ne => Ok(vm.new_bool(!same)),
            _ => Ok(vm.not_implemented()),
        }
    }

    /// Session creation time (seconds since epoch).
    #[getter]
    fn time(&self) -> i64 {
        // SAFETY: the session is live.
        unsafe { ffi::SSL_SESSION_get_time(self.handle.as_ptr()) }
    }

    /// Session timeout (delta in seconds).
    #[getter]
    fn timeout(&self) -> i64 {
        // SAFETY: the session is live.
        unsafe { ffi::SSL_SESSION_get_timeout(self.handle.as_ptr()) }
    }

    /// Ticket life time hint.
    #[getter]
    fn ticket_lifetime_hint(&self) -> u64 {
        // SAFETY: the session is live.
        unsafe { ffi::SSL_SESSION_get_ticket_lifetime_hint(self.handle.as_ptr()) }
    }

    /// Session ID.
    #[getter]
    fn id(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(self.identity())
    }

    /// Does the session contain a ticket?
    #[getter]
    fn has_ticket(&self) -> bool {
        // SAFETY: the session is live.
        unsafe { ffi::SSL_SESSION_has_ticket(self.handle.as_ptr()) != 0 }
    }
}
