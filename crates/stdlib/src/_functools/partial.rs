//! `partial`.

use std::cell::Cell;

use taipan_object::typeobject::VectorcallFunc;
use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::builtins::type_::full_name;
use taipan_vm::protocols::native::{arg_slice, borrow_all, to_c};

use super::placeholder::is_placeholder;
use taipan_vm::prelude::*;

const ARGUMENTS_OFFSET: usize = taipan_vm::protocols::call::ARGUMENTS_OFFSET;

/// The layout of `partial`.
#[repr(C)]
#[derive(Traverse)]
pub struct Partial {
    #[traverse(skip)]
    ob: Object,
    func: Slot<Object>,
    args: Slot<Tuple>,
    keywords: Slot<Dict>,
    dict: Slot<Object>,
    #[traverse(skip)]
    weakrefs: WeakList,
    /// How many of the arguments are placeholders.
    #[traverse(skip)]
    open: Cell<usize>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

fn is_open(item: &ObjRef) -> bool {
    is_placeholder(item)
}

/// `old` with its placeholders filled from `new`, which follow otherwise.
fn filled(old: &[ObjRef], new: &[&Object]) -> Vec<ObjRef> {
    let mut new = new.iter().copied();
    let mut all = Vec::with_capacity(old.len() + new.len());
    for item in old {
        let value = if is_open(item) { new.next() } else { None };
        all.push(value.map_or_else(|| item.clone(), Object::to_ref));
    }
    all.extend(new.map(Object::to_ref));
    all
}

fn uninitialized(vm: &Vm) -> Raised {
    vm.type_error("partial object has not been initialized")
}

impl Partial {
    fn parts(&self, vm: &Vm) -> PyResult<(ObjRef, Ref<Tuple>, Ref<Dict>)> {
        match (self.func.get(), self.args.get(), self.keywords.get()) {
            (Some(func), Some(args), Some(keywords)) => Ok((func, args, keywords)),
            // Only the collector takes them away.
            _ => Err(uninitialized(vm)),
        }
    }

    fn call(&self, positional: &[&Object], kwnames: Option<&Tuple>, values: &[&Object], vm: &Vm) -> PyResult {
        let (func, args, keywords) = self.parts(vm)?;
        if positional.len() < self.open.get() {
            return Err(vm.type_error(format!(
                "missing positional arguments in 'partial' call; expected at least {}, got {}",
                self.open.get(),
                positional.len()
            )));
        }
        let named = kwnames.map_or(0, Tuple::len);
        let merged;
        let mut all = smallvec::SmallVec::<[&Object; 8]>::new();
        let mut new = positional.iter().copied();
        for item in args.as_slice() {
            match if self.open.get() > 0 && is_open(item) { new.next() } else { None } {
                Some(value) => all.push(value),
                None => all.push(item),
            }
        }
        all.extend(new);
        if keywords.is_empty() {
            all.extend_from_slice(values);
            return func.call_kw(&all, kwnames.filter(|_| named > 0), vm);
        }
        // A dict of its own: the call may change ours.
        let union = keywords.copy(vm);
        for (name, value) in KwArgs::new(kwnames, values).iter() {
            union.set_str(name, value, vm)?;
        }
        merged = union.items_vec();
        let names = vm.new_tuple(merged.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        all.extend(merged.iter().map(|(_, value)| &**value));
        func.call_kw(&all, Some(&names), vm)
    }
}

unsafe extern "C" fn call_partial(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    let (vm, partial, names, all, count) = unsafe {
        let names = kwnames.as_ref().map(|names| names.cast::<Tuple>());
        let count = nargsf & !ARGUMENTS_OFFSET;
        let all = arg_slice(args, count + names.map_or(0, Tuple::len));
        (Vm::current(), (*callable).cast::<Partial>(), names, all, count)
    };
    let (positional, values) = all.split_at(count);
    to_c(partial.call(positional, names, values, vm))
}

/// Create a new function with partial application of the given arguments and keywords.
#[pytype(
    name = "functools.partial",
    text_signature = "(func, /, *args, **keywords)",
    flags(BASETYPE, METHOD_DESCRIPTOR),
    gc,
    dict = dict,
    weakrefs = weakrefs,
    vectorcall = vectorcall,
    members(
        func: OBJECT = func, readonly "function object to use in future partial calls";
        args: OBJECT = args, readonly "tuple of arguments to future partial calls";
        keywords: OBJECT = keywords, readonly "dictionary of keyword arguments to future partial calls"
    )
)]
impl Partial {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let Some((func, new_args)) = args.as_slice().split_first() else {
            return Err(vm.type_error("type 'partial' takes at least one argument"));
        };
        if !func.is_callable() {
            return Err(vm.type_error("the first argument must be callable"));
        }
        if new_args.last().is_some_and(is_open) {
            return Err(vm.type_error("trailing Placeholders are not allowed"));
        }
        let mut at = 0;
        while let Some((_, value)) = kwargs.and_then(|kwargs| kwargs.next_entry(&mut at)) {
            if is_placeholder(&value) {
                return Err(vm.type_error("Placeholder cannot be passed as a keyword argument"));
            }
        }
        // A partial of a partial becomes one, unless the inner one has attributes of its own.
        let inner = func.downcast_ref::<Partial>().filter(|inner| {
            let call = |tp: &Type| tp.tp_call.get().map(|call| call as usize);
            inner.dict.is_none() && call(func.ob_type()) == call(Partial::type_object())
        });
        let (func, old_args, old_keywords) = match inner {
            Some(inner) => {
                let (func, args, keywords) = inner.parts(vm)?;
                (func, Some(args), Some(keywords))
            }
            None => (func.clone(), None, None),
        };
        let old = old_args.as_ref().map_or(&[][..], |args| args.as_slice());
        let all = filled(old, borrow_all(new_args));
        let open = all.iter().filter(|item| is_open(item)).count();
        let keywords = match old_keywords.filter(|keywords| !keywords.is_empty()) {
            Some(old) => {
                let merged = old.copy(vm);
                if let Some(kwargs) = kwargs {
                    merged.update_from(kwargs.as_object(), true, vm)?;
                }
                merged
            }
            None => kwargs.map_or_else(|| vm.new_dict(), |kwargs| kwargs.copy(vm)),
        };
        vm.new_instance(
            cls,
            Partial {
                ob: Object::new(Self::type_object()),
                func: Slot::of(func),
                args: Slot::of(vm.new_tuple(all)),
                keywords: Slot::of(keywords),
                dict: Slot::empty(),
                weakrefs: WeakList::new(),
                open: Cell::new(open),
                vectorcall: Cell::new(Some(call_partial)),
            },
        )
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (func, args, keywords) = self.parts(vm)?;
        let cls = self.as_object().ob_type().as_object().to_ref();
        let dict = self.dict.get().unwrap_or_else(|| vm.none());
        let state = vm.new_tuple([func.clone(), args.into_object(), keywords.into_object(), dict]);
        Ok(vm.new_tuple([cls, vm.new_tuple([func]).into_object(), state.into_object()]))
    }

    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let invalid = || vm.type_error("invalid partial state");
        let state = state.downcast_ref::<Tuple>().ok_or_else(invalid)?;
        let [func, args, keywords, dict] = state.as_slice() else { return Err(invalid()) };
        let Some(given) = args.downcast_ref::<Tuple>() else { return Err(invalid()) };
        let given_keywords = keywords.downcast_ref::<Dict>();
        let has_dict = vm.is_none(dict) || dict.downcast_ref::<Dict>().is_some();
        if !func.is_callable() || !has_dict || (given_keywords.is_none() && !vm.is_none(keywords)) {
            return Err(invalid());
        }
        if given.as_slice().last().is_some_and(is_open) {
            return Err(vm.type_error("trailing Placeholders are not allowed"));
        }
        let args = Tuple::from_iterable(args, vm)?;
        let keywords = match given_keywords {
            None => vm.new_dict(),
            Some(exact) if exact.is_exact() => exact.into(),
            Some(other) => other.copy(vm),
        };
        self.open.set(args.as_slice().iter().filter(|item| is_open(item)).count());
        self.func.put(func.clone());
        self.args.put(args);
        self.keywords.put(keywords);
        self.dict.set(Some(dict.clone()).filter(|dict| !vm.is_none(dict)));
        Ok(())
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), item, vm)
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
        let names = vm.new_tuple(entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        let values: Vec<&Object> = entries.iter().map(|(_, value)| &**value).collect();
        self.call(borrow_all(args.as_slice()), Some(&names), &values, vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> ObjRef {
        match object.filter(|object| !vm.is_none(object)) {
            None => self.as_object().to_ref(),
            Some(object) => Method::new(self.as_object().to_ref(), object.to_ref(), vm).into_object(),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else { return Ok(vm.new_str("...")) };
        let (func, args, keywords) = self.parts(vm)?;
        let mut text = StrBuilder::new();
        text.push_str(&full_name(self.as_object().ob_type(), vm)?);
        text.push_str("(");
        text.push(&*func.repr(vm)?);
        for item in args.as_slice() {
            text.push_str(", ");
            text.push(&*item.repr(vm)?);
        }
        for (name, value) in keywords.items_vec() {
            text.push_str(", ");
            text.push(&*name.str(vm)?);
            text.push_str("=");
            text.push(&*value.repr(vm)?);
        }
        text.push_str(")");
        Ok(text.finish(vm))
    }
}
