//! `_csv`: reading and writing comma-separated values.

use std::cell::Cell;

use taipan_vm::exceptions::declared::DeclaredException;

use taipan_vm::prelude::*;

mod dialect;
mod reader;
mod writer;

pub use dialect::Dialect;
pub use reader::Reader;
pub use writer::Writer;

/// The module.
pub struct Csv;

/// What the module's objects share.
struct State {
    dialects: Slot<Dict>,
    field_limit: Cell<isize>,
}

impl Default for State {
    fn default() -> Self {
        State { dialects: Slot::empty(), field_limit: Cell::new(128 * 1024) }
    }
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

static ERROR: DeclaredException = DeclaredException { name: "_csv.Error", base: types::exception };

/// Raises `_csv.Error(text)`.
fn error(text: impl AsRef<str>, vm: &Vm) -> Raised {
    ERROR.raise(text, vm)
}

/// The registered dialects by name.
fn dialects(vm: &Vm) -> Ref<Dict> {
    let slot = &state(vm).dialects;
    slot.get().unwrap_or_else(|| {
        let dict = vm.new_dict();
        slot.put(dict.clone());
        dict
    })
}

/// The dialect registered under a name.
fn registered(name: &Object, vm: &Vm) -> PyResult {
    dialects(vm).get_item(name, vm)?.ok_or_else(|| error("unknown dialect", vm))
}

/// Splits `(required, dialect=…, /)` off a function's positional arguments.
fn first_and_dialect<'a>(
    name: &str,
    args: &[&'a Object],
    vm: &Vm,
) -> PyResult<(&'a Object, Option<&'a Object>)> {
    match args {
        [] => Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [first] => Ok((first, None)),
        [first, dialect] => Ok((first, Some(dialect))),
        more => Err(vm.type_error(format!("{name} expected at most 2 arguments, got {}", more.len()))),
    }
}

/// CSV parsing and writing.
#[pymodule(name = "_csv", types(Dialect))]
impl Csv {
    /// Return a reader object that will process lines from the given iterable.
    ///
    /// The "iterable" argument can be any object that returns a line
    /// of input for each iteration, such as a file object or a list.  The
    /// optional "dialect" argument defines a CSV dialect.  The function
    /// also accepts optional keyword arguments which override settings
    /// provided by the dialect.
    ///
    /// The returned object is an iterator.  Each iteration returns a row
    /// of the CSV file (which can span multiple input lines).
    #[function(
        "($module, /, *args, **fmtparams)",
        shown = "($module, iterable, /, dialect='excel', **fmtparams)"
    )]
    fn reader(args: &[&Object], fmtparams: KwArgs<'_>, vm: &Vm) -> PyResult {
        let (iterable, dialect) = first_and_dialect("reader", args, vm)?;
        let input = iterable.iter(vm)?;
        Ok(Reader::make(input, dialect::with_changes(dialect, &fmtparams, vm)?, vm))
    }

    /// Return a writer object that will write user data on the given file object.
    ///
    /// The "fileobj" argument can be any object that supports the file API.
    /// The optional "dialect" argument defines a CSV dialect.  The function
    /// also accepts optional keyword arguments which override settings
    /// provided by the dialect.
    #[function(
        "($module, /, *args, **fmtparams)",
        shown = "($module, fileobj, /, dialect='excel', **fmtparams)"
    )]
    fn writer(args: &[&Object], fmtparams: KwArgs<'_>, vm: &Vm) -> PyResult {
        let (file, dialect) = first_and_dialect("writer", args, vm)?;
        let write = file.lookup_attr(vm.ids().write, vm)?.filter(|write| write.is_callable());
        let Some(write) = write else {
            return Err(vm.type_error("argument 1 must have a \"write\" method"));
        };
        Ok(Writer::make(write, dialect::with_changes(dialect, &fmtparams, vm)?, vm))
    }

    /// Return a list of all known dialect names.
    ///
    ///     names = csv.list_dialects()
    #[function("($module, /)")]
    fn list_dialects(vm: &Vm) -> Ref<List> {
        vm.new_list(dialects(vm).keys_vec())
    }

    /// Create a mapping from a string name to a CVS dialect.
    ///
    /// The optional "dialect" argument specifies the base dialect instance
    /// or the name of the registered dialect.  The function also accepts
    /// optional keyword arguments which override settings provided by the
    /// dialect.
    #[function(
        "($module, /, *args, **fmtparams)",
        shown = "($module, name, /, dialect='excel', **fmtparams)"
    )]
    fn register_dialect(args: &[&Object], fmtparams: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let (name, dialect) = first_and_dialect("register_dialect", args, vm)?;
        if name.downcast_ref::<Str>().is_none() {
            return Err(vm.type_error("dialect name must be a string"));
        }
        let dialect = dialect::with_changes(dialect, &fmtparams, vm)?;
        dialects(vm).set_item(name, dialect.as_object(), vm)
    }

    /// Delete the name/dialect mapping associated with a string name.
    #[function("($module, /, name)")]
    fn unregister_dialect(name: &Object, vm: &Vm) -> PyResult<()> {
        if dialects(vm).del_item(name, vm)? { Ok(()) } else { Err(error("unknown dialect", vm)) }
    }

    /// Return the dialect instance associated with name.
    #[function("($module, /, name)")]
    fn get_dialect(name: &Object, vm: &Vm) -> PyResult {
        registered(name, vm)
    }

    /// Sets an upper limit on parsed fields.
    ///
    /// Returns old limit. If limit is not given, no new limit is set and
    /// the old limit is returned
    #[function("($module, /, new_limit=<unrepresentable>)")]
    fn field_size_limit(new_limit: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        let limit = &state(vm).field_limit;
        let old = limit.get();
        if let Some(new) = new_limit {
            let Some(new) = new.downcast_exact::<Int>() else {
                return Err(vm.type_error("limit must be an integer"));
            };
            match new.to_i64() {
                Some(new) => limit.set(new as isize),
                None => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
            }
        }
        Ok(old)
    }

    #[constant("QUOTE_MINIMAL")]
    fn quote_minimal() -> i32 {
        dialect::QUOTE_MINIMAL
    }

    #[constant("QUOTE_ALL")]
    fn quote_all() -> i32 {
        dialect::QUOTE_ALL
    }

    #[constant("QUOTE_NONNUMERIC")]
    fn quote_nonnumeric() -> i32 {
        dialect::QUOTE_NONNUMERIC
    }

    #[constant("QUOTE_NONE")]
    fn quote_none() -> i32 {
        dialect::QUOTE_NONE
    }

    #[constant("QUOTE_STRINGS")]
    fn quote_strings() -> i32 {
        dialect::QUOTE_STRINGS
    }

    #[constant("QUOTE_NOTNULL")]
    fn quote_notnull() -> i32 {
        dialect::QUOTE_NOTNULL
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("Reader", Reader::type_object().as_object(), vm)?;
        module.set("Writer", Writer::type_object().as_object(), vm)?;
        module.set("_dialects", dialects(vm).as_object(), vm)?;
        module.set("Error", ERROR.get(vm)?.as_object(), vm)
    }
}
