//! Specialising attribute access.

use taipan_bytecode::opcode::Opcode;
use taipan_object::defs::member;
use taipan_object::gc;

use super::calls::type_type;
use super::{cache, settle, takes_exactly};
use crate::builtins::code::CodeUnit;
use crate::builtins::descr::MemberDescriptor;
use crate::builtins::dict::managed;
use crate::builtins::property::Property;
use crate::builtins::type_::lookup::{assign_version, lookup};
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;
use crate::protocols::attributes::{generic_getattro, generic_setattro, is_data_descriptor};

/// `LOAD_ATTR`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn load_attr(ip: *mut CodeUnit, owner: StackRef, name: &Str, method: bool, vm: &Vm) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let object = owner.object();
        let form = if let Some(module) = object.downcast_exact::<Module>() {
            module_form(ip, module, name, vm)
        } else if let Some(cls) = object.downcast_ref::<Type>() {
            class_form(ip, cls, name, vm)
        } else {
            instance_form(ip, object, name, method, vm)
        };
        settle(ip, form);
    }
}

unsafe fn module_form(ip: *mut CodeUnit, module: &Module, name: &Str, vm: &Vm) -> Option<Opcode> {
    let dict = module.dict(vm);
    let index = dict.index_of_interned(name, vm)?;
    let version = dict.keys_version(vm);
    if version == 0 {
        return None;
    }
    // SAFETY: the cache has nine units.
    unsafe {
        cache::set_u32(ip, 2, version);
        cache::set_u16(ip, 4, index);
    }
    Some(Opcode::LoadAttrModule)
}

unsafe fn class_form(ip: *mut CodeUnit, cls: &Type, name: &Str, vm: &Vm) -> Option<Opcode> {
    let meta = cls.as_object().ob_type();
    let plain_getattro = type_type().tp_getattro.get();
    let same = match (meta.tp_getattro.get(), plain_getattro) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        _ => false,
    };
    // Whatever the metaclass has under that name comes first or needs binding.
    if !same || lookup(meta, name, vm).is_some() {
        return None;
    }
    let value = lookup(cls, name, vm)?;
    let kind = value.ob_type();
    if kind.tp_descr_get.get().is_some() && !kind.has_flag(TypeFlags::METHOD_DESCRIPTOR) {
        return None;
    }
    let version = assign_version(cls, vm);
    if version == 0 {
        return None;
    }
    // SAFETY: the cache has nine units.
    unsafe {
        cache::set_u32(ip, 2, version);
        cache::set_pointer(ip, 6, value);
        if std::ptr::eq(meta, type_type()) {
            return Some(Opcode::LoadAttrClass);
        }
        let meta_version = assign_version(meta, vm);
        cache::set_u32(ip, 4, meta_version);
        (meta_version != 0).then_some(Opcode::LoadAttrClassWithMetaclassCheck)
    }
}

/// What an instance can hide the attributes of its class with.
enum InstanceDict {
    None,
    /// Inline values, in use; the version of the shared keys, which lack the name.
    Inline(u32),
    /// A dict that has not been made yet; the word's offset.
    Lazy(isize),
    Other,
}

fn instance_dict(object: &Object, name: &Str, vm: &Vm) -> InstanceDict {
    let tp = object.ob_type();
    if tp.has_flag(TypeFlags::INLINE_VALUES) {
        if managed::inline_values(object).is_none() || managed::inline_index(tp, name).is_some() {
            return InstanceDict::Other;
        }
        return match managed::shared_keys_version(tp, vm) {
            0 => InstanceDict::Other,
            version => InstanceDict::Inline(version),
        };
    }
    if tp.has_flag(TypeFlags::MANAGED_DICT) {
        // SAFETY: the flag promises the word.
        let word = unsafe { *gc::managed_dict(object.as_ptr()) };
        return if word.is_null() { InstanceDict::Lazy(-24) } else { InstanceDict::Other };
    }
    match tp.tp_dictoffset.get() {
        0 => InstanceDict::None,
        offset
            if offset > 0
                && offset < i16::MAX as isize
                && managed::instance_dict_if_any(object).is_none() =>
        {
            InstanceDict::Lazy(offset)
        }
        _ => InstanceDict::Other,
    }
}

unsafe fn instance_form(
    ip: *mut CodeUnit,
    object: &Object,
    name: &Str,
    method: bool,
    vm: &Vm,
) -> Option<Opcode> {
    let tp = object.ob_type();
    let getattro = tp.tp_getattro.get()?;
    if !std::ptr::fn_addr_eq(getattro, generic_getattro as taipan_object::typeobject::BinaryFunc) {
        return None;
    }
    let found = lookup(tp, name, vm);
    let version = assign_version(tp, vm);
    if version == 0 {
        return None;
    }
    // SAFETY: the cache has nine units.
    unsafe {
        cache::set_u32(ip, 2, version);
        let Some(attribute) = found else { return own_attribute_form(ip, object, name, vm) };
        let kind = attribute.ob_type();
        cache::set_pointer(ip, 6, attribute);
        if kind.has_flag(TypeFlags::METHOD_DESCRIPTOR) {
            if !method {
                return None;
            }
            return match instance_dict(object, name, vm) {
                InstanceDict::None => Some(Opcode::LoadAttrMethodNoDict),
                InstanceDict::Inline(keys) => {
                    cache::set_u32(ip, 4, keys);
                    Some(Opcode::LoadAttrMethodWithValues)
                }
                InstanceDict::Lazy(offset) => {
                    cache::set_u16(ip, 4, offset as i16 as u16);
                    Some(Opcode::LoadAttrMethodLazyDict)
                }
                InstanceDict::Other => None,
            };
        }
        if let Some(property) = attribute.downcast_exact::<Property>() {
            let getter = property.get.get()?;
            let function = getter.downcast_exact::<Function>()?;
            let function_version = function.version_for_specialising(vm);
            if method || function_version == 0 || !takes_exactly(function, 1) {
                return None;
            }
            cache::set_u32(ip, 4, function_version);
            cache::set_pointer(ip, 6, function.as_object());
            return Some(Opcode::LoadAttrProperty);
        }
        if let Some(slot) = attribute.downcast_exact::<MemberDescriptor>() {
            let def = slot.def();
            if def.kind != member::OBJECT_EX || def.flags & member::AUDIT_READ != 0 {
                return None;
            }
            cache::set_u16(ip, 4, u16::try_from(def.offset).ok()?);
            return Some(Opcode::LoadAttrSlot);
        }
        if kind.tp_descr_get.get().is_some() || is_data_descriptor(attribute) {
            return None;
        }
        if managed::instance_get(object, name, vm).ok()?.is_some() {
            return own_attribute_form(ip, object, name, vm);
        }
        if method {
            return None;
        }
        match instance_dict(object, name, vm) {
            InstanceDict::None => Some(Opcode::LoadAttrNondescriptorNoDict),
            InstanceDict::Inline(keys) => {
                cache::set_u32(ip, 4, keys);
                Some(Opcode::LoadAttrNondescriptorWithValues)
            }
            _ => None,
        }
    }
}

/// An attribute in the instance itself, which no data descriptor of the class comes before.
unsafe fn own_attribute_form(ip: *mut CodeUnit, object: &Object, name: &Str, vm: &Vm) -> Option<Opcode> {
    let tp = object.ob_type();
    // SAFETY: the cache has nine units.
    unsafe {
        if managed::inline_values(object).is_some() {
            cache::set_u16(ip, 4, managed::inline_index(tp, name)?);
            return Some(Opcode::LoadAttrInstanceValue);
        }
        let dict = managed::instance_dict_if_any(object)?;
        cache::set_u16(ip, 4, dict.index_of_interned(name, vm)?);
        Some(Opcode::LoadAttrWithHint)
    }
}

/// `STORE_ATTR`.
///
/// # Safety
/// `ip` is the instruction and the slot is filled.
#[cold]
pub unsafe fn store_attr(ip: *mut CodeUnit, owner: StackRef, name: &Str, vm: &Vm) {
    // SAFETY: the caller vouches for both.
    unsafe { settle(ip, store_form(ip, owner.object(), name, vm)) }
}

unsafe fn store_form(ip: *mut CodeUnit, object: &Object, name: &Str, vm: &Vm) -> Option<Opcode> {
    let tp = object.ob_type();
    let setattro = tp.tp_setattro.get()?;
    if !std::ptr::fn_addr_eq(setattro, generic_setattro as taipan_object::typeobject::ObjObjArgProc) {
        return None;
    }
    let found = lookup(tp, name, vm);
    let version = assign_version(tp, vm);
    if version == 0 {
        return None;
    }
    // SAFETY: the cache has four units.
    unsafe {
        cache::set_u32(ip, 2, version);
        if let Some(attribute) = found {
            if let Some(slot) = attribute.downcast_exact::<MemberDescriptor>() {
                let def = slot.def();
                if def.kind != member::OBJECT_EX || def.flags & member::READONLY != 0 {
                    return None;
                }
                cache::set_u16(ip, 4, u16::try_from(def.offset).ok()?);
                return Some(Opcode::StoreAttrSlot);
            }
            if is_data_descriptor(attribute) {
                return None;
            }
        }
        managed::inline_values(object)?;
        cache::set_u16(ip, 4, managed::inline_index(tp, name)?);
        Some(Opcode::StoreAttrInstanceValue)
    }
}
