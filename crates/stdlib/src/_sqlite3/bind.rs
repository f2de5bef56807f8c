//! Giving a statement its parameters.

use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{SIMPLE, has_buffer};
use taipan_vm::protocols::container::{is_sequence, sequence_item};

use super::statement::Statement;
use super::{PrepareProtocol, adapt, errors};

/// Whether a value may have an adapter.
fn needs_adapter(value: &Object, base_type_adapted: bool, vm: &Vm) -> bool {
    if base_type_adapted {
        return true;
    }
    let plain = value.downcast_exact::<Int>().is_some()
        || value.downcast_exact::<Float>().is_some()
        || value.downcast_exact::<Str>().is_some()
        || value.downcast_exact::<ByteArray>().is_some();
    // `None` and bytes go without only while nobody has registered anything at all.
    !plain
        && !((vm.is_none(value) || value.downcast_exact::<Bytes>().is_some())
            && super::state(vm).adapters.get().is_none_or(|adapters| {
                let proto = PrepareProtocol::type_object().as_object();
                let key = adapt::key(value.ob_type().as_object(), proto, vm);
                matches!(adapters.get_item(key.as_object(), vm), Ok(None))
            }))
}

fn adapted(value: ObjRef, base_type_adapted: bool, vm: &Vm) -> PyResult {
    if !needs_adapter(&value, base_type_adapted, vm) {
        return Ok(value);
    }
    adapt::adapt(&value, PrepareProtocol::type_object().as_object(), Some(&value), vm)
}

fn length(data: &[u8], what: &str, vm: &Vm) -> PyResult<i32> {
    i32::try_from(data.len()).map_err(|_| vm.overflow_error(format!("{what} longer than INT_MAX bytes")))
}

/// Binds one value. `named` is how errors call the parameter.
fn bind_value(
    statement: &Statement,
    place: i32,
    value: &Object,
    named: impl FnOnce() -> String,
    vm: &Vm,
) -> PyResult<()> {
    let raw = statement.raw();
    // SAFETY: the statement is alive for all calls; texts and blobs are copied by them.
    let code = unsafe {
        if vm.is_none(value) {
            sq::sqlite3_bind_null(raw, place)
        } else if let Some(number) = value.downcast_ref::<Int>() {
            let Some(number) = number.to_i64() else {
                return Err(vm.overflow_error("Python int too large to convert to SQLite INTEGER"));
            };
            sq::sqlite3_bind_int64(raw, place, number)
        } else if let Some(text) = value.downcast_ref::<Str>() {
            let text = text.to_utf8(vm)?.as_bytes();
            let length = length(text, "string", vm)?;
            sq::sqlite3_bind_text(raw, place, text.as_ptr().cast(), length, sq::SQLITE_TRANSIENT())
        } else if let Some(number) = value.downcast_ref::<Float>() {
            sq::sqlite3_bind_double(raw, place, number.value())
        } else if has_buffer(value) {
            let buffer = value.get_buffer(SIMPLE, vm)?;
            let data = buffer.as_bytes();
            let length = length(data, "BLOB", vm)?;
            // An empty slice's address is nothing to read from, but not null, which would mean NULL.
            sq::sqlite3_bind_blob(raw, place, data.as_ptr().cast(), length, sq::SQLITE_TRANSIENT())
        } else {
            let text =
                format!("Error binding parameter {}: type '{}' is not supported", named(), value.type_name());
            return Err(errors::programming(text, vm));
        }
    };
    if code == sq::SQLITE_OK {
        return Ok(());
    }
    // SAFETY: the statement's connection is open as long as the statement lives.
    Err(unsafe { errors::from_connection(sq::sqlite3_db_handle(raw), vm) })
}

/// The name of a parameter with its prefix.
fn parameter_name(statement: &Statement, place: i32) -> Option<String> {
    // SAFETY: the statement is alive; the name is NUL-terminated and copied.
    unsafe {
        let name = sq::sqlite3_bind_parameter_name(statement.raw(), place);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

fn bind_sequence(statement: &Statement, parameters: &Object, needed: i32, vm: &Vm) -> PyResult<()> {
    let given = parameters.length(vm)?;
    if usize::try_from(needed) != Ok(given) {
        let text = format!(
            "Incorrect number of bindings supplied. The current statement uses {needed}, and there are {given} \
             supplied."
        );
        return Err(errors::programming(text, vm));
    }
    let base_type_adapted = super::state(vm).base_type_adapted.get();
    let tuple = parameters.downcast_exact::<Tuple>();
    let list = parameters.downcast_exact::<List>();
    for index in 0..given {
        let place = index as i32 + 1;
        if statement.names_parameters() {
            if let Some(name) = parameter_name(statement, place).filter(|name| !name.starts_with('?')) {
                let text = format!(
                    "Binding {place} ('{name}') is a named parameter, but you supplied a sequence which requires \
                     nameless (qmark) placeholders."
                );
                return Err(errors::programming(text, vm));
            }
        }
        let value = match (tuple, list) {
            (Some(tuple), _) => tuple.as_slice().get(index).cloned(),
            (_, Some(list)) => list.get(index),
            _ => Some(sequence_item(parameters, index as isize, vm)?),
        };
        // An adapter can shorten the list.
        let value = value.ok_or_else(|| vm.index_error("list index out of range"))?;
        let value = adapted(value, base_type_adapted, vm)?;
        bind_value(statement, place, &value, || place.to_string(), vm)?;
    }
    Ok(())
}

fn bind_mapping(statement: &Statement, parameters: &Object, needed: i32, vm: &Vm) -> PyResult<()> {
    let base_type_adapted = super::state(vm).base_type_adapted.get();
    for place in 1..=needed {
        let Some(full) = parameter_name(statement, place) else {
            let text =
                format!("Binding {place} has no name, but you supplied a dictionary (which has only names).");
            return Err(errors::programming(text, vm));
        };
        let name = full.get(1..).unwrap_or_default();
        let key = vm.new_str(name);
        let value = match parameters.downcast_exact::<Dict>() {
            Some(dict) => dict.get_item(key.as_object(), vm)?,
            None => match parameters.get_item(key.as_object(), vm) {
                Ok(value) => Some(value),
                Err(Raised) if vm.exception_matches(types::lookup_error()) => {
                    vm.clear_exception();
                    None
                }
                Err(Raised) => return Err(Raised),
            },
        };
        let Some(value) = value else {
            let text = format!("You did not supply a value for binding parameter :{name}.");
            return Err(errors::programming(text, vm));
        };
        let value = adapted(value, base_type_adapted, vm)?;
        bind_value(statement, place, &value, || place.to_string(), vm)?;
    }
    Ok(())
}

/// Binds the parameters of one execution.
pub fn bind(statement: &Statement, parameters: &Object, vm: &Vm) -> PyResult<()> {
    // SAFETY: the statement is alive.
    let needed = unsafe { sq::sqlite3_bind_parameter_count(statement.raw()) };
    let mapping = parameters.downcast_ref::<Dict>().is_some();
    if !mapping && is_sequence(parameters) {
        bind_sequence(statement, parameters, needed, vm)
    } else if mapping || taipan_vm::protocols::container::is_mapping(parameters) {
        bind_mapping(statement, parameters, needed, vm)
    } else {
        Err(errors::programming("parameters are of unsupported type", vm))
    }
}
