//! `dict`: insertion-ordered hash tables.
//!
//! `keys` has the tables, `table` the operations on them, `managed` the attributes of instances (split tables),
//! `views` and `iterators` what `keys()`, `values()`, `items()` and `iter()` give, `update` the merging, `watch` the watchers.
//!
//! What must never change: iteration follows insertion; a lookup compares identity, then hash, then `==` with the stored key
//! on the left; sizes are CPython's, as `__sizeof__` shows; any `__eq__`, `__hash__` or destructor may change the same
//! dict, so nothing borrowed from a table is used after Python code could have run.

pub mod iterators;
pub mod keys;
pub mod managed;
pub mod repr_guard;
pub mod table;
pub mod update;
pub mod views;
pub mod watch;

use std::cell::Cell;
use std::mem::{offset_of, size_of};

use keys::{Kind, Table, Values, log2_for_entries};
use repr_guard::ReprGuard;
use table::{key_hash, str_hash};
use views::{DictItems, DictKeys, DictValues};
use watch::DictEvent;

use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

/// `PyDictObject`.
#[repr(C)]
pub struct Dict {
    /// The object header.
    pub ob: Object,
    ma_used: Cell<isize>,
    watcher_tag: Cell<u64>,
    keys: Cell<Table>,
    values: Cell<*mut Values>,
}

const _: () = assert!(size_of::<Dict>() == 48 && offset_of!(Dict, ma_used) == 16);

/// The versions given to key tables.
struct KeysVersions {
    next: Cell<u32>,
}

impl Default for KeysVersions {
    fn default() -> Self {
        // 1 is the empty table's.
        KeysVersions { next: Cell::new(2) }
    }
}

impl Traverse for Dict {
    fn traverse(&self, visit: &mut Visit) {
        match self.split_values() {
            Some(values) => {
                for i in 0..usize::from(values.capacity) {
                    // SAFETY: below the capacity.
                    unsafe { visit.raw(*values.slot(i)) }
                }
            }
            None => {
                let table = self.table();
                let general = table.kind() == Kind::General;
                for i in 0..table.len() {
                    // SAFETY: entries below the length are null or alive.
                    unsafe {
                        visit.raw(*table.value_slot(i));
                        if general {
                            visit.raw(table.key(i));
                        }
                    }
                }
            }
        }
    }

    fn clear(&self) {
        self.clear_entries();
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        if self.is_watched() {
            // SAFETY: objects end on attached threads.
            let vm = unsafe { Vm::current() };
            // A watcher may look at the dying dict, and must not bring it back.
            self.ob.incref();
            self.notify(DictEvent::Deallocated, None, None, vm);
            self.ob.set_refcount(0);
        }
        let values = self.values.replace(std::ptr::null_mut());
        let keys = self.keys.replace(Table::empty());
        // SAFETY: values and the count of the table are this dict's own; an object's inline values stay with it.
        unsafe {
            if let Some(own) = values.as_ref().filter(|v| !v.embedded.get()) {
                table::clear_values(own);
                Values::free(values);
            }
            keys.release();
        }
    }
}

/// What Rust code does with dicts.
impl Dict {
    fn with(keys: Table, values: *mut Values, used: usize) -> Dict {
        Dict {
            ob: Object::new(Dict::type_object()),
            ma_used: Cell::new(used as isize),
            watcher_tag: Cell::new(0),
            keys: Cell::new(keys),
            values: Cell::new(values),
        }
    }

    /// The dict part of a new instance of a type that begins as dicts do.
    pub(crate) fn blank(tp: &'static Type) -> Dict {
        let mut dict = Dict::with(Table::empty(), std::ptr::null_mut(), 0);
        dict.ob = Object::new(tp);
        dict
    }

    /// A new empty dict.
    #[inline]
    pub fn new(vm: &Vm) -> Ref<Dict> {
        vm.new_object(Dict::with(Table::empty(), std::ptr::null_mut(), 0))
    }

    /// A new dict with room for `n` entries. `unicode` says that the keys will be strings.
    pub fn with_capacity(n: usize, unicode: bool, vm: &Vm) -> PyResult<Ref<Dict>> {
        let dict = Dict::new(vm);
        if n > 0 {
            // As CPython: a hint may not make the first table huge.
            const MAX_LOG2: u8 = 17;
            let log2 = if n <= keys::usable_fraction(8) { 3 } else { log2_for_entries(n).min(MAX_LOG2) };
            let kind = if unicode { Kind::Unicode } else { Kind::General };
            match Table::new(log2, kind) {
                Some(table) => dict.keys.set(table),
                None => return Err(vm.memory_error()),
            }
        }
        Ok(dict)
    }

    /// The number of entries.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ma_used.get() as usize
    }

    /// Whether there is no entry.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the type is exactly `dict`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        std::ptr::eq(self.ob.type_ptr(), Dict::static_type())
    }

    /// The value of `key`, or none. Raises what hashing or comparing raises, never KeyError.
    #[inline]
    pub fn get_item(&self, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let hash = key_hash(key, vm)?;
        self.get_item_hash(key, hash, vm)
    }

    /// `get_item` with the key's hash.
    #[inline]
    pub fn get_item_hash(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<ObjRef>> {
        // SAFETY: the value is in the dict at this moment.
        Ok(self.find(key, hash, vm)?.map(|(_, value)| unsafe { (*value).to_ref() }))
    }

    /// The value of a string key.
    #[inline]
    pub fn get_str(&self, key: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(found) = self.find_exact_str(key, vm) {
            // SAFETY: in the dict at this moment.
            return Ok(found.map(|value| unsafe { (*value).to_ref() }));
        }
        self.get_item(key.as_object(), vm)
    }

    /// The value of an exact string key, borrowed, found without running Python: keys that are no exact strings count as
    /// different. For namespaces (of types, modules) and before a slow path.
    ///
    /// The borrow must end before the dict can change.
    #[inline(always)]
    pub fn lookup_interned(&self, key: &Str) -> Option<&Object> {
        // SAFETY: objects are handled on attached threads only.
        let hash = str_hash(key, unsafe { Vm::current() });
        let table = self.table();
        let ix =
            if table.is_unicode() { table.find_str(key, hash) } else { table.find_str_in_general(key, hash) };
        // SAFETY: values are null or alive.
        if ix < 0 { None } else { unsafe { self.value_ptr(ix as usize).as_ref() } }
    }

    /// The value pointer of an exact string in a table of strings. `None` when dict or key are of another kind.
    #[inline(always)]
    pub(crate) fn find_exact_str(&self, key: &Str, vm: &Vm) -> Option<Option<*mut Object>> {
        let table = self.table();
        if !table.is_unicode() || key.as_object().downcast_exact::<Str>().is_none() {
            return None;
        }
        let ix = table.find_str(key, str_hash(key, vm));
        if ix < 0 {
            return Some(None);
        }
        let value = self.value_ptr(ix as usize);
        Some(if value.is_null() { None } else { Some(value) })
    }

    /// Whether `key` is in the dict.
    pub fn contains_key(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        let hash = key_hash(key, vm)?;
        Ok(self.find(key, hash, vm)?.is_some())
    }

    /// `dict[key] = value`.
    #[inline]
    pub fn set_item(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        let hash = key_hash(key, vm)?;
        self.set_item_hash(key, hash, value.to_ref(), vm)
    }

    /// `dict[key] = value` for a string key.
    #[inline]
    pub fn set_str(&self, key: &Str, value: &Object, vm: &Vm) -> PyResult<()> {
        self.set_item(key.as_object(), value, vm)
    }

    /// `del dict[key]`; false when there is no such key.
    pub fn del_item(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(self.pop(key, vm)?.is_some())
    }

    /// Removes `key` and returns its value; none when there is no such key.
    pub fn pop(&self, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let hash = key_hash(key, vm)?;
        self.pop_hash(key, hash, vm)
    }

    /// The value of `key`, which is `value` from now on when there was none.
    pub fn set_default(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let hash = key_hash(key, vm)?;
        let ix = self.lookup(key, hash, vm)?;
        if ix >= 0 {
            // SAFETY: values are null or alive.
            if let Some(found) = unsafe { self.value_ptr(ix as usize).as_ref() } {
                return Ok(found.to_ref());
            }
        }
        self.insert_at(ix, key, hash, value.to_ref(), vm)?;
        Ok(value.to_ref())
    }

    /// Removes all entries.
    pub fn clear(&self, vm: &Vm) {
        if self.is_watched() {
            self.notify(DictEvent::Cleared, None, None, vm);
        }
        self.clear_entries();
    }

    /// A new dict with the same entries. Runs no Python code.
    pub fn copy(&self, vm: &Vm) -> Ref<Dict> {
        match self.try_copy(vm) {
            Ok(copy) => copy,
            Err(_) => crate::runtime::make::out_of_memory(),
        }
    }

    /// `copy`, with MemoryError when the memory can't be had.
    pub fn try_copy(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        if self.is_empty() {
            return Ok(Dict::new(vm));
        }
        let table = self.table();
        let dense = self.len() >= table.len() * 2 / 3;
        if let Some(values) = self.split_values() {
            if dense {
                let capacity = usize::from(values.capacity);
                let copy = Values::allocate(capacity);
                if copy.is_null() {
                    return Err(vm.memory_error());
                }
                // SAFETY: both have `capacity` slots; each value gets one more reference.
                unsafe {
                    for i in 0..capacity {
                        let value = *values.slot(i);
                        if let Some(value) = value.as_ref() {
                            value.incref();
                        }
                        *(*copy).slot(i) = value;
                    }
                    (*copy).copy_order(values);
                }
                table.retain();
                return Ok(vm.new_object(Dict::with(table, copy, self.len())));
            }
        } else if dense {
            let Some(copy) = table.duplicate() else { return Err(vm.memory_error()) };
            return Ok(vm.new_object(Dict::with(copy, std::ptr::null_mut(), self.len())));
        }
        let kind = if table.is_unicode() { Kind::Unicode } else { Kind::General };
        let Some(copy) = Table::new(log2_for_entries(self.len()), kind) else {
            return Err(vm.memory_error());
        };
        let mut at = 0;
        while let Some((hash, key, value)) = self.next_borrowed(&mut at) {
            // The keys are known to differ: nothing is compared.
            copy.push(hash, key.to_ref().into_raw(), value.to_ref().into_raw());
        }
        Ok(vm.new_object(Dict::with(copy, std::ptr::null_mut(), self.len())))
    }

    /// `dict.copy()`: a subclass with an iterator of its own is copied through that.
    fn copy_as_mapping(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        if self.iterates_plainly() {
            return self.try_copy(vm);
        }
        let copy = Dict::new(vm);
        copy.update_from(self.as_object(), true, vm)?;
        Ok(copy)
    }

    /// Whether the type leaves `dict.__iter__` alone, so that entries may be read directly.
    pub(crate) fn iterates_plainly(&self) -> bool {
        let own = self.ob.ob_type().tp_iter.get().map(|f| f as usize);
        self.is_exact() || own == Dict::type_object().tp_iter.get().map(|f| f as usize)
    }

    /// The next entry in insertion order; `position` starts at 0 (`PyDict_Next`). Safe when the dict changes in between: entries
    /// may then be missed or come twice.
    pub fn next_entry(&self, position: &mut isize) -> Option<(ObjRef, ObjRef)> {
        let mut at = usize::try_from(*position).ok()?;
        let entry = self.next_borrowed(&mut at).map(|(_, key, value)| (key.to_ref(), value.to_ref()));
        *position = at as isize;
        entry
    }

    /// All keys in order.
    pub fn keys_vec(&self) -> Vec<ObjRef> {
        let mut items = Vec::with_capacity(self.len());
        let mut at = 0;
        while let Some((_, key, _)) = self.next_borrowed(&mut at) {
            items.push(key.to_ref());
        }
        items
    }

    /// All values in order.
    pub fn values_vec(&self) -> Vec<ObjRef> {
        let mut items = Vec::with_capacity(self.len());
        let mut at = 0;
        while let Some((_, _, value)) = self.next_borrowed(&mut at) {
            items.push(value.to_ref());
        }
        items
    }

    /// All entries in order.
    pub fn items_vec(&self) -> Vec<(ObjRef, ObjRef)> {
        let mut items = Vec::with_capacity(self.len());
        let mut at = 0;
        while let Some((_, key, value)) = self.next_borrowed(&mut at) {
            items.push((key.to_ref(), value.to_ref()));
        }
        items
    }

    /// The version by which specialised code recognises the set of keys and their places; 0 when there is none to be had.
    /// Any added or deleted key changes it; replaced values don't.
    pub fn keys_version(&self, vm: &Vm) -> u32 {
        table_version(self.table(), vm)
    }

    /// Whether the keys have that version (not 0): the check in specialised code.
    #[inline(always)]
    pub fn has_version(&self, version: u32) -> bool {
        self.table().version() == version
    }

    /// The value of entry `index` if the keys have that version (not 0), borrowed until the dict changes.
    #[inline(always)]
    pub fn value_if_version(&self, version: u32, index: u16) -> Option<&Object> {
        let table = self.table();
        if table.version() != version || usize::from(index) >= table.len() || !self.values.get().is_null() {
            return None;
        }
        // SAFETY: an entry of the table; its value is null or alive.
        unsafe { (*table.value_slot(usize::from(index))).as_ref() }
    }

    /// The version that the keys have, 0 when none: the check in specialised code.
    #[inline(always)]
    pub fn current_keys_version(&self) -> u32 {
        self.table().version()
    }

    /// The entry number of an interned string in a combined table of strings.
    pub fn index_of_interned(&self, key: &Str, vm: &Vm) -> Option<u16> {
        let table = self.table();
        if table.kind() != Kind::Unicode || key.as_object().downcast_exact::<Str>().is_none() {
            return None;
        }
        u16::try_from(table.find_str(key, str_hash(key, vm))).ok()
    }

    /// The value of an entry found by `index_of_interned` under the same keys version, borrowed.
    ///
    /// # Safety
    /// The keys version is the one under which the index was found, and the borrow ends before the dict can change.
    #[inline(always)]
    pub unsafe fn value_at(&self, index: u16) -> Option<&Object> {
        // SAFETY: passed on to the caller: the index is an entry of the table.
        unsafe { (*self.table().value_slot(usize::from(index))).as_ref() }
    }

    fn missing(&self, key: &Object, vm: &Vm) -> PyResult {
        if !self.is_exact() {
            if let Some(method) = self.as_object().lookup_special(vm.ids().__missing__, vm)? {
                return method.call(&[key], vm);
            }
        }
        Err(vm.key_error(key))
    }

    /// Takes the last entry out.
    fn pop_last(&self, vm: &Vm) -> PyResult<Option<(ObjRef, ObjRef)>> {
        if self.is_empty() {
            return Ok(None);
        }
        self.make_combined(vm)?;
        let table = self.table();
        let mut ix = table.len();
        while ix > 0 {
            ix -= 1;
            let Some((_, key, _)) = self.entry(ix) else { continue };
            let key = key.to_ref();
            if self.is_watched() {
                self.notify(DictEvent::Deleted, Some(&key), None, vm);
            }
            let (_, value) = self.take_entry(ix);
            table.set_len(ix);
            return Ok(value.map(|value| (key, value)));
        }
        Ok(None)
    }

    /// Equality with another dict: the same keys with equal values.
    pub(crate) fn equal(&self, other: &Dict, vm: &Vm) -> PyResult<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        let mut at = 0;
        while let Some((hash, key, value)) = self.next_borrowed(&mut at) {
            let (key, value) = (key.to_ref(), value.to_ref());
            let Some(theirs) = other.get_item_hash(&key, hash, vm)? else { return Ok(false) };
            if !theirs.rich_compare_bool(&value, CompareOp::Eq, vm)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The version of a table of strings, given now if it has none.
fn table_version(table: Table, vm: &Vm) -> u32 {
    if table.version() != 0 || !table.is_unicode() {
        return table.version();
    }
    let versions = vm.interp().state::<KeysVersions>();
    let version = versions.next.get();
    if version != 0 {
        versions.next.set(version.wrapping_add(1));
        table.set_version(version);
    }
    version
}

/// dict() -> new empty dictionary
/// dict(mapping) -> new dictionary initialized from a mapping object's
///     (key, value) pairs
/// dict(iterable) -> new dictionary initialized as if via:
///     d = {}
///     for k, v in iterable:
///         d[k] = v
/// dict(**kwargs) -> new dictionary initialized with the name=value pairs
///     in the keyword argument list.  For example:  dict(one=1, two=2)
#[pytype(
    name = "dict",
    symbol = "PyDict_Type",
    flags(BASETYPE, MAPPING, DICT_SUBCLASS, MATCH_SELF),
    gc,
    unhashable
)]
impl Dict {
    /// Return self[key].
    #[method("($self, key, /)", coexist)]
    fn __getitem__(&self, key: &Object, vm: &Vm) -> PyResult {
        self.mp_subscript(key, vm)
    }

    /// True if the dictionary has the specified key, else False.
    #[method("($self, key, /)", coexist)]
    fn __contains__(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        self.contains_key(key, vm)
    }

    /// Return the size of the dict in memory, in bytes.
    #[method("($self, /)")]
    pub(crate) fn __sizeof__(&self) -> usize {
        let mut size = self.ob.ob_type().tp_basicsize.get() as usize;
        let table = self.table();
        if self.split_values().is_some() {
            size += managed::shared_capacity(table) * size_of::<*mut Object>();
        }
        if !table.is_shared() {
            size += table.bytes();
        }
        size
    }

    /// Return the value for key if key is in the dictionary, else default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let hash = key_hash(key, vm)?;
        match self.get_item_hash(key, hash, vm)? {
            Some(value) => Ok(value),
            None => Ok(default.map_or_else(|| vm.none(), Object::to_ref)),
        }
    }

    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[method("($self, key, default=None, /)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        self.set_default(key, default.unwrap_or(vm.none_ref()), vm)
    }

    /// D.pop(k[,d]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[method("($self, key, default=<unrepresentable>, /)", name = "pop")]
    fn method_pop(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        // An empty dict doesn't ask for the hash.
        let found = if self.is_empty() { None } else { self.pop(key, vm)? };
        match (found, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(vm.key_error(key)),
        }
    }

    /// Remove and return a (key, value) pair as a 2-tuple.
    ///
    /// Pairs are returned in LIFO (last-in, first-out) order.
    /// Raises KeyError if the dict is empty.
    #[method("($self, /)")]
    fn popitem(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        match self.pop_last(vm)? {
            Some((key, value)) => Ok(vm.new_tuple([key, value])),
            None => Err(vm.key_error(vm.new_str("popitem(): dictionary is empty").as_object())),
        }
    }

    /// Return a set-like object providing a view on the dict's keys.
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> ObjRef {
        DictKeys::new(self, vm)
    }

    /// Return a set-like object providing a view on the dict's items.
    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> ObjRef {
        DictItems::new(self, vm)
    }

    /// Return an object providing a view on the dict's values.
    #[method("($self, /)")]
    fn values(&self, vm: &Vm) -> ObjRef {
        DictValues::new(self, vm)
    }

    /// D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.
    /// If E is present and has a .keys() method, then does:  for k in E.keys(): D[k] = E[k]
    /// If E is present and lacks a .keys() method, then does:  for k, v in E: D[k] = v
    /// In either case, this is followed by: for k in F:  D[k] = F[k]
    #[method("!($self, /, *args, **kwargs)")]
    fn update(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        self.update_from_args("update", args, vm)?;
        for (name, value) in kwargs.iter() {
            self.set_str(name, value, vm)?;
        }
        Ok(())
    }

    /// Create a new dictionary with keys from iterable and values set to value.
    #[classmethod("($type, iterable, value=None, /)")]
    fn fromkeys(cls: &Type, iterable: &Object, value: Option<&Object>, vm: &Vm) -> PyResult {
        let value = value.unwrap_or(vm.none_ref());
        update::from_keys(cls, iterable, value, vm)
    }

    /// Remove all items from the dict.
    #[method("($self, /)", name = "clear")]
    fn method_clear(&self, vm: &Vm) {
        self.clear(vm);
    }

    /// Return a shallow copy of the dict.
    #[method("($self, /)", name = "copy")]
    fn method_copy(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        self.copy_as_mapping(vm)
    }

    /// Return a reverse iterator over the dict keys.
    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> ObjRef {
        iterators::DictReverseKeyIterator::new(self, vm)
    }

    /// dicts are generic over two types, signifying (respectively) the types of their keys and values
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Dict::with(Table::empty(), std::ptr::null_mut(), 0))
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.update_from_args("dict", crate::protocols::native::borrow_all(args.as_slice()), vm)?;
        match kwargs {
            Some(kwargs) => self.update_from(kwargs.as_object(), true, vm),
            None => Ok(()),
        }
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        let keywords = kwnames.map_or(0, Tuple::len);
        let (positional, named) = args.split_at(args.len().saturating_sub(keywords));
        let object = vm.new_instance(cls, Dict::with(Table::empty(), std::ptr::null_mut(), 0))?;
        if let Some(dict) = object.downcast_ref::<Dict>() {
            dict.update_from_args("dict", positional, vm)?;
            for (name, value) in KwArgs::new(kwnames, named).iter() {
                dict.set_str(name, value, vm)?;
            }
        }
        Ok(object)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else { return Ok(vm.new_str("{...}")) };
        if self.is_empty() {
            return Ok(vm.new_str("{}"));
        }
        let mut text = StrBuilder::new();
        text.push_str("{");
        let mut first = true;
        let mut at = 0;
        while let Some((_, key, value)) = self.next_borrowed(&mut at) {
            let (key, value) = (key.to_ref(), value.to_ref());
            if !first {
                text.push_str(", ");
            }
            first = false;
            text.push(&*key.repr(vm)?);
            text.push_str(": ");
            text.push(&*value.repr(vm)?);
        }
        text.push_str("}");
        Ok(text.finish(vm))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        iterators::DictKeyIterator::new(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        match (op, other.downcast_ref::<Dict>()) {
            (CompareOp::Eq, Some(other)) => Ok(vm.new_bool(self.equal(other, vm)?)),
            (CompareOp::Ne, Some(other)) => Ok(vm.new_bool(!self.equal(other, vm)?)),
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        self.contains_key(item, vm)
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        match self.get_item(key, vm)? {
            Some(value) => Ok(value),
            None => self.missing(key, vm),
        }
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => self.set_item(key, value, vm),
            None if self.del_item(key, vm)? => Ok(()),
            None => Err(vm.key_error(key)),
        }
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (Some(left), Some(_)) = (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>()) else {
            return Ok(vm.not_implemented());
        };
        let result = left.copy_as_mapping(vm)?;
        result.update_from_arg(b, vm)?;
        Ok(result.into_object())
    }

    #[slot]
    fn nb_inplace_or(&self, other: &Object, vm: &Vm) -> PyResult {
        self.update_from_arg(other, vm)?;
        Ok(self.as_object().to_ref())
    }
}
