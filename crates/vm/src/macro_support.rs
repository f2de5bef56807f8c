//! What the code that the attribute macros generate calls: argument parsing, result conversion, destruction.
//!
//! Generated trampolines are entered by the runtime's own callers only, on attached threads, with live objects of the
//! types that the tables promise; that is the reason behind each `unsafe` block in them.

use std::ffi::c_int;

use taipan_object::gc;

use crate::args::ArgName;
use crate::prelude::*;

pub use crate::protocols::native::{arg_slice, bool_to_c, hash_to_c, status_to_c, to_c};

/// Views the object behind a raw pointer as the layout that the function wants.
///
/// # Safety
/// `op` is a live object of that layout.
#[inline(always)]
pub unsafe fn receiver<'a, T: PyLayout>(op: *mut Object) -> &'a T {
    // SAFETY: passed on to the caller.
    unsafe { &*op.cast::<T>() }
}

/// `receiver` for pointers that may be null.
///
/// # Safety
/// As for `receiver` when `op` is not null.
#[inline(always)]
pub unsafe fn optional<'a, T: PyLayout>(op: *mut Object) -> Option<&'a T> {
    // SAFETY: passed on to the caller.
    unsafe { op.cast::<T>().as_ref() }
}

/// Converts one argument.
#[inline(always)]
pub fn convert<'a, T: FromArg<'a>>(given: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<T> {
    T::from_arg(given, what, vm)
}

/// An attribute name as `tp_getattro` gets it.
#[inline]
pub fn attr_name<'a>(name: *mut Object, vm: &Vm) -> PyResult<&'a Str> {
    // SAFETY: slots are called with live objects.
    let name = unsafe { &*name };
    name.downcast_ref::<Str>().ok_or_else(|| {
        vm.type_error(format!("attribute name must be string, not '{}'", name.ob_type().name()))
    })
}

/// The result of `tp_iternext`.
#[inline(always)]
pub fn next_to_c<R: IntoPy>(result: PyResult<Option<R>>, vm: &Vm) -> *mut Object {
    match result {
        Ok(Some(value)) => to_c(value.into_py(vm)),
        _ => std::ptr::null_mut(),
    }
}

/// The result of `sq_length` and `mp_length`.
#[inline(always)]
pub fn length_to_c(result: PyResult<usize>, vm: &Vm) -> isize {
    match result {
        Ok(length) => isize::try_from(length).unwrap_or_else(|_| {
            vm.overflow_error("cannot fit 'int' into an index-sized integer");
            -1
        }),
        Err(Raised) => -1,
    }
}

/// The result of `am_send`: -1 error, 0 returned, 1 yielded.
///
/// # Safety
/// `place` can be written.
#[inline(always)]
pub unsafe fn send_to_c(result: PyResult<SendResult>, place: *mut *mut Object) -> c_int {
    let (value, code) = match result {
        Ok(SendResult::Return(value)) => (value.into_raw(), 0),
        Ok(SendResult::Next(value)) => (value.into_raw(), 1),
        Err(Raised) => (std::ptr::null_mut(), -1),
    };
    // SAFETY: passed on to the caller.
    unsafe { *place = value };
    code
}

/// The parameters of a function that takes keywords.
#[allow(missing_docs)]
pub struct Params {
    pub func: &'static str,
    /// All named parameters: positional-only, positional-or-keyword, keyword-only.
    pub names: &'static [&'static str],
    /// For each name whether it has no default.
    pub needed: &'static [bool],
    pub positional_only: usize,
    pub positional: usize,
    /// How many positional parameters have no default.
    pub required: usize,
    /// How many keyword-only parameters have no default.
    pub required_keywords: usize,
    pub var_positional: bool,
    pub var_keyword: bool,
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Checks the number of arguments of a function that takes positional ones only.
#[inline(always)]
pub fn check_positional(
    func: &'static str,
    given: usize,
    least: usize,
    most: usize,
    vm: &Vm,
) -> PyResult<()> {
    if given >= least && given <= most { Ok(()) } else { Err(wrong_count(func, given, least, most, vm)) }
}

#[cold]
fn wrong_count(func: &str, given: usize, least: usize, most: usize, vm: &Vm) -> Raised {
    let (bound, count) = if least == most {
        ("", least)
    } else if given < least {
        ("at least ", least)
    } else {
        ("at most ", most)
    };
    let s = plural(count);
    if func.is_empty() {
        let bound = if bound.is_empty() { "exactly " } else { bound };
        return vm.type_error(format!("function takes {bound}{count} argument{s} ({given} given)"));
    }
    vm.type_error(format!("{func} expected {bound}{count} argument{s}, got {given}"))
}

/// What `#[new]` without keyword parameters refuses: keywords, and any argument when `positional` is false. A subclass with an
/// `__init__` of its own may take them.
#[inline(always)]
pub fn check_new(
    func: &'static str,
    cls: &Type,
    base: *const Type,
    positional: bool,
    nargs: usize,
    kwnames: *mut Object,
    vm: &Vm,
) -> PyResult<()> {
    if kwnames.is_null() && (positional || nargs == 0) {
        return Ok(());
    }
    // SAFETY: a static type.
    let inherited = unsafe { (*base).tp_init.get() };
    let own =
        std::ptr::eq(cls, base) || cls.tp_init.get().map(|f| f as usize) == inherited.map(|f| f as usize);
    refuse(own, func, positional, nargs, kwnames, vm)
}

/// `check_new` for `#[init]`, where it is a `__new__` of its own that lets a subclass take them.
#[inline(always)]
pub fn check_init(
    func: &'static str,
    zelf: *mut Object,
    base: *const Type,
    positional: bool,
    nargs: usize,
    kwnames: *mut Object,
    vm: &Vm,
) -> PyResult<()> {
    if kwnames.is_null() && (positional || nargs == 0) {
        return Ok(());
    }
    // SAFETY: slots are called with live objects; the base is a static type.
    let (cls, inherited) = unsafe { ((*zelf).ob_type(), (*base).tp_new.get()) };
    let own =
        std::ptr::eq(cls, base) || cls.tp_new.get().map(|f| f as usize) == inherited.map(|f| f as usize);
    refuse(own, func, positional, nargs, kwnames, vm)
}

#[cold]
fn refuse(
    own: bool,
    func: &str,
    positional: bool,
    nargs: usize,
    kwnames: *mut Object,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: null or a live tuple of names.
    let keywords = unsafe { optional::<Tuple>(kwnames) }.map_or(0, Tuple::len);
    if own && !positional && nargs > 0 {
        return Err(vm.type_error(format!("{func}() takes no positional arguments")));
    }
    if own && keywords > 0 {
        return Err(vm.type_error(format!("{func}() takes no keyword arguments")));
    }
    Ok(())
}

/// A function as error texts name it.
fn called(func: &str) -> String {
    if func.is_empty() { "function".to_owned() } else { format!("{func}()") }
}

/// Raises for a required argument that was not given; `position` counts all named parameters from 1.
#[cold]
pub fn missing(func: &str, name: &str, position: usize, vm: &Vm) -> Raised {
    vm.type_error(format!("{} missing required argument '{name}' (pos {position})", called(func)))
}

/// Checks the numbers of arguments, in the order in which they are told.
fn check_counts(params: &Params, nargs: usize, keywords: usize, vm: &Vm) -> PyResult<()> {
    let Params { func, positional, required, .. } = *params;
    let total = params.names.len();
    let closed = !params.var_positional;
    if closed && !params.var_keyword && nargs + keywords > total {
        if total == 0 {
            return Err(vm.type_error(format!("{} takes no arguments", called(func))));
        }
        let kind = if nargs == 0 { "keyword " } else { "" };
        let (s, given) = (plural(total), nargs + keywords);
        return Err(vm.type_error(format!(
            "{} takes at most {total} {kind}argument{s} ({given} given)",
            called(func)
        )));
    }
    if closed && nargs > positional {
        if positional == 0 {
            return Err(vm.type_error(format!("{} takes no positional arguments", called(func))));
        }
        let (bound, s) = (if required < positional { "at most" } else { "exactly" }, plural(positional));
        return Err(vm.type_error(format!(
            "{} takes {bound} {positional} positional argument{s} ({nargs} given)",
            called(func)
        )));
    }
    let least = params.positional_only.min(required);
    if nargs < least {
        let (bound, s) = (if least < positional { "at least" } else { "exactly" }, plural(least));
        return Err(vm.type_error(format!(
            "{} takes {bound} {least} positional argument{s} ({nargs} given)",
            called(func)
        )));
    }
    Ok(())
}

/// Sorts positional and keyword arguments into `found`. Gives back the surplus for `*args` and `**kwargs`. Every parameter
/// without a default is found when this succeeds.
///
/// # Safety
/// `args` holds `nargs` objects and the values of `kwnames`, which is null or a tuple of strings. All live for `'a`.
#[inline]
pub unsafe fn parse<'a>(
    params: &'static Params,
    args: *const *mut Object,
    nargs: usize,
    kwnames: *mut Object,
    found: &mut [Option<&'a Object>],
    vm: &Vm,
) -> PyResult<(&'a [&'a Object], KwArgs<'a>)> {
    let fits = nargs >= params.required && (params.var_positional || nargs <= params.positional);
    if kwnames.is_null() && fits && params.required_keywords == 0 {
        // SAFETY: passed on to the caller.
        let given = unsafe { arg_slice(args, nargs) };
        for (place, value) in found.iter_mut().zip(given.iter().take(params.positional)) {
            *place = Some(*value);
        }
        return Ok((given.get(params.positional..).unwrap_or_default(), KwArgs::new(None, &[])));
    }
    // SAFETY: passed on to the caller.
    unsafe { parse_keywords(params, args, nargs, kwnames, found, vm) }
}

#[inline(never)]
unsafe fn parse_keywords<'a>(
    params: &'static Params,
    args: *const *mut Object,
    nargs: usize,
    kwnames: *mut Object,
    found: &mut [Option<&'a Object>],
    vm: &Vm,
) -> PyResult<(&'a [&'a Object], KwArgs<'a>)> {
    // SAFETY: passed on to the caller.
    let names = unsafe { optional::<Tuple>(kwnames) };
    let keywords = names.map_or(&[][..], Tuple::as_slice);
    check_counts(params, nargs, keywords.len(), vm)?;
    // SAFETY: as above.
    let (given, values) = unsafe { arg_slice(args, nargs + keywords.len()) }.split_at(nargs);
    for (place, value) in found.iter_mut().zip(given.iter().take(params.positional)) {
        *place = Some(*value);
    }
    let rest = given.get(params.positional..).unwrap_or_default();
    if params.var_keyword && params.names.len() == params.positional_only {
        return Ok((rest, KwArgs::new(names, values)));
    }
    let mut surplus: Vec<usize> = Vec::new();
    let (mut twice, mut unknown) = (usize::MAX, None);
    for (at, (name, value)) in keywords.iter().zip(values).enumerate() {
        let Some(name) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error("keywords must be strings"));
        };
        let mut known = params.names.iter().zip(found.iter_mut()).enumerate().skip(params.positional_only);
        match known.find(|(_, (known, _))| name.eq_str(known)) {
            Some((place, (_, Some(_)))) => twice = twice.min(place),
            Some((_, (_, slot))) => *slot = Some(*value),
            None if params.var_keyword => surplus.push(at),
            None => unknown = unknown.or(Some(name)),
        }
    }
    let mut told = params.names.iter().zip(params.needed).zip(found.iter()).enumerate();
    if let Some((place, ((name, _), _))) = told.find(|(_, ((_, needed), found))| **needed && found.is_none())
    {
        return Err(missing(params.func, name, place + 1, vm));
    }
    if let Some(name) = params.names.get(twice) {
        let (func, position) = (params.func, twice + 1);
        return Err(vm.type_error(format!(
            "argument for {} given by name ('{name}') and position ({position})",
            called(func)
        )));
    }
    if let Some(name) = unknown {
        return Err(unexpected(params, name, vm));
    }
    Ok((
        rest,
        match names {
            Some(names) if surplus.len() < names.len() && !surplus.is_empty() => {
                KwArgs::chosen(names, values, surplus)
            }
            Some(names) if !surplus.is_empty() => KwArgs::new(Some(names), values),
            _ => KwArgs::new(None, &[]),
        },
    ))
}

#[cold]
fn unexpected(params: &Params, name: &Str, vm: &Vm) -> Raised {
    let (func, text) = (params.func, name.to_string_lossy());
    let known = params.names.get(params.positional_only..).unwrap_or_default();
    let hint = match crate::exceptions::suggestions::closest(&text, known) {
        Some(close) => format!(". Did you mean '{close}'?"),
        None => String::new(),
    };
    let called = if func.is_empty() { "this function".to_owned() } else { called(func) };
    vm.type_error(format!("{called} got an unexpected keyword argument '{text}'{hint}"))
}

/// What calling a type does after `#[new]`: the `__init__` that a base other than `object` hands down.
///
/// # Safety
/// `args` holds `nargs` objects and the values of `kwnames`, which is null or a tuple of strings.
#[inline]
pub unsafe fn init_after_new(
    cls: &Type,
    object: ObjRef,
    args: *const *mut Object,
    nargs: usize,
    kwnames: *mut Object,
    vm: &Vm,
) -> PyResult {
    // SAFETY: a static type that lives as long as the program.
    let plain = unsafe { taipan_object::typeobject::PyBaseObject_Type.tp_init.get() };
    match object.ob_type().tp_init.get() {
        Some(init)
            if plain.map(|f| f as usize) != Some(init as usize) && object.ob_type().is_subtype_of(cls) =>
        {
            // SAFETY: passed on to the caller.
            unsafe {
                let names = optional::<Tuple>(kwnames);
                let all = arg_slice(args, nargs + names.map_or(0, Tuple::len));
                let (positional, values) = all.split_at(nargs);
                let tuple = Tuple::from_slice(positional, vm);
                let dict = match names {
                    Some(names) if names.len() > 0 => Some(KwArgs::new(Some(names), values).to_dict(vm)?),
                    _ => None,
                };
                let kwargs = dict.as_ref().map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
                vm.status(init(object.as_raw(), tuple.as_object().as_ptr(), kwargs))?;
            }
            Ok(object)
        }
        _ => Ok(object),
    }
}

/// Calls `body` with a tuple and a dict spread into a vectorcall array.
///
/// # Safety
/// `args` is a live tuple; `kwargs` is null or a live dict.
#[inline]
pub unsafe fn spread(
    args: *mut Object,
    kwargs: *mut Object,
    body: impl FnOnce(*const *mut Object, usize, *mut Object, &Vm) -> PyResult,
) -> *mut Object {
    // SAFETY: passed on to the caller.
    let (vm, args, kwargs) = unsafe { (Vm::current(), receiver::<Tuple>(args), optional::<Dict>(kwargs)) };
    to_c((|| match kwargs.filter(|d| d.len() > 0) {
        None => body(args.as_slice().as_ptr().cast(), args.len(), std::ptr::null_mut(), vm),
        Some(kwargs) => {
            let (all, names) = crate::protocols::call::unpack_keywords(args, kwargs, vm)?;
            body(all.as_ptr().cast(), args.len(), names.as_object().as_ptr(), vm)
        }
    })())
}

/// `spread` for `tp_init`.
///
/// # Safety
/// As for `spread`.
#[inline]
pub unsafe fn spread_status(
    args: *mut Object,
    kwargs: *mut Object,
    body: impl FnOnce(*const *mut Object, usize, *mut Object, &Vm) -> PyResult,
) -> c_int {
    // SAFETY: passed on to the caller.
    let result = unsafe { spread(args, kwargs, body) };
    // SAFETY: null or an owned reference.
    match unsafe { Ref::from_raw_opt(result) } {
        Some(_) => 0,
        None => -1,
    }
}

/// Joins method tables and ends the result.
pub const fn concat_methods<const N: usize>(parts: &[&[MethodDef]]) -> [MethodDef; N] {
    let mut all = [MethodDef::END; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

/// `tp_dealloc` of fixed-size layouts: finaliser, weak references, the fields, the memory.
///
/// # Safety
/// `op` is an instance of `T` whose count has reached zero.
pub unsafe extern "C" fn default_dealloc<T: PyLayout>(op: *mut Object) {
    // SAFETY: the object is whole until its fields are dropped, and not used afterwards but for its header.
    unsafe {
        let tp = (*op).ob_type();
        let exact = std::ptr::eq(tp, T::static_type());
        if exact && tp.tp_finalize.get().is_some() && crate::builtins::type_::finalize_on_dealloc(op) {
            return;
        }
        if tp.is_gc() {
            gc::untrack(op);
        }
        if (*T::static_type()).tp_weaklistoffset.get() > 0 {
            crate::builtins::weakref::clear_weakrefs(op);
        }
        std::ptr::drop_in_place(op.cast::<T>());
        if exact {
            gc::release(tp, op, size_of::<T>());
        } else if let Some(free) = tp.tp_free.get() {
            free(op.cast());
        }
    }
}
