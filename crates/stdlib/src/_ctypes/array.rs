//! Arrays: `Array`, its metaclass, and the classes that multiplying a C type makes.

use std::ffi::{c_int, c_void};

use taipan_vm::builtins::descr::GetSetDescriptor;
use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::slice::SliceIndices;
use taipan_vm::builtins::weakref::{WeakReference, new_reference};
use taipan_vm::prelude::*;
use taipan_vm::protocols::native::{status_to_c, to_c};

use super::data::{self, CData};
use super::stginfo::{
    CType, HAS_POINTER, IS_POINTER, Passing, StgInfo, info_of, info_of_class, init_info, init_type,
};
use super::{formats, names};

/// The metaclass of arrays.
pub struct ArrayType;

#[pytype(
    name = "_ctypes.PyCArrayType",
    base = CType,
    no_layout,
    static = ARRAY_TYPE,
    doc = "metatype for the Array Objects",
    flags(BASETYPE, TYPE_SUBCLASS),
    methods(CType::FROM_PARAM, CType::CLASS_METHODS),
)]
impl ArrayType {
    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        init_type(zelf, args, kwargs, vm)?;
        let names = names(vm);
        let Some(length) = zelf.lookup_attr(&names._length_, vm)? else {
            return Err(vm.attribute_error("class must define a '_length_' attribute"));
        };
        let Some(length) = length.downcast_ref::<Int>() else {
            return Err(vm.type_error("The '_length_' attribute must be an integer"));
        };
        if length.is_negative() {
            return Err(vm.value_error("The '_length_' attribute must not be negative"));
        }
        let Some(length) = length.to_i64().and_then(|length| usize::try_from(length).ok()) else {
            return Err(vm.overflow_error("The '_length_' attribute is too large"));
        };
        let Some(item) = zelf.lookup_attr(&names._type_, vm)? else {
            return Err(vm.attribute_error("class must define a '_type_' attribute"));
        };
        let info = init_info(zelf, vm)?;
        let Some(item_info) = info_of_class(&item) else {
            return Err(vm.type_error("_type_ must have storage info"));
        };
        let size = item_info.size.get().checked_mul(length).filter(|size| isize::try_from(*size).is_ok());
        let Some(size) = size else { return Err(vm.overflow_error("array too large")) };
        info.set_format(&item_info.format_text(), vm)?;
        let mut shape = vec![length as isize];
        shape.extend(item_info.shape.try_borrow().iter().flat_map(|shape| shape.iter().copied()));
        info.shape.replace(shape.into_boxed_slice());
        if item_info.flags.get() & (IS_POINTER | HAS_POINTER) != 0 {
            info.flags.set(info.flags.get() | HAS_POINTER);
        }
        info.size.set(size);
        info.align.set(item_info.align.get());
        info.length.set(length);
        info.proto.put(item.clone());
        info.passing.set(Passing::Array);
        info.set_ffi(&raw const libffi_sys::ffi_type_pointer);
        let Some(class) = zelf.downcast_ref::<Type>() else { return Ok(()) };
        if item_info.is_code(b'c') {
            add_getset(class, &BYTES_VALUE, "value", vm)?;
            add_getset(class, &BYTES_RAW, "raw", vm)?;
        } else if item_info.is_code(b'u') {
            add_getset(class, &WIDE_VALUE, "value", vm)?;
        }
        Ok(())
    }
}

fn add_getset(class: &Type, def: &'static GetSetDef, name: &str, vm: &Vm) -> PyResult<()> {
    let descriptor = GetSetDescriptor::new(class, def, vm);
    class.as_object().set_attr(&vm.intern(name), descriptor.as_object(), vm)
}

/// The array class of `length` items of a C type: the one that is alive, or a new one.
pub fn array_type(item: &Object, length: isize, vm: &Vm) -> PyResult {
    let Ok(count) = usize::try_from(length) else {
        return Err(vm.value_error(format!("Array length must be >= 0, not {length}")));
    };
    let info = info_of_class(item);
    if let Some(info) = info {
        let known: Vec<ObjRef> = {
            let Ok(mut arrays) = info.arrays.try_borrow_mut() else {
                return Err(vm.runtime_error("array types are being made"));
            };
            let is_alive =
                |entry: &ObjRef| entry.downcast_ref::<WeakReference>().is_some_and(|r| !r.is_dead());
            arrays.retain(|(_, entry)| is_alive(entry));
            arrays.iter().filter(|(len, _)| *len == count).map(|(_, entry)| entry.clone()).collect()
        };
        for entry in known {
            if let Some(class) = entry.downcast_ref::<WeakReference>().and_then(WeakReference::get) {
                return Ok(class);
            }
        }
    }
    let Some(tp) = item.downcast_ref::<Type>() else { return Err(vm.type_error("Expected a type object")) };
    let dict = vm.new_dict();
    dict.set_str(&names(vm)._length_, &vm.new_int(count), vm)?;
    dict.set_str(&names(vm)._type_, item, vm)?;
    let name = vm.new_str(&format!("{}_Array_{count}", tp.tp_name_str()));
    let bases = vm.new_tuple([Array::type_object().as_object().to_ref()]);
    let class = ArrayType::type_object()
        .as_object()
        .call(&[name.as_object(), bases.as_object(), dict.as_object()], vm)?;
    if let Some(info) = info {
        let entry = new_reference(WeakReference::type_object(), &class, None, vm)?;
        if let Ok(mut arrays) = info.arrays.try_borrow_mut() {
            arrays.push((count, entry));
        }
    }
    Ok(class)
}

/// The base of arrays.
pub struct Array;

fn this(zelf: &Object) -> &CData {
    // SAFETY: slots and methods of a subtype of `_CData` are called with its instances.
    unsafe { zelf.cast::<CData>() }
}

/// The item class, its size, and the address of an item.
fn locate(data: &CData, index: isize, vm: &Vm) -> PyResult<(ObjRef, usize, *mut u8)> {
    let Some(index) = usize::try_from(index).ok().filter(|index| *index < data.length()) else {
        return Err(vm.index_error("invalid index"));
    };
    let Some((info, item)) = info_of(data.class()).and_then(|info| Some((info, info.proto.get()?))) else {
        return Err(vm.type_error("abstract class"));
    };
    let size = info.size.get() / info.length.get().max(1);
    if !data.has((index * size) as isize, size) {
        return Err(vm.index_error("invalid index"));
    }
    Ok((item, size, data.ptr().wrapping_add(index * size)))
}

fn item(data: &CData, index: isize, vm: &Vm) -> PyResult {
    let (class, size, address) = locate(data, index, vm)?;
    // SAFETY: the item lies within the array's memory.
    unsafe { data::get_part(&class, None, data, index, size as isize, address, vm) }
}

fn set_item(data: &CData, index: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let Some(value) = value else { return Err(vm.type_error("Array does not support item deletion")) };
    let (class, size, address) = locate(data, index, vm)?;
    // SAFETY: the item lies within the array's memory.
    unsafe { data::set_part(data, &class, None, value, index, size as isize, address, vm) }
}

fn key_index(data: &CData, key: &Object, vm: &Vm) -> PyResult<isize> {
    let index = match key.as_index(vm)?.to_i64() {
        Some(index) => index as isize,
        None => {
            return Err(
                vm.index_error(format!("cannot fit '{}' into an index-sized integer", key.type_name()))
            );
        }
    };
    Ok(if index < 0 { index.wrapping_add(data.length() as isize) } else { index })
}

/// Items of a slice, as `bytes`, `str` or a list; `address` gives each one's.
///
/// # Safety
/// Each address that is asked for has the bytes of an item.
pub unsafe fn gather(
    item_class: &Object,
    indices: impl Iterator<Item = isize>,
    address: impl Fn(isize) -> *mut u8,
    get: impl Fn(isize) -> PyResult,
    vm: &Vm,
) -> PyResult {
    let item_info = info_of_class(item_class);
    if item_info.is_some_and(|info| info.is_code(b'c')) {
        // SAFETY: passed on to the caller.
        let bytes: Vec<u8> = indices.map(|i| unsafe { formats::read::<u8>(address(i)) }).collect();
        return Ok(Bytes::try_from_slice(&bytes, vm)?.into_object());
    }
    if item_info.is_some_and(|info| info.is_code(b'u')) {
        // SAFETY: passed on to the caller.
        let codes: Vec<u32> = indices.map(|i| unsafe { formats::read::<u32>(address(i)) }).collect();
        // SAFETY: the characters were just copied.
        return unsafe { formats::wide_str(codes.as_ptr().cast(), codes.len(), vm) };
    }
    let items = indices.map(get).collect::<PyResult<Vec<_>>>()?;
    Ok(vm.new_list(items).into_object())
}

/// Abstract base class for arrays.
///
/// The recommended way to create concrete array types is by multiplying any
/// ctypes data type with a non-negative integer. Alternatively, you can subclass
/// this type and define _length_ and _type_ class variables. Array elements can
/// be read and written using standard subscript and slice accesses for slice
/// reads, the resulting object is not itself an Array.
#[pytype(
    name = "_ctypes.Array",
    base = CData,
    no_layout,
    static = ARRAY,
    metatype = ArrayType,
    basicsize = size_of::<CData>(),
    flags(BASETYPE),
)]
impl Array {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        Ok(CData::new_of(cls.as_object(), vm)?.into_object())
    }

    #[slot]
    fn tp_init(zelf: &Object, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        for (i, value) in args.as_slice().iter().enumerate() {
            zelf.set_item(&vm.new_int(i), value, vm)?;
        }
        Ok(())
    }

    #[slot]
    fn sq_length(zelf: &Object) -> PyResult<usize> {
        Ok(this(zelf).length())
    }

    #[slot]
    fn sq_item(zelf: &Object, index: isize, vm: &Vm) -> PyResult {
        item(this(zelf), index, vm)
    }

    #[slot]
    fn sq_ass_item(zelf: &Object, index: isize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_item(this(zelf), index, value, vm)
    }

    #[slot]
    fn mp_length(zelf: &Object) -> PyResult<usize> {
        Ok(this(zelf).length())
    }

    #[slot]
    fn mp_subscript(zelf: &Object, key: &Object, vm: &Vm) -> PyResult {
        let data = this(zelf);
        if key.has_index() {
            return item(data, key_index(data, key, vm)?, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("indices must be integers"));
        };
        let SliceIndices { start, step, count, .. } = slice.indices_for(|| data.length(), vm)?;
        let indices = (0..count as isize).map(|i| start + i * step);
        let Some((info, class)) = info_of(data.class()).and_then(|info| Some((info, info.proto.get()?)))
        else {
            return Err(vm.type_error("abstract class"));
        };
        let size = info.size.get() / info.length.get().max(1);
        if !data.has(0, info.size.get()) {
            return Err(vm.index_error("invalid index"));
        }
        // SAFETY: indices of a slice are fitted to the array, whose memory has all of its items.
        unsafe {
            gather(&class, indices, |i| data.ptr().wrapping_add(i as usize * size), |i| item(data, i, vm), vm)
        }
    }

    #[slot]
    fn mp_ass_subscript(zelf: &Object, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let data = this(zelf);
        let Some(value) = value else { return Err(vm.type_error("Array does not support item deletion")) };
        if key.has_index() {
            return set_item(data, key_index(data, key, vm)?, Some(value), vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("indices must be integer"));
        };
        let SliceIndices { start, step, count, .. } = slice.indices_for(|| data.length(), vm)?;
        if value.length(vm)? != count {
            return Err(vm.value_error("Can only assign sequence of same size"));
        }
        for i in 0..count as isize {
            let entry = taipan_vm::protocols::container::sequence_item(value, i, vm)?;
            set_item(data, start + i * step, Some(&entry), vm)?;
        }
        Ok(())
    }

    /// Arrays are generic over the type of their elements
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }
}

static BYTES_VALUE: GetSetDef = GetSetDef {
    name: c"value".as_ptr(),
    get: Some(get_bytes_value),
    set: Some(set_bytes_value),
    doc: c"string value".as_ptr(),
    closure: std::ptr::null_mut(),
};
static BYTES_RAW: GetSetDef = GetSetDef {
    name: c"raw".as_ptr(),
    get: Some(get_raw),
    set: Some(set_raw),
    doc: c"value".as_ptr(),
    closure: std::ptr::null_mut(),
};
static WIDE_VALUE: GetSetDef = GetSetDef {
    name: c"value".as_ptr(),
    get: Some(get_wide_value),
    set: Some(set_wide_value),
    doc: c"string value".as_ptr(),
    closure: std::ptr::null_mut(),
};

unsafe extern "C" fn get_bytes_value(zelf: *mut Object, _closure: *mut c_void) -> *mut Object {
    // SAFETY: getters are called with instances of their class, on an attached thread.
    let (vm, data) = unsafe { (Vm::current(), this(&*zelf)) };
    let bytes = data.bytes();
    let len = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    to_c(Bytes::try_from_slice(bytes.get(..len).unwrap_or(bytes), vm).map(Ref::into_object))
}

unsafe extern "C" fn set_bytes_value(zelf: *mut Object, value: *mut Object, _closure: *mut c_void) -> c_int {
    // SAFETY: setters are called with instances of their class and a value or null, on an attached thread.
    let (vm, data, value) = unsafe { (Vm::current(), this(&*zelf), value.as_ref()) };
    status_to_c((|| {
        let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
        let Some(bytes) = value.downcast_ref::<Bytes>() else {
            let given = value.ob_type().tp_name_str();
            return Err(vm.type_error(format!("bytes expected instead of {given} instance")));
        };
        fill(data, bytes.as_bytes(), true, vm)
    })())
}

/// Writes bytes at the start of an array, and a NUL behind them if wanted and there is room.
fn fill(data: &CData, bytes: &[u8], end: bool, vm: &Vm) -> PyResult<()> {
    if bytes.len() > data.size() {
        return Err(vm.value_error("byte string too long"));
    }
    // SAFETY: the text fits the memory, of which it may be a view; the NUL only where there is a byte left.
    unsafe {
        if !bytes.is_empty() {
            data.ptr().copy_from(bytes.as_ptr(), bytes.len());
        }
        if end && bytes.len() < data.size() {
            data.ptr().add(bytes.len()).write(0);
        }
    }
    Ok(())
}

unsafe extern "C" fn get_raw(zelf: *mut Object, _closure: *mut c_void) -> *mut Object {
    // SAFETY: as for `get_bytes_value`.
    let (vm, data) = unsafe { (Vm::current(), this(&*zelf)) };
    to_c(Bytes::try_from_slice(data.bytes(), vm).map(Ref::into_object))
}

unsafe extern "C" fn set_raw(zelf: *mut Object, value: *mut Object, _closure: *mut c_void) -> c_int {
    // SAFETY: as for `set_bytes_value`.
    let (vm, data, value) = unsafe { (Vm::current(), this(&*zelf), value.as_ref()) };
    status_to_c((|| {
        let Some(value) = value else {
            let name = data.class().name();
            return Err(vm.attribute_error(format!("attribute 'raw' of '{name}' objects cannot be deleted")));
        };
        let lent = BufferArg::from_object(value, vm)?;
        fill(data, lent.as_bytes(), false, vm)
    })())
}

unsafe extern "C" fn get_wide_value(zelf: *mut Object, _closure: *mut c_void) -> *mut Object {
    // SAFETY: as for `get_bytes_value`.
    let (vm, data) = unsafe { (Vm::current(), this(&*zelf)) };
    let format = formats::Format { code: b'U', swapped: false };
    // SAFETY: the memory has its size.
    to_c(unsafe { formats::get(format, data.ptr(), data.size() as isize, vm) })
}

unsafe extern "C" fn set_wide_value(zelf: *mut Object, value: *mut Object, _closure: *mut c_void) -> c_int {
    // SAFETY: as for `set_bytes_value`.
    let (vm, data, value) = unsafe { (Vm::current(), this(&*zelf), value.as_ref()) };
    status_to_c((|| {
        let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
        if value.downcast_ref::<Str>().is_some_and(|text| text.len() > data.size() / 4) {
            return Err(vm.value_error("string too long"));
        }
        let format = formats::Format { code: b'U', swapped: false };
        // SAFETY: the memory has its size.
        unsafe { formats::set(format, data.ptr(), value, data.size() as isize, vm) }.map(drop)
    })())
}

/// The class of an array's items with its data.
pub fn item_info(class: &Type) -> Option<(Ref<Type>, usize)> {
    let info = info_of(class)?;
    Some((info.proto_type()?, info.length.get()))
}

/// Whether a class is an array class.
pub fn is_array_class(class: &Object) -> bool {
    class.ob_type().is_subtype_of(ArrayType::type_object())
}

/// Whether fields of an array class are read and written as text: the code for it.
pub fn text_code(class: &Object) -> Option<u8> {
    if !is_array_class(class) {
        return None;
    }
    let item = info_of_class(class).and_then(StgInfo::proto_type)?;
    let item = info_of(&item)?;
    if item.is_code(b'c') {
        Some(b's')
    } else if item.is_code(b'u') {
        Some(b'U')
    } else {
        None
    }
}
