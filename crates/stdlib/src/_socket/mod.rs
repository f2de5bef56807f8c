//! `_socket`: the system's sockets under `socket`.

use taipan_vm::prelude::*;

use socket::{DefaultTimeout, blank, errno, set_nonblocking, timeout_object, timeout_of};

mod address;
mod ancillary;
mod constants;
mod families;
mod interfaces;
mod names;
mod socket;

pub use socket::Socket;

/// The module.
pub struct SocketModule;

fn exception(name: &str, base: &'static Type, module: &Module, vm: &Vm) -> PyResult<()> {
    let bases = vm.new_tuple([base.as_object().to_ref()]);
    let namespace = vm.new_dict();
    namespace.set_str(vm.ids().__module__, vm.new_str("socket").as_object(), vm)?;
    let class = base
        .as_object()
        .ob_type()
        .as_object()
        .call(&[vm.new_str(name).as_object(), bases.as_object(), namespace.as_object()], vm)?;
    module.set(name, &class, vm)
}

/// An unsigned number of so many bits. Raises what C's converters of that type raise.
fn unsigned(object: &Object, most: u64, shown: &str, vm: &Vm) -> PyResult<u64> {
    let number = object.as_index(vm)?;
    if number.is_negative() {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    number
        .to_u64()
        .filter(|number| *number <= most)
        .ok_or_else(|| vm.overflow_error(format!("Python int too large for C {shown}")))
}

/// Implementation module for socket operations.
///
/// See the socket module for documentation.
#[pymodule(name = "_socket", functions(NAME_FUNCTIONS, INTERFACE_FUNCTIONS, CONTROL_FUNCTIONS))]
impl SocketModule {
    /// close(integer) -> None
    ///
    /// Close an integer socket file descriptor.  This is like os.close(), but for
    /// sockets; on some platforms os.close() won't work for socket file descriptors.
    #[function("($self, object, /)")]
    fn close(fd: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        if vm.allow_threads(|| unsafe { libc::close(fd) }) < 0 && errno() != libc::ECONNRESET {
            return Err(vm.last_os_error(None));
        }
        Ok(())
    }

    /// dup(integer) -> integer
    ///
    /// Duplicate an integer socket file descriptor.  This is like os.dup(), but for
    /// sockets; on some platforms os.dup() won't work for socket file descriptors.
    #[function("($self, object, /)")]
    fn dup(fd: i32, vm: &Vm) -> PyResult<i32> {
        // SAFETY: a plain system call.
        vm.checked_call(None, || unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
    }

    /// socketpair([family[, type [, proto]]]) -> (socket object, socket object)
    ///
    /// Create a pair of socket objects from the sockets returned by the platform
    /// socketpair() function.
    #[function("!($module, family=socket.AF_UNIX, type=socket.SOCK_STREAM, proto=0, /)")]
    fn socketpair(
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        let (family, kind, proto) =
            (family.unwrap_or(libc::AF_UNIX), r#type.unwrap_or(libc::SOCK_STREAM), proto.unwrap_or(0));
        let mut ends = [0; 2];
        // SAFETY: the array has two places.
        if unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, ends.as_mut_ptr()) } < 0 {
            return Err(vm.last_os_error(None));
        }
        let limit = vm.interp().state::<DefaultTimeout>().0.get();
        let wrap = |fd: i32| {
            let made = blank();
            made.adopt(fd, family, kind, proto, limit);
            vm.new_object(made)
        };
        let [first, second] = ends.map(wrap);
        if limit.is_some() {
            set_nonblocking(first.descriptor(), true, vm)?;
            set_nonblocking(second.descriptor(), true, vm)?;
        }
        Ok(vm.new_tuple([first.into_object(), second.into_object()]))
    }

    /// Convert a 16-bit unsigned integer from network to host byte order.
    #[function("($module, integer, /)")]
    fn ntohs(integer: &Object, vm: &Vm) -> PyResult<u16> {
        Ok((unsigned(integer, u64::from(u16::MAX), "uint16_t", vm)? as u16).to_be())
    }

    /// Convert a 16-bit unsigned integer from host to network byte order.
    #[function("($module, integer, /)")]
    fn htons(integer: &Object, vm: &Vm) -> PyResult<u16> {
        Ok((unsigned(integer, u64::from(u16::MAX), "uint16_t", vm)? as u16).to_be())
    }

    /// Convert a 32-bit unsigned integer from network to host byte order.
    #[function("($module, integer, /)")]
    fn ntohl(integer: &Object, vm: &Vm) -> PyResult<u32> {
        Ok((unsigned(integer, u64::from(u32::MAX), "uint32_t", vm)? as u32).to_be())
    }

    /// Convert a 32-bit unsigned integer from host to network byte order.
    #[function("($module, integer, /)")]
    fn htonl(integer: &Object, vm: &Vm) -> PyResult<u32> {
        Ok((unsigned(integer, u64::from(u32::MAX), "uint32_t", vm)? as u32).to_be())
    }

    /// getdefaulttimeout() -> timeout
    ///
    /// Returns the default timeout in seconds (float) for new socket objects.
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[function("($self, /)")]
    fn getdefaulttimeout(vm: &Vm) -> ObjRef {
        timeout_object(vm.interp().state::<DefaultTimeout>().0.get(), vm)
    }

    /// setdefaulttimeout(timeout)
    ///
    /// Set the default timeout in seconds (float) for new socket objects.
    /// A value of None indicates that new socket objects have no timeout.
    /// When the socket module is first imported, the default is None.
    #[function("($self, object, /)")]
    fn setdefaulttimeout(timeout: &Object, vm: &Vm) -> PyResult<()> {
        vm.interp().state::<DefaultTimeout>().0.set(timeout_of(timeout, vm)?);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in constants::NUMBERS {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("BDADDR_ANY", vm.new_str("00:00:00:00:00:00").as_object(), vm)?;
        module.set("BDADDR_LOCAL", vm.new_str("00:00:00:FF:FF:FF").as_object(), vm)?;
        module.set("has_ipv6", vm.true_ref(), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        module.set("timeout", types::timeout_error().as_object(), vm)?;
        exception("herror", types::os_error(), module, vm)?;
        exception("gaierror", types::os_error(), module, vm)?;
        taipan_vm::builtins::type_::type_ready(Socket::type_object(), vm)?;
        module.set("socket", Socket::type_object().as_object(), vm)?;
        module.set("CAPI", &socket::capi(vm), vm)?;
        module.set("SocketType", Socket::type_object().as_object(), vm)
    }
}
