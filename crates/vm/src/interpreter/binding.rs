//! Binding arguments to a Python function's parameters, with all that can go wrong (reference, "Calls").

use crate::builtins::coroutine_flags as co;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// Fills the parameters from `given` to `count` with the last defaults; false, with nothing done, when there are too few.
///
/// # Safety
/// The slots are empty, and as many as the code object asks for.
#[inline(always)]
pub unsafe fn fill_defaults(func: &Function, slots: *mut StackRef, given: usize, count: usize) -> bool {
    if given == count {
        return true;
    }
    // SAFETY: the tuple is not replaced while it is read; `given < count`.
    unsafe {
        let defaults = func.defaults.borrow().map_or(&[][..], |tuple| tuple.as_slice());
        let Some(last) = defaults.len().checked_sub(count - given).and_then(|start| defaults.get(start..))
        else {
            return false;
        };
        for (i, value) in last.iter().enumerate() {
            *slots.add(given + i) = StackRef::owned(value.clone());
        }
    }
    true
}

/// Moves `nargs` positional arguments and the values of `kwnames` from `args` into the locals `slots`, which are empty;
/// fills in defaults. On failure what was not moved is still in `args`.
///
/// # Safety
/// `args` and `slots` are as large as said and as the code object asks for.
pub unsafe fn bind(
    func: &Function,
    code: &Code,
    slots: *mut StackRef,
    args: *mut StackRef,
    nargs: usize,
    kwnames: Option<&Tuple>,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: indices stay below the number of parameters, which `localsplus` holds, or below the number of arguments.
    unsafe {
        let take = |slot: *mut StackRef| slot.replace(StackRef::NULL);
        let flags = code.flags.get();
        let positional = code.argcount.get() as usize;
        let total = positional + code.kwonlyargcount.get() as usize;
        let has_varargs = flags & co::VARARGS != 0;

        let direct = nargs.min(positional);
        for i in 0..direct {
            *slots.add(i) = take(args.add(i));
        }
        if has_varargs {
            let tuple = Tuple::from_moved(nargs - direct, |i| take(args.add(direct + i)).into_ref(), vm);
            *slots.add(total) = StackRef::owned(tuple.into_object());
        }
        let mut extra = None;
        if flags & co::VARKEYWORDS != 0 {
            let dict = vm.new_dict();
            *slots.add(total + usize::from(has_varargs)) = StackRef::owned(dict.clone().into_object());
            extra = Some(dict);
        }

        if let Some(names) = kwnames {
            for (i, name) in names.as_slice().iter().enumerate() {
                let Some(text) = name.downcast_ref::<Str>() else {
                    return Err(vm.type_error("keywords must be strings"));
                };
                match code.parameter_index(text, total) {
                    Some(index) => {
                        let slot = slots.add(index);
                        if !(*slot).is_null() {
                            return Err(vm.type_error(format!(
                                "{}() got multiple values for argument '{}'",
                                shown(func),
                                text.to_string_lossy()
                            )));
                        }
                        *slot = take(args.add(nargs + i));
                    }
                    None => match &extra {
                        Some(extra) => {
                            let value = take(args.add(nargs + i)).into_ref();
                            extra.set_item(name, &value, vm)?;
                        }
                        None => return Err(unexpected_keyword(func, code, text, names, total, vm)),
                    },
                }
            }
        }

        if nargs > positional && !has_varargs {
            return Err(too_many_positional(func, code, slots, nargs, vm));
        }

        if nargs < positional {
            // Nothing runs Python code until the values are read.
            let defaults = func.defaults.borrow().map_or(&[][..], |tuple| tuple.as_slice());
            let required = positional.saturating_sub(defaults.len());
            if (nargs..required).any(|i| (*slots.add(i)).is_null()) {
                return Err(missing_arguments(func, code, slots, 0..required, "positional", vm));
            }
            for i in nargs.max(required)..positional {
                if (*slots.add(i)).is_null() {
                    if let Some(value) =
                        defaults.get(i - required + defaults.len().saturating_sub(positional))
                    {
                        *slots.add(i) = StackRef::owned(value.clone());
                    }
                }
            }
        }

        if total > positional {
            let mut missing = false;
            let defaults = func.kwdefaults.borrow();
            for i in positional..total {
                if !(*slots.add(i)).is_null() {
                    continue;
                }
                // Keyword-only defaults have names for keys: the look-up runs no Python code.
                match defaults.and_then(|dict| dict.lookup_interned(code.localsplus_name(i))) {
                    Some(value) => *slots.add(i) = StackRef::owned(value.to_ref()),
                    None => missing = true,
                }
            }
            if missing {
                return Err(missing_arguments(func, code, slots, positional..total, "keyword-only", vm));
            }
        }
        Ok(())
    }
}

fn shown(func: &Function) -> String {
    func.qualname.get().map_or_else(|| "?".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cold]
unsafe fn unexpected_keyword(
    func: &Function,
    code: &Code,
    name: &Str,
    names: &Tuple,
    total: usize,
    vm: &Vm,
) -> Raised {
    let only = code.posonlyargcount.get() as usize;
    let mut refused = Vec::new();
    for i in 0..only {
        let parameter = code.localsplus_name(i);
        let given = names
            .as_slice()
            .iter()
            .any(|n| n.downcast_ref::<Str>().is_some_and(|n| Str::equal(n, parameter)));
        if given {
            refused.push(parameter.to_string_lossy().into_owned());
        }
    }
    if !refused.is_empty() {
        return vm.type_error(format!(
            "{}() got some positional-only arguments passed as keyword arguments: '{}'",
            shown(func),
            refused.join(", ")
        ));
    }
    let candidates: Vec<String> =
        (only..total).map(|i| code.localsplus_name(i).to_string_lossy().into_owned()).collect();
    let text = format!("{}() got an unexpected keyword argument '{}'", shown(func), name.to_string_lossy());
    match crate::exceptions::suggestions::suggest(
        &name.to_string_lossy(),
        candidates.iter().map(String::as_str),
    ) {
        Some(near) => vm.type_error(format!("{text}. Did you mean '{near}'?")),
        None => vm.type_error(text),
    }
}

#[cold]
unsafe fn too_many_positional(
    func: &Function,
    code: &Code,
    slots: *mut StackRef,
    given: usize,
    vm: &Vm,
) -> Raised {
    let positional = code.argcount.get() as usize;
    let total = positional + code.kwonlyargcount.get() as usize;
    // SAFETY: these are parameters.
    let keyword_only = (positional..total).filter(|&i| unsafe { !(*slots.add(i)).is_null() }).count();
    let defaults = func.defaults.get().map_or(0, |tuple| tuple.len());
    let (takes, plural) = if defaults > 0 {
        (format!("from {} to {positional}", positional.saturating_sub(defaults)), true)
    } else {
        (positional.to_string(), positional != 1)
    };
    let also = if keyword_only > 0 {
        format!(
            " positional argument{} (and {keyword_only} keyword-only argument{})",
            if given == 1 { "" } else { "s" },
            if keyword_only == 1 { "" } else { "s" }
        )
    } else {
        String::new()
    };
    vm.type_error(format!(
        "{}() takes {takes} positional argument{} but {given}{also} {} given",
        shown(func),
        if plural { "s" } else { "" },
        if given == 1 && keyword_only == 0 { "was" } else { "were" }
    ))
}

#[cold]
unsafe fn missing_arguments(
    func: &Function,
    code: &Code,
    slots: *mut StackRef,
    range: std::ops::Range<usize>,
    kind: &str,
    vm: &Vm,
) -> Raised {
    let names: Vec<String> = range
        // SAFETY: these are parameters.
        .filter(|&i| unsafe { (*slots.add(i)).is_null() })
        .map(|i| format!("'{}'", code.localsplus_name(i).to_string_lossy()))
        .collect();
    let listed = match names.as_slice() {
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
        [] => String::new(),
    };
    vm.type_error(format!(
        "{}() missing {} required {kind} argument{}: {listed}",
        shown(func),
        names.len(),
        if names.len() == 1 { "" } else { "s" }
    ))
}
