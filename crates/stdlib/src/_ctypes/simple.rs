//! Simple types: `_SimpleCData`, the base of `c_int` and its like, and their metaclass.

use taipan_object::defs::{CFunction, meth};
use taipan_vm::builtins::descr;
use taipan_vm::prelude::*;

use super::array::Array;
use super::carg::CArg;
use super::data::{CData, as_cdata, is_simple_subclass};
use super::formats::{self, Format};
use super::funcptr::CFuncPtr;
use super::pointer::Pointer;
use super::stginfo::{
    CType, IS_POINTER, Passing, StgInfo, concrete, info_of, info_of_any, info_of_class, init_info, init_type,
};
use super::{as_parameter, names};

/// The metaclass of simple types.
pub struct SimpleType;

#[pytype(
    name = "_ctypes.PyCSimpleType",
    base = CType,
    no_layout,
    static = SIMPLE_TYPE,
    doc = "metatype for the PyCSimpleType Objects",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::CLASS_METHODS),
)]
impl SimpleType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_type(zelf, args, kwargs, vm)?;
        let Some(proto) = zelf.lookup_attr(&names(vm)._type_, vm)? else {
            return Err(vm.attribute_error("class must define a '_type_' attribute"));
        };
        let Some(text) = proto.downcast_ref::<Str>() else {
            return Err(vm.type_error("class must define a '_type_' string attribute"));
        };
        let code = match text.char_at(0) {
            Some(code) if text.to_utf8(vm)?.len() == 1 => code as u8,
            _ => {
                return Err(vm.value_error(
                    "class must define a '_type_' attribute which must be a string of length 1",
                ));
            }
        };
        let Some(row) = formats::row(code) else {
            return Err(vm.attribute_error(format!(
                "class must define a '_type_' attribute which must be\na single character string containing one of the\nsupported types: '{}'.",
                formats::SIMPLE_CODES
            )));
        };
        let info = init_info(zelf, vm)?;
        fill(info, code, false, &row, &proto, vm)?;
        let Some(class) = zelf.downcast_ref::<Type>() else { return Ok(()) };
        if class.base().is_some_and(|base| std::ptr::eq(base, SimpleCData::type_object())) {
            let conversion = match code {
                b'z' | b'Z' => Some(&STRING_FROM_PARAM),
                b'P' => Some(&VOID_FROM_PARAM),
                _ => None,
            };
            if matches!(code, b's' | b'z' | b'Z' | b'P' | b'O') {
                info.flags.set(info.flags.get() | IS_POINTER);
            }
            if let Some(def) = conversion {
                let method = descr::method_for_type(class, def, vm)?;
                zelf.set_attr(&names(vm).from_param, &method, vm)?;
            }
        }
        if std::ptr::eq(zelf.ob_type(), SimpleType::type_object()) && row.swappable {
            make_swapped(zelf, args, kwargs, code, &row, &proto, vm)?;
        }
        Ok(())
    }

    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)")]
    fn from_param(zelf: &Object, value: &Object, vm: &Vm) -> PyResult {
        if value.is_instance(zelf, vm)? {
            return Ok(value.to_ref());
        }
        let info = concrete(zelf, vm)?;
        let Some(format) = info.code.get() else { return Err(vm.type_error("abstract class")) };
        let plain = Format { code: format.code, swapped: false };
        if let Ok(argument) = CArg::simple(plain, value, info.size.get(), vm) {
            return Ok(argument.into_object());
        }
        let failure = vm.take_exception();
        match as_parameter(value, vm)? {
            Some(value) => {
                vm.check_recursion(" while processing _as_parameter_")?;
                Self::from_param(zelf, &value, vm)
            }
            None => match failure {
                Some(failure) => Err(vm.reraise(failure)),
                None => Err(vm.type_error("wrong type")),
            },
        }
    }
}

fn fill(
    info: &StgInfo,
    code: u8,
    swapped: bool,
    row: &formats::Row,
    proto: &Object,
    vm: &Vm,
) -> PyResult<()> {
    info.set_ffi(row.ffi);
    // SAFETY: the rows name libffi's own types.
    let (size, align) = unsafe { ((*row.ffi).size, (*row.ffi).alignment) };
    info.size.set(size);
    info.align.set(usize::from(align));
    info.code.set(Some(Format { code, swapped }));
    info.passing.set(Passing::Simple(code));
    info.proto.put(proto.to_ref());
    info.set_format(&formats::buffer_format(code, swapped), vm)
}

/// Makes the type of the other byte order, and the four attributes by which the two know each other.
fn make_swapped(
    class: &Object,
    args: &Tuple,
    kwargs: Option<&Dict>,
    code: u8,
    row: &formats::Row,
    proto: &Object,
    vm: &Vm,
) -> PyResult<()> {
    let little = cfg!(target_endian = "little");
    let [name, rest @ ..] = args.as_slice() else { return Ok(()) };
    let Some(name) = name.downcast_ref::<Str>() else { return Ok(()) };
    let name = name.concat(&vm.new_str(if little { "_be" } else { "_le" }), vm)?;
    let mut given = vec![name.into_object()];
    given.extend(rest.iter().cloned());
    let swapped =
        taipan_vm::builtins::type_::new::type_new(class.ob_type(), &vm.new_tuple(given), kwargs, vm)?;
    fill(init_info(&swapped, vm)?, code, true, row, proto, vm)?;
    let (native, other) =
        if little { ("__ctype_le__", "__ctype_be__") } else { ("__ctype_be__", "__ctype_le__") };
    let (native, other) = (vm.intern(native), vm.intern(other));
    for owner in [class, &*swapped] {
        owner.set_attr(&native, class, vm)?;
        owner.set_attr(&other, &swapped, vm)?;
    }
    Ok(())
}

const fn class_method(function: CFunction) -> MethodDef {
    MethodDef {
        ml_name: c"from_param".as_ptr(),
        ml_meth: Some(function),
        ml_flags: meth::O | meth::CLASS,
        ml_doc: c"Convert a Python object into a function call parameter.".as_ptr(),
    }
}

static STRING_FROM_PARAM: MethodDef = class_method(string_from_param);
static VOID_FROM_PARAM: MethodDef = class_method(void_from_param);

unsafe extern "C" fn string_from_param(class: *mut Object, value: *mut Object) -> *mut Object {
    // SAFETY: methods are called with live objects on an attached thread.
    let (vm, class, value) = unsafe { (Vm::current(), &*class, &*value) };
    taipan_vm::protocols::native::to_c(text_pointer(class, value, vm))
}

unsafe extern "C" fn void_from_param(class: *mut Object, value: *mut Object) -> *mut Object {
    // SAFETY: as above.
    let (vm, class, value) = unsafe { (Vm::current(), &*class, &*value) };
    taipan_vm::protocols::native::to_c(any_pointer(class, value, vm))
}

fn not_interpreted(value: &Object, code: u8, vm: &Vm) -> Raised {
    let wanted = match code {
        b'z' => "c_char_p",
        b'Z' => "c_wchar_p",
        _ => "c_void_p",
    };
    let given = value.type_name();
    vm.type_error(format!("'{given}' object cannot be interpreted as ctypes.{wanted}"))
}

/// Whether instances of the class are arrays of, or pointers to, items of a code.
fn has_items(class: &Type, code: u8) -> bool {
    let sequence = class.is_subtype_of(Array::type_object()) || class.is_subtype_of(Pointer::type_object());
    sequence
        && info_of(class)
            .and_then(StgInfo::proto_type)
            .is_some_and(|item| info_of(&item).is_some_and(|item| item.is_code(code)))
}

/// `c_char_p.from_param` and `c_wchar_p.from_param`.
fn text_pointer(class: &Object, value: &Object, vm: &Vm) -> PyResult {
    let Some(code @ (b'z' | b'Z')) = info_of_class(class).and_then(StgInfo::proto_code) else {
        return Err(vm.type_error("abstract class"));
    };
    if vm.is_none(value) {
        return Ok(vm.none());
    }
    let (is_text, item) = match code {
        b'z' => (value.downcast_ref::<Bytes>().is_some(), b'c'),
        _ => (value.downcast_ref::<Str>().is_some(), b'u'),
    };
    if is_text {
        return Ok(CArg::simple(Format { code, swapped: false }, value, 8, vm)?.into_object());
    }
    if value.is_instance(class, vm)? || has_items(value.ob_type(), item) {
        return Ok(value.to_ref());
    }
    if let Some(argument) = value.downcast_exact::<CArg>() {
        // `byref` of a character.
        let object = argument.object();
        if object.is_some_and(|object| info_of(object.ob_type()).is_some_and(|info| info.is_code(item))) {
            return Ok(value.to_ref());
        }
    }
    match as_parameter(value, vm)? {
        Some(value) => {
            vm.check_recursion(" while processing _as_parameter_")?;
            text_pointer(class, &value, vm)
        }
        None => Err(not_interpreted(value, code, vm)),
    }
}

/// `c_void_p.from_param`.
fn any_pointer(class: &Object, value: &Object, vm: &Vm) -> PyResult {
    if vm.is_none(value) {
        return Ok(vm.none());
    }
    let code = if value.downcast_ref::<Int>().is_some() {
        Some(b'P')
    } else if value.downcast_ref::<Bytes>().is_some() {
        Some(b'z')
    } else if value.downcast_ref::<Str>().is_some() {
        Some(b'Z')
    } else {
        None
    };
    if let Some(code) = code {
        return Ok(CArg::simple(Format { code, swapped: false }, value, 8, vm)?.into_object());
    }
    if value.is_instance(class, vm)? {
        return Ok(value.to_ref());
    }
    let given = value.ob_type();
    if given.is_subtype_of(Array::type_object()) || given.is_subtype_of(Pointer::type_object()) {
        return Ok(value.to_ref());
    }
    if value.downcast_exact::<CArg>().is_some_and(|argument| argument.tag() == b'P') {
        return Ok(value.to_ref());
    }
    if let Some(data) = as_cdata(value) {
        let object = Some(value.to_ref());
        if value.downcast_ref::<CFuncPtr>().is_some() {
            return Ok(CArg::pointer(b'P', data.pointer(), object, vm).into_object());
        }
        if matches!(info_of_any(value).and_then(StgInfo::proto_code), Some(b'z' | b'Z')) {
            return Ok(CArg::pointer(b'Z', data.pointer(), object, vm).into_object());
        }
    }
    match as_parameter(value, vm)? {
        Some(value) => {
            vm.check_recursion(" while processing _as_parameter_")?;
            any_pointer(class, &value, vm)
        }
        None => Err(not_interpreted(value, b'P', vm)),
    }
}

/// The base of simple types.
pub struct SimpleCData;

fn this(zelf: &Object) -> &CData {
    // SAFETY: slots and methods of a subtype of `_CData` are called with its instances.
    unsafe { zelf.cast::<CData>() }
}

/// For objects that were given another class.
fn too_small(vm: &Vm) -> Raised {
    vm.value_error("the object's memory is smaller than its type")
}

fn get_value(data: &CData, vm: &Vm) -> PyResult {
    let Some((info, format)) = info_of(data.class()).and_then(|info| Some((info, info.code.get()?))) else {
        return Err(vm.type_error("abstract class"));
    };
    if data.size() < info.size.get() {
        return Err(too_small(vm));
    }
    // SAFETY: the memory has the type's size.
    unsafe { formats::get(format, data.ptr(), info.size.get() as isize, vm) }
}

#[pytype(
    name = "_ctypes._SimpleCData",
    base = CData,
    no_layout,
    static = SIMPLE_CDATA,
    metatype = SimpleType,
    basicsize = size_of::<CData>(),
    doc = "XXX to be provided",
    flags(BASETYPE),
)]
impl SimpleCData {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        Ok(CData::new_of(cls.as_object(), vm)?.into_object())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        match args.as_slice() {
            [] => Ok(()),
            [value] => Self::set_value(zelf, Some(value), vm),
            more => {
                let count = more.len();
                Err(vm.type_error(format!("__init__ expected at most 1 argument, got {count}")))
            }
        }
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult<String> {
        let data = this(zelf);
        let name = data.class().tp_name_str();
        let is_direct =
            data.class().base().is_some_and(|base| std::ptr::eq(base, SimpleCData::type_object()));
        if !is_direct {
            return Ok(format!("<{name} object at {:#x}>", zelf.as_ptr() as usize));
        }
        let shown = match get_value(data, vm) {
            Ok(value) => value.repr(vm)?.to_string_lossy().into_owned(),
            Err(Raised) if info_of(data.class()).is_some_and(|info| info.is_code(b'O')) => {
                vm.clear_exception();
                "<NULL>".to_owned()
            }
            Err(Raised) => return Err(Raised),
        };
        Ok(format!("{name}({shown})"))
    }

    #[slot]
    fn nb_bool(zelf: &Object) -> PyResult<bool> {
        Ok(this(zelf).bytes().iter().any(|byte| *byte != 0))
    }

    #[getter]
    fn value(zelf: &Object, vm: &Vm) -> PyResult {
        get_value(this(zelf), vm)
    }

    #[setter(value)]
    fn set_value(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
        let data = this(zelf);
        let Some((info, format)) = info_of(data.class()).and_then(|info| Some((info, info.code.get()?)))
        else {
            return Err(vm.type_error("abstract class"));
        };
        if data.size() < info.size.get() {
            return Err(too_small(vm));
        }
        // SAFETY: the memory has the type's size.
        let keep = unsafe { formats::set(format, data.ptr(), value, info.size.get() as isize, vm)? };
        data.keep(0, keep, vm)
    }

    #[method("($self, /)")]
    fn __ctypes_from_outparam__(zelf: &Object, vm: &Vm) -> PyResult {
        if is_simple_subclass(zelf.ob_type().as_object()) {
            return Ok(zelf.to_ref());
        }
        get_value(this(zelf), vm)
    }
}
