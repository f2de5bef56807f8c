//! `_abc`: what `abc.ABCMeta` is made of (PEP 3119).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use taipan_vm::builtins::type_::lookup::{mro, type_dict, type_modified};
use taipan_vm::builtins::weakref::{WeakReference, new_reference};

use taipan_vm::prelude::*;

/// The module.
pub struct Abc;

/// Classes that are held weakly, by their addresses.
#[derive(Default)]
struct WeakClasses {
    classes: HashMap<usize, Ref<WeakReference>>,
    /// The size at which the dead are looked for.
    limit: usize,
}

fn address(cls: &Object) -> usize {
    cls.as_ptr() as usize
}

impl WeakClasses {
    fn contains(&self, cls: &Object) -> bool {
        // A dead class's address may be another's by now.
        self.classes.get(&address(cls)).is_some_and(|reference| !reference.is_dead())
    }

    fn purge(&mut self) {
        if self.classes.len() >= self.limit {
            self.classes.retain(|_, reference| !reference.is_dead());
            self.limit = (self.classes.len() * 2).max(16);
        }
    }
}

fn add(to: &RefCell<WeakClasses>, cls: &Object, vm: &Vm) -> PyResult<()> {
    let reference = new_reference(WeakReference::type_object(), cls, None, vm)?;
    if let Ok(reference) = reference.downcast::<WeakReference>() {
        let mut to = to.borrow_mut();
        to.purge();
        to.classes.insert(address(cls), reference);
    }
    Ok(())
}

fn living(of: &RefCell<WeakClasses>) -> Vec<Ref<WeakReference>> {
    of.borrow().classes.values().filter(|reference| !reference.is_dead()).cloned().collect()
}

#[derive(Default)]
struct State {
    /// Grows with every registration; negative answers older than it don't count.
    invalidations: Cell<u64>,
}

/// What an abstract base class knows: who registered, and earlier answers.
#[repr(C)]
#[derive(Traverse)]
pub struct AbcData {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    registry: RefCell<WeakClasses>,
    #[traverse(skip)]
    cache: RefCell<WeakClasses>,
    #[traverse(skip)]
    negative: RefCell<WeakClasses>,
    #[traverse(skip)]
    negative_version: Cell<u64>,
}

/// Internal state held by ABC machinery.
#[pytype(name = "_abc._abc_data", gc)]
impl AbcData {
    #[slot]
    fn tp_new(_cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> ObjRef {
        AbcData::make(vm).into_object()
    }
}

impl AbcData {
    fn make(vm: &Vm) -> Ref<AbcData> {
        vm.new_object(AbcData {
            ob: Object::new(Self::type_object()),
            registry: RefCell::default(),
            cache: RefCell::default(),
            negative: RefCell::default(),
            negative_version: Cell::new(vm.interp().state::<State>().invalidations.get()),
        })
    }

    fn of(cls: &Object, vm: &Vm) -> PyResult<Ref<AbcData>> {
        cls.get_attr(vm.ids()._abc_impl, vm)?
            .downcast::<AbcData>()
            .map_err(|_| vm.type_error("_abc_impl is set to a wrong type"))
    }

    fn forget(which: &RefCell<WeakClasses>) {
        let gone = std::mem::take(&mut *which.borrow_mut());
        drop(gone);
    }
}

const COLLECTION_FLAGS: u64 = TypeFlags::SEQUENCE | TypeFlags::MAPPING;

fn is_abstract(value: &Object, vm: &Vm) -> PyResult<bool> {
    match value.lookup_attr(vm.ids().__isabstractmethod__, vm)? {
        Some(flag) => flag.is_true(vm),
        None => Ok(false),
    }
}

/// The names of methods that a class must still define.
fn abstract_methods(cls: &Object, vm: &Vm) -> PyResult {
    let names = Set::new(vm);
    let own = cls.get_attr(vm.ids().__dict__, vm)?;
    for item in own.call_method(vm.ids().items, &[], vm)?.collect_iterable(vm)? {
        let Some([name, value]) = item.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
            return Err(vm.type_error("Iteration over items() returned item which is not a pair"));
        };
        if is_abstract(value, vm)? {
            names.add(name, vm)?;
        }
    }
    let bases = cls.get_attr(vm.ids().__bases__, vm)?;
    let Some(bases) = bases.downcast_ref::<Tuple>() else {
        return Err(vm.type_error("__bases__ is not tuple"));
    };
    for base in bases.as_slice() {
        let Some(inherited) = base.lookup_attr(vm.ids().__abstractmethods__, vm)? else { continue };
        for name in inherited.collect_iterable(vm)? {
            let Some(text) = name.downcast_ref::<Str>() else {
                return Err(vm.type_error("attribute name must be string"));
            };
            if let Some(value) = cls.lookup_attr(text, vm)? {
                if is_abstract(&value, vm)? {
                    names.add(&name, vm)?;
                }
            }
        }
    }
    Ok(taipan_vm::builtins::set::FrozenSet::from_iterable(names.as_object(), vm)?.into_object())
}

/// Makes a class and its subclasses sequences, mappings or neither for `match`.
fn set_collection_flags(cls: &Type, flags: u64, vm: &Vm) {
    if cls.has_flag(TypeFlags::IMMUTABLETYPE) || cls.tp_flags.get() & COLLECTION_FLAGS == flags {
        return;
    }
    cls.clear_flag(COLLECTION_FLAGS);
    cls.set_flag(flags);
    type_modified(cls, vm);
    for sub in vm.interp().types.subclasses_of(cls) {
        set_collection_flags(&sub, flags, vm);
    }
}

/// Module contains faster implementation of abc.ABCMeta
#[pymodule(name = "_abc")]
impl Abc {
    /// Returns the current ABC cache token.
    ///
    /// The token is an opaque object (supporting equality testing) identifying
    /// the current version of the ABC cache for virtual subclasses.  The token
    /// changes with every call to register() on any ABC.
    #[function("($module, /)")]
    fn get_cache_token(vm: &Vm) -> u64 {
        vm.interp().state::<State>().invalidations.get()
    }

    /// Internal ABC helper for class set-up. Should be never used outside abc module.
    #[function("($module, self, /)")]
    fn _abc_init(cls: &Object, vm: &Vm) -> PyResult<()> {
        let names = abstract_methods(cls, vm)?;
        cls.set_attr(vm.ids().__abstractmethods__, &names, vm)?;
        cls.set_attr(vm.ids()._abc_impl, AbcData::make(vm).as_object(), vm)?;
        let Some(tp) = cls.downcast_ref::<Type>() else { return Ok(()) };
        let name = vm.ids().__abc_tpflags__;
        let Some(flags) = type_dict(tp).map(|dict| dict.get_str(name, vm)).transpose()?.flatten() else {
            return Ok(());
        };
        if let Some(flags) = flags.downcast_exact::<Int>().and_then(Int::to_i64) {
            let flags = flags as u64 & COLLECTION_FLAGS;
            if flags == COLLECTION_FLAGS {
                return Err(vm.type_error(
                    "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING",
                ));
            }
            tp.set_flag(flags);
        }
        cls.del_attr(name, vm)
    }

    /// Internal ABC helper for subclasss registration. Should be never used outside abc module.
    #[function("($module, self, subclass, /)")]
    fn _abc_register(cls: &Object, subclass: &Object, vm: &Vm) -> PyResult {
        let Some(registered) = subclass.downcast_ref::<Type>() else {
            return Err(vm.type_error("Can only register classes"));
        };
        if subclass.is_subclass(cls, vm)? {
            return Ok(subclass.to_ref());
        }
        if cls.is_subclass(subclass, vm)? {
            return Err(vm.runtime_error("Refusing to create an inheritance cycle"));
        }
        let data = AbcData::of(cls, vm)?;
        add(&data.registry, subclass, vm)?;
        let count = &vm.interp().state::<State>().invalidations;
        count.set(count.get().wrapping_add(1));
        if let Some(cls) = cls.downcast_ref::<Type>() {
            let flags = cls.tp_flags.get() & COLLECTION_FLAGS;
            if flags != 0 {
                set_collection_flags(registered, flags, vm);
            }
        }
        Ok(subclass.to_ref())
    }

    /// Internal ABC helper for instance checks. Should be never used outside abc module.
    #[function("($module, self, instance, /)")]
    fn _abc_instancecheck(cls: &Object, instance: &Object, vm: &Vm) -> PyResult {
        let data = AbcData::of(cls, vm)?;
        let subtype = instance.ob_type().as_object().to_ref();
        let subclass = instance.lookup_attr(vm.ids().__class__, vm)?.unwrap_or_else(|| subtype.clone());
        if data.cache.borrow().contains(&subclass) {
            return Ok(vm.new_bool(true));
        }
        if subtype.is(&subclass) {
            let current = vm.interp().state::<State>().invalidations.get();
            if data.negative_version.get() == current && data.negative.borrow().contains(&subclass) {
                return Ok(vm.new_bool(false));
            }
            return cls.call_method(vm.ids().__subclasscheck__, &[&subclass], vm);
        }
        let result = cls.call_method(vm.ids().__subclasscheck__, &[&subclass], vm)?;
        if result.is_true(vm)? {
            return Ok(result);
        }
        cls.call_method(vm.ids().__subclasscheck__, &[&subtype], vm)
    }

    /// Internal ABC helper for subclasss checks. Should be never used outside abc module.
    #[function("($module, self, subclass, /)")]
    fn _abc_subclasscheck(cls: &Object, subclass: &Object, vm: &Vm) -> PyResult<bool> {
        let Some(derived) = subclass.downcast_ref::<Type>() else {
            return Err(vm.type_error("issubclass() arg 1 must be a class"));
        };
        let data = AbcData::of(cls, vm)?;
        if data.cache.borrow().contains(subclass) {
            return Ok(true);
        }
        let current = vm.interp().state::<State>().invalidations.get();
        if data.negative_version.get() < current {
            AbcData::forget(&data.negative);
            data.negative_version.set(current);
        } else if data.negative.borrow().contains(subclass) {
            return Ok(false);
        }
        let answer = cls.call_method(vm.ids().__subclasshook__, &[subclass], vm)?;
        if answer.is(vm.true_ref()) {
            add(&data.cache, subclass, vm)?;
            return Ok(true);
        }
        if answer.is(vm.false_ref()) {
            add(&data.negative, subclass, vm)?;
            return Ok(false);
        }
        if !vm.is_not_implemented(&answer) {
            return Err(
                vm.assertion_error("__subclasshook__ must return either False, True, or NotImplemented")
            );
        }
        if mro(derived).iter().any(|base| base.is(cls)) {
            add(&data.cache, subclass, vm)?;
            return Ok(true);
        }
        if data.registry.borrow().contains(subclass) {
            return Ok(true);
        }
        for registered in living(&data.registry) {
            let Some(registered) = registered.get() else { continue };
            if subclass.is_subclass(&registered, vm)? {
                add(&data.cache, subclass, vm)?;
                return Ok(true);
            }
        }
        let subclasses = cls.call_method(vm.ids().__subclasses__, &[], vm)?;
        let Some(subclasses) = subclasses.downcast_ref::<List>() else {
            return Err(vm.type_error("__subclasses__() must return a list"));
        };
        let mut at = 0;
        while let Some(one) = subclasses.get(at) {
            at += 1;
            if subclass.is_subclass(&one, vm)? {
                add(&data.cache, subclass, vm)?;
                return Ok(true);
            }
        }
        add(&data.negative, subclass, vm)?;
        Ok(false)
    }

    /// Internal ABC helper for cache and registry debugging.
    ///
    /// Return shallow copies of registry, of both caches, and
    /// negative cache version. Don't call this function directly,
    /// instead use ABC._dump_registry() for a nice repr.
    #[function("($module, self, /)")]
    fn _get_dump(cls: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let data = AbcData::of(cls, vm)?;
        let mut parts = Vec::with_capacity(4);
        for which in [&data.registry, &data.cache, &data.negative] {
            let set = Set::new(vm);
            for reference in living(which) {
                set.add(reference.as_object(), vm)?;
            }
            parts.push(set.into_object());
        }
        parts.push(vm.new_int(data.negative_version.get()));
        Ok(vm.new_tuple(parts))
    }

    /// Internal ABC helper to reset registry of a given class.
    ///
    /// Should be only used by refleak.py
    #[function("($module, self, /)")]
    fn _reset_registry(cls: &Object, vm: &Vm) -> PyResult<()> {
        AbcData::forget(&AbcData::of(cls, vm)?.registry);
        Ok(())
    }

    /// Internal ABC helper to reset both caches of a given class.
    ///
    /// Should be only used by refleak.py
    #[function("($module, self, /)")]
    fn _reset_caches(cls: &Object, vm: &Vm) -> PyResult<()> {
        let data = AbcData::of(cls, vm)?;
        AbcData::forget(&data.cache);
        AbcData::forget(&data.negative);
        Ok(())
    }
}
