//! `set` and `frozenset`.
//!
//! Both have the same layout and the same operations (`operations`) on the same table (`table`). Results of operations are of the
//! base type of the left operand, never of a subclass.

pub mod iterator;
mod operations;
pub mod table;

use std::mem::{offset_of, size_of};

use crate::builtins::dict::repr_guard::ReprGuard;
use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::str::StrBuilder;
use crate::prelude::*;
use iterator::SetIterator;
use table::{SetTable, element_hash};

/// `PySetObject` of a `set`.
#[repr(C)]
#[derive(Traverse)]
pub struct Set {
    /// The object header.
    pub ob: Object,
    pub(crate) table: SetTable,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// `PySetObject` of a `frozenset`.
#[repr(C)]
#[derive(Traverse)]
pub struct FrozenSet {
    /// The object header.
    pub ob: Object,
    pub(crate) table: SetTable,
    #[traverse(skip)]
    weakrefs: WeakList,
}

const _: () = assert!(size_of::<Set>() == 200 && offset_of!(Set, weakrefs) == 192);
const _: () =
    assert!(size_of::<FrozenSet>() == 200 && offset_of!(FrozenSet, table) == offset_of!(Set, table));

/// The table of a set or frozenset.
#[inline]
pub(crate) fn any_set(object: &Object) -> Option<&SetTable> {
    match object.downcast_ref::<Set>() {
        Some(set) => Some(&set.table),
        None => object.downcast_ref::<FrozenSet>().map(|set| &set.table),
    }
}

/// The table of an exact set or frozenset.
#[inline]
pub(crate) fn exact_set(object: &Object) -> Option<&SetTable> {
    match object.downcast_exact::<Set>() {
        Some(set) => Some(&set.table),
        None => object.downcast_exact::<FrozenSet>().map(|set| &set.table),
    }
}

/// The items of a set or frozenset in order; nothing for other objects.
pub fn items_vec(object: &Object) -> Vec<ObjRef> {
    any_set(object).map_or_else(Vec::new, SetTable::items_vec)
}

/// What Rust code does with sets.
impl Set {
    /// Where the table lies in a set.
    pub(crate) const TABLE_OFFSET: usize = offset_of!(Set, table);

    fn empty() -> Set {
        Set { ob: Object::new(Set::type_object()), table: SetTable::new(), weakrefs: WeakList::new() }
    }

    /// A new empty set.
    pub fn new(vm: &Vm) -> Ref<Set> {
        vm.new_object(Set::empty())
    }

    /// A set of the items of an iterable.
    pub fn from_iterable(iterable: &Object, vm: &Vm) -> PyResult<Ref<Set>> {
        let set = Set::new(vm);
        set.update_from(iterable, vm)?;
        Ok(set)
    }

    /// The number of items.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an item; false when it is there already.
    pub fn add(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        self.table.add_hash(item, element_hash(item, vm)?, vm)
    }

    /// Whether `item` is in the set. A set is looked for as the frozenset with its items.
    pub fn contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        operations::contains(&self.table, item, vm)
    }

    /// Removes an item; false when it isn't there.
    pub fn discard(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        operations::discard(&self.table, item, vm)
    }

    /// Takes some item out.
    pub fn pop_any(&self) -> Option<ObjRef> {
        self.table.pop_any()
    }

    /// Removes all items.
    pub fn clear_items(&self) {
        self.table.clear_items();
    }

    /// The next item with its hash; `position` starts at 0 (`_PySet_NextEntry`). Safe when the set changes in between.
    pub fn next_entry(&self, position: &mut usize) -> Option<(ObjRef, isize)> {
        self.table.next_item(position)
    }

    /// All items in order.
    pub fn items_vec(&self) -> Vec<ObjRef> {
        self.table.items_vec()
    }

    /// Adds the items of an iterable.
    pub fn update_from(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        operations::update(&self.table, iterable, vm)
    }

    /// Removes the items of an iterable.
    pub fn difference_update_from(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        operations::difference_update(&self.table, iterable, vm)
    }

    /// Keeps what is either here or in the iterable, but not in both.
    pub fn symmetric_difference_update_from(&self, iterable: &Object, vm: &Vm) -> PyResult<()> {
        operations::symmetric_difference_update(&self.table, iterable, vm)
    }
}

/// What Rust code does with frozensets.
impl FrozenSet {
    /// Adds an item to a frozenset that nobody but its maker has seen (`PySet_Add`).
    pub fn add_unique(&self, item: &Object, vm: &Vm) -> PyResult<()> {
        self.table.add_hash(item, element_hash(item, vm)?, vm).map(drop)
    }

    fn empty() -> FrozenSet {
        FrozenSet {
            ob: Object::new(FrozenSet::type_object()),
            table: SetTable::new(),
            weakrefs: WeakList::new(),
        }
    }

    /// A frozenset of the items of an iterable.
    pub fn from_iterable(iterable: &Object, vm: &Vm) -> PyResult<Ref<FrozenSet>> {
        let set = vm.new_object(FrozenSet::empty());
        operations::update(&set.table, iterable, vm)?;
        Ok(set)
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `item` is in the set.
    pub fn contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        operations::contains(&self.table, item, vm)
    }

    /// The next item with its hash; `position` starts at 0. Items don't change once the frozenset is made.
    pub fn next_entry(&self, position: &mut usize) -> Option<(ObjRef, isize)> {
        self.table.next_item(position)
    }

    /// All items in order.
    pub fn items_vec(&self) -> Vec<ObjRef> {
        self.table.items_vec()
    }
}

fn show(set: &Object, table: &SetTable, exact: bool, vm: &Vm) -> PyResult<Ref<Str>> {
    let name = set.ob_type().name();
    let Some(_guard) = ReprGuard::enter(set, vm) else { return Ok(vm.new_str(&format!("{name}(...)"))) };
    if table.len() == 0 {
        return Ok(vm.new_str(&format!("{name}()")));
    }
    let mut text = StrBuilder::new();
    if !exact {
        text.push_str(name);
        text.push_str("(");
    }
    text.push_str("{");
    for (i, item) in table.items_vec().iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push(&*item.repr(vm)?);
    }
    text.push_str(if exact { "}" } else { "})" });
    Ok(text.finish(vm))
}

fn reduce(set: &Object, table: &SetTable, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let items = vm.new_list(table.items_vec()).into_object();
    let args = vm.new_tuple([items]).into_object();
    let state = set.call_method(vm.ids().__getstate__, &[], vm)?;
    Ok(vm.new_tuple([set.ob_type().as_object().to_ref(), args, state]))
}

fn one_iterable<'a>(name: &str, args: &'a [ObjRef], vm: &Vm) -> PyResult<Option<&'a Object>> {
    match args {
        [] => Ok(None),
        [iterable] => Ok(Some(iterable)),
        _ => Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", args.len()))),
    }
}

/// Declares the methods that both set types have.
macro_rules! shared_methods {
    ($Type:ident, $generic:literal) => {
        #[pymethods(table = SHARED_METHODS)]
        impl $Type {
            /// x.__contains__(y) <==> y in x.
            #[method("($self, object, /)", coexist)]
            fn __contains__(&self, object: &Object, vm: &Vm) -> PyResult<bool> {
                self.contains(object, vm)
            }

            /// Return a new set with elements in the set that are not in the others.
            #[method("($self, /, *others)")]
            fn difference(&self, others: &[&Object], vm: &Vm) -> PyResult {
                let Some((first, rest)) = others.split_first() else {
                    return Self::make(|to| to.merge(&self.table, vm), vm);
                };
                Self::make(
                    |to| {
                        operations::difference_into(to, &self.table, first, vm)?;
                        rest.iter().try_for_each(|other| operations::difference_update(to, other, vm))
                    },
                    vm,
                )
            }

            /// Return a new set with elements common to the set and all others.
            #[method("($self, /, *others)")]
            fn intersection(&self, others: &[&Object], vm: &Vm) -> PyResult {
                Self::make(|to| operations::intersection_of_all(to, &self.table, others, vm), vm)
            }

            /// Return True if two sets have a null intersection.
            #[method("($self, other, /)")]
            fn isdisjoint(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
                operations::is_disjoint(&self.table, other, vm)
            }

            /// Report whether another set contains this set.
            #[method("($self, other, /)")]
            fn issubset(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
                operations::is_subset(&self.table, other, vm)
            }

            /// Report whether this set contains another set.
            #[method("($self, other, /)")]
            fn issuperset(&self, other: &Object, vm: &Vm) -> PyResult<bool> {
                operations::is_superset(&self.table, other, vm)
            }

            /// Return state information for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
                reduce(self.as_object(), &self.table, vm)
            }

            /// S.__sizeof__() -> size of S in memory, in bytes.
            #[method("($self, /)")]
            fn __sizeof__(&self) -> usize {
                self.ob.ob_type().tp_basicsize.get() as usize + self.table.extra_bytes()
            }

            /// Return a new set with elements in either the set or other but not both.
            #[method("($self, other, /)")]
            fn symmetric_difference(&self, other: &Object, vm: &Vm) -> PyResult {
                Self::make(
                    |to| {
                        operations::update(to, other, vm)?;
                        operations::symmetric_difference_update(to, self.as_object(), vm)
                    },
                    vm,
                )
            }

            /// Return a new set with elements from the set and all others.
            #[method("($self, /, *others)")]
            fn union(&self, others: &[&Object], vm: &Vm) -> PyResult {
                Self::make(
                    |to| {
                        to.merge(&self.table, vm)?;
                        others
                            .iter()
                            .filter(|other| !other.is(self.as_object()))
                            .try_for_each(|other| operations::update(to, other, vm))
                    },
                    vm,
                )
            }

            #[doc = $generic]
            #[classmethod("($type, object, /)")]
            fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
                GenericAlias::new(cls.as_object(), object, vm)
            }
        }

        impl $Type {
            /// A new object of the base type, whose table `fill` fills.
            fn make(fill: impl FnOnce(&SetTable) -> PyResult<()>, vm: &Vm) -> PyResult {
                let result = vm.new_object($Type::empty());
                fill(&result.table)?;
                Ok(result.into_object())
            }
        }
    };
}

shared_methods!(Set, "sets are generic over the type of their elements");
shared_methods!(FrozenSet, "frozensets are generic over the type of their elements");

/// Build an unordered collection of unique elements.
#[pytype(
    name = "set",
    text_signature = "(iterable=(), /)",
    symbol = "PySet_Type",
    flags(BASETYPE, MATCH_SELF),
    gc,
    unhashable,
    weakrefs = weakrefs,
    methods(SHARED_METHODS)
)]
impl Set {
    /// Add an element to a set.
    ///
    /// This has no effect if the element is already present.
    #[method("($self, object, /)", name = "add")]
    fn method_add(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        self.add(object, vm).map(|_| ())
    }

    /// Remove all elements from this set.
    #[method("($self, /)")]
    fn clear(&self) {
        self.clear_items();
    }

    /// Return a shallow copy of a set.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        Self::make(|to| to.merge(&self.table, vm), vm)
    }

    /// Remove an element from a set if it is a member.
    ///
    /// Unlike set.remove(), the discard() method does not raise
    /// an exception when an element is missing from the set.
    #[method("($self, object, /)", name = "discard")]
    fn method_discard(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        self.discard(object, vm).map(|_| ())
    }

    /// Update the set, removing elements found in others.
    #[method("($self, /, *others)")]
    fn difference_update(&self, others: &[&Object], vm: &Vm) -> PyResult<()> {
        others.iter().try_for_each(|other| self.difference_update_from(other, vm))
    }

    /// Update the set, keeping only elements found in it and all others.
    #[method("($self, /, *others)")]
    fn intersection_update(&self, others: &[&Object], vm: &Vm) -> PyResult<()> {
        let kept = SetTable::new();
        operations::intersection_of_all(&kept, &self.table, others, vm)?;
        self.table.swap(&kept);
        Ok(())
    }

    /// Remove and return an arbitrary set element.
    ///
    /// Raises KeyError if the set is empty.
    #[method("($self, /)")]
    fn pop(&self, vm: &Vm) -> PyResult {
        self.pop_any().ok_or_else(|| vm.key_error(vm.new_str("pop from an empty set").as_object()))
    }

    /// Remove an element from a set; it must be a member.
    ///
    /// If the element is not a member, raise a KeyError.
    #[method("($self, object, /)")]
    fn remove(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        if self.discard(object, vm)? { Ok(()) } else { Err(vm.key_error(object)) }
    }

    /// Update the set, keeping only elements found in either set, but not in both.
    #[method("($self, other, /)")]
    fn symmetric_difference_update(&self, other: &Object, vm: &Vm) -> PyResult<()> {
        self.symmetric_difference_update_from(other, vm)
    }

    /// Update the set, adding elements from all others.
    #[method("($self, /, *others)")]
    fn update(&self, others: &[&Object], vm: &Vm) -> PyResult<()> {
        others.iter().try_for_each(|other| self.update_from(other, vm))
    }

    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Set::empty())
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(vm.type_error("set() takes no keyword arguments"));
        }
        let iterable = one_iterable("set", args.as_slice(), vm)?;
        self.clear_items();
        iterable.map_or(Ok(()), |iterable| self.update_from(iterable, vm))
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(vm.type_error("set() takes no keyword arguments"));
        }
        let object = vm.new_instance(cls, Set::empty())?;
        match (args, object.downcast_ref::<Set>()) {
            ([iterable], Some(set)) => set.update_from(iterable, vm)?,
            ([], _) => {}
            _ => return Err(vm.type_error(format!("set expected at most 1 argument, got {}", args.len()))),
        }
        Ok(object)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let exact = std::ptr::eq(self.ob.type_ptr(), Set::static_type());
        show(self.as_object(), &self.table, exact, vm)
    }

    #[slot]
    fn nb_inplace_subtract(&self, other: &Object, vm: &Vm) -> PyResult {
        if any_set(other).is_none() {
            return Ok(vm.not_implemented());
        }
        self.difference_update_from(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn nb_inplace_and(&self, other: &Object, vm: &Vm) -> PyResult {
        if any_set(other).is_none() {
            return Ok(vm.not_implemented());
        }
        self.intersection_update(&[other], vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn nb_inplace_xor(&self, other: &Object, vm: &Vm) -> PyResult {
        if any_set(other).is_none() {
            return Ok(vm.not_implemented());
        }
        self.symmetric_difference_update_from(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn nb_inplace_or(&self, other: &Object, vm: &Vm) -> PyResult {
        if any_set(other).is_none() {
            return Ok(vm.not_implemented());
        }
        self.update_from(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        SetIterator::new(self.as_object(), self.len(), vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        operations::compare(&self.table, other, op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        self.contains(item, vm)
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(a, b, |to, x, y| operations::difference_into(to, x, y, vm), vm)
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(a, b, |to, x, y| operations::intersection_into(to, x, y, vm), vm)
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(
            a,
            b,
            |to, _, y| {
                operations::update(to, y, vm)?;
                operations::symmetric_difference_update(to, a, vm)
            },
            vm,
        )
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(
            a,
            b,
            |to, x, y| {
                to.merge(x, vm)?;
                operations::update(to, y, vm)
            },
            vm,
        )
    }
}

/// Build an immutable unordered collection of unique elements.
#[pytype(
    name = "frozenset",
    text_signature = "(iterable=(), /)",
    symbol = "PyFrozenSet_Type",
    flags(BASETYPE, MATCH_SELF),
    gc,
    weakrefs = weakrefs,
    methods(SHARED_METHODS)
)]
impl FrozenSet {
    /// Return a shallow copy of a set.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        if std::ptr::eq(self.ob.type_ptr(), FrozenSet::static_type()) {
            return Ok(self.as_object().to_ref());
        }
        Self::make(|to| to.merge(&self.table, vm), vm)
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let own_init = FrozenSet::type_object().tp_init.get().map(|f| f as usize);
        let plain = cls.tp_init.get().map(|f| f as usize) == own_init;
        if plain && kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(vm.type_error("frozenset() takes no keyword arguments"));
        }
        Self::make_instance(cls, one_iterable("frozenset", args.as_slice(), vm)?, vm)
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(vm.type_error("frozenset() takes no keyword arguments"));
        }
        match args {
            [] => Self::make_instance(cls, None, vm),
            [iterable] => Self::make_instance(cls, Some(iterable), vm),
            _ => Err(vm.type_error(format!("frozenset expected at most 1 argument, got {}", args.len()))),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), &self.table, false, vm)
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        let mut hash = self.table.hash.get();
        if hash == -1 {
            hash = self.table.content_hash();
            self.table.hash.set(hash);
        }
        Ok(hash)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        SetIterator::new(self.as_object(), self.len(), vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        operations::compare(&self.table, other, op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        self.contains(item, vm)
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(a, b, |to, x, y| operations::difference_into(to, x, y, vm), vm)
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(a, b, |to, x, y| operations::intersection_into(to, x, y, vm), vm)
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(
            a,
            b,
            |to, _, y| {
                operations::update(to, y, vm)?;
                operations::symmetric_difference_update(to, a, vm)
            },
            vm,
        )
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        operations::binary(
            a,
            b,
            |to, x, y| {
                to.merge(x, vm)?;
                operations::update(to, y, vm)
            },
            vm,
        )
    }
}

impl FrozenSet {
    fn make_instance(cls: &Type, iterable: Option<&Object>, vm: &Vm) -> PyResult {
        if std::ptr::eq(cls, FrozenSet::static_type()) {
            if let Some(same) = iterable.filter(|i| i.downcast_exact::<FrozenSet>().is_some()) {
                return Ok(same.to_ref());
            }
        }
        let object = vm.new_instance(cls, FrozenSet::empty())?;
        if let (Some(set), Some(iterable)) = (object.downcast_ref::<FrozenSet>(), iterable) {
            operations::update(&set.table, iterable, vm)?;
        }
        Ok(object)
    }
}
