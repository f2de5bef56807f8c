//! Texts as Python strings, and a cache of those that come again: names.

use std::cell::RefCell;

use taipan_vm::prelude::*;

/// A string of text that the parser has checked.
pub fn text(data: &[u8], vm: &Vm) -> PyResult<Ref<Str>> {
    if data.is_ascii() {
        return Str::try_from_latin1(data, vm);
    }
    match std::str::from_utf8(data) {
        Ok(data) => Str::try_from_str(data, vm),
        Err(_) => Ok(Str::from_wtf8(data, vm)),
    }
}

/// A string, or None.
pub fn text_or_none(data: Option<&[u8]>, vm: &Vm) -> PyResult<ObjRef> {
    match data {
        Some(data) => Ok(text(data, vm)?.into_object()),
        None => Ok(vm.none()),
    }
}

const PLACES: usize = 256;

/// Strings by their text. Each text has one place; a later text takes it over, so that no document can slow it down.
#[derive(Default)]
pub struct NameCache(RefCell<Vec<Option<(Box<[u8]>, ObjRef)>>>);

fn place(name: &[u8]) -> usize {
    let hash = name.iter().fold(0u32, |hash, &b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) as usize % PLACES
}

impl NameCache {
    /// The string of that name if it is there.
    #[inline]
    pub fn get(&self, name: &[u8]) -> Option<ObjRef> {
        match self.0.borrow().get(place(name)) {
            Some(Some((known, object))) if **known == *name => Some(object.clone()),
            _ => None,
        }
    }

    /// Keeps a string.
    pub fn put(&self, name: &[u8], object: ObjRef) {
        let mut places = self.0.borrow_mut();
        if places.is_empty() {
            places.resize_with(PLACES, || None);
        }
        if let Some(entry) = places.get_mut(place(name)) {
            // Only strings are kept: giving one up runs no code.
            *entry = Some((name.into(), object));
        }
    }
}
