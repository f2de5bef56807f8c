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
    pub positional_only: usize,
    pub positional: usize,
    /// How many positional parameters have no default.
    pub required: usize,
    pub var_positional: bool,
    pub var_keyword: bool,
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
    let s = if count == 1 { "" } else { "s" };
    vm.type_error(format!("{func} expected {bound}{count} argument{s}, got {given}"))
}

/// Raises for a required argument that was not given.
#[cold]
pub fn missing(func: &str, name: &str, position: usize, vm: &Vm) -> Raised {
    if position == 0 {
        vm.type_error(format!("{func}() missing required keyword-only argument: '{name}'"))
    } else {
        vm.type_error(format!("{func}() missing required argument '{name}' (pos {position})"))
    }
}

/// Raises for fewer arguments than must be given by position.
#[cold]
fn too_few(params: &Params, nargs: usize, least: usize, vm: &Vm) -> Raised {
    let bound = if least < params.positional { "at least" } else { "exactly" };
    let s = if least == 1 { "" } else { "s" };
    vm.type_error(format!("{}() takes {bound} {least} positional argument{s} ({nargs} given)", params.func))
}

#[cold]
fn too_many(params: &Params, nargs: usize, keywords: usize, vm: &Vm) -> Raised {
    let func = params.func;
    let least = params.required;
    let total = params.names.len();
    if params.positional == 0 {
        return vm.type_error(format!("{func}() takes no positional arguments"));
    }
    if nargs + keywords > total && !params.var_keyword {
        let s = if total == 1 { "" } else { "s" };
        let kind = if nargs == 0 { "keyword " } else { "" };
        return vm.type_error(format!(
            "{func}() takes at most {total} {kind}argument{s} ({} given)",
            nargs + keywords
        ));
    }
    let bound = if least < params.positional { "at most" } else { "exactly" };
    let s = if params.positional == 1 { "" } else { "s" };
    vm.type_error(format!(
        "{func}() takes {bound} {} positional argument{s} ({nargs} given)",
        params.positional
    ))
}

/// Sorts positional and keyword arguments into `found`. Gives back the surplus for `*args` and `**kwargs`.
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
    // SAFETY: passed on to the caller.
    let names = unsafe { optional::<Tuple>(kwnames) };
    let keywords = names.map_or(0, Tuple::len);
    // SAFETY: as above.
    let (given, values) = unsafe { arg_slice(args, nargs + keywords) }.split_at(nargs);
    if nargs > params.positional && !params.var_positional {
        return Err(too_many(params, nargs, keywords, vm));
    }
    let least = params.positional_only.min(params.required);
    if nargs < least {
        return Err(too_few(params, nargs, least, vm));
    }
    for (place, value) in found.iter_mut().zip(given.iter().take(params.positional)) {
        *place = Some(*value);
    }
    let rest = given.get(params.positional..).unwrap_or_default();
    let Some(names) = names.filter(|names| names.len() > 0) else {
        return Ok((rest, KwArgs::new(None, &[])));
    };
    // SAFETY: as above.
    unsafe { parse_keywords(params, nargs, names, values, found, rest, vm) }
}

#[inline(never)]
unsafe fn parse_keywords<'a>(
    params: &'static Params,
    nargs: usize,
    names: &'a Tuple,
    values: &'a [&'a Object],
    found: &mut [Option<&'a Object>],
    rest: &'a [&'a Object],
    vm: &Vm,
) -> PyResult<(&'a [&'a Object], KwArgs<'a>)> {
    if params.names.is_empty() && !params.var_keyword {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", params.func)));
    }
    if params.positional_only == params.names.len() && !params.var_keyword {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", params.func)));
    }
    if nargs + names.len() > params.names.len() && !params.var_keyword && !params.var_positional {
        return Err(too_many(params, nargs, names.len(), vm));
    }
    if params.var_keyword && params.names.len() == params.positional_only {
        return Ok((rest, KwArgs::new(Some(names), values)));
    }
    let mut surplus: Vec<usize> = Vec::new();
    for (at, (name, value)) in names.as_slice().iter().zip(values).enumerate() {
        let Some(name) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error("keywords must be strings"));
        };
        let place = params
            .names
            .iter()
            .enumerate()
            .skip(params.positional_only)
            .find(|(_, known)| name.eq_str(known))
            .map(|(place, _)| place);
        match place.and_then(|place| found.get_mut(place).map(|slot| (place, slot))) {
            Some((place, Some(_))) => {
                return Err(vm.type_error(format!(
                    "argument for {}() given by name ('{}') and position ({})",
                    params.func,
                    name.to_string_lossy(),
                    place + 1
                )));
            }
            Some((_, slot)) => *slot = Some(*value),
            None if params.var_keyword => surplus.push(at),
            None => return Err(unexpected(params, name, vm)),
        }
    }
    if surplus.len() == names.len() {
        return Ok((rest, KwArgs::new(Some(names), values)));
    }
    if surplus.is_empty() {
        return Ok((rest, KwArgs::new(None, &[])));
    }
    Ok((rest, KwArgs::chosen(names, values, surplus)))
}

#[cold]
fn unexpected(params: &Params, name: &Str, vm: &Vm) -> Raised {
    let text = name.to_string_lossy();
    if params.names.iter().take(params.positional_only).any(|known| *known == text) {
        return vm.type_error(format!(
            "{}() got some positional-only arguments passed as keyword arguments: '{text}'",
            params.func
        ));
    }
    let known: Vec<&str> = params.names.iter().skip(params.positional_only).copied().collect();
    match crate::exceptions::suggestions::closest(&text, &known) {
        Some(close) => vm.type_error(format!(
            "{}() got an unexpected keyword argument '{text}'. Did you mean '{close}'?",
            params.func
        )),
        None => vm.type_error(format!("{}() got an unexpected keyword argument '{text}'", params.func)),
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
