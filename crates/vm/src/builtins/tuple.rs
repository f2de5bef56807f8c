//! `tuple` and its iterator.
//!
//! A tuple is one block: header, cached hash, items. It is made whole and never changes afterwards, with the exceptions that
//! C code fills a tuple that it has just made, and that iterators over pairs use their tuple again when nobody else has it.

use std::cell::Cell;
use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicPtr, Ordering};

use taipan_object::object::xdecref;
use taipan_object::{alloc, gc};

use crate::builtins::builtins_module::builtin;
use crate::builtins::bytes::slicing::SliceRange;
use crate::builtins::dict::repr_guard::ReprGuard;
use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::slice::Slice;
use crate::builtins::str::StrBuilder;
use crate::prelude::*;
use crate::protocols::container::subscript_index;

/// `PyTupleObject`; the items follow.
#[repr(C)]
pub struct Tuple {
    /// Header and number of items.
    pub ob: VarObject,
    /// The hash, -1 until it is asked for.
    hash: Cell<isize>,
    items: [*mut Object; 0],
}

const _: () = assert!(size_of::<Tuple>() == 32 && offset_of!(Tuple, items) == 32);

// Large enough for any program, small enough that sizes in bytes can't overflow.
const MAX_LEN: usize = (isize::MAX as usize - size_of::<Tuple>() - 64) / size_of::<*mut Object>();

static EMPTY: AtomicPtr<Object> = AtomicPtr::new(std::ptr::null_mut());

impl Traverse for Tuple {
    fn traverse(&self, visit: &mut Visit) {
        for i in 0..self.len() {
            // SAFETY: items are null (while C code fills the tuple) or alive.
            unsafe { visit.raw(*self.item_ptr(i)) }
        }
    }
}

/// The one empty tuple, immortal.
#[cold]
fn make_empty() -> *mut Object {
    let size = gc::HEADER_SIZE + size_of::<Tuple>() + size_of::<*mut Object>();
    let block = alloc::raw_calloc(1, size);
    if block.is_null() {
        crate::runtime::make::out_of_memory();
    }
    // SAFETY: the block is zeroed and long enough for the collector's header and a tuple without items.
    unsafe {
        let tuple = block.add(gc::HEADER_SIZE).cast::<Tuple>();
        tuple.write(Tuple {
            ob: VarObject { ob: Object::immortal_static(Tuple::type_object()), ob_size: Cell::new(0) },
            hash: Cell::new(-1),
            items: [],
        });
        match EMPTY.compare_exchange(std::ptr::null_mut(), tuple.cast(), Ordering::Release, Ordering::Acquire)
        {
            Ok(_) => tuple.cast(),
            Err(first) => {
                alloc::raw_free(block);
                first
            }
        }
    }
}

/// What Rust code does with tuples.
impl Tuple {
    /// The empty tuple.
    #[inline]
    pub fn empty(_vm: &Vm) -> Ref<Tuple> {
        let mut empty = EMPTY.load(Ordering::Acquire);
        if empty.is_null() {
            empty = make_empty();
        }
        // SAFETY: immortal, so a reference needs no count.
        unsafe { Ref::from_raw(empty.cast()) }
    }

    /// Memory for a tuple of `len` items, which are not initialised; not tracked. Null when there is no memory.
    #[inline]
    fn allocate(len: usize) -> *mut Tuple {
        if len > MAX_LEN {
            return std::ptr::null_mut();
        }
        let tp = Tuple::type_object();
        let tuple = gc::allocate(tp, size_of::<Tuple>() + len * size_of::<*mut Object>()).cast::<Tuple>();
        if !tuple.is_null() {
            // SAFETY: the memory is ours.
            unsafe {
                tuple.write(Tuple {
                    ob: VarObject { ob: Object::new(tp), ob_size: Cell::new(len as isize) },
                    hash: Cell::new(-1),
                    items: [],
                });
            }
        }
        tuple
    }

    /// A tuple of `len` items that `next` gives one after the other; nothing sees it before it is whole. Raises what `next`
    /// raises, or MemoryError.
    #[inline]
    pub fn try_build(len: usize, mut next: impl FnMut() -> PyResult, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if len == 0 {
            return Ok(Tuple::empty(vm));
        }
        let tuple = Self::allocate(len);
        if tuple.is_null() {
            return Err(vm.memory_error());
        }
        // SAFETY: the slots are ours; those that are not filled yet are null, which is all that dropping the tuple needs.
        let (slots, tuple) = unsafe {
            (*tuple).item_ptr(0).write_bytes(0, len);
            ((*tuple).item_ptr(0), Ref::from_raw(tuple))
        };
        let mut is_gc = false;
        for at in 0..len {
            let item = next()?;
            is_gc |= item.ob_type().is_gc();
            // SAFETY: below the length.
            unsafe { *slots.add(at) = item.into_raw() };
        }
        if is_gc {
            // SAFETY: the tuple is whole.
            unsafe { gc::track(tuple.as_object().as_ptr()) };
        }
        Ok(tuple)
    }

    /// A tuple of `len` items that `fill` writes. It is tracked when an item is collectable.
    #[inline]
    fn make(len: usize, fill: impl FnOnce(*mut *mut Object)) -> Option<Ref<Tuple>> {
        let tuple = Self::allocate(len);
        if tuple.is_null() {
            return None;
        }
        // SAFETY: `fill` initialises all items, after which the tuple is whole.
        unsafe {
            fill((*tuple).item_ptr(0));
            let items = std::slice::from_raw_parts((*tuple).item_ptr(0), len);
            if items.iter().any(|item| (**item).ob_type().is_gc()) {
                gc::track(tuple.cast());
            }
            Some(Ref::from_raw(tuple))
        }
    }

    /// A tuple of `len` empty slots for C code to fill (`PyTuple_New`). MemoryError when it can't be had.
    pub fn with_len(len: usize, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if len == 0 {
            return Ok(Tuple::empty(vm));
        }
        let tuple = Self::allocate(len);
        if tuple.is_null() {
            return Err(vm.memory_error());
        }
        // SAFETY: the slots are ours; null slots are valid for traversal.
        unsafe {
            (*tuple).item_ptr(0).write_bytes(0, len);
            gc::track(tuple.cast());
            Ok(Ref::from_raw(tuple))
        }
    }

    /// A tuple of `len` owned references, which move from `items`.
    ///
    /// # Safety
    /// `items` holds as many owned references, which the caller forgets.
    #[inline]
    pub unsafe fn from_raw_items(items: *const *mut Object, len: usize, vm: &Vm) -> Ref<Tuple> {
        if len == 0 {
            return Tuple::empty(vm);
        }
        // SAFETY: both have room for `len` references.
        let made = Self::make(len, |to| unsafe { std::ptr::copy_nonoverlapping(items, to, len) });
        made.unwrap_or_else(|| crate::runtime::make::out_of_memory())
    }

    /// A tuple of the given items.
    #[inline]
    pub fn from_vec(items: Vec<ObjRef>, vm: &Vm) -> Ref<Tuple> {
        if items.is_empty() {
            return Tuple::empty(vm);
        }
        let len = items.len();
        let made = Self::make(len, |to| {
            let mut items = items;
            // SAFETY: both have room for `len` references, which move.
            unsafe {
                std::ptr::copy_nonoverlapping(items.as_ptr().cast::<*mut Object>(), to, len);
                items.set_len(0);
            }
        });
        made.unwrap_or_else(|| crate::runtime::make::out_of_memory())
    }

    /// A tuple of `len` references that `item` gives by position.
    #[inline]
    pub fn from_moved(len: usize, mut item: impl FnMut(usize) -> ObjRef, vm: &Vm) -> Ref<Tuple> {
        if len == 0 {
            return Tuple::empty(vm);
        }
        let made = Self::make(len, |to| {
            for i in 0..len {
                // SAFETY: below the length.
                unsafe { *to.add(i) = item(i).into_raw() };
            }
        });
        made.unwrap_or_else(|| crate::runtime::make::out_of_memory())
    }

    /// A tuple of new references to the given objects.
    #[inline]
    pub fn from_slice(items: &[&Object], vm: &Vm) -> Ref<Tuple> {
        if items.is_empty() {
            return Tuple::empty(vm);
        }
        let made = Self::make(items.len(), |to| {
            for (i, item) in items.iter().enumerate() {
                item.incref();
                // SAFETY: below the length.
                unsafe { *to.add(i) = item.as_ptr() };
            }
        });
        made.unwrap_or_else(|| crate::runtime::make::out_of_memory())
    }

    /// A tuple of new references to the given objects.
    pub fn from_refs(items: &[ObjRef], vm: &Vm) -> Ref<Tuple> {
        Self::from_slice(crate::protocols::native::borrow_all(items), vm)
    }

    /// A tuple of two items.
    #[inline]
    pub fn pair(a: ObjRef, b: ObjRef, _vm: &Vm) -> Ref<Tuple> {
        let made = Self::make(2, |to| {
            // SAFETY: two items.
            unsafe {
                *to = a.into_raw();
                *to.add(1) = b.into_raw();
            }
        });
        made.unwrap_or_else(|| crate::runtime::make::out_of_memory())
    }

    /// The number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob.ob_size.get() as usize
    }

    /// Whether there is no item.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn item_ptr(&self, i: usize) -> *mut *mut Object {
        // SAFETY: the items lie behind the struct; `i` is at most the length.
        unsafe {
            std::ptr::from_ref(self)
                .cast::<u8>()
                .add(size_of::<Tuple>())
                .cast::<*mut Object>()
                .cast_mut()
                .add(i)
        }
    }

    /// The items.
    #[inline(always)]
    pub fn as_slice(&self) -> &[ObjRef] {
        // SAFETY: a whole tuple has no null items, never changes, and `Ref` is a transparent pointer.
        unsafe { std::slice::from_raw_parts(self.item_ptr(0).cast::<ObjRef>(), self.len()) }
    }

    /// Item `i`, borrowed.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<&Object> {
        self.as_slice().get(i).map(|item| &**item)
    }

    /// Puts other items into a tuple of two that only the caller refers to.
    pub(crate) fn replace_pair(&self, a: ObjRef, b: ObjRef) {
        let track = a.ob_type().is_gc() || b.ob_type().is_gc();
        // SAFETY: the tuple has two items and nobody else sees it change.
        let old = unsafe {
            let items = self.item_ptr(0);
            (
                Ref::from_raw_opt(std::mem::replace(&mut *items, a.into_raw())),
                Ref::from_raw_opt(std::mem::replace(&mut *items.add(1), b.into_raw())),
            )
        };
        self.hash.set(-1);
        if track {
            // SAFETY: a whole tuple.
            unsafe { gc::track(self.as_object().as_ptr()) }
        }
        drop(old);
    }

    /// Replaces item `i` of a tuple that only the caller refers to (`PyTuple_SetItem`). False when there is no such item.
    pub fn set_unique(&self, i: usize, item: ObjRef) -> bool {
        if i >= self.len() {
            return false;
        }
        // SAFETY: in range; the old item is released after the store.
        unsafe { drop(Ref::from_raw_opt(std::mem::replace(&mut *self.item_ptr(i), item.into_raw()))) };
        true
    }

    /// Whether the type is exactly `tuple`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        std::ptr::eq(self.as_object().type_ptr(), Tuple::static_type())
    }

    /// Whether the collector may forget the tuple: no item is or can become part of a cycle.
    pub fn can_untrack(&self) -> bool {
        (0..self.len()).all(|i| {
            // SAFETY: items are null or alive.
            unsafe { (*self.item_ptr(i)).as_ref() }.is_some_and(|item| {
                // SAFETY: a live object.
                !is_collectable(item)
                    || (item.downcast_exact::<Tuple>().is_some() && unsafe { !gc::is_tracked(item.as_ptr()) })
            })
        })
    }

    /// The items from `start` on, every `step`th, `count` of them.
    fn slice(&self, start: isize, step: isize, count: usize, vm: &Vm) -> Ref<Tuple> {
        let items = self.as_slice();
        let picked: Vec<&Object> = (0..count as isize)
            .filter_map(|n| items.get(start.wrapping_add(n.wrapping_mul(step)) as usize).map(|item| &**item))
            .collect();
        tracked(Tuple::from_slice(&picked, vm))
    }

    /// The tuple of an iterable: itself when it is an exact tuple.
    pub fn from_iterable(iterable: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            return Ok(tuple.into());
        }
        Ok(Tuple::from_vec(iterable.collect_iterable(vm)?, vm))
    }

    /// `cls(*args)`.
    fn make_instance(cls: &Type, args: &[&Object], vm: &Vm) -> PyResult {
        let exact = match args {
            [] => Tuple::empty(vm),
            [iterable] => Tuple::from_iterable(iterable, vm)?,
            _ => return Err(vm.type_error(format!("tuple expected at most 1 argument, got {}", args.len()))),
        };
        if std::ptr::eq(cls, Tuple::static_type()) {
            return Ok(exact.into_object());
        }
        Tuple::of_type(cls, exact.as_slice(), vm)
    }

    /// A new instance of `cls`, a subtype of `tuple`, with the given items.
    pub fn of_type(cls: &Type, items: &[ObjRef], vm: &Vm) -> PyResult {
        let Some(alloc) = cls.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        // SAFETY: `tp_alloc` gives a zeroed instance with room for the items; nulls are valid for traversal until then.
        unsafe {
            let op = vm.owned(alloc(std::ptr::from_ref(cls).cast_mut(), items.len() as isize))?;
            let tuple = op.cast::<Tuple>();
            tuple.hash.set(-1);
            for (i, item) in items.iter().enumerate() {
                *tuple.item_ptr(i) = item.clone().into_raw();
            }
            Ok(op)
        }
    }

    fn hash_items(&self, vm: &Vm) -> PyResult<isize> {
        const PRIME_1: u64 = 11_400_714_785_074_694_791;
        const PRIME_2: u64 = 14_029_467_366_897_019_727;
        const PRIME_5: u64 = 2_870_177_450_012_600_261;
        let mut acc = PRIME_5;
        for item in self.as_slice() {
            let lane = item.hash(vm)? as u64;
            acc = acc.wrapping_add(lane.wrapping_mul(PRIME_2));
            acc = acc.rotate_left(31);
            acc = acc.wrapping_mul(PRIME_1);
        }
        acc = acc.wrapping_add(self.len() as u64 ^ (PRIME_5 ^ 3_527_539));
        Ok(if acc == u64::MAX { 1_546_275_796 } else { acc as isize })
    }
}

/// Whether the collector could ever see the object: static types are no collectable objects, classes are.
fn is_collectable(object: &Object) -> bool {
    let tp = object.ob_type();
    // SAFETY: a slot is called with a live object.
    tp.is_gc() && tp.tp_is_gc.get().is_none_or(|is_gc| unsafe { is_gc(object.as_ptr()) } != 0)
}

/// Shows the tuple to the collector whatever its items are, as CPython does with the results of slicing and operators.
fn tracked(tuple: Ref<Tuple>) -> Ref<Tuple> {
    if !tuple.is_empty() {
        // SAFETY: a whole tuple.
        unsafe { gc::track(tuple.as_object().as_ptr()) }
    }
    tuple
}

/// A start or stop argument of `index`: any index, clamped.
pub struct SliceIndex(pub isize);

impl FromArg<'_> for SliceIndex {
    fn from_arg(object: &Object, _what: &crate::args::ArgName, vm: &Vm) -> PyResult<Self> {
        if !object.has_index() {
            return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
        }
        object.as_isize_clamped(vm).map(SliceIndex)
    }
}

impl SliceIndex {
    /// The position for a sequence of `len` items: negative ones count from the end.
    pub(crate) fn position(given: Option<SliceIndex>, default: isize, len: usize) -> isize {
        match given {
            None => default,
            Some(SliceIndex(i)) if i < 0 => i.saturating_add(len as isize).max(0),
            Some(SliceIndex(i)) => i,
        }
    }
}

/// Compares two sequences item by item. `get` gives the items that are there at the moment: a comparison may change lists.
pub(crate) fn compare_sequences(
    get: impl Fn(usize) -> (Option<ObjRef>, Option<ObjRef>),
    lens: impl Fn() -> (usize, usize),
    op: CompareOp,
    vm: &Vm,
) -> PyResult {
    let mut i = 0;
    loop {
        let (Some(x), Some(y)) = get(i) else {
            let (a, b) = lens();
            return Ok(vm.new_bool(op.test(a.cmp(&b))));
        };
        if !x.is(&y) {
            let equal = match crate::builtins::dict::table::plain_equal(&x, &y) {
                Some(equal) => equal,
                None => x.rich_compare_bool(&y, CompareOp::Eq, vm)?,
            };
            if !equal {
                // The comparison may have shortened a list.
                if let (None, _) | (_, None) = get(i) {
                    let (a, b) = lens();
                    return Ok(vm.new_bool(op.test(a.cmp(&b))));
                }
                return match op {
                    CompareOp::Eq => Ok(vm.new_bool(false)),
                    CompareOp::Ne => Ok(vm.new_bool(true)),
                    _ => x.rich_compare(&y, op, vm),
                };
            }
        }
        i += 1;
    }
}

/// Shows items between brackets.
pub(crate) fn show_items(
    open: &str,
    close: &str,
    get: impl Fn(usize) -> Option<ObjRef>,
    vm: &Vm,
) -> PyResult<StrBuilder> {
    let mut text = StrBuilder::new();
    text.push_str(open);
    let mut i = 0;
    while let Some(item) = get(i) {
        if i > 0 {
            text.push_str(", ");
        }
        text.push(&*item.repr(vm)?);
        i += 1;
    }
    text.push_str(close);
    Ok(text)
}

/// Built-in immutable sequence.
///
/// If no argument is given, the constructor returns an empty tuple.
/// If iterable is specified the tuple is initialized from iterable's items.
///
/// If the argument is a tuple, the return value is the same object.
#[pytype(
    name = "tuple",
    text_signature = "(iterable=(), /)",
    symbol = "PyTuple_Type",
    flags(BASETYPE, SEQUENCE, TUPLE_SUBCLASS, MATCH_SELF),
    gc,
    itemsize = 8
)]
impl Tuple {
    #[method("($self, /)")]
    fn __getnewargs__(&self, vm: &Vm) -> Ref<Tuple> {
        let copy = Tuple::from_refs(self.as_slice(), vm).into_object();
        vm.new_tuple([copy])
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(
        &self,
        value: &Object,
        start: Option<SliceIndex>,
        stop: Option<SliceIndex>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let start = SliceIndex::position(start, 0, self.len()) as usize;
        let stop = (SliceIndex::position(stop, isize::MAX, self.len()) as usize).min(self.len());
        for (i, item) in self.as_slice().iter().enumerate().take(stop).skip(start) {
            if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
                return Ok(i);
            }
        }
        Err(vm.value_error("tuple.index(x): x not in tuple"))
    }

    /// Return number of occurrences of value.
    #[method("($self, value, /)")]
    fn count(&self, value: &Object, vm: &Vm) -> PyResult<usize> {
        let mut count = 0;
        for item in self.as_slice() {
            if item.rich_compare_bool(value, CompareOp::Eq, vm)? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Tuples are generic over the types of their contents.
    ///
    /// For example, use ``tuple[int, str]`` for a pair whose first element
    /// is an int and second element is a string.
    ///
    /// Tuples also support the form ``tuple[T, ...]`` to indicate
    /// an arbitrary length tuple of elements of type T.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let own_init = Tuple::type_object().tp_init.get().map(|f| f as usize);
        let plain = cls.tp_init.get().map(|f| f as usize) == own_init;
        if plain && kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(vm.type_error("tuple() takes no keyword arguments"));
        }
        Tuple::make_instance(cls, crate::protocols::native::borrow_all(args.as_slice()), vm)
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(vm.type_error("tuple() takes no keyword arguments"));
        }
        Tuple::make_instance(cls, args, vm)
    }

    #[slot]
    unsafe extern "C" fn tp_dealloc(op: *mut Object) {
        // SAFETY: the count has reached zero: nobody sees the tuple any more. Items may be null after a failed fill.
        unsafe {
            gc::untrack(op);
            let tuple = (*op).cast::<Tuple>();
            let len = tuple.len();
            for i in (0..len).rev() {
                xdecref(*tuple.item_ptr(i));
            }
            let tp = (*op).ob_type();
            if std::ptr::eq(tp, Tuple::static_type()) {
                gc::release(tp, op, size_of::<Tuple>() + len * size_of::<*mut Object>());
            } else if let Some(free) = tp.tp_free.get() {
                free(op.cast());
            }
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if self.is_empty() {
            return Ok(vm.new_str("()"));
        }
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else { return Ok(vm.new_str("(...)")) };
        let close = if self.len() == 1 { ",)" } else { ")" };
        Ok(show_items("(", close, |i| self.as_slice().get(i).cloned(), vm)?.finish(vm))
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let known = self.hash.get();
        if known != -1 {
            return Ok(known);
        }
        vm.check_recursion(" while hashing a tuple")?;
        let hash = self.hash_items(vm)?;
        self.hash.set(hash);
        Ok(hash)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> ObjRef {
        TupleIterator::new(self, vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Tuple>() else { return Ok(vm.not_implemented()) };
        let get = |i| (self.as_slice().get(i).cloned(), other.as_slice().get(i).cloned());
        compare_sequences(get, || (self.len(), other.len()), op, vm)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult {
        match usize::try_from(i).ok().and_then(|i| self.get(i)) {
            Some(item) => Ok(item.to_ref()),
            None => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[slot]
    fn sq_contains(&self, item: &Object, vm: &Vm) -> PyResult<bool> {
        for mine in self.as_slice() {
            if mine.rich_compare_bool(item, CompareOp::Eq, vm)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult {
        if self.is_empty() && other.downcast_exact::<Tuple>().is_some() {
            return Ok(other.to_ref());
        }
        let Some(right) = other.downcast_ref::<Tuple>() else {
            return Err(vm.type_error(format!(
                "can only concatenate tuple (not \"{}\") to tuple",
                other.ob_type().name()
            )));
        };
        if right.is_empty() && self.is_exact() {
            return Ok(self.as_object().to_ref());
        }
        let (a, b) = (self.as_slice(), right.as_slice());
        if a.is_empty() && b.is_empty() {
            return Ok(Tuple::empty(vm).into_object());
        }
        let made = Tuple::make(a.len() + b.len(), |to| {
            for (i, item) in a.iter().chain(b).enumerate() {
                // SAFETY: below the length.
                unsafe { *to.add(i) = item.clone().into_raw() };
            }
        });
        made.map(|made| tracked(made).into_object()).ok_or_else(|| vm.memory_error())
    }

    #[slot]
    fn sq_repeat(&self, n: isize, vm: &Vm) -> PyResult {
        let n = usize::try_from(n).unwrap_or(0);
        if (self.is_empty() || n == 1) && self.is_exact() {
            return Ok(self.as_object().to_ref());
        }
        if self.is_empty() || n == 0 {
            return Ok(Tuple::empty(vm).into_object());
        }
        let items = self.as_slice();
        let Some(len) = items.len().checked_mul(n).filter(|len| *len <= MAX_LEN) else {
            return Err(vm.memory_error());
        };
        let made = Tuple::make(len, |to| {
            for (i, item) in items.iter().cycle().take(len).enumerate() {
                // SAFETY: below the length.
                unsafe { *to.add(i) = item.clone().into_raw() };
            }
        });
        made.map(|made| tracked(made).into_object()).ok_or_else(|| vm.memory_error())
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if key.has_index() {
            let i = subscript_index(key, vm)?;
            let i = if i < 0 { i.wrapping_add(self.len() as isize) } else { i };
            return self.sq_item(i, vm);
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error(format!(
                "tuple indices must be integers or slices, not {}",
                key.ob_type().name()
            )));
        };
        let SliceRange { start, step, count } = SliceRange::new(slice, || self.len(), vm)?;
        if start == 0 && step == 1 && count == self.len() && self.is_exact() {
            return Ok(self.as_object().to_ref());
        }
        Ok(self.slice(start, step, count, vm).into_object())
    }
}

/// What `iter(tuple)` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct TupleIterator {
    /// The object header.
    pub ob: Object,
    index: Cell<isize>,
    tuple: Slot<Tuple>,
}

const _: () = assert!(size_of::<TupleIterator>() == 32);

impl TupleIterator {
    /// A new iterator over `tuple`.
    pub fn new(tuple: &Tuple, vm: &Vm) -> ObjRef {
        let ob = Object::new(TupleIterator::type_object());
        vm.new_object(TupleIterator { ob, index: Cell::new(0), tuple: Slot::of(tuple.into()) }).into_object()
    }

    /// The next item, without the protocol around it.
    #[inline(always)]
    pub fn next(&self) -> Option<ObjRef> {
        let i = self.index.get();
        // SAFETY: nothing runs before the item is cloned.
        match unsafe { self.tuple.borrow() }?.get(i as usize).map(Object::to_ref) {
            Some(item) => {
                self.index.set(i + 1);
                Some(item)
            }
            None => {
                self.tuple.set(None);
                None
            }
        }
    }
}

#[pytype(name = "tuple_iterator", symbol = "PyTupleIter_Type", gc, no_new)]
impl TupleIterator {
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> isize {
        self.tuple.get().map_or(0, |tuple| tuple.len() as isize - self.index.get())
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let function = builtin(vm.ids().iter, vm)?;
        Ok(match self.tuple.get() {
            Some(tuple) => {
                let args = vm.new_tuple([tuple.into_object()]).into_object();
                vm.new_tuple([function, args, vm.new_int(self.index.get())])
            }
            None => {
                let args = vm.new_tuple([Tuple::empty(vm).into_object()]).into_object();
                vm.new_tuple([function, args])
            }
        })
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let index = state_index(state, vm)?;
        if let Some(tuple) = self.tuple.get() {
            self.index.set(index.clamp(0, tuple.len() as isize));
        }
        Ok(())
    }

    #[slot]
    fn tp_iter(&self) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        Ok(self.next())
    }
}

/// The argument of an iterator's `__setstate__`.
pub(crate) fn state_index(state: &Object, vm: &Vm) -> PyResult<isize> {
    match state.downcast_ref::<Int>() {
        None => Err(vm.type_error("an integer is required")),
        Some(int) => int
            .to_i64()
            .map(|i| i as isize)
            .ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}
