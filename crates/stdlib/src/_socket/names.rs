//! Names of hosts, services and protocols, by the system's resolver and databases.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::net::{Ipv4Addr, Ipv6Addr};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::SocketModule;
use super::address::{Address, from_system, gai_error, host_bytes, ip_text, read, resolve, service_text};

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        result: *mut libc::hostent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn gethostbyaddr_r(
        address: *const c_void,
        address_length: libc::socklen_t,
        family: c_int,
        result: *mut libc::hostent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn hstrerror(error: c_int) -> *const c_char;
}

/// A host's entry: its name, other names, addresses.
struct Entry {
    name: Vec<u8>,
    aliases: Vec<Vec<u8>>,
    addresses: Vec<String>,
}

/// The texts of an array that ends with null.
unsafe fn texts(mut array: *mut *mut c_char) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    // SAFETY: the caller passes null or such an array.
    unsafe {
        while !array.is_null() && !(*array).is_null() {
            found.push(CStr::from_ptr(*array).to_bytes().to_vec());
            array = array.add(1);
        }
    }
    found
}

unsafe fn entry(found: &libc::hostent) -> Entry {
    // SAFETY: the system fills the whole structure; the addresses have the length that it says.
    unsafe {
        let mut addresses = Vec::new();
        let mut array = found.h_addr_list;
        while !array.is_null() && !(*array).is_null() {
            let bytes = std::slice::from_raw_parts(
                (*array).cast::<u8>(),
                usize::try_from(found.h_length).unwrap_or(0),
            );
            addresses.extend(ip_text(bytes));
            array = array.add(1);
        }
        Entry {
            name: CStr::from_ptr(found.h_name).to_bytes().to_vec(),
            aliases: texts(found.h_aliases),
            addresses,
        }
    }
}

/// Runs a look-up with a buffer that grows until the answer fits. `Err` has the resolver's own number.
fn look_up(
    mut ask: impl FnMut(&mut libc::hostent, &mut [u8], &mut *mut libc::hostent, &mut c_int) -> c_int,
) -> Result<Entry, c_int> {
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        // SAFETY: zero is a valid value of every field.
        let mut room: libc::hostent = unsafe { std::mem::zeroed() };
        let (mut found, mut error) = (std::ptr::null_mut(), 0);
        let code = ask(&mut room, &mut buffer, &mut found, &mut error);
        if code == libc::ERANGE && buffer.len() < 1 << 20 {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        // SAFETY: the answer, if any, is the structure that was filled.
        return match unsafe { found.as_ref() } {
            // SAFETY: as above.
            Some(found) => Ok(unsafe { entry(found) }),
            None => Err(error),
        };
    }
}

fn entry_object(found: Result<Entry, c_int>, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let found = match found {
        Ok(found) => found,
        Err(number) => {
            // SAFETY: the texts are static.
            let text = unsafe { CStr::from_ptr(hstrerror(number)) }.to_string_lossy().into_owned();
            let module = taipan_vm::import::import_module("_socket", vm)?;
            let class = module.get_attr(&vm.intern("herror"), vm)?;
            let args = vec![vm.new_int(number), vm.new_str(&text).into_object()];
            return Err(match class.downcast_ref::<Type>() {
                Some(class) => vm.raise_with(class, args),
                None => vm.raise_with(types::os_error(), args),
            });
        }
    };
    let aliases: Vec<ObjRef> = found.aliases.iter().map(|name| decode(name, vm).into_object()).collect();
    let addresses: Vec<ObjRef> = found.addresses.iter().map(|a| vm.new_str(a).into_object()).collect();
    Ok(vm.new_tuple([
        decode(&found.name, vm).into_object(),
        vm.new_list(aliases).into_object(),
        vm.new_list(addresses).into_object(),
    ]))
}

/// A str argument of one of the database's functions, which count their arguments.
fn text_argument(object: &Object, caller: &str, place: usize, vm: &Vm) -> PyResult<CString> {
    let Some(text) = object.downcast_ref::<Str>() else {
        let class = object.ob_type().tp_name_str();
        return Err(vm.type_error(format!("{caller}() argument {place} must be str, not {class}")));
    };
    CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))
}

fn port_argument(object: &Object, caller: &str, vm: &Vm) -> PyResult<u16> {
    let number = object.as_index(vm)?.to_i64();
    number
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| vm.overflow_error(format!("{caller}: port must be 0-65535.")))
}

/// A host for the functions that take any kind of text.
fn check_host(host: &Object, caller: &str, vm: &Vm) -> PyResult<()> {
    match host_bytes(host, vm) {
        Err(Raised) if vm.exception_matches(types::type_error()) && !is_text(host) => {
            vm.clear_exception();
            let class = host.ob_type().tp_name_str();
            Err(vm.type_error(format!("{caller}() argument 1 must be str, bytes or bytearray, not {class}")))
        }
        other => other.map(drop),
    }
}

fn is_text(object: &Object) -> bool {
    object.downcast_ref::<Str>().is_some()
        || object.downcast_ref::<Bytes>().is_some()
        || object.downcast_ref::<ByteArray>().is_some()
}

/// A host name as `getaddrinfo` takes it: by IDNA, which also refuses labels that no name can have.
fn full_host_text(host: &Object, vm: &Vm) -> PyResult<CString> {
    let bytes = if let Some(text) = host.downcast_ref::<Str>() {
        let plain = text.as_ascii_str().filter(|ascii| {
            let whole = ascii.strip_suffix('.').unwrap_or(ascii);
            whole.is_empty() || whole.split('.').all(|label| (1..64).contains(&label.len()))
        });
        match plain {
            Some(ascii) => ascii.as_bytes().to_vec(),
            None => {
                let encoded =
                    host.call_method(&vm.intern("encode"), &[vm.new_str("idna").as_object()], vm)?;
                encoded.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default()
            }
        }
    } else if let Some(bytes) = host.downcast_ref::<Bytes>() {
        bytes.as_bytes().to_vec()
    } else {
        return Err(vm.type_error("getaddrinfo() argument 1 must be string or None"));
    };
    CString::new(bytes).map_err(|_| vm.value_error("embedded null character"))
}

#[pyfunctions(table = NAME_FUNCTIONS)]
impl SocketModule {
    /// getaddrinfo(host, port [, family, type, proto, flags])
    ///     -> list of (family, type, proto, canonname, sockaddr)
    ///
    /// Resolve host and port into addrinfo struct.
    #[function("!($module, /, host, port, family=0, type=0, proto=0, flags=0)")]
    fn getaddrinfo(
        host: &Object,
        port: &Object,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<List>> {
        let name = if vm.is_none(host) { None } else { Some(full_host_text(host, vm)?) };
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
                let address = from_system(&read(entry.ai_addr, entry.ai_addrlen), entry.ai_protocol, vm);
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
    #[function("!($module, sockaddr, flags, /)")]
    fn getnameinfo(sockaddr: &Object, flags: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let Some(tuple) = sockaddr.downcast_ref::<Tuple>() else {
            return Err(vm.type_error("getnameinfo() argument 1 must be a tuple"));
        };
        let illegal = || vm.type_error("getnameinfo(): illegal sockaddr argument");
        let (host, port, rest) = match tuple.as_slice() {
            [host, port, rest @ ..] if rest.len() <= 2 => (host, port, rest),
            _ => return Err(illegal()),
        };
        let Some(host) = host.downcast_ref::<Str>() else { return Err(illegal()) };
        let host = CString::new(host.to_utf8(vm)?).map_err(|_| illegal())?;
        let port = i32::try_from(port.as_isize(vm)?)
            .map_err(|_| vm.overflow_error("signed integer is greater than maximum"))?;
        let number = |at: usize| match rest.get(at) {
            Some(given) => Ok(given.as_index(vm)?.to_i64().unwrap_or(-1) as u32),
            None => Ok(0),
        };
        let (flow, scope) = (number(0)?, number(1)?);
        if flow > 0xf_ffff {
            return Err(vm.overflow_error("getnameinfo(): flowinfo must be 0-1048575."));
        }
        audit("socket.getnameinfo", &[sockaddr], vm)?;
        let service = CString::new(port.to_string()).unwrap_or_default();
        // SAFETY: the texts live over the call; the one address is copied before the list is freed.
        let mut address: Address = unsafe {
            let mut hints: libc::addrinfo = std::mem::zeroed();
            hints.ai_socktype = libc::SOCK_DGRAM;
            hints.ai_flags = libc::AI_NUMERICHOST;
            let mut found: *mut libc::addrinfo = std::ptr::null_mut();
            let (place, hints) = (&raw mut found, &raw const hints);
            let code = vm.allow_threads(|| libc::getaddrinfo(host.as_ptr(), service.as_ptr(), hints, place));
            if code != 0 {
                return Err(gai_error(code, vm));
            }
            let address = read((*found).ai_addr, (*found).ai_addrlen);
            let several = !(*found).ai_next.is_null();
            libc::freeaddrinfo(found);
            if several {
                return Err(vm.raise(types::os_error(), "sockaddr resolved to multiple addresses"));
            }
            address
        };
        match address.family() {
            libc::AF_INET if tuple.len() != 2 => {
                return Err(vm.raise(types::os_error(), "IPv4 sockaddr must be 2 tuple"));
            }
            libc::AF_INET6 => address.set_flow_and_scope(flow, scope),
            _ => {}
        }
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
    #[function("($self, /)")]
    fn gethostname(vm: &Vm) -> PyResult<Ref<Str>> {
        audit("socket.gethostname", &[], vm)?;
        let mut name = [0u8; 1025];
        // SAFETY: the buffer is longer than that.
        if unsafe { libc::gethostname(name.as_mut_ptr().cast(), 1024) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(decode(name.split(|b| *b == 0).next().unwrap_or_default(), vm))
    }

    /// sethostname(name)
    ///
    /// Sets the hostname to name.
    #[function("!($module, name, /)")]
    fn sethostname(name: &Object, vm: &Vm) -> PyResult<()> {
        let text = super::interfaces::name_of(name, vm)?;
        audit("socket.sethostname", &[name], vm)?;
        // SAFETY: the text has that length.
        if unsafe { libc::sethostname(text.as_ptr(), text.as_bytes().len()) } < 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    /// gethostbyname(host) -> address
    ///
    /// Return the IP address (a string of the form '255.255.255.255') for a host.
    #[function("!($module, host, /)")]
    fn gethostbyname(host: &Object, vm: &Vm) -> PyResult<String> {
        check_host(host, "gethostbyname", vm)?;
        audit("socket.gethostbyname", &[host], vm)?;
        Ok(resolve(host, libc::AF_INET, vm)?.host())
    }

    /// gethostbyname_ex(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[function("!($module, host, /)")]
    fn gethostbyname_ex(host: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        check_host(host, "gethostbyname_ex", vm)?;
        audit("socket.gethostbyname", &[host], vm)?;
        resolve(host, libc::AF_INET, vm)?;
        let text = super::address::host_text(host, vm)?;
        let found = vm.allow_threads(|| {
            look_up(|room, buffer, found, error| {
                // SAFETY: the name is NUL-terminated, the buffer has that length.
                unsafe {
                    let place = buffer.as_mut_ptr().cast();
                    gethostbyname_r(text.as_ptr(), room, place, buffer.len(), found, error)
                }
            })
        });
        entry_object(found, vm)
    }

    /// gethostbyaddr(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[function("!($module, host, /)")]
    fn gethostbyaddr(host: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        check_host(host, "gethostbyaddr", vm)?;
        audit("socket.gethostbyaddr", &[host], vm)?;
        let address = resolve(host, libc::AF_UNSPEC, vm)?;
        let family = address.family();
        let octets = address.octets();
        if octets.is_empty() {
            return Err(vm.raise(types::os_error(), "unsupported address family"));
        }
        let found = vm.allow_threads(|| {
            look_up(|room, buffer, found, error| {
                // SAFETY: the address and the buffer have their lengths.
                unsafe {
                    gethostbyaddr_r(
                        octets.as_ptr().cast(),
                        octets.len() as libc::socklen_t,
                        family,
                        room,
                        buffer.as_mut_ptr().cast(),
                        buffer.len(),
                        found,
                        error,
                    )
                }
            })
        });
        entry_object(found, vm)
    }

    /// getservbyname(servicename[, protocolname]) -> integer
    ///
    /// Return a port number from a service name and protocol name.
    /// The optional protocol name, if given, should be 'tcp' or 'udp',
    /// otherwise any protocol will match.
    #[function("!($module, servicename, protocolname=None, /)")]
    fn getservbyname(servicename: &Object, protocolname: Option<&Object>, vm: &Vm) -> PyResult<u16> {
        let name = text_argument(servicename, "getservbyname", 1, vm)?;
        let protocol = protocolname.map(|p| text_argument(p, "getservbyname", 2, vm)).transpose()?;
        let shown = protocolname.map_or_else(|| vm.new_str("").into_object(), Object::to_ref);
        audit("socket.getservbyname", &[servicename, &shown], vm)?;
        let protocol = protocol.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        // SAFETY: the texts are NUL-terminated; the answer is used before anyone asks again: the lock is held.
        match unsafe { libc::getservbyname(name.as_ptr(), protocol).as_ref() } {
            Some(found) => Ok(u16::from_be(found.s_port as u16)),
            None => Err(vm.raise(types::os_error(), "service/proto not found")),
        }
    }

    /// getservbyport(port[, protocolname]) -> string
    ///
    /// Return the service name from a port number and protocol name.
    /// The optional protocol name, if given, should be 'tcp' or 'udp',
    /// otherwise any protocol will match.
    #[function("!($module, port, protocolname=None, /)")]
    fn getservbyport(port: &Object, protocolname: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let number = port_argument(port, "getservbyport", vm)?;
        let protocol = protocolname.map(|p| text_argument(p, "getservbyport", 2, vm)).transpose()?;
        let shown = protocolname.map_or_else(|| vm.new_str("").into_object(), Object::to_ref);
        audit("socket.getservbyport", &[port, &shown], vm)?;
        let protocol = protocol.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        // SAFETY: as in `getservbyname`.
        unsafe {
            match libc::getservbyport(c_int::from(number.to_be()), protocol).as_ref() {
                Some(found) => Ok(decode(CStr::from_ptr(found.s_name).to_bytes(), vm)),
                None => Err(vm.raise(types::os_error(), "port/proto not found")),
            }
        }
    }

    /// getprotobyname(name) -> integer
    ///
    /// Return the protocol number for the named protocol.  (Rarely used.)
    #[function("!($module, name, /)")]
    fn getprotobyname(name: &Object, vm: &Vm) -> PyResult<i32> {
        let name = text_argument(name, "getprotobyname", 1, vm)?;
        // SAFETY: as in `getservbyname`.
        match unsafe { libc::getprotobyname(name.as_ptr()).as_ref() } {
            Some(found) => Ok(found.p_proto),
            None => Err(vm.raise(types::os_error(), "protocol not found")),
        }
    }

    /// Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format used in low-level network functions.
    #[function("($module, ip_addr, /)")]
    fn inet_aton(ip_addr: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        unsafe extern "C" {
            fn inet_aton(text: *const c_char, place: *mut libc::in_addr) -> c_int;
        }
        let Ok(text) = CString::new(ip_addr) else { return Err(vm.value_error("embedded null character")) };
        let mut place = libc::in_addr { s_addr: 0 };
        // SAFETY: the text is NUL-terminated, the place ours.
        if unsafe { inet_aton(text.as_ptr(), &raw mut place) } == 0 {
            return Err(vm.raise(types::os_error(), "illegal IP address string passed to inet_aton"));
        }
        Ok(vm.new_bytes(&place.s_addr.to_ne_bytes()))
    }

    /// Convert an IP address from 32-bit packed binary format to string format.
    #[function("($module, packed_ip, /)")]
    fn inet_ntoa(packed_ip: BufferArg, vm: &Vm) -> PyResult<String> {
        match packed_ip.as_bytes() {
            [a, b, c, d] => Ok(format!("{a}.{b}.{c}.{d}")),
            _ => Err(vm.raise(types::os_error(), "packed IP wrong length for inet_ntoa")),
        }
    }

    /// inet_pton(af, ip) -> packed IP address string
    ///
    /// Convert an IP address from string format to a packed string suitable
    /// for use with low-level network functions.
    #[function("!($module, af, ip, /)")]
    fn inet_pton(af: i32, ip: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
        if ip.contains('\0') {
            return Err(vm.value_error("embedded null character"));
        }
        let packed = match af {
            libc::AF_INET => ip.parse::<Ipv4Addr>().ok().map(|ip| ip.octets().to_vec()),
            libc::AF_INET6 => ip.parse::<Ipv6Addr>().ok().map(|ip| ip.octets().to_vec()),
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
    #[function("!($module, af, packed_ip, /)")]
    fn inet_ntop(af: i32, packed_ip: BufferArg, vm: &Vm) -> PyResult<String> {
        let bytes = packed_ip.as_bytes();
        let wanted = match af {
            libc::AF_INET => 4,
            libc::AF_INET6 => 16,
            _ => return Err(vm.value_error(format!("unknown address family {af}"))),
        };
        if bytes.len() != wanted {
            return Err(vm.value_error("invalid length of packed IP address string"));
        }
        ip_text(bytes).ok_or_else(|| vm.value_error("invalid length of packed IP address string"))
    }
}
