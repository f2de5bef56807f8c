//! Calling C functions through libffi: arguments become machine values, the result an object.

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};

use libffi_sys::{self as ffi, ffi_cif, ffi_type};
use smallvec::SmallVec;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::{audit, is_active};

use super::carg::{CArg, Value};
use super::data::{self, CData, as_cdata, extend_error};
use super::stginfo::{info_of, info_of_any, info_of_class};
use super::{Ctypes, argument_error, as_parameter, class_methods, exactly, formats};

/// The most arguments of a call.
pub const MAX_ARGUMENTS: usize = 1024;
/// C's own calling convention.
pub const FLAG_CDECL: u32 = 1;
/// The function uses Python: the interpreter's lock is kept, and its exception is raised.
pub const FLAG_PYTHON_API: u32 = 4;
/// `errno` is swapped with ctypes' copy around the call.
pub const FLAG_USE_ERRNO: u32 = 8;
/// The same for the last error of Windows.
pub const FLAG_USE_LAST_ERROR: u32 = 16;

thread_local! {
    /// The thread's copy of `errno`.
    static ERRNO: Cell<c_int> = const { Cell::new(0) };
}

/// Swaps `errno` with the thread's copy.
pub fn swap_errno() {
    // SAFETY: the thread's own `errno`.
    let place = unsafe { &mut *libc::__errno_location() };
    *place = ERRNO.replace(*place);
}

/// An argument ready for libffi.
struct Argument {
    ffi: *mut ffi_type,
    value: Value,
    /// Keeps what the value points to.
    _keep: Option<ObjRef>,
}

fn pointer_argument(address: *const u8, keep: Option<ObjRef>) -> Argument {
    let value = [address as usize as u64, 0, 0, 0];
    Argument { ffi: &raw mut ffi::ffi_type_pointer, value, _keep: keep }
}

/// An argument without a declared type: instances of C types, ints as `int`, `bytes` and `str` by address, `None` as null.
fn convert(object: &Object, position: usize, vm: &Vm) -> PyResult<Argument> {
    if let Some(argument) = object.downcast_exact::<CArg>() {
        let (ffi, value) = argument.ready();
        return Ok(Argument { ffi, value, _keep: Some(object.to_ref()) });
    }
    if let Some(data) = as_cdata(object).filter(|data| info_of(data.class()).is_some()) {
        let argument = CArg::of_instance(data, vm)?;
        let (ffi, value) = argument.ready();
        return Ok(Argument { ffi, value, _keep: Some(argument.into_object()) });
    }
    if vm.is_none(object) {
        return Ok(pointer_argument(std::ptr::null(), None));
    }
    if let Some(int) = object.downcast_ref::<Int>() {
        let Some(value) = int.to_u64().or_else(|| int.to_i64().map(|value| value as u64)) else {
            return Err(vm.overflow_error("int too long to convert"));
        };
        // Only an `int` of it is passed.
        return Ok(Argument { ffi: &raw mut ffi::ffi_type_sint32, value: [value, 0, 0, 0], _keep: None });
    }
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        return Ok(pointer_argument(bytes.data_ptr(), Some(object.to_ref())));
    }
    if let Some(text) = object.downcast_ref::<Str>() {
        let (pointer, keep) = formats::wide_capsule(text, vm);
        return Ok(pointer_argument(pointer.cast(), Some(keep)));
    }
    match as_parameter(object, vm)? {
        Some(value) => {
            vm.check_recursion(" while processing _as_parameter_")?;
            let mut argument = convert(&value, position, vm)?;
            argument._keep = Some(match argument._keep {
                Some(keep) => vm.new_tuple([keep, value]).into_object(),
                None => value,
            });
            Ok(argument)
        }
        None => Err(vm.type_error(format!("Don't know how to convert parameter {position}"))),
    }
}

/// A result type for libffi; `int` for what is no C type.
pub fn ffi_of(class: Option<&Object>) -> *mut ffi_type {
    match class.and_then(info_of_any) {
        Some(info) => info.ffi_ptr(),
        None => &raw mut ffi::ffi_type_sint32,
    }
}

/// A function to call.
pub struct Function<'a> {
    /// Its address.
    pub address: usize,
    /// `FLAG_…`.
    pub flags: u32,
    /// The `from_param` methods of the declared arguments.
    pub converters: Option<&'a Tuple>,
    /// The result type; none for `int`.
    pub restype: Option<&'a Object>,
    /// The result type's `_check_retval_`.
    pub checker: Option<&'a Object>,
}

/// Calls. Raises `ArgumentError` for what doesn't convert.
pub fn call(function: &Function<'_>, args: &[ObjRef], vm: &Vm) -> PyResult {
    if is_active(vm) {
        let arguments = vm.new_tuple(args.to_vec());
        audit("ctypes.call_function", &[&vm.new_int(function.address), arguments.as_object()], vm)?;
    }
    if args.len() > MAX_ARGUMENTS {
        let count = args.len();
        return Err(argument_error(&format!("too many arguments ({count}), maximum is {MAX_ARGUMENTS}"), vm));
    }
    let declared = function.converters.map_or(&[][..], Tuple::as_slice);
    let mut arguments: SmallVec<[Argument; 6]> = SmallVec::with_capacity(args.len());
    for (i, given) in args.iter().enumerate() {
        let converted = match declared.get(i) {
            Some(converter) => converter.call(&[given], vm).and_then(|value| {
                let mut argument = convert(&value, i + 1, vm)?;
                if argument._keep.is_none() {
                    argument._keep = Some(value);
                }
                Ok(argument)
            }),
            None => convert(given, i + 1, vm),
        };
        match converted {
            Ok(argument) => arguments.push(argument),
            Err(Raised) => {
                let class = super::ARGUMENT_ERROR.get(vm)?;
                return Err(extend_error(&class, &format!("argument {}: ", i + 1), vm));
            }
        }
    }
    let no_result = function.restype.is_some_and(|restype| vm.is_none(restype));
    let result_type = if no_result { &raw mut ffi::ffi_type_void } else { ffi_of(function.restype) };
    // The class's size counts as well: arrays come back as pointers, from which nothing more may be read.
    let class_size = function.restype.and_then(info_of_class).map_or(0, |info| info.size.get());
    // SAFETY: libffi's types and those of classes are alive.
    let result_size = unsafe { (*result_type).size }.max(class_size).max(16);
    let mut result: SmallVec<[u64; 4]> = smallvec::smallvec![0; result_size.div_ceil(8)];
    let mut types: SmallVec<[*mut ffi_type; 6]> = arguments.iter().map(|argument| argument.ffi).collect();
    let mut values: SmallVec<[*mut c_void; 6]> = arguments
        .iter_mut()
        .map(|argument| {
            // SAFETY: argument types are alive.
            if unsafe { (*argument.ffi).type_ } == ffi::FFI_TYPE_STRUCT {
                argument.value.first().map_or(0, |address| *address as usize) as *mut c_void
            } else {
                argument.value.as_mut_ptr().cast()
            }
        })
        .collect();
    let mut cif = ffi_cif::default();
    let (count, fixed) = (types.len() as c_uint, declared.len() as c_uint);
    let is_variadic = fixed != 0 && count > fixed;
    // SAFETY: `types` has `count` live types, and outlives the description.
    let status = unsafe {
        if is_variadic {
            ffi::ffi_prep_cif_var(
                &raw mut cif,
                ffi::ffi_abi_FFI_DEFAULT_ABI,
                fixed,
                count,
                result_type,
                types.as_mut_ptr(),
            )
        } else {
            ffi::ffi_prep_cif(
                &raw mut cif,
                ffi::ffi_abi_FFI_DEFAULT_ABI,
                count,
                result_type,
                types.as_mut_ptr(),
            )
        }
    };
    if status != ffi::ffi_status_FFI_OK {
        return Err(vm.runtime_error(if is_variadic {
            "ffi_prep_cif_var failed"
        } else {
            "ffi_prep_cif failed"
        }));
    }
    if function.address == 0 {
        return Err(vm.value_error("NULL function pointer"));
    }
    let swaps = function.flags & (FLAG_USE_ERRNO | FLAG_USE_LAST_ERROR) != 0;
    let mut run = || {
        if swaps {
            swap_errno();
        }
        // SAFETY: the address is not null; whether it is a function of this prototype is the program's responsibility.
        unsafe {
            let entry = std::mem::transmute::<usize, unsafe extern "C" fn()>(function.address);
            ffi::ffi_call(&raw mut cif, Some(entry), result.as_mut_ptr().cast(), values.as_mut_ptr());
        }
        if swaps {
            swap_errno();
        }
    };
    if function.flags & FLAG_PYTHON_API == 0 {
        vm.allow_threads(run);
    } else {
        run();
        if vm.has_exception() {
            return Err(Raised);
        }
    }
    convert_result(function, result.as_ptr().cast(), vm)
}

fn convert_result(function: &Function<'_>, result: *const u8, vm: &Vm) -> PyResult {
    // SAFETY: the result has room for its type, 16 bytes at least.
    let int = unsafe { formats::read::<c_int>(result) };
    let Some(restype) = function.restype else { return Ok(vm.new_int(int)) };
    if vm.is_none(restype) {
        return Ok(vm.none());
    }
    let Some(info) = info_of_class(restype) else { return restype.call(&[&vm.new_int(int)], vm) };
    let value = match data::conversion(restype) {
        Some(format) => {
            // SAFETY: the result has the bytes of its type.
            let value = unsafe { formats::get(format, result, info.size.get() as isize, vm)? };
            if format.code == b'O' {
                // The function gave its reference away, and reading made another.
                // SAFETY: `value` holds a reference beside this one.
                unsafe { taipan_object::object::decref(value.as_raw()) };
            }
            value
        }
        // SAFETY: the result has the bytes of its type.
        None => unsafe { CData::copy_of(restype, result, vm)? }.into_object(),
    };
    match function.checker {
        Some(checker) => checker.call(&[&value], vm),
        None => Ok(value),
    }
}

fn call_address(args: &[&Object], flags: u32, vm: &Vm) -> PyResult {
    let [function, arguments] = *exactly::<2>("", args, vm)?;
    let address = class_methods::address(function, "an integer is required", vm)?;
    let Some(arguments) = arguments.downcast_ref::<Tuple>() else {
        return Err(vm.type_error(format!("argument 2 must be tuple, not {}", arguments.type_name())));
    };
    let function =
        Function { address: address as usize, flags, converters: None, restype: None, checker: None };
    call(&function, arguments.as_slice(), vm)
}

#[pyfunctions(table = CALLS)]
impl Ctypes {
    #[function("!($module, /, *args)")]
    fn call_function(args: &[&Object], vm: &Vm) -> PyResult {
        call_address(args, 0, vm)
    }

    #[function("!($module, /, *args)")]
    fn call_cdeclfunction(args: &[&Object], vm: &Vm) -> PyResult {
        call_address(args, FLAG_CDECL, vm)
    }

    #[function("($self, /)")]
    fn get_errno(vm: &Vm) -> PyResult {
        audit("ctypes.get_errno", &[], vm)?;
        Ok(vm.new_int(ERRNO.get()))
    }

    #[function("!($module, /, *args)")]
    fn set_errno(args: &[&Object], vm: &Vm) -> PyResult {
        let [value] = *exactly::<1>("", args, vm)?;
        audit("ctypes.set_errno", &[value], vm)?;
        let value = value.as_isize(vm)?;
        let value = c_int::try_from(value).map_err(|_| {
            let side = if value < 0 { "less than minimum" } else { "greater than maximum" };
            vm.overflow_error(format!("signed integer is {side}"))
        })?;
        Ok(vm.new_int(ERRNO.replace(value)))
    }
}
