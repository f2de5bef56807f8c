//! Addresses of the families beyond IP and UNIX: netlink, packet, vsock, CAN, TIPC, qualcomm's router, kernel crypto.

use std::ffi::{CStr, CString, c_char};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{decode, encode};

use super::address::Address;

/// `struct sockaddr_qrtr`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RouterAddress {
    family: u16,
    node: u32,
    port: u32,
}

/// `struct sockaddr_tipc`: the three numbers mean what `kind` says.
#[repr(C)]
#[derive(Clone, Copy)]
struct TipcAddress {
    family: u16,
    kind: u8,
    scope: i8,
    numbers: [u32; 3],
}

const TIPC_NAMESEQ: u8 = 1;
const TIPC_NAME: u8 = 2;
const TIPC_ID: u8 = 3;
const AF_QIPCRTR: i32 = 42;
const CAN_ISOTP: i32 = 6;
const CAN_J1939: i32 = 7;
/// The length of addresses for the plain protocols of CAN.
const CAN_LENGTH: usize = 16;

/// The elements of an address. Raises `TypeError` for what is no tuple or one of another length.
fn parts<'a>(
    object: &'a Object,
    shown: &str,
    lengths: std::ops::RangeInclusive<usize>,
    refusal: &str,
    vm: &Vm,
) -> PyResult<&'a [ObjRef]> {
    let Some(tuple) = object.downcast_ref::<Tuple>() else {
        let class = object.ob_type().tp_name_str();
        return Err(vm.type_error(format!("{shown} address must be tuple, not {class}")));
    };
    let parts = tuple.as_slice();
    if !lengths.contains(&parts.len()) {
        return Err(vm.type_error(refusal));
    }
    Ok(parts)
}

/// A number of 32 bits; others wrap, as C's format "I" has it.
fn number(object: &Object, vm: &Vm) -> PyResult<u32> {
    let number = object.as_index(vm)?;
    Ok(number.to_i64().map_or_else(|| number.to_u64().unwrap_or(u64::MAX) as u32, |number| number as u32))
}

fn wide(object: &Object, vm: &Vm) -> PyResult<u64> {
    let number = object.as_index(vm)?;
    Ok(number.to_i64().map_or_else(|| number.to_u64().unwrap_or(u64::MAX), |number| number as u64))
}

fn small(object: &Object, vm: &Vm) -> PyResult<i32> {
    let number = object.as_index(vm)?.to_i64();
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

fn text(object: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    match object.downcast_ref::<Str>() {
        Some(text) => encode(text, vm),
        None => match object.downcast_ref::<Bytes>() {
            Some(bytes) => Ok(bytes.as_bytes().to_vec()),
            None => {
                Err(vm.type_error(format!("expected str or bytes, not {}", object.ob_type().tp_name_str())))
            }
        },
    }
}

/// The index of an interface by its name; 0 for no name.
fn interface(object: &Object, vm: &Vm) -> PyResult<i32> {
    let name = text(object, vm)?;
    if name.is_empty() {
        return Ok(0);
    }
    if name.len() >= libc::IF_NAMESIZE {
        return Err(vm.raise(types::os_error(), "interface name too long"));
    }
    let name = CString::new(name).map_err(|_| vm.value_error("embedded null character"))?;
    // SAFETY: the name is NUL-terminated.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(vm.last_os_error(None)),
        index => Ok(index as i32),
    }
}

fn interface_name(index: i32, vm: &Vm) -> ObjRef {
    let mut name = [0u8; libc::IF_NAMESIZE];
    let place: *mut c_char = name.as_mut_ptr().cast();
    // SAFETY: the buffer has the length that names have at most.
    if index == 0 || unsafe { libc::if_indextoname(index as u32, place) }.is_null() {
        return vm.new_str("").into_object();
    }
    decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm).into_object()
}

/// The system's form of an address. See `address::parse`.
pub(super) fn parse(object: &Object, family: i32, proto: i32, caller: &str, vm: &Vm) -> PyResult<Address> {
    match family {
        libc::AF_NETLINK => {
            let shown = format!("{caller}(): AF_NETLINK");
            let refusal = "AF_NETLINK address must be a pair (pid, groups)";
            let [pid, groups] = parts(object, &shown, 2..=2, refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            // SAFETY: zero is a valid value of every field.
            let mut value: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
            value.nl_family = family as libc::sa_family_t;
            value.nl_pid = number(pid, vm)?;
            value.nl_groups = number(groups, vm)?;
            Ok(Address::from(value, size_of::<libc::sockaddr_nl>()))
        }
        libc::AF_VSOCK => {
            let given = object.downcast_ref::<Tuple>().map_or(0, Tuple::len);
            let refusal = format!("getsockaddrarg() takes exactly 2 arguments ({given} given)");
            let [cid, port] = parts(object, "getsockaddrarg(): AF_VSOCK", 2..=2, &refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            // SAFETY: zero is a valid value of every field.
            let mut value: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
            value.svm_family = family as libc::sa_family_t;
            value.svm_cid = number(cid, vm)?;
            value.svm_port = number(port, vm)?;
            Ok(Address::from(value, size_of::<libc::sockaddr_vm>()))
        }
        AF_QIPCRTR => {
            let given = object.downcast_ref::<Tuple>().map_or(0, Tuple::len);
            let refusal = format!("getsockaddrarg() takes exactly 2 arguments ({given} given)");
            let [node, port] = parts(object, "getsockaddrarg(): AF_QIPCRTR", 2..=2, &refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            let value =
                RouterAddress { family: family as u16, node: number(node, vm)?, port: number(port, vm)? };
            Ok(Address::from(value, size_of::<RouterAddress>()))
        }
        libc::AF_PACKET => packet(object, caller, vm),
        libc::AF_CAN => can(object, proto, caller, vm),
        libc::AF_TIPC => {
            let shown = format!("{caller}(): AF_TIPC");
            let refusal = "AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])";
            let [kind, a, b, c, rest @ ..] = parts(object, &shown, 4..=5, refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            let kind = number(kind, vm)?;
            let scope = match rest.first() {
                Some(scope) => number(scope, vm)? as i8,
                // TIPC_CLUSTER_SCOPE.
                None => 2,
            };
            let (a, b, c) = (number(a, vm)?, number(b, vm)?, number(c, vm)?);
            let numbers = match u8::try_from(kind).unwrap_or(0) {
                TIPC_NAMESEQ => [a, b, c],
                TIPC_NAME => [a, b, 0],
                TIPC_ID => [b, a, 0],
                _ => return Err(vm.type_error("Invalid address type")),
            };
            let value = TipcAddress { family: family as u16, kind: kind as u8, scope, numbers };
            Ok(Address::from(value, size_of::<TipcAddress>()))
        }
        libc::AF_ALG => algorithm(object, caller, vm),
        libc::AF_BLUETOOTH => Err(vm.not_implemented_error("addresses of AF_BLUETOOTH")),
        _ => Err(vm.raise(types::os_error(), format!("{caller}(): bad family"))),
    }
}

fn packet(object: &Object, caller: &str, vm: &Vm) -> PyResult<Address> {
    let shown = format!("{caller}(): AF_PACKET");
    let refusal = "AF_PACKET address must be a tuple of two to five elements";
    let [name, protocol, rest @ ..] = parts(object, &shown, 2..=5, refusal, vm)? else {
        return Err(vm.type_error(refusal));
    };
    let protocol = small(protocol, vm)?;
    let kind = rest.first().map(|kind| small(kind, vm)).transpose()?.unwrap_or(0);
    let hardware = rest.get(1).map(|kind| small(kind, vm)).transpose()?.unwrap_or(0);
    let bytes = match rest.get(2) {
        Some(bytes) => BufferArg::from_object(bytes, vm)?.as_bytes().to_vec(),
        None => Vec::new(),
    };
    if bytes.len() > 8 {
        return Err(vm.value_error("Hardware address must be 8 bytes or less"));
    }
    let Ok(protocol) = u16::try_from(protocol) else {
        return Err(vm.overflow_error(format!("{caller}(): proto argument must be 0-65535.")));
    };
    // SAFETY: zero is a valid value of every field.
    let mut value: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    value.sll_family = libc::AF_PACKET as u16;
    value.sll_protocol = protocol.to_be();
    value.sll_ifindex = interface(name, vm)?;
    value.sll_pkttype = kind as u8;
    value.sll_hatype = hardware as u16;
    value.sll_halen = bytes.len() as u8;
    value.sll_addr.iter_mut().zip(&bytes).for_each(|(place, byte)| *place = *byte);
    Ok(Address::from(value, size_of::<libc::sockaddr_ll>()))
}

fn can(object: &Object, proto: i32, caller: &str, vm: &Vm) -> PyResult<Address> {
    let shown = format!("{caller}(): AF_CAN");
    // SAFETY: zero is a valid value of every field.
    let mut value: libc::sockaddr_can = unsafe { std::mem::zeroed() };
    value.can_family = libc::AF_CAN as libc::sa_family_t;
    match proto {
        CAN_ISOTP => {
            let refusal = "AF_CAN address must be a tuple (interface, rx_addr, tx_addr)";
            let [name, receive, send] = parts(object, &shown, 3..=3, refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            value.can_ifindex = interface(name, vm)?;
            value.can_addr.tp.rx_id = number(receive, vm)?;
            value.can_addr.tp.tx_id = number(send, vm)?;
        }
        CAN_J1939 => {
            let refusal = "AF_CAN address must be a tuple (interface, name, pgn, addr)";
            let [name, node, group, address] = parts(object, &shown, 4..=4, refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            value.can_ifindex = interface(name, vm)?;
            value.can_addr.j1939.name = wide(node, vm)?;
            value.can_addr.j1939.pgn = number(group, vm)?;
            value.can_addr.j1939.addr = number(address, vm)? as u8;
        }
        _ => {
            let refusal = "AF_CAN address must be a tuple (interface, )";
            let [name] = parts(object, &shown, 1..=1, refusal, vm)? else {
                return Err(vm.type_error(refusal));
            };
            value.can_ifindex = interface(name, vm)?;
            return Ok(Address::from(value, CAN_LENGTH));
        }
    }
    Ok(Address::from(value, size_of::<libc::sockaddr_can>()))
}

fn algorithm(object: &Object, caller: &str, vm: &Vm) -> PyResult<Address> {
    let shown = format!("{caller}(): AF_ALG");
    let refusal = "AF_ALG address must be a tuple (type, name[, feat[, mask]])";
    let [kind, name, rest @ ..] = parts(object, &shown, 2..=4, refusal, vm)? else {
        return Err(vm.type_error(refusal));
    };
    let feature = rest.first().map(|number_| number(number_, vm)).transpose()?.unwrap_or(0);
    let mask = rest.get(1).map(|number_| number(number_, vm)).transpose()?.unwrap_or(0);
    let (kind, name) = (text(kind, vm)?, text(name, vm)?);
    // SAFETY: zero is a valid value of every field.
    let mut value: libc::sockaddr_alg = unsafe { std::mem::zeroed() };
    value.salg_family = libc::AF_ALG as libc::sa_family_t;
    value.salg_feat = feature;
    value.salg_mask = mask;
    // Type and name each end with a NUL of their own.
    if kind.len() >= value.salg_type.len() {
        return Err(vm.value_error("AF_ALG type too long."));
    }
    if name.len() >= value.salg_name.len() {
        return Err(vm.value_error("AF_ALG name too long."));
    }
    value.salg_type.iter_mut().zip(&kind).for_each(|(place, byte)| *place = *byte);
    value.salg_name.iter_mut().zip(&name).for_each(|(place, byte)| *place = *byte);
    Ok(Address::from(value, size_of::<libc::sockaddr_alg>()))
}

/// Python's form of an address. See `address::from_system`.
pub(super) fn from_system(address: &Address, proto: i32, vm: &Vm) -> PyResult {
    let tuple = |parts: Vec<ObjRef>| Ok(vm.new_tuple(parts).into_object());
    // SAFETY: the storage holds an address of the family that it says; shorter ones end in zeros.
    unsafe {
        match address.family() {
            libc::AF_NETLINK => {
                let value: libc::sockaddr_nl = address.value();
                tuple(vec![vm.new_int(value.nl_pid), vm.new_int(value.nl_groups)])
            }
            libc::AF_VSOCK => {
                let value: libc::sockaddr_vm = address.value();
                tuple(vec![vm.new_int(value.svm_cid), vm.new_int(value.svm_port)])
            }
            AF_QIPCRTR => {
                let value: RouterAddress = address.value();
                tuple(vec![vm.new_int(value.node), vm.new_int(value.port)])
            }
            libc::AF_PACKET => {
                let value: libc::sockaddr_ll = address.value();
                let length = usize::from(value.sll_halen).min(value.sll_addr.len());
                tuple(vec![
                    interface_name(value.sll_ifindex, vm),
                    vm.new_int(u16::from_be(value.sll_protocol)),
                    vm.new_int(value.sll_pkttype),
                    vm.new_int(value.sll_hatype),
                    vm.new_bytes(value.sll_addr.get(..length).unwrap_or_default()).into_object(),
                ])
            }
            libc::AF_CAN => {
                let value: libc::sockaddr_can = address.value();
                let name = interface_name(value.can_ifindex, vm);
                match proto {
                    CAN_ISOTP => {
                        let both = value.can_addr.tp;
                        tuple(vec![name, vm.new_int(both.rx_id), vm.new_int(both.tx_id)])
                    }
                    CAN_J1939 => {
                        let node = value.can_addr.j1939;
                        tuple(vec![name, vm.new_int(node.name), vm.new_int(node.pgn), vm.new_int(node.addr)])
                    }
                    _ => tuple(vec![name]),
                }
            }
            libc::AF_TIPC => {
                let value: TipcAddress = address.value();
                let [a, b, c] = value.numbers;
                let numbers = match value.kind {
                    TIPC_NAMESEQ => [a, b, c],
                    TIPC_NAME => [a, b, b],
                    TIPC_ID => [b, a, 0],
                    _ => return Err(vm.value_error("Invalid address type")),
                };
                let mut parts = vec![vm.new_int(value.kind)];
                parts.extend(numbers.map(|number| vm.new_int(number)));
                parts.push(vm.new_int(value.scope));
                tuple(parts)
            }
            libc::AF_ALG => {
                let value: libc::sockaddr_alg = address.value();
                let shown = |bytes: &[u8]| {
                    let text = CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes);
                    decode(text, vm).into_object()
                };
                tuple(vec![
                    shown(&value.salg_type),
                    shown(&value.salg_name),
                    vm.new_int(value.salg_feat),
                    vm.new_int(value.salg_mask),
                ])
            }
            family => {
                // Of families unknown: the number and the bytes.
                let length = (address.length as usize).saturating_sub(2);
                let bytes =
                    std::slice::from_raw_parts((&raw const address.storage).cast::<u8>().add(2), length);
                tuple(vec![vm.new_int(family), vm.new_bytes(bytes).into_object()])
            }
        }
    }
}
