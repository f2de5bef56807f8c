//! `member_descriptor`: fields of C structs and `__slots__` as attributes.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long, c_short, c_uint, c_ulong, c_ushort};

use taipan_object::defs::member;
use taipan_object::object::xdecref;

use super::{DescrHead, doc_object};
use crate::prelude::*;

/// `PyMemberDescrObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct MemberDescriptor {
    /// Type and name.
    pub head: DescrHead,
    /// The definition.
    #[traverse(skip)]
    pub d_member: Cell<*const MemberDef>,
}

const _: () = assert!(size_of::<MemberDescriptor>() == 48);

impl MemberDescriptor {
    /// The descriptor of a field of `owner`'s instances.
    pub fn new(owner: &Type, def: &MemberDef, vm: &Vm) -> Ref<Self> {
        // SAFETY: names of definitions are NUL-terminated.
        let name = vm.intern(&unsafe { CStr::from_ptr(def.name) }.to_string_lossy());
        vm.new_object(MemberDescriptor {
            head: DescrHead::new(Self::type_object(), owner, name),
            d_member: Cell::new(def),
        })
    }

    /// The definition.
    #[inline]
    pub fn def(&self) -> &MemberDef {
        // SAFETY: definitions live as long as their types.
        unsafe { &*self.d_member.get() }
    }
}

/// Reads a field (`PyMember_GetOne`).
///
/// # Safety
/// `def` describes a field of `object`.
pub unsafe fn get_member(object: &Object, def: &MemberDef, vm: &Vm) -> PyResult {
    // SAFETY: the caller vouches that a field of that kind is at the offset.
    unsafe {
        let field = object.as_ptr().byte_offset(def.offset);
        Ok(match def.kind {
            member::BOOL => vm.new_bool(*field.cast::<c_char>() != 0),
            member::BYTE => vm.new_int(*field.cast::<i8>()),
            member::UBYTE => vm.new_int(*field.cast::<u8>()),
            member::SHORT => vm.new_int(*field.cast::<c_short>()),
            member::USHORT => vm.new_int(*field.cast::<c_ushort>()),
            member::INT => vm.new_int(*field.cast::<c_int>()),
            member::UINT => vm.new_int(*field.cast::<c_uint>()),
            member::LONG | member::LONGLONG | member::PYSSIZET => vm.new_int(*field.cast::<c_long>()),
            member::ULONG | member::ULONGLONG => vm.new_int(*field.cast::<c_ulong>()),
            member::FLOAT => vm.new_float(f64::from(*field.cast::<f32>())),
            member::DOUBLE => vm.new_float(*field.cast::<f64>()),
            member::CHAR => Str::from_char(u32::from(*field.cast::<u8>()), vm).into_object(),
            member::STRING => match *field.cast::<*const c_char>() {
                text if text.is_null() => vm.none(),
                text => vm.new_str(&CStr::from_ptr(text).to_string_lossy()).into_object(),
            },
            member::STRING_INPLACE => {
                vm.new_str(&CStr::from_ptr(field.cast::<c_char>()).to_string_lossy()).into_object()
            }
            member::OBJECT => {
                Object::from_ptr(*field.cast::<*mut Object>()).map_or_else(|| vm.none(), Object::to_ref)
            }
            member::OBJECT_EX => match Object::from_ptr(*field.cast::<*mut Object>()) {
                Some(value) => value.to_ref(),
                None => {
                    // SAFETY: names of definitions are NUL-terminated.
                    let name = vm.intern(&CStr::from_ptr(def.name).to_string_lossy());
                    let text = format!(
                        "'{}' object has no attribute '{}'",
                        crate::builtins::type_::shown_name(object.ob_type(), vm)?,
                        name.to_string_lossy()
                    );
                    return Err(vm.attribute_error_for(text, object, name.as_object()));
                }
            },
            member::NONE => vm.none(),
            _ => return Err(vm.system_error("bad memberdescr type")),
        })
    }
}

/// Writes or deletes a field (`PyMember_SetOne`).
///
/// # Safety
/// `def` describes a field of `object`.
pub unsafe fn set_member(object: &Object, def: &MemberDef, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    if def.flags & member::READONLY != 0 {
        return Err(vm.attribute_error("readonly attribute"));
    }
    // SAFETY: the caller vouches that a field of that kind is at the offset.
    unsafe {
        let field = object.as_ptr().byte_offset(def.offset);
        if matches!(def.kind, member::OBJECT | member::OBJECT_EX) {
            let place = field.cast::<*mut Object>();
            if value.is_none() && def.kind == member::OBJECT_EX && (*place).is_null() {
                return Err(vm.attribute_error(CStr::from_ptr(def.name).to_string_lossy()));
            }
            let new = value.map_or(std::ptr::null_mut(), |v| v.to_ref().into_raw());
            xdecref(std::mem::replace(&mut *place, new));
            return Ok(());
        }
        let Some(value) = value else { return Err(vm.type_error("can't delete numeric/char attribute")) };
        let int = |vm: &Vm| -> PyResult<i64> {
            let index = value.as_index(vm)?;
            index.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
        };
        match def.kind {
            member::BOOL => {
                if value.downcast_exact::<Bool>().is_none() {
                    return Err(vm.type_error("attribute value type must be bool"));
                }
                *field.cast::<c_char>() = c_char::from(value.is(vm.true_ref()));
            }
            member::BYTE | member::UBYTE => *field.cast::<u8>() = int(vm)? as u8,
            member::SHORT | member::USHORT => *field.cast::<u16>() = int(vm)? as u16,
            member::INT | member::UINT => *field.cast::<u32>() = int(vm)? as u32,
            // A size takes ints only, no `__index__`.
            member::PYSSIZET if value.downcast_ref::<Int>().is_none() => {
                return Err(vm.type_error("an integer is required"));
            }
            member::LONG | member::LONGLONG | member::PYSSIZET => *field.cast::<i64>() = int(vm)?,
            member::ULONG | member::ULONGLONG => {
                let index = value.as_index(vm)?;
                let unsigned = index.to_u64().or_else(|| index.to_i64().map(|v| v as u64));
                *field.cast::<u64>() = unsigned
                    .ok_or_else(|| vm.overflow_error("Python int too large to convert to C unsigned long"))?;
            }
            member::FLOAT => *field.cast::<f32>() = value.as_f64(vm)? as f32,
            member::DOUBLE => *field.cast::<f64>() = value.as_f64(vm)?,
            member::CHAR => {
                let one = value.downcast_ref::<Str>().filter(|s| s.len() == 1).and_then(|s| s.char_at(0));
                let Some(code) = one.and_then(|c| u8::try_from(c).ok()) else {
                    return Err(vm.type_error("bad argument type for built-in operation"));
                };
                *field.cast::<u8>() = code;
            }
            member::STRING | member::STRING_INPLACE => return Err(vm.type_error("readonly attribute")),
            _ => return Err(vm.system_error("bad memberdescr type")),
        }
    }
    Ok(())
}

/// the type of fields of built-in types and of slots
#[pytype(name = "member_descriptor", symbol = "PyMemberDescr_Type", gc, doc = "")]
impl MemberDescriptor {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        self.head.reduce(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(&self.head.name(), self.def().doc, vm)
    }

    #[getter]
    fn __qualname__(&self, vm: &Vm) -> PyResult {
        self.head.qualname(vm)
    }

    #[getter]
    fn __name__(&self) -> Option<Ref<Str>> {
        self.head.d_name.get()
    }

    #[getter]
    fn __objclass__(&self) -> ObjRef {
        self.head.owner().as_object().to_ref()
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        self.head.show("member", vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object else { return Ok(self.as_object().to_ref()) };
        self.head.check(object, vm)?;
        // SAFETY: the object is an instance of the owner.
        unsafe { get_member(object, self.def(), vm) }
    }

    #[slot]
    fn tp_descr_set(&self, object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.head.check(object, vm)?;
        // SAFETY: the object is an instance of the owner.
        unsafe { set_member(object, self.def(), value, vm) }
    }
}
