//! Messages with ancillary data: `sendmsg`, `recvmsg` and the sizes of control messages.

#![allow(non_snake_case, reason = "Python's names: CMSG_LEN")]

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};
use taipan_vm::runtime::audit::audit;

use super::address::{Address, parse, to_object};
use super::{Socket, SocketModule};

/// The largest ancillary data that fits the system's types.
const LIMIT: usize = 0x7fff_ffff;

/// `CMSG_LEN`; `None` when it is out of range.
fn message_length(length: usize) -> Option<usize> {
    let length = u32::try_from(length).ok().filter(|length| (*length as usize) < LIMIT - 64)?;
    // SAFETY: arithmetic only.
    Some(unsafe { libc::CMSG_LEN(length) } as usize)
}

/// `CMSG_SPACE`; `None` when it is out of range.
fn message_space(length: usize) -> Option<usize> {
    let length = u32::try_from(length).ok().filter(|length| (*length as usize) < LIMIT - 64)?;
    // SAFETY: arithmetic only.
    Some(unsafe { libc::CMSG_SPACE(length) } as usize)
}

/// Memory for control messages, aligned as their headers want it.
struct Control {
    words: Vec<u64>,
    length: usize,
}

impl Control {
    fn new(length: usize, vm: &Vm) -> PyResult<Control> {
        let count = length.div_ceil(8);
        let mut words = Vec::new();
        words.try_reserve_exact(count).map_err(|_| vm.memory_error())?;
        words.resize(count, 0u64);
        Ok(Control { words, length })
    }

    /// The address for the message's header; null when there is no room at all.
    fn pointer(&mut self) -> *mut libc::c_void {
        if self.length == 0 { std::ptr::null_mut() } else { self.words.as_mut_ptr().cast() }
    }
}

fn empty_header() -> libc::msghdr {
    // SAFETY: zero is a valid value of every field.
    unsafe { std::mem::zeroed() }
}

/// The control messages of a received header as (level, type, data); those cut off end the list.
///
/// # Safety
/// The header's control memory is that of `control`, as the system filled it.
unsafe fn ancillary(header: &libc::msghdr, vm: &Vm) -> Vec<ObjRef> {
    let mut found = Vec::new();
    if header.msg_controllen == 0 {
        return found;
    }
    let end = header.msg_control as usize + header.msg_controllen;
    // SAFETY: the macros stay within the control memory, and each part's length is cut to it.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            let overhead = (data as usize).saturating_sub(message as usize);
            let wanted = (*message).cmsg_len.saturating_sub(overhead);
            let length = wanted.min(end.saturating_sub(data as usize));
            let bytes = vm.new_bytes(std::slice::from_raw_parts(data, length));
            let (level, kind) = ((*message).cmsg_level, (*message).cmsg_type);
            found
                .push(vm.new_tuple([vm.new_int(level), vm.new_int(kind), bytes.into_object()]).into_object());
            if length < wanted {
                break;
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    found
}

impl Socket {
    /// Receives a message into buffers. Gives its length, its ancillary data, its flags and its sender.
    fn receive_message(
        &self,
        parts: &mut [libc::iovec],
        ancbufsize: isize,
        flags: i32,
        vm: &Vm,
    ) -> PyResult<(usize, ObjRef, i32, ObjRef)> {
        let Some(room) = usize::try_from(ancbufsize).ok().filter(|room| *room <= LIMIT) else {
            return Err(vm.value_error("invalid ancillary data buffer length"));
        };
        let mut control = Control::new(room, vm)?;
        let mut address = Address::room();
        let mut header = empty_header();
        header.msg_name = (&raw mut address.storage).cast();
        header.msg_namelen = address.length;
        header.msg_iov = parts.as_mut_ptr();
        header.msg_iovlen = parts.len();
        header.msg_control = control.pointer();
        header.msg_controllen = room;
        let place = &raw mut header;
        // SAFETY: everything that the header tells of outlives the call.
        let got =
            self.call(libc::POLLIN, &self.limit(), vm, |fd| unsafe { libc::recvmsg(fd, place, flags) })?;
        address.length = header.msg_namelen;
        // SAFETY: the system filled the header.
        let found = unsafe { ancillary(&header, vm) };
        let sender = to_object(&address, vm)?;
        Ok((got as usize, vm.new_list(found).into_object(), header.msg_flags, sender))
    }
}

#[pymethods(table = MESSAGE_METHODS)]
impl Socket {
    /// recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)
    ///
    /// Receive normal data (up to bufsize bytes) and ancillary data from the
    /// socket.  The ancbufsize argument sets the size in bytes of the
    /// internal buffer used to receive the ancillary data; it defaults to 0,
    /// meaning that no ancillary data will be received.  Appropriate buffer
    /// sizes for ancillary data can be calculated using CMSG_SPACE() or
    /// CMSG_LEN(), and items which do not fit into the buffer might be
    /// truncated or discarded.  The flags argument defaults to 0 and has the
    /// same meaning as for recv().
    #[method("($self, bufsize, ancbufsize=0, flags=0, /)")]
    fn recvmsg(
        &self,
        bufsize: isize,
        ancbufsize: Option<isize>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let Ok(size) = usize::try_from(bufsize) else {
            return Err(vm.value_error("negative buffer size in recvmsg()"));
        };
        let mut bytes: Vec<u8> = Vec::new();
        bytes.try_reserve_exact(size).map_err(|_| vm.memory_error())?;
        bytes.resize(size, 0);
        let mut parts = [libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: size }];
        let (got, found, flags, sender) =
            self.receive_message(&mut parts, ancbufsize.unwrap_or(0), flags.unwrap_or(0), vm)?;
        let data = vm.new_bytes(bytes.get(..got).unwrap_or(&bytes)).into_object();
        Ok(vm.new_tuple([data, found, vm.new_int(flags), sender]))
    }

    /// recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)
    ///
    /// Receive normal data and ancillary data from the socket, scattering the
    /// non-ancillary data into a series of buffers.  The buffers argument
    /// must be an iterable of objects that export writable buffers
    /// (e.g. bytearray objects); these will be filled with successive chunks
    /// of the non-ancillary data until it has all been written or there are
    /// no more buffers.
    #[method("($self, buffers, ancbufsize=0, flags=0, /)")]
    fn recvmsg_into(
        &self,
        buffers: &Object,
        ancbufsize: Option<isize>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let mut views: Vec<Buffer> = Vec::new();
        for item in buffers.collect_iterable(vm)? {
            views.push(item.get_buffer(buffer::WRITABLE, vm)?);
        }
        let mut parts: Vec<libc::iovec> = views
            .iter_mut()
            .map(|view| {
                let bytes = view.as_bytes_mut().unwrap_or(&mut []);
                libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
            })
            .collect();
        if parts.len() > i32::MAX as usize {
            return Err(vm.raise(types::os_error(), "recvmsg_into() argument 1 is too long"));
        }
        let (got, found, flags, sender) =
            self.receive_message(&mut parts, ancbufsize.unwrap_or(0), flags.unwrap_or(0), vm)?;
        Ok(vm.new_tuple([vm.new_int(got), found, vm.new_int(flags), sender]))
    }

    /// sendmsg(buffers[, ancdata[, flags[, address]]]) -> count
    ///
    /// Send normal and ancillary data to the socket, gathering the
    /// non-ancillary data from a series of buffers and concatenating it into
    /// a single message.  The buffers argument specifies the non-ancillary
    /// data as an iterable of bytes-like objects (e.g. bytes objects).
    /// The ancdata argument specifies the ancillary data (control messages)
    /// as an iterable of zero or more tuples (cmsg_level, cmsg_type,
    /// cmsg_data), where cmsg_level and cmsg_type are integers specifying the
    /// protocol level and protocol-specific type respectively, and cmsg_data
    /// is a bytes-like object holding the associated data.  The flags
    /// argument defaults to 0 and has the same meaning as for send().  If
    /// address is supplied and not None, it sets a destination address for
    /// the message.  The return value is the number of bytes of non-ancillary
    /// data sent.
    #[method("($self, buffers, ancdata=(), flags=0, address=None, /)")]
    fn sendmsg(
        &self,
        buffers: &Object,
        ancdata: Option<&Object>,
        flags: Option<i32>,
        address: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<isize> {
        let address = address.filter(|address| !vm.is_none(address));
        let target = match address {
            Some(address) => Some(parse(address, self.family.get(), "sendmsg", vm)?),
            None => None,
        };
        let none = vm.none();
        audit("socket.sendmsg", &[self.as_object(), address.unwrap_or(&none)], vm)?;
        let items = buffers.collect_iterable(vm)?;
        let views: Vec<BufferArg> =
            items.iter().map(|item| BufferArg::from_object(item, vm)).collect::<PyResult<_>>()?;
        let parts: Vec<libc::iovec> = views
            .iter()
            .map(|view| {
                let bytes = view.as_bytes();
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
            })
            .collect();
        let mut messages: Vec<(i32, i32, BufferArg)> = Vec::new();
        for item in ancdata.map(|list| list.collect_iterable(vm)).transpose()?.unwrap_or_default() {
            let fields = item.collect_iterable(vm)?;
            let [level, kind, data] = fields.as_slice() else {
                return Err(vm.type_error("[sendmsg() ancillary data items] must be 3-item tuples"));
            };
            let number = |object: &Object| {
                i32::try_from(object.as_isize(vm)?)
                    .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
            };
            messages.push((number(level)?, number(kind)?, BufferArg::from_object(data, vm)?));
        }
        let mut total = 0usize;
        for (_, _, data) in &messages {
            let space = message_space(data.as_bytes().len());
            total = match space.and_then(|space| total.checked_add(space)).filter(|total| *total <= LIMIT) {
                Some(total) => total,
                None => return Err(vm.raise(types::os_error(), "ancillary data item too large")),
            };
        }
        let mut control = Control::new(total, vm)?;
        let mut header = empty_header();
        if let Some(target) = &target {
            header.msg_name = target.pointer().cast_mut().cast();
            header.msg_namelen = target.length;
        }
        header.msg_iov = parts.as_ptr().cast_mut();
        header.msg_iovlen = parts.len();
        header.msg_control = control.pointer();
        header.msg_controllen = total;
        // SAFETY: the control memory has room for all messages, by the sum above.
        unsafe {
            let mut message = libc::CMSG_FIRSTHDR(&raw const header);
            for (level, kind, data) in &messages {
                if message.is_null() {
                    return Err(vm.runtime_error("unexpected NULL result from CMSG_NXTHDR"));
                }
                let bytes = data.as_bytes();
                (*message).cmsg_level = *level;
                (*message).cmsg_type = *kind;
                (*message).cmsg_len = libc::CMSG_LEN(bytes.len() as u32) as usize;
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), libc::CMSG_DATA(message), bytes.len());
                message = libc::CMSG_NXTHDR(&raw const header, message);
            }
        }
        let (place, flags) = (&raw const header, flags.unwrap_or(0));
        // SAFETY: everything that the header tells of outlives the call.
        self.call(libc::POLLOUT, &self.limit(), vm, |fd| unsafe { libc::sendmsg(fd, place, flags) })
    }
}

#[pyfunctions(table = MESSAGE_FUNCTIONS)]
impl SocketModule {
    /// CMSG_LEN(length) -> control message length
    ///
    /// Return the total length, without trailing padding, of an ancillary
    /// data item with associated data of the given length.  This value can
    /// often be used as the buffer size for recvmsg() to receive a single
    /// item of ancillary data, but RFC 3542 requires portable applications to
    /// use CMSG_SPACE() and thus include space for padding, even when the
    /// item will be the last in the buffer.  Raises OverflowError if length
    /// is outside the permissible range of values.
    #[function("($module, length, /)")]
    fn CMSG_LEN(length: isize, vm: &Vm) -> PyResult<usize> {
        usize::try_from(length)
            .ok()
            .and_then(message_length)
            .ok_or_else(|| vm.overflow_error("CMSG_LEN() argument out of range"))
    }

    /// CMSG_SPACE(length) -> buffer size
    ///
    /// Return the buffer size needed for recvmsg() to receive an ancillary
    /// data item with associated data of the given length, along with any
    /// trailing padding.  The buffer space needed to receive multiple items
    /// is the sum of the CMSG_SPACE() values for their associated data
    /// lengths.  Raises OverflowError if length is outside the permissible
    /// range of values.
    #[function("($module, length, /)")]
    fn CMSG_SPACE(length: isize, vm: &Vm) -> PyResult<usize> {
        usize::try_from(length)
            .ok()
            .and_then(message_space)
            .ok_or_else(|| vm.overflow_error("CMSG_SPACE() argument out of range"))
    }
}
