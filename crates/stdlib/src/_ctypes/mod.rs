//! `_ctypes`: C types, memory and functions (library reference, `ctypes`).
//!
//! Invariants: an object's memory is valid as long as the object, unless the program named the address itself. Whatever a C
//! function does with what it is given is the program's responsibility; everything else raises.

mod array;
mod call;
mod callback;
mod carg;
mod class_methods;
mod data;
mod dl;
mod field;
mod formats;
mod funcptr;
mod helpers;
mod long_double;
mod pointer;
mod simple;
mod stginfo;
mod structure;

use std::cell::OnceCell;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use array::Array;
use carg::CArg;
use data::{CData, as_cdata};
use field::CField;
use funcptr::CFuncPtr;
use pointer::Pointer;
use simple::SimpleCData;
use stginfo::info_of_any;
use structure::{Structure, Union};

/// The module.
pub struct Ctypes;

static ARGUMENT_ERROR: DeclaredException =
    DeclaredException { name: "ctypes.ArgumentError", base: types::exception };

fn argument_error(text: &str, vm: &Vm) -> Raised {
    ARGUMENT_ERROR.raise(text, vm)
}

macro_rules! attribute_names {
    ($($name:ident)*) => {
        /// Names of attributes that the module looks for.
        #[allow(non_snake_case)]
        struct Names {
            $($name: Ref<Str>,)*
        }

        impl Names {
            fn new(vm: &Vm) -> Names {
                Names { $($name: vm.intern(stringify!($name)),)* }
            }
        }
    };
}

attribute_names! {
    _abstract_
    _anonymous_
    _argtypes_
    _as_parameter_
    _check_retval_
    _fields_
    _flags_
    _handle
    _length_
    _restype_
    _type_
    _unpickle
    from_param
}

/// What the module keeps in an interpreter.
#[derive(Default)]
struct State(OnceCell<Names>);

fn names(vm: &Vm) -> &Names {
    vm.interp().state::<State>().0.get_or_init(|| Names::new(vm))
}

/// `_as_parameter_` of an object that stands for another argument.
fn as_parameter(object: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    object.lookup_attr(&names(vm)._as_parameter_, vm)
}

/// Checks the number of arguments of functions that count them themselves.
fn exactly<'a, 'b, const N: usize>(
    function: &str,
    args: &'a [&'b Object],
    vm: &Vm,
) -> PyResult<&'a [&'b Object; N]> {
    args.try_into().map_err(|_| {
        let given = args.len();
        let s = if N == 1 { "" } else { "s" };
        let name = if function.is_empty() { "function" } else { function };
        vm.type_error(format!("{name} takes exactly {N} argument{s} ({given} given)"))
    })
}

fn instance<'a>(object: &'a Object, position: &str, vm: &Vm) -> PyResult<&'a CData> {
    as_cdata(object).ok_or_else(|| {
        let given = object.type_name();
        vm.type_error(format!("{position} must be _ctypes._CData, not {given}"))
    })
}

/// Create and manipulate C compatible data types in Python.
#[pymodule(
    name = "_ctypes",
    types(Structure, Union, Pointer, Array, SimpleCData, CFuncPtr, CField),
    functions(LIBRARIES, CALLS)
)]
impl Ctypes {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        use taipan_vm::builtins::type_::type_ready;
        // Metaclasses aren't attributes of the module, but classes are made with them.
        for class in [
            simple::SimpleType::type_object(),
            array::ArrayType::type_object(),
            pointer::PointerType::type_object(),
            structure::StructType::type_object(),
            structure::UnionType::type_object(),
            funcptr::FuncPtrType::type_object(),
            CArg::type_object(),
        ] {
            type_ready(class, vm)?;
        }
        let set = |name: &str, value: &Object| module.as_object().set_attr(&vm.intern(name), value, vm);
        set("ArgumentError", ARGUMENT_ERROR.get(vm)?.as_object())?;
        set("__version__", vm.new_str("1.1.0").as_object())?;
        let numbers = [
            ("FUNCFLAG_CDECL", call::FLAG_CDECL as usize),
            ("FUNCFLAG_PYTHONAPI", call::FLAG_PYTHON_API as usize),
            ("FUNCFLAG_USE_ERRNO", call::FLAG_USE_ERRNO as usize),
            ("FUNCFLAG_USE_LASTERROR", call::FLAG_USE_LAST_ERROR as usize),
            ("RTLD_GLOBAL", libc::RTLD_GLOBAL as usize),
            ("RTLD_LOCAL", libc::RTLD_LOCAL as usize),
            ("CTYPES_MAX_ARGCOUNT", call::MAX_ARGUMENTS),
            ("SIZEOF_TIME_T", size_of::<libc::time_t>()),
            ("_memmove_addr", libc::memmove as *const () as usize),
            ("_memset_addr", libc::memset as *const () as usize),
            ("_string_at_addr", helpers::string_at as *const () as usize),
            ("_wstring_at_addr", helpers::wstring_at as *const () as usize),
            ("_memoryview_at_addr", helpers::memoryview_at as *const () as usize),
            ("_cast_addr", helpers::cast as *const () as usize),
        ];
        for (name, value) in numbers {
            set(name, &vm.new_int(value))?;
        }
        Ok(())
    }

    /// Return the size in bytes of a C instance.
    #[function("($module, obj, /)")]
    fn sizeof(obj: &Object, vm: &Vm) -> PyResult {
        if let Some(data) = as_cdata(obj) {
            return Ok(vm.new_int(data.size()));
        }
        match stginfo::info_of_class(obj) {
            Some(info) => Ok(vm.new_int(info.size.get())),
            None => Err(vm.type_error("this type has no size")),
        }
    }

    /// alignment(C type) -> integer
    /// alignment(C instance) -> integer
    /// Return the alignment requirements of a C instance
    #[function("($self, object, /)")]
    fn alignment(object: &Object, vm: &Vm) -> PyResult {
        match info_of_any(object) {
            Some(info) => Ok(vm.new_int(info.align.get())),
            None => Err(vm.type_error("no alignment info")),
        }
    }

    /// Return a pointer lookalike to a C instance, only usable as function argument.
    #[function("($module, obj, offset=0, /)")]
    fn byref(obj: &Object, offset: Option<isize>, vm: &Vm) -> PyResult {
        Ok(carg::byref(obj, offset.unwrap_or(0), vm)?.into_object())
    }

    /// Return the address of the C instance internal buffer
    #[function("($module, obj, /)")]
    fn addressof(obj: &Object, vm: &Vm) -> PyResult {
        let data = instance(obj, "addressof() argument", vm)?;
        audit("ctypes.addressof", &[obj], vm)?;
        Ok(vm.new_int(data.ptr() as usize))
    }

    #[function("($module, obj, size, /)")]
    fn resize(obj: &Object, size: isize, vm: &Vm) -> PyResult<()> {
        instance(obj, "resize() argument 1", vm)?.resize(size, vm)
    }

    /// Return buffer interface information
    #[function("($self, object, /)")]
    fn buffer_info(object: &Object, vm: &Vm) -> PyResult {
        let Some(info) = info_of_any(object) else {
            return Err(vm.type_error("not a ctypes type or object"));
        };
        let shape: Vec<ObjRef> =
            info.shape.try_borrow().iter().flat_map(|shape| shape.iter().map(|n| vm.new_int(*n))).collect();
        let format = match info.format.try_borrow().as_deref() {
            Ok(Some(format)) => vm.new_str(&format.to_string_lossy()).into_object(),
            _ => vm.none(),
        };
        Ok(vm.new_tuple([format, vm.new_int(shape.len()), vm.new_tuple(shape).into_object()]).into_object())
    }

    #[function("!($module, /, *args)")]
    #[allow(non_snake_case)]
    fn PyObj_FromPtr(args: &[&Object], vm: &Vm) -> PyResult {
        let [address] = *exactly::<1>("", args, vm)?;
        let address = class_methods::address(address, "an integer is required", vm)?;
        // SAFETY: that an object is there is the program's responsibility.
        let Some(object) = (unsafe { address.cast::<Object>().as_ref() }) else {
            return Err(vm.value_error("PyObject is NULL"));
        };
        audit("ctypes.PyObj_FromPtr", &[object], vm)?;
        Ok(object.to_ref())
    }

    #[function("($self, object, /)")]
    #[allow(non_snake_case)]
    fn Py_INCREF(object: &Object) -> ObjRef {
        // The reference stays behind.
        let _ = object.to_ref().into_raw();
        object.to_ref()
    }

    #[function("($self, object, /)")]
    #[allow(non_snake_case)]
    fn Py_DECREF(object: &Object) -> ObjRef {
        let kept = object.to_ref();
        // SAFETY: `kept` holds a reference beside the one that the program says it owns.
        unsafe { taipan_object::object::decref(object.as_ptr()) };
        kept
    }

    #[function("!($module, /, *args)")]
    fn _unpickle(args: &[&Object], vm: &Vm) -> PyResult {
        let [class, state] = *exactly::<2>("", args, vm)?;
        let Some(state) = state.downcast_ref::<Tuple>() else {
            return Err(vm.type_error(format!("argument 2 must be tuple, not {}", state.type_name())));
        };
        let made = class.call_method(&vm.intern("__new__"), &[class], vm)?;
        let set_state = made.get_attr(&vm.intern("__setstate__"), vm)?;
        set_state.call_tuple_dict(state, None, vm)?;
        Ok(made)
    }
}
