//! SQL functions, aggregates, window functions and collations in Python.

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

use super::super::callback::{self as calls, Context};
use super::super::{c_string, errors};
use super::Connection;

/// A method's leading parameters, which may still be given by name though that is deprecated.
pub struct Parameters<'a> {
    /// The method.
    pub method: &'a str,
    /// All parameters that can be positional.
    pub names: &'a [&'a str],
    /// How many of them will become positional-only.
    pub deprecated: usize,
    /// Parameters that can only be given by name.
    pub keyword_only: &'a [&'a str],
}

impl Parameters<'_> {
    /// The arguments of a call in the order of the names, then of the keyword-only ones.
    pub fn parse<'o>(
        &self,
        args: &[&'o Object],
        kwargs: &KwArgs<'o>,
        vm: &Vm,
    ) -> PyResult<Vec<Option<&'o Object>>> {
        let method = self.method;
        let (most, given) = (self.names.len(), args.len());
        if given > most {
            let text = if most == 1 {
                format!("{method}() takes at most 1 argument ({given} given)")
            } else {
                format!("{method}() takes exactly {most} positional arguments ({given} given)")
            };
            return Err(vm.type_error(text));
        }
        let mut found: Vec<Option<&Object>> = vec![None; most + self.keyword_only.len()];
        for (place, value) in found.iter_mut().zip(args) {
            *place = Some(value);
        }
        let mut by_name = false;
        for (name, value) in kwargs.iter() {
            let index = self.names.iter().chain(self.keyword_only).position(|known| name.eq_str(known));
            let Some((index, place)) = index.and_then(|index| Some((index, found.get_mut(index)?))) else {
                let name = name.to_string_lossy();
                return Err(vm.type_error(format!("{method}() got an unexpected keyword argument '{name}'")));
            };
            if place.is_some() {
                let name = name.to_string_lossy();
                let text =
                    format!("argument for {method}() given by name ('{name}') and position ({})", index + 1);
                return Err(vm.type_error(text));
            }
            by_name |= index < self.deprecated;
            *place = Some(value);
        }
        for (index, name) in self.names.iter().enumerate() {
            if found.get(index).is_none_or(Option::is_none) {
                let text = format!("{method}() missing required argument '{name}' (pos {})", index + 1);
                return Err(vm.type_error(text));
            }
        }
        if by_name {
            self.warn(vm)?;
        }
        Ok(found)
    }

    fn warn(&self, vm: &Vm) -> PyResult<()> {
        let names = self.names.get(..self.deprecated).unwrap_or_default();
        let (list, ending) = match names {
            [] => return Ok(()),
            [sole] => (format!("'{sole}'"), ""),
            [head @ .., last] => {
                let head: Vec<String> = head.iter().map(|name| format!("'{name}'")).collect();
                (format!("{} and '{last}'", head.join(", ")), "s")
            }
        };
        let text = format!(
            "Passing keyword argument{ending} {list} to _sqlite3.Connection.{}() is deprecated. Parameter{ending} \
             {list} will become positional-only in Python 3.15.",
            self.method
        );
        taipan_vm::builtins::warn::deprecation(&text, vm)
    }
}

fn text_argument<'o>(value: Option<&'o Object>, method: &str, name: &str, vm: &Vm) -> PyResult<&'o Str> {
    let value = value.unwrap_or(vm.none_ref());
    value.downcast_ref::<Str>().ok_or_else(|| {
        let given = if vm.is_none(value) { "None" } else { value.type_name() };
        vm.type_error(format!("{method}() argument '{name}' must be str, not {given}"))
    })
}

/// A number of arguments that SQLite takes.
fn argument_count(value: i32, name: &str, db: *mut sq::sqlite3, vm: &Vm) -> PyResult<i32> {
    // SAFETY: the connection is open.
    let most = unsafe { sq::sqlite3_limit(db, sq::SQLITE_LIMIT_FUNCTION_ARG, -1) };
    if value < -1 || value > most {
        let text = format!("'{name}' must be between -1 and {most}, not {value}");
        return Err(errors::programming(text, vm));
    }
    Ok(value)
}

#[pymethods(table = FUNCTIONS)]
impl Connection {
    /// Creates a new function.
    ///
    /// Note: Passing keyword arguments 'name', 'narg' and 'func' to
    /// _sqlite3.Connection.create_function() is deprecated. Parameters
    /// 'name', 'narg' and 'func' will become positional-only in Python 3.15.
    #[method("($self, /, *args, **kwargs)", shown = "($self, /, name, narg, func, *, deterministic=False)")]
    fn create_function(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let parameters = Parameters {
            method: "create_function",
            names: &["name", "narg", "func"],
            deprecated: 3,
            keyword_only: &["deterministic"],
        };
        let found = parameters.parse(args, &kwargs, vm)?;
        let [name, narg, func, deterministic] = found[..] else { return Err(vm.system_error("parameters")) };
        let name = c_string(text_argument(name, "create_function", "name", vm)?, vm)?;
        let narg = super::c_int(narg.unwrap_or(vm.none_ref()), vm)?;
        let func = func.unwrap_or(vm.none_ref());
        let deterministic = deterministic.map_or(Ok(false), |given| given.is_true(vm))?;
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        let narg = argument_count(narg, "narg", db, vm)?;
        let mut flags = sq::SQLITE_UTF8;
        if deterministic {
            flags |= sq::SQLITE_DETERMINISTIC;
        }
        // SAFETY: the connection is open, the name NUL-terminated; SQLite destroys the context, also when it fails.
        let code = unsafe {
            if vm.is_none(func) {
                sq::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    narg,
                    flags,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                )
            } else {
                sq::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    narg,
                    flags,
                    Context::for_sqlite(func),
                    Some(calls::function),
                    None,
                    None,
                    Some(calls::drop_context),
                )
            }
        };
        if code == sq::SQLITE_OK { Ok(()) } else { Err(errors::operational("Error creating function", vm)) }
    }

    /// Creates a new aggregate.
    ///
    /// Note: Passing keyword arguments 'name', 'n_arg' and 'aggregate_class'
    /// to _sqlite3.Connection.create_aggregate() is deprecated. Parameters
    /// 'name', 'n_arg' and 'aggregate_class' will become positional-only in
    /// Python 3.15.
    #[method("($self, /, *args, **kwargs)", shown = "($self, /, name, n_arg, aggregate_class)")]
    fn create_aggregate(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let parameters = Parameters {
            method: "create_aggregate",
            names: &["name", "n_arg", "aggregate_class"],
            deprecated: 3,
            keyword_only: &[],
        };
        let found = parameters.parse(args, &kwargs, vm)?;
        let [name, n_arg, class] = found[..] else { return Err(vm.system_error("parameters")) };
        let name = c_string(text_argument(name, "create_aggregate", "name", vm)?, vm)?;
        let n_arg = super::c_int(n_arg.unwrap_or(vm.none_ref()), vm)?;
        let class = class.unwrap_or(vm.none_ref());
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        let n_arg = argument_count(n_arg, "n_arg", db, vm)?;
        // SAFETY: as above.
        let code = unsafe {
            if vm.is_none(class) {
                sq::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    n_arg,
                    sq::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                )
            } else {
                sq::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    n_arg,
                    sq::SQLITE_UTF8,
                    Context::for_sqlite(class),
                    None,
                    Some(calls::step),
                    Some(calls::finalize),
                    Some(calls::drop_context),
                )
            }
        };
        if code == sq::SQLITE_OK { Ok(()) } else { Err(errors::operational("Error creating aggregate", vm)) }
    }

    /// Creates or redefines an aggregate window function. Non-standard.
    ///
    /// name
    ///   The name of the SQL aggregate window function to be created or
    ///   redefined.
    /// num_params
    ///   The number of arguments the step and inverse methods takes.
    /// aggregate_class
    ///   A class with step(), finalize(), value(), and inverse() methods.
    ///   Set to None to clear the window function.
    #[method("~($self, name, num_params, aggregate_class, /)")]
    fn create_window_function(
        &self,
        name: &Str,
        num_params: i32,
        aggregate_class: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        let name = c_string(name, vm)?;
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        let count = argument_count(num_params, "num_params", db, vm)?;
        // SAFETY: as above.
        let code = unsafe {
            if vm.is_none(aggregate_class) {
                sq::sqlite3_create_window_function(
                    db,
                    name.as_ptr(),
                    count,
                    sq::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                    None,
                )
            } else {
                sq::sqlite3_create_window_function(
                    db,
                    name.as_ptr(),
                    count,
                    sq::SQLITE_UTF8,
                    Context::for_sqlite(aggregate_class),
                    Some(calls::step),
                    Some(calls::finalize),
                    Some(calls::current_value),
                    Some(calls::inverse),
                    Some(calls::drop_context),
                )
            }
        };
        if code == sq::SQLITE_OK { Ok(()) } else { Err(errors::from_code(code, vm)) }
    }

    /// Creates a collation function.
    #[method("~($self, name, callback, /)")]
    fn create_collation(&self, name: &Str, callback: &Object, vm: &Vm) -> PyResult<()> {
        let name = c_string(name, vm)?;
        self.check_thread(vm)?;
        let _turn = self.turn(vm);
        let db = self.open(vm)?;
        // SAFETY: as above, but SQLite doesn't destroy the context of a collation that it refuses.
        let code = unsafe {
            if vm.is_none(callback) {
                sq::sqlite3_create_collation_v2(
                    db,
                    name.as_ptr(),
                    sq::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                )
            } else {
                if !callback.is_callable() {
                    return Err(vm.type_error("parameter must be callable"));
                }
                let context = Context::for_sqlite(callback);
                let code = sq::sqlite3_create_collation_v2(
                    db,
                    name.as_ptr(),
                    sq::SQLITE_UTF8,
                    context,
                    Some(calls::collate),
                    Some(calls::drop_context),
                );
                if code != sq::SQLITE_OK {
                    calls::drop_context(context);
                }
                code
            }
        };
        self.check(code, vm)
    }
}
