//! `Decimal.__format__`.

use taipan_numeric::decimal::{FormatError, FormatSpec, NumberLocale};
use taipan_vm::builtins::warn;
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::current;
use super::decimal::Decimal;

fn raise(error: FormatError, vm: &Vm) -> Raised {
    match error {
        FormatError::Invalid => vm.value_error("invalid format string"),
        FormatError::TooLarge => vm.overflow_error("cannot fit 'int' into an index-sized integer"),
        FormatError::BeyondLimits => {
            vm.value_error("format specification exceeds internal limits of _decimal")
        }
        FormatError::OutOfMemory => vm.memory_error(),
    }
}

/// The separators of the process's locale.
fn process_locale(vm: &Vm) -> PyResult<NumberLocale> {
    let conventions = import_module("_locale", vm)?.call_method(&vm.intern("localeconv"), &[], vm)?;
    let text = |name: &str| -> PyResult<String> {
        let text = conventions.get_item(vm.intern(name).as_object(), vm)?;
        Ok(text.str(vm)?.to_string_lossy().into_owned())
    };
    let sizes = conventions.get_item(vm.intern("grouping").as_object(), vm)?.collect_iterable(vm)?;
    let mut grouping = Vec::new();
    for size in sizes {
        grouping.push(u8::try_from(size.as_isize(vm)?).unwrap_or(0));
    }
    Ok(NumberLocale {
        decimal_point: text("decimal_point")?,
        thousands_sep: text("thousands_sep")?,
        grouping,
    })
}

/// Replaces separators by those of a dict.
fn override_locale(locale: &mut NumberLocale, dict: &Object, vm: &Vm) -> PyResult<()> {
    let Some(dict) = dict.downcast_ref::<Dict>() else {
        return Err(vm.type_error("optional argument must be a dict"));
    };
    let text = |name: &str| -> PyResult<Option<String>> {
        let Some(value) = dict.get_item(vm.intern(name).as_object(), vm)? else { return Ok(None) };
        match value.downcast_ref::<Str>() {
            Some(text) => Ok(Some(text.to_utf8(vm)?.to_owned())),
            None => Err(vm.type_error("bad argument type for built-in operation")),
        }
    };
    if let Some(point) = text("decimal_point")? {
        locale.decimal_point = point;
    }
    if let Some(separator) = text("thousands_sep")? {
        locale.thousands_sep = separator;
    }
    if let Some(grouping) = text("grouping")? {
        locale.grouping = grouping.into_bytes();
    }
    if locale.is_valid() { Ok(()) } else { Err(vm.value_error("invalid override dict")) }
}

/// `decimal.__format__(spec, override=None)`
pub fn format(decimal: &Decimal, args: &[&Object], vm: &Vm) -> PyResult<Ref<Str>> {
    let (spec, replacement) = match args {
        [] => return Err(vm.type_error("function takes at least 1 argument (0 given)")),
        [spec] => (*spec, None),
        [spec, replacement] => (*spec, Some(*replacement)),
        _ => return Err(vm.type_error(format!("function takes at most 2 arguments ({} given)", args.len()))),
    };
    let Some(spec) = spec.downcast_ref::<Str>() else { return Err(vm.type_error("format arg must be str")) };
    let mut parsed = FormatSpec::parse(spec.to_utf8(vm)?).map_err(|error| raise(error, vm))?;
    if parsed.kind() == Some('N') {
        warn::warn(
            types::deprecation_warning(),
            "Format specifier 'N' is deprecated and slated for removal in Python 3.18",
            1,
            vm,
        )?;
    }
    let localized = matches!(parsed.kind(), Some('n' | 'N'));
    if localized || replacement.is_some() {
        let mut locale = if localized { process_locale(vm)? } else { parsed.own_locale() };
        if let Some(replacement) = replacement {
            override_locale(&mut locale, replacement, vm)?;
        }
        parsed.set_locale(locale);
    }
    let context = current::get(vm)?;
    let text = decimal.value().format(&parsed, context.settings().rounding, context.capitals());
    Ok(vm.new_str(&text.map_err(|error| raise(error, vm))?))
}
