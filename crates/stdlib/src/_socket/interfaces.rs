//! Network interfaces by name and by index.

use std::ffi::{CStr, CString};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::{decode, fspath, path_bytes};

use super::SocketModule;

/// A name as the file system's encoding has it.
pub fn name_of(object: &Object, vm: &Vm) -> PyResult<CString> {
    let path = fspath(object, vm)?;
    CString::new(path_bytes(&path, "", vm)?).map_err(|_| vm.value_error("embedded null byte"))
}

#[pyfunctions(table = INTERFACE_FUNCTIONS)]
impl SocketModule {
    /// if_nameindex()
    ///
    /// Returns a list of network interface information (index, name) tuples.
    #[function("($self, /)")]
    fn if_nameindex(vm: &Vm) -> PyResult<Ref<List>> {
        let mut found = Vec::new();
        // SAFETY: the array ends with an index of 0, and is freed at the end.
        unsafe {
            let array = libc::if_nameindex();
            if array.is_null() {
                return Err(vm.last_os_error(None));
            }
            let mut at = array;
            while (*at).if_index != 0 && !(*at).if_name.is_null() {
                let name = decode(CStr::from_ptr((*at).if_name).to_bytes(), vm).into_object();
                found.push(vm.new_tuple([vm.new_int((*at).if_index), name]).into_object());
                at = at.add(1);
            }
            libc::if_freenameindex(array);
        }
        Ok(vm.new_list(found))
    }

    /// Returns the interface index corresponding to the interface name if_name.
    #[function("($module, oname, /)")]
    fn if_nametoindex(oname: &Object, vm: &Vm) -> PyResult<u32> {
        let name = name_of(oname, vm)?;
        // SAFETY: the name is NUL-terminated.
        match unsafe { libc::if_nametoindex(name.as_ptr()) } {
            0 => Err(vm.last_os_error(None)),
            index => Ok(index),
        }
    }

    /// Returns the interface name corresponding to the interface index if_index.
    #[function("($module, if_index, /)")]
    fn if_indextoname(if_index: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        let number = if_index.as_index(vm)?;
        if number.is_negative() {
            return Err(vm.value_error("Cannot convert negative int"));
        }
        let index = number.to_u64().and_then(|index| u32::try_from(index).ok());
        let Some(index) = index else {
            return Err(vm.overflow_error("Python int too large for C unsigned int"));
        };
        let mut name = [0u8; libc::IF_NAMESIZE];
        // SAFETY: the buffer has the length that names have at most.
        if unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) }.is_null() {
            return Err(vm.last_os_error(None));
        }
        Ok(decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm))
    }
}
