//! Pointers: `_Pointer`, and the metaclass of what `POINTER` makes.

use taipan_vm::prelude::*;

use super::carg::byref;
use super::data::{self, CData, as_cdata};
use super::stginfo::{CType, IS_POINTER, StgInfo, concrete, info_of, info_of_class, init_info, init_type};
use super::{array, class_methods, names};

/// The metaclass of pointers.
pub struct PointerType;

/// Whether a class is a pointer class.
pub fn is_pointer_class(class: &Object) -> bool {
    class.ob_type().is_subtype_of(PointerType::type_object())
}

fn set_target(class: &Object, info: &StgInfo, target: &Object, vm: &Vm) -> PyResult<()> {
    if target.downcast_ref::<Type>().is_none() {
        return Err(vm.type_error("_type_ must be a type"));
    }
    let Some(target_info) = info_of_class(target) else {
        let shown = target.repr(vm)?;
        return Err(vm.type_error(format!("{} must have storage info", shown.to_string_lossy())));
    };
    info.proto.put(target.to_ref());
    if target_info.pointer_type.is_none() {
        target_info.pointer_type.put(class.to_ref());
    }
    Ok(())
}

#[pytype(
    name = "_ctypes.PyCPointerType",
    base = CType,
    no_layout,
    static = POINTER_TYPE,
    doc = "metatype for the Pointer Objects",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::CLASS_METHODS),
)]
impl PointerType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_type(zelf, args, kwargs, vm)?;
        let info = init_info(zelf, vm)?;
        info.set_pointer();
        info.flags.set(info.flags.get() | IS_POINTER);
        let own = zelf.downcast_ref::<Type>().and_then(taipan_vm::builtins::type_::type_dict);
        let Some(target) = own.map(|dict| dict.get_str(&names(vm)._type_, vm)).transpose()?.flatten() else {
            return Ok(());
        };
        set_target(zelf, info, &target, vm)?;
        let Some(target) = info_of_class(&target) else { return Ok(()) };
        let shape: Vec<String> =
            target.shape.try_borrow().iter().flat_map(|shape| shape.iter().map(isize::to_string)).collect();
        let shape = if shape.is_empty() { String::new() } else { format!("({})", shape.join(",")) };
        info.set_format(&format!("&{shape}{}", target.format_text()), vm)
    }

    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)")]
    fn from_param(zelf: &Object, value: &Object, vm: &Vm) -> PyResult {
        if vm.is_none(value) {
            return Ok(vm.none());
        }
        let info = concrete(zelf, vm)?;
        let Some(target) = info.proto.get() else { return Err(vm.type_error("abstract class")) };
        // An instance of the target type is passed by reference.
        if value.is_instance(&target, vm)? && as_cdata(value).is_some() {
            return Ok(byref(value, 0, vm)?.into_object());
        }
        let given = value.ob_type();
        if given.is_subtype_of(Pointer::type_object()) || given.is_subtype_of(array::Array::type_object()) {
            if let Some(item) = info_of(given).and_then(|info| info.proto.get()) {
                if item.is_subclass(&target, vm)? {
                    return Ok(value.to_ref());
                }
            }
        }
        class_methods::instance_from_param(zelf, value, vm)
    }

    #[method("($self, type, /)")]
    fn set_type(zelf: &Object, r#type: &Object, vm: &Vm) -> PyResult<()> {
        let info = concrete(zelf, vm)?;
        set_target(zelf, info, r#type, vm)?;
        zelf.set_attr(&names(vm)._type_, r#type, vm)
    }
}

/// The base of pointers.
pub struct Pointer;

fn this(zelf: &Object) -> &CData {
    // SAFETY: slots and methods of a subtype of `_CData` are called with its instances.
    unsafe { zelf.cast::<CData>() }
}

fn target_of(data: &CData, vm: &Vm) -> PyResult<ObjRef> {
    info_of(data.class())
        .and_then(|info| info.proto.get())
        .ok_or_else(|| vm.type_error("Cannot create instance: has no _type_"))
}

fn not_null(data: &CData, vm: &Vm) -> PyResult<*mut u8> {
    let address = data.pointer();
    if address.is_null() { Err(vm.value_error("NULL pointer access")) } else { Ok(address) }
}

fn item(data: &CData, index: isize, vm: &Vm) -> PyResult {
    let address = not_null(data, vm)?;
    let target = target_of(data, vm)?;
    let size = info_of_class(&target).map_or(0, |info| info.size.get()) as isize;
    let address = address.wrapping_offset(index.wrapping_mul(size));
    // SAFETY: where a pointer points, and how far it may be indexed, is the program's responsibility.
    unsafe { data::get_part(&target, None, data, index, size, address, vm) }
}

/// A missing bound of a slice.
fn bound(object: &Object, vm: &Vm) -> PyResult<Option<isize>> {
    if vm.is_none(object) {
        return Ok(None);
    }
    match object.as_index(vm)?.to_i64() {
        Some(value) => Ok(Some(value as isize)),
        None => Err(vm.value_error("cannot fit 'int' into an index-sized integer")),
    }
}

#[pytype(
    name = "_ctypes._Pointer",
    base = CData,
    no_layout,
    static = POINTER,
    metatype = PointerType,
    basicsize = size_of::<CData>(),
    doc = "XXX to be provided",
    flags(BASETYPE),
)]
impl Pointer {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if info_of(cls).is_none_or(|info| info.proto.is_none()) {
            return Err(vm.type_error("Cannot create instance: has no _type_"));
        }
        Ok(CData::new_of(cls.as_object(), vm)?.into_object())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        match args.as_slice() {
            [] => Ok(()),
            [value] => Self::set_contents(zelf, Some(value), vm),
            more => {
                let count = more.len();
                Err(vm.type_error(format!("POINTER expected at most 1 argument, got {count}")))
            }
        }
    }

    #[slot]
    fn nb_bool(zelf: &Object) -> PyResult<bool> {
        Ok(!this(zelf).pointer().is_null())
    }

    #[slot]
    fn sq_item(zelf: &Object, index: isize, vm: &Vm) -> PyResult {
        item(this(zelf), index, vm)
    }

    #[slot]
    fn sq_ass_item(zelf: &Object, index: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let data = this(zelf);
        let Some(value) = value else {
            return Err(vm.type_error("Pointer does not support item deletion"));
        };
        let address = not_null(data, vm)?;
        let target = target_of(data, vm)?;
        let size = info_of_class(&target).map_or(0, |info| info.size.get()) as isize;
        let address = address.wrapping_offset(index.wrapping_mul(size));
        // SAFETY: as for `item`.
        unsafe { data::set_part(data, &target, None, value, index, size, address, vm) }
    }

    #[slot]
    fn mp_subscript(zelf: &Object, key: &Object, vm: &Vm) -> PyResult {
        let data = this(zelf);
        if key.has_index() {
            return match key.as_index(vm)?.to_i64() {
                Some(index) => item(data, index as isize, vm),
                None => Err(vm.index_error("cannot fit 'int' into an index-sized integer")),
            };
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("Pointer indices must be integer"));
        };
        // A pointer has no length: bounds can't be made up for the side on which it is open.
        let step = bound(&slice.step, vm)?.unwrap_or(1);
        if step == 0 {
            return Err(vm.value_error("slice step cannot be zero"));
        }
        let start = match bound(&slice.start, vm)? {
            Some(start) => start,
            None if step < 0 => return Err(vm.value_error("slice start is required for step < 0")),
            None => 0,
        };
        let Some(stop) = bound(&slice.stop, vm)? else {
            return Err(vm.value_error("slice stop is required"));
        };
        let (low, high) = if step < 0 { (stop, start) } else { (start, stop) };
        let distance = high.checked_sub(low);
        let Some(distance) = distance else { return Err(vm.memory_error()) };
        let count = if distance <= 0 { 0 } else { (distance - 1) / step.saturating_abs() + 1 };
        let address = not_null_for(data, count, vm)?;
        let target = target_of(data, vm)?;
        let size = info_of_class(&target).map_or(0, |info| info.size.get()) as isize;
        let indices = (0..count).map(|i| start.wrapping_add(i.wrapping_mul(step)));
        // SAFETY: as for `item`.
        unsafe {
            array::gather(
                &target,
                indices,
                |i| address.wrapping_offset(i.wrapping_mul(size)),
                |i| item(data, i, vm),
                vm,
            )
        }
    }

    /// the object this pointer points to (read-write)
    #[getter]
    fn contents(zelf: &Object, vm: &Vm) -> PyResult {
        let data = this(zelf);
        let address = not_null(data, vm)?;
        Ok(CData::within(&*target_of(data, vm)?, data, 0, address, vm)?.into_object())
    }

    #[setter(contents)]
    fn set_contents(zelf: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let data = this(zelf);
        let Some(value) = value else {
            return Err(vm.type_error("Pointer does not support item deletion"));
        };
        let target = target_of(data, vm)?;
        let source = if value.is_instance(&target, vm)? { as_cdata(value) } else { None };
        let Some(source) = source else {
            let wanted = target.downcast_ref::<Type>().map_or("???", Type::tp_name_str);
            let given = value.ob_type().tp_name_str();
            return Err(vm.type_error(format!("expected {wanted} instead of {given}")));
        };
        data.set_pointer(source.ptr());
        // The target is kept, and what the target refers to.
        data.keep(1, value.to_ref(), vm)?;
        data.keep(0, source.kept_objects(vm), vm)
    }
}

/// The address for a slice of so many items; an empty slice of a null pointer is fine.
fn not_null_for(data: &CData, count: isize, vm: &Vm) -> PyResult<*mut u8> {
    if count == 0 { Ok(data.pointer()) } else { not_null(data, vm) }
}
