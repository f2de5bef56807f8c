//! `CField`: the descriptor of a field of a structure or union.

use std::cell::Cell;

use taipan_vm::prelude::*;

use super::array;
use super::data::{self, CData, as_cdata};
use super::formats::Format;
use super::stginfo::{StgInfo, info_of};

/// The layout.
#[repr(C)]
pub struct CField {
    ob: Object,
    name: Slot<Str>,
    proto: Slot<Type>,
    byte_offset: Cell<isize>,
    byte_size: Cell<isize>,
    /// Its place among the fields, bases' included.
    index: Cell<isize>,
    /// Zero for what is no bit field.
    bits: Cell<u8>,
    bit_offset: Cell<u8>,
    is_anonymous: Cell<bool>,
    /// For arrays of characters, which are read and written as text.
    text: Cell<Option<Format>>,
}

impl Traverse for CField {
    fn traverse(&self, visit: &mut Visit) {
        self.proto.traverse(visit);
    }
    fn clear(&self) {
        self.proto.clear();
    }
}

impl CField {
    /// The field's class.
    pub fn class(&self) -> Option<Ref<Type>> {
        self.proto.get()
    }

    /// The field's name.
    pub fn name(&self) -> Option<Ref<Str>> {
        self.name.get()
    }

    /// Its place among the fields.
    pub fn index(&self) -> isize {
        self.index.get()
    }

    /// Bytes before it.
    pub fn byte_offset(&self) -> isize {
        self.byte_offset.get()
    }

    /// Whether it has a number of bits.
    pub fn has_bits(&self) -> bool {
        self.bits.get() != 0
    }

    /// Whether its own fields are the outer structure's, too.
    pub fn is_anonymous_field(&self) -> bool {
        self.is_anonymous.get()
    }

    /// Makes its own fields the outer structure's.
    pub fn make_anonymous(&self) {
        self.is_anonymous.set(true);
    }

    /// The same field seen from an outer structure, some bytes and places further.
    pub fn shifted(&self, index: isize, offset: isize, vm: &Vm) -> Ref<CField> {
        vm.new_object(CField {
            ob: Object::new(Self::type_object()),
            name: Slot::new(self.name.get()),
            proto: Slot::new(self.proto.get()),
            byte_offset: Cell::new(self.byte_offset.get().wrapping_add(offset)),
            byte_size: Cell::new(self.byte_size.get()),
            index: Cell::new(self.index.get().wrapping_add(index)),
            bits: Cell::new(self.bits.get()),
            bit_offset: Cell::new(self.bit_offset.get()),
            is_anonymous: Cell::new(false),
            text: Cell::new(self.text.get()),
        })
    }

    /// The size in bytes; bits and their offset packed for a bit field.
    fn packed_size(&self) -> isize {
        if self.has_bits() {
            isize::from(self.bits.get()) << 16 | isize::from(self.bit_offset.get())
        } else {
            self.byte_size.get()
        }
    }

    /// The class and the address of the field in an instance.
    fn locate<'a>(&self, instance: &'a Object, vm: &Vm) -> PyResult<(&'a CData, Ref<Type>, *mut u8)> {
        let Some(data) = as_cdata(instance) else { return Err(vm.type_error("not a ctype instance")) };
        let offset = self.byte_offset.get();
        let size = usize::try_from(self.byte_size.get()).unwrap_or(usize::MAX);
        match self.proto.get() {
            Some(proto) if data.has(offset, size) => Ok((data, proto, data.ptr().wrapping_offset(offset))),
            _ => Err(vm.value_error("the field does not lie within the instance")),
        }
    }
}

/// Structure/Union member
#[pytype(
    name = "ctypes.CField",
    gc,
    members(
        name: OBJECT = name, readonly "name of this field",
        type: OBJECT = proto, readonly "type of this field",
        offset: PYSSIZET = byte_offset, readonly "offset in bytes of this field (same as byte_offset)",
        byte_offset: PYSSIZET = byte_offset, readonly "offset in bytes of this field. For bitfields: excludes bit_offset.",
        byte_size: PYSSIZET = byte_size, readonly "size of this field in bytes",
        bit_offset: UBYTE = bit_offset, readonly "additional offset in bits (relative to byte_offset); zero for non-bitfields",
    )
)]
impl CField {
    #[new("!(*, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None)")]
    #[allow(clippy::too_many_arguments)]
    fn new(
        cls: &Type,
        name: &Str,
        proto: &Object,
        byte_size: isize,
        byte_offset: isize,
        index: isize,
        internal_use: bool,
        bit_size: Option<&Object>,
        bit_offset: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        if !internal_use {
            // An interface of `ctypes._layout` only.
            return Err(vm.type_error("cannot create type object"));
        }
        let shown = || -> PyResult<String> { Ok(name.as_object().repr(vm)?.to_string_lossy().into_owned()) };
        let class = proto.downcast_ref::<Type>();
        let Some((class, info)) = class.and_then(|class| Some((class, info_of(class)?))) else {
            return Err(vm.type_error(format!("type of field {} must be a C type", shown()?)));
        };
        if usize::try_from(byte_size).ok() != Some(info.size.get()) {
            let size = info.size.get();
            return Err(vm.value_error(format!(
                "byte size of field {} ({byte_size}) does not match type size ({size})",
                shown()?
            )));
        }
        let (mut bits, mut low) = (0u8, 0u8);
        if let Some(bit_size) = bit_size.filter(|bit_size| !vm.is_none(bit_size)) {
            if !has_bit_fields(info) {
                let class = class.tp_name_str();
                return Err(vm.type_error(format!("bit fields not allowed for type {class}")));
            }
            let number = |value: Option<&Object>| -> PyResult<i64> {
                let Some(int) = value.and_then(|value| value.downcast_ref::<Int>()) else {
                    return Err(vm.type_error("an integer is required"));
                };
                int.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
            };
            let count = number(Some(bit_size))?;
            let start = number(bit_offset)?;
            let all = (info.size.get() * 8) as i64;
            if count <= 0 || count > 255 {
                return Err(
                    vm.value_error(format!("bit size of field {} out of range, got {count}", shown()?))
                );
            }
            if !(0..=255).contains(&start) {
                return Err(
                    vm.value_error(format!("bit offset of field {} out of range, got {start}", shown()?))
                );
            }
            if start + count > all {
                return Err(vm.value_error(format!(
                    "bit field {} overflows its type ({start} + {count} > {all})",
                    shown()?
                )));
            }
            (bits, low) = (count as u8, start as u8);
        }
        let text = array::text_code(class.as_object()).map(|code| Format { code, swapped: false });
        vm.new_instance(
            cls,
            CField {
                ob: Object::new(Self::type_object()),
                name: Slot::of(name.into()),
                proto: Slot::of(class.into()),
                byte_offset: Cell::new(byte_offset),
                byte_size: Cell::new(byte_size),
                index: Cell::new(index),
                bits: Cell::new(bits),
                bit_offset: Cell::new(low),
                is_anonymous: Cell::new(false),
                text: Cell::new(text),
            },
        )
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let class = self.proto.get();
        let class = class.as_ref().map_or("???", |class| class.tp_name_str());
        let name = match self.name.get() {
            Some(name) => name.as_object().repr(vm)?.to_string_lossy().into_owned(),
            None => "???".to_owned(),
        };
        let head = self.as_object().ob_type().tp_name_str();
        let offset = self.byte_offset.get();
        Ok(if self.has_bits() {
            let (bits, low) = (self.bits.get(), self.bit_offset.get());
            format!("<{head} {name} type={class}, ofs={offset}, bit_size={bits}, bit_offset={low}>")
        } else {
            format!("<{head} {name} type={class}, ofs={offset}, size={}>", self.byte_size.get())
        })
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _owner: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(instance) = object else { return Ok(self.as_object().to_ref()) };
        let (data, class, address) = self.locate(instance, vm)?;
        let (index, size) = (self.index.get(), self.packed_size());
        // SAFETY: the field lies within the instance.
        unsafe { data::get_part(class.as_object(), self.text.get(), data, index, size, address, vm) }
    }

    #[slot]
    fn tp_descr_set(&self, object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (data, class, address) = self.locate(object, vm)?;
        let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
        let (index, size) = (self.index.get(), self.packed_size());
        // SAFETY: the field lies within the instance.
        unsafe { data::set_part(data, class.as_object(), self.text.get(), value, index, size, address, vm) }
    }

    /// size in bytes of this field. For bitfields, this is a legacy packed value; use byte_size instead
    #[getter]
    fn size(&self) -> isize {
        self.packed_size()
    }

    /// size of this field in bits
    #[getter]
    fn bit_size(&self, vm: &Vm) -> PyResult {
        if self.has_bits() {
            return Ok(vm.new_int(u64::from(self.bits.get())));
        }
        taipan_vm::protocols::number::multiply(&vm.new_int(self.byte_size.get()), &vm.new_int(8), vm)
    }

    /// true if this is a bitfield
    #[getter]
    fn is_bitfield(&self) -> bool {
        self.has_bits()
    }

    /// true if this field is anonymous
    #[getter]
    fn is_anonymous(&self) -> bool {
        self.is_anonymous.get()
    }
}

/// Whether fields of the type may have a number of bits: it is an integer, not a character.
fn has_bit_fields(info: &StgInfo) -> bool {
    use libffi_sys as ffi;
    if info.is_code(b'c') || info.is_code(b'u') {
        return false;
    }
    matches!(
        info.ffi_kind(),
        ffi::FFI_TYPE_UINT8
            | ffi::FFI_TYPE_SINT8
            | ffi::FFI_TYPE_UINT16
            | ffi::FFI_TYPE_SINT16
            | ffi::FFI_TYPE_UINT32
            | ffi::FFI_TYPE_SINT32
            | ffi::FFI_TYPE_UINT64
            | ffi::FFI_TYPE_SINT64
    )
}
