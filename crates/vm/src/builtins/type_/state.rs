//! What the interpreter knows about types beside the type objects: versions, the method cache, subclass lists.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::prelude::*;

const CACHE_BITS: u32 = 12;
const CACHE_SIZE: usize = 1 << CACHE_BITS;

/// One remembered look-up. The value is borrowed: a type's version changes before its attributes do.
pub(super) struct CacheEntry {
    pub version: Cell<u32>,
    pub name: Slot<Str>,
    pub value: Cell<*const Object>,
}

/// The next version of a type. One count for all interpreters, which share static types.
static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

/// Method cache and subclass lists of one interpreter.
pub struct TypeState {
    /// Set while the first types are made, which are made of each other.
    pub starting: Cell<bool>,
    cache: Box<[CacheEntry]>,
    /// Direct subclasses, oldest first, by the address of the base. A type removes itself when it ends.
    subclasses: RefCell<HashMap<usize, Vec<*const Type>>>,
}

impl TypeState {
    /// No type known.
    pub fn new() -> Self {
        let entry =
            || CacheEntry { version: Cell::new(0), name: Slot::empty(), value: Cell::new(std::ptr::null()) };
        TypeState {
            starting: Cell::new(true),
            cache: (0..CACHE_SIZE).map(|_| entry()).collect(),
            subclasses: RefCell::default(),
        }
    }

    /// The cache entry that belongs to a version and a name.
    #[inline(always)]
    pub(super) fn entry(&self, version: u32, name: &Str) -> &CacheEntry {
        let address = std::ptr::from_ref(name) as usize;
        let at = ((version as usize) ^ (address >> 4)) & (CACHE_SIZE - 1);
        // SAFETY: the mask keeps the index within the table's fixed size.
        unsafe { self.cache.get_unchecked(at) }
    }

    /// A version that no type had before; 0 when they are used up.
    pub(super) fn fresh_version(&self) -> u32 {
        let next = |version: u32| (version != 0).then(|| version.wrapping_add(1));
        NEXT_VERSION.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(0)
    }

    /// Forgets all cached look-ups (`sys._clear_type_cache`).
    pub fn clear_cache(&self) {
        for entry in &self.cache {
            entry.version.set(0);
            entry.value.set(std::ptr::null());
            entry.name.set(None);
        }
    }

    pub(crate) fn add_subclass(&self, base: &Type, cls: &Type) {
        self.subclasses.borrow_mut().entry(std::ptr::from_ref(base) as usize).or_default().push(cls);
    }

    pub(super) fn remove_subclass(&self, base: &Type, cls: &Type) {
        let key = std::ptr::from_ref(base) as usize;
        let mut all = self.subclasses.borrow_mut();
        if let Some(list) = all.get_mut(&key) {
            list.retain(|&known| !std::ptr::eq(known, cls));
            if list.is_empty() {
                all.remove(&key);
            }
        }
    }

    /// The direct subclasses of a type that are alive.
    pub fn subclasses_of(&self, base: &Type) -> Vec<Ref<Type>> {
        let all = self.subclasses.borrow();
        let Some(list) = all.get(&(std::ptr::from_ref(base) as usize)) else { return Vec::new() };
        // SAFETY: types remove themselves before their memory goes; one that is being destroyed has no references left.
        list.iter()
            .map(|&cls| unsafe { &*cls })
            .filter(|cls| cls.as_object().refcount() > 0)
            .map(Ref::new_ref)
            .collect()
    }
}

impl Default for TypeState {
    fn default() -> Self {
        Self::new()
    }
}
