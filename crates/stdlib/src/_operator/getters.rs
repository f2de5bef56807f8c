//! `itemgetter` and `attrgetter`.

use std::cell::Cell;

use taipan_object::typeobject::VectorcallFunc;
use taipan_vm::builtins::dict::repr_guard::ReprGuard;
use taipan_vm::protocols::native::{arg_slice, to_c};

use super::{first_and_rest, sole_argument};
use taipan_vm::prelude::*;

const ARGUMENTS_OFFSET: usize = taipan_vm::protocols::call::ARGUMENTS_OFFSET;

/// The layout of `itemgetter`.
#[repr(C)]
#[derive(Traverse)]
pub struct ItemGetter {
    #[traverse(skip)]
    ob: Object,
    /// What is fetched.
    items: Ref<Tuple>,
    /// A lone small non-negative index, for tuples.
    #[traverse(skip)]
    index: Option<usize>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

impl ItemGetter {
    fn fetch(&self, object: &Object, vm: &Vm) -> PyResult {
        if let [item] = self.items.as_slice() {
            if let (Some(index), Some(tuple)) = (self.index, object.downcast_exact::<Tuple>()) {
                if let Some(found) = tuple.get(index) {
                    return Ok(found.to_ref());
                }
            }
            return object.get_item(item, vm);
        }
        let mut found = Vec::with_capacity(self.items.len());
        for item in self.items.as_slice() {
            found.push(object.get_item(item, vm)?);
        }
        Ok(vm.new_tuple(found).into_object())
    }
}

/// The one positional argument of a vectorcall, or the error that tells what is wrong.
///
/// # Safety
/// The arguments are those of a vectorcall.
unsafe fn sole<'a>(
    name: &str,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
    vm: &Vm,
) -> PyResult<&'a Object> {
    // SAFETY: passed on to the caller.
    let (given, names) = unsafe {
        let names = kwnames.as_ref().map(|names| names.cast::<Tuple>());
        (arg_slice(args, nargsf & !ARGUMENTS_OFFSET), names)
    };
    if names.is_some_and(|names| !names.is_empty()) {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match given {
        [only] => Ok(only),
        more => Err(vm.type_error(format!("{name} expected 1 argument, got {}", more.len()))),
    }
}

unsafe extern "C" fn call_item_getter(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    unsafe {
        let (vm, getter) = (Vm::current(), (*callable).cast::<ItemGetter>());
        to_c(sole("itemgetter", args, nargsf, kwnames, vm).and_then(|object| getter.fetch(object, vm)))
    }
}

/// itemgetter(item, /, *items)
/// --
///
/// Return a callable object that fetches the given item(s) from its operand.
/// After f = itemgetter(2), the call f(r) returns r[2].
/// After g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])
#[pytype(name = "operator.itemgetter", gc, vectorcall = vectorcall)]
impl ItemGetter {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let (first, rest) = first_and_rest("itemgetter", args, kwargs, vm)?;
        let index = first.downcast_exact::<Int>().and_then(Int::to_i64).filter(|_| rest.is_empty());
        let made = vm.new_object(ItemGetter {
            ob: Object::new(Self::type_object()),
            items: args.into(),
            index: index.and_then(|index| usize::try_from(index).ok()),
            vectorcall: Cell::new(Some(call_item_getter)),
        });
        Ok(made.into_object())
    }

    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        vm.new_tuple([cls, self.items.clone().into_object()])
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.fetch(sole_argument("itemgetter", args, kwargs, vm)?, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), &self.items, vm)
    }
}

/// `type(arg, arg…)`.
fn show(getter: &Object, args: &Tuple, vm: &Vm) -> PyResult<Ref<Str>> {
    let name = vm.new_str(getter.ob_type().tp_name_str());
    let Some(_guard) = ReprGuard::enter(getter, vm) else { return name.concat(&vm.new_str("(...)"), vm) };
    match args.as_slice() {
        [only] => {
            name.concat(&vm.new_str("("), vm)?.concat(&*only.repr(vm)?, vm)?.concat(&vm.new_str(")"), vm)
        }
        _ => name.concat(&*args.as_object().repr(vm)?, vm),
    }
}

/// The layout of `attrgetter`.
#[repr(C)]
#[derive(Traverse)]
pub struct AttrGetter {
    #[traverse(skip)]
    ob: Object,
    /// The names as given.
    names: Ref<Tuple>,
    /// Each name taken apart at its dots.
    paths: Vec<Vec<Ref<Str>>>,
    #[traverse(skip)]
    vectorcall: Cell<Option<VectorcallFunc>>,
}

/// A name's parts, interned.
fn split_at_dots(name: &Str, vm: &Vm) -> PyResult<Vec<Ref<Str>>> {
    let dots: Vec<usize> = name
        .data()
        .iter()
        .enumerate()
        .filter(|(_, code)| *code == u32::from('.'))
        .map(|(at, _)| at)
        .collect();
    let mut parts = Vec::with_capacity(dots.len() + 1);
    let mut start = 0;
    for end in dots.into_iter().chain([name.len()]) {
        parts.push(Str::intern(name.slice(start, end, vm)?, vm));
        start = end + 1;
    }
    Ok(parts)
}

fn follow(object: &Object, path: &[Ref<Str>], vm: &Vm) -> PyResult {
    let mut at = object.to_ref();
    for part in path {
        at = at.get_attr(part, vm)?;
    }
    Ok(at)
}

impl AttrGetter {
    fn fetch(&self, object: &Object, vm: &Vm) -> PyResult {
        if let [path] = self.paths.as_slice() {
            return follow(object, path, vm);
        }
        let mut found = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            found.push(follow(object, path, vm)?);
        }
        Ok(vm.new_tuple(found).into_object())
    }
}

unsafe extern "C" fn call_attr_getter(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    unsafe {
        let (vm, getter) = (Vm::current(), (*callable).cast::<AttrGetter>());
        to_c(sole("attrgetter", args, nargsf, kwnames, vm).and_then(|object| getter.fetch(object, vm)))
    }
}

/// attrgetter(attr, /, *attrs)
/// --
///
/// Return a callable object that fetches the given attribute(s) from its operand.
/// After f = attrgetter('name'), the call f(r) returns r.name.
/// After g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).
/// After h = attrgetter('name.first', 'name.last'), the call h(r) returns
/// (r.name.first, r.name.last).
#[pytype(name = "operator.attrgetter", gc, vectorcall = vectorcall)]
impl AttrGetter {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        first_and_rest("attrgetter", args, kwargs, vm)?;
        let mut paths = Vec::with_capacity(args.len());
        for name in args.as_slice() {
            let Some(name) = name.downcast_ref::<Str>() else {
                return Err(vm.type_error("attribute name must be a string"));
            };
            paths.push(split_at_dots(name, vm)?);
        }
        let made = vm.new_object(AttrGetter {
            ob: Object::new(Self::type_object()),
            names: args.into(),
            paths,
            vectorcall: Cell::new(Some(call_attr_getter)),
        });
        Ok(made.into_object())
    }

    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        vm.new_tuple([cls, self.names.clone().into_object()])
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.fetch(sole_argument("attrgetter", args, kwargs, vm)?, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        show(self.as_object(), &self.names, vm)
    }
}
