//! Function pointers: `CFuncPtr` and its metaclass.

use std::ffi::CString;

use taipan_vm::builtins::type_::type_dict;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::call::{FLAG_CDECL, Function, MAX_ARGUMENTS, call};
use super::callback::Thunk;
use super::data::CData;
use super::stginfo::{CType, IS_POINTER, StgInfo, concrete, info_of, info_of_class, init_info, init_type};
use super::{argument_error, array, class_methods, dl, names, pointer};

/// An argument that the caller gives.
const PARAM_IN: i32 = 1;
/// An argument that the function fills.
const PARAM_OUT: i32 = 2;
/// A locale id, zero if not given.
const PARAM_LCID: i32 = 4;

/// The metaclass of function types.
pub struct FuncPtrType;

#[pytype(
    name = "_ctypes.PyCFuncPtrType",
    base = CType,
    no_layout,
    static = FUNCPTR_TYPE,
    doc = "metatype for C function pointers",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::FROM_PARAM, CType::CLASS_METHODS),
)]
impl FuncPtrType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_type(zelf, args, kwargs, vm)?;
        let info = init_info(zelf, vm)?;
        info.set_pointer();
        info.set_format("X{}", vm)?;
        let names = names(vm);
        let Some(own) = zelf.downcast_ref::<Type>().and_then(type_dict) else { return Ok(()) };
        let flags = own.get_str(&names._flags_, vm)?;
        let Some(flags) = flags.as_ref().and_then(|flags| flags.downcast_ref::<Int>()) else {
            return Err(vm.type_error("class must define _flags_ which must be an integer"));
        };
        info.flags.set(flags.as_int_ref().wrap_to_u64() as u32 | IS_POINTER);
        if let Some(argtypes) = own.get_str(&names._argtypes_, vm)? {
            let (argtypes, converters) = converters_of(&argtypes, vm)?;
            info.argtypes.put(argtypes);
            info.converters.put(converters);
        }
        if let Some(restype) = own.get_str(&names._restype_, vm)? {
            if !is_result_type(&restype, vm) {
                return Err(vm.type_error("_restype_ must be a type, a callable, or None"));
            }
            info.checker.set(restype.lookup_attr(&names._check_retval_, vm)?);
            info.restype.put(restype);
        }
        Ok(())
    }
}

fn is_result_type(restype: &Object, vm: &Vm) -> bool {
    vm.is_none(restype) || info_of_class(restype).is_some() || restype.is_callable()
}

/// The argument types as a tuple, and the `from_param` method of each.
fn converters_of(argtypes: &Object, vm: &Vm) -> PyResult<(Ref<Tuple>, Ref<Tuple>)> {
    let Ok(argtypes) = Tuple::from_iterable(argtypes, vm) else {
        if vm.exception_matches(types::type_error()) {
            vm.clear_exception();
            return Err(vm.type_error("_argtypes_ must be a sequence of types"));
        }
        return Err(Raised);
    };
    if argtypes.len() > MAX_ARGUMENTS {
        let count = argtypes.len();
        return Err(argument_error(
            &format!("_argtypes_ has too many arguments ({count}), maximum is {MAX_ARGUMENTS}"),
            vm,
        ));
    }
    let mut converters = Vec::with_capacity(argtypes.len());
    for (i, class) in argtypes.as_slice().iter().enumerate() {
        match class.lookup_attr(&names(vm).from_param, vm)? {
            Some(converter) => converters.push(converter),
            None => {
                let position = i + 1;
                return Err(vm.type_error(format!("item {position} in _argtypes_ has no from_param method")));
            }
        }
    }
    Ok((argtypes, vm.new_tuple(converters)))
}

/// The layout.
#[repr(C)]
#[derive(Traverse)]
pub struct CFuncPtr {
    data: CData,
    thunk: Slot<Thunk>,
    callable: Slot<Object>,
    converters: Slot<Tuple>,
    argtypes: Slot<Tuple>,
    /// `argtypes` as it was assigned.
    given_argtypes: Slot<Object>,
    restype: Slot<Object>,
    checker: Slot<Object>,
    errcheck: Slot<Object>,
    paramflags: Slot<Tuple>,
}

/// A new function object; `tp_alloc` made all fields empty.
fn new_function(cls: &Type, vm: &Vm) -> PyResult<Ref<CFuncPtr>> {
    let made = CData::new_of(cls.as_object(), vm)?.into_object();
    made.downcast::<CFuncPtr>().map_err(|_| vm.type_error("not a function type"))
}

/// One entry of `paramflags`.
struct ParamFlag {
    flag: i32,
    name: Option<Ref<Str>>,
    default: Option<ObjRef>,
}

fn parse_param_flag(entry: &Object, vm: &Vm) -> PyResult<ParamFlag> {
    let wrong = || {
        vm.clear_exception();
        vm.type_error("paramflags must be a sequence of (int [,string [,value]]) tuples")
    };
    let Some(items) = entry.downcast_ref::<Tuple>().map(Tuple::as_slice) else { return Err(wrong()) };
    let (flag, name, default) = match items {
        [flag] => (flag, None, None),
        [flag, name] => (flag, Some(name), None),
        [flag, name, default] => (flag, Some(name), Some(default.clone())),
        _ => return Err(wrong()),
    };
    let flag = flag.as_isize(vm).ok().and_then(|flag| i32::try_from(flag).ok()).ok_or_else(wrong)?;
    let name = match name {
        None => None,
        Some(name) if vm.is_none(name) => None,
        Some(name) => Some(name.clone().downcast::<Str>().map_err(|_| wrong())?),
    };
    Ok(ParamFlag { flag, name, default })
}

fn check_out_type(class: &Object, position: usize, vm: &Vm) -> PyResult<()> {
    if pointer::is_pointer_class(class) || array::is_array_class(class) {
        return Ok(());
    }
    if matches!(info_of_class(class).and_then(StgInfo::proto_code), Some(b'P' | b'z' | b'Z')) {
        return Ok(());
    }
    let given = class.downcast_ref::<Type>().unwrap_or_else(|| class.ob_type()).tp_name_str();
    Err(vm.type_error(format!("'out' parameter {position} must be a pointer type, not {given}")))
}

fn check_param_flags(argtypes: Option<&Tuple>, paramflags: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let (Some(paramflags), Some(argtypes)) = (paramflags, argtypes) else { return Ok(()) };
    let Some(entries) = paramflags.downcast_ref::<Tuple>() else {
        return Err(vm.type_error("paramflags must be a tuple or None"));
    };
    if entries.len() != argtypes.len() {
        return Err(vm.value_error("paramflags must have the same length as argtypes"));
    }
    for (i, (entry, class)) in entries.as_slice().iter().zip(argtypes.as_slice()).enumerate() {
        let ParamFlag { flag, .. } = parse_param_flag(entry, vm)?;
        match flag & (PARAM_IN | PARAM_OUT | PARAM_LCID) {
            0 | PARAM_IN => {}
            kind if kind == PARAM_IN | PARAM_LCID || kind == PARAM_IN | PARAM_OUT => {}
            PARAM_OUT => check_out_type(class, i + 1, vm)?,
            _ => return Err(vm.type_error(format!("paramflag value {flag} not supported"))),
        }
    }
    Ok(())
}

/// The name of a function, as `dlsym` takes it.
fn function_name(name: &Object, vm: &Vm) -> PyResult<CString> {
    let bytes = if let Some(bytes) = name.downcast_ref::<Bytes>() {
        bytes.as_bytes()
    } else if let Some(text) = name.downcast_ref::<Str>() {
        text.to_utf8(vm)?.as_bytes()
    } else {
        return Err(vm.type_error("function name must be string, bytes object or integer"));
    };
    // What follows a NUL is no part of a C string.
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    CString::new(bytes.get(..end).unwrap_or(bytes)).map_err(|_| vm.value_error("embedded null byte"))
}

/// `CFuncPtr((name, library), paramflags)`.
fn from_library(cls: &Type, spec: &Object, paramflags: Option<&Object>, vm: &Vm) -> PyResult {
    let paramflags = paramflags.filter(|flags| !vm.is_none(flags));
    let Some([name, library]) = spec.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
        return Err(vm.type_error("illegal func_spec argument"));
    };
    let symbol = function_name(name, vm)?;
    audit("ctypes.dlsym", &[name, library], vm)?;
    let handle = dl::handle_of(library, vm)?;
    let address = match dl::symbol(handle, &symbol) {
        Ok(address) => address,
        Err(Some(message)) => {
            return Err(vm.raise_with(types::attribute_error(), vec![dl::message(&message, vm)]));
        }
        Err(None) => {
            let name = symbol.to_string_lossy();
            return Err(vm.attribute_error(format!("function '{name}' not found")));
        }
    };
    let argtypes = concrete(cls.as_object(), vm)?.argtypes.get();
    check_param_flags(argtypes.as_deref(), paramflags, vm)?;
    let function = new_function(cls, vm)?;
    function.paramflags.set(paramflags.and_then(|flags| flags.to_ref().downcast::<Tuple>().ok()));
    function.data.set_pointer(address);
    function.data.keep(0, library.clone(), vm)?;
    Ok(function.into_object())
}

/// The arguments of a call with `paramflags`, and which of them are results.
struct Arranged {
    args: Vec<ObjRef>,
    /// Positions, and whether the caller gave the argument as well.
    results: Vec<(usize, bool)>,
}

impl CFuncPtr {
    /// Fills in what the caller needn't give.
    fn arrange(
        &self,
        argtypes: Option<&Tuple>,
        args: &Tuple,
        kwargs: Option<&Dict>,
        vm: &Vm,
    ) -> PyResult<Option<Arranged>> {
        let (Some(argtypes), Some(paramflags)) = (argtypes, self.paramflags.get()) else { return Ok(None) };
        if argtypes.is_empty() {
            return Ok(None);
        }
        let mut arranged = Arranged { args: Vec::with_capacity(argtypes.len()), results: Vec::new() };
        let mut used = 0;
        for (i, (class, entry)) in argtypes.as_slice().iter().zip(paramflags.as_slice()).enumerate() {
            let ParamFlag { flag, name, default } = parse_param_flag(entry, vm)?;
            let kind = flag & (PARAM_IN | PARAM_OUT | PARAM_LCID);
            if kind == PARAM_IN | PARAM_LCID {
                arranged.args.push(default.unwrap_or_else(|| vm.new_int(0)));
            } else if kind == PARAM_OUT {
                arranged.results.push((i, false));
                arranged.args.push(match default {
                    Some(default) => default,
                    None => make_out(class, vm)?,
                });
            } else if matches!(kind, 0 | PARAM_IN) || kind == PARAM_IN | PARAM_OUT {
                if kind == PARAM_IN | PARAM_OUT {
                    arranged.results.push((i, true));
                }
                arranged.args.push(next_argument(&mut used, name.as_deref(), default, args, kwargs, vm)?);
            } else {
                return Err(vm.value_error(format!("paramflag {flag} not yet implemented")));
            }
        }
        let given = args.len() + kwargs.map_or(0, Dict::len);
        if given != used {
            return Err(vm.type_error(format!("call takes exactly {used} arguments ({given} given)")));
        }
        Ok(Some(arranged))
    }
}

fn next_argument(
    used: &mut usize,
    name: Option<&Str>,
    default: Option<ObjRef>,
    args: &Tuple,
    kwargs: Option<&Dict>,
    vm: &Vm,
) -> PyResult {
    if let Some(value) = args.as_slice().get(*used) {
        *used += 1;
        return Ok(value.clone());
    }
    if let (Some(kwargs), Some(name)) = (kwargs, name) {
        if let Some(value) = kwargs.get_str(name, vm)? {
            *used += 1;
            return Ok(value);
        }
    }
    match (default, name) {
        (Some(default), _) => Ok(default),
        (None, Some(name)) => {
            Err(vm.type_error(format!("required argument '{}' missing", name.to_string_lossy())))
        }
        (None, None) => Err(vm.type_error("not enough arguments")),
    }
}

/// An object for the function to fill: an array, or what a pointer type points to.
fn make_out(class: &Object, vm: &Vm) -> PyResult {
    let Some(info) = info_of_class(class) else { return Err(vm.runtime_error("NULL stginfo unexpected")) };
    let Some(target) = info.proto.get() else { return Err(vm.type_error("abstract class")) };
    if target.downcast_ref::<Str>().is_some() {
        let name = class.downcast_ref::<Type>().map_or("???", Type::tp_name_str);
        return Err(vm.type_error(format!("{name} 'out' parameter must be passed as default value")));
    }
    if array::is_array_class(class) { class.call_no_args(vm) } else { target.call_no_args(vm) }
}

/// What a call with results among its arguments gives: the one result, or a tuple of them.
fn collect_results(arranged: &Arranged, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let mut results = Vec::with_capacity(arranged.results.len());
    for (position, given) in &arranged.results {
        let Some(argument) = arranged.args.get(*position) else { continue };
        results.push(if *given {
            argument.clone()
        } else {
            argument.call_method(&vm.intern("__ctypes_from_outparam__"), &[], vm)?
        });
    }
    Ok(match results.len() {
        0 => None,
        1 => results.pop(),
        _ => Some(vm.new_tuple(results).into_object()),
    })
}

/// Function Pointer
#[pytype(name = "_ctypes.CFuncPtr", base = CData, metatype = FuncPtrType, flags(BASETYPE), gc)]
impl CFuncPtr {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let callable = match args.as_slice() {
            [] => return Ok(new_function(cls, vm)?.into_object()),
            [spec] if spec.downcast_ref::<Tuple>().is_some() => return from_library(cls, spec, None, vm),
            [spec, paramflags] if spec.downcast_ref::<Tuple>().is_some() => {
                return from_library(cls, spec, Some(paramflags), vm);
            }
            [address] if address.downcast_ref::<Int>().is_some() => {
                let address = class_methods::address(address, "integer expected", vm)?;
                let function = new_function(cls, vm)?;
                function.data.set_pointer(address);
                return Ok(function.into_object());
            }
            [callable] => callable,
            more => {
                let count = more.len();
                return Err(vm.type_error(format!("function takes exactly 1 argument ({count} given)")));
            }
        };
        if !callable.is_callable() {
            return Err(vm.type_error("argument must be callable or integer function address"));
        }
        let info = info_of(cls);
        let Some((info, argtypes)) = info.and_then(|info| Some((info, info.argtypes.get()?))) else {
            return Err(vm.type_error("cannot construct instance of this class: no argtypes"));
        };
        let thunk = Thunk::new(callable, &argtypes, info.restype.get().as_deref(), info.flags.get(), vm)?;
        let function = new_function(cls, vm)?;
        function.callable.put(callable.clone());
        function.data.set_pointer(thunk.entry());
        function.thunk.put(thunk.clone());
        function.data.keep(0, thunk.into_object(), vm)?;
        Ok(function.into_object())
    }

    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let name = self.data.class().tp_name_str();
        Ok(format!("<{name} object at {:#x}>", self.as_object().as_ptr() as usize))
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.data.pointer().is_null())
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let Some(info) = info_of(self.data.class()) else { return Err(vm.type_error("abstract class")) };
        let restype = self.restype.get().or_else(|| info.restype.get());
        let converters = self.converters.get().or_else(|| info.converters.get());
        let checker = self.checker.get().or_else(|| info.checker.get());
        let argtypes = self.argtypes.get().or_else(|| info.argtypes.get());
        let errcheck = self.errcheck.get();
        let arranged = self.arrange(argtypes.as_deref(), args, kwargs, vm)?;
        let given: &[ObjRef] = arranged.as_ref().map_or(args.as_slice(), |arranged| &arranged.args);
        if let Some(converters) = &converters {
            let (wanted, actual) = (converters.len(), given.len());
            let s = if wanted == 1 { "" } else { "s" };
            if info.flags.get() & FLAG_CDECL != 0 {
                // The rest of the arguments is variadic.
                if wanted > actual {
                    return Err(vm.type_error(format!(
                        "this function takes at least {wanted} argument{s} ({actual} given)"
                    )));
                }
            } else if wanted != actual {
                return Err(
                    vm.type_error(format!("this function takes {wanted} argument{s} ({actual} given)"))
                );
            }
        }
        let function = Function {
            address: self.data.pointer() as usize,
            flags: info.flags.get(),
            converters: converters.as_deref(),
            restype: restype.as_deref(),
            checker: checker.as_deref(),
        };
        let result = call(&function, given, vm)?;
        if let Some(errcheck) = errcheck {
            let arguments = match &arranged {
                Some(arranged) => vm.new_tuple(arranged.args.clone()),
                None => args.into(),
            };
            let checked = errcheck.call(&[&result, self.as_object(), arguments.as_object()], vm)?;
            // The arguments as the answer stand for going on as without a check.
            if !checked.is(arguments.as_object()) {
                return Ok(checked);
            }
        }
        match arranged {
            Some(arranged) => Ok(collect_results(&arranged, vm)?.unwrap_or(result)),
            None => Ok(result),
        }
    }

    /// a function to check for errors
    #[getter]
    fn errcheck(&self, vm: &Vm) -> ObjRef {
        self.errcheck.get().unwrap_or_else(|| vm.none())
    }

    #[setter(errcheck)]
    fn set_errcheck(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if value.is_some_and(|value| !value.is_callable()) {
            return Err(vm.type_error("the errcheck attribute must be callable"));
        }
        self.errcheck.set(value.map(Object::to_ref));
        Ok(())
    }

    /// specify the result type
    #[getter]
    fn restype(&self, vm: &Vm) -> ObjRef {
        let declared = info_of(self.data.class()).and_then(|info| info.restype.get());
        self.restype.get().or(declared).unwrap_or_else(|| vm.none())
    }

    #[setter(restype)]
    fn set_restype(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            self.restype.set(None);
            self.checker.set(None);
            return Ok(());
        };
        if !is_result_type(value, vm) {
            return Err(vm.type_error("restype must be a type, a callable, or None"));
        }
        self.checker.set(value.lookup_attr(&names(vm)._check_retval_, vm)?);
        self.restype.put(value.to_ref());
        Ok(())
    }

    /// specify the argument types
    #[getter]
    fn argtypes(&self, vm: &Vm) -> ObjRef {
        let declared = info_of(self.data.class()).and_then(|info| info.argtypes.get()).map(Ref::into_object);
        self.given_argtypes.get().or(declared).unwrap_or_else(|| vm.none())
    }

    #[setter(argtypes)]
    fn set_argtypes(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value.filter(|value| !vm.is_none(value)) else {
            self.converters.set(None);
            self.argtypes.set(None);
            self.given_argtypes.set(None);
            return Ok(());
        };
        let (argtypes, converters) = converters_of(value, vm)?;
        let paramflags = self.paramflags.get().map(Ref::into_object);
        check_param_flags(Some(&argtypes), paramflags.as_deref(), vm)?;
        self.converters.put(converters);
        self.argtypes.put(argtypes);
        self.given_argtypes.put(value.to_ref());
        Ok(())
    }
}
