//! The hierarchy of built-in exceptions (library reference, "Exception hierarchy"): one table, from which come the type
//! objects (`_PyExc_NAME` to C), the pointer variables (`PyExc_NAME`), one accessor each and the list for `builtins`.
//!
//! How a row's type is made:
//! - `plain`: no layout and no method of its own; constructed like `BaseException` (its `__dict__` shows `__new__`).
//! - `derived`: no layout and no method of its own; constructed like its base.
//! - `declared`: `#[pytype]` on the layout in a file of this folder declares it; the table gives base and place.

use taipan_object::typeobject::PyType_Type;

use crate::prelude::*;

/// A C variable that holds a pointer to an exception type.
#[repr(transparent)]
pub struct TypePointer(*const Type);

// SAFETY: the pointer is constant, and types are only touched by the thread that holds the interpreter's lock.
unsafe impl Sync for TypePointer {}

macro_rules! exceptions {
    ($($accessor:ident $name:ident ($base:ident) $kind:ident $layout:path, $doc:literal;)*) => {
        /// The type objects made here, by their Python names.
        #[allow(non_upper_case_globals, missing_docs)]
        pub mod statics {
            use super::*;
            $(exceptions!(@static $kind $name $base $doc);)*
        }

        /// The variables by which C code names the types.
        #[allow(non_upper_case_globals, missing_docs)]
        pub mod pointers {
            use super::*;
            $(
                #[unsafe(export_name = concat!("PyExc_", stringify!($name)))]
                pub static $name: TypePointer = TypePointer(&raw const statics::$name);
            )*
            #[unsafe(export_name = "PyExc_IOError")]
            pub static IOError: TypePointer = TypePointer(&raw const statics::OSError);
            #[unsafe(export_name = "PyExc_EnvironmentError")]
            pub static EnvironmentError: TypePointer = TypePointer(&raw const statics::OSError);
        }

        $(
            #[doc = concat!("`", stringify!($name), "`: ", $doc)]
            #[inline(always)]
            pub fn $accessor() -> &'static Type {
                exceptions!(@accessor $kind $name $layout)
            }
        )*

        const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            tp: $accessor,
            base: exceptions!(@base $base),
            size: size_of::<$layout>(),
            kind: Kind::$kind,
        },)*];
    };
    (@static declared $name:ident $base:ident $doc:literal) => {
        unsafe extern "C" {
            #[link_name = concat!("_PyExc_", stringify!($name))]
            pub static $name: Type;
        }
    };
    (@static $kind:ident $name:ident $base:ident $doc:literal) => {
        #[unsafe(export_name = concat!("_PyExc_", stringify!($name)))]
        #[unsafe(link_section = "taipan_types")]
        pub static $name: Type = Type {
            tp_name: Cell::new(concat!(stringify!($name), "\0").as_ptr().cast()),
            tp_doc: Cell::new(concat!($doc, "\0").as_ptr().cast()),
            tp_flags: Cell::new(TypeFlags::BASETYPE | TypeFlags::IMMUTABLETYPE),
            tp_base: Cell::new(&raw const self::$base),
            ..Type::static_empty(&raw const PyType_Type)
        };
    };
    (@accessor declared $name:ident $layout:path) => { <$layout>::type_object() };
    (@accessor $kind:ident $name:ident $layout:path) => { &statics::$name };
    (@base object) => { None };
    (@base $base:ident) => { Some(&raw const statics::$base) };
}

use std::cell::Cell;

#[allow(non_camel_case_types)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    plain,
    derived,
    declared,
}

struct Row {
    name: &'static str,
    tp: fn() -> &'static Type,
    base: Option<*const Type>,
    size: usize,
    kind: Kind,
}

// SAFETY: the rows are constant.
unsafe impl Sync for Row {}

use super::base::BaseException as Base;
use super::group::BaseExceptionGroup as Group;
use super::import_error::ImportError as Import;
use super::key_error::KeyError as Key;
use super::name_error::{AttributeError as Attribute, NameError as Name};
use super::os_error::OsError as Os;
use super::stop_iteration::{StopIteration as Stop, SystemExit as Exit};
use super::syntax_error::SyntaxError as Syntax;
use super::unicode_error::{
    UnicodeDecodeError as Decode, UnicodeEncodeError as Encode, UnicodeTranslateError as Translate,
};

exceptions! {
    base_exception BaseException (object) declared Base, "Common base class for all exceptions";
    exception Exception (BaseException) plain Base, "Common base class for all non-exit exceptions.";
    type_error TypeError (Exception) plain Base, "Inappropriate argument type.";
    stop_async_iteration StopAsyncIteration (Exception) plain Base, "Signal the end from iterator.__anext__().";
    stop_iteration StopIteration (Exception) declared Stop, "Signal the end from iterator.__next__().";
    generator_exit GeneratorExit (BaseException) plain Base, "Request that a generator exit.";
    system_exit SystemExit (BaseException) declared Exit, "Request to exit from the interpreter.";
    keyboard_interrupt KeyboardInterrupt (BaseException) plain Base, "Program interrupted by user.";
    base_exception_group BaseExceptionGroup (BaseException) declared Group,
        "A combination of multiple unrelated exceptions.";
    import_error ImportError (Exception) declared Import, "Import can't find module, or can't find name in module.";
    module_not_found_error ModuleNotFoundError (ImportError) derived Import, "Module not found.";
    os_error OSError (Exception) declared Os, "Base class for I/O related errors.";
    eof_error EOFError (Exception) plain Base, "Read beyond end of file.";
    runtime_error RuntimeError (Exception) plain Base, "Unspecified run-time error.";
    recursion_error RecursionError (RuntimeError) plain Base, "Recursion limit exceeded.";
    python_finalization_error PythonFinalizationError (RuntimeError) plain Base,
        "Operation blocked during Python finalization.";
    not_implemented_error NotImplementedError (RuntimeError) plain Base,
        "Method or function hasn't been implemented yet.";
    name_error NameError (Exception) declared Name, "Name not found globally.";
    unbound_local_error UnboundLocalError (NameError) derived Name, "Local name referenced but not bound to a value.";
    attribute_error AttributeError (Exception) declared Attribute, "Attribute not found.";
    syntax_error SyntaxError (Exception) declared Syntax, "Invalid syntax.";
    incomplete_input_error _IncompleteInputError (SyntaxError) derived Syntax, "incomplete input.";
    indentation_error IndentationError (SyntaxError) derived Syntax, "Improper indentation.";
    tab_error TabError (IndentationError) derived Syntax, "Improper mixture of spaces and tabs.";
    lookup_error LookupError (Exception) plain Base, "Base class for lookup errors.";
    index_error IndexError (LookupError) plain Base, "Sequence index out of range.";
    key_error KeyError (LookupError) declared Key, "Mapping key not found.";
    value_error ValueError (Exception) plain Base, "Inappropriate argument value (of correct type).";
    unicode_error UnicodeError (ValueError) plain Base, "Unicode related error.";
    unicode_encode_error UnicodeEncodeError (UnicodeError) declared Encode, "Unicode encoding error.";
    unicode_decode_error UnicodeDecodeError (UnicodeError) declared Decode, "Unicode decoding error.";
    unicode_translate_error UnicodeTranslateError (UnicodeError) declared Translate, "Unicode translation error.";
    assertion_error AssertionError (Exception) plain Base, "Assertion failed.";
    arithmetic_error ArithmeticError (Exception) plain Base, "Base class for arithmetic errors.";
    floating_point_error FloatingPointError (ArithmeticError) plain Base, "Floating-point operation failed.";
    overflow_error OverflowError (ArithmeticError) plain Base, "Result too large to be represented.";
    zero_division_error ZeroDivisionError (ArithmeticError) plain Base,
        "Second argument to a division or modulo operation was zero.";
    system_error SystemError (Exception) plain Base,
        "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the traceback,\nthe Python version, and the hardware/OS platform and version.";
    reference_error ReferenceError (Exception) plain Base, "Weak ref proxy used after referent went away.";
    memory_error MemoryError (Exception) plain Base, "Out of memory.";
    buffer_error BufferError (Exception) plain Base, "Buffer error.";
    warning Warning (Exception) plain Base, "Base class for warning categories.";
    user_warning UserWarning (Warning) plain Base, "Base class for warnings generated by user code.";
    deprecation_warning DeprecationWarning (Warning) plain Base,
        "Base class for warnings about deprecated features.";
    pending_deprecation_warning PendingDeprecationWarning (Warning) plain Base,
        "Base class for warnings about features which will be deprecated\nin the future.";
    syntax_warning SyntaxWarning (Warning) plain Base, "Base class for warnings about dubious syntax.";
    runtime_warning RuntimeWarning (Warning) plain Base, "Base class for warnings about dubious runtime behavior.";
    future_warning FutureWarning (Warning) plain Base,
        "Base class for warnings about constructs that will change semantically\nin the future.";
    import_warning ImportWarning (Warning) plain Base,
        "Base class for warnings about probable mistakes in module imports";
    unicode_warning UnicodeWarning (Warning) plain Base,
        "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.";
    bytes_warning BytesWarning (Warning) plain Base,
        "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.";
    resource_warning ResourceWarning (Warning) plain Base, "Base class for warnings about resource usage.";
    encoding_warning EncodingWarning (Warning) plain Base, "Base class for warnings about encodings.";
    connection_error ConnectionError (OSError) derived Os, "Connection error.";
    blocking_io_error BlockingIOError (OSError) derived Os, "I/O operation would block.";
    broken_pipe_error BrokenPipeError (ConnectionError) derived Os, "Broken pipe.";
    child_process_error ChildProcessError (OSError) derived Os, "Child process error.";
    connection_aborted_error ConnectionAbortedError (ConnectionError) derived Os, "Connection aborted.";
    connection_refused_error ConnectionRefusedError (ConnectionError) derived Os, "Connection refused.";
    connection_reset_error ConnectionResetError (ConnectionError) derived Os, "Connection reset.";
    file_exists_error FileExistsError (OSError) derived Os, "File already exists.";
    file_not_found_error FileNotFoundError (OSError) derived Os, "File not found.";
    is_a_directory_error IsADirectoryError (OSError) derived Os, "Operation doesn't work on directories.";
    not_a_directory_error NotADirectoryError (OSError) derived Os, "Operation only works on directories.";
    interrupted_error InterruptedError (OSError) derived Os, "Interrupted by signal.";
    permission_error PermissionError (OSError) derived Os, "Not enough permissions.";
    process_lookup_error ProcessLookupError (OSError) derived Os, "Process not found.";
    timeout_error TimeoutError (OSError) derived Os, "Timeout expired.";
}

/// Completes the static types of the table: bases, sizes, constructors. Runs once a process, before the types are made
/// ready; running it again changes nothing.
pub fn prepare() {
    let base = base_exception();
    for row in ROWS {
        let tp = (row.tp)();
        if let Some(base) = row.base {
            tp.tp_base.set(base);
        }
        if row.kind != Kind::declared {
            tp.tp_basicsize.set(row.size as isize);
        }
        if row.kind == Kind::plain {
            tp.tp_new.set(base.tp_new.get());
            tp.tp_init.set(base.tp_init.get());
            tp.tp_vectorcall.set(base.tp_vectorcall.get());
        }
    }
}

/// The static exception types with their names in `builtins`, bases before derived ones.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Type)> {
    ROWS.iter().map(|row| (row.name, (row.tp)()))
}

/// Other names of exceptions in `builtins`.
pub const ALIASES: &[(&str, fn() -> &'static Type)] =
    &[("EnvironmentError", os_error), ("IOError", os_error)];

fn metatype() -> &'static Type {
    // SAFETY: `type` is a static object.
    unsafe { &*Type::static_type() }
}

#[derive(Default)]
struct GroupType(Slot<Type>);

/// `ExceptionGroup`, the one built-in exception with two bases: a class made when the interpreter starts.
pub fn exception_group(vm: &Vm) -> PyResult<&'static Type> {
    let state = vm.interp().state::<GroupType>();
    if state.0.is_none() {
        let name = vm.new_str("ExceptionGroup").into_object();
        let bases =
            vm.new_tuple([base_exception_group().as_object().to_ref(), exception().as_object().to_ref()]);
        let namespace = vm.new_dict();
        namespace.set_str(vm.ids().__module__, vm.intern("builtins").as_object(), vm)?;
        let args: [&Object; 3] = [&name, bases.as_object(), namespace.as_object()];
        let made = metatype().as_object().call(&args, vm)?;
        let made = made.downcast::<Type>().map_err(|_| vm.system_error("type() returned no type"))?;
        made.as_object().make_immortal();
        state.0.put(made);
    }
    let tp = state.0.as_raw();
    // SAFETY: just made, and immortal.
    Ok(unsafe { &*tp })
}

/// Puts every exception type into the namespace of `builtins`.
pub fn fill_builtins(namespace: &Dict, vm: &Vm) -> PyResult<()> {
    for (name, tp) in all() {
        namespace.set_str(&*vm.intern(name), tp.as_object(), vm)?;
    }
    namespace.set_str(&*vm.intern("ExceptionGroup"), exception_group(vm)?.as_object(), vm)?;
    for (name, tp) in ALIASES {
        namespace.set_str(&*vm.intern(name), tp().as_object(), vm)?;
    }
    Ok(())
}
