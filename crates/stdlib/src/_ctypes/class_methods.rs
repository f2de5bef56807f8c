//! The methods of C types as classes: `from_address`, `from_buffer`, `from_buffer_copy`, `in_dll`, and the general
//! `from_param`.

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::builtins::memoryview::shape::is_c_contiguous;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::as_parameter;
use super::carg::CArg;
use super::data::CData;
use super::dl;
use super::stginfo::{CType, concrete};

/// Takes an instance of the class, a pointer to one made by `byref` where the class is a pointer type, or an object whose
/// `_as_parameter_` is one of these.
pub fn instance_from_param(class: &Object, value: &Object, vm: &Vm) -> PyResult {
    if value.is_instance(class, vm)? {
        return Ok(value.to_ref());
    }
    let wanted = class.downcast_ref::<Type>().map_or("???", Type::tp_name_str);
    if let Some(argument) = value.downcast_exact::<CArg>() {
        let info = concrete(class, vm)?;
        let object = argument.object();
        if let (Some(object), Some(target)) = (&object, info.proto.get()) {
            if target.downcast_ref::<Type>().is_some() && object.is_instance(&target, vm)? {
                return Ok(value.to_ref());
            }
        }
        let given = object.as_ref().map_or("???", |object| object.ob_type().tp_name_str());
        return Err(vm.type_error(format!("expected {wanted} instance instead of pointer to {given}")));
    }
    match as_parameter(value, vm)? {
        Some(value) => {
            vm.check_recursion(" while processing _as_parameter_")?;
            instance_from_param(class, &value, vm)
        }
        None => Err(
            vm.type_error(format!("expected {wanted} instance instead of {}", value.ob_type().tp_name_str()))
        ),
    }
}

/// An address given as an int.
pub fn address(value: &Object, wrong: &str, vm: &Vm) -> PyResult<*mut u8> {
    let Some(int) = value.downcast_ref::<Int>() else { return Err(vm.type_error(wrong)) };
    let address = if int.is_negative() { int.to_i64().map(|int| int as u64) } else { int.to_u64() };
    match address {
        Some(address) => Ok(address as usize as *mut u8),
        None => Err(vm.overflow_error("Python int too large to convert to C unsigned long")),
    }
}

fn check_room(size: usize, offset: isize, len: usize, vm: &Vm) -> PyResult<usize> {
    let Ok(start) = usize::try_from(offset) else { return Err(vm.value_error("offset cannot be negative")) };
    let needed = size.saturating_add(start);
    if needed > len {
        return Err(
            vm.value_error(format!("Buffer size too small ({len} instead of at least {needed} bytes)"))
        );
    }
    Ok(start)
}

fn audit_buffer(address: *const u8, len: usize, offset: isize, vm: &Vm) -> PyResult<()> {
    let (address, len, offset) = (vm.new_int(address as usize), vm.new_int(len), vm.new_int(offset));
    audit("ctypes.cdata/buffer", &[&address, &len, &offset], vm)
}

#[pymethods(table = CLASS_METHODS)]
impl CType {
    /// C.from_address(integer) -> C instance
    ///
    /// Access a C instance at the specified address.
    #[method("($self, value, /)")]
    fn from_address(zelf: &Object, value: &Object, vm: &Vm) -> PyResult {
        let address = address(value, "integer expected", vm)?;
        Ok(CData::at_address(zelf, address, vm)?.into_object())
    }

    /// C.from_buffer(object, offset=0) -> C instance
    ///
    /// Create a C instance from a writeable buffer.
    #[method("($self, obj, offset=0, /)")]
    fn from_buffer(zelf: &Object, obj: &Object, offset: Option<isize>, vm: &Vm) -> PyResult {
        let offset = offset.unwrap_or(0);
        let info = concrete(zelf, vm)?;
        let view = MemoryView::from_object(obj, vm)?;
        let (start, len, address) = {
            let lent = view.info();
            if lent.readonly != 0 {
                return Err(vm.type_error("underlying buffer is not writable"));
            }
            if !is_c_contiguous(lent) {
                return Err(vm.type_error("underlying buffer is not C contiguous"));
            }
            let len = usize::try_from(lent.len).unwrap_or(0);
            (check_room(info.size.get(), offset, len, vm)?, len, lent.buf.cast::<u8>())
        };
        audit_buffer(address, len, offset, vm)?;
        let data = CData::at_address(zelf, address.wrapping_add(start), vm)?;
        data.keep(-1, view.into_object(), vm)?;
        Ok(data.into_object())
    }

    /// C.from_buffer_copy(object, offset=0) -> C instance
    ///
    /// Create a C instance from a readable buffer.
    #[method("($self, buffer, offset=0, /)")]
    fn from_buffer_copy(zelf: &Object, buffer: &Object, offset: Option<isize>, vm: &Vm) -> PyResult {
        let offset = offset.unwrap_or(0);
        let lent = BufferArg::from_object(buffer, vm)?;
        let info = concrete(zelf, vm)?;
        let bytes = lent.as_bytes();
        let start = check_room(info.size.get(), offset, bytes.len(), vm)?;
        audit_buffer(bytes.as_ptr(), bytes.len(), offset, vm)?;
        let data = CData::new_of(zelf, vm)?;
        // SAFETY: the buffer has the type's size from `start` on, and lends its memory as long as `lent` lives.
        unsafe {
            data.ptr().copy_from_nonoverlapping(lent.as_bytes().as_ptr().wrapping_add(start), data.size())
        };
        Ok(data.into_object())
    }

    /// C.in_dll(dll, name) -> C instance
    ///
    /// Access a C instance in a dll.
    #[method("($self, dll, name, /)")]
    fn in_dll(zelf: &Object, dll: &Object, name: &Object, vm: &Vm) -> PyResult {
        let Some(text) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("in_dll() argument 2 must be str, not {}", name.type_name())));
        };
        let symbol = std::ffi::CString::new(text.to_utf8(vm)?)
            .map_err(|_| vm.value_error("embedded null character"))?;
        audit("ctypes.dlsym", &[dll, name], vm)?;
        let handle = dl::handle_of(dll, vm)?;
        match dl::symbol(handle, &symbol) {
            Ok(address) => Ok(CData::at_address(zelf, address, vm)?.into_object()),
            Err(Some(message)) => Err(vm.raise_with(types::value_error(), vec![dl::message(&message, vm)])),
            Err(None) => Err(vm.value_error(format!("symbol '{}' not found", text.to_string_lossy()))),
        }
    }
}
