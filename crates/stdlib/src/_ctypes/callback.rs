//! Callbacks: C functions that call Python, made by libffi at run time.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_uint, c_void};

use libffi_sys::{self as ffi, ffi_cif, ffi_closure, ffi_type};
use smallvec::SmallVec;
use taipan_vm::builtins::warn::warn;
use taipan_vm::exceptions::unraisable::write_unraisable_while;
use taipan_vm::prelude::*;

use super::call::{FLAG_USE_ERRNO, FLAG_USE_LAST_ERROR, ffi_of, swap_errno};
use super::data::{as_cdata, conversion};
use super::formats::{self, Format};
use super::stginfo::info_of_class;

unsafe extern "C" {
    /// Makes the calling thread one that may run Python. The runtime's C API.
    fn PyGILState_Ensure() -> c_int;
    /// Undoes it.
    fn PyGILState_Release(state: c_int);
}

/// The layout: what the generated function needs.
#[repr(C)]
pub struct Thunk {
    ob: Object,
    closure: Cell<*mut ffi_closure>,
    entry: Cell<*mut c_void>,
    cif: UnsafeCell<Box<ffi_cif>>,
    types: UnsafeCell<Vec<*mut ffi_type>>,
    callable: Slot<Object>,
    argtypes: Ref<Tuple>,
    restype: Slot<Object>,
    result_type: *mut ffi_type,
    result: Option<Format>,
    flags: u32,
}

impl Traverse for Thunk {
    fn traverse(&self, visit: &mut Visit) {
        self.callable.traverse(visit);
        self.argtypes.traverse(visit);
        self.restype.traverse(visit);
    }

    /// The types stay: C code may still call.
    fn clear(&self) {
        self.callable.clear();
    }
}

impl Drop for Thunk {
    fn drop(&mut self) {
        if !self.closure.get().is_null() {
            // SAFETY: allocated by `ffi_closure_alloc`; nobody may call it any more.
            unsafe { ffi::ffi_closure_free(self.closure.get().cast()) };
        }
    }
}

#[pytype(name = "_ctypes.CThunkObject", gc, no_new, doc = "CThunkObject")]
impl Thunk {}

impl Thunk {
    /// A C function that calls `callable` with arguments of the given types.
    pub fn new(
        callable: &Object,
        argtypes: &Tuple,
        restype: Option<&Object>,
        flags: u32,
        vm: &Vm,
    ) -> PyResult<Ref<Thunk>> {
        let mut types: Vec<*mut ffi_type> =
            argtypes.as_slice().iter().map(|class| ffi_of(Some(class))).collect();
        let (result_type, result) = match restype {
            Some(restype) if vm.is_none(restype) => (&raw mut ffi::ffi_type_void, None),
            restype => {
                let info = restype.and_then(info_of_class);
                let Some((info, format)) = info.and_then(|info| Some((info, info.code.get()?))) else {
                    return Err(vm.type_error("invalid result type for callback function"));
                };
                (info.ffi_ptr(), Some(format))
            }
        };
        let mut entry = std::ptr::null_mut();
        // SAFETY: libffi gives writable memory and the address at which it can be executed.
        let closure = unsafe { ffi::ffi_closure_alloc(size_of::<ffi_closure>(), &raw mut entry) };
        if closure.is_null() {
            return Err(vm.memory_error());
        }
        let mut cif = Box::new(ffi_cif::default());
        // SAFETY: the types live as long as the thunk, which keeps their classes.
        let status = unsafe {
            ffi::ffi_prep_cif(
                &raw mut *cif,
                ffi::ffi_abi_FFI_DEFAULT_ABI,
                types.len() as c_uint,
                result_type,
                types.as_mut_ptr(),
            )
        };
        let thunk = vm.new_object(Thunk {
            ob: Object::new(Self::type_object()),
            closure: Cell::new(closure.cast()),
            entry: Cell::new(entry),
            cif: UnsafeCell::new(cif),
            types: UnsafeCell::new(types),
            callable: Slot::of(callable.to_ref()),
            argtypes: argtypes.into(),
            restype: Slot::new(restype.map(Object::to_ref)),
            result_type,
            result,
            flags,
        });
        if status != ffi::ffi_status_FFI_OK {
            return Err(vm.runtime_error(format!("ffi_prep_cif failed with {status}")));
        }
        // SAFETY: the closure is freed by the thunk that it gets as its data, so the thunk outlives it.
        let status = unsafe {
            ffi::ffi_prep_closure_loc(
                thunk.closure.get(),
                &raw mut **thunk.cif.get(),
                Some(enter),
                thunk.as_raw().cast(),
                entry,
            )
        };
        if status != ffi::ffi_status_FFI_OK {
            return Err(vm.runtime_error(format!("ffi_prep_closure failed with {status}")));
        }
        Ok(thunk)
    }

    /// The address of the C function.
    pub fn entry(&self) -> *mut u8 {
        self.entry.get().cast()
    }

    /// Converts the arguments; none with the failure reported.
    unsafe fn arguments(&self, values: *mut *mut c_void, vm: &Vm) -> Option<SmallVec<[ObjRef; 6]>> {
        let mut arguments = SmallVec::new();
        for (i, class) in self.argtypes.as_slice().iter().enumerate() {
            // SAFETY: C code passes as many values as the description has types.
            let value = unsafe { *values.add(i) }.cast::<u8>();
            let made = match (info_of_class(class), conversion(class)) {
                // SAFETY: the value has its type.
                (Some(info), Some(format)) => unsafe {
                    formats::get(format, value, info.size.get() as isize, vm)
                },
                (Some(info), None) => class.call_no_args(vm).and_then(|made| {
                    let Some(data) = as_cdata(&made) else {
                        return Err(vm.type_error("unexpected result of create argument"));
                    };
                    // Aggregates and pointers; arrays come as the address of their first item.
                    let count = info.size.get().min(data.size());
                    // SAFETY: libffi lends as many bytes as its type says.
                    let lent = unsafe { (*info.ffi_ptr()).size };
                    // SAFETY: both have `count` bytes.
                    unsafe { data.ptr().copy_from_nonoverlapping(value, count.min(lent)) };
                    Ok(made)
                }),
                (None, _) => Err(vm.type_error("cannot build parameter")),
            };
            match made {
                Ok(made) => arguments.push(made),
                Err(Raised) => {
                    write_unraisable_while(
                        &format!("on creating argument {i} for ctypes callback function"),
                        self.callable.get().as_deref(),
                        vm,
                    );
                    return None;
                }
            }
        }
        Some(arguments)
    }

    unsafe fn run(&self, result: *mut c_void, values: *mut *mut c_void, vm: &Vm) {
        let Some(callable) = self.callable.get() else { return };
        // SAFETY: passed on to the caller.
        let Some(arguments) = (unsafe { self.arguments(values, vm) }) else { return };
        let swaps = self.flags & (FLAG_USE_ERRNO | FLAG_USE_LAST_ERROR) != 0;
        if swaps {
            swap_errno();
        }
        let borrowed = taipan_vm::protocols::native::borrow_all(&arguments);
        let returned = callable.call(borrowed, vm);
        if returned.is_err() {
            write_unraisable_while("while calling ctypes callback function", Some(&callable), vm);
        }
        if swaps {
            swap_errno();
        }
        let (Ok(value), Some(format)) = (returned, self.result) else { return };
        // SAFETY: libffi gives room for the result type, a word at least.
        let stored = unsafe { formats::set(format, result.cast(), &value, 0, vm) };
        let failed = match stored {
            Ok(keep) if format.code == b'O' => {
                // The caller gets the reference.
                let _ = keep.into_raw();
                false
            }
            Ok(keep) if vm.is_none(&keep) => false,
            Ok(keep) => {
                // Nobody says when the caller has done with it.
                let _ = keep.into_raw();
                warn(types::runtime_warning(), "memory leak in callback function.", 1, vm).is_err()
            }
            Err(Raised) => true,
        };
        if failed {
            write_unraisable_while(
                "while converting result of ctypes callback function",
                Some(&callable),
                vm,
            );
        }
    }
}

/// What every generated function runs.
unsafe extern "C" fn enter(
    _cif: *mut ffi_cif,
    result: *mut c_void,
    values: *mut *mut c_void,
    data: *mut c_void,
) {
    // SAFETY: the thunk is alive as long as its function may be called; libffi vouches for the rest.
    unsafe {
        let state = PyGILState_Ensure();
        {
            let thunk: Ref<Thunk> = Ref::new_ref(&*data.cast::<Thunk>());
            let size = (*thunk.result_type).size;
            if thunk.result.is_some() {
                result.cast::<u8>().write_bytes(0, size);
            }
            thunk.run(result, values, Vm::current());
        }
        PyGILState_Release(state);
    }
}
