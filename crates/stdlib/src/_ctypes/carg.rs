//! `CArgObject`: an argument made ready for a call, as `from_param` and `byref` give it.

use std::cell::{Cell, UnsafeCell};

use libffi_sys::{self as ffi, ffi_type};
use taipan_vm::prelude::*;

use super::data::{CData, as_cdata, passing_of};
use super::formats;
use super::stginfo::Passing;

/// Room for the widest value, a complex of two long doubles.
pub type Value = [u64; 4];

/// The layout.
#[repr(C)]
pub struct CArg {
    ob: Object,
    ffi: Cell<*mut ffi_type>,
    tag: Cell<u8>,
    value: UnsafeCell<Value>,
    object: Slot<Object>,
    /// The copy of an aggregate, which `value` points to.
    copy: UnsafeCell<Vec<u64>>,
}

impl Traverse for CArg {
    fn traverse(&self, visit: &mut Visit) {
        self.object.traverse(visit);
    }
    fn clear(&self) {
        self.object.clear();
    }
}

impl CArg {
    fn make(tag: u8, ffi: *mut ffi_type, object: Option<ObjRef>, vm: &Vm) -> Ref<CArg> {
        vm.new_object(CArg {
            ob: Object::new(Self::type_object()),
            ffi: Cell::new(ffi),
            tag: Cell::new(tag),
            value: UnsafeCell::new([0; 4]),
            object: Slot::new(object),
            copy: UnsafeCell::new(Vec::new()),
        })
    }

    /// An address, shown with `tag`, and the object that keeps it valid.
    pub fn pointer(tag: u8, address: *const u8, object: Option<ObjRef>, vm: &Vm) -> Ref<CArg> {
        let argument = Self::make(tag, &raw mut ffi::ffi_type_pointer, object, vm);
        // SAFETY: the value has room for an address.
        unsafe { formats::write(argument.place(), address) };
        argument
    }

    /// A value converted to a simple type.
    pub fn simple(format: formats::Format, value: &Object, size: usize, vm: &Vm) -> PyResult<Ref<CArg>> {
        let Some(row) = formats::row(format.code) else { return Err(vm.system_error("unknown format code")) };
        let argument = Self::make(format.code, row.ffi, None, vm);
        // `s` and `U` name arrays, whose address would be passed: nothing fits in.
        let size = if matches!(format.code, b's' | b'U') { size.min(size_of::<Value>()) } else { size };
        // SAFETY: the value has room for every simple type.
        let keep = unsafe { formats::set(format, argument.place(), value, size as isize, vm)? };
        argument.object.put(keep);
        Ok(argument)
    }

    /// An instance of a C type as an argument.
    pub fn of_instance(data: &CData, vm: &Vm) -> PyResult<Ref<CArg>> {
        let Some((passing, info)) = passing_of(data) else { return Err(vm.type_error("abstract class")) };
        let object = data.as_object().to_ref();
        Ok(match passing {
            Passing::Simple(code) => {
                let argument = Self::make(code, info.ffi_ptr(), Some(object), vm);
                let count = data.size().min(size_of::<Value>());
                // SAFETY: both have `count` bytes.
                unsafe { argument.place().copy_from_nonoverlapping(data.ptr(), count) };
                argument
            }
            Passing::Array => Self::pointer(b'P', data.ptr(), Some(object), vm),
            Passing::Pointer => Self::pointer(b'P', data.pointer(), Some(object), vm),
            Passing::Aggregate => {
                let argument = Self::make(b'V', info.ffi_ptr(), Some(object), vm);
                let mut copy = vec![0u64; data.size().max(info.size.get()).div_ceil(8)];
                // SAFETY: the copy has room for the object's memory and lives as long as the argument.
                unsafe {
                    copy.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(data.ptr(), data.size());
                    formats::write(argument.place(), copy.as_mut_ptr());
                    *argument.copy.get() = copy;
                }
                argument
            }
        })
    }

    fn place(&self) -> *mut u8 {
        self.value.get().cast()
    }

    /// The type for libffi and the value; an aggregate's value is an address.
    pub fn ready(&self) -> (*mut ffi_type, Value) {
        // SAFETY: a plain copy.
        (self.ffi.get(), unsafe { *self.value.get() })
    }

    /// The object that was made an argument.
    pub fn object(&self) -> Option<ObjRef> {
        self.object.get()
    }

    /// What kind of argument it is: a format code, `P` or `V`.
    pub fn tag(&self) -> u8 {
        self.tag.get()
    }
}

/// `byref`: the address of an instance, some bytes further.
pub fn byref(object: &Object, offset: isize, vm: &Vm) -> PyResult<Ref<CArg>> {
    let Some(data) = as_cdata(object) else {
        let given = object.type_name();
        return Err(vm.type_error(format!("byref() argument 1 must be _ctypes._CData, not {given}")));
    };
    Ok(CArg::pointer(b'P', data.ptr().wrapping_offset(offset), Some(object.to_ref()), vm))
}

#[pytype(
    name = "_ctypes.CArgObject",
    gc,
    no_new,
    doc = "",
    members(_obj: OBJECT = object, readonly "the wrapped object")
)]
impl CArg {
    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let tag = self.tag.get();
        let value = self.place();
        let shown = char::from(tag);
        // SAFETY: the value has room for every simple type.
        let text = unsafe {
            match tag {
                b'b' | b'B' => formats::read::<i8>(value).to_string(),
                b'h' | b'H' => formats::read::<i16>(value).to_string(),
                b'i' | b'I' => formats::read::<i32>(value).to_string(),
                b'l' | b'L' | b'q' | b'Q' => formats::read::<i64>(value).to_string(),
                b'f' => shown_float(f64::from(formats::read::<f32>(value)), vm)?,
                b'd' => shown_float(formats::read::<f64>(value), vm)?,
                b'c' => match formats::read::<u8>(value) {
                    byte if byte.is_ascii_graphic() && byte != b'\\' && byte != b'\'' || byte == b' ' => {
                        format!("'{}'", char::from(byte))
                    }
                    byte => format!("'\\x{byte:02x}'"),
                },
                b'z' | b'Z' | b'P' => format!("{:#x}", formats::read::<usize>(value)),
                _ => {
                    let at = self.as_object().as_ptr() as usize;
                    return Ok(if tag.is_ascii_graphic() && tag != b'\\' && tag != b'\'' {
                        format!("<cparam '{shown}' at {at:#x}>")
                    } else {
                        format!("<cparam 0x{tag:02x} at {at:#x}>")
                    });
                }
            }
        };
        Ok(format!("<cparam '{shown}' ({text})>"))
    }
}

fn shown_float(value: f64, vm: &Vm) -> PyResult<String> {
    Ok(vm.new_float(value).repr(vm)?.to_string_lossy().into_owned())
}
