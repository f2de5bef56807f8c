//! Names of hosts from the system's database: `gethostbyaddr` and `gethostbyname_ex`.

use std::ffi::{CString, c_char, c_int, c_void};

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;
use taipan_vm::runtime::audit::audit;

use super::SocketModule;
use super::address::{Address, parse, to_object};

unsafe extern "C" {
    fn gethostbyaddr_r(
        address: *const c_void,
        length: libc::socklen_t,
        family: c_int,
        entry: *mut libc::hostent,
        buffer: *mut c_char,
        size: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn gethostbyname_r(
        name: *const c_char,
        entry: *mut libc::hostent,
        buffer: *mut c_char,
        size: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn hstrerror(error: c_int) -> *const c_char;
}

/// More than any entry of a resolver that behaves.
const LARGEST: usize = 1 << 20;

/// Raises `socket.herror`.
#[cold]
fn host_error(error: c_int, vm: &Vm) -> Raised {
    // SAFETY: the library's texts are NUL-terminated constants.
    let text = unsafe {
        let text = hstrerror(error);
        if text.is_null() {
            "host not found".into()
        } else {
            std::ffi::CStr::from_ptr(text).to_string_lossy()
        }
    };
    let args = vec![vm.new_int(error), vm.new_str(&text).into_object()];
    let class = import_module("_socket", vm).and_then(|module| module.get_attr(&vm.intern("herror"), vm));
    match class.map(|class| class.downcast::<Type>()) {
        Ok(Ok(class)) => vm.raise_with(&class, args),
        Ok(Err(_)) => vm.raise_with(types::os_error(), args),
        Err(raised) => raised,
    }
}

/// Asks the library with buffers of growing size. Gives the host's name, its other names and its addresses.
fn ask(
    call: impl Fn(*mut libc::hostent, *mut c_char, usize, *mut *mut libc::hostent, *mut c_int) -> c_int,
    vm: &Vm,
) -> PyResult<Ref<Tuple>> {
    let mut buffer: Vec<c_char> = vec![0; 8192];
    loop {
        // SAFETY: zero is a valid value of every field.
        let mut entry: libc::hostent = unsafe { std::mem::zeroed() };
        let (mut found, mut error) = (std::ptr::null_mut(), 0);
        let (place, size) = (buffer.as_mut_ptr() as usize, buffer.len());
        let code = vm.allow_threads(|| {
            call(&raw mut entry, place as *mut c_char, size, &raw mut found, &raw mut error)
        });
        if code == libc::ERANGE && size < LARGEST {
            buffer.resize(size * 4, 0);
            continue;
        }
        // SAFETY: the library points to the entry when it has found something.
        let Some(entry) = (unsafe { found.as_ref() }) else { return Err(host_error(error, vm)) };
        return described(entry, vm);
    }
}

fn described(entry: &libc::hostent, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let text = |text: *const c_char| {
        // SAFETY: names in an entry are NUL-terminated.
        decode(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes(), vm).into_object()
    };
    let listed = |list: *mut *mut c_char| {
        let mut items = Vec::new();
        let mut at = list;
        // SAFETY: lists in an entry end with null.
        unsafe {
            while !at.is_null() && !(*at).is_null() {
                items.push((*at).cast_const());
                at = at.add(1);
            }
        }
        items
    };
    let aliases: Vec<ObjRef> = listed(entry.h_aliases).into_iter().map(text).collect();
    let mut addresses = Vec::new();
    for address in listed(entry.h_addr_list) {
        // SAFETY: the entry says of which family and so of which size its addresses are.
        let shown = unsafe {
            match entry.h_addrtype {
                libc::AF_INET => std::net::Ipv4Addr::from(*address.cast::<[u8; 4]>()).to_string(),
                _ => std::net::Ipv6Addr::from(*address.cast::<[u8; 16]>()).to_string(),
            }
        };
        addresses.push(vm.new_str(&shown).into_object());
    }
    Ok(vm.new_tuple([
        text(entry.h_name),
        vm.new_list(aliases).into_object(),
        vm.new_list(addresses).into_object(),
    ]))
}

/// The address that a name or a number means: IPv4 before IPv6.
fn resolved(host: &Object, vm: &Vm) -> PyResult<Address> {
    let pair = vm.new_tuple([host.to_ref(), vm.new_int(0)]);
    match parse(pair.as_object(), libc::AF_INET, "gethostbyaddr", vm) {
        Ok(address) => Ok(address),
        Err(raised) => {
            let Some(first) = vm.take_exception() else { return Err(raised) };
            parse(pair.as_object(), libc::AF_INET6, "gethostbyaddr", vm).map_err(|_| {
                vm.clear_exception();
                vm.reraise(first)
            })
        }
    }
}

#[pyfunctions(table = HOST_FUNCTIONS)]
impl SocketModule {
    /// gethostbyaddr(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[function("($module, host, /)")]
    fn gethostbyaddr(host: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        audit("socket.gethostbyaddr", &[host], vm)?;
        let address = resolved(host, vm)?;
        let family = c_int::from(address.storage.ss_family);
        let storage = &raw const address.storage;
        // SAFETY: the storage holds an address of its family.
        let (bytes, length) = unsafe {
            match family {
                libc::AF_INET => ((&raw const (*storage.cast::<libc::sockaddr_in>()).sin_addr).cast(), 4),
                _ => ((&raw const (*storage.cast::<libc::sockaddr_in6>()).sin6_addr).cast::<c_void>(), 16),
            }
        };
        ask(
            |entry, buffer, size, found, error| {
                // SAFETY: the buffer has that size; the places are the caller's variables.
                unsafe { gethostbyaddr_r(bytes, length, family, entry, buffer, size, found, error) }
            },
            vm,
        )
    }

    /// gethostbyname_ex(host) -> (name, aliaslist, addresslist)
    ///
    /// Return the true host name, a list of aliases, and a list of IP addresses,
    /// for a host.  The host argument is a string giving a host name or IP number.
    #[function("($module, host, /)")]
    fn gethostbyname_ex(host: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        audit("socket.gethostbyname", &[host], vm)?;
        // Raises what a name that can't be resolved does.
        let pair = vm.new_tuple([host.to_ref(), vm.new_int(0)]);
        to_object(&parse(pair.as_object(), libc::AF_INET, "gethostbyname_ex", vm)?, vm)?;
        let name = host.str(vm)?;
        let Ok(name) = CString::new(name.to_utf8(vm)?) else {
            return Err(vm.value_error("embedded null character"));
        };
        ask(
            |entry, buffer, size, found, error| {
                // SAFETY: as above; the name is NUL-terminated.
                unsafe { gethostbyname_r(name.as_ptr(), entry, buffer, size, found, error) }
            },
            vm,
        )
    }
}
