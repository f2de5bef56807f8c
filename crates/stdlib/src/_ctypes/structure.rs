//! Structures and unions: `Structure`, `Union`, their metaclasses, and the layout that `_fields_` asks for, which
//! `ctypes._layout` computes.

use libffi_sys::ffi_type;
use taipan_vm::builtins::type_::{type_dict, type_setattr};
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::data::{CData, as_cdata};
use super::field::CField;
use super::stginfo::{CType, HAS_POINTER, IS_POINTER, Passing, StgInfo, info_of, init_info, init_type};
use super::{array, names};

/// Aggregates that may be passed in registers: their arrays are told to libffi item by item.
const LARGEST_IN_REGISTERS: usize = 32;

fn init_class(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    init_type(zelf, args, kwargs, vm)?;
    let Some(class) = zelf.downcast_ref::<Type>() else { return Ok(()) };
    let names = names(vm);
    let Some(own) = type_dict(class) else { return Ok(()) };
    if own.get_str(&names._abstract_, vm)?.is_some() {
        return Ok(());
    }
    let info = init_info(zelf, vm)?;
    info.set_format("B", vm)?;
    info.passing.set(Passing::Aggregate);
    info.set_aggregate(0, 1, Vec::new(), Vec::new());
    if let Some(fields) = own.get_str(&names._fields_, vm)? {
        // Through the metaclass, which may be a subclass that changes them.
        return zelf.set_attr(&names._fields_, &fields, vm);
    }
    let Some(base) = class.base().and_then(info_of) else { return Ok(()) };
    info.copy_from(base);
    base.is_final.set(true);
    Ok(())
}

fn set_class_attr(
    class: &Type,
    name: &Str,
    value: Option<&Object>,
    is_struct: bool,
    vm: &Vm,
) -> PyResult<()> {
    // Fields that can't be laid out aren't stored.
    if let Some(fields) = value.filter(|_| name.eq_str("_fields_")) {
        update_layout(class, fields, is_struct, vm)?;
    }
    type_setattr(class, name, value, vm)
}

/// Adds a field's members to those of its structure for libffi: arrays item by item.
fn add_members(class: &Type, info: &StgInfo, members: &mut Vec<*mut ffi_type>, owners: &mut Vec<ObjRef>) {
    if array::is_array_class(class.as_object()) {
        if let Some((item, length)) = array::item_info(class) {
            if let Some(item_info) = info_of(&item) {
                for _ in 0..length {
                    add_members(&item, item_info, members, owners);
                }
                return;
            }
        }
    }
    members.push(info.ffi_ptr());
    owners.push(class.as_object().to_ref());
}

fn size_attr(layout: &Object, name: &str, vm: &Vm) -> PyResult<usize> {
    let value = layout.get_attr(&vm.intern(name), vm)?;
    let Some(int) = value.downcast_ref::<Int>() else { return Err(vm.type_error("an integer is required")) };
    match int.to_i64() {
        Some(value) => {
            usize::try_from(value).map_err(|_| vm.value_error(format!("{name} must not be negative")))
        }
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// Lays the class out by its `_fields_`.
fn update_layout(class: &Type, fields: &Object, is_struct: bool, vm: &Vm) -> PyResult<()> {
    let Some(info) = info_of(class) else { return Err(vm.type_error("ctypes state is not initialized")) };
    if info.is_final.get() {
        return Err(vm.attribute_error("_fields_ is final"));
    }
    let base = class.base().and_then(|base| Some((base, info_of(base)?)));
    let get_layout = import_module("ctypes._layout", vm)?;
    let get_layout = match taipan_vm::import::loaded_module(&vm.intern("ctypes._layout"), vm)? {
        Some(module) => module.get_attr(&vm.intern("get_layout"), vm)?,
        None => get_layout.get_attr(&vm.intern("get_layout"), vm)?,
    };
    let keywords = vm.new_tuple([vm.intern("is_struct").into_object(), vm.intern("base").into_object()]);
    let base_class = base.map_or(vm.none_ref(), |(base, _)| base.as_object());
    let is_struct_object = vm.new_bool(is_struct);
    let layout = get_layout.call_kw(
        &[class.as_object(), fields, &is_struct_object, base_class],
        Some(&keywords),
        vm,
    )?;
    let align = size_attr(&layout, "align", vm)?;
    let size = size_attr(&layout, "size", vm)?;
    let found = layout.get_attr(&vm.intern("fields"), vm)?.collect_iterable(vm)?;
    let format = layout.get_attr(&vm.intern("format_spec"), vm)?;
    let Some(format) = format.downcast_ref::<Str>() else {
        return Err(vm.type_error("format_spec must be a str"));
    };
    if isize::try_from(size).is_err() {
        return Err(vm.overflow_error("structure too large"));
    }
    let mut flags = info.flags.get();
    let (mut members, mut owners) = (Vec::new(), Vec::new());
    let mut length = 0;
    if let Some((_, base)) = base {
        (members, owners) = base.members();
        length = base.length.get();
        flags |= base.flags.get() & (IS_POINTER | HAS_POINTER);
        base.is_final.set(true);
    }
    for (i, field) in found.iter().enumerate() {
        let Some(field) = field.downcast_ref::<CField>() else {
            let given = field.type_name();
            return Err(vm.type_error(format!("fields must be of type CField, got {given}")));
        };
        let (Some(name), Some(field_class)) = (field.name(), field.class()) else {
            return Err(vm.type_error("an uninitialised field"));
        };
        if field.index() != i as isize {
            return Err(vm.value_error(format!(
                "field {} index mismatch (expected {i}, got {})",
                name.as_object().repr(vm)?.to_string_lossy(),
                field.index()
            )));
        }
        let Some(field_info) = info_of(&field_class) else {
            return Err(vm.type_error("field has no storage info"));
        };
        if !field_fits(field, field_info, size) {
            return Err(vm.value_error(format!(
                "field {} does not fit the structure",
                name.as_object().repr(vm)?.to_string_lossy()
            )));
        }
        if field_info.flags.get() & (IS_POINTER | HAS_POINTER) != 0 {
            flags |= HAS_POINTER;
        }
        field_info.is_final.set(true);
        if size <= LARGEST_IN_REGISTERS {
            add_members(&field_class, field_info, &mut members, &mut owners);
        } else {
            members.push(field_info.ffi_ptr());
            owners.push(field_class.as_object().to_ref());
        }
        class.as_object().set_attr(&name, field.as_object(), vm)?;
    }
    if info.is_final.get() {
        return Err(vm.attribute_error("Structure or union cannot contain itself"));
    }
    info.flags.set(flags);
    info.set_format(&format.to_string_lossy(), vm)?;
    info.set_aggregate(size, align, members, owners);
    info.size.set(size);
    info.align.set(align);
    info.length.set(length + found.len());
    info.is_final.set(true);
    add_anonymous(class, vm)
}

fn field_fits(field: &CField, info: &StgInfo, size: usize) -> bool {
    usize::try_from(field.byte_offset())
        .ok()
        .and_then(|offset| offset.checked_add(info.size.get()))
        .is_some_and(|end| end <= size || field.has_bits())
}

/// Makes the fields of `_anonymous_` fields the structure's own.
fn add_anonymous(class: &Type, vm: &Vm) -> PyResult<()> {
    let Some(anonymous) = class.as_object().lookup_attr(&names(vm)._anonymous_, vm)? else { return Ok(()) };
    let listed =
        if anonymous.downcast_ref::<Str>().is_some() { None } else { anonymous.collect_iterable(vm).ok() };
    let Some(listed) = listed.or_else(|| {
        vm.clear_exception();
        anonymous.collect_iterable(vm).ok()
    }) else {
        vm.clear_exception();
        return Err(vm.type_error("_anonymous_ must be a sequence"));
    };
    for name in listed {
        let Some(name) = name.downcast_ref::<Str>() else {
            let given = name.type_name();
            return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
        };
        let found = class.as_object().get_attr(name, vm)?;
        let Some(field) = found.downcast_exact::<CField>() else {
            return Err(vm.attribute_error(format!(
                "'{}' is specified in _anonymous_ but not in _fields_",
                name.to_string_lossy()
            )));
        };
        field.make_anonymous();
        lift_fields(class, field, field.index(), field.byte_offset(), vm)?;
    }
    Ok(())
}

fn lift_fields(class: &Type, outer: &CField, index: isize, offset: isize, vm: &Vm) -> PyResult<()> {
    vm.check_recursion(" while adding anonymous fields")?;
    let Some(inner) = outer.class() else { return Ok(()) };
    let fields = inner.as_object().get_attr(&names(vm)._fields_, vm)?;
    let Ok(fields) = fields.collect_iterable(vm) else {
        vm.clear_exception();
        return Err(vm.type_error("_fields_ must be a sequence"));
    };
    for entry in fields {
        let name = match entry.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([name, _] | [name, _, _]) => name.clone(),
            _ => taipan_vm::protocols::container::sequence_item(&entry, 0, vm)?,
        };
        let Some(name) = name.downcast_ref::<Str>() else {
            let given = name.type_name();
            return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
        };
        let found = inner.as_object().get_attr(name, vm)?;
        let Some(field) = found.downcast_exact::<CField>() else {
            return Err(vm.type_error("unexpected type"));
        };
        if field.is_anonymous_field() {
            let (index, offset) =
                (index.wrapping_add(field.index()), offset.wrapping_add(field.byte_offset()));
            lift_fields(class, field, index, offset, vm)?;
            continue;
        }
        let lifted = field.shifted(index, offset, vm);
        class.as_object().set_attr(name, lifted.as_object(), vm)?;
    }
    Ok(())
}

/// Assigns positional arguments to fields, the bases' fields first. Gives how many were taken.
fn init_positional(
    zelf: &Object,
    class: &Type,
    args: &[ObjRef],
    kwargs: Option<&Dict>,
    start: usize,
    vm: &Vm,
) -> PyResult<usize> {
    let mut start = start;
    if let Some(base) = class.base().filter(|base| info_of(base).is_some()) {
        start = init_positional(zelf, base, args, kwargs, start, vm)?;
    }
    let Some(info) = info_of(class) else { return Ok(start) };
    let Some(own) = type_dict(class) else { return Ok(start) };
    let Some(fields) = own.get_str(&names(vm)._fields_, vm)? else { return Ok(start) };
    let length = info.length.get();
    for i in start..length.min(args.len()) {
        let Some(value) = args.get(i) else { break };
        let entry = taipan_vm::protocols::container::sequence_item(&fields, (i - start) as isize, vm)?;
        let name = taipan_vm::protocols::container::sequence_item(&entry, 0, vm)?;
        let Some(name) = name.downcast_ref::<Str>() else {
            let given = name.type_name();
            return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
        };
        if kwargs.map(|kwargs| kwargs.get_str(name, vm)).transpose()?.flatten().is_some() {
            let shown = name.as_object().repr(vm)?;
            return Err(vm.type_error(format!("duplicate values for field {}", shown.to_string_lossy())));
        }
        zelf.set_attr(name, value, vm)?;
    }
    Ok(length)
}

fn init_instance(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    if as_cdata(zelf).is_none() {
        return Err(vm.type_error("not a ctype instance"));
    }
    if !args.is_empty() {
        let taken = init_positional(zelf, zelf.ob_type(), args.as_slice(), kwargs, 0, vm)?;
        if taken < args.len() {
            return Err(vm.type_error("too many initializers"));
        }
    }
    for (name, value) in kwargs.map(Dict::items_vec).unwrap_or_default() {
        if let Some(name) = name.downcast_ref::<Str>() {
            zelf.set_attr(name, &value, vm)?;
        }
    }
    Ok(())
}

/// The metaclass of structures.
pub struct StructType;

#[pytype(
    name = "_ctypes.PyCStructType",
    base = CType,
    no_layout,
    static = STRUCT_TYPE,
    doc = "metatype for the CData Objects",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::FROM_PARAM, CType::CLASS_METHODS),
)]
impl StructType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_class(zelf, args, kwargs, vm)
    }

    #[slot]
    fn tp_setattro(zelf: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match zelf.downcast_ref::<Type>() {
            Some(class) => set_class_attr(class, name, value, true, vm),
            None => Ok(()),
        }
    }
}

/// The metaclass of unions.
pub struct UnionType;

#[pytype(
    name = "_ctypes.UnionType",
    base = CType,
    no_layout,
    static = UNION_TYPE,
    doc = "metatype for the Union Objects",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::FROM_PARAM, CType::CLASS_METHODS),
)]
impl UnionType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_class(zelf, args, kwargs, vm)
    }

    #[slot]
    fn tp_setattro(zelf: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match zelf.downcast_ref::<Type>() {
            Some(class) => set_class_attr(class, name, value, false, vm),
            None => Ok(()),
        }
    }
}

/// The base of structures.
pub struct Structure;

/// Structure base class
#[pytype(
    name = "_ctypes.Structure",
    base = CData,
    no_layout,
    static = STRUCTURE,
    metatype = StructType,
    basicsize = size_of::<CData>(),
    flags(BASETYPE),
)]
impl Structure {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        Ok(CData::new_of(cls.as_object(), vm)?.into_object())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_instance(zelf, args, kwargs, vm)
    }
}

/// The base of unions.
pub struct Union;

/// Union base class
#[pytype(
    name = "_ctypes.Union",
    base = CData,
    no_layout,
    static = UNION,
    metatype = UnionType,
    basicsize = size_of::<CData>(),
    flags(BASETYPE),
)]
impl Union {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        Ok(CData::new_of(cls.as_object(), vm)?.into_object())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_instance(zelf, args, kwargs, vm)
    }
}
