//! The wrapper that `functools.lru_cache` and `functools.cache` make.

use std::cell::{Cell, RefCell};

use taipan_object::typeobject::VectorcallFunc;
use taipan_vm::protocols::native::{arg_slice, borrow_all, to_c};

use taipan_vm::prelude::*;

const ARGUMENTS_OFFSET: usize = taipan_vm::protocols::call::ARGUMENTS_OFFSET;

/// A cached result in the order of use.
struct Link {
    key: ObjRef,
    hash: isize,
    result: ObjRef,
    older: usize,
    newer: usize,
}

/// The links of a bounded cache, from the longest unused to the last used. The cache's dict has a key's place in `links`.
struct Links {
    links: Vec<Option<Link>>,
    free: Vec<usize>,
    oldest: usize,
    newest: usize,
}

const NOWHERE: usize = usize::MAX;

impl Default for Links {
    fn default() -> Self {
        Links { links: Vec::new(), free: Vec::new(), oldest: NOWHERE, newest: NOWHERE }
    }
}

impl Links {
    fn link(&mut self, at: usize) -> Option<&mut Link> {
        self.links.get_mut(at).and_then(Option::as_mut)
    }

    fn append(&mut self, key: ObjRef, hash: isize, result: ObjRef) -> usize {
        let link = Link { key, hash, result, older: NOWHERE, newer: NOWHERE };
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.links.push(None);
                self.links.len() - 1
            }
        };
        if let Some(place) = self.links.get_mut(at) {
            *place = Some(link);
        }
        self.join_as_newest(at);
        at
    }

    fn join_as_oldest(&mut self, at: usize) {
        let after = self.oldest;
        if let Some(link) = self.link(at) {
            (link.older, link.newer) = (NOWHERE, after);
        }
        match self.link(after) {
            Some(link) => link.older = at,
            None => self.newest = at,
        }
        self.oldest = at;
    }

    fn join_as_newest(&mut self, at: usize) {
        let before = self.newest;
        if let Some(link) = self.link(at) {
            (link.older, link.newer) = (before, NOWHERE);
        }
        match self.link(before) {
            Some(link) => link.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    /// Takes a link out of the order; its place stays.
    fn part(&mut self, at: usize) {
        let Some((older, newer)) = self.link(at).map(|link| (link.older, link.newer)) else { return };
        match self.link(older) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
        match self.link(newer) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
    }

    /// Marks a link as used and gives its result.
    fn touch(&mut self, at: usize) -> Option<ObjRef> {
        let result = self.link(at)?.result.clone();
        if self.newest != at {
            self.part(at);
            self.join_as_newest(at);
        }
        Some(result)
    }

    /// Gives a link's place back, once the link is out of the order.
    fn release(&mut self, at: usize) -> Option<Link> {
        let link = self.links.get_mut(at)?.take()?;
        self.free.push(at);
        Some(link)
    }
}

impl Traverse for Links {
    fn traverse(&self, visit: &mut Visit) {
        for link in self.links.iter().flatten() {
            visit.object(&link.key);
            visit.object(&link.result);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uncached,
    Infinite,
    Bounded(usize),
}

/// The layout of the wrapper.
#[repr(C)]
#[derive(Traverse)]
pub struct LruCacheWrapper {
    #[traverse(skip)]
    ob: Object,
    dict: Slot<Object>,
    #[traverse(skip)]
    weakrefs: WeakList,
    function: ObjRef,
    cache: Ref<Dict>,
    cache_info_type: ObjRef,
    links: RefCell<Links>,
    #[traverse(skip)]
    kind: Kind,
    #[traverse(skip)]
    typed: bool,
    #[traverse(skip)]
    hits: Cell<isize>,
    #[traverse(skip)]
    misses: Cell<isize>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

#[derive(Default)]
struct KeywordMark {
    object: Slot<Object>,
}

/// What separates positional from keyword arguments in keys.
fn keyword_mark(vm: &Vm) -> PyResult {
    let mark = &vm.interp().state::<KeywordMark>().object;
    match mark.get() {
        Some(mark) => Ok(mark),
        None => {
            let made = taipan_vm::builtins::object::object_type().as_object().call_no_args(vm)?;
            mark.put(made.clone());
            Ok(made)
        }
    }
}

fn bump(count: &Cell<isize>) {
    count.set(count.get().wrapping_add(1));
}

impl LruCacheWrapper {
    fn key(&self, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        let named = kwnames.map_or(0, Tuple::len);
        if !self.typed && named == 0 {
            if let [only] = args {
                if only.downcast_exact::<Str>().is_some() || only.downcast_exact::<Int>().is_some() {
                    return Ok(only.to_ref());
                }
            }
            return Ok(Tuple::from_slice(args, vm).into_object());
        }
        let (positional, values) = args.split_at(args.len().saturating_sub(named));
        let mut items: Vec<ObjRef> = positional.iter().map(|item| item.to_ref()).collect();
        if let Some(names) = kwnames.filter(|names| !names.is_empty()) {
            items.push(keyword_mark(vm)?);
            for (name, value) in names.as_slice().iter().zip(values) {
                items.push(name.clone());
                items.push(value.to_ref());
            }
        }
        if self.typed {
            items.extend(args.iter().map(|item| item.ob_type().as_object().to_ref()));
        }
        Ok(vm.new_tuple(items).into_object())
    }

    fn call(&self, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        match self.kind {
            Kind::Uncached => {
                bump(&self.misses);
                self.function.call_kw(args, kwnames, vm)
            }
            Kind::Infinite => self.call_infinite(args, kwnames, vm),
            Kind::Bounded(limit) => self.call_bounded(limit, args, kwnames, vm),
        }
    }

    fn call_infinite(&self, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        let key = self.key(args, kwnames, vm)?;
        let hash = key.hash(vm)?;
        if let Some(result) = self.cache.get_item_hash(&key, hash, vm)? {
            bump(&self.hits);
            return Ok(result);
        }
        bump(&self.misses);
        let result = self.function.call_kw(args, kwnames, vm)?;
        self.cache.set_item_hash(&key, hash, result.clone(), vm)?;
        Ok(result)
    }

    /// The place of a key in the order of use.
    fn place(&self, key: &Object, hash: isize, vm: &Vm) -> PyResult<Option<usize>> {
        let found = self.cache.get_item_hash(key, hash, vm)?;
        Ok(found.and_then(|at| at.downcast_ref::<Int>().and_then(Int::to_u64)).map(|at| at as usize))
    }

    fn call_bounded(&self, limit: usize, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult {
        let key = self.key(args, kwnames, vm)?;
        let hash = key.hash(vm)?;
        if let Some(at) = self.place(&key, hash, vm)? {
            if let Some(result) = self.links.borrow_mut().touch(at) {
                bump(&self.hits);
                return Ok(result);
            }
        }
        bump(&self.misses);
        let result = self.function.call_kw(args, kwnames, vm)?;
        // The function may have called itself with the same arguments.
        if self.place(&key, hash, vm)?.is_some() {
            return Ok(result);
        }
        let oldest = {
            let links = self.links.borrow();
            let at = links.oldest;
            let oldest = links.links.get(at).and_then(Option::as_ref).map(|l| (at, l.key.clone(), l.hash));
            oldest.filter(|_| self.cache.len() >= limit)
        };
        if let Some((at, old_key, old_hash)) = oldest {
            // Out of the order while Python code may run, so that nobody else takes it.
            self.links.borrow_mut().part(at);
            let popped = match self.cache.pop_hash(&old_key, old_hash, vm) {
                Ok(popped) => popped,
                Err(raised) => {
                    self.links.borrow_mut().join_as_oldest(at);
                    return Err(raised);
                }
            };
            let gone = self.links.borrow_mut().release(at);
            if popped.is_some() {
                self.insert(&key, hash, &result, vm)?;
            }
            drop(gone);
            return Ok(result);
        }
        self.insert(&key, hash, &result, vm)?;
        Ok(result)
    }

    fn insert(&self, key: &Object, hash: isize, result: &ObjRef, vm: &Vm) -> PyResult<()> {
        let at = self.links.borrow_mut().append(key.to_ref(), hash, result.clone());
        if let Err(raised) = self.cache.set_item_hash(key, hash, vm.new_int(at), vm) {
            let gone = {
                let mut links = self.links.borrow_mut();
                links.part(at);
                links.release(at)
            };
            drop(gone);
            return Err(raised);
        }
        Ok(())
    }
}

unsafe extern "C" fn call_wrapper(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    let (vm, wrapper, names, all) = unsafe {
        let names = kwnames.as_ref().map(|names| names.cast::<Tuple>());
        let all = arg_slice(args, (nargsf & !ARGUMENTS_OFFSET) + names.map_or(0, Tuple::len));
        (Vm::current(), (*callable).cast::<LruCacheWrapper>(), names, all)
    };
    to_c(wrapper.call(all, names, vm))
}

/// Create a cached callable that wraps another function.
///
/// user_function:      the function being cached
///
/// maxsize:  0         for no caching
///           None      for unlimited cache size
///           n         for a bounded cache
///
/// typed:    False     cache f(3) and f(3.0) as identical calls
///           True      cache f(3) and f(3.0) as distinct calls
///
/// cache_info_type:    namedtuple class with the fields:
///                         hits misses currsize maxsize
#[pytype(
    name = "functools._lru_cache_wrapper",
    flags(METHOD_DESCRIPTOR),
    gc,
    dict = dict,
    weakrefs = weakrefs,
    vectorcall = vectorcall
)]
impl LruCacheWrapper {
    #[new("!(user_function, maxsize, typed, cache_info_type)")]
    fn new(
        cls: &Type,
        user_function: &Object,
        maxsize: &Object,
        typed: bool,
        cache_info_type: &Object,
        vm: &Vm,
    ) -> PyResult {
        if !user_function.is_callable() {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let kind = if vm.is_none(maxsize) {
            Kind::Infinite
        } else if maxsize.has_index() {
            match usize::try_from(maxsize.as_isize(vm)?).unwrap_or(0) {
                0 => Kind::Uncached,
                limit => Kind::Bounded(limit),
            }
        } else {
            return Err(vm.type_error("maxsize should be integer or None"));
        };
        vm.new_instance(
            cls,
            LruCacheWrapper {
                ob: Object::new(Self::type_object()),
                dict: Slot::empty(),
                weakrefs: WeakList::new(),
                function: user_function.to_ref(),
                cache: vm.new_dict(),
                cache_info_type: cache_info_type.to_ref(),
                links: RefCell::default(),
                kind,
                typed,
                hits: Cell::new(0),
                misses: Cell::new(0),
                vectorcall: Cell::new(Some(call_wrapper)),
            },
        )
    }

    /// Report cache statistics
    #[method("($self, /)")]
    fn cache_info(&self, vm: &Vm) -> PyResult {
        let maxsize = match self.kind {
            Kind::Uncached => vm.new_int(0),
            Kind::Infinite => vm.none(),
            Kind::Bounded(limit) => vm.new_int(limit),
        };
        let (hits, misses) = (vm.new_int(self.hits.get()), vm.new_int(self.misses.get()));
        self.cache_info_type.call(&[&hits, &misses, &maxsize, &vm.new_int(self.cache.len())], vm)
    }

    /// Clear the cache and cache statistics
    #[method("($self, /)")]
    fn cache_clear(&self, vm: &Vm) {
        self.hits.set(0);
        self.misses.set(0);
        let gone = std::mem::take(&mut *self.links.borrow_mut());
        Dict::clear(&self.cache, vm);
        drop(gone);
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        self.as_object().get_attr(vm.ids().__qualname__, vm)
    }

    #[method("!($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("!($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        taipan_vm::builtins::dict::managed::instance_dict(self.as_object(), vm)
    }

    #[setter]
    fn set___dict__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if value.is_none() {
            return Err(vm.type_error("cannot delete __dict__"));
        }
        taipan_vm::builtins::dict::managed::set_instance_dict(self.as_object(), value, vm)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let entries = kwargs.map(Dict::items_vec).unwrap_or_default();
        if entries.is_empty() {
            return self.call(borrow_all(args.as_slice()), None, vm);
        }
        let names = vm.new_tuple(entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        let mut all = args.as_slice().to_vec();
        all.extend(entries.into_iter().map(|(_, value)| value));
        self.call(borrow_all(&all), Some(&names), vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> ObjRef {
        match object.filter(|object| !vm.is_none(object)) {
            None => self.as_object().to_ref(),
            Some(object) => Method::new(self.as_object().to_ref(), object.to_ref(), vm).into_object(),
        }
    }
}
