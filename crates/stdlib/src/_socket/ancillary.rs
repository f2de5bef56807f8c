//! Messages with ancillary data: `sendmsg`, `recvmsg` and theirs.

use std::ffi::{c_int, c_uint, c_void};

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};
use taipan_vm::runtime::audit::audit;

use super::address::{Address, from_system, parse};
use super::{Socket, SocketModule};
use crate::room;

/// The length of an item's header, padded.
const HEADER: usize = size_of::<libc::cmsghdr>();
/// What items are aligned to.
const ALIGNMENT: usize = size_of::<usize>();

/// The length of an item without the padding behind it; `None` when no C length can tell it.
fn item_length(data: usize) -> Option<usize> {
    data.checked_add(HEADER).filter(|length| i32::try_from(*length).is_ok())
}

/// The room that an item takes. Room for one more byte must be left to tell.
fn item_space(data: usize) -> Option<usize> {
    if data > i32::MAX as usize - HEADER - ALIGNMENT {
        return None;
    }
    item_length(data)?.checked_next_multiple_of(ALIGNMENT).filter(|length| i32::try_from(*length).is_ok())
}

/// Control data as the system takes it. Aligned, since the system reads structures there.
struct Control {
    words: Vec<u64>,
    used: usize,
}

impl Control {
    fn with_room(bytes: usize, vm: &Vm) -> PyResult<Control> {
        let mut words = Vec::new();
        if words.try_reserve_exact(bytes.div_ceil(8)).is_err() {
            return Err(vm.memory_error());
        }
        words.resize(bytes.div_ceil(8), 0);
        Ok(Control { words, used: 0 })
    }

    fn as_ptr(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the words are that many initialised bytes.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len() * 8) }
    }

    /// Appends an item. The room was reckoned beforehand.
    fn push(&mut self, level: c_int, kind: c_int, data: &[&[u8]]) {
        let length: usize = data.iter().map(|part| part.len()).sum();
        let (Some(whole), Some(space)) = (item_length(length), item_space(length)) else { return };
        if self.used + space > self.words.len() * 8 {
            return;
        }
        // SAFETY: the item fits into the room, as was just checked.
        unsafe {
            let place = self.as_ptr().add(self.used);
            let header = place.cast::<libc::cmsghdr>();
            (*header).cmsg_len = whole;
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            let mut at = place.add(HEADER);
            for part in data {
                std::ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at = at.add(part.len());
            }
        }
        self.used += space;
    }
}

/// The items of control data that was received: a list of (level, type, data).
fn items(control: &Control, length: usize, vm: &Vm) -> Vec<ObjRef> {
    let mut found = Vec::new();
    let mut rest = control.bytes().get(..length).unwrap_or_default();
    while rest.len() >= HEADER {
        // SAFETY: a whole header is there; items are aligned, and reading unaligned needs no alignment anyway.
        let header = unsafe { rest.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        let whole = header.cmsg_len;
        if whole < HEADER {
            break;
        }
        // A truncated item says how long it would have been.
        let data = rest.get(HEADER..whole.min(rest.len())).unwrap_or_default();
        let parts =
            [vm.new_int(header.cmsg_level), vm.new_int(header.cmsg_type), vm.new_bytes(data).into_object()];
        found.push(vm.new_tuple(parts).into_object());
        let Some(next) = whole.checked_next_multiple_of(ALIGNMENT).and_then(|next| rest.get(next..)) else {
            break;
        };
        rest = next;
    }
    found
}

/// The items of an iterable. Raises `TypeError` with the text for others.
fn list_of(object: &Object, refusal: &str, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    match object.collect_iterable(vm) {
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(vm.type_error(refusal))
        }
        other => other,
    }
}

fn flags_of(object: Option<&&Object>, vm: &Vm) -> PyResult<c_int> {
    match object {
        None => Ok(0),
        Some(object) => {
            let number = object.as_index(vm)?.to_i64();
            number
                .and_then(|number| c_int::try_from(number).ok())
                .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
        }
    }
}

fn count(args: &[&Object], name: &str, least: usize, most: usize, vm: &Vm) -> PyResult<()> {
    let given = args.len();
    let ending = |count: usize| if count == 1 { "" } else { "s" };
    if given < least {
        let ending = ending(least);
        return Err(
            vm.type_error(format!("{name}() takes at least {least} argument{ending} ({given} given)"))
        );
    }
    if given > most {
        let ending = ending(most);
        return Err(vm.type_error(format!("{name}() takes at most {most} argument{ending} ({given} given)")));
    }
    Ok(())
}

/// What arrived: how much data, the ancillary items, the flags and the sender's address.
struct Received {
    length: usize,
    rest: [ObjRef; 3],
}

impl Socket {
    fn receive_message(
        &self,
        vectors: &mut [libc::iovec],
        ancillary: Option<&&Object>,
        flags: Option<&&Object>,
        vm: &Vm,
    ) -> PyResult<Received> {
        let room = match ancillary {
            None => 0,
            Some(given) => given.as_isize(vm)?,
        };
        let flags = flags_of(flags, vm)?;
        let Some(room) = usize::try_from(room).ok().filter(|room| i32::try_from(*room).is_ok()) else {
            return Err(vm.value_error("invalid ancillary data buffer length"));
        };
        let mut control = Control::with_room(room, vm)?;
        let mut address = Address::room();
        // SAFETY: zero is a valid value of every field.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = vectors.as_mut_ptr();
        message.msg_iovlen = vectors.len();
        let (name, control_place) = ((&raw mut address.storage).cast::<c_void>(), control.as_ptr());
        let place = &raw mut message;
        let name_room = address.length;
        let got = self.call(libc::POLLIN, &self.limit(), vm, |fd| {
            // SAFETY: all the places outlive the call and have their lengths. They are set anew for each try.
            unsafe {
                (*place).msg_name = name;
                (*place).msg_namelen = name_room;
                (*place).msg_control = if room > 0 { control_place.cast() } else { std::ptr::null_mut() };
                (*place).msg_controllen = room;
                libc::recvmsg(fd, place, flags)
            }
        })?;
        address.length = message.msg_namelen.min(name_room);
        let items = items(&control, message.msg_controllen.min(room), vm);
        let sender = from_system(&address, self.protocol(), vm)?;
        let rest = [vm.new_list(items).into_object(), vm.new_int(message.msg_flags), sender];
        Ok(Received { length: got as usize, rest })
    }

    fn send_message(
        &self,
        parts: &[Buffer],
        control: &mut Control,
        address: Option<&Address>,
        flags: c_int,
        vm: &Vm,
    ) -> PyResult<isize> {
        let mut vectors: Vec<libc::iovec> = parts
            .iter()
            .map(|part| libc::iovec {
                iov_base: part.as_bytes().as_ptr().cast_mut().cast(),
                iov_len: part.as_bytes().len(),
            })
            .collect();
        // SAFETY: zero is a valid value of every field.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = vectors.as_mut_ptr();
        message.msg_iovlen = vectors.len();
        if control.used > 0 {
            message.msg_control = control.as_ptr().cast();
            message.msg_controllen = control.used;
        }
        if let Some(address) = address {
            message.msg_name = address.pointer().cast_mut().cast();
            message.msg_namelen = address.length;
        }
        let place = &raw const message;
        self.call(libc::POLLOUT, &self.limit(), vm, |fd| {
            // SAFETY: all that the message points to outlives the call.
            unsafe { libc::sendmsg(fd, place, flags) }
        })
    }
}

fn data_buffers(object: &Object, refusal: &str, vm: &Vm) -> PyResult<Vec<Buffer>> {
    let parts = list_of(object, refusal, vm)?;
    parts.iter().map(|part| BufferArg::from_object(part, vm).map(|part| part.0)).collect()
}

/// An item of `sendmsg`'s ancillary data.
fn ancillary_item(object: &Object, vm: &Vm) -> PyResult<(c_int, c_int, Buffer)> {
    const NAME: &str = "[sendmsg() ancillary data items]()";
    let Some(tuple) = object.downcast_ref::<Tuple>() else {
        let class = object.ob_type().tp_name_str();
        return Err(vm.type_error(format!("{NAME} argument must be 3-item tuple, not {class}")));
    };
    let [level, kind, data] = tuple.as_slice() else {
        return Err(vm.type_error(format!("{NAME} argument must be tuple of length 3, not {}", tuple.len())));
    };
    let (level, kind) = (flags_of(Some(&&**level), vm)?, flags_of(Some(&&**kind), vm)?);
    Ok((level, kind, BufferArg::from_object(data, vm)?.0))
}

#[pymethods(table = MESSAGE_METHODS)]
impl Socket {
    /// recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)
    ///
    /// Receive normal data (up to bufsize bytes) and ancillary data from the
    /// socket.  The ancbufsize argument sets the size in bytes of the
    /// internal buffer used to receive the ancillary data; it defaults to 0,
    /// meaning that no ancillary data will be received.
    #[method("($self, *args)")]
    fn recvmsg(&self, args: &[&Object], vm: &Vm) -> PyResult<Ref<Tuple>> {
        count(args, "recvmsg", 1, 3, vm)?;
        let size = match args.first() {
            Some(size) => size.as_isize(vm)?,
            None => 0,
        };
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error("negative buffer size in recvmsg()"));
        };
        let mut bytes = room::zeroed(size, vm)?;
        let mut vector = [libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: size }];
        let got = self.receive_message(&mut vector, args.get(1), args.get(2), vm)?;
        let [items, flags, sender] = got.rest;
        let data = vm.new_bytes(bytes.get(..got.length).unwrap_or_default()).into_object();
        Ok(vm.new_tuple([data, items, flags, sender]))
    }

    /// recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)
    ///
    /// Receive normal data and ancillary data from the socket, scattering the
    /// non-ancillary data into a series of buffers.  The buffers argument
    /// must be an iterable of objects that export writable buffers
    /// (e.g. bytearray objects); these will be filled with successive chunks
    /// of the non-ancillary data until it has all been written or there are
    /// no more buffers.
    #[method("($self, *args)")]
    fn recvmsg_into(&self, args: &[&Object], vm: &Vm) -> PyResult<Ref<Tuple>> {
        count(args, "recvmsg_into", 1, 3, vm)?;
        let Some(buffers) = args.first() else { return Err(vm.type_error("no buffers")) };
        let parts = list_of(buffers, "recvmsg_into() argument 1 must be an iterable", vm)?;
        let mut views = Vec::with_capacity(parts.len());
        for part in &parts {
            match part.get_buffer(buffer::WRITABLE, vm) {
                Ok(view) => views.push(view),
                Err(Raised) => {
                    vm.clear_exception();
                    return Err(vm.type_error(
                        "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers",
                    ));
                }
            }
        }
        let mut vectors: Vec<libc::iovec> = views
            .iter_mut()
            .map(|view| {
                let bytes = view.as_bytes_mut().unwrap_or(&mut []);
                libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
            })
            .collect();
        let got = self.receive_message(&mut vectors, args.get(1), args.get(2), vm)?;
        let [items, flags, sender] = got.rest;
        Ok(vm.new_tuple([vm.new_int(got.length), items, flags, sender]))
    }

    /// sendmsg(buffers[, ancdata[, flags[, address]]]) -> count
    ///
    /// Send normal and ancillary data to the socket, gathering the
    /// non-ancillary data from a series of buffers and concatenating it into
    /// a single message.  The buffers argument specifies the non-ancillary
    /// data as an iterable of bytes-like objects (e.g. bytes objects).
    /// The ancdata argument specifies the ancillary data (control messages)
    /// as an iterable of zero or more tuples (cmsg_level, cmsg_type,
    /// cmsg_data).
    #[method("($self, *args)")]
    fn sendmsg(&self, args: &[&Object], vm: &Vm) -> PyResult<isize> {
        count(args, "sendmsg", 1, 4, vm)?;
        let Some(data) = args.first() else { return Err(vm.type_error("no data")) };
        let flags = flags_of(args.get(2), vm)?;
        let target = args.get(3).filter(|address| !vm.is_none(address));
        let address = match target {
            Some(address) => Some(parse(address, self.family_number(), self.protocol(), "sendmsg", vm)?),
            None => None,
        };
        let shown = target.map_or_else(|| vm.none(), |address| address.to_ref());
        audit("socket.sendmsg", &[self.as_object(), &shown], vm)?;
        let parts = data_buffers(data, "sendmsg() argument 1 must be an iterable", vm)?;
        let items = match args.get(1) {
            None => Vec::new(),
            Some(items) => list_of(items, "sendmsg() argument 2 must be an iterable", vm)?,
        };
        let items: PyResult<Vec<_>> = items.iter().map(|item| ancillary_item(item, vm)).collect();
        let items = items?;
        let mut room = 0usize;
        for (_, _, data) in &items {
            let space = item_space(data.as_bytes().len())
                .ok_or_else(|| vm.raise(types::os_error(), "ancillary data item too large"))?;
            room = room
                .checked_add(space)
                .filter(|room| i32::try_from(*room).is_ok())
                .ok_or_else(|| vm.raise(types::os_error(), "too much ancillary data"))?;
        }
        let mut control = Control::with_room(room, vm)?;
        for (level, kind, data) in &items {
            control.push(*level, *kind, &[data.as_bytes()]);
        }
        self.send_message(&parts, &mut control, address.as_ref(), flags, vm)
    }

    /// sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])
    ///
    /// Set operation mode, IV and length of associated data for an AF_ALG
    /// operation socket.
    #[method("($self, msg=None, /, *, op=-1, iv=None, assoclen=-1, flags=0)")]
    fn sendmsg_afalg(
        &self,
        msg: Option<&Object>,
        op: Option<i32>,
        iv: Option<&Object>,
        assoclen: Option<&Object>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<isize> {
        const SET_IV: c_int = 2;
        const SET_OPERATION: c_int = 3;
        const SET_ASSOCIATED_LENGTH: c_int = 4;
        if self.family_number() != libc::AF_ALG {
            return Err(vm.raise(types::os_error(), "algset is only supported for AF_ALG"));
        }
        let Some(operation) = op.and_then(|op| u32::try_from(op).ok()) else {
            return Err(vm.type_error("Invalid or missing argument 'op'"));
        };
        let associated = match assoclen {
            None => None,
            Some(given) => {
                let length = given.as_isize(vm)?;
                let Ok(length) = u32::try_from(length) else {
                    return Err(vm.type_error("assoclen must be positive"));
                };
                Some(length)
            }
        };
        let iv = iv.map(|iv| BufferArg::from_object(iv, vm)).transpose()?;
        let iv = iv.as_ref().map(BufferArg::as_bytes);
        let parts = match msg {
            Some(msg) => data_buffers(msg, "sendmsg_afalg() argument 1 must be an iterable", vm)?,
            None => Vec::new(),
        };
        let spaces = [Some(4), iv.map(|iv| iv.len() + 4), associated.map(|_| 4)];
        let mut room = 0usize;
        for space in spaces.into_iter().flatten() {
            let Some(space) = item_space(space) else {
                return Err(vm.value_error("iv is too long"));
            };
            room += space;
        }
        let mut control = Control::with_room(room, vm)?;
        control.push(libc::SOL_ALG, SET_OPERATION, &[&operation.to_ne_bytes()]);
        if let Some(iv) = iv {
            control.push(libc::SOL_ALG, SET_IV, &[&(iv.len() as c_uint).to_ne_bytes(), iv]);
        }
        if let Some(length) = associated {
            control.push(libc::SOL_ALG, SET_ASSOCIATED_LENGTH, &[&length.to_ne_bytes()]);
        }
        self.send_message(&parts, &mut control, None, flags.unwrap_or(0), vm)
    }
}

fn data_length(length: isize) -> Option<usize> {
    usize::try_from(length).ok()
}

#[pyfunctions(table = CONTROL_FUNCTIONS)]
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
    #[function("!($module, length, /)", name = "CMSG_LEN")]
    fn cmsg_len(length: &Object, vm: &Vm) -> PyResult<usize> {
        let length = isize::from_arg(length, &NOWHERE, vm)?;
        data_length(length)
            .and_then(item_length)
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
    #[function("!($module, length, /)", name = "CMSG_SPACE")]
    fn cmsg_space(length: &Object, vm: &Vm) -> PyResult<usize> {
        let length = isize::from_arg(length, &NOWHERE, vm)?;
        data_length(length)
            .and_then(item_space)
            .ok_or_else(|| vm.overflow_error("CMSG_SPACE() argument out of range"))
    }
}

const NOWHERE: taipan_vm::args::ArgName = taipan_vm::args::ArgName { func: "", pos: 0, name: "" };
