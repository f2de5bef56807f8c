//! Shared libraries: `dlopen`, `dlsym`, `dlclose`, and the list of what is loaded.

use std::ffi::{CStr, CString, c_int, c_void};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path;
use taipan_vm::runtime::audit::audit;

use super::{Ctypes, class_methods, exactly, names};

/// What the loader says of its last failure in this thread.
fn last_error() -> Option<Vec<u8>> {
    // SAFETY: `dlerror` gives null or a text that lives until the next call.
    unsafe {
        let text = libc::dlerror();
        (!text.is_null()).then(|| CStr::from_ptr(text).to_bytes().to_vec())
    }
}

/// A loader's text as a str.
pub fn message(text: &[u8], vm: &Vm) -> ObjRef {
    path::decode(text, vm).into_object()
}

/// A symbol's address, or the loader's message.
pub fn symbol(handle: *mut c_void, name: &CStr) -> Result<*mut u8, Option<Vec<u8>>> {
    // SAFETY: the handle is the program's responsibility; the name is a C string.
    let address = unsafe {
        libc::dlerror();
        libc::dlsym(handle, name.as_ptr())
    };
    if address.is_null() { Err(last_error()) } else { Ok(address.cast()) }
}

/// The handle of a library object, as `CDLL` has it in `_handle`.
pub fn handle_of(dll: &Object, vm: &Vm) -> PyResult<*mut c_void> {
    let handle = dll.get_attr(&names(vm)._handle, vm)?;
    if handle.downcast_ref::<Int>().is_none() {
        return Err(vm.type_error("the _handle attribute of the second argument must be an integer"));
    }
    match class_methods::address(&handle, "", vm) {
        Ok(handle) => Ok(handle.cast()),
        Err(Raised) => {
            vm.clear_exception();
            Err(vm.value_error("could not convert the _handle attribute to a pointer"))
        }
    }
}

fn given_handle(object: &Object, vm: &Vm) -> PyResult<*mut c_void> {
    Ok(class_methods::address(object, "an integer is required", vm)?.cast())
}

fn raise_last(vm: &Vm) -> Raised {
    let text = last_error().unwrap_or_default();
    vm.raise_with(types::os_error(), vec![message(&text, vm)])
}

#[pyfunctions(table = LIBRARIES)]
impl Ctypes {
    /// dlopen(name, flag={RTLD_GLOBAL|RTLD_LOCAL}) open a shared library
    #[function("!($module, /, *args)")]
    fn dlopen(args: &[&Object], vm: &Vm) -> PyResult {
        let (name, mode) = match args {
            [name] => (*name, 0),
            [name, mode] => {
                let mode = mode.as_isize(vm)?;
                let mode = c_int::try_from(mode)
                    .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
                (*name, mode)
            }
            [] => return Err(vm.type_error("dlopen() takes at least 1 argument (0 given)")),
            more => {
                let count = more.len();
                return Err(vm.type_error(format!("dlopen() takes at most 2 arguments ({count} given)")));
            }
        };
        let file = if vm.is_none(name) {
            None
        } else {
            let fs = path::fspath(name, vm)?;
            let bytes = match (fs.downcast_ref::<Str>(), fs.downcast_ref::<Bytes>()) {
                (Some(text), _) => path::encode(text, vm)?,
                (_, Some(bytes)) => bytes.as_bytes().to_vec(),
                _ => return Err(vm.type_error("expected str, bytes or os.PathLike object")),
            };
            Some(CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))?)
        };
        audit("ctypes.dlopen", &[name], vm)?;
        // Initialisers of the library may use Python: the lock is kept, as the loader is not to be entered twice.
        let file = file.as_ref().map_or(std::ptr::null(), |file| file.as_ptr());
        // SAFETY: null or a C string.
        let handle = unsafe { libc::dlopen(file, mode | libc::RTLD_NOW) };
        if handle.is_null() { Err(raise_last(vm)) } else { Ok(vm.new_int(handle as usize)) }
    }

    /// dlclose a library
    #[function("!($module, /, *args)")]
    fn dlclose(args: &[&Object], vm: &Vm) -> PyResult {
        let [handle] = *exactly::<1>("", args, vm)?;
        let handle = given_handle(handle, vm)?;
        if handle.is_null() {
            return Err(vm.system_error("dlclose() argument 1 (unspecified)"));
        }
        // SAFETY: the handle is the program's responsibility.
        if unsafe { libc::dlclose(handle) } != 0 { Err(raise_last(vm)) } else { Ok(vm.none()) }
    }

    /// find symbol in shared library
    #[function("!($module, /, *args)")]
    fn dlsym(args: &[&Object], vm: &Vm) -> PyResult {
        let [handle, name] = *exactly::<2>("dlsym()", args, vm)?;
        let raw = given_handle(handle, vm)?;
        let Some(text) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("dlsym() argument 2 must be str, not {}", name.type_name())));
        };
        let symbol_name =
            CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))?;
        audit("ctypes.dlsym/handle", &[handle, name], vm)?;
        match symbol(raw, &symbol_name) {
            Ok(address) => Ok(vm.new_int(address as usize)),
            Err(Some(text)) => Err(vm.raise_with(types::os_error(), vec![message(&text, vm)])),
            Err(None) => {
                Err(vm.raise(types::os_error(), format!("symbol '{}' not found", text.to_string_lossy())))
            }
        }
    }

    /// dllist() return a list of loaded shared libraries
    #[function("($self, /)")]
    fn dllist(vm: &Vm) -> PyResult {
        let mut found: Vec<Vec<u8>> = Vec::new();
        // SAFETY: the callback gets the loader's records and our list.
        unsafe { libc::dl_iterate_phdr(Some(collect_library), (&raw mut found).cast()) };
        let list = found.iter().map(|name| message(name, vm)).collect::<Vec<_>>();
        Ok(vm.new_list(list).into_object())
    }
}

unsafe extern "C" fn collect_library(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    list: *mut c_void,
) -> c_int {
    // SAFETY: called by `dl_iterate_phdr` with a record and the list that `dllist` passed.
    unsafe {
        let name = (*info).dlpi_name;
        let name = if name.is_null() { Vec::new() } else { CStr::from_ptr(name).to_bytes().to_vec() };
        (*list.cast::<Vec<Vec<u8>>>()).push(name);
    }
    0
}
