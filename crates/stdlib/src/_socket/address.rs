//! Socket addresses: Python's tuples and texts to the system's structures and back.

use std::ffi::{CStr, CString};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStringExt;

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;

use super::families;

/// An address of any family with its length.
pub(super) struct Address {
    pub(super) storage: libc::sockaddr_storage,
    pub(super) length: libc::socklen_t,
}

impl Address {
    /// Room for an address that the system writes.
    pub(super) fn room() -> Address {
        Address {
            // SAFETY: zero is a valid value of every field.
            storage: unsafe { std::mem::zeroed() },
            length: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }

    /// An address from the structure of its family.
    pub(super) fn from<T: Copy>(value: T, length: usize) -> Address {
        let mut address = Address::room();
        // SAFETY: every kind of address fits into the storage, which is aligned for all of them.
        unsafe { (&raw mut address.storage).cast::<T>().write(value) };
        address.length = length as libc::socklen_t;
        address
    }

    pub(super) fn pointer(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    /// The family; meaningless for an address without length.
    pub(super) fn family(&self) -> i32 {
        i32::from(self.storage.ss_family)
    }

    /// The structure of the address's family.
    ///
    /// # Safety
    /// `T` is that structure.
    pub(super) unsafe fn value<T: Copy>(&self) -> T {
        // SAFETY: the storage is larger than every such structure and aligned for it.
        unsafe { (&raw const self.storage).cast::<T>().read() }
    }

    /// The bytes of an IP address, most significant first; nothing for other families.
    pub(super) fn octets(&self) -> Vec<u8> {
        // SAFETY: the storage holds an address of that family.
        unsafe {
            match self.family() {
                libc::AF_INET => self.value::<libc::sockaddr_in>().sin_addr.s_addr.to_ne_bytes().to_vec(),
                libc::AF_INET6 => self.value::<libc::sockaddr_in6>().sin6_addr.s6_addr.to_vec(),
                _ => Vec::new(),
            }
        }
    }

    /// An IP address as text.
    pub(super) fn host(&self) -> String {
        ip_text(&self.octets()).unwrap_or_default()
    }

    /// Completes an IPv6 address.
    pub(super) fn set_flow_and_scope(&mut self, flow: u32, scope: u32) {
        // SAFETY: the storage holds an address of that family.
        unsafe {
            let value = (&raw mut self.storage).cast::<libc::sockaddr_in6>();
            (*value).sin6_flowinfo = flow.to_be();
            (*value).sin6_scope_id = scope;
        }
    }
}

/// An IP address as the C library writes it; `None` for a wrong length.
pub(super) fn ip_text(bytes: &[u8]) -> Option<String> {
    unsafe extern "C" {
        fn inet_ntop(
            family: libc::c_int,
            address: *const libc::c_void,
            text: *mut libc::c_char,
            length: libc::socklen_t,
        ) -> *const libc::c_char;
    }
    let family = match bytes.len() {
        4 => libc::AF_INET,
        16 => libc::AF_INET6,
        _ => return None,
    };
    let mut text = [0u8; 64];
    // SAFETY: the address has the family's length, the text has room for every address.
    let written = unsafe { inet_ntop(family, bytes.as_ptr().cast(), text.as_mut_ptr().cast(), 64) };
    if written.is_null() {
        return None;
    }
    CStr::from_bytes_until_nul(&text).ok().map(|text| text.to_string_lossy().into_owned())
}

/// `gaierror` for a code of `getaddrinfo`'s.
pub(super) fn gai_error(code: i32, vm: &Vm) -> Raised {
    if code == libc::EAI_SYSTEM {
        return vm.last_os_error(None);
    }
    // SAFETY: the texts are static.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    let made = (|| {
        let module = taipan_vm::import::import_module("_socket", vm)?;
        let class = module.get_attr(&vm.intern("gaierror"), vm)?;
        class.call(&[&vm.new_int(code), vm.new_str(&text).as_object()], vm)
    })();
    match made.map(|made| made.downcast::<BaseException>()) {
        Ok(Ok(made)) => vm.raise_object(made),
        _ => Raised,
    }
}

/// A host name as the resolver takes it: str (by IDNA when it isn't ASCII), bytes.
pub(super) fn host_bytes(host: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    let bytes = match host.downcast_ref::<Str>() {
        Some(text) => match text.as_ascii_str() {
            Some(ascii) => ascii.as_bytes().to_vec(),
            None => {
                let encoded =
                    host.call_method(&vm.intern("encode"), &[vm.new_str("idna").as_object()], vm)?;
                encoded.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default()
            }
        },
        None => match host.downcast_ref::<Bytes>() {
            Some(bytes) => bytes.as_bytes().to_vec(),
            None => match host.downcast_ref::<ByteArray>() {
                Some(_) => BufferArg::from_object(host, vm)?.as_bytes().to_vec(),
                None => {
                    return Err(vm.type_error(format!(
                        "str, bytes or bytearray expected, not {}",
                        host.ob_type().name()
                    )));
                }
            },
        },
    };
    if bytes.contains(&0) {
        return Err(vm.type_error("host name must not contain null character"));
    }
    Ok(bytes)
}

/// The same for C.
pub(super) fn host_text(host: &Object, vm: &Vm) -> PyResult<CString> {
    CString::new(host_bytes(host, vm)?)
        .map_err(|_| vm.type_error("host name must not contain null character"))
}

/// The first address of a host in a family (`AF_UNSPEC`: in any).
pub(super) fn resolve(host: &Object, family: i32, vm: &Vm) -> PyResult<Address> {
    let text = host_text(host, vm)?;
    let bytes = text.as_bytes();
    if bytes == b"<broadcast>" || bytes == b"255.255.255.255" {
        if !matches!(family, libc::AF_INET | libc::AF_UNSPEC) {
            return Err(vm.raise(types::os_error(), "address family mismatched"));
        }
        return Ok(inet(Ipv4Addr::BROADCAST, 0));
    }
    let plain = std::str::from_utf8(bytes).unwrap_or_default();
    if matches!(family, libc::AF_INET | libc::AF_UNSPEC) {
        if let Ok(ip) = plain.parse() {
            return Ok(inet(ip, 0));
        }
    }
    if matches!(family, libc::AF_INET6 | libc::AF_UNSPEC) {
        if let Ok(ip) = plain.parse() {
            return Ok(inet6(ip, 0, 0, 0));
        }
    }
    // SAFETY: zero is a valid value of every field; the list is freed below.
    unsafe {
        let mut hints: libc::addrinfo = std::mem::zeroed();
        hints.ai_family = family;
        let (mut name, mut service) = (text.as_ptr(), std::ptr::null());
        if bytes.is_empty() {
            // Whatever address: what a server binds to.
            hints.ai_socktype = libc::SOCK_DGRAM;
            hints.ai_flags = libc::AI_PASSIVE;
            name = std::ptr::null();
            service = c"0".as_ptr();
        }
        let mut found: *mut libc::addrinfo = std::ptr::null_mut();
        let place = &raw mut found;
        let hints = &raw const hints;
        let code = vm.allow_threads(|| libc::getaddrinfo(name, service, hints, place));
        if code != 0 {
            return Err(gai_error(code, vm));
        }
        let address = read((*found).ai_addr, (*found).ai_addrlen);
        let several = !(*found).ai_next.is_null();
        libc::freeaddrinfo(found);
        if bytes.is_empty() && several {
            return Err(vm.raise(types::os_error(), "wildcard resolved to multiple address"));
        }
        Ok(address)
    }
}

/// Copies an address of the system's.
///
/// # Safety
/// `length` bytes at `from` are readable.
pub(super) unsafe fn read(from: *const libc::sockaddr, length: libc::socklen_t) -> Address {
    let mut address = Address::room();
    address.length = length.min(address.length);
    // SAFETY: both hold that many bytes.
    unsafe {
        std::ptr::copy_nonoverlapping(
            from.cast::<u8>(),
            (&raw mut address.storage).cast(),
            address.length as usize,
        );
    }
    address
}

fn inet(ip: Ipv4Addr, port: u16) -> Address {
    // SAFETY: zero is a valid value of every field.
    let mut value: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    value.sin_family = libc::AF_INET as libc::sa_family_t;
    value.sin_port = port.to_be();
    value.sin_addr.s_addr = u32::from(ip).to_be();
    Address::from(value, size_of::<libc::sockaddr_in>())
}

fn inet6(ip: Ipv6Addr, port: u16, flow: u32, scope: u32) -> Address {
    // SAFETY: zero is a valid value of every field.
    let mut value: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    value.sin6_family = libc::AF_INET6 as libc::sa_family_t;
    value.sin6_port = port.to_be();
    value.sin6_flowinfo = flow.to_be();
    value.sin6_scope_id = scope;
    value.sin6_addr.s6_addr = ip.octets();
    Address::from(value, size_of::<libc::sockaddr_in6>())
}

pub(super) fn port_of(object: &Object, caller: &str, vm: &Vm) -> PyResult<u16> {
    let number = object.as_index(vm)?.to_i64();
    number
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| vm.overflow_error(format!("{caller}(): port must be 0-65535.")))
}

fn optional_u32(object: Option<&ObjRef>, vm: &Vm) -> PyResult<u32> {
    match object {
        None => Ok(0),
        Some(object) => Ok(object.as_index(vm)?.to_i64().unwrap_or(0) as u32),
    }
}

/// The system's form of an address for a socket of `family`. `caller` is the method for messages.
/// `proto` is the socket's protocol.
pub(super) fn parse(object: &Object, family: i32, proto: i32, caller: &str, vm: &Vm) -> PyResult<Address> {
    match family {
        libc::AF_INET | libc::AF_RDS => {
            let Some(pair) = object.downcast_ref::<Tuple>() else {
                return Err(vm.type_error(format!(
                    "{caller}(): AF_INET address must be tuple, not {}",
                    object.ob_type().name()
                )));
            };
            let [host, port] = pair.as_slice() else {
                return Err(vm.type_error("AF_INET address must be a pair (host, port)"));
            };
            let mut address = resolve(host, libc::AF_INET, vm)?;
            let port = port_of(port, caller, vm)?;
            // SAFETY: the storage holds an address of that family.
            unsafe { (*(&raw mut address.storage).cast::<libc::sockaddr_in>()).sin_port = port.to_be() };
            Ok(address)
        }
        libc::AF_INET6 => {
            let Some(parts) = object.downcast_ref::<Tuple>() else {
                return Err(vm.type_error(format!(
                    "{caller}(): AF_INET6 address must be tuple, not {}",
                    object.ob_type().name()
                )));
            };
            let parts = parts.as_slice();
            let ([host, port] | [host, port, _] | [host, port, _, _]) = parts else {
                return Err(
                    vm.type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
                );
            };
            let mut address = resolve(host, family, vm)?;
            let port = port_of(port, caller, vm)?;
            let flow = optional_u32(parts.get(2), vm)?;
            if flow > 0xf_ffff {
                return Err(vm.overflow_error(format!("{caller}(): flowinfo must be 0-1048575.")));
            }
            let scope = parts.get(3).map(|s| optional_u32(Some(s), vm)).transpose()?;
            // SAFETY: the storage holds an address of that family.
            unsafe {
                let value = (&raw mut address.storage).cast::<libc::sockaddr_in6>();
                (*value).sin6_port = port.to_be();
                (*value).sin6_flowinfo = flow.to_be();
                if let Some(scope) = scope {
                    (*value).sin6_scope_id = scope;
                }
            }
            Ok(address)
        }
        libc::AF_UNIX => {
            let bytes = match object.downcast_ref::<Str>() {
                Some(text) => taipan_vm::protocols::path::encode(text, vm)?,
                None => BufferArg::from_object(object, vm)?.as_bytes().to_vec(),
            };
            // SAFETY: zero is a valid value of every field.
            let mut value: libc::sockaddr_un = unsafe { std::mem::zeroed() };
            value.sun_family = libc::AF_UNIX as libc::sa_family_t;
            // Names in the abstract namespace start with NUL and have no end of their own.
            let is_abstract = bytes.first() == Some(&0);
            let room = value.sun_path.len();
            if bytes.len() > room || (!is_abstract && bytes.len() == room) {
                return Err(vm.raise(types::os_error(), "AF_UNIX path too long"));
            }
            for (place, byte) in value.sun_path.iter_mut().zip(&bytes) {
                *place = *byte as libc::c_char;
            }
            let length = 2 + bytes.len() + usize::from(!is_abstract && !bytes.is_empty());
            Ok(Address::from(value, length.max(2)))
        }
        _ => families::parse(object, family, proto, caller, vm),
    }
}

/// Python's form of an address. `proto` is the socket's protocol.
pub(super) fn from_system(address: &Address, proto: i32, vm: &Vm) -> PyResult {
    if address.length == 0 {
        return Ok(vm.none());
    }
    match i32::from(address.storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the storage holds an address of that family.
            let value = unsafe { &*(&raw const address.storage).cast::<libc::sockaddr_in>() };
            let host = vm.new_str(&address.host()).into_object();
            Ok(vm.new_tuple([host, vm.new_int(u16::from_be(value.sin_port))]).into_object())
        }
        libc::AF_INET6 => {
            // SAFETY: the storage holds an address of that family.
            let value = unsafe { &*(&raw const address.storage).cast::<libc::sockaddr_in6>() };
            let parts = [
                vm.new_str(&address.host()).into_object(),
                vm.new_int(u16::from_be(value.sin6_port)),
                vm.new_int(u32::from_be(value.sin6_flowinfo)),
                vm.new_int(value.sin6_scope_id),
            ];
            Ok(vm.new_tuple(parts).into_object())
        }
        libc::AF_UNIX => {
            // SAFETY: the storage holds an address of that family.
            let value = unsafe { &*(&raw const address.storage).cast::<libc::sockaddr_un>() };
            let length = (address.length as usize).saturating_sub(2);
            let bytes: Vec<u8> = value.sun_path.iter().take(length).map(|c| *c as u8).collect();
            if bytes.first() == Some(&0) {
                return Ok(vm.new_bytes(&bytes).into_object());
            }
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            Ok(decode(text, vm).into_object())
        }
        _ => families::from_system(address, proto, vm),
    }
}

/// An optional text argument of `getaddrinfo`, as C takes it.
pub(super) fn service_text(object: &Object, vm: &Vm) -> PyResult<Option<CString>> {
    if vm.is_none(object) {
        return Ok(None);
    }
    let bytes = if let Some(text) = object.downcast_ref::<Str>() {
        text.to_utf8(vm)?.as_bytes().to_vec()
    } else if let Some(bytes) = object.downcast_ref::<Bytes>() {
        bytes.as_bytes().to_vec()
    } else if object.downcast_ref::<Int>().is_some() {
        std::ffi::OsString::from(object.str(vm)?.to_string_lossy().into_owned()).into_vec()
    } else {
        return Err(vm.raise(types::os_error(), "Int or String expected"));
    };
    CString::new(bytes).map(Some).map_err(|_| vm.value_error("embedded null character"))
}
