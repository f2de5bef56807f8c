//! What a connection tells of its peer and of what was agreed.

use taipan_vm::prelude::*;

use super::certificate::{self, Certificate};
use super::cipher;
use super::ssl_socket::SslSocket;
use crate::openssl::{self, ffi};

#[pymethods(table = PEER_METHODS)]
impl SslSocket {
    /// Returns the certificate for the peer.
    ///
    /// If no certificate was provided, returns None.  If a certificate was
    /// provided, but not validated, returns an empty dictionary.  Otherwise
    /// returns a dict containing information about the peer certificate.
    ///
    /// If the optional argument is True, returns a DER-encoded copy of the
    /// peer certificate, or None if no certificate was provided.  This will
    /// return the certificate even if it wasn't validated.
    #[method("($self, der=False, /)")]
    fn getpeercert(&self, der: Option<bool>, vm: &Vm) -> PyResult {
        // SAFETY: the connection is live; the certificate is owned.
        let found = self.ask(vm, |ssl| unsafe {
            if ffi::SSL_is_init_finished(ssl) == 0 {
                return None;
            }
            let mode = ffi::SSL_CTX_get_verify_mode(ffi::SSL_get_SSL_CTX(ssl));
            Some((certificate::Handle::from_raw(ffi::SSL_get1_peer_certificate(ssl)), mode))
        });
        let Some((handle, mode)) = found else { return Err(vm.value_error("handshake not done yet")) };
        let Some(handle) = handle else { return Ok(vm.none()) };
        // SAFETY: the certificate is live.
        unsafe {
            if der.unwrap_or(false) {
                Ok(certificate::der(handle.as_ptr(), vm)?.into_object())
            } else if mode & ffi::SSL_VERIFY_PEER == 0 {
                Ok(vm.new_dict().into_object())
            } else {
                Ok(certificate::decode(handle.as_ptr(), vm)?.into_object())
            }
        }
    }

    #[method("($self, /)")]
    fn get_verified_chain(&self, vm: &Vm) -> PyResult {
        self.ask(vm, |ssl| {
            // SAFETY: the connection is live, and so is its chain.
            unsafe {
                let chain = ffi::SSL_get0_verified_chain(ssl);
                if chain.is_null() {
                    return Ok(vm.none());
                }
                Ok(vm.new_list(Certificate::list(chain, vm)?).into_object())
            }
        })
    }

    #[method("($self, /)")]
    fn get_unverified_chain(&self, vm: &Vm) -> PyResult {
        self.ask(vm, |ssl| {
            // SAFETY: the connection is live, and so are its chain and its certificate.
            unsafe {
                let chain = ffi::SSL_get_peer_cert_chain(ssl);
                // A server's chain goes without the client's own certificate; a resumed session has only that.
                let own = if self.is_server() {
                    certificate::Handle::from_raw(ffi::SSL_get1_peer_certificate(ssl))
                } else {
                    None
                };
                if chain.is_null() && own.is_none() {
                    return Ok(vm.none());
                }
                let mut found = Certificate::list(chain, vm)?;
                if let Some(own) = own {
                    found.insert(0, Certificate::share(own.as_ptr(), vm)?.into_object());
                }
                Ok(vm.new_list(found).into_object())
            }
        })
    }

    #[method("($self, /)")]
    fn cipher(&self, vm: &Vm) -> ObjRef {
        // SAFETY: the connection is live; ciphers are static.
        self.ask(vm, |ssl| unsafe {
            let current = ffi::SSL_get_current_cipher(ssl);
            if current.is_null() { vm.none() } else { cipher::triple(current, vm).into_object() }
        })
    }

    #[method("($self, /)")]
    fn shared_ciphers(&self, vm: &Vm) -> ObjRef {
        // SAFETY: the connection is live, and so are its lists; ciphers are static.
        self.ask(vm, |ssl| unsafe {
            let theirs: *const ffi::OPENSSL_STACK = ffi::SSL_get_client_ciphers(ssl).cast();
            if theirs.is_null() {
                return vm.none();
            }
            let ours: *const ffi::OPENSSL_STACK = ffi::SSL_get_ciphers(ssl).cast();
            let list = |stack: *const ffi::OPENSSL_STACK| {
                (0..ffi::OPENSSL_sk_num(stack)).map(move |at| ffi::OPENSSL_sk_value(stack, at))
            };
            let ours: Vec<_> = list(ours).collect();
            let shared: Vec<ObjRef> = list(theirs)
                .filter(|offered| ours.contains(offered))
                .map(|offered| cipher::triple(offered.cast(), vm).into_object())
                .collect();
            vm.new_list(shared).into_object()
        })
    }

    #[method("($self, /)")]
    fn compression(&self, vm: &Vm) -> ObjRef {
        // OpenSSL is built without compression.
        vm.none()
    }

    #[method("($self, /)")]
    fn version(&self, vm: &Vm) -> ObjRef {
        // SAFETY: the connection is live; the texts are static.
        let name = self.ask(vm, |ssl| unsafe {
            if ffi::SSL_is_init_finished(ssl) == 0 { None } else { openssl::text(ffi::SSL_get_version(ssl)) }
        });
        match name.filter(|name| name != "unknown") {
            Some(name) => vm.new_str(&name).into_object(),
            None => vm.none(),
        }
    }

    #[method("($self, /)")]
    fn selected_alpn_protocol(&self, vm: &Vm) -> ObjRef {
        self.ask(vm, |ssl| {
            let (mut place, mut length) = (std::ptr::null(), 0);
            // SAFETY: the connection is live; the name is copied at once.
            unsafe {
                ffi::SSL_get0_alpn_selected(ssl, &raw mut place, &raw mut length);
                if place.is_null() {
                    return vm.none();
                }
                let name = std::slice::from_raw_parts(place, length as usize);
                vm.new_str(&String::from_utf8_lossy(name)).into_object()
            }
        })
    }

    /// Get channel binding data for current connection.
    ///
    /// Raise ValueError if the requested `cb_type` is not supported.
    /// Return bytes of the data or None if the data is not available (e.g.
    /// before the handshake).
    /// Only 'tls-unique' channel binding data from RFC 5929 is supported.
    #[method("($self, /, cb_type='tls-unique')")]
    fn get_channel_binding(&self, cb_type: Option<&str>, vm: &Vm) -> PyResult {
        let kind = cb_type.unwrap_or("tls-unique");
        if kind != "tls-unique" {
            return Err(vm.value_error(format!("'{kind}' channel binding type not implemented")));
        }
        let mut message = [0u8; 128];
        let place: *mut u8 = message.as_mut_ptr();
        // SAFETY: the connection is live; the buffer has that length.
        let length = self.ask(vm, |ssl| unsafe {
            // The first "finished" message: the server's when a session was resumed, else the client's.
            if (ffi::SSL_session_reused(ssl) != 0) != self.is_server() {
                ffi::SSL_get_peer_finished(ssl, place.cast(), 128)
            } else {
                ffi::SSL_get_finished(ssl, place.cast(), 128)
            }
        });
        if length == 0 {
            return Ok(vm.none());
        }
        Ok(vm.new_bytes(message.get(..length).unwrap_or_default()).into_object())
    }
}
