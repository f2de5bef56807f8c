//! Device numbers.

use taipan_vm::args::ArgName;
use taipan_vm::prelude::*;

use super::Posix;

/// A device's number; -1 stands for no device.
pub(super) struct Device(pub(super) u64);

impl FromArg<'_> for Device {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        match (index.to_u64(), index.to_i64()) {
            (Some(number), _) => Ok(Device(number)),
            (None, Some(-1)) => Ok(Device(u64::MAX)),
            (None, Some(_)) => Err(vm.overflow_error("can't convert negative int to unsigned")),
            (None, None) => Err(vm.overflow_error("int too big to convert")),
        }
    }
}

/// A part of a device's number.
struct Part(u32);

impl FromArg<'_> for Part {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        match index.to_i64() {
            Some(-1) => Ok(Part(u32::MAX)),
            Some(number) => u32::try_from(number)
                .map(Part)
                .map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int")),
            None => Err(vm.overflow_error("int too big to convert")),
        }
    }
}

fn part_object(part: u32, vm: &Vm) -> ObjRef {
    if part == u32::MAX { vm.new_int(-1) } else { vm.new_int(part) }
}

#[pyfunctions(table = DEVICE_FUNCTIONS)]
impl Posix {
    /// Extracts a device major number from a raw device number.
    #[function("($module, device, /)")]
    fn major(device: Device, vm: &Vm) -> ObjRef {
        part_object(libc::major(device.0), vm)
    }

    /// Extracts a device minor number from a raw device number.
    #[function("($module, device, /)")]
    fn minor(device: Device, vm: &Vm) -> ObjRef {
        part_object(libc::minor(device.0), vm)
    }

    /// Composes a raw device number from the major and minor device numbers.
    #[function("($module, major, minor, /)")]
    fn makedev(major: Part, minor: Part, vm: &Vm) -> ObjRef {
        match libc::makedev(major.0, minor.0) {
            u64::MAX => vm.new_int(-1),
            device => vm.new_int(device),
        }
    }
}
